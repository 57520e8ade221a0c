// SPDX-License-Identifier: GPL-2.0
/*
 * How streams rest and end: what the program says, what others say, and what goes wrong.
 * Whatever it is there is one last event, and it tells how far the controller had come.
 */
#include <sys/wait.h>

#include "udma_recovery.h"
#include "udma_stream.h"

#define PERIOD	4096
#define RING	(4 * PERIOD)

FIXTURE(end)
{
	struct unit unit;
	struct sim *sim;
	int fd;
	struct buffer ring;
	struct stream stream;
};

FIXTURE_VARIANT(end)
{
	const char *granularity;
	bool no_pause;
	bool tells_part;	/* of a period */
	__u32 exact;
};

FIXTURE_VARIANT_ADD(end, by_burst)
{
	.granularity = "burst",
	.tells_part = true,
	.exact = UDMA_EVENT_F_EXACT,
};

FIXTURE_VARIANT_ADD(end, by_burst_without_pause)
{
	.granularity = "burst",
	.no_pause = true,
	.tells_part = true,
};

FIXTURE_VARIANT_ADD(end, by_segment)
{
	.granularity = "segment",
};

FIXTURE_VARIANT_ADD(end, by_descriptor)
{
	.granularity = "descriptor",
};

FIXTURE_SETUP(end)
{
	const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.granularity = variant->granularity,
		.no_pause = variant->no_pause,
	};

	must(try_sim_mkdir(&self->unit.sim));
	must(try_device_configure(&self->unit.sim, &config));
	must(try_sim_live(&self->unit.sim));
	must(try_unit_bind(&self->unit, &self->unit.sim, 0));
	must(try_device_aim(&self->unit.sim, 0));
	self->sim = &self->unit.sim;
	self->fd = must(try_sim_open(self->sim, 0, O_RDWR));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
}

FIXTURE_TEARDOWN(end)
{
	works(try_unmap(&self->ring));
	works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_sim_unbind(self->sim, 0));
	works(try_sim_end(self->sim));
}

/* Two periods and a part, of which two are told. */
#define PART		1001
#define WHOLE		(2 * PERIOD)
#define FAR		(WHOLE + (variant->tells_part ? PART : 0))

#define goes_far()								\
	do {									\
		must(try_step(self->sim, 2));					\
		must(try_step_bytes(self->sim, PART));				\
		must(try_account(self->fd, &(struct account) {}));		\
	} while (0)

/* It has ended once and for all, and another one can be begun, whose data goes on. */
#define is_over(_given)								\
	do {									\
		EXPECT_EQ(0, stream_state(&self->stream));			\
		fails(ENXIO, try_control(self->fd, UDMA_STREAM_STOP));		\
		fails(ENXIO, try_control(self->fd, UDMA_STREAM_ADVANCE));	\
		if (!variant->no_pause) {					\
			fails(ENXIO, try_control(self->fd, UDMA_STREAM_RESUME));\
		}								\
		fails(ENOENT, try_cancel(self->fd, self->stream.start.out_sequence)); \
		EXPECT_EQ(0, try_cancel_all(self->fd));				\
		goes_again(_given);						\
	} while (0)

#define goes_again(_given)							\
	do {									\
		must(try_stream_start(self->fd, &self->stream.start));		\
		must(try_step(self->sim, 1));					\
		ASSERT_EQ(1, must(try_read_now(self->fd, &(struct udma_event) {}, 1))); \
		EXPECT_EQ(PERIOD, counting_differs(self->ring.mem, 0, _given, PERIOD)); \
	} while (0)

TEST_F(end, by_stop_tells_how_far_it_was)
{
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, FAR - WHOLE, 0, FAR);
	EXPECT_EQ(FAR, stream_hw(&self->stream));
	EXPECT_EQ(FAR, counting_differs(self->ring.mem, 0, 0, FAR));
	/* It can be consumed afterwards. */
	EXPECT_TRUE(stream_move(&self->stream, 0, FAR));
	is_over(WHOLE + PART);
}

TEST_F(end, by_stop_before_anything_came)
{
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, 0, 0, 0);
	is_over(0);
}

/* The ring's end is its beginning. */
TEST_F(end, by_stop_at_the_end_of_the_ring)
{
	must(try_step(self->sim, 2));
	stream_set_app(&self->stream, 2 * PERIOD);
	must(try_step(self->sim, 2));
	must(try_account(self->fd, &(struct account) {}));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, 0, 0, RING);
	is_over(RING);
}

