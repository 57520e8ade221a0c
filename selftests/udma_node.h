/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nodes of a device tree: udma-node-test makes platform devices with the same properties, and
 * the simulator's attribute "consumer" gives its channels to one of them, by name. See
 * udma_test.h for what the functions return.
 */
#ifndef UDMA_NODE_H
#define UDMA_NODE_H

#include "udma_device.h"

#define NODES		"/sys/kernel/debug/udma-node-test/"
#define NODE_DRIVER	"/sys/bus/platform/drivers/udma-node/"

/* Both channels of a loopback, whose controller has to be told of the device. */
#define NODE_PAIR	"dma-names=s:tx,rx udma,addresses=64:0,0"

/* A node, and what the channels of NODE_PAIR are called */
struct node {
	int id;
	char device[32];
	char tx[40];
	char rx[40];
};

/* Whether there can be nodes. */
static inline bool nodes_can_be(void)
{
	return !access(NODES "add", F_OK) ||
	       (!system("modprobe -q udma-node-test 2>/dev/null") && !access(NODES "add", F_OK));
}

/* Its number is nobody else's: tests have processes of their own. Its label is "l" and that. */
static inline void node_init(struct node *node)
{
	static int number;

	node->id = getpid() * 8 + number++;
	snprintf(node->device, sizeof(node->device), "udma-node.%d", node->id);
	snprintf(node->tx, sizeof(node->tx), "l%d-tx", node->id);
	snprintf(node->rx, sizeof(node->rx), "l%d-rx", node->id);
}

/* A controller of the kind, with channels for the node; it is not live yet. */
static inline int try_node_sim(const struct node *node, struct sim *sim, const char *kind,
			       bool need_config)
{
	const struct device_config config = {
		.kind = kind,
		.need_config = need_config,
	};

	if (try_sim_mkdir(sim) || try_device_configure(sim, &config))
		return -1;
	return try_sim_write(sim, "consumer", node->device);
}

/* Its own name, without an address, is "n" and its number. */
static inline int try_node_add(const struct node *node, const char *properties)
{
	char text[3000];

	snprintf(text, sizeof(text), "%d n%d@13810000 %s", node->id, node->id, properties);
	return try_write_text(NODES "add", text);
}

static inline int try_pair_add(const struct node *node)
{
	char text[128];

	snprintf(text, sizeof(text), NODE_PAIR " label=s:l%d", node->id);
	return try_node_add(node, text);
}

static inline int try_node_remove(const struct node *node)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", node->id);
	return try_write_text(NODES "remove", text);
}

/* Root binds and unbinds the driver; EAGAIN says that it waits for something. */

static inline int try_node_probe(const struct node *node)
{
	return try_write_text(NODE_DRIVER "bind", node->device);
}

static inline int try_node_unbind(const struct node *node)
{
	return try_write_text(NODE_DRIVER "unbind", node->device);
}

#endif /* UDMA_NODE_H */
