#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The uplink: nothing suitable yet is waited for and said; each way of choosing it; and no configuration,
# or a bad one, ends an agent either.
. "$(dirname "$0")/lib.sh"

uplink_of() {
	on "$1" loden status --json | jq -rc '.uplink | [.name, .ip, .public_ip]'
}

node_add a
on a ip route del default
ip link add other type veth peer name eth1 netns "$(cat "$T/a.node")"
on a ip link set eth1 up mtu 1400
on a ip addr add 10.5.0.1/24 dev eth1
agent_start a
wait_for 5 'no etcd' problem_is a 'connection refused'
etcd_start
wait_for 10 'no configuration' problem_is a 'no key /coreos.com/network/config'
# While nothing is known, the host changes under us.
on a ip addr add 10.6.0.1/24 dev eth1
on a ip addr del 10.6.0.1/24 dev eth1
etcd_conf '{"Network":"10.244.0.0/16","SubnetLen":99,"Backend":{"Type":"vxlan","VNI":0}}'
wait_for 5 'all that is wrong with it, at once' problem_is a 'SubnetLen: .*; Backend.VNI: '
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 5 'no default route' problem_is a 'default route: there is none in table main; there is .*eth1 10.5.0.1'
on a ip route add default via 192.168.77.254
wait_for 5 'ready' on a loden status
want_eq 'by default route' '["eth0","192.168.77.1","192.168.77.1"]' "$(uplink_of a)"
agent_stop a

# chosen HOW WANTED FLAG…
chosen() {
	how=$1 wanted=$2
	shift 2
	agent_start a "$@"
	wait_for 10 "ready $how" on a loden status
	want_eq "$how" "$wanted" "$(uplink_of a)"
	agent_stop a
}
eth1='["eth1","10.5.0.1","10.5.0.1"]'
chosen 'by name' "$eth1" --iface=eth7 --iface=eth1
want_eq 'the link is on it' eth1 "$(on a ip -j -d link show flannel.1 | jq -r '.[0].linkinfo.info_data.link')"
want_eq 'the MTU is its' 1350 "$(on a cat /sys/class/net/flannel.1/mtu)"
chosen 'by address' "$eth1" -iface 10.5.0.1
chosen 'by regex on the address' "$eth1" '--iface-regex=^10\.(5|7)\.'
chosen 'by regex on the name' "$eth1" --iface=none '--iface-regex=(?i)ETH1$'
chosen 'by where it leads' "$eth1" --iface-can-reach=10.5.0.77
chosen 'by public address' "$eth1" --public-ip=10.5.0.1
chosen 'public address behind NAT' '["eth1","10.5.0.1","203.0.113.7"]' --iface=eth1 --public-ip=203.0.113.7
want_match 'that is what peers learn' '"PublicIP":"203.0.113.7"' "$(etcdctl_ get --prefix /coreos.com/network/subnets/)"

agent_start a --iface=eth7
wait_for 5 'one that is not there yet' problem_is a 'iface eth7: no such interface'
on a ip link add eth7 type veth peer name eth8
on a ip link set eth8 up
on a ip link set eth7 up
on a ip addr add 10.7.0.1/24 dev eth7
wait_for 10 'is waited for' on a loden status
want_eq 'and taken' '["eth7","10.7.0.1","10.7.0.1"]' "$(uplink_of a)"
on a ip link set eth7 down
wait_for 10 'down is not ready' problem_is a 'uplink eth7 is down'
on a ip link set eth7 up
wait_for 10 'up again' on a loden status
