#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 2400
# Faults at random for two minutes, leases from the Kubernetes API (./dev soak kube MINUTES [SEED]): the same as in
# 60-soak, with an API server that is killed, stands still, is out of one node's reach or voids tokens, and with Nodes that
# leave and join, with other podCIDRs. (S1-02, S1-05)
# shellcheck disable=SC2034,SC2119 # for soak.sh; flags of the API server
. "$(dirname "$0")/kube.sh"
. "$(dirname "$0")/soak.sh"

n_cidrs=0
begin() {
	kube_agent_start "$1" --ip-masq
}
# join NODE [podCIDR]: without, one that nobody had before
join() {
	n_cidrs=$((n_cidrs + 1))
	kube_node_add "$1" "${2:-10.$((244 + n_cidrs / 250)).$((n_cidrs % 250)).0/24}"
}
leave() { kube_node_del "$1"; }

peers_come() { kube -cidr 10.100.0.0/16 nodes 100; }
peers_go() { kube delete; }

told() {
	kube request GET /api/v1/nodes 2>/dev/null | jq -r --arg own "$1" '.items[] | select(.metadata.name != $own)
		| (.metadata.annotations | with_entries(.key |= ltrimstr("flannel.alpha.coreos.com/"))) as $a
		| select($a["kube-subnet-manager"] == "true")
		| "\(.spec.podCIDR) \($a["backend-data"] | fromjson | .VtepMAC) \($a["public-ip"])"' | sort
}

# --- faults of Nodes and of the API server --------------------------------------------------------

# The Node is deleted and made anew, as it was.
node_anew() {
	cidr_=$(kube_node "$1" .spec.podCIDR)
	kube_node_del "$1"
	rnd 10
	sleep "0.$r"
	join "$1" "$cidr_"
}
# Ditto, with another podCIDR: the agent stays with what its pods use, until they are gone and it begins anew.
node_renumbered() {
	reachable "$1"
	wait_for 60 "$1: has seen the Node" settled "$1"
	kube_node_del "$1"
	rnd 10
	sleep "0.$r"
	join "$1"
	wait_for 60 "$1: names both podCIDRs" problem_is "$1" 'the lease is for .* now, but pods use .*drain the node'
	pod_del "$1" "$1"1
	restarted "$1"
}
api_killed() {
	stop kube-apiserver KILL
	rnd 4
	sleep "$r"
	kube_api_start
}
api_ended() {
	stop kube-apiserver TERM
	kube_api_start
}
api_stands_still() {
	kill -STOP "$(pid_of kube-apiserver)"
	rnd 6
	sleep "$r"
	kill -CONT "$(pid_of kube-apiserver)"
}
api_without_etcd() {
	stop kube-etcd KILL
	rnd 4
	sleep "$r"
	kube_etcd_start
}
# Until the next of this node, or until all shall be well.
api_unreachable() {
	if [ -e "$T/$1.cut" ]; then
		kube_mend "$1" && rm -f "$T/$1.cut"
	else
		kube_cut "$1" && : >"$T/$1.cut"
	fi
}
token_rotated() { kube_token flannel; }
tokens_void() { kube_void_tokens; }
reachable() {
	[ ! -e "$T/$1.cut" ] || api_unreachable "$1"
}
mend() {
	for i_ in $nodes; do reachable "$i_"; done
}

REPLAY='./dev soak kube'
ON_ANY="$ON_ANY node_anew api_killed api_ended api_stands_still api_without_etcd api_unreachable token_rotated tokens_void"
ON_OTHERS="$ON_OTHERS node_renumbered"

kube_up
# Nodes have 10.244 and up, peers of no substance 10.100.
kube_conf '{"Network":"10.0.0.0/8","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
soak "$@"
