// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that firmware names: a node of the device tree with dmas and dma-names gives a
 * /dev/udmaN for each name. What the tree says of the devices is what root may say of
 * others in sysfs. See Documentation/devicetree/bindings/dma/udma,channels.yaml.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "udma.h"

/* Names of a node, more than any controller has channels. */
#define UDMA_NODE_NAMES		64

/**
 * struct udma_node_chan - a channel of a node
 * @label: what the node calls it
 * @name: what programs call it
 * @plan: what the node says of the device behind it
 * @dma: the channel while the node has claimed it, and nothing else is done with it
 */
struct udma_node_chan {
	const char *label;
	char name[UDMA_NAME_BYTES];
	struct udma_plan plan;
	struct dma_chan *dma;
};

/*
 * What a channel is called: by the node's label, or by its own name, and by its own. One that is
 * too long is not cut, or two could be the same.
 */
static int udma_node_name(struct device *dev, struct udma_node_chan *chan)
{
	char node[2 * UDMA_NAME_BYTES];
	const char *label;

	if (!device_property_read_string(dev, "label", &label)) {
		strscpy(node, label, sizeof(node));
	} else {
		snprintf(node, sizeof(node), "%pfwP", dev_fwnode(dev));
		/* Its address is no part of it. */
		node[strcspn(node, "@")] = '\0';
	}
	if (snprintf(chan->name, sizeof(chan->name), "%s-%s", node, chan->label) >=
	    sizeof(chan->name))
		return -ENAMETOOLONG;
	return *chan->label && udma_name_is_valid(chan->name) ? 0 : -EINVAL;
}

/* The usual names say which way data goes. */
static enum udma_direction udma_node_guess(const char *name)
{
	if (!strncmp(name, "tx", 2))
		return UDMA_DIRECTION_MEM_TO_DEV;
	if (!strncmp(name, "rx", 2))
		return UDMA_DIRECTION_DEV_TO_MEM;
	return UDMA_DIRECTION_NONE;
}

/* Whether there is a property, which has one entry for each channel then. */
static int udma_node_has(struct device *dev, const char *property, int entries,
			 unsigned int count)
{
	if (!device_property_present(dev, property))
		return 0;
	if (entries == count)
		return 1;
	return dev_err_probe(dev, -EINVAL, "%s has not one entry for each name\n", property);
}

static int udma_node_read_names(struct device *dev, struct udma_node_chan *chans,
				unsigned int count)
{
	const char *names[UDMA_NODE_NAMES];
	int ret, i;

	ret = device_property_read_string_array(dev, "dma-names", names, count);
	for (i = 0; ret >= 0 && i < count; i++) {
		chans[i].label = names[i];
		chans[i].plan.direction = udma_node_guess(names[i]);
		/* dmaengine, too, takes a name once. */
		ret = match_string(names, i, names[i]) < 0 ? udma_node_name(dev, &chans[i]) :
							     -EINVAL;
		if (ret)
			dev_err_probe(dev, ret, "%s is no name for a channel\n", names[i]);
	}
	return min(ret, 0);
}

static int udma_node_read_directions(struct device *dev, struct udma_node_chan *chans,
				     unsigned int count)
{
	const char *property = "udma,directions", *words[UDMA_NODE_NAMES];
	int ret = device_property_string_array_count(dev, property), direction, i;

	ret = udma_node_has(dev, property, ret, count);
	if (ret <= 0)
		return ret;
	ret = device_property_read_string_array(dev, property, words, count);
	for (i = 0; ret >= 0 && i < count; i++) {
		direction = udma_device_direction(words[i]);
		if (direction < 0 || direction == UDMA_DIRECTION_NONE)
			return dev_err_probe(dev, -EINVAL, "%s is no direction\n", words[i]);
		chans[i].plan.direction = direction;
	}
	return min(ret, 0);
}

static int udma_node_read_addresses(struct device *dev, struct udma_node_chan *chans,
				    unsigned int count)
{
	const char *property = "udma,addresses";
	u64 addresses[UDMA_NODE_NAMES];
	int ret, i;

	ret = udma_node_has(dev, property, device_property_count_u64(dev, property), count);
	if (ret <= 0)
		return ret;
	ret = device_property_read_u64_array(dev, property, addresses, count);
	for (i = 0; !ret && i < count; i++) {
		chans[i].plan.addressed = true;
		chans[i].plan.address = addresses[i];
		if (chans[i].plan.address != addresses[i])
			ret = dev_err_probe(dev, -ERANGE, "%#llx is no address\n", addresses[i]);
	}
	return ret;
}

static int udma_node_read_words(struct device *dev, const char *property, u32 *words,
				unsigned int count)
{
	int ret = udma_node_has(dev, property, device_property_count_u32(dev, property), count);

	return ret > 0 ? device_property_read_u32_array(dev, property, words, count) : ret;
}

