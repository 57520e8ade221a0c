// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: how much memory a user, a channel and a memory cgroup may have in
 * buffers, until when a buffer counts, and that it is given back once.
 */
#include <linux/capability.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "udma_sim.h"

/* The usual RLIMIT_MEMLOCK, and one that is quickly filled. */
#define USUAL	(8 * MIB)
#define SMALL	(64 * KIB)

/*
 * Programs of other users. Each is a process that does what it is told, so that a
 * test reads in one piece.
 */
struct order {
	int (*deed)(struct order *order);	/* returns as a system call does */
	int fd;
	__u64 value;
	struct buffer buffer;
	int ret;
	int error;
};

struct user {
	pid_t pid;
	int socket;
	int fd;		/* the file that its deeds are for; its number there */
};

static int do_alloc(struct order *order)
{
	return try_alloc(order->fd, order->value, &order->buffer);
}

static int do_free(struct order *order)
{
	return try_free(order->fd, order->buffer.handle);
}

static int do_map(struct order *order)
{
	return try_map(order->fd, &order->buffer);
}

static int do_unmap(struct order *order)
{
	return try_unmap(&order->buffer);
}

static int do_close(struct order *order)
{
	return close(order->fd);
}

static int do_fill(struct order *order)
{
	return try_submit_one(order->fd, fill_request(&order->buffer, 0,
						      order->buffer.bytes, 1));
}

/* Only the soft limit, which who has no privilege can raise again. */
static int do_rlimit(struct order *order)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -1;
	limit.rlim_cur = order->value;
	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Have these capabilities and no other. */
static int do_capset(struct order *order)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = order->value, .permitted = order->value },
	};

	return syscall(SYS_capset, &header, data);
}

/* Buffers of a page until there is no room: how many. */
static int do_alloc_all(struct order *order)
{
	int count = 0;

	while (!try_alloc(order->fd, page_bytes(), &order->buffer))
		count++;
	return errno == EDQUOT ? count : -1;
}

static int try_become(uid_t uid, rlim_t limit)
{
	const struct rlimit rlimit = { limit, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &rlimit))
		return -1;
	/* For do_capset(), and only for that: what is in effect goes. */
	if (prctl(PR_SET_KEEPCAPS, 1))
		return -1;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid))
		return -1;
	return setresuid(uid, uid, uid);
}

static void obey(int socket)
{
	struct order order;

	while (read(socket, &order, sizeof(order)) == sizeof(order)) {
		order.ret = order.deed(&order);
		order.error = errno_of(order.ret);
		if (write(socket, &order, sizeof(order)) != sizeof(order))
			break;
	}
}

/*
 * Start a program that has @fd, which is the caller's no more: it is closed when
 * that program ends, if nobody else was given it.
 */
