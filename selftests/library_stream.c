// SPDX-License-Identifier: GPL-2.0
/*
 * libudma: streams, over a channel that is not there. So the counts are where they are
 * difficult, and what takes hours with a device takes no time.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_fake.h"

/* No power of two, so that where something is depends on all of a position. */
#define PERIOD		1000
#define PERIODS		3
#define RING		(PERIODS * PERIOD)
#define OFFSET		64
#define SLOT		256
#define SLOTS		20
#define USER_DATA	0x1122334455667788ULL
#define FOUR_GIB	0x100000000ULL

FIXTURE(stream)
{
	struct udma_channel *channel;
	struct udma_buffer *buffer;
	struct udma_stream_config *config;
	struct udma_stream *stream;
};

static struct udma_channel *open_fake(enum udma_direction direction)
{
	char path[64];

	if (try_fake(direction, path, sizeof(path)))
		return NULL;
	return udma_channel_open(path);
}

static struct udma_stream_config *cyclic_config(const struct udma_buffer *buffer)
{
	struct udma_stream_config *config = udma_stream_config_new();

	if (!config)
		return NULL;
	udma_stream_config_set_cyclic(config, buffer, OFFSET, RING, PERIOD);
	udma_stream_config_set_user_data(config, USER_DATA);
	return config;
}

/* From a device: a capture, which most tests are about */

FIXTURE_SETUP(stream)
{
	self->channel = made(open_fake(UDMA_DIRECTION_DEV_TO_MEM));
	self->buffer = made(udma_buffer_alloc(self->channel, 2 * RING));
	self->config = made(cyclic_config(self->buffer));
	self->stream = made(udma_stream_start(self->channel, self->config));
}

FIXTURE_TEARDOWN(stream)
{
	if (fake.runs)
		fake_end(0, UDMA_EVENT_F_EXACT);
	udma_stream_free(self->stream);
	udma_stream_config_free(self->config);
	udma_buffer_free(self->buffer);
	udma_channel_close(self->channel);
}

/* How much there is to read, if it is what the controller wrote there; or -1. */
static ssize_t peeks(struct udma_stream *stream)
{
	__u64 position;
	const void *data;
	ssize_t bytes, i;

	bytes = udma_stream_peek(stream, &data);
	position = udma_stream_get_position(stream);
	for (i = 0; i < bytes; i++)
		if (((const unsigned char *)data)[i] != fake_byte(position + i))
			return -1;
	return bytes;
}

/* All that there is; returns how much that was, or -1. */
static ssize_t drink(struct udma_stream *stream)
{
	ssize_t bytes, total = 0;

	while ((bytes = peeks(stream)) > 0) {
		if (udma_stream_consume(stream, bytes))
			return -1;
		total += bytes;
	}
	return bytes ? bytes : total;
}

TEST_F(stream, starts_as_described)
{
	EXPECT_EQ(UDMA_STREAM_CYCLIC, fake.start.type);
	EXPECT_EQ(0, fake.start.flags);
	EXPECT_EQ(1, fake.start.handle);
	EXPECT_EQ(OFFSET, fake.start.offset);
	EXPECT_EQ(RING, fake.start.bytes);
	EXPECT_EQ(PERIOD, fake.start.period_bytes);
	EXPECT_EQ(1, fake.start.event_periods);
	EXPECT_EQ(0, fake.start.filled_bytes);
	EXPECT_EQ(0, fake.start.idle_ns);
	EXPECT_EQ(USER_DATA, fake.start.user_data);
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	EXPECT_EQ(1, udma_channel_get_last_sequence(self->channel));
	EXPECT_EQ(self->channel, udma_stream_get_channel(self->stream));
	EXPECT_FALSE(udma_stream_has_ended(self->stream));
	EXPECT_EQ(0, udma_stream_get_error(self->stream));
	EXPECT_EQ(NULL, udma_stream_get_completion(self->stream));
	EXPECT_TRUE(udma_stream_is_exact(self->stream));
	EXPECT_EQ(0, udma_stream_get_position(self->stream));
	EXPECT_EQ(0, udma_stream_get_moved(self->stream));
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_EQ(0, udma_stream_get_overruns(self->stream));
}

