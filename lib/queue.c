// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A queue: what is the same with and without a mapping. Both kinds have arrays of
 * requests and completions; whose they are is all that udma_queue_add() and
 * udma_queue_next() would have to know, and they do not.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define NSEC_PER_SEC		1000000000ULL
#define MOST_ENTRIES		(UINT32_MAX / 2 + 1)

/* What is written to a cache line at once is not to begin in the middle of one. */
static_assert(sizeof(struct udma_request) == 64, "a cache line");
static_assert(sizeof(struct udma_completion) == 64, "as it lies in the queue");

uint64_t udma_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* What is left of a time; negative is for ever. */
int64_t udma_time_left(int64_t timeout_ns, uint64_t since)
{
	uint64_t passed;

	if (timeout_ns <= 0)
		return timeout_ns;
	passed = udma_clock_ns() - since;
	return passed < (uint64_t)timeout_ns ? timeout_ns - (int64_t)passed : 0;
}

/* What is left of a queue whose channel was closed */

static int reach_nothing(struct udma_queue *queue)
{
	(void)queue;
	errno = ENODEV;
	return -1;
}

static ssize_t wait_for_nothing(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns)
{
	(void)complete;
	(void)timeout_ns;
	return reach_nothing(queue);
}

static const struct udma_queue_ops closed_ops = {
	.submit = reach_nothing,
	.wait = wait_for_nothing,
	.look = reach_nothing,
};

void udma_queue_orphan(struct udma_queue *queue)
{
	queue->ops = &closed_ops;
	queue->depth = 0;
	queue->submit_tail = queue->submit_head;
	queue->submit_end = queue->submit_head;
	queue->complete_tail = queue->complete_head;
	queue->shared = NULL;
	queue->channel->queue = NULL;
	queue->channel = NULL;
}

static int init(struct udma_queue *queue, struct udma_channel *channel, uint32_t entries,
		unsigned int flags)
{
	const uint32_t most = channel->rings.setup.complete_entries;
	int ret;

	queue->channel = channel;
	queue->channel_id = channel->id;
	queue->depth = entries;
	/* Once there are rings, what they hold is the limit, for both kinds. */
	if (most && entries > most) {
		errno = EBUSY;
		return -1;
	}
	ret = flags & UDMA_QUEUE_MAPPED ? udma_queue_init_mapped(queue, entries) :
					  udma_queue_init_plain(queue, entries);
	if (ret < 0)
		return -1;
	queue->submit_end = queue->submit_tail + entries;
	return 0;
}

static uint32_t round_up(size_t depth)
{
	uint32_t entries = 1;

	while (entries < depth)
		entries *= 2;
	return entries;
}

UDMA_EXPORT struct udma_queue *udma_queue_new(struct udma_channel *channel, size_t depth,
					      unsigned int flags)
{
	struct udma_queue *queue;
	int saved;

	if (!depth || depth > MOST_ENTRIES || flags & ~UDMA_QUEUE_MAPPED) {
		errno = EINVAL;
		return NULL;
	}
	if (channel->queue || channel->pending) {
		errno = EBUSY;
		return NULL;
	}
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	if (init(queue, channel, round_up(depth), flags) < 0) {
		saved = errno;
		free(queue);
		errno = saved;
		return NULL;
	}
	channel->queue = queue;
	return queue;
}

/* What is under way goes on, and udma_channel_read() will tell of it. */
static void hand_back(struct udma_queue *queue)
{
	struct udma_channel *channel = queue->channel;

	while (queue->ops->look(queue) > 0) {
		queue->submit_end += udma_queue_ready(queue);
		queue->complete_head = queue->complete_tail;
	}
	channel->pending += udma_queue_submitted(queue);
}

UDMA_EXPORT void udma_queue_free(struct udma_queue *queue)
{
	int saved = errno;

	if (!queue)
		return;
	if (queue->channel) {
		/* A child shares the open device: completions are the parent's. */
		if (getpid() == queue->channel->owner)
			hand_back(queue);
		queue->channel->queue = NULL;
	}
	free(queue->memory);
	free(queue);
	errno = saved;
}

UDMA_EXPORT size_t udma_queue_get_depth(const struct udma_queue *queue)
{
	return queue->depth;
}

UDMA_EXPORT size_t udma_queue_get_room(const struct udma_queue *queue)
{
	return udma_queue_room(queue);
}

UDMA_EXPORT size_t udma_queue_get_pending(const struct udma_queue *queue)
{
	return udma_queue_used(queue);
}

