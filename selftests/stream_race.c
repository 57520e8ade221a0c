// SPDX-License-Identifier: GPL-2.0
/*
 * Streams that begin, rest and end while others do the same, while programs are killed,
 * files are closed and channels go. Each that has begun ends once, all that it took comes
 * back, and the channel is as good as before.
 *
 * How much of it there is comes from the environment, see udma_storm.h.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udma_recovery.h"
#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define PERIOD	1024U
#define PERIODS	16U
#define RING	(PERIODS * PERIOD)

#define STORM_SECONDS	(7 * 24 * 3600)

FIXTURE(race)
{
	struct unit unit;
	struct sim *sim;
	struct ledger before;
	__u64 random;
};

FIXTURE_VARIANT(race)
{
	const char *kind;
	__u32 type;
	__u64 filled;
	__u64 bandwidth;
	bool no_pause;
};

FIXTURE_VARIANT_ADD(race, capture)
{
	.kind = "source",
	.type = UDMA_STREAM_CYCLIC,
	.bandwidth = 20 * MIB,
};

FIXTURE_VARIANT_ADD(race, capture_as_fast_as_it_can)
{
	.kind = "source",
	.type = UDMA_STREAM_CYCLIC,
	.no_pause = true,
};

FIXTURE_VARIANT_ADD(race, play)
{
	.kind = "sink",
	.type = UDMA_STREAM_CYCLIC,
	.filled = 3 * PERIOD,
	.bandwidth = 20 * MIB,
};

FIXTURE_VARIANT_ADD(race, packets)
{
	.kind = "source",
	.type = UDMA_STREAM_PACKETS,
	.bandwidth = 20 * MIB,
};

FIXTURE_SETUP(race)
{
	const struct device_config config = {
		.kind = variant->kind,
		.channels = 1,
		.no_pause = variant->no_pause,
	};

	self->random = seed();
	say("seed %llx", (unsigned long long)self->random);
	self->sim = &self->unit.sim;
	must(try_sim_mkdir(self->sim));
	must(try_device_configure(self->sim, &config));
	must(try_sim_live(self->sim));
	must(try_unit_bind(&self->unit, self->sim, 0));
	must(try_device_aim(self->sim, 0));
	must(try_sim_set(self->sim, "packet_bytes", 700));
	must(try_sim_set(self->sim, "bandwidth", variant->bandwidth));
	must(try_attr_set(&self->unit, "window", 3));
	self->before = ledger_read(self->sim);
}

/* A whole program: the stream that it has begins, moves, and ends. */
static const char *program_come(const struct sim *sim, __u32 type, __u64 filled)
{
	struct udma_stream_start start;
	struct udma_event event = {};
	struct buffer ring;
	__u64 end = 0;
	int fd;

	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc(fd, RING, &ring))
		return strerror(errno);
	start = cyclic_start(&ring, RING, PERIOD);
	start.type = type;
	start.filled_bytes = filled;
	while (try_stream_start(fd, &start))
		if (errno != EBUSY || !look_again(&end))
			return strerror(errno);
	if (try_collect(fd, &event, 1) != 1 || event.status)
		return "nothing comes";
	if (try_stop(fd, &event) || event.status || close(fd))
		return "it does not end";
	return "fine";
}

FIXTURE_TEARDOWN(race)
{
	works(try_ledger_wait(self->sim, &self->before));
	EXPECT_STREQ("fine", program_come(self->sim, variant->type, variant->filled));
	works(try_ledger_wait(self->sim, &self->before));
	works(try_wait_pending(self->sim, 0));
	works(try_sim_unbind(self->sim, 0));
	works(try_sim_end(self->sim));
}

/* What a thread or a process does its races with. */
struct racer {
	struct tally tally;
	pthread_t thread;
	__u64 random;
	const struct sim *sim;
	int fd;
	struct udma_stream_start start;
};

