// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware: a descriptor is given to a dmaengine channel, and what has become
 * of it is learned. Which one and when is the dispatcher's; reset.c stops hardware.
 *
 * The callback runs wherever the provider calls it, with whatever the provider
 * holds. It records what happened and kicks the dispatcher; it never prepares or
 * submits.
 */
#include <linux/bottom_half.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "compat.h"
#include "hot.h"
#include "stream.h"
#include "udma.h"

/* From here on callbacks of what hardware has been given come too late. */
void udma_engine_next_epoch(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->epoch = (engine->epoch + 1) % UDMA_EPOCHS;
}

/* See udma_engine_kick(), where there is something to do. */
void udma_engine_wake(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_engine_may_issue(engine))
		return;
	if (engine->running)
		engine->again = true;
	else
		mod_delayed_work(udma_wq, &engine->work, 0);
}

/* @xfer has failed: what of it was to be issued again is not. */
void udma_engine_recall(struct udma_engine *engine, struct udma_xfer *xfer)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; engine->nr_replay && i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state != UDMA_SLOT_REPLAY || slot->xfer != xfer)
			continue;
		udma_slot_put(engine, slot);
		xfer->slots--;
		/* It was in hardware once, and perhaps moved something. */
		xfer->inexact = true;
	}
}

/* What is left to move of a descriptor, or nothing where that is not told. */
static size_t udma_slot_residue(const struct udma_engine *engine, const struct udma_slot *slot,
				const struct dmaengine_result *result)
{
	if (udma_engine_tells_nothing(engine))
		return 0;
	return result->residue <= slot->bytes ? result->residue : 0;
}

/* A copy is one segment: of such a one it says that all is left until it is over. */
static bool udma_slot_is_exact(const struct udma_engine *engine, const struct udma_slot *slot,
			       size_t residue)
{
	return residue && (residue < slot->bytes || udma_engine_tells_bytes(engine));
}

/* A descriptor of @file has ended well. */
static void udma_engine_praise(struct udma_file *file)
{
	if (file->strikes && ++file->good >= UDMA_STRIKES_FORGIVEN)
		file->strikes = 0;
}

/* Hardware has moved all of a piece that is waited for, and nothing is wrong. */
static __always_inline bool udma_slot_finish(struct udma_engine *engine, struct udma_slot *slot)
{
	struct udma_xfer *xfer = slot->xfer;

	lockdep_assert_held(&engine->lock);
	if (!udma_xfer_is_fine(xfer))
		return false;
	udma_slot_leave(engine, slot);
	udma_slot_free(engine, slot);
	udma_engine_praise(xfer->file);
	udma_xfer_finish(engine, xfer, slot->bytes);
	return true;
}

/* Hardware is done with a piece in some other way. */
static void udma_slot_complete(struct udma_engine *engine, struct udma_slot *slot,
			       const struct dmaengine_result *result)
{
	size_t residue = udma_slot_residue(engine, slot, result);
	struct udma_xfer *xfer = slot->xfer;
	size_t bytes = slot->bytes;

	lockdep_assert_held(&engine->lock);
	udma_slot_put(engine, slot);
	if (xfer->op == UDMA_OP_PACKETS) {
		udma_packet_done(xfer->file->stream, slot->at, bytes - residue,
				 result->result == DMA_TRANS_NOERROR ? 0 : -EIO,
				 udma_engine_tells_bytes(engine));
	} else if (udma_engine_has_device(engine) && result->result == DMA_TRANS_NOERROR) {
		/* It may have been a short packet, or none. */
		udma_xfer_complete(xfer, bytes, bytes - residue, 0,
				   !residue || udma_engine_tells_bytes(engine));
	} else if (result->result != DMA_TRANS_NOERROR) {
		/* Many leave residue alone, so zero means nothing here. */
		udma_xfer_complete(xfer, bytes, residue ? bytes - residue : 0, -EIO,
				   udma_slot_is_exact(engine, slot, residue));
	} else {
		/* All of it left is what some say who moved it all, xilinx_dma for one. */
		udma_engine_praise(xfer->file);
		udma_xfer_complete(xfer, bytes, residue < bytes ? bytes - residue : bytes, 0, true);
	}
}

