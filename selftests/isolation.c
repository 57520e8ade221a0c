// SPDX-License-Identifier: GPL-2.0
/*
 * Two programs that share a channel: whatever the one tries, it reaches nothing of
 * the other. The one who tries is a process of its own, with a file of its own, and
 * knows all that can be known: numbers, offsets, even where the other's file is.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "udma_program.h"

#define BYTES	(64 * KIB)

/* What is to be kept from others */
#define SECRET	0xd5

/* As handles are made: a serial number over an index */
#define INDEX_BITS	12
#define INDICES		4096	/* 2 to the power of that */
#define OFFSET_BITS	32

/* One who tries, and what he knows */
struct intruder {
	const struct sim *sim;
	const struct program *other;
	pid_t pid;		/* of the other */
	int fd;
	struct buffer buffer;
	char text[96];		/* what he got */
};

/* The other program has one transfer ended, one issued and one behind a fence. */
FIXTURE(other)
{
	struct sim sim;
	struct program own;
	int fd;
	int efd;
	struct udma_request fill;
	struct intruder intruder;
};

FIXTURE_SETUP(other)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_bind(&self->sim, 0));
	must(try_program_start(&self->own, &self->sim, 0, BYTES));
	memset(self->own.dst.mem, SECRET, BYTES);
	memset(self->own.src.mem, SECRET, BYTES);
	self->fd = self->own.fd;
	self->intruder = (struct intruder) {
		.sim = &self->sim,
		.other = &self->own,
	};
	self->efd = must(eventfd(0, EFD_CLOEXEC));
	must(try_eventfd(self->fd, self->efd));
	self->fill = fill_request(&self->own.dst, 0, 64, SECRET);
	must(try_submit_one(self->fd, self->fill));
	must(try_step(&self->sim, 1));
	must(try_submit_one(self->fd, self->fill));
	must(try_submit_one(self->fd, fenced(self->fill)));
	must(try_wait_pending(&self->sim, 1));
}

/* Nothing has changed for it, whatever was tried. */
FIXTURE_TEARDOWN(other)
{
	struct udma_event events[3] = {};
	__u64 signalled = 0;
	unsigned int i;

	works(try_sim_set(&self->sim, "step_mode", 0));
	works(try_collect(self->fd, events, 3));
	/* Events can be read before they are signalled, but not callbacks be over. */
	works(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(64, events[i].bytes);
	}
	/* Once for each of its own. */
	EXPECT_EQ(sizeof(signalled), (size_t)read(self->efd, &signalled,
						  sizeof(signalled)));
	EXPECT_EQ(3, signalled);
	EXPECT_EQ(-1, find_other(self->own.dst.mem, BYTES, SECRET));
	EXPECT_EQ(-1, find_other(self->own.src.mem, BYTES, SECRET));
	works(try_free(self->fd, self->own.dst.handle));
	works(try_free(self->fd, self->own.src.handle));
	works(try_program_end(&self->own));
	works(close(self->efd));
	works(try_sim_finish(&self->sim));
}

/* It is a child, but what the other has is not inherited. */
static void intruder_run(struct intruder *intruder,
			 void (*run)(struct intruder *intruder), int out)
{
	snprintf(intruder->text, sizeof(intruder->text), "nothing");
	if (try_program_end(intruder->other))
		_exit(1);
	intruder->fd = try_sim_open(intruder->sim, 0, O_RDWR | O_NONBLOCK);
	if (intruder->fd < 0 ||
	    try_alloc_map(intruder->fd, BYTES, &intruder->buffer))
		_exit(1);
	run(intruder);
	if (write(out, intruder->text, sizeof(intruder->text)) !=
	    sizeof(intruder->text))
		_exit(1);
	_exit(0);
}

