// SPDX-License-Identifier: GPL-2.0
/*
 * A long capture: the source gives as fast as the CPU can write, another thread reads
 * meanwhile, and of 100,000 periods, or a tenth of that (see udma_storm.h), no byte is lost
 * or wrong. Who lets the source go on never lets it come round to what has not been read,
 * however little of the processors either gets. So what is lost is lost by the driver.
 */
#include <endian.h>
#include <semaphore.h>

#include "udma_device.h"
#include "udma_storm.h"
#include "udma_witness.h"

#define PERIOD	4096U
#define RING	1024U		/* 4 MiB, the most that can be had in one piece everywhere */
#define ROOM	(RING - 2)	/* neither what is being written is to be read, nor what is next */
#define STEPS	73U		/* periods that the source gives at a time; ROOM is a multiple */
#define PERIODS	100000U
/* So that the pattern begins anew on the way. */
#define FIRST	0xffff0000U
/* For as long as it takes. */
#define LONG_SECONDS	(7 * 24 * 3600)

/* Who lets the source go on */
struct giver {
	const struct sim *sim;
	unsigned int periods;	/* how many there are to be */
	sem_t room;		/* how often it may go on */
	pthread_t thread;
	int error;		/* why it could not */
};

FIXTURE(capture)
{
	struct sim sim;
	int fd;
	struct buffer ring;
	struct stream stream;
	struct giver giver;
};

FIXTURE_SETUP(capture)
{
	static const struct device_config config = {
		.kind = "source",
		.channels = 1,
		.pattern_first = "0xffff0000",
	};

	self->giver.sim = &self->sim;
	self->giver.periods = times(PERIODS);
	must(try_device_make(&self->sim, &config));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_alloc_map(self->fd, RING * PERIOD, &self->ring));
	must(sem_init(&self->giver.room, 0, ROOM / STEPS));
}

FIXTURE_TEARDOWN(capture)
{
	works(try_unmap(&self->ring));
	works(close(self->fd));
	works(try_device_end(&self->sim));
	works(sem_destroy(&self->giver.room));
}

static unsigned int least_of(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static void *give(void *data)
{
	struct giver *giver = data;
	unsigned int done, steps;

	for (done = 0; done < giver->periods; done += steps) {
		steps = least_of(STEPS, giver->periods - done);
		while (sem_wait(&giver->room))
			;
		if (try_step(giver->sim, steps)) {
			giver->error = errno;
			break;
		}
	}
	return NULL;
}

/* Where the first word is that does not count on from @first; @count if there is none. */
static size_t words_differ(const __u32 *words, __u32 first, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (le32toh(words[i]) != first + (__u32)i)
			break;
	return i;
}

/* The same of what is in the ring, in whole periods. */
static size_t ring_differs(const struct buffer *ring, __u64 from, __u64 to)
{
	__u64 at;

	for (at = from; at < to; at += PERIOD)
		if (words_differ((const void *)(ring->mem + at % ring->bytes), FIRST + at / 4,
				 PERIOD / 4) != PERIOD / 4)
			break;
	return at;
}

/* Read until so much has come: how far it is then, or 0 when something is wrong. */
static __u64 come_to(struct stream *stream, __u64 position, __u64 wanted, __u64 *told)
{
	struct udma_event events[16];
	__u64 hw = position;
	int count, i;

	while (hw < wanted) {
		if (!(try_wait_for(stream->fd, POLLIN) & POLLIN))
			return 0;
		count = try_read(stream->fd, events, 16);
		for (i = 0; i < count; i++) {
			*told += events[i].bytes;
			if (events[i].flags != UDMA_EVENT_F_EXACT || events[i].lost ||
			    events[i].position != *told) {
				say("flags %x, lost %llu, position %llu, told %llu",
				    events[i].flags, (unsigned long long)events[i].lost,
				    (unsigned long long)events[i].position,
				    (unsigned long long)*told);
				return 0;
			}
		}
		hw = position + (__u32)(stream_hw(stream) - (__u32)position);
	}
	return hw >= *told ? hw : 0;
}

/* By turns it takes what there is, and waits until there is no room for more. */
TEST_F_TIMEOUT(capture, loses_nothing_however_long, LONG_SECONDS)
{
	const __u64 bytes = (__u64)self->giver.periods * PERIOD;
	__u64 position = 0, told = 0, given = 0, wanted, hw;
	struct udma_event event;
	bool full = false;

	must(try_stream(&self->stream, self->fd, cyclic_start(&self->ring, RING * PERIOD, PERIOD)));
	ASSERT_EQ(0, pthread_create(&self->giver.thread, NULL, give, &self->giver));

	for (; position < bytes; position = hw) {
		for (; given + STEPS * PERIOD <= position; given += STEPS * PERIOD) {
			must(sem_post(&self->giver.room));
		}
		wanted = full ? given + ROOM * PERIOD : position + PERIOD;
		full = !full;
		hw = come_to(&self->stream, position, wanted < bytes ? wanted : bytes, &told);
		ASSERT_NE(0, hw);
		ASSERT_EQ(hw, ring_differs(&self->ring, position, hw));
		ASSERT_TRUE(stream_move(&self->stream, position, hw));
	}

	ASSERT_EQ(0, pthread_join(self->giver.thread, NULL));
	EXPECT_EQ(0, self->giver.error);
	must(try_stop(self->fd, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(bytes, event.position);
	EXPECT_EQ(0, self->stream.shared->lost);
	EXPECT_EQ(0, self->stream.shared->overruns);
	must(try_stream_unmap(&self->stream));
}

TEST_HARNESS_MAIN
