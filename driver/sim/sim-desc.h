/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors. All of one is protected by its channel's lock, once it has been
 * submitted, but for where it is while its data moves without.
 */
#ifndef UDMA_SIM_DESC_H
#define UDMA_SIM_DESC_H

#include <linux/dmaengine.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

#include "sim-fault.h"

struct sim_chan;
struct sim_dev;

/**
 * enum sim_desc_state - where a descriptor is
 * @SIM_DESC_FREE: on the free list
 * @SIM_DESC_PREPARED: with the client, between prep and submit; on no list
 * @SIM_DESC_SUBMITTED: has a cookie, waits for issue_pending
 * @SIM_DESC_ISSUED: waits for its turn; this and those that follow are pending
 * @SIM_DESC_ACTIVE: the one being worked on; on no list
 * @SIM_DESC_DROPPED: terminated while its data moved; the engine frees it
 * @SIM_DESC_DONE: has ended, waits for the interrupt
 * @SIM_DESC_HUNG: does not go on
 * @SIM_DESC_LATE: has ended, and that is kept back
 */
enum sim_desc_state {
	SIM_DESC_FREE,
	SIM_DESC_PREPARED,
	SIM_DESC_SUBMITTED,
	SIM_DESC_ISSUED,
	SIM_DESC_ACTIVE,
	SIM_DESC_DROPPED,
	SIM_DESC_DONE,
	SIM_DESC_HUNG,
	SIM_DESC_LATE,
};

/**
 * struct sim_seg - a piece of memory that is in one place
 * @len: how long
 * @addr: where, for a device
 * @dst_gap: from its end to the next one, where an interleaved transfer goes to
 * @src_gap: the same, where it comes from
 */
struct sim_seg {
	size_t len;
	union {
		dma_addr_t addr;
		struct {
			size_t dst_gap;
			size_t src_gap;
		};
	};
};

/**
 * struct sim_desc - one transfer
 * @tx: what the client sees. Its cookie stays until the descriptor is used
 *	again, so that tx_status can tell of a failure
 * @node: in the list that @state names
 * @state: where it is
 * @told: a step has told it to go on
 * @until: up to where
 * @loose: in step mode it goes on without being told
 * @taken: the engine has taken it up before; that is when misbehaviour is dealt
 * @late: its end is not told until asked for
 * @real: its data moves, also where transfers end at once
 * @fate: while dropped: what becomes of it then
 * @result: how it ended
 * @move: moves the next bytes, from what has been moved already, and returns
 *	how many; fewer than asked for only with @result set. NULL for a device
 * @dst: where to; of an interleaved transfer, the piece that moves
 * @src: where from, for a copy
 * @value: what with, for a fill
 * @segs: the memory of a device, or a frame of an interleaved transfer; the room
 *	stays for the next transfer
 * @nr_segs: how many pieces, 0 when there is but one place
 * @max_segs: how many there is room for
 * @seg: the one that moves
 * @off: how much of it has moved
 * @piece: what the device was found ready for, and waits for its time
 * @stalled: it waits for the device
 * @period: of a cyclic transfer, in bytes, else 0
 * @held: periods that have ended, and are not to be told yet
 * @untold: those that are to be told now
 * @skipped: those since the last that was told, or is to be
 * @crowded: it does not go on while there are so many of them
 * @len: length; of a cyclic transfer that of its memory
 * @stop: how much it is to move
 * @todo: up to where it can move on without more ado, such as the end of a period
 * @moved: bytes that have moved; counted by the engine, under the channel's lock
 * @whole: those of them that are in pieces which have moved altogether
 * @issue: the controller's count of issue_pending when it was issued
 * @start: when the engine took it up, 0 before
 * @base: what had moved when @start was
 * @rate: the bandwidth that has been counted with since
 */
struct sim_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	enum sim_desc_state state;
	bool told;
	u64 until;
	bool loose;
	bool taken;
	bool late;
	bool real;
	enum sim_fate fate;
	enum dmaengine_tx_result result;

	size_t (*move)(struct sim_dev *sim, struct sim_desc *desc, size_t len);
	dma_addr_t dst;
	dma_addr_t src;
	u8 value;
	struct sim_seg *segs;
	unsigned int nr_segs;
	unsigned int max_segs;
	unsigned int seg;
	size_t off;
	size_t piece;
	bool stalled;

	size_t period;
	u64 held;
	u64 untold;
	unsigned int skipped;
	bool crowded;

	u64 len;
	u64 stop;
	u64 todo;
	u64 moved;
	u64 whole;

	u64 issue;
	ktime_t start;
	u64 base;
	unsigned long rate;
};

static inline struct sim_desc *to_sim_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct sim_desc, tx);
}

/* Whether its end is told. Trouble always interrupts, as it does with hardware. */
static inline bool sim_desc_wanted(const struct sim_desc *desc)
{
	return desc->tx.flags & DMA_PREP_INTERRUPT || desc->result != DMA_TRANS_NOERROR ||
	       desc->stop < desc->len;
}

/* sim-desc.c */
void sim_desc_free(struct sim_chan *chan, struct sim_desc *desc);
void sim_desc_orphan(struct sim_desc *desc);
struct sim_desc *sim_desc_try_get(struct sim_chan *chan, u64 len, unsigned long tx_flags);
struct sim_desc *sim_desc_wait(struct sim_chan *chan, u64 len, unsigned long tx_flags);
struct sim_desc *sim_desc_get_segs(struct sim_chan *chan, unsigned int nr_segs, u64 len,
				   unsigned long tx_flags);
void sim_chan_free_pool(struct sim_desc *pool, unsigned int depth);

/* A descriptor for the client to submit, or NULL when all are in use. */
static inline struct sim_desc *sim_desc_get(struct sim_chan *chan, u64 len, unsigned long tx_flags)
{
	return sim_desc_try_get(chan, len, tx_flags) ?: sim_desc_wait(chan, len, tx_flags);
}

#endif /* UDMA_SIM_DESC_H */
