// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that root names: each becomes a platform device of our driver with a
 * managed link to the provider's device, so that the driver core takes ours away
 * before the provider goes.
 *
 * Specification of a channel: [NAME=]CHANNEL, where CHANNEL is dmaengine's name
 * of it (dma0chan1), or the provider's device and a number (fe000000.dma:1), or
 * "memcpy" for any that is free and copies memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "udma.h"

/* Protects the list of bindings. See udma.h for its place among the locks. */
static DEFINE_MUTEX(udma_bindings_lock);
static LIST_HEAD(udma_bindings);

/* dmaengine's class of channels, learned from the first one seen. */
static UDMA_CLASS_CONST struct class *udma_dma_class;

/**
 * struct udma_search - a channel that is looked for
 * @channel: how it was specified
 * @provider: the device it was found on, a counted reference, or NULL
 * @found: dmaengine's name of it
 */
struct udma_search {
	const char *channel;
	struct device *provider;
	char found[UDMA_NAME_BYTES];
};

static bool udma_search_matches(const struct udma_search *search, struct dma_chan *dma)
{
	const char *device = dev_name(dma->device->dev);
	size_t length = strlen(device);
	int chan_id;

	if (!strcmp(search->channel, "memcpy"))
		return dma_has_cap(DMA_MEMCPY, dma->device->cap_mask);
	if (!strcmp(search->channel, dma_chan_name(dma)))
		return true;
	return !strncmp(search->channel, device, length) && search->channel[length] == ':' &&
	       !kstrtoint(search->channel + length + 1, 10, &chan_id) && chan_id == dma->chan_id;
}

/* Only looks: what it finds is claimed in probe. */
static bool udma_search_filter(struct dma_chan *dma, void *data)
{
	struct udma_search *search = data;

	udma_dma_class = dma->dev->device.class;
	if (!search->provider && udma_search_matches(search, dma)) {
		search->provider = get_device(dma->device->dev);
		strscpy(search->found, dma_chan_name(dma), sizeof(search->found));
	}
	return false;
}

/* Whether a device of dmaengine's class is the channel that is looked for. */
static int udma_search_matches_device(struct device *dev, const void *data)
{
	const char *channel = data, *number = strstr(dev_name(dev), "chan");
	char name[UDMA_DEVICE_BYTES];

	if (!strcmp(channel, dev_name(dev)))
		return true;
	if (!dev->parent || !number)
		return false;
	snprintf(name, sizeof(name), "%s:%s", dev_name(dev->parent), number + strlen("chan"));
	return !strcmp(channel, name);
}

/* dmaengine only shows channels that nobody has. Was it that, or is there none? */
static int udma_search_error(const char *channel)
{
	struct device *dev = NULL;

	if (udma_dma_class)
		dev = class_find_device(udma_dma_class, NULL, channel, udma_search_matches_device);
	put_device(dev);
	return dev ? -EBUSY : -ENODEV;
}

/* Find a free channel; its provider is a counted reference. */
static int udma_search_run(struct udma_search *search)
{
	dma_cap_mask_t any;

	dma_cap_zero(any);
	dma_request_channel(any, udma_search_filter, search);
	return search->provider ? 0 : udma_search_error(search->channel);
}

/* A name is for a path and a command line, and not one that we give ourselves. */
bool udma_name_is_valid(const char *name)
{
	const char *c;

	if (!isalnum(*name) || strlen(name) >= UDMA_NAME_BYTES)
		return false;
	for (c = name; *c; c++)
		if (!isalnum(*c) && !strchr("._-", *c))
			return false;
	return strncmp(name, "udma", 4) || !isdigit(name[4]);
}

static struct udma_binding *udma_binding_find(const char *name)
{
	struct udma_binding *binding;

	lockdep_assert_held(&udma_bindings_lock);
	list_for_each_entry(binding, &udma_bindings, node)
		if (!strcmp(name, binding->name) || !strcmp(name, binding->dev_name))
			return binding;
	return NULL;
}

