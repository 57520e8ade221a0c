// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware and its window: a bounded number of descriptors, given to a
 * dmaengine channel from the files that have something to do, by turns. This is
 * the only file that gives work to the channel; reset.c stops it.
 *
 * The callback runs wherever the provider calls it, with whatever the provider
 * holds. It records what happened and kicks the dispatcher; it never prepares or
 * submits. The dispatcher has one owner at a time and holds no lock while it is
 * inside the provider.
 */
#include <linux/bottom_half.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "compat.h"
#include "hot.h"
#include "udma.h"

/* Descriptors that a dispatcher issues before the channel's worker takes over. */
#define UDMA_DISPATCH_BUDGET	64
/*
 * For how long a provider that refuses a descriptor with nothing in flight is
 * asked again. Some have a descriptor back only after its callback.
 */
#define UDMA_REFUSAL_TIMEOUT	max(HZ / 50, 2)

/* From here on callbacks of what hardware has been given come too late. */
void udma_engine_next_epoch(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->epoch = (engine->epoch + 1) % UDMA_EPOCHS;
}

/* See udma_engine_kick(), where there is something to do. */
void udma_engine_wake(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!udma_engine_may_issue(engine))
		return;
	if (engine->running)
		engine->again = true;
	else
		mod_delayed_work(udma_wq, &engine->work, 0);
}

/* @xfer has failed: what of it was to be issued again is not. */
void udma_engine_recall(struct udma_engine *engine, struct udma_xfer *xfer)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; engine->nr_replay && i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state != UDMA_SLOT_REPLAY || slot->xfer != xfer)
			continue;
		udma_slot_put(engine, slot);
		xfer->slots--;
		/* It was in hardware once, and perhaps moved something. */
		xfer->inexact = true;
	}
}

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

static bool udma_batch_has_room(const struct udma_engine *engine, const struct udma_batch *batch)
{
	lockdep_assert_held(&engine->lock);
	return batch->count < batch->max && engine->issued_bytes < UDMA_WINDOW_BYTES;
}

/* What is to be issued again goes first. False: nothing else may be issued now. */
static bool udma_batch_take_replays(struct udma_engine *engine, struct udma_batch *batch)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	while (engine->nr_replay) {
		slot = udma_engine_next_replay(engine);
		if (!udma_batch_has_room(engine, batch) ||
		    udma_engine_is_crowded(engine, slot->xfer->file))
			return false;
		engine->nr_replay--;
		udma_slot_enter(engine, slot);
		batch->slots[batch->count++] = slot;
	}
	return true;
}

/*
 * Whether the end of a transfer may go untold until the next one's: it is short, and
 * no clock runs that would have to be stopped in time.
 */
static bool udma_xfer_may_be_quiet(const struct udma_engine *engine, const struct udma_xfer *xfer)
{
	return xfer->more && !engine->talk && xfer->bytes <= UDMA_QUIET_BYTES &&
	       xfer->timeout_ns == UDMA_TIMEOUT_NEVER;
}

/*
 * Something follows the last descriptor of a batch closely enough. Hardware interrupts for
 * the later one only: the one before has ended by then.
 */
static void udma_batch_hush(struct udma_engine *engine, struct udma_batch *batch)
{
	struct udma_slot *slot = batch->slots[batch->count - 1];

	lockdep_assert_held(&engine->lock);
	if (++batch->quiet == UDMA_QUIET_RUN) {
		batch->quiet = 0;
		return;
	}
	slot->quiet = true;
	engine->quiet[engine->nr_quiet++ % UDMA_WINDOW_SLOTS] = slot - engine->slots;
}

/*
 * Take slices of @file, which is the first in line, as long as it is its turn. Then it
 * is the last in line, or has left it. False: it may not be issued now.
 */
static bool udma_batch_take_file(struct udma_engine *engine, struct udma_batch *batch,
				 struct udma_file *file)
{
	size_t credit = file->credit ?: UDMA_SLICE_BYTES;
	struct udma_xfer *xfer;
	struct udma_slot *slot;
	bool more = false;

