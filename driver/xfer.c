// SPDX-License-Identifier: GPL-2.0
/*
 * One transfer: what a request must be to become one, its cursor over the
 * slices that hardware gets, and its states. QUEUED -> ISSUED -> its event.
 */
#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/nospec.h>

#include "hot.h"
#include "udma.h"

/* What each op needs. */
static const struct {
	u32 capability;
	bool reads;
	u32 max_fill;
} udma_ops[] = {
	[UDMA_OP_COPY] = { .capability = UDMA_CAP_COPY, .reads = true },
	[UDMA_OP_FILL] = { .capability = UDMA_CAP_FILL, .max_fill = U8_MAX },
};

static bool udma_range_within(const struct udma_buffer *buffer, u64 offset, u64 bytes)
{
	return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
}

/* For ranges that are known to be within their buffer. */
static bool udma_ranges_overlap(u64 a, u64 b, u64 bytes)
{
	return a < b + bytes && b < a + bytes;
}

/* What can be said of a request without its buffers. */
static int udma_request_check(const struct udma_chan *chan, const struct udma_request *request)
{
	u32 op = request->op;
	u64 align;

	if (op >= ARRAY_SIZE(udma_ops) || request->flags & ~UDMA_REQUEST_F_FENCE ||
	    request->__reserved)
		return -EINVAL;
	op = array_index_nospec(op, ARRAY_SIZE(udma_ops));
	if (!(chan->info.out_capabilities & udma_ops[op].capability))
		return -EOPNOTSUPP;
	if (!request->bytes || request->fill > udma_ops[op].max_fill)
		return -EINVAL;
	if (!udma_ops[op].reads && (request->src_handle || request->src_offset))
		return -EINVAL;
	align = op == UDMA_OP_FILL ? chan->info.out_fill_align :
					      chan->info.out_copy_align;
	if ((request->dst_offset | request->src_offset | request->bytes) & (align - 1))
		return -EINVAL;
	return 0;
}

/* Find the buffers of a request, whose handles and ranges must be right. */
static int udma_request_resolve(struct udma_file *file, const struct udma_request *request,
				struct udma_buffer **dst, struct udma_buffer **src)
{
	bool reads = udma_ops[request->op].reads;

	*src = NULL;
	*dst = udma_buffer_find(file, request->dst_handle);
	if (reads)
		*src = udma_buffer_find(file, request->src_handle);
	if (!*dst || (reads && !*src))
		return -ENOENT;
	if (!udma_range_within(*dst, request->dst_offset, request->bytes))
		return -ERANGE;
	if (reads && !udma_range_within(*src, request->src_offset, request->bytes))
		return -ERANGE;
	if (*dst == *src &&
	    udma_ranges_overlap(request->dst_offset, request->src_offset, request->bytes))
		return -EINVAL;
	return 0;
}

/* How long hardware may take for a request. */
static u64 udma_request_timeout(const struct udma_file *file, const struct udma_request *request)
{
	u64 timeout = request->timeout_ns ?: udma_engine_timeout_ns(&file->chan->engine);

	return timeout ?: UDMA_TIMEOUT_NEVER;
}

/* Make a transfer of a request: -> QUEUED. */
static int udma_xfer_queue(struct udma_file *file, const struct udma_request *request)
{
	struct udma_buffer *dst, *src;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&file->chan->engine.lock);
	ret = udma_request_resolve(file, request, &dst, &src);
	if (ret)
		return ret;
	if (!udma_events_reserve(&file->events))
		return -EAGAIN;

	/* There is one for each slot of the queue, and this one has a slot. */
	xfer = hlist_entry(file->free.first, struct udma_xfer, node);
	hlist_del_init(&xfer->node);
	xfer->dst = dst;
	xfer->src = src;
	xfer->dst_offset = request->dst_offset;
	xfer->src_offset = request->src_offset;
	xfer->bytes = request->bytes;
	xfer->cursor = 0;
	xfer->moved = 0;
	xfer->user_data = request->user_data;
	xfer->sequence = file->sequence++;
	xfer->timeout_ns = udma_request_timeout(file, request);
	xfer->state = UDMA_XFER_QUEUED;
	xfer->status = 0;
	xfer->op = request->op;
	xfer->fill = request->fill;
	xfer->fence = request->flags & UDMA_REQUEST_F_FENCE;
	xfer->inexact = false;
	xfer->cut = false;
	xfer->held = false;
	udma_buffer_get(dst);
	if (src)
		udma_buffer_get(src);
	udma_fifo_push(&file->queue, &xfer->node);
	udma_engine_add(&file->chan->engine, file);
	return 0;
}

/* A transfer that is not in use, for a new file. */
void udma_xfer_init(struct udma_xfer *xfer, struct udma_file *file)
{
	xfer->file = file;
	RB_CLEAR_NODE(&xfer->deadline.node);
	hlist_add_head(&xfer->node, &file->free);
}

