// SPDX-License-Identifier: GPL-2.0
/*
 * Taking back what a channel has: at the client's wish, with the channel, or
 * because the controller ends.
 */
#include <linux/compiler_attributes.h>
#include <linux/jiffies.h>

#include "sim.h"

/* Nothing of a descriptor that was taken back moves any more. */
void sim_desc_dropped(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (desc->fate == SIM_FATE_DROP)
		sim_desc_free(chan, desc);
	else
		sim_fault_tell_aborted(chan, desc);
}

/* What moves data right now stays with the engine until the end of its chunk. */
static void sim_desc_drop(struct sim_chan *chan, struct sim_desc *desc, enum sim_fate fate)
{
	lockdep_assert_held(&chan->lock);

	desc->fate = fate;
	if (desc != chan->active) {
		sim_desc_dropped(chan, desc);
		return;
	}

	chan->active = NULL;
	if (chan->moving) {
		desc->state = SIM_DESC_DROPPED;
		chan->dropping = true;
	} else {
		sim_desc_dropped(chan, desc);
	}
}

static void sim_desc_abort(struct sim_chan *chan, struct sim_desc *desc,
			   enum sim_abort how)
{
	enum sim_fate fate = sim_fault_fate(chan, desc, how);

	switch (fate) {
	case SIM_FATE_DROP:
		sim_step_forget(chan, desc);
		fallthrough;
	case SIM_FATE_ABORT:
	case SIM_FATE_PRETEND:
		sim_desc_drop(chan, desc, fate);
		break;
	case SIM_FATE_ORPHAN:
		sim_desc_orphan(desc);
		break;
	case SIM_FATE_GHOST:
		sim_fault_haunt(chan, desc);
		break;
	case SIM_FATE_KEEP:
		break;
	}
}

static void sim_chan_abort_list(struct sim_chan *chan, struct list_head *list,
				enum sim_abort how)
{
	struct sim_desc *desc, *next;

	list_for_each_entry_safe(desc, next, list, node)
		sim_desc_abort(chan, desc, how);
}

/* Nobody has those on a list, and the client has let go of them all. */
static void sim_chan_abort_prepared(struct sim_chan *chan)
{
	struct sim_desc *desc;

	for (desc = chan->pool; desc < chan->pool + chan->depth; desc++) {
		async_tx_ack(&desc->tx);
		if (desc->state == SIM_DESC_PREPARED)
			sim_desc_free(chan, desc);
	}
}

static bool sim_desc_pending(const struct sim_desc *desc)
{
	if (desc->state == SIM_DESC_DROPPED)
		return desc->fate != SIM_FATE_DROP;
	return desc->state >= SIM_DESC_ISSUED;
}

/* What has been issued and may end still. A callback that runs now counts. */
static u64 sim_chan_count_pending(struct sim_chan *chan)
{
	u64 pending = chan->calling;
	struct sim_desc *desc;

	for (desc = chan->pool; desc < chan->pool + chan->depth; desc++)
		pending += sim_desc_pending(desc);
	return pending;
}

/*
 * Takes back everything, in whatever state, but for what is not to obey. What
 * has a callback to come is put where that comes from, so that is looked at first.
 */
void sim_chan_abort(struct sim_chan *chan, enum sim_abort how)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	sim_chan_catch_up(chan);
	sim_chan_abort_list(chan, &chan->done, how);
	sim_chan_abort_list(chan, &chan->gathered, how);
	sim_chan_abort_list(chan, &chan->withheld, how);
	if (list_empty(&chan->withheld))
		chan->nr_withheld = 0;
	sim_chan_abort_list(chan, &chan->late, how);
	sim_chan_abort_list(chan, &chan->hung, how);
	if (chan->active)
		sim_desc_abort(chan, chan->active, how);
	sim_chan_abort_list(chan, &chan->issued, how);
	sim_chan_abort_list(chan, &chan->submitted, how);
	if (how != SIM_ABORT_SIBLING) {
		sim_chan_resume(chan);
		sim_chan_abort_prepared(chan);
		chan->fresh = how == SIM_ABORT_TERMINATE;
		sim_step_grace(chan);
	}

	sim_fault_keep(chan);
	chan->pending = sim_chan_count_pending(chan);
	sim_chan_raise(chan);
	sim_chan_rouse(chan);
	if (chan->active || !list_empty(&chan->issued))
		sim_chan_kick(chan);
	sim_chan_wake(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void sim_abort_siblings(struct sim_chan *chan)
{
	struct sim_dev *sim = chan->sim;
	struct sim_chan *sibling;

	for (sibling = sim->chans; sibling < sim->chans + sim->channels; sibling++)
		if (sibling != chan)
			sim_chan_abort(sibling, SIM_ABORT_SIBLING);
}

int sim_terminate_all(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_faults *faults = &chan->sim->set->faults;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	chan->terminates++;
	spin_unlock_irqrestore(&chan->lock, flags);

	if (READ_ONCE(faults->terminate_fail))
		return -EIO;
	sim_chan_abort(chan, SIM_ABORT_TERMINATE);
	if (READ_ONCE(faults->sibling))
		sim_abort_siblings(chan);
	return 0;
}

/* While it rests there is nobody to wait for: what it has to tell then was not taken back. */
static bool sim_chan_quiet(struct sim_chan *chan)
{
	bool quiet;

	spin_lock_irq(&chan->lock);
	quiet = !chan->dropping &&
		(!chan->raising ||
		 (hrtimer_is_queued(&chan->rest) && list_empty(&chan->done)));
	spin_unlock_irq(&chan->lock);
	return quiet;
}

/* No callback runs afterwards, and nothing that was dropped moves. */
void sim_chan_sync(struct sim_chan *chan)
{
	wait_event(chan->sim->wait, sim_chan_quiet(chan));
}

void sim_synchronize(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_dev *sim = chan->sim;
	unsigned int *ms = &sim->set->faults.slow_terminate_ms;

	wait_event_timeout(sim->wait, READ_ONCE(sim->gone) || !READ_ONCE(*ms),
			   msecs_to_jiffies(READ_ONCE(*ms)));
	sim_chan_sync(chan);
}

/* Nothing is left in the channel afterwards, and nobody looks at it. */
void sim_chan_stop(struct sim_chan *chan)
{
	sim_chan_abort(chan, SIM_ABORT_STOP);
	sim_chan_sync(chan);
	sim_engine_stop(chan);
}
