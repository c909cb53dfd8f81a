#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# flanneld and Loden on one node: Loden says so and leaves flanneld's firewall to it, whoever came first; nothing is
# fought over, and when flanneld has ended Loden takes over what it left. What lies in iptables-legacy is named with
# commands that remove it. (S2-02, S2-15; E17)
# shellcheck disable=SC2119
. "$(dirname "$0")/flannel.sh"

rules_of() {
	on "$1" nft list ruleset 2>/dev/null | grep -Eo 'FLANNEL-[A-Z]+' | sort -u | tr '\n' ' '
}

legacy_chains() {
	on q iptables-legacy-save >"$T/legacy" && grep -q '^-A POSTROUTING .*FLANNEL-POSTRTG' "$T/legacy" &&
		grep -q '^-A FORWARD .*FLANNEL-FWD' "$T/legacy"
}

no_rules() {
	[ -z "$(rules_of "$1")" ]
}

says() { # NODE REGEX
	on "$1" loden status | grep -Eq -- "$2"
}

repairs() {
	fact "$1" .repairs
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a p; do node_add "$n"; done
flanneld_start p --ip-masq
flanneld_start a --ip-masq --iptables-resync=1
wait_for 20 'flanneld runs' flanneld_runs a
wait_for 20 'and on a neighbour' flanneld_runs p
pod_add a a1
pod_add p p1
wait_for 20 'it is at rest' at_rest a
lease=$(lease_of 192.168.77.1)

agent_start a --ip-masq
wait_for 10 'Loden comes to it, and is ready' on a loden status
pid=$(on a pidof flanneld | tr ' ' '\n' | while read -r i; do
	[ "$(readlink "/proc/$i/ns/net")" != "$(readlink "/proc/$(cat "$T/a.node")/ns/net")" ] || echo "$i"; done)
wait_for 10 'the status says whose firewall is left alone, and what to do' \
	says a "flanneld \(pid $pid.*\) keeps this node's network, too.*To stay with Loden, stop flanneld"
want_match 'the log says so' "flanneld runs on this node, too \(pid $pid\)" "$(agent_log a)"
before=$(repairs a)
sleep 4
want_eq 'its rules are there' 'FLANNEL-FWD FLANNEL-POSTRTG ' "$(rules_of a)"
want_no_match 'it never missed one' 'rules are missing' "$(cat "$T/flanneld-a.log")"
want_eq 'nothing was repaired' "$before" "$(repairs a)"
want_eq 'one lease' "$lease" "$(lease_of 192.168.77.1)"
all_ping 'both keep one network' a1 p1
node_add q
agent_start q --ip-masq
wait_for 10 'a new peer is ready' on q loden status
pod_add q q1
all_ping 'both follow it' a1 p1 q1
wait_for 20 'and come to rest' at_rest a
want_match 'without a quarrel' '^[0-4]$' "$(($(repairs a) - before))"

outside_start
nat_start a1
ping_start a1 p1
flanneld_stop a KILL
wait_for 10 'it was killed: what it left is taken over' no_rules a
wait_for 5 'the status is silent about it' on a sh -c '! loden status | grep -q "keeps this"'
ping_ended 'with its end' a1
nat_ended 'with its end' a1 192.168.77.1

flanneld_start a --ip-masq --iptables-resync=1
wait_for 20 'flanneld comes to Loden' flanneld_runs a
wait_for 10 'and is recognised' says a "keeps this node's network, too"
sleep 3
want_eq 'its rules are left alone' 'FLANNEL-FWD FLANNEL-POSTRTG ' "$(rules_of a)"
want_no_match 'it never missed one' 'rules are missing' "$(cat "$T/flanneld-a.log")"
want_eq 'one lease' "$lease" "$(lease_of 192.168.77.1)"
all_ping 'both keep one network' a1 p1 q1
flanneld_stop a
wait_for 10 'and are taken over' no_rules a

# --- iptables-legacy ------------------------------------------------------------------------------

want_eq 'nobody made a table of iptables-legacy by asking for it' '' "$(on a cat /proc/net/ip_tables_names 2>/dev/null)"
agent_stop q
export IPTABLES=legacy
if ! quiet on q iptables-legacy -t nat -S; then
	echo 'not shown: chains of iptables-legacy are named; this kernel has no such tables'
else
	flanneld_start q --ip-masq
	wait_for 20 'flanneld with iptables-legacy runs' flanneld_runs q
	wait_for 20 'it makes its chains' legacy_chains
	wait_for 20 'and comes to rest' at_rest q
	flanneld_stop q
	want_exit 'and leaves them' 0 legacy_chains
	agent_start q --ip-masq
	wait_for 10 'Loden is ready' on q loden status
	wait_for 10 'both are named: masquerade' says q 'iptables-legacy chain nat FLANNEL-POSTRTG of an earlier flanneld'
	wait_for 10 'both are named: forward' says q 'iptables-legacy chain filter FLANNEL-FWD of an earlier flanneld'
	on q loden status | grep 'iptables-legacy chain' | sed 's/.* run: //' >"$T/commands"
	want_exit 'the commands work' 0 on q sh -e "$T/commands"
	want_no_match 'nothing is left' FLANNEL "$(on q iptables-legacy-save)"
	agent_stop q
	agent_start q --ip-masq
	wait_for 10 'ready' on q loden status
	want_no_match 'nor said' legacy "$(on q loden status)"
fi
