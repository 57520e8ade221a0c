// SPDX-License-Identifier: GPL-2.0
/*
 * What root sets of a device, in sysfs. Some of it is checked there against what the channel is
 * able to, so only a write tells whether it is possible; what was changed before is
 * then put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

#define SYSFS_CLASS	"/sys/class/udma"
#define VALUE_BYTES	sizeof(((struct change *)NULL)->value)
#define CANNOT_BE_TOLD	"the controller cannot be told"

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

static const struct {
	const char *word;
	enum udma_channel_direction direction;
} directions[] = {
	{ "mem_to_mem", UDMA_CHANNEL_MEM_TO_MEM },
	{ "mem_to_dev", UDMA_CHANNEL_MEM_TO_DEV },
	{ "dev_to_mem", UDMA_CHANNEL_DEV_TO_MEM },
	{ "none", UDMA_CHANNEL_NO_DIRECTION },
};

static bool parse_direction(const char *text, char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(directions); i++)
		if (!strcmp(text, directions[i].word))
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
 * In the order in which they are written. There may be no direction before it is known where the
 * device is; and a new one sets window and stall_ms to what suits it.
 */
static const struct setting settings[SETTINGS] = {
	[SETTING_ADDRESS] = { "address", parse_address, record_add_string, CANNOT_BE_TOLD,
			      "the controller does not take it" },
	[SETTING_WIDTH] = { "width", parse_count, add_count, CANNOT_BE_TOLD,
			    "the channel has no such width" },
	[SETTING_BURST] = { "burst", parse_count, add_count, CANNOT_BE_TOLD,
			    "the channel has no such burst" },
	[SETTING_DIRECTION] = { "direction", parse_direction, record_add_string, CANNOT_BE_TOLD,
				"the controller does not take it" },
	[SETTING_SHARED_RESET] = { "shared_reset", parse_bool, add_bool, NULL, NULL },
	[SETTING_WINDOW] = { "window", parse_count, add_count, NULL, NULL },
	[SETTING_STALL_MS] = { "stall_ms", parse_count, add_count, NULL, NULL },
	[SETTING_TIMEOUT_MS] = { "timeout_ms", parse_count, add_count, NULL, NULL },
	[SETTING_MAX_MEGABYTES] = { "max_megabytes", parse_count, add_count, NULL, NULL },
};

static bool is_set_by_direction(unsigned int which)
{
	return which == SETTING_WINDOW || which == SETTING_STALL_MS;
}

static unsigned int find(const char *name, size_t length)
{
	unsigned int i;

	for (i = 0; i < SETTINGS; i++)
		if (strlen(settings[i].name) == length && !strncmp(settings[i].name, name, length))
			break;
	return i;
}

static int add_change(struct changes *changes, const char *text)
{
	const char *equals = strchr(text, '=');
	unsigned int which;

	if (!equals)
		return usage_error("not of the form KEY=VALUE", text);
	which = find(text, equals - text);
	if (which == SETTINGS)
		return usage_error("no such setting", text);
	if (*changes->items[which].value)
		return usage_error("given twice", settings[which].name);
	if (!settings[which].parse(equals + 1, changes->items[which].value))
		return usage_error("not a value for it", text);
	changes->count++;
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

/**
 * struct task - what is to become of a device
 * @changes: the changes
 * @name: the device as the user calls it
 * @node: its name in /dev
 */
struct task {
	struct changes *changes;
	const char *name;
	const char *node;
};

/* Whether the channel itself has the direction that is wanted, or nobody knows. */
static bool has_direction(const struct task *task)
{
	struct udma_channel *channel = udma_channel_open(task->node);
	struct udma_channel_info *info = channel ? udma_channel_get_info(channel) : NULL;
	const char *word = task->changes->items[SETTING_DIRECTION].value;
	bool has = true;
	size_t i;

	for (i = 0; info && i < ARRAY_SIZE(directions); i++)
		if (!strcmp(word, directions[i].word))
			has = udma_channel_info_has_direction(info, directions[i].direction);
	udma_channel_info_free(info);
	udma_channel_close(channel);
	return has;
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

static int complain_setting(const struct task *task, unsigned int which)
{
	const int error = errno;
	const char *why = explain(&settings[which]);

	if (error == EOPNOTSUPP && which == SETTING_DIRECTION && !has_direction(task))
		why = "the channel has no such direction";
	complain(why, "%s: %s=%s", task->name, settings[which].name,
		 task->changes->items[which].value);
	if (error == EBUSY)
		complain_openers(task->name, task->node);
	return -1;
}

static bool differs(const struct change *change)
{
	return *change->value && strcmp(change->value, change->before);
}

/* What is to be changed, and what a new direction changes. */
static int remember(const struct task *task)
{
	struct change *items = task->changes->items;
	const bool may_turn = *items[SETTING_DIRECTION].value;
	unsigned int i;

	for (i = 0; i < SETTINGS; i++)
		if ((*items[i].value || (may_turn && is_set_by_direction(i))) &&
		    !read_setting(&settings[i], task->node, items[i].before))
			return complain_setting(task, i);
	return 0;
}

static int write_change(const struct task *task, unsigned int which, const char *value)
{
	if (write_setting(&settings[which], task->node, value))
		return complain_setting(task, which);
	task->changes->items[which].written = true;
	return 0;
}

/*
 * While there is no direction the driver of the controller is not told of the device: so it is
 * of all at once, and never of the one's address with the other's width.
 */
static int make(const struct task *task)
{
	struct change *items = task->changes->items;
	const bool turns = differs(&items[SETTING_DIRECTION]);
	unsigned int i;

	if (turns && write_change(task, SETTING_DIRECTION, "none"))
		return -1;
	for (i = 0; i < SETTINGS; i++)
		if ((differs(&items[i]) ||
		     (turns && is_set_by_direction(i) && *items[i].value)) &&
		    write_change(task, i, items[i].value))
			return -1;
	return 0;
}

/* In the same order, for the same reasons. What is not as it was then, one line says. */
static void put_back(const struct task *task)
{
	const struct change *items = task->changes->items;
	const bool turned = items[SETTING_DIRECTION].written;
	const char *why = NULL;
	/* The longest name, a value, and what is between them. */
	char left[SETTINGS * (16 + VALUE_BYTES)] = "";
	size_t length = 0;
	unsigned int i;

	if (turned)
		write_setting(&settings[SETTING_DIRECTION], task->node, "none");
	for (i = 0; i < SETTINGS; i++) {
		if (!items[i].written && !(turned && is_set_by_direction(i)))
			continue;
		if (!write_setting(&settings[i], task->node, items[i].before))
			continue;
		if (!why)
			why = explain(&settings[i]);
		length += snprintf(left + length, sizeof(left) - length, " %s=%s",
				   settings[i].name, items[i].before);
	}
	if (why)
		complain(why, "%s: it could not be put back:%s", task->name, left);
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
	const struct task task = { changes, name, node };
	sigset_t all, before;
	int ret;

	if (remember(&task))
		return -1;
	/* Nor does it end half way. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	ret = make(&task);
	if (ret)
		put_back(&task);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
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
