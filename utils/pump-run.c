// SPDX-License-Identifier: GPL-2.0
/*
 * Data through a channel, block by block. Each block has a slot with buffers of
 * its own, so that while the controller works on one, another one can be read
 * and a third one written. One loop waits for whichever of the three can go on.
 * Blocks are read and written in order; their transfers may end in any.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"

enum { IN, OUT, CHANNEL, STOP, POLLS };

/*
 * What is left to receive is less than a transfer can be. When others are under way, which may
 * end early, it may become more, and nothing must get lost in between.
 */
static bool has_to_wait(const struct run *run)
{
	return receives(run) && run->pump->bytes - run->offset < run->pump->align &&
	       run->submitted != run->written;
}

/* The next block to read, if there is a slot for it. */
static struct slot *slot_to_read(const struct run *run)
{
	if (run->eof || run->submitted - run->written == run->pump->slots || has_to_wait(run))
		return NULL;
	return &run->slots[run->submitted % run->pump->slots];
}

/* The next block to write, if the controller is done with it. */
static struct slot *slot_to_write(const struct run *run)
{
	struct slot *slot = &run->slots[run->written % run->pump->slots];

	return run->written < run->submitted && slot->ended ? slot : NULL;
}

static int finish_transfers(struct run *run)
{
	ssize_t count, i;

	count = udma_channel_read(run->pump->choice.channel, run->completions, run->pump->slots);
	if (count < 0) {
		complain_errno("%s", run->pump->choice.device);
		return -1;
	}
	for (i = 0; i < count; i++)
		if (block_end(run, udma_completions_get(run->completions, i)))
			return -1;
	return 0;
}

/* Where nothing is written, that is all. */
static void finish_blocks(struct run *run)
{
	struct slot *slot;

	while ((slot = slot_to_write(run)))
		block_release(run, slot);
}

/* Wait until something can go on. What reads no file has its block at once. */
static int wait_for_any(struct run *run, bool to_read, bool to_write, struct pollfd *polls)
{
	struct udma_channel *channel = run->pump->choice.channel;
	bool idle = run->eof && !udma_channel_get_pending(channel);
	bool reads = run->pump->op->reads;

	polls[IN] = (struct pollfd) {
		.fd = to_read && reads ? run->pump->source.fd : -1,
		.events = POLLIN,
	};
	polls[OUT] = (struct pollfd) {
		.fd = to_write ? run->pump->target.fd : -1,
		.events = POLLOUT,
	};
	/* Not only for transfers: it also says when the channel goes. */
	polls[CHANNEL] = (struct pollfd) {
		.fd = idle ? -1 : udma_channel_get_fd(channel),
		.events = POLLIN,
	};
	polls[STOP] = (struct pollfd) { .fd = run->stop_fd, .events = POLLIN };
	if (poll(polls, POLLS, to_read && !reads ? 0 : -1) >= 0 || errno == EINTR)
		return 0;
	complain_errno("poll");
	return -1;
}

static int step(struct run *run)
{
	struct slot *to_read = slot_to_read(run), *to_write = slot_to_write(run);
	struct pollfd polls[POLLS];

	if (wait_for_any(run, to_read, to_write, polls))
		return -1;
	if (cleanup_deferred())
		return 0;
	if (polls[CHANNEL].revents && finish_transfers(run))
		return -1;
	if (sends(run))
		finish_blocks(run);
	if (to_read && !run->pump->op->reads && block_make(run, to_read))
		return -1;
	if (polls[IN].revents && block_read(run, to_read))
		return -1;
	if (polls[OUT].revents && block_write(run, to_write))
		return -1;
	return 0;
}

static int alloc_slot(struct run *run, struct slot *slot)
{
	const struct pump_op *op = run->pump->op;
	size_t bytes = block_aligned(run, run->pump->block_bytes);

	if (op->writes)
		slot->dst = udma_buffer_alloc(run->pump->choice.channel, bytes);
	if (op->reads && (slot->dst || !op->writes))
		slot->src = udma_buffer_alloc(run->pump->choice.channel, bytes);
	return (slot->dst || !op->writes) && (slot->src || !op->reads) ? 0 : -1;
}

static int prepare(struct run *run)
{
	struct pump *pump = run->pump;
	unsigned int i;

	run->slots = calloc(pump->slots, sizeof(*run->slots));
	run->transfer = udma_transfer_new();
	run->completions = udma_completions_new(pump->slots);
	if (!run->slots || !run->transfer || !run->completions) {
		complain_errno("memory");
		return -1;
	}
	for (i = 0; i < pump->slots; i++) {
		if (!alloc_slot(run, &run->slots[i]))
			continue;
		complain_errno("%s: %u buffers of %zu bytes", pump->choice.device,
			       (pump->op->reads + pump->op->writes) * pump->slots,
			       pump->block_bytes);
		return -1;
	}
	return 0;
}

static void release(struct run *run)
{
	unsigned int i;

	for (i = 0; run->slots && i < run->pump->slots; i++) {
		udma_buffer_free(run->slots[i].src);
		udma_buffer_free(run->slots[i].dst);
	}
	free(run->slots);
	udma_transfer_free(run->transfer);
	udma_completions_free(run->completions);
}

/* The user wants it to end: wait only until the controller has let go of everything. */
static void give_up(struct run *run)
{
	struct udma_channel *channel = run->pump->choice.channel;

	if (udma_channel_cancel_all(channel) < 0)
		return;
	if (udma_channel_get_pending(channel) && isatty(STDERR_FILENO))
		complain("waiting for the controller (once more ends at once)", "%s",
			 run->pump->choice.device);
	while (udma_channel_get_pending(channel)) {
		if (udma_channel_wait(channel, -1) < 0 && errno != EINTR)
			break;
		if (udma_channel_read(channel, run->completions, run->pump->slots) < 0)
			break;
	}
}

/**
 * pump_run - bring all data through the channel
 * @pump: what is to be done; the result is added to it
 *
 * Return: 0, or -1 after it said why.
 */
int pump_run(struct pump *pump)
{
	struct run run = { .pump = pump };
	uint64_t start_ns;
	int ret;

	ret = prepare(&run);
	start_ns = now_ns();
	progress_begin(&run.progress, pump->bytes);
	run.stop_fd = cleanup_defer();
	while (!ret && !cleanup_deferred() && !(run.eof && run.written == run.submitted))
		ret = step(&run);
	pump->total_ns = now_ns() - start_ns;
	progress_end(&run.progress);
	if (cleanup_defer_no_more()) {
		ret = -1;
		give_up(&run);
	}
	release(&run);
	return ret;
}
