#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# A node goes from flanneld to Loden and back with running pods: lease, subnet and MAC stay, no ping is lost, no new
# connection leaves with a pod's address, and nothing of either is left behind. Once with flanneld's iptables rules,
# once with its nftables.
# shellcheck disable=SC2119
. "$(dirname "$0")/flannel.sh"

# What of flannel's firewall there is, in names.
flannel_rules() {
	on "$1" nft list ruleset 2>/dev/null | grep -Eo 'FLANNEL-[A-Z]+|flannel-ipv[46]' | sort -u
}

has_rules() {
	[ -n "$(flannel_rules "$1")" ]
}

has_no_rules() {
	! has_rules "$1"
}

state_is_as_before() {
	state_of a | diff "$T/flanneld.state" -
}

etcd_start
node_add p 9
for mode in iptables nftables; do
	native=false
	[ $mode = iptables ] || native=true
	etcd_conf "{\"Network\":\"10.244.0.0/16\",\"EnableNFTables\":$native,\"Backend\":{\"Type\":\"vxlan\"}}"
	node_add a 1
	# Only in iptables mode do accepts of flannel save a packet from that.
	[ $mode = nftables ] || on a iptables-nft -P FORWARD DROP
	flanneld_start p --ip-masq
	wait_for 20 "$mode: flanneld runs on the neighbour" flanneld_runs p
	[ -e "$T/p1.ip" ] || pod_add p p1
	flanneld_start a --ip-masq
	wait_for 20 "$mode: flanneld runs" flanneld_runs a
	pod_add a a1
	pod_add a a2
	all_ping "$mode: with flanneld" a1 a2 p1
	wait_for 20 "$mode: flannel's rules are there" has_rules a
	wait_for 20 "$mode: it is at rest" at_rest a
	state_of a >"$T/flanneld.state"
	lease=$(lease_of 192.168.77.1)
	env=$(on a cat /run/flannel/subnet.env)

	outside_start
	nat_start a1
	ping_start a2 p1
	ping_start p1 a2
	flanneld_stop a
	agent_start a --ip-masq
	wait_for 10 "$mode: Loden is ready" settled a
	wait_for 10 "$mode: flannel's rules are gone" has_no_rules a
	sleep 2 # of packets
	ping_ended "$mode" a2
	ping_ended "$mode" p1
	nat_ended "$mode" a1 192.168.77.1
	want_eq "$mode: the lease is the same" "$lease" "$(lease_of 192.168.77.1)"
	want_eq "$mode: subnet.env, too" "$env" "$(on a cat /run/flannel/subnet.env)"
	want_eq "$mode: what is there is what is wanted" 0 "$(on a loden plan >/dev/null; echo $?)"

	agent_stop a
	want_exit "$mode: uninstall" 0 on a loden uninstall
	# But for the plugin's mark on the pods' own links, which goes with them.
	want_eq "$mode: nothing of ours is left" '' "$(on a sh -c 'ip -d link | grep -v alias.loden:cbr0/; ip route show proto 102; ip nexthop
		nft -s list ruleset; find /run /var/lib' 2>/dev/null | grep -i 'loden\|102' || :)"
	# Nobody masquerades now: the measurement must see that.
	[ $mode = nftables ] || on a iptables-nft -P FORWARD ACCEPT
	outside_start
	nat_start a1
	stop nat-a1
	stop outside
	want_match "$mode: without either the pod's address is seen" "^$(cat "$T/a1.ip") [0-9]+\$" "$(cat "$T/outside.log")"
	[ $mode = nftables ] || on a iptables-nft -P FORWARD DROP
	flanneld_start a --ip-masq
	wait_for 20 "$mode: flanneld runs again" flanneld_runs a
	start=$(date +%s%3N)
	wait_for 10 "$mode: pods ping" quiet pings a1 p1
	echo "      $(($(date +%s%3N) - start)) ms after its backend ran"
	wait_for 10 "$mode: in both directions" quiet pings p1 a1
	wait_for 20 "$mode: the state is what it was before Loden came" state_is_as_before
	flanneld_stop a
	flanneld_stop p
	node_del a
done
