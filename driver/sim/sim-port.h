/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is at the other end of a channel: nothing where memory is copied to
 * memory, else a device.
 */
#ifndef UDMA_SIM_PORT_H
#define UDMA_SIM_PORT_H

#include <linux/dmaengine.h>
#include <linux/types.h>

struct sim_chan;
struct sim_desc;
struct sim_dev;
struct sim_fifo;

/**
 * enum sim_kind - what the channels of a controller are for
 * @SIM_KIND_MEMORY: copies
 * @SIM_KIND_LOOPBACK: two by two, the second receives what the first transmits
 * @SIM_KIND_SOURCE: a device that counts
 * @SIM_KIND_SINK: one that checks what a source has counted
 */
enum sim_kind {
	SIM_KIND_MEMORY,
	SIM_KIND_LOOPBACK,
	SIM_KIND_SOURCE,
	SIM_KIND_SINK,
};

/**
 * struct sim_port_settings - what was asked for
 * @fifo_bytes: how much there is room for between transmit and receive
 * @packets: transfers that are transmitted are packets
 * @pattern_first: the first word that sources count
 * @packet_bytes: a source ends a packet after so many, 0 for never; may change
 */
struct sim_port_settings {
	unsigned int fifo_bytes;
	unsigned int packets;
	unsigned int pattern_first;
	unsigned int packet_bytes;
};

/**
 * struct sim_port_ops - a device, all with the channel's lock held
 * @ready: how many of the next @len bytes can move now. None: it kicks the channel
 *	when some can
 * @move: moves bytes from or to memory, which are @done after those committed
 * @commit: bytes have moved. True: they end a packet that is being received
 * @may_end: whether the transfer could end now; NULL where any could. False: it
 *	wakes who waits for that when there may be more of it
 */
struct sim_port_ops {
	size_t (*ready)(struct sim_chan *chan, struct sim_desc *desc, size_t len);
	void (*move)(struct sim_chan *chan, void *mem, size_t done, size_t len);
	bool (*commit)(struct sim_chan *chan, struct sim_desc *desc, size_t len);
	bool (*may_end)(struct sim_chan *chan, struct sim_desc *desc);
};

/**
 * struct sim_port - one channel's device, protected by the channel's lock
 * @ops: how it works, NULL for memory
 * @dir: which way data goes
 * @fifo: of a loopback, shared with the other end, has a lock of its own
 * @other: the other end
 * @nudge: what the other end waits for has come about
 * @pos: bytes that a source has given or a sink has taken
 * @packet: those of them that are in the packet that has not ended
 * @errors: words that were not what a sink expects
 * @wrong: the last of them, counted from 1
 */
struct sim_port {
	const struct sim_port_ops *ops;
	enum dma_transfer_direction dir;
	struct sim_fifo *fifo;
	struct sim_chan *other;
	bool nudge;
	u64 pos;
	unsigned int packet;
	u64 errors;
	u64 wrong;
};

/* sim-pattern.c */
extern const struct sim_port_ops sim_source_ops;
extern const struct sim_port_ops sim_sink_ops;

/* sim-fifo.c */
extern const struct sim_port_ops sim_transmit_ops;
extern const struct sim_port_ops sim_receive_ops;
int sim_dev_create_fifos(struct sim_dev *sim);
void sim_dev_free_fifos(struct sim_dev *sim);

#endif /* UDMA_SIM_PORT_H */
