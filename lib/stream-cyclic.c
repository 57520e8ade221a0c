// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Streams that go round and round: where in the ring there is data, or room.
 */
#include <errno.h>

#include "stream.h"

/* The kernel is done long before that with what it was doing. */
#define TRIES	1000

static uint32_t load(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

/* The controller is behind the program when it plays, and before it when it captures. */
static void see(struct udma_stream *stream, uint32_t app, uint32_t hw)
{
	const bool plays = stream->kind == UDMA_KIND_PLAYBACK;
	int64_t between = (int32_t)(plays ? app - hw : hw - app);

	/* Of what the kernel is just changing one may be seen, and not yet the other. */
	if (between < 0)
		between = 0;
	if ((uint64_t)between > stream->bytes)
		between = stream->bytes;
	stream->moved = plays ? stream->position - between : stream->position + between;
}

/*
 * The kernel has moved the program on, and by how much may be more than 32 bits tell, if the
 * program was away for long. But where it is now is where it has come itself, and as much
 * further as was lost, of which the kernel shares both halves. They are those of this
 * very move if they agree with where it was moved to.
 */
static bool find_position(const struct udma_stream *stream, uint32_t app, uint64_t *position)
{
	/* The kernel writes the upper half last. Who sees a new one sees a new lower one. */
	uint64_t lost = (uint64_t)load(&stream->shared->lost_high) << 32;

	lost |= load(&stream->shared->lost);
	*position = stream->done + lost;
	return app == udma_stream_to_kernel(stream, *position);
}

static UDMA_APART bool catch_up(struct udma_stream *stream)
{
	unsigned int tries;
	uint64_t position;
	uint32_t app;

	stream->torn = true;
	for (tries = 0; tries < TRIES; tries++) {
		app = load(&stream->shared->app_position);
		if (!find_position(stream, app, &position))
			continue;
		stream->position = position;
		stream->told = position;
		see(stream, app, load(&stream->shared->hw_position));
		return true;
	}
	return false;
}

/* Returns whether it is known where the program is. */
bool udma_stream_look(struct udma_stream *stream)
{
	const uint32_t app = load(&stream->shared->app_position);

	if (app != udma_stream_to_kernel(stream, stream->position))
		return catch_up(stream);
	see(stream, app, load(&stream->shared->hw_position));
	return true;
}

/* Up to where there is data, or room. */
static uint64_t reach(const struct udma_stream *stream)
{
	if (stream->kind == UDMA_KIND_CAPTURE)
		return stream->moved;
	/* What has ended has room for nothing. */
	return stream->channel ? stream->moved + stream->bytes : stream->position;
}

bool udma_stream_has_more(struct udma_stream *stream)
{
	if (stream->kind == UDMA_KIND_PACKETS)
		return stream->moved != stream->position;
	return udma_stream_look(stream) && reach(stream) > stream->told;
}

static ssize_t offer(struct udma_stream *stream, enum udma_stream_kind kind, void **data)
{
	uint64_t offset, bytes = 0;

	if (!udma_stream_is(stream, kind))
		return -1;
	if (udma_stream_look(stream) && reach(stream) > stream->position)
		bytes = reach(stream) - stream->position;
	offset = stream->position % stream->bytes;
	if (bytes > stream->bytes - offset)
		bytes = stream->bytes - offset;
	*data = stream->ring + offset;
	stream->told = stream->position + bytes;
	stream->torn = false;
	return bytes;
}

/* The kernel may do so as well. Who of both is first is right. */
static bool move_on(const struct udma_stream *stream, uint32_t bytes)
{
	uint32_t from = udma_stream_to_kernel(stream, stream->position);

	if (stream->torn)
		return false;
	return __atomic_compare_exchange_n(&stream->shared->app_position, &from, from + bytes,
					   false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static int advance(struct udma_stream *stream, enum udma_stream_kind kind, size_t bytes)
{
	if (!udma_stream_is(stream, kind))
		return -1;
	if (!stream->torn && bytes > stream->told - stream->position) {
		errno = EINVAL;
		return -1;
	}
	if (!move_on(stream, bytes)) {
		catch_up(stream);
		errno = EPIPE;
		return -1;
	}
	stream->position += bytes;
	stream->done += bytes;
	return 0;
}

UDMA_EXPORT ssize_t udma_stream_peek(struct udma_stream *stream, const void **data)
{
	void *place;
	ssize_t bytes = offer(stream, UDMA_KIND_CAPTURE, &place);

	if (bytes >= 0)
		*data = place;
	return bytes;
}

UDMA_EXPORT int udma_stream_consume(struct udma_stream *stream, size_t bytes)
{
	return advance(stream, UDMA_KIND_CAPTURE, bytes);
}

UDMA_EXPORT ssize_t udma_stream_get_room(struct udma_stream *stream, void **data)
{
	return offer(stream, UDMA_KIND_PLAYBACK, data);
}

UDMA_EXPORT int udma_stream_commit(struct udma_stream *stream, size_t bytes)
{
	if (stream->kind == UDMA_KIND_PLAYBACK && !stream->channel) {
		errno = ENXIO;
		return -1;
	}
	return advance(stream, UDMA_KIND_PLAYBACK, bytes);
}