TEST_F(end, by_stop_twice_is_by_stop)
{
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_STOP));
	if (try_control(self->fd, UDMA_STREAM_STOP)) {
		EXPECT_EQ(ENXIO, errno);
	}
	ends_stream(self->fd, 0, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

TEST_F(end, by_cancel_of_its_number)
{
	goes_far();
	fails(ENOENT, try_cancel(self->fd, 0));
	fails(ENOENT, try_cancel(self->fd, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	ends_stream(self->fd, -ECANCELED, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

TEST_F(end, by_cancel_of_all)
{
	goes_far();
	EXPECT_EQ(1, try_cancel_all(self->fd));
	ends_stream(self->fd, -ECANCELED, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

TEST_F(end, by_roots_reset)
{
	goes_far();
	must(try_reset(&self->unit));
	ends_stream(self->fd, -EIO, variant->exact | UDMA_EVENT_F_RESET, FAR - WHOLE, 0, FAR);
	EXPECT_STREQ("working", state_of(&self->unit));
	is_over(WHOLE + PART);
}

TEST_F(end, by_a_stall)
{
	goes_far();
	must(try_attr_set(&self->unit, "stall_ms", 30));
	ends_stream(self->fd, -ETIMEDOUT, variant->exact, FAR - WHOLE, 0, FAR);
	must(try_attr_set(&self->unit, "stall_ms", 0));
	EXPECT_STREQ("stalls 1 resets 1", counts_of(&self->unit));
	is_over(WHOLE + PART);
}

/* To wait for a device is normal. */
TEST(a_stream_does_not_stall_unless_root_says_so)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};
	char spec[160];
	struct sim sim;

	must(try_sim_mkdir(&sim));
	must(try_device_configure(&sim, &config));
	must(try_sim_live(&sim));
	snprintf(spec, sizeof(spec), "%s=%s:0", sim.name, sim.device);
	must(try_bind(spec));
	must(try_device_aim(&sim, 0));
	EXPECT_EQ(0, chan_get(&sim, 0, "stall_ms"));
	must(try_device_end(&sim));
}

TEST_F(end, by_a_controller_that_reports_an_error)
{
	must(try_sim_set(self->sim, "fail_at", 1));
	/* It was taken up before: only the next stream meets it. */
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_stream_start(self->fd, &self->stream.start));
	must(try_step(self->sim, 1));
	ends_stream(self->fd, -EIO, 0, 0, 0, 0);
	is_over(0);
}

TEST_F(end, by_a_controller_that_refuses_it)
{
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_sim_set(self->sim, "refuse", 1));
	must(try_stream_start(self->fd, &self->stream.start));
	ends_stream(self->fd, -EIO, UDMA_EVENT_F_EXACT, 0, 0, 0);
	must(try_sim_set(self->sim, "refuse", 0));
	is_over(0);
}

TEST_F(end, by_a_controller_that_does_not_take_it)
{
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_sim_set(self->sim, "submit_fail_at", 1));
	must(try_stream_start(self->fd, &self->stream.start));
	ends_stream(self->fd, -EIO, UDMA_EVENT_F_EXACT, 0, 0, 0);
	is_over(0);
}

/* A controller that has to be asked twice is none that refuses. */
TEST_F(end, not_by_a_controller_that_refuses_once)
{
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_sim_set(self->sim, "refuse_at", 1));
	goes_again(0);
}

/* Hardware that cannot be stopped */

TEST_F(end, by_a_controller_that_cannot_be_stopped)
{
	const bool can_go_on = variant->no_pause || !strcmp(variant->granularity, "descriptor");
	struct udma_event event = {};
	__u64 end = 0;

	goes_far();
	must(try_sim_set(self->sim, "terminate_fail", 1));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_HELD | UDMA_EVENT_F_LAST, event.flags);
	/* At least so far, and no further than it was. */
	EXPECT_LE(WHOLE, event.position);
	EXPECT_GE(WHOLE + PART, event.position);
	must(try_wait_state(&self->unit, "failed"));
	fails(EIO, try_stream_start(self->fd, &self->stream.start));
	fails(ENXIO, try_control(self->fd, UDMA_STREAM_STOP));
	/* It goes on, unless it could be made to rest. What it tells nobody hears. */
	must(try_free(self->fd, self->ring.handle));
	must(try_unmap(&self->ring));
	if (can_go_on) {
		must(try_step(self->sim, 9));
	}
	tells_nothing(self->fd);
	EXPECT_EQ(event.position, stream_hw(&self->stream));
	EXPECT_EQ(RING, chan_get(self->sim, 0, "used_bytes"));

	must(try_sim_set(self->sim, "terminate_fail", 0));
	must(try_reset(&self->unit));
	EXPECT_STREQ("working", state_of(&self->unit));
	while (chan_get(self->sim, 0, "used_bytes"))
		ASSERT_TRUE(look_again(&end));
	must(try_alloc_map(self->fd, RING, &self->ring));
	self->stream.start.handle = self->ring.handle;
	goes_again(can_go_on ? 11 * PERIOD : WHOLE + PART);
}

