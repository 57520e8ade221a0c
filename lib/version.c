// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"

UDMA_EXPORT const char *udma_version(void)
{
	return LIBUDMA_VERSION;
}
