// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that are shared with the kernel: setting them up, mapping them, and whom
 * they are shared with.
 */
#include <sys/wait.h>

#include "udma_stepped.h"

#define MOST_ENTRIES	4096

/* Before there are any */

FIXTURE(file)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
	struct udma_request fill;
	struct udma_queue_setup setup;
};

FIXTURE_SETUP(file)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, 64 * KIB, &self->buffer));
	self->fill = fill_request(&self->buffer, 0, 64, 1);
}

FIXTURE_TEARDOWN(file)
{
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

TEST_F(file, tells_how_many_entries_there_can_be)
{
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_EQ(MOST_ENTRIES, info.out_max_queue_entries);
	EXPECT_NE(0, info.out_window);
}

/* What is in both queues goes around several times. */
static const char *use_queues(struct queue *queue, struct udma_request request)
{
	struct udma_event *events = calloc(MOST_ENTRIES, sizeof(*events));
	const __u32 batch = queue->setup.submit_entries <
			    queue->setup.complete_entries ?
			    queue->setup.submit_entries :
			    queue->setup.complete_entries;
	const char *verdict = "works";
	__u64 sequence = 1;
	unsigned int round;
	__u32 i;

	for (round = 0; round < 3 && !strcmp(verdict, "works"); round++) {
		request.user_data = sequence;
		queue_put_times(queue, request, batch);
		if (try_enter(queue->fd, batch, batch) != (int)batch)
			verdict = "not all were taken";
		else if (queue_pop(queue, events, MOST_ENTRIES) != batch)
			verdict = "not all have ended";
		for (i = 0; i < batch; i++, sequence++)
			if (events[i].status || events[i].user_data != sequence ||
			    events[i].sequence != sequence)
				verdict = "another event";
	}
	free(events);
	return verdict;
}

TEST_F(file, has_queues_of_each_size)
{
	struct udma_request fill;
	struct buffer buffer;
	struct queue queue;
	__u32 entries;
	int fd;

	for (entries = 1; entries <= MOST_ENTRIES; entries *= 2) {
		fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		must(try_alloc(fd, 4096, &buffer));
		fill = fill_request(&buffer, 0, 1, 1);
		must(try_queue_start(&queue, fd, entries, entries));
		EXPECT_STREQ("works", use_queues(&queue, fill))
			TH_LOG("%u entries", entries);
		must(try_queue_unmap(&queue));
		must(close(fd));
	}
}

TEST_F(file, has_queues_of_different_sizes)
{
	static const __u32 sizes[][2] = {
		{ 1, MOST_ENTRIES }, { MOST_ENTRIES, 1 }, { 4, 64 }, { 64, 4 },
		{ 1, 2 }, { 2, 1 }, { 63 + 1, 128 },
	};
	struct udma_request fill;
	struct buffer buffer;
	struct queue queue;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		must(try_alloc(fd, 4096, &buffer));
		fill = fill_request(&buffer, 0, 1, 1);
		must(try_queue_start(&queue, fd, sizes[i][0], sizes[i][1]));
		EXPECT_STREQ("works", use_queues(&queue, fill))
			TH_LOG("%u and %u entries", sizes[i][0], sizes[i][1]);
		must(try_queue_unmap(&queue));
		must(close(fd));
	}
}

