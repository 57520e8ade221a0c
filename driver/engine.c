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

/* The transfer whose turn it is, or NULL when all wait for something. */
static struct udma_xfer *udma_engine_pick(struct udma_engine *engine)
{
	struct udma_file *file;
	struct udma_xfer *xfer;

	lockdep_assert_held(&engine->lock);
	while ((file = udma_fifo_first(&engine->runnable, struct udma_file, run))) {
		xfer = udma_xfer_first(file);
		if (xfer)
			return xfer;
		udma_engine_remove(engine, file);
	}
	return NULL;
}

/* Count @bytes against the turn of @file, which ends with them or goes on. */
static void udma_engine_charge(struct udma_engine *engine, struct udma_file *file, size_t bytes)
{
	lockdep_assert_held(&engine->lock);
	if (udma_fifo_empty(&file->queue)) {
		udma_engine_remove(engine, file);
		return;
	}
	if (!file->credit)
		file->credit = UDMA_SLICE_BYTES;
	if (bytes < file->credit) {
		file->credit -= bytes;
	} else {
		udma_engine_remove(engine, file);
		udma_engine_add(engine, file);
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

/* Take the next slice for hardware and a slot for it, if the window has room. */
static struct udma_slot *udma_engine_next(struct udma_engine *engine)
{
	struct udma_xfer *xfer;
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	if (!udma_engine_may_issue(engine) || engine->issued >= READ_ONCE(engine->window) ||
	    engine->issued_bytes >= UDMA_WINDOW_BYTES)
		return NULL;
	slot = udma_engine_next_replay(engine);
	if (slot) {
		if (udma_engine_is_crowded(engine, slot->xfer->file))
			return NULL;
		engine->nr_replay--;
		udma_slot_enter(engine, slot);
		return slot;
	}
	xfer = engine->nr_free ? udma_engine_pick(engine) : NULL;
	if (!xfer || udma_engine_is_crowded(engine, xfer->file))
		return NULL;
	slot = &engine->slots[engine->free[--engine->nr_free]];
	slot->xfer = xfer;
	slot->again = false;
	udma_xfer_take(xfer, engine->slice_bytes[xfer->op], &slot->slice);
	udma_slot_enter(engine, slot);
	udma_engine_charge(engine, xfer->file, slot->slice.bytes);
	return slot;
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
	if (result->result != DMA_TRANS_NOERROR) {
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

static struct udma_engine *udma_ticket_engine(struct udma_ticket *ticket)
{
	struct udma_ticket *first;

	first = ticket - ticket->epoch * ARRAY_SIZE(((struct udma_engine *)0)->tickets[0]) -
		ticket->slot;
	return container_of(first, struct udma_engine, tickets[0][0]);
}

/* Hardware is done with a descriptor. In any context, also a hard interrupt. */
static void udma_engine_done(void *param, const struct dmaengine_result *result)
{
	static const struct dmaengine_result success = { .result = DMA_TRANS_NOERROR };
	struct udma_ticket *ticket = param;
	struct udma_engine *engine = udma_ticket_engine(ticket);
	struct udma_slot *slot = &engine->slots[ticket->slot];

	if (!result)
		result = &success;
	guard(spinlock_irqsave)(&engine->lock);
	if (ticket->slot == UDMA_PROBE_SLOT)
		udma_probe_done(engine, ticket, result->result == DMA_TRANS_NOERROR);
	else if (slot->epoch == ticket->epoch && slot->state == UDMA_SLOT_ISSUED)
		udma_slot_complete(engine, slot, result);
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
	const unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
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
	tx->callback_param = &engine->tickets[slot->epoch][slot - engine->slots];
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
		udma_slot_put(engine, slot);
		udma_xfer_complete(xfer, bytes, 0, -ENODEV, false);
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

/**
 * struct udma_batch - descriptors that are issued together
 * @slots: their slots, by number
 * @count: how many
 * @first: hardware had nothing before
 */
struct udma_batch {
	u8 slots[UDMA_WINDOW_SLOTS];
	unsigned int count;
	bool first;
};

/* Take as many descriptors as the window has room for. */
static void udma_batch_take(struct udma_engine *engine, struct udma_batch *batch, unsigned int max)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	batch->first = !engine->issued;
	for (batch->count = 0; batch->count < max; batch->count++) {
		slot = udma_engine_next(engine);
		if (!slot)
			break;
		batch->slots[batch->count] = slot - engine->slots;
	}
}

/* Issue them. Returns how many were, and why the next was not. */
static unsigned int udma_batch_issue(struct udma_engine *engine, const struct udma_batch *batch,
				     int *error)
{
	unsigned int i;

	*error = 0;
	for (i = 0; i < batch->count && !*error; i++)
		*error = udma_engine_issue(engine, &engine->slots[batch->slots[i]]);
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
	/* The last one first: each is again the next of its file. */
	for (i = batch->count - 1; i > issued; i--)
		udma_engine_put_back(engine, &engine->slots[batch->slots[i]], true);
	return udma_engine_refused(engine, &engine->slots[batch->slots[issued]], error,
				   batch->first && !issued);
}

/* Fill the window. Returns with the lock held, as it is called. */
static void udma_engine_fill(struct udma_engine *engine, unsigned int *budget)
{
	struct udma_batch batch;
	unsigned int issued;
	bool go_on = true;
	int error;

	lockdep_assert_held(&engine->lock);
	while (go_on) {
		udma_batch_take(engine, &batch, min_t(unsigned int, *budget, UDMA_WINDOW_SLOTS));
		if (!batch.count)
			break;
		*budget -= batch.count;
		spin_unlock_irq(&engine->lock);
		issued = udma_batch_issue(engine, &batch, &error);
		spin_lock_irq(&engine->lock);
		if (issued)
			engine->refused = false;
		if (error)
			go_on = udma_batch_refused(engine, &batch, issued, error);
	}
}

/* Returns with the lock held, as it is called. */
static void udma_engine_dispatch(struct udma_engine *engine)
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
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
}

/**
 * udma_engine_run - give hardware what it can take
 * @engine: the engine
 *
 * In process context, inside udma_chan_enter() or in the channel's worker. When
 * somebody else is at it already, he is made to look once more.
 */
void udma_engine_run(struct udma_engine *engine)
{
	local_bh_disable();
	spin_lock_irq(&engine->lock);
	udma_engine_dispatch(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
}

static void udma_engine_work(struct work_struct *work)
{
	udma_engine_run(container_of(to_delayed_work(work), struct udma_engine, work));
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
	engine->slice_bytes[UDMA_OP_COPY] =
		udma_engine_slice_bytes(dma, dma->device->copy_align);
	engine->slice_bytes[UDMA_OP_FILL] =
		udma_engine_slice_bytes(dma, dma->device->fill_align);
	for (epoch = 0; epoch < UDMA_EPOCHS; epoch++)
		for (i = 0; i <= UDMA_WINDOW_SLOTS; i++)
			engine->tickets[epoch][i] = (struct udma_ticket){ epoch, i };
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		engine->free[i] = i;
	engine->nr_free = UDMA_WINDOW_SLOTS;
}
