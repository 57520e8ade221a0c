// SPDX-License-Identifier: GPL-2.0
/*
 * Streams of packets: each in a slot of its own, with an event of its own, and never in
 * one that the program has not given back.
 */
#include <sys/eventfd.h>

#include "udma_queue.h"
#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define SLOT	1024U
#define SLOTS	5U
#define RING	(SLOTS * SLOT)

FIXTURE(packets)
{
	struct sim sim;
	int out;
	int fd;
	struct buffer src;
	struct buffer ring;
	struct stream stream;
	__u64 sent;
};

FIXTURE_VARIANT(packets)
{
	unsigned int window;
};

FIXTURE_VARIANT_ADD(packets, one_at_a_time)
{
	.window = 1,
};

FIXTURE_VARIANT_ADD(packets, eight_at_a_time)
{
	.window = 8,
};

FIXTURE_SETUP(packets)
{
	static const struct device_config config = {
		.kind = "loopback",
		.packets = true,
	};

	must(try_device_make(&self->sim, &config));
	must(try_chan_set(&self->sim, RECEIVE, "window", variant->window));
	self->out = must(try_sim_open(&self->sim, TRANSMIT, O_RDWR));
	self->fd = must(try_sim_open(&self->sim, RECEIVE, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->out, 64 * KIB, &self->src));
	must(try_alloc_map(self->fd, 2 * RING, &self->ring));
	counting_write(self->src.mem, 0, 0, 64 * KIB);
}

FIXTURE_TEARDOWN(packets)
{
	works(try_unmap(&self->src));
	works(try_unmap(&self->ring));
	if (self->stream.shared)
		works(try_stream_unmap(&self->stream));
	works(close(self->out));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

#define starts(_flags)								\
	do {									\
		struct udma_stream_start __start =				\
			packets_start(&self->ring, RING, SLOT);			\
										\
		__start.flags = (_flags);					\
		must(try_stream(&self->stream, self->fd, __start));		\
	} while (0)

/*
 * A packet of so many bytes of the pattern, which goes on with each; it is in the FIFO then.
 * The next step is that of who receives it.
 */
#define sends(_bytes)								\
	do {									\
		const __u64 __sent = (_bytes);					\
		struct udma_event __event = {};					\
										\
		must(try_sim_set(&self->sim, "step_channel", TRANSMIT));	\
		must(try_submit_one(self->out, send_request(&self->src, self->sent, \
							    __sent)));		\
		must(try_step(&self->sim, 1));					\
		must(try_collect(self->out, &__event, 1));			\
		ASSERT_EQ(0, __event.status);					\
		self->sent += __sent;						\
		must(try_sim_set(&self->sim, "step_channel", RECEIVE));		\
	} while (0)

/* There is one event, of a packet, which is where it says. */
#define receives(_slot, _bytes, _number, _flags)				\
	do {									\
		const __u64 __received = (_bytes);				\
		struct udma_event __event = {};					\
										\
		ASSERT_EQ(1, must(try_read_now(self->fd, &__event, 1)));	\
		EXPECT_EQ(UDMA_EVENT_PACKET, __event.type);			\
		EXPECT_EQ(0, __event.status);					\
		EXPECT_EQ(0xc7c1e, __event.user_data);				\
		EXPECT_EQ(self->stream.start.out_sequence, __event.sequence);	\
		EXPECT_EQ(_slot, __event.count);				\
		EXPECT_EQ(__received, __event.bytes);				\
		EXPECT_EQ(_number, __event.position);				\
		EXPECT_EQ(0, __event.lost);					\
		EXPECT_EQ((_flags) | UDMA_EVENT_F_EXACT |			\
			  (__received < SLOT ? UDMA_EVENT_F_SHORT : 0),		\
			  __event.flags);					\
	} while (0)

#define has_data(_slot, _at, _bytes)						\
	do {									\
		const __u64 __there = (_bytes);					\
										\
		EXPECT_EQ(__there, counting_differs(self->ring.mem + (_slot) * SLOT, 0, \
						    _at, __there));		\
	} while (0)

TEST_F(packets, each_has_a_slot_and_an_event)
{
	static const unsigned int lengths[] = {
		1, SLOT, 3, SLOT - 1, 1000, 512, SLOT, 2, 77, 1023,
	};
	unsigned int i;
	__u64 at;

	pattern_prepare(&self->ring, 0, RING, PATTERN_GUARD, PATTERN_STALE);
	starts(0);
	for (i = 0; i < 40; i++) {
		if (i % 10 == 0)
			self->sent = 0;
		at = self->sent;
		pattern_write(self->ring.mem, i % SLOTS * SLOT, (i % SLOTS + 1) * SLOT,
			      PATTERN_STALE);
		sends(lengths[i % 10]);
		must(try_step(&self->sim, 1));
		receives(i % SLOTS, lengths[i % 10], i + 1, 0);
		tells_nothing(self->fd);
		EXPECT_EQ(i + 1, stream_hw(&self->stream));
		has_data(i % SLOTS, at, lengths[i % 10]);
		/* What is behind it in the slot is as it was. */
		EXPECT_EQ((i % SLOTS + 1) * SLOT,
			  pattern_differs(self->ring.mem, i % SLOTS * SLOT + lengths[i % 10],
					  (i % SLOTS + 1) * SLOT, PATTERN_STALE));
		stream_set_app(&self->stream, i + 1);
	}
	EXPECT_TRUE(pattern_outside(&self->ring, 0, RING, PATTERN_GUARD));
	EXPECT_EQ(0, stream_overruns(&self->stream));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, UDMA_EVENT_F_EXACT, 0, 0, 40);
}

