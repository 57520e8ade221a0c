/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands share.
 */
#ifndef UDMACTL_H
#define UDMACTL_H

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <libudma.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define __printf(text, args)						\
	__attribute__((							\
		__format__(__printf__, text, args)))

#define EXIT_FAILED	1
#define EXIT_USAGE	2

/**
 * struct command - one command
 * @name: the word for it
 * @arguments: what follows, for people
 * @summary: what it does, a line for the list of commands
 * @options: its options, a line each, or NULL
 * @run: does it; argv[0] is the name. Returns the exit status
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *options;
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_list, cmd_info, cmd_load, cmd_unload, cmd_bind, cmd_unbind,
	cmd_reset, cmd_config, cmd_copy, cmd_fill, cmd_send, cmd_recv, cmd_capture, cmd_play,
	cmd_bench, cmd_version, cmd_help;
extern const struct command *const commands[];

const struct command *find_command(const char *name);

/* error: one line, "udmactl: COMMAND: what: why" */
extern const char *command_name;
void complain(const char *why, const char *what, ...) __printf(2, 3);
void complain_errno(const char *what, ...) __printf(1, 2);
void complain_device(const char *device);
void complain_io(const char *file, const char *device);
const char *explain_end(const struct udma_completion *completion);
void complain_align(unsigned int align, const char *what, ...) __printf(2, 3);
int usage_error(const char *why, const char *what);
int bad_option(int option, char **argv);
int bad_arguments(int argc, char **argv, int wanted);

/* number: what people write for one */
bool parse_number(const char *text, uint64_t max, uint64_t *value);
bool parse_real(const char *text, double max, double *value);

/* The option that most have. */
#define JSON_HELP "  -j, --json            print the summary as JSON\n"

/* record: what is told, as text and as JSON. A record may be part of another one. */
struct json_object;
void record_add(struct json_object *record, const char *key, struct json_object *value);
void record_add_string(struct json_object *record, const char *key, const char *value);
void record_add_number(struct json_object *record, const char *key, uint64_t value);
void record_add_real(struct json_object *record, const char *key, double value);
void record_add_rate(struct json_object *record, uint64_t bytes, uint64_t ns);
void record_add_bool(struct json_object *record, const char *key, bool value);
void record_print(struct json_object *record, FILE *to, bool json, char separator);

/* device: the devices that there are */

/**
 * struct device - one of /sys/class/udma
 * @node: its name in /dev
 * @name: that which was given when it was bound
 * @channel: dmaengine's name of the channel
 * @provider: the DMA controller
 * @state: how it is: working, resetting or failed
 * @direction: between what it moves data
 *
 * What is not known is empty.
 */
struct device {
	char node[NAME_MAX + 1];
	char name[64];
	char channel[64];
	char provider[128];
	char state[16];
	char direction[16];
};

ssize_t devices_read(struct device **devices);
int device_find(const char *name, struct device *device);
bool read_line(char *line, size_t size, const char *path, ...) __printf(3, 4);
bool read_link(char *name, size_t size, const char *path, ...) __printf(3, 4);

/* describe: what a channel is able to, and its limits */
void record_add_abilities(struct json_object *record, const struct udma_channel_info *info);
void record_add_limits(struct json_object *record, const struct udma_channel_info *info);
void record_add_direction(struct json_object *record, const struct udma_channel_info *info,
			  const struct device *device);
void record_add_device(struct json_object *record, const struct udma_channel_info *info);

/* recovery: how a channel is, and what it has been through */
void record_add_recovery(struct json_object *record, const struct udma_channel_info *info,
			 const struct device *device);

/* settings: what root sets of a device */

enum {
	SETTING_ADDRESS,
	SETTING_WIDTH,
	SETTING_BURST,
	SETTING_DIRECTION,
	SETTING_SHARED_RESET,
	SETTING_WINDOW,
	SETTING_STALL_MS,
	SETTING_TIMEOUT_MS,
	SETTING_MAX_MEGABYTES,
	SETTINGS,
};

