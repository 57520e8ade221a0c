// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that do not keep up with a device: what they are told was lost is the gap in
 * the data, to the byte and every time, and what they are to trust is right.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define PERIOD	256U

/* The pattern goes from its largest word to zero soon. */
#define FIRST		4294967000U
#define FIRST_TEXT	"4294967000"

FIXTURE(loss)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct stream stream;
	struct reader reader;
	struct account account;
	__u64 ring;
	__u64 random;
};

FIXTURE_VARIANT(loss)
{
	unsigned int periods;
	unsigned int event_periods;
	const char *granularity;
};

FIXTURE_VARIANT_ADD(loss, of_two_periods)
{
	.periods = 2,
	.event_periods = 1,
};

FIXTURE_VARIANT_ADD(loss, of_three_periods)
{
	.periods = 3,
	.event_periods = 2,
};

FIXTURE_VARIANT_ADD(loss, of_seven_periods)
{
	.periods = 7,
	.event_periods = 1,
};

FIXTURE_VARIANT_ADD(loss, of_seven_periods_by_segment)
{
	.periods = 7,
	.event_periods = 7,
	.granularity = "segment",
};

FIXTURE_VARIANT_ADD(loss, of_three_periods_by_descriptor)
{
	.periods = 3,
	.event_periods = 1,
	.granularity = "descriptor",
};

FIXTURE_SETUP(loss)
{
	const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.pattern_first = FIRST_TEXT,
		.granularity = variant->granularity,
	};

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->ring = variant->periods * PERIOD;
	must(try_alloc_map(self->fd, self->ring, &self->buffer));
	self->reader = (struct reader) {
		.stream = &self->stream,
		.ring = self->buffer.mem,
		.first = FIRST,
	};
}

FIXTURE_TEARDOWN(loss)
{
	works(try_unmap(&self->buffer));
	works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

#define starts(_flags)								\
	do {									\
		struct udma_stream_start __start =				\
			cyclic_start(&self->buffer, self->ring, PERIOD);	\
										\
		__start.event_periods = variant->event_periods;			\
		__start.flags = (_flags);					\
		must(try_stream(&self->stream, self->fd, __start));		\
	} while (0)

/**
 * struct model - what has to be known of a ring
 * @periods: how many it has
 * @moved: how far the controller is
 * @app: how far the program is
 * @lost: what was lost
 * @overruns: how often
 */
struct model {
	__u64 periods;
	__u64 moved;
	__u64 app;
	__u64 lost;
	__u32 overruns;
};

/*
 * How many periods of a ring can be read at a time: not the one that is overwritten, nor the
 * next one, unless there are only two.
 */
static unsigned int readable(unsigned int periods)
{
	return periods > 2 ? periods - 2 : 1;
}

/* The controller goes on: at the end of each period the next one begins to be overwritten. */
static void model_move(struct model *model, __u64 bytes)
{
	const __u64 most = readable(model->periods) * PERIOD;
	__u64 least;

	for (; bytes; bytes--) {
		if (++model->moved % PERIOD)
			continue;
		least = model->moved > most ? model->moved - most : 0;
		if (model->app >= least)
			continue;
		model->lost += least - model->app;
		model->app = least;
		model->overruns++;
	}
}

/* All that is told says what the model does. */
#define agrees(_model)								\
	do {									\
		const struct model *__model = (_model);				\
										\
		ASSERT_EQ((__u32)(__model->moved / PERIOD * PERIOD),		\
			  stream_hw(&self->stream));				\
		ASSERT_EQ((__u32)__model->app, stream_app(&self->stream));	\
		ASSERT_EQ(__model->lost, stream_lost(&self->stream));		\
		ASSERT_EQ(__model->overruns, stream_overruns(&self->stream));	\
		ASSERT_EQ(0, self->reader.wrong);				\
	} while (0)

/*
 * A program that is away for any time and consumes any part of what there is, by either
 * way to say so. Far enough for the counts to go from 2^32 - 1 to zero.
 */
TEST_F(loss, told_is_the_gap_in_the_data)
{
	struct model model = { .periods = variant->periods };
	unsigned int round, steps, away = 2 * variant->periods + 2;
	__u64 taken;

	starts(0);
	for (round = 0; model.moved < 80000 || round < 120; round++) {
		steps = below(&self->random, away);
		must(try_step(&self->sim, steps ?: 1));
		model_move(&model, (steps ?: 1) * PERIOD - model.moved % PERIOD);
		if (!below(&self->random, 4)) {
			steps = 1 + below(&self->random, 2 * PERIOD);
			must(try_step_bytes(&self->sim, steps));
			model_move(&model, steps);
		}
		agrees(&model);
		if (!below(&self->random, 5))
			continue;
		if (!below(&self->random, 8)) {
			/* Without a look at the data. */
			taken = (model.moved / PERIOD * PERIOD - model.app) / 2;
			must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, model.app + taken));
			self->reader.taken += taken;
			self->reader.lost = model.lost;
		} else {
			taken = reader_take(&self->reader, 1 + below(&self->random, self->ring));
			EXPECT_NE(0, taken);
		}
		model.app += taken;
		agrees(&model);
		ASSERT_EQ(model.app, reader_at(&self->reader));
		if (below(&self->random, 2)) {
			must(try_account(self->fd, &self->account));
			ASSERT_FALSE(self->account.wrong);
		}
	}
	/* Nobody reads any more, so most of it goes. */
	must(try_step(&self->sim, 40));
	model_move(&model, 40 * PERIOD - model.moved % PERIOD);
	agrees(&model);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	EXPECT_EQ(0, self->account.last.status);
	EXPECT_EQ(model.moved, self->account.bytes);
	EXPECT_EQ(model.moved / PERIOD, self->account.count);
	EXPECT_EQ(stream_lost(&self->stream), self->account.lost);
	EXPECT_EQ(model.lost, self->account.lost);
	say("%llu bytes, of which %llu were lost in %u overruns",
	    (unsigned long long)model.moved, (unsigned long long)model.lost, model.overruns);
	EXPECT_LT(0, model.overruns);
	/* What is left can be read still, and is as it was. */
	taken = reader_take(&self->reader, ~0ULL);
	EXPECT_EQ(model.moved - model.app, taken);
	EXPECT_EQ(0, self->reader.wrong);
}