/* The controller has slots, and nothing came: that is no packet. */
TEST_F(packets, none_came_before_it_is_stopped)
{
	starts(0);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, UDMA_EVENT_F_EXACT, 0, 0, 0);
	EXPECT_EQ(0, stream_state(&self->stream));
	/* What comes now is the next one's. */
	sends(100);
	must(try_stream_start(self->fd, &self->stream.start));
	must(try_step(&self->sim, 1));
	self->stream.start.out_sequence = 2;
	receives(0, 100, 1, 0);
	has_data(0, 0, 100);
}

/* It goes on in the next slot, and ends there. */
TEST_F(packets, longer_than_a_slot_have_several)
{
	starts(0);
	sends(2 * SLOT + 10);
	must(try_step(&self->sim, 3));
	receives(0, SLOT, 1, 0);
	receives(1, SLOT, 2, 0);
	receives(2, 10, 3, 0);
	tells_nothing(self->fd);
	has_data(0, 0, SLOT);
	has_data(1, SLOT, SLOT);
	has_data(2, 2 * SLOT, 10);
}

/* Slots that the program has */

TEST_F(packets, never_come_into_a_slot_that_was_not_given_back)
{
	unsigned int i;

	starts(0);
	/* More than there are slots, all of them there. */
	for (i = 0; i < SLOTS + 3; i++)
		sends(SLOT);
	must(try_step(&self->sim, SLOTS));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED, stream_state(&self->stream));
	EXPECT_EQ(1, stream_overruns(&self->stream));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	for (i = 0; i < SLOTS; i++) {
		receives(i, SLOT, i + 1, 0);
		has_data(i, i * SLOT, SLOT);
	}
	/* Two are given back, of which the controller hears only when it is called. */
	pattern_write(self->ring.mem, 0, 2 * SLOT, PATTERN_STALE);
	stream_set_app(&self->stream, 2);
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 0));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	must(try_step(&self->sim, 2));
	receives(0, SLOT, 6, UDMA_EVENT_F_OVERRUN);
	receives(1, SLOT, 7, 0);
	has_data(0, 5 * SLOT, SLOT);
	has_data(1, 6 * SLOT, SLOT);
	/* The others are as they were. */
	for (i = 2; i < SLOTS; i++)
		has_data(i, i * SLOT, SLOT);
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED, stream_state(&self->stream));
	EXPECT_EQ(2, stream_overruns(&self->stream));
	/* All of them, by the call alone. */
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 7));
	EXPECT_EQ(7, stream_app(&self->stream));
	must(try_step(&self->sim, 1));
	receives(2, SLOT, 8, UDMA_EVENT_F_OVERRUN);
	has_data(2, 7 * SLOT, SLOT);
	has_data(3, 3 * SLOT, SLOT);
}

