// SPDX-License-Identifier: GPL-2.0
/*
 * The completion queue of a file: written in the order in which transfers end,
 * emptied by read(), or by the program itself where it shares the queue. One
 * writer at a time (the engine's lock), one reader at a time (read_lock, or the
 * program's own affair), and no lock between the two.
 *
 * Who sleeps looks once more under the engine's lock after it has said so. So an
 * event finds it sleeping, or it finds the event, and the writer needs no barrier.
 */
#include <linux/bottom_half.h>
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>

#include "compat.h"
#include "copy.h"
#include "hot.h"
#include "udma.h"

int udma_events_init(struct udma_events *events)
{
	BUILD_BUG_ON_NOT_POWER_OF_2(UDMA_EVENT_SLOTS);

	events->entries = UDMA_EVENT_SLOTS;
	events->ring = kvcalloc(events->entries, sizeof(*events->ring), GFP_KERNEL_ACCOUNT);
	if (!events->ring)
		return -ENOMEM;
	mutex_init(&events->read_lock);
	init_waitqueue_head(&events->wait);
	events->waiters = RB_ROOT_CACHED;
	return 0;
}

void udma_events_destroy(struct udma_events *events)
{
	/* Else it is part of the queues. */
	if (!events->shared)
		kvfree(events->ring);
	mutex_destroy(&events->read_lock);
}

/**
 * udma_events_share - from now on the program sees the queue
 * @events: the queue; its read_lock is held
 * @shared: the counts
 * @ring: the events
 * @entries: how many there is room for
 * @count: where to begin to count
 *
 * The ring there was is the caller's.
 *
 * Return: zero, -EBUSY when something is in the queue or will be, or -ENODEV.
 */
int udma_events_share(struct udma_events *events, struct udma_queue_shared *shared,
		      struct udma_event *ring, unsigned int entries, unsigned int count)
{
	lockdep_assert_held(&events->read_lock);
	lockdep_assert_held(&udma_events_engine(events)->lock);
	if (events->reserved != events->head)
		return -EBUSY;
	if (events->closed)
		return -ENODEV;
	shared->complete_tail = count;
	shared->complete_head = count;
	events->shared = shared;
	events->ring = ring;
	events->entries = entries;
	events->reserved = count;
	events->tail = count;
	events->head = count;
	return 0;
}

/*
 * See udma_events_learn_head(): the program says @head, and it has not been known. That is
 * true only if it lies between what it was and the tail: else nothing changes. Two who do
 * this at a time may set the head back to where it was a moment ago, which holds nobody
 * up for long: who finds the queue full looks again.
 */
bool udma_events_move_head(struct udma_events *events, u32 known, u32 head)
{
	bool full;

	if (head - known > READ_ONCE(events->tail) - known)
		return false;
	full = READ_ONCE(events->reserved) - known >= events->entries;
	/* Pairs with the next one who learns. */
	smp_store_release(&events->head, head);
	/* They were taken without a call: nobody has told those who wait for room. */
	if (full && wq_has_sleeper(&events->wait))
		wake_up_poll(&events->wait, EPOLLOUT | EPOLLWRNORM);
	return true;
}

/* The queue seems to be full: see whether it is. */
bool udma_events_find_room(struct udma_events *events)
{
	u32 head;

	lockdep_assert_held(&udma_events_engine(events)->lock);
	return udma_events_learn_head(events, &head) && events->reserved - head < events->entries;
}

/* Tell everyone who waits of something new. */
void udma_events_wake(struct udma_events *events, __poll_t what)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	udma_wait_wake(events);
	/* Who sleeps has looked under the lock, after it was in the queue. */
	if (waitqueue_active(&events->wait))
		wake_up_poll(&events->wait, what);
	if (events->eventfd)
		udma_eventfd_signal(events->eventfd);
}

/**
 * udma_events_begin - several events may come now, and are told of together
 * @events: the queue
 *
 * Until udma_events_end(), which comes before the engine's lock is given back.
 */
void udma_events_begin(struct udma_events *events)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	events->quiet++;
}

void udma_events_end(struct udma_events *events)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	if (--events->quiet || !events->untold)
		return;
	events->untold = false;
	udma_events_share_tail(events);
	udma_events_wake(events, EPOLLIN | EPOLLRDNORM);
}

/* The channel has gone and all events are there: tell everyone who waits. */
void udma_events_close(struct udma_events *events)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	/* Pairs with udma_events_closed(). */
	smp_store_release(&events->closed, true);
	if (events->shared)
		/* Who sees it sees the last event too. */
		smp_store_release(&events->shared->state, UDMA_QUEUE_S_CLOSED);
	udma_events_wake(events, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP |
				 EPOLLERR);
}

