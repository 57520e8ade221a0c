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

UDMA_EXPORT void udma_transfer_set_copy(struct udma_transfer *transfer,
					const struct udma_buffer *dst, size_t dst_offset,
					const struct udma_buffer *src, size_t src_offset,
					size_t bytes)
{
	struct udma_request *request = &transfer->request;

	request->op = UDMA_OP_COPY;
	request->dst_handle = dst->handle;
	request->src_handle = src->handle;
	request->dst_offset = dst_offset;
	request->src_offset = src_offset;
	request->bytes = bytes;
	request->fill = 0;
	transfer->channel_id = dst->channel_id == src->channel_id ? dst->channel_id : 0;
}

UDMA_EXPORT void udma_transfer_set_fill(struct udma_transfer *transfer,
					const struct udma_buffer *dst, size_t dst_offset,
					size_t bytes, uint8_t value)
{
	struct udma_request *request = &transfer->request;

	request->op = UDMA_OP_FILL;
	request->dst_handle = dst->handle;
	request->src_handle = 0;
	request->dst_offset = dst_offset;
	request->src_offset = 0;
	request->bytes = bytes;
	request->fill = value;
	transfer->channel_id = dst->channel_id;
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
