// SPDX-License-Identifier: GPL-2.0
/*
 * Storms: many programs do what programs may do, and what happens to programs, all
 * at once and while the controller does as it likes. What each one has to see is
 * exactly one event for each transfer that was taken; and when the storm is over
 * all that was taken is back, and the channel copies.
 *
 * How much of it there is comes from the environment, STRESS=N: N times the whole,
 * or a tenth when there is no N.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udma_storm.h"
#include "udma_witness.h"

/* For the harness, which knows no "as long as it takes". */
#define STORM_SECONDS	(7 * 24 * 3600)

FIXTURE(storm)
{
	struct sim sim;
	struct ledger before;
	__u64 random;
	__u64 begin;
};

FIXTURE_SETUP(storm)
{
	/* Many descriptors to a transfer. */
	static const struct sim_config config = { .max_segment = 16 * KIB };

	self->random = seed();
	self->begin = now_ns();
	say("storm: seed %llx", (unsigned long long)self->random);
	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->before = ledger_read(&self->sim);
}

FIXTURE_TEARDOWN(storm)
{
	/* The storm is over, and a slow machine is none. */
	works(try_chan_set(&self->sim, 0, "stall_ms", SIM_STALL_MS));
	works(try_ledger_wait(&self->sim, &self->before));
	works(try_wait_pending(&self->sim, 0));
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(try_ledger_wait(&self->sim, &self->before));
	works(try_sim_finish(&self->sim));
	say("storm: %llu ms", (now_ns() - self->begin) / 1000000);
}

/* Misbehaviour of the controller */

static int try_calm(const struct sim *sim)
{
	static const char * const off[] = {
		"fail_at", "short_at", "hang_at", "lose_at", "late_at",
		"refuse_at", "submit_fail_at", "refuse", "terminate_fail",
		"inline", "after_terminate", "ghost", "batch", "sleep_full",
		"lie_residue", "sibling", "slow_terminate_ms", "latency_ns",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(off); i++)
		if (try_sim_set(sim, off[i], 0) && errno != ENOENT)
			return -1;
	if (try_sim_write(sim, "hang_cure", "terminate") ||
	    try_sim_set(sim, "unhang", 1) ||
	    try_sim_set(sim, "release_late", 1) ||
	    try_chan_set(sim, 0, "timeout_ms", 0) ||
	    try_chan_set(sim, 0, "window", 32) ||
	    try_chan_set(sim, 0, "stall_ms", 100))
		return -1;
	/* What has been lost is found. */
	return try_chan_set(sim, 0, "reset", 1);
}

/* What became of it. */
static void say_recovery(const struct sim *sim)
{
	static const char * const counts[] = {
		"stalls", "timeouts", "cancels", "resets", "probes", "replays",
		"reacquires", "failures", "heals", "late", "alone",
	};
	char text[256], path[32];
	size_t length = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		snprintf(path, sizeof(path), "recovery/%s", counts[i]);
		length += snprintf(text + length, sizeof(text) - length,
				   " %s %ld", counts[i], chan_get(sim, 0, path));
	}
	say("storm:%s", text);
}

/* Found by reading: what waited to be issued again was forgotten. */
TEST(failure_ends_what_was_to_be_issued_again)
{
	static const struct sim_config config;
	struct udma_event events[5];
	struct udma_request fill;
	struct buffer buffer;
	struct sim sim;
	unsigned int i;
	int fd, ret;

	fd = must(try_sim_start(&sim, &config));
	must(try_alloc(fd, 4 * KIB, &buffer));
	fill = fill_request(&buffer, 0, 64, 1);
	must(try_chan_set(&sim, 0, "stall_ms", 3600000));
	must(try_sim_set(&sim, "hang_at", 1));
	for (i = 0; i < 4; i++)
		must(try_submit_one(fd, fill));
	must(try_wait_pending(&sim, 4));
	while (must(sim_get(&sim, "hang_at")))
		sched_yield();
	/* After the first reset the first one hangs again, and the others wait. */
	must(try_chan_set(&sim, 0, "window", 1));
	must(try_sim_set(&sim, "hang_at", 2));
	must(try_chan_set(&sim, 0, "reset", 1));
	must(try_wait_pending(&sim, 1));
	must(try_sim_write(&sim, "hang_cure", "never"));
	fails(EIO, try_chan_set(&sim, 0, "reset", 1));
	ret = must(try_read_now(fd, events, 5));
	EXPECT_EQ(4, ret);
	for (i = 0; (int)i < ret; i++)
		EXPECT_EQ(-EIO, events[i].status);
	must(try_calm(&sim));
	must(try_chan_set(&sim, 0, "stall_ms", SIM_STALL_MS));
	EXPECT_STREQ("copied", witness_come(&sim));
	must(close(fd));
	must(try_sim_finish(&sim));
}

/* Programs that are killed */

#define KILL_PROGRAMS	8

struct victim {
	struct tally *tally;
	pid_t pid;
	unsigned long accepted;	/* of those that lived before */
	unsigned long ended;	/* by an event that was read */
};

