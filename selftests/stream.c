// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that go round and round from a device: what is told of them, when, and in
 * which order. How they begin and end is in stream_start.c and stream_end.c, what is lost in
 * stream_loss.c.
 */
#include <sys/eventfd.h>

#include "udma_queue.h"
#include "udma_stream.h"

#define PERIOD	4096
#define PERIODS	8
#define RING	(PERIODS * PERIOD)

FIXTURE(capture)
{
	struct sim sim;
	int fd;
	struct buffer ring;
	struct stream stream;
};

/*
 * How finely the controller tells where it is. Of whole periods it knows by its callbacks too,
 * but not whether there were rounds that it was not told of.
 */
FIXTURE_VARIANT(capture)
{
	const char *granularity;
	bool no_pause;
	__u32 exact;		/* the flag of periods */
	__u32 exact_end;	/* and of the end */
	bool tells_bytes;
};

FIXTURE_VARIANT_ADD(capture, by_burst)
{
	.granularity = "burst",
	.exact = UDMA_EVENT_F_EXACT,
	.exact_end = UDMA_EVENT_F_EXACT,
	.tells_bytes = true,
};

/* It may go on after it was asked, as far as is known. */
FIXTURE_VARIANT_ADD(capture, by_burst_without_pause)
{
	.granularity = "burst",
	.no_pause = true,
	.exact = UDMA_EVENT_F_EXACT,
	.tells_bytes = true,
};

FIXTURE_VARIANT_ADD(capture, by_segment)
{
	.granularity = "segment",
	.exact = UDMA_EVENT_F_EXACT,
};

FIXTURE_VARIANT_ADD(capture, by_descriptor)
{
	.granularity = "descriptor",
};

FIXTURE_SETUP(capture)
{
	const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.granularity = variant->granularity,
		.no_pause = variant->no_pause,
	};

	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, 2 * RING, &self->ring));
}

FIXTURE_TEARDOWN(capture)
{
	works(try_unmap(&self->ring));
	if (self->stream.shared)
		works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

/* Periods */

TEST_F(capture, tells_of_each_period_round_after_round)
{
	struct udma_event event = {};
	__u64 before = now_ns();
	unsigned int i;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	EXPECT_EQ(0, stream_hw(&self->stream));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	for (i = 1; i <= 11; i++) {
		tells_nothing(self->fd);
		must(try_step(&self->sim, 1));
		ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
		EXPECT_EQ(UDMA_EVENT_STREAM, event.type);
		EXPECT_EQ(variant->exact, event.flags);
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(0xc7c1e, event.user_data);
		EXPECT_EQ(self->stream.start.out_sequence, event.sequence);
		EXPECT_EQ(PERIOD, event.bytes);
		EXPECT_EQ(1, event.count);
		EXPECT_EQ(i * PERIOD, event.position);
		EXPECT_EQ(0, event.lost);
		EXPECT_LE(before, event.timestamp_ns);
		before = now_ns();
		EXPECT_GE(before, event.timestamp_ns);
		/* What the page says is the same, and the data is there. */
		EXPECT_EQ(event.position, stream_hw(&self->stream));
		EXPECT_EQ(PERIOD, ring_differs(self->ring.mem, RING, 0, (i - 1) * PERIOD, PERIOD));
		ASSERT_TRUE(stream_move(&self->stream, (i - 1) * PERIOD, i * PERIOD));
	}
	EXPECT_EQ(0, stream_lost(&self->stream));
	EXPECT_EQ(0, stream_overruns(&self->stream));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact_end, 0, 0, 11 * PERIOD);
	EXPECT_EQ(0, stream_state(&self->stream));
}

/* Half filled, and filled. */
/* One that says all the time that nothing is left is at the end of each period, and no further. */
TEST_F(capture, counts_periods_where_a_residue_of_nothing_is_told)
{
	unsigned int i;

	must(try_sim_set(&self->sim, "lie_residue", 2));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	for (i = 1; i <= 2 * PERIODS + 3; i++) {
		must(try_step(&self->sim, 1));
		tells(self->fd, 0, PERIOD, 1, i * PERIOD, 0);
		EXPECT_EQ(i * PERIOD, stream_hw(&self->stream));
		ASSERT_TRUE(stream_move(&self->stream, (i - 1) * PERIOD, i * PERIOD));
	}
	/* What it says now is as good as that. */
	must(try_sim_set(&self->sim, "lie_residue", 0));
	must(try_step(&self->sim, 1));
	tells(self->fd, 0, PERIOD, 1, i * PERIOD, 0);
	must(try_stop(self->fd, &(struct udma_event) {}));
}

