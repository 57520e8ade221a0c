// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: what memory a program gets, how it is mapped, what its handles mean,
 * how much of it there may be, and how long it lives.
 */
#include <sys/wait.h>

#include "udma_sim.h"

FIXTURE(buffer)
{
	struct sim sim;
	int fd;
	size_t page;
};

FIXTURE_SETUP(buffer)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	self->page = page_bytes();
}

FIXTURE_TEARDOWN(buffer)
{
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

/* Allocation */

FIXTURE(size)
{
	struct sim sim;
	int fd;
	struct buffer buffer;
};

FIXTURE_VARIANT(size)
{
	__u64 bytes;
};

FIXTURE_VARIANT_ADD(size, one) { .bytes = 1 };
FIXTURE_VARIANT_ADD(size, under_a_page) { .bytes = 4095 };
FIXTURE_VARIANT_ADD(size, a_page) { .bytes = 4096 };
FIXTURE_VARIANT_ADD(size, over_a_page) { .bytes = 4097 };
FIXTURE_VARIANT_ADD(size, three_pages_and_some) { .bytes = 3 * 4096 + 123 };
FIXTURE_VARIANT_ADD(size, a_mebibyte) { .bytes = MIB };

FIXTURE_SETUP(size)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	must(try_alloc_map(self->fd, variant->bytes, &self->buffer));
}

FIXTURE_TEARDOWN(size)
{
	works(try_unmap(&self->buffer));
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

TEST_F(size, is_rounded_up_to_pages_for_the_mapping)
{
	EXPECT_NE(0, self->buffer.handle);
	EXPECT_EQ(round_up_page(variant->bytes), self->buffer.map_bytes);
	EXPECT_EQ(0, self->buffer.mmap_offset % page_bytes());
	EXPECT_EQ(UDMA_CACHING_CACHED, self->buffer.caching);
}

TEST_F(size, is_zeroed_to_the_end_of_its_last_page)
{
	EXPECT_EQ(-1, find_other(self->buffer.mem, self->buffer.map_bytes, 0));
}

TEST_F(size, keeps_what_is_written)
{
	struct buffer *buffer = &self->buffer;
	unsigned char *again;

	pattern_write(buffer->mem, 0, buffer->map_bytes, PATTERN_SOURCE);
	must(try_mmap(self->fd, buffer->mmap_offset, buffer->map_bytes,
		      PROT_READ, MAP_SHARED, &again));
	EXPECT_EQ(buffer->map_bytes,
		  pattern_differs(again, 0, buffer->map_bytes, PATTERN_SOURCE));
	must(munmap(again, buffer->map_bytes));
}

TEST_F(size, cannot_be_mapped_beyond_its_last_page)
{
	struct buffer *buffer = &self->buffer;
	unsigned char *mem;

	fails(EINVAL, try_mmap(self->fd, buffer->mmap_offset,
			       buffer->map_bytes + 1, PROT_READ, MAP_SHARED,
			       &mem));
	fails(EINVAL, try_mmap(self->fd, buffer->mmap_offset,
			       buffer->map_bytes + page_bytes(), PROT_READ,
			       MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, buffer->mmap_offset + page_bytes(),
			       buffer->map_bytes, PROT_READ, MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd,
			       buffer->mmap_offset + buffer->map_bytes,
			       page_bytes(), PROT_READ, MAP_SHARED, &mem));
}

/* Sizes that do not fit anything, also when they are rounded up or added to. */
TEST_F(buffer, sizes_that_no_machine_has)
{
	const __u64 sizes[] = {
		1ULL << 32, (1ULL << 32) + 1, 1ULL << 40, 1ULL << 52,
		(1ULL << 63) - 1, 1ULL << 63, (1ULL << 63) + 1,
		~0ULL - self->page, ~0ULL - self->page + 1,
		~0ULL - self->page + 2, ~0ULL - 1, ~0ULL,
	};
	struct buffer buffer;
	struct udma_info info;
	unsigned int i;
	int error;

	must(try_info(self->fd, &info));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		error = sizes[i] > info.out_max_bytes ? EDQUOT : ENOMEM;
		fails(error, try_alloc(self->fd, sizes[i], &buffer))
			TH_LOG("%llx", (unsigned long long)sizes[i]);
	}
	/* And none of them was counted. */
	must(try_alloc(self->fd, self->page, &buffer));
}

