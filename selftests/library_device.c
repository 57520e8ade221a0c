// SPDX-License-Identifier: GPL-2.0
/*
 * libudma: devices, lists and streams from end to end, on simulated controllers.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "udma_device.h"
#include "udma_library.h"

#define BYTES		(64 * KIB)
#define PERIOD		4096
#define PERIODS		8
#define RING		(PERIODS * PERIOD)
#define SLOT		1024
#define SLOTS		8

static struct udma_channel *open_channel(const struct sim *sim, unsigned int channel)
{
	char name[40];

	sim_channel_name(sim, channel, name, sizeof(name));
	return udma_channel_open(name);
}

/* A loopback: what is sent comes back */

FIXTURE(loopback)
{
	struct sim sim;
	struct udma_channel *out;
	struct udma_channel *in;
	struct udma_buffer *src;
	struct udma_buffer *dst;
	struct udma_transfer *transfer;
	struct udma_ranges *ranges;
	unsigned char *from;
	unsigned char *to;
};

FIXTURE_SETUP(loopback)
{
	static const struct device_config config = {
		.kind = "loopback",
		.packets = true,
	};

	must(try_device_make(&self->sim, &config));
	self->out = made(open_channel(&self->sim, TRANSMIT));
	self->in = made(open_channel(&self->sim, RECEIVE));
	self->src = made(udma_buffer_alloc(self->out, BYTES));
	self->dst = made(udma_buffer_alloc(self->in, BYTES));
	self->transfer = made(udma_transfer_new());
	self->ranges = made(udma_ranges_new());
	self->from = udma_buffer_get_data(self->src);
	self->to = udma_buffer_get_data(self->dst);
	pattern_write(self->from, 0, BYTES, PATTERN_SOURCE);
	pattern_write(self->to, 0, BYTES, PATTERN_STALE);
}

FIXTURE_TEARDOWN(loopback)
{
	udma_ranges_free(self->ranges);
	udma_transfer_free(self->transfer);
	udma_buffer_free(self->dst);
	udma_buffer_free(self->src);
	udma_channel_close(self->in);
	udma_channel_close(self->out);
	works(try_device_end(&self->sim));
}

/* The ways that a transfer that is described can go: how much it has moved, or -1 */

static ssize_t moved_by(const struct udma_completion *completion)
{
	if (!completion)
		return -1;
	errno = udma_completion_get_error(completion);
	return errno ? -1 : (ssize_t)udma_completion_get_bytes(completion);
}

static ssize_t submit(struct udma_channel *channel, const struct udma_transfer *transfer)
{
	struct udma_completions *completions = udma_completions_new(1);
	ssize_t ret = -1;

	if (completions && !udma_channel_submit_one(channel, transfer) &&
	    udma_channel_wait(channel, -1) == 1 &&
	    udma_channel_read(channel, completions, 1) == 1)
		ret = moved_by(udma_completions_get(completions, 0));
	udma_completions_free(completions);
	return ret;
}

static ssize_t enqueue(struct udma_channel *channel, const struct udma_transfer *transfer,
		       unsigned int flags)
{
	struct udma_queue *queue = udma_queue_new(channel, 4, flags);
	ssize_t ret = -1;

	if (queue && !udma_queue_add(queue, transfer) && udma_queue_wait(queue, 1, -1) == 1)
		ret = moved_by(udma_queue_next(queue));
	udma_queue_free(queue);
	return ret;
}

static ssize_t enqueue_plain(struct udma_channel *channel, const struct udma_transfer *transfer)
{
	return enqueue(channel, transfer, 0);
}

static ssize_t enqueue_mapped(struct udma_channel *channel, const struct udma_transfer *transfer)
{
	return enqueue(channel, transfer, UDMA_QUEUE_MAPPED);
}

static ssize_t (*const ways[])(struct udma_channel *channel,
			       const struct udma_transfer *transfer) = {
	submit, enqueue_plain, enqueue_mapped,
};

