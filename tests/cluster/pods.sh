# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shell helpers of the tests that have pods, of one family or of both. Read instead of tests/netns/lib.sh, which it
# reads in turn.
. "$(dirname "$0")/../netns/lib.sh"

# shellcheck disable=SC2034 # for the tests
DUAL_CONF='{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'

# plugin VERB NODE POD: one call of the plugin `flannel`, with the delegates next to it.
plugin() {
	printf '%s' '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}' |
		on "$2" env CNI_COMMAND="$1" CNI_CONTAINERID="$3" CNI_NETNS="/run/netns/$3" CNI_IFNAME=eth0 \
			CNI_PATH="${CNI_BIN:-$BUILD/cni}" "${CNI_BIN:-$BUILD/cni}/flannel"
}

# pod_add NODE POD: a pod of its own network namespace; its address in $T/POD.ip, IPv6's in $T/POD.ip6
pod_add() {
	on "$1" ip netns add "$2"
	on "$1" ip -n "$2" link set lo up
	plugin ADD "$1" "$2" >"$T/$2.json"
	jq -r '[.ips[].address | split("/")[0] | select(contains(":") | not)][0] // empty' "$T/$2.json" >"$T/$2.ip"
	jq -r '.ips[].address | split("/")[0] | select(contains(":"))' "$T/$2.json" >"$T/$2.ip6"
}

pod_del() {
	plugin DEL "$1" "$2"
	on "$1" ip netns del "$2"
}

# in_pod POD COMMAND…: pods are named by their node and a digit.
in_pod() {
	pod_=$1
	shift
	on "${pod_%?}" ip netns exec "$pod_" "$@"
}

# pings4, pings6 POD POD; pings: in each family that both have
pings4() {
	in_pod "$1" ping -qnc 1 -W 1 "$(cat "$T/$2.ip")"
}

pings6() {
	in_pod "$1" ping -qnc 1 -W 1 "$(cat "$T/$2.ip6")"
}

pings() {
	if [ -s "$T/$1.ip" ] && [ -s "$T/$2.ip" ]; then
		pings4 "$1" "$2" || return 1
		[ -s "$T/$1.ip6" ] && [ -s "$T/$2.ip6" ] || return 0
	fi
	pings6 "$1" "$2"
}

# all_ping WHAT POD…: each each other, at the latest after 20 s: a bridge's first IPv6 address takes its time.
all_ping() {
	all_what_=$1
	shift
	for from_; do
		for to_; do
			tries_=20
			until [ "$from_" = "$to_" ] || quiet pings "$from_" "$to_"; do
				tries_=$((tries_ - 1))
				[ $tries_ -gt 0 ] ||
					fail "$all_what_: $from_ does not reach $to_ ($(paste -sd ' ' "$T/$to_.ip" "$T/$to_.ip6"))"
				sleep 0.2
			done
		done
	done
	pass "$all_what_: each of $# pods reaches each other"
}

# dual_stack NODE LAST_BYTE: its eth0 has fd77::LAST_BYTE beside IPv4; the sandbox is fd77::fe.
dual_stack() {
	ip addr replace fd77::fe/64 dev sw nodad
	on "$1" ip addr add "fd77::$2/64" dev eth0 nodad
	on "$1" ip route add default via fd77::fe
}

# six_only NODE LAST_BYTE: its eth0 has fd77::LAST_BYTE, and no IPv4.
six_only() {
	dual_stack "$@"
	on "$1" ip -4 addr flush dev eth0
}

# pairs_start [6]: pings each 10 ms between a1, b1 and c1, both ways; in IPv6 on each pair in one direction.
pairs_start() {
	for pair_ in a:b b:a a:c c:a b:c c:b; do
		pair_start_ "$pair_" ''
		case ${1:-}$pair_ in 6a:b | 6b:c | 6c:a) pair_start_ "$pair_" 6 ;; esac
	done
}

pair_start_() {
	name_=ping-$1$2
	rm -f "$T/$name_.log"
	on_bg "${1%:*}" "$name_" ip netns exec "${1%:*}1" ping -ni 0.01 "$(cat "$T/${1#*:}1.ip$2")"
}

# pairs_stop: ends them; how many answers were missing in a row at most is left in $worst, whose in $whose.
# shellcheck disable=SC2034 # for the tests
pairs_stop() {
	worst=0 whose=
	for log_ in "$T"/ping-*.log; do
		name_=${log_##*/}
		name_=${name_%.log}
		ping_stop "$name_"
		gap_=$(awk 'match($0, /icmp_seq=[0-9]+/) && / bytes from / {
				seq = substr($0, RSTART + 9, RLENGTH - 9) + 65536 * round
				if (seq < last - 30000) { round++; seq += 65536 }
				if (seq > last) last = seq
				seen[seq] = 1
			}
			END {
				for (i = 1; i < last; i++) {
					gap = i in seen ? 0 : gap + 1
					if (gap > worst) worst = gap
				}
				print worst + 0
			}' "$log_")
		[ "$gap_" -le "$worst" ] || worst=$gap_ whose=$name_
	done
}
