#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two agents, flanneld on node f and Loden on node l, in one cluster of many Nodes as big as real ones: what each takes to
# start, what it keeps, what heartbeats cost it, how soon it knows a new one. A JSON object a line, among what it does.
#
#	sh tests/cluster/kube-bench.sh ["1 100 1000 5000" [SECONDS=60 [HEARTBEATS_PER_SECOND=50 [QUIET_SECONDS=60]]]]
#
# They start and are measured one after the other with each number of Nodes; with the last they run side by side, so that the
# same heartbeats and the same new Nodes come to both. (KUBE_ETCD=3.4: the API server then does not know sendInitialEvents.)
KUBE_ETCD=${KUBE_ETCD:-3.6}
export KUBE_ETCD
. "$(dirname "$0")/kube.sh"
sizes=${1:-1 100 1000 5000} seconds=${2:-60} rate=${3:-50} quiet=${4:-60}
have=0 # Nodes that nobody is behind
NEW=10 # Nodes that join while both are there

# --- one agent ------------------------------------------------------------------------------------

# agent_of NODE, who NODE
agent_of() {
	case $1 in f) echo flanneld-f ;; l) echo agent-l ;; esac
}

who() {
	case $1 in f) echo flanneld ;; l) echo loden ;; esac
}

end() {
	case $1 in f) flanneld_stop f ;; l) agent_stop l ;; esac
}

# routes NODE N: to all Nodes nobody is behind, and perhaps to that of the other agent
routes() {
	[ "$(on "$1" ip -4 route show dev flannel.1 | grep -c via)" -ge "$2" ]
}

# All that came to the node, TLS and TCP with it.
received() {
	on "$1" cat /sys/class/net/eth0/statistics/rx_bytes
}

# Of all its threads, and more exactly than in hundredths of a second (sched-stats.rst: the first is nanoseconds).
cpu_us() {
	cat "/proc/$(pid_of "$(agent_of "$1")")"/task/*/schedstat | awk '{ ns += $1 } END { printf "%d\n", ns / 1000 }'
}

# asked NODE: how many requests it made since kube_forget, a watch counted when it began
asked() {
	jq -r --arg account "$KUBE_ACCOUNT" --arg who "$(who "$1")" 'select(.user.username == $account)
		| select(.userAgent | startswith($who))
		| select(.stage == if .verb == "watch" then "ResponseStarted" else "ResponseComplete" end) | .verb' "$T/audit.json"
}

# result NODE WHAT FILTER
result() {
	jq -nc --arg who "$(who "$1")" --argjson nodes "$have" --arg what "$2" "{who: \$who, nodes: \$nodes, what: \$what} | $3"
}

memory() {
	result "$1" memory "$(awk '/^VmHWM/ { h = $2 } /^RssAnon/ { a = $2 } /^VmRSS/ { r = $2 }
		END { printf ".peak_kb = %d | .rss_kb = %d | .anonymous_kb = %d", h, r, a }' "/proc/$(pid_of "$(agent_of "$1")")/status")"
}

# start NODE WHAT: until every peer is there
start() {
	began_ms=$(date +%s%3N)
	rx=$(received "$1")
	case $1 in
	f) kube_flanneld_start f --iface=eth0 --ip-masq ;;
	l) kube_agent_start l --iface=eth0 --ip-masq ;;
	esac
	wait_for 100 "$2: $(who "$1") among $have Nodes" routes "$1" "$have"
	result "$1" "$2" ".wall_ms = $(($(date +%s%3N) - began_ms)) | .cpu_us = $(cpu_us "$1") | .bytes = $(($(received "$1") - rx))"
	sleep 10
	memory "$1"
}

# A node as new: nothing in its kernel, nothing on its disk.
fresh() {
	end "$1"
	node_del "$1"
	case $1 in f) node_add f 11 ;; l) node_add l 12 ;; esac
}

# --- both -----------------------------------------------------------------------------------------

# watch_writes NODE: what changes in its kernel from now on that has to do with us
watch_writes() {
	on_bg "$1" "monitor-$1" ip -ts monitor link address route neigh
	on_bg "$1" "nft-$1" nft monitor
}

# Multicast neighbours (NOARP) are the kernel's own, and go when nobody has talked to them for a while.
written() {
	stop "monitor-$1"
	stop "nft-$1"
	{ grep flannel "$T/monitor-$1.log" | grep -v NOARP; cat "$T/nft-$1.log"; } >"$T/written"
	head -n 5 "$T/written" >&2
	wc -l <"$T/written"
	rm -f "$T/monitor-$1.log" "$T/nft-$1.log"
}

# during WHAT COMMAND…: what that costs both
during() {
	what=$1
	shift
	kube_forget
	for n in f l; do
		watch_writes $n
		received $n >"$T/rx-$n"
		cpu_us $n >"$T/cpu-$n"
	done
	"$@"
	for n in f l; do
		result $n "$what" ".cpu_us = $(($(cpu_us $n) - $(cat "$T/cpu-$n"))) | .bytes = $(($(received $n) - $(cat "$T/rx-$n"))) |
			.seconds = $seconds | .requests = $(asked $n | wc -l) | .patches = $(asked $n | grep -c patch || :) | .writes = $(written $n || :)"
	done
}

# From when the API server has stored the Node to when the kernel says that its route is there.
late() {
	sed -n 's/^\[\([^]]*\)\] *\(10[^ ]*\) via.* dev flannel.1.*/\2 \1/p' "$T/monitor-$1.log" >"$T/seen"
	paste -d ' ' "$T/created" "$T/seen" | while read -r made _ seen; do
		echo $(($(date -d "${seen%Z}" +%s%6N) - $(date -d "$made" +%s%6N)))
	done | sort -n >"$T/late"
	result "$1" 'a new Node, to its route' ".p50_us = $(sed -n "$(((NEW + 1) / 2))p" "$T/late") |
		.most_us = $(sed -n '$p' "$T/late") | .n = $(wc -l <"$T/late")"
}

