// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A stream: how it begins and ends, and what is the same for all kinds.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream.h"

/* Events that are read at a time; they lie on the stack. */
#define READ_CHUNK	16
/* For so long a stream that is freed may keep its program waiting. */
#define LET_GO_NS	100000000

int udma_stream_control(const struct udma_stream *stream, uint32_t command, uint64_t position)
{
	struct udma_stream_control control = {
		.size = sizeof(control),
		.command = command,
		.position = position,
	};

	if (!stream->channel) {
		errno = ENXIO;
		return -1;
	}
	return udma_channel_ioctl(stream->channel, UDMA_STREAM_CONTROL, &control);
}

bool udma_stream_is(const struct udma_stream *stream, enum udma_stream_kind kind)
{
	if (stream->kind == kind)
		return true;
	errno = EOPNOTSUPP;
	return false;
}

/* The end */

/* From now on the page may be another stream's. */
static void detach(struct udma_stream *stream, int error)
{
	stream->error = error;
	stream->left = *stream->shared;
	stream->shared = &stream->left;
	stream->channel->stream = NULL;
	stream->channel = NULL;
}

/* The counts are final then. */
static void finish(struct udma_stream *stream, int error)
{
	stream->channel->pending--;
	detach(stream, error);
	if (stream->kind != UDMA_KIND_PACKETS)
		udma_stream_look(stream);
}

/* Nobody will tell what the controller overwrites until it lets go. */
void udma_stream_orphan(struct udma_stream *stream)
{
	detach(stream, ENODEV);
	if (stream->kind == UDMA_KIND_CAPTURE)
		stream->left.hw_position = stream->left.app_position;
}

/* Events */

static void take_event(struct udma_stream *stream, const struct udma_completion *news)
{
	const struct udma_event *event = &news->event;

	if (!(event->flags & UDMA_EVENT_F_EXACT))
		stream->exact = false;
	if (event->type == UDMA_EVENT_PACKET)
		udma_stream_note_packet(stream, news);
	if (event->flags & UDMA_EVENT_F_LAST) {
		stream->end = *news;
		stream->has_end = true;
		finish(stream, udma_completion_get_error(news));
	}
}

static ssize_t take_some(struct udma_stream *stream)
{
	struct udma_completion news[READ_CHUNK];
	ssize_t count, i;

	count = udma_channel_read_events(stream->channel, news, READ_CHUNK);
	for (i = 0; i < count && stream->channel; i++)
		take_event(stream, &news[i]);
	return count;
}

/* All that there are. There may have been no room for more packets until then. */
int udma_stream_take_events(struct udma_stream *stream)
{
	ssize_t count;

	do {
		count = take_some(stream);
		if (count > 0 && stream->kind == UDMA_KIND_PACKETS)
			udma_stream_refill(stream);
	} while (count == READ_CHUNK && stream->channel);
	if (count >= 0)
		return 0;
	if (errno != ENODEV)
		return -1;
	/* There is no last one if another process has taken it. */
	finish(stream, ENODEV);
	return 0;
}

static bool is_over(struct udma_stream *stream)
{
	return !stream->channel;
}

static int sleep_for(struct udma_channel *channel, int64_t timeout_ns)
{
	return timeout_ns ? udma_channel_wait(channel, timeout_ns) : 0;
}

static int wait_until(struct udma_stream *stream, bool (*reached)(struct udma_stream *stream),
		      int64_t timeout_ns)
{
	const uint64_t since = timeout_ns > 0 ? udma_clock_ns() : 0;
	int ret;

	while (stream->channel && !reached(stream)) {
		if (udma_stream_take_events(stream) < 0)
			return -1;
		if (!stream->channel || reached(stream))
			break;
		ret = sleep_for(stream->channel, udma_time_left(timeout_ns, since));
		/* Of a channel that is gone there is a last event. */
		if (!ret || (ret < 0 && errno != ENODEV))
			return ret;
	}
	if (reached(stream))
		return 1;
	errno = ENXIO;
	return -1;
}

UDMA_EXPORT int udma_stream_wait(struct udma_stream *stream, int64_t timeout_ns)
{
	if (udma_stream_has_more(stream))
		return 1;
	return wait_until(stream, udma_stream_has_more, timeout_ns);
}

UDMA_EXPORT int udma_stream_wait_end(struct udma_stream *stream, int64_t timeout_ns)
{
	return wait_until(stream, is_over, timeout_ns);
}

/* The beginning */

/* One page is that of all streams of an open device. */
static int map_shared(struct udma_channel *channel, const struct udma_stream_start *start)
{
	void *mapping;

	if (channel->stream_shared)
		return 0;
	mapping = mmap(NULL, start->out_map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       channel->fd, start->out_mmap_offset);
	if (mapping == MAP_FAILED)
		return -1;
	channel->stream_shared = mapping;
	channel->stream_map_bytes = start->out_map_bytes;
	return 0;
}

void udma_stream_unmap(struct udma_channel *channel)
{
	if (channel->stream_shared)
		munmap(channel->stream_shared, channel->stream_map_bytes);
	channel->stream_shared = NULL;
}

static int find_kind(struct udma_channel *channel, const struct udma_stream_config *config,
		     enum udma_stream_kind *kind)
{
	struct udma_info info = { .size = sizeof(info) };

	if (udma_channel_ioctl(channel, UDMA_INFO, &info) < 0)
		return -1;
	if (config->start.type == UDMA_STREAM_PACKETS)
		*kind = UDMA_KIND_PACKETS;
	else if (info.out_direction == UDMA_DIRECTION_MEM_TO_DEV)
		*kind = UDMA_KIND_PLAYBACK;
	else
		*kind = UDMA_KIND_CAPTURE;
	return 0;
}

