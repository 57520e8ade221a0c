// SPDX-License-Identifier: GPL-2.0
/*
 * Telling what has ended, in an interrupt: transfers, and periods of cyclic ones.
 */
#include <linux/irq_work.h>
#include <linux/list.h>

#include "sim.h"

/* Callbacks in one interrupt. */
#define SIM_BUDGET	256

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
	bool ended;

	spin_lock_irqsave(&chan->lock, flags);
	while ((desc = sim_chan_untold(chan))) {
		if (!budget--) {
			irq_work_queue(&chan->irq);
			goto out;
		}
		ended = !desc->untold;
		if (ended)
			sim_desc_take_ending(chan, desc, &end);
		else
			sim_desc_take_period(chan, desc, &end);

		chan->calling = ended;
		spin_unlock_irqrestore(&chan->lock, flags);
		sim_ending_tell(&end);
		spin_lock_irqsave(&chan->lock, flags);
		chan->calling = false;

		chan->pending -= ended;
		chan->ended += ended;
		if (chan->step == SIM_STEP_CALLING) {
			chan->step = SIM_STEP_NONE;
			chan->stepped++;
		}
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

void sim_tell_init(struct sim_chan *chan)
{
	init_irq_work(&chan->irq, sim_chan_irq);
}
