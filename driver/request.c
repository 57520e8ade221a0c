// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that are more than a copy or a fill of one range: of lists, of lines, to
 * and from a device. What they must be, and what of a transfer they make.
 */
#include <linux/dmaengine.h>
#include <linux/math64.h>

#include "hot.h"
#include "udma.h"

/**
 * struct udma_rule - what may be said with an op
 * @capability: what the channel has to be able to
 * @flags: those that are known, besides those of all
 * @dst: there is a destination
 * @src: there is a source
 * @lines: it is made of lines
 * @fill: there is a value to fill with
 */
struct udma_rule {
	u32 capability;
	u32 flags;
	bool dst;
	bool src;
	bool lines;
	bool fill;
};

static const struct udma_rule udma_rules[] = {
	[UDMA_OP_COPY] = { UDMA_CAP_COPY, UDMA_REQUEST_F_DST_RANGES | UDMA_REQUEST_F_SRC_RANGES,
			   .dst = true, .src = true },
	[UDMA_OP_FILL] = { UDMA_CAP_FILL, UDMA_REQUEST_F_DST_RANGES, .dst = true, .fill = true },
	[UDMA_OP_INTERLEAVE] = { UDMA_CAP_INTERLEAVE, 0, .dst = true, .src = true, .lines = true },
	[UDMA_OP_MEM_TO_DEV] = { UDMA_CAP_MEM_TO_DEV, UDMA_REQUEST_F_SRC_RANGES, .src = true },
	[UDMA_OP_DEV_TO_MEM] = { UDMA_CAP_DEV_TO_MEM, UDMA_REQUEST_F_DST_RANGES, .dst = true },
};

static const struct udma_rule *udma_rule_find(u32 op)
{
	if (op >= ARRAY_SIZE(udma_rules))
		return NULL;
	return &udma_rules[array_index_nospec(op, ARRAY_SIZE(udma_rules))];
}

/* What an op has no use for is zero. */
static bool udma_request_says_too_much(const struct udma_request *request,
				       const struct udma_rule *rule)
{
	const u32 known = UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE;

	if (request->flags & ~(known | rule->flags))
		return true;
	if (!rule->dst && (request->dst_handle || request->dst_offset))
		return true;
	if (!rule->src && (request->src_handle || request->src_offset))
		return true;
	if (rule->lines)
		return false;
	return request->src_stride || request->fill > (rule->fill ? U8_MAX : 0);
}

static unsigned int udma_request_align(const struct udma_info *info,
				       const struct udma_request *request)
{
	return request->op == UDMA_OP_FILL ? info->out_fill_align : info->out_copy_align;
}

/* Devices take and give whole words. What of memory goes through one is zero here. */
static unsigned int udma_request_width(const struct udma_info *info)
{
	return info->out_direction == UDMA_DIRECTION_MEM_TO_MEM ? 0 : info->out_width;
}

/* Whether a range is as the controller and the device need it. */
bool udma_request_is_aligned(const struct udma_info *info, const struct udma_request *request,
			     u64 offset, u64 bytes)
{
	unsigned int width = udma_request_width(info);
	u32 rest = 0;

	if ((offset | bytes) & (udma_request_align(info, request) - 1))
		return false;
	if (width)
		div_u64_rem(offset, width, &rest);
	if (width && !rest)
		div_u64_rem(bytes, width, &rest);
	return !rest;
}

/* Lines have to be as a template can say, which has them forward and apart. */
static int udma_request_check_lines(const struct udma_info *info,
				    const struct udma_request *request)
{
	u64 all = request->line_bytes | request->dst_stride | request->src_stride |
		  request->dst_offset | request->src_offset;

	if (!request->line_bytes || !request->lines ||
	    request->line_bytes > info->out_max_segment_bytes ||
	    request->dst_stride < request->line_bytes ||
	    request->src_stride < request->line_bytes || all & (info->out_copy_align - 1))
		return -EINVAL;
	return 0;
}

static int udma_request_check_range(const struct udma_info *info,
				    const struct udma_request *request)
{
	return udma_request_is_aligned(info, request, request->dst_offset, request->bytes) &&
	       udma_request_is_aligned(info, request, request->src_offset, 0) ? 0 : -EINVAL;
}

/* From the beginning of the first line to the end of the last one; it fits 64 bits. */
static u64 udma_request_extent(const struct udma_request *request, u32 stride)
{
	return (u64)(request->lines - 1) * stride + request->line_bytes;
}

