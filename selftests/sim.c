// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator itself: its attributes, going live and back, steps, failures,
 * and that its time is honest. Every other test relies on it.
 */
#include <signal.h>
#include <stdlib.h>
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
	{ "instant",		0, 0, 1, false },
	{ "fail_at",		0, 0, 0x7fffffff, false },
	{ "step_mode",		0, 0, 1, false },
	{ "short_at",		0, 0, 0x7fffffff, false },
	{ "lose_at",		0, 0, 0x7fffffff, false },
	{ "late_at",		0, 0, 0x7fffffff, false },
	{ "hang_at",		0, 0, 0x7fffffff, false },
	{ "refuse_at",		0, 0, 0x7fffffff, false },
	{ "submit_fail_at",	0, 0, 0x7fffffff, false },
	{ "refuse",		0, 0, 1, false },
	{ "sleep_full",		0, 0, 1, false },
	{ "inline",		0, 0, 1, false },
	{ "batch",		0, 0, 65536, false },
	{ "lie_residue",	0, 0, 2, false },
	{ "unordered",		0, 0, 1, true },
	{ "after_terminate",	0, 0, 2, false },
	{ "ghost",		0, 0, 1, false },
	{ "sibling",		0, 0, 1, false },
	{ "slow_terminate_ms",	0, 0, 60000, false },
	{ "no_terminate",	0, 0, 1, true },
	{ "terminate_fail",	0, 0, 1, false },
	{ "step_grace",		0, 0, 0x7fffffff, false },
};

static const struct attribute *const last = attributes + ARRAY_SIZE(attributes);

/* Those that are words. */
static const struct choice {
	const char *name;
	const char *words[3];	/* without being set it is the first one */
	bool is_fixed;		/* while live */
} choices[] = {
	{ "hang_cure", { "terminate", "release", "never" }, false },
	{ "granularity", { "burst", "segment", "descriptor" }, true },
};

static const struct choice *const last_choice = choices + ARRAY_SIZE(choices);

/* Those that have something done by writing 1. */
static const char * const actions[] = { "unhang", "release_late" };

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
	EXPECT_EQ(0, sim_get(&self->sim, "terminates"));
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

TEST_F(directory, has_a_choice_of_words)
{
	const struct choice *choice;
	char text[16];
	unsigned int i;

	for (choice = choices; choice < last_choice; choice++) {
		must(try_sim_read(&self->sim, choice->name, text, sizeof(text)));
		EXPECT_STREQ(choice->words[0], text);
		for (i = 0; i < ARRAY_SIZE(choice->words); i++) {
			snprintf(text, sizeof(text), "%s\n", choice->words[i]);
			must(try_sim_write(&self->sim, choice->name, text));
			must(try_sim_read(&self->sim, choice->name, text,
					  sizeof(text)));
			EXPECT_STREQ(choice->words[i], text);
		}
		fails(EINVAL, try_sim_write(&self->sim, choice->name, "x"));
		fails(EINVAL, try_sim_write(&self->sim, choice->name, "1"));
		fails(EINVAL, try_sim_write(&self->sim, choice->name, "\n"));
		must(try_sim_read(&self->sim, choice->name, text, sizeof(text)));
		EXPECT_STREQ(choice->words[2], text);
	}
}

TEST_F(directory, does_what_it_is_told_while_live)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		fails(ENODEV, try_sim_set(&self->sim, actions[i], 1))
			TH_LOG("%s", actions[i]);
		fails(ERANGE, try_sim_set(&self->sim, actions[i], 0))
			TH_LOG("%s", actions[i]);
		fails(ERANGE, try_sim_set(&self->sim, actions[i], 2))
			TH_LOG("%s", actions[i]);
		fails(EINVAL, try_sim_write(&self->sim, actions[i], "x"))
			TH_LOG("%s", actions[i]);
	}
	must(try_sim_live(&self->sim));
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		must(try_sim_set(&self->sim, actions[i], 1));
		fails(ERANGE, try_sim_set(&self->sim, actions[i], 0))
			TH_LOG("%s", actions[i]);
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
	unsigned int i;
	char text[8];

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		fails(EACCES, try_sim_read(&self->sim, actions[i], text,
					   sizeof(text)));
	}
	fails(EACCES, try_sim_set(&self->sim, "terminates", 0));
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
	const struct choice *choice;
	char text[16];
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
	for (choice = choices; choice < last_choice; choice++) {
		fails(choice->is_fixed ? EBUSY : 0,
		      try_sim_write(&self->sim, choice->name, choice->words[1]))
			TH_LOG("%s", choice->name);
		must(try_sim_read(&self->sim, choice->name, text, sizeof(text)));
		EXPECT_STREQ(choice->words[!choice->is_fixed], text);
		fails(EINVAL, try_sim_write(&self->sim, choice->name, "x"));
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
	struct buffer buffer;
	struct udma_request fill;	/* 64 bytes with ones */
};

FIXTURE(work)
{
	struct sim sim;
	struct user users[2];
};

static int try_user_start(struct user *user, const struct sim *sim,
			  unsigned int channel)
{
	if (try_sim_bind(sim, channel))
		return -1;
	user->fd = try_sim_open(sim, channel, O_RDWR);
	if (user->fd < 0 || try_alloc_map(user->fd, MIB, &user->buffer))
		return -1;
	user->fill = fill_request(&user->buffer, 0, 64, 1);
	return 0;
}