TEST_F(stream, is_read_in_place)
{
	const unsigned char *memory = udma_buffer_get_data(self->buffer);
	const void *data;

	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
	fake_period();
	EXPECT_EQ(PERIOD, udma_stream_peek(self->stream, &data));
	EXPECT_EQ(memory + OFFSET, data);
	EXPECT_EQ(PERIOD, peeks(self->stream));
	EXPECT_EQ(PERIOD, udma_stream_get_moved(self->stream));
	works(udma_stream_consume(self->stream, PERIOD));
	EXPECT_EQ(PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ(fake_count(PERIOD), fake.shared->app_position);
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
}

TEST_F(stream, is_consumed_in_parts)
{
	const void *data;

	fake_period();
	EXPECT_EQ(PERIOD, peeks(self->stream));
	works(udma_stream_consume(self->stream, 1));
	works(udma_stream_consume(self->stream, 0));
	works(udma_stream_consume(self->stream, PERIOD - 2));
	fails(EINVAL, udma_stream_consume(self->stream, 2));
	EXPECT_EQ(1, peeks(self->stream));
	works(udma_stream_consume(self->stream, 1));
	fails(EINVAL, udma_stream_consume(self->stream, 1));
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
}

/* What was not told may not have been read. */
TEST_F(stream, consumes_only_what_was_told)
{
	fake_period();
	fails(EINVAL, udma_stream_consume(self->stream, 1));
	EXPECT_EQ(PERIOD, peeks(self->stream));
	fake_period();
	fails(EINVAL, udma_stream_consume(self->stream, PERIOD + 1));
	works(udma_stream_consume(self->stream, PERIOD));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

TEST_F(stream, lies_in_one_piece)
{
	fake_period();
	fake_period();
	EXPECT_EQ(2 * PERIOD, drink(self->stream));
	fake_period();
	fake_period();
	EXPECT_EQ(PERIOD, peeks(self->stream));
	works(udma_stream_consume(self->stream, PERIOD));
	EXPECT_EQ(PERIOD, peeks(self->stream));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

/* The kernel's counts pass 2^32 after 65 of them. */
TEST_F(stream, goes_round_and_round)
{
	unsigned int i;

	for (i = 1; i <= 1000; i++) {
		fake_period();
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		ASSERT_EQ(PERIOD, drink(self->stream));
		ASSERT_EQ(i * PERIOD, udma_stream_get_position(self->stream));
		ASSERT_EQ(i * PERIOD, udma_stream_get_moved(self->stream));
	}
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_EQ(0, udma_stream_get_overruns(self->stream));
	EXPECT_TRUE(udma_stream_is_exact(self->stream));
}

/* All the way, without a loss; to write it would take too long. */
TEST_F(stream, goes_on_behind_four_gib)
{
	const __u64 step = (PERIODS - 1) * PERIOD;
	const void *data;
	ssize_t bytes;

	while (fake.hw < 2 * FOUR_GIB) {
		fake.hw += step;
		fake_set(&fake.shared->hw_position, fake_count(fake.hw));
		while ((bytes = udma_stream_peek(self->stream, &data)))
			ASSERT_EQ(0, udma_stream_consume(self->stream, bytes));
		fake_require(0);
	}
	EXPECT_EQ(fake.hw, udma_stream_get_position(self->stream));
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	fake_period();
	EXPECT_EQ(PERIOD, drink(self->stream));
}

/* Where nothing has to be waited for, the kernel is not asked. */
TEST_F(stream, asks_for_nothing_that_is_there)
{
	unsigned int calls, i;

	calls = fake.calls;
	for (i = 0; i < 10; i++) {
		fake_period();
		EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
		EXPECT_EQ(PERIOD, drink(self->stream));
		EXPECT_FALSE(udma_stream_has_ended(self->stream));
	}
	EXPECT_EQ(calls, fake.calls);
}

/* To wait */

TEST_F(stream, waits_for_a_period)
{
	const void *data;
	unsigned int i;

	fake.asleep = fake_period;
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		ASSERT_EQ(PERIOD, drink(self->stream));
	}
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
	/* Two a period: to take the news of the last one, and to sleep. */
	EXPECT_GE(fake.calls, 2 * i);
	EXPECT_LE(fake.calls, 2 * i + 4);
}

TEST_F(stream, waits_for_more_than_was_told)
{
	fake_period();
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(PERIOD, peeks(self->stream));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	works(udma_stream_consume(self->stream, 10));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	fake.asleep = fake_period;
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(2 * PERIOD - 10, peeks(self->stream));
}

/* What is at the beginning of the ring was not told yet. */
TEST_F(stream, waits_not_where_the_ring_ends)
{
	fake_period();
	fake_period();
	EXPECT_EQ(2 * PERIOD, drink(self->stream));
	fake_period();
	fake_period();
	EXPECT_EQ(PERIOD, peeks(self->stream));
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
}

TEST_F(stream, waits_no_longer_than_told)
{
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 1000000));
	EXPECT_EQ(0, udma_stream_wait_end(self->stream, 0));
	EXPECT_EQ(0, udma_stream_wait_end(self->stream, 1000000));
}

TEST_F(stream, waits_until_a_signal)
{
	fake.error = EINTR;
	fails(EINTR, udma_stream_wait(self->stream, -1));
	fake.error = EINTR;
	fails(EINTR, udma_stream_wait_end(self->stream, -1));
}

/* News of what was seen already are none. */
static void move_after_all(void)
{
	static unsigned int times;

	if (++times == 2)
		fake_period();
	else
		fake_tell(UDMA_EVENT_F_EXACT);
}

