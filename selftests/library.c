// SPDX-License-Identifier: GPL-2.0
/*
 * libudma: what its header promises. That a program may include it beside the
 * kernel's own header is shown by this file.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <libudma.h>

#include "udma_library.h"
#include "udma_sim.h"

#define BYTES		(16 * KIB)
#define AN_HOUR		(3600 * 1000000000ULL)

FIXTURE(library)
{
	struct sim sim;
	struct udma_channel *channel;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	struct udma_transfer *transfer;
	struct udma_completions *completions;
	unsigned char *to;
	unsigned char *from;
};

FIXTURE_VARIANT(library)
{
	struct sim_config config;
};

/* One channel, so that what is bound as "memcpy" elsewhere is none of ours. */
FIXTURE_VARIANT_ADD(library, plain)
{
	.config = { .channels = 1 },
};

FIXTURE_VARIANT_ADD(library, small_segments)
{
	.config = { .channels = 1, .max_segment = 4096, .align = 64 },
};

FIXTURE_SETUP(library)
{
	must(try_sim_make(&self->sim, &variant->config));
	must(try_sim_bind(&self->sim, 0));
	self->channel = made(udma_channel_open(self->sim.name));
	self->dst = made(udma_buffer_alloc(self->channel, BYTES));
	self->src = made(udma_buffer_alloc(self->channel, BYTES));
	self->transfer = made(udma_transfer_new());
	self->completions = made(udma_completions_new(300));
	self->to = udma_buffer_get_data(self->dst);
	self->from = udma_buffer_get_data(self->src);
	pattern_write(self->to, 0, BYTES, PATTERN_STALE);
	pattern_write(self->from, 0, BYTES, PATTERN_SOURCE);
}

FIXTURE_TEARDOWN(library)
{
	udma_completions_free(self->completions);
	udma_transfer_free(self->transfer);
	udma_buffer_free(self->src);
	udma_buffer_free(self->dst);
	udma_channel_close(self->channel);
	/* A test may have unbound it. */
	try_sim_unbind(&self->sim, 0);
	EXPECT_EQ(0, try_sim_end(&self->sim));
}

/* As many completions as that, however long they take. */
static int try_complete(struct udma_channel *channel,
			struct udma_completions *completions, size_t count)
{
	size_t have = 0;
	ssize_t ret;

	while (have < count) {
		if (udma_channel_wait(channel, -1) < 0)
			return -1;
		ret = udma_channel_read(channel, completions, count - have);
		if (ret < 0)
			return -1;
		have += ret;
	}
	return 0;
}

/* The only completion that was read, or NULL. */
static const struct udma_completion *
only(const struct udma_completions *completions)
{
	if (udma_completions_get_count(completions) != 1)
		return NULL;
	return udma_completions_get(completions, 0);
}

/* Files of the channel in sysfs */

static void chan_path(const struct sim *sim, const char *attribute, char *path,
		      size_t bytes)
{
	char node[32] = "none";

	try_find_node(sim->name, node, sizeof(node));
	snprintf(path, bytes, UDMA_CLASS "/%s/%s", node, attribute);
}

static int try_attribute_set(const struct sim *sim, const char *attribute,
			     const char *text)
{
	char path[128];

	chan_path(sim, attribute, path, sizeof(path));
	return try_write_text(path, text);
}

static int try_chan_wait(const struct sim *sim, const char *attribute,
			 const char *wanted)
{
	char path[128], text[32] = "";
	__u64 end = 0;

	chan_path(sim, attribute, path, sizeof(path));
	do {
		if (try_read_text(path, text, sizeof(text)))
			return -1;
		if (!strcmp(text, wanted))
			return 0;
	} while (look_again(&end));
	return -1;
}

static enum udma_channel_state state_of(struct udma_channel *channel)
{
	struct udma_channel_info *info = udma_channel_get_info(channel);
	enum udma_channel_state state;

	if (!info)
		return -1;
	state = udma_channel_info_get_state(info);
	udma_channel_info_free(info);
	return state;
}

/* What the library asks of the kernel: its ioctl() is the one below. */

/* The last submission, by UDMA_SUBMIT or UDMA_ENTER. */
static struct {
	unsigned int calls;		/* how many there were */
	unsigned int count;		/* of requests */
	unsigned int more;		/* a bit for each that says so */
	struct udma_enter enter;
	struct udma_queue_setup setup;
} asked;

static void note_request(const struct udma_request *request)
{
	if (request->flags & UDMA_REQUEST_F_MORE)
		asked.more |= 1U << asked.count;
	asked.count++;
}

static void note_submit(const struct udma_submit *submit)
{
	const struct udma_request *requests = (void *)(uintptr_t)submit->requests;
	unsigned int i;

	for (i = 0; i < submit->count; i++)
		note_request(&requests[i]);
}

/* As the kernel sees it: all is where it said that it would be. */
static void note_enter(int fd, const struct udma_enter *enter)
{
	const struct udma_queue_setup *setup = &asked.setup;
	const struct udma_queue_shared *shared;
	const struct udma_request *requests;
	unsigned int i;

	asked.enter = *enter;
	shared = mmap(NULL, setup->out_map_bytes, PROT_READ, MAP_SHARED, fd,
		      setup->out_mmap_offset);
	if (shared == MAP_FAILED)
		return;
	requests = (void *)((char *)shared + setup->out_submit_offset);
	for (i = 0; i < enter->submit; i++)
		note_request(&requests[(shared->submit_head + i) &
				       (setup->submit_entries - 1)]);
	munmap((void *)shared, setup->out_map_bytes);
}

int ioctl(int fd, unsigned long nr, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, nr);
	arg = va_arg(args, void *);
	va_end(args);
	if (nr == UDMA_SUBMIT || nr == UDMA_ENTER) {
		asked.calls++;
		asked.count = 0;
		asked.more = 0;
	}
	if (nr == UDMA_SUBMIT)
		note_submit(arg);
	else if (nr == UDMA_ENTER)
		note_enter(fd, arg);
	ret = syscall(SYS_ioctl, fd, nr, arg);
	if (!ret && nr == UDMA_QUEUE_SETUP)
		asked.setup = *(struct udma_queue_setup *)arg;
	return ret;
}

/* It was of so many requests, and these said that more follow. */
#define has_asked(_count, _more)					\
	do {								\
		EXPECT_EQ(_count, asked.count);				\
		EXPECT_EQ(_more, asked.more);				\
	} while (0)

/* A call in a thread of its own, to be looked at from outside */

struct call {
	struct udma_channel *channel;
	const struct udma_buffer *dst;
	const struct udma_buffer *src;
	struct udma_queue *queue;
	size_t count;
	int64_t timeout_ns;
	int (*run)(struct call *call);
	pthread_t thread;
	pid_t tid;
	bool done;
	int ret;
	int error;
};

static int call_copy(struct call *call)
{
	return udma_channel_copy(call->channel, call->dst, 0, call->src, 0,
				 BYTES);
}

static int call_wait(struct call *call)
{
	return udma_channel_wait(call->channel, -1);
}

