// SPDX-License-Identifier: GPL-2.0
/*
 * UDMA_ENTER that waits: for how many events, for how long, asleep or not, and what
 * ends it. That a thread sleeps on is seen from the kernel's count of its sleeps.
 */
#include <sys/eventfd.h>

#include "udma_stepped.h"

#define MS		1000000ULL

/* So many are under way. */
static int try_begin(struct queue *queue, struct udma_request request,
		     unsigned int count)
{
	int ret;

	queue_put_times(queue, request, count);
	ret = try_enter(queue->fd, count, 0);
	if (ret < 0 || ret == (int)count)
		return ret;
	errno = ERANGE;
	return -1;
}

#define BEGIN(_count)							\
	must(try_begin(&self->queue, self->fill, _count))

/* It is asleep, and has been since it was last said so. */
static long sleeps_now(const struct enterer *enterer)
{
	if (try_sleeper_wait(&enterer->sleeper, SYS_ioctl))
		return -1;
	return sleeps_of(&enterer->sleeper);
}

#define SLEEPS_ON(_enterer, _sleeps)					\
	EXPECT_EQ(_sleeps, sleeps_now(_enterer))

/* How many */

TEST_F(queue, wait_ends_with_the_last_one_that_it_is_for)
{
	struct udma_event events[ENTRIES];
	struct enterer enterer;
	unsigned int i, n;
	long sleeps;

	for (n = 1; n <= ENTRIES; n++) {
		BEGIN(n);
		must(try_enterer_start(&enterer, self->fd, 0, n));
		sleeps = must(sleeps_of(&enterer.sleeper));
		for (i = 1; i < n; i++) {
			must(try_step(&self->sim, 1));
			SLEEPS_ON(&enterer, sleeps);
		}
		must(try_step(&self->sim, 1));
		EXPECT_EQ(0, try_enterer_join(&enterer));
		EXPECT_EQ(1, enterer.switches);
		EXPECT_EQ(n, queue_ready(&self->queue));
		ASSERT_EQ(n, queue_pop(&self->queue, events, ENTRIES));
	}
}

/* A step of several is no other than several of one. */
TEST_F(queue, wait_ends_when_there_are_more)
{
	struct enterer enterer;

	BEGIN(8);
	must(try_enterer_start(&enterer, self->fd, 0, 3));
	must(try_step(&self->sim, 8));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	EXPECT_EQ(8, queue_ready(&self->queue));
}

TEST_F(queue, wait_is_over_when_they_are_there)
{
	unsigned int i;
	long sleeps;

	BEGIN(4);
	must(try_step(&self->sim, 4));
	sleeps = own_switches();
	for (i = 0; i <= 4; i++)
		EXPECT_EQ(0, try_enter_with(self->fd, 0, i, 0, 0));
	EXPECT_EQ(sleeps, own_switches());
	/* Those that were taken are not. */
	takes_end(&self->queue, 1, 0, 64);
	EXPECT_EQ(0, try_enter_with(self->fd, 0, 3, 0, 0));
	fails(ETIME, try_enter_with(self->fd, 0, 4, 1, 0));
	ASSERT_EQ(1, try_read(self->fd, &(struct udma_event){}, 1));
	EXPECT_EQ(0, try_enter_with(self->fd, 0, 2, 0, 0));
	fails(ETIME, try_enter_with(self->fd, 0, 3, 1, 0));
}

TEST_F(queue, wait_is_for_what_it_submits_itself)
{
	struct enterer enterer;

	queue_put_times(&self->queue, self->fill, 5);
	must(try_enterer_start(&enterer, self->fd, 3, 3));
	EXPECT_EQ(2, queue_pending(&self->queue));
	must(try_step(&self->sim, 3));
	EXPECT_EQ(3, try_enterer_join(&enterer));
	EXPECT_EQ(3, queue_ready(&self->queue));
}

