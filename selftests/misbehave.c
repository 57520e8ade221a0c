// SPDX-License-Identifier: GPL-2.0
/*
 * Each kind of misbehaviour that the simulator knows, and what programs see of
 * it: how their transfers end, and what is in their memory afterwards.
 */
#include "udma_work.h"

/* Transfers that fail, or end early */

FIXTURE(residue)
{
	struct unit unit;
	struct sim *sim;
	struct user user;
};

FIXTURE_VARIANT(residue)
{
	const char *granularity;
	const char *failed;
	const char *cut;
	const char *long_cut;
};

FIXTURE_VARIANT_ADD(residue, of_bursts) {
	.granularity = "burst",
	.failed = "EIO 0 exact",
	.cut = "OK 4096 exact short",
	.long_cut = "OK 28672 exact short",
};

FIXTURE_VARIANT_ADD(residue, of_segments) {
	.granularity = "segment",
	.failed = "EIO 0",
	.cut = "OK 4096 exact short",
	.long_cut = "OK 28672 exact short",
};

/* It tells nothing of what did not move. */
FIXTURE_VARIANT_ADD(residue, of_descriptors) {
	.granularity = "descriptor",
	.failed = "EIO 0",
	.cut = "OK 8192 exact",
	.long_cut = "OK 32768 exact",
};

#define RESIDUE_BYTES	8192

FIXTURE_SETUP(residue)
{
	static const struct sim_config config = {
		.max_segment = RESIDUE_BYTES,
	};
	struct sim sim;

	must(try_sim_mkdir(&sim));
	must(try_sim_set(&sim, "step_grace", 1));
	must(try_sim_configure(&sim, &config));
	must(try_sim_write(&sim, "granularity", variant->granularity));
	must(try_sim_live(&sim));
	must(try_unit_bind(&self->unit, &sim, 0));
	self->sim = &self->unit.sim;
	must(try_user_open(&self->user, &self->unit, 0, RESIDUE_BYTES));
}

FIXTURE_TEARDOWN(residue)
{
	struct udma_event event;

	try_sim_set(self->sim, "lie_residue", 0);
	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_EQ(0, try_read_now(self->user.fd, &event, 1));
	works(try_user_close(&self->user));
	works(try_sim_finish(self->sim));
}

TEST_F(residue, of_one_that_fails)
{
	struct udma_event events[COPIES];

	must(try_sim_set(self->sim, "fail_at", 2));
	must(try_user_submit(&self->user, 0, 3));
	must(try_user_ends(&self->user, events, 3));
	EXPECT_COPIED(&self->user, events, 0);
	EXPECT_EVENT(variant->failed, &events[1]);
	EXPECT_STREQ("not copied", copy_look(&self->user.copies[1]));
	EXPECT_COPIED(&self->user, events, 2);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(residue, of_one_that_is_cut)
{
	struct udma_event events[COPIES];

	must(try_sim_set(self->sim, "short_at", 2));
	must(try_user_submit(&self->user, 0, 3));
	must(try_user_ends(&self->user, events, 3));
	EXPECT_COPIED(&self->user, events, 0);
	EXPECT_EVENT(variant->cut, &events[1]);
	EXPECT_STREQ("copied in part", copy_look(&self->user.copies[1]));
	EXPECT_COPIED(&self->user, events, 2);
}

/* What hardware has been given of it already is not taken back. */
TEST_F(residue, of_one_that_is_cut_in_the_middle)
{
	struct udma_event events[COPIES];
	struct user user;

	must(try_user_open(&user, &self->unit, 0, 4 * RESIDUE_BYTES));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_sim_set(self->sim, "short_at", 2));
	must(try_user_submit(&user, 0, 1));
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 4));
	must(try_user_ends(&user, events, 1));
	EXPECT_EVENT(variant->long_cut, &events[0]);
	EXPECT_STREQ("copied in part", copy_look(&user.copies[0]));
	must(try_user_close(&user));
}

