#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 540
# Beside the rules of other programs (firewalls/) pods reach each other across nodes and the world outside, or
# `loden status` names the chain, its owner and what to run; their rules stay as they are. (S0-04, S0-08,
# S0-12, S0-13, S0-15, S2-06, S2-12, S3-02; E12..E15)
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/lib.sh"
command -v perl >/dev/null || skip 'no perl, which answers for the pods'
SETS=$ROOT/tests/netns/firewalls

# Not ping: UFW lets that pass by itself.
pod_add() { # NODE POD
	on "$1" ip netns add "$2"
	echo '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"isDefaultGateway":true}}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$2.json"
	jq -r '.ips[0].address | split("/")[0]' "$T/$2.json" >"$T/$2.ip"
	on_bg "$1" "serve-$2" ip netns exec "$2" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 9, ReuseAddr => 1) or die;
		close $s->accept() while 1'
}

connects() { # POD ADDRESS PORT
	on "${1%?}" ip netns exec "$1" timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3"
}

across() {
	connects a1 "$(cat "$T/b1.ip")" 80 && connects b1 "$(cat "$T/a1.ip")" 80
}

# etcd is the world outside: it knows no way back to pods.
all_pass() {
	across && connects a1 192.168.77.254 2379 && connects b1 192.168.77.254 2379
}

load() { # NODE SET
	case $2 in
	*.nft) on "$1" nft -f "$SETS/$2" ;;
	*) on "$1" iptables-nft-restore <"$SETS/$2" ;;
	esac
}

# rules NODE: all that is not ours
rules() {
	on "$1" nft list tables | grep -v ' loden\(_peers\)\?$' | while read -r _ family name; do
		on "$1" nft -s list table "$family" "$name"
	done | grep -v 'loden: flanneld forward'
}

# begin SET: there before the agent of a starts, and after that of b
begin() {
	set_=$1
	for n in a b; do
		agent_stop "$n"
		on "$n" nft flush ruleset
	done
	load a "$set_"
	rules a >"$T/rules"
	for n in a b; do agent_start "$n" --ip-masq; done
	for n in a b; do wait_for 10 "$set_: $n is ready" on "$n" loden status; done
	load b "$set_"
}

# same WHEN [NODE…]: others' rules are as they were
same() {
	when_=$1
	shift
	for n in "${@:-a}"; do
		rules "$n" >"$T/rules-now"
		diff "$T/rules" "$T/rules-now" >"$T/rules.diff" ||
			fail "$set_: others' rules on $n have changed ($when_): $(cat "$T/rules.diff")"
	done
	pass "$set_: others' rules are as they were ($when_)"
}

# passes WHEN: and nothing is said about it
passes() {
	wait_for 8 "$set_: packets of pods pass ($1)" all_pass
	for n in a b; do
		wait_for 5 "$set_: nothing to say on $n ($1)" not_said "$n" 'may drop'
	done
}

# named REGEX…: nothing passes across, and each node says why
named() {
	! across || fail "$set_: passes, so there is nothing to name"
	for n in a b; do
		for regex_; do
			wait_for 5 "$set_: $n says: $regex_" said "$n" "$regex_"
		done
	done
}

said() {
	on "$1" loden status | grep -E -- "$2"
}

not_said() {
	on "$1" loden status >"$T/not_said" && ! grep -E -- "$2" "$T/not_said"
}

# heed NODE: runs what the status says
heed() {
	on "$1" loden status | sed -n 's/.* may drop .* run: //p' >"$T/run"
	on "$1" sh -e "$T/run" || fail "$set_: cannot run: $(cat "$T/run")"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a b; do
	node_add "$n"
	agent_start "$n" --ip-masq
done
for n in a b; do
	wait_for 10 "$n is ready" on "$n" loden status
	pod_add "$n" "${n}1"
done
wait_for 5 'packets pass without a firewall' all_pass

# --- those beside which everything passes ---------------------------------------------------------

for set in docker.iptables kube-proxy.iptables kube-proxy.nft cilium.iptables calico.iptables; do
	begin "$set"
	passes 'loaded before one agent and after the other'
	same 'beside our accepts' a b
	load a "$set"
	passes 'restarted'
	same 'after a restart' a
	case $set in
	kube-proxy*)
		wait_for 3 "$set: pods reach a service" connects a1 10.96.0.1 443
		! connects a1 10.96.0.10 53 || fail "$set: a service without endpoints answers"
		;;
	esac
	on a nft flush ruleset
	passes 'nft flush ruleset'
	load a "$set"
	on a iptables-nft -P FORWARD DROP
	passes 'iptables -P FORWARD DROP'
	on a iptables-nft -F
	passes 'iptables -F'
