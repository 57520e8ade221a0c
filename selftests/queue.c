// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that are shared with the kernel: submitting from them, and taking events
 * from them. How they come is in queue_setup.c, waiting in queue_wait.c, and what a
 * program should not do in queue_race.c.
 */
#include <sys/eventfd.h>

#include "udma_stepped.h"

/* Submitting */

TEST_F(queue, takes_as_many_as_it_is_told)
{
	struct queue *queue = &self->queue;
	const __u32 head = QUEUE_GET(self->shared->submit_head);

	EXPECT_EQ(0, try_enter(self->fd, 0, 0));
	EXPECT_EQ(0, try_enter(self->fd, 1, 0));
	EXPECT_EQ(0, try_enter(self->fd, ~0U, 0));
	queue_put_times(queue, self->fill, 10);
	EXPECT_EQ(0, try_enter(self->fd, 0, 0));
	EXPECT_EQ(head, QUEUE_GET(self->shared->submit_head));
	EXPECT_EQ(3, try_enter(self->fd, 3, 0));
	EXPECT_EQ(head + 3, QUEUE_GET(self->shared->submit_head));
	EXPECT_EQ(1, try_enter(self->fd, 1, 0));
	EXPECT_EQ(head + 4, QUEUE_GET(self->shared->submit_head));
	EXPECT_EQ(6, try_enter(self->fd, ~0U, 0));
	EXPECT_EQ(head + 10, QUEUE_GET(self->shared->submit_head));
	EXPECT_EQ(0, try_enter(self->fd, 10, 0));
	must(try_wait_pending(&self->sim, 10));
}

TEST_F(queue, takes_what_is_behind_the_tail_and_no_more)
{
	struct queue *queue = &self->queue;
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		queue->requests[i] = self->fill;
	EXPECT_EQ(0, try_enter(self->fd, ENTRIES, 0));
	QUEUE_SET(self->shared->submit_tail, queue->tail + 5);
	EXPECT_EQ(5, try_enter(self->fd, ENTRIES, 0));
	must(try_wait_pending(&self->sim, 5));
}

TEST_F(queue, takes_all_when_it_is_full)
{
	struct udma_event events[ENTRIES + 1];
	unsigned int i;

	self->fill.user_data = 100;
	queue_put_times(&self->queue, self->fill, ENTRIES);
	EXPECT_EQ(ENTRIES, queue_pending(&self->queue));
	EXPECT_EQ(ENTRIES, try_enter(self->fd, ENTRIES, 0));
	EXPECT_EQ(0, queue_pending(&self->queue));
	must(try_step(&self->sim, ENTRIES));
	ASSERT_EQ(ENTRIES, queue_pop(&self->queue, events, ENTRIES + 1));
	for (i = 0; i < ENTRIES; i++) {
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(i + 100, events[i].user_data);
	}
}

TEST_F(queue, entry_can_be_written_again_when_it_was_taken)
{
	struct queue *queue = &self->queue;

	queue_put(queue, self->fill);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	memset(queue->requests, 0xff, ENTRIES * sizeof(*queue->requests));
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 1, 0, 64);
	EXPECT_EQ(-1, find_other(self->buffer.mem, 64, 1));
	EXPECT_EQ(0, self->buffer.mem[64]);
}

TEST_F(queue, numbers_go_on_whichever_way_it_is_submitted)
{
	struct udma_request fills[2] = { self->fill, self->fill };
	struct udma_event events[ENTRIES];
	__u64 sequence;
	unsigned int i;

	queue_put_times(&self->queue, self->fill, 3);
	ASSERT_EQ(3, must(try_enter(self->fd, 3, 0)));
	ASSERT_EQ(2, must(try_submit_at(self->fd, fills, 2, &sequence)));
	EXPECT_EQ(4, sequence);
	/* What is refused has no number. */
	fills[0].bytes = 0;
	fails(EINVAL, try_submit_at(self->fd, fills, 2, &sequence));
	queue_put(&self->queue, fills[0]);
	fails(EINVAL, try_enter(self->fd, 1, 0));
	*queue_request(&self->queue, self->queue.tail - 1) = self->fill;
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	ASSERT_EQ(1, must(try_submit_at(self->fd, fills + 1, 1, &sequence)));
	EXPECT_EQ(7, sequence);
	must(try_step(&self->sim, 7));
	ASSERT_EQ(7, queue_pop(&self->queue, events, ENTRIES));
	for (i = 0; i < 7; i++)
		EXPECT_EQ(i + 1, events[i].sequence);
}

