// SPDX-License-Identifier: GPL-2.0
/*
 * The module: what all channels share.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>

#include "compat.h"
#include "udma.h"

struct class *udma_class;
struct workqueue_struct *udma_wq;
static dev_t udma_first_devt;

static char *bind[32];
static unsigned int nr_bind;
module_param_array(bind, charp, &nr_bind, 0444);
MODULE_PARM_DESC(bind, "channels to bind at load, as the class's bind file takes them");

dev_t udma_devt(unsigned int minor)
{
	return udma_first_devt + minor;
}

/* A channel that cannot be bound is no reason to be without the others. */
static void udma_bind_parameters(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr_bind; i++) {
		ret = udma_bind(bind[i]);
		if (ret)
			pr_warn("cannot bind %s: error %d\n", bind[i], ret);
	}
}

static int __init udma_init(void)
{
	int ret;

	udma_wq = alloc_workqueue("udma", WQ_HIGHPRI | WQ_UNBOUND, 0);
	if (!udma_wq)
		return -ENOMEM;
	ret = alloc_chrdev_region(&udma_first_devt, 0, UDMA_MINORS, "udma");
	if (ret)
		goto err_destroy_wq;
	udma_class = udma_class_create("udma");
	if (IS_ERR(udma_class)) {
		ret = PTR_ERR(udma_class);
		goto err_unregister_chrdev;
	}
	ret = platform_driver_register(&udma_driver);
	if (ret)
		goto err_destroy_class;
	ret = udma_bind_init();
	if (ret)
		goto err_unregister_driver;
	ret = platform_driver_register(&udma_node_driver);
	if (ret)
		goto err_exit_bind;
	udma_bind_parameters();
	return 0;

err_exit_bind:
	udma_bind_exit();
err_unregister_driver:
	platform_driver_unregister(&udma_driver);
err_destroy_class:
	class_destroy(udma_class);
err_unregister_chrdev:
	unregister_chrdev_region(udma_first_devt, UDMA_MINORS);
err_destroy_wq:
	destroy_workqueue(udma_wq);
	return ret;
}

static void __exit udma_exit(void)
{
	platform_driver_unregister(&udma_node_driver);
	udma_bind_exit();
	platform_driver_unregister(&udma_driver);
	/* Before the class: it may hold the last reference to a channel. */
	destroy_workqueue(udma_wq);
	class_destroy(udma_class);
	unregister_chrdev_region(udma_first_devt, UDMA_MINORS);
}

module_init(udma_init);
module_exit(udma_exit);

MODULE_AUTHOR("udma developers");
MODULE_DESCRIPTION("DMA channels for programs");
MODULE_LICENSE("GPL");
