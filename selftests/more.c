// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that say that more follow: the controller interrupts once for several
 * transfers. Each has its event all the same, in order, whatever happens to those
 * of which nobody is told. Who asks learns of what has ended, and who does not ask is
 * told a moment later: so no test may take it that nothing has been told.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "udma_queue.h"
#include "udma_recovery.h"
#include "udma_storm.h"

/* Each copies a piece of one buffer to the same place of another. */
#define PIECES		32
#define PIECE_BYTES	4096

/* In whichever of them something follows. */
#define ALL		0xffffffffU
#define NONE		0U

/* How a program submits: bits. */
#define BY_SUBMIT	0
#define BY_ENTER	1
#define OPEN		2	/* the last of a call says that more follow, too */

struct mover {
	int fd;
	unsigned int how;
	struct queue queue;
	struct buffer dst;
	struct buffer src;
	__u64 bytes;		/* of a piece */
	__u64 timeout_ns;
	unsigned int fences;	/* a bit for each piece, as is the next */
	unsigned int timed;
};

static int try_mover_open(struct mover *mover, const struct unit *unit,
			  unsigned int how, int flags, __u64 bytes)
{
	*mover = (struct mover) { .how = how, .bytes = bytes };
	mover->fd = try_unit_open(unit, O_RDWR | flags);
	if (mover->fd < 0 ||
	    try_alloc_map(mover->fd, PIECES * bytes, &mover->dst) ||
	    try_alloc_map(mover->fd, PIECES * bytes, &mover->src))
		return -1;
	pattern_write(mover->src.mem, 0, PIECES * bytes, PATTERN_SOURCE);
	if (how & BY_ENTER)
		return try_queue_start(&mover->queue, mover->fd, PIECES,
				       PIECES);
	return 0;
}

/* The last that has the file. */
static int try_mover_close(struct mover *mover)
{
	if (try_queue_unmap(&mover->queue) || try_unmap(&mover->dst) ||
	    try_unmap(&mover->src))
		return -1;
	return close(mover->fd);
}

static struct udma_request mover_request(const struct mover *mover,
					 unsigned int piece, bool more)
{
	const __u64 at = piece * mover->bytes;
	struct udma_request request = copy_request(&mover->dst, at, &mover->src,
						   at, mover->bytes);

	request.user_data = piece;
	if (more)
		request.flags |= UDMA_REQUEST_F_MORE;
	if (mover->fences & 1U << piece)
		request.flags |= UDMA_REQUEST_F_FENCE;
	if (mover->timed & 1U << piece)
		request.timeout_ns = mover->timeout_ns;
	return request;
}

/*
 * Pieces in one call. @more has a bit for each of these that others follow; the last
 * has it where that is how.
 */
static int try_move(struct mover *mover, unsigned int first, unsigned int count,
		    unsigned int more)
{
	struct udma_request requests[PIECES];
	int ret;
	unsigned int i;

	pattern_write(mover->dst.mem, first * mover->bytes,
		      (first + count) * mover->bytes, PATTERN_STALE);
	for (i = 0; i < count; i++) {
		if (i + 1 == count && !(mover->how & OPEN))
			more = NONE;
		requests[i] = mover_request(mover, first + i, more & 1U << i);
		if (mover->how & BY_ENTER)
			queue_put(&mover->queue, requests[i]);
	}
	if (!(mover->how & BY_ENTER))
		return try_submit_all(mover->fd, requests, count);
	ret = try_enter(mover->fd, count, 0);
	if (ret < 0 || (unsigned int)ret == count)
		return ret;
	errno = ERANGE;
	return -1;
}

/* What events there are now. */
static int try_take(struct mover *mover, struct udma_event *events,
		    unsigned int count)
{
	if (mover->how & BY_ENTER)
		return queue_pop(&mover->queue, events, count);
	return try_read_now(mover->fd, events, count);
}

/* As many as these, and no more. */
static int try_take_all(struct mover *mover, struct udma_event *events,
			unsigned int count)
{
	struct udma_event other;

	if (mover->how & BY_ENTER) {
		if (queue_ready(&mover->queue) < count &&
		    try_enter(mover->fd, 0, count) < 0)
			return -1;
		errno = ENODATA;
		if (queue_pop(&mover->queue, events, count) != count)
			return -1;
	} else if (try_collect(mover->fd, events, count) < 0) {
		return -1;
	}
	errno = EOVERFLOW;
	return try_take(mover, &other, 1) > 0 ? -1 : (int)count;
}

/* The same without asking, where the last one is told of at once. */
static int try_take_told(struct mover *mover, struct udma_event *events,
			 unsigned int count)
{
	if (mover->how & OPEN)
		return try_take_all(mover, events, count);
	return try_take(mover, events, PIECES);
}

/* The same, whichever came first: @events is by piece, from @first on. */
static int try_take_each(struct mover *mover, struct udma_event *events,
			 unsigned int first, unsigned int count)
{
	struct udma_event seen[PIECES];
	unsigned int i, known = 0;

	if (try_take_all(mover, seen, count) < 0)
		return -1;
	errno = EEXIST;
	for (i = 0; i < count; i++) {
		const __u64 at = seen[i].user_data - first;

		if (at >= count || known & 1U << at)
			return -1;
		known |= 1U << at;
		events[at] = seen[i];
	}
	return 0;
}

static const char *piece_verdict(const struct mover *mover, unsigned int piece)
{
	const __u64 from = piece * mover->bytes, to = from + mover->bytes;

	if (pattern_differs(mover->dst.mem, from, to, PATTERN_SOURCE) == to)
		return "copied";
	if (pattern_differs(mover->dst.mem, from, to, PATTERN_STALE) == to)
		return "not copied";
	return "copied in part";
}

#define EXPECT_MOVED(_mover, _event, _piece)				\
	do {								\
		const struct mover *__mover = (_mover);			\
		const struct udma_event *__moved = (_event);		\
		unsigned int __piece = (_piece);			\
		char __ok[64];						\
									\
		snprintf(__ok, sizeof(__ok), "OK %llu exact",		\
			 (unsigned long long)__mover->bytes);		\
		EXPECT_EQ(__piece, __moved->user_data);			\
		EXPECT_STREQ(__ok, event_text(__moved))			\
			TH_LOG("piece %u", __piece);			\
		EXPECT_STREQ("copied", piece_verdict(__mover, __piece))	\
			TH_LOG("piece %u", __piece);			\
	} while (0)

/* There are these events, in this order and no others, when @_take takes them. */
#define TAKES(_take, _mover, _first, _count)				\
	do {								\
		struct mover *__told = (_mover);			\
		const unsigned int __first = (_first);			\
		const int __count = (_count);				\
		struct udma_event __events[PIECES];			\
		int __i;						\
									\
		ASSERT_EQ(__count, _take(__told, __events, __count));	\
		for (__i = 0; __i < __count; __i++)			\
			EXPECT_MOVED(__told, &__events[__i],		\
				     __first + __i);			\
	} while (0)

/* In a moment; and at once, where the last one is told of. */
#define will_be_told(_mover, _first, _count)				\
	TAKES(try_take_all, _mover, _first, _count)
#define are_told(_mover, _first, _count)				\
	TAKES(try_take_told, _mover, _first, _count)

static int nothing_is_told(struct mover *mover)
{
	struct udma_event event;

	return try_take(mover, &event, 1) <= 0;
}

FIXTURE(more)
{
	struct unit unit;
	struct sim *sim;
	struct mover a;
	struct mover b;
	int users;
	bool is_gone;		/* the channel */
};

FIXTURE_VARIANT(more)
{
	unsigned int how;
};

FIXTURE_VARIANT_ADD(more, by_submit) {
	.how = BY_SUBMIT,
};

FIXTURE_VARIANT_ADD(more, by_enter) {
	.how = BY_ENTER,
};

