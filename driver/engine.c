// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware and its window: a bounded number of descriptors, given to a
 * dmaengine channel from the files that have something to do, by turns. This is
 * the only file that talks to the channel.
 *
 * The callback runs wherever the provider calls it, with whatever the provider
 * holds. It records what happened and kicks the dispatcher; it never prepares or
 * submits. The dispatcher has one owner at a time and holds no lock while it is
 * inside the provider.
 */
#include <linux/bottom_half.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/wait.h>

#include "compat.h"
#include "udma.h"

/* Descriptors that a dispatcher issues before the channel's worker takes over. */
#define UDMA_DISPATCH_BUDGET	64
/*
 * For how long a provider that refuses a descriptor with nothing in flight is
 * asked again. Some have a descriptor back only after its callback.
 */
#define UDMA_REFUSAL_TIMEOUT	max(HZ / 50, 2)
/*
 * How long hardware may take, at unbind, to finish what it has. It is asked to
 * stop only after that: zynqmp_dma, for one, says that it has and copies on.
 */
#define UDMA_DRAIN_TIMEOUT	HZ
/* The same where it cannot be asked. */
#define UDMA_DRAIN_TIMEOUT_LONG	(5 * HZ)

/* Let the dispatcher look for work. From anywhere. */
static void udma_engine_kick(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped || list_empty(&engine->runnable))
		return;
	if (engine->running)
		engine->again = true;
	else
		mod_delayed_work(udma_wq, &engine->work, 0);
}

/* @file has something to give to hardware, perhaps only now. */
void udma_engine_add(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	if (list_empty(&file->run) && !list_empty(&file->queue))
		list_add_tail(&file->run, &engine->runnable);
}

/* @file has nothing to give, or nothing now. */
void udma_engine_remove(struct udma_engine *engine, struct udma_file *file)
{
	lockdep_assert_held(&engine->lock);
	list_del_init(&file->run);
	file->credit = 0;
}

static void udma_slot_put(struct udma_slot *slot)
{
	struct udma_engine *engine = slot->engine;

	lockdep_assert_held(&engine->lock);
	engine->issued--;
	engine->issued_bytes -= slot->bytes;
	slot->issued = false;
	slot->xfer = NULL;
	engine->free[engine->nr_free++] = slot - engine->slots;
	if (engine->stopped && !engine->issued)
		wake_up(&engine->left);
}

static struct udma_slot *udma_slot_get(struct udma_engine *engine, struct udma_xfer *xfer,
				       size_t bytes)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	slot = &engine->slots[engine->free[--engine->nr_free]];
	slot->xfer = xfer;
	slot->bytes = bytes;
	slot->epoch = engine->epoch;
	/* Before it is submitted: some providers call back from inside submit. */
	slot->issued = true;
	engine->issued++;
	engine->issued_bytes += bytes;
	return slot;
}

/* The transfer whose turn it is, or NULL when all wait for something. */
static struct udma_xfer *udma_engine_pick(struct udma_engine *engine)
{
	struct udma_file *file;
	struct udma_xfer *xfer;

