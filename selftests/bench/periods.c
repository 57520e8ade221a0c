// SPDX-License-Identifier: GPL-2.0
/*
 * periods METHOD DEVICE BYTES PERIODS EVENT COUNT: has a cyclic stream from a device in a
 * ring of PERIODS of BYTES, until COUNT of them have ended. It is told each EVENT of them,
 * and consumes them; it fails if any was lost. METHOD says how it waits:
 *
 *   enter   UDMA_ENTER, and takes the event from the queue
 *   read    read(), which sleeps
 *   poll    poll(), then read(), which does not
 *   sleep   it does not, and consumes nothing
 *
 * It has nothing between itself and the kernel, so that it costs no more than it must.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/udma.h>

#define ENTRIES		32
#define NAP_NS		100000000

/**
 * struct stream - a stream
 * @fd: of the device
 * @start: what it was started with
 * @shared: where it is
 * @queue: the mapped queues of the method that has them
 * @events: the events in these
 * @position: how far it was consumed, as @shared counts
 * @bytes: and how far in all
 * @lost: whether something was lost
 */
struct stream {
	int fd;
	struct udma_stream_start start;
	struct udma_stream_shared *shared;
	struct udma_queue_shared *queue;
	const struct udma_event *events;
	uint32_t position;
	uint64_t bytes;
	bool lost;
};

static uint32_t load(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static void *map(const struct stream *stream, uint64_t offset, size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, stream->fd, offset);

	if (mem == MAP_FAILED)
		err(1, "mmap");
	return mem;
}

static void check_event(const struct udma_event *event)
{
	if (event->type != UDMA_EVENT_STREAM || event->flags & UDMA_EVENT_F_LAST)
		errx(1, "the stream has ended: %s", strerror(-event->status));
}

/* Methods to wait for an event, and to take those that there are */

static void setup_enter(struct stream *stream)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = 1,
		.complete_entries = ENTRIES,
		.request_bytes = sizeof(struct udma_request),
	};

	if (ioctl(stream->fd, UDMA_QUEUE_SETUP, &setup))
		err(1, "UDMA_QUEUE_SETUP");
	stream->queue = map(stream, setup.out_mmap_offset, setup.out_map_bytes);
	stream->events = (void *)((char *)stream->queue + setup.out_complete_offset);
}

static void wait_enter(struct stream *stream)
{
	struct udma_enter enter = { .size = sizeof(enter), .complete = 1 };
	uint32_t head, tail;

	if (ioctl(stream->fd, UDMA_ENTER, &enter) < 0)
		err(1, "UDMA_ENTER");
	head = stream->queue->complete_head;
	tail = load(&stream->queue->complete_tail);
	for (; head != tail; head++)
		check_event(&stream->events[head % ENTRIES]);
	__atomic_store_n(&stream->queue->complete_head, head, __ATOMIC_RELEASE);
}

static void wait_read(struct stream *stream)
{
	struct udma_event events[16];
	ssize_t count = read(stream->fd, events, sizeof(events)), i;

	if (count < 0)
		err(1, "read");
	for (i = 0; i < count / (ssize_t)sizeof(events[0]); i++)
		check_event(&events[i]);
}

static void setup_poll(struct stream *stream)
{
	if (fcntl(stream->fd, F_SETFL, O_NONBLOCK))
		err(1, "O_NONBLOCK");
}

static void wait_poll(struct stream *stream)
{
	struct pollfd pollfd = { .fd = stream->fd, .events = POLLIN };

	if (poll(&pollfd, 1, -1) < 0)
		err(1, "poll");
	wait_read(stream);
}

/*
 * What is measured by it is the kernel's own work for a stream that nobody is at, so it may not be
 * told of anything, nor look more often than it takes to see how far the stream is. How long it
 * really sleeps does not matter.
 */
static void wait_sleep(struct stream *stream)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };

	(void)stream;
	nanosleep(&nap, NULL);
}

static const struct method {
	const char *name;
	void (*setup)(struct stream *stream);
	void (*wait)(struct stream *stream);
} methods[] = {
	{ "enter", setup_enter, wait_enter },
	{ "read", NULL, wait_read },
	{ "poll", setup_poll, wait_poll },
	{ "sleep", NULL, wait_sleep },
	{}
};

static const struct method *find_method(const char *name)
{
	const struct method *method = methods;

	while (method->name && strcmp(method->name, name))
		method++;
	if (!method->name)
		errx(2, "no such method: %s", name);
	return method;
}

/* The stream */

static void make_ring(struct stream *stream)
{
	struct udma_buffer_alloc alloc = { .size = sizeof(alloc), .bytes = stream->start.bytes };

	if (ioctl(stream->fd, UDMA_BUFFER_ALLOC, &alloc))
		err(1, "UDMA_BUFFER_ALLOC");
	stream->start.handle = alloc.out_handle;
}

static void begin(struct stream *stream)
{
	struct udma_stream_start *start = &stream->start;

	if (ioctl(stream->fd, UDMA_STREAM_START, start))
		err(1, "UDMA_STREAM_START");
	stream->shared = map(stream, start->out_mmap_offset, start->out_map_bytes);
	stream->position = start->out_first_count;
}

/* What there is; the kernel may have moved the program on meanwhile. */
static void consume(struct stream *stream, bool reads)
{
	uint32_t hw = load(&stream->shared->hw_position), position = stream->position;

	stream->bytes += hw - position;
	stream->position = hw;
	if (reads && !__atomic_compare_exchange_n(&stream->shared->app_position, &position, hw,
						  false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		stream->lost = true;
}

static void go(struct stream *stream, const struct method *method, uint64_t count)
{
	const uint64_t bytes = count * stream->start.period_bytes;
	const bool reads = method->wait != wait_sleep;

	while (stream->bytes < bytes && !stream->lost) {
		method->wait(stream);
		consume(stream, reads);
	}
	if (stream->lost)
		errx(1, "%s did not keep up", method->name);
}

static uint64_t parse(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (!value || *end)
		errx(2, "not a number: %s", text);
	return value;
}

int main(int argc, char **argv)
{
	struct stream stream = { .start = { .size = sizeof(stream.start) } };
	const struct method *method;

	if (argc != 7)
		errx(2, "usage: periods METHOD DEVICE BYTES PERIODS EVENT COUNT");
	method = find_method(argv[1]);
	stream.start.type = UDMA_STREAM_CYCLIC;
	stream.start.period_bytes = parse(argv[3]);
	stream.start.bytes = parse(argv[4]) * stream.start.period_bytes;
	stream.start.event_periods = parse(argv[5]);
	stream.fd = open(argv[2], O_RDWR);
	if (stream.fd < 0)
		err(1, "%s", argv[2]);
	if (method->setup)
		method->setup(&stream);
	make_ring(&stream);
	begin(&stream);
	go(&stream, method, parse(argv[6]));
	return 0;
}
