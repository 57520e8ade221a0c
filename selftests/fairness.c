// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that share a channel: none of them gets more than its turn, none pays
 * for one that does nothing, and none for the timeouts and the stalls of another.
 * The controller ends nothing before it is told, so what gets how much is counted
 * in steps and not in time.
 */
#include "udma_witness.h"

/* A file's turn, and the most that the controller is given at once of a transfer. */
#define TURN		MIB
/* What the controller may have before somebody new comes, in turns. */
#define WINDOW_TURNS	4
/* A long transfer: more is not to be had in one piece everywhere. */
#define LONG_TURNS	4
#define LONG		(LONG_TURNS * TURN)

struct program {
	int fd;
	struct buffer buffer;
	struct udma_request fill;
	unsigned int good;	/* events seen */
	unsigned int timeouts;
};

FIXTURE(fair)
{
	struct sim sim;
	struct program a;
	struct program b;
};

static int try_program_open(struct program *program, const struct sim *sim,
			    __u64 bytes)
{
	*program = (struct program) {
		.fd = try_sim_open(sim, 0, O_RDWR | O_NONBLOCK),
	};
	if (program->fd < 0 || try_alloc_map(program->fd, bytes, &program->buffer))
		return -1;
	program->fill = fill_request(&program->buffer, 0, bytes, 1);
	return 0;
}

static int try_program_close(struct program *program)
{
	if (try_unmap(&program->buffer))
		return -1;
	return close(program->fd);
}

static int try_program_submit(const struct program *program, unsigned int count)
{
	while (count--)
		if (try_submit_one(program->fd, program->fill) != 1)
			return -1;
	return 0;
}

/* How many more have ended. */
static int try_program_see(struct program *program)
{
	struct udma_event events[64];
	int ret, i;

	ret = try_read_now(program->fd, events, ARRAY_SIZE(events));
	for (i = 0; i < ret; i++) {
		errno = EPROTO;
		if (!events[i].status)
			program->good++;
		else if (events[i].status == -ETIMEDOUT)
			program->timeouts++;
		else
			return -1;
	}
	return ret;
}

FIXTURE_SETUP(fair)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_chan_set(&self->sim, 0, "stall_ms", 3600000));
	must(try_sim_set(&self->sim, "step_mode", 1));
}

/* Each test has closed its programs. */
FIXTURE_TEARDOWN(fair)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(try_sim_finish(&self->sim));
}

/* Long transfers and short ones */