TEST_F(stream, waits_on_when_it_knew)
{
	fake.asleep = move_after_all;
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

TEST_F(stream, tells_of_a_part_of_a_period)
{
	fake_write(0, 10);
	fake.hw = 10;
	fake_set(&fake.shared->hw_position, fake_count(10));
	fake_tell(UDMA_EVENT_F_IDLE | UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(10, drink(self->stream));
	EXPECT_EQ(10, udma_stream_get_moved(self->stream));
}

/* Not to keep up */

TEST_F(stream, loses_what_was_overwritten)
{
	unsigned int i;

	for (i = 0; i < PERIODS + 4; i++)
		fake_period();
	/* One of them is being written to. */
	EXPECT_EQ((PERIODS - 1) * PERIOD, drink(self->stream));
	EXPECT_EQ(5 * PERIOD, udma_stream_get_lost(self->stream));
	EXPECT_EQ(7 * PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ(7 * PERIOD, udma_stream_get_moved(self->stream));
	EXPECT_EQ(5, udma_stream_get_overruns(self->stream));
	EXPECT_EQ(fake.lost, udma_stream_get_lost(self->stream));
}

TEST_F(stream, tells_that_what_was_read_is_not_to_be_trusted)
{
	fake_period();
	EXPECT_EQ(PERIOD, peeks(self->stream));
	fake_period();
	/* All is whole yet. */
	works(udma_stream_consume(self->stream, 1));
	fake_period();
	fails(EPIPE, udma_stream_consume(self->stream, 1));
	EXPECT_EQ(PERIOD - 1, udma_stream_get_lost(self->stream));
	EXPECT_EQ(PERIOD, udma_stream_get_position(self->stream));
	fails(EPIPE, udma_stream_consume(self->stream, 1));
	fails(EPIPE, udma_stream_consume(self->stream, RING));
	EXPECT_EQ(PERIOD - 1, udma_stream_get_lost(self->stream));
	EXPECT_EQ(1, udma_stream_get_overruns(self->stream));

	EXPECT_EQ(2 * PERIOD, peeks(self->stream));
	works(udma_stream_consume(self->stream, 2 * PERIOD));
	EXPECT_EQ(3 * PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ(PERIOD - 1, udma_stream_get_lost(self->stream));
	fails(EINVAL, udma_stream_consume(self->stream, 1));
}

/* Also if the library has seen it in between. */
TEST_F(stream, does_not_forget_what_is_not_to_be_trusted)
{
	fake_period();
	fake_period();
	EXPECT_EQ(2 * PERIOD, peeks(self->stream));
	fake_period();
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(PERIOD, udma_stream_get_position(self->stream));
	fails(EPIPE, udma_stream_consume(self->stream, PERIOD));
	EXPECT_EQ(2 * PERIOD, peeks(self->stream));
	EXPECT_EQ(2 * PERIOD, drink(self->stream));
}

/* So far that 32 bits do not tell how far. */
TEST_F(stream, was_not_looked_at_for_gibibytes)
{
	unsigned int i;

	fake_period();
	EXPECT_EQ(PERIOD, drink(self->stream));
	for (i = 0; i < 40; i++) {
		fake_move(FOUR_GIB / PERIOD / 7);
		fake_tell(UDMA_EVENT_F_EXACT);
	}
	ASSERT_LT(5 * FOUR_GIB, fake.hw);
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_LT(0, peeks(self->stream));
	EXPECT_EQ(fake.hw, udma_stream_get_moved(self->stream));
	EXPECT_EQ(fake.app, udma_stream_get_position(self->stream));
	EXPECT_EQ(fake.lost, udma_stream_get_lost(self->stream));
	EXPECT_EQ((PERIODS - 1) * PERIOD, drink(self->stream));
	fake_period();
	EXPECT_EQ(PERIOD, drink(self->stream));
	EXPECT_EQ(fake.lost, udma_stream_get_lost(self->stream));
}

/* The kernel is just moving it on once more: what is lost is not that of this place. */
TEST_F(stream, does_not_believe_what_does_not_agree)
{
	const void *data;
	unsigned int i;

	for (i = 0; i < 5; i++)
		fake_period();
	fake_lose(fake.lost + PERIOD);
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	fake_lose(fake.lost);
	fake_period();
	EXPECT_EQ((PERIODS - 1) * PERIOD, drink(self->stream));
	EXPECT_EQ(4 * PERIOD, udma_stream_get_lost(self->stream));
}

TEST_F(stream, is_not_exact)
{
	fake_move(1);
	fake_tell(0);
	fake.asleep = fake_period;
	EXPECT_EQ(PERIOD, drink(self->stream));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_FALSE(udma_stream_is_exact(self->stream));
	EXPECT_EQ(PERIOD, drink(self->stream));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_FALSE(udma_stream_is_exact(self->stream));
}

/* Another process has the page, too. What it writes there is no danger to this one. */
TEST_F(stream, of_counts_that_cannot_be)
{
	static const __u32 distances[] = {
		1, RING - 1, RING, RING + 1, 1U << 30, 1U << 31, ~0U,
	};
	const unsigned char *begin = udma_buffer_get_data(self->buffer);
	const unsigned char *place;
	const void *data;
	unsigned int i, j;
	ssize_t bytes;

	for (i = 0; i < 7; i++) {
		for (j = 0; j < 7; j++) {
			fake_set(&fake.shared->hw_position, FAKE_FIRST + distances[i]);
			fake_set(&fake.shared->app_position, FAKE_FIRST + distances[j]);
			bytes = udma_stream_peek(self->stream, &data);
			place = data;
			ASSERT_LE(0, bytes);
			ASSERT_LE(begin + OFFSET, place);
			ASSERT_GE(begin + OFFSET + RING, place + bytes);
			udma_stream_wait(self->stream, 0);
			udma_stream_consume(self->stream, bytes);
		}
	}
}

/* A controller of its own */

#define RACE_PERIODS	100000

static void *run_controller(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < RACE_PERIODS; i++) {
		pthread_mutex_lock(&fake_lock);
		fake_period();
		pthread_mutex_unlock(&fake_lock);
		if (i % 4 == 0)
			sched_yield();
	}
	pthread_mutex_lock(&fake_lock);
	fake_end(0, UDMA_EVENT_F_EXACT);
	pthread_mutex_unlock(&fake_lock);
	return NULL;
}

/* What is consumed was whole, and what was not is counted, to the byte. */
TEST_F(stream, races_with_the_controller)
{
	static unsigned char copy[RING];
	__u64 consumed = 0, position;
	pthread_t controller;
	const void *data;
	ssize_t bytes, i;
	bool ended;

	errno = pthread_create(&controller, NULL, run_controller, NULL);
	ASSERT_EQ(0, errno);
	do {
		/* What comes before the end is seen by who looks behind it. */
		ended = udma_stream_has_ended(self->stream);
		bytes = udma_stream_peek(self->stream, &data);
		ASSERT_LE(0, bytes);
		position = udma_stream_get_position(self->stream);
		memcpy(copy, data, bytes);
		if (udma_stream_consume(self->stream, bytes)) {
			ASSERT_EQ(EPIPE, errno);
			continue;
		}
		for (i = 0; i < bytes; i++)
			ASSERT_EQ(fake_byte(position + i), copy[i]);
		consumed += bytes;
	} while (bytes || !ended);
	EXPECT_EQ(0, pthread_join(controller, NULL));
	EXPECT_EQ(fake.hw, udma_stream_get_position(self->stream));
	EXPECT_EQ(fake.hw - consumed, udma_stream_get_lost(self->stream));
	EXPECT_EQ(fake.lost, udma_stream_get_lost(self->stream));
	EXPECT_EQ(fake.overruns, udma_stream_get_overruns(self->stream));
}

/* The end */

static void end_well(void)
{
	fake_end(0, UDMA_EVENT_F_EXACT);
}

TEST_F(stream, stops)
{
	const struct udma_completion *end;

	fake_period();
	works(udma_stream_stop(self->stream));
	EXPECT_EQ(UDMA_STREAM_STOP, fake.control.command);
	EXPECT_FALSE(udma_stream_has_ended(self->stream));
	fake.asleep = end_well;
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, 0));
	EXPECT_TRUE(udma_stream_has_ended(self->stream));
	EXPECT_EQ(PERIOD, udma_stream_get_moved(self->stream));
	EXPECT_EQ(0, udma_stream_get_error(self->stream));
	end = made(udma_stream_get_completion(self->stream));
	EXPECT_EQ(0, udma_completion_get_error(end));
	EXPECT_EQ(USER_DATA, udma_completion_get_user_data(end));
	EXPECT_EQ(1, udma_completion_get_sequence(end));
	EXPECT_EQ(NULL, udma_stream_get_channel(self->stream));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));

	/* What has come before is there. */
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD, peeks(self->stream));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	works(udma_stream_consume(self->stream, PERIOD));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(0, drink(self->stream));
	EXPECT_EQ(PERIOD, udma_stream_get_moved(self->stream));
	fails(ENXIO, udma_stream_stop(self->stream));
	fails(ENXIO, udma_stream_pause(self->stream));
	fails(ENXIO, udma_stream_resume(self->stream));
}

