// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers: that they move what they should and nothing else, what a request
 * must be to become one, how an array is taken, and how they go wrong.
 */
#include "udma_sim.h"

#define BUFFER_BYTES	(256 * KIB)

/* A channel with two buffers that are mapped. */
struct setup {
	struct sim sim;
	int fd;
	struct buffer dst;
	struct buffer src;
};

static int try_setup_start(struct setup *setup, const struct sim_config *config,
			   size_t bytes)
{
	setup->fd = try_sim_start(&setup->sim, config);
	if (setup->fd < 0)
		return -1;
	if (try_alloc_map(setup->fd, bytes, &setup->dst))
		return -1;
	return try_alloc_map(setup->fd, bytes, &setup->src);
}

static int try_setup_finish(const struct setup *setup)
{
	if (close(setup->fd))
		return -1;
	return try_sim_finish(&setup->sim);
}

/* One copy, from its patterns to what has become of them. */
static const char *copy_and_look(const struct setup *setup,
				 struct udma_request request)
{
	struct udma_event event;

	copy_prepare(&setup->dst, &setup->src, &request);
	if (try_run(setup->fd, request, &event))
		return strerror(errno);
	if (event.status)
		return strerror(-event.status);
	if (event.bytes != request.bytes)
		return "other bytes in the event";
	return copy_verdict(&setup->dst, &setup->src, &request);
}

static const char *fill_and_look(const struct setup *setup,
				 struct udma_request request)
{
	struct udma_event event;

	fill_prepare(&setup->dst, &request);
	if (try_run(setup->fd, request, &event))
		return strerror(errno);
	if (event.status)
		return strerror(-event.status);
	if (event.bytes != request.bytes)
		return "other bytes in the event";
	return fill_verdict(&setup->dst, &request);
}

FIXTURE(transfer)
{
	struct setup setup;
	int fd;
	struct udma_request copy;	/* good ones, to be made bad */
	struct udma_request fill;
};

FIXTURE_SETUP(transfer)
{
	static const struct sim_config config;
	struct setup *setup = &self->setup;

	must(try_setup_start(setup, &config, BUFFER_BYTES));
	self->fd = setup->fd;
	self->copy = copy_request(&setup->dst, 0, &setup->src, 0, 64);
	self->fill = fill_request(&setup->dst, 0, 64, 0xa5);
}

FIXTURE_TEARDOWN(transfer)
{
	works(try_setup_finish(&self->setup));
}

/* Data */

FIXTURE(span)
{
	struct setup setup;
};

FIXTURE_VARIANT(span)
{
	__u64 dst_offset;
	__u64 src_offset;
	__u64 bytes;
};

FIXTURE_VARIANT_ADD(span, a_byte) { 0, 0, 1 };
FIXTURE_VARIANT_ADD(span, a_byte_within) { 17, 4099, 1 };
FIXTURE_VARIANT_ADD(span, seven_bytes) { 1, 2, 7 };
FIXTURE_VARIANT_ADD(span, a_cache_line) { 64, 128, 64 };
FIXTURE_VARIANT_ADD(span, a_page) { 0, 0, 4096 };
FIXTURE_VARIANT_ADD(span, a_page_across_pages) { 4095, 1, 4096 };
FIXTURE_VARIANT_ADD(span, odd_everything) { 333, 12345, 70001 };
FIXTURE_VARIANT_ADD(span, 64_kib_from_the_end) { 0, 192 * KIB, 64 * KIB };
FIXTURE_VARIANT_ADD(span, 64_kib_to_the_end) { 192 * KIB, 0, 64 * KIB };
FIXTURE_VARIANT_ADD(span, the_last_byte) { 262143, 262143, 1 };
FIXTURE_VARIANT_ADD(span, all_but_a_byte) { 1, 0, 256 * KIB - 1 };
FIXTURE_VARIANT_ADD(span, all) { 0, 0, 256 * KIB };

FIXTURE_SETUP(span)
{
	static const struct sim_config config;

	must(try_setup_start(&self->setup, &config, BUFFER_BYTES));
}

FIXTURE_TEARDOWN(span)
{
	works(try_setup_finish(&self->setup));
}

TEST_F(span, is_copied)
{
	const struct setup *setup = &self->setup;

	EXPECT_STREQ("copied",
		     copy_and_look(setup, copy_request(&setup->dst,
						       variant->dst_offset,
						       &setup->src,
						       variant->src_offset,
						       variant->bytes)));
}

TEST_F(span, is_filled)
{
	const struct setup *setup = &self->setup;

	EXPECT_STREQ("filled",
		     fill_and_look(setup, fill_request(&setup->dst,
						       variant->dst_offset,
						       variant->bytes, 0xe7)));
}

TEST_F(transfer, of_each_small_size)
{
	struct setup *setup = &self->setup;
	__u64 bytes;

	/* A mapping of a page each, so that a look at all of it is quick. */
	must(try_alloc_map(self->fd, 200, &setup->dst));
	must(try_alloc_map(self->fd, 200, &setup->src));
	for (bytes = 1; bytes <= 130; bytes++) {
		EXPECT_STREQ("copied",
			     copy_and_look(setup,
					   copy_request(&setup->dst, bytes % 8,
							&setup->src, bytes % 5,
							bytes)))
			TH_LOG("%llu bytes", (unsigned long long)bytes);
	}
}

TEST_F(transfer, of_four_mebibytes_and_some)
{
	struct setup *setup = &self->setup;
	const __u64 bytes = 4 * MIB - 4097;

	/* More than the kernel gives to a controller at a time. */
	must(try_alloc_map(self->fd, 4 * MIB, &setup->dst));
	must(try_alloc_map(self->fd, 4 * MIB, &setup->src));
	EXPECT_STREQ("copied",
		     copy_and_look(setup, copy_request(&setup->dst, 4093,
						       &setup->src, 11,
						       bytes)));
	EXPECT_STREQ("filled",
		     fill_and_look(setup, fill_request(&setup->dst, 4093,
						       bytes, 0x3c)));
}