TEST_F(queue, wait_is_for_no_more_than_there_can_be)
{
	struct enterer enterer;

	queue_put_times(&self->queue, self->fill, ENTRIES);
	fails(EINVAL, try_enter(self->fd, 1, ENTRIES + 1));
	fails(EINVAL, try_enter(self->fd, 0, ENTRIES + 1));
	fails(EINVAL, try_enter(self->fd, 1, ~0U));
	/* Nothing was taken for that. */
	EXPECT_EQ(ENTRIES, queue_pending(&self->queue));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	must(try_enterer_start(&enterer, self->fd, ENTRIES, ENTRIES));
	must(try_step(&self->sim, ENTRIES));
	EXPECT_EQ(ENTRIES, try_enterer_join(&enterer));
}

TEST_F(queue, wait_has_no_unknown_flags)
{
	struct {
		struct udma_enter enter;
		__u64 more;
	} longer = { .enter = { .size = sizeof(longer) }, .more = 1 };
	struct udma_enter enter;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		enter = (struct udma_enter) {
			.size = sizeof(enter),
			.flags = 1U << bit,
		};
		fails(EINVAL, ioctl(self->fd, UDMA_ENTER, &enter));
	}
	enter.flags = 0;
	enter.size = sizeof(enter) - 1;
	fails(EINVAL, ioctl(self->fd, UDMA_ENTER, &enter));
	fails(E2BIG, ioctl(self->fd, UDMA_ENTER, &longer));
	longer.more = 0;
	EXPECT_EQ(0, ioctl(self->fd, UDMA_ENTER, &longer));
}

/* With nothing under way, it is for what others submit. */
TEST_F(queue, wait_holds_up_nobody)
{
	struct udma_info info;
	struct enterer enterer;
	struct buffer buffer;

	must(try_enterer_start(&enterer, self->fd, 0, 3));
	must(try_info(self->fd, &info));
	must(try_alloc_map(self->fd, 4096, &buffer));
	must(try_unmap(&buffer));
	must(try_free(self->fd, buffer.handle));
	BEGIN(1);
	must(try_submit_one(self->fd, self->fill));
	must(try_submit_one(self->fd, self->fill));
	fails(ENOENT, try_cancel(self->fd, 4));
	must(try_step(&self->sim, 3));
	EXPECT_EQ(0, try_enterer_join(&enterer));
}

TEST_F(queue, wait_is_not_for_events_of_others)
{
	struct enterer enterer;
	struct program other;
	long sleeps;

	must(try_program_start(&other, &self->sim, 0, 4096));
	BEGIN(1);
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	sleeps = must(sleeps_of(&enterer.sleeper));
	must(try_step(&self->sim, 1));
	must(try_submit_one(other.fd, other.copy));
	must(try_submit_one(other.fd, other.copy));
	must(try_step(&self->sim, 2));
	SLEEPS_ON(&enterer, sleeps);
	BEGIN(1);
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	must(try_program_end(&other));
}

/* Those that are taken meanwhile are not there. */
TEST_F(queue, wait_is_for_what_nobody_else_takes)
{
	struct enterer enterer;

	BEGIN(6);
	must(try_enterer_start(&enterer, self->fd, 0, 3));
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 1, 0, 64);
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, try_read(self->fd, &(struct udma_event){}, 1));
	must(try_step(&self->sim, 2));
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	EXPECT_EQ(3, queue_ready(&self->queue));
}

TEST_F(queue, wait_ends_with_what_is_cancelled)
{
	struct enterer enterer;

	BEGIN(1);
	queue_put_times(&self->queue, fenced(self->fill), 2);
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 3));
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	takes_end(&self->queue, 3, -ECANCELED, 0);
	takes_end(&self->queue, 2, -ECANCELED, 0);
}

/* Several that wait */

TEST_F(queue, wait_of_each_ends_in_its_time)
{
	struct enterer enterers[4];
	long sleeps[4];
	unsigned int i, k;

	BEGIN(4);
	/* The one that waits longest came first. */
	for (i = 0; i < 4; i++) {
		must(try_enterer_start(&enterers[i], self->fd, 0, 4 - i));
		sleeps[i] = must(sleeps_of(&enterers[i].sleeper));
	}
	for (i = 4; i--;) {
		must(try_step(&self->sim, 1));
		EXPECT_EQ(0, try_enterer_join(&enterers[i]));
		for (k = 0; k < i; k++) {
			SLEEPS_ON(&enterers[k], sleeps[k]);
		}
	}
}

