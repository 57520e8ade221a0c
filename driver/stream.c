// SPDX-License-Identifier: GPL-2.0
/*
 * Streams: how they begin, what the program says meanwhile, what it is told, and how they
 * end.
 */
#include <linux/bottom_half.h>
#include <linux/gfp.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "hot.h"
#include "stream.h"
#include "udma.h"

/* Of the mmap offsets of index 0 the upper half; the queues are in the lower one. */
#define UDMA_STREAM_MMAP_OFFSET	SZ_2G

/* What can be said of a stream without its buffer. */
static int udma_stream_check(const struct udma_info *info, const struct udma_stream_start *cmd)
{
	u64 all = cmd->offset | cmd->period_bytes;
	u32 periods;

	if (cmd->type > UDMA_STREAM_PACKETS || cmd->__reserved)
		return -EINVAL;
	if (cmd->period_bytes < info->out_min_period_bytes || cmd->bytes > UDMA_STREAM_BYTES ||
	    cmd->bytes < 2 * cmd->period_bytes || cmd->period_bytes > cmd->bytes)
		return -EINVAL;
	if ((u32)cmd->bytes % (u32)cmd->period_bytes || all & (info->out_copy_align - 1))
		return -EINVAL;
	if (info->out_width && (u32)cmd->period_bytes % info->out_width)
		return -EINVAL;
	periods = (u32)cmd->bytes / (u32)cmd->period_bytes;
	if (periods > info->out_max_periods)
		return -EINVAL;
	return !cmd->event_periods || cmd->event_periods > periods ? -EINVAL : 0;
}

/* Whether what belongs to one kind of stream was said of it only. */
static int udma_stream_check_kind(const struct udma_info *info,
				  const struct udma_stream_start *cmd)
{
	bool plays = info->out_direction == UDMA_DIRECTION_MEM_TO_DEV;

	if (cmd->type == UDMA_STREAM_PACKETS && (cmd->event_periods != 1 || cmd->idle_ns))
		return -EINVAL;
	if (plays && (cmd->filled_bytes < cmd->period_bytes || cmd->filled_bytes > cmd->bytes))
		return -EINVAL;
	return !plays && cmd->filled_bytes ? -EINVAL : 0;
}

/* Whether the channel can do it. */
static int udma_stream_check_channel(struct udma_chan *chan, const struct udma_stream_start *cmd)
{
	const struct udma_parts *parts = &chan->engine.parts;
	u64 capability = cmd->type == UDMA_STREAM_CYCLIC ? UDMA_CAP_CYCLIC : UDMA_CAP_DEV_TO_MEM;

	if (!(chan->info.out_capabilities & capability) || !chan->engine.can_stop)
		return -EOPNOTSUPP;
	/* It is to be told how far a period has come. */
	if (cmd->idle_ns && !udma_engine_tells_bytes(&chan->engine))
		return -EOPNOTSUPP;
	/* A packet is one descriptor, and a period is one piece. */
	return cmd->period_bytes > udma_prep_most(parts, cmd->type) ? -EINVAL : 0;
}

/**
 * udma_stream_plan - see whether a stream could be, and say where it is to be mapped
 * @file: whose
 * @cmd: what the program wants; the answer is written to it
 *
 * Return: zero or a negative errno.
 */
int udma_stream_plan(struct udma_file *file, struct udma_stream_start *cmd)
{
	struct udma_chan *chan = file->chan;
	int ret;

	ret = udma_stream_check(&chan->info, cmd);
	if (!ret)
		ret = udma_stream_check_channel(chan, cmd);
	if (!ret)
		ret = udma_stream_check_kind(&chan->info, cmd);
	if (ret)
		return ret;
	lockdep_assert_held(&file->submit_lock);
	cmd->out_sequence = file->sequence;
	cmd->out_mmap_offset = UDMA_STREAM_MMAP_OFFSET;
	cmd->out_map_bytes = PAGE_SIZE;
	cmd->out_first_count = UDMA_STREAM_FIRST_COUNT;
	return 0;
}

/* The first stream of a file makes what all have. */
static int udma_stream_make(struct udma_file *file)
{
	struct udma_stream *stream;

	lockdep_assert_held(&file->submit_lock);
	if (file->stream)
		return 0;
	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return -ENOMEM;
	stream->shared = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!stream->shared) {
		kfree(stream);
		return -ENOMEM;
	}
	stream->file = file;
	/* Pairs with udma_stream_page(). */
	smp_store_release(&file->stream, stream);
	return 0;
}

