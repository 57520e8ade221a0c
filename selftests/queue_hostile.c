// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that write to their queues what they should not, and when they should
 * not. It harms only themselves: the kernel has counts of its own and looks at each
 * request once.
 */
#include <pthread.h>

#include "udma_stepped.h"
#include "udma_storm.h"

/* Counts that cannot be */

TEST_F(queue, bad_submit_tail_is_refused)
{
	struct queue *queue = &self->queue;
	const __u32 head = QUEUE_GET(self->shared->submit_head);
	static const __u32 wrong[] = {
		ENTRIES + 1, ENTRIES + 2, 2 * ENTRIES, 1U << 16, 1U << 31,
		-ENTRIES, -1U,
	};
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		queue->requests[i] = self->fill;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		QUEUE_SET(self->shared->submit_tail, head + wrong[i]);
		fails(EINVAL, try_enter(self->fd, 1, 0))
			TH_LOG("tail %x", wrong[i]);
		fails(EINVAL, try_enter(self->fd, ~0U, 0))
			TH_LOG("tail %x", wrong[i]);
	}
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(head, QUEUE_GET(self->shared->submit_head));
	/* When it is right again all is. */
	QUEUE_SET(self->shared->submit_tail, head + ENTRIES);
	EXPECT_EQ(ENTRIES, try_enter(self->fd, ~0U, 0));
	must(try_step(&self->sim, ENTRIES));
	EXPECT_EQ(ENTRIES, queue_ready(queue));
}

TEST_F(queue, bad_complete_head_is_refused)
{
	struct queue *queue = &self->queue;
	static const __u32 wrong[] = {
		4, 5, ENTRIES, ENTRIES + 4, 1U << 16, 1U << 31, -1U, -2U,
		-ENTRIES,
	};
	struct udma_event events[ENTRIES] = {};
	unsigned int i;
	__u32 head;

	queue_put_times(queue, self->fill, 5);
	ASSERT_EQ(5, must(try_enter(self->fd, 5, 0)));
	must(try_step(&self->sim, 5));
	/* Two are taken for sure; then there are three. */
	ASSERT_EQ(2, must(try_read(self->fd, events, 2)));
	head = QUEUE_GET(self->shared->complete_head);
	must(fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		QUEUE_SET(self->shared->complete_head, head + wrong[i]);
		fails(EINVAL, try_enter_with(self->fd, 0, 1, 1, 0))
			TH_LOG("head %x", wrong[i]);
		fails(EINVAL, try_read(self->fd, events, ENTRIES))
			TH_LOG("head %x", wrong[i]);
		/* Nor does anything come of it in other calls. */
		EXPECT_LE(0, poll_now(self->fd));
	}
	QUEUE_SET(self->shared->complete_head, head + 1);
	ASSERT_EQ(2, must(try_read(self->fd, events, ENTRIES)));
	EXPECT_EQ(4, events[0].sequence);
	EXPECT_EQ(5, events[1].sequence);
}

/* Room is what the kernel has seen taken, whatever the program says. */
TEST_F(queue, bad_complete_head_makes_no_room)
{
	struct queue *queue = &self->queue;
	const __u32 head = QUEUE_GET(self->shared->complete_head);
	static const __u32 wrong[] = { 1, 2, ENTRIES, 1U << 31, -1U, -ENTRIES };
	struct udma_event events[ENTRIES + 1];
	unsigned int i;

	queue_put_times(queue, self->fill, ENTRIES);
	ASSERT_EQ(ENTRIES, must(try_enter(self->fd, ENTRIES, 0)));
	queue_put(queue, self->fill);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		QUEUE_SET(self->shared->complete_head, head + wrong[i]);
		EXPECT_EQ(-1, try_enter(self->fd, 1, 0))
			TH_LOG("head %x", wrong[i]);
		EXPECT_EQ(-1, try_submit_one(self->fd, self->fill))
			TH_LOG("head %x", wrong[i]);
	}
	EXPECT_EQ(ENTRIES, sim_get(&self->sim, "pending"));
	QUEUE_SET(self->shared->complete_head, head);
	must(try_step(&self->sim, ENTRIES));
	/* Not one of them was written over. */
	ASSERT_EQ(ENTRIES, must(try_read(self->fd, events, ENTRIES + 1)));
	for (i = 0; i < ENTRIES; i++)
		EXPECT_EQ(i + 1, events[i].sequence);
	EXPECT_EQ(1, try_enter(self->fd, 1, 0));
}

