// SPDX-License-Identifier: GPL-2.0
/*
 * A row: processes are made, wait for each other, measure at the same time, and
 * end. What they tell is in memory that they share with this one.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Samples of single transfers: in all, but not less for each process. */
#define SAMPLES		65536
#define SAMPLES_LEAST	1024
/* How long to wait until a process is told again that it is to stop. */
#define AGAIN_MS	100

/**
 * struct shared - what the processes share
 * @stop: they are to stop
 * @reports: one for each
 */
struct shared {
	int stop;
	struct report reports[];
};

/**
 * struct crew - the processes that measure a row
 * @bench: which row
 * @count: how many processes there are
 * @made: how many were made
 * @pids: them
 * @samples: how many samples each has room for
 * @shared: what they share
 * @shared_bytes: how much that is
 * @told: they write a byte when they are ready, another one when they have measured,
 *	and close it when they end
 * @go: closed when they are to begin
 * @leave: closed when they are to end
 */
struct crew {
	const struct bench *bench;
	unsigned int count;
	unsigned int made;
	pid_t *pids;
	uint64_t samples;
	struct shared *shared;
	size_t shared_bytes;
	int told[2];
	int go[2];
	int leave[2];
};

static const char *device_of(const struct crew *crew, unsigned int index)
{
	return crew->bench->devices[index % crew->bench->device_count];
}

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

static void on_wake(int signal)
{
	(void)signal;
}

