// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers that end early: because their program says so, and because their time
 * is over. Whatever the moment, each still has exactly one event, and what the
 * controller has of it is waited for.
 */
#include <sys/eventfd.h>

#include "udma_lazy.h"
#include "udma_program.h"
#include "udma_sleeper.h"

#define BYTES	(64 * KIB)

/* How much of the destination is new, from its front; all else must be old. */
static __u64 program_copied(const struct program *program)
{
	const unsigned char *mem = program->dst.mem;
	__u64 bytes = program->copy.bytes, copied;

	copied = pattern_differs(mem, 0, bytes, PATTERN_SOURCE);
	if (pattern_differs(mem, copied, bytes, PATTERN_STALE) == bytes)
		return copied;
	return ~0ULL;
}

/* A controller that is stepped, and two programs of which one is a bystander */
FIXTURE(cancel)
{
	struct sim sim;
	struct program own;
	struct program other;
	int fd;
	struct udma_request copy;
};

FIXTURE_SETUP(cancel)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, 0, BYTES));
	must(try_program_start(&self->other, &self->sim, 0, BYTES));
	self->fd = self->own.fd;
	self->copy = self->own.copy;
}

FIXTURE_TEARDOWN(cancel)
{
	/* Nothing that was done here is a reason to reset the channel. */
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(close(self->own.fd));
	works(close(self->other.fd));
	works(try_sim_finish(&self->sim));
}

/* What can be cancelled, and what becomes of it */

TEST_F(cancel, one_that_is_issued)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	/* The controller has it, and cannot be told. */
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->own));
}

TEST_F(cancel, one_that_waits_for_a_full_window)
{
	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_wait_pending(&self->sim, 1));
	must(try_submit_one(self->fd, self->copy));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	ends_as(self->fd, 1, -ECANCELED, 0);
	must(try_step(&self->sim, 1));
	ends_as(self->other.fd, 1, 0, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->other));

	/* The controller has never heard of it. */
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
	EXPECT_STREQ("not copied", program_verdict(&self->own));
}

TEST_F(cancel, one_that_waits_for_a_fence)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	ends_as(self->fd, 2, -ECANCELED, 0);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(cancel, one_that_a_fence_waits_for)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	/* It has not ended, so the fence holds. */
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, 0, BYTES);
}

TEST_F(cancel, a_queued_one_that_a_fence_waits_for)
{
	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_wait_pending(&self->sim, 1));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	ends_as(self->fd, 1, -ECANCELED, 0);
	must(try_step(&self->sim, 2));
	ends_as(self->fd, 2, 0, BYTES);
	ends_as(self->other.fd, 1, 0, BYTES);
}

/* Who comes behind it has waited for nothing but his turn. */
TEST_F(cancel, a_fence_lets_those_behind_it_go)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	ends_as(self->fd, 2, -ECANCELED, 0);
	EXPECT_EQ(0, try_wait_pending(&self->sim, 2));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 3, 0, BYTES);
}

TEST_F(cancel, a_fence_before_another_fence)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	ends_as(self->fd, 2, -ECANCELED, 0);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 3, 0, BYTES);
}

TEST_F(cancel, one_whose_buffers_were_freed)
{
	struct udma_info info;
	struct buffer all;

	must(try_info(self->fd, &info));
	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_wait_pending(&self->sim, 1));
	must(try_submit_one(self->fd, self->copy));
	must(try_free(self->fd, self->own.dst.handle));
	must(try_free(self->fd, self->own.src.handle));
	must(try_unmap(&self->own.dst));
	must(try_unmap(&self->own.src));
	/* The transfer is all that holds them, and they count. */
	fails(EDQUOT, try_alloc(self->fd, info.out_max_bytes, &all));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	ends_as(self->fd, 1, -ECANCELED, 0);
	EXPECT_NE(EDQUOT, errno_of(try_alloc(self->fd, info.out_max_bytes,
					     &all)));
}

TEST_F(cancel, one_that_has_ended)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_step(&self->sim, 1));
	fails(ENOENT, try_cancel(self->fd, 1));
	ends_as(self->fd, 1, 0, BYTES);
	fails(ENOENT, try_cancel(self->fd, 1));
	EXPECT_EQ(0, try_cancel_all(self->fd));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/cancels"));
}

