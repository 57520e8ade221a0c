// SPDX-License-Identifier: GPL-2.0
/*
 * The channel is to rest: while the system sleeps, or for good.
 */
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/wait.h>

#include "hot.h"
#include "udma.h"

/*
 * How long hardware may take, at unbind, to finish what it has. It is stopped
 * only after that: what it finishes ends as it would have without unbind.
 */
#define UDMA_DRAIN_TIMEOUT	HZ
/* The same where it cannot be stopped. */
#define UDMA_DRAIN_TIMEOUT_LONG	(5 * HZ)

static bool udma_stop_is_quiet(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return !engine->running && !engine->issued && !engine->nr_held &&
	       engine->state != UDMA_STATE_RESETTING;
}

/* Let hardware finish what it has, and give it no more. -EBUSY: it does not finish. */
int udma_stop_pause(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	unsigned long timeout = udma_reset_stall(engine) + 4 * UDMA_PROBE_TIMEOUT;

	scoped_guard(spinlock_irq, &engine->lock) {
		engine->paused = true;
		/* What a device has not given it may never give. */
		if (udma_engine_has_device(engine) && engine->can_stop && engine->issued)
			udma_reset_request(engine, UDMA_RESET_ROOT);
	}
	flush_work(&engine->reset);
	if (wait_event_timeout(engine->left, udma_stop_is_quiet(engine), timeout))
		return 0;
	udma_stop_resume(chan);
	return -EBUSY;
}

void udma_stop_resume(struct udma_chan *chan)
{
	guard(spinlock_irq)(&chan->engine.lock);
	chan->engine.paused = false;
	udma_engine_kick(&chan->engine);
}

static bool udma_stop_knows_all(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return (udma_reset_is_proven(engine) || !udma_reset_unknown(engine)) && !engine->probing;
}

/* The memory of a slot that is held stays for ever. */
static void udma_stop_hold_slot(struct udma_slot *slot)
{
	unsigned int i, count = slot->list ? slot->list->dst_count + slot->list->src_count : 0;

	if (slot->dst)
		slot->dst->held = true;
	if (slot->src)
		slot->src->held = true;
	for (i = 0; i < count; i++)
		slot->list->segments[i].buffer->held = true;
}

/*
 * Hardware could not be stopped, and the channel goes: what it may still touch
 * stays for ever, and so does what a late callback needs, the channel and the
 * code. Code that is already being unloaded cannot stay, so then there is nothing
 * but to wait.
 */
static void udma_stop_hold(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	unsigned int i;

	dev_err(&chan->dev, "%s cannot be stopped: the memory it may use is lost\n",
		chan->info.out_channel);
	if (!engine->pinned && !try_module_get(THIS_MODULE)) {
		wait_event(engine->left, udma_stop_knows_all(engine));
		return;
	}
	get_device(&chan->dev);
	guard(spinlock_irq)(&engine->lock);
	engine->lost = true;
	for (i = 0; i < UDMA_WINDOW_SLOTS; i++) {
		struct udma_slot *slot = &engine->slots[i];

		if (slot->state == UDMA_SLOT_RETIRED && !slot->released)
			udma_reset_hold_slot(engine, slot);
		if (slot->state != UDMA_SLOT_HELD)
			continue;
		udma_stop_hold_slot(slot);
	}
}

static bool udma_stop_is_empty(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return !engine->issued;
}

static bool udma_stop_is_probing(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	return engine->probing;
}

/* Let hardware end by itself what it has, if it does. */
static void udma_stop_drain(struct udma_engine *engine)
{
	unsigned long timeout = engine->can_stop ? UDMA_DRAIN_TIMEOUT : UDMA_DRAIN_TIMEOUT_LONG;
	unsigned long end = jiffies + timeout;

	do {
		/* Nobody tells of those that do not interrupt. */
		scoped_guard(spinlock_irq, &engine->lock)
			udma_engine_hear(engine);
		if (udma_engine_is_quiet(engine))
			timeout = 1;
	} while (!wait_event_timeout(engine->left, udma_stop_is_empty(engine), timeout) &&
		 time_before(jiffies, end));
}

/* Wait for all that works on the channel, and let nothing new begin. */
static void udma_stop_quiesce(struct udma_engine *engine)
{
	scoped_guard(spinlock_irq, &engine->lock) {
		engine->stopped = true;
		wake_up(&engine->left);
	}
	cancel_work_sync(&engine->reset);
	cancel_delayed_work_sync(&engine->watch);
	wait_event(engine->left, udma_reset_has_left(engine));
	cancel_delayed_work_sync(&engine->work);
	hrtimer_cancel(&engine->timer);
	hrtimer_cancel(&engine->idle);
}

/* End everything that has not ended. */
static void udma_stop_end(struct udma_engine *engine)
{
	struct udma_slot *slot;

	guard(spinlock_irq)(&engine->lock);
	while ((slot = udma_reset_first(engine, UDMA_SLOT_RETIRED)))
		udma_reset_drop(engine, slot, -ENODEV);
	while ((slot = udma_reset_first(engine, UDMA_SLOT_REPLAY)))
		udma_reset_drop(engine, slot, -ENODEV);
	udma_reset_let_go_all(engine);
	if (engine->pinned && !engine->lost)
		module_put(THIS_MODULE);
	engine->pinned = false;
}

/* Take from hardware what it has not ended. Return: whether it may keep some of it. */
static bool udma_stop_terminate(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	bool out;

	scoped_guard(spinlock_irq, &engine->lock)
		out = engine->issued || engine->nr_held || engine->probing || engine->failed;
	if (!out) {
		if (engine->dma)
			dmaengine_terminate_sync(engine->dma);
		return false;
	}
	if (engine->dma)
		udma_reset_snapshot(engine);
	/* A probe that hardware still has uses memory as well. */
	return !udma_reset_climb(chan, true) || udma_stop_is_probing(engine);
}

/**
 * udma_stop - take everything away from hardware, for good
 * @chan: the channel, which is gone: nobody is inside udma_chan_enter()
 *
 * What waits to be issued ends with -ENODEV. So does what hardware has and does
 * not finish in time. On return no transfer is left, and hardware touches no
 * buffer but those that are marked as held.
 */
void udma_stop(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;
	bool held, siblings;

	udma_stop_quiesce(engine);
	udma_reset_abort_files(chan, -ENODEV);
	/* A device may take as long as it likes, if it can be stopped. */
	if (engine->state == UDMA_STATE_WORKING &&
	    !(udma_engine_has_device(engine) && engine->can_stop))
		udma_stop_drain(engine);
	siblings = udma_siblings_lock_for(chan);
	if (siblings)
		udma_siblings_stop(chan);
	held = udma_stop_terminate(chan);
	if (siblings)
		udma_siblings_go_on();
	udma_siblings_unlock(siblings);
	if (held)
		udma_stop_hold(chan);
	udma_stop_end(engine);
}
