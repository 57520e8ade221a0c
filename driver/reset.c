// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware that does not end what it was given: how that is noticed, how it is
 * stopped, and what is known afterwards. dmaengine can only stop a whole channel,
 * and neither its answer nor its cookies tell whether hardware has really let go
 * of memory. So the engine looks for itself: a copy of its own, behind all that
 * hardware had before, has to come back.
 *
 * What is not known to have been let go of is kept.
 */
#include <linux/bottom_half.h>
#include <linux/dmaengine.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "hot.h"
#include "udma.h"

static struct udma_chan *udma_reset_chan(struct udma_engine *engine)
{
	return container_of(engine, struct udma_chan, engine);
}

/* The watchdog */

/* For how long hardware may end nothing, in jiffies. */
unsigned long udma_reset_stall(const struct udma_engine *engine)
{
	return max(msecs_to_jiffies(READ_ONCE(engine->stall_ms)), 1UL);
}

/* Hardware has something: look after it. */
void udma_reset_watch(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->watched || !engine->stall_ms)
		return;
	engine->watched = true;
	queue_delayed_work(udma_wq, &engine->watch, udma_reset_stall(engine));
}

/* Of all slots in a state, the one that was issued first; or NULL. */
struct udma_slot *udma_reset_first(struct udma_engine *engine, enum udma_slot_state state)
{
	struct udma_slot *first = NULL;
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state == state && (!first || slot->order < first->order))
			first = slot;
	}
	return first;
}

static void udma_reset_watch_work(struct work_struct *work)
{
	struct udma_engine *engine = container_of(to_delayed_work(work), struct udma_engine, watch);
	unsigned long due;

	/* As one who looks has to. */
	local_bh_disable();
	spin_lock_irq(&engine->lock);
	if (engine->resting)
		engine->progress = jiffies;
	due = engine->progress + udma_reset_stall(engine);
	/* What does not interrupt may have ended, and is progress. From now on all interrupt. */
	if (time_after_eq(jiffies, due) && udma_engine_may_issue(engine) &&
	    udma_engine_look(engine)) {
		udma_engine_talk(engine);
		due = engine->progress + udma_reset_stall(engine);
	}
	if (!engine->issued || engine->state != UDMA_STATE_WORKING || engine->stopped ||
	    !engine->stall_ms) {
		engine->watched = false;
	} else if (time_before(jiffies, due)) {
		mod_delayed_work(udma_wq, &engine->watch, due - jiffies);
	} else {
		engine->watched = false;
		/* If a probe is what hardware cannot get past, nobody is to blame. */
		if (!engine->probing)
			engine->blame = udma_reset_first(engine, UDMA_SLOT_ISSUED);
		udma_reset_request(engine, UDMA_RESET_STALL);
	}
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
}

/* Root sets for how long hardware may end nothing. It counts at once. */
void udma_reset_set_stall(struct udma_engine *engine, unsigned int ms)
{
	guard(spinlock_irq)(&engine->lock);
	WRITE_ONCE(engine->stall_ms, ms);
	if (engine->watched)
		mod_delayed_work(udma_wq, &engine->watch, 0);
	else if (engine->issued)
		udma_reset_watch(engine);
}

/* Whether a reset that was asked for is still of use. */
static bool udma_reset_is_due(struct udma_engine *engine, unsigned int reasons)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	if (reasons & UDMA_RESET_ROOT)
		return true;
	if (engine->state != UDMA_STATE_WORKING)
		return false;
	if (reasons & UDMA_RESET_STALL && engine->issued && (engine->blame || engine->probing))
		return true;
	/* What cannot be stopped is left to finish, or to stall. */
	if (!engine->can_stop)
		return false;
	for (i = 0; reasons & UDMA_RESET_UNWANTED && i < UDMA_WINDOW_SLOTS; i++) {
		const struct udma_slot *slot = &engine->slots[i];

		if (slot->state == UDMA_SLOT_ISSUED && !udma_xfer_wanted(slot->xfer) &&
		    (slot->xfer->file->exclusive || udma_engine_has_device(engine)))
			return true;
	}
	return false;
}

/* From anywhere: have the channel reset soon. */
void udma_reset_request(struct udma_engine *engine, unsigned int reason)
{
	lockdep_assert_held(&engine->lock);
	if (engine->stopped)
		return;
	engine->reset_reasons |= reason;
	queue_work(udma_wq, &engine->reset);
}

/* What has become of what hardware had */

/* Hardware has let go of what a failed reset had left to it. */
static void udma_reset_let_go(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	udma_slot_put(engine, slot);
	if (slot->list)
		udma_list_put(slot->list);
	if (slot->src)
		udma_buffer_put(slot->src);
	if (slot->dst)
		udma_buffer_put(slot->dst);
}

