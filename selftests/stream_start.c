// SPDX-License-Identifier: GPL-2.0
/*
 * How streams begin, what they may not begin with or beside, and that they begin anew.
 */
#include "udma_program.h"
#include "udma_queue.h"
#include "udma_stream.h"

#define PERIOD	4096
#define RING	(4 * PERIOD)

FIXTURE(start)
{
	struct sim sim;
	int fd;
	struct buffer ring;
	struct udma_stream_start good;
	struct udma_stream_start packets;
};

FIXTURE_SETUP(start)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};

	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, 2 * RING, &self->ring));
	self->good = cyclic_start(&self->ring, RING, PERIOD);
	self->packets = packets_start(&self->ring, RING, PERIOD);
}

FIXTURE_TEARDOWN(start)
{
	works(try_unmap(&self->ring));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

/* What it is that is wrong, in a copy of what is right. */
#define refuses(_errno, _good, _field, _value)					\
	do {									\
		struct udma_stream_start __start = (_good);			\
										\
		__start._field = (_value);					\
		fails(_errno, try_stream_start(self->fd, &__start))		\
			TH_LOG("%s = %s", #_field, #_value);			\
	} while (0)

/* It did not begin, nor does anything stay of it. */
#define has_not_begun()								\
	do {									\
		fails(ENXIO, try_control(self->fd, UDMA_STREAM_STOP));		\
		EXPECT_EQ(POLLOUT, poll_now(self->fd));				\
		EXPECT_EQ(0, sim_get(&self->sim, "pending"));			\
		EXPECT_EQ(0, try_cancel_all(self->fd));				\
	} while (0)

TEST_F(start, what_is_said_has_to_be_right)
{
	const struct udma_stream_start good = self->good;

	refuses(EINVAL, good, flags, 1U << 1);
	refuses(EINVAL, good, flags, 1U << 31);
	refuses(EINVAL, good, type, 2);
	refuses(EINVAL, good, type, ~0U);
	refuses(EINVAL, good, __reserved, 1);
	refuses(EINVAL, good, period_bytes, 0);
	refuses(EINVAL, good, bytes, 0);
	/* One period, less than one, and no whole number of them. */
	refuses(EINVAL, good, bytes, PERIOD);
	refuses(EINVAL, good, bytes, PERIOD - 1);
	refuses(EINVAL, good, bytes, RING - 1);
	refuses(EINVAL, good, bytes, RING + PERIOD / 2);
	refuses(EINVAL, good, period_bytes, RING);
	refuses(EINVAL, good, period_bytes, 2 * RING);
	refuses(EINVAL, good, period_bytes, PERIOD + 1);
	/* Sums and products that do not fit. */
	refuses(EINVAL, good, period_bytes, 1ULL << 32);
	refuses(EINVAL, good, period_bytes, 1ULL << 63);
	refuses(EINVAL, good, period_bytes, (1ULL << 63) + PERIOD);
	refuses(EINVAL, good, period_bytes, ~0ULL);
	refuses(EINVAL, good, bytes, (1ULL << 32) + RING);
	refuses(EINVAL, good, bytes, ~0ULL);
	refuses(EINVAL, good, bytes, 1ULL << 63);
	/* Over 1 GiB. */
	refuses(EINVAL, good, bytes, (1ULL << 30) + PERIOD);
	refuses(EINVAL, good, event_periods, 0);
	refuses(EINVAL, good, event_periods, 5);
	refuses(EINVAL, good, event_periods, ~0U);
	refuses(EINVAL, good, filled_bytes, 1);
	refuses(EINVAL, good, filled_bytes, PERIOD);
	has_not_begun();
}

/* A controller may have a descriptor for each period, and interrupt for each. */
TEST_F(start, periods_are_not_too_many_nor_too_short)
{
	struct udma_stream_start start;
	struct udma_event event;
	struct buffer buffer;
	struct udma_info info;

	must(try_info(self->fd, &info));
	ASSERT_LT(1, info.out_max_periods);
	ASSERT_LT(1, info.out_min_period_bytes);
	must(try_alloc(self->fd, (info.out_max_periods + 1) * 64, &buffer));
	ASSERT_EQ(64, info.out_min_period_bytes);
	start = cyclic_start(&buffer, (info.out_max_periods + 1) * 64, 64);
	fails(EINVAL, try_stream_start(self->fd, &start));
	start.type = UDMA_STREAM_PACKETS;
	fails(EINVAL, try_stream_start(self->fd, &start));
	start = cyclic_start(&buffer, 4 * 63, 63);
	fails(EINVAL, try_stream_start(self->fd, &start));
	has_not_begun();
	start = cyclic_start(&buffer, info.out_max_periods * 64, 64);
	must(try_stream_start(self->fd, &start));
	must(try_step(&self->sim, 3));
	must(try_stop(self->fd, &event));
	EXPECT_EQ(3 * 64, event.position);
}

TEST_F(start, what_is_said_of_packets_has_to_be_right)
{
	const struct udma_stream_start good = self->packets;

	refuses(EINVAL, good, flags, 1U << 1);
	refuses(EINVAL, good, __reserved, 1);
	refuses(EINVAL, good, period_bytes, 0);
	refuses(EINVAL, good, bytes, PERIOD);
	refuses(EINVAL, good, bytes, RING - 1);
	refuses(EINVAL, good, event_periods, 0);
	refuses(EINVAL, good, event_periods, 2);
	refuses(EINVAL, good, idle_ns, 100000);
	refuses(EINVAL, good, filled_bytes, PERIOD);
	has_not_begun();
}

TEST_F(start, buffers_have_to_be_there)
{
	const struct udma_stream_start good = self->good;
	struct buffer freed, other;
	int fd = must(try_sim_open(&self->sim, 0, O_RDWR));

	must(try_alloc(self->fd, RING, &freed));
	must(try_free(self->fd, freed.handle));
	/* Another file's: neither is its handle the first. */
	must(try_alloc(fd, RING, &other));
	must(try_free(fd, other.handle));
	must(try_alloc(fd, RING, &other));
	refuses(ENOENT, good, handle, 0);
	refuses(ENOENT, good, handle, ~0U);
	refuses(ENOENT, good, handle, freed.handle);
	refuses(ENOENT, good, handle, self->ring.handle + (1U << 12));
	ASSERT_NE(self->ring.handle, other.handle);
	refuses(ENOENT, good, handle, other.handle);
	has_not_begun();
	must(close(fd));
}

TEST_F(start, rings_are_within_their_buffers)
{
	const struct udma_stream_start good = self->good;

	refuses(ERANGE, good, offset, RING + 1);
	refuses(ERANGE, good, offset, 2 * RING);
	refuses(ERANGE, good, offset, 2 * RING + 1);
	refuses(ERANGE, good, offset, ~0ULL);
	refuses(ERANGE, good, offset, 0ULL - RING);
	refuses(ERANGE, good, bytes, 2 * RING + PERIOD);
	refuses(ERANGE, good, bytes, 4096 * PERIOD);
	has_not_begun();
	/* To the last byte. */
	self->good.offset = RING;
	must(try_stream_start(self->fd, &self->good));
}

/* A buffer is as long as was asked for, not as its pages are. */
TEST_F(start, rings_end_with_what_was_asked_for)
{
	struct buffer buffer;

	must(try_alloc(self->fd, 2 * PERIOD - 1, &buffer));
	self->good = cyclic_start(&buffer, 2 * PERIOD, PERIOD);
	fails(ERANGE, try_stream_start(self->fd, &self->good));
	has_not_begun();
}

TEST_F(start, the_channel_says_how_it_is_aligned)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.align = 64,
	};
	struct udma_stream_start start;
	struct buffer ring;
	struct sim sim;
	int fd;

	must(try_device_make(&sim, &config));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_alloc(fd, RING, &ring));
	start = cyclic_start(&ring, 4 * 100, 100);
	fails(EINVAL, try_stream_start(fd, &start));
	start = cyclic_start(&ring, 4 * 64, 64);
	start.offset = 32;
	fails(EINVAL, try_stream_start(fd, &start));
	start.offset = 64;
	must(try_stream_start(fd, &start));
	must(close(fd));
	must(try_device_end(&sim));
}