TEST_F(loopback, brings_back_what_was_sent)
{
	size_t received;

	works(udma_channel_send(self->out, self->src, 100, 5000));
	works(udma_channel_receive(self->in, self->dst, 200, 5000, &received));
	EXPECT_EQ(5000, received);
	EXPECT_EQ(0, memcmp(self->to + 200, self->from + 100, 5000));
	EXPECT_EQ(200, pattern_differs(self->to, 0, 200, PATTERN_STALE));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 5200, BYTES, PATTERN_STALE));
}

TEST_F(loopback, ends_with_the_packet)
{
	size_t received;
	unsigned int i;

	works(udma_channel_send(self->out, self->src, 0, 77));
	works(udma_channel_receive(self->in, self->dst, 0, 4096, &received));
	EXPECT_EQ(77, received);
	EXPECT_EQ(0, memcmp(self->to, self->from, 77));
	udma_transfer_set_receive(self->transfer, self->dst, 0, 4096);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		works(udma_channel_send(self->out, self->src, i, 78));
		EXPECT_EQ(78, must(ways[i](self->in, self->transfer)));
		EXPECT_EQ(0, memcmp(self->to, self->from + i, 78));
	}
}

TEST_F(loopback, scatters)
{
	unsigned int i;

	must(udma_ranges_add(self->ranges, self->dst, 5000, 100));
	must(udma_ranges_add(self->ranges, self->dst, 0, 1));
	must(udma_ranges_add(self->ranges, self->dst, 10000, 3000));
	udma_transfer_set_receive_ranges(self->transfer, self->ranges);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		works(udma_channel_send(self->out, self->src, i, 3101));
		EXPECT_EQ(3101, must(ways[i](self->in, self->transfer)));
		EXPECT_EQ(0, memcmp(self->to + 5000, self->from + i, 100));
		EXPECT_EQ(self->from[i + 100], self->to[0]);
		EXPECT_EQ(0, memcmp(self->to + 10000, self->from + i + 101, 3000));
		EXPECT_EQ(5000, pattern_differs(self->to, 1, 5000, PATTERN_STALE));
	}
}