TEST_F(packets, positions_that_cannot_be_give_nothing_back)
{
	static const __u32 wrong[] = {
		SLOTS + 1, SLOTS + 2, 2 * SLOTS, 1U << 31, -1U, -SLOTS, 1U << 16,
	};
	static const __u64 refused[] = {
		SLOTS + 1, 1ULL << 32, (1ULL << 32) + 1, ~0ULL,
	};
	unsigned int i;

	starts(0);
	for (i = 0; i < SLOTS + 2; i++)
		sends(SLOT);
	must(try_step(&self->sim, SLOTS));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		stream_set_app(&self->stream, wrong[i]);
		must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 0));
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		fails(EINVAL, try_control_at(self->fd, UDMA_STREAM_ADVANCE, refused[i]));
	}
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED, stream_state(&self->stream));
	/* None was overwritten. */
	for (i = 0; i < SLOTS; i++) {
		receives(i, SLOT, i + 1, 0);
		has_data(i, i * SLOT, SLOT);
	}
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 1));
	must(try_step(&self->sim, 1));
	receives(0, SLOT, SLOTS + 1, UDMA_EVENT_F_OVERRUN);
	/* What was given back does not come back. */
	stream_set_app(&self->stream, 0);
	must(try_control_at(self->fd, UDMA_STREAM_ADVANCE, 0));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(packets, stop_when_there_is_no_slot)
{
	struct udma_event event = {};
	unsigned int i;

	starts(UDMA_STREAM_F_STOP);
	for (i = 0; i < SLOTS; i++)
		sends(10);
	must(try_step(&self->sim, SLOTS));
	for (i = 0; i < SLOTS; i++)
		receives(i, 10, i + 1, 0);
	must(try_last(self->fd, &event));
	EXPECT_EQ(-EPIPE, event.status);
	EXPECT_EQ(SLOTS, event.position);
	EXPECT_EQ(UDMA_EVENT_F_LAST | UDMA_EVENT_F_OVERRUN, event.flags & ~UDMA_EVENT_F_EXACT);
	EXPECT_EQ(0, stream_state(&self->stream));
	fails(ENXIO, try_control(self->fd, UDMA_STREAM_ADVANCE));
}

TEST_F(packets, stop_while_there_is_no_slot)
{
	unsigned int i;

	starts(0);
	for (i = 0; i < SLOTS; i++)
		sends(10);
	must(try_step(&self->sim, SLOTS));
	for (i = 0; i < SLOTS; i++)
		receives(i, 10, i + 1, 0);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	ends_stream(self->fd, 0, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_OVERRUN, 0, 0, SLOTS);
	EXPECT_EQ(0, stream_state(&self->stream));
}

/* Who has paused it leaves a controller that moves. */
TEST_F(packets, stop_while_there_is_no_slot_and_it_is_paused)
{
	struct udma_event event = {};
	unsigned int i;

	starts(0);
	for (i = 0; i < SLOTS; i++)
		sends(10);
	must(try_step(&self->sim, SLOTS));
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED | UDMA_STREAM_S_PAUSED,
		  stream_state(&self->stream));
	must(try_stop(self->fd, &event));
	sends(20);
	must(try_submit_one(self->fd, receive_request(&self->ring, 0, 100)));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(20, event.bytes);
}

