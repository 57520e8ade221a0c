#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# udmactl with channels of devices: send, recv, capture, play and config.
# shellcheck source=selftests/udmactl_helpers.sh
. "${0%/*}/udmactl_helpers.sh"

# What is started in the background has its output in files of its own, so that others can be tried meanwhile.

# begin COMMAND...: in the background, as process $pid.
begin() {
	"$@" >begun.out 2>begun.err </dev/null &
	pid=$!
}

# end STATUS: what has begun ends so. What it said is in ./out and ./err then, and $answer, as after must.
end() {
	status=0
	wait "$pid" || status=$?
	mv begun.out out
	mv begun.err err
	answer=
	IFS= read -r answer <out || :
	expect [ "$status" -eq "$1" ]
}

end_well() {
	end 0
	expect [ ! -s err ]
}

# loopback [ATTRIBUTE=VALUE]...: what goes to $tx comes from $rx.
loopback() {
	sim_make kind=loopback channels=2 "$@"
	bind 0
	tx=$node
	bind 1
	rx=$node
}

# one KIND [ATTRIBUTE=VALUE]...: a controller of one channel, $node.
one() {
	kind=$1
	shift
	sim_make kind="$kind" channels=1 "$@"
	bind 0
}

# told [ATTRIBUTE=VALUE]...: the same of a source that has to be told of its device, and has been.
told() {
	one source need_config=1 "$@"
	echo none >"/sys/class/udma/$node/address"
	echo dev_to_mem >"/sys/class/udma/$node/direction"
}

# pattern FILE BYTES: what a source gives and a sink wants. The controller of the case is to be made afterwards.
pattern() {
	one source
	udmactl recv -d "$node" -n "$2" "$1" >pattern.out
}

# word FILE INDEX: of 32 bits, counted from zero.
word() {
	od -An -v -tu4 -j $((4 * $2)) -N4 "$1" | tr -d ' '
}

# has_bytes NUMBER FILE...: the first file has at least so many.
has_bytes() {
	[ -e "$2" ] && [ "$(stat -c %s "$2")" -ge "$1" ]
}

# What is written before it has its name.
written() {
	has_bytes "$1" .udmactl*
}

step() {
	echo "$1" >"$sim/step"
}

# Speaking

test_wrong_usage_of_devices() {
	for command in send recv capture play; do
		refuse 2 "udmactl: $command: too few arguments*" udmactl "$command"
		refuse 2 "udmactl: $command: b: one argument too many*" udmactl "$command" a b
		refuse 2 "udmactl: $command: --no-such: unknown option*" udmactl "$command" --no-such
		must udmactl help "$command"
	done
	refuse 2 "udmactl: send: --verify: unknown option*" udmactl send --verify a
	refuse 2 "udmactl: send: 65: not a number from 1 to 64*" udmactl send -s 65 a
	refuse 2 "udmactl: recv: --bytes, --packets: one of both is needed*" udmactl recv a
	refuse 2 "udmactl: recv: --bytes, --packets: not both*" udmactl recv -n 1 -p 1 a
	refuse 2 "udmactl: recv: x: not a number of bytes*" udmactl recv -n x a
	refuse 2 "udmactl: recv: 0: not a number of packets*" udmactl recv -p 0 a
	refuse 2 "udmactl: recv: 1G: not a number of bytes up to 512M*" udmactl recv -p 1 -S 1G a
	refuse 2 "udmactl: recv: --slot-bytes: only with --packets*" udmactl recv -n 1 -S 1 a
	refuse 2 "udmactl: recv: --lengths: only with --packets*" udmactl recv -n 1 -l b a
	refuse 2 "udmactl: recv: --block-bytes: not with --packets*" udmactl recv -p 1 -b 1 a
	refuse 2 "udmactl: recv: 1: not a number from 2 to 64*" udmactl recv -p 1 -s 1 a
	refuse 2 "udmactl: recv: --lengths=-: it is the place of the data*" udmactl recv -p 1 -l - -
	refuse 2 "udmactl: capture: --bytes, --seconds: one of both is needed*" udmactl capture a
	refuse 2 "udmactl: capture: 0: not a number of seconds*" udmactl capture -s 0 a
	refuse 2 "udmactl: capture: 0: not a number of milliseconds*" udmactl capture -n 1 -i 0 a
	for command in "capture -n 1" play; do
		# shellcheck disable=SC2086 # a word each
		{
			refuse 2 "udmactl: ${command%% *}: 0: not a number of bytes up to 512M*" \
				udmactl $command -p 0 a
			refuse 2 "udmactl: ${command%% *}: 1: not a number from 2 to 65536*" \
				udmactl $command -P 1 a
		}
	done
	refuse 2 "udmactl: bench: stream: not together with paths that copy*" udmactl bench -p stream,ring
	refuse 2 "udmactl: bench: --processes: a stream has its device for itself*" udmactl bench -p stream -P 2
	refuse 2 "udmactl: bench: --depth: a ring has two periods or more*" udmactl bench -p stream -d 1
	refuse 2 "udmactl: bench: --events: more than the ring has*" udmactl bench -p stream -d 8 -e 9
	refuse 2 "udmactl: config: too few arguments*" udmactl config
	refuse 2 "udmactl: config: width: not of the form KEY=VALUE*" udmactl config a width
	for key in = x= Width=1 widt=1 width2=1 name=x reset=1; do
		refuse 2 "udmactl: config: $key: no such setting*" udmactl config a width=1 "$key"
	done
	for key in direction=up direction= width=-1 width= burst=x address=1x shared_reset=2 window=1.5; do
		refuse 2 "udmactl: config: $key: not a value for it*" udmactl config a "$key"
	done
	refuse 2 "udmactl: config: width: given twice*" udmactl config a width=1 burst=1 width=1
	refuse 2 "udmactl: bind: b: not of the form KEY=VALUE*" udmactl bind a b
	refuse 2 "udmactl: bind: name=b: no such setting*" udmactl bind a name=b
	refuse 2 "udmactl: config: --json: nothing is shown when something is set*" \
		udmactl config --json a width=1
	expect [ ! -e a ]
	expect [ ! -e b ]
}

