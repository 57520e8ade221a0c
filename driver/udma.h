/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects of udma and who may touch them.
 *
 * Data flows one way: a file takes requests and makes transfers of them, the
 * engine gives transfers to hardware, and what hardware did becomes an event.
 *
 * Locks, outermost first:
 *
 *   udma_bindings_lock   what is bound by name. Taken before any device lock,
 *                        so never in probe or remove.
 *   udma_chan.files_lock the files of a channel. close() waits for it, so unbind
 *                        does not hold it while it waits for anybody.
 *   udma_file.submit_lock, udma_events.read_lock
 *                        order among submitters, and among readers. The only
 *                        locks held over a user copy, so never taken under
 *                        mmap_lock.
 *   mmap_lock            of a process, held where mmap and vm_ops are called.
 *   udma_chan.reap_lock  who frees buffers' memory.
 *   udma_engine.lock     all that changes in the hot path: transfers, slots,
 *                        events, counts of references, handles. Taken in
 *                        interrupts. Inside it only the locks of wait queues
 *                        and eventfds.
 *
 * udma_chan_enter() is the guard against unbind. It may sleep, but nothing that
 * needs mmap_lock may happen inside: no user copy, no page fault.
 */
#ifndef UDMA_H
#define UDMA_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/udma.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct udma_chan;
struct udma_file;
struct user_struct;

/* How many /dev/udmaN there can be. */
#define UDMA_MINORS		256
/* How many events one file can have coming or unread; a power of two. */
#define UDMA_EVENT_SLOTS	256
/* Handles are an index below this, which is never 0, under a serial number. */
#define UDMA_BUFFER_SLOTS	1024
/* Requests that are copied from the program and accepted in one go. */
#define UDMA_SUBMIT_BATCH	32
/* Descriptors in hardware at a time; some controllers have no more than 32. */
#define UDMA_WINDOW_SLOTS	32
/* Bytes in hardware at a time: what a newcomer may have to wait for. */
#define UDMA_WINDOW_BYTES	SZ_4M
/* The longest piece that is given to hardware at once, and a file's turn. */
#define UDMA_SLICE_BYTES	SZ_1M

/* main: what the whole module shares */
extern struct class *udma_class;
extern struct workqueue_struct *udma_wq;
extern struct platform_driver udma_driver;
dev_t udma_devt(unsigned int minor);

/* bind: channels that root names */

/**
 * struct udma_binding - the platform data of a device that was made by name
 * @node: in the list of bindings
 * @pdev: the device, which owns this
 * @name: what root called it, or nothing
 * @channel: dmaengine's name of the channel
 * @dev_name: udmaN, once it is
 * @error: why probe failed
 * @gone: unbound, to be taken away
 */
