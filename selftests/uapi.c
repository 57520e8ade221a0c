// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that hold for every ioctl of /dev/udmaN: sizes, flags, pointers,
 * and who may call what. What each of them does is the matter of the others.
 */
#include "udma_layout.h"
#include "udma_device.h"

/* Part of a structure, see udma_layout.h */
struct span {
	size_t offset;
	size_t bytes;
};

/* Who calls, and what for */
struct caller {
	int fd;
	struct udma_request request;
	struct udma_stream_start stream;
};

/*
 * One test for each rule, and one variant for each ioctl. The structure lies
 * right before a page that cannot be touched, so that a look behind it is seen.
 */
FIXTURE(ioctls)
{
	struct sim sim;
	struct caller caller;
	size_t page;
	unsigned char *mem;	/* one page, then the hole */
	unsigned char *hole;
	unsigned char *arg;	/* the structure, up to the hole */
};

FIXTURE_VARIANT(ioctls)
{
	unsigned long nr;
	__u32 bytes;
	__u32 first_bytes;	/* of the first version, if that was shorter */
	__u32 flags;	/* that are known */
	int on_read_only_file;	/* errno */
	int in_read_only_memory;
	int after_unbind;
	bool streams;	/* only the channel of a device can do that */
	struct span outputs[3];
};

FIXTURE_VARIANT_ADD(ioctls, info)
{
	.nr = UDMA_INFO,
	.bytes = sizeof(struct udma_info),
	.in_read_only_memory = EFAULT,
	.after_unbind = ENODEV,
	.first_bytes = 216,
	.outputs = { { 8, 272 } },
};

FIXTURE_VARIANT_ADD(ioctls, buffer_alloc)
{
	.nr = UDMA_BUFFER_ALLOC,
	.bytes = sizeof(struct udma_buffer_alloc),
	.on_read_only_file = EBADF,
	.in_read_only_memory = EFAULT,
	.after_unbind = ENODEV,
	.outputs = { { 12, 4 }, { 24, 20 } },
};

FIXTURE_VARIANT_ADD(ioctls, buffer_free)
{
	.nr = UDMA_BUFFER_FREE,
	.bytes = sizeof(struct udma_buffer_free),
	.on_read_only_file = EBADF,
};

FIXTURE_VARIANT_ADD(ioctls, submit)
{
	.nr = UDMA_SUBMIT,
	.bytes = sizeof(struct udma_submit),
	.on_read_only_file = EBADF,
	.in_read_only_memory = EFAULT,
	.after_unbind = ENODEV,
	.outputs = { { 24, 8 } },
};

FIXTURE_VARIANT_ADD(ioctls, cancel)
{
	.nr = UDMA_CANCEL,
	.bytes = sizeof(struct udma_cancel),
	.flags = UDMA_CANCEL_F_ALL,
	.on_read_only_file = EBADF,
	.after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(ioctls, eventfd)
{
	.nr = UDMA_EVENTFD,
	.bytes = sizeof(struct udma_eventfd),
	.on_read_only_file = EBADF,
	.after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(ioctls, queue_setup)
{
	.nr = UDMA_QUEUE_SETUP,
	.bytes = sizeof(struct udma_queue_setup),
	.on_read_only_file = EBADF,
	.in_read_only_memory = EFAULT,
	.after_unbind = ENODEV,
	.outputs = { { 24, 24 } },
};

FIXTURE_VARIANT_ADD(ioctls, enter)
{
	.nr = UDMA_ENTER,
	.bytes = sizeof(struct udma_enter),
	.on_read_only_file = EBADF,
	.after_unbind = ENODEV,
};

FIXTURE_VARIANT_ADD(ioctls, stream_start)
{
	.nr = UDMA_STREAM_START,
	.bytes = sizeof(struct udma_stream_start),
	.flags = UDMA_STREAM_F_STOP,
	.on_read_only_file = EBADF,
	.in_read_only_memory = EFAULT,
	.after_unbind = ENODEV,
	.streams = true,
	.outputs = { { 72, 24 } },
};

FIXTURE_VARIANT_ADD(ioctls, stream_control)
{
	.nr = UDMA_STREAM_CONTROL,
	.bytes = sizeof(struct udma_stream_control),
	.on_read_only_file = EBADF,
	.after_unbind = ENODEV,
	.streams = true,
};

/* It needs memory of its own, since handles are the file's. */
static int try_caller_init(struct caller *caller)
{
	struct buffer buffer;

	if (try_alloc(caller->fd, 512, &buffer))
		return -1;
	caller->request = copy_request(&buffer, 0, &buffer, 1, 1);
	caller->stream = cyclic_start(&buffer, 512, 256);
	return 0;
}

/* A channel that does what is asked of it. Of a stream no period ends. */
static int try_start(struct sim *sim, bool streams)
{
	static const struct sim_config memory;
	static const struct device_config source = {
		.kind = "source",
		.channels = 1,
	};

	if (!streams)
		return try_sim_start(sim, &memory);
	if (try_device_make(sim, &source) || try_sim_set(sim, "step_mode", 1))
		return -1;
	return try_sim_open(sim, 0, O_RDWR);
}

FIXTURE_SETUP(ioctls)
{
	self->caller.fd = must(try_start(&self->sim, variant->streams));
	must(try_caller_init(&self->caller));

	self->page = page_bytes();
	self->mem = pages_before_hole(1);
	ASSERT_NE(NULL, self->mem);
	self->hole = self->mem + self->page;
	self->arg = self->hole - variant->bytes;
}

FIXTURE_TEARDOWN(ioctls)
{
	works(close(self->caller.fd));
	works(try_sim_finish(&self->sim));
}

/* Open the file anew, as it was opened, in the place of the one there is. */
static int try_open_again(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	char path[32];
	int again, ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = flags < 0 ? -1 : open(path, flags & O_ACCMODE);
	if (again < 0)
		return -1;
	ret = dup2(again, fd);
	close(again);
	return ret < 0 ? -1 : 0;
}

static int try_queue_setup(int fd, __u32 submit_entries, __u32 complete_entries)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = submit_entries,
		.complete_entries = complete_entries,
		.request_bytes = sizeof(struct udma_request),
	};

	return ioctl(fd, UDMA_QUEUE_SETUP, &setup);
}

