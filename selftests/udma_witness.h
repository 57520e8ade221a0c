/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test that does bad things to a channel looks at afterwards: whether all
 * that it took is back, and whether the channel still copies.
 */
#ifndef UDMA_WITNESS_H
#define UDMA_WITNESS_H

#include "udma_sim.h"

/*
 * A line for whoever reads the output, which says more than "ok". It is there even
 * when the test, a process of its own, ends badly.
 */
#define say(_format, ...)						\
	do {								\
		printf("# " _format "\n", ##__VA_ARGS__);		\
		fflush(stdout);						\
	} while (0)

/* A file of one number, or -1 where there is none. */
static inline long number_in(const char *path)
{
	char text[32], *end;
	long value;

	if (try_read_text(path, text, sizeof(text)))
		return -1;
	value = strtol(text, &end, 10);
	return end != text && !*end ? value : -1;
}

static inline bool chan_is(const struct sim *sim, const char *state)
{
	char node[32], path[128], text[32];

	if (try_find_node(sim->name, node, sizeof(node)))
		return false;
	snprintf(path, sizeof(path), UDMA_CLASS "/%.31s/state", node);
	return !try_read_text(path, text, sizeof(text)) && !strcmp(text, state);
}

/*
 * What programs have of a channel. A mapping of DMA memory is an entry only where
 * the kernel checks the use of the DMA API.
 */
struct ledger {
	long refs;		/* of the module: open files, and mappings */
	long bytes;		/* in buffers, or -1 where that is not told */
	long dma_entries;	/* that are free, or -1 */
};

static inline struct ledger ledger_read(const struct sim *sim)
{
	return (struct ledger) {
		.refs = number_in("/sys/module/udma/refcnt"),
		.bytes = chan_get(sim, 0, "used_bytes"),
		.dma_entries =
			number_in("/sys/kernel/debug/dma-api/num_free_entries"),
	};
}

/* Wait until all is back: workers may still be at it. */
static inline int try_ledger_wait(const struct sim *sim,
				  const struct ledger *before)
{
	struct ledger now;
	__u64 end = 0;

	do {
		now = ledger_read(sim);
		if (!memcmp(&now, before, sizeof(now)))
			return 0;
	} while (look_again(&end));
	say("references %ld, were %ld", now.refs, before->refs);
	say("bytes %ld, were %ld", now.bytes, before->bytes);
	say("free entries %ld, were %ld", now.dma_entries, before->dma_entries);
	errno = ETIME;
	return -1;
}

/* Somebody who copies, again and again, and looks at what has come. */
struct witness {
	int fd;
	struct buffer dst;
	struct buffer src;
	struct udma_request request;
};

static inline int try_witness_open(struct witness *witness,
				   const struct sim *sim, __u64 bytes)
{
	witness->fd = try_sim_open(sim, 0, O_RDWR);
	if (witness->fd < 0 ||
	    try_alloc_map(witness->fd, bytes, &witness->dst) ||
	    try_alloc_map(witness->fd, bytes, &witness->src))
		return -1;
	witness->request = copy_request(&witness->dst, 100, &witness->src, 200,
					bytes - 1000);
	return 0;
}

/*
 * "copied", or what is wrong. A transfer that did not end well is as good as one
 * that did where @hard is set.
 */
static inline const char *witness_run(struct witness *witness, bool hard)
{
	struct udma_event event;

	copy_prepare(&witness->dst, &witness->src, &witness->request);
	if (try_submit_one(witness->fd, witness->request) != 1)
		return hard && errno == EIO ? "copied" : strerror(errno);
	if (try_collect(witness->fd, &event, 1) != 1)
		return strerror(errno);
	if (hard && (event.status || event.flags & UDMA_EVENT_F_SHORT))
		return "copied";
	if (event.status)
		return strerror(-event.status);
	return copy_verdict(&witness->dst, &witness->src, &witness->request);
}

static inline int try_witness_close(struct witness *witness)
{
	if (try_unmap(&witness->dst) || try_unmap(&witness->src))
		return -1;
	return close(witness->fd);
}

/* A program that comes afterwards, as a whole. */
static inline const char *witness_come(const struct sim *sim)
{
	struct witness witness;
	const char *verdict;

	if (try_witness_open(&witness, sim, 64 * KIB))
		return strerror(errno);
	verdict = witness_run(&witness, false);
	if (try_witness_close(&witness))
		return strerror(errno);
	return verdict;
}

#endif /* UDMA_WITNESS_H */
