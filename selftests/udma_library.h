/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of libudma share: as must() and fails() are for numbers, these are for
 * what returns a pointer.
 */
#ifndef UDMA_LIBRARY_H
#define UDMA_LIBRARY_H

#include <libudma.h>

#include "udma_test.h"

#define made(_call)							\
	({								\
		typeof(_call) __made = (_call);				\
									\
		ASSERT_NE(NULL, __made)					\
			TH_LOG("%s: %s", #_call, strerror(errno));	\
		__made;							\
	})

#define not_made(_errno, _call)						\
	do {								\
		errno = 0;						\
		EXPECT_EQ(NULL, (_call));				\
		EXPECT_EQ(_errno, errno);				\
	} while (0)

#endif /* UDMA_LIBRARY_H */