static int try_user_start(struct user *user, uid_t uid, rlim_t limit, int fd)
{
	int sockets[2], error;

	if (fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		return -1;
	user->pid = fork();
	if (user->pid < 0)
		return -1;
	if (user->pid == 0) {
		error = errno_of(try_become(uid, limit));
		if (write(sockets[1], &error, sizeof(error)) == sizeof(error))
			obey(sockets[1]);
		_exit(0);
	}
	close(sockets[1]);
	user->socket = sockets[0];
	user->fd = fd;
	if (read(user->socket, &error, sizeof(error)) != sizeof(error))
		error = EPROTO;
	if (close(fd))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int try_user_tell(const struct user *user,
			 int (*deed)(struct order *order), __u64 value,
			 const struct buffer *buffer)
{
	struct order order = {
		.deed = deed,
		.fd = user->fd,
		.value = value,
	};

	if (buffer)
		order.buffer = *buffer;
	return write(user->socket, &order, sizeof(order)) < 0 ? -1 : 0;
}

static int try_user_hear(const struct user *user, struct buffer *buffer)
{
	struct order order;

	if (read(user->socket, &order, sizeof(order)) != sizeof(order)) {
		errno = EPIPE;
		return -1;
	}
	if (buffer)
		*buffer = order.buffer;
	errno = order.error;
	return order.ret;
}

static int try_user(const struct user *user, int (*deed)(struct order *order),
		    __u64 value, struct buffer *buffer)
{
	if (try_user_tell(user, deed, value, buffer))
		return -1;
	return try_user_hear(user, buffer);
}

/* A buffer that nothing is done with. */
static int try_user_alloc(const struct user *user, __u64 bytes)
{
	return try_user(user, do_alloc, bytes, NULL);
}

/* All that the program had has been given back when this returns. */
static int try_user_end(struct user *user, int signal)
{
	pid_t pid = user->pid;

	user->pid = 0;
	if (signal)
		kill(pid, signal);
	/* A program started later has the socket as well. */
	shutdown(user->socket, SHUT_RDWR);
	close(user->socket);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* What the user may have, and no more, as if there had been nothing before. */
static int try_all(const struct user *user)
{
	if (try_user_alloc(user, SMALL))
		return -1;
	if (!try_user_alloc(user, 1))
		errno = ERANGE;
	return errno == EDQUOT ? 0 : -1;
}

FIXTURE(limit)
{
	struct sim sim;		/* of two channels */
	struct user a;
	struct user b;
	struct user c;
	uid_t uid;		/* nobody else's, nor is the next */
	size_t page;
	char max_megabytes[80];	/* of channel 0 */
	char used_bytes[80];
};

FIXTURE_SETUP(limit)
{
	static const struct sim_config config = { .channels = 2 };
	char node[32];

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_sim_bind(&self->sim, 1));
	must(try_find_node(self->sim.name, node, sizeof(node)));
	snprintf(self->max_megabytes, sizeof(self->max_megabytes),
		 UDMA_CLASS "/%s/max_megabytes", node);
	snprintf(self->used_bytes, sizeof(self->used_bytes),
		 UDMA_CLASS "/%s/used_bytes", node);
	self->uid = 100000 + 2 * getpid();
	self->page = page_bytes();
}

FIXTURE_TEARDOWN(limit)
{
	if (self->a.pid)
		works(try_user_end(&self->a, 0));
	if (self->b.pid)
		works(try_user_end(&self->b, 0));
	if (self->c.pid)
		works(try_user_end(&self->c, 0));
	try_sim_unbind(&self->sim, 0);
	works(try_sim_unbind(&self->sim, 1));
	works(try_sim_end(&self->sim));
}

static int open_channel(const struct sim *sim, unsigned int channel)
{
	return try_sim_open(sim, channel, O_RDWR);
}

static long long number_in(const char *path)
{
	char text[32], *end;
	long long value;

	if (try_read_text(path, text, sizeof(text)))
		return -1;
	value = strtoll(text, &end, 10);
	return end != text && !*end ? value : -1;
}

static int try_set_number(const char *path, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	return try_write_text(path, text);
}

/* A user: RLIMIT_MEMLOCK */

FIXTURE(memlock)
{
	struct sim sim;
	struct user user;
	size_t page;
};

FIXTURE_VARIANT(memlock)
{
	rlim_t limit;
	size_t piece;	/* what most of it is taken in */
};

FIXTURE_VARIANT_ADD(memlock, usual) { .limit = USUAL, .piece = MIB };
FIXTURE_VARIANT_ADD(memlock, usual_and_a_byte)
{
	.limit = USUAL + 1,
	.piece = MIB,
};

FIXTURE_VARIANT_ADD(memlock, usual_less_a_byte)
{
	.limit = USUAL - 1,
	.piece = MIB,
};

FIXTURE_VARIANT_ADD(memlock, small) { .limit = SMALL, .piece = 8 * KIB };

FIXTURE_SETUP(memlock)
{
	static const struct sim_config config;
	int fd = must(try_sim_start(&self->sim, &config));

	self->page = page_bytes();
	must(try_user_start(&self->user, 100000 + getpid(), variant->limit,
			    fd));
}

FIXTURE_TEARDOWN(memlock)
{
	if (self->user.pid)
		works(try_user_end(&self->user, 0));
	works(try_sim_finish(&self->sim));
}

TEST_F(memlock, is_kept_to_the_page)
{
	const __u64 whole = variant->limit / self->page * self->page;
	struct buffer first, last;
	__u64 left;

	must(try_user(&self->user, do_alloc, variant->piece, &first));
	for (left = whole - variant->piece; left > variant->piece;
	     left -= variant->piece)
		must(try_user_alloc(&self->user, variant->piece));
	fails(EDQUOT, try_user_alloc(&self->user, left + 1));
	must(try_user(&self->user, do_alloc, left, &last));
	fails(EDQUOT, try_user_alloc(&self->user, 1));

	/* One page less, and there is room for one page. */
	must(try_user(&self->user, do_free, 0, &first));
	must(try_user_alloc(&self->user, variant->piece - self->page));
	fails(EDQUOT, try_user_alloc(&self->user, self->page + 1));
	must(try_user_alloc(&self->user, self->page));
	fails(EDQUOT, try_user_alloc(&self->user, 1));
}

TEST_F(memlock, is_not_exceeded_by_a_single_one)
{
	fails(EDQUOT, try_user_alloc(&self->user, variant->limit + self->page));
	fails(EDQUOT, try_user_alloc(&self->user, 200 * MIB));
}

TEST_F(limit, of_nothing)
{
	must(try_user_start(&self->a, self->uid, 0,
			    open_channel(&self->sim, 0)));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	fails(EDQUOT, try_user_alloc(&self->a, MIB));
}

TEST_F(limit, of_less_than_a_page)
{
	must(try_user_start(&self->a, self->uid, self->page - 1,
			    open_channel(&self->sim, 0)));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
}

TEST_F(limit, that_is_none)
{
	unsigned int i;

	must(try_user_start(&self->a, self->uid, RLIM_INFINITY,
			    open_channel(&self->sim, 0)));
	for (i = 0; i < 32; i++)
		must(try_user_alloc(&self->a, MIB));
}

/* That of who allocates counts, at that time. */
TEST_F(limit, that_is_changed)
{
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_alloc(&self->a, SMALL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	must(try_user(&self->a, do_rlimit, 2 * SMALL, NULL));
	must(try_user_alloc(&self->a, SMALL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	must(try_user(&self->a, do_rlimit, SMALL, NULL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	must(try_user(&self->a, do_rlimit, RLIM_INFINITY, NULL));
	must(try_user_alloc(&self->a, SMALL));
}

TEST_F(limit, is_for_all_processes_files_and_channels_of_a_user)
{
	struct buffer buffer;

	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->c, self->uid, SMALL,
			    open_channel(&self->sim, 1)));
	must(try_user(&self->a, do_alloc, SMALL - 2 * self->page, &buffer));
	must(try_user_alloc(&self->b, self->page));
	must(try_user_alloc(&self->c, self->page));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	fails(EDQUOT, try_user_alloc(&self->c, 1));
	must(try_user(&self->a, do_free, 0, &buffer));
	must(try_user_alloc(&self->c, SMALL - 2 * self->page));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
}

TEST_F(limit, is_not_for_another_user)
{
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid + 1, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_alloc(&self->a, SMALL));
	must(try_user_alloc(&self->b, SMALL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
}

/* Not of who opened the file, nor of who frees. */
TEST_F(limit, is_of_who_allocates)
{
	int fd = must(open_channel(&self->sim, 0));
	struct buffer buffer;

	must(try_user_start(&self->a, self->uid, SMALL, must(dup(fd))));
	must(try_user_start(&self->b, self->uid + 1, SMALL, fd));
	must(try_user(&self->a, do_alloc, SMALL, &buffer));
	must(try_user_alloc(&self->b, SMALL - self->page));
	must(try_user(&self->b, do_free, 0, &buffer));
	must(try_user_alloc(&self->b, self->page));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user_alloc(&self->a, SMALL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
}

TEST_F(limit, is_lifted_by_cap_ipc_lock)
{
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	fails(EDQUOT, try_user_alloc(&self->a, SMALL + 1));
	must(try_user(&self->a, do_capset, 1 << CAP_IPC_LOCK, NULL));
	must(try_user_alloc(&self->a, MIB));
	must(try_user_alloc(&self->a, MIB));
	must(try_user(&self->a, do_capset, 0, NULL));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
}

TEST_F(limit, is_lifted_by_no_other_capability)
{
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user(&self->a, do_capset,
		      ~0U & ~(1U << CAP_IPC_LOCK), NULL));
	fails(EDQUOT, try_user_alloc(&self->a, SMALL + 1));
}

TEST_F(limit, is_for_root_without_the_capability)
{
	const struct rlimit rlimit = { 0, 0 };
	struct order order = { .value = 0 };
	struct buffer buffer;
	int fd, status;

	fd = must(open_channel(&self->sim, 0));
	must(setrlimit(RLIMIT_MEMLOCK, &rlimit));
	must(try_alloc(fd, MIB, &buffer));
	/* In a child: the rest of the test wants its capabilities. */
	if (must(fork()) == 0)
		_exit(do_capset(&order) ||
		      errno_of(try_alloc(fd, 1, &buffer)) != EDQUOT);
	must(wait(&status));
	EXPECT_EQ(0, status);
	must(close(fd));
}

/* Memory that was allocated with the privilege is the user's all the same. */
TEST_F(limit, counts_what_a_privileged_one_has)
{
	struct buffer buffer;

	must(try_user_start(&self->a, self->uid, 0,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user(&self->a, do_capset, 1 << CAP_IPC_LOCK, NULL));
	must(try_user(&self->a, do_alloc, SMALL - self->page, &buffer));
	fails(EDQUOT, try_user_alloc(&self->b, self->page + 1));
	must(try_user_alloc(&self->b, self->page));
	must(try_user(&self->a, do_free, 0, &buffer));
	must(try_user_alloc(&self->b, SMALL - self->page));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
}

/* Until when it counts */

/* User a has it all, b is the same user and has nothing. */
static int try_two(struct user *a, struct user *b, const struct sim *sim,
		   uid_t uid, struct buffer *buffer)
{
	if (try_user_start(a, uid, SMALL, open_channel(sim, 0)) ||
	    try_user_start(b, uid, SMALL, open_channel(sim, 1)) ||
	    try_user(a, do_alloc, SMALL, buffer))
		return -1;
	if (!try_user_alloc(b, 1))
		errno = ERANGE;
	return errno == EDQUOT ? 0 : -1;
}

TEST_F(limit, counts_until_it_is_freed)
{
	struct buffer buffer;

	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_free, 0, &buffer));
	must(try_all(&self->b));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
}

TEST_F(limit, counts_until_it_is_unmapped)
{
	struct buffer buffer;

	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_map, 0, &buffer));
	must(try_user(&self->a, do_free, 0, &buffer));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user(&self->a, do_close, 0, NULL));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user(&self->a, do_unmap, 0, &buffer));
	must(try_all(&self->b));
}

TEST_F(limit, counts_until_its_file_is_closed)
{
	struct buffer buffer;

	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_close, 0, NULL));
	must(try_all(&self->b));
}

