// SPDX-License-Identifier: GPL-2.0
/*
 * Queues in memory that is shared with the program: what they are made of, and
 * UDMA_ENTER, which takes requests out of one and waits for events in the other.
 * The events themselves are written and counted in event.c.
 *
 * The program may write to all of this memory at any time. So each thing in it
 * is read once, and checked before anything is done with it.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "hot.h"
#include "udma.h"

/* So that counts go from 2^32 - 1 to zero early in the life of each program. */
#define UDMA_QUEUE_FIRST_COUNT	0xffffff00U

static bool udma_queue_entries_valid(u32 entries)
{
	return is_power_of_2(entries) && entries <= UDMA_QUEUE_ENTRIES;
}

/**
 * udma_queues_plan - what the queues of a file are going to be
 * @cmd: what the program wants; the answer is written to it
 *
 * Return: zero or a negative errno.
 */
int udma_queues_plan(struct udma_queue_setup *cmd)
{
	BUILD_BUG_ON(sizeof(struct udma_queue_shared) % sizeof(struct udma_request));
	BUILD_BUG_ON(sizeof(struct udma_request) != sizeof(struct udma_event));

	if (!udma_queue_entries_valid(cmd->submit_entries) ||
	    !udma_queue_entries_valid(cmd->complete_entries) || cmd->__reserved ||
	    cmd->request_bytes < sizeof(struct udma_request))
		return -EINVAL;
	if (cmd->request_bytes > sizeof(struct udma_request))
		return -E2BIG;
	/* Buffers begin at the next index. */
	cmd->out_mmap_offset = 0;
	cmd->out_submit_offset = sizeof(struct udma_queue_shared);
	cmd->out_complete_offset = cmd->out_submit_offset +
				   cmd->submit_entries * sizeof(struct udma_request);
	cmd->out_map_bytes = PAGE_ALIGN(cmd->out_complete_offset +
					cmd->complete_entries * sizeof(struct udma_event));
	return 0;
}

/* Put the queues in the place of what the file has used so far, if it is at rest. */
static int udma_queues_install(struct udma_file *file, const struct udma_queue_setup *cmd,
			       struct udma_queue_shared *shared, struct udma_xfer *xfers)
{
	struct udma_queues *queues = &file->queues;
	int ret;

	lockdep_assert_held(&file->submit_lock);
	guard(spinlock_irq)(&file->chan->engine.lock);
	if (queues->shared)
		return -EBUSY;
	shared->submit_tail = UDMA_QUEUE_FIRST_COUNT;
	shared->submit_head = UDMA_QUEUE_FIRST_COUNT;
	ret = udma_events_share(&file->events, shared, (void *)shared + cmd->out_complete_offset,
				cmd->complete_entries, UDMA_QUEUE_FIRST_COUNT);
	if (ret)
		return ret;
	file->xfers = xfers;
	file->free = xfers;
	queues->requests = (void *)shared + cmd->out_submit_offset;
	queues->map_bytes = cmd->out_map_bytes;
	queues->entries = cmd->submit_entries;
	queues->head = UDMA_QUEUE_FIRST_COUNT;
	/* Pairs with udma_queues_shared(). */
	smp_store_release(&queues->shared, shared);
	return 0;
}

/* The same while nobody submits or reads. */
static int udma_queues_exchange(struct udma_file *file, const struct udma_queue_setup *cmd,
				struct udma_queue_shared *shared, struct udma_xfer *xfers)
{
	int ret = -ERESTARTSYS;

	if (mutex_lock_interruptible(&file->submit_lock))
		return ret;
	if (!mutex_lock_interruptible(&file->events.read_lock)) {
		ret = udma_queues_install(file, cmd, shared, xfers);
		mutex_unlock(&file->events.read_lock);
	}
	mutex_unlock(&file->submit_lock);
	return ret;
}

/**
 * udma_queues_setup - give a file queues that it shares with its program
 * @file: the file
 * @cmd: what udma_queues_plan() has found to be right
 *
 * Return: zero or a negative errno.
 */