TEST_F(buffer, failed_allocation_leaves_no_handle)
{
	struct udma_buffer_alloc *alloc;
	struct udma_info info;
	struct buffer buffer;
	unsigned int i;
	size_t bytes;

	must(try_info(self->fd, &info));
	bytes = page_bytes();
	alloc = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, alloc);
	alloc->size = sizeof(*alloc);
	alloc->bytes = 1;
	/* The answer cannot be written: as if it had not been asked. */
	must(mprotect(alloc, bytes, PROT_READ));
	for (i = 0; i < 16; i++)
		fails(EFAULT, ioctl(self->fd, UDMA_BUFFER_ALLOC, alloc));

	for (i = 0; i < info.out_max_buffers; i++) {
		if (try_alloc(self->fd, 1, &buffer))
			break;
	}
	EXPECT_EQ(info.out_max_buffers, i)
		TH_LOG("%s", strerror(errno));
}

TEST_F(buffer, of_two_are_different_memory)
{
	struct buffer a, b;

	must(try_alloc_map(self->fd, self->page, &a));
	must(try_alloc_map(self->fd, self->page, &b));
	EXPECT_NE(a.handle, b.handle);
	EXPECT_NE(a.mmap_offset, b.mmap_offset);
	memset(a.mem, 0xaa, self->page);
	EXPECT_EQ(-1, find_other(b.mem, self->page, 0));
	memset(b.mem, 0xbb, self->page);
	EXPECT_EQ(-1, find_other(a.mem, self->page, 0xaa));
}

/* What one program left in memory, the next one must not find. */
TEST_F(buffer, memory_is_zero_again_for_the_next_file)
{
	const size_t bytes = 64 * KIB;
	struct buffer buffer;
	unsigned int i;
	int fd;

	for (i = 0; i < 32; i++) {
		fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		must(try_alloc_map(fd, bytes, &buffer));
		EXPECT_EQ(-1, find_other(buffer.mem, bytes, 0));
		memset(buffer.mem, 0xee, bytes);
		must(try_unmap(&buffer));
		if (i & 1)
			must(try_free(fd, buffer.handle));
		must(close(fd));
	}
}

static long memory_kib(const char *what)
{
	char line[128];
	long kib = -1;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, what, strlen(what)))
			kib = strtol(line + strlen(what), NULL, 10);
	fclose(file);
	return kib;
}

/*
 * What was used is free again, but for a part of it that anything else may have
 * taken meanwhile. A worker may still be giving some back.
 */
static bool is_given_back(long before_kib, long used_kib)
{
	__u64 end = 0;

	do {
		if (memory_kib("MemAvailable:") > before_kib - used_kib / 2)
			return true;
	} while (look_again(&end));
	return false;
}

TEST_F(buffer, memory_is_given_back)
{
	const long before = memory_kib("MemAvailable:");
	struct buffer buffer;
	unsigned int i;

	ASSERT_LT(0, before);
	for (i = 0; i < 32; i++) {
		must(try_alloc_map(self->fd, 4 * MIB, &buffer));
		must(try_free(self->fd, buffer.handle));
		must(try_unmap(&buffer));
	}
	EXPECT_TRUE(is_given_back(before, 32 * 4 * 1024));
}

TEST_F(buffer, memory_of_a_closed_file_is_given_back)
{
	const long before = memory_kib("MemAvailable:");
	struct buffer buffer;
	unsigned int i, j;
	int fd;

	ASSERT_LT(0, before);
	for (i = 0; i < 8; i++) {
		fd = must(try_sim_open(&self->sim, 0, O_RDWR));
		for (j = 0; j < 16; j++)
			must(try_alloc(fd, MIB, &buffer));
		must(close(fd));
	}
	EXPECT_TRUE(is_given_back(before, 8 * 16 * 1024));
}

/* Limits */