TEST(periods_are_no_longer_than_the_controller_takes)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.max_segment = 2048,
	};
	struct udma_stream_start start;
	struct buffer ring;
	struct sim sim;
	int fd;

	must(try_device_make(&sim, &config));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_alloc(fd, RING, &ring));
	start = cyclic_start(&ring, RING, PERIOD);
	fails(EINVAL, try_stream_start(fd, &start));
	start = cyclic_start(&ring, RING, 2048);
	must(try_stream_start(fd, &start));
	must(close(fd));
	must(try_device_end(&sim));
}

/* What the channel cannot do */

FIXTURE(unable)
{
	struct sim sim;
	int fd;
	struct buffer ring;
};

FIXTURE_VARIANT(unable)
{
	const struct device_config config;
	__u64 idle_ns;
	bool packets_too;
};

FIXTURE_VARIANT_ADD(unable, without_cyclic)
{
	.config = { .kind = "source", .no_cyclic = true },
};

FIXTURE_VARIANT_ADD(unable, that_cannot_be_stopped)
{
	.config = { .kind = "source", .no_terminate = true },
	.packets_too = true,
};

FIXTURE_VARIANT_ADD(unable, that_does_not_tell_bytes)
{
	.config = { .kind = "source", .granularity = "segment" },
	.idle_ns = 100000,
};

