// SPDX-License-Identifier: GPL-2.0
/*
 * Copies and fills of lists: ranges of many buffers that are one transfer.
 */
#include "udma_device.h"
#include "udma_program.h"
#include "udma_queue.h"
#include "udma_storm.h"
#include "udma_witness.h"

#define BUFFERS		6
#define BYTES		(32 * KIB)
#define MOST		4096

/* Data */

/**
 * struct side - where a transfer reads from or writes to
 * @buffers: of the file
 * @images: what is in them, or has to be
 * @ranges: the list
 * @count: how many
 */
struct side {
	struct buffer buffers[BUFFERS];
	unsigned char *images[BUFFERS];
	struct udma_range ranges[MOST];
	__u32 count;
};

static int try_side_init(struct side *side, int fd, size_t bytes)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		if (try_alloc_map(fd, bytes, &side->buffers[i]))
			return -1;
		side->images[i] = malloc(bytes);
		if (!side->images[i])
			return -1;
	}
	return 0;
}

static int try_side_end(struct side *side)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		free(side->images[i]);
		if (try_unmap(&side->buffers[i]))
			return -1;
	}
	return 0;
}

/* Something else each time, so that nothing that was left behind looks right. */
static void side_scribble(struct side *side, __u64 *chance)
{
	const __u32 factor = below(chance, 1 << 24) | 1;
	unsigned int i;
	size_t at;

	for (i = 0; i < BUFFERS; i++) {
		for (at = 0; at < side->buffers[i].bytes; at++)
			side->images[i][at] = (at + i) * factor >> 16;
		memcpy(side->buffers[i].mem, side->images[i], at);
	}
}

/*
 * Split @bytes into up to @most ranges at random. They come in any order of the buffers,
 * and have something between them: whoever writes too much is found out.
 */
static void side_split(struct side *side, __u64 *chance, size_t bytes, __u32 most, size_t align)
{
	size_t used[BUFFERS] = {};
	size_t left = bytes, piece;
	unsigned int i;

	for (side->count = 0; left; side->count++) {
		i = below(chance, BUFFERS);
		piece = align * (1 + below(chance, 2 * bytes / most / align + 1));
		if (side->count + 1 == most || piece > left)
			piece = left;
		used[i] += align * (1 + below(chance, 3));
		if (used[i] + piece >= side->buffers[i].bytes)
			continue;
		side->ranges[side->count] = range_of(&side->buffers[i], used[i], piece);
		side->ranges[side->count].__reserved = 0;
		used[i] += piece;
		left -= piece;
	}
}

static unsigned int side_find(const struct side *side, __u32 handle)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++)
		if (side->buffers[i].handle == handle)
			break;
	return i;
}

static unsigned char *side_image(const struct side *side, const struct udma_range *range)
{
	return side->images[side_find(side, range->handle)] + range->offset;
}

/* Do it by hand. */
static void image_copy(const struct side *dst, const struct side *src)
{
	const struct udma_range *to = dst->ranges, *from = src->ranges;
	__u64 to_at = 0, from_at = 0, bytes;

	while (to < dst->ranges + dst->count) {
		bytes = to->bytes - to_at;
		if (bytes > from->bytes - from_at)
			bytes = from->bytes - from_at;
		memcpy(side_image(dst, to) + to_at, side_image(src, from) + from_at, bytes);
		to_at += bytes;
		from_at += bytes;
		if (to_at == to->bytes) {
			to++;
			to_at = 0;
		}
		if (from_at == from->bytes) {
			from++;
			from_at = 0;
		}
	}
}

static void image_fill(const struct side *dst, unsigned char value)
{
	__u32 i;

	for (i = 0; i < dst->count; i++)
		memset(side_image(dst, &dst->ranges[i]), value, dst->ranges[i].bytes);
}

/* Whether all of the buffers is as it should be. */
static bool side_is_right(const struct side *side)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++)
		if (memcmp(side->images[i], side->buffers[i].mem, side->buffers[i].bytes))
			return false;
	return true;
}

/* A side as a request has it: a list, or the only range that it is. */
static void request_add_dst(struct udma_request *request, const struct side *side)
{
	if (side->count > 1) {
		request_set_dst(request, side->ranges, side->count);
		return;
	}
	request->dst_handle = side->ranges[0].handle;
	request->dst_offset = side->ranges[0].offset;
	request->bytes = side->ranges[0].bytes;
}

static void request_add_src(struct udma_request *request, const struct side *side)
{
	if (side->count > 1) {
		request_set_src(request, side->ranges, side->count);
		return;
	}
	request->src_handle = side->ranges[0].handle;
	request->src_offset = side->ranges[0].offset;
	request->bytes = side->ranges[0].bytes;
}

static struct udma_request lists_request(const struct side *dst, const struct side *src)
{
	struct udma_request request = { .op = UDMA_OP_COPY };

	request_add_dst(&request, dst);
	request_add_src(&request, src);
	return request;
}

/* On all kinds of controllers, and by both doors */

FIXTURE(lists)
{
	struct sim sim;
	int fd;
	struct queue queue;
	struct side dst;
	struct side src;
	__u64 chance;
	size_t align;
};

FIXTURE_VARIANT(lists)
{
	struct sim_config config;
	bool queued;
	unsigned int window;
};

FIXTURE_VARIANT_ADD(lists, by_submit)
{
};

FIXTURE_VARIANT_ADD(lists, by_queue)
{
	.queued = true,
};

FIXTURE_VARIANT_ADD(lists, aligned)
{
	.config.align = 64,
};

/* No multiple of anything: a range is cut, and does not end where pieces do. */
FIXTURE_VARIANT_ADD(lists, in_short_segments)
{
	.config.max_segment = 1000,
};