TEST_F(buffer, number_is_limited)
{
	struct udma_info info;
	struct buffer buffer, first, last;
	unsigned int i;

	must(try_info(self->fd, &info));
	must(try_alloc(self->fd, 1, &first));
	for (i = 1; i < info.out_max_buffers; i++)
		must(try_alloc(self->fd, 1, &last));
	fails(EDQUOT, try_alloc(self->fd, 1, &buffer));

	/* One goes, and there is room for one. */
	must(try_free(self->fd, first.handle));
	must(try_alloc(self->fd, 1, &buffer));
	fails(EDQUOT, try_alloc(self->fd, 1, &first));
	must(try_free(self->fd, last.handle));
	must(try_alloc(self->fd, 1, &last));
	fails(EDQUOT, try_alloc(self->fd, 1, &first));
}

TEST_F(buffer, number_is_limited_for_each_file_apart)
{
	struct udma_info info;
	struct buffer buffer;
	unsigned int i;
	int fd;

	must(try_info(self->fd, &info));
	for (i = 0; i < info.out_max_buffers; i++)
		must(try_alloc(self->fd, 1, &buffer));
	fails(EDQUOT, try_alloc(self->fd, 1, &buffer));
	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	must(try_alloc(fd, 1, &buffer));
	must(close(fd));
}

/* Fill a file to its limit: how many buffers of @bytes it was, or -1. */
static long try_fill(int fd, __u64 bytes, struct buffer *buffers, long max)
{
	struct buffer buffer;
	long count = 0;

	while (count < max) {
		if (try_alloc(fd, bytes, &buffer))
			return errno == EDQUOT ? count : -1;
		buffers[count++] = buffer;
	}
	errno = ERANGE;
	return -1;
}

TEST_F(buffer, bytes_are_limited)
{
	const size_t bytes = 4 * MIB;
	struct buffer buffers[1024];
	struct buffer rest, none;
	struct udma_info info;
	long count, i;

	must(try_info(self->fd, &info));
	if (memory_kib("MemAvailable:") / 4 * 3 <
	    (long)(info.out_max_bytes / KIB))
		SKIP(return, "the machine has too little memory for the limit");
	if (info.out_max_bytes / bytes >= info.out_max_buffers)
		SKIP(return, "the number of buffers is the tighter limit");

	count = try_fill(self->fd, bytes, buffers, ARRAY_SIZE(buffers));
	if (count < 0 && errno == ENOMEM)
		SKIP(return, "no block of %zu bytes is left", bytes);
	ASSERT_EQ(info.out_max_bytes / bytes, count);

	/* The very last page counts, and what is over is over by a page. */
	if (info.out_max_bytes % bytes)
		must(try_alloc(self->fd, info.out_max_bytes % bytes, &rest));
	fails(EDQUOT, try_alloc(self->fd, 1, &none));
	must(try_free(self->fd, buffers[0].handle));
	must(try_alloc(self->fd, bytes - self->page, &buffers[0]));
	must(try_alloc(self->fd, 1, &rest));
	fails(EDQUOT, try_alloc(self->fd, 1, &none));
	must(try_free(self->fd, rest.handle));

	/* However often they go and come, it stays the same. */
	for (i = 0; i < 8; i++) {
		must(try_free(self->fd, buffers[i].handle));
		must(try_alloc(self->fd, bytes, &buffers[i]));
		fails(EDQUOT, try_alloc(self->fd, bytes, &none));
	}
	for (i = 0; i < count; i++)
		must(try_free(self->fd, buffers[i].handle));
	must(try_alloc(self->fd, bytes, &none));
}

TEST_F(buffer, one_that_is_larger_than_the_limit)
{
	struct udma_info info;
	struct buffer buffer;

	must(try_info(self->fd, &info));
	fails(EDQUOT, try_alloc(self->fd, info.out_max_bytes + 1, &buffer));
	fails(EDQUOT, try_alloc(self->fd, info.out_max_bytes + self->page,
				&buffer));
}

