// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that cannot be stopped: what becomes of what they have, and how they
 * are found to work again.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_recovery.h"

FIXTURE(failed)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
	int users;
};

FIXTURE_VARIANT(failed)
{
	const char *hang_cure;
	bool terminate_fail;
	bool no_terminate;
	/* What is counted until it fails, and until unhang has healed it. */
	const char *failed;
	const char *healed;
};

FIXTURE_VARIANT_ADD(failed, that_says_it_has_stopped) {
	.hang_cure = "never",
	.failed = "resets 1 reacquires 1 failures 1",
	.healed = "resets 1 probes 1 reacquires 1 failures 1 heals 1",
};

FIXTURE_VARIANT_ADD(failed, that_says_it_has_not) {
	.terminate_fail = true,
	.failed = "resets 1 failures 1",
	.healed = "resets 1 probes 1 failures 1 heals 1 late 2",
};

FIXTURE_VARIANT_ADD(failed, that_cannot_be_told) {
	.no_terminate = true,
	.failed = "resets 1 failures 1",
	.healed = "resets 1 probes 1 failures 1 heals 1 late 2",
};

FIXTURE_SETUP(failed)
{
	const struct sim_config config = {
		.no_terminate = variant->no_terminate,
	};

	self->users = must(module_users());
	must(try_users_start(&self->unit, &config, &self->a, &self->b));
	self->sim = &self->unit.sim;
	if (variant->hang_cure)
		must(try_sim_write(self->sim, "hang_cure", variant->hang_cure));
	must(try_sim_set(self->sim, "terminate_fail", variant->terminate_fail));
	must(try_attr_set(&self->unit, "window", 2));
	must(try_sim_set(self->sim, "hang_at", 1));
}

FIXTURE_TEARDOWN(failed)
{
	struct udma_event event;

	cure(&self->unit);
	if (strcmp("working", state_of(&self->unit)))
		works(try_wait_state(&self->unit, "working"));
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_EQ(0, try_read_now(self->a.fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, &event, 1));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	works(try_sim_finish(self->sim));
	EXPECT_EQ(self->users, module_users());
}

/* Until hardware has two of the first program's, one of which hangs. */
#define FAIL()								\
	do {								\
		must(try_user_submit(&self->a, 0, 4));			\
		must(try_wait_pending(self->sim, 2));			\
		fails(EIO, try_reset(&self->unit));			\
	} while (0)

TEST_F(failed, ends_all_and_says_so)
{
	struct udma_event a[COPIES], b[COPIES];
	struct udma_info info;
	unsigned int i;

	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 2));
	must(try_wait_pending(self->sim, 2));
	fails(EIO, try_reset(&self->unit));
	EXPECT_STREQ("failed", state_of(&self->unit));
	EXPECT_STREQ(variant->failed, counts_of(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 2));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	EXPECT_EVENT("EIO 0 held", &a[1]);
	EXPECT_EVENT("EIO 0 exact", &a[2]);
	EXPECT_EVENT("EIO 0 exact", &a[3]);
	for (i = 0; i < 2; i++)
		EXPECT_EVENT("EIO 0 exact", &b[i]);
	must(try_info(self->b.fd, &info));
	EXPECT_EQ(UDMA_STATE_FAILED, info.out_state);
	fails(EIO, try_submit_one(self->a.fd, self->a.copies[0].request));
	fails(EIO, try_submit_one(self->b.fd, self->b.copies[0].request));
	EXPECT_EQ(POLLOUT, poll_now(self->b.fd));
}

TEST_F(failed, by_a_stall_too)
{
	struct udma_event a[COPIES];

	must(try_user_submit(&self->a, 0, 4));
	must(try_wait_pending(self->sim, 2));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	EXPECT_EVENT("EIO 0 held", &a[1]);
	EXPECT_EVENT("EIO 0 exact", &a[2]);
	EXPECT_EVENT("EIO 0 exact", &a[3]);
	must(try_wait_state(&self->unit, "failed"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/stalls"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/resets"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/failures"));
}

TEST_F(failed, lets_programs_come_and_go)
{
	struct udma_event a[COPIES];
	struct udma_info info;
	struct user user;

	FAIL();
	must(try_user_ends(&self->a, a, 4));
	must(try_user_open(&user, &self->unit, 0, COPY_BYTES));
	must(try_info(user.fd, &info));
	EXPECT_EQ(UDMA_STATE_FAILED, info.out_state);
	fails(EIO, try_submit_one(user.fd, user.copies[0].request));
	must(try_user_close(&user));
	must(try_user_open(&user, &self->unit, 0, COPY_BYTES));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	must(try_behave(&user, 3));
	must(try_user_close(&user));
}

TEST_F(failed, heals_when_hardware_goes_on)
{
	struct udma_event a[COPIES];
	struct udma_info info;

	FAIL();
	must(try_user_ends(&self->a, a, 4));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_counts(&self->unit, variant->healed));
	EXPECT_STREQ("working", state_of(&self->unit));
	must(try_info(self->a.fd, &info));
	EXPECT_EQ(UDMA_STATE_WORKING, info.out_state);
	must(try_user_submit(&self->a, 0, COPIES));
	must(try_user_ends(&self->a, a, COPIES));
	EXPECT_COPIED(&self->a, a, 0);
	EXPECT_COPIED(&self->a, a, 7);
}

/* A callback is missing, but the probe comes back, and it was behind. */
TEST_F(failed, heals_by_the_probe_alone)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "lose_at", 1));
	FAIL();
	must(try_user_ends(&self->a, a, 4));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/probes"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/heals"));
	EXPECT_EQ(variant->hang_cure ? 0 : 1,
		  attr_get(&self->unit, "recovery/late"));
}

