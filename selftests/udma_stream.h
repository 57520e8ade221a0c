/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of streams have in common: what events say of a stream, one by one and in
 * sum, and a program that reads a ring as the contract has it, and looks at each byte.
 * See udma_test.h for what the functions return.
 */
#ifndef UDMA_STREAM_TEST_H
#define UDMA_STREAM_TEST_H

#include "udma_device.h"

/* So many events of a cyclic stream at most wait to be read. */
#define EVENTS_MOST	16

/* Moves as many bytes, and ends what they complete. */
static inline int try_step_bytes(const struct sim *sim, __u64 bytes)
{
	return bytes ? try_sim_set(sim, "step_bytes", bytes) : 0;
}

/* There is one event now, and it says this; its time is between the one before and now. */
#define tells(_fd, _flags, _bytes, _count, _position, _lost)			\
	do {									\
		struct udma_event __event = {};					\
										\
		ASSERT_EQ(1, must(try_read_now(_fd, &__event, 1)));		\
		EXPECT_EQ(UDMA_EVENT_STREAM, __event.type);			\
		EXPECT_EQ(_flags, __event.flags);				\
		EXPECT_EQ(0, __event.status);					\
		EXPECT_EQ(_bytes, __event.bytes);				\
		EXPECT_EQ(_count, __event.count);				\
		EXPECT_EQ(_position, __event.position);				\
		EXPECT_EQ(_lost, __event.lost);					\
	} while (0)

#define tells_nothing(_fd)	EXPECT_EQ(0, POLLIN & poll_now(_fd))

/* The next event is the last one of a stream, and it says this. */
#define ends_stream(_fd, _status, _flags, _bytes, _count, _position)		\
	do {									\
		const int __ended = (_fd);					\
		struct udma_event __event = {};					\
										\
		must(try_last(__ended, &__event));				\
		EXPECT_EQ(_status, __event.status);				\
		EXPECT_EQ((_flags) | UDMA_EVENT_F_LAST, __event.flags);		\
		EXPECT_EQ(_bytes, __event.bytes);				\
		EXPECT_EQ(_count, __event.count);				\
		EXPECT_EQ(_position, __event.position);				\
		tells_nothing(__ended);						\
	} while (0)

/**
 * struct account - what all events of a stream say together
 * @events: how many these were
 * @bytes: the sum of all that moved
 * @count: the sum of all periods, or packets
 * @lost: the sum of all that was lost
 * @exact: how many of the events were exact
 * @last: the one that was read last
 * @wrong: one of them did not fit to those before
 */
struct account {
	unsigned long events;
	__u64 bytes;
	__u64 count;
	__u64 lost;
	unsigned long exact;
	struct udma_event last;
	bool wrong;
};

static inline bool account_fits(const struct account *account, const struct udma_event *event)
{
	if (account->last.flags & UDMA_EVENT_F_LAST ||
	    event->position - account->last.position != event->bytes ||
	    event->timestamp_ns < account->last.timestamp_ns ||
	    !event->lost != !(event->flags & UDMA_EVENT_F_OVERRUN))
		return false;
	/* There is no event for nothing, but for the last one. */
	return event->bytes || event->flags & UDMA_EVENT_F_LAST;
}

static inline void account_add(struct account *account, const struct udma_event *event)
{
	if (event->type != UDMA_EVENT_STREAM || !account_fits(account, event))
		account->wrong = true;
	account->events++;
	account->bytes += event->bytes;
	account->count += event->count;
	account->lost += event->lost;
	account->exact += event->flags & UDMA_EVENT_F_EXACT;
	account->last = *event;
}

static inline bool account_closed(const struct account *account)
{
	return account->last.flags & UDMA_EVENT_F_LAST;
}

/* All that there is to read now. */
static inline int try_account(int fd, struct account *account)
{
	struct udma_event event;
	int ret;

	while ((ret = try_read_now(fd, &event, 1)) == 1)
		account_add(account, &event);
	return ret;
}

