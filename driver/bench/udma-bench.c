// SPDX-License-Identifier: GPL-2.0
/*
 * udma-bench: what a channel costs a driver inside of the kernel, for udma to be
 * compared with. It does what a good driver would: prepare and submit as many
 * copies as are wanted at once, issue them, sleep if they have not all ended by
 * then, and begin again.
 *
 * In debugfs, for root: "CHANNEL BYTES DEPTH COUNT" written to udma-bench/run
 * does COUNT copies of BYTES, DEPTH at a time, on a channel that nobody has, and
 * returns when they are done. With "cyclic" behind it, a device's channel goes round in
 * DEPTH periods of BYTES until COUNT of them have ended. Then udma-bench/result says how
 * long it took. Documentation/performance.rst tells the rest.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"

#define BENCH_BYTES_MAX		SZ_4M	/* a coherent block of that size can be had everywhere */
#define BENCH_DEPTH_MAX		256
#define BENCH_TEXT_MAX		256

/**
 * struct bench_run - a run
 * @channel: the name of the channel: dmaengine's, or that of its device, a
 *	colon and a number
 * @bytes: of each copy, or period
 * @depth: how many at a time, or in the ring
 * @count: how many; of copies rounded up to a multiple of @depth
 * @cyclic: periods, not copies
 * @chan: the channel
 * @dst: where to, or the ring
 * @src: where from
 * @dst_dma: for the channel
 * @src_dma: likewise
 * @left: how many of those at a time have not ended
 * @failed: whether one has
 * @ended: how many periods have
 * @all: all of them have ended
 */
struct bench_run {
	const char *channel;
	size_t bytes;
	unsigned int depth;
	u64 count;
	bool cyclic;

	struct dma_chan *chan;
	void *dst;
	void *src;
	dma_addr_t dst_dma;
	dma_addr_t src_dma;

	atomic_t left;
	bool failed;
	u64 ended;
	struct completion all;
};

/* One run at a time; protects the result. */
static DEFINE_MUTEX(bench_lock);
static u64 bench_transfers;
static u64 bench_ns;

static struct dentry *bench_dir;

/* dmaengine's class of channels, learned from the first one seen. */
static UDMA_CLASS_CONST struct class *bench_dma_class;

/* The copies */

static void bench_ended(void *data, const struct dmaengine_result *result)
{
	struct bench_run *run = data;

	if (unlikely(result && result->result != DMA_TRANS_NOERROR))
		WRITE_ONCE(run->failed, true);
	if (atomic_dec_and_test(&run->left))
		complete(&run->all);
}