static void *call_thread(void *arg)
{
	struct call *call = arg;

	__atomic_store_n(&call->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	call->ret = call->run(call);
	call->error = errno;
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int try_start_call(struct call *call)
{
	errno = pthread_create(&call->thread, NULL, call_thread, call);
	return errno ? -1 : 0;
}

/* Until it sleeps in a system call, SYS_*. */
static int try_wait_call_in(struct call *call, long nr)
{
	pid_t tid;

	while (!(tid = __atomic_load_n(&call->tid, __ATOMIC_ACQUIRE)))
		sched_yield();
	return wait_blocked(tid, nr);
}

/* Until it sleeps in the library's wait. */
static int try_wait_call(struct call *call)
{
	return try_wait_call_in(call, SYS_ppoll);
}

static bool is_done(struct call *call)
{
	return __atomic_load_n(&call->done, __ATOMIC_ACQUIRE);
}

static int try_end_call(struct call *call)
{
	errno = pthread_join(call->thread, NULL);
	if (errno)
		return -1;
	errno = call->error;
	return call->ret;
}

static unsigned int signals_seen;

static void on_signal(int signal)
{
	(void)signal;
	__atomic_add_fetch(&signals_seen, 1, __ATOMIC_RELEASE);
}

static int try_catch(int signal)
{
	struct sigaction action = { .sa_handler = on_signal };

	return sigaction(signal, &action, NULL);
}

/* Until the handler has run. */
static int try_interrupt(struct call *call)
{
	unsigned int before = signals_seen;
	__u64 end = 0;

	errno = pthread_kill(call->thread, SIGUSR1);
	if (errno)
		return -1;
	do {
		if (__atomic_load_n(&signals_seen, __ATOMIC_ACQUIRE) != before)
			return 0;
	} while (look_again(&end));
	return -1;
}

/* Without a channel */

TEST(version)
{
	EXPECT_EQ(0, strncmp("0.1.", udma_version(), 4));
}

TEST(free_nothing_keeps_errno)
{
	errno = EXDEV;
	udma_channel_close(NULL);
	udma_channel_info_free(NULL);
	udma_buffer_free(NULL);
	udma_transfer_free(NULL);
	udma_completions_free(NULL);
	udma_queue_free(NULL);
	EXPECT_EQ(EXDEV, errno);
}

TEST(open_what_is_not_there)
{
	char name[400];

	not_made(ENOENT, udma_channel_open("udma99999"));
	not_made(ENOENT, udma_channel_open("no-such-name"));
	not_made(ENOENT, udma_channel_open("udma"));
	not_made(ENOENT, udma_channel_open("udma0x"));
	not_made(ENOENT, udma_channel_open(""));
	not_made(ENOENT, udma_channel_open("/dev/no-such-node"));
	memset(name, '0', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	not_made(ENOENT, udma_channel_open(name));
	memcpy(name, "udma", 4);
	not_made(ENAMETOOLONG, udma_channel_open(name));
}

TEST(open_what_is_something_else)
{
	not_made(ENOTTY, udma_channel_open("/dev/null"));
	not_made(EISDIR, udma_channel_open("/dev/"));
}

TEST(completions_of_no_or_too_much_capacity)
{
	not_made(EINVAL, udma_completions_new(0));
	not_made(ENOMEM, udma_completions_new(SIZE_MAX / 2));
}

/* Channels */

TEST_F(library, open_by_each_name)
{
	struct udma_channel *channel;
	char node[32], path[40];

	must(try_find_node(self->sim.name, node, sizeof(node)));
	channel = made(udma_channel_open(node));
	udma_channel_close(channel);
	snprintf(path, sizeof(path), "/dev/%s", node);
	channel = made(udma_channel_open(path));
	udma_channel_close(channel);
	/* And by the name it was given: that is how the fixture did it. */
}

TEST_F(library, fd)
{
	int fd = udma_channel_get_fd(self->channel);

	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_NONBLOCK | O_RDWR,
		  fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	EXPECT_EQ(POLLOUT, poll_now(fd));
	udma_transfer_set_fill(self->transfer, self->dst, 0, BYTES, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(POLLIN, must(try_wait_for(fd, POLLIN)));
}

TEST_F(library, close_keeps_errno)
{
	struct udma_channel *channel;

	channel = made(udma_channel_open(self->sim.name));
	errno = EXDEV;
	udma_channel_close(channel);
	EXPECT_EQ(EXDEV, errno);
}

TEST_F(library, info)
{
	int fd = udma_channel_get_fd(self->channel);
	struct udma_channel_info *info;
	struct udma_info kernel;

	must(try_info(fd, &kernel));
	info = made(udma_channel_get_info(self->channel));
	EXPECT_STREQ(self->sim.name, udma_channel_info_get_name(info));
	EXPECT_STREQ(kernel.out_channel, udma_channel_info_get_channel(info));
	EXPECT_STREQ(self->sim.device, udma_channel_info_get_device(info));
	EXPECT_STREQ("udma-sim", udma_channel_info_get_driver(info));
	EXPECT_TRUE(udma_channel_info_can_copy(info));
	EXPECT_TRUE(udma_channel_info_can_fill(info));
	EXPECT_EQ(!!(kernel.out_capabilities & UDMA_CAP_COHERENT),
		  udma_channel_info_is_coherent(info));
	EXPECT_EQ(kernel.out_max_bytes, udma_channel_info_get_max_bytes(info));
	EXPECT_EQ(kernel.out_max_segment_bytes,
		  udma_channel_info_get_max_segment_bytes(info));
	EXPECT_EQ(kernel.out_max_buffers,
		  udma_channel_info_get_max_buffers(info));
	EXPECT_EQ(kernel.out_max_transfers,
		  udma_channel_info_get_max_transfers(info));
	EXPECT_EQ(kernel.out_copy_align,
		  udma_channel_info_get_copy_align(info));
	EXPECT_EQ(kernel.out_fill_align,
		  udma_channel_info_get_fill_align(info));
	udma_channel_info_free(info);
}

TEST_F(library, info_outlives_the_channel)
{
	struct udma_channel_info *info;

	info = made(udma_channel_get_info(self->channel));
	udma_buffer_free(self->dst);
	udma_buffer_free(self->src);
	udma_channel_close(self->channel);
	self->channel = NULL;
	self->dst = NULL;
	self->src = NULL;
	EXPECT_STREQ(self->sim.name, udma_channel_info_get_name(info));
	udma_channel_info_free(info);
}

TEST(info_of_a_channel_that_cannot_fill)
{
	struct sim_config config = { .channels = 1, .no_fill = true };
	struct udma_channel_info *info;
	struct udma_channel *channel;
	struct udma_buffer *dst;
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_sim_bind(&sim, 0));
	channel = made(udma_channel_open(sim.name));
	info = made(udma_channel_get_info(channel));
	EXPECT_FALSE(udma_channel_info_can_fill(info));
	EXPECT_TRUE(udma_channel_info_can_copy(info));
	dst = made(udma_buffer_alloc(channel, BYTES));
	fails(EOPNOTSUPP, udma_channel_fill(channel, dst, 0, BYTES, 1));
	udma_buffer_free(dst);
	udma_channel_info_free(info);
	udma_channel_close(channel);
	must(try_sim_finish(&sim));
}

/* Buffers */

TEST_F(library, buffer)
{
	struct udma_buffer *buffer;
	unsigned char *data;

	buffer = made(udma_buffer_alloc(self->channel, 5000));
	data = udma_buffer_get_data(buffer);
	EXPECT_EQ(0, (uintptr_t)data % page_bytes());
	EXPECT_EQ(5000, udma_buffer_get_bytes(buffer));
	EXPECT_EQ(-1, find_other(data, 5000, 0));
	memset(data, 0xa5, 5000);
	EXPECT_EQ(-1, find_other(data, 5000, 0xa5));
	errno = EXDEV;
	udma_buffer_free(buffer);
	EXPECT_EQ(EXDEV, errno);
	fails(EFAULT, try_touch(data));
}

TEST_F(library, buffer_caching)
{
	struct buffer kernel;

	must(try_alloc(udma_channel_get_fd(self->channel), BYTES, &kernel));
	EXPECT_EQ(kernel.caching == UDMA_CACHING_CACHED,
		  udma_buffer_is_cached(self->dst));
}

TEST_F(library, buffer_of_bad_size)
{
	struct udma_channel_info *info;
	size_t most;

	info = made(udma_channel_get_info(self->channel));
	most = udma_channel_info_get_max_bytes(info);
	udma_channel_info_free(info);
	not_made(EINVAL, udma_buffer_alloc(self->channel, 0));
	not_made(EDQUOT, udma_buffer_alloc(self->channel, most + 1));
	not_made(EDQUOT, udma_buffer_alloc(self->channel, SIZE_MAX));
	/* Nothing was lost by that. */
	must(udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
			       BYTES));
}

/* More than the limit, were they not given back. */
TEST_F(library, buffers_are_given_back)
{
	struct udma_channel_info *info;
	unsigned int left;

	info = made(udma_channel_get_info(self->channel));
	left = udma_channel_info_get_max_buffers(info) + 10;
	udma_channel_info_free(info);
	while (left--)
		udma_buffer_free(made(udma_buffer_alloc(self->channel, 1)));
}

TEST_F(library, buffers_freed_in_any_order)
{
	static const unsigned int order[] = { 2, 0, 4, 1, 3 };
	struct udma_buffer *buffers[5];
	unsigned int i;

	for (i = 0; i < 5; i++)
		buffers[i] = made(udma_buffer_alloc(self->channel, BYTES));
	for (i = 0; i < 5; i++)
		udma_buffer_free(buffers[order[i]]);
	must(udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
			       BYTES));
}

TEST_F(library, buffer_outlives_the_channel)
{
	struct udma_channel *other;

	udma_channel_close(self->channel);
	self->channel = NULL;
	pattern_write(self->to, 0, BYTES, PATTERN_OTHER);
	EXPECT_EQ(BYTES, pattern_differs(self->to, 0, BYTES, PATTERN_OTHER));
	EXPECT_EQ(self->to, udma_buffer_get_data(self->dst));
	EXPECT_EQ(BYTES, udma_buffer_get_bytes(self->dst));

	other = made(udma_channel_open(self->sim.name));
	fails(ENOENT, udma_channel_copy(other, self->dst, 0, self->src, 0,
					BYTES));
	udma_channel_close(other);

	udma_buffer_free(self->dst);
	self->dst = NULL;
	fails(EFAULT, try_touch(self->to));
}

TEST_F(library, buffer_freed_while_in_use)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_copy(self->transfer, self->dst, 0, self->src, 0,
			       BYTES);
	must(udma_channel_submit_one(self->channel, self->transfer));
	udma_buffer_free(self->dst);
	udma_buffer_free(self->src);
	self->dst = NULL;
	self->src = NULL;
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_complete(self->channel, self->completions, 1));
	completion = made(only(self->completions));
	EXPECT_EQ(0, udma_completion_get_error(completion));
	EXPECT_EQ(BYTES, udma_completion_get_bytes(completion));
}

/* What a child takes away is its own; what it writes everybody sees. */
TEST_F(library, fork)
{
	int status;
	pid_t pid;

	pid = must(fork());
	if (!pid) {
		memset(self->from, 0x77, BYTES);
		udma_buffer_free(self->src);
		udma_buffer_free(self->dst);
		udma_channel_close(self->channel);
		_exit(try_touch(self->from) == -1 ? 0 : 1);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	must(udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
			       BYTES));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 0x77));
}

/* Transfers */

TEST_F(library, copy)
{
	const struct udma_completion *completion;
	__u64 before = now_ns();

	udma_transfer_set_user_data(self->transfer, ~0ULL);
	udma_transfer_set_copy(self->transfer, self->dst, 128, self->src, 128,
			       4096 + 64);
	must(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	must(try_complete(self->channel, self->completions, 1));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));

	completion = made(only(self->completions));
	EXPECT_EQ(~0ULL, udma_completion_get_user_data(completion));
	EXPECT_EQ(0, udma_completion_get_error(completion));
	EXPECT_EQ(4096 + 64, udma_completion_get_bytes(completion));
	EXPECT_TRUE(udma_completion_is_exact(completion));
	EXPECT_EQ(1, udma_completion_get_sequence(completion));
	EXPECT_LE(before, udma_completion_get_timestamp_ns(completion));
	EXPECT_GE(now_ns(), udma_completion_get_timestamp_ns(completion));

	EXPECT_EQ(BYTES, pattern_differs(self->from, 0, BYTES, PATTERN_SOURCE));
	EXPECT_EQ(128, pattern_differs(self->to, 0, 128, PATTERN_STALE));
	EXPECT_EQ(128 + 4160, pattern_differs(self->to, 128, 128 + 4160,
					      PATTERN_SOURCE));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 128 + 4160, BYTES,
					 PATTERN_STALE));
}

TEST_F(library, fill)
{
	udma_transfer_set_fill(self->transfer, self->dst, 64, 8192, 0xee);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 1));
	EXPECT_EQ(0, udma_completion_get_error(made(only(self->completions))));
	EXPECT_EQ(64, pattern_differs(self->to, 0, 64, PATTERN_STALE));
	EXPECT_EQ(-1, find_other(self->to + 64, 8192, 0xee));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 64 + 8192, BYTES,
					 PATTERN_STALE));
}

/* A description is only that: changed and freed at once. */
TEST_F(library, transfer_is_a_description)
{
	struct udma_transfer *transfer = made(udma_transfer_new());
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 4; i++) {
		udma_transfer_set_fill(transfer, self->dst, i * 4096, 4096, i);
		must(udma_channel_submit_one(self->channel, transfer));
	}
	errno = EXDEV;
	udma_transfer_free(transfer);
	EXPECT_EQ(EXDEV, errno);
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_complete(self->channel, self->completions, 4));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-1, find_other(self->to + i * 4096, 4096, i));
}

