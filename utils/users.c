// SPDX-License-Identifier: GPL-2.0
/*
 * Who is in the way of unloading a module, or of changing a device.
 */
#include <ctype.h>
#include <dirent.h>
#include <libkmod.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

/* Whether it is the device @wanted, or any if that is NULL. */
static bool is_node(const char *path, const char *wanted)
{
	if (strncmp(path, "/dev/udma", 9) || !isdigit((unsigned char)path[9]))
		return false;
	return !wanted || !strcmp(path + strlen("/dev/"), wanted);
}

static bool has_open(const char *pid, const char *wanted, char *node, size_t size)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		length = readlinkat(dirfd(dir), entry->d_name, node, size - 1);
		node[length > 0 ? length : 0] = '\0';
		found = is_node(node, wanted);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool has_mapped(const char *pid, const char *wanted, char *node, size_t size)
{
	char path[PATH_MAX], *line = NULL, *start;
	size_t space = 0;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	while (maps && !found && getline(&line, &space, maps) > 0) {
		start = strchr(line, '/');
		if (start)
			snprintf(node, size, "%.*s", (int)strcspn(start, "\n "), start);
		found = start && is_node(node, wanted);
	}
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

/**
 * complain_openers - say which processes have a device open, a line each
 * @name: what they are in the way of
 * @wanted: the device, or NULL for any
 */
void complain_openers(const char *name, const char *wanted)
{
	char node[NAME_MAX + 1], comm[64];
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (!has_open(entry->d_name, wanted, node, sizeof(node)) &&
		    !has_mapped(entry->d_name, wanted, node, sizeof(node)))
			continue;
		read_line(comm, sizeof(comm), "/proc/%s/comm", entry->d_name);
		complain("has it open", "%s: process %s (%s): %s", name, entry->d_name, comm,
			 node);
	}
	if (proc)
		closedir(proc);
}

static void complain_modules(const char *name, struct kmod_module *module)
{
	struct kmod_list *holders = kmod_module_get_holders(module), *item;
	struct kmod_module *holder;

	kmod_list_foreach(item, holders) {
		holder = kmod_module_get_module(item);
		complain("needs it", "%s: module %s", name, kmod_module_get_name(holder));
		kmod_module_unref(holder);
	}
	kmod_module_unref_list(holders);
}

/* Channels of the module's controllers that somebody has. */
static void complain_channels(const char *name)
{
	char module[NAME_MAX + 1], in_use[16];
	DIR *dir = opendir("/sys/class/dma");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		read_link(module, sizeof(module), "/sys/class/dma/%s/device/driver/module",
			  entry->d_name);
		if (strcmp(module, name))
			continue;
		read_line(in_use, sizeof(in_use), "/sys/class/dma/%s/in_use", entry->d_name);
		if (strcmp(in_use, "0"))
			complain("in use", "%s: channel %s", name, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

/* Controllers that were made through configfs. */
static void complain_controllers(const char *name)
{
	DIR *dir = opendir("/sys/kernel/config/udma-sim");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "default"))
			complain("it is still there", "%s: /sys/kernel/config/udma-sim/%s", name,
				 entry->d_name);
	if (dir)
		closedir(dir);
}

/* Say that a module is in use, and then a line for each user that can be found. */
void complain_users(struct kmod_module *module)
{
	const char *name = kmod_module_get_name(module);

	complain("in use", "%s", name);
	complain_modules(name, module);
	if (!strcmp(name, "udma"))
		complain_openers(name, NULL);
	else
		complain_channels(name);
	if (!strcmp(name, "udma_sim"))
		complain_controllers(name);
}
