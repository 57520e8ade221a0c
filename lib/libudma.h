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
 * Threads: an object is used by one thread at a time, and a channel's buffers
 * and its queue count as part of it, except for the memory itself. Different
 * channels, also two that opened the same device, are independent. The exceptions
 * are udma_channel_cancel() and udma_channel_cancel_all(): as long as the channel
 * is open they may be called at any time by any thread, and by a signal's handler.
 *
 * Processes: after fork() a channel still belongs to the parent. The child sees
 * the same memory in the buffers, and may close the channel and free the buffers
 * and the queue, which takes nothing from the parent; nothing else is defined.
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
 * have not been read.
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
 * udma_transfer_new() - make the description of a transfer
 *
 * It describes nothing yet: udma_transfer_set_copy() or
 * udma_transfer_set_fill() comes next. Mistakes in a description are told when
 * it is submitted.
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
 * at once. Otherwise others may be using it too, so first the piece has to end
 * that the controller has, or the controller to end nothing at all for
 * udma_channel_info_get_stall_ms().
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
 * a copy that overlap or something not aligned as the channel needs it, ENOENT
 * for a buffer of another channel or one that was freed, ERANGE for a range
 * that is not within its buffer, EOPNOTSUPP for what the channel cannot do, EIO
 * when the channel has failed, see enum udma_channel_state.
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
 * Never waits.
 *
 * Return: how many were read, 0 when there was none, or -1. Errors: ENODEV only
 * when no completion is left, EBUSY when the channel has a struct udma_queue.
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
 * udma_channel_get_pending(), or the channel's struct udma_queue is not empty; EIO
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
 * channel has a queue, when udma_channel_get_pending() is not 0, or when a mapped
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
 * Return: true if udma_completion_get_bytes() is exact, which it always is
 * without an error; false if it is only known that so much was moved.
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