FIXTURE_VARIANT_ADD(more, by_submit_to_the_last) {
	.how = BY_SUBMIT | OPEN,
};

FIXTURE_VARIANT_ADD(more, by_enter_to_the_last) {
	.how = BY_ENTER | OPEN,
};

/* In step mode from here on. */
static int try_more_start(struct unit *unit, const struct sim_config *config,
			  struct mover *a, struct mover *b, unsigned int how)
{
	if (try_unit_start(unit, config) ||
	    try_sim_set(&unit->sim, "step_mode", 1) ||
	    try_mover_open(a, unit, how, 0, PIECE_BYTES))
		return -1;
	return b ? try_mover_open(b, unit, how, 0, PIECE_BYTES) : 0;
}

FIXTURE_SETUP(more)
{
	static const struct sim_config config;

	self->users = must(module_users());
	must(try_more_start(&self->unit, &config, &self->a, &self->b,
			    variant->how));
	self->sim = &self->unit.sim;
}

FIXTURE_TEARDOWN(more)
{
	if (!self->is_gone) {
		cure(&self->unit);
		EXPECT_STREQ("copied", next_program(&self->unit));
		EXPECT_STREQ("working", state_of(&self->unit));
	}
	EXPECT_TRUE(nothing_is_told(&self->a));
	works(try_mover_close(&self->a));
	EXPECT_TRUE(nothing_is_told(&self->b));
	works(try_mover_close(&self->b));
	if (!self->is_gone)
		works(try_sim_unbind(self->sim, 0));
	works(try_sim_end(self->sim));
	EXPECT_EQ(self->users, module_users());
}

/* When events come */

TEST_F(more, are_told_with_the_last)
{
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 8));
	are_told(&self->a, 0, 8);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(more, without_one_that_follows_is_told)
{
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 4));
	are_told(&self->a, 0, 4);
	must(try_move(&self->a, 4, 1, ALL));
	must(try_move(&self->a, 5, 1, ALL));
	must(try_wait_pending(self->sim, 2));
	must(try_step(self->sim, 1));
	are_told(&self->a, 4, 1);
	must(try_step(self->sim, 1));
	are_told(&self->a, 5, 1);
}

TEST_F(more, without_the_flag_is_told)
{
	must(try_move(&self->a, 0, 6, 0x2b));
	must(try_wait_pending(self->sim, 6));
	must(try_step(self->sim, 3));
	are_told(&self->a, 0, 3);
	must(try_step(self->sim, 2));
	are_told(&self->a, 3, 2);
	must(try_step(self->sim, 1));
	are_told(&self->a, 5, 1);
}

TEST_F(more, is_told_once_in_sixteen)
{
	struct udma_event events[PIECES];
	unsigned int step, last = 0, count = 0, i;
	int ret;

	must(try_move(&self->a, 0, PIECES, ALL));
	must(try_wait_pending(self->sim, PIECES));
	for (step = 1; step <= PIECES; step++) {
		must(try_step(self->sim, 1));
		ret = must(try_take(&self->a, events, PIECES));
		if (ret)
			last = step;
		EXPECT_GE(16, step - last);
		for (i = 0; i < (unsigned int)ret; i++)
			EXPECT_MOVED(&self->a, &events[i], count++);
	}
	are_told(&self->a, count, PIECES - count);
}

TEST_F(more, does_not_wait_for_what_a_fence_holds_up)
{
	self->a.fences = 1U << 3;
	must(try_move(&self->a, 0, 6, ALL));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	will_be_told(&self->a, 0, 3);
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	are_told(&self->a, 3, 3);
}

TEST_F(more, does_not_wait_for_another_file)
{
	must(try_attr_set(&self->unit, "window", 1));
	must(try_move(&self->b, 0, 1, NONE));
	must(try_wait_pending(self->sim, 1));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_move(&self->b, 1, 4, ALL));
	must(try_attr_set(&self->unit, "window", 32));
	must(try_step(self->sim, 1));
	are_told(&self->b, 0, 1);
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 4));
	are_told(&self->a, 0, 4);
	must(try_step(self->sim, 4));
	are_told(&self->b, 1, 4);
}

/* A turn ends in the middle of what belongs together. */
TEST_F(more, are_told_in_order_when_files_take_turns)
{
	struct mover movers[2], *mover;
	struct udma_event events[PIECES];
	unsigned int done[2] = {}, i, j, rest;
	int ret;

	for (i = 0; i < 2; i++)
		must(try_mover_open(&movers[i], &self->unit, variant->how,
				    0, 64 * KIB));
	must(try_attr_set(&self->unit, "window", 1));
	for (i = 0; i < 2; i++)
		must(try_move(&movers[i], 0, PIECES, ALL));
	must(try_attr_set(&self->unit, "window", 32));
	for (rest = 2 * PIECES; rest; rest--) {
		must(try_step(self->sim, 1));
		for (i = 0; i < 2; i++) {
			mover = &movers[i];
			ret = must(try_take(mover, events, PIECES));
			for (j = 0; j < (unsigned int)ret; j++)
				EXPECT_MOVED(mover, &events[j], done[i]++);
		}
	}
	for (i = 0; i < 2; i++) {
		are_told(&movers[i], done[i], PIECES - done[i]);
		must(try_mover_close(&movers[i]));
	}
}

/* When what follows comes later, or does not come */

TEST_F(more, is_told_with_one_of_a_later_call)
{
	self->a.how |= OPEN;
	must(try_move(&self->a, 0, 1, ALL));
	must(try_move(&self->a, 1, 1, ALL));
	self->a.how &= ~OPEN;
	must(try_move(&self->a, 2, 1, ALL));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	are_told(&self->a, 0, 3);
}

/*
 * That it may wait is not only said: for the last of a call as well as for the others.
 * Who looks in the wrong moment finds that it has been told; not each time.
 */
TEST_F(more, waits_for_what_comes_later)
{
	const bool open = self->a.how & OPEN;
	unsigned int quiet = 0, i;
	int efd = must(eventfd(0, EFD_CLOEXEC));

	if (open && !(self->a.how & BY_ENTER))
		SKIP(goto out, "nobody can look who does not ask");
	/* Who has one is told of the last in any case. */
	if (!open)
		must(try_eventfd(self->a.fd, efd));
	for (i = 0; i < 20; i++) {
		must(try_move(&self->a, 0, 3, ALL));
		must(try_wait_pending(self->sim, 3));
		must(try_step(self->sim, open ? 3 : 2));
		quiet += open ? !queue_ready(&self->a.queue) :
				!eventfd_count(efd);
		if (!open)
			must(try_step(self->sim, 1));
		will_be_told(&self->a, 0, 3);
		eventfd_count(efd);
	}
	EXPECT_LT(0, quiet);
out:
	must(close(efd));
}

/* Somebody sleeps until it comes: nothing that may be asked for later. */
TEST_F(more, is_told_to_an_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	unsigned int i;

	must(try_eventfd(self->a.fd, efd));
	for (i = 0; i < 20; i++) {
		must(try_move(&self->a, 0, 3, ALL));
		must(try_wait_pending(self->sim, 3));
		must(try_step(self->sim, 3));
		EXPECT_NE(0, eventfd_count(efd));
		will_be_told(&self->a, 0, 3);
		eventfd_count(efd);
	}
	must(close(efd));
}

/* Nor are more of them in a row for coming one by one. */
TEST_F(more, are_told_once_in_sixteen_by_many_calls)
{
	struct udma_event events[PIECES];
	unsigned int count, i;

	for (i = 0; i < PIECES; i++)
		must(try_move(&self->a, i, 1, ALL));
	must(try_wait_pending(self->sim, PIECES));
	must(try_step(self->sim, PIECES));
	count = must(try_take(&self->a, events, PIECES));
	EXPECT_LE(PIECES - 16, count);
	for (i = 0; i < count; i++)
		EXPECT_MOVED(&self->a, &events[i], i);
	will_be_told(&self->a, count, PIECES - count);
}

