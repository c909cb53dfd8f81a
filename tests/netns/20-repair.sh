#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# Each kind of object of ours deleted, altered, duplicated, reordered: it is repaired, and nothing of
# others around it changes. (S1-01, S1-06, S0-06; E1, E2, E7, E9, E11, E15; invariants I-02..I-06, I-10, I-11,
# I-13, I-15, I-17.)
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/lib.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for i in 1 2 3 4; do etcd_peer "10.244.$i.0/24" "192.168.77.10$i" "02:00:00:00:00:0$i"; done
node_add a

# What belongs to others, around ours on purpose: same tables, same links, neighbouring ids.
on a sh -c '
	ip route add 10.99.0.0/16 via 192.168.77.254
	ip route add 10.244.200.0/24 via 192.168.77.254 metric 77
	ip route add 10.244.201.0/24 via 192.168.77.254
	ip route add 10.244.1.0/24 via 192.168.77.254 metric 77
	ip route add 10.98.0.0/16 via 192.168.77.254 table 77
	ip neigh add 192.168.77.200 lladdr 02:99:00:00:00:01 dev eth0 nud permanent
	ip nexthop add id 77 via 192.168.77.254 dev eth0
	ip route add 10.97.0.0/16 nhid 77
	ip link add other type bridge && ip addr add 10.96.0.1/16 dev other && ip link set other up
	nft "add table ip other; add chain ip other out { type nat hook postrouting priority 100; }; add rule ip other out ip saddr 10.96.0.0/16 counter masquerade"
	iptables-nft -P FORWARD DROP
	iptables-nft -A FORWARD -s 10.96.0.0/16 -j ACCEPT -m comment --comment "not ours"
	iptables-nft -A INPUT -p tcp --dport 4240 -j ACCEPT
'
agent_start a --ip-masq --ip-blackhole-route --healthz-port=10256
wait_for 10 'the agent is ready' on a loden status

ours() {
	on a sh -c '
		ip -j -d link show flannel.1 | jq -c ".[0] | [.ifname, .address, .mtu, (.flags | index(\"UP\") != null), .ifalias, (.linkinfo.info_data | [.id, .port, .local, .link, .learning])]"
		ip -j -d link show cni0 | jq -c ".[0] | [.ifname, .address, .mtu, (.flags | index(\"UP\") != null), .ifalias, .linkinfo.info_kind]"
		ip -j -4 addr show flannel.1 | jq -c "[.[].addr_info[]? | [.local, .prefixlen]] | sort"
		ip -j -4 addr show cni0 | jq -c "[.[].addr_info[]? | [.local, .prefixlen]] | sort"
		ip -j -d -4 route show | jq -c "[.[] | select(.protocol == \"102\" or .dev == \"flannel.1\") | [.type, .dst, .gateway, .dev, .flags, .protocol, .metric]] | sort"
		ip -j -4 neigh show dev flannel.1 | jq -c "[.[] | [.dst, .lladdr, .state]] | sort"
		bridge -j fdb show dev flannel.1 | jq -c "[.[] | [.mac, .dst, .state]] | sort"
		nft -s list table ip loden 2>&1
		iptables-nft -S FORWARD | grep "forward"
		iptables-nft -S FORWARD | sed -n "1d; /DROP/,\$s/.*forward.*/an accept stands behind a drop/p"
		cat /proc/sys/net/ipv4/ip_forward /run/flannel/subnet.env
	'
}

foreign() {
	on a sh -c '
		ip -j -d -4 route show table all | jq -c ".[] | select(.protocol != \"102\" and .protocol != \"kernel\" and .dev != \"flannel.1\")"
		ip -j -4 neigh show dev eth0 nud permanent
		ip -j nexthop show | jq -c ".[] | select(.protocol != \"102\")"
		ip -j addr show other | jq -c "[.[].addr_info[]? | [.local, .prefixlen]]"
		nft -s list table ip other
		iptables-nft -S | grep -v "forward"
	'
}

wait_for 10 'nothing is left to do' settled a
ours >"$T/ours.reference"
foreign >"$T/foreign.reference"
want_match 'the reference has four peer routes' '^4$' "$(on a ip route show proto 102 type unicast | wc -l)"
want_eq 'both accepts stand in the dropping chain' 2 "$(on a iptables-nft -S FORWARD | grep -c 'forward')"

. "$(dirname "$0")/damage.sh"

# in_front: ours, and behind them what dropped everything
in_front() {
	on a iptables-nft -S FORWARD | sed 's/.*flanneld forward.*/ours/' >"$T/forward"
	[ "$(sed -n 2,4p "$T/forward" | paste -sd,)" = 'ours,ours,-A FORWARD -j DROP' ]
}

