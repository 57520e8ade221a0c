/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Misbehaviour on demand: what real controllers, and their drivers, get wrong.
 * Documentation/simulator.rst says what each kind looks like to a client.
 */
#ifndef UDMA_SIM_FAULT_H
#define UDMA_SIM_FAULT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct sim_chan;
struct sim_desc;
struct sim_dev;

/**
 * enum sim_hang_cure - what ends a hang, besides unhang and the controller's end
 * @SIM_CURE_TERMINATE: a terminate
 * @SIM_CURE_RELEASE: only that the client gives the channel back
 * @SIM_CURE_NEVER: not even that
 */
enum sim_hang_cure {
	SIM_CURE_TERMINATE,
	SIM_CURE_RELEASE,
	SIM_CURE_NEVER,
};

/**
 * struct sim_faults - the misbehaviour that was asked for; part of the settings
 * @fail_at: how many transfers until one fails, 0 for none; so are all the _at
 * @short_at: until one moves half of its bytes only
 * @lose_at: until one ends without its callback
 * @late_at: until one ends and its callback is kept back
 * @hang_at: until one hangs
 * @hang_cure: enum sim_hang_cure
 * @refuse_at: how many preps until one fails
 * @submit_fail_at: how many submits until one fails
 * @refuse: every prep fails
 * @sleep_full: prep waits for a free descriptor
 * @inlined: transfers run, and are told, inside of issue_pending
 * @batch: ends are told when there are so many
 * @coalesce: those that were issued together are told together
 * @coalesce_periods: of periods only each so-and-so-many'th is told
 * @lie_residue: residue is 1: random; 2: zero
 * @granularity: enum dma_residue_granularity; fixed while live
 * @unordered: transfers may overtake each other; fixed while live
 * @after_terminate: what was taken back is told afterwards; 1: as aborted, 2: as done
 * @ghost: what was taken back goes on, and is not told
 * @sibling: a terminate takes everything of the other channels back too
 * @slow_terminate_ms: how long it takes to wait for a terminate
 * @no_terminate: there is no terminate_all; fixed while live
 * @terminate_fail: terminate_all fails and does nothing
 * @step_grace: transfers after a terminate that are neither told to end nor take time
 */
struct sim_faults {
	atomic_t fail_at;
	atomic_t short_at;
	atomic_t lose_at;
	atomic_t late_at;
	atomic_t hang_at;
	unsigned int hang_cure;
	atomic_t refuse_at;
	atomic_t submit_fail_at;
	unsigned int refuse;
	unsigned int sleep_full;
	unsigned int inlined;
	unsigned int batch;
	unsigned int coalesce;
	unsigned int coalesce_periods;
	unsigned int lie_residue;
	unsigned int granularity;
	unsigned int unordered;
	unsigned int after_terminate;
	unsigned int ghost;
	unsigned int sibling;
	unsigned int slow_terminate_ms;
	unsigned int no_terminate;
	unsigned int terminate_fail;
	unsigned int step_grace;
};

/**
 * enum sim_abort - who takes everything back
 * @SIM_ABORT_TERMINATE: the client
 * @SIM_ABORT_SIBLING: the client of another channel, without knowing
 * @SIM_ABORT_RELEASE: the client, with the whole channel
 * @SIM_ABORT_STOP: the controller, which ends
 */
enum sim_abort {
	SIM_ABORT_TERMINATE,
	SIM_ABORT_SIBLING,
	SIM_ABORT_RELEASE,
	SIM_ABORT_STOP,
};

/**
 * enum sim_fate - what becomes of a descriptor that is taken back
 * @SIM_FATE_DROP: it is, as it should be
 * @SIM_FATE_KEEP: nothing
 * @SIM_FATE_ORPHAN: it stays, but its client will not hear of it
 * @SIM_FATE_GHOST: the same, and it goes on if it was hung
 * @SIM_FATE_ABORT: it is, and its client is told that it was aborted
 * @SIM_FATE_PRETEND: it is, and its client is told that it was done
 */
enum sim_fate {
	SIM_FATE_DROP,
	SIM_FATE_KEEP,
	SIM_FATE_ORPHAN,
	SIM_FATE_GHOST,
	SIM_FATE_ABORT,
	SIM_FATE_PRETEND,
};

bool sim_fault_count(atomic_t *at);

/* Counts towards the transfer that something is to happen to. True: this is it. */
static inline bool sim_fault_now(atomic_t *at)
{
	return atomic_read(at) && sim_fault_count(at);
}

static inline bool sim_fault_refuse_prep(struct sim_faults *faults)
{
	return READ_ONCE(faults->refuse) || sim_fault_now(&faults->refuse_at);
}

static inline bool sim_fault_refuse_submit(struct sim_faults *faults)
{
	return sim_fault_now(&faults->submit_fail_at);
}

/* Whether something may happen to the next transfer that is taken up. */
static inline bool sim_faults_armed(const struct sim_faults *faults)
{
	return atomic_read(&faults->fail_at) || atomic_read(&faults->short_at) ||
	       atomic_read(&faults->lose_at) || atomic_read(&faults->late_at) ||
	       atomic_read(&faults->hang_at);
}

/* sim-fault.c */
bool sim_faults_heard(const struct sim_faults *faults);
bool sim_fault_take(struct sim_chan *chan, struct sim_desc *desc);
void sim_fault_keep(struct sim_chan *chan);
void sim_fault_release(struct sim_chan *chan);
u64 sim_fault_heard_periods(struct sim_chan *chan, struct sim_desc *desc, u64 periods);
u32 sim_fault_lie(struct sim_chan *chan, u32 residue);
u32 sim_fault_residue(struct sim_chan *chan, struct sim_desc *desc);
void sim_fault_end(struct sim_chan *chan, struct sim_desc *desc);
enum sim_fate sim_fault_fate(struct sim_chan *chan, struct sim_desc *desc,
			     enum sim_abort how);
void sim_fault_tell_aborted(struct sim_chan *chan, struct sim_desc *desc);
void sim_fault_haunt(struct sim_chan *chan, struct sim_desc *desc);
void sim_dev_unhang(struct sim_dev *sim);
void sim_dev_release_late(struct sim_dev *sim);

#endif /* UDMA_SIM_FAULT_H */
