#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# One dual-stack Kubernetes cluster, the real flanneld on a node, Loden on two: annotations of both kinds are read by both,
# pods ping in both families in all directions; a Node that has but its IPv4 half is reached over IPv4; what
# public-ip-overwrite says is published and never a local source; a node that lost its disk keeps its MACs.
# shellcheck disable=SC2034 # of kube.sh
KUBE_ETCD=3.6
. "$(dirname "$0")/kube.sh"

NODES=/api/v1/nodes
PREFIX=flannel.alpha.coreos.com
annotation() { # NODE NAME
	kube_node "$1" ".metadata.annotations[\"$PREFIX/$2\"]"
}
annotation_is() {
	[ "$(annotation "$1" "$2")" = "$3" ]
}
flannels() {
	kube_node "$1" '.metadata.annotations | with_entries(select(.key | startswith("flannel."))) | tojson'
}
peers_are() { # NODE N
	[ "$(fact "$1" .peers)" = "$2" ]
}
# has_ways NODE COUNT COUNT6: routes to others' pods
has_ways() {
	[ "$(on "$1" sh -c 'ip -4 route | grep -c "^10\.244\..*via"; ip -6 route | grep -c "^fd00:10:244:.*via"' | paste -sd ' ')" = "$2 $3" ]
}
macs() {
	on "$1" cat /sys/class/net/flannel.1/address /sys/class/net/flannel-v6.1/address | paste -sd ' '
}
# published NODE LAST_BYTE: all seven, each of them as flanneld writes them
published() {
	want_eq "$1: what it published" "{\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(macs "$1" | cut -d ' ' -f 1)\\\"}\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/backend-v6-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(macs "$1" | cut -d ' ' -f 2)\\\"}\",\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/public-ip\":\"192.168.77.$2\",\"$PREFIX/public-ipv6\":\"fd77::$2\"}" \
		"$(flannels "$1")"
}
# remote_is NODE MAC ADDRESS: where frames for this MAC go
remote_is() {
	on "$1" bridge fdb show | grep -q "^$2 dev flannel[^ ]* dst $3 "
}

kube_up
kube_conf "$DUAL_CONF"
for n in a:1 b:2 c:3; do
	i=${n%:*}
	node_add "$i" "${n#*:}"
	dual_stack "$i" "${n#*:}"
	kube_node_add "$i" "10.244.${n#*:}.0/24,fd00:10:244:${n#*:}::/64"
done

echo '--- flanneld on one node, Loden on two'
kube_agent_start a --iface=eth0 --ip-masq
kube_flanneld_start b --iface=eth0 --ip-masq
kube_agent_start c --iface=eth0 --ip-masq
for i in a c; do
	wait_for 30 "$i: has its lease" settled $i
	wait_for 30 "$i: two peers" peers_are $i 2
	wait_for 30 "$i: IPv6 works" works $i ipv6
done
wait_for 30 'b: flanneld runs' flanneld_runs b
for i in a b c; do wait_for 30 "$i: a way to each other in both families" has_ways $i 2 2; done
published a 1
published b 2
published c 3
for i in a b c; do pod_add $i ${i}1; done
want_match 'pods have both' '^fd00:10:244:[12]::[0-9a-f]+ fd00:10:244:[12]::' "$(cat "$T/a1.ip6" "$T/b1.ip6" | paste -sd ' ')"
all_ping 'both families' a1 b1 c1

echo '--- a Node that has but its IPv4 half'
node_add d 4
kube_node_add d 10.244.4.0/24
kube_agent_start d --iface=eth0 --ip-masq
wait_for 30 'd: published' annotation_is d public-ip 192.168.77.4
want_eq 'd: no IPv6 published' 'null null' "$(annotation d backend-v6-data) $(annotation d public-ipv6)"
for i in a c; do wait_for 30 "$i: a way to it over IPv4, and IPv6 to the others" has_ways $i 3 2; done
wait_for 30 'd: ways to all others over IPv4' has_ways d 3 0
pod_add d d1
want_eq 'its pod has no IPv6' '' "$(cat "$T/d1.ip6")"
all_ping 'over IPv4 with it, both without it' a1 c1 d1
for i in a c; do want_eq "$i: IPv6 works beside it" true "$(fact $i .families.ipv6.works)"; done
want_eq 'b: flanneld leaves it out' 0 "$(on b ip -4 route show 10.244.4.0/24 | grep -c via)"

echo '--- it gets its other half, IPv6 first, in podCIDRs that flanneld never sees again, and loses it'
agent_stop d
kube_node_del d
wait_for 30 'a: it is gone' has_ways a 2 2
on d ip addr add fd77::4/64 dev eth0 nodad
on d ip route add default via fd77::fe
kube_node_add d fd00:10:244:4::/64,10.244.4.0/24
kube_agent_start d --iface=eth0 --ip-masq
for i in a b c d; do wait_for 30 "$i: a way in both families" has_ways $i 3 3; done
published d 4
annotate_half_away() {
	kube -type application/strategic-merge-patch+json request PATCH "$NODES/d/status" \
		"{\"metadata\":{\"annotations\":{\"$PREFIX/backend-v6-data\":null,\"$PREFIX/public-ipv6\":null}}}" >/dev/null 2>&1
}
agent_stop d
annotate_half_away
for i in a c; do wait_for 30 "$i: IPv4 stays" has_ways $i 3 2; done
kube_node_del d
for i in a c; do wait_for 30 "$i: gone" has_ways $i 2 2; done

