#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# udmactl, as a user meets it: what it says, the devices, and what it does within memory.
# shellcheck source=selftests/udmactl_helpers.sh
. "${0%/*}/udmactl_helpers.sh"

# Speaking

test_version_and_help() {
	must udmactl version
	case $answer in
	"udmactl 0.1."*", libudma 0.1."*) ;;
	*) fail "$answer" ;;
	esac
	must udmactl --version
	must udmactl help
	mv out commands
	for command in list info load unload bind unbind reset copy fill bench version help; do
		expect grep -q "^  $command " commands
		must udmactl help "$command"
		case $answer in
		"usage: udmactl $command"*) ;;
		*) fail "$answer" ;;
		esac
	done
}

test_wrong_usage() {
	refuse 2 "udmactl: no command*" udmactl
	refuse 2 "udmactl: no-such: unknown command*" udmactl no-such
	refuse 2 "udmactl: help: no-such: unknown command*" udmactl help no-such
	for command in list unload version; do
		refuse 2 "udmactl: $command: extra: one argument too many*" udmactl "$command" extra
	done
	for command in info bind reset; do
		refuse 2 "udmactl: $command: too few arguments*" udmactl "$command"
	done
	for command in info reset; do
		refuse 2 "udmactl: $command: b: one argument too many*" udmactl "$command" a b
	done
	for command in list info bind unbind unload load reset copy fill bench; do
		refuse 2 "udmactl: $command: --no-such: unknown option*" udmactl "$command" --no-such
	done
	refuse 2 "udmactl: list: -Z: unknown option*" udmactl list -jZ
	refuse 2 "udmactl: copy: too few*" udmactl copy a
	refuse 2 "udmactl: copy: --device: needs a value*" udmactl copy a b --device
	for bad in 0 -1 1X "" " 1" 99999999999999999999 20000000T; do
		refuse 2 "udmactl: copy: *not a number*" udmactl copy --block-bytes="$bad" a b
	done
	refuse 2 "udmactl: copy: 65: not a number from 1 to 64*" udmactl copy --slots=65 a b
	for bad in 0 -1 1.5 10000000000000; do
		refuse 2 "udmactl: copy: $bad: not a number of milliseconds*" udmactl copy -t $bad a b
	done
	refuse 2 "udmactl: fill: --bytes: is missing*" udmactl fill --value=1 a
	refuse 2 "udmactl: fill: --value: is missing*" udmactl fill --bytes=1 a
	refuse 2 "udmactl: fill: 256: not a number*" udmactl fill --bytes=1 --value=256 a
	refuse 2 "udmactl: bench: Ring: no such path*" udmactl bench --path=single,Ring
	refuse 2 "udmactl: bench: '': no such path*" udmactl bench --path=
	refuse 2 "udmactl: bench: 0: not a number of bytes*" udmactl bench -b 64,0
	refuse 2 "udmactl: bench: 65537: not a number from 1 to 65536*" udmactl bench -d 1,65537
	refuse 2 "udmactl: bench: 17: too many at once*" udmactl bench -d 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
	for bad in 0 -1 x .5 0x1 1e3 1.5.5 inf 3601; do
		refuse 2 "udmactl: bench: $bad: not a number of seconds*" udmactl bench -s $bad
	done
	refuse 2 "udmactl: bench: 0: not a number of transfers*" udmactl bench --count 0
	refuse 2 "udmactl: bench: 1025: not a number from 1 to 1024*" udmactl bench --processes 1025
	refuse 2 "udmactl: bench: 101: not a number of percent*" udmactl bench --within 101
	expect [ ! -e a ]
	expect [ ! -e b ]
}

test_output_that_cannot_be_written() {
	status=0
	udmactl version >/dev/full 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: version: standard output: No space left on device"
	status=0
	udmactl version >&- 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: version: standard output: Bad file descriptor"
}

# Devices

