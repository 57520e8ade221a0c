// SPDX-License-Identifier: GPL-2.0
/*
 * How things end: a file that is closed, a program that is killed, a channel
 * that is taken away, each while hardware is at work.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "udma_program.h"
#include "udma_sleeper.h"

/* More than the controller is given at a time. */
#define MANY	100

/* A channel that ends nothing before it is told, and a program that uses it. */
struct setup {
	struct sim sim;
	int fd;
	struct buffer dst;
	struct buffer src;
	struct udma_request copy;
};

static int try_setup_open(struct setup *setup)
{
	setup->fd = try_sim_open(&setup->sim, 0, O_RDWR);
	if (setup->fd < 0 ||
	    try_alloc_map(setup->fd, 64 * KIB, &setup->dst) ||
	    try_alloc_map(setup->fd, 64 * KIB, &setup->src))
		return -1;
	setup->copy = copy_request(&setup->dst, 0, &setup->src, 0, 64 * KIB);
	return 0;
}

/* The last that has the file: a mapping has it as well as a descriptor. */
static int try_setup_close(struct setup *setup)
{
	if (try_unmap(&setup->dst) || try_unmap(&setup->src))
		return -1;
	return close(setup->fd);
}

static int try_setup_start(struct setup *setup)
{
	static const struct sim_config config;

	if (try_sim_make(&setup->sim, &config) ||
	    try_sim_set(&setup->sim, "step_mode", 1) ||
	    try_sim_bind(&setup->sim, 0))
		return -1;
	return try_setup_open(setup);
}

static int try_submit_many(const struct setup *setup)
{
	struct udma_request requests[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		requests[i] = setup->copy;
		requests[i].user_data = i;
	}
	return try_submit_all(setup->fd, requests, MANY);
}

FIXTURE(file)
{
	struct setup setup;
	struct sim *sim;
	int fd;
};

FIXTURE_SETUP(file)
{
	must(try_setup_start(&self->setup));
	self->sim = &self->setup.sim;
	self->fd = self->setup.fd;
}

/* Each test has closed its file. */
FIXTURE_TEARDOWN(file)
{
	EXPECT_STREQ("copied", next_program(self->sim));
	works(try_sim_finish(self->sim));
}

/* Files that are closed */

TEST_F(file, closed_with_nothing_under_way)
{
	must(try_setup_close(&self->setup));
}

TEST_F(file, closed_with_one_issued)
{
	must(try_submit_one(self->fd, self->setup.copy));
	must(try_wait_pending(self->sim, 1));
	/* It does not wait: nothing ends before the step. */
	must(try_setup_close(&self->setup));
	EXPECT_EQ(1, sim_get(self->sim, "pending"));
	must(try_step(self->sim, 1));
	EXPECT_EQ(0, sim_get(self->sim, "pending"));
}

TEST_F(file, closed_with_many_issued_and_queued)
{
	must(try_submit_many(&self->setup));
	must(try_setup_close(&self->setup));
	must(try_drain(self->sim));
	/* What had not been given to the controller never was. */
	EXPECT_LT(0, sim_get(self->sim, "ended"));
	EXPECT_GT(MANY, sim_get(self->sim, "ended"));
}

TEST_F(file, closed_in_the_middle_of_a_long_transfer)
{
	struct buffer dst, src;

	must(try_alloc(self->fd, 4 * MIB, &dst));
	must(try_alloc(self->fd, 4 * MIB, &src));
	must(try_submit_one(self->fd, copy_request(&dst, 0, &src, 0, 4 * MIB)));
	must(try_step(self->sim, 1));
	must(try_setup_close(&self->setup));
	must(try_drain(self->sim));
}

TEST_F(file, closed_with_a_fence_waiting)
{
	struct udma_request request = self->setup.copy;

	must(try_submit_one(self->fd, request));
	request.flags = UDMA_REQUEST_F_FENCE;
	must(try_submit_one(self->fd, request));
	must(try_wait_pending(self->sim, 1));
	must(try_setup_close(&self->setup));
	must(try_drain(self->sim));
	EXPECT_EQ(1, sim_get(self->sim, "ended"));
}

