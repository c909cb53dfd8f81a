#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many plugins at once: one bridge, one gateway, and never one address for two.
# timeout: 360
. "$(dirname "$0")/cni.sh"

mkdir "$T/runs"
HL='"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}'

# many VERB PLUGIN CONFIG CONTAINER…: at once; what they say is in $T/runs/VERB.CONTAINER
many() {
	many_verb=$1 many_plugin=$2 many_conf=$3
	shift 3
	for cid; do
		netns=/run/netns/$cid
		{ invoke "$many_verb" "$many_plugin" "$many_conf" || echo "failed: $cid"; } >"$T/runs/$many_verb.$cid" 2>&1 &
	done
	wait
}

# names N: c1 … cN
names() {
	seq -f 'c%.0f' "$1"
}

# duplicates FILE…: addresses that more than one successful result has
duplicates() {
	# shellcheck disable=SC2046 # a list
	jq -r '.ips[0].address' $(grep -L 'failed: ' "$@") | sort | uniq -d | xargs
}

# --- B21: the first pods of a node ----------------------------------------------------------------

for name in $(names 50); do
	pod "$name"
done
for round in 1 2; do
	# shellcheck disable=SC2046 # a list
	many ADD bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")" $(names 50)
	is "B21 round $round: all succeed" '' "$(grep -h failed "$T"/runs/ADD.* || :)"
	is "B21 round $round: 50 addresses" 50 "$(cat "$T"/runs/ADD.* | jq -r '.ips[0].address' | sort -u | wc -l)"
	is "B21 round $round: one bridge" cni0 "$(ip -j link show type bridge | jq -r '[.[].ifname | select(. != "sw")] | join(" ")')"
	is "B21 round $round: one gateway address" 10.1.2.1/24 "$(addrs cni0)"
	is "B21 round $round: all say its MAC" "$(link cni0 .address)" \
		"$(cat "$T"/runs/ADD.* | jq -r '.interfaces[0].mac' | sort -u | xargs)"
	is "B21 round $round: every port is in it, up" '50 UP' \
		"$(ip -j link show master cni0 | jq -r '"\(length) \(map(.operstate) | unique | join(" "))"')"
	pod c50
	is "B21 round $round: the last one reaches the first" 0 \
		"$(in_pod ping -qc1 -W10 "$(jq -r '.ips[0].address | sub("/.*"; "")' "$T/runs/ADD.c1")" >/dev/null && echo $?)"
	# shellcheck disable=SC2046 # a list
	many DEL bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")" $(names 50)
	is "B21 round $round: DEL says nothing" '' "$(cat "$T"/runs/DEL.*)"
	is "B21 round $round: nothing is left" '|' "$(ports)|$(held '.*')"
done
rm -f "$T"/runs/*
fresh

# --- H13: host-local alone ------------------------------------------------------------------------

pod a
# shellcheck disable=SC2046 # a list
many ADD host-local "$(conf 1.0.0 "$HL")" $(names 64)
is 'H13 64 at once: all succeed' '' "$(grep -h failed "$T"/runs/ADD.* || :)"
is 'H13 64 at once: no address twice' ' 64' "$(duplicates "$T"/runs/ADD.*) $(held '.*' | wc -w)"
is 'H13 64 at once: the next ones in order' "$(seq -f '10.1.2.%.0f' 2 65 | LC_ALL=C sort | xargs)" "$(held '.*')"
# Half of them go while others come.
for name in $(names 32); do
	cid=$name
	{ invoke DEL host-local "$(conf 1.0.0 "$HL")" || echo "failed: $cid"; } >"$T/runs/DEL.$cid" 2>&1 &
	cid=n$name
	{ invoke ADD host-local "$(conf 1.0.0 "$HL")" || echo "failed: $cid"; } >"$T/runs/ADD.$cid" 2>&1 &
done
wait
is 'H13 32 go while 32 come: all succeed' '' "$(grep -h failed "$T"/runs/* || :)"
for name in $(names 32); do
	rm -f "$T/runs/ADD.$name" "$T/runs/DEL.$name"
done
is 'H13 32 go while 32 come: no address twice' ' 64' "$(duplicates "$T"/runs/ADD.*) $(held '.*' | wc -w)"
bad=
for file in "$T"/runs/ADD.*; do
	cid=${file##*.}
	address=$(jq -r '.ips[0].address | sub("/.*"; "")' "$file")
	[ "$(held "$cid")" = "$address" ] || bad="$bad $cid:$address:$(held "$cid")"
done
is 'H13 each has what it was told' '' "$bad"
# A small range that all of them want: as many as there are get one, the others hear why not.
rm -rf /var/lib/cni "$T"/runs/*
# shellcheck disable=SC2046 # a list
many ADD host-local "$(conf 1.0.0 '"ipam":{"type":"host-local","subnet":"10.1.2.0/28"}')" $(names 40)
is 'H13 40 want 13 addresses' ' 13 27' \
	"$(duplicates "$T"/runs/ADD.*) $(held '.*' | wc -w) $(grep -l 'no IP addresses available in range set: 10.1.2.1-10.1.2.14' "$T"/runs/ADD.* | wc -l)"
verdict
