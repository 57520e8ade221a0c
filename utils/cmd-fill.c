// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>

#include "pump.h"

/**
 * struct wish - which of the numbers that there must be were given
 * @bytes: --bytes was
 * @value: --value was
 */
struct wish {
	bool bytes;
	bool value;
};

static int fill_option(struct pump *pump, struct wish *wish, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'n':
		if (!parse_number(optarg, INT64_MAX, &pump->bytes))
			return usage_error("not a number of bytes", optarg);
		wish->bytes = true;
		return 0;
	case 'V':
		if (!parse_number(optarg, UINT8_MAX, &number))
			return usage_error("not a number from 0 to 255", optarg);
		pump->value = number;
		wish->value = true;
		return 0;
	default:
		return pump_option(pump, option, argv);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", required_argument, NULL, 'n' },
		{ "value", required_argument, NULL, 'V' },
		{ "device", required_argument, NULL, 'd' },
		{ "block-bytes", required_argument, NULL, 'b' },
		{ "slots", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "exclusive", no_argument, NULL, 'x' },
		{ "verify", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct pump pump = PUMP_INIT(&pump_fill);
	struct wish wish = {};
	int option, ret;

	while ((option = getopt_long(argc, argv, ":n:V:" PUMP_MEMORY_LETTERS, options,
				     NULL)) != -1) {
		ret = fill_option(&pump, &wish, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 1);
	if (ret)
		return ret;
	if (!wish.bytes || !wish.value)
		return usage_error("is missing", wish.bytes ? "--value" : "--bytes");
	return pump_main(&pump, argv[optind]);
}

const struct command cmd_fill = {
	.name = "fill",
	.arguments = "--bytes=N --value=N [OPTION]... DESTINATION",
	.summary = "make a file of one byte by DMA",
	.options =
		"  -n, --bytes=N         how long the file is to be\n"
		"  -V, --value=N         what each byte is to be, from 0 to 255\n"
		PUMP_MEMORY_HELP JSON_HELP
		"\n"
		"- is standard output; then the summary goes to standard error.\n",
	.run = run,
};