TEST_F(file, closed_with_events_unread)
{
	must(try_submit_one(self->fd, self->setup.copy));
	must(try_step(self->sim, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	must(try_setup_close(&self->setup));
}

TEST_F(file, closed_but_mapped_goes_on)
{
	struct setup *setup = &self->setup;

	copy_prepare(&setup->dst, &setup->src, &setup->copy);
	must(try_submit_one(self->fd, setup->copy));
	must(try_wait_pending(self->sim, 1));
	must(close(self->fd));
	EXPECT_STREQ("not copied", copy_verdict(&setup->dst, &setup->src,
						&setup->copy));
	must(try_step(self->sim, 1));
	EXPECT_STREQ("copied", copy_verdict(&setup->dst, &setup->src,
					    &setup->copy));
	must(try_unmap(&setup->dst));
	must(try_unmap(&setup->src));
}

TEST_F(file, closed_signals_its_eventfd_no_more)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	must(try_submit_many(&self->setup));
	must(try_setup_close(&self->setup));
	must(try_drain(self->sim));
	EXPECT_EQ(POLLOUT, poll_now(efd));
	must(close(efd));
}

TEST_F(file, closed_leaves_others_alone)
{
	struct setup other = self->setup;
	struct udma_event events[2];

	must(try_setup_open(&other));
	copy_prepare(&other.dst, &other.src, &other.copy);
	must(try_submit_many(&self->setup));
	must(try_submit_one(other.fd, other.copy));
	must(try_setup_close(&self->setup));
	/* It may still wait for the driver's worker, so it cannot be stepped. */
	must(try_sim_set(self->sim, "step_mode", 0));
	must(try_collect(other.fd, events, 1));
	EXPECT_EQ(0, try_read_now(other.fd, events + 1, 1));
	EXPECT_EQ(0, events[0].status);
	EXPECT_STREQ("copied", copy_verdict(&other.dst, &other.src,
					    &other.copy));
	must(try_setup_close(&other));
}

TEST_F(file, closed_memory_is_not_given_to_others_before_hardware_lets_go)
{
	struct setup *setup = &self->setup;
	struct buffer others[32];
	unsigned int i;
	int fd;

	memset(setup->src.mem, 0xdd, setup->src.map_bytes);
	must(try_submit_many(setup));
	must(try_setup_close(setup));

	fd = must(try_sim_open(self->sim, 0, O_RDWR));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		must(try_alloc_map(fd, 64 * KIB, &others[i]));
	must(try_drain(self->sim));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-1, find_other(others[i].mem, 64 * KIB, 0));
		must(try_unmap(&others[i]));
	}
	must(close(fd));
}

static long available_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	if (!file)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemAvailable: %ld", &kib);
	fclose(file);
	return kib;
}

TEST_F(file, closed_memory_is_given_back_when_hardware_lets_go)
{
	const long before = available_kib();
	struct buffer dst, src;
	unsigned int i;
	__u64 end = 0;
	int fd;

	ASSERT_LT(0, before);
	for (i = 0; i < 12; i++) {
		fd = must(try_sim_open(self->sim, 0, O_RDWR));
		must(try_alloc(fd, 4 * MIB, &dst));
		must(try_alloc(fd, 4 * MIB, &src));
		must(try_submit_one(fd, copy_request(&dst, 0, &src, 0, MIB)));
		must(close(fd));
		must(try_drain(self->sim));
	}
	/* A worker may still be at it; and something else may have taken some. */
	while (available_kib() <= before - 12 * 8 * 1024 / 2)
		ASSERT_TRUE(look_again(&end));
	must(try_setup_close(&self->setup));
}

TEST_F(file, closed_while_transfers_end)
{
	unsigned int i;

	/* Now they end by themselves, at any moment of the close. */
	must(try_sim_set(self->sim, "step_mode", 0));
	for (i = 0; i < 100; i++) {
		self->setup.copy.bytes = 4096;
		must(try_submit_many(&self->setup));
		must(try_setup_close(&self->setup));
		must(try_setup_open(&self->setup));
	}
	must(try_setup_close(&self->setup));
}