static void victim_transfers(int fd, const struct buffer *dst,
			     const struct buffer *src, struct tally *tally,
			     __u64 *random)
{
	struct udma_request requests[16];
	struct udma_event events[64];
	unsigned int i, round;
	int ret;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		requests[i] = copy_request(dst, 0, src, 0,
					   1 + below(random, 64 * KIB));
		if (!below(random, 8))
			requests[i].flags = UDMA_REQUEST_F_FENCE;
		if (!below(random, 4))
			requests[i].timeout_ns = 1 + below(random, 5000000);
		if (below(random, 2))
			requests[i].flags |= UDMA_REQUEST_F_MORE;
	}
	for (round = 1 + below(random, 20); round; round--) {
		ret = try_submit(fd, requests,
				 1 + below(random, ARRAY_SIZE(requests)));
		if (ret > 0)
			ADD(tally->accepted, ret);
		else if (errno != EAGAIN)
			FAILED(tally);
		/* The most of them sleep, or the killer would have no turn. */
		if (below(random, 4))
			try_wait_for(fd, POLLIN);
		ret = try_read(fd, events, 1 + below(random, 64));
		if (ret > 0)
			ADD(tally->ended, ret);
		else if (errno != EAGAIN)
			FAILED(tally);
		ADD(tally->rounds, 1);
	}
}

static void victim_live(const struct sim *sim, struct tally *tally,
			__u64 random)
{
	struct buffer dst, src;
	int fd;

	for (;;) {
		fd = try_sim_open(sim, 0, O_RDWR | O_NONBLOCK);
		if (fd < 0 || try_alloc_map(fd, 64 * KIB, &dst) ||
		    try_alloc_map(fd, 64 * KIB, &src)) {
			FAILED(tally);
			continue;
		}
		victim_transfers(fd, &dst, &src, tally, &random);
		if (try_unmap(&dst) || (below(&random, 2) && try_unmap(&src)) ||
		    close(fd))
			FAILED(tally);
		munmap(src.mem, src.map_bytes);
		tally->closed = tally->accepted - tally->ended;
	}
}

static int try_victim_start(struct victim *victim, const struct sim *sim,
			    __u64 *random)
{
	const __u64 own = *random + below(random, 1U << 30);

	*victim->tally = (struct tally) {};
	victim->pid = fork();
	if (victim->pid)
		return victim->pid < 0 ? -1 : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	victim_live(sim, victim->tally, own | 1);
	_exit(1);
}

/* Whether the controller had something of it when it was killed. */
static int try_victim_kill(struct victim *victim, __u64 *random)
{
	struct tally *tally = victim->tally;
	int status;
	bool busy;

	while (!LOAD(tally->line) && !tally_is_busy(tally))
		sched_yield();
	dawdle(random);
	if (kill(victim->pid, SIGKILL) ||
	    waitpid(victim->pid, &status, 0) != victim->pid)
		return -1;
	errno = tally->line ? tally->error : ECHILD;
	if (tally->line || !WIFSIGNALED(status)) {
		say("storm: line %u", tally->line);
		return -1;
	}
	busy = tally_is_busy(tally);
	victim->accepted += tally->accepted;
	victim->ended += tally->ended;
	return busy;
}

/*
 * One of these at a time, and not what comes next: a reset has two proofs, and were
 * both of them met the channel would fail, or be lost where it goes.
 */
