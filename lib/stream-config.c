// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "stream.h"

UDMA_EXPORT struct udma_stream_config *udma_stream_config_new(void)
{
	struct udma_stream_config *config;

	config = calloc(1, sizeof(*config));
	if (!config)
		return NULL;
	config->start.size = sizeof(config->start);
	config->start.event_periods = 1;
	return config;
}

UDMA_EXPORT void udma_stream_config_free(struct udma_stream_config *config)
{
	int saved = errno;

	free(config);
	errno = saved;
}

static void set_ring(struct udma_stream_config *config, uint32_t type,
		     const struct udma_buffer *buffer, size_t offset, size_t bytes,
		     size_t period_bytes)
{
	config->start.type = type;
	config->start.handle = buffer->handle;
	config->start.offset = offset;
	config->start.bytes = bytes;
	config->start.period_bytes = period_bytes;
	config->ring = (unsigned char *)buffer->data + offset;
	config->channel_id = buffer->channel_id;
}

UDMA_EXPORT void udma_stream_config_set_cyclic(struct udma_stream_config *config,
					       const struct udma_buffer *buffer, size_t offset,
					       size_t bytes, size_t period_bytes)
{
	set_ring(config, UDMA_STREAM_CYCLIC, buffer, offset, bytes, period_bytes);
}

UDMA_EXPORT void udma_stream_config_set_packets(struct udma_stream_config *config,
						const struct udma_buffer *buffer, size_t offset,
						size_t bytes, size_t slot_bytes)
{
	set_ring(config, UDMA_STREAM_PACKETS, buffer, offset, bytes, slot_bytes);
}

UDMA_EXPORT void udma_stream_config_set_event_periods(struct udma_stream_config *config,
						      unsigned int periods)
{
	config->start.event_periods = periods;
}

UDMA_EXPORT void udma_stream_config_set_idle_ns(struct udma_stream_config *config,
						uint64_t idle_ns)
{
	config->start.idle_ns = idle_ns;
}

UDMA_EXPORT void udma_stream_config_set_filled_bytes(struct udma_stream_config *config,
						     size_t bytes)
{
	config->start.filled_bytes = bytes;
}

UDMA_EXPORT void udma_stream_config_set_stop_on_overrun(struct udma_stream_config *config,
							bool stop)
{
	config->start.flags = stop ? UDMA_STREAM_F_STOP : 0;
}

UDMA_EXPORT void udma_stream_config_set_user_data(struct udma_stream_config *config,
						  uint64_t user_data)
{
	config->start.user_data = user_data;
}
