#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The container image: the same bytes twice, small, one for each machine, and what is in it runs.
# timeout: 1800
set -eu

./dev build arm64 >"$TMPDIR/log" 2>&1 || { cat "$TMPDIR/log"; exit 1; }
for i in 1 2; do
	deploy/image.sh "$TMPDIR/$i.tar" localhost/loden:test "$BUILD" build/arm64 >"$TMPDIR/log" 2>&1 || {
		cat "$TMPDIR/log"
		exit 1
	}
done
cmp "$TMPDIR/1.tar" "$TMPDIR/2.tar" || {
	echo 'built twice, and different: does a date or an order reach it?'
	exit 1
}

failed=0
# want WHAT WANTED GOT
want() {
	[ "$2" = "$3" ] || {
		printf '%s: wanted\n%s\nbut it is\n%s\n' "$1" "$2" "$3"
		failed=1
	}
}
layout=$TMPDIR/layout
mkdir "$layout"
tar -x -f "$TMPDIR/1.tar" -C "$layout"

# blob DIGEST: its path, if it is what its name says
blob() {
	path=$layout/blobs/sha256/${1#sha256:}
	echo "${1#sha256:}  $path" | sha256sum --check --quiet >&2
	echo "$path"
}
want 'layout' '{"imageLayoutVersion":"1.0.0"}' "$(jq -c . "$layout/oci-layout")"
want 'name' localhost/loden:test "$(jq -r '.manifests[].annotations["io.containerd.image.name"]' "$layout/index.json")"
index=$(blob "$(jq -r '.manifests[].digest' "$layout/index.json")")
want 'machines' 'linux/amd64 linux/arm64' "$(jq -r '[.manifests[].platform | "\(.os)/\(.architecture)"] | join(" ")' "$index")"

for machine in amd64:x86-64 arm64:'ARM aarch64'; do
	cpu=${machine%%:*}
	manifest=$(blob "$(jq -r --arg cpu "$cpu" '.manifests[] | select(.platform.architecture == $cpu).digest' "$index")")
	size=$(jq '.config.size + ([.layers[].size] | add)' "$manifest")
	[ "$size" -le 10485760 ] || want "$cpu: bytes" 'at most 10485760' "$size"
	config=$(blob "$(jq -r .config.digest "$manifest")")
	want "$cpu: configuration" "linux $cpu /loden 0:0" \
		"$(jq -r '"\(.os) \(.architecture) \(.config.Entrypoint | join(" ")) \(.config.User)"' "$config")"
	layer=$(blob "$(jq -r '.layers | if length == 1 then .[].digest else error("several layers") end' "$manifest")")
	root=$TMPDIR/$cpu
	mkdir "$root"
	tar -xz -f "$layer" -C "$root"
	want "$cpu: files" './loden ./loden-cni ./opt/bin/flanneld ./opt/bin/install-conf' \
		"$(cd "$root" && find . ! -type d | sort | xargs)"
	for name in loden loden-cni; do
		what=$(file -b "$root/$name")
		case $what in
		*"${machine#*:}"*'static-pie linked'*stripped*) ;;
		*) want "$cpu: $name" "a stripped static-pie for $cpu" "$what" ;;
		esac
	done
	echo "$cpu: $size bytes"
done

if [ "$(id -u)" = 0 ]; then
	want 'it runs' "$("$BUILD/loden" version)" "$(chroot "$TMPDIR/amd64" /loden version)"
	want 'by flanneld'"'"'s name' "$("$BUILD/loden" version | sed 's/loden //')" \
		"$(chroot "$TMPDIR/amd64" /opt/bin/flanneld --version 2>&1)"
fi
exit "$failed"
