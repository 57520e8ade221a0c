// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>

#include "udmactl.h"

static void show(const struct device *device, bool json)
{
	struct json_object *record = json_object_new_object();

	record_add_settings(record, device->node);
	record_print(record, stdout, json, ' ');
	json_object_put(record);
}

static int configure(const char *name, struct changes *changes, bool json)
{
	struct device device;

	if (device_find(name, &device)) {
		complain_device(name);
		return EXIT_FAILED;
	}
	if (changes->count)
		return changes_make(changes, name, device.node) ? EXIT_FAILED : 0;
	show(&device, json);
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct changes changes = {};
	bool json = false;
	int option, ret;

	while ((option = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		if (option != 'j')
			return bad_option(option, argv);
		json = true;
	}
	if (optind == argc)
		return usage_error("too few arguments", NULL);
	ret = changes_parse(&changes, argv + optind + 1);
	if (ret)
		return ret;
	if (json && changes.count)
		return usage_error("nothing is shown when something is set", "--json");
	return configure(argv[optind], &changes, json);
}

const struct command cmd_config = {
	.name = "config",
	.arguments = "[--json] DEVICE [KEY=VALUE]...",
	.summary = "tell the settings of a device, or change them, all or none",
	.options =
		"  -j, --json            print a JSON object\n"
		"\n"
		"KEY is direction (mem_to_mem, mem_to_dev, dev_to_mem or none), address, width,\n"
		"burst, shared_reset (yes or no), window, stall_ms, timeout_ms or max_megabytes.\n"
		"What is told can be given again.\n",
	.run = run,
};
