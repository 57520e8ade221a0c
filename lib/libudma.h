/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libudma - DMA channels for programs
 *
 * A program opens a channel, allocates buffers that it and a DMA controller
 * both see, describes transfers by buffer, offset and length, submits them, and
 * reads one completion for each:
 *
 *	struct udma_channel *channel = udma_channel_open("udma0");
 *	struct udma_buffer *src = udma_buffer_alloc(channel, 4096);
 *	struct udma_buffer *dst = udma_buffer_alloc(channel, 4096);
 *
 *	memset(udma_buffer_get_data(src), 0x5a, 4096);
 *	if (udma_channel_copy(channel, dst, 0, src, 0, 4096) < 0)
 *		perror("copy");
 *
 *	udma_buffer_free(dst);
 *	udma_buffer_free(src);
 *	udma_channel_close(channel);
 *
 * Errors: a function that can fail returns -1 or NULL and sets errno. Nothing
 * is printed, and the program is never ended. Each function lists what is
 * particular to it; all that ask the kernel may also fail with ENODEV when the
 * channel is gone, because it was unbound or its controller was removed.
 *
 * Free: each udma_*_free() and udma_channel_close() takes NULL, which does
 * nothing, and leaves errno as it was.
 *
 * Threads: an object is used by one thread at a time, and a channel's buffers,
 * its queue and its stream count as part of it, except for the memory itself. Different
 * channels, also two that opened the same device, are independent. The exceptions
 * are udma_channel_cancel() and udma_channel_cancel_all(): as long as the channel
 * is open they may be called at any time by any thread, and by a signal's handler.
 *
 * Processes: after fork() a channel still belongs to the parent. The child sees
 * the same memory in the buffers, and may close the channel and free the buffers,
 * the queue and the stream, which takes nothing from the parent; nothing else is
 * defined.
 * Nothing is inherited through execve().
 */
#ifndef LIBUDMA_H
#define LIBUDMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * enum udma_channel_state - how a channel is
 * @UDMA_CHANNEL_WORKING: as it should be
 * @UDMA_CHANNEL_RESETTING: its controller is being stopped, for it hung or root
 *	said so. It goes on afterwards; what is submitted waits
 * @UDMA_CHANNEL_FAILED: its controller could not be stopped. Nothing can be
 *	submitted until it lets go after all, or root resets it
 *
 * There may be more some day.
 */
enum udma_channel_state {
	UDMA_CHANNEL_WORKING	= 0,
	UDMA_CHANNEL_RESETTING	= 1,
	UDMA_CHANNEL_FAILED	= 2,
};

/*
 * enum udma_channel_direction - between what a channel moves data
 * @UDMA_CHANNEL_MEM_TO_MEM: within memory
 * @UDMA_CHANNEL_MEM_TO_DEV: from memory to a device
 * @UDMA_CHANNEL_DEV_TO_MEM: from a device to memory
 * @UDMA_CHANNEL_NO_DIRECTION: root has not said yet, so nothing is possible
 *
 * Within memory any number of programs share a channel, and transfers have no order.
 * The channel of a device belongs to who submits first, until that one has closed it and
 * the controller has let go; the others get EBUSY. It keeps the order in which transfers
 * are submitted.
 *
 * There may be more some day.
 */
enum udma_channel_direction {
	UDMA_CHANNEL_MEM_TO_MEM		= 0,
	UDMA_CHANNEL_MEM_TO_DEV		= 1,
	UDMA_CHANNEL_DEV_TO_MEM		= 2,
	UDMA_CHANNEL_NO_DIRECTION	= 4,
};

/*
 * enum udma_channel_residue - how finely a controller tells how far it has come
 * @UDMA_CHANNEL_RESIDUE_DESCRIPTOR: only that it is done with all of a transfer
 * @UDMA_CHANNEL_RESIDUE_SEGMENT: by ranges of a list, or periods of a stream
 * @UDMA_CHANNEL_RESIDUE_BURST: as finely as it moves data
 *
 * There may be more some day.
 */
enum udma_channel_residue {
	UDMA_CHANNEL_RESIDUE_DESCRIPTOR	= 0,
	UDMA_CHANNEL_RESIDUE_SEGMENT	= 1,
	UDMA_CHANNEL_RESIDUE_BURST	= 2,
};

/*
 * struct udma_channel - an open DMA channel
 *
 * What is not freed when it is closed, or when the program ends, the kernel
 * takes back. Transfers that are under way then are no danger to anybody.
 */
struct udma_channel;

/*
 * struct udma_channel_info - what a channel is, can do and allows
 *
 * A copy, which stays as it is when the channel is closed.
 */
struct udma_channel_info;

/*
 * struct udma_buffer - memory that the program and the DMA controller see
 *
 * Either sees at once what the other wrote, without any further call. Whoever
 * reads what a transfer writes before its completion was read, or writes what
 * it reads, gets some mixture.
 */
struct udma_buffer;

/*
 * struct udma_transfer - the description of a transfer
 *
 * Only a description: it can be submitted any number of times, changed or freed
 * at once after it was submitted, and used with any channel whose buffers it
 * names.
 */
struct udma_transfer;

/*
 * struct udma_ranges - a list of pieces of buffers, for one end of a transfer
 *
 * A transfer to or from a device can gather its data from such a list, or scatter it
 * over one; a copy has two. The list names buffers and does not hold them: once one has
 * been freed, to submit a transfer that uses the list is ENOENT.
 *
 * A transfer does not copy a list either, and the kernel reads it when the transfer is
 * taken: by udma_channel_submit() or udma_channel_submit_one(); or, after
 * udma_queue_add(), by udma_queue_submit() or udma_queue_wait(). So from when a
 * description was given a list, until the call has returned that took the transfer, the
 * list must not be changed or freed. After that it may be, and then has to be set once
 * more before the description is used again.
 */
struct udma_ranges;

/*
 * struct udma_completions - room for completions, and those read last
 */
struct udma_completions;

/*
 * struct udma_completion - how one transfer ended
 *
 * Part of a struct udma_completions, and valid until that is read into again or
 * freed; or of a struct udma_queue, see udma_queue_next().
 */
struct udma_completion;

/*
 * struct udma_queue - many transfers with few calls of the kernel
 *
 * Transfers are added to it, submitted together, and their completions taken one
 * by one, all by the same object:
 *
 *	while (udma_queue_get_pending(queue)) {
 *		if (udma_queue_wait(queue, 1, -1) < 0)
 *			break;
 *		while ((completion = udma_queue_next(queue)))
 *			have_another(queue, completion);
 *	}
 *
 * with a have_another() that may add transfers: the next udma_queue_wait() submits
 * them. Mapped, it is shared with the kernel: that one is the only system call in
 * the loop. The calls are the same without.
 *
 * A channel has one queue at most. As long as it has, its transfers are the queue's:
 * udma_channel_submit(), udma_channel_submit_one() and udma_channel_read() fail
 * with EBUSY. udma_channel_copy() and udma_channel_fill() go through the queue,
 * when nothing else is in it. All other calls are as before; but as the queue may
 * have read completions already, udma_channel_wait() and a poll loop of one's own
 * only make sense when udma_queue_next() has returned NULL.
 */
struct udma_queue;

/*
 * enum udma_queue_flags - how a queue is to be
 * @UDMA_QUEUE_MAPPED: share it with the kernel. Needs a driver that can
 */
enum udma_queue_flags {
	UDMA_QUEUE_MAPPED	= 1 << 0,
};

/*
 * struct udma_stream_config - the description of a stream
 *
 * Only a description, as a struct udma_transfer is: it can be used any number of
 * times, and changed or freed at once.
 */
struct udma_stream_config;