static int bench_submit_one(struct bench_run *run)
{
	struct dma_async_tx_descriptor *tx;

	tx = dmaengine_prep_dma_memcpy(run->chan, run->dst_dma, run->src_dma, run->bytes,
				       DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOSPC;
	tx->callback_result = bench_ended;
	tx->callback_param = run;
	return dma_submit_error(dmaengine_submit(tx)) ? -EIO : 0;
}

/* The memory is the channel's until it has let go of it. */
static void bench_take_back(struct bench_run *run)
{
	if (dmaengine_terminate_sync(run->chan))
		wait_for_completion(&run->all);
}

/* As many as are wanted at once. */
static int bench_batch(struct bench_run *run)
{
	unsigned int i;
	int ret = 0;

	atomic_set(&run->left, run->depth);
	for (i = 0; i < run->depth; i++) {
		ret = bench_submit_one(run);
		if (ret)
			break;
	}
	dma_async_issue_pending(run->chan);

	/* Those that could not be submitted do not end either. */
	if (ret && atomic_sub_and_test(run->depth - i, &run->left))
		complete(&run->all);

	if (wait_for_completion_killable(&run->all)) {
		bench_take_back(run);
		return -EINTR;
	}
	return ret;
}

static int bench_loop(struct bench_run *run)
{
	u64 done, begin;
	int ret;

	begin = ktime_get_ns();
	for (done = 0; done < run->count; done += run->depth) {
		ret = bench_batch(run);
		if (ret)
			return ret;
		/* It may be that it never sleeps. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	bench_ns = ktime_get_ns() - begin;
	bench_transfers = done;
	return READ_ONCE(run->failed) ? -EIO : 0;
}

/* The periods */

/* One callback at a time. */
static void bench_period(void *data)
{
	struct bench_run *run = data;

	if (++run->ended == run->count)
		complete(&run->all);
}

/* Either way will do. */
static enum dma_transfer_direction bench_direction(struct dma_chan *chan)
{
	struct dma_slave_caps caps;

	if (!dma_get_slave_caps(chan, &caps) && !(caps.directions & BIT(DMA_DEV_TO_MEM)))
		return DMA_MEM_TO_DEV;
	return DMA_DEV_TO_MEM;
}

static int bench_cycle(struct bench_run *run)
{
	struct dma_async_tx_descriptor *tx;
	u64 begin;
	int ret;

	tx = dmaengine_prep_dma_cyclic(run->chan, run->dst_dma, run->bytes * run->depth,
				       run->bytes, bench_direction(run->chan), DMA_PREP_INTERRUPT);
	if (!tx)
		return -EINVAL;
	tx->callback = bench_period;
	tx->callback_param = run;
	if (dma_submit_error(dmaengine_submit(tx)))
		return -EIO;

	begin = ktime_get_ns();
	dma_async_issue_pending(run->chan);
	ret = wait_for_completion_killable(&run->all);
	bench_ns = ktime_get_ns() - begin;
	bench_transfers = run->count;
	return ret ? -EINTR : 0;
}

static int bench_with_ring(struct bench_run *run)
{
	struct device *dev = run->chan->device->dev;
	size_t bytes = run->bytes * run->depth;
	int ret;

	run->dst = dma_alloc_coherent(dev, bytes, &run->dst_dma, GFP_KERNEL);
	if (!run->dst)
		return -ENOMEM;
	ret = bench_cycle(run);
	/* It is the channel's until that has let go of it. */
	while (dmaengine_terminate_sync(run->chan))
		ssleep(1);
	dma_free_coherent(dev, bytes, run->dst, run->dst_dma);
	return ret;
}

/* What copies need */

static int bench_with_memory(struct bench_run *run)
{
	struct device *dev = run->chan->device->dev;
	int ret = -ENOMEM;

	if (run->bytes > dma_get_max_seg_size(dev) ||
	    !is_dma_copy_aligned(run->chan->device, 0, 0, run->bytes))
		return -EINVAL;

	run->dst = dma_alloc_coherent(dev, run->bytes, &run->dst_dma, GFP_KERNEL);
	if (!run->dst)
		return -ENOMEM;
	run->src = dma_alloc_coherent(dev, run->bytes, &run->src_dma, GFP_KERNEL);
	if (!run->src)
		goto err_free_dst;

	ret = bench_loop(run);

	dma_free_coherent(dev, run->bytes, run->src, run->src_dma);
err_free_dst:
	dma_free_coherent(dev, run->bytes, run->dst, run->dst_dma);
	return ret;
}

/* Locked, the device keeps its driver, and so the channel is alive. */
static int bench_with_channel(struct bench_run *run)
{
	struct device *dev = get_device(run->chan->device->dev);
	int ret = -ENODEV;

	device_lock(dev);
	if (dev->driver)
		ret = run->cyclic ? bench_with_ring(run) : bench_with_memory(run);
	dma_release_channel(run->chan);
	device_unlock(dev);
	put_device(dev);
	return ret;
}

/* The channel */

static bool bench_name_matches(const char *channel, const char *name, const char *device, int id)
{
	size_t length = strlen(device);
	int number;

	if (!strcmp(channel, name))
		return true;
	return !strncmp(channel, device, length) && channel[length] == ':' &&
	       !kstrtoint(channel + length + 1, 10, &number) && number == id;
}

static bool bench_filter(struct dma_chan *chan, void *data)
{
	struct bench_run *run = data;

	bench_dma_class = chan->dev->device.class;
	return bench_name_matches(run->channel, dma_chan_name(chan),
				  dev_name(chan->device->dev), chan->chan_id);
}

static int bench_matches_device(struct device *dev, const void *data)
{
	const char *number = strstr(dev_name(dev), "chan");
	int id;

	if (!dev->parent || !number || kstrtoint(number + strlen("chan"), 10, &id))
		return false;
	return bench_name_matches(data, dev_name(dev), dev_name(dev->parent), id);
}

/* dmaengine only shows channels that nobody has. Was it that, or is there none? */
static int bench_no_channel(const struct bench_run *run)
{
	struct device *dev = NULL;

	if (bench_dma_class)
		dev = class_find_device(bench_dma_class, NULL, run->channel,
					bench_matches_device);
	put_device(dev);
	return dev ? -EBUSY : -ENODEV;
}

/* Who has begun to go round has to be stopped. */
static bool bench_is_able(const struct bench_run *run)
{
	const struct dma_device *device = run->chan->device;

	if (run->cyclic)
		return device->device_prep_dma_cyclic && device->device_terminate_all;
	return device->device_prep_dma_memcpy;
}

static int bench_run(struct bench_run *run)
{
	dma_cap_mask_t any;

	dma_cap_zero(any);
	run->chan = dma_request_channel(any, bench_filter, run);
	if (!run->chan)
		return bench_no_channel(run);
	if (!bench_is_able(run)) {
		dma_release_channel(run->chan);
		return -EOPNOTSUPP;
	}
	return bench_with_channel(run);
}

/* The files */

static int bench_parse(struct bench_run *run, char **words, int nr)
{
	unsigned long bytes;

	run->cyclic = nr == 5 && !strcmp(words[4], "cyclic");
	if (nr != 4 && !run->cyclic)
		return -EINVAL;
	run->channel = words[0];
	if (kstrtoul(words[1], 0, &bytes) || kstrtouint(words[2], 0, &run->depth) ||
	    kstrtou64(words[3], 0, &run->count))
		return -EINVAL;
	if (!bytes || bytes > BENCH_BYTES_MAX || !run->depth ||
	    !run->count || run->count > U64_MAX - BENCH_DEPTH_MAX)
		return -EINVAL;
	run->bytes = bytes;
	if (run->cyclic)
		return run->depth > BENCH_BYTES_MAX / bytes ? -EINVAL : 0;
	return run->depth > BENCH_DEPTH_MAX ? -EINVAL : 0;
}

static int bench_run_text(const char *text)
{
	struct bench_run run = {};
	char **words;
	int nr, ret;

	words = argv_split(GFP_KERNEL, text, &nr);
	if (!words)
		return -ENOMEM;
	ret = bench_parse(&run, words, nr);
	if (ret)
		goto out;

	init_completion(&run.all);
	ret = -EAGAIN;
	if (mutex_trylock(&bench_lock)) {
		ret = bench_run(&run);
		mutex_unlock(&bench_lock);
	}
out:
	argv_free(words);
	return ret;
}

static ssize_t bench_run_write(struct file *file, const char __user *from, size_t count,
			       loff_t *pos)
{
	char *text;
	int ret;

	if (count >= BENCH_TEXT_MAX)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = bench_run_text(text);
	kfree(text);
	return ret ?: count;
}

static const struct file_operations bench_run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = bench_run_write,
	.llseek = noop_llseek,
};

static ssize_t bench_result_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	char text[80];
	int ret, length;

	ret = mutex_lock_killable(&bench_lock);
	if (ret)
		return ret;
	length = scnprintf(text, sizeof(text), "transfers %llu ns %llu\n", bench_transfers,
			   bench_ns);
	mutex_unlock(&bench_lock);
	return simple_read_from_buffer(to, count, pos, text, length);
}

static const struct file_operations bench_result_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = bench_result_read,
	.llseek = default_llseek,
};

static int __init bench_init(void)
{
	/* Without debugfs there is nothing to do, and the next ones fail too. */
	bench_dir = debugfs_create_dir("udma-bench", NULL);
	if (IS_ERR(bench_dir))
		return PTR_ERR(bench_dir);
	debugfs_create_file("run", 0200, bench_dir, NULL, &bench_run_fops);
	debugfs_create_file("result", 0400, bench_dir, NULL, &bench_result_fops);
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
}
module_exit(bench_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("udma developers");
MODULE_DESCRIPTION("Benchmark of DMA channels inside of the kernel");