static int try_mischief(const struct sim *sim, unsigned int number,
			unsigned int within, __u64 *random)
{
	static const char * const kinds[] = {
		"hang_at", "late_at", "lose_at", "fail_at",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (try_sim_set(sim, kinds[i], 0))
			return -1;
	return try_sim_set(sim, kinds[number % ARRAY_SIZE(kinds)],
			   2 + below(random, within - 1));
}

FIXTURE_VARIANT(storm)
{
	bool is_wild;
};

FIXTURE_VARIANT_ADD(storm, fair) {
	.is_wild = false,
};

FIXTURE_VARIANT_ADD(storm, wild) {
	.is_wild = true,
};

TEST_F_TIMEOUT(storm, kills_programs, STORM_SECONDS)
{
	const unsigned int kills = times(variant->is_wild ? 300 : 1000);
	unsigned long accepted = 0, ended = 0;
	struct victim victims[KILL_PROGRAMS] = {}, *victim;
	unsigned int i, busy = 0;
	struct witness witness;
	struct tally *tallies;

	tallies = mmap(NULL, sizeof(*tallies) * KILL_PROGRAMS,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, tallies);
	must(try_sim_set(&self->sim, "latency_ns", 200 * 1000));
	if (variant->is_wild)
		must(try_chan_set(&self->sim, 0, "stall_ms", 20));
	must(try_witness_open(&witness, &self->sim, 100 * KIB));
	for (i = 0; i < KILL_PROGRAMS; i++) {
		victims[i].tally = &tallies[i];
		must(try_victim_start(&victims[i], &self->sim, &self->random));
	}
	for (i = 0; i < kills; i++) {
		victim = &victims[i % KILL_PROGRAMS];
		if (variant->is_wild)
			must(try_mischief(&self->sim, i, 40, &self->random));
		busy += must(try_victim_kill(victim, &self->random));
		must(try_victim_start(victim, &self->sim, &self->random));
		if (i % 8 == 0)
			EXPECT_STREQ("copied", witness_run(&witness,
							   variant->is_wild));
		if (variant->is_wild && i % 16 == 0)
			must(try_sim_set(&self->sim, "release_late", 1));
	}
	for (i = 0; i < KILL_PROGRAMS; i++) {
		busy += must(try_victim_kill(&victims[i], &self->random));
		accepted += victims[i].accepted;
		ended += victims[i].ended;
	}
	must(try_calm(&self->sim));
	must(try_witness_close(&witness));
	must(try_wait_pending(&self->sim, 0));
	say("storm: %u kills, %u with transfers under way", kills + KILL_PROGRAMS,
	    busy);
	say("storm: %lu accepted, %lu events read, the others ended unseen",
	    accepted, ended);
	say_recovery(&self->sim);
	EXPECT_LT(kills / 2, busy);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/failures"));
}

/* Channels that are taken away */

#define BIND_THREADS	4

struct racer {
	pthread_t thread;
	const struct sim *sim;
	struct tally tally;
	unsigned long files;
	__u64 random;
};

/* Until its channel has gone, and what there is to read has been read. */
static void racer_end(struct tally *tally, int fd, unsigned long due)
{
	struct udma_event events[64];
	unsigned long ended = 0;
	int ret;

	while ((ret = try_read(fd, events, ARRAY_SIZE(events))) > 0)
		ended += ret;
	if (errno != ENODEV)
		FAILED(tally);
	errno = EPROTO;
	if (ended != due)
		FAILED(tally);
	ADD(tally->ended, ended);
}

/* One file, until its channel goes or it has had enough. */
static void racer_file(struct racer *racer, int fd, struct buffer *buffer)
{
	struct udma_request request = fill_request(buffer, 0, buffer->bytes, 1);
	struct tally *tally = &racer->tally;
	struct udma_event events[8];
	unsigned int round;
	unsigned long due = 0;
	int ret;

	for (round = 1 + below(&racer->random, 200); round; round--) {
		ret = try_submit_one(fd, request);
		if (ret == 1) {
			ADD(tally->accepted, 1);
			due++;
		} else if (errno == ENODEV) {
			racer_end(tally, fd, due);
			return;
		} else if (errno != EAGAIN && errno != EIO) {
			FAILED(tally);
		}
		while ((ret = try_read_now(fd, events, 8)) > 0) {
			ADD(tally->ended, ret);
			due -= ret;
		}
		ADD(tally->rounds, 1);
	}
	if (below(&racer->random, 2) && try_free(fd, buffer->handle))
		FAILED(tally);
	if (below(&racer->random, 4))
		racer_end(tally, fd, due);
	else
		ADD(tally->closed, due);
}

static void *racer_run(void *data)
{
	struct racer *racer = data;
	struct buffer buffer;
	int fd, efd;

	efd = eventfd(0, EFD_CLOEXEC);
	while (!LOAD(racer->tally.stop)) {
		fd = try_sim_open(racer->sim, 0, O_RDWR);
		if (fd < 0) {
			/* ENOENT, ENODEV, ENXIO: there is no such channel now. */
			sched_yield();
			continue;
		}
		racer->files++;
		if (try_alloc_map(fd, 32 * KIB, &buffer) ||
		    (try_eventfd(fd, efd) && errno != ENODEV)) {
			if (errno != ENODEV)
				FAILED(&racer->tally);
		} else {
			racer_file(racer, fd, &buffer);
		}
		if (buffer.mem && buffer.mem != MAP_FAILED)
			try_unmap(&buffer);
		close(fd);
	}
	close(efd);
	return NULL;
}

/* The ways in which a channel goes, and comes back. */
static int try_take(struct sim *sim, unsigned int way)
{
	if (way == 0)
		return try_sim_unbind(sim, 0);
	if (way == 1)
		return try_sim_set(sim, "live", 0);
	return try_write_text("/sys/bus/platform/drivers/udma-sim/unbind",
			      sim->device);
}

static int try_give(struct sim *sim, unsigned int way)
{
	if (way == 1 && try_sim_live(sim))
		return -1;
	if (way == 2 &&
	    try_write_text("/sys/bus/platform/drivers/udma-sim/bind",
			   sim->device))
		return -1;
	return try_sim_bind(sim, 0);
}

static unsigned long rounds(struct racer *racers)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < BIND_THREADS; i++)
		sum += LOAD(racers[i].tally.rounds);
	return sum;
}