test_list() {
	sim_make channels=2
	node=$(udmactl bind "first-$$=$provider:0")
	read -r channel <"/sys/class/udma/$node/channel"
	must udmactl list
	line="device=$node name=first-$$ channel=$channel provider=$provider driver=udma-sim"
	line="$line can_copy=yes can_fill=yes coherent=(yes|no) state=working direction=mem_to_mem"
	line="$line can_send=no can_receive=no can_cycle=no can_interleave=(yes|no) can_pause=no"
	expect grep -qxE "$line" out
	expect [ "$(wc -l <out)" -eq "$(find /sys/class/udma/ -name 'udma[0-9]*' | wc -l)" ]
	must udmactl list --json
	tr -d ' \n' <out >flat
	expect grep -q "\"device\":\"$node\",\"name\":\"first-$$\",\"channel\":\"$channel\"" flat
	expect grep -q "\"provider\":\"$provider\",\"driver\":\"udma-sim\",\"can_copy\":true," flat
	expect grep -q "\"state\":\"working\",\"direction\":\"mem_to_mem\",\"can_send\":false," flat
	udmactl unbind "$node"
	must udmactl list
	! grep -q "^device=$node " out || fail "still there: $node"
}

test_info() {
	sim_make channels=1 align=64 max_segment=8192 fill=0
	node=$(udmactl bind "told-$$=$provider:0")
	must udmactl info "$node"
	for line in "name=told-$$" "provider=$provider" driver=udma-sim can_copy=yes can_fill=no \
		copy_align=64 max_segment_bytes=8192; do
		expect grep -qx "$line" out
	done
	mv out all
	must udmactl info "told-$$"
	same out all
	must udmactl info "/dev/$node"
	same out all
	must udmactl info --json "$node"
	expect grep -q '"can_fill": *false,$' out
	expect grep -q '"copy_align": *64,$' out
	refuse 1 "udmactl: info: udma9999: no such device" udmactl info udma9999
	refuse 1 "udmactl: info: nobody: no such device" udmactl info nobody
	refuse 1 "udmactl: info: /dev/null: not a device of udma" udmactl info /dev/null
}

# What it has been through, each in a place of its own, and then what is behind the channel.
test_info_of_recovery() {
	sim_bind
	echo 1234 >"/sys/class/udma/$node/stall_ms"
	echo 56 >"/sys/class/udma/$node/timeout_ms"
	must udmactl reset "$node"
	must udmactl info "$node"
	sed '1,/^max_transfers=/d;/^can_send=/,$d' out >seen
	cat >wanted <<-END
		state=working
		stall_ms=1234
		timeout_ms=56
		recovery_stalls=0
		recovery_timeouts=0
		recovery_cancels=0
		recovery_resets=1
		recovery_probes=1
		recovery_replays=0
		recovery_reacquires=0
		recovery_failures=0
		recovery_heals=0
		recovery_late=0
		recovery_alone=0
		direction=mem_to_mem
	END
	same seen wanted
	must udmactl info --json "$node"
	tr -d ' \n' <out >flat
	expect grep -q '"state":"working","stall_ms":1234,"timeout_ms":56,"recovery":{"stalls":0,' flat
	expect grep -q '"resets":1,"probes":1,' flat
}

test_reset() {
	sim_make channels=1
	node=$(udmactl bind "mend-$$=$provider:0")
	must udmactl reset "$node"
	expect [ "$answer" = "" ]
	must udmactl reset "mend-$$"
	must udmactl reset "/dev/$node"
	expect has recovery/resets 3
	refuse 1 "udmactl: reset: udma9999: no such device" udmactl reset udma9999
	refuse 1 "udmactl: reset: nobody: no such device" udmactl reset nobody
	refuse 1 "udmactl: reset: '': no such device" udmactl reset ""
	refuse 1 "udmactl: reset: /dev/null: not a device of udma" udmactl reset /dev/null
	refuse 1 "udmactl: reset: /dev/nothing: no such device" udmactl reset /dev/nothing
	refuse 1 "udmactl: reset: $PWD: not a device of udma" udmactl reset "$PWD"
	echo /dev/null >file
	refuse 1 "udmactl: reset: ./file: not a device of udma" udmactl reset ./file
}

