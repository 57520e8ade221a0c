// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that go round and round to a device, which sees whether it gets what it should:
 * what has been filled goes out, once, and what has not is told.
 */
#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define PERIOD	1024U
#define PERIODS	5U
#define RING	(PERIODS * PERIOD)

FIXTURE(play)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct stream stream;
	struct account account;
};

FIXTURE_VARIANT(play)
{
	const char *granularity;
	bool tells_part;
	__u32 exact;
};

FIXTURE_VARIANT_ADD(play, by_burst)
{
	.granularity = "burst",
	.tells_part = true,
	.exact = UDMA_EVENT_F_EXACT,
};

FIXTURE_VARIANT_ADD(play, by_descriptor)
{
	.granularity = "descriptor",
};

FIXTURE_SETUP(play)
{
	const struct device_config config = {
		.kind = "sink",
		.channels = 1,
		.pattern_first = "4294967290",
		.granularity = variant->granularity,
	};

	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, RING, &self->buffer));
}

FIXTURE_TEARDOWN(play)
{
	works(try_unmap(&self->buffer));
	if (self->stream.shared)
		works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

#define fill(_at, _bytes)							\
	ring_fill(self->buffer.mem, RING, 4294967290U, _at, _bytes)

#define starts_with(_filled, _flags)						\
	do {									\
		struct udma_stream_start __start =				\
			cyclic_start(&self->buffer, RING, PERIOD);		\
										\
		__start.filled_bytes = (_filled);				\
		__start.flags = (_flags);					\
		memset(self->buffer.mem, 0xee, RING);				\
		fill(0, __start.filled_bytes);					\
		must(try_stream(&self->stream, self->fd, __start));		\
	} while (0)

#define played(_bytes, _errors)							\
	do {									\
		EXPECT_EQ(_bytes, sim_get(&self->sim, "sink_bytes"));		\
		EXPECT_EQ(_errors, sim_get(&self->sim, "sink_errors"));		\
	} while (0)

TEST_F(play, gives_all_that_was_filled_in_time)
{
	__u64 filled = 2 * PERIOD, i;

	starts_with(filled, 0);
	EXPECT_EQ(filled, stream_app(&self->stream));
	EXPECT_EQ(0, stream_hw(&self->stream));
	/* Long enough for the positions to go from 2^32 - 1 to zero. */
	for (i = 1; i <= 80; i++) {
		must(try_step(&self->sim, 1));
		tells(self->fd, variant->exact, PERIOD, 1, i * PERIOD, 0);
		EXPECT_EQ(i * PERIOD, stream_hw(&self->stream));
		/* Up to where the controller is about to read. */
		fill(filled, i * PERIOD + RING - PERIOD - filled);
		EXPECT_TRUE(stream_move(&self->stream, filled, i * PERIOD + RING - PERIOD));
		filled = i * PERIOD + RING - PERIOD;
	}
	EXPECT_EQ(0, stream_lost(&self->stream));
	played(80 * PERIOD, 0);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, 0, 0, 80 * PERIOD);
}

TEST_F(play, begins_with_all_of_the_ring)
{
	starts_with(RING, 0);
	EXPECT_EQ(RING, stream_app(&self->stream));
	must(try_step(&self->sim, PERIODS - 1));
	EXPECT_EQ(0, stream_lost(&self->stream));
	played(RING - PERIOD, 0);
}

/* What is played that was not filled is counted, to the byte. */
TEST_F(play, tells_what_was_missing)
{
	starts_with(PERIOD + 100, 0);
	must(try_step(&self->sim, 1));
	/* The second one begins, of which a part is there. */
	tells(self->fd, variant->exact | UDMA_EVENT_F_OVERRUN, PERIOD, 1, PERIOD, PERIOD - 100);
	EXPECT_EQ(PERIOD - 100, stream_lost(&self->stream));
	EXPECT_EQ(2 * PERIOD, stream_app(&self->stream));
	EXPECT_EQ(1, stream_overruns(&self->stream));
	/* Who was about to fill it comes too late, and sees that. */
	EXPECT_FALSE(stream_move(&self->stream, PERIOD + 100, 2 * PERIOD + 8));
	must(try_step(&self->sim, 1));
	tells(self->fd, variant->exact | UDMA_EVENT_F_OVERRUN, PERIOD, 1, 2 * PERIOD, PERIOD);
	EXPECT_EQ(2, stream_overruns(&self->stream));
	/* In time it is whole again. */
	fill(3 * PERIOD, 2 * PERIOD);
	EXPECT_TRUE(stream_move(&self->stream, 3 * PERIOD, 5 * PERIOD));
	must(try_step(&self->sim, 2));
	tells(self->fd, variant->exact, PERIOD, 1, 3 * PERIOD, 0);
	tells(self->fd, variant->exact, PERIOD, 1, 4 * PERIOD, 0);
	EXPECT_EQ(2 * PERIOD - 100, stream_lost(&self->stream));
	/* The words that were not there are wrong, and no others. */
	played(4 * PERIOD, (2 * PERIOD - 100) / 4);
}