/* Memory in one piece may not be there; that is no matter of the limit. */
TEST_F(buffer, one_that_is_as_large_as_the_limit)
{
	struct buffer buffer, other;
	struct udma_info info;
	int error = 0;

	must(try_info(self->fd, &info));
	if (try_alloc(self->fd, info.out_max_bytes, &buffer))
		error = errno;
	if (error) {
		ASSERT_EQ(ENOMEM, error);
		/* It was not counted. */
		must(try_alloc(self->fd, MIB, &other));
	} else {
		EXPECT_EQ(info.out_max_bytes, buffer.map_bytes);
		fails(EDQUOT, try_alloc(self->fd, 1, &other));
		must(try_free(self->fd, buffer.handle));
		must(try_alloc(self->fd, 1, &other));
	}
}

TEST_F(buffer, counts_as_long_as_it_is_mapped)
{
	struct udma_info info;
	struct buffer mapped, buffer;
	unsigned int i;

	must(try_info(self->fd, &info));
	must(try_alloc_map(self->fd, 1, &mapped));
	must(try_free(self->fd, mapped.handle));
	for (i = 1; i < info.out_max_buffers; i++)
		must(try_alloc(self->fd, 1, &buffer));
	fails(EDQUOT, try_alloc(self->fd, 1, &buffer));
	must(try_unmap(&mapped));
	must(try_alloc(self->fd, 1, &buffer));
}

/* Handles */

TEST_F(buffer, handles_that_were_never_given)
{
	const __u32 handles[] = {
		0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};
	struct buffer buffer;
	unsigned int i;

	must(try_alloc(self->fd, 1, &buffer));
	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		if (handles[i] == buffer.handle)
			continue;
		fails(ENOENT, try_free(self->fd, handles[i]))
			TH_LOG("%#x", handles[i]);
	}
	/* Nor one that differs from a good one by a bit. */
	for (i = 0; i < 32; i++) {
		fails(ENOENT, try_free(self->fd, buffer.handle ^ 1U << i))
			TH_LOG("bit %u", i);
	}
	must(try_free(self->fd, buffer.handle));
}

TEST_F(buffer, double_free)
{
	struct buffer buffer;

	must(try_alloc(self->fd, 1, &buffer));
	must(try_free(self->fd, buffer.handle));
	fails(ENOENT, try_free(self->fd, buffer.handle));
}

TEST_F(buffer, a_handle_is_not_given_again_soon)
{
	struct buffer first, buffer;
	unsigned int i;

	must(try_alloc(self->fd, 1, &first));
	must(try_free(self->fd, first.handle));
	for (i = 0; i < 3000; i++) {
		must(try_alloc(self->fd, 1, &buffer));
		ASSERT_NE(first.handle, buffer.handle);
		ASSERT_NE(0, buffer.handle);
		must(try_free(self->fd, buffer.handle));
	}
}

TEST_F(buffer, a_stale_handle_does_not_free_its_successor)
{
	struct buffer first, buffer;
	unsigned int i;

	must(try_alloc(self->fd, 1, &first));
	must(try_free(self->fd, first.handle));
	for (i = 0; i < 2100; i++) {
		must(try_alloc(self->fd, 1, &buffer));
		ASSERT_EQ(ENOENT, errno_of(try_free(self->fd, first.handle)));
		must(try_free(self->fd, buffer.handle));
	}
}

TEST_F(buffer, a_handle_means_nothing_to_another_file)
{
	int other = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct buffer buffer;

	must(try_alloc(self->fd, 1, &buffer));
	fails(ENOENT, try_free(other, buffer.handle));
	must(try_free(self->fd, buffer.handle));
	must(close(other));
}

TEST_F(buffer, an_offset_means_nothing_to_another_file)
{
	int other = must(try_sim_open(&self->sim, 0, O_RDWR));
	struct buffer mine, its;
	unsigned char *mem;

	must(try_alloc_map(self->fd, self->page, &mine));
	memset(mine.mem, 0x11, self->page);
	fails(EINVAL, try_mmap(other, mine.mmap_offset, self->page, PROT_READ,
			       MAP_SHARED, &mem));

	/* It may have the same number there, but not the same memory. */
	must(try_alloc_map(other, self->page, &its));
	EXPECT_EQ(-1, find_other(its.mem, self->page, 0));
	memset(its.mem, 0x22, self->page);
	EXPECT_EQ(-1, find_other(mine.mem, self->page, 0x11));
	must(try_unmap(&its));
	must(close(other));
}

