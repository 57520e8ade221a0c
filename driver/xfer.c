// SPDX-License-Identifier: GPL-2.0
/*
 * One transfer: what a request must be to become one, its cursor over the
 * slices that hardware gets, and its states. QUEUED -> ISSUED -> its event.
 */
#include <linux/bottom_half.h>
#include <linux/dmaengine.h>
#include <linux/list.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

/* Transfers that a cancel looks at with interrupts off. */
#define UDMA_CANCEL_LOOKS	256

#define UDMA_REQUEST_FLAGS	(UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE)
#define UDMA_REQUEST_LISTS	(UDMA_REQUEST_F_DST_RANGES | UDMA_REQUEST_F_SRC_RANGES)

/* A request has lists, which cannot be copied under the lock. */
#define UDMA_REQUEST_IS_LIST	(-MAX_ERRNO)

/* Copy a request that the program may write to all the time: each word is read once. */
static __always_inline struct udma_request
udma_request_read(const struct udma_request *from, u32 flags)
{
	return (struct udma_request){
		.op = READ_ONCE(from->op),
		.flags = READ_ONCE(from->flags) | flags,
		.user_data = READ_ONCE(from->user_data),
		.dst_handle = READ_ONCE(from->dst_handle),
		.src_handle = READ_ONCE(from->src_handle),
		.dst_offset = READ_ONCE(from->dst_offset),
		.src_offset = READ_ONCE(from->src_offset),
		.bytes = READ_ONCE(from->bytes),
		.fill = READ_ONCE(from->fill),
		.src_stride = READ_ONCE(from->src_stride),
		.timeout_ns = READ_ONCE(from->timeout_ns),
	};
}

/* For ranges that are known to be within their buffer. */
static bool udma_ranges_overlap(u64 a, u64 b, u64 bytes)
{
	return a < b + bytes && b < a + bytes;
}

/* What is not a source may not look like one. */
static bool udma_request_has_source(const struct udma_request *request)
{
	return request->src_handle || request->src_offset;
}

/* What can be said of a request without its buffers. */
static inline int udma_request_check(const struct udma_chan *chan,
				     const struct udma_request *request)
{
	u64 ranges = request->dst_offset | request->src_offset | request->bytes;
	const struct udma_info *info = &chan->info;

	if (request->src_stride)
		return -EINVAL;
	if (request->op == UDMA_OP_COPY) {
		if (!(info->out_capabilities & UDMA_CAP_COPY))
			return -EOPNOTSUPP;
		if (request->fill || ranges & (info->out_copy_align - 1))
			return -EINVAL;
	} else {
		if (!(info->out_capabilities & UDMA_CAP_FILL))
			return -EOPNOTSUPP;
		if (request->fill > U8_MAX || udma_request_has_source(request) ||
		    ranges & (info->out_fill_align - 1))
			return -EINVAL;
	}
	return request->bytes ? 0 : -EINVAL;
}

/* Find the buffers of a request, whose handles and ranges must be right. */
static inline int udma_request_resolve(struct udma_file *file, const struct udma_request *request,
				       struct udma_buffer **dst, struct udma_buffer **src)
{
	*src = NULL;
	*dst = udma_buffer_find(file, request->dst_handle);
	if (!*dst)
		return -ENOENT;
	if (request->op != UDMA_OP_COPY)
		return udma_buffer_has(*dst, request->dst_offset, request->bytes) ? 0 : -ERANGE;
	*src = udma_buffer_find(file, request->src_handle);
	if (!*src)
		return -ENOENT;
	if (!udma_buffer_has(*dst, request->dst_offset, request->bytes) ||
	    !udma_buffer_has(*src, request->src_offset, request->bytes))
		return -ERANGE;
	if (*dst == *src &&
	    udma_ranges_overlap(request->dst_offset, request->src_offset, request->bytes))
		return -EINVAL;
	return 0;
}