TEST_F(limit, counts_until_the_program_ends)
{
	struct buffer buffer;

	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_map, 0, &buffer));
	must(try_user_end(&self->a, SIGKILL));
	must(try_all(&self->b));
}

TEST_F(limit, counts_while_another_program_has_the_file)
{
	int fd = must(open_channel(&self->sim, 0));

	/* A child, so it has what is open here. */
	must(try_user_start(&self->c, self->uid + 1, 0, must(dup(fd))));
	must(try_user_start(&self->a, self->uid, SMALL, fd));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 1)));
	must(try_user_alloc(&self->a, SMALL));
	must(try_user_end(&self->a, SIGKILL));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user_end(&self->c, 0));
	must(try_all(&self->b));
}

TEST_F(limit, counts_while_another_program_has_it_mapped)
{
	int fd = must(open_channel(&self->sim, 0));
	struct buffer buffer;

	must(try_user_start(&self->a, self->uid, SMALL, must(dup(fd))));
	must(try_user(&self->a, do_alloc, SMALL, &buffer));
	must(try_map(fd, &buffer));
	must(close(fd));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 1)));
	/* That is a child, which has the mapping too. */
	must(try_user(&self->b, do_unmap, 0, &buffer));
	must(try_user(&self->a, do_free, 0, &buffer));
	must(try_user_end(&self->a, SIGKILL));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_unmap(&buffer));
	must(try_all(&self->b));
}

