// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define NSEC_PER_SEC	1000000000ULL
#define MAX_DEPTH	65536
#define MAX_PROCESSES	1024
/* The least that goes round. */
#define MIN_PERIODS	2

static bool find_path(const char *name, uint64_t *index)
{
	for (*index = 0; paths[*index]; ++*index)
		if (!strcmp(paths[*index]->name, name))
			return true;
	return false;
}

static bool parse_item(const char *word, uint64_t max, uint64_t *value)
{
	return max ? parse_number(word, max, value) && *value : find_path(word, value);
}

/* Words with commas between them: numbers up to @max, or without it names of paths. */
static int parse_list(char *text, uint64_t max, const char *why, struct list *list)
{
	char *word;

	list->given = true;
	list->count = 0;
	while ((word = strsep(&text, ","))) {
		if (list->count == LIST_MAX)
			return usage_error("too many at once", word);
		if (!parse_item(word, max, &list->values[list->count++]))
			return usage_error(why, word);
	}
	return 0;
}

static int parse_seconds(struct plan *plan)
{
	double seconds;

	if (!parse_real(optarg, 3600, &seconds))
		return usage_error("not a number of seconds", optarg);
	plan->bench.ns = seconds * NSEC_PER_SEC;
	plan->bench.count = 0;
	return 0;
}

static int bench_option(struct plan *plan, int option, char **argv)
{
	uint64_t number;

	switch (option) {
	case 'p':
		return parse_list(optarg, 0, "no such path", &plan->paths);
	case 'b':
		return parse_list(optarg, UINT32_MAX, "not a number of bytes", &plan->bytes);
	case 'd':
		return parse_list(optarg, MAX_DEPTH, "not a number from 1 to 65536", &plan->depths);
	case 'e':
		if (!parse_number(optarg, MAX_DEPTH, &number) || !number)
			return usage_error("not a number from 1 to 65536", optarg);
		plan->bench.events = number;
		return 0;
	case 'n':
		if (!parse_number(optarg, INT64_MAX, &plan->bench.count) || !plan->bench.count)
			return usage_error("not a number of transfers", optarg);
		return 0;
	case 's':
		return parse_seconds(plan);
	case 'P':
		if (!parse_number(optarg, MAX_PROCESSES, &number) || !number)
			return usage_error("not a number from 1 to 1024", optarg);
		plan->bench.processes = number;
		return 0;
	case 'w':
		if (!parse_real(optarg, 100, &plan->within))
			return usage_error("not a number of percent", optarg);
		return 0;
	case 'B':
		if (!parse_number(optarg, INT64_MAX, &plan->bench.busy_ns))
			return usage_error("not a number of nanoseconds", optarg);
		return 0;
	case 'L':
		plan->bench.latency = false;
		return 0;
	case 'x':
		plan->bench.exclusive = true;
		return 0;
	case 'j':
		plan->json = true;
		return 0;
	default:
		return bad_option(option, argv);
	}
}

/* All ways to copy, where the user did not say which. */
static void default_paths(struct list *list)
{
	uint64_t i;

	if (list->given)
		return;
	list->count = 0;
	for (i = 0; paths[i]; i++)
		if (!paths[i]->streams)
			list->values[list->count++] = i;
}

static bool has_streams(const struct plan *plan)
{
	return paths[plan->paths.values[0]]->streams;
}

/* No device is good for both. */
static int check_paths(const struct plan *plan)
{
	unsigned int i;

	for (i = 1; i < plan->paths.count; i++)
		if (paths[plan->paths.values[i]]->streams != has_streams(plan))
			return usage_error("not together with paths that copy", "stream");
	return 0;
}

/* What makes sense for a stream, where the user did not say it, and what has to. */
static int check_streams(struct plan *plan)
{
	static const struct list bytes = { { 4096, 65536 }, 2, false };
	static const struct list depths = { { 32 }, 1, false };
	unsigned int i;

	if (plan->bench.processes > 1)
		return usage_error("a stream has its device for itself", "--processes");
	if (!plan->bytes.given)
		plan->bytes = bytes;
	if (!plan->depths.given)
		plan->depths = depths;
	for (i = 0; i < plan->depths.count; i++) {
		if (plan->depths.values[i] < MIN_PERIODS)
			return usage_error("a ring has two periods or more", "--depth");
		if (plan->depths.values[i] < plan->bench.events)
			return usage_error("more than the ring has", "--events");
	}
	return 0;
}

static void drop(struct list *list, unsigned int index)
{
	list->count--;
	memmove(&list->values[index], &list->values[index + 1],
		(list->count - index) * sizeof(list->values[0]));
}

/* What the user asked for has to be possible; of the rest, what is. */
static int fit_bytes(struct plan *plan, const struct choice *choice)
{
	unsigned int align = udma_channel_info_get_copy_align(choice->info);
	unsigned int i = 0;

	while (i < plan->bytes.count) {
		if (!(plan->bytes.values[i] % align)) {
			i++;
			continue;
		}
		if (plan->bytes.given) {
			complain_align(align, "%s: %llu bytes", choice->device,
				       (unsigned long long)plan->bytes.values[i]);
			return -1;
		}
		drop(&plan->bytes, i);
	}
	return 0;
}