done

# --- those that close the port of the overlay -----------------------------------------------------

begin ufw.iptables
named 'nf_tables chain ip filter INPUT .of UFW, .* may drop .*8472' 'run: ufw allow 8472/udp$'
same 'named' a b
# What that command was seen to do.
for n in a b; do on $n iptables-nft -A ufw-user-input -p udp -m udp --dport 8472 -j ACCEPT; done
passes 'allowed'
rules a >"$T/rules"
load a ufw.iptables
on a iptables-nft -A ufw-user-input -p udp -m udp --dport 8472 -j ACCEPT
passes 'restarted'
same 'after a restart'
on a iptables-nft -F
wait_for 5 'iptables -F leaves the policy: it is named' said a 'chain ip filter INPUT .* may drop'
! across || fail 'ufw.iptables: INPUT DROP does not drop'
on a nft flush ruleset
passes 'nft flush ruleset'

begin firewalld.nft
named 'nf_tables chain inet firewalld filter_INPUT .* may drop .*8472' \
	'firewall-cmd --permanent --add-port=8472/udp && firewall-cmd --reload$' \
	'nf_tables chain inet firewalld filter_FORWARD .* may drop ' \
	'firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/16 && firewall-cmd --reload$'
same 'named' a b
# What these commands were seen to do.
for n in a b; do
	on $n nft 'add chain inet firewalld filter_IN_trusted { accept; }
		add chain inet firewalld filter_FWD_trusted { accept; }
		insert rule inet firewalld filter_INPUT_ZONES ip saddr 10.244.0.0/16 goto filter_IN_trusted
		insert rule inet firewalld filter_FORWARD_ZONES ip saddr 10.244.0.0/16 goto filter_FWD_trusted
		add rule inet firewalld filter_IN_public_allow udp dport 8472 accept'
done
wait_for 5 'firewalld.nft: packets of pods pass (trusted)' all_pass
wait_for 5 'firewalld.nft: the port is no trouble any more' not_said a filter_INPUT
rules a >"$T/rules"
on a nft flush ruleset
wait_for 5 'firewalld.nft: packets of pods pass (flushed)' all_pass

begin nftables.nft
named 'nf_tables chain inet filter input .*policy drop.* may drop .*8472' \
	'run: nft insert rule inet filter input udp dport 8472 accept' \
	'nf_tables chain inet filter forward .*policy drop.* may drop '
same 'named' a b
heed a
heed b
passes 'what the status says was run'

# --- iptables-legacy: tables that nf_tables does not show ------------------------------------------

if ! on a iptables-legacy -S >/dev/null 2>&1; then
	pass 'this kernel has no iptables-legacy: left out'
	exit 0
fi
set_='docker.iptables in iptables-legacy'
for n in a b; do
	agent_stop "$n"
	on "$n" nft flush ruleset
	on "$n" iptables-legacy-restore <"$SETS/docker.iptables"
	agent_start "$n" --ip-masq
done
named 'iptables-legacy chain filter FORWARD .policy drop. may drop ' 'run: iptables-legacy -I FORWARD '
heed a
heed b
wait_for 8 "$set_: packets of pods pass (what the status says was run)" all_pass
# No notice tells of a change there: the next look does.
agent_stop a
agent_start a --ip-masq
wait_for 10 "$set_: a is ready" on a loden status
wait_for 3 "$set_: nothing to say any more" not_said a 'may drop'