FIXTURE_VARIANT_ADD(unable, that_tells_nothing)
{
	.config = { .kind = "source", .granularity = "descriptor" },
	.idle_ns = 100000,
};

FIXTURE_VARIANT_ADD(unable, for_memory)
{
	.config = { .kind = "memory" },
	.packets_too = true,
};

FIXTURE_SETUP(unable)
{
	must(try_device_make(&self->sim, &variant->config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc(self->fd, RING, &self->ring));
}

FIXTURE_TEARDOWN(unable)
{
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

TEST_F(unable, is_not_supported)
{
	struct udma_stream_start start = cyclic_start(&self->ring, RING, PERIOD);

	start.idle_ns = variant->idle_ns;
	fails(EOPNOTSUPP, try_stream_start(self->fd, &start));
	start = packets_start(&self->ring, RING, PERIOD);
	if (variant->packets_too) {
		fails(EOPNOTSUPP, try_stream_start(self->fd, &start));
	} else {
		must(try_stream_start(self->fd, &start));
	}
}

TEST(packets_do_not_go_to_a_device)
{
	static const struct device_config config = {
		.kind = "sink",
		.channels = 1,
	};
	struct udma_stream_start start;
	struct buffer ring;
	struct sim sim;
	int fd;

	must(try_device_make(&sim, &config));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_alloc(fd, RING, &ring));
	start = packets_start(&ring, RING, PERIOD);
	fails(EOPNOTSUPP, try_stream_start(fd, &start));
	/* To a device at least a period and at most all is filled before. */
	start = cyclic_start(&ring, RING, PERIOD);
	fails(EINVAL, try_stream_start(fd, &start));
	start.filled_bytes = PERIOD - 1;
	fails(EINVAL, try_stream_start(fd, &start));
	start.filled_bytes = RING + 1;
	fails(EINVAL, try_stream_start(fd, &start));
	start.filled_bytes = ~0ULL;
	fails(EINVAL, try_stream_start(fd, &start));
	EXPECT_EQ(0, sim_get(&sim, "sink_bytes"));
	must(close(fd));
	must(try_device_end(&sim));
}

/* Who is in the way */

TEST_F(start, beside_a_transfer_is_refused)
{
	struct udma_event event = {};

	must(try_submit_one(self->fd, receive_request(&self->ring, 0, 100)));
	fails(EBUSY, try_stream_start(self->fd, &self->good));
	fails(EBUSY, try_stream_start(self->fd, &self->packets));
	must(try_step(&self->sim, 1));
	/* An event that nobody has read is not in the way. */
	must(try_stream_start(self->fd, &self->good));
	EXPECT_EQ(2, self->good.out_sequence);
	must(try_read(self->fd, &event, 1));
	EXPECT_EQ(1, event.sequence);
}

TEST_F(start, is_refused_while_there_is_one)
{
	struct udma_request receive = receive_request(&self->ring, 0, 100);
	struct udma_queue_setup setup;
	struct udma_event event;

	must(try_stream_start(self->fd, &self->good));
	fails(EBUSY, try_stream_start(self->fd, &self->good));
	fails(EBUSY, try_stream_start(self->fd, &self->packets));
	fails(EBUSY, try_submit_one(self->fd, receive));
	fails(EBUSY, try_setup(self->fd, 8, 8, &setup));
	/* One that is paused is one, too. */
	must(try_control(self->fd, UDMA_STREAM_PAUSE));
	fails(EBUSY, try_stream_start(self->fd, &self->good));
	must(try_stop(self->fd, &event));
	must(try_submit_one(self->fd, receive));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	/* What was refused has no number. */
	EXPECT_EQ(2, event.sequence);
}

TEST_F(start, is_refused_in_a_mapped_queue_as_well)
{
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 4, 4));
	must(try_stream_start(self->fd, &self->good));
	queue_put(&queue, receive_request(&self->ring, 0, 100));
	fails(EBUSY, try_enter(self->fd, 1, 0));
	EXPECT_EQ(1, queue_pending(&queue));
	must(try_queue_unmap(&queue));
}