/* Who only looks learns it, too. */
TEST_F(stream, has_ended_without_a_wait)
{
	EXPECT_FALSE(udma_stream_has_ended(self->stream));
	fake_set(&fake.shared->state, 0);
	EXPECT_FALSE(udma_stream_has_ended(self->stream));
	fake_end(0, 0);
	EXPECT_TRUE(udma_stream_has_ended(self->stream));
	EXPECT_FALSE(udma_stream_is_exact(self->stream));
}

TEST_F(stream, ends_by_itself)
{
	const struct udma_completion *end;

	fake_end(-EIO, UDMA_EVENT_F_RESET | UDMA_EVENT_F_EXACT);
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(EIO, udma_stream_get_error(self->stream));
	end = made(udma_stream_get_completion(self->stream));
	EXPECT_TRUE(udma_completion_was_reset(end));
	EXPECT_FALSE(udma_completion_is_held(end));
}

TEST_F(stream, ends_when_the_channel_goes)
{
	fake_period();
	fake_end(-ENODEV, UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(ENODEV, udma_stream_get_error(self->stream));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

/* The page is that of the next one then. */
TEST_F(stream, is_followed_by_another)
{
	struct udma_stream *next;

	fake_period();
	fake_end(0, UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, 0));
	udma_stream_config_set_cyclic(self->config, self->buffer, OFFSET + RING / 3, RING / 3 * 2,
				      RING / 3);
	next = made(udma_stream_start(self->channel, self->config));
	EXPECT_EQ(2, udma_channel_get_last_sequence(self->channel));
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	fake_period();
	EXPECT_EQ(PERIOD, drink(self->stream));
	EXPECT_EQ(PERIOD, drink(next));
	udma_stream_free(self->stream);
	self->stream = next;
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	EXPECT_FALSE(udma_stream_has_ended(next));
}

TEST_F(stream, is_freed_and_stopped)
{
	fake.asleep = end_well;
	errno = EXDEV;
	udma_stream_free(self->stream);
	EXPECT_EQ(EXDEV, errno);
	self->stream = NULL;
	EXPECT_EQ(1, fake.controls);
	EXPECT_EQ(UDMA_STREAM_STOP, fake.control.command);
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	self->stream = made(udma_stream_start(self->channel, self->config));
}

/* If the controller does not let go, it is the channel that waits for it. */
TEST_F(stream, is_freed_before_its_end)
{
	struct udma_completions *completions = made(udma_completions_new(4));
	const struct udma_completion *end;

	fake_period();
	fake_period();
	udma_stream_free(self->stream);
	self->stream = NULL;
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	EXPECT_EQ(0, must(udma_channel_read(self->channel, completions, 4)));
	not_made(EBUSY, udma_stream_start(self->channel, self->config));
	fails(EBUSY, udma_channel_receive(self->channel, self->buffer, 0, 64, &(size_t){ 0 }));

	fake_period();
	EXPECT_EQ(0, must(udma_channel_read(self->channel, completions, 4)));
	fake_period();
	fake_end(-ECANCELED, 0);
	EXPECT_EQ(1, must(udma_channel_read(self->channel, completions, 4)));
	end = made(udma_completions_get(completions, 0));
	EXPECT_EQ(ECANCELED, udma_completion_get_error(end));
	EXPECT_EQ(USER_DATA, udma_completion_get_user_data(end));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	udma_completions_free(completions);
	self->stream = made(udma_stream_start(self->channel, self->config));
}

TEST_F(stream, outlives_the_channel)
{
	const void *data;

	fake_period();
	EXPECT_EQ(PERIOD, peeks(self->stream));
	udma_channel_close(self->channel);
	self->channel = NULL;
	fake.runs = false;
	EXPECT_TRUE(udma_stream_has_ended(self->stream));
	EXPECT_EQ(ENODEV, udma_stream_get_error(self->stream));
	EXPECT_EQ(NULL, udma_stream_get_completion(self->stream));
	EXPECT_EQ(NULL, udma_stream_get_channel(self->stream));
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	fails(ENXIO, udma_stream_stop(self->stream));
}

/* The parent's goes on. */
TEST_F(stream, is_not_stopped_by_a_child)
{
	int status;
	pid_t pid;

	pid = must(fork());
	if (!pid) {
		udma_stream_free(self->stream);
		udma_buffer_free(self->buffer);
		udma_channel_close(self->channel);
		_exit(fake.controls);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	fake_period();
	EXPECT_EQ(PERIOD, drink(self->stream));
}

/* What the channel does besides */

TEST_F(stream, has_the_channel_for_itself)
{
	struct udma_completions *completions = made(udma_completions_new(1));
	struct udma_transfer *transfer = made(udma_transfer_new());
	const struct udma_transfer *transfers[] = { transfer };
	size_t received = 1;

	udma_transfer_set_receive(transfer, self->buffer, 0, 64);
	fails(EBUSY, udma_channel_submit_one(self->channel, transfer));
	fails(EBUSY, udma_channel_submit(self->channel, transfers, 1));
	fails(EBUSY, udma_channel_read(self->channel, completions, 1));
	fails(EBUSY, udma_channel_receive(self->channel, self->buffer, 0, 64, &received));
	EXPECT_EQ(0, received);
	fails(EBUSY, udma_channel_send(self->channel, self->buffer, 0, 64));
	not_made(EBUSY, udma_queue_new(self->channel, 4, 0));
	not_made(EBUSY, udma_stream_start(self->channel, self->config));

	fake_end(0, 0);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, 0));
	works(udma_channel_submit_one(self->channel, transfer));
	EXPECT_EQ(2, udma_channel_get_last_sequence(self->channel));
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	not_made(EBUSY, udma_stream_start(self->channel, self->config));
	udma_completions_free(completions);
	udma_transfer_free(transfer);
}

