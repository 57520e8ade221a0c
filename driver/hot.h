/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each transfer passes through on its way, of several objects: calls from
 * file to file would cost more than what is done in them.
 */
#ifndef UDMA_HOT_H
#define UDMA_HOT_H

#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "udma.h"

/* buffer */

/* The buffer of @file at @index, which may come from the program, or NULL. */
static inline struct udma_buffer *udma_buffer_at(struct udma_file *file, unsigned long index)
{
	unsigned int slots = file->buffers.slots;

	lockdep_assert_held(&file->chan->engine.lock);
	if (index >= slots)
		return NULL;
	return file->buffers.table[array_index_nospec(index, slots)];
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

/* event */

/* Promise a slot to a transfer; false when there is none. Under the engine's lock. */
static inline bool udma_events_reserve(struct udma_events *events)
{
	/* Pairs with udma_events_copy(): the slots were read before. */
	if (events->reserved - smp_load_acquire(&events->head) >= events->entries &&
	    !udma_events_find_room(events))
		return false;
	WRITE_ONCE(events->reserved, events->reserved + 1);
	return true;
}

/*
 * The slot of the next event, for udma_events_post(). The program may see it and write to
 * it, so it is written whole and never read. Under the engine's lock.
 */
static inline struct udma_event *udma_events_slot(struct udma_events *events)
{
	return &events->ring[events->tail & (events->entries - 1)];
}

/* Fill the rest of the slot, which was promised: the event is there. */
static inline void udma_events_post(struct udma_events *events, u64 now)
{
	struct udma_event *event = udma_events_slot(events);
	u32 tail = events->tail + 1;

	event->timestamp_ns = now ?: ktime_get_ns();
	event->type = UDMA_EVENT_TRANSFER;
	event->__reserved = 0;
	event->__reserved2[0] = 0;
	event->__reserved2[1] = 0;
	/* Pairs with udma_events_count(). */
	smp_store_release(&events->tail, tail);
	if (events->shared)
		/* Pairs with the program's acquire. */
		smp_store_release(&events->shared->complete_tail, tail);
	if (events->quiet)
		events->untold = true;
	/* Who waits looks under the engine's lock, after it has queued itself. */
	else if (!RB_EMPTY_ROOT(&events->waiters.rb_root) || waitqueue_active(&events->wait) ||
		 events->eventfd)
		udma_events_wake(events, EPOLLIN | EPOLLRDNORM);
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

/* Something of what is waited for with engine->left may have come. */
static inline void udma_engine_tell_left(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
}

/* Hardware has a descriptor less. */
static inline void udma_slot_leave(struct udma_engine *engine, const struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	engine->issued_bytes -= slot->slice.bytes;
	if (--engine->issued)
		return;
	engine->alone = false;
	udma_engine_tell_left(engine);
}

/* Hardware is given a descriptor. */
static inline void udma_slot_enter(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	/* Before it is submitted: some providers call back from inside submit. */
	slot->state = UDMA_SLOT_ISSUED;
	slot->epoch = engine->epoch;
	slot->order = engine->order++;
	slot->quiet = false;
	if (!engine->issued++)
		engine->progress = jiffies;
	engine->issued_bytes += slot->slice.bytes;
	engine->alone |= slot->xfer->file->strikes >= UDMA_STRIKES;
	if (!engine->watched)
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
static inline void udma_xfer_take(struct udma_engine *engine, struct udma_xfer *xfer,
				  struct udma_slice *slice)
{
	size_t bytes = min_t(u64, xfer->bytes - xfer->cursor, engine->slice_bytes[xfer->op]);

	lockdep_assert_held(&engine->lock);
	slice->dst = xfer->dst_addr + xfer->cursor;
	slice->src = xfer->src_addr + xfer->cursor;
	slice->bytes = bytes;
	slice->op = xfer->op;
	slice->fill = xfer->fill;
	if (xfer->state == UDMA_XFER_QUEUED) {
		xfer->state = UDMA_XFER_ISSUED;
		xfer->file->active++;
		udma_deadline_add(engine, xfer);
	}
	xfer->slots++;
	xfer->cursor += bytes;
	if (xfer->cursor == xfer->bytes)
		udma_fifo_pop(&xfer->file->queue);
}

/* A transfer is not under way any more. It may be used again only when the lock is given back. */
static inline void udma_xfer_leave(struct udma_engine *engine, struct udma_xfer *xfer)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&engine->lock);
	if (xfer->state == UDMA_XFER_ISSUED)
		file->active--;
	udma_deadline_remove(engine, xfer);
	xfer->state = UDMA_XFER_FREE;
	xfer->next_free = file->free;
	file->free = xfer;
	/* What comes next may have waited for this one, or for a fence that it was. */
	if (!udma_fifo_empty(&file->queue))
		udma_engine_add(engine, file);
}

/* Tell the program how a transfer ended. */
static inline void udma_xfer_post(struct udma_engine *engine, const struct udma_xfer *xfer,
				  int status, u32 flags)
{
	struct udma_events *events = &xfer->file->events;
	struct udma_event *event = udma_events_slot(events);

	event->user_data = xfer->user_data;
	event->sequence = xfer->sequence;
	event->bytes = xfer->moved;
	event->status = status;
	event->flags = flags;
	udma_events_post(events, engine->now);
}

/* Last: the buffers are what keeps the file. */
static inline void udma_xfer_let_go(struct udma_xfer *xfer)
{
	struct udma_buffer *dst = xfer->dst;

	if (xfer->src)
		udma_buffer_put(xfer->src);
	udma_buffer_put(dst);
}

/* Hardware has one piece of the transfer, the last, and nothing was wrong so far. */
static inline bool udma_xfer_is_fine(const struct udma_xfer *xfer)
{
	return xfer->slots == 1 && xfer->cursor == xfer->bytes &&
	       !xfer->status && !xfer->trouble && !xfer->file->closed;
}

/* The usual end: hardware has moved the last @bytes of a transfer that is fine. */
static inline void udma_xfer_finish(struct udma_engine *engine, struct udma_xfer *xfer,
				    size_t bytes)
{
	xfer->slots = 0;
	xfer->moved += bytes;
	udma_xfer_leave(engine, xfer);
	udma_xfer_post(engine, xfer, 0, UDMA_EVENT_F_EXACT);
	udma_xfer_let_go(xfer);
}

#endif /* UDMA_HOT_H */
