// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: takes what was issued, one after the other, and moves its data when
 * the time for it has come.
 */
#include <linux/hrtimer.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../compat.h"
#include "sim.h"

/* Moved in one go. A terminate waits for no more than this. */
#define SIM_CHUNK	SZ_64K

/* The same of a device's, with the lock held. */
#define SIM_PORT_CHUNK	SZ_4K

/* With no time between them, periods do not end when so many have to be told. */
#define SIM_UNTOLD_MAX	64

/**
 * enum sim_runner - who runs a channel
 * @SIM_RUN_INLINE: its client, which may be atomic
 * @SIM_RUN_SOON: a worker, which goes before others who want the CPU
 * @SIM_RUN_ENDLESS: one that does not, for what would never be over
 */
enum sim_runner {
	SIM_RUN_INLINE,
	SIM_RUN_SOON,
	SIM_RUN_ENDLESS,
};

static bool sim_desc_may_go(struct sim_chan *chan, struct sim_desc *desc)
{
	return (desc->told && desc->moved < desc->until) || desc->loose ||
	       !READ_ONCE(chan->sim->set->step_mode);
}

/* Where order does not count: the newest of those that need not wait. */
static struct sim_desc *sim_chan_pick_unordered(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_reverse(desc, &chan->issued, node)
		if (sim_desc_may_go(chan, desc))
			return desc;
	return NULL;
}

/* The oldest that was issued. */
static struct sim_desc *sim_chan_pick(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->sim->unordered)
		return sim_chan_pick_unordered(chan);
	if (!list_empty(&chan->hung))
		return NULL;
	return list_first_entry_or_null(&chan->issued, struct sim_desc, node);
}

/* The descriptor to work on, or NULL when there is none that may go on. */
struct sim_desc *sim_chan_next(struct sim_chan *chan)
{
	struct sim_desc *desc = chan->active;

	lockdep_assert_held(&chan->lock);

	if (chan->paused)
		return NULL;
	if (desc)
		return sim_desc_may_go(chan, desc) ? desc : NULL;

	do {
		desc = sim_chan_pick(chan);
		if (!desc || !sim_desc_may_go(chan, desc))
			return NULL;
	} while (sim_fault_take(chan, desc));	/* hangs from here on */

	list_del_init(&desc->node);
	desc->state = SIM_DESC_ACTIVE;
	chan->active = desc;
	chan->due = 0;
	return desc;
}

/* Nobody wants to hear that it has ended. */
static noinline void sim_desc_end_quietly(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	chan->pending--;
	chan->ended++;
	sim_step_pass(chan, desc);
	sim_desc_free(chan, desc);
	sim_chan_wake(chan);
}

/* The cookie completes when hardware is done, the callback comes later. */
static void sim_desc_end(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	chan->active = NULL;
	chan->chan.completed_cookie = desc->tx.cookie;
	if (sim_desc_waits(chan, desc)) {
		sim_fault_end(chan, desc);
	} else if (!sim_desc_wanted(desc)) {
		sim_desc_end_quietly(chan, desc);
	} else {
		desc->state = SIM_DESC_DONE;
		list_add_tail(&desc->node, &chan->done);
	}
}

/* A descriptor has come as far as it was to, or failed. */
void sim_desc_reached(struct sim_chan *chan, struct sim_desc *desc)
{
	if (!desc->period || sim_cyclic_ended(chan, desc))
		sim_desc_end(chan, desc);
}

/* A cyclic descriptor that takes no time is kept from running away. */
static bool sim_desc_crowded(struct sim_chan *chan, struct sim_desc *desc)
{
	desc->crowded = desc->untold >= SIM_UNTOLD_MAX && !sim_desc_timed(chan, desc);
	return desc->crowded;
}

/* How many bytes are to move next. False: it is not the time for them. */
static bool sim_desc_piece(struct sim_chan *chan, struct sim_desc *desc, size_t *len)
{
	u64 end = desc->told ? min(desc->until, desc->todo) : desc->todo;
	u64 left = end - desc->moved;

	lockdep_assert_held(&chan->lock);

	*len = 0;
	if (sim_desc_crowded(chan, desc))
		return false;
	if (desc->result == DMA_TRANS_NOERROR && left && chan->port.ops) {
		*len = sim_port_piece(chan, desc, min_t(u64, left, SIM_PORT_CHUNK));
		if (!*len)
			return false;
	} else if (desc->result == DMA_TRANS_NOERROR) {
		*len = min_t(u64, left, SIM_CHUNK);
	}
	return !sim_desc_early(chan, desc, *len);
}

/* Some of a descriptor has moved, or nothing of it can. */
static void sim_desc_moved(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	lockdep_assert_held(&chan->lock);

	desc->moved += len;
	if (desc->nr_segs)
		desc->whole = desc->moved - desc->off;
	if (desc->state == SIM_DESC_DROPPED) {
		chan->dropping = false;
		sim_desc_dropped(chan, desc);
		sim_chan_wake(chan);
	} else if (desc->result != DMA_TRANS_NOERROR || desc->moved == desc->todo) {
		sim_desc_reached(chan, desc);
	} else if (desc->told && desc->moved == desc->until) {
		sim_step_pass(chan, desc);
	}
}

