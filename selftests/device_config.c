// SPDX-License-Identifier: GPL-2.0
/*
 * What root says of the device behind a channel: what arrives at the controller, what
 * programs are told, and what is refused.
 */
#include <sys/wait.h>

#include "udma_device.h"

#define NOBODY	65534

FIXTURE(config)
{
	struct sim sim;
};

FIXTURE_VARIANT(config)
{
	const char *kind;
	const char *direction;
	const char *others[2];	/* what the channel is not able to */
	enum udma_direction number;
	unsigned int window;	/* as long as root has not said */
	bool is_device;
	bool need_config;
};

FIXTURE_VARIANT_ADD(config, source)
{
	.kind = "source",
	.direction = "dev_to_mem",
	.others = { "mem_to_dev", "mem_to_mem" },
	.number = UDMA_DIRECTION_DEV_TO_MEM,
	.window = 1,
	.is_device = true,
	.need_config = true,
};

FIXTURE_VARIANT_ADD(config, sink)
{
	.kind = "sink",
	.direction = "mem_to_dev",
	.others = { "dev_to_mem", "mem_to_mem" },
	.number = UDMA_DIRECTION_MEM_TO_DEV,
	.window = 32,
	.is_device = true,
	.need_config = true,
};

FIXTURE_VARIANT_ADD(config, source_that_knows)
{
	.kind = "source",
	.direction = "dev_to_mem",
	.others = { "mem_to_dev", "mem_to_mem" },
	.number = UDMA_DIRECTION_DEV_TO_MEM,
	.window = 1,
	.is_device = true,
};

FIXTURE_VARIANT_ADD(config, memory)
{
	.kind = "memory",
	.direction = "mem_to_mem",
	.others = { "dev_to_mem", "mem_to_dev" },
	.number = UDMA_DIRECTION_MEM_TO_MEM,
	.window = 32,
};

FIXTURE_SETUP(config)
{
	const struct device_config config = {
		.kind = variant->kind,
		.channels = 1,
		.need_config = variant->need_config,
	};
	char spec[160];

	must(try_sim_mkdir(&self->sim));
	must(try_device_configure(&self->sim, &config));
	must(try_sim_live(&self->sim));
	/* With all that it has by itself. */
	snprintf(spec, sizeof(spec), "%s=%s:0", self->sim.name, self->sim.device);
	must(try_bind(spec));
	if (variant->need_config) {
		must(try_chan_write(&self->sim, 0, "address", "none"));
		must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	}
}

FIXTURE_TEARDOWN(config)
{
	works(try_sim_finish(&self->sim));
}

/* What a file of the channel says. */
static const char *says(const struct sim *sim, const char *attribute)
{
	static char text[64];

	if (try_chan_read(sim, 0, attribute, text, sizeof(text)))
		return strerror(errno);
	return text;
}

/* What the controller was told. */
static const char *told(const struct sim *sim)
{
	static char text[128];

	if (try_sim_read(sim, "slave_config", text, sizeof(text)))
		return strerror(errno);
	return text;
}

static struct udma_request any_request(const struct buffer *buffer, enum udma_direction direction)
{
	switch (direction) {
	case UDMA_DIRECTION_MEM_TO_DEV:
		return send_request(buffer, 0, 64);
	case UDMA_DIRECTION_DEV_TO_MEM:
		return receive_request(buffer, 0, 64);
	default:
		return copy_request(buffer, 0, buffer, 64, 64);
	}
}

/* The status of a transfer of the channel's kind, or an errno. */
static int works_at_all(const struct sim *sim, enum udma_direction direction)
{
	struct udma_event event;
	struct buffer buffer;
	int fd, ret;

	fd = try_sim_open(sim, 0, O_RDWR);
	if (fd < 0 || try_alloc(fd, 128, &buffer))
		return errno;
	ret = try_run(fd, any_request(&buffer, direction), &event) ? errno : -event.status;
	close(fd);
	return ret;
}

/* As it comes */

