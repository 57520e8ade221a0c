// SPDX-License-Identifier: GPL-2.0
/*
 * The ring is filled before the stream begins. What is read of the file then waits outside of
 * it until there is room, so that however long it takes to read, the controller
 * finds nothing that is only half there.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"

/* So much is read at a time. */
#define PIECE_BYTES	(256 << 10)

/**
 * enum stage - how far it is
 * @STAGE_FILE: there is more of the file
 * @STAGE_PERIOD: all of it is in the ring, and the last period is to be made full
 * @STAGE_SILENCE: so it is, and there are to be zeros behind it
 * @STAGE_DRAIN: the stream is going to end behind the last period
 * @STAGE_STOP: the user wants it to end
 */
enum stage { STAGE_FILE, STAGE_PERIOD, STAGE_SILENCE, STAGE_DRAIN, STAGE_STOP };

/**
 * struct play - what is played
 * @flow: where to
 * @source: where from
 * @at: where what was read begins that is not in the ring yet, in piece
 * @end: where it ends
 * @eof: there is nothing more to read
 * @silent: up to where in the stream the ring has been made silent, behind the last period
 * @stage: how far it is
 * @failed: it was said why
 */
struct play {
	struct flow flow;
	struct source source;
	size_t at;
	size_t end;
	bool eof;
	uint64_t silent;
	enum stage stage;
	bool failed;
};

static char piece[PIECE_BYTES];

/* Return: how much was read, 0 for nothing yet, or -1 after it said why. */
static ssize_t read_some(struct play *play, void *to, size_t bytes)
{
	ssize_t count = read(play->source.fd, to, bytes);

	play->eof = !count;
	if (count >= 0 || errno == EINTR || errno == EAGAIN)
		return count > 0 ? count : 0;
	progress_end(&play->flow.progress);
	complain_io(play->source.name, play->flow.choice.device);
	play->failed = true;
	return -1;
}

static int read_piece(struct play *play)
{
	ssize_t count = read_some(play, piece, sizeof(piece));

	play->at = 0;
	play->end = count > 0 ? count : 0;
	return count < 0 ? -1 : 0;
}

/* Until the ring is full, or the file is at its end, or the user wants that. */
static int fill_ahead(struct play *play)
{
	struct flow *flow = &play->flow;
	char *ring = udma_buffer_get_data(flow->ring);
	struct pollfd polls[] = {
		{ .fd = play->source.fd, .events = POLLIN },
		{ .fd = flow->stop_fd, .events = POLLIN },
	};
	ssize_t count;

	while (flow->done_bytes < flow_ring_bytes(flow) && !play->eof) {
		poll(polls, ARRAY_SIZE(polls), -1);
		if (cleanup_deferred())
			return -1;
		count = read_some(play, ring + flow->done_bytes,
				  flow_ring_bytes(flow) - flow->done_bytes);
		if (count < 0)
			return -1;
		flow->done_bytes += count;
	}
	return 0;
}

/* In whole periods: what is behind the end of the file is zero. */
static int start(struct play *play)
{
	struct flow *flow = &play->flow;
	size_t periods = (flow->done_bytes + flow->period_bytes - 1) / flow->period_bytes;

	udma_stream_config_set_cyclic(flow->config, flow->ring, 0, flow_ring_bytes(flow),
				      flow->period_bytes);
	udma_stream_config_set_filled_bytes(flow->config, periods * flow->period_bytes);
	return flow_start(flow);
}

static bool has_piece(const struct play *play)
{
	return play->at < play->end;
}

/* Where the controller came first nothing was put, and it is put where there is room next. */
static bool put_piece(struct play *play, void *room, size_t bytes)
{
	struct flow *flow = &play->flow;

	if (!has_piece(play))
		return false;
	bytes = least_of(bytes, play->end - play->at);
	memcpy(room, piece + play->at, bytes);
	if (udma_stream_commit(flow->stream, bytes))
		return true;
	play->at += bytes;
	flow->done_bytes += bytes;
	progress_tell(&flow->progress, flow->done_bytes);
	return true;
}

/* Where the ring was not filled in its first round it is silent already. */
static bool fill_period(struct play *play, void *room, size_t bytes)
{
	struct flow *flow = &play->flow;
	uint64_t position = udma_stream_get_position(flow->stream);
	size_t used = position % flow->period_bytes;

	if (!used) {
		flow_count_loss(flow);
		play->silent = position < flow_ring_bytes(flow) ? flow_ring_bytes(flow) : position;
		play->stage = STAGE_SILENCE;
		return true;
	}
	bytes = least_of(bytes, flow->period_bytes - used);
	memset(room, 0, bytes);
	udma_stream_commit(flow->stream, bytes);
	return bytes;
}

/*
 * However long it takes to stop the controller behind the last period, what it goes on to play is
 * to be zeros: wherever it has been since.
 */