/* One that says so once had come to the end of the ring, and was asked too early or too late. */
TEST_F(capture, believes_again_who_told_a_residue_of_nothing_once)
{
	unsigned int i;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	for (i = 1; i <= PERIODS + 3; i++) {
		must(try_sim_set(&self->sim, "lie_residue", i % 3 ? 0 : 2));
		must(try_step(&self->sim, 1));
		tells(self->fd, i % 3 ? variant->exact : 0, PERIOD, 1, i * PERIOD, 0);
		ASSERT_TRUE(stream_move(&self->stream, (i - 1) * PERIOD, i * PERIOD));
	}
	must(try_sim_set(&self->sim, "lie_residue", 0));
	must(try_stop(self->fd, &(struct udma_event) {}));
}

TEST_F(capture, tells_of_each_half)
{
	unsigned int i;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, RING / 2)));
	for (i = 1; i <= 6; i++) {
		must(try_step(&self->sim, 1));
		tells(self->fd, variant->exact, RING / 2, 1, i * RING / 2, 0);
		tells_nothing(self->fd);
		/* The other half is about to be overwritten. */
		stream_set_app(&self->stream, i * RING / 2);
	}
}

TEST_F(capture, tells_of_each_so_many_periods)
{
	struct udma_stream_start start = cyclic_start(&self->ring, RING, PERIOD);
	unsigned int i;

	start.event_periods = 3;
	must(try_stream(&self->stream, self->fd, start));
	for (i = 1; i <= 14; i++) {
		must(try_step(&self->sim, 1));
		if (i % 3) {
			tells_nothing(self->fd);
		} else {
			tells(self->fd, variant->exact, 3 * PERIOD, 3, i * PERIOD, 0);
		}
		/* That is told only there, and not late. */
		EXPECT_EQ(i * PERIOD, stream_hw(&self->stream));
		stream_set_app(&self->stream, i * PERIOD);
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact_end, 2 * PERIOD, 2, 14 * PERIOD);
}

TEST_F(capture, tells_of_each_whole_ring)
{
	struct udma_stream_start start = cyclic_start(&self->ring, RING, PERIOD);
	unsigned int i;

	start.event_periods = PERIODS;
	must(try_stream(&self->stream, self->fd, start));
	for (i = 1; i <= 3; i++) {
		must(try_step(&self->sim, PERIODS - 2));
		tells_nothing(self->fd);
		stream_set_app(&self->stream, stream_hw(&self->stream));
		must(try_step(&self->sim, 2));
		tells(self->fd, variant->exact, RING, PERIODS, i * RING, 0);
		stream_set_app(&self->stream, stream_hw(&self->stream));
	}
}

/* Periods that are no power of two, somewhere within the buffer. */
TEST_F(capture, stays_within_its_ring)
{
	struct udma_stream_start start = cyclic_start(&self->ring, 5 * 700, 700);
	unsigned int i;

	start.offset = 1236;
	pattern_prepare(&self->ring, 1236, 3500, PATTERN_GUARD, PATTERN_STALE);
	must(try_stream(&self->stream, self->fd, start));
	for (i = 1; i <= 23; i++) {
		must(try_step(&self->sim, 1));
		tells(self->fd, variant->exact, 700, 1, i * 700, 0);
		EXPECT_EQ(700, ring_differs(self->ring.mem + 1236, 3500, 0, (i - 1) * 700, 700));
		stream_set_app(&self->stream, i * 700);
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact_end, 0, 0, 23 * 700);
	EXPECT_TRUE(pattern_outside(&self->ring, 1236, 3500, PATTERN_GUARD));
}

