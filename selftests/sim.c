// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator itself: its attributes, going live and back, steps, failures,
 * and that its time is honest. Every other test relies on it.
 */
#include <signal.h>
#include <sys/wait.h>

#include "udma_sim.h"
#include "udma_sleeper.h"

/* A directory that is not live yet */

FIXTURE(directory)
{
	struct sim sim;
};

FIXTURE_SETUP(directory)
{
	must(try_sim_mkdir(&self->sim));
}

FIXTURE_TEARDOWN(directory)
{
	works(try_sim_rmdir(&self->sim));
}

static const struct attribute {
	const char *name;
	__u64 value;		/* without being set */
	__u64 min;
	__u64 max;
	bool is_fixed;		/* while live */
} attributes[] = {
	{ "channels",		4, 1, 32, true },
	{ "max_segment",	0x7fffffff, 1, 0xffffffff, true },
	{ "align",		1, 1, 256, true },
	{ "depth",		256, 1, 65536, true },
	{ "fill",		1, 0, 1, true },
	{ "latency_ns",		0, 0, 3600000000000ULL, false },
	{ "bandwidth",		0, 0, 1000000000000ULL, false },
	{ "fail_at",		0, 0, 0x7fffffff, false },
	{ "step_mode",		0, 0, 1, false },
};

static const struct attribute *const last = attributes + ARRAY_SIZE(attributes);

TEST_F(directory, has_the_defaults)
{
	const struct attribute *attribute;
	char device[64];

	for (attribute = attributes; attribute < last; attribute++) {
		EXPECT_EQ(attribute->value,
			  sim_get(&self->sim, attribute->name))
			TH_LOG("%s", attribute->name);
	}
	EXPECT_EQ(0, sim_get(&self->sim, "live"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(0, sim_get(&self->sim, "ended"));
	fails(ENODEV, try_sim_read(&self->sim, "dev_name", device,
				   sizeof(device)));
}

TEST_F(directory, takes_what_is_in_range)
{
	const struct attribute *attribute;

	for (attribute = attributes; attribute < last; attribute++) {
		must(try_sim_set(&self->sim, attribute->name, attribute->max));
		EXPECT_EQ(attribute->max,
			  sim_get(&self->sim, attribute->name))
			TH_LOG("%s", attribute->name);
		must(try_sim_set(&self->sim, attribute->name, attribute->min));
		EXPECT_EQ(attribute->min,
			  sim_get(&self->sim, attribute->name))
			TH_LOG("%s", attribute->name);
	}
}

TEST_F(directory, refuses_what_is_out_of_range)
{
	const struct attribute *attribute;

	for (attribute = attributes; attribute < last; attribute++) {
		if (attribute->min > 0) {
			fails(ERANGE, try_sim_set(&self->sim, attribute->name,
						  attribute->min - 1))
				TH_LOG("%s", attribute->name);
		}
		/* As much bandwidth as there are numbers. */
		if (strcmp(attribute->name, "bandwidth")) {
			fails(ERANGE, try_sim_set(&self->sim, attribute->name,
						  attribute->max + 1))
				TH_LOG("%s", attribute->name);
		}
		fails(ERANGE, try_sim_write(&self->sim, attribute->name,
					    "99999999999999999999999"))
			TH_LOG("%s", attribute->name);
		EXPECT_EQ(attribute->value,
			  sim_get(&self->sim, attribute->name))
			TH_LOG("%s", attribute->name);
	}
	fails(ERANGE, try_sim_set(&self->sim, "live", 2));
}

TEST_F(directory, refuses_what_is_no_number)
{
	static const char * const texts[] = {
		"x", "1x", "-1", "0x", " ", "\n", "1 2", "1.5", "yes",
	};
	const struct attribute *attribute;
	unsigned int i;

	for (attribute = attributes; attribute < last; attribute++) {
		for (i = 0; i < ARRAY_SIZE(texts); i++) {
			fails(EINVAL, try_sim_write(&self->sim, attribute->name,
						    texts[i]))
				TH_LOG("%s: '%s'", attribute->name, texts[i]);
		}
		EXPECT_EQ(attribute->value,
			  sim_get(&self->sim, attribute->name));
	}
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		fails(EINVAL, try_sim_write(&self->sim, "live", texts[i]))
			TH_LOG("live: '%s'", texts[i]);
		fails(EINVAL, try_sim_write(&self->sim, "step", texts[i]))
			TH_LOG("step: '%s'", texts[i]);
	}
}

TEST_F(directory, takes_numbers_as_they_are_written_in_c)
{
	must(try_sim_write(&self->sim, "max_segment", "0x1000\n"));
	EXPECT_EQ(4096, sim_get(&self->sim, "max_segment"));
	must(try_sim_write(&self->sim, "max_segment", "8192"));
	EXPECT_EQ(8192, sim_get(&self->sim, "max_segment"));
}

TEST_F(directory, takes_powers_of_two_for_align)
{
	unsigned int align;

	for (align = 1; align <= 256; align++) {
		fails(align & (align - 1) ? EINVAL : 0,
		      try_sim_set(&self->sim, "align", align))
			TH_LOG("%u", align);
	}
}

TEST_F(directory, has_attributes_for_one_direction_only)
{
	char text[8];

	fails(EACCES, try_sim_set(&self->sim, "pending", 0));
	fails(EACCES, try_sim_set(&self->sim, "ended", 0));
	fails(EACCES, try_sim_set(&self->sim, "dev_name", 0));
	fails(EACCES, try_sim_read(&self->sim, "step", text, sizeof(text)));
}

TEST_F(directory, cannot_be_stepped)
{
	fails(ENODEV, try_step(&self->sim, 1));
	must(try_sim_set(&self->sim, "step_mode", 1));
	fails(ENODEV, try_step(&self->sim, 0));
}

TEST_F(directory, of_an_impossible_controller)
{
	must(try_sim_set(&self->sim, "align", 64));
	must(try_sim_set(&self->sim, "max_segment", 63));
	fails(EINVAL, try_sim_set(&self->sim, "live", 1));
	EXPECT_EQ(0, sim_get(&self->sim, "live"));
	/* It can be put right. */
	must(try_sim_set(&self->sim, "max_segment", 64));
	must(try_sim_set(&self->sim, "live", 1));
}

TEST_F(directory, cannot_be_made_twice)
{
	char path[128];

	sim_path(&self->sim, "", path, sizeof(path));
	fails(EEXIST, mkdir(path, 0755));
}

/* Live controllers */

static bool device_exists(const char *device)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%.63s", device);
	return access(path, F_OK) == 0;
}