# A controller that does not stop, and then lets go after all.
test_reset_in_vain() {
	sim_bind max_segment=1048576
	echo 1 >"$sim/terminate_fail"
	echo 1 >"$sim/hang_at"
	random from 3000000
	start udmactl copy -d "$node" from to
	until_true is_pending 1
	mv out copy.out
	mv err copy.err
	refuse 1 "udmactl: reset: $node: it could not be stopped: *" udmactl reset "$node"
	finish
	expect [ "$status" -eq 1 ]
	mv copy.err err
	says "udmactl: copy: $node: transfer at *: the controller could not be stopped, *"
	no_leftover .
	must udmactl list
	expect grep -q "^device=$node .* state=failed " out
	must udmactl info "$node"
	expect grep -qx state=failed out
	expect grep -qx recovery_failures=1 out
	refuse 1 "udmactl: copy: $node: transfer at 0: the channel has failed" udmactl copy -d "$node" from to
	echo 1 >"$sim/unhang"
	until_true has state working
	must udmactl copy -d "$node" -v from to
	same from to
	must udmactl info "$node"
	expect grep -qx recovery_heals=1 out
}

# Of a device that somebody has for himself alone, sysfs tells.
test_info_of_an_exclusive_device() {
	sim_make channels=1
	node=$(udmactl bind "mine-$$=$provider:0")
	mkfifo fifo
	start udmactl copy -d "$node" --exclusive fifo to
	exec 3>fifo
	mv out copy.out
	mv err copy.err
	until_true is_begun
	must udmactl info "mine-$$"
	for line in "name=mine-$$" "provider=$provider" driver=- can_copy=- max_bytes=- state=working \
		stall_ms=5000 timeout_ms=0 recovery_resets=0; do
		expect grep -qx "$line" out
	done
	must udmactl list
	expect grep -q "^device=$node .* can_copy=- .* state=working direction=mem_to_mem can_send=- " out
	refuse 1 "udmactl: copy: $node: another program has it for itself alone" \
		udmactl copy -d "$node" /dev/null to2
	refuse 1 "udmactl: fill: $node: another program uses it" \
		udmactl fill -n 1 -V 1 -d "$node" -x to2
	echo all >&3
	exec 3>&-
	finish
	expect [ "$status" -eq 0 ]
	expect [ "$(cat to)" = all ]
	must udmactl copy -d "$node" -x to to2
	same to to2
}

test_bind() {
	sim_make channels=2
	must udmactl bind "$provider:1"
	node=$answer
	expect [ -c "/dev/$node" ]
	read -r channel <"/sys/class/udma/$node/channel"
	must udmactl unbind "$node"
	expect [ "$answer" = "" ]
	expect [ ! -e "/dev/$node" ]

	must udmactl bind "named-$$=$channel"
	node=$answer
	must udmactl unbind "named-$$"
	expect [ ! -e "/dev/$node" ]

	must udmactl bind memcpy
	must udmactl unbind "$answer"
}

test_bind_what_is_not_free() {
	sim_make channels=2
	node=$(udmactl bind "first-$$=$provider:0")
	read -r channel <"/sys/class/udma/$node/channel"
	refuse 1 "udmactl: bind: $provider:0: $node: *" udmactl bind "$provider:0"
	refuse 1 "udmactl: bind: $channel: $node: *" udmactl bind "$channel"
	refuse 1 "udmactl: bind: first-$$: $node: *" udmactl bind "first-$$=$provider:1"
}

test_bind_what_is_not_there() {
	refuse 1 "udmactl: bind: dma99chan9: no such channel" udmactl bind dma99chan9
	refuse 1 "udmactl: bind: nothing:0: no such channel" udmactl bind nothing:0
	for bad in "" "x=" "=dma0chan0" "a/b=memcpy" "udma7=memcpy" \
		"0123456789012345678901234567890123456789=memcpy"; do
		refuse 1 "udmactl: bind: *: not of the form*" udmactl bind "$bad"
	done
	refuse 1 "udmactl: unbind: udma9999: no such device" udmactl unbind udma9999
	refuse 1 "udmactl: unbind: '': no such device" udmactl unbind ""
}

# Copies

test_copy_of_any_size() {
	sim_bind
	for size in 0 1 4095 4096 4097 1048576 1048577 5000000; do
		random from $size
		must udmactl copy --device="$node" --verify from to
		same from to
		sums_up device="$node" bytes=$size verified=yes
	done
	no_leftover .
}

