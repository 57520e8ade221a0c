/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects of udma and who may touch them.
 *
 * Data flows one way: a file takes requests and makes transfers of them, the
 * engine gives transfers to hardware, and what hardware did becomes an event.
 *
 * Locks, outermost first:
 *
 *   udma_bindings_lock   what is bound by name. Taken before the locks of providers
 *                        and of our devices, so never in their probe or remove.
 *   udma_siblings_lock   who is reset together with whom, and when.
 *   udma_chan.files_lock the files of a channel. close() waits for it, so unbind
 *                        does not hold it while it waits for anybody.
 *   udma_file.submit_lock
 *                        order among submitters.
 *   udma_events.read_lock
 *                        order among readers. These two are the only locks held
 *                        over a user copy, so never taken under mmap_lock.
 *   mmap_lock            of a process, held where mmap and vm_ops are called.
 *   udma_chan.reap_lock  who frees buffers' memory.
 *   udma_engine.lock     all that changes in the hot path: transfers, slots,
 *                        events, counts of references, handles. Taken in
 *                        interrupts. Inside it only the locks of wait queues
 *                        and eventfds, and the scheduler's for a wake-up.
 *
 * udma_chan_enter() is the guard against unbind. It may sleep, but nothing that
 * needs mmap_lock may happen inside: no user copy, no page fault. Nor does anybody
 * wait inside for events, or hold any of these locks while he does. Who only wants to
 * be at the hardware needs no guard: udma_engine.stopped is looked at under the lock
 * before udma_engine.running is set, and unbind waits for that.
 */
#ifndef UDMA_H
#define UDMA_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/udma.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "fifo.h"

struct udma_chan;
struct dma_interleaved_template;
struct scatterlist;
struct udma_engine;
struct udma_file;
struct udma_stream;
struct udma_xfer;
struct user_struct;

/* How many /dev/udmaN there can be. */
#define UDMA_MINORS		256
/* How many events one file can have coming or unread, if it has not said; a power of two. */
#define UDMA_EVENT_SLOTS	256
/* The most entries of a queue that is shared with a program; a power of two. */
#define UDMA_QUEUE_ENTRIES	4096
/* Handles are an index below this, which is never 0, under a serial number. */
#define UDMA_BUFFER_SLOTS	1024
#define UDMA_HANDLE_INDEX_BITS	12
#define UDMA_HANDLE_INDEX_MASK	(BIT(UDMA_HANDLE_INDEX_BITS) - 1)
/* Requests that are accepted in one go. */
#define UDMA_SUBMIT_BATCH	32
/* Descriptors in hardware at a time; some controllers have no more than 32. A power of two. */
#define UDMA_WINDOW_SLOTS	32
/* So many bytes at most are moved in a row without an interrupt: it is told of them soon. */
#define UDMA_QUIET_BYTES	SZ_1M
/* What one counts for at least: one of 16 interrupts, so the window is filled in time. */
#define UDMA_QUIET_LEAST	(UDMA_QUIET_BYTES / 15)
/* The slot of the engine's own copy, by which it sees that hardware is alive. */
#define UDMA_PROBE_SLOT		UDMA_WINDOW_SLOTS
/* Resets until the parameter of a callback means something else. */
#define UDMA_EPOCHS		64
/* Bytes in hardware at a time, unless one file has the channel alone: what others may wait for. */
#define UDMA_WINDOW_BYTES	SZ_4M
/* The longest piece that is given to hardware at once, and a file's turn. */
#define UDMA_SLICE_BYTES	SZ_1M
/* The most ranges of a list, and of all lists of a file that are under way. */
#define UDMA_LIST_RANGES	4096
#define UDMA_FILE_RANGES	(16 * UDMA_LIST_RANGES)

/* main: what the whole module shares */
extern struct class *udma_class;
extern struct workqueue_struct *udma_wq;
extern struct platform_driver udma_driver;
dev_t udma_devt(unsigned int minor);

/**
 * struct udma_plan - what firmware says of the device behind a channel
 * @direction: which way data goes; UDMA_DIRECTION_NONE for what the channel itself tells
 * @address: as in struct udma_device
 * @addressed: likewise
 * @width: likewise
 * @burst: likewise
 */
struct udma_plan {
	enum udma_direction direction;
	phys_addr_t address;
	bool addressed;
	unsigned int width;
	unsigned int burst;
};

/* node: channels that firmware names */
extern struct platform_driver udma_node_driver;

/* bind: channels that root names */

/**
 * struct udma_binding - the platform data of a device that was made by name
 * @node: in the list of bindings
 * @consumer: the device that firmware has named it for, or NULL; only to be compared
 * @dma: the channel, which is claimed already and handed to probe, or NULL
 * @plan: what is said of the device behind it
 * @pdev: the device, which owns this
 * @name: what root called it, or nothing
 * @channel: dmaengine's name of the channel
 * @dev_name: udmaN, once it is
 * @error: why probe failed
 * @gone: unbound, to be taken away
 */
struct udma_binding {
	struct list_head node;
	struct device *consumer;
	struct dma_chan *dma;
	struct udma_plan plan;
	struct platform_device *pdev;
	char name[UDMA_NAME_BYTES];
	char channel[UDMA_NAME_BYTES];
	char dev_name[UDMA_NAME_BYTES];
	int error;
	bool gone;
};

int udma_bind_init(void);
void udma_bind_exit(void);
int udma_bind(const char *spec);
bool udma_name_is_valid(const char *name);
int udma_bind_claimed(struct device *consumer, const char *name, const struct udma_plan *plan,
		      struct dma_chan *dma);
