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
binds=0
randoms=0
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

# random FILE BYTES: up to 5000000, another part of the pool each time. The kernel takes long to make so much.
random() {
	if [ "$2" -eq 0 ]; then
		: >"$1"
		return
	fi
	randoms=$((randoms + 1))
	dd if="$top/pool" of="$1" bs="$2" count=1 iflag=skip_bytes,fullblock skip=$((randoms * 4099)) 2>dd.err
}

# None of its blocks is like another: each round of what is random is one byte further on.
pool_make() {
	head -c 1048576 /dev/urandom >"$top/part"
	for i in 0 1 2 3 4; do
		cat "$top/part"
		printf %s $i
	done >"$top/pool"
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

# bind NUMBER: a channel of the controller made last, as device $node. This is what "udmactl bind" does.
bind() {
	binds=$((binds + 1))
	echo "bound$$-$binds=$provider:$1" >/sys/class/udma/bind
	for dir in /sys/class/udma/udma[0-9]*; do
		read -r name <"$dir/name"
		[ "$name" != "bound$$-$binds" ] || node=${dir##*/}
	done
}

# sim_bind [ATTRIBUTE=VALUE]...: a controller with its first channel as device $node, which is not taken for hung because
# the test is slow.
sim_bind() {
	sim_make "$@"
	bind 0
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

# run NUMBER CASE
run() {
	mkdir "$top/$1"
	# Not as a condition: there set -e would mean nothing.
	(
		set -e
		cd "$top/$1"
		"test_$2"
	)
	case $? in
	0) echo "ok $1 $2" ;;
	*) echo "not ok $1 $2" ;;
	esac
}

# run_with_devices NUMBER CASE: what it leaves is taken away.
run_with_devices() {
	run "$1" "$2"
	sims_remove
	[ ! -d "$top/$1/disk" ] || umount "$top/$1/disk"
	rm -rf "${top:?}/$1"
}

# run_all SCRIPT CASE...: all its cases, in order. To be called at its end. Those that are named have no device, so
# they are in nobody's way: they go on beside the others, and are told last.
run_all() {
	beside=$(shift && echo "$*")
	cases=$(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$1")
	echo "KTAP version 1"
	pool_make
	# shellcheck disable=SC2086 # a word each
	set -- $cases
	echo "1..$#"
	number=$#
	for name in $beside; do
		run "$number" "$name"
		number=$((number - 1))
	done >"$top/beside" &
	other=$!
	number=0
	for name in "$@"; do
		case " $beside " in
		*" $name "*) continue ;;
		esac
		number=$((number + 1))
		run_with_devices "$number" "$name"
	done
	wait "$other"
	cat "$top/beside"
	rm -rf "$top"
	# If a case failed in between.
	[ -c /dev/udma0 ] || udmactl load --sim --bind memcpy
}
