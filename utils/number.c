// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udmactl.h"

/* How many bits to shift for K, M, G or T; -1 for anything else. */
static int suffix_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (!*suffix)
		return 0;
	letter = strchr(letters, toupper((unsigned char)*suffix));
	if (!letter || suffix[1])
		return -1;
	return 10 * (letter - letters + 1);
}

/*
 * A number from 0 to @max, decimal or with 0x before it, and with K, M, G or T behind it
 * for 1024 and its powers.
 */
bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	int base = strncmp(text, "0x", 2) ? 10 : 16;
	unsigned long long number;
	char *end;
	int shift;

	/* strtoull() would take blanks and signs. */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, base);
	shift = suffix_shift(end);
	if (errno || shift < 0 || number > max >> shift)
		return false;
	*value = number << shift;
	return true;
}

/* A real number over 0 up to @max: digits, and perhaps a point. */
bool parse_real(const char *text, double max, double *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) || strspn(text, "0123456789.") != strlen(text))
		return false;
	*value = strtod(text, &end);
	return !*end && *value > 0 && *value <= max;
}
