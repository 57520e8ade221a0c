// SPDX-License-Identifier: GPL-2.0
/*
 * The controller does not wait: what is read may be overwritten meanwhile, and whether it was is
 * known only afterwards. So a file is written straight from the ring, and again in the same
 * place if that was in vain; what cannot be written again is copied before.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"

/* So much is written at a time, or less where it has been in vain. */
#define PIECE_BYTES	(256 << 10)
#define PIECE_LEAST	(4 << 10)
#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000

/**
 * struct capture - what is captured
 * @flow: from where
 * @bytes: how much; FLOW_FOREVER for as much as comes
 * @ns: for how long; FLOW_FOREVER until all is there
 * @idle_ns: for how long nothing may have come until what there is of a period is taken
 * @target: where to
 * @piece: how much to write at a time
 * @until_ns: until when
 * @stopping: the stream was told to end
 * @failed: it was said why
 */
struct capture {
	struct flow flow;
	uint64_t bytes;
	uint64_t ns;
	uint64_t idle_ns;
	struct target target;
	size_t piece;
	uint64_t until_ns;
	bool stopping;
	bool failed;
};

static char copy[PIECE_BYTES];

/*
 * What was lost comes before the oldest that is left, which is going to be overwritten next. To
 * take that would be in vain again and again, so half of the ring is given up for time.
 */
static void make_way(struct flow *flow)
{
	const uint64_t keep = flow_ring_bytes(flow) / 2;
	const void *data;
	uint64_t behind;
	ssize_t bytes;

	while ((bytes = udma_stream_peek(flow->stream, &data)) > 0) {
		behind = udma_stream_get_moved(flow->stream) -
			 udma_stream_get_position(flow->stream);
		if (behind <= keep)
			break;
		bytes = least_of(bytes, behind - keep);
		if (!udma_stream_consume(flow->stream, bytes))
			flow->skipped_bytes += bytes;
	}
}

/* Whether the first bytes were whole until now. If so more may be, if not less. */
static bool take(struct capture *capture, size_t bytes)
{
	if (!udma_stream_consume(capture->flow.stream, bytes)) {
		capture->piece = least_of(2 * capture->piece, PIECE_BYTES);
		return true;
	}
	if (capture->piece > PIECE_LEAST)
		capture->piece /= 2;
	make_way(&capture->flow);
	return false;
}

/* As write(): how much was written that is worth something. */
static ssize_t write_in_place(struct capture *capture, const void *data, size_t bytes)
{
	ssize_t count = pwrite(capture->target.fd, data, bytes, capture->flow.done_bytes);

	return count > 0 && !take(capture, count) ? 0 : count;
}

/* The same. Once copied all of it is written, also when the user wants it to end. */
static ssize_t write_copy(struct capture *capture, const void *data, size_t bytes)
{
	size_t done = 0;
	ssize_t count;

	memcpy(copy, data, bytes);
	if (!take(capture, bytes))
		return 0;
	while (done < bytes) {
		count = target_write(&capture->target, copy + done, bytes - done);
		if (count < 0)
			return -1;
		done += count;
	}
	return done;
}

static int write_piece(struct capture *capture, const void *data, size_t bytes)
{
	struct flow *flow = &capture->flow;
	ssize_t count;

	bytes = least_of(bytes, capture->piece);
	bytes = least_of(bytes, capture->bytes - flow->done_bytes);
	count = capture->target.temporary ? write_in_place(capture, data, bytes) :
					    write_copy(capture, data, bytes);
	if (count < 0 && errno != EINTR) {
		progress_end(&flow->progress);
		complain_io(capture->target.name, flow->choice.device);
		capture->failed = true;
		return -1;
	}
	flow->done_bytes += count > 0 ? count : 0;
	progress_tell(&flow->progress, flow->done_bytes);
	return 0;
}

/* What came before the end was asked for is taken still. */
static int step(struct capture *capture)
{
	struct flow *flow = &capture->flow;
	const void *data;
	ssize_t bytes;

	if (!capture->stopping && (cleanup_deferred() || now_ns() >= capture->until_ns)) {
		capture->stopping = true;
		capture->until_ns = FLOW_FOREVER;
		flow_stop(flow);
	}
	bytes = udma_stream_peek(flow->stream, &data);
	if (bytes > 0)
		return write_piece(capture, data, bytes);
	return flow_wait(flow, capture->until_ns);
}

static int start(struct capture *capture)
{
	struct flow *flow = &capture->flow;

	udma_stream_config_set_cyclic(flow->config, flow->ring, 0, flow_ring_bytes(flow),
				      flow->period_bytes);
	udma_stream_config_set_idle_ns(flow->config, capture->idle_ns);
	flow_begin(flow, capture->bytes == FLOW_FOREVER ? 0 : capture->bytes);
	if (flow_start(flow))
		return -1;
	if (capture->ns != FLOW_FOREVER)
		capture->until_ns = flow->start_ns + capture->ns;
	return 0;
}

