// SPDX-License-Identifier: GPL-2.0
/*
 * Steps: in step mode a transfer or a period ends when a test says so, the oldest of
 * the controller first, and the test goes on when the callback has run. So tests
 * need not sleep, and what happens before what is theirs to say.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "sim.h"

/* What a test waits for comes from a worker of its client. This is ample. */
#define SIM_STEP_TIMEOUT	(10 * HZ)

#define SIM_ISSUE_NONE		U64_MAX

/**
 * struct sim_stepping - a write to the step attribute under way
 * @sim: the controller
 * @last: nothing that was issued after this count
 * @now: do not wait for more than there is, nor end what has no end
 * @bytes: how many are to be told to move yet, 0 when all of a transfer is
 * @left: jiffies left to wait
 * @told: whether one was told to end
 * @stepped: descriptors ended by steps, all channels and from the beginning
 */
struct sim_stepping {
	struct sim_dev *sim;
	u64 last;
	bool now;
	unsigned int bytes;
	long left;
	bool told;
	u64 stepped;
};

/* A step has done what it could with a descriptor, though there is no end to tell. */
void sim_step_pass(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (!desc->told)
		return;
	desc->told = false;
	chan->step = SIM_STEP_NONE;
	chan->stepped++;
	sim_chan_wake(chan);
}

/* A descriptor is taken back. A step that has told it to end looks for another. */
void sim_step_forget(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (desc->told && chan->step == SIM_STEP_TOLD)
		chan->step = SIM_STEP_NONE;
}

/* The client has taken everything back. The next ones are neither told nor late. */
void sim_step_grace(struct sim_chan *chan)
{
	struct sim_settings *set = chan->sim->set;

	lockdep_assert_held(&chan->lock);

	chan->grace = READ_ONCE(set->faults.step_grace);
}

void sim_step_spare(struct sim_chan *chan, struct sim_desc *desc)
{
	lockdep_assert_held(&chan->lock);

	if (!chan->grace || desc->period)
		return;
	chan->grace--;
	desc->loose = true;
}

/* The newest that was issued up to @issue and waits to be told. */
static struct sim_desc *sim_chan_newest(struct sim_chan *chan, u64 issue)
{
	struct sim_desc *desc;

	lockdep_assert_held(&chan->lock);

	list_for_each_entry_reverse(desc, &chan->issued, node)
		if (desc->issue <= issue && !desc->loose)
			return desc;
	return NULL;
}

/* How many bytes of a descriptor a step is for: all up to its end, or as many as can move. */
static u64 sim_step_reach(struct sim_stepping *st, struct sim_chan *chan, struct sim_desc *desc)
{
	u64 left = desc->todo - desc->moved;

	lockdep_assert_held(&chan->lock);

	if (!st->bytes)
		return sim_port_may_end(chan, desc) ? left : 0;
	return sim_port_ready(chan, desc, min_t(u64, left, st->bytes));
}

/* The one that a step would end next, or NULL when it would have to wait. */
static struct sim_desc *sim_chan_head(struct sim_stepping *st, struct sim_chan *chan, u64 issue)
{
	struct sim_desc *desc = chan->active;

	lockdep_assert_held(&chan->lock);

	if (chan->paused)
		return NULL;

	if (!desc && chan->sim->unordered)
		return sim_chan_newest(chan, issue);
	if (!desc && list_empty(&chan->hung))
		desc = list_first_entry_or_null(&chan->issued, struct sim_desc, node);
	if (!desc || desc->issue > issue || desc->loose || (st->now && desc->period))
		return NULL;
	return sim_step_reach(st, chan, desc) ? desc : NULL;
}

/* The channel whose oldest was issued before all others, and not after @issue. */
static struct sim_chan *sim_step_oldest(struct sim_stepping *st, u64 *issue)
{
	struct sim_chan *chan, *oldest = NULL;
	struct sim_dev *sim = st->sim;
	int only = READ_ONCE(sim->set->step_channel);
	struct sim_desc *desc;

	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		if (only >= 0 && chan != sim->chans + only)
			continue;
		spin_lock_irq(&chan->lock);
		desc = sim_chan_head(st, chan, *issue);
		if (desc) {
			*issue = desc->issue;
			oldest = chan;
		}
		spin_unlock_irq(&chan->lock);
	}

	return oldest;
}

static bool sim_chan_tell(struct sim_stepping *st, struct sim_chan *chan, u64 issue)
{
	struct sim_desc *desc;
	bool told = false;
	u64 reach;

	spin_lock_irq(&chan->lock);
	desc = sim_chan_head(st, chan, issue);
	if (desc && desc->issue == issue) {
		reach = sim_step_reach(st, chan, desc);
		if (st->bytes)
			st->bytes -= reach;
		desc->told = true;
		desc->until = desc->moved + reach;
		chan->step = SIM_STEP_TOLD;
		sim_chan_kick(chan);
		told = true;
	}
	spin_unlock_irq(&chan->lock);

	return told;
}

