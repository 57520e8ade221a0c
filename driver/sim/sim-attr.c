// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of a controller's directory. Documentation/simulator.rst says
 * what each one means.
 */
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "sim-attr.h"

/* Fits a long on every machine. */
#define SIM_LATENCY_MAX		min_t(u64, 3600ULL * NSEC_PER_SEC, ULONG_MAX)

int sim_parse(const char *page, unsigned int min, unsigned int max, unsigned int *out)
{
	unsigned int value;
	int ret;

	ret = kstrtouint(page, 0, &value);
	if (ret)
		return ret;
	if (value < min || value > max)
		return -ERANGE;

	*out = value;
	return 0;
}

static void *sim_field(struct config_item *item, size_t offset)
{
	return (void *)to_sim_settings(item) + offset;
}

ssize_t sim_uint_show(struct config_item *item, char *page, size_t offset)
{
	unsigned int *field = sim_field(item, offset);

	return sysfs_emit(page, "%u\n", READ_ONCE(*field));
}

/* What is fixed while live */

int sim_fixed_set(struct config_item *item, size_t offset, unsigned int value)
{
	struct sim_config *cfg = to_sim_config(item);
	unsigned int *field = sim_field(item, offset);
	int ret = 0;

	mutex_lock(&cfg->lock);
	if (cfg->pdev)
		ret = -EBUSY;
	else
		WRITE_ONCE(*field, value);
	mutex_unlock(&cfg->lock);

	return ret;
}

ssize_t sim_fixed_store(struct config_item *item, const char *page, size_t count,
			size_t offset, unsigned int min, unsigned int max)
{
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, max, &value);
	if (ret)
		return ret;

	return sim_fixed_set(item, offset, value) ?: count;
}

SIM_ATTR_FIXED(channels, channels, 1, SIM_CHANNELS_MAX);
SIM_ATTR_FIXED(max_segment, max_segment, 1, UINT_MAX);
SIM_ATTR_FIXED(depth, depth, 1, SIM_DEPTH_MAX);
SIM_ATTR_FIXED(fill, fill, 0, 1);
SIM_ATTR_FIXED(interleave, interleave, 0, 1);

static ssize_t sim_align_store(struct config_item *item, const char *page, size_t count,
			       size_t offset, unsigned int min, unsigned int max)
{
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, max, &value);
	if (ret)
		return ret;
	if (!is_power_of_2(value))
		return -EINVAL;

	return sim_fixed_set(item, offset, value) ?: count;
}

SIM_ATTR(align, align, sim_uint_show, sim_align_store, 1, SIM_ALIGN_MAX);

/* What the engine reads as it goes */

void sim_settings_changed(struct sim_settings *set)
{
	struct sim_dev *sim = sim_dev_get(set);

	if (!sim)
		return;
	sim_dev_changed(sim);
	sim_dev_put(sim);
}

ssize_t sim_live_store(struct config_item *item, const char *page, size_t count,
		       size_t offset, unsigned int min, unsigned int max)
{
	unsigned int *field = sim_field(item, offset);
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, max, &value);
	if (ret)
		return ret;

	WRITE_ONCE(*field, value);
	sim_settings_changed(to_sim_settings(item));
	return count;
}

static int sim_store_long(struct sim_settings *set, unsigned long *field,
			  const char *page, unsigned long max)
{
	unsigned long value;
	int ret;

	ret = kstrtoul(page, 0, &value);
	if (ret)
		return ret;
	if (value > max)
		return -ERANGE;

	WRITE_ONCE(*field, value);
	sim_settings_changed(set);
	return 0;
}

static ssize_t sim_config_latency_ns_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%lu\n", READ_ONCE(to_sim_settings(item)->latency_ns));
}

static ssize_t sim_config_latency_ns_store(struct config_item *item, const char *page,
					   size_t count)
{
	struct sim_settings *set = to_sim_settings(item);

	return sim_store_long(set, &set->latency_ns, page, SIM_LATENCY_MAX) ?: count;
}
CONFIGFS_ATTR(sim_config_, latency_ns);

static ssize_t sim_config_bandwidth_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%lu\n", READ_ONCE(to_sim_settings(item)->bandwidth));
}

static ssize_t sim_config_bandwidth_store(struct config_item *item, const char *page,
					  size_t count)
{
	struct sim_settings *set = to_sim_settings(item);

	return sim_store_long(set, &set->bandwidth, page, ULONG_MAX) ?: count;
}
CONFIGFS_ATTR(sim_config_, bandwidth);

SIM_ATTR_LIVE(instant, instant, 0, 1);

ssize_t sim_at_show(struct config_item *item, char *page, size_t offset)
{
	return sysfs_emit(page, "%d\n", atomic_read(sim_field(item, offset)));
}

ssize_t sim_at_store(struct config_item *item, const char *page, size_t count,
		     size_t offset, unsigned int min, unsigned int max)
{
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, max, &value);
	if (ret)
		return ret;

	atomic_set(sim_field(item, offset), value);
	sim_settings_changed(to_sim_settings(item));
	return count;
}

/* Something to be done now */

ssize_t sim_do_store(struct config_item *item, const char *page, size_t count,
		     void (*action)(struct sim_dev *sim))
{
	struct sim_dev *sim;
	unsigned int value;
	int ret;

	ret = sim_parse(page, 1, 1, &value);
	if (ret)
		return ret;

	sim = sim_dev_get(to_sim_settings(item));
	if (!sim)
		return -ENODEV;
	action(sim);
	sim_dev_put(sim);

	return count;
}

