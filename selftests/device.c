// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers to and from devices: through a loopback what goes out comes back in, a source
 * gives words that count, and a sink wants the same. What becomes of them when they take
 * too long, are cancelled, or when their program, its file or the channel ends.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_device.h"
#include "udma_program.h"
#include "udma_storm.h"
#include "udma_witness.h"

#define BYTES	4096

/* The next event is of this transfer, and says this. */
#define ends(_fd, _sequence, _status, _bytes, _flags)				\
	do {									\
		struct udma_event __event = {};					\
										\
		must(try_collect(_fd, &__event, 1));				\
		EXPECT_EQ(UDMA_EVENT_TRANSFER, __event.type);			\
		EXPECT_EQ(_sequence, __event.sequence);				\
		EXPECT_EQ(_status, __event.status);				\
		EXPECT_EQ(_bytes, __event.bytes);				\
		EXPECT_EQ(_flags, __event.flags);				\
		EXPECT_EQ(0, __event.count);					\
		EXPECT_EQ(0, __event.position);					\
		EXPECT_EQ(0, __event.lost);					\
	} while (0)

#define has_no_event(_fd)							\
	do {									\
		struct udma_event __event;					\
										\
		EXPECT_EQ(0, try_read_now(_fd, &__event, 1));			\
	} while (0)

/* Loopback */

#define ROOM	(128 * KIB)

FIXTURE(loop)
{
	struct sim sim;
	int out;
	int in;
	struct buffer src;
	struct buffer dst;
	size_t align;
};

FIXTURE_VARIANT(loop)
{
	bool packets;
	const char *granularity;
	unsigned int max_segment;
	unsigned int align;
};

FIXTURE_VARIANT_ADD(loop, bytes)
{
};

FIXTURE_VARIANT_ADD(loop, packets)
{
	.packets = true,
};

FIXTURE_VARIANT_ADD(loop, packets_by_segment)
{
	.packets = true,
	.granularity = "segment",
};

FIXTURE_VARIANT_ADD(loop, packets_by_descriptor)
{
	.packets = true,
	.granularity = "descriptor",
};

FIXTURE_VARIANT_ADD(loop, packets_in_short_segments)
{
	.packets = true,
	.max_segment = 1000,
	.align = 8,
};

/* Shorter than all that alignment is a matter of, and no multiple of it. */
FIXTURE_VARIANT_ADD(loop, bytes_in_very_short_segments)
{
	.max_segment = 100,
	.align = 64,
};

FIXTURE_SETUP(loop)
{
	const struct device_config config = {
		.kind = "loopback",
		.packets = variant->packets,
		.granularity = variant->granularity,
		.max_segment = variant->max_segment,
		.align = variant->align,
	};

	must(try_device_make(&self->sim, &config));
	self->out = must(try_sim_open(&self->sim, TRANSMIT, O_RDWR));
	self->in = must(try_sim_open(&self->sim, RECEIVE, O_RDWR));
	must(try_alloc_map(self->out, ROOM, &self->src));
	must(try_alloc_map(self->in, ROOM, &self->dst));
	self->align = variant->align ?: 1;
}

FIXTURE_TEARDOWN(loop)
{
	works(try_unmap(&self->src));
	works(try_unmap(&self->dst));
	works(close(self->out));
	works(close(self->in));
	works(try_device_end(&self->sim));
}

TEST_F(loop, brings_back_what_goes_out)
{
	const __u64 at = 128, bytes = 4992;
	struct udma_event out, in;

	pattern_prepare(&self->src, at, bytes, PATTERN_OTHER, PATTERN_SOURCE);
	pattern_prepare(&self->dst, at, bytes, PATTERN_GUARD, PATTERN_STALE);
	must(try_submit_one(self->in, receive_request(&self->dst, at, bytes)));
	must(try_run(self->out, send_request(&self->src, at, bytes), &out));
	must(try_collect(self->in, &in, 1));
	EXPECT_EQ(0, out.status);
	EXPECT_EQ(bytes, out.bytes);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, out.flags);
	EXPECT_EQ(0, in.status);
	EXPECT_EQ(bytes, in.bytes);
	EXPECT_EQ(at + bytes, pattern_differs(self->dst.mem, at, at + bytes, PATTERN_SOURCE));
	EXPECT_TRUE(pattern_outside(&self->dst, at, bytes, PATTERN_GUARD));
}

/* Ranges of one buffer, up to @most that are @bytes together, with something between them. */
static __u32 split(const struct buffer *buffer, struct udma_range *ranges, __u32 most,
		   size_t bytes, size_t align, __u64 *chance)
{
	size_t at = 0, piece;
	__u32 count = 0;

	while (bytes) {
		at += align * (1 + below(chance, 4));
		piece = align * (1 + below(chance, 2 * bytes / (most - count) / align + 1));
		if (count + 1 == most || piece > bytes)
			piece = bytes;
		ranges[count++] = range_of(buffer, at, piece);
		at += piece;
		bytes -= piece;
	}
	return count;
}

/* Between what is in ranges, one after the other, and memory without gaps */

static void gather(unsigned char *mem, const struct buffer *buffer,
		   const struct udma_range *ranges, __u32 count)
{
	for (; count--; mem += ranges++->bytes)
		memcpy(mem, buffer->mem + ranges->offset, ranges->bytes);
}

/* Whether all that is not in a range is a guard still. */
static bool gaps_are_whole(const struct buffer *buffer, const struct udma_range *ranges,
			   __u32 count)
{
	__u64 at = 0;

	for (; count--; ranges++) {
		if (pattern_differs(buffer->mem, at, ranges->offset, PATTERN_GUARD) !=
		    ranges->offset)
			return false;
		at = ranges->offset + ranges->bytes;
	}
	return pattern_differs(buffer->mem, at, buffer->bytes, PATTERN_GUARD) == buffer->bytes;
}