/* Tell that this one has come so far, and wait until all have: then @end is closed. */
static bool wait_for_others(struct crew *crew, int end)
{
	char byte = 0;

	if (write(crew->told[1], &byte, 1) != 1)
		return false;
	while (read(end, &byte, 1) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static void work(struct crew *crew, unsigned int index)
{
	struct worker worker = {
		.bench = crew->bench,
		.report = &crew->shared->reports[index],
		.samples = crew->samples,
		.stop = &crew->shared->stop,
	};
	int ret;

	close_end(&crew->told[0]);
	close_end(&crew->go[1]);
	close_end(&crew->leave[1]);
	ret = worker_prepare(&worker, device_of(crew, index));
	if (ret)
		worker_stop(&worker);
	if (wait_for_others(crew, crew->go[0]) && !ret)
		worker_measure(&worker);
	/* To end is work, too, which those who still measure would pay for. */
	wait_for_others(crew, crew->leave[0]);
	worker_release(&worker);
	_exit(0);
}

/* A signal ends a wait for transfers. Without the first process there is no point. */
static void set_up_signals(void)
{
	struct sigaction action = { .sa_handler = on_wake };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGBUS, SIG_DFL);
}

static int make_workers(struct crew *crew)
{
	fflush(NULL);
	for (; crew->made < crew->count; crew->made++) {
		crew->pids[crew->made] = fork();
		if (crew->pids[crew->made] < 0)
			return -1;
		if (crew->pids[crew->made])
			continue;
		set_up_signals();
		work(crew, crew->made);
	}
	return 0;
}

static void stop_workers(struct crew *crew)
{
	unsigned int i;

	__atomic_store_n(&crew->shared->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < crew->made; i++)
		kill(crew->pids[i], SIGUSR1);
}

/* One that will not come so far as the others wait for: it was killed. */
static bool has_lost_one(void)
{
	siginfo_t info = {};

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/* Until all tell that they have come so far: whether they have. */
static bool wait_until_told(struct crew *crew)
{
	struct pollfd poll_told = { .fd = crew->told[0], .events = POLLIN };
	unsigned int have = 0;
	char buffer[64];
	ssize_t count;

	while (have < crew->made && !cleanup_deferred() && !has_lost_one()) {
		if (poll(&poll_told, 1, AGAIN_MS) <= 0)
			continue;
		count = read(crew->told[0], buffer, sizeof(buffer));
		have += count > 0 ? count : 0;
	}
	return have == crew->count;
}

/* Until none has the other end open any more. */
static void wait_until_ended(struct crew *crew)
{
	struct pollfd poll_told = { .fd = crew->told[0], .events = POLLIN };
	char buffer[64];

	for (;;) {
		if (cleanup_deferred())
			stop_workers(crew);
		if (poll(&poll_told, 1, cleanup_deferred() ? AGAIN_MS : -1) > 0 &&
		    !read(crew->told[0], buffer, sizeof(buffer)))
			break;
	}
}

/* A process that was killed could not say why itself. SIGBUS: the memory of its buffers went. */
static void collect(struct crew *crew)
{
	struct report *report;
	unsigned int i;
	int status;

	for (i = 0; i < crew->made; i++) {
		report = &crew->shared->reports[i];
		while (waitpid(crew->pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (!WIFSIGNALED(status) || report->error)
			continue;
		report->error = WTERMSIG(status) == SIGBUS ? ENODEV : ECHILD;
		snprintf(report->what, sizeof(report->what), "process");
	}
}

static const char *explain(const struct report *report)
{
	if (!strcmp(report->what, "queue") && report->error == EINVAL)
		return "more than the channel allows";
	if (!strcmp(report->what, "transfer") && report->error == EPIPE)
		return "the program did not keep up";
	return strerror(report->error);
}

/* The first that failed by itself; the others may have been stopped for that. */
static int complain_crew(const struct crew *crew)
{
	const struct bench *bench = crew->bench;
	const struct report *report;
	unsigned int i;

	for (i = 0; i < crew->made; i++) {
		report = &crew->shared->reports[i];
		if (!report->error || report->error == EINTR)
			continue;
		complain(explain(report), "%s: %s, %zu bytes, depth %u: %s",
			 device_of(crew, i), bench->path->name, bench->bytes, bench->depth,
			 report->what);
		return -1;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

/* What so many of a thousand did not exceed. */
static uint64_t quantile(const uint64_t *samples, uint64_t count, unsigned int permille)
{
	return samples[(count - 1) * permille / 1000];
}

/* The samples of all processes, moved together. */
static void sum_latencies(const struct crew *crew, struct result *result)
{
	static const unsigned int permilles[] = { 500, 900, 990, 1000 };
	const struct report *reports = crew->shared->reports;
	uint64_t *all = reports[0].samples;
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < crew->made; i++) {
		memmove(all + count, reports[i].samples, reports[i].sample_count * sizeof(*all));
		count += reports[i].sample_count;
	}
	result->has_latencies = count;
	if (!count)
		return;
	qsort(all, count, sizeof(*all), compare);
	for (i = 0; i < ARRAY_SIZE(permilles); i++)
		result->latencies[i] = quantile(all, count, permilles[i]);
}

static void sum_up(const struct crew *crew, struct result *result)
{
	uint64_t start_ns = UINT64_MAX, end_ns = 0;
	const struct report *report;
	unsigned int i;

	for (i = 0; i < crew->made; i++) {
		report = &crew->shared->reports[i];
		if (!report->transfers)
			continue;
		result->transfers += report->transfers;
		result->cpu_ns += report->cpu_ns;
		if (report->start_ns < start_ns)
			start_ns = report->start_ns;
		if (report->end_ns > end_ns)
			end_ns = report->end_ns;
	}
	result->ns = result->transfers ? end_ns - start_ns : 0;
	if (crew->samples)
		sum_latencies(crew, result);
}

static int share(struct crew *crew)
{
	size_t head = sizeof(struct shared) + crew->count * sizeof(struct report);
	unsigned int i;
	char *memory;

	crew->shared_bytes = head + crew->count * crew->samples * sizeof(uint64_t);
	memory = mmap(NULL, crew->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	crew->shared = (struct shared *)memory;
	for (i = 0; i < crew->count; i++)
		crew->shared->reports[i].samples = (uint64_t *)(memory + head) + i * crew->samples;
	return 0;
}

static int prepare(struct crew *crew)
{
	crew->count = crew->bench->processes * crew->bench->device_count;
	if (crew->bench->latency && !crew->bench->path->streams)
		crew->samples = SAMPLES / crew->count > SAMPLES_LEAST ? SAMPLES / crew->count :
									SAMPLES_LEAST;
	crew->pids = calloc(crew->count, sizeof(*crew->pids));
	if (!crew->pids || share(crew) || pipe(crew->told) || pipe(crew->go))
		return -1;
	return pipe(crew->leave);
}

static void release(struct crew *crew)
{
	close_end(&crew->told[0]);
	close_end(&crew->told[1]);
	close_end(&crew->go[0]);
	close_end(&crew->go[1]);
	close_end(&crew->leave[0]);
	close_end(&crew->leave[1]);
	if (crew->shared)
		munmap(crew->shared, crew->shared_bytes);
	free(crew->pids);
}

/* Who cannot begin keeps the others from it. */
static void let_work(struct crew *crew)
{
	close_end(&crew->told[1]);
	close_end(&crew->go[0]);
	close_end(&crew->leave[0]);
	if (!wait_until_told(crew))
		stop_workers(crew);
	close_end(&crew->go[1]);
	if (!wait_until_told(crew))
		stop_workers(crew);
	close_end(&crew->leave[1]);
	wait_until_ended(crew);
	collect(crew);
}

int bench_run(const struct bench *bench, struct result *result)
{
	struct crew crew = {
		.bench = bench,
		.told = { -1, -1 },
		.go = { -1, -1 },
		.leave = { -1, -1 },
	};
	int ret;

	*result = (struct result) {};
	ret = prepare(&crew);
	if (!ret)
		ret = make_workers(&crew);
	if (ret)
		complain_errno("%u processes", crew.count);
	if (crew.made) {
		let_work(&crew);
		sum_up(&crew, result);
		if (!ret)
			ret = complain_crew(&crew);
	}
	release(&crew);
	return ret;
}