TEST_F(cancel, one_that_never_was)
{
	const __u64 never[] = { 0, 2, 3, 256, 257, 1ULL << 32,
				(1ULL << 32) + 1, 1ULL << 63, ~0ULL - 1, ~0ULL };
	unsigned int i;

	fails(ENOENT, try_cancel(self->fd, 1));
	must(try_submit_one(self->fd, self->copy));
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		fails(ENOENT, try_cancel(self->fd, never[i]))
			TH_LOG("%llx", never[i]);
	}
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
}

TEST_F(cancel, one_of_another_file)
{
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_submit_one(self->other.fd, fenced(self->other.copy)));
	must(try_wait_pending(&self->sim, 1));
	fails(ENOENT, try_cancel(self->fd, 1));
	fails(ENOENT, try_cancel(self->fd, 2));
	EXPECT_EQ(0, try_cancel_all(self->fd));

	/* Nor where both have one of this number. */
	must(try_submit_one(self->fd, self->copy));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	fails(ENOENT, try_cancel(self->fd, 2));
	must(try_step(&self->sim, 1));
	ends_as(self->other.fd, 1, 0, BYTES);
	must(try_step(&self->sim, 2));
	ends_as(self->other.fd, 2, 0, BYTES);
	ends_as(self->fd, 1, -ECANCELED, BYTES);
}

TEST_F(cancel, twice)
{
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	fails(ENOENT, try_cancel(self->fd, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	/* It is under way still. */
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	EXPECT_EQ(1, try_cancel_all(self->fd));
	ends_as(self->fd, 2, -ECANCELED, 0);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
	fails(ENOENT, try_cancel(self->fd, 1));
	/* Two transfers, however often somebody said so. */
	EXPECT_EQ(2, chan_get(&self->sim, 0, "recovery/cancels"));
}

TEST_F(cancel, with_flags_that_are_wrong)
{
	must(try_submit_one(self->fd, self->copy));
	fails(EINVAL, try_cancel_with(self->fd, UDMA_CANCEL_F_ALL, 1));
	fails(EINVAL, try_cancel_with(self->fd, UDMA_CANCEL_F_ALL, ~0ULL));
	fails(EINVAL, try_cancel_with(self->fd, UDMA_CANCEL_F_ALL << 1, 1));
	fails(EINVAL, try_cancel_with(self->fd, ~0U, 0));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
}

/* One that has ended, two that are issued, and one behind a fence */
TEST_F(cancel, all)
{
	struct udma_event events[5];
	unsigned int i;

	EXPECT_EQ(0, try_cancel_all(self->fd));
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_submit_one(self->fd, self->copy));
	must(try_step(&self->sim, 2));
	must(try_submit_one(self->other.fd, self->other.copy));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 3));

	EXPECT_EQ(3, try_cancel_all(self->fd));
	ASSERT_EQ(2, must(try_read_now(self->fd, events, 5)));
	must(try_step(&self->sim, 3));
	ASSERT_EQ(2, must(try_read_now(self->fd, events + 2, 3)));
	for (i = 0; i < 4; i++) {
		static const __u64 sequences[] = { 1, 4, 2, 3 };

		EXPECT_EQ(sequences[i], events[i].sequence);
		EXPECT_EQ(i == 0 ? 0 : -ECANCELED, events[i].status);
		EXPECT_EQ(i == 1 ? 0 : BYTES, events[i].bytes);
		EXPECT_EQ(UDMA_EVENT_F_EXACT, events[i].flags);
	}
	EXPECT_EQ(0, try_cancel_all(self->fd));
	EXPECT_EQ(3, chan_get(&self->sim, 0, "recovery/cancels"));
	ASSERT_EQ(2, must(try_read_now(self->other.fd, events, 5)));
	EXPECT_EQ(0, events[0].status);
	EXPECT_EQ(0, events[1].status);
}

