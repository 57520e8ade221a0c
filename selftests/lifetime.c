// SPDX-License-Identifier: GPL-2.0
/*
 * What lives how long: a transfer in each state, and each way in which it, its
 * program, its file, its memory or its channel can come to an end; programs that
 * become others; signals at any moment; and a system that sleeps.
 *
 * Close, unbind, fork and descriptors that are sent have more tests in close.c, calls
 * that sleep in a page fault theirs in fault.c, and mappings theirs in buffer.c.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "udma_program.h"
#include "udma_sleeper.h"

#define BYTES	(64 * KIB)

/* Where a transfer is when something happens */
enum phase {
	QUEUED,			/* accepted, but hardware has nothing of it */
	ISSUED,			/* hardware has it */
	ENDED,			/* its event has not been read */
	PHASES,
};

/* In place of a status, where nobody is left to read it */
#define NO_EVENT	1

struct life;

/* What happens, and what is to become of the transfer */
struct deed {
	int (*act)(struct life *life);
	bool is_alien;		/* the file is a child's own */
	bool is_proxy;		/* the file is ours, but a child submits */
	bool is_timed;
	bool ends_channel;
	bool keeps_driver;	/* the controller has lost its own */
	int status[PHASES];
	bool moved[PHASES];
	int status_of_other;
};

/*
 * The transfer, and a bystander's: before it if it is queued, else behind it, or
 * after it if it has ended.
 */
struct life {
	const struct deed *deed;
	enum phase phase;
	struct sim sim;
	char node[32];
	int users;		/* of the module, before */
	struct program own;
	struct program other;
	bool is_open;		/* own, here */
	bool has_other;		/* a transfer */
	pid_t child;
	int to_child;		/* what a child is told, */
	int from_child;		/* and what it says */
};

/* Children: they do as they are told, a byte for each step. */

