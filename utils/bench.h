/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of bench know of each other: cmd-bench.c says which rows there are
 * to be, bench-rows.c goes through them, bench-run.c has processes measure one, and
 * each of these is a worker.
 */
#ifndef UDMACTL_BENCH_H
#define UDMACTL_BENCH_H

#include <errno.h>

#include "udmactl.h"

struct worker;

/**
 * struct path - one way to have transfers made
 * @name: the word for it
 * @mapped: its queues are shared with the kernel
 * @streams: it has a stream from a device in place of copies
 * @prepare: all that is needed but the channel, the buffers and the transfers. 0, or -1 with errno
 * @run: so many rounds, or fewer when told to stop: each transfer out and back; if timed,
 *	worker_sample() is told of each. Counts worker.rounds up. 0, or -1 with errno
 * @release: what @prepare made, also if it failed
 */
struct path {
	const char *name;
	bool mapped;
	bool streams;
	int (*prepare)(struct worker *worker);
	int (*run)(struct worker *worker, uint64_t rounds, bool timed);
	void (*release)(struct worker *worker);
};

extern const struct path path_ring, path_batch, path_single, path_busy, path_memcpy,
	path_stream;
extern const struct path *const paths[];

/**
 * struct bench - what is to be measured
 * @devices: the devices to use at once
 * @device_count: how many these are
 * @path: how
 * @bytes: of each transfer; a period of a stream is one
 * @depth: how many a process has under way, or the ring of a stream has
 * @events: how many of a stream end until the program is told
 * @processes: on each device
 * @count: transfers of each process, or 0 for as many as there is time for
 * @ns: for how long, if there is no @count
 * @busy_ns: for how long the kernel is to look before it sleeps, on the path that does
 * @latency: whether to look at each transfer, too
 * @exclusive: whether nobody else is let in meanwhile
 */
struct bench {
	char **devices;
	unsigned int device_count;
	const struct path *path;
	size_t bytes;
	unsigned int depth;
	unsigned int events;
	unsigned int processes;
	uint64_t count;
	uint64_t ns;
	uint64_t busy_ns;
	bool latency;
	bool exclusive;
};

/**
 * struct report - what a worker tells, in memory that it shares
 * @transfers: how many it made
 * @start_ns: when it began
 * @end_ns: when it ended
 * @cpu_ns: CPU time that it took for that
 * @sample_count: how many of @samples there are
 * @error: what went wrong, or 0
 * @what: with what
 * @samples: of single transfers, how long each took, in nanoseconds
 */
struct report {
	uint64_t transfers;
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t cpu_ns;
	uint64_t sample_count;
	int error;
	char what[80];
	uint64_t *samples;
};

/**
 * struct worker - a process that measures
 * @bench: what
 * @report: where to tell
 * @samples: how many of them there is room for
 * @stop: whether all are to stop; shared
 * @channel: its own
 * @info: what that allows
 * @src: a buffer for what is read
 * @dst: a buffer for what is written; the ring of a stream
 * @stride: from one transfer's place in them to the next one's
 * @places: how many of them there are; transfers share them by turns
 * @transfers: a description of each that is under way
 * @queue: of the paths that have one
 * @completions: of the path that reads
 * @stream: of the path that has one
 * @lost: how many bytes of that nobody wanted
 * @started: when each transfer was submitted, on the path that submits one at a time
 * @rounds: how many are done
 */
struct worker {
	const struct bench *bench;
	struct report *report;
	uint64_t samples;
	int *stop;
	struct udma_channel *channel;
	struct udma_channel_info *info;
	struct udma_buffer *src;
	struct udma_buffer *dst;
	size_t stride;
	size_t places;
	struct udma_transfer **transfers;
	struct udma_queue *queue;
	struct udma_completions *completions;
	struct udma_stream *stream;
	uint64_t lost;
	uint64_t *started;
	uint64_t rounds;
};

/**
 * struct result - what was measured
 * @transfers: of all processes
 * @ns: from when the first began to when the last ended
 * @cpu_ns: CPU time of all processes
 * @latencies: what half of the transfers, 90 %, 99 % and all did not exceed
 * @has_latencies: whether they are known
 */
struct result {
	uint64_t transfers;
	uint64_t ns;
	uint64_t cpu_ns;
	uint64_t latencies[4];
	bool has_latencies;
};

/* worker */
int worker_prepare(struct worker *worker, const char *device);
int worker_measure(struct worker *worker);
void worker_release(struct worker *worker);

/* Whether to go on: not when another one has failed, nor when the user wants it to end. */
static inline bool worker_stopped(const struct worker *worker)
{
	return __atomic_load_n(worker->stop, __ATOMIC_RELAXED);
}

static inline void worker_stop(struct worker *worker)
{
	__atomic_store_n(worker->stop, true, __ATOMIC_RELAXED);
}

static inline void worker_sample(struct worker *worker, uint64_t ns)
{
	if (worker->report->sample_count < worker->samples)
		worker->report->samples[worker->report->sample_count++] = ns;
}

/* How a transfer ended: 0, or -1 with errno. */
static inline int worker_check(const struct udma_completion *completion)
{
	int error = udma_completion_get_error(completion);

	if (__builtin_expect(!error, 1))
		return 0;
	errno = error;
	return -1;
}

/* run: a row, once. 0, or -1 after it said why. @result is of what was done. */
int bench_run(const struct bench *bench, struct result *result);

/* rows */

#define LIST_MAX	16

/**
 * struct list - numbers that the user wants to see
 * @values: them
 * @count: how many they are
 * @given: the user said so, and is to be told if one cannot be
 */
struct list {
	uint64_t values[LIST_MAX];
	unsigned int count;
	bool given;
};

/**
 * struct plan - all that is to be measured
 * @bench: what the rows have in common, and then the row that is measured
 * @paths: indices of paths[]
 * @bytes: of a transfer
 * @depths: how many transfers a process has under way
 * @within: how far apart, in percent, two runs may be that agree; 0 for one run only
 * @json: whether the rows are told as JSON
 */
struct plan {
	struct bench bench;
	struct list paths;
	struct list bytes;
	struct list depths;
	double within;
	bool json;
};

int bench_rows(struct plan *plan);

#endif /* UDMACTL_BENCH_H */
