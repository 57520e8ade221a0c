/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Storms: how much of them there is, chance, and what those who take part in one
 * have seen.
 *
 * How much comes from the environment, STRESS=N: N times the whole, or a tenth
 * when there is no N.
 */
#ifndef UDMA_STORM_H
#define UDMA_STORM_H

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "udma_test.h"

static inline unsigned int times(unsigned int whole)
{
	const char *text = getenv("STRESS");
	unsigned int n = text ? atoi(text) : 0;

	return n ? n * whole : whole / 10;
}

/* Told to whoever reads the output. It may be a failure's only trace. */
static inline __u64 seed(void)
{
	__u64 seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = now_ns();
	return seed | 1;
}

static inline unsigned int below(__u64 *state, unsigned int limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 16) % limit;
}

/* The moment at which something happens is to be any. */
static inline void dawdle(__u64 *state)
{
	const __u64 end = now_ns() + below(state, 300 * 1000);

	while (now_ns() < end)
		;
}

/* What one program, or thread, has seen; in memory that outlives it. */
struct tally {
	unsigned long accepted;
	unsigned long ended;
	unsigned long closed;	/* accepted, and nobody can read the event */
	unsigned long rounds;
	int error;		/* the first thing that should not have been */
	unsigned int line;
	bool stop;
};

#define LOAD(_field)		__atomic_load_n(&(_field), __ATOMIC_ACQUIRE)
#define STORE(_field, _value)	__atomic_store_n(&(_field), _value, __ATOMIC_RELEASE)
#define ADD(_field, _value)	__atomic_add_fetch(&(_field), _value, __ATOMIC_ACQ_REL)

static inline void tally_fail(struct tally *tally, int error, unsigned int line)
{
	if (tally->line)
		return;
	tally->error = error;
	STORE(tally->line, line);
}

#define FAILED(_tally)		tally_fail(_tally, errno, __LINE__)

/* Stop the thread whose it is; then it fails with what the thread has failed with. */
static inline int try_tally_end(struct tally *tally, pthread_t thread)
{
	STORE(tally->stop, true);
	errno = pthread_join(thread, NULL);
	if (errno)
		return -1;
	if (tally->line)
		printf("# line %u\n", tally->line);
	errno = tally->error;
	return tally->line ? -1 : 0;
}

/* Whether some of what was accepted has not ended, or its event was not read. */
static inline bool tally_is_busy(struct tally *tally)
{
	return LOAD(tally->accepted) > LOAD(tally->ended) + LOAD(tally->closed);
}

#endif /* UDMA_STORM_H */