void udma_reset_let_go_all(struct udma_engine *engine)
{
	unsigned int i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		if (engine->slots[i].state == UDMA_SLOT_HELD)
			udma_reset_let_go(engine, &engine->slots[i]);
}

/* The channel is as it should be. */
static void udma_reset_work_again(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->failed)
		udma_engine_count(engine, UDMA_COUNT_HEALS);
	engine->failed = false;
	if (engine->pinned)
		module_put(THIS_MODULE);
	engine->pinned = false;
	WRITE_ONCE(engine->state, UDMA_STATE_WORKING);
	udma_engine_kick(engine);
	udma_engine_tell_left(engine);
}

/*
 * A callback that came when nobody waited for it. Where it names a slot, hardware
 * has let go of what the slot was for; but not where the provider has been stopped,
 * as it says: then it may only have dropped its own part of it.
 */
void udma_reset_late(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	udma_engine_count(engine, UDMA_COUNT_LATE);
	if (!slot || (engine->terminated && !engine->unordered))
		return;
	if (slot->state == UDMA_SLOT_RETIRED)
		slot->released = true;
	else if (slot->state == UDMA_SLOT_HELD)
		udma_reset_let_go(engine, slot);
	udma_reset_heal(engine);
	wake_up(&engine->left);
}

/* How many descriptors hardware is not known to have let go of by callbacks. */
unsigned int udma_reset_unknown(const struct udma_engine *engine)
{
	unsigned int unknown = engine->nr_held, i;

	lockdep_assert_held(&engine->lock);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		if (engine->slots[i].state == UDMA_SLOT_RETIRED && !engine->slots[i].released)
			unknown++;
	return unknown;
}

/*
 * Whether hardware has let go of everything that it had, and lives. Of one that
 * ends descriptors in any order, only their own callbacks tell.
 */
bool udma_reset_is_proven(const struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->dma)
		return false;
	/* Nothing can be copied: there is what the provider says, or what it calls back. */
	if (udma_engine_has_device(engine))
		return engine->terminated || !udma_reset_unknown(engine);
	return engine->unordered ? !udma_reset_unknown(engine) : engine->probe_ok;
}

/* Something has come from hardware after all: perhaps the channel is well again. */
void udma_reset_heal(struct udma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->state != UDMA_STATE_FAILED || engine->failing || engine->stopped)
		return;
	if (!udma_reset_is_proven(engine))
		return;
	udma_reset_let_go_all(engine);
	udma_reset_work_again(engine);
}

/* The ladder */

/* How far hardware has come with a descriptor. A callback that comes meanwhile knows better. */
static void udma_reset_ask(struct udma_engine *engine, struct udma_slot *slot, bool paused)
{
	struct dma_tx_state state;
	enum dma_status status;
	dma_cookie_t cookie;

	scoped_guard(spinlock_irq, &engine->lock) {
		cookie = slot->state == UDMA_SLOT_ISSUED ? slot->cookie : 0;
		if (cookie < DMA_MIN_COOKIE)
			return;
		slot->told = true;
		slot->exact = paused;
	}
	status = dmaengine_tx_status(engine->dma, cookie, &state);
	guard(spinlock_irq)(&engine->lock);
	if (slot->state != UDMA_SLOT_ISSUED || slot->cookie != cookie)
		return;
	/* A cookie that is complete has nothing left, or lies. */
	if (status != DMA_IN_PROGRESS && status != DMA_PAUSED) {
		slot->told = false;
		slot->exact = false;
		return;
	}
	slot->residue = min_t(size_t, state.residue, slot->bytes);
	slot->exact = slot->told && paused && udma_engine_tells_bytes(engine);
}

/* Before it is stopped: how far hardware has come, where it tells. */
void udma_reset_snapshot(struct udma_engine *engine)
{
	bool paused = false;
	unsigned int i;

	scoped_guard(spinlock_irq, &engine->lock) {
		udma_engine_hear(engine);
		for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
			engine->slots[i].residue = engine->slots[i].bytes;
			engine->slots[i].told = false;
			engine->slots[i].exact = false;
		}
	}
	if (udma_engine_tells_nothing(engine))
		return;
	/* What it does not move any more it tells for good. */
	if (udma_engine_has_device(engine) && engine->can_pause)
		paused = !dmaengine_pause(engine->dma);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++)
		udma_reset_ask(engine, &engine->slots[i], paused);
}

/* Whoever has stalled the channel is not issued again, and is remembered for it. */
static void udma_reset_punish(struct udma_engine *engine)
{
	struct udma_xfer *xfer = engine->blame->xfer;

	lockdep_assert_held(&engine->lock);
	udma_engine_count(engine, UDMA_COUNT_STALLS);
	xfer->file->good = 0;
	if (++xfer->file->strikes == UDMA_STRIKES)
		udma_engine_count(engine, UDMA_COUNT_ALONE);
	udma_xfer_fail(xfer, -ETIMEDOUT);
	engine->blame = NULL;
}