/* A transfer that is not in use, if @file may have one more. */
inline struct udma_xfer *udma_xfer_get(struct udma_file *file)
{
	struct udma_xfer *xfer = file->free;

	lockdep_assert_held(&file->chan->engine.lock);
	/* Heads come from the program: whatever they say, there are only so many transfers. */
	if (!xfer || !udma_events_reserve(&file->events))
		return NULL;
	/* There is one for each slot of the queue, and this one has a slot. */
	file->free = xfer->next_free;
	return xfer;
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

/* What all transfers have of their requests. */
inline void udma_xfer_set(struct udma_xfer *xfer, const struct udma_request *request)
{
	struct udma_file *file = xfer->file;

	xfer->moved = 0;
	xfer->user_data = request->user_data;
	xfer->sequence = file->sequence++;
	xfer->timeout_ns = request->timeout_ns ?: file->chan->engine.timeout_ns;
	xfer->flags = request->flags;
	xfer->status = 0;
}

/* Make a transfer of a request, but for its state. */
static __always_inline struct udma_xfer *udma_xfer_make(struct udma_file *file,
							const struct udma_request *request)
{
	struct udma_buffer *dst, *src;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&file->chan->engine.lock);
	ret = udma_request_check(file->chan, request);
	if (!ret)
		ret = udma_request_resolve(file, request, &dst, &src);
	if (ret)
		return ERR_PTR(ret);
	xfer = udma_xfer_get(file);
	if (!xfer)
		return ERR_PTR(-EAGAIN);
	xfer->dst = dst;
	xfer->src = src;
	xfer->dst_addr = dst->dma + request->dst_offset;
	xfer->src_addr = src ? src->dma + request->src_offset : 0;
	xfer->bytes = request->bytes;
	xfer->op = request->op;
	xfer->fill = request->fill;
	xfer->trouble = 0;
	udma_xfer_set(xfer, request);
	udma_buffer_get(dst);
	if (src)
		udma_buffer_get(src);
	return xfer;
}

/* The same of one that is more than that, with @list or none. */
static struct udma_xfer *udma_xfer_make_other(struct udma_file *file,
					      const struct udma_request *request,
					      struct udma_list *list)
{
	struct udma_xfer *xfer = udma_xfer_get(file);
	int ret;

	lockdep_assert_held(&file->chan->engine.lock);
	if (!xfer)
		return ERR_PTR(-EAGAIN);
	ret = udma_request_make(file, request, list, xfer);
	if (ret) {
		udma_xfer_unget(xfer);
		return ERR_PTR(ret);
	}
	udma_xfer_set(xfer, request);
	/* The list keeps its buffers. */
	if (list)
		list->refs++;
	if (xfer->dst)
		udma_buffer_get(xfer->dst);
	if (xfer->src)
		udma_buffer_get(xfer->src);
	return xfer;
}

/* See udma_xfer_take(). By itself, or all requests would be copied to memory. */
static noinline struct udma_xfer *udma_xfer_take_other(struct udma_file *file,
						       const struct udma_request *from, u32 flags)
{
	struct udma_request request = udma_request_read(from, flags);

	if (request.flags & UDMA_REQUEST_LISTS)
		return ERR_PTR(UDMA_REQUEST_IS_LIST);
	/* It has flags that there are not, or the program has changed it meanwhile. */
	if (request.op <= UDMA_OP_FILL)
		return ERR_PTR(-EINVAL);
	return udma_xfer_make_other(file, &request, NULL);
}

/* The same of one that the program may write to all the time. */
static __always_inline struct udma_xfer *udma_xfer_take(struct udma_file *file,
							const struct udma_request *from, u32 flags)
{
	struct udma_request request = udma_request_read(from, flags);

	if (unlikely(request.flags & ~UDMA_REQUEST_FLAGS || request.op > UDMA_OP_FILL))
		return udma_xfer_take_other(file, from, flags);
	/* The op is known in each, also to the processor that guesses. */
	if (request.op == UDMA_OP_COPY) {
		request.op = UDMA_OP_COPY;
		return udma_xfer_make(file, &request);
	}
	request.op = UDMA_OP_FILL;
	return udma_xfer_make(file, &request);
}

/* A transfer that is not in use, nor is @next. */
void udma_xfer_init(struct udma_xfer *xfer, struct udma_file *file, struct udma_xfer *next)
{
	xfer->file = file;
	RB_CLEAR_NODE(&xfer->deadline.node);
	xfer->next_free = next;
}

/*
 * Whether hardware may be given what @file submits now straight away, for nobody and
 * nothing is before it. If so a batch is begun.
 */
static bool udma_xfer_may_pass(struct udma_engine *engine, const struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (engine->running || engine->nr_replay || engine->alone ||
	    file->strikes >= UDMA_STRIKES || !udma_fifo_empty(&file->queue) ||
	    !udma_fifo_empty(&engine->runnable))
		return false;
	udma_batch_begin(engine, UDMA_WINDOW_SLOTS);
	return true;
}

/* Put a transfer straight into the batch, if it fits in there as a whole. */
static bool udma_xfer_pass(struct udma_engine *engine, struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_xfer_is_plain(xfer) || xfer->bytes > engine->slice_bytes[xfer->op] ||
	    udma_xfer_is_fenced(xfer) ||
	    !udma_batch_has_room(engine, xfer->file))
		return false;
	udma_xfer_begin(engine, xfer);
	udma_batch_add(engine, xfer, 0, xfer->bytes);
	return true;
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
static int udma_xfer_own(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if ((engine->owner && engine->owner != file) || udma_stream_is_in_the_way(engine))
		return -EBUSY;
	return 0;
}

