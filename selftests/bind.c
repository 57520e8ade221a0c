// SPDX-License-Identifier: GPL-2.0
/*
 * What root does: channels become /dev/udmaN and cease to be, by the names that
 * they have and are given.
 */
#include "udma_sim.h"

FIXTURE(bind)
{
	struct sim sim;		/* of four channels, none of them bound */
	char spec[160];
};

FIXTURE_SETUP(bind)
{
	static const struct sim_config config;

	must(try_sim_make(&self->sim, &config));
}

FIXTURE_TEARDOWN(bind)
{
	works(try_sim_end(&self->sim));
}

static int try_open_info(const char *name, struct udma_info *info)
{
	int fd = try_open(name, O_RDONLY);
	int ret;

	if (fd < 0)
		return -1;
	ret = try_info(fd, info);
	close(fd);
	return ret;
}

/* Ways to say which channel */

TEST_F(bind, by_device_and_number)
{
	char channel[32];
	struct udma_info info;
	unsigned int i;

	for (i = 0; i < 4; i++)
		must(try_sim_bind(&self->sim, i));
	for (i = 0; i < 4; i++) {
		sim_channel_name(&self->sim, i, self->spec, sizeof(self->spec));
		must(try_open_info(self->spec, &info));
		must(try_find_channel(self->sim.device, i, channel,
				      sizeof(channel)));
		EXPECT_STREQ(channel, info.out_channel);
		EXPECT_STREQ(self->sim.device, info.out_device);
		must(try_sim_unbind(&self->sim, i));
	}
}

TEST_F(bind, by_the_name_that_dmaengine_has)
{
	struct udma_info info;
	char channel[32];

	must(try_find_channel(self->sim.device, 2, channel, sizeof(channel)));
	snprintf(self->spec, sizeof(self->spec), "%s=%s", self->sim.name,
		 channel);
	must(try_bind(self->spec));
	must(try_open_info(self->sim.name, &info));
	EXPECT_STREQ(channel, info.out_channel);
	EXPECT_STREQ(self->sim.device, info.out_device);
	must(try_sim_unbind(&self->sim, 0));
}

TEST_F(bind, any_that_copies_memory)
{
	struct udma_info info;
	int fd;

	/* Of whatever controller: there is one at least with a free channel. */
	snprintf(self->spec, sizeof(self->spec), "%s=memcpy", self->sim.name);
	must(try_bind(self->spec));
	fd = must(try_open(self->sim.name, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_COPY);
	must(close(fd));
	must(try_unbind(self->sim.name));
}

TEST_F(bind, with_space_around_it)
{
	snprintf(self->spec, sizeof(self->spec), " \t%s=%s:0\n",
		 self->sim.name, self->sim.device);
	must(try_bind(self->spec));
	snprintf(self->spec, sizeof(self->spec), "\t%s\t\n",
		 self->sim.name);
	must(try_unbind(self->spec));
}

/* Names */

TEST_F(bind, gives_the_longest_name)
{
	/* One less than the field has bytes. */
	const char *name = "a-name_of.31-characters-0123456";
	struct udma_info info;

	ASSERT_EQ(UDMA_NAME_BYTES - 1, strlen(name));
	snprintf(self->spec, sizeof(self->spec), "%s=%s:0", name,
		 self->sim.device);
	must(try_bind(self->spec));
	must(try_open_info(name, &info));
	EXPECT_STREQ(name, info.out_name);
	must(try_unbind(name));
}

TEST_F(bind, without_a_name_goes_by_its_node)
{
	char path[128], channel[32], seen[64], *node = NULL;
	struct udma_info info;
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(self->spec, sizeof(self->spec), "%s:1", self->sim.device);
	must(try_bind(self->spec));
	must(try_find_channel(self->sim.device, 1, channel, sizeof(channel)));

	dir = opendir(UDMA_CLASS);
	ASSERT_NE(NULL, dir);
	while (!node && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), UDMA_CLASS "/%.32s/channel",
			 entry->d_name);
		if (!try_read_text(path, seen, sizeof(seen)) &&
		    !strcmp(seen, channel))
			node = strdup(entry->d_name);
	}
	closedir(dir);
	ASSERT_NE(NULL, node);

	fd = must(try_open_node(node, O_RDONLY));
	must(try_info(fd, &info));
	EXPECT_STREQ(node, info.out_name);
	must(close(fd));
	must(try_unbind(node));
	free(node);
}

TEST_F(bind, is_undone_by_the_name_or_by_the_node)
{
	char node[32];

	must(try_sim_bind(&self->sim, 0));
	must(try_unbind(self->sim.name));
	fails(ENODEV, try_unbind(self->sim.name));

	must(try_sim_bind(&self->sim, 0));
	must(try_find_node(self->sim.name, node, sizeof(node)));
	must(try_unbind(node));
	fails(ENODEV, try_unbind(node));
	fails(ENODEV, try_unbind(self->sim.name));
}

/* What is there afterwards */