/* What is being read when it is overwritten is not to be trusted, and is counted. */
TEST_F(loss, is_seen_by_who_was_reading)
{
	const __u32 most = readable(variant->periods) * PERIOD;
	__u32 app, hw;

	starts(0);
	must(try_step(&self->sim, readable(variant->periods)));
	app = stream_app(&self->stream);
	hw = stream_hw(&self->stream);
	EXPECT_EQ(0, app);
	EXPECT_EQ(most, hw);
	/* Meanwhile the next one begins to be written where it reads. */
	must(try_step(&self->sim, 1));
	EXPECT_FALSE(stream_move(&self->stream, app, hw));
	EXPECT_EQ(PERIOD, stream_lost(&self->stream));
	EXPECT_EQ(PERIOD, stream_app(&self->stream));
	EXPECT_EQ(1, stream_overruns(&self->stream));
	must(try_account(self->fd, &self->account));
	/* From where it is now on all is well. */
	EXPECT_EQ(most, reader_take(&self->reader, ~0ULL));
	EXPECT_EQ(0, self->reader.wrong);
}

/* Who consumes in time loses nothing, however tight it is. */
TEST_F(loss, is_none_for_who_keeps_up)
{
	unsigned int i;

	starts(0);
	for (i = 0; i < 120; i++) {
		must(try_step(&self->sim, 1));
		must(try_account(self->fd, &self->account));
		if (i % readable(variant->periods) == 0) {
			EXPECT_NE(0, reader_take(&self->reader, ~0ULL));
		}
	}
	EXPECT_EQ(0, stream_lost(&self->stream));
	EXPECT_EQ(0, self->account.lost);
	EXPECT_EQ(0, self->reader.wrong);
	EXPECT_EQ(0, self->reader.refused);
	EXPECT_FALSE(self->account.wrong);
}

TEST_F(loss, stops_who_wants_it)
{
	const __u64 most = readable(variant->periods) * PERIOD;
	unsigned int i;

	starts(UDMA_STREAM_F_STOP);
	/* It keeps up for a while. */
	for (i = 0; i < 10; i++) {
		must(try_step(&self->sim, 1));
		EXPECT_EQ(PERIOD, reader_take(&self->reader, ~0ULL));
	}
	/* And a part of one more. */
	must(try_step(&self->sim, readable(variant->periods)));
	EXPECT_EQ(100, reader_take(&self->reader, 100));
	EXPECT_EQ(0, stream_lost(&self->stream));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	must(try_step(&self->sim, 1));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	EXPECT_EQ(-EPIPE, self->account.last.status);
	EXPECT_EQ(UDMA_EVENT_F_OVERRUN | UDMA_EVENT_F_LAST,
		  self->account.last.flags & ~UDMA_EVENT_F_EXACT);
	EXPECT_EQ(PERIOD - 100, self->account.lost);
	EXPECT_EQ(PERIOD - 100, stream_lost(&self->stream));
	EXPECT_EQ(1, stream_overruns(&self->stream));
	EXPECT_EQ(11 * PERIOD + most, self->account.bytes);
	EXPECT_EQ(11 + readable(variant->periods), self->account.count);
	fails(ENXIO, try_control(self->fd, UDMA_STREAM_STOP));
	/* What was not lost is there. */
	EXPECT_EQ(most, reader_take(&self->reader, ~0ULL));
	EXPECT_EQ(0, self->reader.wrong);
}

