// SPDX-License-Identifier: GPL-2.0
/*
 * Queues and what may happen at any moment: other threads in the same call, cancels,
 * signals that kill, mappings that go, channels that go. Each transfer that was taken
 * has one event, and all comes back in the end.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udma_program.h"
#include "udma_queue.h"
#include "udma_storm.h"
#include "udma_witness.h"

#define ENTRIES		16

/* For the harness, which knows no "as long as it takes". */
#define STORM_SECONDS	(7 * 24 * 3600)

FIXTURE(race)
{
	struct sim sim;
	struct ledger before;
	__u64 random;
};

FIXTURE_SETUP(race)
{
	static const struct sim_config config;

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->before = ledger_read(&self->sim);
}

FIXTURE_TEARDOWN(race)
{
	works(try_ledger_wait(&self->sim, &self->before));
	works(try_wait_pending(&self->sim, 0));
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(try_ledger_wait(&self->sim, &self->before));
	works(try_sim_finish(&self->sim));
}

/* A file with queues that several threads use */

struct user {
	int fd;
	struct queue queue;
	struct buffer buffer;
	struct udma_request fill;
};

static int try_user_start(struct user *user, const struct sim *sim,
			  __u32 submit_entries, __u32 complete_entries)
{
	user->fd = try_sim_open(sim, 0, O_RDWR);
	if (user->fd < 0 || try_alloc_map(user->fd, 64 * KIB, &user->buffer) ||
	    try_queue_start(&user->queue, user->fd, submit_entries,
			    complete_entries))
		return -1;
	user->fill = fill_request(&user->buffer, 0, 64, 1);
	return 0;
}

static int try_user_end(struct user *user)
{
	if (try_queue_unmap(&user->queue) || try_unmap(&user->buffer))
		return -1;
	return close(user->fd);
}

struct racer {
	pthread_t thread;
	struct user *user;
	const struct sim *sim;
	__u64 random;
	struct tally tally;
	unsigned int number;
};

static int try_racer_start(struct racer *racer, void *(*run)(void *),
			   struct user *user, __u64 random)
{
	*racer = (struct racer) {
		.user = user,
		.random = random | 1,
	};
	errno = pthread_create(&racer->thread, NULL, run, racer);
	return errno ? -1 : 0;
}

static int try_racer_end(struct racer *racer)
{
	return try_tally_end(&racer->tally, racer->thread);
}

/* Let it make some more rounds; the harness ends a test in which it does not. */
static void racer_go_on(struct racer *racer, unsigned long rounds)
{
	const unsigned long from = LOAD(racer->tally.rounds);

	while (LOAD(racer->tally.rounds) - from < rounds &&
	       !LOAD(racer->tally.line))
		sched_yield();
}

/* Many threads in the call */

static void *enter_at_random(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;
	int ret;

	while (!LOAD(tally->stop)) {
		ret = try_enter_with(racer->user->fd, below(&racer->random, 9),
				     below(&racer->random, 4),
				     1 + below(&racer->random, 500000),
				     below(&racer->random, 2) * 100000);
		if (ret > 0)
			ADD(tally->accepted, ret);
		else if (ret < 0 && errno != ETIME && errno != EAGAIN)
			FAILED(tally);
		ADD(tally->rounds, 1);
	}
	return NULL;
}

TEST_F(race, of_threads_that_enter)
{
	const unsigned int total = times(50000);
	struct racer racers[4];
	struct udma_event event;
	struct queue *queue;
	struct user user;
	unsigned int put = 0, taken = 0, i;
	unsigned long accepted = 0;
	bool *seen = calloc(total, sizeof(*seen));

	ASSERT_NE(NULL, seen);
	must(try_user_start(&user, &self->sim, ENTRIES, 2 * ENTRIES));
	queue = &user.queue;
	for (i = 0; i < ARRAY_SIZE(racers); i++) {
		must(try_racer_start(&racers[i], enter_at_random, &user,
				     self->random + i));
		/* Else the others might be done before it begins. */
		racer_go_on(&racers[i], 1);
	}
	while (taken < total) {
		while (put < total && queue_pending(queue) < ENTRIES) {
			user.fill.user_data = put++;
			queue_put(queue, user.fill);
		}
		if (!queue_pop(queue, &event, 1)) {
			sched_yield();
			continue;
		}
		ASSERT_GT(total, event.user_data);
		/* In the order of the queue, whoever submitted it. */
		ASSERT_EQ(event.user_data + 1, event.sequence);
		ASSERT_EQ(0, event.status);
		ASSERT_FALSE(seen[event.user_data]);
		seen[event.user_data] = true;
		taken++;
	}
	for (i = 0; i < ARRAY_SIZE(racers); i++) {
		must(try_racer_end(&racers[i]));
		accepted += racers[i].tally.accepted;
		EXPECT_LT(0, racers[i].tally.accepted);
	}
	EXPECT_EQ(total, accepted);
	EXPECT_EQ(0, queue_ready(queue));
	free(seen);
	must(try_user_end(&user));
}

