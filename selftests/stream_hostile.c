// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that write to the page of their streams what they should not, and when they
 * should not, and map it where and how they like. It harms only themselves: the kernel has
 * counts of its own, and believes of the one word that is the program's what can be.
 */
#include <sys/wait.h>

#include "udma_program.h"
#include "udma_sleeper.h"
#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define PERIOD	1024U
#define PERIODS	8U
#define RING	(PERIODS * PERIOD)

/* Around the ring, in the same buffer. */
#define GUARD	4096U

FIXTURE(hostile)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct stream stream;
	__u64 random;
};

/* What is played, captured or received in slots. */
FIXTURE_VARIANT(hostile)
{
	const char *kind;
	__u32 type;
	__u64 filled;
};

FIXTURE_VARIANT_ADD(hostile, capture)
{
	.kind = "source",
	.type = UDMA_STREAM_CYCLIC,
};

FIXTURE_VARIANT_ADD(hostile, play)
{
	.kind = "sink",
	.type = UDMA_STREAM_CYCLIC,
	.filled = 2 * PERIOD,
};

FIXTURE_VARIANT_ADD(hostile, packets)
{
	.kind = "source",
	.type = UDMA_STREAM_PACKETS,
};

FIXTURE_SETUP(hostile)
{
	const struct device_config config = {
		.kind = variant->kind,
		.channels = 1,
	};

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "packet_bytes", 700));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, RING + 2 * GUARD, &self->buffer));
	pattern_write(self->buffer.mem, 0, self->buffer.map_bytes, PATTERN_GUARD);
}

/* Whoever comes next finds a channel that does what it should, and a page of his own. */
static const char *next_owner(const struct sim *sim, __u32 type, __u64 filled)
{
	struct udma_stream_start start;
	struct udma_event event = {};
	struct stream stream;
	struct buffer ring;
	__u64 end = 0;
	int fd;

	if (try_sim_set(sim, "bandwidth", 0) || try_sim_set(sim, "step_mode", 1))
		return strerror(errno);
	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc_map(fd, RING, &ring))
		return strerror(errno);
	if (find_other(ring.mem, RING, 0) >= 0)
		return "memory is not zero";
	start = cyclic_start(&ring, RING, PERIOD);
	start.type = type;
	start.filled_bytes = filled;
	while (try_stream(&stream, fd, start))
		if (errno != EBUSY || !look_again(&end))
			return strerror(errno);
	if (stream_lost(&stream) || stream_overruns(&stream) || stream_hw(&stream) ||
	    stream_app(&stream) != filled || find_other((void *)(stream.shared + 1),
							page_bytes() - sizeof(*stream.shared),
							0) >= 0)
		return "the page is not new";
	/* A step may be the one of the stream before. */
	while (!try_read_now(fd, &event, 1))
		if (try_step(sim, 1) || !look_again(&end))
			return strerror(errno);
	if (event.status || event.position != (type ? 1 : PERIOD))
		return "it is somewhere else";
	if (try_stop(fd, &event) || event.status || try_stream_unmap(&stream) ||
	    try_unmap(&ring) || close(fd))
		return strerror(errno);
	return "fine";
}

FIXTURE_TEARDOWN(hostile)
{
	if (self->stream.shared)
		works(try_stream_unmap(&self->stream));
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	EXPECT_STREQ("fine", next_owner(&self->sim, variant->type, variant->filled));
	works(try_device_end(&self->sim));
}

#define hostile_start()								\
	({									\
		struct udma_stream_start __start =				\
			cyclic_start(&self->buffer, RING, PERIOD);		\
										\
		__start.type = variant->type;					\
		__start.offset = GUARD;						\
		__start.filled_bytes = variant->filled;				\
		__start;							\
	})

static bool is_guarded(const struct buffer *buffer)
{
	return pattern_outside(buffer, GUARD, RING, PATTERN_GUARD);
}

/* Whether events are what they can be, whatever the page says. */

struct sequence {
	__u64 position;
	__u64 lost;
	bool last;
};

static bool sequence_goes_on(struct sequence *sequence, const struct udma_event *event)
{
	const bool last = event->flags & UDMA_EVENT_F_LAST;
	__u64 moved = event->position - sequence->position;

	if (sequence->last || event->user_data != 0xc7c1e)
		return false;
	sequence->position = event->position;
	sequence->lost += event->lost;
	sequence->last = last;
	if (event->type == UDMA_EVENT_PACKET)
		return moved == 1 && event->bytes <= PERIOD && event->count < PERIODS &&
		       !event->lost && (event->position - 1) % PERIODS == event->count;
	if (event->type != UDMA_EVENT_STREAM || (!last && !event->bytes))
		return false;
	/* Of what has moved, and what was about to. */
	return event->bytes == moved && event->count <= moved / PERIOD + 1 &&
	       sequence->lost <= event->position + RING;
}

