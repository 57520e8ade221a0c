/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel that is not there: to the library it is a file in memory, and what it asks of
 * the kernel is answered here, for ioctl(), read() and ppoll() are those below. So a
 * test sees what the library asks, and decides to the byte when the controller has come
 * how far, and what the program is told of it.
 *
 * There is one, `fake`; each test has a process of its own.
 */
#ifndef UDMA_FAKE_H
#define UDMA_FAKE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "udma_library.h"

#define FAKE_BYTES	(1 * MIB)
#define FAKE_PAGE	(FAKE_BYTES - 64 * KIB)	/* where the shared page is in the file */
#define FAKE_EVENTS	64
#define FAKE_REQUESTS	8
/* So that counts wrap soon, as the kernel has it. */
#define FAKE_FIRST	0xffff0000U

/* For a controller that is another thread. */
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	int file;			/* the memory */
	int fd;				/* the library's */
	unsigned char *mem;		/* as the kernel sees it */
	struct udma_stream_shared *shared;
	struct udma_info info;

	/* What it is to do */
	int error;			/* of the next call but UDMA_INFO; zero for none */
	unsigned int most_events;	/* of a cyclic stream at a time */
	void (*asleep)(void);		/* what happens when the library sleeps */

	/* What was asked of it */
	unsigned int calls;		/* of any kind */
	__u32 handles;
	__u64 used;			/* of the memory */
	struct udma_request requests[FAKE_REQUESTS];
	unsigned int requested;
	struct udma_stream_start start;
	struct udma_stream_control control;
	unsigned int controls;

	/* Events that can be read */
	struct udma_event events[FAKE_EVENTS];
	unsigned int head;
	unsigned int tail;
	__u64 sequence;

	/* The stream */
	bool runs;
	bool reads;
	__u64 hw;
	__u64 app;
	__u64 lost;
	__u32 overruns;
	__u64 told_hw;
	__u64 told_lost;
	bool more;			/* there is something that had no room */
} fake;

static inline void fake_set(__u32 *count, __u32 value)
{
	__atomic_store_n(count, value, __ATOMIC_RELEASE);
}

static inline __u32 fake_count(__u64 position)
{
	return fake.start.out_first_count + (__u32)position;
}

/* Events */

static inline void fake_post(struct udma_event event)
{
	event.user_data = fake.start.user_data;
	event.sequence = fake.start.out_sequence;
	event.position = fake.hw;
	event.lost = fake.lost - fake.told_lost;
	if (event.lost)
		event.flags |= UDMA_EVENT_F_OVERRUN;
	fake.told_hw = fake.hw;
	fake.told_lost = fake.lost;
	fake.events[fake.tail++ % FAKE_EVENTS] = event;
}

/* As a period ends: so that it is read, or found to have no room. */
static inline void fake_tell(__u32 flags)
{
	fake.more = fake.tail - fake.head >= fake.most_events;
	if (fake.more)
		return;
	fake_post((struct udma_event) {
		.type = UDMA_EVENT_STREAM,
		.flags = flags,
		.bytes = fake.hw - fake.told_hw,
	});
}

static inline void fake_end(int status, __u32 flags)
{
	fake.runs = false;
	fake_set(&fake.shared->state, 0);
	fake_post((struct udma_event) {
		.type = UDMA_EVENT_STREAM,
		.status = status,
		.flags = flags | UDMA_EVENT_F_LAST,
		.bytes = fake.hw - fake.told_hw,
	});
}

static inline void fake_packet(__u64 bytes)
{
	const __u64 slots = fake.start.bytes / fake.start.period_bytes;
	const __u32 slot = fake.hw % slots;

	memset(fake.mem + fake.start.offset + slot * fake.start.period_bytes,
	       (int)(fake.hw + 1), bytes);
	fake.hw++;
	fake_set(&fake.shared->hw_position, fake_count(fake.hw));
	fake_post((struct udma_event) {
		.type = UDMA_EVENT_PACKET,
		.flags = UDMA_EVENT_F_EXACT |
			 (bytes < fake.start.period_bytes ? UDMA_EVENT_F_SHORT : 0),
		.bytes = bytes,
		.count = slot,
	});
}

