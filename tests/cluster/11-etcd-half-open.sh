#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 360
# etcds that only look alive: one that no longer answers, though its connections stand, is found by PING,
# told, and mended; one without a leader is passed over.
. "$(dirname "$0")/../netns/lib.sh"

PROBE=$BUILD/tests/cluster/etcd_probe
[ -x "$PROBE" ] || skip "no $PROBE: run ./dev build"

etcd_start
etcd_conf '{"Network":"10.5.0.0/16","SubnetMin":"10.5.20.0","Backend":{"Type":"vxlan"}}'
"$PROBE" "$ETCD_URL" /coreos.com/network 192.168.0.1 86400 >"$T/a.out" 2>"$T/a.log" &
echo $! >"$T/a.pid"
wait_for 5 'we hold a lease' grep -q '^own held' "$T/a.out"

switches() {
	sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$(pid_of a)/status"
}
at_rest() {
	before=$(switches)
	sleep 2
	[ "$(switches)" = "$before" ]
}
wait_for 20 'it comes to rest' at_rest
before=$(switches)
sleep 28
want_match 'asleep when nothing happens (wake-ups in 28 s)' '^[0-3]$' "$(($(switches) - before))"

kill -STOP "$(pid_of etcd)"
wait_for 60 'the silence is noticed and told' grep -q \
	'^source down etcd: 192.168.77.254:2379: timed out: connected, but the server does not speak' "$T/a.out"
want_match 'how it was noticed' 'dial.left .*timed out: the server no longer answers' "$(cat "$T/a.log")"
kill -CONT "$(pid_of etcd)"
wait_for 40 'and mended' sh -c "tail -n 1 $T/a.out | grep -q '^source up'"
etcd_peer 10.5.6.0/24 192.168.0.26 02:00:00:00:00:26
wait_for 5 'the watch goes on' grep -q '^put 10.5.6.0/24' "$T/a.out"
want_eq 'without a second list' 1 "$(grep -c '^leases' "$T/a.out")"
stop a

# Half of a cluster of two, its other half dead: it connects, speaks, and can serve nothing.
# member NAME CLIENT_PORT PEER_PORT
member() {
	etcd --name "$1" --data-dir "$T/$1" --listen-client-urls "http://0.0.0.0:$2" \
		--advertise-client-urls "http://192.168.77.254:$2" \
		--listen-peer-urls "http://127.0.0.1:$3" --initial-advertise-peer-urls "http://127.0.0.1:$3" \
		--initial-cluster half=http://127.0.0.1:2390,other=http://127.0.0.1:2391 >"$T/$1.log" 2>&1 &
	echo $! >"$T/$1.pid"
}
half=http://192.168.77.254:2389
member half 2389 2390
member other 2388 2391
wait_for 10 'a cluster of two' env ETCDCTL_API=3 etcdctl --endpoints="$half" endpoint health
stop other KILL

"$PROBE" "$half,$ETCD_URL" /coreos.com/network 192.168.0.1 86400 >"$T/b.out" 2>"$T/b.log" &
echo $! >"$T/b.pid"
wait_for 30 'an etcd without a leader is passed over' grep -q '^source up etcd 192.168.77.254:2379' "$T/b.out"
want_match 'and why' 'dial.left place=192.168.77.254:2389 problem="(etcdserver: |timed out)' "$(cat "$T/b.log")"
stop b
"$PROBE" "$half" /coreos.com/network 192.168.0.1 86400 >"$T/c.out" 2>"$T/c.log" &
echo $! >"$T/c.pid"
wait_for 30 'if there is no other, it is told' grep -Eq \
	'^source down etcd: 192.168.77.254:2389: (etcdserver: no leader|etcdserver: request timed out|timed out)' "$T/c.out"