	lockdep_assert_held(&engine->lock);
	while ((file = list_first_entry_or_null(&engine->runnable, struct udma_file, run))) {
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
	if (list_empty(&file->queue)) {
		udma_engine_remove(engine, file);
		return;
	}
	if (!file->credit)
		file->credit = UDMA_SLICE_BYTES;
	if (bytes < file->credit) {
		file->credit -= bytes;
	} else {
		file->credit = 0;
		list_move_tail(&file->run, &engine->runnable);
	}
}

/* Take the next slice for hardware and a slot for it, if the window has room. */
static struct udma_slot *udma_engine_next(struct udma_engine *engine, struct udma_slice *slice)
{
	struct udma_xfer *xfer;
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	if (engine->stopped || !engine->nr_free || engine->issued_bytes >= UDMA_WINDOW_BYTES)
		return NULL;
	xfer = udma_engine_pick(engine);
	if (!xfer)
		return NULL;
	udma_xfer_take(xfer, engine->slice_bytes[xfer->op], slice);
	slot = udma_slot_get(engine, xfer, slice->bytes);
	udma_engine_charge(engine, xfer->file, slice->bytes);
	return slot;
}

/* Whether the provider told how far a descriptor came. Many leave residue alone. */
static bool udma_slot_is_exact(const struct udma_slot *slot, const struct dmaengine_result *result)
{
	if (result->result == DMA_TRANS_NOERROR)
		return true;
	return slot->engine->exact && result->residue && result->residue <= slot->bytes;
}

/* How far a descriptor came, as far as the provider tells. */
static size_t udma_slot_moved(const struct udma_slot *slot, const struct dmaengine_result *result)
{
	if (result->result == DMA_TRANS_NOERROR)
		return slot->bytes;
	return udma_slot_is_exact(slot, result) ? slot->bytes - result->residue : 0;
}

/* Hardware is done with a descriptor. In any context, also a hard interrupt. */
static void udma_engine_done(void *param, const struct dmaengine_result *result)
{
	static const struct dmaengine_result success = { .result = DMA_TRANS_NOERROR };
	struct udma_slot *slot = param;
	struct udma_engine *engine = slot->engine;
	struct udma_xfer *xfer;
	size_t bytes, moved;
	int status;
	bool exact;

	if (!result)
		result = &success;
	guard(spinlock_irqsave)(&engine->lock);
	if (!slot->issued || slot->epoch != engine->epoch)
		return;
	status = result->result == DMA_TRANS_NOERROR ? 0 : -EIO;
	moved = udma_slot_moved(slot, result);
	exact = udma_slot_is_exact(slot, result);
	bytes = slot->bytes;
	xfer = slot->xfer;
	udma_slot_put(slot);
	udma_xfer_complete(xfer, bytes, moved, status, exact);
	udma_engine_kick(engine);
}

/* For the providers that only look at the other kind of callback. */
static void udma_engine_done_plain(void *param)
{
	udma_engine_done(param, NULL);
}

/*
 * Prepare and submit one descriptor; nothing may come between the two.
 * -EAGAIN: the provider has no descriptor, now or ever.
 */
static int udma_engine_issue(struct udma_engine *engine, struct udma_slot *slot,
			     const struct udma_slice *slice)
{
	const unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;
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
	tx->callback_param = slot;
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

/* A refused slice goes back, and its file to the front or the end of the line. */
static void udma_engine_untake(struct udma_engine *engine, struct udma_xfer *xfer, size_t bytes,
			       bool front)
{
	struct udma_file *file = xfer->file;

	lockdep_assert_held(&engine->lock);
	udma_xfer_untake(xfer, bytes);
	if (list_empty(&file->run))
		return;
	if (front) {
		/* It is still its turn. */
		file->credit += bytes;
		list_move(&file->run, &engine->runnable);
	} else {
		file->credit = 0;
		list_move_tail(&file->run, &engine->runnable);
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
	udma_slot_put(slot);
	if (error == -EAGAIN && !alone) {
		udma_engine_untake(engine, xfer, bytes, true);
		return !engine->issued;
	}
	if (error == -EAGAIN && !udma_engine_gave_up(engine)) {
		udma_engine_untake(engine, xfer, bytes, false);
		mod_delayed_work(udma_wq, &engine->work, 1);
		return false;
	}
	udma_xfer_complete(xfer, bytes, 0, -EIO, true);
	return true;
}

/* Fill the window. Returns with the lock held, as it is called. */
static void udma_engine_fill(struct udma_engine *engine, unsigned int *budget)
{
	unsigned int submitted = 0;
	struct udma_slice slice;
	struct udma_slot *slot;
	bool alone, go_on;
	int ret;

	lockdep_assert_held(&engine->lock);
	do {
		slot = *budget ? udma_engine_next(engine, &slice) : NULL;
		if (!slot)
			break;
		alone = engine->issued == 1;
		spin_unlock_irq(&engine->lock);
		ret = udma_engine_issue(engine, slot, &slice);
		spin_lock_irq(&engine->lock);
		if (ret) {
			go_on = udma_engine_refused(engine, slot, ret, alone);
		} else {
			engine->refused = false;
			go_on = true;
			submitted++;
		}
		(*budget)--;
	} while (go_on);

	if (submitted) {
		spin_unlock_irq(&engine->lock);
		dma_async_issue_pending(engine->dma);
		spin_lock_irq(&engine->lock);
	}
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
	unsigned int budget = UDMA_DISPATCH_BUDGET;

	local_bh_disable();
	spin_lock_irq(&engine->lock);
	if (engine->running || engine->stopped) {
		engine->again = true;
		goto out;
	}
	engine->running = true;
	do {
		engine->again = false;
		udma_engine_fill(engine, &budget);
	} while (engine->again && budget && !engine->stopped);
	engine->running = false;
	if (!budget)
		udma_engine_kick(engine);
	if (engine->stopped)
		wake_up(&engine->left);
out:
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

/* Whether the provider tells how far a descriptor came that it did not finish. */
static bool udma_engine_is_exact(struct dma_chan *dma)
{
	enum dma_residue_granularity granularity = dma->device->residue_granularity;
	struct dma_slave_caps caps;

	/* A failure means that nothing is told, as is usual for memory only. */
	if (!dma_get_slave_caps(dma, &caps))
		granularity = caps.residue_granularity;
	return granularity != DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
}

void udma_engine_init(struct udma_engine *engine, struct dma_chan *dma)
{
	unsigned int i;

	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->runnable);
	INIT_DELAYED_WORK(&engine->work, udma_engine_work);
	init_waitqueue_head(&engine->left);
	engine->dma = dma;
	engine->exact = udma_engine_is_exact(dma);
	engine->plain = udma_callback_result_sticks(dma);
	engine->slice_bytes[UDMA_OP_COPY] =
		udma_engine_slice_bytes(dma, dma->device->copy_align);
	engine->slice_bytes[UDMA_OP_FILL] =
		udma_engine_slice_bytes(dma, dma->device->fill_align);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		engine->slots[i].engine = engine;
		engine->free[i] = i;
	}
	engine->nr_free = UDMA_WINDOW_SLOTS;
}

/* Hardware will tell nothing more of what it was given: take it all back. */
static void udma_engine_retire(struct udma_engine *engine, int status)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	engine->epoch++;
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];
		struct udma_xfer *xfer = slot->xfer;