TEST_F(failed, heals_by_a_reset)
{
	struct udma_event a[COPIES];

	if (variant->no_terminate)
		SKIP(return, "there is nothing that a reset can do");
	FAIL();
	must(try_user_ends(&self->a, a, 4));
	fails(EIO, try_reset(&self->unit));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/failures"));
	must(try_sim_write(self->sim, "hang_cure", "terminate"));
	must(try_sim_set(self->sim, "terminate_fail", 0));
	must(try_reset(&self->unit));
	EXPECT_STREQ("working", state_of(&self->unit));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/heals"));
	EXPECT_EQ(1, attr_get(&self->unit, "recovery/probes"));
	EXPECT_EQ(3, attr_get(&self->unit, "recovery/resets"));
	must(try_behave(&self->b, 2));
}

TEST_F(failed, again_and_again)
{
	struct udma_event a[COPIES];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		must(try_sim_set(self->sim, "hang_at", 1));
		must(try_user_submit(&self->a, 0, 4));
		must(try_wait_pending(self->sim, 2));
		fails(EIO, try_reset(&self->unit));
		must(try_user_ends(&self->a, a, 4));
		EXPECT_EVENT("EIO 0 held", &a[0]);
		must(try_sim_set(self->sim, "unhang", 1));
		must(try_wait_state(&self->unit, "working"));
		must(try_wait_pending(self->sim, 0));
		must(try_behave(&self->a, 3));
	}
	EXPECT_EQ(3, attr_get(&self->unit, "recovery/failures"));
	EXPECT_EQ(3, attr_get(&self->unit, "recovery/heals"));
}

TEST_F(failed, keeps_memory_until_it_heals)
{
	struct copy *copy = &self->a.copies[0];
	struct udma_event a[COPIES];
	int room = must(try_room(self->a.fd));

	FAIL();
	must(try_user_ends(&self->a, a, 4));
	must(try_unmap(&copy->dst));
	must(try_unmap(&copy->src));
	must(try_free(self->a.fd, copy->dst.handle));
	must(try_free(self->a.fd, copy->src.handle));
	EXPECT_EQ(room, try_room(self->a.fd));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	EXPECT_EQ(room + 2, try_room(self->a.fd));
	/* For the teardown. */
	must(try_alloc_map(self->a.fd, 1, &copy->dst));
	must(try_alloc_map(self->a.fd, 1, &copy->src));
}

