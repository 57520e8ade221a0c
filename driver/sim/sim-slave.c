// SPDX-License-Identifier: GPL-2.0
/*
 * Channels of devices as dmaengine sees them: what a client tells of the device,
 * and the transfers that it asks for.
 */
#include <linux/align.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "sim.h"

#define SIM_WIDTHS	(BIT(DMA_SLAVE_BUSWIDTH_1_BYTE) | BIT(DMA_SLAVE_BUSWIDTH_2_BYTES) | \
			 BIT(DMA_SLAVE_BUSWIDTH_4_BYTES) | BIT(DMA_SLAVE_BUSWIDTH_8_BYTES))

#define SIM_BURST_MAX	256

/* Not told is fine: that may be the side of the memory. */
static bool sim_width_valid(enum dma_slave_buswidth width)
{
	return width == DMA_SLAVE_BUSWIDTH_UNDEFINED ||
	       (width < BITS_PER_LONG && BIT(width) & SIM_WIDTHS);
}

static int sim_device_config(struct dma_chan *dma_chan, struct dma_slave_config *config)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	unsigned long flags;

	if (!sim_width_valid(config->src_addr_width) || !sim_width_valid(config->dst_addr_width))
		return -EINVAL;

	spin_lock_irqsave(&chan->lock, flags);
	chan->config = *config;
	chan->configured = true;
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

/* What clients have told, a line for each channel. */
ssize_t sim_dev_show_config(struct sim_dev *sim, char *page)
{
	struct dma_slave_config config;
	struct sim_chan *chan;
	bool configured;
	ssize_t len = 0;

	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		spin_lock_irq(&chan->lock);
		config = chan->config;
		configured = chan->configured;
		spin_unlock_irq(&chan->lock);
		if (!configured)
			continue;
		len += sysfs_emit_at(page, len, "%td 0x%llx 0x%llx %u %u %u %u\n",
				     chan - sim->chans, (u64)config.src_addr,
				     (u64)config.dst_addr, config.src_addr_width,
				     config.dst_addr_width, config.src_maxburst,
				     config.dst_maxburst);
	}

	return len;
}

static void sim_device_caps(struct dma_chan *chan, struct dma_slave_caps *caps)
{
	caps->directions = BIT(to_sim_chan(chan)->port.dir);
}

static bool sim_chan_configured(struct sim_chan *chan)
{
	return READ_ONCE(chan->configured) || !chan->sim->set->need_config;
}

/* Whether a piece of memory is one that the controller can have to do with. */
static bool sim_seg_valid(struct sim_chan *chan, dma_addr_t addr, size_t len)
{
	return sim_len_valid(&chan->chan, len) && IS_ALIGNED(addr | len, chan->sim->set->align);
}

static bool sim_sg_valid(struct sim_chan *chan, struct scatterlist *sgl, unsigned int nents,
			 u64 *len)
{
	struct scatterlist *sg;
	unsigned int i;

	*len = 0;
	for_each_sg(sgl, sg, nents, i) {
		if (!sim_seg_valid(chan, sg_dma_address(sg), sg_dma_len(sg)))
			return false;
		*len += sg_dma_len(sg);
	}
	return *len;
}

static struct dma_async_tx_descriptor *
sim_prep_slave_sg(struct dma_chan *dma_chan, struct scatterlist *sgl, unsigned int nents,
		  enum dma_transfer_direction dir, unsigned long flags, void *context)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct scatterlist *sg;
	struct sim_desc *desc;
	unsigned int i;
	u64 len;

	if (dir != chan->port.dir || !sim_chan_configured(chan) ||
	    (chan->sim->set->max_pieces && nents > chan->sim->set->max_pieces) ||
	    !sim_sg_valid(chan, sgl, nents, &len) || sim_prep_refused(dma_chan))
		return NULL;

	desc = sim_desc_get_segs(chan, nents, len, flags);
	if (!desc)
		return NULL;

	for_each_sg(sgl, sg, nents, i) {
		desc->segs[i].addr = sg_dma_address(sg);
		desc->segs[i].len = sg_dma_len(sg);
	}
	return &desc->tx;
}

/* In its memory it goes round and round. Each period is short enough for itself. */
static struct dma_async_tx_descriptor *
sim_prep_dma_cyclic(struct dma_chan *dma_chan, dma_addr_t addr, size_t len, size_t period,
		    enum dma_transfer_direction dir, unsigned long flags)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	struct sim_desc *desc;

	if (dir != chan->port.dir || !sim_chan_configured(chan) || !len || !period ||
	    len % period || !sim_seg_valid(chan, addr, period) || sim_prep_refused(dma_chan))
		return NULL;

	desc = sim_desc_get_segs(chan, 1, len, flags);
	if (!desc)
		return NULL;

	desc->segs[0].addr = addr;
	desc->segs[0].len = len;
	desc->period = period;
	desc->todo = period;
	desc->stop = U64_MAX;
	return &desc->tx;
}

/* Pieces move with the lock held: when it can be had nothing moves any more. */
static int sim_device_pause(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	sim_chan_catch_up(chan);
	if (!chan->paused) {
		chan->paused = true;
		chan->paused_at = ktime_get();
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

/* Time that was paused does not count. */
void sim_chan_resume(struct sim_chan *chan)
{
	struct sim_desc *desc = chan->active;

	lockdep_assert_held(&chan->lock);

	if (!chan->paused)
		return;
	chan->paused = false;
	chan->due = 0;
	if (desc && desc->start)
		desc->start = ktime_add(desc->start, ktime_sub(ktime_get(), chan->paused_at));
}

static int sim_device_resume(struct dma_chan *dma_chan)
{
	struct sim_chan *chan = to_sim_chan(dma_chan);
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	sim_chan_resume(chan);
	if (!sim_instant_look(chan))
		sim_chan_kick(chan);
	sim_chan_wake(chan);
	spin_unlock_irqrestore(&chan->lock, flags);
	return 0;
}

void sim_slave_set_ops(struct dma_device *dma, const struct sim_settings *set)
{
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma->device_prep_slave_sg = sim_prep_slave_sg;
	if (set->cyclic) {
		dma_cap_set(DMA_CYCLIC, dma->cap_mask);
		dma->device_prep_dma_cyclic = sim_prep_dma_cyclic;
	}
	if (set->pause) {
		dma->device_pause = sim_device_pause;
		dma->device_resume = sim_device_resume;
	}

	if (set->kind != SIM_KIND_SINK)
		dma->directions |= BIT(DMA_DEV_TO_MEM);
	if (set->kind != SIM_KIND_SOURCE)
		dma->directions |= BIT(DMA_MEM_TO_DEV);
	dma->src_addr_widths = SIM_WIDTHS;
	dma->dst_addr_widths = SIM_WIDTHS;
	dma->max_burst = SIM_BURST_MAX;
	if (set->need_config)
		dma->device_config = sim_device_config;
	dma->device_caps = sim_device_caps;
}
