// SPDX-License-Identifier: GPL-2.0
/*
 * udma-node-test: nodes of a device tree where there is none, for tests of what udma makes of
 * them. Each is a platform device "udma-node.ID" with a software node.
 *
 * In debugfs, for root: "ID NAME [PROPERTY...]" written to udma-node-test/add makes one, and "ID"
 * written to udma-node-test/remove takes it away. A property is "NAME=TYPE:VALUE[,VALUE...]", with
 * s for strings, 32 and 64 for numbers of so many bits, or "NAME" if it only is there.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/string.h>

#define TEST_PROPERTIES_MAX	16
/* Of all properties. */
#define TEST_VALUES_MAX		256

/**
 * struct test_node - a node and its device
 * @list: in the list of all
 * @pdev: the device
 * @id: its number
 * @swnode: the node
 * @properties: its properties, and an empty one
 * @nr_properties: how many
 * @strings: what they point to
 * @words: likewise
 * @numbers: likewise
 * @nr_values: how much of these is used
 * @text: what it was made of; names and strings are in here
 */
struct test_node {
	struct list_head list;
	struct platform_device *pdev;
	int id;
	struct software_node swnode;
	struct property_entry properties[TEST_PROPERTIES_MAX + 1];
	unsigned int nr_properties;
	const char *strings[TEST_VALUES_MAX];
	u32 words[TEST_VALUES_MAX];
	u64 numbers[TEST_VALUES_MAX];
	unsigned int nr_values;
	char *text;
};

/* Protects the list. */
static DEFINE_MUTEX(test_lock);
static LIST_HEAD(test_nodes);

static struct dentry *test_dir;

static int test_value_parse(struct test_node *node, const char *type, const char *value)
{
	unsigned int i = node->nr_values++;

	if (i >= TEST_VALUES_MAX)
		return -E2BIG;
	node->strings[i] = value;
	if (!strcmp(type, "s"))
		return 0;
	if (!strcmp(type, "32"))
		return kstrtou32(value, 0, &node->words[i]);
	return strcmp(type, "64") ? -EINVAL : kstrtou64(value, 0, &node->numbers[i]);
}

static int test_property_parse(struct test_node *node, char *text)
{
	struct property_entry *property = &node->properties[node->nr_properties++];
	const char *name = strsep(&text, "="), *type = strsep(&text, ":");
	unsigned int first = node->nr_values, count;
	char *value;
	int ret;

	if (node->nr_properties > TEST_PROPERTIES_MAX)
		return -E2BIG;
	if (!type) {
		*property = PROPERTY_ENTRY_BOOL(name);
		return 0;
	}
	while ((value = strsep(&text, ","))) {
		ret = test_value_parse(node, type, value);
		if (ret)
			return ret;
	}
	count = node->nr_values - first;
	if (*type == 's')
		*property = PROPERTY_ENTRY_STRING_ARRAY_LEN(name, node->strings + first, count);
	else if (*type == '3')
		*property = PROPERTY_ENTRY_U32_ARRAY_LEN(name, node->words + first, count);
	else
		*property = PROPERTY_ENTRY_U64_ARRAY_LEN(name, node->numbers + first, count);
	return 0;
}

static int test_node_parse(struct test_node *node)
{
	char *rest = node->text, *id = strsep(&rest, " "), *word;
	int ret = kstrtoint(id, 0, &node->id);

	node->swnode.name = strsep(&rest, " ");
	if (ret || node->id < 0 || !node->swnode.name)
		return -EINVAL;
	node->swnode.properties = node->properties;
	while (!ret && (word = strsep(&rest, " ")))
		ret = test_property_parse(node, word);
	return ret;
}

static int test_node_register(struct test_node *node)
{
	struct platform_device_info info = {
		.name = "udma-node",
		.id = node->id,
	};
	int ret = software_node_register(&node->swnode);

	if (ret)
		return ret;
	info.fwnode = software_node_fwnode(&node->swnode);
	node->pdev = platform_device_register_full(&info);
	if (!IS_ERR(node->pdev))
		return 0;
	software_node_unregister(&node->swnode);
	return PTR_ERR(node->pdev);
}

static void test_node_free(struct test_node *node)
{
	kfree(node->text);
	kfree(node);
}

static void test_node_destroy(struct test_node *node)
{
	lockdep_assert_held(&test_lock);
	list_del(&node->list);
	platform_device_unregister(node->pdev);
	software_node_unregister(&node->swnode);
	test_node_free(node);
}

static struct test_node *test_node_find(int id)
{
	struct test_node *node;

	lockdep_assert_held(&test_lock);
	list_for_each_entry(node, &test_nodes, list)
		if (node->id == id)
			return node;
	return NULL;
}

/* Of the text becomes the node. */
static int test_node_add(char *text)
{
	struct test_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int ret;

	if (!node) {
		kfree(text);
		return -ENOMEM;
	}
	node->text = text;
	ret = test_node_parse(node);
	mutex_lock(&test_lock);
	if (!ret && test_node_find(node->id))
		ret = -EEXIST;
	if (!ret)
		ret = test_node_register(node);
	if (ret)
		test_node_free(node);
	else
		list_add(&node->list, &test_nodes);
	mutex_unlock(&test_lock);
	return ret;
}

static char *test_copy_text(const char __user *from, size_t count)
{
	char *text = count < PAGE_SIZE ? memdup_user_nul(from, count) : ERR_PTR(-EINVAL);

	if (!IS_ERR(text))
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static ssize_t test_add_write(struct file *file, const char __user *from, size_t count,
			      loff_t *pos)
{
	char *text = test_copy_text(from, count);

	if (IS_ERR(text))
		return PTR_ERR(text);
	return test_node_add(text) ?: count;
}

static const struct file_operations test_add_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = test_add_write,
	.llseek = noop_llseek,
};

static ssize_t test_remove_write(struct file *file, const char __user *from, size_t count,
				 loff_t *pos)
{
	struct test_node *node;
	int id, ret = kstrtoint_from_user(from, count, 0, &id);

	if (ret)
		return ret;
	mutex_lock(&test_lock);
	node = test_node_find(id);
	if (node)
		test_node_destroy(node);
	mutex_unlock(&test_lock);
	return node ? count : -ENODEV;
}

static const struct file_operations test_remove_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = test_remove_write,
	.llseek = noop_llseek,
};

static int __init test_init(void)
{
	/* Without debugfs there is nothing to do, and the next ones fail too. */
	test_dir = debugfs_create_dir("udma-node-test", NULL);
	if (IS_ERR(test_dir))
		return PTR_ERR(test_dir);
	debugfs_create_file("add", 0200, test_dir, NULL, &test_add_fops);
	debugfs_create_file("remove", 0200, test_dir, NULL, &test_remove_fops);
	return 0;
}
module_init(test_init);

static void __exit test_exit(void)
{
	struct test_node *node, *next;

	debugfs_remove(test_dir);
	mutex_lock(&test_lock);
	list_for_each_entry_safe(node, next, &test_nodes, list)
		test_node_destroy(node);
	mutex_unlock(&test_lock);
}
module_exit(test_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("udma developers");
MODULE_DESCRIPTION("Device nodes for tests of udma");