static int try_child_start(struct life *life, int (*run)(struct life *life))
{
	int sockets[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -1;
	life->child = fork();
	if (life->child == 0) {
		close(sockets[0]);
		life->to_child = sockets[1];
		life->from_child = sockets[1];
		_exit(run(life) ? 1 : 0);
	}
	close(sockets[1]);
	life->to_child = sockets[0];
	life->from_child = sockets[0];
	/* It has begun, or gone. */
	return life->child < 0 || read(sockets[0], &byte, 1) != 1 ? -1 : 0;
}

static int try_tell(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : -1;
}

static int try_be_told(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : -1;
}

static int try_child_end(struct life *life, int expected)
{
	int status;

	if (waitpid(life->child, &status, 0) != life->child)
		return -1;
	life->child = 0;
	close(life->to_child);
	errno = EPROTO;
	return status == expected ? 0 : -1;
}

/* It does not let go of anything by itself, but for its end. */
static int child_submits(struct life *life)
{
	if (life->deed->is_alien &&
	    try_program_start(&life->own, &life->sim, 0, BYTES))
		return -1;
	if (try_submit_one(life->own.fd, life->own.copy) != 1 ||
	    try_tell(life->from_child))
		return -1;
	return try_be_told(life->to_child);
}

static int child_exits(struct life *life)
{
	if (try_touch(life->own.dst.mem) != 1 || try_tell(life->from_child))
		return -1;
	return 0;
}

/* It gets a descriptor, and says in the end what events there were. */
static int child_receives(struct life *life)
{
	struct udma_event events[2] = {};
	int fd, count;

	if (try_tell(life->from_child))
		return -1;
	fd = try_receive_fd(life->to_child);
	if (fd < 0 || try_tell(life->from_child) ||
	    try_be_told(life->to_child))
		return -1;
	count = try_read_now(fd, events, 2);
	if (write(life->from_child, &count, sizeof(count)) != sizeof(count) ||
	    write(life->from_child, events, sizeof(events)) != sizeof(events))
		return -1;
	return 0;
}

/* The deeds */

static int do_cancel(struct life *life)
{
	const int ret = try_cancel(life->own.fd, 1);

	if (life->phase != ENDED)
		return ret == 1 ? 0 : -1;
	return ret == -1 && errno == ENOENT ? 0 : -1;
}

static const struct deed cancel = {
	.act = do_cancel,
	.status = { -ECANCELED, -ECANCELED, 0 },
	.moved = { false, true, true },
};

/* That of the bystander too; and that of one that is queued does not run yet. */
static int do_timeout(struct life *life)
{
	if (try_wait_chan(&life->sim, 0, "recovery/timeouts",
			  life->phase == ISSUED ? 2 : 1))
		return -1;
	if (life->phase != QUEUED)
		return 0;
	if (try_step(&life->sim, 1))
		return -1;
	return try_wait_chan(&life->sim, 0, "recovery/timeouts", 2);
}

static const struct deed timeout = {
	.act = do_timeout,
	.is_timed = true,
	.status_of_other = -ETIMEDOUT,
	.status = { -ETIMEDOUT, -ETIMEDOUT, 0 },
	.moved = { true, true, true },
};

static int do_close(struct life *life)
{
	life->is_open = false;
	return try_program_end(&life->own);
}

static const struct deed closed = {
	.act = do_close,
	.status = { NO_EVENT, NO_EVENT, NO_EVENT },
	.moved = { false, true, true },
};

static int do_kill(struct life *life)
{
	if (kill(life->child, SIGKILL))
		return -1;
	return try_child_end(life, SIGKILL);
}

static const struct deed killed = {
	.act = do_kill,
	.is_alien = true,
	.status = { NO_EVENT, NO_EVENT, NO_EVENT },
	.moved = { false, true, true },
};

static int do_let_exit(struct life *life)
{
	if (try_tell(life->to_child))
		return -1;
	return try_child_end(life, 0);
}

static const struct deed exited = {
	.act = do_let_exit,
	.is_alien = true,
	.status = { NO_EVENT, NO_EVENT, NO_EVENT },
	.moved = { false, true, true },
};

/* Who submits may go, and the file stays. */
static const struct deed proxy_killed = {
	.act = do_kill,
	.is_proxy = true,
	.moved = { true, true, true },
};

static const struct deed proxy_exited = {
	.act = do_let_exit,
	.is_proxy = true,
	.moved = { true, true, true },
};

static int do_fork_and_exit(struct life *life)
{
	if (try_child_start(life, child_exits))
		return -1;
	return try_child_end(life, 0);
}

static const struct deed forked = {
	.act = do_fork_and_exit,
	.moved = { true, true, true },
};

static int do_pass(struct life *life)
{
	if (try_send_fd(life->to_child, life->own.fd) < 0 ||
	    try_be_told(life->from_child))
		return -1;
	return do_close(life);
}

static const struct deed passed = {
	.act = do_pass,
	.moved = { true, true, true },
};

static int do_munmap(struct life *life)
{
	return try_unmap(&life->own.dst) || try_unmap(&life->own.src) ? -1 : 0;
}

static const struct deed unmapped = {
	.act = do_munmap,
	.moved = { true, true, true },
};

static int do_free(struct life *life)
{
	if (try_free(life->own.fd, life->own.dst.handle))
		return -1;
	return try_free(life->own.fd, life->own.src.handle);
}

static const struct deed freed = {
	.act = do_free,
	.moved = { true, true, true },
};

static int do_close_eventfd(struct life *life)
{
	int efd = eventfd(0, EFD_CLOEXEC);

	if (efd < 0 || try_eventfd(life->own.fd, efd))
		return -1;
	return close(efd);
}

static const struct deed eventfd_closed = {
	.act = do_close_eventfd,
	.moved = { true, true, true },
};

static int do_unbind(struct life *life)
{
	return try_sim_unbind(&life->sim, 0);
}

static const struct deed unbound = {
	.act = do_unbind,
	.ends_channel = true,
	.status_of_other = -ENODEV,
	.status = { -ENODEV, -ENODEV, 0 },
	.moved = { false, false, true },
};

#define SIM_DRIVER	"/sys/bus/platform/drivers/udma-sim"

static int do_unbind_provider(struct life *life)
{
	return try_write_text(SIM_DRIVER "/unbind", life->sim.device);
}

static const struct deed provider_unbound = {
	.act = do_unbind_provider,
	.ends_channel = true,
	.status_of_other = -ENODEV,
	.keeps_driver = true,
	.status = { -ENODEV, -ENODEV, 0 },
	.moved = { false, false, true },
};

/* The way to the deed */

static int try_submit_own(struct life *life)
{
	if (life->deed->is_alien || life->deed->is_proxy)
		return try_child_start(life, child_submits);
	return try_submit_one(life->own.fd, life->own.copy) == 1 ? 0 : -1;
}

static int try_submit_other(struct life *life)
{
	life->has_other = true;
	return try_submit_one(life->other.fd, life->other.copy) == 1 ? 0 : -1;
}

static int try_reach_phase(struct life *life)
{
	switch (life->phase) {
	case QUEUED:
		if (try_chan_set(&life->sim, 0, "window", 1) ||
		    try_submit_other(life) || try_wait_pending(&life->sim, 1))
			return -1;
		return try_submit_own(life);
	case ISSUED:
		if (try_submit_own(life) || try_wait_pending(&life->sim, 1) ||
		    try_submit_other(life))
			return -1;
		return try_wait_pending(&life->sim, 2);
	default:
		if (try_submit_own(life) || try_step(&life->sim, 1))
			return -1;
		/* Unbind waits a while for what hardware has. */
		if (life->deed->ends_channel)
			return 0;
		if (try_submit_other(life))
			return -1;
		return try_wait_pending(&life->sim, 1);
	}
}

static int try_life_start(struct life *life)
{
	static const struct sim_config config;

	if (try_sim_make(&life->sim, &config) ||
	    try_sim_set(&life->sim, "step_mode", 1) ||
	    try_sim_bind(&life->sim, 0) ||
	    try_chan_node(&life->sim, 0, life->node, sizeof(life->node)))
		return -1;
	life->users = module_users();
	/* Before there is a descriptor that it would inherit. */
	if (life->deed == &passed && try_child_start(life, child_receives))
		return -1;
	if (try_program_start(&life->other, &life->sim, 0, BYTES))
		return -1;
	if (!life->deed->is_alien) {
		if (try_program_start(&life->own, &life->sim, 0, BYTES))
			return -1;
		life->is_open = true;
	}
	if (life->deed->is_timed) {
		life->other.copy.timeout_ns = AT_ONCE;
		life->own.copy.timeout_ns = life->phase == ENDED ? AN_HOUR :
								    AT_ONCE;
	}
	return try_reach_phase(life);
}

/* What came of it */

/* How many events the transfer has, and the first two. */
static int try_life_events(struct life *life, struct udma_event *events)
{
	int count;

	if (life->is_open)
		return try_read_now(life->own.fd, events, 2);
	if (life->deed != &passed)
		return 0;
	if (try_tell(life->to_child) ||
	    read(life->from_child, &count, sizeof(count)) != sizeof(count) ||
	    read(life->from_child, events, 2 * sizeof(*events)) !=
	    2 * sizeof(*events))
		return -1;
	return try_child_end(life, 0) ? -1 : count;
}

/* What can be seen of it in memory, if that is still there */
static const char *life_verdict(struct life *life)
{
	if (!life->is_open || life->deed->ends_channel)
		return NULL;
	if (life->deed == &unmapped &&
	    (try_map(life->own.fd, &life->own.dst) ||
	     try_map(life->own.fd, &life->own.src)))
		return strerror(errno);
	return program_verdict(&life->own);
}

/* The channel is the one it was, as if it had never been used: nothing has it. */
static int try_bind_again(struct life *life)
{
	char node[32];
	__u64 end = 0;

	if (life->deed->keeps_driver &&
	    try_write_text(SIM_DRIVER "/bind", life->sim.device))
		return -1;
	/* Its number is free when the last worker has let go of it. */
	do {
		if (try_sim_bind(&life->sim, 0) ||
		    try_chan_node(&life->sim, 0, node, sizeof(node)))
			return -1;
		if (!strcmp(node, life->node))
			return 0;
		if (try_sim_unbind(&life->sim, 0))
			return -1;
	} while (look_again(&end));
	errno = EEXIST;
	return -1;
}

/* A worker may be about to free some. There is no such file yet everywhere. */
static int try_wait_for_memory(const struct sim *sim)
{
	if (chan_get(sim, 0, "used_bytes") < 0)
		return errno == ENOENT ? 0 : -1;
	return try_wait_chan(sim, 0, "used_bytes", 0);
}

FIXTURE(life)
{
	struct life life;
};

FIXTURE_VARIANT(life)
{
	enum phase phase;
	const struct deed *deed;
};

FIXTURE_VARIANT_ADD(life, queued_cancel) { QUEUED, &cancel };
FIXTURE_VARIANT_ADD(life, issued_cancel) { ISSUED, &cancel };
FIXTURE_VARIANT_ADD(life, ended_cancel) { ENDED, &cancel };
FIXTURE_VARIANT_ADD(life, queued_timeout) { QUEUED, &timeout };
FIXTURE_VARIANT_ADD(life, issued_timeout) { ISSUED, &timeout };
FIXTURE_VARIANT_ADD(life, ended_timeout) { ENDED, &timeout };
FIXTURE_VARIANT_ADD(life, queued_closed) { QUEUED, &closed };
FIXTURE_VARIANT_ADD(life, issued_closed) { ISSUED, &closed };
FIXTURE_VARIANT_ADD(life, ended_closed) { ENDED, &closed };
FIXTURE_VARIANT_ADD(life, queued_killed) { QUEUED, &killed };
FIXTURE_VARIANT_ADD(life, issued_killed) { ISSUED, &killed };
FIXTURE_VARIANT_ADD(life, ended_killed) { ENDED, &killed };
FIXTURE_VARIANT_ADD(life, queued_exited) { QUEUED, &exited };
FIXTURE_VARIANT_ADD(life, issued_exited) { ISSUED, &exited };
FIXTURE_VARIANT_ADD(life, ended_exited) { ENDED, &exited };
FIXTURE_VARIANT_ADD(life, queued_proxy_killed) { QUEUED, &proxy_killed };
FIXTURE_VARIANT_ADD(life, issued_proxy_killed) { ISSUED, &proxy_killed };
FIXTURE_VARIANT_ADD(life, ended_proxy_killed) { ENDED, &proxy_killed };
FIXTURE_VARIANT_ADD(life, queued_proxy_exited) { QUEUED, &proxy_exited };
FIXTURE_VARIANT_ADD(life, issued_proxy_exited) { ISSUED, &proxy_exited };
FIXTURE_VARIANT_ADD(life, ended_proxy_exited) { ENDED, &proxy_exited };
FIXTURE_VARIANT_ADD(life, queued_forked) { QUEUED, &forked };
FIXTURE_VARIANT_ADD(life, issued_forked) { ISSUED, &forked };
FIXTURE_VARIANT_ADD(life, ended_forked) { ENDED, &forked };
FIXTURE_VARIANT_ADD(life, queued_passed) { QUEUED, &passed };
FIXTURE_VARIANT_ADD(life, issued_passed) { ISSUED, &passed };
FIXTURE_VARIANT_ADD(life, ended_passed) { ENDED, &passed };
FIXTURE_VARIANT_ADD(life, queued_unmapped) { QUEUED, &unmapped };
FIXTURE_VARIANT_ADD(life, issued_unmapped) { ISSUED, &unmapped };
FIXTURE_VARIANT_ADD(life, ended_unmapped) { ENDED, &unmapped };
FIXTURE_VARIANT_ADD(life, queued_freed) { QUEUED, &freed };
FIXTURE_VARIANT_ADD(life, issued_freed) { ISSUED, &freed };
FIXTURE_VARIANT_ADD(life, ended_freed) { ENDED, &freed };
FIXTURE_VARIANT_ADD(life, queued_eventfd_closed) { QUEUED, &eventfd_closed };
FIXTURE_VARIANT_ADD(life, issued_eventfd_closed) { ISSUED, &eventfd_closed };
FIXTURE_VARIANT_ADD(life, ended_eventfd_closed) { ENDED, &eventfd_closed };
FIXTURE_VARIANT_ADD(life, queued_unbound) { QUEUED, &unbound };
FIXTURE_VARIANT_ADD(life, issued_unbound) { ISSUED, &unbound };
FIXTURE_VARIANT_ADD(life, ended_unbound) { ENDED, &unbound };
FIXTURE_VARIANT_ADD(life, queued_provider_unbound) {
	QUEUED, &provider_unbound
};

FIXTURE_VARIANT_ADD(life, issued_provider_unbound) {
	ISSUED, &provider_unbound
};

FIXTURE_VARIANT_ADD(life, ended_provider_unbound) {
	ENDED, &provider_unbound
};

FIXTURE_SETUP(life)
{
	self->life.phase = variant->phase;
	self->life.deed = variant->deed;
	must(try_life_start(&self->life));
}

FIXTURE_TEARDOWN(life)
{
	works(try_sim_finish(&self->life.sim));
}

TEST_F(life, is_as_it_should_be)
{
	struct life *life = &self->life;
	const struct deed *deed = life->deed;
	const int status = deed->status[life->phase];
	const bool moved = deed->moved[life->phase];
	const int ended = moved ? 2 : 1;	/* the bystander's too */
	struct udma_event events[2] = {}, other[2] = {};
	const char *verdict;

	must(deed->act(life));
	/* It gets no more than what is moved, and no less. */
	if (!deed->ends_channel) {
		must(try_step(&life->sim,
			      ended - sim_get(&life->sim, "ended")));
	}

	/* Exactly one event, or nobody to whom it could go. */
	EXPECT_EQ(status != NO_EVENT, must(try_life_events(life, events)));
	if (status != NO_EVENT) {
		EXPECT_EQ(1, events[0].sequence);
		EXPECT_EQ(status, events[0].status);
		EXPECT_EQ(moved ? BYTES : 0, events[0].bytes);
	}
	ASSERT_EQ(life->has_other, must(try_read_now(life->other.fd, other,
						     2)));
	if (life->has_other)
		EXPECT_EQ(deed->status_of_other, other[0].status);

	verdict = life_verdict(life);
	if (verdict)
		EXPECT_STREQ(moved ? "copied" : "not copied", verdict);
	if (!deed->ends_channel)
		EXPECT_STREQ("copied", program_verdict(&life->other));

	/* Nothing of all that is left, */
	if (life->is_open)
		must(try_program_end(&life->own));
	must(try_program_end(&life->other));
	EXPECT_EQ(life->users, module_users());
	must(deed->ends_channel ? try_bind_again(life) :
				  try_wait_for_memory(&life->sim));
	/* and nothing that was to be left alone came to hardware after all. */
	EXPECT_STREQ("copied", next_program(&life->sim));
	if (!deed->ends_channel)
		EXPECT_EQ(ended + 1, sim_get(&life->sim, "ended"));
}

/* Programs that become others */

/* What the new one is told, and by which it knows that it is one */
#define AFTER_EXEC	"UDMA_AFTER_EXEC"

/* The descriptor is there still, and is all that it needs. */
static int after_exec_with(int fd, __u64 mmap_offset)
{
	struct udma_event event;
	unsigned char *mem;

	if (try_mmap(fd, mmap_offset, BYTES, PROT_READ, MAP_SHARED, &mem))
		return 2;
	if (try_collect(fd, &event, 1) != 1 || event.status)
		return 3;
	if (pattern_differs(mem, 0, BYTES, PATTERN_SOURCE) != BYTES)
		return 4;
	return 0;
}

/* Before the tests would be run again: the same program, but with a task. */
static void __attribute__((constructor)) after_exec(void)
{
	const char *text = getenv(AFTER_EXEC);
	unsigned long long offset;
	int fd, is_kept;

	if (!text)
		return;
	if (sscanf(text, "%d %d %llu", &fd, &is_kept, &offset) != 3)
		_exit(1);
	if (is_kept)
		_exit(after_exec_with(fd, offset));
	_exit(fcntl(fd, F_GETFD) == -1 && errno == EBADF ? 0 : 5);
}

static int exec_again(const struct sim *sim, bool is_kept)
{
	struct program program;
	char text[64];

	if (try_program_start(&program, sim, 0, BYTES) ||
	    try_submit_one(program.fd, program.copy) != 1)
		return 10;
	snprintf(text, sizeof(text), "%d %d %llu", program.fd, is_kept,
		 program.dst.mmap_offset);
	/* It is opened with O_CLOEXEC. */
	if (setenv(AFTER_EXEC, text, 1) ||
	    (is_kept && fcntl(program.fd, F_SETFD, 0)))
		return 11;
	execl("/proc/self/exe", "lifetime", NULL);
	return 12;
}

FIXTURE(exec)
{
	struct sim sim;
	int users;
};

FIXTURE_VARIANT(exec)
{
	bool is_kept;
};

FIXTURE_VARIANT_ADD(exec, with_o_cloexec) { .is_kept = false };
FIXTURE_VARIANT_ADD(exec, without_o_cloexec) { .is_kept = true };

FIXTURE_SETUP(exec)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	self->users = must(module_users());
}

