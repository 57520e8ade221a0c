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
	cmd_reset, cmd_copy, cmd_fill, cmd_bench, cmd_version, cmd_help;
extern const struct command *const commands[];

const struct command *find_command(const char *name);

/* error: one line, "udmactl: COMMAND: what: why" */
extern const char *command_name;
void complain(const char *why, const char *what, ...) __printf(2, 3);
void complain_errno(const char *what, ...) __printf(1, 2);
void complain_device(const char *device);
int usage_error(const char *why, const char *what);
int bad_option(int option, char **argv);
int bad_arguments(int argc, char **argv, int wanted);

/* number: what people write for one */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

/* record: what is told, as text and as JSON. A record may be part of another one. */
struct json_object;
void record_add(struct json_object *record, const char *key, struct json_object *value);
void record_add_string(struct json_object *record, const char *key, const char *value);
void record_add_number(struct json_object *record, const char *key, uint64_t value);
void record_add_real(struct json_object *record, const char *key, double value);
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
 *
 * What is not known is empty.
 */
struct device {
	char node[NAME_MAX + 1];
	char name[64];
	char channel[64];
	char provider[128];
	char state[16];
};

ssize_t devices_read(struct device **devices);
int device_find(const char *name, struct device *device);
bool read_line(char *line, size_t size, const char *path, ...) __printf(3, 4);
bool read_link(char *name, size_t size, const char *path, ...) __printf(3, 4);
void record_add_abilities(struct json_object *record, const struct udma_channel_info *info);
void record_add_limits(struct json_object *record, const struct udma_channel_info *info);

/* recovery: how a channel is, and what it has been through */
void record_add_recovery(struct json_object *record, const struct udma_channel_info *info,
			 const struct device *device);

/* binding: channels become devices */
int bind_channel(const char *spec);
int unbind_device(const char *name);

/* module: what the kernel has loaded */
struct kmod_ctx;
struct kmod_module;
struct kmod_ctx *modules_new(const char *root);
int module_load(struct kmod_ctx *kmod, const char *name);
int module_unload(struct kmod_ctx *kmod, const char *name);
void complain_users(struct kmod_module *module);

/* cleanup: what must not be left behind, however the program ends */
void cleanup_init(const char *device);
int cleanup_create(char *path_template);
int cleanup_rename(const char *path);
void cleanup_remove(void);
int cleanup_defer(void);
bool cleanup_deferred(void);
bool cleanup_defer_no_more(void);
void cleanup_end(void);

/* target: the file that is written */

/**
 * struct target - where data goes
 * @name: what the user called it
 * @path: what is replaced when all has been written, or NULL
 * @fd: where to write until then
 */
struct target {
	const char *name;
	char *path;
	int fd;
};

struct stat;
int target_open(struct target *target, const char *name, const struct stat *source);
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

/* pump: data through a channel */

/**
 * struct pump - what goes from where to where
 * @wanted: the device that the user named, or NULL
 * @slots: how many blocks there are at a time
 * @block_bytes: how much goes by one transfer; 0 for what suits the channel
 * @verify: whether to compare what the controller wrote
 * @timeout_ns: how long a transfer may take, or 0 for what the channel has for that
 * @exclusive: whether nobody else may use the device meanwhile
 * @json: whether the summary is JSON
 * @source: what the source is called; NULL to fill
 * @in: where to read it
 * @value: what to fill with
 * @bytes: how much there is. For a copy it may be 0 when nobody knows, or wrong
 * @device: the name of the device in use
 * @channel: and the device
 * @align: what the length of a transfer must be a multiple of
 * @target: where the data goes
 * @done_bytes: how much was written there
 * @total_ns: how long it took
 * @dma_ns: for how long of that a transfer was under way
 */
struct pump {
	const char *wanted;
	unsigned int slots;
	size_t block_bytes;
	int64_t timeout_ns;
	bool exclusive;
	bool verify;
	bool json;

	const char *source;
	int in;
	uint8_t value;
	uint64_t bytes;

	char device[256];
	struct udma_channel *channel;
	size_t align;

	struct target target;
	uint64_t done_bytes;
	uint64_t total_ns;
	uint64_t dma_ns;
};

#define PUMP_INIT	{ .slots = 4, .in = -1 }
#define PUMP_LETTERS	"d:b:s:t:xvj"
#define PUMP_HELP							\
	"  -d, --device=DEVICE   use this device, not the first that is able to\n"	\
	"  -b, --block-bytes=N   move N bytes by one transfer\n"		\
	"  -s, --slots=N         have up to N blocks under way; 4\n"	\
	"  -t, --timeout=MS      let no transfer take longer than MS milliseconds\n"	\
	"  -x, --exclusive       let nobody else use the device meanwhile\n"	\
	"  -v, --verify          compare what the controller wrote\n"	\
	"  -j, --json            print the summary as JSON\n"

int pump_option(struct pump *pump, int option, char **argv);
int pump_main(struct pump *pump, const char *target, const struct stat *source);
int pump_run(struct pump *pump);
int choose_channel(struct pump *pump);

#endif /* UDMACTL_H */
