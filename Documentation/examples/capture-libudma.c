// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a MiB of what a device gives to stdout, and what was lost to stderr:
 * capture-libudma [DEVICE]
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libudma.h>

#define PERIOD	4096
#define RING	(64 * PERIOD)
#define WANTED	(1024 * 1024)

static struct udma_stream *start(struct udma_channel *channel, struct udma_buffer *buffer)
{
	struct udma_stream_config *config = udma_stream_config_new();
	struct udma_stream *stream;

	if (!config)
		err(1, "config");
	udma_stream_config_set_cyclic(config, buffer, 0, RING, PERIOD);
	stream = udma_stream_start(channel, config);
	if (!stream)
		err(1, "start");
	udma_stream_config_free(config);
	return stream;
}

/* As much as there is in one piece. It is worth something only once it was consumed. */
static size_t take(struct udma_stream *stream, char *copy, size_t wanted)
{
	const void *data;
	ssize_t bytes = udma_stream_peek(stream, &data);

	if (bytes < 0)
		err(1, "peek");
	if ((size_t)bytes > wanted)
		bytes = wanted;
	memcpy(copy, data, bytes);
	if (udma_stream_consume(stream, bytes) == 0)
		return bytes;
	if (errno != EPIPE)
		err(1, "consume");
	return 0;
}

static void capture(struct udma_stream *stream)
{
	static char copy[RING];
	size_t total = 0, bytes;

	while (total < WANTED) {
		/* No system call where there is more than was seen before. */
		if (udma_stream_wait(stream, -1) < 0)
			break;
		while ((bytes = take(stream, copy, WANTED - total))) {
			if (write(STDOUT_FILENO, copy, bytes) != (ssize_t)bytes)
				err(1, "stdout");
			total += bytes;
		}
	}
	if (total < WANTED)
		errx(1, "ended after %zu bytes: %s", total,
		     strerror(udma_stream_get_error(stream)));
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "udma0";
	struct udma_channel *channel = udma_channel_open(device);
	struct udma_buffer *buffer;
	struct udma_stream *stream;

	if (!channel)
		err(1, "%s", device);
	buffer = udma_buffer_alloc(channel, RING);
	if (!buffer)
		err(1, "buffer");
	stream = start(channel, buffer);
	capture(stream);
	fprintf(stderr, "lost %llu bytes\n", (unsigned long long)udma_stream_get_lost(stream));

	udma_stream_free(stream);
	udma_buffer_free(buffer);
	udma_channel_close(channel);
	return 0;
}