FIXTURE_VARIANT_ADD(lists, in_short_aligned_segments)
{
	.config.max_segment = 1000,
	.config.align = 16,
	.queued = true,
};

FIXTURE_VARIANT_ADD(lists, with_few_descriptors)
{
	.config.depth = 3,
};

FIXTURE_VARIANT_ADD(lists, unordered)
{
	.config.unordered = true,
};

FIXTURE_VARIANT_ADD(lists, in_a_window_of_one)
{
	.window = 1,
};

FIXTURE_SETUP(lists)
{
	self->fd = must(try_sim_start(&self->sim, &variant->config));
	if (variant->window) {
		must(try_chan_set(&self->sim, 0, "window", variant->window));
	}
	must(try_side_init(&self->dst, self->fd, BYTES));
	must(try_side_init(&self->src, self->fd, BYTES));
	if (variant->queued) {
		must(try_queue_start(&self->queue, self->fd, 16, 16));
	}
	self->align = variant->config.align ?: 1;
	self->chance = seed();
	say("seed %llu", (unsigned long long)self->chance);
}

FIXTURE_TEARDOWN(lists)
{
	works(try_queue_unmap(&self->queue));
	works(try_side_end(&self->dst));
	works(try_side_end(&self->src));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

/* From its submission to its end, by the door of the variant. */
#define runs(_request)								\
	do {									\
		struct udma_event __event = {};					\
		const struct udma_request __request = (_request);		\
										\
		must(variant->queued ?						\
		     try_queue_run(&self->queue, __request, &__event) :		\
		     try_run(self->fd, __request, &__event));			\
		EXPECT_EQ(0, __event.status);					\
		EXPECT_EQ(__request.bytes, __event.bytes);			\
		EXPECT_EQ(UDMA_EVENT_F_EXACT, __event.flags);			\
		EXPECT_EQ(__request.user_data, __event.user_data);		\
	} while (0)

/* Up to so many ranges on each side: one is none of a list. */
static const __u32 splits[][2] = {
	{ 2, 2 }, { 7, 1 }, { 1, 7 }, { 40, 3 }, { 3, 40 }, { 16, 16 }, { 17, 33 }, { 300, 200 },
};

TEST_F(lists, are_copied_as_they_are_split)
{
	struct udma_request request;
	unsigned int i;
	size_t bytes;

	for (i = 0; i < 2 * ARRAY_SIZE(splits); i++) {
		const __u32 *most = splits[i % ARRAY_SIZE(splits)];

		bytes = self->align * (1 + below(&self->chance, 20 * KIB / self->align));
		side_scribble(&self->dst, &self->chance);
		side_scribble(&self->src, &self->chance);
		side_split(&self->dst, &self->chance, bytes, most[0], self->align);
		side_split(&self->src, &self->chance, bytes, most[1], self->align);
		request = lists_request(&self->dst, &self->src);
		request.user_data = i;
		runs(request);
		image_copy(&self->dst, &self->src);
		ASSERT_TRUE(side_is_right(&self->dst))
			TH_LOG("%zu bytes, %u to %u", bytes, self->src.count, self->dst.count);
		ASSERT_TRUE(side_is_right(&self->src));
	}
}

TEST_F(lists, are_filled)
{
	struct udma_request request;
	unsigned int i;
	size_t bytes;

	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		bytes = self->align * (1 + below(&self->chance, 20 * KIB / self->align));
		side_scribble(&self->dst, &self->chance);
		side_split(&self->dst, &self->chance, bytes, splits[i][0], self->align);
		request = (struct udma_request) { .op = UDMA_OP_FILL, .fill = 0x5a + i };
		request_add_dst(&request, &self->dst);
		runs(request);
		image_fill(&self->dst, 0x5a + i);
		ASSERT_TRUE(side_is_right(&self->dst))
			TH_LOG("%zu bytes in %u", bytes, self->dst.count);
	}
}

/* The shortest there are, as many as there may be. */
TEST_F(lists, are_as_long_as_they_may_be)
{
	struct udma_info info;
	__u32 i;

	must(try_info(self->fd, &info));
	ASSERT_EQ(MOST, info.out_max_ranges);
	/* Of each buffer every other piece */
	if (2 * (MOST / BUFFERS + 1) * self->align > BYTES)
		return;	/* pieces are too long */
	side_scribble(&self->dst, &self->chance);
	side_scribble(&self->src, &self->chance);
	for (i = 0; i < MOST; i++) {
		const __u64 at = i / BUFFERS * 2 * self->align;

		self->dst.ranges[i] = range_of(&self->dst.buffers[i % BUFFERS], at, self->align);
		self->src.ranges[i] = range_of(&self->src.buffers[BUFFERS - 1 - i % BUFFERS], at,
					       self->align);
	}
	self->dst.count = MOST;
	self->src.count = MOST;
	runs(lists_request(&self->dst, &self->src));
	image_copy(&self->dst, &self->src);
	EXPECT_TRUE(side_is_right(&self->dst));
	EXPECT_TRUE(side_is_right(&self->src));
}