/* Room for others comes of those as well of which nobody is told. */
TEST_F(more, make_room_for_another_file)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		must(try_move(&self->a, i, 1, ALL));
	must(try_wait_pending(self->sim, PIECES));
	must(try_move(&self->b, 0, 4, NONE));
	must(try_step(self->sim, PIECES));
	/* Nobody has asked. */
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 4));
	will_be_told(&self->b, 0, 4);
	will_be_told(&self->a, 0, PIECES);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(more, lets_a_fence_begin)
{
	must(try_move(&self->a, 0, 1, ALL));
	self->a.fences = 1U << 1;
	must(try_move(&self->a, 1, 1, ALL));
	must(try_wait_pending(self->sim, 1));
	must(try_step(self->sim, 1));
	must(try_wait_pending(self->sim, 1));
	must(try_step(self->sim, 1));
	will_be_told(&self->a, 0, 2);
}

/*
 * One at a time, that nobody asks for all: who sleeps since before it was submitted,
 * and since after. The driver may have submitted something for that itself.
 */
#define WAKES_AT_THE_END(_start, _join)					\
	do {								\
		unsigned int __i;					\
									\
		for (__i = 0; __i < 6; __i++) {				\
			if (__i % 2)					\
				must(try_move(&self->a, 0, 1, ALL));	\
			must(_start);					\
			if (!(__i % 2))					\
				must(try_move(&self->a, 0, 1, ALL));	\
			must(try_step(self->sim, 1));			\
			_join;						\
			must(try_step(self->sim, 0));			\
			must(try_wait_pending(self->sim, 0));		\
		}							\
	} while (0)

TEST_F(more, wakes_who_reads)
{
	struct sleeper sleeper;

	WAKES_AT_THE_END(try_sleeper_start(&sleeper, read_one, &self->a.fd,
					   SYS_read),
			 must(try_sleeper_join(&sleeper));
			 EXPECT_EQ(1, sleeper.ret));
}

TEST_F(more, wakes_who_polls)
{
	struct poller poller;

	WAKES_AT_THE_END(try_poller_start(&poller, self->a.fd, POLLIN),
			 EXPECT_EQ(POLLIN, try_poller_join(&poller));
			 will_be_told(&self->a, 0, 1));
}

TEST_F(more, wakes_who_waits)
{
	struct enterer enterer;

	if (!(variant->how & BY_ENTER))
		SKIP(return, "it has no queues");
	WAKES_AT_THE_END(try_enterer_start(&enterer, self->a.fd, 0, 1),
			 EXPECT_EQ(0, try_enterer_join(&enterer));
			 will_be_told(&self->a, 0, 1));
}

TEST_F(more, wakes_who_sleeps_on_the_eventfd)
{
	const int efd = must(eventfd(0, EFD_CLOEXEC));
	struct poller poller;

	must(try_eventfd(self->a.fd, efd));
	WAKES_AT_THE_END(try_poller_start(&poller, efd, POLLIN),
			 EXPECT_EQ(POLLIN, try_poller_join(&poller));
			 eventfd_count(efd);
			 will_be_told(&self->a, 0, 1));
	must(close(efd));
}

TEST_F(more, wakes_who_sleeps_on_epoll)
{
	struct epoll_event told = { .events = EPOLLIN };
	const int epfd = must(epoll_create1(EPOLL_CLOEXEC));
	struct poller poller;

	must(epoll_ctl(epfd, EPOLL_CTL_ADD, self->a.fd, &told));
	WAKES_AT_THE_END(try_poller_start(&poller, epfd, POLLIN),
			 EXPECT_EQ(POLLIN, try_poller_join(&poller));
			 will_be_told(&self->a, 0, 1));
	must(close(epfd));
}

/* Trouble with one of which nobody would have been told */

TEST_F(more, is_told_when_it_fails)
{
	struct udma_event events[3];

	must(try_sim_set(self->sim, "fail_at", 3));
	must(try_move(&self->a, 0, 6, ALL));
	must(try_wait_pending(self->sim, 6));
	must(try_step(self->sim, 3));
	must(try_take_all(&self->a, events, 3));
	EXPECT_MOVED(&self->a, &events[0], 0);
	EXPECT_MOVED(&self->a, &events[1], 1);
	EXPECT_EVENT("EIO 0 exact", &events[2]);
	EXPECT_EQ(2, events[2].user_data);
	EXPECT_STREQ("not copied", piece_verdict(&self->a, 2));
	must(try_step(self->sim, 3));
	are_told(&self->a, 3, 3);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(more, is_told_when_it_is_short)
{
	struct udma_event events[3];

	must(try_sim_set(self->sim, "short_at", 3));
	must(try_move(&self->a, 0, 6, ALL));
	must(try_wait_pending(self->sim, 6));
	must(try_step(self->sim, 3));
	must(try_take_all(&self->a, events, 3));
	EXPECT_MOVED(&self->a, &events[0], 0);
	EXPECT_MOVED(&self->a, &events[1], 1);
	EXPECT_EVENT("OK 2048 exact short", &events[2]);
	EXPECT_EQ(2, events[2].user_data);
	EXPECT_STREQ("copied in part", piece_verdict(&self->a, 2));
	must(try_step(self->sim, 3));
	are_told(&self->a, 3, 3);
}

/* The last one has failed: that tells of those before, and they have not. */
TEST_F(more, are_told_when_the_last_fails)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_sim_set(self->sim, "fail_at", 4));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 4));
	must(try_take_all(&self->a, events, 4));
	for (i = 0; i < 3; i++)
		EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EVENT("EIO 0 exact", &events[3]);
}

/* What the controller refuses */

TEST_F(more, are_told_when_the_next_is_refused)
{
	unsigned int round;

	for (round = 0; round < 4; round++) {
		must(try_sim_set(self->sim, "refuse_at", 4));
		must(try_move(&self->a, 0, 8, ALL));
		must(try_step(self->sim, 8));
		will_be_told(&self->a, 0, 8);
	}
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(more, are_told_when_the_next_fails_at_once)
{
	struct udma_event events[8];
	unsigned int i, round;

	for (round = 0; round < 4; round++) {
		must(try_sim_set(self->sim, "submit_fail_at", 4));
		must(try_move(&self->a, 0, 8, ALL));
		must(try_wait_pending(self->sim, 7));
		must(try_step(self->sim, 7));
		must(try_take_each(&self->a, events, 0, 8));
		for (i = 0; i < 8; i++)
			if (i != 3)
				EXPECT_MOVED(&self->a, &events[i], i);
		EXPECT_EVENT("EIO 0 exact", &events[3]);
		EXPECT_STREQ("not copied", piece_verdict(&self->a, 3));
	}
	EXPECT_STREQ("", counts_of(&self->unit));
}

/* Nothing comes after those before it. */
TEST_F(more, are_told_when_only_the_last_fails_at_once)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_sim_set(self->sim, "submit_fail_at", 4));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	must(try_take_each(&self->a, events, 0, 4));
	for (i = 0; i < 3; i++)
		EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EVENT("EIO 0 exact", &events[3]);
	EXPECT_STREQ("", counts_of(&self->unit));
}

/* Hardware that stalls */

TEST_F(more, that_had_ended_before_the_last_hangs)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "hang_at", 4));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_stall(&self->unit));
	must(try_take_each(&self->a, events, 0, 4));
	for (i = 0; i < 3; i++)
		EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EVENT("ETIMEDOUT 0", &events[3]);
	EXPECT_STREQ("stalls 1 resets 1 probes 1", counts_of(&self->unit));
}

