// SPDX-License-Identifier: GPL-2.0
/*
 * Packets from a device to a file, one after the other, and how long each was.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"

/**
 * struct state - how far it is
 * @packets: what is to be done
 * @target: where the data goes
 * @list: where the lengths go, if anywhere
 * @lines: the same, to write lines to
 * @lengths: the lengths as JSON, or NULL
 * @taken: how many packets there were
 * @last_ns: when the last one came
 */
struct state {
	struct packets *packets;
	struct target target;
	struct target list;
	FILE *lines;
	struct json_object *lengths;
	uint64_t taken;
	uint64_t last_ns;
};

static int fail(struct state *state, const char *why, const char *what)
{
	progress_end(&state->packets->flow.progress);
	complain(why, "%s", what);
	return -1;
}

static void note_length(struct state *state, uint64_t bytes)
{
	if (state->lines)
		fprintf(state->lines, "%llu\n", (unsigned long long)bytes);
	if (state->lengths)
		json_object_array_add(state->lengths, json_object_new_uint64(bytes));
}

/* Its slot belongs to this program until it is given back. */
static int take_packet(struct state *state, const struct udma_completion *packet, const void *data)
{
	struct flow *flow = &state->packets->flow;
	size_t bytes = udma_completion_get_bytes(packet);
	ssize_t count;

	count = target_write(&state->target, data, bytes);
	if (count < 0)
		complain_io(state->target.name, flow->choice.device);
	if (count < (ssize_t)bytes)
		return -1;
	note_length(state, bytes);
	if (udma_stream_give_back(flow->stream))
		return fail(state, strerror(errno), flow->choice.device);
	state->taken++;
	state->last_ns = now_ns();
	flow->done_bytes += bytes;
	progress_tell(&flow->progress, flow->done_bytes);
	return 0;
}

static uint64_t give_up_ns(const struct state *state)
{
	uint64_t timeout_ns = state->packets->timeout_ns;

	return timeout_ns ? state->last_ns + timeout_ns : FLOW_FOREVER;
}

static int step(struct state *state)
{
	struct flow *flow = &state->packets->flow;
	const struct udma_completion *packet;
	const void *data;

	packet = udma_stream_next_packet(flow->stream, &data);
	if (packet)
		return take_packet(state, packet, data);
	if (errno == EAGAIN && now_ns() >= give_up_ns(state))
		return fail(state, "no packet came for too long", flow->choice.device);
	if (!flow_wait(flow, give_up_ns(state)))
		return 0;
	progress_end(&flow->progress);
	flow_complain(flow, false);
	return -1;
}

static int start(struct state *state)
{
	struct flow *flow = &state->packets->flow;

	udma_stream_config_set_packets(flow->config, flow->ring, 0, flow_ring_bytes(flow),
				       flow->period_bytes);
	flow_begin(flow, 0);
	if (flow_start(flow))
		return -1;
	state->last_ns = flow->start_ns;
	return 0;
}

static int run(struct state *state)
{
	const struct packets *packets = state->packets;
	struct flow *flow = &state->packets->flow;
	int ret;

	ret = start(state);
	while (!ret && !cleanup_deferred() && state->taken < packets->count)
		ret = step(state);
	if (flow->stream)
		flow->overruns = udma_stream_get_overruns(flow->stream);
	flow_end(flow);
	return state->taken < packets->count ? -1 : 0;
}

static void print_summary(const struct state *state, FILE *to)
{
	const struct flow *flow = &state->packets->flow;
	struct json_object *record = json_object_new_object();

	record_add_string(record, "device", flow->choice.device);
	record_add_rate(record, flow->done_bytes, flow->total_ns);
	record_add_number(record, "packets", state->taken);
	record_add_number(record, "overruns", flow->overruns);
	record_add_bool(record, "exact", udma_stream_is_exact(flow->stream));
	if (state->lengths)
		record_add(record, "lengths", json_object_get(state->lengths));
	record_print(record, to, flow->json, ' ');
	json_object_put(record);
}

/* Lines are written through a descriptor of their own, which can be closed. */
static int open_list(struct state *state, const char *name)
{
	int fd;

	if (target_open(&state->list, name, NULL))
		return -1;
	fd = dup(state->list.fd);
	state->lines = fd < 0 ? NULL : fdopen(fd, "w");
	if (!state->lines)
		return fail(state, strerror(errno), state->list.name);
	if (!state->list.path || !state->target.path ||
	    strcmp(state->list.path, state->target.path))
		return 0;
	return fail(state, "it is the same file", state->list.name);
}

static int close_lines(struct state *state)
{
	FILE *lines = state->lines;
	bool bad;

	state->lines = NULL;
	if (!lines)
		return 0;
	bad = ferror(lines);
	if (!fclose(lines) && !bad)
		return 0;
	return fail(state, errno ? strerror(errno) : "write error", state->list.name);
}

/* Both or none, as far as that is possible. */
static int commit(struct state *state)
{
	if (close_lines(state) || target_commit(&state->target))
		return -1;
	return state->packets->lengths ? target_commit(&state->list) : 0;
}

static int receive(struct state *state, const char *name)
{
	struct packets *packets = state->packets;
	bool to_stdout;

	if (target_open(&state->target, name, NULL))
		return -1;
	to_stdout = state->target.fd == STDOUT_FILENO;
	if (packets->lengths && open_list(state, packets->lengths))
		return -1;
	to_stdout |= state->list.fd == STDOUT_FILENO;
	if (packets->flow.json)
		state->lengths = json_object_new_array();
	if (run(state) || commit(state))
		return -1;
	print_summary(state, to_stdout ? stderr : stdout);
	return 0;
}

/**
 * packets_main - receive packets, and tell how it went
 * @packets: what is asked for
 * @target: the name of the file to write
 *
 * Return: the exit status.
 */
int packets_main(struct packets *packets, const char *target)
{
	struct state state = { .packets = packets, .target.fd = -1, .list.fd = -1 };
	int ret;

	packets->flow.choice.ability = &able_to_receive;
	ret = flow_open(&packets->flow);
	if (!ret)
		ret = receive(&state, target);
	if (state.lines)
		fclose(state.lines);
	target_discard(&state.target);
	target_discard(&state.list);
	json_object_put(state.lengths);
	flow_close(&packets->flow);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}
