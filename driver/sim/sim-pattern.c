// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that know what their data is: little-endian words of 32 bits that
 * count. A source gives them, and a sink checks that it gets them.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "sim.h"

#define SIM_WORD	sizeof(__le32)

/* The word that the byte at a position is in. */
static __le32 sim_pattern_word(struct sim_chan *chan, u64 pos)
{
	return cpu_to_le32(chan->sim->set->port.pattern_first + (u32)(pos / SIM_WORD));
}

/* How much of a word begins at a position. */
static size_t sim_pattern_part(u64 pos, size_t len)
{
	return min_t(size_t, len, SIM_WORD - pos % SIM_WORD);
}

static bool sim_source_packets(struct sim_chan *chan, unsigned int *bytes)
{
	struct sim_port *port = &chan->port;

	*bytes = READ_ONCE(chan->sim->set->port.packet_bytes);
	/* It may have been longer before. */
	if (port->packet >= *bytes)
		port->packet = 0;
	return *bytes;
}

static size_t sim_source_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	unsigned int bytes;

	lockdep_assert_held(&chan->lock);

	return sim_source_packets(chan, &bytes) ? min_t(size_t, len, bytes - chan->port.packet) :
						  len;
}

static void sim_source_move(struct sim_chan *chan, void *mem, size_t done, size_t len)
{
	u64 pos = chan->port.pos + done;
	__le32 word;
	size_t part;

	lockdep_assert_held(&chan->lock);

	for (; len; len -= part, mem += part, pos += part) {
		part = sim_pattern_part(pos, len);
		word = sim_pattern_word(chan, pos);
		if (part == SIM_WORD)
			memcpy(mem, &word, SIM_WORD);
		else
			memcpy(mem, (u8 *)&word + pos % SIM_WORD, part);
	}
}

static bool sim_source_commit(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	struct sim_port *port = &chan->port;
	unsigned int bytes;

	lockdep_assert_held(&chan->lock);

	port->pos += len;
	if (!sim_source_packets(chan, &bytes))
		return false;
	port->packet += len;
	if (port->packet < bytes)
		return false;
	port->packet = 0;
	return true;
}

const struct sim_port_ops sim_source_ops = {
	.ready = sim_source_ready,
	.move = sim_source_move,
	.commit = sim_source_commit,
};

static size_t sim_sink_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	return len;
}

/* A word whose parts come one by one is wrong once at most. */
static void sim_sink_wrong(struct sim_port *port, u64 pos)
{
	u64 word = pos / SIM_WORD + 1;

	if (port->wrong == word)
		return;
	port->wrong = word;
	port->errors++;
}

static void sim_sink_move(struct sim_chan *chan, void *mem, size_t done, size_t len)
{
	u64 pos = chan->port.pos + done;
	__le32 word;
	size_t part;

	lockdep_assert_held(&chan->lock);

	for (; len; len -= part, mem += part, pos += part) {
		part = sim_pattern_part(pos, len);
		word = sim_pattern_word(chan, pos);
		if (memcmp(mem, (u8 *)&word + pos % SIM_WORD, part))
			sim_sink_wrong(&chan->port, pos);
	}
}

static bool sim_sink_commit(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	lockdep_assert_held(&chan->lock);

	chan->port.pos += len;
	return false;
}

const struct sim_port_ops sim_sink_ops = {
	.ready = sim_sink_ready,
	.move = sim_sink_move,
	.commit = sim_sink_commit,
};
