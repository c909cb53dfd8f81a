#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# One family's trouble is not the other's (failures.md I-25): no nf_tables for IPv6, an address that goes, a switch that
# cannot be set, a held device. Each is named at its family, the other one works and is repaired.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/lib.sh"

DENY=$BUILD/tests/netns/deny

# routes_are IPV4 IPV6: how many of ours there are
routes_are() {
	[ "$(on a sh -c 'ip -4 route show proto 102 | wc -l; ip -6 route show proto 102 | wc -l' | paste -sd ' ')" = "$1 $2" ]
}

is_up() {
	on a ip link show "$1" | grep -q '[<,]UP[,>]'
}

has() { # WORDS COMMAND…: does its output have them?
	words=$1
	shift
	on a "$@" | grep -F -- "$words"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'
ip addr add fd77::fe/64 dev sw nodad
for i in 1 2 3; do
	etcd_peer6 "10.244.$i.0/24" "192.168.77.10$i" "02:00:00:00:00:0$i" \
		"fd00:10:244:$i::/64" "fd77::10$i" "02:00:00:00:06:0$i"
done
node_add a
on a ip addr add fd77::1/64 dev eth0 nodad
on a ip route add default via fd77::fe

if [ "$(uname -m)" = x86_64 ]; then
	echo '--- nf_tables has no ip6'
	on_bg a agent-a "$DENY" nftables6 -- loden agent --etcd-endpoints="$ETCD_URL" --ip-masq
	wait_for 60 'ready' on a loden status
	wait_for 60 'named at IPv6' lacks a ipv6 '(fw_table|guard_peer|guard)\.add .*(ip6|fd77)'
	wait_for 60 'IPv4 works' works a ipv4
	wait_for 60 "both families' routes are there" routes_are 3 3
	want_match 'IPv4 masquerades' 'masquerade' "$(on a nft list table ip loden)"
	want_match 'IPv4 is guarded' 'udp dport 8472 ip saddr != @peers' "$(on a nft list table ip loden_peers)"
	on a nft delete table ip loden
	wait_for 60 'IPv4 is repaired' quiet has masquerade nft list table ip loden
	agent_stop a
	agent_start a --ip-masq
	wait_for 60 'a kernel that has it: IPv6 works' works a ipv6
	want_match 'IPv6 masquerades' 'masquerade' "$(on a nft list table ip6 loden)"
else
	agent_start a --ip-masq
	wait_for 60 'IPv6 works' works a ipv6
fi

echo '--- the IPv4 address goes'
on a ip addr del 192.168.77.1/24 dev eth0
wait_for 60 'named at IPv4' lacks a ipv4 'eth0 has no usable IPv4 address'
wait_for 60 'not ready' agent_says 1 a
wait_for 60 'IPv6 works' works a ipv6
wait_for 60 'what both have built stays' routes_are 3 3
on a ip route del fd00:10:244:1::/64 proto 102
wait_for 60 'IPv6 is repaired' routes_are 3 3
on a nft delete table ip6 loden
wait_for 60 'its firewall, too' quiet has masquerade nft list table ip6 loden
on a sh -c 'ip addr add 192.168.77.1/24 dev eth0; ip route add default via 192.168.77.254'
wait_for 60 'it comes back: ready' on a loden status
wait_for 60 'both work' works a ipv6

echo '--- the IPv6 address goes'
on a ip addr del fd77::1/64 dev eth0
wait_for 60 'named at IPv6' lacks a ipv6 'eth0 has no usable IPv6 address'
want_exit 'ready' 0 on a loden status
wait_for 60 'what both have built stays' routes_are 3 3
on a ip route del 10.244.1.0/24 proto 102
wait_for 60 'IPv4 is repaired' routes_are 3 3
etcd_peer 10.244.4.0/24 192.168.77.104 02:00:00:00:00:04
wait_for 60 'IPv4 goes on' routes_are 4 3
on a ip addr add fd77::1/64 dev eth0 nodad
wait_for 60 'it comes back' works a ipv6

echo '--- a switch of IPv6 cannot be set'
kill -STOP "$(pid_of agent-a)" # it would be too quick
on a sh -c 'mount --bind /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv6/conf/all/forwarding
	echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; mount -o remount,bind,ro /proc/sys/net/ipv6/conf/all/forwarding'
kill -CONT "$(pid_of agent-a)"
wait_for 60 'named at IPv6' lacks a ipv6 'net/ipv6/conf/all/forwarding = 1 .*Read-only file system'
want_exit 'ready' 0 on a loden status
on a ip route del 10.244.1.0/24 proto 102
wait_for 60 'IPv4 is repaired' routes_are 4 3
on a umount /proc/sys/net/ipv6/conf/all/forwarding
wait_for 90 'it can be set again' works a ipv6

echo "--- IPv6's device cannot be made: somebody else has its VNI and port"
agent_stop a
on a ip link del flannel-v6.1
on a ip link add other6 type vxlan id 1 local fd77::1 dev eth0 dstport 8472
on a ip link set other6 up
agent_start a --ip-masq
wait_for 60 'ready' on a loden status
wait_for 60 'named at IPv6' lacks a ipv6 'flannel-v6\.1 .*other6'
wait_for 60 'IPv4 has all' routes_are 4 0
on a ip link del other6
wait_for 90 'gone: IPv6 works' works a ipv6
wait_for 60 'with all routes' routes_are 4 3

echo "--- the other way round: IPv4's device"
agent_stop a
on a ip link del flannel.1
on a ip link add other4 type vxlan id 1 local 192.168.77.1 dev eth0 dstport 8472
on a ip link set other4 up
agent_start a --ip-masq
wait_for 60 'named at IPv4' lacks a ipv4 'flannel\.1 .*other4'
want_match "what IPv6 has stays" 'fd00:10:244:1::/64' "$(on a ip -6 route show proto 102)"
on a ip link del other4
wait_for 90 'gone: ready' on a loden status
wait_for 60 'IPv6 works' works a ipv6
wait_for 60 'with all routes' routes_are 4 3
agent_stop a
want_exit 'uninstall' 0 on a loden uninstall --all
want_eq 'leaves nothing' '' "$(on a sh -c 'ip -4 route show proto 102; ip -6 route show proto 102; ip -o link show | grep flannel; nft list tables | grep loden' || :)"