FIXTURE_TEARDOWN(exec)
{
	EXPECT_EQ(self->users, module_users());
	EXPECT_STREQ("copied", next_program(&self->sim));
	works(try_sim_finish(&self->sim));
}

TEST_F(exec, of_a_program_with_a_transfer_under_way)
{
	int status;
	pid_t pid;

	pid = must(fork());
	if (pid == 0)
		_exit(exec_again(&self->sim, variant->is_kept));
	if (!variant->is_kept) {
		/* It has gone, and hardware goes on. */
		must(waitpid(pid, &status, 0));
		EXPECT_EQ(1, sim_get(&self->sim, "pending"));
		EXPECT_EQ(self->users, module_users());
		must(try_step(&self->sim, 1));
	} else {
		must(try_step(&self->sim, 1));
		must(waitpid(pid, &status, 0));
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
	must(try_wait_for_memory(&self->sim));
}

/* Memory that is not for everybody */

FIXTURE(memory)
{
	struct sim sim;
	struct program own;
	int users;
};

FIXTURE_SETUP(memory)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->users = must(module_users());
	must(try_program_start(&self->own, &self->sim, 0, BYTES));
}

FIXTURE_TEARDOWN(memory)
{
	works(try_program_end(&self->own));
	EXPECT_EQ(self->users, module_users());
	works(try_wait_for_memory(&self->sim));
	EXPECT_STREQ("copied", next_program(&self->sim));
	works(try_sim_finish(&self->sim));
}