test_copy_in_small_blocks() {
	sim_bind
	random from 50001
	for slots in 1 2 64; do
		for block in 511 16666 1M; do
			must udmactl copy -d "$node" -v -s $slots -b $block from to
			same from to
		done
	done
}

# The end of a file is not aligned, so more is moved than there is; but only that is written.
test_copy_through_an_aligned_channel() {
	sim_bind align=256 max_segment=4096
	for size in 255 256 257 30001; do
		random from $size
		for block in 100 5000; do
			must udmactl copy -d "$node" -v -b $block from to
			same from to
		done
	done
}

test_copy_of_a_large_file() {
	for i in 0 1 2; do
		cat "$top/pool"
		printf %s $i
	done >from
	must udmactl copy from to
	same from to
	sums_up bytes=15728658 verified=no
	echo "# $answer"
}

test_copy_summary() {
	sim_bind
	random from 3000000
	must udmactl copy -d "$node" --json from to
	tr -d ' \n' <out >flat
	for key in '"device":"udma' '"bytes":3000000,' '"seconds":[0-9.]*,' '"bytes_per_second":[0-9]*,' \
		'"dma_seconds":[0-9.]*,' '"dma_percent":[0-9.]*,' '"verified":false'; do
		expect grep -q "$key" flat
	done
	udmactl copy -d "$node" from - >to 2>err </dev/null
	same from to
	expect grep -q "^device=$node bytes=3000000 " err
	udmactl copy -d "$node" --json from - >to 2>err </dev/null
	same from to
	expect grep -q '"bytes": *3000000,' err
}

test_copy_pipes() {
	sim_bind
	random from 2500001
	# shellcheck disable=SC2002 # a pipe it is to be
	cat from | udmactl copy -d "$node" -v - - 2>err | cat >to
	same from to
	udmactl copy -d "$node" - to2 <from >out
	same from to2
	mkfifo fifo
	cat fifo >to3 &
	udmactl copy -d "$node" from fifo >out
	wait
	same from to3
	expect [ -p fifo ]
	must udmactl copy -d "$node" from /dev/null
	expect [ -c /dev/null ]
}

test_copy_of_short_reads() {
	sim_bind
	for i in 1 2 3 4 5 6 7 8 9; do
		echo "line $i"
		# Let the reader see it alone.
		head -c $((i * 1000)) /dev/zero
		echo >>count
	done | udmactl copy -d "$node" -b 2500 - to >out
	expect [ "$(wc -c <to)" -eq $((9 * 7 + 45000)) ]
	expect [ "$(tr -d '\0' <to | wc -l)" -eq 9 ]
}

test_copy_onto_itself() {
	random from 1000
	cp from before
	ln from hard
	ln -s from soft
	mkdir dir
	for to in from ./from dir/../from hard soft; do
		refuse 1 "udmactl: copy: from: source and destination are the same file" \
			udmactl copy from "$to"
	done
	status=0
	# shellcheck disable=SC2094 # that it is the same file is what it is about
	udmactl copy - from <from >out 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: standard input: source and destination are the same file"
	status=0
	# shellcheck disable=SC2094 # and here
	udmactl copy from - >>from 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: from: source and destination are the same file"
	same from before
}

test_copy_bad_names() {
	random from 1000
	mkdir dir
	ln -s nowhere dangling
	refuse 1 "udmactl: copy: nothing: No such file or directory" udmactl copy nothing to
	refuse 1 "udmactl: copy: dir: Is a directory" udmactl copy dir to
	refuse 1 "udmactl: copy: dir: Is a directory" udmactl copy from dir
	refuse 1 "udmactl: copy: dir/: Is a directory" udmactl copy from dir/
	refuse 1 "udmactl: copy: new/: Not a directory" udmactl copy from new/
	refuse 1 "udmactl: copy: none/to: No such file or directory" udmactl copy from none/to
	refuse 1 "udmactl: copy: from/to: Not a directory" udmactl copy from from/to
	refuse 1 "udmactl: copy: dangling: No such file or directory" udmactl copy from dangling
	refuse 1 "udmactl: copy: '': No such file or directory" udmactl copy from ""
	refuse 1 "udmactl: copy: udma9999: no such device" udmactl copy -d udma9999 from to
	refuse 1 "udmactl: copy: /dev/null: not a device of udma" udmactl copy -d /dev/null from to
	expect [ ! -e to ]
	no_leftover .
}

