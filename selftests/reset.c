// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware that does not end what it was given: who is blamed, what becomes of
 * the others, and what is left when it cannot be stopped.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_work.h"

/* Stalls */

TEST_F(work, that_stalls_ends_the_head_and_is_done_again_for_others)
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
	for (i = 1; i < 4; i++)
		EXPECT_COPIED(&self->a, a, i);
	for (i = 0; i < 4; i++)
		EXPECT_COPIED(&self->b, b, i);
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 7",
		     counts_of(&self->unit));
	EXPECT_STREQ("working", state_of(&self->unit));
	EXPECT_EQ(1, sim_get(self->sim, "terminates"));
}

TEST_F(work, that_stalls_later_leaves_what_has_ended)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 6));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 3));
	must(try_user_ends(&self->a, a, 4));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->b, b, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_COPIED(&self->a, a, i);
		if (i != 1)
			EXPECT_COPIED(&self->b, b, i);
	}
	EXPECT_EVENT("ETIMEDOUT 0", &b[1]);
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 2",
		     counts_of(&self->unit));
}

/* Time alone is no stall, as long as something ends now and then. */
TEST_F(work, that_is_slow_does_not_stall)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_attr_set(&self->unit, "stall_ms", 2500));
	must(try_sim_set(self->sim, "latency_ns", 400 * 1000 * 1000));
	must(try_user_submit(&self->a, 0, COPIES));
	must(try_user_ends(&self->a, a, COPIES));
	for (i = 0; i < COPIES; i++)
		EXPECT_COPIED(&self->a, a, i);
	EXPECT_STREQ("", counts_of(&self->unit));
	must(try_sim_set(self->sim, "latency_ns", 0));
}

/* What was given to hardware before it began to hang is the head. */
TEST_F(work, that_stalls_again_and_again_ends)
{
	struct udma_event a[COPIES];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		must(try_sim_set(self->sim, "hang_at", 2));
		must(try_user_submit(&self->a, 0, 2));
		must(try_stall(&self->unit));
		must(try_user_ends(&self->a, a, 2));
		EXPECT_COPIED(&self->a, a, 0);
		EXPECT_EVENT("ETIMEDOUT 0", &a[1]);
	}
	EXPECT_STREQ("stalls 4 resets 4 probes 4 alone 1",
		     counts_of(&self->unit));
}

TEST_F(work, of_a_program_that_was_killed_stalls)
{
	struct udma_event b[COPIES];
	int from_child[2], status;
	unsigned int i;
	pid_t pid;
	char byte;

	must(try_sim_set(self->sim, "hang_at", 1));
	must(pipe(from_child));
	pid = must(fork());
	if (pid == 0) {
		if (try_user_open(&self->a, &self->unit, 0, COPY_BYTES) ||
		    try_user_submit(&self->a, 0, 4) < 0 ||
		    write(from_child[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	EXPECT_EQ(1, read(from_child[0], &byte, 1));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 8));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->b, b, 4));
	for (i = 0; i < 4; i++)
		EXPECT_COPIED(&self->b, b, i);
	/* Nobody wants the dead one's again. */
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 4",
		     counts_of(&self->unit));
}

TEST_F(work, that_stalls_keeps_memory_until_it_is_stopped)
{
	struct copy *copy = &self->a.copies[0];
	struct udma_event a[COPIES];
	int room = must(try_room(self->a.fd));

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 1));
	must(try_unmap(&copy->dst));
	must(try_unmap(&copy->src));
	must(try_free(self->a.fd, copy->dst.handle));
	must(try_free(self->a.fd, copy->src.handle));
	EXPECT_EQ(room, try_room(self->a.fd));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 1));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	EXPECT_EQ(room + 2, try_room(self->a.fd));
	/* For the teardown. */
	must(try_alloc_map(self->a.fd, 1, &copy->dst));
	must(try_alloc_map(self->a.fd, 1, &copy->src));
}

