#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One agent per run directory; the second one is told who holds it. Several per host, each with its own.
. "$(dirname "$0")/lib.sh"

node_add a
agent_start a
wait_for 5 'the first one answers' agent_says 1 a
want_exit 'a second one ends' 1 on a loden agent
want_match 'and says who is there' "another agent \(pid $(pid_of agent-a)\) holds /run/loden/lock" "$out"
on_bg a other loden agent --run-dir=/run/other --state-dir=/var/lib/other
wait_for 5 'with its own directory it runs' agent_says 1 a --run-dir=/run/other
stop other
want_exit 'uninstall does not touch a running one' 1 on a loden uninstall
want_match 'and says why' 'stop the agent first: .*pid' "$out"
agent_kill a
agent_start a
wait_for 5 'a lock does not outlive its holder' agent_says 1 a
agent_kill a
# As one that was killed, and that the kernel has not yet cleared away.
on_bg a dying flock /run/loden/lock sleep 0.2
locked() {
	! on a flock -n /run/loden/lock true
}
wait_for 5 'the lock is held' locked
agent_start a
wait_for 5 'one that is about to go is waited for' agent_says 1 a
