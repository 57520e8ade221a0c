// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the name of a device to a descriptor.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define SYSFS_CLASS "/sys/class/udma"

static bool is_kernel_name(const char *name)
{
	size_t digits;

	if (strncmp(name, "udma", 4))
		return false;
	digits = strspn(name + 4, "0123456789");
	return digits && !name[4 + digits];
}

/* Whether the device that sysfs calls @entry was given the name @name. */
static bool has_name(int class, const char *entry, const char *name)
{
	char path[NAME_MAX + sizeof("/name")];
	char given[UDMA_NAME_BYTES + 1];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/name", entry);
	fd = openat(class, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, given, sizeof(given) - 1);
	close(fd);
	if (length <= 0)
		return false;
	given[length] = '\0';
	given[strcspn(given, "\n")] = '\0';
	return !strcmp(given, name);
}

static int open_node(const char *entry, int flags)
{
	char path[sizeof("/dev/") + NAME_MAX];

	if ((size_t)snprintf(path, sizeof(path), "/dev/%s", entry) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags);
}

static int open_by_name(const char *name, int flags)
{
	struct dirent *entry;
	int fd = -1, saved;
	DIR *class;

	class = opendir(SYSFS_CLASS);
	if (!class)
		return -1;
	errno = ENOENT;
	while ((entry = readdir(class))) {
		if (is_kernel_name(entry->d_name) &&
		    has_name(dirfd(class), entry->d_name, name)) {
			fd = open_node(entry->d_name, flags);
			break;
		}
		errno = ENOENT;
	}
	saved = errno;
	closedir(class);
	errno = saved;
	return fd;
}

/* @flags are more of those of open(). */
int udma_device_open(const char *name, int flags)
{
	flags |= O_RDWR | O_CLOEXEC | O_NONBLOCK;
	if (strchr(name, '/'))
		return open(name, flags);
	if (is_kernel_name(name))
		return open_node(name, flags);
	return open_by_name(name, flags);
}
