// SPDX-License-Identifier: GPL-2.0
/*
 * A process that measures. Everything is made before, so that while it measures
 * nothing is left to do but the transfers.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define NSEC_PER_SEC	1000000000ULL
/* Transfers by turns share places in the buffers, so that these stay small. */
#define BUFFER_BYTES	(2 << 20)
/* A cache line, so that two transfers do not meet in one. */
#define PLACE_ALIGN	64
/* How often at least the clock is looked at while it measures. */
#define LOOKS		8
/* How much of the time for a row single transfers get in addition. */
#define TIMED_SHARE	4
/* Rounds before it begins: they touch what is touched for the first time. */
#define WARM_UP		2

static size_t round_up(size_t bytes, size_t align)
{
	return (bytes + align - 1) / align * align;
}

static int failed(struct worker *worker, const char *what)
{
	worker->report->error = errno;
	snprintf(worker->report->what, sizeof(worker->report->what), "%s", what);
	return -1;
}

/* As large as the user may have them. */
static int alloc_buffers(struct worker *worker)
{
	for (;;) {
		worker->src = udma_buffer_alloc(worker->channel, worker->places * worker->stride);
		worker->dst = worker->src ? udma_buffer_alloc(worker->channel, worker->places *
							      worker->stride) : NULL;
		if (worker->dst)
			return 0;
		if ((errno != EDQUOT && errno != ENOMEM) || worker->places == 1)
			return -1;
		udma_buffer_free(worker->src);
		worker->places /= 2;
	}
}

static int make_buffers(struct worker *worker)
{
	size_t align = udma_channel_info_get_copy_align(worker->info);

	worker->stride = round_up(worker->bench->bytes, align > PLACE_ALIGN ? align : PLACE_ALIGN);
	worker->places = BUFFER_BYTES / worker->stride;
	if (worker->places > worker->bench->depth)
		worker->places = worker->bench->depth;
	if (!worker->places)
		worker->places = 1;
	return alloc_buffers(worker);
}

static int make_transfers(struct worker *worker)
{
	const struct bench *bench = worker->bench;
	size_t offset;
	unsigned int i;

	worker->transfers = calloc(bench->depth, sizeof(*worker->transfers));
	for (i = 0; worker->transfers && i < bench->depth; i++) {
		worker->transfers[i] = udma_transfer_new();
		if (!worker->transfers[i])
			return -1;
		offset = i % worker->places * worker->stride;
		udma_transfer_set_copy(worker->transfers[i], worker->dst, offset, worker->src,
				       offset, bench->bytes);
		udma_transfer_set_user_data(worker->transfers[i], i);
	}
	return worker->transfers ? 0 : -1;
}

static int open_channel(struct worker *worker, const char *device)
{
	worker->channel = worker->bench->exclusive ? udma_channel_open_exclusive(device) :
						     udma_channel_open(device);
	if (worker->channel)
		worker->info = udma_channel_get_info(worker->channel);
	return worker->info ? 0 : -1;
}

/* What copies need: a stream has a ring of its own. */
static int make_copies(struct worker *worker)
{
	if (make_buffers(worker))
		return failed(worker, "buffers");
	if (make_transfers(worker))
		return failed(worker, "memory");
	return 0;
}

/* Return: 0, or -1 and the report says why. */
int worker_prepare(struct worker *worker, const char *device)
{
	const struct path *path = worker->bench->path;

	if (open_channel(worker, device))
		return failed(worker, "open");
	if (!path->streams && make_copies(worker))
		return -1;
	if (path->prepare(worker))
		return failed(worker, path->streams ? "stream" : "queue");
	if (path->run(worker, WARM_UP, false))
		return failed(worker, "transfer");
	return 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static unsigned int transfers_per_round(const struct bench *bench)
{
	if (bench->path->streams)
		return bench->events;
	return bench->path == &path_memcpy ? 1 : bench->depth;
}

/* More and more rounds at a time, until the clock is looked at no more than needed. */
static int go_for(struct worker *worker, uint64_t ns)
{
	uint64_t now = now_ns(), end = now + ns, at_a_time = 1, before;

	while (now < end && !worker_stopped(worker)) {
		if (worker->bench->path->run(worker, at_a_time, false))
			return -1;
		before = now;
		now = now_ns();
		if (now - before < ns / LOOKS)
			at_a_time *= 2;
	}
	return 0;
}

/* Nobody looks at each transfer while these are made. */
static int measure_all(struct worker *worker)
{
	const struct bench *bench = worker->bench;
	unsigned int step = transfers_per_round(bench);

	if (!bench->count)
		return go_for(worker, bench->ns);
	return bench->path->run(worker, (bench->count + step - 1) / step, false);
}

/* As many as there is room for, or time. */
static int measure_each(struct worker *worker)
{
	const struct bench *bench = worker->bench;
	uint64_t wanted = bench->count && bench->count < worker->samples ? bench->count :
									  worker->samples;
	uint64_t end = now_ns() + bench->ns / TIMED_SHARE;

	while (worker->report->sample_count < wanted && !worker_stopped(worker)) {
		if (!bench->count && now_ns() >= end)
			break;
		if (bench->path->run(worker, 1, true))
			return -1;
	}
	return 0;
}

/* Return: 0, or -1 and the report says why. What was done until then is told all the same. */
int worker_measure(struct worker *worker)
{
	struct report *report = worker->report;
	uint64_t before = cpu_ns();
	int ret;

	worker->rounds = 0;
	report->start_ns = now_ns();
	ret = measure_all(worker);
	report->end_ns = now_ns();
	report->cpu_ns = cpu_ns() - before;
	report->transfers = worker->rounds * transfers_per_round(worker->bench);
	if (!ret && worker->samples)
		ret = measure_each(worker);
	return ret ? failed(worker, "transfer") : 0;
}

void worker_release(struct worker *worker)
{
	unsigned int i;

	worker->bench->path->release(worker);
	for (i = 0; worker->transfers && i < worker->bench->depth; i++)
		udma_transfer_free(worker->transfers[i]);
	free(worker->transfers);
	udma_buffer_free(worker->src);
	udma_buffer_free(worker->dst);
	udma_channel_info_free(worker->info);
	udma_channel_close(worker->channel);
}
