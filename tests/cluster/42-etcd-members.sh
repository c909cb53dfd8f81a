#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 540
# A cluster of three etcds on three machines: the member an agent is connected to is killed, cut off by
# dropped packets, the leader is killed; while two of three are left every change still arrives, with one left
# it is said that there is none.
. "$(dirname "$0")/../netns/lib.sh"

command -v etcd >/dev/null || skip "no etcd: install etcd-server"
members='e1=http://192.168.77.11:2380,e2=http://192.168.77.12:2380,e3=http://192.168.77.13:2380'
endpoints='http://192.168.77.11:2379,http://192.168.77.12:2379,http://192.168.77.13:2379'

# member NAME: on its own machine, with what it had.
member() {
	ip_=192.168.77.1${1#e}
	on_bg "$1" "etcd-$1" etcd --name "$1" --data-dir "$T/$1" --listen-client-urls "http://$ip_:2379" \
		--advertise-client-urls "http://$ip_:2379" --listen-peer-urls "http://$ip_:2380" \
		--initial-advertise-peer-urls "http://$ip_:2380" --initial-cluster "$members" --log-outputs stderr
}
ctl() {
	ETCDCTL_API=3 etcdctl --endpoints="$endpoints" --command-timeout=5s "$@"
}
ETCD_URL=$endpoints # for agent_start, etcdctl_, etcd_conf, etcd_peer
for i in 1 2 3; do
	node_add "e$i" "1$i"
	member "e$i"
done
wait_for 20 'three members' ctl endpoint health
etcd_conf '{"Network":"10.244.0.0/16","SubnetMin":"10.244.100.0","Backend":{"Type":"vxlan"}}'
node_add a 1
node_add b 2
agent_start a --healthz-port=10256
agent_start b
for n in a b; do wait_for 15 "$n is ready" on "$n" loden status; done

member_of() { fact "$1" .source.name | sed -n 's/^etcd 192.168.77.1\([123]\):2379$/e\1/p'; }
sourced_elsewhere() {
	now=$(member_of a)
	[ -n "$now" ] && [ "$now" != "$1" ] && [ "$(fact a .source.up)" = true ]
}
n_peer=20
# follows SECONDS WHAT: a peer that comes now arrives at a.
follows() {
	n_peer=$((n_peer + 1))
	wait_for 10 'etcd takes a change' put_peer
	wait_for "$1" "$2" has_route a "10.244.$n_peer.0/24"
}
put_peer() { etcd_peer "10.244.$n_peer.0/24" "192.168.77.$n_peer" "02:00:00:00:00:$n_peer"; }
fact a . >"$T/status.log"
env_a=$(on a cat /run/flannel/subnet.env)
# shellcheck disable=SC2016 # expanded by the inner shell
on_bg b ping ping -ni 0.02 "$(on a sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}')"

first=$(member_of a)
want_match 'a is connected to one of them' '^e[123]$' "$first"
echo "--- $first, to which a is connected, is killed"
stop "etcd-$first" KILL
follows 20 'a goes on with another'
wait_for 10 'and says so' sourced_elsewhere "$first"
want_eq 'a is ready' true "$(fact a .ready)"
member "$first"
wait_for 20 'three members again' ctl endpoint health

wait_for 20 'a is connected' sourced_elsewhere none
second=$(member_of a)
echo "--- $second is cut off by dropped packets: noticed by PING"
on "$second" nft add table ip cut '{ chain in { type filter hook input priority 0; ip saddr 192.168.77.0/24 drop; }; chain out { type filter hook output priority 0; ip daddr 192.168.77.0/24 drop; }; }'
ETCD_URL=$(echo "$endpoints" | tr , '\n' | grep -v "1${second#e}:" | paste -sd ,)
follows 60 'a goes on with another'
want_eq 'a is ready' true "$(fact a .ready)"
on "$second" nft delete table ip cut
ETCD_URL=$endpoints
wait_for 20 'three members again' ctl endpoint health

leads() {
	leader=$(ctl endpoint status | awk -F', ' '$5 == "true" { print $1 }' | sed 's/.*\.1\([123]\):.*/e\1/')
	[ "${#leader}" = 2 ]
}
wait_for 20 'one leads' leads
echo "--- the leader, $leader, is killed"
stop "etcd-$leader" KILL
follows 40 'a learns what comes under the new one'
echo '--- one of three is left: nothing is served, and that is said'
for i in 1 2 3; do
	[ "e$i" = "$leader" ] || last=e$i
done
for i in 1 2 3; do
	[ "e$i" = "$last" ] || stop "etcd-e$i" KILL
done
# At first of a dead one: "the server closed the connection"; from the next round on, what it is then.
named() {
	fact a .problem | grep -E "^peers may be out of date: .*192.168.77.1${last#e}:2379: (etcdserver: |timed out)" |
		grep -q "192.168.77.1${leader#e}:2379: connection refused"
}
wait_for 60 'the cause is named, of each member' named
want_eq 'in one line' 1 "$(fact a .problem | wc -l)"
want_eq '/readyz: the pods can talk' 'HTTP/1.1 200 OK flanneld is ready' "$(http /readyz 10256 a)"
want_calm 'a is calm' agent-a 8 250
for i in 1 2 3; do [ "e$i" = "$last" ] || member "e$i"; done
wait_for 20 'three members again' ctl endpoint health
follows 45 'and a is up to date'
want_eq 'a keeps its subnet' "$env_a" "$(on a cat /run/flannel/subnet.env)"
ping_stop ping
want_eq 'pings lost through all of it' 0 "$lost"
