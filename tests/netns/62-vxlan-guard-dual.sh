#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# The guard of the VXLAN port in both families: what comes from a peer's address reaches pods, what comes from elsewhere
# by IPv6 does not; its sets are repaired, each by itself, and go when they are not wanted.
# shellcheck disable=SC2119
. "$(dirname "$0")/lib.sh"

both() { # NODE LAST_BYTE
	on "$1" ip addr add "fd77::$2/64" dev eth0 nodad
	on "$1" ip route add default via fd77::fe
}

# A machine on the switch that speaks VXLAN over IPv6, but of which etcd knows nothing.
stranger() {
	node_add evil 66
	both evil 66
	on evil ip link add vx type vxlan id 1 dstport 8472 local fd77::66 dev eth0 nolearning
	on evil ip link set vx address 02:00:00:00:00:66 up
	on evil ip addr add fd00:10:244:66::1/128 dev vx nodad
	on evil ip neigh add fe80::1 lladdr "$(on a cat /sys/class/net/flannel-v6.1/address)" dev vx nud permanent
	on evil bridge fdb add "$(on a cat /sys/class/net/flannel-v6.1/address)" dev vx dst fd77::1
	on evil ip route add "$(gateway a)" via fe80::1 dev vx src fd00:10:244:66::1
}

# gateway NODE: an address there that only the overlay leads to
gateway() {
	on "$1" sed -n 's,^FLANNEL_IPV6_SUBNET=\(.*\)/64,\1,p' /run/flannel/subnet.env
}

# frames: how many echo requests came out of a's tunnel
frames() {
	on a nft -j list counter ip6 seen pings | jq '.nftables[] | .counter? // empty | .packets'
}

# counted: how many the guard dropped
counted() {
	on a nft -j list table ip6 loden_peers | jq '[.. | .counter? // empty | .packets] | add'
}

attack() {
	on evil ping -c 3 -i 0.2 -W 0.2 "$(gateway a)" >/dev/null || :
}

was_counted() {
	attack
	[ "$(counted)" -ge 3 ]
}

tap() {
	on a nft 'add table ip6 seen; add counter ip6 seen pings; add chain ip6 seen tap { type filter hook prerouting priority -400; }
		add rule ip6 seen tap iifname "flannel-v6.1" icmpv6 type echo-request counter name pings'
}

in_set() { # FAMILY ADDRESS
	on a nft list set "$1" loden_peers peers | grep -qw -- "$2"
}

reaches() {
	on "$1" ping -qnc 1 -W 1 "$(gateway "$2")"
}

has_guard() { # FAMILY
	on a nft list table "$1" loden_peers | grep -q "udp dport 8472 $1 saddr != @peers counter .*drop"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'
ip addr add fd77::fe/64 dev sw nodad
n=0
for i in a b; do
	n=$((n + 1))
	node_add "$i" "$n"
	both "$i" "$n"
	agent_start "$i"
done
for i in a b; do wait_for 60 "$i: IPv6 works" works "$i" ipv6; done
tap
for f in ip ip6; do wait_for 60 "the rule of $f" has_guard $f; done
wait_for 60 'the peer is in the set' in_set ip6 fd77::2
wait_for 60 'and in that of IPv4' in_set ip 192.168.77.2
wait_for 60 'it gets through' quiet reaches b a
[ "$(frames)" -ge 1 ] || fail "counting: $(frames) frames seen"

stranger
seen=$(frames)
wait_for 60 "a stranger's packets are counted" was_counted
want_eq 'nothing of them comes out of the tunnel' "$seen" "$(frames)"
wait_for 60 'a peer still gets through' quiet reaches b a

# Another hand, in one family.
on a nft flush set ip6 loden_peers peers
wait_for 60 'a set that was emptied is filled' in_set ip6 fd77::2
on a nft flush chain ip6 loden_peers input
wait_for 60 'a rule that was deleted is back' has_guard ip6
on a nft delete table ip6 loden_peers
wait_for 60 'and a table' has_guard ip6
wait_for 60 'with the peer' in_set ip6 fd77::2
wait_for 60 'IPv6 works' works a ipv6
want_match "IPv4's was there all the time" '192.168.77.2' "$(on a nft list set ip loden_peers peers)"
wait_for 60 'a peer gets through' quiet reaches b a

# Without.
agent_stop a
agent_start a --vxlan-guard=false
wait_for 60 'IPv6 works without it' works a ipv6
gone() {
	! on a nft list tables | grep loden_peers
}
wait_for 60 'nothing of it is left' gone
seen=$(frames)
gets_in() {
	attack
	[ "$(frames)" -gt "$seen" ]
}
wait_for 60 'and without it the stranger gets in' gets_in
agent_stop a
agent_start a
for f in ip ip6; do wait_for 60 "with it again: $f" has_guard $f; done
agent_stop a
want_exit 'uninstall' 0 on a loden uninstall
want_no_match 'takes both along' loden "$(on a nft list tables)"
