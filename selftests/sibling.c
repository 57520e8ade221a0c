// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers that reset all their channels at once: who has something in another one is
 * told, once, and goes on.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "udma_device.h"
#include "udma_program.h"
#include "udma_storm.h"

#define CHANNELS	4
#define BYTES		4096

/* A program for each channel, whose device waits to be told. */
FIXTURE(siblings)
{
	struct sim sim;
	int fds[CHANNELS];
	struct buffer buffers[CHANNELS];
	bool is_unbound[CHANNELS];
};

FIXTURE_VARIANT(siblings)
{
	const char *granularity;
	bool no_pause;
};

FIXTURE_VARIANT_ADD(siblings, that_tell_bytes)
{
};

FIXTURE_VARIANT_ADD(siblings, that_tell_nothing)
{
	.granularity = "descriptor",
	.no_pause = true,
};

static int try_siblings(const struct sim *sim, bool shared)
{
	unsigned int i;

	for (i = 0; i < CHANNELS; i++)
		if (try_chan_set(sim, i, "shared_reset", shared))
			return -1;
	return try_sim_set(sim, "sibling", 1);
}

FIXTURE_SETUP(siblings)
{
	const struct device_config config = {
		.kind = "source",
		.channels = CHANNELS,
		.granularity = variant->granularity,
		.no_pause = variant->no_pause,
	};
	unsigned int i;

	must(try_device_make(&self->sim, &config));
	must(try_siblings(&self->sim, true));
	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < CHANNELS; i++) {
		self->fds[i] = must(try_sim_open(&self->sim, i, O_RDWR));
		must(try_alloc_map(self->fds[i], 4 * BYTES, &self->buffers[i]));
	}
}

/* One more transfer, which has to come through, and then nothing more. */
static const char *end_of(int fd, const struct buffer *buffer)
{
	struct udma_event event, more;

	if (try_run(fd, receive_request(buffer, 0, BYTES), &event))
		return strerror(errno);
	if (event.status || event.bytes != BYTES)
		return "not all has come";
	return try_read_now(fd, &more, 1) ? "there is more" : "works";
}

FIXTURE_TEARDOWN(siblings)
{
	unsigned int i;

	works(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < CHANNELS; i++) {
		if (!self->is_unbound[i]) {
			EXPECT_STREQ("works", end_of(self->fds[i], &self->buffers[i]))
				TH_LOG("channel %u", i);
		}
		works(try_unmap(&self->buffers[i]));
		works(close(self->fds[i]));
		if (!self->is_unbound[i]) {
			works(try_sim_unbind(&self->sim, i));
		}
	}
	works(try_sim_end(&self->sim));
}

static int try_receive_all(const int *fds, const struct buffer *buffers)
{
	unsigned int i;

	for (i = 0; i < CHANNELS; i++)
		if (try_submit_one(fds[i], receive_request(&buffers[i], 0, BYTES)) != 1)
			return -1;
	return 0;
}

/* The next event of a channel is one of a reset that it had no part in. */
#define is_told_of_a_reset(_fd, _sequence)					\
	do {									\
		const int __fd = (_fd);						\
		struct udma_event __event = {};					\
										\
		must(try_collect(__fd, &__event, 1));				\
		EXPECT_EQ(_sequence, __event.sequence);				\
		EXPECT_EQ(-EIO, __event.status);				\
		EXPECT_EQ(UDMA_EVENT_F_RESET,					\
			  __event.flags & ~(__u32)UDMA_EVENT_F_EXACT);		\
		EXPECT_EQ(0, __event.bytes);					\
		EXPECT_EQ(0, try_read_now(__fd, &__event, 1));			\
	} while (0)

TEST_F(siblings, are_told_when_one_is_cancelled)
{
	struct udma_event event;
	unsigned int i;

	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	EXPECT_EQ(1, try_cancel(self->fds[1], 1));
	must(try_collect(self->fds[1], &event, 1));
	EXPECT_EQ(-ECANCELED, event.status);
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_RESET);
	for (i = 0; i < CHANNELS; i++) {
		if (i != 1) {
			is_told_of_a_reset(self->fds[i], 1);
		}
	}
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	for (i = 0; i < CHANNELS; i++) {
		EXPECT_EQ(1, chan_get(&self->sim, i, "recovery/resets"));
	}
}

