// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors that are more than a copy or a fill of one range: pieces of lists, lines,
 * lists of pieces for a device, and rings that go round and round. How much of a transfer
 * goes into one, and what the provider is asked for.
 */
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

/* Pieces of one descriptor for a device: 16 MiB where each has 64 KiB. */
#define UDMA_SG_PIECES		256

/* A multiple of all widths that dmaengine knows, and of all alignments. */
#define UDMA_SG_ALIGN		256

int udma_prep_init(struct udma_parts *parts, struct dma_chan *dma)
{
	const struct dma_device *device = dma->device;
	size_t align = 1U << device->copy_align;

	parts->segment_bytes = max_t(size_t, dma_get_max_seg_size(device->dev), align);
	if (parts->segment_bytes > UDMA_SG_ALIGN)
		align = max_t(size_t, align, UDMA_SG_ALIGN);
	parts->segment_bytes = round_down(parts->segment_bytes, align);
	parts->sg_most = UDMA_SG_PIECES;
	if (device->device_prep_slave_sg) {
		parts->sg = kvcalloc(UDMA_SG_PIECES, sizeof(*parts->sg), GFP_KERNEL);
		if (!parts->sg)
			return -ENOMEM;
		sg_init_table(parts->sg, UDMA_SG_PIECES);
	}
	if (device->device_prep_interleaved_dma) {
		parts->template = kzalloc(struct_size(parts->template, sgl, 1), GFP_KERNEL);
		if (!parts->template)
			return -ENOMEM;
	}
	return 0;
}

void udma_prep_destroy(struct udma_parts *parts)
{
	kvfree(parts->sg);
	kfree(parts->template);
}

/* The next owner may be luckier. */
void udma_prep_forget(struct udma_parts *parts)
{
	WRITE_ONCE(parts->sg_most, UDMA_SG_PIECES);
}

/* How long a slot or a period of a stream of this type may be. */
u64 udma_prep_most(const struct udma_parts *parts, u32 type)
{
	u64 pieces = type == UDMA_STREAM_PACKETS ? READ_ONCE(parts->sg_most) : 1;

	return pieces * parts->segment_bytes;
}

/*
 * Where a transfer of one range has its memory around @at, as a segment. Packets go round and
 * round in it.
 */
static struct udma_segment udma_prep_range(const struct udma_xfer *xfer, u64 at)
{
	struct udma_segment range = {
		.addr = xfer->dst ? xfer->dst_addr : xfer->src_addr,
		.bytes = xfer->bytes,
	};
	u64 place;

	if (xfer->op != UDMA_OP_PACKETS)
		return range;
	range.bytes = xfer->file->stream->bytes;
	div64_u64_rem(at, range.bytes, &place);
	range.at = at - place;
	return range;
}

/* Whether what a device gives is written, or else what it takes is read. */
static bool udma_prep_writes(const struct udma_xfer *xfer)
{
	return xfer->op == UDMA_OP_DEV_TO_MEM || xfer->op == UDMA_OP_PACKETS;
}

/* The segment in which byte @at of a transfer to or from a device is. */
static const struct udma_segment *udma_prep_find(const struct udma_xfer *xfer, u64 at,
						 struct udma_segment *range)
{
	if (xfer->list)
		return udma_prep_writes(xfer) ? udma_list_dst(xfer->list, at) :
						udma_list_src(xfer->list, at);
	*range = udma_prep_range(xfer, at);
	return range;
}

/*
 * Cut a transfer from @at on, up to @bytes, into pieces that a device's controller takes;
 * they are written to @sg unless that is NULL. Return: how many these are, and in
 * @covered how long they are together.
 */
