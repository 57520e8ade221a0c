// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that go and could not be stopped: their memory and the module are
 * kept for ever. Afterwards the module cannot be unloaded, so this wants a VM
 * of its own and is not run without being told:
 *
 *   selftests/vm/shell 'UDMA_HOLD=1 build/selftests/hold'
 */
#include "udma_recovery.h"

#define OTHERS	64

/* A controller of which a test leaves a channel in a bad state. */
FIXTURE(held)
{
	struct unit unit;
	struct sim *sim;
	struct user user;
	struct user other;
	struct unit next;
	int users;
};

FIXTURE_VARIANT(held)
{
	bool terminate_fail;
	bool no_terminate;
	bool has_failed;	/* before it goes */
};

FIXTURE_VARIANT_ADD(held, that_says_it_has_stopped) {
};

FIXTURE_VARIANT_ADD(held, that_says_it_has_not) {
	.terminate_fail = true,
};

FIXTURE_VARIANT_ADD(held, that_cannot_be_told) {
	.no_terminate = true,
};

FIXTURE_VARIANT_ADD(held, that_has_failed_and_says_it_has_stopped) {
	.has_failed = true,
};

FIXTURE_VARIANT_ADD(held, that_has_failed_and_says_it_has_not) {
	.terminate_fail = true,
	.has_failed = true,
};

FIXTURE_VARIANT_ADD(held, that_has_failed_and_cannot_be_told) {
	.no_terminate = true,
	.has_failed = true,
};

FIXTURE_SETUP(held)
{
	const struct sim_config config = {
		.no_terminate = variant->no_terminate,
	};
	static const struct sim_config healthy;

	must(try_unit_start(&self->next, &healthy));
	self->users = must(module_users());
	must(try_unit_start(&self->unit, &config));
	self->sim = &self->unit.sim;
	must(try_sim_write(self->sim, "hang_cure", "never"));
	must(try_sim_set(self->sim, "terminate_fail", variant->terminate_fail));
	must(try_user_open(&self->user, &self->unit, 0, 64 * KIB));
}

/* For ever; but who comes next has a channel. */
FIXTURE_TEARDOWN(held)
{
	EXPECT_LT(self->users, module_users());
	fails(EWOULDBLOCK, try_delete_module("udma"));
	EXPECT_STREQ("copied", next_program(&self->next));
	works(try_sim_finish(&self->next.sim));
	works(try_sim_end(self->sim));
}

/* What hardware writes now is nobody else's. */
#define GO_ON()								\
	do {								\
		struct buffer others[OTHERS];				\
		unsigned int __i;					\
		int __fd;						\
									\
		__fd = must(try_unit_open(&self->next, O_RDWR));	\
		for (__i = 0; __i < OTHERS; __i++) {			\
			must(try_alloc_map(__fd, 64 * KIB + 512,	\
					   &others[__i]));		\
		}							\
		must(try_sim_set(self->sim, "unhang", 1));		\
		must(try_wait_pending(self->sim, 0));			\
		for (__i = 0; __i < OTHERS; __i++) {			\
			EXPECT_EQ(-1, find_other(others[__i].mem,	\
						 64 * KIB + 512, 0));	\
			must(try_unmap(&others[__i]));			\
		}							\
		must(close(__fd));					\
	} while (0)

TEST_F(held, memory_is_kept_when_the_channel_goes)
{
	struct udma_event events[COPIES];
	unsigned int i;

	for (i = 0; i < COPIES; i++)
		memset(self->user.copies[i].src.mem, 0xdd, 64 * KIB + 512);
	must(try_sim_set(self->sim, "hang_at", 1));
	for (i = 0; i < 2; i++)
		must(try_submit_one(self->user.fd,
				    self->user.copies[i].request));
	must(try_wait_pending(self->sim, 2));
	if (variant->has_failed)
		fails(EIO, try_reset(&self->unit));
	must(try_sim_unbind(self->sim, 0));
	must(try_user_ends(&self->user, events, 2));
	EXPECT_EVENT("EIO 0 held", &events[0]);
	EXPECT_EVENT("EIO 0 held", &events[1]);
	fails(EFAULT, try_touch(self->user.copies[0].dst.mem));
	must(try_user_close(&self->user));
	GO_ON();
}

/* Nothing of programs hangs, but the driver's own proof. */
TEST_F(held, scratch_is_kept_when_the_channel_goes)
{
	must(try_sim_set(self->sim, "hang_at", 1));
	must(try_sim_set(self->sim, "submit_fail_at", 2));
	if (variant->has_failed)
		fails(EIO, try_reset(&self->unit));
	fails(EIO, try_reset(&self->unit));
	must(try_user_close(&self->user));
	must(try_sim_unbind(self->sim, 0));
	GO_ON();
}

/* The harness's main(), for when it is told. */
#define main run_all
TEST_HARNESS_MAIN
#undef main

int main(int argc, char **argv)
{
	if (getenv("UDMA_HOLD"))
		return run_all(argc, argv);
	printf("TAP version 13\n1..0 # SKIP a VM of its own: UDMA_HOLD=1\n");
	return KSFT_SKIP;
}
