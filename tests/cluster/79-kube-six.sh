#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# A Kubernetes cluster of IPv6 alone: its nodes have no IPv4 address, nor has its API server. The real flanneld on a node, Loden
# on two: what they publish and write is the same, pods ping in all directions; flanneld is taken over from; IPv6 decides
# about ready; what is on disk stands in for the API server.
# shellcheck disable=SC2034 # of kube.sh
KUBE_FAMILY=6
KUBE_ETCD=3.6
. "$(dirname "$0")/kube.sh"

PREFIX=flannel.alpha.coreos.com
# published NODE LAST_BYTE
published() {
	want_eq "$1: what it published" "{\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/backend-v6-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(on "$1" cat /sys/class/net/flannel-v6.1/address)\\\"}\",\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/public-ipv6\":\"fd77::$2\"}" \
		"$(kube_node "$1" '.metadata.annotations | with_entries(select(.key | startswith("flannel."))) | tojson')"
}
# env_of NODE LAST_BYTE: its subnet.env, but for what differs from node to node
env_of() {
	on "$1" sed "s/fd00:10:244:$2::/fd00:10:244:N::/" /run/flannel/subnet.env
}
condition_is() {
	[ "$(kube_node "$1" '.status.conditions[] | select(.type == "NetworkUnavailable") | "\(.status) \(.reason)"')" = "$2" ]
}
# has_ways NODE COUNT: routes to others' pods
has_ways() {
	[ "$(on "$1" ip -6 route | grep -c '^fd00:10:244:.*via')" = "$2" ]
}

kube_up
kube_conf '{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'
for n in a:1 b:2 c:3; do
	i=${n%:*}
	node_add "$i" "${n#*:}"
	six_only "$i" "${n#*:}"
	kube_node_add "$i" "fd00:10:244:${n#*:}::/64"
done
kube_mount c
kube_service c

echo '--- flanneld on one node, Loden on two'
kube_agent_start a --iface=eth0 --ip-masq
kube_flanneld_start b --iface=eth0 --ip-masq
KUBE_IN_POD=1 kube_agent_start c --ip-masq
for i in a c; do wait_for 60 "$i: has its lease" settled $i; done
wait_for 60 'b: flanneld runs' flanneld_runs b
for i in a b c; do
	wait_for 30 "$i: ways to both others" has_ways $i 2
	wait_for 30 "$i: the condition" condition_is $i 'False FlannelIsUp'
done
published a 1
published b 2
published c 3
want_eq 'subnet.env: as flanneld writes it' "$(env_of b 2)" "$(env_of a 1)"
want_match 'which is this' '^FLANNEL_IPV6_NETWORK=fd00:10:244::/56 FLANNEL_IPV6_SUBNET=fd00:10:244:N::1/64 FLANNEL_MTU=1450 FLANNEL_IPMASQ=true $' \
	"$(env_of a 1 | tr '\n' ' ')"
want_eq 'a: the families' 'false false true true' \
	"$(fact a '.families | [.ipv4.enabled, .ipv4.works, .ipv6.enabled, .ipv6.works] | join(" ")')"
want_eq 'a: no link of IPv4' 0 "$(on a ip -o link | grep -c 'flannel\.1')"
want_no_match 'a: what it says of itself' '10\.244|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+| -[ ,]' "$(on a loden status)"
for i in a b c; do pod_add $i ${i}1; done
want_eq 'pods have no IPv4' '' "$(cat "$T/a1.ip" "$T/b1.ip" "$T/c1.ip")"
all_ping 'IPv6 alone' a1 b1 c1
want_eq 'a: two patches' 2 "$(kube_patches $KUBE_ACCOUNT a | wc -l)"

echo '--- from flanneld to Loden, and back: no ping is lost'
ping_start b1 a1 6
ping_start c1 b1 6
flanneld_stop b
kube_agent_start b --iface=eth0 --ip-masq
wait_for 60 'b: settled' settled b
ping_ended 'to Loden' b16
ping_ended 'to Loden' c16
published b 2
agent_stop b
kube_flanneld_start b --iface=eth0 --ip-masq
wait_for 60 'b: flanneld runs' flanneld_runs b
all_ping 'and back' a1 b1 c1

echo '--- IPv6 decides about ready'
on c ip -6 addr del fd77::3/64 dev eth0
wait_for 30 'c: the cause' problem_is c 'no usable IPv6 address'
want_eq 'c: is not ready' false "$(fact c .ready)"
want_eq 'c: what stands is not touched' 0 "$(has_ways c 2; echo $?)"
on c ip -6 addr add fd77::3/64 dev eth0 nodad
on c ip -6 route replace default via fd77::fe
wait_for 60 'c: ready again' settled c
all_ping 'with its address again' a1 b1 c1
kube_node_add d 10.244.4.0/24
node_add d 4
six_only d 4
kube_agent_start d --iface=eth0
wait_for 30 'd: has but an IPv4 podCIDR' problem_is d 'Node d has no IPv6 podCIDR, and IPv6Network is fd00:10:244::/56'
agent_stop d
kube_node_del d

echo '--- the API server is away'
stop kube-apiserver KILL
agent_stop a
on a ip link del flannel-v6.1
kube_agent_start a --iface=eth0 --ip-masq
wait_for 30 'a: from disk' has_ways a 2
all_ping 'from disk' a1 b1 c1
kube_api_start
wait_for 60 'a: settled' settled a
published a 1
all_ping 'at last' a1 b1 c1

echo '--- uninstall'
agent_stop c
want_exit 'uninstall' 0 on c loden uninstall --all
want_no_match 'no word of a lease, which would be etcd'"'"'s' '^[a-z]+ +lease' "$out"
want_eq 'leaves nothing' '' "$(on c sh -c 'ip -6 route show proto 102; ip -o link show | grep "flannel\|cni0"; nft list tables | grep loden; ip6tables-nft -S FORWARD | grep forward')"