static const char *what_gets(struct intruder *intruder,
			     void (*run)(struct intruder *intruder))
{
	int pipes[2], status;
	pid_t pid;

	intruder->pid = getpid();
	if (pipe(pipes))
		return strerror(errno);
	pid = fork();
	if (pid == 0)
		intruder_run(intruder, run, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], intruder->text, sizeof(intruder->text)) !=
	    sizeof(intruder->text))
		snprintf(intruder->text, sizeof(intruder->text), "no answer");
	close(pipes[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return "an end of its own";
	return intruder->text;
}

#define EXPECT_NOTHING(_self, _run)					\
	EXPECT_STREQ("nothing", what_gets(&(_self)->intruder, _run))

#define got(_intruder, ...)						\
	snprintf((_intruder)->text, sizeof((_intruder)->text), __VA_ARGS__)

/* Whether a call failed as it should; if not, that is what he got. */
static bool is_refused(struct intruder *intruder, const char *what, __u64 number,
		       int ret, int error)
{
	if (ret == -1 && errno == error)
		return true;
	got(intruder, "%s %llx: %d, %s", what, number, ret, strerror(errno));
	return false;
}

/* Handles */

static bool try_handle(struct intruder *intruder, __u32 handle)
{
	struct buffer guess = { .handle = handle };
	const int fd = intruder->fd;

	return is_refused(intruder, "copy from", handle,
			  try_submit_one(fd, copy_request(&intruder->buffer, 0,
							  &guess, 0, 64)),
			  ENOENT) &&
	       is_refused(intruder, "fill of", handle,
			  try_submit_one(fd, fill_request(&guess, 0, 64, 1)),
			  ENOENT) &&
	       is_refused(intruder, "free of", handle, try_free(fd, handle),
			  ENOENT);
}

static void try_all_handles(struct intruder *intruder)
{
	static const __u32 serials[] = { 0, 1, 0x7ffff, 0xfffff };
	__u32 i, index, handle;

	for (i = 0; i < ARRAY_SIZE(serials); i++) {
		for (index = 0; index < INDICES; index++) {
			handle = serials[i] << INDEX_BITS | index;
			if (handle != intruder->buffer.handle &&
			    !try_handle(intruder, handle))
				return;
		}
	}
}

TEST_F(other, has_handles_that_mean_nothing_here)
{
	EXPECT_NOTHING(self, try_all_handles);
}

/* The same number names his own. */
static void try_same_handle(struct intruder *intruder)
{
	struct udma_request copy;
	struct buffer to;

	if (intruder->buffer.handle != intruder->other->dst.handle)
		got(intruder, "another number than the first one has");
	if (try_alloc_map(intruder->fd, BYTES, &to))
		got(intruder, "no memory");
	/* One of the other's comes before. */
	copy = copy_request(&to, 0, &intruder->buffer, 0, BYTES);
	memset(to.mem, 1, BYTES);
	if (try_submit_one(intruder->fd, copy) != 1 ||
	    try_wait_pending(intruder->sim, 2) ||
	    try_step(intruder->sim, 2))
		got(intruder, "no copy: %s", strerror(errno));
	if (find_other(to.mem, BYTES, 0) >= 0)
		got(intruder, "what was not in his buffer");
}

TEST_F(other, has_handles_of_the_same_number)
{
	EXPECT_NOTHING(self, try_same_handle);
}

/* Mappings */

static bool try_offset(struct intruder *intruder, __u64 offset)
{
	unsigned char *mem;

	/* Not all that a number can say is an offset for mmap(). */
	if (try_mmap(intruder->fd, offset, 4096, PROT_READ, MAP_SHARED, &mem) &&
	    (errno == EINVAL || errno == EOVERFLOW))
		return true;
	got(intruder, "mapping at %llx: %s", offset, strerror(errno));
	return false;
}

static void try_all_offsets(struct intruder *intruder)
{
	static const __u64 within[] = { 0, 4096, BYTES, 1ULL << 31 };
	const __u64 own = intruder->buffer.mmap_offset;
	__u64 offset;
	__u32 i, index;

	for (index = 0; index < INDICES; index++) {
		offset = (__u64)index << OFFSET_BITS;
		for (i = 0; i < ARRAY_SIZE(within); i++) {
			if (offset != own &&
			    !try_offset(intruder, offset + within[i]))
				return;
		}
	}
	for (i = OFFSET_BITS + INDEX_BITS; i < 64; i++)
		if (!try_offset(intruder, 1ULL << i) ||
		    !try_offset(intruder, 1ULL << i | own))
			return;
}

TEST_F(other, has_offsets_that_mean_nothing_here)
{
	EXPECT_NOTHING(self, try_all_offsets);
}

static void try_same_offset(struct intruder *intruder)
{
	const __u64 offset = intruder->other->dst.mmap_offset;
	unsigned char *mem;

	if (try_mmap(intruder->fd, offset, BYTES, PROT_READ, MAP_SHARED, &mem))
		got(intruder, "no mapping: %s", strerror(errno));
	else if (find_other(mem, BYTES, 0) >= 0)
		got(intruder, "what was not in his buffer");
}

TEST_F(other, has_an_offset_that_is_the_same)
{
	EXPECT_NOTHING(self, try_same_offset);
}

/* Events */

static void try_events(struct intruder *intruder)
{
	struct udma_event event;

	if (!is_refused(intruder, "read", 0,
			try_read(intruder->fd, &event, 1), EAGAIN))
		return;
	if (poll_now(intruder->fd) != POLLOUT)
		got(intruder, "poll() says %x", poll_now(intruder->fd));
}

TEST_F(other, has_events_that_are_not_for_us)
{
	EXPECT_NOTHING(self, try_events);
}

/* His own end when the other's do, and go to nobody else. */
static void try_events_among_others(struct intruder *intruder)
{
	struct udma_event events[2];
	struct udma_request fill = fill_request(&intruder->buffer, 0, 4096, 7);
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	__u64 signalled;

	fill.user_data = 77;
	if (efd < 0 || try_eventfd(intruder->fd, efd) ||
	    try_submit_one(intruder->fd, fill) != 1 ||
	    try_wait_pending(intruder->sim, 2) || try_step(intruder->sim, 1)) {
		got(intruder, "no fill: %s", strerror(errno));
		return;
	}
	/* That was the other's. */
	if (poll_now(intruder->fd) != POLLOUT || poll_now(efd) != POLLOUT)
		got(intruder, "a signal for another's event");
	if (try_step(intruder->sim, 1) ||
	    try_read(intruder->fd, events, 2) != 1 ||
	    events[0].sequence != 1 || events[0].user_data != 77 ||
	    events[0].bytes != 4096)
		got(intruder, "another event than his own");
	if (read(efd, &signalled, sizeof(signalled)) != sizeof(signalled) ||
	    signalled != 1)
		got(intruder, "another signal than his own");
	/* That of the other is not what this takes away. */
	if (try_eventfd(intruder->fd, -1))
		got(intruder, "no end of signals: %s", strerror(errno));
}

TEST_F(other, has_events_that_go_elsewhere)
{
	EXPECT_NOTHING(self, try_events_among_others);
}

/* Cancels */

static void try_all_cancels(struct intruder *intruder)
{
	__u64 sequence;
	int ret;

	for (sequence = 0; sequence < 1024; sequence++)
		if (!is_refused(intruder, "cancel of", sequence,
				try_cancel(intruder->fd, sequence), ENOENT))
			return;
	ret = try_cancel_all(intruder->fd);
	if (ret)
		got(intruder, "cancel of all: %d", ret);
}

TEST_F(other, has_transfers_that_cannot_be_cancelled)
{
	EXPECT_NOTHING(self, try_all_cancels);
}

/* The very file, by its name in /proc: it is opened anew. */

static void try_file_of_other(struct intruder *intruder)
{
	const struct program *other = intruder->other;
	struct udma_event event;
	char path[64];
	int own = intruder->fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", intruder->pid,
		 other->fd);
	intruder->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (intruder->fd < 0) {
		got(intruder, "no file: %s", strerror(errno));
		return;
	}
	if (!try_handle(intruder, other->dst.handle) ||
	    !try_handle(intruder, other->src.handle) ||
	    !try_offset(intruder, other->dst.mmap_offset) ||
	    !try_offset(intruder, other->src.mmap_offset) ||
	    !is_refused(intruder, "read", 0,
			try_read(intruder->fd, &event, 1), EAGAIN))
		return;
	try_all_cancels(intruder);
	close(own);
}

