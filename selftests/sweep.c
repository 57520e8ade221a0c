// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that can be called, with everything that can fail inside of it failing
 * once: memory that is not there and user memory that cannot be copied. A call that
 * fails leaves nothing behind, and goes well the next time.
 *
 * What watches the use of the DMA API is spared: it has memory of its own to allocate,
 * and does not look any more for the rest of the kernel's life once there was none.
 *
 * The kernel counts the points at which it could let something fail, for one thread
 * (fail-nth); here only those below the module's own functions. That takes a kernel
 * that was built for it.
 */
#include <sys/eventfd.h>
#include <sys/mount.h>

#include "udma_node.h"
#include "udma_queue.h"
#include "udma_witness.h"

#define DEBUGFS		"/sys/kernel/debug"
#define POINTS_MAX	1000

/* What is set, and what it was before. */
static struct knob {
	const char *path;
	const char *value;	/* or NULL: that of the sweep */
	char before[32];
} knobs[] = {
	{ "failslab/ignore-gfp-wait", "N", "" },
	{ "failslab/verbose", "0", "" },
	{ "failslab/reject-start", NULL, "" },
	{ "failslab/reject-end", NULL, "" },
	{ "failslab/require-start", NULL, "" },
	{ "failslab/require-end", NULL, "" },
	{ "fail_page_alloc/ignore-gfp-wait", "N", "" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N", "" },
	{ "fail_page_alloc/min-order", "0", "" },
	{ "fail_page_alloc/verbose", "0", "" },
	{ "fail_page_alloc/reject-start", NULL, "" },
	{ "fail_page_alloc/reject-end", NULL, "" },
	{ "fail_page_alloc/require-start", NULL, "" },
	{ "fail_page_alloc/require-end", NULL, "" },
	{ "fail_usercopy/verbose", "0", "" },
	{ "fail_usercopy/reject-start", NULL, "" },
	{ "fail_usercopy/reject-end", NULL, "" },
	{ "fail_usercopy/require-start", NULL, "" },
	{ "fail_usercopy/require-end", NULL, "" },
};

/* From where to where, addresses of functions. */
struct range {
	unsigned long from;
	unsigned long to;
};

static int try_module_range(const char *module, struct range *range)
{
	char line[512], name[64];
	unsigned long bytes;
	int ret = -1;
	FILE *file;

	file = fopen("/proc/modules", "r");
	if (!file)
		return -1;
	errno = ENOENT;
	while (ret && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &bytes,
			   &range->from) != 3 || strcmp(name, module))
			continue;
		range->to = range->from + bytes;
		ret = 0;
	}
	fclose(file);
	return ret;
}

/* Of all functions whose names begin so, which are in one file. */
static int try_function_range(const char *prefix, struct range *range)
{
	char line[256], name[128];
	bool is_next = false;
	unsigned long address;
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return -1;
	*range = (struct range) {};
	/* The last one ends where another begins: they are in order. */
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %127s", &address, name) != 2)
			continue;
		if (is_next)
			range->to = address;
		is_next = !strncmp(name, prefix, strlen(prefix)) &&
			  !strchr(name, '.');	/* parts that are far away */
		if (is_next && !range->from)
			range->from = address;
	}
	fclose(file);
	return 0;
}

static int try_knob(const struct knob *knob, const struct range *require,
		    const struct range *reject)
{
	char path[128], text[32];
	unsigned long value;

	snprintf(path, sizeof(path), DEBUGFS "/%s", knob->path);
	if (knob->value)
		return try_write_text(path, knob->value);
	if (strstr(path, "require"))
		value = strstr(path, "start") ? require->from : require->to;
	else
		value = strstr(path, "start") ? reject->from : reject->to;
	snprintf(text, sizeof(text), "0x%lx", value);
	return try_write_text(path, text);
}

/* Those that the kernel has not are not there to be saved. */
static bool knobs_save(void)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", knobs[i].path);
		if (try_read_text(path, knobs[i].before, sizeof(knobs[i].before)))
			return false;
	}
	return true;
}

static int try_knobs_set(const char *module, const char *spared)
{
	struct range require, reject;
	unsigned int i;

	if (try_module_range(module, &require) ||
	    try_function_range(spared ? spared : "debug_dma_", &reject))
		return -1;
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		if (try_knob(&knobs[i], &require, &reject))
			return -1;
	return 0;
}