/* The channel goes, with what it had been given, and comes back. */
static int try_user_restart(struct user *user, const struct sim *sim,
			    unsigned int channel)
{
	if (try_sim_unbind(sim, channel) || try_unmap(&user->buffer) ||
	    close(user->fd))
		return -1;
	return try_user_start(user, sim, channel);
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
	must(try_wait_sim(&self->sim, "ended", 8));
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

/* How much of what was to be filled is. */
static long filled(const struct user *user)
{
	long other = find_other(user->buffer.mem, user->fill.bytes, 1);

	return other < 0 ? (long)user->fill.bytes : other;
}

TEST_F(work, ends_short_when_told)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "short_at", 2));
	must(try_run_user(&self->users[0], &event));
	EXPECT_EQ(64, filled(&self->users[0]));
	must(try_run_user(&self->users[1], &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(32, filled(&self->users[1]));
	EXPECT_EQ(-1, find_other(self->users[1].buffer.mem + 32, 64, 0));
	EXPECT_EQ(0, sim_get(&self->sim, "short_at"));
	must(try_run_user(&self->users[1], &event));
	EXPECT_EQ(64, filled(&self->users[1]));
}

TEST(short_transfer_is_aligned)
{
	static const struct sim_config config = { .align = 16 };
	struct udma_event event;
	struct user user;
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	must(try_sim_set(&sim, "short_at", 2));
	user.fill.bytes = 48;
	must(try_run_user(&user, &event));
	EXPECT_EQ(48, filled(&user));
	memset(user.buffer.mem, 0, 48);
	must(try_run_user(&user, &event));
	EXPECT_EQ(16, filled(&user));

	/* Half of one is none. */
	memset(user.buffer.mem, 0, 48);
	must(try_sim_set(&sim, "short_at", 1));
	user.fill.bytes = 16;
	must(try_run_user(&user, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(0, filled(&user));
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

TEST_F(work, is_told_late_when_told)
{
	struct udma_event events[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "late_at", 2));
	must(try_sim_set(&self->sim, "step_mode", 1));
	for (i = 0; i < 3; i++)
		must(try_submit_user(&self->users[0]));
	must(try_step(&self->sim, 1));
	memset(self->users[0].buffer.mem, 0, 64);
	/* For a step it has ended, and its data has moved. */
	must(try_step(&self->sim, 1));
	EXPECT_EQ(64, filled(&self->users[0]));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	EXPECT_EQ(2, sim_get(&self->sim, "ended"));
	must(try_collect(self->users[0].fd, events, 2));
	EXPECT_EQ(1, events[0].sequence);
	EXPECT_EQ(3, events[1].sequence);
	EXPECT_EQ(0, count_events(&self->users[0]));

	must(try_sim_set(&self->sim, "release_late", 1));
	must(try_collect(self->users[0].fd, events, 1));
	EXPECT_EQ(2, events[0].sequence);
	EXPECT_EQ(0, events[0].status);
	must(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
}

TEST_F(work, that_would_be_told_late_is_forgotten_with_the_channel)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "late_at", 1));
	must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	must(try_collect(self->users[0].fd, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	/* What has ended is the copy by which the channel has shown that it works. */
	must(try_sim_set(&self->sim, "release_late", 1));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
}

TEST_F(work, is_never_told_when_told)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "lose_at", 1));
	must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[0]));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(64, filled(&self->users[0]));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));
	EXPECT_EQ(0, count_events(&self->users[0]));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	must(try_collect(self->users[0].fd, &event, 1));
	EXPECT_EQ(2, event.sequence);
	EXPECT_EQ(0, count_events(&self->users[0]));
}

/* Telling what is not so, or not when it is so */

TEST_F(work, is_told_in_batches_when_told)
{
	struct udma_event events[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "batch", 3));
	for (i = 0; i < 5; i++)
		must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[1]));
	must(try_wait_pending(&self->sim, 6));
	must(try_step(&self->sim, 2));
	EXPECT_EQ(64, filled(&self->users[0]));
	EXPECT_EQ(0, count_events(&self->users[0]));
	EXPECT_EQ(6, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 1));
	ASSERT_EQ(3, must(try_read_now(self->users[0].fd, events, 3)));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(i + 1, events[i].sequence);
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));

	/* Each channel has a batch of its own. */
	must(try_step(&self->sim, 3));
	EXPECT_EQ(0, count_events(&self->users[0]));
	EXPECT_EQ(0, count_events(&self->users[1]));
	EXPECT_EQ(3, sim_get(&self->sim, "pending"));

	must(try_sim_set(&self->sim, "batch", 2));
	must(try_collect(self->users[0].fd, events, 2));
	EXPECT_EQ(5, events[1].sequence);
	EXPECT_EQ(0, count_events(&self->users[1]));
	must(try_sim_set(&self->sim, "batch", 0));
	must(try_collect(self->users[1].fd, events, 1));
	must(try_wait_pending(&self->sim, 0));
}

TEST_F(work, is_done_inside_of_issue_pending_when_told)
{
	unsigned int i;

	must(try_sim_set(&self->sim, "inline", 1));
	for (i = 0; i < 200; i++) {
		if (i == 100)
			self->users[0].fill.bytes = MIB;
		memset(self->users[0].buffer.mem, 0, 64);
		must(try_submit_user(&self->users[0]));
		/* So it is all over when the call returns. */
		EXPECT_EQ(1, count_events(&self->users[0]))
			TH_LOG("%u", i);
		EXPECT_EQ(i + 1, sim_get(&self->sim, "ended"));
	}
	EXPECT_EQ(MIB, filled(&self->users[0]));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(work, is_stepped_also_when_inline)
{
	must(try_sim_set(&self->sim, "inline", 1));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[0]));
	EXPECT_EQ(2, sim_get(&self->sim, "pending"));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, count_events(&self->users[0]));
	/* What runs takes along what may go on. */
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(1, count_events(&self->users[0]));
}