TEST_F(cancel, all_that_a_file_can_have)
{
	struct udma_request requests[256];
	struct udma_event events[257];
	bool seen[256] = {};
	struct udma_info info;
	unsigned int i, issued;

	must(try_info(self->fd, &info));
	ASSERT_EQ(ARRAY_SIZE(requests), info.out_max_transfers);
	self->copy.bytes = 64;
	for (i = 0; i < 256; i++)
		requests[i] = self->copy;
	must(try_submit_all(self->fd, requests, 256));
	must(try_wait_pending(&self->sim, chan_get(&self->sim, 0, "window")));
	issued = sim_get(&self->sim, "pending");
	EXPECT_EQ(256, try_cancel_all(self->fd));
	ASSERT_EQ(256 - issued, must(try_read_now(self->fd, events, 257)));
	must(try_step(&self->sim, issued));
	ASSERT_EQ(issued, must(try_read_now(self->fd, events + 256 - issued,
					    issued + 1)));
	for (i = 0; i < 256; i++) {
		ASSERT_LE(events[i].sequence, 256);
		ASSERT_FALSE(seen[events[i].sequence - 1]);
		seen[events[i].sequence - 1] = true;
		EXPECT_EQ(-ECANCELED, events[i].status);
		EXPECT_EQ(i < 256 - issued ? 0 : 64, events[i].bytes);
		/* What had not begun ends in the order of its coming. */
		if (i < 256 - issued)
			EXPECT_EQ(issued + 1 + i, events[i].sequence);
	}
	/* And there is room again. */
	EXPECT_EQ(256, must(try_submit_all(self->fd, requests, 256)));
}

/* The first cause stays */

TEST_F(cancel, one_that_then_fails)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_submit_one(self->fd, self->copy));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(0, sim_get(&self->sim, "fail_at"));
	ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	EXPECT_EQ(-ECANCELED, event.status);
	EXPECT_EQ(0, event.bytes);
}

/* Somebody who waits for it */

TEST_F(cancel, wakes_who_waits)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	struct poller poller;

	must(try_eventfd(self->fd, efd));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	must(try_poller_start(&poller, self->fd, POLLIN));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	EXPECT_EQ(POLLIN, POLLIN & try_poller_join(&poller));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(efd));
	must(close(efd));
}

/* A submit that sleeps in its copy of the requests has no say in it. */

struct lazy_submit {
	int fd;
	struct udma_submit submit;
};

static long submit_lazily(void *data)
{
	struct lazy_submit *call = data;

	return ioctl(call->fd, UDMA_SUBMIT, &call->submit);
}

TEST_F(cancel, while_a_submit_waits_for_its_memory)
{
	struct lazy_submit call;
	struct sleeper sleeper;
	struct lazy lazy;

	if (try_lazy_make(&lazy))
		SKIP(return, NO_LAZY);
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->fd, fenced(self->copy)));
	must(try_wait_pending(&self->sim, 1));
	call = (struct lazy_submit) {
		.fd = self->fd,
		.submit = {
			.size = sizeof(call.submit),
			.requests = (uintptr_t)lazy.mem,
			.count = 1,
			.request_bytes = sizeof(self->copy),
		},
	};
	must(try_sleeper_create(&sleeper, submit_lazily, &call));
	must(try_lazy_wait(&lazy));
	EXPECT_EQ(3, call.submit.out_sequence);
	/* Its number is known already, but it is not there yet. */
	fails(ENOENT, try_cancel(self->fd, 3));
	EXPECT_EQ(1, try_cancel(self->fd, 2));
	ends_as(self->fd, 2, -ECANCELED, 0);
	EXPECT_EQ(1, try_cancel_all(self->fd));

	/* What comes later is not meant. */
	must(try_lazy_give(&lazy, &self->copy, sizeof(self->copy)));
	must(try_sleeper_join(&sleeper));
	EXPECT_EQ(1, sleeper.ret);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 3, 0, BYTES);
}

/* Long transfers, of which the controller has been given a part */

FIXTURE(part)
{
	struct sim sim;
	struct program own;
	struct program other;
	int fd;
	__u64 bytes;
};

FIXTURE_VARIANT(part)
{
	struct sim_config config;
	__u64 slice;
};

FIXTURE_VARIANT_ADD(part, of_short_slices) {
	.config = { .max_segment = 4096 },
	.slice = 4096,
};

FIXTURE_VARIANT_ADD(part, of_long_slices) {
	.slice = MIB,
};

#define SLICES	4

FIXTURE_SETUP(part)
{
	self->bytes = SLICES * variant->slice;
	must(try_sim_make(&self->sim, &variant->config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, 0, self->bytes));
	must(try_program_start(&self->other, &self->sim, 0, 64));
	self->fd = self->own.fd;
}

FIXTURE_TEARDOWN(part)
{
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(close(self->own.fd));
	works(close(self->other.fd));
	works(try_sim_finish(&self->sim));
}