TEST_F(loop, brings_back_every_mix_of_ranges)
{
	/* The last one has more than are given to the controller at a time. */
	static const __u32 mixes[][2] = {
		{ 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 30, 17 }, { 17, 30 }, { 120, 120 },
		{ 4, 600 },
	};
	static unsigned char sent[ROOM], received[ROOM];
	static struct udma_range to[600], from[600];
	struct udma_request send, receive;
	__u64 chance = seed();
	__u32 nr_to, nr_from;
	unsigned int i;
	size_t bytes;

	say("seed %llu", (unsigned long long)chance);
	for (i = 0; i < ARRAY_SIZE(mixes); i++) {
		bytes = self->align * (600 + below(&chance, 16 * KIB / self->align - 240));
		if (bytes > 48 * KIB)
			bytes = 48 * KIB;
		nr_from = split(&self->src, from, mixes[i][0], bytes, self->align, &chance);
		nr_to = split(&self->dst, to, mixes[i][1], bytes, self->align, &chance);
		for (size_t at = 0; at < ROOM; at++)
			self->src.mem[at] = below(&chance, 256);
		pattern_write(self->dst.mem, 0, ROOM, PATTERN_GUARD);
		gather(sent, &self->src, from, nr_from);

		send = (struct udma_request) { .op = UDMA_OP_MEM_TO_DEV, .user_data = i };
		request_set_src(&send, from, nr_from);
		receive = (struct udma_request) { .op = UDMA_OP_DEV_TO_MEM, .user_data = ~i };
		request_set_dst(&receive, to, nr_to);
		must(try_submit_one(self->in, receive));
		must(try_submit_one(self->out, send));
		ends(self->out, i + 1, 0, bytes, UDMA_EVENT_F_EXACT);
		if (variant->packets && (nr_to > 256 || variant->max_segment)) {
			/* More than one packet, each of which may end a part of it. */
			struct udma_event event;

			must(try_collect(self->in, &event, 1));
		} else {
			const bool told = !variant->granularity ||
					  strcmp(variant->granularity, "descriptor");

			ends(self->in, i + 1, 0, bytes, told ? UDMA_EVENT_F_EXACT : 0);
		}
		gather(received, &self->dst, to, nr_to);
		EXPECT_EQ(0, memcmp(sent, received, bytes))
			TH_LOG("%zu bytes, %u to %u", bytes, nr_from, nr_to);
		EXPECT_TRUE(gaps_are_whole(&self->dst, to, nr_to));
	}
}

TEST_F(loop, tells_of_a_short_packet_what_it_can)
{
	const size_t sent = 1000, posted = BYTES;
	struct udma_range ranges[8];
	struct udma_request list = { .op = UDMA_OP_DEV_TO_MEM };
	struct udma_event event;
	unsigned int i;

	/* A stream of bytes has none. */
	if (!variant->packets)
		return;
	pattern_write(self->src.mem, 0, sent, PATTERN_SOURCE);
	pattern_write(self->dst.mem, 0, posted, PATTERN_STALE);
	must(try_submit_one(self->in, receive_request(&self->dst, 0, posted)));
	must(try_run(self->out, send_request(&self->src, 0, sent), &event));
	must(try_collect(self->in, &event, 1));
	EXPECT_EQ(0, event.status);
	/* It is there, whatever is told of it, and no more. */
	EXPECT_EQ(sent, pattern_differs(self->dst.mem, 0, sent, PATTERN_SOURCE));
	EXPECT_EQ(posted, pattern_differs(self->dst.mem, sent, posted, PATTERN_STALE));
	if (!variant->granularity) {
		EXPECT_EQ(UDMA_EVENT_F_SHORT | UDMA_EVENT_F_EXACT, event.flags);
		EXPECT_EQ(sent, event.bytes);
	} else if (!strcmp(variant->granularity, "segment")) {
		/* So much at least, since some tell of no more than whole ranges. */
		EXPECT_EQ(UDMA_EVENT_F_SHORT, event.flags);
		EXPECT_EQ(sent, event.bytes);
	} else {
		EXPECT_EQ(0, event.flags & UDMA_EVENT_F_EXACT);
	}

	/* The same into a list, whose ranges are what is told. */
	for (i = 0; i < 8; i++)
		ranges[i] = range_of(&self->dst, i * 512, 256);
	request_set_dst(&list, ranges, 8);
	must(try_submit_one(self->in, list));
	must(try_run(self->out, send_request(&self->src, 0, sent), &event));
	must(try_collect(self->in, &event, 1));
	if (!variant->granularity) {
		EXPECT_EQ(UDMA_EVENT_F_SHORT | UDMA_EVENT_F_EXACT, event.flags);
		EXPECT_EQ(sent, event.bytes);
	} else if (!strcmp(variant->granularity, "segment")) {
		EXPECT_EQ(UDMA_EVENT_F_SHORT, event.flags);
		EXPECT_EQ(sent, event.bytes);
	} else {
		EXPECT_EQ(0, event.flags & UDMA_EVENT_F_EXACT);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, memcmp(self->dst.mem + i * 512, self->src.mem + i * 256, 256));
}

/* As many bytes as there is room for: nothing is short. */
TEST_F(loop, tells_of_a_whole_packet)
{
	struct udma_event event;

	must(try_submit_one(self->in, receive_request(&self->dst, 0, 960)));
	must(try_run(self->out, send_request(&self->src, 0, 960), &event));
	must(try_collect(self->in, &event, 1));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(960, event.bytes);
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_SHORT);
}

TEST_F(loop, goes_on_in_the_next_receive_with_a_longer_packet)
{
	const bool packets = variant->packets && !variant->granularity;
	unsigned int i;

	pattern_write(self->src.mem, 0, 3 * 960 + 512, PATTERN_SOURCE);
	must(try_submit_one(self->out, send_request(&self->src, 0, 2 * 960 + 512)));
	must(try_submit_one(self->out, send_request(&self->src, 2 * 960 + 512, 960)));
	for (i = 0; i < 4; i++) {
		must(try_submit_one(self->in, receive_request(&self->dst, i * BYTES, 960)));
	}
	if (!packets) {
		/* Where there are no ends of packets what is missing is waited for. */
		must(try_submit_one(self->out, send_request(&self->src, 0, 448)));
	} else if (!variant->max_segment) {
		ends(self->in, 1, 0, 960, UDMA_EVENT_F_EXACT);
		ends(self->in, 2, 0, 960, UDMA_EVENT_F_EXACT);
		ends(self->in, 3, 0, 512, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
		ends(self->in, 4, 0, 960, UDMA_EVENT_F_EXACT);
		EXPECT_EQ(960, pattern_differs(self->dst.mem, 0, 960, PATTERN_SOURCE));
		EXPECT_EQ(0, memcmp(self->dst.mem + 2 * BYTES, self->src.mem + 2 * 960, 512));
		EXPECT_EQ(0, memcmp(self->dst.mem + 3 * BYTES, self->src.mem + 2 * 960 + 512, 960));
		return;
	}
	for (i = 0; i < 4; i++) {
		struct udma_event event;

		must(try_collect(self->in, &event, 1));
		EXPECT_EQ(i + 1, event.sequence);
		EXPECT_EQ(0, event.status);
	}
}

/* The FIFO holds 64 KiB: what is more waits for somebody to take it. */
TEST_F(loop, holds_up_a_transmit_that_nobody_takes)
{
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		pattern_write(self->src.mem + i * 32 * KIB, 0, 32 * KIB, PATTERN_SOURCE);
		must(try_submit_one(self->out, send_request(&self->src, i * 32 * KIB, 32 * KIB)));
	}
	ends(self->out, 1, 0, 32 * KIB, UDMA_EVENT_F_EXACT);
	ends(self->out, 2, 0, 32 * KIB, UDMA_EVENT_F_EXACT);
	/* One of so many pieces goes as two. */
	must(try_wait_pending(&self->sim, variant->max_segment == 100 ? 2 : 1));
	EXPECT_EQ(POLLOUT, poll_now(self->out));
	for (i = 0; i < 3; i++) {
		const size_t at = i * 32 * KIB;

		must(try_run(self->in, receive_request(&self->dst, at, 32 * KIB), &event));
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(32 * KIB, pattern_differs(self->dst.mem + at, 0, 32 * KIB,
						    PATTERN_SOURCE));
	}
	ends(self->out, 3, 0, 32 * KIB, UDMA_EVENT_F_EXACT);
}

