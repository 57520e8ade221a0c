# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of udmactl share. Each function test_* of a script that reads this is a case; it fails at the first
# command that does. Written for busybox and dash alike, and nothing in it sleeps: simulated controllers go step by
# step. In a VM without KVM a program takes long to start, so the shell does itself what it can.
set -u

sim_root=/sys/kernel/config/udma-sim
top=$(mktemp -d)
number=0
sims=0
status=0
answer=

# Each case runs in a subshell with set -e, in a directory of its own. What it left is taken away.

# fail WHY: ends the case.
fail() {
	echo "# $*"
	exit 1
}

# expect COMMAND...: it has to succeed.
expect() {
	"$@" || fail "not so: $*; last status $status, stdout '$(cat out)', stderr '$(cat err)'"
}

# try COMMAND...: runs it; what it says goes to ./out and ./err and its exit status to $status.
try() {
	status=0
	"$@" >out 2>err </dev/null || status=$?
}

# must COMMAND...: it has to succeed and to say nothing on stderr. The first line of it is $answer.
must() {
	try "$@"
	answer=
	IFS= read -r answer <out || :
	expect [ "$status" -eq 0 ]
	expect [ ! -s err ]
}

# says PATTERN: stderr is one line of that pattern.
says() {
	more=
	{
		IFS= read -r line && IFS= read -r more
	} <err || :
	# shellcheck disable=SC2254 # a pattern it is
	case $more$line in
	$1) ;;
	*) fail "has to say in one line: $1; but stderr is: $(cat err)" ;;
	esac
}

# refuse STATUS PATTERN COMMAND...: it has to fail so, and to say why.
refuse() {
	wanted=$1
	pattern=$2
	shift 2
	try "$@"
	expect [ "$status" -eq "$wanted" ]
	expect [ ! -s out ]
	says "$pattern"
}

# It said nothing itself. The shell may have told of a signal.
is_silent() {
	! grep '^udmactl' err || fail "was to say nothing"
}

same() {
	cmp "$1" "$2" >differs 2>&1 || fail "$(cat differs)"
}

# random FILE BYTES
random() {
	head -c "$2" /dev/urandom >"$1"
}

mode_of() {
	stat -c %a "$1"
}

# Nothing may be left of a copy that failed.
no_leftover() {
	for left in "$1"/.udmactl*; do
		expect [ ! -e "$left" ]
	done
}

# sums_up WORD...: they are in the summary, $answer.
sums_up() {
	for word in "$@"; do
		case " $answer " in
		*" $word "*) ;;
		*) fail "$word is not in: $answer" ;;
		esac
	done
}

# sim_make [ATTRIBUTE=VALUE]...: a controller, whose directory is $sim and device is $provider. In step mode, too,
# it can be seen to have stopped.
sim_make() {
	sims=$((sims + 1))
	sim=$sim_root/ctl$$-$sims
	mkdir "$sim"
	echo 1 >"$sim/step_grace"
	for setting in "$@"; do
		echo "${setting#*=}" >"$sim/${setting%%=*}"
	done
	echo 1 >"$sim/live"
	read -r provider <"$sim/dev_name"
}

# sim_bind [ATTRIBUTE=VALUE]...: with its first channel as device $node, which is not taken for hung because the
# test is slow.
sim_bind() {
	sim_make "$@"
	node=$(udmactl bind "$provider:0")
	echo 3600000 >"/sys/class/udma/$node/stall_ms"
}

sims_remove() {
	for dir in "$sim_root/ctl$$"-*; do
		[ ! -d "$dir" ] || rmdir "$dir"
	done
}

# The seconds since the machine was started, as $now: date is a program, and takes long to start.
tell_time() {
	read -r now _ </proc/uptime
	now=${now%.*}
}

# until_true COMMAND...: looks as often as it takes, but not for ever.
until_true() {
	tell_time
	begun=$now
	until "$@"; do
		tell_time
		expect [ $((now - begun)) -lt 60 ]
	done
}

is_pending() {
	read -r pending <"$sim/pending"
	[ "$pending" -ge "$1" ]
}

is_idle() {
	! is_pending 1
}

# A copy to a file in this directory has begun.
is_begun() {
	set -- .udmactl*
	[ -e "$1" ]
}

# has FILE VALUE: a file of the device $node in sysfs has that.
has() {
	read -r value <"/sys/class/udma/$node/$1"
	[ "$value" = "$2" ]
}

# start COMMAND...: in the background, as process $pid; what it says goes to ./out and ./err.
start() {
	"$@" >out 2>err </dev/null &
	pid=$!
}

# finish: for what was started, as try does.
finish() {
	status=0
	wait "$pid" || status=$?
}

run() {
	number=$((number + 1))
	mkdir "$top/$number"
	# Not as a condition: there set -e would mean nothing.
	(
		set -e
		cd "$top/$number"
		"test_$1"
	)
	case $? in
	0) echo "ok $number $1" ;;
	*) echo "not ok $number $1" ;;
	esac
	sims_remove
	[ ! -d "$top/$number/disk" ] || umount "$top/$number/disk"
	rm -rf "${top:?}/$number"
}

# run_all SCRIPT: all its cases, in order. To be called at its end.
run_all() {
	cases=$(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$1")
	echo "KTAP version 1"
	# shellcheck disable=SC2086 # a word each
	set -- $cases
	echo "1..$#"
	for name in "$@"; do
		run "$name"
	done
	rm -rf "$top"
	# If a case failed in between.
	[ -c /dev/udma0 ] || udmactl load --sim --bind memcpy
}