/* What is many slices in one range, and one slice in many, in the same transfer. */
TEST_F(lists, are_longer_than_a_slice)
{
	const size_t bytes = 3 * MIB + 64 * 1024;
	struct buffer dst, src;
	struct udma_request request = { .op = UDMA_OP_COPY };
	struct udma_range to[2], from[3];

	if (variant->config.max_segment)
		return;	/* has no long slices */
	must(try_alloc_map(self->fd, bytes + 64 * KIB, &dst));
	must(try_alloc_map(self->fd, bytes + 64 * KIB, &src));
	pattern_prepare(&dst, 128, bytes, PATTERN_GUARD, PATTERN_STALE);
	pattern_prepare(&src, 128, bytes, PATTERN_OTHER, PATTERN_SOURCE);
	to[0] = range_of(&dst, 128, 64);
	to[1] = range_of(&dst, 128 + 64, bytes - 64);
	from[0] = range_of(&src, 128, 2 * MIB);
	from[1] = range_of(&src, 128 + 2 * MIB, 64);
	from[2] = range_of(&src, 128 + 2 * MIB + 64, bytes - 2 * MIB - 64);
	request_set_dst(&request, to, 2);
	request_set_src(&request, from, 3);
	runs(request);
	EXPECT_EQ(128 + bytes, pattern_differs(dst.mem, 128, 128 + bytes, PATTERN_SOURCE));
	EXPECT_TRUE(pattern_outside(&dst, 128, bytes, PATTERN_GUARD));
	must(try_unmap(&dst));
	must(try_unmap(&src));
}

/* Within one buffer too, and the same range read twice. */
TEST_F(lists, may_name_a_range_more_than_once)
{
	const size_t piece = 128;
	__u32 i;

	side_scribble(&self->dst, &self->chance);
	side_scribble(&self->src, &self->chance);
	for (i = 0; i < 20; i++) {
		self->src.ranges[i] = range_of(&self->src.buffers[0], 0, piece);
		self->dst.ranges[i] = range_of(&self->dst.buffers[1], 2 * i * piece, piece);
	}
	self->src.count = 20;
	self->dst.count = 20;
	runs(lists_request(&self->dst, &self->src));
	image_copy(&self->dst, &self->src);
	EXPECT_TRUE(side_is_right(&self->dst));
}

/* With requests that have no list before, between and behind */
TEST_F(lists, are_taken_in_their_order_with_plain_requests)
{
	static struct udma_range ranges[16][3];
	struct udma_request requests[16];
	struct udma_event events[16];
	unsigned int i, j, taken = 0;

	if (variant->config.unordered)
		return;	/* keeps no order */
	side_scribble(&self->dst, &self->chance);
	for (i = 0; i < 16; i++) {
		const __u64 at = i * 512;

		requests[i] = fill_request(&self->dst.buffers[0], at, 192, i);
		for (j = 0; j < 3; j++)
			ranges[i][j] = range_of(&self->dst.buffers[0], at + j * 128, 64);
		/* None, one and several in a row */
		if (i % 5 == 1 || i % 5 == 2 || !i || i == 15) {
			requests[i].dst_handle = 0;
			requests[i].dst_offset = 0;
			request_set_dst(&requests[i], ranges[i], 3);
			for (j = 0; j < 3; j++)
				memset(self->dst.images[0] + at + j * 128, i, 64);
		} else {
			memset(self->dst.images[0] + at, i, 192);
		}
		requests[i].user_data = i;
	}
	if (variant->queued) {
		for (i = 0; i < 16; i++)
			queue_put(&self->queue, requests[i]);
		ASSERT_EQ(16, must(try_enter(self->fd, 16, 16)));
		while (taken < 16)
			taken += queue_pop(&self->queue, events + taken, 16 - taken);
	} else {
		must(try_submit_all(self->fd, requests, 16));
		must(try_collect(self->fd, events, 16));
	}
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(i, events[i].user_data);
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(192, events[i].bytes);
	}
	EXPECT_TRUE(side_is_right(&self->dst));
}

/* How many are taken when the k-th is bad: those before it, and no more. */
TEST_F(lists, are_taken_up_to_the_first_that_is_bad)
{
	struct udma_range good[2], bad[2];
	struct udma_request requests[8];
	struct udma_event events[8];
	unsigned int i, k, lists;

	for (i = 0; i < 2; i++) {
		good[i] = range_of(&self->dst.buffers[0], i * 1024, 64);
		bad[i] = good[i];
	}
	bad[1].handle = 0;
	for (k = 0; k < 8; k++) {
		/* Which of them have a list, the bad one included or not */
		for (lists = 0; lists < 8; lists++) {
			for (i = 0; i < 8; i++) {
				requests[i] = fill_request(&self->dst.buffers[0], 0, 64, 1);
				if (lists >> i % 3 & 1) {
					requests[i].dst_handle = 0;
					request_set_dst(&requests[i], i == k ? bad : good, 2);
				} else if (i == k) {
					requests[i].dst_handle = 0;
				}
				requests[i].user_data = i;
			}
			if (variant->queued) {
				for (i = 0; i < 8; i++)
					queue_put(&self->queue, requests[i]);
				const int taken = try_enter(self->fd, 8, 0);

				EXPECT_EQ(k ? (int)k : -1, taken);
				EXPECT_EQ(k ? 0 : ENOENT, errno_of(taken));
				EXPECT_EQ(8 - k, queue_pending(&self->queue));
				/* It may be taken back: nobody has looked at those behind. */
				self->queue.tail -= 8 - k;
				QUEUE_SET(self->queue.shared->submit_tail, self->queue.tail);
				if (k) {
					must(try_enter(self->fd, 0, k));
				}
				ASSERT_EQ(k, queue_pop(&self->queue, events, 8));
			} else {
				const int taken = try_submit(self->fd, requests, 8);

				EXPECT_EQ(k ? (int)k : -1, taken);
				EXPECT_EQ(k ? 0 : ENOENT, errno_of(taken));
				if (k) {
					must(try_collect(self->fd, events, k));
				}
			}
		}
	}
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
}

/* What is refused */

FIXTURE(list)
{
	struct sim sim;
	int fd;
	struct queue queue;
	struct buffer dst;
	struct buffer src;
	struct udma_range to[40];
	struct udma_range from[40];
	struct udma_request copy;
	struct udma_request fill;
};