TEST_F(file, has_no_queues_of_other_sizes)
{
	static const __u32 sizes[] = {
		0, 3, 5, 6, 7, 9, 12, 100, 255, 257, 4095, 4097, 8192, 65536,
		1U << 30, 1U << 31, (1U << 31) + 1, ~0U,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fails(EINVAL, try_setup(self->fd, sizes[i], ENTRIES,
					&self->setup))
			TH_LOG("%u requests", sizes[i]);
		fails(EINVAL, try_setup(self->fd, ENTRIES, sizes[i],
					&self->setup))
			TH_LOG("%u events", sizes[i]);
	}
	/* None of that was the once. */
	must(try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
}

TEST_F(file, has_no_queues_with_anything_reserved)
{
	const struct udma_queue_setup right = {
		.size = sizeof(right),
		.submit_entries = ENTRIES,
		.complete_entries = ENTRIES,
		.request_bytes = sizeof(struct udma_request),
	};
	struct {
		struct udma_queue_setup setup;
		__u64 more;
	} longer = { .setup = right, .more = 1 };
	struct udma_queue_setup setup;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		setup = right;
		setup.flags = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
		setup = right;
		setup.__reserved = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
	}
	setup = right;
	setup.size = sizeof(setup) - 1;
	fails(EINVAL, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
	longer.setup.size = sizeof(longer);
	fails(E2BIG, ioctl(self->fd, UDMA_QUEUE_SETUP, &longer));
	longer.more = 0;
	must(ioctl(self->fd, UDMA_QUEUE_SETUP, &longer));
}

TEST_F(file, has_queues_once)
{
	must(try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
	fails(EBUSY, try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
	fails(EBUSY, try_setup(self->fd, 1, 1, &self->setup));
}

TEST_F(file, has_no_queues_while_a_transfer_is_under_way)
{
	struct udma_event event;

	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_one(self->fd, self->fill));
	fails(EBUSY, try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
	must(try_step(&self->sim, 1));
	/* Nor while its event is there. */
	fails(EBUSY, try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
	ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
	EXPECT_EQ(1, event.sequence);
	must(try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
}

/* All that one can submit was, and that leaves nothing behind. */
TEST_F(file, has_queues_after_much_else)
{
	struct udma_event events[256];
	struct udma_info info;
	struct queue queue;
	unsigned int i;

	must(try_info(self->fd, &info));
	ASSERT_GE(ARRAY_SIZE(events), info.out_max_transfers);
	for (i = 0; i < info.out_max_transfers; i++)
		must(try_submit_one(self->fd, self->fill));
	must(try_collect(self->fd, events, info.out_max_transfers));
	must(try_queue_start(&queue, self->fd, ENTRIES, ENTRIES));
	EXPECT_EQ(POLLOUT, poll_now(self->fd));
	must(try_queue_run(&queue, self->fill, events));
	/* Numbers go on. */
	EXPECT_EQ(info.out_max_transfers + 1, events[0].sequence);
	must(try_queue_unmap(&queue));
}

TEST_F(file, that_has_none_cannot_be_entered)
{
	fails(ENXIO, try_enter(self->fd, 0, 0));
	fails(ENXIO, try_enter(self->fd, 1, 0));
	fails(ENXIO, try_enter(self->fd, 0, 1));
}

TEST_F(file, open_for_reading_has_none)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));

	fails(EBADF, try_setup(fd, ENTRIES, ENTRIES, &self->setup));
	fails(EBADF, try_enter(fd, 0, 0));
	must(close(fd));
}

TEST_F(file, open_for_writing_has_some_that_cannot_be_mapped)
{
	int fd = must(try_sim_open(&self->sim, 0, O_WRONLY));
	struct queue queue;

	fails(EACCES, try_queue_start(&queue, fd, ENTRIES, ENTRIES));
	fails(EBUSY, try_setup(fd, ENTRIES, ENTRIES, &self->setup));
	EXPECT_EQ(0, try_enter(fd, 1, 0));
	must(close(fd));
}

TEST_F(file, has_none_when_it_could_not_be_told_where)
{
	struct udma_queue_setup *setup = (void *)pages_before_hole(1);

	ASSERT_NE(NULL, setup);
	setup->size = sizeof(*setup);
	setup->submit_entries = ENTRIES;
	setup->complete_entries = ENTRIES;
	setup->request_bytes = sizeof(struct udma_request);
	must(mprotect(setup, page_bytes(), PROT_READ));
	fails(EFAULT, ioctl(self->fd, UDMA_QUEUE_SETUP, setup));
	must(mprotect(setup, page_bytes(), PROT_READ | PROT_WRITE));
	must(ioctl(self->fd, UDMA_QUEUE_SETUP, setup));
	fails(EFAULT, ioctl(self->fd, UDMA_ENTER, NULL));
}

TEST_F(file, has_queues_where_it_was_told)
{
	struct udma_queue_setup *setup = &self->setup;
	struct queue queue;
	__u32 s, c;

	must(try_queue_start(&queue, self->fd, 8, 32));
	*setup = queue.setup;
	s = setup->out_submit_offset;
	c = setup->out_complete_offset;
	EXPECT_EQ(8, setup->submit_entries);
	EXPECT_EQ(32, setup->complete_entries);
	EXPECT_EQ(0, setup->out_mmap_offset % page_bytes());
	EXPECT_EQ(0, setup->out_map_bytes % page_bytes());
	EXPECT_EQ(0, s % 64);
	EXPECT_EQ(0, c % 64);
	EXPECT_LE(sizeof(struct udma_queue_shared), s);
	EXPECT_LE(sizeof(struct udma_queue_shared), c);
	EXPECT_TRUE(s + 8 * 64 <= c || c + 32 * 64 <= s);
	EXPECT_LE(s + 8 * 64, setup->out_map_bytes);
	EXPECT_LE(c + 32 * 64, setup->out_map_bytes);
	must(try_queue_unmap(&queue));
}

/* Nothing but the counts, and no more of the kernel's memory than its own. */
TEST_F(file, has_queues_that_are_empty)
{
	struct udma_queue_shared *shared;
	struct queue queue;

	must(try_queue_start(&queue, self->fd, ENTRIES, ENTRIES));
	shared = queue.shared;
	EXPECT_EQ(shared->submit_tail, shared->submit_head);
	EXPECT_EQ(shared->complete_tail, shared->complete_head);
	EXPECT_EQ(0, shared->state);
	memset(shared, 0, sizeof(*shared));
	EXPECT_EQ(-1, find_other(queue.mem, queue.setup.out_map_bytes, 0));
	must(try_queue_unmap(&queue));
}

TEST_F(file, has_its_own_queues)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct queue own, other;
	struct udma_event event;

	must(try_queue_start(&own, self->fd, ENTRIES, ENTRIES));
	/* There is nothing to be mapped before. */
	fails(EINVAL, try_mmap(fd, own.setup.out_mmap_offset, page_bytes(),
			       PROT_READ, MAP_SHARED, &other.mem));
	must(try_queue_start(&other, fd, ENTRIES, ENTRIES));
	must(try_queue_run(&own, self->fill, &event));
	EXPECT_EQ(0, queue_ready(&other));
	EXPECT_EQ(-1, find_other((void *)other.events, ENTRIES * 64, 0));
	EXPECT_EQ(-1, find_other((void *)other.requests, ENTRIES * 64, 0));
	/* What is there names nothing of the other file. */
	queue_put(&other, self->fill);
	fails(ENOENT, try_enter(fd, 1, 0));
	must(try_queue_unmap(&own));
	must(try_queue_unmap(&other));
	must(close(fd));
}

/* Much more than what there is without queues. */
TEST_F(file, has_as_many_under_way_as_it_has_events)
{
	const unsigned int count = MOST_ENTRIES;
	struct udma_event *events = calloc(count, sizeof(*events));
	struct queue queue;
	unsigned int i;

	ASSERT_NE(NULL, events);
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_queue_start(&queue, self->fd, 64, count));
	for (i = 0; i < count; i += 64) {
		queue_put_times(&queue, self->fill, 64);
		ASSERT_EQ(64, must(try_enter(self->fd, 64, 0)));
	}
	queue_put(&queue, self->fill);
	fails(EAGAIN, try_enter(self->fd, 1, 0));
	must(try_sim_set(&self->sim, "step_mode", 0));
	ASSERT_EQ(0, must(try_enter(self->fd, 0, count)));
	ASSERT_EQ(count, queue_pop(&queue, events, count));
	for (i = 0; i < count; i++)
		EXPECT_EQ(i + 1, events[i].sequence);
	EXPECT_EQ(1, try_enter(self->fd, 1, 1));
	must(try_queue_unmap(&queue));
	free(events);
}

