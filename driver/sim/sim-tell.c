// SPDX-License-Identifier: GPL-2.0
/*
 * Telling what has ended, in an interrupt: transfers, and periods of cyclic ones. Periods
 * may become due faster than they are told, so they are told for a while only, and
 * then the CPU is left alone for some times as long.
 */
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/percpu.h>

#include "../compat.h"
#include "sim.h"

/* Callbacks in one interrupt. */
#define SIM_BUDGET	256

/* How long periods are told in one. */
#define SIM_TELL_NS	NSEC_PER_MSEC

/* How many times as long a CPU is left alone. */
#define SIM_REST	4

/* Until when that is. */
static DEFINE_PER_CPU(ktime_t, sim_rest);

/* What has ended next and is to be told: a transfer, or else a period. */
static struct sim_desc *sim_chan_untold(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (!list_empty(&chan->done))
		return list_first_entry(&chan->done, struct sim_desc, node);
	return chan->active && chan->active->untold ? chan->active : NULL;
}

/*
 * Whether there is something to tell, and nobody who does. The caller has to. There
 * is never a second one: callbacks could overtake each other.
 */
bool sim_chan_claim(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->keeps)
		sim_fault_release(chan);
	if (chan->active && chan->active->held)
		sim_desc_ring(chan, chan->active);
	if (chan->raising || !sim_chan_untold(chan))
		return false;
	chan->raising = true;
	return true;
}

void sim_chan_raise(struct sim_chan *chan)
{
	if (sim_chan_claim(chan))
		irq_work_queue(&chan->irq);
}

/**
 * struct sim_ending - what is needed of a descriptor to tell its end
 * @callback_result: what the client gave, or NULL
 * @callback: the same, of the simpler kind
 * @param: for either
 * @result: what to tell
 *
 * The descriptor itself is free before the callback runs: a client that is
 * woken by the callback can prepare the next transfer at once, also with a
 * depth of one.
 */
struct sim_ending {
	dma_async_tx_callback_result callback_result;
	dma_async_tx_callback callback;
	void *param;
	struct dmaengine_result result;
};

static void sim_desc_take_period(struct sim_chan *chan, struct sim_desc *desc,
				 struct sim_ending *end)
{
	end->callback_result = desc->tx.callback_result;
	end->callback = desc->tx.callback;
	end->param = desc->tx.callback_param;
	end->result.result = DMA_TRANS_NOERROR;
	end->result.residue = sim_fault_lie(chan, 0);
	sim_desc_tell_period(chan, desc);
}

static void sim_desc_take_ending(struct sim_chan *chan, struct sim_desc *desc,
				 struct sim_ending *end)
{
	bool wanted = sim_desc_wanted(desc);

	if (desc->told)
		chan->step = SIM_STEP_CALLING;

	end->callback_result = wanted ? desc->tx.callback_result : NULL;
	end->callback = wanted ? desc->tx.callback : NULL;
	end->param = desc->tx.callback_param;
	end->result.result = desc->result;
	end->result.residue = sim_fault_residue(chan, desc);
	sim_desc_free(chan, desc);
}

static void sim_ending_tell(const struct sim_ending *end)
{
	if (end->callback_result)
		end->callback_result(end->param, &end->result);
	else if (end->callback)
		end->callback(end->param);
}

static void sim_step_told(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->step != SIM_STEP_CALLING)
		return;
	chan->step = SIM_STEP_NONE;
	chan->stepped++;
}

/* Periods have kept this CPU busy since then. Until when it is not to be bothered. */
static ktime_t sim_rest_begin(ktime_t began)
{
	const ktime_t now = ktime_get();
	const ktime_t until = ktime_add_ns(now, SIM_REST * ktime_to_ns(ktime_sub(now, began)));

	this_cpu_write(sim_rest, until);
	/* Others may have waited for that, and go first. */
	return ktime_add_ns(until, 1);
}

/* Whether it is too early to tell of periods, as another channel has. Then the timer is set. */
bool sim_rest_on(struct hrtimer *timer, ktime_t now)
{
	const ktime_t until = this_cpu_read(sim_rest);

	if (!ktime_before(now, until))
		return false;
	hrtimer_start(timer, until, HRTIMER_MODE_ABS);
	return true;
}

