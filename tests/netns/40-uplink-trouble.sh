#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# The uplink: loses its address and gets it back, gets another (DHCP), flaps, is renamed; a second default
# route with a lower metric appears; somebody deletes our routes every second. (S0-07, S2-04, S2-13, S3-04, S3-05, E4,
# E8; I-01; failures.md 7.1 rules 2, 9, 10.)
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a b; do
	node_add "$n"
	agent_start "$n"
done
for n in a b; do wait_for 15 "$n is ready" on "$n" loden status; done
gateway() { on "$1" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}'; }
pings() { on b ping -qnc 1 -W 1 "$(gateway a)"; }
logged() { agent_log a | grep -Eq -- "$1"; } # what may be over before a look at the status
peers_know() { on b bridge fdb show dev flannel.1 | grep -q "dst $1 "; }
subnet=$(fact a .lease.subnet)
# same: whatever happened, these stay.
same() {
	want_eq 'a keeps its subnet' "$subnet" "$(fact a .lease.subnet)"
	want_eq 'a keeps its MAC' "$mac" "$(on a cat /sys/class/net/flannel.1/address)"
}
mac=$(on a cat /sys/class/net/flannel.1/address)
wait_for 5 'b reaches a' pings

echo '--- its address goes, for a while'
on a ip addr del 192.168.77.1/24 dev eth0
wait_for 5 'named' problem_is a 'default route: (there is none in table main|eth0 has no usable IPv4 address).*eth0'
want_eq 'not ready' false "$(fact a .ready)"
want_eq 'the data plane is left as it is' 1 "$(on a ip route show proto 102 dev flannel.1 | wc -l)"
want_calm 'the agent is calm' agent-a 3 100
on a ip addr add 192.168.77.1/24 dev eth0
on a ip route replace default via 192.168.77.254
wait_for 10 'ready again' on a loden status
wait_for 5 'b reaches a' pings
same

echo '--- another address, as DHCP might give: adopted after three seconds, peers are told'
on a ip addr flush dev eth0
on a ip addr add 192.168.77.101/24 dev eth0
on a ip route replace default via 192.168.77.254
wait_for 5 'named' logged 'the uplink changes from eth0 192.168.77.1 to eth0 192.168.77.101: waiting whether it stays'
wait_for 10 'ready' on a loden status
wait_for 5 'b knows' peers_know 192.168.77.101
wait_for 5 'b reaches a' pings
want_eq 'the link sends from it' 192.168.77.101 "$(on a ip -j -d link show flannel.1 | jq -r '.[0].linkinfo.info_data.local')"
same
want_eq 'etcd has one lease of a, with it' '192.168.77.101' \
	"$(etcdctl_ get --prefix /coreos.com/network/subnets/ --print-value-only | grep -v '^$' | jq -r .PublicIP | grep -v '\.2$')"

echo '--- ten flaps in two seconds'
for _ in 1 2 3 4 5 6 7 8 9 10; do
	on a ip link set eth0 down
	sleep 0.1
	on a ip link set eth0 up
	on a ip route replace default via 192.168.77.254
	sleep 0.1
done
wait_for 10 'ready again' on a loden status
wait_for 10 'b reaches a' pings
same
flaps_cpu=$(cpu_ms agent-a)
[ "$flaps_cpu" -le 1500 ] || fail "the agent has used $flaps_cpu ms of processor time so far"

echo '--- renamed, and back'
on a ip link set eth0 down
on a ip link set eth0 name lan0
on a ip link set lan0 up
on a ip route replace default via 192.168.77.254
uplink_is() { [ "$(fact a .uplink.name)" = "$1" ] && on a loden status; }
wait_for 10 'followed under its new name' uplink_is lan0
wait_for 5 'b reaches a' pings
same
on a ip link set lan0 down
on a ip link set lan0 name eth0
on a ip link set eth0 up
on a ip route replace default via 192.168.77.254
wait_for 10 'and back' uplink_is eth0
wait_for 5 'b reaches a' pings

echo '--- a second default route, better by metric, through another interface; for less than three seconds'
on a ip link add eth1 type veth peer name eth9
on a ip addr add 10.9.9.9/24 dev eth1
on a ip link set eth1 up && on a ip link set eth9 up
: >"$T/agent-a.log"
on a ip route del default
wait_for 5 'without any it is not ready' logged 'agent.unready .*default route: there is none'
on a ip route add default via 192.168.77.254 metric 100
wait_for 5 'ready' logged 'agent.ready'
: >"$T/agent-a.log"
on_bg b ping-b ping -ni 0.05 "$(gateway a)"
# In one process, for three seconds are short.
# shellcheck disable=SC2016 # expanded by the inner shell
on a sh -c 'ip route add default via 10.9.9.1 dev eth1 metric 50
	until grep -q "the uplink changes from" "$1" || [ $((i = i + 1)) = 100 ]; do sleep 0.02; done
	ip route del default via 10.9.9.1 dev eth1' sh "$T/agent-a.log"
wait_for 5 'named, with both' logged 'the uplink changes from eth0 192.168.77.101 to eth1 10.9.9.9: waiting whether it stays'
wait_for 5 'ready at once when it is gone' logged 'agent.ready'
want_no_match 'and nothing was changed' 'plan.done' "$(agent_log a)"
ping_stop ping-b
want_eq 'b reaches a all the while' 0 "$lost"
agent_stop a
on a ip route add default via 10.9.9.1 dev eth1 metric 50
agent_start a --iface=eth0
wait_for 10 'with --iface it does not matter' on a loden status
want_eq 'eth0 it is' eth0 "$(fact a .uplink.name)"
wait_for 5 'b reaches a' pings
on a ip link del eth1

echo '--- like NetworkManager: somebody deletes our routes every second'
# One process that stays, so that it can be named.
cp "$(command -v ip)" "$T/NetworkManager"
mkfifo "$T/orders"
(while sleep 1; do echo route flush proto 102; done) >"$T/orders" &
on_bg a meddler "$T/NetworkManager" -force -batch "$T/orders"
contested() { on a loden status | grep -E 'contested: route .* is changed again and again, last by pid [0-9]+ .NetworkManager.'; }
wait_for 20 'it is called contested, and he is named' contested
repairs() { agent_log a | grep -c 'plan.repair' || :; }
before=$(repairs)
want_calm 'the agent is calm' agent-a 10 250
[ "$(($(repairs) - before))" -le 6 ] || fail "backs off: $(($(repairs) - before)) repairs in ten seconds"
pass "healed on with waits: $(($(repairs) - before)) repairs in ten seconds"
stop meddler KILL
wait_for 20 'ready when he is gone' on a loden status
wait_for 5 'b reaches a' pings
