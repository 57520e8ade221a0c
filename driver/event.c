// SPDX-License-Identifier: GPL-2.0
/*
 * The completion queue of a file: written in the order in which transfers end,
 * read by read(). One writer at a time (the engine's lock), one reader at a time
 * (read_lock), and no lock between the two.
 */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>

#include "compat.h"
#include "udma.h"

int udma_events_init(struct udma_events *events)
{
	BUILD_BUG_ON_NOT_POWER_OF_2(UDMA_EVENT_SLOTS);

	events->ring = kvcalloc(UDMA_EVENT_SLOTS, sizeof(*events->ring), GFP_KERNEL_ACCOUNT);
	if (!events->ring)
		return -ENOMEM;
	mutex_init(&events->read_lock);
	init_waitqueue_head(&events->wait);
	return 0;
}

void udma_events_destroy(struct udma_events *events)
{
	kvfree(events->ring);
	mutex_destroy(&events->read_lock);
}

/* How many events there are to read. */
static unsigned int udma_events_count(const struct udma_events *events)
{
	/* Pairs with udma_events_post(): what they say was written before. */
	return smp_load_acquire(&events->tail) - READ_ONCE(events->head);
}

/* Whether there is a slot that is not promised. */
static bool udma_events_room(const struct udma_events *events)
{
	/* Pairs with udma_events_copy(): the slots were read before. */
	return READ_ONCE(events->reserved) - smp_load_acquire(&events->head) < UDMA_EVENT_SLOTS;
}

/* Whether the last event has been written. */
static bool udma_events_closed(const struct udma_events *events)
{
	/* Pairs with udma_events_close(): look at it before the queue. */
	return smp_load_acquire(&events->closed);
}

static void udma_events_wake(struct udma_events *events, __poll_t what)
{
	if (wq_has_sleeper(&events->wait))
		wake_up_poll(&events->wait, what);
	if (events->eventfd)
		udma_eventfd_signal(events->eventfd);
}

static struct udma_engine *udma_events_engine(struct udma_events *events)
{
	return &container_of(events, struct udma_file, events)->chan->engine;
}

/* Promise a slot to a transfer; false when there is none. */
bool udma_events_reserve(struct udma_events *events)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	if (!udma_events_room(events))
		return false;
	WRITE_ONCE(events->reserved, events->reserved + 1);
	return true;
}

/* Fill the slot that was promised. */
void udma_events_post(struct udma_events *events, const struct udma_event *event)
{
	struct udma_event *slot = &events->ring[events->tail % UDMA_EVENT_SLOTS];

	lockdep_assert_held(&udma_events_engine(events)->lock);
	*slot = *event;
	slot->timestamp_ns = ktime_get_ns();
	/* Pairs with udma_events_count(). */
	smp_store_release(&events->tail, events->tail + 1);
	udma_events_wake(events, EPOLLIN | EPOLLRDNORM);
}

/* The channel has gone and all events are there: tell everyone who waits. */
void udma_events_close(struct udma_events *events)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	/* Pairs with udma_events_closed(). */
	smp_store_release(&events->closed, true);
	udma_events_wake(events, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP |
				 EPOLLERR);
}

/*
 * Give the program as many whole events as fit and can be copied. What could
 * not be copied stays in the queue.
 */
static ssize_t udma_events_copy(struct udma_events *events, struct iov_iter *to)
{
	unsigned int count = udma_events_count(events);
	unsigned int head = events->head;
	unsigned int done = 0;

	lockdep_assert_held(&events->read_lock);
	while (done < count && iov_iter_count(to) >= sizeof(*events->ring)) {
		const struct udma_event *event = &events->ring[(head + done) % UDMA_EVENT_SLOTS];
		size_t copied = copy_to_iter(event, sizeof(*event), to);

		if (copied < sizeof(*event)) {
			iov_iter_revert(to, copied);
			if (!done)
				return -EFAULT;
			break;
		}
		done++;
	}
	if (done) {
		/* Pairs with udma_events_room(). */
		smp_store_release(&events->head, head + done);
		if (wq_has_sleeper(&events->wait))
			wake_up_poll(&events->wait, EPOLLOUT | EPOLLWRNORM);
	}
	return done * sizeof(*events->ring);
}

/* One attempt; zero when there is nothing to read. */
static ssize_t udma_events_try_read(struct udma_events *events, struct iov_iter *to, bool nowait)
{
	bool closed = udma_events_closed(events);
	ssize_t ret;

	if (nowait) {
		if (!mutex_trylock(&events->read_lock))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&events->read_lock)) {
		return -ERESTARTSYS;
	}
	ret = udma_events_copy(events, to);
	mutex_unlock(&events->read_lock);
	return !ret && closed ? -ENODEV : ret;
}

/**
 * udma_events_read - read events
 * @events: the queue
 * @to: where to
 * @nonblock: fail with -EAGAIN rather than wait for an event
 * @nowait: nor wait for another reader
 *
 * Return: how many bytes, whole events; or a negative errno.
 */
ssize_t udma_events_read(struct udma_events *events, struct iov_iter *to, bool nonblock,
			 bool nowait)
{
	ssize_t ret;

	if (iov_iter_count(to) < sizeof(*events->ring))
		return -EINVAL;
	for (;;) {
		ret = udma_events_try_read(events, to, nowait);
		if (ret)
			return ret;
		if (nonblock || nowait)
			return -EAGAIN;
		ret = wait_event_interruptible(events->wait,
					       udma_events_count(events) ||
					       udma_events_closed(events));
		if (ret)
			return ret;
	}
}

__poll_t udma_events_poll(struct udma_events *events, struct file *filp,
			  struct poll_table_struct *wait)
{
	__poll_t mask = 0;

	poll_wait(filp, &events->wait, wait);
	/* Pairs with wq_has_sleeper(); poll_wait() has one itself only of late. */
	smp_mb();
	if (udma_events_closed(events))
		mask |= EPOLLHUP | EPOLLERR;
	else if (udma_events_room(events))
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (udma_events_count(events))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

/* Set the eventfd of @file, or none for -1. */
int udma_events_set_eventfd(struct udma_file *file, int fd)
{
	struct eventfd_ctx *ctx = NULL;
	int ret = 0;

	if (fd != -1) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	scoped_guard(spinlock_irq, &file->chan->engine.lock) {
		/* Too late to be told that the channel goes. */
		if (ctx && file->events.closed)
			ret = -ENODEV;
		else
			swap(file->events.eventfd, ctx);
	}
	if (ctx)
		eventfd_ctx_put(ctx);
	return ret;
}
