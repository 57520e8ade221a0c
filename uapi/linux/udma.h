/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * udma - DMA channels for programs: the contract of /dev/udmaN
 *
 * A program allocates buffers that it and a DMA controller both see, describes
 * transfers by buffer handle, offset and length, and reads one event for each
 * transfer that it submitted. No address crosses this interface.
 */
#ifndef _UAPI_LINUX_UDMA_H
#define _UAPI_LINUX_UDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: rules
 *
 * Every structure that an ioctl takes begins with @size, which the program sets
 * to sizeof() of the structure it was compiled with, and @flags. Structures grow
 * at their end, and zero always keeps the meaning it had before: a kernel that
 * knows a longer structure takes what is missing as zero, a kernel that knows a
 * shorter one takes a longer one as long as what it does not know is zero. For
 * this reason the ioctl numbers do not encode a size: it would change with the
 * structure. Fields named out_* are the kernel's answer, and what they held
 * before is ignored; all others keep their value. Every unknown flag and every
 * reserved field must be zero. The layout is the same for 32-bit and 64-bit
 * programs.
 */

/**
 * DOC: errors
 *
 * Any ioctl may fail with:
 *
 * ========== ==================================================================
 * ENOTTY     the ioctl is not known
 * EFAULT     the program's memory cannot be read or written
 * EINVAL     @size is too small, a flag is not known, a reserved field is not
 *            zero, or a value is not one of those allowed
 * E2BIG      @size is larger than this kernel knows, and what it does not know
 *            is not zero; or @size is over a page
 * EBADF      the file is not open for writing (all but UDMA_INFO)
 * ENODEV     the channel is gone; what is left to do is to read the last events,
 *            to free buffers and to close the file (all but UDMA_BUFFER_FREE)
 * EINTR      a signal came before anything was done (unless its handler was set
 *            with SA_RESTART)
 * ========== ==================================================================
 *
 * Those that say so may also fail with:
 *
 * ========== ==================================================================
 * EOPNOTSUPP the request is understood, but this channel cannot do it
 * ENOENT     there is no such buffer: never allocated, freed, or another file's
 * ERANGE     the range is not within the buffer
 * EAGAIN     there is no room: as many as the file may have, UDMA_INFO's
 *            out_max_transfers or what UDMA_QUEUE_SETUP set, have been submitted
 *            and their events not taken. poll() says POLLOUT when there is
 * ENOMEM     no memory
 * EDQUOT     over a limit: of the file, which UDMA_INFO tells, of the user, which
 *            is RLIMIT_MEMLOCK, or of the channel, which root sets
 * EIO        the channel has failed: UDMA_INFO's out_state says so
 * EBUSY      the file has queues already, or something to put into them; or the
 *            channel is that of a device, and another file is using it, or a stream
 * ENXIO      the file has no queues, or no stream
 * ETIME      the time to wait is over
 * ========== ==================================================================
 *
 * read() fails with EINVAL for a buffer shorter than one event or a complete_head
 * that cannot be (see struct udma_queue_shared), EAGAIN when the
 * file is O_NONBLOCK and there is no event, EINTR for a signal before anything
 * was read, EFAULT, and ENODEV when the channel is gone and no event is left.
 *
 * mmap() fails with EINVAL for an offset where neither a buffer nor the queues are,
 * a length beyond them or a mapping that is not shared, EACCES for PROT_EXEC or for a file
 * that is not open for reading, or for writing where PROT_WRITE wants it,
 * ENOMEM, and ENODEV when the channel is gone. A touch of a mapped buffer whose
 * channel has gone is SIGBUS; the queues stay. Offsets need an off_t of 64 bits.
 *
 * open() with O_EXCL makes the file the only one of its channel. It fails with
 * EBUSY while another file is open, and so does any open() while an exclusive
 * one is. It also fails with ENOMEM, and with ENODEV or ENXIO when the channel has
 * just gone.
 *
 * The status of an event is zero or one of these, negative:
 *
 * ========== ==================================================================
 * EIO        the controller reported an error or refused the transfer; or, with
 *            UDMA_EVENT_F_HELD, it could not be stopped
 * ECANCELED  UDMA_CANCEL came before the transfer or the stream ended
 * ETIMEDOUT  it took longer than its timeout, or the controller ended nothing for
 *            too long, and of what it had this transfer was the oldest
 * ENODEV     the channel went away before the transfer ended
 * EPIPE      the program did not keep up with its stream, which was to stop then
 * ========== ==================================================================
 */

#define UDMA_IOCTL_TYPE			0xDA

#define UDMA_INFO			_IO(UDMA_IOCTL_TYPE, 0x00)
#define UDMA_BUFFER_ALLOC		_IO(UDMA_IOCTL_TYPE, 0x10)
#define UDMA_BUFFER_FREE		_IO(UDMA_IOCTL_TYPE, 0x11)
#define UDMA_SUBMIT			_IO(UDMA_IOCTL_TYPE, 0x20)
#define UDMA_CANCEL			_IO(UDMA_IOCTL_TYPE, 0x21)
#define UDMA_EVENTFD			_IO(UDMA_IOCTL_TYPE, 0x30)
#define UDMA_QUEUE_SETUP		_IO(UDMA_IOCTL_TYPE, 0x40)
#define UDMA_ENTER			_IO(UDMA_IOCTL_TYPE, 0x41)
#define UDMA_STREAM_START		_IO(UDMA_IOCTL_TYPE, 0x50)
#define UDMA_STREAM_CONTROL		_IO(UDMA_IOCTL_TYPE, 0x51)

