// SPDX-License-Identifier: GPL-2.0
/*
 * Channels are bound and unbound by writing to sysfs. The answer to a write is
 * no more than an errno, so what it was about is found out afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "udmactl.h"

#define SYSFS_BIND	"/sys/class/udma/bind"
#define SYSFS_UNBIND	"/sys/class/udma/unbind"
#define SYSFS_DMA	"/sys/class/dma"

/**
 * struct spec - a specification, [NAME=]CHANNEL, taken apart
 * @name: NAME, or nothing
 * @channel: CHANNEL
 */
struct spec {
	char name[64];
	char channel[256];
};

static bool split(const char *text, struct spec *spec)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? equals - text : 0;
	const char *channel = equals ? equals + 1 : text;

	if (length >= sizeof(spec->name) || strlen(channel) >= sizeof(spec->channel))
		return false;
	memcpy(spec->name, text, length);
	spec->name[length] = '\0';
	strcpy(spec->channel, channel);
	return true;
}

/* Write to an attribute that may be missing because the module is. */
static int open_attribute(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		complain("the module udma is not loaded", "%s", what);
	else
		complain_errno("%s", path);
	return -1;
}

/* Whether a channel of dmaengine's is the one that is called @channel. */
static bool is_channel(const char *entry, const char *channel)
{
	const char *number = strstr(entry, "chan");
	char provider[NAME_MAX + 1];
	char name[2 * NAME_MAX];

	if (!strcmp(entry, channel))
		return true;
	if (!number || !read_link(provider, sizeof(provider), SYSFS_DMA "/%s/device", entry))
		return false;
	snprintf(name, sizeof(name), "%s:%s", provider, number + strlen("chan"));
	return !strcmp(name, channel);
}

/* dmaengine's name of a channel, however it was called. */
static bool find_channel(const char *channel, char *found, size_t size)
{
	DIR *dir = opendir(SYSFS_DMA);
	struct dirent *entry = NULL;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && is_channel(entry->d_name, channel))
			break;
	if (entry)
		snprintf(found, size, "%s", entry->d_name);
	if (dir)
		closedir(dir);
	return entry;
}

/* The node of the device that has @channel or the name @name. */
static bool find_holder(const char *channel, const char *name, char *node, size_t size)
{
	struct device *devices;
	ssize_t count = devices_read(&devices), i;

	for (i = 0; i < count; i++)
		if (!strcmp(devices[i].channel, channel) || !strcmp(devices[i].name, name))
			break;
	if (i < count)
		snprintf(node, size, "%s", devices[i].node);
	free(devices);
	return i < count;
}

static void complain_busy(const struct spec *spec)
{
	char channel[NAME_MAX + 1], in_use[16], node[NAME_MAX + 1];

	if (!find_channel(spec->channel, channel, sizeof(channel))) {
		complain(strerror(EBUSY), "%s", spec->channel);
	} else if (find_holder(channel, "", node, sizeof(node))) {
		complain("it is that of another device already", "%s: %s", spec->channel, node);
	} else {
		read_line(in_use, sizeof(in_use), SYSFS_DMA "/%s/in_use", channel);
		complain(strcmp(in_use, "0") ? "a driver in the kernel uses it" : strerror(EBUSY),
			 "%s", spec->channel);
	}
}

static void complain_exists(const struct spec *spec)
{
	char node[NAME_MAX + 1];

	if (find_holder("", spec->name, node, sizeof(node)))
		complain("it is the name of another device already", "%s: %s", spec->name, node);
	else
		complain_errno("%s", spec->name);
}

static void complain_bind(const char *text)
{
	struct spec spec;
	int error = errno;

	if (error == EINVAL || !split(text, &spec))
		complain("not of the form [NAME=]CHANNEL", "%s", text);
	else if (error == EBUSY)
		complain_busy(&spec);
	else if (error == EEXIST)
		complain_exists(&spec);
	else if (error == ENODEV)
		complain(strcmp(spec.channel, "memcpy") ? "no such channel" :
			 "no channel that copies memory is free", "%s", spec.channel);
	else if (error == EOPNOTSUPP)
		complain("it can neither copy nor fill", "%s", spec.channel);
	else
		complain_errno("%s", text);
}

static bool has_node(const struct device *devices, ssize_t count, const char *node)
{
	ssize_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(devices[i].node, node))
			return true;
	return false;
}

/* Bind. The device that this made goes to @made. */
static int bind(int fd, const char *spec, struct device *made)
{
	struct device *before, *after;
	ssize_t count_before, count_after, i;
	int ret = -1;

	/* Among ourselves there is no doubt about which one is new. */
	flock(fd, LOCK_EX);
	count_before = devices_read(&before);
	if (write(fd, spec, strlen(spec)) < 0) {
		complain_bind(spec);
		free(before);
		return -1;
	}
	count_after = devices_read(&after);
	if (count_before < 0 || count_after < 0)
		complain_errno("/sys/class/udma");
	for (i = 0; ret && i < count_after; i++) {
		if (has_node(before, count_before, after[i].node))
			continue;
		*made = after[i];
		ret = 0;
	}
	if (ret && count_before >= 0 && count_after >= 0)
		complain("it is gone again", "%s", spec);
	free(before);
	free(after);
	return ret;
}

/* A device that is not as it is to be is none. */
static int bind_and_change(int fd, const char *spec, struct changes *changes)
{
	struct device made;

	if (bind(fd, spec, &made))
		return -1;
	if (changes && changes_make(changes, made.node, made.node)) {
		unbind_device(made.node);
		return -1;
	}
	printf("%s\n", made.node);
	return 0;
}

/**
 * bind_channel - make a channel a device, and print that
 * @spec: [NAME=]CHANNEL
 * @changes: settings that it is to have, or NULL
 *
 * Return: 0, or -1 after it said why.
 */
int bind_channel(const char *spec, struct changes *changes)
{
	int fd, ret;

	/* sysfs would not even be asked. */
	if (!*spec) {
		errno = EINVAL;
		complain_bind(spec);
		return -1;
	}
	fd = open_attribute(SYSFS_BIND, spec);
	if (fd < 0)
		return -1;
	ret = bind_and_change(fd, spec, changes);
	close(fd);
	return ret;
}

/**
 * unbind_device - give a channel back
 * @name: of the device, or that which it was given
 *
 * Return: 0, or -1 after it said why.
 */
int unbind_device(const char *name)
{
	int fd, ret;

	fd = open_attribute(SYSFS_UNBIND, name);
	if (fd < 0)
		return -1;
	ret = *name ? write(fd, name, strlen(name)) : -1;
	if (ret < 0) {
		if (!*name)
			errno = ENODEV;
		complain(errno == ENODEV ? "no such device" : strerror(errno), "%s", name);
	}
	close(fd);
	return ret < 0 ? -1 : 0;
}
