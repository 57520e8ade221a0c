// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static void adopt(struct udma_channel *channel, struct udma_buffer *buffer)
{
	buffer->channel = channel;
	buffer->next = channel->buffers;
	buffer->prev = &channel->buffers;
	if (buffer->next)
		buffer->next->prev = &buffer->next;
	channel->buffers = buffer;
}

void udma_buffer_orphan(struct udma_buffer *buffer)
{
	if (buffer->next)
		buffer->next->prev = buffer->prev;
	*buffer->prev = buffer->next;
	buffer->channel = NULL;
}

static void free_handle(const struct udma_channel *channel, uint32_t handle)
{
	struct udma_buffer_free arg = {
		.size = sizeof(arg),
		.handle = handle,
	};

	udma_channel_ioctl(channel, UDMA_BUFFER_FREE, &arg);
}

static void *map(const struct udma_channel *channel, const struct udma_buffer_alloc *alloc)
{
	size_t bytes = alloc->out_map_bytes;

	if (bytes != alloc->out_map_bytes) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, channel->fd,
		    alloc->out_mmap_offset);
}

static int alloc_and_map(struct udma_channel *channel, struct udma_buffer *buffer, size_t bytes)
{
	struct udma_buffer_alloc alloc = {
		.size = sizeof(alloc),
		.memory = UDMA_MEMORY_COHERENT,
		.bytes = bytes,
	};
	int saved;

	if (udma_channel_ioctl(channel, UDMA_BUFFER_ALLOC, &alloc) < 0)
		return -1;
	buffer->data = map(channel, &alloc);
	if (buffer->data == MAP_FAILED) {
		saved = errno;
		free_handle(channel, alloc.out_handle);
		errno = saved;
		return -1;
	}
	buffer->channel_id = channel->id;
	buffer->handle = alloc.out_handle;
	buffer->cached = alloc.out_caching == UDMA_CACHING_CACHED;
	buffer->bytes = bytes;
	buffer->map_bytes = alloc.out_map_bytes;
	return 0;
}

UDMA_EXPORT struct udma_buffer *udma_buffer_alloc(struct udma_channel *channel, size_t bytes)
{
	struct udma_buffer *buffer;
	int saved;

	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return NULL;
	if (alloc_and_map(channel, buffer, bytes) < 0) {
		saved = errno;
		free(buffer);
		errno = saved;
		return NULL;
	}
	adopt(channel, buffer);
	return buffer;
}

UDMA_EXPORT void udma_buffer_free(struct udma_buffer *buffer)
{
	int saved = errno;

	if (!buffer)
		return;
	munmap(buffer->data, buffer->map_bytes);
	if (buffer->channel) {
		/* A child shares the open device: the handle is the parent's. */
		if (getpid() == buffer->channel->owner)
			free_handle(buffer->channel, buffer->handle);
		udma_buffer_orphan(buffer);
	}
	free(buffer);
	errno = saved;
}

UDMA_EXPORT void *udma_buffer_get_data(const struct udma_buffer *buffer)
{
	return buffer->data;
}

UDMA_EXPORT size_t udma_buffer_get_bytes(const struct udma_buffer *buffer)
{
	return buffer->bytes;
}

UDMA_EXPORT bool udma_buffer_is_cached(const struct udma_buffer *buffer)
{
	return buffer->cached;
}