/* The counts: where they begin, and what is behind 2^32 - 1 */

TEST_F(file, has_queues_whose_counts_wrap)
{
	struct udma_event event;
	__u32 submit, complete;
	struct queue queue;
	unsigned int i;

	must(try_queue_start(&queue, self->fd, 4, 8));
	submit = QUEUE_GET(queue.shared->submit_tail);
	complete = QUEUE_GET(queue.shared->complete_tail);
	for (i = 1; i <= 400; i++) {
		self->fill.user_data = ~i;
		must(try_queue_run(&queue, self->fill, &event));
		ASSERT_EQ(i, event.sequence);
		ASSERT_EQ(~(__u32)0 - i, event.user_data);
		ASSERT_EQ(0, event.status);
		ASSERT_EQ(submit + i, QUEUE_GET(queue.shared->submit_head));
		ASSERT_EQ(complete + i, QUEUE_GET(queue.shared->complete_tail));
	}
	/* They have passed it. */
	EXPECT_GT(submit, queue.tail);
	EXPECT_GT(complete, QUEUE_GET(queue.shared->complete_tail));
	must(try_queue_unmap(&queue));
}

/* Memory */

/* The sum of some lines of /proc/meminfo, in KiB; or -1. */
static long meminfo_kib(const char * const *names, unsigned int count)
{
	char line[128], name[64];
	long value, kib = 0;
	unsigned int i;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &value) != 2)
			continue;
		for (i = 0; i < count; i++)
			if (!strcmp(name, names[i]))
				kib += value;
	}
	fclose(file);
	return kib;
}

