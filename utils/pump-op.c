// SPDX-License-Identifier: GPL-2.0
/*
 * What can be done with data, and where that differs.
 */
#include "pump.h"

static void sum_up_memory(struct json_object *record, const struct pump *pump)
{
	record_add_bool(record, "verified", pump->verify);
}

static void describe_copy(struct udma_transfer *transfer, const struct pump *pump,
			  const struct udma_buffer *dst, const struct udma_buffer *src,
			  size_t bytes)
{
	(void)pump;
	udma_transfer_set_copy(transfer, dst, 0, src, 0, bytes);
}

const struct pump_op pump_copy = {
	.ability = &able_to_copy,
	.get_align = udma_channel_info_get_copy_align,
	.describe = describe_copy,
	.sum_up = sum_up_memory,
	.reads = true,
	.writes = true,
};

static void describe_fill(struct udma_transfer *transfer, const struct pump *pump,
			  const struct udma_buffer *dst, const struct udma_buffer *src,
			  size_t bytes)
{
	(void)src;
	udma_transfer_set_fill(transfer, dst, 0, bytes, pump->value);
}

const struct pump_op pump_fill = {
	.ability = &able_to_fill,
	.get_align = udma_channel_info_get_fill_align,
	.describe = describe_fill,
	.sum_up = sum_up_memory,
	.writes = true,
};

static void describe_send(struct udma_transfer *transfer, const struct pump *pump,
			  const struct udma_buffer *dst, const struct udma_buffer *src,
			  size_t bytes)
{
	(void)pump;
	(void)dst;
	udma_transfer_set_send(transfer, src, 0, bytes);
}

const struct pump_op pump_send = {
	.ability = &able_to_send,
	.get_align = udma_channel_info_get_copy_align,
	.describe = describe_send,
	.reads = true,
	.device = true,
};

static void describe_receive(struct udma_transfer *transfer, const struct pump *pump,
			     const struct udma_buffer *dst, const struct udma_buffer *src,
			     size_t bytes)
{
	(void)pump;
	(void)src;
	udma_transfer_set_receive(transfer, dst, 0, bytes);
}

static void sum_up_receive(struct json_object *record, const struct pump *pump)
{
	record_add_number(record, "short_transfers", pump->short_transfers);
	record_add_bool(record, "exact", !pump->inexact);
}

const struct pump_op pump_receive = {
	.ability = &able_to_receive,
	.get_align = udma_channel_info_get_copy_align,
	.describe = describe_receive,
	.sum_up = sum_up_receive,
	.writes = true,
	.device = true,
};