TEST_F(queue, takes_what_is_before_a_bad_entry)
{
	struct queue *queue = &self->queue;
	const __u32 head = QUEUE_GET(self->shared->submit_head);
	struct udma_request bad = self->fill;
	struct udma_event events[ENTRIES];
	unsigned int i;

	bad.dst_offset = 64 * KIB - 63;
	queue_put_times(queue, self->fill, 2);
	queue_put(queue, bad);
	queue_put_times(queue, self->fill, 3);
	/* Nor does it wait then: nothing would end. */
	EXPECT_EQ(2, try_enter_with(self->fd, 6, 6, 0, 0));
	EXPECT_EQ(head + 2, QUEUE_GET(self->shared->submit_head));
	fails(ERANGE, try_enter_with(self->fd, 4, 6, 0, 0));
	fails(ERANGE, try_enter_with(self->fd, 1, 0, 0, 0));
	EXPECT_EQ(head + 2, QUEUE_GET(self->shared->submit_head));
	queue_request(queue, head + 2)->dst_offset = 0;
	EXPECT_EQ(4, try_enter(self->fd, 4, 0));
	must(try_step(&self->sim, 6));
	ASSERT_EQ(6, queue_pop(queue, events, ENTRIES));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(i + 1, events[i].sequence);
}

/* A program that gives up an entry goes back behind it. */
TEST_F(queue, bad_entry_can_be_taken_back)
{
	struct queue *queue = &self->queue;
	struct udma_request bad = self->fill;

	bad.dst_handle = 0x7fffffff;
	queue_put(queue, bad);
	fails(ENOENT, try_enter(self->fd, 1, 0));
	queue->tail--;
	QUEUE_SET(self->shared->submit_tail, queue->tail);
	EXPECT_EQ(0, try_enter(self->fd, 1, 0));
	queue_put(queue, self->fill);
	EXPECT_EQ(1, try_enter(self->fd, 1, 0));
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 1, 0, 64);
}

TEST_F(queue, refuses_what_a_submit_refuses)
{
	const struct udma_request fill = self->fill;
	const struct udma_request copy = copy_request(&self->buffer, 0,
						      &self->buffer, 4096, 64);
	struct udma_request bad[24];
	unsigned int i, n = 0;
	int error;

#define BAD(_from, _field, _value)					\
	do {								\
		bad[n] = _from;						\
		bad[n++]._field = _value;				\
	} while (0)
	BAD(fill, op, 2);
	BAD(fill, op, ~0U);
	BAD(copy, flags, 4);
	BAD(copy, flags, 1U << 31);
	BAD(fill, dst_handle, 0);
	BAD(fill, dst_handle, ~0U);
	BAD(copy, src_handle, 0);
	BAD(copy, src_handle, self->buffer.handle + 1);
	BAD(fill, src_handle, self->buffer.handle);
	BAD(fill, src_offset, 1);
	BAD(copy, dst_offset, 64 * KIB);
	BAD(copy, dst_offset, ~0ULL);
	BAD(copy, dst_offset, ~0ULL - 63);
	BAD(copy, src_offset, 64 * KIB - 63);
	BAD(copy, src_offset, 1);
	BAD(copy, bytes, 0);
	BAD(copy, bytes, 4097);
	BAD(fill, bytes, 64 * KIB + 1);
	BAD(fill, bytes, ~0ULL);
	BAD(fill, bytes, 1ULL << 63);
	BAD(fill, fill, 256);
	BAD(copy, fill, 1);
	BAD(copy, src_stride, 1);
	BAD(fill, src_stride, 1U << 31);
#undef BAD
	ASSERT_EQ(ARRAY_SIZE(bad), n);
	queue_put(&self->queue, fill);
	for (i = 0; i < n; i++) {
		error = errno_of(try_submit_one(self->fd, bad[i]));
		EXPECT_NE(0, error)
			TH_LOG("request %u", i);
		*queue_request(&self->queue, self->queue.tail - 1) = bad[i];
		fails(error, try_enter(self->fd, 1, 1))
			TH_LOG("request %u", i);
	}
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(0, queue_ready(&self->queue));
}

TEST_F(queue, request_with_any_unknown_flag_is_refused)
{
	struct udma_request *request;
	unsigned int bit;

	queue_put(&self->queue, self->fill);
	request = queue_request(&self->queue, self->queue.tail - 1);
	for (bit = 0; bit < 32; bit++) {
		if (1U << bit & (UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE |
				 UDMA_REQUEST_F_DST_RANGES | UDMA_REQUEST_F_SRC_RANGES))
			continue;
		request->flags = 1U << bit;
		fails(EINVAL, try_enter(self->fd, 1, 0))
			TH_LOG("bit %u", bit);
	}
}

