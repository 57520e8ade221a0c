// SPDX-License-Identifier: GPL-2.0
/*
 * libudma: what it asks of the kernel for a transfer, over a channel that is not there.
 */
#include "udma_fake.h"

#define BYTES	(16 * KIB)

FIXTURE(request)
{
	struct udma_channel *channel;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	struct udma_transfer *transfer;
	struct udma_ranges *ranges;
};

FIXTURE_SETUP(request)
{
	char path[64];

	must(try_fake(UDMA_DIRECTION_MEM_TO_MEM, path, sizeof(path)));
	self->channel = made(udma_channel_open(path));
	self->dst = made(udma_buffer_alloc(self->channel, BYTES));
	self->src = made(udma_buffer_alloc(self->channel, BYTES));
	self->transfer = made(udma_transfer_new());
	self->ranges = made(udma_ranges_new());
}

FIXTURE_TEARDOWN(request)
{
	udma_ranges_free(self->ranges);
	udma_transfer_free(self->transfer);
	udma_buffer_free(self->src);
	udma_buffer_free(self->dst);
	udma_channel_close(self->channel);
}

enum { DST = 1, SRC = 2 };	/* as the handles are given */

/* What the kernel gets, which is nothing else than @wanted. */
static bool asks(struct udma_channel *channel, const struct udma_transfer *transfer,
		 struct udma_request wanted)
{
	fake.requested = 0;
	return !udma_channel_submit_one(channel, transfer) && fake.requested == 1 &&
	       !memcmp(&fake.requests[0], &wanted, sizeof(wanted));
}

#define asks_for(...)							\
	asks(self->channel, self->transfer, (struct udma_request) { __VA_ARGS__ })

/* Descriptions of all kinds */

#define request_t	FIXTURE_DATA(request)

static void set_copy(request_t *self)
{
	udma_transfer_set_copy(self->transfer, self->dst, 64, self->src, 128, 4096);
}

static void set_fill(request_t *self)
{
	udma_transfer_set_fill(self->transfer, self->dst, 64, 4096, 0xa5);
}

static void set_interleave(request_t *self)
{
	udma_transfer_set_interleave(self->transfer, self->dst, 64, 1024, self->src, 128, 2048,
				     100, 7);
}

static void set_send(request_t *self)
{
	udma_transfer_set_send(self->transfer, self->src, 128, 4096);
}

static void set_receive(request_t *self)
{
	udma_transfer_set_receive(self->transfer, self->dst, 64, 4096);
}

static void set_send_ranges(request_t *self)
{
	udma_transfer_set_send_ranges(self->transfer, self->ranges);
}

static void set_receive_ranges(request_t *self)
{
	udma_transfer_set_receive_ranges(self->transfer, self->ranges);
}

static void set_copy_ranges(request_t *self)
{
	udma_transfer_set_copy_ranges(self->transfer, self->ranges, self->ranges);
}

static void (*const setters[])(request_t *self) = {
	set_copy, set_fill, set_interleave, set_send, set_receive, set_send_ranges,
	set_receive_ranges, set_copy_ranges,
};

TEST_F(request, copy)
{
	set_copy(self);
	EXPECT_TRUE(asks_for(.op = UDMA_OP_COPY, .dst_handle = DST, .src_handle = SRC,
			     .dst_offset = 64, .src_offset = 128, .bytes = 4096));
}

TEST_F(request, fill)
{
	set_fill(self);
	EXPECT_TRUE(asks_for(.op = UDMA_OP_FILL, .dst_handle = DST, .dst_offset = 64,
			     .bytes = 4096, .fill = 0xa5));
}

TEST_F(request, interleave)
{
	set_interleave(self);
	EXPECT_TRUE(asks_for(.op = UDMA_OP_INTERLEAVE, .dst_handle = DST, .src_handle = SRC,
			     .dst_offset = 64, .src_offset = 128, .line_bytes = 100, .lines = 7,
			     .dst_stride = 1024, .src_stride = 2048));
}

TEST_F(request, send)
{
	set_send(self);
	EXPECT_TRUE(asks_for(.op = UDMA_OP_MEM_TO_DEV, .src_handle = SRC, .src_offset = 128,
			     .bytes = 4096));
}

