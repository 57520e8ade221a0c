// SPDX-License-Identifier: GPL-2.0
/*
 * The probe: a copy of the engine's own, behind all that hardware had before. When
 * it comes back, hardware that ends things in order has let go of all of that.
 */
#include <linux/bottom_half.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "hot.h"
#include "udma.h"

/* More than the least that any provider copies (mv_xor, 128 bytes). */
#define UDMA_PROBE_BYTES	1024

static size_t udma_probe_bytes(const struct udma_engine *engine, u8 op)
{
	return min_t(size_t, UDMA_PROBE_BYTES, engine->slice_bytes[op]);
}

/* Make up what is to be copied, each time something else. */
static void udma_probe_prepare(struct udma_engine *engine, struct udma_slot *slot)
{
	const struct udma_chan *chan = container_of(engine, struct udma_chan, engine);
	u8 op = chan->info.out_capabilities & UDMA_CAP_COPY ? UDMA_OP_COPY : UDMA_OP_FILL;
	u8 *src = engine->scratch, *dst = src + PAGE_SIZE / 2;
	size_t bytes = udma_probe_bytes(engine, op);
	u8 seed = (u8)engine->counts[UDMA_COUNT_RESETS] ^ engine->epoch;
	size_t i;

	for (i = 0; i < bytes; i++) {
		src[i] = op == UDMA_OP_COPY ? seed + i * 31 : seed;
		dst[i] = ~src[i];
	}
	engine->probe.dst_addr = engine->scratch_dma + PAGE_SIZE / 2;
	engine->probe.src_addr = engine->scratch_dma;
	engine->probe.op = op;
	engine->probe.fill = seed;
	slot->xfer = &engine->probe;
	slot->bytes = bytes;
}

/* Give hardware the probe. It may want a moment until it takes something again. */
static int udma_probe_issue(struct udma_engine *engine)
{
	struct udma_slot *slot = &engine->slots[UDMA_PROBE_SLOT];
	unsigned long end = jiffies + UDMA_PROBE_TIMEOUT;
	int ret;

	scoped_guard(spinlock_irq, &engine->lock) {
		/* Its own, so that no earlier probe is taken for this one. */
		udma_engine_next_epoch(engine);
		slot->epoch = engine->epoch;
		engine->probing = true;
		engine->probe_ok = false;
	}
	udma_probe_prepare(engine, slot);
	for (;;) {
		local_bh_disable();
		udma_engine_issue(engine, &slot, 1, &ret);
		local_bh_enable();
		if (ret != -EAGAIN || time_after(jiffies, end))
			return ret;
		schedule_timeout_uninterruptible(1);
	}
}

static bool udma_probe_came(const struct udma_engine *engine)
{
	size_t bytes = engine->slots[UDMA_PROBE_SLOT].bytes;

	return !memcmp(engine->scratch, engine->scratch + PAGE_SIZE / 2, bytes);
}

/* The callback of a probe. */
void udma_probe_done(struct udma_engine *engine, const struct udma_ticket *ticket, bool ok)
{
	lockdep_assert_held(&engine->lock);
	if (ticket->epoch != engine->slots[UDMA_PROBE_SLOT].epoch || !engine->probing) {
		udma_engine_count(engine, UDMA_COUNT_LATE);
		return;
	}
	engine->probing = false;
	engine->probe_ok = ok && udma_probe_came(engine);
	if (engine->probe_ok)
		udma_engine_count(engine, UDMA_COUNT_PROBES);
	udma_reset_heal(engine);
	wake_up(&engine->left);
}

static bool udma_probe_waits_no_more(struct udma_engine *engine, bool final)
{
	guard(spinlock_irq)(&engine->lock);
	return udma_reset_is_proven(engine) || (!engine->unordered && !engine->probing) ||
	       (engine->stopped && !final);
}

/**
 * udma_probe_run - have hardware prove that it has let go of everything
 * @engine: the engine; nobody else is at the channel
 * @final: the channel goes, and then there is no second time
 *
 * Return: whether it has.
 */
bool udma_probe_run(struct udma_engine *engine, bool final)
{
	struct udma_slot *slot = &engine->slots[UDMA_PROBE_SLOT];
	bool before = engine->probing;
	u8 epoch = slot->epoch;

	if (!engine->unordered && udma_probe_issue(engine)) {
		guard(spinlock_irq)(&engine->lock);
		/* An earlier one may still be there, and come. */
		engine->probing = before;
		slot->epoch = epoch;
		return udma_reset_is_proven(engine);
	}
	wait_event_timeout(engine->left, udma_probe_waits_no_more(engine, final),
			   UDMA_PROBE_TIMEOUT);
	guard(spinlock_irq)(&engine->lock);
	return udma_reset_is_proven(engine);
}

int udma_probe_init(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;

	engine->scratch = dma_alloc_coherent(chan->dma_dev, PAGE_SIZE, &engine->scratch_dma,
					     GFP_KERNEL);
	return engine->scratch ? 0 : -ENOMEM;
}

/* Its memory goes with the device, if hardware has let go of it. */
void udma_probe_destroy(struct udma_chan *chan)
{
	struct udma_engine *engine = &chan->engine;

	if (engine->scratch && !engine->lost)
		dma_free_coherent(chan->dma_dev, PAGE_SIZE, engine->scratch, engine->scratch_dma);
}
