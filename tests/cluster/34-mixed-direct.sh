#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# flanneld and Loden with DirectRouting on two segments: each reaches the other without the overlay on its own segment and
# through it beyond the router; a node goes from one to the other, and back, without a ping lost.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/flannel.sh"

# subnet_of NODE
subnet_of() {
	on "$1" sed -n 's/^FLANNEL_SUBNET=\(.*\)\.[0-9]*\/24$/\1.0\/24/p' /run/flannel/subnet.env
}

# way NODE NODE: the first one's route to the pods of the second.
way() {
	on "$1" ip route show "$(subnet_of "$2")" | sed 's/ proto [a-z0-9]*//; s/ *$//'
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","DirectRouting":true}}'
# A second segment; the sandbox is the router.
ip link add far address 02:fe:00:00:00:ff type bridge forward_delay 0
ip link set far up
ip addr add 192.168.78.254/24 dev far
echo 1 >/proc/sys/net/ipv4/ip_forward
n=0
for i in f l g m; do
	n=$((n + 1))
	node_add "$i" "$n"
done
for i in g m; do # these two are far away
	ip link set "sw-$i" master far
	on "$i" sh -c 'a=$(ip -o -4 addr show dev eth0 | sed "s/.*192.168.77.\([0-9]*\).*/\1/"); ip addr flush dev eth0
		ip addr add "192.168.78.$a/24" dev eth0; ip route add default via 192.168.78.254'
done
for i in f g; do
	flanneld_start "$i" --ip-masq
	wait_for 20 "flanneld runs on $i" flanneld_runs "$i"
done
for i in l m; do
	agent_start "$i" --ip-masq
	wait_for 10 "Loden is ready on $i" on "$i" loden status
done
for i in f l g m; do pod_add "$i" "${i}1"; done
wait_for 10 'everybody has come to everybody' quiet pings g1 m1
all_ping 'two daemons, two segments' f1 l1 g1 m1

want_eq 'Loden to flanneld, same segment' "$(subnet_of f) via 192.168.77.1 dev eth0" "$(way l f)"
want_eq 'flanneld to Loden, same segment' "$(subnet_of l) via 192.168.77.2 dev eth0" "$(way f l)"
want_match 'Loden to flanneld, beyond the router' 'dev flannel.1 onlink' "$(way l g)"
want_match 'flanneld to Loden, beyond the router' 'dev flannel.1 onlink' "$(way f m)"

# --- from one to the other and back ---------------------------------------------------------------

for way in f1:l1 l1:f1 f1:g1 m1:f1; do
	on_bg "${way%?:*}" "ping-$way" ip netns exec "${way%:*}" ping -ni 0.02 "$(cat "$T/${way#*:}.ip")"
done
sleep 0.5 # of packets
flanneld_stop f
agent_start f --ip-masq
wait_for 10 'flanneld to Loden: ready' settled f
sleep 1
want_eq 'the same way to its neighbour' "$(subnet_of l) via 192.168.77.2 dev eth0" "$(way f l)"
want_match 'and beyond the router' 'dev flannel.1 onlink' "$(way f g)"
for way in f1:l1 l1:f1 f1:g1 m1:f1; do ping_ended 'flanneld to Loden' "$way"; done
want_exit 'the kernel equals the plan' 0 on f loden plan
agent_stop f
want_exit 'uninstall' 0 on f loden uninstall
flanneld_start f --ip-masq
wait_for 20 'and back' flanneld_runs f
for i in l1 g1 m1; do wait_for 10 "pods ping: $i" quiet pings f1 "$i"; done
all_ping 'as before' f1 l1 g1 m1