/* What nobody reads comes together later. The sums are right, whatever is taken when. */
TEST_F(capture, tells_the_rest_when_there_is_room)
{
	struct account account = {};
	struct udma_event event;
	unsigned int i;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, 64)));
	must(try_step(&self->sim, 30));
	/* The last ones are told as one, as soon as somebody has made room and looks. */
	for (i = 1; i <= EVENTS_MOST; i++)
		tells(self->fd, variant->exact, 64, 1, i * 64, 0);
	tells(self->fd, variant->exact, 14 * 64, 14, 30 * 64, 0);
	tells_nothing(self->fd);
	/* What comes while some are taken is told by the next one, and not once more. */
	account.last.position = 30 * 64;
	for (i = 0; i < 40; i++) {
		must(try_step(&self->sim, EVENTS_MOST + i % 5));
		ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
		account_add(&account, &event);
		must(try_step(&self->sim, i % 3));
		if (i % 2) {
			must(try_account(self->fd, &account));
		}
		stream_set_app(&self->stream, stream_hw(&self->stream));
	}
	must(try_account(self->fd, &account));
	EXPECT_EQ(stream_hw(&self->stream), account.last.position);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &account));
	EXPECT_FALSE(account.wrong);
	EXPECT_EQ(stream_hw(&self->stream), account.last.position);
	EXPECT_EQ(account.last.position, account.bytes + 30 * 64);
	EXPECT_EQ(account.bytes, account.count * 64);
	EXPECT_EQ(0, account.lost);
}

TEST_F(capture, is_read_without_waiting)
{
	struct udma_event event;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, 64)));
	must(fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	fails(EAGAIN, try_read(self->fd, &event, 1));
	must(try_step(&self->sim, EVENTS_MOST + 2));
	EXPECT_EQ(1, must(try_read(self->fd, &event, 1)));
	must(try_step(&self->sim, 1));
	for (;;) {
		if (try_read(self->fd, &event, 1) != 1)
			break;
		EXPECT_NE(0, event.bytes);
	}
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ((EVENTS_MOST + 3) * 64, event.position);
}

/* Those who wait */

TEST_F(capture, wakes_those_who_wait)
{
	struct sleeper reader;
	struct poller poller;
	int efd = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

	must(try_eventfd(self->fd, efd));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	must(try_poller_start(&poller, self->fd, POLLIN));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(POLLIN, must(try_poller_join(&poller)));
	EXPECT_EQ(1, eventfd_count(efd));
	tells(self->fd, variant->exact, PERIOD, 1, PERIOD, 0);

	must(try_sleeper_start(&reader, read_one, &self->fd, SYS_read));
	must(try_step(&self->sim, 1));
	must(try_sleeper_join(&reader));
	EXPECT_EQ(1, reader.ret);
	EXPECT_EQ(1, eventfd_count(efd));

	/* The last one, too. */
	must(try_sleeper_start(&reader, read_one, &self->fd, SYS_read));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_sleeper_join(&reader));
	EXPECT_EQ(1, reader.ret);
	EXPECT_EQ(1, eventfd_count(efd));
	must(close(efd));
}

TEST_F(capture, tells_in_a_mapped_queue)
{
	struct udma_event event = {};
	struct enterer enterer;
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 8, 8));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	must(try_step(&self->sim, 2));
	must(try_enterer_join(&enterer));
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	EXPECT_EQ(PERIOD, event.position);
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	EXPECT_EQ(2 * PERIOD, event.position);
	EXPECT_EQ(variant->exact, event.flags);
	EXPECT_EQ(1, event.count);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_enter(self->fd, 0, 1));
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	EXPECT_EQ(variant->exact_end | UDMA_EVENT_F_LAST, event.flags);
	must(try_queue_unmap(&queue));
}

/* Taken without a call: nobody has to look for the next one to come. */
TEST_F(capture, goes_on_in_a_mapped_queue_that_was_full)
{
	struct udma_event events[8] = {};
	struct account account = {};
	unsigned int i, k, n;
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 4));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, 64)));
	/* One entry is for the end. */
	must(try_step(&self->sim, 7));
	EXPECT_EQ(3, queue_ready(&queue));
	for (i = 0; i < 40; i++) {
		n = queue_pop(&queue, events, 1 + i % 3);
		for (k = 0; k < n; k++)
			account_add(&account, &events[k]);
		must(try_step(&self->sim, 1 + i % 4));
		stream_set_app(&self->stream, stream_hw(&self->stream));
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	while (!account_closed(&account)) {
		must(try_enter(self->fd, 0, 1));
		n = queue_pop(&queue, events, 8);
		for (k = 0; k < n; k++)
			account_add(&account, &events[k]);
	}
	EXPECT_FALSE(account.wrong);
	EXPECT_EQ(stream_hw(&self->stream), account.bytes);
	EXPECT_EQ(account.bytes, account.count * 64);
	must(try_queue_unmap(&queue));
}

