/* SPDX-License-Identifier: GPL-2.0 */
/*
 * udma-sim, a DMA controller in software: its objects and its locks.
 *
 * What was asked for is kept apart from what runs. A configfs directory is a
 * struct sim_config, which owns a struct sim_settings. While it is live it has
 * a platform device, and the driver's probe makes a struct sim_dev of that: a
 * dma_device with its channels. A sim_dev can outlive its directory and its
 * platform device, because clients may still hold channels. It holds the
 * settings for as long, so the engine reads them without asking anybody.
 *
 * Locks, outermost first:
 *
 *   sim_config.lock      going live and back, settings fixed while live. Device
 *                        locks and the dmaengine core's mutex are taken inside.
 *   sim_dev.step_lock    one step at a time. Never taken with sim_config.lock,
 *                        so a controller can be stepped while it is taken away.
 *   sim_settings.lock    the way from the settings to the running device.
 *   sim_chan.lock        all that changes in a channel. Taken in interrupts.
 *                        Inside it only those of FIFOs, wait queues and timers.
 *
 * No lock is held over a client's callback, nor while data moves from memory to
 * memory. A device's data moves in small pieces with sim_chan.lock held.
 */
#ifndef UDMA_SIM_H
#define UDMA_SIM_H

#include <linux/atomic.h>
#include <linux/configfs.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "sim-desc.h"
#include "sim-fault.h"
#include "sim-port.h"

#define SIM_NAME	"udma-sim"

#define SIM_CHANNELS_MAX	32
#define SIM_DEPTH_MAX		65536
#define SIM_CONSUMER_MAX	31
#define SIM_ALIGN_MAX		256	/* the largest that dmaengine can tell */

struct iommu_domain;
struct platform_device;
struct sim_dev;

/**
 * struct sim_config - a directory of configfs
 * @group: for configfs
 * @id: the N of udma-sim.N, for as long as the directory is there
 * @set: what was asked for
 * @lock: protects @pdev, and the settings that are fixed while live
 * @pdev: there while live
 */
struct sim_config {
	struct config_group group;
	int id;
	struct sim_settings *set;
	struct mutex lock;		/* going live and back */
	struct platform_device *pdev;
};

/**
 * struct sim_settings - what was asked for
 * @ref: held by the configuration and by the device made of it
 * @lock: protects @sim
 * @sim: the device that runs with these settings, NULL when none does
 * @channels: number of channels; this and those up to @port are fixed while live
 * @max_segment: longest transfer, in bytes
 * @align: what addresses and lengths are multiples of, a power of two
 * @depth: descriptors in each channel
 * @kind: enum sim_kind
 * @fill: whether DMA_MEMSET is offered
 * @interleave: whether DMA_INTERLEAVE is
 * @cyclic: whether DMA_CYCLIC is, for devices
 * @pause: whether channels of devices can be paused
 * @consumer: the name of a device that finds the channels by names of their own
 * @need_config: a channel of a device is of no use until it has been configured
 * @max_pieces: the most entries of a list that it takes, 0 for any number
 * @port: what there is at the other end of device channels
 * @latency_ns: from the start of a transfer to its first byte
 * @bandwidth: bytes a second, 0 for no limit
 * @instant: transfers end at once and move nothing
 * @step_mode: nothing ends until told
 * @step_channel: the only channel that steps are for, or -1
 * @faults: misbehaviour
 *
 * What may change while live is written with WRITE_ONCE() and read with
 * READ_ONCE(). Longs, because those are written in one piece everywhere.
 */
struct sim_settings {
	struct kref ref;
	spinlock_t lock;		/* the way to the device */
	struct sim_dev *sim;

	unsigned int channels;
	unsigned int max_segment;
	unsigned int align;
	unsigned int depth;
	unsigned int kind;
	unsigned int fill;
	unsigned int interleave;
	unsigned int cyclic;
	unsigned int pause;
	unsigned int need_config;
	unsigned int max_pieces;
	char consumer[SIM_CONSUMER_MAX + 1];
	struct sim_port_settings port;

	unsigned long latency_ns;
	unsigned long bandwidth;
	unsigned int instant;
	unsigned int step_mode;
	int step_channel;
	struct sim_faults faults;
};