TEST_F(more, that_hangs_is_the_one_to_blame)
{
	struct udma_event events[8];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "hang_at", 3));
	must(try_move(&self->a, 0, 8, ALL));
	must(try_stall(&self->unit));
	must(try_take_each(&self->a, events, 0, 8));
	for (i = 0; i < 8; i++)
		if (i != 2)
			EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EVENT("ETIMEDOUT 0", &events[2]);
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 5",
		     counts_of(&self->unit));
}

TEST_F(more, that_had_ended_before_an_interrupt_is_lost)
{
	struct udma_event events[4];
	unsigned int i;

	/* Only of the last one there is an interrupt to lose. */
	self->a.how &= ~OPEN;
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "lose_at", 4));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_stall(&self->unit));
	must(try_take_each(&self->a, events, 0, 4));
	for (i = 0; i < 3; i++)
		EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EQ(-ETIMEDOUT, events[3].status);
	EXPECT_STREQ("stalls 1 resets 1 probes 1", counts_of(&self->unit));
}

/* The next interrupt that comes tells of all. */
TEST_F(more, after_an_interrupt_that_is_lost_are_told_with_the_next)
{
	struct udma_event events[8];
	unsigned int i;

	self->a.how &= ~OPEN;
	must(try_sim_set(self->sim, "lose_at", 4));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_move(&self->a, 4, 4, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 8));
	ASSERT_EQ(7, try_take(&self->a, events, 8));
	for (i = 0; i < 7; i++)
		EXPECT_MOVED(&self->a, &events[i], i < 3 ? i : i + 1);
	must(try_stall(&self->unit));
	must(try_take_all(&self->a, events, 1));
	EXPECT_EQ(3, events[0].user_data);
	EXPECT_EQ(-ETIMEDOUT, events[0].status);
}

/* Nobody is told of what ends in between, but it is no stall. */
TEST_F(more, are_slow_and_do_not_stall)
{
	must(try_attr_set(&self->unit, "stall_ms", 2500));
	must(try_sim_set(self->sim, "latency_ns", 400 * 1000 * 1000));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_move(&self->a, 0, 8, ALL));
	will_be_told(&self->a, 0, 8);
	EXPECT_STREQ("", counts_of(&self->unit));
	must(try_sim_set(self->sim, "latency_ns", 0));
}

/* Resets */

TEST_F(more, are_under_way_at_a_reset)
{
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 3));
	must(try_reset(&self->unit));
	are_told(&self->a, 0, 3);
	EXPECT_STREQ("resets 1 probes 1 replays 5", counts_of(&self->unit));
	must(try_wait_pending(self->sim, 5));
	must(try_step(self->sim, 5));
	are_told(&self->a, 3, 5);
	/* What comes now is none of what was forgotten. */
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 8));
	are_told(&self->a, 0, 8);
}

TEST_F(more, that_failed_are_told_so_at_a_reset)
{
	struct udma_event events[2];

	must(try_sim_set(self->sim, "fail_at", 2));
	must(try_sim_set(self->sim, "late_at", 2));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 2));
	must(try_reset(&self->unit));
	must(try_take_all(&self->a, events, 2));
	EXPECT_MOVED(&self->a, &events[0], 0);
	EXPECT_EQ(1, events[1].user_data);
	EXPECT_EQ(-EIO, events[1].status);
	must(try_wait_pending(self->sim, 3));
	must(try_sim_set(self->sim, "release_late", 1));
	EXPECT_TRUE(nothing_is_told(&self->a));
	must(try_step(self->sim, 2));
	are_told(&self->a, 2, 2);
}

TEST_F(more, are_told_aborted_after_a_reset)
{
	unsigned int how;

	for (how = 1; how <= 2; how++) {
		must(try_sim_set(self->sim, "after_terminate", how));
		must(try_move(&self->a, 0, 8, ALL));
		must(try_wait_pending(self->sim, 8));
		must(try_step(self->sim, 2));
		must(try_reset(&self->unit));
		are_told(&self->a, 0, 2);
		must(try_wait_pending(self->sim, 6));
		must(try_step(self->sim, 6));
		are_told(&self->a, 2, 6);
	}
	EXPECT_EQ(12, attr_get(&self->unit, "recovery/replays"));
	must(try_sim_set(self->sim, "after_terminate", 0));
}

TEST_F(more, go_on_as_ghosts)
{
	struct udma_event events[8];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "ghost", 1));
	must(try_sim_set(self->sim, "hang_at", 3));
	must(try_move(&self->a, 0, 8, ALL));
	must(try_stall(&self->unit));
	must(try_take_each(&self->a, events, 0, 8));
	for (i = 0; i < 8; i++)
		if (i != 2)
			EXPECT_MOVED(&self->a, &events[i], i);
	EXPECT_EVENT("ETIMEDOUT 0", &events[2]);
	must(try_sim_set(self->sim, "ghost", 0));
}

TEST_F(more, that_cannot_be_stopped_are_held)
{
	struct udma_event events[6];
	unsigned int i;

	must(try_sim_write(self->sim, "hang_cure", "never"));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "hang_at", 3));
	must(try_move(&self->a, 0, 6, ALL));
	must(try_stall(&self->unit));
	must(try_take_each(&self->a, events, 0, 6));
	EXPECT_MOVED(&self->a, &events[0], 0);
	EXPECT_MOVED(&self->a, &events[1], 1);
	for (i = 2; i < 6; i++)
		EXPECT_EVENT("EIO 0 held", &events[i]);
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
}

/* The other ways in which callbacks come */

TEST_F(more, end_before_they_are_all_issued)
{
	unsigned int round;

	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "inline", 1));
	for (round = 0; round < 20; round++) {
		must(try_move(&self->a, 0, 20, ALL));
		must(try_move(&self->b, 0, 8, 0x35));
		will_be_told(&self->a, 0, 20);
		will_be_told(&self->b, 0, 8);
	}
	EXPECT_STREQ("", counts_of(&self->unit));
	must(try_sim_set(self->sim, "inline", 0));
}

TEST_F(more, end_inside_of_the_call_though_one_is_refused)
{
	unsigned int round;

	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "inline", 1));
	for (round = 0; round < 20; round++) {
		must(try_sim_set(self->sim, "refuse_at", 2 + round % 7));
		must(try_move(&self->a, 0, 8, ALL));
		will_be_told(&self->a, 0, 8);
	}
	EXPECT_STREQ("", counts_of(&self->unit));
	must(try_sim_set(self->sim, "inline", 0));
}

TEST_F(more, are_told_in_batches)
{
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sim_set(self->sim, "batch", 4));
	must(try_move(&self->a, 0, 8, ALL));
	will_be_told(&self->a, 0, 8);
	must(try_move(&self->a, 8, 6, ALL));
	must(try_wait_pending(self->sim, 2));
	must(try_sim_set(self->sim, "batch", 0));
	will_be_told(&self->a, 8, 6);
	EXPECT_STREQ("", counts_of(&self->unit));
}

/* Cancelling and timeouts */

TEST_F(more, can_be_cancelled)
{
	struct udma_event events[5];
	int found;

	must(try_move(&self->a, 0, 5, ALL));
	must(try_wait_pending(self->sim, 5));
	must(try_step(self->sim, 1));
	/* One that has ended, of which perhaps nobody knows, and one that has not. */
	found = try_cancel(self->a.fd, 1);
	EXPECT_TRUE(found == 1 || errno == ENOENT);
	EXPECT_EQ(1, must(try_cancel(self->a.fd, 3)));
	must(try_step(self->sim, 4));
	must(try_take_all(&self->a, events, 5));
	EXPECT_EVENT(found == 1 ? "ECANCELED 4096 exact" : "OK 4096 exact",
		     &events[0]);
	EXPECT_MOVED(&self->a, &events[1], 1);
	EXPECT_EVENT("ECANCELED 4096 exact", &events[2]);
	EXPECT_MOVED(&self->a, &events[3], 3);
	EXPECT_MOVED(&self->a, &events[4], 4);
}

