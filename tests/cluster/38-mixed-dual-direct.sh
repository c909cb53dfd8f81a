#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# flanneld and Loden with DirectRouting in two families on two segments: in each family, who shares a segment is reached
# without the overlay and who is beyond the router through it; a Loden that moves to the other segment, with other addresses
# in both families, and back is followed by both daemons; but flanneld does not get from direct to overlay in IPv6.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/flannel.sh"

# plugged NODE LAST_BYTE 77|78: into that segment, with addresses of it and the sandbox as router
plugged() {
	echo "$3.$2" >"$T/$1.at"
	ip link set "sw-$1" master "sw$([ "$3" = 77 ] || echo "$3")"
	on "$1" sh -c "ip addr flush dev eth0 scope global
		ip addr add 192.168.$3.$2/24 dev eth0
		ip route replace default via 192.168.$3.254
		ip addr add fd$3::$2/64 dev eth0 nodad
		ip -6 route replace default via fd$3::fe dev eth0"
}

# nets NODE: what its subnets are, in $T/NODE.net4 and $T/NODE.net6
nets() {
	on "$1" sed -n 's/^FLANNEL_SUBNET=\(.*\)\.1\/24$/\1.0\/24/p' /run/flannel/subnet.env >"$T/$1.net4"
	on "$1" sed -n 's/^FLANNEL_IPV6_SUBNET=\(.*\)::1\/64$/\1::\/64/p' /run/flannel/subnet.env >"$T/$1.net6"
}

# ways NODE NODE: the first one's routes to the pods of the second, "direct ADDRESS" or "overlay DEVICE" of each family;
# anything else, or a second route, as it is
ways() {
	for ways_family_ in 4 6; do
		on "$1" ip "-$ways_family_" route show "$(cat "$T/$2.net$ways_family_")"
	done | sed -E 's/^[^ ]+ via ([^ ]+) dev (eth0|flannel[^ ]*)( .*)?$/\2 \1/; s/^eth0/direct/; s/^(flannel[^ ]*) .*/overlay \1/' | paste -sd ' '
}

# should_be NODE NODE: those ways, by where both are
should_be() {
	segment_=$(cut -d . -f 1 "$T/$2.at") byte_=$(cut -d . -f 2 "$T/$2.at")
	if [ "$(cut -d . -f 1 "$T/$1.at")" = "$segment_" ]; then
		echo "direct 192.168.$segment_.$byte_ direct fd$segment_::$byte_"
	else
		echo 'overlay flannel.1 overlay flannel-v6.1'
	fi
}

ways_are_right() { # NODE NODE
	[ "$(ways "$1" "$2")" = "$(should_be "$1" "$2")" ]
}

# all_ways WHAT [NODE]: each node's to each other; but for that one's to l
all_ways() {
	for from in f l g m; do
		for to in f l g m; do
			case $from$to in ff | ll | gg | mm | "${2:-}l") continue ;; esac
			wait_for 60 "$1: $from to $to: $(should_be $from $to)" ways_are_right $from $to
		done
	done
}

# Its IPv6 route through the overlay has an address of the peer's subnet as gateway, on link. The kernel refuses that
# while its own direct route still leads there; after ten tries in 51 s it forgets the event.
gave_up() {
	grep -q 'failed to add v6 vxlanRoute' "$T/flanneld-$1.log"
}

# A second segment; the sandbox is the router.
ip link add sw78 type bridge forward_delay 0
ip link set sw78 up
ip addr add 192.168.78.254/24 dev sw78
ip addr add fd78::fe/64 dev sw78 nodad
ip addr add fd77::fe/64 dev sw nodad
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan","DirectRouting":true}}'
for i in f:1:77 l:2:77 g:3:78 m:4:78; do
	node_add "${i%%:*}"
	# shellcheck disable=SC2046 # three words
	plugged $(echo $i | tr : ' ')
done
for i in f g; do
	flanneld_start "$i" --ip-masq
	wait_for 60 "flanneld runs on $i" flanneld_runs "$i"
done
for i in l m; do
	agent_start "$i" --ip-masq
	wait_for 60 "Loden is ready on $i" on "$i" loden status
	wait_for 60 'in IPv6, too' works "$i" ipv6
done
for i in f l g m; do
	nets "$i"
	pod_add "$i" "${i}1"
done
all_ways 'two daemons, two segments'
all_ping 'two daemons, two segments' f1 l1 g1 m1

# --- from one segment to the other, and back ------------------------------------------------------

for move in 77:78:f 78:77:g; do
	here=${move%%:*} near=${move##*:} # which flanneld was on the same segment
	there=${move#*:} there=${there%:*}
	plugged l 2 "$there"
	all_ways "Loden moved to fd$there::" "$near"
	for i in l m; do wait_for 60 "$i: the kernel equals the plan" on "$i" loden plan; done
	wait_for 180 "$near: flanneld gives up in IPv6" gave_up "$near"
	want_eq 'it has followed in IPv4 alone' "overlay flannel.1 direct fd$here::2" "$(ways "$near" l)"
	want_exit 'a ping in IPv6 gets lost' 1 pings6 "${near}1" l1
	on "$near" ip -6 route del "$(cat "$T/l.net6")"
	flanneld_stop "$near"
	flanneld_start "$near" --ip-masq
	wait_for 60 'its stale route removed, flanneld starts again' flanneld_runs "$near"
	all_ways "Loden moved to fd$there::"
	all_ping "Loden moved to fd$there::" f1 l1 g1 m1
done