TEST_F(play, stops_when_something_is_missing)
{
	starts_with(2 * PERIOD + 24, UDMA_STREAM_F_STOP);
	must(try_step(&self->sim, 1));
	must(try_account(self->fd, &self->account));
	EXPECT_FALSE(account_closed(&self->account));
	must(try_step(&self->sim, 1));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	EXPECT_EQ(-EPIPE, self->account.last.status);
	EXPECT_EQ(2 * PERIOD, self->account.bytes);
	EXPECT_EQ(PERIOD - 24, self->account.lost);
	EXPECT_EQ(PERIOD - 24, stream_lost(&self->stream));
	EXPECT_EQ(0, stream_state(&self->stream));
	played(2 * PERIOD, 0);
}

TEST_F(play, takes_what_advance_says)
{
	static const __u64 wrong[] = {
		RING + 1, RING + PERIOD, 1ULL << 32, (1ULL << 32) + 3 * PERIOD, ~0ULL,
	};
	unsigned int i;

	starts_with(PERIOD, 0);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_ADVANCE, wrong[i]));
	}
	fill(PERIOD, RING - PERIOD);
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, RING));
	EXPECT_EQ(RING, stream_app(&self->stream));
	must(try_step(&self->sim, PERIODS - 1));
	EXPECT_EQ(0, stream_lost(&self->stream));
	played(RING - PERIOD, 0);
}

/* Drain */

TEST_F(play, drains_what_was_filled)
{
	starts_with(3 * PERIOD, 0);
	must(try_step(&self->sim, 1));
	must(try_account(self->fd, &self->account));
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	must(try_step(&self->sim, 1));
	must(try_account(self->fd, &self->account));
	EXPECT_FALSE(account_closed(&self->account));
	must(try_step(&self->sim, 1));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	EXPECT_EQ(0, self->account.last.status);
	EXPECT_EQ(3 * PERIOD, self->account.bytes);
	EXPECT_EQ(3, self->account.count);
	EXPECT_EQ(0, self->account.lost);
	played(3 * PERIOD, 0);
	fails(ENXIO, try_control(self->fd, UDMA_STREAM_DRAIN));
}

/* To the end of the period that has begun, of which not all counts as filled. */
TEST_F(play, drains_to_the_end_of_a_period)
{
	starts_with(2 * PERIOD + 8, 0);
	/* What is behind it is silence. */
	fill(2 * PERIOD + 8, PERIOD - 8);
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	must(try_step(&self->sim, 2));
	must(try_account(self->fd, &self->account));
	EXPECT_FALSE(account_closed(&self->account));
	EXPECT_EQ(0, self->account.lost);
	must(try_step(&self->sim, 1));
	must(try_account_end(self->fd, &self->account));
	EXPECT_EQ(3 * PERIOD, self->account.bytes);
	/* Nothing is missing where nothing more was to come. */
	EXPECT_EQ(0, self->account.lost);
	EXPECT_EQ(0, stream_overruns(&self->stream));
	played(3 * PERIOD, 0);
}

/* What is filled while it drains goes out as well. */
TEST_F(play, drains_what_is_filled_meanwhile)
{
	starts_with(PERIOD, UDMA_STREAM_F_STOP);
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	fill(PERIOD, PERIOD);
	EXPECT_TRUE(stream_move(&self->stream, PERIOD, 2 * PERIOD));
	must(try_step(&self->sim, 2));
	must(try_account_end(self->fd, &self->account));
	EXPECT_EQ(0, self->account.last.status);
	EXPECT_EQ(2 * PERIOD, self->account.bytes);
	played(2 * PERIOD, 0);
}