static struct udma_stream_start racer_start(__u32 handle, __u32 type, __u64 filled)
{
	const struct buffer ring = { .handle = handle };
	struct udma_stream_start start = cyclic_start(&ring, RING, PERIOD);

	start.type = type;
	start.filled_bytes = filled;
	return start;
}

/* Any call of a stream. */
static void call_any(struct racer *racer)
{
	struct udma_stream_start start = racer->start;
	int ret = 0;

	switch (below(&racer->random, 10)) {
	case 0:
	case 1:
	case 2:
		start.flags = below(&racer->random, 4) ? 0 : UDMA_STREAM_F_STOP;
		ret = try_stream_start(racer->fd, &start);
		if (!ret)
			ADD(racer->tally.accepted, 1);
		break;
	case 3:
	case 4:
		ret = try_control(racer->fd, UDMA_STREAM_STOP);
		break;
	case 5:
		ret = try_control(racer->fd, UDMA_STREAM_PAUSE);
		break;
	case 6:
		ret = try_control(racer->fd, UDMA_STREAM_RESUME);
		break;
	case 7:
		ret = try_control(racer->fd, UDMA_STREAM_DRAIN);
		break;
	case 8:
		ret = try_control_at(racer->fd, UDMA_STREAM_ADVANCE,
				     below(&racer->random, 2 * RING));
		break;
	default:
		ret = try_cancel_all(racer->fd) < 0 ? -1 : 0;
	}
	/* Whatever has just begun or ended, and what the kind of stream allows. */
	if (ret && errno != EBUSY && errno != ENXIO && errno != EINVAL && errno != EOPNOTSUPP &&
	    errno != EAGAIN && errno != ENODEV)
		FAILED(&racer->tally);
	ADD(racer->tally.rounds, 1);
}

static void *race_calls(void *data)
{
	struct racer *racer = data;

	while (!LOAD(racer->tally.stop)) {
		call_any(racer);
		if (!below(&racer->random, 8))
			dawdle(&racer->random);
	}
	return NULL;
}

/* Reads all there is, and counts the ends. */
static void *race_reads(void *data)
{
	struct racer *racer = data;
	struct udma_event event;
	__u64 sequence = 0;

	while (!LOAD(racer->tally.stop)) {
		if (try_read(racer->fd, &event, 1) != 1) {
			if (errno == ENODEV)
				break;
			if (errno != EAGAIN)
				FAILED(&racer->tally);
			poll(&(struct pollfd) { .fd = racer->fd, .events = POLLIN }, 1, 10);
			continue;
		}
		/* One ends before the next one begins. */
		errno = EPROTO;
		if (event.sequence < sequence)
			FAILED(&racer->tally);
		sequence = event.sequence + !!(event.flags & UDMA_EVENT_F_LAST);
		ADD(racer->tally.ended, !!(event.flags & UDMA_EVENT_F_LAST));
		ADD(racer->tally.rounds, 1);
	}
	return NULL;
}

static int try_racer_start(struct racer *racer, void *(*run)(void *), const struct racer *like,
			   __u64 random)
{
	*racer = *like;
	racer->random = random | 1;
	errno = pthread_create(&racer->thread, NULL, run, racer);
	return errno ? -1 : 0;
}

#define CALLERS	3

