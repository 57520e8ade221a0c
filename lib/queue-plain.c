// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A queue in the program's own memory: UDMA_SUBMIT and read().
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

/* As far as the array goes on. */
static int submit_run(struct udma_queue *queue)
{
	const uint32_t first = queue->submit_head & queue->mask;
	const uint32_t most = queue->mask + 1 - first;
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)&queue->requests[first],
		.count = udma_queue_added(queue),
		.request_bytes = sizeof(queue->requests[0]),
	};
	int taken;

	if (submit.count > most)
		submit.count = most;
	taken = udma_channel_ioctl(queue->channel, UDMA_SUBMIT, &submit);
	if (taken > 0) {
		queue->submit_head += taken;
		queue->channel->last_sequence = submit.out_sequence + taken - 1;
	}
	return taken;
}

static int submit(struct udma_queue *queue)
{
	int total = 0, taken;

	while (udma_queue_added(queue)) {
		taken = submit_run(queue);
		if (taken <= 0)
			return total ? total : -1;
		total += taken;
	}
	/* The next ones lie in one run. */
	queue->submit_end -= queue->submit_tail;
	queue->submit_head = 0;
	queue->submit_tail = 0;
	return total;
}

/* One read at most, of as many as lie in one run. */
static int look(struct udma_queue *queue)
{
	uint32_t ready = udma_queue_ready(queue);
	uint32_t first, most;
	ssize_t count;

	if (!ready) {
		queue->complete_head = 0;
		queue->complete_tail = 0;
	}
	first = queue->complete_tail & queue->mask;
	most = queue->mask + 1 - first;
	if (most > queue->mask + 1 - ready)
		most = queue->mask + 1 - ready;
	if (!most)
		return ready;
	count = udma_channel_read_events(queue->channel, &queue->completions[first], most);
	if (count < 0)
		return ready ? (int)ready : -1;
	queue->complete_tail += count;
	return ready + count;
}

static int wait_for(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	const uint64_t since = timeout_ns > 0 ? udma_clock_ns() : 0;
	int64_t left = timeout_ns;
	int ready, ret;

	while ((ready = look(queue)) >= 0 && (uint32_t)ready < complete) {
		if (timeout_ns > 0)
			left = udma_time_left(timeout_ns, since);
		ret = left ? udma_channel_wait(queue->channel, left) : 0;
		if (ret < 0)
			return -1;
		if (!ret) {
			errno = ETIME;
			return -1;
		}
	}
	return ready;
}

static ssize_t submit_and_wait(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	int taken = submit(queue);

	if (!udma_queue_added(queue))
		return wait_for(queue, complete, timeout_ns);
	udma_queue_say_no_more(queue);
	return taken < 0 ? -1 : look(queue);
}

static const struct udma_queue_ops ops = {
	.submit = submit,
	.wait = submit_and_wait,
	.look = look,
};

/* So many the kernel takes of a file that has no rings. */
static int check_entries(const struct udma_channel *channel, uint32_t entries)
{
	struct udma_info info = { .size = sizeof(info) };

	if (udma_channel_ioctl(channel, UDMA_INFO, &info) < 0)
		return -1;
	if (entries > info.out_max_transfers) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int udma_queue_init_plain(struct udma_queue *queue, uint32_t entries)
{
	if (check_entries(queue->channel, entries) < 0)
		return -1;
	queue->memory = calloc(entries, sizeof(*queue->requests) + sizeof(*queue->completions));
	if (!queue->memory)
		return -1;
	queue->requests = queue->memory;
	queue->completions = (void *)(queue->requests + entries);
	queue->mask = entries - 1;
	queue->ops = &ops;
	return 0;
}