void udma_unbind_claimed(struct device *consumer);
void udma_binding_set_gone(struct udma_binding *binding);

/* buffer: memory that the program and the device see */

/**
 * struct udma_buffer - a piece of coherent memory
 * @chan: whose device it is for
 * @file: whose it is, and whose limits it counts against; a counted reference
 * @user: who allocated it and whose limit it counts against, a counted reference;
 *	NULL when it counts no more
 * @node: in one of the channel's lists: buffers, unmapped or dead
 * @bytes: what was asked for; @map_bytes is that in whole pages
 * @map_bytes: see @bytes
 * @cpu: the memory, or NULL when it is gone
 * @dma: its address for the device
 * @refs: the handle, each mapping, and each transfer that has not ended
 * @handle: what the program calls it
 * @held: hardware may write to it for ever, so it is never freed
 *
 * All but the constants is protected by the engine's lock, @cpu by the
 * channel's reap_lock as well, @user by that alone.
 */
struct udma_buffer {
	struct udma_chan *chan;
	struct udma_file *file;
	struct user_struct *user;
	struct list_head node;
	size_t bytes;
	size_t map_bytes;
	void *cpu;
	dma_addr_t dma;
	unsigned int refs;
	u32 handle;
	bool held;
};

/**
 * struct udma_buffers - the buffers of a file
 * @used: which indices are taken, also by a buffer that is being made
 * @table: the buffers by index; comes with the first one
 * @slots: how long it is
 * @last: the index given last
 * @serial: upper part of the handle given last
 * @count: buffers whose memory is there, with or without a handle
 * @bytes: their memory
 */
struct udma_buffers {
	DECLARE_BITMAP(used, UDMA_BUFFER_SLOTS);
	struct udma_buffer **table;
	unsigned int slots;
	unsigned int last;
	u32 serial;
	unsigned int count;
	u64 bytes;
};

void udma_buffers_init(struct udma_buffers *buffers);
void udma_buffers_destroy(struct udma_buffers *buffers);
void udma_buffers_drop(struct udma_file *file);
struct udma_buffer *udma_buffer_alloc(struct udma_file *file, u64 bytes);
void udma_buffer_publish(struct udma_buffer *buffer);
void udma_buffer_discard(struct udma_buffer *buffer);
int udma_buffer_free(struct udma_file *file, u32 handle);
void udma_buffer_die(struct udma_buffer *buffer);
unsigned int udma_buffer_index(const struct udma_buffer *buffer);
void udma_buffers_reap(struct udma_chan *chan);
void udma_buffers_unmap(struct udma_chan *chan);
u64 udma_buffers_max_bytes(void);

/* limit: how much memory there may be */

/**
 * struct udma_limit - the memory of a channel
 * @bytes: what its buffers have; under the engine's lock
 * @max_megabytes: what they may have
 */
struct udma_limit {
	u64 bytes;
	unsigned int max_megabytes;
};

extern const struct attribute_group udma_limit_group;
void udma_limit_init(struct udma_limit *limit);
unsigned long udma_limit_user_pages(void);
int udma_limit_charge(struct udma_buffer *buffer, unsigned long user_pages);
void udma_limit_uncharge(struct udma_buffer *buffer);

/* mapping: buffers and queues in the address space of a process */

u64 udma_mapping_offset(const struct udma_buffer *buffer);
int udma_mapping_create(struct udma_file *file, struct vm_area_struct *vma);
void udma_mappings_settle(struct udma_chan *chan);

/* event: what happened, until the program has read it */

/**
 * struct udma_events - the completion queue of a file
 * @ring: the events
 * @shared: the counts that the program sees, if it shares the queue
 * @entries: how many events there is room for; a power of two
 * @reserved: slots ever promised to a transfer; under the engine's lock
 * @tail: events ever written; under the engine's lock
 * @head: events ever taken, as far as is known; see udma_events_learn_head()
 * @closed: the channel is gone and no event will come any more
 * @untold: events came since @quiet
 * @more: a stream has more to tell than there was room for
 * @quiet: more events may come before those who wait are to be told; under the
 *	engine's lock
 * @waiters: who waits in UDMA_ENTER, see struct udma_waiter, by what they wait for; under
 *	the engine's lock
 * @wait: for read and poll
 * @eventfd: to be signalled, or NULL; under the engine's lock
 * @read_lock: one reader at a time
 *
 * reserved - head never exceeds @entries, so writing an event cannot fail. Nor can there
 * be more transfers than @entries: no head is accepted that is ahead of @tail.
 */
struct udma_events {
	struct udma_event *ring;
	struct udma_queue_shared *shared;
	unsigned int entries;
	unsigned int reserved;
	unsigned int tail;
	unsigned int head;
	bool closed;
	bool untold;
	bool more;
	unsigned int quiet;
	struct rb_root_cached waiters;
	wait_queue_head_t wait;
	struct eventfd_ctx *eventfd;
	struct mutex read_lock;
};

int udma_events_init(struct udma_events *events);
void udma_events_destroy(struct udma_events *events);
int udma_events_share(struct udma_events *events, struct udma_queue_shared *shared,
		      struct udma_event *ring, unsigned int entries, unsigned int count);
