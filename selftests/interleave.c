// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of lines: what is between them is not touched, whatever they are cut into.
 */
#include "udma_device.h"
#include "udma_program.h"
#include "udma_storm.h"

FIXTURE(lines)
{
	struct sim sim;
	int fd;
	struct buffer dst;
	struct buffer src;
	size_t align;
	__u64 chance;
};

FIXTURE_VARIANT(lines)
{
	struct sim_config config;
	unsigned int window;
};

FIXTURE_VARIANT_ADD(lines, plain)
{
};

FIXTURE_VARIANT_ADD(lines, aligned)
{
	.config.align = 64,
};

FIXTURE_VARIANT_ADD(lines, unordered)
{
	.config.unordered = true,
};

FIXTURE_VARIANT_ADD(lines, with_few_descriptors)
{
	.config.depth = 2,
};

FIXTURE_VARIANT_ADD(lines, in_a_window_of_one)
{
	.window = 1,
};

#define BYTES	(256 * KIB)

FIXTURE_SETUP(lines)
{
	self->fd = must(try_sim_start(&self->sim, &variant->config));
	if (variant->window) {
		must(try_chan_set(&self->sim, 0, "window", variant->window));
	}
	must(try_alloc_map(self->fd, BYTES, &self->dst));
	must(try_alloc_map(self->fd, BYTES, &self->src));
	pattern_write(self->src.mem, 0, BYTES, PATTERN_SOURCE);
	self->align = variant->config.align ?: 1;
	self->chance = seed();
	printf("# seed %llu\n", (unsigned long long)self->chance);
}

FIXTURE_TEARDOWN(lines)
{
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	works(try_unmap(&self->dst));
	works(try_unmap(&self->src));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

static struct udma_request lines_request(const struct buffer *dst, __u32 dst_stride,
					 const struct buffer *src, __u32 src_stride,
					 __u32 line_bytes, __u32 lines)
{
	return (struct udma_request) {
		.op = UDMA_OP_INTERLEAVE,
		.dst_handle = dst->handle,
		.src_handle = src->handle,
		.line_bytes = line_bytes,
		.lines = lines,
		.dst_stride = dst_stride,
		.src_stride = src_stride,
	};
}

/*
 * "copied", or what is wrong: the destination was all guards, and those that are not in a
 * line are guards still.
 */
static const char *lines_verdict(const struct buffer *dst, const struct buffer *src,
				 const struct udma_request *request, __u32 lines)
{
	__u64 from = request->src_offset, at = request->dst_offset, end = 0;
	__u32 i;

	for (i = 0; i < lines; i++) {
		if (pattern_differs(dst->mem, end, at, PATTERN_GUARD) != at)
			return "written between lines";
		if (memcmp(dst->mem + at, src->mem + from, request->line_bytes))
			return "not copied";
		end = at + request->line_bytes;
		at += request->dst_stride;
		from += request->src_stride;
	}
	if (pattern_differs(dst->mem, end, dst->map_bytes, PATTERN_GUARD) != dst->map_bytes)
		return "written behind the last line";
	if (pattern_differs(src->mem, 0, src->bytes, PATTERN_SOURCE) != src->bytes)
		return "source changed";
	return "copied";
}

#define copies(_request)							\
	do {									\
		const struct udma_request __request = (_request);		\
		const __u64 __bytes = (__u64)__request.line_bytes * __request.lines; \
		struct udma_event __event;					\
										\
		pattern_write(self->dst.mem, 0, self->dst.map_bytes, PATTERN_GUARD); \
		must(try_run(self->fd, __request, &__event));			\
		EXPECT_EQ(0, __event.status);					\
		EXPECT_EQ(__bytes, __event.bytes);				\
		EXPECT_EQ(UDMA_EVENT_F_EXACT, __event.flags);			\
		EXPECT_STREQ("copied", lines_verdict(&self->dst, &self->src, &__request, \
						     __request.lines))		\
			TH_LOG("%u lines of %u, %u and %u apart", __request.lines, \
			       __request.line_bytes, __request.dst_stride, __request.src_stride); \
	} while (0)

TEST_F(lines, are_copied_with_any_strides)
{
	/* In units of the alignment: how long, how many, how far apart */
	static const __u32 shapes[][4] = {
		{ 1, 1, 1, 1 },		/* a byte */
		{ 1, 100, 2, 3 },	/* a column */
		{ 5, 50, 5, 9 },	/* gathered */
		{ 5, 50, 9, 5 },	/* scattered */
		{ 7, 40, 7, 7 },	/* without a gap */
		{ 16, 1, 100, 16 },	/* one line: strides make no difference */
		{ 3, 60, 64, 4 },
		{ 60, 60, 61, 64 },
	};
	struct udma_request request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		const __u32 *shape = shapes[i];

		request = lines_request(&self->dst, shape[2] * self->align, &self->src,
					shape[3] * self->align, shape[0] * self->align, shape[1]);
		copies(request);
		request.dst_offset = 3 * self->align;
		request.src_offset = 5 * self->align;
		copies(request);
	}
}