TEST_F_TIMEOUT(storm, takes_channels, STORM_SECONDS)
{
	const unsigned int binds = times(variant->is_wild ? 50 : 200);
	unsigned long accepted = 0, ended = 0, closed = 0, files = 0, from = 0;
	struct racer racers[BIND_THREADS] = {};
	unsigned int i, way;

	must(try_sim_set(&self->sim, "latency_ns", 50 * 1000));
	for (i = 0; i < BIND_THREADS; i++) {
		racers[i].sim = &self->sim;
		racers[i].random = self->random + i * 7919;
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, racer_run,
					    &racers[i]));
	}
	for (i = 0; i < binds; i++) {
		/* Each of them has a file now. */
		while (rounds(racers) - from < BIND_THREADS)
			sched_yield();
		if (variant->is_wild) {
			/* A reset, perhaps, at the very moment. */
			must(try_chan_set(&self->sim, 0, "stall_ms",
					  1 + below(&self->random, 20)));
			must(try_mischief(&self->sim, i, 10, &self->random));
			must(try_sim_write(&self->sim, "hang_cure",
					   i % 2 ? "terminate" : "release"));
		}
		dawdle(&self->random);
		way = i % 3;
		must(try_take(&self->sim, way));
		from = rounds(racers);
		must(try_give(&self->sim, way));
	}
	for (i = 0; i < BIND_THREADS; i++)
		STORE(racers[i].tally.stop, true);
	/* Some of them sleep until it goes. */
	must(try_take(&self->sim, 0));
	for (i = 0; i < BIND_THREADS; i++) {
		ASSERT_EQ(0, pthread_join(racers[i].thread, NULL));
		EXPECT_EQ(0, racers[i].tally.line)
			TH_LOG("%s", strerror(racers[i].tally.error));
		accepted += racers[i].tally.accepted;
		ended += racers[i].tally.ended;
		closed += racers[i].tally.closed;
		files += racers[i].files;
	}
	must(try_give(&self->sim, 0));
	must(try_calm(&self->sim));
	say("storm: %u unbinds, %lu files", binds + 1, files);
	say("storm: %lu accepted, %lu ended, %lu with their file", accepted,
	    ended, closed);
	EXPECT_EQ(accepted, ended + closed);
	EXPECT_LT(binds, files);
}

/* Transfers that take too long */

struct hurry {
	pthread_t thread;
	int fd;
	struct buffer buffer;
	struct tally tally;
	unsigned long timeouts;
	unsigned int timeout_ns;	/* the longest */
	__u64 random;
};

static void hurry_count(struct hurry *hurry, const struct udma_event *events,
			int count)
{
	int i;

	for (i = 0; i < count; i++) {
		hurry->timeouts += events[i].status == -ETIMEDOUT;
		errno = -events[i].status;
		if (events[i].status && events[i].status != -ETIMEDOUT)
			FAILED(&hurry->tally);
	}
	if (count > 0)
		ADD(hurry->tally.ended, count);
}

static void *hurry_run(void *data)
{
	struct hurry *hurry = data;
	struct tally *tally = &hurry->tally;
	struct udma_request requests[64];
	struct udma_event events[64];
	unsigned int i;
	int ret;

	while (!LOAD(tally->stop) || tally_is_busy(tally)) {
		for (i = 0; i < ARRAY_SIZE(requests); i++) {
			requests[i] = fill_request(&hurry->buffer, 0,
						   1 + below(&hurry->random,
							     hurry->buffer.bytes),
						   1);
			if (hurry->timeout_ns)
				requests[i].timeout_ns =
					1 + below(&hurry->random,
						  hurry->timeout_ns);
		}
		if (!LOAD(tally->stop)) {
			ret = try_submit(hurry->fd, requests, 64);
			if (ret > 0)
				ADD(tally->accepted, ret);
			else if (errno != EAGAIN)
				FAILED(tally);
		}
		try_wait_for(hurry->fd, POLLIN);
		ret = try_read(hurry->fd, events, 64);
		if (ret < 0 && errno != EAGAIN)
			FAILED(tally);
		hurry_count(hurry, events, ret);
		ADD(tally->rounds, 1);
		if (LOAD(tally->line))
			break;
	}
	return NULL;
}

static int try_hurry_start(struct hurry *hurry, const struct sim *sim, int flags,
			   unsigned int timeout_ns, __u64 random)
{
	*hurry = (struct hurry) {
		.timeout_ns = timeout_ns,
		.random = random,
		.fd = try_sim_open(sim, 0, O_RDWR | O_NONBLOCK | flags),
	};
	if (hurry->fd < 0 || try_alloc(hurry->fd, 64 * KIB, &hurry->buffer))
		return -1;
	errno = pthread_create(&hurry->thread, NULL, hurry_run, hurry);
	return errno ? -1 : 0;
}

static int try_hurry_end(struct hurry *hurry)
{
	if (try_tally_end(&hurry->tally, hurry->thread))
		return -1;
	return close(hurry->fd);
}