/* A timer's interrupt has told of periods, and the next one is not to come too early. */
void sim_chan_rest(struct sim_chan *chan, ktime_t began)
{
	struct hrtimer *timer = &chan->timer;
	unsigned long flags;
	ktime_t until;

	spin_lock_irqsave(&chan->lock, flags);
	if (!hrtimer_is_queued(&chan->rest)) {
		until = sim_rest_begin(began);
		if (sim_chan_instant(chan) && hrtimer_is_queued(timer) &&
		    ktime_before(hrtimer_get_expires(timer), until))
			hrtimer_start(timer, until, HRTIMER_MODE_ABS);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
}

/* Tells of periods. False: that was enough for now, and it goes on after a rest. */
static noinline bool sim_chan_tell_periods(struct sim_chan *chan, unsigned long flags)
{
	const ktime_t began = ktime_get();
	const ktime_t end_by = ktime_add_ns(began, SIM_TELL_NS);
	unsigned int budget = SIM_BUDGET;
	struct sim_ending end;
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	while ((desc = sim_chan_untold(chan)) && desc->untold) {
		if (!budget-- || (budget < SIM_BUDGET - 1 && ktime_after(ktime_get(), end_by))) {
			hrtimer_start(&chan->rest, sim_rest_begin(began), HRTIMER_MODE_ABS);
			sim_chan_wake(chan);
			return false;
		}
		sim_desc_take_period(chan, desc, &end);
		spin_unlock_irqrestore(&chan->lock, flags);
		sim_ending_tell(&end);
		spin_lock_irqsave(&chan->lock, flags);
		sim_step_told(chan);
	}
	return true;
}

/*
 * Tells of what has ended. For the one who has set @raising. A client that goes on
 * in its callbacks could keep it here for ever, with a controller that is as fast.
 */
void sim_chan_deliver(struct sim_chan *chan)
{
	unsigned int budget = SIM_BUDGET;
	struct sim_ending end;
	struct sim_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	while ((desc = sim_chan_untold(chan))) {
		if (desc->untold) {
			if (!sim_chan_tell_periods(chan, flags))
				goto out;
			continue;
		}
		if (!budget--) {
			irq_work_queue(&chan->irq);
			goto out;
		}
		sim_desc_take_ending(chan, desc, &end);

		chan->calling = true;
		spin_unlock_irqrestore(&chan->lock, flags);
		sim_ending_tell(&end);
		spin_lock_irqsave(&chan->lock, flags);
		chan->calling = false;

		chan->pending--;
		chan->ended++;
		sim_step_told(chan);
	}

	/* With the lock held: whoever takes it next knows that we have left. */
	chan->raising = false;
	if (chan->active && chan->active->crowded)
		sim_chan_kick(chan);
	sim_chan_wake(chan);
out:
	spin_unlock_irqrestore(&chan->lock, flags);
}

static void sim_chan_irq(struct irq_work *work)
{
	sim_chan_deliver(container_of(work, struct sim_chan, irq));
}

/* Meanwhile nobody has looked at what is due. */
static enum hrtimer_restart sim_chan_rested(struct hrtimer *timer)
{
	struct sim_chan *chan = container_of(timer, struct sim_chan, rest);
	const ktime_t began = ktime_get();
	unsigned long flags;
	bool early;

	spin_lock_irqsave(&chan->lock, flags);
	early = sim_rest_on(timer, began);
	if (!early && sim_chan_instant(chan))
		sim_instant_run(chan);
	spin_unlock_irqrestore(&chan->lock, flags);

	if (!early) {
		sim_chan_deliver(chan);
		sim_chan_rest(chan, began);
	}
	return HRTIMER_NORESTART;
}

/* What was taken back is told of, or known not to be, without a rest. */
void sim_chan_rouse(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	/* One that runs will find what there is. */
	if (hrtimer_try_to_cancel(&chan->rest) > 0)
		irq_work_queue(&chan->irq);
}

void sim_tell_init(struct sim_chan *chan)
{
	init_irq_work(&chan->irq, sim_chan_irq);
	udma_hrtimer_setup(&chan->rest, sim_chan_rested, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