/* Callbacks that come for what was stopped are not the next one's. */
TEST_F(end, hears_nothing_of_the_one_before)
{
	goes_far();
	must(try_sim_set(self->sim, "after_terminate", 2));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, FAR - WHOLE, 0, FAR);
	must(try_sim_set(self->sim, "after_terminate", 0));
	goes_again(WHOLE + PART);
	tells_nothing(self->fd);
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
}

TEST_F(end, hears_nothing_of_a_ghost)
{
	struct udma_event event = {};

	must(try_sim_set(self->sim, "ghost", 1));
	must(try_step(self->sim, 1));
	must(try_stop(self->fd, &event));
	EXPECT_EQ(PERIOD, event.position);
	must(try_step(self->sim, 2));
	tells_nothing(self->fd);
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
	must(try_sim_set(self->sim, "ghost", 0));
	must(try_reset(&self->unit));
}

/* By those who have the file */

static bool is_free(struct unit *unit, int *fd)
{
	struct udma_stream_start start;
	struct buffer ring;
	__u64 end = 0;

	*fd = try_sim_open(&unit->sim, 0, O_RDWR);
	if (*fd < 0 || try_alloc_map(*fd, RING, &ring))
		return false;
	start = cyclic_start(&ring, RING, PERIOD);
	while (try_stream_start(*fd, &start))
		if (errno != EBUSY || !look_again(&end))
			return false;
	return !try_step(&unit->sim, 1) && !try_unmap(&ring);
}

TEST_F(end, by_close)
{
	goes_far();
	must(try_unmap(&self->ring));
	must(try_stream_unmap(&self->stream));
	must(close(self->fd));
	ASSERT_TRUE(is_free(&self->unit, &self->fd));
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
}

/* What is mapped has the file: it goes on until that is gone. */
TEST_F(end, not_by_close_of_what_is_mapped)
{
	goes_far();
	must(close(self->fd));
	must(try_step(self->sim, 1));
	EXPECT_EQ(3 * PERIOD, stream_hw(&self->stream));
	must(try_stream_unmap(&self->stream));
	must(try_step(self->sim, 1));
	EXPECT_EQ(PERIOD, counting_differs(self->ring.mem + 2 * PERIOD, 0, 2 * PERIOD, PERIOD));
	must(try_unmap(&self->ring));
	must(try_wait_pending(self->sim, 0));
	self->fd = must(try_sim_open(self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
}

TEST_F(end, by_unbind)
{
	struct udma_event event = {};
	__u32 hw;

	goes_far();
	must(try_sim_unbind(self->sim, 0));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, poll_now(self->fd));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-ENODEV, event.status);
	EXPECT_EQ(FAR, event.position);
	EXPECT_EQ(variant->exact | UDMA_EVENT_F_LAST, event.flags);
	fails(ENODEV, try_read(self->fd, &event, 1));
	fails(ENODEV, try_control(self->fd, UDMA_STREAM_STOP));
	fails(ENODEV, try_control(self->fd, UDMA_STREAM_PAUSE));
	fails(ENODEV, try_stream_start(self->fd, &self->stream.start));
	/* The ring is gone, and the page stays. */
	fails(EFAULT, try_touch(self->ring.mem));
	must(try_touch(self->stream.shared));
	hw = stream_hw(&self->stream);
	EXPECT_EQ(FAR, hw);
	EXPECT_EQ(0, stream_state(&self->stream));
	stream_set_app(&self->stream, hw);
	EXPECT_EQ(hw, stream_app(&self->stream));
	must(try_unmap(&self->ring));
	must(try_stream_unmap(&self->stream));
	must(close(self->fd));
	must(try_device_bind(self->sim, 0));
	ASSERT_TRUE(is_free(&self->unit, &self->fd));
	must(try_stop(self->fd, &event));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
}

/* Rest */

