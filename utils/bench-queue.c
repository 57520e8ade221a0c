// SPDX-License-Identifier: GPL-2.0
/*
 * By a queue of the library: all transfers out and all back again, with few calls
 * or, if the queue is mapped, one.
 */
#include "bench.h"

static int prepare(struct worker *worker, unsigned int flags)
{
	worker->queue = udma_queue_new(worker->channel, worker->bench->depth, flags);
	return worker->queue ? 0 : -1;
}

static int prepare_plain(struct worker *worker)
{
	return prepare(worker, 0);
}

static int prepare_mapped(struct worker *worker)
{
	return prepare(worker, UDMA_QUEUE_MAPPED);
}

static int prepare_busy(struct worker *worker)
{
	if (prepare(worker, UDMA_QUEUE_MAPPED))
		return -1;
	udma_queue_set_busy_ns(worker->queue, worker->bench->busy_ns);
	return 0;
}

static inline int add(struct worker *worker)
{
	struct udma_transfer **next = worker->transfers, **end = next + worker->bench->depth;
	struct udma_queue *queue = worker->queue;

	for (; next != end; next++)
		if (udma_queue_add(queue, *next))
			return -1;
	return 0;
}

static inline int take(struct worker *worker, ssize_t count, uint64_t start_ns)
{
	const struct udma_completion *completion;
	struct udma_queue *queue = worker->queue;

	for (; count; count--) {
		completion = udma_queue_next(queue);
		if (!completion || worker_check(completion))
			return -1;
		if (start_ns)
			worker_sample(worker, now_ns() - start_ns);
	}
	return 0;
}

/* Return: 0, or -1. When told to stop it may not have taken all. */
static inline int take_all(struct worker *worker, uint64_t start_ns)
{
	unsigned int left = worker->bench->depth;
	ssize_t count;

	while (left) {
		count = udma_queue_wait(worker->queue, left, -1);
		if (count < 0 && errno == EINTR && worker_stopped(worker))
			return 0;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || take(worker, count, start_ns))
			return -1;
		left -= count;
	}
	worker->rounds++;
	return 0;
}

/* Once with the clock and once without. */
static inline __attribute__((always_inline)) int go(struct worker *worker, uint64_t rounds,
						    bool timed)
{
	uint64_t start_ns = 0;

	for (; rounds && !worker_stopped(worker); rounds--) {
		if (timed)
			start_ns = now_ns();
		if (add(worker) || take_all(worker, start_ns))
			return -1;
	}
	return 0;
}

static int run(struct worker *worker, uint64_t rounds, bool timed)
{
	return timed ? go(worker, rounds, true) : go(worker, rounds, false);
}

static void release(struct worker *worker)
{
	udma_queue_free(worker->queue);
}

const struct path path_ring = {
	.name = "ring",
	.mapped = true,
	.prepare = prepare_mapped,
	.run = run,
	.release = release,
};

const struct path path_batch = {
	.name = "batch",
	.prepare = prepare_plain,
	.run = run,
	.release = release,
};

const struct path path_busy = {
	.name = "busy",
	.mapped = true,
	.prepare = prepare_busy,
	.run = run,
	.release = release,
};