	lockdep_assert_held(&engine->lock);
	while ((xfer = udma_xfer_first(file)) && credit) {
		if (!engine->nr_free || !udma_batch_has_room(engine, batch) ||
		    udma_engine_is_crowded(engine, file)) {
			file->credit = credit;
			return false;
		}
		if (more)
			udma_batch_hush(engine, batch);
		more = udma_xfer_may_be_quiet(engine, xfer);
		slot = &engine->slots[engine->free[--engine->nr_free]];
		slot->xfer = xfer;
		slot->again = false;
		udma_xfer_take(engine, xfer, &slot->slice);
		udma_slot_enter(engine, slot);
		batch->slots[batch->count++] = slot;
		credit -= min(slot->slice.bytes, credit);
	}
	udma_engine_remove(engine, file);
	if (xfer)
		udma_engine_add(engine, file);
	return true;
}

/* Take as many descriptors as the window has room for. */
static void udma_batch_take(struct udma_engine *engine, struct udma_batch *batch, unsigned int max)
{
	unsigned int window = READ_ONCE(engine->window);
	struct udma_file *file;

	lockdep_assert_held(&engine->lock);
	batch->first = !engine->issued;
	batch->quiet = 0;
	batch->count = 0;
	if (!udma_engine_may_issue(engine) || engine->issued >= window)
		return;
	batch->max = min(max, window - engine->issued);
	if (!udma_batch_take_replays(engine, batch))
		return;
	while ((file = udma_fifo_first(&engine->runnable, struct udma_file, run)))
		if (!udma_batch_take_file(engine, batch, file))
			return;
}

/* What is left to move of a descriptor, or nothing where that is not told. */
static size_t udma_slot_residue(const struct udma_engine *engine, const struct udma_slot *slot,
				const struct dmaengine_result *result)
{
	if (engine->granularity == DMA_RESIDUE_GRANULARITY_DESCRIPTOR)
		return 0;
	return result->residue <= slot->slice.bytes ? result->residue : 0;
}

/* A copy is one segment: of such a one it says that all is left until it is over. */
static bool udma_slot_is_exact(const struct udma_engine *engine, const struct udma_slot *slot,
			       size_t residue)
{
	return residue && (residue < slot->slice.bytes ||
			   engine->granularity == DMA_RESIDUE_GRANULARITY_BURST);
}

/* A descriptor of @file has ended well. */
static void udma_engine_praise(struct udma_file *file)
{
	if (file->strikes && ++file->good >= UDMA_STRIKES_FORGIVEN)
		file->strikes = 0;
}

/* Hardware is done with a descriptor that is waited for. */
static void udma_slot_complete(struct udma_engine *engine, struct udma_slot *slot,
			       const struct dmaengine_result *result)
{
	size_t residue = udma_slot_residue(engine, slot, result);
	size_t bytes = slot->slice.bytes;
	struct udma_xfer *xfer = slot->xfer;

	lockdep_assert_held(&engine->lock);
	engine->progress = jiffies;
	udma_slot_put(engine, slot);
	if (result->result == DMA_TRANS_NOERROR && !residue && udma_xfer_is_fine(xfer)) {
		udma_engine_praise(xfer->file);
		udma_xfer_finish(engine, xfer, bytes);
	} else if (result->result != DMA_TRANS_NOERROR) {
		/* Many leave residue alone, so zero means nothing here. */
		udma_xfer_complete(xfer, bytes, residue ? bytes - residue : 0, -EIO,
				   udma_slot_is_exact(engine, slot, residue));
	} else {
		/* All of it left is what some say who moved it all, xilinx_dma for one. */
		udma_engine_praise(xfer->file);
		udma_xfer_complete(xfer, bytes, residue < bytes ? bytes - residue : bytes, 0, true);
	}
	udma_engine_kick(engine);
}

static const struct dmaengine_result udma_success = { .result = DMA_TRANS_NOERROR };
static const struct dmaengine_result udma_failure = { .result = DMA_TRANS_ABORTED };