# Devices

test_list_and_info_of_devices() {
	loopback granularity=segment
	must udmactl list
	line="state=working direction=mem_to_dev can_send=yes can_receive=no can_cycle=yes"
	expect grep -q "^device=$tx .* can_copy=no .* $line can_interleave=no can_pause=yes$" out
	line="state=working direction=dev_to_mem can_send=no can_receive=yes can_cycle=yes"
	expect grep -q "^device=$rx .* can_copy=no .* $line can_interleave=no can_pause=yes$" out
	must udmactl info "$rx"
	for line in direction=dev_to_mem can_receive=yes directions=dev_to_mem residue=segment widths=1,2,4,8 \
		max_burst=256 width=0 burst=0; do
		expect grep -qx "$line" out
	done
	expect grep -qx "window=[1-9][0-9]*" out
	expect grep -qx "max_ranges=[1-9][0-9]*" out
	must udmactl info --json "$rx"
	tr -d ' \n' <out >flat
	expect grep -q '"directions":\["dev_to_mem"\],"residue":"segment","widths":\[1,2,4,8\],"max_burst":256,' flat
	must udmactl info udma0
	expect grep -qx direction=mem_to_mem out
	expect grep -qx widths=- out
}

test_devices_are_for_their_direction() {
	loopback
	random from 1000
	refuse 1 "udmactl: copy: $tx: the channel cannot copy" udmactl copy -d "$tx" from to
	refuse 1 "udmactl: fill: $rx: the channel cannot fill" udmactl fill -d "$rx" -n 1 -V 1 to
	refuse 1 "udmactl: bench: $rx: the channel cannot copy" udmactl bench "$rx"
	refuse 1 "udmactl: send: $rx: the channel cannot send" udmactl send -d "$rx" from
	refuse 1 "udmactl: send: udma0: the channel cannot send" udmactl send -d udma0 from
	refuse 1 "udmactl: recv: $tx: the channel cannot receive" udmactl recv -d "$tx" -n 1 to
	refuse 1 "udmactl: capture: $tx: the channel cannot capture" udmactl capture -d "$tx" -n 1 to
	refuse 1 "udmactl: play: $rx: the channel cannot play" udmactl play -d "$rx" from
	must udmactl config "$tx" direction=none
	refuse 1 "udmactl: send: $tx: it has no direction yet *" udmactl send -d "$tx" from
	must udmactl config "$tx" direction=mem_to_dev
	# Without being told, each takes what is able to.
	must udmactl send from
	sums_up device="$tx" bytes=1000
	must udmactl recv -n 1000 to
	sums_up device="$rx" bytes=1000
	same from to
	must udmactl copy from to2
	sums_up device=udma0
	expect [ ! -e a ]
}

test_streams_need_a_channel_that_cycles() {
	loopback cyclic=0
	refuse 1 "udmactl: capture: $rx: the channel cannot capture" udmactl capture -d "$rx" -n 1 to
	refuse 1 "udmactl: play: $tx: the channel cannot play" udmactl play -d "$tx" /dev/null
}

# Transfers

test_send_and_recv() {
	loopback
	for size in 0 1 4097 1048577 3000000; do
		random from $size
		begin udmactl recv --device="$rx" --bytes=$size to
		must udmactl send --device="$tx" from
		sums_up device="$tx" bytes=$size
		end_well
		sums_up device="$rx" bytes=$size short_transfers=0 exact=yes
		same from to
	done
	no_leftover .
}

test_send_and_recv_in_small_blocks() {
	loopback
	random from 50001
	for slots in 1 2 64; do
		for block in 511 33333; do
			begin udmactl recv -d "$rx" -n 50001 -s $slots -b $block to
			must udmactl send -d "$tx" -s $slots -b 1000 from
			end_well
			same from to
		done
	done
}

