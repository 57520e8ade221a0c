// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/udmaN: claims a dmaengine channel, lets programs in, and takes it all
 * away again. What a program holds open outlives the channel; what belongs to
 * the provider's device does not outlive remove().
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/pm.h>
#include <linux/srcu.h>

#include "compat.h"
#include "udma.h"

static DEFINE_IDA(udma_minors);

/* Readers are those inside udma_chan_enter(), for all channels. */
DEFINE_STATIC_SRCU(udma_chan_srcu);

/**
 * udma_chan_enter - keep a channel from going
 * @chan: the channel
 *
 * Until udma_chan_leave() the dmaengine channel and its device stay. Remove
 * waits for it, so nothing inside may wait for a process's mmap_lock.
 *
 * Return: a cookie for udma_chan_leave(), or -ENODEV when the channel is gone.
 */
int udma_chan_enter(struct udma_chan *chan)
{
	int cookie = srcu_read_lock(&udma_chan_srcu);

	if (udma_chan_gone(chan)) {
		srcu_read_unlock(&udma_chan_srcu, cookie);
		return -ENODEV;
	}
	return cookie;
}

void udma_chan_leave(int cookie)
{
	srcu_read_unlock(&udma_chan_srcu, cookie);
}

bool udma_chan_gone(struct udma_chan *chan)
{
	return READ_ONCE(chan->gone);
}

static void udma_chan_reap_work(struct work_struct *work)
{
	struct udma_chan *chan = container_of(work, struct udma_chan, reap);

	udma_buffers_reap(chan);
	put_device(&chan->dev);
}

/* From anywhere: have what is dead freed soon. */
void udma_chan_reap(struct udma_chan *chan)
{
	lockdep_assert_held(&chan->engine.lock);
	/* The work has a reference of its own: that of what is dead may go before it. */
	get_device(&chan->dev);
	if (!queue_work(udma_wq, &chan->reap))
		put_device(&chan->dev);
}

static void udma_chan_release(struct device *dev)
{
	struct udma_chan *chan = container_of(dev, struct udma_chan, dev);

	ida_free(&udma_minors, MINOR(dev->devt));
	mutex_destroy(&chan->files_lock);
	mutex_destroy(&chan->reap_lock);
	udma_prep_destroy(&chan->engine.parts);
	kfree(chan);
}

/* Nothing in it changes while a file is open; see also udma_device_init(). */
static void udma_chan_init_info(struct udma_chan *chan, const char *name, struct dma_chan *dma)
{
	struct udma_info *info = &chan->info;

	info->size = sizeof(*info);
	if (dev_is_dma_coherent(chan->dma_dev))
		info->out_capabilities |= UDMA_CAP_COHERENT;
	info->out_max_bytes = udma_buffers_max_bytes();
	info->out_max_segment_bytes = dma_get_max_seg_size(dma->device->dev);
	info->out_max_buffers = UDMA_BUFFER_SLOTS - 1;
	info->out_max_transfers = UDMA_EVENT_SLOTS;
	info->out_copy_align = 1U << dma->device->copy_align;
	info->out_fill_align = 1U << dma->device->fill_align;
	info->out_request_bytes = sizeof(struct udma_request);
	info->out_event_bytes = sizeof(struct udma_event);
	info->out_max_queue_entries = UDMA_QUEUE_ENTRIES;
	info->out_residue = (u32)chan->engine.granularity;
	info->out_max_ranges = UDMA_LIST_RANGES;
	info->out_max_periods = UDMA_STREAM_PERIODS;
	info->out_min_period_bytes = UDMA_STREAM_PERIOD_BYTES;
	strscpy(info->out_name, *name ? name : dev_name(&chan->dev), sizeof(info->out_name));
	strscpy(info->out_channel, dma_chan_name(dma), sizeof(info->out_channel));
	strscpy(info->out_device, dev_name(dma->device->dev), sizeof(info->out_device));
	strscpy(info->out_driver, dev_driver_string(dma->device->dev), sizeof(info->out_driver));
}

/* On success the references of the device, and on failure nothing, are left. */
static struct udma_chan *udma_chan_new(struct device *parent, const char *name,
				       struct dma_chan *dma)
{
	struct udma_chan *chan;
	int minor;

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&udma_minors, UDMA_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(chan);
		return ERR_PTR(minor);
	}
	device_initialize(&chan->dev);
	chan->dev.class = udma_class;
	chan->dev.parent = parent;
	chan->dev.groups = udma_chan_groups;
	chan->dev.release = udma_chan_release;
	chan->dev.devt = udma_devt(minor);
	mutex_init(&chan->files_lock);
	mutex_init(&chan->reap_lock);
	INIT_WORK(&chan->reap, udma_chan_reap_work);
	INIT_LIST_HEAD(&chan->sibling);
	INIT_LIST_HEAD(&chan->files);
	INIT_LIST_HEAD(&chan->buffers);
	INIT_LIST_HEAD(&chan->unmapped);
	INIT_LIST_HEAD(&chan->dead);
	INIT_LIST_HEAD(&chan->mappings);
	chan->dma_dev = dmaengine_get_dma_device(dma);
	chan->provider = dma->device;
	udma_engine_init(&chan->engine, dma);
	udma_limit_init(&chan->limit);
	cdev_init(&chan->cdev, &udma_fops);
	chan->cdev.owner = THIS_MODULE;
	if (dev_set_name(&chan->dev, "udma%d", minor)) {
		put_device(&chan->dev);
		return ERR_PTR(-ENOMEM);
	}
	udma_chan_init_info(chan, name, dma);
	udma_device_init(chan);
	return chan;
}

