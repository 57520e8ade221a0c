// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what they say, the ways to read them and to wait for them, and that
 * there is exactly one for each transfer.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "udma_sim.h"
#include "udma_sleeper.h"

FIXTURE(event)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct udma_request fill;
};

FIXTURE_SETUP(event)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, 64 * KIB, &self->buffer));
	self->fill = fill_request(&self->buffer, 0, 64, 1);
}

FIXTURE_TEARDOWN(event)
{
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

static int try_submit_times(int fd, struct udma_request request,
			    unsigned int times)
{
	while (times--) {
		if (try_submit_all(fd, &request, 1) < 0)
			return -1;
		request.user_data++;
	}
	return 0;
}

/* Submit, and wait until the events are there: the controller is stepped. */
static int try_make_events(struct sim *sim, int fd, struct udma_request request,
			   unsigned int times)
{
	if (try_sim_set(sim, "step_mode", 1))
		return -1;
	if (try_submit_times(fd, request, times))
		return -1;
	return try_step(sim, times);
}

/* What an event says */

TEST_F(event, says_all_there_is_to_say)
{
	struct udma_event event;

	memset(&event, 0xff, sizeof(event));
	self->fill.user_data = 0x0123456789abcdefULL;
	must(try_run(self->fd, self->fill, &event));
	EXPECT_EQ(0x0123456789abcdefULL, event.user_data);
	EXPECT_EQ(1, event.sequence);
	EXPECT_EQ(64, event.bytes);
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(UDMA_EVENT_F_EXACT, event.flags);
	EXPECT_EQ(UDMA_EVENT_TRANSFER, event.type);
	EXPECT_EQ(0, event.count);
	EXPECT_EQ(0, event.position);
	EXPECT_EQ(0, event.lost);
}

TEST_F(event, gives_user_data_back_as_it_was)
{
	struct udma_event event;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		self->fill.user_data = 1ULL << bit;
		must(try_run(self->fd, self->fill, &event));
		EXPECT_EQ(1ULL << bit, event.user_data);
	}
	self->fill.user_data = ~0ULL;
	must(try_run(self->fd, self->fill, &event));
	EXPECT_EQ(~0ULL, event.user_data);
}

TEST_F(event, has_a_time_between_submit_and_read)
{
	__u64 before, last = 0, after;
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		before = now_ns();
		must(try_run(self->fd, self->fill, &event));
		after = now_ns();
		EXPECT_LE(before, event.timestamp_ns);
		EXPECT_LE(event.timestamp_ns, after);
		EXPECT_LE(last, event.timestamp_ns);
		last = event.timestamp_ns;
	}
}

TEST_F(event, has_the_time_of_the_end_and_not_of_the_read)
{
	struct udma_event event;
	__u64 ended;

	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	ended = now_ns();
	must(try_read(self->fd, &event, 1));
	EXPECT_LE(event.timestamp_ns, ended);
}

/* One file on one channel that does one after the other. */
TEST_F(event, comes_in_the_order_of_the_ends)
{
	struct udma_event events[200];
	unsigned int i;

	must(try_submit_times(self->fd, self->fill, ARRAY_SIZE(events)));
	must(try_collect(self->fd, events, ARRAY_SIZE(events)));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(i, events[i].user_data);
		if (i)
			EXPECT_LE(events[i - 1].timestamp_ns,
				  events[i].timestamp_ns);
	}
}