TEST_F(end, errors_of_commands)
{
	struct udma_stream_control control = {
		.size = sizeof(control),
		.command = 5,
	};

	fails(EINVAL, ioctl(self->fd, UDMA_STREAM_CONTROL, &control));
	control.command = ~0U;
	fails(EINVAL, ioctl(self->fd, UDMA_STREAM_CONTROL, &control));
	control.command = UDMA_STREAM_STOP;
	control.__reserved = 1;
	fails(EINVAL, ioctl(self->fd, UDMA_STREAM_CONTROL, &control));
	control.__reserved = 0;
	control.flags = 1;
	fails(EINVAL, ioctl(self->fd, UDMA_STREAM_CONTROL, &control));
	fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_STOP, 1));
	fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_PAUSE, 1));
	fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_RESUME, 1));
	fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_DRAIN, 1));
	/* From a device nothing is drained. */
	fails(EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_DRAIN));
	/* Nothing of it has stopped it. */
	must(try_step(self->sim, 1));
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
}

TEST_F(end, advance_has_to_be_where_the_controller_was)
{
	static const __u64 wrong[] = {
		2 * PERIOD + 1, RING, 1ULL << 32, (1ULL << 32) + PERIOD, ~0ULL,
		0ULL - PERIOD, 1ULL << 63,
	};
	unsigned int i;

	must(try_step(self->sim, 2));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_ADVANCE, wrong[i]))
			TH_LOG("%llx", wrong[i]);
	}
	EXPECT_EQ(0, stream_app(&self->stream));
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 2 * PERIOD));
	EXPECT_EQ(2 * PERIOD, stream_app(&self->stream));
	/* It does not go back. */
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, PERIOD));
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 0));
	EXPECT_EQ(2 * PERIOD, stream_app(&self->stream));
}

static long step_once(void *sim)
{
	return try_step(sim, 1);
}

TEST_F(end, rests_while_paused)
{
	struct sleeper stepper;
	unsigned int i;

	if (variant->no_pause) {
		fails(EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_PAUSE));
		fails(EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_RESUME));
		EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
		return;
	}
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_RESUME));
	for (i = 0; i < 3; i++) {
		must(try_control(self->fd, UDMA_STREAM_PAUSE));
		must(try_control(self->fd, UDMA_STREAM_PAUSE));
		EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_PAUSED,
			  stream_state(&self->stream));
		must(try_sleeper_start(&stepper, step_once, self->sim, SYS_write));
		EXPECT_EQ((2 + i) * PERIOD, stream_hw(&self->stream));
		must(try_control(self->fd, UDMA_STREAM_RESUME));
		must(try_sleeper_join(&stepper));
		EXPECT_EQ(0, stepper.ret);
		EXPECT_EQ((3 + i) * PERIOD, stream_hw(&self->stream));
		EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
		must(try_control(self->fd, UDMA_STREAM_RESUME));
		must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, (3 + i) * PERIOD));
	}
}

TEST_F(end, by_stop_while_paused)
{
	if (variant->no_pause)
		SKIP(return, "it cannot be paused");
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	/* What was consumed can be said all the time. */
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, WHOLE));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