/* Does not wait. */
static int try_enter(int fd, __u32 submit, __u32 complete)
{
	struct udma_enter enter = {
		.size = sizeof(enter),
		.submit = submit,
		.complete = complete,
		.timeout_ns = 1,
	};

	return ioctl(fd, UDMA_ENTER, &enter);
}

/* There is one stream at a time. */
static int try_stop_any(int fd)
{
	struct udma_event event;

	return try_stop(fd, &event) && errno != ENXIO ? -1 : 0;
}

/* It goes on, if it is there. */
static int try_start_any(const struct caller *caller)
{
	struct udma_stream_start start = caller->stream;

	return try_stream_start(caller->fd, &start) && errno != EBUSY ? -1 : 0;
}

/* Write arguments with which the call succeeds. */
static int try_prepare(const struct caller *caller, unsigned long nr, void *arg)
{
	struct udma_buffer_alloc alloc = {
		.size = sizeof(alloc),
		.bytes = 1,
	};
	struct udma_buffer_free free = {
		.size = sizeof(free),
	};
	struct udma_submit submit = {
		.size = sizeof(submit),
		.requests = (uintptr_t)&caller->request,
		.count = 1,
		.request_bytes = sizeof(caller->request),
	};
	struct udma_cancel cancel = {
		.size = sizeof(cancel),
		.flags = UDMA_CANCEL_F_ALL,
	};
	struct udma_eventfd eventfd = {
		.size = sizeof(eventfd),
		.fd = -1,
	};
	struct udma_info info = {
		.size = sizeof(info),
	};
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = 1,
		.complete_entries = 1,
		.request_bytes = sizeof(struct udma_request),
	};
	struct udma_enter enter = {
		.size = sizeof(enter),
	};
	struct udma_stream_control control = {
		.size = sizeof(control),
		.command = UDMA_STREAM_PAUSE,
	};
	struct buffer buffer;

	switch (nr) {
	case UDMA_INFO:
		memcpy(arg, &info, sizeof(info));
		return 0;
	case UDMA_BUFFER_ALLOC:
		memcpy(arg, &alloc, sizeof(alloc));
		return 0;
	case UDMA_BUFFER_FREE:
		if (try_alloc(caller->fd, 1, &buffer))
			return -1;
		free.handle = buffer.handle;
		memcpy(arg, &free, sizeof(free));
		return 0;
	case UDMA_SUBMIT:
		memcpy(arg, &submit, sizeof(submit));
		return 0;
	case UDMA_CANCEL:
		memcpy(arg, &cancel, sizeof(cancel));
		return 0;
	case UDMA_EVENTFD:
		memcpy(arg, &eventfd, sizeof(eventfd));
		return 0;
	case UDMA_QUEUE_SETUP:
		/* Once for each file. */
		memcpy(arg, &setup, sizeof(setup));
		return try_open_again(caller->fd);
	case UDMA_ENTER:
		memcpy(arg, &enter, sizeof(enter));
		if (try_open_again(caller->fd))
			return -1;
		return try_queue_setup(caller->fd, 1, 1);
	case UDMA_STREAM_START:
		memcpy(arg, &caller->stream, sizeof(caller->stream));
		return try_stop_any(caller->fd);
	case UDMA_STREAM_CONTROL:
		memcpy(arg, &control, sizeof(control));
		return try_start_any(caller);
	}
	errno = ENOTTY;
	return -1;
}

