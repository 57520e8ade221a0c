// SPDX-License-Identifier: GPL-2.0
/*
 * Devices whose periods come faster than any CPU can tell of them: they are told later, and
 * who wants the CPU gets it meanwhile. They can be stopped as any.
 */
#include <sched.h>

#include "udma_storm.h"
#include "udma_stream.h"
#include "udma_witness.h"

#define CHANNELS	2
#define PERIOD		4096U
#define RING		(8 * PERIOD)

/* The most that the simulator does not leave to a worker: a million periods a second. */
#define RATE		(1000000ULL * PERIOD)

/* One that gets no time at all takes for ever. */
#define SHARE		20

FIXTURE(flood)
{
	struct sim sim;
	int fd[CHANNELS];
	struct buffer ring[CHANNELS];
	struct stream stream[CHANNELS];
};

/* Whether each callback asks where the controller is, which makes more of them due. */
FIXTURE_VARIANT(flood)
{
	const char *granularity;
};

FIXTURE_VARIANT_ADD(flood, by_burst)
{
	.granularity = "burst",
};

FIXTURE_VARIANT_ADD(flood, by_descriptor)
{
	.granularity = "descriptor",
};

FIXTURE_SETUP(flood)
{
	const struct device_config config = {
		.kind = "source",
		.channels = CHANNELS,
		.granularity = variant->granularity,
	};
	unsigned int i;

	must(try_device_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "bandwidth", RATE));
	must(try_sim_set(&self->sim, "instant", 1));
	for (i = 0; i < CHANNELS; i++) {
		self->fd[i] = must(try_sim_open(&self->sim, i, O_RDWR));
		must(try_alloc(self->fd[i], RING, &self->ring[i]));
	}
}

FIXTURE_TEARDOWN(flood)
{
	unsigned int i;

	for (i = 0; i < CHANNELS; i++) {
		if (self->stream[i].shared)
			works(try_stream_unmap(&self->stream[i]));
		works(close(self->fd[i]));
	}
	works(try_sim_rmdir(&self->sim));
}

static int try_flood(struct stream *stream, int fd, const struct buffer *ring)
{
	struct udma_stream_start start = cyclic_start(ring, RING, PERIOD);

	start.event_periods = RING / PERIOD;
	return try_stream(stream, fd, start);
}

/* A device gives more than it gave so far. */
static int try_more(const struct stream *stream)
{
	const __u32 hw = stream_hw(stream);
	__u64 end = 0;

	while (stream_hw(stream) == hw)
		if (!look_again(&end))
			return -1;
	return 0;
}

static __u64 work(unsigned long amount)
{
	const __u64 begin = now_ns();
	unsigned long i;

	for (i = 0; i < amount; i++)
		__asm__ volatile("" : : : "memory");
	return now_ns() - begin;
}

TEST_F(flood, leaves_a_program_its_time)
{
	unsigned long amount = 100000;
	__u64 alone, among;
	unsigned int cpu, i;
	cpu_set_t all, one;

	must(sched_getaffinity(0, sizeof(all), &all));
	while (work(amount) < 20 * 1000 * 1000)
		amount *= 2;
	alone = work(amount);
	for (i = 0; i < CHANNELS; i++)
		must(try_flood(&self->stream[i], self->fd[i], &self->ring[i]));
	/* Wherever they are told. */
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		must(sched_setaffinity(0, sizeof(one), &one));
		among = work(amount);
		say("cpu %u: %llu us, %llu us alone", cpu, (unsigned long long)among / 1000,
		    (unsigned long long)alone / 1000);
		EXPECT_GT(SHARE * alone, among);
		/* And both go on. */
		for (i = 0; i < CHANNELS; i++)
			must(try_more(&self->stream[i]));
	}
}