static int try_knobs_restore(void)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", knobs[i].path);
		if (try_write_text(path, knobs[i].before))
			return -1;
	}
	return 0;
}

FIXTURE(sweep)
{
	struct sim sim;
	int fd;
	int efd;
	struct buffer buffer;
	struct udma_request fill;
	bool is_possible;
	bool is_mounted;	/* by us */
	int fail_nth;
};

/*
 * The calls. @run is what is to fail, and returns as a system call does; whether it
 * went well, @undo takes it back. @prepare comes before each.
 */
#define sweep_t	FIXTURE_DATA(sweep)

FIXTURE_VARIANT(sweep)
{
	const char *module;
	const char *spared;	/* functions in which nothing fails */
	int (*prepare)(sweep_t *self);
	long (*run)(sweep_t *self);
	int (*undo)(sweep_t *self, long ret);
	int errors[4];
	unsigned int least;	/* points that there are at least */
};

static int nothing(sweep_t *self)
{
	(void)self;
	return 0;
}

static int undo_nothing(sweep_t *self, long ret)
{
	(void)self;
	(void)ret;
	return 0;
}

/* open */

static long run_open(sweep_t *self)
{
	return try_sim_open(&self->sim, 0, O_RDWR);
}

static int undo_open(sweep_t *self, long ret)
{
	(void)self;
	return close(ret);
}

FIXTURE_VARIANT_ADD(sweep, open) {
	.module = "udma",
	.prepare = nothing, .run = run_open, .undo = undo_open,
	.errors = { ENOMEM }, .least = 2,
};

/*
 * The ioctls, with arguments that are not aligned. Those that are, the driver copies word
 * by word, where the kernel lets nothing fail.
 */
static long call(int fd, unsigned long nr, void *arg, size_t bytes)
{
	static __u64 words[64];
	unsigned char *mem = (unsigned char *)words + 1;
	long ret;

	memcpy(mem, arg, bytes);
	ret = ioctl(fd, nr, mem);
	memcpy(arg, mem, bytes);
	return ret;
}

static long run_info(sweep_t *self)
{
	struct udma_info info = { .size = sizeof(info) };

	return call(self->fd, UDMA_INFO, &info, sizeof(info));
}

FIXTURE_VARIANT_ADD(sweep, info) {
	.module = "udma",
	.prepare = nothing, .run = run_info, .undo = undo_nothing,
	.errors = { EFAULT }, .least = 2,
};

static long run_alloc(sweep_t *self)
{
	return try_alloc(self->fd, 20 * KIB, &self->buffer);
}

static int undo_alloc(sweep_t *self, long ret)
{
	(void)ret;
	return try_free(self->fd, self->buffer.handle);
}

FIXTURE_VARIANT_ADD(sweep, buffer_alloc) {
	.module = "udma",
	.prepare = nothing, .run = run_alloc, .undo = undo_alloc,
	.errors = { ENOMEM, EFAULT }, .least = 4,
};

static int prepare_alloc(sweep_t *self)
{
	return try_alloc(self->fd, 20 * KIB, &self->buffer);
}

static long run_free(sweep_t *self)
{
	struct udma_buffer_free free = {
		.size = sizeof(free),
		.handle = self->buffer.handle,
	};

	return call(self->fd, UDMA_BUFFER_FREE, &free, sizeof(free));
}

FIXTURE_VARIANT_ADD(sweep, buffer_free) {
	.module = "udma",
	.prepare = prepare_alloc, .run = run_free, .undo = undo_nothing,
	.errors = { EFAULT }, .least = 1,
};

static long run_submit(sweep_t *self)
{
	enum { COUNT = 40 };
	static struct udma_request requests[COUNT + 1];
	unsigned char *mem = (unsigned char *)requests + 1;
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)mem,
		.count = COUNT,
		.request_bytes = sizeof(self->fill),
	};
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		memcpy(mem + i * sizeof(self->fill), &self->fill,
		       sizeof(self->fill));
	return call(self->fd, UDMA_SUBMIT, &submit, sizeof(submit));
}

/* What was taken ends, whatever became of the rest. */
static int undo_submit(sweep_t *self, long ret)
{
	struct udma_event events[40];

	if (try_collect(self->fd, events, ret) != ret)
		return -1;
	return poll_now(self->fd) == POLLOUT ? 0 : -1;
}