TEST_F(stream, does_what_it_is_told)
{
	works(udma_stream_pause(self->stream));
	EXPECT_EQ(UDMA_STREAM_PAUSE, fake.control.command);
	works(udma_stream_resume(self->stream));
	EXPECT_EQ(UDMA_STREAM_RESUME, fake.control.command);
	EXPECT_EQ(0, fake.control.position);
	fake.error = EIO;
	fails(EIO, udma_stream_pause(self->stream));
	fails(EOPNOTSUPP, udma_stream_drain(self->stream));
	EXPECT_EQ(2, fake.controls);
}

TEST_F(stream, of_another_kind)
{
	unsigned int calls = fake.calls;
	const void *data;
	void *place;

	fails(EOPNOTSUPP, udma_stream_get_room(self->stream, &place));
	fails(EOPNOTSUPP, udma_stream_commit(self->stream, 0));
	not_made(EOPNOTSUPP, udma_stream_next_packet(self->stream, &data));
	fails(EOPNOTSUPP, udma_stream_give_back(self->stream));
	EXPECT_EQ(calls, fake.calls);
}

TEST_F(stream, cannot_be_started)
{
	struct udma_stream_config *nothing = made(udma_stream_config_new());

	fake_end(0, 0);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, 0));
	not_made(EINVAL, udma_stream_start(self->channel, nothing));
	fake.error = ERANGE;
	not_made(ERANGE, udma_stream_start(self->channel, self->config));
	/* What the kernel has to refuse is no danger before. */
	udma_stream_config_set_packets(self->config, self->buffer, 0, RING, 0);
	fake.error = EINVAL;
	not_made(EINVAL, udma_stream_start(self->channel, self->config));
	udma_stream_config_set_packets(self->config, self->buffer, 0, 1, 2);
	fake.error = EINVAL;
	not_made(EINVAL, udma_stream_start(self->channel, self->config));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	EXPECT_EQ(1, udma_channel_get_last_sequence(self->channel));
	errno = EXDEV;
	udma_stream_config_free(nothing);
	udma_stream_config_free(NULL);
	udma_stream_free(NULL);
	EXPECT_EQ(EXDEV, errno);
}