void udma_stream_destroy(struct udma_file *file)
{
	if (!file->stream)
		return;
	free_page((unsigned long)file->stream->shared);
	kfree(file->stream);
}

/* The page that is mapped, if @pgoff is its place, and there is one. */
struct page *udma_stream_page(struct udma_file *file, unsigned long pgoff)
{
	/* Pairs with udma_stream_make(). */
	struct udma_stream *stream = smp_load_acquire(&file->stream);

	if (!stream || pgoff != UDMA_STREAM_MMAP_OFFSET >> PAGE_SHIFT)
		return NULL;
	return virt_to_page(stream->shared);
}

void udma_stream_set_state(struct udma_stream *stream, u32 bits, bool set)
{
	struct udma_stream_shared *shared = stream->shared;

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	if (set)
		stream->state |= bits;
	else
		stream->state &= ~bits;
	WRITE_ONCE(shared->state, stream->state);
}

/* Everything as it is when a stream begins. */
static void udma_stream_reset(struct udma_stream *stream, const struct udma_stream_start *cmd)
{
	struct udma_stream_shared *shared = stream->shared;
	const struct udma_stream clean = {
		.file = stream->file,
		.shared = shared,
		.reads = stream->file->chan->engine.direction == UDMA_DIRECTION_DEV_TO_MEM,
		.stops = cmd->flags & UDMA_STREAM_F_STOP,
		.bytes = cmd->bytes,
		.period_bytes = cmd->period_bytes,
		.event_periods = cmd->event_periods,
		.idle_ns = cmd->idle_ns ? max_t(u64, cmd->idle_ns, UDMA_STREAM_IDLE_NS) : 0,
		.app = cmd->filled_bytes,
		.due_periods = cmd->event_periods,
		.unsure = cmd->type == UDMA_STREAM_CYCLIC &&
			  !stream->file->chan->engine.calls_each,
	};

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	*stream = clean;
	WRITE_ONCE(shared->lost, 0);
	WRITE_ONCE(shared->lost_high, 0);
	WRITE_ONCE(shared->overruns, 0);
	WRITE_ONCE(shared->app_position, UDMA_STREAM_FIRST_COUNT + (u32)stream->app);
	udma_position_publish(stream, 0);
	udma_stream_set_state(stream, UDMA_STREAM_S_RUNNING, true);
}

/* Make the transfer that the stream is to the engine. */
static void udma_stream_set_xfer(struct udma_stream *stream, struct udma_xfer *xfer,
				 const struct udma_stream_start *cmd, struct udma_buffer *buffer)
{
	const struct udma_request request = {
		.user_data = cmd->user_data,
		.timeout_ns = UDMA_TIMEOUT_NEVER,
	};

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	xfer->dst = stream->reads ? buffer : NULL;
	xfer->src = stream->reads ? NULL : buffer;
	xfer->dst_addr = buffer->dma + cmd->offset;
	xfer->src_addr = xfer->dst_addr;
	/* Packets have no end. */
	xfer->bytes = cmd->type == UDMA_STREAM_CYCLIC ? cmd->bytes : U64_MAX;
	xfer->op = cmd->type == UDMA_STREAM_CYCLIC ? UDMA_OP_CYCLIC : UDMA_OP_PACKETS;
	xfer->trouble = 0;
	xfer->list = NULL;
	udma_xfer_set(xfer, &request);
	udma_buffer_get(buffer);
	stream->xfer = xfer;
}

/* Whether @file may have a stream now. */
static int udma_stream_may_start(struct udma_engine *engine, struct udma_file *file)
{
	int ret = udma_xfer_may_submit(engine, file);

	/* It has the channel for itself, also from transfers of its own file. */
	return ret ?: file->events.reserved != file->events.tail ? -EBUSY : 0;
}

