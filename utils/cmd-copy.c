// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>

#include "pump.h"

static bool is_stdio(const char *name)
{
	return !strcmp(name, "-");
}

/* Where what is written is what is read; a terminal or /dev/null may be both. */
static bool is_source(const struct stat *source, const char *target)
{
	struct stat other;

	if (is_stdio(target) ? fstat(STDOUT_FILENO, &other) : stat(target, &other))
		return false;
	return !S_ISCHR(source->st_mode) && !S_ISSOCK(source->st_mode) &&
	       source->st_dev == other.st_dev && source->st_ino == other.st_ino;
}

static int copy(struct pump *pump, const char *from, const char *to)
{
	int ret;

	if (source_open(&pump->source, from))
		return EXIT_FAILED;
	pump->bytes = source_bytes(&pump->source);
	if (!is_source(&pump->source.stat, to)) {
		ret = pump_main(pump, to);
	} else {
		complain("source and destination are the same file", "%s", pump->source.name);
		ret = EXIT_FAILED;
	}
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
		{ "exclusive", no_argument, NULL, 'x' },
		{ "verify", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct pump pump = PUMP_INIT(&pump_copy);
	int option, ret;

	while ((option = getopt_long(argc, argv, ":" PUMP_MEMORY_LETTERS, options, NULL)) != -1) {
		ret = pump_option(&pump, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 2);
	return ret ? ret : copy(&pump, argv[optind], argv[optind + 1]);
}

const struct command cmd_copy = {
	.name = "copy",
	.arguments = "[OPTION]... SOURCE DESTINATION",
	.summary = "copy a file by DMA",
	.options = PUMP_MEMORY_HELP JSON_HELP
		"\n"
		"- is standard input or output. The summary goes to standard output, or to\n"
		"standard error when the data goes to standard output.\n",
	.run = run,
};