FIXTURE_VARIANT(list)
{
	bool queued;
};

FIXTURE_VARIANT_ADD(list, by_submit)
{
};

FIXTURE_VARIANT_ADD(list, by_queue)
{
	.queued = true,
};

FIXTURE_SETUP(list)
{
	static const struct sim_config config = { .align = 8 };
	unsigned int i;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, 64 * KIB + 8, &self->dst));
	must(try_alloc_map(self->fd, 64 * KIB + 8, &self->src));
	for (i = 0; i < 40; i++) {
		self->to[i] = range_of(&self->dst, i * 1024, 512);
		self->from[i] = range_of(&self->src, i * 1024 + 8, 512);
	}
	self->copy = (struct udma_request) { .op = UDMA_OP_COPY };
	request_set_dst(&self->copy, self->to, 40);
	request_set_src(&self->copy, self->from, 40);
	self->fill = (struct udma_request) { .op = UDMA_OP_FILL, .fill = 3 };
	request_set_dst(&self->fill, self->to, 40);
	pattern_prepare(&self->dst, 0, 0, PATTERN_GUARD, PATTERN_GUARD);
	if (variant->queued) {
		must(try_queue_start(&self->queue, self->fd, 4, 4));
	}
}

FIXTURE_TEARDOWN(list)
{
	struct udma_request copy = { .op = UDMA_OP_COPY };
	struct udma_event event;

	request_set_dst(&copy, self->to, 40);
	request_set_src(&copy, self->from, 40);
	/* None of what was refused has left anything behind, and the channel works. */
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	EXPECT_EQ(self->dst.map_bytes,
		  pattern_differs(self->dst.mem, 0, self->dst.map_bytes, PATTERN_GUARD));
	works(try_run(self->fd, copy, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(40 * 512, event.bytes);
	works(try_queue_unmap(&self->queue));
	works(try_unmap(&self->dst));
	works(try_unmap(&self->src));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

/* What was refused does not stay in the queue. */
static int try_send(int fd, struct queue *queue, struct udma_request request)
{
	int ret;

	if (!queue->mem)
		return try_submit_one(fd, request);
	queue_put(queue, request);
	ret = try_enter(fd, 1, 0);
	if (ret < 0)
		QUEUE_SET(queue->shared->submit_tail, --queue->tail);
	return ret;
}

#define refuses(_errno, _request)						\
	fails(_errno, try_send(self->fd, &self->queue, _request))

TEST_F(list, without_a_range)
{
	self->copy.dst_count = 0;
	refuses(EINVAL, self->copy);
	self->copy.dst_count = 40;
	self->copy.src_count = 0;
	refuses(EINVAL, self->copy);
	self->fill.dst_count = 0;
	refuses(EINVAL, self->fill);
}

TEST_F(list, of_more_ranges_than_there_may_be)
{
	static const __u32 counts[] = { MOST + 1, MOST + 40, 0x7fffffff, 0x80000000, ~0U };
	struct udma_request request;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		request = self->copy;
		request.dst_count = counts[i];
		refuses(EINVAL, request);
		request = self->copy;
		request.src_count = counts[i];
		refuses(EINVAL, request);
		request = self->fill;
		request.dst_count = counts[i];
		refuses(EINVAL, request);
	}
}

/* Ranges are copied a few at a time: the first of those, the last, and the very last. */
static const unsigned int places[] = { 0, 1, 15, 16, 17, 31, 32, 39 };

TEST_F(list, with_a_range_of_no_bytes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		/* Nor where the sum is right. */
		self->to[places[i]].bytes = 0;
		self->to[(places[i] + 1) % 40].bytes = 1024;
		refuses(EINVAL, self->copy);
		refuses(EINVAL, self->fill);
		self->to[places[i]].bytes = 512;
		self->to[(places[i] + 1) % 40].bytes = 512;
		self->from[places[i]].bytes = 0;
		self->from[(places[i] + 1) % 40].bytes = 1024;
		refuses(EINVAL, self->copy);
		self->from[places[i]].bytes = 512;
		self->from[(places[i] + 1) % 40].bytes = 512;
	}
}

TEST_F(list, with_anything_in_a_reserved_field)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		self->to[places[i]].__reserved = 1U << i;
		refuses(EINVAL, self->copy);
		refuses(EINVAL, self->fill);
		self->to[places[i]].__reserved = 0;
		self->from[places[i]].__reserved = 0x80000000 >> i;
		refuses(EINVAL, self->copy);
		self->from[places[i]].__reserved = 0;
	}
}

TEST_F(list, that_does_not_add_up)
{
	static const __u64 sums[] = {
		0, 8, 40 * 512 - 8, 40 * 512 + 8, 2 * 40 * 512, 1ULL << 32 | 40 * 512,
		1ULL << 63, ~7ULL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sums); i++) {
		self->copy.bytes = sums[i];
		self->fill.bytes = sums[i];
		refuses(EINVAL, self->copy);
		refuses(EINVAL, self->fill);
	}
	self->copy.bytes = 40 * 512;
	/* One side does, and the other does not. */
	self->copy.dst_count = 39;
	refuses(EINVAL, self->copy);
	self->copy.dst_count = 40;
	self->copy.src_count = 39;
	refuses(EINVAL, self->copy);
	self->copy.src_count = 40;
	self->from[20].bytes += 8;
	refuses(EINVAL, self->copy);
	self->from[20].bytes -= 8;
}