TEST_F(fair, a_short_transfer_waits_for_a_few_slices)
{
	unsigned int round, steps, most = 0;

	must(try_program_open(&self->a, &self->sim, LONG));
	must(try_program_open(&self->b, &self->sim, 4 * KIB));
	must(try_program_submit(&self->a, 32));
	for (round = 0; round < 12; round++) {
		must(try_program_submit(&self->b, 1));
		for (steps = 0; !must(try_program_see(&self->b)); steps++)
			must(try_step(&self->sim, 1));
		if (steps > most)
			most = steps;
	}
	say("fairness: %u slices until a short transfer has ended", most);
	/* Those in hardware, the turn of the other one, and itself. */
	EXPECT_GE(WINDOW_TURNS + 2, most);
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

/* Long ones, each of which fills with another byte than the one before. */
static int try_program_submit_long(struct program *program, unsigned int count)
{
	for (; count; count--) {
		if (try_program_submit(program, 1))
			return -1;
		program->fill.fill++;
	}
	return 0;
}

/* How much has come of them: of those that have ended, and of the next one. */
static unsigned long moved(struct program *program)
{
	const unsigned char *mem = program->buffer.mem;
	unsigned long slices, i;

	if (try_program_see(program) < 0)
		return 0;
	slices = program->good * LONG_TURNS;
	for (i = 0; i < LONG; i += TURN)
		slices += mem[i] == program->good + 1;
	return slices * TURN;
}

/* Many steps. */
TEST_F_TIMEOUT(fair, turns_are_of_as_many_bytes_whatever_the_length, 300)
{
	const unsigned int turns = 3, small = 4 * KIB;
	unsigned long a_bytes, b_bytes;
	unsigned int seen = 0;
	int ret;

	must(try_program_open(&self->a, &self->sim, LONG));
	must(try_program_open(&self->b, &self->sim, small));
	must(try_program_submit_long(&self->a, 8));
	must(try_program_submit(&self->b, 200));
	while (seen < turns * TURN / small) {
		must(try_step(&self->sim, 1));
		ret = must(try_program_see(&self->b));
		seen += ret;
		/* It always has something to do. */
		must(try_program_submit(&self->b, ret));
	}
	a_bytes = moved(&self->a);
	b_bytes = (unsigned long)seen * small;
	say("fairness: %lu KiB in long transfers, %lu KiB in short ones",
	    a_bytes / KIB, b_bytes / KIB);
	/* The long one came first, and so the window was its own. */
	EXPECT_LE(b_bytes, a_bytes + TURN);
	EXPECT_GE(b_bytes + WINDOW_TURNS * TURN + TURN, a_bytes);
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

/* Who gets what */

#define STEPS	24

/*
 * The same that is asked for every time, and in which order it ended: a letter a
 * step. Some of B is submitted before A, so that nobody is first everywhere. The
 * driver's worker may be about, and be the one that gives it to the controller: that
 * has what there is room for, before there is more to choose from.
 */
static int try_sequence(const struct sim *sim, struct program *a,
			struct program *b, char *order)
{
	unsigned int step;

	if (try_program_submit(b, 2) || try_wait_pending(sim, 2) ||
	    try_program_submit(a, STEPS / 2) ||
	    try_wait_pending(sim, 2 + WINDOW_TURNS) ||
	    try_program_submit(b, STEPS / 2 - 2))
		return -1;
	for (step = 0; step < STEPS; step++) {
		if (try_step(sim, 1))
			return -1;
		order[step] = '?';
		if (try_program_see(a) == 1)
			order[step] = 'a';
		else if (try_program_see(b) == 1)
			order[step] = 'b';
	}
	order[step] = '\0';
	return 0;
}

TEST_F(fair, who_does_nothing_costs_nothing)
{
	char before[STEPS + 1], after[STEPS + 1];
	struct program idle[5];
	unsigned int i;

	must(try_program_open(&self->a, &self->sim, MIB));
	must(try_program_open(&self->b, &self->sim, 256 * KIB));
	must(try_sequence(&self->sim, &self->a, &self->b, before));
	say("fairness: %s", before);
	EXPECT_EQ(NULL, strchr(before, '?'));
	/* Some have done something before, and some never do. */
	for (i = 0; i < ARRAY_SIZE(idle); i++) {
		must(try_program_open(&idle[i], &self->sim, 4 * KIB));
		if (i % 2) {
			must(try_program_submit(&idle[i], 1));
			must(try_step(&self->sim, 1));
			EXPECT_EQ(1, try_program_see(&idle[i]));
		}
	}
	must(try_sequence(&self->sim, &self->a, &self->b, after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	for (i = 0; i < ARRAY_SIZE(idle); i++)
		must(try_program_close(&idle[i]));
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

TEST_F(fair, timeouts_slow_nobody_else)
{
	char before[STEPS + 1], after[STEPS + 1];

	must(try_program_open(&self->a, &self->sim, MIB));
	must(try_program_open(&self->b, &self->sim, 256 * KIB));
	must(try_sequence(&self->sim, &self->a, &self->b, before));
	self->a.fill.timeout_ns = 1;
	must(try_sequence(&self->sim, &self->a, &self->b, after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(STEPS, self->b.good);
	EXPECT_LT(0, self->a.timeouts);
	EXPECT_EQ(STEPS, self->a.good + self->a.timeouts);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

/* What has run out of time is not given to the controller any more. */
TEST_F(fair, timeouts_of_long_transfers_leave_more_to_others)
{
	unsigned int steps;

	must(try_program_open(&self->a, &self->sim, LONG));
	must(try_program_open(&self->b, &self->sim, 4 * KIB));
	self->a.fill.timeout_ns = 1;
	must(try_program_submit(&self->a, 4));
	must(try_program_submit(&self->b, 8));
	for (steps = 0; self->b.good < 8; steps++) {
		must(try_step(&self->sim, 1));
		must(try_program_see(&self->b));
	}
	EXPECT_GE(2 * WINDOW_TURNS + 8, steps);
	while (self->a.timeouts < 4) {
		must(try_step(&self->sim, 0));
		must(try_program_see(&self->a));
	}
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

/* Programs that stall the channel */

static int try_stall(const struct sim *sim, struct program *a,
		     struct program *b)
{
	const unsigned int good = b->good, timeouts = a->timeouts;
	const long stalls = chan_get(sim, 0, "recovery/stalls");

	/* No more than this one, however slow the machine is. */
	if (try_sim_set(sim, "hang_at", 1) || try_program_submit(a, 1) ||
	    try_program_submit(b, 8) || try_wait_sim(sim, "hang_at", 0) ||
	    try_chan_set(sim, 0, "stall_ms", 100) ||
	    try_wait_chan(sim, 0, "recovery/stalls", stalls + 1) ||
	    try_chan_set(sim, 0, "stall_ms", 3600000))
		return -1;
	/* The other's come again, after the reset. */
	while (b->good < good + 8)
		if (try_wait_for(b->fd, POLLIN) < 0 || try_program_see(b) < 0)
			return -1;
	if (try_wait_for(a->fd, POLLIN) < 0 || try_program_see(a) < 0)
		return -1;
	errno = EPROTO;
	return a->timeouts == timeouts + 1 ? 0 : -1;
}

TEST_F(fair, who_stalls_the_channel_runs_alone)
{
	unsigned int i;

	must(try_program_open(&self->a, &self->sim, 64 * KIB));
	must(try_program_open(&self->b, &self->sim, 64 * KIB));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_stall(&self->sim, &self->a, &self->b));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/alone"));
	must(try_stall(&self->sim, &self->a, &self->b));
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/alone"));
	EXPECT_EQ(2, chan_get(&self->sim, 0, "recovery/stalls"));
	EXPECT_EQ(0, self->b.timeouts);

	/* Nothing beside it, nor it beside anything. */
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_program_submit(&self->a, 3));
	must(try_program_submit(&self->b, 3));
	for (i = 0; i < 3; i++) {
		must(try_wait_pending(&self->sim, 1));
		must(try_step(&self->sim, 1));
	}
	EXPECT_EQ(3, must(try_program_see(&self->a)));
	must(try_wait_pending(&self->sim, 3));
	must(try_program_submit(&self->a, 1));
	EXPECT_EQ(3, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 3));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, must(try_program_see(&self->a)));
	EXPECT_EQ(3, must(try_program_see(&self->b)));

	/* That is forgiven in time. */
	for (i = 0; i < 64; i++) {
		must(try_program_submit(&self->a, 1));
		must(try_step(&self->sim, 1));
		must(try_program_see(&self->a));
	}
	must(try_program_submit(&self->a, 3));
	must(try_wait_pending(&self->sim, 3));
	must(try_step(&self->sim, 3));
	EXPECT_EQ(3, must(try_program_see(&self->a)));
	must(try_program_close(&self->a));
	must(try_program_close(&self->b));
}

/* It may close its file and come again: others' transfers end well all the same. */
TEST_F(fair, who_stalls_the_channel_and_comes_back_harms_nobody)
{
	unsigned int i;

	must(try_program_open(&self->b, &self->sim, 64 * KIB));
	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < 4; i++) {
		must(try_program_open(&self->a, &self->sim, 64 * KIB));
		must(try_stall(&self->sim, &self->a, &self->b));
		must(try_program_close(&self->a));
	}
	EXPECT_EQ(4, chan_get(&self->sim, 0, "recovery/stalls"));
	EXPECT_EQ(0, self->b.timeouts);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/failures"));
	must(try_program_close(&self->b));
}

TEST_HARNESS_MAIN
