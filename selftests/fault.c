// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments in memory that is hard to get at: pages that somebody has to bring
 * first, and pages that are the buffers themselves. Whoever waits for such memory
 * inside of a call may hold up nobody else, and no unbind above all.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "udma_sim.h"

/* A page that is not there until it is given: who touches it sleeps. */
struct lazy {
	int fd;
	unsigned char *mem;
};

static int try_lazy_make(struct lazy *lazy)
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
static int try_lazy_wait(const struct lazy *lazy)
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

static int try_lazy_give(const struct lazy *lazy, const void *content,
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

/* A call with an argument in such a page, made by a thread of its own. */
struct call {
	pthread_t thread;
	pid_t tid;
	int fd;
	unsigned long nr;	/* of the ioctl, 0 for read() */
	void *arg;
	int ret;
	int error;
};

static void *make_call(void *data)
{
	struct call *call = data;

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	if (call->nr)
		call->ret = ioctl(call->fd, call->nr, call->arg);
	else
		call->ret = read(call->fd, call->arg, page_bytes());
	call->error = errno_of(call->ret);
	return NULL;
}

static int try_call_start(struct call *call)
{
	errno = pthread_create(&call->thread, NULL, make_call, call);
	return errno ? -1 : 0;
}

static int try_call_join(struct call *call)
{
	errno = pthread_join(call->thread, NULL);
	return errno ? -1 : 0;
}

/* All the arguments there are */
union argument {
	struct udma_info info;
	struct udma_buffer_alloc alloc;
	struct udma_buffer_free free;
	struct udma_submit submit;
	struct udma_eventfd eventfd;
	struct udma_request request;
	struct udma_event event;
};

FIXTURE(call)
{
	struct sim sim;
	int fd;
	struct lazy lazy;
	struct udma_request fill;
	union argument argument;	/* what is to be in the page */
	struct udma_submit submit;	/* whose array is the page */
	struct call call;
	bool is_bound;
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

FIXTURE_VARIANT_ADD(call, eventfd) {
	.nr = UDMA_EVENTFD,
	.error_after_unbind = ENODEV,
};

/* An event that is there is given, channel or not. */
FIXTURE_VARIANT_ADD(call, read) {
	.ret = sizeof(struct udma_event),
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
	case UDMA_EVENTFD:
		argument->eventfd.size = sizeof(argument->eventfd);
		argument->eventfd.fd = -1;
		break;
	}
}

FIXTURE_SETUP(call)
{
	static const struct sim_config config;
	struct udma_event event;
	struct buffer buffer;

	self->fd = must(try_sim_start(&self->sim, &config));
	self->is_bound = true;
	if (try_lazy_make(&self->lazy))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	must(try_alloc(self->fd, 4096, &buffer));
	self->fill = fill_request(&buffer, 0, 64, 1);
	set_argument(&self->argument, variant->nr, &buffer, &self->fill);
	self->call = (struct call) {
		.fd = self->fd,
		.nr = variant->nr,
		.arg = self->lazy.mem,
	};
	if (variant->is_array) {
		self->submit = self->argument.submit;
		self->submit.requests = (uintptr_t)self->lazy.mem;
		self->argument.request = self->fill;
		self->call.arg = &self->submit;
	}
	/* Something to read. */
	if (!variant->nr) {
		must(try_run(self->fd, self->fill, &event));
		must(try_submit_one(self->fd, self->fill));
		must(try_wait_for(self->fd, POLLIN));
	}
	must(try_call_start(&self->call));
	must(try_lazy_wait(&self->lazy));
}

FIXTURE_TEARDOWN(call)
{
	works(close(self->fd));
	if (self->is_bound)
		works(try_sim_unbind(&self->sim, 0));
	works(try_sim_end(&self->sim));
}

#define GIVE()								\
	do {								\
		must(try_lazy_give(&self->lazy, &self->argument,	\
				   sizeof(self->argument)));		\
		must(try_call_join(&self->call));			\
	} while (0)

TEST_F(call, goes_on_when_its_memory_comes)
{
	GIVE();
	EXPECT_EQ(0, self->call.error);
	EXPECT_EQ(variant->ret, self->call.ret);
}

TEST_F(call, that_waits_for_memory_does_not_hold_up_unbind)
{
	must(try_sim_unbind(&self->sim, 0));
	self->is_bound = false;
	GIVE();
	EXPECT_EQ(variant->error_after_unbind, self->call.error);
}

TEST_F(call, that_waits_for_memory_does_not_hold_up_others)
{
	int other = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct udma_event event;
	struct udma_info info;
	struct buffer buffer;

	must(try_alloc_map(other, 4096, &buffer));
	must(try_run(other, fill_request(&buffer, 0, 64, 1), &event));
	EXPECT_EQ(0, event.status);
	must(try_unmap(&buffer));
	must(close(other));
	/* Nor what has nothing to do with it in the same file. */
	must(try_info(self->fd, &info));
	must(try_alloc_map(self->fd, 4096, &buffer));
	must(try_unmap(&buffer));
	GIVE();
	EXPECT_EQ(0, self->call.error);
}

TEST_F(call, that_waits_for_memory_ends_with_its_program)
{
	struct udma_event event;
	int from_child[2], status;
	struct call call = self->call;
	struct lazy lazy;
	struct buffer buffer;
	pid_t pid;
	char byte;
	int fd;

	must(pipe(from_child));
	pid = must(fork());
	if (pid == 0) {
		/* With a page of its own: the parent's stays with the parent. */
		if (try_lazy_make(&lazy))
			_exit(1);
		if (variant->is_array)
			self->submit.requests = (uintptr_t)lazy.mem;
		else
			call.arg = lazy.mem;
		call.fd = try_sim_open(&self->sim, 0, O_RDWR);
		/* Only what needs no buffer gets beyond its argument. */
		if (!call.nr || try_call_start(&call) || try_lazy_wait(&lazy))
			_exit(2);
		if (write(from_child[1], "x", 1) != 1)
			_exit(3);
		for (;;)
			pause();
	}
	close(from_child[1]);
	if (read(from_child[0], &byte, 1) == 1)
		must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	if (variant->nr) {
		EXPECT_TRUE(WIFSIGNALED(status))
			TH_LOG("status %x", status);
	}

	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc(fd, 4096, &buffer));
	must(try_run(fd, fill_request(&buffer, 0, 64, 1), &event));
	EXPECT_EQ(0, event.status);
	must(close(fd));
	GIVE();
	EXPECT_EQ(0, self->call.error);
}

static void ignore(int signal)
{
	(void)signal;
}

TEST_F(call, that_waits_for_another_can_be_interrupted)
{
	const struct sigaction action = { .sa_handler = ignore };
	union argument argument;
	struct call second;

	/* Only those two keep an order among callers. */
	if (variant->nr && !variant->is_array) {
		GIVE();
		EXPECT_EQ(0, self->call.error);
		return;
	}
	set_argument(&argument, variant->nr, NULL, &self->fill);
	second = (struct call) {
		.fd = self->fd,
		.nr = variant->nr,
		.arg = &argument,
	};
	must(sigaction(SIGUSR1, &action, NULL));
	must(try_call_start(&second));
	while (!__atomic_load_n(&second.tid, __ATOMIC_ACQUIRE))
		sched_yield();
	must(wait_blocked(second.tid, variant->nr ? SYS_ioctl : SYS_read));
	ASSERT_EQ(0, pthread_kill(second.thread, SIGUSR1));
	must(try_call_join(&second));
	EXPECT_EQ(EINTR, second.error);
	GIVE();
	EXPECT_EQ(0, self->call.error);
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
	unsigned int i, round;
	int taken;

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