TEST_F(bind, makes_a_node_for_root_alone)
{
	char node[32], path[64];
	struct stat status;

	must(try_sim_bind(&self->sim, 0));
	must(try_find_node(self->sim.name, node, sizeof(node)));
	snprintf(path, sizeof(path), "/dev/%.31s", node);
	must(stat(path, &status));
	EXPECT_TRUE(S_ISCHR(status.st_mode));
	EXPECT_EQ(0, status.st_uid);
	/* Whoever else is to have it, udev lets in: others never. */
	EXPECT_EQ(0, status.st_mode & 0007);
	must(try_sim_unbind(&self->sim, 0));
	fails(ENOENT, stat(path, &status));
}

TEST_F(bind, makes_attributes_that_agree_with_the_ioctl)
{
	char node[32], path[128], text[128];
	struct udma_info info;

	must(try_sim_bind(&self->sim, 3));
	sim_channel_name(&self->sim, 3, self->spec, sizeof(self->spec));
	must(try_open_info(self->spec, &info));
	must(try_find_node(self->spec, node, sizeof(node)));

	snprintf(path, sizeof(path), UDMA_CLASS "/%s/name", node);
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ(info.out_name, text);
	snprintf(path, sizeof(path), UDMA_CLASS "/%s/channel", node);
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ(info.out_channel, text);
	snprintf(path, sizeof(path), UDMA_CLASS "/%s/provider", node);
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ(info.out_device, text);
	must(try_sim_unbind(&self->sim, 3));
}

TEST_F(bind, gives_each_channel_a_node_of_its_own)
{
	char nodes[4][32];
	unsigned int i, j;

	for (i = 0; i < 4; i++) {
		must(try_sim_bind(&self->sim, i));
		sim_channel_name(&self->sim, i, self->spec, sizeof(self->spec));
		must(try_find_node(self->spec, nodes[i], sizeof(nodes[i])));
		for (j = 0; j < i; j++)
			EXPECT_STRNE(nodes[j], nodes[i]);
	}
	for (i = 0; i < 4; i++)
		must(try_sim_unbind(&self->sim, i));
}

TEST_F(bind, shows_in_dmaengine)
{
	char channel[32], path[128], text[16];

	must(try_find_channel(self->sim.device, 0, channel, sizeof(channel)));
	snprintf(path, sizeof(path), "/sys/class/dma/%s/in_use", channel);
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ("0", text);
	must(try_sim_bind(&self->sim, 0));
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ("1", text);
	must(try_sim_unbind(&self->sim, 0));
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ("0", text);
}

TEST_F(bind, can_be_done_and_undone_often)
{
	unsigned int i;

	for (i = 0; i < 30; i++) {
		must(try_sim_bind(&self->sim, i % 4));
		must(try_sim_unbind(&self->sim, i % 4));
	}
}

/* Mistakes */

TEST_F(bind, refuses_a_channel_that_is_taken)
{
	char channel[32];

	must(try_sim_bind(&self->sim, 0));
	snprintf(self->spec, sizeof(self->spec), "%s:0", self->sim.device);
	fails(EBUSY, try_bind(self->spec));
	must(try_find_channel(self->sim.device, 0, channel, sizeof(channel)));
	fails(EBUSY, try_bind(channel));
	must(try_sim_unbind(&self->sim, 0));
}

TEST_F(bind, refuses_a_name_that_is_taken)
{
	must(try_sim_bind(&self->sim, 0));
	snprintf(self->spec, sizeof(self->spec), "%s=%s:1", self->sim.name,
		 self->sim.device);
	fails(EEXIST, try_bind(self->spec));
	must(try_sim_unbind(&self->sim, 0));
	/* It is free again. */
	must(try_bind(self->spec));
	must(try_sim_unbind(&self->sim, 0));
}

TEST_F(bind, refuses_channels_that_are_not_there)
{
	static const char * const numbers[] = { ":4", ":", ":-1", ":1x", ":0x" };
	static const char * const channels[] = {
		"no-such-device:0", "dma999chan999", "dma0chan", "chan", "a b",
		":", ":0", "memcpy0", "x:y", "a=b=c",
		"x:99999999999999999999",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(channels); i++) {
		fails(ENODEV, try_bind(channels[i]))
			TH_LOG("'%s'", channels[i]);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(self->spec, sizeof(self->spec), "%s%s",
			 self->sim.device, numbers[i]);
		fails(ENODEV, try_bind(self->spec))
			TH_LOG("'%s'", self->spec);
	}
}

TEST_F(bind, refuses_what_is_malformed)
{
	static const char * const specs[] = {
		"\n", " ", "=", "a=", "=dma0chan0", "a b=dma0chan0",
		"a/b=dma0chan0", "..=dma0chan0", "-a=dma0chan0",
		"a-name-of-32-characters-01234567=dma0chan0",
		/* It would be mistaken for a node. */
		"udma7=dma0chan0",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(specs); i++) {
		fails(EINVAL, try_bind(specs[i]))
			TH_LOG("'%s'", specs[i]);
	}
}

TEST_F(bind, cannot_be_undone_where_nothing_is_bound)
{
	static const char * const names[] = {
		"no-such-name", "udma9999", "udma", "memcpy", "dma0chan0", "\n",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fails(ENODEV, try_unbind(names[i]))
			TH_LOG("'%s'", names[i]);
	}
}

TEST_HARNESS_MAIN
