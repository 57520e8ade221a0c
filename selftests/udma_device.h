/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Channels of devices: controllers whose channels are a loopback, a source of a pattern
 * or a sink for it, and requests and streams for them. See udma_test.h for what the
 * functions return.
 */
#ifndef UDMA_DEVICE_H
#define UDMA_DEVICE_H

#include "udma_sim.h"

/* Channels of a loopback: what goes out of one comes back in by the other. */
#define TRANSMIT	0
#define RECEIVE		1

/* What a controller of a device is; what is NULL or zero is left as it is. */
struct device_config {
	const char *kind;		/* loopback, source or sink */
	unsigned int channels;
	unsigned int max_segment;
	unsigned int max_pieces;
	unsigned int align;
	const char *granularity;
	const char *pattern_first;
	bool packets;
	bool no_cyclic;
	bool no_pause;
	bool no_terminate;
	bool need_config;
};

static inline int try_device_configure(const struct sim *sim,
				       const struct device_config *config)
{
	const struct sim_config plain = {
		.channels = config->channels ?: 2,
		.max_segment = config->max_segment,
		.align = config->align,
		.no_terminate = config->no_terminate,
		.granularity = config->granularity,
	};

	if (try_sim_configure(sim, &plain))
		return -1;
	if (try_sim_write(sim, "kind", config->kind))
		return -1;
	if (config->pattern_first &&
	    try_sim_write(sim, "pattern_first", config->pattern_first))
		return -1;
	if (config->packets && try_sim_set(sim, "packets", 1))
		return -1;
	if (config->no_cyclic && try_sim_set(sim, "cyclic", 0))
		return -1;
	if (config->no_pause && try_sim_set(sim, "pause", 0))
		return -1;
	if (config->max_pieces && try_sim_set(sim, "max_pieces", config->max_pieces))
		return -1;
	if (config->need_config && try_sim_set(sim, "need_config", 1))
		return -1;
	return 0;
}

/* Of a channel, a setting that is a word. */
static inline int try_chan_write(const struct sim *sim, unsigned int channel,
				 const char *attribute, const char *text)
{
	char path[128];

	if (try_chan_path(sim, channel, attribute, path, sizeof(path)))
		return -1;
	return try_write_text(path, text);
}

/* Root says that the controller finds the device by itself, and which way data goes. */
static inline int try_device_aim(const struct sim *sim, unsigned int channel)
{
	const char *direction;
	char kind[16];

	if (try_sim_read(sim, "kind", kind, sizeof(kind)))
		return -1;
	if (!strcmp(kind, "memory"))
		return 0;
	if (!strcmp(kind, "loopback"))
		direction = channel % 2 ? "dev_to_mem" : "mem_to_dev";
	else
		direction = strcmp(kind, "source") ? "mem_to_dev" : "dev_to_mem";
	if (try_chan_write(sim, channel, "address", "none"))
		return -1;
	return try_chan_write(sim, channel, "direction", direction);
}

static inline int try_device_bind(const struct sim *sim, unsigned int channel)
{
	return try_sim_bind(sim, channel) ?: try_device_aim(sim, channel);
}

/* A controller with all its channels bound; none is open. */
static inline int try_device_make(struct sim *sim, const struct device_config *config)
{
	unsigned int i;

	if (try_sim_mkdir(sim) || try_device_configure(sim, config) || try_sim_live(sim))
		return -1;
	for (i = 0; i < (config->channels ?: 2); i++)
		if (try_device_bind(sim, i))
			return -1;
	return 0;
}

/* All files are closed. */
static inline int try_device_end(const struct sim *sim)
{
	const long channels = sim_get(sim, "channels");
	long i;

	for (i = 0; i < channels; i++)
		if (try_sim_unbind(sim, i))
			return -1;
	return try_sim_end(sim);
}

/* Requests */

static inline struct udma_request send_request(const struct buffer *src, __u64 offset,
					       __u64 bytes)
{
	return (struct udma_request) {
		.op = UDMA_OP_MEM_TO_DEV,
		.src_handle = src->handle,
		.src_offset = offset,
		.bytes = bytes,
	};
}

static inline struct udma_request receive_request(const struct buffer *dst, __u64 offset,
						  __u64 bytes)
{
	return (struct udma_request) {
		.op = UDMA_OP_DEV_TO_MEM,
		.dst_handle = dst->handle,
		.dst_offset = offset,
		.bytes = bytes,
	};
}

static inline struct udma_range range_of(const struct buffer *buffer, __u64 offset, __u64 bytes)
{
	return (struct udma_range) {
		.handle = buffer->handle,
		.offset = offset,
		.bytes = bytes,
	};
}

static inline __u64 ranges_bytes(const struct udma_range *ranges, __u32 count)
{
	__u64 bytes = 0;
	__u32 i;

	for (i = 0; i < count; i++)
		bytes += ranges[i].bytes;
	return bytes;
}