/* Whether a child has both buffers, as bits. */
static int seen_in_child(const struct program *program)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit((try_touch(program->dst.mem) == 1) |
		      (try_touch(program->src.mem) == 1) << 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(memory, need_not_go_to_children)
{
	struct buffer *dst = &self->own.dst;
	bool is_back;

	EXPECT_EQ(3, seen_in_child(&self->own));
	must(madvise(dst->mem, dst->map_bytes, MADV_DONTFORK));
	EXPECT_EQ(2, seen_in_child(&self->own));
	EXPECT_EQ(1, try_touch(dst->mem));
	/* Linux does not take it back from memory that is a device's. */
	is_back = !madvise(dst->mem, dst->map_bytes, MADV_DOFORK);
	EXPECT_EQ(is_back ? 3 : 2, seen_in_child(&self->own));
}

TEST_F(memory, need_not_go_to_children_in_part)
{
	struct buffer *dst = &self->own.dst;

	must(madvise(dst->mem + 4096, 4096, MADV_DONTFORK));
	EXPECT_EQ(3, seen_in_child(&self->own));
	must(munmap(dst->mem, 4096));
	dst->mem += 4096;
	dst->map_bytes -= 4096;
	EXPECT_EQ(2, seen_in_child(&self->own));
}

#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"

/* It dies with a core, two pages of which can be told from all others. */
static void die_with_core(struct program *program, const unsigned char *marks)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned char *ordinary = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ordinary == MAP_FAILED || setrlimit(RLIMIT_CORE, &unlimited))
		_exit(1);
	memset(ordinary, marks[0], BYTES);
	memset(program->dst.mem, marks[1], BYTES);
	abort();
}