FIXTURE_VARIANT_ADD(sweep, submit) {
	.module = "udma",
	.prepare = nothing, .run = run_submit, .undo = undo_submit,
	.errors = { EFAULT }, .least = 41,
};

static long run_cancel(sweep_t *self)
{
	struct udma_cancel cancel = {
		.size = sizeof(cancel),
		.flags = UDMA_CANCEL_F_ALL,
	};

	return call(self->fd, UDMA_CANCEL, &cancel, sizeof(cancel));
}

FIXTURE_VARIANT_ADD(sweep, cancel) {
	.module = "udma",
	.prepare = nothing, .run = run_cancel, .undo = undo_nothing,
	.errors = { EFAULT }, .least = 1,
};

static long run_eventfd(sweep_t *self)
{
	struct udma_eventfd eventfd = {
		.size = sizeof(eventfd),
		.fd = self->efd,
	};

	return call(self->fd, UDMA_EVENTFD, &eventfd, sizeof(eventfd));
}

static int undo_eventfd(sweep_t *self, long ret)
{
	(void)ret;
	return try_eventfd(self->fd, -1);
}

FIXTURE_VARIANT_ADD(sweep, eventfd) {
	.module = "udma",
	.prepare = nothing, .run = run_eventfd, .undo = undo_eventfd,
	.errors = { EFAULT }, .least = 1,
};

/* Queues, of a file of its own each time */

static struct queue queue;

static int prepare_setup(sweep_t *self)
{
	queue = (struct queue) { .fd = try_sim_open(&self->sim, 0, O_RDWR) };
	return queue.fd < 0 ? -1 : 0;
}

static long run_setup(sweep_t *self)
{
	(void)self;
	return try_setup(queue.fd, 64, 64, &queue.setup);
}

/* It has them, and they work. */
static int undo_setup(sweep_t *self, long ret)
{
	struct udma_event event;
	struct buffer buffer;

	(void)self;
	(void)ret;
	if (!queue.mem && try_queue_map(&queue))
		return -1;
	if (try_alloc(queue.fd, 4 * KIB, &buffer) ||
	    try_queue_run(&queue, fill_request(&buffer, 0, 64, 1), &event) ||
	    try_queue_unmap(&queue))
		return -1;
	errno = -event.status;
	return close(queue.fd) || event.status ? -1 : 0;
}

/* kmemleak does without a memory of its own, but says so each time. */
FIXTURE_VARIANT_ADD(sweep, queue_setup) {
	.module = "udma", .spared = "kmemleak_scan_area",
	.prepare = prepare_setup, .run = run_setup, .undo = undo_setup,
	.errors = { ENOMEM, EFAULT }, .least = 4,
};

static int prepare_queue_map(sweep_t *self)
{
	if (prepare_setup(self))
		return -1;
	return run_setup(self);
}

static long run_queue_map(sweep_t *self)
{
	(void)self;
	return try_queue_map(&queue);
}

FIXTURE_VARIANT_ADD(sweep, queue_mmap) {
	.module = "udma",
	.prepare = prepare_queue_map, .run = run_queue_map, .undo = undo_setup,
	.errors = { ENOMEM },
};

static int prepare_enter(sweep_t *self)
{
	if (prepare_queue_map(self) || try_queue_map(&queue))
		return -1;
	return 0;
}

/* Without a request, for which undo_setup() sees whether all is well. */
static long run_enter(sweep_t *self)
{
	struct udma_enter enter = {
		.size = sizeof(enter),
		.submit = 1,
	};

	(void)self;
	return call(queue.fd, UDMA_ENTER, &enter, sizeof(enter));
}

FIXTURE_VARIANT_ADD(sweep, enter) {
	.module = "udma",
	.prepare = prepare_enter, .run = run_enter, .undo = undo_setup,
	.errors = { EFAULT }, .least = 1,
};

/* read and poll */

static int prepare_read(sweep_t *self)
{
	if (try_submit_one(self->fd, self->fill) != 1 ||
	    try_submit_one(self->fd, self->fill) != 1)
		return -1;
	/* Both are there. */
	return try_wait_pending(&self->sim, 0);
}

static long run_read(sweep_t *self)
{
	static struct udma_event events[3];
	unsigned char *mem = (unsigned char *)events + 1;
	long ret = read(self->fd, mem, 2 * sizeof(events[0]));

	return ret < 0 ? ret : ret / (long)sizeof(events[0]);
}