/* Events: no slot is given without a place for what is to be said of it */

TEST_F(packets, wait_for_room_for_their_events)
{
	struct udma_event event = {};
	struct queue queue;
	unsigned int i;

	must(try_queue_start(&queue, self->fd, 1, 4));
	starts(0);
	for (i = 0; i < 8; i++)
		sends(100);
	/* One is for the end. */
	must(try_step(&self->sim, 3));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_STARVED, stream_state(&self->stream));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, queue_pop(&queue, &event, 1));
		EXPECT_EQ(i % SLOTS, event.count);
		EXPECT_EQ(i + 1, event.position);
		/* Who takes an event gives back the slot, and looks. */
		stream_set_app(&self->stream, i + 1);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		EXPECT_EQ(UDMA_STREAM_S_STARVED,
			  stream_state(&self->stream) & UDMA_STREAM_S_STARVED);
		must(try_control(self->fd, UDMA_STREAM_ADVANCE));
		EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
		must(try_step(&self->sim, 1));
	}
	/* The end has its place. */
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_enter(self->fd, 0, 4));
	for (i = 5; i < 8; i++) {
		ASSERT_EQ(1, queue_pop(&queue, &event, 1));
		EXPECT_EQ(UDMA_EVENT_PACKET, event.type);
		EXPECT_EQ(i + 1, event.position);
	}
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	EXPECT_EQ(UDMA_EVENT_STREAM, event.type);
	EXPECT_EQ(8, event.position);
	/* All is free again. */
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_queue_unmap(&queue));
}

/* There is room for the first one and for the end, or it does not begin. */
TEST_F(packets, begin_with_room_for_one_at_least)
{
	struct udma_event event = {};
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 2));
	starts(0);
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_enter(self->fd, 0, 1));
	fails(EAGAIN, try_stream_start(self->fd, &self->stream.start));
	EXPECT_EQ(0, stream_state(&self->stream));
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	must(try_stream_start(self->fd, &self->stream.start));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
	sends(33);
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	EXPECT_EQ(UDMA_EVENT_PACKET, event.type);
	EXPECT_EQ(33, event.bytes);
	must(try_queue_unmap(&queue));
}

/* What a stream did not use of what it was promised is free for transfers. */
TEST_F(packets, leave_all_places_for_events_when_they_end)
{
	struct udma_request requests[4];
	struct udma_event event = {};
	struct queue queue;
	unsigned int i;

	must(try_queue_start(&queue, self->fd, 1, 4));
	for (i = 0; i < 20; i++) {
		starts(0);
		if (i % 3 == 0) {
			sends(1);
			must(try_step(&self->sim, 1));
			must(try_read(self->fd, &event, 1));
		}
		must(try_stop(self->fd, &event));
		must(try_stream_unmap(&self->stream));
		self->stream.shared = NULL;
	}
	for (i = 0; i < 4; i++)
		requests[i] = receive_request(&self->ring, 0, 8);
	EXPECT_EQ(4, try_submit(self->fd, requests, 4));
	EXPECT_EQ(4, try_cancel_all(self->fd));
	for (i = 0; i < 4; i++) {
		must(try_collect(self->fd, &event, 1));
	}
	must(try_queue_unmap(&queue));
}

/* The end */

TEST_F(packets, end_with_an_error_of_the_controller)
{
	struct udma_event event = {};

	starts(0);
	sends(100);
	sends(100);
	must(try_step(&self->sim, 1));
	receives(0, 100, 1, 0);
	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_step(&self->sim, 1));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_RESET);
	EXPECT_EQ(1, event.position);
	EXPECT_EQ(0, stream_state(&self->stream));
	must(try_wait_pending(&self->sim, 0));
	must(try_stream_start(self->fd, &self->stream.start));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(100, event.bytes);
	has_data(0, 100, 100);
}

