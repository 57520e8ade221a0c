// SPDX-License-Identifier: GPL-2.0
/*
 * A call for each transfer and a call for each completion: out until as many as
 * wanted are under way, then back. Nobody asks for any before all are out, so all but
 * the last one say that more follow.
 */
#include <stdlib.h>

#include "bench.h"

static int prepare(struct worker *worker)
{
	unsigned int i;

	if (worker->bench->depth > udma_channel_info_get_max_transfers(worker->info)) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i + 1 < worker->bench->depth; i++)
		udma_transfer_set_more(worker->transfers[i], true);
	worker->completions = udma_completions_new(1);
	worker->started = calloc(worker->bench->depth, sizeof(*worker->started));
	return worker->completions && worker->started ? 0 : -1;
}

static inline int submit(struct worker *worker, bool timed)
{
	struct udma_transfer **transfers = worker->transfers;
	const unsigned int depth = worker->bench->depth;
	struct udma_channel *channel = worker->channel;
	unsigned int i;

	for (i = 0; i < depth; i++) {
		if (timed)
			worker->started[i] = now_ns();
		if (udma_channel_submit_one(channel, transfers[i]) < 0)
			return -1;
	}
	return 0;
}

/* One completion: 1, or 0 when there was none, or -1. */
static inline int take(struct worker *worker, bool timed)
{
	const struct udma_completion *completion;
	ssize_t count;

	count = udma_channel_read(worker->channel, worker->completions, 1);
	if (count <= 0)
		return count;
	completion = udma_completions_get(worker->completions, 0);
	if (worker_check(completion))
		return -1;
	if (timed)
		worker_sample(worker, now_ns() -
			      worker->started[udma_completion_get_user_data(completion)]);
	return 1;
}

/* Return: 0, or -1. When told to stop it may not have taken all. */
static inline int take_all(struct worker *worker, bool timed)
{
	unsigned int left = worker->bench->depth;
	int ret;

	while (left) {
		ret = take(worker, timed);
		if (ret < 0)
			return -1;
		left -= ret;
		if (ret)
			continue;
		if (worker_stopped(worker))
			return 0;
		if (udma_channel_wait(worker->channel, -1) < 0 && errno != EINTR)
			return -1;
	}
	worker->rounds++;
	return 0;
}

/* Once with the clock and once without. */
static inline __attribute__((always_inline)) int go(struct worker *worker, uint64_t rounds,
						    bool timed)
{
	for (; rounds && !worker_stopped(worker); rounds--)
		if (submit(worker, timed) || take_all(worker, timed))
			return -1;
	return 0;
}

static int run(struct worker *worker, uint64_t rounds, bool timed)
{
	return timed ? go(worker, rounds, true) : go(worker, rounds, false);
}

static void release(struct worker *worker)
{
	udma_completions_free(worker->completions);
	free(worker->started);
}

const struct path path_single = {
	.name = "single",
	.prepare = prepare,
	.run = run,
	.release = release,
};