bool udma_events_find_room(struct udma_events *events);
void udma_events_begin(struct udma_events *events);
void udma_events_end(struct udma_events *events);
void udma_events_wake(struct udma_events *events, __poll_t what);
void udma_events_close(struct udma_events *events);
bool udma_events_move_head(struct udma_events *events, u32 known, u32 head);
bool udma_events_ask(struct udma_events *events);
ssize_t udma_events_read(struct udma_events *events, struct iov_iter *to, bool nonblock,
			 bool nowait);
__poll_t udma_events_poll(struct udma_events *events, struct file *filp,
			  struct poll_table_struct *wait);
int udma_events_set_eventfd(struct udma_file *file, int fd);

/* wait: who waits in UDMA_ENTER for events */

/* Where nobody tells, the controller is asked after so long, */
#define UDMA_NAP_NS		(20 * NSEC_PER_USEC)
/* and then less and less often, but at least after so long. */
#define UDMA_NAP_NS_MAX		NSEC_PER_MSEC

static inline u64 udma_nap_longer(u64 ns)
{
	return min_t(u64, ns + ns / 2, UDMA_NAP_NS_MAX);
}

void udma_wait_wake(struct udma_events *events);
int udma_wait(struct udma_events *events, unsigned int count, u64 timeout_ns, u64 busy_ns);

/* queue: what is shared with the program */

/**
 * struct udma_queues - the queues that a file shares with its program
 * @shared: the memory, which begins with the counts; NULL without UDMA_QUEUE_SETUP
 * @requests: the submission queue in it
 * @map_bytes: how much memory it is
 * @entries: how many requests there is room for; a power of two
 * @head: requests ever taken; under the file's submit_lock
 *
 * They come once, and stay as long as the file. For the completion queue see struct
 * udma_events.
 */
struct udma_queues {
	struct udma_queue_shared *shared;
	const struct udma_request *requests;
	size_t map_bytes;
	unsigned int entries;
	u32 head;
};

int udma_queues_plan(struct udma_queue_setup *cmd);
int udma_queues_setup(struct udma_file *file, const struct udma_queue_setup *cmd);
void udma_queues_destroy(struct udma_queues *queues);
struct page *udma_queues_page(struct udma_file *file, unsigned long pgoff);
long udma_queues_enter(struct udma_file *file, const struct udma_enter *cmd);

/* list: the ranges of a transfer that has several */

/**
 * struct udma_segment - a range
 * @buffer: in which; a counted reference
 * @addr: where it begins, for the device
 * @at: where it begins in the transfer
 * @bytes: how long it is
 */
struct udma_segment {
	struct udma_buffer *buffer;
	dma_addr_t addr;
	u64 at;
	u64 bytes;
};

/**
 * struct udma_list - where a transfer reads from and writes to
 * @next: among those of the channel that are to be freed
 * @file: whose
 * @refs: who makes it, the transfer, and slots that hardware may have for ever; under the
 *	engine's lock
 * @found: in how many segments the buffer has been found, and is kept
 * @dst_count: how many ranges it writes to
 * @src_count: how many it reads from
 * @segments: those to write to, and then those to read from
 *
 * It does not change once the transfer is there.
 */
struct udma_list {
	struct udma_list *next;
	struct udma_file *file;
	unsigned int refs;
	unsigned int found;
	unsigned int dst_count;
	unsigned int src_count;
	struct udma_segment segments[];
};

struct udma_list *udma_list_fetch(struct udma_file *file, const struct udma_request *request);
int udma_list_resolve(struct udma_list *list, const struct udma_request *request);
void udma_list_put(struct udma_list *list);
void udma_lists_reap(struct udma_chan *chan);
const struct udma_segment *udma_list_src(const struct udma_list *list, u64 at);
const struct udma_segment *udma_list_dst(const struct udma_list *list, u64 at);

/* What is left of a segment from @at in the transfer on, and where that is. */
static inline u64 udma_segment_left(const struct udma_segment *segment, u64 at)
{
	return segment->bytes - (at - segment->at);
}

static inline dma_addr_t udma_segment_addr(const struct udma_segment *segment, u64 at)
{
	return segment->addr + (at - segment->at);
}

/* xfer: one transfer */

/* What else there is to the engine: what programs ask for in other words. */
#define UDMA_OP_COPY_RANGES	(UDMA_OP_DEV_TO_MEM + 1)
#define UDMA_OP_FILL_RANGES	(UDMA_OP_DEV_TO_MEM + 2)
#define UDMA_OP_CYCLIC		(UDMA_OP_DEV_TO_MEM + 3)
#define UDMA_OP_PACKETS		(UDMA_OP_DEV_TO_MEM + 4)

/**
 * enum udma_xfer_state - where a transfer is
 * @UDMA_XFER_FREE: not in use, on its file's free list
 * @UDMA_XFER_QUEUED: accepted; hardware has nothing of it
 * @UDMA_XFER_ISSUED: hardware was given some of it or all
 *
 * The end of a transfer is its event, and then it is free again.
 */
enum udma_xfer_state {
	UDMA_XFER_FREE,
	UDMA_XFER_QUEUED,
	UDMA_XFER_ISSUED,
};

