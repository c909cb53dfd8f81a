#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Three nodes, an agent on each, six pods; then things break before your eyes.
# Usage: demo.sh [--keep]   (./dev demo builds first)
#
# Everything lives in a sandbox (tests/netns/lib.sh): its own network, mounts and processes. When the
# script ends, however it ends, the kernel clears the sandbox away. --keep leaves it up.
# shellcheck disable=SC2119 # etcd_start takes flags, and needs none here
set -eu

if [ -z "${LODEN_SANDBOX:-}" ] && [ "${1:-}" = --keep ]; then
	# The sandbox outlives this script: it says on descriptor 3 when the show is over.
	fifo=$(mktemp -u)
	mkfifo "$fifo"
	DEMO_KEEP=1 setsid sh "$0" 3>"$fifo" </dev/null &
	trap 'kill $! 2>/dev/null; rm -f "$fifo"' EXIT INT TERM
	read -r end <"$fifo" || end='failed'
	rm -f "$fifo"
	[ "$end" = kept ] || exit 1
	trap - EXIT INT TERM
	init=$(pgrep -P $!)
	build=${BUILD:-$(cd "$(dirname "$0")/.." && pwd)/build}
	cat <<-END

		Left running. As root, from any terminal:

		  on() { nsenter -t $init -a sh -c 'nsenter -t \$(cat /mnt/t/\$0.node) -n -m -r -w -- "\$@"' "\$@"; }
		  on a $build/loden status           the nodes are a, b and c
		  on a ip route                      on b ip netns exec b1 ping ADDRESS
		  nsenter -t $init -a                a shell in the sandbox; logs are in /mnt/t

		  kill -9 $init                      the end; nothing stays behind
	END
	exit 0
fi

ROOT=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/netns/lib.sh
. "$ROOT/tests/netns/lib.sh"

# The helpers tell about each success; here the show speaks for itself.
pass() { :; }

if [ -t 1 ]; then bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else bold='' green='' red='' plain=''; fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

pod_add() { # NODE POD: what a container runtime does
	on "$1" ip netns add "$2"
	echo '{"cniVersion": "1.0.0", "name": "cbr0", "type": "flannel",
	       "delegate": {"hairpinMode": true, "isDefaultGateway": true}}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$2.json"
	jq -r '.ips[0].address | split("/")[0]' "$T/$2.json" >"$T/$2.ip"
}

node_of() { echo "${1%?}"; } # pod a1 runs on node a

in_pod() { # POD COMMAND…
	pod_=$1
	shift
	on "$(node_of "$pod_")" ip netns exec "$pod_" "$@"
}

mesh() {
	printf '%12s' ''
	for to in $pods; do printf '%9s' "$to"; done
	echo
	for from in $pods; do
		printf '%-12s' "  $from $(cat "$T/$from.ip")" | cut -c1-18 | tr -d '\n'
		for to in $pods; do
			if [ "$from" = "$to" ]; then
				printf '%9s' .
			elif rtt=$(in_pod "$from" ping -qnc 2 -i 0.01 -W 1 "$(cat "$T/$to.ip")" | awk -F/ '/^rtt/ { print $5 }') && [ -n "$rtt" ]; then
				printf '%9s' "$rtt"
			else
				printf '%s%9s%s' "$red" none "$plain"
			fi
		done
		echo
	done
	echo '  (round trip in milliseconds)'
}

# outage LOG: the longest silence between two answers with questions lost in between, in ms
outage() {
	awk '/bytes from/ {
			at = substr($1, 2) + 0; match($0, /icmp_seq=[0-9]+/); seq = substr($0, RSTART + 9, RLENGTH - 9) + 0
			if (n++ && seq > last_seq + 1 && at - last > gap) gap = at - last
			last = at; last_seq = seq
		}
		END { if (n) printf "%.0f", gap * 1000; else print "more than anybody waited:" }' "$1"
}

# hurt WHAT COMMAND…: pod a1 asks pod c1 500 times a second while the command runs on node a
hurt() {
	what=$1
	shift
	printf '\n  %s%s%s\n    # %s\n' "$bold" "$what" "$plain" "$*"
	in_pod a1 ping -Dni 0.002 "$(cat "$T/c1.ip")" >"$T/ping.out" 2>&1 &
	ping_pid=$!
	sleep 0.4
	# In this shell, or what is stopped could not be waited for.
	eval "$*" >"$T/hurt.out" 2>&1 || true
	sleep "${pause:-0.8}"
	asked=$(answers)
	wait_for 20 'pods talk again' talk_again
	# Started without etcd, and killed too early to have left anything on disk, it would wait for that.
	[ ! -e "$T/etcd.pid" ] || wait_for 20 'the agent is ready again' on a loden status
	pkill -INT -x ping || true
	wait "$ping_pid" 2>/dev/null || true
	ms=$(outage "$T/ping.out")
	if [ "$ms" = 0 ]; then printf '    %spods never noticed%s' "$green" "$plain"
	else printf '    pods could not talk for %s%s ms%s' "$green" "$ms" "$plain"; fi
	repaired >"$T/repaired.out"
	if [ -s "$T/repaired.out" ]; then cat "$T/repaired.out"; else echo; fi
}

answers() { grep -c 'bytes from' "$T/ping.out" || true; }

talk_again() { [ "$(answers)" -gt "$asked" ]; }

# What the agent of node a repaired since the last call, and by whose hand the damage came.
repaired() {
	on a loden status --json >"$T/status.json" || return 0
	jq -r --argjson before "$repairs" 'if .repairs > $before then .recent_repairs[0] |
		"\n    repaired: \(.what)\(if .ops > 1 then "\n              and \(.ops - 1) more" else "" end)",
		if .comm != "" then "    broken by \(.comm) (pid \(.pid))" else empty end else empty end' "$T/status.json"
	repairs=$(jq .repairs "$T/status.json")
}

title 'Loden: three nodes on one switch, an etcd, an agent on each node, two pods a node'
etcd_start
etcd_conf '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}'
pods=''
for n in a b c; do
	node_add "$n"
	agent_start "$n" --ip-masq
done
for n in a b c; do
	wait_for 10 "node $n is ready" on "$n" loden status
	for i in 1 2; do
		pod_add "$n" "$n$i"
		pods="$pods $n$i"
	done
done
mesh

title '$ loden status     (on node a)'
on a loden status | sed 's/^/  /'

title 'Now break it (on node a, while pod a1 talks to pod c1)'
repairs=0
repaired >"$T/repaired.out"
c_net=$(on c cat /run/flannel/subnet.env | sed -n 's/^FLANNEL_SUBNET=\(.*\)\.1\(\/.*\)/\1.0\2/p')
hurt 'delete the route to node c' on a ip route del "$c_net"
hurt 'take the VXLAN link down and up: the kernel drops every route, silently' \
	'on a ip link set flannel.1 down; on a ip link set flannel.1 up'
hurt 'flush the whole firewall' on a nft flush ruleset
hurt 'kill etcd' 'etcd_stop KILL'
hurt 'kill -9 the agent, start another' 'agent_kill a; agent_start a --ip-masq'
etcd_start
# The agent asks at growing intervals while there is no etcd.
wait_for 40 'node a is ready again' on a loden status

title 'Afterwards'
mesh

if [ -n "${DEMO_KEEP:-}" ]; then
	trap - EXIT
	echo kept >&3
	exec 3>&-
	exec sleep infinity >/dev/null 2>&1
fi