/* How many channels of a device dmaengine has. */
static int count_channels(const char *name)
{
	char path[300], target[256], *last;
	struct dirent *entry;
	ssize_t length;
	int count = 0;
	DIR *dir;

	dir = opendir("/sys/class/dma");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/dma/%s/device",
			 entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		last = strrchr(target, '/');
		count += last && !strcmp(last + 1, name);
	}
	closedir(dir);
	return count;
}

TEST_F(directory, goes_live_and_back)
{
	char device[64];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		must(try_sim_live(&self->sim));
		EXPECT_EQ(1, sim_get(&self->sim, "live"));
		EXPECT_TRUE(device_exists(self->sim.device));
		EXPECT_EQ(4, count_channels(self->sim.device));
		must(try_sim_set(&self->sim, "live", 0));
		EXPECT_EQ(0, sim_get(&self->sim, "live"));
		EXPECT_FALSE(device_exists(self->sim.device));
		fails(ENODEV, try_sim_read(&self->sim, "dev_name", device,
					   sizeof(device)));
	}
}

TEST_F(directory, goes_live_once)
{
	must(try_sim_live(&self->sim));
	fails(EBUSY, try_sim_set(&self->sim, "live", 1));
	EXPECT_EQ(1, sim_get(&self->sim, "live"));
	must(try_sim_set(&self->sim, "live", 0));
	must(try_sim_set(&self->sim, "live", 0));
}

TEST_F(directory, fixes_what_a_device_does_not_change)
{
	const struct attribute *attribute;
	__u64 value;

	must(try_sim_live(&self->sim));
	for (attribute = attributes; attribute < last; attribute++) {
		value = attribute->value == 1 ? attribute->max : 1;
		fails(attribute->is_fixed ? EBUSY : 0,
		      try_sim_set(&self->sim, attribute->name, value))
			TH_LOG("%s", attribute->name);
		EXPECT_EQ(attribute->is_fixed ? attribute->value : value,
			  sim_get(&self->sim, attribute->name))
			TH_LOG("%s", attribute->name);
	}
	/* A bad value is a bad value all the same. */
	fails(ERANGE, try_sim_set(&self->sim, "channels", 33));

	must(try_sim_set(&self->sim, "live", 0));
	must(try_sim_set(&self->sim, "channels", 2));
	EXPECT_EQ(1, sim_get(&self->sim, "latency_ns"));
}