/* Mapping */

FIXTURE(mapping)
{
	struct sim sim;
	int fd;
	size_t page;
	struct buffer buffer;	/* of four pages, mapped */
};

FIXTURE_SETUP(mapping)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
	self->page = page_bytes();
	must(try_alloc_map(self->fd, 4 * self->page, &self->buffer));
	pattern_write(self->buffer.mem, 0, 4 * self->page, PATTERN_SOURCE);
}

FIXTURE_TEARDOWN(mapping)
{
	close(self->fd);
	works(try_sim_finish(&self->sim));
}

TEST_F(mapping, of_a_part)
{
	unsigned char *mem;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		must(try_mmap(self->fd,
			      self->buffer.mmap_offset + i * self->page,
			      self->page, PROT_READ | PROT_WRITE, MAP_SHARED,
			      &mem));
		EXPECT_EQ(0, memcmp(mem, self->buffer.mem + i * self->page,
				    self->page));
		mem[7] = i;
		EXPECT_EQ(i, self->buffer.mem[i * self->page + 7]);
		must(munmap(mem, self->page));
	}
}

TEST_F(mapping, of_the_middle)
{
	unsigned char *mem;

	must(try_mmap(self->fd, self->buffer.mmap_offset + self->page,
		      2 * self->page, PROT_READ, MAP_SHARED, &mem));
	EXPECT_EQ(0, memcmp(mem, self->buffer.mem + self->page,
			    2 * self->page));
	must(munmap(mem, 2 * self->page));
}

TEST_F(mapping, populated_at_once)
{
	unsigned char *mem;

	must(try_mmap(self->fd, self->buffer.mmap_offset, 4 * self->page,
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, &mem));
	EXPECT_EQ(4 * self->page,
		  pattern_differs(mem, 0, 4 * self->page, PATTERN_SOURCE));
}

TEST_F(mapping, where_no_buffer_is)
{
	const __u64 offsets[] = {
		0, self->page, 1ULL << 20, 1ULL << 31, 1ULL << 32, 1ULL << 40,
		1ULL << 43, 1ULL << 44, 1ULL << 52, 1ULL << 62,
		self->buffer.mmap_offset - self->page,
		self->buffer.mmap_offset + 4 * self->page,
		self->buffer.mmap_offset + (1ULL << 44),
		self->buffer.mmap_offset * 2,
	};
	unsigned char *mem;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		if (offsets[i] - self->buffer.mmap_offset < 4 * self->page)
			continue;
		fails(EINVAL, try_mmap(self->fd, offsets[i], self->page,
				       PROT_READ, MAP_SHARED, &mem))
			TH_LOG("%llx", (unsigned long long)offsets[i]);
	}
}

TEST_F(mapping, beyond_the_buffer)
{
	const __u64 offset = self->buffer.mmap_offset;
	const size_t bytes[] = {
		4 * self->page + 1, 5 * self->page, MIB, 1UL << 30,
	};
	unsigned char *mem;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		fails(EINVAL, try_mmap(self->fd, offset, bytes[i], PROT_READ,
				       MAP_SHARED, &mem))
			TH_LOG("%zu bytes", bytes[i]);
	}
	fails(EINVAL, try_mmap(self->fd, offset + 3 * self->page,
			       2 * self->page, PROT_READ, MAP_SHARED, &mem));
}

TEST_F(mapping, to_be_executed)
{
	const __u64 offset = self->buffer.mmap_offset;
	unsigned char *mem;

	fails(EACCES, try_mmap(self->fd, offset, self->page,
			       PROT_READ | PROT_EXEC, MAP_SHARED, &mem));
	fails(EACCES, try_mmap(self->fd, offset, self->page, PROT_EXEC,
			       MAP_SHARED, &mem));
	/* Nor made so later. */
	fails(EACCES, mprotect(self->buffer.mem, self->page,
			       PROT_READ | PROT_EXEC));
}

