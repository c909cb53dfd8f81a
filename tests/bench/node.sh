# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A node of its own for a bench: a network namespace $ns with an uplink that leads nowhere, an etcd in it, files in
# $dir; all gone at the end. To be read behind ns=NAME.
: "${ns:?a name}"
dir=$(mktemp -d) pids=() etcd=
export ETCDCTL_API=3

node_del() {
	ip netns del "$ns" 2>/dev/null || true
	ip netns del "$ns-peer" 2>/dev/null || true
}

cleanup() {
	local pid
	for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	node_del
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

in_ns() { ip netns exec "$ns" "$@"; }

# (Not every kernel has the dummy device.)
node_add() {
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	ip netns add "$ns-peer"
	ip -n "$ns" link add eth0 type veth peer name eth0 netns "$ns-peer"
	ip -n "$ns-peer" link set eth0 up
	ip -n "$ns" addr add 192.168.255.1/16 dev eth0
	ip -n "$ns" link set eth0 up
	ip -n "$ns" route add default via 192.168.255.254
}

# $etcd: its process
etcd_start() {
	ip netns exec "$ns" etcd --data-dir "$dir/etcd" --log-level error --max-txn-ops 100000 --max-request-bytes 33554432 \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380 >>"$dir/etcd.log" 2>&1 &
	etcd=$!
	pids+=("$etcd")
	for _ in $(seq 100); do in_ns etcdctl endpoint health >/dev/null 2>&1 && return; sleep 0.1; done
	return 1
}