/* A list is the program's again when the transfer was taken. */
TEST_F(loopback, gathers)
{
	struct udma_completions *completions = made(udma_completions_new(1));
	size_t received;

	must(udma_ranges_add(self->ranges, self->src, 9000, 10));
	must(udma_ranges_add(self->ranges, self->src, 40, 500));
	udma_transfer_set_send_ranges(self->transfer, self->ranges);
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(udma_channel_submit_one(self->out, self->transfer));
	udma_ranges_free(self->ranges);
	self->ranges = NULL;
	must(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_EQ(1, must(udma_channel_wait(self->out, -1)));
	EXPECT_EQ(1, must(udma_channel_read(self->out, completions, 1)));
	EXPECT_EQ(0, udma_completion_get_error(udma_completions_get(completions, 0)));
	works(udma_channel_receive(self->in, self->dst, 0, 4096, &received));
	EXPECT_EQ(510, received);
	EXPECT_EQ(0, memcmp(self->to, self->from + 9000, 10));
	EXPECT_EQ(0, memcmp(self->to + 10, self->from + 40, 500));
	udma_completions_free(completions);
}

TEST_F(loopback, refuses_what_is_wrong)
{
	struct udma_channel_info *info = made(udma_channel_get_info(self->out));
	unsigned int most = udma_channel_info_get_max_ranges(info);
	unsigned int i;

	udma_channel_info_free(info);
	fails(EOPNOTSUPP, udma_channel_send(self->in, self->dst, 0, 64));
	fails(EOPNOTSUPP, udma_channel_copy(self->out, self->src, 0, self->src, 64, 64));
	fails(ERANGE, udma_channel_send(self->out, self->src, BYTES, 64));
	for (i = 0; i <= most; i++)
		must(udma_ranges_add(self->ranges, self->src, 0, 1));
	udma_transfer_set_send_ranges(self->transfer, self->ranges);
	fails(EINVAL, udma_channel_submit_one(self->out, self->transfer));
}

TEST_F(loopback, info)
{
	struct udma_channel_info *info = made(udma_channel_get_info(self->out));

	EXPECT_EQ(UDMA_CHANNEL_MEM_TO_DEV, udma_channel_info_get_direction(info));
	EXPECT_TRUE(udma_channel_info_has_direction(info, UDMA_CHANNEL_MEM_TO_DEV));
	EXPECT_FALSE(udma_channel_info_has_direction(info, UDMA_CHANNEL_MEM_TO_MEM));
	EXPECT_TRUE(udma_channel_info_can_send(info));
	EXPECT_FALSE(udma_channel_info_can_receive(info));
	EXPECT_FALSE(udma_channel_info_can_copy(info));
	EXPECT_TRUE(udma_channel_info_can_cycle(info));
	EXPECT_TRUE(udma_channel_info_can_pause(info));
	EXPECT_EQ(UDMA_CHANNEL_RESIDUE_BURST, udma_channel_info_get_residue(info));
	EXPECT_EQ(1 << 1 | 1 << 2 | 1 << 4 | 1 << 8, udma_channel_info_get_widths(info));
	EXPECT_EQ(256, udma_channel_info_get_max_burst(info));
	EXPECT_LE(1, udma_channel_info_get_window(info));
	EXPECT_LE(2, udma_channel_info_get_max_ranges(info));
	udma_channel_info_free(info);
}

TEST_F(loopback, belongs_to_one)
{
	struct udma_channel *other = made(open_channel(&self->sim, TRANSMIT));
	struct udma_buffer *buffer = made(udma_buffer_alloc(other, 64));

	works(udma_channel_send(self->out, self->src, 0, 64));
	fails(EBUSY, udma_channel_send(other, buffer, 0, 64));
	udma_buffer_free(buffer);
	udma_channel_close(other);
}

static struct udma_channel *to_cancel;

static void cancel(int signal)
{
	(void)signal;
	udma_channel_cancel_all(to_cancel);
}

static void *interrupt_when_asleep(void *arg)
{
	const pid_t tid = *(pid_t *)arg;

	wait_blocked(tid, SYS_ppoll);
	syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
	return NULL;
}

TEST_F(loopback, receives_until_told_not_to)
{
	struct sigaction action = { .sa_handler = cancel };
	pid_t tid = syscall(SYS_gettid);
	size_t received = 1;
	pthread_t thread;

	to_cancel = self->in;
	must(sigaction(SIGUSR1, &action, NULL));
	EXPECT_EQ(0, pthread_create(&thread, NULL, interrupt_when_asleep, &tid));
	fails(ECANCELED, udma_channel_receive(self->in, self->dst, 0, 4096, &received));
	EXPECT_EQ(0, received);
	EXPECT_EQ(0, pthread_join(thread, NULL));
}

/* Packets */

#define loopback_t	FIXTURE_DATA(loopback)

static struct udma_stream *start_packets(loopback_t *self)
{
	struct udma_stream_config *config = udma_stream_config_new();
	struct udma_stream *stream;

	if (!config)
		return NULL;
	udma_stream_config_set_packets(config, self->dst, 0, SLOTS * SLOT, SLOT);
	stream = udma_stream_start(self->in, config);
	udma_stream_config_free(config);
	return stream;
}

/* The next packet is what was sent from there. */
static bool comes(loopback_t *self, struct udma_stream *stream, size_t offset,
		  size_t bytes)
{
	const struct udma_completion *packet;
	const void *data;

	if (udma_stream_wait(stream, -1) != 1)
		return false;
	packet = udma_stream_next_packet(stream, &data);
	return packet && udma_completion_get_bytes(packet) == bytes &&
	       udma_completion_is_short(packet) == (bytes < SLOT) &&
	       !memcmp(data, self->from + offset, bytes);
}

TEST_F(loopback, streams_packets)
{
	struct udma_stream *stream;
	unsigned int i;

	stream = made(start_packets(self));
	for (i = 0; i < 100; i++) {
		must(udma_channel_send(self->out, self->src, i, 1 + i * 10));
		ASSERT_TRUE(comes(self, stream, i, 1 + i * 10));
		must(udma_stream_give_back(stream));
	}
	EXPECT_EQ(100, udma_stream_get_moved(stream));
	EXPECT_EQ(100, udma_stream_get_position(stream));
	EXPECT_TRUE(udma_stream_is_exact(stream));
	udma_stream_free(stream);
	EXPECT_EQ(0, udma_channel_get_pending(self->in));
}

/* There are fewer places for events than slots, so slots have to wait for who reads events. */
TEST_F(loopback, streams_packets_with_few_places)
{
	struct udma_stream *stream;
	unsigned int i, j;

	udma_queue_free(made(udma_queue_new(self->in, 4, UDMA_QUEUE_MAPPED)));
	stream = made(start_packets(self));
	for (i = 0; i < 10; i++) {
		for (j = 0; j < SLOTS; j++)
			must(udma_channel_send(self->out, self->src, j, 64));
		for (j = 0; j < SLOTS; j++)
			ASSERT_TRUE(comes(self, stream, j, 64));
		for (j = 0; j < SLOTS; j++)
			must(udma_stream_give_back(stream));
	}
	udma_stream_free(stream);
	EXPECT_EQ(0, udma_channel_get_pending(self->in));
	EXPECT_EQ(1, udma_channel_get_last_sequence(self->in));
}

/* Whoever holds all slots gets no more until one is given back. */
TEST_F(loopback, starves_and_goes_on)
{
	struct udma_stream *stream;
	unsigned int i;

	stream = made(start_packets(self));
	for (i = 0; i < SLOTS; i++) {
		must(udma_channel_send(self->out, self->src, i, 64));
		ASSERT_TRUE(comes(self, stream, i, 64));
	}
	must(udma_channel_send(self->out, self->src, 500, 64));
	must(udma_channel_send(self->out, self->src, 600, SLOT));
	EXPECT_EQ(0, udma_stream_wait(stream, 1000000));
	must(udma_stream_give_back(stream));
	EXPECT_TRUE(comes(self, stream, 500, 64));
	must(udma_stream_give_back(stream));
	EXPECT_TRUE(comes(self, stream, 600, SLOT));
	EXPECT_LE(1, udma_stream_get_overruns(stream));

	works(udma_stream_stop(stream));
	EXPECT_EQ(1, udma_stream_wait_end(stream, -1));
	EXPECT_EQ(0, udma_stream_get_error(stream));
	udma_stream_free(stream);
}

/* A source: captures */

FIXTURE(capture)
{
	struct sim sim;
	struct udma_channel *channel;
	struct udma_buffer *buffer;
	struct udma_stream_config *config;
	struct udma_stream *stream;
	bool is_unbound;
};

FIXTURE_VARIANT(capture)
{
	const char *granularity;
};

FIXTURE_VARIANT_ADD(capture, by_burst)
{
	.granularity = "burst",
};

FIXTURE_VARIANT_ADD(capture, by_segment)
{
	.granularity = "segment",
};

FIXTURE_SETUP(capture)
{
	const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.granularity = variant->granularity,
		.pattern_first = "4294967000",
	};

	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->channel = made(open_channel(&self->sim, 0));
	self->buffer = made(udma_buffer_alloc(self->channel, RING));
	self->config = made(udma_stream_config_new());
	udma_stream_config_set_cyclic(self->config, self->buffer, 0, RING, PERIOD);
	self->stream = made(udma_stream_start(self->channel, self->config));
}

