// SPDX-License-Identifier: GPL-2.0
/*
 * One transfer: its cursor over the slices that hardware gets, and its states.
 * QUEUED -> ISSUED -> its event.
 */
#include <linux/dmaengine.h>
#include <linux/list.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

/* Transfers that a cancel looks at with interrupts off. */
#define UDMA_CANCEL_LOOKS	256

/* A transfer that is not in use, nor is @next. */
void udma_xfer_init(struct udma_xfer *xfer, struct udma_file *file, struct udma_xfer *next)
{
	xfer->file = file;
	RB_CLEAR_NODE(&xfer->deadline.node);
	xfer->next_free = next;
}

/* It is not used after all. */
void udma_xfer_unget(struct udma_xfer *xfer)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&file->chan->engine.lock);
	xfer->next_free = file->free;
	file->free = xfer;
	WRITE_ONCE(file->events.reserved, file->events.reserved - 1);
}

/* -> QUEUED */
void udma_xfer_queue(struct udma_engine *engine, struct udma_xfer *xfer)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&engine->lock);
	xfer->state = UDMA_XFER_QUEUED;
	xfer->cursor = 0;
	udma_fifo_push(&file->queue, &xfer->node);
	udma_engine_add(engine, file);
}

/* What a device's channel takes has one owner, and no stream beside it. */
int udma_xfer_own(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if ((engine->owner && engine->owner != file) || udma_stream_is_in_the_way(engine))
		return -EBUSY;
	return 0;
}

/* See udma_xfer_let_go(), for one that does not write to one buffer. */
void udma_xfer_let_go_others(struct udma_xfer *xfer)
{
	lockdep_assert_held(&xfer->file->chan->engine.lock);
	if (xfer->src)
		udma_buffer_put(xfer->src);
	else
		udma_list_put(xfer->list);
}

static u32 udma_xfer_flags(const struct udma_xfer *xfer)
{
	u32 flags = 0;

	if (!xfer->inexact)
		flags |= UDMA_EVENT_F_EXACT;
	if (xfer->held)
		flags |= UDMA_EVENT_F_HELD;
	if (xfer->cut && !xfer->status)
		flags |= UDMA_EVENT_F_SHORT;
	if (xfer->reset && xfer->status == -EIO)
		flags |= UDMA_EVENT_F_RESET;
	return flags;
}

/* A transfer has ended: say so, and let go of what it held. */
static void udma_xfer_end(struct udma_xfer *xfer)
{
	struct udma_file *file = xfer->file;
	struct udma_engine *engine = &file->chan->engine;
	int status;

	lockdep_assert_held(&engine->lock);
	udma_fifo_remove(&file->queue, &xfer->node);
	if (udma_fifo_empty(&file->queue))
		udma_engine_remove(engine, file);
	udma_xfer_leave(engine, xfer);
	status = xfer->held ? -EIO : xfer->status;
	if (udma_xfer_is_stream(xfer))
		udma_stream_end(xfer, status, udma_xfer_flags(xfer));
	else if (!file->closed)
		udma_xfer_post(engine, xfer, xfer->moved, status, udma_xfer_flags(xfer));
	udma_xfer_let_go(xfer);
}

/* End a transfer when hardware has nothing of it and will be given no more. */
void udma_xfer_settle(struct udma_xfer *xfer)
{
	if (xfer->slots)
		return;
	if (xfer->status || xfer->cut || xfer->cursor == xfer->bytes)
		udma_xfer_end(xfer);
}

/* Give hardware no more of a transfer. */
void udma_xfer_stop(struct udma_xfer *xfer)
{
	struct udma_engine *engine = &xfer->file->chan->engine;

	lockdep_assert_held(&engine->lock);
	udma_engine_recall(engine, xfer);
	if (!udma_fifo_has(&xfer->node))
		return;
	udma_fifo_remove(&xfer->file->queue, &xfer->node);
	if (udma_fifo_empty(&xfer->file->queue))
		udma_engine_remove(engine, xfer->file);
}

/* Give hardware no more of a transfer, and remember why. */
void udma_xfer_fail(struct udma_xfer *xfer, int status)
{
	if (!xfer->status)
		xfer->status = status;
	udma_xfer_stop(xfer);
}

/* Whether hardware is to be given what is left of a transfer. */
bool udma_xfer_wanted(const struct udma_xfer *xfer)
{
	lockdep_assert_held(&xfer->file->chan->engine.lock);
	return !xfer->status && !xfer->cut && !xfer->file->closed &&
	       !xfer->file->chan->engine.stopped;
}

/* The piece that was taken last did not get to hardware: put it back. */
void udma_xfer_untake(struct udma_xfer *xfer, size_t bytes)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&file->chan->engine.lock);
	xfer->slots--;
	xfer->cursor -= bytes;
	/* The last piece is not in the queue, where an abort would have seen it. */
	if (!xfer->status && file->closed)
		xfer->status = -ECANCELED;
	else if (!xfer->status && file->chan->engine.stopped)
		xfer->status = -ENODEV;
	if (xfer->status || xfer->cut) {
		/* It was stopped while the provider was being asked. */
		udma_xfer_settle(xfer);
		return;
	}
	if (!xfer->cursor) {
		xfer->state = UDMA_XFER_QUEUED;
		file->active--;
		udma_deadline_remove(&file->chan->engine, xfer);
	}
	if (!udma_fifo_has(&xfer->node))
		udma_fifo_push_front(&file->queue, &xfer->node);
	udma_engine_add(&file->chan->engine, file);
}

