#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CNI ADD and DEL of ours and of the reference plugins, one call of each in turn.
# Usage: cni.sh [PODS]   -> rows of tests/bench/run, one JSON object a line
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

# shellcheck disable=SC2016 # expanded by the inner shell
unshare --net --mount sh -eu -c '
	mount -t tmpfs tmpfs /run
	ip link set lo up
	printf "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n" \
		>/run/subnet.env
	exec "$@"' sh "$build/tests/bench/bench-cni" "$dir" "$peers/cni" "${1:-100}" >"$dir/lines"

jq -sc '
	(map({key: "\(.what) \(.who)", value: .}) | from_entries) as $m |
	("ADD", "DEL") as $verb | $m["\($verb) ours"] as $o | $m["\($verb) peer"] as $p |
	(if $verb == "ADD" then [1.5, $p.p50_ms / 6] | min else $p.p50_ms / 1.5 end | . * 100 | round / 100) as $target |
	{what: "CNI \($verb) of \($o.pods) pods, exec to exit: p50", unit: "ms", target: $target,
	 ours: $o.p50_ms, ours_min: $o.min_ms, ours_max: $o.max_ms,
	 ours_p99: $o.p99_ms, peer: $p.p50_ms, peer_p99: $p.p99_ms, ratio: ($p.p50_ms / $o.p50_ms)}
	| .reached = (.ours <= .target)' "$dir/lines"
