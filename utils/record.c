// SPDX-License-Identifier: GPL-2.0
/*
 * What is told is put together as a JSON object, whichever way it is printed.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <string.h>

#include "udmactl.h"

void record_add(struct json_object *record, const char *key, struct json_object *value)
{
	json_object_object_add(record, key, value);
}

/* NULL is for what is not known. */
void record_add_string(struct json_object *record, const char *key, const char *value)
{
	record_add(record, key, value ? json_object_new_string(value) : NULL);
}

void record_add_number(struct json_object *record, const char *key, uint64_t value)
{
	record_add(record, key, json_object_new_uint64(value));
}

void record_add_real(struct json_object *record, const char *key, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "%.6f", value);
	record_add(record, key, json_object_new_double_s(value, text));
}

/* How much went, in what time. */
void record_add_rate(struct json_object *record, uint64_t bytes, uint64_t ns)
{
	double seconds = ns / 1e9;

	record_add_number(record, "bytes", bytes);
	record_add_real(record, "seconds", seconds);
	record_add_number(record, "bytes_per_second", ns ? bytes / seconds : 0);
}

void record_add_bool(struct json_object *record, const char *key, bool value)
{
	record_add(record, key, json_object_new_boolean(value));
}

/* Whether a string can stand in a line of text without quotes. */
static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) || strchr("\"\\=", *text))
			return false;
	return true;
}

/* Of an array that is when there is nothing in it. */
static const char *value_text(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
	case json_type_array:
		return "-";
	case json_type_boolean:
		return json_object_get_boolean(value) ? "yes" : "no";
	case json_type_string:
		if (is_plain(json_object_get_string(value)))
			return json_object_get_string(value);
		return json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
	default:
		return json_object_get_string(value);
	}
}

/* One or several, with commas between them. */
static void print_value(struct json_object *value, FILE *to)
{
	size_t i, count = 0;

	if (json_object_is_type(value, json_type_array))
		count = json_object_array_length(value);
	for (i = 0; i < count; i++)
		fprintf(to, "%s%s", i ? "," : "", value_text(json_object_array_get_idx(value, i)));
	if (!count)
		fputs(value_text(value), to);
}

/* The words of a record; of one in it, with its own name before each. */
static void print_words(struct json_object *record, FILE *to, const char *prefix, char separator)
{
	bool first = true;

	json_object_object_foreach(record, key, value) {
		if (!first)
			fputc(separator, to);
		first = false;
		if (json_object_is_type(value, json_type_object)) {
			print_words(value, to, key, separator);
			continue;
		}
		fprintf(to, "%s%s%s=", prefix, *prefix ? "_" : "", key);
		print_value(value, to);
	}
}

static void print_text(struct json_object *record, FILE *to, char separator)
{
	print_words(record, to, "", separator);
	fputc('\n', to);
}

/* @record may also be an array of records: as text, a line each. */
void record_print(struct json_object *record, FILE *to, bool json, char separator)
{
	size_t i;

	if (json) {
		fprintf(to, "%s\n",
			json_object_to_json_string_ext(record, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_SPACED |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	} else if (json_object_is_type(record, json_type_array)) {
		for (i = 0; i < json_object_array_length(record); i++)
			print_text(json_object_array_get_idx(record, i), to, separator);
	} else {
		print_text(record, to, separator);
	}
}
