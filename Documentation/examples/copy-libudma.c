// SPDX-License-Identifier: GPL-2.0
/*
 * Copies a text from one buffer to another through a DMA channel:
 * copy-libudma [DEVICE]
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libudma.h>

#define BYTES 4096

static const struct udma_completion *wait_for_one(struct udma_channel *channel,
						  struct udma_completions *completions)
{
	if (udma_channel_wait(channel, -1) < 0)
		err(1, "wait");
	if (udma_channel_read(channel, completions, 1) < 0)
		err(1, "read");
	return udma_completions_get(completions, 0);
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "udma0";
	struct udma_channel *channel = udma_channel_open(device);
	struct udma_transfer *transfer = udma_transfer_new();
	struct udma_completions *completions = udma_completions_new(1);
	const struct udma_completion *completion;
	struct udma_buffer *src, *dst;

	if (!channel || !transfer || !completions)
		err(1, "%s", device);
	src = udma_buffer_alloc(channel, BYTES);
	dst = udma_buffer_alloc(channel, BYTES);
	if (!src || !dst)
		err(1, "buffer");
	strcpy(udma_buffer_get_data(src), "through a DMA channel");

	udma_transfer_set_copy(transfer, dst, 0, src, 0, BYTES);
	udma_transfer_set_user_data(transfer, 42);
	if (udma_channel_submit_one(channel, transfer) < 0)
		err(1, "submit");
	/* Here the program does something else. */
	completion = wait_for_one(channel, completions);
	errno = udma_completion_get_error(completion);
	if (errno)
		err(1, "the transfer");
	printf("transfer %llu: %llu bytes: %s\n",
	       (unsigned long long)udma_completion_get_user_data(completion),
	       (unsigned long long)udma_completion_get_bytes(completion),
	       (char *)udma_buffer_get_data(dst));

	udma_completions_free(completions);
	udma_transfer_free(transfer);
	udma_buffer_free(dst);
	udma_buffer_free(src);
	udma_channel_close(channel);
	return 0;
}
