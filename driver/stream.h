/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: a transfer that does not end by itself, and has the channel of a device for
 * itself. To the engine it is a transfer of one of two more kinds. What all streams have
 * is in stream.c and position.c, what rings have that go round and round in cyclic.c, and
 * what packets have in packet.c.
 */
#ifndef UDMA_STREAM_H
#define UDMA_STREAM_H

#include <linux/ktime.h>
#include <linux/time64.h>
#include <linux/types.h>

#include "udma.h"

/* So that counts go from 2^32 - 1 to zero early in the life of each stream. */
#define UDMA_STREAM_FIRST_COUNT	0xffff0000U
/* So many events of a cyclic stream at most wait to be read. */
#define UDMA_STREAM_EVENTS	16
/* A timer that runs out more often would keep a processor busy. */
#define UDMA_STREAM_IDLE_NS	(100 * NSEC_PER_USEC)
/* The longest ring: positions that are too far apart can be told from those that are not. */
#define UDMA_STREAM_BYTES	SZ_1G

/**
 * struct udma_stream - the streams of a file, one after the other
 * @file: whose
 * @shared: a page that the program sees
 * @xfer: the stream, or NULL when there is none
 * @slot: the descriptor of a cyclic one, once hardware has it
 * @reads: from a device
 * @stops: when the program does not keep up
 * @draining: when all that the program has filled is gone
 * @state: bits of enum udma_stream_state
 * @overruns: how often the program did not keep up
 * @bytes: how long the ring is
 * @period_bytes: and a period, or a slot
 * @event_periods: an event each so many
 * @idle_ns: or when none has ended for so long; zero for never
 * @period_time: when the last one ended, where that counts
 * @hw: how far hardware has come, as the program is told: bytes, or slots
 * @app: how far the program has come, as far as is known
 * @lost: how much was lost, all in all, in bytes
 * @seen: how far hardware has come, in bytes
 * @place: where in the ring that is
 * @periods: how many have ended
 * @callbacks: how many of them were told of
 * @silent: some of them were not, so far
 * @lag: how far behind the provider is when it tells @place: nothing, or a period
 * @zeros: how often in a row it has told, at the end of a period, that nothing is left
 * @unsure: whole rounds have gone unnoticed, or may have
 * @inexact: there may have been more than it seems at the last event, or since
 * @starved: the program has not been told yet that hardware had no slot
 * @told_hw: what the last event said
 * @told_periods: likewise
 * @told_lost: likewise
 * @due_periods: when so many have ended, there is an event: a multiple of @event_periods,
 *	whatever was told in between
 * @promised: places in the queue of events that packets have
 *
 * Protected by the engine's lock. It is made by the first stream, and lives as long as
 * the file.
 */
struct udma_stream {
	struct udma_file *file;
	struct udma_stream_shared *shared;
	struct udma_xfer *xfer;
	struct udma_slot *slot;
	bool reads;
	bool stops;
	bool draining;
	u32 state;
	u32 overruns;
	u64 bytes;
	u64 period_bytes;
	u32 event_periods;
	u64 idle_ns;
	ktime_t period_time;
	u64 hw;
	u64 app;
	u64 lost;
	u64 seen;
	u64 place;
	u64 periods;
	u64 callbacks;
	bool silent;
	u64 lag;
	unsigned int zeros;
	bool unsure;
	bool inexact;
	bool starved;
	u64 told_hw;
	u64 told_periods;
	u64 told_lost;
	u64 due_periods;
	unsigned int promised;
};

/**
 * struct udma_told - what an event says of a stream
 * @type: one of enum udma_event_type
 * @status: zero or a negative errno
 * @flags: bits of enum udma_event_flags
 * @bytes: since the one before, or of a packet
 * @count: periods since the one before, or a packet's slot
 */
struct udma_told {
	u32 type;
	int status;
	u32 flags;
	u64 bytes;
	u32 count;
};

/* stream */

static inline struct udma_engine *udma_stream_engine(struct udma_stream *stream)
{
	return &stream->file->chan->engine;
}

void udma_stream_post(struct udma_stream *stream, const struct udma_told *told);
void udma_stream_halt(struct udma_stream *stream, int status);
bool udma_stream_is(const struct udma_stream *stream, u64 sequence);
void udma_stream_set_state(struct udma_stream *stream, u32 bits, bool set);

/* One whose file is closed is about to end, and nothing is given to hardware before that. */
static inline bool udma_stream_is_in_the_way(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->stream && !engine->stream->file->closed;
}

/* position */
void udma_position_learn(struct udma_stream *stream);
void udma_position_publish(struct udma_stream *stream, u64 hw);
void udma_position_require(struct udma_stream *stream, u64 least);
int udma_position_advance(struct udma_stream *stream, u64 position);

/* cyclic */
void udma_cyclic_tell(struct udma_stream *stream, u32 flags);
void udma_cyclic_begin(struct udma_stream *stream);
void udma_cyclic_drain(struct udma_stream *stream);

/* packet */
void udma_packet_advance(struct udma_stream *stream);

#endif /* UDMA_STREAM_H */
