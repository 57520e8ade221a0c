// SPDX-License-Identifier: GPL-2.0
/*
 * One open file: its operations and the table of its ioctls.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "copy.h"
#include "udma.h"

/* What programs have to say, and what is short of the answers. */
union udma_command {
	struct udma_buffer_alloc buffer_alloc;
	struct udma_buffer_free buffer_free;
	struct udma_submit submit;
	struct udma_cancel cancel;
	struct udma_eventfd eventfd;
	struct udma_queue_setup queue_setup;
	struct udma_enter enter;
	struct udma_stream_start stream_start;
	struct udma_stream_control stream_control;
};

/**
 * struct udma_call - one ioctl under way
 * @file: on which
 * @user: the program's structure
 * @bytes: how long the program says it is
 * @command: the kernel's copy of it, as long as the kernel knows it
 * @command_bytes: how long that is
 */
struct udma_call {
	struct udma_file *file;
	void __user *user;
	u32 bytes;
	union udma_command command;
	u32 command_bytes;
};

/* Copy the answer out, as much of it as the program knows. */
static int udma_call_answer(struct udma_call *call)
{
	size_t bytes = min(call->bytes, call->command_bytes);

	return copy_to_user(call->user, &call->command, bytes) ? -EFAULT : 0;
}

static long udma_ioctl_info(struct udma_call *call)
{
	struct udma_chan *chan = call->file->chan;
	struct udma_info info = chan->info;

	info.size = call->bytes;
	info.out_state = READ_ONCE(chan->engine.state);
	info.out_window = READ_ONCE(chan->engine.window);
	info.out_stall_ms = READ_ONCE(chan->engine.stall_ms);
	info.out_timeout_ns = (u64)udma_deadline_default_ms(&chan->engine) * NSEC_PER_MSEC;
	return copy_to_user(call->user, &info, min_t(size_t, call->bytes, sizeof(info))) ?
		-EFAULT : 0;
}

static long udma_ioctl_buffer_alloc(struct udma_call *call)
{
	struct udma_buffer_alloc *cmd = &call->command.buffer_alloc;
	bool coherent = call->file->chan->info.out_capabilities & UDMA_CAP_COHERENT;
	struct udma_buffer *buffer;
	int ret;

	if (cmd->memory != UDMA_MEMORY_COHERENT || cmd->__reserved)
		return -EINVAL;
	buffer = udma_buffer_alloc(call->file, cmd->bytes);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	cmd->out_handle = buffer->handle;
	cmd->out_mmap_offset = udma_mapping_offset(buffer);
	cmd->out_map_bytes = buffer->map_bytes;
	cmd->out_caching = coherent ? UDMA_CACHING_CACHED : UDMA_CACHING_UNCACHED;
	ret = udma_call_answer(call);
	if (ret)
		udma_buffer_discard(buffer);
	else
		udma_buffer_publish(buffer);
	return ret;
}

static long udma_ioctl_buffer_free(struct udma_call *call)
{
	if (call->command.buffer_free.__reserved)
		return -EINVAL;
	return udma_buffer_free(call->file, call->command.buffer_free.handle);
}

/* Copy the next requests of a submit; *@count of them could be. */
static int udma_submit_fetch(struct udma_file *file, const struct udma_submit *cmd, u32 first,
			     unsigned int *count)
{
	u64 address = cmd->requests + (u64)first * cmd->request_bytes;
	unsigned int want = min_t(u32, cmd->count - first, UDMA_SUBMIT_BATCH);
	int ret;

	lockdep_assert_held(&file->submit_lock);
	*count = 0;
	if (cmd->request_bytes == sizeof(file->batch[0]))
		*count = udma_copy_in(file->batch, u64_to_user_ptr(address),
				      want * sizeof(file->batch[0])) / sizeof(file->batch[0]);
	address += (u64)*count * cmd->request_bytes;
	for (; *count < want; (*count)++) {
		ret = copy_struct_from_user(&file->batch[*count], sizeof(file->batch[0]),
					    u64_to_user_ptr(address), cmd->request_bytes);
		if (ret)
			return ret;
		address += cmd->request_bytes;
	}
	return 0;
}

