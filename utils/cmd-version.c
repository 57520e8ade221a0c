// SPDX-License-Identifier: GPL-2.0
#include "udmactl.h"

static int run(int argc, char **argv)
{
	int ret;

	optind = 1;
	ret = bad_arguments(argc, argv, 0);
	if (ret)
		return ret;
	printf("udmactl %s, libudma %s\n", UDMACTL_VERSION, udma_version());
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.arguments = "",
	.summary = "tell the version of this program and of the library",
	.run = run,
};
