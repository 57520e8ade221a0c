/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that somebody has to bring first: a call that touches it sleeps inside,
 * in the middle of its copy from or to the program.
 */
#ifndef UDMA_LAZY_H
#define UDMA_LAZY_H

#include <linux/userfaultfd.h>
#include <stdlib.h>

#include "udma_test.h"

/* Why a test is skipped where try_lazy_make() fails. */
#define NO_LAZY		"the kernel has no userfaultfd"

/* A page that is not there until it is given: who touches it sleeps. */
struct lazy {
	int fd;
	unsigned char *mem;
};

static inline int try_lazy_make(struct lazy *lazy)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range.len = page_bytes(),
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	lazy->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (lazy->fd < 0)
		return -1;
	lazy->mem = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lazy->mem == MAP_FAILED || ioctl(lazy->fd, UFFDIO_API, &api))
		return -1;
	range.range.start = (uintptr_t)lazy->mem;
	return ioctl(lazy->fd, UFFDIO_REGISTER, &range);
}

/* Somebody sleeps for it. */
static inline int try_lazy_wait(const struct lazy *lazy)
{
	struct uffd_msg msg;

	if (try_wait_for(lazy->fd, POLLIN) < 0 ||
	    read(lazy->fd, &msg, sizeof(msg)) != sizeof(msg))
		return -1;
	if (msg.event == UFFD_EVENT_PAGEFAULT)
		return 0;
	errno = EPROTO;
	return -1;
}

static inline int try_lazy_give(const struct lazy *lazy, const void *content,
				size_t bytes)
{
	struct uffdio_copy copy = { .len = page_bytes() };
	unsigned char *page = calloc(1, page_bytes());
	int ret;

	if (!page)
		return -1;
	memcpy(page, content, bytes);
	copy.src = (uintptr_t)page;
	copy.dst = (uintptr_t)lazy->mem;
	ret = ioctl(lazy->fd, UFFDIO_COPY, &copy);
	free(page);
	return ret;
}

#endif /* UDMA_LAZY_H */