/*
 * Channels are looked at one by one, so another one may have been issued in one
 * that was passed already. But it got its count under that channel's lock: what
 * is older than the one that was found shows at a second look.
 */
static bool sim_step_tell(struct sim_stepping *st)
{
	struct sim_chan *chan;
	u64 issue;

	st->told = false;
	do {
		issue = st->last;
		if (!sim_step_oldest(st, &issue))
			return st->now;
		chan = sim_step_oldest(st, &issue);
	} while (!chan || !sim_chan_tell(st, chan, issue));	/* terminated meanwhile */

	st->told = true;
	return true;
}

/* Whether what was told to end has ended, its callback included, or dropped. */
static bool sim_step_over(struct sim_stepping *st)
{
	struct sim_dev *sim = st->sim;
	struct sim_chan *chan;
	bool over = true;

	st->stepped = 0;
	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		spin_lock_irq(&chan->lock);
		st->stepped += chan->stepped;
		if (chan->step != SIM_STEP_NONE)
			over = false;
		spin_unlock_irq(&chan->lock);
	}

	return over;
}

static bool sim_step_off(struct sim_dev *sim)
{
	return READ_ONCE(sim->gone) || !READ_ONCE(sim->set->step_mode);
}

static int sim_step_wait(struct sim_stepping *st, bool (*ready)(struct sim_stepping *))
{
	struct sim_dev *sim = st->sim;
	bool is_ready = false;
	long left;

	left = wait_event_killable_timeout(sim->wait,
					   (is_ready = ready(st)) || sim_step_off(sim),
					   st->left);
	if (left < 0)
		return left;
	if (is_ready) {
		st->left = left;
		return 0;
	}
	if (!left)
		return -ETIMEDOUT;
	return READ_ONCE(sim->gone) ? -ENODEV : -ECANCELED;
}

static int sim_step_begin(struct sim_stepping *st)
{
	struct sim_dev *sim = st->sim;
	int ret;

	if (!READ_ONCE(sim->set->step_mode))
		return -EINVAL;

	ret = mutex_lock_killable(&sim->step_lock);
	if (ret)
		return ret;

	if (st->now)
		st->last = atomic64_read(&sim->issues);

	/* A step that was given up may have left something told. */
	ret = sim_step_wait(st, sim_step_over);
	if (ret)
		mutex_unlock(&sim->step_lock);
	return ret;
}

/* Ends @count transfers or periods, or with 0 all that are issued now. */
int sim_dev_step(struct sim_dev *sim, unsigned int count)
{
	struct sim_stepping st = {
		.sim = sim,
		.last = SIM_ISSUE_NONE - 1,
		.now = !count,
		.left = SIM_STEP_TIMEOUT,
	};
	u64 before;
	int ret;

	ret = sim_step_begin(&st);
	if (ret)
		return ret;
	before = st.stepped;

	while (!ret && (!count || st.stepped - before < count)) {
		ret = sim_step_wait(&st, sim_step_tell);
		if (ret || !st.told)
			break;
		ret = sim_step_wait(&st, sim_step_over);
	}

	mutex_unlock(&sim->step_lock);
	return ret;
}

/* Moves that many bytes, and ends what ends with them. */
int sim_dev_step_bytes(struct sim_dev *sim, unsigned int bytes)
{
	struct sim_stepping st = {
		.sim = sim,
		.last = SIM_ISSUE_NONE - 1,
		.bytes = bytes,
		.left = SIM_STEP_TIMEOUT,
	};
	int ret;

	ret = sim_step_begin(&st);
	if (ret)
		return ret;

	while (!ret && st.bytes)
		ret = sim_step_wait(&st, sim_step_tell) ?: sim_step_wait(&st, sim_step_over);

	mutex_unlock(&sim->step_lock);
	return ret;
}

/*
 * Settings that the engine reads as it goes have changed: what waits for a step
 * or for its time may go on now, and who steps may have to give up.
 */
void sim_dev_changed(struct sim_dev *sim)
{
	struct sim_chan *chan;

	for (chan = sim->chans; chan < sim->chans + sim->channels; chan++) {
		spin_lock_irq(&chan->lock);
		if (!READ_ONCE(sim->set->step_mode))
			chan->grace = 0;
		chan->due = 0;
		sim_fault_keep(chan);
		if (!READ_ONCE(sim->gone))
			sim_chan_kick(chan);
		spin_unlock_irq(&chan->lock);
	}
	wake_up_all(&sim->wait);
}