/* Rings */

/* What the byte at @position of a stream is: never the same a round or 2^32 later. */
static inline unsigned char fake_byte(__u64 position)
{
	return (position * 0x9e3779b97f4a7c15ULL) >> 56;
}

/* Of what the controller writes only the last round can be seen. */
static inline void fake_write(__u64 from, __u64 to)
{
	unsigned char *ring = fake.mem + fake.start.offset;
	__u64 i = to - from > fake.start.bytes ? to - fake.start.bytes : from;

	for (; i < to; i++)
		__atomic_store_n(&ring[i % fake.start.bytes], fake_byte(i),
				 __ATOMIC_RELAXED);
}

/* In this order, and all before the program is moved: so the program knows which it sees. */
static inline void fake_lose(__u64 lost)
{
	fake_set(&fake.shared->lost, (__u32)lost);
	fake_set(&fake.shared->lost_high, (__u32)(lost >> 32));
}

static inline __u64 fake_limit(void)
{
	return fake.reads ? fake.hw : fake.hw + fake.start.bytes;
}

/* The program has to be at @least, and if it is not, it is put there. */
static inline void fake_require(__u64 least)
{
	__u32 raw, ahead;

	do {
		raw = __atomic_load_n(&fake.shared->app_position, __ATOMIC_ACQUIRE);
		ahead = raw - fake_count(fake.app);
		if (ahead <= fake_limit() - fake.app)
			fake.app += ahead;
		if (fake.app >= least) {
			fake_lose(fake.lost);
			return;
		}
		fake_lose(fake.lost + least - fake.app);
	} while (!__atomic_compare_exchange_n(&fake.shared->app_position, &raw,
					      fake_count(least), false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	fake.lost += least - fake.app;
	fake.app = least;
	fake_set(&fake.shared->overruns, ++fake.overruns);
}

/* The controller has come to the end of a period, or of several, and begins the next one. */
static inline void fake_move(__u64 periods)
{
	const __u64 bytes = periods * fake.start.period_bytes;
	__u64 end;

	if (fake.reads)
		fake_write(fake.hw, fake.hw + bytes);
	fake.hw += bytes;
	end = (fake.hw / fake.start.period_bytes + 1) * fake.start.period_bytes;
	fake_set(&fake.shared->hw_position, fake_count(fake.hw));
	if (!fake.reads)
		fake_require(end);
	else if (end > fake.start.bytes)
		fake_require(end - fake.start.bytes);
}

/* The same, and it is told. */
static inline void fake_period(void)
{
	fake_move(1);
	fake_tell(UDMA_EVENT_F_EXACT);
}

/* What the library asks */

static inline int fake_alloc(struct udma_buffer_alloc *alloc)
{
	alloc->out_handle = ++fake.handles;
	alloc->out_mmap_offset = fake.used;
	alloc->out_map_bytes = round_up_page(alloc->bytes);
	alloc->out_caching = UDMA_CACHING_CACHED;
	fake.used += alloc->out_map_bytes;
	return 0;
}

static inline int fake_submit(struct udma_submit *submit)
{
	const struct udma_request *requests = (void *)(uintptr_t)submit->requests;
	__u32 i;

	submit->out_sequence = fake.sequence + 1;
	for (i = 0; i < submit->count && fake.requested < FAKE_REQUESTS; i++)
		fake.requests[fake.requested++] = requests[i];
	fake.sequence += i;
	return i;
}

static inline int fake_start(struct udma_stream_start *start)
{
	start->out_sequence = ++fake.sequence;
	start->out_mmap_offset = FAKE_PAGE;
	start->out_map_bytes = page_bytes();
	start->out_first_count = FAKE_FIRST;
	fake.start = *start;
	fake.runs = true;
	fake.reads = fake.info.out_direction == UDMA_DIRECTION_DEV_TO_MEM;
	fake.hw = 0;
	fake.app = start->filled_bytes;
	fake.lost = 0;
	fake.overruns = 0;
	fake.told_hw = 0;
	fake.told_lost = 0;
	fake_lose(0);
	fake_set(&fake.shared->overruns, 0);
	fake_set(&fake.shared->hw_position, fake_count(0));
	fake_set(&fake.shared->app_position, fake_count(fake.app));
	fake_set(&fake.shared->state, UDMA_STREAM_S_RUNNING);
	return 0;
}

/* What follows from it is the test's. */
static inline int fake_control(const struct udma_stream_control *control)
{
	fake.control = *control;
	fake.controls++;
	if (fake.runs)
		return 0;
	errno = ENXIO;
	return -1;
}

static inline int fake_info(struct udma_info *info)
{
	fake.info.size = info->size;
	*info = fake.info;
	return 0;
}

static inline int fake_ioctl(unsigned long nr, void *arg)
{
	if (nr == UDMA_INFO)
		return fake_info(arg);
	if (fake.error) {
		errno = fake.error;
		fake.error = 0;
		return -1;
	}
	if (nr == UDMA_BUFFER_ALLOC)
		return fake_alloc(arg);
	if (nr == UDMA_SUBMIT)
		return fake_submit(arg);
	if (nr == UDMA_STREAM_START)
		return fake_start(arg);
	return nr == UDMA_STREAM_CONTROL ? fake_control(arg) : 0;
}

int ioctl(int fd, unsigned long nr, ...)
{
	va_list args;
	void *arg;

	va_start(args, nr);
	arg = va_arg(args, void *);
	va_end(args);
	if (!fake.mem || nr >> 8 != UDMA_IOCTL_TYPE)
		return syscall(SYS_ioctl, fd, nr, arg);
	/* The first thing that it does with a channel. */
	fake.fd = fd;
	fake.calls++;
	return fake_ioctl(nr, arg);
}

ssize_t read(int fd, void *mem, size_t bytes)
{
	struct udma_event *events = mem;
	size_t count;

	if (!fake.mem || fd != fake.fd)
		return syscall(SYS_read, fd, mem, bytes);
	pthread_mutex_lock(&fake_lock);
	fake.calls++;
	for (count = 0; count < bytes / sizeof(*events) && fake.head != fake.tail; count++)
		events[count] = fake.events[fake.head++ % FAKE_EVENTS];
	if (fake.more && fake.runs)
		fake_tell(UDMA_EVENT_F_EXACT);
	pthread_mutex_unlock(&fake_lock);
	if (count)
		return count * sizeof(*events);
	errno = EAGAIN;
	return -1;
}

/* The C library says of it that it does not read what it is given. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

/* Time passes in the end when nothing happens. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	  const sigset_t *mask)
{
	if (!fake.mem || count != 1 || fds->fd != fake.fd)
		return syscall(SYS_ppoll, fds, count, timeout, mask, 8);
	fake.calls++;
	if (fake.error) {
		errno = fake.error;
		fake.error = 0;
		return -1;
	}
	if (fake.head == fake.tail && fake.asleep)
		fake.asleep();
	fds->revents = fake.head != fake.tail ? POLLIN : 0;
	return fake.head != fake.tail;
}

/* Set up before the library opens it. */
static inline int try_fake(enum udma_direction direction, char *path, size_t bytes)
{
	unsigned char *mem;

	fake.file = memfd_create("udma", MFD_CLOEXEC);
	if (fake.file < 0 || ftruncate(fake.file, FAKE_BYTES))
		return -1;
	if (try_mmap(fake.file, 0, FAKE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, &mem))
		return -1;
	fake.mem = mem;
	fake.shared = (void *)(mem + FAKE_PAGE);
	fake.most_events = 16;
	fake.info.out_direction = direction;
	snprintf(path, bytes, "/proc/self/fd/%d", fake.file);
	return 0;
}

#endif /* UDMA_FAKE_H */