TEST_F(transfer, with_each_fill_value)
{
	struct setup *setup = &self->setup;
	unsigned int value;

	must(try_alloc_map(self->fd, 200, &setup->dst));
	for (value = 0; value < 256; value++) {
		EXPECT_STREQ("filled",
			     fill_and_look(setup, fill_request(&setup->dst, 3,
							       150, value)))
			TH_LOG("value %u", value);
	}
}

TEST_F(transfer, within_one_buffer)
{
	struct setup *setup = &self->setup;
	struct udma_event event;

	pattern_write(setup->dst.mem, 0, BUFFER_BYTES, PATTERN_SOURCE);
	/* Next to each other, either way round. */
	must(try_run(self->fd, copy_request(&setup->dst, 100, &setup->dst, 0,
					    100), &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, memcmp(setup->dst.mem, setup->dst.mem + 100, 100));
	must(try_run(self->fd, copy_request(&setup->dst, 300, &setup->dst, 400,
					    100), &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, memcmp(setup->dst.mem + 300, setup->dst.mem + 400, 100));
	EXPECT_EQ(BUFFER_BYTES, pattern_differs(setup->dst.mem, 400,
						BUFFER_BYTES, PATTERN_SOURCE));
}

TEST_F(transfer, does_not_touch_what_follows_in_the_last_page)
{
	struct setup *setup = &self->setup;

	/* The buffer ends within a page that is mapped whole. */
	must(try_alloc_map(self->fd, 5000, &setup->dst));
	must(try_alloc_map(self->fd, 5000, &setup->src));
	EXPECT_STREQ("copied",
		     copy_and_look(setup, copy_request(&setup->dst, 0,
						       &setup->src, 0, 5000)));
}

/* Controllers with limits */

FIXTURE(segment)
{
	struct setup setup;
};

FIXTURE_VARIANT(segment)
{
	struct sim_config config;
};

FIXTURE_VARIANT_ADD(segment, of_a_page) {
	.config = { .max_segment = 4096 },
};

FIXTURE_VARIANT_ADD(segment, of_an_odd_size) {
	.config = { .max_segment = 1021 },
};

FIXTURE_VARIANT_ADD(segment, of_a_size_that_is_not_aligned) {
	.config = { .max_segment = 1000, .align = 64 },
};

FIXTURE_VARIANT_ADD(segment, with_a_single_descriptor) {
	.config = { .max_segment = 4096, .depth = 1 },
};

FIXTURE_VARIANT_ADD(segment, with_two_descriptors) {
	.config = { .max_segment = 4096, .depth = 2 },
};

FIXTURE_SETUP(segment)
{
	must(try_setup_start(&self->setup, &variant->config, BUFFER_BYTES));
}

FIXTURE_TEARDOWN(segment)
{
	works(try_setup_finish(&self->setup));
}

TEST_F(segment, long_copy_goes_in_slices)
{
	const struct setup *setup = &self->setup;
	const struct udma_request request =
		copy_request(&setup->dst, 64, &setup->src, 640, 128 * KIB);

	EXPECT_STREQ("copied", copy_and_look(setup, request));
	must(try_wait_pending(&setup->sim, 0));
	EXPECT_LE(request.bytes / variant->config.max_segment,
		  sim_get(&setup->sim, "ended"));
}

TEST_F(segment, long_fill_goes_in_slices)
{
	const struct setup *setup = &self->setup;
	const struct udma_request request =
		fill_request(&setup->dst, 64, 128 * KIB, 0x99);

	EXPECT_STREQ("filled", fill_and_look(setup, request));
	must(try_wait_pending(&setup->sim, 0));
	EXPECT_LE(request.bytes / variant->config.max_segment,
		  sim_get(&setup->sim, "ended"));
}

TEST_F(segment, many_long_ones_at_once)
{
	struct setup *setup = &self->setup;
	const __u64 bytes = 16 * KIB;
	struct udma_request requests[12];
	struct udma_event events[12];
	unsigned int i;

	pattern_write(setup->src.mem, 0, BUFFER_BYTES, PATTERN_SOURCE);
	pattern_write(setup->dst.mem, 0, BUFFER_BYTES, PATTERN_STALE);
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = copy_request(&setup->dst, i * bytes, &setup->src,
					   i * bytes, bytes);
	must(try_submit_all(setup->fd, requests, ARRAY_SIZE(requests)));
	must(try_collect(setup->fd, events, ARRAY_SIZE(events)));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(bytes, events[i].bytes);
	}
	EXPECT_EQ(12 * bytes, pattern_differs(setup->dst.mem, 0, 12 * bytes,
					      PATTERN_SOURCE));
	EXPECT_EQ(BUFFER_BYTES, pattern_differs(setup->dst.mem, 12 * bytes,
						BUFFER_BYTES, PATTERN_STALE));
}

TEST_F(segment, more_than_the_controller_has_room_for)
{
	struct setup *setup = &self->setup;
	struct udma_request request;
	struct udma_event events[200];
	unsigned int i;

	request = copy_request(&setup->dst, 0, &setup->src, 0, 128);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		must(try_submit_all(setup->fd, &request, 1));
	must(try_collect(setup->fd, events, ARRAY_SIZE(events)));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		EXPECT_EQ(0, events[i].status);
	EXPECT_EQ(0, try_read_now(setup->fd, events, 1));
}

TEST(alignment_of_each_field)
{
	static const struct sim_config config = { .align = 64 };
	struct udma_request good, bad;
	struct setup setup;
	unsigned int off;

	must(try_setup_start(&setup, &config, 64 * KIB));
	good = copy_request(&setup.dst, 128, &setup.src, 4096, 640);
	for (off = 1; off < 64; off = off == 32 ? 63 : off * 2) {
		bad = good;
		bad.dst_offset += off;
		fails(EINVAL, try_submit_one(setup.fd, bad))
			TH_LOG("destination off by %u", off);
		bad = good;
		bad.src_offset += off;
		fails(EINVAL, try_submit_one(setup.fd, bad))
			TH_LOG("source off by %u", off);
		bad = good;
		bad.bytes += off;
		fails(EINVAL, try_submit_one(setup.fd, bad))
			TH_LOG("length off by %u", off);
	}
	EXPECT_STREQ("copied", copy_and_look(&setup, good));
	must(try_setup_finish(&setup));
}

TEST(alignment_of_a_fill)
{
	static const struct sim_config config = { .align = 16 };
	struct udma_request good, bad;
	struct setup setup;

	must(try_setup_start(&setup, &config, 64 * KIB));
	good = fill_request(&setup.dst, 48, 160, 0x42);
	bad = good;
	bad.dst_offset += 8;
	fails(EINVAL, try_submit_one(setup.fd, bad));
	bad = good;
	bad.bytes += 1;
	fails(EINVAL, try_submit_one(setup.fd, bad));
	EXPECT_STREQ("filled", fill_and_look(&setup, good));
	must(try_setup_finish(&setup));
}

TEST(channel_that_cannot_fill)
{
	static const struct sim_config config = { .no_fill = true };
	struct setup setup;

	must(try_setup_start(&setup, &config, 64 * KIB));
	fails(EOPNOTSUPP, try_submit_one(setup.fd, fill_request(&setup.dst, 0,
								64, 0)));
	EXPECT_STREQ("copied",
		     copy_and_look(&setup, copy_request(&setup.dst, 0,
							&setup.src, 0, 64)));
	must(try_setup_finish(&setup));
}

/* What a request must be */

TEST_F(transfer, ranges_outside_of_a_buffer)
{
	const __u64 end = BUFFER_BYTES;
	const struct {
		__u64 offset;
		__u64 bytes;
	} ranges[] = {
		{ end, 1 }, { end + 1, 1 }, { 0, end + 1 }, { 1, end },
		{ end - 1, 2 }, { end / 2, end / 2 + 1 },
		/* Sums that come around to where the buffer is. */
		{ ~0ULL, 1 }, { ~0ULL, 2 }, { ~0ULL - 63, 64 },
		{ 0, ~0ULL }, { 1, ~0ULL }, { 64, ~0ULL - 63 },
		{ 64, ~0ULL - 31 }, { ~0ULL, ~0ULL }, { end, ~0ULL },
		{ 1ULL << 63, 1ULL << 63 }, { 1ULL << 32, 1 },
		{ 0, 1ULL << 32 }, { 0, (1ULL << 32) + 1 },
		{ 1ULL << 63, 64 }, { 64, 1ULL << 63 },
	};
	struct udma_request bad;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		bad = self->copy;
		bad.dst_offset = ranges[i].offset;
		bad.bytes = ranges[i].bytes;
		fails(ERANGE, try_submit_one(self->fd, bad))
			TH_LOG("destination of copy %u", i);
		bad = self->copy;
		bad.src_offset = ranges[i].offset;
		bad.bytes = ranges[i].bytes;
		fails(ERANGE, try_submit_one(self->fd, bad))
			TH_LOG("source of copy %u", i);
		bad = self->fill;
		bad.dst_offset = ranges[i].offset;
		bad.bytes = ranges[i].bytes;
		fails(ERANGE, try_submit_one(self->fd, bad))
			TH_LOG("fill %u", i);
	}
	EXPECT_EQ(0, try_read_now(self->fd, &(struct udma_event){}, 1));
}