test_copy_replaces() {
	random from 1000
	chmod 754 from
	(
		umask 027
		udmactl copy from new >out
	)
	expect [ "$(mode_of new)" = 750 ]
	echo old >old
	chmod 4601 old
	ln old other
	must udmactl copy from old
	same from old
	expect [ "$(mode_of old)" = 4601 ]
	expect [ "$(cat other)" = old ]
	mkdir dir
	ln -s ../target dir/link
	echo old >target
	must udmactl copy from dir/link
	expect [ -L dir/link ]
	same from target
	must udmactl copy from dir/link
	no_leftover .
}

test_copy_beyond_the_limits() {
	sim_bind
	random from 1000
	refuse 1 "udmactl: copy: $node: 8 buffers of 1099511627776 bytes: *" \
		udmactl copy -d "$node" -b 1T from to
	expect [ ! -e to ]
	no_leftover .
}

# What was there before stays when the controller fails, and so at any block.
test_copy_when_the_controller_fails() {
	sim_bind max_segment=1048576
	random from 5000000
	echo old >to
	for block in 0 1 4; do
		echo $((block + 1)) >"$sim/fail_at"
		refuse 1 "udmactl: copy: $node: transfer at $((block * 1048576)): Input/output error" \
			udmactl copy -d "$node" from to
		expect [ "$(cat to)" = old ]
		no_leftover .
	done
	must udmactl copy -d "$node" from to
	same from to
}

test_copy_to_a_full_disk() {
	mkdir disk
	mount -t tmpfs -o size=2M tmpfs disk
	random from 3000000
	echo old >disk/to
	refuse 1 "udmactl: copy: disk/to: No space left on device" udmactl copy from disk/to
	refuse 1 "udmactl: copy: disk/new: No space left on device" udmactl copy from disk/new
	refuse 1 "udmactl: fill: disk/new: No space left on device" \
		udmactl fill --bytes 3000000 --value 1 disk/new
	expect [ "$(cat disk/to)" = old ]
	expect [ ! -e disk/new ]
	no_leftover disk
	head -c 1000000 from >small
	must udmactl copy small disk/to
	same small disk/to
	status=0
	udmactl copy from - >/dev/full 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: standard output: No space left on device"
}

# It has given all of its transfers up, and they have not all ended.
is_given_up() {
	read -r cancels <"/sys/class/udma/$node/recovery/cancels"
	[ "$cancels" -gt "$1" ]
}

# interrupt SIGNAL STATUS COMMAND...: at a point where a transfer is under way and nothing goes on. Then the
# command is to make it end.
interrupt() {
	signal=$1
	wanted=$2
	shift 2
	echo old >to
	echo 1 >"$sim/step_mode"
	read -r before <"/sys/class/udma/$node/recovery/cancels"
	# The shell would have what runs in the background ignore SIGINT.
	{
		until_true is_pending 1
		until_true test -s pid
		kill -s "$signal" "$(cat pid)"
		"$@"
	} &
	other=$!
	# shellcheck disable=SC2016 # for that shell, not for this one
	status=0
	sh -c 'echo $$ >pid; exec udmactl copy -d "$0" from to' "$node" >out 2>err || status=$?
	wait "$other" || fail "it was not as it should be after SIG$signal"
	rm pid
	echo 0 >"$sim/step_mode"
	until_true is_idle
	expect [ "$status" -eq "$wanted" ]
	expect [ "$(cat to)" = old ]
	no_leftover .
}

# go_on: when it waits for what it has given up, that goes on.
go_on() {
	until_true is_given_up "$before"
	echo 0 >"$sim/step_mode"
}

# insist SIGNAL: when it waits for that, it is told once more.
insist() {
	until_true is_given_up "$before"
	kill -s "$1" "$(cat pid)"
}

test_copy_interrupted() {
	sim_bind
	random from 3000000
	for how in "INT 130" "TERM 143" "HUP 129"; do
		# shellcheck disable=SC2086 # a signal and its status
		interrupt $how go_on
		is_silent
	done
	# Who does not want to wait says it twice; or the other one at once.
	interrupt INT 130 insist INT
	interrupt INT 143 insist TERM
	interrupt QUIT 131 :
	# As when the memory of its buffers goes while it touches that.
	interrupt BUS 1 :
	says "udmactl: copy: $node: No such device"
	must udmactl copy -d "$node" from to
	same from to
}