/**
 * struct udma_xfer - a transfer
 * @node: in its file's queue while there is more to give to hardware
 * @next_free: the next one that is not in use, when this one is not either
 * @file: which accepted it. It needs no reference: each transfer holds a
 *	buffer, and each buffer holds the file
 * @dst: the buffer to write, or NULL
 * @src: the buffer to read, or NULL
 * @dst_addr: where to write, for the device
 * @src_addr: where to read
 * @bytes: how much
 * @cursor: how much of it hardware was given
 * @moved: how much of it is known to have been moved
 * @user_data: the program's
 * @sequence: its number in the file
 * @timeout_ns: how long hardware may take, or UDMA_TIMEOUT_NEVER
 * @deadline: when that is over; in the engine's queue from the first piece on
 * @slots: how many descriptors hardware has of it
 * @state: one of enum udma_xfer_state
 * @op: one of enum udma_op, or what else there is
 * @flags: bits of enum udma_request_flags
 * @fill: the byte to fill with
 * @line_bytes: how long a line is, of lines
 * @status: the first error, or zero
 * @inexact: @moved may be too low
 * @cut: hardware ended a piece early and calls that success, or a stream is to end
 * @held: hardware may have a piece of it for ever
 * @reset: hardware was reset under it for another's sake
 * @trouble: any of these four
 * @dst_stride: from line to line in the destination
 * @src_stride: and in the source
 * @list: of an op that follows UDMA_OP_INTERLEAVE: the ranges, or NULL when the buffers are all
 *
 * Protected by the engine's lock.
 */
struct udma_xfer {
	union {
		struct hlist_node node;
		struct udma_xfer *next_free;
	};
	struct udma_file *file;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	dma_addr_t dst_addr;
	dma_addr_t src_addr;
	u64 bytes;
	u64 cursor;
	u64 moved;
	u64 user_data;
	u64 sequence;
	u64 timeout_ns;
	struct timerqueue_node deadline;
	u8 slots;
	u8 state;
	u8 op;
	u8 flags;
	union {
		u8 fill;
		u32 line_bytes;
	};
	int status;
	union {
		struct {
			bool inexact;
			bool cut;
			bool held;
			bool reset;
		};
		u32 trouble;
	};
	union {
		struct {
			u32 dst_stride;
			u32 src_stride;
		};
		struct udma_list *list;
	};
};

/**
 * struct udma_requests - requests that are to become transfers
 * @ring: where they are. The program may be able to write to it at any time, so each thing
 *	in it is read once
 * @mask: how many there is room for, a power of two, less one
 * @first: which is the first, before the mask
 * @count: how many they are
 * @flags: bits of enum udma_request_flags that all of them have besides their own
 */
struct udma_requests {
	const struct udma_request *ring;
	u32 mask;
	u32 first;
	u32 count;
	u32 flags;
};

void udma_xfer_init(struct udma_xfer *xfer, struct udma_file *file, struct udma_xfer *next);
void udma_xfer_queue(struct udma_engine *engine, struct udma_xfer *xfer);
void udma_xfer_unget(struct udma_xfer *xfer);
int udma_xfer_own(struct udma_engine *engine, struct udma_file *file);
void udma_xfer_let_go_others(struct udma_xfer *xfer);
void udma_xfer_stop(struct udma_xfer *xfer);
void udma_xfer_settle(struct udma_xfer *xfer);
void udma_xfer_release(struct udma_xfer *xfer);
void udma_xfer_untake(struct udma_xfer *xfer, size_t bytes);
void udma_xfer_complete(struct udma_xfer *xfer, size_t bytes, size_t moved, int status, bool exact);
void udma_xfer_fail(struct udma_xfer *xfer, int status);
void udma_xfer_abort(struct udma_xfer *xfer, int status);
void udma_xfer_abort_file(struct udma_file *file, int status);
bool udma_xfer_wanted(const struct udma_xfer *xfer);
long udma_xfer_cancel(struct udma_file *file, u64 sequence);
long udma_xfer_cancel_all(struct udma_file *file);

/* submit: requests that become transfers */
int udma_submit_all(struct udma_file *file, const struct udma_requests *requests,
		    unsigned int *taken);

/* stream: what does not end by itself */

/* The most periods of a ring: some providers have a descriptor for each, for ever. */
#define UDMA_STREAM_PERIODS		4096U
/* The shortest period: each may interrupt. */
#define UDMA_STREAM_PERIOD_BYTES	64U

int udma_stream_plan(struct udma_file *file, struct udma_stream_start *cmd);
int udma_stream_start(struct udma_file *file, const struct udma_stream_start *cmd);
int udma_stream_control(struct udma_file *file, const struct udma_stream_control *cmd);
void udma_stream_end(struct udma_xfer *xfer, int status, u32 flags);
void udma_stream_paused(struct udma_engine *engine, bool pause);
void udma_stream_tell_more(struct udma_file *file);
struct page *udma_stream_page(struct udma_file *file, unsigned long pgoff);
void udma_stream_destroy(struct udma_file *file);

/* cyclic: streams that go round and round */

void udma_cyclic_period(struct udma_stream *stream, bool told, u32 residue);
void udma_cyclic_failed(struct udma_stream *stream);
void udma_cyclic_stopped(struct udma_stream *stream, u32 residue);
enum hrtimer_restart udma_cyclic_timer(struct hrtimer *timer);

/* packet: streams of packets */

bool udma_packet_goes_on(struct udma_stream *stream);
void udma_packet_done(struct udma_stream *stream, u64 at, size_t bytes, int status, bool exact);

/* request: what is more than a copy or a fill of one range */

int udma_request_check_op(const struct udma_info *info, const struct udma_request *request);
bool udma_request_is_aligned(const struct udma_info *info, const struct udma_request *request,
			     u64 offset, u64 bytes);
int udma_request_make(struct udma_file *file, const struct udma_request *request,
		      struct udma_list *list, struct udma_xfer *xfer);

/* engine: the hardware and its window */