static void set_size(void *arg, __u32 size)
{
	memcpy(arg, &size, sizeof(size));
}

static void set_flags(void *arg, __u32 flags)
{
	memcpy((char *)arg + 4, &flags, sizeof(flags));
}

static bool is_output(const struct span *span, size_t offset)
{
	for (; span->bytes; span++)
		if (offset - span->offset < span->bytes)
			return true;
	return false;
}

TEST_F(ioctls, take_the_whole_structure_and_no_more)
{
	must(try_prepare(&self->caller, variant->nr, self->arg));
	must(ioctl(self->caller.fd, variant->nr, self->arg));
}

TEST_F(ioctls, refuse_a_shorter_structure)
{
	unsigned char *arg;
	__u32 size;

	/* As far as it is said to reach it can be read. */
	for (size = 0; size < (variant->first_bytes ?: variant->bytes); size++) {
		arg = self->hole - (size < 8 ? 8 : size);
		memset(arg, 0, self->hole - arg);
		set_size(arg, size);
		fails(EINVAL, ioctl(self->caller.fd, variant->nr, arg))
			TH_LOG("size %u", size);
	}
}

/* From a program that was compiled when there was less to tell. */
TEST_F(ioctls, take_every_structure_from_the_first_version_on)
{
	unsigned char arg[512];
	__u32 size;

	for (size = variant->first_bytes ?: variant->bytes; size <= variant->bytes; size++) {
		must(try_prepare(&self->caller, variant->nr, arg));
		set_size(arg, size);
		memcpy(self->hole - size, arg, size);
		must(ioctl(self->caller.fd, variant->nr, self->hole - size));
	}
}

TEST_F(ioctls, take_a_longer_structure_with_a_zero_tail)
{
	const __u32 more[] = { 1, 4, 8, 64, 4096 };
	unsigned char *arg;
	unsigned int i;
	__u32 size;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		size = variant->bytes + more[i];
		if (size > self->page)
			size = self->page;
		arg = self->hole - size;
		memset(arg, 0, size);
		must(try_prepare(&self->caller, variant->nr, arg));
		set_size(arg, size);
		EXPECT_LE(0, ioctl(self->caller.fd, variant->nr, arg))
			TH_LOG("size %u: %s", size, strerror(errno));
		/* What this kernel does not know it does not write. */
		EXPECT_EQ(-1, find_other(arg + variant->bytes,
					 size - variant->bytes, 0));
	}
}

TEST_F(ioctls, refuse_a_longer_structure_with_anything_in_its_tail)
{
	const __u32 more[] = { 1, 7, 8, 64, 4096 };
	unsigned char *arg;
	unsigned int i, j;
	__u32 size;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		size = variant->bytes + more[i];
		if (size > self->page)
			size = self->page;
		arg = self->hole - size;
		memset(arg, 0, size);
		must(try_prepare(&self->caller, variant->nr, arg));
		set_size(arg, size);
		/* The first byte, the last one, and those between. */
		for (j = variant->bytes; j < size; j += j + 64 < size ? 61 : 1) {
			arg[j] = 1;
			fails(E2BIG, ioctl(self->caller.fd, variant->nr, arg))
				TH_LOG("size %u, byte %u", size, j);
			arg[j] = 0;
		}
		arg[size - 1] = 0x80;
		fails(E2BIG, ioctl(self->caller.fd, variant->nr, arg));
		arg[size - 1] = 0;
		EXPECT_LE(0, ioctl(self->caller.fd, variant->nr, arg));
	}
}

TEST_F(ioctls, refuse_a_structure_over_a_page)
{
	const __u32 sizes[] = {
		self->page + 1, self->page + 8, 2 * self->page, 1 << 20,
		0x7fffffff, 0x80000000, 0xffffffff,
	};
	unsigned int i;

	/* Nothing but zeroes behind it, and then nothing at all. */
	must(try_prepare(&self->caller, variant->nr, self->mem));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_size(self->mem, sizes[i]);
		fails(E2BIG, ioctl(self->caller.fd, variant->nr, self->mem))
			TH_LOG("size %u", sizes[i]);
	}
}

