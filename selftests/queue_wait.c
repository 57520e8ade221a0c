// SPDX-License-Identifier: GPL-2.0
/*
 * UDMA_ENTER that waits: for how many events, for how long, asleep or not, and what
 * ends it. That a thread sleeps on is seen from the kernel's count of its sleeps.
 */
#include <sys/eventfd.h>

#include "udma_stepped.h"
#include "udma_storm.h"

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

/* Busy with what it submits itself */

/* It is in the call, and all that it submits is under way. */
static int try_spinner_start(struct enterer *enterer, const struct sim *sim,
			     struct queue *queue, struct udma_request request)
{
	queue_put_times(queue, request, enterer->submit);
	enterer->fd = queue->fd;
	if (try_sleeper_create(&enterer->sleeper, enterer_run, enterer))
		return -1;
	return try_wait_pending(sim, enterer->submit);
}

#define SPIN(_enterer)							\
	must(try_spinner_start(_enterer, &self->sim, &self->queue, self->fill))

TEST_F(queue, wait_that_is_busy_with_its_own)
{
	static const unsigned int counts[] = { 1, 2, 8, ENTRIES };
	struct udma_event events[ENTRIES];
	struct enterer enterer;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		n = counts[i];
		enterer = (struct enterer) {
			.submit = n,
			.complete = n,
			.busy_ns = AN_HOUR,
		};
		SPIN(&enterer);
		must(try_step(&self->sim, n));
		EXPECT_EQ(n, try_enterer_join(&enterer));
		EXPECT_EQ(0, enterer.switches);
		EXPECT_EQ(n, queue_pop(&self->queue, events, ENTRIES));
	}
}

/*
 * How long after a step a thread that sleeps has returned. It sleeps after it was
 * busy in vain, or, with @loud, for what it submits by another call.
 */
static long try_wake(const struct sim *sim, struct queue *queue,
		     struct udma_request request, bool loud)
{
	struct enterer enterer = {
		.fd = queue->fd,
		.submit = !loud,
		.complete = 1,
		.busy_ns = loud ? 0 : 1000,
	};
	struct udma_event event;
	__u64 begin;

	queue_put(queue, request);
	if ((loud && try_enter(queue->fd, 1, 0) != 1) ||
	    try_sleeper_start(&enterer.sleeper, enterer_run, &enterer,
			      SYS_ioctl))
		return -1;
	begin = now_ns();
	/* With what the driver has submitted to be woken, if it has. */
	if (try_step(sim, 0) || try_enterer_join(&enterer) < 0)
		return -1;
	begin = now_ns() - begin;
	if (try_wait_pending(sim, 0))
		return -1;
	errno = ENODATA;
	return queue_pop(queue, &event, 1) ? (long)begin : -1;
}

