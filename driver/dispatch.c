// SPDX-License-Identifier: GPL-2.0
/*
 * The window of the hardware: a bounded number of descriptors, given to it in batches
 * from the files that have something to do, by turns. The dispatcher has one
 * owner at a time and holds no lock while it is inside the provider.
 */
#include <linux/dmaengine.h>
#include <linux/wait.h>

#include "hot.h"
#include "udma.h"

/* Descriptors that a dispatcher issues before the channel's worker takes over. */
#define UDMA_DISPATCH_BUDGET	64
/*
 * For how long a provider that refuses a descriptor with nothing in flight is
 * asked again. Some have a descriptor back only after its callback.
 */
#define UDMA_REFUSAL_TIMEOUT	max(HZ / 50, 2)

/* The slot that is to be issued again next, the one that was issued first. */
static struct udma_slot *udma_engine_next_replay(struct udma_engine *engine)
{
	struct udma_slot *next = NULL;
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; engine->nr_replay && i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state == UDMA_SLOT_REPLAY && (!next || slot->order < next->order))
			next = slot;
	}
	return next;
}

/* Whether @file has to wait until hardware has nothing else. */
static bool udma_engine_is_crowded(const struct udma_engine *engine, const struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	return engine->issued && (engine->alone || file->strikes >= UDMA_STRIKES);
}

/* @file has something in the batch, and perhaps nobody else may have. */
static void udma_engine_crowd(struct udma_engine *engine, const struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	engine->alone |= file->strikes >= UDMA_STRIKES;
}

/* What is to be issued again goes first. False: nothing else may be issued now. */
static bool udma_batch_take_replays(struct udma_engine *engine)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	while (engine->nr_replay) {
		slot = udma_engine_next_replay(engine);
		if (!udma_batch_has_room(engine, slot->xfer->file) ||
		    udma_engine_is_crowded(engine, slot->xfer->file))
			return false;
		engine->nr_replay--;
		udma_slot_talk(engine, slot);
		udma_slot_enter(engine, slot, slot->bytes);
		udma_engine_crowd(engine, slot->xfer->file);
	}
	return true;
}

/*
 * Take pieces of transfers of @file, which is the first in line, as long as it is its
 * turn. Then it is the last in line, or has left it. False: it may not be issued now.
 */
static bool udma_batch_take_file(struct udma_engine *engine, struct udma_file *file)
{
	size_t bytes, credit = file->credit ?: UDMA_SLICE_BYTES;
	struct udma_xfer *xfer;

	lockdep_assert_held(&engine->lock);
	while ((xfer = udma_xfer_first(file)) && credit) {
		if (!udma_batch_has_room(engine, file) || udma_engine_is_crowded(engine, file)) {
			file->credit = credit;
			return false;
		}
		bytes = udma_xfer_next_bytes(engine, xfer);
		if (xfer->state == UDMA_XFER_QUEUED)
			udma_xfer_begin(engine, xfer);
		udma_batch_add(engine, xfer, xfer->cursor, bytes);
		udma_engine_crowd(engine, file);
		if (xfer->cursor == xfer->bytes)
			udma_fifo_pop(&file->queue);
		/* Descriptors of a few bytes take their time as well. */
		if (unlikely(!udma_xfer_is_plain(xfer)))
			bytes = max_t(size_t, bytes, UDMA_QUIET_LEAST);
		credit -= min(bytes, credit);
	}
	udma_engine_remove(engine, file);
	if (xfer)
		udma_engine_add(engine, file);
	return true;
}

/* Take as many descriptors as the window has room for. */
static void udma_batch_take(struct udma_engine *engine, unsigned int max)
{
	struct udma_file *file;

	lockdep_assert_held(&engine->lock);
	udma_batch_begin(engine, max);
	if (!udma_batch_take_replays(engine))
		return;
	while ((file = udma_fifo_first(&engine->runnable, struct udma_file, run)))
		if (!udma_batch_take_file(engine, file))
			return;
}

/* Whether somebody is asleep until a transfer of @file has ended, or something waits for it. */
static bool udma_batch_is_awaited(const struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	return !udma_fifo_empty(&file->queue) || udma_events_awaited(&file->events);
}

/*
 * Nothing is added to the batch any more. If its last descriptors do not interrupt, the last
 * one does so after all where somebody waits for any of them, else the programs will look.
 */
static void udma_batch_close(struct udma_engine *engine)
{
	struct udma_slot **slots = engine->batch.slots;
	unsigned int last = engine->batch.count - 1, i;
	bool awaited = !udma_fifo_empty(&engine->runnable);

	lockdep_assert_held(&engine->lock);
	if (!slots[last]->quiet)
		return;
	for (i = last; !awaited && slots[i]->quiet; i--) {
		awaited = udma_batch_is_awaited(engine, slots[i]->xfer->file);
		if (!i)
			break;
	}
	if (!awaited) {
		udma_engine_expect(engine);
		return;
	}
	WRITE_ONCE(engine->nr_quiet, engine->nr_quiet - 1);
	udma_slot_talk(engine, slots[last]);
}

/* Whether a provider with nothing in flight has refused for too long in a row. */
static bool udma_engine_gave_up(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->refused || time_after(jiffies, engine->refused_last + UDMA_REFUSAL_TIMEOUT))
		engine->refused_since = jiffies;
	engine->refused = true;
	engine->refused_last = jiffies;
	return time_after(jiffies, engine->refused_since + UDMA_REFUSAL_TIMEOUT);
}