TEST_F(ioctls, refuse_every_unknown_flag)
{
	unsigned int bit;

	must(try_prepare(&self->caller, variant->nr, self->arg));
	for (bit = 0; bit < 32; bit++) {
		if (variant->flags & 1U << bit)
			continue;
		set_flags(self->arg, variant->flags | 1U << bit);
		fails(EINVAL, ioctl(self->caller.fd, variant->nr, self->arg))
			TH_LOG("bit %u", bit);
	}
	set_flags(self->arg, ~0U);
	fails(EINVAL, ioctl(self->caller.fd, variant->nr, self->arg));
	set_flags(self->arg, variant->flags);
	must(ioctl(self->caller.fd, variant->nr, self->arg));
}

TEST_F(ioctls, refuse_a_bad_pointer)
{
	void *const bad[] = {
		NULL, (void *)1, self->hole, self->hole + 8,
		(void *)-1L, (void *)-4096L, (void *)(~0UL ^ ~0UL >> 1),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fails(EFAULT, ioctl(self->caller.fd, variant->nr, bad[i]))
			TH_LOG("pointer %p", bad[i]);
	}
}

TEST_F(ioctls, refuse_a_structure_that_cannot_be_read_to_its_end)
{
	unsigned char arg[512];
	unsigned int readable;

	must(try_prepare(&self->caller, variant->nr, arg));
	for (readable = 1; readable < variant->bytes; readable++) {
		memcpy(self->hole - readable, arg, readable);
		fails(EFAULT, ioctl(self->caller.fd, variant->nr,
				    self->hole - readable))
			TH_LOG("%u bytes of it", readable);
	}
}

TEST_F(ioctls, need_memory_that_can_be_written_only_for_outputs)
{
	must(try_prepare(&self->caller, variant->nr, self->arg));
	must(mprotect(self->mem, self->page, PROT_READ));
	fails(variant->in_read_only_memory,
	      ioctl(self->caller.fd, variant->nr, self->arg));
	/* A call that failed has done nothing: none is under way. */
	if (variant->in_read_only_memory)
		EXPECT_EQ(POLLOUT, poll_now(self->caller.fd));
}

TEST_F(ioctls, ignore_outputs_and_keep_inputs)
{
	unsigned char before[512];
	unsigned int i;

	must(try_prepare(&self->caller, variant->nr, self->arg));
	for (i = 0; i < variant->bytes; i++)
		if (is_output(variant->outputs, i))
			self->arg[i] = 0xff;
	memcpy(before, self->arg, variant->bytes);
	must(ioctl(self->caller.fd, variant->nr, self->arg));
	if (variant->nr == UDMA_INFO)
		return;	/* All that follows its flags is output. */
	for (i = 0; i < variant->bytes; i++) {
		if (is_output(variant->outputs, i))
			continue;
		EXPECT_EQ(before[i], self->arg[i])
			TH_LOG("byte %u", i);
	}
}

TEST_F(ioctls, need_a_file_open_for_writing)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));

	must(try_prepare(&self->caller, variant->nr, self->arg));
	fails(variant->on_read_only_file, ioctl(fd, variant->nr, self->arg));
	must(close(fd));
}

TEST_F(ioctls, do_not_need_a_file_open_for_reading)
{
	struct caller caller = {
		.fd = must(try_sim_open(&self->sim, 0, O_WRONLY)),
	};

	must(try_caller_init(&caller));
	must(try_prepare(&caller, variant->nr, self->arg));
	must(ioctl(caller.fd, variant->nr, self->arg));
	must(close(caller.fd));
}

TEST_F(ioctls, say_when_the_channel_is_gone)
{
	must(try_prepare(&self->caller, variant->nr, self->arg));
	must(try_sim_unbind(&self->sim, 0));
	fails(variant->after_unbind, ioctl(self->caller.fd, variant->nr, self->arg));
	must(try_sim_bind(&self->sim, 0));
}

/* What is not the same for all */

FIXTURE(device)
{
	struct sim sim;
	int fd;
};

FIXTURE_SETUP(device)
{
	static const struct sim_config config;

	self->fd = must(try_sim_start(&self->sim, &config));
}

FIXTURE_TEARDOWN(device)
{
	works(close(self->fd));
	works(try_sim_finish(&self->sim));
}