TEST_F(transfer, range_ends_with_what_was_asked_for_not_with_the_page)
{
	struct setup *setup = &self->setup;

	must(try_alloc(self->fd, 100, &setup->dst));
	fails(ERANGE, try_submit_one(self->fd, fill_request(&setup->dst, 0, 101,
							    0)));
	fails(ERANGE, try_submit_one(self->fd, fill_request(&setup->dst, 100, 1,
							    0)));
	fails(ERANGE, try_submit_one(self->fd, copy_request(&setup->dst, 99,
							    &setup->src, 0,
							    2)));
}

TEST_F(transfer, no_bytes)
{
	self->copy.bytes = 0;
	fails(EINVAL, try_submit_one(self->fd, self->copy));
	self->fill.bytes = 0;
	fails(EINVAL, try_submit_one(self->fd, self->fill));
	/* Nor at the very end of a buffer. */
	self->fill.dst_offset = BUFFER_BYTES;
	fails(EINVAL, try_submit_one(self->fd, self->fill));
}

TEST_F(transfer, overlap_in_one_buffer)
{
	const struct buffer *buffer = &self->setup.dst;
	const struct {
		__u64 dst;
		__u64 src;
		__u64 bytes;
	} overlaps[] = {
		{ 0, 0, 1 }, { 0, 0, 4096 }, { 512, 512, 64 },
		{ 100, 1, 100 }, { 1, 100, 100 }, { 0, 1, 4096 },
		{ 1, 0, 4096 }, { 0, 0, BUFFER_BYTES },
		{ BUFFER_BYTES / 2 - 1, 0, BUFFER_BYTES / 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(overlaps); i++) {
		fails(EINVAL,
		      try_submit_one(self->fd,
				     copy_request(buffer, overlaps[i].dst,
						  buffer, overlaps[i].src,
						  overlaps[i].bytes)))
			TH_LOG("%u", i);
	}
}

TEST_F(transfer, unknown_ops)
{
	unsigned int bit;

	for (bit = 3; bit < 32; bit++) {
		self->copy.op = 1U << bit;
		fails(EINVAL, try_submit_one(self->fd, self->copy))
			TH_LOG("op %#x", self->copy.op);
	}
	self->copy.op = ~0U;
	fails(EINVAL, try_submit_one(self->fd, self->copy));
	/* What streams are inside of the kernel is nothing that can be asked for. */
	for (self->copy.op = UDMA_OP_DEV_TO_MEM + 1; self->copy.op < 8; self->copy.op++) {
		fails(EINVAL, try_submit_one(self->fd, self->copy))
			TH_LOG("op %u", self->copy.op);
	}
}

TEST_F(transfer, unknown_flags)
{
	unsigned int bit;

	for (bit = 4; bit < 32; bit++) {
		self->copy.flags = 1U << bit;
		fails(EINVAL, try_submit_one(self->fd, self->copy))
			TH_LOG("bit %u", bit);
		self->fill.flags = 1U << bit | UDMA_REQUEST_F_FENCE;
		fails(EINVAL, try_submit_one(self->fd, self->fill))
			TH_LOG("bit %u", bit);
	}
}

TEST_F(transfer, reserved_field)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		self->copy.src_stride = 1U << bit;
		fails(EINVAL, try_submit_one(self->fd, self->copy))
			TH_LOG("bit %u", bit);
	}
}

