// SPDX-License-Identifier: GPL-2.0
/*
 * What root sets of a device, in sysfs. Some of it is checked there against what the channel is
 * able to, so only a write tells whether it is possible; what was written before is
 * then put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

#define SYSFS_CLASS	"/sys/class/udma"
#define VALUE_BYTES	sizeof(((struct change *)NULL)->value)

/**
 * struct setting - a file of a device
 * @name: its name
 * @parse: makes what people write what the kernel has: whether it is such a thing
 * @add: adds that to a record
 * @inability: what EOPNOTSUPP means
 * @misfit: what EINVAL means, of something that could be parsed
 */
struct setting {
	const char *name;
	bool (*parse)(const char *text, char *value);
	void (*add)(struct json_object *record, const char *name, const char *value);
	const char *inability;
	const char *misfit;
};

static bool parse_direction(const char *text, char *value)
{
	static const char *const directions[] = {
		"mem_to_mem", "mem_to_dev", "dev_to_mem", "none",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(directions); i++)
		if (!strcmp(text, directions[i]))
			break;
	if (i < ARRAY_SIZE(directions))
		snprintf(value, VALUE_BYTES, "%s", text);
	return i < ARRAY_SIZE(directions);
}

static bool parse_address(const char *text, char *value)
{
	uint64_t number;

	/* What the kernel says where there is none, or none is known. */
	if (!strcmp(text, "none") || !strcmp(text, "unknown")) {
		snprintf(value, VALUE_BYTES, "%s", text);
		return true;
	}
	if (!parse_number(text, UINT64_MAX, &number))
		return false;
	snprintf(value, VALUE_BYTES, "%#llx", (unsigned long long)number);
	return true;
}

static bool parse_count(const char *text, char *value)
{
	uint64_t number;

	if (!parse_number(text, UINT32_MAX, &number))
		return false;
	snprintf(value, VALUE_BYTES, "%llu", (unsigned long long)number);
	return true;
}

static bool parse_bool(const char *text, char *value)
{
	static const char *const words[] = { "no", "yes", "0", "1" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i]))
			break;
	snprintf(value, VALUE_BYTES, "%zu", i % 2);
	return i < ARRAY_SIZE(words);
}

static void add_count(struct json_object *record, const char *name, const char *value)
{
	uint64_t number;

	if (parse_number(value, UINT64_MAX, &number))
		record_add_number(record, name, number);
	else
		record_add(record, name, NULL);
}

static void add_bool(struct json_object *record, const char *name, const char *value)
{
	record_add_bool(record, name, strcmp(value, "0"));
}

/*
 * There may be no direction before it is known where the device is, and on the direction depends
 * what else is possible.
 */
static const struct setting settings[SETTINGS] = {
	{ "address", parse_address, record_add_string, "the controller cannot be told",
	  "the controller does not take it" },
	{ "direction", parse_direction, record_add_string, "the channel has no such direction",
	  "the controller does not take it" },
	{ "width", parse_count, add_count, "the controller cannot be told",
	  "the channel has no such width" },
	{ "burst", parse_count, add_count, "the controller cannot be told",
	  "the channel has no such burst" },
	{ "shared_reset", parse_bool, add_bool, NULL, NULL },
	{ "window", parse_count, add_count, NULL, NULL },
	{ "stall_ms", parse_count, add_count, NULL, NULL },
	{ "timeout_ms", parse_count, add_count, NULL, NULL },
	{ "max_megabytes", parse_count, add_count, NULL, NULL },
};

static const struct setting *find(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (strlen(settings[i].name) == length && !strncmp(settings[i].name, name, length))
			return &settings[i];
	return NULL;
}

/* In the order of the table. */
static struct change *insert(struct changes *changes, const struct setting *setting)
{
	unsigned int at = changes->count;

	while (at && changes->items[at - 1].setting > setting)
		at--;
	if (at && changes->items[at - 1].setting == setting)
		return NULL;
	memmove(&changes->items[at + 1], &changes->items[at],
		(changes->count - at) * sizeof(changes->items[0]));
	changes->count++;
	changes->items[at].setting = setting;
	return &changes->items[at];
}