TEST_F(event, comes_exactly_once_for_each_of_thousands)
{
	enum { TOTAL = 5000, BATCH = 50 };
	static unsigned char seen[TOTAL + 1];
	struct udma_request requests[BATCH];
	struct udma_event events[64];
	unsigned int submitted = 0, read = 0;
	int ret, i;

	memset(seen, 0, sizeof(seen));
	while (read < TOTAL) {
		for (i = 0; i < BATCH && submitted + i < TOTAL; i++) {
			requests[i] = self->fill;
			requests[i].user_data = submitted + i + 1;
		}
		if (i) {
			ret = try_submit(self->fd, requests, i);
			ASSERT_TRUE(ret > 0 || errno == EAGAIN);
			submitted += ret > 0 ? ret : 0;
		}
		must(try_wait_for(self->fd, POLLIN));
		ret = must(try_read(self->fd, events, ARRAY_SIZE(events)));
		for (i = 0; i < ret; i++) {
			ASSERT_LT(events[i].sequence, TOTAL + 1);
			ASSERT_EQ(events[i].sequence, events[i].user_data);
			ASSERT_EQ(0, seen[events[i].sequence]++);
			ASSERT_EQ(0, events[i].status);
		}
		read += ret;
	}
	EXPECT_EQ(TOTAL, submitted);
	EXPECT_EQ(TOTAL, read);
	EXPECT_EQ(0, try_read_now(self->fd, events, 1));
	must(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(TOTAL, sim_get(&self->sim, "ended"));
}

/* read() */

static int try_set_nonblock(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

TEST_F(event, is_not_waited_for_with_o_nonblock)
{
	struct udma_event event;

	must(try_set_nonblock(self->fd));
	fails(EAGAIN, try_read(self->fd, &event, 1));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(1, try_read(self->fd, &event, 1));
	fails(EAGAIN, try_read(self->fd, &event, 1));
}

TEST_F(event, needs_a_buffer_for_one_at_least)
{
	struct udma_event event;
	size_t bytes;

	must(try_set_nonblock(self->fd));
	for (bytes = 0; bytes < sizeof(event); bytes++) {
		/* A read of nothing may be answered before the driver's part. */
		if (bytes == 0 && read(self->fd, &event, 0) == 0)
			continue;
		fails(EINVAL, read(self->fd, &event, bytes))
			TH_LOG("%zu bytes", bytes);
	}
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	for (bytes = 1; bytes < sizeof(event); bytes++) {
		fails(EINVAL, read(self->fd, &event, bytes))
			TH_LOG("%zu bytes", bytes);
	}
	EXPECT_EQ(1, try_read(self->fd, &event, 1));
}

TEST_F(event, is_never_given_in_part)
{
	struct udma_event events[4];
	const size_t bytes = sizeof(events[0]) * 5 / 2;

	must(try_make_events(&self->sim, self->fd, self->fill, 4));
	memset(events, 0xff, sizeof(events));
	EXPECT_EQ(2 * sizeof(events[0]), read(self->fd, events, bytes));
	EXPECT_EQ(1, events[0].sequence);
	EXPECT_EQ(2, events[1].sequence);
	EXPECT_EQ(-1, find_other((unsigned char *)&events[2],
				 sizeof(events[2]), 0xff));
	EXPECT_EQ(2 * sizeof(events[0]), read(self->fd, events, bytes));
	EXPECT_EQ(3, events[0].sequence);
	EXPECT_EQ(4, events[1].sequence);
}

TEST_F(event, fewer_than_there_is_room_for)
{
	struct udma_event events[50];

	must(try_make_events(&self->sim, self->fd, self->fill, 3));
	EXPECT_EQ(3, try_read(self->fd, events, ARRAY_SIZE(events)));
}

TEST_F(event, in_several_pieces_of_memory)
{
	struct udma_event events[4];
	unsigned char *mem = (unsigned char *)events;
	struct iovec pieces[3] = {
		{ mem, 10 }, { mem + 10, 100 }, { mem + 110, 146 },
	};
	unsigned int i;

	must(try_make_events(&self->sim, self->fd, self->fill, 4));
	EXPECT_EQ(sizeof(events), readv(self->fd, pieces, 3));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		EXPECT_EQ(i + 1, events[i].sequence);

	/* All of them together are too short for one. */
	must(try_set_nonblock(self->fd));
	fails(EINVAL, readv(self->fd, pieces, 1));
}

TEST_F(event, is_not_lost_in_bad_memory)
{
	unsigned char *hole = pages_before_hole(1) + page_bytes();
	struct udma_event event;

	must(try_make_events(&self->sim, self->fd, self->fill, 2));
	fails(EFAULT, syscall(SYS_read, self->fd, NULL, 2 * sizeof(event)));
	fails(EFAULT, read(self->fd, hole, 2 * sizeof(event)));
	/* Room for one but for a byte. */
	fails(EFAULT, read(self->fd, hole - sizeof(event) + 1,
			   2 * sizeof(event)));
	ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
	EXPECT_EQ(1, event.sequence);
	ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
	EXPECT_EQ(2, event.sequence);
}

TEST_F(event, is_given_before_bad_memory)
{
	unsigned char *hole = pages_before_hole(1) + page_bytes();
	struct udma_event event;

	must(try_make_events(&self->sim, self->fd, self->fill, 4));
	EXPECT_EQ(2 * sizeof(event), read(self->fd, hole - 2 * sizeof(event),
					  4 * sizeof(event)));
	/* The half one is not lost either. */
	EXPECT_EQ(sizeof(event), read(self->fd, hole - sizeof(event) * 3 / 2,
				      4 * sizeof(event)));
	ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
	EXPECT_EQ(4, event.sequence);
}

TEST_F(event, file_has_no_position_and_takes_no_write)
{
	struct udma_event event = {};

	fails(ESPIPE, lseek(self->fd, 0, SEEK_SET));
	fails(ESPIPE, lseek(self->fd, 0, SEEK_CUR));
	fails(ESPIPE, pread(self->fd, &event, sizeof(event), 0));
	fails(EINVAL, write(self->fd, &event, sizeof(event)));
}

TEST_F(event, cannot_be_read_from_a_file_open_for_writing)
{
	int fd = must(try_sim_open(&self->sim, 0, O_WRONLY));
	struct udma_event event;

	fails(EBADF, try_read(fd, &event, 1));
	must(close(fd));
}

/* Threads that read */

struct reader {
	struct sleeper sleeper;
	int fd;
	struct udma_event event;
	unsigned char *seen;	/* counts for each sequence number */
	unsigned int count;
};

static long read_into(void *data)
{
	struct reader *reader = data;

	return try_read(reader->fd, &reader->event, 1);
}

static int try_reader_start(struct reader *reader, int fd)
{
	*reader = (struct reader) { .fd = fd };
	return try_sleeper_start(&reader->sleeper, read_into, reader, SYS_read);
}

TEST_F(event, is_waited_for)
{
	struct reader reader;

	must(try_reader_start(&reader, self->fd));
	must(try_submit_one(self->fd, self->fill));
	must(try_sleeper_join(&reader.sleeper));
	EXPECT_EQ(1, reader.sleeper.ret);
	EXPECT_EQ(1, reader.event.sequence);
}

TEST_F(event, wakes_as_many_readers_as_there_are_events)
{
	struct reader readers[4];
	unsigned int i;
	__u64 seen = 0;

	for (i = 0; i < ARRAY_SIZE(readers); i++)
		must(try_reader_start(&readers[i], self->fd));
	must(try_submit_times(self->fd, self->fill, ARRAY_SIZE(readers)));
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		must(try_sleeper_join(&readers[i].sleeper));
		EXPECT_EQ(1, readers[i].sleeper.ret);
		seen |= 1ULL << readers[i].event.sequence;
	}
	EXPECT_EQ(0x1e, seen);
}

#define LAST	(~0ULL)

/* Takes events until it gets one that says that it is the last. */
static long read_until_last(void *data)
{
	struct reader *reader = data;

	while (try_read(reader->fd, &reader->event, 1) == 1) {
		if (reader->event.user_data == LAST)
			return 0;
		__atomic_add_fetch(&reader->seen[reader->event.sequence], 1,
				   __ATOMIC_RELAXED);
		reader->count++;
	}
	return -1;
}

TEST_F(event, goes_to_one_of_several_readers)
{
	enum { TOTAL = 1000 };
	static unsigned char seen[TOTAL + 16];
	struct reader readers[4] = {};
	unsigned int i, count = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i].fd = self->fd;
		readers[i].seen = seen;
		must(try_sleeper_start(&readers[i].sleeper, read_until_last,
				       &readers[i], SYS_read));
	}
	for (i = 0; i < TOTAL + ARRAY_SIZE(readers);) {
		if (i >= TOTAL)
			self->fill.user_data = LAST;
		if (try_submit_one(self->fd, self->fill) == 1) {
			i++;
			continue;
		}
		ASSERT_EQ(EAGAIN, errno);
		must(try_wait_for(self->fd, POLLOUT));
	}
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		must(try_sleeper_join(&readers[i].sleeper));
		EXPECT_EQ(0, readers[i].sleeper.ret);
		count += readers[i].count;
	}
	EXPECT_EQ(TOTAL, count);
	EXPECT_EQ(-1, find_other(seen + 1, TOTAL, 1));
}