test_send_and_recv_by_pipes() {
	loopback
	random from 300001
	begin sh -c "udmactl recv -d $rx -n 300001 - | cat >to"
	# shellcheck disable=SC2002 # a pipe it is to be
	cat from | udmactl send -d "$tx" - >out 2>err
	expect grep -q "^device=$tx bytes=300001 seconds=" out
	expect [ ! -s err ]
	end 0
	expect grep -q "^device=$rx bytes=300001 " err
	expect [ ! -s out ]
	same from to
	begin udmactl recv -d "$rx" -n 1000 --json to
	udmactl send -d "$tx" --json from -b 1000 >send.out &
	end_well
	tr -d ' \n' <out >flat
	expect grep -q "\"device\":\"$rx\",\"bytes\":1000,.*\"short_transfers\":0,\"exact\":true}" flat
	kill "$!"
	wait
}

# A device gets what there is and no more, and gives no more than it is asked for, as far as the channel allows it.
test_send_and_recv_through_an_aligned_channel() {
	loopback align=4
	random from 1001
	for what in from "-b 6 from"; do
		# shellcheck disable=SC2086 # a word each
		refuse 1 "udmactl: send: $tx: *: not a multiple of 4, as the channel needs it" \
			udmactl send -d "$tx" $what
	done
	refuse 1 "udmactl: recv: $rx: 6 bytes: not a multiple of 4, *" udmactl recv -d "$rx" -b 6 -n 12 to
	status=0
	# shellcheck disable=SC2002 # a pipe it is to be
	cat from | udmactl send -d "$tx" -b 400 - >out 2>err || status=$?
	expect [ "$status" -eq 1 ]
	says "udmactl: send: $tx: transfer at 800, 201 bytes: not a multiple of 4, *"
	# What was under way then may have gone or not.
	loopback align=4
	head -c 800 from >even
	must udmactl send -d "$tx" -b 400 even
	must udmactl recv -d "$rx" -n 799 -b 100 to
	head -c 799 from >wanted
	same wanted to
}

# The rest of what ended early is asked for again, and nothing lies between.
test_recv_of_short_transfers() {
	loopback packets=1
	random from 3500
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv -d "$rx" -n 3500 -b 4096 to
	same from to
	sums_up bytes=3500 short_transfers=3 exact=yes
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv -d "$rx" -n 3500 -b 300 -s 3 to
	same from to
	# One more than there is left of a packet, and less.
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv -d "$rx" -n 1001 -b 500 to
	sums_up bytes=1001 short_transfers=0
	must udmactl recv -d "$rx" -n 2499 -b 500 to2
	cat to to2 >both
	same from both
}

test_recv_that_is_not_exact() {
	loopback packets=1 granularity=descriptor
	random from 1000
	must udmactl send -d "$tx" from
	must udmactl recv -d "$rx" -n 1000 to
	sums_up bytes=1000 exact=no
}

test_recv_of_nothing() {
	loopback
	echo old >to
	refuse 1 "udmactl: recv: $rx: transfer at 0: it took too long, *" udmactl recv -d "$rx" -n 10 -t 1 to
	refuse 1 "udmactl: recv: $rx: no packet came for too long" udmactl recv -d "$rx" -p 1 -t 1 to
	expect [ "$(cat to)" = old ]
	no_leftover .
	# It goes on.
	random from 10
	must udmactl send -d "$tx" from
	must udmactl recv -d "$rx" -n 10 to
	same from to
}

test_recv_interrupted() {
	loopback
	node=$rx
	echo old >to
	for what in "-n 1000" "-p 5"; do
		# shellcheck disable=SC2086 # a word each
		begin udmactl recv -d "$rx" $what to
		until_true is_pending 1
		kill -TERM "$pid"
		end 143
		is_silent
		expect [ ! -s out ]
		expect [ "$(cat to)" = old ]
		no_leftover .
	done
}

test_send_and_recv_when_the_controller_fails() {
	loopback
	random from 3000
	echo 2 >"$sim/fail_at"
	refuse 1 "udmactl: send: $tx: transfer at 1000: Input/output error" udmactl send -d "$tx" -b 1000 -s 1 from
	echo old >to
	echo 1 >"$sim/fail_at"
	refuse 1 "udmactl: recv: $rx: transfer at 0: Input/output error" udmactl recv -d "$rx" -n 10 to
	expect [ "$(cat to)" = old ]
	no_leftover .
}

test_send_and_recv_of_a_device_in_use() {
	loopback
	begin udmactl recv -d "$rx" -n 1000 to
	until_true is_pending 1
	for what in "recv -n 1" "recv -p 1" "capture -n 1"; do
		# shellcheck disable=SC2086 # a word each
		refuse 1 "udmactl: ${what% -*}: $rx: *: another program uses it" udmactl $what -d "$rx" to2
	done
	expect [ ! -e to2 ]
	random from 1000
	must udmactl send -d "$tx" from
	end_well
	same from to
}

test_send_and_recv_whose_device_goes() {
	loopback
	begin udmactl recv -d "$rx" -n 1000 to
	until_true is_pending 1
	udmactl unbind "$rx"
	end 1
	says "udmactl: recv: $rx: *No such device"
	expect [ ! -e to ]
	no_leftover .
}

# Packets

