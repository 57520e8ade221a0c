// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A queue in memory that the kernel sees, too: UDMA_QUEUE_SETUP and UDMA_ENTER.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

/*
 * Without a timeout the kernel would go on with the wait after a handler that was
 * set with SA_RESTART. Nobody could be told to stop then.
 */
static uint64_t to_kernel(int64_t timeout_ns)
{
	return timeout_ns < 0 ? INT64_MAX : timeout_ns;
}

/* The kernel may write to entries from here on that were taken. */
static void publish_head(struct udma_queue *queue)
{
	__atomic_store_n(&queue->shared->complete_head, queue->complete_head, __ATOMIC_RELEASE);
}

static int enter_once(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	struct udma_enter enter = {
		.size = sizeof(enter),
		.submit = udma_queue_added(queue),
		.complete = complete,
		.timeout_ns = complete ? to_kernel(timeout_ns) : 0,
	};
	struct udma_channel *channel = queue->channel;
	int taken;

	publish_head(queue);
	__atomic_store_n(&queue->shared->submit_tail, queue->submit_tail, __ATOMIC_RELEASE);
	taken = ioctl(channel->fd, UDMA_ENTER, &enter);
	if (taken > 0) {
		queue->submit_head += taken;
		channel->last_sequence += taken;
	}
	return taken;
}

/* A signal is none of a submission's business, but ends a wait. */
static int enter(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	int total = 0, taken;

	if (complete)
		return enter_once(queue, complete, timeout_ns);
	while (udma_queue_added(queue)) {
		taken = enter_once(queue, 0, 0);
		if (taken > 0)
			total += taken;
		else if (taken == 0 || errno != EINTR)
			return total ? total : taken;
	}
	return total;
}

/* The last event is there before the kernel says that it was the last. */
static uint32_t count_ready(const struct udma_queue *queue)
{
	const struct udma_queue_shared *shared = queue->shared;
	uint32_t tail = __atomic_load_n(&shared->complete_tail, __ATOMIC_ACQUIRE);

	return tail - queue->complete_head;
}

static bool is_closed(const struct udma_queue *queue)
{
	return __atomic_load_n(&queue->shared->state, __ATOMIC_ACQUIRE) & UDMA_QUEUE_S_CLOSED;
}

static int look(struct udma_queue *queue)
{
	uint32_t ready;

	publish_head(queue);
	ready = count_ready(queue);
	if (!ready && is_closed(queue)) {
		ready = count_ready(queue);
		if (!ready) {
			errno = ENODEV;
			return -1;
		}
	}
	/* Somebody else has written here, such as a child. */
	if (ready > udma_queue_submitted(queue)) {
		errno = EPROTO;
		return -1;
	}
	queue->complete_tail = queue->complete_head + ready;
	return ready;
}

static const struct udma_queue_ops ops = {
	.enter = enter,
	.look = look,
};

static int set_up(struct udma_channel *channel, uint32_t entries)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = entries,
		.complete_entries = entries,
		.request_bytes = sizeof(struct udma_request),
	};

	if (udma_channel_ioctl(channel, UDMA_QUEUE_SETUP, &setup) < 0)
		return -1;
	channel->rings.setup = setup;
	return 0;
}

static int map(struct udma_channel *channel)
{
	const struct udma_queue_setup *setup = &channel->rings.setup;
	void *mapping;

	if (setup->out_map_bytes > SIZE_MAX) {
		errno = ENOMEM;
		return -1;
	}
	mapping = mmap(NULL, setup->out_map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       channel->fd, setup->out_mmap_offset);
	if (mapping == MAP_FAILED)
		return -1;
	channel->rings.shared = mapping;
	return 0;
}

void udma_rings_unmap(struct udma_rings *rings)
{
	if (rings->shared)
		munmap(rings->shared, rings->setup.out_map_bytes);
	rings->shared = NULL;
}

/* Nothing is under way and no event left, so head and tail are the same. */
int udma_queue_init_mapped(struct udma_queue *queue, uint32_t entries)
{
	struct udma_rings *rings = &queue->channel->rings;
	char *mapping;

	if (!rings->setup.submit_entries && set_up(queue->channel, entries) < 0)
		return -1;
	if (!rings->shared && map(queue->channel) < 0)
		return -1;
	mapping = (char *)rings->shared;
	queue->shared = rings->shared;
	/* Of rings that were there before the kernel was not asked. */
	if (is_closed(queue)) {
		errno = ENODEV;
		return -1;
	}
	queue->requests = (void *)(mapping + rings->setup.out_submit_offset);
	queue->completions = (void *)(mapping + rings->setup.out_complete_offset);
	queue->mask = rings->setup.submit_entries - 1;
	queue->submit_head = __atomic_load_n(&queue->shared->submit_head, __ATOMIC_ACQUIRE);
	queue->submit_tail = queue->submit_head;
	queue->complete_tail = __atomic_load_n(&queue->shared->complete_tail, __ATOMIC_ACQUIRE);
	queue->complete_head = queue->complete_tail;
	queue->ops = &ops;
	return 0;
}
