// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a node of the device tree that is compatible with "udma,channels".
 */
#include <sys/wait.h>

#include "udma_node.h"

#define SIM_DRIVER	"/sys/bus/platform/drivers/udma-sim/"

#define BYTES		(64 * KIB)

FIXTURE(node)
{
	struct sim sim;		/* of two channels, none of them bound */
	struct node node;
	char text[1200];
};

FIXTURE_SETUP(node)
{
	if (!nodes_can_be())
		SKIP(return, "no udma-node-test, or no debugfs");
	node_init(&self->node);
	must(try_node_sim(&self->node, &self->sim, "loopback", true));
	must(try_sim_live(&self->sim));
}

FIXTURE_TEARDOWN(node)
{
	if (*self->sim.name)
		works(try_sim_rmdir(&self->sim));
}

static bool node_is_bound(const struct node *node)
{
	char path[128];

	snprintf(path, sizeof(path), NODE_DRIVER "%s", node->device);
	return !access(path, F_OK);
}

/* How many /dev/udmaN of channels of this controller there are, or -1. */
static int bound_channels(const struct sim *sim)
{
	char path[300], seen[64];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	dir = opendir(UDMA_CLASS);
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), UDMA_CLASS "/%s/provider", entry->d_name);
		count += !try_read_text(path, seen, sizeof(seen)) && !strcmp(seen, sim->device);
	}
	closedir(dir);
	return count;
}

/* A file of a channel in dmaengine's directory of it */
static int try_dma_path(const struct sim *sim, unsigned int number, const char *file, char *path,
			size_t bytes)
{
	char name[32];

	if (try_find_channel(sim->device, number, name, sizeof(name)))
		return -1;
	snprintf(path, bytes, "/sys/class/dma/%s/%s", name, file);
	return 0;
}

/* Whether somebody has a channel, or -1. */
static long channel_in_use(const struct sim *sim, unsigned int number)
{
	char path[128], text[16];

	if (try_dma_path(sim, number, "in_use", path, sizeof(path)) ||
	    try_read_text(path, text, sizeof(text)))
		return -1;
	return number_of(text);
}

/* Nobody has any of both, in whatever way. */
static const char *whats_left(const struct sim *sim)
{
	if (bound_channels(sim))
		return "bound";
	if (channel_in_use(sim, 0) || channel_in_use(sim, 1))
		return "in use";
	return "nothing";
}

/* What a file of the channel of that name says. */
static const char *says(const char *name, const char *attribute)
{
	static char text[64];
	char path[128], node[32];

	if (try_find_node(name, node, sizeof(node)))
		return strerror(errno);
	snprintf(path, sizeof(path), UDMA_CLASS "/%.31s/%s", node, attribute);
	if (try_read_text(path, text, sizeof(text)))
		return strerror(errno);
	return text;
}

/*
 * A node that waits comes when the driver core has a thread for it. What a device says of
 * itself can be read before there is a file of it.
 */
static int try_wait_channel(const char *name)
{
	__u64 end = 0;
	int fd;

	do {
		fd = try_open(name, O_RDWR);
		if (fd >= 0)
			return close(fd);
	} while (look_again(&end));
	return -1;
}

/* Two programs, at either end */

struct ends {
	int out, in;
	struct buffer src, dst;
};

static int try_ends_open(struct ends *ends, const char *tx, const char *rx)
{
	ends->out = try_open(tx, O_RDWR);
	ends->in = try_open(rx, O_RDWR);
	if (ends->out < 0 || ends->in < 0 || try_alloc_map(ends->out, BYTES, &ends->src) ||
	    try_alloc_map(ends->in, BYTES, &ends->dst))
		return -1;
	pattern_prepare(&ends->src, 0, BYTES, PATTERN_OTHER, PATTERN_SOURCE);
	pattern_prepare(&ends->dst, 0, BYTES, PATTERN_GUARD, PATTERN_STALE);
	return 0;
}