/* The same transfers by both ways, and events by both as well */

static void *submit_and_read(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;
	struct udma_event events[8];
	int ret;

	while (!LOAD(tally->stop)) {
		ret = try_submit_one(racer->user->fd, racer->user->fill);
		if (ret == 1)
			ADD(tally->accepted, 1);
		else if (errno != EAGAIN)
			FAILED(tally);
		ret = try_read(racer->user->fd, events, 8);
		if (ret > 0)
			ADD(tally->ended, ret);
		else if (errno != EAGAIN)
			FAILED(tally);
		ADD(tally->rounds, 1);
	}
	return NULL;
}

TEST_F(race, of_submit_read_and_enter)
{
	const unsigned int rounds = times(20000);
	struct udma_event event;
	struct racer racer;
	struct user user;
	unsigned int i;
	__u64 accepted = 0, ended;
	int ret;

	must(try_user_start(&user, &self->sim, ENTRIES, ENTRIES));
	must(fcntl(user.fd, F_SETFL, O_RDWR | O_NONBLOCK));
	must(try_racer_start(&racer, submit_and_read, &user, 1));
	for (i = 0; i < rounds || LOAD(racer.tally.accepted) < 10; i++) {
		if (queue_pending(&user.queue) < ENTRIES)
			queue_put(&user.queue, user.fill);
		ret = try_enter(user.fd, ENTRIES, 0);
		ASSERT_TRUE(ret >= 0 || errno == EAGAIN);
		accepted += ret > 0 ? ret : 0;
	}
	must(try_racer_end(&racer));
	accepted += racer.tally.accepted;
	ended = racer.tally.ended;
	while (ended < accepted) {
		ASSERT_EQ(POLLIN, POLLIN & must(try_wait_for(user.fd, POLLIN)));
		ended += must(try_read(user.fd, &event, 1));
	}
	EXPECT_EQ(0, queue_ready(&user.queue));
	/* Each has had its number. */
	must(try_submit_one(user.fd, user.fill));
	ASSERT_EQ(0, must(try_enter(user.fd, 0, 1)));
	takes_end(&user.queue, accepted + 1, 0, 64);
	must(try_user_end(&user));
}

/* Cancels */

static void *cancel_at_random(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;
	__u64 sequence;
	int ret;

	while (!LOAD(tally->stop)) {
		/* Some that were, some that are, some that will be. */
		sequence = LOAD(tally->closed) + below(&racer->random, 32);
		ret = below(&racer->random, 8) ?
			      try_cancel(racer->user->fd, sequence) :
			      try_cancel_all(racer->user->fd);
		if (ret < 0 && errno != ENOENT)
			FAILED(tally);
		if (ret > 0)
			ADD(tally->ended, ret);
		ADD(tally->rounds, 1);
	}
	return NULL;
}

