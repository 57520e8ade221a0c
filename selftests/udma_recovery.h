/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel that is made to misbehave, programs that use it meanwhile, and what
 * the driver says of it in sysfs.
 */
#ifndef UDMA_RECOVERY_H
#define UDMA_RECOVERY_H

#include <stdlib.h>

#include "udma_sim.h"
#include "udma_sleeper.h"

/* No stall while a test goes about its steps. */
#define STALL_NEVER	3600000
/* Where the stall is the subject, see try_stall(). */
#define STALL_SOON	200

/* A channel of a controller of its own, bound. */
struct unit {
	struct sim sim;
	unsigned int channel;
	char node[32];
};

static inline int try_attr_write(const struct unit *unit, const char *attribute,
				 const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), UDMA_CLASS "/%.31s/%s", unit->node,
		 attribute);
	return try_write_text(path, text);
}

static inline int try_attr_set(const struct unit *unit, const char *attribute,
			       __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return try_attr_write(unit, attribute, text);
}

static inline int try_attr_read(const struct unit *unit, const char *attribute,
				char *text, size_t bytes)
{
	char path[128];

	snprintf(path, sizeof(path), UDMA_CLASS "/%.31s/%s", unit->node,
		 attribute);
	return try_read_text(path, text, bytes);
}

static inline long attr_get(const struct unit *unit, const char *attribute)
{
	char text[32];

	if (try_attr_read(unit, attribute, text, sizeof(text)))
		return -1;
	return strtol(text, NULL, 10);
}

static inline int try_reset(const struct unit *unit)
{
	return try_attr_set(unit, "reset", 1);
}

/* working, resetting or failed; or what is wrong. */
static inline const char *state_of(const struct unit *unit)
{
	static char text[32];

	if (try_attr_read(unit, "state", text, sizeof(text)))
		return strerror(errno);
	return text;
}

static inline int try_wait_state(const struct unit *unit, const char *state)
{
	__u64 end = 0;

	while (strcmp(state, state_of(unit)))
		if (!look_again(&end))
			return -1;
	return 0;
}

/* The counts of recovery/ that are not zero, in this order. */
static inline const char *counts_of(const struct unit *unit)
{
	static const char * const names[] = {
		"stalls", "timeouts", "cancels", "resets", "probes", "replays",
		"reacquires", "failures", "heals", "late", "alone",
	};
	static char text[256];
	char path[32];
	unsigned int i;
	long count;
	int len = 0;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "recovery/%s", names[i]);
		count = attr_get(unit, path);
		if (count < 0)
			return strerror(errno);
		if (count)
			len += snprintf(text + len, sizeof(text) - len,
					"%s%s %ld", len ? " " : "", names[i],
					count);
	}
	return text;
}

static inline int try_wait_attr(const struct unit *unit, const char *attribute,
				long value)
{
	__u64 end = 0;

	while (attr_get(unit, attribute) != value)
		if (!look_again(&end))
			return -1;
	return 0;
}

/* For those that go on a moment after what a test can wait for. */
static inline int try_wait_counts(const struct unit *unit, const char *counts)
{
	__u64 end = 0;

	while (strcmp(counts, counts_of(unit)))
		if (!look_again(&end))
			return -1;
	return 0;
}

/* Bind another channel of a controller. */
static inline int try_unit_bind(struct unit *unit, const struct sim *sim,
				unsigned int channel)
{
	char name[40];

	unit->sim = *sim;
	unit->channel = channel;
	if (try_sim_bind(sim, channel))
		return -1;
	sim_channel_name(sim, channel, name, sizeof(name));
	if (try_find_node(name, unit->node, sizeof(unit->node)))
		return -1;
	return try_attr_set(unit, "stall_ms", STALL_NEVER);
}

static inline int try_unit_start(struct unit *unit,
				 const struct sim_config *config)
{
	struct sim sim;

	if (try_sim_make(&sim, config))
		return -1;
	return try_unit_bind(unit, &sim, 0);
}