/* Signals */

TEST_F(event, wait_ends_with_a_signal)
{
	struct reader reader;
	struct udma_event event;

	must(try_catch(0));
	must(try_reader_start(&reader, self->fd));
	must(try_sleeper_signal(&reader.sleeper, SIGUSR1));
	must(try_sleeper_join(&reader.sleeper));
	EXPECT_EQ(-1, reader.sleeper.ret);
	EXPECT_EQ(EINTR, reader.sleeper.error);
	EXPECT_EQ(1, signals);
	/* And the next one reads as if nothing had been. */
	must(try_run(self->fd, self->fill, &event));
	EXPECT_EQ(1, event.sequence);
}

TEST_F(event, wait_goes_on_after_a_signal_with_sa_restart)
{
	struct reader reader;

	must(try_catch(SA_RESTART));
	must(try_reader_start(&reader, self->fd));
	must(try_sleeper_signal(&reader.sleeper, SIGUSR1));
	/* Nothing tells of the signal but its handler. */
	while (!__atomic_load_n(&signals, __ATOMIC_RELAXED))
		sched_yield();
	must(try_sleeper_wait(&reader.sleeper, SYS_read));
	must(try_submit_one(self->fd, self->fill));
	must(try_sleeper_join(&reader.sleeper));
	EXPECT_EQ(1, reader.sleeper.ret);
	EXPECT_EQ(1, reader.event.sequence);
}