/* Threads that do everything with the streams of one file, and nobody keeps order. */
TEST_F_TIMEOUT(race, threads_that_do_everything, STORM_SECONDS)
{
	const unsigned long rounds = times(30000);
	struct racer callers[CALLERS], reader, like = { .sim = self->sim };
	unsigned long accepted = 0;
	struct buffer ring;
	unsigned int i;
	__u64 end = 0;

	like.fd = must(try_sim_open(self->sim, 0, O_RDWR | O_NONBLOCK));
	must(try_alloc(like.fd, RING, &ring));
	like.start = racer_start(ring.handle, variant->type, variant->filled);
	must(try_racer_start(&reader, race_reads, &like, self->random));
	for (i = 0; i < CALLERS; i++) {
		must(try_racer_start(&callers[i], race_calls, &like, self->random + 1 + i));
	}
	/* Root does not keep out of it. */
	while (LOAD(callers[0].tally.rounds) < rounds) {
		if (!below(&self->random, 20)) {
			must(try_reset(&self->unit));
		} else {
			dawdle(&self->random);
			sched_yield();
		}
	}
	for (i = 0; i < CALLERS; i++) {
		must(try_tally_end(&callers[i].tally, callers[i].thread));
		accepted += callers[i].tally.accepted;
	}
	must(try_cancel_all(like.fd));
	while (LOAD(reader.tally.ended) < accepted)
		ASSERT_TRUE(look_again(&end))
			TH_LOG("%lu of %lu", reader.tally.ended, accepted);
	must(try_tally_end(&reader.tally, reader.thread));
	say("%lu streams, %lu events", accepted, reader.tally.rounds);
	EXPECT_EQ(accepted, reader.tally.ended);
	EXPECT_LT(0, accepted);
	must(close(like.fd));
}

/* A program that lives as long as nobody kills it. */
static void racer_live(struct racer *racer)
{
	struct udma_stream_start start;
	struct udma_event events[8];
	struct buffer ring;
	struct stream stream;
	unsigned int i;
	int fd;

	for (;;) {
		fd = try_sim_open(racer->sim, 0, O_RDWR | O_NONBLOCK);
		/* The one before may have the ring still. */
		if (fd < 0 || try_alloc_map(fd, RING, &ring)) {
			close(fd);
			continue;
		}
		start = racer->start;
		start.handle = ring.handle;
		if (try_stream(&stream, fd, start)) {
			try_unmap(&ring);
			close(fd);
			continue;
		}
		racer->fd = fd;
		racer->start = start;
		for (i = below(&racer->random, 30); i; i--) {
			ADD(racer->tally.rounds, 1);
			stream_set_app(&stream, stream_hw(&stream) + start.filled_bytes);
			call_any(racer);
			try_read(fd, events, 8);
		}
		/* Sometimes the process holds it only by what is mapped. */
		close(fd);
		try_stream_unmap(&stream);
		try_unmap(&ring);
	}
}

