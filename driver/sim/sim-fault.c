// SPDX-License-Identifier: GPL-2.0
/*
 * Misbehaviour: which transfer it is that something happens to, and what a
 * terminate leaves undone.
 */
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/random.h>

#include "sim.h"

bool sim_fault_count(atomic_t *at)
{
	return atomic_dec_if_positive(at) == 0;
}

/* Whether the end of a transfer may have to be told that would not be otherwise. */
bool sim_faults_heard(const struct sim_faults *faults)
{
	return atomic_read(&faults->fail_at) || atomic_read(&faults->short_at) ||
	       READ_ONCE(faults->coalesce) || READ_ONCE(faults->sleep_full);
}

/* Puts a descriptor aside. A step that has told it to end has done its work. */
static void sim_desc_hang(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->state = SIM_DESC_HUNG;
	list_move_tail(&desc->node, &chan->hung);
	sim_step_pass(chan, desc);
}

/* A descriptor gets what there is for it. True: it hangs. */
static noinline bool sim_fault_deal(struct sim_chan *chan, struct sim_desc *desc)
{
	struct sim_settings *set = chan->sim->set;
	struct sim_faults *faults = &set->faults;

	lockdep_assert_held(&chan->lock);

	if (sim_fault_now(&faults->fail_at))
		desc->result = DMA_TRANS_READ_FAILED;
	if (sim_fault_now(&faults->short_at)) {
		desc->stop = round_down(desc->len / 2, set->align);
		desc->todo = min(desc->todo, desc->stop);
	}
	if (sim_fault_now(&faults->lose_at))
		sim_desc_orphan(desc);
	if (sim_fault_now(&faults->late_at))
		desc->late = true;
	if (!sim_fault_now(&faults->hang_at))
		return false;

	sim_desc_hang(chan, desc);
	return true;
}

/* The engine takes up a descriptor. True: that hangs. */
bool sim_fault_take(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	/* It hung before, and goes on. */
	if (desc->taken)
		return false;
	desc->taken = true;
	return sim_faults_armed(&chan->sim->set->faults) && sim_fault_deal(chan, desc);
}

/* What is withheld is told when it is enough. */
static void sim_fault_batch(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->nr_withheld < max(READ_ONCE(chan->sim->set->faults.batch), 1U))
		return;
	list_splice_tail_init(&chan->withheld, &chan->done);
	chan->nr_withheld = 0;
}

static void sim_desc_withhold(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->state = SIM_DESC_DONE;
	list_add_tail(&desc->node, &chan->withheld);
	chan->nr_withheld++;
	sim_fault_batch(chan);
	if (chan->nr_withheld)
		sim_step_pass(chan, desc);
}

static void sim_desc_keep_back(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->state = SIM_DESC_LATE;
	list_add_tail(&desc->node, &chan->late);
	sim_step_pass(chan, desc);
}

/* Whether there is still something to end of what was issued with a descriptor. */
static bool sim_desc_expects(struct sim_chan *chan, const struct sim_desc *ended)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	if (!READ_ONCE(chan->sim->set->faults.coalesce))
		return false;
	if (chan->active && chan->active->issue == ended->issue)
		return true;
	list_for_each_entry(desc, &chan->hung, node)
		if (desc->issue == ended->issue)
			return true;
	list_for_each_entry(desc, &chan->issued, node)
		if (desc->issue == ended->issue)
			return true;
	return false;
}

/* What was issued together and has all ended goes on to be told. */
static void sim_fault_gather(struct sim_chan *chan)
{
	struct sim_desc *desc, *next;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_safe(desc, next, &chan->gathered, node) {
		if (sim_desc_expects(chan, desc))
			continue;
		list_del(&desc->node);
		sim_desc_withhold(chan, desc);
	}
}

static void sim_desc_gather(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->state = SIM_DESC_DONE;
	list_add_tail(&desc->node, &chan->gathered);
	if (sim_desc_expects(chan, desc))
		sim_step_pass(chan, desc);
	sim_fault_gather(chan);
}

/* Settings that keep ends back may have changed, or what is kept back. */
void sim_fault_keep(struct sim_chan *chan)
{
	struct sim_faults *faults = &chan->sim->set->faults;

	lockdep_assert_held(&chan->lock);

	chan->keeps = READ_ONCE(faults->batch) || READ_ONCE(faults->coalesce) ||
		      chan->nr_withheld || !list_empty(&chan->gathered);
}

/* What is to be told by now, though it was not when it ended. */
void sim_fault_release(struct sim_chan *chan)
{
	sim_fault_gather(chan);
	sim_fault_batch(chan);
	sim_fault_keep(chan);
}

/* How many of the periods that have ended are to be told: for others the next one is as good. */
u64 sim_fault_heard_periods(struct sim_chan *chan, struct sim_desc *desc, u64 periods)
{
	const u32 each = max(READ_ONCE(chan->sim->set->faults.coalesce_periods), 1U);
	const u32 first = each > desc->skipped ? each - desc->skipped : 1;

	lockdep_assert_held(&chan->lock);

	if (periods < first) {
		desc->skipped += periods;
		return 0;
	}
	return 1 + div_u64_rem(periods - first, each, &desc->skipped);
}

/* A descriptor has ended that sim_desc_waits() for something to be told. */
void sim_fault_end(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (desc->late)
		sim_desc_keep_back(chan, desc);
	else
		sim_desc_gather(chan, desc);
	sim_fault_keep(chan);
}

/* What did not move, or of a cyclic transfer what is left of this round. */
static u64 sim_desc_left(const struct sim_desc *desc)
{
	return desc->len - (desc->period ? desc->off : desc->moved);
}

