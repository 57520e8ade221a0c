// SPDX-License-Identifier: GPL-2.0
/*
 * A stream from its ring to its end, whichever way it goes.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <string.h>

#include "flow.h"

#define PERIOD_BYTES	(64 << 10)
#define RING_BYTES	(4 << 20)
#define RING_MOST	0x40000000
/* More than these are of no use, unless the user thinks so. */
#define PERIODS_MOST	1024
#define PERIODS_LIMIT	65536
#define NSEC_PER_SEC	1000000000ULL

/* One of the options of cyclic streams: 0, or the exit status after it said what is wrong. */
int flow_option(struct flow *flow, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'd':
		flow->choice.wanted = optarg;
		return 0;
	case 'p':
		if (!parse_number(optarg, RING_MOST / 2, &number) || !number)
			return usage_error("not a number of bytes up to 512M", optarg);
		flow->period_bytes = number;
		return 0;
	case 'P':
		if (!parse_number(optarg, PERIODS_LIMIT, &number) || number < 2)
			return usage_error("not a number from 2 to 65536", optarg);
		flow->periods = number;
		return 0;
	case 'l':
		flow->allow_loss = true;
		return 0;
	case 'j':
		flow->json = true;
		return 0;
	default:
		return bad_option(option, argv);
	}
}

/* What the length of a period has to be a multiple of. */
static unsigned int get_unit(const struct udma_channel_info *info)
{
	unsigned int align = udma_channel_info_get_copy_align(info);
	unsigned int width = udma_channel_info_get_width(info);
	unsigned int unit = align;

	while (width && unit % width)
		unit += align;
	return unit;
}

/* What fits into the limits of the channel, if the user did not say it. */
static void fit(struct flow *flow, unsigned int unit)
{
	const struct udma_channel_info *info = flow->choice.info;
	uint64_t most = udma_channel_info_get_max_bytes(info);
	uint64_t period;

	if (!flow->period_bytes) {
		period = least_of(most / 2, udma_channel_info_get_max_segment_bytes(info));
		period = least_of(period, PERIOD_BYTES);
		period -= period % unit;
		flow->period_bytes = period ? period : unit;
	}
	if (!flow->periods) {
		flow->periods = least_of(least_of(most, RING_BYTES) / flow->period_bytes,
					 PERIODS_MOST);
		if (flow->periods < 2)
			flow->periods = 2;
	}
}

/* Where there is not so much memory in one piece, a shorter ring will do. */
static int alloc_ring(struct flow *flow, bool shorter)
{
	for (;;) {
		flow->ring = udma_buffer_alloc(flow->choice.channel, flow_ring_bytes(flow));
		if (flow->ring)
			return 0;
		if (!shorter || flow->periods < 4 || (errno != ENOMEM && errno != EDQUOT))
			break;
		flow->periods /= 2;
	}
	complain_errno("%s: %u times %zu bytes", flow->choice.device, flow->periods,
		       flow->period_bytes);
	return -1;
}

static int make_ring(struct flow *flow)
{
	const bool shorter = !flow->periods;
	unsigned int unit = get_unit(flow->choice.info);

	fit(flow, unit);
	if (flow->period_bytes % unit) {
		complain_align(unit, "%s: %zu bytes", flow->choice.device, flow->period_bytes);
		return -1;
	}
	if (flow->period_bytes > RING_MOST / flow->periods) {
		complain("more than 1 GiB", "%s: %u times %zu bytes", flow->choice.device,
			 flow->periods, flow->period_bytes);
		return -1;
	}
	return alloc_ring(flow, shorter);
}

/**
 * flow_open - choose the device, and have a ring and a description
 * @flow: says what for; flow_close() takes it away, also when this fails
 *
 * Return: 0, or -1 after it said why.
 */
int flow_open(struct flow *flow)
{
	flow->stop_fd = -1;
	if (choose_channel(&flow->choice))
		return -1;
	cleanup_init(flow->choice.device);
	if (make_ring(flow))
		return -1;
	flow->config = udma_stream_config_new();
	if (flow->config)
		return 0;
	complain_errno("memory");
	return -1;
}

/* From now on a signal only asks for the end. @total is how much there will be, if known. */
void flow_begin(struct flow *flow, uint64_t total)
{
	flow->stop_fd = cleanup_defer();
	flow->start_ns = now_ns();
	progress_begin(&flow->progress, total);
}

static const char *explain_start(void)
{
	switch (errno) {
	case EBUSY:
		return "another program uses it";
	case EIO:
		return "the channel has failed, or the controller refuses";
	case EOPNOTSUPP:
		return "the controller cannot be stopped";
	default:
		return strerror(errno);
	}
}