/* Files that are shared */

TEST_F(file, works_by_its_copy)
{
	struct udma_event event;
	int copy = must(dup(self->fd));

	must(try_submit_one(self->fd, self->setup.copy));
	must(try_setup_close(&self->setup));
	must(try_submit_one(copy, self->setup.copy));
	must(try_step(self->sim, 2));
	EXPECT_EQ(1, try_read(copy, &event, 1));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(1, try_read(copy, &event, 1));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(2, event.sequence);
	must(close(copy));
}

/* A child has the file and its mappings; what it says is its exit status. */
TEST_F(file, works_in_a_child)
{
	struct setup *setup = &self->setup;
	struct udma_event event;
	int to_child[2], status;
	pid_t pid;
	char byte;

	copy_prepare(&setup->dst, &setup->src, &setup->copy);
	must(try_submit_one(self->fd, setup->copy));
	must(pipe(to_child));
	pid = must(fork());
	if (pid == 0) {
		close(to_child[1]);
		if (read(to_child[0], &byte, 1) != 1)
			_exit(1);
		if (try_step(self->sim, 1) ||
		    try_collect(self->fd, &event, 1) != 1 || event.status)
			_exit(2);
		if (strcmp("copied", copy_verdict(&setup->dst, &setup->src,
						  &setup->copy)))
			_exit(3);
		_exit(try_free(self->fd, setup->dst.handle) ? 4 : 0);
	}
	must(try_setup_close(&self->setup));
	EXPECT_EQ(1, write(to_child[1], "x", 1));
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(file, works_after_it_was_sent)
{
	struct udma_event event;
	int sockets[2], fd;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(try_submit_one(self->fd, self->setup.copy));
	must(try_send_fd(sockets[0], self->fd));
	/* For a moment the message is all that has it. */
	must(try_setup_close(&self->setup));
	must(try_step(self->sim, 1));
	fd = must(try_receive_fd(sockets[1]));
	EXPECT_EQ(1, must(try_read_now(fd, &event, 1)));
	EXPECT_EQ(0, event.status);
	must(close(fd));
	must(close(sockets[0]));
	must(close(sockets[1]));
}

TEST_F(file, sent_and_never_received)
{
	int sockets[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(try_submit_many(&self->setup));
	must(try_send_fd(sockets[0], self->fd));
	must(try_setup_close(&self->setup));
	must(close(sockets[0]));
	must(close(sockets[1]));
	must(try_drain(self->sim));
	EXPECT_GT(MANY, sim_get(self->sim, "ended"));
}

/* Programs that are killed */

/* Start a child, kill it when it says so, and see it gone. */
static int try_kill(const struct sim *sim, void (*run)(struct setup *setup))
{
	struct setup setup = { .sim = *sim };
	int from_child[2], status;
	char byte;
	pid_t pid;

	if (pipe(from_child))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		if (try_setup_open(&setup))
			_exit(1);
		run(&setup);
		if (write(from_child[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(from_child[1]);
	status = read(from_child[0], &byte, 1);
	close(from_child[0]);
	kill(pid, SIGKILL);
	if (status != 1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 0 : -1;
}

static void submit_many(struct setup *setup)
{
	if (try_submit_many(setup) < 0)
		_exit(1);
}

TEST_F(file, of_a_program_killed_with_transfers_under_way)
{
	must(try_setup_close(&self->setup));
	must(try_kill(self->sim, submit_many));
	must(try_drain(self->sim));
	EXPECT_LT(0, sim_get(self->sim, "ended"));
	EXPECT_GT(MANY, sim_get(self->sim, "ended"));
}

static void wait_in_read(struct setup *setup)
{
	struct sleeper *sleeper = malloc(sizeof(*sleeper));

	if (!sleeper || try_sleeper_start(sleeper, read_one, &setup->fd,
					  SYS_read))
		_exit(1);
	submit_many(setup);
}

TEST_F(file, of_a_program_killed_while_a_thread_waits)
{
	must(try_setup_close(&self->setup));
	must(try_kill(self->sim, wait_in_read));
	must(try_drain(self->sim));
	EXPECT_GT(MANY, sim_get(self->sim, "ended"));
}

TEST_F(file, of_programs_killed_at_any_moment)
{
	unsigned int i;

	must(try_setup_close(&self->setup));
	must(try_sim_set(self->sim, "step_mode", 0));
	for (i = 0; i < 20; i++)
		must(try_kill(self->sim, submit_many));
}

/* Modules that are in use */

static int try_delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

TEST_F(file, keeps_the_module)
{
	int with = must(module_users());

	fails(EWOULDBLOCK, try_delete_module("udma"));
	must(try_setup_close(&self->setup));
	EXPECT_LT(module_users(), with);
}

TEST_F(file, keeps_the_module_by_a_mapping_alone)
{
	int with = must(module_users());

	must(close(self->fd));
	must(try_unmap(&self->setup.src));
	EXPECT_EQ(with, module_users());
	fails(EWOULDBLOCK, try_delete_module("udma"));
	must(try_unmap(&self->setup.dst));
	EXPECT_LT(module_users(), with);
}

TEST_F(file, keeps_the_module_of_its_controller)
{
	fails(EWOULDBLOCK, try_delete_module("udma_sim"));
	/* It is bound, open or not. */
	must(try_setup_close(&self->setup));
	fails(EWOULDBLOCK, try_delete_module("udma_sim"));
}

/* Channels that are taken away */

/* The ways to do it, and to have it back, and what is left to do at the end. */
struct way {
	int (*take)(struct sim *sim);
	int (*back)(struct sim *sim);
	int (*end)(struct sim *sim);
};

static int take_by_name(struct sim *sim)
{
	return try_sim_unbind(sim, 0);
}

static int back_by_name(struct sim *sim)
{
	return try_sim_bind(sim, 0);
}

static int end_live(struct sim *sim)
{
	return try_sim_end(sim);
}

static int take_by_live(struct sim *sim)
{
	return try_sim_set(sim, "live", 0);
}

static int back_by_live(struct sim *sim)
{
	if (try_sim_live(sim))
		return -1;
	return try_sim_bind(sim, 0);
}

static int end_dead(struct sim *sim)
{
	return try_sim_rmdir(sim);
}

/* The controller's device loses its driver. */
static int take_by_provider(struct sim *sim)
{
	return try_write_text("/sys/bus/platform/drivers/udma-sim/unbind",
			      sim->device);
}

static int back_by_provider(struct sim *sim)
{
	if (try_write_text("/sys/bus/platform/drivers/udma-sim/bind",
			   sim->device))
		return -1;
	return try_sim_bind(sim, 0);
}

FIXTURE(gone)
{
	struct setup setup;
	struct sim *sim;
	int fd;
	bool is_taken;
};

FIXTURE_VARIANT(gone)
{
	struct way way;
};

FIXTURE_VARIANT_ADD(gone, by_name) {
	.way = { take_by_name, back_by_name, end_live },
};

FIXTURE_VARIANT_ADD(gone, with_the_controller) {
	.way = { take_by_live, back_by_live, end_dead },
};

FIXTURE_VARIANT_ADD(gone, with_the_controllers_driver) {
	.way = { take_by_provider, back_by_provider, end_live },
};

FIXTURE_SETUP(gone)
{
	must(try_setup_start(&self->setup));
	self->sim = &self->setup.sim;
	self->fd = self->setup.fd;
}

FIXTURE_TEARDOWN(gone)
{
	if (!self->is_taken)
		works(variant->way.take(self->sim));
	works(close(self->fd));
	works(variant->way.end(self->sim));
}

#define TAKE()								\
	do {								\
		must(variant->way.take(self->sim));			\
		self->is_taken = true;					\
	} while (0)

TEST_F(gone, with_nothing_under_way)
{
	struct udma_event event;

	TAKE();
	fails(ENODEV, try_read(self->fd, &event, 1));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd));
}

TEST_F(gone, ends_all_that_was_accepted)
{
	struct udma_event events[MANY + 1];
	bool seen[MANY] = {};
	unsigned int i;

	must(try_submit_many(&self->setup));
	must(try_step(self->sim, 5));
	TAKE();
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, poll_now(self->fd));
	ASSERT_EQ(MANY, must(try_read(self->fd, events, MANY + 1)));
	for (i = 0; i < MANY; i++) {
		ASSERT_LT(events[i].user_data, MANY);
		EXPECT_FALSE(seen[events[i].user_data]);
		seen[events[i].user_data] = true;
		EXPECT_EQ(events[i].user_data + 1, events[i].sequence);
		EXPECT_EQ(i < 5 ? 0 : -ENODEV, events[i].status);
		EXPECT_EQ(i < 5 ? 64 * KIB : 0, events[i].bytes);
	}
	fails(ENODEV, try_read(self->fd, events, 1));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd));
}

TEST_F(gone, ends_what_waits_for_a_fence)
{
	struct udma_request request = self->setup.copy;
	struct udma_event events[3];

	must(try_submit_one(self->fd, request));
	request.flags = UDMA_REQUEST_F_FENCE;
	must(try_submit_one(self->fd, request));
	TAKE();
	ASSERT_EQ(2, must(try_read(self->fd, events, 3)));
	EXPECT_EQ(-ENODEV, events[0].status);
	EXPECT_EQ(-ENODEV, events[1].status);
}

TEST_F(gone, with_files_that_are_closed)
{
	must(try_submit_many(&self->setup));
	must(try_setup_close(&self->setup));
	TAKE();
	/* For the teardown. */
	self->fd = must(eventfd(0, 0));
	EXPECT_EQ(0, sim_get(self->sim, "pending"));
}

TEST_F(gone, to_every_file)
{
	struct setup others[3];
	struct udma_event events[MANY + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = self->setup;
		must(try_setup_open(&others[i]));
		must(try_submit_many(&others[i]));
	}
	TAKE();
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(MANY, must(try_read(others[i].fd, events, MANY + 1)));
		fails(ENODEV, try_read(others[i].fd, events, 1));
		must(close(others[i].fd));
	}
}

