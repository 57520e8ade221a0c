// SPDX-License-Identifier: GPL-2.0
/*
 * The file that is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

/**
 * source_open - open the file to read
 * @source: what is filled in
 * @name: its name, or "-" for standard input
 *
 * Return: 0, or -1 after it said why.
 */
int source_open(struct source *source, const char *name)
{
	bool is_stdin = !strcmp(name, "-");

	source->name = is_stdin ? "standard input" : name;
	source->fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (source->fd >= 0 && !fstat(source->fd, &source->stat)) {
		if (!S_ISDIR(source->stat.st_mode))
			return 0;
		errno = EISDIR;
	}
	complain_errno("%s", source->name);
	source_close(source);
	return -1;
}

/* How much there is to read, or 0 when nobody knows. */
uint64_t source_bytes(const struct source *source)
{
	return S_ISREG(source->stat.st_mode) ? source->stat.st_size : 0;
}

void source_close(struct source *source)
{
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
}