/**
 * udma_xfer_submit - make transfers of requests
 * @file: whose they are; its submit_lock is held
 * @requests: in kernel memory, where the program cannot change them any more
 * @count: how many
 * @taken: how many became transfers, from the front
 *
 * Called inside udma_chan_enter().
 *
 * Return: zero, or why the first one not taken was not.
 */
int udma_xfer_submit(struct udma_file *file, const struct udma_request *requests,
		     unsigned int count, unsigned int *taken)
{
	int ret = 0;

	lockdep_assert_held(&file->submit_lock);
	guard(spinlock_irq)(&file->chan->engine.lock);
	*taken = 0;
	if (file->chan->engine.state == UDMA_STATE_FAILED)
		return -EIO;
	for (*taken = 0; *taken < count; (*taken)++) {
		ret = udma_request_check(file->chan, &requests[*taken]);
		if (!ret)
			ret = udma_xfer_queue(file, &requests[*taken]);
		if (ret)
			break;
	}
	return ret;
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
	return flags;
}

/* Tell the program how a transfer ended, and let go of what it held. */
static void udma_xfer_end(struct udma_xfer *xfer)
{
	const struct udma_event event = {
		.type = UDMA_EVENT_TRANSFER,
		.user_data = xfer->user_data,
		.sequence = xfer->sequence,
		.bytes = xfer->moved,
		.status = xfer->held ? -EIO : xfer->status,
		.flags = udma_xfer_flags(xfer),
	};
	struct udma_file *file = xfer->file;
	struct udma_engine *engine = &file->chan->engine;

	lockdep_assert_held(&engine->lock);
	if (xfer->state == UDMA_XFER_ISSUED)
		file->active--;
	udma_deadline_remove(engine, xfer);
	xfer->state = UDMA_XFER_FREE;
	udma_fifo_remove(&file->queue, &xfer->node);
	hlist_add_head(&xfer->node, &file->free);
	/* What comes next may have waited for this one, or for a fence that it was. */
	if (udma_fifo_empty(&file->queue))
		udma_engine_remove(engine, file);
	else
		udma_engine_add(engine, file);
	if (!file->closed)
		udma_events_post(&file->events, &event);
	/* Last: the buffers are what keeps the file. */
	if (xfer->src)
		udma_buffer_put(xfer->src);
	udma_buffer_put(xfer->dst);
}

/* End a transfer when hardware has nothing of it and will be given no more. */
static void udma_xfer_settle(struct udma_xfer *xfer)
{
	if (xfer->slots)
		return;
	if (xfer->status || xfer->cut || xfer->cursor == xfer->bytes)
		udma_xfer_end(xfer);
}

/* Give hardware no more of a transfer. */
static void udma_xfer_stop(struct udma_xfer *xfer)
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
	} else if (moved < bytes && exact) {
		xfer->cut = true;
		udma_xfer_stop(xfer);
	}
	udma_xfer_settle(xfer);
}

/* End a transfer as soon as hardware lets go of it: at once, if it has none. */
void udma_xfer_abort(struct udma_xfer *xfer, int status)
{
	lockdep_assert_held(&xfer->file->chan->engine.lock);
	udma_xfer_fail(xfer, status);
	udma_xfer_settle(xfer);
}

/* Abort all transfers of a file that hardware has not been given whole. */
void udma_xfer_abort_file(struct udma_file *file, int status)
{
	struct udma_xfer *xfer;

	lockdep_assert_held(&file->chan->engine.lock);
	while ((xfer = udma_fifo_first(&file->queue, struct udma_xfer, node)))
		udma_xfer_abort(xfer, status);
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
	struct udma_xfer *xfer;

	guard(spinlock_irq)(&engine->lock);
	for (xfer = file->xfers; xfer < file->xfers + UDMA_EVENT_SLOTS; xfer++) {
		if (!udma_xfer_is_under_way(xfer, sequence))
			continue;
		udma_xfer_count_cancel(xfer);
		udma_xfer_abort(xfer, -ECANCELED);
		udma_engine_kick(engine);
		return 1;
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
	for (xfer = file->xfers; xfer < file->xfers + UDMA_EVENT_SLOTS; xfer++) {
		if (xfer->state == UDMA_XFER_FREE)
			continue;
		udma_xfer_count_cancel(xfer);
		found++;
	}
	/* Those that end at once do so in order. */
	udma_xfer_abort_file(file, -ECANCELED);
	for (xfer = file->xfers; xfer < file->xfers + UDMA_EVENT_SLOTS; xfer++)
		if (xfer->state != UDMA_XFER_FREE)
			udma_xfer_abort(xfer, -ECANCELED);
	udma_engine_kick(engine);
	return found;
}