/* Hardware writes to the memory of who is dead, and to nobody else's. */
TEST_F(failed, keeps_memory_of_a_dead_program)
{
	struct buffer others[64];
	int from_child[2], status;
	struct user dead;
	unsigned int i;
	pid_t pid;
	char byte;

	must(pipe(from_child));
	pid = must(fork());
	if (pid == 0) {
		if (try_user_open(&dead, &self->unit, 0, 64 * KIB))
			_exit(1);
		memset(dead.copies[0].src.mem, 0xdd,
		       dead.copies[0].src.map_bytes);
		memset(dead.copies[1].src.mem, 0xdd,
		       dead.copies[1].src.map_bytes);
		if (try_submit_one(dead.fd, dead.copies[0].request) != 1 ||
		    try_submit_one(dead.fd, dead.copies[1].request) != 1 ||
		    write(from_child[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	EXPECT_EQ(1, read(from_child[0], &byte, 1));
	must(try_wait_pending(self->sim, 2));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	fails(EIO, try_reset(&self->unit));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		must(try_alloc_map(self->b.fd, 64 * KIB + 512, &others[i]));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	must(try_wait_pending(self->sim, 0));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-1, find_other(others[i].mem, others[i].map_bytes,
					 0));
		must(try_unmap(&others[i]));
		must(try_free(self->b.fd, others[i].handle));
	}
}

TEST_F(failed, keeps_the_module)
{
	struct udma_event a[COPIES];

	FAIL();
	must(try_user_ends(&self->a, a, 4));
	must(try_user_close(&self->a));
	must(try_user_close(&self->b));
	EXPECT_LT(self->users, module_users());
	fails(EWOULDBLOCK, try_delete_module("udma"));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	/* The held buffers' files go with the buffers, in a worker. */
	must(try_wait_pending(self->sim, 0));
	EXPECT_EQ(self->users, module_users());
	must(try_user_open(&self->a, &self->unit, 0, COPY_BYTES));
	must(try_user_open(&self->b, &self->unit, 0, COPY_BYTES));
}

/* Channels that fail with nothing to do */

FIXTURE(idle)
{
	struct unit unit;
	struct sim *sim;
	struct user user;
	int users;
};

FIXTURE_SETUP(idle)
{
	static const struct sim_config config;

	self->users = must(module_users());
	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_user_open(&self->user, &self->unit, 0, COPY_BYTES));
}

FIXTURE_TEARDOWN(idle)
{
	cure(&self->unit);
	works(try_user_close(&self->user));
	works(try_sim_end(self->sim));
	EXPECT_EQ(self->users, module_users());
}

TEST_F(idle, channel_does_not_heal_by_what_it_did_not_wait_for)
{
	struct udma_event events[COPIES];

	must(try_sim_set(self->sim, "late_at", 1));
	must(try_user_submit(&self->user, 0, 1));
	while (sim_get(self->sim, "late_at") > 0)
		sched_yield();
	must(try_stall(&self->unit));
	must(try_user_ends(&self->user, events, 1));
	EXPECT_EVENT("ETIMEDOUT 0", &events[0]);
	must(try_sim_set(self->sim, "terminate_fail", 1));
	must(try_sim_set(self->sim, "hang_at", 1));
	fails(EIO, try_reset(&self->unit));
	EXPECT_STREQ("failed", state_of(&self->unit));
	must(try_sim_set(self->sim, "release_late", 1));
	must(try_wait_attr(&self->unit, "recovery/late", 1));
	EXPECT_STREQ("failed", state_of(&self->unit));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_wait_state(&self->unit, "working"));
	EXPECT_STREQ("stalls 1 resets 2 probes 2 failures 1 heals 1 late 1",
		     counts_of(&self->unit));
	must(try_sim_unbind(self->sim, 0));
}

/* The first proof hangs, the second is not even taken: the first is still out. */
TEST_F(idle, channel_that_failed_proves_itself_before_it_goes)
{
	long ended;

	must(try_sim_write(self->sim, "hang_cure", "never"));
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_sim_set(self->sim, "submit_fail_at", 2));
	fails(EIO, try_reset(&self->unit));
	EXPECT_STREQ("resets 1 reacquires 1 failures 1",
		     counts_of(&self->unit));
	must(try_sim_write(self->sim, "hang_cure", "terminate"));
	ended = sim_get(self->sim, "ended");
	must(try_sim_unbind(self->sim, 0));
	EXPECT_EQ(ended + 1, sim_get(self->sim, "ended"));
}

/* Channels that go while they do not work */

FIXTURE(leaving)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
	int users;
};

FIXTURE_VARIANT(leaving)
{
	long (*take)(void *sim);
	bool by_name;
};

static long unbind_by_name(void *sim)
{
	return try_sim_unbind(sim, 0);
}

static long unbind_by_live(void *sim)
{
	return try_sim_set(sim, "live", 0);
}

FIXTURE_VARIANT_ADD(leaving, by_name) {
	.take = unbind_by_name,
	.by_name = true,
};

FIXTURE_VARIANT_ADD(leaving, with_the_controller) {
	.take = unbind_by_live,
};

FIXTURE_SETUP(leaving)
{
	static const struct sim_config config;

	self->users = must(module_users());
	must(try_users_start(&self->unit, &config, &self->a, &self->b));
	self->sim = &self->unit.sim;
}

/* The channel has gone. */
FIXTURE_TEARDOWN(leaving)
{
	struct udma_event event;

	fails(ENODEV, try_read(self->a.fd, &event, 1));
	fails(ENODEV, try_read(self->b.fd, &event, 1));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->a.fd));
	fails(EFAULT, try_touch(self->a.copies[0].dst.mem));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	EXPECT_EQ(self->users, module_users());
	if (variant->by_name)
		works(try_sim_set(self->sim, "live", 0));
	works(try_sim_rmdir(self->sim));
}