static bool is_known(unsigned int nr)
{
	return nr == UDMA_INFO || nr == UDMA_BUFFER_ALLOC ||
	       nr == UDMA_BUFFER_FREE || nr == UDMA_SUBMIT ||
	       nr == UDMA_CANCEL || nr == UDMA_EVENTFD ||
	       nr == UDMA_QUEUE_SETUP || nr == UDMA_ENTER ||
	       nr == UDMA_STREAM_START || nr == UDMA_STREAM_CONTROL;
}

TEST_F(device, unknown_ioctl_numbers)
{
	struct udma_info info = { .size = sizeof(info) };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		if (is_known(_IO(UDMA_IOCTL_TYPE, nr)))
			continue;
		fails(ENOTTY, ioctl(self->fd, _IO(UDMA_IOCTL_TYPE, nr), &info))
			TH_LOG("number %#x", nr);
	}
}

TEST_F(device, ioctl_numbers_of_others)
{
	const unsigned int types[] = { 0x00, 0xd9, 0xdb, 0x5a, 0xff };
	const unsigned int numbers[] = { 0x00, 0x10, 0x11, 0x20, 0x30 };
	struct udma_info info = { .size = sizeof(info) };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < ARRAY_SIZE(numbers); j++) {
			fails(ENOTTY, ioctl(self->fd,
					    _IO(types[i], numbers[j]), &info))
				TH_LOG("%#x %#x", types[i], numbers[j]);
		}
	}
}

TEST_F(device, ioctl_numbers_with_a_size)
{
	struct udma_info info = { .size = sizeof(info) };

	fails(ENOTTY, ioctl(self->fd, _IOR(UDMA_IOCTL_TYPE, 0, info), &info));
	fails(ENOTTY, ioctl(self->fd, _IOW(UDMA_IOCTL_TYPE, 0, info), &info));
	fails(ENOTTY, ioctl(self->fd, _IOWR(UDMA_IOCTL_TYPE, 0, info), &info));
	fails(ENOTTY, ioctl(self->fd, UDMA_INFO | 0x10000, &info));
	fails(ENOTTY, ioctl(self->fd, UDMA_INFO | 0x80000000, &info));
}

TEST_F(device, unknown_ioctls_of_a_file_open_for_reading)
{
	struct udma_info info = { .size = sizeof(info) };
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));

	fails(ENOTTY, ioctl(fd, _IO(UDMA_IOCTL_TYPE, 0x01), &info));
	fails(ENOTTY, ioctl(fd, _IO(UDMA_IOCTL_TYPE, 0x12), &info));
	must(close(fd));
}

TEST_F(device, reserved_fields_of_structures)
{
	struct udma_buffer_alloc alloc = { .size = sizeof(alloc), .bytes = 1 };
	struct udma_buffer_free free = { .size = sizeof(free) };
	struct udma_eventfd eventfd = { .size = sizeof(eventfd), .fd = -1 };
	struct buffer buffer;
	unsigned int bit;

	must(try_alloc(self->fd, 1, &buffer));
	free.handle = buffer.handle;
	for (bit = 0; bit < 32; bit++) {
		alloc.__reserved = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_BUFFER_ALLOC, &alloc));
		free.__reserved = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_BUFFER_FREE, &free));
		eventfd.__reserved = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_EVENTFD, &eventfd));
	}
	/* The handle is still there. */
	must(try_free(self->fd, buffer.handle));
}

TEST_F(device, allocation_needs_bytes)
{
	struct buffer buffer;

	fails(EINVAL, try_alloc(self->fd, 0, &buffer));
}

TEST_F(device, allocation_needs_a_known_kind_of_memory)
{
	struct udma_buffer_alloc alloc = { .size = sizeof(alloc), .bytes = 1 };
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		alloc.memory = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_BUFFER_ALLOC, &alloc))
			TH_LOG("memory %#x", alloc.memory);
	}
	alloc.memory = UDMA_MEMORY_COHERENT;
	must(ioctl(self->fd, UDMA_BUFFER_ALLOC, &alloc));
}

TEST_F(device, eventfd_needs_a_file_number)
{
	fails(EBADF, try_eventfd(self->fd, -2));
	fails(EBADF, try_eventfd(self->fd, INT32_MAX));
	fails(EBADF, try_eventfd(self->fd, INT32_MIN));
	must(try_eventfd(self->fd, -1));
}

/* Queues */