TEST_F(gone, to_every_ioctl_but_one)
{
	struct udma_info info;
	struct buffer buffer;

	TAKE();
	fails(ENODEV, try_info(self->fd, &info));
	fails(ENODEV, try_alloc(self->fd, 4096, &buffer));
	fails(ENODEV, try_submit_one(self->fd, self->setup.copy));
	fails(ENODEV, try_eventfd(self->fd, -1));
	must(try_free(self->fd, self->setup.dst.handle));
	fails(ENOENT, try_free(self->fd, self->setup.dst.handle));
	must(try_free(self->fd, self->setup.src.handle));
}

TEST_F(gone, to_mmap)
{
	unsigned char *mem;

	TAKE();
	fails(ENODEV, try_mmap(self->fd, self->setup.dst.mmap_offset, 4096,
			       PROT_READ, MAP_SHARED, &mem));
}

TEST_F(gone, to_open)
{
	char node[32], path[64];

	must(try_find_node(self->sim->name, node, sizeof(node)));
	TAKE();
	snprintf(path, sizeof(path), "/dev/%.31s", node);
	fails(ENOENT, access(path, F_OK));
	fails(ENOENT, try_find_node(self->sim->name, node, sizeof(node)));
}

static int touch_in_child(const unsigned char *mem)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(*mem);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(gone, from_its_mappings)
{
	TAKE();
	fails(EFAULT, try_touch(self->setup.dst.mem));
	fails(EFAULT, try_touch(self->setup.src.mem + 64 * KIB - 1));
	EXPECT_EQ(SIGBUS, touch_in_child(self->setup.dst.mem));
	/* They can still be unmapped, moved and copied. */
	must(munmap(self->setup.dst.mem + 4096, 4096));
	EXPECT_NE(MAP_FAILED, mremap(self->setup.src.mem, 4096, 4096,
				     MREMAP_MAYMOVE));
	fails(EFAULT, try_touch(self->setup.dst.mem));
}