/* A head that goes on while events come is not behind what it was. */
TEST_F(queue, bad_complete_head_does_not_come_back)
{
	struct queue *queue = &self->queue;
	struct udma_event events[ENTRIES];
	__u32 head;

	queue_put_times(queue, self->fill, ENTRIES);
	ASSERT_EQ(ENTRIES, must(try_enter(self->fd, ENTRIES, 0)));
	must(try_step(&self->sim, ENTRIES));
	ASSERT_EQ(4, queue_pop(queue, events, 4));
	head = QUEUE_GET(self->shared->complete_head);
	queue_put_times(queue, self->fill, 4);
	/* The kernel looks, for it is full otherwise. */
	ASSERT_EQ(4, must(try_enter(self->fd, 4, 0)));
	QUEUE_SET(self->shared->complete_head, head - 4);
	fails(EINVAL, try_enter_with(self->fd, 0, 1, 1, 0));
	fails(EINVAL, try_read(self->fd, events, 1));
	QUEUE_SET(self->shared->complete_head, head);
	must(try_step(&self->sim, 4));
	ASSERT_EQ(ENTRIES, must(try_read(self->fd, events, ENTRIES)));
	EXPECT_EQ(5, events[0].sequence);
	EXPECT_EQ(ENTRIES + 4, events[ENTRIES - 1].sequence);
}

TEST_F(queue, bad_fields_of_the_kernel_are_not_looked_at)
{
	struct queue *queue = &self->queue;
	struct udma_queue_shared *shared = self->shared;
	const struct udma_queue_shared before = *shared;
	struct udma_event events[ENTRIES];

	queue_put_times(queue, self->fill, 3);
	shared->submit_head = before.submit_head + 0x12345678;
	shared->complete_tail = before.complete_tail + 0x3456789a;
	shared->state = ~0U;
	memset(shared->__pad0, 0xff, sizeof(shared->__pad0));
	memset(shared->__pad1, 0xff, sizeof(shared->__pad1));
	memset(shared->__pad2, 0xff, sizeof(shared->__pad2));
	memset(shared->__pad3, 0xff, sizeof(shared->__pad3));
	EXPECT_EQ(3, try_enter(self->fd, 3, 0));
	EXPECT_EQ(before.submit_head + 3, QUEUE_GET(shared->submit_head));
	/* They are written when there is something to say. */
	must(fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	fails(EAGAIN, try_read(self->fd, events, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_step(&self->sim, 3));
	EXPECT_EQ(before.complete_tail + 3, QUEUE_GET(shared->complete_tail));
	ASSERT_EQ(3, must(try_read(self->fd, events, ENTRIES)));
	EXPECT_EQ(1, events[0].sequence);
}

TEST_F(queue, bad_events_are_not_looked_at)
{
	struct queue *queue = &self->queue;
	struct udma_event event;

	memset(queue->events, 0xff, ENTRIES * sizeof(event));
	queue_put(queue, self->fill);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_step(&self->sim, 1));
	takes_end(queue, 1, 0, 64);
}

/* Somebody else on the channel, whose memory is to stay as it is */

struct bystander {
	struct program program;
	struct witness witness;
};

/* All of it is full of this. */
#define SECRET	0xd5

static int try_bystander_start(struct bystander *bystander,
			       const struct sim *sim)
{
	if (try_program_start(&bystander->program, sim, 0, 64 * KIB) ||
	    try_witness_open(&bystander->witness, sim, 16 * KIB))
		return -1;
	memset(bystander->program.dst.mem, SECRET, 64 * KIB);
	memset(bystander->program.src.mem, SECRET, 64 * KIB);
	return 0;
}

/* "untouched", or what is wrong. */
static const char *bystander_verdict(struct bystander *bystander)
{
	const struct program *program = &bystander->program;
	const char *verdict;

	verdict = witness_run(&bystander->witness, false);
	if (strcmp(verdict, "copied"))
		return verdict;
	if (find_other(program->dst.mem, 64 * KIB, SECRET) >= 0 ||
	    find_other(program->src.mem, 64 * KIB, SECRET) >= 0)
		return "memory changed";
	if (poll_now(program->fd) != POLLOUT)
		return "an event";
	return "untouched";
}

static int try_bystander_end(struct bystander *bystander)
{
	if (try_witness_close(&bystander->witness))
		return -1;
	return try_program_end(&bystander->program);
}

/* Whoever does bad things, in a file of its own, and all who take part in it */

FIXTURE(hostile)
{
	struct sim sim;
	struct ledger before;
	struct bystander bystander;
	int fd;
	struct queue queue;
	struct buffer buffer;
	__u64 random;
	long ended;		/* by the controller, before */
};

FIXTURE_SETUP(hostile)
{
	static const struct sim_config config;

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->before = ledger_read(&self->sim);
	must(try_bystander_start(&self->bystander, &self->sim));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR | O_NONBLOCK));
	must(try_alloc_map(self->fd, page_bytes() + 100, &self->buffer));
	must(try_queue_start(&self->queue, self->fd, 8, 32));
	self->ended = must(sim_get(&self->sim, "ended"));
}

