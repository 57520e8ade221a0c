// SPDX-License-Identifier: GPL-2.0
/*
 * The loopback device of two channels: what one transmits the other receives. A
 * transmit waits while the FIFO between them is full, a receive while it is empty.
 * Who has found that leaves a word, and is woken when it has changed.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "sim.h"

/* How many packets it holds. */
#define SIM_FIFO_PACKETS	1024

/**
 * struct sim_fifo - between two channels
 * @size: how many bytes it holds
 * @packets: whether the ends of packets go through it, too
 * @lock: protects all that follows but the bytes: those that were committed are
 *	the receiver's, and the room for others is the transmitter's
 * @in: bytes that have come, from the beginning
 * @out: bytes that have gone
 * @ends: what @in was at the ends of packets that have not gone; a ring
 * @first: the first of them
 * @nr_ends: how many that are
 * @full: the transmitter waits
 * @empty: the receiver waits
 * @data: the bytes, a ring
 */
struct sim_fifo {
	unsigned int size;
	bool packets;

	spinlock_t lock;		/* all that follows */
	u64 in;
	u64 out;
	u64 ends[SIM_FIFO_PACKETS];
	unsigned int first;
	unsigned int nr_ends;
	bool full;
	bool empty;

	u8 data[];
};

/* How much of the ring there is in one piece from a position on. */
static u8 *sim_fifo_at(struct sim_fifo *fifo, u64 pos, size_t *len)
{
	u32 at;

	div_u64_rem(pos, fifo->size, &at);
	*len = min_t(size_t, *len, fifo->size - at);
	return fifo->data + at;
}

/* The bytes until the end of the packet that goes next. */
static u64 sim_fifo_packet(struct sim_fifo *fifo)
{
	lockdep_assert_held(&fifo->lock);

	return fifo->nr_ends ? fifo->ends[fifo->first] - fifo->out : U64_MAX;
}

/* Whether there is no room for the end of one more. */
static bool sim_fifo_crowded(struct sim_fifo *fifo)
{
	lockdep_assert_held(&fifo->lock);

	return fifo->packets && fifo->nr_ends == SIM_FIFO_PACKETS;
}

/* Transmitting */

static size_t sim_transmit_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	len = min_t(u64, len, fifo->size - (fifo->in - fifo->out));
	if (desc->moved + len == desc->todo && sim_fifo_crowded(fifo))
		len = 0;
	fifo->full = !len;
	spin_unlock(&fifo->lock);

	return len;
}

static void sim_transmit_move(struct sim_chan *chan, void *mem, size_t done, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;
	u64 pos = fifo->in + done;
	size_t part;
	u8 *to;

	for (; len; len -= part, mem += part, pos += part) {
		part = len;
		to = sim_fifo_at(fifo, pos, &part);
		memcpy(to, mem, part);
	}
}

/* The end of a packet comes with its last byte, or that could go without it. */
static bool sim_transmit_commit(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	fifo->in += len;
	if (fifo->packets && desc->moved + len == desc->todo) {
		fifo->ends[(fifo->first + fifo->nr_ends) % SIM_FIFO_PACKETS] = fifo->in;
		fifo->nr_ends++;
	}
	chan->port.nudge = fifo->empty;
	fifo->empty = false;
	spin_unlock(&fifo->lock);

	return false;
}

static bool sim_transmit_may_end(struct sim_chan *chan, struct sim_desc *desc)
{
	struct sim_fifo *fifo = chan->port.fifo;
	u64 len = desc->todo - desc->moved;
	bool may;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	may = len <= fifo->size - (fifo->in - fifo->out) && !sim_fifo_crowded(fifo);
	if (!may)
		fifo->full = true;
	spin_unlock(&fifo->lock);

	return may;
}

const struct sim_port_ops sim_transmit_ops = {
	.ready = sim_transmit_ready,
	.move = sim_transmit_move,
	.commit = sim_transmit_commit,
	.may_end = sim_transmit_may_end,
};

/* Receiving */

static size_t sim_receive_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	len = min3((u64)len, fifo->in - fifo->out, sim_fifo_packet(fifo));
	fifo->empty = !len;
	spin_unlock(&fifo->lock);

	return len;
}

static void sim_receive_move(struct sim_chan *chan, void *mem, size_t done, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;
	u64 pos = fifo->out + done;
	size_t part;
	u8 *from;

	for (; len; len -= part, mem += part, pos += part) {
		part = len;
		from = sim_fifo_at(fifo, pos, &part);
		memcpy(mem, from, part);
	}
}

static bool sim_receive_commit(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_fifo *fifo = chan->port.fifo;
	bool ended;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	fifo->out += len;
	ended = !sim_fifo_packet(fifo);
	if (ended) {
		fifo->first = (fifo->first + 1) % SIM_FIFO_PACKETS;
		fifo->nr_ends--;
	}
	chan->port.nudge = fifo->full;
	fifo->full = false;
	spin_unlock(&fifo->lock);

	return ended;
}

static bool sim_receive_may_end(struct sim_chan *chan, struct sim_desc *desc)
{
	struct sim_fifo *fifo = chan->port.fifo;
	u64 len = desc->todo - desc->moved;
	bool may;

	lockdep_assert_held(&chan->lock);

	spin_lock(&fifo->lock);
	may = len <= fifo->in - fifo->out || (fifo->nr_ends && !desc->period);
	if (!may)
		fifo->empty = true;
	spin_unlock(&fifo->lock);

	return may;
}

const struct sim_port_ops sim_receive_ops = {
	.ready = sim_receive_ready,
	.move = sim_receive_move,
	.commit = sim_receive_commit,
	.may_end = sim_receive_may_end,
};

/* Even channels transmit, each to the one that follows. */
static int sim_fifo_create(struct sim_chan *transmit, struct sim_chan *receive)
{
	struct sim_port_settings *set = &transmit->sim->set->port;
	struct sim_fifo *fifo;

	fifo = kvzalloc(struct_size(fifo, data, set->fifo_bytes), GFP_KERNEL);
	if (!fifo)
		return -ENOMEM;

	spin_lock_init(&fifo->lock);
	fifo->size = set->fifo_bytes;
	fifo->packets = set->packets;
	transmit->port.fifo = fifo;
	transmit->port.other = receive;
	receive->port.fifo = fifo;
	receive->port.other = transmit;
	return 0;
}

int sim_dev_create_fifos(struct sim_dev *sim)
{
	unsigned int i;
	int ret = 0;

	if (sim->set->kind != SIM_KIND_LOOPBACK)
		return 0;
	for (i = 0; !ret && i < sim->channels; i += 2)
		ret = sim_fifo_create(&sim->chans[i], &sim->chans[i + 1]);
	return ret;
}

void sim_dev_free_fifos(struct sim_dev *sim)
{
	unsigned int i;

	for (i = 0; i < sim->channels; i += 2)
		kvfree(sim->chans[i].port.fifo);
}
