#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 360
# 5,000 leases disappear at once: nothing is swept until ten seconds later a list confirms it; that they come
# back meanwhile costs no packet; and one that is put otherwise is followed at once.
. "$(dirname "$0")/../netns/lib.sh"

etcd_start
etcd_conf '{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}'
del_all() { etcdctl_ del --prefix "/coreos.com/network/subnets/$1" >/dev/null; }
etcd_many_peers
node_add a
agent_start a --healthz-port=10256
wait_for 20 'ready' on a loden status
routes() { on a ip route show proto 102 | grep -c flannel.1; }
routes_are() { [ "$(routes)" = "$1" ]; }
has_own() { etcdctl_ get "$own" | grep -q PublicIP; }
notes() { on a loden status | grep -E "shrank"; }
wait_for 20 '5,000 peers' routes_are 5000
on a stdbuf -oL ip -ts monitor route >>"$T/routes.log" 2>&1 &
echo $! >"$T/monitor.pid"

# held WHAT: the first route went at least nine seconds after $deleted, by the time that it was told
held() {
	first=$(sed -n 's/^\[\([^]]*\)\] Deleted.*/\1/p' "$T/routes.log" | head -n 1)
	after_ms=$(($(date -d "$first" +%s%3N) - deleted))
	[ "$after_ms" -ge 9000 ] || fail "$1: routes went after $after_ms ms"
	pass "$1: after $after_ms ms"
}

echo '--- all deleted in one transaction, our own as well'
own=$(etcdctl_ get --prefix /coreos.com/network/subnets/ --print-value-only=false | grep -B1 '192.168.77.1"' | head -n 1)
del_all ''
wait_for 10 'it is told' notes
want_match 'with the numbers' 'the list of leases shrank from 500[0-9] to [0-9]+: nothing is removed until a second list confirms it' "$(notes)"

echo '--- they come back in time: not one route was touched'
etcd_many_peers
wait_for 10 'our own lease is written again' has_own
not_told() { ! notes; }
wait_for 15 'it is over' not_told
want_eq 'all routes stand' 5000 "$(routes)"
want_eq 'no route was deleted meanwhile' 0 "$(grep -c '\] Deleted' "$T/routes.log" || :)"
want_match 'a list was asked for' 'etcd.list_again why="asked for"' "$(agent_log a)"

echo '--- deleted again, and it is meant: swept after the second list'
deleted=$(date +%s%3N)
del_all 10.
wait_for 10 'it is told' notes
ready() { [ "$(http /readyz 10256 a)" = 'HTTP/1.1 200 OK flanneld is ready' ]; }
wait_for 5 'ready, as soon as our own is back' ready
etcd_peer 10.1.7.0/24 172.17.0.7 02:00:00:00:77:07
moved() { on a ip neigh show 10.1.7.0 dev flannel.1 | grep -q 02:00:00:00:77:07; }
wait_for 2 'whoever comes in the place of one is followed at once' moved
wait_for 15 'swept' routes_are 1
held 'and not before'
wait_for 5 'and ready' on a loden status
want_eq 'no neighbour of theirs is left' 1 "$(on a ip neigh show dev flannel.1 nud permanent | wc -l)"
want_calm 'the agent is calm' agent-a 4 150
