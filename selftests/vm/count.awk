# SPDX-License-Identifier: GPL-2.0
#
# awk -f count.awk: reads what selftests/run prints and tells it shorter: a line for each program, the failures
# with what was said about them, the skips with their reasons; last "N passed, N failed, N skipped". The exit
# status is 1 if anything failed, if no test case ran, or if the end is missing. -v verbose=1 shows every line.

function add(what) {
	total[what]++
	here[what]++
}

function fail(what) {
	add("failed")
	print "not ok " what
	printf "%s", said
}

verbose { print "  " $0; fflush() }

/^ *# Subtest: / { program = $3; started = 1; said = ""; next }

# One case of a program. Before 6.7 a skip has no name: the line that began the case has it.
/^  (not )?ok [0-9]/ {
	cases++
	name = $0
	sub(/^  (not )?ok [0-9]+ *-? */, "", name)
	reason = ""
	if (match(name, /# *(SKIP|XFAIL)/)) {
		reason = substr(name, RSTART + RLENGTH)
		sub(/^[ \t]*/, "", reason)
		name = substr(name, 1, RSTART - 1)
		sub(/ *$/, "", name)
	}
	if (name == "")
		name = running
	if ($1 == "not") {
		fail(program ": " name)
	} else if ($0 ~ /# *SKIP/) {
		add("skipped")
		skipped = skipped "skipped " program ": " name ": " reason "\n"
	} else {
		add("passed")
	}
	said = ""
	next
}

/^  # +RUN / { running = $3; said = ""; next }
/^  # took [0-9]+ s$/ { took = $3; next }
/^  1\.\.[0-9]+/ { planned = substr($1, 4) + 0; next }
/^  # +OK / || /^  TAP version/ || /^  KTAP version/ { next }

# The verdict on a program. Cases that it did not come to have failed too.
/^(not )?ok [0-9]/ {
	name = $0
	sub(/^(not )?ok [0-9]+ /, "", name)
	why = name
	sub(/ #.*/, "", name)
	if (planned > here["passed"] + here["failed"] + here["skipped"]) {
		lost = planned - here["passed"] - here["failed"] - here["skipped"]
		total["failed"] += lost
		here["failed"] += lost
		print "not ok " why " (" lost " without a result)"
		printf "%s", said
	} else if ($1 == "not" && (!here["failed"] || why !~ /exit status 1$/)) {
		fail(why)
	} else if (!started) {
		add("passed")
	}
	if (started) {
		printf "%s: %d passed, %d failed, %d skipped (%d s)\n", name, here["passed"], here["failed"],
		       here["skipped"], took
		fflush()
	}
	delete here
	planned = started = 0
	said = running = ""
	next
}

/^# done$/ { done = 1; next }
/^KTAP version|^1\.\./ { next }
{ said = said "    " $0 "\n" }

END {
	if (!done)
		fail((program ? program (running ? ": " running : "") : "boot") ": the VM ended before the tests did")
	else if (!cases)
		fail("no test case ran")
	printf "%s", skipped
	printf "%d passed, %d failed, %d skipped\n", total["passed"], total["failed"], total["skipped"]
	exit total["failed"] > 0
}