/* Return: 0, or -1 after it said why. */
int flow_start(struct flow *flow)
{
	flow->start_ns = now_ns();
	flow->stream = udma_stream_start(flow->choice.channel, flow->config);
	if (flow->stream)
		return 0;
	progress_end(&flow->progress);
	complain(explain_start(), "%s: stream of %u times %zu bytes", flow->choice.device,
		 flow->periods, flow->period_bytes);
	return -1;
}

/* Have it end. What has come is there to be taken. */
void flow_stop(struct flow *flow)
{
	flow->stop_fd = -1;
	udma_stream_stop(flow->stream);
}

/* The channel has something to tell when the stream has. */
static void sleep_until(const struct flow *flow, struct pollfd *in, uint64_t until_ns)
{
	struct pollfd polls[] = {
		{ .fd = udma_channel_get_fd(flow->choice.channel), .events = POLLIN },
		{ .fd = flow->stop_fd, .events = POLLIN },
		{ .fd = in ? in->fd : -1, .events = POLLIN },
	};
	uint64_t now = now_ns();
	struct timespec left = {};

	if (until_ns > now) {
		left.tv_sec = (until_ns - now) / NSEC_PER_SEC;
		left.tv_nsec = (until_ns - now) % NSEC_PER_SEC;
	}
	ppoll(polls, ARRAY_SIZE(polls), until_ns == FLOW_FOREVER ? NULL : &left, NULL);
	if (in)
		in->revents = polls[2].revents;
}

/**
 * flow_wait - wait until there is more to do for the stream
 * @flow: it, which was asked for all that there is
 * @until_ns: or because it is so late; FLOW_FOREVER for never
 *
 * The user may want it to end, too: see cleanup_deferred().
 *
 * Return: 0, or -1 when the stream has ended and all that has come of it was taken.
 */
int flow_wait(struct flow *flow, uint64_t until_ns)
{
	/* What it does not take of the news, the channel would tell of again and again. */
	int ret = udma_stream_wait(flow->stream, 0);

	if (!ret)
		sleep_until(flow, NULL, until_ns);
	return ret < 0 ? -1 : 0;
}

/**
 * flow_wait_end - wait until the stream has ended
 * @flow: it, however much there is to do
 * @in: or until this can be read, which is told there; -1 for nothing
 *
 * Return: 0, or -1 when it has.
 */
int flow_wait_end(struct flow *flow, struct pollfd *in)
{
	int ret = udma_stream_wait_end(flow->stream, 0);

	if (!ret)
		sleep_until(flow, in, FLOW_FOREVER);
	return ret ? -1 : 0;
}

/* It is over: from now on a signal ends the program. */
void flow_end(struct flow *flow)
{
	flow->total_ns = now_ns() - flow->start_ns;
	progress_end(&flow->progress);
	cleanup_defer_no_more();
}

/* Say why the stream has ended, if it was not to end like this. Return: whether. */
bool flow_complain(const struct flow *flow, bool was_to_end)
{
	const struct udma_completion *end = udma_stream_get_completion(flow->stream);
	int error = udma_stream_get_error(flow->stream);
	const char *why = error ? strerror(error) : "it has ended by itself";

	if (!error && was_to_end)
		return false;
	complain(error && end ? explain_end(end) : why, "%s: stream", flow->choice.device);
	return true;
}

/* What was lost until now. When all that was wanted is there, what may be later is not. */
void flow_count_loss(struct flow *flow)
{
	flow->lost_bytes = udma_stream_get_lost(flow->stream) + flow->skipped_bytes;
	flow->overruns = flow->lost_bytes ? udma_stream_get_overruns(flow->stream) : 0;
}

/* Say that something was lost, if it is so and that is a failure. Return: whether. */
bool flow_complain_loss(const struct flow *flow)
{
	if (!flow->lost_bytes || flow->allow_loss)
		return false;
	complain("this program did not keep up", "%s: %llu bytes lost", flow->choice.device,
		 (unsigned long long)flow->lost_bytes);
	return true;
}

/* @complete says whether it ended where it was to end. */
void flow_print_summary(const struct flow *flow, bool complete, FILE *to)
{
	struct json_object *record = json_object_new_object();

	record_add_string(record, "device", flow->choice.device);
	record_add_rate(record, flow->done_bytes, flow->total_ns);
	record_add_number(record, "lost_bytes", flow->lost_bytes);
	record_add_number(record, "overruns", flow->overruns);
	record_add_bool(record, "exact", !flow->stream || udma_stream_is_exact(flow->stream));
	record_add_bool(record, "complete", complete);
	record_print(record, to, flow->json, ' ');
	json_object_put(record);
}

void flow_close(struct flow *flow)
{
	udma_stream_free(flow->stream);
	udma_stream_config_free(flow->config);
	udma_buffer_free(flow->ring);
	choice_release(&flow->choice);
}