TEST(unordered_controller_takes_the_newest_first)
{
	static const struct sim_config config = { .unordered = true };
	struct udma_event event;
	struct user user;
	struct sim sim;
	unsigned int i;

	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	must(try_sim_set(&sim, "step_mode", 1));
	for (i = 0; i < 4; i++) {
		must(try_submit_user(&user));
		must(try_wait_pending(&sim, i + 1));
	}
	for (i = 4; i; i--) {
		must(try_step(&sim, 1));
		ASSERT_EQ(1, must(try_read_now(user.fd, &event, 1)));
		EXPECT_EQ(i, event.sequence);
		EXPECT_EQ(0, event.status);
	}
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

TEST(unordered_controller_goes_on_past_what_hangs)
{
	static const struct sim_config config = { .unordered = true };
	struct udma_event events[3];
	struct user user;
	struct sim sim;
	unsigned int i;

	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	must(try_sim_set(&sim, "step_mode", 1));
	must(try_sim_set(&sim, "hang_at", 1));
	for (i = 0; i < 3; i++) {
		must(try_submit_user(&user));
		must(try_wait_pending(&sim, i + 1));
	}
	must(try_step(&sim, 3));
	ASSERT_EQ(2, must(try_read_now(user.fd, events, 3)));
	EXPECT_EQ(2, events[0].sequence);
	EXPECT_EQ(1, events[1].sequence);
	must(try_sim_set(&sim, "unhang", 1));
	must(try_collect(user.fd, events, 1));
	EXPECT_EQ(3, events[0].sequence);
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

FIXTURE(residue)
{
	struct user user;
	struct sim sim;
};

FIXTURE_VARIANT(residue)
{
	struct sim_config config;
	bool is_told;
};

FIXTURE_VARIANT_ADD(residue, burst)
{
	.is_told = true,
};

FIXTURE_VARIANT_ADD(residue, descriptor)
{
	.config = { .granularity = "descriptor" },
};

FIXTURE_SETUP(residue)
{
	must(try_sim_make(&self->sim, &variant->config));
	must(try_user_start(&self->user, &self->sim, 0));
}

FIXTURE_TEARDOWN(residue)
{
	works(close(self->user.fd));
	works(try_sim_finish(&self->sim));
}

TEST_F(residue, is_told_or_not)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_run_user(&self->user, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, event.bytes);
	EXPECT_EQ(variant->is_told, !!(event.flags & UDMA_EVENT_F_EXACT));
}

TEST_F(residue, can_be_a_lie)
{
	struct udma_event event;

	/* One that would pass for a truth does not come in a lifetime. */
	must(try_sim_set(&self->sim, "lie_residue", 1));
	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_run_user(&self->user, &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, event.bytes);
	EXPECT_EQ(0, event.flags & UDMA_EVENT_F_EXACT);
}

/* Refusing */

TEST(prep_does_not_sleep_before_it_has_to)
{
	static const struct sim_config config = { .depth = 33 };
	struct udma_event events[64];
	struct udma_request requests[64];
	struct user user;
	struct sim sim;
	unsigned int i;

	/* The driver would be found out: it cannot sleep there. */
	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	must(try_sim_set(&sim, "sleep_full", 1));
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = user.fill;
	must(try_submit_all(user.fd, requests, ARRAY_SIZE(requests)));
	must(try_collect(user.fd, events, ARRAY_SIZE(events)));
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

TEST_F(work, is_refused_once_when_told)
{
	struct udma_event event;
	unsigned int i;

	must(try_sim_set(&self->sim, "refuse_at", 3));
	for (i = 1; i <= 4; i++) {
		/* The driver asks again. */
		must(try_run_user(&self->users[i % 2], &event));
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(i < 3 ? 3 - i : 0, sim_get(&self->sim, "refuse_at"));
	}
	must(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(4, sim_get(&self->sim, "ended"));
}

TEST_F(work, is_always_refused_when_told)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "refuse", 1));
	must(try_run_user(&self->users[0], &event));
	EXPECT_EQ(-EIO, event.status);
	EXPECT_EQ(0, sim_get(&self->sim, "ended"));
	must(try_sim_set(&self->sim, "refuse", 0));
	must(try_run_user(&self->users[0], &event));
	EXPECT_EQ(0, event.status);
}

TEST_F(work, cannot_be_submitted_when_told)
{
	struct udma_event event;
	unsigned int i;

	must(try_sim_set(&self->sim, "submit_fail_at", 2));
	for (i = 1; i <= 4; i++) {
		must(try_run_user(&self->users[i % 2], &event));
		EXPECT_EQ(i == 2 ? -EIO : 0, event.status)
			TH_LOG("%u", i);
		EXPECT_EQ(i < 2 ? 2 - i : 0, sim_get(&self->sim, "submit_fail_at"));
	}
	must(try_wait_pending(&self->sim, 0));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
}

TEST(failed_submit_gives_the_descriptor_back)
{
	static const struct sim_config config = { .depth = 1 };
	struct udma_event event;
	struct user user;
	unsigned int i;
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	for (i = 0; i < 3; i++) {
		must(try_sim_set(&sim, "submit_fail_at", 1));
		must(try_run_user(&user, &event));
		EXPECT_EQ(-EIO, event.status);
	}
	must(try_run_user(&user, &event));
	EXPECT_EQ(0, event.status);
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

/* Hanging */

TEST_F(work, hangs_when_told)
{
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "hang_at", 2));
	for (i = 0; i < 4; i++)
		must(try_submit_user(&self->users[0]));
	must(try_wait_pending(&self->sim, 4));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, sim_get(&self->sim, "hang_at"));
	EXPECT_EQ(1, count_events(&self->users[0]));

	/* A step is all that one needs to hang. */
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "hang_at"));
	EXPECT_EQ(0, count_events(&self->users[0]));
	EXPECT_EQ(3, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, sim_get(&self->sim, "ended"));

	/* Those behind it cannot be stepped, another channel can. */
	must(try_step(&self->sim, 0));
	EXPECT_EQ(3, sim_get(&self->sim, "pending"));
	must(try_submit_user(&self->users[1]));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, count_events(&self->users[1]));
	EXPECT_EQ(0, count_events(&self->users[0]));
}