/**
 * enum udma_capability - what a channel can do, bits of out_capabilities
 * @UDMA_CAP_COPY: UDMA_OP_COPY
 * @UDMA_CAP_FILL: UDMA_OP_FILL
 * @UDMA_CAP_COHERENT: the device takes part in the CPU's cache coherence, so a
 *	coherent buffer is ordinary cached memory for the program
 * @UDMA_CAP_INTERLEAVE: UDMA_OP_INTERLEAVE
 * @UDMA_CAP_MEM_TO_DEV: UDMA_OP_MEM_TO_DEV
 * @UDMA_CAP_DEV_TO_MEM: UDMA_OP_DEV_TO_MEM and UDMA_STREAM_PACKETS
 * @UDMA_CAP_CYCLIC: UDMA_STREAM_CYCLIC
 * @UDMA_CAP_PAUSE: UDMA_STREAM_PAUSE and UDMA_STREAM_RESUME
 *
 * They are those of the direction that root has set, which does not change while a
 * file is open.
 */
enum udma_capability {
	UDMA_CAP_COPY		= 1 << 0,
	UDMA_CAP_FILL		= 1 << 1,
	UDMA_CAP_COHERENT	= 1 << 2,
	UDMA_CAP_INTERLEAVE	= 1 << 3,
	UDMA_CAP_MEM_TO_DEV	= 1 << 4,
	UDMA_CAP_DEV_TO_MEM	= 1 << 5,
	UDMA_CAP_CYCLIC		= 1 << 6,
	UDMA_CAP_PAUSE		= 1 << 7,
};

/**
 * enum udma_direction - between what a channel moves data; the numbers are dmaengine's
 * @UDMA_DIRECTION_MEM_TO_MEM: within memory. Any number of files share the channel
 * @UDMA_DIRECTION_MEM_TO_DEV: from memory to a device. The file that submits first
 *	owns the channel until it is closed, and order is kept; so with the next
 * @UDMA_DIRECTION_DEV_TO_MEM: from a device to memory
 * @UDMA_DIRECTION_NONE: root has not said yet
 */
enum udma_direction {
	UDMA_DIRECTION_MEM_TO_MEM	= 0,
	UDMA_DIRECTION_MEM_TO_DEV	= 1,
	UDMA_DIRECTION_DEV_TO_MEM	= 2,
	UDMA_DIRECTION_NONE		= 4,
};

/**
 * enum udma_residue - how finely a controller tells how far it has come
 * @UDMA_RESIDUE_DESCRIPTOR: only that it is done with all of a transfer
 * @UDMA_RESIDUE_SEGMENT: by ranges of a list, or periods of a stream
 * @UDMA_RESIDUE_BURST: as finely as it moves data
 */
enum udma_residue {
	UDMA_RESIDUE_DESCRIPTOR	= 0,
	UDMA_RESIDUE_SEGMENT	= 1,
	UDMA_RESIDUE_BURST	= 2,
};

/**
 * enum udma_state - how a channel is
 * @UDMA_STATE_WORKING: as it should be
 * @UDMA_STATE_RESETTING: it is being stopped, after which it goes on. What is
 *	submitted waits
 * @UDMA_STATE_FAILED: it could not be stopped. UDMA_SUBMIT fails with EIO until
 *	the controller has been seen to let go of all that it had, or root resets it
 */
enum udma_state {
	UDMA_STATE_WORKING	= 0,
	UDMA_STATE_RESETTING	= 1,
	UDMA_STATE_FAILED	= 2,
};

#define UDMA_NAME_BYTES			32
#define UDMA_DEVICE_BYTES		64

/**
 * struct udma_info - UDMA_INFO: what the channel is, can do and allows
 * @size: sizeof(struct udma_info)
 * @flags: zero
 * @out_capabilities: bits of enum udma_capability
 * @out_max_bytes: the most memory that the buffers of one file may have
 *	together, each rounded up to whole pages
 * @out_max_segment_bytes: the most that the controller takes in one descriptor.
 *	The kernel cuts longer transfers into pieces, which may be shorter still
 * @out_max_buffers: the most buffers that one file may have
 * @out_max_transfers: the most transfers of one file that are under way or
 *	whose event has not been taken, unless UDMA_QUEUE_SETUP has set another
 *	number
 * @out_copy_align: what both offsets and the length of a copy must be a
 *	multiple of, in bytes; a power of two
 * @out_fill_align: the same for a fill
 * @out_request_bytes: sizeof(struct udma_request) that this kernel knows
 * @out_event_bytes: sizeof(struct udma_event)
 * @out_name: the name that was given when the channel was bound; udmaN if none
 * @out_channel: dmaengine's name of the channel, such as dma0chan1
 * @out_device: the DMA controller's device
 * @out_driver: the DMA controller's driver
 * @out_state: one of enum udma_state, at this moment
 * @out_stall_ms: for how many milliseconds the controller may end nothing of
 *	what it has before the channel is reset. Set by root
 * @out_timeout_ns: the timeout of transfers that have none of their own, in
 *	nanoseconds; zero for none. Set by root
 * @out_max_queue_entries: the most entries that UDMA_QUEUE_SETUP allows
 * @out_direction: one of enum udma_direction, set by root
 * @out_directions: those that the channel is able to, as bits 1 << enum
 *	udma_direction
 * @out_residue: one of enum udma_residue
 * @out_widths: how many bytes at a time the device's side may be accessed by:
 *	bit n for n bytes; zero if that is not known
 * @out_max_burst: how many of these at most in one burst; zero if that is not
 *	known
 * @out_width: what root has set, in bytes; zero for what the controller does by
 *	itself
 * @out_burst: likewise
 * @out_window: how many transfers, or pieces of them, the controller has at a
 *	time. Set by root
 * @out_max_ranges: the most ranges of one list
 * @out_max_periods: the most periods of a stream, or slots
 * @out_min_period_bytes: how long one has to be at least
 *
 * The names end with a zero byte.
 */