/* @file has submitted something: a device's channel is its own from now on. */
inline void udma_xfer_claim(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (udma_engine_has_device(engine))
		engine->owner = file;
}

/* Whether @file may submit now. */
inline int udma_xfer_may_submit(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		return -ENODEV;
	if (engine->state == UDMA_STATE_FAILED)
		return -EIO;
	return udma_engine_has_device(engine) ? udma_xfer_own(engine, file) : 0;
}

/* Make transfers of requests but the first @taken, or of those before one that cannot be. */
static __always_inline int udma_xfer_take_all(struct udma_file *file, const struct udma_requests *requests,
			      unsigned int *taken)
{
	struct udma_engine *engine = &file->chan->engine;
	const u32 before = *taken;
	u32 i, place = requests->first + before;
	struct udma_xfer *xfer;
	bool pass;
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = udma_xfer_may_submit(engine, file);
	if (ret)
		return ret;
	pass = udma_xfer_may_pass(engine, file);
	for (i = before; i < requests->count; i++) {
		xfer = udma_xfer_take(file, &requests->ring[place++ & requests->mask],
				      requests->flags);
		if (IS_ERR(xfer)) {
			ret = PTR_ERR(xfer);
			break;
		}
		pass = pass && udma_xfer_pass(engine, xfer);
		if (!pass)
			udma_xfer_queue(engine, xfer);
	}
	*taken = i;
	if (i != before)
		udma_xfer_claim(engine, file);
	return ret;
}

/* The same of one that has a list, which is there. */
static int udma_xfer_take_list(struct udma_file *file, const struct udma_request *request,
			       struct udma_list *list)
{
	struct udma_engine *engine = &file->chan->engine;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = udma_xfer_may_submit(engine, file);
	if (ret)
		return ret;
	xfer = udma_xfer_make_other(file, request, list);
	if (IS_ERR(xfer))
		return PTR_ERR(xfer);
	udma_xfer_claim(engine, file);
	udma_xfer_queue(engine, xfer);
	udma_engine_dispatch(engine);
	return 0;
}

/* A request with a list goes by itself: the one after the first @taken. */
static noinline int udma_xfer_submit_list(struct udma_file *file,
					  const struct udma_requests *requests,
					  unsigned int *taken)
{
	const u32 place = (requests->first + *taken) & requests->mask;
	struct udma_request request = udma_request_read(&requests->ring[place], requests->flags);
	struct udma_list *list;
	int ret;

	lockdep_assert_held(&file->submit_lock);
	/* The program has changed it meanwhile. */
	if (!(request.flags & UDMA_REQUEST_LISTS))
		return -EINVAL;
	/* Before so much is done for it. */
	ret = udma_request_check_op(&file->chan->info, &request);
	if (ret)
		return ret;
	list = udma_list_fetch(file, &request);
	if (IS_ERR(list))
		return PTR_ERR(list);
	ret = udma_list_resolve(list, &request);
	local_bh_disable();
	scoped_guard(spinlock_irq, &file->chan->engine.lock) {
		if (!ret)
			ret = udma_xfer_take_list(file, &request, list);
		udma_list_put(list);
	}
	local_bh_enable();
	*taken += !ret;
	return ret;
}

/* The same, and give them to the engine. */
static __always_inline int udma_xfer_submit_some(struct udma_file *file,
					const struct udma_requests *requests, unsigned int *taken)
{
	struct udma_engine *engine = &file->chan->engine;
	const unsigned int before = *taken;
	int ret;

	local_bh_disable();
	spin_lock_irq(&engine->lock);
	ret = udma_xfer_take_all(file, requests, taken);
	if (*taken != before)
		udma_engine_dispatch(engine);
	/* What it waits for may have ended without an interrupt. */
	if (!udma_fifo_empty(&file->queue) && udma_engine_is_quiet(engine))
		udma_engine_look(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
	return ret;
}

/**
 * udma_xfer_submit - make transfers of requests, and give them to the engine
 * @file: whose they are; its submit_lock is held
 * @requests: the requests
 * @taken: how many became transfers, from the front
 *
 * Not inside udma_chan_enter(): unbind sets engine->stopped, waits for the dispatcher, and
 * ends all that was submitted before.
 *
 * Return: zero, or why the first one not taken was not.
 */
int udma_xfer_submit(struct udma_file *file, const struct udma_requests *requests,
		     unsigned int *taken)
{
	int ret;

	lockdep_assert_held(&file->submit_lock);
	*taken = 0;
	do {
		ret = udma_xfer_submit_some(file, requests, taken);
		if (likely(ret != UDMA_REQUEST_IS_LIST))
			return ret;
		ret = udma_xfer_submit_list(file, requests, taken);
	} while (!ret && *taken < requests->count);
	return ret;
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