TEST_F(stream, of_a_buffer_of_another_channel)
{
	struct udma_channel *other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fake.file);
	other = made(udma_channel_open(path));
	not_made(ENOENT, udma_stream_start(other, self->config));
	udma_channel_close(other);
	fake.fd = udma_channel_get_fd(self->channel);
}

TEST_F(stream, config)
{
	fake_end(0, 0);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, 0));
	udma_stream_free(self->stream);
	udma_stream_config_set_event_periods(self->config, 2);
	udma_stream_config_set_idle_ns(self->config, 5000000000ULL);
	udma_stream_config_set_stop_on_overrun(self->config, true);
	self->stream = made(udma_stream_start(self->channel, self->config));
	EXPECT_EQ(2, fake.start.event_periods);
	EXPECT_EQ(5000000000ULL, fake.start.idle_ns);
	EXPECT_EQ(UDMA_STREAM_F_STOP, fake.start.flags);
	EXPECT_EQ(USER_DATA, fake.start.user_data);
	EXPECT_EQ(RING, fake.start.bytes);
}

/* To a device: a playback */

FIXTURE(playback)
{
	struct udma_channel *channel;
	struct udma_buffer *buffer;
	struct udma_stream_config *config;
	struct udma_stream *stream;
};

FIXTURE_SETUP(playback)
{
	self->channel = made(open_fake(UDMA_DIRECTION_MEM_TO_DEV));
	self->buffer = made(udma_buffer_alloc(self->channel, 2 * RING));
	self->config = made(cyclic_config(self->buffer));
	udma_stream_config_set_filled_bytes(self->config, PERIOD);
	self->stream = made(udma_stream_start(self->channel, self->config));
}

FIXTURE_TEARDOWN(playback)
{
	if (fake.runs)
		fake_end(0, UDMA_EVENT_F_EXACT);
	udma_stream_free(self->stream);
	udma_stream_config_free(self->config);
	udma_buffer_free(self->buffer);
	udma_channel_close(self->channel);
}

/* As much as there is room for; returns how much that was, or -1. */
static ssize_t fill(struct udma_stream *stream)
{
	ssize_t bytes, total = 0;
	void *place;

	while ((bytes = udma_stream_get_room(stream, &place)) > 0) {
		memset(place, 1, bytes);
		if (udma_stream_commit(stream, bytes))
			return -1;
		total += bytes;
	}
	return bytes ? bytes : total;
}

TEST_F(playback, is_filled_in_place)
{
	unsigned char *memory = udma_buffer_get_data(self->buffer);
	void *place;

	EXPECT_EQ(PERIOD, fake.start.filled_bytes);
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(RING - PERIOD, udma_stream_get_room(self->stream, &place));
	EXPECT_EQ(memory + OFFSET + PERIOD, place);
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	fails(EINVAL, udma_stream_commit(self->stream, RING));
	works(udma_stream_commit(self->stream, RING - PERIOD));
	EXPECT_EQ(fake_count(RING), fake.shared->app_position);
	EXPECT_EQ(0, udma_stream_get_room(self->stream, &place));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	fake.asleep = fake_period;
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD, udma_stream_get_room(self->stream, &place));
	EXPECT_EQ(memory + OFFSET, place);
	EXPECT_EQ(PERIOD, udma_stream_get_moved(self->stream));
	EXPECT_EQ(RING, udma_stream_get_position(self->stream));
}

TEST_F(playback, goes_round_and_round)
{
	unsigned int i;

	EXPECT_EQ(RING - PERIOD, fill(self->stream));
	fake.asleep = fake_period;
	for (i = 1; i <= 1000; i++) {
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		ASSERT_EQ(PERIOD, fill(self->stream));
		ASSERT_EQ(i * PERIOD, udma_stream_get_moved(self->stream));
	}
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_EQ(0, fake.lost);
}