mac=$(on a cat /sys/class/net/flannel.1/address)
damage 'route deleted' 'ip route del 10.244.1.0/24'
damage 'route replaced by another way' 'ip route replace 10.244.2.0/24 via 192.168.77.254'
damage 'route with another protocol' 'ip route replace 10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink proto static'
damage 'route appended twice' 'ip route append 10.244.4.0/24 via 10.244.9.9 dev flannel.1 onlink'
damage 'route put before ours' 'ip route prepend 10.244.4.0/24 via 10.244.9.8 dev flannel.1 onlink'
damage 'route put before ours through another device' 'ip route prepend 10.244.1.0/24 via 192.168.77.254 dev eth0'
damage 'route put before ours through a device of others' 'ip route prepend 10.244.2.0/24 via 10.96.0.9 dev other proto static'
damage 'route of several hops put before ours' 'ip route prepend 10.244.3.0/24 nexthop via 192.168.77.254 dev eth0 nexthop via 10.96.0.9 dev other'
damage 'route by a nexthop of others put before ours' 'ip route prepend 10.244.4.0/24 nhid 77'
damage 'route put instead of ours' 'ip route del 10.244.2.0/24; ip route add 10.244.2.0/24 via 192.168.77.254 proto static; ip route append unreachable 10.244.2.0/24'
want_match 'and it is told whose it was' 'route.*10\.244\.1\.0/24 via 192\.168\.77\.254 dev eth0 proto 3' "$(agent_log a)"
damage 'route of nobody through our link' 'ip route add 10.95.0.0/16 via 10.244.1.0 dev flannel.1 onlink'
damage 'blackhole route deleted' 'ip route del blackhole $(. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%.1/24}.0/24)'
damage 'neighbour deleted' 'ip neigh del 10.244.1.0 dev flannel.1'
damage 'neighbour with another MAC' 'ip neigh replace 10.244.2.0 lladdr 02:de:ad:00:00:01 dev flannel.1 nud permanent'
damage 'neighbour not permanent' 'ip neigh replace 10.244.3.0 lladdr 02:00:00:00:00:03 dev flannel.1 nud stale'
damage 'neighbour of nobody' 'ip neigh add 10.244.77.0 lladdr 02:de:ad:00:00:02 dev flannel.1 nud permanent'
damage 'all neighbours flushed' 'ip neigh flush dev flannel.1 nud permanent'
damage 'FDB entry deleted' 'bridge fdb del 02:00:00:00:00:01 dev flannel.1 dst 192.168.77.101 self'
damage 'FDB entry to another node' 'bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.168.77.199 self permanent'
damage 'FDB entry of nobody' 'bridge fdb add 02:de:ad:00:00:03 dev flannel.1 dst 192.168.77.198 self permanent'
damage 'FDB entry that floods' 'bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.77.197 self permanent'
damage 'link down' 'ip link set flannel.1 down'
damage 'link down and up: routes go silently' 'ip link set flannel.1 down; ip link set flannel.1 up'
damage 'link with another MAC' 'ip link set flannel.1 address 02:be:ef:00:00:01'
damage 'link with another MTU' 'ip link set flannel.1 mtu 1400'
damage 'link that learns' 'ip link set flannel.1 type vxlan learning'
damage 'link without our mark' 'ip link set flannel.1 alias somebody'
damage 'link renamed' 'ip link set flannel.1 down; ip link set flannel.1 name flannel.x; ip link set flannel.x up'
damage 'address deleted: routes go silently' 'ip addr del $(. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%.1/24}.0/32) dev flannel.1'
damage 'second address on the link' 'ip addr add 169.254.7.7/16 dev flannel.1'
damage 'link deleted' 'ip link del flannel.1'
want_eq 'the new link has the old MAC' "$mac" "$(on a cat /sys/class/net/flannel.1/address)"
damage 'link replaced by one with another VNI' 'ip link del flannel.1; ip link add flannel.1 type vxlan id 7 dstport 8472 dev eth0; ip link set flannel.1 up'
damage 'link replaced by a bridge' 'ip link del flannel.1; ip link add flannel.1 type bridge'
damage 'bridge deleted' 'ip link del cni0'
damage 'bridge down' 'ip link set cni0 down'
damage 'bridge without address' '. /run/flannel/subnet.env; ip addr del $FLANNEL_SUBNET dev cni0'
damage 'masquerade table deleted' 'nft delete table ip loden'
damage 'masquerade chain flushed' 'nft flush chain ip loden postrouting'
damage 'masquerade rules reordered' 'h=$(nft -a list chain ip loden postrouting | sed -n "s/.*0x00004000.*handle //p"); nft delete rule ip loden postrouting handle $h; nft add rule ip loden postrouting meta mark and 0x4000 == 0x4000 return'
damage 'a rule of nobody in our chain' 'nft insert rule ip loden postrouting accept'
damage 'table switched off' 'nft add table ip loden "{ flags dormant; }"'
damage 'one accept deleted' 'iptables-nft -D FORWARD 2'
on a iptables-nft -I FORWARD 1 -j DROP
wait_for 40 'a drop before our accepts: they move before it' in_front
on a iptables-nft -D FORWARD -j DROP
wait_for 40 'and it may go' same
damage 'forward chain flushed and refilled' 'iptables-nft -F FORWARD; iptables-nft -A FORWARD -s 10.96.0.0/16 -j ACCEPT -m comment --comment "not ours"'
damage 'accepts duplicated' 'iptables-nft-save >/tmp/s; iptables-nft -I FORWARD 1 -s 10.244.0.0/16 -m comment --comment "$(iptables-nft -S FORWARD | sed -n "s/.*--comment \"\([^\"]*forward[^\"]*\)\".*/\1/p" | head -1)" -j ACCEPT'
damage 'forwarding switched off' 'echo 0 >/proc/sys/net/ipv4/ip_forward'
damage 'subnet.env deleted' 'rm /run/flannel/subnet.env'
damage 'subnet.env altered' 'echo FLANNEL_MTU=9000 >/run/flannel/subnet.env'

want_match 'status tells of repairs' 'repair' "$(on a loden status)"
ready() {
	[ "$(http /readyz 10256)" = 'HTTP/1.1 200 OK flanneld is ready' ]
}
wait_for 20 'ready at the end' ready