/* What could not be copied stays. */
static int undo_read(sweep_t *self, long ret)
{
	struct udma_event events[2];

	if (ret < 2 && try_collect(self->fd, events, 2 - ret) != 2 - ret)
		return -1;
	return poll_now(self->fd) == POLLOUT ? 0 : -1;
}

FIXTURE_VARIANT_ADD(sweep, read) {
	.module = "udma",
	.prepare = prepare_read, .run = run_read, .undo = undo_read,
	.errors = { EFAULT }, .least = 2,
};

static long run_poll(sweep_t *self)
{
	return poll_now(self->fd);
}

FIXTURE_VARIANT_ADD(sweep, poll) {
	.module = "udma",
	.prepare = nothing, .run = run_poll, .undo = undo_nothing,
};

/* mmap */

static long run_mmap(sweep_t *self)
{
	return try_map(self->fd, &self->buffer);
}

static int undo_mmap(sweep_t *self, long ret)
{
	(void)ret;
	if (try_unmap(&self->buffer))
		return -1;
	return try_free(self->fd, self->buffer.handle);
}

static int prepare_mmap(sweep_t *self)
{
	/* More than one page table, at an address that has none yet. */
	return try_alloc(self->fd, 4 * MIB, &self->buffer);
}

/*
 * x86 warns (get_pat_info) when it has no memory for page tables in the middle of
 * remap_pfn_range(), up to 6.15 at least. That is nothing that a driver can help.
 */
FIXTURE_VARIANT_ADD(sweep, mmap) {
	.module = "udma", .spared = "remap_pfn_range",
	.prepare = prepare_mmap, .run = run_mmap, .undo = undo_mmap,
	.errors = { ENOMEM }, .least = 1,
};

static int prepare_munmap(sweep_t *self)
{
	return try_alloc_map(self->fd, 20 * KIB, &self->buffer);
}

static long run_munmap(sweep_t *self)
{
	return try_unmap(&self->buffer);
}

static int undo_munmap(sweep_t *self, long ret)
{
	(void)ret;
	return try_free(self->fd, self->buffer.handle);
}

FIXTURE_VARIANT_ADD(sweep, munmap) {
	.module = "udma",
	.prepare = prepare_munmap, .run = run_munmap, .undo = undo_munmap,
	.errors = { ENOMEM },
};

/* bind and unbind, of the second channel */

static long run_bind(sweep_t *self)
{
	return try_sim_bind(&self->sim, 1);
}

static int undo_bind(sweep_t *self, long ret)
{
	(void)ret;
	return try_sim_unbind(&self->sim, 1);
}

/*
 * dmaengine does not say why there is no channel, so that is EBUSY. The driver core
 * does not say why it did not come as far as our probe: ENODEV; nor that there is no
 * memory for a device's name: EINVAL.
 */
FIXTURE_VARIANT_ADD(sweep, bind) {
	.module = "udma",
	.prepare = nothing, .run = run_bind, .undo = undo_bind,
	.errors = { ENOMEM, EBUSY, ENODEV, EINVAL }, .least = 20,
};

static int prepare_unbind(sweep_t *self)
{
	return try_sim_bind(&self->sim, 1);
}

static long run_unbind(sweep_t *self)
{
	return try_sim_unbind(&self->sim, 1);
}

/* The driver core warns when it has no memory for the name of a link. */
FIXTURE_VARIANT_ADD(sweep, unbind) {
	.module = "udma", .spared = "devlink_remove_symlinks",
	.prepare = prepare_unbind, .run = run_unbind, .undo = undo_nothing,
	.errors = { ENOMEM }, .least = 1,
};

static struct sim other;

/* A node of the device tree, of one channel */

static struct node node;

static int prepare_node(sweep_t *self)
{
	(void)self;
	if (!nodes_can_be())
		return -1;
	node_init(&node);
	if (try_node_sim(&node, &other, "loopback", true) || try_sim_live(&other) ||
	    try_node_add(&node, "dma-names=s:rx udma,addresses=64:0"))
		return -1;
	return try_node_unbind(&node);
}

static long run_node(sweep_t *self)
{
	(void)self;
	return try_node_probe(&node);
}

static int undo_node(sweep_t *self, long ret)
{
	(void)self;
	(void)ret;
	return try_node_remove(&node) ?: try_sim_end(&other);
}

