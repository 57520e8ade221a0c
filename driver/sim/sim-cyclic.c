// SPDX-License-Identifier: GPL-2.0
/*
 * Cyclic transfers, which go round in their memory until they are terminated and
 * are told of at the end of each period.
 */
#include <linux/minmax.h>

#include "sim.h"

/* Whether anybody wants to hear of periods. */
static bool sim_desc_rings(const struct sim_desc *desc)
{
	return desc->tx.flags & DMA_PREP_INTERRUPT &&
	       (desc->tx.callback || desc->tx.callback_result);
}

/* Periods that have ended and are kept back are told when it is time for that. */
void sim_desc_ring(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (desc->late || desc->held < max(READ_ONCE(chan->sim->set->faults.batch), 1U))
		return;
	desc->untold += desc->held;
	desc->held = 0;
}

/* Periods have ended, of which some are to be told when it is time for that. */
void sim_desc_hold(struct sim_chan *chan, struct sim_desc *desc, u64 periods)
{
	lockdep_assert_held(&chan->lock);

	if (sim_desc_rings(desc))
		desc->held += sim_fault_heard_periods(chan, desc, periods);
}

/* A period has ended. A step that has told it to is over when it has been told. */
static void sim_desc_period(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->todo = min_t(u64, desc->todo + desc->period, desc->stop);
	sim_desc_hold(chan, desc, 1);
	if (desc->held)
		sim_desc_ring(chan, desc);
	if (!desc->untold || desc->held)
		sim_step_pass(chan, desc);
}

/* Whether it was more than a period. Those that are kept back come before the end. */
bool sim_cyclic_ended(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (desc->todo < desc->stop && desc->result == DMA_TRANS_NOERROR) {
		sim_desc_period(chan, desc);
		return false;
	}
	desc->untold += desc->held;
	desc->held = 0;
	return true;
}

/* The oldest period is being told. It is the one of a step when that is its last. */
void sim_desc_tell_period(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->untold--;
	if (!desc->told || desc->untold || desc->moved < desc->until)
		return;
	desc->told = false;
	chan->step = SIM_STEP_CALLING;
}