TEST_F(playback, is_too_late)
{
	void *place;

	EXPECT_EQ(RING - PERIOD, udma_stream_get_room(self->stream, &place));
	works(udma_stream_commit(self->stream, 1));
	fake_period();
	fails(EPIPE, udma_stream_commit(self->stream, 1));
	EXPECT_EQ(PERIOD - 1, udma_stream_get_lost(self->stream));
	EXPECT_EQ(2 * PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ(1, udma_stream_get_overruns(self->stream));
	/* From behind what is being played. */
	EXPECT_EQ(1, udma_stream_wait(self->stream, 0));
	EXPECT_EQ(PERIOD, udma_stream_get_room(self->stream, &place));
	EXPECT_EQ(2 * PERIOD, fill(self->stream));
	EXPECT_EQ(PERIOD - 1, udma_stream_get_lost(self->stream));
}

TEST_F(playback, was_not_looked_at_for_gibibytes)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		fake_move(FOUR_GIB / PERIOD / 7);
		fake_tell(UDMA_EVENT_F_EXACT);
	}
	EXPECT_EQ(2 * PERIOD, fill(self->stream));
	EXPECT_EQ(fake.hw, udma_stream_get_moved(self->stream));
	EXPECT_EQ(fake.hw + PERIOD * 3, udma_stream_get_position(self->stream));
	EXPECT_EQ(fake.lost, udma_stream_get_lost(self->stream));
}