echo '--- a Node that has but its IPv6 half; and more podCIDRs than one of each family, which nobody can have'
kube_node_add d fd00:10:244:4::/64
kube_agent_start d --iface=eth0 --ip-masq
wait_for 30 'd: waits, and says for what' problem_is d 'Node d has no IPv4 podCIDR, and Network is 10\.244\.0\.0/16'
want_eq 'd: nothing is published' '{}' "$(flannels d)"
agent_stop d
kube_node_del d
for cidrs in '"10.244.4.0/24","10.244.5.0/24"' '"fd00:10:244:4::/64","fd00:10:244:5::/64"' \
	'"10.244.4.0/24","fd00:10:244:4::/64","10.244.5.0/24"'; do
	want_eq "the API server refuses $cidrs" 422 "$(kube_code kube request POST $NODES \
		"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"e\"},\"spec\":{\"podCIDR\":${cidrs%%,*},\"podCIDRs\":[$cidrs]}}")"
done

echo '--- public-ip-overwrite: published, no local source'
# a behind a NAT, which has the public addresses. Without conntrack, which knows the flows from before.
on a sh -c 'ip addr add 203.0.113.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo'
on a nft -f - <<-'END'
	table inet behind {
		chain out {
			type filter hook postrouting priority 300
			oif eth0 udp dport 8472 ip saddr set 203.0.113.1
			oif eth0 udp dport 8472 ip6 saddr set 2001:db8::1
		}
	}
END
for i in b c; do on $i sh -c 'ip route add 203.0.113.1 via 192.168.77.1; ip route add 2001:db8::1 via fd77::1'; done
# overwrite VALUE VALUE6 (JSON): both at once, for flanneld does not notice one
overwrite() {
	kube -type application/strategic-merge-patch+json request PATCH "$NODES/a/status" \
		"{\"metadata\":{\"annotations\":{\"$PREFIX/public-ip-overwrite\":$1,\"$PREFIX/public-ipv6-overwrite\":$2}}}" >/dev/null 2>&1
}
overwrite '"203.0.113.1"' '"2001:db8::1"'
wait_for 30 'a: IPv4' annotation_is a public-ip 203.0.113.1
wait_for 30 'a: IPv6' annotation_is a public-ipv6 2001:db8::1
mac=$(macs a)
for i in b c; do
	wait_for 30 "$i: goes there" remote_is $i "${mac% *}" 203.0.113.1
	wait_for 30 "$i: in IPv6, too" remote_is $i "${mac#* }" 2001:db8::1
done
local_of() {
	on a ip -d link show "$1" | grep -o 'local [^ ]*'
}
want_eq 'a: its own source is what it was' 'local 192.168.77.1' "$(local_of flannel.1)"
want_eq 'in IPv6, too' 'local fd77::1' "$(local_of flannel-v6.1)"
all_ping 'with overwrites' a1 b1 c1
wait_for 30 'a: settled' settled a

echo '--- and what its packets come from is not known: no guard, as long as that is so'
guards() { # NODE COUNT
	[ "$(on "$1" nft list ruleset | grep -c 'udp dport 8472.*counter')" = "$2" ]
}
for i in a c; do
	wait_for 30 "$i: no guard" guards $i 0
	want_match "$i: says so" '1 Node\(s\) have the annotation public-ip-overwrite.* 1 Node\(s\) have the annotation public-ipv6-overwrite' \
		"$(fact $i '.notes | join(" ")')"
done
on a nft flush chain inet behind out
on a nft -f - <<-'END'
	add rule inet behind out oif eth0 udp dport 8472 ip saddr set 203.0.113.77
	add rule inet behind out oif eth0 udp dport 8472 ip6 saddr set 2001:db8::77
END
all_ping 'from addresses that nobody published' a1 b1 c1
agent_stop a
kube_forget
kube_agent_start a --iface=eth0 --ip-masq
wait_for 30 'a: settled after a restart' settled a
want_eq 'a: nothing to write' '' "$(kube_patches $KUBE_ACCOUNT a)"
want_eq 'a: the same source' 'local 192.168.77.1' "$(local_of flannel.1)"
on a nft delete table inet behind
overwrite null null
wait_for 30 'a: its own again' annotation_is a public-ip 192.168.77.1
wait_for 30 'a: in IPv6, too' annotation_is a public-ipv6 fd77::1
for i in a c; do wait_for 30 "$i: guarded again" guards $i 2; done
all_ping 'guarded again' a1 b1 c1

echo '--- a reboot, and nothing is left on disk: the MACs are those of the annotations'
forgets() {
	agent_kill a
	on a sh -c 'ip link del flannel.1; ip link del flannel-v6.1; rm -rf /var/lib/loden /run/loden /run/flannel'
	kube_forget
	kube_agent_start a --iface=eth0 --ip-masq
	wait_for 30 "$1: settled" settled a
	wait_for 30 "$1: IPv6 works" works a ipv6
	want_eq "$1: the MACs" "$mac" "$(macs a)"
	want_no_match "$1: the annotations are not touched" annotations "$(kube_patches $KUBE_ACCOUNT a)"
}
forgets 'after a reboot'
all_ping 'after a reboot' a1 b1 c1
overwrite '"203.0.113.1"' '"2001:db8::1"'
wait_for 30 'a: overwritten' annotation_is a public-ip 203.0.113.1
wait_for 30 'a: IPv6, too' annotation_is a public-ipv6 2001:db8::1
forgets 'with an overwrite'