TEST_F(device, queues_have_a_number_of_entries_that_is_a_power_of_two)
{
	struct udma_info info;
	__u32 bad[] = { 0, 3, 5, 6, 7, 100, 4095, 4097, 8192, 1U << 31, ~0U };
	unsigned int i;

	must(try_info(self->fd, &info));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fails(EINVAL, try_queue_setup(self->fd, bad[i], 1))
			TH_LOG("%u", bad[i]);
		fails(EINVAL, try_queue_setup(self->fd, 1, bad[i]))
			TH_LOG("%u", bad[i]);
	}
	for (i = 1; i <= info.out_max_queue_entries; i *= 2) {
		must(try_queue_setup(self->fd, i, 1));
		must(try_open_again(self->fd));
		must(try_queue_setup(self->fd, 1, i));
		must(try_open_again(self->fd));
	}
	EXPECT_EQ(4096, info.out_max_queue_entries);
	fails(EINVAL, try_queue_setup(self->fd, i, 1));
	fails(EINVAL, try_queue_setup(self->fd, 1, i));
}

TEST_F(device, queues_are_as_long_as_they_were_asked_to_be)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = 32,
		.complete_entries = 128,
		.request_bytes = sizeof(struct udma_request),
	};
	const __u64 entries_bytes = 64;

	must(ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
	EXPECT_EQ(0, setup.out_mmap_offset % page_bytes());
	EXPECT_EQ(0, setup.out_map_bytes % page_bytes());
	EXPECT_EQ(0, setup.out_submit_offset % entries_bytes);
	EXPECT_EQ(0, setup.out_complete_offset % entries_bytes);
	/* Neither over the other, nor over what comes first. */
	EXPECT_LE(sizeof(struct udma_queue_shared), setup.out_submit_offset);
	EXPECT_LE(setup.out_submit_offset + 32 * entries_bytes,
		  setup.out_complete_offset);
	EXPECT_LE(setup.out_complete_offset + 128 * entries_bytes,
		  setup.out_map_bytes);
}

TEST_F(device, queues_need_requests_of_a_known_size)
{
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = 1,
		.complete_entries = 1,
	};
	const __u32 longer[] = { 65, 72, 128, 4096, ~0U };
	unsigned int bit, i;

	for (i = 0; i < sizeof(struct udma_request); i++) {
		setup.request_bytes = i;
		fails(EINVAL, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup))
			TH_LOG("%u bytes", i);
	}
	for (i = 0; i < ARRAY_SIZE(longer); i++) {
		setup.request_bytes = longer[i];
		fails(E2BIG, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup))
			TH_LOG("%u bytes", longer[i]);
	}
	setup.request_bytes = sizeof(struct udma_request);
	for (bit = 0; bit < 32; bit++) {
		setup.__reserved = 1U << bit;
		fails(EINVAL, ioctl(self->fd, UDMA_QUEUE_SETUP, &setup))
			TH_LOG("bit %u", bit);
	}
	setup.__reserved = 0;
	must(ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
}

TEST_F(device, has_queues_once)
{
	must(try_queue_setup(self->fd, 4, 4));
	fails(EBUSY, try_queue_setup(self->fd, 4, 4));
	fails(EBUSY, try_queue_setup(self->fd, 8, 8));
	must(try_enter(self->fd, 0, 0));
}

TEST_F(device, has_no_queues_while_it_has_something_to_put_into_them)
{
	struct udma_event event;
	struct buffer buffer;

	must(try_alloc(self->fd, 4 * KIB, &buffer));
	must(try_sim_set(&self->sim, "step_mode", 1));
	must(try_submit_one(self->fd, fill_request(&buffer, 0, 64, 1)));
	fails(EBUSY, try_queue_setup(self->fd, 4, 4));
	must(try_step(&self->sim, 1));
	fails(EBUSY, try_queue_setup(self->fd, 4, 4));
	ASSERT_EQ(1, must(try_read(self->fd, &event, 1)));
	must(try_queue_setup(self->fd, 4, 4));
}

TEST_F(device, is_not_entered_without_queues)
{
	fails(ENXIO, try_enter(self->fd, 0, 0));
	fails(ENXIO, try_enter(self->fd, 1, 0));
	fails(ENXIO, try_enter(self->fd, 0, 1));
	fails(EINVAL, try_queue_setup(self->fd, 3, 4));
	fails(ENXIO, try_enter(self->fd, 0, 0));
}

TEST_F(device, waits_for_no_more_events_than_there_is_room_for)
{
	must(try_queue_setup(self->fd, 8, 4));
	fails(EINVAL, try_enter(self->fd, 0, 5));
	fails(EINVAL, try_enter(self->fd, 0, ~0U));
	/* As many as there is room for may come, if not here. */
	fails(ETIME, try_enter(self->fd, 0, 4));
}