TEST_F(loop, keeps_order)
{
	const unsigned int count = 200;
	unsigned int i, sent = 0, received = 0, posted = 0, told = 0;
	struct udma_event event;

	/* As many under way as go, both ways, and each is checked by what is in it. */
	while (received < count) {
		for (; sent < count && sent < received + 40; sent++) {
			const __u64 at = sent % 64 * 1024;

			memset(self->src.mem + at, sent, 512);
			must(try_submit_one(self->out, send_request(&self->src, at, 512)));
		}
		for (; posted < count && posted < received + 40; posted++) {
			struct udma_request receive =
				receive_request(&self->dst, posted % 64 * 1024, 512);

			receive.user_data = posted;
			must(try_submit_one(self->in, receive));
		}
		must(try_collect(self->in, &event, 1));
		ASSERT_EQ(received, event.user_data);
		ASSERT_EQ(0, event.status);
		ASSERT_EQ(-1, find_other(self->dst.mem + received % 64 * 1024, 512, received));
		received++;
		while (told < sent && try_read_now(self->out, &event, 1) == 1) {
			told++;
			ASSERT_EQ(told, event.sequence);
			ASSERT_EQ(0, event.status);
		}
	}
	for (i = told; i < count; i++) {
		must(try_collect(self->out, &event, 1));
	}
}

/* What is seen of one kind of them is so with all. */

FIXTURE(packet)
{
	struct sim sim;
	int out;
	int in;
	struct buffer src;
	struct buffer dst;
};

FIXTURE_SETUP(packet)
{
	static const struct device_config config = {
		.kind = "loopback",
		.packets = true,
	};

	must(try_device_make(&self->sim, &config));
	self->out = must(try_sim_open(&self->sim, TRANSMIT, O_RDWR));
	self->in = must(try_sim_open(&self->sim, RECEIVE, O_RDWR));
	must(try_alloc_map(self->out, ROOM, &self->src));
	must(try_alloc_map(self->in, ROOM, &self->dst));
}

FIXTURE_TEARDOWN(packet)
{
	works(try_unmap(&self->src));
	works(try_unmap(&self->dst));
	works(close(self->out));
	works(close(self->in));
	works(try_device_end(&self->sim));
}

/* Eight pieces of a packet, far from each other. */
static struct udma_request pieces_request(const struct buffer *src, struct udma_range *ranges)
{
	struct udma_request send = { .op = UDMA_OP_MEM_TO_DEV };
	unsigned int i;

	for (i = 0; i < 8; i++)
		ranges[i] = range_of(src, i * 1024, 256);
	request_set_src(&send, ranges, 8);
	return send;
}

/*
 * The controller takes fewer pieces: then there are fewer, and of what was one packet come
 * several. No byte is lost for it, and whoever has the channel next may be luckier.
 */
TEST_F(packet, is_cut_when_the_controller_does_not_take_it)
{
	const struct device_config config = {
		.kind = "loopback",
		.packets = true,
		.max_pieces = 3,
	};
	struct udma_range ranges[8];
	struct udma_event event;
	struct buffer src, dst;
	unsigned int i, round;
	struct sim sim;
	int out, in;

	must(try_device_make(&sim, &config));
	in = must(try_sim_open(&sim, RECEIVE, O_RDWR));
	must(try_alloc_map(in, ROOM, &dst));
	for (round = 0; round < 2; round++) {
		out = must(try_sim_open(&sim, TRANSMIT, O_RDWR));
		must(try_alloc_map(out, ROOM, &src));
		pattern_write(src.mem, 0, 8 * 1024, PATTERN_SOURCE);
		memset(dst.mem, 0, ROOM);
		must(try_run(out, pieces_request(&src, ranges), &event));
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(2048, event.bytes);
		/* Of eight four are too many, of four two are not. */
		for (i = 0; i < 4; i++) {
			must(try_run(in, receive_request(&dst, i * 512, BYTES), &event));
			EXPECT_EQ(0, event.status);
			EXPECT_EQ(512, event.bytes);
		}
		for (i = 0; i < 8; i++)
			EXPECT_EQ(0, memcmp(dst.mem + i * 256, src.mem + i * 1024, 256));
		must(try_unmap(&src));
		must(close(out));
	}
	must(try_unmap(&dst));
	must(close(in));
	must(try_device_end(&sim));
}

/*
 * Too many pieces for one descriptor, and room in the window for more of them: what a short
 * packet leaves of its receive is not for the next packet.
 */
