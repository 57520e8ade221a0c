// SPDX-License-Identifier: GPL-2.0
/*
 * A block on its way: it is read or made, submitted, ends, and is written.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"

/* With more, whoever reads our pipe would keep us from reading. */
#define WRITE_BYTES	(64 << 10)

/* How long the transfer of a block has to be. What is behind it in the buffer harms nobody. */
size_t block_aligned(const struct run *run, size_t bytes)
{
	if (sends(run))
		return bytes;
	return (bytes + run->pump->align - 1) / run->pump->align * run->pump->align;
}

/* Whether that a file could not be read or written is more than nothing yet. */
static int failed(const struct run *run, const char *file)
{
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	complain_io(file, run->pump->choice.device);
	return -1;
}

static int complain_transfer(const struct run *run, const struct slot *slot, const char *why)
{
	complain(why, "%s: transfer at %llu", run->pump->choice.device,
		 (unsigned long long)slot->offset);
	return -1;
}

static int complain_submit(const struct run *run, const struct slot *slot)
{
	if (errno == EIO)
		return complain_transfer(run, slot, "the channel has failed");
	if (errno == EBUSY)
		return complain_transfer(run, slot, "another program uses it");
	if (errno != EINVAL || !(slot->bytes % run->pump->align))
		return complain_transfer(run, slot, strerror(errno));
	complain_align(run->pump->align, "%s: transfer at %llu, %zu bytes",
		       run->pump->choice.device, (unsigned long long)slot->offset, slot->bytes);
	return -1;
}

static int submit(struct run *run, struct slot *slot)
{
	size_t bytes = block_aligned(run, slot->bytes);

	run->pump->op->describe(run->transfer, run->pump, slot->dst, slot->src, bytes);
	udma_transfer_set_user_data(run->transfer, slot - run->slots);
	udma_transfer_set_timeout_ns(run->transfer, run->pump->timeout_ns);
	slot->offset = run->offset;
	slot->start_ns = now_ns();
	if (udma_channel_submit_one(run->pump->choice.channel, run->transfer) < 0)
		return complain_submit(run, slot);
	run->submitted++;
	run->offset += slot->bytes;
	return 0;
}

int block_read(struct run *run, struct slot *slot)
{
	struct pump *pump = run->pump;
	char *data = udma_buffer_get_data(slot->src);
	ssize_t count;

	count = read(pump->source.fd, data + slot->bytes, pump->block_bytes - slot->bytes);
	if (count < 0)
		return failed(run, pump->source.name);
	slot->bytes += count;
	run->eof = !count;
	if (slot->bytes == pump->block_bytes || (run->eof && slot->bytes))
		return submit(run, slot);
	return 0;
}

int block_make(struct run *run, struct slot *slot)
{
	uint64_t left = run->pump->bytes - run->offset;

	slot->bytes = left < run->pump->block_bytes ? left : run->pump->block_bytes;
	if (receives(run) && slot->bytes > run->pump->align)
		slot->bytes -= slot->bytes % run->pump->align;
	run->eof = slot->bytes == left;
	return slot->bytes ? submit(run, slot) : 0;
}

/* What did not come is asked for by another transfer. */
static void take_short(struct run *run, struct slot *slot, size_t bytes)
{
	run->pump->short_transfers++;
	run->offset -= slot->bytes - bytes;
	run->eof = false;
	slot->bytes = bytes;
}

/* What came for alignment only, behind the end, does not count. */
static void take_bytes(struct run *run, struct slot *slot,
		       const struct udma_completion *completion)
{
	if (!udma_completion_is_exact(completion))
		run->pump->inexact = true;
	if (udma_completion_get_bytes(completion) < slot->bytes)
		take_short(run, slot, udma_completion_get_bytes(completion));
}

/* What is wrong with how a transfer ended, or NULL. */
static const char *find_fault(const struct run *run, const struct udma_completion *completion)
{
	const char *why = explain_end(completion);

	if (!why && udma_completion_is_short(completion) && !receives(run))
		return "the controller stopped short";
	return why;
}

/* Its transfer has ended. */
int block_end(struct run *run, const struct udma_completion *completion)
{
	struct slot *slot = &run->slots[udma_completion_get_user_data(completion)];
	const char *fault = find_fault(run, completion);

	if (fault)
		return complain_transfer(run, slot, fault);
	if (receives(run))
		take_bytes(run, slot, completion);
	slot->end_ns = udma_completion_get_timestamp_ns(completion);
	slot->ended = true;
	return 0;
}

/* Where the controller wrote something else than it should have, or -1. */
static ssize_t find_difference(const struct run *run, const struct slot *slot)
{
	const uint8_t *dst = udma_buffer_get_data(slot->dst);
	const uint8_t *src = slot->src ? udma_buffer_get_data(slot->src) : NULL;
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
	complain("not what it should be", "%s: byte %llu", run->pump->choice.device,
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

/* It is where it was to go, and its slot free. */
void block_release(struct run *run, struct slot *slot)
{
	count_time(run, slot);
	run->written++;
	run->pump->done_bytes += slot->bytes;
	progress_tell(&run->progress, run->pump->done_bytes);
	slot->bytes = 0;
	slot->written = 0;
	slot->ended = false;
}

int block_write(struct run *run, struct slot *slot)
{
	const char *data = udma_buffer_get_data(slot->dst);
	size_t left = slot->bytes - slot->written;
	ssize_t count;

	if (!slot->written && run->pump->verify && verify(run, slot))
		return -1;
	count = write(run->pump->target.fd, data + slot->written,
		      left < WRITE_BYTES || run->pump->target.path ? left : WRITE_BYTES);
	if (count < 0)
		return failed(run, run->pump->target.name);
	slot->written += count;
	if (slot->written == slot->bytes)
		block_release(run, slot);
	return 0;
}
