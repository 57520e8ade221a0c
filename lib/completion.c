// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"

UDMA_EXPORT uint64_t udma_completion_get_user_data(const struct udma_completion *completion)
{
	return completion->event.user_data;
}

UDMA_EXPORT int udma_completion_get_error(const struct udma_completion *completion)
{
	return -completion->event.status;
}

UDMA_EXPORT bool udma_completion_is_held(const struct udma_completion *completion)
{
	return completion->event.flags & UDMA_EVENT_F_HELD;
}

UDMA_EXPORT bool udma_completion_is_short(const struct udma_completion *completion)
{
	return completion->event.flags & UDMA_EVENT_F_SHORT;
}

UDMA_EXPORT bool udma_completion_was_reset(const struct udma_completion *completion)
{
	return completion->event.flags & UDMA_EVENT_F_RESET;
}

UDMA_EXPORT uint64_t udma_completion_get_bytes(const struct udma_completion *completion)
{
	return completion->event.bytes;
}

UDMA_EXPORT bool udma_completion_is_exact(const struct udma_completion *completion)
{
	return completion->event.flags & UDMA_EVENT_F_EXACT;
}

UDMA_EXPORT uint64_t udma_completion_get_timestamp_ns(const struct udma_completion *completion)
{
	return completion->event.timestamp_ns;
}

UDMA_EXPORT uint64_t udma_completion_get_sequence(const struct udma_completion *completion)
{
	return completion->event.sequence;
}