TEST_F(packets, end_with_a_reset)
{
	struct udma_event event = {};

	starts(0);
	sends(100);
	must(try_step(&self->sim, 1));
	receives(0, 100, 1, 0);
	must(try_chan_set(&self->sim, RECEIVE, "reset", 1));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_RESET, event.flags & UDMA_EVENT_F_RESET);
	EXPECT_EQ(1, event.position);
	must(try_stream_start(self->fd, &self->stream.start));
	EXPECT_EQ(0, stream_hw(&self->stream));
}

TEST_F(packets, end_when_they_are_cancelled)
{
	struct udma_event event = {};

	starts(0);
	EXPECT_EQ(1, try_cancel(self->fd, self->stream.start.out_sequence));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-ECANCELED, event.status);
	must(try_stream_start(self->fd, &self->stream.start));
	EXPECT_EQ(1, try_cancel_all(self->fd));
	must(try_last(self->fd, &event));
	EXPECT_EQ(-ECANCELED, event.status);
}

TEST_F(packets, do_not_drain_nor_wait_for_idle_time)
{
	starts(0);
	fails(EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_DRAIN));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&self->stream));
}

TEST_F(packets, rest_while_they_are_paused)
{
	starts(0);
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	EXPECT_EQ(UDMA_STREAM_S_RUNNING | UDMA_STREAM_S_PAUSED, stream_state(&self->stream));
	sends(50);
	must(try_step(&self->sim, 0));
	tells_nothing(self->fd);
	must(try_control(self->fd, UDMA_STREAM_RESUME));
	must(try_step(&self->sim, 1));
	receives(0, 50, 1, 0);
}

/* Several of them that the controller tells of only together: see the window of device.c. */
TEST_F(packets, wait_for_none_that_has_not_come)
{
	unsigned int i;

	if (try_sim_set(&self->sim, "coalesce", 1))
		SKIP(return, "the controller tells of each packet");
	starts(0);
	sends(40);
	must(try_step(&self->sim, 1));
	if (variant->window == 1) {
		receives(0, 40, 1, 0);
		return;
	}
	/* As many as were issued together. */
	tells_nothing(self->fd);
	for (i = 1; i < SLOTS; i++)
		sends(40);
	must(try_step(&self->sim, SLOTS - 1));
	for (i = 0; i < SLOTS; i++)
		receives(i, 40, i + 1, 0);
}

TEST_F(packets, close_while_the_controller_has_slots)
{
	const long used = chan_get(&self->sim, RECEIVE, "used_bytes");

	starts(0);
	sends(100);
	must(try_step(&self->sim, 1));
	must(try_stream_unmap(&self->stream));
	self->stream.shared = NULL;
	must(try_unmap(&self->ring));
	must(close(self->fd));
	EXPECT_LT(0, used);
	must(try_wait_chan(&self->sim, RECEIVE, "used_bytes", 0));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	self->fd = must(try_sim_open(&self->sim, RECEIVE, O_RDWR));
	must(try_alloc_map(self->fd, 2 * RING, &self->ring));
	sends(100);
	starts(0);
	must(try_step(&self->sim, 1));
	receives(0, 100, 1, 0);
	has_data(0, 100, 100);
}

/* How long a packet was, as far as the controller tells */

TEST(packets_of_a_controller_that_does_not_tell_bytes_are_not_exact)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.granularity = "segment",
	};
	struct udma_stream_start start;
	struct udma_event event = {};
	struct buffer ring;
	struct sim sim;
	int fd;

	must(try_device_make(&sim, &config));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_sim_set(&sim, "step_mode", 1));
	must(try_sim_set(&sim, "packet_bytes", 100));
	must(try_alloc(fd, RING, &ring));
	start = packets_start(&ring, RING, SLOT);
	must(try_stream_start(fd, &start));
	must(try_step(&sim, 1));
	must(try_collect(fd, &event, 1));
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_EXACT);
	EXPECT_GE(100, event.bytes);
	must(close(fd));
	must(try_device_end(&sim));
}