static inline int try_unit_open(const struct unit *unit, int flags)
{
	return try_open_node(unit->node, flags);
}

/*
 * Have the watchdog find one stall. It must not find another one in what is done
 * again, only because a processor was away for as long; nor one in what comes before
 * the one that is to hang.
 */
static inline int try_stall(const struct unit *unit)
{
	const long stalls = attr_get(unit, "recovery/stalls");

	if (try_wait_sim(&unit->sim, "hang_at", 0) ||
	    try_attr_set(unit, "stall_ms", STALL_SOON) ||
	    try_wait_attr(unit, "recovery/stalls", stalls + 1))
		return -1;
	return try_attr_set(unit, "stall_ms", STALL_NEVER);
}

/* Programs */

#define COPIES		8
#define COPY_BYTES	4096

/* Both ranges within their buffers, to see what is around them. */
struct copy {
	struct buffer dst;
	struct buffer src;
	struct udma_request request;
};

struct user {
	int fd;
	__u64 bytes;
	struct copy copies[COPIES];
};

static inline void copy_begin(struct copy *copy)
{
	copy_prepare(&copy->dst, &copy->src, &copy->request);
}

static inline const char *copy_look(const struct copy *copy)
{
	return copy_verdict(&copy->dst, &copy->src, &copy->request);
}

static inline int try_user_open(struct user *user, const struct unit *unit,
				int flags, __u64 bytes)
{
	unsigned int i;

	user->bytes = bytes;
	user->fd = try_unit_open(unit, O_RDWR | flags);
	if (user->fd < 0)
		return -1;
	for (i = 0; i < COPIES; i++) {
		struct copy *copy = &user->copies[i];

		if (try_alloc_map(user->fd, bytes + 512, &copy->dst) ||
		    try_alloc_map(user->fd, bytes + 512, &copy->src))
			return -1;
		copy->request = copy_request(&copy->dst, 256, &copy->src, 256,
					     bytes);
		copy->request.user_data = i;
		copy_begin(copy);
	}
	return 0;
}

/* Those of its copies from @first on, in one call. */
static inline int try_user_submit(struct user *user, unsigned int first,
				  unsigned int count)
{
	struct udma_request requests[COPIES];
	unsigned int i;

	for (i = 0; i < count; i++) {
		copy_begin(&user->copies[first + i]);
		requests[i] = user->copies[first + i].request;
	}
	return try_submit_all(user->fd, requests, count);
}

/* The last that has the file: a mapping has it as well as a descriptor. */
static inline int try_user_close(struct user *user)
{
	unsigned int i;

	for (i = 0; i < COPIES; i++)
		if (try_unmap(&user->copies[i].dst) ||
		    try_unmap(&user->copies[i].src))
			return -1;
	return close(user->fd);
}

/* A channel and two who use it. */
static inline int try_users_start(struct unit *unit,
				  const struct sim_config *config,
				  struct user *a, struct user *b)
{
	if (try_unit_start(unit, config) ||
	    try_user_open(a, unit, 0, COPY_BYTES))
		return -1;
	return try_user_open(b, unit, 0, COPY_BYTES);
}

/* Only what can be seen in sequence: "OK 4096 exact", "EIO 0 held". */
static inline const char *event_text(const struct udma_event *event)
{
	static char texts[16][64];
	static unsigned int number;
	char *text = texts[number++ % ARRAY_SIZE(texts)];

	snprintf(text, sizeof(texts[0]), "%s %llu%s%s%s",
		 event->status ? strerrorname_np(-event->status) : "OK",
		 (unsigned long long)event->bytes,
		 event->flags & UDMA_EVENT_F_EXACT ? " exact" : "",
		 event->flags & UDMA_EVENT_F_HELD ? " held" : "",
		 event->flags & UDMA_EVENT_F_SHORT ? " short" : "");
	return text;
}

