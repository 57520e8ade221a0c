// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers that reset all their channels at once, as AXI DMA does: when one channel is
 * stopped, its siblings lose what they have, and nobody tells. So they are stopped before
 * and go on afterwards, and those who had something under way are told.
 */
#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "udma.h"

/*
 * Protects the list. Who resets a channel holds it: for reading when that takes along no
 * other, and for writing when it does.
 */
static DECLARE_RWSEM(udma_siblings_lock);
static LIST_HEAD(udma_siblings);

void udma_siblings_add(struct udma_chan *chan)
{
	guard(rwsem_write)(&udma_siblings_lock);
	list_add(&chan->sibling, &udma_siblings);
}

/* Nobody touches the channel afterwards. */
void udma_siblings_remove(struct udma_chan *chan)
{
	guard(rwsem_write)(&udma_siblings_lock);
	list_del_init(&chan->sibling);
}

/* Root says whether a reset of the channel takes its siblings along. Not during one. */
void udma_siblings_set(struct udma_chan *chan, bool shared)
{
	guard(rwsem_write)(&udma_siblings_lock);
	WRITE_ONCE(chan->engine.shared_reset, shared);
}

/**
 * udma_siblings_lock_for - a channel is going to be reset: keep its siblings from being, too
 * @chan: the channel
 *
 * Return: whether it takes them along, for udma_siblings_unlock().
 */
bool udma_siblings_lock_for(struct udma_chan *chan)
{
	down_read(&udma_siblings_lock);
	if (!chan->engine.shared_reset)
		return false;
	up_read(&udma_siblings_lock);
	/* Should that change in between, there are none. */
	down_write(&udma_siblings_lock);
	return true;
}

void udma_siblings_unlock(bool shared)
{
	if (shared)
		up_write(&udma_siblings_lock);
	else
		up_read(&udma_siblings_lock);
}

static bool udma_siblings_are(const struct udma_chan *a, const struct udma_chan *b)
{
	return a != b && a->engine.shared_reset && b->engine.shared_reset &&
	       a->provider == b->provider;
}

/* Take a channel from its dispatcher, unless it is stopped already. */
static bool udma_sibling_take(struct udma_engine *engine)
{
	scoped_guard(spinlock_irq, &engine->lock) {
		if (engine->stopped || engine->state != UDMA_STATE_WORKING)
			return false;
		WRITE_ONCE(engine->state, UDMA_STATE_RESETTING);
		udma_engine_count(engine, UDMA_COUNT_RESETS);
	}
	wait_event(engine->left, udma_reset_has_left(engine));
	return true;
}

/*
 * A channel is going to be stopped: let those that it takes along rest, and note how far they
 * have come.
 */
void udma_siblings_stop(struct udma_chan *chan)
{
	struct udma_chan *other;

	lockdep_assert_held_write(&udma_siblings_lock);
	list_for_each_entry(other, &udma_siblings, sibling) {
		other->taken = udma_siblings_are(chan, other) && udma_sibling_take(&other->engine);
		if (other->taken)
			udma_reset_snapshot(&other->engine);
	}
}

/*
 * The channel has been stopped. Its siblings are stopped as well, for their provider does
 * not know that they have lost what they had, and go on.
 */
void udma_siblings_go_on(void)
{
	struct udma_chan *other;

	lockdep_assert_held_write(&udma_siblings_lock);
	list_for_each_entry(other, &udma_siblings, sibling)
		if (other->taken)
			udma_reset_climb(other, false);
	list_for_each_entry(other, &udma_siblings, sibling) {
		if (other->taken)
			udma_reset_finish(other);
		other->taken = false;
	}
}