TEST_F(start, is_its_owners_only)
{
	struct udma_stream_start start;
	struct udma_event event;
	struct buffer ring;
	__u64 end = 0;
	int fd = must(try_sim_open(&self->sim, 0, O_RDWR));

	must(try_alloc(fd, RING, &ring));
	start = cyclic_start(&ring, RING, PERIOD);
	must(try_stream_start(self->fd, &self->good));
	fails(EBUSY, try_stream_start(fd, &start));
	fails(EBUSY, try_submit_one(fd, receive_request(&ring, 0, 100)));
	fails(ENXIO, try_control(fd, UDMA_STREAM_STOP));
	fails(ENXIO, try_control(fd, UDMA_STREAM_PAUSE));
	fails(ENXIO, try_control(fd, UDMA_STREAM_ADVANCE));
	fails(ENOENT, try_cancel(fd, 1));
	EXPECT_EQ(0, try_cancel_all(fd));
	must(try_stop(self->fd, &event));
	EXPECT_EQ(0, event.status);
	/* It stays the owner until it is closed. */
	fails(EBUSY, try_stream_start(fd, &start));
	must(try_stream_start(self->fd, &self->good));
	must(try_unmap(&self->ring));
	must(close(self->fd));
	/* The controller may have to be stopped first. */
	while (try_stream_start(fd, &start)) {
		ASSERT_EQ(EBUSY, errno);
		ASSERT_TRUE(look_again(&end));
	}
	/* And may be told to go on with the one before. */
	end = 0;
	while (!must(try_read_now(fd, &event, 1))) {
		ASSERT_TRUE(look_again(&end));
		must(try_step(&self->sim, 1));
	}
	EXPECT_EQ(PERIOD, event.position);
	self->fd = fd;
	must(try_alloc_map(fd, 1, &self->ring));
}

TEST_F(start, without_room_for_its_end_is_refused)
{
	struct udma_event event = {};
	struct queue queue;

	must(try_queue_start(&queue, self->fd, 1, 1));
	must(try_stream_start(self->fd, &self->good));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	must(try_enter(self->fd, 0, 1));
	fails(EAGAIN, try_stream_start(self->fd, &self->good));
	ASSERT_EQ(1, queue_pop(&queue, &event, 1));
	must(try_stream_start(self->fd, &self->good));
	EXPECT_EQ(2, self->good.out_sequence);
	must(try_queue_unmap(&queue));
}

TEST_F(start, is_not_for_who_cannot_write)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));

	fails(EBADF, try_stream_start(fd, &self->good));
	fails(EBADF, try_control(fd, UDMA_STREAM_STOP));
	must(close(fd));
}

/* Nothing has begun when the program cannot be told. */
TEST_F(start, that_cannot_be_answered_does_not_begin)
{
	struct udma_stream_start *start = (void *)(pages_before_hole(1) + page_bytes() -
						   sizeof(*start));

	*start = self->good;
	must(mprotect((void *)((uintptr_t)start & ~(page_bytes() - 1)), page_bytes(), PROT_READ));
	fails(EFAULT, try_stream_start(self->fd, start));
	has_not_begun();
}