TEST_F(device, queues_are_mapped_shared_and_whole_or_in_part)
{
	const size_t page = page_bytes();
	struct udma_queue_setup setup = {
		.size = sizeof(setup),
		.submit_entries = 64,
		.complete_entries = 256,
		.request_bytes = sizeof(struct udma_request),
	};
	const int rw = PROT_READ | PROT_WRITE;
	unsigned char *mem, *part;
	size_t bytes;

	/* There are none. */
	fails(EINVAL, try_mmap(self->fd, 0, page, rw, MAP_SHARED, &mem));

	must(ioctl(self->fd, UDMA_QUEUE_SETUP, &setup));
	bytes = setup.out_map_bytes;
	ASSERT_LT(2 * page, bytes);
	fails(EINVAL, try_mmap(self->fd, setup.out_mmap_offset, bytes, rw,
			       MAP_PRIVATE, &mem));
	fails(EINVAL, try_mmap(self->fd, setup.out_mmap_offset, bytes + 1, rw,
			       MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, setup.out_mmap_offset + bytes, page,
			       rw, MAP_SHARED, &mem));
	fails(EINVAL, try_mmap(self->fd, setup.out_mmap_offset + page, bytes,
			       rw, MAP_SHARED, &mem));
	fails(EACCES, try_mmap(self->fd, setup.out_mmap_offset, bytes,
			       rw | PROT_EXEC, MAP_SHARED, &mem));

	must(try_mmap(self->fd, setup.out_mmap_offset, bytes, rw, MAP_SHARED,
		      &mem));
	must(try_mmap(self->fd, setup.out_mmap_offset + page, page, PROT_READ,
		      MAP_SHARED, &part));
	/* Entries are zero before they are used, and the same in both. */
	EXPECT_EQ(-1, find_other(mem + page, bytes - page, 0));
	mem[2 * page - 1] = 0xa5;
	EXPECT_EQ(0xa5, part[page - 1]);
	fails(EACCES, mprotect(mem, bytes, rw | PROT_EXEC));
	fails(EFAULT, mremap(mem, bytes, bytes + page, MREMAP_MAYMOVE) ==
	      MAP_FAILED ? -1 : 0);
	must(munmap(mem, bytes));
	EXPECT_EQ(0xa5, part[page - 1]);
	must(munmap(part, page));
}

/* What the program has written there is nothing that can be. */
TEST_F(device, is_not_entered_with_counts_that_cannot_be)
{
	struct udma_queue_shared *shared;
	unsigned char *mem;
	__u32 count;

	must(try_queue_setup(self->fd, 8, 4));
	must(try_mmap(self->fd, 0, page_bytes(), PROT_READ | PROT_WRITE,
		      MAP_SHARED, &mem));
	shared = (struct udma_queue_shared *)mem;
	count = shared->submit_head;
	EXPECT_EQ(count, shared->submit_tail);
	shared->submit_tail = count + 9;
	fails(EINVAL, try_enter(self->fd, 1, 0));
	shared->submit_tail = count - 1;
	fails(EINVAL, try_enter(self->fd, 1, 0));
	shared->submit_tail = count;
	must(try_enter(self->fd, 1, 0));

	count = shared->complete_tail;
	EXPECT_EQ(count, shared->complete_head);
	shared->complete_head = count + 1;
	fails(EINVAL, try_enter(self->fd, 0, 0));
	shared->complete_head = count - 1;
	fails(EINVAL, try_enter(self->fd, 0, 0));
	shared->complete_head = count;
	must(try_enter(self->fd, 0, 0));
	must(munmap(mem, page_bytes()));
}

/* O_EXCL */

TEST_F(device, is_not_exclusive_beside_another_file)
{
	int other;

	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDONLY | O_EXCL));
	/* What failed leaves nothing behind. */
	other = must(try_sim_open(&self->sim, 0, O_RDWR));
	close(other);
}

TEST_F(device, lets_nobody_in_beside_an_exclusive_file)
{
	int exclusive;

	close(self->fd);
	self->fd = -1;
	exclusive = must(try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDWR));
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDONLY));
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
	close(exclusive);
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR));
}

/* A duplicate is the same file, so it is the last one that counts. */
TEST_F(device, stays_exclusive_until_the_last_descriptor_is_closed)
{
	int exclusive, duplicate;

	close(self->fd);
	self->fd = -1;
	exclusive = must(try_sim_open(&self->sim, 0, O_RDONLY | O_EXCL));
	duplicate = must(dup(exclusive));
	close(exclusive);
	fails(EBUSY, try_sim_open(&self->sim, 0, O_RDWR));
	close(duplicate);
	self->fd = must(try_sim_open(&self->sim, 0, O_RDWR | O_EXCL));
}