/*
 * Take up to a batch of requests and give them to the engine.
 * Return: zero to go on, or why no more can be taken.
 */
static int udma_submit_batch(struct udma_file *file, const struct udma_submit *cmd, u32 *done)
{
	struct udma_requests requests = {
		.ring = file->batch,
		.mask = UDMA_SUBMIT_BATCH - 1,
	};
	unsigned int taken;
	int ret, error;

	ret = udma_submit_fetch(file, cmd, *done, &requests.count);
	if (!requests.count)
		return ret;
	error = udma_submit_all(file, &requests, &taken);
	*done += taken;
	return error ?: ret;
}

static long udma_submit(struct udma_file *file, const struct udma_submit *cmd, void __user *user)
{
	u32 done = 0;
	int ret;

	if (!cmd->count || cmd->request_bytes < sizeof(struct udma_request))
		return -EINVAL;
	if (cmd->request_bytes > PAGE_SIZE)
		return -E2BIG;
	if (mutex_lock_interruptible(&file->submit_lock))
		return -ERESTARTSYS;
	/* Before anything is taken: from then on the call cannot fail. */
	ret = put_user(file->sequence, &((struct udma_submit __user *)user)->out_sequence);
	while (!ret && done < cmd->count) {
		ret = udma_submit_batch(file, cmd, &done);
		/* Another thread may make room for as long as it likes. */
		if (done >= file->events.entries || signal_pending(current))
			break;
		cond_resched();
	}
	mutex_unlock(&file->submit_lock);
	return done ?: ret;
}

static long udma_ioctl_submit(struct udma_call *call)
{
	return udma_submit(call->file, &call->command.submit, call->user);
}

static long udma_ioctl_cancel(struct udma_call *call)
{
	const struct udma_cancel *cmd = &call->command.cancel;
	struct udma_file *file = call->file;
	int cookie;
	long ret;

	if (cmd->flags & UDMA_CANCEL_F_ALL && cmd->sequence)
		return -EINVAL;
	/* What this lets others give to hardware needs the channel. */
	cookie = udma_chan_enter(file->chan);
	if (cookie < 0)
		return cookie;
	if (cmd->flags & UDMA_CANCEL_F_ALL) {
		guard(spinlock_irq)(&file->chan->engine.lock);
		ret = udma_xfer_cancel_all(file);
	} else {
		ret = udma_xfer_cancel(file, cmd->sequence);
	}
	udma_chan_leave(cookie);
	return ret;
}

static long udma_ioctl_eventfd(struct udma_call *call)
{
	if (call->command.eventfd.__reserved)
		return -EINVAL;
	return udma_events_set_eventfd(call->file, call->command.eventfd.fd);
}

static long udma_ioctl_queue_setup(struct udma_call *call)
{
	struct udma_queue_setup *cmd = &call->command.queue_setup;
	int ret = udma_queues_plan(cmd);

	/* Before it is done: from then on the call cannot fail. */
	if (!ret)
		ret = udma_call_answer(call);
	return ret ?: udma_queues_setup(call->file, cmd);
}

static long udma_ioctl_enter(struct udma_call *call)
{
	return udma_queues_enter(call->file, &call->command.enter);
}

static long udma_ioctl_stream_start(struct udma_call *call)
{
	struct udma_stream_start *cmd = &call->command.stream_start;
	struct udma_file *file = call->file;
	int ret;

	if (mutex_lock_interruptible(&file->submit_lock))
		return -ERESTARTSYS;
	ret = udma_stream_plan(file, cmd);
	/* Before it is done: from then on the call cannot fail. */
	if (!ret)
		ret = udma_call_answer(call);
	if (!ret)
		ret = udma_stream_start(file, cmd);
	mutex_unlock(&file->submit_lock);
	return ret;
}

static long udma_ioctl_stream_control(struct udma_call *call)
{
	return udma_stream_control(call->file, &call->command.stream_control);
}

/**
 * struct udma_ioctl - an ioctl
 * @run: does it
 * @bytes: how long its structure is
 * @in_bytes: how much of that the program has to say
 * @min_bytes: how long it was in the first version
 * @flags: those that are known
 * @reads: whether a file that is only open for reading may
 * @gone: whether it is possible when the channel is gone
 */
