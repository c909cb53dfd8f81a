#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Three nodes of both families: pods reach each other in both; a node without IPv6 among them is reached by IPv4;
# from disk and after a crash both are there again; and what one family suffers the other does not.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/pods.sh"

STATE=/var/lib/loden/peers

has_file() {
	on "$1" test -s "$STATE"
}

# fits POD POD SIZE: does an IPv6 packet of this size come through?
fits() {
	in_pod "$1" ping -qnc 1 -W 1 -s $(($3 - 48)) "$(cat "$T/$2.ip6")"
}

etcd_start
etcd_conf "$DUAL_CONF"
n=0
for i in a b c; do
	n=$((n + 1))
	node_add "$i" "$n"
	dual_stack "$i" "$n"
	agent_start "$i" --ip-masq
done
for i in a b c; do
	wait_for 30 "$i is ready" on "$i" loden status
	wait_for 30 "$i: IPv6 works" works "$i" ipv6
	pod_add "$i" "${i}1"
done
for i in a b c; do wait_for 30 "$i has two peers in each family" on "$i" sh -c '
	[ "$(ip -4 route show proto 102 dev flannel.1 | wc -l) $(ip -6 route show proto 102 dev flannel-v6.1 | wc -l)" = "2 2" ]'; done
all_ping 'both families' a1 b1 c1
for i in a b c; do wait_for 10 "$i: the kernel equals the plan" on "$i" loden plan; done
# Pods have 1450 for both, as beside flannel; through the overlay fit 1430, and the pod's own node says so.
want_eq "a pod's MTU" 1450 "$(in_pod a1 cat /sys/class/net/eth0/mtu)"
quiet fits a1 b1 1450 || :
wait_for 10 'a packet of 1450 bytes is cut' fits a1 b1 1450
wait_for 10 'one of 4000, too' fits a1 b1 4000

lease=$(on a sh -euc '. /var/lib/loden/lease.env; echo "$LEASE"')
want_match 'its lease is written down as a shell reads it' '^10\.244\..*&fd00:10:244:' "$lease"
want_match 'and as etcd knows it' '"192\.168\.77\.1"' "$(etcdctl_ get --print-value-only "/coreos.com/network/subnets/$lease")"

echo '--- a node without IPv6 joins'
node_add d 4
agent_start d --ip-masq
wait_for 30 'd is ready' on d loden status
pod_add d d1
want_eq 'its pod has no IPv6' '' "$(cat "$T/d1.ip6")"
wait_for 30 'a has it as peer' quiet pings4 a1 d1
all_ping 'four nodes' a1 b1 c1 d1
for i in a b c; do wait_for 10 "$i: IPv6 works beside it" works "$i" ipv6; done
agent_stop d
want_exit 'it leaves' 0 on d loden uninstall --lease
node_del d

echo '--- a crash'
agent_kill a
on a sh -c 'ip link del flannel-v6.1; ip -4 route flush proto 102'
agent_start a --ip-masq
wait_for 30 'a is ready again' on a loden status
wait_for 30 'IPv6 works again' works a ipv6
all_ping 'after a crash' a1 b1 c1

echo '--- a reboots while etcd is dead'
wait_for 60 'what it needs is on disk' has_file a
mac=$(on a cat /sys/class/net/flannel.1/address) mac6=$(on a cat /sys/class/net/flannel-v6.1/address)
env=$(on a cat /run/flannel/subnet.env)
agent_stop a
etcd_stop KILL
on a tar -C /var/lib -cf - loden >"$T/disk.tar"
node_del a
node_add a 1
dual_stack a 1
on a tar -C /var/lib -xf - <"$T/disk.tar"
agent_start a --ip-masq
wait_for 30 'a is ready from disk' on a loden status
wait_for 30 'in IPv6, too' works a ipv6
want_eq 'the MACs' "$mac $mac6" "$(on a cat /sys/class/net/flannel.1/address /sys/class/net/flannel-v6.1/address | paste -sd ' ')"
want_eq 'the subnets' "$env" "$(on a cat /run/flannel/subnet.env)"
pod_add a a1
all_ping 'from disk' a1 b1 c1
etcd_start
lease() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ | grep '"192.168.77.1"'
}
wait_for 60 'a has nothing to add' quiet on a sh -c 'loden status --json | jq -e ".from_disk_of == null"'
want_match 'its lease still has both' '"PublicIPv6":"fd77::1".*"BackendV6Data":\{"VNI":1,"VtepMAC":"'"$mac6" "$(lease)"

echo '--- the two families are cut one by one'
cut() { # FAMILY
	nft "add table bridge cut; add chain bridge cut f { type filter hook forward priority 0; }; add rule bridge cut f ether type $1 udp dport 8472 drop"
}
cut ip6
quiet pings6 a1 b1 && fail 'IPv6 is cut, and yet it works'
wait_for 30 'IPv6 is cut, IPv4 works' pings4 a1 b1
nft delete table bridge cut
cut ip
quiet pings4 a1 b1 && fail 'IPv4 is cut, and yet it works'
wait_for 30 'IPv4 is cut, IPv6 works' pings6 a1 b1
nft delete table bridge cut
all_ping 'at the end' a1 b1 c1
for i in a b c; do wait_for 10 "$i: the kernel equals the plan" on "$i" loden plan; done

echo '--- and nothing is left'
agent_stop c
on c ip link set flannel-v6.1 down
on c ip link set flannel-v6.1 name renamed
want_exit 'uninstall' 0 on c loden uninstall --all --lease
# But for the plugin's mark on the pods' own links, which goes with them.
want_eq 'nothing of ours is left, the renamed link neither' '' "$(on c sh -c 'ip -d link | grep -v alias.loden:cbr0/; ip -4 route show proto 102; ip -6 route show proto 102
	ip nexthop; nft list ruleset; find /run/loden /var/lib/loden' 2>/dev/null | grep -i 'loden\|102\|renamed\|flannel' || :)"
forgotten() { # NODE
	[ "$(on "$1" sh -c 'ip -6 route show proto 102; ip -4 route show proto 102' | wc -l)" = 2 ]
}
for i in a b; do wait_for 30 "$i forgets it in both families" forgotten "$i"; done
all_ping 'those that stay' a1 b1
