// SPDX-License-Identifier: GPL-2.0
/*
 * Channels as dmaengine sees them. Submit only queues, issue_pending starts,
 * and everything but alloc, free and synchronize works in any context.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "sim.h"

static dma_cookie_t sim_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct sim_desc *desc = to_sim_desc(tx);
	struct sim_chan *chan = to_sim_chan(tx->chan);
	dma_cookie_t cookie = -EIO;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	/* A terminate since prep has taken it back. */
	if (desc->state != SIM_DESC_PREPARED)
		goto out;
	if (sim_fault_refuse_submit(&chan->sim->set->faults)) {
		sim_desc_free(chan, desc);
		goto out;
	}

	cookie = chan->chan.cookie + 1;
	if (cookie < DMA_MIN_COOKIE)
		cookie = DMA_MIN_COOKIE;
	chan->chan.cookie = cookie;
	tx->cookie = cookie;
	chan->known[cookie & chan->known_mask] = desc;

	desc->state = SIM_DESC_SUBMITTED;
	list_add_tail(&desc->node, &chan->submitted);
out:
	spin_unlock_irqrestore(&chan->lock, flags);
	return cookie;
}

static void sim_issue_pending(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_desc *desc;
	unsigned long flags;
	bool inlined, kick = false;
	ktime_t start = 0;
	u64 issue;

	spin_lock_irqsave(&chan->lock, flags);
	if (list_empty(&chan->submitted))
		goto out;
	sim_chan_catch_up(chan);

	/* A client may want to see now that the channel works. */
	desc = list_first_entry(&chan->submitted, struct sim_desc, node);
	desc->real = chan->fresh && !chan->port.ops;
	chan->fresh = false;

	issue = atomic64_inc_return(&chan->sim->issues);
	if (chan->sim->unordered)
		start = ktime_get();
	list_for_each_entry(desc, &chan->submitted, node) {
		desc->state = SIM_DESC_ISSUED;
		desc->issue = issue;
		desc->start = 0;
		if (start)
			sim_desc_begin(chan, desc, start);
		chan->pending++;
		if (chan->grace)
			sim_step_spare(chan, desc);
	}
	list_splice_tail_init(&chan->submitted, &chan->issued);

	kick = !sim_instant_look(chan) && !chan->running;
	sim_chan_wake(chan);
out:
	spin_unlock_irqrestore(&chan->lock, flags);

	inlined = READ_ONCE(chan->sim->set->faults.inlined);
	if (kick && inlined && in_task() && !irqs_disabled())
		sim_chan_run_inline(chan);
	else if (kick)
		sim_chan_kick(chan);
}

static noinline struct sim_desc *sim_chan_search(struct sim_chan *chan, dma_cookie_t cookie)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	for (desc = chan->pool; desc < chan->pool + chan->depth; desc++)
		if (desc->tx.cookie == cookie)
			return desc;
	return NULL;
}

/*
 * The descriptor that has this cookie, until it is used again. Another one has taken
 * its place in the table when it rested longer than the pool is large.
 */
static struct sim_desc *sim_chan_find(struct sim_chan *chan, dma_cookie_t cookie)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	if (!chan->pool)
		return NULL;
	desc = chan->known[cookie & chan->known_mask];
	return desc && desc->tx.cookie == cookie ? desc : sim_chan_search(chan, cookie);
}

static enum dma_status sim_tx_status(struct dma_chan *dma_chan, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_desc *desc;
	enum dma_status status;
	unsigned long flags;
	u32 residue = 0;

	spin_lock_irqsave(&chan->lock, flags);
	sim_chan_catch_up(chan);
	status = dma_async_is_complete(cookie, dma_chan->completed_cookie,
				       dma_chan->cookie);

	desc = sim_chan_find(chan, cookie);
	if (desc) {
		if (status == DMA_COMPLETE && desc->result != DMA_TRANS_NOERROR)
			status = DMA_ERROR;
		if (status == DMA_IN_PROGRESS && chan->paused && desc == chan->active)
			status = DMA_PAUSED;
		if (state)
			residue = sim_fault_residue(chan, desc);
	}

	/* A cookie tells nothing of those before it. */
	if (chan->sim->unordered)
		status = DMA_OUT_OF_ORDER;
	dma_set_tx_state(state, dma_chan->completed_cookie, dma_chan->cookie, residue);
	spin_unlock_irqrestore(&chan->lock, flags);
	return status;
}

