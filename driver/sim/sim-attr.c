// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of a controller's directory. Documentation/simulator.rst says
 * what each one means.
 */
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "sim.h"

/* Fits a long on every machine. */
#define SIM_LATENCY_MAX		min_t(u64, 3600ULL * NSEC_PER_SEC, ULONG_MAX)

static struct sim_settings *to_sim_settings(struct config_item *item)
{
	return to_sim_config(item)->set;
}

static int sim_parse(const char *page, unsigned int min, unsigned int max,
		     unsigned int *out)
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

/*
 * What is fixed while live. The two functions do the work for the field at an
 * offset; configfs does not tell a show or store which attribute it is for.
 */
static ssize_t sim_fixed_show(struct config_item *item, char *page, size_t offset)
{
	unsigned int *field = (void *)to_sim_settings(item) + offset;

	return sysfs_emit(page, "%u\n", READ_ONCE(*field));
}

static ssize_t sim_fixed_store(struct config_item *item, const char *page,
			       size_t count, size_t offset, unsigned int min,
			       unsigned int max)
{
	struct sim_config *cfg = to_sim_config(item);
	unsigned int *field = (void *)cfg->set + offset;
	unsigned int value;
	int ret;

	ret = sim_parse(page, min, max, &value);
	if (ret)
		return ret;

	mutex_lock(&cfg->lock);
	if (cfg->pdev)
		ret = -EBUSY;
	else
		WRITE_ONCE(*field, value);
	mutex_unlock(&cfg->lock);

	return ret ?: count;
}

#define SIM_ATTR_FIXED(_name, _min, _max)					\
static ssize_t sim_config_##_name##_show(struct config_item *item, char *page)	\
{										\
	return sim_fixed_show(item, page, offsetof(struct sim_settings, _name)); \
}										\
										\
static ssize_t sim_config_##_name##_store(struct config_item *item,		\
					  const char *page, size_t count)	\
{										\
	return sim_fixed_store(item, page, count,				\
			       offsetof(struct sim_settings, _name), _min, _max); \
}										\
CONFIGFS_ATTR(sim_config_, _name)

SIM_ATTR_FIXED(channels, 1, SIM_CHANNELS_MAX);
SIM_ATTR_FIXED(max_segment, 1, UINT_MAX);
SIM_ATTR_FIXED(depth, 1, SIM_DEPTH_MAX);
SIM_ATTR_FIXED(fill, 0, 1);

static ssize_t sim_config_align_show(struct config_item *item, char *page)
{
	return sim_fixed_show(item, page, offsetof(struct sim_settings, align));
}

static ssize_t sim_config_align_store(struct config_item *item, const char *page,
				      size_t count)
{
	unsigned int value;
	int ret;

	ret = sim_parse(page, 1, SIM_ALIGN_MAX, &value);
	if (ret)
		return ret;
	if (!is_power_of_2(value))
		return -EINVAL;

	return sim_fixed_store(item, page, count, offsetof(struct sim_settings, align),
			       1, SIM_ALIGN_MAX);
}
CONFIGFS_ATTR(sim_config_, align);

/* What the engine reads as it goes */

static void sim_settings_changed(struct sim_settings *set)
{
	struct sim_dev *sim = sim_dev_get(set);

	if (!sim)
		return;
	sim_dev_changed(sim);
	sim_dev_put(sim);
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

static ssize_t sim_config_fail_at_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", atomic_read(&to_sim_settings(item)->fail_at));
}

static ssize_t sim_config_fail_at_store(struct config_item *item, const char *page,
					size_t count)
{
	unsigned int value;
	int ret;

	ret = sim_parse(page, 0, INT_MAX, &value);
	if (ret)
		return ret;

	atomic_set(&to_sim_settings(item)->fail_at, value);
	return count;
}
CONFIGFS_ATTR(sim_config_, fail_at);

/* Steps */

static ssize_t sim_config_step_mode_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", READ_ONCE(to_sim_settings(item)->step_mode));
}

static ssize_t sim_config_step_mode_store(struct config_item *item, const char *page,
					  size_t count)
{
	struct sim_settings *set = to_sim_settings(item);
	unsigned int value;
	int ret;

	ret = sim_parse(page, 0, 1, &value);
	if (ret)
		return ret;

	WRITE_ONCE(set->step_mode, value);
	sim_settings_changed(set);
	return count;
}
CONFIGFS_ATTR(sim_config_, step_mode);

static ssize_t sim_config_step_store(struct config_item *item, const char *page,
				     size_t count)
{
	struct sim_dev *sim;
	unsigned int value;
	int ret;

	ret = sim_parse(page, 0, UINT_MAX, &value);
	if (ret)
		return ret;

	sim = sim_dev_get(to_sim_settings(item));
	if (!sim)
		return -ENODEV;
	ret = sim_dev_step(sim, value);
	sim_dev_put(sim);

	return ret ?: count;
}
CONFIGFS_ATTR_WO(sim_config_, step);

/* What goes on */

static void sim_config_count(struct config_item *item, u64 *pending, u64 *ended)
{
	struct sim_dev *sim = sim_dev_get(to_sim_settings(item));

	*pending = 0;
	*ended = 0;
	if (!sim)
		return;
	sim_dev_count(sim, pending, ended);
	sim_dev_put(sim);
}

static ssize_t sim_config_pending_show(struct config_item *item, char *page)
{
	u64 pending, ended;

	sim_config_count(item, &pending, &ended);
	return sysfs_emit(page, "%llu\n", pending);
}
CONFIGFS_ATTR_RO(sim_config_, pending);

static ssize_t sim_config_ended_show(struct config_item *item, char *page)
{
	u64 pending, ended;

	sim_config_count(item, &pending, &ended);
	return sysfs_emit(page, "%llu\n", ended);
}
CONFIGFS_ATTR_RO(sim_config_, ended);

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

struct configfs_attribute *sim_config_attrs[] = {
	&sim_config_attr_channels,
	&sim_config_attr_max_segment,
	&sim_config_attr_align,
	&sim_config_attr_depth,
	&sim_config_attr_fill,
	&sim_config_attr_latency_ns,
	&sim_config_attr_bandwidth,
	&sim_config_attr_fail_at,
	&sim_config_attr_step_mode,
	&sim_config_attr_step,
	&sim_config_attr_pending,
	&sim_config_attr_ended,
	&sim_config_attr_dev_name,
	&sim_config_attr_live,
	NULL
};