TEST_F(race, of_cancels_and_ends)
{
	const unsigned int rounds = times(5000);
	unsigned long cancelled = 0;
	struct udma_event events[ENTRIES];
	bool seen[ENTRIES];
	struct racer racer;
	struct user user;
	unsigned int i, k;
	__u64 first = 1;

	must(try_user_start(&user, &self->sim, ENTRIES, ENTRIES));
	must(try_racer_start(&racer, cancel_at_random, &user, self->random));
	for (i = 0; i < rounds; i++) {
		must(try_sim_set(&self->sim, "latency_ns", i % 3 * 10000));
		STORE(racer.tally.closed, first);
		queue_put_times(&user.queue, user.fill, ENTRIES);
		ASSERT_EQ(ENTRIES, must(try_enter(user.fd, ENTRIES, ENTRIES)));
		ASSERT_EQ(ENTRIES, queue_pop(&user.queue, events, ENTRIES));
		memset(seen, 0, sizeof(seen));
		for (k = 0; k < ENTRIES; k++) {
			ASSERT_LE(first, events[k].sequence);
			ASSERT_GT(first + ENTRIES, events[k].sequence);
			ASSERT_FALSE(seen[events[k].sequence - first]);
			seen[events[k].sequence - first] = true;
			if (events[k].status)
				ASSERT_EQ(-ECANCELED, events[k].status);
			cancelled += events[k].status != 0;
		}
		first += ENTRIES;
	}
	must(try_racer_end(&racer));
	say("%lu of %llu cancelled", cancelled,
	    (unsigned long long)first - 1);
	EXPECT_LT(0, cancelled);
	EXPECT_GT(first - 1, cancelled);
	must(try_user_end(&user));
}

/* The mapping that goes, and is there again */

static void *map_and_unmap(void *data)
{
	struct racer *racer = data;
	const struct udma_queue_setup *setup = &racer->user->queue.setup;
	struct tally *tally = &racer->tally;
	unsigned char *mem;

	while (!LOAD(tally->stop)) {
		if (try_mmap(racer->user->fd, setup->out_mmap_offset,
			     setup->out_map_bytes, PROT_READ | PROT_WRITE,
			     MAP_SHARED, &mem) ||
		    try_touch(mem + setup->out_map_bytes - 1) != 1 ||
		    munmap(mem, setup->out_map_bytes))
			FAILED(tally);
		ADD(tally->rounds, 1);
	}
	return NULL;
}

TEST_F(race, of_enter_and_munmap)
{
	const unsigned int rounds = times(5000);
	struct queue *queue;
	struct racer racer;
	struct user user;
	unsigned int i;

	must(try_user_start(&user, &self->sim, ENTRIES, ENTRIES));
	queue = &user.queue;
	must(try_racer_start(&racer, map_and_unmap, &user, 1));
	for (i = 1; i <= rounds || !LOAD(racer.tally.rounds); i++) {
		queue_put(queue, user.fill);
		must(try_queue_unmap(queue));
		ASSERT_EQ(1, must(try_enter(user.fd, 1, 1)));
		must(try_queue_map(queue));
		takes_end(queue, i, 0, 64);
	}
	must(try_racer_end(&racer));
	must(try_user_end(&user));
}

/* Descriptors that are closed */

static void *enter_until_bad(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;
	struct udma_event event;
	int ret;

	for (;;) {
		ret = try_enter_with(racer->number, 1, 1, 100000, 0);
		if (ret < 0 && errno == EBADF)
			return NULL;
		if (ret < 0 && errno != ETIME && errno != EAGAIN)
			FAILED(tally);
		ADD(tally->accepted, ret > 0 ? ret : 0);
		ADD(tally->ended, queue_pop(&racer->user->queue, &event, 1));
		if (queue_pending(&racer->user->queue) < ENTRIES)
			queue_put(&racer->user->queue, racer->user->fill);
		ADD(tally->rounds, 1);
	}
}

TEST_F(race, of_enter_and_close)
{
	struct racer racer;
	struct user user;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must(try_user_start(&user, &self->sim, ENTRIES, ENTRIES));
		racer = (struct racer) { .user = &user };
		racer.number = must(dup(user.fd));
		ASSERT_EQ(0, pthread_create(&racer.thread, NULL,
					    enter_until_bad, &racer));
		racer_go_on(&racer, 3 + i);
		/* The one, and then the last. */
		if (i % 2) {
			must(close(user.fd));
			must(try_unmap(&user.buffer));
		}
		must(close(racer.number));
		ASSERT_EQ(0, pthread_join(racer.thread, NULL));
		EXPECT_EQ(0, racer.tally.line);
		EXPECT_LT(0, racer.tally.accepted);
		EXPECT_GE(racer.tally.accepted, racer.tally.ended);
		if (i % 2)
			must(try_queue_unmap(&user.queue));
		else
			must(try_user_end(&user));
	}
}