TEST_F(directory, has_as_many_channels_as_it_says)
{
	const unsigned int channels[] = { 1, 2, 32 };
	char spec[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(channels); i++) {
		must(try_sim_set(&self->sim, "channels", channels[i]));
		must(try_sim_live(&self->sim));
		EXPECT_EQ(channels[i], count_channels(self->sim.device));
		must(try_sim_bind(&self->sim, channels[i] - 1));
		snprintf(spec, sizeof(spec), "%s:%u", self->sim.device,
			 channels[i]);
		fails(ENODEV, try_bind(spec));
		must(try_sim_unbind(&self->sim, channels[i] - 1));
		must(try_sim_set(&self->sim, "live", 0));
	}
}

TEST(several_controllers_at_once)
{
	static const struct sim_config config = { .channels = 1 };
	struct sim sims[10];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sims); i++) {
		must(try_sim_make(&sims[i], &config));
		for (j = 0; j < i; j++)
			EXPECT_STRNE(sims[j].device, sims[i].device);
	}
	for (i = 0; i < ARRAY_SIZE(sims); i++)
		must(try_sim_end(&sims[i]));
}

TEST(directory_that_is_removed_while_live)
{
	static const struct sim_config config;
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_sim_rmdir(&sim));
	EXPECT_FALSE(device_exists(sim.device));
	EXPECT_EQ(0, count_channels(sim.device));
}

TEST(directory_that_is_removed_while_in_use)
{
	static const struct sim_config config;
	struct udma_event event;
	struct buffer buffer;
	struct sim sim;
	int fd;

	fd = must(try_sim_start(&sim, &config));
	must(try_sim_set(&sim, "step_mode", 1));
	must(try_alloc(fd, 4096, &buffer));
	must(try_submit_one(fd, fill_request(&buffer, 0, 64, 1)));
	must(try_sim_rmdir(&sim));
	EXPECT_FALSE(device_exists(sim.device));
	EXPECT_EQ(1, try_read(fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	fails(ENODEV, try_read(fd, &event, 1));
	must(close(fd));
}

TEST(the_one_that_is_there_from_the_start)
{
	struct sim sim = { .name = "default" };

	EXPECT_EQ(1, sim_get(&sim, "live"));
	EXPECT_EQ(4, sim_get(&sim, "channels"));
	must(try_sim_read(&sim, "dev_name", sim.device, sizeof(sim.device)));
	EXPECT_TRUE(device_exists(sim.device));
	EXPECT_EQ(4, count_channels(sim.device));
	fails(EPERM, try_sim_rmdir(&sim));
}

/* A controller at work, by two of its channels */

struct user {
	int fd;
	struct udma_request fill;
};

FIXTURE(work)
{
	struct sim sim;
	struct user users[2];
};

static int try_user_start(struct user *user, const struct sim *sim,
			  unsigned int channel)
{
	struct buffer buffer;

	if (try_sim_bind(sim, channel))
		return -1;
	user->fd = try_sim_open(sim, channel, O_RDWR);
	if (user->fd < 0 || try_alloc(user->fd, MIB, &buffer))
		return -1;
	user->fill = fill_request(&buffer, 0, 64, 1);
	return 0;
}

FIXTURE_SETUP(work)
{
	static const struct sim_config config = { .channels = 2 };

	must(try_sim_make(&self->sim, &config));
	must(try_user_start(&self->users[0], &self->sim, 0));
	must(try_user_start(&self->users[1], &self->sim, 1));
}

FIXTURE_TEARDOWN(work)
{
	works(close(self->users[0].fd));
	works(close(self->users[1].fd));
	works(try_sim_rmdir(&self->sim));
}

static int try_submit_user(const struct user *user)
{
	return try_submit_all(user->fd, &user->fill, 1);
}

static int try_run_user(const struct user *user, struct udma_event *event)
{
	return try_run(user->fd, user->fill, event);
}

static int count_events(const struct user *user)
{
	struct udma_event events[64];

	return try_read_now(user->fd, events, ARRAY_SIZE(events));
}

TEST_F(work, is_counted)
{
	struct udma_event event;
	unsigned int i;

	for (i = 0; i < 5; i++)
		must(try_run_user(&self->users[0], &event));
	for (i = 0; i < 3; i++)
		must(try_run_user(&self->users[1], &event));
	/* Its end is counted right after the callback, which has sent the event. */
	for (i = 0; i < LOOKS && sim_get(&self->sim, "ended") != 8; i++)
		sched_yield();
	EXPECT_EQ(8, sim_get(&self->sim, "ended"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

/* Steps */

TEST_F(work, cannot_be_stepped_without_step_mode)
{
	fails(EINVAL, try_step(&self->sim, 1));
	fails(EINVAL, try_step(&self->sim, 0));
}

TEST_F(work, is_done_by_steps)
{
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 6; i++)
		must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 6));
	EXPECT_EQ(0, count_events(&self->users[0]));

	must(try_step(&self->sim, 1));
	EXPECT_EQ(5, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
	EXPECT_EQ(1, count_events(&self->users[0]));

	must(try_step(&self->sim, 3));
	EXPECT_EQ(2, sim_get(&self->sim, "pending"));
	EXPECT_EQ(3, count_events(&self->users[0]));

	must(try_step(&self->sim, 0));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(6, sim_get(&self->sim, "ended"));
	EXPECT_EQ(2, count_events(&self->users[0]));

	/* All of nothing is nothing to wait for. */
	must(try_step(&self->sim, 0));
}

TEST_F(work, is_done_in_the_order_of_its_coming)
{
	const unsigned int order[] = { 0, 1, 1, 0, 1, 0, 0, 1 };
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		must(try_submit_user(&self->users[order[i]]));
		must(try_wait_pending(&self->sim, i + 1));
	}
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		must(try_step(&self->sim, 1));
		EXPECT_EQ(1, count_events(&self->users[order[i]]))
			TH_LOG("%u", i);
		EXPECT_EQ(0, count_events(&self->users[!order[i]]))
			TH_LOG("%u", i);
	}
}

TEST_F(work, goes_on_when_step_mode_ends)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 4; i++)
		must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 4));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_collect(self->users[0].fd, events, 4));
}