static int udma_node_read_sizes(struct device *dev, struct udma_node_chan *chans,
				unsigned int count)
{
	u32 widths[UDMA_NODE_NAMES] = {}, bursts[UDMA_NODE_NAMES] = {};
	int ret, i;

	ret = udma_node_read_words(dev, "udma,widths", widths, count) ?:
	      udma_node_read_words(dev, "udma,bursts", bursts, count);
	for (i = 0; !ret && i < count; i++) {
		chans[i].plan.width = widths[i];
		chans[i].plan.burst = bursts[i];
	}
	return ret;
}

static int udma_node_read(struct device *dev, struct udma_node_chan *chans, unsigned int count)
{
	return udma_node_read_names(dev, chans, count) ?:
	       udma_node_read_directions(dev, chans, count) ?:
	       udma_node_read_addresses(dev, chans, count) ?:
	       udma_node_read_sizes(dev, chans, count);
}

/*
 * When the controller goes, the node does, too, and is probed again when that has a driver again.
 * The link stays for that. As a rule it is there already: the driver core makes it of what firmware
 * says, so that the controller does not go between our claim and this.
 */
static int udma_node_link(struct device *dev, struct device *provider)
{
	struct device_link *link = device_link_add(dev, provider, DL_FLAG_AUTOPROBE_CONSUMER);

	if (!link)
		return -ENOMEM;
	/* The provider may be about to go. */
	return READ_ONCE(link->status) == DL_STATE_CONSUMER_PROBE ? 0 : -EPROBE_DEFER;
}

static int udma_node_claim(struct device *dev, struct udma_node_chan *chans, unsigned int count)
{
	struct dma_chan *dma;
	int ret = 0, i;

	for (i = 0; !ret && i < count; i++) {
		dma = dma_request_chan(dev, chans[i].label);
		if (IS_ERR(dma))
			return dev_err_probe(dev, PTR_ERR(dma), "no channel for %s\n",
					     chans[i].label);
		chans[i].dma = dma;
		ret = udma_node_link(dev, dma->device->dev);
	}
	return ret;
}

static int udma_node_bind(struct device *dev, struct udma_node_chan *chans, unsigned int count)
{
	struct dma_chan *dma;
	int ret, i;

	for (i = 0; i < count; i++) {
		dma = chans[i].dma;
		chans[i].dma = NULL;
		ret = udma_bind_claimed(dev, chans[i].name, &chans[i].plan, dma);
		if (ret)
			return dev_err_probe(dev, ret, "cannot bind %s\n", chans[i].name);
	}
	return 0;
}

static void udma_node_release(struct udma_node_chan *chans, unsigned int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (chans[i].dma)
			dma_release_channel(chans[i].dma);
}

/*
 * All or none. Controllers that are not there yet are missed before anything is bound: each
 * device that gets a driver has the driver core try again all that wait, and ours would be tried
 * for ever by devices of its own.
 */
static int udma_node_probe(struct platform_device *pdev)
{
	int count = device_property_string_array_count(&pdev->dev, "dma-names"), ret;
	struct device *dev = &pdev->dev;
	struct udma_node_chan *chans;

	if (count <= 0 || count > UDMA_NODE_NAMES)
		return dev_err_probe(dev, -EINVAL, "dma-names has none, or too many\n");
	chans = kcalloc(count, sizeof(*chans), GFP_KERNEL);
	if (!chans)
		return -ENOMEM;
	ret = udma_node_read(dev, chans, count) ?:
	      udma_node_claim(dev, chans, count) ?:
	      udma_node_bind(dev, chans, count);
	udma_node_release(chans, count);
	kfree(chans);
	if (ret)
		udma_unbind_claimed(dev);
	return ret;
}

static void udma_node_remove(struct platform_device *pdev)
{
	udma_unbind_claimed(&pdev->dev);
}

UDMA_PLATFORM_REMOVE(udma_node_remove)

static const struct of_device_id udma_node_of_match[] = {
	{ .compatible = "udma,channels" },
	{}
};
MODULE_DEVICE_TABLE(of, udma_node_of_match);

/* Where there is no device tree somebody may have made such a device all the same. */
static const struct platform_device_id udma_node_ids[] = {
	{ .name = "udma-node" },
	{}
};
MODULE_DEVICE_TABLE(platform, udma_node_ids);

struct platform_driver udma_node_driver = {
	.probe = udma_node_probe,
	UDMA_PLATFORM_REMOVE_OP(udma_node_remove),
	.id_table = udma_node_ids,
	.driver = {
		.name = "udma-node",
		.of_match_table = udma_node_of_match,
	},
};
