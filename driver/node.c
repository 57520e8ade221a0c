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
#include <linux/string.h>

#include "compat.h"
#include "udma.h"

/* Names of a node, more than any controller has channels. */
#define UDMA_NODE_NAMES		64

/*
 * What channels are called: by the node's label, or by its own name, and by theirs. One that is
 * too long is not cut, or two could be the same.
 */
static int udma_node_name(struct device *dev, const char *name, char *full, size_t bytes)
{
	char node[2 * UDMA_NAME_BYTES];
	const char *label;

	if (!device_property_read_string(dev, "label", &label))
		strscpy(node, label, sizeof(node));
	else
		snprintf(node, sizeof(node), "%pfwP", dev_fwnode(dev));
	node[strcspn(node, "@")] = '\0';
	return snprintf(full, bytes, "%s-%s", node, name) < bytes ? 0 : -ENAMETOOLONG;
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

/* Which way the tree says that data of channel @index goes, or that it is like that. */
static int udma_node_direction(struct device *dev, unsigned int index, const char *name,
			       struct udma_plan *plan)
{
	const char *words[UDMA_NODE_NAMES];
	int count, direction;

	plan->direction = udma_node_guess(name);
	count = device_property_read_string_array(dev, "udma,directions", words, ARRAY_SIZE(words));
	if (count <= 0)
		return 0;
	if (index >= count)
		return -EINVAL;
	direction = udma_device_direction(words[index]);
	if (direction < 0)
		return direction;
	plan->direction = direction;
	return 0;
}

/* A number that there is one of for each channel, or none at all. */
static int udma_node_number(struct device *dev, const char *property, unsigned int index,
			    u64 *number)
{
	u64 numbers[UDMA_NODE_NAMES];
	int count = device_property_count_u64(dev, property);

	if (count <= 0)
		return 0;
	if (index >= count || count > ARRAY_SIZE(numbers))
		return -EINVAL;
	count = device_property_read_u64_array(dev, property, numbers, count);
	if (count)
		return count;
	*number = numbers[index];
	return 0;
}

static int udma_node_word(struct device *dev, const char *property, unsigned int index,
			  unsigned int *word)
{
	u32 words[UDMA_NODE_NAMES];
	int count = device_property_count_u32(dev, property);

	if (count <= 0)
		return 0;
	if (index >= count || count > ARRAY_SIZE(words))
		return -EINVAL;
	count = device_property_read_u32_array(dev, property, words, count);
	if (count)
		return count;
	*word = words[index];
	return 0;
}

static int udma_node_plan(struct device *dev, unsigned int index, const char *name,
			  struct udma_plan *plan)
{
	u64 address = 0;
	int ret;

	plan->addressed = device_property_present(dev, "udma,addresses");

	ret = udma_node_direction(dev, index, name, plan) ?:
	      udma_node_number(dev, "udma,addresses", index, &address) ?:
	      udma_node_word(dev, "udma,widths", index, &plan->width) ?:
	      udma_node_word(dev, "udma,bursts", index, &plan->burst);
	plan->address = address;
	return ret ?: plan->address == address ? 0 : -ERANGE;
}

static int udma_node_add(struct device *dev, unsigned int index, const char *name)
{
	struct udma_plan plan = {};
	char full[UDMA_NAME_BYTES];
	struct dma_chan *dma;
	int ret;

	ret = udma_node_plan(dev, index, name, &plan) ?:
	      udma_node_name(dev, name, full, sizeof(full));
	if (ret)
		return dev_err_probe(dev, ret, "what is said of %s is wrong\n", name);
	dma = dma_request_chan(dev, name);
	if (IS_ERR(dma))
		return dev_err_probe(dev, PTR_ERR(dma), "no channel for %s\n", name);
	ret = udma_bind_claimed(dev, full, &plan, dma);
	return ret ? dev_err_probe(dev, ret, "cannot bind %s\n", full) : 0;
}

static int udma_node_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	const char *names[UDMA_NODE_NAMES];
	int count, ret = 0, i;

	count = device_property_read_string_array(dev, "dma-names", names, ARRAY_SIZE(names));
	if (count < 0)
		return dev_err_probe(dev, count, "no dma-names\n");
	for (i = 0; !ret && i < count; i++)
		ret = udma_node_add(dev, i, names[i]);
	/* All or none: it is tried again when a controller was not there yet. */
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
