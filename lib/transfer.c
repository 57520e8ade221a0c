// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

UDMA_EXPORT struct udma_transfer *udma_transfer_new(void)
{
	return calloc(1, sizeof(struct udma_transfer));
}

UDMA_EXPORT void udma_transfer_free(struct udma_transfer *transfer)
{
	int saved = errno;

	free(transfer);
	errno = saved;
}

/* What does not say what is to be done stays; of the last description nothing else does. */
static struct udma_request *begin(struct udma_transfer *transfer, uint32_t op,
				  unsigned long channel_id)
{
	struct udma_request *request = &transfer->request;

	*request = (struct udma_request) {
		.op = op,
		.flags = request->flags & (UDMA_REQUEST_F_FENCE | UDMA_REQUEST_F_MORE),
		.user_data = request->user_data,
		.timeout_ns = request->timeout_ns,
	};
	transfer->channel_id = channel_id;
	return request;
}

/* Zero, which is no channel's, for buffers of two. */
static unsigned long common(unsigned long dst_id, unsigned long src_id)
{
	return dst_id == src_id ? dst_id : 0;
}

static void set_dst(struct udma_request *request, const struct udma_buffer *dst, size_t offset)
{
	request->dst_handle = dst->handle;
	request->dst_offset = offset;
}

static void set_src(struct udma_request *request, const struct udma_buffer *src, size_t offset)
{
	request->src_handle = src->handle;
	request->src_offset = offset;
}

static void set_dst_ranges(struct udma_request *request, const struct udma_ranges *ranges)
{
	request->flags |= UDMA_REQUEST_F_DST_RANGES;
	request->dst_count = ranges->count;
	request->dst_ranges = (uintptr_t)ranges->items;
}

static void set_src_ranges(struct udma_request *request, const struct udma_ranges *ranges)
{
	request->flags |= UDMA_REQUEST_F_SRC_RANGES;
	request->src_count = ranges->count;
	request->src_ranges = (uintptr_t)ranges->items;
}

UDMA_EXPORT void udma_transfer_set_copy(struct udma_transfer *transfer,
					const struct udma_buffer *dst, size_t dst_offset,
					const struct udma_buffer *src, size_t src_offset,
					size_t bytes)
{
	struct udma_request *request = begin(transfer, UDMA_OP_COPY,
					     common(dst->channel_id, src->channel_id));

	set_dst(request, dst, dst_offset);
	set_src(request, src, src_offset);
	request->bytes = bytes;
}

UDMA_EXPORT void udma_transfer_set_fill(struct udma_transfer *transfer,
					const struct udma_buffer *dst, size_t dst_offset,
					size_t bytes, uint8_t value)
{
	struct udma_request *request = begin(transfer, UDMA_OP_FILL, dst->channel_id);

	set_dst(request, dst, dst_offset);
	request->bytes = bytes;
	request->fill = value;
}

static bool fits(size_t number)
{
	return number <= UINT32_MAX;
}

UDMA_EXPORT void udma_transfer_set_interleave(struct udma_transfer *transfer,
					      const struct udma_buffer *dst, size_t dst_offset,
					      size_t dst_stride, const struct udma_buffer *src,
					      size_t src_offset, size_t src_stride,
					      size_t line_bytes, size_t lines)
{
	struct udma_request *request = begin(transfer, UDMA_OP_INTERLEAVE,
					     common(dst->channel_id, src->channel_id));

	/* No lines, as it is now, are refused as well. */
	if (!fits(dst_stride) || !fits(src_stride) || !fits(line_bytes) || !fits(lines))
		return;
	set_dst(request, dst, dst_offset);
	set_src(request, src, src_offset);
	request->dst_stride = dst_stride;
	request->src_stride = src_stride;
	request->line_bytes = line_bytes;
	request->lines = lines;
}

UDMA_EXPORT void udma_transfer_set_send(struct udma_transfer *transfer,
					const struct udma_buffer *src, size_t offset, size_t bytes)
{
	struct udma_request *request = begin(transfer, UDMA_OP_MEM_TO_DEV, src->channel_id);

	set_src(request, src, offset);
	request->bytes = bytes;
}

UDMA_EXPORT void udma_transfer_set_receive(struct udma_transfer *transfer,
					   const struct udma_buffer *dst, size_t offset,
					   size_t bytes)
{
	struct udma_request *request = begin(transfer, UDMA_OP_DEV_TO_MEM, dst->channel_id);

	set_dst(request, dst, offset);
	request->bytes = bytes;
}

UDMA_EXPORT void udma_transfer_set_send_ranges(struct udma_transfer *transfer,
					       const struct udma_ranges *ranges)
{
	struct udma_request *request = begin(transfer, UDMA_OP_MEM_TO_DEV, ranges->channel_id);

	set_src_ranges(request, ranges);
	request->bytes = ranges->bytes;
}

UDMA_EXPORT void udma_transfer_set_receive_ranges(struct udma_transfer *transfer,
						  const struct udma_ranges *ranges)
{
	struct udma_request *request = begin(transfer, UDMA_OP_DEV_TO_MEM, ranges->channel_id);

	set_dst_ranges(request, ranges);
	request->bytes = ranges->bytes;
}

UDMA_EXPORT void udma_transfer_set_copy_ranges(struct udma_transfer *transfer,
					       const struct udma_ranges *dst_ranges,
					       const struct udma_ranges *src_ranges)
{
	struct udma_request *request = begin(transfer, UDMA_OP_COPY,
					     common(dst_ranges->channel_id,
						    src_ranges->channel_id));

	set_dst_ranges(request, dst_ranges);
	set_src_ranges(request, src_ranges);
	/* Of no bytes, which is refused, if one is longer. */
	request->bytes = dst_ranges->bytes == src_ranges->bytes ? dst_ranges->bytes : 0;
}

static void set_flag(struct udma_transfer *transfer, uint32_t flag, bool set)
{
	if (set)
		transfer->request.flags |= flag;
	else
		transfer->request.flags &= ~flag;
}

UDMA_EXPORT void udma_transfer_set_fence(struct udma_transfer *transfer, bool fence)
{
	set_flag(transfer, UDMA_REQUEST_F_FENCE, fence);
}

UDMA_EXPORT void udma_transfer_set_more(struct udma_transfer *transfer, bool more)
{
	set_flag(transfer, UDMA_REQUEST_F_MORE, more);
}

UDMA_EXPORT void udma_transfer_set_timeout_ns(struct udma_transfer *transfer, int64_t timeout_ns)
{
	transfer->request.timeout_ns = timeout_ns < 0 ? UDMA_TIMEOUT_NEVER :
						       (uint64_t)timeout_ns;
}

UDMA_EXPORT void udma_transfer_set_user_data(struct udma_transfer *transfer, uint64_t user_data)
{
	transfer->request.user_data = user_data;
}
