// SPDX-License-Identifier: GPL-2.0
/*
 * What is behind a channel: nothing but memory, or a device that data goes to or comes
 * from. Which of it, and how the device is reached, is said by root only: in sysfs, or
 * in the device tree. It does not change while anybody has the channel open.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/of.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "hot.h"
#include "udma.h"

static const char * const udma_directions[] = {
	[UDMA_DIRECTION_MEM_TO_MEM] = "mem_to_mem",
	[UDMA_DIRECTION_MEM_TO_DEV] = "mem_to_dev",
	[UDMA_DIRECTION_DEV_TO_MEM] = "dev_to_mem",
	[UDMA_DIRECTION_NONE] = "none",
};

static bool udma_direction_is_device(enum udma_direction direction)
{
	return direction == UDMA_DIRECTION_MEM_TO_DEV || direction == UDMA_DIRECTION_DEV_TO_MEM;
}

/* What can be done within memory. */
static u64 udma_device_memory_capabilities(struct dma_device *device)
{
	u64 capabilities = 0;

	if (dma_has_cap(DMA_MEMCPY, device->cap_mask) && device->device_prep_dma_memcpy)
		capabilities |= UDMA_CAP_COPY;
	if (dma_has_cap(DMA_MEMSET, device->cap_mask) && device->device_prep_dma_memset)
		capabilities |= UDMA_CAP_FILL;
	if (dma_has_cap(DMA_INTERLEAVE, device->cap_mask) && device->device_prep_interleaved_dma &&
	    (!device->directions || device->directions & BIT(DMA_MEM_TO_MEM)))
		capabilities |= UDMA_CAP_INTERLEAVE;
	return capabilities;
}

/* Learn what the provider says of the channel and of its device. */
static void udma_device_learn(struct udma_device *device, struct dma_chan *dma, bool *can_pause)
{
	struct dma_device *provider = dma->device;
	struct dma_slave_caps caps = {};

	device->finds = !provider->device_config;
	device->addressed = device->finds;
	device->capabilities = udma_device_memory_capabilities(provider);
	if (device->capabilities)
		device->directions = BIT(UDMA_DIRECTION_MEM_TO_MEM);
	if (!dma_has_cap(DMA_SLAVE, provider->cap_mask) || dma_get_slave_caps(dma, &caps))
		return;
	if (provider->device_prep_slave_sg && caps.directions & BIT(DMA_MEM_TO_DEV))
		device->capabilities |= UDMA_CAP_MEM_TO_DEV;
	if (provider->device_prep_slave_sg && caps.directions & BIT(DMA_DEV_TO_MEM))
		device->capabilities |= UDMA_CAP_DEV_TO_MEM;
	device->directions |= caps.directions & (BIT(UDMA_DIRECTION_MEM_TO_DEV) |
						 BIT(UDMA_DIRECTION_DEV_TO_MEM));
	/* Nothing else ends it. */
	if (dma_has_cap(DMA_CYCLIC, provider->cap_mask) && provider->device_prep_dma_cyclic &&
	    provider->device_terminate_all)
		device->capabilities |= UDMA_CAP_CYCLIC;
	*can_pause = caps.cmd_pause && caps.cmd_resume;
	if (*can_pause)
		device->capabilities |= UDMA_CAP_PAUSE;
	device->src_widths = caps.src_addr_widths;
	device->dst_widths = caps.dst_addr_widths;
	device->max_burst = caps.max_burst;
}

/* Those of the direction. */
static u64 udma_device_capabilities(const struct udma_device *device,
				    enum udma_direction direction)
{
	static const u64 memory = UDMA_CAP_COPY | UDMA_CAP_FILL | UDMA_CAP_INTERLEAVE;

	switch (direction) {
	case UDMA_DIRECTION_MEM_TO_MEM:
		return device->capabilities & memory;
	case UDMA_DIRECTION_NONE:
		return 0;
	case UDMA_DIRECTION_MEM_TO_DEV:
		return device->capabilities & ~(memory | UDMA_CAP_DEV_TO_MEM);
	default:
		return device->capabilities & ~(memory | UDMA_CAP_MEM_TO_DEV);
	}
}