TEST_F(part, cancelled_ends_when_hardware_lets_go)
{
	must(try_chan_set(&self->sim, 0, "window", 2));
	must(try_submit_one(self->fd, self->own.copy));
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 1));
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, 3 * variant->slice);
	EXPECT_EQ(3 * variant->slice, program_copied(&self->own));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
}

TEST_F(part, cancelled_when_hardware_has_it_all)
{
	must(try_submit_one(self->fd, self->own.copy));
	must(try_wait_pending(&self->sim, SLICES));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, SLICES - 1));
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, self->bytes);
	EXPECT_EQ(self->bytes, program_copied(&self->own));
}

TEST_F(part, cancelled_after_a_slice_has_failed)
{
	struct udma_event event;

	must(try_chan_set(&self->sim, 0, "window", 2));
	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_submit_one(self->fd, self->own.copy));
	must(try_wait_pending(&self->sim, 2));
	must(try_step(&self->sim, 1));
	has_not_ended(self->fd);
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(variant->slice, event.bytes);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(part, cancelled_before_a_fence)
{
	must(try_chan_set(&self->sim, 0, "window", 2));
	must(try_submit_one(self->fd, self->own.copy));
	must(try_submit_one(self->fd, fenced(self->own.copy)));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 1));
	/* The one that is left of it holds the fence. */
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, 2 * variant->slice);
	must(try_step(&self->sim, SLICES));
	ends_as(self->fd, 2, 0, self->bytes);
	EXPECT_STREQ("copied", program_verdict(&self->own));
}

TEST_F(part, timed_out_ends_when_hardware_lets_go)
{
	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->fd, timed(self->own.copy, AT_ONCE)));
	must(try_wait_chan(&self->sim, 0, "recovery/timeouts", 1));
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ETIMEDOUT, variant->slice);
	EXPECT_EQ(variant->slice, program_copied(&self->own));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
}

/*
 * A slice that is as long as a turn, in a window for one: then another file comes,
 * and for so long the controller has nothing of the transfer.
 */
static int try_part_between(struct program *own, struct program *other,
			    const struct sim *sim, __u64 timeout_ns)
{
	if (try_program_end(own) ||
	    try_program_start(own, sim, 0, 2 * MIB) ||
	    try_chan_set(sim, 0, "window", 1) ||
	    try_submit_one(other->fd, other->copy) < 0 ||
	    try_wait_pending(sim, 1) ||
	    try_submit_one(own->fd, timed(own->copy, timeout_ns)) < 0 ||
	    try_submit_one(other->fd, other->copy) < 0)
		return -1;
	return try_step(sim, 2);
}

TEST_F(cancel, one_between_two_slices)
{
	struct program *own = &self->own;

	must(try_part_between(own, &self->other, &self->sim, 0));
	must(try_wait_pending(&self->sim, 1));
	has_not_ended(own->fd);
	EXPECT_EQ(1, try_cancel(own->fd, 1));
	ends_as(own->fd, 1, -ECANCELED, MIB);
	EXPECT_EQ(MIB, program_copied(own));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
}

/* Its time runs on while it waits for its next turn. */
TEST_F(cancel, timeout_between_two_slices)
{
	struct program *own = &self->own;

	must(try_part_between(own, &self->other, &self->sim, 100 * 1000000));
	must(try_wait_for(own->fd, POLLIN));
	ends_as(own->fd, 1, -ETIMEDOUT, MIB);
	EXPECT_EQ(MIB, program_copied(own));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
}

/* Cancels that race with the end */

#define BATCH	16

struct canceller {
	pthread_t thread;
	int fd;
	__u64 given;		/* how many are there to be cancelled */
	__u64 done;
	bool stop;
	bool all;		/* without regard to numbers */
	bool failed;
	long found;		/* by all of the calls together */
	bool hit[BATCH];	/* by number, modulo that */
};

static void cancel_next(struct canceller *canceller)
{
	const __u64 sequence = canceller->done + 1;
	int ret = try_cancel(canceller->fd, sequence);

	canceller->failed |= ret != 1 && (ret != -1 || errno != ENOENT);
	canceller->found += ret == 1;
	canceller->hit[sequence % BATCH] = ret == 1;
	__atomic_store_n(&canceller->done, sequence, __ATOMIC_RELEASE);
}