/* All that nobody else has; some of it lies about where it can be had again. */
static long kernel_kib(void)
{
	static const char * const total[] = { "MemTotal:" };
	static const char * const others[] = {
		"MemFree:", "Buffers:", "Cached:", "AnonPages:", "PageTables:",
	};

	return meminfo_kib(total, 1) -
	       meminfo_kib(others, ARRAY_SIZE(others));
}

/* Where the queues are; this is exact. */
static long vmalloc_kib(void)
{
	static const char * const names[] = { "VmallocUsed:" };

	return meminfo_kib(names, 1);
}

/* Memory may be freed by workers, and nobody is told. */
static int try_wait_kib(long (*kib)(void), long most)
{
	__u64 end = 0;
	long now;

	do {
		now = kib();
		if (now < 0)
			return -1;
		if (now <= most)
			return 0;
	} while (look_again(&end));
	say("%ld KiB, not %ld", now, most);
	errno = ETIME;
	return -1;
}

static int try_open_many(const struct sim *sim, int *fds, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		fds[i] = try_sim_open(sim, 0, O_RDWR);
		if (fds[i] < 0)
			return -1;
	}
	return 0;
}

static int try_close_many(const int *fds, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (close(fds[i]))
			return -1;
	return 0;
}

#define LARGE_FILES	16
/* A request and an event of each entry. */
#define LARGE_KIB	(MOST_ENTRIES * (64 + 64) / (long)KIB)

TEST_F(file, has_queues_until_the_last_mapping_goes)
{
	const long before = must(vmalloc_kib());
	struct queue queues[LARGE_FILES];
	int fds[LARGE_FILES];
	unsigned int i;

	must(try_open_many(&self->sim, fds, LARGE_FILES));
	for (i = 0; i < LARGE_FILES; i++) {
		must(try_queue_start(&queues[i], fds[i], MOST_ENTRIES,
				     MOST_ENTRIES));
	}
	EXPECT_LE(before + LARGE_FILES * LARGE_KIB, vmalloc_kib());
	must(try_close_many(fds, LARGE_FILES));
	EXPECT_LE(before + LARGE_FILES * LARGE_KIB, vmalloc_kib());
	for (i = 0; i < LARGE_FILES; i++) {
		must(try_queue_unmap(&queues[i]));
	}
	must(try_wait_kib(vmalloc_kib, before + LARGE_KIB / 2));
}

/* Of transfers too, wherever they are. */
TEST_F(file, has_queues_whose_memory_comes_back)
{
	const long before = must(kernel_kib());
	struct queue queue;
	unsigned int i;
	int fd;

	/* Several times what is kept at hand by the processors. */
	for (i = 0; i < 150; i++) {
		fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		must(try_queue_start(&queue, fd, MOST_ENTRIES, MOST_ENTRIES));
		fails(EBUSY, try_setup(fd, MOST_ENTRIES, MOST_ENTRIES,
				       &self->setup));
		must(close(fd));
		must(try_queue_unmap(&queue));
	}
	must(try_wait_kib(kernel_kib, before + 150 * LARGE_KIB / 2));
}

#define MANY_FILES	1000

/* Whether the kernel itself wants more, to look after memory. */
static bool memory_is_watched(void)
{
	char line[256];
	bool is_watched = false;
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return false;
	while (!is_watched && fgets(line, sizeof(line), file))
		is_watched = !!strstr(line, " __asan_load8");
	fclose(file);
	return is_watched;
}

TEST_F(file, without_queues_is_small)
{
	const struct rlimit limit = { 2 * MANY_FILES, 2 * MANY_FILES };
	static int fds[MANY_FILES];
	long kib;

	if (memory_is_watched())
		SKIP(return, "the kernel adds to what it allocates");
	must(setrlimit(RLIMIT_NOFILE, &limit));
	must(try_open_many(&self->sim, fds, MANY_FILES));
	must(try_close_many(fds, MANY_FILES));
	kib = must(kernel_kib());
	must(try_open_many(&self->sim, fds, MANY_FILES));
	kib = kernel_kib() - kib;
	must(try_close_many(fds, MANY_FILES));
	say("%ld bytes of the kernel's memory a file", kib * 1024 / MANY_FILES);
	EXPECT_GT(64 * MANY_FILES, kib);
	/* Its events alone are more than that. */
	EXPECT_LT(16 * MANY_FILES, kib);
}