static bool is_complete(const struct capture *capture)
{
	if (capture->flow.done_bytes == capture->bytes)
		return true;
	return capture->stopping && !capture->failed && !cleanup_deferred();
}

/* What has been captured is kept, whatever came then; nothing at all is nothing to keep. */
static int keep(struct capture *capture)
{
	struct flow *flow = &capture->flow;
	const bool to_stdout = capture->target.fd == STDOUT_FILENO;

	if (!flow->done_bytes && !is_complete(capture))
		return -1;
	/* What was written last may have been in vain. */
	if (capture->target.temporary && ftruncate(capture->target.fd, flow->done_bytes) < 0) {
		complain_errno("%s", capture->target.name);
		return -1;
	}
	if (target_commit(&capture->target))
		return -1;
	flow_print_summary(flow, is_complete(capture), to_stdout ? stderr : stdout);
	return 0;
}

static int capture_all(struct capture *capture)
{
	struct flow *flow = &capture->flow;
	int ret;

	if (start(capture))
		return -1;
	while (flow->done_bytes < capture->bytes && !step(capture))
		;
	flow_count_loss(flow);
	flow_end(flow);
	if (!capture->failed && flow->done_bytes < capture->bytes)
		capture->failed = flow_complain(flow, capture->stopping);
	ret = keep(capture);
	if (flow_complain_loss(flow))
		capture->failed = true;
	return ret || capture->failed ? -1 : 0;
}

static int capture_to(struct capture *capture, const char *name)
{
	int ret;

	if (target_open(&capture->target, name, NULL))
		return -1;
	ret = capture_all(capture);
	target_discard(&capture->target);
	return ret;
}

/* What is less than a period cannot be told of by every controller. */
static int check_idle(const struct capture *capture)
{
	const struct choice *choice = &capture->flow.choice;

	if (!capture->idle_ns ||
	    udma_channel_info_get_residue(choice->info) == UDMA_CHANNEL_RESIDUE_BURST)
		return 0;
	complain("the controller does not tell of a part of a period", "%s: --idle",
		 choice->device);
	return -1;
}

static int capture_main(struct capture *capture, const char *name)
{
	int ret;

	ret = flow_open(&capture->flow);
	if (!ret)
		ret = check_idle(capture);
	if (!ret)
		ret = capture_to(capture, name);
	flow_close(&capture->flow);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}

static int capture_option(struct capture *capture, int option, char **argv)
{
	uint64_t number;
	double seconds;

	switch (option) {
	case 'n':
		if (!parse_number(optarg, INT64_MAX, &capture->bytes))
			return usage_error("not a number of bytes", optarg);
		return 0;
	case 's':
		if (!parse_real(optarg, 1e9, &seconds))
			return usage_error("not a number of seconds", optarg);
		capture->ns = seconds * NSEC_PER_SEC;
		return 0;
	case 'i':
		if (!parse_number(optarg, INT64_MAX / NSEC_PER_MSEC, &number) || !number)
			return usage_error("not a number of milliseconds", optarg);
		capture->idle_ns = number * NSEC_PER_MSEC;
		return 0;
	default:
		return flow_option(&capture->flow, option, argv);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 's' },
		{ "idle", required_argument, NULL, 'i' },
		{ "device", required_argument, NULL, 'd' },
		{ "period-bytes", required_argument, NULL, 'p' },
		{ "periods", required_argument, NULL, 'P' },
		{ "allow-loss", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct capture capture = {
		.flow.choice.ability = &able_to_capture,
		.bytes = FLOW_FOREVER,
		.ns = FLOW_FOREVER,
		.until_ns = FLOW_FOREVER,
		.piece = PIECE_BYTES,
	};
	int option, ret;

	while ((option = getopt_long(argc, argv, ":n:s:i:" FLOW_LETTERS, options, NULL)) != -1) {
		ret = capture_option(&capture, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 1);
	if (ret)
		return ret;
	if (capture.bytes == FLOW_FOREVER && capture.ns == FLOW_FOREVER)
		return usage_error("one of both is needed", "--bytes, --seconds");
	return capture_main(&capture, argv[optind]);
}

const struct command cmd_capture = {
	.name = "capture",
	.arguments = "--bytes=N|--seconds=S [OPTION]... FILE",
	.summary = "make a file of what a device gives without a pause",
	.options =
		"  -n, --bytes=N         until there are N bytes\n"
		"  -s, --seconds=S       for S seconds\n"
		"  -i, --idle=MS         take what there is of a period when MS milliseconds passed\n"
		FLOW_HELP JSON_HELP
		"\n"
		"- is standard output; then the summary goes to standard error. What has been\n"
		"captured is kept when something goes wrong, or a signal ends it.\n",
	.run = run,
};