/* Hardware is done with a descriptor that is waited for. */
static void udma_slot_end(struct udma_engine *engine, struct udma_slot *slot,
			  const struct dmaengine_result *result)
{
	lockdep_assert_held(&engine->lock);
	if (result->result != DMA_TRANS_NOERROR || udma_slot_residue(engine, slot, result) ||
	    !udma_slot_finish(engine, slot))
		udma_slot_complete(engine, slot, result);
}

static const struct dmaengine_result udma_success = { .result = DMA_TRANS_NOERROR };
static const struct dmaengine_result udma_failure = { .result = DMA_TRANS_ABORTED };

/* The first of those that do not interrupt and are not known to have ended, or NULL. */
static struct udma_slot *udma_engine_first_quiet(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_engine_is_quiet(engine))
		return NULL;
	return engine->quiet[engine->nr_heard % UDMA_WINDOW_SLOTS];
}

/*
 * Those that do not interrupt and that hardware was given before @slot have ended, too, as
 * those do that go well: of trouble the callback tells. A provider that calls back all has
 * lost one that it did not.
 */
static void udma_engine_complete_quiet(struct udma_engine *engine, const struct udma_slot *slot)
{
	struct udma_slot *quiet;

	lockdep_assert_held(&engine->lock);
	while ((quiet = udma_engine_first_quiet(engine)) && quiet->order <= slot->order) {
		WRITE_ONCE(engine->nr_heard, engine->nr_heard + 1);
		if (quiet == slot)
			break;
		if (engine->tells)
			udma_slot_complete(engine, quiet, &udma_failure);
		else if (!udma_slot_finish(engine, quiet))
			udma_slot_complete(engine, quiet, &udma_success);
	}
}

/* Hardware is done with @slot, which is waited for. */
static void udma_engine_complete(struct udma_engine *engine, struct udma_slot *slot,
				 const struct dmaengine_result *result)
{
	struct udma_events *events = &slot->xfer->file->events;

	lockdep_assert_held(&engine->lock);
	engine->progress = jiffies;
	if (udma_engine_is_quiet(engine)) {
		engine->now = ktime_get_ns();
		udma_events_begin(events);
		udma_engine_complete_quiet(engine, slot);
		udma_slot_end(engine, slot, result);
		udma_events_end(events);
		engine->now = 0;
	} else {
		udma_slot_end(engine, slot, result);
	}
	udma_engine_kick(engine);
}

/*
 * Ask the provider for @slot, the first that does not interrupt, while nobody else is at the
 * channel. Return: whether it has ended.
 */
static bool udma_engine_ask(struct udma_engine *engine, struct udma_slot *slot)
{
	struct dmaengine_result result = { .result = DMA_TRANS_NOERROR };
	struct dma_tx_state state = {};
	dma_cookie_t cookie = slot->cookie;
	u64 order = slot->order;
	enum dma_status status;

	lockdep_assert_held(&engine->lock);
	spin_unlock_irq(&engine->lock);
	status = dmaengine_tx_status(engine->dma, cookie, &state);
	spin_lock_irq(&engine->lock);
	/* Meanwhile its callback may have come, or that of a later one. */
	if (slot->state != UDMA_SLOT_ISSUED || slot->order != order)
		return true;
	/* The callback may be about to say that all was not well, and comes in any case. */
	if (engine->tells || (status != DMA_COMPLETE && status != DMA_ERROR))
		return false;
	result.residue = state.residue;
	if (status == DMA_ERROR)
		result.result = DMA_TRANS_ABORTED;
	/* With trouble it may come, too, but not for who has the slot next. */
	if (status == DMA_ERROR || result.residue)
		udma_engine_next_epoch(engine);
	udma_engine_complete(engine, slot, &result);
	return true;
}

/* Ask for all that do not interrupt. Return: whether any has ended. */
bool udma_engine_hear(struct udma_engine *engine)
{
	const unsigned int heard = engine->nr_heard;
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	/* One after the other: of those before one that has ended it is not known how they did. */
	while ((slot = udma_engine_first_quiet(engine)))
		if (!udma_engine_ask(engine, slot))
			break;
	return engine->nr_heard != heard;
}

