#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CNI ADD and DEL of ours and of the reference plugins, one call of each in turn.
# Usage: cni.sh [PODS]…   (default: 30 100) -> rows of tests/bench/run, one JSON object a line
# Each pod on the node makes the next one dearer, in the kernel above all (it announces the new address to all
# ports, and compares all reservations): hence more than one number of pods.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${LODEN_BUILD:-$here/../../build}
build=$(cd "$build" && pwd)
peers=${LODEN_PEERS:-$build/peers}
"$here/../peers/build-cni-plugins.sh" >&2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for name in bridge flannel host-local loopback; do
	ln -s "$build/loden-cni" "$dir/$name"
done

[ $# -gt 0 ] || set -- 30 100
for pods; do
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --net --mount sh -eu -c '
		mount -t tmpfs tmpfs /run
		ip link set lo up
		for side in a:1 b:2; do
			printf "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.%s.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n" \
				"${side#*:}" >"/run/subnet-${side%:*}.env"
		done
		exec "$@"' sh "$build/tests/bench/bench-cni" "$dir" "$peers/cni" "$pods" >"$dir/lines"

	jq -sc '
		(map({key: "\(.what) \(if .who == "ours" then .who else "peer" end)", value: .}) | from_entries) as $m |
		("ADD", "DEL") as $verb | $m["\($verb) ours"] as $o | $m["\($verb) peer"] as $p |
		(if $verb == "ADD" then [1.5, $p.p50_ms / 6] | min else $p.p50_ms / 1.5 end | . * 100 | round / 100) as $target |
		{what: "CNI \($verb) of \($o.pods) pods, against \($p.who): p50", unit: "ms", target: $target,
		 ours: $o.p50_ms, ours_min: $o.min_ms, ours_max: $o.max_ms,
		 ours_p99: $o.p99_ms, peer: $p.p50_ms, peer_p99: $p.p99_ms, ratio: ($p.p50_ms / $o.p50_ms)}
		| .reached = (.ours <= .target)' "$dir/lines"
done