TEST_F(more, can_all_be_cancelled)
{
	struct udma_event events[8];
	unsigned int i;

	must(try_attr_set(&self->unit, "window", 4));
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 4));
	EXPECT_EQ(8, must(try_cancel_all(self->a.fd)));
	must(try_take_all(&self->a, events, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i + 4, events[i].user_data);
		EXPECT_EVENT("ECANCELED 0 exact", &events[i]);
	}
	must(try_step(self->sim, 4));
	must(try_take_all(&self->a, events, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i, events[i].user_data);
		EXPECT_EVENT("ECANCELED 4096 exact", &events[i]);
	}
}

TEST_F(more, can_have_a_timeout)
{
	struct udma_event events[4];

	self->a.timed = 1U << 1;
	self->a.timeout_ns = 1;
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 4));
	must(try_wait_counts(&self->unit, "timeouts 1"));
	EXPECT_TRUE(nothing_is_told(&self->a));
	must(try_step(self->sim, 4));
	must(try_take_all(&self->a, events, 4));
	EXPECT_MOVED(&self->a, &events[0], 0);
	EXPECT_EVENT("ETIMEDOUT 4096 exact", &events[1]);
	EXPECT_MOVED(&self->a, &events[2], 2);
	EXPECT_MOVED(&self->a, &events[3], 3);
	EXPECT_STREQ("timeouts 1", counts_of(&self->unit));
}

TEST_F(more, are_cut_short_by_the_timeout_of_one)
{
	struct udma_event events[4];
	struct mover mover;

	must(try_mover_close(&self->a));
	must(try_mover_close(&self->b));
	must(try_mover_open(&mover, &self->unit, variant->how, O_EXCL,
			    PIECE_BYTES));
	mover.timed = 1U << 2;
	mover.timeout_ns = 1;
	must(try_move(&mover, 0, 4, ALL));
	must(try_wait_counts(&self->unit,
			     "timeouts 1 resets 1 probes 1 replays 3"));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	must(try_take_each(&mover, events, 0, 4));
	EXPECT_MOVED(&mover, &events[0], 0);
	EXPECT_MOVED(&mover, &events[1], 1);
	EXPECT_EVENT("ETIMEDOUT 0", &events[2]);
	EXPECT_MOVED(&mover, &events[3], 3);
	must(try_mover_close(&mover));
	must(try_mover_open(&self->a, &self->unit, BY_SUBMIT, 0, PIECE_BYTES));
	must(try_mover_open(&self->b, &self->unit, BY_SUBMIT, 0, PIECE_BYTES));
}

/* Programs that go, and channels */

TEST_F(more, of_a_file_that_is_closed)
{
	const long bytes = attr_get(&self->unit, "used_bytes");
	struct mover mover;

	must(try_mover_open(&mover, &self->unit, variant->how, 0,
			    PIECE_BYTES));
	must(try_move(&mover, 0, 8, ALL));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 12));
	must(try_step(self->sim, 3));
	must(try_mover_close(&mover));
	must(try_step(self->sim, 9));
	are_told(&self->a, 0, 4);
	must(try_wait_attr(&self->unit, "used_bytes", bytes));
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(more, of_a_file_that_is_closed_behind_others)
{
	const long bytes = attr_get(&self->unit, "used_bytes");
	struct mover mover;

	must(try_mover_open(&mover, &self->unit, variant->how, 0,
			    PIECE_BYTES));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_move(&mover, 0, 4, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 2));
	must(try_mover_close(&mover));
	must(try_reset(&self->unit));
	are_told(&self->a, 0, 2);
	must(try_wait_pending(self->sim, 2));
	must(try_step(self->sim, 2));
	are_told(&self->a, 2, 2);
	must(try_wait_attr(&self->unit, "used_bytes", bytes));
	EXPECT_STREQ("resets 1 probes 1 replays 2", counts_of(&self->unit));
}

TEST_F(more, of_a_program_that_is_killed)
{
	const long bytes = attr_get(&self->unit, "used_bytes");
	struct mover mover;
	int status;
	pid_t pid;

	pid = must(fork());
	if (pid == 0) {
		if (try_mover_open(&mover, &self->unit, variant->how, 0,
				   PIECE_BYTES) ||
		    try_move(&mover, 0, 8, ALL) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 3));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	must(try_move(&self->a, 0, 4, ALL));
	must(try_wait_pending(self->sim, 9));
	must(try_step(self->sim, 9));
	are_told(&self->a, 0, 4);
	must(try_wait_attr(&self->unit, "used_bytes", bytes));
}

/* Its memory has gone with it. */
#define ends_with_the_channel(_mover, _ended, _count)			\
	do {								\
		const int __ended = (_ended), __count = (_count);	\
		struct udma_event __ends[PIECES];			\
		int __end;						\
									\
		must(try_take_each(_mover, __ends, 0, __count));	\
		for (__end = 0; __end < __count; __end++) {		\
			EXPECT_EVENT(__end < __ended ?			\
				     "OK 4096 exact" : "ENODEV 0",	\
				     &__ends[__end]);			\
		}							\
	} while (0)

TEST_F(more, are_under_way_when_the_channel_is_unbound)
{
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 3));
	must(try_sim_unbind(self->sim, 0));
	self->is_gone = true;
	ends_with_the_channel(&self->a, 3, 8);
}

TEST_F(more, are_under_way_when_the_controller_goes)
{
	must(try_move(&self->a, 0, 8, ALL));
	must(try_wait_pending(self->sim, 8));
	must(try_step(self->sim, 3));
	must(try_sim_set(self->sim, "live", 0));
	self->is_gone = true;
	ends_with_the_channel(&self->a, 3, 8);
}

/* They end by themselves, and are waited for. */
TEST_F(more, end_before_the_channel_is_unbound)
{
	must(try_sim_set(self->sim, "latency_ns", 10 * 1000 * 1000));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_move(&self->a, 0, 8, ALL));
	must(try_sim_unbind(self->sim, 0));
	self->is_gone = true;
	ends_with_the_channel(&self->a, 8, 8);
}

/* Nothing follows, though it was said */

FIXTURE(last)
{
	struct unit unit;
	struct sim *sim;
	struct mover mover;
	long bytes;		/* in buffers, before there was the mover */
	bool is_gone;
};

FIXTURE_VARIANT(last)
{
	unsigned int how;
	bool is_instant;
	unsigned int latency_ns;
};

FIXTURE_VARIANT_ADD(last, by_submit) {
	.how = BY_SUBMIT | OPEN,
};

FIXTURE_VARIANT_ADD(last, by_enter) {
	.how = BY_ENTER | OPEN,
};

FIXTURE_VARIANT_ADD(last, by_submit_that_takes_time) {
	.how = BY_SUBMIT | OPEN,
	.latency_ns = 3 * 1000 * 1000,
};

FIXTURE_VARIANT_ADD(last, by_enter_that_takes_time) {
	.how = BY_ENTER | OPEN,
	.latency_ns = 3 * 1000 * 1000,
};

FIXTURE_VARIANT_ADD(last, by_submit_at_once) {
	.how = BY_SUBMIT | OPEN,
	.is_instant = true,
};

FIXTURE_VARIANT_ADD(last, by_enter_at_once) {
	.how = BY_ENTER | OPEN,
	.is_instant = true,
};

FIXTURE_VARIANT_ADD(last, by_submit_at_once_in_time) {
	.how = BY_SUBMIT | OPEN,
	.is_instant = true,
	.latency_ns = 100 * 1000,
};

