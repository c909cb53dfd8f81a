# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What is broken on node a is seen to be broken, and then whole again. To be read behind tests/netns/lib.sh by tests
# that define `ours` and `foreign`, and keep what these say at the start in $T/ours.reference and
# $T/foreign.reference.

# same: ours as at the start, and others'; else the difference.
same() {
	ours >"$T/ours.now" 2>&1
	foreign >"$T/foreign.now"
	diff "$T/ours.reference" "$T/ours.now" && diff "$T/foreign.reference" "$T/foreign.now"
}

# damage WHAT COMMAND: on node a. The agent stands still meanwhile, or it might have repaired the first half before the
# second, and all before it is seen to be broken.
damage() {
	kill -STOP "$(pid_of agent-a)"
	on a sh -c "$2" >"$T/damage.out" 2>&1 || fail "$1: cannot even break it: $(cat "$T/damage.out")"
	! quiet same || fail "$1: nothing is broken by: $2"
	kill -CONT "$(pid_of agent-a)"
	wait_for 40 "$1" same # the audit comes every 30 s, 20 % more or less
}