TEST_F(transfer, fill_values_that_are_no_byte)
{
	const __u32 values[] = { 256, 257, 0x8000, 0x10000, ~0U };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		self->fill.fill = values[i];
		fails(EINVAL, try_submit_one(self->fd, self->fill))
			TH_LOG("%#x", values[i]);
	}
}

TEST_F(transfer, copy_with_a_fill_value)
{
	self->copy.fill = 1;
	fails(EINVAL, try_submit_one(self->fd, self->copy));
}

TEST_F(transfer, fill_with_a_source)
{
	struct udma_request bad = self->fill;

	bad.src_handle = self->setup.src.handle;
	fails(EINVAL, try_submit_one(self->fd, bad));
	bad = self->fill;
	bad.src_offset = 64;
	fails(EINVAL, try_submit_one(self->fd, bad));
}

TEST_F(transfer, handles_that_are_not_there)
{
	const __u32 handles[] = { 0, 0x7fffffff, 0x80000000, ~0U };
	struct udma_request bad;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		bad = self->copy;
		bad.dst_handle = handles[i];
		fails(ENOENT, try_submit_one(self->fd, bad));
		bad = self->copy;
		bad.src_handle = handles[i];
		fails(ENOENT, try_submit_one(self->fd, bad));
		bad = self->fill;
		bad.dst_handle = handles[i];
		fails(ENOENT, try_submit_one(self->fd, bad));
	}
}

TEST_F(transfer, handles_that_were_freed)
{
	must(try_free(self->fd, self->setup.src.handle));
	fails(ENOENT, try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, self->fill));
	must(try_free(self->fd, self->setup.dst.handle));
	fails(ENOENT, try_submit_one(self->fd, self->copy));
	fails(ENOENT, try_submit_one(self->fd, self->fill));
}

TEST_F(transfer, handles_of_another_file)
{
	int other = must(try_sim_open(&self->setup.sim, 0, O_RDWR));
	struct buffer buffer;

	fails(ENOENT, try_submit_one(other, self->copy));
	fails(ENOENT, try_submit_one(other, self->fill));
	/* One of the two is not enough. */
	must(try_alloc(other, 4096, &buffer));
	must(try_alloc(other, 4096, &buffer));
	must(try_alloc(other, 4096, &buffer));
	self->fill.dst_handle = buffer.handle;
	must(try_submit_one(other, self->fill));
	fails(ENOENT, try_submit_one(self->fd, self->fill));
	must(close(other));
}

/* Arrays */

TEST_F(transfer, array_that_is_all_good)
{
	struct udma_request requests[100];
	struct udma_event events[100];
	__u64 first, second;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		requests[i] = fill_request(&self->setup.dst, i * 16, 16, i);
		requests[i].user_data = 1000 + i;
	}
	ASSERT_EQ(100, must(try_submit_at(self->fd, requests, 100, &first)));
	EXPECT_EQ(1, first);
	must(try_collect(self->fd, events, 100));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(events[i].sequence - first + 1000,
			  events[i].user_data);
	}
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		EXPECT_EQ(-1, find_other(self->setup.dst.mem + i * 16, 16, i));

	ASSERT_EQ(7, must(try_submit_at(self->fd, requests, 7, &second)));
	EXPECT_EQ(first + 100, second);
	must(try_collect(self->fd, events, 7));
}

TEST_F(transfer, array_with_a_bad_entry)
{
	const unsigned int bad[] = { 1, 2, 31, 32, 33, 63, 64, 98, 99 };
	struct udma_request requests[100];
	struct udma_event events[100];
	__u64 first, next;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (k = 0; k < ARRAY_SIZE(requests); k++)
			requests[k] = self->fill;
		k = bad[i];
		requests[k].dst_offset = BUFFER_BYTES;

		ASSERT_EQ(k, must(try_submit_at(self->fd, requests, 100,
						&first)));
		must(try_collect(self->fd, events, k));
		/* The rest tells why. */
		fails(ERANGE, try_submit(self->fd, requests + k, 100 - k));
		EXPECT_EQ(0, try_read_now(self->fd, events, 1));
		/* What was refused has no number. */
		ASSERT_EQ(1, must(try_submit_at(self->fd, requests, 1, &next)));
		EXPECT_EQ(first + k, next);
		must(try_collect(self->fd, events, 1));
	}
}

