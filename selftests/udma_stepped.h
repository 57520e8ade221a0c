/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What most tests of queues begin with: a file that has them, on a controller that is
 * stepped. Afterwards the channel has to copy, unless it is gone.
 */
#ifndef UDMA_STEPPED_H
#define UDMA_STEPPED_H

#include "udma_program.h"
#include "udma_queue.h"
#include "udma_witness.h"

#define ENTRIES		16

FIXTURE(queue)
{
	struct sim sim;
	int fd;			/* closed with -1 */
	struct queue queue;
	struct udma_queue_shared *shared;
	struct buffer buffer;
	struct udma_request fill;
	bool is_unbound;
};

FIXTURE_SETUP(queue)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, 64 * KIB, &self->buffer));
	must(try_queue_start(&self->queue, self->fd, ENTRIES, ENTRIES));
	self->shared = self->queue.shared;
	self->fill = fill_request(&self->buffer, 0, 64, 1);
}

FIXTURE_TEARDOWN(queue)
{
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(try_queue_unmap(&self->queue));
	if (self->fd >= 0) {
		works(try_unmap(&self->buffer));
		works(close(self->fd));
	}
	if (!self->is_unbound) {
		EXPECT_STREQ("copied", witness_come(&self->sim));
		works(try_sim_unbind(&self->sim, 0));
	}
	works(try_sim_end(&self->sim));
}

#endif /* UDMA_STEPPED_H */