TEST_F(mapping, that_is_not_shared)
{
	const __u64 offset = self->buffer.mmap_offset;
	unsigned char *mem;

	fails(EINVAL, try_mmap(self->fd, offset, self->page,
			       PROT_READ | PROT_WRITE, MAP_PRIVATE, &mem));
	fails(EINVAL, try_mmap(self->fd, offset, self->page, PROT_READ,
			       MAP_PRIVATE, &mem));
}

TEST_F(mapping, of_a_file_that_is_not_open_for_it)
{
	struct buffer buffer;
	int fd;

	fd = must(try_sim_open(&self->sim, 0, O_RDONLY));
	fails(EACCES, try_map(fd, &self->buffer));
	must(close(fd));
	/* To write is to read, for a mapping. */
	fd = must(try_sim_open(&self->sim, 0, O_WRONLY));
	must(try_alloc(fd, self->page, &buffer));
	fails(EACCES, try_map(fd, &buffer));
	fails(EACCES, try_mmap(fd, buffer.mmap_offset, self->page, PROT_READ,
			       MAP_SHARED, &buffer.mem));
	must(close(fd));
}

TEST_F(mapping, to_be_read_only_can_be_made_writable)
{
	unsigned char *mem;

	must(try_mmap(self->fd, self->buffer.mmap_offset, self->page, PROT_READ,
		      MAP_SHARED, &mem));
	must(mprotect(mem, self->page, PROT_READ | PROT_WRITE));
	mem[0] = 0x5a;
	EXPECT_EQ(0x5a, self->buffer.mem[0]);
}

TEST_F(mapping, needs_the_handle)
{
	unsigned char *mem;

	must(try_free(self->fd, self->buffer.handle));
	fails(EINVAL, try_mmap(self->fd, self->buffer.mmap_offset, self->page,
			       PROT_READ, MAP_SHARED, &mem));
}

TEST_F(mapping, survives_the_handle_and_the_file)
{
	struct buffer *buffer = &self->buffer;
	struct buffer other;
	unsigned int i;
	int fd;

	must(try_free(self->fd, buffer->handle));
	must(close(self->fd));
	/* Somebody else's memory is not this. */
	fd = must(try_sim_open(&self->sim, 0, O_RDWR));
	for (i = 0; i < 64; i++) {
		must(try_alloc_map(fd, buffer->map_bytes, &other));
		memset(other.mem, 0xff, other.map_bytes);
	}
	EXPECT_EQ(buffer->map_bytes,
		  pattern_differs(buffer->mem, 0, buffer->map_bytes,
				  PATTERN_SOURCE));
	memset(buffer->mem, 0x33, buffer->map_bytes);
	EXPECT_EQ(-1, find_other(other.mem, other.map_bytes, 0xff));
	must(try_unmap(buffer));
	must(close(fd));
}

TEST_F(mapping, can_be_taken_away_in_parts)
{
	unsigned char *mem = self->buffer.mem;
	const size_t page = self->page;

	/* A hole, then the front, then the back. */
	must(munmap(mem + page, page));
	EXPECT_EQ(page, pattern_differs(mem, 0, page, PATTERN_SOURCE));
	fails(EFAULT, try_touch(mem + page));
	EXPECT_EQ(4 * page, pattern_differs(mem, 2 * page, 4 * page,
					    PATTERN_SOURCE));
	must(try_free(self->fd, self->buffer.handle));
	must(munmap(mem, page));
	EXPECT_EQ(4 * page, pattern_differs(mem, 2 * page, 4 * page,
					    PATTERN_SOURCE));
	must(munmap(mem + 3 * page, page));
	EXPECT_EQ(3 * page, pattern_differs(mem, 2 * page, 3 * page,
					    PATTERN_SOURCE));
	must(munmap(mem + 2 * page, page));
}

TEST_F(mapping, in_parts_counts_until_the_last_has_gone)
{
	struct udma_info info;
	struct buffer buffer;
	unsigned int i;

	must(try_info(self->fd, &info));
	must(munmap(self->buffer.mem + self->page, self->page));
	must(try_free(self->fd, self->buffer.handle));
	for (i = 1; i < info.out_max_buffers; i++)
		must(try_alloc(self->fd, 1, &buffer));
	must(munmap(self->buffer.mem, self->page));
	fails(EDQUOT, try_alloc(self->fd, 1, &buffer));
	must(munmap(self->buffer.mem + 2 * self->page, 2 * self->page));
	must(try_alloc(self->fd, 1, &buffer));
}