test_recv_packets() {
	loopback packets=1
	random from 3500
	printf '%s\n' 1000 1000 1000 500 >wanted
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv --device="$rx" --packets=4 --lengths=list to
	sums_up device="$rx" bytes=3500 packets=4 overruns=0 exact=yes
	same from to
	same list wanted
	# Slots that are too short, and few.
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv -d "$rx" -p 11 --slot-bytes=400 --slots=2 -l list to
	printf '%s\n' 400 400 200 400 400 200 400 400 200 400 100 >wanted
	same from to
	same list wanted
	no_leftover .
}

test_recv_packets_in_json() {
	loopback packets=1
	random from 2500
	must udmactl send -d "$tx" -b 1000 from
	must udmactl recv -d "$rx" -p 3 --json to
	same from to
	tr -d ' \n' <out >flat
	expect grep -q "\"bytes\":2500,.*\"packets\":3,\"overruns\":0,\"exact\":true,\"lengths\":\[1000,1000,500\]}" flat
}

test_recv_packets_by_pipes() {
	loopback packets=1
	random from 2500
	printf '%s\n' 1000 1000 500 >wanted
	must udmactl send -d "$tx" -b 1000 from
	udmactl recv -d "$rx" -p 3 -l list - >to 2>err
	same from to
	same list wanted
	expect grep -q "^device=$rx bytes=2500 .* packets=3 " err
	must udmactl send -d "$tx" -b 1000 from
	udmactl recv -d "$rx" -p 3 -l - to >list 2>err
	same from to
	same list wanted
	expect grep -q "^device=$rx bytes=2500 .* packets=3 " err
}

test_recv_packets_to_one_file() {
	loopback packets=1
	echo old >to
	mkdir dir
	refuse 1 "udmactl: recv: dir/../to: it is the same file" udmactl recv -d "$rx" -p 1 -l dir/../to to
	refuse 1 "udmactl: recv: none/list: No such file or directory" udmactl recv -d "$rx" -p 1 -l none/list to
	expect [ "$(cat to)" = old ]
	no_leftover .
	no_leftover dir
}

# Both are as before when one is not complete.
test_recv_packets_to_a_full_disk() {
	loopback packets=1
	mkdir disk
	mount -t tmpfs -o size=64k tmpfs disk
	random from 100000
	echo old >disk/to
	echo old >list
	begin udmactl recv -d "$rx" -p 10 -l list disk/to
	udmactl send -d "$tx" -b 10000 from >send.out 2>&1 &
	end 1
	says "udmactl: recv: disk/to: No space left on device"
	expect [ "$(cat disk/to)" = old ]
	expect [ "$(cat list)" = old ]
	no_leftover .
	no_leftover disk
	udmactl unbind "$tx"
	wait
}

# Streams

test_source_gives_a_pattern() {
	pattern file 40000
	od -An -v -tu4 file | tr -s ' ' '\n' | sed '/^$/d' >seen
	seq 0 9999 >wanted
	same seen wanted
}

# capture_in_steps TO COMMAND...: 16 periods of 4 KiB, which are a ring, so that none is lost. Half of them
# are to be in the file first, or in one that has no name yet if TO is none.
capture_in_steps() {
	to=$1
	shift
	begin "$@"
	step 8
	if [ "$to" ]; then
		until_true has_bytes 32768 "$to"
	else
		until_true written 32768
	fi
	step 8
}

test_capture() {
	pattern wanted 65536
	one source step_mode=1
	capture_in_steps "" udmactl capture --device="$node" --bytes=65536 --period-bytes=4K --periods=16 to
	end_well
	sums_up device="$node" bytes=65536 lost_bytes=0 overruns=0 exact=yes complete=yes
	same to wanted
	no_leftover .
}

# Only a part of the last period.
test_capture_of_any_number_of_bytes() {
	pattern all 60001
	one source step_mode=1
	capture_in_steps "" udmactl capture -d "$node" -n 60001 -p 4096 -P 16 --json to
	end_well
	same to all
	tr -d ' \n' <out >flat
	expect grep -q '"bytes":60001,.*"lost_bytes":0,"overruns":0,"exact":true,"complete":true}' flat
	must udmactl capture -d "$node" -n 0 none
	sums_up bytes=0 complete=yes
	expect has_bytes 0 none
}

test_capture_to_standard_output() {
	pattern wanted 65536
	one source step_mode=1
	capture_in_steps to sh -c "exec udmactl capture -d $node -n 64K -p 4K -P 16 - >to"
	end 0
	expect grep -q "^device=$node bytes=65536 .* lost_bytes=0 overruns=0 exact=yes complete=yes$" err
	same to wanted
	capture_in_steps to2 sh -c "udmactl capture -d $node -n 64K -p 4K -P 16 - | cat >to2"
	end 0
	expect [ "$(word to2 16383)" -eq $(($(word to2 0) + 16383)) ]
}

test_capture_for_a_time() {
	one source bandwidth=1000000
	must udmactl capture -d "$node" --seconds 0.2 -p 4096 to
	sums_up complete=yes
	expect grep -q " bytes=$(stat -c %s to) " out
	expect has_bytes 40960 to
	expect grep -qE ' seconds=0\.([2-9]|1999)' out
	# What comes first.
	must udmactl capture -d "$node" -s 1000 -n 10000 -p 4096 to
	sums_up bytes=10000 complete=yes
}