/* Look for what has ended without an interrupt. Return: whether anything has. */
bool udma_events_ask(struct udma_events *events)
{
	struct udma_engine *engine = udma_events_engine(events);
	bool heard;

	if (unlikely(READ_ONCE(events->more))) {
		udma_stream_tell_more(container_of(events, struct udma_file, events));
		return true;
	}
	if (!udma_engine_is_quiet(engine))
		return false;
	local_bh_disable();
	spin_lock_irq(&engine->lock);
	heard = udma_engine_look(engine);
	spin_unlock_irq(&engine->lock);
	local_bh_enable();
	return heard;
}

/* Give an event to the program, or nothing of it. */
static bool udma_event_give(const struct udma_event *event, struct iov_iter *to)
{
	size_t copied;

	if (iter_is_ubuf(to) && udma_copy_out(to->ubuf + to->iov_offset, event,
					      sizeof(*event)) == sizeof(*event)) {
		iov_iter_advance(to, sizeof(*event));
		return true;
	}
	copied = copy_to_iter(event, sizeof(*event), to);
	if (copied < sizeof(*event))
		iov_iter_revert(to, copied);
	return copied == sizeof(*event);
}

/*
 * Give the program as many whole events as fit and can be copied. What could
 * not be copied stays in the queue.
 */
static ssize_t udma_events_copy(struct udma_events *events, struct iov_iter *to)
{
	const u32 mask = events->entries - 1;
	u32 head, count, done = 0;

	lockdep_assert_held(&events->read_lock);
	if (!udma_events_learn_head(events, &head))
		return -EINVAL;
	count = min(udma_events_count(events, head), events->entries);
	while (done < count && iov_iter_count(to) >= sizeof(*events->ring)) {
		if (!udma_event_give(&events->ring[(head + done) & mask], to)) {
			if (!done)
				return -EFAULT;
			break;
		}
		done++;
	}
	if (done) {
		/* Before our own, see udma_events_learn_head(). */
		if (events->shared)
			/* Pairs with udma_events_learn_head(): the slots were read before. */
			smp_store_release(&events->shared->complete_head, head + done);
		/* Pairs with udma_events_reserve(). */
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
	if (!ret && udma_events_ask(events))
		ret = udma_events_copy(events, to);
	mutex_unlock(&events->read_lock);
	return !ret && closed ? -ENODEV : ret;
}

/* Whether read() has anything to say. */
static bool udma_events_readable(struct udma_events *events)
{
	u32 head;

	guard(spinlock_irq)(&udma_events_engine(events)->lock);
	return udma_events_reached(events, 1, &head);
}

/*
 * Sleep until there is something to read, or for a while if nobody is going to tell: the
 * controller has to be asked.
 */
static int udma_events_nap(struct udma_events *events, u64 *nap_ns)
{
	struct udma_engine *engine = udma_events_engine(events);
	int ret;

	/* Once it is in the queue nobody leaves it without an interrupt any more. */
	if (!udma_engine_is_quiet(engine))
		return wait_event_interruptible(events->wait, udma_events_readable(events) ||
						udma_engine_is_quiet(engine));
	ret = wait_event_interruptible_hrtimeout(events->wait, udma_events_readable(events),
						 ns_to_ktime(*nap_ns));
	*nap_ns = udma_nap_longer(*nap_ns);
	return ret == -ETIME ? 0 : ret;
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
	u64 nap_ns = UDMA_NAP_NS;
	ssize_t ret;

	if (iov_iter_count(to) < sizeof(*events->ring))
		return -EINVAL;
	for (;;) {
		ret = udma_events_try_read(events, to, nowait);
		if (ret)
			return ret;
		if (nonblock || nowait)
			return -EAGAIN;
		ret = udma_events_nap(events, &nap_ns);
		if (ret)
			return ret;
	}
}

__poll_t udma_events_poll(struct udma_events *events, struct file *filp,
			  struct poll_table_struct *wait)
{
	__poll_t mask = 0;
	u32 head;

	poll_wait(filp, &events->wait, wait);
	/* Pairs with wq_has_sleeper(); poll_wait() has one itself only of late. */
	smp_mb();
	udma_events_ask(events);
	guard(spinlock_irq)(&udma_events_engine(events)->lock);
	/* A head that cannot be is told of by read(). */
	if (!udma_events_learn_head(events, &head))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (events->closed)
		mask |= EPOLLHUP | EPOLLERR;
	else if (events->reserved - head < events->entries)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (events->tail != head)
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
