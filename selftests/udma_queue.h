/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queues that are shared with the kernel, with nothing between a test and their
 * memory: a test may do to them what a program should not.
 *
 * The functions return as those of udma_test.h do.
 */
#ifndef UDMA_QUEUE_H
#define UDMA_QUEUE_H

#include <sys/resource.h>

#include "udma_sleeper.h"
#include "udma_test.h"

#define QUEUE_GET(_field)						\
	__atomic_load_n(&(_field), __ATOMIC_ACQUIRE)
#define QUEUE_SET(_field, _value)					\
	__atomic_store_n(&(_field), _value, __ATOMIC_RELEASE)

/* No longer wait than that of a call that should not wait at all. */
#define WAIT_NS		(WAIT_MS * 1000000ULL)

struct queue {
	int fd;
	struct udma_queue_setup setup;
	unsigned char *mem;		/* the mapping, or NULL */
	struct udma_queue_shared *shared;
	struct udma_request *requests;
	struct udma_event *events;
	__u32 tail;			/* of what was put in */
};

static inline int try_setup(int fd, __u32 submit_entries,
			    __u32 complete_entries,
			    struct udma_queue_setup *setup)
{
	memset(setup, 0xff, sizeof(*setup));
	setup->size = sizeof(*setup);
	setup->flags = 0;
	setup->submit_entries = submit_entries;
	setup->complete_entries = complete_entries;
	setup->request_bytes = sizeof(struct udma_request);
	setup->__reserved = 0;
	return ioctl(fd, UDMA_QUEUE_SETUP, setup);
}

static inline int try_queue_map(struct queue *queue)
{
	if (try_mmap(queue->fd, queue->setup.out_mmap_offset,
		     queue->setup.out_map_bytes, PROT_READ | PROT_WRITE,
		     MAP_SHARED, &queue->mem)) {
		queue->mem = NULL;
		return -1;
	}
	queue->shared = (void *)queue->mem;
	queue->requests = (void *)(queue->mem +
				   queue->setup.out_submit_offset);
	queue->events = (void *)(queue->mem +
				 queue->setup.out_complete_offset);
	queue->tail = QUEUE_GET(queue->shared->submit_tail);
	return 0;
}

static inline int try_queue_start(struct queue *queue, int fd,
				  __u32 submit_entries, __u32 complete_entries)
{
	*queue = (struct queue) { .fd = fd };
	if (try_setup(fd, submit_entries, complete_entries, &queue->setup))
		return -1;
	return try_queue_map(queue);
}

/* Not twice. */
static inline int try_queue_unmap(struct queue *queue)
{
	unsigned char *mem = queue->mem;

	queue->mem = NULL;
	return mem ? munmap(mem, queue->setup.out_map_bytes) : 0;
}

/* Requests */

static inline struct udma_request *queue_request(const struct queue *queue,
						 __u32 index)
{
	return &queue->requests[index & (queue->setup.submit_entries - 1)];
}

/* How many the kernel has not taken. */
static inline __u32 queue_pending(const struct queue *queue)
{
	return queue->tail - QUEUE_GET(queue->shared->submit_head);
}

static inline void queue_put(struct queue *queue, struct udma_request request)
{
	*queue_request(queue, queue->tail++) = request;
	QUEUE_SET(queue->shared->submit_tail, queue->tail);
}

static inline void queue_put_times(struct queue *queue,
				   struct udma_request request,
				   unsigned int times)
{
	while (times--) {
		queue_put(queue, request);
		request.user_data++;
	}
}

static inline int try_enter_with(int fd, __u32 submit, __u32 complete,
				 __u64 timeout_ns, __u64 busy_ns)
{
	struct udma_enter enter = {
		.size = sizeof(enter),
		.submit = submit,
		.complete = complete,
		.timeout_ns = timeout_ns,
		.busy_ns = busy_ns,
	};

	return ioctl(fd, UDMA_ENTER, &enter);
}

/* For what should not have to wait long, if it has to at all. */
static inline int try_enter(int fd, __u32 submit, __u32 complete)
{
	return try_enter_with(fd, submit, complete, WAIT_NS, 0);
}

/* Events */

/* How many there are to be taken. */
static inline __u32 queue_ready(const struct queue *queue)
{
	return QUEUE_GET(queue->shared->complete_tail) -
	       QUEUE_GET(queue->shared->complete_head);
}

/* Take events without a call: how many there were, up to @count. */
static inline unsigned int queue_pop(struct queue *queue,
				     struct udma_event *events,
				     unsigned int count)
{
	__u32 head = QUEUE_GET(queue->shared->complete_head);
	__u32 tail = QUEUE_GET(queue->shared->complete_tail);
	unsigned int i;

	for (i = 0; i < count && head != tail; i++, head++)
		events[i] = queue->events[head &
					  (queue->setup.complete_entries - 1)];
	QUEUE_SET(queue->shared->complete_head, head);
	return i;
}

/* The next event that is taken says this. */
#define takes_end(_queue, _sequence, _status, _bytes)			\
	do {								\
		struct udma_event __event = {};				\
									\
		ASSERT_EQ(1, queue_pop(_queue, &__event, 1));		\
		EXPECT_EQ(_sequence, __event.sequence);			\
		EXPECT_EQ(_status, __event.status);			\
		EXPECT_EQ(_bytes, __event.bytes);			\
		EXPECT_EQ(UDMA_EVENT_F_EXACT, __event.flags);		\
	} while (0)

/* One request from its submission to its end. */
static inline int try_queue_run(struct queue *queue,
				struct udma_request request,
				struct udma_event *event)
{
	queue_put(queue, request);
	if (try_enter(queue->fd, 1, 1) != 1)
		return -1;
	if (queue_pop(queue, event, 1) == 1)
		return 0;
	errno = ENODATA;
	return -1;
}

/* Threads that wait in the call */

struct enterer {
	struct sleeper sleeper;
	int fd;
	__u32 submit;
	__u32 complete;
	__u64 timeout_ns;
	__u64 busy_ns;
	long switches;		/* how often it slept in it */
	__u64 took_ns;
};

/* How often the calling thread has slept. */
static inline long own_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

static inline long enterer_run(void *data)
{
	struct enterer *enterer = data;
	const __u64 begin = now_ns();
	const long before = own_switches();
	int ret = try_enter_with(enterer->fd, enterer->submit,
				 enterer->complete, enterer->timeout_ns,
				 enterer->busy_ns);
	const int error = errno;

	enterer->switches = own_switches() - before;
	enterer->took_ns = now_ns() - begin;
	errno = error;
	return ret;
}

/* It is asleep in the call when this returns, but not if it spins. */
static inline int try_enterer_start(struct enterer *enterer, int fd,
				    __u32 submit, __u32 complete)
{
	*enterer = (struct enterer) {
		.fd = fd,
		.submit = submit,
		.complete = complete,
	};
	return try_sleeper_start(&enterer->sleeper, enterer_run, enterer,
				 SYS_ioctl);
}

/* What the call returned. */
static inline int try_enterer_join(struct enterer *enterer)
{
	if (try_sleeper_join(&enterer->sleeper))
		return -1;
	errno = enterer->sleeper.error;
	return enterer->sleeper.ret;
}

/* How often a thread that is asleep has gone to sleep, or -1. */
static inline long sleeps_of(const struct sleeper *sleeper)
{
	char path[64], line[128];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", sleeper->tid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (count < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) != 1)
			count = -1;
	fclose(file);
	return count;
}

#endif /* UDMA_QUEUE_H */
