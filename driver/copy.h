/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of a few words to and from a program. What a general copy checks and sets up
 * costs more than so little. Where a word cannot be copied, they end before it.
 */
#ifndef UDMA_COPY_H
#define UDMA_COPY_H

#include <linux/align.h>
#include <linux/uaccess.h>

/* Copy whole words in. Returns how many bytes could be; who wants to know why not tries again. */
static inline size_t udma_copy_in(void *to, const void __user *from, size_t bytes)
{
	const unsigned long __user *word = from;
	unsigned long *words = to;
	size_t i;

	if (!IS_ALIGNED((unsigned long)from, sizeof(*words)) ||
	    !user_read_access_begin(from, bytes))
		return 0;
#pragma GCC unroll 4
	for (i = 0; i < bytes / sizeof(*words); i++)
		unsafe_get_user(words[i], &word[i], fault);
fault:
	user_read_access_end();
	return i * sizeof(*words);
}

/* Copy whole words out, each of which is read once. Returns how many bytes could be. */
static inline size_t udma_copy_out(void __user *to, const void *from, size_t bytes)
{
	const unsigned long *words = from;
	unsigned long __user *word = to;
	size_t i;

	if (!IS_ALIGNED((unsigned long)to, sizeof(*words)) || !user_write_access_begin(to, bytes))
		return 0;
	for (i = 0; i < bytes / sizeof(*words); i++)
		unsafe_put_user(READ_ONCE(words[i]), &word[i], fault);
fault:
	user_write_access_end();
	return i * sizeof(*words);
}

#endif /* UDMA_COPY_H */