/*
 * struct udma_stream - data that a device gives or takes continuously
 *
 * There are three kinds, by what was described and by the channel's direction:
 *
 * capture	udma_stream_config_set_cyclic(), from a device: the controller fills a ring
 *		again and again, without a gap. The program reads in place:
 *
 *	while (udma_stream_wait(stream, -1) > 0) {
 *		while ((bytes = udma_stream_peek(stream, &data)) > 0) {
 *			use(data, bytes);
 *			if (udma_stream_consume(stream, bytes) < 0)
 *				forget_it();
 *		}
 *	}
 *
 * playback	udma_stream_config_set_cyclic(), to a device: the controller empties the
 *		ring, and the program fills it in place, with udma_stream_get_room() and
 *		udma_stream_commit() likewise.
 *
 * packets	udma_stream_config_set_packets(), from a device: each packet comes into a slot
 *		of its own, see udma_stream_next_packet() and udma_stream_give_back().
 *
 * Where there is data, or room, no call of the kernel is needed. A function for another
 * kind of stream fails with EOPNOTSUPP.
 *
 * Who does not keep up loses data, and is told how much: see udma_stream_get_lost(). Or
 * the stream stops then: udma_stream_config_set_stop_on_overrun().
 *
 * A stream has its channel for itself, and udma_channel_get_pending() counts it as one
 * transfer. Until it has ended nothing else can be submitted, and udma_channel_submit(),
 * udma_channel_submit_one(), udma_channel_read(), udma_channel_copy() and the like,
 * udma_queue_new() and udma_stream_start() fail with EBUSY. What ends a transfer ends a
 * stream: udma_channel_cancel() by its number, which udma_channel_get_last_sequence()
 * tells after it was started, udma_channel_cancel_all(), a failure, and that the
 * channel goes away or is closed. It has ended when udma_stream_has_ended() says so, or
 * udma_stream_wait() or udma_stream_wait_end(); then the channel is free, while data that
 * came before can still be read.
 *
 * The buffer must not be freed before the stream: its memory is what the program
 * reads or fills. It may be used in more ways than one at a time, as far as the ring is
 * not concerned.
 *
 * For a poll loop of one's own: the channel's descriptor has POLLIN when there are news of
 * the stream. udma_stream_wait() with a timeout of 0 takes them, so it is to be
 * called until it returns 0, or fails, before the descriptor is polled again.
 */
struct udma_stream;

/**
 * udma_version() - tell the version of the library
 *
 * Return: such as "0.1.0"; constant.
 *
 * Since: 0.1
 */
const char *udma_version(void);

/**
 * udma_channel_open() - open a channel
 * @name: a path such as "/dev/udma0" if there is a slash in it, a device's name
 *	such as "udma0", or the name that was given when the channel was bound
 *
 * The name given at bind is looked up in sysfs, so it needs no udev.
 *
 * Return: the channel, which the caller closes with udma_channel_close(), or
 * NULL. Errors: ENOENT for no such device, EACCES, EBUSY while somebody has it
 * by udma_channel_open_exclusive(), ENOTTY when it is something else than a
 * udma device, ENOMEM, and those of open().
 *
 * Since: 0.1
 */
struct udma_channel *udma_channel_open(const char *name);

/**
 * udma_channel_open_exclusive() - open a channel and let nobody else in
 * @name: as for udma_channel_open()
 *
 * Until the channel has been closed and the last of its buffers freed, all who
 * open the device get EBUSY. As nobody else has to suffer for it, a transfer
 * that the controller does not end in time has the device reset at once; see
 * udma_transfer_set_timeout_ns().
 *
 * Return: the channel, which the caller closes with udma_channel_close(), or
 * NULL. Errors: those of udma_channel_open(), and EBUSY also while anybody has
 * it open or mapped.
 *
 * Since: 0.2
 */
struct udma_channel *udma_channel_open_exclusive(const char *name);

/**
 * udma_channel_close() - close a channel
 * @channel: the channel, or NULL
 *
 * Nobody is told any more how transfers under way end. When the last buffer has
 * been freed as well, the controller is given no more of them, as if they had
 * been cancelled. Buffers that were not freed stay memory of the program and
 * still have to be freed, but are of no use for transfers.
 *
 * Since: 0.1
 */
void udma_channel_close(struct udma_channel *channel);

/**
 * udma_channel_get_fd() - tell the channel's file descriptor
 * @channel: the channel
 *
 * For a poll loop of one's own: POLLIN says that there are completions to read,
 * POLLOUT that there is room to submit, POLLHUP that the channel is gone. The
 * descriptor belongs to the channel, is O_NONBLOCK and O_CLOEXEC, and is only
 * for waiting: who reads from it takes completions that the library counts.
 *
 * Return: the descriptor.
 *
 * Since: 0.1
 */
int udma_channel_get_fd(const struct udma_channel *channel);

/**
 * udma_channel_get_pending() - tell how many transfers are not done with
 * @channel: the channel
 *
 * Return: the number of transfers that were submitted and whose completions
 * have not been read; a stream that has not ended is one of them.
 *
 * Since: 0.1
 */
size_t udma_channel_get_pending(const struct udma_channel *channel);

/**
 * udma_channel_get_last_sequence() - tell the number of the last transfer
 * @channel: the channel
 *
 * Transfers are numbered in the order in which they were submitted, from 1 on
 * and without a gap. So after a udma_channel_submit() that took n, the numbers
 * of these are this one and the n - 1 before it.
 *
 * Return: the number of the transfer that was submitted last, for
 * udma_channel_cancel(); 0 before there was one.
 *
 * Since: 0.2
 */
uint64_t udma_channel_get_last_sequence(const struct udma_channel *channel);

/**
 * udma_channel_get_info() - ask what a channel is, can do and allows
 * @channel: the channel
 *
 * Return: the answer, which the caller frees with udma_channel_info_free(), or
 * NULL. Errors: ENOMEM.
 *
 * Since: 0.1
 */
struct udma_channel_info *udma_channel_get_info(struct udma_channel *channel);

/**
 * udma_channel_info_free() - free what udma_channel_get_info() returned
 * @info: the answer, or NULL
 *
 * Since: 0.1
 */
void udma_channel_info_free(struct udma_channel_info *info);

/**
 * udma_channel_info_get_name() - tell the name given when the channel was bound
 * @info: the answer
 *
 * Return: the name; that of the device, such as "udma0", if none was given.
 * Belongs to @info.
 *
 * Since: 0.1
 */