/* What a range is longer than what it is in is said before what it adds up to. */
TEST_F(list, that_overflows_when_it_is_added_up)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		self->to[i].bytes = 1ULL << 63;
		self->from[i].bytes = 1ULL << 63;
	}
	self->copy.bytes = 0;
	refuses(EINVAL, self->copy);
	self->copy.bytes = 1ULL << 63;
	refuses(ERANGE, self->copy);
	for (i = 0; i < 40; i++) {
		self->to[i].bytes = 512;
		self->from[i].bytes = 512;
	}
}

TEST_F(list, beyond_its_buffer)
{
	static const struct {
		__u64 offset;
		__u64 bytes;
	} ranges[] = {
		{ 64 * KIB + 16, 512 },		/* behind all of it */
		{ 64 * KIB + 8, 512 },		/* at its end */
		{ 64 * KIB - 496, 512 },	/* the last byte is out; the page is not */
		{ 1ULL << 32, 512 },
		{ ~0ULL - 511, 512 },		/* to the last byte there can be */
		{ ~0ULL - 503, 512 },		/* round, to the beginning */
		{ -512ULL, 512 },
		{ 8, ~0ULL - 7 },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			const struct udma_range to = self->to[places[j]];
			const struct udma_range from = self->from[places[j]];

			self->to[places[j]].offset = ranges[i].offset;
			self->to[places[j]].bytes = ranges[i].bytes;
			refuses(ERANGE, self->copy);
			refuses(ERANGE, self->fill);
			self->to[places[j]] = to;
			self->from[places[j]].offset = ranges[i].offset;
			self->from[places[j]].bytes = ranges[i].bytes;
			refuses(ERANGE, self->copy);
			self->from[places[j]] = from;
		}
	}
}

TEST_F(list, of_handles_that_are_not_there)
{
	struct buffer freed, other;
	unsigned int i, j;
	int fd = must(try_sim_open(&self->sim, 0, O_RDWR));

	must(try_alloc(self->fd, 64 * KIB, &freed));
	must(try_free(self->fd, freed.handle));
	/* Handles of files begin alike: those of this one come later. */
	do {
		must(try_alloc(fd, 64 * KIB, &other));
	} while (other.handle == self->dst.handle || other.handle == self->src.handle ||
		 other.handle == freed.handle);
	const __u32 handles[] = { 0, freed.handle, other.handle, ~0U, 1U << 31 };

	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			self->to[places[j]].handle = handles[i];
			refuses(ENOENT, self->copy);
			refuses(ENOENT, self->fill);
			self->to[places[j]].handle = self->dst.handle;
			self->from[places[j]].handle = handles[i];
			refuses(ENOENT, self->copy);
			self->from[places[j]].handle = self->src.handle;
		}
	}
	must(close(fd));
}

TEST_F(list, that_is_not_aligned)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		self->to[places[i]].offset += 4;
		refuses(EINVAL, self->copy);
		refuses(EINVAL, self->fill);
		self->to[places[i]].offset -= 4;
		self->from[places[i]].offset += 1;
		refuses(EINVAL, self->copy);
		self->from[places[i]].offset -= 1;
		/* The sum is. */
		self->from[places[i]].bytes += 4;
		self->from[(places[i] + 1) % 40].bytes -= 4;
		refuses(EINVAL, self->copy);
		self->from[places[i]].bytes -= 4;
		self->from[(places[i] + 1) % 40].bytes += 4;
	}
}

/* The other side of one that has a list is looked at as well. */
TEST_F(list, opposite_a_bad_range)
{
	struct udma_request request = { .op = UDMA_OP_COPY };
	const struct udma_range whole = range_of(&self->src, 8, 40 * 512);

	request_set_dst(&request, self->to, 40);
	request.src_handle = whole.handle;
	request.src_offset = 4;
	refuses(EINVAL, request);
	request.src_offset = 64 * KIB + 8 - 40 * 512 + 8;
	refuses(ERANGE, request);
	request.src_offset = ~7ULL;
	refuses(ERANGE, request);
	request.src_offset = 8;
	request.src_handle = 0;
	refuses(ENOENT, request);

	request = (struct udma_request) { .op = UDMA_OP_COPY };
	request_set_src(&request, self->from, 40);
	request.dst_offset = 64 * KIB;
	request.dst_handle = self->dst.handle;
	refuses(ERANGE, request);
	request.dst_handle = ~0U;
	refuses(ENOENT, request);
}

TEST_F(list, where_there_can_be_none)
{
	struct udma_request request = self->fill;

	request_set_src(&request, self->from, 40);
	refuses(EINVAL, request);
	request.flags &= ~UDMA_REQUEST_F_DST_RANGES;
	refuses(EINVAL, request);

	request = (struct udma_request) {
		.op = UDMA_OP_INTERLEAVE,
		.src_handle = self->src.handle,
		.line_bytes = 8,
		.lines = 1,
		.dst_stride = 8,
		.src_stride = 8,
		.flags = UDMA_REQUEST_F_DST_RANGES,
		.dst_ranges = (uintptr_t)self->to,
		.dst_count = 1,
	};
	refuses(EINVAL, request);
	request.flags = UDMA_REQUEST_F_SRC_RANGES;
	request.dst_handle = self->dst.handle;
	request.dst_offset = 0;
	request.src_ranges = (uintptr_t)self->from;
	request.src_count = 1;
	refuses(EINVAL, request);
}

TEST_F(list, with_what_no_request_may_have)
{
	struct udma_request request;
	unsigned int bit;

	for (bit = 4; bit < 32; bit++) {
		request = self->copy;
		request.flags |= 1U << bit;
		refuses(EINVAL, request);
	}
	request = self->copy;
	request.fill = 1;
	refuses(EINVAL, request);
	request = self->fill;
	request.fill = 256;
	refuses(EINVAL, request);
	request = self->copy;
	request.src_stride = 1;
	refuses(EINVAL, request);
	request = self->fill;
	request.src_handle = self->src.handle;
	refuses(EINVAL, request);
	request = self->fill;
	request.src_offset = 8;
	refuses(EINVAL, request);
	for (bit = UDMA_OP_DEV_TO_MEM + 1; bit < 16; bit++) {
		request = self->copy;
		request.op = bit;
		refuses(EINVAL, request);
	}
}