/* The first of those that do not interrupt and are not known to have ended, or NULL. */
static struct udma_slot *udma_engine_first_quiet(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->nr_heard == engine->nr_quiet)
		return NULL;
	return &engine->slots[engine->quiet[engine->nr_heard % UDMA_WINDOW_SLOTS]];
}

/*
 * Hardware is done with @slot, and so it is with those that it was given before and that
 * do not interrupt.
 */
static void udma_engine_complete(struct udma_engine *engine, struct udma_slot *slot,
				 const struct dmaengine_result *result)
{
	struct udma_events *events = &slot->xfer->file->events;
	struct udma_slot *quiet = udma_engine_first_quiet(engine);
	u64 order = slot->order;

	lockdep_assert_held(&engine->lock);
	if (!quiet) {
		udma_slot_complete(engine, slot, result);
		return;
	}
	engine->now = ktime_get_ns();
	udma_events_begin(events);
	for (; quiet && quiet->order <= order; quiet = udma_engine_first_quiet(engine)) {
		engine->nr_heard++;
		if (quiet != slot)
			udma_slot_complete(engine, quiet, &udma_success);
	}
	udma_slot_complete(engine, slot, result);
	udma_events_end(events);
	engine->now = 0;
}

/*
 * Ask the provider for those that do not interrupt, while nobody else is at the channel.
 * Return: the first that has not ended, or NULL.
 */
static struct udma_slot *udma_engine_hear(struct udma_engine *engine)
{
	const unsigned int heard = engine->nr_heard;
	struct udma_slot *slot;
	enum dma_status status;
	u64 order;

	lockdep_assert_held(&engine->lock);
	while ((slot = udma_engine_first_quiet(engine))) {
		order = slot->order;
		spin_unlock_irq(&engine->lock);
		status = dma_async_is_tx_complete(engine->dma, slot->cookie, NULL, NULL);
		spin_lock_irq(&engine->lock);
		/* Meanwhile its callback may have come, or that of a later one. */
		if (slot != udma_engine_first_quiet(engine) || slot->order != order)
			continue;
		if (status != DMA_COMPLETE && status != DMA_ERROR)
			break;
		engine->nr_heard++;
		udma_slot_complete(engine, slot, status == DMA_COMPLETE ? &udma_success :
									  &udma_failure);
	}
	/* A callback may come all the same: not for who has the slot next. */
	if (engine->nr_heard != heard)
		udma_engine_next_epoch(engine);
	return slot;
}

/* Look for those that do not interrupt until they have ended, for nobody tells. */
void udma_engine_listen(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->listen = udma_engine_hear(engine);
	if (engine->listen && engine->state == UDMA_STATE_WORKING && !engine->stopped)
		mod_delayed_work(udma_wq, &engine->work, 1);
}

/*
 * Learn once what has ended without an interrupt, unless somebody is at the channel.
 * Return: whether something has.
 */
bool udma_engine_look(struct udma_engine *engine)
{
	const unsigned int heard = engine->nr_heard;

	lockdep_assert_held(&engine->lock);
	if (engine->running || !engine->dma || !udma_engine_first_quiet(engine))
		return false;
	engine->running = true;
	udma_engine_hear(engine);
	engine->running = false;
	if (engine->again)
		udma_engine_kick(engine);
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
	return engine->nr_heard != heard;
}

/* Hardware is taken everything away: what did not interrupt is as good as what did. */
void udma_engine_forget(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	engine->nr_heard = engine->nr_quiet;
	engine->listen = false;
}

static struct udma_engine *udma_ticket_engine(struct udma_ticket *ticket)
{
	struct udma_slot *slot;

	slot = container_of(ticket - ticket->epoch, struct udma_slot, tickets[0]);
	return container_of(slot - ticket->slot, struct udma_engine, slots[0]);
}

