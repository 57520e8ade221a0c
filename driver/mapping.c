// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers and queues in the address space of a process: mmap(), what becomes of the
 * VMA, and how all that is the device's is taken away when it goes.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "hot.h"
#include "udma.h"

/* Each index has 4 GiB of mmap offsets. Index 0 is that of the queues. */
#define UDMA_MMAP_INDEX_SHIFT	32
#define UDMA_MMAP_PGOFF_BITS	(UDMA_MMAP_INDEX_SHIFT - PAGE_SHIFT)

/**
 * struct udma_mapping - what has come of one mmap() call
 * @node: in the channel's list, until unbind has waited for the call to be over
 * @buffer: a counted reference
 * @mm: who called mmap(); only kept so that its lock can be taken
 * @refs: VMAs that are left: it was split, moved or copied by fork()
 */
struct udma_mapping {
	struct list_head node;
	struct udma_buffer *buffer;
	struct mm_struct *mm;
	unsigned int refs;
};

/* What the program gives to mmap() as the offset of the buffer. */
u64 udma_mapping_offset(const struct udma_buffer *buffer)
{
	BUILD_BUG_ON(BIT_ULL(BITS_PER_LONG - UDMA_MMAP_PGOFF_BITS) < UDMA_BUFFER_SLOTS);

	return (u64)udma_buffer_index(buffer) << UDMA_MMAP_INDEX_SHIFT;
}

static void udma_mapping_put(struct udma_mapping *mapping)
{
	struct udma_chan *chan = mapping->buffer->chan;

	scoped_guard(spinlock_irq, &chan->engine.lock) {
		if (--mapping->refs)
			return;
		list_del(&mapping->node);
		udma_buffer_put(mapping->buffer);
	}
	mmdrop(mapping->mm);
	kfree(mapping);
	udma_buffers_reap(chan);
}

static void udma_vma_open(struct vm_area_struct *vma)
{
	struct udma_mapping *mapping = vma->vm_private_data;

	guard(spinlock_irq)(&mapping->buffer->chan->engine.lock);
	mapping->refs++;
}

static void udma_vma_close(struct vm_area_struct *vma)
{
	udma_mapping_put(vma->vm_private_data);
}

/* The pages are there from the start. Where there are none, unbind took them. */
static vm_fault_t udma_vma_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct udma_vm_ops = {
	.open = udma_vma_open,
	.close = udma_vma_close,
	.fault = udma_vma_fault,
};

/* Find the buffer that mmap() asks for and take a reference with @mapping. */
static int udma_mapping_init(struct udma_mapping *mapping, struct udma_file *file,
			     struct vm_area_struct *vma)
{
	unsigned long offset = vma->vm_pgoff & (BIT(UDMA_MMAP_PGOFF_BITS) - 1);
	unsigned long pages = vma_pages(vma);
	struct udma_buffer *buffer;

	guard(spinlock_irq)(&file->chan->engine.lock);
	buffer = udma_buffer_at(file, vma->vm_pgoff >> UDMA_MMAP_PGOFF_BITS);
	if (!buffer || offset > buffer->map_bytes >> PAGE_SHIFT ||
	    pages > (buffer->map_bytes >> PAGE_SHIFT) - offset)
		return -EINVAL;
	udma_buffer_get(buffer);
	mapping->buffer = buffer;
	mapping->refs = 1;
	mapping->mm = vma->vm_mm;
	mmgrab(mapping->mm);
	list_add(&mapping->node, &file->chan->mappings);
	return 0;
}

/* Fill the page table. dma_mmap_coherent() takes vm_pgoff from the buffer on. */
static int udma_mapping_fill(struct udma_mapping *mapping, struct vm_area_struct *vma)
{
	struct udma_buffer *buffer = mapping->buffer;
	unsigned long pgoff = vma->vm_pgoff;
	int ret;

	vma->vm_pgoff &= BIT(UDMA_MMAP_PGOFF_BITS) - 1;
	ret = dma_mmap_coherent(buffer->chan->dma_dev, vma, buffer->cpu, buffer->dma,
				buffer->map_bytes);
	/* What unmap_mapping_range() will look for. */
	vma->vm_pgoff = pgoff;
	udma_vma_untrack(vma, buffer->cpu);
	return ret;
}

/* A page that the kernel shares with the program, of the queues or of the streams. */
static struct page *udma_mapping_page(struct udma_file *file, unsigned long pgoff)
{
	return udma_queues_page(file, pgoff) ?: udma_stream_page(file, pgoff);
}

/*
 * The queues are no memory of the device: an unbind takes away what was mapped with the
 * rest, but not the pages, and the next touch brings them back.
 */
static vm_fault_t udma_queues_fault(struct vm_fault *vmf)
{
	struct page *page = udma_mapping_page(vmf->vma->vm_file->private_data, vmf->pgoff);

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct udma_queues_vm_ops = {
	.fault = udma_queues_fault,
};

static int udma_mapping_create_queues(struct udma_file *file, struct vm_area_struct *vma)
{
	unsigned long last = vma->vm_pgoff + vma_pages(vma) - 1;

	/* Those of the queues follow one another, and that of the streams is alone. */
	if (!udma_queues_page(file, last) &&
	    (last != vma->vm_pgoff || !udma_stream_page(file, last)))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = &udma_queues_vm_ops;
	return 0;
}

static int udma_mapping_create_buffer(struct udma_file *file, struct vm_area_struct *vma)
{
	struct udma_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	ret = udma_mapping_init(mapping, file, vma);
	if (ret) {
		kfree(mapping);
		return ret;
	}
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	ret = udma_mapping_fill(mapping, vma);
	if (ret) {
		/* The memory may go before the caller takes away what was filled. */
		if (vma->vm_flags & VM_PFNMAP)
			zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
		udma_mapping_put(mapping);
		return ret;
	}
	vma->vm_private_data = mapping;
	vma->vm_ops = &udma_vm_ops;
	return 0;
}

/**
 * udma_mapping_create - map a buffer or the queues into a process
 * @file: whose
 * @vma: where, how much, and by vm_pgoff which
 *
 * Called inside udma_chan_enter().
 *
 * Return: zero or a negative errno.
 */
int udma_mapping_create(struct udma_file *file, struct vm_area_struct *vma)
{
	/* VM_SHARED itself is not set for a file that is open for reading. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (vma->vm_pgoff >> UDMA_MMAP_PGOFF_BITS)
		return udma_mapping_create_buffer(file, vma);
	return udma_mapping_create_queues(file, vma);
}

/* Take the next one from the list of those that may not be over. */
static struct udma_mapping *udma_mapping_next(struct udma_chan *chan)
{
	struct udma_mapping *mapping;

	guard(spinlock_irq)(&chan->engine.lock);
	mapping = list_first_entry_or_null(&chan->mappings, struct udma_mapping, node);
	if (mapping) {
		list_del_init(&mapping->node);
		mapping->refs++;
	}
	return mapping;
}

/**
 * udma_mappings_settle - wait until every mmap() that was begun is over
 * @chan: the channel, which is gone: nobody is inside udma_chan_enter()
 *
 * Only then is a VMA whose page table was filled among those that a zap finds.
 * No new one comes.
 */
void udma_mappings_settle(struct udma_chan *chan)
{
	struct udma_mapping *mapping;

	while ((mapping = udma_mapping_next(chan))) {
		mmap_read_lock(mapping->mm);
		mmap_read_unlock(mapping->mm);
		udma_mapping_put(mapping);
	}
}