static u32 udma_device_widths(const struct udma_device *device, enum udma_direction direction)
{
	switch (direction) {
	case UDMA_DIRECTION_MEM_TO_DEV:
		return device->dst_widths;
	case UDMA_DIRECTION_DEV_TO_MEM:
		return device->src_widths;
	default:
		return 0;
	}
}

/* Let the engine and UDMA_INFO know. */
static void udma_device_apply(struct udma_chan *chan, enum udma_direction direction)
{
	const struct udma_device *device = &chan->device;
	struct udma_info *info = &chan->info;

	udma_engine_set_direction(&chan->engine, direction);
	info->out_capabilities &= UDMA_CAP_COHERENT;
	info->out_capabilities |= udma_device_capabilities(device, direction);
	info->out_direction = direction;
	info->out_directions = device->directions;
	info->out_widths = udma_device_widths(device, direction);
	info->out_max_burst = info->out_widths ? device->max_burst : 0;
	info->out_width = device->width;
	info->out_burst = device->burst;
}

/**
 * udma_device_configure - tell the provider of the device
 * @chan: the channel; nobody else is at it
 * @direction: which way data is to go
 *
 * Return: zero, or a negative errno when the provider does not take it.
 */
static int udma_device_configure(struct udma_chan *chan, enum udma_direction direction)
{
	const struct udma_device *device = &chan->device;
	struct dma_slave_config config = {
		.src_addr_width = device->width,
		.dst_addr_width = device->width,
		.src_maxburst = device->burst,
		.dst_maxburst = device->burst,
	};

	switch (direction) {
	case UDMA_DIRECTION_MEM_TO_DEV:
		config.direction = DMA_MEM_TO_DEV;
		config.dst_addr = device->address;
		break;
	case UDMA_DIRECTION_DEV_TO_MEM:
		config.direction = DMA_DEV_TO_MEM;
		config.src_addr = device->address;
		break;
	default:
		return 0;
	}
	/* Many have nothing to be told of. */
	if (!chan->engine.dma->device->device_config)
		return device->address || device->width || device->burst ? -EOPNOTSUPP : 0;
	return dmaengine_slave_config(chan->engine.dma, &config);
}

/*
 * Until root says otherwise: memory if possible, else the only direction there is. Not where the
 * controller has to be told of the device first: it would move data to or from any address.
 */
static enum udma_direction udma_device_default(const struct udma_device *device)
{
	if (device->directions & BIT(UDMA_DIRECTION_MEM_TO_MEM))
		return UDMA_DIRECTION_MEM_TO_MEM;
	if (is_power_of_2(device->directions) && device->addressed)
		return ilog2(device->directions);
	return UDMA_DIRECTION_NONE;
}

/* Whether udma can make anything of a channel. */
bool udma_device_is_usable(struct dma_chan *dma)
{
	struct udma_device device = {};
	bool can_pause;

	udma_device_learn(&device, dma, &can_pause);
	return device.directions;
}

/* AXI DMA resets both of its channels (PG021, DMACR.Reset), and its driver resets to terminate. */
static bool udma_device_shares_reset(const struct dma_chan *dma)
{
	return of_device_is_compatible(dma->device->dev->of_node, "xlnx,axi-dma-1.00.a");
}

void udma_device_init(struct udma_chan *chan)
{
	chan->engine.shared_reset = udma_device_shares_reset(chan->engine.dma);
	udma_device_learn(&chan->device, chan->engine.dma, &chan->engine.can_pause);
	udma_device_apply(chan, udma_device_default(&chan->device));
}

/* The direction that a word says, or -EINVAL. Firmware writes words with dashes. */
int udma_device_direction(const char *word)
{
	char copy[16], *dash;
	int direction;

	if (strscpy(copy, word, sizeof(copy)) < 0)
		return -EINVAL;
	while ((dash = strchr(copy, '-')))
		*dash = '_';
	for (direction = 0; direction < ARRAY_SIZE(udma_directions); direction++)
		if (udma_directions[direction] && sysfs_streq(copy, udma_directions[direction]))
			return direction;
	return -EINVAL;
}