TEST_F(work, that_was_cancelled_stalls)
{
	struct udma_event a[COPIES];
	struct udma_cancel cancel = { .size = sizeof(cancel), .sequence = 1 };

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 3));
	EXPECT_EQ(1, ioctl(self->a.fd, UDMA_CANCEL, &cancel));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 3));
	EXPECT_EVENT("ECANCELED 0", &a[0]);
	EXPECT_COPIED(&self->a, a, 1);
	EXPECT_COPIED(&self->a, a, 2);
	EXPECT_STREQ("stalls 1 cancels 1 resets 1 probes 1 replays 2",
		     counts_of(&self->unit));
}

/* Long transfers, in several descriptors */

FIXTURE(slices)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
};

FIXTURE_SETUP(slices)
{
	static const struct sim_config config = { .max_segment = 4096 };

	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_user_open(&self->a, &self->unit, 0, 16 * 4096));
	must(try_user_open(&self->b, &self->unit, 0, 16 * 4096));
}

FIXTURE_TEARDOWN(slices)
{
	struct udma_event event;

	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_EQ(0, try_read_now(self->a.fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, &event, 1));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	works(try_sim_finish(self->sim));
}

TEST_F(slices, of_the_guilty_end_together)
{
	struct udma_event a[COPIES], b[COPIES];

	must(try_sim_set(self->sim, "hang_at", 6));
	must(try_user_submit(&self->a, 0, 1));
	must(try_user_submit(&self->b, 0, 2));
	/* The window is full. */
	must(try_wait_pending(self->sim, 32));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 1));
	must(try_user_ends(&self->b, b, 2));
	EXPECT_EVENT("ETIMEDOUT 20480", &a[0]);
	EXPECT_COPIED(&self->b, b, 0);
	EXPECT_COPIED(&self->b, b, 1);
	/* The five that had ended made room for as many. */
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 21",
		     counts_of(&self->unit));
}

TEST_F(slices, of_the_innocent_are_done_again)
{
	struct udma_event a[COPIES], b[COPIES];

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->b, 0, 2));
	must(try_user_submit(&self->a, 0, 1));
	must(try_wait_pending(self->sim, 32));
	must(try_step(self->sim, 20));
	must(try_wait_pending(self->sim, 28));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 28));
	EXPECT_STREQ("resets 1 probes 1 replays 28", counts_of(&self->unit));
	must(try_step(self->sim, 3));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 25));
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_user_ends(&self->b, b, 2));
	must(try_user_ends(&self->a, a, 1));
	EXPECT_COPIED(&self->b, b, 0);
	EXPECT_COPIED(&self->b, b, 1);
	EXPECT_COPIED(&self->a, a, 0);
	EXPECT_STREQ("resets 2 probes 2 replays 53", counts_of(&self->unit));
}

/* Fences */

TEST_F(work, behind_a_fence_waits_for_what_is_done_again)
{
	struct udma_event a[4];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 2));
	self->a.copies[2].request.flags = UDMA_REQUEST_F_FENCE;
	must(try_user_submit(&self->a, 2, 2));
	must(try_wait_pending(self->sim, 2));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 2));
	must(try_step(self->sim, 1));
	EXPECT_EQ(1, sim_get(self->sim, "pending"));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 1));
	/* That one, the one behind the fence, and the next. */
	must(try_step(self->sim, 3));
	must(try_collect(self->a.fd, a, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i, a[i].user_data);
		EXPECT_COPIED(&self->a, a, i);
	}
	EXPECT_STREQ("resets 2 probes 2 replays 3", counts_of(&self->unit));
}

TEST_F(work, behind_a_fence_waits_for_the_guilty)
{
	struct udma_event a[4];
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 2));
	self->a.copies[2].request.flags = UDMA_REQUEST_F_FENCE;
	must(try_user_submit(&self->a, 2, 2));
	must(try_wait_pending(self->sim, 2));
	must(try_stall(&self->unit));
	must(try_collect(self->a.fd, a, 4));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	for (i = 1; i < 4; i++) {
		EXPECT_EQ(i, a[i].user_data);
		EXPECT_COPIED(&self->a, a, i);
	}
	EXPECT_STREQ("stalls 1 resets 1 probes 1 replays 1",
		     counts_of(&self->unit));
}

