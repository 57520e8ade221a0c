// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct udma_completions {
	size_t capacity;
	size_t count;
	struct udma_completion *items;
};

UDMA_EXPORT struct udma_completions *udma_completions_new(size_t capacity)
{
	struct udma_completions *completions;

	if (!capacity) {
		errno = EINVAL;
		return NULL;
	}
	completions = calloc(1, sizeof(*completions));
	if (!completions)
		return NULL;
	completions->capacity = capacity;
	completions->items = calloc(capacity, sizeof(*completions->items));
	if (!completions->items) {
		udma_completions_free(completions);
		return NULL;
	}
	return completions;
}

UDMA_EXPORT void udma_completions_free(struct udma_completions *completions)
{
	int saved = errno;

	if (completions)
		free(completions->items);
	free(completions);
	errno = saved;
}

UDMA_EXPORT size_t udma_completions_get_capacity(const struct udma_completions *completions)
{
	return completions->capacity;
}

UDMA_EXPORT size_t udma_completions_get_count(const struct udma_completions *completions)
{
	return completions->count;
}

UDMA_EXPORT const struct udma_completion *
udma_completions_get(const struct udma_completions *completions, size_t index)
{
	if (index >= completions->count) {
		errno = EINVAL;
		return NULL;
	}
	return &completions->items[index];
}

/* What a stream that was freed had to tell before its end is nobody's. */
static size_t drop_news(struct udma_completion *items, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++)
		if (items[i].event.type == UDMA_EVENT_TRANSFER ||
		    items[i].event.flags & UDMA_EVENT_F_LAST)
			items[kept++] = items[i];
	return kept;
}

static ssize_t read_completions(struct udma_channel *channel, struct udma_completion *items,
				size_t max)
{
	ssize_t count;

	do {
		count = udma_channel_read_events(channel, items, max);
		if (count <= 0)
			return count;
		count = drop_news(items, count);
	} while (!count);
	return count;
}

UDMA_EXPORT ssize_t udma_channel_read(struct udma_channel *channel,
				      struct udma_completions *completions, size_t max)
{
	ssize_t count;

	completions->count = 0;
	if (!max) {
		errno = EINVAL;
		return -1;
	}
	if (channel->queue || channel->stream) {
		errno = EBUSY;
		return -1;
	}
	if (max > completions->capacity)
		max = completions->capacity;
	count = read_completions(channel, completions->items, max);
	if (count > 0) {
		completions->count = count;
		channel->pending -= count;
	}
	return count;
}
