#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One side of 58-cni-oracle.sh: runs steps with a directory of plugins on a fresh node, and tells all that can
# be seen from outside, a line for each fact: "after ADD a: host: cni0.mtu = 1400".
#
#	unshare --net --mount cni-side.sh DIRECTORY OTHER_DIRECTORY STEPS
#
# STEPS is shell code that calls `add`, `check`, `del`, `gone` and `call`; `other` swaps the directories.
# What two runs of the same plugins cannot have in common gets a name: the host's ends by their order ("VETH1"),
# MACs by their owner ("mac of VETH1"). Left out: indexes, timers, link-local addresses, what the kernel does in its own time.
set -eu
bin=$1 other_bin=$2 steps=$3

mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir /run/netns
ip link set lo up
ip netns add a
ip netns add b
ran=/run/out
# shellcheck disable=SC2034 # by name
prev_a='' prev_b='' prev=''

# flat PREFIX: the JSON on stdin, a line for each value
flat() {
	jq -rS --arg prefix "$1" 'paths(type | . != "object" and . != "array") as $p |
		"\($prefix): \($p | map(tostring) | join(".")) = \(getpath($p) | tojson)"'
}

# part KIND NAME COMMAND…: its JSON, for `tell`
part() {
	printf '{"kind":"%s","name":"%s","value":' "$1" "$2"
	shift 2
	json=$("$@" 2>/dev/null || :)
	printf '%s}\n' "${json:-[]}"
}

# tell: a line for each value of all parts
tell() {
	jq -rS '
	def links: map(select(.ifname | test("^(sit0|tunl0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$") | not)
		| del(.ifindex, .link_index, .link_netnsid)
		| if .linkinfo.info_kind == "bridge" then del(.operstate) else . end
		| if .operstate == "LOWERLAYERDOWN" then .operstate = "DOWN" else . end
		| .flags |= (map(select(. != "LOWER_UP" and . != "NO-CARRIER")) | sort | join(" "))
		| .addr_info |= ((. // []) | map(select(.scope != "link" or .family == "inet") | del(.tentative)
			| {("\(.local)/\(.prefixlen)"): .}) | add)
		| {(.ifname): .}) | add // {};
	def ports: map(del(.ifindex, .flags) | {(.ifname): .}) | add // {};
	def routes: map(select((.dst | test("^(fe80::|ff00::)") | not) and .type != "anycast" and .type != "multicast")
		| .flags |= join(" ") | {("\(.table // "main") \(.dst) via \(.gateway // "-") dev \(.dev)"): .}) | add // {};
	.kind as $kind | .name as $name | .value
	| if $kind == "links" then links elif $kind == "ports" then ports else routes end
	| paths(type | . != "object" and . != "array") as $p
	| select(($p | last | tostring) | test("_timer$|_life_time$|^tso_max_|^designated_port$|^state$|^(bridge|root)_id$") | not)
	| "\($name): \($p | map(tostring) | join(".")) = \(getpath($p) | if type == "string" then gsub(" ?linkdown"; "") else . end | tojson)"'
}