TEST_F(lines, are_copied_at_random)
{
	struct udma_request request;
	__u32 line, lines, dst_stride, src_stride, units = BYTES / self->align;
	unsigned int i;

	for (i = 0; i < 12; i++) {
		lines = 1 + below(&self->chance, 100);
		line = 1 + below(&self->chance, units / lines / 3);
		dst_stride = line + below(&self->chance, line);
		src_stride = line + below(&self->chance, line);
		request = lines_request(&self->dst, dst_stride * self->align, &self->src,
					src_stride * self->align, line * self->align, lines);
		request.dst_offset = self->align * below(&self->chance, units / 4);
		request.src_offset = self->align * below(&self->chance, units / 4);
		copies(request);
	}
}

/* What strides say behind the last line is not in the buffer, and need not be. */
TEST_F(lines, end_at_the_last_byte_of_the_buffer)
{
	const __u32 line = 3 * self->align, stride = 1024;
	struct udma_request request = lines_request(&self->dst, stride, &self->src, stride,
						    line, BYTES / stride);

	request.dst_offset = stride - line;
	request.src_offset = stride - line;
	copies(request);
	request.dst_offset += self->align;
	fails(ERANGE, try_submit_one(self->fd, request));
	request.dst_offset -= self->align;
	request.src_offset += self->align;
	fails(ERANGE, try_submit_one(self->fd, request));
}