/**
 * enum udma_slot_state - what has become of a descriptor
 * @UDMA_SLOT_FREE: the slot is not in use
 * @UDMA_SLOT_ISSUED: hardware has it, or is about to
 * @UDMA_SLOT_RETIRED: hardware had it when a reset began, and perhaps has still
 * @UDMA_SLOT_REPLAY: it is to be issued again after a reset
 * @UDMA_SLOT_HELD: hardware may have it for ever. Its transfer has ended, and the
 *	slot itself holds the buffers
 */
enum udma_slot_state {
	UDMA_SLOT_FREE,
	UDMA_SLOT_ISSUED,
	UDMA_SLOT_RETIRED,
	UDMA_SLOT_REPLAY,
	UDMA_SLOT_HELD,
};

/**
 * struct udma_ticket - the parameter of a callback
 * @epoch: in which it was handed out, modulo UDMA_EPOCHS
 * @slot: for which slot
 *
 * Nothing excludes a callback that comes after a reset, for a slot that is in
 * use again. So each epoch has parameters of its own, and by its place in the
 * slot, and that one's in the engine, each leads to both. They never change.
 */
struct udma_ticket {
	u8 epoch;
	u8 slot;
};

/**
 * struct udma_slot - a descriptor that hardware has
 * @xfer: what it is a piece of
 * @at: where in it the piece begins
 * @bytes: how long the piece is
 * @dst: the buffer that is held, or NULL
 * @src: the same
 * @list: and the ranges
 * @order: grows with each descriptor that is issued
 * @residue: what was left to move when a reset began, as far as told
 * @cookie: what the provider calls it
 * @state: one of enum udma_slot_state
 * @epoch: the engine's when it was issued
 * @again: it was issued before
 * @told: @residue was told
 * @exact: and does not change any more
 * @quiet: it does not interrupt; in the engine's queue of those
 * @released: a callback came when it was no longer of use: hardware has let go
 * @tickets: the parameters of its callbacks, by epoch
 *
 * Protected by the engine's lock.
 */
struct udma_slot {
	struct udma_xfer *xfer;
	u64 at;
	size_t bytes;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	struct udma_list *list;
	u64 order;
	size_t residue;
	dma_cookie_t cookie;
	u8 state;
	u8 epoch;
	bool again;
	bool told;
	bool exact;
	bool quiet;
	bool released;
	struct udma_ticket tickets[UDMA_EPOCHS];
} __aligned(256);

/**
 * enum udma_count - what is counted of a channel's troubles
 * @UDMA_COUNT_STALLS: hardware ended nothing for too long
 * @UDMA_COUNT_TIMEOUTS: transfers that took longer than their timeout
 * @UDMA_COUNT_CANCELS: transfers cancelled by their program
 * @UDMA_COUNT_RESETS: resets begun
 * @UDMA_COUNT_PROBES: the engine's own copies that came back as they should
 * @UDMA_COUNT_REPLAYS: descriptors that were to be issued again
 * @UDMA_COUNT_REACQUIRES: the channel was released and requested again
 * @UDMA_COUNT_FAILURES: the channel could not be stopped
 * @UDMA_COUNT_HEALS: and was found to have let go after all
 * @UDMA_COUNT_LATE: callbacks of descriptors that were no longer waited for
 * @UDMA_COUNT_ALONE: files that were made to run alone
 * @UDMA_COUNTS: how many of these there are
 */
enum udma_count {
	UDMA_COUNT_STALLS,
	UDMA_COUNT_TIMEOUTS,
	UDMA_COUNT_CANCELS,
	UDMA_COUNT_RESETS,
	UDMA_COUNT_PROBES,
	UDMA_COUNT_REPLAYS,
	UDMA_COUNT_REACQUIRES,
	UDMA_COUNT_FAILURES,
	UDMA_COUNT_HEALS,
	UDMA_COUNT_LATE,
	UDMA_COUNT_ALONE,
	UDMA_COUNTS,
};

/**
 * struct udma_batch - descriptors that are issued together
 * @count: how many
 * @max: how many there may be
 * @first: hardware had nothing before
 * @slots: their slots
 */
struct udma_batch {
	unsigned int count;
	unsigned int max;
	bool first;
	struct udma_slot *slots[UDMA_WINDOW_SLOTS];
};

/**
 * struct udma_parts - what descriptors of more than one piece are made of
 * @sg: pieces of a transfer to or from a device; there is none where there is no device
 * @sg_most: how many of them the provider takes at a time, as far as is known
 * @segment_bytes: how long one may be
 * @template: lines; NULL where the provider does not copy any
 *
 * Of who has set udma_engine.running.
 */
struct udma_parts {
	struct scatterlist *sg;
	unsigned int sg_most;
	size_t segment_bytes;
	struct dma_interleaved_template *template;
};