TEST_F(other, has_a_file_that_can_only_be_opened_anew)
{
	EXPECT_NOTHING(self, try_file_of_other);
}

static void try_to_be_alone(struct intruder *intruder)
{
	is_refused(intruder, "open", O_EXCL,
		   try_sim_open(intruder->sim, 0, O_RDWR | O_EXCL), EBUSY);
}

TEST_F(other, cannot_be_shut_out)
{
	EXPECT_NOTHING(self, try_to_be_alone);
}

/* It ends in the middle of whatever it was doing. */
static void try_to_leave_a_mess(struct intruder *intruder)
{
	struct udma_request request = fill_request(&intruder->buffer, 0, BYTES,
						   1);
	unsigned int i;

	for (i = 0; i < 200; i++) {
		request.timeout_ns = i % 2;
		request.flags = i % 7 ? 0 : UDMA_REQUEST_F_FENCE;
		if (try_submit_one(intruder->fd, request) != 1)
			got(intruder, "no fill: %s", strerror(errno));
	}
	try_cancel(intruder->fd, 100);
	try_free(intruder->fd, intruder->buffer.handle);
}

TEST_F(other, does_not_see_a_mess)
{
	EXPECT_NOTHING(self, try_to_leave_a_mess);
	EXPECT_EQ(0, chan_get(&self->sim, 0, "recovery/resets"));
}