UDMA_EXPORT void udma_queue_set_busy_ns(struct udma_queue *queue, uint64_t busy_ns)
{
	queue->busy_ns = busy_ns;
}

static int refuse(const struct udma_queue *queue, const struct udma_transfer *transfer)
{
	if (!queue->channel)
		errno = ENODEV;
	else if (!udma_channel_check(queue->channel, transfer))
		errno = EAGAIN;
	return -1;
}

UDMA_EXPORT int udma_queue_add(struct udma_queue *queue, const struct udma_transfer *transfer)
{
	if (!udma_queue_room(queue) || transfer->channel_id != queue->channel_id)
		return refuse(queue, transfer);
	queue->requests[queue->submit_tail++ & queue->mask] = transfer->request;
	return 0;
}

UDMA_EXPORT ssize_t udma_queue_submit(struct udma_queue *queue)
{
	if (!udma_queue_added(queue))
		return 0;
	return queue->ops->submit(queue);
}

/* The kernel's count cannot be moved, so what is behind moves up. */
UDMA_EXPORT int udma_queue_drop(struct udma_queue *queue)
{
	uint32_t i;

	if (!udma_queue_added(queue)) {
		errno = ENOENT;
		return -1;
	}
	queue->submit_tail--;
	for (i = queue->submit_head; i != queue->submit_tail; i++)
		queue->requests[i & queue->mask] = queue->requests[(i + 1) & queue->mask];
	return 0;
}

static void say_more(struct udma_request *request, uint32_t count)
{
	for (; count; count--)
		(request++)->flags |= UDMA_REQUEST_F_MORE;
}

/*
 * Of those that come before the one which ends a wait nobody has to hear at once, so
 * the controller may interrupt once for all.
 */
static UDMA_APART void say_more_of(struct udma_queue *queue, uint32_t count)
{
	const uint32_t first = queue->submit_head & queue->mask;
	const uint32_t most = queue->mask + 1 - first;

	say_more(&queue->requests[first], count < most ? count : most);
	if (count > most)
		say_more(queue->requests, count - most);
}

/* Those that were refused may be submitted by other means, with nobody waiting. */
void udma_queue_say_no_more(struct udma_queue *queue)
{
	uint32_t i;

	for (i = queue->submit_head; i != queue->submit_tail; i++)
		queue->requests[i & queue->mask].flags &= ~UDMA_REQUEST_F_MORE;
}

/* Whether there are so many; if not, another look. */
static int look_for(struct udma_queue *queue, uint32_t count)
{
	uint32_t ready = udma_queue_ready(queue);

	return count && ready >= count ? (int)ready : queue->ops->look(queue);
}

/* Not both together. */
static UDMA_APART ssize_t submit_or_wait(struct udma_queue *queue, uint32_t count,
					 int64_t timeout_ns)
{
	int ready;

	if (udma_queue_added(queue) && queue->ops->submit(queue) < 0)
		return -1;
	ready = look_for(queue, count);
	if (ready < 0 || (uint32_t)ready >= count || udma_queue_added(queue))
		return ready;
	/* What need not interrupt is told to who asks: zero would be without an end. */
	if (timeout_ns || queue->busy_ns)
		return queue->ops->wait(queue, count, timeout_ns ? timeout_ns : 1);
	errno = ETIME;
	return -1;
}

UDMA_EXPORT ssize_t udma_queue_wait(struct udma_queue *queue, size_t count, int64_t timeout_ns)
{
	const uint32_t submitted = udma_queue_submitted(queue);

	if (count > udma_queue_used(queue))
		count = udma_queue_used(queue);
	if (!count || !timeout_ns || !udma_queue_added(queue))
		return submit_or_wait(queue, count, timeout_ns);
	if (count > submitted + 1)
		say_more_of(queue, count - submitted - 1);
	return queue->ops->wait(queue, count, timeout_ns);
}

static const struct udma_completion *take(struct udma_queue *queue)
{
	queue->submit_end++;
	return &queue->completions[queue->complete_head++ & queue->mask];
}

static UDMA_APART const struct udma_completion *look_and_take(struct udma_queue *queue)
{
	int ready = queue->ops->look(queue);

	if (!ready)
		errno = EAGAIN;
	return ready > 0 ? take(queue) : NULL;
}

UDMA_EXPORT const struct udma_completion *udma_queue_next(struct udma_queue *queue)
{
	return udma_queue_ready(queue) ? take(queue) : look_and_take(queue);
}