TEST_F(queue, has_room_for_as_many_as_it_has_events)
{
	struct udma_event events[ENTRIES];

	queue_put_times(&self->queue, self->fill, ENTRIES);
	ASSERT_EQ(ENTRIES, must(try_enter(self->fd, ENTRIES, 0)));
	queue_put_times(&self->queue, self->fill, 4);
	fails(EAGAIN, try_enter(self->fd, 4, 0));
	fails(EAGAIN, try_submit_one(self->fd, self->fill));
	EXPECT_EQ(0, poll_now(self->fd));
	/* The end of a transfer makes no room, for its event is there. */
	must(try_step(&self->sim, 3));
	fails(EAGAIN, try_enter(self->fd, 4, 0));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	/* Taking it does, of which the kernel is not told. */
	ASSERT_EQ(1, queue_pop(&self->queue, events, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	EXPECT_EQ(1, try_enter(self->fd, 4, 0));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	fails(EAGAIN, try_enter(self->fd, 3, 0));
	/* And so does reading it. */
	ASSERT_EQ(1, must(try_read(self->fd, events, 1)));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	ASSERT_EQ(1, must(try_submit_one(self->fd, self->fill)));
	fails(EAGAIN, try_enter(self->fd, 3, 0));
	ASSERT_EQ(1, queue_pop(&self->queue, events, 1));
	EXPECT_EQ(1, try_enter(self->fd, 3, 0));
	must(try_step(&self->sim, ENTRIES));
	EXPECT_EQ(ENTRIES, queue_pop(&self->queue, events, ENTRIES));
	EXPECT_EQ(2, try_enter(self->fd, 3, 0));
}

TEST_F(queue, says_when_there_is_no_room_in_the_middle)
{
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < ENTRIES - 2; i++)
		must(try_submit_one(self->fd, self->fill));
	queue_put_times(&self->queue, self->fill, 5);
	EXPECT_EQ(2, try_enter_with(self->fd, 5, ENTRIES, 0, 0));
	EXPECT_EQ(3, queue_pending(&self->queue));
	fails(EAGAIN, try_enter(self->fd, 3, 0));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(1, try_enter(self->fd, 3, 0));
}

/* The counts pass 2^32 - 1 with something in both queues. */
TEST_F(queue, counts_wrap_in_the_middle)
{
	struct queue *queue = &self->queue;
	struct udma_event events[ENTRIES];
	const __u32 from = queue->tail;
	__u64 sequence = 1;
	unsigned int i, round;

	for (round = 0; round < 100; round++) {
		queue_put_times(queue, self->fill, 11);
		ASSERT_EQ(7, must(try_enter(self->fd, 7, 0)));
		ASSERT_EQ(4, must(try_enter(self->fd, ENTRIES, 0)));
		must(try_step(&self->sim, 11));
		ASSERT_EQ(11, queue_ready(queue));
		ASSERT_EQ(5, must(try_read(self->fd, events, 5)));
		ASSERT_EQ(6, queue_pop(queue, events + 5, ENTRIES - 5));
		for (i = 0; i < 11; i++)
			ASSERT_EQ(sequence++, events[i].sequence);
	}
	EXPECT_GT(from, queue->tail);
}

/* Whatever is done is done as by UDMA_SUBMIT. */

#define WAYS	2

struct series {
	struct udma_event events[12];
	unsigned int count;
	char data[4 * KIB];
};

static int try_give(struct queue *queue, const struct udma_request *requests,
		    unsigned int count, bool by_queue)
{
	unsigned int i;

	if (!by_queue)
		return try_submit(queue->fd, requests, count);
	for (i = 0; i < count; i++)
		queue_put(queue, requests[i]);
	return try_enter(queue->fd, count, 0);
}

static unsigned int take(struct queue *queue, struct udma_event *events,
			 unsigned int count, bool by_queue)
{
	int ret;

	if (by_queue)
		return queue_pop(queue, events, count);
	ret = try_read_now(queue->fd, events, count);
	return ret < 0 ? 0 : ret;
}

/*
 * Copies, fills, a fence, one whose time is over, one that fails, and two that are
 * cancelled: one that hardware has and one that it has not.
 */
static int try_series(const struct sim *sim, bool by_queue,
		      struct series *series)
{
	struct udma_request requests[8];
	struct buffer dst, src;
	struct queue queue;
	unsigned int i;
	int fd;

	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc_map(fd, 4 * KIB, &dst) ||
	    try_alloc_map(fd, 4 * KIB, &src) ||
	    try_queue_start(&queue, fd, ENTRIES, ENTRIES))
		return -1;
	pattern_write(src.mem, 0, 4 * KIB, PATTERN_SOURCE);
	requests[0] = copy_request(&dst, 1, &src, 7, 1000);
	requests[1] = fill_request(&dst, 1100, 99, 0xab);
	requests[2] = fenced(copy_request(&dst, 1200, &dst, 0, 1100));
	requests[3] = timed(fill_request(&dst, 2400, 10, 0xcd), AN_HOUR);
	requests[4] = timed(fill_request(&dst, 2500, 10, 0xef),
			    UDMA_TIMEOUT_NEVER);
	requests[5] = fill_request(&dst, 2600, 10, 0x11);
	requests[6] = fill_request(&dst, 2700, 10, 0x22);
	requests[7] = fenced(fill_request(&dst, 2800, 10, 0x33));
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i].user_data = 1000 + i;
	if (try_sim_set(sim, "fail_at", 5) ||
	    try_give(&queue, requests, 3, by_queue) != 3 ||
	    try_give(&queue, requests + 3, 5, by_queue) != 5 ||
	    try_wait_pending(sim, 2) || try_step(sim, 2) ||
	    try_wait_pending(sim, 5) || try_cancel(fd, 6) != 1 ||
	    try_cancel(fd, 8) != 1 || try_step(sim, 5))
		return -1;
	/* And one that is late. */
	requests[0].timeout_ns = AT_ONCE;
	if (try_give(&queue, requests, 1, by_queue) != 1 ||
	    try_wait_chan(sim, 0, "recovery/timeouts", by_queue ? 2 : 1) ||
	    try_step(sim, 1))
		return -1;
	series->count = take(&queue, series->events,
			     ARRAY_SIZE(series->events), by_queue);
	for (i = 0; i < series->count; i++)
		series->events[i].timestamp_ns = 0;
	memcpy(series->data, dst.mem, sizeof(series->data));
	if (try_unmap(&dst) || try_unmap(&src) || try_queue_unmap(&queue))
		return -1;
	return close(fd);
}