/* Scribblers */

struct villain {
	struct tally tally;
	pthread_t thread;
	__u64 random;
	struct stream *stream;
	int fd;
};

/* A word that may be believed, or none that may be. */
static __u32 any_word(struct villain *villain, __u32 old)
{
	struct udma_stream_shared *shared = villain->stream->shared;

	switch (below(&villain->random, 8)) {
	case 0:
		return old + 1;
	case 1:
		return old - 1;
	case 2:
		return old + below(&villain->random, 2 * RING);
	case 3:
		return old - below(&villain->random, 2 * RING);
	case 4:
		return shared->hw_position;
	case 5:
		return shared->hw_position + below(&villain->random, RING);
	case 6:
		return below(&villain->random, 2) ? 0 : ~0U;
	default:
		return below(&villain->random, ~0U);
	}
}

static void *scribble(void *data)
{
	struct villain *villain = data;
	__u32 *words = (void *)villain->stream->shared, *word;
	const unsigned int count = page_bytes() / sizeof(*words);

	while (!LOAD(villain->tally.stop)) {
		/* Most of all the one that counts. */
		if (below(&villain->random, 4))
			word = &villain->stream->shared->app_position;
		else
			word = &words[below(&villain->random, count)];
		STORE(*word, any_word(villain, LOAD(*word)));
		ADD(villain->tally.rounds, 1);
	}
	return NULL;
}

/* Of calls none ends otherwise than they may. */
static void *command(void *data)
{
	struct villain *villain = data;
	__u64 position;
	__u32 what;

	while (!LOAD(villain->tally.stop)) {
		what = UDMA_STREAM_PAUSE + below(&villain->random, 3);
		position = 0;
		if (what == UDMA_STREAM_ADVANCE)
			position = below(&villain->random, 2) ?
				   below(&villain->random, 4 * RING) :
				   ~0ULL >> below(&villain->random, 64);
		if (try_control_at(villain->fd, what, position) && errno != ENXIO &&
		    errno != EINVAL)
			FAILED(&villain->tally);
		ADD(villain->tally.rounds, 1);
	}
	return NULL;
}

static int try_villain_start(struct villain *villain, void *(*run)(void *),
			     struct stream *stream, int fd, __u64 random)
{
	*villain = (struct villain) {
		.stream = stream,
		.fd = fd,
		.random = random | 1,
	};
	errno = pthread_create(&villain->thread, NULL, run, villain);
	return errno ? -1 : 0;
}

TEST_F_TIMEOUT(hostile, pages_change_at_any_moment, 7 * 24 * 3600)
{
	const unsigned int rounds = times(1500);
	struct villain scribblers[2], commander;
	struct udma_stream_start start = hostile_start();
	unsigned long events = 0, steps = 0;
	struct udma_event event;
	struct sequence sequence;
	unsigned int i, k;

	must(try_sim_set(&self->sim, "bandwidth", 30 * MIB));
	must(try_stream(&self->stream, self->fd, start));
	must(try_stop(self->fd, &event));
	for (i = 0; i < ARRAY_SIZE(scribblers); i++) {
		must(try_villain_start(&scribblers[i], scribble, &self->stream, self->fd,
				       self->random + i));
	}
	must(try_villain_start(&commander, command, &self->stream, self->fd, self->random + 9));
	for (i = 0; i < rounds; i++) {
		start.flags = below(&self->random, 4) ? 0 : UDMA_STREAM_F_STOP;
		must(try_stream_start(self->fd, &start));
		sequence = (struct sequence) {};
		for (k = below(&self->random, 20); k && !sequence.last; k--) {
			/* It may be at rest, or have no slot. */
			try_control(self->fd, UDMA_STREAM_RESUME);
			if (must(try_read_now(self->fd, &event, 1)) != 1)
				continue;
			events++;
			ASSERT_TRUE(sequence_goes_on(&sequence, &event))
				TH_LOG("type %u, position %llu", event.type, event.position);
		}
		switch (below(&self->random, 4)) {
		case 0:
			try_cancel_all(self->fd);
			break;
		case 1:
			if (variant->filled && !try_control(self->fd, UDMA_STREAM_DRAIN))
				steps++;
		}
		if (!sequence.last && try_control(self->fd, UDMA_STREAM_STOP)) {
			ASSERT_EQ(ENXIO, errno);
		}
		while (!sequence.last) {
			ASSERT_EQ(1, must(try_collect(self->fd, &event, 1)));
			ASSERT_TRUE(sequence_goes_on(&sequence, &event))
				TH_LOG("type %u, position %llu", event.type, event.position);
		}
		ASSERT_TRUE(event.status == 0 || event.status == -EPIPE ||
			    event.status == -ECANCELED || event.status == -EIO)
			TH_LOG("status %d", event.status);
		tells_nothing(self->fd);
	}
	for (i = 0; i < ARRAY_SIZE(scribblers); i++) {
		must(try_tally_end(&scribblers[i].tally, scribblers[i].thread));
	}
	must(try_tally_end(&commander.tally, commander.thread));
	say("%lu events, %lu and %lu words, %lu commands, %lu drained", events,
	    scribblers[0].tally.rounds, scribblers[1].tally.rounds, commander.tally.rounds,
	    steps);
	EXPECT_TRUE(is_guarded(&self->buffer));
	if (variant->filled) {
		/* Nothing is written that is played. */
		EXPECT_EQ(GUARD + RING, pattern_differs(self->buffer.mem, GUARD, GUARD + RING,
							PATTERN_GUARD));
	}
}