/*
 * From here on callbacks of what hardware has come too late: some providers call
 * back what they have dropped, and say that all went well.
 */
static void udma_reset_retire(struct udma_engine *engine)
{
	unsigned int i;

	guard(spinlock_irq)(&engine->lock);
	udma_engine_next_epoch(engine);
	engine->probe_ok = false;
	udma_engine_forget(engine);
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state != UDMA_SLOT_ISSUED)
			continue;
		slot->state = UDMA_SLOT_RETIRED;
		slot->released = false;
	}
	/* If it has ended after all, nobody is to blame. */
	if (engine->blame)
		udma_reset_punish(engine);
}

static bool udma_reset_filter(struct dma_chan *dma, void *data)
{
	const struct udma_chan *chan = data;

	return !strcmp(dma_chan_name(dma), chan->info.out_channel);
}

/* Give the channel back and ask for it again: many providers begin anew then. */
static bool udma_reset_reacquire(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	dma_cap_mask_t any;

	dma_cap_zero(any);
	if (engine->dma)
		dma_release_channel(engine->dma);
	engine->dma = dma_request_channel(any, udma_reset_filter, chan);
	guard(spinlock_irq)(&engine->lock);
	if (engine->dma)
		udma_engine_count(engine, UDMA_COUNT_REACQUIRES);
	return engine->dma;
}

/* Have the provider stop hardware. Zero says that it has, and proves nothing. */
static int udma_reset_terminate(struct udma_engine *engine)
{
	int ret;

	scoped_guard(spinlock_irq, &engine->lock)
		engine->terminated = true;
	ret = dmaengine_terminate_async(engine->dma);
	dmaengine_synchronize(engine->dma);
	guard(spinlock_irq)(&engine->lock);
	engine->terminated = !ret;
	return ret;
}

/*
 * Stop hardware, by one means after the other. True: it has let go of all that
 * it had. Nobody else is at the channel; only callbacks come. How far hardware has come
 * was noted before.
 */
bool udma_reset_climb(struct udma_chan *chan, bool final)
{
	struct udma_engine *engine = &chan->engine;
	int ret = 0;

	udma_reset_retire(engine);
	if (engine->dma)
		ret = udma_reset_terminate(engine);
	if (udma_engine_has_device(engine)) {
		/* It was paused to be asked. What cannot be stopped may finish what it has. */
		if (ret && engine->can_pause)
			dmaengine_resume(engine->dma);
		guard(spinlock_irq)(&engine->lock);
		return udma_reset_is_proven(engine);
	}
	if (engine->dma && udma_probe_run(engine, final))
		return true;
	/* Not of a provider that goes on: it would free what hardware reads. */
	if (ret || (!final && READ_ONCE(engine->stopped)) || engine->unordered)
		return false;
	return udma_reset_reacquire(chan) && udma_probe_run(engine, final);
}

/* What is left of a descriptor whose transfer does not go on. */
void udma_reset_drop(struct udma_engine *engine, struct udma_slot *slot, int status)
{
	struct udma_xfer *xfer = slot->xfer;
	size_t bytes = slot->bytes, moved = bytes - slot->residue;
	bool exact = slot->exact;

	lockdep_assert_held(&engine->lock);
	if (xfer->op == UDMA_OP_CYCLIC && slot->told)
		udma_cyclic_stopped(xfer->file->stream, slot->residue);
	udma_slot_put(engine, slot);
	/* Unless it was paused it may have come further since that was told. */
	udma_xfer_complete(xfer, bytes, moved, status, exact);
}

/* Who is not to blame, and does not go on, is told why. What a device has is not had again. */
static void udma_reset_drop_innocent(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	slot->xfer->reset = true;
	udma_reset_drop(engine, slot, -EIO);
}

/* Hardware has let go: who is not to blame has his copies made once more. */
static void udma_reset_go_on(struct udma_engine *engine)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	/* In their order, which that of the events is. */
	while ((slot = udma_reset_first(engine, UDMA_SLOT_RETIRED))) {
		if (!udma_xfer_wanted(slot->xfer)) {
			udma_reset_drop(engine, slot, 0);
		} else if (udma_engine_has_device(engine)) {
			udma_reset_drop_innocent(engine, slot);
		} else {
			udma_engine_count(engine, UDMA_COUNT_REPLAYS);
			udma_slot_replay(engine, slot);
		}
	}
	udma_reset_let_go_all(engine);
}