/* A fill after a copy has to forget the source, and the other way round. */
TEST_F(library, transfer_used_again)
{
	udma_transfer_set_user_data(self->transfer, 42);
	udma_transfer_set_copy(self->transfer, self->dst, 0, self->src, 4096,
			       4096);
	must(udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_fill(self->transfer, self->dst, 8192, 4096, 7);
	must(udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_copy(self->transfer, self->dst, 4096, self->src, 0,
			       4096);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 3));
	EXPECT_EQ(0, memcmp(self->to, self->from + 4096, 4096));
	EXPECT_EQ(0, memcmp(self->to + 4096, self->from, 4096));
	EXPECT_EQ(-1, find_other(self->to + 8192, 4096, 7));
	EXPECT_EQ(42, udma_completion_get_user_data(
			udma_completions_get(self->completions, 0)));
}

TEST_F(library, fence)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	udma_transfer_set_fence(self->transfer, true);
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 2);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 2));
	must(try_complete(self->channel, self->completions, 2));
	EXPECT_EQ(-1, find_other(self->to, 64, 2));

	/* And back to no order at all. */
	udma_transfer_set_fence(self->transfer, false);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_wait_pending(&self->sim, 2));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_complete(self->channel, self->completions, 2));
}

TEST_F(library, more)
{
	static const struct udma_transfer *both[2];

	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	has_asked(1, 0);
	udma_transfer_set_fence(self->transfer, true);
	udma_transfer_set_more(self->transfer, true);
	must(udma_channel_submit_one(self->channel, self->transfer));
	has_asked(1, 1);
	udma_transfer_set_fence(self->transfer, false);
	both[0] = self->transfer;
	both[1] = self->transfer;
	EXPECT_EQ(2, must(udma_channel_submit(self->channel, both, 2)));
	has_asked(2, 3);
	udma_transfer_set_more(self->transfer, false);
	must(udma_channel_submit_one(self->channel, self->transfer));
	has_asked(1, 0);
	must(try_complete(self->channel, self->completions, 5));

	/* Who says so and then waits is told all the same. */
	udma_transfer_set_more(self->transfer, true);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 1));
}

TEST_F(library, transfer_with_mistakes)
{
	struct udma_transfer *t = self->transfer;

	fails(EINVAL, udma_channel_submit_one(self->channel, t));
	fails(EINVAL, udma_channel_submit(self->channel, NULL, 0));
	udma_transfer_set_copy(t, self->dst, 0, self->src, 0, 0);
	fails(EINVAL, udma_channel_submit_one(self->channel, t));
	udma_transfer_set_copy(t, self->dst, 64, self->src, 0, BYTES);
	fails(ERANGE, udma_channel_submit_one(self->channel, t));
	udma_transfer_set_copy(t, self->dst, 0, self->src, SIZE_MAX & ~63UL,
			       64);
	fails(ERANGE, udma_channel_submit_one(self->channel, t));
	udma_transfer_set_copy(t, self->dst, 0, self->dst, 64, 128);
	fails(EINVAL, udma_channel_submit_one(self->channel, t));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	/* Side by side in one buffer is none. */
	must(udma_channel_copy(self->channel, self->dst, 0, self->dst, 128,
			       128));
}

TEST_F(library, alignment)
{
	struct udma_channel_info *info;
	unsigned int align;

	info = made(udma_channel_get_info(self->channel));
	align = udma_channel_info_get_copy_align(info);
	udma_channel_info_free(info);
	must(udma_channel_copy(self->channel, self->dst, align, self->src,
			       3 * align, 5 * align));
	if (align == 1)
		return;
	fails(EINVAL, udma_channel_copy(self->channel, self->dst, 1, self->src,
					0, align));
	fails(EINVAL, udma_channel_copy(self->channel, self->dst, 0, self->src,
					1, align));
	fails(EINVAL, udma_channel_copy(self->channel, self->dst, 0, self->src,
					0, align + 1));
}

TEST_F(library, buffer_that_was_freed)
{
	udma_transfer_set_copy(self->transfer, self->dst, 0, self->src, 0,
			       BYTES);
	udma_buffer_free(self->src);
	self->src = NULL;
	fails(ENOENT, udma_channel_submit_one(self->channel, self->transfer));
}

/* Handles count from the same number in each: it would find its own buffer. */
TEST_F(library, buffer_of_another_channel)
{
	struct udma_channel *other;
	struct udma_buffer *theirs;

	other = made(udma_channel_open(self->sim.name));
	theirs = made(udma_buffer_alloc(other, BYTES));
	fails(ENOENT, udma_channel_copy(self->channel, theirs, 0, self->src, 0,
					BYTES));
	fails(ENOENT, udma_channel_copy(self->channel, self->dst, 0, theirs, 0,
					BYTES));
	fails(ENOENT, udma_channel_fill(self->channel, theirs, 0, BYTES, 1));
	fails(ENOENT, udma_channel_copy(other, self->dst, 0, self->src, 0,
					BYTES));
	udma_buffer_free(theirs);
	udma_channel_close(other);
}

TEST_F(library, channels_are_independent)
{
	struct udma_channel *other;
	struct udma_buffer *theirs;

	other = made(udma_channel_open(self->sim.name));
	theirs = made(udma_buffer_alloc(other, BYTES));
	udma_transfer_set_fill(self->transfer, theirs, 0, BYTES, 3);
	must(udma_channel_submit_one(other, self->transfer));
	must(udma_channel_wait(other, -1));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 4));
	must(try_complete(other, self->completions, 1));
	EXPECT_EQ(1, udma_completion_get_sequence(
			made(only(self->completions))));
	udma_buffer_free(theirs);
	udma_channel_close(other);
}

/* Many at once */

#define MANY		100

static void fill_many(struct udma_transfer **transfers,
		      const struct udma_buffer *dst)
{
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		transfers[i] = udma_transfer_new();
		if (!transfers[i])
			abort();
		udma_transfer_set_fill(transfers[i], dst, i * 64, 64, i);
		udma_transfer_set_user_data(transfers[i], i);
	}
}

static void free_many(struct udma_transfer **transfers)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		udma_transfer_free(transfers[i]);
}

static ssize_t try_submit_many(struct udma_channel *channel,
			       struct udma_transfer **transfers, size_t count)
{
	return udma_channel_submit(channel,
				   (const struct udma_transfer **)transfers,
				   count);
}

TEST_F(library, submit_many)
{
	struct udma_transfer *transfers[MANY];
	const struct udma_completion *completion;
	unsigned int i, seen = 0;

	fill_many(transfers, self->dst);
	EXPECT_EQ(MANY, try_submit_many(self->channel, transfers, MANY));
	EXPECT_EQ(MANY, udma_channel_get_pending(self->channel));
	while (udma_channel_get_pending(self->channel)) {
		must(udma_channel_wait(self->channel, -1));
		must(udma_channel_read(self->channel, self->completions, 300));
		seen += udma_completions_get_count(self->completions);
		for (i = 0; i < udma_completions_get_count(self->completions); i++) {
			completion = udma_completions_get(self->completions, i);
			EXPECT_EQ(udma_completion_get_user_data(completion) + 1,
				  udma_completion_get_sequence(completion));
		}
	}
	EXPECT_EQ(MANY, seen);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(-1, find_other(self->to + i * 64, 64, i));
	free_many(transfers);
}

/* Beyond the first of the pieces in which the library hands them over. */
TEST_F(library, submit_stops_at_a_mistake)
{
	struct udma_transfer *transfers[MANY];

	fill_many(transfers, self->dst);
	udma_transfer_set_fill(transfers[40], self->dst, BYTES, 64, 1);
	EXPECT_EQ(40, try_submit_many(self->channel, transfers, MANY));
	EXPECT_EQ(40, udma_channel_get_pending(self->channel));
	fails(ERANGE, try_submit_many(self->channel, transfers + 40, 60));
	EXPECT_EQ(40, udma_channel_get_pending(self->channel));
	EXPECT_EQ(59, try_submit_many(self->channel, transfers + 41, 59));
	must(try_complete(self->channel, self->completions, 99));
	free_many(transfers);
}

/* One that the library finds itself. */
TEST_F(library, submit_stops_at_a_strange_buffer)
{
	struct udma_transfer *transfers[MANY];
	struct udma_channel *other;
	struct udma_buffer *theirs;
	static const unsigned int bad[] = { 96, 64, 33, 32, 31, 5 };
	unsigned int i;

	other = made(udma_channel_open(self->sim.name));
	theirs = made(udma_buffer_alloc(other, BYTES));
	fill_many(transfers, self->dst);
	for (i = 0; i < 6; i++) {
		udma_transfer_set_fill(transfers[bad[i]], theirs, 0, 64, 1);
		EXPECT_EQ(bad[i], try_submit_many(self->channel, transfers,
						  MANY));
		must(try_complete(self->channel, self->completions, bad[i]));
	}
	fails(ENOENT, try_submit_many(self->channel, transfers + 5, 95));
	udma_buffer_free(theirs);
	udma_channel_close(other);
	free_many(transfers);
}

TEST_F(library, submit_without_room)
{
	struct udma_channel_info *info;
	ssize_t most, taken = 0;

	info = made(udma_channel_get_info(self->channel));
	most = udma_channel_info_get_max_transfers(info);
	udma_channel_info_free(info);
	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	while (!udma_channel_submit_one(self->channel, self->transfer))
		taken++;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(most, taken);
	EXPECT_EQ(most, udma_channel_get_pending(self->channel));
	EXPECT_EQ(0, poll_now(udma_channel_get_fd(self->channel)));

	/* Room is made by reading. */
	must(try_step(&self->sim, 1));
	fails(EAGAIN,
	      udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 1));
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_complete(self->channel, self->completions, most));
}

/* Completions */

TEST_F(library, read_what_fits)
{
	struct udma_completions *two = made(udma_completions_new(2));
	unsigned int i;

	EXPECT_EQ(2, udma_completions_get_capacity(two));
	EXPECT_EQ(0, udma_completions_get_count(two));
	EXPECT_EQ(0, udma_channel_read(self->channel, two, 2));
	not_made(EINVAL, udma_completions_get(two, 0));
	fails(EINVAL, udma_channel_read(self->channel, two, 0));

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 4; i++) {
		udma_transfer_set_user_data(self->transfer, i);
		udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
		must(udma_channel_submit_one(self->channel, self->transfer));
	}
	must(try_step(&self->sim, 4));
	EXPECT_EQ(2, udma_channel_read(self->channel, two, 100));
	EXPECT_EQ(2, udma_completions_get_count(two));
	EXPECT_EQ(1, udma_completion_get_user_data(
			made(udma_completions_get(two, 1))));
	not_made(EINVAL, udma_completions_get(two, 2));
	EXPECT_EQ(2, udma_channel_get_pending(self->channel));
	EXPECT_EQ(1, udma_channel_read(self->channel, two, 1));
	EXPECT_EQ(1, udma_completions_get_count(two));
	not_made(EINVAL, udma_completions_get(two, 1));
	EXPECT_EQ(1, udma_channel_read(self->channel, two, 2));
	EXPECT_EQ(0, udma_channel_read(self->channel, two, 2));
	EXPECT_EQ(0, udma_completions_get_count(two));
	errno = EXDEV;
	udma_completions_free(two);
	EXPECT_EQ(EXDEV, errno);
}