/* What the kernel says is the kernel's: it says so again. */
TEST_F(hostile, words_of_the_kernel_are_no_input)
{
	struct udma_stream_shared *shared;
	struct udma_event event = {};
	__u32 app;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_stream(&self->stream, self->fd, hostile_start()));
	shared = self->stream.shared;
	app = shared->app_position;
	memset(shared, 0xa5, page_bytes());
	shared->app_position = app;
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(variant->type ? 1 : PERIOD, event.position);
	EXPECT_EQ(event.position, stream_hw(&self->stream));
	EXPECT_EQ(app, shared->app_position);
	EXPECT_EQ(0, event.lost);
	memset(shared, 0x5a, page_bytes());
	shared->app_position = app;
	must(try_step(&self->sim, 1));
	must(try_collect(self->fd, &event, 1));
	EXPECT_EQ(variant->type ? 2 : 2 * PERIOD, event.position);
	must(try_stop(self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, stream_state(&self->stream));
}

/* Advance with any position: it is one, or it is refused, and nothing goes back. */
TEST_F(hostile, advance_takes_what_can_be)
{
	struct udma_event event = {};
	__u64 position, app = variant->filled, limit;
	unsigned int i, most, refused = 0;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_stream(&self->stream, self->fd, hostile_start()));
	most = variant->type ? 4 : 4 * PERIOD;
	for (i = 0; i < 200; i++) {
		if (i % 10 == 0) {
			must(try_step(&self->sim, 1));
			must(try_collect(self->fd, &event, 1));
			if (app < event.position + (variant->filled ? PERIOD : 0))
				app = stream_app(&self->stream);
		}
		limit = event.position + (variant->filled ? RING : 0);
		position = i % 7 ? app + below(&self->random, most) :
				   ~0ULL >> below(&self->random, 40);
		if (try_control_at(self->fd, UDMA_STREAM_ADVANCE, position)) {
			ASSERT_EQ(EINVAL, errno);
			ASSERT_LT(limit, position);
			refused++;
			continue;
		}
		ASSERT_GE(limit, position);
		if (position > app)
			app = position;
		ASSERT_EQ((__u32)app, stream_app(&self->stream));
	}
	EXPECT_NE(0, refused);
}

/* Positions */

FIXTURE(position)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct stream stream;
};

FIXTURE_SETUP(position)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
	};

	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "step_mode", 1));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc_map(self->fd, RING, &self->buffer));
	must(try_stream(&self->stream, self->fd, cyclic_start(&self->buffer, RING, PERIOD)));
}

FIXTURE_TEARDOWN(position)
{
	if (self->stream.shared)
		works(try_stream_unmap(&self->stream));
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	EXPECT_STREQ("fine", next_owner(&self->sim, UDMA_STREAM_CYCLIC, 0));
	works(try_device_end(&self->sim));
}

