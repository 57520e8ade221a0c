// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments in memory that is hard to get at: pages that somebody has to bring
 * first, and pages that are the buffers themselves. Whoever waits for such memory
 * inside of a call may hold up nobody else, and no unbind above all.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_lazy.h"
#include "udma_queue.h"
#include "udma_sim.h"

/* A call with an argument in such a page */
struct call {
	struct sleeper sleeper;
	int fd;
	unsigned long nr;	/* of the ioctl, 0 for read() */
	void *arg;
};

static long make_call(void *data)
{
	struct call *call = data;

	if (call->nr)
		return ioctl(call->fd, call->nr, call->arg);
	return read(call->fd, call->arg, sizeof(struct udma_event));
}

static int try_call_start(struct call *call)
{
	return try_sleeper_create(&call->sleeper, make_call, call);
}

/* All the arguments there are */
union argument {
	struct udma_info info;
	struct udma_buffer_alloc alloc;
	struct udma_buffer_free free;
	struct udma_submit submit;
	struct udma_cancel cancel;
	struct udma_eventfd eventfd;
	struct udma_queue_setup setup;
	struct udma_enter enter;
	struct udma_request request;
	struct udma_event event;
};

/*
 * A file with a call that sleeps for its memory. Not to have userfaultfd is a
 * reason to skip: then @has_lazy is not set.
 */
struct stuck {
	struct sim sim;
	int fd;
	bool has_lazy;
	struct lazy lazy;
	struct udma_request fill;
	union argument argument;	/* what is to be in the page */
	struct udma_submit submit;	/* whose array is the page */
	struct call call;
};

static void set_argument(union argument *argument, unsigned long nr,
			 const struct buffer *buffer,
			 const struct udma_request *request)
{
	memset(argument, 0, sizeof(*argument));
	switch (nr) {
	case UDMA_INFO:
		argument->info.size = sizeof(argument->info);
		break;
	case UDMA_BUFFER_ALLOC:
		argument->alloc.size = sizeof(argument->alloc);
		argument->alloc.bytes = 1;
		break;
	case UDMA_BUFFER_FREE:
		argument->free.size = sizeof(argument->free);
		argument->free.handle = buffer->handle;
		break;
	case UDMA_SUBMIT:
		argument->submit = (struct udma_submit) {
			.size = sizeof(argument->submit),
			.requests = (uintptr_t)request,
			.count = 1,
			.request_bytes = sizeof(*request),
		};
		break;
	case UDMA_CANCEL:
		argument->cancel.size = sizeof(argument->cancel);
		argument->cancel.flags = UDMA_CANCEL_F_ALL;
		break;
	case UDMA_EVENTFD:
		argument->eventfd.size = sizeof(argument->eventfd);
		argument->eventfd.fd = -1;
		break;
	case UDMA_QUEUE_SETUP:
		argument->setup = (struct udma_queue_setup) {
			.size = sizeof(argument->setup),
			.submit_entries = 16,
			.complete_entries = 16,
			.request_bytes = sizeof(*request),
		};
		break;
	case UDMA_ENTER:
		argument->enter.size = sizeof(argument->enter);
		break;
	}
}

/* Make the call, on a file that may be another one, and see it sleep. */
static int try_stuck_call(struct stuck *stuck, unsigned long nr, bool is_array)
{
	struct buffer buffer;

	if (try_alloc(stuck->fd, 4096, &buffer))
		return -1;
	stuck->fill = fill_request(&buffer, 0, 64, 1);
	set_argument(&stuck->argument, nr, &buffer, &stuck->fill);
	stuck->call = (struct call) {
		.fd = stuck->fd,
		.nr = nr,
		.arg = stuck->lazy.mem,
	};
	if (is_array) {
		stuck->submit = stuck->argument.submit;
		stuck->submit.requests = (uintptr_t)stuck->lazy.mem;
		stuck->argument.request = stuck->fill;
		stuck->call.arg = &stuck->submit;
	}
	if (nr == UDMA_ENTER &&
	    try_setup(stuck->fd, 16, 16, &(struct udma_queue_setup){}))
		return -1;
	/* Something to read. */
	if (!nr && (try_submit_one(stuck->fd, stuck->fill) != 1 ||
		    try_wait_for(stuck->fd, POLLIN) < 0))
		return -1;
	if (try_call_start(&stuck->call))
		return -1;
	return try_lazy_wait(&stuck->lazy);
}

static int try_stuck_start(struct stuck *stuck, unsigned long nr, bool is_array)
{
	static const struct sim_config config;

	stuck->fd = try_sim_start(&stuck->sim, &config);
	if (stuck->fd < 0)
		return -1;
	stuck->has_lazy = !try_lazy_make(&stuck->lazy);
	if (!stuck->has_lazy)
		return 0;
	return try_stuck_call(stuck, nr, is_array);
}

