// SPDX-License-Identifier: GPL-2.0
/*
 * Packets: each arrival in a slot of its own of the ring, and an event of its own. As
 * many slots as the window has room for are with hardware; those that the program has
 * given back go there again, in order.
 */
#include <linux/math64.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

static u64 udma_packet_number(const struct udma_stream *stream, u64 at)
{
	return div64_u64(at, stream->period_bytes);
}

/* Whether the slot that comes next has been given back, or never used. */
static bool udma_packet_is_free(struct udma_stream *stream)
{
	u64 next = udma_packet_number(stream, stream->xfer->cursor);
	u32 slots = (u32)stream->bytes / (u32)stream->period_bytes;

	if (next - stream->app < slots)
		return true;
	udma_position_learn(stream);
	return next - stream->app < slots;
}

/* Whether hardware may be given one more slot: it is free, and its event has a place. */
static bool udma_packet_may_go(struct udma_stream *stream)
{
	lockdep_assert_held(&stream->file->chan->engine.lock);
	if (!udma_packet_is_free(stream))
		return false;
	if (stream->promised > stream->xfer->slots)
		return true;
	if (!udma_events_reserve(&stream->file->events))
		return false;
	stream->promised++;
	return true;
}

/*
 * Hardware has no slot any more: the program has to say when it has given one back. Return:
 * whether it just has.
 */
static bool udma_packet_starve(struct udma_stream *stream)
{
	struct udma_stream_shared *shared = stream->shared;

	if (stream->state & UDMA_STREAM_S_STARVED)
		return false;
	udma_stream_set_state(stream, UDMA_STREAM_S_STARVED, true);
	/* Pairs with the program's: it sees this, or we see what it has given back. */
	smp_mb();
	if (udma_packet_may_go(stream)) {
		udma_stream_set_state(stream, UDMA_STREAM_S_STARVED, false);
		return true;
	}
	stream->starved = true;
	WRITE_ONCE(shared->overruns, ++stream->overruns);
	if (stream->stops)
		udma_stream_halt(stream, -EPIPE);
	return false;
}

/* Whether hardware gets one more slot now. If it has none, and does not, the program is told. */
bool udma_packet_goes_on(struct udma_stream *stream)
{
	lockdep_assert_held(&stream->file->chan->engine.lock);
	if (udma_packet_may_go(stream))
		return true;
	return !stream->xfer->slots && udma_packet_starve(stream);
}

/* The program has given something back. */
void udma_packet_advance(struct udma_stream *stream)
{
	struct udma_file *file = stream->file;

	lockdep_assert_held(&file->chan->engine.lock);
	if (!udma_xfer_wanted(stream->xfer) || !udma_packet_may_go(stream))
		return;
	udma_stream_set_state(stream, UDMA_STREAM_S_STARVED, false);
	udma_engine_add(&file->chan->engine, file);
}

/* Tell of a packet. Its place is promised. */
static void udma_packet_tell(struct udma_stream *stream, u64 at, size_t bytes, bool exact)
{
	u32 slots = (u32)stream->bytes / (u32)stream->period_bytes;
	struct udma_told told = {
		.type = UDMA_EVENT_PACKET,
		.flags = exact ? UDMA_EVENT_F_EXACT : 0,
		.bytes = bytes,
	};

	div_u64_rem(udma_packet_number(stream, at), slots, &told.count);
	if (bytes < stream->period_bytes)
		told.flags |= UDMA_EVENT_F_SHORT;
	stream->promised--;
	udma_position_publish(stream, stream->hw + 1);
	if (!stream->file->closed)
		udma_stream_post(stream, &told);
	else
		stream->file->events.reserved--;
}

/**
 * udma_packet_done - hardware is done with a slot
 * @stream: the stream
 * @at: where it began, counted on and on
 * @bytes: how much has come
 * @status: zero or a negative errno, which ends the stream
 * @exact: whether @bytes are all that have come
 */
void udma_packet_done(struct udma_stream *stream, u64 at, size_t bytes, int status, bool exact)
{
	struct udma_file *file = stream->file;
	struct udma_xfer *xfer = stream->xfer;

	lockdep_assert_held(&file->chan->engine.lock);
	xfer->slots--;
	if (status) {
		udma_stream_halt(stream, status);
		return;
	}
	udma_packet_tell(stream, at, bytes, exact);
	if (!udma_xfer_wanted(xfer)) {
		udma_xfer_settle(xfer);
		return;
	}
	if (udma_packet_goes_on(stream))
		udma_engine_add(&file->chan->engine, file);
}
