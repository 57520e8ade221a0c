/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What attributes are made of: a show and a store each, because configfs does
 * not tell those which attribute they are for. The functions that they call do
 * the work for the field of struct sim_settings at an offset.
 */
#ifndef UDMA_SIM_ATTR_H
#define UDMA_SIM_ATTR_H

#include <linux/configfs.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/stddef.h>

#include "sim.h"

/* sim-attr.c */
int sim_parse(const char *page, unsigned int min, unsigned int max, unsigned int *out);
int sim_fixed_set(struct config_item *item, size_t offset, unsigned int value);
ssize_t sim_uint_show(struct config_item *item, char *page, size_t offset);
ssize_t sim_fixed_store(struct config_item *item, const char *page, size_t count,
			size_t offset, unsigned int min, unsigned int max);
ssize_t sim_live_store(struct config_item *item, const char *page, size_t count,
		       size_t offset, unsigned int min, unsigned int max);
ssize_t sim_at_show(struct config_item *item, char *page, size_t offset);
ssize_t sim_at_store(struct config_item *item, const char *page, size_t count,
		     size_t offset, unsigned int min, unsigned int max);
ssize_t sim_do_store(struct config_item *item, const char *page, size_t count,
		     void (*action)(struct sim_dev *sim));
void sim_settings_changed(struct sim_settings *set);

static inline struct sim_settings *to_sim_settings(struct config_item *item)
{
	return to_sim_config(item)->set;
}

#define SIM_ATTR(_name, _field, _show_fn, _store_fn, _min, _max)		\
static ssize_t sim_config_##_name##_show(struct config_item *item, char *page)	\
{										\
	return _show_fn(item, page, offsetof(struct sim_settings, _field));	\
}										\
										\
static ssize_t sim_config_##_name##_store(struct config_item *item,		\
					  const char *page, size_t count)	\
{										\
	return _store_fn(item, page, count,					\
			 offsetof(struct sim_settings, _field), _min, _max);	\
}										\
CONFIGFS_ATTR(sim_config_, _name)

/* A number that is fixed while live. */
#define SIM_ATTR_FIXED(_name, _field, _min, _max) \
	SIM_ATTR(_name, _field, sim_uint_show, sim_fixed_store, _min, _max)

/* A number that can be changed at any time. */
#define SIM_ATTR_LIVE(_name, _field, _min, _max) \
	SIM_ATTR(_name, _field, sim_uint_show, sim_live_store, _min, _max)

/* How many transfers there are until something happens to one. */
#define SIM_ATTR_AT(_name, _field) \
	SIM_ATTR(_name, _field, sim_at_show, sim_at_store, 0, INT_MAX)

/* Something to be done now, by writing 1. */
#define SIM_ATTR_DO(_name, _action)						\
static ssize_t sim_config_##_name##_store(struct config_item *item,		\
					  const char *page, size_t count)	\
{										\
	return sim_do_store(item, page, count, _action);			\
}										\
CONFIGFS_ATTR_WO(sim_config_, _name)

/* Tables of attributes, which end with NULL. */
extern struct configfs_attribute *sim_port_attrs[];
extern struct configfs_attribute *sim_fault_attrs[];

#endif /* UDMA_SIM_ATTR_H */