/* Two in a hurry and one that is not, and must not feel anything of it. */
TEST_F_TIMEOUT(storm, runs_out_of_time, STORM_SECONDS)
{
	const unsigned long timeouts = times(variant->is_wild ? 1000 : 10000);
	static const unsigned int longest[] = { 300 * 1000, 1, 0 };
	const int flags = variant->is_wild ? O_EXCL : 0;
	const unsigned int count = variant->is_wild ? 1 : 3;
	unsigned long accepted = 0, ended = 0, seen = 0;
	struct hurry hurries[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "latency_ns", 100 * 1000));
	for (i = 0; i < count; i++) {
		must(try_hurry_start(&hurries[i], &self->sim, flags, longest[i],
				     self->random + i));
	}
	/* It may be that nothing is left to stop when a reset comes to it. */
	while (chan_get(&self->sim, 0, "recovery/timeouts") < (long)timeouts ||
	       (variant->is_wild && !chan_get(&self->sim, 0, "recovery/resets"))) {
		for (i = 0; i < count; i++)
			ASSERT_EQ(0, LOAD(hurries[i].tally.line))
				TH_LOG("%s", strerror(hurries[i].tally.error));
		sched_yield();
	}
	for (i = 0; i < count; i++) {
		must(try_hurry_end(&hurries[i]));
		accepted += hurries[i].tally.accepted;
		ended += hurries[i].tally.ended;
		seen += hurries[i].timeouts;
	}
	say("storm: %lu timeouts; %lu accepted, %lu ended", seen, accepted,
	    ended);
	say_recovery(&self->sim);
	EXPECT_EQ(accepted, ended);
	EXPECT_EQ(chan_get(&self->sim, 0, "recovery/timeouts"), (long)seen);
	/* Who is alone has the channel reset for it, others have not. */
	if (variant->is_wild) {
		EXPECT_LT(0, chan_get(&self->sim, 0, "recovery/resets"));
	} else {
		EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
		EXPECT_EQ(0, hurries[2].timeouts);
	}
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/failures"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/stalls"));
}

/*
 * Everything at random, with a model of what has to come of it. A transfer's number
 * in the model is its user_data, and its line there says what was done to it before
 * the call was made that did it.
 */

#define MODEL_FILES	3
#define MODEL_THREADS	6
#define MODEL_LINES	(1024 * 1024)
#define MODEL_BYTES	(256 * KIB)

struct line {
	__u64 sequence;		/* as the submitter was told */
	__u64 event_sequence;
	__u32 bytes;
	__u8 accepted;
	__u8 ended;
	bool timed;
	bool cancelled;
};

struct model {
	const struct sim *sim;
	int fd;
	bool is_wild;
	bool is_cancelled;	/* everything of it, perhaps */
	unsigned int lines;
	struct line *line;
	struct tally tally;
};

struct actor {
	pthread_t thread;
	struct model *model;
	struct buffer buffers[2];
	int efd;
	unsigned int ops;
	unsigned long closed;	/* transfers of files that were closed */
	unsigned int last;	/* the line of one that was accepted */
	__u64 random;
};

static bool model_allows(const struct model *model, const struct line *line,
			 const struct udma_event *event)
{
	bool is_short = event->flags & UDMA_EVENT_F_SHORT;

	if (event->bytes > line->bytes || event->type != UDMA_EVENT_TRANSFER)
		return false;
	if (event->flags & UDMA_EVENT_F_HELD && event->status != -EIO)
		return false;
	switch (event->status) {
	case 0:
		/* What of a short one was to be done again may have moved something. */
		if (is_short)
			return model->is_wild && event->bytes < line->bytes;
		return event->flags & UDMA_EVENT_F_EXACT &&
		       event->bytes == line->bytes;
	case -EIO:
		return model->is_wild && !is_short;
	case -ETIMEDOUT:
		return (line->timed || model->is_wild) && !is_short;
	case -ECANCELED:
		return (line->cancelled || model->is_cancelled) && !is_short;
	}
	return false;
}

static void model_event(struct model *model, const struct udma_event *event)
{
	struct line *line = &model->line[event->user_data];

	errno = EPROTO;
	if (event->user_data >= MODEL_LINES || ADD(line->ended, 1) != 1) {
		say("storm: transfer %llu has an event too many",
		    (unsigned long long)event->user_data);
		FAILED(&model->tally);
		return;
	}
	line->event_sequence = event->sequence;
	if (!model_allows(model, line, event)) {
		say("storm: status %d flags %u: %llu of %u bytes", event->status,
		    event->flags, (unsigned long long)event->bytes, line->bytes);
		FAILED(&model->tally);
	}
	ADD(model->tally.ended, 1);
}

static void act_read(struct actor *actor, int fd)
{
	struct udma_event events[128];
	int ret, i;

	ret = try_read(fd, events, 1 + below(&actor->random, 128));
	if (ret < 0 && errno != EAGAIN)
		FAILED(&actor->model->tally);
	for (i = 0; i < ret; i++)
		model_event(actor->model, &events[i]);
}

static struct udma_request act_request(struct actor *actor, struct line *line)
{
	const unsigned int first = below(&actor->random, 2);
	const struct buffer *dst = &actor->buffers[first];
	const struct buffer *src = &actor->buffers[!first];
	__u64 *random = &actor->random;
	struct udma_request request;