/**
 * udma_engine_look - learn what has ended without an interrupt
 * @engine: the engine; its lock is held, given back meanwhile, and held again
 *
 * In process context with bottom halves off, for it holds the channel as the dispatcher
 * does, and does the work of one who came meanwhile. When somebody else is at the channel he
 * is not waited for.
 *
 * Return: whether anything has.
 */
bool udma_engine_look(struct udma_engine *engine)
{
	bool heard;

	lockdep_assert_held(&engine->lock);
	if (engine->running || engine->stopped || engine->state != UDMA_STATE_WORKING ||
	    !udma_engine_is_quiet(engine))
		return false;
	engine->running = true;
	heard = udma_engine_hear(engine);
	engine->running = false;
	if (engine->again)
		udma_engine_dispatch(engine);
	udma_engine_tell_left(engine);
	return heard;
}

/* The last that hardware was given does not interrupt: look for it after a while. */
void udma_engine_expect(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->listen || engine->stopped)
		return;
	engine->listen = true;
	queue_delayed_work(udma_wq, &engine->work, 1);
}

/* The while is over. */
static void udma_engine_listen(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->listen = false;
	udma_engine_look(engine);
	if (udma_engine_is_quiet(engine))
		udma_engine_expect(engine);
}

/* Hardware is taken everything away: what did not interrupt is as good as what did. */
void udma_engine_forget(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	WRITE_ONCE(engine->nr_heard, engine->nr_quiet);
}

static struct udma_engine *udma_ticket_engine(struct udma_ticket *ticket)
{
	struct udma_slot *slot;

	slot = container_of(ticket - ticket->epoch, struct udma_slot, tickets[0]);
	return container_of(slot - ticket->slot, struct udma_engine, slots[0]);
}

/* Whether what a ticket was handed out for is with hardware still, and no reset has begun. */
static bool udma_ticket_is_valid(const struct udma_engine *engine,
				 const struct udma_ticket *ticket)
{
	const struct udma_slot *slot = &engine->slots[ticket->slot];

	lockdep_assert_held(&engine->lock);
	return slot->epoch == ticket->epoch && slot->state == UDMA_SLOT_ISSUED;
}

/* Hardware is done with a descriptor. In any context, also a hard interrupt. */
static void udma_engine_done(void *param, const struct dmaengine_result *result)
{
	struct udma_ticket *ticket = param;
	struct udma_engine *engine = udma_ticket_engine(ticket);
	struct udma_slot *slot = &engine->slots[ticket->slot];

	if (!result)
		result = &udma_success;
	guard(spinlock_irqsave)(&engine->lock);
	if (ticket->slot == UDMA_PROBE_SLOT)
		udma_probe_done(engine, ticket, result->result == DMA_TRANS_NOERROR);
	else if (udma_ticket_is_valid(engine, ticket))
		udma_engine_complete(engine, slot, result);
	else
		udma_reset_late(engine, slot->epoch == ticket->epoch ? slot : NULL);
}

/*
 * How much a descriptor has left to do, where the provider tells. Without the lock, which is
 * inside of the provider's own when that calls back.
 */
bool udma_engine_tell(struct udma_engine *engine, const struct udma_slot *slot, u32 *residue,
		      bool *failed)
{
	struct dma_tx_state state = {};
	enum dma_status status;

	status = dmaengine_tx_status(engine->dma, slot->cookie, &state);
	*failed = status == DMA_ERROR;
	*residue = state.residue;
	return !udma_engine_tells_nothing(engine) &&
	       (status == DMA_IN_PROGRESS || status == DMA_PAUSED);
}

/* The stream that a ticket was handed out for, and where it was seen last; NULL: not any more. */
static struct udma_stream *udma_engine_stream(struct udma_engine *engine,
					      const struct udma_ticket *ticket, u64 *seen)
{
	struct udma_stream *stream;

	guard(spinlock_irqsave)(&engine->lock);
	if (!udma_ticket_is_valid(engine, ticket))
		return NULL;
	stream = engine->slots[ticket->slot].xfer->file->stream;
	*seen = stream->seen;
	return stream;
}