TEST_F(library, completion_of_a_failure)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "fail_at", 1));
	udma_transfer_set_copy(self->transfer, self->dst, 0, self->src, 0,
			       4096);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 1));
	completion = made(only(self->completions));
	EXPECT_EQ(EIO, udma_completion_get_error(completion));
	EXPECT_GT(4096, udma_completion_get_bytes(completion));
}

/* Waiting */

TEST_F(library, wait)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 1000));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, udma_channel_wait(self->channel, 0));
	EXPECT_EQ(1, udma_channel_wait(self->channel, INT64_MAX));
	EXPECT_EQ(1, udma_channel_wait(self->channel, -1));
	EXPECT_EQ(1, udma_channel_wait(self->channel, INT64_MIN));
}

TEST_F(library, wait_is_woken)
{
	struct call call = { .channel = self->channel, .run = call_wait };

	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_start_call(&call));
	must(try_wait_call(&call));
	EXPECT_FALSE(is_done(&call));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, try_end_call(&call));
}

TEST_F(library, wait_is_interrupted)
{
	struct call call = { .channel = self->channel, .run = call_wait };

	must(try_catch(SIGUSR1));
	must(try_start_call(&call));
	must(try_wait_call(&call));
	must(try_interrupt(&call));
	fails(EINTR, try_end_call(&call));
}

/* One call, one transfer */

TEST_F(library, copy_at_once)
{
	must(udma_channel_copy(self->channel, self->dst, 4096, self->src, 0,
			       8192));
	EXPECT_EQ(4096, pattern_differs(self->to, 0, 4096, PATTERN_STALE));
	EXPECT_EQ(0, memcmp(self->to + 4096, self->from, 8192));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 4096 + 8192, BYTES,
					 PATTERN_STALE));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
}

TEST_F(library, fill_at_once)
{
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 0x99));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 0x99));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
}

TEST_F(library, copy_at_once_among_others)
{
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	fails(EBUSY, udma_channel_copy(self->channel, self->dst, 0, self->src,
				       0, BYTES));
	fails(EBUSY, udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
	/* It may have ended, but that has not been read. */
	must(udma_channel_wait(self->channel, -1));
	fails(EBUSY, udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
	must(try_complete(self->channel, self->completions, 1));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
}

TEST_F(library, copy_at_once_with_mistakes)
{
	fails(ERANGE, udma_channel_copy(self->channel, self->dst, 64,
					self->src, 0, BYTES));
	fails(EINVAL, udma_channel_fill(self->channel, self->dst, 0, 0, 1));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 0, BYTES, PATTERN_STALE));
}

TEST_F(library, copy_at_once_fails)
{
	must(try_sim_set(&self->sim, "fail_at", 1));
	fails(EIO, udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
				     BYTES));
	/* Nothing of it is left for the next one. */
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
	must(udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
			       BYTES));
}

/* A signal does not cut it short: its handler runs, and it goes on. */
TEST_F(library, copy_at_once_is_interrupted)
{
	struct call call = {
		.channel = self->channel,
		.dst = self->dst,
		.src = self->src,
		.run = call_copy,
	};
	unsigned int i;

	must(try_catch(SIGUSR1));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_start_call(&call));
	for (i = 0; i < 5; i++) {
		must(try_wait_call(&call));
		must(try_interrupt(&call));
	}
	must(try_wait_call(&call));
	EXPECT_FALSE(is_done(&call));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_end_call(&call));
	EXPECT_EQ(0, memcmp(self->to, self->from, BYTES));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 5));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 5));
}

/* Nobody else */

TEST_F(library, exclusive)
{
	struct udma_buffer *buffer;

	not_made(EBUSY, udma_channel_open_exclusive(self->sim.name));
	udma_buffer_free(self->dst);
	udma_buffer_free(self->src);
	udma_channel_close(self->channel);
	self->dst = NULL;
	self->src = NULL;

	self->channel = made(udma_channel_open_exclusive(self->sim.name));
	not_made(EBUSY, udma_channel_open(self->sim.name));
	not_made(EBUSY, udma_channel_open_exclusive(self->sim.name));
	buffer = made(udma_buffer_alloc(self->channel, BYTES));
	must(udma_channel_fill(self->channel, buffer, 0, BYTES, 6));
	EXPECT_EQ(-1, find_other(udma_buffer_get_data(buffer), BYTES, 6));

	/* What is mapped counts as open. */
	udma_channel_close(self->channel);
	self->channel = NULL;
	not_made(EBUSY, udma_channel_open(self->sim.name));
	udma_buffer_free(buffer);
	self->channel = made(udma_channel_open(self->sim.name));
}

/* Cancelling */

TEST_F(library, last_sequence)
{
	struct udma_transfer *transfers[MANY];

	EXPECT_EQ(0, udma_channel_get_last_sequence(self->channel));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	EXPECT_EQ(1, udma_channel_get_last_sequence(self->channel));
	fill_many(transfers, self->dst);
	EXPECT_EQ(MANY, try_submit_many(self->channel, transfers, MANY));
	EXPECT_EQ(1 + MANY, udma_channel_get_last_sequence(self->channel));
	udma_transfer_set_fill(transfers[40], self->dst, BYTES, 64, 1);
	EXPECT_EQ(40, try_submit_many(self->channel, transfers, MANY));
	EXPECT_EQ(41 + MANY, udma_channel_get_last_sequence(self->channel));
	fails(ERANGE, try_submit_many(self->channel, transfers + 40, 1));
	EXPECT_EQ(41 + MANY, udma_channel_get_last_sequence(self->channel));
	must(try_complete(self->channel, self->completions, 41 + MANY));
	must(udma_channel_fill(self->channel, self->dst, 0, 64, 1));
	EXPECT_EQ(42 + MANY, udma_channel_get_last_sequence(self->channel));
	free_many(transfers);
}

/* The first one is in hardware; the fence keeps the second one out of it. */
static int try_submit_two(struct udma_channel *channel,
			  struct udma_transfer *transfer,
			  const struct udma_buffer *dst)
{
	udma_transfer_set_fill(transfer, dst, 0, 64, 1);
	if (udma_channel_submit_one(channel, transfer))
		return -1;
	udma_transfer_set_fence(transfer, true);
	return udma_channel_submit_one(channel, transfer);
}

TEST_F(library, cancel)
{
	const struct udma_completion *completion;

	fails(ENOENT, udma_channel_cancel(self->channel, 0));
	fails(ENOENT, udma_channel_cancel(self->channel, 1));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_two(self->channel, self->transfer, self->dst));
	must(try_wait_pending(&self->sim, 1));

	/* Hardware has nothing of this one. */
	EXPECT_EQ(0, must(udma_channel_cancel(self->channel, 2)));
	EXPECT_EQ(1, udma_channel_read(self->channel, self->completions, 9));
	completion = made(only(self->completions));
	EXPECT_EQ(2, udma_completion_get_sequence(completion));
	EXPECT_EQ(ECANCELED, udma_completion_get_error(completion));
	EXPECT_EQ(0, udma_completion_get_bytes(completion));
	EXPECT_FALSE(udma_completion_is_held(completion));
	fails(ENOENT, udma_channel_cancel(self->channel, 2));

	/* This one is cancelled when hardware lets go of it. */
	EXPECT_EQ(0, must(udma_channel_cancel(self->channel, 1)));
	EXPECT_EQ(0, udma_channel_read(self->channel, self->completions, 9));
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, udma_channel_read(self->channel, self->completions, 9));
	completion = made(only(self->completions));
	EXPECT_EQ(1, udma_completion_get_sequence(completion));
	EXPECT_EQ(ECANCELED, udma_completion_get_error(completion));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	fails(ENOENT, udma_channel_cancel(self->channel, 1));
}

TEST_F(library, cancel_all)
{
	const struct udma_completion *completion;
	struct udma_channel *other;
	struct udma_buffer *theirs;
	unsigned int i;

	EXPECT_EQ(0, udma_channel_cancel_all(self->channel));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_two(self->channel, self->transfer, self->dst));
	other = made(udma_channel_open(self->sim.name));
	theirs = made(udma_buffer_alloc(other, BYTES));
	udma_transfer_set_fill(self->transfer, theirs, 0, 64, 5);
	must(udma_channel_submit_one(other, self->transfer));
	must(try_wait_pending(&self->sim, 2));

	EXPECT_EQ(2, udma_channel_cancel_all(self->channel));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(udma_channel_wait(other, -1));
	EXPECT_EQ(2, udma_channel_read(self->channel, self->completions, 9));
	for (i = 0; i < 2; i++) {
		completion = udma_completions_get(self->completions, i);
		EXPECT_EQ(ECANCELED, udma_completion_get_error(completion));
	}
	EXPECT_EQ(0, udma_channel_cancel_all(self->channel));

	/* Who has the same device open is none of that. */
	must(try_complete(other, self->completions, 1));
	EXPECT_EQ(0, udma_completion_get_error(made(only(self->completions))));
	EXPECT_EQ(-1, find_other(udma_buffer_get_data(theirs), 64, 5));
	udma_buffer_free(theirs);
	udma_channel_close(other);
}

/* The way out of a copy, for another thread */
TEST_F(library, copy_at_once_is_cancelled)
{
	struct call call = {
		.channel = self->channel,
		.dst = self->dst,
		.src = self->src,
		.run = call_copy,
	};

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_start_call(&call));
	must(try_wait_call(&call));
	EXPECT_EQ(1, udma_channel_cancel_all(self->channel));
	EXPECT_FALSE(is_done(&call));
	must(try_sim_set(&self->sim, "step_mode", 0));
	fails(ECANCELED, try_end_call(&call));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 5));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 5));
}

/* And for a signal's handler */

static struct udma_channel *to_be_cancelled;

static void cancel_on_signal(int signal)
{
	int saved = errno;

	udma_channel_cancel_all(to_be_cancelled);
	errno = saved;
	on_signal(signal);
}

TEST_F(library, copy_at_once_is_cancelled_by_a_signal)
{
	struct sigaction action = { .sa_handler = cancel_on_signal };
	struct call call = {
		.channel = self->channel,
		.dst = self->dst,
		.src = self->src,
		.run = call_copy,
	};

	to_be_cancelled = self->channel;
	must(sigaction(SIGUSR1, &action, NULL));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_start_call(&call));
	must(try_wait_call(&call));
	must(try_interrupt(&call));
	must(try_wait_call(&call));
	EXPECT_FALSE(is_done(&call));
	must(try_sim_set(&self->sim, "step_mode", 0));
	fails(ECANCELED, try_end_call(&call));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
}