TEST_F(file, whose_channel_is_gone_has_none)
{
	must(try_sim_unbind(&self->sim, 0));
	fails(ENODEV, try_setup(self->fd, ENTRIES, ENTRIES, &self->setup));
	fails(ENODEV, try_enter(self->fd, 0, 0));
	must(try_sim_bind(&self->sim, 0));
}

/* Queues, and a controller that is stepped */

/* Mapping */

TEST_F(queue, is_mapped_as_it_was_told)
{
	const __u64 offset = self->queue.setup.out_mmap_offset;
	const __u64 bytes = self->queue.setup.out_map_bytes;
	const int prot = PROT_READ | PROT_WRITE;
	unsigned char *mem;

	fails(EINVAL, try_mmap(self->fd, offset, bytes + page_bytes(), prot,
			       MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, offset, MIB, prot, MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, offset + bytes, page_bytes(), prot,
			       MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, offset + page_bytes(), bytes, prot,
			       MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, offset, bytes, prot, MAP_PRIVATE,
			       &mem));
	fails(EINVAL, try_mmap(self->fd, offset, bytes, PROT_READ, MAP_PRIVATE,
			       &mem));
	fails(EACCES, try_mmap(self->fd, offset, bytes, prot | PROT_EXEC,
			       MAP_SHARED, &mem));
	fails(EACCES, mprotect(self->queue.mem, bytes, prot | PROT_EXEC));
	/* Growing it shows nothing that is behind it. */
	mem = mremap(self->queue.mem, bytes, bytes + page_bytes(),
		     MREMAP_MAYMOVE);
	fails(EFAULT, mem == MAP_FAILED ? -1 : 0);
}

TEST_F(queue, is_mapped_for_reading)
{
	struct queue *queue = &self->queue;
	unsigned char *mem;

	must(try_mmap(self->fd, queue->setup.out_mmap_offset,
		      queue->setup.out_map_bytes, PROT_READ, MAP_SHARED, &mem));
	EXPECT_EQ(0, memcmp(mem, queue->mem, sizeof(*queue->shared)));
	fails(EFAULT, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, mem));
	must(munmap(mem, queue->setup.out_map_bytes));
}

TEST_F(queue, is_mapped_twice)
{
	struct queue again = self->queue;
	struct udma_event event;

	must(try_queue_map(&again));
	ASSERT_NE(again.mem, self->queue.mem);
	queue_put(&again, self->fill);
	self->queue.tail++;
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(1, queue_ready(&again));
	EXPECT_EQ(1, queue_ready(&self->queue));
	must(try_queue_unmap(&again));
	ASSERT_EQ(1, queue_pop(&self->queue, &event, 1));
	EXPECT_EQ(1, event.sequence);
}

TEST_F(queue, is_unmapped_and_mapped_again)
{
	struct queue *queue = &self->queue;

	queue_put_times(queue, self->fill, 3);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_queue_unmap(queue));
	/* There is no need to have it mapped. */
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_step(&self->sim, 2));
	must(try_queue_map(queue));
	EXPECT_EQ(1, queue_pending(queue));
	EXPECT_EQ(2, queue_ready(queue));
	takes_end(&self->queue, 1, 0, 64);
	takes_end(&self->queue, 2, 0, 64);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 3, 0, 64);
}

/* A mapping is a use of the file. */
TEST_F(queue, goes_on_without_a_descriptor)
{
	struct queue *queue = &self->queue;
	int users;

	queue_put_times(queue, self->fill, 2);
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	users = module_users();
	must(close(self->fd));
	self->fd = -1;
	EXPECT_EQ(users, module_users());
	must(try_step(&self->sim, 2));
	takes_end(&self->queue, 1, 0, 64);
	takes_end(&self->queue, 2, 0, 64);
	must(try_unmap(&self->buffer));
	must(try_queue_unmap(queue));
	EXPECT_GT(users, module_users());
}