struct stepper {
	struct sleeper sleeper;
	const struct sim *sim;
	unsigned int count;
};

static long step(void *data)
{
	struct stepper *stepper = data;

	return try_step(stepper->sim, stepper->count);
}

/* Start a step that has to wait. */
static int try_stepper_start(struct stepper *stepper, const struct sim *sim,
			     unsigned int count)
{
	*stepper = (struct stepper) {
		.sim = sim,
		.count = count,
	};
	return try_sleeper_start(&stepper->sleeper, step, stepper, SYS_write);
}

TEST_F(work, is_waited_for_by_a_step)
{
	struct stepper stepper;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_user(&self->users[0]));
	must(try_stepper_start(&stepper, &self->sim, 3));
	must(try_submit_user(&self->users[1]));
	must(try_submit_user(&self->users[0]));
	must(try_sleeper_join(&stepper.sleeper));
	EXPECT_EQ(0, stepper.sleeper.error);
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
	EXPECT_EQ(2, count_events(&self->users[0]));
	EXPECT_EQ(1, count_events(&self->users[1]));
}

TEST_F(work, that_never_comes_ends_with_step_mode)
{
	struct stepper stepper;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_stepper_start(&stepper, &self->sim, 1));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_sleeper_join(&stepper.sleeper));
	EXPECT_EQ(ECANCELED, stepper.sleeper.error);
}

TEST_F(work, that_never_comes_ends_with_the_controller)
{
	struct stepper stepper;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_stepper_start(&stepper, &self->sim, 1));
	must(try_sim_set(&self->sim, "live", 0));
	must(try_sleeper_join(&stepper.sleeper));
	EXPECT_EQ(ENODEV, stepper.sleeper.error);
}

TEST_F(work, that_never_comes_does_not_keep_a_program_from_being_killed)
{
	int status;
	pid_t pid;

	must(try_sim_set(&self->sim, "step_mode", 1));
	pid = must(fork());
	if (pid == 0) {
		try_step(&self->sim, 1);
		_exit(1);
	}
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* And the next step is not in its way. */
	must(try_step(&self->sim, 0));
}

TEST_F(work, that_was_taken_back_does_not_count)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[1]));
	must(try_wait_pending(&self->sim, 2));
	/* The channel goes, and with it what it had been given. */
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, count_events(&self->users[1]));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