/*
 * A copies X to Y, and behind a fence B copies Z to X. A is done, but nobody
 * hears of it, because its callback gets lost in a reset. So A is done again;
 * were B not to wait for that, Y would be given what is Z's.
 */
static void hazard_prepare(struct user *user)
{
	struct buffer *x = &user->copies[0].src;
	struct buffer *y = &user->copies[0].dst;
	struct buffer *z = &user->copies[1].src;

	memset(x->mem, 'x', x->bytes);
	memset(y->mem, 'y', y->bytes);
	memset(z->mem, 'z', z->bytes);
	user->copies[1].request.dst_handle = x->handle;
	user->copies[1].request.flags = UDMA_REQUEST_F_FENCE;
}

static int try_hazard_submit(struct user *user)
{
	const struct udma_request requests[] = {
		user->copies[0].request,
		user->copies[1].request,
	};

	return try_submit_all(user->fd, requests, 2);
}

static const char *hazard_verdict(const struct user *user)
{
	const unsigned char *x = user->copies[0].src.mem + 256;
	const unsigned char *y = user->copies[0].dst.mem + 256;

	if (find_other(y, user->bytes, 'x') >= 0)
		return "Y does not hold the old X";
	if (find_other(x, user->bytes, 'z') >= 0)
		return "X does not hold Z";
	return "right";
}

TEST_F(work, whose_callback_is_lost_to_a_reset_is_done_before_a_fence)
{
	struct udma_event a[COPIES];

	hazard_prepare(&self->a);
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_sim_set(self->sim, "lose_at", 1));
	must(try_hazard_submit(&self->a));
	must(try_step(self->sim, 1));
	EXPECT_EQ(0, sim_get(self->sim, "pending"));
	/* Done it is. */
	EXPECT_EQ(-1, find_other(self->a.copies[0].dst.mem + 256, COPY_BYTES,
				 'x'));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 1));
	must(try_step(self->sim, 2));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EVENT("OK 4096 exact", &a[0]);
	EXPECT_EVENT("OK 4096 exact", &a[1]);
	EXPECT_STREQ("right", hazard_verdict(&self->a));
	EXPECT_STREQ("resets 1 probes 1 replays 1", counts_of(&self->unit));
}

/* The same, but the callback comes when A is done a second time, or B. */
TEST_F(work, whose_callback_comes_after_a_reset_ends_nothing)
{
	struct udma_event a[COPIES];

	hazard_prepare(&self->a);
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_sim_set(self->sim, "late_at", 1));
	must(try_hazard_submit(&self->a));
	must(try_step(self->sim, 1));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 2));
	/* The same slot is in use again, and waits for its step. */
	must(try_sim_set(self->sim, "release_late", 1));
	must(try_wait_pending(self->sim, 1));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	EXPECT_STREQ("resets 1 probes 1 replays 1 late 1",
		     counts_of(&self->unit));
	must(try_step(self->sim, 1));
	must(try_wait_pending(self->sim, 1));
	EXPECT_EQ(-1, find_other(self->a.copies[0].src.mem + 256, COPY_BYTES,
				 'x'));
	must(try_step(self->sim, 1));
	must(try_user_ends(&self->a, a, 2));
	EXPECT_EVENT("OK 4096 exact", &a[0]);
	EXPECT_EVENT("OK 4096 exact", &a[1]);
	EXPECT_STREQ("right", hazard_verdict(&self->a));
}

/* Its callback lost, it is the one that hardware has had longest. */
TEST_F(work, whose_callback_is_lost_stalls)
{
	struct udma_event a[COPIES], b[COPIES];

	must(try_sim_set(self->sim, "lose_at", 1));
	must(try_user_submit(&self->a, 0, 1));
	must(try_user_submit(&self->b, 0, 2));
	must(try_user_ends(&self->b, b, 2));
	EXPECT_COPIED(&self->b, b, 0);
	EXPECT_COPIED(&self->b, b, 1);
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 1));
	/* Its cookie is complete, but not all providers complete what is. */
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	EXPECT_STREQ("stalls 1 resets 1 probes 1", counts_of(&self->unit));
}