struct udma_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_capabilities;
	__aligned_u64 out_max_bytes;
	__aligned_u64 out_max_segment_bytes;
	__u32 out_max_buffers;
	__u32 out_max_transfers;
	__u32 out_copy_align;
	__u32 out_fill_align;
	__u32 out_request_bytes;
	__u32 out_event_bytes;
	char out_name[UDMA_NAME_BYTES];
	char out_channel[UDMA_NAME_BYTES];
	char out_device[UDMA_DEVICE_BYTES];
	char out_driver[UDMA_NAME_BYTES];
	__u32 out_state;
	__u32 out_stall_ms;
	__aligned_u64 out_timeout_ns;
	__u32 out_max_queue_entries;
	__u32 out_direction;
	__u32 out_directions;
	__u32 out_residue;
	__u32 out_widths;
	__u32 out_max_burst;
	__u32 out_width;
	__u32 out_burst;
	__u32 out_window;
	__u32 out_max_ranges;
	__u32 out_max_periods;
	__u32 out_min_period_bytes;
};

/**
 * enum udma_memory - where the memory of a buffer comes from
 * @UDMA_MEMORY_COHERENT: from the DMA API's coherent allocator: program and
 *	device see each other's writes without any further call
 */
enum udma_memory {
	UDMA_MEMORY_COHERENT	= 0,
};

/**
 * enum udma_caching - what the program's mapping of a buffer is to the CPU
 * @UDMA_CACHING_CACHED: ordinary memory
 * @UDMA_CACHING_UNCACHED: not cached, perhaps write-combining: slow to read
 */
enum udma_caching {
	UDMA_CACHING_CACHED	= 0,
	UDMA_CACHING_UNCACHED	= 1,
};

/**
 * struct udma_buffer_alloc - UDMA_BUFFER_ALLOC: allocate a buffer
 * @size: sizeof(struct udma_buffer_alloc)
 * @flags: zero
 * @memory: one of enum udma_memory
 * @out_handle: names the buffer in this file's other calls; never zero, and not
 *	given again soon after it was freed
 * @bytes: how long the buffer is to be; at least 1, any number
 * @out_mmap_offset: what mmap() takes as its offset for the whole buffer;
 *	whole pages further on map the rest of the buffer. Valid as long as the handle
 * @out_map_bytes: how much can be mapped: @bytes rounded up to whole pages
 * @out_caching: one of enum udma_caching
 * @__reserved: zero
 *
 * The buffer is zeroed. It lives until its handle has been freed, its last
 * mapping has gone and its last transfer has ended.
 *
 * As long as its memory is there, whoever has it, @out_map_bytes count against
 * the file, the channel, and the user who called: with all other memory of the
 * user that the kernel counts as locked, such as io_uring's, they stay within the
 * caller's RLIMIT_MEMLOCK, unless the caller has CAP_IPC_LOCK. The memory is also
 * charged to the caller's memory cgroup, where it comes from the page allocator.
 *
 * Errors: EINVAL for no bytes or an unknown memory; EDQUOT over out_max_bytes or
 * out_max_buffers, the user's limit or the channel's; ENOMEM, also over the limit
 * of the memory cgroup. What failed counts for nothing.
 */
struct udma_buffer_alloc {
	__u32 size;
	__u32 flags;
	__u32 memory;
	__u32 out_handle;
	__aligned_u64 bytes;
	__aligned_u64 out_mmap_offset;
	__aligned_u64 out_map_bytes;
	__u32 out_caching;
	__u32 __reserved;
};

/**
 * struct udma_buffer_free - UDMA_BUFFER_FREE: give a buffer's handle back
 * @size: sizeof(struct udma_buffer_free)
 * @flags: zero
 * @handle: of the buffer
 * @__reserved: zero
 *
 * Mappings stay, and so do transfers that were submitted. Also possible when
 * the channel is gone.
 *
 * Errors: ENOENT.
 */
struct udma_buffer_free {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 __reserved;
};

/**
 * enum udma_op - what a transfer does
 * @UDMA_OP_COPY: copy from source to destination, which may not overlap
 * @UDMA_OP_FILL: set each byte of the destination to the request's fill value;
 *	its source handle and offset are zero
 * @UDMA_OP_INTERLEAVE: copy lines: as many as @lines of @line_bytes each,
 *	@src_stride and @dst_stride bytes apart from beginning to beginning
 * @UDMA_OP_MEM_TO_DEV: give the source to the device; the destination is zero
 * @UDMA_OP_DEV_TO_MEM: fill the destination with what the device gives; the
 *	source is zero. A device that ends a packet ends the transfer, see
 *	UDMA_EVENT_F_SHORT
 */
