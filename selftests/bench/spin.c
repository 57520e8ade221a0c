// SPDX-License-Identifier: GPL-2.0
/*
 * spin NANOSECONDS: takes what others leave of the processor for that long, and tells
 * how often it went round meanwhile. What it does less than when it is alone is what
 * the others took, interrupts included.
 */
#include <err.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Less often than it goes round it looks at the clock. */
#define ROUNDS	100

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void go_round(void)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		__asm__ volatile("" : : : "memory");
}

int main(int argc, char **argv)
{
	const struct sched_param param = {};
	uint64_t begin, now, end, spins = 0;

	if (argc != 2)
		errx(2, "usage: spin NANOSECONDS");
	/* Whoever wakes up is not made to wait. */
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "SCHED_IDLE");
	begin = now_ns();
	end = begin + strtoull(argv[1], NULL, 0);
	do {
		go_round();
		spins++;
		now = now_ns();
	} while (now < end);
	printf("ns %llu spins %llu\n", (unsigned long long)(now - begin),
	       (unsigned long long)spins);
	return 0;
}