/* Timeouts */

TEST_F(library, timeout)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_timeout_ns(self->transfer, 1000);
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_chan_wait(&self->sim, "recovery/timeouts", "1"));
	/* Others may be using the channel: hardware is left alone. */
	EXPECT_EQ(0, udma_channel_read(self->channel, self->completions, 9));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, udma_channel_read(self->channel, self->completions, 9));
	completion = made(only(self->completions));
	EXPECT_EQ(ETIMEDOUT, udma_completion_get_error(completion));
}

/* Of transfers with a timeout, without one, and with none at all. */
TEST_F(library, timeout_of_the_channel)
{
	static const int64_t timeouts[] = { INT64_MAX, -1, INT64_MIN, 0 };
	static const int wanted[] = { 0, 0, 0, ETIMEDOUT };
	const struct udma_completion *completion;
	unsigned int i;

	must(try_attribute_set(&self->sim, "timeout_ms", "1"));
	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	for (i = 0; i < 4; i++) {
		udma_transfer_set_timeout_ns(self->transfer, timeouts[i]);
		must(udma_channel_submit_one(self->channel, self->transfer));
	}
	/* The last one is the first to be too late. */
	must(try_chan_wait(&self->sim, "recovery/timeouts", "1"));
	must(try_step(&self->sim, 4));
	EXPECT_EQ(4, udma_channel_read(self->channel, self->completions, 9));
	for (i = 0; i < 4; i++) {
		completion = udma_completions_get(self->completions, i);
		EXPECT_EQ(wanted[i], udma_completion_get_error(completion));
	}
}

/* Alone, nobody has to suffer for a reset: it comes at once. */
TEST_F(library, timeout_of_an_exclusive_channel)
{
	udma_buffer_free(self->src);
	udma_buffer_free(self->dst);
	udma_channel_close(self->channel);
	self->channel = made(udma_channel_open_exclusive(self->sim.name));
	self->dst = made(udma_buffer_alloc(self->channel, BYTES));
	self->src = made(udma_buffer_alloc(self->channel, BYTES));

	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_attribute_set(&self->sim, "stall_ms", "3600000"));
	must(try_attribute_set(&self->sim, "timeout_ms", "1"));
	fails(ETIMEDOUT, udma_channel_copy(self->channel, self->dst, 0,
					   self->src, 0, BYTES));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	must(try_chan_wait(&self->sim, "state", "working"));
	must(try_chan_wait(&self->sim, "recovery/resets", "1"));
	must(try_attribute_set(&self->sim, "timeout_ms", "0"));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 5));
}

/* Hardware that hangs, and hardware that cannot be stopped */

TEST_F(library, info_of_recovery)
{
	struct udma_channel_info *info;

	must(try_attribute_set(&self->sim, "stall_ms", "1234"));
	must(try_attribute_set(&self->sim, "timeout_ms", "5678"));
	info = made(udma_channel_get_info(self->channel));
	EXPECT_EQ(UDMA_CHANNEL_WORKING, udma_channel_info_get_state(info));
	EXPECT_EQ(1234, udma_channel_info_get_stall_ms(info));
	EXPECT_EQ(5678000000ULL, udma_channel_info_get_timeout_ns(info));
	udma_channel_info_free(info);
}

TEST_F(library, copy_at_once_hangs)
{
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_attribute_set(&self->sim, "stall_ms", "1"));
	fails(ETIMEDOUT, udma_channel_copy(self->channel, self->dst, 0,
					   self->src, 0, BYTES));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	must(try_attribute_set(&self->sim, "stall_ms", "5000"));
	must(try_chan_wait(&self->sim, "state", "working"));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 5));
}

TEST_F(library, failed)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "terminate_fail", 1));
	must(try_sim_set(&self->sim, "hang_at", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, BYTES, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	fails(EIO, try_attribute_set(&self->sim, "reset", "1"));
	EXPECT_EQ(1, udma_channel_read(self->channel, self->completions, 9));
	completion = made(only(self->completions));
	EXPECT_EQ(EIO, udma_completion_get_error(completion));
	EXPECT_TRUE(udma_completion_is_held(completion));
	EXPECT_FALSE(udma_completion_is_short(completion));
	EXPECT_EQ(UDMA_CHANNEL_FAILED, state_of(self->channel));
	fails(EIO, udma_channel_submit_one(self->channel, self->transfer));
	fails(EIO, udma_channel_fill(self->channel, self->dst, 0, BYTES, 1));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));

	/* It lets go after all. */
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_chan_wait(&self->sim, "state", "working"));
	EXPECT_EQ(UDMA_CHANNEL_WORKING, state_of(self->channel));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 2));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 2));
}

TEST_F(library, stopped_short)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "short_at", 1));
	udma_transfer_set_fill(self->transfer, self->dst, 0, 4096, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_complete(self->channel, self->completions, 1));
	completion = made(only(self->completions));
	EXPECT_EQ(0, udma_completion_get_error(completion));
	EXPECT_TRUE(udma_completion_is_short(completion));
	EXPECT_EQ(2048, udma_completion_get_bytes(completion));

	/* Half a copy is none. */
	must(try_sim_set(&self->sim, "short_at", 1));
	fails(EIO, udma_channel_fill(self->channel, self->dst, 0, 4096, 1));
	must(udma_channel_fill(self->channel, self->dst, 0, 4096, 1));
}

/* The channel goes */

TEST_F(library, gone)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "step_mode", 1));
	udma_transfer_set_user_data(self->transfer, 11);
	udma_transfer_set_copy(self->transfer, self->dst, 0, self->src, 0,
			       BYTES);
	must(udma_channel_submit_one(self->channel, self->transfer));
	must(try_sim_unbind(&self->sim, 0));

	/* The last completion first, and then nothing any more. */
	EXPECT_EQ(1, udma_channel_wait(self->channel, -1));
	EXPECT_EQ(1, udma_channel_read(self->channel, self->completions, 10));
	completion = made(only(self->completions));
	EXPECT_EQ(11, udma_completion_get_user_data(completion));
	EXPECT_EQ(ENODEV, udma_completion_get_error(completion));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	fails(ENODEV, udma_channel_wait(self->channel, -1));
	fails(ENODEV, udma_channel_wait(self->channel, 0));
	fails(ENODEV, udma_channel_read(self->channel, self->completions, 10));
	EXPECT_EQ(0, udma_completions_get_count(self->completions));

	not_made(ENODEV, udma_buffer_alloc(self->channel, BYTES));
	not_made(ENODEV, udma_channel_get_info(self->channel));
	fails(ENODEV, udma_channel_submit_one(self->channel, self->transfer));
	fails(ENODEV, udma_channel_copy(self->channel, self->dst, 0, self->src,
					0, BYTES));
	fails(EFAULT, try_touch(self->to));
	not_made(ENOENT, udma_channel_open(self->sim.name));
}

TEST_F(library, gone_while_copying)
{
	struct call call = {
		.channel = self->channel,
		.dst = self->dst,
		.src = self->src,
		.run = call_copy,
	};

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_start_call(&call));
	must(try_wait_call(&call));
	must(try_sim_unbind(&self->sim, 0));
	fails(ENODEV, try_end_call(&call));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
}

TEST_F(library, gone_while_waiting)
{
	struct call call = { .channel = self->channel, .run = call_wait };

	must(try_start_call(&call));
	must(try_wait_call(&call));
	must(try_sim_unbind(&self->sim, 0));
	fails(ENODEV, try_end_call(&call));
}

/* Queues: the same code, with a mapping and without */

FIXTURE(queue)
{
	struct sim sim;
	struct udma_channel *channel;
	struct udma_buffer *dst;
	struct udma_buffer *src;
	struct udma_transfer *transfer;
	struct udma_completions *completions;
	struct udma_queue *queue;
	unsigned char *to;
	unsigned char *from;
};

FIXTURE_VARIANT(queue)
{
	unsigned int flags;
	size_t most;
	long sleeps_in;
};

FIXTURE_VARIANT_ADD(queue, plain)
{
	.most = 256,
	.sleeps_in = SYS_ppoll,
};

FIXTURE_VARIANT_ADD(queue, mapped)
{
	.flags = UDMA_QUEUE_MAPPED,
	.most = 4096,
	.sleeps_in = SYS_ioctl,
};

#define DEPTH		4

FIXTURE_SETUP(queue)
{
	static const struct sim_config config = { .channels = 1 };

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->channel = made(udma_channel_open(self->sim.name));
	self->dst = made(udma_buffer_alloc(self->channel, BYTES));
	self->src = made(udma_buffer_alloc(self->channel, BYTES));
	self->transfer = made(udma_transfer_new());
	self->completions = made(udma_completions_new(300));
	self->queue = made(udma_queue_new(self->channel, DEPTH,
					  variant->flags));
	self->to = udma_buffer_get_data(self->dst);
	self->from = udma_buffer_get_data(self->src);
	pattern_write(self->to, 0, BYTES, PATTERN_STALE);
	pattern_write(self->from, 0, BYTES, PATTERN_SOURCE);
}

FIXTURE_TEARDOWN(queue)
{
	udma_queue_free(self->queue);
	udma_completions_free(self->completions);
	udma_transfer_free(self->transfer);
	udma_buffer_free(self->src);
	udma_buffer_free(self->dst);
	udma_channel_close(self->channel);
	/* A test may have unbound it. */
	try_sim_unbind(&self->sim, 0);
	EXPECT_EQ(0, try_sim_end(&self->sim));
}

#define queue_t	FIXTURE_DATA(queue)

/* Adds a fill that says who it is. */
static int try_add_fill(queue_t *self, __u64 mark)
{
	udma_transfer_set_user_data(self->transfer, mark);
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, mark);
	return udma_queue_add(self->queue, self->transfer);
}

/* One that is to be refused. */
static int try_add_mistake(queue_t *self)
{
	udma_transfer_set_fill(self->transfer, self->dst, BYTES, 64, 1);
	return udma_queue_add(self->queue, self->transfer);
}

/* The next one can be taken, and says so. */
#define comes_next(_queue, _mark, _error)				\
	do {								\
		const struct udma_completion *__next;			\
									\
		__next = made(udma_queue_next(_queue));			\
		EXPECT_EQ(_mark, udma_completion_get_user_data(__next)); \
		EXPECT_EQ(_error, udma_completion_get_error(__next));	\
	} while (0)

