// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "udmactl.h"

const struct command *const commands[] = {
	&cmd_list,
	&cmd_info,
	&cmd_load,
	&cmd_unload,
	&cmd_bind,
	&cmd_unbind,
	&cmd_reset,
	&cmd_config,
	&cmd_copy,
	&cmd_fill,
	&cmd_send,
	&cmd_recv,
	&cmd_capture,
	&cmd_play,
	&cmd_bench,
	&cmd_version,
	&cmd_help,
	NULL
};

const struct command *find_command(const char *name)
{
	const struct command *const *command;

	for (command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

/*
 * What is opened must not become a standard stream that nobody opened. The
 * wrong way round, so that to use it is still an error.
 */
static void occupy_standard_streams(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			exit(EXIT_FAILED);
}

/* That a full disk ate the answer must not look like success. */
static int finish(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	complain(errno ? strerror(errno) : "write error", "standard output");
	return status ? status : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	const struct command *command = find_command(argv[0]);

	if (!command)
		return usage_error("unknown command", argv[0]);
	command_name = command->name;
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		argv[1] = argv[0];
		return cmd_help.run(argc, argv);
	}
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	static const char *const aliases[][2] = {
		{ "--help", "help" }, { "-h", "help" }, { "--version", "version" },
	};
	size_t i;

	occupy_standard_streams();
	if (argc < 2)
		return usage_error("no command", NULL);
	for (i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(argv[1], aliases[i][0]))
			argv[1] = (char *)aliases[i][1];
	return finish(run(argc - 1, argv + 1));
}
