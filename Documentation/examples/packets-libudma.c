// SPDX-License-Identifier: GPL-2.0
/*
 * Tells of ten packets from a device how long they are, and their first byte:
 * packets-libudma [DEVICE]
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libudma.h>

#define SLOT	2048
#define SLOTS	32
#define WANTED	10

static struct udma_stream *start(struct udma_channel *channel, struct udma_buffer *buffer)
{
	struct udma_stream_config *config = udma_stream_config_new();
	struct udma_stream *stream;

	if (!config)
		err(1, "config");
	udma_stream_config_set_packets(config, buffer, 0, SLOTS * SLOT, SLOT);
	stream = udma_stream_start(channel, config);
	if (!stream)
		err(1, "start");
	udma_stream_config_free(config);
	return stream;
}

static void tell(const struct udma_completion *packet, const unsigned char *data)
{
	size_t bytes = udma_completion_get_bytes(packet);

	printf("%zu bytes", bytes);
	if (bytes)
		printf(", the first is 0x%02x", data[0]);
	/* One that fills its slot may go on in the next one. */
	puts(udma_completion_is_short(packet) ? "" : "...");
}

static void receive(struct udma_stream *stream)
{
	const struct udma_completion *packet;
	unsigned int count = 0;
	const void *data;

	while (count < WANTED) {
		if (udma_stream_wait(stream, -1) < 0)
			errx(1, "ended after %u packets: %s", count,
			     strerror(udma_stream_get_error(stream)));
		while (count < WANTED && (packet = udma_stream_next_packet(stream, &data))) {
			tell(packet, data);
			count++;
			/* From now on the slot is the controller's again. */
			if (udma_stream_give_back(stream) < 0)
				err(1, "give back");
		}
	}
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "udma0";
	struct udma_channel *channel = udma_channel_open(device);
	struct udma_buffer *buffer;
	struct udma_stream *stream;

	if (!channel)
		err(1, "%s", device);
	buffer = udma_buffer_alloc(channel, SLOTS * SLOT);
	if (!buffer)
		err(1, "buffer");
	stream = start(channel, buffer);
	receive(stream);

	udma_stream_free(stream);
	udma_buffer_free(buffer);
	udma_channel_close(channel);
	return 0;
}
