// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define FIRST_ROOM	16

UDMA_EXPORT struct udma_ranges *udma_ranges_new(void)
{
	return calloc(1, sizeof(struct udma_ranges));
}

UDMA_EXPORT void udma_ranges_free(struct udma_ranges *ranges)
{
	int saved = errno;

	if (ranges)
		free(ranges->items);
	free(ranges);
	errno = saved;
}

static int grow(struct udma_ranges *ranges)
{
	size_t room = ranges->room ? 2 * ranges->room : FIRST_ROOM;
	struct udma_range *items;

	/* The kernel counts them in 32 bits. */
	if (room > UINT32_MAX) {
		errno = ENOMEM;
		return -1;
	}
	items = reallocarray(ranges->items, room, sizeof(*items));
	if (!items)
		return -1;
	ranges->items = items;
	ranges->room = room;
	return 0;
}

static int check(const struct udma_ranges *ranges, const struct udma_buffer *buffer, size_t bytes)
{
	if (!bytes) {
		errno = EINVAL;
		return -1;
	}
	if (ranges->count && ranges->channel_id != buffer->channel_id) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

UDMA_EXPORT int udma_ranges_add(struct udma_ranges *ranges, const struct udma_buffer *buffer,
				size_t offset, size_t bytes)
{
	if (check(ranges, buffer, bytes) < 0)
		return -1;
	if (ranges->count == ranges->room && grow(ranges) < 0)
		return -1;
	ranges->items[ranges->count++] = (struct udma_range) {
		.handle = buffer->handle,
		.offset = offset,
		.bytes = bytes,
	};
	ranges->channel_id = buffer->channel_id;
	ranges->bytes += bytes;
	return 0;
}

UDMA_EXPORT void udma_ranges_clear(struct udma_ranges *ranges)
{
	ranges->count = 0;
	ranges->bytes = 0;
}

UDMA_EXPORT size_t udma_ranges_get_count(const struct udma_ranges *ranges)
{
	return ranges->count;
}

UDMA_EXPORT uint64_t udma_ranges_get_bytes(const struct udma_ranges *ranges)
{
	return ranges->bytes;
}