TEST_F(queue, does_all_that_a_submit_does)
{
	/* By their numbers. */
	static const int statuses[] = {
		0, 0, 0, 0, -EIO, -ECANCELED, 0, -ECANCELED, -ETIMEDOUT,
	};
	static struct series ways[WAYS];
	unsigned int i;

	must(try_series(&self->sim, false, &ways[0]));
	must(try_series(&self->sim, true, &ways[1]));
	ASSERT_EQ(ARRAY_SIZE(statuses), ways[0].count);
	ASSERT_EQ(ARRAY_SIZE(statuses), ways[1].count);
	for (i = 0; i < ways[0].count; i++) {
		const struct udma_event *event = &ways[1].events[i];

		EXPECT_EQ(0, memcmp(&ways[0].events[i], event, sizeof(*event)))
			TH_LOG("event %u", i);
		ASSERT_LT(0, event->sequence);
		ASSERT_GE(ARRAY_SIZE(statuses), event->sequence);
		EXPECT_EQ(statuses[event->sequence - 1], event->status)
			TH_LOG("transfer %llu", event->sequence);
	}
	EXPECT_EQ(0, memcmp(ways[0].data, ways[1].data, sizeof(ways[0].data)));
	/* It is not just that nothing happens. */
	EXPECT_EQ((char)pattern_byte(PATTERN_SOURCE, 7), ways[1].data[1]);
	EXPECT_EQ((char)0xab, ways[1].data[1100]);
}

/*
 * Requests that follow so closely that hardware need not tell of each: all are told
 * of in the end, also when the one that would be told of fails.
 */
TEST_F(queue, events_come_however_closely_they_follow)
{
	static const char * const mischief[] = {
		"fail_at", "refuse_at", "submit_fail_at", "short_at",
	};
	struct udma_event events[ENTRIES];
	unsigned int i, n;

	must(try_sim_set(&self->sim, "step_mode", 0));
	self->fill.flags = UDMA_REQUEST_F_MORE;
	for (i = 0; i < ARRAY_SIZE(mischief); i++) {
		for (n = 1; n <= 9; n++) {
			must(try_sim_set(&self->sim, mischief[i], n));
			queue_put_times(&self->queue, self->fill, 8);
			ASSERT_EQ(8, try_enter_with(self->fd, 8, 8,
						    5000000000ULL, 0));
			ASSERT_EQ(8, queue_pop(&self->queue, events, ENTRIES))
				TH_LOG("%s %u", mischief[i], n);
			must(try_sim_set(&self->sim, mischief[i], 0));
		}
	}
}

