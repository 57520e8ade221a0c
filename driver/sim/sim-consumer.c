// SPDX-License-Identifier: GPL-2.0
/*
 * The device that channels are for, on machines where no firmware says so: it gets
 * them by name, with dma_request_chan().
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/slab.h>

#include "sim.h"

static bool sim_is_channel(struct dma_chan *chan, void *wanted)
{
	return to_sim_chan(chan) == wanted;
}

/* Whoever has devices in pairs looks for them by what they do. */
static const char *sim_chan_name(struct sim_dev *sim, unsigned int i)
{
	struct device *dev = sim->dma.dev;

	if (sim->set->kind == SIM_KIND_LOOPBACK)
		return devm_kasprintf(dev, GFP_KERNEL, "%s%u", i % 2 ? "rx" : "tx", i / 2);
	return devm_kasprintf(dev, GFP_KERNEL, "ch%u", i);
}

/* Where there is only one of either, it needs no number. */
static unsigned int sim_map_pair(struct sim_dev *sim, struct dma_slave_map *map)
{
	if (sim->set->kind != SIM_KIND_LOOPBACK || sim->channels != 2)
		return 0;
	map[0].slave = "tx";
	map[0].param = &sim->chans[0];
	map[1].slave = "rx";
	map[1].param = &sim->chans[1];
	return 2;
}

/* dmaengine looks at the map for as long as the device is bound. */
int sim_dev_map_consumer(struct sim_dev *sim)
{
	const char *consumer = sim->set->consumer;
	struct dma_slave_map *map;
	unsigned int i, count;

	if (!*consumer)
		return 0;
	map = devm_kcalloc(sim->dma.dev, sim->channels + 2, sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;

	for (i = 0; i < sim->channels; i++) {
		map[i].slave = sim_chan_name(sim, i);
		if (!map[i].slave)
			return -ENOMEM;
		map[i].param = &sim->chans[i];
	}
	count = i + sim_map_pair(sim, map + i);
	for (i = 0; i < count; i++)
		map[i].devname = consumer;

	sim->dma.filter.fn = sim_is_channel;
	sim->dma.filter.map = map;
	sim->dma.filter.mapcnt = count;
	return 0;
}