/* What it has not been given is not given to it. */
TEST_F(residue, of_one_that_is_cut_and_not_gone_on_with)
{
	const bool told = strcmp("descriptor", variant->granularity);
	struct udma_event events[COPIES];
	struct user user;

	must(try_user_open(&user, &self->unit, 0, 4 * RESIDUE_BYTES));
	must(try_attr_set(&self->unit, "window", 1));
	must(try_sim_set(self->sim, "short_at", 2));
	must(try_user_submit(&user, 0, 1));
	must(try_user_ends(&user, events, 1));
	EXPECT_EVENT(told ? "OK 12288 exact short" : "OK 32768 exact",
		     &events[0]);
	must(try_user_close(&user));
}

/* Of one that is stopped it is told as well, but it may be more in the end. */
TEST_F(residue, of_one_that_stalls)
{
	struct udma_event events[COPIES];

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->user, 0, 2));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->user, events, 2));
	EXPECT_EVENT("ETIMEDOUT 0", &events[0]);
	EXPECT_COPIED(&self->user, events, 1);
}

/* Whatever it says, there is no more than was asked for. */
TEST_F(residue, that_is_a_lie)
{
	struct udma_event events[COPIES];
	unsigned int i, round;

	must(try_sim_set(self->sim, "lie_residue", 1));
	for (round = 0; round < 8; round++) {
		must(try_sim_set(self->sim, "fail_at", 3));
		must(try_sim_set(self->sim, "hang_at", 6));
		must(try_user_submit(&self->user, 0, COPIES));
		must(try_wait_pending(self->sim, 3));
		must(try_stall(&self->unit));
		must(try_user_ends(&self->user, events, COPIES));
		for (i = 0; i < COPIES; i++) {
			const struct udma_event *event = &events[i];

			EXPECT_GE(RESIDUE_BYTES, event->bytes);
			EXPECT_EQ(i == 2 ? -EIO : i == 5 ? -ETIMEDOUT : 0,
				  event->status);
			/* It is believed as far as it is possible. */
			if (event->status)
				continue;
			EXPECT_EQ(event->bytes < RESIDUE_BYTES,
				  !!(event->flags & UDMA_EVENT_F_SHORT));
			EXPECT_EQ(UDMA_EVENT_F_EXACT,
				  event->flags & ~UDMA_EVENT_F_SHORT);
			EXPECT_STREQ("copied",
				     copy_look(&self->user.copies[i]));
		}
		must(try_behave(&self->user, 64));
	}
}

/* Callbacks after a terminate */

FIXTURE(aborted)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
};

FIXTURE_VARIANT(aborted)
{
	unsigned int after_terminate;
};

FIXTURE_VARIANT_ADD(aborted, and_told_so) {
	.after_terminate = 1,
};

FIXTURE_VARIANT_ADD(aborted, and_called_a_success) {
	.after_terminate = 2,
};

FIXTURE_SETUP(aborted)
{
	static const struct sim_config config;

	must(try_users_start(&self->unit, &config, &self->a, &self->b));
	self->sim = &self->unit.sim;
	must(try_sim_set(self->sim, "after_terminate",
			 variant->after_terminate));
}

FIXTURE_TEARDOWN(aborted)
{
	struct udma_event event;

	cure(&self->unit);
	EXPECT_EQ(0, try_read_now(self->a.fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, &event, 1));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	works(try_sim_end(self->sim));
}

/* It has not ended, whatever the callback says. */
TEST_F(aborted, transfers_are_done_again)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 8));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 8));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	EXPECT_STREQ("resets 1 probes 1 replays 8 late 8",
		     counts_of(&self->unit));
	must(try_step(self->sim, 8));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_COPIED(&self->a, a, i);
		EXPECT_COPIED(&self->b, b, i);
	}
	must(try_sim_set(self->sim, "step_mode", 0));
	EXPECT_STREQ("copied", next_program(&self->unit));
	must(try_sim_unbind(self->sim, 0));
}

TEST_F(aborted, transfers_of_others_than_the_guilty_are_done_again)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 8));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 4));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	EXPECT_STREQ("not copied", copy_look(&self->a.copies[0]));
	for (i = 0; i < 4; i++) {
		if (i)
			EXPECT_COPIED(&self->a, a, i);
		EXPECT_COPIED(&self->b, b, i);
	}
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 7 late 8",
		     counts_of(&self->unit));
	EXPECT_STREQ("copied", next_program(&self->unit));
	must(try_sim_unbind(self->sim, 0));
}