/* Resets by root */

TEST_F(work, is_reset_with_nothing_to_do)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		must(try_reset(&self->unit));
	EXPECT_STREQ("resets 3 probes 3", counts_of(&self->unit));
	EXPECT_EQ(3, sim_get(self->sim, "terminates"));
}

TEST_F(work, is_reset_by_root_alone)
{
	static const char * const others[] = { "\n", "0", "2", "-1", "x", "1x" };
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(EINVAL,
			  errno_of(try_attr_write(&self->unit, "reset",
						  others[i])));
	pid = must(fork());
	if (pid == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(errno_of(try_reset(&self->unit)) != EACCES ||
		      errno_of(try_attr_set(&self->unit, "stall_ms", 1)) !=
			      EACCES ||
		      strcmp("working", state_of(&self->unit)) ||
		      strcmp("", counts_of(&self->unit)));
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_STREQ("", counts_of(&self->unit));
}

/* Epochs are numbered modulo 64, and a reset takes more than one. */
TEST_F(work, is_reset_more_often_than_there_are_epochs)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_sim_set(self->sim, "late_at", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_user_submit(&self->b, 0, 2));
	must(try_step(self->sim, 1));
	for (i = 0; i < 66; i++) {
		must(try_reset(&self->unit));
		must(try_wait_pending(self->sim, 5));
		EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	}
	must(try_sim_set(self->sim, "release_late", 1));
	must(try_wait_pending(self->sim, 4));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	must(try_step(self->sim, 4));
	must(try_user_ends(&self->a, a, 2));
	must(try_user_ends(&self->b, b, 2));
	for (i = 0; i < 2; i++) {
		EXPECT_COPIED(&self->a, a, i);
		EXPECT_COPIED(&self->b, b, i);
	}
	EXPECT_STREQ("resets 66 probes 66 replays 264 late 1",
		     counts_of(&self->unit));
}

TEST_F(work, goes_on_in_a_window_of_one)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 6));
	must(try_wait_pending(self->sim, 6));
	must(try_attr_set(&self->unit, "window", 1));
	for (i = 0; i < 4; i++) {
		must(try_reset(&self->unit));
		must(try_wait_pending(self->sim, 1));
		must(try_step(self->sim, 1));
		must(try_wait_pending(self->sim, 1));
	}
	must(try_step(self->sim, 2));
	must(try_user_ends(&self->a, a, 6));
	for (i = 0; i < 6; i++)
		EXPECT_COPIED(&self->a, a, i);
}

/* Settings */

TEST_F(work, has_settings_within_bounds)
{
	static const struct {
		const char *attribute;
		const char *text;
		int error;
	} writes[] = {
		{ "stall_ms", "0", EINVAL },
		{ "stall_ms", "1", 0 },
		{ "stall_ms", "3600000", 0 },
		{ "stall_ms", "3600001", EINVAL },
		{ "stall_ms", "-1", EINVAL },
		{ "stall_ms", "x", EINVAL },
		{ "stall_ms", "4294967296", ERANGE },
		{ "timeout_ms", "0", 0 },
		{ "timeout_ms", "3600000", 0 },
		{ "timeout_ms", "3600001", EINVAL },
		{ "timeout_ms", "-1", EINVAL },
		{ "window", "0", EINVAL },
		{ "window", "1", 0 },
		{ "window", "32", 0 },
		{ "window", "33", EINVAL },
		{ "state", "working", EACCES },
		{ "recovery/resets", "0", EACCES },
	};
	struct udma_info info;
	unsigned int i;
	char text[16];

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		EXPECT_EQ(writes[i].error,
			  errno_of(try_attr_write(&self->unit,
						  writes[i].attribute,
						  writes[i].text)))
			TH_LOG("%s %s", writes[i].attribute, writes[i].text);
		if (writes[i].error)
			continue;
		must(try_attr_read(&self->unit, writes[i].attribute, text,
				   sizeof(text)));
		EXPECT_STREQ(writes[i].text, text);
	}
	must(try_info(self->a.fd, &info));
	EXPECT_EQ(UDMA_STATE_WORKING, info.out_state);
	EXPECT_EQ(3600000, info.out_stall_ms);
	EXPECT_EQ(3600000 * 1000000ULL, info.out_timeout_ns);
	must(try_attr_set(&self->unit, "timeout_ms", 0));
	must(try_info(self->a.fd, &info));
	EXPECT_EQ(0, info.out_timeout_ns);
}

