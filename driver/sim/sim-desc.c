// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: a pool in each channel, there from when a client has it.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "sim.h"

/* A client that sleeps for what never comes has to be let go some time. */
#define SIM_SLEEP_TIMEOUT	(10 * HZ)

/* Gives a descriptor back to the pool, to be used after all others there. */
void sim_desc_free(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	desc->state = SIM_DESC_FREE;
	list_move_tail(&desc->node, &chan->free);
	dma_descriptor_unmap(&desc->tx);
}

/* The client will not hear of it. */
void sim_desc_orphan(struct sim_desc *desc)
{
	desc->tx.callback = NULL;
	desc->tx.callback_result = NULL;
}

static struct sim_desc *sim_chan_free_desc(struct sim_chan *chan)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	if (READ_ONCE(chan->sim->gone))
		return NULL;
	/* One that its client has not acked yet may be looked at still. */
	list_for_each_entry(desc, &chan->free, node)
		if (async_tx_test_ack(&desc->tx))
			return desc;
	return NULL;
}

/* One that is free, or NULL when all are in use, as far as is known. */
struct sim_desc *sim_desc_try_get(struct sim_chan *chan, u64 len, unsigned long tx_flags)
{
	struct sim_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	desc = sim_chan_free_desc(chan);
	if (desc) {
		list_del_init(&desc->node);
		desc->state = SIM_DESC_PREPARED;
		desc->told = false;
		desc->loose = false;
		desc->taken = false;
		desc->late = false;
		desc->real = false;
		desc->result = DMA_TRANS_NOERROR;
		desc->nr_segs = 0;
		desc->len = len;
		desc->stop = len;
		desc->todo = len;
		desc->moved = 0;

		desc->tx.flags = tx_flags;
		desc->tx.cookie = 0;
		sim_desc_orphan(desc);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return desc;
}

/* There is none yet, as far as is known. The client may have to sleep. */
struct sim_desc *sim_desc_wait(struct sim_chan *chan, u64 len, unsigned long tx_flags)
{
	struct sim_faults *faults = &chan->sim->set->faults;
	struct sim_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	sim_chan_catch_up(chan);
	spin_unlock_irqrestore(&chan->lock, flags);

	desc = sim_desc_try_get(chan, len, tx_flags);
	if (desc || !READ_ONCE(faults->sleep_full))
		return desc;
	wait_event_timeout(chan->sim->wait,
			   (desc = sim_desc_try_get(chan, len, tx_flags)) ||
				   READ_ONCE(chan->sim->gone) ||
				   !READ_ONCE(faults->sleep_full),
			   SIM_SLEEP_TIMEOUT);
	return desc;
}

/* Room for so many pieces of memory. It stays with the descriptor. */
static bool sim_desc_make_room(struct sim_desc *desc, unsigned int nr_segs)
{
	struct sim_seg *segs;

	if (nr_segs <= desc->max_segs)
		return true;
	segs = kmalloc_array(nr_segs, sizeof(*segs), GFP_NOWAIT | __GFP_NOWARN);
	if (!segs)
		return false;
	kfree(desc->segs);
	desc->segs = segs;
	desc->max_segs = nr_segs;
	return true;
}

/* What only those have to do with that go from piece to piece. */
static void sim_desc_reset_segs(struct sim_desc *desc, unsigned int nr_segs)
{
	desc->nr_segs = nr_segs;
	desc->seg = 0;
	desc->off = 0;
	desc->piece = 0;
	desc->stalled = false;
	desc->period = 0;
	desc->held = 0;
	desc->untold = 0;
	desc->skipped = 0;
	desc->crowded = false;
	desc->whole = 0;
}

/* A descriptor with room for so many pieces, or NULL. */
struct sim_desc *sim_desc_get_segs(struct sim_chan *chan, unsigned int nr_segs, u64 len,
				   unsigned long tx_flags)
{
	struct sim_desc *desc = sim_desc_get(chan, len, tx_flags);
	unsigned long flags;

	if (!desc)
		return NULL;
	if (sim_desc_make_room(desc, nr_segs)) {
		sim_desc_reset_segs(desc, nr_segs);
		return desc;
	}

	spin_lock_irqsave(&chan->lock, flags);
	sim_desc_free(chan, desc);
	spin_unlock_irqrestore(&chan->lock, flags);
	return NULL;
}

void sim_chan_free_pool(struct sim_desc *pool, unsigned int depth)
{
	struct sim_desc *desc;

	for (desc = pool; desc < pool + depth; desc++)
		kfree(desc->segs);
	kvfree(pool);
}