TEST_F(aborted, transfers_end_with_the_channel)
{
	struct udma_event a[COPIES + 1];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_wait_pending(self->sim, 4));
	must(try_sim_unbind(self->sim, 0));
	EXPECT_EQ(4, must(try_read(self->a.fd, a, ARRAY_SIZE(a))));
	for (i = 0; i < 4; i++)
		EXPECT_EVENT("ENODEV 0", &a[i]);
}

/* Copies that go on */

static long reset_unit(void *data)
{
	return try_reset(data);
}

TEST_F(work, goes_on_as_a_ghost)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "ghost", 1));
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 8));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 4));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	/* That is all that is known, but it was moved, and before that was told. */
	EXPECT_STREQ("copied", copy_look(&self->a.copies[0]));
	for (i = 0; i < 4; i++) {
		if (i)
			EXPECT_COPIED(&self->a, a, i);
		EXPECT_COPIED(&self->b, b, i);
	}
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 7",
		     counts_of(&self->unit));
	must(try_sim_set(self->sim, "ghost", 0));
}

/* It writes to memory of which only the driver knows still. */
TEST_F(work, goes_on_as_a_ghost_in_its_own_memory)
{
	struct buffer others[64];
	struct sleeper sleeper;
	struct user user;
	unsigned int i;

	must(try_user_open(&user, &self->unit, 0, 64 * KIB));
	must(try_sim_set(self->sim, "ghost", 1));
	must(try_sim_set(self->sim, "step_mode", 1));
	for (i = 0; i < 4; i++) {
		memset(user.copies[i].src.mem, 0xdd,
		       user.copies[i].src.map_bytes);
		must(try_submit_one(user.fd, user.copies[i].request));
	}
	must(try_wait_pending(self->sim, 4));
	must(try_user_close(&user));
	must(try_sleeper_create(&sleeper, reset_unit, &self->unit));
	while (sim_get(self->sim, "terminates") == 0)
		sched_yield();
	for (i = 0; i < ARRAY_SIZE(others); i++)
		must(try_alloc_map(self->b.fd, 64 * KIB + 512, &others[i]));
	/* When that took longer than the proof may, it comes afterwards. */
	must(try_step(self->sim, 4));
	must(try_sleeper_join(&sleeper));
	must(try_wait_state(&self->unit, "working"));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-1, find_other(others[i].mem, others[i].map_bytes,
					 0));
		must(try_unmap(&others[i]));
		must(try_free(self->b.fd, others[i].handle));
	}
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/probes"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/replays"));
	must(try_sim_set(self->sim, "ghost", 0));
}

TEST_F(work, goes_on_as_a_ghost_for_too_long)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "ghost", 1));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_attr_set(&self->unit, "window", 4));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 2));
	must(try_wait_pending(self->sim, 4));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 2));
	for (i = 0; i < 4; i++)
		EXPECT_EVENT("EIO 0 held", &a[i]);
	for (i = 0; i < 2; i++)
		EXPECT_EVENT("EIO 0 exact", &b[i]);
	EXPECT_STREQ("failed", state_of(&self->unit));
	must(try_step(self->sim, 4));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_wait_state(&self->unit, "working"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/heals"));
	must(try_sim_set(self->sim, "ghost", 0));
}

/* Callbacks inside of issue_pending */

TEST_F(work, ends_before_it_is_all_issued)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i, round;

	must(try_sim_set(self->sim, "inline", 1));
	for (round = 0; round < 20; round++) {
		must(try_user_submit(&self->a, 0, COPIES));
		must(try_user_submit(&self->b, 0, COPIES));
		must(try_user_ends(&self->a, a, COPIES));
		must(try_user_ends(&self->b, b, COPIES));
		for (i = 0; i < COPIES; i++) {
			EXPECT_COPIED(&self->a, a, i);
			EXPECT_COPIED(&self->b, b, i);
		}
	}
	must(try_reset(&self->unit));
	must(try_sim_set(self->sim, "hang_at", 2));
	must(try_user_submit(&self->a, 0, 4));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	EXPECT_EVENT("ETIMEDOUT 0", &a[1]);
	for (i = 0; i < 4; i++) {
		if (i != 1)
			EXPECT_COPIED(&self->a, a, i);
	}
	EXPECT_STREQ("stalls 1 resets 2 probes 2 replays 2",
		     counts_of(&self->unit));
	must(try_sim_set(self->sim, "inline", 0));
}