# It takes no step of the simulator: the reset ends it.
test_copy_interrupted_while_the_controller_hangs() {
	sim_bind
	random from 3000000
	echo 1 >"$sim/hang_at"
	# shellcheck disable=SC2317 # it is called
	be_impatient() {
		until_true is_given_up "$before"
		echo 0 >"$sim/step_mode"
		echo 1 >"/sys/class/udma/$node/stall_ms"
	}
	interrupt INT 130 be_impatient
	expect has recovery/stalls 1
	echo 3600000 >"/sys/class/udma/$node/stall_ms"
	must udmactl copy -d "$node" from to
	same from to
}

# Nothing is under way, and it does not look at the channel.
test_copy_interrupted_while_it_reads() {
	sim_bind
	mkfifo fifo
	exec 3<>fifo
	{
		until_true test -s pid
		until_true is_begun
		kill -s TERM "$(cat pid)"
	} &
	other=$!
	# shellcheck disable=SC2016 # for that shell, not for this one
	try sh -c 'echo $$ >pid; exec udmactl copy -d "$0" fifo to' "$node"
	expect wait "$other"
	exec 3>&-
	expect [ "$status" -eq 143 ]
	is_silent
	expect [ ! -e to ]
	no_leftover .
}

# Nor has it to wait for whoever reads its pipe.
test_copy_interrupted_while_it_writes() {
	sim_bind
	mkfifo fifo
	exec 3<>fifo
	random from 3000000
	{
		head -c 1 <&3 >first
		until_true test -s pid
		kill -s TERM "$(cat pid)"
	} &
	other=$!
	# shellcheck disable=SC2016 # for that shell, not for this one
	try sh -c 'echo $$ >pid; exec udmactl copy -d "$0" from fifo' "$node"
	expect wait "$other"
	exec 3>&-
	expect [ "$status" -eq 143 ]
}

test_copy_that_takes_too_long() {
	sim_bind max_segment=1048576
	random from 3000000
	echo old >to
	# Shared with others, it ends when the controller lets go.
	echo 1 >"$sim/step_mode"
	start udmactl copy -d "$node" --timeout 1 from to
	until_true has recovery/timeouts 3
	echo 0 >"$sim/step_mode"
	finish
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: $node: transfer at 0: it took too long, *"
	expect [ "$(cat to)" = old ]
	no_leftover .
	# Alone, it is made to let go.
	echo 1 >"$sim/hang_at"
	refuse 1 "udmactl: copy: $node: transfer at *: it took too long, *" \
		udmactl copy -d "$node" -x -t 1 from to
	expect [ "$(cat to)" = old ]
	no_leftover .
	until_true has state working
	must udmactl copy -d "$node" -t 3600K from to
	same from to
}

test_copy_when_the_controller_stops_short() {
	sim_bind max_segment=1048576
	random from 3000000
	echo old >to
	echo 2 >"$sim/short_at"
	refuse 1 "udmactl: copy: $node: transfer at 1048576: the controller stopped short" \
		udmactl copy -d "$node" from to
	expect [ "$(cat to)" = old ]
	no_leftover .
}

test_copy_whose_reader_goes() {
	sim_bind
	random from 3000000
	{
		udmactl copy -d "$node" from - 2>err || echo $? >ended
	} | head -c 1 >out
	until_true test -s ended
	# As killed by the signal; or told, where that is ignored.
	[ "$(cat ended)" -eq 141 ] || says "udmactl: copy: standard output: Broken pipe"
}

test_copy_whose_device_goes() {
	sim_bind
	random from 5000000
	echo old >to
	echo 1 >"$sim/step_mode"
	start udmactl copy -d "$node" --verify from to
	until_true is_pending 3
	echo 1 >"$sim/step"
	udmactl unbind "$node"
	finish
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: $node: *No such device"
	expect [ "$(cat to)" = old ]
	no_leftover .
}

