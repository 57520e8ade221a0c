// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting in UDMA_ENTER until so many events are there: looking all the time for a
 * while, then sleeping.
 *
 * Who sleeps is among those of the queue, in a tree by what it waits for, so an event
 * looks at one of them only. It has looked once more under the engine's lock when it came
 * among them. So an event finds it there, or it finds the event, and the writer needs no
 * barrier.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "hot.h"
#include "udma.h"

/* Reading the clock takes about as long as so many looks at memory. */
#define UDMA_LOOKS_A_CLOCK	4

/**
 * struct udma_waiter - who waits
 * @node: among those of the queue; taken out by who wakes it
 * @task: the thread
 * @tail: it sleeps until the tail has come so far
 */
struct udma_waiter {
	struct rb_node node;
	struct task_struct *task;
	u32 tail;
};

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

/* Wake those for whom there is enough, and look at no others but one. */
void udma_wait_wake(struct udma_events *events)
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

/* Look all the time, also at the controller, and let others run who have to. */
static int udma_wait_spin(struct udma_events *events, u32 count, ktime_t until)
{
	unsigned int looks = 0;
	u32 head;
	int ret;

	for (;;) {
		udma_events_ask(events);
		ret = udma_events_reached(events, count, &head);
		if (ret || signal_pending(current))
			return ret;
		if (++looks % UDMA_LOOKS_A_CLOCK == 0 && ktime_get() >= until)
			return 0;
		cpu_relax();
		cond_resched();
	}
}

/* Say for what @waiter is to be woken, unless that has come. */
static int udma_wait_enlist(struct udma_events *events, u32 count, struct udma_waiter *waiter)
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

/* Sleep until woken, or for @nap_ns if it is not zero. False: it is @until. */
static bool udma_wait_once(ktime_t *until, u64 nap_ns)
{
	ktime_t end;

	if (!nap_ns)
		return schedule_hrtimeout_range(until, current->timer_slack_ns, HRTIMER_MODE_ABS);
	end = ktime_add_ns(ktime_get(), nap_ns);
	if (until && *until <= end)
		return schedule_hrtimeout_range(until, nap_ns / 4, HRTIMER_MODE_ABS);
	schedule_hrtimeout_range(&end, nap_ns / 4, HRTIMER_MODE_ABS);
	return true;
}

/*
 * Sleep until @count events are there. What another thread takes meanwhile has to
 * come again, so each time it is woken it looks how many there are. Nobody wakes it
 * for what does not interrupt, so then it looks from time to time.
 */
static int udma_wait_sleep(struct udma_events *events, u32 count, ktime_t *until)
{
	struct udma_waiter waiter = { .task = current };
	u64 nap_ns = UDMA_NAP_NS;
	bool expired = false;
	int ret;

	RB_CLEAR_NODE(&waiter.node);
	for (;;) {
		udma_events_ask(events);
		/* Before it is among them: who finds it there wakes it up. */
		set_current_state(TASK_INTERRUPTIBLE);
		ret = udma_wait_enlist(events, count, &waiter);
		if (ret)
			break;
		if (signal_pending(current))
			ret = until ? -EINTR : -ERESTARTSYS;
		else if (expired)
			ret = -ETIME;
		if (ret)
			break;
		if (udma_engine_is_quiet(udma_events_engine(events))) {
			expired = !udma_wait_once(until, nap_ns);
			nap_ns = udma_nap_longer(nap_ns);
		} else {
			expired = !udma_wait_once(until, 0);
		}
	}
	__set_current_state(TASK_RUNNING);
	scoped_guard(spinlock_irq, &udma_events_engine(events)->lock)
		udma_waiter_leave(events, &waiter);
	return ret;
}

static ktime_t udma_wait_later(ktime_t now, u64 ns)
{
	return ktime_add_safe(now, min_t(u64, ns, KTIME_MAX));
}

/**
 * udma_wait - wait until events are there
 * @events: the queue
 * @count: how many, at most all that there is room for
 * @timeout_ns: for how long at most; zero for as long as it takes
 * @busy_ns: for how long of that to look without sleeping
 *
 * Not inside udma_chan_enter(): unbind waits for no program.
 *
 * Return: 1, or a negative errno.
 */
int udma_wait(struct udma_events *events, unsigned int count, u64 timeout_ns, u64 busy_ns)
{
	ktime_t busy, until, now = ktime_get();
	int ret = 0;

	until = timeout_ns ? udma_wait_later(now, timeout_ns) : KTIME_MAX;
	if (busy_ns) {
		busy = udma_wait_later(now, busy_ns);
		ret = udma_wait_spin(events, count, min(busy, until));
	}
	if (!ret)
		ret = udma_wait_sleep(events, count, timeout_ns ? &until : NULL);
	return ret;
}
