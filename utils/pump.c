// SPDX-License-Identifier: GPL-2.0
/*
 * What those commands have in common that bring a file through a channel, or to one.
 */
#include <json-c/json.h>
#include <unistd.h>

#include "pump.h"

#define SLOTS		4
#define MAX_SLOTS	64
#define BLOCK_BYTES	(1024 * 1024)
#define NSEC_PER_MSEC	1000000

/* One of the options that they have: 0, or the exit status after it said what is wrong. */
int pump_option(struct pump *pump, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'd':
		pump->choice.wanted = optarg;
		return 0;
	case 'b':
		if (!parse_number(optarg, SIZE_MAX / 4, &number) || !number)
			return usage_error("not a number of bytes", optarg);
		pump->block_bytes = number;
		return 0;
	case 's':
		if (!parse_number(optarg, MAX_SLOTS, &number) || !number)
			return usage_error("not a number from 1 to 64", optarg);
		pump->slots = number;
		return 0;
	case 't':
		if (!parse_number(optarg, INT64_MAX / NSEC_PER_MSEC, &number) || !number)
			return usage_error("not a number of milliseconds", optarg);
		pump->timeout_ns = number * NSEC_PER_MSEC;
		return 0;
	case 'x':
		pump->choice.exclusive = true;
		return 0;
	case 'v':
		pump->verify = true;
		return 0;
	case 'j':
		pump->json = true;
		return 0;
	default:
		return bad_option(option, argv);
	}
}

/* What fits into the limits of the channel, if the user did not say it. */
static void fit(struct pump *pump)
{
	const struct udma_channel_info *info = pump->choice.info;
	unsigned int transfers = udma_channel_info_get_max_transfers(info);
	uint64_t most;

	if (!pump->slots)
		pump->slots = SLOTS;
	most = udma_channel_info_get_max_bytes(info) / (2 * pump->slots);
	pump->align = pump->op->get_align(info);
	if (pump->slots > transfers)
		pump->slots = transfers;
	if (pump->block_bytes)
		return;
	if (most > BLOCK_BYTES)
		most = BLOCK_BYTES;
	most -= most % pump->align;
	if (pump->bytes && most > pump->bytes)
		most = pump->bytes;
	pump->block_bytes = most > pump->align ? most : pump->align;
}

/* Not into the data. */
static void print_summary(const struct pump *pump, FILE *to)
{
	struct json_object *record = json_object_new_object();

	record_add_string(record, "device", pump->choice.device);
	record_add_rate(record, pump->done_bytes, pump->total_ns);
	record_add_real(record, "dma_seconds", pump->dma_ns / 1e9);
	record_add_real(record, "dma_percent",
			pump->total_ns ? 100.0 * pump->dma_ns / pump->total_ns : 0);
	if (pump->op->sum_up)
		pump->op->sum_up(record, pump);
	record_print(record, to, pump->json, ' ');
	json_object_put(record);
}

/* A device gets what there is and no more. What is known not to be possible is not begun. */
static bool fits_device(const struct pump *pump)
{
	const uint64_t lengths[] = { pump->block_bytes, pump->op->reads ? pump->bytes : 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (!(lengths[i] % pump->align))
			continue;
		complain_align(pump->align, "%s: %llu bytes", pump->choice.device,
			       (unsigned long long)lengths[i]);
		return false;
	}
	return true;
}

static int pump_to_device(struct pump *pump)
{
	if (pump_run(pump))
		return -1;
	print_summary(pump, stdout);
	return 0;
}

static int pump_to_file(struct pump *pump, const char *name)
{
	const struct stat *source = pump->op->reads ? &pump->source.stat : NULL;
	bool to_stdout;

	if (target_open(&pump->target, name, source))
		return -1;
	to_stdout = pump->target.fd == STDOUT_FILENO;
	if (pump_run(pump)) {
		target_discard(&pump->target);
		return -1;
	}
	if (target_commit(&pump->target))
		return -1;
	print_summary(pump, to_stdout ? stderr : stdout);
	return 0;
}

static int move(struct pump *pump, const char *target)
{
	fit(pump);
	if (pump->op->device && !fits_device(pump))
		return -1;
	cleanup_init(pump->choice.device);
	return pump->op->writes ? pump_to_file(pump, target) : pump_to_device(pump);
}

/**
 * pump_main - do what is asked for, and tell how it went
 * @pump: what is asked for
 * @target: the name of the file to write, or NULL where none is
 *
 * Return: the exit status.
 */
int pump_main(struct pump *pump, const char *target)
{
	int ret;

	pump->choice.ability = pump->op->ability;
	ret = choose_channel(&pump->choice);
	if (!ret)
		ret = move(pump, target);
	choice_release(&pump->choice);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}
