// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory there may be: of a file, of a channel and of a user. A buffer
 * counts from before its memory is there until that is free again, whoever
 * lives by then.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/sysfs.h>

#include "udma.h"

/* What a channel may have until root says otherwise, in MiB. */
#define UDMA_LIMIT_MEGABYTES	1024UL

static bool udma_limit_fits(u64 more, u64 used, u64 max)
{
	return used <= max && more <= max - used;
}

/* How many pages the caller's user may have of all memory that cannot be swapped. */
unsigned long udma_limit_user_pages(void)
{
	return capable(CAP_IPC_LOCK) ? LONG_MAX : rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/* The count is the kernel's own: io_uring's and other drivers' memory is in it too. */
static bool udma_limit_charge_user(struct user_struct *user, unsigned long pages, unsigned long max)
{
	long used = atomic_long_read(&user->locked_vm);

	do {
		if (!udma_limit_fits(pages, used, max))
			return false;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &used, used + pages));
	return true;
}

/**
 * udma_limit_charge - count a buffer whose memory is about to be allocated
 * @buffer: the buffer
 * @user_pages: what udma_limit_user_pages() said
 *
 * All or nothing, in one go: nobody is refused because of a buffer that is going
 * to be refused itself.
 *
 * Return: zero, or -EDQUOT when there is no room for it.
 */
int udma_limit_charge(struct udma_buffer *buffer, unsigned long user_pages)
{
	struct udma_buffers *buffers = &buffer->file->buffers;
	struct udma_limit *limit = &buffer->chan->limit;
	u64 max_bytes = (u64)READ_ONCE(limit->max_megabytes) * SZ_1M;

	lockdep_assert_held(&buffer->chan->engine.lock);
	if (buffers->count >= UDMA_BUFFER_SLOTS - 1 ||
	    !udma_limit_fits(buffer->map_bytes, buffers->bytes, udma_buffers_max_bytes()) ||
	    !udma_limit_fits(buffer->map_bytes, limit->bytes, max_bytes) ||
	    !udma_limit_charge_user(current_user(), buffer->map_bytes >> PAGE_SHIFT, user_pages))
		return -EDQUOT;
	buffer->user = get_uid(current_user());
	buffers->count++;
	buffers->bytes += buffer->map_bytes;
	limit->bytes += buffer->map_bytes;
	return 0;
}

/**
 * udma_limit_uncharge - count a buffer no more
 * @buffer: the buffer, whose memory is free or could not be allocated
 *
 * Unbind frees memory that programs still have the handle of; nothing happens
 * when they give that back.
 */
void udma_limit_uncharge(struct udma_buffer *buffer)
{
	struct udma_buffers *buffers = &buffer->file->buffers;
	struct user_struct *user = buffer->user;

	lockdep_assert_held(&buffer->chan->reap_lock);
	if (!user)
		return;
	buffer->user = NULL;
	atomic_long_sub(buffer->map_bytes >> PAGE_SHIFT, &user->locked_vm);
	free_uid(user);

	guard(spinlock_irq)(&buffer->chan->engine.lock);
	buffers->count--;
	buffers->bytes -= buffer->map_bytes;
	buffer->chan->limit.bytes -= buffer->map_bytes;
}

/* Also where one user may lock everything, the machine is to keep some of its memory. */
void udma_limit_init(struct udma_limit *limit)
{
	unsigned long half = totalram_pages() / 2 >> (20 - PAGE_SHIFT);

	limit->max_megabytes = clamp(half, 1UL, UDMA_LIMIT_MEGABYTES);
}

static struct udma_chan *udma_limit_chan(struct device *dev)
{
	return container_of(dev, struct udma_chan, dev);
}

static ssize_t max_megabytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(udma_limit_chan(dev)->limit.max_megabytes));
}

/* What is over a lower limit stays; there is nothing new until it is below. */
static ssize_t max_megabytes_store(struct device *dev, struct device_attribute *attr,
				   const char *buf, size_t count)
{
	unsigned int megabytes;

	if (kstrtouint(buf, 0, &megabytes))
		return -EINVAL;
	WRITE_ONCE(udma_limit_chan(dev)->limit.max_megabytes, megabytes);
	return count;
}
static DEVICE_ATTR_RW(max_megabytes);

static ssize_t used_bytes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct udma_chan *chan = udma_limit_chan(dev);
	u64 bytes;

	scoped_guard(spinlock_irq, &chan->engine.lock)
		bytes = chan->limit.bytes;
	return sysfs_emit(buf, "%llu\n", bytes);
}
static DEVICE_ATTR_RO(used_bytes);

static struct attribute *udma_limit_attrs[] = {
	&dev_attr_max_megabytes.attr,
	&dev_attr_used_bytes.attr,
	NULL,
};

const struct attribute_group udma_limit_group = {
	.attrs = udma_limit_attrs,
};
