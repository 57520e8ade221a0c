/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test of /dev/udmaN needs, in three layers:
 *
 *   try_*()                    makes the call and nothing else: what it returns
 *                              is that of the system call, -1 with errno
 *   must(try_...)              it has to succeed, or the test ends
 *   works(try_...)             it has to succeed, but the test goes on
 *   fails(EINVAL, try_...)     it has to fail, and with this errno
 *
 * A teardown must not end early: the harness would only begin it again.
 * As with all that the harness has, what they expand to may be more than one
 * statement: the body of a loop needs its braces.
 *
 * Nothing in here sleeps. What has to happen is waited for with poll(); where
 * there is nothing to poll, a look is repeated for as long as poll() would wait.
 */
#ifndef UDMA_TEST_H
#define UDMA_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/udma.h>
#include "kselftest_harness.h"

#define KIB		1024UL
#define MIB		(1024 * KIB)

/* Longer than anything takes, and shorter than the harness's own limit. */
#define WAIT_MS		20000

/* A processor that is shared with others may be away for some of it. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	60

/* How often a look is repeated where time does not matter. */
#define LOOKS		100000

static inline int errno_of(long ret)
{
	return ret == -1 ? errno : 0;
}

#define must(_call)							\
	({								\
		long __ret = (_call);					\
									\
		ASSERT_EQ(0, errno_of(__ret))				\
			TH_LOG("%s", #_call);				\
		__ret;							\
	})

#define works(_call)		EXPECT_EQ(0, errno_of(_call))
#define fails(_errno, _call)	EXPECT_EQ(_errno, errno_of(_call))

static inline size_t page_bytes(void)
{
	return sysconf(_SC_PAGESIZE);
}

static inline __u64 round_up_page(__u64 bytes)
{
	return (bytes + page_bytes() - 1) & ~(__u64)(page_bytes() - 1);
}

static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/*
 * Whether to look once more for what nobody can poll(): @end, zero before the first
 * look, is until when. How many looks that is does not matter, for what they wait
 * for may need a processor that somebody else has.
 */
static inline bool look_again(__u64 *end)
{
	const __u64 now = now_ns();

	if (!*end)
		*end = now + WAIT_MS * 1000000ULL;
	if (now < *end) {
		sched_yield();
		return true;
	}
	errno = ETIME;
	return false;
}

/* Pages of ordinary memory, and one behind them that cannot be touched. */
static inline unsigned char *pages_before_hole(unsigned int pages)
{
	size_t bytes = pages * page_bytes();
	unsigned char *mem = mmap(NULL, bytes + page_bytes(),
				  PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	if (mprotect(mem + bytes, page_bytes(), PROT_NONE))
		return NULL;
	return mem;
}

/*
 * Whether memory can be read, told by the kernel in place of a signal: a system
 * call that meets SIGBUS or SIGSEGV says EFAULT.
 */
static inline int try_touch(const void *mem)
{
	int fds[2], ret, error;

	if (pipe(fds))
		return -1;
	ret = write(fds[1], mem, 1);
	error = errno;
	close(fds[0]);
	close(fds[1]);
	errno = error;
	return ret;
}

/* Wait until a thread of this process sleeps in a system call, SYS_*. */
static inline int wait_blocked(pid_t tid, long nr)
{
	char path[64];
	__u64 end = 0;
	long seen;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	do {
		file = fopen(path, "r");
		if (!file)
			return -1;
		/* It says "running" for a thread that is not asleep. */
		if (fscanf(file, "%ld", &seen) != 1)
			seen = -1;
		fclose(file);
		if (seen == nr)
			return 0;
	} while (look_again(&end));
	return -1;
}

/*
 * Wait until a thread of this process sleeps in the kernel inside of a function:
 * it may sleep in several places of one call, and only root sees in which.
 */
static inline int wait_inside(pid_t tid, const char *function)
{
	char path[64], line[256];
	__u64 end = 0;
	bool inside;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stack", tid);
	do {
		inside = false;
		file = fopen(path, "r");
		if (!file)
			return -1;
		while (fgets(line, sizeof(line), file))
			inside |= !!strstr(line, function);
		fclose(file);
		if (inside)
			return 0;
	} while (look_again(&end));
	return -1;
}

/* Buffers */

struct buffer {
	unsigned char *mem;	/* where it is mapped */
	__u64 bytes;		/* what was asked for */
	__u64 mmap_offset;
	__u64 map_bytes;
	__u32 caching;
	__u32 handle;
};

static inline int try_info(int fd, struct udma_info *info)
{
	memset(info, 0xff, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = 0;
	return ioctl(fd, UDMA_INFO, info);
}

static inline int try_alloc(int fd, __u64 bytes, struct buffer *buffer)
{
	struct udma_buffer_alloc alloc = {
		.size = sizeof(alloc),
		.bytes = bytes,
	};
	int ret = ioctl(fd, UDMA_BUFFER_ALLOC, &alloc);

	*buffer = (struct buffer) {
		.bytes = bytes,
		.mmap_offset = alloc.out_mmap_offset,
		.map_bytes = alloc.out_map_bytes,
		.caching = alloc.out_caching,
		.handle = alloc.out_handle,
	};
	return ret;
}

static inline int try_free(int fd, __u32 handle)
{
	struct udma_buffer_free free = {
		.size = sizeof(free),
		.handle = handle,
	};

	return ioctl(fd, UDMA_BUFFER_FREE, &free);
}

static inline int try_mmap(int fd, __u64 offset, size_t bytes, int prot,
			   int flags, unsigned char **mem)
{
	*mem = mmap(NULL, bytes, prot, flags, fd, offset);
	return *mem == MAP_FAILED ? -1 : 0;
}

static inline int try_map(int fd, struct buffer *buffer)
{
	return try_mmap(fd, buffer->mmap_offset, buffer->map_bytes,
			PROT_READ | PROT_WRITE, MAP_SHARED, &buffer->mem);
}

static inline int try_alloc_map(int fd, __u64 bytes, struct buffer *buffer)
{
	if (try_alloc(fd, bytes, buffer))
		return -1;
	return try_map(fd, buffer);
}

static inline int try_unmap(struct buffer *buffer)
{
	return munmap(buffer->mem, buffer->map_bytes);
}

/* The first byte of memory that does not hold @value, or -1. */
static inline long find_other(const unsigned char *mem, size_t bytes,
			      unsigned char value)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (mem[i] != value)
			return i;
	return -1;
}

/* Transfers */

static inline struct udma_request copy_request(const struct buffer *dst,
					       __u64 dst_offset,
					       const struct buffer *src,
					       __u64 src_offset, __u64 bytes)
{
	return (struct udma_request) {
		.op = UDMA_OP_COPY,
		.dst_handle = dst->handle,
		.src_handle = src->handle,
		.dst_offset = dst_offset,
		.src_offset = src_offset,
		.bytes = bytes,
	};
}

static inline struct udma_request fill_request(const struct buffer *dst,
					       __u64 offset, __u64 bytes,
					       __u32 value)
{
	return (struct udma_request) {
		.op = UDMA_OP_FILL,
		.dst_handle = dst->handle,
		.dst_offset = offset,
		.bytes = bytes,
		.fill = value,
	};
}

/* How many of the array were taken; *sequence is the number of the first. */
static inline int try_submit_at(int fd, const struct udma_request *requests,
				__u32 count, __u64 *sequence)
{
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)requests,
		.count = count,
		.request_bytes = sizeof(*requests),
	};
	int ret = ioctl(fd, UDMA_SUBMIT, &submit);

	*sequence = submit.out_sequence;
	return ret;
}