		if (!slot->issued)
			continue;
		/* Not back to the free ones: a late callback may still name it. */
		slot->issued = false;
		slot->xfer = NULL;
		udma_xfer_complete(xfer, slot->bytes, 0, status, false);
	}
}

static bool udma_engine_has_left(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return !engine->running;
}

static bool udma_engine_is_empty(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return !engine->issued;
}

/*
 * Hardware could not be stopped: what it may still touch stays for ever, and so
 * does what a late callback needs, the slots and the code. Code that is already
 * being unloaded cannot stay, so then there is nothing but to wait.
 */
static void udma_engine_hold(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	unsigned int i;

	dev_err(&chan->dev, "%s cannot be stopped: the memory it may use is lost\n",
		chan->info.out_channel);
	if (!try_module_get(THIS_MODULE))
		wait_event(engine->left, udma_engine_is_empty(engine));

	get_device(&chan->dev);
	guard(spinlock_irq)(&engine->lock);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		if (!engine->slots[i].issued)
			continue;
		engine->slots[i].xfer->dst->held = true;
		if (engine->slots[i].xfer->src)
			engine->slots[i].xfer->src->held = true;
	}
}

/* Wait for hardware, then stop it. False: it may go on for ever. */
static bool udma_engine_quiesce(struct udma_engine *engine)
{
	struct dma_device *device = engine->dma->device;
	bool drained;
	int ret;

	wait_event(engine->left, udma_engine_has_left(engine));
	cancel_delayed_work_sync(&engine->work);
	drained = wait_event_timeout(engine->left, udma_engine_is_empty(engine),
				     device->device_terminate_all ? UDMA_DRAIN_TIMEOUT :
								    UDMA_DRAIN_TIMEOUT_LONG);
	ret = dmaengine_terminate_sync(engine->dma);
	dmaengine_synchronize(engine->dma);
	return drained || !ret;
}

/**
 * udma_engine_stop - take everything away from hardware, for good
 * @chan: the channel, which is gone: nobody is inside udma_chan_enter()
 *
 * What waits to be issued ends with -ENODEV. So does what hardware has and does
 * not finish in time. On return no transfer is left, and hardware touches no
 * buffer but those that are marked as held.
 */
void udma_engine_stop(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	struct udma_file *file;

	scoped_guard(spinlock_irq, &engine->lock)
		engine->stopped = true;
	scoped_guard(mutex, &chan->files_lock) {
		list_for_each_entry(file, &chan->files, node) {
			guard(spinlock_irq)(&engine->lock);
			udma_xfer_abort_file(file, -ENODEV);
		}
	}
	if (!udma_engine_quiesce(engine))
		udma_engine_hold(chan);
	guard(spinlock_irq)(&engine->lock);
	udma_engine_retire(engine, -ENODEV);
}