static int compare_longs(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

#define WAKES	41

/* As soon as others that sleep, and not when the driver looks again some day. */
TEST_F(queue, wait_that_was_busy_is_woken_at_once)
{
	long took[2][WAKES];
	unsigned int i;

	for (i = 0; i < 2 * WAKES; i++)
		took[i % 2][i / 2] = must(try_wake(&self->sim, &self->queue,
						   self->fill, i % 2));
	for (i = 0; i < 2; i++)
		qsort(took[i], WAKES, sizeof(took[i][0]), compare_longs);
	EXPECT_GT(2 * took[1][WAKES / 2] + 500000, took[0][WAKES / 2])
		TH_LOG("%ld and %ld ns", took[0][WAKES / 2],
		       took[1][WAKES / 2]);
}

/* What a wait leaves behind when something else ends it is told to who does not ask. */
static int try_wait_ready(const struct sim *sim, const struct queue *queue,
			  __u32 count)
{
	__u64 end = 0;

	if (try_step(sim, 0))
		return -1;
	while (queue_ready(queue) != count)
		if (!look_again(&end))
			return -1;
	return 0;
}

TEST_F(queue, wait_that_is_busy_with_its_own_ends_in_time)
{
	struct enterer enterer = {
		.submit = 2,
		.complete = 2,
		.timeout_ns = 20 * MS,
		.busy_ns = AN_HOUR,
	};

	SPIN(&enterer);
	EXPECT_EQ(2, try_enterer_join(&enterer));
	EXPECT_LE(20 * MS, enterer.took_ns);
	EXPECT_EQ(0, queue_ready(&self->queue));
	must(try_wait_ready(&self->sim, &self->queue, 2));
}

TEST_F(queue, wait_that_was_busy_with_its_own_ends_in_time)
{
	struct enterer enterer = {
		.submit = 2,
		.complete = 2,
		.timeout_ns = 20 * MS,
		.busy_ns = MS,
	};

	/* There may be more under way than those. */
	queue_put_times(&self->queue, self->fill, 2);
	enterer.fd = self->fd;
	EXPECT_EQ(2, enterer_run(&enterer));
	EXPECT_LE(20 * MS, enterer.took_ns);
	EXPECT_LE(1, enterer.switches);
	EXPECT_EQ(0, queue_ready(&self->queue));
	must(try_wait_ready(&self->sim, &self->queue, 2));
}

TEST_F(queue, wait_that_is_busy_with_its_own_ends_with_a_signal)
{
	struct enterer enterer = {
		.submit = 4,
		.complete = 4,
		.busy_ns = AN_HOUR,
	};

	must(try_catch(0));
	SPIN(&enterer);
	must(try_sleeper_signal(&enterer.sleeper, SIGUSR1));
	EXPECT_EQ(4, try_enterer_join(&enterer));
	EXPECT_EQ(1, signals);
	EXPECT_EQ(0, queue_ready(&self->queue));
	must(try_wait_ready(&self->sim, &self->queue, 4));
}

TEST_F(queue, wait_that_is_busy_with_its_own_ends_when_the_channel_goes)
{
	struct enterer enterer = {
		.submit = 3,
		.complete = 4,
		.busy_ns = AN_HOUR,
	};
	unsigned int i;

	SPIN(&enterer);
	must(try_step(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	EXPECT_EQ(3, try_enterer_join(&enterer));
	takes_end(&self->queue, 1, 0, 64);
	for (i = 0; i < 2; i++) {
		struct udma_event event;

		ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
		EXPECT_EQ(-ENODEV, event.status);
	}
	EXPECT_EQ(UDMA_QUEUE_S_CLOSED, self->queue.shared->state);
}

/* Who sleeps is told of the first, whoever looks for it. */
TEST_F(queue, wait_that_is_busy_goes_with_one_who_reads)
{
	struct enterer enterer = {
		.submit = 3,
		.complete = 2,
		.busy_ns = AN_HOUR,
	};
	struct sleeper reader;

	must(try_sleeper_start(&reader, read_one, &self->fd, SYS_read));
	SPIN(&enterer);
	must(try_step(&self->sim, 1));
	must(try_sleeper_join(&reader));
	EXPECT_EQ(1, reader.ret);
	must(try_step(&self->sim, 2));
	EXPECT_EQ(3, try_enterer_join(&enterer));
	takes_end(&self->queue, 2, 0, 64);
	takes_end(&self->queue, 3, 0, 64);
}

TEST_F(queue, wait_that_is_busy_is_not_for_transfers_of_others)
{
	struct enterer enterer = {
		.submit = 1,
		.complete = 1,
		.busy_ns = AN_HOUR,
	};
	struct program other;
	struct udma_event event;

	must(try_program_start(&other, &self->sim, 0, 4096));
	must(try_submit_one(other.fd, other.copy));
	queue_put(&self->queue, self->fill);
	enterer.fd = self->fd;
	must(try_sleeper_create(&enterer.sleeper, enterer_run, &enterer));
	must(try_wait_pending(&self->sim, 2));
	must(try_submit_one(other.fd, other.copy));
	must(try_step(&self->sim, 1));
	must(try_collect(other.fd, &event, 1));
	EXPECT_EQ(0, queue_ready(&self->queue));
	EXPECT_EQ(EBUSY, pthread_tryjoin_np(enterer.sleeper.thread, NULL));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, try_enterer_join(&enterer));
	EXPECT_EQ(1, queue_ready(&self->queue));
	has_not_ended(other.fd);
	must(try_step(&self->sim, 1));
	must(try_collect(other.fd, &event, 1));
	must(try_program_end(&other));
}

/* Nothing more is taken when it stops being busy, and then it sleeps all the same. */
TEST_F(queue, wait_that_was_busy_where_all_is_refused)
{
	struct enterer enterer = {
		.submit = 2,
		.complete = 2,
		.busy_ns = 100 * MS,
	};

	SPIN(&enterer);
	must(try_sim_set(&self->sim, "refuse", 1));
	must(try_sleeper_wait(&enterer.sleeper, SYS_ioctl));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(2, try_enterer_join(&enterer));
	EXPECT_EQ(2, queue_ready(&self->queue));
	must(try_sim_set(&self->sim, "refuse", 0));
}

/* Those that are submitted and waited for in one call, by the clock */

#define SPIN_ENTRIES	64

FIXTURE(spin)
{
	struct sim sim;
	int fd;
	struct queue queue;
	struct buffer buffer;
	struct udma_request fill;
};

FIXTURE_VARIANT(spin)
{
	struct sim_config config;
	bool is_instant;
	__u64 latency_ns;
	__u64 busy_ns;
};

FIXTURE_VARIANT_ADD(spin, that_ends_at_once) {
	.is_instant = true,
	.busy_ns = MS,
};

FIXTURE_VARIANT_ADD(spin, that_ends_in_time) {
	.is_instant = true,
	.latency_ns = 20000,
	.busy_ns = 500 * MS,
};

FIXTURE_VARIANT_ADD(spin, that_is_too_short) {
	.is_instant = true,
	.latency_ns = 20 * MS,
	.busy_ns = MS,
};

FIXTURE_VARIANT_ADD(spin, that_ends_in_time_with_data) {
	.busy_ns = 500 * MS,
};

FIXTURE_VARIANT_ADD(spin, that_is_too_short_with_data) {
	.latency_ns = 20 * MS,
	.busy_ns = MS,
};

FIXTURE_VARIANT_ADD(spin, that_is_hardly_one) {
	.latency_ns = 20000,
	.busy_ns = 1,
};

FIXTURE_VARIANT_ADD(spin, with_few_descriptors) {
	.config = { .depth = 5 },
	.latency_ns = MS,
	.busy_ns = 3 * MS,
};

FIXTURE_VARIANT_ADD(spin, with_one_descriptor) {
	.config = { .depth = 1 },
	.latency_ns = MS,
	.busy_ns = 100000,
};

FIXTURE_VARIANT_ADD(spin, without_order) {
	.config = { .unordered = true },
	.latency_ns = MS,
	.busy_ns = 100000,
};

FIXTURE_SETUP(spin)
{
	self->fd = must(try_sim_start(&self->sim, &variant->config));
	must(try_sim_set(&self->sim, "instant", variant->is_instant));
	must(try_sim_set(&self->sim, "latency_ns", variant->latency_ns));
	must(try_alloc_map(self->fd, 64 * KIB, &self->buffer));
	must(try_queue_start(&self->queue, self->fd, SPIN_ENTRIES,
			     SPIN_ENTRIES));
	self->fill = fill_request(&self->buffer, 0, 64, 1);
}

FIXTURE_TEARDOWN(spin)
{
	EXPECT_EQ(0, queue_ready(&self->queue));
	works(try_queue_unmap(&self->queue));
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	works(try_sim_set(&self->sim, "instant", 0));
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(try_sim_finish(&self->sim));
}

/* Each of @count has its event, and each is the only one. */
static const char *all_ended(struct queue *queue, unsigned int count)
{
	struct udma_event events[SPIN_ENTRIES];
	unsigned int i;
	__u64 seen = 0;

	if (queue_pop(queue, events, SPIN_ENTRIES) != count)
		return "another number";
	for (i = 0; i < count; i++) {
		if (events[i].status || events[i].bytes != 64)
			return "not all was moved";
		seen |= 1ULL << events[i].user_data;
	}
	return seen == (1ULL << count) - 1 ? "all" : "one of them twice";
}

/* However many they are, and whether or not the time to look is enough for them. */
TEST_F(spin, ends_with_the_last)
{
	static const unsigned int counts[] = { 1, 8, 32, 40, 1, 32, 2 };
	unsigned int i, count;
	__u64 begin;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		count = counts[i];
		queue_put_times(&self->queue, self->fill, count);
		begin = now_ns();
		EXPECT_EQ(count, try_enter_with(self->fd, count, count, WAIT_NS,
						variant->busy_ns));
		EXPECT_GT(2000 * MS + count * variant->latency_ns,
			  now_ns() - begin);
		EXPECT_STREQ("all", all_ended(&self->queue, count))
			TH_LOG("%u", count);
	}
}

/* The rest has no one who looks for it but those who look at the memory. */
TEST_F(spin, ends_with_the_first)
{
	unsigned int i;
	__u64 end;

	for (i = 0; i < 20; i++) {
		queue_put_times(&self->queue, self->fill, 4);
		EXPECT_EQ(4, try_enter_with(self->fd, 4, 1, WAIT_NS,
					    variant->busy_ns));
		EXPECT_LE(1, queue_ready(&self->queue));
		end = 0;
		while (queue_ready(&self->queue) < 4) {
			ASSERT_TRUE(look_again(&end));
		}
		EXPECT_STREQ("all", all_ended(&self->queue, 4));
	}
}

TEST_F(spin, is_for_those_of_which_nobody_is_told)
{
	unsigned int i;

	self->fill.flags = UDMA_REQUEST_F_MORE;
	for (i = 0; i < 20; i++) {
		queue_put_times(&self->queue, self->fill, 2);
		ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
		EXPECT_EQ(0, try_enter_with(self->fd, 0, 2, WAIT_NS,
					    variant->busy_ns));
		EXPECT_STREQ("all", all_ended(&self->queue, 2));
	}
}

struct talker {
	pthread_t thread;
	struct program program;
	struct tally tally;
};

/* A program that has nothing to do with it */
static void *talk(void *data)
{
	struct talker *talker = data;
	struct program *program = &talker->program;
	struct udma_event event;

	while (!LOAD(talker->tally.stop)) {
		if (try_run(program->fd, program->copy, &event) || event.status)
			FAILED(&talker->tally);
		ADD(talker->tally.rounds, 1);
	}
	return NULL;
}

TEST_F(spin, goes_with_transfers_of_others)
{
	struct talker talker = {};
	unsigned int i;

	must(try_program_start(&talker.program, &self->sim, 0, 4096));
	errno = pthread_create(&talker.thread, NULL, talk, &talker);
	ASSERT_EQ(0, errno);
	for (i = 0; i < 50 || LOAD(talker.tally.rounds) < 5; i++) {
		queue_put_times(&self->queue, self->fill, 1 + i % 3);
		EXPECT_EQ(1 + i % 3,
			  try_enter_with(self->fd, 4, 1 + i % 3, WAIT_NS,
					 variant->busy_ns));
		EXPECT_STREQ("all", all_ended(&self->queue, 1 + i % 3));
	}
	must(try_tally_end(&talker.tally, talker.thread));
	must(try_program_end(&talker.program));
}

/*
 * What is asked of the controller so that it wakes the thread up may be refused as
 * anything else may be.
 */
TEST_F(spin, is_refused_something)
{
	static const char * const faults[] = { "refuse_at", "submit_fail_at" };
	struct udma_event event;
	unsigned int i, at;

	for (i = 0; i < 2 * 3 * 4; i++) {
		at = 1 + i / 2 % 3;
		must(try_sim_set(&self->sim, faults[i % 2], at));
		queue_put(&self->queue, self->fill);
		EXPECT_EQ(1, try_enter_with(self->fd, 1, 1, WAIT_NS,
					    variant->busy_ns));
		ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
		/* If that has failed it was not only refused. */
		EXPECT_TRUE(!event.status || (i % 2 && event.status == -EIO));
		must(try_sim_set(&self->sim, faults[i % 2], 0));
	}
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