/*
 * Wait for as many events as there are transfers under way, each one of another
 * of the file's copies: @events is by number of the copy. What is @count must be
 * all that there is.
 */
static inline int try_user_ends(const struct user *user,
				struct udma_event *events, unsigned int count)
{
	struct udma_event seen[COPIES];
	unsigned int i, known = 0;

	if (try_collect(user->fd, seen, count) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (seen[i].user_data >= COPIES ||
		    known & 1U << seen[i].user_data) {
			errno = EEXIST;
			return -1;
		}
		known |= 1U << seen[i].user_data;
		events[seen[i].user_data] = seen[i];
	}
	if (try_read_now(user->fd, seen, 1)) {
		errno = EOVERFLOW;
		return -1;
	}
	return 0;
}

/* As many copies that end well. */
static inline int try_behave(struct user *user, unsigned int count)
{
	struct udma_event events[COPIES];

	for (; count; count--)
		if (try_user_submit(user, 0, 1) < 0 ||
		    try_user_ends(user, events, 1))
			return -1;
	return 0;
}

/* For EXPECT_STREQ(): how copy @number ended, and that its data is right. */
#define EXPECT_COPIED(_user, _events, _number)				\
	do {								\
		const struct user *__user = (_user);			\
		unsigned int __number = (_number);			\
		char __text[64];					\
									\
		snprintf(__text, sizeof(__text), "OK %llu exact",	\
			 (unsigned long long)__user->bytes);		\
		EXPECT_STREQ(__text, event_text(&(_events)[__number]))	\
			TH_LOG("copy %u", __number);			\
		EXPECT_STREQ("copied",					\
			     copy_look(&__user->copies[__number]))	\
			TH_LOG("copy %u", __number);			\
	} while (0)

#define EXPECT_EVENT(_text, _event)					\
	do {								\
		const struct udma_event *__event = (_event);		\
									\
		EXPECT_STREQ(_text, event_text(__event));		\
	} while (0)

/* How many more buffers a file can have: those in use are not only its own. */
static inline int try_room(int fd)
{
	static struct buffer buffers[4096];
	unsigned int count = 0, i;

	while (count < ARRAY_SIZE(buffers) &&
	       !try_alloc(fd, 1, &buffers[count]))
		count++;
	if (errno != EDQUOT)
		return -1;
	for (i = 0; i < count; i++)
		if (try_free(fd, buffers[i].handle))
			return -1;
	return count;
}

/* Another program comes, and finds the channel in order. */
static inline const char *next_program(const struct unit *unit)
{
	struct udma_event events[COPIES];
	const char *verdict = "copied";
	struct user user;
	unsigned int i;

	if (try_user_open(&user, unit, 0, 3 * COPY_BYTES))
		return strerror(errno);
	if (try_user_submit(&user, 0, COPIES) < 0 ||
	    try_user_ends(&user, events, COPIES))
		return strerror(errno);
	for (i = 0; i < COPIES; i++) {
		if (events[i].status)
			verdict = event_text(&events[i]);
		else if (strcmp("copied", copy_look(&user.copies[i])))
			verdict = copy_look(&user.copies[i]);
	}
	if (try_user_close(&user))
		return strerror(errno);
	return verdict;
}

/* The end of all misbehaviour that lasts, so that a channel can be unbound. */
static inline void cure(const struct unit *unit)
{
	try_sim_set(&unit->sim, "terminate_fail", 0);
	try_sim_write(&unit->sim, "hang_cure", "terminate");
	try_sim_set(&unit->sim, "hang_at", 0);
	try_sim_set(&unit->sim, "step_mode", 0);
	try_sim_set(&unit->sim, "unhang", 1);
}

/* Modules */

static inline int try_delete_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

static inline int module_users(void)
{
	char text[16];

	if (try_read_text("/sys/module/udma/refcnt", text, sizeof(text)))
		return -1;
	return strtol(text, NULL, 10);
}

#endif /* UDMA_RECOVERY_H */
