/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the classes know of each other. Only here the kernel's header is seen.
 */
#ifndef LIBUDMA_INTERNAL_H
#define LIBUDMA_INTERNAL_H

#include <linux/udma.h>

#include "libudma.h"

#define UDMA_EXPORT __attribute__((visibility("default")))

/**
 * struct udma_channel - see libudma.h
 * @fd: the open device
 * @owner: the process that opened it
 * @id: its number in this process, never given again; 0 is none
 * @pending: transfers whose completion has not been read
 * @last_sequence: number of the transfer that was submitted last
 * @buffers: those not freed
 */
struct udma_channel {
	int fd;
	pid_t owner;
	unsigned long id;
	size_t pending;
	uint64_t last_sequence;
	struct udma_buffer *buffers;
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
 * @dst_channel: number of the channel that the destination belongs to
 * @src_channel: the same for the source
 *
 * A handle means nothing to another channel but may be in use there, so the
 * channel is kept with it. Pointers to buffers could dangle.
 */
struct udma_transfer {
	struct udma_request request;
	unsigned long dst_channel;
	unsigned long src_channel;
};

struct udma_completion {
	struct udma_event event;
};

int udma_channel_ioctl(const struct udma_channel *channel, unsigned long request, void *arg);
ssize_t udma_channel_read_events(struct udma_channel *channel, struct udma_completion *items,
				 size_t count);
int udma_device_open(const char *name, int flags);
void udma_buffer_orphan(struct udma_buffer *buffer);

#endif /* LIBUDMA_INTERNAL_H */