FIXTURE_VARIANT_ADD(last, by_enter_at_once_in_time) {
	.how = BY_ENTER | OPEN,
	.is_instant = true,
	.latency_ns = 100 * 1000,
};

/* How often each; several of them in a row may be different from one. */
#define TIMES		20

/* The time that a driver may take to tell by itself, for a machine of any speed. */
#define SOON_NS		5000000000ULL

FIXTURE_SETUP(last)
{
	static const struct sim_config config;

	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	self->bytes = attr_get(&self->unit, "used_bytes");
	must(try_sim_set(self->sim, "instant", variant->is_instant));
	must(try_sim_set(self->sim, "latency_ns", variant->latency_ns));
	must(try_mover_open(&self->mover, &self->unit, variant->how, 0,
			    PIECE_BYTES));
}

FIXTURE_TEARDOWN(last)
{
	works(try_sim_set(self->sim, "instant", 0));
	if (self->mover.fd >= 0) {
		EXPECT_TRUE(nothing_is_told(&self->mover));
		works(try_mover_close(&self->mover));
	}
	if (!self->is_gone) {
		works(try_wait_attr(&self->unit, "used_bytes", self->bytes));
		EXPECT_EQ(0, attr_get(&self->unit, "recovery/resets"));
		EXPECT_STREQ("copied", next_program(&self->unit));
		works(try_sim_unbind(self->sim, 0));
	}
	works(try_sim_end(self->sim));
}

/* What ends at once has moved nothing. */
#define EXPECT_ENDED(_event, _piece)					\
	do {								\
		const struct udma_event *__ended = (_event);		\
									\
		EXPECT_EQ(_piece, __ended->user_data);			\
		EXPECT_STREQ("OK 4096 exact", event_text(__ended));	\
		if (!variant->is_instant) {				\
			EXPECT_STREQ("copied",				\
				     piece_verdict(&self->mover,	\
						   __ended->user_data));\
		}							\
	} while (0)

/* There are these events in a moment, from piece 0 on. */
#define have_ended(_count)						\
	do {								\
		const unsigned int __pieces = (_count);			\
		struct udma_event __events[PIECES];			\
		unsigned int __i;					\
									\
		must(try_take_all(&self->mover, __events, __pieces));	\
		for (__i = 0; __i < __pieces; __i++)			\
			EXPECT_ENDED(&__events[__i], __i);		\
	} while (0)

TEST_F(last, is_read)
{
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		ASSERT_EQ(1, must(try_read(self->mover.fd, &event, 1)));
		EXPECT_ENDED(&event, 0);
	}
}

TEST_F(last, is_read_without_waiting)
{
	struct udma_event event;
	unsigned int i;
	__u64 end;
	int ret;

	must(fcntl(self->mover.fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		end = 0;
		while ((ret = try_read(self->mover.fd, &event, 1)) < 0 &&
		       errno == EAGAIN && look_again(&end))
			;
		ASSERT_EQ(1, must(ret));
		EXPECT_ENDED(&event, 0);
	}
}

TEST_F(last, is_told_by_poll)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		EXPECT_EQ(POLLIN, must(try_wait_for(self->mover.fd, POLLIN)));
		have_ended(1);
	}
}

TEST_F(last, is_told_by_poll_that_does_not_wait)
{
	__u64 end = 0;

	must(try_move(&self->mover, 0, 1, ALL));
	while (!(must(poll_now(self->mover.fd)) & POLLIN)) {
		ASSERT_TRUE(look_again(&end));
	}
	have_ended(1);
}

/* By a call of its own and by the one that submits; asleep, and not. */
TEST_F(last, is_waited_for)
{
	struct queue *queue = &self->mover.queue;
	struct udma_event event;
	unsigned int i, own;

	if (!(variant->how & BY_ENTER))
		SKIP(return, "it has no queues");
	for (i = 0; i < TIMES; i++) {
		own = i % 2;
		queue_put(queue, mover_request(&self->mover, 0, true));
		if (own)
			must(try_enter(queue->fd, 1, 0));
		EXPECT_EQ(!own, try_enter_with(queue->fd, !own, 1, WAIT_NS,
					       i / 2 % 2 ? 50000 : 0));
		ASSERT_EQ(1, queue_pop(queue, &event, 1));
		EXPECT_ENDED(&event, 0);
	}
}

TEST_F(last, signals_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	unsigned int i;

	must(try_eventfd(self->mover.fd, efd));
	for (i = 0; i < TIMES; i++) {
		const __u64 begin = now_ns();

		must(try_move(&self->mover, 0, 1, ALL));
		must(try_wait_for(efd, POLLIN));
		EXPECT_GT(SOON_NS, now_ns() - begin);
		EXPECT_NE(0, eventfd_count(efd));
		have_ended(1);
	}
	must(close(efd));
}

TEST_F(last, is_seen_without_a_call)
{
	struct udma_event event;
	unsigned int i;
	__u64 end;

	if (!(variant->how & BY_ENTER))
		SKIP(return, "it has no queues");
	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		end = 0;
		while (!queue_ready(&self->mover.queue)) {
			ASSERT_TRUE(look_again(&end));
		}
		ASSERT_EQ(1, queue_pop(&self->mover.queue, &event, 1));
		EXPECT_ENDED(&event, 0);
	}
}

/* All that there can be, by so many calls */
TEST_F(last, are_as_many_as_there_is_room_for)
{
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < PIECES; i++)
			must(try_move(&self->mover, i, 1, ALL));
		have_ended(PIECES);
	}
}

TEST_F(last, is_followed_by_one_that_is_told_of)
{
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		self->mover.how |= OPEN;
		must(try_move(&self->mover, 0, 1, ALL));
		self->mover.how &= ~OPEN;
		must(try_move(&self->mover, 1, 1, ALL));
		have_ended(2);
	}
}

TEST_F(last, is_followed_by_a_fence)
{
	unsigned int i;

	self->mover.fences = 1U << 1 | 1U << 2;
	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		must(try_move(&self->mover, 1, 1, ALL));
		must(try_move(&self->mover, 2, 1, ALL));
		have_ended(3);
	}
}

/* Nobody asks for those before it. */
TEST_F(last, is_followed_by_a_fence_without_a_call)
{
	__u64 end = 0;

	if (!(variant->how & BY_ENTER))
		SKIP(return, "it has no queues");
	self->mover.fences = 1U << 1 | 1U << 2;
	must(try_move(&self->mover, 0, 1, ALL));
	must(try_move(&self->mover, 1, 2, ALL));
	while (queue_ready(&self->mover.queue) < 3) {
		ASSERT_TRUE(look_again(&end));
	}
	have_ended(3);
}

/* Each is told of its own, whoever else is told. */
TEST_F(last, comes_between_those_of_others)
{
	struct udma_event event;
	struct mover other;
	unsigned int i;

	must(try_mover_open(&other, &self->unit, variant->how & ~OPEN, 0,
			    PIECE_BYTES));
	for (i = 0; i < TIMES; i++) {
		must(try_move(&other, 0, 1, NONE));
		must(try_move(&self->mover, 0, 1, ALL));
		must(try_move(&other, 1, 1, NONE));
		must(try_take_all(&other, (struct udma_event[2]) {}, 2));
		if (i % 2)
			have_ended(1);
		else
			must(try_read(self->mover.fd, &event, 1));
	}
	must(try_mover_close(&other));
}

TEST_F(last, may_be_cancelled)
{
	struct udma_event event;
	unsigned int i;
	int found;

	for (i = 0; i < TIMES; i++) {
		must(try_move(&self->mover, 0, 1, ALL));
		found = try_cancel(self->mover.fd, i + 1);
		ASSERT_TRUE(found == 1 || errno == ENOENT);
		must(try_take_all(&self->mover, &event, 1));
		EXPECT_EQ(found == 1 ? -ECANCELED : 0, event.status);
	}
}

