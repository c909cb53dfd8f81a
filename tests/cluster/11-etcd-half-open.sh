#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# An etcd that no longer answers, though its connections stand: found by PING, told, and mended.
. "$(dirname "$0")/../netns/lib.sh"

PROBE=$BUILD/tests/cluster/etcd_probe
[ -x "$PROBE" ] || skip "no $PROBE: run ./dev build"

etcd_start
etcd_conf '{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}'
"$PROBE" "$ETCD_URL" /coreos.com/network 192.168.0.1 86400 >"$T/a.out" 2>"$T/a.log" &
echo $! >"$T/a.pid"
wait_for 5 'we hold a lease' grep -q '^own held' "$T/a.out"
sleep 1

switches() {
	sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$(pid_of a)/status"
}
before=$(switches)
sleep 28
want_match 'asleep when nothing happens (wake-ups in 28 s)' '^[0-3]$' "$(($(switches) - before))"

kill -STOP "$(pid_of etcd)"
wait_for 60 'the silence is noticed and told' grep -q \
	'^source down etcd: 192.168.77.254:2379: timed out: connected, but the server does not speak' "$T/a.out"
want_match 'how it was noticed' 'etcd.left .*timed out: the server no longer answers' "$(cat "$T/a.log")"
kill -CONT "$(pid_of etcd)"
wait_for 40 'and mended' sh -c "tail -n 1 $T/a.out | grep -q '^source up'"
etcd_peer 10.5.6.0/24 192.168.0.26 02:00:00:00:00:26
wait_for 5 'the watch goes on' grep -q '^put 10.5.6.0/24' "$T/a.out"
want_eq 'without a second list' 1 "$(grep -c '^leases' "$T/a.out")"