/* poll() and epoll */

TEST_F(event, is_told_by_poll)
{
	struct udma_event event;

	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_make_events(&self->sim, self->fd, self->fill, 2));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	must(try_read(self->fd, &event, 1));
	EXPECT_EQ(POLLIN | POLLOUT, poll_now(self->fd));
	must(try_read(self->fd, &event, 1));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
}

TEST_F(event, wakes_who_polls)
{
	struct poller poller;

	must(try_poller_start(&poller, self->fd, POLLIN));
	must(try_submit_one(self->fd, self->fill));
	EXPECT_EQ(POLLIN, try_poller_join(&poller));
}

TEST_F(event, that_is_read_wakes_who_polls_for_room)
{
	struct poller poller;
	struct udma_event event;
	struct udma_info info;

	must(try_info(self->fd, &info));
	must(try_make_events(&self->sim, self->fd, self->fill,
			     info.out_max_transfers));
	must(try_poller_start(&poller, self->fd, POLLOUT));
	must(try_read(self->fd, &event, 1));
	EXPECT_EQ(POLLOUT, try_poller_join(&poller));
}

FIXTURE(epoll)
{
	struct sim sim;
	int fd;
	int epoll;
	struct udma_request fill;
};

FIXTURE_VARIANT(epoll)
{
	__u32 events;
	int without_read;	/* what it says a second time */
};

FIXTURE_VARIANT_ADD(epoll, level) {
	.events = EPOLLIN,
	.without_read = 1,
};

FIXTURE_VARIANT_ADD(epoll, edge) {
	.events = EPOLLIN | EPOLLET,
	.without_read = 0,
};

FIXTURE_SETUP(epoll)
{
	struct epoll_event event = { .events = variant->events };
	static const struct sim_config config;
	struct buffer buffer;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc(self->fd, 4096, &buffer));
	self->fill = fill_request(&buffer, 0, 64, 1);
	self->epoll = must(epoll_create1(0));
	must(epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->fd, &event));
}

