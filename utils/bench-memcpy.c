// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU copies, between the same buffers. It has one copy under way, whatever the depth.
 */
#include <string.h>

#include "bench.h"

static int prepare(struct worker *worker)
{
	(void)worker;
	return 0;
}

static inline int go(struct worker *worker, uint64_t rounds, bool timed)
{
	char *dst = udma_buffer_get_data(worker->dst);
	const char *src = udma_buffer_get_data(worker->src);
	size_t bytes = worker->bench->bytes;
	uint64_t start_ns = 0;
	size_t place = 0;

	for (; rounds && !worker_stopped(worker); rounds--) {
		if (timed)
			start_ns = now_ns();
		memcpy(dst + place * worker->stride, src + place * worker->stride, bytes);
		if (timed)
			worker_sample(worker, now_ns() - start_ns);
		if (++place == worker->places)
			place = 0;
		worker->rounds++;
	}
	return 0;
}

static int run(struct worker *worker, uint64_t rounds, bool timed)
{
	return timed ? go(worker, rounds, true) : go(worker, rounds, false);
}

static void release(struct worker *worker)
{
	(void)worker;
}

const struct path path_memcpy = {
	.name = "memcpy",
	.prepare = prepare,
	.run = run,
	.release = release,
};