TEST_F(last, is_of_a_file_that_is_closed)
{
	unsigned int i;

	must(try_mover_close(&self->mover));
	for (i = 0; i < TIMES; i++) {
		must(try_mover_open(&self->mover, &self->unit, variant->how, 0,
				    PIECE_BYTES));
		must(try_move(&self->mover, 0, 1 + i % 3, ALL));
		must(try_mover_close(&self->mover));
	}
	self->mover.fd = -1;
}

TEST_F(last, is_of_a_program_that_is_killed)
{
	int fds[2], status;
	struct mover mover;
	pid_t pid;
	char byte;

	must(pipe(fds));
	pid = must(fork());
	if (pid == 0) {
		if (try_mover_open(&mover, &self->unit, variant->how, 0,
				   PIECE_BYTES) ||
		    try_move(&mover, 0, 1, ALL) < 0 ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	EXPECT_EQ(1, read(fds[0], &byte, 1));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_F(last, is_under_way_when_the_channel_is_unbound)
{
	struct udma_event event;

	must(try_move(&self->mover, 0, 1, ALL));
	must(try_sim_unbind(self->sim, 0));
	self->is_gone = true;
	/* It ends by itself, and is waited for. Its memory is gone. */
	must(try_take_all(&self->mover, &event, 1));
	EXPECT_STREQ("OK 4096 exact", event_text(&event));
}

/* Those who sleep already are told without asking. */
TEST_F(last, wakes_who_sleeps)
{
	struct epoll_event told = { .events = EPOLLIN };
	const int epfd = must(epoll_create1(EPOLL_CLOEXEC));
	const int efd = must(eventfd(0, EFD_CLOEXEC));
	struct poller polls, of_epoll, of_eventfd;
	struct enterer enters;
	__u64 begin;

	must(epoll_ctl(epfd, EPOLL_CTL_ADD, self->mover.fd, &told));
	must(try_eventfd(self->mover.fd, efd));
	must(try_poller_start(&polls, self->mover.fd, POLLIN));
	must(try_poller_start(&of_epoll, epfd, POLLIN));
	must(try_poller_start(&of_eventfd, efd, POLLIN));
	if (variant->how & BY_ENTER)
		must(try_enterer_start(&enters, self->mover.fd, 0, 1));
	begin = now_ns();
	must(try_move(&self->mover, 0, 1, ALL));
	EXPECT_EQ(POLLIN, try_poller_join(&polls));
	EXPECT_EQ(POLLIN, try_poller_join(&of_epoll));
	EXPECT_EQ(POLLIN, try_poller_join(&of_eventfd));
	if (variant->how & BY_ENTER) {
		EXPECT_EQ(0, try_enterer_join(&enters));
	}
	EXPECT_GT(SOON_NS, now_ns() - begin);
	have_ended(1);
	must(close(efd));
	must(close(epfd));
}

/* One at a time: with several that sleep, one might ask for all. */
#define WAKES(_start, _join)						\
	do {								\
		unsigned int __i;					\
		__u64 __begin;						\
									\
		for (__i = 0; __i < TIMES; __i++) {			\
			must(_start);					\
			__begin = now_ns();				\
			must(try_move(&self->mover, 0, 1, ALL));	\
			_join;						\
			EXPECT_GT(SOON_NS, now_ns() - __begin);		\
		}							\
	} while (0)

TEST_F(last, wakes_who_reads)
{
	struct sleeper sleeper;

	WAKES(try_sleeper_start(&sleeper, read_one, &self->mover.fd, SYS_read),
	      must(try_sleeper_join(&sleeper)); EXPECT_EQ(1, sleeper.ret));
}

TEST_F(last, wakes_who_polls)
{
	struct poller poller;

	WAKES(try_poller_start(&poller, self->mover.fd, POLLIN),
	      EXPECT_EQ(POLLIN, try_poller_join(&poller)); have_ended(1));
}

TEST_F(last, wakes_who_waits)
{
	struct enterer enterer;

	if (!(variant->how & BY_ENTER))
		SKIP(return, "it has no queues");
	WAKES(try_enterer_start(&enterer, self->mover.fd, 0, 1),
	      EXPECT_EQ(0, try_enterer_join(&enterer)); have_ended(1));
}

TEST_F(last, wakes_who_sleeps_on_epoll)
{
	struct epoll_event told = { .events = EPOLLIN };
	const int epfd = must(epoll_create1(EPOLL_CLOEXEC));
	struct poller poller;

	must(epoll_ctl(epfd, EPOLL_CTL_ADD, self->mover.fd, &told));
	WAKES(try_poller_start(&poller, epfd, POLLIN),
	      EXPECT_EQ(POLLIN, try_poller_join(&poller)); have_ended(1));
	must(close(epfd));
}

/* Controllers of other kinds */

FIXTURE(kind)
{
	struct unit unit;
	struct sim *sim;
	struct mover mover;
};

FIXTURE_VARIANT(kind)
{
	struct sim_config config;
	unsigned int how;
};

FIXTURE_VARIANT_ADD(kind, with_few_descriptors) {
	.config = { .depth = 5 },
};

FIXTURE_VARIANT_ADD(kind, with_few_descriptors_by_enter) {
	.config = { .depth = 5 },
	.how = BY_ENTER,
};

FIXTURE_VARIANT_ADD(kind, with_few_descriptors_to_the_last) {
	.config = { .depth = 5 },
	.how = BY_ENTER | OPEN,
};

FIXTURE_VARIANT_ADD(kind, with_one_descriptor) {
	.config = { .depth = 1 },
};

FIXTURE_VARIANT_ADD(kind, without_terminate) {
	.config = { .depth = 5, .no_terminate = true },
};

FIXTURE_VARIANT_ADD(kind, that_tells_little) {
	.config = { .depth = 5, .granularity = "descriptor" },
};

FIXTURE_VARIANT_ADD(kind, without_order) {
	.config = { .depth = 5, .unordered = true },
};

FIXTURE_SETUP(kind)
{
	must(try_more_start(&self->unit, &variant->config, &self->mover, NULL,
			    variant->how));
	self->sim = &self->unit.sim;
}

FIXTURE_TEARDOWN(kind)
{
	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_TRUE(nothing_is_told(&self->mover));
	works(try_mover_close(&self->mover));
	works(try_sim_finish(self->sim));
}

/* Of what it has, nothing would be told. */
TEST_F(kind, takes_fewer_than_there_are)
{
	const unsigned int depth = variant->config.depth;
	struct udma_event events[PIECES];
	unsigned int i, done, round;

	if (variant->config.unordered)
		SKIP(return, "the newest end first");
	for (round = 0; round < 3; round++) {
		must(try_move(&self->mover, 0, 20, ALL));
		for (done = 0; done < 20; done += depth) {
			must(try_wait_pending(self->sim, depth));
			must(try_step(self->sim, depth));
			must(try_take_each(&self->mover, events, done, depth));
			for (i = 0; i < depth; i++)
				EXPECT_MOVED(&self->mover, &events[i],
					     done + i);
		}
	}
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(kind, takes_fewer_than_there_are_quickly)
{
	struct udma_event events[PIECES];
	unsigned int i, round;

	must(try_sim_set(self->sim, "step_mode", 0));
	for (round = 0; round < 20; round++) {
		must(try_move(&self->mover, 0, 20, ALL));
		must(try_take_each(&self->mover, events, 0, 20));
		for (i = 0; i < 20; i++)
			EXPECT_MOVED(&self->mover, &events[i], i);
	}
	EXPECT_STREQ("", counts_of(&self->unit));
}

/*
 * The driver has seen that it had ended, and its descriptor is used again when the
 * callback comes: that is not the callback of the next one.
 */
TEST_F(kind, calls_back_late)
{
	struct mover *mover = &self->mover;
	struct udma_event events[5];

	if (variant->config.depth < 5 || variant->config.unordered)
		SKIP(return, "nobody has to look for what has ended");
	must(try_sim_set(self->sim, "late_at", 5));
	must(try_sim_set(self->sim, "fail_at", 5));
	must(try_move(mover, 0, 20, ALL));
	must(try_wait_pending(self->sim, 5));
	must(try_step(self->sim, 5));
	must(try_take_all(mover, events, 5));
	EXPECT_MOVED(mover, &events[3], 3);
	EXPECT_EQ(4, events[4].user_data);
	EXPECT_EQ(-EIO, events[4].status);
	must(try_wait_pending(self->sim, 5));
	must(try_sim_set(self->sim, "release_late", 1));
	must(try_wait_attr(&self->unit, "recovery/late", 1));
	EXPECT_TRUE(nothing_is_told(mover));
	must(try_sim_set(self->sim, "step_mode", 0));
	will_be_told(mover, 5, 15);
}

TEST_F(kind, tells_of_each_without_order)
{
	struct udma_event events[5];
	unsigned int i;

	if (!variant->config.unordered)
		SKIP(return, "it keeps order");
	must(try_move(&self->mover, 0, 5, ALL));
	must(try_wait_pending(self->sim, 5));
	for (i = 0; i < 5; i++) {
		must(try_step(self->sim, 1));
		ASSERT_EQ(1, try_take(&self->mover, events, 5));
		EXPECT_MOVED(&self->mover, &events[0], 4 - i);
	}
}

/* Transfers of several descriptors */

FIXTURE(slices)
{
	struct unit unit;
	struct sim *sim;
	struct mover mover;
};

FIXTURE_SETUP(slices)
{
	static const struct sim_config config = { .max_segment = 4096 };

	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_mover_open(&self->mover, &self->unit, BY_SUBMIT, 0,
			    4 * 4096));
}

FIXTURE_TEARDOWN(slices)
{
	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_TRUE(nothing_is_told(&self->mover));
	works(try_mover_close(&self->mover));
	works(try_sim_finish(self->sim));
}

TEST_F(slices, are_told_with_the_last)
{
	must(try_move(&self->mover, 0, 3, ALL));
	must(try_wait_pending(self->sim, 12));
	must(try_step(self->sim, 12));
	are_told(&self->mover, 0, 3);
}

TEST_F(slices, are_more_than_the_window)
{
	unsigned int i;

	must(try_move(&self->mover, 0, 20, ALL));
	for (i = 0; i < 80; i++)
		must(try_step(self->sim, 1));
	are_told(&self->mover, 0, 20);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(slices, are_told_when_one_fails)
{
	struct udma_event events[3];

	must(try_sim_set(self->sim, "fail_at", 6));
	must(try_move(&self->mover, 0, 3, ALL));
	must(try_wait_pending(self->sim, 12));
	must(try_step(self->sim, 6));
	will_be_told(&self->mover, 0, 1);
	must(try_step(self->sim, 6));
	must(try_take_all(&self->mover, events, 2));
	EXPECT_EQ(1, events[0].user_data);
	EXPECT_EVENT("EIO 12288 exact", &events[0]);
	EXPECT_MOVED(&self->mover, &events[1], 2);
}

TEST_F(slices, are_under_way_at_a_reset)
{
	must(try_move(&self->mover, 0, 3, ALL));
	must(try_wait_pending(self->sim, 12));
	must(try_step(self->sim, 6));
	must(try_reset(&self->unit));
	will_be_told(&self->mover, 0, 1);
	EXPECT_STREQ("resets 1 probes 1 replays 6", counts_of(&self->unit));
	must(try_wait_pending(self->sim, 6));
	must(try_step(self->sim, 6));
	are_told(&self->mover, 1, 2);
}

TEST_F(slices, of_a_transfer_that_is_cancelled)
{
	struct udma_event events[3];

	must(try_move(&self->mover, 0, 3, ALL));
	must(try_wait_pending(self->sim, 12));
	must(try_step(self->sim, 6));
	EXPECT_EQ(1, must(try_cancel(self->mover.fd, 2)));
	must(try_step(self->sim, 6));
	must(try_take_all(&self->mover, events, 3));
	EXPECT_MOVED(&self->mover, &events[0], 0);
	EXPECT_EVENT("ECANCELED 16384 exact", &events[1]);
	EXPECT_MOVED(&self->mover, &events[2], 2);
}

/* All at once */

#define STORM_PROGRAMS	4

struct program {
	struct mover mover;
	struct tally tally;
	__u64 random;
	pthread_t thread;
};

static void program_round(struct program *program)
{
	const unsigned int count = 1 + below(&program->random, PIECES);
	struct tally *tally = &program->tally;
	struct mover *mover = &program->mover;
	struct udma_event events[PIECES];
	unsigned int i;

	/* A fence now and then, and runs with the flag of any length. */
	mover->fences = 1U << below(&program->random, 32);
	if (try_move(mover, 0, count,
		     below(&program->random, 1U << 16) << 16 |
		     below(&program->random, 1U << 16) |
		     (below(&program->random, 2) ? ALL : NONE)) < 0) {
		FAILED(tally);
		return;
	}
	ADD(tally->accepted, count);
	if (try_take_each(mover, events, 0, count)) {
		FAILED(tally);
		return;
	}
	ADD(tally->ended, count);
	errno = EPROTO;
	for (i = 0; i < count; i++)
		if (events[i].status || events[i].bytes != mover->bytes ||
		    strcmp("copied", piece_verdict(mover, i)))
			FAILED(tally);
	ADD(tally->rounds, 1);
}

static void *program_run(void *data)
{
	struct program *program = data;

	while (!LOAD(program->tally.stop) && !LOAD(program->tally.line))
		program_round(program);
	return NULL;
}

TEST_F_TIMEOUT(more, of_several_programs_with_resets, 600)
{
	const long bytes = attr_get(&self->unit, "used_bytes");
	const unsigned int resets = times(2000);
	struct program programs[STORM_PROGRAMS] = {}, *program;
	__u64 random = seed();
	unsigned int i, rounds;

	printf("# seed %llx\n", (unsigned long long)random);
	must(try_sim_set(self->sim, "step_mode", 0));
	for (i = 0; i < STORM_PROGRAMS; i++) {
		program = &programs[i];
		program->random = random + 2 * i;
		must(try_mover_open(&program->mover, &self->unit,
				    variant->how, 0,
				    i ? 512 : 8 * KIB));
		errno = pthread_create(&program->thread, NULL, program_run,
				       program);
		ASSERT_EQ(0, errno);
	}
	for (i = 0; i < resets; i++) {
		program = &programs[i % STORM_PROGRAMS];
		rounds = LOAD(program->tally.rounds);
		/* From then on each of them interrupts. */
		if (i > resets / 4 * 3 && !below(&random, 4))
			must(try_sim_set(self->sim, "refuse_at",
					 1 + below(&random, 40)));
		must(try_reset(&self->unit));
		dawdle(&random);
		while (LOAD(program->tally.rounds) == rounds &&
		       !LOAD(program->tally.line))
			sched_yield();
	}
	for (i = 0; i < STORM_PROGRAMS; i++) {
		program = &programs[i];
		STORE(program->tally.stop, true);
		pthread_join(program->thread, NULL);
		EXPECT_EQ(0, program->tally.line)
			TH_LOG("%s", strerror(program->tally.error));
		EXPECT_EQ(program->tally.accepted, program->tally.ended);
		EXPECT_TRUE(nothing_is_told(&program->mover));
		works(try_mover_close(&program->mover));
	}
	must(try_wait_attr(&self->unit, "used_bytes", bytes));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/stalls"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/failures"));
}

TEST_HARNESS_MAIN