/* Callbacks that wait for each other */

TEST_F(work, is_told_in_batches)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "batch", 4));
	must(try_user_submit(&self->a, 0, 6));
	must(try_user_ends(&self->a, a, 4));
	for (i = 0; i < 4; i++)
		EXPECT_COPIED(&self->a, a, i);
	must(try_user_submit(&self->a, 6, 2));
	must(try_user_ends(&self->a, a, 4));
	for (i = 4; i < COPIES; i++)
		EXPECT_COPIED(&self->a, a, i);
	must(try_sim_set(self->sim, "batch", 0));
}

/* A batch that is not full looks like a stall, and the proof makes none either. */
TEST_F(work, is_not_told_where_the_batch_does_not_fill)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "batch", 4));
	must(try_user_submit(&self->a, 0, 2));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	EXPECT_EVENT("EIO 0 held", &a[1]);
	must(try_wait_state(&self->unit, "failed"));
	must(try_sim_set(self->sim, "batch", 0));
	must(try_wait_state(&self->unit, "working"));
	EXPECT_STREQ("stalls 1 resets 1 probes 1 reacquires 1 failures 1 heals 1",
		     counts_of(&self->unit));
}

/* Refusals */

TEST_F(work, is_refused_once)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "refuse_at", 1));
	must(try_user_submit(&self->a, 0, 3));
	must(try_user_ends(&self->a, a, 3));
	for (i = 0; i < 3; i++)
		EXPECT_COPIED(&self->a, a, i);
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(work, is_refused)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 2));
	must(try_sim_set(self->sim, "refuse", 1));
	must(try_user_submit(&self->b, 0, 3));
	/* As long as there is something that ends it may be accepted later. */
	must(try_step(self->sim, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, b, 1));
	must(try_step(self->sim, 1));
	must(try_user_ends(&self->a, a, 2));
	must(try_user_ends(&self->b, b, 3));
	for (i = 0; i < 3; i++)
		EXPECT_EVENT("EIO 0 exact", &b[i]);
	must(try_sim_set(self->sim, "refuse", 0));
	EXPECT_STREQ("", counts_of(&self->unit));
}

TEST_F(work, is_refused_when_it_is_to_be_done_again)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 3));
	must(try_wait_pending(self->sim, 3));
	/* The proof is the first. */
	must(try_sim_set(self->sim, "submit_fail_at", 3));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 2));
	must(try_step(self->sim, 2));
	must(try_user_ends(&self->a, a, 3));
	EXPECT_COPIED(&self->a, a, 0);
	/* Hardware had it before. */
	EXPECT_EVENT("EIO 0", &a[1]);
	EXPECT_COPIED(&self->a, a, 2);
}

TEST_F(work, is_not_submitted)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "submit_fail_at", 2));
	must(try_user_submit(&self->a, 0, 3));
	must(try_user_ends(&self->a, a, 3));
	EXPECT_COPIED(&self->a, a, 0);
	EXPECT_EVENT("EIO 0 exact", &a[1]);
	EXPECT_COPIED(&self->a, a, 2);
}

/* Not even the proof is taken, so nothing is known. */
TEST_F(work, is_held_where_all_is_refused)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 2));
	must(try_sim_set(self->sim, "refuse", 1));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	EXPECT_EVENT("EIO 0 held", &a[1]);
	must(try_sim_set(self->sim, "refuse", 0));
	must(try_reset(&self->unit));
	EXPECT_STREQ("resets 2 probes 1 reacquires 1 failures 1 heals 1",
		     counts_of(&self->unit));
}

/* Misbehaviour that meets the proof itself */

FIXTURE(proof)
{
	struct unit unit;
};

FIXTURE_VARIANT(proof)
{
	const char *fault;
	const char *counts;
};