TEST_F(work, that_hangs_can_go_on)
{
	struct udma_event events[4];
	unsigned int i;

	must(try_sim_set(&self->sim, "hang_at", 2));
	for (i = 0; i < 4; i++)
		must(try_submit_user(&self->users[0]));
	must(try_collect(self->users[0].fd, events, 1));
	must(try_run_user(&self->users[1], &events[1]));
	must(try_wait_pending(&self->sim, 3));
	EXPECT_EQ(0, count_events(&self->users[0]));

	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_collect(self->users[0].fd, events + 1, 3));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, events[i].status);
		EXPECT_EQ(i + 1, events[i].sequence);
		EXPECT_EQ(64, events[i].bytes);
	}
	must(try_wait_pending(&self->sim, 0));
}

TEST_F(work, that_hangs_can_go_on_in_step_mode)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[0]));
	must(try_step(&self->sim, 1));
	must(try_wait_pending(&self->sim, 2));
	EXPECT_EQ(0, count_events(&self->users[0]));

	/* It has been told already, the other one has not. */
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_collect(self->users[0].fd, &event, 1));
	must(try_wait_pending(&self->sim, 1));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, count_events(&self->users[0]));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(work, that_hangs_can_fail)
{
	struct udma_event event;

	/* Both count the same transfers. */
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "fail_at", 1));
	must(try_sim_set(&self->sim, "hang_at", 1));
	must(try_submit_user(&self->users[0]));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, sim_get(&self->sim, "fail_at"));
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_collect(self->users[0].fd, &event, 1));
	EXPECT_EQ(-EIO, event.status);
}

static int try_step_user(const struct sim *sim, const struct user *user)
{
	if (try_submit_user(user) < 0)
		return -1;
	return try_step(sim, 1);
}

/* Stopping */

TEST_F(work, counts_terminates)
{
	must(try_user_restart(&self->users[0], &self->sim, 0));
	EXPECT_EQ(1, sim_get(&self->sim, "terminates"));
	must(try_user_restart(&self->users[1], &self->sim, 1));
	EXPECT_EQ(2, sim_get(&self->sim, "terminates"));
}

TEST_F(work, that_is_done_does_not_mind_a_terminate_that_fails)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "terminate_fail", 1));
	must(try_run_user(&self->users[0], &event));
	must(try_wait_pending(&self->sim, 0));
	must(try_user_restart(&self->users[0], &self->sim, 0));
	EXPECT_EQ(1, sim_get(&self->sim, "terminates"));
	must(try_run_user(&self->users[0], &event));
}

TEST(controller_that_cannot_terminate)
{
	static const struct sim_config config = { .no_terminate = true };
	struct udma_event event;
	struct user user;
	struct sim sim;

	must(try_sim_make(&sim, &config));
	must(try_user_start(&user, &sim, 0));
	must(try_run_user(&user, &event));
	must(try_wait_pending(&sim, 0));
	must(try_user_restart(&user, &sim, 0));
	must(try_run_user(&user, &event));
	EXPECT_EQ(0, sim_get(&sim, "terminates"));
	must(try_wait_pending(&sim, 0));
	must(close(user.fd));
	must(try_sim_finish(&sim));
}

TEST_F(work, need_not_be_stepped_after_a_terminate)
{
	struct udma_event events[2];
	unsigned int i;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "step_grace", 2));
	must(try_user_restart(&self->users[0], &self->sim, 0));
	for (i = 0; i < 3; i++)
		must(try_submit_user(&self->users[0]));
	must(try_submit_user(&self->users[1]));
	must(try_collect(self->users[0].fd, events, 2));
	must(try_wait_pending(&self->sim, 2));
	/* And those are no steps. */
	must(try_step(&self->sim, 2));
	EXPECT_EQ(1, count_events(&self->users[0]));
	EXPECT_EQ(1, count_events(&self->users[1]));
}

TEST_F(work, has_to_be_stepped_when_step_mode_comes_again)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_user_restart(&self->users[0], &self->sim, 0));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_step_user(&self->sim, &self->users[0]));
	must(try_user_restart(&self->users[1], &self->sim, 1));
	must(try_step_user(&self->sim, &self->users[0]));
	EXPECT_EQ(2, count_events(&self->users[0]));
}

TEST_F(work, can_be_taken_along_by_a_sibling)
{
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_user(&self->users[1]));
	must(try_wait_pending(&self->sim, 1));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_sim_bind(&self->sim, 0));

	must(try_sim_set(&self->sim, "sibling", 1));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(0, sim_get(&self->sim, "ended"));
	EXPECT_EQ(0, count_events(&self->users[1]));

	/* The next one works as ever. */
	must(try_submit_user(&self->users[1]));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, count_events(&self->users[1]));
}

/* Time */

#define MS	1000000ULL

TEST_F(work, takes_its_time_to_stop)
{
	__u64 before;

	must(try_sim_set(&self->sim, "slow_terminate_ms", 100));
	before = now_ns();
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_LE(before + 100 * MS, now_ns());
}

static long unbind_first(void *data)
{
	return try_sim_unbind(data, 0);
}

TEST_F(work, takes_no_more_time_to_stop_than_now)
{
	struct sleeper sleeper;
	__u64 before = now_ns();

	must(try_sim_set(&self->sim, "slow_terminate_ms", 60000));
	must(try_sleeper_start(&sleeper, unbind_first, &self->sim, SYS_write));
	must(try_sim_set(&self->sim, "slow_terminate_ms", 0));
	must(try_sleeper_join(&sleeper));
	EXPECT_EQ(0, sleeper.error);
	EXPECT_GT(before + 60000 * MS, now_ns());
}

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
	must(try_sim_set(&self->sim, "latency_ns", 200 * MS));
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

/* Wait until more transfers have ended than @before. */
static int try_wait_more(const struct sim *sim, long before)
{
	unsigned int look;

	for (look = 0; look < LOOKS; look++) {
		if (sim_get(sim, "ended") > before)
			return 0;
		sched_yield();
	}
	errno = ETIME;
	return -1;
}

/* Ending at once */

FIXTURE(instant)
{
	struct sim sim;
	struct user user;
};

