// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>

#include "udmactl.h"

/**
 * modules_new - find the modules
 * @root: where lib/modules/RELEASE is; NULL for the usual place
 *
 * Return: what to give to kmod_unref(), or NULL after it said why.
 */
struct kmod_ctx *modules_new(const char *root)
{
	char path[PATH_MAX];
	struct kmod_ctx *kmod;
	struct utsname kernel;

	if (root) {
		uname(&kernel);
		snprintf(path, sizeof(path), "%s/lib/modules/%s", root, kernel.release);
	}
	kmod = kmod_new(root ? path : NULL, NULL);
	if (!kmod) {
		complain(strerror(ENOMEM), "libkmod");
		return NULL;
	}
	/* What it would say is said by us. */
	kmod_set_log_priority(kmod, LOG_EMERG);
	return kmod;
}

static const char *load_error(int error)
{
	switch (error) {
	case -ENOENT:
		return "a symbol or a parameter is missing";
	case -ENOEXEC:
		return "it was built for another kernel";
	case -ENOKEY:
	case -EKEYREJECTED:
		return "the kernel only takes modules that are signed with a key it knows";
	default:
		return strerror(error < 0 ? -error : EIO);
	}
}

/* Load a module and what it needs; that it is there already is no mistake. */
int module_load(struct kmod_ctx *kmod, const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *module;
	int error;

	error = kmod_module_new_from_lookup(kmod, name, &list);
	if (error < 0 || !list) {
		complain("no such module", "%s: %s", kmod_get_dirname(kmod), name);
		return -1;
	}
	module = kmod_module_get_module(list);
	error = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
	if (error)
		complain(load_error(error), "%s", name);
	kmod_module_unref(module);
	kmod_module_unref_list(list);
	return error ? -1 : 0;
}

/* Unload a module; that it is not there is no mistake. */
int module_unload(struct kmod_ctx *kmod, const char *name)
{
	struct kmod_module *module;
	int error;

	error = kmod_module_new_from_name(kmod, name, &module);
	if (error < 0) {
		complain(strerror(-error), "%s", name);
		return -1;
	}
	error = kmod_module_get_initstate(module);
	if (error == KMOD_MODULE_BUILTIN)
		complain("it is part of the kernel", "%s", name);
	if (error == KMOD_MODULE_LIVE) {
		error = kmod_module_remove_module(module, KMOD_REMOVE_NOLOG);
		if (error == -EAGAIN || error == -EBUSY)
			complain_users(module);
		else if (error)
			complain(strerror(-error), "%s", name);
	} else if (error == -ENOENT) {
		error = 0;
	}
	kmod_module_unref(module);
	return error ? -1 : 0;
}