TEST_F(queue, wait_of_several_for_the_same)
{
	struct enterer enterers[3];
	unsigned int i;

	BEGIN(2);
	for (i = 0; i < 3; i++) {
		must(try_enterer_start(&enterers[i], self->fd, 0, 2));
	}
	must(try_step(&self->sim, 2));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, try_enterer_join(&enterers[i]));
	EXPECT_EQ(2, queue_ready(&self->queue));
}

TEST_F(queue, wait_goes_with_all_other_ways_to_wait)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	struct poller poller, signalled;
	struct enterer enterer;

	must(try_eventfd(self->fd, efd));
	BEGIN(2);
	must(try_poller_start(&poller, self->fd, POLLIN));
	must(try_poller_start(&signalled, efd, POLLIN));
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	/* The first event is enough for those. */
	must(try_step(&self->sim, 1));
	EXPECT_EQ(POLLIN, try_poller_join(&poller));
	EXPECT_EQ(POLLIN, try_poller_join(&signalled));
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	must(close(efd));
}

TEST_F(queue, wait_goes_with_one_who_reads)
{
	struct enterer enterer;
	struct sleeper reader;

	BEGIN(3);
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	must(try_sleeper_start(&reader, read_one, &self->fd, SYS_read));
	must(try_step(&self->sim, 1));
	must(try_sleeper_join(&reader));
	EXPECT_EQ(1, reader.ret);
	must(try_step(&self->sim, 2));
	EXPECT_EQ(0, try_enterer_join(&enterer));
	takes_end(&self->queue, 2, 0, 64);
	takes_end(&self->queue, 3, 0, 64);
}

/* Who waits for room is told by a read, and by nothing that is not a call. */
TEST_F(queue, wait_for_room_ends_with_a_read)
{
	struct poller poller;

	BEGIN(ENTRIES);
	must(try_step(&self->sim, ENTRIES));
	must(try_poller_start(&poller, self->fd, POLLOUT));
	ASSERT_EQ(1, try_read(self->fd, &(struct udma_event){}, 1));
	EXPECT_EQ(POLLOUT, try_poller_join(&poller));
}

/* How long */

TEST_F(queue, wait_is_not_over_before_its_time)
{
	static const __u64 times[] = { 1, 1000, MS, 20 * MS };
	unsigned int i, busy;
	__u64 begin;

	BEGIN(1);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		for (busy = 0; busy < 3; busy++) {
			begin = now_ns();
			fails(ETIME, try_enter_with(self->fd, 0, 1, times[i],
						    busy * times[i] / 2));
			EXPECT_LE(times[i], now_ns() - begin);
		}
	}
}

TEST_F(queue, wait_that_is_over_says_what_was_taken)
{
	__u64 begin = now_ns();

	queue_put(&self->queue, self->fill);
	EXPECT_EQ(1, try_enter_with(self->fd, 1, 1, 10 * MS, 0));
	EXPECT_LE(10 * MS, now_ns() - begin);
	EXPECT_EQ(0, queue_ready(&self->queue));
	fails(ETIME, try_enter_with(self->fd, 1, 1, 1, 0));
}

/* Times that end after the end of all times */
TEST_F(queue, wait_can_be_for_ever)
{
	static const __u64 times[] = {
		~0ULL, ~0ULL - 1, 1ULL << 63, (1ULL << 63) - 1, 0,
	};
	struct enterer enterer = { .fd = self->fd, .complete = 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		BEGIN(1);
		enterer.timeout_ns = times[i];
		must(try_sleeper_start(&enterer.sleeper, enterer_run, &enterer,
				       SYS_ioctl));
		must(try_step(&self->sim, 1));
		EXPECT_EQ(0, try_enterer_join(&enterer));
		takes_end(&self->queue, i + 1, 0, 64);
	}
}

