// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the program and the device both see. A buffer lives as long as
 * its handle, a mapping or a transfer; its memory as long as the buffer, but not
 * longer than the channel, whose device it belongs to.
 */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "hot.h"
#include "udma.h"

/* A handle is a serial number over an index, and never negative. */
#define UDMA_HANDLE_SERIALS	BIT(31 - UDMA_HANDLE_INDEX_BITS)

static unsigned int max_megabytes = 256;
module_param(max_megabytes, uint, 0444);
MODULE_PARM_DESC(max_megabytes, "the most memory in the buffers of one open file, in MiB (1 to 4095)");

/* The most memory that a file may have. A buffer of 4 GiB would not fit its mmap offsets. */
u64 udma_buffers_max_bytes(void)
{
	return (u64)clamp(max_megabytes, 1U, 4095U) * SZ_1M;
}

void udma_buffers_init(struct udma_buffers *buffers)
{
	BUILD_BUG_ON(BIT(UDMA_HANDLE_INDEX_BITS) < UDMA_BUFFER_SLOTS);

	/* So that no handle is 0. */
	__set_bit(0, buffers->used);
}

void udma_buffers_destroy(struct udma_buffers *buffers)
{
	kfree(buffers->table);
}

/* Many files never have a buffer, and so no table. */
static int udma_buffers_make_table(struct udma_file *file)
{
	struct udma_buffers *buffers = &file->buffers;
	struct udma_buffer **table;

	if (READ_ONCE(buffers->table))
		return 0;
	table = kcalloc(UDMA_BUFFER_SLOTS, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	scoped_guard(spinlock_irq, &file->chan->engine.lock) {
		if (!buffers->table) {
			WRITE_ONCE(buffers->table, table);
			buffers->slots = UDMA_BUFFER_SLOTS;
			table = NULL;
		}
	}
	kfree(table);
	return 0;
}

/* Take a free index, as long after it was last used as possible. There is one. */
static u32 udma_buffers_take_handle(struct udma_buffers *buffers)
{
	unsigned int index;

	index = find_next_zero_bit(buffers->used, UDMA_BUFFER_SLOTS, buffers->last + 1);
	if (index >= UDMA_BUFFER_SLOTS)
		index = find_first_zero_bit(buffers->used, UDMA_BUFFER_SLOTS);
	if (index <= buffers->last)
		buffers->serial = (buffers->serial + 1) % UDMA_HANDLE_SERIALS;
	buffers->last = index;
	__set_bit(index, buffers->used);
	return buffers->serial << UDMA_HANDLE_INDEX_BITS | index;
}

/* Its place in the table, which also makes its mmap offset. */
unsigned int udma_buffer_index(const struct udma_buffer *buffer)
{
	return buffer->handle & UDMA_HANDLE_INDEX_MASK;
}

/* The last one has let go of a buffer, perhaps in an interrupt: leave it to be reaped. */
void udma_buffer_die(struct udma_buffer *buffer)
{
	struct udma_chan *chan = buffer->chan;

	lockdep_assert_held(&chan->engine.lock);
	list_move(&buffer->node, &chan->dead);
	udma_chan_reap(chan);
}

/* Count a new buffer against all limits and reserve its handle. */
static int udma_buffer_charge(struct udma_buffer *buffer)
{
	struct udma_buffers *buffers = &buffer->file->buffers;
	unsigned long user_pages = udma_limit_user_pages();
	int ret;

	guard(spinlock_irq)(&buffer->chan->engine.lock);
	if (bitmap_full(buffers->used, UDMA_BUFFER_SLOTS))
		return -EDQUOT;
	ret = udma_limit_charge(buffer, user_pages);
	if (ret)
		return ret;
	buffer->handle = udma_buffers_take_handle(buffers);
	buffer->file->refs++;
	return 0;
}

/*
 * Give the memory back to the device, if it is still there. What hardware may
 * write to for ever is not given back, and so counts for ever.
 */
static void udma_buffer_free_memory(struct udma_buffer *buffer)
{
	lockdep_assert_held(&buffer->chan->reap_lock);
	if (buffer->held)
		return;
	if (buffer->cpu)
		dma_free_coherent(buffer->chan->dma_dev, buffer->map_bytes, buffer->cpu,
				  buffer->dma);
	buffer->cpu = NULL;
	udma_limit_uncharge(buffer);
}

/* Free what is dead. The limits are up to date afterwards. */
void udma_buffers_reap(struct udma_chan *chan)
{
	struct udma_buffer *buffer, *next;
	LIST_HEAD(dead);

	udma_lists_reap(chan);
	scoped_guard(mutex, &chan->reap_lock) {
		scoped_guard(spinlock_irq, &chan->engine.lock)
			list_splice_init(&chan->dead, &dead);
		/* Inside: who waits for the lock finds the limits up to date. */
		list_for_each_entry(buffer, &dead, node)
			udma_buffer_free_memory(buffer);
	}
	/* The last file may be what holds the channel. */
	list_for_each_entry_safe(buffer, next, &dead, node) {
		udma_file_put(buffer->file);
		kfree(buffer);
	}
}

/* Who has the reap_lock may use what this returns: nobody else frees it. */
static struct udma_buffer *udma_buffers_next_mapped(struct udma_chan *chan)
{
	struct udma_buffer *buffer;

	lockdep_assert_held(&chan->reap_lock);
	guard(spinlock_irq)(&chan->engine.lock);
	buffer = list_first_entry_or_null(&chan->buffers, struct udma_buffer, node);
	if (buffer)
		list_move(&buffer->node, &chan->unmapped);
	return buffer;
}

/**
 * udma_buffers_unmap - the device goes: take the memory of all buffers
 * @chan: the channel, which is gone: nobody is inside udma_chan_enter()
 */
void udma_buffers_unmap(struct udma_chan *chan)
{
	struct udma_buffer *buffer;

	scoped_guard(mutex, &chan->reap_lock) {
		while ((buffer = udma_buffers_next_mapped(chan)))
			udma_buffer_free_memory(buffer);
	}
	/* Those that had died before. */
	udma_buffers_reap(chan);
}

static int udma_buffer_alloc_memory(struct udma_buffer *buffer)
{
	struct udma_chan *chan = buffer->chan;
	int cookie = udma_chan_enter(chan);

	if (cookie < 0)
		return cookie;
	/*
	 * How much a program asks for is no reason to fill the kernel's log, nor
	 * to kill somebody: it can be told that there is no memory.
	 */
	buffer->cpu = dma_alloc_coherent(chan->dma_dev, buffer->map_bytes, &buffer->dma,
					 GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	/* Inside: from now on unbind takes the memory away. */
	scoped_guard(spinlock_irq, &chan->engine.lock)
		list_add(&buffer->node, &chan->buffers);
	udma_chan_leave(cookie);
	return buffer->cpu ? 0 : -ENOMEM;
}

/**
 * udma_buffer_alloc - make a buffer that has a handle, but cannot be found yet
 * @file: whose
 * @bytes: how long
 *
 * Return: the buffer, for udma_buffer_publish() or udma_buffer_discard(), or an
 * error pointer.
 */
struct udma_buffer *udma_buffer_alloc(struct udma_file *file, u64 bytes)
{
	struct udma_buffer *buffer;
	int ret;

	if (!bytes)
		return ERR_PTR(-EINVAL);
	if (bytes > udma_buffers_max_bytes())
		return ERR_PTR(-EDQUOT);
	if (udma_buffers_make_table(file))
		return ERR_PTR(-ENOMEM);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->chan = file->chan;
	buffer->file = file;
	buffer->bytes = bytes;
	buffer->map_bytes = PAGE_ALIGN(bytes);
	buffer->refs = 1;
	INIT_LIST_HEAD(&buffer->node);

	/* What has died counts until it is freed. */
	udma_buffers_reap(file->chan);
	ret = udma_buffer_charge(buffer);
	if (ret) {
		kfree(buffer);
		return ERR_PTR(ret);
	}
	ret = udma_buffer_alloc_memory(buffer);
	if (ret) {
		udma_buffer_discard(buffer);
		return ERR_PTR(ret);
	}
	return buffer;
}

/* From now on the program's handle finds the buffer. */
void udma_buffer_publish(struct udma_buffer *buffer)
{
	guard(spinlock_irq)(&buffer->chan->engine.lock);
	buffer->file->buffers.table[udma_buffer_index(buffer)] = buffer;
}

/* Take the handle from a buffer, and the reference that came with it. */
static void udma_buffer_drop_handle(struct udma_buffer *buffer)
{
	struct udma_buffers *buffers = &buffer->file->buffers;
	unsigned int index = udma_buffer_index(buffer);

	lockdep_assert_held(&buffer->chan->engine.lock);
	buffers->table[index] = NULL;
	__clear_bit(index, buffers->used);
	udma_buffer_put(buffer);
}

/* Instead of udma_buffer_publish(). */
void udma_buffer_discard(struct udma_buffer *buffer)
{
	struct udma_chan *chan = buffer->chan;

	scoped_guard(spinlock_irq, &chan->engine.lock)
		udma_buffer_drop_handle(buffer);
	udma_buffers_reap(chan);
}

int udma_buffer_free(struct udma_file *file, u32 handle)
{
	struct udma_buffer *buffer;

	scoped_guard(spinlock_irq, &file->chan->engine.lock) {
		buffer = udma_buffer_find(file, handle);
		if (buffer)
			udma_buffer_drop_handle(buffer);
	}
	udma_buffers_reap(file->chan);
	return buffer ? 0 : -ENOENT;
}

/* The file is closed, and its handles with it. */
void udma_buffers_drop(struct udma_file *file)
{
	unsigned int i;

	lockdep_assert_held(&file->chan->engine.lock);
	for (i = 0; i < file->buffers.slots; i++)
		if (file->buffers.table[i])
			udma_buffer_drop_handle(file->buffers.table[i]);
}
