#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One agent, flanneld or Loden, on one node of a cluster of PEERS nodes: memory, idle cost, and how long
# the data plane stays broken after each kind of damage. One JSON object a line on stdout.
# Usage: agent.sh loden|flanneld PROGRAM REPAIR PEERS [IDLE_SECONDS=60 [links]]; links: only these are damaged
#   REPAIR is the judge, built from repair.c. Runs in a network namespace of its own with an etcd of its own.
set -euo pipefail
who=$1 program=$2 repair=$3 peers=$4 idle=${5:-60} only=${6:-}
ns=lbench$$
# shellcheck source=tests/bench/node.sh
. "$(dirname "$0")/node.sh"
say() { echo "bench: $who: $*" >&2; }
counts() { in_ns "$repair" count flannel.1 2>/dev/null || echo 0 0 0; }
wait_all() { # SECONDS: until every peer has its three objects
	local end=$((SECONDS + $1))
	until [ "$(counts)" = "$peers $peers $peers" ]; do
		[ "$SECONDS" -lt "$end" ] || { say "has $(counts) of $peers after $1 s"; return 1; }
		sleep 0.2
	done
}

node_add
etcd_start
in_ns etcdctl put /coreos.com/network/config \
	'{"Network":"10.0.0.0/8","SubnetLen":24,"EnableNFTables":true,"Backend":{"Type":"vxlan"}}' >/dev/null
lease_puts() { # FROM TO
	echo
	for ((i = $1; i <= $2; i++)); do
		printf 'put "/coreos.com/network/subnets/10.%d.%d.0-24" "{\\"PublicIP\\":\\"192.168.%d.%d\\",\\"PublicIPv6\\":null,\\"BackendType\\":\\"vxlan\\",\\"BackendData\\":{\\"VNI\\":1,\\"VtepMAC\\":\\"02:00:00:00:%02x:%02x\\"}}"\n' \
			$((64 + (i >> 8))) $((i & 255)) $((i >> 8)) $((i & 255)) $((i >> 8)) $((i & 255))
	done
	echo
	echo
}
for ((from = 1; from <= peers; from += 5000)); do # etcdctl sends no more than 2 MB
	lease_puts "$from" $((from + 4999 < peers ? from + 4999 : peers)) >"$dir/seed"
	in_ns etcdctl --command-timeout 60s txn <"$dir/seed" >/dev/null
done

args=(--etcd-endpoints http://127.0.0.1:2379 --iface eth0 --ip-masq --subnet-file "$dir/subnet.env")
[ "$who" = flanneld ] || args=(agent "${args[@]}" --run-dir "$dir/run" --state-dir "$dir/state" --instance bench)
start=$EPOCHREALTIME
ip netns exec "$ns" "$program" "${args[@]}" >"$dir/agent.log" 2>&1 &
pid=$!
pids+=("$pid")
wait_all 120 || { tail -20 "$dir/agent.log" >&2; exit 1; }
awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$peers" \
	'BEGIN { printf "{\"what\":\"start to all peers\",\"peers\":%d,\"s\":%.2f}\n", n, b - a }'

memory() {
	awk -v what="$1" '/^VmHWM/ { h = $2 } /^RssAnon/ { a = $2 } /^VmRSS/ { r = $2 }
		END { printf "{\"what\":\"%s\",\"peak_rss_kb\":%d,\"rss_kb\":%d,\"anonymous_kb\":%d}\n", what, h, r, a }' "/proc/$pid/status"
}

# One rule of the rule set, by the nft command, which ends at once, or by one that stays. At most five trials: an
# object that breaks six times within a minute is in a war, and back-off is right then. So the two are an
# idle minute apart.
case $who in loden) table=loden-bench chain=postrouting trials=5 ;; flanneld) table=flannel-ipv4 chain=postrtg trials=1 ;; esac
find_rule="nft -a list chain ip $table $chain | sed -n 's/.*return.* # handle //p' | head -1"
break_rule() { # HOW COMMAND
	in_ns "$repair" nft "$2" "$trials" 5000 | jq -c --arg how "$1" '.what += " " + $how'
}
break_rule_and_end() {
	break_rule 'by a program that ends' "nft delete rule ip $table $chain handle \$($find_rule)"
}
break_rule_and_stay() {
	mkfifo "$dir/to-nft"
	in_ns nft -i <"$dir/to-nft" >/dev/null 2>&1 &
	pids+=($!)
	exec 9>"$dir/to-nft" # or the first command would be its last
	break_rule 'by a program that stays' "printf 'delete rule ip %s %s handle %s\n' $table $chain \$($find_rule) >$dir/to-nft"
}

# Idle: wake-ups are the voluntary context switches of all threads; CPU time from /proc.
work() {
	sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f12-15 | awk '{ printf "%d ", $1 + $2 + $3 + $4 }'
	cat /proc/"$pid"/task/*/status | awk '/^voluntary_ctxt/ { v += $2 } END { print v }'
}
be_idle() {
	local cpu0 wake0 cpu1 wake1
	read -r cpu0 wake0 < <(work)
	sleep "$idle"
	read -r cpu1 wake1 < <(work)
	awk -v c="$((cpu1 - cpu0))" -v w="$((wake1 - wake0))" -v s="$idle" -v hz="$(getconf CLK_TCK)" \
		'BEGIN { printf "{\"what\":\"idle\",\"seconds\":%d,\"wakeups_per_minute\":%.1f,\"cpu_percent\":%.3f}\n", s, w * 60 / s, c * 100 / hz / s }'
}

# flanneld never repairs these: a few trials with a short patience show it.
break_objects() {
	local trials=200 kind
	[ "$who" = loden ] || trials=3
	for kind in route neigh fdb; do
		in_ns "$repair" delete "$kind" flannel.1 "$trials" 5000
		[ "$who" = loden ] || sleep 0.1
	done
	if [ "$who" = loden ]; then wait_all 20; fi
}
break_links() {
	local rounds=1 damage
	[ "$who" != loden ] || rounds='1 2 3'
	for _ in $rounds; do
		for damage in flap del; do
			in_ns "$repair" "$damage" flannel.1 "$peers" 20000
			if [ "$who" = loden ]; then wait_all 20; sleep 10; fi
		done
	done
}

sleep 2
if [ "$only" = links ]; then
	break_links
else
	break_rule_and_end
	be_idle
	memory "memory after start"
	break_objects
	break_links
	break_rule_and_stay
fi
memory "memory after damage"
kill "$pid"
wait "$pid" 2>/dev/null || true