/* The memory comes, and the call ends. */
static int try_stuck_end(struct stuck *stuck)
{
	if (try_lazy_give(&stuck->lazy, &stuck->argument,
			  sizeof(stuck->argument)))
		return -1;
	return try_sleeper_join(&stuck->call.sleeper);
}

FIXTURE(call)
{
	struct stuck stuck;
	struct sim *sim;
	struct call *call;
	bool is_unbound;
};

FIXTURE_VARIANT(call)
{
	unsigned long nr;
	bool is_array;
	int ret;		/* when all is well */
	int error_after_unbind;
};

FIXTURE_VARIANT_ADD(call, info) {
	.nr = UDMA_INFO,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, buffer_alloc) {
	.nr = UDMA_BUFFER_ALLOC,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, buffer_free) {
	.nr = UDMA_BUFFER_FREE,
};

FIXTURE_VARIANT_ADD(call, submit) {
	.nr = UDMA_SUBMIT,
	.ret = 1,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, submit_of_an_array) {
	.nr = UDMA_SUBMIT,
	.is_array = true,
	.ret = 1,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, cancel) {
	.nr = UDMA_CANCEL,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, eventfd) {
	.nr = UDMA_EVENTFD,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, queue_setup) {
	.nr = UDMA_QUEUE_SETUP,
	.error_after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(call, enter) {
	.nr = UDMA_ENTER,
	.error_after_unbind = ENODEV,
};

/* An event that is there is given, channel or not. */
FIXTURE_VARIANT_ADD(call, read) {
	.ret = sizeof(struct udma_event),
};

FIXTURE_SETUP(call)
{
	self->sim = &self->stuck.sim;
	self->call = &self->stuck.call;
	must(try_stuck_start(&self->stuck, variant->nr, variant->is_array));
}

FIXTURE_TEARDOWN(call)
{
	works(close(self->stuck.fd));
	if (!self->is_unbound)
		works(try_sim_unbind(self->sim, 0));
	works(try_sim_end(self->sim));
}

TEST_F(call, goes_on_when_its_memory_comes)
{
	if (!self->stuck.has_lazy)
		SKIP(return, NO_LAZY);
	must(try_stuck_end(&self->stuck));
	EXPECT_EQ(0, self->call->sleeper.error);
	EXPECT_EQ(variant->ret, self->call->sleeper.ret);
}

TEST_F(call, that_waits_for_memory_does_not_hold_up_unbind)
{
	if (!self->stuck.has_lazy)
		SKIP(return, NO_LAZY);
	must(try_sim_unbind(self->sim, 0));
	self->is_unbound = true;
	must(try_stuck_end(&self->stuck));
	EXPECT_EQ(variant->error_after_unbind, self->call->sleeper.error);
}

/* A program that finds everything as if nothing were the matter. */
static int try_other_program(const struct sim *sim)
{
	int fd = try_sim_open(sim, 0, O_RDWR);
	struct udma_event event;
	struct buffer buffer;

	if (fd < 0 || try_alloc_map(fd, 4096, &buffer) ||
	    try_run(fd, fill_request(&buffer, 0, 64, 1), &event) ||
	    try_unmap(&buffer) || try_free(fd, buffer.handle))
		return -1;
	errno = -event.status;
	return close(fd) || event.status ? -1 : 0;
}

TEST_F(call, that_waits_for_memory_does_not_hold_up_others)
{
	struct udma_info info;
	struct buffer buffer;

	if (!self->stuck.has_lazy)
		SKIP(return, NO_LAZY);
	must(try_other_program(self->sim));
	/* Nor what has nothing to do with it in the same file. */
	must(try_info(self->stuck.fd, &info));
	must(try_alloc_map(self->stuck.fd, 4096, &buffer));
	must(try_unmap(&buffer));
	must(try_stuck_end(&self->stuck));
	EXPECT_EQ(0, self->call->sleeper.error);
}

TEST_F(call, that_waits_for_memory_ends_with_its_program)
{
	struct stuck stuck = { .sim = *self->sim };
	int from_child[2], status;
	pid_t pid;
	char byte;

	if (!self->stuck.has_lazy)
		SKIP(return, NO_LAZY);
	must(try_stuck_end(&self->stuck));
	must(pipe(from_child));
	pid = must(fork());
	if (pid == 0) {
		stuck.fd = try_sim_open(&stuck.sim, 0, O_RDWR);
		if (stuck.fd < 0 || try_lazy_make(&stuck.lazy) ||
		    try_stuck_call(&stuck, variant->nr, variant->is_array) ||
		    write(from_child[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	must(close(from_child[1]));
	if (read(from_child[0], &byte, 1) == 1)
		must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status))
		TH_LOG("status %x", status);
	must(try_other_program(self->sim));
}

/* The calls that keep an order among callers: the second waits for the first. */

FIXTURE(turn)
{
	struct stuck stuck;
};

FIXTURE_VARIANT(turn)
{
	unsigned long nr;
	bool is_array;
	long blocked_in;
};

FIXTURE_VARIANT_ADD(turn, submit) {
	.nr = UDMA_SUBMIT,
	.is_array = true,
	.blocked_in = SYS_ioctl,
};

FIXTURE_VARIANT_ADD(turn, read) {
	.blocked_in = SYS_read,
};

FIXTURE_SETUP(turn)
{
	must(try_stuck_start(&self->stuck, variant->nr, variant->is_array));
}

FIXTURE_TEARDOWN(turn)
{
	works(close(self->stuck.fd));
	works(try_sim_finish(&self->stuck.sim));
}

static void ignore(int signal)
{
	(void)signal;
}

TEST_F(turn, that_is_waited_for_ends_with_a_signal)
{
	const struct sigaction action = { .sa_handler = ignore };
	struct stuck *stuck = &self->stuck;
	union argument argument;
	struct call second = {
		.fd = stuck->fd,
		.nr = variant->nr,
		.arg = &argument,
	};

	if (!stuck->has_lazy)
		SKIP(return, NO_LAZY);
	set_argument(&argument, variant->nr, NULL, &stuck->fill);
	must(sigaction(SIGUSR1, &action, NULL));
	must(try_call_start(&second));
	must(try_sleeper_wait(&second.sleeper, variant->blocked_in));
	must(try_sleeper_signal(&second.sleeper, SIGUSR1));
	must(try_sleeper_join(&second.sleeper));
	EXPECT_EQ(EINTR, second.sleeper.error);
	must(try_stuck_end(stuck));
	EXPECT_EQ(0, stuck->call.sleeper.error);
}

/* Arguments in a buffer: in memory that the driver itself has mapped */

FIXTURE(own)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct udma_request fill;
};

FIXTURE_SETUP(own)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, 64 * KIB, &self->buffer));
	self->fill = fill_request(&self->buffer, 32 * KIB, 64, 1);
}

