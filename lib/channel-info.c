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
