// SPDX-License-Identifier: GPL-2.0
/*
 * Copies a text from one buffer to another through a DMA channel:
 * copy-uapi [/dev/udmaN]
 */
#define _FILE_OFFSET_BITS 64 /* the offsets for mmap() need 64 bits */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <udma/udma.h>

#define BYTES 4096

/* A buffer of the channel, mapped; the kernel zeroed it. */
static char *make_buffer(int fd, __u32 *handle)
{
	struct udma_buffer_alloc alloc = { .size = sizeof(alloc), .bytes = BYTES };
	char *mem;

	if (ioctl(fd, UDMA_BUFFER_ALLOC, &alloc) < 0)
		err(1, "UDMA_BUFFER_ALLOC");
	mem = mmap(NULL, alloc.out_map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   alloc.out_mmap_offset);
	if (mem == MAP_FAILED)
		err(1, "mmap");
	*handle = alloc.out_handle;
	return mem;
}

int main(int argc, char **argv)
{
	struct udma_request request = { .op = UDMA_OP_COPY, .user_data = 42, .bytes = BYTES };
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)&request,
		.count = 1,
		.request_bytes = sizeof(request),
	};
	struct udma_event event;
	char *src, *dst;
	int fd;

	fd = open(argc > 1 ? argv[1] : "/dev/udma0", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "open");
	src = make_buffer(fd, &request.src_handle);
	dst = make_buffer(fd, &request.dst_handle);
	strcpy(src, "through a DMA channel");

	if (ioctl(fd, UDMA_SUBMIT, &submit) < 0)
		err(1, "UDMA_SUBMIT");
	/* Here the program does something else; read() waits for the end. */
	if (read(fd, &event, sizeof(event)) < 0)
		err(1, "read");
	if (event.status) {
		errno = -event.status;
		err(1, "the transfer");
	}
	printf("transfer %llu: %llu bytes: %s\n", (unsigned long long)event.user_data,
	       (unsigned long long)event.bytes, dst);
	return 0; /* What is open, mapped or allocated goes with the process. */
}
