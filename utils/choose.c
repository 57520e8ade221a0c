// SPDX-License-Identifier: GPL-2.0
/*
 * Which channel to use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udmactl.h"

#define BLOCK_BYTES	(1024 * 1024)

static bool is_able(const struct pump *pump, const struct udma_channel_info *info)
{
	return pump->source ? udma_channel_info_can_copy(info) : udma_channel_info_can_fill(info);
}

/* What fits into the limits of the channel, if the user did not say it. */
static void fit(struct pump *pump, const struct udma_channel_info *info)
{
	unsigned int transfers = udma_channel_info_get_max_transfers(info);
	uint64_t most = udma_channel_info_get_max_bytes(info) / (2 * pump->slots);

	pump->align = pump->source ? udma_channel_info_get_copy_align(info) :
				     udma_channel_info_get_fill_align(info);
	if (pump->slots > transfers)
		pump->slots = transfers;
	if (pump->block_bytes)
		return;
	if (most > BLOCK_BYTES)
		most = BLOCK_BYTES;
	if (pump->bytes && most > pump->bytes)
		most = pump->bytes;
	pump->block_bytes = most > pump->align ? most : pump->align;
}

/* Return: 0, or -1 with errno, which is EOPNOTSUPP for a channel that is not able. */
static int try_channel(struct pump *pump, const char *device)
{
	struct udma_channel_info *info = NULL;

	snprintf(pump->device, sizeof(pump->device), "%s", device);
	pump->channel = pump->exclusive ? udma_channel_open_exclusive(device) :
					  udma_channel_open(device);
	if (pump->channel)
		info = udma_channel_get_info(pump->channel);
	if (info && is_able(pump, info)) {
		fit(pump, info);
		udma_channel_info_free(info);
		return 0;
	}
	if (info)
		errno = EOPNOTSUPP;
	udma_channel_info_free(info);
	udma_channel_close(pump->channel);
	pump->channel = NULL;
	return -1;
}

static void complain_channel(const struct pump *pump)
{
	if (errno == EOPNOTSUPP)
		complain(pump->source ? "the channel cannot copy" : "the channel cannot fill",
			 "%s", pump->device);
	else if (errno == EBUSY && pump->exclusive)
		complain("another program uses it", "%s", pump->device);
	else
		complain_device(pump->device);
}

/* The first that is able to; what is said is what was wrong with the last one. */
static int choose_any(struct pump *pump)
{
	struct device *devices;
	ssize_t count = devices_read(&devices), i;
	int ret = -1;

	for (i = 0; ret && i < count; i++)
		ret = try_channel(pump, devices[i].node);
	if (ret && count > 0)
		complain_channel(pump);
	else if (ret)
		complain(count ? strerror(errno) : "there is none (udmactl bind makes one)",
			 "device");
	free(devices);
	return ret;
}

/**
 * choose_channel - open the channel that was named, or else a fitting one
 * @pump: says what it is for, and gets the channel and what fits it
 *
 * Return: 0, or -1 after it said why.
 */
int choose_channel(struct pump *pump)
{
	if (!pump->wanted)
		return choose_any(pump);
	if (!try_channel(pump, pump->wanted))
		return 0;
	complain_channel(pump);
	return -1;
}
