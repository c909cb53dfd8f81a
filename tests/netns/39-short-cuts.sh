#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Without br_netfilter the status counts the ports of cni0 that are not isolated: by these pods answer each other
# past the firewall.
. "$(dirname "$0")/lib.sh"
NF=/proc/sys/net/bridge/bridge-nf-call-iptables

# plugin NETNS DELEGATE: a pod by our plugin
plugin() {
	on a ip netns add "$1"
	printf '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"isDefaultGateway":true%s}}' "$2" |
		on a env CNI_COMMAND=ADD CNI_CONTAINERID="$1" CNI_NETNS="/run/netns/$1" CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$1.json"
}

# notes REGEX, no_notes REGEX
notes() {
	on a loden status --json | jq -r '.notes | tostring' | grep -Eq "$1"
}
no_notes() {
	! notes "$1"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
node_add a
on a sh -c "[ ! -e $NF ] || echo 0 >$NF"
agent_start a --audit-interval=1
wait_for 10 'ready' on a loden status
plugin one ''
sleep 1.5
want_exit 'a pod of ours is not counted' 0 no_notes 'not isolated'
# Another plugin's, and ours that was told so.
on a ip link add old type veth peer name oldpod
on a ip link set old master cni0 up
plugin two ',"localTraffic":"bridged"'
wait_for 5 'two others are' notes '2 port.s. of cni0 are not isolated, and br_netfilter is absent or off'
want_exit 'the node is ready all the same' 0 on a loden status
on a bridge link set dev old isolated on
wait_for 5 'one is isolated' notes '1 port.s. of cni0 are not'
if on a [ -e $NF ]; then
	on a sh -c "echo 1 >$NF"
	wait_for 5 'br_netfilter on: there is no short cut' no_notes 'not isolated'
fi