FIXTURE_TEARDOWN(capture)
{
	udma_stream_free(self->stream);
	udma_stream_config_free(self->config);
	udma_buffer_free(self->buffer);
	udma_channel_close(self->channel);
	if (!self->is_unbound)
		works(try_sim_unbind(&self->sim, 0));
	works(try_sim_end(&self->sim));
}

/* Whether the next bytes are what the source gave there. */
static bool is_right(const struct udma_stream *stream, const void *data, size_t bytes)
{
	return counting_differs(data, 4294967000U, udma_stream_get_position(stream), bytes) ==
	       bytes;
}

/*
 * All that there is; returns how much that was, or -1. That it is right counts only once
 * it was consumed.
 */
static ssize_t drink(struct udma_stream *stream)
{
	ssize_t bytes, total = 0;
	const void *data;
	bool right;

	while ((bytes = udma_stream_peek(stream, &data)) > 0) {
		right = is_right(stream, data, bytes);
		if (udma_stream_consume(stream, bytes))
			return -1;
		total += bytes;
		if (right)
			continue;
		errno = EILSEQ;
		return -1;
	}
	return bytes ? bytes : total;
}

TEST_F(capture, is_read_in_place)
{
	unsigned int i;

	for (i = 1; i <= 5 * PERIODS; i++) {
		must(try_step(&self->sim, 1));
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		ASSERT_EQ(PERIOD, drink(self->stream));
		ASSERT_EQ(i * PERIOD, udma_stream_get_position(self->stream));
	}
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_EQ(0, udma_stream_get_overruns(self->stream));
	EXPECT_EQ(0, udma_stream_wait(self->stream, 0));
	EXPECT_TRUE(udma_stream_is_exact(self->stream));
}

