// SPDX-License-Identifier: GPL-2.0
/*
 * Ending at once: no worker and no data, so that what is measured is what a
 * client costs. What was issued ends in issue_pending, or in the interrupt of
 * the timer when it takes its time, and is told from an interrupt as ever.
 */
#include <linux/minmax.h>

#include "sim.h"

/*
 * How transfers end follows from several settings. One word for it, so that those
 * who are in a hurry look at nothing else. It is written after what it is made of,
 * and who writes it last has seen what all others have written.
 */
void sim_settings_set_pace(struct sim_settings *set)
{
	enum sim_pace pace = SIM_PACE_LEAN;

	spin_lock(&set->lock);
	if (READ_ONCE(set->latency_ns) || READ_ONCE(set->bandwidth) ||
	    sim_faults_armed(&set->faults))
		pace = SIM_PACE_INSTANT;
	if (!READ_ONCE(set->instant) || READ_ONCE(set->step_mode))
		pace = SIM_PACE_NORMAL;
	WRITE_ONCE(set->pace, pace);
	spin_unlock(&set->lock);
}

/* Ends a descriptor, if it is not too early. */
bool sim_instant_end(struct sim_chan *chan, struct sim_desc *desc)
{
	size_t len = 0;

	lockdep_assert_held(&chan->lock);

	if (desc->result == DMA_TRANS_NOERROR)
		len = desc->todo - desc->moved;
	if (sim_desc_early(chan, desc, len))
		return false;

	desc->moved += len;
	sim_desc_end(chan, desc);
	return true;
}

/* A worker that was there before goes on with all that there is. */
static void sim_instant_run(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	if (chan->running)
		return;
	while ((desc = sim_chan_next(chan)) && !desc->real)
		if (!sim_instant_end(chan, desc))
			return;
	if (desc)
		sim_chan_kick(chan);
}

void sim_instant_issued(struct sim_chan *chan)
{
	/* One that waits for its time is before them. */
	if (!chan->active)
		sim_instant_run(chan);
	sim_chan_raise(chan);
}

/* Nothing that was issued before has to end before, and order is kept. */
static bool sim_chan_idle(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	return !chan->sim->unordered && !chan->running && !chan->active && !chan->fresh &&
	       !chan->grace && !chan->nr_withheld && list_empty(&chan->issued) &&
	       list_empty(&chan->hung);
}

/*
 * Nothing can happen to what was submitted on its way to the interrupt, so it
 * need not take the way. False: it may.
 */
bool sim_instant_pass(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	if (!sim_chan_idle(chan))
		return false;

	list_for_each_entry(desc, &chan->submitted, node) {
		desc->state = SIM_DESC_DONE;
		desc->moved = desc->len;
		chan->pending++;
		chan->chan.completed_cookie = desc->tx.cookie;
	}
	list_splice_tail_init(&chan->submitted, &chan->done);
	sim_chan_interrupt(chan);
	return true;
}

/* The timer's interrupt is as good as any. False: transfers do not end at once. */
bool sim_instant_timer(struct sim_chan *chan)
{
	bool instant, tell = false;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	instant = sim_chan_pace(chan) != SIM_PACE_NORMAL;
	if (instant) {
		sim_instant_run(chan);
		tell = sim_chan_claim(chan);
	}
	spin_unlock_irqrestore(&chan->lock, flags);

	if (tell)
		sim_chan_deliver(chan);
	return instant;
}
