/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated controllers, and channels of them bound as /dev/udmaN. A test makes
 * its own, so that it can do with it as it likes.
 *
 * The functions return as those of udma_test.h do.
 */
#ifndef UDMA_SIM_H
#define UDMA_SIM_H

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "udma_test.h"

#define SIM_ROOT	"/sys/kernel/config/udma-sim"
#define UDMA_CLASS	"/sys/class/udma"

/* Files of one line in sysfs and configfs */

static inline int try_write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int ret, error;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return ret < 0 ? -1 : 0;
}

/* Without the newline. */
static inline int try_read_text(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY);
	ssize_t ret;
	int error;

	if (fd < 0)
		return -1;
	ret = read(fd, text, bytes - 1);
	error = errno;
	close(fd);
	errno = error;
	if (ret < 0)
		return -1;
	text[ret] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

/* The number that is all of a line, or -1. */
static inline long number_of(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end != text && !*end)
		return value;
	errno = EPROTO;
	return -1;
}

/* /dev/udmaN */

static inline int try_bind(const char *spec)
{
	return try_write_text(UDMA_CLASS "/bind", spec);
}

static inline int try_unbind(const char *name)
{
	return try_write_text(UDMA_CLASS "/unbind", name);
}

/* The node (udmaN) of the channel that was bound by this name. */
static inline int try_find_node(const char *name, char *node, size_t bytes)
{
	char path[300], seen[64];
	struct dirent *entry;
	int ret = -1;
	DIR *dir;

	dir = opendir(UDMA_CLASS);
	if (!dir)
		return -1;
	while (ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "udma", 4))
			continue;
		snprintf(path, sizeof(path), UDMA_CLASS "/%s/name",
			 entry->d_name);
		if (try_read_text(path, seen, sizeof(seen)) ||
		    strcmp(seen, name))
			continue;
		snprintf(node, bytes, "%.31s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	if (ret)
		errno = ENOENT;
	return ret;
}

static inline int try_open_node(const char *node, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%.31s", node);
	return open(path, flags | O_CLOEXEC);
}

static inline int try_open(const char *name, int flags)
{
	char node[32];

	if (try_find_node(name, node, sizeof(node)))
		return -1;
	return try_open_node(node, flags);
}