/* Busy */

TEST_F(queue, wait_that_is_busy_does_not_sleep)
{
	struct enterer enterer;
	unsigned int i;

	for (i = 1; i <= 20; i++) {
		queue_put(&self->queue, self->fill);
		enterer = (struct enterer) {
			.fd = self->fd,
			.submit = 1,
			.complete = 1,
			/* For the whole time, and longer than there is any. */
			.busy_ns = i % 2 ? AN_HOUR : ~0ULL,
			.timeout_ns = i % 4 ? 0 : AN_HOUR,
		};
		must(try_sleeper_create(&enterer.sleeper, enterer_run,
					&enterer));
		/* It is in the call. */
		must(try_wait_pending(&self->sim, 1));
		must(try_step(&self->sim, 1));
		EXPECT_EQ(1, try_enterer_join(&enterer));
		EXPECT_EQ(0, enterer.switches);
		takes_end(&self->queue, i, 0, 64);
	}
}

TEST_F(queue, wait_that_is_busy_ends_in_time)
{
	struct enterer enterer = {
		.fd = self->fd,
		.complete = 1,
		.timeout_ns = 5 * MS,
		.busy_ns = AN_HOUR,
	};

	BEGIN(1);
	EXPECT_EQ(-1, enterer_run(&enterer));
	EXPECT_EQ(ETIME, errno);
	EXPECT_LE(5 * MS, enterer.took_ns);
	/* At the end of it may be a sleep for a time that is over already. */
	EXPECT_GE(1, enterer.switches);
}

TEST_F(queue, wait_that_is_busy_sleeps_in_the_end)
{
	struct enterer enterer = {
		.fd = self->fd,
		.complete = 1,
		.timeout_ns = 10 * MS,
		.busy_ns = MS,
	};

	BEGIN(1);
	EXPECT_EQ(-1, enterer_run(&enterer));
	EXPECT_EQ(ETIME, errno);
	EXPECT_LE(10 * MS, enterer.took_ns);
	EXPECT_LE(1, enterer.switches);
	/* And it is woken then. */
	enterer.timeout_ns = 0;
	must(try_sleeper_start(&enterer.sleeper, enterer_run, &enterer,
			       SYS_ioctl));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, try_enterer_join(&enterer));
}

/* On a machine with one processor nobody else would come to anything. */
TEST_F(queue, wait_that_is_busy_lets_others_run)
{
	struct enterer enterer = {
		.fd = self->fd,
		.submit = 1,
		.complete = 1,
		.busy_ns = AN_HOUR,
	};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	queue_put(&self->queue, self->fill);
	must(try_sleeper_create(&enterer.sleeper, enterer_run, &enterer));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, try_enterer_join(&enterer));
}

/* Signals */

/* It sleeps for more than will ever come, and then there is a signal. */
static int try_interrupt(struct enterer *enterer, int fd, __u64 timeout_ns,
			 __u32 submit)
{
	*enterer = (struct enterer) {
		.fd = fd,
		.submit = submit,
		.complete = ENTRIES,
		.timeout_ns = timeout_ns,
	};
	if (try_sleeper_start(&enterer->sleeper, enterer_run, enterer,
			      SYS_ioctl))
		return -1;
	return try_sleeper_signal(&enterer->sleeper, SIGUSR1);
}

TEST_F(queue, wait_ends_with_a_signal)
{
	struct enterer enterer;

	must(try_catch(0));
	must(try_interrupt(&enterer, self->fd, 0, 0));
	fails(EINTR, try_enterer_join(&enterer));
	must(try_interrupt(&enterer, self->fd, AN_HOUR, 0));
	fails(EINTR, try_enterer_join(&enterer));
	/* With a time to keep, also where others are called again. */
	must(try_catch(SA_RESTART));
	must(try_interrupt(&enterer, self->fd, AN_HOUR, 0));
	fails(EINTR, try_enterer_join(&enterer));
	EXPECT_EQ(1, signals);
}