FIXTURE_SETUP(instant)
{
	static const struct sim_config config = { .channels = 2 };

	must(try_sim_make(&self->sim, &config));
	must(try_sim_set(&self->sim, "instant", 1));
	must(try_user_start(&self->user, &self->sim, 0));
}

FIXTURE_TEARDOWN(instant)
{
	works(close(self->user.fd));
	works(try_sim_rmdir(&self->sim));
}

/* All in one call. */
static int try_submit_many(const struct user *user, unsigned int count)
{
	struct udma_request requests[64];
	unsigned int i;

	for (i = 0; i < count; i++)
		requests[i] = user->fill;
	return try_submit_all(user->fd, requests, count);
}

/* Somebody wants to hear of the last one only. */
static int try_submit_unheard(const struct user *user, unsigned int count)
{
	struct udma_request requests[64];
	unsigned int i;

	for (i = 0; i < count; i++) {
		requests[i] = user->fill;
		if (i < count - 1)
			requests[i].flags |= UDMA_REQUEST_F_MORE;
	}
	return try_submit_all(user->fd, requests, count);
}

/* Whether these are @count that ended well, after @before others. */
static bool are_in_order(const struct udma_event *events, unsigned int count,
			 __u64 before)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (events[i].sequence != before + i + 1 || events[i].status)
			return false;
	return true;
}

TEST_F(instant, transfer_is_over_when_the_call_returns)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		must(try_submit_user(&self->user));
		EXPECT_EQ(1, count_events(&self->user))
			TH_LOG("%u", i);
	}
	/* Nor is anybody left to count it. */
	EXPECT_EQ(200, sim_get(&self->sim, "ended"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST_F(instant, transfers_end_in_order)
{
	struct udma_event events[64];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must(try_submit_many(&self->user, ARRAY_SIZE(events)));
		must(try_collect(self->user.fd, events, ARRAY_SIZE(events)));
		EXPECT_TRUE(are_in_order(events, ARRAY_SIZE(events),
					 i * ARRAY_SIZE(events)))
			TH_LOG("%u", i);
	}
}

TEST_F(instant, transfer_moves_nothing)
{
	struct udma_event event;

	self->user.fill.bytes = MIB;
	must(try_run_user(&self->user, &event));
	EXPECT_EQ(0, event.status);
	EXPECT_EQ(MIB, event.bytes);
	EXPECT_EQ(0, filled(&self->user));
	must(try_sim_set(&self->sim, "instant", 0));
	must(try_run_user(&self->user, &event));
	EXPECT_EQ(MIB, filled(&self->user));
}

TEST_F(instant, transfer_takes_its_latency)
{
	struct udma_event events[5];
	unsigned int i;
	__u64 before;

	must(try_sim_set(&self->sim, "latency_ns", 5 * MS));
	before = now_ns();
	must(try_submit_many(&self->user, 5));
	must(try_collect(self->user.fd, events, 5));
	for (i = 0; i < 5; i++)
		EXPECT_LE(before + (i + 1) * 5 * MS, events[i].timestamp_ns);
	EXPECT_TRUE(are_in_order(events, 5, 0));
	EXPECT_EQ(0, filled(&self->user));
}

TEST_F(instant, transfer_takes_the_time_of_its_bandwidth)
{
	struct udma_event event;
	__u64 before;

	must(try_sim_set(&self->sim, "bandwidth", 50000000));
	self->user.fill.bytes = MIB;
	before = now_ns();
	must(try_run_user(&self->user, &event));
	EXPECT_LE(before + MIB * 1000 * MS / 50000000, event.timestamp_ns);
	EXPECT_EQ(0, filled(&self->user));
}

TEST_F(instant, transfer_goes_on_when_its_latency_ends)
{
	struct udma_event events[3];

	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_many(&self->user, 3));
	must(try_wait_pending(&self->sim, 3));
	must(try_sim_set(&self->sim, "latency_ns", 0));
	must(try_collect(self->user.fd, events, 3));
	EXPECT_TRUE(are_in_order(events, 3, 0));
}

TEST_F(instant, transfer_waits_for_a_step)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_many(&self->user, 2));
	EXPECT_EQ(2, sim_get(&self->sim, "pending"));
	EXPECT_EQ(0, count_events(&self->user));
	/* And moves its data then. */
	must(try_step(&self->sim, 1));
	EXPECT_EQ(64, filled(&self->user));
	EXPECT_EQ(1, count_events(&self->user));
	/* Left to itself it does not. */
	memset(self->user.buffer.mem, 0, 64);
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_collect(self->user.fd, &event, 1));
	EXPECT_EQ(0, filled(&self->user));
}

TEST_F(instant, transfer_can_fail)
{
	struct udma_event events[4];

	must(try_sim_set(&self->sim, "fail_at", 2));
	must(try_submit_many(&self->user, 4));
	must(try_collect(self->user.fd, events, 4));
	EXPECT_EQ(0, events[0].status);
	EXPECT_EQ(-EIO, events[1].status);
	EXPECT_EQ(0, events[1].bytes);
	EXPECT_EQ(0, events[2].status);
	EXPECT_EQ(0, sim_get(&self->sim, "fail_at"));
}

TEST_F(instant, transfer_can_hang)
{
	struct udma_event events[4];

	must(try_sim_set(&self->sim, "hang_at", 2));
	must(try_submit_many(&self->user, 4));
	must(try_collect(self->user.fd, events, 1));
	must(try_wait_pending(&self->sim, 3));
	must(try_sim_set(&self->sim, "unhang", 1));
	must(try_collect(self->user.fd, events, 3));
	EXPECT_TRUE(are_in_order(events, 3, 1));
}