/* The next two tell that the channel went; in which order does not matter. */
#define come_two_gone(_queue)						\
	do {								\
		const struct udma_completion *__gone;			\
		__u64 __marks = 0;					\
		int __i;						\
									\
		for (__i = 0; __i < 2; __i++) {				\
			__gone = made(udma_queue_next(_queue));		\
			EXPECT_EQ(ENODEV, udma_completion_get_error(__gone)); \
			__marks += udma_completion_get_user_data(__gone); \
		}							\
		EXPECT_EQ(1 + 2, __marks);				\
	} while (0)

static int call_queue_wait(struct call *call)
{
	return udma_queue_wait(call->queue, call->count, call->timeout_ns);
}

static bool nothing_is_left(struct udma_queue *queue,
			    const struct udma_channel *channel)
{
	errno = 0;
	return !udma_queue_next(queue) && errno == EAGAIN &&
	       !udma_queue_get_pending(queue) &&
	       !udma_channel_get_pending(channel);
}

TEST_F(queue, of_bad_depth)
{
	udma_queue_free(self->queue);
	self->queue = NULL;
	not_made(EINVAL, udma_queue_new(self->channel, 0, variant->flags));
	not_made(EINVAL, udma_queue_new(self->channel, SIZE_MAX,
					variant->flags));
	not_made(EINVAL, udma_queue_new(self->channel, DEPTH,
					variant->flags | 1U << 31));
	not_made(EINVAL, udma_queue_new(self->channel, DEPTH,
					variant->flags | 1U << 1));
}

TEST_F(queue, of_each_depth)
{
	static const size_t depths[] = { 1, 2, 3, 5, 200 };
	static const size_t are[] = { 1, 2, 4, 8, 256 };
	struct udma_channel *channel;
	struct udma_queue *queue;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		channel = made(udma_channel_open(self->sim.name));
		queue = made(udma_queue_new(channel, depths[i],
					    variant->flags));
		EXPECT_EQ(are[i], udma_queue_get_depth(queue));
		EXPECT_EQ(are[i], udma_queue_get_room(queue));
		EXPECT_EQ(0, udma_queue_get_pending(queue));
		udma_queue_free(queue);
		udma_channel_close(channel);
	}
	channel = made(udma_channel_open(self->sim.name));
	not_made(EINVAL, udma_queue_new(channel, variant->most + 1,
					variant->flags));
	queue = made(udma_queue_new(channel, variant->most, variant->flags));
	EXPECT_EQ(variant->most, udma_queue_get_depth(queue));
	udma_queue_free(queue);
	udma_channel_close(channel);
}

