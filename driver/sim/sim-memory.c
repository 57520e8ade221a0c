// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers from memory to memory, as a client asks for them.
 */
#include <linux/align.h>
#include <linux/dma-mapping.h>
#include <linux/limits.h>
#include <linux/overflow.h>

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

/* The pieces of a frame, and how much they are together. */
static bool sim_frame_valid(struct dma_chan *chan, struct dma_interleaved_template *xt, u64 *len)
{
	unsigned int align = to_sim_chan(chan)->sim->set->align;
	struct data_chunk *chunk;

	*len = 0;
	for (chunk = xt->sgl; chunk < xt->sgl + xt->frame_size; chunk++) {
		if (!sim_len_valid(chan, chunk->size) ||
		    !IS_ALIGNED(chunk->size | dmaengine_get_dst_icg(xt, chunk) |
				dmaengine_get_src_icg(xt, chunk), align))
			return false;
		*len += chunk->size;
	}
	return IS_ALIGNED(xt->dst_start | xt->src_start, align) && *len;
}

/* Addresses that stand still are those of devices, and nothing here knows their width. */
static bool sim_template_valid(struct dma_chan *chan, struct dma_interleaved_template *xt, u64 *len)
{
	return xt->dir == DMA_MEM_TO_MEM && xt->dst_inc && xt->src_inc && xt->numf &&
	       xt->frame_size <= UINT_MAX && sim_frame_valid(chan, xt, len) &&
	       !check_mul_overflow(*len, (u64)xt->numf, len);
}

static struct dma_async_tx_descriptor *
sim_prep_interleaved(struct dma_chan *chan, struct dma_interleaved_template *xt,
		     unsigned long flags)
{
	struct data_chunk *chunk = xt->sgl;
	struct sim_desc *desc;
	struct sim_seg *seg;
	u64 len;

	if (!sim_template_valid(chan, xt, &len) || sim_prep_refused(chan))
		return NULL;

	desc = sim_desc_get_segs(to_sim_chan(chan), xt->frame_size, len, flags);
	if (!desc)
		return NULL;

	for (seg = desc->segs; seg < desc->segs + desc->nr_segs; seg++, chunk++) {
		seg->len = chunk->size;
		seg->dst_gap = dmaengine_get_dst_icg(xt, chunk);
		seg->src_gap = dmaengine_get_src_icg(xt, chunk);
	}
	desc->move = sim_move_interleaved;
	desc->dst = xt->dst_start;
	desc->src = xt->src_start;
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
	if (set->interleave) {
		dma_cap_set(DMA_INTERLEAVE, dma->cap_mask);
		dma->device_prep_interleaved_dma = sim_prep_interleaved;
	}

	dma->directions = BIT(DMA_MEM_TO_MEM);
}