struct udma_ioctl {
	long (*run)(struct udma_call *call);
	u32 bytes;
	u32 in_bytes;
	u32 min_bytes;
	u32 flags;
	bool reads;
	bool gone;
};

#define UDMA_IOCTL(_cmd, _run, _type, _in_bytes, _last, ...)			\
	[_IOC_NR(_cmd)] = {							\
		.run = (_run),							\
		.bytes = sizeof(struct _type),					\
		.in_bytes = (_in_bytes) + BUILD_BUG_ON_ZERO(			\
			(_in_bytes) > sizeof(union udma_command)),		\
		.min_bytes = offsetofend(struct _type, _last), __VA_ARGS__	\
	}

#define UDMA_IOCTL_ALL(_cmd, _run, _type, _last, ...) \
	UDMA_IOCTL(_cmd, _run, _type, sizeof(struct _type), _last, __VA_ARGS__)

static const struct udma_ioctl udma_ioctls[] = {
	UDMA_IOCTL(UDMA_INFO, udma_ioctl_info, udma_info,
		   offsetof(struct udma_info, out_capabilities), out_driver, .reads = true),
	UDMA_IOCTL_ALL(UDMA_BUFFER_ALLOC, udma_ioctl_buffer_alloc, udma_buffer_alloc, __reserved),
	UDMA_IOCTL_ALL(UDMA_BUFFER_FREE, udma_ioctl_buffer_free, udma_buffer_free, __reserved,
		       .gone = true),
	UDMA_IOCTL_ALL(UDMA_SUBMIT, udma_ioctl_submit, udma_submit, out_sequence),
	UDMA_IOCTL_ALL(UDMA_CANCEL, udma_ioctl_cancel, udma_cancel, sequence,
		       .flags = UDMA_CANCEL_F_ALL),
	UDMA_IOCTL_ALL(UDMA_EVENTFD, udma_ioctl_eventfd, udma_eventfd, __reserved),
	UDMA_IOCTL_ALL(UDMA_QUEUE_SETUP, udma_ioctl_queue_setup, udma_queue_setup,
		       out_complete_offset),
	UDMA_IOCTL_ALL(UDMA_ENTER, udma_ioctl_enter, udma_enter, busy_ns),
	UDMA_IOCTL_ALL(UDMA_STREAM_START, udma_ioctl_stream_start, udma_stream_start,
		       out_first_count, .flags = UDMA_STREAM_F_STOP),
	UDMA_IOCTL_ALL(UDMA_STREAM_CONTROL, udma_ioctl_stream_control, udma_stream_control,
		       sequence),
};

static_assert(sizeof(struct udma_info) == 280);
static_assert(sizeof(struct udma_buffer_alloc) == 48);
static_assert(sizeof(struct udma_buffer_free) == 16);
static_assert(sizeof(struct udma_request) == 64);
static_assert(sizeof(struct udma_submit) == 32);
static_assert(sizeof(struct udma_cancel) == 16);
static_assert(sizeof(struct udma_eventfd) == 16);
static_assert(sizeof(struct udma_queue_setup) == 48);
static_assert(sizeof(struct udma_queue_shared) == 256);
static_assert(sizeof(struct udma_enter) == 32);
static_assert(sizeof(struct udma_range) == 24);
static_assert(sizeof(struct udma_stream_start) == 96);
static_assert(sizeof(struct udma_stream_shared) == 128);
static_assert(sizeof(struct udma_stream_control) == 32);
static_assert(sizeof(struct udma_event) == 64);

static const struct udma_ioctl *udma_ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (cmd != _IO(UDMA_IOCTL_TYPE, nr) || nr >= ARRAY_SIZE(udma_ioctls))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(udma_ioctls));
	return udma_ioctls[nr].run ? &udma_ioctls[nr] : NULL;
}

