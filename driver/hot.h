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

/* Whether so much is in it, from @offset on. */
static inline bool udma_buffer_has(const struct udma_buffer *buffer, u64 offset, u64 bytes)
{
	return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
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

static inline struct udma_engine *udma_events_engine(struct udma_events *events)
{
	return &container_of(events, struct udma_file, events)->chan->engine;
}

/*
 * Learn how far the events have been taken. Where the program says so itself, that is
 * read once. False: it cannot be.
 */
static inline bool udma_events_learn_head(struct udma_events *events, u32 *head)
{
	/* Before the program's, which is never behind it. */
	u32 known = smp_load_acquire(&events->head);

	*head = known;
	if (!events->shared)
		return true;
	/* Pairs with the program's release: it has read the events. And before the tail. */
	*head = smp_load_acquire(&events->shared->complete_head);
	return *head == known || udma_events_move_head(events, known, *head);
}

/* How many events there are behind @head. */
static inline u32 udma_events_count(const struct udma_events *events, u32 head)
{
	/* Pairs with udma_events_post(): what they say was written before. */
	return smp_load_acquire(&events->tail) - head;
}

/* Whether the last event has been written. */
static inline bool udma_events_closed(const struct udma_events *events)
{
	/* Pairs with udma_events_close(): look at it before the queue. */
	return smp_load_acquire(&events->closed);
}

/* Whether @count events are there: 1, or not yet, or a negative errno. */
static inline int udma_events_reached(struct udma_events *events, u32 count, u32 *head)
{
	bool closed = udma_events_closed(events);

	if (!udma_events_learn_head(events, head))
		return -EINVAL;
	if (udma_events_count(events, *head) >= count)
		return 1;
	return closed ? -ENODEV : 0;
}

/* Promise a slot to a transfer; false when there is none. Under the engine's lock. */
static inline bool udma_events_reserve(struct udma_events *events)
{
	u32 reserved = events->reserved;

	/* Pairs with udma_events_copy(): the slots were read before. */
	if (reserved - smp_load_acquire(&events->head) >= events->entries &&
	    !udma_events_find_room(events))
		return false;
	WRITE_ONCE(events->reserved, reserved + 1);
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

/*
 * Whether anybody may be asleep until there is one. Who goes to sleep looks under the
 * engine's lock, after it has queued itself.
 */
static inline bool udma_events_awaited(struct udma_events *events)
{
	/* No barrier: see above. */
	return !RB_EMPTY_ROOT(&events->waiters.rb_root) || waitqueue_active(&events->wait) ||
	       events->eventfd;
}

/* Let the program see in its memory what there is. */
static inline void udma_events_share_tail(struct udma_events *events)
{
	if (events->shared)
		/* Pairs with the program's acquire. */
		smp_store_release(&events->shared->complete_tail, events->tail);
}

/* @event is filled but for the time, in the next slot, which was promised: it is there. */
static inline void udma_events_push(struct udma_events *events, struct udma_event *event, u64 now)
{
	u32 tail = events->tail + 1;

	event->timestamp_ns = now ?: ktime_get_ns();
	/* Pairs with udma_events_count(). */
	smp_store_release(&events->tail, tail);
	if (events->quiet) {
		events->untold = true;
		return;
	}
	udma_events_share_tail(events);
	if (udma_events_awaited(events))
		udma_events_wake(events, EPOLLIN | EPOLLRDNORM);
}

/* The same of a transfer: fill the rest. */
static inline void udma_events_post(struct udma_events *events, struct udma_event *event, u64 now)
{
	event->type = UDMA_EVENT_TRANSFER;
	event->count = 0;
	event->position = 0;
	event->lost = 0;
	udma_events_push(events, event, now);
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
	engine->issued_bytes -= slot->bytes;
	if (--engine->issued)
		return;
	engine->alone = false;
	udma_engine_tell_left(engine);
}

/* It interrupts. */
static inline void udma_slot_talk(struct udma_engine *engine, struct udma_slot *slot)
{
	slot->quiet = false;
	engine->quiet_left = engine->quiet_most;
}

/* Hardware is given a descriptor, with the others of the batch. */
static inline void udma_slot_enter(struct udma_engine *engine, struct udma_slot *slot, size_t bytes)
{
	struct udma_batch *batch = &engine->batch;

	lockdep_assert_held(&engine->lock);
	/* Before it is submitted: some providers call back from inside submit. */
	slot->state = UDMA_SLOT_ISSUED;
	slot->epoch = engine->epoch;
	slot->order = engine->order++;
	if (!engine->issued++) {
		engine->progress = jiffies;
		if (!engine->watched)
			udma_reset_watch(engine);
	}
	engine->issued_bytes += bytes;
	slot->bytes = bytes;
	batch->slots[batch->count++] = slot;
}

static inline void udma_slot_free(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	if (engine->blame == slot)
		engine->blame = NULL;
	slot->state = UDMA_SLOT_FREE;
	engine->free[engine->nr_free++] = slot;
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
	udma_slot_free(engine, slot);
}

/* engine */

/* Whether the provider tells of each byte how far it has come. */
static inline bool udma_engine_tells_bytes(const struct udma_engine *engine)
{
	return engine->granularity == DMA_RESIDUE_GRANULARITY_BURST;
}

/* Whether it tells that of nothing but a whole descriptor. */
static inline bool udma_engine_tells_nothing(const struct udma_engine *engine)
{
	return engine->granularity == DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
}

/* Whether hardware may be given anything now. */
static inline bool udma_engine_may_issue(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->state == UDMA_STATE_WORKING && !engine->stopped && !engine->paused &&
	       !engine->reset_reasons;
}

/* Let the dispatcher look for work. From anywhere. */
static inline void udma_engine_kick(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_fifo_empty(&engine->runnable) || engine->nr_replay)
		udma_engine_wake(engine);
}

/* Whether hardware has, or had, something whose end nobody tells. Without the lock a hint. */
static inline bool udma_engine_is_quiet(const struct udma_engine *engine)
{
	return READ_ONCE(engine->nr_quiet) != READ_ONCE(engine->nr_heard);
}

/* Of those, the one that hardware was given last. */
static inline struct udma_slot *udma_engine_last_quiet(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return engine->quiet[(engine->nr_quiet - 1) % UDMA_WINDOW_SLOTS];
}

/* From now on all descriptors interrupt. */
static inline void udma_engine_talk(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->quiet_most = 0;
	engine->quiet_left = 0;
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

/* A transfer that is not in use, if @file may have one more. */
static inline struct udma_xfer *udma_xfer_get(struct udma_file *file)
{
	struct udma_xfer *xfer = file->free;

	lockdep_assert_held(&file->chan->engine.lock);
	/* Heads come from the program: whatever they say, there are only so many transfers. */
	if (!xfer || !udma_events_reserve(&file->events))
		return NULL;
	/* There is one for each slot of the queue, and this one has a slot. */
	file->free = xfer->next_free;
	return xfer;
}

/* What all transfers have of their requests. */
static inline void udma_xfer_set(struct udma_xfer *xfer, const struct udma_request *request)
{
	struct udma_file *file = xfer->file;

	xfer->moved = 0;
	xfer->user_data = request->user_data;
	xfer->sequence = file->sequence++;
	xfer->timeout_ns = request->timeout_ns ?: file->chan->engine.timeout_ns;
	xfer->flags = request->flags;
	xfer->status = 0;
}

/* @file has submitted something: a device's channel is its own from now on. */
static inline void udma_xfer_claim(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (udma_engine_has_device(engine))
		engine->owner = file;
}

/* Whether @file may submit now. */
static inline int udma_xfer_may_submit(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		return -ENODEV;
	if (engine->state == UDMA_STATE_FAILED)
		return -EIO;
	return udma_engine_has_device(engine) ? udma_xfer_own(engine, file) : 0;
}

/* Whether it is a stream. */
static inline bool udma_xfer_is_stream(const struct udma_xfer *xfer)
{
	return xfer->op >= UDMA_OP_CYCLIC;
}

/* Its ranges, or NULL. */
static inline struct udma_list *udma_xfer_list(const struct udma_xfer *xfer)
{
	return xfer->op <= UDMA_OP_INTERLEAVE ? NULL : xfer->list;
}

/* Whether it is a copy or a fill of one range. */
static inline bool udma_xfer_is_plain(const struct udma_xfer *xfer)
{
	return xfer->op <= UDMA_OP_FILL;
}

/* How long its next piece is. */
static inline size_t udma_xfer_next_bytes(const struct udma_engine *engine,
					  const struct udma_xfer *xfer)
{
	if (unlikely(!udma_xfer_is_plain(xfer)))
		return udma_prep_bytes(engine, xfer);
	return min_t(u64, xfer->bytes - xfer->cursor, engine->slice_bytes[xfer->op]);
}

/* Whether @xfer has to wait until all that were before it have ended. */
static inline bool udma_xfer_is_fenced(const struct udma_xfer *xfer)
{
	return xfer->flags & UDMA_REQUEST_F_FENCE && xfer->file->active;
}

/* A packet that ends in one piece of @xfer ends it: the next one may not go into another. */
static inline bool udma_xfer_may_end(const struct udma_xfer *xfer)
{
	return xfer->op == UDMA_OP_DEV_TO_MEM && xfer->slots;
}

/*
 * The transfer of @file that hardware is to be given a piece of next, or NULL.
 * There is one more look when the one that a fence waits for has ended, or a piece
 * before which nobody knows whether there is another.
 */
static inline struct udma_xfer *udma_xfer_first(struct udma_file *file)
{
	struct udma_xfer *xfer;

	lockdep_assert_held(&file->chan->engine.lock);
	xfer = udma_fifo_first(&file->queue, struct udma_xfer, node);
	if (xfer && xfer->state == UDMA_XFER_QUEUED && udma_xfer_is_fenced(xfer))
		return NULL;
	if (!xfer || likely(udma_xfer_is_plain(xfer)))
		return xfer;
	if (xfer->op == UDMA_OP_PACKETS && !udma_packet_goes_on(file->stream))
		return NULL;
	return udma_xfer_may_end(xfer) ? NULL : xfer;
}

/* Hardware is going to be given the first piece of a transfer: -> ISSUED. */
static inline void udma_xfer_begin(struct udma_engine *engine, struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	xfer->state = UDMA_XFER_ISSUED;
	xfer->file->active++;
	udma_deadline_add(engine, xfer);
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
				  u64 moved, int status, u32 flags)
{
	struct udma_events *events = &xfer->file->events;
	struct udma_event *event = udma_events_slot(events);

	event->user_data = xfer->user_data;
	event->sequence = xfer->sequence;
	event->bytes = moved;
	event->status = status;
	event->flags = flags;
	udma_events_post(events, event, engine->now);
}

/* Last: the buffers are what keeps the file. */
static inline void udma_xfer_let_go(struct udma_xfer *xfer)
{
	struct udma_buffer *dst = xfer->dst;

	if (unlikely(!dst)) {
		udma_xfer_let_go_others(xfer);
		return;
	}
	if (xfer->src)
		udma_buffer_put(xfer->src);
	udma_buffer_put(dst);
}

/* Hardware has one piece of the transfer, the last, and nothing was wrong so far. */
static inline bool udma_xfer_is_fine(const struct udma_xfer *xfer)
{
	return xfer->slots == 1 && xfer->cursor == xfer->bytes && !(xfer->status | xfer->trouble);
}

/*
 * The usual end: hardware has moved the last @bytes of a transfer that is fine. Of a
 * file that is closed nobody reads the event, and it does no harm.
 */
static __always_inline void udma_xfer_finish(struct udma_engine *engine, struct udma_xfer *xfer,
					     size_t bytes)
{
	xfer->slots = 0;
	udma_xfer_leave(engine, xfer);
	udma_xfer_post(engine, xfer, xfer->moved + bytes, 0, UDMA_EVENT_F_EXACT);
	udma_xfer_let_go(xfer);
}

/* batch: what is going to be issued */

/* Begin one of at most @max descriptors, or of none if hardware may not be given any. */
static inline void udma_batch_begin(struct udma_engine *engine, unsigned int max)
{
	struct udma_batch *batch = &engine->batch;
	unsigned int window = READ_ONCE(engine->window);

	lockdep_assert_held(&engine->lock);
	batch->first = !engine->issued;
	batch->max = 0;
	if (udma_engine_may_issue(engine) && engine->issued < window)
		batch->max = min3(max, window - engine->issued,
				  engine->nr_free + engine->nr_replay);
}

static inline bool udma_batch_has_room(const struct udma_engine *engine,
				       const struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	/* Who has the channel alone holds nobody up. */
	return engine->batch.count < engine->batch.max &&
	       (engine->issued_bytes < UDMA_WINDOW_BYTES || file->exclusive ||
		udma_engine_has_device(engine));
}

/*
 * Whether the end of what is added to the batch next may go untold until that of a later
 * one, or until the program looks: that is soon, no clock runs that would have to be
 * stopped in time, and the window does not become full by it.
 */
static inline bool udma_batch_may_hush(const struct udma_engine *engine,
				       const struct udma_xfer *xfer, size_t weight)
{
	return xfer->flags & UDMA_REQUEST_F_MORE && weight <= engine->quiet_left &&
	       xfer->timeout_ns == UDMA_TIMEOUT_NEVER &&
	       engine->batch.count + 1 < engine->batch.max;
}

/* The piece of a transfer that begins @at is going to be issued. */
static inline void udma_batch_add(struct udma_engine *engine, struct udma_xfer *xfer, u64 at,
				  size_t bytes)
{
	struct udma_slot *slot = engine->free[--engine->nr_free];
	size_t weight = max_t(size_t, bytes, UDMA_QUIET_LEAST);

	lockdep_assert_held(&engine->lock);
	slot->xfer = xfer;
	slot->at = at;
	slot->again = false;
	if (udma_batch_may_hush(engine, xfer, weight)) {
		slot->quiet = true;
		engine->quiet_left -= weight;
		engine->quiet[engine->nr_quiet % UDMA_WINDOW_SLOTS] = slot;
		WRITE_ONCE(engine->nr_quiet, engine->nr_quiet + 1);
	} else {
		udma_slot_talk(engine, slot);
	}
	xfer->slots++;
	xfer->cursor = at + bytes;
	udma_slot_enter(engine, slot, bytes);
}

#endif /* UDMA_HOT_H */
