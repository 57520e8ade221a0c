// SPDX-License-Identifier: GPL-2.0
/*
 * udma-sim: a DMA controller in software, for every machine that has none, and
 * the instrument of tests. This is the module and its platform driver.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "sim.h"

/* Channels run here, and devices are freed here. */
struct workqueue_struct *sim_workqueue;
/* Those that would never let go of the CPU do it here, where they are like others. */
struct workqueue_struct *sim_endless_workqueue;

/* The device that runs with these settings; NULL when there is none. */
struct sim_dev *sim_dev_get(struct sim_settings *set)
{
	struct sim_dev *sim;

	spin_lock(&set->lock);
	sim = set->sim;
	if (sim)
		kref_get(&sim->ref);
	spin_unlock(&set->lock);

	return sim;
}

static void sim_dev_publish(struct sim_settings *set, struct sim_dev *sim)
{
	spin_lock(&set->lock);
	set->sim = sim;
	spin_unlock(&set->lock);
}

static void sim_dev_free(struct kref *ref)
{
	struct sim_dev *sim = container_of(ref, struct sim_dev, ref);
	unsigned int i;

	/* Those that no client came back for. */
	for (i = 0; i < sim->channels; i++)
		sim_chan_free_pool(sim->chans[i].pool, sim->chans[i].depth);
	sim_dev_free_fifos(sim);
	put_device(sim->dma.dev);
	sim_settings_put(sim->set);
	mutex_destroy(&sim->step_lock);
	kfree(sim);
}

void sim_dev_put(struct sim_dev *sim)
{
	kref_put(&sim->ref, sim_dev_free);
}

static bool sim_no_channel(struct dma_chan *chan, void *unused)
{
	return false;
}

/*
 * When a client releases the last channel of a device that is gone already, the
 * dmaengine core releases the device first and then looks at the channel once
 * more. It does both under one mutex: a request for a channel that cannot be
 * had passes through that.
 */
static void sim_dev_release_work(struct work_struct *work)
{
	struct sim_dev *sim = container_of(work, struct sim_dev, release);
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_request_channel(mask, sim_no_channel, NULL);
	sim_dev_put(sim);
}

static void sim_dma_release(struct dma_device *dma)
{
	queue_work(sim_workqueue, &to_sim_dev(dma)->release);
}

void sim_dev_count(struct sim_dev *sim, struct sim_counts *counts)
{
	struct sim_chan *chan;

	*counts = (struct sim_counts) {};
	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		spin_lock_irq(&chan->lock);
		sim_chan_catch_up(chan);
		counts->pending += chan->pending;
		counts->ended += chan->ended;
		counts->terminates += chan->terminates;
		if (chan->port.dir == DMA_MEM_TO_DEV)
			counts->sink_bytes += chan->port.pos;
		counts->sink_errors += chan->port.errors;
		spin_unlock_irq(&chan->lock);
	}
}

static void sim_dma_init(struct sim_dev *sim, struct device *dev)
{
	struct sim_settings *set = sim->set;
	struct dma_device *dma = &sim->dma;

	dma->dev = dev;
	INIT_LIST_HEAD(&dma->channels);
	dma->copy_align = ilog2(set->align);
	dma->fill_align = ilog2(set->align);
	dma->residue_granularity = set->faults.granularity;
	dma->device_release = sim_dma_release;
	sim_chan_set_ops(dma, set);
}

static struct sim_dev *sim_dev_create(struct device *dev, struct sim_settings *set)
{
	struct sim_dev *sim;
	unsigned int i;

	sim = kzalloc(struct_size(sim, chans, set->channels), GFP_KERNEL);
	if (!sim)
		return NULL;

	kref_init(&sim->ref);
	sim->set = sim_settings_get(set);
	sim->unordered = set->faults.unordered;
	get_device(dev);
	sim->domain = iommu_get_domain_for_dev(dev);
	INIT_WORK(&sim->release, sim_dev_release_work);
	init_waitqueue_head(&sim->wait);
	mutex_init(&sim->step_lock);

