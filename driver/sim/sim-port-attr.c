// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of a controller's directory that say what its channels are for,
 * and what is at the other end of them.
 */
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim-attr.h"

static const char * const sim_kinds[] = {
	[SIM_KIND_MEMORY] = "memory",
	[SIM_KIND_LOOPBACK] = "loopback",
	[SIM_KIND_SOURCE] = "source",
	[SIM_KIND_SINK] = "sink",
};

static ssize_t sim_config_kind_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n", sim_kinds[READ_ONCE(to_sim_settings(item)->kind)]);
}

static ssize_t sim_config_kind_store(struct config_item *item, const char *page, size_t count)
{
	int kind = sysfs_match_string(sim_kinds, page);

	if (kind < 0)
		return kind;

	return sim_fixed_set(item, offsetof(struct sim_settings, kind), kind) ?: count;
}
CONFIGFS_ATTR(sim_config_, kind);

static ssize_t sim_config_consumer_show(struct config_item *item, char *page)
{
	struct sim_config *cfg = to_sim_config(item);
	ssize_t ret;

	mutex_lock(&cfg->lock);
	ret = sysfs_emit(page, "%s\n", cfg->set->consumer);
	mutex_unlock(&cfg->lock);

	return ret;
}

static ssize_t sim_config_consumer_store(struct config_item *item, const char *page,
					 size_t count)
{
	struct sim_config *cfg = to_sim_config(item);
	size_t len = strcspn(page, "\n");
	ssize_t ret = count;

	if (len > SIM_CONSUMER_MAX)
		return -ERANGE;

	mutex_lock(&cfg->lock);
	if (cfg->pdev)
		ret = -EBUSY;
	else
		strscpy(cfg->set->consumer, page, len + 1);
	mutex_unlock(&cfg->lock);

	return ret;
}
CONFIGFS_ATTR(sim_config_, consumer);

SIM_ATTR_FIXED(cyclic, cyclic, 0, 1);
SIM_ATTR_FIXED(pause, pause, 0, 1);
SIM_ATTR_FIXED(need_config, need_config, 0, 1);
SIM_ATTR_FIXED(max_pieces, max_pieces, 0, UINT_MAX);
SIM_ATTR_FIXED(fifo_bytes, port.fifo_bytes, 1, SZ_16M);
SIM_ATTR_FIXED(packets, port.packets, 0, 1);
SIM_ATTR_FIXED(pattern_first, port.pattern_first, 0, UINT_MAX);
SIM_ATTR_LIVE(packet_bytes, port.packet_bytes, 0, SZ_1G);

static ssize_t sim_config_slave_config_show(struct config_item *item, char *page)
{
	struct sim_dev *sim = sim_dev_get(to_sim_settings(item));
	ssize_t ret;

	if (!sim)
		return 0;
	ret = sim_dev_show_config(sim, page);
	sim_dev_put(sim);
	return ret;
}
CONFIGFS_ATTR_RO(sim_config_, slave_config);

struct configfs_attribute *sim_port_attrs[] = {
	&sim_config_attr_kind,
	&sim_config_attr_consumer,
	&sim_config_attr_cyclic,
	&sim_config_attr_pause,
	&sim_config_attr_need_config,
	&sim_config_attr_max_pieces,
	&sim_config_attr_fifo_bytes,
	&sim_config_attr_packets,
	&sim_config_attr_pattern_first,
	&sim_config_attr_packet_bytes,
	&sim_config_attr_slave_config,
	NULL
};
