// SPDX-License-Identifier: GPL-2.0
#include "udmactl.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = { {} };
	struct changes changes = {};
	int option, ret;

	option = getopt_long(argc, argv, ":", options, NULL);
	if (option != -1)
		return bad_option(option, argv);
	if (optind == argc)
		return usage_error("too few arguments", NULL);
	ret = changes_parse(&changes, argv + optind + 1);
	if (ret)
		return ret;
	return bind_channel(argv[optind], &changes) ? EXIT_FAILED : 0;
}

const struct command cmd_bind = {
	.name = "bind",
	.arguments = "[NAME=]CHANNEL [KEY=VALUE]...",
	.summary = "make a DMA channel a device, and print which one",
	.options =
		"CHANNEL is the kernel's name for it (dma0chan1), or a DMA controller and a\n"
		"number (udma-sim.0:1), or memcpy for any that is free and copies memory. With\n"
		"KEY=VALUE, as for config, the device has these settings, or there is none.\n",
	.run = run,
};
