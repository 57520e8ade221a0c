// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "udmactl.h"

#define SYSFS_CLASS "/sys/class/udma"

/* The first line of a file of sysfs, or nothing. */
bool read_line(char *line, size_t size, const char *path, ...)
{
	char full[PATH_MAX];
	ssize_t length;
	va_list args;
	int fd;

	line[0] = '\0';
	va_start(args, path);
	vsnprintf(full, sizeof(full), path, args);
	va_end(args);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, line, size - 1);
	close(fd);
	if (length < 0)
		return false;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* The last part of what a link of sysfs points to, or nothing. */
bool read_link(char *name, size_t size, const char *path, ...)
{
	char full[PATH_MAX], target[PATH_MAX], *slash;
	ssize_t length;
	va_list args;

	name[0] = '\0';
	va_start(args, path);
	vsnprintf(full, sizeof(full), path, args);
	va_end(args);
	length = readlink(full, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return true;
}

static int is_device(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "udma", 4) && entry->d_name[4] >= '0' &&
	       entry->d_name[4] <= '9';
}

static void read_device(const char *node, struct device *device)
{
	*device = (struct device) {};
	snprintf(device->node, sizeof(device->node), "%s", node);
	read_line(device->name, sizeof(device->name), SYSFS_CLASS "/%s/name", node);
	read_line(device->channel, sizeof(device->channel), SYSFS_CLASS "/%s/channel", node);
	read_line(device->provider, sizeof(device->provider), SYSFS_CLASS "/%s/provider",
		  node);
	read_line(device->state, sizeof(device->state), SYSFS_CLASS "/%s/state", node);
	read_line(device->direction, sizeof(device->direction), SYSFS_CLASS "/%s/direction", node);
}

/**
 * devices_read - read which devices there are
 * @devices: where to put them, by number; the caller frees it
 *
 * Return: how many, or -1 with errno. None is no error.
 */
ssize_t devices_read(struct device **devices)
{
	struct dirent **entries;
	int count, i;

	*devices = NULL;
	count = scandir(SYSFS_CLASS, &entries, is_device, versionsort);
	if (count < 0)
		return errno == ENOENT ? 0 : -1;
	*devices = calloc(count + 1, sizeof(**devices));
	for (i = 0; i < count; i++) {
		if (*devices)
			read_device(entries[i]->d_name, &(*devices)[i]);
		free(entries[i]);
	}
	free(entries);
	return *devices ? count : -1;
}

static int find_by_path(const char *path, struct device *device)
{
	char node[NAME_MAX + 1], class[NAME_MAX + 1];
	struct stat stat_of;

	if (stat(path, &stat_of) < 0)
		return -1;
	errno = ENOTTY;
	if (!S_ISCHR(stat_of.st_mode) ||
	    !read_link(class, sizeof(class), "/sys/dev/char/%u:%u/subsystem",
		       major(stat_of.st_rdev), minor(stat_of.st_rdev)) ||
	    strcmp(class, "udma") ||
	    !read_link(node, sizeof(node), "/sys/dev/char/%u:%u", major(stat_of.st_rdev),
		       minor(stat_of.st_rdev)))
		return -1;
	read_device(node, device);
	return 0;
}

/**
 * device_find - find a device, without opening it
 * @name: a path with a slash in it, the device's name or that which it was given
 * @device: filled in
 *
 * Return: 0, or -1 with errno, which is ENOTTY for something else than a device.
 */
int device_find(const char *name, struct device *device)
{
	struct device *devices;
	ssize_t count, i;

	if (strchr(name, '/'))
		return find_by_path(name, device);
	count = devices_read(&devices);
	if (count < 0)
		return -1;
	for (i = 0; i < count; i++)
		if (!strcmp(devices[i].node, name) || !strcmp(devices[i].name, name))
			break;
	if (i < count)
		*device = devices[i];
	free(devices);
	errno = ENOENT;
	return i < count ? 0 : -1;
}
