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

static inline int enter(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	struct udma_enter enter = {
		.size = sizeof(enter),
		.submit = udma_queue_added(queue),
		.complete = complete,
		.timeout_ns = to_kernel(timeout_ns),
		.busy_ns = queue->busy_ns,
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
static int submit(struct udma_queue *queue)
{
	int total = 0, taken;

	while (udma_queue_added(queue)) {
		taken = enter(queue, 0, 0);
		if (taken > 0)
			total += taken;
		else if (taken == 0 || errno != EINTR)
			return total ? total : taken;
	}
	return total;
}

static bool is_closed(const struct udma_queue *queue)
{
	return __atomic_load_n(&queue->shared->state, __ATOMIC_ACQUIRE) & UDMA_QUEUE_S_CLOSED;
}

/* Whether what has come can be true: somebody else may have written here, such as a child. */
static inline bool see(struct udma_queue *queue)
{
	uint32_t tail = __atomic_load_n(&queue->shared->complete_tail, __ATOMIC_ACQUIRE);

	if (tail - queue->complete_head > udma_queue_submitted(queue))
		return false;
	queue->complete_tail = tail;
	return true;
}

static int look(struct udma_queue *queue)
{
	/* The last event is there before the kernel says that it was the last. */
	const bool closed = is_closed(queue);

	publish_head(queue);
	if (!see(queue)) {
		errno = EPROTO;
		return -1;
	}
	if (closed && !udma_queue_ready(queue)) {
		errno = ENODEV;
		return -1;
	}
	return udma_queue_ready(queue);
}

/* Of a wait that was not to the end the kernel does not say why if it has taken something. */
static UDMA_APART int explain(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns,
			      uint64_t since, int taken)
{
	int error = errno, ready;

	if (udma_queue_added(queue))
		udma_queue_say_no_more(queue);
	if (udma_queue_added(queue) && taken < 0)
		return -1;
	ready = look(queue);
	if (ready < 0 || (uint32_t)ready >= complete || udma_queue_added(queue))
		return ready;
	if (taken >= 0)
		error = udma_time_left(timeout_ns, since) ? EINTR : ETIME;
	errno = error;
	return -1;
}

static ssize_t submit_and_wait(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	const uint64_t since = timeout_ns > 0 ? udma_clock_ns() : 0;
	int taken = enter(queue, complete, timeout_ns);

	if (taken >= 0 && !udma_queue_added(queue) && see(queue) &&
	    udma_queue_ready(queue) >= complete)
		return udma_queue_ready(queue);
	return explain(queue, complete, timeout_ns, since, taken);
}

static const struct udma_queue_ops ops = {
	.submit = submit,
	.wait = submit_and_wait,
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