TEST_F(gone, from_mappings_of_all_kinds)
{
	struct buffer *dst = &self->setup.dst, *src = &self->setup.src;
	unsigned char *part, *moved;

	/* A part, one with a hole, one that was moved, one without a file. */
	must(try_mmap(self->fd, dst->mmap_offset + 4096, 4096, PROT_READ,
		      MAP_SHARED, &part));
	must(munmap(dst->mem + 8192, 4096));
	moved = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, moved);
	moved = mremap(src->mem, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED,
		       moved);
	ASSERT_NE(MAP_FAILED, moved);
	must(close(self->fd));
	self->fd = must(eventfd(0, 0));
	EXPECT_EQ(1, try_touch(part));
	EXPECT_EQ(1, try_touch(dst->mem));
	EXPECT_EQ(1, try_touch(dst->mem + 12288));
	EXPECT_EQ(1, try_touch(moved + 4096));
	TAKE();
	fails(EFAULT, try_touch(part));
	fails(EFAULT, try_touch(dst->mem));
	fails(EFAULT, try_touch(dst->mem + 12288));
	fails(EFAULT, try_touch(moved));
	fails(EFAULT, try_touch(moved + 4096));
}

TEST_F(gone, from_the_mappings_of_a_child)
{
	int to_child[2], from_child[2], status;
	pid_t pid;
	char byte;

	must(pipe(to_child));
	must(pipe(from_child));
	pid = must(fork());
	if (pid == 0) {
		if (try_touch(self->setup.dst.mem) != 1 ||
		    write(from_child[1], "x", 1) != 1 ||
		    read(to_child[0], &byte, 1) != 1)
			_exit(1);
		_exit(errno_of(try_touch(self->setup.dst.mem)) != EFAULT);
	}
	EXPECT_EQ(1, read(from_child[0], &byte, 1));
	TAKE();
	EXPECT_EQ(1, write(to_child[1], "x", 1));
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(gone, signals_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	TAKE();
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(efd));
	must(close(efd));
}