TEST_F(play, stops_while_it_drains)
{
	starts_with(RING, 0);
	must(try_step(&self->sim, 1));
	must(try_account(self->fd, &self->account));
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	must(try_step_bytes(&self->sim, 100));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &self->account));
	EXPECT_EQ(0, self->account.last.status);
	EXPECT_EQ(PERIOD + (variant->tells_part ? 100 : 0), self->account.bytes);
	played(PERIOD + 100, 0);
}

TEST_F(play, drains_after_it_was_paused)
{
	starts_with(2 * PERIOD, 0);
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_PAUSED, stream_state(&self->stream));
	must(try_control(self->fd, UDMA_STREAM_RESUME));
	must(try_step(&self->sim, 2));
	must(try_account_end(self->fd, &self->account));
	EXPECT_EQ(2 * PERIOD, self->account.bytes);
	EXPECT_EQ(0, self->account.last.status);
	played(2 * PERIOD, 0);
}

TEST_F(play, ends_with_an_error)
{
	must(try_sim_set(&self->sim, "fail_at", 1));
	starts_with(RING, 0);
	must(try_step(&self->sim, 1));
	ends_stream(self->fd, -EIO, 0, 0, 0, 0);
	played(0, 0);
	/* And goes on with the next. */
	must(try_stream_start(self->fd, &self->stream.start));
	must(try_step(&self->sim, 1));
	tells(self->fd, variant->exact, PERIOD, 1, PERIOD, 0);
	played(PERIOD, 0);
}

/* Nothing is written to the ring, or to what lies around it. */
TEST_F(play, only_reads)
{
	unsigned int i;

	starts_with(RING, 0);
	for (i = 0; i < 12; i++) {
		must(try_step(&self->sim, 1));
		stream_set_app(&self->stream, i * PERIOD + RING);
	}
	EXPECT_EQ(RING, ring_differs(self->buffer.mem, RING, 4294967290U, 0, RING));
	EXPECT_EQ(-1, find_other(self->buffer.mem + RING, self->buffer.map_bytes - RING, 0));
}

/* In real time: a program that fills what it can, and then drains. */
TEST_F(play, plays_all_to_the_end)
{
	const __u64 whole = 300 * PERIOD + 17 * 4;
	__u64 filled, hw, random = seed(), end = 0;
	struct udma_event event = {};
	__u32 app;

	starts_with(RING, UDMA_STREAM_F_STOP);
	filled = RING;
	while (filled < whole) {
		/* Nothing is played but what a step does: it is late by as much as it likes. */
		must(try_step(&self->sim, 1 + below(&random, PERIODS - 1)));
		must(try_account(self->fd, &self->account));
		ASSERT_FALSE(account_closed(&self->account));
		hw = self->account.last.position;
		ASSERT_EQ((__u32)hw, stream_hw(&self->stream));
		app = filled;
		filled = hw + RING < whole ? hw + RING : whole;
		fill(app, filled - app);
		ASSERT_TRUE(stream_move(&self->stream, app, filled));
	}
	must(try_control(self->fd, UDMA_STREAM_DRAIN));
	fill(filled, PERIOD - filled % PERIOD);
	must(try_sim_set(&self->sim, "bandwidth", MIB));
	must(try_sim_set(&self->sim, "step_mode", 0));
	while (!account_closed(&self->account)) {
		ASSERT_TRUE(look_again(&end));
		must(try_collect(self->fd, &event, 1));
		account_add(&self->account, &event);
	}
	EXPECT_FALSE(self->account.wrong);
	EXPECT_EQ(0, self->account.last.status);
	EXPECT_EQ(0, self->account.lost);
	EXPECT_LE(whole, self->account.bytes);
	EXPECT_EQ(0, stream_lost(&self->stream));
	EXPECT_LE((long)whole, sim_get(&self->sim, "sink_bytes"));
	/* What goes out until it has stopped is from the next period. */
	if (sim_get(&self->sim, "sink_bytes") <= 301 * (long)PERIOD) {
		EXPECT_EQ(0, sim_get(&self->sim, "sink_errors"));
	}
}

TEST_HARNESS_MAIN
