// SPDX-License-Identifier: GPL-2.0
/*
 * A file that is only half written must not be left behind: not by a signal,
 * and not when the channel goes and takes the memory of its buffers along. Nor
 * is a controller to be left at work by a signal, if the user has that patience.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "udmactl.h"

/* Files that are being written. Changed only while the signals are blocked. */
static char *temporaries[2];
static char device_gone[256];
static sigset_t ending;

/* Whether the first signal is only remembered; then which, and what tells of it. */
static int deferring;
static int deferred;
static int deferred_fd = -1;

/* A signal may come between any two instructions. */
static int get(const int *value)
{
	return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}

static void set(int *value, int to)
{
	__atomic_store_n(value, to, __ATOMIC_SEQ_CST);
}

static void remove_temporaries(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(temporaries); i++)
		if (temporaries[i])
			unlink(temporaries[i]);
}

static void defer(int signal)
{
	static const uint64_t one = 1;
	int saved = errno;

	set(&deferred, signal);
	/* Only a full one cannot be written, and that is readable, too. */
	if (write(deferred_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

/* The signal comes again when this returns, and then it ends the program. */
static void end_by(int signal_number)
{
	remove_temporaries();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void on_end(int signal)
{
	if (get(&deferring) && !get(&deferred) && signal != SIGQUIT && signal != SIGPIPE)
		defer(signal);
	else
		end_by(signal);
}

/* The memory of a buffer is gone; there is no way back to who touched it. */
static void on_bus_error(int signal)
{
	(void)signal;
	remove_temporaries();
	/* Whether it could be said makes no difference. */
	if (write(STDERR_FILENO, device_gone, strlen(device_gone)) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

/*
 * Before anything else of this file; @device is the one whose buffers may go.
 * A signal that is ignored, as by nohup, stays so.
 */
void cleanup_init(const char *device)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM };
	struct sigaction action = { .sa_handler = on_end };
	struct sigaction bus = { .sa_handler = on_bus_error };
	struct sigaction old;
	size_t i;

	snprintf(device_gone, sizeof(device_gone), "udmactl: %s: %s: %s\n", command_name, device,
		 strerror(ENODEV));
	sigemptyset(&ending);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaddset(&ending, signals[i]);
	}
	action.sa_mask = ending;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigismember(&ending, signals[i]))
			sigaction(signals[i], &action, NULL);
	sigaction(SIGBUS, &bus, NULL);
	/* A file that grows over the limit is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Where @temporary is, or NULL where there is a place. It has to be one of both. */
static char **find(const char *temporary)
{
	char **place = temporaries;

	while (*place != temporary)
		place++;
	return place;
}

/*
 * Create a file with a name of its own, which is removed if the program ends before
 * cleanup_rename() or cleanup_remove(). The template has to stay until then.
 */
int cleanup_create(char *path_template)
{
	sigset_t before;
	int fd;

	sigprocmask(SIG_BLOCK, &ending, &before);
	fd = mkostemp(path_template, O_CLOEXEC);
	if (fd >= 0)
		*find(NULL) = path_template;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* Give the file its name, and keep it. */
int cleanup_rename(const char *temporary, const char *path)
{
	sigset_t before;
	int ret;

	sigprocmask(SIG_BLOCK, &ending, &before);
	ret = rename(temporary, path);
	if (!ret)
		*find(temporary) = NULL;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* Remove the file. */
void cleanup_remove(const char *temporary)
{
	sigset_t before;

	sigprocmask(SIG_BLOCK, &ending, &before);
	unlink(temporary);
	*find(temporary) = NULL;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/*
 * From here on the first signal does not end the program but is told by a
 * descriptor that becomes readable. Not one of those that mean at once: SIGQUIT,
 * and SIGPIPE, after which there is nobody to write to.
 *
 * Return: the descriptor, or -1 with errno, and then signals end it as before.
 */
int cleanup_defer(void)
{
	deferred_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	set(&deferring, deferred_fd >= 0);
	return deferred_fd;
}

/* Whether there was one. */
bool cleanup_deferred(void)
{
	return get(&deferred);
}

/* The next signal, or the second one, ends the program. Return: whether there was one. */
bool cleanup_defer_no_more(void)
{
	set(&deferring, false);
	return get(&deferred);
}

/* All is cleaned up and told: be ended by the signal that was deferred, if there was one. */
void cleanup_end(void)
{
	if (!get(&deferred))
		return;
	fflush(stdout);
	end_by(get(&deferred));
}