/* UDMA_INFO */

TEST_F(device, info_tells_sizes_of_this_header)
{
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_EQ(sizeof(struct udma_info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(sizeof(struct udma_request), info.out_request_bytes);
	EXPECT_EQ(sizeof(struct udma_event), info.out_event_bytes);
}

TEST_F(device, info_tells_limits_that_allow_something)
{
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_LE(page_bytes(), info.out_max_bytes);
	EXPECT_EQ(0, info.out_max_bytes % page_bytes());
	EXPECT_LE(1, info.out_max_segment_bytes);
	EXPECT_LE(2, info.out_max_buffers);
	EXPECT_LE(2, info.out_max_transfers);
}

TEST_F(device, info_tells_known_capabilities_only)
{
	const __u64 known = UDMA_CAP_COPY | UDMA_CAP_FILL | UDMA_CAP_COHERENT |
			    UDMA_CAP_INTERLEAVE;
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_EQ(0, info.out_capabilities & ~known);
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_COPY);
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_FILL);
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_INTERLEAVE);
	/* The simulator lets the CPU copy. */
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_COHERENT);
}

TEST_F(device, info_is_the_same_each_time_and_for_each_file)
{
	int fd = must(try_sim_open(&self->sim, 0, O_RDONLY));
	struct udma_info info, again;

	must(try_info(self->fd, &info));
	must(try_info(self->fd, &again));
	EXPECT_EQ(0, memcmp(&info, &again, sizeof(info)));
	must(try_info(fd, &again));
	EXPECT_EQ(0, memcmp(&info, &again, sizeof(info)));
	must(close(fd));
}

/* Ended within the field, and nothing of the kernel's memory behind it. */
static bool is_clean_string(const char *text, size_t bytes)
{
	size_t length = strnlen(text, bytes);

	if (length == 0 || length == bytes)
		return false;
	return find_other((const unsigned char *)text + length,
			  bytes - length, 0) < 0;
}

TEST_F(device, info_names_end_and_leak_nothing)
{
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_TRUE(is_clean_string(info.out_name, sizeof(info.out_name)));
	EXPECT_TRUE(is_clean_string(info.out_channel,
				    sizeof(info.out_channel)));
	EXPECT_TRUE(is_clean_string(info.out_device, sizeof(info.out_device)));
	EXPECT_TRUE(is_clean_string(info.out_driver, sizeof(info.out_driver)));
}

TEST_F(device, info_names_are_those_of_sysfs)
{
	char node[32], path[128], text[128];
	struct udma_info info;

	must(try_info(self->fd, &info));
	EXPECT_STREQ(self->sim.name, info.out_name);
	EXPECT_STREQ(self->sim.device, info.out_device);
	EXPECT_STREQ("udma-sim", info.out_driver);

	must(try_find_node(self->sim.name, node, sizeof(node)));
	snprintf(path, sizeof(path), UDMA_CLASS "/%s/channel", node);
	must(try_read_text(path, text, sizeof(text)));
	EXPECT_STREQ(text, info.out_channel);

	/* dmaengine has a channel of this name. */
	snprintf(path, sizeof(path), "/sys/class/dma/%s", info.out_channel);
	EXPECT_EQ(0, access(path, F_OK));
}

TEST(info_tells_what_the_controller_can_do)
{
	static const struct sim_config config = {
		.align = 64,
		.max_segment = 4096,
		.no_fill = true,
	};
	struct udma_info info;
	struct sim sim;
	int fd;

	fd = must(try_sim_start(&sim, &config));
	must(try_info(fd, &info));
	EXPECT_EQ(64, info.out_copy_align);
	EXPECT_EQ(4096, info.out_max_segment_bytes);
	EXPECT_EQ(0, info.out_capabilities & UDMA_CAP_FILL);
	EXPECT_NE(0, info.out_capabilities & UDMA_CAP_COPY);
	must(close(fd));
	must(try_sim_finish(&sim));
}

TEST(info_tells_alignments_that_are_powers_of_two)
{
	unsigned int align;

	for (align = 1; align <= 256; align *= 2) {
		const struct sim_config config = { .align = align };
		struct udma_info info;
		struct sim sim;
		int fd;

		fd = must(try_sim_start(&sim, &config));
		must(try_info(fd, &info));
		EXPECT_EQ(align, info.out_copy_align);
		EXPECT_EQ(align, info.out_fill_align);
		must(close(fd));
		must(try_sim_finish(&sim));
	}
}

TEST_HARNESS_MAIN
