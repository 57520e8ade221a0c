// SPDX-License-Identifier: GPL-2.0
/*
 * The file that is written. A regular file is replaced when all of it is there
 * and not before; anything else (a pipe, a device) is written as it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

#define TEMPORARY ".udmactl.XXXXXX"

/* The path of a file that is not there yet, without links in its directory. */
static char *new_path(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	char *directory, *real, *path = NULL;

	directory = slash ? strndup(name, base - name) : strdup(".");
	if (!directory)
		return NULL;
	real = realpath(directory, NULL);
	free(directory);
	if (real && asprintf(&path, "%s/%s", real, base) < 0)
		path = NULL;
	free(real);
	return path;
}

/* Whether there can be a file of this name that is not there yet. */
static bool is_new_name(const char *name)
{
	size_t length = strlen(name);
	struct stat link;

	errno = ENOTDIR;
	if (length && name[length - 1] == '/')
		return false;
	/* A link that leads nowhere: to replace it is hardly what is meant. */
	errno = ENOENT;
	return length && lstat(name, &link) < 0;
}

static int create_temporary(struct target *target)
{
	int length = strrchr(target->path, '/') + 1 - target->path;
	int fd;

	if (asprintf(&target->temporary, "%.*s" TEMPORARY, length, target->path) < 0) {
		target->temporary = NULL;
		return -1;
	}
	fd = cleanup_create(target->temporary);
	if (fd < 0) {
		free(target->temporary);
		target->temporary = NULL;
	}
	return fd;
}

/*
 * As the file that is replaced, as far as we may and the file system can. As it
 * was created only we may read it, so what fails here lets nobody in.
 */
static void keep_access(int fd, const struct stat *old)
{
	mode_t mode = old->st_mode & 07777;

	if (fchown(fd, old->st_uid, old->st_gid) < 0) {
		mode &= 0777;
		/* What its group may is not for ours. */
		if (fchown(fd, -1, old->st_gid) < 0)
			mode &= ~070;
	}
	fchmod(fd, mode);
}

/* As a copy of the source; as any new file when that is not a regular one. */
static void give_access(int fd, const struct stat *source)
{
	mode_t mask = umask(0);
	bool regular = source && S_ISREG(source->st_mode);

	umask(mask);
	fchmod(fd, (regular ? source->st_mode & 0777 : 0666) & ~mask);
}

/* @old is what is to be replaced, or NULL. */
static int open_temporary(struct target *target, const struct stat *old,
			  const struct stat *source)
{
	if (!old && !is_new_name(target->name))
		return -1;
	target->path = old ? realpath(target->name, NULL) : new_path(target->name);
	if (!target->path)
		return -1;
	target->fd = create_temporary(target);
	if (target->fd < 0)
		return -1;
	if (old)
		keep_access(target->fd, old);
	else
		give_access(target->fd, source);
	return 0;
}

static int open_target(struct target *target, const struct stat *source)
{
	struct stat old;

	if (stat(target->name, &old) < 0)
		return errno == ENOENT ? open_temporary(target, NULL, source) : -1;
	if (S_ISREG(old.st_mode)) {
		/* The directory is what is written, but that is not what is asked. */
		if (faccessat(AT_FDCWD, target->name, W_OK, AT_EACCESS) < 0)
			return -1;
		return open_temporary(target, &old, source);
	}
	target->fd = open(target->name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return target->fd < 0 ? -1 : 0;
}

/**
 * target_open - open the file to write to
 * @target: what is filled in
 * @name: its name, or "-" for standard output
 * @source: the file that it will be a copy of, or NULL
 *
 * Return: 0, or -1 after it said why.
 */
int target_open(struct target *target, const char *name, const struct stat *source)
{
	*target = (struct target) { .name = name, .fd = -1 };
	if (!strcmp(name, "-")) {
		target->name = "standard output";
		target->fd = STDOUT_FILENO;
		return 0;
	}
	if (!open_target(target, source))
		return 0;
	complain_errno("%s", name);
	target_discard(target);
	return -1;
}

static void wait_for_reader(const struct target *target)
{
	struct pollfd poll_target = { .fd = target->fd, .events = POLLOUT };

	poll(&poll_target, 1, -1);
}

/**
 * target_write - write behind what was written
 * @target: the target
 * @data: what to write
 * @bytes: how much
 *
 * Return: how much was written; less than @bytes only when the user wants it to end. Or -1
 * with errno.
 */
ssize_t target_write(struct target *target, const void *data, size_t bytes)
{
	size_t done = 0;
	ssize_t count;

	while (done < bytes) {
		count = write(target->fd, (const char *)data + done, bytes - done);
		if (count >= 0)
			done += count;
		else if (errno == EAGAIN)
			wait_for_reader(target);
		else if (errno != EINTR)
			return -1;
		if (count < 0 && cleanup_deferred())
			break;
	}
	return done;
}

/**
 * target_commit - put what was written in its place
 * @target: the target; nothing of it is left to discard
 *
 * Return: 0, or -1 after it said why.
 */
int target_commit(struct target *target)
{
	int ret;

	/* Some file systems tell only here that there was no room. */
	ret = target->fd == STDOUT_FILENO ? 0 : close(target->fd);
	target->fd = -1;
	if (!ret && target->temporary)
		ret = cleanup_rename(target->temporary, target->path);
	if (ret) {
		complain_errno("%s", target->name);
	} else {
		free(target->temporary);
		target->temporary = NULL;
	}
	target_discard(target);
	return ret;
}

/* Leave everything as if it had never been opened. */
void target_discard(struct target *target)
{
	if (target->fd >= 0 && target->fd != STDOUT_FILENO)
		close(target->fd);
	target->fd = -1;
	if (target->temporary)
		cleanup_remove(target->temporary);
	free(target->temporary);
	target->temporary = NULL;
	free(target->path);
	target->path = NULL;
}
