/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the streams know of each other.
 */
#ifndef LIBUDMA_STREAM_H
#define LIBUDMA_STREAM_H

#include "internal.h"

/**
 * struct udma_stream_config - see libudma.h
 * @start: as the kernel takes it
 * @ring: where its ring is in the program's memory
 * @channel_id: number of the channel that the buffer belongs to
 */
struct udma_stream_config {
	struct udma_stream_start start;
	unsigned char *ring;
	unsigned long channel_id;
};

enum udma_stream_kind {
	UDMA_KIND_CAPTURE,
	UDMA_KIND_PLAYBACK,
	UDMA_KIND_PACKETS,
};

/**
 * struct udma_stream - see libudma.h
 * @channel: NULL when it has ended, or the channel was closed
 * @kind: what it does
 * @shared: the kernel's side of the counts; when there is no channel, @left
 * @left: what they were last
 * @ring: where the ring, or the first slot, is
 * @bytes: how long the ring is, or how many slots there are
 * @slot_bytes: how long a slot is
 * @first: what the kernel's counts began with
 * @position: where the program is; all before was consumed, committed, taken or lost
 * @done: how much of that was not lost
 * @told: up to where the program was told of data, room or packets
 * @moved: where the controller was at the last look
 * @given: how many packets were given back
 * @torn: what the program was told of is not what it was, since the kernel moved it on
 * @exact: no event said that it is not
 * @has_end: @end is there
 * @error: why it has ended
 * @end: the last event
 * @packets: of each slot, what was told of the packet in it
 *
 * The kernel's counts have 32 bits, and a ring may be of any length; so counts are kept
 * in 64 here, and only their lower half is compared with the kernel's.
 */
struct udma_stream {
	struct udma_channel *channel;
	enum udma_stream_kind kind;
	struct udma_stream_shared *shared;
	struct udma_stream_shared left;
	unsigned char *ring;
	uint64_t bytes;
	uint64_t slot_bytes;
	uint32_t first;
	uint64_t position;
	uint64_t done;
	uint64_t told;
	uint64_t moved;
	uint64_t given;
	bool torn;
	bool exact;
	bool has_end;
	int error;
	struct udma_completion end;
	struct udma_completion *packets;
};

/* As the kernel counts. */
static inline uint32_t udma_stream_to_kernel(const struct udma_stream *stream, uint64_t count)
{
	return stream->first + (uint32_t)count;
}

static inline bool udma_stream_is_in(const struct udma_stream *stream, uint32_t state)
{
	return __atomic_load_n(&stream->shared->state, __ATOMIC_ACQUIRE) & state;
}

int udma_stream_control(const struct udma_stream *stream, uint32_t command, uint64_t position);
int udma_stream_take_events(struct udma_stream *stream);
bool udma_stream_is(const struct udma_stream *stream, enum udma_stream_kind kind);
bool udma_stream_look(struct udma_stream *stream);
bool udma_stream_has_more(struct udma_stream *stream);
void udma_stream_note_packet(struct udma_stream *stream, const struct udma_completion *packet);
int udma_stream_refill(const struct udma_stream *stream);

#endif /* LIBUDMA_STREAM_H */