FIXTURE_TEARDOWN(hostile)
{
	works(try_unmap(&self->buffer));
	works(try_queue_unmap(&self->queue));
	works(close(self->fd));
	works(try_wait_pending(&self->sim, 0));
	EXPECT_STREQ("untouched", bystander_verdict(&self->bystander));
	works(try_bystander_end(&self->bystander));
	works(try_ledger_wait(&self->sim, &self->before));
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(try_sim_finish(&self->sim));
}

struct villain {
	pthread_t thread;
	const struct queue *queue;
	const struct buffer *buffer;
	__u32 stolen;		/* a handle that is no more, or another's */
	__u64 random;
	struct tally tally;
	unsigned long refused;
};

static int try_villain_start(struct villain *villain, void *(*run)(void *),
			     const struct villain *like, __u64 random)
{
	*villain = *like;
	villain->random = random | 1;
	errno = pthread_create(&villain->thread, NULL, run, villain);
	return errno ? -1 : 0;
}

static int try_villain_end(struct villain *villain)
{
	return try_tally_end(&villain->tally, villain->thread);
}

/* What might be a count, or a field of a request */
static __u32 any_word(struct villain *villain, __u32 now)
{
	__u64 *random = &villain->random;

	switch (below(random, 6)) {
	case 0:
		return now + below(random, 64) - 32;
	case 1:
		return below(random, 2) ? ~0U : 0;
	case 2:
		return below(random, 128);
	case 3:
		return villain->buffer->handle;
	case 4:
		return 1U << below(random, 32);
	default:
		return *random;
	}
}

/* For a moment a count is what it cannot be. */
static void shake_count(struct villain *villain)
{
	struct udma_queue_shared *shared = villain->queue->shared;
	__u32 *counts[] = {
		&shared->submit_tail, &shared->submit_head,
		&shared->complete_tail, &shared->complete_head, &shared->state,
	};
	__u32 *count = counts[below(&villain->random, ARRAY_SIZE(counts))];
	const __u32 before = QUEUE_GET(*count);
	unsigned int i;

	for (i = below(&villain->random, 200); i; i--)
		QUEUE_SET(*count, any_word(villain, before));
	QUEUE_SET(*count, before);
}

