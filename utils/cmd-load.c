// SPDX-License-Identifier: GPL-2.0
#include <libkmod.h>
#include <stdlib.h>

#include "udmactl.h"

/**
 * struct wish - what is to be loaded
 * @sim: the simulator, too
 * @root: where the modules are; NULL for the usual place
 * @bindings: specifications of channels, which point into argv
 * @nr_bindings: how many
 */
struct wish {
	bool sim;
	const char *root;
	char **bindings;
	int nr_bindings;
};

static int load(const struct wish *wish)
{
	struct kmod_ctx *kmod = modules_new(wish->root);
	int ret = 0, i;

	if (!kmod)
		return EXIT_FAILED;
	if (wish->sim)
		ret = module_load(kmod, "udma_sim");
	if (!ret)
		ret = module_load(kmod, "udma");
	kmod_unref(kmod);
	/* By sysfs: a parameter of the module could not say what was wrong. */
	for (i = 0; !ret && i < wish->nr_bindings; i++)
		ret = bind_channel(wish->bindings[i], NULL);
	return ret ? EXIT_FAILED : 0;
}

static int parse(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{ "sim", no_argument, NULL, 's' },
		{ "dirname", required_argument, NULL, 'd' },
		{ "bind", required_argument, NULL, 'b' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, ":sd:b:", options, NULL)) != -1) {
		if (option == 's')
			wish->sim = true;
		else if (option == 'd')
			wish->root = optarg;
		else if (option == 'b')
			wish->bindings[wish->nr_bindings++] = optarg;
		else
			return bad_option(option, argv);
	}
	return bad_arguments(argc, argv, 0);
}

static int run(int argc, char **argv)
{
	struct wish wish = { .bindings = calloc(argc, sizeof(*wish.bindings)) };
	int ret;

	if (!wish.bindings) {
		complain_errno("memory");
		return EXIT_FAILED;
	}
	ret = parse(argc, argv, &wish);
	if (!ret)
		ret = load(&wish);
	free(wish.bindings);
	return ret;
}

const struct command cmd_load = {
	.name = "load",
	.arguments = "[OPTION]...",
	.summary = "load the module, and what it needs",
	.options =
		"  -s, --sim             load the simulated DMA controller, too\n"
		"  -d, --dirname=ROOT    from ROOT/lib/modules, not /lib/modules\n"
		"  -b, --bind=[NAME=]CHANNEL  then bind a channel; as often as needed\n",
	.run = run,
};
