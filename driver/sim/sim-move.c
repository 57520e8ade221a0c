// SPDX-License-Identifier: GPL-2.0
/*
 * Moving data: the controller's bus interface. A DMA address is all that it
 * gets, and what is behind it is reached the way a device would reach it.
 */
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "sim.h"

/*
 * Maps the page behind a DMA address. NULL where there is no memory, which a
 * real controller would report as a bus error.
 */
static void *sim_map(struct sim_dev *sim, dma_addr_t addr)
{
	phys_addr_t phys;
	struct page *page;

	if (sim->domain)
		phys = iommu_iova_to_phys(sim->domain, addr);
	else
		phys = dma_to_phys(sim->dma.dev, addr);

	if ((sim->domain && !phys) || !pfn_valid(PHYS_PFN(phys)))
		return NULL;

	/*
	 * Memory maps have pages for holes too, marked as reserved. So are some
	 * that are memory, such as the bounce buffers of swiotlb.
	 */
	page = pfn_to_page(PHYS_PFN(phys));
	if (PageReserved(page) && !page_is_ram(PHYS_PFN(phys)))
		return NULL;

	return kmap_local_page(page) + offset_in_page(phys);
}

static size_t sim_left_in_page(dma_addr_t addr)
{
	return PAGE_SIZE - offset_in_page(addr);
}

/* Up to the end of a page on either side. Returns 0 with the result set. */
static size_t sim_copy_piece(struct sim_dev *sim, struct sim_desc *desc,
			     size_t done, size_t len)
{
	dma_addr_t dst = desc->dst + done;
	dma_addr_t src = desc->src + done;
	void *to, *from;

	len = min3(len, sim_left_in_page(dst), sim_left_in_page(src));

	from = sim_map(sim, src);
	if (!from) {
		desc->result = DMA_TRANS_READ_FAILED;
		return 0;
	}

	to = sim_map(sim, dst);
	if (!to) {
		desc->result = DMA_TRANS_WRITE_FAILED;
		len = 0;
		goto out;
	}

	memcpy(to, from, len);
	kunmap_local(to);
out:
	kunmap_local(from);
	return len;
}

static size_t sim_fill_piece(struct sim_dev *sim, struct sim_desc *desc,
			     size_t done, size_t len)
{
	dma_addr_t dst = desc->dst + done;
	void *to;

	len = min(len, sim_left_in_page(dst));

	to = sim_map(sim, dst);
	if (!to) {
		desc->result = DMA_TRANS_WRITE_FAILED;
		return 0;
	}

	memset(to, desc->value, len);
	kunmap_local(to);
	return len;
}

size_t sim_move_copy(struct sim_dev *sim, struct sim_desc *desc, size_t len)
{
	size_t done = 0, piece;

	while (done < len) {
		piece = sim_copy_piece(sim, desc, desc->moved + done, len - done);
		if (!piece)
			break;
		done += piece;
	}

	return done;
}

size_t sim_move_fill(struct sim_dev *sim, struct sim_desc *desc, size_t len)
{
	size_t done = 0, piece;

	while (done < len) {
		piece = sim_fill_piece(sim, desc, desc->moved + done, len - done);
		if (!piece)
			break;
		done += piece;
	}

	return done;
}

static void sim_desc_advance(struct sim_desc *desc, size_t len)
{
	desc->off += len;
	if (desc->off < desc->segs[desc->seg].len)
		return;
	desc->off = 0;
	if (++desc->seg == desc->nr_segs)
		desc->seg = 0;
}

/* Frames of pieces, which are apart from each other on either side. */
size_t sim_move_interleaved(struct sim_dev *sim, struct sim_desc *desc, size_t len)
{
	size_t done, piece;
	struct sim_seg *seg;

	for (done = 0; done < len; done += piece) {
		seg = &desc->segs[desc->seg];
		piece = min(len - done, seg->len - desc->off);
		piece = sim_copy_piece(sim, desc, desc->off, piece);
		if (!piece)
			break;
		if (desc->off + piece == seg->len) {
			desc->dst += seg->len + seg->dst_gap;
			desc->src += seg->len + seg->src_gap;
		}
		sim_desc_advance(desc, piece);
	}

	return done;
}

/* Between a device and the memory that comes next. Returns how much. */
size_t sim_move_port(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_port *port = &chan->port;
	size_t done = 0, piece;
	struct sim_seg *seg;
	dma_addr_t addr;
	void *mem;

	lockdep_assert_held(&chan->lock);

	for (; done < len; done += piece) {
		seg = &desc->segs[desc->seg];
		addr = seg->addr + desc->off;
		piece = min3(len - done, seg->len - desc->off, sim_left_in_page(addr));

		mem = sim_map(chan->sim, addr);
		if (!mem) {
			desc->result = port->dir == DMA_MEM_TO_DEV ? DMA_TRANS_READ_FAILED :
								     DMA_TRANS_WRITE_FAILED;
			break;
		}
		port->ops->move(chan, mem, done, piece);
		kunmap_local(mem);
		sim_desc_advance(desc, piece);
	}

	return done;
}