/**
 * enum sim_chan_step - how far a step has come in a channel
 * @SIM_STEP_NONE: none is under way
 * @SIM_STEP_TOLD: a descriptor has been told to end
 * @SIM_STEP_CALLING: its callback is being run
 */
enum sim_chan_step {
	SIM_STEP_NONE,
	SIM_STEP_TOLD,
	SIM_STEP_CALLING,
};

/**
 * struct sim_chan - one channel
 * @chan: what dmaengine sees
 * @sim: the controller
 * @lock: protects everything below, and the descriptors
 * @pool: the descriptors; there while a client has the channel, or something
 *	in it has outlived the client
 * @depth: how many
 * @known: the descriptor that had a cookie last, by the cookie's low bits
 * @known_mask: those bits
 * @free: to be used, the one that has rested longest first
 * @submitted: have a cookie
 * @issued: to be run, in order
 * @hung: were taken up and do not go on; what was issued waits for them
 * @active: being run, NULL when none is
 * @due: before that it need not be looked at, 0 when that is not known
 * @done: ended and not yet told, in order
 * @keeps: what ends is not told at once, or some that has ended is not
 * @gathered: ended, and not told until what was issued with them has
 * @withheld: ended, and not told until there are enough of them
 * @nr_withheld: how many that are
 * @late: ended, and not told until asked for
 * @port: what is at the other end
 * @config: what the client has told of it
 * @configured: whether it has
 * @paused: nothing moves until that is over
 * @paused_at: since when
 * @running: somebody is in sim_chan_run() and will look again before leaving
 * @moving: data of the active descriptor moves, and the lock is not held
 * @dropping: data of a terminated descriptor still moves
 * @raising: the interrupt is pending or being handled
 * @calling: a callback is being run
 * @fresh: nothing was issued since the client took everything back
 * @step: how far a step has come
 * @stepped: descriptors that steps have ended
 * @grace: how many that are issued need neither be told nor take their time
 * @pending: issued and not ended
 * @ended: callbacks run, or not wanted
 * @terminates: how often the client has called terminate_all
 * @endless: what is active takes no time and has no end
 * @work: runs the channel
 * @endless_work: does so while @endless
 * @timer: queues @work when the active descriptor's next bytes are due
 * @irq: the interrupt
 * @rest: raises it after a while, when there are periods left to tell
 */
struct sim_chan {
	struct dma_chan chan;
	struct sim_dev *sim;

	spinlock_t lock;		/* all that follows */
	struct sim_desc *pool;
	unsigned int depth;
	struct sim_desc **known;
	unsigned int known_mask;

	struct list_head free;
	struct list_head submitted;
	struct list_head issued;
	struct list_head hung;
	struct sim_desc *active;
	ktime_t due;
	struct list_head done;
	bool keeps;
	struct list_head gathered;
	struct list_head withheld;
	unsigned int nr_withheld;
	struct list_head late;

	struct sim_port port;
	struct dma_slave_config config;
	bool configured;
	bool paused;
	ktime_t paused_at;

	bool running;
	bool moving;
	bool dropping;
	bool raising;
	bool calling;
	bool fresh;

	enum sim_chan_step step;
	u64 stepped;
	unsigned int grace;
	u64 pending;
	u64 ended;
	u64 terminates;

	bool endless;
	struct work_struct work;
	struct work_struct endless_work;
	struct hrtimer timer;
	struct irq_work irq;
	struct hrtimer rest;
};

/**
 * struct sim_dev - a controller
 * @dma: what dmaengine sees
 * @ref: held by @dma until its last client has gone, and by attributes in use
 * @set: what was asked for
 * @domain: translates DMA addresses, NULL where they are physical but for an
 *	offset
 * @release: drops what @dma held of @ref
 * @unordered: transfers of a channel may overtake each other
 * @gone: the platform device is being unbound: nothing starts any more
 * @issues: counts calls of issue_pending, the order that steps go by
 * @wait: woken when something was issued, has ended or was dropped
 * @step_lock: one step at a time
 * @channels: how many
 * @chans: the channels
 */
struct sim_dev {
	struct dma_device dma;
	struct kref ref;
	struct sim_settings *set;
	struct iommu_domain *domain;
	struct work_struct release;
	bool unordered;
	bool gone;

	atomic64_t issues;
	wait_queue_head_t wait;
	struct mutex step_lock;		/* one at a time */

	unsigned int channels;
	struct sim_chan chans[];
};

