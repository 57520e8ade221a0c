// SPDX-License-Identifier: GPL-2.0
#include "pump.h"

static int send_file(struct pump *pump, const char *name)
{
	int ret;

	if (source_open(&pump->source, name))
		return EXIT_FAILED;
	pump->bytes = source_bytes(&pump->source);
	ret = pump_main(pump, NULL);
	source_close(&pump->source);
	return ret;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "block-bytes", required_argument, NULL, 'b' },
		{ "slots", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct pump pump = PUMP_INIT(&pump_send);
	int option, ret;

	while ((option = getopt_long(argc, argv, ":" PUMP_LETTERS, options, NULL)) != -1) {
		ret = pump_option(&pump, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 1);
	return ret ? ret : send_file(&pump, argv[optind]);
}

const struct command cmd_send = {
	.name = "send",
	.arguments = "[OPTION]... FILE",
	.summary = "give a file to a device by DMA",
	.options = PUMP_HELP JSON_HELP
		"\n"
		"- is standard input. The summary goes to standard output.\n",
	.run = run,
};
