// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration: a directory of configfs for each controller. Set what it is to
 * be, then write 1 to live.
 */
#include <linux/configfs.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "sim.h"

static DEFINE_IDA(sim_ids);

/* Settings */

static struct sim_settings *sim_settings_create(void)
{
	struct sim_settings *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return NULL;

	kref_init(&set->ref);
	spin_lock_init(&set->lock);
	set->channels = 4;
	set->max_segment = INT_MAX;
	set->align = 1;
	set->depth = 256;
	set->fill = 1;
	set->interleave = 1;
	set->cyclic = 1;
	set->step_channel = -1;
	set->pause = 1;
	set->port.fifo_bytes = SZ_64K;
	set->faults.granularity = DMA_RESIDUE_GRANULARITY_BURST;
	return set;
}

struct sim_settings *sim_settings_get(struct sim_settings *set)
{
	kref_get(&set->ref);
	return set;
}

static void sim_settings_free(struct kref *ref)
{
	kfree(container_of(ref, struct sim_settings, ref));
}

void sim_settings_put(struct sim_settings *set)
{
	kref_put(&set->ref, sim_settings_free);
}

/* Going live and back */

static int sim_config_start(struct sim_config *cfg)
{
	struct sim_platform_data data = {
		.set = cfg->set,
		.result = -ENXIO,	/* unless probe says otherwise */
	};
	const struct platform_device_info info = {
		.name = SIM_NAME,
		.id = cfg->id,
		.data = &data,
		.size_data = sizeof(data),
	};
	struct platform_device *pdev;
	struct sim_platform_data *copy;
	int ret;

	lockdep_assert_held(&cfg->lock);

	if (cfg->pdev)
		return -EBUSY;

	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);

	copy = dev_get_platdata(&pdev->dev);
	ret = copy->result;
	if (ret) {
		platform_device_unregister(pdev);
		return ret;
	}

	cfg->pdev = pdev;
	return 0;
}

static void sim_config_stop(struct sim_config *cfg)
{
	lockdep_assert_held(&cfg->lock);

	platform_device_unregister(cfg->pdev);
	cfg->pdev = NULL;
}

int sim_config_set_live(struct sim_config *cfg, bool live)
{
	int ret = 0;

	mutex_lock(&cfg->lock);
	if (live)
		ret = sim_config_start(cfg);
	else
		sim_config_stop(cfg);
	mutex_unlock(&cfg->lock);

	return ret;
}

/* Directories */

static void sim_config_release(struct config_item *item)
{
	struct sim_config *cfg = to_sim_config(item);

	ida_free(&sim_ids, cfg->id);
	sim_settings_put(cfg->set);
	mutex_destroy(&cfg->lock);
	kfree(cfg);
}

static struct configfs_item_operations sim_config_item_ops = {
	.release = sim_config_release,
};

static struct config_item_type sim_config_type = {
	.ct_item_ops = &sim_config_item_ops,
	.ct_owner = THIS_MODULE,
};

static struct sim_config *sim_config_create(const char *name)
{
	struct sim_config *cfg;
	int ret = -ENOMEM;

	cfg = kzalloc(sizeof(*cfg), GFP_KERNEL);
	if (!cfg)
		goto err;

	cfg->set = sim_settings_create();
	if (!cfg->set)
		goto err_free;

	cfg->id = ida_alloc(&sim_ids, GFP_KERNEL);
	if (cfg->id < 0) {
		ret = cfg->id;
		goto err_put_settings;
	}

	mutex_init(&cfg->lock);
	config_group_init_type_name(&cfg->group, name, &sim_config_type);
	return cfg;

err_put_settings:
	sim_settings_put(cfg->set);
err_free:
	kfree(cfg);
err:
	return ERR_PTR(ret);
}

/* Not in release: an attribute that somebody has open would put that off. */
static void sim_config_destroy(struct sim_config *cfg)
{
	sim_config_set_live(cfg, false);
	config_group_put(&cfg->group);
}

static struct config_group *sim_make_group(struct config_group *parent,
					   const char *name)
{
	struct sim_config *cfg = sim_config_create(name);

	return IS_ERR(cfg) ? ERR_CAST(cfg) : &cfg->group;
}

static void sim_drop_item(struct config_group *parent, struct config_item *item)
{
	sim_config_destroy(to_sim_config(item));
}

static struct configfs_group_operations sim_group_ops = {
	.make_group = sim_make_group,
	.drop_item = sim_drop_item,
};

static const struct config_item_type sim_subsystem_type = {
	.ct_group_ops = &sim_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem sim_subsystem = {
	.su_group.cg_item = {
		.ci_namebuf = SIM_NAME,
		.ci_type = &sim_subsystem_type,
	},
	.su_mutex = __MUTEX_INITIALIZER(sim_subsystem.su_mutex),
};

/* The ready-made controller, live from load on. */
static struct sim_config *sim_default;

static int sim_default_create(void)
{
	int ret;

	sim_default = sim_config_create("default");
	if (IS_ERR(sim_default))
		return PTR_ERR(sim_default);

	ret = sim_config_set_live(sim_default, true);
	if (ret)
		config_group_put(&sim_default->group);

	return ret;
}

int sim_configfs_register(void)
{
	int ret;

	sim_config_type.ct_attrs = sim_attrs_create();
	if (!sim_config_type.ct_attrs)
		return -ENOMEM;

	ret = sim_default_create();
	if (ret)
		goto err_free_attrs;

	config_group_init(&sim_subsystem.su_group);
	configfs_add_default_group(&sim_default->group, &sim_subsystem.su_group);

	ret = configfs_register_subsystem(&sim_subsystem);
	if (ret)
		goto err_destroy_default;

	return 0;

err_destroy_default:
	sim_config_destroy(sim_default);
err_free_attrs:
	kfree(sim_config_type.ct_attrs);
	return ret;
}

void sim_configfs_unregister(void)
{
	configfs_unregister_subsystem(&sim_subsystem);
	sim_config_destroy(sim_default);
	kfree(sim_config_type.ct_attrs);
}