static int add_change(struct changes *changes, const char *text)
{
	const char *equals = strchr(text, '=');
	const struct setting *setting;
	struct change *change;

	if (!equals)
		return usage_error("not of the form KEY=VALUE", text);
	setting = find(text, equals - text);
	if (!setting)
		return usage_error("no such setting", text);
	change = insert(changes, setting);
	if (!change)
		return usage_error("given twice", setting->name);
	if (!setting->parse(equals + 1, change->value))
		return usage_error("not a value for it", text);
	return 0;
}

/**
 * changes_parse - take up settings to change
 * @changes: of none yet
 * @words: KEY=VALUE each, and NULL
 *
 * Return: 0, or the exit status after it said what is wrong.
 */
int changes_parse(struct changes *changes, char **words)
{
	int ret = 0;

	while (!ret && *words)
		ret = add_change(changes, *words++);
	return ret;
}

static bool read_setting(const struct setting *setting, const char *node, char *value)
{
	return read_line(value, VALUE_BYTES, SYSFS_CLASS "/%s/%s", node, setting->name);
}

/* Return: 0, or -1 with errno. */
static int write_setting(const struct setting *setting, const char *node, const char *value)
{
	char path[PATH_MAX];
	int fd, ret, saved;

	snprintf(path, sizeof(path), SYSFS_CLASS "/%s/%s", node, setting->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value)) < 0 ? -1 : 0;
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static const char *explain(const struct setting *setting)
{
	switch (errno) {
	case EBUSY:
		return "in use";
	case ENOENT:
		return "the driver has no such setting";
	case EDESTADDRREQ:
		return "the address of the device comes first; none if there is none";
	case EOPNOTSUPP:
		return setting->inability ? setting->inability : strerror(errno);
	case EINVAL:
		return setting->misfit ? setting->misfit : "out of range";
	case ERANGE:
		return "out of range";
	default:
		return strerror(errno);
	}
}

static void complain_setting(const struct change *change, const char *name, const char *node)
{
	bool busy = errno == EBUSY;

	complain(explain(change->setting), "%s: %s=%s", name, change->setting->name, change->value);
	if (busy)
		complain_openers(name, node);
}

/* Whether it is all as it was. It says what is not if it is to. */
static bool put_back_once(const struct changes *changes, unsigned int count, const char *name,
			  const char *node, bool say)
{
	const struct change *change;
	bool all = true;

	while (count--) {
		change = &changes->items[count];
		if (!write_setting(change->setting, node, change->before))
			continue;
		all = false;
		if (say)
			complain_errno("%s: %s=%s again", name, change->setting->name,
				       change->before);
	}
	return all;
}

/* What does not go with the direction that there is goes with that which there was. */
static void put_back(const struct changes *changes, unsigned int count, const char *name,
		     const char *node)
{
	if (!put_back_once(changes, count, name, node, false))
		put_back_once(changes, count, name, node, true);
}

/**
 * changes_make - change settings, all or none
 * @changes: which ones
 * @name: the device as the user calls it
 * @node: its name in /dev
 *
 * Return: 0, or -1 after it said why.
 */
int changes_make(struct changes *changes, const char *name, const char *node)
{
	struct change *change;
	unsigned int i;

	for (i = 0; i < changes->count; i++) {
		change = &changes->items[i];
		if (read_setting(change->setting, node, change->before))
			continue;
		complain_setting(change, name, node);
		return -1;
	}
	for (i = 0; i < changes->count; i++) {
		change = &changes->items[i];
		if (!write_setting(change->setting, node, change->value))
			continue;
		complain_setting(change, name, node);
		put_back(changes, i, name, node);
		return -1;
	}
	return 0;
}

/* Add those that can be read: not everybody may know where a device is. */
void record_add_settings(struct json_object *record, const char *node)
{
	char value[VALUE_BYTES];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (read_setting(&settings[i], node, value))
			settings[i].add(record, settings[i].name, value);
}