TEST_F(packet, does_not_get_what_another_has_left)
{
	static const unsigned int count = 300, each = 64;
	const struct udma_request next = receive_request(&self->dst, count * each, BYTES);
	struct udma_request all = { .op = UDMA_OP_DEV_TO_MEM };
	struct udma_range ranges[count];
	struct udma_event event;
	unsigned int i, j;

	must(try_chan_set(&self->sim, RECEIVE, "window", 8));
	for (i = 0; i < count; i++)
		ranges[i] = range_of(&self->dst, i * each, each);
	request_set_dst(&all, ranges, count);
	pattern_write(self->src.mem, 0, ROOM, PATTERN_SOURCE);
	for (i = 0; i < 3; i++) {
		/* In the first of two descriptors, in the second, and none of it left. */
		const unsigned int bytes[] = { 100, 256 * each + 100, count * each };

		must(try_submit_one(self->in, all));
		must(try_submit_one(self->in, next));
		must(try_run(self->out, send_request(&self->src, 0, bytes[i]), &event));
		ends(self->in, 2 * i + 1, 0, bytes[i],
		     UDMA_EVENT_F_EXACT | (i < 2 ? UDMA_EVENT_F_SHORT : 0));
		EXPECT_EQ(0, memcmp(self->dst.mem, self->src.mem, bytes[i]));
		has_no_event(self->in);
		memset(self->dst.mem, 0, ROOM);
		must(try_run(self->out, send_request(&self->src, 1, 200), &event));
		ends(self->in, 2 * i + 2, 0, 200, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
		EXPECT_EQ(0, memcmp(self->dst.mem + count * each, self->src.mem + 1, 200));
		for (j = 0; j < count * each; j++)
			ASSERT_EQ(0, self->dst.mem[j]);
	}
}

/* One that says no for a moment says nothing of how many pieces it takes. */
TEST_F(packet, is_whole_when_the_controller_refuses_it_for_a_moment)
{
	struct udma_range ranges[8];

	must(try_sim_set(&self->sim, "refuse_at", 1));
	must(try_submit_one(self->out, pieces_request(&self->src, ranges)));
	ends(self->out, 1, 0, 2048, UDMA_EVENT_F_EXACT);
	must(try_submit_one(self->in, receive_request(&self->dst, 0, BYTES)));
	ends(self->in, 1, 0, 2048, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
}

/* A provider that had no memory for a while says nothing of how many pieces it takes. */
TEST_F(packet, is_whole_again_when_the_controller_has_recovered)
{
	struct udma_range ranges[8];
	struct udma_request send = { .op = UDMA_OP_MEM_TO_DEV };
	unsigned int i;

	for (i = 0; i < 8; i++)
		ranges[i] = range_of(&self->src, i * 1024, 256);
	request_set_src(&send, ranges, 8);
	must(try_sim_set(&self->sim, "refuse", 1));
	must(try_submit_one(self->out, send));
	ends(self->out, 1, -EIO, 0, UDMA_EVENT_F_EXACT);
	must(try_sim_set(&self->sim, "refuse", 0));
	must(try_submit_one(self->out, send));
	ends(self->out, 2, 0, 2048, UDMA_EVENT_F_EXACT);
	must(try_submit_one(self->in, receive_request(&self->dst, 0, BYTES)));
	ends(self->in, 1, 0, 2048, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
}

/*
 * A controller that tells of what it was given together when all of it is done: with one
 * receive at a time, as it is by itself, one packet is one event, however many wait.
 */
TEST_F(packet, tells_of_one_packet_when_it_is_there)
{
	struct udma_event event, events[8];
	struct udma_request requests[8];
	__u64 end = 0;
	unsigned int i;

	must(try_sim_set(&self->sim, "coalesce", 1));
	for (i = 0; i < 8; i++)
		requests[i] = receive_request(&self->dst, i * BYTES, BYTES);
	must(try_submit_all(self->in, requests, 8));
	must(try_run(self->out, send_request(&self->src, 0, 100), &event));
	ends(self->in, 1, 0, 100, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
	has_no_event(self->in);
	for (i = 0; i < 7; i++) {
		must(try_run(self->out, send_request(&self->src, 0, 200 + i), &event));
		ends(self->in, i + 2, 0, 200 + i, UDMA_EVENT_F_EXACT | UDMA_EVENT_F_SHORT);
		has_no_event(self->in);
	}

	/* With more at a time the packet is there, and nobody is told. */
	must(try_chan_set(&self->sim, RECEIVE, "window", 8));
	must(try_submit_all(self->in, requests, 8));
	memset(self->dst.mem, 0, ROOM);
	memset(self->src.mem, 0xab, 100);
	for (i = 0; i < 7; i++) {
		must(try_run(self->out, send_request(&self->src, 0, 100), &event));
	}
	while (__atomic_load_n(&self->dst.mem[6 * BYTES + 99], __ATOMIC_ACQUIRE) != 0xab)
		ASSERT_TRUE(look_again(&end));
	has_no_event(self->in);
	must(try_run(self->out, send_request(&self->src, 0, 100), &event));
	must(try_collect(self->in, events, 8));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(9 + i, events[i].sequence);
		EXPECT_EQ(100, events[i].bytes);
	}
}

/* Source and sink */

FIXTURE(device)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	bool is_unbound;
};

FIXTURE_VARIANT(device)
{
	struct device_config config;
	bool is_sink;
	bool exact;		/* what has come is known to the byte */
	bool near;		/* it is known, but it may have become more */
};

FIXTURE_VARIANT_ADD(device, that_tells_bytes)
{
	.config.kind = "source",
	.exact = true,
	.near = true,
};

FIXTURE_VARIANT_ADD(device, that_tells_bytes_and_cannot_rest)
{
	.config.kind = "source",
	.config.no_pause = true,
	.near = true,
};

FIXTURE_VARIANT_ADD(device, that_tells_segments)
{
	.config.kind = "source",
	.config.granularity = "segment",
};

FIXTURE_VARIANT_ADD(device, that_tells_nothing)
{
	.config.kind = "source",
	.config.granularity = "descriptor",
};

FIXTURE_VARIANT_ADD(device, that_takes)
{
	.config.kind = "sink",
	.is_sink = true,
	.exact = true,
	.near = true,
};

FIXTURE_SETUP(device)
{
	struct device_config config = variant->config;

	config.channels = 1;
	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, 64 * BYTES, &self->buffer));
}

/* A program that comes afterwards finds the channel in order. */
static const char *next_comes(const struct sim *sim, bool is_sink)
{
	struct udma_event event;
	struct buffer buffer;
	int fd;

	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc_map(fd, BYTES, &buffer))
		return strerror(errno);
	if (try_run(fd, is_sink ? send_request(&buffer, 0, BYTES) :
				  receive_request(&buffer, 0, BYTES), &event))
		return strerror(errno);
	if (try_unmap(&buffer) || close(fd))
		return strerror(errno);
	return event.status ? strerror(-event.status) : event.bytes == BYTES ? "works" : "short";
}

FIXTURE_TEARDOWN(device)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	if (!self->is_unbound) {
		EXPECT_STREQ("works", next_comes(&self->sim, variant->is_sink));
		works(try_sim_unbind(&self->sim, 0));
	}
	works(try_sim_end(&self->sim));
}

static struct udma_request move_request(const struct buffer *buffer, bool is_sink, unsigned int i)
{
	return is_sink ? send_request(buffer, i * BYTES, BYTES) :
			 receive_request(buffer, i * BYTES, BYTES);
}

#define moves(_number)	move_request(&self->buffer, variant->is_sink, _number)

/* Of a transfer that was stopped so far on: what is told, and whether that is all. */
#define is_stopped(_sequence, _status, _came, _flags)				\
	ends(self->fd, _sequence, _status, variant->near ? _came : 0,		\
	     (_flags) | (variant->exact ? UDMA_EVENT_F_EXACT : 0))

TEST_F(device, waits_for_as_long_as_it_takes)
{
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_step(&self->sim, 1));
	ends(self->fd, 1, 0, BYTES,
	     variant->config.granularity && !strcmp(variant->config.granularity, "descriptor") ?
	     0 : UDMA_EVENT_F_EXACT);
}