static unsigned int udma_prep_cut(const struct udma_engine *engine, const struct udma_xfer *xfer,
				  u64 at, u64 bytes, struct scatterlist *sg, u64 *covered)
{
	const struct udma_parts *parts = &engine->parts;
	const struct udma_segment *segment;
	struct udma_segment range;
	unsigned int count;
	u64 end = at + bytes;
	size_t piece;

	*covered = 0;
	segment = udma_prep_find(xfer, at, &range);
	for (count = 0; at < end && count < parts->sg_most; count++) {
		if (at == segment->at + segment->bytes)
			segment++;
		piece = min3(udma_segment_left(segment, at), end - at, (u64)parts->segment_bytes);
		if (sg) {
			sg_dma_address(&sg[count]) = udma_segment_addr(segment, at);
			sg_dma_len(&sg[count]) = piece;
			sg[count].length = piece;
		}
		at += piece;
		*covered += piece;
	}
	return count;
}

/* How much of a transfer to or from a device goes into one descriptor: all, if possible. */
static size_t udma_prep_device_bytes(const struct udma_engine *engine,
				     const struct udma_xfer *xfer)
{
	/* The residue is told in 32 bits. */
	u64 bytes = min_t(u64, xfer->bytes - xfer->cursor, SZ_2G);
	u64 covered;

	udma_prep_cut(engine, xfer, xfer->cursor, bytes, NULL, &covered);
	return covered;
}

/* Whole lines, as many as are a slice. */
static size_t udma_prep_line_bytes(const struct udma_xfer *xfer)
{
	u32 lines = max_t(u32, UDMA_SLICE_BYTES / xfer->line_bytes, 1);

	return min_t(u64, xfer->bytes - xfer->cursor, (u64)lines * xfer->line_bytes);
}

/* As far as both sides go on without a gap. */
static size_t udma_prep_list_bytes(const struct udma_engine *engine, const struct udma_xfer *xfer)
{
	enum udma_op op = xfer->op == UDMA_OP_COPY_RANGES ? UDMA_OP_COPY : UDMA_OP_FILL;
	u64 at = xfer->cursor, bytes = engine->slice_bytes[op];

	bytes = min(bytes, udma_segment_left(udma_list_dst(xfer->list, at), at));
	if (op == UDMA_OP_COPY)
		bytes = min(bytes, udma_segment_left(udma_list_src(xfer->list, at), at));
	return bytes;
}

/**
 * udma_prep_bytes - how long the next piece of a transfer is
 * @engine: the engine
 * @xfer: the transfer, which is more than a copy or a fill of one range
 *
 * Return: how many bytes.
 */
size_t udma_prep_bytes(const struct udma_engine *engine, const struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	switch (xfer->op) {
	case UDMA_OP_MEM_TO_DEV:
	case UDMA_OP_DEV_TO_MEM:
		return udma_prep_device_bytes(engine, xfer);
	case UDMA_OP_INTERLEAVE:
		return udma_prep_line_bytes(xfer);
	case UDMA_OP_CYCLIC:
		return xfer->bytes;
	case UDMA_OP_PACKETS:
		return xfer->file->stream->period_bytes;
	default:
		return udma_prep_list_bytes(engine, xfer);
	}
}

/*
 * The provider keeps refusing a descriptor with nothing in flight: if it has several pieces,
 * have half as many from now on. Return: whether that makes sense.
 */
bool udma_prep_shrink(struct udma_engine *engine, const struct udma_slot *slot)
{
	const struct udma_xfer *xfer = slot->xfer;
	unsigned int count;
	u64 covered;

	lockdep_assert_held(&engine->lock);
	if (xfer->op != UDMA_OP_MEM_TO_DEV && xfer->op != UDMA_OP_DEV_TO_MEM)
		return false;
	/* Until the channel has another owner. */
	count = udma_prep_cut(engine, xfer, slot->at, slot->bytes, NULL, &covered);
	if (count < 2) {
		/* So it was not their number, for those before either. */
		WRITE_ONCE(engine->parts.sg_most, UDMA_SG_PIECES);
		return false;
	}
	WRITE_ONCE(engine->parts.sg_most, count / 2);
	return true;
}

