// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that hardware goes round and round in: how far it is, and whether the program
 * keeps up. The provider calls back at the end of each period, or of several at once; its
 * residue tells where in the ring hardware is, but not how many rounds there were.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>

#include "compat.h"
#include "hot.h"
#include "stream.h"
#include "udma.h"

/* A provider that says so often in a row that nothing is left of the ring says it always. */
#define UDMA_CYCLIC_ZEROS	2

/*
 * The place in the ring that a residue tells. There are providers that tell a residue of zero all
 * the time, or once the first period has ended (xilinx_dma). So it is believed where the ring
 * ends, and only of those that say something else in between.
 */
static bool udma_cyclic_place(const struct udma_stream *stream, u32 residue, u64 *place)
{
	u64 rest = 0;

	if (stream->zeros >= UDMA_CYCLIC_ZEROS || residue > stream->bytes)
		return false;
	*place = residue ? stream->bytes - residue : 0;
	if (!residue)
		div64_u64_rem(stream->callbacks * stream->period_bytes, stream->bytes, &rest);
	return !rest;
}

/* The same at the end of a period, of which there is one after the other. */
static bool udma_cyclic_place_period(struct udma_stream *stream, u32 residue, u64 *place)
{
	if (stream->zeros < UDMA_CYCLIC_ZEROS)
		stream->zeros = residue ? 0 : stream->zeros + 1;
	return udma_cyclic_place(stream, residue, place);
}

/* How much further it is to @place from where hardware was seen last, in the same round. */
static u64 udma_cyclic_distance(const struct udma_stream *stream, u64 place)
{
	return place >= stream->place ? place - stream->place :
					place + stream->bytes - stream->place;
}

static void udma_cyclic_see(struct udma_stream *stream, u64 distance)
{
	stream->seen += distance;
	stream->place += distance;
	if (stream->place >= stream->bytes)
		stream->place -= stream->bytes;
}

/*
 * A period has ended, and hardware is at @place. There have been as many periods as callbacks at
 * least, less one where the provider is always late to tell its place, which shows at the
 * first. If that is more than there seem to be, whole rounds have gone unnoticed. Who is
 * late, or seems to be, may as well have left out a round.
 */
static void udma_cyclic_follow(struct udma_stream *stream, u64 place)
{
	u64 least = stream->callbacks * stream->period_bytes;

	udma_cyclic_see(stream, udma_cyclic_distance(stream, place));
	if (stream->callbacks == 1)
		stream->lag = stream->seen < least ? stream->period_bytes : 0;
	if (stream->lag)
		stream->unsure = true;
	for (; stream->seen + stream->lag < least; stream->seen += stream->bytes)
		stream->unsure = true;
}

/* A period has ended, and where hardware is nobody tells. */
static void udma_cyclic_guess(struct udma_stream *stream)
{
	u64 least = stream->callbacks * stream->period_bytes;

	if (stream->seen >= least)
		return;
	stream->seen = least;
	div64_u64_rem(least, stream->bytes, &stream->place);
}

/*
 * Count the periods that have ended by now. Of those that the provider has not called back for
 * it may still do so, or it calls back for several at once: then there may have been whole
 * rounds of which nobody knows. It is known how many there were only as long as a provider that
 * calls back for each has done so for all.
 */
static void udma_cyclic_count(struct udma_stream *stream, bool told)
{
	u64 periods = div64_u64(stream->seen, stream->period_bytes);

	stream->periods = max3(stream->periods, stream->callbacks, periods);
	stream->silent = stream->periods > stream->callbacks;
	if (!told || stream->silent || stream->unsure)
		stream->inexact = true;
}

/*
 * Where the program has to be, at least. What hardware is about to read has to be there, and what
 * it is writing to is not to be read any more; nor is what it writes to next, for it
 * begins with that before it is known. A ring of two periods has nothing to spare for that.
 */
static u64 udma_cyclic_least(const struct udma_stream *stream)
{
	u64 end = (stream->periods + 1) * stream->period_bytes;

	if (!stream->reads)
		return end;
	if (stream->bytes > 2 * stream->period_bytes)
		end += stream->period_bytes;
	return end > stream->bytes ? end - stream->bytes : 0;
}

/* See whether the program keeps up, or whether all that it has filled is gone. */
static void udma_cyclic_check(struct udma_stream *stream)
{
	if (!stream->draining) {
		udma_position_require(stream, udma_cyclic_least(stream));
		return;
	}
	udma_position_learn(stream);
	if (stream->hw >= stream->app)
		udma_stream_halt(stream, 0);
}

/* From now on what has been filled is all that there will be. */
void udma_cyclic_drain(struct udma_stream *stream)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	stream->draining = true;
	udma_cyclic_check(stream);
}

/* Whether there is one more place for an event of a stream that the program can fall behind. */
static bool udma_cyclic_has_room(struct udma_events *events)
{
	u32 head;

	if (!udma_events_learn_head(events, &head))
		return false;
	/* Unless somebody waits for more of them. */
	if (events->tail - head >= UDMA_STREAM_EVENTS &&
	    RB_EMPTY_ROOT(&events->waiters.rb_root))
		return false;
	return udma_events_reserve(events);
}

/* Tell how far it is by now, or later if there is no place. */
void udma_cyclic_tell(struct udma_stream *stream, u32 flags)
{
	struct udma_events *events = &stream->file->events;
	const struct udma_told told = {
		.type = UDMA_EVENT_STREAM,
		.flags = flags | (stream->inexact ? 0 : UDMA_EVENT_F_EXACT),
		.bytes = stream->hw - stream->told_hw,
		.count = stream->periods - stream->told_periods,
	};

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	if (!udma_cyclic_has_room(events)) {
		WRITE_ONCE(events->more, true);
		return;
	}
	WRITE_ONCE(events->more, false);
	udma_stream_post(stream, &told);
}