TEST_F(work, has_a_window)
{
	struct udma_event a[COPIES];

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_attr_set(&self->unit, "window", 3));
	must(try_user_submit(&self->a, 0, COPIES));
	must(try_wait_pending(self->sim, 3));
	must(try_attr_set(&self->unit, "window", 5));
	must(try_wait_pending(self->sim, 5));
	must(try_attr_set(&self->unit, "window", 1));
	must(try_step(self->sim, 4));
	EXPECT_EQ(1, sim_get(self->sim, "pending"));
	must(try_step(self->sim, 1));
	must(try_wait_pending(self->sim, 1));
	must(try_attr_set(&self->unit, "window", 32));
	must(try_wait_pending(self->sim, 3));
	must(try_step(self->sim, 3));
	must(try_user_ends(&self->a, a, COPIES));
}

/* Programs that stall the channel */

static int try_stall_by(struct user *user, struct unit *unit)
{
	struct udma_event events[COPIES];

	if (try_sim_set(&unit->sim, "hang_at", 1) ||
	    try_user_submit(user, 0, 1) < 0 || try_stall(unit))
		return -1;
	return try_user_ends(user, events, 1);
}

TEST_F(work, that_stalled_twice_runs_alone)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_stall_by(&self->a, &self->unit));
	must(try_stall_by(&self->a, &self->unit));
	EXPECT_STREQ("stalls 2 resets 2 probes 2 alone 1",
		     counts_of(&self->unit));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	for (i = 0; i < 4; i++) {
		must(try_wait_pending(self->sim, 1));
		must(try_step(self->sim, 1));
	}
	must(try_wait_pending(self->sim, 4));
	/* Nor is it let in beside others. */
	must(try_user_ends(&self->a, a, 4));
	must(try_user_submit(&self->a, 0, 4));
	EXPECT_EQ(4, sim_get(self->sim, "pending"));
	must(try_step(self->sim, 3));
	EXPECT_EQ(1, sim_get(self->sim, "pending"));
	must(try_step(self->sim, 1));
	must(try_user_ends(&self->b, b, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_COPIED(&self->b, b, i);
		must(try_wait_pending(self->sim, 1));
		must(try_step(self->sim, 1));
	}
	must(try_user_ends(&self->a, a, 4));
	for (i = 0; i < 4; i++)
		EXPECT_COPIED(&self->a, a, i);
}

/* Also when it is done again. */
TEST_F(work, that_stalled_twice_is_done_again_alone)
{
	struct udma_event a[COPIES], b[COPIES];
	unsigned int i;

	must(try_stall_by(&self->a, &self->unit));
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_user_submit(&self->b, 0, 4));
	must(try_wait_pending(self->sim, 8));
	must(try_sim_set(self->sim, "step_mode", 1));
	/* Then there is as much time to have no second one. */
	must(try_attr_set(&self->unit, "stall_ms", 2000));
	must(try_wait_attr(&self->unit, "recovery/alone", 1));
	must(try_attr_set(&self->unit, "stall_ms", STALL_NEVER));
	for (i = 0; i < 3; i++) {
		must(try_wait_pending(self->sim, 1));
		must(try_step(self->sim, 1));
	}
	must(try_wait_pending(self->sim, 4));
	must(try_step(self->sim, 4));
	must(try_user_ends(&self->a, a, 4));
	must(try_user_ends(&self->b, b, 4));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	for (i = 0; i < 4; i++) {
		EXPECT_COPIED(&self->b, b, i);
		if (i)
			EXPECT_COPIED(&self->a, a, i);
	}
}

