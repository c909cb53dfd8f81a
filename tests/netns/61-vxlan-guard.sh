#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guard of the VXLAN port: what comes from a peer's address reaches pods, what comes from elsewhere
# does not; a new peer's first packet does; rule and set are repaired, and go when they are not wanted.
. "$(dirname "$0")/lib.sh"

# A machine on the switch that speaks VXLAN, but of which etcd knows nothing: its device is a node's, its pod
# address lies in a subnet of nobody.
stranger() {
	node_add evil 66
	on evil ip link add vx type vxlan id 1 dstport 8472 local 192.168.77.66 dev eth0 nolearning
	on evil ip link set vx address 02:00:00:00:00:66 up
	on evil ip addr add 10.244.66.1/32 dev vx
	on evil ip neigh add 10.244.1.0 lladdr "$(vtep a)" dev vx nud permanent
	on evil bridge fdb add "$(vtep a)" dev vx dst 192.168.77.1
	on evil ip route add "$(subnet a)" via 10.244.1.0 dev vx onlink src 10.244.66.1
}

vtep() {
	on "$1" cat /sys/class/net/flannel.1/address
}

subnet() {
	on "$1" sed -n 's,^FLANNEL_SUBNET=\(.*\)\.1/24,\1.0/24,p' /run/flannel/subnet.env
}

# gateway NODE: an address there that only the overlay leads to
gateway() {
	on "$1" sed -n 's,^FLANNEL_SUBNET=\(.*\)/24,\1,p' /run/flannel/subnet.env
}

# frames: how many ICMP frames came out of a's tunnel
frames() {
	on a nft -j list counter ip seen pings | jq '.nftables[] | .counter? // empty | .packets'
}

# counted: how many the guard dropped
counted() {
	on a nft -j list table ip loden_peers | jq '[.. | .counter? // empty | .packets] | add'
}

attack() {
	on evil ping -c 3 -i 0.2 -W 0.2 "$(gateway a)" >/dev/null || :
}

in_set() {
	on a nft list set ip loden_peers peers | grep -q "192\.168\.77\.$1\\b"
}

has_guard() {
	on a nft list table ip loden_peers | grep -q 'udp dport 8472 ip saddr != @peers counter .*drop'
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a b; do
	node_add "$n"
	agent_start "$n"
done
for n in a b; do
	wait_for 10 "$n is ready" on "$n" loden status
done
on a nft 'add table ip seen; add counter ip seen pings; add chain ip seen tap { type filter hook prerouting priority -400; }
	add rule ip seen tap iifname "flannel.1" ip protocol icmp counter name pings'
want_match 'the rule' 'udp dport 8472 ip saddr != @peers counter packets 0 bytes 0 drop' \
	"$(on a nft list table ip loden_peers)"
want_match 'in the hook of what is for us' 'hook input priority filter - 10; policy accept' \
	"$(on a nft list table ip loden_peers)"
wait_for 5 'the peer is in the set' in_set 2
wait_for 5 'and knows us' has_route b "$(subnet a)"
want_exit 'it gets through' 0 on b ping -qnc 2 -i 0.2 -W 10 "$(gateway a)"
seen=$(frames)
[ "$seen" -ge 2 ] || fail "counting: $seen frames seen, wanted 2"

stranger
seen=$(frames)
attack
want_eq "nothing of a stranger's comes out of the tunnel" "$seen" "$(frames)"
want_eq 'it is counted' 3 "$(counted)"
on a nft add table ip nobody # makes it look; else it does so every half minute
told() {
	on a loden status | grep -q '3 packets to the VXLAN port came from addresses that no node publishes'
}
wait_for 40 'and told' told
want_exit 'a peer still gets through' 0 on b ping -qnc 2 -i 0.2 -W 10 "$(gateway a)"

# The first packet of a new peer, once each has heard of the other.
node_add c
agent_start c
wait_for 10 'c is ready' on c loden status
wait_for 5 'we know it' in_set 4
wait_for 5 'it knows us' has_route c "$(subnet a)"
want_exit 'its first packet gets through' 0 on c ping -qnc 1 -W 10 "$(gateway a)"

# Another hand.
on a nft flush set ip loden_peers peers
wait_for 2 'a set that was emptied is filled' in_set 2
on a nft flush chain ip loden_peers input
wait_for 2 'a rule that was deleted is back' has_guard
on a nft delete table ip loden_peers
wait_for 2 'and a table' has_guard
on a nft 'add table ip loden_peers { flags dormant; }'
awake() {
	! on a nft list table ip loden_peers | grep -q dormant
}
wait_for 2 'switched off, it is switched on' awake
on a nft flush ruleset
wait_for 2 'and after a flush of everything' has_guard
wait_for 5 'all are in the set' in_set 4
wait_for 5 'ready' on a loden status
agent_stop a
agent_start a
wait_for 10 'ready again' settled a
want_no_match 'a restart finds nothing to do' 'guard' "$(agent_log a | sed '1,/agent.stop/d')"

# A peer that is gone.
agent_stop c
etcdctl_ del "/coreos.com/network/subnets/$(subnet c | tr / -)" >/dev/null
gone() {
	! in_set 4
}
wait_for 5 'a peer that is gone is out of the set' gone

# Without: by flag, and where what peers see is not what we have.
agent_stop a
agent_start a --vxlan-guard=false
wait_for 10 'ready without it' settled a
want_no_match 'nothing of it is left' loden_peers "$(on a nft list tables)"
on a nft 'add table ip seen; add counter ip seen pings; add chain ip seen tap { type filter hook prerouting priority -400; }
	add rule ip seen tap iifname "flannel.1" ip protocol icmp counter name pings'
attack
want_eq 'and without it the stranger gets in' 3 "$(frames)"
agent_stop a
agent_start a
wait_for 10 'with it again' has_guard
agent_stop a
want_exit 'uninstall' 0 on a loden uninstall
want_no_match 'takes it along' loden "$(on a nft list tables)"