/* Threads that wait */

TEST_F(gone, wakes_who_reads)
{
	struct sleeper sleepers[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sleepers); i++)
		must(try_sleeper_start(&sleepers[i], read_one, &self->fd,
				       SYS_read));
	TAKE();
	for (i = 0; i < ARRAY_SIZE(sleepers); i++) {
		must(try_sleeper_join(&sleepers[i]));
		EXPECT_EQ(ENODEV, sleepers[i].error);
	}
}

TEST_F(gone, gives_who_reads_the_last_event)
{
	struct sleeper sleeper;

	must(try_submit_one(self->fd, self->setup.copy));
	must(try_sleeper_start(&sleeper, read_one, &self->fd, SYS_read));
	TAKE();
	must(try_sleeper_join(&sleeper));
	EXPECT_EQ(1, sleeper.ret);
}

TEST_F(gone, wakes_who_polls)
{
	struct poller poller;

	must(try_poller_start(&poller, self->fd, POLLIN));
	TAKE();
	EXPECT_EQ(POLLHUP | POLLERR, try_poller_join(&poller));
}

TEST_F(gone, and_back)
{
	struct udma_event event;

	must(try_submit_many(&self->setup));
	TAKE();
	must(variant->way.back(self->sim));
	self->is_taken = false;
	EXPECT_STREQ("copied", next_program(self->sim));

	/* What was open before is not connected to it. */
	fails(ENODEV, try_submit_one(self->fd, self->setup.copy));
	fails(EFAULT, try_touch(self->setup.dst.mem));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, poll_now(self->fd));
	EXPECT_EQ(1, try_read(self->fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
}

TEST_F(gone, and_back_again_and_again)
{
	unsigned int i;
	int fd;

	for (i = 0; i < 5; i++) {
		fd = must(try_sim_open(self->sim, 0, O_RDWR));
		TAKE();
		must(variant->way.back(self->sim));
		self->is_taken = false;
		must(close(fd));
	}
	EXPECT_STREQ("copied", next_program(self->sim));
}

/*
 * Not every controller stops when it is told, so it may finish what it has got
 * first, unless that takes too long.
 */
TEST(unbind_lets_the_controller_finish)
{
	static const struct sim_config config;
	struct udma_event events[MANY + 1];
	struct udma_request requests[MANY];
	unsigned int i, done = 0;
	struct buffer buffer;
	struct sim sim;
	int fd;

	fd = must(try_sim_start(&sim, &config));
	must(try_alloc_map(fd, MANY * 64, &buffer));
	for (i = 0; i < MANY; i++)
		requests[i] = fill_request(&buffer, i * 64, 64, 1);
	/* It would take ten times as long for them all as for what it is given. */
	must(try_chan_set(&sim, 0, "window", 10));
	must(try_sim_set(&sim, "latency_ns", 20 * 1000 * 1000));
	must(try_submit_all(fd, requests, MANY));
	must(try_sim_unbind(&sim, 0));
	ASSERT_EQ(MANY, must(try_read(fd, events, MANY + 1)));
	for (i = 0; i < MANY; i++) {
		done += events[i].status == 0;
		EXPECT_EQ(events[i].status ? 0 : 64, events[i].bytes);
		EXPECT_EQ(events[i].status ? -ENODEV : 0, events[i].status);
	}
	/* It had some of them, but not all. */
	EXPECT_LT(0, done);
	EXPECT_GT(MANY, done);
	must(close(fd));
	must(try_sim_end(&sim));
}

/* Races with the unbind */

struct racer {
	pthread_t thread;
	pid_t tid;
	int fd;
	struct buffer buffer;
	unsigned int rounds;
	bool gone;		/* unbind has returned */
	bool stop;
	bool failed;
	unsigned int accepted;
	unsigned int ended;
};

/* Let it make some more rounds; the harness ends a test in which it does not. */
static void racer_go_on(struct racer *racer, unsigned int rounds)
{
	unsigned int from = __atomic_load_n(&racer->rounds, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&racer->rounds, __ATOMIC_ACQUIRE) - from <
	       rounds)
		sched_yield();
}