/* A slice that was not issued goes back, and its file to the front or the end of the line. */
static void udma_engine_untake(struct udma_engine *engine, struct udma_xfer *xfer, size_t bytes,
			       bool front)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&engine->lock);
	udma_xfer_untake(xfer, bytes);
	if (!udma_fifo_has(&file->run))
		return;
	if (front) {
		/* It is still its turn. */
		file->credit += bytes;
		udma_fifo_remove(&engine->runnable, &file->run);
		udma_fifo_push_front(&engine->runnable, &file->run);
	} else {
		udma_engine_remove(engine, file);
		udma_engine_add(engine, file);
	}
}

/* A descriptor that was not issued waits until it can be. */
static void udma_engine_put_back(struct udma_engine *engine, struct udma_slot *slot, bool front)
{
	struct udma_xfer *xfer = slot->xfer;
	size_t bytes = slot->bytes;

	lockdep_assert_held(&engine->lock);
	if (!slot->again) {
		udma_slot_put(engine, slot);
		udma_engine_untake(engine, xfer, bytes, front);
	} else if (udma_xfer_wanted(xfer)) {
		udma_slot_replay(engine, slot);
	} else {
		/* Else it has its status, or hardware has called it short. */
		udma_slot_put(engine, slot);
		udma_xfer_complete(xfer, bytes, 0, engine->stopped ? -ENODEV : 0, false);
	}
}

/*
 * The provider did not take a descriptor. With others in flight that means
 * later, and their callback comes back here. With none it is asked for a while,
 * and then the transfer fails.
 *
 * Return: whether it makes sense to go on.
 */
static bool udma_engine_refused(struct udma_engine *engine, struct udma_slot *slot, int error,
				bool alone)
{
	struct udma_xfer *xfer = slot->xfer;
	size_t bytes = slot->bytes;

	lockdep_assert_held(&engine->lock);
	if (error == -EAGAIN && !alone) {
		udma_engine_put_back(engine, slot, true);
		return !engine->issued;
	}
	if (error == -EAGAIN && !udma_engine_gave_up(engine)) {
		udma_engine_put_back(engine, slot, false);
		mod_delayed_work(udma_wq, &engine->work, 1);
		return false;
	}
	/* Perhaps it was too much at once. */
	if (error == -EAGAIN && udma_prep_shrink(engine, slot)) {
		engine->refused = false;
		udma_engine_put_back(engine, slot, true);
		return true;
	}
	udma_slot_put(engine, slot);
	udma_xfer_complete(xfer, bytes, 0, -EIO, !slot->again);
	return true;
}

/* From @issued on they were not; the provider refused the first of these. */
static bool udma_batch_refused(struct udma_engine *engine, unsigned int issued, int error)
{
	const struct udma_batch *batch = &engine->batch;
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = issued; i < batch->count; i++)
		if (batch->slots[i]->quiet)
			WRITE_ONCE(engine->nr_quiet, engine->nr_quiet - 1);
	if (udma_engine_is_quiet(engine) &&
	    udma_engine_last_quiet(engine)->order + 1 == batch->slots[issued]->order) {
		/* Nobody would tell in time when there is room again. */
		udma_engine_talk(engine);
		udma_engine_expect(engine);
	}
	/* The last one first: each is again the next of its file. */
	for (i = batch->count - 1; i > issued; i--)
		udma_engine_put_back(engine, batch->slots[i], true);
	return udma_engine_refused(engine, batch->slots[issued], error,
				   batch->first && !issued);
}

/* Fill the window. Returns with the lock held, as it is called. */
static void udma_engine_fill(struct udma_engine *engine, unsigned int *budget)
{
	struct udma_batch *batch = &engine->batch;
	unsigned int issued;
	bool go_on = true;
	int error;

	lockdep_assert_held(&engine->lock);
	while (go_on) {
		/* Who submits may have begun one. */
		if (!batch->count)
			udma_batch_take(engine, min_t(unsigned int, *budget, UDMA_WINDOW_SLOTS));
		if (!batch->count)
			break;
		*budget -= batch->count;
		udma_batch_close(engine);
		spin_unlock_irq(&engine->lock);
		issued = udma_engine_issue(engine, batch->slots, batch->count, &error);
		spin_lock_irq(&engine->lock);
		if (issued)
			engine->refused = false;
		if (error)
			go_on = udma_batch_refused(engine, issued, error);
		else
			go_on = engine->nr_replay || !udma_fifo_empty(&engine->runnable);
		batch->count = 0;
	}
}

/**
 * udma_engine_dispatch - give hardware what it can take
 * @engine: the engine; its lock is held, given back meanwhile, and held again
 *
 * In process context with bottom halves off. When somebody else is at it already, he is
 * made to look once more.
 */
void udma_engine_dispatch(struct udma_engine *engine)
{
	unsigned int budget = UDMA_DISPATCH_BUDGET;

	lockdep_assert_held(&engine->lock);
	if (engine->running) {
		engine->again = true;
		return;
	}
	if (!udma_engine_may_issue(engine))
		return;
	engine->running = true;
	do {
		engine->again = false;
		udma_engine_fill(engine, &budget);
	} while (engine->again && budget);
	engine->running = false;
	if (!budget)
		udma_engine_kick(engine);
	udma_engine_tell_left(engine);
}