/* Copy the program's structure, whose size and flags are the same in all. */
static int udma_call_fetch(struct udma_call *call, const struct udma_ioctl *ioctl)
{
	struct udma_buffer_free *head = &call->command.buffer_free;
	int ret;

	call->command_bytes = ioctl->bytes;
	if (get_user(call->bytes, (u32 __user *)call->user))
		return -EFAULT;
	if (call->bytes < ioctl->min_bytes)
		return -EINVAL;
	if (call->bytes > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&call->command, ioctl->in_bytes, call->user,
				    min(call->bytes, ioctl->in_bytes));
	if (!ret && call->bytes > ioctl->bytes) {
		ret = check_zeroed_user(call->user + ioctl->bytes, call->bytes - ioctl->bytes);
		ret = ret < 0 ? ret : ret ? 0 : -E2BIG;
	}
	if (ret)
		return ret;
	/* It may have changed since; what counts is what was checked. */
	head->size = call->bytes;
	return head->flags & ~ioctl->flags ? -EINVAL : 0;
}

static noinline long udma_call_run(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct udma_ioctl *ioctl = udma_ioctl_find(cmd);
	struct udma_call call;
	int ret;

	if (!ioctl)
		return -ENOTTY;
	if (!ioctl->reads && !(filp->f_mode & FMODE_WRITE))
		return -EBADF;
	call.file = filp->private_data;
	call.user = (void __user *)arg;
	ret = udma_call_fetch(&call, ioctl);
	if (ret)
		return ret;
	if (!ioctl->gone && udma_chan_gone(call.file->chan))
		return -ENODEV;
	return ioctl->run(&call);
}

/*
 * What a straight way can be gone with: the program and the kernel agree on what the
 * structure is, and nothing is wrong with it.
 */
static __always_inline bool udma_fetch(struct file *filp, void *cmd, const void __user *user,
				       size_t bytes)
{
	const struct udma_buffer_free *head = cmd;
	const struct udma_file *file = filp->private_data;

	return filp->f_mode & FMODE_WRITE && udma_copy_in(cmd, user, bytes) == bytes &&
	       head->size == bytes && !head->flags && !udma_chan_gone(file->chan);
}

/* The two that each batch comes with go straight, unless there is something to say. */
static long udma_fops_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct udma_file *file = filp->private_data;
	union {
		struct udma_enter enter;
		struct udma_submit submit;
	} command;

	BUILD_BUG_ON(sizeof(command.enter) != sizeof(command.submit));
	if (cmd == UDMA_ENTER && udma_fetch(filp, &command, user, sizeof(command)))
		return udma_queues_enter(file, &command.enter);
	if (cmd == UDMA_SUBMIT && udma_fetch(filp, &command, user, sizeof(command)))
		return udma_submit(file, &command.submit, user);
	return udma_call_run(filp, cmd, arg);
}

static ssize_t udma_fops_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct udma_file *file = iocb->ki_filp->private_data;

	return udma_events_read(&file->events, to, iocb->ki_filp->f_flags & O_NONBLOCK,
				iocb->ki_flags & IOCB_NOWAIT);
}

static __poll_t udma_fops_poll(struct file *filp, struct poll_table_struct *wait)
{
	struct udma_file *file = filp->private_data;

	return udma_events_poll(&file->events, filp, wait);
}

static int udma_fops_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct udma_file *file = filp->private_data;
	int cookie = udma_chan_enter(file->chan);
	int ret;

	if (cookie < 0)
		return cookie;
	ret = udma_mapping_create(file, vma);
	udma_chan_leave(cookie);
	return ret;
}

/*
 * Transfers are allocated in whole pages and no more: kmalloc() would round up to a
 * power of two. Every page of them in the direct mapping, if that can be had.
 */
struct udma_xfer *udma_xfers_alloc(struct udma_file *file, unsigned int count)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;
	size_t bytes = array_size(count, sizeof(struct udma_xfer));
	struct udma_xfer *xfers;
	unsigned int i;

	xfers = alloc_pages_exact(bytes, gfp | __GFP_NORETRY);
	if (!xfers)
		xfers = __vmalloc(bytes, gfp | __GFP_RETRY_MAYFAIL);
	for (i = 0; xfers && i < count; i++)
		udma_xfer_init(&xfers[i], file, i + 1 < count ? &xfers[i + 1] : NULL);
	return xfers;
}