/* One that cannot be counts as the one before: so much is lost as if it had not been said. */
TEST_F(position, that_cannot_be_counts_as_the_one_before)
{
	static const __u32 wrong[] = {
		RING + 1, 2 * RING, 1U << 30, 1U << 31, -1U, -PERIOD, PERIOD - 1, 0,
	};
	struct udma_event event = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		must(try_step(&self->sim, 2));
		/* A period is consumed. */
		ASSERT_TRUE(stream_move(&self->stream, 0, PERIOD));
		must(try_control(self->fd, UDMA_STREAM_ADVANCE));
		stream_set_app(&self->stream, wrong[i]);
		must(try_step(&self->sim, PERIODS - 3));
		EXPECT_EQ(0, stream_lost(&self->stream))
			TH_LOG("%x", wrong[i]);
		EXPECT_EQ(wrong[i], stream_app(&self->stream));
		stream_set_app(&self->stream, wrong[i]);
		must(try_step(&self->sim, 1));
		/* What it had not consumed, and no more. */
		EXPECT_EQ(PERIOD, stream_lost(&self->stream))
			TH_LOG("%x", wrong[i]);
		EXPECT_EQ(2 * PERIOD, stream_app(&self->stream));
		must(try_stop(self->fd, &event));
		must(try_stream_start(self->fd, &self->stream.start));
	}
}

/* Two words of the program's own that are right in turn: neither is before the other. */
TEST_F(position, goes_on_only)
{
	unsigned int i;

	must(try_step(&self->sim, 3));
	stream_set_app(&self->stream, 3 * PERIOD);
	must(try_control(self->fd, UDMA_STREAM_ADVANCE));
	for (i = 0; i < 3; i++) {
		/* It has been believed: this is behind it. */
		stream_set_app(&self->stream, i * PERIOD);
		must(try_step(&self->sim, 1));
	}
	EXPECT_EQ(0, stream_lost(&self->stream));
	must(try_step(&self->sim, 4));
	EXPECT_EQ(PERIOD, stream_lost(&self->stream));
	EXPECT_EQ(4 * PERIOD, stream_app(&self->stream));
}

/* Mappings */

static int try_map_page(int fd, __u64 offset, size_t bytes, int prot, int flags)
{
	unsigned char *mem;
	int ret = try_mmap(fd, offset, bytes, prot, flags, &mem);

	if (!ret)
		munmap(mem, bytes);
	return ret;
}