/**
 * struct change - a setting that is to be changed
 * @value: what it is to be, as the kernel has it; nothing if that does not matter
 * @before: what it was
 * @written: it was changed
 */
struct change {
	char value[32];
	char before[32];
	bool written;
};

/**
 * struct changes - settings that are to be changed
 * @items: all settings
 * @count: how many of them are to be changed
 */
struct changes {
	struct change items[SETTINGS];
	unsigned int count;
};

int changes_parse(struct changes *changes, char **words);
int changes_make(struct changes *changes, const char *name, const char *node);
void record_add_settings(struct json_object *record, const char *node);

/* binding: channels become devices */
int bind_channel(const char *spec, struct changes *changes);
int unbind_device(const char *name);

/* module: what the kernel has loaded */
struct kmod_ctx;
struct kmod_module;
struct kmod_ctx *modules_new(const char *root);
int module_load(struct kmod_ctx *kmod, const char *name);
int module_unload(struct kmod_ctx *kmod, const char *name);

/* users: who is in the way */
void complain_openers(const char *name, const char *wanted);
void complain_users(struct kmod_module *module);

/* cleanup: what must not be left behind, however the program ends */
void cleanup_init(const char *device);
int cleanup_create(char *path_template);
int cleanup_rename(const char *temporary, const char *path);
void cleanup_remove(const char *temporary);
int cleanup_defer(void);
bool cleanup_deferred(void);
bool cleanup_defer_no_more(void);
void cleanup_end(void);

/* source: the file that is read */

/**
 * struct source - where data comes from
 * @name: what the user called it
 * @fd: where to read it, or -1
 * @stat: what it is
 */
struct source {
	const char *name;
	int fd;
	struct stat stat;
};

int source_open(struct source *source, const char *name);
uint64_t source_bytes(const struct source *source);
void source_close(struct source *source);

/* target: the file that is written */

/**
 * struct target - where data goes
 * @name: what the user called it
 * @path: what is replaced when all has been written, or NULL
 * @temporary: the name of what is written until then, or NULL
 * @fd: where to write
 */
struct target {
	const char *name;
	char *path;
	char *temporary;
	int fd;
};

int target_open(struct target *target, const char *name, const struct stat *source);
ssize_t target_write(struct target *target, const void *data, size_t bytes);
int target_commit(struct target *target);
void target_discard(struct target *target);

/* progress: what a terminal is told meanwhile */

/**
 * struct progress - how far it is
 * @shown: whether stderr is a terminal
 * @start_ns: when it began
 * @next_ns: when to tell again
 * @total: how much there is, or 0 if nobody knows
 */
struct progress {
	bool shown;
	uint64_t start_ns;
	uint64_t next_ns;
	uint64_t total;
};

uint64_t now_ns(void);
void progress_begin(struct progress *progress, uint64_t total);
void progress_tell(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

/* choose: which device to use */

/**
 * struct ability - what a channel has to be able to
 * @is_had: tells whether one is
 * @inability: what is said of one that is not
 */
struct ability {
	bool (*is_had)(const struct udma_channel_info *info);
	const char *inability;
};

extern const struct ability able_to_copy, able_to_fill, able_to_send, able_to_receive,
	able_to_capture, able_to_play;

/**
 * struct choice - the device to use
 * @ability: what it has to be able to
 * @wanted: the one that the user named, or NULL
 * @exclusive: whether nobody else may use it meanwhile
 * @device: the name of the one that was chosen
 * @channel: and the device
 * @info: what that is
 */
struct choice {
	const struct ability *ability;
	const char *wanted;
	bool exclusive;
	char device[256];
	struct udma_channel *channel;
	struct udma_channel_info *info;
};

int choose_channel(struct choice *choice);
void choice_release(struct choice *choice);

#endif /* UDMACTL_H */
