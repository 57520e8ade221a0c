/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What those commands have in common that have a stream: capture, play, and recv for packets.
 */
#ifndef UDMACTL_FLOW_H
#define UDMACTL_FLOW_H

#include "udmactl.h"

/**
 * struct flow - a stream, and what is around it
 * @choice: the device to use
 * @json: whether the summary is JSON
 * @allow_loss: whether it is no failure that something is lost
 * @period_bytes: how long a period is, or a slot; 0 for what suits the channel
 * @periods: how many there are in the ring; 0 for what suits
 * @ring: the buffer that is the ring
 * @config: describes the stream
 * @stream: the stream, once it was started
 * @progress: for the user
 * @stop_fd: readable when the user wants it to end
 * @start_ns: when the stream began
 * @total_ns: how long it took
 * @done_bytes: how much has gone where it was to
 * @skipped_bytes: how much was given up to get out of the controller's way
 * @lost_bytes: how much was lost, that included
 * @overruns: how often
 */
struct flow {
	struct choice choice;
	bool json;
	bool allow_loss;
	size_t period_bytes;
	unsigned int periods;

	struct udma_buffer *ring;
	struct udma_stream_config *config;
	struct udma_stream *stream;
	struct progress progress;
	int stop_fd;
	uint64_t start_ns;
	uint64_t total_ns;
	uint64_t done_bytes;
	uint64_t skipped_bytes;
	uint64_t lost_bytes;
	uint32_t overruns;
};

#define FLOW_FOREVER	UINT64_MAX
#define FLOW_LETTERS	"d:p:P:lj"
#define FLOW_HELP							\
	"  -d, --device=DEVICE   use this device, not the first that is able to\n"	\
	"  -p, --period-bytes=N  be told each N bytes; 64K\n"		\
	"  -P, --periods=N       have a ring of N of these; 4 MiB of them\n"	\
	"  -l, --allow-loss      do not fail when something is lost\n"

struct pollfd;
int flow_option(struct flow *flow, int option, char **argv);
int flow_open(struct flow *flow);
void flow_begin(struct flow *flow, uint64_t total);
int flow_start(struct flow *flow);
int flow_wait(struct flow *flow, uint64_t until_ns);
int flow_wait_end(struct flow *flow, struct pollfd *in);
void flow_stop(struct flow *flow);
void flow_end(struct flow *flow);
void flow_count_loss(struct flow *flow);
bool flow_complain(const struct flow *flow, bool was_to_end);
bool flow_complain_loss(const struct flow *flow);
void flow_print_summary(const struct flow *flow, bool complete, FILE *to);
void flow_close(struct flow *flow);

/**
 * struct packets - packets to be received
 * @flow: where from; a period is a slot
 * @count: how many
 * @timeout_ns: how long to wait for one, or 0 for ever
 * @lengths: the name of the file for their lengths, or NULL
 */
struct packets {
	struct flow flow;
	uint64_t count;
	uint64_t timeout_ns;
	const char *lengths;
};

int packets_main(struct packets *packets, const char *target);

static inline size_t flow_ring_bytes(const struct flow *flow)
{
	return flow->periods * flow->period_bytes;
}

static inline uint64_t least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif /* UDMACTL_FLOW_H */
