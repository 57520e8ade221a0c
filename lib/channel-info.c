// SPDX-License-Identifier: LGPL-2.1-or-later
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct udma_channel_info {
	struct udma_info info;
};

static_assert((int)UDMA_CHANNEL_WORKING == UDMA_STATE_WORKING, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_RESETTING == UDMA_STATE_RESETTING, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_FAILED == UDMA_STATE_FAILED, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_MEM_TO_MEM == UDMA_DIRECTION_MEM_TO_MEM, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_MEM_TO_DEV == UDMA_DIRECTION_MEM_TO_DEV, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_DEV_TO_MEM == UDMA_DIRECTION_DEV_TO_MEM, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_NO_DIRECTION == UDMA_DIRECTION_NONE, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_RESIDUE_DESCRIPTOR == UDMA_RESIDUE_DESCRIPTOR,
	      "as the kernel has it");
static_assert((int)UDMA_CHANNEL_RESIDUE_SEGMENT == UDMA_RESIDUE_SEGMENT, "as the kernel has it");
static_assert((int)UDMA_CHANNEL_RESIDUE_BURST == UDMA_RESIDUE_BURST, "as the kernel has it");

UDMA_EXPORT struct udma_channel_info *udma_channel_get_info(struct udma_channel *channel)
{
	struct udma_channel_info *info;

	info = calloc(1, sizeof(*info));
	if (!info)
		return NULL;
	info->info.size = sizeof(info->info);
	if (udma_channel_ioctl(channel, UDMA_INFO, &info->info) < 0) {
		udma_channel_info_free(info);
		return NULL;
	}
	return info;
}

UDMA_EXPORT void udma_channel_info_free(struct udma_channel_info *info)
{
	int saved = errno;

	free(info);
	errno = saved;
}

UDMA_EXPORT const char *udma_channel_info_get_name(const struct udma_channel_info *info)
{
	return info->info.out_name;
}

UDMA_EXPORT const char *udma_channel_info_get_channel(const struct udma_channel_info *info)
{
	return info->info.out_channel;
}

UDMA_EXPORT const char *udma_channel_info_get_device(const struct udma_channel_info *info)
{
	return info->info.out_device;
}

UDMA_EXPORT const char *udma_channel_info_get_driver(const struct udma_channel_info *info)
{
	return info->info.out_driver;
}

UDMA_EXPORT bool udma_channel_info_can_copy(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_COPY;
}

UDMA_EXPORT bool udma_channel_info_can_fill(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_FILL;
}

UDMA_EXPORT bool udma_channel_info_is_coherent(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_COHERENT;
}

UDMA_EXPORT uint64_t udma_channel_info_get_max_bytes(const struct udma_channel_info *info)
{
	return info->info.out_max_bytes;
}

UDMA_EXPORT uint64_t
udma_channel_info_get_max_segment_bytes(const struct udma_channel_info *info)
{
	return info->info.out_max_segment_bytes;
}

UDMA_EXPORT unsigned int
udma_channel_info_get_max_buffers(const struct udma_channel_info *info)
{
	return info->info.out_max_buffers;
}

UDMA_EXPORT unsigned int
udma_channel_info_get_max_transfers(const struct udma_channel_info *info)
{
	return info->info.out_max_transfers;
}

UDMA_EXPORT unsigned int
udma_channel_info_get_copy_align(const struct udma_channel_info *info)
{
	return info->info.out_copy_align;
}

UDMA_EXPORT unsigned int
udma_channel_info_get_fill_align(const struct udma_channel_info *info)
{
	return info->info.out_fill_align;
}

UDMA_EXPORT enum udma_channel_state
udma_channel_info_get_state(const struct udma_channel_info *info)
{
	return (enum udma_channel_state)info->info.out_state;
}

UDMA_EXPORT unsigned int
udma_channel_info_get_stall_ms(const struct udma_channel_info *info)
{
	return info->info.out_stall_ms;
}

UDMA_EXPORT uint64_t udma_channel_info_get_timeout_ns(const struct udma_channel_info *info)
{
	return info->info.out_timeout_ns;
}

UDMA_EXPORT enum udma_channel_direction
udma_channel_info_get_direction(const struct udma_channel_info *info)
{
	return (enum udma_channel_direction)info->info.out_direction;
}

UDMA_EXPORT bool udma_channel_info_has_direction(const struct udma_channel_info *info,
						 enum udma_channel_direction direction)
{
	/* A shift by more than there are bits is not defined. */
	return (uint32_t)direction < 32 && info->info.out_directions & 1U << direction;
}

UDMA_EXPORT bool udma_channel_info_can_interleave(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_INTERLEAVE;
}

UDMA_EXPORT bool udma_channel_info_can_send(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_MEM_TO_DEV;
}

UDMA_EXPORT bool udma_channel_info_can_receive(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_DEV_TO_MEM;
}

UDMA_EXPORT bool udma_channel_info_can_cycle(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_CYCLIC;
}

UDMA_EXPORT bool udma_channel_info_can_pause(const struct udma_channel_info *info)
{
	return info->info.out_capabilities & UDMA_CAP_PAUSE;
}

UDMA_EXPORT enum udma_channel_residue
udma_channel_info_get_residue(const struct udma_channel_info *info)
{
	return (enum udma_channel_residue)info->info.out_residue;
}

UDMA_EXPORT unsigned int udma_channel_info_get_widths(const struct udma_channel_info *info)
{
	return info->info.out_widths;
}

UDMA_EXPORT unsigned int udma_channel_info_get_max_burst(const struct udma_channel_info *info)
{
	return info->info.out_max_burst;
}

UDMA_EXPORT unsigned int udma_channel_info_get_width(const struct udma_channel_info *info)
{
	return info->info.out_width;
}

UDMA_EXPORT unsigned int udma_channel_info_get_burst(const struct udma_channel_info *info)
{
	return info->info.out_burst;
}

UDMA_EXPORT unsigned int udma_channel_info_get_window(const struct udma_channel_info *info)
{
	return info->info.out_window;
}

UDMA_EXPORT unsigned int udma_channel_info_get_max_ranges(const struct udma_channel_info *info)
{
	return info->info.out_max_ranges;
}