void udma_xfers_free(struct udma_xfer *xfers, unsigned int count)
{
	if (is_vmalloc_addr(xfers))
		vfree(xfers);
	else if (xfers)
		free_pages_exact(xfers, array_size(count, sizeof(*xfers)));
}

static void udma_file_free(struct udma_file *file)
{
	udma_xfers_free(file->xfers, file->events.entries);
	udma_events_destroy(&file->events);
	udma_queues_destroy(&file->queues);
	udma_stream_destroy(file);
	udma_buffers_destroy(&file->buffers);
	mutex_destroy(&file->submit_lock);
	put_device(&file->chan->dev);
	kfree(file);
}

/* Let go of the kernel's part of a file, in process context. */
void udma_file_put(struct udma_file *file)
{
	scoped_guard(spinlock_irq, &file->chan->engine.lock) {
		if (--file->refs)
			return;
	}
	udma_file_free(file);
}

static struct udma_file *udma_file_new(struct udma_chan *chan)
{
	struct udma_xfer *xfers;
	struct udma_file *file;

	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return NULL;
	xfers = udma_xfers_alloc(file, UDMA_EVENT_SLOTS);
	if (!xfers || udma_events_init(&file->events)) {
		udma_xfers_free(xfers, UDMA_EVENT_SLOTS);
		kfree(file);
		return NULL;
	}
	file->chan = chan;
	get_device(&chan->dev);
	file->refs = 1;
	file->sequence = 1;
	mutex_init(&file->submit_lock);
	file->xfers = xfers;
	file->free = xfers;
	udma_buffers_init(&file->buffers);
	return file;
}

/* Let a file in among the others of its channel, or alone. */
static int udma_file_list(struct udma_file *file)
{
	struct udma_chan *chan = file->chan;
	struct udma_file *other;

	guard(mutex)(&chan->files_lock);
	/* Set before remove() takes the lock to close all that are listed. */
	if (udma_chan_gone(chan))
		return -ENODEV;
	other = list_first_entry_or_null(&chan->files, struct udma_file, node);
	if (other && (file->exclusive || other->exclusive))
		return -EBUSY;
	list_add(&file->node, &chan->files);
	return 0;
}

static int udma_fops_open(struct inode *inode, struct file *filp)
{
	struct udma_chan *chan = container_of(inode->i_cdev, struct udma_chan, cdev);
	struct udma_file *file;
	int ret;

	file = udma_file_new(chan);
	if (!file)
		return -ENOMEM;
	file->mapping = filp->f_mapping;
	file->exclusive = filp->f_flags & O_EXCL;
	filp->private_data = file;
	ret = udma_file_list(file);
	if (ret) {
		udma_file_put(file);
		return ret;
	}
	filp->f_mode |= FMODE_NOWAIT | UDMA_FMODE_UNSIGNED_OFFSET;
	return stream_open(inode, filp);
}

/* Nothing waits here: what hardware still has is let go of when it is done. */
static int udma_fops_release(struct inode *inode, struct file *filp)
{
	struct udma_file *file = filp->private_data;
	struct udma_chan *chan = file->chan;

	scoped_guard(mutex, &chan->files_lock)
		list_del(&file->node);
	udma_events_set_eventfd(file, -1);
	scoped_guard(spinlock_irq, &chan->engine.lock) {
		file->closed = true;
		udma_xfer_cancel_all(file);
		udma_engine_disown(&chan->engine, file);
		udma_buffers_drop(file);
	}
	/* The file may be the last one that holds the channel. */
	get_device(&chan->dev);
	udma_buffers_reap(chan);
	udma_file_put(file);
	put_device(&chan->dev);
	return 0;
}

const struct file_operations udma_fops = {
	.owner = THIS_MODULE,
	.open = udma_fops_open,
	.release = udma_fops_release,
	.read_iter = udma_fops_read_iter,
	.poll = udma_fops_poll,
	.mmap = udma_fops_mmap,
	.unlocked_ioctl = udma_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	UDMA_FOP_UNSIGNED_OFFSET
};