enum udma_op {
	UDMA_OP_COPY		= 0,
	UDMA_OP_FILL		= 1,
	UDMA_OP_INTERLEAVE	= 2,
	UDMA_OP_MEM_TO_DEV	= 3,
	UDMA_OP_DEV_TO_MEM	= 4,
};

/**
 * enum udma_request_flags - flags of a request
 * @UDMA_REQUEST_F_FENCE: start when everything that this file submitted before
 *	has ended. Without it transfers are not ordered among themselves
 * @UDMA_REQUEST_F_MORE: the program is going to submit more or to look: the
 *	event of this transfer may wait for that of a later one of the file, or
 *	until the program looks by read(), poll() or UDMA_ENTER, which ask the
 *	controller. One that then sleeps in poll(), or only looks at its memory,
 *	is told some milliseconds later; one that has an eventfd or is asleep
 *	already, in time. A hint: it has an effect only with a controller that
 *	is known to allow it, without a timeout, and on at most 15 transfers and
 *	1 MiB in a row
 * @UDMA_REQUEST_F_DST_RANGES: the destination is a list: @dst_ranges and
 *	@dst_count
 * @UDMA_REQUEST_F_SRC_RANGES: so is the source: @src_ranges and @src_count
 */
enum udma_request_flags {
	UDMA_REQUEST_F_FENCE		= 1 << 0,
	UDMA_REQUEST_F_MORE		= 1 << 1,
	UDMA_REQUEST_F_DST_RANGES	= 1 << 2,
	UDMA_REQUEST_F_SRC_RANGES	= 1 << 3,
};

/**
 * struct udma_range - a piece of a buffer, in a list
 * @handle: the buffer
 * @__reserved: zero
 * @offset: where in it the piece begins, in bytes
 * @bytes: how long it is, at least 1
 *
 * Of this size for ever.
 */
struct udma_range {
	__u32 handle;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 bytes;
};

/* A transfer that has no timeout, whatever the channel's own is. */
#define UDMA_TIMEOUT_NEVER		(~0ULL)

/**
 * struct udma_request - one transfer, in the array of UDMA_SUBMIT
 * @op: one of enum udma_op
 * @flags: bits of enum udma_request_flags
 * @user_data: the program's own, given back in the event
 * @dst_handle: the buffer to write to
 * @dst_count: in place of @dst_handle with UDMA_REQUEST_F_DST_RANGES: how many
 *	ranges, from 1 to UDMA_INFO's out_max_ranges
 * @src_handle: the buffer to read from
 * @src_count: likewise with UDMA_REQUEST_F_SRC_RANGES
 * @dst_offset: where in it to begin, in bytes
 * @dst_ranges: in place of @dst_offset: pointer to an array of struct
 *	udma_range, which is read before the request is taken
 * @src_offset: where in it to begin, in bytes
 * @src_ranges: likewise
 * @bytes: how much, at least 1; the range must lie within what was asked of
 *	UDMA_BUFFER_ALLOC, and ranges of a list add up to it
 * @line_bytes: for UDMA_OP_INTERLEAVE in place of @bytes: how long a line is,
 *	at least 1 and at most UDMA_INFO's out_max_segment_bytes
 * @lines: and how many there are, at least 1
 * @fill: the byte to fill with, 0 to 255; zero for anything but a fill
 * @dst_stride: for UDMA_OP_INTERLEAVE in place of @fill: from the beginning of
 *	a line in the destination to that of the next one, in bytes; at least
 *	@line_bytes
 * @src_stride: the same in the source; zero for any other op
 * @timeout_ns: how long the controller may take, in nanoseconds from when it
 *	has been given the first piece of the transfer; zero for the channel's
 *	timeout, or UDMA_TIMEOUT_NEVER
 *
 * When the timeout has passed, no more of the transfer is given to the
 * controller, and its status will be ETIMEDOUT. The event comes when the
 * controller lets go of what it has of it: where the file is the only one
 * (O_EXCL), the channel is reset for that at once; where others may use the
 * channel too, not before the piece has ended or the controller has been found
 * to be stuck. So timeouts of one program do not disturb another. A channel of
 * a device has one owner, and is reset at once: with the transfer that took too
 * long, or was cancelled, all others that the controller has end as well, with
 * UDMA_EVENT_F_RESET.
 *
 * Overlap between transfers that have not ended is the program's own race, and
 * so is overlap within one that has lists or lines.
 *
 * A transfer to or from a device is given to the controller as a whole, so that
 * it is one packet, unless it has more pieces than the controller takes at a
 * time; then it is several.
 */
struct udma_request {
	__u32 op;
	__u32 flags;
	__aligned_u64 user_data;
	union {
		__u32 dst_handle;
		__u32 dst_count;
	};
	union {
		__u32 src_handle;
		__u32 src_count;
	};
	union {
		__aligned_u64 dst_offset;
		__aligned_u64 dst_ranges;
	};
	union {
		__aligned_u64 src_offset;
		__aligned_u64 src_ranges;
	};
	union {
		__aligned_u64 bytes;
		struct {
			__u32 line_bytes;
			__u32 lines;
		};
	};
	union {
		__u32 fill;
		__u32 dst_stride;
	};
	__u32 src_stride;
	__aligned_u64 timeout_ns;
};