FIXTURE_TEARDOWN(own)
{
	works(close(self->fd));
	works(try_sim_end(&self->sim));
}

TEST_F(own, memory_takes_structures)
{
	struct udma_info *info = (void *)self->buffer.mem;
	struct udma_buffer_alloc *alloc = (void *)self->buffer.mem;

	info->size = sizeof(*info);
	must(ioctl(self->fd, UDMA_INFO, info));
	EXPECT_STREQ(self->sim.name, info->out_name);
	memset(alloc, 0, sizeof(*alloc));
	alloc->size = sizeof(*alloc);
	alloc->bytes = 1;
	must(ioctl(self->fd, UDMA_BUFFER_ALLOC, alloc));
	EXPECT_NE(0, alloc->out_handle);
	must(try_sim_unbind(&self->sim, 0));
}

TEST_F(own, memory_takes_requests_and_events)
{
	struct udma_request *requests = (void *)self->buffer.mem;
	struct udma_event *events = (void *)(self->buffer.mem + 16 * KIB);
	unsigned int i;

	for (i = 0; i < 100; i++)
		requests[i] = self->fill;
	must(try_submit_all(self->fd, requests, 100));
	must(try_collect(self->fd, events, 100));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(0, events[i].status);
	must(try_sim_unbind(&self->sim, 0));
}

/* A fill may overwrite the very requests; what counts is what was taken. */
TEST_F(own, memory_can_change_under_its_requests)
{
	struct udma_request *requests = (void *)self->buffer.mem;
	struct udma_event events[32];
	unsigned int round;
	int taken, i;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < 32; i++)
			requests[i] = fill_request(&self->buffer, 0,
						   32 * sizeof(*requests),
						   0xff);
		taken = must(try_submit(self->fd, requests, 32));
		must(try_collect(self->fd, events, taken));
		for (i = 0; i < taken; i++) {
			EXPECT_EQ(0, events[i].status);
			EXPECT_EQ(32 * sizeof(*requests), events[i].bytes);
		}
	}
	must(try_sim_unbind(&self->sim, 0));
}

TEST_F(own, memory_that_is_gone_is_bad_memory)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_one(self->fd, self->fill));
	must(try_sim_unbind(&self->sim, 0));
	fails(EFAULT, ioctl(self->fd, UDMA_BUFFER_FREE, self->buffer.mem));
	fails(EFAULT, read(self->fd, self->buffer.mem, 4096));
	EXPECT_EQ(1, try_read(self->fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
}

TEST_HARNESS_MAIN
