// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of a controller's directory that make it misbehave.
 */
#include <linux/dmaengine.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim-attr.h"

/* Longer than that is for nothing but to annoy. */
#define SIM_SLOW_MS_MAX	60000

#define SIM_PERIODS_COALESCED_MAX	65536

/* Ending otherwise than well */

SIM_ATTR_AT(fail_at, faults.fail_at);
SIM_ATTR_AT(short_at, faults.short_at);
SIM_ATTR_AT(lose_at, faults.lose_at);
SIM_ATTR_AT(late_at, faults.late_at);
SIM_ATTR_DO(release_late, sim_dev_release_late);

/* Hanging */

static const char * const sim_hang_cures[] = {
	[SIM_CURE_TERMINATE] = "terminate",
	[SIM_CURE_RELEASE] = "release",
	[SIM_CURE_NEVER] = "never",
};

static ssize_t sim_config_hang_cure_show(struct config_item *item, char *page)
{
	unsigned int cure = READ_ONCE(to_sim_settings(item)->faults.hang_cure);

	return sysfs_emit(page, "%s\n", sim_hang_cures[cure]);
}

static ssize_t sim_config_hang_cure_store(struct config_item *item, const char *page,
					  size_t count)
{
	int cure = sysfs_match_string(sim_hang_cures, page);

	if (cure < 0)
		return cure;

	WRITE_ONCE(to_sim_settings(item)->faults.hang_cure, cure);
	return count;
}
CONFIGFS_ATTR(sim_config_, hang_cure);

SIM_ATTR_AT(hang_at, faults.hang_at);
SIM_ATTR_DO(unhang, sim_dev_unhang);

/* Telling what is not so, or not when it is so */

static const char * const sim_granularities[] = {
	[DMA_RESIDUE_GRANULARITY_DESCRIPTOR] = "descriptor",
	[DMA_RESIDUE_GRANULARITY_SEGMENT] = "segment",
	[DMA_RESIDUE_GRANULARITY_BURST] = "burst",
};

static ssize_t sim_config_granularity_show(struct config_item *item, char *page)
{
	unsigned int granularity = READ_ONCE(to_sim_settings(item)->faults.granularity);

	return sysfs_emit(page, "%s\n", sim_granularities[granularity]);
}

static ssize_t sim_config_granularity_store(struct config_item *item, const char *page,
					    size_t count)
{
	int granularity = sysfs_match_string(sim_granularities, page);

	if (granularity < 0)
		return granularity;

	return sim_fixed_set(item, offsetof(struct sim_settings, faults.granularity),
			     granularity) ?: count;
}
CONFIGFS_ATTR(sim_config_, granularity);

SIM_ATTR_LIVE(lie_residue, faults.lie_residue, 0, 2);
SIM_ATTR_LIVE(batch, faults.batch, 0, SIM_DEPTH_MAX);
SIM_ATTR_LIVE(coalesce, faults.coalesce, 0, 1);
SIM_ATTR_LIVE(coalesce_periods, faults.coalesce_periods, 0, SIM_PERIODS_COALESCED_MAX);
SIM_ATTR_FIXED(unordered, faults.unordered, 0, 1);

static ssize_t sim_inline_show(struct config_item *item, char *page)
{
	return sim_uint_show(item, page, offsetof(struct sim_settings, faults.inlined));
}

static ssize_t sim_inline_store(struct config_item *item, const char *page, size_t count)
{
	return sim_live_store(item, page, count,
			      offsetof(struct sim_settings, faults.inlined), 0, 1);
}

/* A word that the macros would take for what it is in C. */
static struct configfs_attribute sim_inline_attr = {
	.ca_name = "inline",
	.ca_mode = 0644,
	.ca_owner = THIS_MODULE,
	.show = sim_inline_show,
	.store = sim_inline_store,
};

/* Refusing */

SIM_ATTR_AT(refuse_at, faults.refuse_at);
SIM_ATTR_AT(submit_fail_at, faults.submit_fail_at);
SIM_ATTR_LIVE(refuse, faults.refuse, 0, 1);
SIM_ATTR_LIVE(sleep_full, faults.sleep_full, 0, 1);

/* Terminating */

SIM_ATTR_FIXED(no_terminate, faults.no_terminate, 0, 1);
SIM_ATTR_LIVE(terminate_fail, faults.terminate_fail, 0, 1);
SIM_ATTR_LIVE(after_terminate, faults.after_terminate, 0, 2);
SIM_ATTR_LIVE(ghost, faults.ghost, 0, 1);
SIM_ATTR_LIVE(sibling, faults.sibling, 0, 1);
SIM_ATTR_LIVE(slow_terminate_ms, faults.slow_terminate_ms, 0, SIM_SLOW_MS_MAX);
SIM_ATTR_LIVE(step_grace, faults.step_grace, 0, INT_MAX);

struct configfs_attribute *sim_fault_attrs[] = {
	&sim_config_attr_fail_at,
	&sim_config_attr_short_at,
	&sim_config_attr_lose_at,
	&sim_config_attr_late_at,
	&sim_config_attr_release_late,
	&sim_config_attr_hang_at,
	&sim_config_attr_hang_cure,
	&sim_config_attr_unhang,
	&sim_config_attr_granularity,
	&sim_config_attr_lie_residue,
	&sim_config_attr_batch,
	&sim_config_attr_coalesce,
	&sim_config_attr_coalesce_periods,
	&sim_config_attr_unordered,
	&sim_inline_attr,
	&sim_config_attr_refuse_at,
	&sim_config_attr_submit_fail_at,
	&sim_config_attr_refuse,
	&sim_config_attr_sleep_full,
	&sim_config_attr_no_terminate,
	&sim_config_attr_terminate_fail,
	&sim_config_attr_after_terminate,
	&sim_config_attr_ghost,
	&sim_config_attr_sibling,
	&sim_config_attr_slow_terminate_ms,
	&sim_config_attr_step_grace,
	NULL
};