# fall_behind COMMAND...: 40 periods of 4096 bytes come, or go, while the program stands still.
fall_behind() {
	begin "$@"
	until_true is_pending 1
	kill -STOP "$pid"
	step 40
	kill -CONT "$pid"
}

# Of a ring of 8 that is round again, 6 are whole: that which the controller is in is not, nor is the next one.
test_capture_that_falls_behind() {
	one source step_mode=1
	fall_behind udmactl capture -d "$node" -n 24576 -p 4096 -P 8 to
	end 1
	says "udmactl: capture: $node: 139264 bytes lost: this program did not keep up"
	sums_up bytes=24576 lost_bytes=139264 overruns=34 exact=yes complete=yes
	expect [ "$(word to 0)" -eq 34816 ]
	expect [ "$(word to 6143)" -eq 40959 ]
	no_leftover .
}

test_capture_that_may_fall_behind() {
	one source step_mode=1
	fall_behind udmactl capture -d "$node" -n 36864 -p 4096 -P 8 --allow-loss to
	until_true written 24576
	step 3
	end_well
	sums_up bytes=36864 lost_bytes=139264 overruns=34 complete=yes
	expect [ "$(word to 9215)" -eq 44031 ]
}

# More than 16 events, and more than a round, as often as it takes: what is there is right, and so is what is not.
test_capture_of_a_source_that_is_too_fast() {
	one source
	try udmactl capture -d "$node" -n 500000 -p 4096 -P 8 to
	expect [ "$status" -le 1 ]
	IFS= read -r answer <out
	sums_up bytes=500000 complete=yes
	od -An -v -tu4 to | tr -s ' ' '\n' | sed '/^$/d' | awk '
		{ if ($1 < next_word) exit 1; if ($1 > next_word) lost += $1 - next_word; next_word = $1 + 1 }
		END { print 4 * lost }' >sum
	read -r lost <sum
	sums_up lost_bytes="$lost"
	echo "# $answer"
}

test_capture_of_a_part_of_a_period() {
	pattern wanted 1001
	one source step_mode=1
	begin udmactl capture -d "$node" -n 1001 -p 4096 --idle=1 to
	echo 1001 >"$sim/step_bytes"
	end_well
	same to wanted
	one source granularity=segment
	refuse 1 "udmactl: capture: $node: --idle: the controller does not tell of a part of a period" \
		udmactl capture -d "$node" -n 1001 --idle=1 to2
	expect [ ! -e to2 ]
}

test_capture_interrupted() {
	pattern wanted 12288
	one source step_mode=1
	echo old >to
	begin udmactl capture -d "$node" -n 1M -p 4096 to
	step 3
	until_true written 12288
	kill -TERM "$pid"
	end 143
	expect [ ! -s err ]
	sums_up bytes=12288 lost_bytes=0 complete=no
	same to wanted
	no_leftover .
	# With nothing there is nothing to keep.
	begin udmactl capture -d "$node" -n 1M -p 4096 to
	until_true is_pending 1
	kill -TERM "$pid"
	end 143
	is_silent
	same to wanted
	no_leftover .
}

test_capture_when_the_controller_fails() {
	pattern wanted 8192
	one source step_mode=1
	begin udmactl capture -d "$node" -n 1M -p 4096 to
	step 2
	until_true written 8192
	udmactl reset "$node" || :
	end 1
	says "udmactl: capture: $node: stream: *"
	sums_up bytes=8192 complete=no
	same to wanted
	no_leftover .
}

test_capture_whose_device_goes() {
	pattern wanted 8192
	one source step_mode=1
	begin udmactl capture -d "$node" -n 1M -p 4096 to
	step 2
	until_true written 8192
	udmactl unbind "$node"
	end 1
	says "udmactl: capture: $node: *No such device"
	sums_up bytes=8192 complete=no
	same to wanted
	no_leftover .
}

test_capture_to_a_full_disk() {
	mkdir disk
	mount -t tmpfs -o size=64k tmpfs disk
	one source step_mode=1
	begin udmactl capture -d "$node" -n 1M -p 16K disk/to
	step 8
	end 1
	says "udmactl: capture: disk/to: No space left on device"
	sums_up complete=no
	expect [ "$(word disk/to 4095)" -eq 4095 ]
	no_leftover disk
}

test_streams_that_cannot_be() {
	one source align=4
	refuse 1 "udmactl: capture: $node: 4097 bytes: not a multiple of 4, *" \
		udmactl capture -d "$node" -n 1 -p 4097 to
	refuse 1 "udmactl: capture: $node: 3 times 536870912 bytes: more than 1 GiB" \
		udmactl capture -d "$node" -n 1 -p 512M -P 3 to
	refuse 1 "udmactl: capture: $node: 2 times 536870912 bytes: *" \
		udmactl capture -d "$node" -n 1 -p 512M -P 2 to
	told align=4
	udmactl config "$node" width=8
	refuse 1 "udmactl: capture: $node: 4100 bytes: not a multiple of 8, *" \
		udmactl capture -d "$node" -n 1 -p 4100 to
	expect [ ! -e to ]
	no_leftover .
}

