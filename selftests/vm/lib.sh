# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Sourced by every script in this directory: where things are, and how to speak. What a script prints on
# stdout is its answer, everything else goes to stderr.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build
vm=$top/selftests/vm
cache=${UDMA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/udma}

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# KVM only where it can work: some clouds show /dev/kvm on a processor that has no virtualization.
have_kvm() {
	grep -qE '^flags.*\b(svm|vmx)\b' /proc/cpuinfo && [ -r /dev/kvm ] && [ -w /dev/kvm ]
}

# Any warning ends the machine: nothing after it is worth believing. The stall limits are generous because
# under TCG a virtual processor may wait long for a real one.
kernel_args=(panic_on_warn=1 oops=panic panic=-1 log_buf_len=4M
	watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120)
# It costs as much again as all other checks, so the debug kernel has it only where its answer is asked for, by check.
case ${leak_scan:-}${kver:-} in
1*-udma-debug-*) kernel_args+=(kmemleak=on) ;;
esac
