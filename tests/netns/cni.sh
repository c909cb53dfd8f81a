# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# Shell helpers of the CNI suite, the files 5N-cni-*.sh. It shows the cases that a drop-in for the
# reference plugins has to pass, each by its id: P protocol, B bridge, H host-local, L loopback,
# N flannel.
#
#	#!/bin/sh
#	# one sentence: what this file shows
#	. "$(dirname "$0")/cni.sh"
#	pod a
#	call ADD bridge "$CONF"
#	is 'B01 ADD: exit' 0 "$code"
#	is 'B01 bridge' cni0 "$(in_out '.interfaces[0].name')"
#	verdict
#
# CNI_UNFILTERED=1: as on a host without br_netfilter.
#
# A check that fails is counted, and the file goes on; `verdict` ends it.
#
#	$CNI_BIN	directory of the plugins under test (default: $BUILD/cni)
#	CNI_REFERENCE=1	they are the reference plugins: a check by `better_is` is then one that they may
#			fail. So the suite itself is tested:
#			CNI_REFERENCE=1 CNI_BIN=build/peers/cni tests/netns/51-cni-bridge.sh
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
CNI_BIN=${CNI_BIN:-${BUILD:-$ROOT/build}/cni}
case $CNI_BIN in /*) ;; *) CNI_BIN=$PWD/$CNI_BIN ;; esac
PROGRAM=$CNI_BIN/bridge
export CNI_BIN
. "$(dirname "$0")/lib.sh"

CNI_ALL_VERSIONS='0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0'
failures=0 worse=0

# What plugins keep outside of the pod is the sandbox's alone.
mount -t tmpfs tmpfs /var/lib
mount -t sysfs sysfs /sys

# --- checks ---------------------------------------------------------------------------------------

missed_() {
	failures=$((failures + 1))
	printf 'FAIL: %s\n  wanted: %s\n  was:    %s\n' "$@"
}

# is 'ID WHAT' WANTED WAS
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else missed_ "$@"; fi
}

# like 'ID WHAT' REGEX WAS: extended regular expression, any line
like() {
	if printf '%s\n' "$3" | grep -Eq -- "$2"; then pass "$1"; else missed_ "$@"; fi
}

# better_is 'ID WHAT' WANTED WAS: the reference gets it wrong.
better_is() {
	if [ -n "${CNI_REFERENCE:-}" ] && [ "$2" != "$3" ]; then
		worse=$((worse + 1))
		printf 'worse, as known: %s\n  was:    %s\n' "$1" "$3"
	else
		is "$@"
	fi
}

# better_like 'ID WHAT' REGEX WAS
better_like() {
	better_is "$1" "/$2/" "$(if printf '%s\n' "$3" | grep -Eq -- "$2"; then echo "/$2/"; else echo "$3"; fi)"
}

verdict() {
	[ "$worse" = 0 ] || echo "$worse known defects of the reference"
	[ "$failures" = 0 ] || fail "$failures checks"
	exit 0
}

# Where br_netfilter is off, or not loaded, our bridge has pods of one node reach each other by the gateway. These
# files show what the reference plugins do as well; 56-cni-local-traffic.sh shows the other.
[ -z "${CNI_UNFILTERED:-}" ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
BRIDGED=',"localTraffic":"bridged"'
[ "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" != 1 ] || BRIDGED=
export BRIDGED

# --- pods and calls -------------------------------------------------------------------------------

# pod NAME: a network namespace /run/netns/NAME, if there is none; what follows is about it.
pod() {
	[ -e "/run/netns/$1" ] || ip netns add "$1"
	cid=$1 netns=/run/netns/$1 ifname=eth0
}

# in_pod COMMAND…
in_pod() {
	nsenter --net="$netns" -- "$@"
}

# fresh: no pods, no bridge, no files, as after boot.
fresh() {
	ip -all netns del
	# The kernel clears a namespace away later.
	for link_ in $(ip -j link show | jq -r '.[].ifname | select(test("^(lo|sw)$") | not)'); do
		ip link del "$link_" 2>/dev/null || :
	done
	rm -rf /var/lib/cni /run/flannel /run/cni
}

# invoke VERB PLUGIN CONFIG [NAME=VALUE…]: one run, as it is: fit for the background.
# NAME= makes a variable empty, which is as good as absent.
invoke() {
	verb_=$1 plugin_=$2 conf_=$3
	shift 3
	[ -z "$BRIDGED" ] || [ "$plugin_" != bridge ] || conf_=$(printf '%s' "$conf_" | sed "s/\"isDefaultGateway\": *true/&$BRIDGED/")
	printf '%s' "$conf_" | env -i PATH="$PATH" CNI_COMMAND="$verb_" CNI_CONTAINERID="$cid" CNI_NETNS="$netns" \
		CNI_IFNAME="$ifname" CNI_PATH="$CNI_BIN" "$@" "$CNI_BIN/$plugin_"
}

# call VERB PLUGIN CONFIG [NAME=VALUE…]: one run. Leaves $code, $out (stdout), $err (stderr).
call() {
	code=0
	invoke "$@" >"$T/out" 2>"$T/err" || code=$?
	out=$(cat "$T/out")
	err=$(cat "$T/err")
}

# stub NAME: a plugin of somebody else's in $T/more, which is in $BOTH. On the verb $ON (default: ADD) it
# says $ANSWER on stdout, $NOISE on stderr, and exits with $END. What it was asked is left in
# $T/asked.VERB (its input) and $T/asked.VERB.env.
BOTH=$CNI_BIN:$T/more
stub() {
	mkdir -p "$T/more"
	cat >"$T/more/$1" <<-END
		#!/bin/sh
		cat >"$T/asked.\$CNI_COMMAND"
		env | LC_ALL=C sort >"$T/asked.\$CNI_COMMAND.env"
		[ "\$CNI_COMMAND" = "\${ON:-ADD}" ] || exit 0
		printf '%s' "\$NOISE" >&2
		printf '%s' "\$ANSWER"
		exit "\${END:-0}"
	END
	chmod +x "$T/more/$1"
}

# in_out FILTER: of the JSON that the last call printed, objects compact with sorted keys
in_out() {
	printf '%s' "$out" | jq -rcS "$1" 2>&1
}

# error: "EXIT CODE MSG (DETAILS)" of the last call
error() {
	printf '%s ' "$code"
	printf '%s' "$out" | jq -r '"\(.code) \(.msg)\(if .details then " (\(.details))" else "" end)"' 2>&1
}

# conf VERSION KEYS: a configuration of that version, with the name "net"
conf() {
	printf '{"cniVersion":"%s","name":"net"%s}' "$1" "${2:+,$2}"
}

# prev: the configuration of the last call, with what it printed as prevResult
prev() {
	printf '%s' "$conf_" | jq -c --argjson prev "$out" '.prevResult = $prev'
}

# --- what there is --------------------------------------------------------------------------------

# addrs LINK [ip options]: "10.1.2.2/24 fd00::2/64", without link-local ones; -n a for those of pod a
addrs() {
	link_=$1
	shift
	ip -j "$@" addr show "$link_" | jq -r '[.[].addr_info[]? | select(.scope != "link") |
		"\(.local)/\(.prefixlen)"] | join(" ")'
}

# link LINK FILTER [ip options]: of `ip -d -j link show LINK`
link() {
	link_=$1 filter_=$2
	shift 2
	ip -d -j "$@" link show "$link_" 2>/dev/null | jq -rc ".[0] | $filter_"
}

# ports: names of the host's ends of pods
ports() {
	ip -j link show type veth | jq -r '[.[].ifname | select(startswith("veth"))] | join(" ")'
}

# held CONTAINER: the addresses that host-local holds for it in the network "net"; ".*": for anybody
held() {
	(cd /var/lib/cni/networks/net 2>/dev/null && LC_ALL=C grep -lxs "$1$(printf '\r')*" [0-9a-f]* | xargs) || :
}

# files DIRECTORY: names in it
files() {
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | xargs
}

# sysctl_in_pod PATH
sysctl_in_pod() {
	in_pod cat "/proc/sys/net/$1"
}
