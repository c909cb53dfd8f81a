#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From the start of an agent on an empty kernel (as after a reboot) to all peers. Loden: verified, from disk,
# with etcd dead, by its own word ("agent.ready"), which comes after it has read everything back. flanneld
# needs etcd, and gets it: until the last object is there. One JSON object a line on stdout.
# Usage: disk.sh LODEN FLANNELD REPAIR PEERS ROUNDS
set -euo pipefail
loden=$1 flanneld=$2 repair=$3 peers=$4 rounds=$5
ns=lbench-d$$
# shellcheck source=tests/bench/node.sh
. "$(dirname "$0")/node.sh"

boot() {
	node_del
	node_add
	rm -rf "$dir/run" "$dir/subnet.env"
}

end() { kill "$1"; wait "$1" 2>/dev/null || true; }
say() { awk -v w="$1" -v a="$2" -v b="$3" 'BEGIN { printf "{\"what\":\"%s\",\"ms\":%.1f}\n", w, (b - a) * 1000 }'; }

boot
etcd_start
in_ns etcdctl put /coreos.com/network/config \
	'{"Network":"10.64.0.0/10","SubnetLen":24,"EnableNFTables":true,"Backend":{"Type":"vxlan"}}' >/dev/null
{
	echo
	for ((i = 1; i <= peers; i++)); do
		printf 'put "/coreos.com/network/subnets/10.%d.%d.0-24" "{\\"PublicIP\\":\\"192.168.%d.%d\\",\\"PublicIPv6\\":null,\\"BackendType\\":\\"vxlan\\",\\"BackendData\\":{\\"VNI\\":1,\\"VtepMAC\\":\\"02:00:00:00:%02x:%02x\\"}}"\n' \
			$((64 + (i >> 8))) $((i & 255)) $((i >> 8)) $((i & 255)) $((i >> 8)) $((i & 255))
	done
	echo
	echo
} >"$dir/seed"
in_ns etcdctl --command-timeout 60s txn <"$dir/seed" >/dev/null

for ((i = 0; i < rounds; i++)); do
	end "$etcd"
	boot
	etcd_start
	start=$EPOCHREALTIME
	ip netns exec "$ns" "$flanneld" --etcd-endpoints http://127.0.0.1:2379 --iface eth0 --ip-masq \
		--subnet-file "$dir/subnet.env" >"$dir/flanneld.log" 2>&1 &
	agent=$!
	pids+=("$agent")
	until [ "$(in_ns "$repair" count flannel.1 2>/dev/null || echo)" = "$peers $peers $peers" ]; do
		awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a < 60) }' || exit 1
	done
	say flanneld "$start" "$EPOCHREALTIME"
	end "$agent"
done

# Loden, its log through a pipe: the line is there when it happens.
mkfifo "$dir/log"
loden_start() {
	ip netns exec "$ns" "$loden" agent --etcd-endpoints http://127.0.0.1:2379 --iface eth0 --ip-masq --instance bench \
		--subnet-file "$dir/subnet.env" --run-dir "$dir/run" --state-dir "$dir/state" >"$dir/log" 2>&1 &
	agent=$!
	pids+=("$agent")
	exec 8<"$dir/log"
	while read -r -t 60 line <&8; do
		case $line in *agent.ready*) return ;; esac
	done
	return 1
}
loden_end() {
	cat <&8 >/dev/null &
	end "$agent"
	exec 8<&-
}
end "$etcd"
boot
etcd_start
loden_start
sleep 2
loden_end
end "$etcd"
for ((i = 0; i < rounds; i++)); do
	boot
	start=$EPOCHREALTIME
	loden_start
	say loden "$start" "$EPOCHREALTIME"
	[ "$(in_ns "$repair" count flannel.1)" = "$peers $peers $peers" ] || exit 1
	loden_end
done