/* Any word behind the counts; now and then a request that is a good one. */
static void *scribble(void *data)
{
	struct villain *villain = data;
	const struct queue *queue = villain->queue;
	const struct udma_request good = fill_request(villain->buffer, 0, 64, 1);
	const unsigned int first = sizeof(*queue->shared) /
				   sizeof(__u32);
	const unsigned int words = queue->setup.out_map_bytes / sizeof(__u32);
	__u32 *word;

	while (!LOAD(villain->tally.stop)) {
		switch (below(&villain->random, 8)) {
		case 0:
			shake_count(villain);
			break;
		case 1:
		case 2:
		case 3:
			*queue_request(queue, below(&villain->random, 8)) =
				good;
			break;
		default:
			word = (__u32 *)queue->mem + first +
			       below(&villain->random, words - first);
			QUEUE_SET(*word, any_word(villain, QUEUE_GET(*word)));
		}
		ADD(villain->tally.rounds, 1);
	}
	return NULL;
}

/* A call, and none of its errors is anything but an error. */
static void call_any(struct villain *villain)
{
	const int fd = villain->queue->fd;
	const struct udma_request good = fill_request(villain->buffer, 0, 64, 2);
	struct udma_queue_shared *shared = villain->queue->shared;
	struct udma_event events[8];
	unsigned int most;
	int ret;

	switch (below(&villain->random, 8)) {
	case 0:
		ret = try_submit_one(fd, good);
		ADD(villain->tally.accepted, ret == 1);
		break;
	case 1:
		ret = try_read(fd, events, 8);
		ADD(villain->tally.ended, ret > 0 ? ret : 0);
		break;
	case 2:
		if (poll_now(fd) < 0)
			FAILED(&villain->tally);
		return;
	default:
		/* All is taken, and there is more; half the time. */
		if (below(&villain->random, 2)) {
			QUEUE_SET(shared->complete_head,
				  QUEUE_GET(shared->complete_tail));
			QUEUE_SET(shared->submit_tail,
				  QUEUE_GET(shared->submit_head) +
				  below(&villain->random, 9));
		}
		most = below(&villain->random, 12);
		ret = try_enter_with(fd, most, below(&villain->random, 34),
				     1 + below(&villain->random, 200000),
				     below(&villain->random, 3) * 50000);
		ADD(villain->tally.accepted, ret > 0 ? ret : 0);
		if (ret > (int)most)
			FAILED(&villain->tally);
	}
	villain->refused += ret < 0 && errno != ETIME && errno != EAGAIN;
}

