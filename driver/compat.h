/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, from 6.1 on. The only place that looks at the
 * kernel's version: everything else is written for the newest one.
 */
#ifndef UDMA_COMPAT_H
#define UDMA_COMPAT_H

#include <linux/device/class.h>
#include <linux/dmaengine.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/*
 * Until 6.15, x86 tracks what remap_pfn_range() mapped by looking into the page
 * table, and warns when a fork() finds it emptied under its eyes. For memory in
 * the linear map there is nothing to track.
 */
static inline void udma_vma_untrack(struct vm_area_struct *vma, const void *memory)
{
#ifdef VM_PAT
	if (virt_addr_valid(memory))
		vm_flags_clear(vma, VM_PAT);
#endif
}

/*
 * Without it a 32-bit kernel takes no mmap() offset from 4 GiB on. A mode until
 * 6.11, a flag of the operations from 6.12 on.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define UDMA_FMODE_UNSIGNED_OFFSET	FMODE_UNSIGNED_OFFSET
#define UDMA_FOP_UNSIGNED_OFFSET
#else
#define UDMA_FMODE_UNSIGNED_OFFSET	0
#define UDMA_FOP_UNSIGNED_OFFSET	.fop_flags = FOP_UNSIGNED_OFFSET,
#endif

/*
 * Until 6.11, pl330 hands a descriptor to its next user with the callback_result
 * of the last one still in it, and there are users that only set callback.
 */
static inline bool udma_callback_result_sticks(const struct dma_chan *dma)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return !strcmp(dev_driver_string(dma->device->dev), "dma-pl330");
#else
	return false;
#endif
}

/* What a class's attributes are handed became const in 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define UDMA_CLASS_CONST
#else
#define UDMA_CLASS_CONST	const
#endif

/* The owner argument went in 6.4. */
static inline struct class *udma_class_create(const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	return class_create(THIS_MODULE, name);
#else
	return class_create(name);
#endif
}

/* The count went in 6.8. */
static inline void udma_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

/*
 * A platform driver's remove returned int, then there was a second one that
 * returns nothing (6.3), then the first returned nothing too (6.11).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define UDMA_PLATFORM_REMOVE(_fn)						\
	static int _fn##_int(struct platform_device *pdev)			\
	{									\
		_fn(pdev);							\
		return 0;							\
	}
#define UDMA_PLATFORM_REMOVE_OP(_fn)	.remove = _fn##_int
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define UDMA_PLATFORM_REMOVE(_fn)
#define UDMA_PLATFORM_REMOVE_OP(_fn)	.remove_new = _fn
#else
#define UDMA_PLATFORM_REMOVE(_fn)
#define UDMA_PLATFORM_REMOVE_OP(_fn)	.remove = _fn
#endif

/* One call instead of two from 6.13 on. */
static inline void udma_hrtimer_setup(struct hrtimer *timer,
				      enum hrtimer_restart (*fn)(struct hrtimer *),
				      clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#else
	hrtimer_setup(timer, fn, clock, mode);
#endif
}

/* Whether a device is coherent was a bit-field until 7.2, where an architecture asks. */
static inline void udma_set_dma_coherent(struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
	dev_set_dma_coherent(dev);
#elif defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU_ALL)
	dev->dma_coherent = true;
#endif
}

#endif /* UDMA_COMPAT_H */
