// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "flow.h"
#include "pump.h"

#define MAX_SLOT_BYTES	(512 << 20)

/**
 * struct receive - what is to be received
 * @pump: how, by transfers
 * @packets: or as packets
 * @bytes: --bytes was given
 */
struct receive {
	struct pump pump;
	struct packets packets;
	bool bytes;
};

static int receive_option(struct receive *receive, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'n':
		if (!parse_number(optarg, INT64_MAX, &receive->pump.bytes))
			return usage_error("not a number of bytes", optarg);
		receive->bytes = true;
		return 0;
	case 'p':
		if (!parse_number(optarg, INT64_MAX, &number) || !number)
			return usage_error("not a number of packets", optarg);
		receive->packets.count = number;
		return 0;
	case 'S':
		if (!parse_number(optarg, MAX_SLOT_BYTES, &number) || !number)
			return usage_error("not a number of bytes up to 512M", optarg);
		receive->packets.flow.period_bytes = number;
		return 0;
	case 'l':
		receive->packets.lengths = optarg;
		return 0;
	default:
		return pump_option(&receive->pump, option, argv);
	}
}

/* What does not go together. */
static int check(const struct receive *receive)
{
	const struct packets *packets = &receive->packets;

	if (!receive->bytes && !packets->count)
		return usage_error("one of both is needed", "--bytes, --packets");
	if (receive->bytes && packets->count)
		return usage_error("not both", "--bytes, --packets");
	if (packets->count)
		return receive->pump.block_bytes ? usage_error("not with --packets",
							       "--block-bytes") : 0;
	if (packets->flow.period_bytes)
		return usage_error("only with --packets", "--slot-bytes");
	return packets->lengths ? usage_error("only with --packets", "--lengths") : 0;
}

static int receive_packets(struct receive *receive, const char *name)
{
	const struct pump *pump = &receive->pump;
	struct packets *packets = &receive->packets;

	if (packets->lengths && !strcmp(packets->lengths, "-") && !strcmp(name, "-"))
		return usage_error("it is the place of the data", "--lengths=-");
	if (pump->slots == 1)
		return usage_error("not a number from 2 to 64", "1");
	packets->flow.choice.wanted = pump->choice.wanted;
	packets->flow.json = pump->json;
	packets->flow.periods = pump->slots;
	packets->timeout_ns = pump->timeout_ns;
	return packets_main(packets, name);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", required_argument, NULL, 'n' },
		{ "packets", required_argument, NULL, 'p' },
		{ "slot-bytes", required_argument, NULL, 'S' },
		{ "lengths", required_argument, NULL, 'l' },
		{ "device", required_argument, NULL, 'd' },
		{ "block-bytes", required_argument, NULL, 'b' },
		{ "slots", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct receive receive = { .pump = PUMP_INIT(&pump_receive) };
	int option, ret;

	while ((option = getopt_long(argc, argv, ":n:p:S:l:" PUMP_LETTERS, options, NULL)) != -1) {
		ret = receive_option(&receive, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 1);
	if (!ret)
		ret = check(&receive);
	if (ret)
		return ret;
	if (receive.packets.count)
		return receive_packets(&receive, argv[optind]);
	return pump_main(&receive.pump, argv[optind]);
}

const struct command cmd_recv = {
	.name = "recv",
	.arguments = "--bytes=N|--packets=N [OPTION]... FILE",
	.summary = "make a file of what a device gives by DMA",
	.options =
		"  -n, --bytes=N         how long the file is to be\n"
		"  -p, --packets=N       how many packets it is to have, one after the other\n"
		"  -S, --slot-bytes=N    how long a packet can be; 64K\n"
		"  -l, --lengths=FILE    write the length of each packet there, a line each\n"
		PUMP_HELP JSON_HELP
		"\n"
		"- is standard output; then the summary goes to standard error.\n",
	.run = run,
};
