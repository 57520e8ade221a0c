// SPDX-License-Identifier: GPL-2.0
#include "udmactl.h"

static void print_all(void)
{
	const struct command *const *command;

	printf("usage: udmactl COMMAND [ARGUMENT]...\n\n");
	for (command = commands; *command; command++)
		printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	printf("\nudmactl help COMMAND tells more, and so does udmactl(1).\n");
}

static void print_one(const struct command *command)
{
	printf("usage: udmactl %s%s%s\n", command->name, *command->arguments ? " " : "",
	       command->arguments);
	printf("\n%s\n", command->summary);
	if (command->options)
		printf("\n%s", command->options);
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc == 1) {
		print_all();
		return 0;
	}
	if (argc > 2)
		return usage_error("one argument too many", argv[2]);
	command = find_command(argv[1]);
	if (!command)
		return usage_error("unknown command", argv[1]);
	print_one(command);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "tell how to use a command",
	.run = run,
};