# is_played BYTES: what the sink has got is the first so many bytes of its pattern, and zeros behind it.
is_played() {
	read -r taken <"$sim/sink_bytes"
	read -r errors <"$sim/sink_errors"
	expect [ "$taken" -ge "$1" ]
	expect [ "$errors" -eq $(((taken - $1) / 4)) ]
}

test_play() {
	for size in 4 4096 21480 32768; do
		pattern from $size
		one sink bandwidth=200000
		must udmactl play --device="$node" --period-bytes=4K --periods=8 from
		sums_up device="$node" bytes=$size lost_bytes=0 overruns=0 complete=yes
		is_played $size
	done
	: >empty
	must udmactl play -d "$node" empty
	sums_up bytes=0 lost_bytes=0 complete=yes
	must udmactl play -d "$node" --json from
	expect grep -q '"complete": *true' out
}

test_play_more_than_the_ring() {
	pattern from 300000
	one sink bandwidth=500000
	must udmactl play -d "$node" -p 4096 -P 32 from
	sums_up bytes=300000 lost_bytes=0 complete=yes
	is_played 300000
	one sink bandwidth=500000
	# shellcheck disable=SC2002 # a pipe it is to be
	cat from | udmactl play -d "$node" -p 4096 -P 32 - >out
	read -r answer <out
	sums_up bytes=300000 lost_bytes=0 complete=yes
	is_played 300000
}

# The ring of 8 has been played, and then what was in it: 5 periods that are not the file's.
test_play_that_falls_behind() {
	pattern from 81920
	for how in 1 "0 --allow-loss"; do
		one sink step_mode=1
		# shellcheck disable=SC2086 # none or one
		begin udmactl play -d "$node" -p 4096 -P 8 ${how#[01]} from
		until_true is_pending 1
		kill -STOP "$pid"
		step 12
		kill -CONT "$pid"
		# Slow enough for the rest.
		echo 100000 >"$sim/bandwidth"
		echo 0 >"$sim/step_mode"
		end "${how%% *}"
		sums_up bytes=81920 complete=yes
		expect grep -qE ' lost_bytes=(20480|2[1-9]...|[3-9]....|......*) overruns=[1-9]' out
		[ "${how%% *}" -eq 0 ] ||
			says "udmactl: play: $node: [1-9]* bytes lost: this program did not keep up"
		read -r errors <"$sim/sink_errors"
		expect [ "$errors" -gt 0 ]
	done
}

test_play_interrupted() {
	pattern from 40960
	one sink step_mode=1
	begin udmactl play -d "$node" -p 4096 -P 8 from
	step 3
	kill -TERM "$pid"
	end 143
	expect [ ! -s err ]
	sums_up bytes=12288 complete=no
	is_played 12288
	# While it fills ahead, and there is no stream yet.
	mkfifo fifo
	exec 3<>fifo
	begin udmactl play -d "$node" fifo
	echo some >&3
	until_true test "$(readlink "/proc/$pid/fd/4" 2>/dev/null || readlink "/proc/$pid/fd/3")"
	kill -TERM "$pid"
	end 143
	exec 3>&-
	is_silent
}

test_play_whose_device_goes() {
	pattern from 40960
	one sink step_mode=1
	begin udmactl play -d "$node" -p 4096 -P 8 from
	step 3
	udmactl unbind "$node"
	end 1
	says "udmactl: play: $node: *No such device"
	sums_up complete=no
}

test_play_bad_names() {
	one sink
	mkdir dir
	refuse 1 "udmactl: play: nothing: No such file or directory" udmactl play -d "$node" nothing
	refuse 1 "udmactl: send: dir: Is a directory" udmactl send -d "$node" dir
	refuse 1 "udmactl: play: udma9999: no such device" udmactl play -d udma9999 /dev/null
	refuse 1 "udmactl: capture: udma9999: no such device" udmactl capture -d udma9999 -n 1 to
	expect [ ! -e to ]
}

# Benchmarks

# The ring has room for ten seconds.
test_bench_of_a_stream() {
	one source bandwidth=200000
	must udmactl bench --path stream --bytes 1K,2K --depth 1024 --events 2 --count 8 "$node"
	expect [ "$(wc -l <out)" -eq 2 ]
	for bytes in 1024 2048; do
		line="device=$node path=stream bytes=$bytes depth=1024 processes=1 transfers=8 seconds=[0-9.]*"
		line="$line ns_per_transfer=[0-9.]* bytes_per_second=[0-9]* cpu_percent=[0-9.]* runs=1"
		expect grep -qx "$line latency_p50_ns=- latency_p90_ns=- latency_p99_ns=- latency_max_ns=-" out
	done
	# It has waited for the device: of the first period a part may have been there.
	sed 's/.* bytes_per_second=\([0-9]*\) .*/\1/' out >rates
	while read -r rate; do
		expect [ "$rate" -le 240000 ]
	done <rates
	must udmactl bench --json -p stream -b 1K -d 1024 -n 2 "$node"
	tr -d ' \n' <out >flat
	row="\"device\":\"$node\",\"path\":\"stream\",\"bytes\":1024,\"depth\":1024,\"processes\":1,\"transfers\":2,"
	row="$row\"seconds\":[0-9.]*,\"ns_per_transfer\":[0-9.]*,\"bytes_per_second\":[0-9]*,\"cpu_percent\":[0-9.]*,"
	row="$row\"runs\":1,\"latency\":{\"p50_ns\":null,\"p90_ns\":null,\"p99_ns\":null,\"max_ns\":null}"
	expect grep -qx "\[{$row}\]" flat
}

# tell_workers SIGNAL: to the processes of what was begun.
tell_workers() {
	for stat in /proc/[0-9]*/stat; do
		read -r worker _ _ parent _ <"$stat" || continue
		[ "$parent" != "$pid" ] || kill -"$1" "$worker"
	done 2>tell.err
}

# What measures is stopped while the ring goes round several times, and has complained. With the last step there may be
# nothing to move.
has_complained() {
	tell_workers STOP
	step 40 2>step.err || :
	tell_workers CONT
	[ -s begun.err ]
}

# What comes before it begins to measure may be lost.
test_bench_of_a_stream_that_does_not_keep_up() {
	one source step_mode=1
	begin udmactl bench -p stream -b 4K -d 8 -n 1000000 "$node"
	until_true is_pending 1
	until_true has_complained
	end 1
	says "udmactl: bench: $node: stream, 4096 bytes, depth 8: transfer: the program did not keep up"
	expect [ ! -s out ]
}

test_bench_of_a_stream_that_cannot_be() {
	loopback
	refuse 1 "udmactl: bench: $tx: the channel cannot capture" udmactl bench -p stream "$tx"
	refuse 1 "udmactl: bench: udma0: the channel cannot capture" udmactl bench -p stream udma0
	one source cyclic=0
	refuse 1 "udmactl: bench: $node: the channel cannot capture" udmactl bench -p stream "$node"
	one source align=4
	refuse 1 "udmactl: bench: $node: 65 bytes: not a multiple of 4, as the channel needs it" \
		udmactl bench -p stream -b 65 "$node"
}

# Settings

test_config_shows() {
	told
	must udmactl config "$node"
	line="address=none width=0 burst=0 direction=dev_to_mem shared_reset=no window=1 stall_ms=0"
	expect grep -qx "$line timeout_ms=0 max_megabytes=[0-9]*" out
	expect [ "$(wc -l <out)" -eq 1 ]
	# It can be given again.
	# shellcheck disable=SC2086 # a word each
	must udmactl config "$node" $answer
	expect [ ! -s out ]
	must udmactl config --json "$node"
	tr -d ' \n' <out >flat
	expect grep -q '^{"address":"none","width":0,"burst":0,"direction":"dev_to_mem","shared_reset":false,' flat
	must udmactl config udma0
	case $answer in
	*' direction=mem_to_mem '*) ;;
	*) fail "$answer" ;;
	esac
	refuse 1 "udmactl: config: udma9999: no such device" udmactl config udma9999
	refuse 1 "udmactl: config: /dev/null: not a device of udma" udmactl config /dev/null width=1
}