/**
 * struct udma_engine - a dmaengine channel and what it has been given
 * @lock: see the top of this file
 * @dma: the channel; of who has set @running, or is inside udma_chan_enter(). NULL
 *	only when failed
 * @runnable: files that have something to give to hardware, by turns
 * @work: the dispatcher, when there is no submitter to do it
 * @left: woken when the dispatcher leaves, when hardware is empty, and when a
 *	reset has something to look at
 * @state: one of enum udma_state
 * @running: the dispatcher is at work, somewhere
 * @again: it has to look once more before it leaves
 * @stopped: nothing is issued any more, for good
 * @paused: nothing is issued until the system wakes up
 * @alone: hardware has a descriptor that nothing may be issued beside
 * @direction: one of enum udma_direction; does not change while a file is open
 * @granularity: how finely the provider tells how far a descriptor came
 * @plain: see udma_callback_result_sticks()
 * @unordered: the provider does not end descriptors in order
 * @refused: the provider refused the last descriptor, with nothing in flight
 * @epoch: grows at each reset, modulo UDMA_EPOCHS
 * @refused_since: when it began to, in jiffies
 * @refused_last: when it did the last time
 * @slice_bytes: longest descriptor for each op
 * @window: how many descriptors hardware may have; set by root
 * @issued: how many it has, or had when a reset began
 * @issued_bytes: what they amount to
 * @nr_replay: slots to be issued again
 * @nr_held: slots that hardware may have for ever
 * @order: of the last descriptor issued
 * @now: the time, while several transfers end at once; else zero
 * @quiet_most: how many bytes in a row need not interrupt. None where the provider does
 *	not keep order, is not known to go on by itself, or has refused one behind such a one
 * @listen: @work looks for those that do not interrupt
 * @tells: the provider calls back those that do not interrupt, too
 * @quiet_left: of @quiet_most, behind the last that interrupts
 * @nr_quiet: how many do not interrupt that hardware was given
 * @nr_heard: how many of them are known to have ended; both free running
 * @quiet: their slots, in order; a ring
 * @batch: what is being issued; of who has set @running. Else it is empty, when the
 *	lock is not held
 * @nr_free: how many of @free are valid
 * @free: stack of the slots not in use
 * @slots: the slots, and behind them the one of the probe
 * @deadlines: transfers with a timeout that hardware has been given
 * @timer: runs out with the first of them, or before
 * @timeout_ns: of transfers that bring none, or UDMA_TIMEOUT_NEVER; set by root
 * @watch: looks for a stall; queued while @watched
 * @watched: see @watch
 * @stall_ms: for how long hardware may end nothing; set by root
 * @progress: when it last ended something or got something to do, in jiffies
 * @blame: the oldest that hardware had when it was found to have stalled
 * @reset: stops hardware and goes on, or not
 * @reset_reasons: why it is to do so
 * @terminated: the provider says that it has stopped
 * @failed: it has been tried in vain since the channel worked last
 * @failing: not everybody has been told so yet
 * @pinned: a reference to the module is held for callbacks that may come
 * @lost: the channel is gone, and hardware may still use some of the memory
 * @probing: hardware has been given a probe
 * @probe_ok: the last one came back, and moved what it should
 * @scratch: the memory of the probe, for the device @scratch_dma
 * @scratch_dma: see @scratch
 * @probe: the transfer that it is
 * @stream: what has a device's channel for itself, or NULL
 * @owner: the file whose transfers a device's channel takes, or NULL as long as none has any
 * @can_pause: the provider can have it rest
 * @can_stop: or stop it
 * @calls_each: the provider is known to call back for each period of a stream
 * @resting: a stream is paused
 * @idle: asks where a stream is, when no period has ended for a while
 * @parts: what descriptors of more than one piece are made of
 * @shared_reset: when hardware is reset, it takes along those that have the same provider
 * @counts: by enum udma_count
 */
struct udma_engine {
	spinlock_t lock;
	struct dma_chan *dma;
	struct udma_fifo runnable;
	struct delayed_work work;
	wait_queue_head_t left;
	enum udma_state state;
	enum udma_direction direction;
	enum dma_residue_granularity granularity;
	bool running;
	bool again;
	bool stopped;
	bool paused;
	bool alone;
	bool plain;
	bool unordered;
	bool refused;
	u8 epoch;
	unsigned long refused_since;
	unsigned long refused_last;
	size_t slice_bytes[2];
	unsigned int window;
	unsigned int issued;
	size_t issued_bytes;
	unsigned int nr_replay;
	unsigned int nr_held;
	u64 order;
	u64 now;
	size_t quiet_most;
	bool listen;
	bool tells;
	size_t quiet_left;
	unsigned int nr_quiet;
	unsigned int nr_heard;
	struct udma_slot *quiet[UDMA_WINDOW_SLOTS];
	struct udma_batch batch;
	unsigned int nr_free;
	struct udma_slot *free[UDMA_WINDOW_SLOTS];
	struct udma_slot slots[UDMA_WINDOW_SLOTS + 1];
	struct timerqueue_head deadlines;
	struct hrtimer timer;
	u64 timeout_ns;

	struct delayed_work watch;
	bool watched;
	unsigned int stall_ms;
	unsigned long progress;

	struct udma_slot *blame;
	struct work_struct reset;
	unsigned int reset_reasons;
	bool terminated;
	bool failed;
	bool failing;
	bool pinned;
	bool lost;
	bool probing;
	bool probe_ok;
	void *scratch;
	dma_addr_t scratch_dma;
	struct udma_xfer probe;

	struct udma_stream *stream;
	struct udma_file *owner;
	bool can_pause;
	bool can_stop;
	bool calls_each;
	bool resting;
	bool shared_reset;
	struct hrtimer idle;
	struct udma_parts parts;

	u64 counts[UDMA_COUNTS];
};

void udma_engine_init(struct udma_engine *engine, struct dma_chan *dma);
void udma_engine_wake(struct udma_engine *engine);
void udma_engine_recall(struct udma_engine *engine, struct udma_xfer *xfer);
unsigned int udma_engine_issue(struct udma_engine *engine, struct udma_slot *const *slots,
			       unsigned int count, int *error);