struct udma_binding {
	struct list_head node;
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
 * @table: the buffers by index
 * @last: the index given last
 * @serial: upper part of the handle given last
 * @count: buffers whose memory is there, with or without a handle
 * @bytes: their memory
 */
struct udma_buffers {
	DECLARE_BITMAP(used, UDMA_BUFFER_SLOTS);
	struct udma_buffer *table[UDMA_BUFFER_SLOTS];
	unsigned int last;
	u32 serial;
	unsigned int count;
	u64 bytes;
};

void udma_buffers_init(struct udma_buffers *buffers);
void udma_buffers_drop(struct udma_file *file);
struct udma_buffer *udma_buffer_alloc(struct udma_file *file, u64 bytes);
void udma_buffer_publish(struct udma_buffer *buffer);
void udma_buffer_discard(struct udma_buffer *buffer);
int udma_buffer_free(struct udma_file *file, u32 handle);
struct udma_buffer *udma_buffer_find(struct udma_file *file, u32 handle);
void udma_buffer_get(struct udma_buffer *buffer);
void udma_buffer_put(struct udma_buffer *buffer);
unsigned int udma_buffer_index(const struct udma_buffer *buffer);
struct udma_buffer *udma_buffer_at(struct udma_file *file, unsigned long index);
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

/* mapping: buffers in the address space of a process */

u64 udma_mapping_offset(const struct udma_buffer *buffer);
int udma_mapping_create(struct udma_file *file, struct vm_area_struct *vma);
void udma_mappings_settle(struct udma_chan *chan);

/* event: what happened, until the program has read it */

/**
 * struct udma_events - the completion queue of a file
 * @ring: the events
 * @reserved: slots ever promised to a transfer; under the engine's lock
 * @tail: events ever written; under the engine's lock
 * @head: events ever read; under @read_lock
 * @closed: the channel is gone and no event will come any more
 * @read_lock: one reader at a time
 * @wait: for read and poll
 * @eventfd: to be signalled, or NULL; under the engine's lock
 *
 * reserved - head never exceeds UDMA_EVENT_SLOTS, so writing an event cannot
 * fail.
 */
struct udma_events {
	struct udma_event *ring;
	unsigned int reserved;
	unsigned int tail;
	unsigned int head;
	bool closed;
	struct mutex read_lock;
	wait_queue_head_t wait;
	struct eventfd_ctx *eventfd;
};

int udma_events_init(struct udma_events *events);
void udma_events_destroy(struct udma_events *events);
bool udma_events_reserve(struct udma_events *events);
void udma_events_post(struct udma_events *events, const struct udma_event *event);
void udma_events_close(struct udma_events *events);
ssize_t udma_events_read(struct udma_events *events, struct iov_iter *to, bool nonblock,
			 bool nowait);
__poll_t udma_events_poll(struct udma_events *events, struct file *filp,
			  struct poll_table_struct *wait);
int udma_events_set_eventfd(struct udma_file *file, int fd);

/* xfer: one transfer */

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
 * @node: in its file's queue while there is more to give to hardware, in its
 *	free list when it is not in use
 * @file: which accepted it. It needs no reference: each transfer holds a
 *	buffer, and each buffer holds the file
 * @dst: the buffer to write
 * @src: the buffer to read, or NULL
 * @dst_offset: where in it
 * @src_offset: where in it
 * @bytes: how much
 * @cursor: how much of it hardware was given
 * @moved: how much of it is known to have been moved
 * @user_data: the program's
 * @sequence: its number in the file
 * @state: see enum udma_xfer_state
 * @status: the first error, or zero
 * @slots: how many descriptors hardware has of it
 * @op: one of enum udma_op
 * @fill: the byte to fill with
 * @fence: not before all earlier ones have ended
 * @inexact: @moved may be too low
 *
 * Protected by the engine's lock.
 */
struct udma_xfer {
	struct list_head node;
	struct udma_file *file;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	u64 dst_offset;
	u64 src_offset;
	u64 bytes;
	u64 cursor;
	u64 moved;
	u64 user_data;
	u64 sequence;
	enum udma_xfer_state state;
	int status;
	unsigned int slots;
	u8 op;
	u8 fill;
	bool fence;
	bool inexact;
};

/**
 * struct udma_slice - a piece of a transfer, as hardware gets it
 * @dst: address to write to
 * @src: address to read from
 * @bytes: how much
 * @op: one of enum udma_op
 * @fill: the byte to fill with
 */
struct udma_slice {
	dma_addr_t dst;
	dma_addr_t src;
	size_t bytes;
	u8 op;
	u8 fill;
};

int udma_xfer_submit(struct udma_file *file, const struct udma_request *requests,
		     unsigned int count, unsigned int *taken);
struct udma_xfer *udma_xfer_first(struct udma_file *file);
void udma_xfer_take(struct udma_xfer *xfer, size_t max_bytes, struct udma_slice *slice);
void udma_xfer_untake(struct udma_xfer *xfer, size_t bytes);
void udma_xfer_complete(struct udma_xfer *xfer, size_t bytes, size_t moved, int status, bool exact);
void udma_xfer_abort(struct udma_xfer *xfer, int status);
void udma_xfer_abort_file(struct udma_file *file, int status);

/* engine: the hardware and its window */

/**
 * struct udma_slot - a descriptor that hardware has
 * @engine: whose it is; the slot is the callback's only parameter
 * @xfer: what it is a piece of
 * @bytes: how much
 * @epoch: the engine's when it was issued. A callback from an earlier one
 *	comes too late and counts for nothing
 * @cookie: what the provider calls it
 * @issued: between submission and callback
 */
struct udma_slot {
	struct udma_engine *engine;
	struct udma_xfer *xfer;
	size_t bytes;
	unsigned int epoch;
	dma_cookie_t cookie;
	bool issued;
};

/**
 * struct udma_engine - a dmaengine channel and what it has been given
 * @lock: see the top of this file
 * @dma: the channel; valid inside udma_chan_enter()
 * @runnable: files that have something to give to hardware, by turns
 * @work: the dispatcher, when there is no submitter to do it
 * @left: woken when the dispatcher leaves and when hardware is empty
 * @running: the dispatcher is at work, somewhere
 * @again: it has to look once more before it leaves
 * @stopped: nothing is issued any more
 * @exact: the provider tells how far a failed descriptor came
 * @plain: see udma_callback_result_sticks()
 * @epoch: grows at each reset
 * @refused: the provider refused the last descriptor, with nothing in flight
 * @refused_since: when it began to, in jiffies
 * @refused_last: when it did the last time
 * @slice_bytes: longest descriptor for each op
 * @issued: slots in use
 * @issued_bytes: what they amount to
 * @nr_free: how many of @free are valid
 * @free: stack of the numbers of the slots not in use
 * @slots: the slots
 */
struct udma_engine {
	spinlock_t lock;
	struct dma_chan *dma;
	struct list_head runnable;
	struct delayed_work work;
	wait_queue_head_t left;
	bool running;
	bool again;
	bool stopped;
	bool exact;
	bool plain;
	unsigned int epoch;
	bool refused;
	unsigned long refused_since;
	unsigned long refused_last;
	size_t slice_bytes[2];
	unsigned int issued;
	size_t issued_bytes;
	unsigned int nr_free;
	u8 free[UDMA_WINDOW_SLOTS];
	struct udma_slot slots[UDMA_WINDOW_SLOTS];
};

void udma_engine_init(struct udma_engine *engine, struct dma_chan *dma);
void udma_engine_add(struct udma_engine *engine, struct udma_file *file);
void udma_engine_remove(struct udma_engine *engine, struct udma_file *file);
void udma_engine_run(struct udma_engine *engine);
void udma_engine_stop(struct udma_chan *chan);

/* file: one open() */

/**
 * struct udma_file - the kernel's part of an open file
 * @chan: the channel, a reference to its device
 * @node: in the channel's list while it is open; under its files_lock
 * @mapping: the page cache of the node it was opened by, for the zap
 * @refs: the open file and each buffer; under the engine's lock
 * @closed: the program cannot see it any more
 * @run: in the engine's list of runnable files
 * @credit: what is left of its turn, in bytes
 * @queue: transfers with something to give to hardware, in order
 * @free: transfers not in use
 * @active: transfers that are ISSUED
 * @submit_lock: order among submitters, and @batch
 * @sequence: number of the next transfer; under @submit_lock
 * @batch: requests, copied once from the program
 * @buffers: its memory
 * @events: its completion queue
 * @xfers: its transfers, one for each slot of the queue
 */
struct udma_file {
	struct udma_chan *chan;
	struct list_head node;
	struct address_space *mapping;
	unsigned int refs;
	bool closed;
	struct list_head run;
	size_t credit;
	struct list_head queue;
	struct list_head free;
	unsigned int active;
	struct mutex submit_lock;
	u64 sequence;
	struct udma_request batch[UDMA_SUBMIT_BATCH];
	struct udma_buffers buffers;
	struct udma_events events;
	struct udma_xfer xfers[UDMA_EVENT_SLOTS];
};

extern const struct file_operations udma_fops;
void udma_file_put(struct udma_file *file);

/* chan: /dev/udmaN */

/**
 * struct udma_chan - a bound channel
 * @dev: /dev/udmaN; its references are the channel's
 * @cdev: its operations
 * @dma_dev: the device that memory is allocated for; inside udma_chan_enter()
 * @gone: being unbound or not there any more; see udma_chan_enter()
 * @info: what UDMA_INFO tells
 * @engine: the hardware
 * @limit: how much memory it may have
 * @files_lock: see the top of this file
 * @files: the open files
 * @reap_lock: see the top of this file
 * @reap: frees what died where it could not be freed
 * @buffers: with memory, in use
 * @unmapped: in use, with memory that is gone or held by hardware
 * @dead: to be freed
 * @mappings: of which no unbind has waited for; see struct udma_mapping
 */
struct udma_chan {
	struct device dev;
	struct cdev cdev;
	struct device *dma_dev;
	bool gone;
	struct udma_info info;
	struct udma_engine engine;
	struct udma_limit limit;
	struct mutex files_lock;
	struct list_head files;
	struct mutex reap_lock;
	struct work_struct reap;
	struct list_head buffers;
	struct list_head unmapped;
	struct list_head dead;
	struct list_head mappings;
};

int udma_chan_enter(struct udma_chan *chan);
void udma_chan_leave(int cookie);
bool udma_chan_gone(struct udma_chan *chan);

#endif /* UDMA_H */