/* Whether a file has as many bytes of a kind in a row; -1 with errno. */
static int file_has(const char *path, unsigned char mark, size_t bytes)
{
	size_t run = 0;
	FILE *file;
	int c;

	file = fopen(path, "r");
	if (!file)
		return -1;
	while (run < bytes && (c = getc_unlocked(file)) != EOF)
		run = c == mark ? run + 1 : 0;
	fclose(file);
	return run >= bytes;
}

TEST_F(memory, is_not_in_a_core)
{
	const unsigned char marks[] = { 0xc5, 0xb7 };
	char before[128], path[64];
	int status;
	pid_t pid;

	if (try_read_text(CORE_PATTERN, before, sizeof(before)) ||
	    try_write_text(CORE_PATTERN, "/tmp/udma-core-%p"))
		SKIP(return, "the kernel writes no cores");
	pid = fork();
	if (pid == 0)
		die_with_core(&self->own, marks);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	works(try_write_text(CORE_PATTERN, before));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	snprintf(path, sizeof(path), "/tmp/udma-core-%d", pid);
	EXPECT_EQ(1, file_has(path, marks[0], 4096));
	EXPECT_EQ(0, file_has(path, marks[1], 64));
	works(unlink(path));
}

/* Unbind, at any moment of a cancel, and with timeouts that run out meanwhile */