void udma_engine_dispatch(struct udma_engine *engine);
void udma_engine_next_epoch(struct udma_engine *engine);
bool udma_engine_hear(struct udma_engine *engine);
bool udma_engine_look(struct udma_engine *engine);
void udma_engine_expect(struct udma_engine *engine);
void udma_engine_forget(struct udma_engine *engine);
bool udma_engine_tell(struct udma_engine *engine, const struct udma_slot *slot, u32 *residue,
		      bool *failed);
int udma_engine_pause(struct udma_engine *engine, struct udma_stream *stream, u64 sequence,
		      bool pause);
void udma_engine_disown(struct udma_engine *engine, const struct udma_file *file);
void udma_engine_set_direction(struct udma_engine *engine, enum udma_direction direction);

static inline void udma_engine_count(struct udma_engine *engine, enum udma_count count)
{
	lockdep_assert_held(&engine->lock);
	engine->counts[count]++;
}

/* Whether it is a device's channel, which has one owner and keeps order. */
static inline bool udma_engine_has_device(const struct udma_engine *engine)
{
	return engine->direction != UDMA_DIRECTION_MEM_TO_MEM;
}

/* prep: descriptors that are more than a copy or a fill of one range */

int udma_prep_init(struct udma_parts *parts, struct dma_chan *dma);
void udma_prep_destroy(struct udma_parts *parts);
u64 udma_prep_most(const struct udma_parts *parts, u32 type);
size_t udma_prep_bytes(const struct udma_engine *engine, const struct udma_xfer *xfer);
void udma_prep_forget(struct udma_parts *parts);
bool udma_prep_shrink(struct udma_engine *engine, const struct udma_slot *slot);
struct dma_async_tx_descriptor *udma_prep(struct udma_engine *engine, struct udma_slot *slot,
					  unsigned long flags);

/* device: what root says of the device behind a channel */

extern const struct attribute_group udma_device_group;
bool udma_device_is_usable(struct dma_chan *dma);
void udma_device_init(struct udma_chan *chan);
int udma_device_direction(const char *word);
int udma_device_plan(struct udma_chan *chan, const struct udma_plan *plan);

/**
 * struct udma_device - the device behind a channel, as root describes it
 * @address: where it takes or gives data, for the controller
 * @addressed: that was said, if only that there is none
 * @finds: the controller finds it by itself, and cannot be told
 * @width: how many bytes at a time; zero for what the controller does by itself
 * @burst: how many of these in a row; likewise
 * @capabilities: what the channel is able to, in any direction
 * @directions: those it is able to, as bits
 * @src_widths: those that data can be taken from a device by, as bits
 * @dst_widths: and given to one
 * @max_burst: the most that @burst can be, zero if that is not known
 *
 * Under the channel's files_lock; what the channel is able to does not change.
 */
struct udma_device {
	phys_addr_t address;
	bool addressed;
	bool finds;
	unsigned int width;
	unsigned int burst;
	u64 capabilities;
	u32 directions;
	u32 src_widths;
	u32 dst_widths;
	u32 max_burst;
};

/* slot: what has become of a descriptor */

void udma_slot_replay(struct udma_engine *engine, struct udma_slot *slot);
void udma_slot_hold(struct udma_engine *engine, struct udma_slot *slot);

/* deadline: timeouts of transfers */

void udma_deadline_init(struct udma_engine *engine);
unsigned int udma_deadline_default_ms(struct udma_engine *engine);
void udma_deadline_set_default(struct udma_engine *engine, unsigned int ms);
void udma_deadline_start(struct udma_engine *engine, struct udma_xfer *xfer);
void udma_deadline_stop(struct udma_engine *engine, struct udma_xfer *xfer);

/* reset: hardware that does not end what it was given */

/* Why a channel is to be reset, bits of reset_reasons. */
#define UDMA_RESET_STALL	BIT(0)	/* hardware has ended nothing for too long */
#define UDMA_RESET_UNWANTED	BIT(1)	/* the only owner's transfer is not to go on */
#define UDMA_RESET_ROOT		BIT(2)	/* root said so */

/* A file that has stalled the channel so often runs alone, */
#define UDMA_STRIKES		2
/* until so many of its descriptors have ended well. */
#define UDMA_STRIKES_FORGIVEN	64

/* For how long memory-to-memory hardware may end nothing, unless root says otherwise. */
#define UDMA_STALL_MS		5000

void udma_reset_init(struct udma_engine *engine);
void udma_reset_watch(struct udma_engine *engine);
unsigned long udma_reset_stall(const struct udma_engine *engine);
void udma_reset_set_stall(struct udma_engine *engine, unsigned int ms);
void udma_reset_request(struct udma_engine *engine, unsigned int reason);
int udma_reset_now(struct udma_chan *chan);
void udma_reset_late(struct udma_engine *engine, struct udma_slot *slot);
void udma_reset_heal(struct udma_engine *engine);
unsigned int udma_reset_unknown(const struct udma_engine *engine);
bool udma_reset_is_proven(const struct udma_engine *engine);
bool udma_reset_climb(struct udma_chan *chan, bool final);
bool udma_reset_has_left(struct udma_engine *engine);
void udma_reset_drop(struct udma_engine *engine, struct udma_slot *slot, int status);
struct udma_slot *udma_reset_first(struct udma_engine *engine, enum udma_slot_state state);
void udma_reset_hold_slot(struct udma_engine *engine, struct udma_slot *slot);
void udma_reset_let_go_all(struct udma_engine *engine);
void udma_reset_abort_files(struct udma_chan *chan, int status);

void udma_reset_snapshot(struct udma_engine *engine);
void udma_reset_finish(struct udma_chan *chan);

