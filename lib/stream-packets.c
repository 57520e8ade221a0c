// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Streams of packets: each in a slot of its own, one slot after the other.
 */
#include <errno.h>

#include "stream.h"

static struct udma_completion *slot(const struct udma_stream *stream, uint64_t packet)
{
	return &stream->packets[packet % stream->bytes];
}

/* There are not more of them than slots, until some are given back. */
void udma_stream_note_packet(struct udma_stream *stream, const struct udma_completion *packet)
{
	*slot(stream, stream->moved++) = *packet;
}

/*
 * Either the kernel sees what there is when it says that it has no slot, or it is told. What
 * has ended needs none, and that it has is told elsewhere.
 */
int udma_stream_refill(const struct udma_stream *stream)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!udma_stream_is_in(stream, UDMA_STREAM_S_STARVED))
		return 0;
	if (!udma_stream_control(stream, UDMA_STREAM_ADVANCE, stream->given))
		return 0;
	return errno == ENXIO || errno == ENODEV ? 0 : -1;
}

static bool has_news(const struct udma_stream *stream)
{
	uint32_t hw;

	if (!stream->channel)
		return false;
	hw = __atomic_load_n(&stream->shared->hw_position, __ATOMIC_ACQUIRE);
	return hw != udma_stream_to_kernel(stream, stream->moved) ||
	       !udma_stream_is_in(stream, UDMA_STREAM_S_RUNNING);
}

/* Whether there is one. */
static bool look(struct udma_stream *stream)
{
	if (stream->moved != stream->position)
		return true;
	if (has_news(stream) && udma_stream_take_events(stream) < 0)
		return false;
	errno = stream->channel ? EAGAIN : ENXIO;
	return stream->moved != stream->position;
}

UDMA_EXPORT const struct udma_completion *udma_stream_next_packet(struct udma_stream *stream,
								  const void **data)
{
	uint64_t packet = stream->position;

	if (!udma_stream_is(stream, UDMA_KIND_PACKETS) || !look(stream))
		return NULL;
	*data = stream->ring + packet % stream->bytes * stream->slot_bytes;
	stream->position++;
	stream->done++;
	return slot(stream, packet);
}

UDMA_EXPORT int udma_stream_give_back(struct udma_stream *stream)
{
	if (!udma_stream_is(stream, UDMA_KIND_PACKETS))
		return -1;
	if (stream->given == stream->position) {
		errno = ENOENT;
		return -1;
	}
	stream->given++;
	__atomic_store_n(&stream->shared->app_position,
			 udma_stream_to_kernel(stream, stream->given), __ATOMIC_RELEASE);
	return udma_stream_refill(stream);
}