static void *cancel_as_they_come(void *data)
{
	struct canceller *canceller = data;
	int ret;

	while (!__atomic_load_n(&canceller->stop, __ATOMIC_ACQUIRE)) {
		if (canceller->all) {
			ret = try_cancel_all(canceller->fd);
			canceller->failed |= ret < 0;
			canceller->found += ret;
		} else if (__atomic_load_n(&canceller->given,
					   __ATOMIC_ACQUIRE) ==
			   canceller->done) {
			sched_yield();
		} else {
			cancel_next(canceller);
		}
	}
	return NULL;
}

/* Some are found before the controller has them, some with it, some too late. */
static int try_set_pace(const struct sim *sim, unsigned int round)
{
	static const unsigned int latencies[] = { 0, 0, 5000, 50000 };

	return try_sim_set(sim, "latency_ns",
			   latencies[round % ARRAY_SIZE(latencies)]);
}

TEST_F(cancel, races_with_the_end_of_each)
{
	struct canceller canceller = { .fd = self->fd };
	struct udma_request requests[BATCH];
	struct udma_event events[BATCH];
	unsigned int round, i, ended = 0;
	__u64 sequence;

	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < BATCH; i++)
		requests[i] = fill_request(&self->own.dst, i * 64, 64, i);
	ASSERT_EQ(0, pthread_create(&canceller.thread, NULL,
				    cancel_as_they_come, &canceller));
	for (round = 0; round < 200; round++) {
		bool seen[BATCH] = {};

		must(try_set_pace(&self->sim, round));
		ASSERT_EQ(BATCH, must(try_submit_at(self->fd, requests, BATCH,
						    &sequence)));
		__atomic_store_n(&canceller.given, sequence + BATCH - 1,
				 __ATOMIC_RELEASE);
		must(try_collect(self->fd, events, BATCH));
		while (__atomic_load_n(&canceller.done, __ATOMIC_ACQUIRE) !=
		       sequence + BATCH - 1)
			sched_yield();
		for (i = 0; i < BATCH; i++) {
			const unsigned int k = events[i].sequence % BATCH;

			ASSERT_EQ(false, seen[k]);
			seen[k] = true;
			/* Who is told that it was found in time was right. */
			ASSERT_EQ(canceller.hit[k] ? -ECANCELED : 0,
				  events[i].status);
			ASSERT_EQ(UDMA_EVENT_F_EXACT, events[i].flags);
			if (events[i].status == 0 || events[i].bytes)
				ASSERT_EQ(64, events[i].bytes);
			ended += events[i].status == 0;
		}
	}
	__atomic_store_n(&canceller.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(canceller.thread, NULL));
	EXPECT_FALSE(canceller.failed);
	has_not_ended(self->fd);
	/* Both kinds, or it was no race. */
	EXPECT_LT(0, ended);
	EXPECT_LT(0, canceller.found);
	EXPECT_EQ(200 * BATCH - ended, canceller.found);
}

TEST_F(cancel, of_all_races_with_the_end_of_all)
{
	struct canceller canceller = { .fd = self->fd, .all = true };
	struct udma_request requests[BATCH];
	struct udma_event events[BATCH];
	unsigned int round, i, cancelled = 0;
	__u64 sequence;

	must(try_sim_set(&self->sim, "step_mode", 0));
	for (i = 0; i < BATCH; i++)
		requests[i] = fill_request(&self->own.dst, i * 64, 64, i);
	ASSERT_EQ(0, pthread_create(&canceller.thread, NULL,
				    cancel_as_they_come, &canceller));
	for (round = 0; round < 200; round++) {
		bool seen[BATCH] = {};

		must(try_set_pace(&self->sim, round));
		ASSERT_EQ(BATCH, must(try_submit_at(self->fd, requests, BATCH,
						    &sequence)));
		must(try_collect(self->fd, events, BATCH));
		for (i = 0; i < BATCH; i++) {
			ASSERT_GT(BATCH, events[i].sequence - sequence);
			ASSERT_EQ(false, seen[events[i].sequence - sequence]);
			seen[events[i].sequence - sequence] = true;
			if (events[i].status)
				ASSERT_EQ(-ECANCELED, events[i].status);
			cancelled += events[i].status != 0;
		}
	}
	__atomic_store_n(&canceller.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(canceller.thread, NULL));
	EXPECT_FALSE(canceller.failed);
	has_not_ended(self->fd);
	EXPECT_LT(0, cancelled);
	/* One that hardware has is found each time. */
	EXPECT_LE(cancelled, canceller.found);
	EXPECT_EQ(cancelled, chan_get(&self->sim, 0, "recovery/cancels"));
}