TEST_F(device, is_cancelled_in_hardware)
{
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "step_bytes", 1000));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	is_stopped(1, -ECANCELED, 1000, 0);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/resets"));
	has_no_event(self->fd);
	fails(ENOENT, try_cancel(self->fd, 1));
}

TEST_F(device, takes_longer_than_its_timeout)
{
	struct udma_request request = timed(moves(0), 1000000000ULL);

	must(try_submit_one(self->fd, request));
	must(try_submit_one(self->fd, moves(1)));
	must(try_wait_sim(&self->sim, "pending", variant->is_sink ? 2 : 1));
	must(try_sim_set(&self->sim, "step_bytes", 1000));
	is_stopped(1, -ETIMEDOUT, 1000, 0);
	if (variant->is_sink) {
		/* Which hardware had as well. */
		is_stopped(2, -EIO, 0, UDMA_EVENT_F_RESET);
	} else {
		must(try_step(&self->sim, 1));
		must(try_wait_for(self->fd, POLLIN));
		struct udma_event event;

		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(2, event.sequence);
		EXPECT_EQ(0, event.status);
	}
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/timeouts"));
}

/* Root's timeout is for all that have none. */
TEST_F(device, has_the_timeout_of_its_channel)
{
	struct udma_request never = moves(1);

	never.timeout_ns = UDMA_TIMEOUT_NEVER;
	must(try_chan_set(&self->sim, 0, "timeout_ms", 1));
	must(try_submit_one(self->fd, moves(0)));
	is_stopped(1, -ETIMEDOUT, 0, 0);
	must(try_submit_one(self->fd, never));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	struct udma_event event;

	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	must(try_chan_set(&self->sim, 0, "timeout_ms", 0));
}

/*
 * Of six, four are in hardware, and the second is cancelled: it says so, the others of
 * hardware have ended too, and say that they may come again, and the rest goes on.
 */
TEST_F(device, takes_along_what_hardware_has)
{
	struct udma_event event;
	unsigned int i;

	must(try_chan_set(&self->sim, 0, "window", 4));
	for (i = 0; i < 6; i++) {
		must(try_submit_one(self->fd, moves(i)));
	}
	must(try_wait_pending(&self->sim, 4));
	/* One of the queue */
	EXPECT_EQ(1, try_cancel(self->fd, 5));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(5, event.sequence);
	EXPECT_EQ(-ECANCELED, event.status);
	EXPECT_EQ(0, event.bytes);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));

	must(try_sim_set(&self->sim, "step_bytes", 256));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	for (i = 1; i <= 4; i++) {
		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(i, event.sequence);
		EXPECT_EQ(event.sequence == 2 ? -ECANCELED : -EIO, event.status);
		EXPECT_EQ(event.sequence == 2 ? 0 : UDMA_EVENT_F_RESET,
			  event.flags & ~(__u32)UDMA_EVENT_F_EXACT);
		EXPECT_EQ(event.sequence == 1 && variant->near ? 256 : 0, event.bytes);
	}
	has_no_event(self->fd);
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(6, event.sequence);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(BYTES, event.bytes);
	if (!variant->is_sink)
		EXPECT_EQ(BYTES, counting_differs(self->buffer.mem + 5 * BYTES, 0, 256, BYTES));
}

TEST_F(device, is_cancelled_with_all_others)
{
	struct udma_event events[6];
	unsigned int i;

	must(try_chan_set(&self->sim, 0, "window", 2));
	for (i = 0; i < 6; i++) {
		must(try_submit_one(self->fd, moves(i)));
	}
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(6, try_cancel_all(self->fd));
	must(try_collect(self->fd, events, 6));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(-ECANCELED, events[i].status);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/resets"));
	EXPECT_EQ(0, try_cancel_all(self->fd));
}

TEST_F(device, keeps_to_fences)
{
	struct udma_event events[3];

	must(try_chan_set(&self->sim, 0, "window", 4));
	must(try_submit_one(self->fd, moves(0)));
	must(try_submit_one(self->fd, fenced(moves(1))));
	must(try_submit_one(self->fd, moves(2)));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, 2));
	must(try_step(&self->sim, 2));
	must(try_collect(self->fd, events, 3));
	EXPECT_EQ(1, events[0].sequence);
	EXPECT_EQ(2, events[1].sequence);
	EXPECT_EQ(3, events[2].sequence);
}

/* Nobody is asked: hardware has been reset, and each says why. */
TEST_F(device, ends_when_root_resets_it)
{
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "step_bytes", 1000));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	is_stopped(1, -EIO, 1000, UDMA_EVENT_F_RESET);
}

TEST_F(device, hangs_until_root_resets_it)
{
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_sim_write(&self->sim, "hang_cure", "terminate"));
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	is_stopped(1, -EIO, 0, UDMA_EVENT_F_RESET);
}

/* Only if root says for how long it may end nothing. */
TEST_F(device, stalls_when_root_has_said_so)
{
	must(try_chan_set(&self->sim, 0, "stall_ms", 100));
	must(try_submit_one(self->fd, moves(0)));
	is_stopped(1, -ETIMEDOUT, 0, 0);
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/stalls"));
	must(try_chan_set(&self->sim, 0, "stall_ms", 0));
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	is_stopped(2, -ECANCELED, 0, 0);
}

TEST_F(device, fails)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "fail_at", 2));
	must(try_submit_one(self->fd, moves(0)));
	must(try_submit_one(self->fd, moves(1)));
	must(try_submit_one(self->fd, moves(2)));
	must(try_step(&self->sim, 3));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(2, event.sequence);
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, event.flags & (UDMA_EVENT_F_RESET | UDMA_EVENT_F_HELD | UDMA_EVENT_F_SHORT));
	EXPECT_EQ(0, event.bytes);
	/* Those behind it go on. */
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(3, event.sequence);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
}

TEST_F(device, cannot_be_stopped_and_heals_when_root_resets_it)
{
	must(try_submit_one(self->fd, moves(0)));
	must(try_submit_one(self->fd, moves(1)));
	must(try_wait_sim(&self->sim, "pending", variant->is_sink ? 2 : 1));
	must(try_sim_set(&self->sim, "terminate_fail", 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	struct udma_event events[2];

	must(try_collect(self->fd, events, 2));
	EXPECT_EQ(-EIO, events[0].status);
	EXPECT_EQ(UDMA_EVENT_F_HELD, events[0].flags);
	EXPECT_EQ(-EIO, events[1].status);
	/* The second one is held where hardware had it. */
	EXPECT_EQ(variant->is_sink ? UDMA_EVENT_F_HELD : 0, events[1].flags & UDMA_EVENT_F_HELD);
	fails(EIO, try_submit_one(self->fd, moves(0)));
	fails(EIO, try_chan_set(&self->sim, 0, "reset", 1));
	fails(EIO, try_submit_one(self->fd, moves(0)));
	must(try_sim_set(&self->sim, "terminate_fail", 0));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/heals"));
	must(try_submit_one(self->fd, moves(0)));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, events, 1));
	EXPECT_EQ(3, events[0].sequence);
	EXPECT_EQ(0, events[0].status);
}

