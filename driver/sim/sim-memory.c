// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers from memory to memory, as a client asks for them.
 */
#include <linux/dma-mapping.h>

#include "sim.h"

static struct dma_async_tx_descriptor *
sim_prep_memcpy(struct dma_chan *chan, dma_addr_t dst, dma_addr_t src, size_t len,
		unsigned long flags)
{
	struct sim_desc *desc;

	if (!sim_len_valid(chan, len) ||
	    !is_dma_copy_aligned(chan->device, src, dst, len) || sim_prep_refused(chan))
		return NULL;

	desc = sim_desc_get(to_sim_chan(chan), len, flags);
	if (!desc)
		return NULL;

	desc->move = sim_move_copy;
	desc->dst = dst;
	desc->src = src;
	return &desc->tx;
}

static struct dma_async_tx_descriptor *
sim_prep_memset(struct dma_chan *chan, dma_addr_t dst, int value, size_t len,
		unsigned long flags)
{
	struct sim_desc *desc;

	if (!sim_len_valid(chan, len) ||
	    !is_dma_fill_aligned(chan->device, dst, 0, len) || sim_prep_refused(chan))
		return NULL;

	desc = sim_desc_get(to_sim_chan(chan), len, flags);
	if (!desc)
		return NULL;

	desc->move = sim_move_fill;
	desc->dst = dst;
	desc->value = value;
	return &desc->tx;
}

void sim_memory_set_ops(struct dma_device *dma, const struct sim_settings *set)
{
	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma->device_prep_dma_memcpy = sim_prep_memcpy;
	if (set->fill) {
		dma_cap_set(DMA_MEMSET, dma->cap_mask);
		dma->device_prep_dma_memset = sim_prep_memset;
	}

	dma->directions = BIT(DMA_MEM_TO_MEM);
}