TEST_F(limit, counts_while_hardware_has_it)
{
	struct buffer buffer;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user(&self->a, do_alloc, SMALL - self->page, &buffer));
	must(try_user(&self->a, do_fill, 0, &buffer));
	must(try_wait_pending(&self->sim, 1));
	must(try_user_end(&self->a, SIGKILL));

	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	fails(EDQUOT, try_user_alloc(&self->b, self->page + 1));
	must(try_user_alloc(&self->b, self->page));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	EXPECT_EQ(SMALL, number_in(self->used_bytes));
	must(try_step(&self->sim, 1));
	must(try_user_alloc(&self->b, SMALL - self->page));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
}

/* The memory goes with the device, while handle and mapping are still there. */
TEST_F(limit, counts_until_the_channel_is_unbound)
{
	struct buffer buffer;

	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_map, 0, &buffer));
	must(try_sim_unbind(&self->sim, 0));
	must(try_all(&self->b));
	/* And it is given back once. */
	must(try_user(&self->a, do_free, 0, &buffer));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user(&self->a, do_unmap, 0, &buffer));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_user_end(&self->a, 0));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
}

TEST_F(limit, counts_what_hardware_had_until_the_channel_is_unbound)
{
	struct buffer buffer;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_two(&self->a, &self->b, &self->sim, self->uid, &buffer));
	must(try_user(&self->a, do_fill, 0, &buffer));
	must(try_wait_pending(&self->sim, 1));
	must(try_user_end(&self->a, SIGKILL));
	fails(EDQUOT, try_user_alloc(&self->b, 1));
	must(try_sim_unbind(&self->sim, 0));
	must(try_all(&self->b));
}

/* What was refused */

TEST_F(limit, leaves_nothing_of_what_it_refused)
{
	unsigned int i;

	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	for (i = 0; i < 400; i++)
		ASSERT_EQ(EDQUOT, errno_of(try_user_alloc(&self->a,
							  SMALL + 1)));
	EXPECT_EQ(0, number_in(self->used_bytes));
	must(try_all(&self->a));
}

