/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that make one call each and sleep in it until something happens. That
 * they do sleep is seen, not assumed: no time has to pass for it.
 */
#ifndef UDMA_SLEEPER_H
#define UDMA_SLEEPER_H

#include <pthread.h>
#include <signal.h>

#include "udma_test.h"

/* poll() is made of another system call where there is none of its own. */
#ifdef SYS_poll
#define SYS_OF_POLL	SYS_poll
#else
#define SYS_OF_POLL	SYS_ppoll
#endif

struct sleeper {
	long (*call)(void *data);	/* returns as a system call does */
	void *data;
	pthread_t thread;
	pid_t tid;			/* 0 before it runs */
	long ret;
	int error;
};

static inline void *sleeper_run(void *data)
{
	struct sleeper *sleeper = data;

	__atomic_store_n(&sleeper->tid, gettid(), __ATOMIC_RELEASE);
	sleeper->ret = sleeper->call(sleeper->data);
	sleeper->error = errno_of(sleeper->ret);
	return NULL;
}

static inline int try_sleeper_create(struct sleeper *sleeper,
				     long (*call)(void *data), void *data)
{
	*sleeper = (struct sleeper) {
		.call = call,
		.data = data,
	};
	errno = pthread_create(&sleeper->thread, NULL, sleeper_run, sleeper);
	return errno ? -1 : 0;
}

/* Wait until it sleeps in a system call, SYS_*. */
static inline int try_sleeper_wait(const struct sleeper *sleeper, long nr)
{
	pid_t tid;

	do {
		sched_yield();
		tid = __atomic_load_n(&sleeper->tid, __ATOMIC_ACQUIRE);
	} while (!tid);
	return wait_blocked(tid, nr);
}

static inline int try_sleeper_start(struct sleeper *sleeper,
				    long (*call)(void *data), void *data,
				    long nr)
{
	if (try_sleeper_create(sleeper, call, data))
		return -1;
	return try_sleeper_wait(sleeper, nr);
}

/* Wait until it sleeps in a system call, and there inside of a function of ours. */
static inline int try_sleeper_wait_inside(const struct sleeper *sleeper, long nr,
					  const char *function)
{
	if (wait_inside(sleeper->tid, function))
		return -1;
	return wait_blocked(sleeper->tid, nr);
}

static inline int try_sleeper_signal(const struct sleeper *sleeper, int signal)
{
	errno = pthread_kill(sleeper->thread, signal);
	return errno ? -1 : 0;
}

static inline int try_sleeper_join(const struct sleeper *sleeper)
{
	errno = pthread_join(sleeper->thread, NULL);
	return errno ? -1 : 0;
}

/* What a thread may sleep in: a read of one event from the file at @data */
static inline long read_one(void *data)
{
	struct udma_event event;

	return try_read(*(int *)data, &event, 1);
}

/* or poll(). */
struct poller {
	struct sleeper sleeper;
	int fd;
	short events;
};

static inline long poll_once(void *data)
{
	const struct poller *poller = data;

	return try_wait_for(poller->fd, poller->events);
}

static inline int try_poller_start(struct poller *poller, int fd, short events)
{
	*poller = (struct poller) {
		.fd = fd,
		.events = events,
	};
	return try_sleeper_start(&poller->sleeper, poll_once, poller,
				 SYS_OF_POLL);
}

/* What it was told. */
static inline long try_poller_join(const struct poller *poller)
{
	if (try_sleeper_join(&poller->sleeper))
		return -1;
	errno = poller->sleeper.error;
	return poller->sleeper.ret;
}

/* Signals, SIGUSR1, that are counted */

static unsigned int signals;

static inline void count_signal(int signal)
{
	__atomic_add_fetch(&signals, signal == SIGUSR1, __ATOMIC_RELAXED);
}

static inline int try_catch(int flags)
{
	const struct sigaction action = {
		.sa_handler = count_signal,
		.sa_flags = flags,
	};

	signals = 0;
	return sigaction(SIGUSR1, &action, NULL);
}

#endif /* UDMA_SLEEPER_H */