/* Where there is only one processor everything is as close as it can be. */
static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *race_with_mmap(void *data)
{
	struct racer *racer = data;
	unsigned char *mems[32];
	unsigned int count = 0;

	run_on(0);
	racer->tid = gettid();
	/* It unmaps nothing: that is where it would be found mostly. */
	while (!__atomic_load_n(&racer->gone, __ATOMIC_ACQUIRE)) {
		if (count == ARRAY_SIZE(mems))
			sched_yield();
		else if (!try_map(racer->fd, &racer->buffer))
			mems[count++] = racer->buffer.mem;
		__atomic_add_fetch(&racer->rounds, 1, __ATOMIC_RELEASE);
	}
	/* Whenever it began, it must not have ended with memory. */
	if (!try_map(racer->fd, &racer->buffer))
		racer->failed = true;
	while (count) {
		if (try_touch(mems[--count]) == 1)
			racer->failed = true;
		munmap(mems[count], racer->buffer.map_bytes);
	}
	return NULL;
}

/*
 * Takes the processor from the other one, wherever in mmap() it may be, for
 * longer than the unbind takes. Not for ever: the unbind may wait for it.
 */
static void *hold_up(void *data)
{
	struct racer *racer = data;
	const __u64 end = now_ns() + 50 * 1000 * 1000;

	run_on(0);
	while (!__atomic_load_n(&racer->gone, __ATOMIC_ACQUIRE) &&
	       now_ns() < end)
		;
	return NULL;
}

