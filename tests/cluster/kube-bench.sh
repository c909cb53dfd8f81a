#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One agent, flanneld or Loden, on one node of a cluster of many Nodes as big as real ones: what it takes to start, what it
# keeps, what heartbeats cost it, how soon it knows a new one. A JSON object a line, among what it does.
#
#	sh tests/cluster/kube-bench.sh flanneld|loden [NODES=5000 [SECONDS=60 [HEARTBEATS_PER_SECOND=50]]]
#
# (KUBE_ETCD=3.4: the API server then does not know sendInitialEvents.)
KUBE_ETCD=${KUBE_ETCD:-3.6}
export KUBE_ETCD
. "$(dirname "$0")/kube.sh"
who=${1:-flanneld} nodes=${2:-5000} seconds=${3:-60} rate=${4:-50}
case $who in
flanneld) agent='flanneld-a' ;;
loden) agent='agent-a' ;;
*) skip "flanneld or loden?" ;;
esac

start() {
	began_ms=$(date +%s%3N)
	rx=$(received)
	case $who in
	flanneld) kube_flanneld_start a --iface=eth0 --ip-masq ;;
	loden) kube_agent_start a --iface=eth0 --ip-masq ;;
	esac
	wait_for 100 "$1" routes "$nodes"
	result "$1" ".wall_ms = $(($(date +%s%3N) - began_ms)) | .cpu_ms = $(cpu_ms $agent) | .bytes = $(($(received) - rx))"
}

end() {
	case $who in
	flanneld) flanneld_stop a ;;
	loden) agent_stop a ;;
	esac
}

routes() {
	[ "$(on a ip -4 route show dev flannel.1 | grep -c via)" = "$1" ]
}

# All that came to the node, TLS and TCP with it.
received() {
	on a cat /sys/class/net/eth0/statistics/rx_bytes
}

# result WHAT FILTER
result() {
	jq -nc --arg who "$who" --argjson nodes "$nodes" --arg what "$1" "{who: \$who, nodes: \$nodes, what: \$what} | $2"
}

# memory WHAT
memory() {
	result "$1" "$(awk '/^VmHWM/ { h = $2 } /^RssAnon/ { a = $2 } /^VmRSS/ { r = $2 }
		END { printf ".peak_kb = %d | .rss_kb = %d | .anonymous_kb = %d", h, r, a }' "/proc/$(pid_of $agent)/status")"
}

kube_up
kube_conf '{"Network":"10.64.0.0/10","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
node_add a 1
kube_node_add a 10.64.0.0/24
kube nodes "$nodes" 1

start 'start, nothing known'
sleep 10
memory 'memory after start'

kube_forget
rx=$(received) cpu=$(cpu_ms $agent)
kube churn "$rate" "$seconds"
result "$rate heartbeats a second for $seconds s" ".cpu_ms = $(($(cpu_ms $agent) - cpu)) | .bytes = $(($(received) - rx)) |
	.patches = $(kube_patches $KUBE_ACCOUNT | wc -l)"
rx=$(received) cpu=$(cpu_ms $agent)
kube_forget
sleep "$seconds"
result "nothing for $seconds s" ".cpu_ms = $(($(cpu_ms $agent) - cpu)) | .bytes = $(($(received) - rx)) |
	.requests = $(kube_asked $KUBE_ACCOUNT | wc -l)"
memory 'memory after heartbeats'

# From when the API server is asked to make the Node, to when the kernel says that its route is there.
kube_forget
on_bg a monitor ip -ts monitor route
sleep 1
for i in 1 2 3 4 5 6 7 8 9 10; do
	kube nodes 1 $((nodes + i)) >/dev/null
	wait_for 20 "another Node, $i" routes $((nodes + i))
done
stop monitor
jq -r 'select(.verb == "create" and .objectRef.name) | "\(.objectRef.name) \(.requestReceivedTimestamp)"' "$T/audit.json" >"$T/created"
sed -n 's/^\[\([^]]*\)\] *\(10[^ ]*\) via.*/\2 \1/p' "$T/monitor.log" >"$T/seen"
paste "$T/created" "$T/seen" | while read -r node made subnet seen; do
	echo $(($(date -d "${seen%Z}" +%s%6N) - $(date -d "$made" +%s%6N)))
	: "$node $subnet"
done | sort -n >"$T/late"
result 'a new Node, to its route' ".p50_us = $(sed -n 5p "$T/late") | .most_us = $(sed -n '$p' "$T/late") | .n = $(wc -l <"$T/late")"

nodes=$((nodes + 10))
end
# The kernel forgot, the disk did not.
on a ip link del flannel.1
start 'start again, nothing in the kernel'
sleep 5
memory 'memory after that'
end