/* Memory that is not there in one piece was counted before. */
TEST_F(limit, leaves_nothing_of_what_there_was_no_memory_for)
{
	struct buffer buffer;
	unsigned int i;

	must(try_user_start(&self->a, self->uid, RLIM_INFINITY,
			    open_channel(&self->sim, 0)));
	for (i = 0; i < 4; i++) {
		if (!try_user(&self->a, do_alloc, 200 * MIB, &buffer))
			must(try_user(&self->a, do_free, 0, &buffer));
		else
			ASSERT_EQ(ENOMEM, errno);
	}
	EXPECT_EQ(0, number_in(self->used_bytes));
	must(try_user(&self->a, do_rlimit, SMALL, NULL));
	must(try_all(&self->a));
}

/* The answer goes to memory that can only be read. */
static int do_alloc_unanswered(struct order *order)
{
	struct udma_buffer_alloc *alloc;
	int ret;

	alloc = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (alloc == MAP_FAILED)
		return -1;
	alloc->size = sizeof(*alloc);
	alloc->bytes = order->value;
	if (mprotect(alloc, page_bytes(), PROT_READ))
		return -1;
	ret = ioctl(order->fd, UDMA_BUFFER_ALLOC, alloc);
	order->error = errno;
	munmap(alloc, page_bytes());
	errno = order->error;
	return ret;
}

TEST_F(limit, leaves_nothing_of_what_could_not_be_told)
{
	unsigned int i;

	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	for (i = 0; i < 4; i++)
		fails(EFAULT, try_user(&self->a, do_alloc_unanswered, SMALL,
				       NULL));
	EXPECT_EQ(0, number_in(self->used_bytes));
	must(try_all(&self->a));
}

/* A channel */

TEST_F(limit, of_a_channel_is_kept_to_the_page)
{
	struct buffer first, buffer;
	int fd;

	must(try_set_number(self->max_megabytes, 1));
	EXPECT_EQ(1, number_in(self->max_megabytes));
	must(try_user_start(&self->a, self->uid, USUAL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid + 1, USUAL,
			    open_channel(&self->sim, 0)));
	must(try_user(&self->a, do_alloc, MIB / 2, &first));
	fails(EDQUOT, try_user_alloc(&self->b, MIB / 2 + 1));
	must(try_user_alloc(&self->b, MIB / 2 - self->page));
	EXPECT_EQ(MIB - self->page, number_in(self->used_bytes));
	fails(EDQUOT, try_user_alloc(&self->a, self->page + 1));
	must(try_user_alloc(&self->a, 1));
	EXPECT_EQ(MIB, number_in(self->used_bytes));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	fails(EDQUOT, try_user_alloc(&self->b, 1));

	/* There is no privilege that lifts it. */
	fd = must(open_channel(&self->sim, 0));
	fails(EDQUOT, try_alloc(fd, 1, &buffer));
	must(try_user(&self->a, do_free, 0, &first));
	EXPECT_EQ(MIB / 2, number_in(self->used_bytes));
	must(try_alloc(fd, MIB / 2, &buffer));
	fails(EDQUOT, try_user_alloc(&self->a, 1));
	must(close(fd));
	EXPECT_EQ(MIB / 2, number_in(self->used_bytes));
}

TEST_F(limit, of_a_channel_is_not_for_another)
{
	struct buffer buffer;
	int fds[2];

	must(try_set_number(self->max_megabytes, 1));
	fds[0] = must(open_channel(&self->sim, 0));
	fds[1] = must(open_channel(&self->sim, 1));
	must(try_alloc(fds[0], MIB, &buffer));
	must(try_alloc(fds[1], MIB, &buffer));
	fails(EDQUOT, try_alloc(fds[0], 1, &buffer));
	must(try_alloc(fds[1], MIB, &buffer));
	must(close(fds[0]));
	must(close(fds[1]));
}

TEST_F(limit, of_a_channel_that_is_changed)
{
	struct buffer first, buffer;
	int fd = must(open_channel(&self->sim, 0));

	must(try_set_number(self->max_megabytes, 2));
	must(try_alloc_map(fd, MIB + MIB / 2, &first));
	must(try_alloc(fd, MIB / 2, &buffer));
	/* What is there stays. */
	must(try_set_number(self->max_megabytes, 1));
	EXPECT_EQ(2 * MIB, number_in(self->used_bytes));
	memset(first.mem, 0x5a, first.map_bytes);
	fails(EDQUOT, try_alloc(fd, 1, &buffer));
	must(try_unmap(&first));
	must(try_free(fd, first.handle));
	must(try_alloc(fd, MIB / 2, &buffer));
	fails(EDQUOT, try_alloc(fd, 1, &buffer));
	must(try_set_number(self->max_megabytes, 2));
	must(try_alloc(fd, MIB, &buffer));
	must(try_set_number(self->max_megabytes, 0));
	fails(EDQUOT, try_alloc(fd, 1, &buffer));
	/* More than there can be is no limit. */
	must(try_set_number(self->max_megabytes, ~0U));
	must(try_alloc(fd, MIB, &buffer));
	must(close(fd));
	EXPECT_EQ(0, number_in(self->used_bytes));
}