/* It has let go of all that it had: that is seen, though nobody has stopped it. */
TEST_F(device, cannot_be_stopped_and_heals_when_it_has_let_go)
{
	struct udma_event event;

	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "terminate_fail", 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(UDMA_EVENT_F_HELD, event.flags);
	must(try_free(self->fd, self->buffer.handle));
	must(try_step(&self->sim, 1));
	must(try_wait_chan(&self->sim, 0, "recovery/heals", 1));
	must(try_sim_set(&self->sim, "terminate_fail", 0));
	must(try_unmap(&self->buffer));
	must(try_wait_chan(&self->sim, 0, "used_bytes", 0));
	must(try_alloc_map(self->fd, 64 * BYTES, &self->buffer));
	must(try_submit_one(self->fd, moves(0)));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(2, event.sequence);
	EXPECT_EQ(0, event.status);
}

/* The end of a file */

TEST_F(device, has_one_owner)
{
	const int other = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct udma_event event;
	struct udma_info info;
	struct buffer buffer;
	struct udma_request request, nothing = moves(0);

	must(try_info(other, &info));
	must(try_alloc(other, BYTES, &buffer));
	request = move_request(&buffer, variant->is_sink, 0);
	/* Not who came first, nor who was refused, but who has submitted something. */
	nothing.dst_handle = 0;
	nothing.src_handle = 0;
	fails(ENOENT, try_submit_one(self->fd, nothing));
	must(try_submit_one(other, request));
	fails(EBUSY, try_submit_one(self->fd, moves(0)));
	must(try_step(&self->sim, 1));
	must(try_collect(other, &event, 1));
	EXPECT_EQ(0, event.status);
	/* Also when it has nothing under way any more. */
	fails(EBUSY, try_submit_one(self->fd, moves(0)));
	fails(EBUSY, try_submit(self->fd, (struct udma_request[]) { moves(0), moves(1) }, 2));
	if (!variant->is_sink) {
		struct udma_stream_start start = packets_start(&self->buffer, 4 * BYTES, BYTES);

		fails(EBUSY, try_stream_start(self->fd, &start));
		start = cyclic_start(&self->buffer, 4 * BYTES, BYTES);
		fails(EBUSY, try_stream_start(self->fd, &start));
	}
	fails(ENOENT, try_cancel(self->fd, 1));
	must(try_submit_one(other, request));
	must(try_wait_pending(&self->sim, 1));
	/* It ends with the file, and hardware is taken what it had. */
	must(close(other));
	must(try_submit_one(self->fd, moves(1)));
	must(try_wait_sim(&self->sim, "pending", 1));
	must(try_wait_chan(&self->sim, 0, "recovery/resets", 1));
	must(try_wait_sim(&self->sim, "pending", 1));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(BYTES, event.bytes);
	has_no_event(self->fd);
}

/* Somebody who moves something, and does not live to see it. */
static pid_t try_mover(const struct sim *sim, bool is_sink)
{
	struct buffer buffer;
	int pipes[2], fd;
	char byte;
	pid_t pid;

	if (pipe(pipes))
		return -1;
	pid = fork();
	if (pid)
		return pid < 0 || read(pipes[0], &byte, 1) != 1 ? -1 : pid;
	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc_map(fd, 8 * BYTES, &buffer) ||
	    try_submit_one(fd, move_request(&buffer, is_sink, 0)) != 1 ||
	    try_submit_one(fd, move_request(&buffer, is_sink, 1)) != 1 ||
	    try_wait_sim(sim, "pending", is_sink ? 2 : 1) || write(pipes[1], "x", 1) != 1)
		_exit(1);
	pause();
	_exit(2);
}

TEST_F(device, passes_on_when_its_owner_is_killed)
{
	const struct ledger before = ledger_read(&self->sim);
	struct udma_event event;
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		const pid_t pid = must(try_mover(&self->sim, variant->is_sink));

		fails(EBUSY, try_submit_one(self->fd, moves(0)));
		must(kill(pid, SIGKILL));
		must(waitpid(pid, NULL, 0));
		must(try_wait_chan(&self->sim, 0, "recovery/resets", i));
		must(try_wait_pending(&self->sim, 0));
		must(try_ledger_wait(&self->sim, &before));
		EXPECT_EQ(POLLOUT, poll_now(self->fd));
	}
	must(try_submit_one(self->fd, moves(0)));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
}

TEST_F(device, can_be_had_alone)
{
	int fd;

	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
	must(try_unmap(&self->buffer));
	must(close(self->fd));
	fd = must(try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDONLY));
	must(try_alloc_map(fd, 64 * BYTES, &self->buffer));
	self->fd = fd;
	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	is_stopped(1, -ECANCELED, 0, 0);
}

TEST_F(device, ends_with_its_channel)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_chan_set(&self->sim, 0, "window", 2));
	for (i = 0; i < 4; i++) {
		must(try_submit_one(self->fd, moves(i)));
	}
	must(try_wait_pending(&self->sim, 2));
	must(try_sim_set(&self->sim, "step_bytes", 1000));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	must(try_collect(self->fd, events, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-ENODEV, events[i].status);
		EXPECT_EQ(events[i].sequence == 1 && variant->near ? 1000 : 0, events[i].bytes);
	}
	fails(ENODEV, try_read(self->fd, events, 1));
	fails(ENODEV, try_submit_one(self->fd, moves(0)));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(device, ends_with_its_controller)
{
	struct udma_event event;

	must(try_submit_one(self->fd, moves(0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "live", 0));
	self->is_unbound = true;
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	fails(ENODEV, try_read(self->fd, &event, 1));
}

TEST_F(device, keeps_memory_whose_handle_is_freed)
{
	const long bytes = chan_get(&self->sim, 0, "used_bytes");
	struct udma_event event;
	struct buffer buffer;

	must(try_alloc_map(self->fd, BYTES, &buffer));
	must(try_submit_one(self->fd, move_request(&buffer, variant->is_sink, 0)));
	must(try_wait_pending(&self->sim, 1));
	must(try_free(self->fd, buffer.handle));
	must(try_unmap(&buffer));
	EXPECT_LT(bytes, chan_get(&self->sim, 0, "used_bytes"));
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, event.status);
	must(try_wait_chan(&self->sim, 0, "used_bytes", bytes));
}

/* Against the pattern */

FIXTURE(pattern)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
};