test_config_sets() {
	one source need_config=1
	refuse 1 "udmactl: config: $node: direction=dev_to_mem: the address of the device comes first; *" \
		udmactl config "$node" direction=dev_to_mem
	must udmactl config "$node" width=4 burst=0x10 address=0xfe000010 shared_reset=yes window=2 stall_ms=10 \
		timeout_ms=20 max_megabytes=30 direction=dev_to_mem
	expect [ ! -s out ]
	for setting in direction=dev_to_mem address=0xfe000010 width=4 burst=16 shared_reset=1 window=2 stall_ms=10 \
		timeout_ms=20 max_megabytes=30; do
		expect has "${setting%%=*}" "${setting#*=}"
	done
	# What is behind it learned it.
	expect grep -q "^0 0xfe000010 " "$sim/slave_config"
	must udmactl config "/dev/$node" max_megabytes=1K shared_reset=no
	expect has max_megabytes 1024
	expect has shared_reset 0
	must udmactl info "$node"
	expect grep -qx width=4 out
	expect grep -qx burst=16 out
	expect grep -qx window=2 out
	must udmactl config "$node" direction=none
	must udmactl config "$node"
	expect grep -q ' direction=none ' out
}

# All or none: as it was is what a new direction sets, too.
test_config_of_what_cannot_be() {
	told
	must udmactl config "$node" address=0x40 width=1 window=5 stall_ms=6
	must udmactl config "$node"
	before=$answer
	for bad in "direction=mem_to_dev: the channel has no such direction" \
		"direction=mem_to_mem: the channel has no such direction" "width=3: the channel has no such width" \
		"burst=257: the channel has no such burst" "window=0: out of range" "window=1000: out of range" \
		"stall_ms=3600001: out of range" "timeout_ms=3600001: out of range"; do
		setting=${bad%%:*}
		refuse 1 "udmactl: config: $node: $bad" udmactl config "$node" "$setting"
		key=${setting%%=*}
		# With others, of which some come before it.
		set --
		for other in direction=none address=unknown width=2 burst=2 shared_reset=1 window=3 stall_ms=9 \
			timeout_ms=8 max_megabytes=7; do
			[ "${other%%=*}" = "$key" ] || set -- "$@" "$other"
		done
		refuse 1 "udmactl: config: $node: $bad" udmactl config "$node" "$@" "$setting"
		must udmactl config "$node"
		expect [ "$answer" = "$before" ]
	done
	# Its controller has learned that, too.
	expect grep -q "^0 0x40 0x0 1 1 0 0" "$sim/slave_config"
}