/**
 * struct sim_platform_data - goes with the platform device
 * @set: what to make
 * @result: what probe returned: the device core keeps that to itself
 */
struct sim_platform_data {
	struct sim_settings *set;
	int result;
};

/**
 * struct sim_counts - what goes on, all channels together
 * @pending: see &struct sim_chan
 * @ended: likewise
 * @terminates: likewise
 * @sink_bytes: bytes that sinks have taken
 * @sink_errors: words of them that were wrong
 */
struct sim_counts {
	u64 pending;
	u64 ended;
	u64 terminates;
	u64 sink_bytes;
	u64 sink_errors;
};

static inline struct sim_config *to_sim_config(struct config_item *item)
{
	return container_of(to_config_group(item), struct sim_config, group);
}

static inline struct sim_dev *to_sim_dev(struct dma_device *dma)
{
	return container_of(dma, struct sim_dev, dma);
}

static inline struct sim_chan *to_sim_chan(struct dma_chan *chan)
{
	return container_of(chan, struct sim_chan, chan);
}

/* Who changes that takes the lock of each channel afterwards, and looks again. */
static inline bool sim_chan_instant(const struct sim_chan *chan)
{
	const struct sim_settings *set = chan->sim->set;

	lockdep_assert_held(&chan->lock);

	return READ_ONCE(set->instant) && !READ_ONCE(set->step_mode);
}

static inline void sim_chan_wake(struct sim_chan *chan)
{
	lockdep_assert_held(&chan->lock);

	/*
	 * No barrier: whoever waits looks for what it waits for under this same
	 * lock, after it has queued itself. So none is missed, and nobody who
	 * waits costs nothing.
	 */
	if (waitqueue_active(&chan->sim->wait))
		wake_up_all(&chan->sim->wait);
}

/* Whether time counts for it. Steps overrule the clock. */
static inline bool sim_desc_timed(const struct sim_chan *chan, const struct sim_desc *desc)
{
	const struct sim_settings *set = chan->sim->set;

	return (READ_ONCE(set->latency_ns) || READ_ONCE(set->bandwidth)) &&
	       !desc->told && !desc->loose;
}

/* Whether its end is told later than it ends, if at all. */
static inline bool sim_desc_waits(const struct sim_chan *chan, const struct sim_desc *desc)
{
	return desc->late || chan->keeps;
}

/* sim-main.c */
extern struct workqueue_struct *sim_workqueue;
extern struct workqueue_struct *sim_endless_workqueue;
struct sim_dev *sim_dev_get(struct sim_settings *set);
void sim_dev_put(struct sim_dev *sim);
void sim_dev_count(struct sim_dev *sim, struct sim_counts *counts);

/* sim-chan.c */
void sim_chan_init(struct sim_chan *chan, struct sim_dev *sim);
void sim_chan_set_ops(struct dma_device *dma, const struct sim_settings *set);

static inline bool sim_len_valid(struct dma_chan *chan, size_t len)
{
	return len && len <= dma_get_max_seg_size(chan->device->dev);
}

static inline bool sim_prep_refused(struct dma_chan *chan)
{
	return sim_fault_refuse_prep(&to_sim_chan(chan)->sim->set->faults);
}

/* sim-memory.c */
void sim_memory_set_ops(struct dma_device *dma, const struct sim_settings *set);

/* sim-slave.c */
void sim_slave_set_ops(struct dma_device *dma, const struct sim_settings *set);
ssize_t sim_dev_show_config(struct sim_dev *sim, char *page);
void sim_chan_resume(struct sim_chan *chan);

/* sim-consumer.c */
int sim_dev_map_consumer(struct sim_dev *sim);

/* sim-cyclic.c */
void sim_desc_ring(struct sim_chan *chan, struct sim_desc *desc);
void sim_desc_hold(struct sim_chan *chan, struct sim_desc *desc, u64 periods);
bool sim_cyclic_ended(struct sim_chan *chan, struct sim_desc *desc);
void sim_desc_tell_period(struct sim_chan *chan, struct sim_desc *desc);

/* sim-port.c */
void sim_port_init(struct sim_chan *chan);
size_t sim_port_piece(struct sim_chan *chan, struct sim_desc *desc, size_t len);
size_t sim_port_move(struct sim_chan *chan, struct sim_desc *desc, size_t len);
size_t sim_port_ready(struct sim_chan *chan, struct sim_desc *desc, size_t len);
bool sim_port_may_end(struct sim_chan *chan, struct sim_desc *desc);
void sim_port_nudge(struct sim_chan *chan);