TEST_F(mapping, is_shared_with_a_child)
{
	unsigned char *mem = self->buffer.mem;
	int status;
	pid_t pid;

	pid = must(fork());
	if (pid == 0) {
		if (pattern_differs(mem, 0, self->page, PATTERN_SOURCE) !=
		    self->page)
			_exit(1);
		memset(mem, 0x77, self->page);
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-1, find_other(mem, self->page, 0x77));
}

TEST_F(mapping, of_a_child_outlives_that_of_its_parent)
{
	unsigned char *mem = self->buffer.mem;
	int to_child[2], status;
	struct buffer other;
	unsigned int i;
	pid_t pid;
	char byte;

	must(pipe(to_child));
	pid = must(fork());
	if (pid == 0) {
		close(self->fd);
		close(to_child[1]);
		/* Until the parent has let go. */
		if (read(to_child[0], &byte, 1) != 1)
			_exit(1);
		_exit(pattern_differs(mem, 0, 4 * self->page, PATTERN_SOURCE) !=
		      4 * self->page);
	}
	must(try_free(self->fd, self->buffer.handle));
	must(try_unmap(&self->buffer));
	for (i = 0; i < 64; i++) {
		must(try_alloc_map(self->fd, 4 * self->page, &other));
		memset(other.mem, 0xff, other.map_bytes);
	}
	EXPECT_EQ(1, write(to_child[1], "x", 1));
	must(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(mapping, cannot_grow)
{
	const size_t page = self->page;
	unsigned char *mem = self->buffer.mem;

	EXPECT_EQ(MAP_FAILED, mremap(mem, 4 * page, 5 * page, 0));
	EXPECT_EQ(MAP_FAILED, mremap(mem, 4 * page, 5 * page, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(mem, 4 * page, MIB, MREMAP_MAYMOVE));
	EXPECT_EQ(4 * page, pattern_differs(mem, 0, 4 * page, PATTERN_SOURCE));
}

TEST_F(mapping, can_be_moved)
{
	const size_t bytes = self->buffer.map_bytes;
	unsigned char *to, *mem;

	to = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, to);
	mem = mremap(self->buffer.mem, bytes, bytes,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, mem);
	fails(EFAULT, try_touch(self->buffer.mem));
	EXPECT_EQ(bytes, pattern_differs(mem, 0, bytes, PATTERN_SOURCE));
	/* It is the same buffer, for the device too. */
	must(try_free(self->fd, self->buffer.handle));
	EXPECT_EQ(bytes, pattern_differs(mem, 0, bytes, PATTERN_SOURCE));
	must(munmap(mem, bytes));
}

TEST_F(mapping, can_shrink)
{
	const size_t page = self->page;
	unsigned char *mem;

	mem = mremap(self->buffer.mem, 4 * page, 2 * page, 0);
	ASSERT_EQ(self->buffer.mem, mem);
	EXPECT_EQ(2 * page, pattern_differs(mem, 0, 2 * page, PATTERN_SOURCE));
	fails(EFAULT, try_touch(mem + 2 * page));
}

TEST_F(mapping, is_not_in_a_core_dump)
{
	char line[256], range[64];
	bool here = false, found = false;
	FILE *file;

	snprintf(range, sizeof(range), "%lx-", (unsigned long)self->buffer.mem);
	file = fopen("/proc/self/smaps", "r");
	ASSERT_NE(NULL, file);
	while (!found && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, range, strlen(range)))
			here = true;
		found = here && !strncmp(line, "VmFlags:", 8);
	}
	fclose(file);
	ASSERT_TRUE(found);
	EXPECT_NE(NULL, strstr(line, " dd"));
	EXPECT_NE(NULL, strstr(line, " sh"));
	EXPECT_NE(NULL, strstr(line, " de"));
}

TEST_HARNESS_MAIN