/* Hardware is done with a descriptor. In any context, also a hard interrupt. */
static void udma_engine_done(void *param, const struct dmaengine_result *result)
{
	struct udma_ticket *ticket = param;
	struct udma_engine *engine = udma_ticket_engine(ticket);
	struct udma_slot *slot = &engine->slots[ticket->slot];

	if (!result)
		result = &udma_success;
	guard(spinlock_irqsave)(&engine->lock);
	if (ticket->slot == UDMA_PROBE_SLOT)
		udma_probe_done(engine, ticket, result->result == DMA_TRANS_NOERROR);
	else if (slot->epoch == ticket->epoch && slot->state == UDMA_SLOT_ISSUED)
		udma_engine_complete(engine, slot, result);
	else
		udma_reset_late(engine, slot->epoch == ticket->epoch ? slot : NULL);
}

/* For the providers that only look at the other kind of callback. */
static void udma_engine_done_plain(void *param)
{
	udma_engine_done(param, NULL);
}

/**
 * udma_engine_issue - prepare and submit one descriptor; nothing comes in between
 * @engine: the engine
 * @slot: what to issue, marked already as issued
 *
 * The dispatcher calls it, or a reset while there is none; with bottom halves off
 * and without locks.
 *
 * Return: zero, -EAGAIN when the provider has no descriptor, now or ever, or
 * another negative errno.
 */
int udma_engine_issue(struct udma_engine *engine, struct udma_slot *slot)
{
	const unsigned long flags = DMA_CTRL_ACK | (slot->quiet ? 0 : DMA_PREP_INTERRUPT);
	const struct udma_slice *slice = &slot->slice;
	struct dma_async_tx_descriptor *tx;

	if (slice->op == UDMA_OP_FILL)
		tx = dmaengine_prep_dma_memset(engine->dma, slice->dst, slice->fill, slice->bytes,
					       flags);
	else
		tx = dmaengine_prep_dma_memcpy(engine->dma, slice->dst, slice->src, slice->bytes,
					       flags);
	if (!tx)
		return -EAGAIN;
	if (!engine->plain)
		tx->callback_result = udma_engine_done;
	tx->callback = udma_engine_done_plain;
	tx->callback_param = &slot->tickets[slot->epoch];
	slot->cookie = dmaengine_submit(tx);
	if (slot->cookie == -EAGAIN)
		return -EAGAIN;
	return dma_submit_error(slot->cookie) ? -EIO : 0;
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
	size_t bytes = slot->slice.bytes;

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
	size_t bytes = slot->slice.bytes;

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
	udma_slot_put(engine, slot);
	udma_xfer_complete(xfer, bytes, 0, -EIO, !slot->again);
	return true;
}

/* Issue them. Returns how many were, and why the next was not. */
static unsigned int udma_batch_issue(struct udma_engine *engine, const struct udma_batch *batch,
				     int *error)
{
	unsigned int i;

	*error = 0;
	for (i = 0; i < batch->count && !*error; i++)
		*error = udma_engine_issue(engine, batch->slots[i]);
	if (*error)
		i--;
	if (i)
		dma_async_issue_pending(engine->dma);
	return i;
}

/* From @issued on they were not; the provider refused the first of these. */
static bool udma_batch_refused(struct udma_engine *engine, const struct udma_batch *batch,
			       unsigned int issued, int error)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = issued; i < batch->count; i++)
		engine->nr_quiet -= batch->slots[i]->quiet;
	if (issued && batch->slots[issued - 1]->quiet && engine->nr_quiet != engine->nr_heard) {
		/* Nobody would tell when what hardware has is done. */
		engine->talk = true;
		engine->listen = true;
		mod_delayed_work(udma_wq, &engine->work, 1);
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
		udma_batch_take(engine, batch, min_t(unsigned int, *budget, UDMA_WINDOW_SLOTS));
		if (!batch->count)
			break;
		*budget -= batch->count;
		spin_unlock_irq(&engine->lock);
		issued = udma_batch_issue(engine, batch, &error);
		spin_lock_irq(&engine->lock);
		if (issued)
			engine->refused = false;
		if (error)
			go_on = udma_batch_refused(engine, batch, issued, error);
		else
			go_on = engine->nr_replay || !udma_fifo_empty(&engine->runnable);
	}
}

