#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# A Kubernetes cluster of both families goes from flanneld to Loden, node by node, with running pods, and back: between
# pods on each pair of nodes no ping is missing for 100 ms, and of MACs, podCIDRs and annotations nothing changes.
# shellcheck disable=SC2034 # of kube.sh
KUBE_ETCD=3.6
. "$(dirname "$0")/kube.sh"

MAX_LOST=10 # of pings at intervals of 10 ms, in a row

has_ways() { # NODE COUNT: to so many others, in both families
	[ "$(on "$1" sh -c 'ip -4 route | grep -c "^10\.244\..*via"; ip -6 route | grep -c "^fd00:10:244:.*via"' | paste -sd ' ')" = "$2 $2" ]
}
# what_stays: of all Nodes, and the MACs on the nodes
what_stays() {
	for i_ in a b c; do
		kube_node $i_ '[.metadata.name, .metadata.uid, .spec.podCIDR, .spec.podCIDRs, (.metadata.annotations | with_entries(select(.key | startswith("flannel."))))] | tojson'
		on $i_ cat /sys/class/net/flannel.1/address /sys/class/net/flannel-v6.1/address
		on $i_ cat /run/flannel/subnet.env
	done
}
# rules NODE: what of flannel's firewall there is
rules() {
	on "$1" nft list ruleset 2>/dev/null | grep -Eo 'FLANNEL-[A-Z]+|flannel-ipv[46]' | sort -u
}
has_rules() {
	[ -n "$(rules "$1")" ]
}
has_no_rules() {
	! has_rules "$1"
}

kube_up
kube_conf "$DUAL_CONF"
for n in a:1 b:2 c:3; do
	i=${n%:*}
	node_add "$i" "${n#*:}"
	dual_stack "$i" "${n#*:}"
	kube_node_add "$i" "10.244.${n#*:}.0/24,fd00:10:244:${n#*:}::/64"
	kube_mount "$i"
	kube_service "$i"
done
KUBE_IN_POD=1
for i in a b c; do kube_flanneld_start $i --iface=eth0 --ip-masq; done
for i in a b c; do
	wait_for 60 "$i: flanneld runs" flanneld_runs $i
	wait_for 60 "$i: ways to all" has_ways $i 2
	wait_for 60 "$i: its rules" has_rules $i
	pod_add $i ${i}1
done
all_ping 'with flanneld' a1 b1 c1
what_stays >"$T/stays"
kube_forget

echo '--- to Loden'
for i in a b c; do
	pairs_start 6
	flanneld_stop $i
	kube_agent_start $i --iface=eth0 --ip-masq
	wait_for 30 "$i: Loden has taken over" settled $i
	wait_for 30 "$i: IPv6, too" works $i ipv6
	wait_for 30 "$i: flannel's rules are gone" has_no_rules $i
	wait_for 30 "$i: the kernel is as wanted" on $i loden plan
	pairs_stop
	[ "$worst" -le $MAX_LOST ] || fail "$i: $worst pings of $whose were lost in a row"
	pass "$i: at most $worst pings lost in a row"
done
what_stays >"$T/now"
want_eq 'MACs, podCIDRs, annotations, subnet.env: nothing has changed' '' "$(diff "$T/stays" "$T/now" || :)"
want_eq 'nothing was written' '' "$(kube_patches "$KUBE_ACCOUNT")"
all_ping 'with Loden' a1 b1 c1

echo '--- and back'
for i in a b c; do
	pairs_start 6
	agent_stop $i
	want_exit "$i: uninstall" 0 on $i loden uninstall
	kube_flanneld_start $i --iface=eth0 --ip-masq
	wait_for 60 "$i: flanneld runs" flanneld_runs $i
	wait_for 60 "$i: ways to all" has_ways $i 2
	wait_for 60 "$i: its rules" has_rules $i
	all_ping "$i: back with flanneld" a1 b1 c1
	pairs_stop
	echo "      $worst pings lost in a row: uninstall takes the devices away"
done
what_stays >"$T/now"
want_eq 'MACs, podCIDRs, annotations, subnet.env: nothing has changed' '' "$(diff "$T/stays" "$T/now" || :)"
want_no_match 'no annotation was written' annotations "$(kube_patches "$KUBE_ACCOUNT")"
want_eq 'nothing of ours is left' '' "$(for i in a b c; do on $i sh -c 'ip route show proto 102; ip -6 route show proto 102
	(ip -d link | grep -v alias.loden:cbr0/; nft list ruleset; find /run /var/lib) | grep -i loden' 2>/dev/null || :; done)"