/* A period of a stream has ended, or all of it in error. In any context, also a hard interrupt. */
static void udma_engine_period(void *param)
{
	struct udma_ticket *ticket = param;
	struct udma_engine *engine = udma_ticket_engine(ticket);
	struct udma_slot *slot = &engine->slots[ticket->slot];
	struct udma_stream *stream;
	bool told, failed = false;
	u32 residue = 0;
	u64 seen;

	stream = udma_engine_stream(engine, ticket, &seen);
	/* As long as it is the stream's, its cookie stays. */
	told = stream && udma_engine_tell(engine, slot, &residue, &failed);
	guard(spinlock_irqsave)(&engine->lock);
	if (!stream || !udma_ticket_is_valid(engine, ticket)) {
		udma_reset_late(engine, NULL);
		return;
	}
	engine->progress = jiffies;
	/* What a reset was told meanwhile may be older, unless it had hardware rest before. */
	slot->told = slot->told && slot->exact;
	/* Somebody else may have asked meanwhile, and knows better. */
	if (failed)
		udma_cyclic_failed(stream);
	else
		udma_cyclic_period(stream, told && stream->seen == seen, residue);
}

/* Whether it is being reset, or is going to be. */
static bool udma_engine_is_reset(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->state == UDMA_STATE_RESETTING || engine->reset_reasons;
}

/*
 * Whether the channel could be taken, as a dispatcher does, with @stream in it, or what is in
 * the way. A reset may be for the sake of another stream, before this one can begin.
 */
static bool udma_engine_take(struct udma_engine *engine, const struct udma_stream *stream,
			     u64 sequence, int *error)
{
	guard(spinlock_irq)(&engine->lock);
	*error = 0;
	if (engine->stopped)
		*error = -ENODEV;
	else if (!udma_stream_is(stream, sequence) || !udma_xfer_wanted(stream->xfer) ||
		 engine->state == UDMA_STATE_FAILED)
		*error = -ENXIO;
	if (*error)
		return true;
	if (engine->running || udma_engine_is_reset(engine) ||
	    stream->xfer->state != UDMA_XFER_ISSUED)
		return false;
	engine->running = true;
	return true;
}