TEST_F(transfer, array_with_each_kind_of_bad_entry)
{
	struct udma_request requests[2] = { self->fill, self->fill };
	struct udma_event event;

	requests[1].op = 7;
	ASSERT_EQ(1, must(try_submit(self->fd, requests, 2)));
	fails(EINVAL, try_submit(self->fd, requests + 1, 1));
	requests[1] = self->fill;
	requests[1].dst_handle = ~0U;
	ASSERT_EQ(1, must(try_submit(self->fd, requests, 2)));
	fails(ENOENT, try_submit(self->fd, requests + 1, 1));
	requests[1] = self->fill;
	requests[1].fill = 256;
	ASSERT_EQ(1, must(try_submit(self->fd, requests, 2)));
	fails(EINVAL, try_submit(self->fd, requests + 1, 1));
	must(try_collect(self->fd, &event, 1));
	must(try_collect(self->fd, &event, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->fd, &event, 1));
}

TEST_F(transfer, no_requests)
{
	fails(EINVAL, try_submit(self->fd, &self->fill, 0));
}

static int try_submit_stride(int fd, const void *requests, __u32 count,
			     __u32 stride)
{
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)requests,
		.count = count,
		.request_bytes = stride,
	};

	return ioctl(fd, UDMA_SUBMIT, &submit);
}

TEST_F(transfer, request_that_is_too_short)
{
	__u32 bytes;

	for (bytes = 0; bytes < sizeof(self->fill); bytes++) {
		fails(EINVAL, try_submit_stride(self->fd, &self->fill, 1,
						bytes))
			TH_LOG("%u bytes", bytes);
	}
}

TEST_F(transfer, request_that_is_too_long)
{
	const __u32 page = page_bytes();
	unsigned char *mem = pages_before_hole(3);

	ASSERT_NE(NULL, mem);
	memcpy(mem, &self->fill, sizeof(self->fill));
	fails(E2BIG, try_submit_stride(self->fd, mem, 1, page + 1));
	fails(E2BIG, try_submit_stride(self->fd, mem, 1, 2 * page));
	fails(E2BIG, try_submit_stride(self->fd, mem, 1, ~0U));
}

TEST_F(transfer, longer_requests_with_zero_tails)
{
	const __u32 strides[] = { 65, 72, 100, 128, 1000, 4096 };
	unsigned char *mem = pages_before_hole(4);
	struct udma_event events[4];
	unsigned int i, k;

	ASSERT_NE(NULL, mem);
	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		memset(mem, 0, 4 * page_bytes());
		for (k = 0; k < 4; k++) {
			self->fill.dst_offset = k * 64;
			self->fill.fill = i * 4 + k;
			memcpy(mem + k * strides[i], &self->fill,
			       sizeof(self->fill));
		}
		ASSERT_EQ(4, must(try_submit_stride(self->fd, mem, 4,
						    strides[i])));
		must(try_collect(self->fd, events, 4));
		for (k = 0; k < 4; k++)
			EXPECT_EQ(i * 4 + k, self->setup.dst.mem[k * 64]);
	}
}

TEST_F(transfer, longer_request_with_anything_in_its_tail)
{
	const __u32 stride = 80;
	unsigned char mem[3 * 80] = {};
	struct udma_event events[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		memcpy(mem + i * stride, &self->fill, sizeof(self->fill));
	for (i = sizeof(self->fill); i < stride; i++) {
		mem[2 * stride + i] = 1;
		fails(E2BIG, try_submit_stride(self->fd, mem + 2 * stride, 1,
					       stride))
			TH_LOG("byte %u", i);
		/* Those before it are taken. */
		ASSERT_EQ(2, must(try_submit_stride(self->fd, mem, 3, stride)));
		must(try_collect(self->fd, events, 2));
		mem[2 * stride + i] = 0;
	}
	ASSERT_EQ(3, must(try_submit_stride(self->fd, mem, 3, stride)));
	must(try_collect(self->fd, events, 3));
}

TEST_F(transfer, array_that_ends_in_unmapped_memory)
{
	const unsigned int readable[] = { 1, 5, 31, 32, 33, 63 };
	unsigned char *hole = pages_before_hole(1) + page_bytes();
	struct udma_event events[64];
	struct udma_request *requests;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(readable); i++) {
		requests = (void *)hole;
		requests -= readable[i];
		for (k = 0; k < readable[i]; k++)
			requests[k] = self->fill;
		ASSERT_EQ(readable[i], must(try_submit(self->fd, requests,
						       64)));
		must(try_collect(self->fd, events, readable[i]));
	}
	fails(EFAULT, try_submit(self->fd, (void *)hole, 1));

	/* The last one can be read but for a byte. */
	requests = (void *)(hole - sizeof(*requests) * 2 + 1);
	memcpy(requests, &self->fill, sizeof(self->fill));
	ASSERT_EQ(1, must(try_submit(self->fd, requests, 2)));
	must(try_collect(self->fd, events, 1));
	EXPECT_EQ(0, try_read_now(self->fd, events, 1));
}

TEST_F(transfer, array_at_a_bad_address)
{
	const uintptr_t bad[] = {
		0, 1, 4096, ~0UL, ~0UL - 63, ~0UL - 4095,
		~0UL ^ ~0UL >> 1,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fails(EFAULT, try_submit(self->fd, (void *)bad[i], 1))
			TH_LOG("%lx", (unsigned long)bad[i]);
		fails(EFAULT, try_submit(self->fd, (void *)bad[i], ~0U))
			TH_LOG("%lx", (unsigned long)bad[i]);
	}
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
}

