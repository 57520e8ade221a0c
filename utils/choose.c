// SPDX-License-Identifier: GPL-2.0
/*
 * Which device to use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udmactl.h"

const struct ability able_to_copy = {
	.is_had = udma_channel_info_can_copy,
	.inability = "the channel cannot copy",
};

const struct ability able_to_fill = {
	.is_had = udma_channel_info_can_fill,
	.inability = "the channel cannot fill",
};

const struct ability able_to_send = {
	.is_had = udma_channel_info_can_send,
	.inability = "the channel cannot send",
};

const struct ability able_to_receive = {
	.is_had = udma_channel_info_can_receive,
	.inability = "the channel cannot receive",
};

static bool can_capture(const struct udma_channel_info *info)
{
	return udma_channel_info_can_receive(info) && udma_channel_info_can_cycle(info);
}

const struct ability able_to_capture = {
	.is_had = can_capture,
	.inability = "the channel cannot capture",
};

static bool can_play(const struct udma_channel_info *info)
{
	return udma_channel_info_can_send(info) && udma_channel_info_can_cycle(info);
}

const struct ability able_to_play = {
	.is_had = can_play,
	.inability = "the channel cannot play",
};

/* Return: 0, or -1 with errno, or with what the channel is if that is not able. */
static int try_channel(struct choice *choice, const char *device)
{
	choice_release(choice);
	snprintf(choice->device, sizeof(choice->device), "%s", device);
	choice->channel = choice->exclusive ? udma_channel_open_exclusive(device) :
					      udma_channel_open(device);
	if (choice->channel)
		choice->info = udma_channel_get_info(choice->channel);
	return choice->info && choice->ability->is_had(choice->info) ? 0 : -1;
}

static const char *explain_inability(const struct choice *choice)
{
	if (udma_channel_info_get_direction(choice->info) == UDMA_CHANNEL_NO_DIRECTION)
		return "it has no direction yet (udmactl config gives it one)";
	return choice->ability->inability;
}

static void complain_channel(const struct choice *choice)
{
	if (choice->info)
		complain(explain_inability(choice), "%s", choice->device);
	else if (errno == EBUSY && choice->exclusive)
		complain("another program uses it", "%s", choice->device);
	else
		complain_device(choice->device);
}

/* The first that is able to; what is said is what was wrong with the last one. */
static int choose_any(struct choice *choice)
{
	struct device *devices;
	ssize_t count = devices_read(&devices), i;
	int ret = -1;

	for (i = 0; ret && i < count; i++)
		ret = try_channel(choice, devices[i].node);
	if (ret && count > 0)
		complain_channel(choice);
	else if (ret)
		complain(count ? strerror(errno) : "there is none (udmactl bind makes one)",
			 "device");
	free(devices);
	return ret;
}

/**
 * choose_channel - open the channel that was named, or else the first that is able to
 * @choice: says what it is for, and gets the channel
 *
 * Return: 0, or -1 after it said why.
 */
int choose_channel(struct choice *choice)
{
	int ret;

	if (!choice->wanted)
		return choose_any(choice);
	ret = try_channel(choice, choice->wanted);
	if (ret)
		complain_channel(choice);
	return ret;
}

/* Close the channel, if there is one. It leaves errno as it was. */
void choice_release(struct choice *choice)
{
	udma_channel_info_free(choice->info);
	choice->info = NULL;
	udma_channel_close(choice->channel);
	choice->channel = NULL;
}
