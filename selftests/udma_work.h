/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel and two programs that use it: what tests of hardware that misbehaves begin
 * with, and what has to be in order when they end.
 */
#ifndef UDMA_WORK_H
#define UDMA_WORK_H

#include "udma_recovery.h"

FIXTURE(work)
{
	struct unit unit;
	struct sim *sim;
	struct user a;
	struct user b;
	int users;
};

FIXTURE_SETUP(work)
{
	static const struct sim_config config;

	self->users = must(module_users());
	must(try_users_start(&self->unit, &config, &self->a, &self->b));
	self->sim = &self->unit.sim;
}

FIXTURE_TEARDOWN(work)
{
	struct udma_event event;

	cure(&self->unit);
	EXPECT_STREQ("copied", next_program(&self->unit));
	EXPECT_STREQ("working", state_of(&self->unit));
	/* Each test has read all events that were to come. */
	EXPECT_EQ(0, try_read_now(self->a.fd, &event, 1));
	EXPECT_EQ(0, try_read_now(self->b.fd, &event, 1));
	works(try_user_close(&self->a));
	works(try_user_close(&self->b));
	works(try_sim_finish(self->sim));
	EXPECT_EQ(self->users, module_users());
}

#endif /* UDMA_WORK_H */
