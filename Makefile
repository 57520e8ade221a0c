# SPDX-License-Identifier: GPL-2.0
#
# Everything starts here; "make help" tells what there is.

PREFIX ?= /usr/local
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
mandir ?= $(PREFIX)/share/man
udevdir ?= /usr/lib/udev
export PREFIX bindir libdir includedir mandir udevdir DESTDIR

# What was built for user space; the modules lie in driver/, where kbuild wants them.
BUILD := $(CURDIR)/build
export BUILD

MAKEFLAGS += --no-print-directory
quiet := $(if $(filter 1,$(V)),,-s)
vm := selftests/vm
man := $(wildcard Documentation/man/*.[1-8])
manpath = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))

.PHONY: all driver lib utils selftests
all: driver lib utils

driver:
	@$(MAKE) -C driver modules

lib:
	@$(MAKE) $(quiet) -C lib

utils: lib
	@$(MAKE) $(quiet) -C utils

selftests: lib
	@$(MAKE) $(quiet) -C selftests

.PHONY: help
help:
	@echo "make                build the modules, the library and the tool (driver, lib, utils: one of them)"
	@echo "make demo           copy a file through /dev/udma0 in a VM (FILE=... another one)"
	@echo "make check          run the tests in a VM (T=\"buffer event\" some; LANE=fast quickly;"
	@echo "                    KERNEL=6.12 that kernel, KERNEL=debug one with KASAN, lockdep, kmemleak, ...)"
	@echo "make stress         the storms of the tests in full, N=... times that, in a VM (KERNEL and LANE as for check)"
	@echo "make bench          what a transfer costs, against a loop inside of the kernel, in a VM that counts instructions"
	@echo "make check-model    every state of a model of the engine (RUN=\"everything no-\" some runs)"
	@echo "make vm             a shell in the VM, modules loaded (CMD='...' one command)"
	@echo "make lint           everything that can be checked without running"
	@echo "make docs           the documentation as HTML, in build/docs"
	@echo "make install        DESTDIR, PREFIX, bindir, libdir, includedir, mandir, udevdir, KERNEL_SRC, O, MODLIB, DEPMOD"
	@echo "make uninstall clean deps"

# What is missing on the machine is installed first, so what is built comes after: hence the nested make.
# stdout belongs to what the VM has to say.
.PHONY: deps demo check stress bench check-model vm lint docs
deps:
	@$(vm)/deps build vm lint docs model

demo: export DEMO_FILE := $(value FILE)
demo:
	@$(vm)/deps build vm >&2
	@$(MAKE) lib utils >&2
	@$(vm)/demo

check:
	@$(vm)/deps build vm >&2
	@$(MAKE) lib utils selftests >&2
	@$(vm)/check $(T)

# How long it takes is in proportion.
stress: export STRESS := $(or $(N),1)
stress: export TEST_TIMEOUT ?= $(shell echo $$(($(STRESS) * 3600)))
stress: export LIMIT ?= $(shell echo $$(($(STRESS) * 3600 + 600)))
stress:
	@$(vm)/deps build vm >&2
	@$(MAKE) lib utils selftests >&2
	@V=1 $(vm)/check storm queue_race queue_hostile

bench:
	@$(vm)/deps build vm >&2
	@$(MAKE) lib utils >&2
	@$(MAKE) $(quiet) -C selftests/bench >&2
	@selftests/bench/run $(PART)

check-model:
	@$(vm)/deps model >&2
	@Documentation/models/check $(RUN)

# The command reaches the shell as it was typed, dollar signs included. make itself can only exit with 2 when it
# fails; who needs the very status calls selftests/vm/shell.
vm: export VM_COMMAND := $(value CMD)
vm:
	@$(vm)/deps build vm >&2
	@$(MAKE) lib utils selftests >&2
	@$(vm)/shell

lint:
	@$(vm)/deps build lint >&2
	@selftests/lint

docs:
	@$(vm)/deps docs >&2
	@$(MAKE) -C Documentation

# Yocto calls modules_install by itself, with MODLIB and DEPMOD.
.PHONY: install modules_install install-user
install: modules_install install-user

modules_install: driver
	@$(MAKE) -C driver modules_install

install-user: lib utils
	@$(MAKE) -C lib install
	@$(MAKE) -C utils install
	install -D -m 644 uapi/linux/udma.h $(DESTDIR)$(includedir)/udma/udma.h
	$(foreach page,$(man),install -D -m 644 $(page) $(call manpath,$(page))$(newline))

.PHONY: uninstall
uninstall:
	@$(MAKE) -C driver modules_uninstall
	@$(MAKE) -C lib uninstall
	@$(MAKE) -C utils uninstall
	rm -f $(DESTDIR)$(includedir)/udma/udma.h $(foreach page,$(man),$(call manpath,$(page)))
	-rmdir $(DESTDIR)$(includedir)/udma 2>/dev/null

.PHONY: clean
clean:
	@$(MAKE) -C driver clean
	rm -rf build

define newline


endef
