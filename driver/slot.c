// SPDX-License-Identifier: GPL-2.0
/*
 * What has become of each descriptor that hardware was given, and how many of
 * which kind there are. One function a transition.
 */
#include <linux/jiffies.h>
#include <linux/wait.h>

#include "udma.h"

/* Hardware has a descriptor less. */
static void udma_slot_leave(struct udma_engine *engine, const struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	engine->issued--;
	engine->issued_bytes -= slot->slice.bytes;
	if (engine->issued)
		return;
	engine->alone = false;
	/* Who waits looks under the lock, after it has queued itself. */
	if (waitqueue_active(&engine->left))
		wake_up(&engine->left);
}

/* Hardware is given a descriptor. */
void udma_slot_enter(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	/* Before it is submitted: some providers call back from inside submit. */
	slot->state = UDMA_SLOT_ISSUED;
	slot->epoch = engine->epoch;
	slot->order = engine->order++;
	slot->released = false;
	slot->residue = slot->slice.bytes;
	if (!engine->issued++)
		engine->progress = jiffies;
	engine->issued_bytes += slot->slice.bytes;
	engine->alone |= slot->xfer->file->strikes >= UDMA_STRIKES;
	udma_reset_watch(engine);
}

/* A slot is not in use any more, whatever became of it. */
void udma_slot_put(struct udma_engine *engine, struct udma_slot *slot)
{
	lockdep_assert_held(&engine->lock);
	switch (slot->state) {
	case UDMA_SLOT_ISSUED:
	case UDMA_SLOT_RETIRED:
		udma_slot_leave(engine, slot);
		break;
	case UDMA_SLOT_REPLAY:
		engine->nr_replay--;
		break;
	case UDMA_SLOT_HELD:
		engine->nr_held--;
		break;
	case UDMA_SLOT_FREE:
		return;
	}
	if (engine->blame == slot)
		engine->blame = NULL;
	slot->state = UDMA_SLOT_FREE;
	slot->xfer = NULL;
	engine->free[engine->nr_free++] = slot - engine->slots;
}

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
