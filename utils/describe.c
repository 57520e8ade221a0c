// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel is able to, and its limits. Of a device that cannot be opened, or is not
 * known to sysfs, what is not known is told as such.
 */
#include <json-c/json.h>

#include "udmactl.h"

/**
 * struct bit - something that a channel can or cannot
 * @key: what it is called
 * @get: tells whether it can
 */
struct bit {
	const char *key;
	bool (*get)(const struct udma_channel_info *info);
};

static void add_bits(struct json_object *record, const struct udma_channel_info *info,
		     const struct bit *bits, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		record_add(record, bits[i].key,
			   info ? json_object_new_boolean(bits[i].get(info)) : NULL);
}

/* @info is NULL when it is not known. */
void record_add_abilities(struct json_object *record, const struct udma_channel_info *info)
{
	static const struct bit bits[] = {
		{ "can_copy", udma_channel_info_can_copy },
		{ "can_fill", udma_channel_info_can_fill },
		{ "coherent", udma_channel_info_is_coherent },
	};

	add_bits(record, info, bits, ARRAY_SIZE(bits));
}

/**
 * struct number - a number that is told of a channel
 * @key: what it is called
 * @value: it
 */
struct number {
	const char *key;
	uint64_t value;
};

static void add_numbers(struct json_object *record, bool known, const struct number *numbers,
			size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		record_add(record, numbers[i].key,
			   known ? json_object_new_uint64(numbers[i].value) : NULL);
}

/* The same here. */
void record_add_limits(struct json_object *record, const struct udma_channel_info *info)
{
	const struct number limits[] = {
		{ "copy_align", info ? udma_channel_info_get_copy_align(info) : 0 },
		{ "fill_align", info ? udma_channel_info_get_fill_align(info) : 0 },
		{ "max_segment_bytes", info ? udma_channel_info_get_max_segment_bytes(info) : 0 },
		{ "max_bytes", info ? udma_channel_info_get_max_bytes(info) : 0 },
		{ "max_buffers", info ? udma_channel_info_get_max_buffers(info) : 0 },
		{ "max_transfers", info ? udma_channel_info_get_max_transfers(info) : 0 },
	};

	add_numbers(record, info, limits, ARRAY_SIZE(limits));
}

static const char *direction_name(enum udma_channel_direction direction)
{
	switch (direction) {
	case UDMA_CHANNEL_MEM_TO_MEM:
		return "mem_to_mem";
	case UDMA_CHANNEL_MEM_TO_DEV:
		return "mem_to_dev";
	case UDMA_CHANNEL_DEV_TO_MEM:
		return "dev_to_mem";
	case UDMA_CHANNEL_NO_DIRECTION:
		return "none";
	default:
		return NULL;
	}
}

/* Between what it moves data, and what it can do by that. Sysfs may know the direction, too. */
void record_add_direction(struct json_object *record, const struct udma_channel_info *info,
			  const struct device *device)
{
	static const struct bit bits[] = {
		{ "can_send", udma_channel_info_can_send },
		{ "can_receive", udma_channel_info_can_receive },
		{ "can_cycle", udma_channel_info_can_cycle },
		{ "can_interleave", udma_channel_info_can_interleave },
		{ "can_pause", udma_channel_info_can_pause },
	};
	const char *known = *device->direction ? device->direction : NULL;

	record_add_string(record, "direction",
			  info ? direction_name(udma_channel_info_get_direction(info)) : known);
	add_bits(record, info, bits, ARRAY_SIZE(bits));
}

static struct json_object *list_directions(const struct udma_channel_info *info)
{
	static const enum udma_channel_direction all[] = {
		UDMA_CHANNEL_MEM_TO_MEM, UDMA_CHANNEL_MEM_TO_DEV, UDMA_CHANNEL_DEV_TO_MEM,
	};
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (udma_channel_info_has_direction(info, all[i]))
			json_object_array_add(list, json_object_new_string(direction_name(all[i])));
	return list;
}

static struct json_object *list_widths(const struct udma_channel_info *info)
{
	struct json_object *list = json_object_new_array();
	unsigned int widths = udma_channel_info_get_widths(info);
	unsigned int width;

	for (width = 1; widths >>= 1; width++)
		if (widths & 1)
			json_object_array_add(list, json_object_new_int(width));
	return list;
}

static const char *residue_name(enum udma_channel_residue residue)
{
	switch (residue) {
	case UDMA_CHANNEL_RESIDUE_DESCRIPTOR:
		return "descriptor";
	case UDMA_CHANNEL_RESIDUE_SEGMENT:
		return "segment";
	case UDMA_CHANNEL_RESIDUE_BURST:
		return "burst";
	default:
		return NULL;
	}
}

/* What it could be set to, and is. */
void record_add_device(struct json_object *record, const struct udma_channel_info *info)
{
	const struct number numbers[] = {
		{ "max_burst", info ? udma_channel_info_get_max_burst(info) : 0 },
		{ "width", info ? udma_channel_info_get_width(info) : 0 },
		{ "burst", info ? udma_channel_info_get_burst(info) : 0 },
		{ "window", info ? udma_channel_info_get_window(info) : 0 },
		{ "max_ranges", info ? udma_channel_info_get_max_ranges(info) : 0 },
	};

	record_add(record, "directions", info ? list_directions(info) : NULL);
	record_add_string(record, "residue",
			  info ? residue_name(udma_channel_info_get_residue(info)) : NULL);
	record_add(record, "widths", info ? list_widths(info) : NULL);
	add_numbers(record, info, numbers, ARRAY_SIZE(numbers));
}