FIXTURE_VARIANT_ADD(proof, that_hangs) {
	.fault = "hang_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

FIXTURE_VARIANT_ADD(proof, that_fails) {
	.fault = "fail_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

FIXTURE_VARIANT_ADD(proof, that_is_cut) {
	.fault = "short_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

FIXTURE_VARIANT_ADD(proof, whose_callback_is_lost) {
	.fault = "lose_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

FIXTURE_VARIANT_ADD(proof, whose_callback_is_late) {
	.fault = "late_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

FIXTURE_VARIANT_ADD(proof, that_is_not_submitted) {
	.fault = "submit_fail_at",
	.counts = "resets 1 probes 1 reacquires 1",
};

/* It is only asked again. */
FIXTURE_VARIANT_ADD(proof, that_is_refused) {
	.fault = "refuse_at",
	.counts = "resets 1 probes 1",
};

FIXTURE_SETUP(proof)
{
	static const struct sim_config config;

	must(try_unit_start(&self->unit, &config));
}

FIXTURE_TEARDOWN(proof)
{
	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	works(try_sim_finish(&self->unit.sim));
}

TEST_F(proof, is_given_by_another)
{
	must(try_sim_set(&self->unit.sim, variant->fault, 1));
	must(try_reset(&self->unit));
	EXPECT_STREQ(variant->counts, counts_of(&self->unit));
	must(try_sim_set(&self->unit.sim, "release_late", 1));
	EXPECT_STREQ(variant->counts, counts_of(&self->unit));
}

TEST_F(work, heals_by_a_late_proof)
{
	must(try_sim_set(self->sim, "terminate_fail", 1));
	must(try_sim_set(self->sim, "late_at", 1));
	fails(EIO, try_reset(&self->unit));
	EXPECT_STREQ("failed", state_of(&self->unit));
	must(try_sim_set(self->sim, "release_late", 1));
	must(try_wait_counts(&self->unit,
			     "resets 1 probes 1 failures 1 heals 1"));
	EXPECT_STREQ("working", state_of(&self->unit));
	must(try_sim_set(self->sim, "terminate_fail", 0));
}

/* Controllers that cannot be stopped */

FIXTURE(endless)
{
	struct unit unit;
	struct sim *sim;
	struct user user;
	int users;
};

FIXTURE_VARIANT(endless)
{
	bool no_terminate;
	bool unordered;
	bool sleeps;
};

FIXTURE_VARIANT_ADD(endless, where_terminate_fails) {
};

FIXTURE_VARIANT_ADD(endless, without_terminate) {
	.no_terminate = true,
};

/* As idxd. */
FIXTURE_VARIANT_ADD(endless, without_terminate_and_order_and_sleeping) {
	.no_terminate = true,
	.unordered = true,
	.sleeps = true,
};

#define ENDLESS_DEPTH	4

FIXTURE_SETUP(endless)
{
	const struct sim_config config = {
		.depth = ENDLESS_DEPTH,
		.no_terminate = variant->no_terminate,
	};
	struct sim sim;

	self->users = must(module_users());
	must(try_sim_mkdir(&sim));
	must(try_sim_configure(&sim, &config));
	must(try_sim_set(&sim, "unordered", variant->unordered));
	must(try_sim_live(&sim));
	must(try_unit_bind(&self->unit, &sim, 0));
	self->sim = &self->unit.sim;
	must(try_sim_set(self->sim, "terminate_fail", !variant->no_terminate));
	must(try_sim_set(self->sim, "sleep_full", variant->sleeps));
	must(try_attr_set(&self->unit, "window", ENDLESS_DEPTH - 1));
	must(try_user_open(&self->user, &self->unit, 0, COPY_BYTES));
}

FIXTURE_TEARDOWN(endless)
{
	struct udma_event event;

	cure(&self->unit);
	works(try_wait_state(&self->unit, "working"));
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_EQ(0, try_read_now(self->user.fd, &event, 1));
	works(try_user_close(&self->user));
	works(try_sim_finish(self->sim));
	EXPECT_EQ(self->users, module_users());
}

TEST_F(endless, that_is_never_full)
{
	struct udma_event events[COPIES];
	unsigned int i, round;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->user, 0, COPIES));
	must(try_wait_pending(self->sim, ENDLESS_DEPTH - 1));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_user_ends(&self->user, events, COPIES));
	for (round = 0; round < 20; round++) {
		must(try_user_submit(&self->user, 0, COPIES));
		must(try_user_ends(&self->user, events, COPIES));
		for (i = 0; i < COPIES; i++)
			EXPECT_COPIED(&self->user, events, i);
	}
}

/* What fails while there is nothing to stop proves itself, or need not. */
TEST_F(endless, that_is_idle_can_be_reset)
{
	must(try_reset(&self->unit));
	must(try_reset(&self->unit));
	EXPECT_STREQ(variant->unordered ? "resets 2" : "resets 2 probes 2",
		     counts_of(&self->unit));
}

TEST_F(endless, that_hangs)
{
	struct udma_event events[COPIES];
	unsigned int i, held = 0;
	long late;

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->user, 0, COPIES));
	if (variant->unordered)
		must(try_wait_sim(self->sim, "ended", COPIES - 1));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->user, events, COPIES));
	must(try_wait_state(&self->unit, "failed"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/stalls"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/failures"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/reacquires"));
	for (i = 0; i < COPIES; i++) {
		if (events[i].flags & UDMA_EVENT_F_HELD)
			held++;
		else if (!events[i].status)
			EXPECT_COPIED(&self->user, events, i);
		else
			EXPECT_EVENT("EIO 0 exact", &events[i]);
	}
	/* Where there is no order the others went on without it. */
	EXPECT_EQ(variant->unordered ? 1 : ENDLESS_DEPTH - 1, held);
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	must(try_wait_pending(self->sim, 0));
	late = attr_get(&self->unit, "recovery/late");
	EXPECT_EQ((long)held, late);
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/heals"));
	EXPECT_EQ(variant->unordered ? 0 : 1,
		  attr_get(&self->unit, "recovery/probes"));
}

/* One is stopped by nothing, but it ends by itself while that is waited for. */
TEST_F(endless, that_ends_after_all)
{
	struct udma_event events[COPIES];
	struct sleeper sleeper;
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->user, 0, COPIES));
	must(try_wait_pending(self->sim, ENDLESS_DEPTH - 1));
	must(try_sleeper_create(&sleeper, reset_unit, &self->unit));
	must(try_wait_state(&self->unit, "resetting"));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_sleeper_join(&sleeper));
	EXPECT_EQ(0, sleeper.error);
	must(try_user_ends(&self->user, events, COPIES));
	for (i = 0; i < COPIES; i++)
		EXPECT_COPIED(&self->user, events, i);
	/* Those that ended before the reset had begun are not done again. */
	EXPECT_EQ(attr_get(&self->unit, "recovery/late"),
		  attr_get(&self->unit, "recovery/replays"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/failures"));
}

/* Of one that ends things in order, that is enough. */
TEST_F(endless, that_loses_a_callback)
{
	struct udma_event events[COPIES];
	unsigned int i;

	if (variant->unordered)
		SKIP(return, "nothing would ever prove that it has let go");
	must(try_sim_set(self->sim, "lose_at", 2));
	must(try_user_submit(&self->user, 0, 5));
	must(try_wait_sim(self->sim, "ended", 5));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->user, events, 5));
	EXPECT_EVENT("ETIMEDOUT 0", &events[1]);
	for (i = 0; i < 5; i++) {
		if (i != 1)
			EXPECT_COPIED(&self->user, events, i);
	}
	EXPECT_STREQ("stalls 1 resets 1 probes 1", counts_of(&self->unit));
}