static int udma_stream_launch(struct udma_file *file, const struct udma_stream_start *cmd)
{
	struct udma_engine *engine = &file->chan->engine;
	struct udma_stream *stream = file->stream;
	struct udma_buffer *buffer;
	struct udma_xfer *xfer;
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = udma_stream_may_start(engine, file);
	if (ret)
		return ret;
	buffer = udma_buffer_find(file, cmd->handle);
	if (!buffer)
		return -ENOENT;
	if (!udma_buffer_has(buffer, cmd->offset, cmd->bytes))
		return -ERANGE;
	xfer = udma_xfer_get(file);
	if (!xfer)
		return -EAGAIN;
	/* Of packets there has to be room for the first one, too. */
	if (cmd->type == UDMA_STREAM_PACKETS && !udma_events_reserve(&file->events)) {
		udma_xfer_unget(xfer);
		return -EAGAIN;
	}
	udma_stream_reset(stream, cmd);
	stream->promised = cmd->type == UDMA_STREAM_PACKETS;
	udma_stream_set_xfer(stream, xfer, cmd, buffer);
	udma_xfer_claim(engine, file);
	engine->stream = stream;
	engine->resting = false;
	if (stream->idle_ns)
		udma_cyclic_begin(stream);
	udma_xfer_queue(engine, xfer);
	udma_engine_dispatch(engine);
	return 0;
}

/**
 * udma_stream_start - begin a stream
 * @file: whose; its submit_lock is held
 * @cmd: what udma_stream_plan() has found to be right
 *
 * Not inside udma_chan_enter(), as submitting is not.
 *
 * Return: zero or a negative errno.
 */
int udma_stream_start(struct udma_file *file, const struct udma_stream_start *cmd)
{
	int ret;

	lockdep_assert_held(&file->submit_lock);
	ret = udma_stream_make(file);
	if (ret)
		return ret;
	local_bh_disable();
	scoped_guard(spinlock_irq, &file->chan->engine.lock)
		ret = udma_stream_launch(file, cmd);
	local_bh_enable();
	return ret;
}

/* Write an event, for which there is a place. */
void udma_stream_post(struct udma_stream *stream, const struct udma_told *told)
{
	struct udma_engine *engine = udma_stream_engine(stream);
	struct udma_events *events = &stream->file->events;
	struct udma_event *event = udma_events_slot(events);
	u64 lost = stream->lost - stream->told_lost;

	lockdep_assert_held(&engine->lock);
	event->user_data = stream->xfer->user_data;
	event->sequence = stream->xfer->sequence;
	event->bytes = told->bytes;
	event->status = told->status;
	event->flags = told->flags | (lost || stream->starved ? UDMA_EVENT_F_OVERRUN : 0);
	event->type = told->type;
	event->count = told->count;
	event->position = stream->hw;
	event->lost = lost;
	stream->told_hw = stream->hw;
	stream->told_periods = stream->periods;
	stream->due_periods = (div_u64(stream->periods, stream->event_periods) + 1) *
			      stream->event_periods;
	stream->told_lost = stream->lost;
	stream->inexact = stream->silent || stream->unsure;
	stream->starved = false;
	udma_events_push(events, event, engine->now);
}

/* From anywhere: the stream is to end, with this status. */
void udma_stream_halt(struct udma_stream *stream, int status)
{
	struct udma_xfer *xfer = stream->xfer;

	lockdep_assert_held(&udma_stream_engine(stream)->lock);
	if (status) {
		udma_xfer_abort(xfer, status);
		return;
	}
	xfer->cut = true;
	udma_xfer_stop(xfer);
	udma_xfer_settle(xfer);
	udma_xfer_release(xfer);
}

/**
 * udma_stream_end - a stream has ended, as a transfer
 * @xfer: the transfer
 * @status: why
 * @flags: of the last event
 */