/* Channels that go */

static void *enter_until_gone(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;
	struct queue *queue = &racer->user->queue;
	struct udma_event events[ENTRIES];
	__u64 timeout_ns;
	int ret;

	do {
		if (queue_pending(queue) < ENTRIES)
			queue_put(queue, racer->user->fill);
		/* More than what it submits itself is not waited for in vain. */
		timeout_ns = below(&racer->random, 2) * 1000000;
		ret = try_enter_with(racer->user->fd, 1,
				     below(&racer->random, timeout_ns ? 4 : 2),
				     timeout_ns,
				     below(&racer->random, 2) * 50000);
		if (ret > 0)
			ADD(tally->accepted, ret);
		else if (ret < 0 && errno != EAGAIN && errno != ETIME &&
			 errno != ENODEV)
			FAILED(tally);
		ADD(tally->ended, queue_pop(queue, events,
					    below(&racer->random, ENTRIES)));
		ADD(tally->rounds, 1);
	} while (ret >= 0 || errno != ENODEV);
	/* The last events may still be to come. */
	if (try_wait_for(racer->user->fd, 0) < 0)
		FAILED(tally);
	ADD(tally->ended, queue_pop(queue, events, ENTRIES));
	if (!(QUEUE_GET(queue->shared->state) & UDMA_QUEUE_S_CLOSED))
		FAILED(tally);
	return NULL;
}

TEST_F(race, of_enter_and_unbind)
{
	struct racer racer;
	struct user user;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must(try_sim_set(&self->sim, "latency_ns", i % 3 * 30000));
		must(try_user_start(&user, &self->sim, ENTRIES, ENTRIES));
		must(try_racer_start(&racer, enter_until_gone, &user,
				     self->random + i));
		racer_go_on(&racer, 5 + i);
		if (i % 2) {
			must(try_sim_unbind(&self->sim, 0));
		} else {
			must(try_sim_set(&self->sim, "live", 0));
			must(try_sim_live(&self->sim));
		}
		must(try_sim_bind(&self->sim, 0));
		must(try_racer_end(&racer));
		EXPECT_EQ(racer.tally.accepted, racer.tally.ended);
		EXPECT_LT(0, racer.tally.accepted);
		must(try_user_end(&user));
	}
}

/* Setting up */

struct starter {
	pthread_t thread;
	int fd;
	__u32 entries;
	pthread_barrier_t *barrier;
	struct udma_queue_setup setup;
	int error;
};

static void *set_up(void *data)
{
	struct starter *starter = data;

	pthread_barrier_wait(starter->barrier);
	starter->error = errno_of(try_setup(starter->fd, starter->entries,
					    2 * starter->entries,
					    &starter->setup));
	return NULL;
}

TEST_F(race, of_setups_has_one_winner)
{
	struct starter starters[4];
	pthread_barrier_t barrier;
	struct udma_request fill;
	struct buffer buffer;
	struct udma_event event;
	unsigned int i, k, won;
	struct queue queue;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL,
					  ARRAY_SIZE(starters)));
	for (i = 0; i < times(500); i++) {
		queue = (struct queue) {
			.fd = must(try_sim_open(&self->sim, 0, O_RDWR)),
		};
		must(try_alloc(queue.fd, 4096, &buffer));
		fill = fill_request(&buffer, 0, 64, 1);
		for (k = 0; k < ARRAY_SIZE(starters); k++) {
			starters[k] = (struct starter) {
				.fd = queue.fd,
				.entries = 1U << (k + i % 8),
				.barrier = &barrier,
			};
			ASSERT_EQ(0, pthread_create(&starters[k].thread, NULL,
						    set_up, &starters[k]));
		}
		for (k = 0, won = 0; k < ARRAY_SIZE(starters); k++) {
			ASSERT_EQ(0, pthread_join(starters[k].thread, NULL));
			if (!starters[k].error) {
				queue.setup = starters[k].setup;
				won++;
				continue;
			}
			ASSERT_EQ(EBUSY, starters[k].error);
		}
		ASSERT_EQ(1, won);
		/* What the winner was told is what there is. */
		must(try_queue_map(&queue));
		must(try_queue_run(&queue, fill, &event));
		EXPECT_EQ(1, event.sequence);
		for (k = 0; k < queue.setup.complete_entries; k++) {
			must(try_submit_one(queue.fd, fill));
		}
		fails(EAGAIN, try_submit_one(queue.fd, fill));
		must(try_queue_unmap(&queue));
		must(close(queue.fd));
	}
}