/* Timeouts. On a shared channel they take nothing from the controller. */

#define timeouts_are(_self, _count)					\
	must(try_wait_chan(&(_self)->sim, 0, "recovery/timeouts", _count))

TEST_F(cancel, timeout_of_one_that_is_issued)
{
	char state[16];

	must(try_submit_one(self->fd, timed(self->copy, AT_ONCE)));
	must(try_submit_one(self->other.fd, self->other.copy));
	timeouts_are(self, 1);
	must(try_wait_pending(&self->sim, 2));
	has_not_ended(self->fd);
	must(try_chan_read(&self->sim, 0, "state", state, sizeof(state)));
	EXPECT_STREQ("working", state);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ETIMEDOUT, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->own));
	must(try_step(&self->sim, 1));
	ends_as(self->other.fd, 1, 0, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->other));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/stalls"));
}

TEST_F(cancel, timeout_of_the_channel)
{
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_EQ(0, info.out_timeout_ns);
	must(try_chan_set(&self->sim, 0, "timeout_ms", 1));
	must(try_info(self->fd, &info));
	EXPECT_EQ(1000000, info.out_timeout_ns);
	must(try_submit_one(self->fd, self->copy));
	timeouts_are(self, 1);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ETIMEDOUT, BYTES);

	/* None again, for those that come now. */
	must(try_chan_set(&self->sim, 0, "timeout_ms", 0));
	must(try_submit_one(self->fd, self->copy));
	must(try_submit_one(self->other.fd, timed(self->other.copy, AT_ONCE)));
	timeouts_are(self, 2);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, 0, BYTES);
}

TEST_F(cancel, timeout_of_the_channel_is_in_milliseconds_up_to_an_hour)
{
	static const __u64 good[] = { 0, 1, 1000, 3600000 };
	static const __u64 bad[] = { 3600001, 1ULL << 32, ~0ULL };
	struct udma_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		must(try_chan_set(&self->sim, 0, "timeout_ms", good[i]));
		EXPECT_EQ(good[i], chan_get(&self->sim, 0, "timeout_ms"));
		must(try_info(self->fd, &info));
		EXPECT_EQ(good[i] * 1000000, info.out_timeout_ns);
		EXPECT_EQ(SIM_STALL_MS, info.out_stall_ms);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, try_chan_set(&self->sim, 0, "timeout_ms",
					   bad[i]));
	}
	EXPECT_EQ(3600000, chan_get(&self->sim, 0, "timeout_ms"));
}

/* Those that do not run out, while another one that came after them does */
TEST_F(cancel, timeouts_that_take_long)
{
	static const __u64 timeouts[] = {
		UDMA_TIMEOUT_NEVER, ~0ULL - 1, 1ULL << 63, (1ULL << 63) - 1,
		(1ULL << 63) - 2, 1ULL << 62, 1000000000ULL << 32, AN_HOUR,
	};
	const unsigned int count = ARRAY_SIZE(timeouts);
	struct udma_event events[ARRAY_SIZE(timeouts) + 1];
	unsigned int i;

	/* Nor does the channel's own count then. */
	must(try_chan_set(&self->sim, 0, "timeout_ms", 1));
	for (i = 0; i < count; i++)
		must(try_submit_one(self->fd, timed(self->copy, timeouts[i])));
	must(try_submit_one(self->other.fd, self->other.copy));
	timeouts_are(self, 1);
	must(try_step(&self->sim, count + 1));
	ends_as(self->other.fd, 1, -ETIMEDOUT, BYTES);
	ASSERT_EQ(count, must(try_read_now(self->fd, events, count + 1)));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(0, events[i].status)
			TH_LOG("%llx", timeouts[i]);
	}
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/timeouts"));

	/* What has ended well is not looked for any more. */
	must(try_submit_one(self->fd, timed(self->copy, AT_ONCE)));
	timeouts_are(self, 2);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, count + 1, -ETIMEDOUT, BYTES);
}