# The other way round there is no direction again, and what the controller was told is not to be used.
test_config_of_a_first_direction_that_cannot_be() {
	one source need_config=1
	must udmactl config "$node" window=5 stall_ms=6
	must udmactl config "$node"
	before=$answer
	refuse 1 "udmactl: config: $node: timeout_ms=3600001: out of range" \
		udmactl config "$node" direction=dev_to_mem address=16 timeout_ms=3600001
	must udmactl config "$node"
	expect [ "$answer" = "$before" ]
	expect has direction none
	expect has address unknown
}

# A device that its controller finds by itself has no address.
test_config_of_a_device_that_cannot_be_told() {
	one source
	must udmactl config "$node" window=5
	for setting in address=0x10 width=1 burst=1; do
		refuse 1 "udmactl: config: $node: $setting: the controller cannot be told" \
			udmactl config "$node" stall_ms=7 $setting
	done
	must udmactl config "$node" direction=none address=16
	refuse 1 "udmactl: config: $node: direction=dev_to_mem: the controller cannot be told" \
		udmactl config "$node" direction=dev_to_mem
	must udmactl config "$node" direction=dev_to_mem address=none
	expect has window 1
}

# All together, as it is to be: on the way from one device to another there is none between them.
test_config_of_another_device() {
	told
	must udmactl config "$node" width=1 burst=2 address=0x10
	must udmactl config "$node" direction=none address=unknown
	expect has address unknown
	must udmactl config "$node" direction=dev_to_mem width=8 burst=16 address=0x20 window=1
	expect has window 1
	expect grep -q "^0 0x20 0x0 8 8 16 16" "$sim/slave_config"
	# Nothing that is so already is set anew.
	must udmactl config "$node" window=9 stall_ms=10
	must udmactl config "$node" direction=dev_to_mem
	expect has window 9
	expect has stall_ms 10
}

# Somebody opens it between a change and the one that is not possible. A pipe in place of a setting lets the test
# come between.
test_config_that_cannot_be_put_back() {
	told
	mkfifo pipe
	mount -o bind pipe "/sys/class/udma/$node/shared_reset"
	trap 'umount "/sys/class/udma/$node/shared_reset"' EXIT
	begin udmactl config "$node" width=2 burst=4 shared_reset=1 window=7 timeout_ms=3600001
	echo 0 >pipe &
	until_true has burst 4
	exec 3<>"/dev/$node"
	exec 4<>pipe
	end 1
	exec 4>&-
	exec 3>&-
	expect [ ! -s out ]
	cat >wanted <<-END
		udmactl: config: $node: timeout_ms=3600001: out of range
		udmactl: config: $node: it could not be put back: width=0 burst=0: in use
	END
	same err wanted
	expect has width 2
	expect has window 1
}

test_config_of_a_device_in_use() {
	told step_mode=1
	begin udmactl recv -d "$node" -n 1000 to
	until_true is_pending 1
	for setting in direction=none address=0x10 width=4 burst=1; do
		try udmactl config "$node" window=1 $setting
		expect [ "$status" -eq 1 ]
		expect [ ! -s out ]
		expect grep -qx "udmactl: config: $node: $setting: in use" err
		expect grep -qx "udmactl: config: $node: process $pid (udmactl): /dev/$node: has it open" err
		expect [ "$(wc -l <err)" -eq 2 ]
	done
	must udmactl config "$node" stall_ms=3600000 timeout_ms=3600000 window=2 max_megabytes=79
	expect has stall_ms 3600000
	echo 0 >"$sim/step_mode"
	end_well
	must udmactl config "$node" width=4
}

test_bind_with_settings() {
	sim_make kind=source channels=1 need_config=1
	must udmactl bind "adc-$$=$provider:0" width=4 address=0x1000 direction=dev_to_mem timeout_ms=5
	node=$answer
	expect [ "$(wc -l <out)" -eq 1 ]
	for setting in direction=dev_to_mem address=0x1000 width=4 timeout_ms=5; do
		expect has "${setting%%=*}" "${setting#*=}"
	done
	must udmactl unbind "adc-$$"
	# Or there is none.
	try udmactl bind "adc-$$=$provider:0" width=4 burst=1000
	expect [ "$status" -eq 1 ]
	expect [ ! -s out ]
	says "udmactl: bind: udma*: burst=1000: the channel has no such burst"
	refuse 1 "udmactl: unbind: adc-$$: no such device" udmactl unbind "adc-$$"
	must udmactl bind "adc-$$=$provider:0"
}

run_all "$0" wrong_usage_of_devices