/* Of a controller that tells of several periods at once */

TEST_F(loss, of_periods_that_are_told_together)
{
	unsigned int i;

	must(try_sim_set(&self->sim, "coalesce_periods", 2));
	starts(0);
	for (i = 0; i < 100; i++) {
		must(try_step(&self->sim, 1 + i % 5));
		must(try_account(self->fd, &self->account));
		if (i % 3)
			reader_take(&self->reader, ~0ULL);
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	/* There may have been more than is known. */
	EXPECT_EQ(0, self->account.exact);
	/* In a whole round it has not moved, and one may not tell where it is: at least so far. */
	if (variant->periods > 2 &&
	    (!variant->granularity || strcmp(variant->granularity, "descriptor"))) {
		EXPECT_EQ(0, self->reader.wrong);
		EXPECT_EQ(300 * PERIOD, self->account.bytes);
	} else {
		EXPECT_GE(300 * PERIOD, self->account.bytes);
	}
	EXPECT_EQ(self->account.lost, stream_lost(&self->stream));
}

/*
 * Whole rounds of which nobody is told are not counted: what is told is the least that it can
 * have been. Nor does what is told contradict itself.
 */
TEST_F(loss, of_whole_rounds_is_at_least_so_much)
{
	const unsigned int together = 2 * variant->periods + 1;
	const unsigned int times = 10 * variant->event_periods;
	unsigned int i;

	must(try_sim_set(&self->sim, "coalesce_periods", together));
	starts(0);
	for (i = 1; i <= times; i++) {
		must(try_step(&self->sim, together));
		must(try_account(self->fd, &self->account));
		EXPECT_GE((__u64)i * together * PERIOD, self->account.bytes);
		EXPECT_LE((__u64)i * PERIOD, stream_hw(&self->stream));
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &self->account));
	EXPECT_FALSE(self->account.wrong);
	EXPECT_GE((__u64)times * together * PERIOD, self->account.bytes);
	EXPECT_EQ(self->account.lost, stream_lost(&self->stream));
}

/* Whether it is known how many there were, as it is of one that tells of each. */
TEST_F(loss, of_whole_rounds_is_not_exact)
{
	const bool tells = !variant->granularity || strcmp(variant->granularity, "descriptor");
	const unsigned int together[] = {
		variant->periods, 2 * variant->periods, variant->periods + 2, 2,
	};
	unsigned int before, i, k;

	for (before = 0; before < 2; before++) {
		for (k = 0; k < ARRAY_SIZE(together); k++) {
			self->account = (struct account) {};
			starts(0);
			/* At first all is well. */
			must(try_step(&self->sim, 2 * variant->event_periods * before));
			must(try_account(self->fd, &self->account));
			EXPECT_EQ(2 * before * tells, self->account.exact);
			self->account.exact = 0;
			must(try_sim_set(&self->sim, "coalesce_periods", together[k]));
			for (i = 0; i < 5 * variant->periods; i++) {
				must(try_step(&self->sim, together[k]));
				must(try_account(self->fd, &self->account));
			}
			/* Nobody can tell afterwards. */
			must(try_sim_set(&self->sim, "coalesce_periods", 0));
			for (i = 0; i < 2 * variant->periods; i++) {
				must(try_step(&self->sim, 1));
				must(try_account(self->fd, &self->account));
			}
			must(try_control(self->fd, UDMA_STREAM_STOP));
			must(try_account_end(self->fd, &self->account));
			EXPECT_EQ(0, self->account.exact)
				TH_LOG("%u together, %u", together[k], before);
			EXPECT_LT(1, self->account.events);
			EXPECT_FALSE(self->account.wrong);
			must(try_stream_unmap(&self->stream));
		}
	}
	starts(0);
}

/* As fast as it goes */

FIXTURE(fast)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct stream stream;
	__u64 random;
};

/* Zero is as fast as it can. So many periods that it is not a round ahead of what it tells. */
FIXTURE_VARIANT(fast)
{
	__u64 bandwidth;
	__u64 period;
	__u64 periods;
};

FIXTURE_VARIANT_ADD(fast, at_4_mib_a_second)
{
	.bandwidth = 4 * MIB,
	.period = 2048,
	.periods = 67,
};

FIXTURE_VARIANT_ADD(fast, as_fast_as_it_can)
{
	.period = 4096,
	.periods = 151,
};