/*
 * A device may have what is left of a transfer that does not go on for ever. Nobody else suffers
 * when it is taken away.
 */
void udma_xfer_release(struct udma_xfer *xfer)
{
	struct udma_engine *engine = &xfer->file->chan->engine;

	lockdep_assert_held(&engine->lock);
	if (xfer->state == UDMA_XFER_ISSUED && !udma_xfer_wanted(xfer) &&
	    udma_engine_has_device(engine))
		udma_reset_request(engine, UDMA_RESET_UNWANTED);
}

/**
 * udma_xfer_complete - hardware is done with a piece of a transfer
 * @xfer: the transfer
 * @bytes: how long the piece was
 * @moved: how much of it was moved
 * @status: zero or a negative errno
 * @exact: whether @moved is all that was moved
 */
void udma_xfer_complete(struct udma_xfer *xfer, size_t bytes, size_t moved, int status, bool exact)
{
	lockdep_assert_held(&xfer->file->chan->engine.lock);
	xfer->slots--;
	xfer->moved += min(moved, bytes);
	xfer->inexact |= !exact;
	if (status) {
		udma_xfer_fail(xfer, status);
	} else if (moved < bytes) {
		xfer->cut = true;
		udma_xfer_stop(xfer);
	} else if (udma_fifo_has(&xfer->node)) {
		/* What comes next of it may have waited for that. */
		udma_engine_add(&xfer->file->chan->engine, xfer->file);
	}
	udma_xfer_settle(xfer);
	udma_xfer_release(xfer);
}

/* End a transfer as soon as hardware lets go of it: at once, if it has none. */
void udma_xfer_abort(struct udma_xfer *xfer, int status)
{
	lockdep_assert_held(&xfer->file->chan->engine.lock);
	udma_xfer_fail(xfer, status);
	udma_xfer_settle(xfer);
	udma_xfer_release(xfer);
}

/* Abort all transfers of a file that hardware has not been given whole. */
void udma_xfer_abort_file(struct udma_file *file, int status)
{
	struct udma_engine *engine = &file->chan->engine;
	struct udma_xfer *xfer;
	u64 now = engine->now;

	lockdep_assert_held(&engine->lock);
	engine->now = now ?: ktime_get_ns();
	udma_events_begin(&file->events);
	while ((xfer = udma_fifo_first(&file->queue, struct udma_xfer, node)))
		udma_xfer_abort(xfer, status);
	udma_events_end(&file->events);
	engine->now = now;
}

static bool udma_xfer_is_under_way(const struct udma_xfer *xfer, u64 sequence)
{
	return xfer->state != UDMA_XFER_FREE && xfer->sequence == sequence;
}

/* A program cancels a transfer, perhaps not for the first time. */
static void udma_xfer_count_cancel(const struct udma_xfer *xfer)
{
	if (!xfer->status && !xfer->file->closed)
		udma_engine_count(&xfer->file->chan->engine, UDMA_COUNT_CANCELS);
}

/**
 * udma_xfer_cancel - cancel one transfer
 * @file: whose
 * @sequence: its number
 *
 * Return: 1, or -ENOENT when there is none under way.
 */
long udma_xfer_cancel(struct udma_file *file, u64 sequence)
{
	struct udma_engine *engine = &file->chan->engine;
	unsigned int i, end, entries = READ_ONCE(file->events.entries);
	struct udma_xfer *xfer;

	for (i = 0; i < entries; i = end) {
		/* One that is under way stays where it is, so this need not be all at once. */
		guard(spinlock_irq)(&engine->lock);
		end = min(i + UDMA_CANCEL_LOOKS, file->events.entries);
		for (xfer = file->xfers + i; xfer < file->xfers + end; xfer++) {
			if (!udma_xfer_is_under_way(xfer, sequence))
				continue;
			udma_xfer_count_cancel(xfer);
			udma_xfer_abort(xfer, -ECANCELED);
			udma_engine_kick(engine);
			return 1;
		}
		if (end == file->events.entries)
			break;
	}
	return -ENOENT;
}

/* Cancel all transfers of a file, and tell how many there were. */
long udma_xfer_cancel_all(struct udma_file *file)
{
	struct udma_engine *engine = &file->chan->engine;
	struct udma_xfer *xfer;
	long found = 0;

	lockdep_assert_held(&engine->lock);
	if (file->events.reserved == file->events.tail)
		return 0;
	for (xfer = file->xfers; xfer < file->xfers + file->events.entries; xfer++) {
		if (xfer->state == UDMA_XFER_FREE)
			continue;
		udma_xfer_count_cancel(xfer);
		found++;
	}
	udma_events_begin(&file->events);
	/* Those that end at once do so in order. */
	udma_xfer_abort_file(file, -ECANCELED);
	for (xfer = file->xfers; xfer < file->xfers + file->events.entries; xfer++)
		if (xfer->state != UDMA_XFER_FREE)
			udma_xfer_abort(xfer, -ECANCELED);
	udma_events_end(&file->events);
	udma_engine_kick(engine);
	return found;
}