static void *call_at_random(void *data)
{
	struct villain *villain = data;

	while (!LOAD(villain->tally.stop)) {
		call_any(villain);
		ADD(villain->tally.rounds, 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(hostile, memory_changes_at_any_moment, 7 * 24 * 3600)
{
	const unsigned long rounds = times(30000);
	const struct villain like = {
		.queue = &self->queue,
		.buffer = &self->buffer,
	};
	struct villain scribbler, callers[2];
	unsigned long accepted = 0, ended = 0, refused = 0;
	unsigned long copies = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(callers); i++) {
		must(try_villain_start(&callers[i], call_at_random, &like,
				       self->random + i));
	}
	must(try_villain_start(&scribbler, scribble, &like, self->random + 7));
	while (LOAD(callers[0].tally.rounds) < rounds ||
	       LOAD(callers[1].tally.rounds) < rounds) {
		ASSERT_STREQ("untouched", bystander_verdict(&self->bystander));
		copies++;
	}
	for (i = 0; i < ARRAY_SIZE(callers); i++) {
		must(try_villain_end(&callers[i]));
		accepted += callers[i].tally.accepted;
		ended += callers[i].tally.ended;
		refused += callers[i].refused;
	}
	must(try_villain_end(&scribbler));
	must(try_wait_pending(&self->sim, 0));
	say("%lu accepted, %lu events read, %lu refused, %lu words written",
	    accepted, ended, refused, scribbler.tally.rounds);
	/* Some passed, some did not, and each that did went once to hardware. */
	EXPECT_LT(rounds / 20, accepted);
	EXPECT_LT(0, refused);
	EXPECT_GE(accepted, ended);
	EXPECT_EQ((long)(accepted + copies),
		  sim_get(&self->sim, "ended") - self->ended);
}

/* Requests that change after they were put in: between good and bad ones */

/* As fast as it can: what is checked and what is used may not be two things. */
static void *flip_requests(void *data)
{
	struct villain *villain = data;
	const struct queue *queue = villain->queue;
	const __u32 handle = villain->buffer->handle;
	const __u32 stolen = villain->stolen;
	struct udma_request *request;
	unsigned int i, k;

	for (i = 0; !LOAD(villain->tally.stop); i++) {
		request = queue_request(queue, i);
		for (k = 0; k < 4; k++) {
			QUEUE_SET(request->dst_offset, 64 * KIB);
			QUEUE_SET(request->dst_offset, page_bytes() + 90);
			QUEUE_SET(request->dst_offset, ~0ULL - 31);
			QUEUE_SET(request->dst_offset, 0);
			QUEUE_SET(request->dst_handle, stolen);
			QUEUE_SET(request->dst_handle, ~handle);
			QUEUE_SET(request->dst_handle, handle);
			QUEUE_SET(request->bytes, page_bytes() + 101);
			QUEUE_SET(request->bytes, ~0ULL);
			QUEUE_SET(request->bytes, 64);
			QUEUE_SET(request->op, 7);
			QUEUE_SET(request->op, UDMA_OP_FILL);
		}
		ADD(villain->tally.rounds, 1);
	}
	return NULL;
}

TEST_F(hostile, requests_change_while_they_are_taken)
{
	const unsigned int wanted = times(20000);
	struct buffer freed, *buffer = &self->buffer;
	struct villain flipper, like = {
		.queue = &self->queue,
		.buffer = buffer,
	};
	struct udma_event events[32];
	unsigned long accepted = 0, refused = 0, ended = 0;
	unsigned int i, n;
	int ret;

	/* A buffer that has lost its handle is nobody's to write to. */
	must(try_alloc_map(self->fd, 64 * KIB, &freed));
	must(try_free(self->fd, freed.handle));
	memset(freed.mem, SECRET, freed.map_bytes);
	memset(buffer->mem, 0, buffer->map_bytes);
	like.stolen = freed.handle;
	for (i = 0; i < 8; i++)
		self->queue.requests[i] = fill_request(buffer, 0, 64, 7);
	must(try_villain_start(&flipper, flip_requests, &like, self->random));
	while (accepted < wanted || refused < wanted / 10) {
		self->queue.tail = QUEUE_GET(self->queue.shared->submit_head) +
				   8;
		QUEUE_SET(self->queue.shared->submit_tail, self->queue.tail);
		ret = try_enter(self->fd, 8, 0);
		if (ret > 0)
			accepted += ret;
		else if (errno != EAGAIN)
			refused++;
		n = queue_pop(&self->queue, events, 32);
		for (i = 0; i < n; i++) {
			ASSERT_EQ(0, events[i].status);
			/* Within what the buffer has. */
			ASSERT_GE(page_bytes() + 100, events[i].bytes);
		}
		ended += n;
	}
	must(try_villain_end(&flipper));
	while (ended < accepted) {
		must(try_enter(self->fd, 0, 1));
		ended += queue_pop(&self->queue, events, 32);
	}
	say("%lu accepted, %lu refused, %lu rounds of changes", accepted,
	    refused, flipper.tally.rounds);
	/* Each byte is zero or the fill's, and what is behind them is as it was. */
	for (i = 0; i < page_bytes() + 100; i++)
		ASSERT_TRUE(buffer->mem[i] == 0 || buffer->mem[i] == 7);
	EXPECT_EQ(-1, find_other(buffer->mem + page_bytes() + 100,
				 buffer->map_bytes - page_bytes() - 100, 0));
	EXPECT_EQ(-1, find_other(freed.mem, freed.map_bytes, SECRET));
	EXPECT_STREQ("untouched", bystander_verdict(&self->bystander));
	must(try_unmap(&freed));
}

TEST_HARNESS_MAIN
