// SPDX-License-Identifier: GPL-2.0
/*
 * The ranges of a transfer that reads from or writes to several. They are copied from
 * the program once, outside of all locks but the submitter's; what they name is found
 * when the transfer is taken.
 */
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hot.h"
#include "udma.h"

/* Ranges that are copied in one go. */
#define UDMA_LIST_BATCH		16
/* Ranges that are looked at with interrupts off. */
#define UDMA_LIST_LOOKS		128

/*
 * As long as a segment is not resolved: its handle is in @addr, its offset in @at. A request
 * without a list on this side is one range.
 */
static void udma_segment_plan(struct udma_segment *segment, u32 handle, u64 offset, u64 bytes)
{
	segment->addr = handle;
	segment->at = offset;
	segment->bytes = bytes;
}

/* Copy @count ranges of the program. */
static int udma_list_copy(struct udma_segment *segments, u64 from, u32 count)
{
	const struct udma_range __user *user = u64_to_user_ptr(from);
	struct udma_range ranges[UDMA_LIST_BATCH];
	u32 done, batch, i;

	for (done = 0; done < count; done += batch) {
		batch = min_t(u32, count - done, UDMA_LIST_BATCH);
		if (copy_from_user(ranges, user + done, batch * sizeof(*ranges)))
			return -EFAULT;
		for (i = 0; i < batch; i++) {
			if (ranges[i].__reserved || !ranges[i].bytes)
				return -EINVAL;
			udma_segment_plan(&segments[done + i], ranges[i].handle,
					  ranges[i].offset, ranges[i].bytes);
		}
	}
	return 0;
}

/* Copy what one side of a request says. */
static int udma_list_plan(struct udma_segment *segments, u32 count, bool ranges, u32 handle,
			  u64 offset, u64 bytes)
{
	if (ranges)
		return udma_list_copy(segments, offset, count);
	if (count)
		udma_segment_plan(segments, handle, offset, bytes);
	return 0;
}

/* How many ranges a side of a request has: those of a list, one, or none for this op. */
static u32 udma_list_count(const struct udma_request *request, u32 flag, u32 count, u32 none)
{
	if (request->flags & flag)
		return count;
	return request->op == none ? 0 : 1;
}

/**
 * udma_list_fetch - copy the ranges of a request from the program
 * @file: whose
 * @request: the kernel's copy of the request
 *
 * Return: a list with one reference, which udma_list_resolve() makes usable; or an error
 * pointer.
 */
struct udma_list *udma_list_fetch(struct udma_file *file, const struct udma_request *request)
{
	u32 dst = udma_list_count(request, UDMA_REQUEST_F_DST_RANGES, request->dst_count,
				  UDMA_OP_MEM_TO_DEV);
	u32 src = udma_list_count(request, UDMA_REQUEST_F_SRC_RANGES, request->src_count,
				  request->op == UDMA_OP_FILL ? UDMA_OP_FILL : UDMA_OP_DEV_TO_MEM);
	struct udma_list *list;
	int ret;

	if (!(dst + src) || dst > UDMA_LIST_RANGES || src > UDMA_LIST_RANGES ||
	    (request->flags & UDMA_REQUEST_F_DST_RANGES && !dst) ||
	    (request->flags & UDMA_REQUEST_F_SRC_RANGES && !src))
		return ERR_PTR(-EINVAL);
	list = kvzalloc(struct_size(list, segments, dst + src), GFP_KERNEL_ACCOUNT);
	if (!list)
		return ERR_PTR(-ENOMEM);
	list->file = file;
	list->dst_count = dst;
	list->src_count = src;
	ret = udma_list_plan(list->segments, dst, request->flags & UDMA_REQUEST_F_DST_RANGES,
			     request->dst_handle, request->dst_offset, request->bytes);
	if (!ret)
		ret = udma_list_plan(list->segments + dst, src,
				     request->flags & UDMA_REQUEST_F_SRC_RANGES,
				     request->src_handle, request->src_offset, request->bytes);
	if (ret) {
		kvfree(list);
		return ERR_PTR(ret);
	}
	list->refs = 1;
	return list;
}

/* Find what a segment names, and keep it. */
static int udma_segment_find(struct udma_file *file, const struct udma_request *request,
			     struct udma_segment *segment)
{
	struct udma_buffer *buffer = udma_buffer_find(file, (u32)segment->addr);
	u64 offset = segment->at;