TEST_F(siblings, are_told_when_one_takes_too_long)
{
	struct udma_request receive = receive_request(&self->buffers[0], 0, BYTES);
	struct udma_event event;
	unsigned int i;

	must(try_submit_one(self->fds[3], receive_request(&self->buffers[3], 0, BYTES)));
	must(try_submit_one(self->fds[2], receive_request(&self->buffers[2], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	must(try_submit_one(self->fds[0], timed(receive, AT_ONCE)));
	must(try_collect(self->fds[0], &event, 1));
	EXPECT_EQ(-ETIMEDOUT, event.status);
	for (i = 2; i < CHANNELS; i++) {
		is_told_of_a_reset(self->fds[i], 1);
	}
	/* Who had nothing hears nothing. */
	EXPECT_EQ(0, try_read_now(self->fds[1], &event, 1));
}

TEST_F(siblings, are_told_when_root_resets_one)
{
	unsigned int i;

	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	must(try_chan_set(&self->sim, 2, "reset", 1));
	for (i = 0; i < CHANNELS; i++) {
		is_told_of_a_reset(self->fds[i], 1);
	}
}

TEST_F(siblings, are_told_when_a_file_of_one_is_closed)
{
	unsigned int i;

	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	must(try_unmap(&self->buffers[1]));
	must(close(self->fds[1]));
	for (i = 0; i < CHANNELS; i++) {
		if (i != 1) {
			is_told_of_a_reset(self->fds[i], 1);
		}
	}
	self->fds[1] = must(try_sim_open(&self->sim, 1, O_RDWR));
	must(try_alloc_map(self->fds[1], 4 * BYTES, &self->buffers[1]));
}

TEST_F(siblings, are_told_when_one_is_unbound)
{
	struct udma_event event;
	unsigned int i;

	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	must(try_sim_unbind(&self->sim, 3));
	self->is_unbound[3] = true;
	must(try_collect(self->fds[3], &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	for (i = 0; i < 3; i++) {
		is_told_of_a_reset(self->fds[i], 1);
	}
}

/* One that has nothing under way is stopped as well when it goes. */
TEST_F(siblings, are_told_when_an_idle_one_is_unbound)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		must(try_submit_one(self->fds[i],
				    receive_request(&self->buffers[i], 0, BYTES)));
	}
	must(try_wait_pending(&self->sim, 3));
	must(try_sim_unbind(&self->sim, 3));
	self->is_unbound[3] = true;
	for (i = 0; i < 3; i++) {
		is_told_of_a_reset(self->fds[i], 1);
	}
}

/* What waits in the queue of a sibling, behind what is lost, does not suffer. */
TEST_F(siblings, lose_only_what_hardware_had)
{
	struct udma_event events[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		must(try_submit_one(self->fds[0],
				    receive_request(&self->buffers[0], i * BYTES, BYTES)));
	}
	must(try_submit_one(self->fds[1], receive_request(&self->buffers[1], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fds[1], 1));
	must(try_collect(self->fds[1], events, 1));
	is_told_of_a_reset(self->fds[0], 1);
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 2));
	must(try_collect(self->fds[0], events, 2));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(i + 2, events[i].sequence);
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(BYTES, events[i].bytes);
		EXPECT_EQ(BYTES, counting_differs(self->buffers[0].mem + (i + 1) * BYTES, 0,
						  i * BYTES, BYTES));
	}
}

/* What a sibling had received before it is told of. */
TEST_F(siblings, are_told_what_had_come)
{
	struct udma_event event;

	if (variant->granularity)
		return;	/* tell nothing */
	must(try_submit_one(self->fds[0], receive_request(&self->buffers[0], 0, BYTES)));
	must(try_submit_one(self->fds[1], receive_request(&self->buffers[1], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	must(try_sim_set(&self->sim, "step_channel", 0));
	must(try_sim_set(&self->sim, "step_bytes", 1000));
	must(try_chan_set(&self->sim, 1, "reset", 1));
	must(try_collect(self->fds[0], &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_RESET | UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(1000, event.bytes);
	EXPECT_EQ(1000, counting_differs(self->buffers[0].mem, 0, 0, 1000));
	is_told_of_a_reset(self->fds[1], 1);
	must(try_sim_write(&self->sim, "step_channel", "-1"));
}

TEST_F(siblings, lose_their_streams_too)
{
	struct udma_event event;
	struct stream stream;

	must(try_stream(&stream, self->fds[0],
			cyclic_start(&self->buffers[0], 4 * BYTES, BYTES)));
	must(try_submit_one(self->fds[1], receive_request(&self->buffers[1], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fds[1], 1));
	must(try_collect(self->fds[1], &event, 1));
	EXPECT_EQ(-ECANCELED, event.status);
	must(try_last(self->fds[0], &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_NE(0, event.flags & UDMA_EVENT_F_RESET);
	fails(ENXIO, try_control(self->fds[0], UDMA_STREAM_STOP));
	/* It can be started again. */
	must(try_stream_start(self->fds[0], &stream.start));
	must(try_wait_pending(&self->sim, 1));
	must(try_stop(self->fds[0], &event));
	EXPECT_EQ(0, event.status);
	must(try_stream_unmap(&stream));
}

/* And the other way round: a stream that is stopped resets its channel. */
TEST_F(siblings, are_told_when_a_stream_of_one_is_stopped)
{
	struct udma_event event;
	struct stream stream;

	must(try_stream(&stream, self->fds[0],
			cyclic_start(&self->buffers[0], 4 * BYTES, BYTES)));
	must(try_submit_one(self->fds[1], receive_request(&self->buffers[1], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	must(try_stop(self->fds[0], &event));
	EXPECT_EQ(0, event.status);
	is_told_of_a_reset(self->fds[1], 1);
	must(try_stream_unmap(&stream));
}

/*
 * A controller of which this was not said loses what a sibling has without a word: so it
 * has to be said. The sibling waits until it is cancelled itself.
 */
TEST_F(siblings, hang_where_root_has_not_said_so)
{
	struct udma_event event;

	must(try_siblings(&self->sim, false));
	must(try_submit_one(self->fds[0], receive_request(&self->buffers[0], 0, BYTES)));
	must(try_submit_one(self->fds[1], receive_request(&self->buffers[1], 0, BYTES)));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fds[0], 1));
	must(try_collect(self->fds[0], &event, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(POLLOUT, poll_now(self->fds[1]));
	EXPECT_EQ(1, try_cancel(self->fds[1], 1));
	must(try_collect(self->fds[1], &event, 1));
	EXPECT_EQ(-ECANCELED, event.status);
}

/* It is said of each channel: of those of which it is not nobody is told. */
TEST_F(siblings, are_those_that_root_has_named)
{
	struct udma_event event;

	must(try_chan_set(&self->sim, 3, "shared_reset", 0));
	must(try_sim_set(&self->sim, "sibling", 0));
	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	EXPECT_EQ(1, try_cancel(self->fds[0], 1));
	must(try_collect(self->fds[0], &event, 1));
	is_told_of_a_reset(self->fds[1], 1);
	is_told_of_a_reset(self->fds[2], 1);
	EXPECT_EQ(POLLOUT, poll_now(self->fds[3]));
	/* It is reset by itself. */
	EXPECT_EQ(0, chan_get(&self->sim, 3, "recovery/resets"));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fds[3], &event, 1));
	EXPECT_EQ(0, event.status);
}

TEST_F(siblings, are_not_those_of_another_controller)
{
	static const struct device_config config = { .kind = "source", .channels = 1 };
	struct udma_event event;
	struct buffer buffer;
	struct sim other;
	int fd;

	must(try_device_make(&other, &config));
	must(try_chan_set(&other, 0, "shared_reset", 1));
	must(try_sim_set(&other, "step_mode", 1));
	fd = must(try_sim_open(&other, 0, O_RDWR));
	must(try_alloc_map(fd, BYTES, &buffer));
	must(try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	must(try_receive_all(self->fds, self->buffers));
	must(try_wait_pending(&self->sim, CHANNELS));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	is_told_of_a_reset(self->fds[0], 1);
	is_told_of_a_reset(self->fds[1], 1);
	is_told_of_a_reset(self->fds[2], 1);
	is_told_of_a_reset(self->fds[3], 1);
	EXPECT_EQ(POLLOUT, poll_now(fd));
	EXPECT_EQ(0, chan_get(&other, 0, "recovery/resets"));
	must(try_step(&other, 1));
	must(try_collect(fd, &event, 1));
	EXPECT_EQ(0, event.status);
	must(try_unmap(&buffer));
	must(close(fd));
	must(try_device_end(&other));
}

/* One that could not be stopped before is left alone, until it is reset itself. */
TEST_F(siblings, that_have_failed_stay_so)
{
	struct udma_event event;

	must(try_submit_one(self->fds[0], receive_request(&self->buffers[0], 0, BYTES)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "terminate_fail", 1));
	fails(EIO, try_chan_set(&self->sim, 0, "reset", 1));
	must(try_collect(self->fds[0], &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_NE(0, event.flags & UDMA_EVENT_F_HELD);
	fails(EIO, try_submit_one(self->fds[0], receive_request(&self->buffers[0], 0, BYTES)));
	must(try_sim_set(&self->sim, "terminate_fail", 0));
	must(try_chan_set(&self->sim, 1, "reset", 1));
	fails(EIO, try_submit_one(self->fds[0], receive_request(&self->buffers[0], 0, BYTES)));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	EXPECT_EQ(0, try_read_now(self->fds[1], &event, 1));
}

/* Races */

struct resetter {
	const struct sim *sim;
	pthread_t thread;
	unsigned int channel;
	struct tally tally;
};

static void *resetter_run(void *data)
{
	struct resetter *resetter = data;

	while (!LOAD(resetter->tally.stop)) {
		if (try_chan_set(resetter->sim, resetter->channel, "reset", 1))
			FAILED(&resetter->tally);
		ADD(resetter->tally.rounds, 1);
	}
	return NULL;
}

/*
 * Two are reset all the time while all receive. Each transfer ends once, well or by a
 * reset, and none is lost.
 */
TEST_F(siblings, are_reset_at_the_same_time)
{
	struct resetter resetters[2] = {
		{ .sim = &self->sim, .channel = 0 }, { .sim = &self->sim, .channel = 1 },
	};
	unsigned long sequence[CHANNELS] = {}, resets = 0, ok = 0;
	unsigned int round, i;

	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&resetters[i].thread, NULL, resetter_run,
					    &resetters[i]));
	}
	for (round = 0; round < 150; round++) {
		must(try_receive_all(self->fds, self->buffers));
		for (i = 0; i < CHANNELS; i++) {
			struct udma_event event;

			must(try_collect(self->fds[i], &event, 1));
			ASSERT_EQ(++sequence[i], event.sequence);
			if (event.status) {
				ASSERT_EQ(-EIO, event.status);
				ASSERT_NE(0, event.flags & UDMA_EVENT_F_RESET);
				resets++;
			} else {
				ok++;
			}
		}
	}
	for (i = 0; i < 2; i++) {
		must(try_tally_end(&resetters[i].tally, resetters[i].thread));
	}
	printf("# %lu well, %lu reset, by %lu and %lu resets\n", ok, resets,
	       resetters[0].tally.rounds, resetters[1].tally.rounds);
}

/* One comes and goes while the others are cancelled all the time. */
TEST_F(siblings, are_unbound_while_others_are_reset)
{
	struct resetter resetter = { .sim = &self->sim, .channel = 0 };
	struct udma_event event;
	unsigned int round;

	ASSERT_EQ(0, pthread_create(&resetter.thread, NULL, resetter_run, &resetter));
	for (round = 0; round < 10; round++) {
		must(try_submit_one(self->fds[3],
				    receive_request(&self->buffers[3], 0, BYTES)));
		must(try_sim_unbind(&self->sim, 3));
		must(try_collect(self->fds[3], &event, 1));
		if (event.status != -ENODEV) {
			EXPECT_EQ(-EIO, event.status);
			EXPECT_NE(0, event.flags & UDMA_EVENT_F_RESET);
		}
		must(try_unmap(&self->buffers[3]));
		must(close(self->fds[3]));
		must(try_sim_bind(&self->sim, 3));
		must(try_chan_set(&self->sim, 3, "shared_reset", 1));
		self->fds[3] = must(try_sim_open(&self->sim, 3, O_RDWR));
		must(try_alloc_map(self->fds[3], 4 * BYTES, &self->buffers[3]));
	}
	must(try_tally_end(&resetter.tally, resetter.thread));
}

/* Memory */

/* Siblings that copy are not told: what they had is done again. */
TEST(siblings_that_copy_are_done_again)
{
	static const struct sim_config config = { .channels = 3 };
	struct program programs[3];
	struct udma_event event;
	unsigned int i, round;
	char name[40];
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_sim_set(&sim, "step_mode", 1));
	must(try_sim_set(&sim, "sibling", 1));
	for (i = 0; i < 3; i++) {
		struct program *program = &programs[i];

		must(try_sim_bind(&sim, i));
		must(try_chan_set(&sim, i, "shared_reset", 1));
		sim_channel_name(&sim, i, name, sizeof(name));
		program->fd = must(try_open(name, O_RDWR));
		must(try_alloc_map(program->fd, BYTES, &program->dst));
		must(try_alloc_map(program->fd, BYTES, &program->src));
		program->copy = copy_request(&program->dst, 0, &program->src, 0, BYTES);
	}
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3; i++) {
			copy_prepare(&programs[i].dst, &programs[i].src, &programs[i].copy);
			must(try_submit_one(programs[i].fd, programs[i].copy));
		}
		must(try_wait_pending(&sim, 3));
		must(try_chan_set(&sim, round % 3, "reset", 1));
		must(try_wait_pending(&sim, 3));
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(POLLOUT, poll_now(programs[i].fd));
		}
		must(try_step(&sim, 3));
		for (i = 0; i < 3; i++) {
			must(try_collect(programs[i].fd, &event, 1));
			EXPECT_EQ(round + 1, event.sequence);
			EXPECT_EQ(0, event.status);
			EXPECT_EQ(BYTES, event.bytes);
			EXPECT_STREQ("copied", program_verdict(&programs[i]));
		}
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(5, chan_get(&sim, i, "recovery/replays"));
		must(try_program_end(&programs[i]));
		must(try_sim_unbind(&sim, i));
	}
	must(try_sim_end(&sim));
}

/* In pairs, as with AXI DMA: what one has sent the other may lose. */
TEST(siblings_of_a_loopback_work_after_a_cancel)
{
	static const struct device_config config = { .kind = "loopback" };
	struct udma_event event;
	struct buffer src, dst;
	int out, in;
	struct sim sim;

	must(try_device_make(&sim, &config));
	must(try_chan_set(&sim, TRANSMIT, "shared_reset", 1));
	must(try_chan_set(&sim, RECEIVE, "shared_reset", 1));
	must(try_sim_set(&sim, "sibling", 1));
	out = must(try_sim_open(&sim, TRANSMIT, O_RDWR));
	in = must(try_sim_open(&sim, RECEIVE, O_RDWR));
	must(try_alloc_map(out, 256 * KIB, &src));
	must(try_alloc_map(in, BYTES, &dst));
	/* More than there is room for: it waits. */
	must(try_submit_one(out, send_request(&src, 0, 256 * KIB)));
	must(try_wait_pending(&sim, 1));
	must(try_chan_set(&sim, RECEIVE, "reset", 1));
	must(try_collect(out, &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_NE(0, event.flags & UDMA_EVENT_F_RESET);
	must(try_run(in, receive_request(&dst, 0, BYTES), &event));
	EXPECT_EQ(0, event.status);
	must(try_run(out, send_request(&src, 0, BYTES), &event));
	EXPECT_EQ(0, event.status);
	must(try_unmap(&src));
	must(try_unmap(&dst));
	must(close(out));
	must(close(in));
	must(try_device_end(&sim));
}

TEST_HARNESS_MAIN