static void silence(struct play *play)
{
	const struct flow *flow = &play->flow;
	const size_t ring_bytes = flow_ring_bytes(flow);
	uint64_t end = udma_stream_get_moved(flow->stream) + ring_bytes;
	char *ring = udma_buffer_get_data(flow->ring);
	size_t offset, bytes;

	while (play->silent < end) {
		offset = play->silent % ring_bytes;
		bytes = least_of(end - play->silent, ring_bytes - offset);
		memset(ring + offset, 0, bytes);
		play->silent += bytes;
	}
}

/* Not before there is a period of silence that it can run into. */
static bool drain(struct play *play)
{
	struct flow *flow = &play->flow;

	silence(play);
	if (play->silent < udma_stream_get_position(flow->stream) + flow->period_bytes)
		return false;
	udma_stream_drain(flow->stream);
	play->stage = STAGE_DRAIN;
	return true;
}

/* Do what is to be done with so much room. Return: whether that was anything. */
static bool use_room(struct play *play, void *room, size_t bytes)
{
	switch (play->stage) {
	case STAGE_FILE:
		return bytes && put_piece(play, room, bytes);
	case STAGE_PERIOD:
		return fill_period(play, room, bytes);
	case STAGE_SILENCE:
		return drain(play);
	case STAGE_DRAIN:
		silence(play);
		return false;
	default:
		return false;
	}
}

/* What there is to do needs room, and not the file, or the end. */
static bool wants_room(const struct play *play)
{
	switch (play->stage) {
	case STAGE_FILE:
		return has_piece(play);
	case STAGE_PERIOD:
	case STAGE_SILENCE:
		return true;
	default:
		return false;
	}
}

static void choose_stage(struct play *play)
{
	if (cleanup_deferred() && play->stage != STAGE_STOP) {
		play->stage = STAGE_STOP;
		flow_stop(&play->flow);
	} else if (play->stage == STAGE_FILE && play->eof && !has_piece(play)) {
		play->stage = STAGE_PERIOD;
	}
}

/* Return: 0, or -1 when the stream has ended or cannot go on. */
static int step(struct play *play)
{
	struct flow *flow = &play->flow;
	struct pollfd in = { .fd = -1 };
	ssize_t bytes;
	void *room;

	choose_stage(play);
	bytes = udma_stream_get_room(flow->stream, &room);
	if (use_room(play, room, bytes > 0 ? bytes : 0))
		return 0;
	if (wants_room(play))
		return flow_wait(flow, FLOW_FOREVER);
	if (play->stage == STAGE_FILE)
		in.fd = play->source.fd;
	if (flow_wait_end(flow, &in))
		return -1;
	return in.revents ? read_piece(play) : 0;
}

static bool is_complete(const struct play *play)
{
	return !play->failed && play->stage == STAGE_DRAIN;
}

/* Return: 0, or -1 after it said why. */
static int play_stream(struct play *play)
{
	struct flow *flow = &play->flow;

	if (start(play))
		return -1;
	while (!step(play))
		;
	if (play->stage < STAGE_SILENCE || play->stage == STAGE_STOP)
		flow_count_loss(flow);
	flow_end(flow);
	if (!play->failed)
		play->failed = flow_complain(flow, play->stage >= STAGE_DRAIN);
	/* What was in the ring when it ended was not played. */
	if (!is_complete(play))
		flow->done_bytes = least_of(flow->done_bytes,
					    udma_stream_get_moved(flow->stream) - flow->lost_bytes);
	flow_print_summary(flow, is_complete(play), stdout);
	return flow_complain_loss(flow) || play->failed ? -1 : 0;
}

static int play_all(struct play *play)
{
	struct flow *flow = &play->flow;

	flow_begin(flow, source_bytes(&play->source));
	if (fill_ahead(play)) {
		flow_end(flow);
		return -1;
	}
	if (flow->done_bytes)
		return play_stream(play);
	/* There is no stream of nothing. */
	flow_end(flow);
	flow_print_summary(flow, true, stdout);
	return 0;
}

static int play_main(struct play *play, const char *name)
{
	int ret;

	if (source_open(&play->source, name))
		return EXIT_FAILED;
	ret = flow_open(&play->flow);
	if (!ret)
		ret = play_all(play);
	flow_close(&play->flow);
	source_close(&play->source);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "period-bytes", required_argument, NULL, 'p' },
		{ "periods", required_argument, NULL, 'P' },
		{ "allow-loss", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct play play = { .flow.choice.ability = &able_to_play };
	int option, ret;

	while ((option = getopt_long(argc, argv, ":" FLOW_LETTERS, options, NULL)) != -1) {
		ret = flow_option(&play.flow, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 1);
	return ret ? ret : play_main(&play, argv[optind]);
}

const struct command cmd_play = {
	.name = "play",
	.arguments = "[OPTION]... FILE",
	.summary = "give a file to a device without a pause",
	.options =
		FLOW_HELP JSON_HELP
		"\n"
		"- is standard input. Behind the end of the file, what is missing to a whole period\n"
		"is zeros.\n",
	.run = run,
};