/* See udma_engine_pause(). The channel has been taken. Return: -EAGAIN when a reset undoes it. */
static int udma_engine_rest(struct udma_engine *engine, bool pause)
{
	int ret = pause ? dmaengine_pause(engine->dma) : dmaengine_resume(engine->dma);

	if (ret)
		ret = -EIO;
	local_bh_disable();
	spin_lock_irq(&engine->lock);
	if (!ret && udma_engine_is_reset(engine))
		ret = -EAGAIN;
	/* If it has ended, what comes next rests. */
	if (!ret)
		udma_stream_paused(engine, pause);
	engine->running = false;
	udma_engine_dispatch(engine);
	udma_engine_tell_left(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
	return ret;
}

/**
 * udma_engine_pause - have the controller rest with a stream, or go on
 * @engine: the engine
 * @stream: the stream; NULL when the program has none
 * @sequence: its number, or zero
 * @pause: whether to rest
 *
 * In process context, without locks.
 *
 * Return: zero, -ENXIO when the stream has ended or is about to, -EIO when the provider
 * refuses, or another negative errno.
 */
int udma_engine_pause(struct udma_engine *engine, struct udma_stream *stream, u64 sequence,
		      bool pause)
{
	int ret;

	do {
		if (wait_event_killable(engine->left,
					udma_engine_take(engine, stream, sequence, &ret)))
			return -EINTR;
		if (!ret)
			ret = udma_engine_rest(engine, pause);
	} while (ret == -EAGAIN);
	return ret;
}

/* For the providers that only look at the other kind of callback. */
static void udma_engine_done_plain(void *param)
{
	udma_engine_done(param, NULL);
}

/* Submit what the provider has made of @slot; @done tells of it, unless there is a better way. */
static __always_inline int udma_engine_submit_tx(struct udma_engine *engine,
						 struct udma_slot *slot,
						 struct dma_async_tx_descriptor *tx,
						 dma_async_tx_callback done)
{
	if (!tx)
		return -EAGAIN;
	if (done == udma_engine_period)
		tx->callback_result = NULL;
	else if (!engine->plain)
		tx->callback_result = udma_engine_done;
	tx->callback = done;
	tx->callback_param = &slot->tickets[slot->epoch];
	slot->cookie = dmaengine_submit(tx);
	if (slot->cookie == -EAGAIN)
		return -EAGAIN;
	return dma_submit_error(slot->cookie) ? -EIO : 0;
}

/* See udma_engine_submit(), of what is more than a copy or a fill of one range. */
static noinline int udma_engine_submit_other(struct udma_engine *engine, struct udma_slot *slot,
					     enum dma_ctrl_flags flags)
{
	struct dma_async_tx_descriptor *tx = udma_prep(engine, slot, flags);

	if (slot->xfer->op == UDMA_OP_CYCLIC)
		return udma_engine_submit_tx(engine, slot, tx, udma_engine_period);
	return udma_engine_submit_tx(engine, slot, tx, udma_engine_done_plain);
}

/*
 * Prepare and submit one descriptor; nothing comes in between. Return: zero, -EAGAIN when
 * the provider has no descriptor, now or ever, or another negative errno.
 */
static __always_inline int udma_engine_submit(struct udma_engine *engine,
					      struct udma_slot *slot)
{
	const enum dma_ctrl_flags flags = DMA_CTRL_ACK | (slot->quiet ? 0 : DMA_PREP_INTERRUPT);
	const struct udma_xfer *xfer = slot->xfer;
	struct dma_async_tx_descriptor *tx;

	if (unlikely(!udma_xfer_is_plain(xfer)))
		return udma_engine_submit_other(engine, slot, flags);
	if (xfer->op == UDMA_OP_FILL)
		tx = dmaengine_prep_dma_memset(engine->dma, xfer->dst_addr + slot->at, xfer->fill,
					       slot->bytes, flags);
	else
		tx = dmaengine_prep_dma_memcpy(engine->dma, xfer->dst_addr + slot->at,
					       xfer->src_addr + slot->at, slot->bytes, flags);
	return udma_engine_submit_tx(engine, slot, tx, udma_engine_done_plain);
}

/**
 * udma_engine_issue - give hardware descriptors
 * @engine: the engine
 * @slots: what to issue, marked already as issued
 * @count: how many these are
 * @error: why not all were: -EAGAIN when the provider has no descriptor, now or ever, or
 *	another negative errno; else zero
 *
 * The dispatcher calls it, or a reset while there is none; with bottom halves off
 * and without locks.
 *
 * Return: how many were issued.
 */
unsigned int udma_engine_issue(struct udma_engine *engine, struct udma_slot *const *slots,
			       unsigned int count, int *error)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < count; i++) {
		ret = udma_engine_submit(engine, slots[i]);
		if (ret)
			break;
	}
	*error = ret;
	if (i)
		dma_async_issue_pending(engine->dma);
	return i;
}