# Though there is nothing to do for the channel at this time.
test_copy_whose_device_goes_while_it_reads() {
	sim_bind
	mkfifo fifo
	start udmactl copy -d "$node" fifo to
	exec 3>fifo
	head -c 3000000 /dev/zero >&3
	udmactl unbind "$node"
	finish
	exec 3>&-
	expect [ "$status" -eq 1 ]
	says "udmactl: copy: $node: No such device"
	expect [ ! -e to ]
	no_leftover .
}

# Fills

test_fill() {
	sim_bind align=64
	for size in 0 1 4097 3000001; do
		must udmactl fill -d "$node" --bytes $size --value 0x41 --verify to
		head -c $size /dev/zero | tr '\0' A >wanted
		same to wanted
		sums_up bytes=$size verified=yes
	done
	udmactl fill -d "$node" -n 1K -V 66 - >to 2>err
	head -c 1024 /dev/zero | tr '\0' B >wanted
	same to wanted
	must udmactl fill -d "$node" -n 10 -V 0 --json to
	expect grep -q '"bytes": *10,' out
}

test_fill_where_it_cannot() {
	sim_bind fill=0
	refuse 1 "udmactl: fill: $node: the channel cannot fill" udmactl fill -d "$node" -n 1 -V 1 to
	expect [ ! -e to ]
	random from 1000
	must udmactl copy -d "$node" from to
}

# Benchmarks

test_bench() {
	sim_bind
	must udmactl bench --bytes 64,4K --depth 1,8 --count 20 "$node"
	expect [ "$(wc -l <out)" -eq 20 ]
	for row in "ring bytes=64 depth=1 processes=1 transfers=20" "batch bytes=64 depth=8 processes=1 transfers=24" \
		"single bytes=4096 depth=8 processes=1 transfers=24" "busy bytes=64 depth=1 processes=1 transfers=20" \
		"memcpy bytes=4096 depth=8 processes=1 transfers=20"; do
		line="device=$node path=$row seconds=[0-9.]* ns_per_transfer=[0-9.]* bytes_per_second=[0-9]*"
		line="$line cpu_percent=[0-9.]* runs=1 latency_p50_ns=[0-9]* latency_p90_ns=[0-9]*"
		expect grep -qx "$line latency_p99_ns=[0-9]* latency_max_ns=[0-9]*" out
	done
	# It does what it says.
	read -r before <"$sim/ended"
	must udmactl bench --path single --bytes 64 --depth 4 --count 40 --no-latency "$node"
	read -r after <"$sim/ended"
	expect [ $((after - before)) -ge 40 ]
	expect [ $((after - before)) -lt 60 ]
	sums_up latency_p50_ns=- latency_max_ns=-
}

test_bench_in_json() {
	sim_bind
	must udmactl bench --json -p batch,memcpy -b 64 -d 1 -n 10 "$node"
	tr -d ' \n' <out >flat
	row="\"device\":\"$node\",\"path\":\"batch\",\"bytes\":64,\"depth\":1,\"processes\":1,\"transfers\":10,"
	row="$row\"seconds\":[0-9.]*,\"ns_per_transfer\":[0-9.]*,\"bytes_per_second\":[0-9]*,\"cpu_percent\":[0-9.]*,"
	row="$row\"runs\":1,\"latency\":{\"p50_ns\":[0-9]*,\"p90_ns\":[0-9]*,\"p99_ns\":[0-9]*,\"max_ns\":[0-9]*}"
	expect grep -q "^\[{$row},{\"device\":\"$node\",\"path\":\"memcpy\",.*}\]$" flat
	must udmactl bench --json --no-latency -p batch -b 64 -d 1 -n 10 "$node"
	expect grep -q '"p50_ns": *null,' out
}

test_bench_for_a_time() {
	sim_bind
	must udmactl bench --path single --bytes 64 --depth 1 --seconds 0.01 --within 100 "$node"
	expect grep -qE ' transfers=[1-9][0-9]* seconds=0\.(0[1-9]|[1-9])' out
	expect grep -qE ' runs=([2-9]|1[0-2]) ' out
}