/* sibling: channels that are reset together */

void udma_siblings_add(struct udma_chan *chan);
void udma_siblings_remove(struct udma_chan *chan);
void udma_siblings_set(struct udma_chan *chan, bool shared);
bool udma_siblings_lock_for(struct udma_chan *chan);
void udma_siblings_unlock(bool shared);
void udma_siblings_stop(struct udma_chan *chan);
void udma_siblings_go_on(void);
void udma_siblings_end(void);
void udma_siblings_set(struct udma_chan *chan, bool shared_reset);

/* probe: how hardware proves that it has let go */

/* For how long a probe is waited for. One that comes later heals the channel. */
#define UDMA_PROBE_TIMEOUT	HZ

int udma_probe_init(struct udma_chan *chan);
void udma_probe_destroy(struct udma_chan *chan);
bool udma_probe_run(struct udma_engine *engine, bool final);
void udma_probe_done(struct udma_engine *engine, const struct udma_ticket *ticket, bool ok);

/* stop: the channel rests */

void udma_stop(struct udma_chan *chan);
int udma_stop_pause(struct udma_chan *chan);
void udma_stop_resume(struct udma_chan *chan);

/* file: one open() */

/**
 * struct udma_file - the kernel's part of an open file
 * @chan: the channel, a reference to its device
 * @node: in the channel's list while it is open; under its files_lock
 * @mapping: the page cache of the node it was opened by, for the zap
 * @refs: the open file and each buffer; under the engine's lock
 * @closed: the program cannot see it any more
 * @exclusive: it was opened with O_EXCL
 * @strikes: how often its transfers have stalled the channel
 * @good: descriptors that ended well since
 * @run: in the engine's list of runnable files
 * @credit: what is left of its turn, in bytes
 * @queue: transfers with something to give to hardware, in order
 * @free: transfers not in use
 * @active: transfers that are ISSUED
 * @submit_lock: order among submitters, and @batch
 * @sequence: number of the next transfer; under @submit_lock
 * @ranges: of its lists
 * @stream: its streams, NULL before the first
 * @queues: those that it shares with its program, if any
 * @batch: requests, copied once from the program
 * @buffers: its memory
 * @events: its completion queue
 * @xfers: its transfers, one for each slot of that
 */
struct udma_file {
	struct udma_chan *chan;
	struct list_head node;
	struct address_space *mapping;
	unsigned int refs;
	bool closed;
	bool exclusive;
	unsigned int strikes;
	unsigned int good;
	struct hlist_node run;
	size_t credit;
	struct udma_fifo queue;
	struct udma_xfer *free;
	unsigned int active;
	struct mutex submit_lock;
	u64 sequence;
	unsigned int ranges;
	struct udma_stream *stream;
	struct udma_queues queues;
	struct udma_request batch[UDMA_SUBMIT_BATCH];
	struct udma_buffers buffers;
	struct udma_events events;
	struct udma_xfer *xfers;
};

/* With its transfers and events a file that is just open stays below 64 KiB. */
static_assert(sizeof(struct udma_file) <= SZ_4K);

extern const struct file_operations udma_fops;
void udma_file_put(struct udma_file *file);
struct udma_xfer *udma_xfers_alloc(struct udma_file *file, unsigned int count);
void udma_xfers_free(struct udma_xfer *xfers, unsigned int count);

/* The memory of a file's queues. Once it is there, so is all that is said of them. */
static inline struct udma_queue_shared *udma_queues_shared(struct udma_file *file)
{
	/* Pairs with udma_queues_install(). */
	return smp_load_acquire(&file->queues.shared);
}

/* sysfs: what root sees and sets of a channel */
extern const struct attribute_group *udma_chan_groups[];

/* chan: /dev/udmaN */

/**
 * struct udma_chan - a bound channel
 * @dev: /dev/udmaN; its references are the channel's
 * @cdev: its operations
 * @dma_dev: the device that memory is allocated for; inside udma_chan_enter()
 * @gone: being unbound or not there any more; see udma_chan_enter()
 * @info: what UDMA_INFO tells
 * @engine: the hardware
 * @provider: whose channel it is, only to be compared
 * @sibling: in the list of all channels, under udma_siblings_lock
 * @taken: it is being reset with a sibling; likewise
 * @device: what is behind it, if anything
 * @limit: how much memory it may have
 * @files_lock: see the top of this file
 * @files: the open files
 * @reap_lock: see the top of this file
 * @reap: frees what died where it could not be freed
 * @buffers: with memory, in use
 * @unmapped: in use, with memory that is gone or held by hardware
 * @dead: to be freed
 * @dead_lists: likewise
 * @mappings: of which no unbind has waited for; see struct udma_mapping
 */
struct udma_chan {
	struct device dev;
	struct cdev cdev;
	struct device *dma_dev;
	bool gone;
	struct udma_info info;
	struct udma_engine engine;
	const void *provider;
	struct list_head sibling;
	bool taken;
	struct udma_device device;
	struct udma_limit limit;
	struct mutex files_lock;
	struct list_head files;
	struct mutex reap_lock;
	struct work_struct reap;
	struct list_head buffers;
	struct list_head unmapped;
	struct list_head dead;
	struct udma_list *dead_lists;
	struct list_head mappings;
};

void udma_chan_reap(struct udma_chan *chan);
int udma_chan_enter(struct udma_chan *chan);
void udma_chan_leave(int cookie);
bool udma_chan_gone(struct udma_chan *chan);

#endif /* UDMA_H */
