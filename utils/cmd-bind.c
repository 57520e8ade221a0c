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
	return bind_channel(argv[optind]) ? EXIT_FAILED : 0;
}

const struct command cmd_bind = {
	.name = "bind",
	.arguments = "[NAME=]CHANNEL",
	.summary = "make a DMA channel a device, and print which one",
	.options =
		"CHANNEL is the kernel's name for it (dma0chan1), or a DMA controller and a\n"
		"number (udma-sim.0:1), or memcpy for any that is free and copies memory.\n",
	.run = run,
};