FIXTURE_VARIANT(pattern)
{
	const char *first;
	__u32 first_word;
};

FIXTURE_VARIANT_ADD(pattern, from_zero)
{
	.first = "0",
};

FIXTURE_VARIANT_ADD(pattern, across_the_largest_word)
{
	.first = "0xffffff00",
	.first_word = 0xffffff00,
};

FIXTURE_SETUP(pattern)
{
}

FIXTURE_TEARDOWN(pattern)
{
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

static int try_pattern(struct sim *sim, const char *kind, const char *first,
		       struct buffer *buffer)
{
	const struct device_config config = {
		.kind = kind,
		.channels = 1,
		.pattern_first = first,
	};
	int fd;

	if (try_device_make(sim, &config))
		return -1;
	fd = try_sim_open(sim, 0, O_RDWR);
	return fd < 0 || try_alloc_map(fd, 64 * KIB, buffer) ? -1 : fd;
}

static const unsigned int lengths[] = { 1, 2, 3, 4, 5, 7, 1023, 4096, 1, 8191, 20000 };

TEST_F(pattern, is_received_across_transfers)
{
	struct udma_request requests[ARRAY_SIZE(lengths)];
	struct udma_event event;
	__u64 at = 0;
	unsigned int i;

	self->fd = must(try_pattern(&self->sim, "source", variant->first, &self->buffer));
	memset(self->buffer.mem, 0xee, 64 * KIB);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		requests[i] = receive_request(&self->buffer, at, lengths[i]);
		at += lengths[i];
	}
	must(try_submit_all(self->fd, requests, ARRAY_SIZE(lengths)));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(i + 1, event.sequence);
		EXPECT_EQ(lengths[i], event.bytes);
	}
	EXPECT_EQ(at, counting_differs(self->buffer.mem, variant->first_word, 0, at));
	EXPECT_EQ(-1, find_other(self->buffer.mem + at, 64 * KIB - at, 0xee));
}

/* What a cancelled one has received is gone, and no more than that. */
TEST_F(pattern, goes_on_behind_a_cancel)
{
	struct udma_event event;

	self->fd = must(try_pattern(&self->sim, "source", variant->first, &self->buffer));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_one(self->fd, receive_request(&self->buffer, 0, BYTES)));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_set(&self->sim, "step_bytes", 1001));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	ends(self->fd, 1, -ECANCELED, 1001, UDMA_EVENT_F_EXACT);
	EXPECT_EQ(1001, counting_differs(self->buffer.mem, variant->first_word, 0, 1001));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_run(self->fd, receive_request(&self->buffer, 0, BYTES), &event));
	EXPECT_EQ(BYTES, counting_differs(self->buffer.mem, variant->first_word, 1001, BYTES));
}

TEST_F(pattern, is_sent_and_checked)
{
	struct udma_request requests[ARRAY_SIZE(lengths)];
	struct udma_event event;
	__u64 at = 0;
	unsigned int i;

	self->fd = must(try_pattern(&self->sim, "sink", variant->first, &self->buffer));
	counting_write(self->buffer.mem, variant->first_word, 0, 64 * KIB);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		requests[i] = send_request(&self->buffer, at, lengths[i]);
		at += lengths[i];
	}
	must(try_submit_all(self->fd, requests, ARRAY_SIZE(lengths)));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		must(try_collect(self->fd, &event, 1));
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	}
	EXPECT_EQ(at, sim_get(&self->sim, "sink_bytes"));
	EXPECT_EQ(0, sim_get(&self->sim, "sink_errors"));
	/* It is not that it never finds anything. */
	self->buffer.mem[at] ^= 1;
	must(try_run(self->fd, send_request(&self->buffer, at, 64), &event));
	EXPECT_EQ(1, sim_get(&self->sim, "sink_errors"));
}