/* From memory to memory, which may take so long that nobody is to wait for it. */
static void sim_chan_move(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	lockdep_assert_held(&chan->lock);

	chan->moving = true;
	spin_unlock_irq(&chan->lock);
	len = desc->move(chan->sim, desc, len);
	spin_lock_irq(&chan->lock);
	chan->moving = false;
	sim_desc_moved(chan, desc, len);
}

/* What has ended is not held up by what goes on, nor are others who want the CPU. */
static void sim_chan_breathe(struct sim_chan *chan, bool may_sleep)
{
	bool nudge = chan->port.nudge;

	lockdep_assert_held(&chan->lock);

	chan->port.nudge = false;
	sim_chan_raise(chan);
	spin_unlock_irq(&chan->lock);
	if (nudge)
		sim_port_nudge(chan);
	if (may_sleep)
		cond_resched();
	spin_lock_irq(&chan->lock);
}

/* Whether a descriptor would never let go of the CPU. */
static bool sim_desc_endless(struct sim_chan *chan, struct sim_desc *desc)
{
	return desc->period && !desc->told && !sim_desc_timed(chan, desc);
}

/*
 * Runs the channel until nothing is left that may go on now. One runner at a
 * time: whoever finds another one leaves the rest to it.
 */
static void sim_chan_run(struct sim_chan *chan, enum sim_runner runner)
{
	struct sim_desc *desc;
	size_t len;

	spin_lock_irq(&chan->lock);
	if (chan->running)
		goto out;
	chan->running = true;

	while ((desc = sim_chan_next(chan))) {
		if (sim_chan_instant(chan) && !sim_desc_works(chan, desc)) {
			chan->running = false;
			sim_instant_run(chan);
			break;
		}
		WRITE_ONCE(chan->endless, sim_desc_endless(chan, desc));
		if (chan->endless ? runner != SIM_RUN_ENDLESS :
				    desc->period && runner == SIM_RUN_INLINE) {
			sim_chan_kick(chan);
			break;
		}

		if (!sim_desc_piece(chan, desc, &len))
			break;
		if (!len)
			sim_desc_moved(chan, desc, 0);
		else if (chan->port.ops)
			sim_desc_moved(chan, desc, sim_port_move(chan, desc, len));
		else
			sim_chan_move(chan, desc, len);
		sim_chan_breathe(chan, runner != SIM_RUN_INLINE);
	}

	chan->running = false;
	sim_chan_raise(chan);
out:
	spin_unlock_irq(&chan->lock);
}

static void sim_chan_work(struct work_struct *work)
{
	sim_chan_run(container_of(work, struct sim_chan, work), SIM_RUN_SOON);
}

static void sim_chan_endless_work(struct work_struct *work)
{
	sim_chan_run(container_of(work, struct sim_chan, endless_work), SIM_RUN_ENDLESS);
}

static enum hrtimer_restart sim_chan_timer(struct hrtimer *timer)
{
	struct sim_chan *chan = container_of(timer, struct sim_chan, timer);

	if (!sim_instant_timer(chan))
		sim_chan_kick(chan);
	return HRTIMER_NORESTART;
}

/*
 * Somebody will look at the channel soon. Any context, any locks. Nobody may
 * kick a channel that has been stopped: who is not its client kicks it with the
 * lock held and the device not gone.
 */
void sim_chan_kick(struct sim_chan *chan)
{
	if (READ_ONCE(chan->endless))
		queue_work(sim_endless_workqueue, &chan->endless_work);
	else
		queue_work(sim_workqueue, &chan->work);
}

/*
 * All at once and in the client's own context, inside of issue_pending. That may
 * be atomic. When the interrupt is on its way already the callbacks are left to
 * it, and so they are when this is called from one of them.
 */
void sim_chan_run_inline(struct sim_chan *chan)
{
	unsigned long flags;
	bool raised;

	spin_lock_irqsave(&chan->lock, flags);
	raised = chan->raising;
	chan->raising = true;
	spin_unlock_irqrestore(&chan->lock, flags);

	sim_chan_run(chan, SIM_RUN_INLINE);
	if (!raised)
		sim_chan_deliver(chan);
}

void sim_engine_init(struct sim_chan *chan)
{
	INIT_WORK(&chan->work, sim_chan_work);
	INIT_WORK(&chan->endless_work, sim_chan_endless_work);
	udma_hrtimer_setup(&chan->timer, sim_chan_timer, CLOCK_MONOTONIC,
			   HRTIMER_MODE_ABS);
	sim_tell_init(chan);
}

/* For a channel that has nothing left: lets the last who looks at it leave. */
void sim_engine_stop(struct sim_chan *chan)
{
	hrtimer_cancel(&chan->timer);
	cancel_work_sync(&chan->work);
	cancel_work_sync(&chan->endless_work);
	/* Nothing is left to tell, so neither begins the other again. */
	hrtimer_cancel(&chan->rest);
	irq_work_sync(&chan->irq);
	hrtimer_cancel(&chan->rest);
}