static inline void request_set_dst(struct udma_request *request, const struct udma_range *ranges,
				   __u32 count)
{
	request->flags |= UDMA_REQUEST_F_DST_RANGES;
	request->dst_ranges = (uintptr_t)ranges;
	request->dst_count = count;
	request->bytes = ranges_bytes(ranges, count);
}

static inline void request_set_src(struct udma_request *request, const struct udma_range *ranges,
				   __u32 count)
{
	request->flags |= UDMA_REQUEST_F_SRC_RANGES;
	request->src_ranges = (uintptr_t)ranges;
	request->src_count = count;
	request->bytes = ranges_bytes(ranges, count);
}

/* The pattern of sources and sinks: words that count, from @first on */

static inline unsigned char counting_byte(__u32 first, __u64 at)
{
	const __u32 word = first + (__u32)(at / 4);

	return word >> 8 * (at % 4);
}

static inline void counting_write(unsigned char *mem, __u32 first, __u64 at, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		mem[i] = counting_byte(first, at + i);
}

/* Where the first byte is that is not the pattern's, which begins @at; @bytes if there is none. */
static inline size_t counting_differs(const unsigned char *mem, __u32 first, __u64 at,
				      size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (mem[i] != counting_byte(first, at + i))
			break;
	return i;
}

/* Streams */

/**
 * struct stream - a stream as a program sees it
 * @fd: of which file
 * @start: what it was started with, and the answer
 * @shared: the mapped page, or NULL
 */
struct stream {
	int fd;
	struct udma_stream_start start;
	struct udma_stream_shared *shared;
};

static inline struct udma_stream_start cyclic_start(const struct buffer *buffer, __u64 bytes,
						    __u64 period_bytes)
{
	return (struct udma_stream_start) {
		.size = sizeof(struct udma_stream_start),
		.type = UDMA_STREAM_CYCLIC,
		.handle = buffer->handle,
		.bytes = bytes,
		.period_bytes = period_bytes,
		.event_periods = 1,
		.user_data = 0xc7c1e,
	};
}

static inline struct udma_stream_start packets_start(const struct buffer *buffer, __u64 bytes,
						     __u64 slot_bytes)
{
	struct udma_stream_start start = cyclic_start(buffer, bytes, slot_bytes);

	start.type = UDMA_STREAM_PACKETS;
	return start;
}

static inline int try_stream_start(int fd, struct udma_stream_start *start)
{
	return ioctl(fd, UDMA_STREAM_START, start);
}

/* Start one, and map its page. */
static inline int try_stream(struct stream *stream, int fd, struct udma_stream_start start)
{
	void *mem;

	*stream = (struct stream) { .fd = fd, .start = start };
	if (try_stream_start(fd, &stream->start))
		return -1;
	mem = mmap(NULL, stream->start.out_map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   stream->start.out_mmap_offset);
	if (mem == MAP_FAILED)
		return -1;
	stream->shared = mem;
	return 0;
}

static inline int try_stream_unmap(struct stream *stream)
{
	return munmap(stream->shared, stream->start.out_map_bytes);
}

static inline int try_control_at(int fd, __u32 command, __u64 position)
{
	struct udma_stream_control control = {
		.size = sizeof(control),
		.command = command,
		.position = position,
	};

	return ioctl(fd, UDMA_STREAM_CONTROL, &control);
}

static inline int try_control(int fd, __u32 command)
{
	return try_control_at(fd, command, 0);
}

/* How far the controller has come, and the program, modulo 2^32. */
static inline __u32 stream_hw(const struct stream *stream)
{
	return __atomic_load_n(&stream->shared->hw_position, __ATOMIC_ACQUIRE) -
	       stream->start.out_first_count;
}

static inline __u32 stream_app(const struct stream *stream)
{
	return __atomic_load_n(&stream->shared->app_position, __ATOMIC_ACQUIRE) -
	       stream->start.out_first_count;
}

/* The program has come from @from to @to: false if the kernel has moved it meanwhile. */
static inline bool stream_move(struct stream *stream, __u32 from, __u32 to)
{
	__u32 expected = stream->start.out_first_count + from;

	return __atomic_compare_exchange_n(&stream->shared->app_position, &expected,
					   stream->start.out_first_count + to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The only event that there is now is the last one of a stream: its status. */
static inline int try_last(int fd, struct udma_event *event)
{
	if (try_collect(fd, event, 1) != 1)
		return -1;
	if (event->type == UDMA_EVENT_STREAM && event->flags & UDMA_EVENT_F_LAST)
		return 0;
	errno = EPROTO;
	return -1;
}

/* Stop a stream, and read until its last event, which is in *event. */
static inline int try_stop(int fd, struct udma_event *event)
{
	if (try_control(fd, UDMA_STREAM_STOP))
		return -1;
	do {
		if (try_collect(fd, event, 1) != 1)
			return -1;
	} while (!(event->flags & UDMA_EVENT_F_LAST));
	return 0;
}

#endif /* UDMA_DEVICE_H */
