// SPDX-License-Identifier: GPL-2.0
/*
 * Row by row, each as often as it takes until the figure can be believed.
 */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* If no two of these agree, none will. */
#define MAX_RUNS	12

const struct path *const paths[] = {
	&path_ring, &path_batch, &path_single, &path_busy, &path_memcpy, &path_stream, NULL
};

/**
 * struct table - what has been measured
 * @plan: what is to be
 * @rows: the records, for JSON
 * @total: how many rows there will be
 * @done: how many there were
 * @ret: -1 when something went wrong that has been told
 */
struct table {
	struct plan *plan;
	struct json_object *rows;
	unsigned int total;
	unsigned int done;
	int ret;
};

static double ns_per_transfer(const struct result *result)
{
	return result->transfers ? (double)result->ns / result->transfers : 0;
}

static void add_real(struct json_object *record, const char *key, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "%.1f", value);
	record_add(record, key, json_object_new_double_s(value, text));
}

static void add_devices(struct json_object *record, const struct bench *bench)
{
	char names[1024] = "";
	unsigned int i;
	size_t used = 0;

	for (i = 0; i < bench->device_count && used < sizeof(names); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", i ? "," : "",
				 bench->devices[i]);
	record_add_string(record, "device", names);
}

static void add_latencies(struct json_object *record, const struct result *result)
{
	static const char *const keys[] = { "p50_ns", "p90_ns", "p99_ns", "max_ns" };
	struct json_object *latencies = json_object_new_object();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		record_add(latencies, keys[i], result->has_latencies ?
			   json_object_new_uint64(result->latencies[i]) : NULL);
	record_add(record, "latency", latencies);
}

static struct json_object *describe(const struct bench *bench, const struct result *result,
				    unsigned int runs)
{
	struct json_object *record = json_object_new_object();
	double seconds = result->ns / 1e9;

	add_devices(record, bench);
	record_add_string(record, "path", bench->path->name);
	record_add_number(record, "bytes", bench->bytes);
	record_add_number(record, "depth", bench->depth);
	record_add_number(record, "processes", bench->processes * bench->device_count);
	record_add_number(record, "transfers", result->transfers);
	record_add_real(record, "seconds", seconds);
	add_real(record, "ns_per_transfer", ns_per_transfer(result));
	record_add_number(record, "bytes_per_second",
			  result->ns ? result->transfers * bench->bytes / seconds : 0);
	add_real(record, "cpu_percent", result->ns ? 100.0 * result->cpu_ns / result->ns : 0);
	record_add_number(record, "runs", runs);
	add_latencies(record, result);
	return record;
}

static void print_row(struct table *table, const struct result *result, unsigned int runs)
{
	struct json_object *record = describe(&table->plan->bench, result, runs);

	if (table->plan->json) {
		json_object_array_add(table->rows, record);
		return;
	}
	record_print(record, stdout, false, ' ');
	fflush(stdout);
	json_object_put(record);
}

/* Whether two runs took as long, as the user wants it. */
static bool agree(const struct plan *plan, const struct result *one, const struct result *other)
{
	double a = ns_per_transfer(one), b = ns_per_transfer(other);

	return (a < b ? b - a : a - b) <= (a < b ? a : b) * plan->within / 100;
}

static const struct result *faster(const struct result *one, const struct result *other)
{
	return ns_per_transfer(other) < ns_per_transfer(one) ? other : one;
}

/* Which of the runs before agrees with the last one, or NULL. */
static const struct result *find_alike(const struct plan *plan, const struct result *results,
				       int last)
{
	int i;

	for (i = 0; i < last; i++)
		if (agree(plan, &results[i], &results[last]))
			return &results[i];
	return NULL;
}

/*
 * What disturbs a run makes it slower, so of two that agree the faster one counts.
 * Return: how many runs it took, 0 if no two agree, or -1.
 */
static int repeat(const struct plan *plan, struct result *result)
{
	struct result results[MAX_RUNS];
	const struct result *alike;
	int runs;

	for (runs = 0; runs < MAX_RUNS; runs++) {
		if (bench_run(&plan->bench, &results[runs]))
			return -1;
		*result = results[runs];
		if (!plan->within || cleanup_deferred())
			return runs + 1;
		alike = find_alike(plan, results, runs);
		if (alike) {
			*result = *faster(alike, &results[runs]);
			return runs + 1;
		}
	}
	return 0;
}

static void tell_progress(const struct table *table)
{
	const struct bench *bench = &table->plan->bench;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%u of %u: %s, %zu bytes, depth %u\033[K", table->done + 1,
			table->total, bench->path->name, bench->bytes, bench->depth);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* Return: 0, or -1 if there is no point in going on. */
static int measure_row(struct table *table)
{
	const struct bench *bench = &table->plan->bench;
	struct result result;
	int runs;

	tell_progress(table);
	runs = repeat(table->plan, &result);
	clear_progress();
	if (runs < 0) {
		table->ret = -1;
		return -1;
	}
	if (!runs) {
		complain("no two runs agree", "%s, %zu bytes, depth %u", bench->path->name,
			 bench->bytes, bench->depth);
		table->ret = -1;
	}
	if (result.transfers)
		print_row(table, &result, runs ? runs : MAX_RUNS);
	table->done++;
	return cleanup_deferred() ? -1 : 0;
}

static int measure_rows(struct table *table)
{
	struct plan *plan = table->plan;
	unsigned int p, b, d;

	for (p = 0; p < plan->paths.count; p++) {
		plan->bench.path = paths[plan->paths.values[p]];
		for (b = 0; b < plan->bytes.count; b++) {
			plan->bench.bytes = plan->bytes.values[b];
			for (d = 0; d < plan->depths.count; d++) {
				plan->bench.depth = plan->depths.values[d];
				if (measure_row(table))
					return -1;
			}
		}
	}
	return 0;
}

/* Return: 0, or -1 after it said why. What was measured is told in any case. */
int bench_rows(struct plan *plan)
{
	struct table table = {
		.plan = plan,
		.rows = json_object_new_array(),
		.total = plan->paths.count * plan->bytes.count * plan->depths.count,
	};

	cleanup_defer();
	measure_rows(&table);
	cleanup_defer_no_more();
	if (plan->json)
		record_print(table.rows, stdout, true, ' ');
	json_object_put(table.rows);
	return table.ret;
}