/* Who waits for more events at a time than there are has made room by what he took. */
TEST_F(capture, tells_who_enters_of_what_there_was_no_room_for)
{
	struct udma_event events[EVENTS_MOST] = {};
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 32));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, 64)));
	must(try_step(&self->sim, EVENTS_MOST + 5));
	ASSERT_EQ(EVENTS_MOST, queue_pop(&queue, events, EVENTS_MOST));
	must(try_enter(self->fd, 0, 1));
	ASSERT_EQ(1, queue_pop(&queue, events, EVENTS_MOST));
	EXPECT_EQ(5, events[0].count);
	EXPECT_EQ((EVENTS_MOST + 5) * 64, events[0].position);
	must(try_queue_unmap(&queue));
}

/* Queues with room for next to nothing */

TEST_F(capture, has_room_for_its_end_only)
{
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 1));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	must(try_step(&self->sim, 3));
	tells_nothing(self->fd);
	EXPECT_EQ(3 * PERIOD, stream_hw(&self->stream));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, variant->exact_end, 3 * PERIOD, 3, 3 * PERIOD);
	must(try_queue_unmap(&queue));
}

TEST_F(capture, ends_with_its_queue_full)
{
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 2));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING, PERIOD)));
	must(try_step(&self->sim, 3));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	/* It comes though nobody makes room. */
	must(try_enter(self->fd, 0, 2));
	tells(self->fd, variant->exact, PERIOD, 1, PERIOD, 0);
	ends_stream(self->fd, 0, variant->exact_end, 2 * PERIOD, 2, 3 * PERIOD);
	must(try_queue_unmap(&queue));
}

/* How far it is when no period ends */

FIXTURE(idle)
{
	struct sim sim;
	int fd;
	struct buffer ring;
	struct stream stream;
};

FIXTURE_SETUP(idle)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};

	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, RING, &self->ring));
}

FIXTURE_TEARDOWN(idle)
{
	works(try_unmap(&self->ring));
	works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

static struct udma_stream_start idle_start(const struct buffer *ring, __u32 event_periods,
					   __u64 idle_ns)
{
	struct udma_stream_start start = cyclic_start(ring, RING, PERIOD);

	start.event_periods = event_periods;
	start.idle_ns = idle_ns;
	return start;
}

#define EXACT_IDLE	(UDMA_EVENT_F_EXACT | UDMA_EVENT_F_IDLE)

/* The next event, however long it takes, is of idle time and says this. */
#define tells_idle(_fd, _bytes, _count, _position)				\
	do {									\
		const int __idle = (_fd);					\
										\
		must(try_wait_for(__idle, POLLIN));				\
		tells(__idle, EXACT_IDLE, _bytes, _count, _position, 0);	\
	} while (0)

/* For many times as long as it takes to be told there is nothing to tell. */
static bool stays_silent(int fd)
{
	const __u64 end = now_ns() + 3000000;

	while (now_ns() < end)
		if (poll_now(fd) & POLLIN)
			return false;
	return true;
}

TEST_F(idle, tells_of_a_part_of_a_period_once)
{
	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 1, 100000)));
	EXPECT_TRUE(stays_silent(self->fd));
	must(try_step_bytes(&self->sim, 1001));
	tells_idle(self->fd, 1001, 0, 1001);
	EXPECT_EQ(1001, stream_hw(&self->stream));
	EXPECT_EQ(1001, ring_differs(self->ring.mem, RING, 0, 0, 1001));
	EXPECT_TRUE(stays_silent(self->fd));
	must(try_step_bytes(&self->sim, 1));
	tells_idle(self->fd, 1, 0, 1002);
	/* A part of it can be consumed. */
	EXPECT_TRUE(stream_move(&self->stream, 0, 1002));
	/* Then the rest of the period, and nothing twice. */
	must(try_step_bytes(&self->sim, PERIOD - 1002));
	tells(self->fd, UDMA_EVENT_F_EXACT, PERIOD - 1002, 1, PERIOD, 0);
	EXPECT_TRUE(stays_silent(self->fd));
	must(try_step_bytes(&self->sim, PERIOD + 7));
	tells(self->fd, UDMA_EVENT_F_EXACT, PERIOD, 1, 2 * PERIOD, 0);
	tells_idle(self->fd, 7, 0, 2 * PERIOD + 7);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, UDMA_EVENT_F_EXACT, 0, 0, 2 * PERIOD + 7);
}