#define BATCH	32

struct racer {
	pthread_t thread;
	const struct program *program;
	__u64 timeout_ns;
	bool cancels;
	unsigned int rounds;
	unsigned int accepted;
	unsigned int ended;
	bool failed;
};

static void racer_read(struct racer *racer, int count)
{
	struct udma_event events[BATCH];
	int ret, i;

	while (count > 0) {
		ret = try_read(racer->program->fd, events, BATCH);
		if (ret <= 0)
			return;
		for (i = 0; i < ret; i++) {
			const int status = events[i].status;

			racer->failed |= status && status != -ECANCELED &&
					 status != -ETIMEDOUT &&
					 status != -ENODEV;
		}
		racer->ended += ret;
		count -= ret;
	}
}

/* Until the channel is gone; then the rest of the events. */
static void *submit_until_unbind(void *data)
{
	struct racer *racer = data;
	const int fd = racer->program->fd;
	struct udma_request requests[BATCH];
	__u64 sequence;
	int taken, i;

	for (i = 0; i < BATCH; i++) {
		requests[i] = fill_request(&racer->program->dst, i * 64, 64, i);
		requests[i].timeout_ns = i * racer->timeout_ns;
	}
	for (;;) {
		taken = try_submit_at(fd, requests, BATCH, &sequence);
		if (taken < 0)
			break;
		racer->accepted += taken;
		if (racer->cancels && racer->rounds % 2)
			racer->failed |= try_cancel_all(fd) < 0 &&
					 errno != ENODEV;
		for (i = 0; racer->cancels && i < taken; i += 3)
			racer->failed |= try_cancel(fd, sequence + i) < 0 &&
					 errno != ENOENT && errno != ENODEV;
		racer_read(racer, taken);
		__atomic_add_fetch(&racer->rounds, 1, __ATOMIC_RELEASE);
	}
	racer->failed |= errno != ENODEV;
	racer_read(racer, 1 << 30);
	racer->failed |= errno != ENODEV;
	return NULL;
}

FIXTURE(race)
{
	struct sim sim;
};

FIXTURE_VARIANT(race)
{
	int flags;
	__u64 timeout_ns;	/* of the nth transfer, n times that */
	bool cancels;
	unsigned long latency_ns;
};

FIXTURE_VARIANT_ADD(race, of_cancels) {
	.cancels = true,
	.latency_ns = 20000,
};

FIXTURE_VARIANT_ADD(race, of_timeouts) {
	.timeout_ns = 20000,
	.latency_ns = 100000,
};

/* These reset the channel. */
FIXTURE_VARIANT_ADD(race, of_timeouts_alone) {
	.flags = O_EXCL,
	.timeout_ns = 20000,
	.latency_ns = 100000,
};

FIXTURE_VARIANT_ADD(race, of_all_that_alone) {
	.flags = O_EXCL,
	.timeout_ns = 20000,
	.cancels = true,
	.latency_ns = 50000,
};

FIXTURE_SETUP(race)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "latency_ns", variant->latency_ns));
}

FIXTURE_TEARDOWN(race)
{
	works(try_sim_end(&self->sim));
}

TEST_F(race, with_unbind)
{
	struct program program;
	struct racer racer;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		racer = (struct racer) {
			.program = &program,
			.timeout_ns = variant->timeout_ns,
			.cancels = variant->cancels,
		};
		must(try_sim_bind(&self->sim, 0));
		must(try_program_start(&program, &self->sim, variant->flags,
				       4096));
		ASSERT_EQ(0, pthread_create(&racer.thread, NULL,
					    submit_until_unbind, &racer));
		while (__atomic_load_n(&racer.rounds, __ATOMIC_ACQUIRE) < i + 1)
			sched_yield();
		must(try_sim_unbind(&self->sim, 0));
		ASSERT_EQ(0, pthread_join(racer.thread, NULL));
		EXPECT_FALSE(racer.failed);
		EXPECT_EQ(racer.accepted, racer.ended);
		EXPECT_LT(0, racer.accepted);
		must(try_program_end(&program));
	}
}

/* Signals */

static void ignore(int signal)
{
	(void)signal;
}

/* From now on there is one every so often, to whichever thread. */
static int try_storm(unsigned int usec, int flags)
{
	const struct sigaction action = {
		.sa_handler = ignore,
		.sa_flags = flags,
	};
	const struct itimerval every = {
		.it_interval.tv_usec = usec,
		.it_value.tv_usec = usec,
	};

	if (usec && sigaction(SIGALRM, &action, NULL))
		return -1;
	return setitimer(ITIMER_REAL, &every, NULL);
}

