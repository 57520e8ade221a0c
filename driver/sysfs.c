// SPDX-License-Identifier: GPL-2.0
/*
 * What root sees and sets of a channel, in /sys/class/udma/udmaN.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "hot.h"
#include "udma.h"

/* The longest that root may set, an hour. */
#define UDMA_MS_MAX	(60 * 60 * MSEC_PER_SEC)

static struct udma_chan *to_udma_chan(struct device *dev)
{
	return container_of(dev, struct udma_chan, dev);
}

static int udma_sysfs_parse(const char *buf, unsigned int min, unsigned int max,
			    unsigned int *value)
{
	int ret = kstrtouint(buf, 0, value);

	if (ret)
		return ret;
	return *value < min || *value > max ? -EINVAL : 0;
}

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_udma_chan(dev)->info.out_name);
}
static DEVICE_ATTR_RO(name);

static ssize_t channel_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_udma_chan(dev)->info.out_channel);
}
static DEVICE_ATTR_RO(channel);

static ssize_t provider_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_udma_chan(dev)->info.out_device);
}
static DEVICE_ATTR_RO(provider);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const names[] = {
		[UDMA_STATE_WORKING] = "working",
		[UDMA_STATE_RESETTING] = "resetting",
		[UDMA_STATE_FAILED] = "failed",
	};

	return sysfs_emit(buf, "%s\n", names[READ_ONCE(to_udma_chan(dev)->engine.state)]);
}
static DEVICE_ATTR_RO(state);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	unsigned int value;
	int ret;

	ret = udma_sysfs_parse(buf, 1, 1, &value);
	if (ret)
		return ret;
	return udma_reset_now(to_udma_chan(dev)) ?: count;
}
static DEVICE_ATTR_WO(reset);

static ssize_t stall_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_udma_chan(dev)->engine.stall_ms));
}

static ssize_t stall_ms_store(struct device *dev, struct device_attribute *attr, const char *buf,
			      size_t count)
{
	struct udma_engine *engine = &to_udma_chan(dev)->engine;
	unsigned int value;
	int ret;

	/* Who waits for a device may do so for ever. */
	ret = udma_sysfs_parse(buf, udma_engine_has_device(engine) ? 0 : 1, UDMA_MS_MAX, &value);
	if (ret)
		return ret;
	udma_reset_set_stall(engine, value);
	return count;
}
static DEVICE_ATTR_RW(stall_ms);

static ssize_t timeout_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", udma_deadline_default_ms(&to_udma_chan(dev)->engine));
}

static ssize_t timeout_ms_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	unsigned int value;
	int ret;

	ret = udma_sysfs_parse(buf, 0, UDMA_MS_MAX, &value);
	if (ret)
		return ret;
	udma_deadline_set_default(&to_udma_chan(dev)->engine, value);
	return count;
}
static DEVICE_ATTR_RW(timeout_ms);

static ssize_t window_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_udma_chan(dev)->engine.window));
}

static ssize_t window_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct udma_engine *engine = &to_udma_chan(dev)->engine;
	unsigned int value;
	int ret;

	ret = udma_sysfs_parse(buf, 1, UDMA_WINDOW_SLOTS, &value);
	if (ret)
		return ret;
	guard(spinlock_irq)(&engine->lock);
	WRITE_ONCE(engine->window, value);
	udma_engine_kick(engine);
	return count;
}
static DEVICE_ATTR_RW(window);

static struct attribute *udma_chan_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_channel.attr,
	&dev_attr_provider.attr,
	&dev_attr_state.attr,
	&dev_attr_reset.attr,
	&dev_attr_stall_ms.attr,
	&dev_attr_timeout_ms.attr,
	&dev_attr_window.attr,
	NULL,
};

static const struct attribute_group udma_chan_group = {
	.attrs = udma_chan_attrs,
};

/**
 * struct udma_count_attribute - a file that tells a count
 * @attr: the file
 * @count: which one
 */
struct udma_count_attribute {
	struct device_attribute attr;
	enum udma_count count;
};

static ssize_t udma_count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct udma_count_attribute *file = container_of(attr, struct udma_count_attribute, attr);
	struct udma_engine *engine = &to_udma_chan(dev)->engine;
	u64 count;

	scoped_guard(spinlock_irq, &engine->lock)
		count = engine->counts[file->count];
	return sysfs_emit(buf, "%llu\n", count);
}

#define UDMA_COUNT_ATTR(_name, _count)						\
	static struct udma_count_attribute udma_count_attr_##_name = {		\
		.attr = __ATTR(_name, 0444, udma_count_show, NULL),		\
		.count = (_count),						\
	}

UDMA_COUNT_ATTR(stalls, UDMA_COUNT_STALLS);
UDMA_COUNT_ATTR(timeouts, UDMA_COUNT_TIMEOUTS);
UDMA_COUNT_ATTR(cancels, UDMA_COUNT_CANCELS);
UDMA_COUNT_ATTR(resets, UDMA_COUNT_RESETS);
UDMA_COUNT_ATTR(probes, UDMA_COUNT_PROBES);
UDMA_COUNT_ATTR(replays, UDMA_COUNT_REPLAYS);
UDMA_COUNT_ATTR(reacquires, UDMA_COUNT_REACQUIRES);
UDMA_COUNT_ATTR(failures, UDMA_COUNT_FAILURES);
UDMA_COUNT_ATTR(heals, UDMA_COUNT_HEALS);
UDMA_COUNT_ATTR(late, UDMA_COUNT_LATE);
UDMA_COUNT_ATTR(alone, UDMA_COUNT_ALONE);

static struct attribute *udma_recovery_attrs[] = {
	&udma_count_attr_stalls.attr.attr,
	&udma_count_attr_timeouts.attr.attr,
	&udma_count_attr_cancels.attr.attr,
	&udma_count_attr_resets.attr.attr,
	&udma_count_attr_probes.attr.attr,
	&udma_count_attr_replays.attr.attr,
	&udma_count_attr_reacquires.attr.attr,
	&udma_count_attr_failures.attr.attr,
	&udma_count_attr_heals.attr.attr,
	&udma_count_attr_late.attr.attr,
	&udma_count_attr_alone.attr.attr,
	NULL,
};

static const struct attribute_group udma_recovery_group = {
	.name = "recovery",
	.attrs = udma_recovery_attrs,
};

const struct attribute_group *udma_chan_groups[] = {
	&udma_chan_group,
	&udma_device_group,
	&udma_limit_group,
	&udma_recovery_group,
	NULL,
};
