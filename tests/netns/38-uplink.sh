#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The uplink: nothing suitable yet is waited for and said; each way of choosing it; and no configuration,
# or a bad one, ends an agent either.
# shellcheck disable=SC2016
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
on a ip link set eth7 mtu 1300
mtu_is() { # everywhere
	on a grep -qx "FLANNEL_MTU=$1" /run/flannel/subnet.env && [ "$(on a cat /sys/class/net/flannel.1/mtu)" = "$1" ] &&
		on a loden status
}
wait_for 10 'another MTU of the uplink is followed' mtu_is 1250
agent_stop a

# The table of flannel's TestLookupExtIface: many addresses on one interface.
etcd_conf '{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'
on a sh -c '
	ip link add dummy0 type veth peer name far0
	for address in 1.10.100.1 192.168.200.128 172.16.30.18 172.16.31.200 172.16.32.100; do
		ip addr add $address/32 dev dummy0
	done
	ip addr add 2001:db8::1/64 dev dummy0 nodad
	ip link set far0 up
	ip link set dummy0 up
	ip route add 172.16.32.254 via 172.16.32.100 dev dummy0'
# An address each: another node each, which no lease and no disk knows.
chosen_anew() {
	chosen "$@"
	etcdctl_ del --prefix /coreos.com/network/subnets/ >/dev/null
	on a sh -c 'loden uninstall --all && rm -rf /var/lib/loden /run/flannel/subnet.env' >"$T/uninstall.out"
}
chosen_anew 'by regex on one of many addresses' '["dummy0","192.168.200.128","192.168.200.128"]' '--iface-regex=192\.168\.200\.\d+'
chosen_anew 'by regex on the name: the first address' '["dummy0","1.10.100.1","1.10.100.1"]' '--iface-regex=dummy\d+'
chosen_anew 'by name: the first address' '["dummy0","1.10.100.1","1.10.100.1"]' --iface=dummy0
chosen_anew 'by IPv4 address' '["dummy0","172.16.30.18","172.16.30.18"]' --iface=172.16.30.18
chosen_anew 'by regex, public address of the same interface' '["dummy0","172.16.30.18","172.16.31.200"]' \
	'--iface-regex=172\.16\.30\.\d+' --public-ip=172.16.31.200
chosen_anew 'by where it leads: the address that the kernel would take' '["dummy0","172.16.32.100","172.16.32.100"]' --iface-can-reach=172.16.32.254
agent_start a --iface=172.16.30.18
wait_for 10 'by IPv4 address, both families' on a sh -c 'loden status --json | jq -e ".families.ipv6.works"'
want_eq 'the IPv6 address of the same interface' '["dummy0","172.16.30.18","2001:db8::1"]' \
	"$(on a loden status --json | jq -c '[.uplink.name, .uplink.ip, .uplink.ip6]')"