static void udma_engine_work(struct work_struct *work)
{
	struct udma_engine *engine = container_of(to_delayed_work(work), struct udma_engine, work);

	local_bh_disable();
	spin_lock_irq(&engine->lock);
	if (engine->listen)
		udma_engine_listen(engine);
	udma_engine_dispatch(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
}

static size_t udma_engine_slice_bytes(struct dma_chan *dma, enum dmaengine_alignment align)
{
	size_t max = min_t(size_t, UDMA_SLICE_BYTES, dma_get_max_seg_size(dma->device->dev));

	return max(round_down(max, 1UL << align), 1UL << align);
}

/* How finely the provider tells how far a descriptor came that it did not finish. */
static enum dma_residue_granularity udma_engine_granularity(struct dma_chan *dma)
{
	enum dma_residue_granularity granularity = dma->device->residue_granularity;
	struct dma_slave_caps caps;

	/* A failure means that nothing is told, as is usual for memory only. */
	if (!dma_get_slave_caps(dma, &caps))
		granularity = caps.residue_granularity;
	return granularity;
}

/*
 * A provider whose hardware goes from one descriptor to the next without its help, and that
 * looks at all that have ended when one interrupts. Many start the next from the interrupt of
 * the one before, and dmaengine does not tell: these were read. Those of hardware call back
 * each descriptor, whether it interrupts or not: before any later one, and under the lock
 * that they take to look for what has ended, also when they are asked.
 */
struct udma_chained {
	const char *driver;
	bool tells;
};

static void udma_engine_init_quiet(struct udma_engine *engine, struct dma_chan *dma)
{
	static const struct udma_chained chained[] = {
		{ "ioatdma", true }, { "plx_dma", true }, { "udma-sim", false },
	};
	unsigned int i;

	if (engine->unordered)
		return;
	for (i = 0; i < ARRAY_SIZE(chained); i++) {
		if (strcmp(chained[i].driver, dev_driver_string(dma->device->dev)))
			continue;
		engine->tells = chained[i].tells;
		engine->quiet_most = UDMA_QUIET_BYTES;
		engine->quiet_left = UDMA_QUIET_BYTES;
	}
}

/* @file is closed: what a device's channel does for it ends, and others may have it. */
void udma_engine_disown(struct udma_engine *engine, const struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (engine->owner != file)
		return;
	engine->owner = NULL;
	udma_prep_forget(&engine->parts);
}

/*
 * From now on the channel moves data in this direction. Nobody has it open, and
 * hardware has nothing.
 */
void udma_engine_set_direction(struct udma_engine *engine, enum udma_direction direction)
{
	guard(spinlock_irq)(&engine->lock);
	engine->direction = direction;
	engine->quiet_most = 0;
	engine->quiet_left = 0;
	if (!udma_engine_has_device(engine))
		udma_engine_init_quiet(engine, engine->dma);
	/*
	 * To wait for a device is normal. And there are controllers that tell of what they
	 * were given together when they are done with all of it: then the packet that is there
	 * would wait for those that are not.
	 */
	WRITE_ONCE(engine->stall_ms, udma_engine_has_device(engine) ? 0 : UDMA_STALL_MS);
	WRITE_ONCE(engine->window, direction == UDMA_DIRECTION_DEV_TO_MEM ? 1 : UDMA_WINDOW_SLOTS);
}

void udma_engine_init(struct udma_engine *engine, struct dma_chan *dma)
{
	unsigned int epoch, i;

	BUILD_BUG_ON(UDMA_EPOCHS > U8_MAX + 1 || UDMA_WINDOW_SLOTS > U8_MAX);

	spin_lock_init(&engine->lock);
	INIT_DELAYED_WORK(&engine->work, udma_engine_work);
	init_waitqueue_head(&engine->left);
	udma_deadline_init(engine);
	udma_hrtimer_setup(&engine->idle, udma_cyclic_timer, CLOCK_MONOTONIC,
			   HRTIMER_MODE_ABS_SOFT);
	udma_reset_init(engine);
	engine->dma = dma;
	engine->granularity = udma_engine_granularity(dma);
	/* It has no tasklet that could be late. No other has been read. */
	engine->calls_each = !strcmp(dev_driver_string(dma->device->dev), "udma-sim");
	engine->can_stop = dma->device->device_terminate_all;
	engine->plain = udma_callback_result_sticks(dma);
	engine->unordered = dma_has_cap(DMA_COMPLETION_NO_ORDER, dma->device->cap_mask);
	engine->slice_bytes[UDMA_OP_COPY] =
		udma_engine_slice_bytes(dma, dma->device->copy_align);
	engine->slice_bytes[UDMA_OP_FILL] =
		udma_engine_slice_bytes(dma, dma->device->fill_align);
	for (epoch = 0; epoch < UDMA_EPOCHS; epoch++)
		for (i = 0; i <= UDMA_WINDOW_SLOTS; i++)
			engine->slots[i].tickets[epoch] = (struct udma_ticket){ epoch, i };
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		engine->free[i] = &engine->slots[i];
	engine->nr_free = UDMA_WINDOW_SLOTS;
}