FIXTURE_TEARDOWN(epoll)
{
	works(close(self->epoll));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

TEST_F(epoll, tells_of_events)
{
	struct epoll_event told;
	struct udma_event event;

	EXPECT_EQ(0, epoll_wait(self->epoll, &told, 1, 0));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	ASSERT_EQ(1, epoll_wait(self->epoll, &told, 1, 0));
	EXPECT_EQ(EPOLLIN, told.events);
	EXPECT_EQ(variant->without_read, epoll_wait(self->epoll, &told, 1, 0));

	/* Another event is another edge. */
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(1, epoll_wait(self->epoll, &told, 1, 0));
	EXPECT_EQ(variant->without_read, epoll_wait(self->epoll, &told, 1, 0));

	must(try_collect(self->fd, &event, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(0, epoll_wait(self->epoll, &told, 1, 0));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(1, epoll_wait(self->epoll, &told, 1, 0));
}

TEST_F(epoll, wakes_who_waits)
{
	struct epoll_event told;
	__u64 end;

	must(try_sim_set(&self->sim, "latency_ns", 20 * 1000 * 1000));
	must(try_submit_one(self->fd, self->fill));
	end = now_ns() + WAIT_MS * 1000000ULL;
	ASSERT_EQ(1, epoll_wait(self->epoll, &told, 1, WAIT_MS));
	EXPECT_EQ(EPOLLIN, told.events);
	/* It was woken, and did not just look again at the end. */
	EXPECT_LT(now_ns(), end);
}

/* eventfd */

TEST_F(event, signals_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	EXPECT_EQ(0, eventfd_count(efd));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_NE(0, eventfd_count(efd));
	EXPECT_EQ(0, eventfd_count(efd));
	must(try_make_events(&self->sim, self->fd, self->fill, 3));
	EXPECT_NE(0, eventfd_count(efd));
	must(close(efd));
}

TEST_F(event, wakes_who_polls_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	must(try_submit_one(self->fd, self->fill));
	EXPECT_EQ(POLLIN, try_wait_for(efd, POLLIN));
	must(close(efd));
}

TEST_F(event, that_was_there_before_does_not_signal_the_eventfd)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	must(try_eventfd(self->fd, efd));
	EXPECT_EQ(0, eventfd_count(efd));
	must(close(efd));
}

TEST_F(event, signals_the_eventfd_that_was_set_last)
{
	int first = must(eventfd(0, EFD_CLOEXEC));
	int second = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, first));
	must(try_eventfd(self->fd, second));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(0, eventfd_count(first));
	EXPECT_NE(0, eventfd_count(second));

	must(try_eventfd(self->fd, -1));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(0, eventfd_count(second));
	/* To take away none is no mistake. */
	must(try_eventfd(self->fd, -1));
	must(close(first));
	must(close(second));
}

TEST_F(event, keeps_the_eventfd_after_a_mistake)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));

	must(try_eventfd(self->fd, efd));
	fails(EBADF, try_eventfd(self->fd, 12345));
	fails(EINVAL, try_eventfd(self->fd, self->fd));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_NE(0, eventfd_count(efd));
	must(close(efd));
}

TEST_F(event, eventfd_that_is_none)
{
	int fds[2], efd;

	must(pipe(fds));
	fails(EINVAL, try_eventfd(self->fd, fds[0]));
	fails(EINVAL, try_eventfd(self->fd, fds[1]));
	fails(EINVAL, try_eventfd(self->fd, self->fd));
	must(close(fds[0]));
	fails(EBADF, try_eventfd(self->fd, fds[0]));
	must(close(fds[1]));

	efd = must(eventfd(0, EFD_CLOEXEC));
	must(close(efd));
	fails(EBADF, try_eventfd(self->fd, efd));
}

TEST_F(event, signals_an_eventfd_that_the_program_has_closed)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	int copy = must(dup(efd));

	/* The driver has a reference of its own. */
	must(try_eventfd(self->fd, efd));
	must(close(efd));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_NE(0, eventfd_count(copy));
	must(close(copy));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
}

TEST_F(event, signals_an_eventfd_that_is_full)
{
	int efd = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	__u64 most = ~0ULL - 1;
	struct udma_event event;

	must(try_eventfd(self->fd, efd));
	ASSERT_EQ(sizeof(most), write(efd, &most, sizeof(most)));
	/* Whatever its count, the event is there. */
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_EQ(1, must(try_read_now(self->fd, &event, 1)));
	must(close(efd));
}

TEST_F(event, of_two_files_signal_an_eventfd_of_both)
{
	int efd = must(eventfd(0, EFD_CLOEXEC));
	int other = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct buffer buffer;

	must(try_eventfd(self->fd, efd));
	must(try_eventfd(other, efd));
	must(try_make_events(&self->sim, self->fd, self->fill, 1));
	EXPECT_NE(0, eventfd_count(efd));
	must(try_alloc(other, 4096, &buffer));
	must(try_make_events(&self->sim, other,
			     fill_request(&buffer, 0, 64, 1), 1));
	EXPECT_NE(0, eventfd_count(efd));
	must(close(other));
	must(close(efd));
}

TEST_HARNESS_MAIN
