// SPDX-License-Identifier: GPL-2.0
/*
 * Submitting: requests are read, and become transfers if they can be, which go straight to
 * the engine or to the file's queue.
 */
#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/list.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

#define UDMA_REQUEST_FLAGS (UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE)
#define UDMA_REQUEST_LISTS (UDMA_REQUEST_F_DST_RANGES | UDMA_REQUEST_F_SRC_RANGES)

/* A request has lists, which cannot be copied under the lock. */
#define UDMA_REQUEST_IS_LIST (-MAX_ERRNO)

/* Copy a request that the program may write to all the time: each word is read once. */
static __always_inline struct udma_request
udma_submit_read(const struct udma_request *from, u32 flags)
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
static bool udma_submit_overlaps(u64 a, u64 b, u64 bytes)
{
	return a < b + bytes && b < a + bytes;
}

/* What is not a source may not look like one. */
static bool udma_submit_has_source(const struct udma_request *request)
{
	return request->src_handle || request->src_offset;
}

/* What can be said of a request without its buffers. */
static inline int udma_submit_check(const struct udma_chan *chan,
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
		if (request->fill > U8_MAX || udma_submit_has_source(request) ||
		    ranges & (info->out_fill_align - 1))
			return -EINVAL;
	}
	return request->bytes ? 0 : -EINVAL;
}

/* Find the buffers of a request, whose handles and ranges must be right. */
static inline int udma_submit_resolve(struct udma_file *file, const struct udma_request *request,
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
	    udma_submit_overlaps(request->dst_offset, request->src_offset, request->bytes))
		return -EINVAL;
	return 0;
}

/* Make a transfer of a request, but for its state. */
static __always_inline struct udma_xfer *udma_submit_make(struct udma_file *file,
							  const struct udma_request *request)
{
	struct udma_buffer *dst, *src;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&file->chan->engine.lock);
	ret = udma_submit_check(file->chan, request);
	if (!ret)
		ret = udma_submit_resolve(file, request, &dst, &src);
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
static struct udma_xfer *udma_submit_make_other(struct udma_file *file,
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

/* See udma_submit_take(). By itself, or all requests would be copied to memory. */
static noinline struct udma_xfer *udma_submit_take_other(struct udma_file *file,
							 const struct udma_request *from, u32 flags)
{
	struct udma_request request = udma_submit_read(from, flags);

	if (request.flags & UDMA_REQUEST_LISTS)
		return ERR_PTR(UDMA_REQUEST_IS_LIST);
	/* It has flags that there are not, or the program has changed it meanwhile. */
	if (request.op <= UDMA_OP_FILL)
		return ERR_PTR(-EINVAL);
	return udma_submit_make_other(file, &request, NULL);
}

/* The same of one that the program may write to all the time. */
static __always_inline struct udma_xfer *
udma_submit_take(struct udma_file *file, const struct udma_request *from, u32 flags)
{
	struct udma_request request = udma_submit_read(from, flags);

	if (unlikely(request.flags & ~UDMA_REQUEST_FLAGS || request.op > UDMA_OP_FILL))
		return udma_submit_take_other(file, from, flags);
	/* The op is known in each, also to the processor that guesses. */
	if (request.op == UDMA_OP_COPY) {
		request.op = UDMA_OP_COPY;
		return udma_submit_make(file, &request);
	}
	request.op = UDMA_OP_FILL;
	return udma_submit_make(file, &request);
}

/*
 * Whether hardware may be given what @file submits now straight away, for nobody and
 * nothing is before it. If so a batch is begun.
 */
static bool udma_submit_may_pass(struct udma_engine *engine, const struct udma_file *file)
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
static bool udma_submit_pass(struct udma_engine *engine, struct udma_xfer *xfer)
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

/* Make transfers of requests but the first @taken, or of those before one that cannot be. */
static __always_inline int udma_submit_take_all(struct udma_file *file,
						const struct udma_requests *requests,
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
	pass = udma_submit_may_pass(engine, file);
	for (i = before; i < requests->count; i++) {
		xfer = udma_submit_take(file, &requests->ring[place++ & requests->mask],
					requests->flags);
		if (IS_ERR(xfer)) {
			ret = PTR_ERR(xfer);
			break;
		}
		pass = pass && udma_submit_pass(engine, xfer);
		if (!pass)
			udma_xfer_queue(engine, xfer);
	}
	*taken = i;
	if (i != before)
		udma_xfer_claim(engine, file);
	return ret;
}

/* The same of one that has a list, which is there. */
static int udma_submit_take_list(struct udma_file *file, const struct udma_request *request,
				 struct udma_list *list)
{
	struct udma_engine *engine = &file->chan->engine;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = udma_xfer_may_submit(engine, file);
	if (ret)
		return ret;
	xfer = udma_submit_make_other(file, request, list);
	if (IS_ERR(xfer))
		return PTR_ERR(xfer);
	udma_xfer_claim(engine, file);
	udma_xfer_queue(engine, xfer);
	udma_engine_dispatch(engine);
	return 0;
}

/* A request with a list goes by itself: the one after the first @taken. */
static noinline int udma_submit_list(struct udma_file *file,
				     const struct udma_requests *requests,
				     unsigned int *taken)
{
	const u32 place = (requests->first + *taken) & requests->mask;
	struct udma_request request = udma_submit_read(&requests->ring[place], requests->flags);
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
			ret = udma_submit_take_list(file, &request, list);
		udma_list_put(list);
	}
	local_bh_enable();
	*taken += !ret;
	return ret;
}

/* The same, and give them to the engine. */
static __always_inline int udma_submit_some(struct udma_file *file,
					    const struct udma_requests *requests,
					    unsigned int *taken)
{
	struct udma_engine *engine = &file->chan->engine;
	const unsigned int before = *taken;
	int ret;

	local_bh_disable();
	spin_lock_irq(&engine->lock);
	ret = udma_submit_take_all(file, requests, taken);
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
 * udma_submit_all - make transfers of requests, and give them to the engine
 * @file: whose they are; its submit_lock is held
 * @requests: the requests
 * @taken: how many became transfers, from the front
 *
 * Not inside udma_chan_enter(): unbind sets engine->stopped, waits for the dispatcher, and
 * ends all that was submitted before.
 *
 * Return: zero, or why the first one not taken was not.
 */
int udma_submit_all(struct udma_file *file, const struct udma_requests *requests,
		    unsigned int *taken)
{
	int ret;

	lockdep_assert_held(&file->submit_lock);
	*taken = 0;
	do {
		ret = udma_submit_some(file, requests, taken);
		if (likely(ret != UDMA_REQUEST_IS_LIST))
			return ret;
		ret = udma_submit_list(file, requests, taken);
	} while (!ret && *taken < requests->count);
	return ret;
}