TEST_F(cancel, timeout_does_not_run_before_hardware_has_it)
{
	must(try_chan_set(&self->sim, 0, "window", 1));
	must(try_submit_one(self->other.fd, timed(self->other.copy, AT_ONCE)));
	must(try_submit_one(self->fd, timed(self->copy, AT_ONCE)));
	must(try_submit_one(self->fd,
			    fenced(timed(self->copy, AT_ONCE))));
	timeouts_are(self, 1);
	must(try_step(&self->sim, 1));
	ends_as(self->other.fd, 1, -ETIMEDOUT, BYTES);

	/* It was given to the controller all the same, and now its time runs. */
	timeouts_are(self, 2);
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ETIMEDOUT, BYTES);
	/* So it is behind a fence, which that lets go. */
	timeouts_are(self, 3);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, -ETIMEDOUT, BYTES);
}

TEST_F(cancel, timeouts_in_another_order_than_submitted)
{
	must(try_submit_one(self->fd, timed(self->copy, AN_HOUR)));
	must(try_submit_one(self->fd, timed(self->copy, 20 * 1000000)));
	must(try_submit_one(self->fd, timed(self->copy, AT_ONCE)));
	timeouts_are(self, 2);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, 0, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, -ETIMEDOUT, BYTES);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 3, -ETIMEDOUT, BYTES);
}

TEST_F(cancel, timeout_of_one_that_was_cancelled)
{
	must(try_submit_one(self->fd, timed(self->copy, 1000 * 1000000)));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_submit_one(self->other.fd, timed(self->other.copy,
						  1010 * 1000000)));
	timeouts_are(self, 1);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
}

TEST_F(cancel, one_that_has_timed_out)
{
	must(try_submit_one(self->fd, timed(self->copy, AT_ONCE)));
	timeouts_are(self, 1);
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ETIMEDOUT, BYTES);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/cancels"));
}

TEST_F(cancel, timeout_of_a_file_that_is_closed)
{
	must(try_submit_one(self->other.fd, timed(self->other.copy, AN_HOUR)));
	must(try_submit_one(self->other.fd,
			    timed(self->other.copy, 1000 * 1000000)));
	must(try_wait_pending(&self->sim, 2));
	must(try_program_end(&self->other));
	must(try_submit_one(self->fd, timed(self->copy, 1100 * 1000000)));
	timeouts_are(self, 1);
	must(try_step(&self->sim, 3));
	ends_as(self->fd, 1, -ETIMEDOUT, BYTES);
	/* For the teardown. */
	must(try_program_start(&self->other, &self->sim, 0, BYTES));
}

TEST_F(cancel, timeout_of_many_at_once)
{
	struct udma_request requests[100];
	struct udma_event events[101];
	unsigned int i;

	for (i = 0; i < 100; i++) {
		requests[i] = timed(self->copy, AT_ONCE + i % 3 * 1000000);
		requests[i].bytes = 64;
	}
	must(try_submit_all(self->fd, requests, 100));
	must(try_step(&self->sim, 100));
	ASSERT_EQ(100, must(try_read_now(self->fd, events, 101)));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(i + 1, events[i].sequence);
		if (events[i].status)
			EXPECT_EQ(-ETIMEDOUT, events[i].status);
		EXPECT_EQ(64, events[i].bytes);
	}
}

/* Where nobody else has the channel, it is reset when a time is over. */

FIXTURE(alone)
{
	struct sim sim;
	struct program own;
	int fd;
};

FIXTURE_SETUP(alone)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, O_EXCL, BYTES));
	self->fd = self->own.fd;
}

FIXTURE_TEARDOWN(alone)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

#define counts_are(_self, _count, _value)				\
	EXPECT_EQ(_value, chan_get(&(_self)->sim, 0, "recovery/" _count))

TEST_F(alone, timeout_resets_at_once)
{
	struct udma_event event;

	must(try_submit_one(self->fd, timed(self->own.copy, AT_ONCE)));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ETIMEDOUT, event.status);
	EXPECT_EQ(0, event.bytes);
	EXPECT_STREQ("not copied", program_verdict(&self->own));
	counts_are(self, "resets", 1);
	counts_are(self, "timeouts", 1);
	counts_are(self, "probes", 1);
	counts_are(self, "replays", 0);
	/* It took long, but the controller is not stuck. */
	counts_are(self, "stalls", 0);
	counts_are(self, "failures", 0);
	must(try_wait_pending(&self->sim, 0));

	must(try_submit_one(self->fd, self->own.copy));
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, 0, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->own));
}