#define STORM_TRANSFERS	4000
#define STORM_THREADS	2

/* Who submits all of its transfers, one way or another */
struct submitter {
	pthread_t thread;
	const struct program *program;
	unsigned int first;
	unsigned int interrupted;
	int error;
};

static void *submit_in_a_storm(void *data)
{
	struct submitter *submitter = data;
	const unsigned int count = STORM_TRANSFERS / STORM_THREADS;
	struct udma_request requests[100];
	unsigned int done = 0, i, n;
	int ret;

	while (done < count && !submitter->error) {
		n = count - done < ARRAY_SIZE(requests) ? count - done :
							  ARRAY_SIZE(requests);
		for (i = 0; i < n; i++) {
			requests[i] = fill_request(&submitter->program->dst,
						   0, 64, 1);
			requests[i].user_data = submitter->first + done + i;
		}
		ret = try_submit(submitter->program->fd, requests, n);
		if (ret > 0)
			done += ret;
		else if (ret == 0)
			submitter->error = EPROTO;
		else if (errno == EINTR)
			submitter->interrupted++;
		else if (errno == EAGAIN)
			sched_yield();
		else
			submitter->error = errno;
	}
	return NULL;
}

FIXTURE(storm)
{
	struct sim sim;
	struct program own;
};

FIXTURE_VARIANT(storm)
{
	int flags;
};

FIXTURE_VARIANT_ADD(storm, of_signals) { .flags = 0 };
FIXTURE_VARIANT_ADD(storm, of_signals_with_sa_restart) {
	.flags = SA_RESTART
};

FIXTURE_SETUP(storm)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, 0, 4096));
}

FIXTURE_TEARDOWN(storm)
{
	works(try_storm(0, 0));
	works(try_program_end(&self->own));
	works(try_sim_finish(&self->sim));
}

/* Each transfer has one event, whatever the calls have said in between. */
TEST_F(storm, over_submit_and_read)
{
	struct submitter submitters[STORM_THREADS] = {};
	bool *seen = calloc(STORM_TRANSFERS, sizeof(*seen));
	unsigned int i, ended = 0, interrupted = 0;
	struct udma_event events[50];
	int ret, k;

	ASSERT_NE(NULL, seen);
	must(try_storm(200, variant->flags));
	for (i = 0; i < STORM_THREADS; i++) {
		submitters[i].program = &self->own;
		submitters[i].first = i * STORM_TRANSFERS / STORM_THREADS;
		ASSERT_EQ(0, pthread_create(&submitters[i].thread, NULL,
					    submit_in_a_storm, &submitters[i]));
	}
	while (ended < STORM_TRANSFERS) {
		ret = try_read(self->own.fd, events, ARRAY_SIZE(events));
		if (ret < 0) {
			ASSERT_EQ(EINTR, errno);
			interrupted++;
			continue;
		}
		ASSERT_LT(0, ret);
		for (k = 0; k < ret; k++) {
			ASSERT_GT(STORM_TRANSFERS, events[k].user_data);
			ASSERT_EQ(false, seen[events[k].user_data]);
			seen[events[k].user_data] = true;
			ASSERT_EQ(0, events[k].status);
		}
		ended += ret;
	}
	for (i = 0; i < STORM_THREADS; i++) {
		ASSERT_EQ(0, pthread_join(submitters[i].thread, NULL));
		EXPECT_EQ(0, submitters[i].error);
		if (variant->flags & SA_RESTART)
			EXPECT_EQ(0, submitters[i].interrupted);
	}
	if (variant->flags & SA_RESTART)
		EXPECT_EQ(0, interrupted);

	must(try_storm(0, 0));
	EXPECT_EQ(POLLOUT, poll_now(self->own.fd));
	free(seen);
}

/* With nothing to read there is nothing but signals, or the event in the end. */
TEST_F(storm, over_a_read_that_waits)
{
	const bool restarts = variant->flags & SA_RESTART;
	struct sleeper sleeper;
	unsigned int i = 20;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_one(self->own.fd, fill_request(&self->own.dst, 0, 64,
						       1)));
	must(try_storm(1000, variant->flags));
	while (!restarts && i) {
		fails(EINTR, read_one(&self->own.fd));
		i--;
	}
	if (!restarts)
		must(try_storm(0, 0));
	must(try_sleeper_create(&sleeper, read_one, &self->own.fd));
	must(try_step(&self->sim, 1));
	must(try_sleeper_join(&sleeper));
	EXPECT_EQ(1, sleeper.ret);
	EXPECT_EQ(0, sleeper.error);
}

/* A system that sleeps */

#define PM_TEST		"/sys/power/pm_test"
#define PM_TEST_DELAY	"/sys/module/suspend/parameters/pm_test_delay"

/* Let devices go to sleep, and wake them after so many seconds. */
static int try_suspend(const char *seconds)
{
	int ret, error;

	if (try_write_text(PM_TEST, "devices") ||
	    try_write_text(PM_TEST_DELAY, seconds))
		return -1;
	ret = try_write_text("/sys/power/state", "freeze");
	error = errno;
	try_write_text(PM_TEST, "none");
	errno = error;
	return ret;
}

