// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define NSEC_PER_SEC	1000000000
/* Requests that are handed over at a time; they lie on the stack. */
#define SUBMIT_CHUNK	32

/* No ioctl waits for hardware, so none has to be given up for a signal. */
int udma_channel_ioctl(const struct udma_channel *channel, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(channel->fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret;
}

static unsigned long new_id(void)
{
	static unsigned long last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

/* Any descriptor can be opened; only a udma device answers this. */
static int check_device(const struct udma_channel *channel)
{
	struct udma_info info = { .size = sizeof(info) };

	return udma_channel_ioctl(channel, UDMA_INFO, &info);
}

static struct udma_channel *open_channel(const char *name, int flags)
{
	struct udma_channel *channel;

	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->owner = getpid();
	channel->id = new_id();
	channel->fd = udma_device_open(name, flags);
	if (channel->fd < 0 || check_device(channel) < 0) {
		udma_channel_close(channel);
		return NULL;
	}
	return channel;
}

UDMA_EXPORT struct udma_channel *udma_channel_open(const char *name)
{
	return open_channel(name, 0);
}

UDMA_EXPORT struct udma_channel *udma_channel_open_exclusive(const char *name)
{
	return open_channel(name, O_EXCL);
}

UDMA_EXPORT void udma_channel_close(struct udma_channel *channel)
{
	int saved = errno;

	if (!channel)
		return;
	while (channel->buffers)
		udma_buffer_orphan(channel->buffers);
	if (channel->queue)
		udma_queue_orphan(channel->queue);
	if (channel->stream)
		udma_stream_orphan(channel->stream);
	udma_rings_unmap(&channel->rings);
	udma_stream_unmap(channel);
	if (channel->fd >= 0)
		close(channel->fd);
	free(channel);
	errno = saved;
}

UDMA_EXPORT int udma_channel_get_fd(const struct udma_channel *channel)
{
	return channel->fd;
}

UDMA_EXPORT size_t udma_channel_get_pending(const struct udma_channel *channel)
{
	if (channel->queue)
		return channel->pending + udma_queue_submitted(channel->queue);
	return channel->pending;
}

UDMA_EXPORT uint64_t udma_channel_get_last_sequence(const struct udma_channel *channel)
{
	return channel->last_sequence;
}

/* What the kernel could not find out: it knows handles only. */
int udma_channel_check(const struct udma_channel *channel, const struct udma_transfer *transfer)
{
	if (!transfer->request.bytes) {
		errno = EINVAL;
		return -1;
	}
	if (transfer->channel_id != channel->id) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/* Takes a description for submission, or says why not. */
static int get_request(const struct udma_channel *channel, const struct udma_transfer *transfer,
		       struct udma_request *request)
{
	if (udma_channel_check(channel, transfer) < 0)
		return -1;
	*request = transfer->request;
	return 0;
}

static int submit(struct udma_channel *channel, const struct udma_request *requests,
		  uint32_t count)
{
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)requests,
		.count = count,
		.request_bytes = sizeof(requests[0]),
	};
	int taken;

	taken = udma_channel_ioctl(channel, UDMA_SUBMIT, &submit);
	if (taken > 0) {
		channel->pending += taken;
		channel->last_sequence = submit.out_sequence + taken - 1;
	}
	return taken;
}

static int submit_chunk(struct udma_channel *channel, const struct udma_transfer *const *transfers,
			size_t count)
{
	struct udma_request requests[SUBMIT_CHUNK];
	uint32_t good = 0;

	if (count > SUBMIT_CHUNK)
		count = SUBMIT_CHUNK;
	while (good < count && !get_request(channel, transfers[good], &requests[good]))
		good++;
	return good ? submit(channel, requests, good) : -1;
}

/* Where there is a queue, the completions would be among its own; and a stream is alone. */
static int check_free(const struct udma_channel *channel)
{
	if (!channel->queue && !channel->stream)
		return 0;
	errno = EBUSY;
	return -1;
}

UDMA_EXPORT ssize_t udma_channel_submit(struct udma_channel *channel,
					const struct udma_transfer *const *transfers, size_t count)
{
	size_t total = 0;
	int taken;

	if (!count) {
		errno = EINVAL;
		return -1;
	}
	if (check_free(channel) < 0)
		return -1;
	while (total < count) {
		taken = submit_chunk(channel, transfers + total, count - total);
		if (taken <= 0)
			break;
		total += taken;
	}
	return total ? (ssize_t)total : -1;
}

UDMA_EXPORT int udma_channel_submit_one(struct udma_channel *channel,
					const struct udma_transfer *transfer)
{
	if (check_free(channel) < 0 || udma_channel_check(channel, transfer) < 0)
		return -1;
	return submit(channel, &transfer->request, 1) < 0 ? -1 : 0;
}

/* Nothing but the descriptor is looked at: others may be using the channel. */
static int cancel(const struct udma_channel *channel, uint32_t flags, uint64_t sequence)
{
	struct udma_cancel cancel = {
		.size = sizeof(cancel),
		.flags = flags,
		.sequence = sequence,
	};

	return udma_channel_ioctl(channel, UDMA_CANCEL, &cancel);
}

UDMA_EXPORT int udma_channel_cancel(struct udma_channel *channel, uint64_t sequence)
{
	return cancel(channel, 0, sequence) < 0 ? -1 : 0;
}

UDMA_EXPORT ssize_t udma_channel_cancel_all(struct udma_channel *channel)
{
	return cancel(channel, UDMA_CANCEL_F_ALL, 0);
}

static struct timespec to_timespec(int64_t ns)
{
	int64_t seconds = ns / NSEC_PER_SEC;

	return (struct timespec) {
		.tv_sec = seconds < INT_MAX ? seconds : INT_MAX,
		.tv_nsec = ns % NSEC_PER_SEC,
	};
}

UDMA_EXPORT int udma_channel_wait(struct udma_channel *channel, int64_t timeout_ns)
{
	struct pollfd poll = { .fd = channel->fd, .events = POLLIN };
	struct timespec timeout = to_timespec(timeout_ns);
	int ret;

	ret = ppoll(&poll, 1, timeout_ns < 0 ? NULL : &timeout, NULL);
	if (ret <= 0)
		return ret;
	if (poll.revents & POLLIN)
		return 1;
	errno = ENODEV;
	return -1;
}

/* To count them is left to who asked for them. */
ssize_t udma_channel_read_events(struct udma_channel *channel, struct udma_completion *items,
				 size_t count)
{
	ssize_t bytes;

	do {
		bytes = read(channel->fd, items, count * sizeof(*items));
	} while (bytes < 0 && errno == EINTR);
	if (bytes < 0 && errno == EAGAIN)
		return 0;
	if (bytes < 0)
		return -1;
	return bytes / sizeof(*items);
}
