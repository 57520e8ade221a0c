// SPDX-License-Identifier: GPL-2.0
/*
 * When bytes are due: the latency after a transfer was taken up, and then at
 * the bandwidth. All is counted from there, so being late does not add up.
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

#include "sim.h"

/* How long bytes take at a rate, 0 for no time. For ever is long enough. */
static u64 sim_flow_ns(unsigned long rate, u64 bytes)
{
	u64 seconds, rest;

	if (!rate)
		return 0;
	seconds = div64_u64_rem(bytes, rate, &rest);
	if (seconds >= KTIME_SEC_MAX)
		return KTIME_MAX;
	return seconds * NSEC_PER_SEC + mul_u64_u64_div_u64(rest, NSEC_PER_SEC, rate);
}

/* How long that many bytes take, from when they are taken up. */
u64 sim_chan_duration(struct sim_chan *chan, u64 bytes)
{
	struct sim_settings *set = chan->sim->set;
	u64 flow = sim_flow_ns(READ_ONCE(set->bandwidth), bytes);

	return min_t(u64, flow + READ_ONCE(set->latency_ns), KTIME_MAX);
}

/* The engine takes a descriptor up. */
void sim_desc_begin(struct sim_chan *chan, struct sim_desc *desc, ktime_t now)
{
	lockdep_assert_held(&chan->lock);

	desc->start = now;
	desc->base = desc->moved;
	desc->rate = READ_ONCE(chan->sim->set->bandwidth);
}

/* What has moved so far was due at @when, and what follows is counted from there. */
static void sim_desc_rebase(struct sim_chan *chan, struct sim_desc *desc, ktime_t when)
{
	sim_desc_begin(chan, desc, ktime_sub_ns(when, READ_ONCE(chan->sim->set->latency_ns)));
}

/* What moved before the bandwidth was changed is not counted with the new one. */
static void sim_desc_change_rate(struct sim_chan *chan, struct sim_desc *desc)
{
	ktime_t when = ktime_get();

	if (desc->rate)
		when = ktime_add_safe(desc->start,
				      sim_flow_ns(desc->rate, desc->moved - desc->base) +
				      READ_ONCE(chan->sim->set->latency_ns));
	sim_desc_rebase(chan, desc, when);
}

/* When a descriptor that was taken up is to have moved the bytes before @end. */
ktime_t sim_desc_due(struct sim_chan *chan, struct sim_desc *desc, u64 end)
{
	lockdep_assert_held(&chan->lock);

	if (desc->moved > desc->base && desc->rate != READ_ONCE(chan->sim->set->bandwidth))
		sim_desc_change_rate(chan, desc);
	return ktime_add_safe(desc->start, sim_chan_duration(chan, end - desc->base));
}

/*
 * Whether a descriptor has to wait for something but its time. That does not count
 * for the bandwidth, and when it has waited long enough the latency does not either.
 */
void sim_desc_stall(struct sim_chan *chan, struct sim_desc *desc, bool stalled)
{
	ktime_t now;

	lockdep_assert_held(&chan->lock);

	if ((!stalled && !desc->stalled) || !sim_desc_timed(chan, desc))
		return;
	desc->stalled = stalled;
	now = ktime_get();
	if (!desc->start)
		sim_desc_begin(chan, desc, now);
	else if (!stalled && ktime_after(now, sim_desc_due(chan, desc, desc->moved)))
		sim_desc_rebase(chan, desc, now);
}

/* How much an endless descriptor is to have moved by now, 0 when that is too much to say. */
u64 sim_desc_flow(struct sim_chan *chan, struct sim_desc *desc, ktime_t now)
{
	struct sim_settings *set = chan->sim->set;
	u64 rate = READ_ONCE(set->bandwidth);
	ktime_t first = ktime_add_ns(desc->start, READ_ONCE(set->latency_ns));
	u64 ns, most;

	lockdep_assert_held(&chan->lock);

	if (!ktime_after(now, first))
		return 0;
	ns = ktime_to_ns(ktime_sub(now, first));
	if (check_mul_overflow(div_u64(ns, NSEC_PER_SEC) + 1, rate, &most))
		return 0;
	return desc->base + mul_u64_u64_div_u64(ns, rate, NSEC_PER_SEC);
}

/* Whether it is too early for the next @len bytes. If so the timer is set. */
bool sim_desc_early(struct sim_chan *chan, struct sim_desc *desc, size_t len)
{
	ktime_t now, due;

	lockdep_assert_held(&chan->lock);

	if (!sim_desc_timed(chan, desc))
		return false;

	now = ktime_get();
	if (!desc->start)
		sim_desc_begin(chan, desc, now);
	due = sim_desc_due(chan, desc, desc->moved + len);
	if (!ktime_after(due, now))
		return false;

	hrtimer_start(&chan->timer, due, HRTIMER_MODE_ABS);
	return true;
}
