/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each transfer passes through on its way, of several objects: calls from
 * file to file would cost more than what is done in them.
 */
#ifndef UDMA_HOT_H
#define UDMA_HOT_H

#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/wait.h>

#include "udma.h"

/* buffer */

/* The buffer of @file at @index, which may come from the program, or NULL. */
static inline struct udma_buffer *udma_buffer_at(struct udma_file *file, unsigned long index)
{
	lockdep_assert_held(&file->chan->engine.lock);
	if (index >= UDMA_BUFFER_SLOTS)
		return NULL;
	return file->buffers.table[array_index_nospec(index, UDMA_BUFFER_SLOTS)];
}

/* The buffer that @file calls @handle, or NULL. */
static inline struct udma_buffer *udma_buffer_find(struct udma_file *file, u32 handle)
{
	struct udma_buffer *buffer = udma_buffer_at(file, handle & UDMA_HANDLE_INDEX_MASK);

	return buffer && buffer->handle == handle ? buffer : NULL;
}

static inline void udma_buffer_get(struct udma_buffer *buffer)
{
	lockdep_assert_held(&buffer->chan->engine.lock);
	buffer->refs++;
}

/* Let go of a buffer, from anywhere. */
static inline void udma_buffer_put(struct udma_buffer *buffer)
{
	lockdep_assert_held(&buffer->chan->engine.lock);
	if (!--buffer->refs)
		udma_buffer_die(buffer);
}

/* deadline */

/* Hardware gets the first piece of @xfer: from now on its time runs. */
static inline void udma_deadline_add(struct udma_engine *engine, struct udma_xfer *xfer)
{
	if (xfer->timeout_ns != UDMA_TIMEOUT_NEVER)
		udma_deadline_start(engine, xfer);
}

static inline void udma_deadline_remove(struct udma_engine *engine, struct udma_xfer *xfer)
{
	if (!RB_EMPTY_NODE(&xfer->deadline.node))
		udma_deadline_stop(engine, xfer);
}

/* slot: one function a transition, and more in slot.c */

/* Hardware has a descriptor less. */
static inline void udma_slot_leave(struct udma_engine *engine, const struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	engine->issued_bytes -= slot->slice.bytes;
	if (--engine->issued)
		return;
	engine->alone = false;
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
}

/* Hardware is given a descriptor. */
static inline void udma_slot_enter(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	/* Before it is submitted: some providers call back from inside submit. */
	slot->state = UDMA_SLOT_ISSUED;
	slot->epoch = engine->epoch;
	slot->order = engine->order++;
	slot->released = false;
	slot->residue = slot->slice.bytes;
	if (!engine->issued++)
		engine->progress = jiffies;
	engine->issued_bytes += slot->slice.bytes;
	engine->alone |= slot->xfer->file->strikes >= UDMA_STRIKES;
	udma_reset_watch(engine);
}

/* A slot is not in use any more, whatever became of it. */
static inline void udma_slot_put(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	if (slot->state == UDMA_SLOT_ISSUED || slot->state == UDMA_SLOT_RETIRED)
		udma_slot_leave(engine, slot);
	else if (slot->state == UDMA_SLOT_REPLAY)
		engine->nr_replay--;
	else if (slot->state == UDMA_SLOT_HELD)
		engine->nr_held--;
	else
		return;
	if (engine->blame == slot)
		engine->blame = NULL;
	slot->state = UDMA_SLOT_FREE;
	engine->free[engine->nr_free++] = slot - engine->slots;
}

/* engine */

/* Whether hardware may be given anything now. */
static inline bool udma_engine_may_issue(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->state == UDMA_STATE_WORKING && !engine->stopped && !engine->paused;
}

/* Let the dispatcher look for work. From anywhere. */
static inline void udma_engine_kick(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_fifo_empty(&engine->runnable) || engine->nr_replay)
		udma_engine_wake(engine);
}

/* @file has something to give to hardware, perhaps only now. */
static inline void udma_engine_add(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_fifo_has(&file->run) && !udma_fifo_empty(&file->queue))
		udma_fifo_push(&engine->runnable, &file->run);
}

/* @file has nothing to give, or nothing now. */
static inline void udma_engine_remove(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	udma_fifo_remove(&engine->runnable, &file->run);
	file->credit = 0;
}

/* xfer */

/*
 * The transfer of @file that hardware is to be given a piece of next, or NULL.
 * There is one more look when the one that a fence waits for has ended.
 */
static inline struct udma_xfer *udma_xfer_first(struct udma_file *file)
{
	struct udma_xfer *xfer;

	lockdep_assert_held(&file->chan->engine.lock);
	xfer = udma_fifo_first(&file->queue, struct udma_xfer, node);
	if (xfer && xfer->fence && xfer->state == UDMA_XFER_QUEUED && file->active)
		return NULL;
	return xfer;
}

/* Take the next piece of a transfer for hardware: QUEUED -> ISSUED. */
static inline void udma_xfer_take(struct udma_xfer *xfer, size_t max_bytes, struct udma_slice *slice)
{
	size_t bytes = min_t(u64, xfer->bytes - xfer->cursor, max_bytes);

	lockdep_assert_held(&xfer->file->chan->engine.lock);
	*slice = (struct udma_slice) {
		.dst = xfer->dst->dma + xfer->dst_offset + xfer->cursor,
		.src = xfer->src ? xfer->src->dma + xfer->src_offset + xfer->cursor : 0,
		.bytes = bytes,
		.op = xfer->op,
		.fill = xfer->fill,
	};
	if (xfer->state == UDMA_XFER_QUEUED) {
		xfer->state = UDMA_XFER_ISSUED;
		xfer->file->active++;
		udma_deadline_add(&xfer->file->chan->engine, xfer);
	}
	xfer->slots++;
	xfer->cursor += bytes;
	if (xfer->cursor == xfer->bytes)
		udma_fifo_remove(&xfer->file->queue, &xfer->node);
}

#endif /* UDMA_HOT_H */
