#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Agent and plugins run no other program, and need none: with nothing in PATH they start, heal, attach pods and clean
# up; nor does a proxy in the environment concern them. (S0-14, S2-11)
. "$(dirname "$0")/lib.sh"

STRACE=$(command -v strace) || skip 'no strace: install it'
NOBODY=http://192.168.77.77:1
CONF='{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}'

# watched NAME [-E VARIABLE=VALUE]… COMMAND…: without PATH; what it executes comes into $T/NAME.exec. The process stays the command's.
watched() {
	name_=$1
	shift
	set -- env -i HTTP_PROXY="$NOBODY" HTTPS_PROXY="$NOBODY" ALL_PROXY="$NOBODY" "$STRACE" -D -f -qq -e signal=none -e trace=execve,execveat -o "$T/$name_.exec" "$@"
	if [ "$name_" = agent ]; then on_bg a agent-a "$@"; else on a "$@"; fi
}

# want_only NAME PROGRAM: it was executed, and nothing else
want_only() {
	want_eq "$1 executed nothing" "$2" "$(sed -n 's/.*execve[a-z]*("\([^"]*\)".*/\1/p' "$T/$1.exec")"
}

node_add a
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
watched agent "$BUILD/loden" agent --etcd-endpoints="$ETCD_URL" --ip-masq
wait_for 15 'ready' on a loden status
on a sh -c 'nft flush ruleset; ip link del flannel.1; echo 0 >/proc/sys/net/ipv4/ip_forward'
healed() {
	on a sh -c 'nft list table ip loden && ip link show flannel.1 && grep 1 /proc/sys/net/ipv4/ip_forward' &&
		on a loden status
}
wait_for 15 'healed' healed

on a ip netns add pod
for verb in ADD CHECK DEL; do
	[ $verb != CHECK ] || CONF=$(echo "$CONF" | jq -c --slurpfile result "$T/ADD.json" '.prevResult = $result[0]')
	echo "$CONF" | watched $verb -E CNI_COMMAND=$verb -E CNI_CONTAINERID=c -E CNI_NETNS=/run/netns/pod \
		-E CNI_IFNAME=eth0 -E CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$verb.json" || fail "$verb: $(cat "$T/$verb.json")"
	pass "$verb"
done
agent_stop a
watched uninstall "$BUILD/loden" uninstall >/dev/null

want_only agent "$BUILD/loden"
for verb in ADD CHECK DEL; do want_only $verb "$BUILD/cni/flannel"; done
want_only uninstall "$BUILD/loden"