/* Periods that are told of only with others are data as well. */
TEST_F(idle, tells_of_whole_periods_that_wait_for_others)
{
	struct account account = {};

	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 4, 100000)));
	must(try_step(&self->sim, 2));
	while (account.bytes < 2 * PERIOD) {
		must(try_wait_for(self->fd, POLLIN));
		must(try_account(self->fd, &account));
		EXPECT_EQ(EXACT_IDLE, account.last.flags);
	}
	EXPECT_EQ(2, account.count);
	EXPECT_EQ(2 * PERIOD, account.bytes);
	EXPECT_FALSE(account.wrong);
	EXPECT_TRUE(stays_silent(self->fd));
	must(try_step_bytes(&self->sim, PERIOD + 50));
	while (account.bytes < 3 * PERIOD + 50) {
		must(try_wait_for(self->fd, POLLIN));
		must(try_account(self->fd, &account));
	}
	EXPECT_EQ(3, account.count);
	EXPECT_FALSE(account.wrong);
	EXPECT_TRUE(stays_silent(self->fd));
}

/* Parts of periods do not come between those that have ended: positions only grow. */
TEST_F(idle, tells_in_order_as_data_trickles)
{
	struct account account = {};
	unsigned int i, n;

	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 2, 100000)));
	for (i = 0; i < 120; i++) {
		n = 1 + i * 7919 % 1500;
		must(try_step_bytes(&self->sim, n));
		if (i % 3 == 0) {
			must(try_wait_for(self->fd, POLLIN));
		}
		must(try_account(self->fd, &account));
		stream_set_app(&self->stream, stream_hw(&self->stream));
	}
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_account_end(self->fd, &account));
	EXPECT_FALSE(account.wrong);
	EXPECT_EQ(account.last.position, account.bytes);
	EXPECT_EQ(account.last.position / PERIOD, account.count);
	EXPECT_EQ(0, account.lost);
	/* To the last byte. */
	EXPECT_EQ(1500, ring_differs(self->ring.mem, RING, 0, account.bytes - 1500, 1500));
}

TEST_F(idle, waits_for_as_long_as_was_said)
{
	struct udma_event event = {};
	__u64 begin;

	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 1, 50000000)));
	begin = now_ns();
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	must(try_step_bytes(&self->sim, 100));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(EXACT_IDLE, event.flags);
	/* From when the period has ended. */
	EXPECT_LE(begin + 50000000, event.timestamp_ns);
}

TEST_F(idle, has_a_least_time_and_no_most)
{
	struct udma_event event = {};

	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 1, 1)));
	must(try_step_bytes(&self->sim, 10));
	tells_idle(self->fd, 10, 0, 10);
	must(try_stop(self->fd, &event));
	must(try_stream_unmap(&self->stream));
	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 1, ~0ULL)));
	must(try_step_bytes(&self->sim, 10));
	EXPECT_TRUE(stays_silent(self->fd));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, UDMA_EVENT_F_EXACT, 10, 0, 10);
}

/* With room for nothing but the end, that tells all. */
TEST_F(idle, is_not_lost_without_room)
{
	struct udma_event event = {};
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 2));
	must(try_stream(&self->stream, self->fd, idle_start(&self->ring, 1, 100000)));
	must(try_step(&self->sim, 1));
	must(try_step_bytes(&self->sim, 100));
	EXPECT_TRUE(!try_wait_sim(&self->sim, "pending", 1));
	ASSERT_EQ(1, queue_ready(&queue));
	while (stream_hw(&self->stream) != PERIOD + 100)
		sched_yield();
	tells(self->fd, UDMA_EVENT_F_EXACT, PERIOD, 1, PERIOD, 0);
	/* Now there is, for who looks. */
	ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	EXPECT_EQ(100, event.bytes);
	EXPECT_EQ(PERIOD + 100, event.position);
	must(try_queue_unmap(&queue));
}

TEST_HARNESS_MAIN