static bool udma_chan_filter(struct dma_chan *dma, void *data)
{
	const struct udma_binding *binding = data;

	return !strcmp(dma_chan_name(dma), binding->channel);
}

/* Claim the channel of a binding; it was there when the binding was made. */
static struct dma_chan *udma_chan_claim(struct udma_binding *binding)
{
	struct dma_chan *dma = binding->dma;
	dma_cap_mask_t any;

	binding->dma = NULL;
	dma_cap_zero(any);
	if (!dma)
		dma = dma_request_channel(any, udma_chan_filter, binding);
	if (!dma)
		return ERR_PTR(-EBUSY);
	if (!udma_device_is_usable(dma)) {
		dma_release_channel(dma);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return dma;
}

/* Tell every program that the channel has gone, and take its mappings. */
static void udma_chan_close_files(struct udma_chan *chan)
{
	struct udma_file *file;

	guard(mutex)(&chan->files_lock);
	list_for_each_entry(file, &chan->files, node) {
		scoped_guard(spinlock_irq, &chan->engine.lock)
			udma_events_close(&file->events);
		unmap_mapping_range(file->mapping, 0, 0, 1);
	}
}

/*
 * Take the channel away from who has it open. First nobody new, then nobody
 * inside, then hardware, then events and mappings, and only then the memory.
 */
static void udma_chan_shutdown(struct udma_chan *chan)
{
	WRITE_ONCE(chan->gone, true);
	synchronize_srcu(&udma_chan_srcu);
	udma_stop(chan);
	udma_siblings_remove(chan);
	udma_mappings_settle(chan);
	udma_chan_close_files(chan);
	udma_buffers_unmap(chan);
	udma_probe_destroy(chan);
}

/* Managed: when the provider's driver goes, ours goes first. */
static int udma_chan_link(struct device *dev, struct device *provider)
{
	struct device_link *link = device_link_add(dev, provider, DL_FLAG_AUTOREMOVE_CONSUMER);

	if (!link)
		return -ENOMEM;
	/* The provider may be about to go, with its lock dropped to tell others. */
	return READ_ONCE(link->status) == DL_STATE_CONSUMER_PROBE ? 0 : -ENODEV;
}

static int udma_chan_probe_binding(struct platform_device *pdev, struct udma_binding *binding)
{
	struct udma_chan *chan;
	struct dma_chan *dma;
	int ret;

	dma = udma_chan_claim(binding);
	if (IS_ERR(dma))
		return PTR_ERR(dma);
	ret = udma_chan_link(&pdev->dev, dma->device->dev);
	if (ret)
		goto err_release_channel;
	chan = udma_chan_new(&pdev->dev, binding->name, dma);
	if (IS_ERR(chan)) {
		ret = PTR_ERR(chan);
		goto err_release_channel;
	}
	platform_set_drvdata(pdev, chan);
	strscpy(binding->dev_name, dev_name(&chan->dev), sizeof(binding->dev_name));
	ret = udma_probe_init(chan) ?: udma_prep_init(&chan->engine.parts, dma) ?:
	      udma_device_plan(chan, &binding->plan);
	if (ret)
		goto err_shutdown;
	udma_siblings_add(chan);
	/* The last step: from here on programs come in. */
	ret = cdev_device_add(&chan->cdev, &chan->dev);
	if (ret)
		goto err_shutdown;
	return 0;

err_shutdown:
	/* One may have come in by a node of its own. */
	udma_chan_shutdown(chan);
	dma = chan->engine.dma;
	put_device(&chan->dev);
err_release_channel:
	if (dma)
		dma_release_channel(dma);
	return ret;
}

static int udma_chan_probe(struct platform_device *pdev)
{
	struct udma_binding *binding = dev_get_platdata(&pdev->dev);

	if (!binding)
		return -ENODEV;
	binding->error = udma_chan_probe_binding(pdev, binding);
	return binding->error;
}

/* Also called before the provider's own driver goes, by the device link. */
static void udma_chan_remove(struct platform_device *pdev)
{
	struct udma_chan *chan = platform_get_drvdata(pdev);

	cdev_device_del(&chan->cdev, &chan->dev);
	udma_chan_shutdown(chan);
	if (chan->engine.dma)
		dma_release_channel(chan->engine.dma);
	udma_binding_set_gone(dev_get_platdata(&pdev->dev));
	put_device(&chan->dev);
}

UDMA_PLATFORM_REMOVE(udma_chan_remove)

/* The link has the provider sleep after us and wake up before. */
static int udma_chan_suspend(struct device *dev)
{
	return udma_stop_pause(dev_get_drvdata(dev));
}

static int udma_chan_resume(struct device *dev)
{
	udma_stop_resume(dev_get_drvdata(dev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(udma_chan_pm_ops, udma_chan_suspend, udma_chan_resume);

struct platform_driver udma_driver = {
	.probe = udma_chan_probe,
	UDMA_PLATFORM_REMOVE_OP(udma_chan_remove),
	.driver = {
		.name = "udma",
		.pm = pm_sleep_ptr(&udma_chan_pm_ops),
		/* There is a device for each binding, and no other use for one. */
		.suppress_bind_attrs = true,
		/* Who binds a channel wants to know at once how it went. */
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};