static struct dma_async_tx_descriptor *udma_prep_device(struct udma_engine *engine,
							const struct udma_slot *slot,
							unsigned long flags)
{
	const struct udma_xfer *xfer = slot->xfer;
	struct scatterlist *sg = engine->parts.sg;
	struct dma_async_tx_descriptor *tx;
	unsigned int count;
	u64 covered;

	count = udma_prep_cut(engine, xfer, slot->at, slot->bytes, sg, &covered);
	/* The provider has been found to take less since a stream of packets began. */
	if (covered != slot->bytes)
		return NULL;
	sg_mark_end(&sg[count - 1]);
	tx = dmaengine_prep_slave_sg(engine->dma, sg, count,
				     udma_prep_writes(xfer) ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV,
				     flags);
	if (count < UDMA_SG_PIECES)
		sg_unmark_end(&sg[count - 1]);
	return tx;
}

static struct dma_async_tx_descriptor *udma_prep_ring(struct udma_engine *engine,
						      struct udma_slot *slot,
						      unsigned long flags)
{
	const struct udma_xfer *xfer = slot->xfer;
	struct udma_stream *stream = xfer->file->stream;

	/* So that it can be asked for where it is. */
	WRITE_ONCE(stream->slot, slot);
	return dmaengine_prep_dma_cyclic(engine->dma, xfer->dst_addr, stream->bytes,
					 stream->period_bytes,
					 stream->reads ? DMA_DEV_TO_MEM : DMA_MEM_TO_DEV, flags);
}

static struct dma_async_tx_descriptor *udma_prep_lines(struct udma_engine *engine,
						       const struct udma_slot *slot,
						       unsigned long flags)
{
	struct dma_interleaved_template *template = engine->parts.template;
	const struct udma_xfer *xfer = slot->xfer;
	u64 line = div_u64(slot->at, xfer->line_bytes);

	template->src_start = xfer->src_addr + line * xfer->src_stride;
	template->dst_start = xfer->dst_addr + line * xfer->dst_stride;
	template->dir = DMA_MEM_TO_MEM;
	template->src_inc = true;
	template->dst_inc = true;
	template->src_sgl = true;
	template->dst_sgl = true;
	template->numf = div_u64(slot->bytes, xfer->line_bytes);
	template->frame_size = 1;
	template->sgl[0] = (struct data_chunk){
		.size = xfer->line_bytes,
		.src_icg = xfer->src_stride - xfer->line_bytes,
		.dst_icg = xfer->dst_stride - xfer->line_bytes,
	};
	return dmaengine_prep_interleaved_dma(engine->dma, template, flags);
}

static struct dma_async_tx_descriptor *udma_prep_list(struct udma_engine *engine,
						      const struct udma_slot *slot,
						      unsigned long flags)
{
	const struct udma_xfer *xfer = slot->xfer;
	const struct udma_segment *dst = udma_list_dst(xfer->list, slot->at), *src;

	if (xfer->op == UDMA_OP_FILL_RANGES)
		return dmaengine_prep_dma_memset(engine->dma, udma_segment_addr(dst, slot->at),
						 xfer->fill, slot->bytes, flags);
	src = udma_list_src(xfer->list, slot->at);
	return dmaengine_prep_dma_memcpy(engine->dma, udma_segment_addr(dst, slot->at),
					 udma_segment_addr(src, slot->at), slot->bytes, flags);
}

/**
 * udma_prep - have the provider make a descriptor
 * @engine: the engine
 * @slot: of what, which is more than a copy or a fill of one range
 * @flags: for the provider
 *
 * As udma_engine_issue(), without locks.
 *
 * Return: the descriptor, or NULL.
 */
struct dma_async_tx_descriptor *udma_prep(struct udma_engine *engine, struct udma_slot *slot,
					  unsigned long flags)
{
	switch (slot->xfer->op) {
	case UDMA_OP_MEM_TO_DEV:
	case UDMA_OP_DEV_TO_MEM:
	case UDMA_OP_PACKETS:
		return udma_prep_device(engine, slot, flags);
	case UDMA_OP_CYCLIC:
		return udma_prep_ring(engine, slot, flags);
	case UDMA_OP_INTERLEAVE:
		return udma_prep_lines(engine, slot, flags);
	default:
		return udma_prep_list(engine, slot, flags);
	}
}
