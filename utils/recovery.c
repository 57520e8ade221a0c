// SPDX-License-Identifier: GPL-2.0
/*
 * How a channel is, and what it has been through.
 */
#include <json-c/json.h>

#include "udmactl.h"

#define SYSFS_CLASS	"/sys/class/udma"
#define NSEC_PER_MSEC	1000000

static const char *state_name(enum udma_channel_state state)
{
	switch (state) {
	case UDMA_CHANNEL_WORKING:
		return "working";
	case UDMA_CHANNEL_RESETTING:
		return "resetting";
	case UDMA_CHANNEL_FAILED:
		return "failed";
	default:
		return NULL;
	}
}

/* The number in a file of the device @node. Not known is what cannot be read. */
static void add_file(struct json_object *record, const char *node, const char *directory,
		     const char *name)
{
	uint64_t number;
	char line[32];

	if (*node && read_line(line, sizeof(line), SYSFS_CLASS "/%s/%s%s", node, directory, name) &&
	    parse_number(line, UINT64_MAX, &number))
		record_add_number(record, name, number);
	else
		record_add(record, name, NULL);
}

/* What the device itself says, or else sysfs. */
static void add_settings(struct json_object *record, const struct udma_channel_info *info,
			 const struct device *device)
{
	if (info) {
		record_add_string(record, "state", state_name(udma_channel_info_get_state(info)));
		record_add_number(record, "stall_ms", udma_channel_info_get_stall_ms(info));
		record_add_number(record, "timeout_ms",
				  udma_channel_info_get_timeout_ns(info) / NSEC_PER_MSEC);
	} else {
		record_add_string(record, "state", *device->state ? device->state : NULL);
		add_file(record, device->node, "", "stall_ms");
		add_file(record, device->node, "", "timeout_ms");
	}
}

/**
 * record_add_recovery - add how a device is
 * @record: the record
 * @info: what the device says, or NULL when that is not known
 * @device: the device as it is in sysfs, or of no name
 */
void record_add_recovery(struct json_object *record, const struct udma_channel_info *info,
			 const struct device *device)
{
	static const char *const counts[] = {
		"stalls", "timeouts", "cancels", "resets", "probes", "replays", "reacquires",
		"failures", "heals", "late", "alone",
	};
	struct json_object *recovery = json_object_new_object();
	size_t i;

	add_settings(record, info, device);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		add_file(recovery, device->node, "recovery/", counts[i]);
	record_add(record, "recovery", recovery);
}