TEST_F(limit, of_a_channel_leaves_nothing_of_what_it_refused)
{
	must(try_set_number(self->max_megabytes, 0));
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 1)));
	fails(EDQUOT, try_user_alloc(&self->a, SMALL));
	must(try_all(&self->b));
}

TEST_F(limit, of_a_channel_that_is_no_number)
{
	const char *const texts[] = {
		"x", "-1", "1x", "1 2", "4294967296",
		"18446744073709551616",
	};
	const long long before = number_in(self->max_megabytes);
	unsigned int i;

	EXPECT_LT(0, before);
	EXPECT_GE(1024, before);
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		fails(EINVAL, try_write_text(self->max_megabytes, texts[i]))
			TH_LOG("%s", texts[i]);
	}
	EXPECT_EQ(before, number_in(self->max_megabytes));
}

static const char *limit_path;

static int do_write_limit(struct order *order)
{
	return try_set_number(limit_path, order->value);
}

TEST_F(limit, of_a_channel_is_for_root_to_set)
{
	limit_path = self->max_megabytes;
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	fails(EACCES, try_user(&self->a, do_write_limit, 1, NULL));
	fails(EACCES, try_write_text(self->used_bytes, "0"));
}

/* Races */

struct racer {
	pthread_t thread;
	pthread_barrier_t *barrier;
	int fd;
	int count;
	struct buffer buffers[64];
};

static void *race(void *data)
{
	struct racer *racer = data;

	pthread_barrier_wait(racer->barrier);
	for (racer->count = 0; racer->count < 64; racer->count++)
		if (try_alloc(racer->fd, 1, &racer->buffers[racer->count]))
			break;
	return NULL;
}

/* Two threads take what they get, again and again: always @value in all. */
static int do_race(struct order *order)
{
	struct racer racers[2] = { { .fd = order->fd }, { .fd = order->fd } };
	pthread_barrier_t barrier;
	unsigned int round, i;

	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < 40; round++) {
		for (i = 0; i < 2; i++) {
			racers[i].barrier = &barrier;
			if (pthread_create(&racers[i].thread, NULL, race,
					   &racers[i]))
				return -1;
		}
		for (i = 0; i < 2; i++)
			pthread_join(racers[i].thread, NULL);
		if (racers[0].count + racers[1].count != (int)order->value)
			return racers[0].count + racers[1].count;
		for (i = 0; i < 2; i++)
			while (racers[i].count)
				if (try_free(order->fd, racers[i].buffers
					     [--racers[i].count].handle))
					return -1;
	}
	return order->value;
}

TEST_F(limit, is_kept_by_threads_that_race)
{
	const unsigned int pages = 51;

	must(try_user_start(&self->a, self->uid, pages * self->page,
			    open_channel(&self->sim, 0)));
	EXPECT_EQ(pages, must(try_user(&self->a, do_race, pages, NULL)));
}

TEST_F(limit, of_a_channel_is_kept_by_threads_that_race)
{
	const unsigned int pages = 51;
	struct buffer buffer;
	int fd = must(open_channel(&self->sim, 0));

	must(try_set_number(self->max_megabytes, 1));
	must(try_alloc(fd, MIB - pages * self->page, &buffer));
	must(try_user_start(&self->a, self->uid, USUAL,
			    open_channel(&self->sim, 0)));
	EXPECT_EQ(pages, must(try_user(&self->a, do_race, pages, NULL)));
	must(close(fd));
}

static int do_alloc_and_free(struct order *order)
{
	unsigned int i;

	for (i = 0; i < 3000; i++)
		if (do_alloc(order) || do_free(order))
			return -1;
	return 0;
}

TEST_F(limit, is_kept_by_programs_that_race_on_two_channels)
{
	const unsigned int pages = 801;
	unsigned int round;
	int count;

	for (round = 0; round < 4; round++) {
		must(try_user_start(&self->a, self->uid, pages * self->page,
				    open_channel(&self->sim, 0)));
		must(try_user_start(&self->b, self->uid, pages * self->page,
				    open_channel(&self->sim, 1)));
		must(try_user_tell(&self->a, do_alloc_all, 0, NULL));
		must(try_user_tell(&self->b, do_alloc_all, 0, NULL));
		count = must(try_user_hear(&self->a, NULL));
		count += must(try_user_hear(&self->b, NULL));
		ASSERT_EQ(pages, count);
		must(try_user_end(&self->a, 0));
		must(try_user_end(&self->b, 0));
	}
}