/* Its remove is called if it still has a channel; frees the binding. */
static void udma_binding_destroy(struct udma_binding *binding)
{
	lockdep_assert_held(&udma_bindings_lock);
	list_del(&binding->node);
	platform_device_unregister(binding->pdev);
}

/* Take away what lost its channel in another way than by our unbind. */
static void udma_bindings_sweep(void)
{
	struct udma_binding *binding, *next;

	lockdep_assert_held(&udma_bindings_lock);
	list_for_each_entry_safe(binding, next, &udma_bindings, node)
		if (READ_ONCE(binding->gone))
			udma_binding_destroy(binding);
}

static void udma_bindings_sweep_work(struct work_struct *work)
{
	guard(mutex)(&udma_bindings_lock);
	udma_bindings_sweep();
}

static DECLARE_WORK(udma_bindings_work, udma_bindings_sweep_work);

/* Called in remove, where bindings and their devices cannot be taken away. */
void udma_binding_set_gone(struct udma_binding *binding)
{
	WRITE_ONCE(binding->gone, true);
	queue_work(udma_wq, &udma_bindings_work);
}

/*
 * Make the device, which probes at once. The provider is locked: it stays bound. A channel that
 * is claimed already is released when that fails.
 */
static int udma_binding_create(struct udma_binding *init)
{
	struct udma_binding *binding;
	struct platform_device *pdev;
	int ret = -ENOMEM;

	pdev = platform_device_alloc("udma", PLATFORM_DEVID_AUTO);
	if (!pdev)
		goto err_release_channel;
	init->pdev = pdev;
	/* Freed with the device. */
	if (platform_device_add_data(pdev, init, sizeof(*init)))
		goto err_put_pdev;
	binding = dev_get_platdata(&pdev->dev);
	ret = platform_device_add(pdev);
	if (ret)
		goto err_put_pdev;
	if (!pdev->dev.driver) {
		ret = binding->error ?: -ENODEV;
		/* If probe had it, it has released it. */
		init->dma = binding->dma;
		platform_device_unregister(pdev);
		goto err_release_channel;
	}
	list_add_tail(&binding->node, &udma_bindings);
	return 0;

err_put_pdev:
	platform_device_put(pdev);
err_release_channel:
	if (init->dma)
		dma_release_channel(init->dma);
	return ret;
}

/* The same while the provider is locked: it keeps its driver until probe has made the link. */
static int udma_binding_create_locked(struct device *provider, struct udma_binding *init)
{
	int ret = -ENODEV;

	lockdep_assert_held(&udma_bindings_lock);
	device_lock(provider);
	if (provider->driver)
		ret = udma_binding_create(init);
	else if (init->dma)
		dma_release_channel(init->dma);
	device_unlock(provider);
	return ret;
}

static int udma_bind_channel(const char *name, const char *channel)
{
	struct udma_search search = { .channel = channel };
	struct udma_binding init = { .plan.direction = UDMA_DIRECTION_NONE };
	int ret;

	guard(mutex)(&udma_bindings_lock);
	udma_bindings_sweep();
	if (*name && udma_binding_find(name))
		return -EEXIST;
	ret = udma_search_run(&search);
	if (ret)
		return ret;
	strscpy(init.name, name, sizeof(init.name));
	strscpy(init.channel, search.found, sizeof(init.channel));
	ret = udma_binding_create_locked(search.provider, &init);
	put_device(search.provider);
	return ret;
}

/**
 * udma_bind_claimed - make a channel that firmware names a /dev/udmaN
 * @consumer: the device that it is named for
 * @name: what it is to be called
 * @plan: what firmware says of the device behind it
 * @dma: the channel; udma_unbind_claimed() releases it, and so does a failure
 *
 * Return: zero, -EEXIST when the name is taken, or another negative errno.
 */