static inline int try_submit(int fd, const struct udma_request *requests,
			     __u32 count)
{
	__u64 sequence;

	return try_submit_at(fd, requests, count, &sequence);
}

static inline int try_submit_one(int fd, struct udma_request request)
{
	return try_submit(fd, &request, 1);
}

/* All of them are taken, or nothing that a test can go on with. */
static inline int try_submit_all(int fd, const struct udma_request *requests,
				 __u32 count)
{
	int ret = try_submit(fd, requests, count);

	if (ret < 0 || (__u32)ret == count)
		return ret;
	errno = ERANGE;
	return -1;
}

/* How many it found under way. */
static inline int try_cancel_with(int fd, __u32 flags, __u64 sequence)
{
	struct udma_cancel cancel = {
		.size = sizeof(cancel),
		.flags = flags,
		.sequence = sequence,
	};

	return ioctl(fd, UDMA_CANCEL, &cancel);
}

static inline int try_cancel(int fd, __u64 sequence)
{
	return try_cancel_with(fd, 0, sequence);
}

static inline int try_cancel_all(int fd)
{
	return try_cancel_with(fd, UDMA_CANCEL_F_ALL, 0);
}

/* Events */

static inline int try_eventfd(int fd, int eventfd)
{
	struct udma_eventfd arg = {
		.size = sizeof(arg),
		.fd = eventfd,
	};

	return ioctl(fd, UDMA_EVENTFD, &arg);
}