TEST_F(list, at_a_bad_address)
{
	unsigned char *mem = pages_before_hole(1), *hole;
	struct udma_request request;
	unsigned int i;

	ASSERT_NE(NULL, mem);
	hole = mem + page_bytes();
	const __u64 bad[] = {
		0, 1, (uintptr_t)hole, (uintptr_t)hole + 8, -24ULL, -4096ULL, 1ULL << 63,
		0xffff888000000000ULL, 0xffffffff81000000ULL,
	};

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		request = self->copy;
		request.dst_ranges = bad[i];
		refuses(EFAULT, request);
		request = self->copy;
		request.src_ranges = bad[i];
		refuses(EFAULT, request);
		request = self->fill;
		request.dst_ranges = bad[i];
		refuses(EFAULT, request);
	}
	/* Those before the hole are good: half of the list, and all but one byte of it. */
	for (i = 1; i < 40; i++) {
		memcpy(hole - i * sizeof(*self->to), self->to, i * sizeof(*self->to));
		request = self->copy;
		request.dst_ranges = (uintptr_t)hole - i * sizeof(*self->to);
		refuses(EFAULT, request);
		memcpy(hole - i * sizeof(*self->from), self->from, i * sizeof(*self->from));
		request = self->copy;
		request.src_ranges = (uintptr_t)hole - i * sizeof(*self->from);
		refuses(EFAULT, request);
	}
	memcpy(hole - sizeof(self->to) + 1, self->to, sizeof(self->to) - 1);
	request = self->fill;
	request.dst_ranges = (uintptr_t)hole - sizeof(self->to) + 1;
	refuses(EFAULT, request);
}

/* A list right before what cannot be read is all that is read. */
TEST_F(list, before_a_hole)
{
	unsigned char *mem = pages_before_hole(1), *hole;
	struct udma_event event;

	ASSERT_NE(NULL, mem);
	hole = mem + page_bytes();
	memcpy(hole - sizeof(self->to), self->to, sizeof(self->to));
	self->copy.dst_ranges = (uintptr_t)hole - sizeof(self->to);
	must(mprotect(mem, page_bytes(), PROT_READ));
	ASSERT_EQ(1, must(try_send(self->fd, &self->queue, self->copy)));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	pattern_write(self->dst.mem, 0, self->dst.map_bytes, PATTERN_GUARD);
}

/* That of a file open for reading only, and of a channel that is gone: as all others. */
TEST_F(list, of_who_may_not_submit)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));

	fails(EBADF, try_submit_one(fd, self->copy));
	must(close(fd));
}

/* What may be under way */

FIXTURE(under_way)
{
	struct sim sim;
	int fd;
	struct ledger before;
	struct buffer dst;
	struct buffer src;
	struct udma_range *to;
	struct udma_range *from;
	struct udma_request copy;
	bool is_closed;
	bool is_unbound;
};

FIXTURE_VARIANT(under_way)
{
	int flags;
};

FIXTURE_VARIANT_ADD(under_way, shared)
{
};

FIXTURE_VARIANT_ADD(under_way, alone)
{
	.flags = O_EXCL,
};

/* Ranges of 512 bytes, every other one of its buffer. */
#define PIECES	8
#define PIECE	512

FIXTURE_SETUP(under_way)
{
	static const struct sim_config config;
	unsigned int i;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->before = ledger_read(&self->sim);
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR | variant->flags));
	must(try_alloc_map(self->fd, 2 * PIECES * PIECE, &self->dst));
	must(try_alloc_map(self->fd, 2 * PIECES * PIECE, &self->src));
	self->to = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->to);
	self->from = self->to + PIECES;
	for (i = 0; i < PIECES; i++) {
		self->to[i] = range_of(&self->dst, 2 * i * PIECE, PIECE);
		self->from[i] = range_of(&self->src, 2 * (PIECES - 1 - i) * PIECE, PIECE);
	}
	self->copy = (struct udma_request) { .op = UDMA_OP_COPY, .user_data = 7 };
	request_set_dst(&self->copy, self->to, PIECES);
	request_set_src(&self->copy, self->from, PIECES);
	pattern_write(self->dst.mem, 0, self->dst.map_bytes, PATTERN_GUARD);
	pattern_write(self->src.mem, 0, self->src.map_bytes, PATTERN_SOURCE);
}

FIXTURE_TEARDOWN(under_way)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	if (!self->is_closed) {
		works(try_unmap(&self->dst));
		works(try_unmap(&self->src));
		works(close(self->fd));
	}
	if (!self->is_unbound) {
		works(try_ledger_wait(&self->sim, &self->before));
		EXPECT_STREQ("copied", witness_come(&self->sim));
		works(try_sim_unbind(&self->sim, 0));
	}
	works(try_sim_end(&self->sim));
}

/* How many ranges from the front have been copied, and nothing else was written; or -1. */
static int copied_in(const struct buffer *dst)
{
	unsigned int i, done = 0;
	bool behind = false;
	__u64 at;

	for (i = 0; i < 2 * PIECES; i++) {
		const __u64 from = i * PIECE;
		bool is = !(i & 1);

		for (at = 0; is && at < PIECE; at++)
			is = dst->mem[from + at] ==
			     pattern_byte(PATTERN_SOURCE, (2 * (PIECES - 1) - i) * PIECE + at);
		if (is && behind)
			return -1;
		if (is)
			done++;
		else if (pattern_differs(dst->mem, from, from + PIECE, PATTERN_GUARD) !=
			 from + PIECE)
			return -1;
		else if (!(i & 1))
			behind = true;
	}
	return done;
}

