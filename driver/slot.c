// SPDX-License-Identifier: GPL-2.0
/*
 * What has become of each descriptor that hardware was given, and how many of
 * which kind there are. One function a transition.
 */
#include <linux/jiffies.h>
#include <linux/wait.h>

#include "hot.h"
#include "udma.h"

/* A failed reset: hardware may have @slot for ever. */
void udma_slot_hold(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	udma_slot_leave(engine, slot);
	slot->state = UDMA_SLOT_HELD;
	engine->nr_held++;
}

/* After a reset, or when the provider refuses it: @slot is to be issued again. */
void udma_slot_replay(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	udma_slot_leave(engine, slot);
	slot->state = UDMA_SLOT_REPLAY;
	slot->again = true;
	engine->nr_replay++;
}