static long reset_unit(void *data)
{
	return try_reset(data);
}

TEST_F(leaving, while_it_is_reset_by_root)
{
	struct sleeper resetter, taker;
	struct udma_event a[4], b[4];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_sim_set(self->sim, "slow_terminate_ms", 60000));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_sleeper_start(&resetter, reset_unit, &self->unit, SYS_write));
	must(try_wait_state(&self->unit, "resetting"));
	must(try_sleeper_start(&taker, variant->take, self->sim, SYS_write));
	must(try_sim_set(self->sim, "slow_terminate_ms", 0));
	must(try_sleeper_join(&resetter));
	must(try_sleeper_join(&taker));
	EXPECT_EQ(0, taker.error);
	must(try_collect(self->a.fd, a, 4));
	must(try_collect(self->b.fd, b, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EVENT("ENODEV 0", &a[i]);
		EXPECT_EVENT("ENODEV 0", &b[i]);
	}
}

TEST_F(leaving, while_it_is_reset_by_its_watchdog)
{
	struct udma_event a[COPIES], b[COPIES];
	struct sleeper taker;
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_sim_set(self->sim, "slow_terminate_ms", 60000));
	must(try_attr_set(&self->unit, "window", 4));
	must(try_user_submit(&self->a, 0, 3));
	must(try_user_submit(&self->b, 0, 4));
	must(try_stall(&self->unit));
	must(try_wait_state(&self->unit, "resetting"));
	must(try_sleeper_start(&taker, variant->take, self->sim, SYS_write));
	/* From there on nothing is done again, and what waits ends when the rest does. */
	must(try_sleeper_wait_inside(&taker, SYS_write, "udma_stop"));
	must(try_sim_set(self->sim, "slow_terminate_ms", 0));
	must(try_sleeper_join(&taker));
	EXPECT_EQ(0, taker.error);
	EXPECT_EQ(3, must(try_read(self->a.fd, a, COPIES)));
	EXPECT_EQ(4, must(try_read(self->b.fd, b, COPIES)));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(a[i].user_data ? -ENODEV : -ETIMEDOUT, a[i].status);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ENODEV, b[i].status);
}

TEST_F(leaving, while_what_it_has_is_to_be_done_again)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_wait_pending(self->sim, 4));
	must(try_attr_set(&self->unit, "window", 1));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 1));
	EXPECT_EQ(0, variant->take(self->sim));
	EXPECT_EQ(4, must(try_read(self->a.fd, a, COPIES)));
	for (i = 0; i < 4; i++)
		EXPECT_EVENT("ENODEV 0", &a[i]);
}

TEST_F(leaving, when_it_has_failed_and_is_stopped_after_all)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "terminate_fail", 1));
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 2));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	EXPECT_EVENT("EIO 0 held", &a[1]);
	must(try_sim_set(self->sim, "terminate_fail", 0));
	EXPECT_EQ(0, variant->take(self->sim));
}

TEST_F(leaving, when_it_has_failed_and_goes_on_meanwhile)
{
	struct udma_event a[COPIES];
	struct sleeper taker;

	must(try_sim_set(self->sim, "terminate_fail", 1));
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 2));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 2));
	must(try_sleeper_start(&taker, variant->take, self->sim, SYS_write));
	must(try_sim_set(self->sim, "unhang", 1));
	must(try_sleeper_join(&taker));
	EXPECT_EQ(0, taker.error);
}

/* It has never been reset, and hangs when it is to go. */
TEST_F(leaving, when_it_hangs)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 2));
	must(try_sim_write(self->sim, "hang_cure", "release"));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 7));
	EXPECT_EQ(0, variant->take(self->sim));
	EXPECT_EQ(4, must(try_read(self->a.fd, a, COPIES)));
	EXPECT_EQ(4, must(try_read(self->b.fd, b, COPIES)));
	EXPECT_EVENT("OK 4096 exact", &a[0]);
	for (i = 0; i < 4; i++) {
		if (i)
			EXPECT_EVENT("ENODEV 0", &a[i]);
		EXPECT_EVENT("ENODEV 0", &b[i]);
	}
}

/* The callback that is kept back goes with the channel. */
TEST_F(leaving, when_a_callback_is_late)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "late_at", 1));
	must(try_user_submit(&self->a, 0, 1));
	while (sim_get(self->sim, "late_at") > 0)
		sched_yield();
	EXPECT_EQ(0, variant->take(self->sim));
	EXPECT_EQ(1, must(try_read(self->a.fd, a, COPIES)));
	EXPECT_EVENT("ENODEV 0", &a[0]);
	if (variant->by_name)
		must(try_sim_set(self->sim, "release_late", 1));
}

TEST_HARNESS_MAIN