/**
 * struct udma_submit - UDMA_SUBMIT: submit transfers
 * @size: sizeof(struct udma_submit)
 * @flags: zero
 * @requests: pointer to the array of requests
 * @count: how many there are, at least 1
 * @request_bytes: sizeof(struct udma_request); the array's stride, which lets
 *	the request grow as the structures do
 * @out_sequence: the number of the first transfer taken. Those of one call are
 *	numbered without a gap, in the order of the array
 *
 * Returns how many were taken, from the front of the array. That is fewer than
 * @count when a request is bad or there is no room for it, when a signal comes,
 * and never many more than the file may have under way: submit the rest again
 * to go on or to be told why not. When not even the first one was taken, the
 * call fails with its error. Each transfer taken ends with exactly one event.
 *
 * Errors: EINVAL for no request, @request_bytes too small, an unknown op, a
 * fill value over 255, no bytes, an overlapping copy, offsets or a length not
 * aligned as the channel needs it, no range or too many, ranges that do not add
 * up, a list where there can be none, or lines that are too long or overlap;
 * E2BIG for @request_bytes over a page, or for what this kernel does not know
 * of a request and is not zero; EFAULT and ENOMEM for a list; EBUSY where a
 * device's channel has an owner, or a stream; EDQUOT when all lists of the file
 * that are under way have more than 65536 ranges; EOPNOTSUPP, ENOENT, ERANGE,
 * EAGAIN, EIO.
 */
struct udma_submit {
	__u32 size;
	__u32 flags;
	__aligned_u64 requests;
	__u32 count;
	__u32 request_bytes;
	__aligned_u64 out_sequence;
};

/**
 * enum udma_cancel_flags - flags of UDMA_CANCEL
 * @UDMA_CANCEL_F_ALL: all transfers of the file that are under way
 */
enum udma_cancel_flags {
	UDMA_CANCEL_F_ALL	= 1 << 0,
};

/**
 * struct udma_cancel - UDMA_CANCEL: end transfers early
 * @size: sizeof(struct udma_cancel)
 * @flags: bits of enum udma_cancel_flags
 * @sequence: the number of the transfer; zero with UDMA_CANCEL_F_ALL
 *
 * Nothing waits. A transfer that the controller has nothing of ends at once. Of
 * any other no more is given to the controller, and its event comes when the
 * controller lets go of what it has. The status is ECANCELED, even if all bytes
 * were moved in the end, unless something else had gone wrong before.
 *
 * Returns how many transfers it found under way: 1 for one by its number, and
 * any number, also zero, with UDMA_CANCEL_F_ALL.
 *
 * Errors: EINVAL for a sequence with UDMA_CANCEL_F_ALL; ENOENT when no transfer
 * of this file that has this number is under way.
 */
struct udma_cancel {
	__u32 size;
	__u32 flags;
	__aligned_u64 sequence;
};

/**
 * struct udma_eventfd - UDMA_EVENTFD: have an eventfd signalled at events
 * @size: sizeof(struct udma_eventfd)
 * @flags: zero
 * @fd: an eventfd, which takes the place of the one set before; -1 for none
 * @__reserved: zero
 *
 * The eventfd is signalled after events were added and when the channel goes
 * away. Its count says that there is something to look at, not how much. It is
 * not signalled for events that were there before it was set.
 *
 * Errors: EINVAL when @fd is not an eventfd, EBADF when it is not open.
 */
struct udma_eventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 __reserved;
};

/**
 * struct udma_queue_setup - UDMA_QUEUE_SETUP: share queues with the kernel
 * @size: sizeof(struct udma_queue_setup)
 * @flags: zero
 * @submit_entries: how many requests the submission queue holds; a power of two, at
 *	most UDMA_INFO's out_max_queue_entries
 * @complete_entries: how many events the completion queue holds; the same. So many
 *	transfers of this file can be under way or have their event not taken, in
 *	place of UDMA_INFO's out_max_transfers
 * @request_bytes: sizeof(struct udma_request); the stride of the submission queue
 * @__reserved: zero
 * @out_mmap_offset: what mmap() takes as its offset for the queues
 * @out_map_bytes: how much is to be mapped there
 * @out_submit_offset: where in the mapping the requests begin, in bytes
 * @out_complete_offset: where in it the events begin, in bytes
 *
 * The mapping begins with struct udma_queue_shared. From then on events are written to
 * the mapped queue, for the program to take without a call; read(), poll() and the
 * eventfd work on the same queue as before, and so does UDMA_SUBMIT. A file has
 * queues once, and keeps them until it is closed.
 *
 * The queues are memory of the kernel that is charged to the caller's memory
 * cgroup: 64 bytes an entry, and for each of @complete_entries about 160 more.
 *
 * Errors: EINVAL for a number of entries that is zero, not a power of two or too
 * high, or @request_bytes too small; E2BIG for @request_bytes larger than this kernel
 * knows, which UDMA_INFO tells; EBUSY when the file has queues already, a transfer
 * under way or an event that was not read; ENOMEM.
 */