/* A buffer of the program, in which there must be that much. */
static int udma_request_find(struct udma_file *file, u32 handle, u64 offset, u64 bytes,
			     struct udma_buffer **found, dma_addr_t *addr)
{
	struct udma_buffer *buffer = udma_buffer_find(file, handle);

	if (!buffer)
		return -ENOENT;
	if (!udma_buffer_has(buffer, offset, bytes))
		return -ERANGE;
	*found = buffer;
	*addr = buffer->dma + offset;
	return 0;
}

/* Find what a request without lists names. */
static int udma_request_find_both(struct udma_file *file, const struct udma_request *request,
				  const struct udma_rule *rule, struct udma_xfer *xfer)
{
	u64 dst = request->bytes, src = request->bytes;
	int ret = 0;

	if (rule->lines) {
		dst = udma_request_extent(request, request->dst_stride);
		src = udma_request_extent(request, request->src_stride);
	}
	if (rule->dst)
		ret = udma_request_find(file, request->dst_handle, request->dst_offset, dst,
					&xfer->dst, &xfer->dst_addr);
	if (!ret && rule->src)
		ret = udma_request_find(file, request->src_handle, request->src_offset, src,
					&xfer->src, &xfer->src_addr);
	return ret;
}

/* What a device gives is not known to have come where the controller does not tell. */
static bool udma_request_is_inexact(const struct udma_engine *engine, u32 op)
{
	return op == UDMA_OP_DEV_TO_MEM && udma_engine_tells_nothing(engine);
}

/* What a request is to the engine. */
static u8 udma_request_kind(const struct udma_request *request, const struct udma_list *list)
{
	if (list && request->op == UDMA_OP_COPY)
		return UDMA_OP_COPY_RANGES;
	if (list && request->op == UDMA_OP_FILL)
		return UDMA_OP_FILL_RANGES;
	return request->op;
}

/* What has been found to be right, but for the buffers. */
static void udma_request_set(const struct udma_request *request, const struct udma_rule *rule,
			     struct udma_list *list, struct udma_xfer *xfer)
{
	xfer->op = udma_request_kind(request, list);
	xfer->trouble = 0;
	if (rule->lines) {
		xfer->bytes = (u64)request->lines * request->line_bytes;
		xfer->line_bytes = request->line_bytes;
		xfer->dst_stride = request->dst_stride;
		xfer->src_stride = request->src_stride;
		return;
	}
	xfer->bytes = request->bytes;
	xfer->fill = request->fill;
	xfer->list = list;
}

/* Whether an op is one, the channel can do it, and nothing is said that it has no use for. */
int udma_request_check_op(const struct udma_info *info, const struct udma_request *request)
{
	const struct udma_rule *rule = udma_rule_find(request->op);

	if (!rule)
		return -EINVAL;
	if (!(info->out_capabilities & rule->capability))
		return -EOPNOTSUPP;
	return udma_request_says_too_much(request, rule) || !request->bytes ? -EINVAL : 0;
}

/**
 * udma_request_make - see whether a request can be a transfer, and make it
 * @file: whose
 * @request: the kernel's copy of it
 * @list: its ranges, which have been found, or NULL when it has no list
 * @xfer: what is to be made, which is not in use; not written to is what all have
 *
 * The list has references to its buffers; those of a single range have to be taken still.
 *
 * Return: zero or a negative errno.
 */
int udma_request_make(struct udma_file *file, const struct udma_request *request,
		      struct udma_list *list, struct udma_xfer *xfer)
{
	const struct udma_engine *engine = &file->chan->engine;
	const struct udma_rule *rule = udma_rule_find(request->op);
	const struct udma_info *info = &file->chan->info;
	int ret;

	lockdep_assert_held(&engine->lock);
	ret = udma_request_check_op(info, request);
	if (ret)
		return ret;
	/* A program that writes to its queue meanwhile has said before that it has a list. */
	if (rule->lines && list)
		return -EINVAL;
	xfer->dst = NULL;
	xfer->src = NULL;
	if (rule->lines)
		ret = udma_request_check_lines(info, request);
	else if (!list)
		ret = udma_request_check_range(info, request);
	if (!ret && !list)
		ret = udma_request_find_both(file, request, rule, xfer);
	if (ret)
		return ret;
	udma_request_set(request, rule, list, xfer);
	xfer->inexact = udma_request_is_inexact(engine, request->op);
	return 0;
}
