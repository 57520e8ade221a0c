// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "udmactl.h"

static void complain_reset(const char *name)
{
	if (errno == EIO)
		complain("it could not be stopped: its state is failed until it lets go", "%s",
			 name);
	else if (errno == ENODEV)
		complain("no such device", "%s", name);
	else
		complain_device(name);
}

/* Return: 0, or -1 with errno. It takes as long as the reset does. */
static int write_reset(const char *node)
{
	char path[PATH_MAX];
	int fd, ret, saved;

	snprintf(path, sizeof(path), "/sys/class/udma/%s/reset", node);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, "1", 1) < 0 ? -1 : 0;
	saved = errno;
	close(fd);
	errno = saved;
	return ret;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { {} };
	struct device device;
	int option, ret;

	option = getopt_long(argc, argv, ":", options, NULL);
	if (option != -1)
		return bad_option(option, argv);
	ret = bad_arguments(argc, argv, 1);
	if (ret)
		return ret;
	ret = device_find(argv[optind], &device);
	if (!ret)
		ret = write_reset(device.node);
	if (ret)
		complain_reset(argv[optind]);
	return ret ? EXIT_FAILED : 0;
}

const struct command cmd_reset = {
	.name = "reset",
	.arguments = "DEVICE",
	.summary = "stop what the controller of a device is at, and go on",
	.options =
		"Transfers that are not to blame are made once more. A device whose state is\n"
		"failed may work again after it.\n",
	.run = run,
};
