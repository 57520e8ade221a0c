// SPDX-License-Identifier: GPL-2.0
/*
 * Copies a buffer to another in many small pieces, many of them at a time:
 * queue-libudma [DEVICE]
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libudma.h>

#define PIECE	4096
#define PIECES	256
#define DEPTH	32

struct job {
	struct udma_queue *queue;
	struct udma_transfer *transfer;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	size_t added;
};

/* As many as there is room for. The kernel does not learn of them yet. */
static void add_pieces(struct job *job)
{
	while (job->added < PIECES && udma_queue_get_room(job->queue)) {
		udma_transfer_set_copy(job->transfer, job->dst, job->added * PIECE, job->src,
				       job->added * PIECE, PIECE);
		udma_transfer_set_user_data(job->transfer, job->added);
		if (udma_queue_add(job->queue, job->transfer) < 0)
			err(1, "add");
		job->added++;
	}
}

static void run(struct job *job)
{
	const struct udma_completion *completion;

	add_pieces(job);
	while (udma_queue_get_pending(job->queue)) {
		/* The only system call: it submits what was added, and waits for one. */
		if (udma_queue_wait(job->queue, 1, -1) < 0)
			err(1, "wait");
		while ((completion = udma_queue_next(job->queue))) {
			errno = udma_completion_get_error(completion);
			if (errno)
				err(1, "piece %llu", (unsigned long long)
				    udma_completion_get_user_data(completion));
		}
		add_pieces(job);
	}
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "udma0";
	struct udma_channel *channel = udma_channel_open(device);
	struct job job = {};

	if (!channel)
		err(1, "%s", device);
	job.src = udma_buffer_alloc(channel, PIECES * PIECE);
	job.dst = udma_buffer_alloc(channel, PIECES * PIECE);
	job.transfer = udma_transfer_new();
	if (!job.src || !job.dst || !job.transfer)
		err(1, "buffer");
	job.queue = udma_queue_new(channel, DEPTH, UDMA_QUEUE_MAPPED);
	if (!job.queue)
		err(1, "queue");
	memset(udma_buffer_get_data(job.src), 0x5a, PIECES * PIECE);

	run(&job);
	if (memcmp(udma_buffer_get_data(job.dst), udma_buffer_get_data(job.src), PIECES * PIECE))
		errx(1, "not what was sent");
	printf("%d transfers of %d bytes\n", PIECES, PIECE);

	udma_queue_free(job.queue);
	udma_transfer_free(job.transfer);
	udma_buffer_free(job.dst);
	udma_buffer_free(job.src);
	udma_channel_close(channel);
	return 0;
}
