// SPDX-License-Identifier: GPL-2.0
/*
 * The way between the engine and a channel's device.
 */
#include <linux/minmax.h>

#include "sim.h"

/*
 * How many of the next @len bytes the device is ready for, 0 when it is for none.
 * What was found once may have to wait for its time, and is not looked for again:
 * a device that gets ready for more meanwhile would put that off.
 */
size_t sim_port_piece(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	lockdep_assert_held(&chan->lock);

	if (!desc->piece) {
		desc->piece = chan->port.ops->ready(chan, desc, len);
		sim_desc_stall(chan, desc, !desc->piece);
	}
	return min(desc->piece, len);
}

/* Moves what the device is ready for. A receive that is not cyclic ends with a packet. */
size_t sim_port_move(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	size_t moved;

	lockdep_assert_held(&chan->lock);

	desc->piece = 0;
	moved = sim_move_port(chan, desc, len);
	if (chan->port.ops->commit(chan, desc, moved) && !desc->period)
		desc->todo = desc->moved + moved;
	return moved;
}

/* For how many of the next @len bytes it would not have to wait. */
size_t sim_port_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	const struct sim_port_ops *ops = chan->port.ops;

	lockdep_assert_held(&chan->lock);

	if (!ops)
		return len;
	return desc->piece ? min(desc->piece, len) : ops->ready(chan, desc, len);
}

/* Whether a transfer that is told to end would not wait for its device. */
bool sim_port_may_end(struct sim_chan *chan, struct sim_desc *desc)
{
	const struct sim_port_ops *ops = chan->port.ops;

	lockdep_assert_held(&chan->lock);

	return !ops || !ops->may_end || ops->may_end(chan, desc);
}

/*
 * For the other end there is something that it waits for. Its lock is taken with
 * none held, and in a controller that is gone it may have been stopped.
 */
void sim_port_nudge(struct sim_chan *chan)
{
	struct sim_chan *other = chan->port.other;

	spin_lock_irq(&other->lock);
	if (!READ_ONCE(other->sim->gone)) {
		sim_chan_kick(other);
		sim_chan_wake(other);
	}
	spin_unlock_irq(&other->lock);
}

void sim_port_init(struct sim_chan *chan)
{
	struct sim_port *port = &chan->port;
	bool even = !((chan - chan->sim->chans) % 2);

	switch (chan->sim->set->kind) {
	case SIM_KIND_LOOPBACK:
		port->ops = even ? &sim_transmit_ops : &sim_receive_ops;
		port->dir = even ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;
		break;
	case SIM_KIND_SOURCE:
		port->ops = &sim_source_ops;
		port->dir = DMA_DEV_TO_MEM;
		break;
	case SIM_KIND_SINK:
		port->ops = &sim_sink_ops;
		port->dir = DMA_MEM_TO_DEV;
		break;
	}
}