TEST_F(transfer, numbers_come_back_in_memory_that_can_be_written)
{
	struct udma_submit *submit;
	struct udma_event event;
	__u64 sequence;

	submit = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, submit);
	*submit = (struct udma_submit) {
		.size = sizeof(*submit),
		.requests = (uintptr_t)&self->fill,
		.count = 1,
		.request_bytes = sizeof(self->fill),
	};
	memset(self->setup.dst.mem, 0x11, 64);
	must(mprotect(submit, page_bytes(), PROT_READ));
	fails(EFAULT, ioctl(self->fd, UDMA_SUBMIT, submit));

	/* Nothing was taken: the next one is the first. */
	must(try_submit_at(self->fd, &self->copy, 1, &sequence));
	EXPECT_EQ(1, sequence);
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(0, try_read_now(self->fd, &event, 1));
}

/* Many, and their order, on a controller that ends one when it is told */

FIXTURE(stepped)
{
	struct setup setup;
	int fd;
	struct udma_info info;
	struct udma_request fill;
};

FIXTURE_SETUP(stepped)
{
	static const struct sim_config config;
	struct setup *setup = &self->setup;

	must(try_setup_start(setup, &config, BUFFER_BYTES));
	must(try_sim_set(&setup->sim, "step_mode", 1));
	self->fd = setup->fd;
	must(try_info(self->fd, &self->info));
	self->fill = fill_request(&setup->dst, 0, 64, 0xa5);
}

FIXTURE_TEARDOWN(stepped)
{
	/* Unbind would wait a while for what is still to be done. */
	works(try_sim_set(&self->setup.sim, "step_mode", 0));
	works(try_setup_finish(&self->setup));
}

static struct udma_request *many(struct udma_request request, size_t count)
{
	struct udma_request *requests = calloc(count, sizeof(*requests));
	size_t i;

	for (i = 0; requests && i < count; i++)
		requests[i] = request;
	return requests;
}

TEST_F(stepped, nothing_ends_before_its_time)
{
	struct udma_event event;

	memset(self->setup.dst.mem, 0x11, 64);
	must(try_submit_one(self->fd, self->fill));
	must(try_wait_pending(&self->setup.sim, 1));
	EXPECT_EQ(0, try_read_now(self->fd, &event, 1));
	EXPECT_EQ(-1, find_other(self->setup.dst.mem, 64, 0x11));
	must(try_step(&self->setup.sim, 1));
	ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(-1, find_other(self->setup.dst.mem, 64, 0xa5));
}

TEST_F(stepped, room_is_limited_and_comes_back_by_reading)
{
	const unsigned int max = self->info.out_max_transfers;
	struct udma_request *requests = many(self->fill, max + 10);
	struct udma_event *events = calloc(max, sizeof(*events));
	struct sim *sim = &self->setup.sim;

	ASSERT_NE(NULL, requests);
	ASSERT_NE(NULL, events);
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	ASSERT_EQ(max, must(try_submit(self->fd, requests, max + 10)));
	fails(EAGAIN, try_submit(self->fd, requests, 10));
	EXPECT_EQ(0, poll_now(self->fd));

	/* That they end does not make room, that they are read does. */
	must(try_step(sim, max));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	fails(EAGAIN, try_submit(self->fd, requests, 1));
	ASSERT_EQ(1, must(try_read(self->fd, events, 1)));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	ASSERT_EQ(1, must(try_submit(self->fd, requests, 10)));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	must(try_step(sim, 1));
	must(try_collect(self->fd, events, max));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	free(requests);
	free(events);
}

TEST_F(stepped, a_count_beyond_all_measure_is_cut_short)
{
	const unsigned int max = self->info.out_max_transfers;
	struct udma_request *requests = many(self->fill, max + 64);

	ASSERT_NE(NULL, requests);
	ASSERT_EQ(max, must(try_submit(self->fd, requests, ~0U)));
	fails(EAGAIN, try_submit(self->fd, requests, ~0U));
	free(requests);
}

TEST_F(stepped, room_is_for_each_file_apart)
{
	const unsigned int max = self->info.out_max_transfers;
	struct udma_request *requests = many(self->fill, max);
	int other = must(try_sim_open(&self->setup.sim, 0, O_RDWR));
	struct udma_event event;
	struct buffer buffer;

	ASSERT_NE(NULL, requests);
	ASSERT_EQ(max, must(try_submit(self->fd, requests, max)));
	EXPECT_EQ(POLLOUT, poll_now(other));
	must(try_alloc(other, 4096, &buffer));
	must(try_submit_one(other, fill_request(&buffer, 0, 64, 1)));
	must(try_step(&self->setup.sim, max + 1));
	EXPECT_EQ(1, must(try_read_now(other, &event, 1)));
	must(close(other));
	free(requests);
}

TEST_F(stepped, a_fence_waits_for_all_before_it)
{
	struct setup *setup = &self->setup;
	struct udma_request requests[3] = {
		fill_request(&setup->dst, 0, 64, 1),
		fill_request(&setup->dst, 64, 64, 2),
		copy_request(&setup->src, 0, &setup->dst, 0, 128),
	};
	struct udma_event events[3];

	requests[2].flags = UDMA_REQUEST_F_FENCE;
	must(try_submit_all(self->fd, requests, 3));
	must(try_wait_pending(&setup->sim, 2));
	must(try_step(&setup->sim, 1));
	EXPECT_EQ(1, sim_get(&setup->sim, "pending"));
	EXPECT_EQ(1, must(try_read_now(self->fd, events, 3)));
	/* This one lets it go, by way of the driver's worker. */
	must(try_step(&setup->sim, 1));
	EXPECT_EQ(1, must(try_read_now(self->fd, events + 1, 2)));
	must(try_wait_pending(&setup->sim, 1));
	must(try_step(&setup->sim, 1));
	EXPECT_EQ(1, must(try_read_now(self->fd, events + 2, 1)));
	EXPECT_EQ(3, events[2].sequence);
	EXPECT_EQ(0, events[2].status);
	EXPECT_EQ(-1, find_other(setup->src.mem, 64, 1));
	EXPECT_EQ(-1, find_other(setup->src.mem + 64, 64, 2));
}

