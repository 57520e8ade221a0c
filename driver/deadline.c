// SPDX-License-Identifier: GPL-2.0
/*
 * Timeouts of transfers. One timer a channel, set only when a transfer comes
 * whose time runs out first; it is not set back when that transfer ends.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/timerqueue.h>

#include "compat.h"
#include "hot.h"
#include "udma.h"

/* The timer may run out so much later: it is for several transfers then. */
#define UDMA_DEADLINE_SLACK_NS	(50 * NSEC_PER_USEC)

static void udma_deadline_set(struct udma_engine *engine, ktime_t expires)
{
	lockdep_assert_held(&engine->lock);
	hrtimer_start_range_ns(&engine->timer, expires, UDMA_DEADLINE_SLACK_NS, HRTIMER_MODE_ABS);
}

/* See udma_deadline_add(), for a transfer that has a timeout. */
void udma_deadline_start(struct udma_engine *engine, struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	xfer->deadline.expires = ktime_add_safe(ktime_get(), min_t(u64, xfer->timeout_ns,
								   KTIME_MAX));
	if (timerqueue_add(&engine->deadlines, &xfer->deadline))
		udma_deadline_set(engine, xfer->deadline.expires);
}

/* See udma_deadline_remove(), for a transfer whose time runs. */
void udma_deadline_stop(struct udma_engine *engine, struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	timerqueue_del(&engine->deadlines, &xfer->deadline);
	RB_CLEAR_NODE(&xfer->deadline.node);
}

/*
 * The time of a transfer is over. What hardware has of it is only taken away at
 * once where nobody else has to suffer for it.
 */
static void udma_deadline_expire(struct udma_engine *engine, struct udma_xfer *xfer)
{
	lockdep_assert_held(&engine->lock);
	udma_deadline_remove(engine, xfer);
	if (!udma_xfer_wanted(xfer))
		return;
	udma_engine_count(engine, UDMA_COUNT_TIMEOUTS);
	udma_xfer_abort(xfer, -ETIMEDOUT);
	if (xfer->state != UDMA_XFER_FREE && xfer->file->exclusive)
		udma_reset_request(engine, UDMA_RESET_UNWANTED);
}

static enum hrtimer_restart udma_deadline_timer(struct hrtimer *timer)
{
	struct udma_engine *engine = container_of(timer, struct udma_engine, timer);
	struct timerqueue_node *node;
	ktime_t now = ktime_get();

	guard(spinlock_irqsave)(&engine->lock);
	while ((node = timerqueue_getnext(&engine->deadlines))) {
		if (node->expires > now) {
			udma_deadline_set(engine, node->expires);
			break;
		}
		udma_deadline_expire(engine, container_of(node, struct udma_xfer, deadline));
	}
	udma_engine_kick(engine);
	return HRTIMER_NORESTART;
}

/* The timeout of transfers that bring none, zero for none. */
unsigned int udma_deadline_default_ms(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	if (engine->timeout_ns == UDMA_TIMEOUT_NEVER)
		return 0;
	return div_u64(engine->timeout_ns, NSEC_PER_MSEC);
}

void udma_deadline_set_default(struct udma_engine *engine, unsigned int ms)
{
	guard(spinlock_irq)(&engine->lock);
	engine->timeout_ns = ms ? (u64)ms * NSEC_PER_MSEC : UDMA_TIMEOUT_NEVER;
}

void udma_deadline_init(struct udma_engine *engine)
{
	engine->timeout_ns = UDMA_TIMEOUT_NEVER;
	timerqueue_init_head(&engine->deadlines);
	udma_hrtimer_setup(&engine->timer, udma_deadline_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