/* A driver may be older than mapped queues. */
static void fit_paths(struct plan *plan, struct udma_channel *channel)
{
	struct udma_queue *queue;
	unsigned int i = 0;

	if (plan->paths.given)
		return;
	queue = udma_queue_new(channel, 1, UDMA_QUEUE_MAPPED);
	while (!queue && i < plan->paths.count) {
		if (paths[plan->paths.values[i]]->mapped)
			drop(&plan->paths, i);
		else
			i++;
	}
	udma_queue_free(queue);
}

/* Whether the device is one that can do it. Its name as it is known goes to @name. */
static int fit_device(struct plan *plan, const char *wanted, char **name)
{
	struct choice choice = {
		.ability = has_streams(plan) ? &able_to_capture : &able_to_copy,
		.wanted = wanted,
		.exclusive = plan->bench.exclusive,
	};
	int ret;

	ret = choose_channel(&choice);
	if (!ret) {
		fit_paths(plan, choice.channel);
		ret = fit_bytes(plan, &choice);
	}
	choice_release(&choice);
	if (ret)
		return -1;
	*name = strdup(choice.device);
	return *name ? 0 : -1;
}

static int fit_devices(struct plan *plan, char **names)
{
	struct bench *bench = &plan->bench;

	if (!*names)
		bench->device_count = 1;
	else
		for (; names[bench->device_count]; bench->device_count++)
			;
	bench->devices = calloc(bench->device_count, sizeof(*bench->devices));
	return bench->devices ? 0 : -1;
}

static void free_devices(struct bench *bench)
{
	unsigned int i;

	for (i = 0; bench->devices && i < bench->device_count; i++)
		free(bench->devices[i]);
	free(bench->devices);
}

static int measure(struct plan *plan, char **names)
{
	unsigned int i;

	if (fit_devices(plan, names))
		return -1;
	for (i = 0; i < plan->bench.device_count; i++)
		if (fit_device(plan, names[i], &plan->bench.devices[i]))
			return -1;
	cleanup_init(plan->bench.devices[0]);
	return bench_rows(plan);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "path", required_argument, NULL, 'p' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "depth", required_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },
		{ "events", required_argument, NULL, 'e' },
		{ "seconds", required_argument, NULL, 's' },
		{ "processes", required_argument, NULL, 'P' },
		{ "within", required_argument, NULL, 'w' },
		{ "busy", required_argument, NULL, 'B' },
		{ "no-latency", no_argument, NULL, 'L' },
		{ "exclusive", no_argument, NULL, 'x' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct plan plan = {
		.bench = {
			.processes = 1,
			.events = 1,
			.ns = NSEC_PER_SEC / 2,
			.busy_ns = 50000,
			.latency = true,
		},
		.bytes = { { 64, 4096, 65536, 1048576 }, 4 },
		.depths = { { 1, 8, 32, 256 }, 4 },
	};
	int option, ret;

	while ((option = getopt_long(argc, argv, ":p:b:d:e:n:s:P:w:B:Lxj", options, NULL)) != -1) {
		ret = bench_option(&plan, option, argv);
		if (ret)
			return ret;
	}
	if (plan.bench.exclusive && plan.bench.processes > 1)
		return usage_error("there is one process only that has it open",
				   "--exclusive");
	default_paths(&plan.paths);
	ret = check_paths(&plan);
	if (!ret && has_streams(&plan))
		ret = check_streams(&plan);
	if (ret)
		return ret;
	ret = measure(&plan, argv + optind);
	free_devices(&plan.bench);
	cleanup_end();
	return ret ? EXIT_FAILED : 0;
}

const struct command cmd_bench = {
	.name = "bench",
	.arguments = "[OPTION]... [DEVICE]...",
	.summary = "measure how fast transfers are, a row a line",
	.options =
		"  -p, --path=LIST       of ring, batch, single, busy, memcpy; all. Or stream\n"
		"  -b, --bytes=LIST      of a transfer; 64,4K,64K,1M\n"
		"  -d, --depth=LIST      transfers under way; 1,8,32,256\n"
		"  -e, --events=N        be told each N periods of a stream; 1\n"
		"  -s, --seconds=S       for S seconds a row; 0.5\n"
		"  -n, --count=N         for N transfers a row, in place of that\n"
		"  -P, --processes=N     by N processes at once on each device; 1\n"
		"  -w, --within=P        repeat a row until two runs agree within P percent\n"
		"  -B, --busy=NS         let the kernel be busy for NS nanoseconds, by busy; 50000\n"
		"  -L, --no-latency      do not look at each transfer, too\n"
		"  -x, --exclusive       let nobody else use the devices meanwhile\n"
		"  -j, --json            print an array of JSON objects\n"
		"\n"
		"Several devices are used at once. Nobody else should use them meanwhile.\n",
	.run = run,
};