/* Of what is counted and given back at the same time, nothing gets lost. */
TEST_F(limit, is_the_same_after_programs_that_race_on_two_channels)
{
	must(try_user_start(&self->a, self->uid, SMALL,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid, SMALL,
			    open_channel(&self->sim, 1)));
	must(try_user_tell(&self->a, do_alloc_and_free, 1, NULL));
	must(try_user_tell(&self->b, do_alloc_and_free, 1, NULL));
	must(try_user_hear(&self->a, NULL));
	must(try_user_hear(&self->b, NULL));
	must(try_all(&self->a));
}

/* Ask for @value bytes again and again: whether it was always refused. */
static int do_be_refused(struct order *order)
{
	unsigned int i;

	for (i = 0; i < 4000; i++)
		if (errno_of(do_alloc(order)) != EDQUOT)
			return -1;
	return 0;
}

/* Who may have nothing takes nothing from others, not for a moment. */
TEST_F(limit, of_one_user_is_no_hindrance_to_another)
{
	must(try_set_number(self->max_megabytes, 1));
	must(try_user_start(&self->a, self->uid, 0,
			    open_channel(&self->sim, 0)));
	must(try_user_start(&self->b, self->uid + 1, MIB,
			    open_channel(&self->sim, 0)));
	/* There is room for one page, which is what both want. */
	must(try_user_alloc(&self->b, MIB - self->page));
	must(try_user_tell(&self->a, do_be_refused, 1, NULL));
	must(try_user_tell(&self->b, do_alloc_and_free, 1, NULL));
	works(try_user_hear(&self->b, NULL));
	works(try_user_hear(&self->a, NULL));
}

/* Memory cgroups */

FIXTURE(cgroup)
{
	struct sim sim;
	struct user user;
	char root[32];
	char group[64];
};

static int try_cgroup_write(const char *dir, const char *name, long long value)
{
	char path[128], text[24];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(text, sizeof(text), "%lld", value);
	return try_write_text(path, text);
}

/* A line of memory.stat, or -1. */
static long long cgroup_stat(const char *dir, const char *name)
{
	char path[128], line[128], seen[64];
	long long value, found = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lld", seen, &value) == 2 &&
		    !strcmp(seen, name))
			found = value;
	fclose(file);
	return found;
}

/*
 * The kernel may be about to sum it up, and then nobody else does. Between @least
 * and @most is where it has to come to, and the last value is told.
 */
static long long cgroup_stat_within(const char *dir, const char *name,
				    long long least, long long most)
{
	long long value;
	__u64 end = 0;

	do {
		value = cgroup_stat(dir, name);
	} while ((value < least || value > most) && look_again(&end));
	return value;
}

/* Nothing is left of what could not be used: zero, or why not. */
static const char *cgroup_mount(const char *root)
{
	const char *why = "cgroup v2 has no memory controller here";
	char path[64], controllers[256];

	if (mount("none", root, "cgroup2", 0, NULL)) {
		rmdir(root);
		return "cgroup v2 cannot be mounted";
	}
	snprintf(path, sizeof(path), "%s/cgroup.controllers", root);
	if (!try_read_text(path, controllers, sizeof(controllers)) &&
	    strstr(controllers, "memory")) {
		snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
		if (!try_write_text(path, "+memory"))
			return NULL;
		why = "cgroup v2 does not give its memory controller";
	}
	umount(root);
	rmdir(root);
	return why;
}

