// SPDX-License-Identifier: GPL-2.0
/*
 * What copy and fill have in common: everything but where data comes from.
 */
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "udmactl.h"

#define MAX_SLOTS	64
#define NSEC_PER_MSEC	1000000

/* One of the options that both have: 0, or the exit status after it said what is wrong. */
int pump_option(struct pump *pump, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'd':
		pump->wanted = optarg;
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
		pump->exclusive = true;
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

/* Not into the data. */
static void print_summary(const struct pump *pump, FILE *to)
{
	struct json_object *record = json_object_new_object();
	double seconds = pump->total_ns / 1e9;

	record_add_string(record, "device", pump->device);
	record_add_number(record, "bytes", pump->done_bytes);
	record_add_real(record, "seconds", seconds);
	record_add_number(record, "bytes_per_second",
			  pump->total_ns ? pump->done_bytes / seconds : 0);
	record_add_real(record, "dma_seconds", pump->dma_ns / 1e9);
	record_add_real(record, "dma_percent",
			pump->total_ns ? 100.0 * pump->dma_ns / pump->total_ns : 0);
	record_add_bool(record, "verified", pump->verify);
	record_print(record, to, pump->json, ' ');
	json_object_put(record);
}

static int write_target(struct pump *pump, const char *target, const struct stat *source)
{
	bool to_stdout;

	if (target_open(&pump->target, target, source))
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

/**
 * pump_main - do what is asked for, and tell how it went
 * @pump: what is asked for
 * @target: the name of the file to write
 * @source: the file that it will be a copy of, or NULL
 *
 * Return: the exit status.
 */
int pump_main(struct pump *pump, const char *target, const struct stat *source)
{
	int ret;

	if (choose_channel(pump))
		return EXIT_FAILED;
	cleanup_init(pump->device);
	ret = write_target(pump, target, source);
	udma_channel_close(pump->channel);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}