/* A program that keeps up with a source that runs, by the page alone when it can. */
FIXTURE(flow)
{
	struct sim sim;
	int fd;
	struct buffer ring;
	struct stream stream;
};

FIXTURE_VARIANT(flow)
{
	unsigned int window;
	unsigned int packet_bytes;
	__u64 bandwidth;
};

FIXTURE_VARIANT_ADD(flow, of_short_packets_one_at_a_time)
{
	.window = 1,
	.packet_bytes = 300,
};

FIXTURE_VARIANT_ADD(flow, of_short_packets)
{
	.window = 3,
	.packet_bytes = 300,
};

FIXTURE_VARIANT_ADD(flow, of_long_packets)
{
	.window = 8,
	.packet_bytes = 2500,
};

FIXTURE_VARIANT_ADD(flow, of_packets_that_take_time)
{
	.window = 2,
	.packet_bytes = 700,
	.bandwidth = 2 * MIB,
};

FIXTURE_SETUP(flow)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};

	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "packet_bytes", variant->packet_bytes));
	must(try_sim_set(&self->sim, "bandwidth", variant->bandwidth));
	must(try_chan_set(&self->sim, 0, "window", variant->window));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, RING, &self->ring));
}

FIXTURE_TEARDOWN(flow)
{
	works(try_unmap(&self->ring));
	works(try_stream_unmap(&self->stream));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

/* Give back all up to @position as the contract has it. */
static int try_give_back(int fd, struct stream *stream, __u32 position)
{
	stream_set_app(stream, position);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(stream_state(stream) & UDMA_STREAM_S_STARVED))
		return 0;
	return try_control(fd, UDMA_STREAM_ADVANCE);
}

/*
 * The device loses nothing, so whatever the timing is the bytes of all packets are those of
 * the pattern without a gap; and the stream never stands still.
 */
TEST_F(flow, goes_on_without_a_gap)
{
	const unsigned int packets = 3000;
	__u64 random = seed(), at = 0, kept = 0;
	struct udma_event event = {};
	unsigned int i, overruns = 0;

	say("seed %llx", (unsigned long long)random);
	must(try_stream(&self->stream, self->fd, packets_start(&self->ring, RING, SLOT)));
	for (i = 0; i < packets; i++) {
		ASSERT_EQ(1, must(try_collect(self->fd, &event, 1)))
			TH_LOG("%u, state %x", i, stream_state(&self->stream));
		ASSERT_EQ(UDMA_EVENT_PACKET, event.type);
		ASSERT_EQ(i + 1, event.position);
		ASSERT_EQ(i % SLOTS, event.count);
		ASSERT_EQ(event.bytes, counting_differs(self->ring.mem + event.count * SLOT, 0, at,
							event.bytes));
		at += event.bytes;
		overruns += !!(event.flags & UDMA_EVENT_F_OVERRUN);
		/* At any moment, sometimes just when it has no slot any more. */
		if (!below(&random, 3))
			dawdle(&random);
		if (i + 1 - kept == SLOTS || below(&random, 3)) {
			kept = i + 1 - below(&random, i + 1 - kept);
			must(try_give_back(self->fd, &self->stream, kept));
		}
	}
	say("%u packets, %llu bytes, %u overruns", packets, (unsigned long long)at,
	    stream_overruns(&self->stream));
	EXPECT_GE(stream_overruns(&self->stream), overruns);
	/* Those that are in the queue still come first. */
	must(try_control(self->fd, UDMA_STREAM_STOP));
	do {
		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(0, event.status);
	} while (!(event.flags & UDMA_EVENT_F_LAST));
	EXPECT_EQ(event.position, stream_hw(&self->stream));
}

TEST_HARNESS_MAIN