/* A transfer of several slices, of lines that are no part of one. */
TEST_F(lines, are_cut_into_slices)
{
	const __u32 line = 192 * self->align / (self->align > 1 ? 64 : 1) * 16;
	const __u32 lines = 5 * MIB / 2 / line, stride = line + self->align;
	const __u64 bytes = (__u64)lines * stride + 64 * KIB;
	struct udma_request request;
	struct udma_event event;
	struct buffer dst, src;

	must(try_alloc_map(self->fd, bytes, &dst));
	must(try_alloc_map(self->fd, bytes, &src));
	pattern_write(src.mem, 0, bytes, PATTERN_SOURCE);
	pattern_write(dst.mem, 0, dst.map_bytes, PATTERN_GUARD);
	request = lines_request(&dst, stride, &src, line, line, lines);
	must(try_run(self->fd, request, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ((__u64)line * lines, event.bytes);
	EXPECT_STREQ("copied", lines_verdict(&dst, &src, &request, lines));
	/* More than one, as they have to be */
	EXPECT_LE(3, sim_get(&self->sim, "ended"));
	must(try_unmap(&dst));
	must(try_unmap(&src));
}

/* A line that is longer than a slice goes by itself. */
TEST_F(lines, are_longer_than_a_slice)
{
	const __u32 line = 3 * MIB / 2;
	struct udma_request request;
	struct udma_event event;
	struct buffer dst, src;

	must(try_alloc_map(self->fd, 4 * MIB, &dst));
	must(try_alloc_map(self->fd, 4 * MIB, &src));
	pattern_write(src.mem, 0, 4 * MIB, PATTERN_SOURCE);
	pattern_write(dst.mem, 0, dst.map_bytes, PATTERN_GUARD);
	request = lines_request(&dst, 2 * MIB, &src, line + 64, line, 2);
	must(try_run(self->fd, request, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(2 * line, event.bytes);
	EXPECT_STREQ("copied", lines_verdict(&dst, &src, &request, 2));
	must(try_unmap(&dst));
	must(try_unmap(&src));
}

/* What is refused */

FIXTURE(wrong)
{
	struct sim sim;
	int fd;
	struct buffer dst;
	struct buffer src;
	struct udma_request request;
};

FIXTURE_SETUP(wrong)
{
	static const struct sim_config config = { .align = 16, .max_segment = 4096 };

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, 64 * KIB, &self->dst));
	must(try_alloc_map(self->fd, 64 * KIB, &self->src));
	pattern_write(self->dst.mem, 0, 64 * KIB, PATTERN_GUARD);
	self->request = lines_request(&self->dst, 128, &self->src, 256, 64, 10);
}

FIXTURE_TEARDOWN(wrong)
{
	struct udma_event event;

	/* None has left anything behind; and it is not that nothing goes. */
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	EXPECT_EQ(64 * KIB, pattern_differs(self->dst.mem, 0, 64 * KIB, PATTERN_GUARD));
	works(try_run(self->fd, lines_request(&self->dst, 128, &self->src, 256, 64, 10), &event));
	EXPECT_EQ(0, event.status);
	works(try_unmap(&self->dst));
	works(try_unmap(&self->src));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

#define refuses(_errno, _field, _value)						\
	do {									\
		struct udma_request __wrong = self->request;			\
		const __u64 __value = (_value);					\
										\
		__wrong._field = __value;					\
		fails(_errno, try_submit_one(self->fd, __wrong))		\
			TH_LOG("%s %llu", #_field, (unsigned long long)__value); \
	} while (0)

TEST_F(wrong, lines)
{
	refuses(EINVAL, line_bytes, 0);
	refuses(EINVAL, lines, 0);
	refuses(EINVAL, bytes, 0);
	/* Longer than the controller takes at once */
	self->request.dst_stride = 8192;
	self->request.src_stride = 8192;
	self->request.lines = 2;
	refuses(EINVAL, line_bytes, 4096 + 16);
	refuses(EINVAL, line_bytes, 8192);
	refuses(EINVAL, line_bytes, 0xfffffff0);
}

TEST_F(wrong, strides)
{
	/* Lines that overlap */
	refuses(EINVAL, dst_stride, 0);
	refuses(EINVAL, src_stride, 0);
	refuses(EINVAL, dst_stride, 48);
	refuses(EINVAL, src_stride, 48);
	/* Also where there is one line only, which cannot. */
	self->request.lines = 1;
	refuses(EINVAL, dst_stride, 48);
	refuses(EINVAL, src_stride, 0);
}

TEST_F(wrong, alignment)
{
	refuses(EINVAL, line_bytes, 56);
	refuses(EINVAL, dst_stride, 136);
	refuses(EINVAL, src_stride, 257);
	refuses(EINVAL, dst_offset, 8);
	refuses(EINVAL, src_offset, 1);
}

/* Sums and products that are too long for 32 bits, and as long as there may be */
TEST_F(wrong, ranges)
{
	refuses(ERANGE, lines, 64 * KIB / 128 + 1);
	refuses(ERANGE, lines, 64 * KIB / 256 + 1);
	refuses(ERANGE, lines, 0xffffffff);
	refuses(ERANGE, dst_stride, 0xfffffff0);
	refuses(ERANGE, src_stride, 0xfffffff0);
	refuses(ERANGE, dst_offset, 64 * KIB);
	refuses(ERANGE, dst_offset, 1ULL << 32);
	refuses(ERANGE, dst_offset, 1ULL << 63);
	refuses(ERANGE, src_offset, ~15ULL);
	/* They come out as zero, or as one line, modulo 2^32. */
	self->request.lines = 1 + (1 << 25);
	self->request.src_stride = 128;
	refuses(ERANGE, dst_stride, 128);
	self->request.lines = 1 + (1 << 28);
	refuses(ERANGE, dst_stride, 4096);
	/* And modulo 2^64, with the offset */
	self->request.lines = 0xffffffff;
	self->request.src_stride = 0xfffffff0;
	self->request.dst_stride = 0xfffffff0;
	refuses(ERANGE, dst_offset, 0);
	refuses(ERANGE, dst_offset, 0x1200000000ULL);
	refuses(ERANGE, src_offset, -(0xfffffffeULL * 0xfffffff0 + 64));
	refuses(ERANGE, src_offset, ~15ULL);
}

TEST_F(wrong, handles)
{
	struct buffer freed;

	must(try_alloc(self->fd, 64 * KIB, &freed));
	must(try_free(self->fd, freed.handle));
	refuses(ENOENT, dst_handle, 0);
	refuses(ENOENT, src_handle, 0);
	refuses(ENOENT, dst_handle, freed.handle);
	refuses(ENOENT, src_handle, freed.handle);
	refuses(ENOENT, dst_handle, ~0U);
}

TEST_F(wrong, flags)
{
	unsigned int bit;

	for (bit = 2; bit < 32; bit++) {
		struct udma_range range = range_of(&self->dst, 0, 64);
		struct udma_request request = self->request;

		request.flags = 1U << bit;
		if (bit == 2) {
			request.dst_ranges = (uintptr_t)&range;
			request.dst_count = 1;
		} else if (bit == 3) {
			request.src_ranges = (uintptr_t)&range;
			request.src_count = 1;
		}
		fails(EINVAL, try_submit_one(self->fd, request))
			TH_LOG("bit %u", bit);
	}
}

TEST(lines_of_what_the_channel_cannot)
{
	struct udma_request request;
	struct udma_info info;
	struct buffer buffer;
	struct sim sim;
	int fd;

	must(try_sim_mkdir(&sim));
	must(try_sim_set(&sim, "interleave", 0));
	must(try_sim_live(&sim));
	must(try_sim_bind(&sim, 0));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_EQ(0, info.out_capabilities & UDMA_CAP_INTERLEAVE);
	must(try_alloc(fd, 4096, &buffer));
	request = lines_request(&buffer, 64, &buffer, 64, 8, 4);
	request.src_offset = 1024;
	fails(EOPNOTSUPP, try_submit_one(fd, request));
	must(close(fd));
	must(try_sim_finish(&sim));
}

/* Under way */

FIXTURE(stepped)
{
	struct sim sim;
	int fd;
	struct buffer dst;
	struct buffer src;
	struct udma_request request;
	bool is_unbound;
};

FIXTURE_VARIANT(stepped)
{
	int flags;
};

FIXTURE_VARIANT_ADD(stepped, shared)
{
};

FIXTURE_VARIANT_ADD(stepped, alone)
{
	.flags = O_EXCL,
};

/* Each line is a descriptor: half a slice and a little. */
#define LINE	(512 * KIB + 64)
#define STRIDE	(LINE + 1024)
#define LINES	4

FIXTURE_SETUP(stepped)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR | variant->flags));
	must(try_alloc_map(self->fd, LINES * STRIDE, &self->dst));
	must(try_alloc_map(self->fd, LINES * LINE, &self->src));
	pattern_write(self->src.mem, 0, self->src.bytes, PATTERN_SOURCE);
	pattern_write(self->dst.mem, 0, self->dst.map_bytes, PATTERN_GUARD);
	self->request = lines_request(&self->dst, STRIDE, &self->src, LINE, LINE, LINES);
	must(try_chan_set(&self->sim, 0, "window", 2));
	must(try_submit_one(self->fd, self->request));
	must(try_wait_pending(&self->sim, 2));
}

FIXTURE_TEARDOWN(stepped)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(try_unmap(&self->dst));
	works(try_unmap(&self->src));
	works(close(self->fd));
	if (!self->is_unbound) {
		EXPECT_STREQ("copied", next_program(&self->sim));
		works(try_sim_unbind(&self->sim, 0));
	}
	works(try_sim_end(&self->sim));
}

