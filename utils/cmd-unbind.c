// SPDX-License-Identifier: GPL-2.0
#include "udmactl.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = { {} };
	int option, ret;

	option = getopt_long(argc, argv, ":", options, NULL);
	if (option != -1)
		return bad_option(option, argv);
	ret = bad_arguments(argc, argv, 1);
	if (ret)
		return ret;
	return unbind_device(argv[optind]) ? EXIT_FAILED : 0;
}

const struct command cmd_unbind = {
	.name = "unbind",
	.arguments = "DEVICE",
	.summary = "give a channel back; programs that use it are told",
	.run = run,
};