FIXTURE_SETUP(fast)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.pattern_first = FIRST_TEXT,
	};

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "bandwidth", variant->bandwidth));
	must(try_alloc_map(self->fd, variant->period * variant->periods, &self->buffer));
}

FIXTURE_TEARDOWN(fast)
{
	works(try_unmap(&self->buffer));
	works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

/* What a program of its own has seen. */
struct seen {
	struct reader reader;
	struct account account;
	bool stop;
};

/*
 * Reads as it can. Where it looks costs time, a part of what there is will do; the pattern
 * of a part is as good.
 */
static void read_all(int fd, struct seen *seen, __u64 most)
{
	while (!LOAD(seen->stop)) {
		reader_take(&seen->reader, most);
		if (try_account(fd, &seen->account))
			_exit(1);
	}
	if (try_account_end(fd, &seen->account))
		_exit(2);
	while (reader_take(&seen->reader, most))
		;
	_exit(0);
}

TEST_F(fast, programs_that_are_stopped_know_what_they_lost)
{
	const unsigned int rounds = 30;
	__u64 bytes = variant->period * variant->periods;
	struct udma_stream_start start = cyclic_start(&self->buffer, bytes, variant->period);
	struct seen *seen;
	unsigned int i;
	int status;
	pid_t pid;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	ASSERT_NE(MAP_FAILED, seen);
	start.event_periods = 4;
	must(try_stream(&self->stream, self->fd, start));
	seen->reader = (struct reader) {
		.stream = &self->stream,
		.ring = self->buffer.mem,
		.first = FIRST,
	};
	pid = must(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		read_all(self->fd, seen, 2 * variant->period);
	}
	for (i = 0; i < rounds; i++) {
		const __u64 taken = LOAD(seen->reader.taken);
		const __u64 lost = stream_lost(&self->stream);
		__u64 end = 0;

		while (LOAD(seen->reader.taken) == taken)
			ASSERT_TRUE(look_again(&end));
		dawdle(&self->random);
		must(kill(pid, SIGSTOP));
		must(waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		/* Until it has lost something for sure, every other time. */
		end = 0;
		while (i % 2 && stream_lost(&self->stream) - lost < variant->period)
			ASSERT_TRUE(look_again(&end));
		must(kill(pid, SIGCONT));
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	STORE(seen->stop, true);
	ASSERT_EQ(pid, must(waitpid(pid, &status, 0)));
	EXPECT_EQ(0, status);
	say("%llu bytes, %llu lost in %u overruns, refused %lu times",
	    (unsigned long long)seen->account.bytes, (unsigned long long)seen->account.lost,
	    stream_overruns(&self->stream), seen->reader.refused);
	EXPECT_EQ(0, seen->reader.wrong);
	EXPECT_FALSE(seen->account.wrong);
	EXPECT_EQ(seen->account.lost, stream_lost(&self->stream));
	/* All that has come was consumed, or was lost. */
	EXPECT_EQ(seen->account.bytes, seen->reader.taken + seen->account.lost);
	EXPECT_EQ(seen->account.bytes, seen->account.last.position);
	EXPECT_EQ((__u32)seen->account.bytes, stream_hw(&self->stream));
}

/* Counts of 64 bits, of which the program sees the upper half, too. No data moves. */
TEST(losses_over_4_gib_are_told)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};
	struct account account = {};
	struct udma_stream_start start;
	struct buffer buffer;
	struct stream stream;
	struct sim sim;
	__u64 end = 0;
	int fd;

	must(try_device_make(&sim, &config));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_alloc(fd, 4 * MIB, &buffer));
	must(try_sim_set(&sim, "bandwidth", 20000 * MIB));
	must(try_sim_set(&sim, "instant", 1));
	start = cyclic_start(&buffer, 4 * MIB, MIB / 2);
	must(try_stream(&stream, fd, start));
	while (account.last.position < 9 * 1024 * MIB) {
		ASSERT_TRUE(look_again(&end));
		must(try_account(fd, &account));
	}
	must(try_control(fd, UDMA_STREAM_STOP));
	must(try_account_end(fd, &account));
	EXPECT_FALSE(account.wrong);
	EXPECT_EQ(account.last.position, account.bytes);
	EXPECT_EQ(account.lost, stream_lost(&stream));
	EXPECT_LT(0, stream.shared->lost_high);
	EXPECT_EQ((__u32)account.lost, stream_app(&stream));
	EXPECT_EQ((__u32)account.bytes, stream_hw(&stream));
	EXPECT_GE(4 * MIB, account.bytes - account.lost);
	must(try_stream_unmap(&stream));
	must(close(fd));
	must(try_device_end(&sim));
}

TEST_HARNESS_MAIN
