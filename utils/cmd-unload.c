// SPDX-License-Identifier: GPL-2.0
#include <libkmod.h>

#include "udmactl.h"

static int unload(void)
{
	struct kmod_ctx *kmod = modules_new(NULL);
	int ret;

	if (!kmod)
		return EXIT_FAILED;
	/* The driver first: it uses channels of the simulator. */
	ret = module_unload(kmod, "udma");
	if (!ret)
		ret = module_unload(kmod, "udma_sim");
	kmod_unref(kmod);
	return ret ? EXIT_FAILED : 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { {} };
	int option, ret;

	option = getopt_long(argc, argv, ":", options, NULL);
	if (option != -1)
		return bad_option(option, argv);
	ret = bad_arguments(argc, argv, 0);
	return ret ? ret : unload();
}

const struct command cmd_unload = {
	.name = "unload",
	.arguments = "",
	.summary = "unload the module and the simulator, or say who uses them",
	.run = run,
};