/**
 * udma_engine_dispatch - give hardware what it can take
 * @engine: the engine; its lock is held, given back meanwhile, and held again
 *
 * In process context with bottom halves off, inside udma_chan_enter() or in the
 * channel's worker. When somebody else is at it already, he is made to look once more.
 */
void udma_engine_dispatch(struct udma_engine *engine)
{
	unsigned int budget = UDMA_DISPATCH_BUDGET;

	lockdep_assert_held(&engine->lock);
	if (engine->running) {
		engine->again = true;
		return;
	}
	if (engine->state != UDMA_STATE_WORKING || engine->stopped ||
	    (engine->paused && !engine->listen))
		return;
	engine->running = true;
	if (engine->listen)
		udma_engine_listen(engine);
	do {
		engine->again = false;
		udma_engine_fill(engine, &budget);
	} while (engine->again && budget);
	engine->running = false;
	if (!budget)
		udma_engine_kick(engine);
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
}

static void udma_engine_work(struct work_struct *work)
{
	struct udma_engine *engine = container_of(to_delayed_work(work), struct udma_engine, work);

	local_bh_disable();
	spin_lock_irq(&engine->lock);
	udma_engine_dispatch(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
}

static size_t udma_engine_slice_bytes(struct dma_chan *dma, enum dmaengine_alignment align)
{
	size_t max = min_t(size_t, UDMA_SLICE_BYTES, dma_get_max_seg_size(dma->device->dev));

	return max(round_down(max, 1UL << align), 1UL << align);
}

/* How finely the provider tells how far a descriptor came that it did not finish. */
static enum dma_residue_granularity udma_engine_granularity(struct dma_chan *dma)
{
	enum dma_residue_granularity granularity = dma->device->residue_granularity;
	struct dma_slave_caps caps;

	/* A failure means that nothing is told, as is usual for memory only. */
	if (!dma_get_slave_caps(dma, &caps))
		granularity = caps.residue_granularity;
	return granularity;
}

/*
 * Whether hardware goes from one descriptor to the next without the provider's help, and
 * the provider looks at all that have ended when one interrupts. Many start the next from
 * the interrupt of the one before, and dmaengine does not tell: these were read.
 */
static bool udma_engine_is_chained(struct dma_chan *dma)
{
	static const char * const drivers[] = { "ioatdma", "plx_dma", "udma-sim" };

	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i], dev_driver_string(dma->device->dev)))
			return true;
	return false;
}

void udma_engine_init(struct udma_engine *engine, struct dma_chan *dma)
{
	unsigned int epoch, i;

	BUILD_BUG_ON(UDMA_EPOCHS > U8_MAX + 1 || UDMA_WINDOW_SLOTS > U8_MAX);

	spin_lock_init(&engine->lock);
	INIT_DELAYED_WORK(&engine->work, udma_engine_work);
	init_waitqueue_head(&engine->left);
	udma_deadline_init(engine);
	udma_reset_init(engine);
	engine->dma = dma;
	engine->window = UDMA_WINDOW_SLOTS;
	engine->granularity = udma_engine_granularity(dma);
	engine->plain = udma_callback_result_sticks(dma);
	engine->unordered = dma_has_cap(DMA_COMPLETION_NO_ORDER, dma->device->cap_mask);
	engine->talk = engine->unordered || !udma_engine_is_chained(dma);
	engine->slice_bytes[UDMA_OP_COPY] =
		udma_engine_slice_bytes(dma, dma->device->copy_align);
	engine->slice_bytes[UDMA_OP_FILL] =
		udma_engine_slice_bytes(dma, dma->device->fill_align);
	for (epoch = 0; epoch < UDMA_EPOCHS; epoch++)
		for (i = 0; i <= UDMA_WINDOW_SLOTS; i++)
			engine->slots[i].tickets[epoch] = (struct udma_ticket){ epoch, i };
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		engine->free[i] = i;
	engine->nr_free = UDMA_WINDOW_SLOTS;
}