/* What follows may be refused, or never come. */
TEST_F(queue, events_come_when_nothing_follows)
{
	struct queue *queue = &self->queue;
	struct udma_request more = self->fill, bad = self->fill;

	must(try_sim_set(&self->sim, "step_mode", 0));
	more.flags = UDMA_REQUEST_F_MORE;
	queue_put(queue, more);
	EXPECT_EQ(1, try_enter(self->fd, 1, 1));
	takes_end(queue, 1, 0, 64);
	bad.bytes = 0;
	queue_put(queue, more);
	queue_put(queue, more);
	queue_put(queue, bad);
	EXPECT_EQ(2, try_enter(self->fd, 3, 3));
	ASSERT_EQ(0, must(try_enter(self->fd, 0, 2)));
	takes_end(queue, 2, 0, 64);
	takes_end(queue, 3, 0, 64);
}

/* Data that is right: fences make a chain of copies. */
TEST_F(queue, fences_make_a_chain)
{
	struct queue *queue = &self->queue;
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 0));
	pattern_write(self->buffer.mem, 0, 1000, PATTERN_SOURCE);
	for (i = 0; i < 10; i++)
		queue_put(queue, fenced(copy_request(&self->buffer,
						     (i + 1) * 1000,
						     &self->buffer, i * 1000,
						     1000)));
	ASSERT_EQ(10, must(try_enter(self->fd, 10, 10)));
	EXPECT_EQ(0, memcmp(self->buffer.mem, self->buffer.mem + 10000, 1000));
}

/* Taking events */

TEST_F(queue, says_all_there_is_to_say)
{
	struct udma_event event;
	__u64 before;

	self->fill.user_data = 0x0123456789abcdefULL;
	queue_put(&self->queue, self->fill);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	before = now_ns();
	memset(self->queue.events, 0xff, ENTRIES * sizeof(event));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_LE(before, event.timestamp_ns);
	EXPECT_GE(now_ns(), event.timestamp_ns);
	EXPECT_EQ(0x0123456789abcdefULL, event.user_data);
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(64, event.bytes);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(UDMA_EVENT_TRANSFER, event.type);
	EXPECT_EQ(0, event.count);
	EXPECT_EQ(0, event.position);
	EXPECT_EQ(0, event.lost);
}

/* Nothing has entered the kernel since the transfers were taken. */
TEST_F(queue, has_events_without_a_call)
{
	struct queue *queue = &self->queue;
	struct udma_event event;
	unsigned int i;
	__u64 end;

	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 1; i <= 50; i++) {
		queue_put(queue, self->fill);
		ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
		end = 0;
		while (!queue_ready(queue))
			ASSERT_TRUE(look_again(&end));
		ASSERT_EQ(1, queue_pop(queue, &event, 1));
		ASSERT_EQ(i, event.sequence);
	}
}

TEST_F(queue, has_events_one_by_one)
{
	unsigned int i;

	queue_put_times(&self->queue, self->fill, 5);
	ASSERT_EQ(5, must(try_enter(self->fd, 5, 0)));
	for (i = 1; i <= 5; i++) {
		EXPECT_EQ(i - 1, queue_ready(&self->queue));
		must(try_step(&self->sim, 1));
		EXPECT_EQ(i, queue_ready(&self->queue));
	}
	for (i = 1; i <= 5; i++)
		takes_end(&self->queue, i, 0, 64);
}