static int try_finish(const struct sim *sim, int fd, struct udma_event *event)
{
	if (try_sim_set(sim, "step_mode", 0))
		return -1;
	return try_collect(fd, event, 1);
}

/* It is read before the call returns, and never again. */
TEST_F(under_way, does_not_need_its_list)
{
	struct udma_event event;

	must(try_submit_one(self->fd, self->copy));
	memset(self->to, 0xff, 2 * PIECES * sizeof(*self->to));
	must(try_step(&self->sim, 1));
	must(munmap(self->to, page_bytes()));
	must(try_finish(&self->sim, self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(PIECES * PIECE, event.bytes);
	EXPECT_EQ(7, event.user_data);
	EXPECT_EQ(PIECES, copied_in(&self->dst));
}

TEST_F(under_way, keeps_buffers_whose_handles_are_freed)
{
	struct udma_event event;
	struct buffer again;

	must(try_submit_one(self->fd, self->copy));
	must(try_free(self->fd, self->dst.handle));
	must(try_free(self->fd, self->src.handle));
	must(try_unmap(&self->src));
	EXPECT_EQ(2 * self->dst.map_bytes, chan_get(&self->sim, 0, "used_bytes"));
	/* Nobody gets this memory as his own. */
	must(try_alloc_map(self->fd, 2 * PIECES * PIECE, &again));
	must(try_finish(&self->sim, self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(PIECES, copied_in(&self->dst));
	EXPECT_EQ(-1, find_other(again.mem, again.map_bytes, 0));
	must(try_unmap(&again));
	must(try_free(self->fd, again.handle));
	must(try_wait_chan(&self->sim, 0, "used_bytes", self->dst.map_bytes));
	must(try_alloc_map(self->fd, 1, &self->src));
}

/* All ranges name one buffer, and each lets go of it. */
TEST_F(under_way, lets_go_of_a_buffer_that_it_names_often)
{
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct buffer buffer;
		struct udma_request fill = { .op = UDMA_OP_FILL, .fill = i };
		struct udma_range ranges[PIECES];
		unsigned int j;

		must(try_alloc(self->fd, PIECES * PIECE, &buffer));
		for (j = 0; j < PIECES; j++)
			ranges[j] = range_of(&buffer, j * PIECE, PIECE);
		request_set_dst(&fill, ranges, PIECES);
		must(try_submit_one(self->fd, fill));
		must(try_free(self->fd, buffer.handle));
		must(try_step(&self->sim, PIECES));
		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(0, event.status);
		must(try_wait_chan(&self->sim, 0, "used_bytes", 2 * self->dst.map_bytes));
	}
}

TEST_F(under_way, goes_in_pieces_in_their_order)
{
	struct udma_event event;
	int i;

	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, PIECES));
	for (i = 0; i < PIECES; i++) {
		EXPECT_EQ(i, copied_in(&self->dst));
		EXPECT_EQ(POLLOUT, poll_now(self->fd));
		must(try_step(&self->sim, 1));
	}
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(PIECES, copied_in(&self->dst));
}

/* What comes behind a fence sees all of it. */
TEST_F(under_way, is_waited_for_by_a_fence_and_waits_for_one)
{
	struct udma_request fill = fill_request(&self->dst, 0, 1, 0xee);
	struct udma_event events[3];

	must(try_submit_one(self->fd, fill));
	self->copy.flags |= UDMA_REQUEST_F_FENCE;
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(fill)));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, PIECES));
	must(try_step(&self->sim, PIECES));
	EXPECT_EQ(PIECES, copied_in(&self->dst));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, events, 3));
	EXPECT_EQ(2, events[1].sequence);
	EXPECT_EQ(0xee, self->dst.mem[0]);
}

TEST_F(under_way, is_cancelled_in_the_queue)
{
	const __u32 guard = pattern_byte(PATTERN_GUARD, 0);
	struct udma_event event;

	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->fd, fill_request(&self->dst, 0, 1, guard)));
	must(try_submit_one(self->fd, self->copy));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	ends_as(self->fd, 2, -ECANCELED, 0);
	must(try_finish(&self->sim, self->fd, &event));
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(0, copied_in(&self->dst));
}

/* Of the pieces that the controller has not been given none is. */
TEST_F(under_way, is_cancelled_in_hardware)
{
	struct udma_event event;

	must(try_chan_set(&self->sim, 0, "window", 3));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 3));
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, 3));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_step(&self->sim, 3));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ECANCELED, event.status);
	EXPECT_EQ(4 * PIECE, event.bytes);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(4, copied_in(&self->dst));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(under_way, takes_longer_than_its_timeout)
{
	struct udma_event event;

	must(try_chan_set(&self->sim, 0, "window", 2));
	self->copy.timeout_ns = AT_ONCE;
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_chan(&self->sim, 0, "recovery/timeouts", 1));
	/* Who shares the channel has to wait for the pieces that are under way. */
	if (!variant->flags) {
		must(try_step(&self->sim, 2));
	}
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ETIMEDOUT, event.status);
	EXPECT_EQ(variant->flags ? 0 : 2 * PIECE, event.bytes);
	EXPECT_EQ(variant->flags ? 0 : 2, copied_in(&self->dst));
}