TEST_F(work, that_stalled_twice_is_forgiven)
{
	struct udma_event a[COPIES];

	must(try_stall_by(&self->a, &self->unit));
	must(try_stall_by(&self->a, &self->unit));
	must(try_behave(&self->a, 63));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 1));
	must(try_step(self->sim, 1));
	/* That was the last of them. */
	must(try_wait_pending(self->sim, 1));
	must(try_user_submit(&self->a, 2, 4));
	must(try_wait_pending(self->sim, 5));
	must(try_step(self->sim, 5));
	must(try_user_ends(&self->a, a, 6));
}

TEST_F(work, that_stalls_once_in_a_while_does_not_run_alone)
{
	struct udma_event a[COPIES];

	must(try_stall_by(&self->a, &self->unit));
	must(try_behave(&self->a, 64));
	must(try_stall_by(&self->a, &self->unit));
	must(try_behave(&self->a, 64));
	EXPECT_STREQ("stalls 2 resets 2 probes 2", counts_of(&self->unit));
	must(try_stall_by(&self->a, &self->unit));
	must(try_behave(&self->a, 63));
	must(try_stall_by(&self->a, &self->unit));
	EXPECT_STREQ("stalls 4 resets 4 probes 4 alone 1",
		     counts_of(&self->unit));
	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 2));
	must(try_wait_pending(self->sim, 1));
	must(try_step(self->sim, 2));
	must(try_user_ends(&self->a, a, 2));
}

/* Timeouts */

/* Others use the channel too: it is not stopped for one program's timeout. */
TEST_F(work, that_times_out_where_others_are_waits_for_the_watchdog)
{
	struct udma_event a[COPIES], b[COPIES];

	must(try_sim_set(self->sim, "hang_at", 1));
	self->a.copies[0].request.timeout_ns = 1;
	must(try_user_submit(&self->a, 0, 2));
	must(try_user_submit(&self->b, 0, 2));
	must(try_wait_counts(&self->unit, "timeouts 1"));
	EXPECT_EQ(0, try_read_now(self->a.fd, a, 1));
	must(try_stall(&self->unit));
	must(try_user_ends(&self->a, a, 2));
	must(try_user_ends(&self->b, b, 2));
	EXPECT_EVENT("ETIMEDOUT 0", &a[0]);
	EXPECT_COPIED(&self->a, a, 1);
	EXPECT_COPIED(&self->b, b, 0);
	EXPECT_COPIED(&self->b, b, 1);
	EXPECT_STREQ("stalls 1 timeouts 1 resets 1 probes 1 replays 3",
		     counts_of(&self->unit));
}

FIXTURE(exclusive)
{
	struct unit unit;
	struct sim *sim;
	struct user user;
};

FIXTURE_SETUP(exclusive)
{
	static const struct sim_config config = { .max_segment = 4096 };

	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_user_open(&self->user, &self->unit, O_EXCL, 2 * 4096));
}

FIXTURE_TEARDOWN(exclusive)
{
	struct udma_event event;

	cure(&self->unit);
	EXPECT_EQ(0, try_read_now(self->user.fd, &event, 1));
	works(try_user_close(&self->user));
	EXPECT_STREQ("copied", next_program(&self->unit));
	works(try_sim_finish(self->sim));
}

TEST_F(exclusive, owners_timeout_resets_at_once)
{
	struct udma_event events[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "hang_at", 4));
	self->user.copies[1].request.timeout_ns = 1000 * 1000 * 1000;
	must(try_user_submit(&self->user, 0, 4));
	must(try_user_ends(&self->user, events, 4));
	for (i = 0; i < 4; i++) {
		if (i != 1)
			EXPECT_COPIED(&self->user, events, i);
	}
	EXPECT_EVENT("ETIMEDOUT 4096", &events[1]);
	EXPECT_STREQ("timeouts 1 resets 1 probes 1 replays 4",
		     counts_of(&self->unit));
}