int udma_queues_setup(struct udma_file *file, const struct udma_queue_setup *cmd)
{
	/* Nobody else changes them, or this here fails. */
	struct udma_event *old_ring = file->events.ring;
	struct udma_xfer *old_xfers = file->xfers;
	struct udma_queue_shared *shared;
	struct udma_xfer *xfers;
	int ret = -ENOMEM;

	/* Over the limit of a cgroup nobody is to be killed for it. */
	shared = __vmalloc(cmd->out_map_bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
					       __GFP_RETRY_MAYFAIL);
	xfers = udma_xfers_alloc(file, cmd->complete_entries);
	if (shared && xfers)
		ret = udma_queues_exchange(file, cmd, shared, xfers);
	if (ret) {
		udma_xfers_free(xfers, cmd->complete_entries);
		vfree(shared);
		return ret;
	}
	udma_xfers_free(old_xfers, UDMA_EVENT_SLOTS);
	kvfree(old_ring);
	return 0;
}

void udma_queues_destroy(struct udma_queues *queues)
{
	vfree(queues->shared);
}

/**
 * udma_queues_page - a page of the queues, which is mapped
 * @file: whose they are
 * @pgoff: which page
 *
 * Return: the page, or NULL when there is none.
 */
struct page *udma_queues_page(struct udma_file *file, unsigned long pgoff)
{
	void *shared = udma_queues_shared(file);

	if (!shared || pgoff >= file->queues.map_bytes >> PAGE_SHIFT)
		return NULL;
	return vmalloc_to_page(shared + (pgoff << PAGE_SHIFT));
}

/*
 * Take up to a batch of requests out of the queue and give them to the engine, with
 * these flags, too.
 * Return: zero to go on, or why no more can be taken.
 */
static int udma_queues_take(struct udma_file *file, unsigned int count, u32 flags,
			    unsigned int *taken)
{
	struct udma_queues *queues = &file->queues;
	const struct udma_requests requests = {
		.ring = queues->requests,
		.mask = queues->entries - 1,
		.first = queues->head,
		.count = count,
		.flags = flags,
	};
	int ret;

	lockdep_assert_held(&file->submit_lock);
	ret = udma_submit_all(file, &requests, taken);
	queues->head += *taken;
	/* The program writes them again when it sees this. */
	smp_store_release(&queues->shared->submit_head, queues->head);
	return ret;
}

/*
 * Take @most requests, or as many as there are, and count them in @taken.
 * Return: zero, or why it was not all of them.
 */
static int udma_queues_submit(struct udma_file *file, u32 most, u32 flags, u32 *taken)
{
	struct udma_queues *queues = &file->queues;
	unsigned int batch;
	u32 ready;
	int ret;

	lockdep_assert_held(&file->submit_lock);
	/* Pairs with the program's release: the requests were written before. */
	ready = smp_load_acquire(&queues->shared->submit_tail) - queues->head;
	if (ready > queues->entries)
		return -EINVAL;
	most = min(most, ready);
	while (*taken < most) {
		ret = udma_queues_take(file, min_t(u32, most - *taken, UDMA_SUBMIT_BATCH), flags,
				       &batch);
		*taken += batch;
		if (ret)
			return ret;
		if (*taken == most)
			break;
		/* Another thread may make room for as long as it likes. */
		if (*taken >= file->events.entries || signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * udma_queues_enter - submit from the queue, wait for events
 * @file: the file
 * @cmd: what to do
 *
 * Not inside udma_chan_enter(): unbind waits for no program.
 *
 * Return: how many requests were taken, or a negative errno.
 */
long udma_queues_enter(struct udma_file *file, const struct udma_enter *cmd)
{
	u32 head, flags = 0, taken = 0;
	int ret = 0;

	if (!udma_queues_shared(file))
		return -ENXIO;
	if (cmd->complete > file->events.entries || !udma_events_learn_head(&file->events, &head))
		return -EINVAL;
	if (cmd->submit) {
		if (mutex_lock_interruptible(&file->submit_lock))
			return -ERESTARTSYS;
		/* Who is going to look for the events all the time wants no interrupts. */
		if (cmd->busy_ns && udma_events_count(&file->events, head) < cmd->complete)
			flags = UDMA_REQUEST_F_MORE;
		ret = udma_queues_submit(file, cmd->submit, flags, &taken);
		mutex_unlock(&file->submit_lock);
	}
	if (!ret && cmd->complete) {
		ret = udma_events_reached(&file->events, cmd->complete, &head);
		if (!ret)
			ret = udma_wait(&file->events, cmd->complete, cmd->timeout_ns,
					cmd->busy_ns);
	}
	return taken ? (long)taken : min(ret, 0);
}
