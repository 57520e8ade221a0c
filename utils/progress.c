// SPDX-License-Identifier: GPL-2.0
#include <time.h>
#include <unistd.h>

#include "udmactl.h"

#define NSEC_PER_SEC	1000000000ULL
#define INTERVAL_NS	(NSEC_PER_SEC / 5)

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void progress_begin(struct progress *progress, uint64_t total)
{
	progress->shown = isatty(STDERR_FILENO);
	progress->start_ns = now_ns();
	progress->next_ns = progress->start_ns + INTERVAL_NS;
	progress->total = total;
}

static double mib(double bytes)
{
	return bytes / 1024 / 1024;
}

void progress_tell(struct progress *progress, uint64_t done)
{
	uint64_t now;

	if (!progress->shown)
		return;
	now = now_ns();
	if (now < progress->next_ns)
		return;
	progress->next_ns = now + INTERVAL_NS;
	fprintf(stderr, "\r%.1f MiB", mib(done));
	if (progress->total)
		fprintf(stderr, " of %.1f (%.0f %%)", mib(progress->total),
			100.0 * done / progress->total);
	fprintf(stderr, ", %.1f MiB/s\033[K",
		mib(done) * NSEC_PER_SEC / (now - progress->start_ns));
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