	sim_dma_init(sim, dev);
	sim->channels = set->channels;
	for (i = 0; i < sim->channels; i++)
		sim_chan_init(&sim->chans[i], sim);

	if (sim_dev_create_fifos(sim) || sim_dev_map_consumer(sim)) {
		sim_dev_put(sim);
		return NULL;
	}
	return sim;
}

static int sim_dev_probe(struct device *dev, struct sim_settings *set)
{
	struct sim_dev *sim;
	int ret;

	/* No transfer would be both aligned and short enough. */
	if (set->max_segment < set->align)
		return -EINVAL;
	/* What a device says has an order. */
	if (set->kind != SIM_KIND_MEMORY && set->faults.unordered)
		return -EINVAL;
	if (set->kind == SIM_KIND_LOOPBACK && set->channels % 2)
		return -EINVAL;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, set->max_segment);

	/* The CPU does the copying. Firmware would tell this of a real one. */
	udma_set_dma_coherent(dev);

	sim = sim_dev_create(dev, set);
	if (!sim)
		return -ENOMEM;

	ret = dma_async_device_register(&sim->dma);
	if (ret) {
		sim_dev_put(sim);
		return ret;
	}

	dev_set_drvdata(dev, sim);
	sim_dev_publish(set, sim);
	return 0;
}

static int sim_probe(struct platform_device *pdev)
{
	struct sim_platform_data *data = dev_get_platdata(&pdev->dev);

	if (!data)
		return -ENODEV;

	data->result = sim_dev_probe(&pdev->dev, data->set);
	return data->result;
}

/*
 * Clients with a device link have been unbound before this. Others may still
 * hold channels: for them the channels are dead from here on, and the memory
 * stays until they have released them.
 */
static void sim_remove(struct platform_device *pdev)
{
	struct sim_dev *sim = platform_get_drvdata(pdev);
	unsigned int i;

	sim_dev_publish(sim->set, NULL);

	WRITE_ONCE(sim->gone, true);
	wake_up_all(&sim->wait);
	for (i = 0; i < sim->channels; i++)
		sim_chan_stop(&sim->chans[i]);

	dma_async_device_unregister(&sim->dma);
}

UDMA_PLATFORM_REMOVE(sim_remove);

static struct platform_driver sim_driver = {
	.probe = sim_probe,
	UDMA_PLATFORM_REMOVE_OP(sim_remove),
	.driver = {
		.name = SIM_NAME,
		/* Whoever makes a device wants to know whether it works. */
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

static int __init sim_init(void)
{
	int ret;

	sim_workqueue = alloc_workqueue(SIM_NAME, WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!sim_workqueue)
		return -ENOMEM;

	sim_endless_workqueue = alloc_workqueue(SIM_NAME "-endless", WQ_UNBOUND, 0);
	if (!sim_endless_workqueue) {
		ret = -ENOMEM;
		goto err_destroy_workqueue;
	}

	ret = platform_driver_register(&sim_driver);
	if (ret)
		goto err_destroy_endless_workqueue;

	ret = sim_configfs_register();
	if (ret)
		goto err_unregister_driver;

	return 0;

err_unregister_driver:
	platform_driver_unregister(&sim_driver);
err_destroy_endless_workqueue:
	destroy_workqueue(sim_endless_workqueue);
err_destroy_workqueue:
	destroy_workqueue(sim_workqueue);
	return ret;
}
module_init(sim_init);

static void __exit sim_exit(void)
{
	sim_configfs_unregister();
	platform_driver_unregister(&sim_driver);
	destroy_workqueue(sim_endless_workqueue);
	destroy_workqueue(sim_workqueue);
}
module_exit(sim_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("udma developers");
MODULE_DESCRIPTION("DMA controller in software");