/* As for the errors, see bind. */
FIXTURE_VARIANT_ADD(sweep, node) {
	.module = "udma",
	.prepare = prepare_node, .run = run_node, .undo = undo_node,
	.errors = { ENOMEM, EBUSY, ENODEV, EINVAL }, .least = 40,
};

/* The simulator */

static long run_mkdir(sweep_t *self)
{
	(void)self;
	return try_sim_mkdir(&other);
}

static int undo_mkdir(sweep_t *self, long ret)
{
	(void)self;
	(void)ret;
	return try_sim_rmdir(&other);
}

FIXTURE_VARIANT_ADD(sweep, sim_mkdir) {
	.module = "udma_sim",
	.prepare = nothing, .run = run_mkdir, .undo = undo_mkdir,
	.errors = { ENOMEM }, .least = 2,
};

static int prepare_live(sweep_t *self)
{
	(void)self;
	return try_sim_mkdir(&other);
}

static long run_live(sweep_t *self)
{
	(void)self;
	return try_sim_live(&other);
}

static int undo_live(sweep_t *self, long ret)
{
	(void)self;
	(void)ret;
	return try_sim_end(&other);
}

/*
 * dmaengine leaks the name of a channel whose device it cannot register. As for the
 * errors, see bind; ours for a probe that was not called is ENXIO.
 */
FIXTURE_VARIANT_ADD(sweep, sim_live) {
	.module = "udma_sim", .spared = "__dma_async_device_channel",
	.prepare = prepare_live, .run = run_live, .undo = undo_live,
	.errors = { ENOMEM, ENXIO, EINVAL }, .least = 10,
};

FIXTURE_SETUP(sweep)
{
	static const struct sim_config config;

	self->fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	self->is_mounted = access(DEBUGFS "/failslab", F_OK) &&
			   !mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	self->is_possible = self->fail_nth >= 0 && knobs_save();
	must(try_sim_make(&self->sim, &config));
	must(try_sim_bind(&self->sim, 0));
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	self->efd = must(eventfd(0, EFD_CLOEXEC));
	must(try_alloc(self->fd, 4 * KIB, &self->buffer));
	self->fill = fill_request(&self->buffer, 0, 64, 1);
	if (self->is_possible)
		must(try_knobs_set(variant->module, variant->spared));
}

FIXTURE_TEARDOWN(sweep)
{
	if (self->is_possible)
		works(try_knobs_restore());
	EXPECT_STREQ("copied", witness_come(&self->sim));
	works(close(self->fd));
	works(close(self->efd));
	works(try_sim_finish(&self->sim));
	if (self->is_mounted)
		works(umount(DEBUGFS));
}

/* Have the @n-th point fail from now on, or with 0 none. */
static int try_fail_nth(sweep_t *self, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	return pwrite(self->fail_nth, text, length, 0) == length ? 0 : -1;
}

/* Whether it has failed. */
static bool has_failed(sweep_t *self)
{
	char text[16] = "";

	return pread(self->fail_nth, text, sizeof(text) - 1, 0) > 0 &&
	       atoi(text) == 0;
}

static bool is_allowed(const int *errors, unsigned int count, int error)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (errors[i] && errors[i] == error)
			return true;
	return false;
}

TEST_F_TIMEOUT(sweep, fails_and_goes_well_again, 600)
{
	unsigned int n, errors = 0;
	struct ledger before;
	bool failed;
	int error;
	long ret;

	if (!self->is_possible)
		SKIP(return, "the kernel cannot inject faults below a module");
	for (n = 1; n < POINTS_MAX; n++) {
		before = ledger_read(&self->sim);
		must(variant->prepare(self));
		must(try_fail_nth(self, n));
		ret = variant->run(self);
		error = errno_of(ret);
		failed = has_failed(self);
		must(try_fail_nth(self, 0));
		if (error) {
			errors++;
			EXPECT_TRUE(failed);
			EXPECT_TRUE(is_allowed(variant->errors,
					       ARRAY_SIZE(variant->errors),
					       error))
				TH_LOG("point %u: %s", n, strerror(error));
			ret = must(variant->run(self));
		}
		must(variant->undo(self, ret));
		must(try_ledger_wait(&self->sim, &before));
		if (!failed)
			break;
	}
	say("sweep: %u points, %u of them seen by the caller", n - 1, errors);
	EXPECT_GT(POINTS_MAX, n);
	EXPECT_LE(variant->least, n - 1);
}

TEST_HARNESS_MAIN