#define has_copied(_lines)							\
	EXPECT_STREQ("copied", lines_verdict(&self->dst, &self->src, &self->request, _lines))

TEST_F(stepped, lines_go_one_after_the_other)
{
	unsigned int i;

	for (i = 0; i < LINES; i++) {
		has_copied(i);
		has_not_ended(self->fd);
		must(try_step(&self->sim, 1));
	}
	has_copied(LINES);
	ends_as(self->fd, 1, 0, LINES * LINE);
}

TEST_F(stepped, lines_are_done_again_after_a_reset)
{
	unsigned int i;

	for (i = 1; i <= 2; i++) {
		must(try_step(&self->sim, 1));
		must(try_wait_pending(&self->sim, 2));
		must(try_chan_set(&self->sim, 0, "reset", 1));
		must(try_wait_pending(&self->sim, 2));
		has_copied(i);
	}
	must(try_step(&self->sim, 2));
	has_copied(LINES);
	ends_as(self->fd, 1, 0, LINES * LINE);
	EXPECT_EQ(4, chan_get(&self->sim, 0, "recovery/replays"));
}

TEST_F(stepped, lines_are_cancelled)
{
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 2));
	ends_as(self->fd, 1, -ECANCELED, 3 * LINE);
	has_copied(3);
}

TEST_F(stepped, lines_fail)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "fail_at", 2));
	must(try_step(&self->sim, 2));
	must(try_drain(&self->sim));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(0, event.bytes % LINE);
}

TEST_F(stepped, lines_end_with_their_channel)
{
	struct udma_event event;

	must(try_step(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	EXPECT_EQ(LINE, event.bytes);
	fails(ENODEV, try_submit_one(self->fd, self->request));
}

TEST_F(stepped, lines_end_with_their_file)
{
	must(try_submit_one(self->fd, self->request));
	must(try_unmap(&self->dst));
	must(try_unmap(&self->src));
	must(close(self->fd));
	EXPECT_LT(0, chan_get(&self->sim, 0, "used_bytes"));
	must(try_drain(&self->sim));
	must(try_wait_chan(&self->sim, 0, "used_bytes", 0));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, 1, &self->dst));
	must(try_alloc_map(self->fd, 1, &self->src));
}

TEST_HARNESS_MAIN
