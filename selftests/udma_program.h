/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that use a channel: one with two buffers, of which it copies one to the
 * other; what it finds; and the next one, which has to find everything in order.
 */
#ifndef UDMA_PROGRAM_H
#define UDMA_PROGRAM_H

#include <sys/socket.h>

#include "udma_sim.h"

/* The time of it is over as soon as it begins; and never, in a test. */
#define AT_ONCE	1ULL
#define AN_HOUR	(3600 * 1000000000ULL)

struct program {
	int fd;
	struct buffer dst;
	struct buffer src;
	struct udma_request copy;
};

static inline int try_program_start(struct program *program,
				    const struct sim *sim, int flags,
				    size_t bytes)
{
	program->fd = try_sim_open(sim, 0, O_RDWR | flags);
	if (program->fd < 0 ||
	    try_alloc_map(program->fd, bytes, &program->dst) ||
	    try_alloc_map(program->fd, bytes, &program->src))
		return -1;
	program->copy = copy_request(&program->dst, 0, &program->src, 0, bytes);
	copy_prepare(&program->dst, &program->src, &program->copy);
	return 0;
}

static inline int try_program_end(const struct program *program)
{
	if (munmap(program->dst.mem, program->dst.map_bytes) ||
	    munmap(program->src.mem, program->src.map_bytes))
		return -1;
	return close(program->fd);
}

static inline const char *program_verdict(const struct program *program)
{
	return copy_verdict(&program->dst, &program->src, &program->copy);
}

static inline struct udma_request fenced(struct udma_request request)
{
	request.flags |= UDMA_REQUEST_F_FENCE;
	return request;
}

static inline struct udma_request timed(struct udma_request request,
					__u64 timeout_ns)
{
	request.timeout_ns = timeout_ns;
	return request;
}

/* There is one event now and no more, and this is what it says. */
#define ends_as(_fd, _sequence, _status, _bytes)			\
	do {								\
		struct udma_event __events[2] = {};			\
									\
		ASSERT_EQ(1, must(try_read_now(_fd, __events, 2)));	\
		EXPECT_EQ(_sequence, __events[0].sequence);		\
		EXPECT_EQ(_status, __events[0].status);			\
		EXPECT_EQ(_bytes, __events[0].bytes);			\
		EXPECT_EQ(UDMA_EVENT_F_EXACT, __events[0].flags);	\
	} while (0)

#define has_not_ended(_fd)						\
	EXPECT_EQ(POLLOUT, poll_now(_fd))

/* Run all that the controller has, and what it is given because of that. */
static inline int try_drain(const struct sim *sim)
{
	__u64 end = 0;

	do {
		if (sim_get(sim, "pending") == 0)
			return 0;
		if (try_step(sim, 0))
			return -1;
	} while (look_again(&end));
	return -1;
}

/* Another program comes, and finds the channel in order. */
static inline const char *next_program(const struct sim *sim)
{
	struct udma_request request;
	struct buffer dst, src;
	struct udma_event event;
	const char *verdict;
	int fd;

	if (try_sim_set(sim, "step_mode", 0))
		return "step_mode cannot be set";
	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0)
		return "cannot be opened";
	if (try_alloc_map(fd, 10000, &dst) || try_alloc_map(fd, 10000, &src))
		return "no memory";
	if (find_other(dst.mem, dst.map_bytes, 0) >= 0)
		return "memory is not zero";
	request = copy_request(&dst, 100, &src, 200, 9000);
	copy_prepare(&dst, &src, &request);
	if (try_run(fd, request, &event))
		return strerror(errno);
	verdict = event.status ? strerror(-event.status) :
				 copy_verdict(&dst, &src, &request);
	/* For who counts what the controller has ended. */
	if (try_wait_pending(sim, 0))
		return "not all has ended";
	try_unmap(&dst);
	try_unmap(&src);
	close(fd);
	return verdict;
}

/* Descriptors that go from one process to another */

static inline int try_send_fd(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {
		.header = {
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		},
	};
	struct iovec data = { "x", 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0);
}

static inline int try_receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 ||
	    control.header.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* How many have the driver's module: open files, channels that failed. */
static inline int module_users(void)
{
	char text[16];

	if (try_read_text("/sys/module/udma/refcnt", text, sizeof(text)))
		return -1;
	return strtol(text, NULL, 10);
}

#endif /* UDMA_PROGRAM_H */