TEST_F(instant, transfers_are_told_in_batches)
{
	struct udma_event events[3];

	must(try_sim_set(&self->sim, "batch", 3));
	must(try_submit_many(&self->user, 2));
	EXPECT_EQ(0, count_events(&self->user));
	EXPECT_EQ(2, sim_get(&self->sim, "pending"));
	must(try_submit_many(&self->user, 1));
	must(try_collect(self->user.fd, events, 3));
	EXPECT_TRUE(are_in_order(events, 3, 0));
	/* What is withheld is told before what is not. */
	must(try_submit_many(&self->user, 2));
	must(try_sim_set(&self->sim, "batch", 0));
	must(try_submit_many(&self->user, 1));
	must(try_collect(self->user.fd, events, 3));
	EXPECT_TRUE(are_in_order(events, 3, 3));
}

TEST_F(instant, transfers_go_with_the_channel)
{
	struct udma_event events[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_many(&self->user, 3));
	must(try_wait_pending(&self->sim, 3));
	must(try_sim_unbind(&self->sim, 0));
	must(try_collect(self->user.fd, events, 3));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-ENODEV, events[i].status);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

/* Those of which nobody wants to hear */

TEST_F(instant, transfers_end_unheard)
{
	struct udma_event events[64];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must(try_submit_unheard(&self->user, 16));
		EXPECT_EQ((i + 1) * 16, sim_get(&self->sim, "ended"));
		EXPECT_EQ(0, sim_get(&self->sim, "pending"));
		EXPECT_EQ(16, try_read_now(self->user.fd, events, 64));
		EXPECT_TRUE(are_in_order(events, 16, i * 16))
			TH_LOG("%u", i);
	}
}

TEST_F(instant, transfers_unheard_take_their_time)
{
	struct udma_event events[8];
	__u64 before;

	must(try_sim_set(&self->sim, "latency_ns", 5 * MS));
	before = now_ns();
	must(try_submit_unheard(&self->user, 8));
	must(try_collect(self->user.fd, events, 8));
	EXPECT_LE(before + 8 * 5 * MS, events[7].timestamp_ns);
	EXPECT_TRUE(are_in_order(events, 8, 0));
}

/* Nothing but the look at the count would end the first ones by then. */
TEST_F(instant, transfer_unheard_ends_when_looked_at)
{
	struct udma_request requests[3];
	struct udma_event events[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "bandwidth", 64000));
	for (i = 0; i < 3; i++) {
		requests[i] = self->user.fill;
		requests[i].flags |= UDMA_REQUEST_F_MORE;
	}
	requests[2].bytes = MIB;
	requests[2].flags = 0;
	must(try_submit_all(self->user.fd, requests, 3));
	must(try_wait_pending(&self->sim, 1));
	EXPECT_EQ(2, sim_get(&self->sim, "ended"));
	must(try_sim_set(&self->sim, "bandwidth", 0));
	must(try_collect(self->user.fd, events, 3));
	EXPECT_TRUE(are_in_order(events, 3, 0));
}

TEST_F(instant, transfer_unheard_is_heard_when_it_fails)
{
	struct udma_request requests[3];
	struct udma_event events[3];
	unsigned int i;

	must(try_sim_set(&self->sim, "bandwidth", 64000));
	must(try_sim_set(&self->sim, "fail_at", 2));
	for (i = 0; i < 3; i++) {
		requests[i] = self->user.fill;
		requests[i].flags |= UDMA_REQUEST_F_MORE;
	}
	/* It takes 16 seconds, and the others do not wait for it. */
	requests[2].bytes = MIB;
	requests[2].flags = 0;
	must(try_submit_all(self->user.fd, requests, 3));
	must(try_collect(self->user.fd, events, 2));
	EXPECT_EQ(0, events[0].status);
	EXPECT_EQ(-EIO, events[1].status);
	EXPECT_EQ(1, sim_get(&self->sim, "pending"));
	must(try_sim_set(&self->sim, "bandwidth", 0));
	must(try_collect(self->user.fd, events, 1));
	EXPECT_TRUE(are_in_order(events, 1, 2));
}

TEST_F(instant, transfers_unheard_can_be_stepped)
{
	struct udma_event events[8];

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_unheard(&self->user, 8));
	must(try_step(&self->sim, 3));
	EXPECT_EQ(5, sim_get(&self->sim, "pending"));
	EXPECT_EQ(3, sim_get(&self->sim, "ended"));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_collect(self->user.fd, events, 8));
	EXPECT_TRUE(are_in_order(events, 8, 0));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(8, sim_get(&self->sim, "ended"));
}

TEST_F(instant, transfers_unheard_can_change_their_time)
{
	struct udma_event events[8];

	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_unheard(&self->user, 8));
	EXPECT_EQ(8, sim_get(&self->sim, "pending"));
	must(try_sim_set(&self->sim, "latency_ns", MS));
	must(try_collect(self->user.fd, events, 8));
	EXPECT_TRUE(are_in_order(events, 8, 0));
	/* With data, from the worker. */
	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_unheard(&self->user, 8));
	must(try_sim_set(&self->sim, "instant", 0));
	must(try_sim_set(&self->sim, "latency_ns", 0));
	must(try_collect(self->user.fd, events, 8));
	EXPECT_TRUE(are_in_order(events, 8, 8));
	EXPECT_EQ(64, filled(&self->user));
}

TEST_F(instant, transfers_unheard_go_with_the_channel)
{
	struct udma_event events[8];
	unsigned int i;

	must(try_sim_set(&self->sim, "latency_ns", 3600 * 1000 * MS));
	must(try_submit_unheard(&self->user, 8));
	must(try_sim_unbind(&self->sim, 0));
	must(try_collect(self->user.fd, events, 8));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(-ENODEV, events[i].status);
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
}

TEST(instant_transfers_unheard_with_few_descriptors)
{
	static const struct sim_config config = { .channels = 1, .depth = 4 };
	struct udma_event events[64];
	struct user user;
	struct sim sim;
	unsigned int i;

	must(try_sim_make(&sim, &config));
	must(try_sim_set(&sim, "instant", 1));
	must(try_user_start(&user, &sim, 0));
	for (i = 0; i < 20; i++) {
		must(try_sim_set(&sim, "latency_ns", i % 2 * 50000));
		must(try_submit_unheard(&user, 64));
		must(try_collect(user.fd, events, 64));
		EXPECT_TRUE(are_in_order(events, 64, i * 64))
			TH_LOG("%u", i);
	}
	EXPECT_EQ(20 * 64, sim_get(&sim, "ended"));
	EXPECT_EQ(0, sim_get(&sim, "pending"));
	works(close(user.fd));
	works(try_sim_rmdir(&sim));
}