TEST_F(position, has_a_page_where_it_was_said)
{
	const __u64 offset = self->stream.start.out_mmap_offset;
	const size_t page = page_bytes();
	const int both = PROT_READ | PROT_WRITE;
	unsigned char *mem;
	int fd;

	EXPECT_EQ(page, self->stream.start.out_map_bytes);
	fails(EINVAL, try_map_page(self->fd, offset, 2 * page, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset, 1UL << 30, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset, 0, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset + page, page, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset - page, page, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset - page, 2 * page, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset + 1, page, both, MAP_SHARED));
	fails(EINVAL, try_map_page(self->fd, offset, page, both, MAP_PRIVATE));
	fails(EINVAL, try_map_page(self->fd, offset, page, PROT_READ, MAP_PRIVATE));
	fails(EACCES, try_map_page(self->fd, offset, page, PROT_READ | PROT_EXEC, MAP_SHARED));
	must(try_map_page(self->fd, offset, page, PROT_READ, MAP_SHARED));
	must(try_map_page(self->fd, offset, sizeof(*self->stream.shared), both, MAP_SHARED));
	/* What is mapped stays what it is. */
	fails(EACCES, mprotect(self->stream.shared, page, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(self->stream.shared, page, 2 * page, MREMAP_MAYMOVE));
	must(try_mmap(self->fd, offset, page, PROT_READ, MAP_SHARED, &mem));
	must(mprotect(mem, page, both));
	must(munmap(mem, page));
	/* Another file has none before its first stream, and then another one. */
	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	fails(EINVAL, try_map_page(fd, offset, page, both, MAP_SHARED));
	must(close(fd));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
}

TEST_F(position, is_seen_in_all_mappings)
{
	struct udma_stream_shared *other;
	unsigned char *mem;

	must(try_mmap(self->fd, self->stream.start.out_mmap_offset, page_bytes(),
		      PROT_READ | PROT_WRITE, MAP_SHARED, &mem));
	other = (void *)mem;
	must(try_step(&self->sim, 1));
	EXPECT_EQ(self->stream.shared->hw_position, other->hw_position);
	other->app_position += PERIOD;
	EXPECT_EQ(PERIOD, stream_app(&self->stream));
	must(try_stream_unmap(&self->stream));
	must(try_step(&self->sim, 1));
	self->stream.shared = other;
	EXPECT_EQ(2 * PERIOD, stream_hw(&self->stream));
}

/* A child has the page, and so has who was sent the file. */
TEST_F(position, is_a_childs_as_well)
{
	struct udma_event event = {};
	int status;
	pid_t pid;

	must(try_step(&self->sim, 1));
	pid = must(fork());
	if (!pid)
		_exit(stream_hw(&self->stream) != PERIOD ||
		      !stream_move(&self->stream, 0, PERIOD) || try_step(&self->sim, 1) ||
		      stream_hw(&self->stream) != 2 * PERIOD ||
		      try_control_at(self->fd, UDMA_STREAM_ADVANCE, PERIOD + 10));
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* It goes on without the child. */
	EXPECT_EQ(PERIOD + 10, stream_app(&self->stream));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(3 * PERIOD, stream_hw(&self->stream));
	must(try_stop(self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(3 * PERIOD, event.position);
}

TEST_F(position, is_of_who_was_sent_the_file)
{
	struct udma_event event = {};
	int sockets[2], fd;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(try_send_fd(sockets[0], self->fd));
	must(try_stream_unmap(&self->stream));
	must(try_unmap(&self->buffer));
	must(close(self->fd));
	/* It is on its way. */
	must(try_step(&self->sim, 1));
	fd = must(try_receive_fd(sockets[1]));
	must(close(sockets[0]));
	must(close(sockets[1]));
	self->fd = fd;
	self->stream.fd = fd;
	self->stream.shared = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				   self->stream.start.out_mmap_offset);
	ASSERT_NE(MAP_FAILED, self->stream.shared);
	must(try_map(fd, &self->buffer));
	EXPECT_EQ(PERIOD, stream_hw(&self->stream));
	EXPECT_EQ(PERIOD, counting_differs(self->buffer.mem, 0, 0, PERIOD));
	must(try_stop(fd, &event));
	EXPECT_EQ(PERIOD, event.position);
}

TEST_F(position, is_of_each_copy_of_the_file)
{
	struct udma_event event = {};
	int copy = must(dup(self->fd));

	must(close(self->fd));
	self->fd = copy;
	must(try_step(&self->sim, 1));
	must(try_control_at(copy, UDMA_STREAM_ADVANCE, 5));
	EXPECT_EQ(5, stream_app(&self->stream));
	must(try_stop(copy, &event));
	EXPECT_EQ(PERIOD, event.position);
}

/* Two threads that read: each event is one of them's. */
static void *read_until_last(void *data)
{
	struct villain *villain = data;
	struct udma_event event;

	while (!LOAD(villain->tally.stop)) {
		if (try_read(villain->fd, &event, 1) != 1) {
			if (errno != EAGAIN)
				FAILED(&villain->tally);
			continue;
		}
		ADD(villain->tally.ended, event.bytes);
		ADD(villain->tally.rounds, 1);
		if (event.flags & UDMA_EVENT_F_LAST)
			ADD(villain->tally.closed, 1);
	}
	return NULL;
}

TEST_F(position, is_told_to_one_of_two_readers)
{
	struct villain readers[2];
	struct udma_event event = {};
	__u64 end = 0, bytes = 0;
	unsigned int i;

	must(fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	must(try_stop(self->fd, &event));
	must(try_sim_set(&self->sim, "bandwidth", 4 * MIB));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_stream_start(self->fd, &self->stream.start));
	for (i = 0; i < 2; i++) {
		must(try_villain_start(&readers[i], read_until_last, &self->stream, self->fd, i));
	}
	while (LOAD(readers[0].tally.rounds) + LOAD(readers[1].tally.rounds) < 300)
		ASSERT_TRUE(look_again(&end));
	must(try_control(self->fd, UDMA_STREAM_STOP));
	end = 0;
	while (!(LOAD(readers[0].tally.closed) + LOAD(readers[1].tally.closed)))
		ASSERT_TRUE(look_again(&end));
	for (i = 0; i < 2; i++) {
		must(try_tally_end(&readers[i].tally, readers[i].thread));
		bytes += readers[i].tally.ended;
	}
	EXPECT_EQ((__u32)bytes, stream_hw(&self->stream));
	EXPECT_EQ(1, readers[0].tally.closed + readers[1].tally.closed);
	tells_nothing(self->fd);
}

/* The page is not of the device: it stays when that goes, but cannot be mapped any more. */
TEST_F(position, stays_when_the_channel_goes)
{
	must(try_step(&self->sim, 2));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(2 * PERIOD, stream_hw(&self->stream));
	EXPECT_EQ(0, stream_state(&self->stream));
	stream_set_app(&self->stream, PERIOD);
	EXPECT_EQ(PERIOD, stream_app(&self->stream));
	fails(ENODEV, try_map_page(self->fd, self->stream.start.out_mmap_offset, page_bytes(),
				   PROT_READ, MAP_SHARED));
	must(close(self->fd));
	EXPECT_EQ(2 * PERIOD, stream_hw(&self->stream));
	must(try_device_bind(&self->sim, 0));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
}

TEST_HARNESS_MAIN
