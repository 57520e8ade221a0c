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

#include "udmactl.h"

/* With more, whoever reads our pipe would keep us from reading. */
#define WRITE_BYTES	(64 << 10)

enum { IN, OUT, CHANNEL, STOP, POLLS };

/**
 * struct slot - where a block is
 * @src: what the controller reads; NULL to fill
 * @dst: what it writes
 * @offset: of the block in the data
 * @bytes: how much of it there is
 * @written: how much of it has been written
 * @ended: its transfer has ended
 * @start_ns: when that was submitted
 * @end_ns: when it ended
 */
struct slot {
	struct udma_buffer *src;
	struct udma_buffer *dst;
	uint64_t offset;
	size_t bytes;
	size_t written;
	bool ended;
	uint64_t start_ns;
	uint64_t end_ns;
};

/**
 * struct run - a pump at work
 * @pump: what it is about
 * @slots: for the blocks, by turns
 * @transfer: describes the transfer that is submitted next
 * @completions: room for those of all slots
 * @progress: for the user
 * @submitted: how many blocks were submitted
 * @written: how many of them were written
 * @offset: how much was submitted
 * @eof: there is nothing more to read
 * @stop_fd: readable when the user wants it to end
 * @counted_ns: up to when the time of transfers was counted
 */
struct run {
	struct pump *pump;
	struct slot *slots;
	struct udma_transfer *transfer;
	struct udma_completions *completions;
	struct progress progress;
	uint64_t submitted;
	uint64_t written;
	uint64_t offset;
	bool eof;
	int stop_fd;
	uint64_t counted_ns;
};

static bool is_fill(const struct run *run)
{
	return !run->pump->source;
}

static size_t aligned(const struct run *run, size_t bytes)
{
	return (bytes + run->pump->align - 1) / run->pump->align * run->pump->align;
}

/* The next block to read, if there is a slot for it. */
static struct slot *slot_to_read(const struct run *run)
{
	if (run->eof || run->submitted - run->written == run->pump->slots)
		return NULL;
	return &run->slots[run->submitted % run->pump->slots];
}

/* The next block to write, if the controller is done with it. */
static struct slot *slot_to_write(const struct run *run)
{
	struct slot *slot = &run->slots[run->written % run->pump->slots];

	return run->written < run->submitted && slot->ended ? slot : NULL;
}

/* EFAULT: the memory of the buffers went, and that goes with the channel. */
static int complain_io(const struct run *run, const char *name)
{
	if (errno == EFAULT)
		complain(strerror(ENODEV), "%s", run->pump->device);
	else
		complain_errno("%s", name);
	return -1;
}

static int complain_transfer(const struct run *run, const struct slot *slot, const char *why)
{
	complain(why, "%s: transfer at %llu", run->pump->device, (unsigned long long)slot->offset);
	return -1;
}

static int submit(struct run *run, struct slot *slot)
{
	size_t bytes = aligned(run, slot->bytes);

	if (is_fill(run))
		udma_transfer_set_fill(run->transfer, slot->dst, 0, bytes, run->pump->value);
	else
		udma_transfer_set_copy(run->transfer, slot->dst, 0, slot->src, 0, bytes);
	udma_transfer_set_user_data(run->transfer, slot - run->slots);
	udma_transfer_set_timeout_ns(run->transfer, run->pump->timeout_ns);
	slot->offset = run->offset;
	slot->start_ns = now_ns();
	if (udma_channel_submit_one(run->pump->channel, run->transfer) < 0)
		return complain_transfer(run, slot, errno == EIO ? "the channel has failed" :
							  strerror(errno));
	run->submitted++;
	run->offset += slot->bytes;
	return 0;
}

