#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# A dual-stack node goes from flanneld to Loden and back with running pods: lease, both subnets and both MACs stay, no
# ping is lost in either family, no new connection leaves with a pod's address, and nothing of either is left behind.
# Once with flanneld's iptables rules, once with its nftables.
# shellcheck disable=SC2119
. "$(dirname "$0")/flannel.sh"

# What of flannel's firewall there is, in names.
flannel_rules() {
	on "$1" nft list ruleset 2>/dev/null | grep -Eo 'FLANNEL-[A-Z]+|flannel-ipv[46]' | sort -u
}

has_no_rules() {
	[ -z "$(flannel_rules "$1")" ]
}

etcd_start
node_add p 9
dual_stack p 9
for mode in iptables nftables; do
	native=false
	[ $mode = iptables ] || native=true
	etcd_conf "{\"Network\":\"10.244.0.0/16\",\"EnableIPv6\":true,\"IPv6Network\":\"fd00:10:244::/56\",\"EnableNFTables\":$native,\"Backend\":{\"Type\":\"vxlan\"}}"
	node_add a 1
	dual_stack a 1
	# Only in iptables mode do accepts of flannel save a packet from that.
	[ $mode = nftables ] || on a sh -c 'iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP'
	flanneld_start p --ip-masq
	wait_for 60 "$mode: flanneld runs on the neighbour" flanneld_runs p
	[ -e "$T/p1.ip" ] || pod_add p p1
	flanneld_start a --ip-masq
	wait_for 60 "$mode: flanneld runs" flanneld_runs a
	pod_add a a1
	pod_add a a2
	pod_add a a3
	wait_for 60 "$mode: IPv6 is there" quiet pings6 a1 p1
	all_ping "$mode: with flanneld" a1 a2 a3 p1
	# flanneld writes its IPv6 rules some time after it runs.
	wait_for 60 "$mode: and so are its rules" quiet sh -c "nsenter --target $(cat "$T/a.node") --net nft list ruleset | grep -q 'flannel-ipv6\|table ip6 nat'"
	wait_for 60 "$mode: it is at rest" at_rest a
	want_match "$mode: flannel's rules are there" . "$(flannel_rules a)"
	state_of a >"$T/flanneld.state"
	lease=$(lease_of 192.168.77.1)
	want_match "$mode: its lease is of both" BackendV6Data "$lease"
	env=$(on a cat /run/flannel/subnet.env)
	macs=$(on a cat /sys/class/net/flannel.1/address /sys/class/net/flannel-v6.1/address)

	outside_start
	nat_start a1
	nat_start a3 fd77::fe
	ping_start a2 p1
	ping_start a2 p1 6
	ping_start p1 a2
	ping_start p1 a2 6
	flanneld_stop a
	agent_start a --ip-masq
	wait_for 60 "$mode: Loden is ready" on a loden status
	wait_for 60 "$mode: IPv6, too" works a ipv6
	wait_for 60 "$mode: flannel's rules are gone" has_no_rules a
	sleep 2 # of packets
	for i in a2 a26 p1 p16; do ping_ended "$mode" "$i"; done
	stop nat-a1
	stop nat-a3
	stop outside
	for i in a1 a3; do want_match "$mode: new connections, one a millisecond" '^asked [0-9]{3,} answered [0-9]+$' "$(cat "$T/nat-$i.log")"; done
	want_eq "$mode: each came from the node's addresses, none was lost" \
		"192.168.77.1 $(awk '{ print $2 }' "$T/nat-a1.log") fd77::1 $(awk '{ print $2 }' "$T/nat-a3.log")" \
		"$(sort -n "$T/outside.log" | sed -n '/^192/p' | tail -n 1) $(grep : "$T/outside.log" | paste -sd ' ')"
	want_eq "$mode: two sources, no more" 2 "$(wc -l <"$T/outside.log")"
	want_eq "$mode: the lease is the same" "$lease" "$(lease_of 192.168.77.1)"
	want_eq "$mode: subnet.env, too" "$env" "$(on a cat /run/flannel/subnet.env)"
	want_eq "$mode: both MACs" "$macs" "$(on a cat /sys/class/net/flannel.1/address /sys/class/net/flannel-v6.1/address)"
	wait_for 10 "$mode: what is there is what is wanted" on a loden plan

	agent_stop a
	want_exit "$mode: uninstall" 0 on a loden uninstall
	# But for the plugin's mark on the pods' own links, which goes with them.
	want_eq "$mode: nothing of ours is left" '' "$(on a sh -c 'ip -d link | grep -v alias.loden:cbr0/; ip -4 route show proto 102; ip -6 route show proto 102
		ip nexthop; nft -s list ruleset; find /run /var/lib' 2>/dev/null | grep -i 'loden\|102' || :)"
	flanneld_start a --ip-masq
	wait_for 60 "$mode: flanneld runs again" flanneld_runs a
	wait_for 60 "$mode: pods ping" quiet pings a1 p1
	wait_for 60 "$mode: in both directions" quiet pings p1 a1
	state_is_as_before() {
		state_of a >"$T/after.state"
		diff "$T/flanneld.state" "$T/after.state"
	}
	wait_for 30 "$mode: the state is what it was before Loden came" state_is_as_before
	flanneld_stop a
	flanneld_stop p
	node_del a
done
