// SPDX-License-Identifier: GPL-2.0
/*
 * How far a stream's hardware has come, and its program. The program may write to the page
 * that is shared with it at any time, so the one word that counts is read once, and
 * believed only if it can be.
 */
#include "hot.h"
#include "stream.h"
#include "udma.h"

/* How far the program can have come. */
static u64 udma_position_limit(const struct udma_stream *stream)
{
	return stream->reads ? stream->hw : stream->hw + stream->bytes;
}

/* The program says @raw: learn from it if that can be. */
static void udma_position_believe(struct udma_stream *stream, u32 raw)
{
	u32 ahead = raw - (UDMA_STREAM_FIRST_COUNT + (u32)stream->app);

	if (ahead <= udma_position_limit(stream) - stream->app)
		stream->app += ahead;
}

/* Learn how far the program has come. */
void udma_position_learn(struct udma_stream *stream)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	/* Pairs with the program's release, where it has filled what hardware gets. */
	udma_position_believe(stream, smp_load_acquire(&stream->shared->app_position));
}

/* Hardware has come so far. */
void udma_position_publish(struct udma_stream *stream, u64 hw)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	stream->hw = hw;
	/* Pairs with the program's acquire. */
	smp_store_release(&stream->shared->hw_position, UDMA_STREAM_FIRST_COUNT + (u32)hw);
}

/* A program that changes the word all the time gets what it deserves. */
#define UDMA_POSITION_TRIES 4

static void udma_position_publish_lost(struct udma_stream *stream, u64 lost)
{
	WRITE_ONCE(stream->shared->lost, (u32)lost);
	/* The lower half tells whether it is right, and the program reads it first. */
	smp_store_release(&stream->shared->lost_high, lost >> 32);
}

/*
 * Move the program to @least, if it has not come there. Either it comes further by itself, or
 * it sees that it was moved. Return: whether it was.
 */
static bool udma_position_move(struct udma_stream *stream, u64 least)
{
	u32 raw, next = UDMA_STREAM_FIRST_COUNT + (u32)least;
	u32 *position = &stream->shared->app_position;
	unsigned int i;

	for (i = 0; i < UDMA_POSITION_TRIES; i++) {
		raw = READ_ONCE(*position);
		udma_position_believe(stream, raw);
		if (stream->app >= least) {
			udma_position_publish_lost(stream, stream->lost);
			return false;
		}
		udma_position_publish_lost(stream, stream->lost + (least - stream->app));
		if (cmpxchg(position, raw, next) == raw)
			return true;
	}
	udma_position_publish_lost(stream, stream->lost + (least - stream->app));
	WRITE_ONCE(*position, next);
	return true;
}

/* The program has to have come to @least. What it has not is lost, and it goes on there. */
void udma_position_require(struct udma_stream *stream, u64 least)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	udma_position_learn(stream);
	if (stream->app >= least || !udma_position_move(stream, least))
		return;
	stream->lost += least - stream->app;
	stream->app = least;
	WRITE_ONCE(stream->shared->overruns, ++stream->overruns);
	if (stream->stops && udma_xfer_wanted(stream->xfer))
		udma_stream_halt(stream, -EPIPE);
}

/* The same by a call: the program says that it has come to @position. */
int udma_position_advance(struct udma_stream *stream, u64 position)
{
	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	udma_position_learn(stream);
	if (position > udma_position_limit(stream))
		return -EINVAL;
	if (position > stream->app) {
		stream->app = position;
		WRITE_ONCE(stream->shared->app_position, UDMA_STREAM_FIRST_COUNT + (u32)position);
	}
	return 0;
}
