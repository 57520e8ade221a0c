/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the pump know of each other: pump.c is what its commands have in
 * common, pump-op.c where they differ, pump-run.c has many blocks under way, and
 * pump-block.c is about one.
 */
#ifndef UDMACTL_PUMP_H
#define UDMACTL_PUMP_H

#include "udmactl.h"

struct pump;

/**
 * struct pump_op - what a pump does
 * @ability: what the channel has to be able to
 * @get_align: tells what the length of a transfer must be a multiple of
 * @describe: describes the transfer of so many bytes between the buffers of a slot
 * @sum_up: adds to the summary what there is to tell of this one only, or NULL
 * @reads: a file is read, to the buffers that are sources
 * @writes: a file is written, from those that are destinations
 * @device: it is from or to a device, which may end a transfer early, and of which nothing
 *	is to be moved that is not in the file
 */
struct pump_op {
	const struct ability *ability;
	unsigned int (*get_align)(const struct udma_channel_info *info);
	void (*describe)(struct udma_transfer *transfer, const struct pump *pump,
			 const struct udma_buffer *dst, const struct udma_buffer *src,
			 size_t bytes);
	void (*sum_up)(struct json_object *record, const struct pump *pump);
	bool reads;
	bool writes;
	bool device;
};

extern const struct pump_op pump_copy, pump_fill, pump_send, pump_receive;

/**
 * struct pump - what goes from where to where
 * @op: what is done
 * @choice: the device to use
 * @slots: how many blocks there are at a time; 0 for 4
 * @block_bytes: how much goes by one transfer; 0 for what suits the channel
 * @verify: whether to compare what the controller wrote
 * @timeout_ns: how long a transfer may take, or 0 for what the channel has for that
 * @json: whether the summary is JSON
 * @source: where the data comes from, if it is a file
 * @value: what to fill with
 * @bytes: how much there is. Of a file it may be 0 when nobody knows, or wrong
 * @align: what the length of a transfer must be a multiple of
 * @target: where the data goes, if that is a file
 * @done_bytes: how much of it has gone there
 * @total_ns: how long it took
 * @dma_ns: for how long of that a transfer was under way
 * @short_transfers: how many transfers ended early
 * @inexact: how much came may be more than what is known
 */
struct pump {
	const struct pump_op *op;
	struct choice choice;
	unsigned int slots;
	size_t block_bytes;
	int64_t timeout_ns;
	bool verify;
	bool json;

	struct source source;
	uint8_t value;
	uint64_t bytes;
	unsigned int align;

	struct target target;
	uint64_t done_bytes;
	uint64_t total_ns;
	uint64_t dma_ns;
	uint64_t short_transfers;
	bool inexact;
};

#define PUMP_INIT(_op)	{ .op = (_op), .source.fd = -1 }
/* The options of all, and those of what stays within memory. */
#define PUMP_LETTERS		"d:b:s:t:j"
#define PUMP_MEMORY_LETTERS	PUMP_LETTERS "xv"
#define PUMP_HELP							\
	"  -d, --device=DEVICE   use this device, not the first that is able to\n"	\
	"  -b, --block-bytes=N   move N bytes by one transfer\n"		\
	"  -s, --slots=N         have up to N blocks under way; 4\n"	\
	"  -t, --timeout=MS      let no transfer take longer than MS milliseconds\n"
#define PUMP_MEMORY_HELP						\
	PUMP_HELP							\
	"  -x, --exclusive       let nobody else use the device meanwhile\n"	\
	"  -v, --verify          compare what the controller wrote\n"

int pump_option(struct pump *pump, int option, char **argv);
int pump_main(struct pump *pump, const char *target);
int pump_run(struct pump *pump);

/**
 * struct slot - where a block is
 * @src: what the controller reads, or NULL
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
 * @offset: how much was submitted, and came or may still come
 * @eof: there is nothing more to submit
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

static inline bool receives(const struct run *run)
{
	return run->pump->op->device && run->pump->op->writes;
}

static inline bool sends(const struct run *run)
{
	return run->pump->op->device && run->pump->op->reads;
}

/* block: one of them */
size_t block_aligned(const struct run *run, size_t bytes);
int block_read(struct run *run, struct slot *slot);
int block_make(struct run *run, struct slot *slot);
int block_end(struct run *run, const struct udma_completion *completion);
int block_write(struct run *run, struct slot *slot);
void block_release(struct run *run, struct slot *slot);

#endif /* UDMACTL_PUMP_H */