TEST_F_TIMEOUT(race, programs_that_are_killed, STORM_SECONDS)
{
	const unsigned int kills = times(300);
	struct racer *racer;
	unsigned int i;
	int status;
	pid_t pid;

	racer = mmap(NULL, sizeof(*racer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT_NE(MAP_FAILED, racer);
	for (i = 0; i < kills; i++) {
		__u64 end = 0;

		*racer = (struct racer) {
			.sim = self->sim,
			.random = self->random + i,
			.start = racer_start(0, variant->type, variant->filled),
		};
		racer->random |= 1;
		pid = must(fork());
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			racer_live(racer);
		}
		while (LOAD(racer->tally.rounds) < below(&self->random, 40) + 1)
			ASSERT_TRUE(look_again(&end));
		dawdle(&self->random);
		must(kill(pid, SIGKILL));
		must(waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, racer->tally.line)
			TH_LOG("%s", strerror(racer->tally.error));
		if (i % 10 == 0) {
			must(try_ledger_wait(self->sim, &self->before));
		}
	}
	must(munmap(racer, sizeof(*racer)));
}

/* The channel goes, by root's word or with its controller, and comes again. */
TEST_F_TIMEOUT(race, channels_that_go, STORM_SECONDS)
{
	const unsigned int unbinds = times(200);
	struct racer callers[2], reader, like = { .sim = self->sim };
	struct buffer ring;
	struct stream stream;
	unsigned int i, k;
	bool mapped;

	for (i = 0; i < unbinds; i++) {
		like.fd = must(try_sim_open(self->sim, 0, O_RDWR | O_NONBLOCK));
		must(try_alloc(like.fd, RING, &ring));
		like.start = racer_start(ring.handle, variant->type, variant->filled);
		must(try_stream(&stream, like.fd, like.start));
		mapped = i % 2;
		if (!mapped) {
			must(try_stream_unmap(&stream));
		}
		must(try_racer_start(&reader, race_reads, &like, self->random + i));
		for (k = 0; k < ARRAY_SIZE(callers); k++) {
			must(try_racer_start(&callers[k], race_calls, &like,
					     self->random + 5 * i + k));
		}
		dawdle(&self->random);
		if (i % 3) {
			must(try_sim_unbind(self->sim, 0));
		} else {
			must(try_sim_set(self->sim, "live", 0));
		}
		for (k = 0; k < ARRAY_SIZE(callers); k++) {
			must(try_tally_end(&callers[k].tally, callers[k].thread));
		}
		/* It has read until there was nothing any more. */
		errno = pthread_join(reader.thread, NULL);
		ASSERT_EQ(0, errno);
		ASSERT_EQ(0, reader.tally.line)
			TH_LOG("%s", strerror(reader.tally.error));
		EXPECT_EQ(1 + callers[0].tally.accepted + callers[1].tally.accepted,
			  reader.tally.ended);
		if (mapped) {
			EXPECT_EQ(0, stream_state(&stream));
			must(try_stream_unmap(&stream));
		}
		must(close(like.fd));
		if (i % 3 == 0) {
			must(try_sim_live(self->sim));
		}
		must(try_unit_bind(&self->unit, self->sim, 0));
		must(try_device_aim(self->sim, 0));
		must(try_attr_set(&self->unit, "window", 3));
	}
}

/* Files that are closed at any moment of a stream, and the next one begins at once. */
TEST_F_TIMEOUT(race, files_that_are_closed, STORM_SECONDS)
{
	const unsigned int closes = times(1500);
	struct udma_stream_start start;
	struct buffer ring;
	unsigned int i, busy = 0;
	__u64 end;
	int fd;

	for (i = 0; i < closes; i++) {
		fd = must(try_sim_open(self->sim, 0, O_RDWR));
		must(try_alloc(fd, RING, &ring));
		start = racer_start(ring.handle, variant->type, variant->filled);
		end = 0;
		while (try_stream_start(fd, &start)) {
			ASSERT_EQ(EBUSY, errno);
			ASSERT_TRUE(look_again(&end));
			busy++;
		}
		if (below(&self->random, 2))
			dawdle(&self->random);
		if (!variant->no_pause && !below(&self->random, 3))
			try_control(fd, UDMA_STREAM_PAUSE);
		if (!below(&self->random, 3)) {
			must(try_free(fd, ring.handle));
		}
		if (!below(&self->random, 4))
			try_control(fd, UDMA_STREAM_STOP);
		must(close(fd));
	}
	say("%u closed, busy %u times", closes, busy);
}

/* Root changes what can be changed while a stream is there, and is refused the rest. */
TEST_F(race, roots_settings_hold_while_there_is_a_stream)
{
	struct udma_stream_start start;
	struct udma_event event = {};
	struct buffer ring;
	unsigned int i;
	int fd = must(try_sim_open(self->sim, 0, O_RDWR));

	must(try_alloc(fd, RING, &ring));
	start = racer_start(ring.handle, variant->type, variant->filled);
	for (i = 0; i < 20; i++) {
		must(try_stream_start(fd, &start));
		must(try_collect(fd, &event, 1));
		fails(EBUSY, try_attr_write(&self->unit, "direction", "none"));
		fails(EBUSY, try_attr_write(&self->unit, "address", "0x1000"));
		fails(EBUSY, try_attr_set(&self->unit, "width", 4));
		fails(EBUSY, try_attr_set(&self->unit, "burst", 4));
		must(try_attr_set(&self->unit, "window", 1 + i % 8));
		must(try_attr_set(&self->unit, "stall_ms", 60000));
		must(try_attr_set(&self->unit, "stall_ms", 0));
		must(try_stop(fd, &event));
		EXPECT_EQ(0, event.status);
	}
	must(close(fd));
}

TEST_HARNESS_MAIN