TEST_F(queue, one_after_the_other)
{
	not_made(EBUSY, udma_queue_new(self->channel, 1, 0));
	not_made(EBUSY, udma_queue_new(self->channel, 1, UDMA_QUEUE_MAPPED));
	udma_queue_free(self->queue);
	self->queue = NULL;

	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	must(udma_channel_submit_one(self->channel, self->transfer));
	not_made(EBUSY, udma_queue_new(self->channel, 1, variant->flags));
	must(try_complete(self->channel, self->completions, 1));

	/* What is shared stays as it is. */
	if (variant->flags) {
		not_made(EBUSY, udma_queue_new(self->channel, DEPTH + 1,
					       variant->flags));
		not_made(EBUSY, udma_queue_new(self->channel, DEPTH + 1, 0));
	}
	self->queue = made(udma_queue_new(self->channel, 2, 0));
	must(try_add_fill(self, 1));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 1, 0);
	udma_queue_free(self->queue);
	self->queue = made(udma_queue_new(self->channel, 2, variant->flags));
	EXPECT_EQ(2, udma_queue_get_depth(self->queue));
	must(try_add_fill(self, 2));
	must(try_add_fill(self, 3));
	fails(EAGAIN, try_add_fill(self, 4));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	comes_next(self->queue, 2, 0);
	comes_next(self->queue, 3, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

TEST_F(queue, copies)
{
	const struct udma_completion *completion;
	__u64 before = now_ns();
	unsigned int i;

	for (i = 0; i < 3; i++) {
		udma_transfer_set_user_data(self->transfer, ~0ULL - i);
		udma_transfer_set_copy(self->transfer, self->dst, i * 4096,
				       self->src, i * 4096, 4096);
		must(udma_queue_add(self->queue, self->transfer));
	}
	/* The kernel knows nothing of that. */
	EXPECT_EQ(3, udma_queue_get_pending(self->queue));
	EXPECT_EQ(DEPTH - 3, udma_queue_get_room(self->queue));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	EXPECT_EQ(0, udma_channel_get_last_sequence(self->channel));
	EXPECT_EQ(0, udma_channel_cancel_all(self->channel));

	EXPECT_EQ(3, must(udma_queue_wait(self->queue, 3, -1)));
	EXPECT_EQ(3, udma_channel_get_pending(self->channel));
	EXPECT_EQ(3, udma_channel_get_last_sequence(self->channel));
	for (i = 0; i < 3; i++) {
		completion = made(udma_queue_next(self->queue));
		EXPECT_EQ(~0ULL - i, udma_completion_get_user_data(completion));
		EXPECT_EQ(0, udma_completion_get_error(completion));
		EXPECT_EQ(4096, udma_completion_get_bytes(completion));
		EXPECT_EQ(i + 1, udma_completion_get_sequence(completion));
		EXPECT_LE(before, udma_completion_get_timestamp_ns(completion));
		EXPECT_EQ(2 - i, udma_queue_get_pending(self->queue));
		EXPECT_EQ(2 - i, udma_channel_get_pending(self->channel));
	}
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	EXPECT_EQ(0, memcmp(self->to, self->from, 3 * 4096));
	EXPECT_EQ(BYTES, pattern_differs(self->to, 3 * 4096, BYTES,
					 PATTERN_STALE));
}

/*
 * Round and round, past where the counts of 32 bits wrap, in groups that do not
 * divide the queue. Not one is lost, and none comes twice.
 */
TEST_F(queue, wraps)
{
	unsigned int added = 0, taken = 0;
	const struct udma_completion *completion;

	while (taken < 1001) {
		while (added < 1001 && added - taken < 3) {
			must(try_add_fill(self, added));
			added++;
		}
		must(udma_queue_wait(self->queue, taken % 3 + 1, -1));
		while ((completion = udma_queue_next(self->queue))) {
			ASSERT_EQ(taken, udma_completion_get_user_data(completion));
			ASSERT_EQ(0, udma_completion_get_error(completion));
			ASSERT_EQ(taken + 1, udma_completion_get_sequence(completion));
			taken++;
		}
		ASSERT_EQ(EAGAIN, errno);
	}
	EXPECT_EQ(1001, added);
	EXPECT_EQ(1001, udma_channel_get_last_sequence(self->channel));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

TEST_F(queue, is_full)
{
	const struct udma_completion *first;
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < DEPTH; i++)
		must(try_add_fill(self, i));
	fails(EAGAIN, try_add_fill(self, 99));
	EXPECT_EQ(0, udma_queue_get_room(self->queue));
	EXPECT_EQ(DEPTH, must(udma_queue_submit(self->queue)));
	fails(EAGAIN, try_add_fill(self, 99));

	/* Room is made by taking, and by nothing else. */
	must(try_step(&self->sim, 2));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	fails(EAGAIN, try_add_fill(self, 99));
	first = made(udma_queue_next(self->queue));
	EXPECT_EQ(1, udma_queue_get_room(self->queue));
	must(try_add_fill(self, DEPTH));
	fails(EAGAIN, try_add_fill(self, 99));
	EXPECT_EQ(0, udma_completion_get_user_data(first));
	EXPECT_EQ(1, must(udma_queue_submit(self->queue)));
	must(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_EQ(DEPTH, must(udma_queue_wait(self->queue, DEPTH, -1)));
	for (i = 1; i <= DEPTH; i++)
		comes_next(self->queue, i, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

TEST_F(queue, nothing_to_do)
{
	EXPECT_EQ(0, udma_queue_submit(self->queue));
	EXPECT_EQ(0, udma_queue_wait(self->queue, 0, -1));
	EXPECT_EQ(0, udma_queue_wait(self->queue, SIZE_MAX, -1));
	EXPECT_EQ(0, udma_queue_wait(self->queue, 1, 0));
	fails(ENOENT, udma_queue_drop(self->queue));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

/* Mistakes */

TEST_F(queue, add_with_mistakes)
{
	struct udma_transfer *nothing = made(udma_transfer_new());
	struct udma_channel *other;
	struct udma_buffer *theirs;

	fails(EINVAL, udma_queue_add(self->queue, nothing));
	udma_transfer_free(nothing);
	other = made(udma_channel_open(self->sim.name));
	theirs = made(udma_buffer_alloc(other, BYTES));
	udma_transfer_set_fill(self->transfer, theirs, 0, 64, 1);
	fails(ENOENT, udma_queue_add(self->queue, self->transfer));
	udma_transfer_set_copy(self->transfer, self->dst, 0, theirs, 0, 64);
	fails(ENOENT, udma_queue_add(self->queue, self->transfer));
	udma_transfer_set_copy(self->transfer, theirs, 0, self->src, 0, 64);
	fails(ENOENT, udma_queue_add(self->queue, self->transfer));
	udma_buffer_free(theirs);
	udma_channel_close(other);
	EXPECT_EQ(DEPTH, udma_queue_get_room(self->queue));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

/* Wherever in the queue it comes. */
TEST_F(queue, refused)
{
	unsigned int i;

	for (i = 0; i < 2 * DEPTH + 1; i++) {
		must(try_add_fill(self, 1));
		must(try_add_mistake(self));
		must(try_add_fill(self, 2));
		must(try_add_fill(self, 3));
		EXPECT_EQ(1, must(udma_queue_submit(self->queue)));
		fails(ERANGE, udma_queue_submit(self->queue));
		fails(ERANGE, udma_queue_wait(self->queue, 1, -1));
		EXPECT_EQ(1, udma_channel_get_pending(self->channel));
		EXPECT_EQ(4, udma_queue_get_pending(self->queue));
		must(udma_queue_drop(self->queue));
		EXPECT_EQ(3, udma_queue_get_pending(self->queue));
		EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
		fails(ENOENT, udma_queue_drop(self->queue));
		EXPECT_EQ(3, must(udma_queue_wait(self->queue, 4, -1)));
		comes_next(self->queue, 1, 0);
		comes_next(self->queue, 2, 0);
		comes_next(self->queue, 3, 0);
		EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
		EXPECT_EQ(3 * (i + 1),
			  udma_channel_get_last_sequence(self->channel));
	}
}

/* With one that is refused there is no waiting, whoever would be waited for. */
TEST_F(queue, refused_in_wait)
{
	static const __u64 busy[] = { 0, 1 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		udma_queue_set_busy_ns(self->queue, busy[i]);
		must(try_sim_set(&self->sim, "step_mode", 1));
		must(try_add_fill(self, 1));
		must(try_add_mistake(self));
		must(try_add_mistake(self));
		EXPECT_EQ(0, udma_queue_wait(self->queue, 2, -1));
		fails(ERANGE, udma_queue_wait(self->queue, 2, -1));
		must(try_sim_set(&self->sim, "step_mode", 0));
		must(udma_queue_drop(self->queue));
		fails(ERANGE, udma_queue_wait(self->queue, 0, 0));
		must(udma_queue_drop(self->queue));
		EXPECT_EQ(1, udma_queue_wait(self->queue, 2, -1));
		comes_next(self->queue, 1, 0);
		EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	}
}

/* What was not submitted yet can be dropped as well. */
TEST_F(queue, drop)
{
	unsigned int i;

	for (i = 0; i < DEPTH + 1; i++) {
		must(try_add_fill(self, 1));
		must(try_add_fill(self, 2));
		must(try_add_fill(self, 3));
		must(udma_queue_drop(self->queue));
		must(try_add_fill(self, 4));
		EXPECT_EQ(3, must(udma_queue_wait(self->queue, 3, -1)));
		comes_next(self->queue, 2, 0);
		comes_next(self->queue, 3, 0);
		comes_next(self->queue, 4, 0);
	}
	must(try_add_fill(self, 1));
	must(udma_queue_drop(self->queue));
	fails(ENOENT, udma_queue_drop(self->queue));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

/* Waiting */

TEST_F(queue, wait_for_a_time)
{
	static const __u64 busy[] = { 0, 1, AN_HOUR, ~0ULL };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		udma_queue_set_busy_ns(self->queue, busy[i]);
		must(try_sim_set(&self->sim, "step_mode", 1));
		must(try_add_fill(self, 1));
		fails(ETIME, udma_queue_wait(self->queue, 1, 1000));
		EXPECT_EQ(1, udma_channel_get_pending(self->channel));
		fails(ETIME, udma_queue_wait(self->queue, 1, 1000));
		fails(ETIME, udma_queue_wait(self->queue, 1, 1));
		must(try_add_fill(self, 2));
		fails(ETIME, udma_queue_wait(self->queue, 1, 0));
		EXPECT_EQ(2, udma_channel_get_pending(self->channel));
		fails(ETIME, udma_queue_wait(self->queue, 1, 0));
		EXPECT_EQ(0, udma_queue_wait(self->queue, 0, -1));
		must(try_step(&self->sim, 1));
		/* This asks for what need not interrupt, so it is first. */
		EXPECT_EQ(1, udma_queue_wait(self->queue, 1, 0));
		EXPECT_EQ(1, udma_queue_wait(self->queue, 0, 0));
		EXPECT_EQ(1, udma_queue_wait(self->queue, 1, INT64_MAX));
		EXPECT_EQ(1, udma_queue_wait(self->queue, 1, INT64_MIN));
		/* What has come can be taken all the same. */
		fails(ETIME, udma_queue_wait(self->queue, 2, 1000));
		comes_next(self->queue, 1, 0);
		must(try_sim_set(&self->sim, "step_mode", 0));
		EXPECT_EQ(1, udma_queue_wait(self->queue, 2, INT64_MAX));
		comes_next(self->queue, 2, 0);
		EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	}
}

/* Two of three are not enough. */
TEST_F(queue, wait_for_so_many)
{
	struct call call = {
		.queue = self->queue,
		.run = call_queue_wait,
		.count = 3,
		.timeout_ns = -1,
	};

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	must(try_add_fill(self, 3));
	must(try_add_fill(self, 4));
	must(try_start_call(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	must(try_step(&self->sim, 1));
	must(try_wait_call_in(&call, variant->sleeps_in));
	must(try_step(&self->sim, 1));
	must(try_wait_call_in(&call, variant->sleeps_in));
	EXPECT_FALSE(is_done(&call));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(3, try_end_call(&call));
	comes_next(self->queue, 1, 0);
	comes_next(self->queue, 2, 0);
	comes_next(self->queue, 3, 0);
	EXPECT_EQ(1, udma_queue_get_pending(self->queue));
}

/* Some were there before, and one was taken. */
TEST_F(queue, wait_for_more)
{
	struct call call = {
		.queue = self->queue,
		.run = call_queue_wait,
		.count = 2,
		.timeout_ns = AN_HOUR,
	};

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	must(try_add_fill(self, 3));
	EXPECT_EQ(3, must(udma_queue_submit(self->queue)));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	comes_next(self->queue, 1, 0);
	must(try_start_call(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	EXPECT_FALSE(is_done(&call));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(2, try_end_call(&call));
	comes_next(self->queue, 2, 0);
	comes_next(self->queue, 3, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

/* Whether the wait comes with a submission or without, and its handler restarts. */
TEST_F(queue, wait_is_interrupted)
{
	static const int flags[] = { 0, SA_RESTART };
	static const int64_t timeouts[] = { -1, AN_HOUR };
	struct sigaction action = { .sa_handler = on_signal };
	struct call call;
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	for (i = 0; i < 8; i++) {
		action.sa_flags = flags[i & 1];
		must(sigaction(SIGUSR1, &action, NULL));
		call = (struct call) {
			.queue = self->queue,
			.run = call_queue_wait,
			.count = 1,
			.timeout_ns = timeouts[i >> 1 & 1],
		};
		if (i == 4)
			must(try_add_fill(self, 2));
		must(try_start_call(&call));
		must(try_wait_call_in(&call, variant->sleeps_in));
		must(try_interrupt(&call));
		fails(EINTR, try_end_call(&call));
		EXPECT_EQ(i < 4 ? 1 : 2,
			  udma_channel_get_pending(self->channel));
	}
	must(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	comes_next(self->queue, 1, 0);
	comes_next(self->queue, 2, 0);
}

static int try_add_fills(queue_t *self, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (try_add_fill(self, i) < 0)
			return -1;
	return 0;
}

static unsigned int take_all(queue_t *self)
{
	unsigned int count = 0;

	while (udma_queue_next(self->queue))
		count++;
	return count;
}

/* Nobody needs to hear of those before the one that ends the wait. */
TEST_F(queue, says_more_in_wait)
{
	/* How many are under way, how many are added, what is waited for */
	static const struct {
		unsigned int before, added;
		size_t count;
		unsigned int more;
	} waits[] = {
		{ 0, 1, 1, 0 }, { 0, 4, 4, 7 }, { 0, 4, SIZE_MAX, 7 },
		{ 0, 4, 3, 3 }, { 0, 3, 2, 1 }, { 0, 3, 1, 0 },
		{ 2, 2, 4, 1 }, { 2, 2, 3, 0 }, { 1, 3, 4, 3 },
		{ 3, 1, 4, 0 }, { 3, 1, 2, 0 }, { 3, 1, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		must(try_add_fills(self, waits[i].before));
		must(udma_queue_submit(self->queue));
		must(try_add_fills(self, waits[i].added));
		must(udma_queue_wait(self->queue, waits[i].count, -1));
		EXPECT_EQ(waits[i].added, asked.count) TH_LOG("wait %u", i);
		EXPECT_EQ(waits[i].more, asked.more) TH_LOG("wait %u", i);
		must(udma_queue_wait(self->queue, DEPTH, -1));
		ASSERT_EQ(waits[i].before + waits[i].added, take_all(self));
	}
}

/* Wherever it begins in the queue. */
TEST_F(queue, says_more_all_around)
{
	unsigned int i;

	for (i = 0; i < 2 * DEPTH + 1; i++) {
		must(try_add_fills(self, 3));
		EXPECT_EQ(3, must(udma_queue_wait(self->queue, 3, AN_HOUR)));
		has_asked(3, 3);
		EXPECT_EQ(3, take_all(self));
	}
}

/* Who does not wait hears of each, unless he says so himself. */
TEST_F(queue, says_more_as_told)
{
	must(try_add_fills(self, 4));
	EXPECT_EQ(4, must(udma_queue_submit(self->queue)));
	has_asked(4, 0);
	must(udma_queue_wait(self->queue, 4, -1));
	EXPECT_EQ(4, take_all(self));
	must(try_add_fills(self, 4));
	udma_queue_wait(self->queue, 4, 0);
	has_asked(4, 0);
	must(udma_queue_wait(self->queue, 4, -1));
	EXPECT_EQ(4, take_all(self));

	must(try_add_fill(self, 1));
	udma_transfer_set_more(self->transfer, true);
	must(try_add_fill(self, 2));
	must(try_add_fill(self, 3));
	EXPECT_EQ(3, must(udma_queue_submit(self->queue)));
	has_asked(3, 6);
	must(try_add_fill(self, 4));
	must(udma_queue_wait(self->queue, 1, -1));
	has_asked(1, 1);
	must(udma_queue_wait(self->queue, 4, -1));
	EXPECT_EQ(4, take_all(self));
}

/* The next submission may be without a wait. */
TEST_F(queue, says_no_more_when_refused)
{
	unsigned int i;

	for (i = 0; i < 2 * DEPTH + 1; i++) {
		must(try_add_fill(self, 1));
		must(try_add_mistake(self));
		must(try_add_fill(self, 2));
		must(try_add_fill(self, 3));
		EXPECT_LE(0, udma_queue_wait(self->queue, 4, -1));
		fails(ERANGE, udma_queue_wait(self->queue, 4, -1));
		has_asked(3, 3);
		must(udma_queue_drop(self->queue));
		EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
		has_asked(2, 0);
		EXPECT_EQ(3, must(udma_queue_wait(self->queue, 3, -1)));
		EXPECT_EQ(3, take_all(self));
	}
}

/* One call for all of it. */
TEST_F(queue, asks_once)
{
	must(try_add_fills(self, 4));
	asked.calls = 0;
	EXPECT_EQ(4, must(udma_queue_wait(self->queue, 4, -1)));
	EXPECT_EQ(4, take_all(self));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
	EXPECT_EQ(2, asked.calls);
	EXPECT_EQ(-1, find_other(self->to, BYTES, 9));
}

/* It is the kernel that is busy, so only for a mapped queue. */
TEST_F(queue, asks_to_be_busy)
{
	must(try_add_fill(self, 1));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	EXPECT_EQ(0, asked.enter.busy_ns);
	EXPECT_EQ(1, take_all(self));
	udma_queue_set_busy_ns(self->queue, AN_HOUR);
	must(try_add_fill(self, 1));
	asked.calls = 0;
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, AN_HOUR / 2)));
	EXPECT_EQ(1, asked.calls);
	EXPECT_EQ(variant->flags ? 1 : 0, asked.enter.complete);
	EXPECT_EQ(variant->flags ? AN_HOUR / 2 : 0, asked.enter.timeout_ns);
	EXPECT_EQ(variant->flags ? AN_HOUR : 0, asked.enter.busy_ns);
	EXPECT_EQ(1, take_all(self));
}

/* Busy or asleep: whoever comes too early with it comes again. */
TEST_F(queue, busy_wait_is_interrupted)
{
	struct call call = {
		.queue = self->queue,
		.run = call_queue_wait,
		.count = 1,
		.timeout_ns = -1,
	};
	__u64 end = 0;

	must(try_catch(SIGUSR1));
	udma_queue_set_busy_ns(self->queue, AN_HOUR);
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_start_call(&call));
	while (!is_done(&call)) {
		ASSERT_TRUE(look_again(&end));
		pthread_kill(call.thread, SIGUSR1);
	}
	fails(EINTR, try_end_call(&call));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 1, 0);
}

/* How often the calling thread has gone to sleep. */
static long sleeps(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage))
		return -1;
	return usage.ru_nvcsw;
}

/* It is the kernel that is, so only for a mapped queue. */
TEST_F(queue, is_busy)
{
	long before;

	must(try_sim_set(&self->sim, "latency_ns", 5000000));
	udma_queue_set_busy_ns(self->queue, AN_HOUR);
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
	before = sleeps();
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	EXPECT_EQ(!variant->flags, before < sleeps());
	comes_next(self->queue, 1, 0);
	comes_next(self->queue, 2, 0);

	/* That this tells something */
	udma_queue_set_busy_ns(self->queue, 0);
	must(try_add_fill(self, 3));
	EXPECT_EQ(1, must(udma_queue_submit(self->queue)));
	before = sleeps();
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	EXPECT_LT(before, sleeps());
	comes_next(self->queue, 3, 0);
}

/* It sleeps all the same when the time is over. */
TEST_F(queue, is_busy_for_a_time)
{
	struct call call = {
		.queue = self->queue,
		.run = call_queue_wait,
		.count = 1,
		.timeout_ns = -1,
	};

	udma_queue_set_busy_ns(self->queue, 1000);
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_start_call(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	EXPECT_FALSE(is_done(&call));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, try_end_call(&call));
	comes_next(self->queue, 1, 0);
}

/* A poll loop of one's own */
TEST_F(queue, is_polled)
{
	int fd = udma_channel_get_fd(self->channel);
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < DEPTH; i++)
		must(try_add_fill(self, i));
	EXPECT_EQ(DEPTH, must(udma_queue_submit(self->queue)));
	not_made(EAGAIN, udma_queue_next(self->queue));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(POLLIN, must(try_wait_for(fd, POLLIN)) & POLLIN);
	comes_next(self->queue, 0, 0);
	comes_next(self->queue, 1, 0);
	/* Who was told that there is nothing more can wait for it. */
	not_made(EAGAIN, udma_queue_next(self->queue));
	EXPECT_EQ(0, udma_channel_wait(self->channel, 0));
	must(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_EQ(1, must(udma_channel_wait(self->channel, -1)));
	comes_next(self->queue, 2, 0);
}

TEST_F(queue, cancel)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	udma_transfer_set_fence(self->transfer, true);
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
	EXPECT_EQ(2, udma_channel_get_last_sequence(self->channel));
	must(udma_channel_cancel(self->channel, 2));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 2, ECANCELED);
	must(try_sim_set(&self->sim, "step_mode", 0));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 1, 0);
}

/* Beside the queue */

TEST_F(queue, has_the_channel)
{
	udma_transfer_set_fill(self->transfer, self->dst, 0, 64, 1);
	fails(EBUSY, udma_channel_submit_one(self->channel, self->transfer));
	fails(EBUSY, udma_channel_read(self->channel, self->completions, 1));

	/* It comes first; what is only added counts, and what was not taken. */
	must(try_add_fill(self, 1));
	fails(EBUSY, udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	fails(EBUSY, udma_channel_copy(self->channel, self->dst, 0, self->src,
				       0, BYTES));
	comes_next(self->queue, 1, 0);
	must(udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
			       BYTES));
	EXPECT_EQ(0, memcmp(self->to, self->from, BYTES));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	must(try_add_fill(self, 2));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 2, 0);
}

TEST_F(queue, copy_at_once_fails)
{
	fails(ERANGE, udma_channel_copy(self->channel, self->dst, 64,
					self->src, 0, BYTES));
	fails(EINVAL, udma_channel_fill(self->channel, self->dst, 0, 0, 1));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	must(try_sim_set(&self->sim, "fail_at", 1));
	fails(EIO, udma_channel_copy(self->channel, self->dst, 0, self->src, 0,
				     BYTES));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	must(udma_channel_fill(self->channel, self->dst, 0, BYTES, 9));
	EXPECT_EQ(-1, find_other(self->to, BYTES, 9));
}

TEST_F(queue, copy_at_once_is_interrupted)
{
	struct call call = {
		.channel = self->channel,
		.dst = self->dst,
		.src = self->src,
		.run = call_copy,
	};

	must(try_catch(SIGUSR1));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_start_call(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	must(try_interrupt(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	EXPECT_FALSE(is_done(&call));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_end_call(&call));
	EXPECT_EQ(0, memcmp(self->to, self->from, BYTES));
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

/* The end of it */

/* One has come, one is under way, one was not submitted. */
TEST_F(queue, freed_while_in_use)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
	must(try_step(&self->sim, 1));
	must(try_add_fill(self, 3));
	errno = EXDEV;
	udma_queue_free(self->queue);
	EXPECT_EQ(EXDEV, errno);
	self->queue = NULL;
	EXPECT_EQ(1, udma_channel_get_pending(self->channel));
	not_made(EBUSY, udma_queue_new(self->channel, 1, variant->flags));
	EXPECT_EQ(0, udma_channel_read(self->channel, self->completions, 9));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_complete(self->channel, self->completions, 1));
	completion = made(only(self->completions));
	EXPECT_EQ(2, udma_completion_get_user_data(completion));
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));

	self->queue = made(udma_queue_new(self->channel, DEPTH,
					  variant->flags));
	must(try_add_fill(self, 4));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 4, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
	EXPECT_EQ(3, udma_channel_get_last_sequence(self->channel));
}

TEST_F(queue, outlives_the_channel)
{
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2, -1)));
	comes_next(self->queue, 1, 0);
	must(try_add_fill(self, 3));
	udma_channel_close(self->channel);
	self->channel = NULL;
	EXPECT_EQ(0, udma_queue_get_depth(self->queue));
	EXPECT_EQ(0, udma_queue_get_pending(self->queue));
	EXPECT_EQ(0, udma_queue_get_room(self->queue));
	fails(ENODEV, try_add_fill(self, 4));
	EXPECT_EQ(0, udma_queue_submit(self->queue));
	fails(ENODEV, udma_queue_wait(self->queue, 1, -1));
	fails(ENODEV, udma_queue_wait(self->queue, 0, 0));
	not_made(ENODEV, udma_queue_next(self->queue));
	fails(ENOENT, udma_queue_drop(self->queue));
}