/*
 * One that neither side of the channel is able to is wrong in any direction, where the provider
 * says what they are able to.
 */
static bool udma_device_has_width(const struct udma_device *device, unsigned int width)
{
	u32 widths = device->src_widths | device->dst_widths;

	if (!widths)
		return width <= DMA_SLAVE_BUSWIDTH_128_BYTES;
	return !width || (width < BITS_PER_BYTE * sizeof(widths) && widths & BIT(width));
}

static bool udma_device_has_burst(const struct udma_device *device, unsigned int burst)
{
	return !device->max_burst || burst <= device->max_burst;
}

/**
 * udma_device_plan - begin with what firmware says of the device
 * @chan: the channel, which nobody can open yet
 * @plan: what it says
 *
 * Return: zero, -EOPNOTSUPP or -EINVAL when the channel cannot do that, or a negative errno.
 */
int udma_device_plan(struct udma_chan *chan, const struct udma_plan *plan)
{
	struct udma_device *device = &chan->device;
	enum udma_direction direction = plan->direction;

	if (direction != UDMA_DIRECTION_NONE && !(device->directions & BIT(direction)))
		return -EOPNOTSUPP;
	if (udma_direction_is_device(direction) && !device->addressed && !plan->addressed)
		return -EDESTADDRREQ;
	if (!udma_device_has_width(device, plan->width) ||
	    !udma_device_has_burst(device, plan->burst))
		return -EINVAL;
	device->address = plan->address;
	device->addressed |= plan->addressed;
	device->width = plan->width;
	device->burst = plan->burst;
	if (direction == UDMA_DIRECTION_NONE)
		direction = udma_device_default(device);
	udma_device_apply(chan, direction);
	return udma_device_configure(chan, chan->engine.direction);
}

static struct udma_chan *udma_device_chan(struct device *dev)
{
	return container_of(dev, struct udma_chan, dev);
}

/* Keep everybody from the channel, a reset too, if it has nothing to do. */
static bool udma_device_take(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	if (engine->running || engine->issued || engine->nr_replay || engine->stopped ||
	    engine->state != UDMA_STATE_WORKING)
		return false;
	engine->running = true;
	return true;
}

static void udma_device_give_back(struct udma_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	engine->running = false;
	engine->again = false;
	udma_engine_tell_left(engine);
}

/**
 * udma_device_set - root changes what is behind a channel
 * @chan: the channel; its files_lock is held
 * @direction: the direction
 * @device: the device
 *
 * All or nothing: what the provider does not take leaves everything as it was.
 *
 * Return: zero, -EBUSY when somebody has the channel open or hardware still has something,
 * or what the provider says.
 */
static int udma_device_set(struct udma_chan *chan, enum udma_direction direction,
			   const struct udma_device *device)
{
	const struct udma_device old = chan->device;
	int ret = -EBUSY;

	lockdep_assert_held(&chan->files_lock);
	if (!list_empty(&chan->files) || !udma_device_take(&chan->engine))
		return ret;
	chan->device = *device;
	ret = udma_device_configure(chan, direction);
	if (ret) {
		chan->device = old;
		udma_device_configure(chan, chan->engine.direction);
	} else if (direction != chan->engine.direction) {
		udma_device_apply(chan, direction);
	}
	chan->info.out_width = chan->device.width;
	chan->info.out_burst = chan->device.burst;
	udma_device_give_back(&chan->engine);
	return ret;
}

/* The same, for one who is not unbound meanwhile. */
static int udma_device_change(struct udma_chan *chan, enum udma_direction direction,
			      const struct udma_device *device)
{
	int cookie = udma_chan_enter(chan);
	int ret;

	if (cookie < 0)
		return cookie;
	ret = udma_device_set(chan, direction, device);
	udma_chan_leave(cookie);
	return ret;
}

static ssize_t direction_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  udma_directions[READ_ONCE(udma_device_chan(dev)->engine.direction)]);
}