/* What poll() says at this moment. */
static inline int poll_now(int fd)
{
	struct pollfd pollfd = {
		.fd = fd,
		.events = POLLIN | POLLOUT,
	};

	if (poll(&pollfd, 1, 0) < 0)
		return -1;
	return pollfd.revents;
}

/* Its count, or 0 if it was not signalled. */
static inline __u64 eventfd_count(int eventfd)
{
	__u64 count = 0;

	if (!(poll_now(eventfd) & POLLIN))
		return 0;
	if (read(eventfd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

/*
 * At the end of its time poll() takes a last look, and so would find what nobody
 * woke it for. That is too late.
 */
static inline int try_wait_for(int fd, short events)
{
	struct pollfd pollfd = {
		.fd = fd,
		.events = events,
	};
	const __u64 end = now_ns() + WAIT_MS * 1000000ULL;
	int ret = poll(&pollfd, 1, WAIT_MS);

	if (ret < 0)
		return -1;
	if (ret == 1 && now_ns() < end)
		return pollfd.revents;
	errno = ETIME;
	return -1;
}

/* How many events there were, up to @count. */
static inline int try_read(int fd, struct udma_event *events, size_t count)
{
	ssize_t ret = read(fd, events, count * sizeof(*events));

	if (ret < 0)
		return -1;
	if (ret % sizeof(*events) == 0)
		return ret / sizeof(*events);
	errno = EPROTO;
	return -1;
}

/* The same without waiting for the first one: then it is 0. */
static inline int try_read_now(int fd, struct udma_event *events, size_t count)
{
	int now = poll_now(fd);

	if (now < 0)
		return -1;
	return now & POLLIN ? try_read(fd, events, count) : 0;
}

/* Exactly @count events, however long they take. */
static inline int try_collect(int fd, struct udma_event *events, size_t count)
{
	size_t have = 0;
	int ret;

	while (have < count) {
		ret = try_wait_for(fd, POLLIN);
		if (ret < 0)
			return -1;
		if (!(ret & POLLIN)) {
			errno = EPIPE;
			return -1;
		}
		ret = try_read(fd, events + have, count - have);
		if (ret <= 0)
			return -1;
		have += ret;
	}
	return have;
}

/* One transfer from its submission to its end: the status that it ended with. */
static inline int try_run(int fd, struct udma_request request,
			  struct udma_event *event)
{
	if (try_submit_all(fd, &request, 1) < 0)
		return -1;
	return try_collect(fd, event, 1) == 1 ? 0 : -1;
}

/*
 * Patterns. Every byte tells what it is in its two upper bits, and in the others
 * where it belongs: a byte that was not copied, one that was copied to the
 * wrong place and one that should not have been touched look different.
 */
enum pattern {
	PATTERN_GUARD	= 0x00,	/* of the destination, not to be written */
	PATTERN_STALE	= 0x40,	/* of the destination, to be overwritten */
	PATTERN_OTHER	= 0x80,	/* of the source, not to be read */
	PATTERN_SOURCE	= 0xc0,
};

static inline unsigned char pattern_byte(enum pattern pattern, __u64 index)
{
	return pattern | ((__u32)index * 2654435761U) >> 26;
}

static inline void pattern_write(unsigned char *mem, __u64 from, __u64 to,
				 enum pattern pattern)
{
	__u64 i;

	for (i = from; i < to; i++)
		mem[i] = pattern_byte(pattern, i);
}

/* Where the first byte is that is not the pattern's; @to if there is none. */
static inline __u64 pattern_differs(const unsigned char *mem, __u64 from,
				    __u64 to, enum pattern pattern)
{
	__u64 i;

	for (i = from; i < to; i++)
		if (mem[i] != pattern_byte(pattern, i))
			break;
	return i;
}

static inline void pattern_prepare(const struct buffer *buffer, __u64 from,
				   __u64 bytes, enum pattern outside,
				   enum pattern inside)
{
	pattern_write(buffer->mem, 0, from, outside);
	pattern_write(buffer->mem, from, from + bytes, inside);
	pattern_write(buffer->mem, from + bytes, buffer->map_bytes, outside);
}

static inline bool pattern_outside(const struct buffer *buffer, __u64 from,
				   __u64 bytes, enum pattern outside)
{
	__u64 to = from + bytes;

	return pattern_differs(buffer->mem, 0, from, outside) == from &&
	       pattern_differs(buffer->mem, to, buffer->map_bytes, outside) ==
	       buffer->map_bytes;
}

/* Both buffers whole, to the end of their last page. */
static inline void copy_prepare(const struct buffer *dst,
				const struct buffer *src,
				const struct udma_request *request)
{
	pattern_prepare(dst, request->dst_offset, request->bytes,
			PATTERN_GUARD, PATTERN_STALE);
	pattern_prepare(src, request->src_offset, request->bytes,
			PATTERN_OTHER, PATTERN_SOURCE);
}

/* "copied", or what is wrong. */
static inline const char *copy_verdict(const struct buffer *dst,
				       const struct buffer *src,
				       const struct udma_request *request)
{
	const unsigned char *to = dst->mem + request->dst_offset;
	__u64 i;

	if (!pattern_outside(src, request->src_offset, request->bytes,
			     PATTERN_OTHER))
		return "source changed around the range";
	if (pattern_differs(src->mem, request->src_offset,
			    request->src_offset + request->bytes,
			    PATTERN_SOURCE) !=
	    request->src_offset + request->bytes)
		return "source changed";
	if (!pattern_outside(dst, request->dst_offset, request->bytes,
			     PATTERN_GUARD))
		return "overrun";
	for (i = 0; i < request->bytes; i++) {
		if (to[i] == pattern_byte(PATTERN_SOURCE,
					  request->src_offset + i))
			continue;
		if (to[i] == pattern_byte(PATTERN_STALE,
					  request->dst_offset + i))
			return i ? "copied in part" : "not copied";
		return "copied wrong";
	}
	return "copied";
}

static inline void fill_prepare(const struct buffer *dst,
				const struct udma_request *request)
{
	pattern_prepare(dst, request->dst_offset, request->bytes,
			PATTERN_GUARD, PATTERN_STALE);
}

/* "filled", or what is wrong. */
static inline const char *fill_verdict(const struct buffer *dst,
				       const struct udma_request *request)
{
	if (!pattern_outside(dst, request->dst_offset, request->bytes,
			     PATTERN_GUARD))
		return "overrun";
	if (find_other(dst->mem + request->dst_offset, request->bytes,
		       request->fill) >= 0)
		return "not filled";
	return "filled";
}

#endif /* UDMA_TEST_H */