/**
 * udma_cyclic_period - the provider says that a period has ended
 * @stream: the stream
 * @told: whether it says where it is
 * @residue: how much is left to the end of the ring, if it does
 */
void udma_cyclic_period(struct udma_stream *stream, bool told, u32 residue)
{
	u64 place;

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	stream->callbacks++;
	told = told && udma_cyclic_place_period(stream, residue, &place);
	if (told)
		udma_cyclic_follow(stream, place);
	else
		udma_cyclic_guess(stream);
	udma_cyclic_count(stream, told);
	udma_position_publish(stream, max(stream->hw, stream->periods * stream->period_bytes));
	if (stream->idle_ns)
		stream->period_time = ktime_get();
	if (!udma_xfer_wanted(stream->xfer)) {
		/* Its last event is to come, and tells the rest. Until then it goes on. */
		if (stream->reads)
			udma_position_require(stream, udma_cyclic_least(stream));
		return;
	}
	udma_cyclic_check(stream);
	if (stream->xfer && udma_xfer_wanted(stream->xfer) &&
	    stream->periods >= stream->due_periods)
		udma_cyclic_tell(stream, 0);
}

/* The controller has reported an error, and ends no period any more. */
void udma_cyclic_failed(struct udma_stream *stream)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	if (udma_xfer_wanted(stream->xfer))
		udma_stream_halt(stream, -EIO);
}

/**
 * udma_cyclic_stopped - hardware has been stopped
 * @stream: the stream
 * @residue: how much was left then to the end of the ring
 */
void udma_cyclic_stopped(struct udma_stream *stream, u32 residue)
{
	u64 place;
	bool told;

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	told = udma_cyclic_place(stream, residue, &place);
	if (told)
		udma_cyclic_see(stream, udma_cyclic_distance(stream, place));
	udma_cyclic_count(stream, told);
	if (stream->seen > stream->hw)
		udma_position_publish(stream, stream->seen);
	/* Nothing is written any more, so all of the ring is as it is. */
	if (stream->reads && stream->hw > stream->bytes)
		udma_position_require(stream, stream->hw - stream->bytes);
}

/*
 * No period has ended for a while. What has come since is told, unless it is beyond the end of
 * the period: then the callback is about to come.
 */
static void udma_cyclic_idle(struct udma_stream *stream, u32 residue)
{
	u64 end = (stream->periods + 1) * stream->period_bytes, distance, place;

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	if (!udma_cyclic_place(stream, residue, &place))
		return;
	distance = udma_cyclic_distance(stream, place);
	if (stream->seen + distance >= end)
		return;
	udma_cyclic_see(stream, distance);
	if (stream->seen > stream->hw)
		udma_position_publish(stream, stream->seen);
	/* Whole periods may wait for others to be told with. */
	if (stream->hw > stream->told_hw)
		udma_cyclic_tell(stream, UDMA_EVENT_F_IDLE);
}

static void udma_cyclic_set_timer(struct udma_engine *engine, ktime_t expires)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->stopped)
		hrtimer_start(&engine->idle, expires, HRTIMER_MODE_ABS_SOFT);
}

static ktime_t udma_cyclic_due(const struct udma_stream *stream)
{
	return ktime_add_safe(stream->period_time, min_t(u64, stream->idle_ns, KTIME_MAX));
}

/* A stream begins that tells of what has come after a while. */
void udma_cyclic_begin(struct udma_stream *stream)
{
	struct udma_engine *engine = udma_stream_engine(stream);

	lockdep_assert_held(&engine->lock);
	stream->period_time = ktime_get();
	udma_cyclic_set_timer(engine, udma_cyclic_due(stream));
}

/* The descriptor of the stream, when it is time to ask for it. */
static struct udma_slot *udma_cyclic_asked(struct udma_engine *engine, ktime_t now)
{
	struct udma_stream *stream = engine->stream;

	lockdep_assert_held(&engine->lock);
	if (!stream || !stream->idle_ns)
		return NULL;
	if (udma_cyclic_due(stream) > now) {
		udma_cyclic_set_timer(engine, udma_cyclic_due(stream));
		return NULL;
	}
	stream->period_time = now;
	udma_cyclic_set_timer(engine, udma_cyclic_due(stream));
	return stream->slot && stream->slot->state == UDMA_SLOT_ISSUED ? stream->slot : NULL;
}

/*
 * One timer a channel, which is not set back at each period. It asks the provider, without
 * the lock as ever; unbind waits for it.
 */
enum hrtimer_restart udma_cyclic_timer(struct hrtimer *timer)
{
	struct udma_engine *engine = container_of(timer, struct udma_engine, idle);
	struct udma_slot *slot;
	u64 order = 0, seen = 0;
	u32 residue;
	bool told, failed;

	scoped_guard(spinlock_irq, &engine->lock) {
		slot = udma_cyclic_asked(engine, ktime_get());
		if (slot) {
			order = slot->order;
			seen = engine->stream->seen;
		}
	}
	if (!slot)
		return HRTIMER_NORESTART;
	told = udma_engine_tell(engine, slot, &residue, &failed);
	guard(spinlock_irq)(&engine->lock);
	/* Somebody else may have asked meanwhile, and knows better. */
	if (told && slot->state == UDMA_SLOT_ISSUED && slot->order == order &&
	    slot->xfer->file->stream->seen == seen && udma_xfer_wanted(slot->xfer))
		udma_cyclic_idle(slot->xfer->file->stream, residue);
	return HRTIMER_NORESTART;
}