/* Somebody who changes attributes as fast as they go. */
struct changer {
	const struct sim *sim;
	const char *attribute;
	__u64 value;
};

static pid_t changer_start(const struct changer *changers, unsigned int count)
{
	pid_t pid = fork();
	unsigned int i;

	for (i = 0; !pid; i = (i + 1) % count) {
		if (try_sim_set(changers[i].sim, changers[i].attribute,
				changers[i].value))
			_exit(1);
	}
	return pid;
}

static int try_changer_stop(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) < 0)
		return -1;
	if (WIFSIGNALED(status))
		return 0;
	errno = ECHILD;
	return -1;
}

TEST_F(instant, can_change_under_load)
{
	const struct changer changers[] = {
		{ &self->sim, "instant", 0 },
		{ &self->sim, "latency_ns", 20000 },
		{ &self->sim, "instant", 1 },
		{ &self->sim, "step_mode", 1 },
		{ &self->sim, "latency_ns", 0 },
		{ &self->sim, "step_mode", 0 },
		{ &self->sim, "batch", 2 },
		{ &self->sim, "instant", 0 },
		{ &self->sim, "batch", 0 },
		{ &self->sim, "instant", 1 },
	};
	struct udma_event events[32];
	unsigned int i;
	pid_t pid;

	self->user.fill.bytes = 128 * KIB;
	pid = must(changer_start(changers, ARRAY_SIZE(changers)));
	for (i = 0; i < 60; i++) {
		if (i % 2)
			must(try_submit_unheard(&self->user, 32));
		else
			must(try_submit_many(&self->user, 32));
		must(try_collect(self->user.fd, events, 32));
		EXPECT_TRUE(are_in_order(events, 32, i * 32))
			TH_LOG("%u", i);
	}
	must(try_changer_stop(pid));
	must(try_sim_set(&self->sim, "batch", 0));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_wait_pending(&self->sim, 0));
	/* Each of them once. */
	EXPECT_EQ(60 * 32, sim_get(&self->sim, "ended"));

	must(try_sim_set(&self->sim, "instant", 0));
	memset(self->user.buffer.mem, 0, self->user.fill.bytes);
	must(try_run_user(&self->user, events));
	EXPECT_EQ(128 * KIB, filled(&self->user));
}

/* As many as the channel takes, until it goes. */
static void submit_for_ever(const struct user *user)
{
	struct udma_request requests[64];
	struct udma_event events[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		requests[i] = user->fill;
		if (i / 8 % 2)
			requests[i].flags |= UDMA_REQUEST_F_MORE;
	}
	while (try_submit(user->fd, requests, ARRAY_SIZE(requests)) >= 0 ||
	       errno == EAGAIN)
		try_read_now(user->fd, events, ARRAY_SIZE(events));
}

TEST_F(instant, channel_can_go_under_load)
{
	struct user user;
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		must(try_sim_set(&self->sim, "latency_ns", i % 2 * 20000));
		must(try_sim_bind(&self->sim, 1));
		pid = must(fork());
		if (pid == 0) {
			user = self->user;
			user.fd = try_sim_open(&self->sim, 1, O_RDWR);
			if (user.fd < 0 || try_alloc_map(user.fd, MIB, &user.buffer))
				_exit(1);
			user.fill = fill_request(&user.buffer, 0, 64, 1);
			submit_for_ever(&user);
			_exit(errno == ENODEV ? 0 : 2);
		}
		must(try_wait_more(&self->sim, sim_get(&self->sim, "ended")));
		/* Killed with transfers under way, or without a channel. */
		if (i % 4 < 2)
			must(kill(pid, SIGKILL));
		must(try_sim_unbind(&self->sim, 1));
		must(waitpid(pid, &status, 0));
		EXPECT_TRUE(i % 4 < 2 ? WIFSIGNALED(status) :
			    WIFEXITED(status) && !WEXITSTATUS(status))
			TH_LOG("%u: %#x", i, status);
		EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	}
}

TEST_F(instant, controller_can_go_under_load)
{
	struct udma_event event;
	int status;
	pid_t pid;

	pid = must(fork());
	if (pid == 0) {
		submit_for_ever(&self->user);
		_exit(errno == ENODEV ? 0 : 2);
	}
	must(try_wait_more(&self->sim, sim_get(&self->sim, "ended")));
	must(try_sim_set(&self->sim, "live", 0));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	while (try_read_now(self->user.fd, &event, 1) > 0)
		;
}

/* The loop in the kernel */

#define BENCH		"/sys/kernel/debug/udma-bench/"

FIXTURE(bench)
{
	struct sim sim;
	bool is_there;
};

FIXTURE_SETUP(bench)
{
	static const struct sim_config config = { .channels = 2, .depth = 32 };

	self->is_there = !system("modprobe -q udma-bench 2>/dev/null") &&
			 !access(BENCH "run", F_OK);
	if (!self->is_there)
		SKIP(return, "no udma-bench, or no debugfs");
	must(try_sim_make(&self->sim, &config));
}

FIXTURE_TEARDOWN(bench)
{
	if (!self->is_there)
		return;
	/* Nothing would go while a run waits for a step. */
	works(try_sim_set(&self->sim, "step_mode", 0));
	works(try_sim_rmdir(&self->sim));
	works(syscall(SYS_delete_module, "udma_bench", O_NONBLOCK));
}

/* Copies on channel 0, @rest says what. */
static int try_bench(const struct sim *sim, const char *rest)
{
	char text[200];

	snprintf(text, sizeof(text), "%s:0 %s", sim->device, rest);
	return try_write_text(BENCH "run", text);
}