/* Order */

FIXTURE(unordered)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
};

FIXTURE_SETUP(unordered)
{
	static const struct sim_config config = { .no_terminate = true };
	struct sim sim;

	must(try_sim_mkdir(&sim));
	must(try_sim_configure(&sim, &config));
	must(try_sim_set(&sim, "unordered", 1));
	must(try_sim_live(&sim));
	must(try_unit_bind(&self->unit, &sim, 0));
	self->sim = &self->unit.sim;
	must(try_user_open(&self->a, &self->unit, 0, COPY_BYTES));
	must(try_user_open(&self->b, &self->unit, 0, COPY_BYTES));
}

FIXTURE_TEARDOWN(unordered)
{
	struct udma_event event;

	cure(&self->unit);
	works(try_wait_state(&self->unit, "working"));
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_EQ(0, try_read_now(self->a.fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, &event, 1));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	works(try_sim_finish(self->sim));
}

TEST_F(unordered, transfers_end_as_they_do)
{
	struct udma_event a[4];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 3));
	self->a.copies[3].request.flags = UDMA_REQUEST_F_FENCE;
	must(try_user_submit(&self->a, 3, 1));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 4));
	must(try_collect(self->a.fd, a, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i == 3 ? 3 : 2 - i, a[i].user_data);
		EXPECT_EVENT("OK 4096 exact", &a[i]);
		EXPECT_STREQ("copied", copy_look(&self->a.copies[i]));
	}
}

