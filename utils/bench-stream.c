// SPDX-License-Identifier: GPL-2.0
/*
 * What a device gives without a pause is consumed as it comes, some periods at a time. The
 * device says how long that takes; what it costs is CPU time.
 */
#include <errno.h>

#include "bench.h"

static int start(struct worker *worker)
{
	const struct bench *bench = worker->bench;
	struct udma_stream_config *config = udma_stream_config_new();

	if (!config)
		return -1;
	udma_stream_config_set_cyclic(config, worker->dst, 0, bench->depth * bench->bytes,
				      bench->bytes);
	udma_stream_config_set_event_periods(config, bench->events);
	worker->stream = udma_stream_start(worker->channel, config);
	udma_stream_config_free(config);
	return worker->stream ? 0 : -1;
}

static int prepare(struct worker *worker)
{
	const struct bench *bench = worker->bench;

	worker->dst = udma_buffer_alloc(worker->channel, bench->depth * bench->bytes);
	return worker->dst ? start(worker) : -1;
}

/* It goes on while nobody measures. Whether anything of that is lost does not matter. */
static void skip(struct worker *worker)
{
	const void *data;
	ssize_t bytes;

	while ((bytes = udma_stream_peek(worker->stream, &data)) > 0)
		udma_stream_consume(worker->stream, bytes);
	worker->lost = udma_stream_get_lost(worker->stream);
}

static inline int consume(struct worker *worker, size_t *left)
{
	const void *data;
	ssize_t bytes;

	bytes = udma_stream_peek(worker->stream, &data);
	if (bytes < 0)
		return -1;
	if (udma_stream_get_lost(worker->stream) != worker->lost) {
		errno = EPIPE;
		return -1;
	}
	if ((size_t)bytes > *left)
		bytes = *left;
	*left -= bytes;
	return udma_stream_consume(worker->stream, bytes);
}

/* Return: 0, or -1. When told to stop it may not have consumed all. */
static inline int go_round(struct worker *worker)
{
	size_t left = worker->bench->events * worker->bench->bytes;

	while (left) {
		if (udma_stream_wait(worker->stream, -1) < 0) {
			if (errno != EINTR)
				return -1;
			if (worker_stopped(worker))
				return 0;
			continue;
		}
		if (consume(worker, &left))
			return -1;
	}
	worker->rounds++;
	return 0;
}

static int run(struct worker *worker, uint64_t rounds, bool timed)
{
	(void)timed;
	if (!worker->rounds)
		skip(worker);
	for (; rounds && !worker_stopped(worker); rounds--)
		if (go_round(worker))
			return -1;
	return 0;
}

static void release(struct worker *worker)
{
	udma_stream_free(worker->stream);
}

const struct path path_stream = {
	.name = "stream",
	.streams = true,
	.prepare = prepare,
	.run = run,
	.release = release,
};