struct udma_queue_setup {
	__u32 size;
	__u32 flags;
	__u32 submit_entries;
	__u32 complete_entries;
	__u32 request_bytes;
	__u32 __reserved;
	__aligned_u64 out_mmap_offset;
	__aligned_u64 out_map_bytes;
	__u32 out_submit_offset;
	__u32 out_complete_offset;
};

/**
 * enum udma_queue_state - bits of a queue's state
 * @UDMA_QUEUE_S_CLOSED: the channel is gone, and the last event has been written
 */
enum udma_queue_state {
	UDMA_QUEUE_S_CLOSED	= 1 << 0,
};

/**
 * struct udma_queue_shared - the beginning of the mapped queues
 * @submit_tail: how many requests the program has put in; only the program
 *	writes it
 * @__pad0: not used, as the others
 * @submit_head: how many of them the kernel has taken
 * @__pad1: not used
 * @complete_tail: how many events the kernel has put in
 * @state: bits of enum udma_queue_state
 * @__pad2: not used
 * @complete_head: how many of them were taken, by the program or by read()
 * @__pad3: not used
 *
 * Entry i of a queue is at index i modulo its number of entries. All counts
 * begin at the value they have after UDMA_QUEUE_SETUP, which is any, and go on
 * from 2^32 - 1 to zero; what is between a head and its tail is in the queue.
 *
 * To submit, the program writes requests behind @submit_tail, as many as there
 * is room for, then @submit_tail with release semantics, and calls UDMA_ENTER.
 * An entry may be written again when @submit_head, read with acquire semantics,
 * has passed it.
 *
 * To complete, it reads @complete_tail with acquire semantics, then the events,
 * and then writes @complete_head with release semantics. Only one thread at a
 * time takes events, and read() is taking them.
 *
 * The kernel reads each request once, and keeps its own counts: what a program
 * writes here that it should not harms only itself. Fields that the kernel
 * writes are on cache lines of their own.
 */
struct udma_queue_shared {
	__u32 submit_tail;
	__u32 __pad0[15];
	__u32 submit_head;
	__u32 __pad1[15];
	__u32 complete_tail;
	__u32 state;
	__u32 __pad2[14];
	__u32 complete_head;
	__u32 __pad3[15];
};

/**
 * struct udma_enter - UDMA_ENTER: submit from the mapped queue, wait for events
 * @size: sizeof(struct udma_enter)
 * @flags: zero
 * @submit: how many requests to take at most; fewer if fewer are in the queue
 * @complete: then wait until so many events are in the completion queue, at
 *	most its number of entries; zero not to wait
 * @timeout_ns: how long to wait at most, in nanoseconds; zero for as long as it
 *	takes
 * @busy_ns: for how long of that to look all the time, before going to sleep;
 *	in nanoseconds. It costs CPU time, and saves what going to sleep and
 *	waking up take. What is submitted by the same call then has
 *	UDMA_REQUEST_F_MORE: the controller is looked at, too, and need not
 *	interrupt
 *
 * Returns how many requests were taken. As with UDMA_SUBMIT that is fewer than
 * there are when one is bad or there is no room for it, when a signal comes, or
 * when they are more than the file may have under way, and then the call does
 * not wait; one that was refused is the first one not taken, and may be
 * changed. When nothing was taken the call fails with the first one's error,
 * and with that of waiting. When something was taken, what ended the wait can
 * be seen from the queue.
 *
 * Errors: ENXIO without UDMA_QUEUE_SETUP; EINVAL for @complete over the number
 * of entries, for a submit_tail that is more than the number of entries ahead
 * of submit_head, or a complete_head that is not between what it was and
 * complete_tail; those of a request, see UDMA_SUBMIT; EAGAIN; EIO; ETIME and
 * EINTR while waiting, the latter also with SA_RESTART if there is a timeout.
 */
struct udma_enter {
	__u32 size;
	__u32 flags;
	__u32 submit;
	__u32 complete;
	__aligned_u64 timeout_ns;
	__aligned_u64 busy_ns;
};

/**
 * enum udma_stream_type - how a stream moves data
 * @UDMA_STREAM_CYCLIC: round and round through the buffer, in either direction,
 *	without a gap. There is an event each so many periods: with two periods,
 *	when the buffer is half filled and when it is filled
 * @UDMA_STREAM_PACKETS: from a device, each packet into a slot of its own, with
 *	an event that tells slot and length. Slots that the program has given
 *	back are filled again
 */
enum udma_stream_type {
	UDMA_STREAM_CYCLIC	= 0,
	UDMA_STREAM_PACKETS	= 1,
};

/**
 * enum udma_stream_flags - flags of UDMA_STREAM_START
 * @UDMA_STREAM_F_STOP: when the program does not keep up, stop; the last event has the
 *	status EPIPE. Else the stream goes on, and what was lost is told
 */
enum udma_stream_flags {
	UDMA_STREAM_F_STOP	= 1 << 0,
};