static void *set_up_until_done(void *data)
{
	struct racer *racer = data;
	struct tally *tally = &racer->tally;

	do {
		ADD(tally->rounds, 1);
		if (!try_setup(racer->user->fd, ENTRIES, ENTRIES,
			       &racer->user->queue.setup))
			return NULL;
		if (errno != EBUSY)
			FAILED(tally);
	} while (!LOAD(tally->line));
	return NULL;
}

/*
 * At rest for a moment only. What was submitted before has its event from read(),
 * and what is submitted after it also.
 */
TEST_F(race, of_setup_and_use)
{
	struct udma_event event;
	struct racer racer;
	unsigned int i;
	__u64 sequence;
	struct user user;

	for (i = 0; i < times(300); i++) {
		user.fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		user.queue = (struct queue) { .fd = user.fd };
		must(try_alloc_map(user.fd, 4096, &user.buffer));
		user.fill = fill_request(&user.buffer, 0, 64, 1);
		must(try_racer_start(&racer, set_up_until_done, &user, 1));
		for (sequence = 1; sequence <= 40; sequence++) {
			user.fill.user_data = ~sequence;
			must(try_submit_one(user.fd, user.fill));
			must(poll_now(user.fd));
			ASSERT_EQ(1, must(try_read(user.fd, &event, 1)));
			ASSERT_EQ(sequence, event.sequence);
			ASSERT_EQ(~sequence, event.user_data);
		}
		must(try_racer_end(&racer));
		must(try_queue_map(&user.queue));
		EXPECT_EQ(0, queue_ready(&user.queue));
		must(try_queue_run(&user.queue, user.fill, &event));
		EXPECT_EQ(41, event.sequence);
		must(try_user_end(&user));
	}
}

/* Programs that are killed in the call */

#define KILL_PROGRAMS	6

struct victim {
	struct tally *tally;
	pid_t pid;
};

static void victim_enter(struct user *user, struct tally *tally, __u64 *random,
			 unsigned int way)
{
	struct udma_event events[ENTRIES];
	const unsigned int count = 1 + below(random, ENTRIES);
	const __u64 busy_ns = way == 1 ? AN_HOUR : 0;
	int ret;

	if (queue_pending(&user->queue) + count <= ENTRIES)
		queue_put_times(&user->queue, user->fill, count);
	/* One way it comes back now and then, else there are never so many. */
	ret = try_enter_with(user->fd, ENTRIES, way == 2 ? count : ENTRIES * 4,
			     way == 2 ? 200000 : 0, busy_ns);
	if (ret >= 0)
		ADD(tally->accepted, ret);
	else if (errno != ETIME && errno != EAGAIN)
		FAILED(tally);
	queue_pop(&user->queue, events, below(random, ENTRIES));
	ADD(tally->rounds, 1);
}

static void victim_live(const struct sim *sim, struct tally *tally,
			__u64 random, unsigned int way)
{
	struct user user;
	unsigned int i;

	if (try_user_start(&user, sim, ENTRIES, ENTRIES * 4)) {
		FAILED(tally);
		return;
	}
	user.fill = copy_request(&user.buffer, 0, &user.buffer, 32 * KIB,
				 32 * KIB);
	for (i = 0; i < 4; i++) {
		if (try_submit_one(user.fd, user.fill) == 1)
			ADD(tally->accepted, 1);
		else
			FAILED(tally);
	}
	ADD(tally->rounds, 1);
	for (;;)
		victim_enter(&user, tally, &random, way);
}