FIXTURE_SETUP(cgroup)
{
	static const struct sim_config config;
	const char *why;

	snprintf(self->root, sizeof(self->root), "/tmp/cgroup.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->root));
	why = cgroup_mount(self->root);
	if (why)
		SKIP(return, "%s", why);
	snprintf(self->group, sizeof(self->group), "%s/udma-%d", self->root,
		 getpid());
	must(mkdir(self->group, 0755));
	must(try_user_start(&self->user, 100000 + getpid(), RLIM_INFINITY,
			    must(try_sim_start(&self->sim, &config))));
	must(try_cgroup_write(self->group, "cgroup.procs", self->user.pid));
}

FIXTURE_TEARDOWN(cgroup)
{
	if (self->user.pid)
		works(try_user_end(&self->user, 0));
	works(try_sim_finish(&self->sim));
	works(rmdir(self->group));
	works(umount(self->root));
	works(rmdir(self->root));
}

TEST_F(cgroup, counts_buffers)
{
	struct buffer buffers[8], odd;
	long long before, most;
	unsigned int i;

	must(try_user_alloc(&self->user, 1));
	before = cgroup_stat(self->group, "kernel");
	if (before < 0)
		SKIP(return, "memory.stat does not tell of kernel memory");
	for (i = 0; i < ARRAY_SIZE(buffers); i++)
		must(try_user(&self->user, do_alloc, MIB, &buffers[i]));
	must(try_user(&self->user, do_alloc, MIB / 2 + 1, &odd));
	most = before + (long long)(8 * MIB + MIB / 2);
	EXPECT_LE(most, cgroup_stat_within(self->group, "kernel", most,
					   LLONG_MAX));

	must(try_user(&self->user, do_free, 0, &odd));
	for (i = 0; i < ARRAY_SIZE(buffers); i++)
		must(try_user(&self->user, do_free, 0, &buffers[i]));
	/* But for what the kernel keeps to itself, a few pages a processor. */
	EXPECT_GE(before + (long long)MIB,
		  cgroup_stat_within(self->group, "kernel", 0,
				     before + (long long)MIB));
}

TEST_F(cgroup, counts_files)
{
	struct udma_info info;
	long long before, least;
	int fd, fds[16];
	unsigned int i;

	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_info(fd, &info));
	must(close(fd));
	must(try_cgroup_write(self->group, "cgroup.procs", getpid()));
	before = cgroup_stat(self->group, "kernel");
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = must(try_sim_open(&self->sim, 0, O_RDWR));
	/* The queue of its events, and more than that for its transfers. */
	least = before + (long long)(ARRAY_SIZE(fds) * 2 *
				     info.out_max_transfers *
				     info.out_event_bytes);
	EXPECT_LE(least, cgroup_stat_within(self->group, "kernel", least,
					    LLONG_MAX));
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		must(close(fds[i]));
	must(try_cgroup_write(self->root, "cgroup.procs", getpid()));
}

/*
 * Allocate until there is no more, and make room again: also the answer to whoever
 * ordered this wants memory, and would be had by a kill.
 */
static int do_alloc_to_the_limit(struct order *order)
{
	struct buffer buffer;
	int count = 0;

	while (count < 1000 && !try_alloc(order->fd, order->value, &buffer)) {
		order->buffer = buffer;
		count++;
	}
	if (count && errno == ENOMEM && !do_free(order))
		return count;
	errno = count ? errno : ERANGE;
	return -1;
}

static int do_setup(struct order *order)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = order->value,
		.complete_entries = order->value,
		.request_bytes = sizeof(struct udma_request),
	};

	return ioctl(order->fd, UDMA_QUEUE_SETUP, &setup);
}

TEST_F(cgroup, counts_queues)
{
	long long before, queues;
	struct udma_info info;
	int fd;

	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_info(fd, &info));
	must(close(fd));
	must(try_user_alloc(&self->user, 1));
	before = cgroup_stat(self->group, "kernel");
	if (before < 0)
		SKIP(return, "memory.stat does not tell of kernel memory");
	must(try_user(&self->user, do_setup, info.out_max_queue_entries, NULL));
	/* A request and an event of each entry, and more than that for its transfer. */
	queues = 3LL * 64 * info.out_max_queue_entries;
	EXPECT_LE(before + queues,
		  cgroup_stat_within(self->group, "kernel", before + queues,
				     LLONG_MAX));
	must(try_user_end(&self->user, 0));
	EXPECT_GE(before + queues / 3,
		  cgroup_stat_within(self->group, "kernel", 0,
				     before + queues / 3));
}

/* Nor is anybody killed for it. Smaller ones may still be had. */
TEST_F(cgroup, refuses_queues_that_are_over_its_limit)
{
	must(try_user_alloc(&self->user, 1));
	must(try_cgroup_write(self->group, "memory.max",
			      cgroup_stat(self->group, "kernel") + 600 * KIB));
	fails(ENOMEM, try_user(&self->user, do_setup, 4096, NULL));
	must(try_user(&self->user, do_setup, 16, NULL));
}

/* It is told, and neither it nor anybody else is killed. */
TEST_F(cgroup, refuses_what_is_over_its_limit)
{
	int count;

	must(try_cgroup_write(self->group, "memory.max", 8 * MIB));
	/* So small that others' memory is had by killing them. */
	count = must(try_user(&self->user, do_alloc_to_the_limit, 16 * KIB, NULL));
	EXPECT_LT(0, count);
	EXPECT_GT(8 * MIB / (16 * KIB), count);
	/* Less than there is room for: the answer to that wants some too. */
	must(try_user_alloc(&self->user, 1));
}

TEST_HARNESS_MAIN