TEST_F(queue, stays_when_the_channel_has_gone)
{
	struct queue *queue = &self->queue;
	struct udma_queue_shared seen;
	struct udma_event events[3];
	unsigned char *mem;

	queue_put_times(queue, self->fill, 3);
	ASSERT_EQ(3, must(try_enter(self->fd, 3, 0)));
	must(try_step(&self->sim, 1));
	EXPECT_EQ(0, queue->shared->state);
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	EXPECT_EQ(UDMA_QUEUE_S_CLOSED, queue->shared->state);
	EXPECT_EQ(3, queue_ready(queue));
	EXPECT_EQ(POLLIN | POLLHUP | POLLERR, poll_now(self->fd));
	takes_end(&self->queue, 1, 0, 64);
	/* Read or taken, it is the same queue. */
	ASSERT_EQ(1, queue_pop(queue, &events[0], 1));
	ASSERT_EQ(1, must(try_read(self->fd, &events[1], 2)));
	EXPECT_EQ(-ENODEV, events[0].status);
	EXPECT_EQ(-ENODEV, events[1].status);
	EXPECT_EQ(2 + 3, events[0].sequence + events[1].sequence);
	EXPECT_EQ(0, queue_ready(queue));
	EXPECT_EQ(POLLHUP | POLLERR, poll_now(self->fd));
	fails(ENODEV, try_read(self->fd, &(struct udma_event){}, 1));
	fails(ENODEV, try_enter(self->fd, 1, 0));
	fails(ENODEV, try_mmap(self->fd, queue->setup.out_mmap_offset,
			       page_bytes(), PROT_READ, MAP_SHARED, &mem));
	seen = *queue->shared;
	must(close(self->fd));
	self->fd = -1;
	EXPECT_EQ(0, memcmp(&seen, queue->shared, sizeof(seen)));
	/* Also what had not been touched before. */
	EXPECT_EQ(1, try_touch(queue->mem + queue->setup.out_map_bytes - 1));
	EXPECT_EQ(1, try_touch(queue->requests));
}

TEST_F(queue, that_was_never_touched_is_there_when_the_channel_has_gone)
{
	struct queue *queue = &self->queue;
	struct udma_event event;

	must(try_queue_unmap(queue));
	must(try_queue_map(queue));
	ASSERT_EQ(1, must(try_submit_one(self->fd, self->fill)));
	must(try_sim_unbind(&self->sim, 0));
	self->is_unbound = true;
	ASSERT_EQ(1, queue_pop(queue, &event, 1));
	EXPECT_EQ(-ENODEV, event.status);
}

/* Children */

static int try_child(struct queue *queue, int (*run)(struct queue *queue))
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(run(queue));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	errno = EPROTO;
	return status ? -1 : 0;
}

static int child_takes_one(struct queue *queue)
{
	struct udma_event event;

	if (queue_pop(queue, &event, 1) != 1 || event.sequence != 1)
		return 1;
	return try_enter(queue->fd, 1, 0) == 1 ? 0 : 2;
}

TEST_F(queue, is_shared_with_a_child)
{
	struct queue *queue = &self->queue;

	queue_put_times(queue, self->fill, 3);
	ASSERT_EQ(2, must(try_enter(self->fd, 2, 0)));
	must(try_step(&self->sim, 2));
	must(try_child(queue, child_takes_one));
	EXPECT_EQ(1, queue_ready(queue));
	EXPECT_EQ(0, queue_pending(queue));
	takes_end(&self->queue, 2, 0, 64);
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 3, 0, 64);
}

/* It has nothing but what it is sent. */
static int child_receives(struct queue *queue)
{
	const int socket = queue->fd;

	queue->fd = try_receive_fd(socket);
	if (queue->fd < 0 || try_queue_map(queue))
		return 3;
	return child_takes_one(queue);
}

TEST_F(queue, is_sent_with_its_file)
{
	struct queue sent = self->queue;
	int sockets[2];

	queue_put_times(&self->queue, self->fill, 2);
	ASSERT_EQ(1, must(try_enter(self->fd, 1, 0)));
	must(try_step(&self->sim, 1));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	must(try_send_fd(sockets[0], self->fd));
	sent.fd = sockets[1];
	must(try_child(&sent, child_receives));
	EXPECT_EQ(0, queue_ready(&self->queue));
	must(try_step(&self->sim, 1));
	takes_end(&self->queue, 2, 0, 64);
	must(close(sockets[0]));
	must(close(sockets[1]));
}

TEST_HARNESS_MAIN