/* A child takes nothing away, not even what has come already. */
TEST_F(queue, fork)
{
	int status;
	pid_t pid;

	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
	must(try_wait_for(udma_channel_get_fd(self->channel), POLLIN));
	pid = must(fork());
	if (!pid) {
		udma_queue_free(self->queue);
		udma_channel_close(self->channel);
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 2,
					  WAIT_MS * 1000000LL)));
	comes_next(self->queue, 1, 0);
	comes_next(self->queue, 2, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

TEST_F(queue, of_a_channel_that_is_gone)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	EXPECT_EQ(2, must(udma_queue_submit(self->queue)));
	must(try_add_fill(self, 3));
	must(try_sim_unbind(&self->sim, 0));

	fails(ENODEV, udma_queue_submit(self->queue));
	fails(ENODEV, udma_queue_wait(self->queue, 1, -1));
	must(udma_queue_drop(self->queue));
	EXPECT_EQ(2, must(udma_queue_wait(self->queue, 3, -1)));
	come_two_gone(self->queue);
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	not_made(ENODEV, udma_queue_next(self->queue));
	not_made(ENODEV, udma_queue_next(self->queue));
	fails(ENODEV, udma_queue_wait(self->queue, 1, -1));
	fails(ENODEV, udma_queue_wait(self->queue, 0, 0));
	EXPECT_EQ(0, udma_queue_submit(self->queue));
	must(try_add_fill(self, 4));
	fails(ENODEV, udma_queue_wait(self->queue, 1, 1000));
	fails(ENODEV, udma_queue_submit(self->queue));
	udma_queue_free(self->queue);
	self->queue = NULL;
	EXPECT_EQ(0, udma_channel_get_pending(self->channel));
	not_made(ENODEV, udma_queue_new(self->channel, DEPTH, variant->flags));
}

TEST_F(queue, of_a_channel_that_goes)
{
	struct call call = {
		.queue = self->queue,
		.run = call_queue_wait,
		.count = 2,
		.timeout_ns = -1,
	};

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_add_fill(self, 1));
	must(try_add_fill(self, 2));
	must(try_start_call(&call));
	must(try_wait_call_in(&call, variant->sleeps_in));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(2, try_end_call(&call));
	come_two_gone(self->queue);
	not_made(ENODEV, udma_queue_next(self->queue));
}

TEST_F(queue, of_a_channel_that_failed)
{
	const struct udma_completion *completion;

	must(try_sim_set(&self->sim, "terminate_fail", 1));
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_add_fill(self, 1));
	EXPECT_EQ(1, must(udma_queue_submit(self->queue)));
	fails(EIO, try_attribute_set(&self->sim, "reset", "1"));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	completion = made(udma_queue_next(self->queue));
	EXPECT_EQ(EIO, udma_completion_get_error(completion));
	EXPECT_TRUE(udma_completion_is_held(completion));
	must(try_add_fill(self, 2));
	fails(EIO, udma_queue_submit(self->queue));
	fails(EIO, udma_queue_wait(self->queue, 1, -1));

	/* It lets go after all, and what was refused is no mistake then. */
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_chan_wait(&self->sim, "state", "working"));
	EXPECT_EQ(1, must(udma_queue_wait(self->queue, 1, -1)));
	comes_next(self->queue, 2, 0);
	EXPECT_TRUE(nothing_is_left(self->queue, self->channel));
}

TEST_HARNESS_MAIN