/* The same in pieces that have moved altogether, in periods, or as a whole. */
static u64 sim_desc_left_whole(const struct sim_desc *desc)
{
	if (desc->period)
		return desc->len - rounddown(desc->off, desc->period);
	if (desc->moved == desc->todo)
		return desc->len - desc->moved;
	return desc->nr_segs ? desc->len - desc->whole : desc->len;
}

u32 sim_fault_lie(struct sim_chan *chan, u32 residue)
{
	switch (READ_ONCE(chan->sim->set->faults.lie_residue)) {
	case 0:
		return residue;
	case 1:
		return get_random_u32();
	default:
		return 0;
	}
}

/* The same, as far as the controller tells. */
u32 sim_fault_residue(struct sim_chan *chan, struct sim_desc *desc)
{
	u64 left;

	lockdep_assert_held(&chan->lock);

	switch (chan->sim->set->faults.granularity) {
	case DMA_RESIDUE_GRANULARITY_DESCRIPTOR:
		left = 0;
		break;
	case DMA_RESIDUE_GRANULARITY_SEGMENT:
		left = sim_desc_left_whole(desc);
		break;
	default:
		left = sim_desc_left(desc);
		break;
	}
	return sim_fault_lie(chan, min_t(u64, left, U32_MAX));
}

/* Who is let go of by what. The controller's end is the end of everything. */
static enum sim_fate sim_hung_fate(struct sim_chan *chan, enum sim_abort how)
{
	enum sim_hang_cure cure = READ_ONCE(chan->sim->set->faults.hang_cure);

	if (cure == SIM_CURE_TERMINATE)
		return SIM_FATE_DROP;
	if (how != SIM_ABORT_RELEASE)
		return SIM_FATE_KEEP;
	return cure == SIM_CURE_NEVER ? SIM_FATE_ORPHAN : SIM_FATE_DROP;
}

/* What has not ended: not even been issued, or with the engine. */
static enum sim_fate sim_unended_fate(struct sim_chan *chan, enum sim_abort how, bool issued)
{
	struct sim_faults *faults = &chan->sim->set->faults;

	if (how == SIM_ABORT_SIBLING)
		return SIM_FATE_DROP;
	if (READ_ONCE(faults->ghost))
		return issued ? SIM_FATE_GHOST : SIM_FATE_DROP;
	if (how != SIM_ABORT_TERMINATE)
		return SIM_FATE_DROP;
	switch (READ_ONCE(faults->after_terminate)) {
	case 0:
		return SIM_FATE_DROP;
	case 1:
		return SIM_FATE_ABORT;
	default:
		return SIM_FATE_PRETEND;
	}
}

enum sim_fate sim_fault_fate(struct sim_chan *chan, struct sim_desc *desc,
			     enum sim_abort how)
{
	enum sim_fate fate;

	lockdep_assert_held(&chan->lock);

	if (how == SIM_ABORT_STOP)
		return SIM_FATE_DROP;
	switch (desc->state) {
	case SIM_DESC_SUBMITTED:
		return sim_unended_fate(chan, how, false);
	case SIM_DESC_HUNG:
		fate = sim_hung_fate(chan, how);
		return fate == SIM_FATE_DROP ? sim_unended_fate(chan, how, true) : fate;
	case SIM_DESC_LATE:
		return how == SIM_ABORT_RELEASE ? SIM_FATE_DROP : SIM_FATE_KEEP;
	case SIM_DESC_DONE:
		fate = sim_unended_fate(chan, how, false);
		return fate == SIM_FATE_DROP ? SIM_FATE_DROP : SIM_FATE_KEEP;
	default:
		return sim_unended_fate(chan, how, true);
	}
}

/* Nothing of a descriptor moves any more, and nobody has it on a list. */
void sim_fault_tell_aborted(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->held = 0;
	desc->untold = 0;
	if (desc->fate == SIM_FATE_PRETEND) {
		desc->moved = desc->len;
		desc->period = 0;
	}
	desc->result = desc->fate == SIM_FATE_PRETEND ? DMA_TRANS_NOERROR : DMA_TRANS_ABORTED;
	desc->state = SIM_DESC_DONE;
	chan->chan.completed_cookie = desc->tx.cookie;
	list_move_tail(&desc->node, &chan->done);
}

/* A descriptor that nobody hears of goes on. One that hung has been told before. */
void sim_fault_haunt(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	sim_desc_orphan(desc);
	if (desc->state != SIM_DESC_HUNG)
		return;
	desc->state = SIM_DESC_ISSUED;
	desc->loose = !desc->period;
	list_move(&desc->node, &chan->issued);
}

static void sim_chan_unhang(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry(desc, &chan->hung, node) {
		desc->state = SIM_DESC_ISSUED;
		desc->loose = !desc->period;
	}
	list_splice_init(&chan->hung, &chan->issued);
	sim_chan_kick(chan);
}

static void sim_chan_release_late(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry(desc, &chan->late, node)
		desc->state = SIM_DESC_DONE;
	list_splice_tail_init(&chan->late, &chan->done);
	if (chan->active && chan->active->period)
		chan->active->late = false;
	sim_chan_raise(chan);
}

/* Nothing starts any more in a controller that is gone. */
static void sim_dev_each(struct sim_dev *sim, void (*action)(struct sim_chan *chan))
{
	struct sim_chan *chan;

	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		spin_lock_irq(&chan->lock);
		if (!READ_ONCE(sim->gone))
			action(chan);
		spin_unlock_irq(&chan->lock);
	}
}

/* What hangs goes on, and what waits behind it. */
void sim_dev_unhang(struct sim_dev *sim)
{
	sim_dev_each(sim, sim_chan_unhang);
}

/* The callbacks that were kept back are called. */
void sim_dev_release_late(struct sim_dev *sim)
{
	sim_dev_each(sim, sim_chan_release_late);
}
