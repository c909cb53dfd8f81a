#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# etcd behind a partition (packets dropped, nothing killed), slow (a byte a second), replaced by a web page, and
# silent; each for one of four agents at the same time: pods keep talking, status and log name the cause
# in one line, nobody runs hot, and all are well again by themselves.
# (S0-03, S0-11)
# shellcheck disable=SC2016
. "$(dirname "$0")/../netns/lib.sh"

PROXY=$BUILD/tests/cluster/proxy
[ -x "$PROXY" ] || skip "no $PROXY: run ./dev build"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","SubnetMax":"10.244.200.0","Backend":{"Type":"vxlan"}}'
# proxy NAME PORT
proxy() {
	"$PROXY" "$2" 2379 >"$T/$1.log" 2>&1 &
	echo $! >"$T/$1.pid"
}
proxy slow 2001
proxy page 2002
proxy silent 2003
nodes='cut slow page silent'
for n in $nodes; do node_add "$n"; done
agent_start cut --healthz-port=10256
agent_start slow --etcd-endpoints=http://192.168.77.254:2001 --healthz-port=10256
agent_start page --etcd-endpoints=http://192.168.77.254:2002 --healthz-port=10256
agent_start silent --etcd-endpoints=http://192.168.77.254:2003 --healthz-port=10256
for n in $nodes; do wait_for 15 "$n is ready" on "$n" loden status; done

gateway() { on "$1" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}'; }
three_peers() { [ "$(fact "$1" .peers_verified)" = 3 ]; }
for n in $nodes; do wait_for 15 "$n has three peers" three_peers "$n"; done
for way in cut:slow page:silent slow:page silent:cut; do
	on_bg "${way%:*}" "ping-${way%:*}" ping -ni 0.02 "$(gateway "${way#*:}")"
done
sleep 1

echo '--- all four at once'
# The cut-off node, as a broken switch would: no answer, no reset.
nft add table ip cut '{ chain in { type filter hook input priority 0; ip saddr 192.168.77.1 tcp dport 2379 drop; }; }'
kill -USR2 "$(pid_of slow)"
kill -USR1 "$(pid_of page)"
kill -QUIT "$(pid_of silent)"

# says NODE REGEX: ready (the data plane is right), but not up to date, and why; in one line.
says() {
	on "$1" loden status --json >"$T/says.json" && jq -e .ready "$T/says.json" >/dev/null &&
		jq -r .problem "$T/says.json" | tee /dev/stderr | grep -Eq "^peers may be out of date: $2" &&
		[ "$(jq -r .problem "$T/says.json" | wc -l)" = 1 ]
}
wait_for 10 'a web page is named' says page '192.168.77.254:2002: not HTTP/2: the server answered "HTTP/1.1 200 OK'
wait_for 90 'the partition is named' says cut '192.168.77.254:2379: timed out: '
wait_for 90 'the slow one is named' says slow '192.168.77.254:2001: timed out: '
wait_for 90 'the silent one is named' says silent '192.168.77.254:2003: timed out: '
for n in $nodes; do
	want_match "$n: the log names it" 'etcd.down problem="192.168.77.254:[0-9]*: (timed out|not HTTP/2)' "$(agent_log "$n")"
	want_eq "$n: /readyz" 'HTTP/1.1 200 OK flanneld is ready' "$(http /readyz 10256 "$n")"
done

echo '--- the kernel is still looked after'
flushed=$(date +%s%3N)
on cut ip route flush proto 102
routes_back() { [ "$(on cut ip route show proto 102 | wc -l)" -ge 3 ]; }
wait_for 2 'routes are repaired without etcd' routes_back
without_ms=$(($(date +%s%3N) - flushed))

echo '--- nobody runs hot'
for n in $nodes; do cpu_ms "agent-$n" >"$T/$n.cpu"; done
sleep 10
for n in $nodes; do
	used=$(($(cpu_ms "agent-$n") - $(cat "$T/$n.cpu")))
	[ "$used" -le 300 ] || fail "$n used $used ms of processor time in 10 s"
	pass "$n is calm ($used ms of processor time in 10 s)"
	lines=$(agent_log "$n" | wc -l)
	[ "$lines" -le 60 ] || fail "$n: the log has $lines lines"
done

echo '--- and all are well again'
nft delete table ip cut
for p in slow page silent; do kill -HUP "$(pid_of $p)"; done
etcd_peer 10.244.250.0/24 192.168.77.250 02:00:00:00:00:fa
up_to_date() { [ "$(fact "$1" .problem)" = '' ]; }
for n in $nodes; do
	wait_for 60 "$n learns of the new peer" has_route "$n" 10.244.250.0/24
	wait_for 10 "$n is up to date" up_to_date "$n"
done
for n in $nodes; do
	ping_stop "ping-$n"
	# Those while the routes were gone, one each 20 ms.
	[ "$lost" -le $((without_ms / 20 + 5)) ] || fail "pings of $n lost: $lost, without routes for $without_ms ms"
	echo "pings of $n lost: $lost"
done