/* The memory goes with the programs' mappings only. */
static int try_ends_close(struct ends *ends)
{
	if (try_unmap(&ends->src) || try_unmap(&ends->dst) || close(ends->in))
		return -1;
	return close(ends->out);
}

/* Out by one and in by the other: "came back", or what is wrong. */
static const char *loop_verdict(const char *tx, const char *rx)
{
	struct udma_event event;
	struct ends ends;

	if (try_ends_open(&ends, tx, rx))
		return "cannot be opened";
	if (try_submit_one(ends.in, receive_request(&ends.dst, 0, BYTES)) != 1)
		return "cannot receive";
	if (try_run(ends.out, send_request(&ends.src, 0, BYTES), &event) || event.status)
		return "not sent";
	if (try_collect(ends.in, &event, 1) != 1 || event.status || event.bytes != BYTES)
		return "not received";
	if (memcmp(ends.src.mem, ends.dst.mem, BYTES))
		return "came back wrong";
	if (try_ends_close(&ends))
		return "cannot be closed";
	return "came back";
}

/* As it should be */

TEST_F(node, makes_a_device_of_each_name)
{
	struct udma_info info;
	int fd;

	must(try_pair_add(&self->node));
	EXPECT_EQ(2, bound_channels(&self->sim));
	EXPECT_STREQ("mem_to_dev", says(self->node.tx, "direction"));
	EXPECT_STREQ("dev_to_mem", says(self->node.rx, "direction"));
	EXPECT_STREQ(self->sim.device, says(self->node.tx, "provider"));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));

	fd = must(try_open(self->node.rx, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_STREQ(self->node.rx, info.out_name);
	EXPECT_EQ(UDMA_DIRECTION_DEV_TO_MEM, info.out_direction);
	must(close(fd));

	must(try_node_remove(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
}

TEST_F(node, is_called_by_its_own_name_without_the_address_if_it_has_no_label)
{
	must(try_node_add(&self->node, NODE_PAIR));
	snprintf(self->node.tx, sizeof(self->node.tx), "n%d-tx", self->node.id);
	snprintf(self->node.rx, sizeof(self->node.rx), "n%d-rx", self->node.id);
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

TEST_F(node, gives_the_longest_name_and_none_that_is_longer)
{
	const char *label = "label-of-28.bytes_0123456789";

	ASSERT_EQ(UDMA_NAME_BYTES - 1 - strlen("-tx"), strlen(label));
	snprintf(self->text, sizeof(self->text), NODE_PAIR " label=s:%s", label);
	must(try_node_add(&self->node, self->text));
	snprintf(self->node.tx, sizeof(self->node.tx), "%s-tx", label);
	snprintf(self->node.rx, sizeof(self->node.rx), "%s-rx", label);
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));

	strcat(self->text, "0");
	must(try_node_add(&self->node, self->text));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	fails(ENAMETOOLONG, try_node_probe(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_node_remove(&self->node));
}

TEST_F(node, shows_in_dmaengine)
{
	char path[128], target[300], *last;
	ssize_t length;

	must(try_pair_add(&self->node));
	must(try_dma_path(&self->sim, RECEIVE, "slave", path, sizeof(path)));
	length = must(readlink(path, target, sizeof(target) - 1));
	target[length] = '\0';
	last = strrchr(target, '/');
	ASSERT_NE(NULL, last);
	EXPECT_STREQ(self->node.device, last + 1);
	snprintf(self->text, sizeof(self->text), "/sys/bus/platform/devices/%s/dma:rx",
		 self->node.device);
	must(access(self->text, F_OK));

	must(try_node_unbind(&self->node));
	fails(ENOENT, access(path, F_OK));
	fails(ENOENT, access(self->text, F_OK));
	must(try_node_remove(&self->node));
}

TEST_F(node, comes_and_goes_often)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must(try_pair_add(&self->node));
		EXPECT_EQ(2, bound_channels(&self->sim));
		must(try_node_remove(&self->node));
		EXPECT_STREQ("nothing", whats_left(&self->sim));
	}
}

/* What is said of the devices */

TEST_F(node, tells_the_controller_of_its_devices)
{
	struct udma_info info;
	char path[128];
	int fd, length;

	snprintf(self->text, sizeof(self->text),
		 "label=s:l%d dma-names=s:rx,tx udma,addresses=64:0x43c00000,%llu %s",
		 self->node.id, 1234567890123456789ULL,
		 "udma,widths=32:4,8 udma,bursts=32:16,256");
	must(try_node_add(&self->node, self->text));
	EXPECT_STREQ("0x43c00000", says(self->node.rx, "address"));
	EXPECT_STREQ("4", says(self->node.rx, "width"));
	EXPECT_STREQ("16", says(self->node.rx, "burst"));
	EXPECT_STREQ("0x112210f47de98115", says(self->node.tx, "address"));
	EXPECT_STREQ("8", says(self->node.tx, "width"));
	EXPECT_STREQ("256", says(self->node.tx, "burst"));

	sim_path(&self->sim, "slave_config", path, sizeof(path));
	fd = must(open(path, O_RDONLY));
	length = must(read(fd, self->text, sizeof(self->text) - 1));
	self->text[length] = '\0';
	must(close(fd));
	EXPECT_STREQ("0 0x0 0x112210f47de98115 8 8 256 256\n1 0x43c00000 0x0 4 4 16 16\n",
		     self->text);

	fd = must(try_open(self->node.tx, O_RDWR));
	must(try_info(fd, &info));
	EXPECT_EQ(8, info.out_width);
	EXPECT_EQ(256, info.out_burst);
	must(close(fd));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

TEST_F(node, can_be_told_by_root_to_do_otherwise)
{
	char node[32];

	must(try_pair_add(&self->node));
	must(try_find_node(self->node.rx, node, sizeof(node)));
	snprintf(self->text, sizeof(self->text), UDMA_CLASS "/%s/width", node);
	must(try_write_text(self->text, "2"));
	EXPECT_STREQ("2", says(self->node.rx, "width"));
	must(try_node_remove(&self->node));
}

/* Names that say nothing */
FIXTURE(source)
{
	struct sim sim;
	struct node node;
	char name[40];
};

FIXTURE_VARIANT(source)
{
	const char *properties;
	const char *direction;	/* NULL where there is no such channel */
	bool need_config;
	int error;
};

FIXTURE_VARIANT_ADD(source, without_a_word)
{
	.properties = "dma-names=s:ch1",
	.direction = "dev_to_mem",
};

FIXTURE_VARIANT_ADD(source, with_the_word)
{
	.properties = "dma-names=s:ch1 udma,directions=s:dev-to-mem",
	.direction = "dev_to_mem",
};

FIXTURE_VARIANT_ADD(source, with_the_wrong_word)
{
	.properties = "dma-names=s:ch1 udma,directions=s:mem-to-dev",
	.error = EOPNOTSUPP,
};

FIXTURE_VARIANT_ADD(source, with_an_address_and_no_word)
{
	.properties = "dma-names=s:ch1 udma,addresses=64:0x1000 udma,widths=32:4",
	.direction = "dev_to_mem",
	.need_config = true,
};

/* It is there, but of no use until root has said where its device is. */
FIXTURE_VARIANT_ADD(source, that_has_to_be_told_without_a_word)
{
	.properties = "dma-names=s:ch1",
	.direction = "none",
	.need_config = true,
};

FIXTURE_VARIANT_ADD(source, that_has_to_be_told_with_a_word)
{
	.properties = "dma-names=s:ch1 udma,directions=s:dev-to-mem",
	.need_config = true,
	.error = EDESTADDRREQ,
};

FIXTURE_VARIANT_ADD(source, that_cannot_be_told_an_address)
{
	.properties = "dma-names=s:ch1 udma,addresses=64:0x1000",
	.error = EOPNOTSUPP,
};

FIXTURE_VARIANT_ADD(source, that_cannot_be_told_and_is_told_nothing)
{
	.properties = "dma-names=s:ch1 udma,addresses=64:0 udma,widths=32:0 udma,bursts=32:0",
	.direction = "dev_to_mem",
};

FIXTURE_SETUP(source)
{
	if (!nodes_can_be())
		SKIP(return, "no udma-node-test, or no debugfs");
	node_init(&self->node);
	snprintf(self->name, sizeof(self->name), "n%d-ch1", self->node.id);
	must(try_node_sim(&self->node, &self->sim, "source", variant->need_config));
	must(try_sim_live(&self->sim));
}

FIXTURE_TEARDOWN(source)
{
	if (*self->sim.name)
		works(try_sim_rmdir(&self->sim));
}

TEST_F(source, goes_the_way_that_is_said)
{
	struct udma_event event;
	struct udma_info info;
	struct buffer buffer;
	char width[16];
	int fd;

	must(try_node_add(&self->node, variant->properties));
	if (!variant->direction) {
		EXPECT_STREQ("nothing", whats_left(&self->sim));
		fails(variant->error, try_node_probe(&self->node));
		EXPECT_STREQ("nothing", whats_left(&self->sim));
		must(try_node_remove(&self->node));
		return;
	}
	EXPECT_EQ(1, bound_channels(&self->sim));
	EXPECT_STREQ(variant->direction, says(self->name, "direction"));
	EXPECT_EQ(1, channel_in_use(&self->sim, 1));
	fd = must(try_open(self->name, O_RDWR));
	must(try_info(fd, &info));
	snprintf(width, sizeof(width), "%u", info.out_width);
	EXPECT_STREQ(width, says(self->name, "width"));
	must(try_alloc_map(fd, BYTES, &buffer));
	if (strcmp(variant->direction, "none")) {
		must(try_run(fd, receive_request(&buffer, 0, BYTES), &event));
		EXPECT_EQ(0, event.status);
		EXPECT_EQ(BYTES, counting_differs(buffer.mem, 0, 0, BYTES));
	} else {
		fails(EOPNOTSUPP, try_submit_one(fd, receive_request(&buffer, 0, BYTES)));
	}
	must(try_unmap(&buffer));
	must(close(fd));
	must(try_node_remove(&self->node));
}

/* Mistakes */

TEST_F(node, refuses_what_is_wrong_and_binds_none)
{
	static const struct {
		int error;
		const char *properties;
	} mistakes[] = {
		/* No names, or not those of channels */
		{ EINVAL, "udma,addresses=64:0,0" },
		{ EINVAL, "dma-names" },
		{ EINVAL, "dma-names=s:tx,tx" },
		{ EINVAL, "dma-names=s:tx, udma,addresses=64:0,0" },
		{ EINVAL, "dma-names=s:tx,r/x udma,addresses=64:0,0" },
		{ EINVAL, NODE_PAIR " label=s:" },
		{ EINVAL, NODE_PAIR " label=s:../x" },
		{ EINVAL, NODE_PAIR " label=s:a@b" },
		{ EINVAL, NODE_PAIR " label=s:a\tb" },
		/* It would be mistaken for a node in /dev. */
		{ EINVAL, NODE_PAIR " label=s:udma7" },
		{ ENAMETOOLONG, "dma-names=s:tx,rx-with-a-name-that-is-much-too-long" },
		/* Not one for each */
		{ EINVAL, "dma-names=s:tx,rx udma,addresses=64:0" },
		{ EINVAL, "dma-names=s:tx,rx udma,addresses=64:0,0,0" },
		{ EINVAL, "dma-names=s:tx,rx udma,addresses=32:0" },
		{ EINVAL, "dma-names=s:tx,rx udma,addresses=32:0,0" },
		{ EINVAL, "dma-names=s:tx,rx udma,addresses" },
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev" },
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev,dev-to-mem,mem-to-mem" },
		{ EINVAL, NODE_PAIR " udma,directions" },
		{ EINVAL, NODE_PAIR " udma,widths=32:1" },
		{ EINVAL, NODE_PAIR " udma,widths=32:1,1,1" },
		{ EINVAL, NODE_PAIR " udma,widths" },
		{ EINVAL, NODE_PAIR " udma,bursts=32:1" },
		{ EINVAL, NODE_PAIR " udma,bursts=32:1,1,1" },
		{ EINVAL, NODE_PAIR " udma,bursts" },
		/* Not what there is */
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev,sideways" },
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev,none" },
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev," },
		{ EINVAL, NODE_PAIR " udma,directions=s:mem-to-dev,dev-to-mem-to-mem-to-dev" },
		{ EINVAL, NODE_PAIR " udma,widths=32:1,3" },
		{ EINVAL, NODE_PAIR " udma,widths=32:1,64" },
		{ EINVAL, NODE_PAIR " udma,widths=32:1,0x80000000" },
		{ EINVAL, NODE_PAIR " udma,bursts=32:1,257" },
		/* What is said goes before what names say. */
		{ EOPNOTSUPP, NODE_PAIR " udma,directions=s:mem-to-dev,mem-to-dev" },
		{ EOPNOTSUPP, NODE_PAIR " udma,directions=s:mem-to-mem,dev-to-mem" },
		{ EDESTADDRREQ, "dma-names=s:tx,rx" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		must(try_node_add(&self->node, mistakes[i].properties));
		EXPECT_FALSE(node_is_bound(&self->node))
			TH_LOG("%s", mistakes[i].properties);
		fails(mistakes[i].error, try_node_probe(&self->node))
			TH_LOG("%s", mistakes[i].properties);
		EXPECT_STREQ("nothing", whats_left(&self->sim))
			TH_LOG("%s", mistakes[i].properties);
		must(try_node_remove(&self->node));
	}
	/* It was not the controller. */
	must(try_pair_add(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

/* They must not be cut, or one would be missing, and nobody would know. */
TEST_F(node, refuses_more_names_than_it_can_have)
{
	unsigned int i;
	int end;

	end = sprintf(self->text, "dma-names=s:tx");
	for (i = 1; i < 65; i++)
		end += sprintf(self->text + end, ",c%u", i);
	must(try_node_add(&self->node, self->text));
	fails(EINVAL, try_node_probe(&self->node));
	must(try_node_remove(&self->node));
	/* So many can be, but nobody has them. */
	*strrchr(self->text, ',') = '\0';
	must(try_node_add(&self->node, self->text));
	fails(EAGAIN, try_node_probe(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_node_remove(&self->node));
}

TEST_F(node, refuses_a_name_that_is_taken_and_binds_none)
{
	static const struct sim_config config;
	struct sim other;
	char spec[160];

	must(try_sim_make(&other, &config));
	snprintf(spec, sizeof(spec), "%s=%s:0", self->node.rx, other.device);
	must(try_bind(spec));
	must(try_pair_add(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	fails(EEXIST, try_node_probe(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	EXPECT_STREQ(other.device, says(self->node.rx, "provider"));

	must(try_unbind(self->node.rx));
	must(try_node_probe(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
	must(try_sim_end(&other));
}

TEST_F(node, refuses_the_label_of_another)
{
	struct node second;
	struct sim other;

	node_init(&second);
	must(try_node_sim(&second, &other, "loopback", true));
	must(try_sim_live(&other));
	must(try_pair_add(&self->node));
	snprintf(self->text, sizeof(self->text), NODE_PAIR " label=s:l%d", self->node.id);
	must(try_node_add(&second, self->text));
	EXPECT_FALSE(node_is_bound(&second));
	EXPECT_STREQ("nothing", whats_left(&other));
	fails(EEXIST, try_node_probe(&second));
	EXPECT_EQ(2, bound_channels(&self->sim));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&second));
	must(try_node_remove(&self->node));
	must(try_sim_end(&other));
}

/* Controllers that are not there */

TEST_F(node, waits_for_its_controller)
{
	must(try_sim_set(&self->sim, "live", 0));
	must(try_pair_add(&self->node));
	EXPECT_FALSE(node_is_bound(&self->node));
	fails(EAGAIN, try_node_probe(&self->node));
	must(try_sim_live(&self->sim));
	must(try_wait_channel(self->node.rx));
	EXPECT_EQ(2, bound_channels(&self->sim));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

TEST_F(node, waits_for_the_last_of_several_controllers)
{
	struct sim other;

	must(try_node_sim(&self->node, &other, "source", true));
	snprintf(self->text, sizeof(self->text),
		 "label=s:l%d dma-names=s:tx,rx,ch1 udma,addresses=64:0,0,0", self->node.id);
	must(try_node_add(&self->node, self->text));
	EXPECT_FALSE(node_is_bound(&self->node));
	fails(EAGAIN, try_node_probe(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_sim_live(&other));
	snprintf(self->text, sizeof(self->text), "l%d-ch1", self->node.id);
	must(try_wait_channel(self->text));
	EXPECT_EQ(2, bound_channels(&self->sim));
	EXPECT_EQ(1, bound_channels(&other));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));

	/* All or none, also when one goes. */
	must(try_sim_set(&other, "live", 0));
	EXPECT_FALSE(node_is_bound(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_node_remove(&self->node));
	must(try_sim_rmdir(&other));
}

/*
 * A device that gets its driver has the driver core try all again that wait. A node must not
 * have that happen by binding some of its channels, or it would be tried for ever.
 */
TEST_F(node, is_left_alone_while_it_waits)
{
	long before, after;
	char text[32];
	__u64 end;

	must(try_node_add(&self->node, "dma-names=s:tx,nobody udma,addresses=64:0,0"));
	EXPECT_FALSE(node_is_bound(&self->node));
	must(try_read_text("/sys/kernel/uevent_seqnum", text, sizeof(text)));
	before = number_of(text);
	for (end = now_ns() + 200000000; now_ns() < end;)
		sched_yield();
	must(try_read_text("/sys/kernel/uevent_seqnum", text, sizeof(text)));
	after = number_of(text);
	EXPECT_EQ(before, after);
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_node_remove(&self->node));
}

/* A channel that somebody has may be given back. */
TEST_F(node, waits_for_a_channel_that_is_taken_and_binds_none)
{
	must(try_sim_bind(&self->sim, RECEIVE));
	must(try_pair_add(&self->node));
	EXPECT_FALSE(node_is_bound(&self->node));
	fails(EAGAIN, try_node_probe(&self->node));
	EXPECT_EQ(1, bound_channels(&self->sim));
	EXPECT_EQ(0, channel_in_use(&self->sim, TRANSMIT));
	must(try_sim_unbind(&self->sim, RECEIVE));
	must(try_node_probe(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

/* What root does to single channels */

TEST_F(node, keeps_its_channels_from_others)
{
	char spec[160];
	unsigned int i;

	must(try_pair_add(&self->node));
	for (i = 0; i < 2; i++) {
		snprintf(spec, sizeof(spec), "%s:%u", self->sim.device, i);
		fails(EBUSY, try_bind(spec));
	}
	snprintf(spec, sizeof(spec), "%s=memcpy", self->node.tx);
	fails(EEXIST, try_bind(spec));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

TEST_F(node, lets_root_unbind_one_channel_and_has_it_again_with_the_next_probe)
{
	char spec[160];

	must(try_pair_add(&self->node));
	must(try_unbind(self->node.tx));
	EXPECT_EQ(1, bound_channels(&self->sim));
	EXPECT_EQ(0, channel_in_use(&self->sim, TRANSMIT));
	EXPECT_TRUE(node_is_bound(&self->node));
	must(try_node_unbind(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_node_probe(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));

	/* What root has bound by that name is not the node's. */
	must(try_unbind(self->node.tx));
	snprintf(spec, sizeof(spec), "%s=%s:0", self->node.tx, self->sim.device);
	must(try_bind(spec));
	must(try_node_remove(&self->node));
	EXPECT_EQ(1, bound_channels(&self->sim));
	must(try_unbind(self->node.tx));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
}

/* Ways to take a node, or all of it, away, and to have it back */

static int remove_node(const struct node *node, struct sim *sim)
{
	(void)sim;
	return try_node_remove(node);
}

static int add_node(const struct node *node, struct sim *sim)
{
	(void)sim;
	return try_pair_add(node);
}

static int unbind_node(const struct node *node, struct sim *sim)
{
	(void)sim;
	return try_node_unbind(node);
}

static int bind_node(const struct node *node, struct sim *sim)
{
	(void)sim;
	return try_node_probe(node);
}

static int unbind_controller(const struct node *node, struct sim *sim)
{
	(void)node;
	return try_write_text(SIM_DRIVER "unbind", sim->device);
}

/* The node comes by itself. */
static int bind_controller(const struct node *node, struct sim *sim)
{
	if (try_write_text(SIM_DRIVER "bind", sim->device))
		return -1;
	return try_wait_channel(node->rx);
}

static int end_controller(const struct node *node, struct sim *sim)
{
	(void)node;
	return try_sim_set(sim, "live", 0);
}

/* To the driver core that is another device, of which it has not heard. */
static int start_controller(const struct node *node, struct sim *sim)
{
	return try_sim_live(sim) ?: try_node_probe(node);
}

FIXTURE(gone)
{
	struct sim sim;
	struct node node;
};

FIXTURE_VARIANT(gone)
{
	int (*take)(const struct node *node, struct sim *sim);
	int (*restore)(const struct node *node, struct sim *sim);
};

FIXTURE_VARIANT_ADD(gone, with_its_device)
{
	.take = remove_node,
	.restore = add_node,
};

FIXTURE_VARIANT_ADD(gone, with_its_driver)
{
	.take = unbind_node,
	.restore = bind_node,
};

FIXTURE_VARIANT_ADD(gone, with_the_driver_of_its_controller)
{
	.take = unbind_controller,
	.restore = bind_controller,
};

FIXTURE_VARIANT_ADD(gone, with_its_controller)
{
	.take = end_controller,
	.restore = start_controller,
};

FIXTURE_SETUP(gone)
{
	if (!nodes_can_be())
		SKIP(return, "no udma-node-test, or no debugfs");
	node_init(&self->node);
	must(try_node_sim(&self->node, &self->sim, "loopback", true));
	must(try_sim_live(&self->sim));
	must(try_pair_add(&self->node));
}

FIXTURE_TEARDOWN(gone)
{
	if (!*self->sim.name)
		return;
	works(try_node_remove(&self->node));
	works(try_sim_rmdir(&self->sim));
}

TEST_F(gone, comes_back)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
		must(variant->take(&self->node, &self->sim));
		EXPECT_FALSE(node_is_bound(&self->node));
		EXPECT_EQ(0, bound_channels(&self->sim));
		must(variant->restore(&self->node, &self->sim));
		EXPECT_TRUE(node_is_bound(&self->node));
		EXPECT_EQ(2, bound_channels(&self->sim));
	}
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
}

/* A receive waits for its device, and one waits behind it. */
TEST_F(gone, ends_what_is_under_way)
{
	struct udma_event events[2];
	struct ends ends;
	int fd;

	must(try_ends_open(&ends, self->node.tx, self->node.rx));
	must(try_submit_one(ends.in, receive_request(&ends.dst, 0, BYTES)));
	must(try_submit_one(ends.in, receive_request(&ends.dst, 0, BYTES)));
	must(try_wait_pending(&self->sim, 1));
	must(variant->take(&self->node, &self->sim));

	ASSERT_EQ(2, must(try_collect(ends.in, events, 2)));
	EXPECT_EQ(-ENODEV, events[0].status);
	EXPECT_EQ(-ENODEV, events[1].status);
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(ends.in) & (POLLHUP | POLLERR));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(ends.out) & (POLLHUP | POLLERR));
	fails(ENODEV, try_submit_one(ends.out, send_request(&ends.src, 0, BYTES)));
	fails(ENODEV, try_alloc(ends.in, BYTES, &ends.dst));
	fails(EFAULT, try_touch(ends.src.mem));

	/* Those who have the old ones open are in nobody's way. */
	must(variant->restore(&self->node, &self->sim));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	fd = must(try_open(self->node.rx, O_RDWR));
	must(close(fd));
	must(close(ends.in));
	must(close(ends.out));
}

/* The module goes and comes */

/*
 * As others want it, with a channel that copies. Where there is a udevd it may load the module
 * for the node's device, before we do.
 */
static int try_reload(void)
{
	__u64 end = 0;

	if (syscall(SYS_delete_module, "udma", O_NONBLOCK) || system("modprobe udma"))
		return -1;
	while (try_bind("memcpy"))
		if (!look_again(&end))
			return -1;
	return 0;
}

TEST_F(node, comes_and_goes_with_the_module)
{
	must(try_pair_add(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(syscall(SYS_delete_module, "udma", O_NONBLOCK));
	EXPECT_EQ(0, system("modprobe udma"));
	must(try_wait_channel(self->node.rx));
	EXPECT_EQ(2, bound_channels(&self->sim));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_reload());
}

TEST_F(node, comes_with_the_module_when_it_could_not_before)
{
	__u64 end = 0;

	must(try_node_add(&self->node, "dma-names=s:tx,nobody udma,addresses=64:0,0"));
	must(try_reload());
	/* It is tried with each device that gets its driver, and leaves nothing behind. */
	while (node_is_bound(&self->node) || strcmp("nothing", whats_left(&self->sim)))
		ASSERT_TRUE(look_again(&end));
	must(try_node_remove(&self->node));
}

/*
 * Everything at once, but for removing the node's device: the driver core would have a link from a
 * new one to its controller before the probe, if firmware had named it. Without, a controller that
 * goes meanwhile is more than dmaengine can do with.
 */

typedef int (*act_t)(const struct node *node, struct sim *sim);

static void many_times(act_t act, const struct node *node, struct sim *sim)
{
	unsigned int i;

	/* Most of it fails. */
	for (i = 0; i < 60; i++)
		act(node, sim);
	_exit(0);
}

static int open_and_receive(const struct node *node, struct sim *sim)
{
	int fd = try_open(node->rx, O_RDWR);
	struct buffer buffer;

	(void)sim;
	if (fd < 0)
		return -1;
	if (!try_alloc(fd, 4096, &buffer))
		try_submit_one(fd, receive_request(&buffer, 0, 4096));
	return close(fd);
}

static int unbind_channel(const struct node *node, struct sim *sim)
{
	(void)sim;
	return try_unbind(node->tx);
}

static int bounce_node(const struct node *node, struct sim *sim)
{
	unbind_node(node, sim);
	return bind_node(node, sim);
}

static int bounce_controller(const struct node *node, struct sim *sim)
{
	unbind_controller(node, sim);
	return try_write_text(SIM_DRIVER "bind", sim->device);
}

TEST_F(node, goes_and_comes_in_several_ways_at_once)
{
	static const act_t acts[] = {
		bounce_node, bounce_controller, unbind_channel, open_and_receive,
	};
	pid_t children[ARRAY_SIZE(acts)];
	unsigned int i;
	int status;

	must(try_pair_add(&self->node));
	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		children[i] = must(fork());
		if (!children[i])
			many_times(acts[i], &self->node, &self->sim);
	}
	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		must(waitpid(children[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	/* Whatever there was last, there is all of it again. */
	must(try_node_remove(&self->node));
	try_write_text(SIM_DRIVER "bind", self->sim.device);
	EXPECT_STREQ("nothing", whats_left(&self->sim));
	must(try_pair_add(&self->node));
	EXPECT_STREQ("came back", loop_verdict(self->node.tx, self->node.rx));
	must(try_node_remove(&self->node));
}

TEST_HARNESS_MAIN