/* All until the last one of the stream. */
static inline int try_account_end(int fd, struct account *account)
{
	struct udma_event event;

	while (!account_closed(account)) {
		if (try_collect(fd, &event, 1) != 1)
			return -1;
		account_add(account, &event);
	}
	return 0;
}

/* What the page says */

static inline __u64 stream_lost(const struct stream *stream)
{
	__u32 high, low;

	do {
		high = __atomic_load_n(&stream->shared->lost_high, __ATOMIC_ACQUIRE);
		low = __atomic_load_n(&stream->shared->lost, __ATOMIC_ACQUIRE);
	} while (high != __atomic_load_n(&stream->shared->lost_high, __ATOMIC_ACQUIRE));
	return (__u64)high << 32 | low;
}

static inline __u32 stream_overruns(const struct stream *stream)
{
	return __atomic_load_n(&stream->shared->overruns, __ATOMIC_ACQUIRE);
}

static inline __u32 stream_state(const struct stream *stream)
{
	return __atomic_load_n(&stream->shared->state, __ATOMIC_ACQUIRE);
}

static inline void stream_set_app(struct stream *stream, __u32 position)
{
	__atomic_store_n(&stream->shared->app_position, stream->start.out_first_count + position,
			 __ATOMIC_RELEASE);
}

/* Rings */

/* Where, from @at in the stream on, the first byte is that is not the pattern's; or @bytes. */
static inline __u64 ring_differs(const unsigned char *ring, __u64 ring_bytes, __u32 first,
				 __u64 at, __u64 bytes)
{
	__u64 i;

	for (i = 0; i < bytes; i++)
		if (ring[(at + i) % ring_bytes] != counting_byte(first, at + i))
			break;
	return i;
}

static inline void ring_fill(unsigned char *ring, __u64 ring_bytes, __u32 first, __u64 at,
			     __u64 bytes)
{
	__u64 i;

	for (i = 0; i < bytes; i++)
		ring[(at + i) % ring_bytes] = counting_byte(first, at + i);
}

/**
 * struct reader - a program that consumes what a device of the pattern gives
 * @stream: the stream, whose page is mapped
 * @ring: the memory
 * @first: the word of the pattern that the stream begins with
 * @taken: how many bytes it has consumed
 * @lost: how many it was told were lost
 * @refused: how often it had read what it was not to trust
 * @wrong: how often it was to trust what was wrong
 */
struct reader {
	struct stream *stream;
	const unsigned char *ring;
	__u32 first;
	__u64 taken;
	__u64 lost;
	unsigned long refused;
	unsigned long wrong;
};

/* How far it has come. It finds itself by what was lost, whatever the word is modulo 2^32. */
static inline __u64 reader_at(const struct reader *reader)
{
	return reader->taken + reader->lost;
}

/* Learn what was lost. False: the kernel is just about to say so. */
static inline bool reader_learn(struct reader *reader, __u32 *app)
{
	*app = stream_app(reader->stream);
	reader->lost = stream_lost(reader->stream);
	return (__u32)reader_at(reader) == *app;
}

/* Consume up to @most bytes: how many these were. */
static inline __u64 reader_take(struct reader *reader, __u64 most)
{
	const struct udma_stream_start *start = &reader->stream->start;
	__u32 app, bytes;
	bool right;

	if (!reader_learn(reader, &app))
		return 0;
	bytes = stream_hw(reader->stream) - app;
	if (bytes > most)
		bytes = most;
	right = ring_differs(reader->ring, start->bytes, reader->first, reader_at(reader),
			     bytes) == bytes;
	if (!stream_move(reader->stream, app, app + bytes)) {
		reader->refused++;
		return 0;
	}
	reader->wrong += !right;
	reader->taken += bytes;
	return bytes;
}

#endif /* UDMA_STREAM_TEST_H */