/* sim-abort.c */
void sim_chan_abort(struct sim_chan *chan, enum sim_abort how);
void sim_chan_sync(struct sim_chan *chan);
void sim_chan_stop(struct sim_chan *chan);
void sim_desc_dropped(struct sim_chan *chan, struct sim_desc *desc);
int sim_terminate_all(struct dma_chan *dma_chan);
void sim_synchronize(struct dma_chan *dma_chan);

/* sim-engine.c */
void sim_engine_init(struct sim_chan *chan);
void sim_engine_stop(struct sim_chan *chan);
struct sim_desc *sim_chan_next(struct sim_chan *chan);
void sim_desc_reached(struct sim_chan *chan, struct sim_desc *desc);
void sim_chan_kick(struct sim_chan *chan);
void sim_chan_run_inline(struct sim_chan *chan);

/* sim-tell.c */
void sim_tell_init(struct sim_chan *chan);
bool sim_chan_claim(struct sim_chan *chan);
void sim_chan_raise(struct sim_chan *chan);
void sim_chan_deliver(struct sim_chan *chan);
bool sim_rest_on(struct hrtimer *timer, ktime_t now);
void sim_chan_rest(struct sim_chan *chan, ktime_t began);
void sim_chan_rouse(struct sim_chan *chan);

/* sim-time.c */
u64 sim_chan_duration(struct sim_chan *chan, u64 bytes);
void sim_desc_begin(struct sim_chan *chan, struct sim_desc *desc, ktime_t now);
ktime_t sim_desc_due(struct sim_chan *chan, struct sim_desc *desc, u64 end);
u64 sim_desc_flow(struct sim_chan *chan, struct sim_desc *desc, ktime_t now);
void sim_desc_stall(struct sim_chan *chan, struct sim_desc *desc, bool stalled);
bool sim_desc_early(struct sim_chan *chan, struct sim_desc *desc, size_t len);

/* sim-instant.c */
bool sim_cyclic_instant(const struct sim_chan *chan, const struct sim_desc *desc);
void sim_instant_run(struct sim_chan *chan);
bool sim_instant_look(struct sim_chan *chan);
bool sim_instant_timer(struct sim_chan *chan);

/* Whether a descriptor, or its periods, cannot end without a worker. */
static inline bool sim_desc_works(const struct sim_chan *chan, const struct sim_desc *desc)
{
	return desc->real || (desc->period && !sim_cyclic_instant(chan, desc));
}

/* Of what takes its time, some may have ended that nobody has seen yet. */
static inline void sim_chan_catch_up(struct sim_chan *chan)
{
	if (chan->active && (!chan->due || !ktime_before(ktime_get(), chan->due)))
		sim_instant_look(chan);
}

/* sim-move.c */
size_t sim_move_port(struct sim_chan *chan, struct sim_desc *desc, size_t len);
size_t sim_move_copy(struct sim_dev *sim, struct sim_desc *desc, size_t len);
size_t sim_move_fill(struct sim_dev *sim, struct sim_desc *desc, size_t len);
size_t sim_move_interleaved(struct sim_dev *sim, struct sim_desc *desc, size_t len);

/* sim-step.c */
int sim_dev_step(struct sim_dev *sim, unsigned int count);
int sim_dev_step_bytes(struct sim_dev *sim, unsigned int bytes);
void sim_dev_changed(struct sim_dev *sim);
void sim_step_pass(struct sim_chan *chan, struct sim_desc *desc);
void sim_step_forget(struct sim_chan *chan, struct sim_desc *desc);
void sim_step_grace(struct sim_chan *chan);
void sim_step_spare(struct sim_chan *chan, struct sim_desc *desc);

/* sim-attr.c */
struct configfs_attribute **sim_attrs_create(void);

/* sim-configfs.c */
struct sim_settings *sim_settings_get(struct sim_settings *set);
void sim_settings_put(struct sim_settings *set);
int sim_config_set_live(struct sim_config *cfg, bool live);
int sim_configfs_register(void);
void sim_configfs_unregister(void);

#endif /* UDMA_SIM_H */
