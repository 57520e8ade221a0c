// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>

#include "udmactl.h"

static void print(const struct udma_channel_info *info, const struct device *device, bool json)
{
	struct json_object *record = json_object_new_object();

	record_add_string(record, "name", info ? udma_channel_info_get_name(info) : device->name);
	record_add_string(record, "channel",
			  info ? udma_channel_info_get_channel(info) : device->channel);
	record_add_string(record, "provider",
			  info ? udma_channel_info_get_device(info) : device->provider);
	record_add_string(record, "driver", info ? udma_channel_info_get_driver(info) : NULL);
	record_add_abilities(record, info);
	record_add_limits(record, info);
	record_add_recovery(record, info, device);
	record_add_direction(record, info, device);
	record_add_device(record, info);
	record_print(record, stdout, json, '\n');
	json_object_put(record);
}

/* Where a program has it for itself, sysfs tells at least how it is. */
static int show(const char *name, bool json)
{
	struct udma_channel *channel = udma_channel_open(name);
	struct udma_channel_info *info = channel ? udma_channel_get_info(channel) : NULL;
	struct device device = {};
	bool known = info || errno == EBUSY;

	if (known)
		known = !device_find(name, &device) || info;
	if (known)
		print(info, &device, json);
	else
		complain_device(name);
	udma_channel_info_free(info);
	udma_channel_close(channel);
	return known ? 0 : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	bool json = false;
	int option, ret;

	while ((option = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		if (option != 'j')
			return bad_option(option, argv);
		json = true;
	}
	ret = bad_arguments(argc, argv, 1);
	return ret ? ret : show(argv[optind], json);
}

const struct command cmd_info = {
	.name = "info",
	.arguments = "[--json] DEVICE",
	.summary = "tell all about a device, an item a line",
	.options = "  -j, --json            print a JSON object\n",
	.run = run,
};
