// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "udmactl.h"

const char *command_name;

static void print(const char *why, const char *what, va_list args)
{
	char line[512] = "";

	if (what)
		vsnprintf(line, sizeof(line), what, args);
	if (what && !*line)
		strcpy(line, "''");
	/* In one piece, for others may write to the same place. */
	fprintf(stderr, "udmactl: %s%s%s%s%s\n", command_name ? command_name : "",
		command_name ? ": " : "", line, what ? ": " : "", why);
}

void complain(const char *why, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	print(why, what, args);
	va_end(args);
}

void complain_errno(const char *what, ...)
{
	const char *why = strerror(errno);
	va_list args;

	va_start(args, what);
	print(why, what, args);
	va_end(args);
}

/* For a device that cannot be opened or asked. */
void complain_device(const char *device)
{
	if (errno == ENOENT)
		complain("no such device", "%s", device);
	else if (errno == ENOTTY)
		complain("not a device of udma", "%s", device);
	else if (errno == EBUSY)
		complain("another program has it for itself alone", "%s", device);
	else
		complain_errno("%s", device);
}

/* For a file. EFAULT: the memory of the buffers went, and that goes with the channel. */
void complain_io(const char *file, const char *device)
{
	if (errno == EFAULT)
		complain(strerror(ENODEV), "%s", device);
	else
		complain_errno("%s", file);
}

/* Why a transfer or a stream has failed, or NULL if it has not. */
const char *explain_end(const struct udma_completion *completion)
{
	int error = udma_completion_get_error(completion);

	if (!error)
		return NULL;
	if (udma_completion_is_held(completion))
		return "the controller could not be stopped, and may still use the buffers";
	if (udma_completion_was_reset(completion))
		return "the controller was reset";
	if (error == ETIMEDOUT)
		return "it took too long, or the controller hangs";
	return strerror(error);
}

/* For a number of bytes that a channel cannot move. */
void complain_align(unsigned int align, const char *what, ...)
{
	char why[80];
	va_list args;

	snprintf(why, sizeof(why), "not a multiple of %u, as the channel needs it", align);
	va_start(args, what);
	print(why, what, args);
	va_end(args);
}

/* For what was typed wrong; @what is it, or NULL when something is missing. */
int usage_error(const char *why, const char *what)
{
	char hint[256];

	snprintf(hint, sizeof(hint), "%s (try 'udmactl help%s%s')", why, command_name ? " " : "",
		 command_name ? command_name : "");
	if (what)
		complain(hint, "%s", what);
	else
		complain(hint, NULL);
	return EXIT_USAGE;
}

/* For what getopt_long() returns of an option that is none. */
int bad_option(int option, char **argv)
{
	char letter[] = { '-', optopt, '\0' };
	bool is_short = optopt && strncmp(argv[optind - 1], "--", 2);

	return usage_error(option == ':' ? "needs a value" : "unknown option",
			   is_short ? letter : argv[optind - 1]);
}

/* Whether there are other than @wanted arguments after the options, and says so. */
int bad_arguments(int argc, char **argv, int wanted)
{
	if (argc - optind < wanted)
		return usage_error("too few arguments", NULL);
	if (argc - optind > wanted)
		return usage_error("one argument too many", argv[optind + wanted]);
	return 0;
}