TEST_F(alone, timeout_of_one_leaves_the_others_of_the_file_alone)
{
	struct udma_request requests[3];
	struct udma_event events[4];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		requests[i] = self->own.copy;
		requests[i].dst_offset += i * BYTES / 4;
		requests[i].src_offset += i * BYTES / 4;
		requests[i].bytes = BYTES / 4;
	}
	self->own.copy.bytes = 3 * BYTES / 4;
	copy_prepare(&self->own.dst, &self->own.src, &self->own.copy);
	must(try_submit_all(self->fd, requests, 3));
	must(try_wait_pending(&self->sim, 3));
	must(try_submit_one(self->fd, timed(fill_request(&self->own.dst, 0,
							 16, 0x11), AT_ONCE)));
	must(try_collect(self->fd, events, 1));
	EXPECT_EQ(4, events[0].sequence);
	EXPECT_EQ(-ETIMEDOUT, events[0].status);
	counts_are(self, "resets", 1);
	EXPECT_STREQ("not copied", program_verdict(&self->own));

	/* As if nothing had been, but that the controller gets them again. */
	must(try_wait_pending(&self->sim, 3));
	counts_are(self, "replays", 3);
	must(try_step(&self->sim, 3));
	ASSERT_EQ(3, must(try_read_now(self->fd, events, 4)));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(BYTES / 4, events[i].bytes);
		EXPECT_EQ(UDMA_EVENT_F_EXACT, events[i].flags);
	}
	EXPECT_STREQ("copied", program_verdict(&self->own));
}

TEST_F(alone, timeout_lets_a_fence_go)
{
	struct udma_event event;

	must(try_submit_one(self->fd, timed(self->own.copy, 10 * 1000000)));
	must(try_submit_one(self->fd, fenced(self->own.copy)));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(-ETIMEDOUT, event.status);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 2, 0, BYTES);
	EXPECT_STREQ("copied", program_verdict(&self->own));
	/* It was not there to be issued again. */
	counts_are(self, "replays", 0);
}

TEST_F(alone, cancel_waits_for_hardware)
{
	must(try_submit_one(self->fd, self->own.copy));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	has_not_ended(self->fd);
	must(try_step(&self->sim, 1));
	ends_as(self->fd, 1, -ECANCELED, BYTES);
	counts_are(self, "resets", 0);
}

/* One that was cancelled goes along with a reset that another one needs. */
TEST_F(alone, timeout_takes_the_cancelled_along)
{
	struct udma_event events[3];
	unsigned int i;

	must(try_submit_one(self->fd, self->own.copy));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, try_cancel(self->fd, 1));
	must(try_submit_one(self->fd, timed(self->own.copy, AT_ONCE)));
	must(try_collect(self->fd, events, 2));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(events[i].sequence == 1 ? -ECANCELED : -ETIMEDOUT,
			  events[i].status);
	}
	EXPECT_EQ(3, events[0].sequence + events[1].sequence);
	EXPECT_EQ(0, try_read_now(self->fd, events, 3));
	must(try_wait_pending(&self->sim, 0));
	counts_are(self, "resets", 1);
}

TEST_F(alone, timeouts_of_many_and_data_of_the_others)
{
	struct udma_request requests[64];
	struct udma_event events[64];
	bool seen[64] = {};
	unsigned int i;

	self->own.copy.bytes = 64 * KIB;
	copy_prepare(&self->own.dst, &self->own.src, &self->own.copy);
	for (i = 0; i < 64; i++) {
		requests[i] = copy_request(&self->own.dst, i * KIB,
					   &self->own.src, i * KIB, KIB);
		requests[i].user_data = i;
		if (i % 8 == 3)
			requests[i].timeout_ns = AT_ONCE + i * 100000;
	}
	must(try_submit_all(self->fd, requests, 64));
	/* Some have been thrown back when the others are let run. */
	must(try_collect(self->fd, events, 2));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_collect(self->fd, events + 2, 62));
	for (i = 0; i < 64; i++) {
		const __u64 k = events[i].user_data;

		ASSERT_GT(64, k);
		ASSERT_FALSE(seen[k]);
		seen[k] = true;
		if (k % 8 != 3 || events[i].status != -ETIMEDOUT)
			EXPECT_EQ(0, events[i].status);
		if (events[i].status)
			continue;
		EXPECT_EQ(KIB, events[i].bytes);
		EXPECT_EQ((k + 1) * KIB,
			  pattern_differs(self->own.dst.mem, k * KIB,
					  (k + 1) * KIB, PATTERN_SOURCE));
	}
	counts_are(self, "failures", 0);
}

TEST_HARNESS_MAIN