/* Not so many that are busy that nobody else gets a processor. */
static int try_victim_start(struct victim *victim, const struct sim *sim,
			    __u64 *random, unsigned int number)
{
	static const unsigned int ways[KILL_PROGRAMS] = { 0, 2, 0, 2, 1, 2 };
	const unsigned int way = ways[number % KILL_PROGRAMS];
	const __u64 own = *random + below(random, 1U << 30);

	*victim->tally = (struct tally) {};
	victim->pid = fork();
	if (victim->pid)
		return victim->pid < 0 ? -1 : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	victim_live(sim, victim->tally, own | 1, way);
	_exit(1);
}

static int try_victim_kill(struct victim *victim, __u64 *random)
{
	struct tally *tally = victim->tally;
	int status;

	while (!LOAD(tally->line) && !LOAD(tally->rounds))
		sched_yield();
	dawdle(random);
	if (kill(victim->pid, SIGKILL) ||
	    waitpid(victim->pid, &status, 0) != victim->pid)
		return -1;
	errno = tally->line ? tally->error : ECHILD;
	if (!tally->line && WIFSIGNALED(status))
		return 0;
	say("line %u", tally->line);
	return -1;
}

TEST_F_TIMEOUT(race, of_programs_that_are_killed, STORM_SECONDS)
{
	const unsigned int kills = times(2000);
	struct victim victims[KILL_PROGRAMS], *victim;
	struct witness witness;
	struct tally *tallies;
	unsigned int i, busy = 0;

	tallies = mmap(NULL, sizeof(*tallies) * KILL_PROGRAMS,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, tallies);
	must(try_sim_set(&self->sim, "latency_ns", 100 * 1000));
	must(try_witness_open(&witness, &self->sim, 20 * KIB));
	for (i = 0; i < KILL_PROGRAMS; i++) {
		victims[i].tally = &tallies[i];
		must(try_victim_start(&victims[i], &self->sim, &self->random,
				      i));
	}
	for (i = 0; i < kills; i++) {
		victim = &victims[i % KILL_PROGRAMS];
		must(try_victim_kill(victim, &self->random));
		busy += must(sim_get(&self->sim, "pending")) > 0;
		must(try_victim_start(victim, &self->sim, &self->random,
				      i));
		if (i % 8 == 0)
			EXPECT_STREQ("copied", witness_run(&witness, false));
	}
	for (i = 0; i < KILL_PROGRAMS; i++) {
		must(try_victim_kill(&victims[i], &self->random));
	}
	must(try_witness_close(&witness));
	must(try_wait_pending(&self->sim, 0));
	say("%u kills, %u with transfers under way", kills, busy);
	EXPECT_LT(kills / 4, busy);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/failures"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
}

/* Asleep or not, it is dead as soon as it is killed. */

FIXTURE(killed)
{
	struct sim sim;
	struct ledger before;
};

FIXTURE_VARIANT(killed)
{
	__u64 busy_ns;
	__u64 timeout_ns;
};

FIXTURE_VARIANT_ADD(killed, asleep) {};
FIXTURE_VARIANT_ADD(killed, asleep_for_a_time) { .timeout_ns = AN_HOUR };
FIXTURE_VARIANT_ADD(killed, busy) { .busy_ns = AN_HOUR };
FIXTURE_VARIANT_ADD(killed, busy_for_a_time) {
	.busy_ns = AN_HOUR,
	.timeout_ns = AN_HOUR,
};

FIXTURE_SETUP(killed)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	self->before = ledger_read(&self->sim);
}

FIXTURE_TEARDOWN(killed)
{
	works(try_sim_finish(&self->sim));
}

TEST_F(killed, has_nothing_left)
{
	struct user user;
	int status;
	pid_t pid;

	pid = must(fork());
	if (pid == 0) {
		if (try_user_start(&user, &self->sim, ENTRIES, ENTRIES))
			_exit(1);
		queue_put_times(&user.queue, user.fill, 5);
		try_enter_with(user.fd, 5, 6, variant->timeout_ns,
			       variant->busy_ns);
		_exit(2);
	}
	must(try_wait_pending(&self->sim, 5));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status))
		TH_LOG("status %x", status);
	/* Hardware has its memory still. */
	EXPECT_LT(0, chan_get(&self->sim, 0, "used_bytes"));
	must(try_step(&self->sim, 5));
	must(try_ledger_wait(&self->sim, &self->before));
	EXPECT_STREQ("copied", next_program(&self->sim));
}

TEST_HARNESS_MAIN