TEST_F(bench, loop_runs)
{
	static const char begin[] = "transfers 12 ns ";
	char text[80];

	/* Four at a time to the end. */
	must(try_bench(&self->sim, "64 4 10"));
	must(try_read_text(BENCH "result", text, sizeof(text)));
	ASSERT_EQ(0, strncmp(begin, text, strlen(begin)));
	EXPECT_LT(0, number_of(text + strlen(begin)));
	must(try_sim_set(&self->sim, "instant", 1));
	must(try_bench(&self->sim, "4194304 1 3\n"));
	must(try_bench(&self->sim, "0x40 32 3200"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(12 + 3 + 3200, sim_get(&self->sim, "ended"));
}

TEST_F(bench, loop_knows_channels_by_both_names)
{
	char path[300], target[256], text[280];
	struct dirent *entry;
	unsigned int runs = 0;
	ssize_t length;
	DIR *dir;

	dir = opendir("/sys/class/dma");
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/dma/%s/device",
			 entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		if (strcmp(strrchr(target, '/') + 1, self->sim.device))
			continue;
		snprintf(text, sizeof(text), "%.200s 64 1 1", entry->d_name);
		must(try_write_text(BENCH "run", text));
		runs++;
	}
	closedir(dir);
	EXPECT_EQ(2, runs);
	EXPECT_EQ(2, sim_get(&self->sim, "ended"));
}

TEST_F(bench, loop_refuses_nonsense)
{
	static const char * const texts[] = {
		"", "64", "64 1", "64 1 1 1", "0 1 1", "64 0 1", "64 1 0", "-1 1 1",
		"64x 1 1", "64 257 1", "4194305 1 1", "64 1 18446744073709551615",
		"64 1 18446744073709551616",
	};
	char text[300];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		fails(EINVAL, try_bench(&self->sim, texts[i]))
			TH_LOG("'%s'", texts[i]);
	}
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fails(EINVAL, try_write_text(BENCH "run", text));
	text[255] = '\0';
	fails(EINVAL, try_write_text(BENCH "run", text));
	fails(ENODEV, try_write_text(BENCH "run", "nobody:0 64 1 1"));
	snprintf(text, sizeof(text), "%s:2 64 1 1", self->sim.device);
	fails(ENODEV, try_write_text(BENCH "run", text));
	EXPECT_EQ(0, sim_get(&self->sim, "ended"));
}

TEST_F(bench, loop_refuses_what_the_channel_does_not_do)
{
	must(try_sim_set(&self->sim, "live", 0));
	must(try_sim_set(&self->sim, "align", 16));
	must(try_sim_set(&self->sim, "max_segment", 64));
	must(try_sim_live(&self->sim));
	fails(EINVAL, try_bench(&self->sim, "40 1 1"));
	fails(EINVAL, try_bench(&self->sim, "80 1 1"));
	must(try_bench(&self->sim, "64 1 1"));
	/* It has no more descriptors. What it took is waited for. */
	fails(ENOSPC, try_bench(&self->sim, "64 33 100"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(33, sim_get(&self->sim, "ended"));
}

TEST_F(bench, loop_tells_of_a_failure)
{
	must(try_sim_set(&self->sim, "fail_at", 3));
	fails(EIO, try_bench(&self->sim, "64 2 8"));
	EXPECT_EQ(8, sim_get(&self->sim, "ended"));
	must(try_sim_set(&self->sim, "submit_fail_at", 2));
	fails(EIO, try_bench(&self->sim, "64 2 8"));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	must(try_bench(&self->sim, "64 2 8"));
}

TEST_F(bench, loop_wants_the_channel_for_itself)
{
	must(try_sim_bind(&self->sim, 0));
	fails(EBUSY, try_bench(&self->sim, "64 1 1"));
	must(try_sim_unbind(&self->sim, 0));
	must(try_bench(&self->sim, "64 1 1"));
}

/* One that does not end, in a program of its own. */
static pid_t bench_start(const struct sim *sim)
{
	pid_t pid = fork();

	if (!pid)
		_exit(try_bench(sim, "64 4 1000000000") ? 1 : 0);
	return pid;
}

TEST_F(bench, loop_runs_one_at_a_time_and_can_be_killed)
{
	char name[40];
	int status;
	pid_t pid;

	must(try_sim_set(&self->sim, "step_mode", 1));
	pid = must(bench_start(&self->sim));
	must(try_wait_pending(&self->sim, 4));
	snprintf(name, sizeof(name), "%.20s:1 64 1 1", self->sim.device);
	fails(EAGAIN, try_write_text(BENCH "run", name));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, sim_get(&self->sim, "pending"));
	EXPECT_EQ(1, sim_get(&self->sim, "terminates"));
	must(try_sim_set(&self->sim, "step_mode", 0));

	/* Also one that never sleeps. */
	must(try_sim_set(&self->sim, "instant", 1));
	pid = must(bench_start(&self->sim));
	must(try_wait_more(&self->sim, sim_get(&self->sim, "ended")));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	must(try_bench(&self->sim, "64 1 1"));
}

TEST_F(bench, loop_that_is_killed_waits_for_what_cannot_be_stopped)
{
	unsigned int look;
	int status;
	pid_t pid;

	must(try_sim_set(&self->sim, "live", 0));
	must(try_sim_set(&self->sim, "no_terminate", 1));
	must(try_sim_live(&self->sim));
	must(try_sim_set(&self->sim, "step_mode", 1));
	pid = must(bench_start(&self->sim));
	must(try_wait_pending(&self->sim, 4));
	must(kill(pid, SIGKILL));
	/* Ample for one that would not wait. */
	for (look = 0; look < LOOKS / 100; look++) {
		ASSERT_EQ(0, waitpid(pid, &status, WNOHANG));
		sched_yield();
	}
	must(try_step(&self->sim, 4));
	must(waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(4, sim_get(&self->sim, "ended"));
}

TEST_HARNESS_MAIN