	line->bytes = 1 + below(random, below(random, 8) ? 4 * KIB : MODEL_BYTES);
	request = below(random, 3) ?
			  copy_request(dst, 0, src, 0, line->bytes) :
			  fill_request(dst, 0, line->bytes, below(random, 256));
	request.user_data = line - actor->model->line;
	if (!below(random, 10))
		request.flags = UDMA_REQUEST_F_FENCE;
	if (below(random, 2))
		request.flags |= UDMA_REQUEST_F_MORE;
	switch (below(random, 6)) {
	case 0:
		request.timeout_ns = 1 + below(random, 3000000);
		line->timed = true;
		break;
	case 1:
		request.timeout_ns = UDMA_TIMEOUT_NEVER;
		break;
	}
	/* Nothing from here on is taken. */
	if (!below(random, 100))
		request.dst_handle ^= 0x1000;
	return request;
}

static void act_submit(struct actor *actor, int fd)
{
	struct udma_request requests[64];
	struct model *model = actor->model;
	unsigned int first, count, i;
	__u64 sequence;
	int ret;

	count = 1 + below(&actor->random, below(&actor->random, 4) ? 8 : 64);
	first = ADD(model->lines, count) - count;
	if (first + count > MODEL_LINES)
		return;
	for (i = 0; i < count; i++)
		requests[i] = act_request(actor, &model->line[first + i]);
	ret = try_submit_at(fd, requests, count, &sequence);
	if (ret < 0 && errno != EAGAIN && errno != ENOENT &&
	    !(errno == EIO && model->is_wild))
		FAILED(&model->tally);
	for (i = 0; (int)i < ret; i++) {
		model->line[first + i].sequence = sequence + i;
		STORE(model->line[first + i].accepted, 1);
		actor->last = first + i;
	}
	if (ret > 0)
		ADD(model->tally.accepted, ret);
}

static void act_cancel(struct actor *actor, int fd)
{
	struct model *model = actor->model;
	struct line *line = &model->line[actor->last];
	int ret;

	if (!LOAD(line->accepted))
		return;
	STORE(line->cancelled, true);
	ret = try_cancel_with(fd, 0, line->sequence);
	if (ret != 1 && errno != ENOENT)
		FAILED(&model->tally);
	/* There is one event, and this is why it has to be there. */
	if (ret != 1 && poll_now(fd) < 0)
		FAILED(&model->tally);
}

static void act_cancel_all(struct actor *actor, int fd)
{
	struct model *model = actor->model;

	/* One file has nothing cancelled but what it says. */
	if (!model->is_cancelled)
		return;
	if (try_cancel_with(fd, UDMA_CANCEL_F_ALL, 0) < 0)
		FAILED(&model->tally);
}

/* Another buffer: transfers and perhaps the mapping still have the old one. */
static void act_buffer(struct actor *actor, int fd)
{
	struct buffer *buffer = &actor->buffers[below(&actor->random, 2)];
	struct model *model = actor->model;
	bool unmap_first = below(&actor->random, 2);

	if (unmap_first && buffer->handle && try_unmap(buffer))
		FAILED(&model->tally);
	if (buffer->handle && try_free(fd, buffer->handle))
		FAILED(&model->tally);
	if (!unmap_first && buffer->handle && try_unmap(buffer))
		FAILED(&model->tally);
	if (try_alloc_map(fd, MODEL_BYTES, buffer))
		FAILED(&model->tally);
}

static void act_eventfd(struct actor *actor, int fd)
{
	if (try_eventfd(fd, below(&actor->random, 2) ? actor->efd : -1))
		FAILED(&actor->model->tally);
}

static void act_poll(struct actor *actor, int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };

	if (poll(&pollfd, 1, below(&actor->random, 3)) < 0 ||
	    pollfd.revents & (POLLERR | POLLHUP | POLLNVAL))
		FAILED(&actor->model->tally);
}

static void act_info(struct actor *actor, int fd)
{
	struct udma_info info;

	if (try_info(fd, &info))
		FAILED(&actor->model->tally);
}

static const struct {
	unsigned int weight;
	void (*act)(struct actor *actor, int fd);
} acts[] = {
	{ 40, act_submit },
	{ 30, act_read },
	{ 10, act_cancel },
	{ 1, act_cancel_all },
	{ 5, act_buffer },
	{ 3, act_eventfd },
	{ 5, act_poll },
	{ 1, act_info },
};

static void act_any(struct actor *actor, int fd)
{
	unsigned int pick = below(&actor->random, 95), i;

	for (i = 0; pick >= acts[i].weight; i++)
		pick -= acts[i].weight;
	acts[i].act(actor, fd);
}