int udma_bind_claimed(struct device *consumer, const char *name, const struct udma_plan *plan,
		      struct dma_chan *dma)
{
	struct device *provider = get_device(dma->device->dev);
	struct udma_binding init = { .consumer = consumer, .dma = dma, .plan = *plan };
	int ret = -EEXIST;

	strscpy(init.name, name, sizeof(init.name));
	strscpy(init.channel, dma_chan_name(dma), sizeof(init.channel));
	scoped_guard(mutex, &udma_bindings_lock) {
		udma_bindings_sweep();
		if (udma_binding_find(name))
			dma_release_channel(dma);
		else
			ret = udma_binding_create_locked(provider, &init);
	}
	put_device(provider);
	return ret;
}

/* Give back all channels that are named for a device. */
void udma_unbind_claimed(struct device *consumer)
{
	struct udma_binding *binding, *next;

	guard(mutex)(&udma_bindings_lock);
	list_for_each_entry_safe(binding, next, &udma_bindings, node)
		if (binding->consumer == consumer)
			udma_binding_destroy(binding);
}

/**
 * udma_bind - make a channel a /dev/udmaN
 * @spec: see the top of this file; white space around it is passed over
 *
 * Return: zero, -EINVAL for a malformed specification, -EEXIST when the name is
 * taken, -ENODEV when there is no such channel, -EBUSY when somebody has it,
 * -EOPNOTSUPP when it can do nothing that udma offers, or another negative errno.
 */
int udma_bind(const char *spec)
{
	char *copy __free(kfree) = kstrdup(spec, GFP_KERNEL);
	char *name = "", *channel, *equals;

	if (!copy)
		return -ENOMEM;
	channel = strim(copy);
	equals = strchr(channel, '=');
	if (equals) {
		*equals = '\0';
		name = channel;
		channel = equals + 1;
		if (!udma_name_is_valid(name))
			return -EINVAL;
	}
	return *channel ? udma_bind_channel(name, channel) : -EINVAL;
}

/**
 * udma_unbind - give a channel back
 * @name: the one it was given, or udmaN
 *
 * Return: zero, or -ENODEV when there is none.
 */
static int udma_unbind(const char *name)
{
	struct udma_binding *binding;

	guard(mutex)(&udma_bindings_lock);
	udma_bindings_sweep();
	binding = *name ? udma_binding_find(name) : NULL;
	if (!binding)
		return -ENODEV;
	udma_binding_destroy(binding);
	return 0;
}

static ssize_t bind_store(UDMA_CLASS_CONST struct class *class,
			  UDMA_CLASS_CONST struct class_attribute *attr, const char *buf,
			  size_t count)
{
	int ret = udma_bind(buf);

	return ret ?: count;
}
static CLASS_ATTR_WO(bind);

static ssize_t unbind_store(UDMA_CLASS_CONST struct class *class,
			    UDMA_CLASS_CONST struct class_attribute *attr, const char *buf,
			    size_t count)
{
	char *name __free(kfree) = kstrdup(buf, GFP_KERNEL);
	int ret;

	if (!name)
		return -ENOMEM;
	ret = udma_unbind(strim(name));
	return ret ?: count;
}
static CLASS_ATTR_WO(unbind);

int udma_bind_init(void)
{
	int ret;

	ret = class_create_file(udma_class, &class_attr_bind);
	if (ret)
		return ret;
	ret = class_create_file(udma_class, &class_attr_unbind);
	if (ret)
		class_remove_file(udma_class, &class_attr_bind);
	return ret;
}

void udma_bind_exit(void)
{
	struct udma_binding *binding, *next;

	class_remove_file(udma_class, &class_attr_unbind);
	class_remove_file(udma_class, &class_attr_bind);
	scoped_guard(mutex, &udma_bindings_lock) {
		list_for_each_entry_safe(binding, next, &udma_bindings, node)
			udma_binding_destroy(binding);
	}
	cancel_work_sync(&udma_bindings_work);
}