/* Hardware may have it for ever: the transfer ends, its buffers stay. */
void udma_reset_hold_slot(struct udma_engine *engine, struct udma_slot *slot)
{
	struct udma_xfer *xfer = slot->xfer;

	lockdep_assert_held(&engine->lock);
	slot->dst = xfer->dst;
	slot->src = xfer->src;
	slot->list = udma_xfer_list(xfer);
	if (slot->dst)
		udma_buffer_get(slot->dst);
	if (slot->src)
		udma_buffer_get(slot->src);
	if (slot->list)
		slot->list->refs++;
	xfer->held = true;
	slot->xfer = NULL;
	udma_slot_hold(engine, slot);
	udma_xfer_complete(xfer, slot->bytes, slot->bytes - slot->residue, -EIO, false);
}

/* Hardware could not be stopped. */
static void udma_reset_fail(struct udma_engine *engine)
{
	struct udma_slot *slot;

	lockdep_assert_held(&engine->lock);
	if (!engine->failed)
		udma_engine_count(engine, UDMA_COUNT_FAILURES);
	engine->failed = true;
	/* A callback may come as long as hardware has something. */
	if (!engine->pinned)
		engine->pinned = try_module_get(THIS_MODULE);
	while ((slot = udma_reset_first(engine, UDMA_SLOT_RETIRED))) {
		if (slot->released)
			udma_reset_drop(engine, slot, -EIO);
		else
			udma_reset_hold_slot(engine, slot);
	}
	/* No queue has what was to be issued again. */
	while ((slot = udma_reset_first(engine, UDMA_SLOT_REPLAY)))
		udma_reset_drop(engine, slot, -EIO);
	engine->failing = true;
	WRITE_ONCE(engine->state, UDMA_STATE_FAILED);
	udma_engine_tell_left(engine);
}

/* End all that hardware has not been given, of all files. */
void udma_reset_abort_files(struct udma_chan *chan, int status)
{
	struct udma_file *file;

	guard(mutex)(&chan->files_lock);
	list_for_each_entry(file, &chan->files, node) {
		guard(spinlock_irq)(&chan->engine.lock);
		udma_xfer_abort_file(file, status);
	}
}

bool udma_reset_has_left(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return !engine->running;
}

/* Take the channel from the dispatcher. False: there is no reason any more. */
static bool udma_reset_begin(struct udma_engine *engine)
{
	unsigned int reasons;

	scoped_guard(spinlock_irq, &engine->lock) {
		reasons = engine->reset_reasons;
		engine->reset_reasons = 0;
		if (engine->stopped)
			return false;
		if (!udma_reset_is_due(engine, reasons)) {
			if (engine->issued)
				udma_reset_watch(engine);
			/* Nothing was given to hardware as long as it was not known. */
			udma_engine_kick(engine);
			udma_engine_tell_left(engine);
			return false;
		}
		WRITE_ONCE(engine->state, UDMA_STATE_RESETTING);
		udma_engine_count(engine, UDMA_COUNT_RESETS);
	}
	wait_event(engine->left, udma_reset_has_left(engine));
	return true;
}

/* It has been tried: go on, or fail. */
void udma_reset_finish(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;

	scoped_guard(spinlock_irq, &engine->lock) {
		/* Then all of this is unbind's. */
		if (engine->stopped)
			return;
		if (udma_reset_is_proven(engine)) {
			udma_reset_go_on(engine);
			udma_reset_work_again(engine);
			return;
		}
		udma_reset_fail(engine);
	}
	dev_err(&chan->dev, "%s cannot be stopped: keeping the memory it may use\n",
		chan->info.out_channel);
	/* It does not heal in between, or this would hit those who come after. */
	udma_reset_abort_files(chan, -EIO);
	guard(spinlock_irq)(&engine->lock);
	engine->failing = false;
	udma_reset_heal(engine);
}

static void udma_reset_work(struct work_struct *work)
{
	struct udma_engine *engine = container_of(work, struct udma_engine, reset);
	struct udma_chan *chan = udma_reset_chan(engine);
	bool siblings = udma_siblings_lock_for(chan);

	if (udma_reset_begin(engine)) {
		if (siblings)
			udma_siblings_stop(chan);
		if (engine->dma)
			udma_reset_snapshot(engine);
		udma_reset_climb(chan, false);
		if (siblings)
			udma_siblings_go_on();
		udma_reset_finish(chan);
	}
	udma_siblings_unlock(siblings);
}

/**
 * udma_reset_now - reset a channel and wait for it
 * @chan: the channel
 *
 * Return: zero, or -EIO when the channel has failed.
 */
int udma_reset_now(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;

	scoped_guard(spinlock_irq, &engine->lock)
		udma_reset_request(engine, UDMA_RESET_ROOT);
	flush_work(&engine->reset);
	return READ_ONCE(engine->state) == UDMA_STATE_FAILED ? -EIO : 0;
}

void udma_reset_init(struct udma_engine *engine)
{
	INIT_DELAYED_WORK(&engine->watch, udma_reset_watch_work);
	INIT_WORK(&engine->reset, udma_reset_work);
}