TEST_F(queue, wait_that_ends_with_a_signal_says_what_was_taken)
{
	static const int flags[] = { 0, SA_RESTART };
	struct enterer enterer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		must(try_catch(flags[i]));
		queue_put_times(&self->queue, self->fill, 2);
		must(try_interrupt(&enterer, self->fd, 0, 2));
		EXPECT_EQ(2, try_enterer_join(&enterer));
		queue_put_times(&self->queue, self->fill, 2);
		must(try_interrupt(&enterer, self->fd, AN_HOUR, 2));
		EXPECT_EQ(2, try_enterer_join(&enterer));
		EXPECT_EQ(2, signals);
	}
	EXPECT_EQ(0, queue_pending(&self->queue));
	must(try_wait_pending(&self->sim, 8));
}

TEST_F(queue, wait_goes_on_after_a_signal_with_sa_restart)
{
	struct enterer enterer;

	must(try_catch(SA_RESTART));
	BEGIN(ENTRIES);
	must(try_interrupt(&enterer, self->fd, 0, 0));
	while (!__atomic_load_n(&signals, __ATOMIC_RELAXED))
		sched_yield();
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	must(try_step(&self->sim, ENTRIES));
	EXPECT_EQ(0, try_enterer_join(&enterer));
}

TEST_F(queue, wait_that_is_busy_ends_with_a_signal)
{
	struct enterer enterer = {
		.fd = self->fd,
		.complete = 1,
		.busy_ns = AN_HOUR,
	};

	must(try_catch(0));
	must(try_sleeper_create(&enterer.sleeper, enterer_run, &enterer));
	/* Nothing tells when it is in the call. */
	while (pthread_tryjoin_np(enterer.sleeper.thread, NULL) == EBUSY) {
		must(try_sleeper_signal(&enterer.sleeper, SIGUSR1));
		sched_yield();
	}
	EXPECT_EQ(-1, enterer.sleeper.ret);
	EXPECT_EQ(EINTR, enterer.sleeper.error);
}

/* A channel that goes, and files that are closed */

TEST_F(queue, wait_ends_when_the_channel_goes)
{
	struct enterer fewer, all, more, taker, busy = {
		.fd = self->fd,
		.complete = ENTRIES,
		.busy_ns = AN_HOUR,
	};

	BEGIN(2);
	must(try_enterer_start(&fewer, self->fd, 0, 1));
	queue_put(&self->queue, self->fill);
	must(try_enterer_start(&taker, self->fd, 1, ENTRIES));
	must(try_enterer_start(&all, self->fd, 0, 3));
	must(try_enterer_start(&more, self->fd, 0, 4));
	must(try_sleeper_create(&busy.sleeper, enterer_run, &busy));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	/* The last events are events. */
	EXPECT_EQ(0, try_enterer_join(&fewer));
	EXPECT_EQ(0, try_enterer_join(&all));
	EXPECT_EQ(1, try_enterer_join(&taker));
	fails(ENODEV, try_enterer_join(&more));
	fails(ENODEV, try_enterer_join(&busy));
	EXPECT_EQ(3, queue_ready(&self->queue));
	EXPECT_EQ(UDMA_QUEUE_S_CLOSED, self->queue.shared->state);
}

TEST_F(queue, wait_ends_when_the_controller_goes)
{
	struct enterer enterer;
	struct udma_event event;

	BEGIN(1);
	must(try_enterer_start(&enterer, self->fd, 0, 2));
	must(try_sim_set(&self->sim, "live", 0));
	self->is_unbound = true;
	fails(ENODEV, try_enterer_join(&enterer));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
}

TEST_F(queue, wait_outlives_its_descriptor)
{
	struct enterer enterer;
	int fd = must(dup(self->fd));

	BEGIN(1);
	must(try_enterer_start(&enterer, fd, 0, 1));
	must(close(fd));
	must(close(self->fd));
	self->fd = -1;
	must(try_queue_unmap(&self->queue));
	must(try_unmap(&self->buffer));
	/* The call is all that has the file. */
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, try_enterer_join(&enterer));
}

TEST_HARNESS_MAIN
