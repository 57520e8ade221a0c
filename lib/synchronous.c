// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One call, one transfer.
 */
#include <errno.h>

#include "internal.h"

/*
 * To return before the completion would leave the controller at work on the
 * caller's buffers. Nor does a signal have it cancelled: only the program knows
 * which of its signals are to end something. Where one is, its handler cancels,
 * and the completion comes.
 */
static int wait_for_one(struct udma_channel *channel, struct udma_completion *completion)
{
	ssize_t count;

	while (!(count = udma_channel_read_events(channel, completion, 1))) {
		if (udma_channel_wait(channel, -1) < 0 && errno != EINTR)
			return -1;
	}
	if (count < 0)
		return -1;
	channel->pending--;
	return 0;
}

static int run_alone(struct udma_channel *channel, const struct udma_transfer *transfer,
		     struct udma_completion *completion)
{
	if (udma_channel_submit_one(channel, transfer) < 0)
		return -1;
	return wait_for_one(channel, completion);
}

/* Where there is a queue, completions come from nowhere else. */
static int run_in_queue(struct udma_queue *queue, const struct udma_transfer *transfer,
			struct udma_completion *completion)
{
	const struct udma_completion *next;

	if (udma_queue_add(queue, transfer) < 0)
		return -1;
	while (udma_queue_wait(queue, 1, -1) < 0) {
		if (errno == EINTR)
			continue;
		if (udma_queue_added(queue))
			udma_queue_drop(queue);
		return -1;
	}
	next = udma_queue_next(queue);
	if (!next)
		return -1;
	*completion = *next;
	return 0;
}

static bool is_idle(const struct udma_channel *channel)
{
	return !channel->pending && (!channel->queue || !udma_queue_used(channel->queue));
}

static int run(struct udma_channel *channel, const struct udma_transfer *transfer,
	       struct udma_completion *completion)
{
	int error;

	if (!is_idle(channel)) {
		errno = EBUSY;
		return -1;
	}
	if ((channel->queue ? run_in_queue(channel->queue, transfer, completion) :
			      run_alone(channel, transfer, completion)) < 0)
		return -1;
	error = udma_completion_get_error(completion);
	if (error) {
		errno = error;
		return -1;
	}
	return 0;
}

/* All or nothing is what a caller without a completion can make sense of. */
static int run_whole(struct udma_channel *channel, const struct udma_transfer *transfer)
{
	struct udma_completion completion;

	if (run(channel, transfer, &completion) < 0)
		return -1;
	if (udma_completion_is_short(&completion)) {
		errno = EIO;
		return -1;
	}
	return 0;
}

UDMA_EXPORT int udma_channel_copy(struct udma_channel *channel, const struct udma_buffer *dst,
				  size_t dst_offset, const struct udma_buffer *src,
				  size_t src_offset, size_t bytes)
{
	struct udma_transfer transfer = {};

	udma_transfer_set_copy(&transfer, dst, dst_offset, src, src_offset, bytes);
	return run_whole(channel, &transfer);
}

UDMA_EXPORT int udma_channel_fill(struct udma_channel *channel, const struct udma_buffer *dst,
				  size_t dst_offset, size_t bytes, uint8_t value)
{
	struct udma_transfer transfer = {};

	udma_transfer_set_fill(&transfer, dst, dst_offset, bytes, value);
	return run_whole(channel, &transfer);
}

UDMA_EXPORT int udma_channel_send(struct udma_channel *channel, const struct udma_buffer *src,
				  size_t offset, size_t bytes)
{
	struct udma_transfer transfer = {};

	udma_transfer_set_send(&transfer, src, offset, bytes);
	return run_whole(channel, &transfer);
}

UDMA_EXPORT int udma_channel_receive(struct udma_channel *channel, const struct udma_buffer *dst,
				     size_t offset, size_t bytes, size_t *received)
{
	struct udma_completion completion = {};
	struct udma_transfer transfer = {};
	int ret;

	udma_transfer_set_receive(&transfer, dst, offset, bytes);
	ret = run(channel, &transfer, &completion);
	*received = completion.event.bytes;
	return ret;
}