new_nodes() {
	kube_forget
	for n in f l; do watch_writes $n; done
	sleep 1
	for i in $(seq $NEW); do
		kube nodes 1 $((have + i)) >/dev/null
		for n in f l; do wait_for 20 "another Node, $i, for $(who $n)" routes $n $((have + i)); done
	done
	jq -r 'select(.verb == "create" and .objectRef.name and .stage == "ResponseComplete") | .stageTimestamp' "$T/audit.json" >"$T/created"
	for n in f l; do
		stop "monitor-$n"
		stop "nft-$n"
		late $n
	done
	have=$((have + NEW))
}

# --- the run --------------------------------------------------------------------------------------

kube_up
kube_conf '{"Network":"10.64.0.0/10","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
for n in f l; do
	node_add $n
	case $n in f) kube_node_add f 10.127.1.0/24 ;; l) kube_node_add l 10.127.2.0/24 ;; esac
done
for size in $sizes; do
	kube nodes $((size - have)) $((have + 1))
	have=$size
	for n in f l; do
		fresh $n
		start $n 'start, nothing known'
		[ "$size" = "${sizes##* }" ] || end $n
	done
done

kube -accept application/vnd.kubernetes.protobuf request GET '/api/v1/nodes?resourceVersion=0' >/dev/null 2>&1
began_ms=$(date +%s%3N)
kube -accept application/vnd.kubernetes.protobuf request GET '/api/v1/nodes?resourceVersion=0' >/dev/null 2>&1
jq -nc --argjson nodes "$have" --argjson ms $(($(date +%s%3N) - began_ms)) '{who: "server", nodes: $nodes, what: "list", wall_ms: $ms}'

during heartbeats kube churn "$rate" "$seconds"
seconds=$quiet
during quiet sleep "$quiet"
for n in f l; do memory $n; done
new_nodes

# The kernel forgot, the disk did not.
end f
for n in f l; do
	end $n
	on $n ip link del flannel.1
	start $n 'start again'
	end $n
done
