/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the classes know of each other. Only here the kernel's header is seen.
 */
#ifndef LIBUDMA_INTERNAL_H
#define LIBUDMA_INTERNAL_H

#include <linux/udma.h>

#include "libudma.h"

#define UDMA_EXPORT __attribute__((visibility("default")))
/* Not part of its callers, so that these have fewer registers to save. */
#define UDMA_APART __attribute__((noinline))

/**
 * struct udma_rings - queues that the kernel shares with the program
 * @setup: what the kernel said of them; of no entries when there are none
 * @shared: the mapping, which begins with this; NULL for none
 *
 * The kernel gives them to an open device once and for all, so they are the
 * channel's, and one struct udma_queue after the other can have them.
 */
struct udma_rings {
	struct udma_queue_setup setup;
	struct udma_queue_shared *shared;
};

/**
 * struct udma_channel - see libudma.h
 * @fd: the open device
 * @owner: the process that opened it
 * @id: its number in this process, never given again; 0 is none
 * @pending: transfers and streams whose completion has not been read, and that were
 *	submitted by other means than the queue
 * @last_sequence: number of the one that was submitted last
 * @buffers: those not freed
 * @queue: the one it has, or NULL
 * @rings: what it shares with the kernel since a mapped queue was made
 * @stream: the one that has not ended and was not freed, or NULL
 * @stream_shared: what it shares with the kernel since a stream was started
 * @stream_map_bytes: how long that is
 */
struct udma_channel {
	int fd;
	pid_t owner;
	unsigned long id;
	size_t pending;
	uint64_t last_sequence;
	struct udma_buffer *buffers;
	struct udma_queue *queue;
	struct udma_rings rings;
	struct udma_stream *stream;
	struct udma_stream_shared *stream_shared;
	size_t stream_map_bytes;
};

/**
 * struct udma_buffer - see libudma.h
 * @channel: NULL when it was closed
 * @channel_id: its number, also then
 * @next: in the channel's list
 * @prev: what points to it there
 * @handle: the kernel's name for it
 * @cached: whether the CPU caches @data
 * @data: the mapping
 * @bytes: what was asked for
 * @map_bytes: what is mapped
 */
struct udma_buffer {
	struct udma_channel *channel;
	unsigned long channel_id;
	struct udma_buffer *next;
	struct udma_buffer **prev;
	uint32_t handle;
	bool cached;
	void *data;
	size_t bytes;
	size_t map_bytes;
};

/**
 * struct udma_transfer - see libudma.h
 * @request: as the kernel takes it
 * @channel_id: number of the channel that its buffers belong to; 0 if they do not
 *	belong to the same one
 *
 * A handle means nothing to another channel but may be in use there, so the
 * channel is kept with it. Pointers to buffers could dangle.
 */
struct udma_transfer {
	struct udma_request request;
	unsigned long channel_id;
};

/**
 * struct udma_ranges - see libudma.h
 * @items: as the kernel takes them
 * @count: how many there are
 * @room: for how many there is memory
 * @bytes: their sum
 * @channel_id: number of the channel that their buffers belong to, if there are any
 */
struct udma_ranges {
	struct udma_range *items;
	size_t count;
	size_t room;
	uint64_t bytes;
	unsigned long channel_id;
};

struct udma_completion {
	struct udma_event event;
};

/**
 * struct udma_queue_ops - where a mapped queue and a plain one differ
 * @submit: have the kernel take what was added, up to one that it refuses. Returns
 *	how many were taken, or -1 when that is none of those there were
 * @wait: the same, then wait until so many completions, at least 1, can be taken or the
 *	time, which is not 0, is over. Returns as udma_queue_wait() does
 * @look: move complete_tail to where it is now; what was taken before is free.
 *	Returns how many can be taken, or -1; ENODEV when none ever will
 */
struct udma_queue_ops {
	int (*submit)(struct udma_queue *queue);
	ssize_t (*wait)(struct udma_queue *queue, uint32_t complete, int64_t timeout_ns);
	int (*look)(struct udma_queue *queue);
};

/**
 * struct udma_queue - see libudma.h
 * @requests: the submission queue
 * @completions: the completion queue
 * @mask: entries of either less one; entry i is at i & @mask
 * @depth: how many transfers may be added and not taken
 * @submit_head: how many requests the kernel has taken
 * @submit_tail: how many were added. As the others it wraps
 * @complete_head: how many completions were taken
 * @complete_tail: how many were there at the last look
 * @submit_end: how many requests may be added until completions are taken
 * @channel_id: whose buffers its transfers have to name
 * @ops: how this one reaches the kernel
 * @channel: NULL when it was closed
 * @shared: the kernel's side of the counts, of a mapped queue
 * @busy_ns: for how long the kernel is to look before it goes to sleep
 * @memory: of a plain queue, in which @requests and @completions lie
 */
struct udma_queue {
	struct udma_request *requests;
	struct udma_completion *completions;
	uint32_t mask;
	uint32_t depth;
	uint32_t submit_head;
	uint32_t submit_tail;
	uint32_t complete_head;
	uint32_t complete_tail;
	uint32_t submit_end;
	unsigned long channel_id;
	const struct udma_queue_ops *ops;
	struct udma_channel *channel;
	struct udma_queue_shared *shared;
	uint64_t busy_ns;
	void *memory;
};

/* How many can be added. */
static inline uint32_t udma_queue_room(const struct udma_queue *queue)
{
	return queue->submit_end - queue->submit_tail;
}

/* How many were added, submitted or not, whose completion was not taken. */
static inline uint32_t udma_queue_used(const struct udma_queue *queue)
{
	return queue->depth - udma_queue_room(queue);
}

/* How many were added that the kernel has not taken. */
static inline uint32_t udma_queue_added(const struct udma_queue *queue)
{
	return queue->submit_tail - queue->submit_head;
}

/* How many completions can be taken without another look. */
static inline uint32_t udma_queue_ready(const struct udma_queue *queue)
{
	return queue->complete_tail - queue->complete_head;
}

/* How many the kernel has taken whose completion was not taken. */
static inline uint32_t udma_queue_submitted(const struct udma_queue *queue)
{
	return udma_queue_used(queue) - udma_queue_added(queue);
}

int udma_channel_ioctl(const struct udma_channel *channel, unsigned long request, void *arg);
ssize_t udma_channel_read_events(struct udma_channel *channel, struct udma_completion *items,
				 size_t count);
int udma_channel_check(const struct udma_channel *channel, const struct udma_transfer *transfer);
uint64_t udma_clock_ns(void);
int64_t udma_time_left(int64_t timeout_ns, uint64_t since);
int udma_device_open(const char *name, int flags);
void udma_buffer_orphan(struct udma_buffer *buffer);
void udma_queue_orphan(struct udma_queue *queue);
void udma_queue_say_no_more(struct udma_queue *queue);
int udma_queue_init_mapped(struct udma_queue *queue, uint32_t entries);
int udma_queue_init_plain(struct udma_queue *queue, uint32_t entries);
void udma_rings_unmap(struct udma_rings *rings);
void udma_stream_orphan(struct udma_stream *stream);
void udma_stream_unmap(struct udma_channel *channel);

#endif /* LIBUDMA_INTERNAL_H */