/* Steps */

SIM_ATTR_LIVE(step_mode, step_mode, 0, 1);

static ssize_t sim_config_step_channel_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(to_sim_settings(item)->step_channel));
}

static ssize_t sim_config_step_channel_store(struct config_item *item, const char *page,
					     size_t count)
{
	struct sim_settings *set = to_sim_settings(item);
	int value, ret;

	ret = kstrtoint(page, 0, &value);
	if (ret)
		return ret;
	if (value < -1 || value >= SIM_CHANNELS_MAX)
		return -ERANGE;

	WRITE_ONCE(set->step_channel, value);
	sim_settings_changed(set);
	return count;
}
CONFIGFS_ATTR(sim_config_, step_channel);

static ssize_t sim_step_store(struct config_item *item, const char *page, size_t count,
			      unsigned int min,
			      int (*step)(struct sim_dev *sim, unsigned int value))
{
	struct sim_dev *sim;
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, UINT_MAX, &value);
	if (ret)
		return ret;

	sim = sim_dev_get(to_sim_settings(item));
	if (!sim)
		return -ENODEV;
	ret = step(sim, value);
	sim_dev_put(sim);

	return ret ?: count;
}

static ssize_t sim_config_step_store(struct config_item *item, const char *page,
				     size_t count)
{
	return sim_step_store(item, page, count, 0, sim_dev_step);
}
CONFIGFS_ATTR_WO(sim_config_, step);

static ssize_t sim_config_step_bytes_store(struct config_item *item, const char *page,
					   size_t count)
{
	return sim_step_store(item, page, count, 1, sim_dev_step_bytes);
}
CONFIGFS_ATTR_WO(sim_config_, step_bytes);

/* What goes on */

static struct sim_counts sim_config_count(struct config_item *item)
{
	struct sim_dev *sim = sim_dev_get(to_sim_settings(item));
	struct sim_counts counts = {};

	if (!sim)
		return counts;
	sim_dev_count(sim, &counts);
	sim_dev_put(sim);
	return counts;
}

#define SIM_ATTR_COUNT(_name)							\
static ssize_t sim_config_##_name##_show(struct config_item *item, char *page)	\
{										\
	return sysfs_emit(page, "%llu\n", sim_config_count(item)._name);	\
}										\
CONFIGFS_ATTR_RO(sim_config_, _name)

SIM_ATTR_COUNT(pending);
SIM_ATTR_COUNT(ended);
SIM_ATTR_COUNT(terminates);
SIM_ATTR_COUNT(sink_bytes);
SIM_ATTR_COUNT(sink_errors);

static ssize_t sim_config_dev_name_show(struct config_item *item, char *page)
{
	struct sim_config *cfg = to_sim_config(item);
	ssize_t ret = -ENODEV;

	mutex_lock(&cfg->lock);
	if (cfg->pdev)
		ret = sysfs_emit(page, "%s\n", dev_name(&cfg->pdev->dev));
	mutex_unlock(&cfg->lock);

	return ret;
}
CONFIGFS_ATTR_RO(sim_config_, dev_name);

static ssize_t sim_config_live_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(to_sim_config(item)->pdev));
}

static ssize_t sim_config_live_store(struct config_item *item, const char *page,
				     size_t count)
{
	unsigned int live;
	int ret;

	ret = sim_parse(page, 0, 1, &live);
	if (ret)
		return ret;

	return sim_config_set_live(to_sim_config(item), live) ?: count;
}
CONFIGFS_ATTR(sim_config_, live);

static struct configfs_attribute *sim_plain_attrs[] = {
	&sim_config_attr_channels,
	&sim_config_attr_max_segment,
	&sim_config_attr_align,
	&sim_config_attr_depth,
	&sim_config_attr_fill,
	&sim_config_attr_interleave,
	&sim_config_attr_latency_ns,
	&sim_config_attr_bandwidth,
	&sim_config_attr_instant,
	&sim_config_attr_step_mode,
	&sim_config_attr_step_channel,
	&sim_config_attr_step,
	&sim_config_attr_step_bytes,
	&sim_config_attr_pending,
	&sim_config_attr_ended,
	&sim_config_attr_terminates,
	&sim_config_attr_sink_bytes,
	&sim_config_attr_sink_errors,
	&sim_config_attr_dev_name,
	&sim_config_attr_live,
	NULL
};

/* configfs wants all of a directory in one table. */
struct configfs_attribute **sim_attrs_create(void)
{
	struct configfs_attribute **attrs, **next, **from;
	size_t count = 1;

	for (from = sim_plain_attrs; *from; from++)
		count++;
	for (from = sim_port_attrs; *from; from++)
		count++;
	for (from = sim_fault_attrs; *from; from++)
		count++;

	attrs = kcalloc(count, sizeof(*attrs), GFP_KERNEL);
	if (!attrs)
		return NULL;

	next = attrs;
	for (from = sim_plain_attrs; *from; from++)
		*next++ = *from;
	for (from = sim_port_attrs; *from; from++)
		*next++ = *from;
	for (from = sim_fault_attrs; *from; from++)
		*next++ = *from;
	return attrs;
}