void udma_stream_end(struct udma_xfer *xfer, int status, u32 flags)
{
	struct udma_file *file = xfer->file;
	struct udma_engine *engine = &file->chan->engine;
	struct udma_stream *stream = file->stream;
	const bool makes_room = stream->promised;
	const u32 unsaid = UDMA_EVENT_F_SHORT | (stream->inexact ? UDMA_EVENT_F_EXACT : 0);
	const struct udma_told told = {
		.type = UDMA_EVENT_STREAM,
		.status = status,
		.flags = (flags & ~unsaid) | UDMA_EVENT_F_LAST,
		.bytes = xfer->op == UDMA_OP_CYCLIC ? stream->hw - stream->told_hw : 0,
		.count = stream->periods - stream->told_periods,
	};

	lockdep_assert_held(&engine->lock);
	/* Without a reset, perhaps. Whoever comes next is not to find the controller at rest. */
	if (stream->state & UDMA_STREAM_S_PAUSED && engine->state == UDMA_STATE_WORKING)
		udma_reset_request(engine, UDMA_RESET_ROOT);
	udma_stream_set_state(stream, ~0U, false);
	/* Those that packets would have had. */
	file->events.reserved -= stream->promised;
	stream->promised = 0;
	file->events.more = false;
	if (!file->closed)
		udma_stream_post(stream, &told);
	/* There is room for others now. */
	if (makes_room)
		udma_events_wake(&file->events, EPOLLOUT | EPOLLWRNORM);
	stream->xfer = NULL;
	stream->slot = NULL;
	/* Somebody else may have begun one, when this one's file was closed. */
	if (engine->stream == stream) {
		engine->stream = NULL;
		engine->resting = false;
	}
}

/* There may be room now for what there was none: tell the rest. */
void udma_stream_tell_more(struct udma_file *file)
{
	struct udma_engine *engine = &file->chan->engine;

	guard(spinlock_irq)(&engine->lock);
	if (file->events.more && file->stream->xfer)
		udma_cyclic_tell(file->stream, 0);
}

/* The program says how far it has come. */
static int udma_stream_advance(struct udma_stream *stream, u64 position)
{
	int ret = udma_position_advance(stream, position);

	if (!ret && stream->xfer->op == UDMA_OP_PACKETS)
		udma_packet_advance(stream);
	return ret;
}

/* Whether @stream is there, and the one that the program means, if it says so. */
bool udma_stream_is(const struct udma_stream *stream, u64 sequence)
{
	return stream && stream->xfer && (!sequence || stream->xfer->sequence == sequence);
}

/* What does not need the controller. */
static int udma_stream_command(struct udma_file *file, const struct udma_stream_control *cmd)
{
	struct udma_stream *stream = file->stream;

	lockdep_assert_held(&file->chan->engine.lock);
	if (!udma_stream_is(stream, cmd->sequence))
		return -ENXIO;
	switch (cmd->command) {
	case UDMA_STREAM_STOP:
		udma_stream_halt(stream, 0);
		return 0;
	case UDMA_STREAM_DRAIN:
		if (stream->reads)
			return -EOPNOTSUPP;
		udma_cyclic_drain(stream);
		return 0;
	default:
		return udma_stream_advance(stream, cmd->position);
	}
}

/* Have the controller rest, or go on. */
static int udma_stream_pause(struct udma_file *file, u64 sequence, bool pause)
{
	if (!(file->chan->info.out_capabilities & UDMA_CAP_PAUSE))
		return -EOPNOTSUPP;
	return udma_engine_pause(&file->chan->engine, file->stream, sequence, pause);
}

/* The controller rests, or goes on: with a stream, unless that has just ended. */
void udma_stream_paused(struct udma_engine *engine, bool pause)
{
	lockdep_assert_held(&engine->lock);
	engine->resting = pause && engine->stream;
	if (engine->stream)
		udma_stream_set_state(engine->stream, UDMA_STREAM_S_PAUSED, pause);
	else if (pause)
		udma_reset_request(engine, UDMA_RESET_ROOT);
}

/**
 * udma_stream_control - do what a program says to its stream
 * @file: whose
 * @cmd: what it says
 *
 * Return: zero or a negative errno.
 */
int udma_stream_control(struct udma_file *file, const struct udma_stream_control *cmd)
{
	int ret;

	if (cmd->command > UDMA_STREAM_ADVANCE || cmd->__reserved ||
	    (cmd->position && cmd->command != UDMA_STREAM_ADVANCE))
		return -EINVAL;
	if (cmd->command == UDMA_STREAM_PAUSE || cmd->command == UDMA_STREAM_RESUME)
		return udma_stream_pause(file, cmd->sequence,
					 cmd->command == UDMA_STREAM_PAUSE);
	local_bh_disable();
	spin_lock_irq(&file->chan->engine.lock);
	ret = udma_stream_command(file, cmd);
	if (!ret)
		udma_engine_dispatch(&file->chan->engine);
	spin_unlock_irq(&file->chan->engine.lock);
	local_bh_enable();
	return ret;
}