static ssize_t direction_store(struct device *dev, struct device_attribute *attr, const char *buf,
			       size_t count)
{
	struct udma_chan *chan = udma_device_chan(dev);
	int direction = udma_device_direction(buf);

	if (direction < 0)
		return direction;
	if (direction != UDMA_DIRECTION_NONE && !(chan->device.directions & BIT(direction)))
		return -EOPNOTSUPP;
	guard(mutex)(&chan->files_lock);
	if (udma_direction_is_device(direction) && !chan->device.addressed)
		return -EDESTADDRREQ;
	return udma_device_change(chan, direction, &chan->device) ?: count;
}
static DEVICE_ATTR_RW(direction);

/* Whether the controller has to know where the device is. */
static bool udma_device_is_told(const struct udma_chan *chan)
{
	return !chan->device.finds && udma_direction_is_device(chan->engine.direction);
}

/* Where the device is, is nobody's business but root's. */
static ssize_t address_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct udma_chan *chan = udma_device_chan(dev);

	guard(mutex)(&chan->files_lock);
	if (!chan->device.address)
		return sysfs_emit(buf, "%s\n", chan->device.addressed ? "none" : "unknown");
	return sysfs_emit(buf, "%#llx\n", (u64)chan->device.address);
}

static ssize_t address_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t count)
{
	struct udma_chan *chan = udma_device_chan(dev);
	const bool unknown = sysfs_streq(buf, "unknown");
	struct udma_device device;
	u64 address = 0;
	int ret;

	/* There are devices that the controller finds by itself. */
	ret = unknown || sysfs_streq(buf, "none") ? 0 : kstrtou64(buf, 0, &address);
	if (ret)
		return ret;
	if ((phys_addr_t)address != address)
		return -ERANGE;
	guard(mutex)(&chan->files_lock);
	device = chan->device;
	device.address = address;
	device.addressed = !unknown;
	if (unknown && udma_device_is_told(chan))
		return -EINVAL;
	return udma_device_change(chan, chan->engine.direction, &device) ?: count;
}
static DEVICE_ATTR_ADMIN_RW(address);

static ssize_t width_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(udma_device_chan(dev)->device.width));
}

static ssize_t width_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct udma_chan *chan = udma_device_chan(dev);
	struct udma_device device;
	unsigned int width;
	int ret;

	ret = kstrtouint(buf, 0, &width);
	if (ret)
		return ret;
	if (!udma_device_has_width(&chan->device, width))
		return -EINVAL;
	guard(mutex)(&chan->files_lock);
	device = chan->device;
	device.width = width;
	return udma_device_change(chan, chan->engine.direction, &device) ?: count;
}
static DEVICE_ATTR_RW(width);

static ssize_t burst_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(udma_device_chan(dev)->device.burst));
}

static ssize_t burst_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct udma_chan *chan = udma_device_chan(dev);
	struct udma_device device;
	unsigned int burst;
	int ret;

	ret = kstrtouint(buf, 0, &burst);
	if (ret)
		return ret;
	if (!udma_device_has_burst(&chan->device, burst))
		return -EINVAL;
	guard(mutex)(&chan->files_lock);
	device = chan->device;
	device.burst = burst;
	return udma_device_change(chan, chan->engine.direction, &device) ?: count;
}
static DEVICE_ATTR_RW(burst);

static ssize_t shared_reset_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(udma_device_chan(dev)->engine.shared_reset));
}

static ssize_t shared_reset_store(struct device *dev, struct device_attribute *attr,
				  const char *buf, size_t count)
{
	bool value;

	if (kstrtobool(buf, &value))
		return -EINVAL;
	udma_siblings_set(udma_device_chan(dev), value);
	return count;
}
static DEVICE_ATTR_RW(shared_reset);

static struct attribute *udma_device_attrs[] = {
	&dev_attr_direction.attr,
	&dev_attr_address.attr,
	&dev_attr_width.attr,
	&dev_attr_burst.attr,
	&dev_attr_shared_reset.attr,
	NULL,
};

const struct attribute_group udma_device_group = {
	.attrs = udma_device_attrs,
};