TEST_F(end, by_cancel_while_paused)
{
	if (variant->no_pause)
		SKIP(return, "it cannot be paused");
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	EXPECT_EQ(1, try_cancel_all(self->fd));
	ends_stream(self->fd, -ECANCELED, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

static long pause_it(void *fd)
{
	return try_control(*(int *)fd, UDMA_STREAM_PAUSE);
}

/*
 * Who has the channel next may want to rest before what was left to hardware has been taken
 * away: it rests, and nothing else does.
 */
TEST_F(end, by_close_is_waited_for_by_who_pauses_next)
{
	struct sleeper pauser, stepper;

	if (variant->no_pause)
		SKIP(return, "it cannot be paused");
	goes_far();
	must(try_sim_set(self->sim, "slow_terminate_ms", 60000));
	must(try_unmap(&self->ring));
	must(try_stream_unmap(&self->stream));
	must(close(self->fd));
	self->fd = must(try_sim_open(self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	must(try_sleeper_start(&pauser, pause_it, &self->fd, SYS_ioctl));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	must(try_sim_set(self->sim, "slow_terminate_ms", 0));
	must(try_sleeper_join(&pauser));
	EXPECT_EQ(0, pauser.ret);
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_PAUSED, stream_state(&self->stream));
	must(try_sleeper_start(&stepper, step_once, self->sim, SYS_write));
	EXPECT_EQ(0, stream_hw(&self->stream));
	must(try_control(self->fd, UDMA_STREAM_RESUME));
	must(try_sleeper_join(&stepper));
	EXPECT_EQ(0, stepper.ret);
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
}

/* Who means another stream than there is does not mean this one. */
TEST_F(end, by_stop_of_its_number)
{
	struct udma_stream_control control = {
		.size = sizeof(control),
	};
	static const __u64 wrong[] = { 2, 3, 1ULL << 32, (1ULL << 32) + 1, ~0ULL };
	unsigned int command, i;

	goes_far();
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		control.sequence = wrong[i];
		for (command = UDMA_STREAM_STOP; command <= UDMA_STREAM_ADVANCE; command++) {
			if (command == UDMA_STREAM_DRAIN ||
			    (variant->no_pause && command != UDMA_STREAM_STOP))
				continue;
			control.command = command;
			fails(ENXIO, ioctl(self->fd, UDMA_STREAM_CONTROL, &control))
				TH_LOG("command %u of %llu", command, control.sequence);
		}
	}
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	control.command = UDMA_STREAM_STOP;
	control.sequence = 1;
	must(ioctl(self->fd, UDMA_STREAM_CONTROL, &control));
	ends_stream(self->fd, 0, variant->exact, FAR - WHOLE, 0, FAR);
	is_over(WHOLE + PART);
}

/* Whoever asked first has a say, and there is one end. */
TEST_F(end, by_cancel_after_stop)
{
	struct udma_event event = {};

	must(try_sim_set(self->sim, "slow_terminate_ms", 60000));
	goes_far();
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_wait_sim(self->sim, "terminates", 1));
	fails(EBUSY, try_stream_start(self->fd, &self->stream.start));
	if (!variant->no_pause) {
		fails(ENXIO, try_control(self->fd, UDMA_STREAM_PAUSE));
	}
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	EXPECT_EQ(1, try_cancel_all(self->fd));
	must(try_sim_set(self->sim, "slow_terminate_ms", 0));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-ECANCELED, event.status);
	EXPECT_EQ(FAR, event.position);
	is_over(WHOLE + PART);
}

TEST_F(end, by_close_while_it_is_being_stopped)
{
	must(try_sim_set(self->sim, "slow_terminate_ms", 60000));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_wait_sim(self->sim, "terminates", 1));
	must(try_unmap(&self->ring));
	must(try_stream_unmap(&self->stream));
	must(close(self->fd));
	must(try_sim_set(self->sim, "slow_terminate_ms", 0));
	ASSERT_TRUE(is_free(&self->unit, &self->fd));
	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_alloc_map(self->fd, RING, &self->ring));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
}

/* Where the pattern has come to, as the ring tells: behind its last word, in bytes. */
static __u64 pattern_end(const unsigned char *ring, __u64 before)
{
	__u64 end = before;
	__u32 word, i;

	for (i = 0; i < RING; i += sizeof(word)) {
		memcpy(&word, ring + i, sizeof(word));
		if (word != ~0U && (word + 1ULL) * sizeof(word) > end)
			end = (word + 1ULL) * sizeof(word);
	}
	return end;
}

/* Of a controller that runs: what is told is there, to the byte, and no more is told. */
TEST_F(end, is_where_the_data_is)
{
	__u64 given = 0, before, position;
	struct account account;
	unsigned int i;

	must(try_stop(self->fd, &(struct udma_event) {}));
	must(try_sim_set(self->sim, "bandwidth", 40 * MIB));
	must(try_sim_set(self->sim, "step_mode", 0));
	self->stream.start = cyclic_start(&self->ring, RING, RING / 2);
	for (i = 0; i < 40; i++) {
		memset(self->ring.mem, 0xff, RING);
		account = (struct account) {};
		must(try_stream_start(self->fd, &self->stream.start));
		while (stream_hw(&self->stream) < i % 13 * PERIOD) {
			must(try_account(self->fd, &account));
		}
		must(try_control(self->fd, UDMA_STREAM_STOP));
		must(try_account_end(self->fd, &account));
		position = account.last.position;
		before = given;
		given = pattern_end(self->ring.mem, before);
		EXPECT_FALSE(account.wrong);
		EXPECT_EQ(position, account.bytes);
		EXPECT_EQ(account.lost, stream_lost(&self->stream));
		EXPECT_EQ((__u32)position, stream_hw(&self->stream));
		/* What can be read is whole. */
		EXPECT_GE(RING, position - stream_app(&self->stream));
		ASSERT_LE(position, given - before)
			TH_LOG("round %u", i);
		if (account.last.flags & UDMA_EVENT_F_EXACT) {
			EXPECT_EQ(position, given - before);
		}
	}
}

TEST_HARNESS_MAIN