/* Of a file of its own, which is closed with transfers under way. */
static void act_alone(struct actor *actor)
{
	struct model *model = actor->model;
	struct udma_request requests[32];
	struct buffer buffer;
	unsigned int i;
	int fd, ret;

	fd = try_sim_open(model->sim, 0, O_RDWR);
	if (fd < 0 || try_alloc_map(fd, 64 * KIB, &buffer)) {
		FAILED(&model->tally);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = fill_request(&buffer, 0, 64 * KIB, 1);
	ret = try_submit(fd, requests, 1 + below(&actor->random, 32));
	if (ret < 0 && errno != EIO)
		FAILED(&model->tally);
	if (ret > 0)
		actor->closed += ret;
	if (below(&actor->random, 2))
		try_cancel_with(fd, UDMA_CANCEL_F_ALL, 0);
	if (close(fd) || try_unmap(&buffer))
		FAILED(&model->tally);
}

/* By a descriptor of its own now and then, which may be the last one to go. */
static void *actor_run(void *data)
{
	struct actor *actor = data;
	struct model *model = actor->model;
	unsigned int op;
	int fd;

	for (op = 0; op < actor->ops && !LOAD(model->tally.line); op++) {
		if (!below(&actor->random, 60)) {
			act_alone(actor);
		} else if (!below(&actor->random, 20)) {
			fd = dup(model->fd);
			act_any(actor, fd);
			if (close(fd))
				FAILED(&model->tally);
		} else {
			act_any(actor, model->fd);
		}
		ADD(model->tally.rounds, 1);
	}
	return NULL;
}

static int try_actor_start(struct actor *actor, struct model *model,
			   unsigned int ops, __u64 random)
{
	*actor = (struct actor) {
		.model = model,
		.ops = ops,
		.random = random,
		.efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (actor->efd < 0 ||
	    try_alloc_map(model->fd, MODEL_BYTES, &actor->buffers[0]) ||
	    try_alloc_map(model->fd, MODEL_BYTES, &actor->buffers[1]))
		return -1;
	errno = pthread_create(&actor->thread, NULL, actor_run, actor);
	return errno ? -1 : 0;
}

static int try_actor_end(struct actor *actor)
{
	errno = pthread_join(actor->thread, NULL);
	if (errno || try_unmap(&actor->buffers[0]) ||
	    try_unmap(&actor->buffers[1]))
		return -1;
	return close(actor->efd);
}

static int try_model_start(struct model *model, const struct sim *sim,
			   bool is_wild, bool is_cancelled)
{
	*model = (struct model) {
		.sim = sim,
		.is_wild = is_wild,
		.is_cancelled = is_cancelled,
		.fd = try_sim_open(sim, 0, O_RDWR | O_NONBLOCK),
		.line = mmap(NULL, MODEL_LINES * sizeof(struct line),
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
	};
	return model->fd < 0 || model->line == MAP_FAILED ? -1 : 0;
}

/* All that were accepted end, and nothing else does. */
static int try_model_end(struct model *model)
{
	struct actor reader = { .model = model, .random = 1 };
	unsigned int i, wrong = 0;

	while (!model->tally.line &&
	       model->tally.ended < model->tally.accepted) {
		if (try_wait_for(model->fd, POLLIN) < 0) {
			say("storm: %lu accepted, %lu ended",
			    model->tally.accepted, model->tally.ended);
			return -1;
		}
		act_read(&reader, model->fd);
	}
	for (i = 0; i < model->lines && i < MODEL_LINES; i++) {
		const struct line *line = &model->line[i];

		if (line->accepted != line->ended ||
		    line->sequence != line->event_sequence)
			wrong++;
	}
	if (wrong)
		say("storm: %u transfers have not got what they should", wrong);
	if (model->tally.line)
		say("storm: line %u: %s", model->tally.line,
		    strerror(model->tally.error));
	errno = EPROTO;
	if (wrong || model->tally.line || poll_now(model->fd) != POLLOUT)
		return -1;
	munmap(model->line, MODEL_LINES * sizeof(struct line));
	return close(model->fd);
}

/* What else happens to the channel meanwhile. */
struct imp {
	pthread_t thread;
	const struct sim *sim;
	struct model *models;
	unsigned long done;
	bool stop;
	bool is_wild;
	__u64 random;
};

static const struct trick {
	const char *attribute;	/* of the simulator, or behind a / of the channel */
	unsigned int from;
	unsigned int to;
	bool is_fair;		/* no transfer ends otherwise for it */
} tricks[] = {
	{ "/window", 1, 32, true },
	{ "/window", 32, 32, true },
	{ "/reset", 1, 1, true },
	{ "latency_ns", 0, 200000, true },
	{ "latency_ns", 0, 0, true },
	{ "refuse_at", 1, 40, true },
	{ "fail_at", 1, 40, false },
	{ "short_at", 1, 40, false },
	{ "hang_at", 1, 40, false },
	{ "hang_at", 1, 40, false },
	{ "late_at", 1, 40, false },
	{ "release_late", 1, 1, true },
	{ "lose_at", 1, 40, false },
	{ "submit_fail_at", 1, 40, false },
	{ "refuse", 0, 1, false },
	{ "refuse", 0, 0, true },
	{ "unhang", 1, 1, true },
	{ "hang_cure", 0, 2, false },
	{ "hang_cure", 1, 2, false },
	{ "terminate_fail", 0, 1, true },
	{ "/stall_ms", 5, 50, false },
	{ "/timeout_ms", 0, 5, false },
	/* Where there are such. */
	{ "inline", 0, 1, true },
	{ "after_terminate", 0, 2, true },
	{ "ghost", 0, 1, true },
	{ "batch", 0, 4, false },
	{ "sleep_full", 0, 1, true },
	{ "lie_residue", 0, 1, false },
	{ "slow_terminate_ms", 0, 10, true },
};

static void imp_trick(struct imp *imp)
{
	const struct trick *trick = &tricks[below(&imp->random, ARRAY_SIZE(tricks))];
	static const char * const cures[] = { "terminate", "release", "never" };
	unsigned int value;

	if (!imp->is_wild && !trick->is_fair)
		return;
	value = trick->from + below(&imp->random, trick->to - trick->from + 1);
	if (*trick->attribute == '/')
		try_chan_set(imp->sim, 0, trick->attribute + 1, value);
	else if (!strcmp(trick->attribute, "hang_cure"))
		try_sim_write(imp->sim, trick->attribute, cures[value]);
	else
		try_sim_set(imp->sim, trick->attribute, value);
	imp->done++;
	/* It is failed for a while, and then repaired. */
	if (chan_is(imp->sim, "failed") && !below(&imp->random, 4))
		try_calm(imp->sim);
}

static unsigned long model_rounds(const struct model *models)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < MODEL_FILES; i++)
		sum += LOAD(models[i].tally.rounds);
	return sum;
}

static void *imp_run(void *data)
{
	struct imp *imp = data;
	unsigned long next = 0;

	while (!LOAD(imp->stop)) {
		if (model_rounds(imp->models) < next) {
			sched_yield();
			continue;
		}
		imp_trick(imp);
		next = model_rounds(imp->models) + below(&imp->random, 10);
	}
	return NULL;
}

/* Who copies and looks at what has come: no trick may change another's bytes. */
struct onlooker {
	pthread_t thread;
	struct witness witness;
	struct imp *imp;
	unsigned long copies;
	const char *verdict;
};

static void *onlooker_run(void *data)
{
	struct onlooker *onlooker = data;

	onlooker->verdict = "copied";
	while (!LOAD(onlooker->imp->stop) &&
	       !strcmp(onlooker->verdict, "copied")) {
		onlooker->verdict = witness_run(&onlooker->witness,
						onlooker->imp->is_wild);
		onlooker->copies++;
	}
	return NULL;
}

TEST_F_TIMEOUT(storm, does_everything, STORM_SECONDS)
{
	const unsigned int ops = times(60000) / MODEL_THREADS;
	unsigned long accepted = 0, ended = 0, closed = 0;
	struct onlooker onlooker = {};
	struct actor actors[MODEL_THREADS];
	struct model models[MODEL_FILES];
	struct imp imp = {
		.sim = &self->sim,
		.models = models,
		.is_wild = variant->is_wild,
		.random = self->random,
	};
	unsigned int i;

	must(try_chan_set(&self->sim, 0, "stall_ms", variant->is_wild ? 30 : 60000));
	for (i = 0; i < MODEL_FILES; i++)
		must(try_model_start(&models[i], &self->sim, variant->is_wild, i));
	onlooker.imp = &imp;
	must(try_witness_open(&onlooker.witness, &self->sim, 64 * KIB));
	for (i = 0; i < MODEL_THREADS; i++)
		must(try_actor_start(&actors[i], &models[i % MODEL_FILES], ops,
				     self->random + i * 7919));
	ASSERT_EQ(0, pthread_create(&imp.thread, NULL, imp_run, &imp));
	ASSERT_EQ(0, pthread_create(&onlooker.thread, NULL, onlooker_run,
				    &onlooker));
	for (i = 0; i < MODEL_THREADS; i++) {
		must(try_actor_end(&actors[i]));
		closed += actors[i].closed;
	}
	STORE(imp.stop, true);
	ASSERT_EQ(0, pthread_join(imp.thread, NULL));
	must(try_calm(&self->sim));
	ASSERT_EQ(0, pthread_join(onlooker.thread, NULL));
	EXPECT_STREQ("copied", onlooker.verdict);
	must(try_witness_close(&onlooker.witness));
	for (i = 0; i < MODEL_FILES; i++) {
		works(try_model_end(&models[i]));
		accepted += models[i].tally.accepted;
		ended += models[i].tally.ended;
	}
	say("storm: %u operations, %lu tricks, %lu copies looked at",
	    ops * MODEL_THREADS, imp.done, onlooker.copies);
	say("storm: %lu accepted, %lu ended, %lu more with their file", accepted,
	    ended, closed);
	say_recovery(&self->sim);
	EXPECT_EQ(accepted, ended);
	EXPECT_LT(0, ended);
}

TEST_HARNESS_MAIN