	if (!buffer)
		return -ENOENT;
	if (!udma_buffer_has(buffer, offset, segment->bytes))
		return -ERANGE;
	if (!udma_request_is_aligned(&file->chan->info, request, offset, segment->bytes))
		return -EINVAL;
	udma_buffer_get(buffer);
	segment->buffer = buffer;
	segment->addr = buffer->dma + offset;
	return 0;
}

/* Find what the next segments name. */
static int udma_list_find_some(struct udma_list *list, const struct udma_request *request)
{
	unsigned int end = min(list->found + UDMA_LIST_LOOKS, list->dst_count + list->src_count);
	int ret;

	guard(spinlock_irq)(&list->file->chan->engine.lock);
	for (; list->found < end; list->found++) {
		ret = udma_segment_find(list->file, request, &list->segments[list->found]);
		if (ret)
			return ret;
		list->file->ranges++;
	}
	return 0;
}

/* Where in the transfer each segment of a side begins. They have to add up. */
static bool udma_segments_add_up(struct udma_segment *segments, u32 count, u64 bytes)
{
	u64 at = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		segments[i].at = at;
		/* No sum of so many that are within buffers can overflow. */
		at += segments[i].bytes;
	}
	return !count || at == bytes;
}

/**
 * udma_list_resolve - find the buffers of a list and keep them
 * @list: the list
 * @request: whose it is
 *
 * In process context, without the engine's lock, which is not held for long. Whether it
 * succeeds or not, udma_list_put() is what comes after it.
 *
 * Return: zero or a negative errno.
 */
int udma_list_resolve(struct udma_list *list, const struct udma_request *request)
{
	unsigned int count = list->dst_count + list->src_count;
	int ret;

	lockdep_assert_held(&list->file->submit_lock);
	/* Only who has the submit_lock adds to them. */
	if (READ_ONCE(list->file->ranges) + count > UDMA_FILE_RANGES)
		return -EDQUOT;
	while (list->found < count) {
		ret = udma_list_find_some(list, request);
		if (ret)
			return ret;
		cond_resched();
	}
	if (!udma_segments_add_up(list->segments, list->dst_count, request->bytes) ||
	    !udma_segments_add_up(list->segments + list->dst_count, list->src_count,
				  request->bytes))
		return -EINVAL;
	return 0;
}

/*
 * Let go of a list, from anywhere. Its buffers, which keep the file, are let go of where that may
 * take its time.
 */
void udma_list_put(struct udma_list *list)
{
	struct udma_chan *chan = list->file->chan;

	lockdep_assert_held(&chan->engine.lock);
	if (--list->refs)
		return;
	list->file->ranges -= list->found;
	list->next = chan->dead_lists;
	chan->dead_lists = list;
	udma_chan_reap(chan);
}

/* Let go of some buffers of a list, the last first. The last of them may be what keeps the file. */
static void udma_list_drop_some(struct udma_chan *chan, struct udma_list *list)
{
	unsigned int i;

	guard(spinlock_irq)(&chan->engine.lock);
	for (i = 0; i < UDMA_LIST_LOOKS && list->found; i++)
		udma_buffer_put(list->segments[--list->found].buffer);
}

/* Free the lists that nobody uses any more. Buffers may die of it. */
void udma_lists_reap(struct udma_chan *chan)
{
	struct udma_list *list, *next;

	scoped_guard(spinlock_irq, &chan->engine.lock) {
		list = chan->dead_lists;
		chan->dead_lists = NULL;
	}
	for (; list; list = next) {
		next = list->next;
		while (list->found)
			udma_list_drop_some(chan, list);
		kvfree(list);
	}
}

/* The segment in which @at is. */
static const struct udma_segment *udma_segments_find(const struct udma_segment *segments,
						     u32 count, u64 at)
{
	u32 low = 0, high = count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (segments[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return &segments[low];
}

/* Where the byte @at of a transfer is written to, and what follows it. */
const struct udma_segment *udma_list_dst(const struct udma_list *list, u64 at)
{
	return udma_segments_find(list->segments, list->dst_count, at);
}

/* The same for where it is read from. */
const struct udma_segment *udma_list_src(const struct udma_list *list, u64 at)
{
	return udma_segments_find(list->segments + list->dst_count, list->src_count, at);
}