/* Again */

TEST_F(start, begins_anew_each_time)
{
	struct udma_event event = {};
	struct stream stream = {};
	unsigned int i, k;
	__u64 given = 0;

	for (i = 1; i <= 100; i++) {
		struct udma_stream_start start = cyclic_start(&self->ring, RING, 256);

		start.user_data = i;
		must(try_stream(&stream, self->fd, start));
		EXPECT_EQ(i, stream.start.out_sequence);
		EXPECT_EQ(0, stream_hw(&stream));
		EXPECT_EQ(0, stream_app(&stream));
		EXPECT_EQ(0, stream_lost(&stream));
		EXPECT_EQ(0, stream_overruns(&stream));
		EXPECT_EQ(UDMA_STREAM_S_RUNNING, stream_state(&stream));
		must(try_step(&self->sim, i % 5));
		for (k = 1; k <= i % 5; k++)
			tells(self->fd, UDMA_EVENT_F_EXACT, 256, 1, k * 256, 0);
		/* Data goes on where the one before has ended. */
		EXPECT_EQ(i % 5 * 256, counting_differs(self->ring.mem, 0, given, i % 5 * 256));
		given += i % 5 * 256;
		if (i % 3 == 0) {
			must(try_control(self->fd, UDMA_STREAM_PAUSE));
		}
		if (i % 4 == 0)
			stream_set_app(&stream, i * 1000);
		if (i % 2) {
			must(try_control(self->fd, UDMA_STREAM_STOP));
		} else {
			must(try_cancel(self->fd, i));
		}
		must(try_last(self->fd, &event));
		EXPECT_EQ(i, event.user_data);
		EXPECT_EQ(i, event.sequence);
		EXPECT_EQ(i % 5 * 256, event.position);
		must(try_stream_unmap(&stream));
	}
}

/* One mapping is of all streams, of either kind. */
TEST_F(start, is_mapped_once)
{
	struct udma_stream_start packets = self->packets;
	struct udma_event event = {};
	struct stream stream = {};

	must(try_stream(&stream, self->fd, self->good));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(PERIOD, stream_hw(&stream));
	must(try_stop(self->fd, &event));
	must(try_stream_start(self->fd, &packets));
	EXPECT_EQ(stream.start.out_mmap_offset, packets.out_mmap_offset);
	EXPECT_EQ(stream.start.out_map_bytes, packets.out_map_bytes);
	EXPECT_EQ(0, stream_hw(&stream));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, stream_hw(&stream));
	must(try_stop(self->fd, &event));
	must(try_stream_start(self->fd, &self->good));
	EXPECT_EQ(0, stream_hw(&stream));
	must(try_stream_unmap(&stream));
}

/* Memory that has no handle and is mapped nowhere. */
TEST_F(start, keeps_a_buffer_that_is_freed)
{
	const long used = chan_get(&self->sim, 0, "used_bytes");
	struct buffer ring, others[16];
	struct stream stream = {};
	struct udma_event event;
	unsigned int i;

	must(try_alloc_map(self->fd, RING, &ring));
	must(try_stream(&stream, self->fd, cyclic_start(&ring, RING, PERIOD)));
	must(try_free(self->fd, ring.handle));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(2 * PERIOD, counting_differs(ring.mem, 0, 0, 2 * PERIOD));
	must(try_unmap(&ring));
	EXPECT_EQ(used + RING, chan_get(&self->sim, 0, "used_bytes"));
	/* What is allocated meanwhile is other memory. */
	for (i = 0; i < ARRAY_SIZE(others); i++)
		must(try_alloc_map(self->fd, RING, &others[i]));
	must(try_step(&self->sim, 9));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-1, find_other(others[i].mem, RING, 0));
		must(try_unmap(&others[i]));
		must(try_free(self->fd, others[i].handle));
	}
	must(try_stop(self->fd, &event));
	EXPECT_EQ(11 * PERIOD, event.position);
	must(try_wait_chan(&self->sim, 0, "used_bytes", used));
	must(try_stream_unmap(&stream));
}

TEST_HARNESS_MAIN
