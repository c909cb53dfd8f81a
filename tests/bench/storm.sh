#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody else makes 10,000 changes a second to routes and neighbours on a link of his own: what that costs the
# agent, and when it has verified everything after the storm, of whose end it heard nothing: it was stopped
# until messages were lost (ENOBUFS). One JSON object on stdout.
# Usage: storm.sh LODEN REPAIR PEERS
set -euo pipefail
loden=$1 repair=$2 peers=$3
ns=lbench-s$$
# shellcheck source=tests/bench/node.sh
. "$(dirname "$0")/node.sh"

begin() { ip netns exec "$ns" "$@" & pids+=($!); }
ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
until_true() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "bench: storm: in vain: $*" >&2; exit 1; }
		sleep 0.01
	done
}

ip netns add "$ns"
ip -n "$ns" link set lo up
for link in eth lab; do
	ip -n "$ns" link add ${link}0 type veth peer name ${link}1
	ip -n "$ns" link set ${link}1 up
	ip -n "$ns" link set ${link}0 up
done
ip -n "$ns" addr add 192.168.255.1/16 dev eth0
ip -n "$ns" addr add 10.11.0.1/16 dev lab0
etcd_start
in_ns etcdctl put /coreos.com/network/config '{"Network":"10.64.0.0/10","Backend":{"Type":"vxlan"}}' >/dev/null
{
	echo
	for ((i = 1; i <= peers; i++)); do
		printf 'put "/coreos.com/network/subnets/10.%d.%d.0-24" "{\\"PublicIP\\":\\"192.168.%d.%d\\",\\"BackendType\\":\\"vxlan\\",\\"BackendData\\":{\\"VNI\\":1,\\"VtepMAC\\":\\"02:00:00:00:%02x:%02x\\"}}"\n' \
			$((64 + (i >> 8))) $((i & 255)) $((i >> 8)) $((i & 255)) $((i >> 8)) $((i & 255))
	done
	echo
	echo
} | in_ns etcdctl --command-timeout 60s txn >/dev/null

begin "$loden" agent --etcd-endpoints http://127.0.0.1:2379 --iface eth0 --ip-masq --subnet-file "$dir/subnet.env" \
	--run-dir "$dir/run" --state-dir "$dir/state" --instance bench >"$dir/agent.log" 2>&1
agent=${pids[-1]}
verified() {
	[ "$(in_ns "$loden" status --run-dir "$dir/run" --json 2>/dev/null |
		jq "[.ready, .verified_generation == .generation, .peers_verified == $peers] | all")" = true ] &&
		[ "$(in_ns "$repair" count flannel.1)" = "$peers $peers $peers" ]
}
until_true 60 verified

# A thousand changes, more than ten times a second.
seq 0 249 | awk '{
	printf "route add 10.12.%d.0/24 via 10.11.0.2 dev lab0\nneigh replace 10.11.1.%d lladdr 02:11:00:00:00:01 dev lab0 nud permanent\n", $1, $1
	undo = undo sprintf("route del 10.12.%d.0/24\nneigh del 10.11.1.%d dev lab0\n", $1, $1)
} END { printf "%s", undo }' >"$dir/changes"
mkfifo "$dir/fifo"
begin ip -force -batch "$dir/fifo" 2>/dev/null
storm=${pids[-1]}
while :; do
	cat "$dir/changes"
	echo >>"$dir/rounds"
	sleep 0.08
done >"$dir/fifo" 2>/dev/null &
pids+=($!)
cpu_ms() { sed 's/.*) //' "/proc/$agent/stat" | awk -v hz="$(getconf CLK_TCK)" '{ print int(($12 + $13) * 1000 / hz) }'; }
rounds() { wc -l <"$dir/rounds"; }
sleep 1
cpu=$(cpu_ms) start=$(ms) made=$(rounds)
sleep 5
cpu=$(($(cpu_ms) - cpu)) took=$(($(ms) - start)) made=$(($(rounds) - made))

overruns() {
	local sockets
	sockets=$(find "/proc/$agent/fd" -lname 'socket:*' -printf '%l ' | tr -dc '0-9 ')
	in_ns cat /proc/net/netlink | awk -v ours=" $sockets" 'index(ours, " " $10 " ") { n += $9 } END { print n + 0 }'
}
lost() { [ "$(overruns)" -gt 0 ]; }
kill -STOP "$agent"
until_true 60 lost
ip -n "$ns" route del 10.64.1.0/24
kill -KILL "$storm"
kill -CONT "$agent"
start=$(ms)
until_true 60 verified
jq -nc --argjson rate $((made * 1000000 / took)) --argjson cpu $((cpu * 1000 / took)) --argjson lost "$(overruns)" \
	--argjson ms $(($(ms) - start)) \
	'{what: "storm", changes_per_second: $rate, cpu_percent: ($cpu / 10), overruns: $lost, verified_ms: $ms}'
