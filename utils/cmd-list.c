// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <stdlib.h>

#include "udmactl.h"

/* Whoever may not open a device still sees that it is there. */
static struct json_object *describe(const struct device *device)
{
	struct json_object *record = json_object_new_object();
	struct udma_channel *channel = udma_channel_open(device->node);
	struct udma_channel_info *info = channel ? udma_channel_get_info(channel) : NULL;

	record_add_string(record, "device", device->node);
	record_add_string(record, "name", device->name);
	record_add_string(record, "channel", device->channel);
	record_add_string(record, "provider", device->provider);
	record_add_string(record, "driver", info ? udma_channel_info_get_driver(info) : NULL);
	record_add_abilities(record, info);
	record_add_string(record, "state", *device->state ? device->state : NULL);
	record_add_direction(record, info, device);
	udma_channel_info_free(info);
	udma_channel_close(channel);
	return record;
}

static int list(bool json)
{
	struct json_object *records = json_object_new_array();
	struct device *devices;
	ssize_t count = devices_read(&devices), i;

	if (count < 0)
		complain_errno("/sys/class/udma");
	for (i = 0; i < count; i++)
		json_object_array_add(records, describe(&devices[i]));
	if (count >= 0)
		record_print(records, stdout, json, ' ');
	json_object_put(records);
	free(devices);
	return count < 0 ? EXIT_FAILED : 0;
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
	ret = bad_arguments(argc, argv, 0);
	return ret ? ret : list(json);
}

const struct command cmd_list = {
	.name = "list",
	.arguments = "[--json]",
	.summary = "list the devices, one a line",
	.options = "  -j, --json            print an array of JSON objects\n",
	.run = run,
};