TEST_F(config, begins_with_what_the_channel_is)
{
	struct udma_info info;
	int fd;

	EXPECT_STREQ(variant->direction, says(&self->sim, "direction"));
	EXPECT_EQ(variant->window, chan_get(&self->sim, 0, "window"));
	EXPECT_STREQ("none", says(&self->sim, "address"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "width"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "burst"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "shared_reset"));
	/* To wait for a device is normal. */
	if (variant->is_device) {
		EXPECT_EQ(0, chan_get(&self->sim, 0, "stall_ms"));
	}
	if (!variant->is_device) {
		EXPECT_LT(0, chan_get(&self->sim, 0, "stall_ms"));
	}

	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_EQ(variant->number, info.out_direction);
	EXPECT_EQ(1 << variant->number, info.out_directions);
	EXPECT_EQ(variant->window, info.out_window);
	EXPECT_EQ(variant->is_device ? 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 : 0, info.out_widths);
	EXPECT_EQ(variant->is_device ? 256 : 0, info.out_max_burst);
	EXPECT_EQ(0, info.out_width);
	EXPECT_EQ(0, info.out_burst);
	EXPECT_EQ(4096, info.out_max_periods);
	EXPECT_EQ(64, info.out_min_period_bytes);
	must(close(fd));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

TEST_F(config, tells_capabilities_of_its_direction_only)
{
	const __u64 memory = UDMA_CAP_COPY | UDMA_CAP_FILL | UDMA_CAP_INTERLEAVE;
	const __u64 device = UDMA_CAP_CYCLIC | UDMA_CAP_PAUSE;
	static const __u64 own[] = {
		[UDMA_DIRECTION_MEM_TO_DEV] = UDMA_CAP_MEM_TO_DEV,
		[UDMA_DIRECTION_DEV_TO_MEM] = UDMA_CAP_DEV_TO_MEM,
	};
	struct udma_info info;
	int fd;

	fd = must(try_sim_open(&self->sim, 0, O_RDONLY));
	must(try_info(fd, &info));
	EXPECT_EQ(variant->is_device ? device | own[variant->number] : memory,
		  info.out_capabilities & ~(__u64)UDMA_CAP_COHERENT);
	must(close(fd));
}

/* Direction */

TEST_F(config, can_say_that_there_is_no_direction_and_take_it_back)
{
	struct udma_event event;
	struct udma_info info;
	struct buffer buffer;
	int fd;

	must(try_chan_write(&self->sim, 0, "direction", "none"));
	EXPECT_STREQ("none", says(&self->sim, "direction"));
	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_EQ(UDMA_DIRECTION_NONE, info.out_direction);
	EXPECT_EQ(1 << variant->number, info.out_directions);
	EXPECT_EQ(0, info.out_capabilities & ~(__u64)UDMA_CAP_COHERENT);
	EXPECT_EQ(0, info.out_widths);
	must(try_alloc(fd, 128, &buffer));
	fails(EOPNOTSUPP, try_submit_one(fd, copy_request(&buffer, 0, &buffer, 64, 64)));
	fails(EOPNOTSUPP, try_submit_one(fd, fill_request(&buffer, 0, 64, 0)));
	fails(EOPNOTSUPP, try_submit_one(fd, send_request(&buffer, 0, 64)));
	fails(EOPNOTSUPP, try_submit_one(fd, receive_request(&buffer, 0, 64)));
	EXPECT_EQ(0, try_read_now(fd, &event, 1));
	must(close(fd));

	must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_STREQ(variant->direction, says(&self->sim, "direction"));
	EXPECT_EQ(variant->window, chan_get(&self->sim, 0, "window"));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

TEST_F(config, refuses_directions_that_there_are_not)
{
	static const char * const words[] = {
		"memory", "dev_to_me", "dev_to_mem2", "DEV_TO_MEM", "2", "0", " ", "none none",
		"dev_to_dev",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		fails(EINVAL, try_chan_write(&self->sim, 0, "direction", words[i]))
			TH_LOG("%s", words[i]);
	}
	for (i = 0; i < 2; i++) {
		fails(EOPNOTSUPP, try_chan_write(&self->sim, 0, "direction", variant->others[i]))
			TH_LOG("%s", variant->others[i]);
	}
	EXPECT_STREQ(variant->direction, says(&self->sim, "direction"));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* The rest */

/* A line of the controller's, in which one side is the device. */
static const char *line(enum udma_direction direction, unsigned long long address,
			unsigned int width, unsigned int burst)
{
	const bool reads = direction == UDMA_DIRECTION_DEV_TO_MEM;
	static char text[128];

	snprintf(text, sizeof(text), "0 0x%llx 0x%llx %u %u %u %u", reads ? address : 0,
		 reads ? 0 : address, width, width, burst, burst);
	return text;
}

TEST_F(config, arrives_at_the_controller)
{
	struct udma_info info;
	int fd;

	if (!variant->need_config)
		SKIP(return, "is not configured");
	EXPECT_STREQ(line(variant->number, 0, 0, 0), told(&self->sim));
	must(try_chan_write(&self->sim, 0, "address", "0x43c00000"));
	EXPECT_STREQ(line(variant->number, 0x43c00000, 0, 0), told(&self->sim));
	must(try_chan_set(&self->sim, 0, "width", 4));
	EXPECT_STREQ(line(variant->number, 0x43c00000, 4, 0), told(&self->sim));
	must(try_chan_set(&self->sim, 0, "burst", 16));
	EXPECT_STREQ(line(variant->number, 0x43c00000, 4, 16), told(&self->sim));
	must(try_chan_set(&self->sim, 0, "address", 1234567890123456789ULL));
	EXPECT_STREQ(line(variant->number, 1234567890123456789ULL, 4, 16), told(&self->sim));
	EXPECT_STREQ("0x112210f47de98115", says(&self->sim, "address"));
	EXPECT_EQ(4, chan_get(&self->sim, 0, "width"));
	EXPECT_EQ(16, chan_get(&self->sim, 0, "burst"));

	/* Programs are told all but where it is. */
	fd = must(try_sim_open(&self->sim, 0, O_RDONLY));
	must(try_info(fd, &info));
	EXPECT_EQ(4, info.out_width);
	EXPECT_EQ(16, info.out_burst);
	EXPECT_EQ(256, info.out_max_burst);
	must(close(fd));

	must(try_chan_set(&self->sim, 0, "width", 0));
	must(try_chan_set(&self->sim, 0, "burst", 0));
	must(try_chan_set(&self->sim, 0, "address", 0));
	EXPECT_STREQ(line(variant->number, 0, 0, 0), told(&self->sim));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* A channel that has been off is told again. */
TEST_F(config, stays_when_the_direction_is_taken_away)
{
	if (!variant->need_config)
		SKIP(return, "is not configured");
	must(try_chan_set(&self->sim, 0, "width", 8));
	must(try_chan_set(&self->sim, 0, "address", 4096));
	must(try_chan_write(&self->sim, 0, "direction", "none"));
	must(try_chan_set(&self->sim, 0, "burst", 3));
	must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_STREQ(line(variant->number, 4096, 8, 3), told(&self->sim));
}

TEST_F(config, survives_a_reset)
{
	if (!variant->need_config)
		SKIP(return, "is not configured");
	must(try_chan_set(&self->sim, 0, "width", 2));
	must(try_chan_set(&self->sim, 0, "burst", 7));
	must(try_chan_set(&self->sim, 0, "address", 12288));
	must(try_chan_set(&self->sim, 0, "window", 3));
	must(try_chan_set(&self->sim, 0, "stall_ms", 1000));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	EXPECT_STREQ(line(variant->number, 12288, 2, 7), told(&self->sim));
	EXPECT_EQ(3, chan_get(&self->sim, 0, "window"));
	EXPECT_EQ(1000, chan_get(&self->sim, 0, "stall_ms"));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* Who binds it next begins anew. */
TEST_F(config, goes_with_the_channel)
{
	if (!variant->need_config)
		SKIP(return, "is not configured");
	must(try_chan_set(&self->sim, 0, "width", 2));
	must(try_chan_set(&self->sim, 0, "address", 12288));
	must(try_sim_unbind(&self->sim, 0));
	EXPECT_STREQ("", told(&self->sim));
	must(try_sim_bind(&self->sim, 0));
	EXPECT_STREQ("", told(&self->sim));
	EXPECT_STREQ("unknown", says(&self->sim, "address"));
	EXPECT_STREQ("none", says(&self->sim, "direction"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "width"));
}

struct wrong {
	const char *attribute;
	const char *text;
	int error;
};

TEST_F(config, refuses_what_cannot_be)
{
	static const struct wrong wrongs[] = {
		{ "address", "here", EINVAL },
		{ "address", "0x", EINVAL }, { "address", "-1", EINVAL },
		{ "address", "1 2", EINVAL }, { "address", "18446744073709551616", ERANGE },
		{ "address", "0x10000000000000000", ERANGE },
		{ "width", "four", EINVAL }, { "width", "-4", EINVAL },
		{ "width", "4294967295", EINVAL }, { "width", "4294967296", ERANGE },
		{ "width", "4294967300", ERANGE },
		{ "burst", "many", EINVAL }, { "burst", "-1", EINVAL },
		{ "burst", "4294967296", ERANGE },
		{ "shared_reset", "2", EINVAL },
		{ "window", "0", EINVAL }, { "window", "33", EINVAL },
		{ "stall_ms", "3600001", EINVAL },
	};
	static const struct wrong for_device[] = {
		{ "burst", "257", EINVAL }, { "burst", "4294967295", EINVAL },
		{ "width", "3", EINVAL }, { "width", "5", EINVAL }, { "width", "16", EINVAL },
		{ "width", "31", EINVAL }, { "width", "32", EINVAL }, { "width", "33", EINVAL },
		{ "width", "64", EINVAL },
	};
	static const struct wrong for_memory[] = {
		{ "width", "129", EINVAL }, { "stall_ms", "0", EINVAL },
	};
	unsigned int i;

	if (variant->need_config) {
		must(try_chan_set(&self->sim, 0, "address", 4096));
		must(try_chan_set(&self->sim, 0, "width", 4));
		must(try_chan_set(&self->sim, 0, "burst", 256));
	}
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		fails(wrongs[i].error, try_chan_write(&self->sim, 0, wrongs[i].attribute,
						      wrongs[i].text))
			TH_LOG("%s %s", wrongs[i].attribute, wrongs[i].text);
	}
	for (i = 0; variant->is_device && i < ARRAY_SIZE(for_device); i++) {
		fails(for_device[i].error, try_chan_write(&self->sim, 0, for_device[i].attribute,
							  for_device[i].text))
			TH_LOG("%s %s", for_device[i].attribute, for_device[i].text);
	}
	for (i = 0; !variant->is_device && i < ARRAY_SIZE(for_memory); i++) {
		fails(for_memory[i].error, try_chan_write(&self->sim, 0, for_memory[i].attribute,
							  for_memory[i].text))
			TH_LOG("%s %s", for_memory[i].attribute, for_memory[i].text);
	}
	/* A controller that asks for nothing is not told. */
	if (variant->is_device && !variant->need_config) {
		fails(EOPNOTSUPP, try_chan_set(&self->sim, 0, "address", 4096));
		fails(EOPNOTSUPP, try_chan_set(&self->sim, 0, "width", 4));
		fails(EOPNOTSUPP, try_chan_set(&self->sim, 0, "burst", 4));
		EXPECT_STREQ("none", says(&self->sim, "address"));
		EXPECT_EQ(0, chan_get(&self->sim, 0, "width"));
	}
	/* All is as it was. */
	if (variant->need_config) {
		EXPECT_STREQ(line(variant->number, 4096, 4, 256), told(&self->sim));
		EXPECT_STREQ("0x1000", says(&self->sim, "address"));
		EXPECT_EQ(4, chan_get(&self->sim, 0, "width"));
		EXPECT_EQ(256, chan_get(&self->sim, 0, "burst"));
	}
	EXPECT_EQ(variant->window, chan_get(&self->sim, 0, "window"));
	EXPECT_EQ(0, chan_get(&self->sim, 0, "shared_reset"));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* Who has the channel open was told something else. Also if he can only look. */
TEST_F(config, does_not_change_while_a_file_is_open)
{
	static const struct wrong writes[] = {
		{ "direction", "none", 0 }, { "address", "8192", 0 }, { "burst", "2", 0 },
		{ "width", "0", 0 },
	};
	const int modes[] = { O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_EXCL };
	struct udma_info before, after;
	unsigned int i, j;
	char text[128];
	int fd;

	snprintf(text, sizeof(text), "%s", told(&self->sim));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		fd = must(try_sim_open(&self->sim, 0, modes[i]));
		must(try_info(fd, &before));
		for (j = 0; j < ARRAY_SIZE(writes); j++) {
			fails(EBUSY, try_chan_write(&self->sim, 0, writes[j].attribute,
						    writes[j].text))
				TH_LOG("%s", writes[j].attribute);
		}
		/* Nor where it would stay the same. */
		fails(EBUSY, try_chan_write(&self->sim, 0, "direction", variant->direction));
		/* That is nothing that a program knows of. */
		must(try_chan_set(&self->sim, 0, "shared_reset", 1));
		must(try_chan_set(&self->sim, 0, "shared_reset", 0));
		must(try_info(fd, &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
		must(close(fd));
		EXPECT_STREQ(text, told(&self->sim));
	}
	must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* What hardware may still have was begun with what it was told then. */
TEST_F(config, does_not_change_while_hardware_has_something)
{
	struct buffer buffer;
	int fd;

	if (!variant->need_config)
		SKIP(return, "is not configured");
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_sim_set(&self->sim, "terminate_fail", 1));
	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc(fd, 64, &buffer));
	must(try_submit_one(fd, any_request(&buffer, variant->number)));
	must(try_wait_pending(&self->sim, 1));
	must(close(fd));
	fails(EBUSY, try_chan_set(&self->sim, 0, "width", 4));
	must(try_wait_chan(&self->sim, 0, "recovery/failures", 1));
	fails(EBUSY, try_chan_set(&self->sim, 0, "width", 4));
	fails(EBUSY, try_chan_write(&self->sim, 0, "direction", "none"));
	must(try_sim_set(&self->sim, "terminate_fail", 0));
	must(try_sim_set(&self->sim, "step_mode", 0));
	must(try_chan_set(&self->sim, 0, "reset", 1));
	must(try_chan_set(&self->sim, 0, "width", 4));
	EXPECT_STREQ(line(variant->number, 0, 4, 0), told(&self->sim));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* It would move data to or from any address. */
TEST_F(config, has_no_direction_before_it_is_said_where_the_device_is)
{
	if (!variant->need_config)
		SKIP(return, "is not configured");
	must(try_sim_unbind(&self->sim, 0));
	must(try_sim_bind(&self->sim, 0));
	EXPECT_STREQ("unknown", says(&self->sim, "address"));
	EXPECT_STREQ("none", says(&self->sim, "direction"));
	EXPECT_EQ(EOPNOTSUPP, works_at_all(&self->sim, variant->number));
	fails(EDESTADDRREQ, try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_STREQ("", told(&self->sim));
	must(try_chan_set(&self->sim, 0, "address", 4096));
	EXPECT_STREQ("", told(&self->sim));
	must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_STREQ(line(variant->number, 4096, 0, 0), told(&self->sim));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* A channel that needs it has been told, and without it has nothing. */
TEST_F(config, is_what_the_controller_waits_for)
{
	if (!variant->need_config)
		SKIP(return, "is as good without");
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
	must(try_chan_write(&self->sim, 0, "direction", "none"));
	must(try_chan_write(&self->sim, 0, "direction", variant->direction));
	EXPECT_EQ(0, works_at_all(&self->sim, variant->number));
}

/* Who may */

enum access {
	READ,
	WRITE,
};

/* What a program gets that is nobody: an errno, or 0. */
static int try_as_nobody(const struct sim *sim, const char *attribute, enum access access)
{
	char path[128];
	int status, fd;
	pid_t pid;

	if (try_chan_path(sim, 0, attribute, path, sizeof(path)))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		fd = open(path, access == WRITE ? O_WRONLY : O_RDONLY);
		_exit(fd < 0 ? errno : 0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(config, is_root_s)
{
	static const char * const attributes[] = {
		"direction", "address", "width", "burst", "shared_reset", "window", "stall_ms",
		"timeout_ms", "reset",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		EXPECT_EQ(EACCES, try_as_nobody(&self->sim, attributes[i], WRITE))
			TH_LOG("%s", attributes[i]);
	}
	/* All may know what it is, but not where. */
	for (i = 0; i < ARRAY_SIZE(attributes) - 1; i++) {
		EXPECT_EQ(strcmp(attributes[i], "address") ? 0 : EACCES,
			  try_as_nobody(&self->sim, attributes[i], READ))
			TH_LOG("%s", attributes[i]);
	}
}

TEST_HARNESS_MAIN