TEST_F(queue, gives_its_events_to_read_too)
{
	struct queue *queue = &self->queue;
	const __u32 head = QUEUE_GET(self->shared->complete_head);
	struct udma_event events[ENTRIES];

	queue_put_times(queue, self->fill, 6);
	ASSERT_EQ(6, must(try_enter(self->fd, 6, 0)));
	must(try_step(&self->sim, 6));
	takes_end(&self->queue, 1, 0, 64);
	ASSERT_EQ(2, must(try_read(self->fd, events, 2)));
	EXPECT_EQ(2, events[0].sequence);
	EXPECT_EQ(3, events[1].sequence);
	EXPECT_EQ(head + 3, QUEUE_GET(self->shared->complete_head));
	takes_end(&self->queue, 4, 0, 64);
	ASSERT_EQ(2, must(try_read(self->fd, events, ENTRIES)));
	EXPECT_EQ(5, events[0].sequence);
	EXPECT_EQ(6, events[1].sequence);
	EXPECT_EQ(head + 6, QUEUE_GET(self->shared->complete_head));
	EXPECT_EQ(0, queue_ready(queue));
	EXPECT_EQ(0, must(try_read_now(self->fd, events, 1)));
	must(fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	fails(EAGAIN, try_read(self->fd, events, 1));
}

TEST_F(queue, is_not_taken_by_a_read_into_bad_memory)
{
	const __u32 head = QUEUE_GET(self->shared->complete_head);
	unsigned char *hole = pages_before_hole(1) + page_bytes();
	struct udma_event event;

	queue_put_times(&self->queue, self->fill, 2);
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	must(try_step(&self->sim, 2));
	fails(EFAULT, read(self->fd, hole, 2 * sizeof(event)));
	EXPECT_EQ(head, QUEUE_GET(self->shared->complete_head));
	EXPECT_EQ(sizeof(event), read(self->fd, hole - sizeof(event),
				      2 * sizeof(event)));
	EXPECT_EQ(head + 1, QUEUE_GET(self->shared->complete_head));
	takes_end(&self->queue, 2, 0, 64);
}

/* Its events may be read into what it is itself. */
TEST_F(queue, takes_its_own_events)
{
	struct udma_event *into = (void *)self->queue.requests;

	queue_put_times(&self->queue, self->fill, 2);
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	must(try_step(&self->sim, 2));
	ASSERT_EQ(2, must(try_read(self->fd, into, 2)));
	EXPECT_EQ(1, into[0].sequence);
	EXPECT_EQ(2, into[1].sequence);
	/* Its structures may be there as well. */
	into->user_data = sizeof(struct udma_info);
	must(ioctl(self->fd, UDMA_INFO, into));
}

TEST_F(queue, is_told_by_poll)
{
	struct udma_event event;

	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	queue_put_times(&self->queue, self->fill, 2);
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
}

TEST_F(queue, signals_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	queue_put_times(&self->queue, self->fill, 3);
	ASSERT_EQ(3, must(try_enter(self->fd, 3, 0)));
	EXPECT_EQ(0, eventfd_count(efd));
	must(try_step(&self->sim, 1));
	EXPECT_NE(0, eventfd_count(efd));
	EXPECT_EQ(0, eventfd_count(efd));
	must(try_step(&self->sim, 2));
	EXPECT_NE(0, eventfd_count(efd));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	EXPECT_NE(0, eventfd_count(efd));
	must(close(efd));
}

TEST_F(queue, is_cancelled_as_a_whole)
{
	struct udma_event events[ENTRIES];
	unsigned int i;

	queue_put_times(&self->queue, self->fill, 5);
	queue_put_times(&self->queue, fenced(self->fill), 5);
	ASSERT_EQ(10, must(try_enter(self->fd, 10, 0)));
	must(try_wait_pending(&self->sim, 5));
	EXPECT_EQ(10, try_cancel_all(self->fd));
	/* What hardware had nothing of has ended. */
	EXPECT_EQ(5, queue_ready(&self->queue));
	must(try_step(&self->sim, 5));
	ASSERT_EQ(10, queue_pop(&self->queue, events, ENTRIES));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(-ECANCELED, events[i].status);
}

/* A failed channel */
TEST_F(queue, of_a_channel_that_has_failed)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_sim_write(&self->sim, "hang_cure", "never"));
	queue_put(&self->queue, self->fill);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_wait_pending(&self->sim, 1));
	while (must(sim_get(&self->sim, "hang_at")))
		sched_yield();
	fails(EIO, try_chan_set(&self->sim, 0, "reset", 1));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(UDMA_EVENT_F_HELD, event.flags & UDMA_EVENT_F_HELD);
	queue_put(&self->queue, self->fill);
	fails(EIO, try_enter(self->fd, 1, 0));
	fails(EIO, try_enter_with(self->fd, 1, 1, 0, 0));
	EXPECT_EQ(1, queue_pending(&self->queue));
	must(try_sim_write(&self->sim, "hang_cure", "terminate"));
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	EXPECT_EQ(1, try_enter(self->fd, 1, 1));
	takes_end(&self->queue, 2, 0, 64);
}

TEST_HARNESS_MAIN