test_bench_of_many() {
	sim_make channels=2
	one=$(udmactl bind "$provider:0")
	two=$(udmactl bind "$provider:1")
	must udmactl bench --path batch --bytes 64 --depth 4 --count 40 --processes 3 "$one" "$two"
	sums_up device="$one,$two" processes=6 transfers=240
	read -r ended <"$sim/ended"
	expect [ "$ended" -ge 480 ]
}

test_bench_of_what_cannot_be() {
	sim_bind align=128
	refuse 1 "udmactl: bench: udma9999: no such device" udmactl bench udma9999
	refuse 1 "udmactl: bench: udma9999: no such device" udmactl bench "$node" udma9999
	refuse 1 "udmactl: bench: $node: 64 bytes: not a multiple of 128, as the channel needs it" \
		udmactl bench --bytes 4K,64 "$node"
	refuse 1 "udmactl: bench: $node: single, 4096 bytes, depth 257: queue: more than the channel allows" \
		udmactl bench --path single --bytes 4K --depth 257 "$node"
	# What nobody asked for is left out.
	must udmactl bench --path single --depth 1 --count 1 "$node"
	expect [ "$(wc -l <out)" -eq 3 ]
	! grep -q bytes=64 out || fail "64 bytes were measured"
}

test_bench_when_the_controller_fails() {
	sim_bind
	# The first are for warming up.
	for n in 1 10; do
		echo $n >"$sim/fail_at"
		try udmactl bench --path single --bytes 64 --depth 2 --count 20 "$node"
		expect [ "$status" -eq 1 ]
		says "udmactl: bench: $node: single, 64 bytes, depth 2: transfer: Input/output error"
	done
	must udmactl bench --path single --bytes 64 --depth 2 --count 20 "$node"
}

# Some rows are told; in the next one, somewhere, the controller waits for ever.
test_bench_interrupted() {
	sim_bind
	some=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1
	for path in single ring; do
		for how in "INT 130" "TERM 143"; do
			{
				until_true grep -qs "path=$path" out
				echo 1 >"$sim/step_mode"
				until_true is_pending 1
				kill -s "${how% *}" "$(cat pid)"
			} &
			other=$!
			# shellcheck disable=SC2016 # for that shell, not for this one
			try sh -c 'echo $$ >pid; exec udmactl bench -p $1 -b $2 -d $2 -n 20 "$0"' "$node" $path $some
			expect wait "$other"
			echo 0 >"$sim/step_mode"
			expect [ "$status" -eq "${how#* }" ]
			is_silent
			rm pid out
		done
	done
}

# Modules. These come last: they unload what the others need, and load it again.

test_load_and_unload() {
	must udmactl load --sim
	expect [ "$answer" = "" ]
	node=$(udmactl bind "held-$$=memcpy")
	exec 3<>"/dev/$node"
	try udmactl unload
	exec 3>&-
	expect [ $status -eq 1 ]
	expect grep -q "^udmactl: unload: udma: process [0-9]* (.*): /dev/$node: has it open$" err
	must udmactl unload
	expect [ ! -e /sys/class/udma ]
	expect [ ! -e "$sim_root/default" ]
	must udmactl unload
	refuse 1 "udmactl: bind: memcpy: the module udma is not loaded" udmactl bind memcpy
	refuse 1 "udmactl: unbind: udma0: the module udma is not loaded" udmactl unbind udma0
	refuse 1 "udmactl: copy: device: there is none*" udmactl copy /dev/null to
	must udmactl list
	expect [ "$answer" = "" ]
	refuse 1 "udmactl: load: *: udma: no such module" udmactl load --dirname="$PWD"
	must udmactl load --sim --bind memcpy --bind "second-$$=memcpy"
	expect [ -c /dev/udma0 ]
	expect [ "$answer" = udma0 ]
	expect [ "$(wc -l <out)" -eq 2 ]
	must udmactl unbind "second-$$"
}

test_unload_with_a_controller() {
	mkdir "$sim_root/ctl$$-kept"
	try udmactl unload
	rmdir "$sim_root/ctl$$-kept"
	expect [ $status -eq 1 ]
	expect grep -q "^udmactl: unload: udma_sim: $sim_root/ctl$$-kept: it is still there$" err
	must udmactl load --sim --bind memcpy
	expect [ "$answer" = udma0 ]
}

run_all "$0" version_and_help wrong_usage output_that_cannot_be_written