/* Failures */

TEST_F(work, fails_when_told)
{
	struct udma_event event;
	unsigned int i;

	must(try_sim_set(&self->sim, "fail_at", 4));
	for (i = 1; i <= 8; i++) {
		/* It counts what comes, in whatever channel. */
		must(try_run_user(&self->users[i % 2], &event));
		EXPECT_EQ(i == 4 ? -EIO : 0, event.status)
			TH_LOG("%u", i);
		EXPECT_EQ(i < 4 ? 4 - i : 0, sim_get(&self->sim, "fail_at"));
	}
}

TEST_F(work, does_not_fail_when_told_otherwise)
{
	struct udma_event event;
	unsigned int i;

	must(try_sim_set(&self->sim, "fail_at", 2));
	must(try_run_user(&self->users[0], &event));
	must(try_sim_set(&self->sim, "fail_at", 0));
	for (i = 0; i < 4; i++) {
		must(try_run_user(&self->users[0], &event));
		EXPECT_EQ(0, event.status);
	}
}

TEST_F(work, fails_by_steps_too)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "fail_at", 2));
	must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[0]));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, must(try_read_now(self->users[0].fd, &event, 1)));
	EXPECT_EQ(0, event.status);
	must(try_step(&self->sim, 1));
	ASSERT_EQ(1, must(try_read_now(self->users[0].fd, &event, 1)));
	EXPECT_EQ(-EIO, event.status);
}

/* Time */

#define MS	1000000ULL

TEST_F(work, takes_its_latency)
{
	const __u64 latencies[] = { 1 * MS, 5 * MS, 40 * MS };
	struct udma_event event;
	__u64 before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(latencies); i++) {
		must(try_sim_set(&self->sim, "latency_ns", latencies[i]));
		before = now_ns();
		must(try_run_user(&self->users[0], &event));
		EXPECT_LE(before + latencies[i], event.timestamp_ns);
	}
}

TEST_F(work, takes_its_latency_for_each_in_turn)
{
	struct udma_event events[5];
	unsigned int i;
	__u64 before;

	must(try_sim_set(&self->sim, "latency_ns", 5 * MS));
	before = now_ns();
	for (i = 0; i < 5; i++)
		must(try_submit_user(&self->users[0]));
	must(try_collect(self->users[0].fd, events, 5));
	for (i = 0; i < 5; i++)
		EXPECT_LE(before + (i + 1) * 5 * MS, events[i].timestamp_ns);
}

TEST_F(work, takes_the_time_of_its_bandwidth)
{
	const __u64 bandwidths[] = { 10000000, 50000000 };
	struct udma_event event;
	__u64 before;
	unsigned int i;

	self->users[0].fill.bytes = MIB;
	for (i = 0; i < ARRAY_SIZE(bandwidths); i++) {
		must(try_sim_set(&self->sim, "bandwidth", bandwidths[i]));
		before = now_ns();
		must(try_run_user(&self->users[0], &event));
		EXPECT_LE(before + MIB * 1000 * MS / bandwidths[i],
			  event.timestamp_ns);
	}
}

TEST_F(work, of_one_channel_does_not_wait_for_that_of_another)
{
	struct udma_event events[8], other;
	unsigned int i;

	/* One after the other it would be the ninth. */
	must(try_sim_set(&self->sim, "latency_ns", 50 * MS));
	for (i = 0; i < ARRAY_SIZE(events); i++)
		must(try_submit_user(&self->users[0]));
	must(try_run_user(&self->users[1], &other));
	must(try_collect(self->users[0].fd, events, ARRAY_SIZE(events)));
	EXPECT_LT(other.timestamp_ns, events[7].timestamp_ns);
}

TEST_F(work, that_is_slow_can_be_taken_away)
{
	struct udma_event event;

	/* Nobody would wait for this. */
	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(1, try_read(self->users[0].fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	EXPECT_EQ(0, event.bytes);
}

TEST_F(work, in_the_middle_can_be_taken_away)
{
	struct udma_event event;

	/* A mebibyte in a hundred seconds. */
	must(try_sim_set(&self->sim, "bandwidth", 10000));
	self->users[0].fill.bytes = MIB;
	must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(1, try_read(self->users[0].fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	EXPECT_GT(MIB, event.bytes);
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_EXACT);
}

TEST_HARNESS_MAIN