TEST_F(exclusive, owners_timeout_blames_nobody)
{
	struct udma_event events[COPIES];
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		must(try_sim_set(self->sim, "hang_at", 1));
		self->user.copies[0].request.timeout_ns = 1;
		must(try_user_submit(&self->user, 0, 2));
		must(try_user_ends(&self->user, events, 2));
		EXPECT_EVENT("ETIMEDOUT 0", &events[0]);
		EXPECT_COPIED(&self->user, events, 1);
	}
	EXPECT_EQ(3, attr_get(&self->unit, "recovery/timeouts"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/stalls"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/alone"));
	EXPECT_EQ(3, attr_get(&self->unit, "recovery/resets"));
	for (i = 0; i < COPIES; i++)
		self->user.copies[i].request.timeout_ns = 0;
}

TEST_F(exclusive, owners_default_timeout_is_the_channels)
{
	struct udma_event events[COPIES];

	must(try_attr_set(&self->unit, "timeout_ms", 500));
	must(try_sim_set(self->sim, "hang_at", 1));
	self->user.copies[0].request.timeout_ns = UDMA_TIMEOUT_NEVER;
	self->user.copies[2].request.timeout_ns = UDMA_TIMEOUT_NEVER;
	must(try_user_submit(&self->user, 0, 3));
	must(try_user_ends(&self->user, events, 3));
	/* What hangs is not what timed out, and is done again. */
	EXPECT_COPIED(&self->user, events, 0);
	EXPECT_EVENT("ETIMEDOUT 0", &events[1]);
	EXPECT_COPIED(&self->user, events, 2);
	EXPECT_STREQ("timeouts 1 resets 1 probes 1 replays 4",
		     counts_of(&self->unit));
}

/* The hazard once more: here it is another one's timeout that has it reset. */
TEST_F(exclusive, owners_lost_callback_is_no_hazard)
{
	struct udma_event events[COPIES];

	hazard_prepare(&self->user);
	must(try_sim_set(self->sim, "lose_at", 2));
	must(try_sim_set(self->sim, "hang_at", 3));
	self->user.copies[2].request.timeout_ns = 1000 * 1000 * 1000;
	/* The fence would keep it out of hardware behind. */
	must(try_submit_one(self->user.fd, self->user.copies[0].request));
	must(try_submit_one(self->user.fd, self->user.copies[2].request));
	must(try_submit_one(self->user.fd, self->user.copies[1].request));
	must(try_user_ends(&self->user, events, 3));
	EXPECT_EVENT("OK 8192 exact", &events[0]);
	EXPECT_EVENT("OK 8192 exact", &events[1]);
	EXPECT_EVENT("ETIMEDOUT 0", &events[2]);
	EXPECT_STREQ("right", hazard_verdict(&self->user));
	EXPECT_STREQ("timeouts 1 resets 1 probes 1 replays 1",
		     counts_of(&self->unit));
}

/* What an earlier reset left to be done again has not been issued, and ends too. */
TEST_F(work, that_waits_to_be_done_again_ends_when_the_channel_fails)
{
	struct udma_event a[COPIES];
	unsigned int i;

	must(try_sim_set(self->sim, "step_mode", 1));
	must(try_user_submit(&self->a, 0, 4));
	must(try_wait_pending(self->sim, 4));
	must(try_attr_set(&self->unit, "window", 1));
	must(try_reset(&self->unit));
	must(try_wait_pending(self->sim, 1));
	must(try_sim_set(self->sim, "terminate_fail", 1));
	fails(EIO, try_reset(&self->unit));
	must(try_user_ends(&self->a, a, 4));
	EXPECT_EVENT("EIO 0 held", &a[0]);
	for (i = 1; i < 4; i++)
		EXPECT_EVENT("EIO 0", &a[i]);
	must(try_sim_set(self->sim, "terminate_fail", 0));
	must(try_reset(&self->unit));
}

/* Resets at any moment of what programs do */

FIXTURE(storm)
{
	struct unit unit;
	struct sim *sim;
};