/* A list is sent in the order of its ranges, more of them than go at a time. */
TEST_F(pattern, is_sent_in_many_ranges)
{
	struct udma_range *ranges = calloc(1000, sizeof(*ranges));
	struct udma_request send = { .op = UDMA_OP_MEM_TO_DEV };
	struct udma_event event;
	__u64 at = 0;
	unsigned int i;

	ASSERT_NE(NULL, ranges);
	self->fd = must(try_pattern(&self->sim, "sink", variant->first, &self->buffer));
	for (i = 0; i < 1000; i++) {
		/* From the end to the beginning */
		ranges[i] = range_of(&self->buffer, 64 * KIB - 64 * (i + 1), 1 + i * 7 % 33);
		counting_write(self->buffer.mem + ranges[i].offset, variant->first_word, at,
			       ranges[i].bytes);
		at += ranges[i].bytes;
	}
	request_set_src(&send, ranges, 1000);
	must(try_run(self->fd, send, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(at, event.bytes);
	EXPECT_EQ(at, sim_get(&self->sim, "sink_bytes"));
	EXPECT_EQ(0, sim_get(&self->sim, "sink_errors"));
	free(ranges);
}

/* Controllers that cannot be stopped, and what a channel cannot do */

/* What it has it finishes, whatever the program wants. */
TEST(receives_of_a_controller_without_terminate)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.no_terminate = true,
	};
	struct udma_event event;
	struct buffer buffer;
	struct sim sim;
	int fd;

	must(try_device_make(&sim, &config));
	must(try_sim_set(&sim, "step_mode", 1));
	fd = must(try_sim_open(&sim, 0, O_RDWR));
	must(try_alloc_map(fd, 2 * BYTES, &buffer));
	struct udma_stream_start start = cyclic_start(&buffer, 2 * BYTES, BYTES);

	/* What nobody could end may not begin. */
	fails(EOPNOTSUPP, try_stream_start(fd, &start));
	start.type = UDMA_STREAM_PACKETS;
	fails(EOPNOTSUPP, try_stream_start(fd, &start));

	/* With nothing in hardware there is nothing that has to be stopped. */
	must(try_chan_set(&sim, 0, "reset", 1));
	must(try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	must(try_wait_pending(&sim, 1));
	EXPECT_EQ(1, try_cancel(fd, 1));
	EXPECT_EQ(POLLOUT, poll_now(fd));
	must(try_step(&sim, 1));
	ends(fd, 1, -ECANCELED, BYTES, UDMA_EVENT_F_EXACT);

	/* Root gives it up, and it comes back by itself. */
	must(try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	must(try_wait_pending(&sim, 1));
	fails(EIO, try_chan_set(&sim, 0, "reset", 1));
	must(try_collect(fd, &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_HELD, event.flags);
	fails(EIO, try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	must(try_step(&sim, 1));
	must(try_wait_chan(&sim, 0, "recovery/heals", 1));
	must(try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	must(try_step(&sim, 1));
	ends(fd, 3, 0, BYTES, UDMA_EVENT_F_EXACT);
	must(try_unmap(&buffer));
	must(close(fd));
	must(try_device_end(&sim));
}

FIXTURE(channel)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
};

FIXTURE_VARIANT(channel)
{
	struct device_config config;
	__u32 ops;		/* what it is able to, by bits */
	bool cyclic;
	bool packets;
	bool pause;
};

FIXTURE_VARIANT_ADD(channel, of_memory)
{
	.config.kind = "memory",
	.ops = 1 << UDMA_OP_COPY | 1 << UDMA_OP_FILL | 1 << UDMA_OP_INTERLEAVE,
};

FIXTURE_VARIANT_ADD(channel, of_a_source)
{
	.config.kind = "source",
	.ops = 1 << UDMA_OP_DEV_TO_MEM,
	.cyclic = true,
	.packets = true,
	.pause = true,
};

FIXTURE_VARIANT_ADD(channel, of_a_source_that_is_not_cyclic)
{
	.config.kind = "source",
	.config.no_cyclic = true,
	.ops = 1 << UDMA_OP_DEV_TO_MEM,
	.packets = true,
	.pause = true,
};

FIXTURE_VARIANT_ADD(channel, of_a_source_that_cannot_rest)
{
	.config.kind = "source",
	.config.no_pause = true,
	.ops = 1 << UDMA_OP_DEV_TO_MEM,
	.cyclic = true,
	.packets = true,
};

FIXTURE_VARIANT_ADD(channel, of_a_sink)
{
	.config.kind = "sink",
	.ops = 1 << UDMA_OP_MEM_TO_DEV,
	.cyclic = true,
	.pause = true,
};

FIXTURE_SETUP(channel)
{
	struct device_config config = variant->config;

	config.channels = 1;
	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, 4 * BYTES, &self->buffer));
}

FIXTURE_TEARDOWN(channel)
{
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	works(try_device_end(&self->sim));
}

TEST_F(channel, does_what_it_is_able_to)
{
	const struct buffer *buffer = &self->buffer;
	struct udma_request requests[] = {
		copy_request(buffer, 0, buffer, 64, 64), fill_request(buffer, 0, 64, 0),
		{
			.op = UDMA_OP_INTERLEAVE,
			.dst_handle = buffer->handle,
			.src_handle = buffer->handle,
			.src_offset = 1024,
			.line_bytes = 8,
			.lines = 2,
			.dst_stride = 64,
			.src_stride = 64,
		},
		send_request(buffer, 0, 64), receive_request(buffer, 0, 64),
	};
	struct udma_range range = range_of(buffer, 0, 64);
	struct udma_request list;
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (variant->ops & 1 << i) {
			must(try_submit_one(self->fd, requests[i]));
			must(try_step(&self->sim, 1));
			must(try_collect(self->fd, &event, 1));
			EXPECT_EQ(0, event.status);
			continue;
		}
		fails(EOPNOTSUPP, try_submit_one(self->fd, requests[i]))
			TH_LOG("op %u", i);
		/* Nor of lists, also where there can be none. */
		list = (struct udma_request) { .op = i };
		request_set_dst(&list, &range, 1);
		fails(EOPNOTSUPP, try_submit_one(self->fd, list));
	}
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
}

TEST_F(channel, streams_what_it_is_able_to)
{
	struct udma_stream_start cyclic = cyclic_start(&self->buffer, 4 * BYTES, BYTES);
	struct udma_stream_start packets = packets_start(&self->buffer, 4 * BYTES, BYTES);
	struct udma_event event;

	if (variant->ops & 1 << UDMA_OP_MEM_TO_DEV) {
		cyclic.filled_bytes = 4 * BYTES;
		packets.filled_bytes = 4 * BYTES;
	}
	fails(ENXIO, try_control(self->fd, UDMA_STREAM_STOP));
	if (variant->packets) {
		must(try_stream_start(self->fd, &packets));
		must(try_stop(self->fd, &event));
	} else {
		fails(EOPNOTSUPP, try_stream_start(self->fd, &packets));
	}
	if (!variant->cyclic) {
		fails(EOPNOTSUPP, try_stream_start(self->fd, &cyclic));
		return;
	}
	must(try_stream_start(self->fd, &cyclic));
	must(try_wait_pending(&self->sim, 1));
	fails(variant->pause ? 0 : EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_PAUSE));
	fails(variant->pause ? 0 : EOPNOTSUPP, try_control(self->fd, UDMA_STREAM_RESUME));
	/* A transfer does not go beside it. */
	fails(EBUSY, try_submit_one(self->fd, variant->ops & 1 << UDMA_OP_MEM_TO_DEV ?
				    send_request(&self->buffer, 0, 64) :
				    receive_request(&self->buffer, 0, 64)));
	must(try_stop(self->fd, &event));
}

/* What an op has no use for is zero. */
TEST_F(channel, wants_nothing_said_of_the_other_side)
{
	const bool sends = variant->ops & 1 << UDMA_OP_MEM_TO_DEV;
	struct udma_request request = sends ? send_request(&self->buffer, 0, 64) :
					      receive_request(&self->buffer, 0, 64);
	struct udma_range range = range_of(&self->buffer, 0, 64);
	struct udma_request wrong;

	/* A copy has both sides. */
	if (variant->ops & 1)
		return;
	wrong = request;
	*(sends ? &wrong.dst_handle : &wrong.src_handle) = self->buffer.handle;
	fails(EINVAL, try_submit_one(self->fd, wrong));
	wrong = request;
	*(sends ? &wrong.dst_offset : &wrong.src_offset) = 1;
	fails(EINVAL, try_submit_one(self->fd, wrong));
	wrong = request;
	wrong.fill = 1;
	fails(EINVAL, try_submit_one(self->fd, wrong));
	wrong = request;
	wrong.src_stride = 1;
	fails(EINVAL, try_submit_one(self->fd, wrong));
	wrong = request;
	wrong.bytes = 0;
	fails(EINVAL, try_submit_one(self->fd, wrong));
	wrong = request;
	wrong.bytes = 4 * BYTES + 1;
	fails(ERANGE, try_submit_one(self->fd, wrong));
	wrong = request;
	*(sends ? &wrong.src_offset : &wrong.dst_offset) = ~0ULL;
	fails(ERANGE, try_submit_one(self->fd, wrong));
	wrong = request;
	*(sends ? &wrong.src_handle : &wrong.dst_handle) = 0;
	fails(ENOENT, try_submit_one(self->fd, wrong));
	wrong = request;
	if (sends)
		request_set_dst(&wrong, &range, 1);
	else
		request_set_src(&wrong, &range, 1);
	fails(EINVAL, try_submit_one(self->fd, wrong));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_HARNESS_MAIN