/**
 * struct udma_stream_start - UDMA_STREAM_START: move data continuously
 * @size: sizeof(struct udma_stream_start)
 * @flags: bits of enum udma_stream_flags
 * @type: one of enum udma_stream_type
 * @handle: the buffer
 * @offset: where in it the stream's ring begins, in bytes
 * @bytes: how long the ring is: a multiple of @period_bytes, at least two of
 *	them, and at most 1 GiB
 * @period_bytes: how long a period is, or a slot
 * @event_periods: an event each so many periods since it began, from 1 to all
 *	of the ring; 1 for packets
 * @__reserved: zero
 * @filled_bytes: to a device: how much of the ring has been filled already, at
 *	least a period; else zero
 * @idle_ns: when no period has ended for so long and there is more data than
 *	was told of, an event tells how far it has come; in nanoseconds, of
 *	which 100,000 are the least, zero for never. Zero for packets
 * @user_data: the program's own, given back in all events of the stream
 * @out_sequence: the stream's number among the transfers of the file, in all
 *	its events
 * @out_mmap_offset: what mmap() takes as its offset for struct
 *	udma_stream_shared. It can be mapped once a stream has been started, and
 *	then is that of all streams of the file
 * @out_map_bytes: how much is to be mapped there
 * @out_first_count: the value that both positions in it begin with, but for
 *	@filled_bytes
 *
 * A stream has its channel for itself, and is the only one of its file. Its
 * buffer may be freed meanwhile: the memory stays until the stream has ended.
 * Everything that ends a transfer ends a stream: UDMA_CANCEL by its number,
 * close(), a reset, the end of the channel. It ends with one event more, which
 * has UDMA_EVENT_F_LAST and for which there is always room. Of the others of a
 * cyclic stream up to 16 are in the queue at a time, and what comes meanwhile
 * is told by the next one. A packet has an event of its own, for which there
 * has to be room before the controller gets the slot.
 *
 * Errors: EINVAL for an unknown type, lengths that are not as said above or are
 * not aligned as the channel needs it; EOPNOTSUPP for a channel that cannot do
 * that, or with @idle_ns for one whose out_residue is not UDMA_RESIDUE_BURST;
 * ENOENT; ERANGE; EBUSY when the channel has another owner, or this file has a
 * transfer or a stream under way; EAGAIN; ENOMEM; EIO. A controller that
 * refuses the stream ends it with EIO.
 */
struct udma_stream_start {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 handle;
	__aligned_u64 offset;
	__aligned_u64 bytes;
	__aligned_u64 period_bytes;
	__u32 event_periods;
	__u32 __reserved;
	__aligned_u64 filled_bytes;
	__aligned_u64 idle_ns;
	__aligned_u64 user_data;
	__aligned_u64 out_sequence;
	__aligned_u64 out_mmap_offset;
	__u32 out_map_bytes;
	__u32 out_first_count;
};

/**
 * enum udma_stream_state - bits of a stream's state
 * @UDMA_STREAM_S_RUNNING: there is a stream
 * @UDMA_STREAM_S_PAUSED: it is paused
 * @UDMA_STREAM_S_STARVED: packets: the controller has no slot. When the program
 *	has given one back it has to call UDMA_STREAM_ADVANCE
 */
enum udma_stream_state {
	UDMA_STREAM_S_RUNNING	= 1 << 0,
	UDMA_STREAM_S_PAUSED	= 1 << 1,
	UDMA_STREAM_S_STARVED	= 1 << 2,
};

/**
 * struct udma_stream_shared - what is mapped of a stream
 * @hw_position: how far the controller has come: bytes, or slots that have been
 *	filled
 * @state: bits of enum udma_stream_state
 * @lost: how much was lost, in bytes, modulo 2^32
 * @lost_high: the upper half of that
 * @overruns: how often the program did not keep up
 * @__pad0: not used, as the other
 * @app_position: how far the program has come: from a device, all before it has
 *	been consumed, or given back; to a device, all before it has been filled
 * @__pad1: not used
 *
 * Positions are counts modulo 2^32 that begin anew with each stream; what is
 * where follows from the distance to out_first_count, modulo the ring. A
 * program that was away for long finds itself by what was lost: it is where it
 * has come itself, and that much further. The kernel writes @lost, then
 * @lost_high, before it moves @app_position.
 *
 * From a device, what lies between @app_position and @hw_position can be read.
 * The program reads @hw_position with acquire semantics, then the data, and
 * then moves @app_position on, with release semantics. When a period begins to
 * be overwritten that was not consumed, the kernel moves @app_position to where
 * the data is whole again, and counts what is between as lost. So cyclic
 * streams move it by a compare-and-exchange: when that fails, the data that was
 * read is not to be trusted, and was counted. To a device it is the same with
 * what was to be filled: when a period begins to be played that was not filled,
 * the kernel counts it as lost and moves @app_position behind it.
 *
 * Of packets, no more slots are given to the controller than were given back.
 * When it has none any more @state says UDMA_STREAM_S_STARVED. So a program
 * that has moved @app_position, or taken events for which there was no more
 * room, looks at @state behind a full barrier.
 *
 * A value that cannot be, because it is not between @hw_position and the one
 * before, counts as the one before, and harms nobody else.
 */
struct udma_stream_shared {
	__u32 hw_position;
	__u32 state;
	__u32 lost;
	__u32 lost_high;
	__u32 overruns;
	__u32 __pad0[11];
	__u32 app_position;
	__u32 __pad1[15];
};