static int read_block(struct run *run, struct slot *slot)
{
	struct pump *pump = run->pump;
	char *data = udma_buffer_get_data(slot->src);
	ssize_t count;

	count = read(pump->in, data + slot->bytes, pump->block_bytes - slot->bytes);
	if (count < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : complain_io(run, pump->source);
	slot->bytes += count;
	run->eof = !count;
	if (slot->bytes == pump->block_bytes || (run->eof && slot->bytes))
		return submit(run, slot);
	return 0;
}

static int make_block(struct run *run, struct slot *slot)
{
	uint64_t left = run->pump->bytes - run->offset;

	slot->bytes = left < run->pump->block_bytes ? left : run->pump->block_bytes;
	run->eof = slot->bytes == left;
	return slot->bytes ? submit(run, slot) : 0;
}

/* What is wrong with how a transfer ended, or NULL. */
static const char *find_fault(const struct udma_completion *completion)
{
	int error = udma_completion_get_error(completion);

	if (!error)
		return udma_completion_is_short(completion) ? "the controller stopped short" : NULL;
	if (udma_completion_is_held(completion))
		return "the controller could not be stopped, and may still use the buffers";
	if (error == ETIMEDOUT)
		return "it took too long, or the controller hangs";
	return strerror(error);
}

static int finish_transfer(struct run *run, const struct udma_completion *completion)
{
	struct slot *slot = &run->slots[udma_completion_get_user_data(completion)];
	const char *fault = find_fault(completion);

	if (fault)
		return complain_transfer(run, slot, fault);
	slot->end_ns = udma_completion_get_timestamp_ns(completion);
	slot->ended = true;
	return 0;
}

static int finish_transfers(struct run *run)
{
	ssize_t count, i;

	count = udma_channel_read(run->pump->channel, run->completions, run->pump->slots);
	if (count < 0) {
		complain_errno("%s", run->pump->device);
		return -1;
	}
	for (i = 0; i < count; i++)
		if (finish_transfer(run, udma_completions_get(run->completions, i)))
			return -1;
	return 0;
}

/* Where the controller wrote something else than it should have, or -1. */
static ssize_t find_difference(const struct run *run, const struct slot *slot)
{
	const uint8_t *dst = udma_buffer_get_data(slot->dst);
	const uint8_t *src = is_fill(run) ? NULL : udma_buffer_get_data(slot->src);
	size_t i;

	if (src && !memcmp(dst, src, slot->bytes))
		return -1;
	for (i = 0; i < slot->bytes; i++)
		if (dst[i] != (src ? src[i] : run->pump->value))
			return i;
	return -1;
}

static int verify(const struct run *run, const struct slot *slot)
{
	ssize_t where = find_difference(run, slot);

	if (where < 0)
		return 0;
	complain("not what it should be", "%s: byte %llu", run->pump->device,
		 (unsigned long long)slot->offset + where);
	return -1;
}

/* In the order of the blocks, so that no start is before one that was counted. */
static void count_time(struct run *run, const struct slot *slot)
{
	uint64_t start = slot->start_ns;

	if (start < run->counted_ns)
		start = run->counted_ns;
	if (slot->end_ns <= start)
		return;
	run->pump->dma_ns += slot->end_ns - start;
	run->counted_ns = slot->end_ns;
}

static void release_slot(struct run *run, struct slot *slot)
{
	run->written++;
	run->pump->done_bytes += slot->bytes;
	progress_tell(&run->progress, run->pump->done_bytes);
	slot->bytes = 0;
	slot->written = 0;
	slot->ended = false;
}

static int write_block(struct run *run, struct slot *slot)
{
	const char *data = udma_buffer_get_data(slot->dst);
	size_t left = slot->bytes - slot->written;
	ssize_t count;

	if (!slot->written) {
		count_time(run, slot);
		if (run->pump->verify && verify(run, slot))
			return -1;
	}
	count = write(run->pump->target.fd, data + slot->written,
		      left < WRITE_BYTES || run->pump->target.path ? left : WRITE_BYTES);
	if (count < 0)
		return errno == EINTR || errno == EAGAIN ? 0 :
		       complain_io(run, run->pump->target.name);
	slot->written += count;
	if (slot->written == slot->bytes)
		release_slot(run, slot);
	return 0;
}

/* Wait until something can go on. A fill has its data at once. */
static int wait_for_any(struct run *run, bool to_read, bool to_write, struct pollfd *polls)
{
	struct udma_channel *channel = run->pump->channel;
	bool idle = run->eof && !udma_channel_get_pending(channel);

	polls[IN] = (struct pollfd) {
		.fd = to_read && !is_fill(run) ? run->pump->in : -1,
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
	if (poll(polls, POLLS, to_read && is_fill(run) ? 0 : -1) >= 0 || errno == EINTR)
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
	if (to_read && is_fill(run) && make_block(run, to_read))
		return -1;
	if (polls[IN].revents && read_block(run, to_read))
		return -1;
	if (polls[OUT].revents && write_block(run, to_write))
		return -1;
	return 0;
}

static int alloc_slot(struct run *run, struct slot *slot)
{
	size_t bytes = aligned(run, run->pump->block_bytes);

	slot->dst = udma_buffer_alloc(run->pump->channel, bytes);
	if (slot->dst && !is_fill(run))
		slot->src = udma_buffer_alloc(run->pump->channel, bytes);
	return slot->dst && (slot->src || is_fill(run)) ? 0 : -1;
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
		complain_errno("%s: %u buffers of %zu bytes", pump->device,
			       is_fill(run) ? pump->slots : 2 * pump->slots, pump->block_bytes);
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
	struct udma_channel *channel = run->pump->channel;

	if (udma_channel_cancel_all(channel) < 0)
		return;
	if (udma_channel_get_pending(channel) && isatty(STDERR_FILENO))
		complain("waiting for the controller (once more ends at once)", "%s",
			 run->pump->device);
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