/* Slots of no length are the kernel's to refuse. */
static int make_slots(struct udma_stream *stream, const struct udma_stream_start *start)
{
	stream->slot_bytes = start->period_bytes;
	stream->bytes = 1;
	if (start->period_bytes && start->bytes >= start->period_bytes)
		stream->bytes = start->bytes / start->period_bytes;
	stream->packets = calloc(stream->bytes, sizeof(*stream->packets));
	return stream->packets ? 0 : -1;
}

static int prepare(struct udma_stream *stream, struct udma_channel *channel,
		   const struct udma_stream_config *config)
{
	stream->shared = &stream->left;
	stream->ring = config->ring;
	stream->bytes = config->start.bytes;
	stream->exact = true;
	if (find_kind(channel, config, &stream->kind) < 0)
		return -1;
	if (stream->kind == UDMA_KIND_PACKETS)
		return make_slots(stream, &config->start);
	return 0;
}

static int start(struct udma_stream *stream, struct udma_channel *channel,
		 struct udma_stream_start start)
{
	if (udma_channel_ioctl(channel, UDMA_STREAM_START, &start) < 0)
		return -1;
	stream->channel = channel;
	stream->first = start.out_first_count;
	stream->position = start.filled_bytes;
	stream->done = start.filled_bytes;
	stream->told = start.filled_bytes;
	channel->stream = stream;
	channel->pending++;
	channel->last_sequence = start.out_sequence;
	if (map_shared(channel, &start) < 0)
		return -1;
	stream->shared = channel->stream_shared;
	return 0;
}

static int check(const struct udma_channel *channel, const struct udma_stream_config *config)
{
	if (!config->start.handle)
		errno = EINVAL;
	else if (config->channel_id != channel->id)
		errno = ENOENT;
	else if (channel->queue || channel->pending)
		errno = EBUSY;
	else
		return 0;
	return -1;
}

UDMA_EXPORT struct udma_stream *udma_stream_start(struct udma_channel *channel,
						  const struct udma_stream_config *config)
{
	struct udma_stream *stream;

	if (check(channel, config) < 0)
		return NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	if (prepare(stream, channel, config) < 0 || start(stream, channel, config->start) < 0) {
		udma_stream_free(stream);
		return NULL;
	}
	return stream;
}

/* Whoever it is that waits, signals are not for this. */
static void let_go(struct udma_stream *stream)
{
	const uint64_t since = udma_clock_ns();
	int64_t left;

	udma_stream_control(stream, UDMA_STREAM_STOP, 0);
	do {
		left = udma_time_left(LET_GO_NS, since);
	} while (udma_stream_wait_end(stream, left) < 0 && errno == EINTR && left);
}

UDMA_EXPORT void udma_stream_free(struct udma_stream *stream)
{
	int saved = errno;

	if (!stream)
		return;
	/* A child shares the open device: the stream is the parent's. */
	if (stream->channel && getpid() == stream->channel->owner)
		let_go(stream);
	if (stream->channel)
		stream->channel->stream = NULL;
	free(stream->packets);
	free(stream);
	errno = saved;
}

/* What it is told to do */

UDMA_EXPORT int udma_stream_stop(struct udma_stream *stream)
{
	return udma_stream_control(stream, UDMA_STREAM_STOP, 0);
}

UDMA_EXPORT int udma_stream_drain(struct udma_stream *stream)
{
	if (!udma_stream_is(stream, UDMA_KIND_PLAYBACK))
		return -1;
	return udma_stream_control(stream, UDMA_STREAM_DRAIN, 0);
}

UDMA_EXPORT int udma_stream_pause(struct udma_stream *stream)
{
	return udma_stream_control(stream, UDMA_STREAM_PAUSE, 0);
}

UDMA_EXPORT int udma_stream_resume(struct udma_stream *stream)
{
	return udma_stream_control(stream, UDMA_STREAM_RESUME, 0);
}

/* How it is */

UDMA_EXPORT struct udma_channel *udma_stream_get_channel(const struct udma_stream *stream)
{
	return stream->channel;
}

UDMA_EXPORT bool udma_stream_has_ended(struct udma_stream *stream)
{
	if (stream->channel && !udma_stream_is_in(stream, UDMA_STREAM_S_RUNNING))
		udma_stream_take_events(stream);
	return !stream->channel;
}

UDMA_EXPORT int udma_stream_get_error(const struct udma_stream *stream)
{
	return stream->error;
}

UDMA_EXPORT const struct udma_completion *
udma_stream_get_completion(const struct udma_stream *stream)
{
	return stream->has_end ? &stream->end : NULL;
}

UDMA_EXPORT bool udma_stream_is_exact(const struct udma_stream *stream)
{
	return stream->exact;
}

UDMA_EXPORT uint64_t udma_stream_get_position(const struct udma_stream *stream)
{
	return stream->position;
}

UDMA_EXPORT uint64_t udma_stream_get_moved(const struct udma_stream *stream)
{
	return stream->moved;
}

UDMA_EXPORT uint64_t udma_stream_get_lost(const struct udma_stream *stream)
{
	return stream->position - stream->done;
}

UDMA_EXPORT uint32_t udma_stream_get_overruns(const struct udma_stream *stream)
{
	return __atomic_load_n(&stream->shared->overruns, __ATOMIC_RELAXED);
}