FIXTURE_VARIANT(storm)
{
	const char *attribute;
	unsigned int value;
	unsigned int latency_ns;
};

/* So long that there is something to be done again. */
#define STORM_LATENCY	(1000 * 1000)

FIXTURE_VARIANT_ADD(storm, of_a_healthy_controller) {
	.latency_ns = STORM_LATENCY,
};

FIXTURE_VARIANT_ADD(storm, that_ends_things_inside) {
	.attribute = "inline",
	.value = 1,
};

FIXTURE_VARIANT_ADD(storm, that_calls_back_what_it_aborts) {
	.attribute = "after_terminate",
	.value = 1,
	.latency_ns = STORM_LATENCY,
};

FIXTURE_VARIANT_ADD(storm, that_calls_that_a_success) {
	.attribute = "after_terminate",
	.value = 2,
	.latency_ns = STORM_LATENCY,
};

FIXTURE_VARIANT_ADD(storm, of_ghosts) {
	.attribute = "ghost",
	.value = 1,
	.latency_ns = STORM_LATENCY,
};

FIXTURE_SETUP(storm)
{
	static const struct sim_config config = { .max_segment = 4096 };

	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_sim_set(self->sim, "latency_ns", variant->latency_ns));
	if (variant->attribute)
		must(try_sim_set(self->sim, variant->attribute,
				 variant->value));
}

FIXTURE_TEARDOWN(storm)
{
	EXPECT_STREQ("copied", next_program(&self->unit));
	works(try_sim_finish(self->sim));
}

#define STORM_RESETS	60

/* Until there is something to read: what went wrong, as an exit status. */
static int storm_run(const struct unit *unit, int stop, int begun)
{
	struct udma_event events[COPIES];
	unsigned int i;
	struct user user;

	if (try_user_open(&user, unit, 0, 3 * 4096))
		return 1;
	/* Some are fills. */
	for (i = 6; i < COPIES; i++)
		user.copies[i].request = fill_request(&user.copies[i].dst, 256,
						      user.bytes, i);
	for (i = 0; i < COPIES; i++)
		user.copies[i].request.user_data = i;
	do {
		if (try_user_submit(&user, 0, COPIES) < 0)
			return 2;
		/* Nobody has to wait for more than the first round. */
		if (begun >= 0 && write(begun, "x", 1) != 1)
			return 8;
		begun = -1;
		if (try_user_ends(&user, events, COPIES))
			return 3;
		for (i = 0; i < COPIES; i++) {
			if (strcmp("OK 12288 exact", event_text(&events[i])))
				return 4;
			if (i < 6 && strcmp("copied",
					    copy_look(&user.copies[i])))
				return 5;
			if (i >= 6 && find_other(user.copies[i].dst.mem + 256,
						 user.bytes, i) >= 0)
				return 6;
		}
	} while (!(poll_now(stop) & POLLIN));
	return try_user_close(&user) ? 7 : 0;
}

/* Nobody is to blame, so nobody sees anything of it. */
TEST_F(storm, of_resets_is_seen_by_nobody)
{
	unsigned int i, resets = 0;
	int stop[2], begun[2], status;
	pid_t pids[2];
	char byte;

	must(pipe(stop));
	must(pipe(begun));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = must(fork());
		if (pids[i] == 0)
			_exit(storm_run(&self->unit, stop[0], begun[1]));
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		must(read(begun[0], &byte, 1));
	/* Where transfers take time some will be met by a reset, sooner or later. */
	do {
		must(try_reset(&self->unit));
		resets++;
	} while (resets < STORM_RESETS ||
		 (variant->latency_ns && !attr_get(&self->unit, "recovery/replays")));
	EXPECT_EQ(1, write(stop[1], "x", 1));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		must(waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(resets, attr_get(&self->unit, "recovery/resets"));
	EXPECT_EQ(resets, attr_get(&self->unit, "recovery/probes"));
	EXPECT_EQ(0, attr_get(&self->unit, "recovery/stalls"));
}

TEST_HARNESS_MAIN