TEST(mmap_races_with_unbind)
{
	const struct sched_param none = {};
	static const struct sim_config config;
	struct racer racer;
	pthread_t other;
	struct sim sim;
	unsigned int i;

	run_on(1);
	must(try_sim_make(&sim, &config));
	for (i = 0; i < 20; i++) {
		racer = (struct racer) {};
		must(try_sim_bind(&sim, 0));
		racer.fd = must(try_sim_open(&sim, 0, O_RDWR));
		must(try_alloc(racer.fd, 2 * MIB, &racer.buffer));
		ASSERT_EQ(0, pthread_create(&racer.thread, NULL,
					    race_with_mmap, &racer));
		racer_go_on(&racer, 1);
		must(sched_setscheduler(racer.tid, SCHED_IDLE, &none));
		ASSERT_EQ(0, pthread_create(&other, NULL, hold_up, &racer));
		must(try_sim_unbind(&sim, 0));
		__atomic_store_n(&racer.gone, true, __ATOMIC_RELEASE);
		ASSERT_EQ(0, pthread_join(other, NULL));
		ASSERT_EQ(0, pthread_join(racer.thread, NULL));
		EXPECT_FALSE(racer.failed);
		must(close(racer.fd));
	}
	must(try_sim_end(&sim));
}

/* Until the channel is gone; then the rest of the events. */
static void *race_with_submit(void *data)
{
	struct racer *racer = data;
	struct udma_request request = fill_request(&racer->buffer, 0, 64, 1);
	struct udma_event events[64];
	int ret;

	do {
		ret = try_submit_one(racer->fd, request);
		if (ret == 1)
			racer->accepted++;
		else if (errno != EAGAIN)
			break;
		while (try_read_now(racer->fd, events, 1) == 1)
			racer->ended++;
		__atomic_add_fetch(&racer->rounds, 1, __ATOMIC_RELEASE);
	} while (!racer->stop);
	racer->failed = errno != ENODEV;
	while ((ret = try_read(racer->fd, events, ARRAY_SIZE(events))) > 0)
		racer->ended += ret;
	racer->failed |= errno != ENODEV;
	return NULL;
}

TEST(submit_races_with_unbind)
{
	static const struct sim_config config;
	struct racer racer;
	struct sim sim;
	unsigned int i;

	must(try_sim_make(&sim, &config));
	for (i = 0; i < 15; i++) {
		racer = (struct racer) {};
		must(try_sim_bind(&sim, 0));
		racer.fd = must(try_sim_open(&sim, 0, O_RDWR));
		must(try_alloc(racer.fd, 4096, &racer.buffer));
		ASSERT_EQ(0, pthread_create(&racer.thread, NULL,
					    race_with_submit, &racer));
		racer_go_on(&racer, 10 + i);
		must(try_sim_unbind(&sim, 0));
		ASSERT_EQ(0, pthread_join(racer.thread, NULL));
		EXPECT_FALSE(racer.failed);
		EXPECT_EQ(racer.accepted, racer.ended);
		EXPECT_LT(0, racer.accepted);
		must(close(racer.fd));
	}
	must(try_sim_end(&sim));
}

static void *race_with_open(void *data)
{
	struct racer *racer = data;
	const struct sim *sim = (void *)racer->buffer.mem;
	int fd;

	while (!__atomic_load_n(&racer->stop, __ATOMIC_ACQUIRE)) {
		fd = try_sim_open(sim, 0, O_RDWR);
		if (fd >= 0) {
			try_alloc(fd, 4096, &(struct buffer){});
			close(fd);
		}
		__atomic_add_fetch(&racer->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

TEST(open_and_close_race_with_unbind)
{
	static const struct sim_config config;
	struct racer racer = {};
	struct sim sim;
	unsigned int i;

	must(try_sim_make(&sim, &config));
	racer.buffer.mem = (unsigned char *)&sim;
	ASSERT_EQ(0, pthread_create(&racer.thread, NULL, race_with_open,
				    &racer));
	for (i = 0; i < 10; i++) {
		must(try_sim_bind(&sim, 0));
		racer_go_on(&racer, 3);
		must(try_sim_unbind(&sim, 0));
	}
	__atomic_store_n(&racer.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(racer.thread, NULL));
	EXPECT_LT(0, racer.rounds);
	must(try_sim_bind(&sim, 0));
	EXPECT_STREQ("copied", next_program(&sim));
	must(try_sim_finish(&sim));
}

TEST_HARNESS_MAIN