# sysctls LINK…
sysctls() {
	for link; do
		(cd /proc/sys/net && { grep -s . "ipv4/conf/$link"/* "ipv6/conf/$link"/* "ipv4/neigh/$link"/* || :; })
	done | sed 's/:/ = /'
}

# rules: of nft on stdin, each with its table and chain
rules() {
	sed 's/ packets [0-9]* bytes [0-9]*//; s/^[ 	]*//' | awk '
		/^table / { table = $2 " " $3; chain = "" }
		/^chain / { chain = " " $2 }
		/^}$/ { if (chain != "") chain = ""; else table = ""; next }
		NF { print "nft: " table chain ": " $0 }'
}

# state WHEN
state() {
	{
		{
			part links host ip -d -j addr
			part ports bridge bridge -d -j link
			part routes 'host route' ip -4 -j route show table all
			part routes 'host route' ip -6 -j route show
			for pod in a b; do
				[ -e /run/netns/$pod ] || continue
				part links "pod $pod" ip -n $pod -d -j addr
				part routes "pod $pod route" ip -n $pod -4 -j route show table all
				part routes "pod $pod route" ip -n $pod -6 -j route show
			done
		} | tell
		# shellcheck disable=SC2046 # a list
		sysctls $(ip -br link | sed 's/[@ ].*//') | sed 's/^/host sysctl: /'
		grep . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | sed 's/^/host sysctl: /'
		for pod in a b; do
			[ -e /run/netns/$pod ] || continue
			# shellcheck disable=SC2016 # for that shell
			nsenter --net=/run/netns/$pod -- sh -c 'cd /proc/sys/net && grep -s . ipv4/conf/eth0/* ipv6/conf/eth0/* \
				ipv4/conf/lo/* ipv6/conf/lo/* || :' | sed "s/:/ = /; s/^/pod $pod sysctl: /"
		done
		find /var/lib /run/cni /run/data -printf '%p %M\n' 2>/dev/null | LC_ALL=C sort | sed 's/^/file: /'
		find /var/lib /run/cni /run/data -type f 2>/dev/null | LC_ALL=C sort | while read -r file; do
			echo "file: $file = $(od -An -c "$file" | tr -s ' \n' ' ')"
		done
		nft list ruleset 2>/dev/null | rules
	} | grep -v stable_secret | sed "s/^/after $1: /"
}

# left WHEN POD: how much of the pod is there
left() {
	in_pods=0
	for pod in a b; do
		has=$(ip -n $pod -br link show 2>/dev/null | sed 's/[@ ].*//' | grep -c '^eth0$' || :)
		in_pods=$((in_pods + has))
		[ $pod != "$2" ] || echo "after $1: in the pod = $has"
	done
	echo "after $1: ports of no pod = $(($(ip -br link show type veth | grep -c ^veth || :) - in_pods))"
	echo "after $1: reservations of the pod = $(find /var/lib/cni /run/data -type f \
		-exec grep -lx "$2$(printf '\r')*" {} + 2>/dev/null | wc -l)"
}

# seen WHEN POD: all the state; but once an ADD has failed, at whatever point, only what there is of the pod
limited=''
seen() {
	if [ -n "$limited" ]; then left "$@"; else state "$1"; fi
}
only_of_the_pod() {
	limited=yes
}

# call VERB PLUGIN CONTAINER CONFIG [NAME=VALUE…]: says what came out; leaves it in $ran
call() {
	verb=$1 plugin=$2 cid=$3 conf=$4 code=0
	shift 4
	# Else two directories without plugins would agree.
	[ -x "$bin/$plugin" ] || echo "there is no $bin/$plugin"
	[ -z "${BRIDGED:-}" ] || conf=$(printf '%s' "$conf" | sed "s/\"isDefaultGateway\": *true/&$BRIDGED/")
	printf '%s' "$conf" | env -i PATH="$PATH" CNI_COMMAND="$verb" CNI_CONTAINERID="$cid" CNI_NETNS="/run/netns/$cid" \
		CNI_IFNAME=eth0 CNI_PATH="$bin" "$@" "$bin/$plugin" >$ran 2>/dev/null || code=$?
	sed -i "s,$bin,DIRECTORY,g" $ran
	echo "$verb $cid: exit = $code"
	flat "$verb $cid" <$ran 2>/dev/null || sed "s/^/$verb $cid: text /" $ran
}

# add PLUGIN CONTAINER CONFIG [NAME=VALUE…]
add() {
	call ADD "$@"
	eval "prev_$2=\$(cat $ran)"
	[ "$code" = 0 ] || only_of_the_pod
	seen "ADD $2" "$2"
}

# check PLUGIN CONTAINER CONFIG [NAME=VALUE…]: with what the ADD said
check() {
	eval "prev=\$prev_$2"
	plugin=$1 cid=$2 conf=$(printf '%s' "$3" | jq -c --argjson prev "$prev" '.prevResult = $prev')
	shift 3
	call CHECK "$plugin" "$cid" "$conf" "$@"
}

del() {
	call DEL "$@"
	seen "DEL $2" "$2"
}

# gone POD: its namespace, and with it its port, which the kernel clears away later
gone() {
	ip netns del "$1"
	n=0
	while ip -br link show type veth | grep -q ^veth && [ $n -lt 2000 ]; do
		n=$((n + 1))
		sleep 0.01
	done
}

# other: the next calls are of the other directory
other() {
	swap=$bin bin=$other_bin other_bin=$swap
}

# named: names of the host's ends by their order; MACs by their owner, unless the steps name them
named() {
	awk -v steps="$steps" '
	BEGIN {
		x2 = "[0-9a-f][0-9a-f]"
		mac = x2 ":" x2 ":" x2 ":" x2 ":" x2 ":" x2
		veth = "veth" x2 x2 x2 x2
		while ((getline line <steps) > 0)
			asked = asked line
	}
	function is_fixed(found) {
		return found ~ /^(00:00:00|ff:ff:ff|01:80:c2)/ || index(asked, found)
	}
	function name_it(found, name) {
		if (is_fixed(found) || found in names)
			return
		names[found] = name (++taken[name] > 1 ? " no. " taken[name] : "")
	}
	# replace PATTERN, NAME: each of its matches in $0
	function replace(pattern, name, rest, found, done) {
		rest = $0
		done = ""
		while (match(rest, pattern)) {
			found = substr(rest, RSTART, RLENGTH)
			if (name != "" && !(found in names))
				names[found] = name (++taken[name])
			done = done substr(rest, 1, RSTART - 1) (found in names ? names[found] : found)
			rest = substr(rest, RSTART + RLENGTH)
		}
		$0 = done rest
	}
	{
		sub("peer provided [^)]*", "peer provided (VETH")
		replace(veth, "VETH")
		lines[NR] = $0
	}
	/: (host|pod [ab]): [^ ]*[.]address = / {
		owner = $0
		sub(/^.*: (host: )?/, "", owner)
		sub(/[.]address = .*/, "", owner)
		pod = $0 ~ /: pod a: / ? "a " : $0 ~ /: pod b: / ? "b " : ""
		split($0, quoted, "\"")
		# A bridge without a MAC of its own has that of a port.
		if (pod != "" || owner ~ /^VETH/)
			name_it(quoted[2], "mac of " pod owner)
		else {
			later[++n_later] = quoted[2]
			later_name[n_later] = "mac of " owner
		}
	}
	END {
		for (i = 1; i <= n_later; i++)
			name_it(later[i], later_name[i])
		for (i = 1; i <= NR; i++) {
			$0 = lines[i]
			replace(mac, "")
			print
		}
	}'
}

{
	# shellcheck source=/dev/null # of the caller
	. "$steps"
	echo 'all steps'
} | named