TEST_F(flood, can_be_stopped)
{
	struct account account;
	unsigned int i, round;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < CHANNELS; i++)
			must(try_flood(&self->stream[i], self->fd[i], &self->ring[i]));
		for (i = 0; i < CHANNELS; i++)
			must(try_more(&self->stream[i]));
		for (i = 0; i < CHANNELS; i++) {
			account = (struct account) {};
			must(try_control(self->fd[i], UDMA_STREAM_STOP));
			must(try_account_end(self->fd[i], &account));
			EXPECT_FALSE(account.wrong);
			EXPECT_EQ(account.last.position, account.bytes);
			EXPECT_EQ(account.lost, stream_lost(&self->stream[i]));
			EXPECT_EQ((__u32)account.bytes, stream_hw(&self->stream[i]));
			must(try_stream_unmap(&self->stream[i]));
			self->stream[i].shared = NULL;
		}
		EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	}
}

/* What was told before a pause may still come, and then it is at rest. */
TEST_F(flood, can_be_paused)
{
	unsigned int round;
	__u64 end = 0;

	must(try_flood(&self->stream[0], self->fd[0], &self->ring[0]));
	for (round = 0; round < 8; round++) {
		must(try_more(&self->stream[0]));
		must(try_control(self->fd[0], UDMA_STREAM_PAUSE));
		must(try_control(self->fd[0], UDMA_STREAM_RESUME));
	}
	must(try_more(&self->stream[0]));
	/* A slow one is told, too, when it has begun anew. */
	must(try_stop(self->fd[0], &(struct udma_event) {}));
	must(try_stream_unmap(&self->stream[0]));
	must(try_sim_set(&self->sim, "bandwidth", 100 * PERIOD));
	must(try_flood(&self->stream[0], self->fd[0], &self->ring[0]));
	while (stream_hw(&self->stream[0]) < 4 * PERIOD)
		ASSERT_TRUE(look_again(&end));
}

/* Settings under way: to a worker, to steps, and back. */
TEST_F(flood, can_be_changed)
{
	unsigned int i, round;

	for (i = 0; i < CHANNELS; i++)
		must(try_flood(&self->stream[i], self->fd[i], &self->ring[i]));
	for (round = 0; round < 8; round++) {
		must(try_more(&self->stream[round % CHANNELS]));
		must(try_sim_set(&self->sim, round % 2 ? "step_mode" : "instant", round % 2));
		must(try_sim_set(&self->sim, "step_mode", 0));
		must(try_sim_set(&self->sim, "instant", 1));
	}
	for (i = 0; i < CHANNELS; i++)
		must(try_more(&self->stream[i]));
}

TEST_F(flood, goes_with_its_file)
{
	unsigned int round;

	for (round = 0; round < 8; round++) {
		must(try_flood(&self->stream[0], self->fd[0], &self->ring[0]));
		must(try_more(&self->stream[0]));
		must(try_stream_unmap(&self->stream[0]));
		self->stream[0].shared = NULL;
		must(close(self->fd[0]));
		must(try_wait_pending(&self->sim, 0));
		self->fd[0] = must(try_sim_open(&self->sim, 0, O_RDWR));
		must(try_alloc(self->fd[0], RING, &self->ring[0]));
	}
}

TEST_F(flood, goes_with_its_channel)
{
	struct account account = {};

	must(try_flood(&self->stream[0], self->fd[0], &self->ring[0]));
	must(try_flood(&self->stream[1], self->fd[1], &self->ring[1]));
	must(try_more(&self->stream[0]));
	must(try_sim_unbind(&self->sim, 0));
	must(try_account_end(self->fd[0], &account));
	EXPECT_EQ(-ENODEV, account.last.status);
	EXPECT_FALSE(account.wrong);
	/* Not the other one. */
	must(try_more(&self->stream[1]));
}

TEST_F(flood, goes_with_its_controller)
{
	struct account account;
	unsigned int i;

	for (i = 0; i < CHANNELS; i++) {
		must(try_flood(&self->stream[i], self->fd[i], &self->ring[i]));
		must(try_more(&self->stream[i]));
	}
	must(try_sim_set(&self->sim, "live", 0));
	for (i = 0; i < CHANNELS; i++) {
		account = (struct account) {};
		must(try_account_end(self->fd[i], &account));
		EXPECT_EQ(-ENODEV, account.last.status);
		EXPECT_FALSE(account.wrong);
	}
}

TEST_HARNESS_MAIN