TEST_F(capture, loses_what_was_overwritten)
{
	const void *data;

	must(try_step(&self->sim, 1));
	EXPECT_EQ(PERIOD, udma_stream_peek(self->stream, &data));
	EXPECT_TRUE(is_right(self->stream, data, PERIOD));
	must(try_step(&self->sim, 3 * PERIODS));
	fails(EPIPE, udma_stream_consume(self->stream, PERIOD));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	/* What is written next is not to be read any more either. */
	EXPECT_EQ((PERIODS - 2) * PERIOD, drink(self->stream));
	EXPECT_EQ((3 * PERIODS + 1) * PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ((2 * PERIODS + 3) * PERIOD, udma_stream_get_lost(self->stream));
	EXPECT_LE(1, udma_stream_get_overruns(self->stream));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

TEST_F(capture, stops_when_told_to_at_an_overrun)
{
	works(udma_stream_stop(self->stream));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	udma_stream_free(self->stream);
	udma_stream_config_set_stop_on_overrun(self->config, true);
	self->stream = made(udma_stream_start(self->channel, self->config));
	must(try_step(&self->sim, PERIODS - 1));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(EPIPE, udma_stream_get_error(self->stream));
	EXPECT_LT(0, udma_stream_get_lost(self->stream) + drink(self->stream));
	fails(ENXIO, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(udma_stream_get_moved(self->stream),
		  udma_stream_get_position(self->stream));
}

/* At a rate that can be kept up with, nothing is lost and nothing wrong. */
TEST_F(capture, keeps_up)
{
	unsigned int waits = 0;
	ssize_t bytes;
	__u64 total = 0;

	must(try_sim_set(&self->sim, "bandwidth", 4 * MIB));
	must(try_sim_set(&self->sim, "step_mode", 0));
	while (total < 4 * MIB) {
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		bytes = drink(self->stream);
		if (bytes < 0) {
			/* A machine that had other things to do. */
			ASSERT_EQ(EPIPE, errno);
			continue;
		}
		total += bytes;
		waits++;
	}
	EXPECT_LT(PERIODS, waits);
	works(udma_stream_stop(self->stream));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	bytes = drink(self->stream);
	ASSERT_LE(0, bytes);
	EXPECT_EQ(udma_stream_get_moved(self->stream),
		  udma_stream_get_position(self->stream));
	EXPECT_LE(total + bytes, udma_stream_get_position(self->stream) -
				 udma_stream_get_lost(self->stream));
	EXPECT_EQ(0, udma_stream_get_error(self->stream));
}

/* As fast as it can: what was consumed and what was lost is all that there was. */
TEST_F(capture, accounts_for_all)
{
	__u64 consumed = 0, end = 0;
	const void *data;
	ssize_t bytes;

	must(try_sim_set(&self->sim, "step_mode", 0));
	do {
		bytes = udma_stream_peek(self->stream, &data);
		ASSERT_LE(0, bytes);
		if (!udma_stream_consume(self->stream, bytes))
			consumed += bytes;
	} while (udma_stream_get_position(self->stream) < 16 * MIB && look_again(&end));
	works(udma_stream_stop(self->stream));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	while ((bytes = udma_stream_peek(self->stream, &data)) > 0) {
		must(udma_stream_consume(self->stream, bytes));
		consumed += bytes;
	}
	EXPECT_EQ(udma_stream_get_moved(self->stream),
		  udma_stream_get_position(self->stream));
	EXPECT_EQ(udma_stream_get_position(self->stream),
		  consumed + udma_stream_get_lost(self->stream));
}

TEST_F(capture, pauses)
{
	works(udma_stream_pause(self->stream));
	works(udma_stream_resume(self->stream));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(2 * PERIOD, drink(self->stream));
}

TEST_F(capture, is_freed_and_started_again)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		udma_stream_free(self->stream);
		EXPECT_EQ(0, udma_channel_get_pending(self->channel));
		self->stream = made(udma_stream_start(self->channel, self->config));
	}
	EXPECT_EQ(i + 1, udma_channel_get_last_sequence(self->channel));
}

TEST_F(capture, is_canceled)
{
	EXPECT_EQ(1, must(udma_channel_cancel_all(self->channel)));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(ECANCELED, udma_stream_get_error(self->stream));
	udma_stream_free(self->stream);
	self->stream = made(udma_stream_start(self->channel, self->config));
	must(udma_channel_cancel(self->channel, udma_channel_get_last_sequence(self->channel)));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(ECANCELED, udma_stream_get_error(self->stream));
}

TEST_F(capture, of_a_channel_that_goes)
{
	must(try_step(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(ENODEV, udma_stream_get_error(self->stream));
	EXPECT_EQ(PERIOD, udma_stream_get_moved(self->stream));
	not_made(ENODEV, udma_stream_start(self->channel, self->config));
}

TEST_F(capture, of_a_channel_that_is_closed)
{
	const void *data;
	__u64 end = 0;

	udma_channel_close(self->channel);
	self->channel = NULL;
	EXPECT_TRUE(udma_stream_has_ended(self->stream));
	EXPECT_EQ(ENODEV, udma_stream_get_error(self->stream));
	EXPECT_EQ(0, udma_stream_peek(self->stream, &data));
	udma_stream_free(self->stream);
	self->stream = NULL;

	/* Somebody else can have it, when the controller has let go. */
	udma_buffer_free(self->buffer);
	self->channel = made(open_channel(&self->sim, 0));
	self->buffer = made(udma_buffer_alloc(self->channel, RING));
	udma_stream_config_set_cyclic(self->config, self->buffer, 0, RING, PERIOD);
	do {
		self->stream = udma_stream_start(self->channel, self->config);
	} while (!self->stream && errno == EBUSY && look_again(&end));
	EXPECT_NE(NULL, self->stream);
}

TEST_F(capture, is_not_stopped_by_a_child)
{
	int status;
	pid_t pid;

	pid = must(fork());
	if (!pid) {
		udma_stream_free(self->stream);
		udma_buffer_free(self->buffer);
		udma_channel_close(self->channel);
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD, drink(self->stream));
}

TEST_F(capture, has_the_channel_for_itself)
{
	struct udma_channel *other = made(open_channel(&self->sim, 0));
	struct udma_buffer *buffer = made(udma_buffer_alloc(other, RING));
	size_t received;

	fails(EBUSY, udma_channel_receive(other, buffer, 0, 64, &received));
	udma_stream_config_set_cyclic(self->config, buffer, 0, RING, PERIOD);
	not_made(EBUSY, udma_stream_start(other, self->config));
	udma_buffer_free(buffer);
	udma_channel_close(other);
}

TEST_F(capture, tells_of_a_part_of_a_period)
{
	ssize_t bytes;

	udma_stream_free(self->stream);
	self->stream = NULL;
	udma_stream_config_set_idle_ns(self->config, 1000000);
	if (strcmp(variant->granularity, "burst")) {
		not_made(EOPNOTSUPP, udma_stream_start(self->channel, self->config));
		return;
	}
	self->stream = made(udma_stream_start(self->channel, self->config));
	must(try_sim_set(&self->sim, "step_bytes", PERIOD + 100));
	EXPECT_EQ(1, udma_stream_wait(self->stream, -1));
	for (bytes = 0; bytes < PERIOD + 100; bytes += drink(self->stream))
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
	EXPECT_EQ(PERIOD + 100, bytes);
}

/* A sink: playback */

FIXTURE(play)
{
	struct sim sim;
	struct udma_channel *channel;
	struct udma_buffer *buffer;
	struct udma_stream_config *config;
	struct udma_stream *stream;
};

FIXTURE_SETUP(play)
{
	static const struct device_config config = {
		.kind = "sink",
		.channels = 1,
	};

	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->channel = made(open_channel(&self->sim, 0));
	self->buffer = made(udma_buffer_alloc(self->channel, RING));
	self->config = made(udma_stream_config_new());
	udma_stream_config_set_cyclic(self->config, self->buffer, 0, RING, PERIOD);
	udma_stream_config_set_filled_bytes(self->config, 2 * PERIOD);
	counting_write(udma_buffer_get_data(self->buffer), 0, 0, 2 * PERIOD);
	self->stream = made(udma_stream_start(self->channel, self->config));
}

FIXTURE_TEARDOWN(play)
{
	udma_stream_free(self->stream);
	udma_stream_config_free(self->config);
	udma_buffer_free(self->buffer);
	udma_channel_close(self->channel);
	works(try_device_end(&self->sim));
}

/* As much as there is room for; returns how much that was, or -1. */
static ssize_t fill(struct udma_stream *stream)
{
	ssize_t bytes, total = 0;
	void *place;

	while ((bytes = udma_stream_get_room(stream, &place)) > 0) {
		counting_write(place, 0, udma_stream_get_position(stream), bytes);
		if (udma_stream_commit(stream, bytes))
			return -1;
		total += bytes;
	}
	return bytes ? bytes : total;
}

TEST_F(play, is_filled_in_place)
{
	unsigned int i;

	EXPECT_EQ((PERIODS - 2) * PERIOD, fill(self->stream));
	for (i = 0; i < 3 * PERIODS; i++) {
		must(try_step(&self->sim, 1));
		ASSERT_EQ(1, udma_stream_wait(self->stream, -1));
		ASSERT_EQ(PERIOD, fill(self->stream));
	}
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
	EXPECT_EQ(i * PERIOD, sim_get(&self->sim, "sink_bytes"));
	EXPECT_EQ(0, sim_get(&self->sim, "sink_errors"));
}

TEST_F(play, drains)
{
	EXPECT_EQ((PERIODS - 2) * PERIOD, fill(self->stream));
	works(udma_stream_drain(self->stream));
	EXPECT_EQ(0, udma_stream_wait_end(self->stream, 0));
	must(try_step(&self->sim, PERIODS));
	EXPECT_EQ(1, udma_stream_wait_end(self->stream, -1));
	EXPECT_EQ(0, udma_stream_get_error(self->stream));
	EXPECT_EQ(PERIODS * PERIOD, sim_get(&self->sim, "sink_bytes"));
	EXPECT_EQ(0, sim_get(&self->sim, "sink_errors"));
	EXPECT_EQ(0, udma_stream_get_lost(self->stream));
}

TEST_F(play, is_too_late)
{
	void *place;

	EXPECT_LT(PERIOD, udma_stream_get_room(self->stream, &place));
	must(try_step(&self->sim, 2));
	fails(EPIPE, udma_stream_commit(self->stream, PERIOD));
	EXPECT_EQ(PERIOD, udma_stream_get_lost(self->stream));
	EXPECT_EQ(3 * PERIOD, udma_stream_get_position(self->stream));
	EXPECT_EQ(1, udma_stream_get_overruns(self->stream));
	EXPECT_EQ((PERIODS - 1) * PERIOD, fill(self->stream));
}

/* Within memory: lists and lines */

FIXTURE(memory)
{
	struct sim sim;
	struct udma_channel *channel;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	struct udma_transfer *transfer;
	struct udma_completions *completions;
	unsigned char *to;
	unsigned char *from;
};

FIXTURE_SETUP(memory)
{
	static const struct sim_config config = { .channels = 1 };

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->channel = made(open_channel(&self->sim, 0));
	self->dst = made(udma_buffer_alloc(self->channel, BYTES));
	self->src = made(udma_buffer_alloc(self->channel, BYTES));
	self->transfer = made(udma_transfer_new());
	self->completions = made(udma_completions_new(1));
	self->to = udma_buffer_get_data(self->dst);
	self->from = udma_buffer_get_data(self->src);
	pattern_write(self->to, 0, BYTES, PATTERN_STALE);
	pattern_write(self->from, 0, BYTES, PATTERN_SOURCE);
}

FIXTURE_TEARDOWN(memory)
{
	udma_completions_free(self->completions);
	udma_transfer_free(self->transfer);
	udma_buffer_free(self->src);
	udma_buffer_free(self->dst);
	udma_channel_close(self->channel);
	works(try_sim_finish(&self->sim));
}

#define memory_t	FIXTURE_DATA(memory)

/* How many bytes the transfer that is described has moved, or -1. */
static ssize_t try_move(memory_t *self)
{
	const struct udma_completion *completion;

	if (udma_channel_submit_one(self->channel, self->transfer) ||
	    udma_channel_wait(self->channel, -1) < 0 ||
	    udma_channel_read(self->channel, self->completions, 1) != 1)
		return -1;
	completion = udma_completions_get(self->completions, 0);
	errno = udma_completion_get_error(completion);
	return errno ? -1 : (ssize_t)udma_completion_get_bytes(completion);
}

TEST_F(memory, copies_from_a_list_to_a_list)
{
	struct udma_ranges *dst = made(udma_ranges_new());
	struct udma_ranges *src = made(udma_ranges_new());

	must(udma_ranges_add(src, self->src, 0, 1000));
	must(udma_ranges_add(src, self->src, 5000, 500));
	must(udma_ranges_add(dst, self->dst, 20000, 300));
	must(udma_ranges_add(dst, self->dst, 0, 1200));
	udma_transfer_set_copy_ranges(self->transfer, dst, src);
	EXPECT_EQ(1500, must(try_move(self)));
	EXPECT_EQ(0, memcmp(self->to + 20000, self->from, 300));
	EXPECT_EQ(0, memcmp(self->to, self->from + 300, 700));
	EXPECT_EQ(0, memcmp(self->to + 700, self->from + 5000, 500));
	EXPECT_EQ(20000, pattern_differs(self->to, 1200, 20000, PATTERN_STALE));
	udma_ranges_free(dst);
	udma_ranges_free(src);
}

TEST_F(memory, copies_lines)
{
	struct udma_channel_info *info = made(udma_channel_get_info(self->channel));
	unsigned int i;

	EXPECT_TRUE(udma_channel_info_can_interleave(info));
	EXPECT_EQ(UDMA_CHANNEL_MEM_TO_MEM, udma_channel_info_get_direction(info));
	udma_channel_info_free(info);
	udma_transfer_set_interleave(self->transfer, self->dst, 64, 200, self->src, 0, 300, 100,
				     10);
	EXPECT_EQ(1000, must(try_move(self)));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, memcmp(self->to + 64 + 200 * i, self->from + 300 * i, 100));
		EXPECT_EQ(64 + 200 * (i + 1),
			  pattern_differs(self->to, 64 + 200 * i + 100, 64 + 200 * (i + 1),
					  PATTERN_STALE));
	}
	udma_transfer_set_interleave(self->transfer, self->dst, 0, 99, self->src, 0, 100, 100, 2);
	fails(EINVAL, try_move(self));
}

TEST_HARNESS_MAIN