/* dmaengine's name of a channel of a device, such as dma1chan0. */
static inline int try_find_channel(const char *device, unsigned int number, char *name,
				   size_t bytes)
{
	char path[300], target[256], end[32], *last;
	struct dirent *entry;
	ssize_t length;
	int ret = -1;
	DIR *dir;

	snprintf(end, sizeof(end), "chan%u", number);
	dir = opendir("/sys/class/dma");
	if (!dir)
		return -1;
	while (ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/dma/%s/device",
			 entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		last = strrchr(target, '/');
		if (!last || strcmp(last + 1, device))
			continue;
		last = strstr(entry->d_name, "chan");
		if (!last || strcmp(last, end))
			continue;
		snprintf(name, bytes, "%.31s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	if (ret)
		errno = ENOENT;
	return ret;
}

/* Controllers */

struct sim {
	char name[24];		/* its directory in configfs */
	char device[64];	/* its device, while it is live */
};

/* What is zero is left as the simulator has it. */
struct sim_config {
	unsigned int channels;
	unsigned int max_segment;
	unsigned int align;
	unsigned int depth;
	bool no_fill;
	bool no_terminate;
	bool unordered;
	const char *granularity;	/* burst, segment or descriptor */
};

static inline void sim_path(const struct sim *sim, const char *attribute,
			    char *path, size_t bytes)
{
	snprintf(path, bytes, SIM_ROOT "/%.23s/%s", sim->name,
		 attribute);
}

static inline int try_sim_write(const struct sim *sim, const char *attribute,
				const char *text)
{
	char path[128];

	sim_path(sim, attribute, path, sizeof(path));
	return try_write_text(path, text);
}

static inline int try_sim_set(const struct sim *sim, const char *attribute,
			      __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return try_sim_write(sim, attribute, text);
}

static inline int try_sim_read(const struct sim *sim, const char *attribute,
			       char *text, size_t bytes)
{
	char path[128];

	sim_path(sim, attribute, path, sizeof(path));
	return try_read_text(path, text, bytes);
}

/* A number that an attribute has, or -1. */
static inline long sim_get(const struct sim *sim, const char *attribute)
{
	char text[32];

	if (try_sim_read(sim, attribute, text, sizeof(text)))
		return -1;
	return number_of(text);
}

/* What it counts changes as it goes. */
static inline int try_wait_sim(const struct sim *sim, const char *attribute,
			       long value)
{
	__u64 end = 0;

	do {
		if (sim_get(sim, attribute) == value)
			return 0;
	} while (look_again(&end));
	return -1;
}

static inline int try_sim_mkdir(struct sim *sim)
{
	static unsigned int number;
	char path[128];

	/* Tests have processes of their own, so no name comes twice. */
	snprintf(sim->name, sizeof(sim->name), "t%d-%u", getpid(), number++);
	sim_path(sim, "", path, sizeof(path));
	return mkdir(path, 0755);
}

static inline int try_sim_rmdir(const struct sim *sim)
{
	char path[128];

	sim_path(sim, "", path, sizeof(path));
	return rmdir(path);
}

static inline int try_sim_configure(const struct sim *sim,
				    const struct sim_config *config)
{
	if (config->channels &&
	    try_sim_set(sim, "channels", config->channels))
		return -1;
	if (config->max_segment &&
	    try_sim_set(sim, "max_segment", config->max_segment))
		return -1;
	if (config->align && try_sim_set(sim, "align", config->align))
		return -1;
	if (config->depth && try_sim_set(sim, "depth", config->depth))
		return -1;
	if (config->no_fill && try_sim_set(sim, "fill", 0))
		return -1;
	if (config->no_terminate && try_sim_set(sim, "no_terminate", 1))
		return -1;
	if (config->unordered && try_sim_set(sim, "unordered", 1))
		return -1;
	if (config->granularity &&
	    try_sim_write(sim, "granularity", config->granularity))
		return -1;
	return 0;
}

static inline int try_sim_live(struct sim *sim)
{
	if (try_sim_set(sim, "live", 1))
		return -1;
	return try_sim_read(sim, "dev_name", sim->device,
			    sizeof(sim->device));
}

/*
 * Who takes everything back from a channel may want to see next that it works
 * still. In step mode too that needs no help.
 */
static inline int try_sim_make(struct sim *sim,
			       const struct sim_config *config)
{
	if (try_sim_mkdir(sim))
		return -1;
	if (try_sim_set(sim, "step_grace", 1))
		return -1;
	if (try_sim_configure(sim, config))
		return -1;
	return try_sim_live(sim);
}

/* All its channels have been unbound before. */
static inline int try_sim_end(const struct sim *sim)
{
	if (try_sim_set(sim, "live", 0))
		return -1;
	return try_sim_rmdir(sim);
}

/* What channel number @channel of a controller is bound as. */
static inline void sim_channel_name(const struct sim *sim, unsigned int channel,
				    char *name, size_t bytes)
{
	if (channel)
		snprintf(name, bytes, "%s.%u", sim->name, channel);
	else
		snprintf(name, bytes, "%s", sim->name);
}

/* The node (udmaN) of a channel that is bound. */
static inline int try_chan_node(const struct sim *sim, unsigned int channel,
				char *node, size_t bytes)
{
	char name[40];

	sim_channel_name(sim, channel, name, sizeof(name));
	return try_find_node(name, node, bytes);
}

/* A file that sysfs has of it, such as "state" or "recovery/resets" */

static inline int try_chan_path(const struct sim *sim, unsigned int channel,
				const char *attribute, char *path, size_t bytes)
{
	char node[32];

	if (try_chan_node(sim, channel, node, sizeof(node)))
		return -1;
	snprintf(path, bytes, UDMA_CLASS "/%.31s/%s", node, attribute);
	return 0;
}

static inline int try_chan_read(const struct sim *sim, unsigned int channel,
				const char *attribute, char *text, size_t bytes)
{
	char path[128];

	if (try_chan_path(sim, channel, attribute, path, sizeof(path)))
		return -1;
	return try_read_text(path, text, bytes);
}

static inline int try_chan_set(const struct sim *sim, unsigned int channel,
			       const char *attribute, __u64 value)
{
	char path[128], text[24];

	if (try_chan_path(sim, channel, attribute, path, sizeof(path)))
		return -1;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return try_write_text(path, text);
}

/* A number that one has, or -1. */
static inline long chan_get(const struct sim *sim, unsigned int channel,
			    const char *attribute)
{
	char text[32];

	if (try_chan_read(sim, channel, attribute, text, sizeof(text)))
		return -1;
	return number_of(text);
}

/* Some of them change in an interrupt or a worker, and nobody is told. */
static inline int try_wait_chan(const struct sim *sim, unsigned int channel,
				const char *attribute, long value)
{
	char path[128], text[32];
	__u64 end = 0;

	if (try_chan_path(sim, channel, attribute, path, sizeof(path)))
		return -1;
	do {
		if (try_read_text(path, text, sizeof(text)))
			return -1;
		if (number_of(text) == value)
			return 0;
	} while (look_again(&end));
	return -1;
}

/*
 * A test that holds up the controller by step_mode does so for as long as its
 * machine takes, and wants no reset for that.
 */
#define SIM_STALL_MS	3600000

static inline int try_sim_bind(const struct sim *sim, unsigned int channel)
{
	char spec[160], name[40];

	sim_channel_name(sim, channel, name, sizeof(name));
	snprintf(spec, sizeof(spec), "%s=%s:%u", name, sim->device, channel);
	if (try_bind(spec))
		return -1;
	return try_chan_set(sim, channel, "stall_ms", SIM_STALL_MS);
}

static inline int try_sim_unbind(const struct sim *sim, unsigned int channel)
{
	char name[40];

	sim_channel_name(sim, channel, name, sizeof(name));
	return try_unbind(name);
}

static inline int try_sim_open(const struct sim *sim, unsigned int channel,
			       int flags)
{
	char name[40];

	sim_channel_name(sim, channel, name, sizeof(name));
	return try_open(name, flags);
}

/* What most tests need: a controller, its channel 0 bound and open. */
static inline int try_sim_start(struct sim *sim,
				const struct sim_config *config)
{
	if (try_sim_make(sim, config))
		return -1;
	if (try_sim_bind(sim, 0))
		return -1;
	return try_sim_open(sim, 0, O_RDWR);
}

static inline int try_sim_finish(const struct sim *sim)
{
	if (try_sim_unbind(sim, 0))
		return -1;
	return try_sim_end(sim);
}

/* Steps */

/* Ends @count descriptors as they come, or with 0 those that are there now. */
static inline int try_step(const struct sim *sim, unsigned int count)
{
	return try_sim_set(sim, "step", count);
}

/*
 * What was submitted may be given to the controller by a worker of the driver,
 * about which a program learns nothing: there is only the controller to ask.
 *
 * It counts an end when the callback has returned, so after the event may have been
 * read: who wants to know "pending" or "ended" then has to wait for it. Where that
 * was a step, it has.
 */
static inline int try_wait_pending(const struct sim *sim, long pending)
{
	return try_wait_sim(sim, "pending", pending);
}

#endif /* UDMA_SIM_H */
