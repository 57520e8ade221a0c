// SPDX-License-Identifier: GPL-2.0
/*
 * Ending at once: no worker and no data, so that what is measured is what a
 * client costs. What was issued ends in issue_pending, and is told from an
 * interrupt as ever. What takes its time ends when it is looked at: the timer's
 * interrupt does that when somebody wants to hear of an end, and whoever asks
 * for the status does it meanwhile.
 */
#include <linux/limits.h>
#include <linux/math64.h>

#include "sim.h"

/* Periods of one channel in a second. More are not worth an interrupt each. */
#define SIM_PERIODS_MAX	1000000

/*
 * Whether the periods of a descriptor may end without a worker. If they took no time
 * they would never stop doing so.
 */
bool sim_cyclic_instant(const struct sim_chan *chan, const struct sim_desc *desc)
{
	unsigned long bandwidth = READ_ONCE(chan->sim->set->bandwidth);

	return bandwidth && bandwidth / SIM_PERIODS_MAX <= desc->period;
}

/* Of a cyclic descriptor, where in its memory it is. */
static void sim_desc_turn(struct sim_desc *desc, u64 len)
{
	u64 off;

	div64_u64_rem(desc->off + len, desc->len, &off);
	desc->off = off;
}

/* All periods that are due end in one go, but for the last one. */
static void sim_instant_skip(struct sim_chan *chan, struct sim_desc *desc, ktime_t now)
{
	u64 flow, periods;

	lockdep_assert_held(&chan->lock);

	if (desc->stop != U64_MAX)
		return;
	flow = sim_desc_flow(chan, desc, now);
	if (flow <= desc->todo)
		return;
	periods = div64_u64(flow - desc->todo, desc->period);
	desc->todo += periods * desc->period;
	sim_desc_hold(chan, desc, periods);
}

/*
 * When the first interrupt is due that somebody wants, if the active one ends at
 * @due. What is issued follows it without a gap.
 */
static ktime_t sim_chan_interrupt_due(struct sim_chan *chan, ktime_t due)
{
	struct sim_desc *desc = chan->active;

	lockdep_assert_held(&chan->lock);

	if (sim_desc_wanted(desc) || chan->sim->unordered ||
	    sim_faults_heard(&chan->sim->set->faults))
		return due;
	if (desc->period)
		return KTIME_MAX;
	list_for_each_entry(desc, &chan->issued, node) {
		if (sim_desc_works(chan, desc))
			return due;
		due = ktime_add_safe(due, sim_chan_duration(chan, desc->todo));
		if (sim_desc_wanted(desc))
			return due;
		if (desc->period)
			return KTIME_MAX;
	}
	return KTIME_MAX;
}

static void sim_instant_set_timer(struct sim_chan *chan, ktime_t due)
{
	struct hrtimer *timer = &chan->timer;

	lockdep_assert_held(&chan->lock);

	/* What is due before the end of a rest is seen then. */
	due = hrtimer_is_queued(&chan->rest) ? KTIME_MAX : sim_chan_interrupt_due(chan, due);
	if (hrtimer_is_queued(timer) && hrtimer_get_expires(timer) == due)
		return;
	if (due != KTIME_MAX)
		hrtimer_start(timer, due, HRTIMER_MODE_ABS);
	else
		hrtimer_try_to_cancel(timer);	/* one that runs will find nothing */
}

/*
 * Ends what is due by now. A worker that was there before goes on with all that
 * there is. What follows one that took its time was taken up when that was due:
 * it had been issued by then, since issue_pending looks here first.
 */
void sim_instant_run(struct sim_chan *chan)
{
	ktime_t now = 0, due = 0;
	struct sim_desc *desc;
	u64 end;

	lockdep_assert_held(&chan->lock);

	/* The worker will look again. */
	if (chan->running)
		return;
	while ((desc = sim_chan_next(chan)) && !sim_desc_works(chan, desc)) {
		end = desc->result == DMA_TRANS_NOERROR ? desc->todo : desc->moved;
		if (sim_desc_timed(chan, desc)) {
			if (!now)
				now = ktime_get();
			if (!desc->start)
				sim_desc_begin(chan, desc, due ?: now);
			due = sim_desc_due(chan, desc, end);
			if (ktime_after(due, now)) {
				chan->due = due;
				sim_instant_set_timer(chan, due);
				return;
			}
		}
		if (desc->period && end == desc->todo) {
			sim_instant_skip(chan, desc, now);
			end = desc->todo;
			sim_desc_turn(desc, end - desc->moved);
		}
		desc->moved = end;
		sim_desc_reached(chan, desc);
	}
	if (desc)
		sim_chan_kick(chan);
}

/* False, and nothing is done: transfers do not end at once. So with the next. */
bool sim_instant_look(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (!sim_chan_instant(chan))
		return false;
	sim_instant_run(chan);
	sim_chan_raise(chan);
	return true;
}

/* The timer's interrupt is as good as any. Those of periods do not take all of a CPU's time. */
bool sim_instant_timer(struct sim_chan *chan)
{
	bool instant, periods, tell = false;
	unsigned long flags;
	ktime_t began = 0;

	spin_lock_irqsave(&chan->lock, flags);
	instant = sim_chan_instant(chan);
	periods = instant && chan->active && chan->active->period;
	if (periods)
		began = ktime_get();
	if (instant && !(periods && sim_rest_on(&chan->timer, began))) {
		sim_instant_run(chan);
		tell = sim_chan_claim(chan);
	}
	spin_unlock_irqrestore(&chan->lock, flags);

	if (tell)
		sim_chan_deliver(chan);
	if (tell && periods)
		sim_chan_rest(chan, began);
	return instant;
}
