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

/**
 * struct udma_waiter - who waits in UDMA_ENTER
 * @node: among those of the queue; taken out by who wakes it
 * @task: the thread
 * @tail: it sleeps until the tail has come so far
 */
struct udma_waiter {
	struct rb_node node;
	struct task_struct *task;
	u32 tail;
};

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

static struct udma_engine *udma_events_engine(struct udma_events *events)
{
	return &container_of(events, struct udma_file, events)->chan->engine;
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
 * Learn how far the events have been taken. Where the program says so itself, that is
 * read once, and is true only if it lies between what it was and the tail: else
 * nothing changes. Two who do this at a time may set the head back to where it was
 * a moment ago, which holds nobody up for long: who finds the queue full looks again.
 */
static bool udma_events_learn_head(struct udma_events *events, u32 *head)
{
	/* Before the program's, which is never behind it. */
	u32 known = smp_load_acquire(&events->head);
	bool full;

	*head = known;
	if (!events->shared)
		return true;
	/* Pairs with the program's release: it has read the events. And before the tail. */
	*head = smp_load_acquire(&events->shared->complete_head);
	if (*head - known > READ_ONCE(events->tail) - known)
		return false;
	if (*head == known)
		return true;
	full = READ_ONCE(events->reserved) - known >= events->entries;
	/* Pairs with the next one who learns. */
	smp_store_release(&events->head, *head);
	/* They were taken without a call: nobody has told those who wait for room. */
	if (full && wq_has_sleeper(&events->wait))
		wake_up_poll(&events->wait, EPOLLOUT | EPOLLWRNORM);
	return true;
}

/* How many events there are behind @head. */
static u32 udma_events_count(const struct udma_events *events, u32 head)
{
	/* Pairs with udma_events_post(): what they say was written before. */
	return smp_load_acquire(&events->tail) - head;
}

/* The queue seems to be full: see whether it is. */
bool udma_events_find_room(struct udma_events *events)
{
	u32 head;

	lockdep_assert_held(&udma_events_engine(events)->lock);
	return udma_events_learn_head(events, &head) && events->reserved - head < events->entries;
}

/* Whether the last event has been written. */
static bool udma_events_closed(const struct udma_events *events)
{
	/* Pairs with udma_events_close(): look at it before the queue. */
	return smp_load_acquire(&events->closed);
}

static struct udma_waiter *udma_waiter_of(struct rb_node *node)
{
	return rb_entry(node, struct udma_waiter, node);
}

static bool udma_waiter_is_before(struct rb_node *a, const struct rb_node *b)
{
	return (s32)(udma_waiter_of(a)->tail - rb_entry(b, struct udma_waiter, node)->tail) < 0;
}

/* It may be in already, or not any more. */
static void udma_waiter_leave(struct udma_events *events, struct udma_waiter *waiter)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	if (RB_EMPTY_NODE(&waiter->node))
		return;
	rb_erase_cached(&waiter->node, &events->waiters);
	RB_CLEAR_NODE(&waiter->node);
}

/* Wake those in UDMA_ENTER for whom there is enough, and look at no others but one. */
static void udma_events_wake_waiters(struct udma_events *events)
{
	struct rb_node *node;

	lockdep_assert_held(&udma_events_engine(events)->lock);
	while ((node = rb_first_cached(&events->waiters))) {
		struct udma_waiter *waiter = udma_waiter_of(node);

		if (!events->closed && (s32)(events->tail - waiter->tail) < 0)
			break;
		udma_waiter_leave(events, waiter);
		/* It does not leave without the lock. */
		wake_up_process(waiter->task);
	}
}

/* Tell everyone who waits of something new. */
void udma_events_wake(struct udma_events *events, __poll_t what)
{
	lockdep_assert_held(&udma_events_engine(events)->lock);
	udma_events_wake_waiters(events);
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

/**
 * udma_events_look - learn what the program has taken, at its call
 * @events: the queue
 *
 * Return: zero, or -EINVAL when it says what cannot be.
 */
int udma_events_look(struct udma_events *events)
{
	u32 head;

	return udma_events_learn_head(events, &head) ? 0 : -EINVAL;
}

/* Whether @count events are there: 1, or not yet, or a negative errno. */
static int udma_events_reached(struct udma_events *events, u32 count, u32 *head)
{
	bool closed = udma_events_closed(events);

	if (!udma_events_learn_head(events, head))
		return -EINVAL;
	if (udma_events_count(events, *head) >= count)
		return 1;
	return closed ? -ENODEV : 0;
}

/* Look all the time, and let others run who have to. */
static int udma_events_spin(struct udma_events *events, u32 count, ktime_t until)
{
	u32 head;
	int ret;

	do {
		cpu_relax();
		cond_resched();
		ret = udma_events_reached(events, count, &head);
	} while (!ret && !signal_pending(current) && ktime_get() < until);
	return ret;
}

/* Say for what @waiter is to be woken, unless that has come. */
static int udma_events_enlist(struct udma_events *events, u32 count, struct udma_waiter *waiter)
{
	u32 head;
	int ret;

	guard(spinlock_irq)(&udma_events_engine(events)->lock);
	ret = udma_events_reached(events, count, &head);
	if (ret)
		return ret;
	udma_waiter_leave(events, waiter);
	waiter->tail = head + count;
	rb_add_cached(&waiter->node, &events->waiters, udma_waiter_is_before);
	return 0;
}

/*
 * Sleep until @count events are there. What another thread takes meanwhile has to
 * come again, so each time it is woken it looks how many there are.
 */
static int udma_events_sleep(struct udma_events *events, u32 count, ktime_t *until)
{
	struct udma_waiter waiter = { .task = current };
	bool expired = false;
	int ret;

	RB_CLEAR_NODE(&waiter.node);
	for (;;) {
		/* Before it is among them: who finds it there wakes it up. */
		set_current_state(TASK_INTERRUPTIBLE);
		ret = udma_events_enlist(events, count, &waiter);
		if (ret)
			break;
		if (signal_pending(current))
			ret = until ? -EINTR : -ERESTARTSYS;
		else if (expired)
			ret = -ETIME;
		if (ret)
			break;
		expired = !schedule_hrtimeout_range(until, current->timer_slack_ns,
						    HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
	scoped_guard(spinlock_irq, &udma_events_engine(events)->lock)
		udma_waiter_leave(events, &waiter);
	return ret;
}

static ktime_t udma_events_later(ktime_t now, u64 ns)
{
	return ktime_add_safe(now, min_t(u64, ns, KTIME_MAX));
}

/**
 * udma_events_wait - wait until events are there
 * @events: the queue
 * @count: how many, at most all that there is room for
 * @timeout_ns: for how long at most; zero for as long as it takes
 * @busy_ns: for how long of that to look without sleeping
 *
 * Not inside udma_chan_enter().
 *
 * Return: zero or a negative errno.
 */
int udma_events_wait(struct udma_events *events, unsigned int count, u64 timeout_ns, u64 busy_ns)
{
	ktime_t now, until, busy;
	u32 head;
	int ret;

	ret = udma_events_reached(events, count, &head);
	if (ret)
		return min(ret, 0);
	now = ktime_get();
	until = timeout_ns ? udma_events_later(now, timeout_ns) : KTIME_MAX;
	if (busy_ns) {
		busy = udma_events_later(now, busy_ns);
		ret = udma_events_spin(events, count, min(busy, until));
	}
	if (!ret)
		ret = udma_events_sleep(events, count, timeout_ns ? &until : NULL);
	return min(ret, 0);
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
		ret = wait_event_interruptible(events->wait, udma_events_readable(events));
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