/*
 * Not -ENODEV when the device goes: the dmaengine core would take that for a
 * module that is being removed, and unlist the device a first time here.
 */
static int sim_alloc_chan_resources(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	unsigned int depth = chan->sim->set->depth;
	unsigned int known = roundup_pow_of_two(depth);
	struct sim_desc *pool, *desc;
	unsigned long flags;
	LIST_HEAD(free);

	if (READ_ONCE(chan->sim->gone))
		return -ENXIO;
	/* Something of the last client is in it still. */
	if (chan->pool)
		return depth;

	pool = kvzalloc(depth * sizeof(*pool) + known * sizeof(*chan->known), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;

	for (desc = pool; desc < pool + depth; desc++) {
		dma_async_tx_descriptor_init(&desc->tx, dma_chan);
		desc->tx.tx_submit = sim_tx_submit;
		async_tx_ack(&desc->tx);
		list_add_tail(&desc->node, &free);
	}

	spin_lock_irqsave(&chan->lock, flags);
	list_splice_tail(&free, &chan->free);
	chan->pool = pool;
	chan->depth = depth;
	chan->known = (struct sim_desc **)(pool + depth);
	chan->known_mask = known - 1;
	sim_fault_keep(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
	return depth;
}

static bool sim_chan_used(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	for (desc = chan->pool; desc < chan->pool + chan->depth; desc++)
		if (desc->state != SIM_DESC_FREE)
			return true;
	return false;
}

/* What does not obey keeps the pool, for the next client or the controller's end. */
static void sim_free_chan_resources(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_desc *pool = NULL;
	unsigned int depth = 0;
	unsigned long flags;

	sim_chan_abort(chan, SIM_ABORT_RELEASE);
	sim_chan_sync(chan);

	spin_lock_irqsave(&chan->lock, flags);
	chan->configured = false;
	if (!sim_chan_used(chan)) {
		pool = chan->pool;
		depth = chan->depth;
		INIT_LIST_HEAD(&chan->free);
		chan->pool = NULL;
		chan->depth = 0;
	}
	spin_unlock_irqrestore(&chan->lock, flags);

	if (pool)
		sim_engine_stop(chan);
	sim_chan_free_pool(pool, depth);
}

void sim_chan_init(struct sim_chan *chan, struct sim_dev *sim)
{
	chan->sim = sim;
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->free);
	INIT_LIST_HEAD(&chan->submitted);
	INIT_LIST_HEAD(&chan->issued);
	INIT_LIST_HEAD(&chan->hung);
	INIT_LIST_HEAD(&chan->done);
	INIT_LIST_HEAD(&chan->gathered);
	INIT_LIST_HEAD(&chan->withheld);
	INIT_LIST_HEAD(&chan->late);
	sim_port_init(chan);
	sim_engine_init(chan);

	chan->chan.device = &sim->dma;
	chan->chan.cookie = DMA_MIN_COOKIE;
	chan->chan.completed_cookie = DMA_MIN_COOKIE;
	list_add_tail(&chan->chan.device_node, &sim->dma.channels);
}

/* A client looks for the operation, not for the capability. */
void sim_chan_set_ops(struct dma_device *dma, const struct sim_settings *set)
{
	if (set->kind == SIM_KIND_MEMORY)
		sim_memory_set_ops(dma, set);
	else
		sim_slave_set_ops(dma, set);

	if (set->faults.unordered)
		dma_cap_set(DMA_COMPLETION_NO_ORDER, dma->cap_mask);

	dma->device_alloc_chan_resources = sim_alloc_chan_resources;
	dma->device_free_chan_resources = sim_free_chan_resources;
	dma->device_issue_pending = sim_issue_pending;
	dma->device_tx_status = sim_tx_status;
	if (!set->faults.no_terminate)
		dma->device_terminate_all = sim_terminate_all;
	dma->device_synchronize = sim_synchronize;
}