TEST_F(playback, drains)
{
	void *place;

	EXPECT_EQ(RING - PERIOD, udma_stream_get_room(self->stream, &place));
	works(udma_stream_commit(self->stream, 10));
	works(udma_stream_drain(self->stream));
	EXPECT_EQ(UDMA_STREAM_DRAIN, fake.control.command);
	fake_end(0, UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(0, udma_stream_get_error(self->stream));
	/* Nobody would play it. */
	EXPECT_EQ(0, udma_stream_get_room(self->stream, &place));
	fails(ENXIO, udma_stream_commit(self->stream, 0));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	fails(ENXIO, udma_stream_drain(self->stream));
}

TEST_F(playback, of_another_kind)
{
	const void *data;

	fails(EOPNOTSUPP, udma_stream_peek(self->stream, &data));
	fails(EOPNOTSUPP, udma_stream_consume(self->stream, 0));
	not_made(EOPNOTSUPP, udma_stream_next_packet(self->stream, &data));
}

/* Packets */

FIXTURE(packets)
{
	struct udma_channel *channel;
	struct udma_buffer *buffer;
	struct udma_stream *stream;
};

FIXTURE_SETUP(packets)
{
	struct udma_stream_config *config;

	self->channel = made(open_fake(UDMA_DIRECTION_DEV_TO_MEM));
	self->buffer = made(udma_buffer_alloc(self->channel, OFFSET + SLOTS * SLOT));
	config = made(udma_stream_config_new());
	udma_stream_config_set_packets(config, self->buffer, OFFSET, SLOTS * SLOT, SLOT);
	udma_stream_config_set_user_data(config, USER_DATA);
	self->stream = made(udma_stream_start(self->channel, config));
	udma_stream_config_free(config);
}

FIXTURE_TEARDOWN(packets)
{
	if (fake.runs)
		fake_end(0, UDMA_EVENT_F_EXACT);
	udma_stream_free(self->stream);
	udma_buffer_free(self->buffer);
	udma_channel_close(self->channel);
}

/* The next one is so long, and lies where packet @number has to. */
static bool comes(struct udma_stream *stream, unsigned int number, size_t bytes)
{
	const struct udma_completion *packet;
	const unsigned char *begin = fake.mem + OFFSET;
	const bool is_short = bytes < SLOT;
	const void *data;

	packet = udma_stream_next_packet(stream, &data);
	if (!packet || udma_completion_get_bytes(packet) != bytes)
		return false;
	if (udma_completion_get_user_data(packet) != USER_DATA)
		return false;
	if (udma_completion_is_short(packet) != is_short)
		return false;
	/* It lies in the other mapping of the same memory. */
	return !memcmp(data, begin + number % SLOTS * SLOT, bytes) &&
	       find_other(data, bytes, number + 1) < 0;
}

TEST_F(packets, come_in_order)
{
	const void *data;

	EXPECT_EQ(UDMA_STREAM_PACKETS, fake.start.type);
	EXPECT_EQ(SLOT, fake.start.period_bytes);
	EXPECT_EQ(1, fake.start.event_periods);
	not_made(EAGAIN, udma_stream_next_packet(self->stream, &data));
	fake_packet(10);
	fake_packet(SLOT);
	fake_packet(0);
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_TRUE(comes(self->stream, 0, 10));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_TRUE(comes(self->stream, 1, SLOT));
	EXPECT_TRUE(comes(self->stream, 2, 0));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	not_made(EAGAIN, udma_stream_next_packet(self->stream, &data));
	EXPECT_EQ(3, udma_stream_get_position(self->stream));
	EXPECT_EQ(3, udma_stream_get_moved(self->stream));
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_TRUE(udma_stream_is_exact(self->stream));
}

/* Through 2^32 as the kernel counts, too. */
TEST_F(packets, go_round_and_round)
{
	unsigned int i;

	for (i = 0; i < 0x10000 + 5 * SLOTS; i++) {
		fake_packet(i % SLOT);
		ASSERT_TRUE(comes(self->stream, i, i % SLOT));
		ASSERT_EQ(0, udma_stream_give_back(self->stream));
		ASSERT_EQ(fake_count(i + 1), fake.shared->app_position);
	}
	EXPECT_EQ(0, fake.controls);
}

/* When there is none, it is seen from the counts. */
TEST_F(packets, ask_only_when_there_are_news)
{
	unsigned int calls;
	const void *data;

	calls = fake.calls;
	not_made(EAGAIN, udma_stream_next_packet(self->stream, &data));
	EXPECT_EQ(calls, fake.calls);
	fake_packet(1);
	fake_packet(2);
	EXPECT_TRUE(comes(self->stream, 0, 1));
	EXPECT_EQ(calls + 1, fake.calls);
	EXPECT_TRUE(comes(self->stream, 1, 2));
	EXPECT_EQ(1, fake.calls - calls);
	works(udma_stream_give_back(self->stream));
	EXPECT_EQ(1, fake.calls - calls);
}

TEST_F(packets, are_held_and_given_back)
{
	const struct udma_completion *first;
	const void *data;
	unsigned int i;

	fails(ENOENT, udma_stream_give_back(self->stream));
	fake_packet(7);
	first = made(udma_stream_next_packet(self->stream, &data));
	for (i = 1; i < SLOTS; i++) {
		fake_packet(i);
		ASSERT_TRUE(comes(self->stream, i, i));
	}
	/* All of them, and the first one is the same as before. */
	EXPECT_EQ(7, udma_completion_get_bytes(first));
	EXPECT_EQ(-1, find_other(data, 7, 1));
	for (i = 0; i < SLOTS; i++)
		works(udma_stream_give_back(self->stream));
	fails(ENOENT, udma_stream_give_back(self->stream));
	EXPECT_EQ(fake_count(SLOTS), fake.shared->app_position);
}

TEST_F(packets, starve)
{
	fake_packet(1);
	fake_packet(2);
	EXPECT_TRUE(comes(self->stream, 0, 1));
	EXPECT_TRUE(comes(self->stream, 1, 2));
	works(udma_stream_give_back(self->stream));
	EXPECT_EQ(0, fake.controls);
	fake_set(&fake.shared->state, UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED);
	fake_set(&fake.shared->overruns, 1);
	works(udma_stream_give_back(self->stream));
	EXPECT_EQ(1, fake.controls);
	EXPECT_EQ(UDMA_STREAM_ADVANCE, fake.control.command);
	EXPECT_EQ(2, fake.control.position);
	EXPECT_EQ(1, udma_stream_get_overruns(self->stream));

	fake_packet(3);
	EXPECT_TRUE(comes(self->stream, 2, 3));
	fake.error = EIO;
	fails(EIO, udma_stream_give_back(self->stream));
	fails(ENOENT, udma_stream_give_back(self->stream));
}

/* There was no room for its event, which is told of as hunger. */
TEST_F(packets, starve_until_events_were_taken)
{
	fake_packet(1);
	fake_set(&fake.shared->state, UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED);
	EXPECT_TRUE(comes(self->stream, 0, 1));
	EXPECT_EQ(1, fake.controls);
	EXPECT_EQ(UDMA_STREAM_ADVANCE, fake.control.command);
	EXPECT_EQ(0, fake.control.position);
}

/* More than events are read at a time, and all at once. */
TEST_F(packets, are_as_many_as_slots)
{
	const void *data;
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		fake_packet(i);
	fake_end(0, UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	for (i = 0; i < SLOTS; i++) {
		EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
		EXPECT_TRUE(comes(self->stream, i, i));
	}
	not_made(ENXIO, udma_stream_next_packet(self->stream, &data));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	/* Nobody has use for it any more. */
	works(udma_stream_give_back(self->stream));
}

TEST_F(packets, end_while_they_starve)
{
	fake_packet(1);
	EXPECT_TRUE(comes(self->stream, 0, 1));
	fake_set(&fake.shared->state, UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED);
	fake.runs = false;
	works(udma_stream_give_back(self->stream));
	EXPECT_EQ(1, fake.controls);
}

TEST_F(packets, of_another_kind)
{
	const void *data;
	void *place;

	fails(EOPNOTSUPP, udma_stream_peek(self->stream, &data));
	fails(EOPNOTSUPP, udma_stream_consume(self->stream, 0));
	fails(EOPNOTSUPP, udma_stream_get_room(self->stream, &place));
	fails(EOPNOTSUPP, udma_stream_commit(self->stream, 0));
	fails(EOPNOTSUPP, udma_stream_drain(self->stream));
}

TEST_HARNESS_MAIN