TEST_F(request, receive)
{
	set_receive(self);
	EXPECT_TRUE(asks_for(.op = UDMA_OP_DEV_TO_MEM, .dst_handle = DST, .dst_offset = 64,
			     .bytes = 4096));
}

/* Whether the request names the list that was made of the buffers. */
static bool is_list(__u64 pointer, __u32 count)
{
	const struct udma_range *ranges = (void *)(uintptr_t)pointer;

	return count == 2 && ranges[0].handle == DST && ranges[0].offset == 8 &&
	       ranges[0].bytes == 100 && ranges[1].handle == SRC &&
	       ranges[1].offset == 4096 && ranges[1].bytes == 28 &&
	       !ranges[0].__reserved && !ranges[1].__reserved;
}

static int make_list(request_t *self)
{
	if (udma_ranges_add(self->ranges, self->dst, 8, 100))
		return -1;
	return udma_ranges_add(self->ranges, self->src, 4096, 28);
}

TEST_F(request, send_ranges)
{
	const struct udma_request *request = &fake.requests[0];

	must(make_list(self));
	set_send_ranges(self);
	works(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_TRUE(is_list(request->src_ranges, request->src_count));
	EXPECT_TRUE(asks_for(.op = UDMA_OP_MEM_TO_DEV, .flags = UDMA_REQUEST_F_SRC_RANGES,
			     .src_count = 2, .src_ranges = request->src_ranges, .bytes = 128));
}

TEST_F(request, receive_ranges)
{
	const struct udma_request *request = &fake.requests[0];

	must(make_list(self));
	set_receive_ranges(self);
	works(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_TRUE(is_list(request->dst_ranges, request->dst_count));
	EXPECT_TRUE(asks_for(.op = UDMA_OP_DEV_TO_MEM, .flags = UDMA_REQUEST_F_DST_RANGES,
			     .dst_count = 2, .dst_ranges = request->dst_ranges, .bytes = 128));
}

TEST_F(request, copy_ranges)
{
	const struct udma_request *request = &fake.requests[0];
	struct udma_ranges *one = made(udma_ranges_new());

	must(make_list(self));
	must(udma_ranges_add(one, self->src, 8192, 128));
	udma_transfer_set_copy_ranges(self->transfer, one, self->ranges);
	works(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_TRUE(is_list(request->src_ranges, request->src_count));
	EXPECT_EQ(1, request->dst_count);
	EXPECT_EQ(128, request->bytes);
	EXPECT_EQ(UDMA_OP_COPY, request->op);
	EXPECT_EQ(UDMA_REQUEST_F_SRC_RANGES | UDMA_REQUEST_F_DST_RANGES, request->flags);
	EXPECT_EQ(0, request->fill);
	EXPECT_EQ(0, request->src_stride);

	/* As long as each other, or nothing. */
	must(udma_ranges_add(one, self->src, 0, 1));
	udma_transfer_set_copy_ranges(self->transfer, one, self->ranges);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	udma_ranges_free(one);
}

/* Whatever was described before, and all that else was said stays. */
TEST_F(request, leaves_nothing_of_another)
{
	struct udma_request wanted;
	unsigned int i, j;

	must(make_list(self));
	udma_transfer_set_fence(self->transfer, true);
	udma_transfer_set_more(self->transfer, true);
	udma_transfer_set_timeout_ns(self->transfer, 5000000000LL);
	udma_transfer_set_user_data(self->transfer, ~0ULL);
	for (i = 0; i < ARRAY_SIZE(setters); i++) {
		fake.requested = 0;
		setters[i](self);
		works(udma_channel_submit_one(self->channel, self->transfer));
		wanted = fake.requests[0];
		EXPECT_EQ(UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE, wanted.flags & 3);
		EXPECT_EQ(5000000000ULL, wanted.timeout_ns);
		EXPECT_EQ(~0ULL, wanted.user_data);
		for (j = 0; j < ARRAY_SIZE(setters); j++) {
			setters[j](self);
			setters[i](self);
			EXPECT_TRUE(asks(self->channel, self->transfer, wanted));
		}
	}
}

TEST_F(request, of_lines_that_cannot_be)
{
	static const size_t big = (size_t)UINT32_MAX + 1;

	udma_transfer_set_interleave(self->transfer, self->dst, 0, big, self->src, 0, 64, 64, 1);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_interleave(self->transfer, self->dst, 0, 64, self->src, 0, big, 64, 1);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_interleave(self->transfer, self->dst, 0, 64, self->src, 0, 64, big, 1);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_interleave(self->transfer, self->dst, 0, 64, self->src, 0, 64, 64, big);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(0, fake.requested);
	set_copy(self);
	works(udma_channel_submit_one(self->channel, self->transfer));
}

/* Lists */

TEST_F(request, ranges)
{
	unsigned int i;

	EXPECT_EQ(0, udma_ranges_get_count(self->ranges));
	EXPECT_EQ(0, udma_ranges_get_bytes(self->ranges));
	fails(EINVAL, udma_ranges_add(self->ranges, self->dst, 0, 0));
	for (i = 1; i <= 1000; i++) {
		must(udma_ranges_add(self->ranges, self->dst, i, i));
		ASSERT_EQ(i, udma_ranges_get_count(self->ranges));
	}
	EXPECT_EQ(500500, udma_ranges_get_bytes(self->ranges));
	set_receive_ranges(self);
	works(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(1000, fake.requests[0].dst_count);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(i + 1, ((struct udma_range *)(uintptr_t)
				  fake.requests[0].dst_ranges)[i].offset);
	udma_ranges_clear(self->ranges);
	EXPECT_EQ(0, udma_ranges_get_count(self->ranges));
	EXPECT_EQ(0, udma_ranges_get_bytes(self->ranges));
}

TEST_F(request, ranges_of_nothing)
{
	set_send_ranges(self);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	set_receive_ranges(self);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	set_copy_ranges(self);
	fails(EINVAL, udma_channel_submit_one(self->channel, self->transfer));
	errno = EXDEV;
	udma_ranges_free(NULL);
	udma_ranges_free(self->ranges);
	EXPECT_EQ(EXDEV, errno);
	self->ranges = NULL;
}

/* Handles mean something else there. */
TEST_F(request, ranges_of_another_channel)
{
	struct udma_channel *other;
	struct udma_buffer *buffer;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fake.file);
	other = made(udma_channel_open(path));
	buffer = made(udma_buffer_alloc(other, 64));
	must(make_list(self));
	fails(ENOENT, udma_ranges_add(self->ranges, buffer, 0, 64));
	EXPECT_EQ(2, udma_ranges_get_count(self->ranges));
	EXPECT_EQ(128, udma_ranges_get_bytes(self->ranges));
	set_send_ranges(self);
	fails(ENOENT, udma_channel_submit_one(other, self->transfer));
	udma_ranges_clear(self->ranges);
	must(udma_ranges_add(self->ranges, buffer, 0, 64));
	set_send_ranges(self);
	works(udma_channel_submit_one(other, self->transfer));
	fails(ENOENT, udma_channel_submit_one(self->channel, self->transfer));
	udma_buffer_free(buffer);
	udma_channel_close(other);
}

/* With one call */

static void end_short(void)
{
	fake.events[fake.tail++] = (struct udma_event) {
		.sequence = fake.sequence,
		.bytes = 77,
		.flags = UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT,
	};
}

static void end_badly(void)
{
	fake.events[fake.tail++] = (struct udma_event) {
		.sequence = fake.sequence,
		.bytes = 33,
		.status = -EIO,
		.flags = UDMA_EVENT_F_RESET,
	};
}

TEST_F(request, receive_with_one_call)
{
	size_t received = 0;

	fake.asleep = end_short;
	works(udma_channel_receive(self->channel, self->dst, 64, 4096, &received));
	EXPECT_EQ(77, received);
	EXPECT_EQ(UDMA_OP_DEV_TO_MEM, fake.requests[0].op);
	EXPECT_EQ(4096, fake.requests[0].bytes);

	fake.asleep = end_badly;
	fails(EIO, udma_channel_receive(self->channel, self->dst, 64, 4096, &received));
	EXPECT_EQ(33, received);
	fails(EINVAL, udma_channel_receive(self->channel, self->dst, 64, 0, &received));
	EXPECT_EQ(0, received);
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
}

TEST_F(request, send_with_one_call)
{
	fake.asleep = end_short;
	fails(EIO, udma_channel_send(self->channel, self->src, 128, 4096));
	EXPECT_EQ(UDMA_OP_MEM_TO_DEV, fake.requests[0].op);
	fails(EINVAL, udma_channel_send(self->channel, self->src, 128, 0));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
}

TEST_F(request, was_reset)
{
	struct udma_completions *completions = made(udma_completions_new(1));

	set_copy(self);
	must(udma_channel_submit_one(self->channel, self->transfer));
	end_badly();
	EXPECT_EQ(1, must(udma_channel_read(self->channel, completions, 1)));
	EXPECT_TRUE(udma_completion_was_reset(udma_completions_get(completions, 0)));
	must(udma_channel_submit_one(self->channel, self->transfer));
	end_short();
	EXPECT_EQ(1, must(udma_channel_read(self->channel, completions, 1)));
	EXPECT_FALSE(udma_completion_was_reset(udma_completions_get(completions, 0)));
	udma_completions_free(completions);
}

/* What the channel is */

TEST_F(request, info)
{
	struct udma_channel_info *info;

	fake.info.out_direction = UDMA_DIRECTION_DEV_TO_MEM;
	fake.info.out_directions = 1 << UDMA_DIRECTION_DEV_TO_MEM | 1 << UDMA_DIRECTION_MEM_TO_MEM;
	fake.info.out_residue = UDMA_RESIDUE_BURST;
	fake.info.out_widths = 1 << 4 | 1 << 8;
	fake.info.out_max_burst = 256;
	fake.info.out_width = 4;
	fake.info.out_burst = 16;
	fake.info.out_window = 3;
	fake.info.out_max_ranges = 512;
	info = made(udma_channel_get_info(self->channel));
	EXPECT_EQ(UDMA_CHANNEL_DEV_TO_MEM, udma_channel_info_get_direction(info));
	EXPECT_TRUE(udma_channel_info_has_direction(info, UDMA_CHANNEL_DEV_TO_MEM));
	EXPECT_TRUE(udma_channel_info_has_direction(info, UDMA_CHANNEL_MEM_TO_MEM));
	EXPECT_FALSE(udma_channel_info_has_direction(info, UDMA_CHANNEL_MEM_TO_DEV));
	EXPECT_FALSE(udma_channel_info_has_direction(info, UDMA_CHANNEL_NO_DIRECTION));
	EXPECT_FALSE(udma_channel_info_has_direction(info, 34));
	EXPECT_EQ(UDMA_CHANNEL_RESIDUE_BURST, udma_channel_info_get_residue(info));
	EXPECT_EQ(1 << 4 | 1 << 8, udma_channel_info_get_widths(info));
	EXPECT_EQ(256, udma_channel_info_get_max_burst(info));
	EXPECT_EQ(4, udma_channel_info_get_width(info));
	EXPECT_EQ(16, udma_channel_info_get_burst(info));
	EXPECT_EQ(3, udma_channel_info_get_window(info));
	EXPECT_EQ(512, udma_channel_info_get_max_ranges(info));
	udma_channel_info_free(info);
}

static const struct {
	__u64 bit;
	bool (*can)(const struct udma_channel_info *info);
} capabilities[] = {
	{ UDMA_CAP_COPY, udma_channel_info_can_copy },
	{ UDMA_CAP_FILL, udma_channel_info_can_fill },
	{ UDMA_CAP_COHERENT, udma_channel_info_is_coherent },
	{ UDMA_CAP_INTERLEAVE, udma_channel_info_can_interleave },
	{ UDMA_CAP_MEM_TO_DEV, udma_channel_info_can_send },
	{ UDMA_CAP_DEV_TO_MEM, udma_channel_info_can_receive },
	{ UDMA_CAP_CYCLIC, udma_channel_info_can_cycle },
	{ UDMA_CAP_PAUSE, udma_channel_info_can_pause },
};

TEST_F(request, capabilities)
{
	struct udma_channel_info *info;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++) {
		fake.info.out_capabilities = capabilities[i].bit;
		info = made(udma_channel_get_info(self->channel));
		for (j = 0; j < ARRAY_SIZE(capabilities); j++)
			EXPECT_EQ(i == j, capabilities[j].can(info));
		udma_channel_info_free(info);
	}
}

TEST_HARNESS_MAIN