/* Each is held until its own callback comes. */
TEST_F(unordered, transfers_are_let_go_of_one_by_one)
{
	int room = must(try_room(self->a.fd));
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 3));
	must(try_wait_pending(self->sim, 3));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 3));
	for (i = 0; i < 3; i++) {
		EXPECT_EVENT("EIO 0 held", &a[i]);
		must(try_unmap(&self->a.copies[i].dst));
		must(try_unmap(&self->a.copies[i].src));
		must(try_free(self->a.fd, self->a.copies[i].dst.handle));
		must(try_free(self->a.fd, self->a.copies[i].src.handle));
	}
	EXPECT_EQ(room, try_room(self->a.fd));
	for (i = 1; i <= 3; i++) {
		EXPECT_STREQ("failed", state_of(&self->unit));
		must(try_step(self->sim, 1));
		EXPECT_EQ(room + 2 * (int)i, try_room(self->a.fd));
	}
	EXPECT_STREQ("working", state_of(&self->unit));
	EXPECT_STREQ("resets 1 failures 1 heals 1 late 3",
		     counts_of(&self->unit));
	for (i = 0; i < 3; i++) {
		must(try_alloc_map(self->a.fd, 1, &self->a.copies[i].dst));
		must(try_alloc_map(self->a.fd, 1, &self->a.copies[i].src));
	}
}

/* Those that came back while the reset waited are not held. */
TEST_F(unordered, transfers_that_came_back_are_not_held)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "hang_at", 1));
	/* Neither before the reset has begun, nor after it has given up. */
	must(try_sim_set(self->sim, "latency_ns", 500 * 1000 * 1000));
	must(try_user_submit(&self->a, 0, 2));
	/* Both wait their time, and then one of them hangs. */
	fails(EIO, try_reset(&self->unit));
	must(try_sim_set(self->sim, "latency_ns", 0));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EQ(1, !(a[0].flags & UDMA_EVENT_F_HELD) +
		  !(a[1].flags & UDMA_EVENT_F_HELD));
	EXPECT_EQ(-EIO, a[0].status);
	EXPECT_EQ(-EIO, a[1].status);
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/late"));
}

/* Siblings */

TEST(sibling_that_is_terminated_along_recovers_by_its_watchdog)
{
	static const struct sim_config config = { .channels = 2 };
	struct udma_event a[COPIES], b[COPIES];
	struct unit one, other;
	struct user of_one, of_other;
	unsigned int i;

	must(try_unit_start(&one, &config));
	must(try_unit_bind(&other, &one.sim, 1));
	must(try_user_open(&of_one, &one, 0, COPY_BYTES));
	must(try_user_open(&of_other, &other, 0, COPY_BYTES));
	must(try_sim_set(&one.sim, "sibling", 1));
	must(try_sim_set(&one.sim, "step_mode", 1));
	must(try_user_submit(&of_one, 0, 3));
	must(try_user_submit(&of_other, 0, 3));
	must(try_wait_pending(&one.sim, 6));
	must(try_reset(&one));
	must(try_wait_pending(&one.sim, 3));
	must(try_sim_set(&one.sim, "step_mode", 0));
	must(try_user_ends(&of_one, a, 3));
	EXPECT_STREQ("", counts_of(&other));
	must(try_stall(&other));
	must(try_user_ends(&of_other, b, 3));
	for (i = 0; i < 3; i++) {
		EXPECT_COPIED(&of_one, a, i);
		if (i)
			EXPECT_COPIED(&of_other, b, i);
	}
	/* Nobody can tell that it is not to blame. */
	EXPECT_EVENT("ETIMEDOUT 0", &b[0]);
	EXPECT_STREQ("resets 1 probes 1 replays 3", counts_of(&one));
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 2",
		     counts_of(&other));
	EXPECT_STREQ("copied", next_program(&one));
	EXPECT_STREQ("copied", next_program(&other));
	must(try_user_close(&of_one));
	must(try_user_close(&of_other));
	must(try_sim_unbind(&one.sim, 1));
	must(try_sim_finish(&one.sim));
}

TEST_HARNESS_MAIN