const char *udma_channel_info_get_name(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_channel() - tell dmaengine's name of the channel
 * @info: the answer
 *
 * Return: such as "dma0chan1". Belongs to @info.
 *
 * Since: 0.1
 */
const char *udma_channel_info_get_channel(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_device() - tell the name of the DMA controller
 * @info: the answer
 *
 * Return: the name of its device in the kernel, such as "udma-sim.0". Belongs
 * to @info.
 *
 * Since: 0.1
 */
const char *udma_channel_info_get_device(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_driver() - tell the DMA controller's driver
 * @info: the answer
 *
 * Return: the driver's name in the kernel. Belongs to @info.
 *
 * Since: 0.1
 */
const char *udma_channel_info_get_driver(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_copy() - tell whether the channel can copy
 * @info: the answer
 *
 * Return: true if udma_transfer_set_copy() is of use with it.
 *
 * Since: 0.1
 */
bool udma_channel_info_can_copy(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_fill() - tell whether the channel can fill
 * @info: the answer
 *
 * Return: true if udma_transfer_set_fill() is of use with it.
 *
 * Since: 0.1
 */
bool udma_channel_info_can_fill(const struct udma_channel_info *info);

/**
 * udma_channel_info_is_coherent() - tell whether the controller snoops caches
 * @info: the answer
 *
 * Return: true if buffers are ordinary cached memory; see also
 * udma_buffer_is_cached().
 *
 * Since: 0.1
 */
bool udma_channel_info_is_coherent(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_bytes() - tell how much memory one may have
 * @info: the answer
 *
 * Return: the most bytes that all buffers of a channel may have together, each
 * rounded up to whole pages.
 *
 * Since: 0.1
 */
uint64_t udma_channel_info_get_max_bytes(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_segment_bytes() - tell the controller's own limit
 * @info: the answer
 *
 * A longer transfer is no mistake: the kernel cuts it into pieces.
 *
 * Return: the most bytes that the controller moves by one descriptor.
 *
 * Since: 0.1
 */
uint64_t udma_channel_info_get_max_segment_bytes(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_buffers() - tell how many buffers one may have
 * @info: the answer
 *
 * Return: the most buffers that a channel may have.
 *
 * Since: 0.1
 */
unsigned int udma_channel_info_get_max_buffers(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_transfers() - tell how many transfers one may have
 * @info: the answer
 *
 * Return: the most transfers that may be pending; see
 * udma_channel_get_pending().
 *
 * Since: 0.1
 */
unsigned int udma_channel_info_get_max_transfers(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_copy_align() - tell the alignment of copies
 * @info: the answer
 *
 * Return: what both offsets and the length of a copy must be a multiple of, in
 * bytes; a power of two.
 *
 * Since: 0.1
 */
unsigned int udma_channel_info_get_copy_align(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_fill_align() - tell the alignment of fills
 * @info: the answer
 *
 * Return: what the offset and the length of a fill must be a multiple of, in
 * bytes; a power of two.
 *
 * Since: 0.1
 */
unsigned int udma_channel_info_get_fill_align(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_state() - tell whether the channel works
 * @info: the answer
 *
 * Return: how it was when udma_channel_get_info() asked.
 *
 * Since: 0.2
 */
enum udma_channel_state udma_channel_info_get_state(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_stall_ms() - tell when a controller counts as hung
 * @info: the answer
 *
 * Return: for how many milliseconds the controller may end nothing of what it
 * has before the channel is reset. Root sets it.
 *
 * Since: 0.2
 */
unsigned int udma_channel_info_get_stall_ms(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_timeout_ns() - tell the timeout of the channel
 * @info: the answer
 *
 * Return: the timeout of transfers without one of their own, in nanoseconds; 0
 * for none. See udma_transfer_set_timeout_ns(). Root sets it.
 *
 * Since: 0.2
 */
uint64_t udma_channel_info_get_timeout_ns(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_direction() - tell between what the channel moves data
 * @info: the answer
 *
 * Return: the direction that root has set. It does not change while anybody has the
 * channel open.
 *
 * Since: 0.4
 */
enum udma_channel_direction udma_channel_info_get_direction(const struct udma_channel_info *info);

/**
 * udma_channel_info_has_direction() - tell whether root could set a direction
 * @info: the answer
 * @direction: which one
 *
 * Return: true if the controller is able to it.
 *
 * Since: 0.4
 */
bool udma_channel_info_has_direction(const struct udma_channel_info *info,
				     enum udma_channel_direction direction);

/**
 * udma_channel_info_can_interleave() - tell whether the channel can copy lines
 * @info: the answer
 *
 * Return: true if udma_transfer_set_interleave() is of use with it.
 *
 * Since: 0.4
 */
bool udma_channel_info_can_interleave(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_send() - tell whether the channel can give data to a device
 * @info: the answer
 *
 * Return: true if udma_transfer_set_send() is of use with it.
 *
 * Since: 0.4
 */
bool udma_channel_info_can_send(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_receive() - tell whether the channel can get data from a device
 * @info: the answer
 *
 * Return: true if udma_transfer_set_receive() and udma_stream_config_set_packets() are
 * of use with it.
 *
 * Since: 0.4
 */
bool udma_channel_info_can_receive(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_cycle() - tell whether the channel can go round and round
 * @info: the answer
 *
 * Return: true if udma_stream_config_set_cyclic() is of use with it.
 *
 * Since: 0.4
 */
bool udma_channel_info_can_cycle(const struct udma_channel_info *info);

/**
 * udma_channel_info_can_pause() - tell whether a stream can be paused
 * @info: the answer
 *
 * Return: true if udma_stream_pause() and udma_stream_resume() are of use with it.
 *
 * Since: 0.4
 */
bool udma_channel_info_can_pause(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_residue() - tell how finely the controller counts
 * @info: the answer
 *
 * Return: with what precision it tells how far it has come. By it depends how
 * far udma_stream_get_moved() and udma_completion_get_bytes() can be exact.
 *
 * Since: 0.4
 */
enum udma_channel_residue udma_channel_info_get_residue(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_widths() - tell how the device may be accessed
 * @info: the answer
 *
 * Return: how many bytes at a time are possible at the device's side: bit n stands
 * for n bytes, such as 1 << 4 for 4 of them; 0 if that is not known.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_widths(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_burst() - tell how long a burst may be
 * @info: the answer
 *
 * Return: how many accesses of that width one burst may have at most; 0 if that is not
 * known.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_max_burst(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_width() - tell how the device is accessed
 * @info: the answer
 *
 * Return: how many bytes at a time root has set for the device's side; 0 for what the
 * controller does by itself.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_width(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_burst() - tell how long a burst is
 * @info: the answer
 *
 * Return: how many accesses root has set for one burst; 0 for what the controller does by
 * itself.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_burst(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_window() - tell how much the controller is given at a time
 * @info: the answer
 *
 * Return: how many transfers, or pieces of them, the controller has at a time at most. Root
 * sets it.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_window(const struct udma_channel_info *info);

/**
 * udma_channel_info_get_max_ranges() - tell how long a list may be
 * @info: the answer
 *
 * Return: the most ranges that one struct udma_ranges may have when it is submitted.
 *
 * Since: 0.4
 */
unsigned int udma_channel_info_get_max_ranges(const struct udma_channel_info *info);

/**
 * udma_buffer_alloc() - allocate a buffer for a channel and map it
 * @channel: the channel whose transfers it is for
 * @bytes: how long it is to be, any number but zero
 *
 * The memory is zero and begins at a page. It counts against the limits of the
 * channel.
 *
 * Return: the buffer, which the caller frees with udma_buffer_free(), or NULL.
 * Errors: EINVAL for no bytes, ENOMEM, EDQUOT over
 * udma_channel_info_get_max_bytes(), udma_channel_info_get_max_buffers() or
 * another limit that the system has for such memory.
 *
 * Since: 0.1
 */
struct udma_buffer *udma_buffer_alloc(struct udma_channel *channel, size_t bytes);

/**
 * udma_buffer_free() - free a buffer
 * @buffer: the buffer, or NULL
 *
 * The program's view of the memory goes at once. Transfers under way go on to
 * their end, as before, and the kernel keeps the memory until then. It makes no
 * difference whether the channel is still open.
 *
 * Since: 0.1
 */
void udma_buffer_free(struct udma_buffer *buffer);

/**
 * udma_buffer_get_data() - tell where the memory of a buffer is
 * @buffer: the buffer
 *
 * When the channel has gone (ENODEV), touching the memory is SIGBUS.
 *
 * Return: the memory, which belongs to the buffer.
 *
 * Since: 0.1
 */
void *udma_buffer_get_data(const struct udma_buffer *buffer);

/**
 * udma_buffer_get_bytes() - tell how long a buffer is
 * @buffer: the buffer
 *
 * Return: what was asked of udma_buffer_alloc(), in bytes.
 *
 * Since: 0.1
 */
size_t udma_buffer_get_bytes(const struct udma_buffer *buffer);

/**
 * udma_buffer_is_cached() - tell whether the CPU caches the memory of a buffer
 * @buffer: the buffer
 *
 * Return: true for ordinary memory, false for memory that is not cached, which
 * is slow to read.
 *
 * Since: 0.1
 */
bool udma_buffer_is_cached(const struct udma_buffer *buffer);

/**
 * udma_ranges_new() - make a list of pieces of buffers
 *
 * Return: the list, of nothing yet, which the caller frees with udma_ranges_free(), or
 * NULL. Errors: ENOMEM.
 *
 * Since: 0.4
 */
struct udma_ranges *udma_ranges_new(void);

/**
 * udma_ranges_free() - free a list
 * @ranges: the list, or NULL
 *
 * Not while a description of a transfer that is going to be submitted has it; see
 * struct udma_ranges. The buffers stay.
 *
 * Since: 0.4
 */
void udma_ranges_free(struct udma_ranges *ranges);

/**
 * udma_ranges_add() - put a piece of a buffer at the end of a list
 * @ranges: the list
 * @buffer: the buffer; of the same channel as those that are in the list
 * @offset: where in it the piece begins, in bytes
 * @bytes: how long it is, at least 1
 *
 * Whether it is within its buffer, and the alignment right, is told when a transfer
 * with the list is submitted; and so is whether the list has more of them than
 * udma_channel_info_get_max_ranges() tells.
 *
 * Return: 0, or -1 with the list as it was. Errors: EINVAL for no bytes, ENOENT for a
 * buffer of another channel, ENOMEM.
 *
 * Since: 0.4
 */
int udma_ranges_add(struct udma_ranges *ranges, const struct udma_buffer *buffer, size_t offset,
		    size_t bytes);

/**
 * udma_ranges_clear() - remove all pieces from a list
 * @ranges: the list
 *
 * What follows may be of another channel.
 *
 * Since: 0.4
 */
void udma_ranges_clear(struct udma_ranges *ranges);

/**
 * udma_ranges_get_count() - tell how many pieces a list has
 * @ranges: the list
 *
 * Return: how often udma_ranges_add() has added one since the list was empty.
 *
 * Since: 0.4
 */
size_t udma_ranges_get_count(const struct udma_ranges *ranges);

/**
 * udma_ranges_get_bytes() - tell how long the pieces of a list are together
 * @ranges: the list
 *
 * Return: the sum of their lengths, in bytes.
 *
 * Since: 0.4
 */
uint64_t udma_ranges_get_bytes(const struct udma_ranges *ranges);

/**
 * udma_transfer_new() - make the description of a transfer
 *
 * It describes nothing yet: udma_transfer_set_copy() or another one that says what is to be
 * done comes next. The last of these counts. Mistakes in a description are told
 * when it is submitted.
 *
 * Return: the description, which the caller frees with udma_transfer_free(), or
 * NULL. Errors: ENOMEM.
 *
 * Since: 0.1
 */
struct udma_transfer *udma_transfer_new(void);

/**
 * udma_transfer_free() - free the description of a transfer
 * @transfer: the description, or NULL
 *
 * Since: 0.1
 */
void udma_transfer_free(struct udma_transfer *transfer);

/**
 * udma_transfer_set_copy() - describe a copy
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @dst: the buffer to write
 * @dst_offset: where in it to begin, in bytes
 * @src: the buffer to read; may be the same, if the ranges do not overlap
 * @src_offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 *
 * The description holds no buffer: once one has been freed, to submit it is
 * ENOENT.
 *
 * Since: 0.1
 */
void udma_transfer_set_copy(struct udma_transfer *transfer, const struct udma_buffer *dst,
			    size_t dst_offset, const struct udma_buffer *src, size_t src_offset,
			    size_t bytes);

/**
 * udma_transfer_set_fill() - describe a fill
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @dst: the buffer to write
 * @dst_offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 * @value: what each byte becomes
 *
 * As for udma_transfer_set_copy(), the description does not hold the buffer.
 *
 * Since: 0.1
 */
void udma_transfer_set_fill(struct udma_transfer *transfer, const struct udma_buffer *dst,
			    size_t dst_offset, size_t bytes, uint8_t value);

/**
 * udma_transfer_set_interleave() - describe a copy of lines
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @dst: the buffer to write
 * @dst_offset: where in it the first line begins, in bytes
 * @dst_stride: from the beginning of a line to that of the next one there, in bytes; at
 *	least @line_bytes, less than 4 GiB
 * @src: the buffer to read; may be the same, if no lines overlap
 * @src_offset: where in it the first line begins, in bytes
 * @src_stride: the same as @dst_stride for the source
 * @line_bytes: how long a line is, in bytes; at least 1, and at most
 *	udma_channel_info_get_max_segment_bytes()
 * @lines: how many there are, at least 1
 *
 * So a rectangle can be cut out of a picture, or put into one. As for
 * udma_transfer_set_copy(), the description does not hold the buffers.
 *
 * Since: 0.4
 */
void udma_transfer_set_interleave(struct udma_transfer *transfer, const struct udma_buffer *dst,
				  size_t dst_offset, size_t dst_stride,
				  const struct udma_buffer *src, size_t src_offset,
				  size_t src_stride, size_t line_bytes, size_t lines);

/**
 * udma_transfer_set_send() - describe a transfer to a device
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @src: the buffer to read
 * @offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 *
 * A device that knows packets gets one packet, if the transfer has no more pieces than the
 * controller takes at a time. As for udma_transfer_set_copy(), the description does not
 * hold the buffer.
 *
 * Since: 0.4
 */
void udma_transfer_set_send(struct udma_transfer *transfer, const struct udma_buffer *src,
			    size_t offset, size_t bytes);

/**
 * udma_transfer_set_receive() - describe a transfer from a device
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @dst: the buffer to write
 * @offset: where in it to begin, in bytes
 * @bytes: how much at most, at least 1
 *
 * It ends when so much has come, or at the end of a packet, if the device knows packets:
 * then udma_completion_is_short(). It waits for a device that has nothing to give: unless it
 * has a timeout, for ever. As for udma_transfer_set_copy(), the description does not hold
 * the buffer.
 *
 * Since: 0.4
 */
void udma_transfer_set_receive(struct udma_transfer *transfer, const struct udma_buffer *dst,
			       size_t offset, size_t bytes);

/**
 * udma_transfer_set_send_ranges() - describe a transfer from a list to a device
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @ranges: what to read, in this order; at least one range. It stays unchanged until the
 *	transfer has been taken, see struct udma_ranges
 *
 * Otherwise as udma_transfer_set_send().
 *
 * Since: 0.4
 */
void udma_transfer_set_send_ranges(struct udma_transfer *transfer,
				   const struct udma_ranges *ranges);

/**
 * udma_transfer_set_receive_ranges() - describe a transfer from a device to a list
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @ranges: what to write, in this order; at least one range. It stays unchanged until the
 *	transfer has been taken, see struct udma_ranges
 *
 * Otherwise as udma_transfer_set_receive().
 *
 * Since: 0.4
 */
void udma_transfer_set_receive_ranges(struct udma_transfer *transfer,
				      const struct udma_ranges *ranges);

/**
 * udma_transfer_set_copy_ranges() - describe a copy from a list to a list
 * @transfer: the description; its fence, timeout and user data stay as they are
 * @dst_ranges: what to write; at least one range
 * @src_ranges: what to read; together as long as @dst_ranges, of which the pieces may
 *	be cut in other places. Both stay unchanged until the transfer has been taken,
 *	see struct udma_ranges
 *
 * The bytes go from the one to the other in the order of the lists. When both are one
 * range, it is a copy as by udma_transfer_set_copy().
 *
 * Since: 0.4
 */
void udma_transfer_set_copy_ranges(struct udma_transfer *transfer,
				   const struct udma_ranges *dst_ranges,
				   const struct udma_ranges *src_ranges);

/**
 * udma_transfer_set_fence() - have a transfer wait for all before it
 * @transfer: the description
 * @fence: true to start it when all that was submitted to the channel before
 *	has ended; false, as it is at first, for no order at all
 *
 * Since: 0.1
 */
void udma_transfer_set_fence(struct udma_transfer *transfer, bool fence);

/**
 * udma_transfer_set_more() - say that there will be more after a transfer
 * @transfer: the description
 * @more: true if it does not matter at once that it has ended, for more is going to
 *	be submitted to the channel or the program is going to wait soon; false, as
 *	it is at first, to be told when it has ended
 *
 * A controller that is known to allow it then interrupts once for several short
 * transfers, and their completions come together: with that of a transfer that does
 * not say so, or when the program calls udma_channel_wait(), udma_channel_read() or
 * udma_queue_wait(). Who waits by other means, such as a poll loop that sleeps
 * already or udma_queue_next() alone, may be told some milliseconds late. So the last
 * transfer before a wait is best left without.
 *
 * udma_queue_wait() says so itself of those that it does not wait for.
 *
 * Since: 0.3
 */
void udma_transfer_set_more(struct udma_transfer *transfer, bool more);

/**
 * udma_transfer_set_timeout_ns() - say how long a transfer may take
 * @transfer: the description
 * @timeout_ns: how long, in nanoseconds from when the controller is given the
 *	first piece of it; 0, as it is at first, for what
 *	udma_channel_info_get_timeout_ns() tells; negative for no timeout at all
 *
 * When the time has passed, the controller is given no more of the transfer, and
 * its completion will tell ETIMEDOUT. It comes when the controller has let go of
 * the transfer: with udma_channel_open_exclusive() the channel is reset for that
 * at once, and so is that of a device, where all else that the controller has ends as
 * well: see udma_completion_was_reset(). Otherwise others may be using it too, so first
 * the piece has to end that the controller has, or the controller to end nothing at all
 * for udma_channel_info_get_stall_ms().
 *
 * Since: 0.2
 */
void udma_transfer_set_timeout_ns(struct udma_transfer *transfer, int64_t timeout_ns);

/**
 * udma_transfer_set_user_data() - give a transfer a mark of one's own
 * @transfer: the description
 * @user_data: what its completion gives back; 0 at first
 *
 * Since: 0.1
 */
void udma_transfer_set_user_data(struct udma_transfer *transfer, uint64_t user_data);

/**
 * udma_channel_submit() - submit transfers
 * @channel: the channel
 * @transfers: their descriptions
 * @count: how many there are, at least 1
 *
 * Each transfer that is taken ends with exactly one completion. They are not
 * ordered among themselves, unless by udma_transfer_set_fence().
 *
 * Return: how many were taken, from the front; fewer than @count when one is
 * bad or there is no room, and to submit the rest tells why. -1 when not even
 * the first was taken. Errors: EAGAIN for no room until completions have been
 * read, EINVAL for no transfers, a description of nothing, no bytes, ranges of
 * a copy that overlap, a list that is too long or not as long as the other, lines
 * that overlap or are too long or something not aligned as the channel needs it, ENOENT
 * for a buffer of another channel or one that was freed, ERANGE for a range
 * that is not within its buffer, EOPNOTSUPP for what the channel cannot do, EBUSY
 * for a device's channel that somebody else is using, or one with a struct udma_queue or
 * struct udma_stream, EIO when the channel has failed, see enum udma_channel_state.
 *
 * Since: 0.1
 */
ssize_t udma_channel_submit(struct udma_channel *channel,
			    const struct udma_transfer *const *transfers, size_t count);

/**
 * udma_channel_submit_one() - submit a transfer
 * @channel: the channel
 * @transfer: its description
 *
 * Return: 0, or -1 when it was not taken. Errors: those of
 * udma_channel_submit().
 *
 * Since: 0.1
 */
int udma_channel_submit_one(struct udma_channel *channel, const struct udma_transfer *transfer);

/**
 * udma_channel_cancel() - end a transfer early
 * @channel: the channel
 * @sequence: its number, as udma_channel_get_last_sequence() tells it
 *
 * Never waits. The controller is given no more of the transfer, and the
 * completion, with ECANCELED even if all was done in the end, comes when the
 * controller has let go of it: at once, if it had nothing of it. Until then it
 * may read and write the buffers. What had gone wrong before is told instead.
 * The channel of a device is reset for it, if the controller had some: all else that it had
 * ends as well, see udma_completion_was_reset().
 *
 * Any thread may call it at any time, and so may a signal's handler.
 *
 * Return: 0, or -1. Errors: ENOENT when no such transfer is under way, be it
 * that it has ended.
 *
 * Since: 0.2
 */
int udma_channel_cancel(struct udma_channel *channel, uint64_t sequence);

/**
 * udma_channel_cancel_all() - end all transfers of a channel early
 * @channel: the channel
 *
 * As udma_channel_cancel() does with one. What others submitted, who opened the
 * same device, is not touched.
 *
 * It is also the way out of a udma_channel_copy() that another thread is in, or
 * that a signal has interrupted: that returns then with ECANCELED. A transfer
 * that is submitted later is not concerned, so whoever cancels for a signal that
 * may come just before has to make sure of that by other means.
 *
 * Return: how many were under way, which may be none; or -1.
 *
 * Since: 0.2
 */
ssize_t udma_channel_cancel_all(struct udma_channel *channel);

/**
 * udma_channel_wait() - wait until there is a completion to read
 * @channel: the channel
 * @timeout_ns: how long, in nanoseconds; 0 only looks, negative waits for ever
 *
 * Return: 1 when there is one, 0 when the time has passed, or -1. Errors: EINTR
 * for a signal, so that a program can be told to stop while it waits; ENODEV
 * only when no completion is left.
 *
 * Since: 0.1
 */
int udma_channel_wait(struct udma_channel *channel, int64_t timeout_ns);

/**
 * udma_channel_read() - read completions
 * @channel: the channel
 * @completions: where to put them; those it held are gone
 * @max: how many at most; what does not fit is left for the next time
 *
 * Never waits. Of a stream that was freed before it had ended, it tells the end, as that
 * of a transfer.
 *
 * Return: how many were read, 0 when there was none, or -1. Errors: ENODEV only
 * when no completion is left, EBUSY when the channel has a struct udma_queue or a
 * struct udma_stream.
 *
 * Since: 0.1
 */
ssize_t udma_channel_read(struct udma_channel *channel, struct udma_completions *completions,
			  size_t max);

/**
 * udma_channel_copy() - copy, and return when that is done
 * @channel: the channel
 * @dst: the buffer to write
 * @dst_offset: where in it to begin, in bytes
 * @src: the buffer to read
 * @src_offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 *
 * Waits for the end of the transfer, as memcpy() would: when it returns, the
 * controller is done with both buffers. So a signal's handler runs at once, but
 * does not make the call return, unless it calls udma_channel_cancel_all(). The
 * timeout is that of the channel, udma_channel_info_get_timeout_ns().
 *
 * Return: 0 when all was copied, or -1. Errors: EBUSY, with nothing done, when
 * completions of other transfers have not been read, see
 * udma_channel_get_pending(), the channel's struct udma_queue is not empty, or it
 * has a struct udma_stream; EIO
 * when the controller failed or stopped short; ECANCELED; ETIMEDOUT when it took
 * longer than its timeout or the controller hung; those of udma_channel_submit(),
 * but EAGAIN. Only if after EIO udma_channel_info_get_state() is
 * UDMA_CHANNEL_FAILED, the controller may not be done with the buffers; see
 * udma_completion_is_held().
 *
 * Since: 0.1
 */
int udma_channel_copy(struct udma_channel *channel, const struct udma_buffer *dst,
		      size_t dst_offset, const struct udma_buffer *src, size_t src_offset,
		      size_t bytes);

/**
 * udma_channel_fill() - fill, and return when that is done
 * @channel: the channel
 * @dst: the buffer to write
 * @dst_offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 * @value: what each byte becomes
 *
 * Waits as udma_channel_copy() does.
 *
 * Return: 0 when all was filled, or -1. Errors: those of udma_channel_copy().
 *
 * Since: 0.1
 */
int udma_channel_fill(struct udma_channel *channel, const struct udma_buffer *dst,
		      size_t dst_offset, size_t bytes, uint8_t value);

/**
 * udma_channel_send() - give data to a device, and return when that is done
 * @channel: the channel
 * @src: the buffer to read
 * @offset: where in it to begin, in bytes
 * @bytes: how much, at least 1
 *
 * Waits as udma_channel_copy() does.
 *
 * Return: 0 when all was taken by the device, or -1. Errors: those of
 * udma_channel_copy(), and EBUSY also when somebody else is using the channel.
 *
 * Since: 0.4
 */
int udma_channel_send(struct udma_channel *channel, const struct udma_buffer *src, size_t offset,
		      size_t bytes);

/**
 * udma_channel_receive() - get data from a device, and return when it has come
 * @channel: the channel
 * @dst: the buffer to write
 * @offset: where in it to begin, in bytes
 * @bytes: how much at most, at least 1
 * @received: where to put how many bytes have come; also after an error, then with the
 *	least that it can have been, and 0 when nothing was done
 *
 * Waits as udma_channel_copy() does, until so much has come or a packet has ended: that is
 * no error here. A device that gives nothing is waited for as long as the timeout of the
 * channel says, or for ever: udma_channel_cancel_all() is the way out.
 *
 * Return: 0, or -1. Errors: those of udma_channel_send().
 *
 * Since: 0.4
 */
int udma_channel_receive(struct udma_channel *channel, const struct udma_buffer *dst,
			 size_t offset, size_t bytes, size_t *received);

/**
 * udma_completions_new() - make room for completions
 * @capacity: for how many, at least 1
 *
 * Return: the room, with nothing in it, which the caller frees with
 * udma_completions_free(), or NULL. Errors: EINVAL for no capacity, ENOMEM.
 *
 * Since: 0.1
 */
struct udma_completions *udma_completions_new(size_t capacity);

/**
 * udma_completions_free() - free room for completions and what is in it
 * @completions: the room, or NULL
 *
 * Since: 0.1
 */
void udma_completions_free(struct udma_completions *completions);

/**
 * udma_completions_get_capacity() - tell how many completions have room
 * @completions: the room
 *
 * Return: what was asked of udma_completions_new().
 *
 * Since: 0.1
 */
size_t udma_completions_get_capacity(const struct udma_completions *completions);

/**
 * udma_completions_get_count() - tell how many completions there are
 * @completions: the room
 *
 * Return: what udma_channel_read() read last; 0 if it failed or was not called.
 *
 * Since: 0.1
 */
size_t udma_completions_get_count(const struct udma_completions *completions);

/**
 * udma_completions_get() - get one of the completions read last
 * @completions: the room
 * @index: which one; below udma_completions_get_count()
 *
 * Return: the completion, which belongs to @completions, or NULL. Errors:
 * EINVAL for an index out of range.
 *
 * Since: 0.1
 */
const struct udma_completion *udma_completions_get(const struct udma_completions *completions,
						   size_t index);

/**
 * udma_queue_new() - give a channel a queue
 * @channel: the channel
 * @depth: for how many transfers at a time, at least 1; rounded up to a power of
 *	two
 * @flags: bits of enum udma_queue_flags, or 0
 *
 * With UDMA_QUEUE_MAPPED as many are possible as the driver allows, which is 4096
 * or more, and the memory for it counts against the memory cgroup. Without, as many
 * as udma_channel_info_get_max_transfers() tells.
 *
 * A channel keeps what it shares with the kernel until it is closed. A later queue,
 * of whatever kind, can be as deep as the first mapped one was, and not deeper.
 *
 * Return: the queue, which the caller frees with udma_queue_free(), or NULL.
 * Errors: EINVAL for no depth, too much of it or an unknown flag; EBUSY when the
 * channel has a queue or a stream, when udma_channel_get_pending() is not 0, or when a mapped
 * queue that it had was not so deep; ENOTTY for a driver that cannot share; ENOMEM.
 *
 * Since: 0.3
 */
struct udma_queue *udma_queue_new(struct udma_channel *channel, size_t depth,
				  unsigned int flags);

/**
 * udma_queue_free() - free a queue
 * @queue: the queue, or NULL
 *
 * What was added and not submitted is forgotten, and so are completions that have
 * come and were not taken. Transfers under way go on: udma_channel_get_pending()
 * counts them, and udma_channel_read() tells how they ended. It makes no
 * difference whether the channel is still open.
 *
 * Since: 0.3
 */
void udma_queue_free(struct udma_queue *queue);

/**
 * udma_queue_get_depth() - tell for how many transfers a queue is
 * @queue: the queue
 *
 * Return: how many there can be that were added and whose completions were not
 * taken; 0 when the channel was closed.
 *
 * Since: 0.3
 */
size_t udma_queue_get_depth(const struct udma_queue *queue);

/**
 * udma_queue_get_pending() - tell how many transfers a queue is not done with
 * @queue: the queue
 *
 * Return: the number of transfers that were added, submitted or not, and whose
 * completions were not taken.
 *
 * Since: 0.3
 */
size_t udma_queue_get_pending(const struct udma_queue *queue);

/**
 * udma_queue_get_room() - tell how many transfers can be added
 * @queue: the queue
 *
 * Return: udma_queue_get_depth() less udma_queue_get_pending().
 *
 * Since: 0.3
 */
size_t udma_queue_get_room(const struct udma_queue *queue);

/**
 * udma_queue_set_busy_ns() - have a queue look before it sleeps
 * @queue: the queue
 * @busy_ns: for how long, in nanoseconds; 0, as it is at first, for not at all
 *
 * For so long the kernel looks for completions again and again in udma_queue_wait(),
 * before it goes to sleep. That takes a processor, and saves what the interrupt, going
 * to sleep and being woken up cost, which is more than a small transfer takes. Who has
 * other things to do meanwhile calls udma_queue_next() now and then instead.
 *
 * Without UDMA_QUEUE_MAPPED it has no effect.
 *
 * Since: 0.3
 */
void udma_queue_set_busy_ns(struct udma_queue *queue, uint64_t busy_ns);

/**
 * udma_queue_add() - put a transfer into a queue
 * @queue: the queue
 * @transfer: its description
 *
 * The kernel does not learn of it before udma_queue_submit() or udma_queue_wait(),
 * and most mistakes are told there. Never asks the kernel.
 *
 * Return: 0, or -1 with nothing added. Errors: EAGAIN for no room until completions
 * have been taken; EINVAL for a description of nothing; ENOENT for a buffer of
 * another channel; ENODEV only when the channel was closed.
 *
 * Since: 0.3
 */
int udma_queue_add(struct udma_queue *queue, const struct udma_transfer *transfer);

/**
 * udma_queue_submit() - submit all that was added
 * @queue: the queue
 *
 * One that was taken ends with exactly one completion. One that is refused, and those
 * behind it, stay added: when it was dropped with udma_queue_drop(), or the reason is
 * gone, they can be submitted.
 *
 * Return: how many were taken, in the order in which they were added; fewer than there
 * were when one is bad, and to submit again tells why; 0 when there was nothing. -1
 * when the first one was refused. Errors: those of udma_channel_submit().
 *
 * Since: 0.3
 */
ssize_t udma_queue_submit(struct udma_queue *queue);

/**
 * udma_queue_drop() - forget the transfer that was refused
 * @queue: the queue
 *
 * It is the first one that was added and not taken, whether it was refused or not yet
 * submitted at all. Those behind it stay.
 *
 * Return: 0, or -1. Errors: ENOENT when all that was added was taken.
 *
 * Since: 0.3
 */
int udma_queue_drop(struct udma_queue *queue);

/**
 * udma_queue_wait() - submit all that was added, and wait for completions
 * @queue: the queue
 * @count: for how many that can be taken; if that is more than
 *	udma_queue_get_pending(), for all of these
 * @timeout_ns: how long, in nanoseconds; 0 only looks, negative waits for ever
 *
 * As long as a transfer is refused, it does not wait: see udma_queue_submit().
 *
 * When it waits, of the transfers that it submits, those before the one that makes up
 * @count need not be told of before that one: see udma_transfer_set_more(). So who
 * has use for many completions at a time is best off to wait for many. When the wait
 * ends early, the next one is told of them; to look only, with a timeout of 0 or by
 * udma_queue_next(), may be some milliseconds late then. The same is true of all that
 * is submitted by a wait that is busy.
 *
 * Return: how many can be taken, at least @count; fewer when not all that was added
 * was taken, and to call again tells why. -1 when the first one was refused, and
 * when there are fewer at the end of the wait. Errors: those of udma_queue_submit();
 * ETIME when the time has passed; EINTR for a signal, so that a program can be told to
 * stop while it waits; EPROTO when another process has written to the queue; ENODEV
 * only when nothing more will come, or with something to submit. Whatever the error,
 * completions that have come can be taken.
 *
 * Since: 0.3
 */
ssize_t udma_queue_wait(struct udma_queue *queue, size_t count, int64_t timeout_ns);

/**
 * udma_queue_next() - take the next completion out of a queue
 * @queue: the queue
 *
 * Never waits. With UDMA_QUEUE_MAPPED it never asks the kernel, and without it only
 * when all have been taken that udma_queue_wait() told of.
 *
 * Return: the completion, which belongs to @queue and is valid until the next call
 * of udma_queue_next(), udma_queue_submit(), udma_queue_wait() or udma_queue_free(),
 * or until the channel is closed; or NULL. Errors: EAGAIN when there is none yet;
 * EPROTO as with udma_queue_wait(); ENODEV only when no completion is left.
 *
 * Since: 0.3
 */
const struct udma_completion *udma_queue_next(struct udma_queue *queue);

/**
 * udma_stream_config_new() - make the description of a stream
 *
 * It describes nothing yet: udma_stream_config_set_cyclic() or
 * udma_stream_config_set_packets() comes next. Mistakes are told when a stream is
 * started.
 *
 * Return: the description, which the caller frees with udma_stream_config_free(), or
 * NULL. Errors: ENOMEM.
 *
 * Since: 0.4
 */
struct udma_stream_config *udma_stream_config_new(void);

/**
 * udma_stream_config_free() - free the description of a stream
 * @config: the description, or NULL
 *
 * Since: 0.4
 */
void udma_stream_config_free(struct udma_stream_config *config);

/**
 * udma_stream_config_set_cyclic() - describe a stream that goes round and round
 * @config: the description; all that other functions set stays as it is
 * @buffer: the buffer
 * @offset: where in it the ring begins, in bytes
 * @bytes: how long the ring is: a multiple of @period_bytes, at least two of them and at
 *	most 1 GiB
 * @period_bytes: how long a period is, at the end of which the controller tells how far
 *	it has come
 *
 * In which direction it goes is the channel's. The description does not hold the
 * buffer.
 *
 * Since: 0.4
 */
void udma_stream_config_set_cyclic(struct udma_stream_config *config,
				   const struct udma_buffer *buffer, size_t offset, size_t bytes,
				   size_t period_bytes);

/**
 * udma_stream_config_set_packets() - describe a stream of packets from a device
 * @config: the description; all that other functions set stays as it is
 * @buffer: the buffer
 * @offset: where in it the first slot begins, in bytes
 * @bytes: how long all slots are together: a multiple of @slot_bytes, at least two of
 *	them and at most 1 GiB
 * @slot_bytes: how long a slot is, which is the most that a packet can have in it
 *
 * The description does not hold the buffer.
 *
 * Since: 0.4
 */
void udma_stream_config_set_packets(struct udma_stream_config *config,
				    const struct udma_buffer *buffer, size_t offset, size_t bytes,
				    size_t slot_bytes);

/**
 * udma_stream_config_set_event_periods() - say how often a cyclic stream is told of
 * @config: the description
 * @periods: of how many periods the last one ends a udma_stream_wait(); 1, as it is at
 *	first, up to all of the ring
 *
 * What can be seen without waiting is told at the end of each period nevertheless. For
 * packets it has no meaning, and is to be 1.
 *
 * Since: 0.4
 */
void udma_stream_config_set_event_periods(struct udma_stream_config *config,
					  unsigned int periods);

/**
 * udma_stream_config_set_idle_ns() - say when to tell of a part of a period
 * @config: the description
 * @idle_ns: when no period has ended for so long, in nanoseconds, and there is more data than
 *	was told of, the program is told how far the controller has come; 0, as it is
 *	at first, for never; what is less than 100 us counts as that
 *
 * For a device that stops giving data in the middle of a period. Needs a channel whose
 * udma_channel_info_get_residue() is UDMA_CHANNEL_RESIDUE_BURST. For packets it has no
 * meaning, and is to be 0.
 *
 * Since: 0.4
 */
void udma_stream_config_set_idle_ns(struct udma_stream_config *config, uint64_t idle_ns);

/**
 * udma_stream_config_set_filled_bytes() - say how much there is to play at once
 * @config: the description
 * @bytes: how much of the ring the program has filled, from its beginning, before the
 *	stream is started; at least a period. 0, as it is at first, for any other kind of stream
 *
 * Since: 0.4
 */
void udma_stream_config_set_filled_bytes(struct udma_stream_config *config, size_t bytes);

/**
 * udma_stream_config_set_stop_on_overrun() - say what to do when data is lost
 * @config: the description
 * @stop: true to stop when the program does not keep up, with EPIPE; false, as it is at
 *	first, to go on and tell what was lost
 *
 * Since: 0.4
 */
void udma_stream_config_set_stop_on_overrun(struct udma_stream_config *config, bool stop);

/**
 * udma_stream_config_set_user_data() - give a stream a mark of one's own
 * @config: the description
 * @user_data: what its completion and its packets give back; 0 at first
 *
 * Since: 0.4
 */
void udma_stream_config_set_user_data(struct udma_stream_config *config, uint64_t user_data);

/**
 * udma_stream_start() - start a stream
 * @channel: the channel
 * @config: its description
 *
 * Return: the stream, which runs and which the caller frees with udma_stream_free(), or
 * NULL. Errors: EINVAL for a description of nothing, or lengths that are not as said there
 * or not aligned as the channel needs it; EOPNOTSUPP for what the channel cannot do;
 * ENOENT for a buffer of another channel or one that was freed; ERANGE for a ring that is not
 * within its buffer; EBUSY when udma_channel_get_pending() is not 0, the channel has a
 * queue or a stream, or somebody else is using it; EIO when the channel has failed; ENOMEM. A
 * controller that refuses it ends it with EIO.
 *
 * Since: 0.4
 */
struct udma_stream *udma_stream_start(struct udma_channel *channel,
				      const struct udma_stream_config *config);

/**
 * udma_stream_free() - stop a stream and free it
 * @stream: the stream, or NULL
 *
 * What was not read is forgotten, and what was not played is not going to be: see
 * udma_stream_drain(). It waits for a tenth of a second at most until the controller has
 * let go. In the rare case that it has not by then, the channel is left with a transfer that
 * is pending: udma_channel_get_pending() counts it, and udma_channel_read() tells its
 * end. Then the channel is free.
 *
 * Since: 0.4
 */
void udma_stream_free(struct udma_stream *stream);

/**
 * udma_stream_get_channel() - tell which channel a stream has
 * @stream: the stream
 *
 * Return: the channel, or NULL when the stream has ended or the channel was closed.
 *
 * Since: 0.4
 */
struct udma_channel *udma_stream_get_channel(const struct udma_stream *stream);

/**
 * udma_stream_wait() - wait until there is something to do
 * @stream: the stream
 * @timeout_ns: how long, in nanoseconds; 0 only looks, negative waits for ever
 *
 * That is: more data than the last udma_stream_peek() told of, more room than the last
 * udma_stream_get_room() told of, or a packet that udma_stream_next_packet() has not
 * returned. So before it waits a program asks until it gets nothing that it has use for.
 * When there is something already, the kernel is not asked.
 *
 * It need not wake up at the end of each period: see
 * udma_stream_config_set_event_periods().
 *
 * Return: 1 when there is something, 0 when the time has passed, or -1. Errors: ENXIO
 * when the stream has ended, and there will be no more; EINTR for a signal, so that a
 * program can be told to stop while it waits.
 *
 * Since: 0.4
 */
int udma_stream_wait(struct udma_stream *stream, int64_t timeout_ns);

/**
 * udma_stream_wait_end() - wait until a stream has ended
 * @stream: the stream
 * @timeout_ns: how long, in nanoseconds; 0 only looks, negative waits for ever
 *
 * For what udma_stream_stop() and udma_stream_drain() have begun. Data and packets that
 * have come can be read afterwards.
 *
 * Return: 1 when it has ended, 0 when the time has passed, or -1. Errors: EINTR for a
 * signal.
 *
 * Since: 0.4
 */
int udma_stream_wait_end(struct udma_stream *stream, int64_t timeout_ns);

/**
 * udma_stream_peek() - tell what can be read of a capture
 * @stream: the stream
 * @data: where to put the place of it, which is in the buffer
 *
 * It is what comes next, and it lies in one piece; at the end of the ring there may be
 * more at its beginning, which is told when this was consumed. Never waits, and never asks
 * the kernel.
 *
 * Return: how many bytes there are, 0 for none yet, or -1. Errors: EOPNOTSUPP for a stream
 * of another kind.
 *
 * Since: 0.4
 */
ssize_t udma_stream_peek(struct udma_stream *stream, const void **data);

/**
 * udma_stream_consume() - be done with the first bytes of a capture
 * @stream: the stream
 * @bytes: how many; at most what udma_stream_peek() told less what was consumed since
 *
 * Never waits, and never asks the kernel. What was read is worth something only if this
 * succeeds: the controller does not wait for the program.
 *
 * Return: 0, or -1 with nothing consumed. Errors: EPIPE when the controller has come round
 * meanwhile, and some of those bytes were overwritten: what was read of them is not to be
 * trusted. From where on data was lost counts in udma_stream_get_lost(), and the next
 * udma_stream_peek() goes on behind it. EINVAL for more than was told; EOPNOTSUPP for a
 * stream of another kind.
 *
 * Since: 0.4
 */
int udma_stream_consume(struct udma_stream *stream, size_t bytes);

/**
 * udma_stream_get_room() - tell what can be filled of a playback
 * @stream: the stream
 * @data: where to put the place of it, which is in the buffer
 *
 * It is what is played next behind what is filled already, and it lies in one piece; at the
 * end of the ring there may be more room at its beginning. Never waits, and never asks
 * the kernel.
 *
 * Return: how many bytes have room, 0 for none yet, or when the stream has ended; or -1.
 * Errors: EOPNOTSUPP for a stream of another kind.
 *
 * Since: 0.4
 */
ssize_t udma_stream_get_room(struct udma_stream *stream, void **data);

/**
 * udma_stream_commit() - say that the first bytes of the room are filled
 * @stream: the stream
 * @bytes: how many; at most what udma_stream_get_room() told less what was committed since
 *
 * Never waits, and never asks the kernel.
 *
 * Return: 0, or -1 with nothing committed. Errors: EPIPE when the controller has come there
 * meanwhile, and played what was in the ring before: what it missed counts in
 * udma_stream_get_lost(), and the next udma_stream_get_room() is behind it. EINVAL for
 * more than was told; ENXIO when the stream has ended; EOPNOTSUPP for a stream of another
 * kind.
 *
 * Since: 0.4
 */
int udma_stream_commit(struct udma_stream *stream, size_t bytes);

/**
 * udma_stream_next_packet() - take the next packet
 * @stream: the stream
 * @data: where to put the place of it, which is in the buffer
 *
 * In the order in which they came. udma_completion_get_bytes() tells how long it is,
 * udma_completion_get_timestamp_ns() when the kernel learned of it, and
 * udma_completion_is_short() whether it is shorter than its slot: one that fills the slot may
 * go on in the next one. Never waits, and asks the kernel only when it has news.
 *
 * Return: the packet, which belongs to @stream and is, as its data, the program's until
 * udma_stream_give_back() has given it back; or NULL. Errors: EAGAIN when there is none
 * yet; ENXIO when there will be none, for the stream has ended; EOPNOTSUPP for a
 * stream of another kind; those of the kernel.
 *
 * Since: 0.4
 */
const struct udma_completion *udma_stream_next_packet(struct udma_stream *stream,
						      const void **data);

/**
 * udma_stream_give_back() - be done with the oldest packet that was taken
 * @stream: the stream
 *
 * Its slot can be filled again. Several may be taken and given back later; who has them
 * all lets the controller starve, and packets may be lost then. The kernel is asked only
 * when it has said that the controller starves.
 *
 * Return: 0, or -1. Errors: ENOENT when all that was taken was given back; EOPNOTSUPP
 * for a stream of another kind; EIO when the controller refuses, with the packet given
 * back.
 *
 * Since: 0.4
 */
int udma_stream_give_back(struct udma_stream *stream);

/**
 * udma_stream_stop() - have a stream stop
 * @stream: the stream
 *
 * Never waits. It ends, without an error, when the controller has let go: see
 * udma_stream_wait_end().
 *
 * Return: 0, or -1. Errors: ENXIO when it has ended; EIO when the controller refuses.
 *
 * Since: 0.4
 */
int udma_stream_stop(struct udma_stream *stream);

/**
 * udma_stream_drain() - have a playback stop when all was played
 * @stream: the stream
 *
 * Never waits. Nothing of what was committed by then is lost: the stream ends at the end
 * of the period in which the last of it lies. So what is behind it in this period, and
 * perhaps a part of the next one, is played as well: to fill it with silence is the
 * program's. See udma_stream_wait_end().
 *
 * Return: 0, or -1. Errors: ENXIO when it has ended; EOPNOTSUPP for a stream of another
 * kind; EIO when the controller refuses.
 *
 * Since: 0.4
 */
int udma_stream_drain(struct udma_stream *stream);

/**
 * udma_stream_pause() - have a stream rest
 * @stream: the stream
 *
 * Return: 0, or -1. Errors: ENXIO when it has ended; EOPNOTSUPP when the channel cannot, see
 * udma_channel_info_can_pause(); EIO when the controller refuses.
 *
 * Since: 0.4
 */
int udma_stream_pause(struct udma_stream *stream);

/**
 * udma_stream_resume() - have a stream go on after a rest
 * @stream: the stream
 *
 * Return: 0, or -1. Errors: those of udma_stream_pause().
 *
 * Since: 0.4
 */
int udma_stream_resume(struct udma_stream *stream);

/**
 * udma_stream_has_ended() - tell whether a stream has ended
 * @stream: the stream
 *
 * Never waits, and asks the kernel only when the stream does not run any more.
 *
 * Return: true when the controller has let go and all counts are final. There may be data
 * or packets to read.
 *
 * Since: 0.4
 */
bool udma_stream_has_ended(struct udma_stream *stream);

/**
 * udma_stream_get_error() - tell why a stream has ended
 * @stream: the stream
 *
 * Return: 0 after udma_stream_stop() or udma_stream_drain(), and as long as it was not seen to
 * have ended; otherwise a positive number as in errno, fit for strerror():
 *
 * EPIPE	the program did not keep up, and the stream was to stop then
 * EIO		the controller reported an error, could not be stopped or was reset; see
 *		udma_stream_get_completion()
 * ECANCELED	udma_channel_cancel() or udma_channel_cancel_all() came first
 * ETIMEDOUT	the controller hung
 * ENODEV	the channel went away first, or was closed
 *
 * Since: 0.4
 */
int udma_stream_get_error(const struct udma_stream *stream);

/**
 * udma_stream_get_completion() - tell how a stream has ended
 * @stream: the stream
 *
 * Return: what ended it, for udma_completion_is_held(), udma_completion_was_reset() and
 * udma_completion_get_timestamp_ns(), which belongs to @stream; NULL as long as it was not
 * seen to have ended, or when the channel was closed first.
 *
 * Since: 0.4
 */
const struct udma_completion *udma_stream_get_completion(const struct udma_stream *stream);

/**
 * udma_stream_is_exact() - tell whether the counts of a stream are exact
 * @stream: the stream
 *
 * Return: true as long as nothing that the kernel told was only the least that it can have
 * been: a controller may tell of several periods at once, or of whole rounds, and then the
 * kernel does not know of all that was moved and lost.
 *
 * Since: 0.4
 */
bool udma_stream_is_exact(const struct udma_stream *stream);

/**
 * udma_stream_get_position() - tell where in a stream the program is
 * @stream: the stream
 *
 * That is, when the library looked last, the place of the first byte of
 * udma_stream_peek() or udma_stream_get_room(), counted from the beginning of the
 * stream, with what was lost; or the number of packets that were taken.
 *
 * Return: the count, in bytes or packets. It does not wrap.
 *
 * Since: 0.4
 */
uint64_t udma_stream_get_position(const struct udma_stream *stream);

/**
 * udma_stream_get_moved() - tell how far the controller has come
 * @stream: the stream
 *
 * Return: how much it had moved since the beginning of the stream when the library
 * looked last, in bytes; or the number of packets that had come. It does not wrap.
 *
 * Since: 0.4
 */
uint64_t udma_stream_get_moved(const struct udma_stream *stream);

/**
 * udma_stream_get_lost() - tell how much of a stream was lost
 * @stream: the stream
 *
 * Of a capture that is what was overwritten before it was consumed. Of a playback it is
 * what was to be played before it was committed.
 *
 * Return: how much it had been when the library looked last, in bytes; see
 * udma_stream_is_exact(). 0 for packets that a device has dropped, of which nobody knows.
 *
 * Since: 0.4
 */
uint64_t udma_stream_get_lost(const struct udma_stream *stream);

/**
 * udma_stream_get_overruns() - tell how often a program did not keep up
 * @stream: the stream
 *
 * Return: how often data was lost, or the controller had no slot for a packet, until
 * now; modulo 2^32.
 *
 * Since: 0.4
 */
uint32_t udma_stream_get_overruns(const struct udma_stream *stream);

/**
 * udma_completion_get_user_data() - tell the mark of the transfer that ended
 * @completion: the completion
 *
 * Return: what was set with udma_transfer_set_user_data().
 *
 * Since: 0.1
 */
uint64_t udma_completion_get_user_data(const struct udma_completion *completion);

/**
 * udma_completion_get_error() - tell whether and why a transfer failed
 * @completion: the completion
 *
 * Return: 0 when all of it was done, or, where udma_completion_is_short(), some;
 * otherwise a positive number as in errno, fit for strerror():
 *
 * EIO		the controller reported an error or refused; or it could not be
 *		stopped, see udma_completion_is_held()
 * ECANCELED	udma_channel_cancel() or udma_channel_cancel_all() came first
 * ETIMEDOUT	it took longer than its timeout; or the controller hung, and of all
 *		that it was given this is the oldest
 * ENODEV	the channel went away first
 *
 * Since: 0.1
 */
int udma_completion_get_error(const struct udma_completion *completion);

/**
 * udma_completion_is_held() - tell whether the controller still has a transfer
 * @completion: the completion
 *
 * Return: true, and udma_completion_get_error() is EIO, if the controller could
 * not be stopped. It may still read and write the buffers of this transfer, now
 * or later. Nobody else is harmed: the kernel keeps their memory until the
 * controller is known to have let go, also when they are freed here.
 *
 * Since: 0.2
 */
bool udma_completion_is_held(const struct udma_completion *completion);

/**
 * udma_completion_is_short() - tell whether a transfer stopped short
 * @completion: the completion
 *
 * Return: true, and udma_completion_get_error() is 0, if the controller ended
 * the transfer without an error before all of it was done.
 * udma_completion_get_bytes() tells how much was.
 *
 * Since: 0.2
 */
bool udma_completion_is_short(const struct udma_completion *completion);

/**
 * udma_completion_was_reset() - tell whether a transfer failed for another one
 * @completion: the completion
 *
 * Return: true, and udma_completion_get_error() is EIO, if the controller had to be
 * reset for another reason than this transfer, such as another one that was cancelled
 * or took too long, and did not finish it. It may be submitted again.
 *
 * Since: 0.4
 */
bool udma_completion_was_reset(const struct udma_completion *completion);

/**
 * udma_completion_get_bytes() - tell how much of a transfer was done
 * @completion: the completion
 *
 * Return: bytes that were moved; see udma_completion_is_exact().
 *
 * Since: 0.1
 */
uint64_t udma_completion_get_bytes(const struct udma_completion *completion);

/**
 * udma_completion_is_exact() - tell whether the number of bytes is exact
 * @completion: the completion
 *
 * Return: true if udma_completion_get_bytes() is exact, which it always is within
 * memory and to a device without an error; false if it is only known that so much was
 * moved. From a device it depends on udma_channel_info_get_residue() after an error,
 * and when it is short.
 *
 * Since: 0.1
 */
bool udma_completion_is_exact(const struct udma_completion *completion);

/**
 * udma_completion_get_timestamp_ns() - tell when a transfer ended
 * @completion: the completion
 *
 * Return: CLOCK_MONOTONIC when the kernel learned of it, in nanoseconds.
 *
 * Since: 0.1
 */
uint64_t udma_completion_get_timestamp_ns(const struct udma_completion *completion);

/**
 * udma_completion_get_sequence() - tell which transfer ended
 * @completion: the completion
 *
 * Return: the number of the transfer, in the order in which the channel took
 * them; 1 for the first. See udma_channel_get_last_sequence().
 *
 * Since: 0.1
 */
uint64_t udma_completion_get_sequence(const struct udma_completion *completion);

#ifdef __cplusplus
}
#endif

#endif /* LIBUDMA_H */
