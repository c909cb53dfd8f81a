#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The end: who sent the signal is logged and recorded, nothing is torn down, the next start tells. (S2-01, S1-08)
. "$(dirname "$0")/lib.sh"

node_add a
# Also where flanneld does not listen to it yet: before anything is known.
agent_start a
wait_for 10 'waits for etcd' agent_says 1 a
started=$(date +%s%3N)
agent_stop a
want_eq 'SIGTERM while it waits: exit' 0 "$code"
took=$(($(date +%s%3N) - started))
[ "$took" -lt 20000 ] || fail "SIGTERM while it waits: after $took ms"
rm "$T/agent-a.log"
on a rm -r /run/loden
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
agent_start a
wait_for 10 'ready' on a loden status
want_no_match 'the first start has no past' last_exit "$(agent_log a)"
routes=$(on a ip route show dev flannel.1)

agent_stop a
want_eq 'SIGTERM: exit' 0 "$code"
want_match 'the log names the sender' \
	"agent.stop signal=SIGTERM sender_pid=$$ sender_comm=\"[^\"]*\" sender_uid=0 uptime_s=" \
	"$(agent_log a)"
want_match 'so does the record' '^signal=SIGTERM$' "$(on a cat /run/loden/last-exit)"
want_match 'peak memory, too' '^rss_peak_kib=[1-9]' "$(on a cat /run/loden/last-exit)"
want_eq 'nothing is torn down' "$routes" "$(on a ip route show dev flannel.1)"
want_exit 'nobody answers' 2 on a loden status

: >"$T/agent-a.log"
agent_start a
wait_for 10 'ready again' on a loden status
want_match 'the next start tells' 'agent.last_exit signal=SIGTERM' "$(agent_log a)"
want_no_match 'and had nothing to repair' 'plan.repair' "$(agent_log a)"
agent_kill a

: >"$T/agent-a.log"
agent_start a
wait_for 10 'ready after a crash' on a loden status
want_match 'a crash is called one' 'agent.last_exit_missing cause="killed, crashed' "$(agent_log a)"
stop agent-a INT
want_eq 'SIGINT: exit' 0 "$code"
want_match 'and is named' 'agent.stop signal=SIGINT' "$(agent_log a)"