/* Files of another machine may be asked for when the way there is asleep. */
static bool has_files_of_others(void)
{
	char line[512];
	bool has = false;
	FILE *mounts;

	mounts = fopen("/proc/self/mounts", "r");
	if (!mounts)
		return true;
	while (!has && fgets(line, sizeof(line), mounts))
		has = strstr(line, " 9p ") || strstr(line, " virtiofs ");
	fclose(mounts);
	return has;
}

static bool can_suspend(void)
{
	return !has_files_of_others() && !try_write_text(PM_TEST, "devices") &&
	       !try_write_text(PM_TEST, "none") &&
	       !access(PM_TEST_DELAY, W_OK);
}

#define NO_SUSPEND	"this machine cannot test how devices suspend"

FIXTURE(sleep)
{
	bool can_suspend;
	struct sim sim;
	struct program own;
	int fd;
};

FIXTURE_SETUP(sleep)
{
	static const struct sim_config config;

	self->can_suspend = can_suspend();
	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, 0, BYTES));
	self->fd = self->own.fd;
}

FIXTURE_TEARDOWN(sleep)
{
	works(try_program_end(&self->own));
	EXPECT_STREQ("copied", next_program(&self->sim));
	works(try_sim_finish(&self->sim));
}

#define NIGHT		100

static int try_submit_night(const struct program *program)
{
	struct udma_request requests[NIGHT];
	unsigned int i;

	for (i = 0; i < NIGHT; i++)
		requests[i] = copy_request(&program->dst, i * 64, &program->src,
					   i * 64, 64);
	return try_submit_all(program->fd, requests, NIGHT);
}

TEST_F(sleep, with_nothing_under_way)
{
	struct udma_event event;

	if (!self->can_suspend)
		SKIP(return, NO_SUSPEND);
	must(try_suspend("0"));
	must(try_run(self->fd, self->own.copy, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_STREQ("copied", program_verdict(&self->own));
}

/*
 * While devices sleep no transfer ends; before and after that one does every 50 ms.
 * What hardware has been given is let finish. The second that devices sleep for is
 * counted in turns of a loop, and may be a good deal shorter by the clock.
 */
TEST_F(sleep, with_transfers_under_way)
{
	struct udma_event events[NIGHT];
	unsigned int i, before = 0;
	__u64 gap = 0;

	if (!self->can_suspend)
		SKIP(return, NO_SUSPEND);
	self->own.copy.bytes = NIGHT * 64;
	copy_prepare(&self->own.dst, &self->own.src, &self->own.copy);
	must(try_chan_set(&self->sim, 0, "window", 4));
	must(try_sim_set(&self->sim, "latency_ns", 50 * 1000000));
	must(try_submit_night(&self->own));
	must(try_suspend("1"));
	must(try_sim_set(&self->sim, "latency_ns", 0));
	must(try_collect(self->fd, events, NIGHT));
	for (i = 0; i < NIGHT; i++) {
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(i + 1, events[i].sequence);
		if (i && events[i].timestamp_ns - events[i - 1].timestamp_ns >
		    gap) {
			gap = events[i].timestamp_ns -
			      events[i - 1].timestamp_ns;
			before = i;
		}
	}
	EXPECT_LT(400 * 1000000, gap);
	EXPECT_LE(4, before);
	EXPECT_GT(NIGHT, before);
	EXPECT_STREQ("copied", program_verdict(&self->own));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
}

/* Hardware that is stuck is reset, and the others go on in the morning. */
TEST_F(sleep, with_a_transfer_that_hangs)
{
	struct udma_event events[4];
	unsigned int i;

	if (!self->can_suspend)
		SKIP(return, NO_SUSPEND);
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_chan_set(&self->sim, 0, "stall_ms", 1000));
	for (i = 0; i < 3; i++)
		must(try_submit_one(self->fd, self->own.copy));
	must(try_suspend("0"));
	must(try_collect(self->fd, events, 3));
	EXPECT_EQ(0, try_read_now(self->fd, events + 3, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(events[i].sequence == 1 ? -ETIMEDOUT : 0,
			  events[i].status);
	}
	EXPECT_EQ(1, chan_get(&self->sim, 0, "recovery/stalls"));
}

/*
 * It is at work, but not done when there is no more time. That is as long as it
 * takes to find it stuck, and some seconds to reset it, so this takes them.
 */
TEST_F(sleep, is_refused_while_hardware_is_busy)
{
	struct udma_event events[NIGHT];
	unsigned int i;

	if (!self->can_suspend)
		SKIP(return, NO_SUSPEND);
	must(try_sim_set(&self->sim, "latency_ns", 500 * 1000000));
	must(try_chan_set(&self->sim, 0, "stall_ms", 3000));
	must(try_submit_night(&self->own));
	fails(EBUSY, try_suspend("0"));
	must(try_sim_set(&self->sim, "latency_ns", 0));
	must(try_collect(self->fd, events, NIGHT));
	for (i = 0; i < NIGHT; i++)
		EXPECT_EQ(0, events[i].status);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
}

TEST_HARNESS_MAIN