TEST_F(under_way, fails_in_one_of_its_pieces)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "fail_at", 3));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, PIECES));
	must(try_finish(&self->sim, self->fd, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ((PIECES - 1) * PIECE, event.bytes);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
}

/* Root resets the channel: what the controller had is done again. */
TEST_F(under_way, is_done_again_after_a_reset)
{
	struct udma_event event;
	unsigned int i;

	must(try_chan_set(&self->sim, 0, "window", 3));
	must(try_submit_one(self->fd, self->copy));
	for (i = 0; i < 5; i++) {
		must(try_step(&self->sim, 1));
		must(try_wait_pending(&self->sim, 3));
		must(try_chan_set(&self->sim, 0, "reset", 1));
		/* Where it was not is not touched. */
		EXPECT_EQ(i + 1, copied_in(&self->dst));
	}
	must(try_finish(&self->sim, self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(PIECES * PIECE, event.bytes);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(PIECES, copied_in(&self->dst));
	EXPECT_LE(10, chan_get(&self->sim, 0, "recovery/replays"));
}

TEST_F(under_way, ends_with_its_file)
{
	must(try_chan_set(&self->sim, 0, "window", 3));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 3));
	must(try_submit_one(self->fd, self->copy));
	must(try_unmap(&self->dst));
	must(try_unmap(&self->src));
	must(close(self->fd));
	self->is_closed = true;
	/* The controller has three pieces: their memory stays until they have ended. */
	EXPECT_LT(0, chan_get(&self->sim, 0, "used_bytes"));
	must(try_step(&self->sim, 0));
	must(try_wait_pending(&self->sim, 0));
}

TEST_F(under_way, ends_with_its_channel)
{
	struct udma_event events[3];

	must(try_chan_set(&self->sim, 0, "window", 3));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 3));
	must(try_step(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	ASSERT_EQ(2, must(try_read(self->fd, events, 3)));
	EXPECT_EQ(-ENODEV, events[0].status);
	EXPECT_EQ(-ENODEV, events[1].status);
	fails(ENODEV, try_read(self->fd, events, 1));
	fails(ENODEV, try_submit_one(self->fd, self->copy));
}

/* So many ranges of a file, and no more; room comes back as they end. */
TEST_F(under_way, has_room_for_so_many_ranges)
{
	struct udma_range *ranges = calloc(MOST, sizeof(*ranges));
	struct udma_request fill = { .op = UDMA_OP_FILL }, small = fill, copy = self->copy;
	struct udma_event event;
	unsigned int i;

	ASSERT_NE(NULL, ranges);
	for (i = 0; i < MOST; i++)
		ranges[i] = range_of(&self->dst, i, 1);
	request_set_dst(&fill, ranges, MOST);
	request_set_dst(&small, ranges, 1);
	/* Two short of all: a copy of two, and no more */
	for (i = 0; i < 15; i++)
		ASSERT_EQ(1, must(try_submit_one(self->fd, fill)));
	fill.dst_count = MOST - 2;
	fill.bytes = MOST - 2;
	ASSERT_EQ(1, must(try_submit_one(self->fd, fill)));
	fails(EDQUOT, try_submit_one(self->fd, copy));
	copy.bytes = PIECE;
	copy.dst_count = 1;
	copy.src_count = 2;
	fails(EDQUOT, try_submit_one(self->fd, copy));
	copy.src_count = 1;
	ASSERT_EQ(1, must(try_submit_one(self->fd, copy)));
	fails(EDQUOT, try_submit_one(self->fd, small));
	/* It is the lists that are too many. */
	ASSERT_EQ(1, must(try_submit_one(self->fd, fill_request(&self->dst, 0, 1, 1))));
	if (!variant->flags) {
		int fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		struct buffer other;
		struct udma_range range;

		/* Nor is it another's matter. */
		must(try_alloc(fd, 1, &other));
		range = range_of(&other, 0, 1);
		request_set_dst(&small, &range, 1);
		ASSERT_EQ(1, must(try_submit_one(fd, small)));
		must(close(fd));
		request_set_dst(&small, ranges, 1);
	}
	EXPECT_EQ(1, try_cancel(self->fd, 16));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(16, event.sequence);
	ASSERT_EQ(1, must(try_submit_one(self->fd, small)));
	EXPECT_EQ(18, must(try_cancel_all(self->fd)));
	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < 18; i++)
		must(try_collect(self->fd, &event, 1));
	fill.dst_count = MOST;
	fill.bytes = MOST;
	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(1, must(try_submit_one(self->fd, fill)));
	fails(EDQUOT, try_submit_one(self->fd, small));
	EXPECT_EQ(16, must(try_cancel_all(self->fd)));
	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < 16; i++)
		must(try_collect(self->fd, &event, 1));
	free(ranges);
}

/* Where the controller does not fill, lists are not filled either. */
TEST(lists_of_what_the_channel_cannot)
{
	static const struct sim_config config = { .no_fill = true };
	struct udma_request fill = { .op = UDMA_OP_FILL }, send = { .op = UDMA_OP_MEM_TO_DEV },
			    receive = { .op = UDMA_OP_DEV_TO_MEM };
	struct udma_range range;
	struct buffer buffer;
	struct sim sim;
	int fd;

	fd = must(try_sim_start(&sim, &config));
	must(try_alloc(fd, 64, &buffer));
	range = range_of(&buffer, 0, 64);
	request_set_dst(&fill, &range, 1);
	request_set_dst(&receive, &range, 1);
	request_set_src(&send, &range, 1);
	fails(EOPNOTSUPP, try_submit_one(fd, fill));
	fails(EOPNOTSUPP, try_submit_one(fd, send));
	fails(EOPNOTSUPP, try_submit_one(fd, receive));
	must(close(fd));
	must(try_sim_finish(&sim));
}

TEST_HARNESS_MAIN