TEST_F(stepped, a_fence_with_nothing_before_it_waits_for_nothing)
{
	struct udma_event event;

	self->fill.flags = UDMA_REQUEST_F_FENCE;
	must(try_submit_one(self->fd, self->fill));
	must(try_step(&self->setup.sim, 1));
	EXPECT_EQ(1, must(try_read_now(self->fd, &event, 1)));
}

TEST_F(stepped, a_fence_does_not_wait_for_other_files)
{
	int other = must(try_sim_open(&self->setup.sim, 0, O_RDWR));
	struct udma_request request;
	struct buffer buffer;

	must(try_alloc(other, 4096, &buffer));
	must(try_submit_one(self->fd, self->fill));
	must(try_wait_pending(&self->setup.sim, 1));
	request = fill_request(&buffer, 0, 64, 1);
	request.flags = UDMA_REQUEST_F_FENCE;
	must(try_submit_one(other, request));
	EXPECT_EQ(0, try_wait_pending(&self->setup.sim, 2));
	must(close(other));
}

TEST_F(stepped, events_go_to_the_file_that_submitted)
{
	struct udma_event events[8];
	struct udma_request request;
	struct buffer buffer;
	unsigned int i, k;
	int fds[4];

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = must(try_sim_open(&self->setup.sim, 0, O_RDWR));
		must(try_alloc(fds[i], 4096, &buffer));
		request = fill_request(&buffer, 0, 64, i);
		for (k = 0; k < 4; k++) {
			request.user_data = i * 100 + k;
			must(try_submit_one(fds[i], request));
		}
	}
	must(try_step(&self->setup.sim, 16));
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ASSERT_EQ(4, must(try_read_now(fds[i], events, 8)));
		for (k = 0; k < 4; k++) {
			/* Each counts its own, from one. */
			EXPECT_EQ(i * 100 + events[k].sequence - 1,
				  events[k].user_data);
			EXPECT_LE(events[k].sequence, 4);
		}
		must(close(fds[i]));
	}
	EXPECT_EQ(0, try_read_now(self->fd, events, 8));
}

TEST_F(stepped, a_long_transfer_does_not_hold_up_other_files)
{
	struct setup *setup = &self->setup;
	int other = must(try_sim_open(&setup->sim, 0, O_RDWR));
	struct udma_event event;
	struct buffer buffer;
	unsigned int i;

	must(try_alloc(self->fd, 4 * MIB, &setup->dst));
	must(try_alloc(other, 4096, &buffer));
	for (i = 0; i < 16; i++)
		must(try_submit_one(self->fd, fill_request(&setup->dst, 0,
							   4 * MIB, i)));
	must(try_submit_one(other, fill_request(&buffer, 0, 64, 1)));
	/*
	 * 64 MiB were there before it. It waits for what the controller had
	 * been given of that, and a turn of a mebibyte.
	 */
	must(try_step(&setup->sim, 8));
	EXPECT_EQ(1, must(try_read_now(other, &event, 1)));
	must(close(other));
}

TEST_F(stepped, a_handle_can_be_freed_while_its_buffer_is_in_use)
{
	struct setup *setup = &self->setup;
	struct udma_request request =
		copy_request(&setup->dst, 16, &setup->src, 32, 5000);
	struct udma_event event;

	copy_prepare(&setup->dst, &setup->src, &request);
	must(try_submit_one(self->fd, request));
	must(try_free(self->fd, setup->dst.handle));
	must(try_free(self->fd, setup->src.handle));
	fails(ENOENT, try_submit_one(self->fd, request));
	must(try_step(&setup->sim, 1));
	ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	EXPECT_EQ(0, event.status);
	EXPECT_STREQ("copied", copy_verdict(&setup->dst, &setup->src,
					    &request));
}

TEST_F(stepped, memory_in_use_is_not_given_to_others)
{
	struct setup *setup = &self->setup;
	struct buffer buffer, others[32];
	unsigned int i;

	must(try_alloc(self->fd, 64 * KIB, &buffer));
	must(try_submit_one(self->fd, fill_request(&buffer, 0, 64 * KIB,
						   0xdd)));
	/* Its transfer is all that has it. */
	must(try_free(self->fd, buffer.handle));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		must(try_alloc_map(self->fd, 64 * KIB, &others[i]));
	must(try_step(&setup->sim, 1));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(-1, find_other(others[i].mem, 64 * KIB, 0));
}

/* A chain in which each link needs what the one before it has written. */
TEST_F(transfer, fences_make_a_chain)
{
	struct setup *setup = &self->setup;
	struct udma_request requests[65];
	struct udma_event events[65];
	unsigned int i;

	pattern_write(setup->src.mem, 0, 1024, PATTERN_SOURCE);
	requests[0] = copy_request(&setup->dst, 0, &setup->src, 0, 1024);
	for (i = 1; i < ARRAY_SIZE(requests); i++) {
		requests[i] = copy_request(&setup->dst, i * 1024,
					   &setup->dst, (i - 1) * 1024, 1024);
		requests[i].flags = UDMA_REQUEST_F_FENCE;
	}
	must(try_submit_all(self->fd, requests, ARRAY_SIZE(requests)));
	must(try_collect(self->fd, events, ARRAY_SIZE(events)));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(0, memcmp(setup->src.mem, setup->dst.mem + i * 1024,
				    1024));
	}
}

