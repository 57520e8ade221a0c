// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "udmactl.h"

static bool is_stdio(const char *name)
{
	return !strcmp(name, "-");
}

static int open_source(struct pump *pump, const char *name, struct stat *source)
{
	pump->source = is_stdio(name) ? "standard input" : name;
	pump->in = is_stdio(name) ? STDIN_FILENO : open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (pump->in >= 0 && !fstat(pump->in, source)) {
		if (!S_ISDIR(source->st_mode))
			return 0;
		errno = EISDIR;
	}
	complain_errno("%s", pump->source);
	return -1;
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
	struct stat source;

	if (open_source(pump, from, &source))
		return EXIT_FAILED;
	if (is_source(&source, to)) {
		complain("source and destination are the same file", "%s", pump->source);
		return EXIT_FAILED;
	}
	if (S_ISREG(source.st_mode))
		pump->bytes = source.st_size;
	return pump_main(pump, to, &source);
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
	struct pump pump = PUMP_INIT;
	int option, ret;

	while ((option = getopt_long(argc, argv, ":" PUMP_LETTERS, options, NULL)) != -1) {
		ret = pump_option(&pump, option, argv);
		if (ret)
			return ret;
	}
	ret = bad_arguments(argc, argv, 2);
	if (ret)
		return ret;
	ret = copy(&pump, argv[optind], argv[optind + 1]);
	if (pump.in > STDIN_FILENO)
		close(pump.in);
	return ret;
}

const struct command cmd_copy = {
	.name = "copy",
	.arguments = "[OPTION]... SOURCE DESTINATION",
	.summary = "copy a file by DMA",
	.options = PUMP_HELP
		"\n"
		"- is standard input or output. The summary goes to standard output, or to\n"
		"standard error when the data goes to standard output.\n",
	.run = run,
};