/**
 * enum udma_stream_command - what UDMA_STREAM_CONTROL does
 * @UDMA_STREAM_STOP: stop. The last event comes when the controller has let go,
 *	with the status zero, and tells how far it had come
 * @UDMA_STREAM_DRAIN: to a device: stop at the end of the period in which
 *	@app_position lies, of what is filled by then nothing is lost. A part of
 *	the next period may go out as well
 * @UDMA_STREAM_PAUSE: let the controller rest, where it can
 * @UDMA_STREAM_RESUME: let it go on
 * @UDMA_STREAM_ADVANCE: move @app_position to the given one, if it is not there
 *	yet, and fill slots that are free; for who has not mapped it, or is told
 *	to
 */
enum udma_stream_command {
	UDMA_STREAM_STOP	= 0,
	UDMA_STREAM_DRAIN	= 1,
	UDMA_STREAM_PAUSE	= 2,
	UDMA_STREAM_RESUME	= 3,
	UDMA_STREAM_ADVANCE	= 4,
};

/**
 * struct udma_stream_control - UDMA_STREAM_CONTROL: say what a stream is to do
 * @size: sizeof(struct udma_stream_control)
 * @flags: zero
 * @command: one of enum udma_stream_command
 * @__reserved: zero
 * @position: with UDMA_STREAM_ADVANCE how far the program has come, as
 *	@position of events counts; else zero
 * @sequence: the number of the stream, or zero for whichever there is
 *
 * Errors: ENXIO when the file has no stream, this is not its number, or its last
 * event has been written; EINVAL for an unknown command or a position that cannot
 * be; EOPNOTSUPP for UDMA_STREAM_DRAIN from a device, or to pause where the
 * channel cannot; EIO when the controller refuses to.
 */
struct udma_stream_control {
	__u32 size;
	__u32 flags;
	__u32 command;
	__u32 __reserved;
	__aligned_u64 position;
	__aligned_u64 sequence;
};

/**
 * enum udma_event_type - what an event tells
 * @UDMA_EVENT_TRANSFER: a transfer has ended
 * @UDMA_EVENT_STREAM: a stream has come further, or has ended
 * @UDMA_EVENT_PACKET: a packet has come
 */
enum udma_event_type {
	UDMA_EVENT_TRANSFER	= 0,
	UDMA_EVENT_STREAM	= 1,
	UDMA_EVENT_PACKET	= 2,
};

/**
 * enum udma_event_flags - flags of an event
 * @UDMA_EVENT_F_EXACT: the bytes are exact. Always so when all was moved within
 *	memory or to a device. With an error, or when it is short, only where the
 *	controller tells how far it came, else they are what is known to have been
 *	moved. From a device whose controller never tells, they are what was asked
 *	for, the most that it can have been. Of a stream: so are position and lost.
 *	Else they are the least that it can have been, since many controllers tell
 *	of several periods at once, and perhaps of whole rounds
 * @UDMA_EVENT_F_HELD: with EIO: the controller could not be stopped, and may
 *	still read and write the buffers of this transfer. Their memory stays,
 *	whatever the program does, until the controller is known to have let go
 * @UDMA_EVENT_F_SHORT: without an error: the controller ended the transfer
 *	before all of it was moved; a packet that is shorter than its slot
 * @UDMA_EVENT_F_OVERRUN: the program did not keep up: since the event before
 *	data was lost, as @lost says; of packets, the controller had no slot for
 *	a while
 * @UDMA_EVENT_F_IDLE: no period has ended for the time that was asked for
 * @UDMA_EVENT_F_LAST: the last event of a stream. Its status says why it ended
 * @UDMA_EVENT_F_RESET: with EIO: the controller had to be reset for another
 *	reason than this transfer or stream, and did not finish it. It may be
 *	submitted again
 */
enum udma_event_flags {
	UDMA_EVENT_F_EXACT	= 1 << 0,
	UDMA_EVENT_F_HELD	= 1 << 1,
	UDMA_EVENT_F_SHORT	= 1 << 2,
	UDMA_EVENT_F_OVERRUN	= 1 << 3,
	UDMA_EVENT_F_IDLE	= 1 << 4,
	UDMA_EVENT_F_LAST	= 1 << 5,
	UDMA_EVENT_F_RESET	= 1 << 6,
};

/**
 * struct udma_event - what read() returns, any whole number of them, and what
 * is in the completion queue
 * @user_data: the request's, or the stream's
 * @sequence: the transfer's number in its file, 1 for the first one submitted
 * @timestamp_ns: CLOCK_MONOTONIC when the kernel learned of it
 * @bytes: how many were moved; after an error not always those at the front. Of
 *	a stream: since the event before; of a packet: its length
 * @status: zero, or a negative errno that says why it ended; see DOC: errors
 * @flags: bits of enum udma_event_flags
 * @type: one of enum udma_event_type
 * @count: of a stream: how many periods have ended since the event before; of a
 *	packet: its slot; of a transfer: zero
 * @position: of a stream: how many bytes were moved since it began; of a
 *	packet: how many slots have been filled, its own included; of a
 *	transfer: zero
 * @lost: of a stream: how many bytes were lost since the event before, else
 *	zero
 *
 * Of this size for ever.
 */
struct udma_event {
	__aligned_u64 user_data;
	__aligned_u64 sequence;
	__aligned_u64 timestamp_ns;
	__aligned_u64 bytes;
	__s32 status;
	__u32 flags;
	__u32 type;
	__u32 count;
	__aligned_u64 position;
	__aligned_u64 lost;
};

#endif /* _UAPI_LINUX_UDMA_H */