TEST(fences_wait_for_all_slices)
{
	static const struct sim_config config = { .max_segment = 4096 };
	struct udma_request requests[16];
	struct udma_event events[16];
	struct setup setup;
	unsigned int i;

	must(try_setup_start(&setup, &config, BUFFER_BYTES));
	pattern_write(setup.src.mem, 0, BUFFER_BYTES, PATTERN_SOURCE);
	/* There and back again; each overwrites what the next one reads. */
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (i & 1)
			requests[i] = copy_request(&setup.src, 0, &setup.dst,
						   0, BUFFER_BYTES);
		else
			requests[i] = copy_request(&setup.dst, 0, &setup.src,
						   0, BUFFER_BYTES);
		requests[i].flags = UDMA_REQUEST_F_FENCE;
	}
	must(try_submit_all(setup.fd, requests, ARRAY_SIZE(requests)));
	must(try_collect(setup.fd, events, ARRAY_SIZE(events)));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		EXPECT_EQ(i + 1, events[i].sequence);
	EXPECT_EQ(BUFFER_BYTES, pattern_differs(setup.src.mem, 0, BUFFER_BYTES,
						PATTERN_SOURCE));
	EXPECT_EQ(BUFFER_BYTES, pattern_differs(setup.dst.mem, 0, BUFFER_BYTES,
						PATTERN_SOURCE));
	must(try_setup_finish(&setup));
}

/* Errors of the controller */

TEST_F(transfer, that_the_controller_fails)
{
	struct udma_event event;

	must(try_sim_set(&self->setup.sim, "fail_at", 1));
	must(try_run(self->fd, self->fill, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, event.bytes);
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(UDMA_EVENT_TRANSFER, event.type);
	EXPECT_EQ(0, try_read_now(self->fd, &event, 1));

	/* The channel is none the worse for it. */
	must(try_run(self->fd, self->fill, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(64, event.bytes);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
}

TEST_F(transfer, that_fails_leaves_the_others_alone)
{
	struct udma_request requests[20];
	struct udma_event events[20];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = fill_request(&self->setup.dst, i * 64, 64, 1);
	must(try_sim_set(&self->setup.sim, "fail_at", 7));
	must(try_submit_all(self->fd, requests, ARRAY_SIZE(requests)));
	must(try_collect(self->fd, events, ARRAY_SIZE(events)));
	EXPECT_EQ(0, try_read_now(self->fd, events, 1));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_EQ(events[i].sequence == 7 ? -EIO : 0, events[i].status);
		EXPECT_EQ(events[i].sequence == 7 ? 0 : 64, events[i].bytes);
	}
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		EXPECT_EQ(-1, find_other(self->setup.dst.mem + i * 64, 64,
					 i == 6 ? 0 : 1));
}

TEST_F(transfer, that_fails_lets_a_fence_go)
{
	struct udma_request requests[2] = { self->fill, self->fill };
	struct udma_event events[2];

	requests[1].flags = UDMA_REQUEST_F_FENCE;
	must(try_sim_set(&self->setup.sim, "fail_at", 1));
	must(try_submit_all(self->fd, requests, 2));
	must(try_collect(self->fd, events, 2));
	EXPECT_EQ(-EIO, events[0].status);
	EXPECT_EQ(0, events[1].status);
}

TEST(failed_slice_ends_its_transfer)
{
	static const struct sim_config config = { .max_segment = 4096 };
	struct udma_request request;
	struct udma_event event;
	struct setup setup;
	__u64 bytes;
	long ended;

	must(try_setup_start(&setup, &config, 4 * MIB));
	request = copy_request(&setup.dst, 0, &setup.src, 0, 4 * MIB);
	copy_prepare(&setup.dst, &setup.src, &request);
	must(try_sim_set(&setup.sim, "fail_at", 9));
	must(try_run(setup.fd, request, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, try_read_now(setup.fd, &event, 1));

	/* What had been given to the controller went on; no more was given. */
	must(try_wait_pending(&setup.sim, 0));
	ended = must(sim_get(&setup.sim, "ended"));
	EXPECT_LE(9, ended);
	EXPECT_LT(ended, 4 * MIB / 4096 / 2);
	EXPECT_EQ((ended - 1) * 4096, event.bytes);
	for (bytes = 0; bytes < 8 * 4096; bytes += 4096)
		EXPECT_EQ(0, memcmp(setup.dst.mem + bytes,
				    setup.src.mem + bytes, 4096));
	EXPECT_EQ(PATTERN_STALE, setup.dst.mem[4 * MIB - 1] & 0xc0);

	/* And the next one has nothing to do with it. */
	must(try_run(setup.fd, request, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_STREQ("copied", copy_verdict(&setup.dst, &setup.src, &request));
	must(try_setup_finish(&setup));
}

TEST(many_failures_on_a_controller_with_a_single_descriptor)
{
	static const struct sim_config config = { .depth = 1 };
	struct udma_request request;
	struct udma_event event;
	struct setup setup;
	unsigned int i;

	must(try_setup_start(&setup, &config, 4096));
	request = fill_request(&setup.dst, 0, 64, 1);
	for (i = 0; i < 20; i++) {
		must(try_sim_set(&setup.sim, "fail_at", 1));
		must(try_run(setup.fd, request, &event));
		EXPECT_EQ(-EIO, event.status);
		must(try_run(setup.fd, request, &event));
		EXPECT_EQ(0, event.status);
	}
	must(try_setup_finish(&setup));
}

TEST_HARNESS_MAIN