/* Memory that was another's */

#define PIECES	16

/* Sizes that leave something of their last page over, and some that do not */
static const size_t sizes[] = { 1, 100, 4095, 4096, 4097, 65000, MIB };

/* All of it is full of secrets, to the end of its last page. */
static int try_keep_secrets(int fd, size_t bytes, struct buffer *buffers)
{
	struct udma_request request;
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		if (try_alloc_map(fd, bytes, &buffers[i]))
			return -1;
		memset(buffers[i].mem, SECRET, buffers[i].map_bytes);
	}
	request = fill_request(&buffers[0], 0, bytes, SECRET);
	return try_run(fd, request, &event) || event.status ? -1 : 0;
}

/* The first byte that is not zero, in as much memory as there was, or -1. */
static long find_secrets(const struct sim *sim, size_t bytes)
{
	struct buffer buffers[PIECES];
	unsigned int i;
	long found = -1;
	int fd;

	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0)
		return -2;
	for (i = 0; i < PIECES; i++) {
		if (try_alloc_map(fd, bytes, &buffers[i]))
			return -2;
		if (found < 0)
			found = find_other(buffers[i].mem, buffers[i].map_bytes,
					   0);
	}
	for (i = 0; i < PIECES; i++)
		try_unmap(&buffers[i]);
	close(fd);
	return found;
}

/* The ways in which it comes back */

static int leave_by_free(int fd, struct buffer *buffers)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		if (try_unmap(&buffers[i]) || try_free(fd, buffers[i].handle))
			return -1;
	return 0;
}

static int leave_by_close(int fd, struct buffer *buffers)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		if (try_unmap(&buffers[i]))
			return -1;
	return close(fd);
}

static int leave_by_exit(int fd, struct buffer *buffers)
{
	(void)fd;
	(void)buffers;
	_exit(0);
}

static int leave_by_kill(int fd, struct buffer *buffers)
{
	(void)fd;
	(void)buffers;
	return kill(getpid(), SIGKILL);
}

FIXTURE(memory)
{
	struct sim sim;
};

FIXTURE_VARIANT(memory)
{
	int (*leave)(int fd, struct buffer *buffers);
	int status;
};

FIXTURE_VARIANT_ADD(memory, that_was_freed) { leave_by_free, 0 };
FIXTURE_VARIANT_ADD(memory, of_a_file_that_was_closed) { leave_by_close, 0 };
FIXTURE_VARIANT_ADD(memory, of_a_program_that_exited) { leave_by_exit, 0 };
FIXTURE_VARIANT_ADD(memory, of_a_program_that_was_killed) {
	leave_by_kill, SIGKILL
};

FIXTURE_SETUP(memory)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
}

FIXTURE_TEARDOWN(memory)
{
	works(try_sim_finish(&self->sim));
}

TEST_F(memory, tells_the_next_one_nothing)
{
	struct buffer buffers[PIECES];
	unsigned int i;
	int fd, status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pid = must(fork());
		if (pid == 0) {
			fd = try_sim_open(&self->sim, 0, O_RDWR);
			if (fd < 0 || try_keep_secrets(fd, sizes[i], buffers) ||
			    variant->leave(fd, buffers))
				_exit(1);
			_exit(0);
		}
		must(waitpid(pid, &status, 0));
		ASSERT_EQ(variant->status, status);
		EXPECT_EQ(-1, find_secrets(&self->sim, sizes[i]))
			TH_LOG("%zu bytes", sizes[i]);
	}
}

TEST_HARNESS_MAIN
