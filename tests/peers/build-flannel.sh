#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the real flanneld, and the program that makes flannel's netlink calls, as peers.
# Usage: build-flannel.sh   -> $LODEN_PEERS/flanneld, $LODEN_PEERS/netlink-peer
# The Go module proxy is all it needs. Nothing is rebuilt that is there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
peers=${LODEN_PEERS:-$here/../../build/peers}
version=v0.28.10

exec 9<"$0"
flock 9 # two tests may want the same at once
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
stamp="flannel $version, netlink v1.3.1"
if [ "$(cat "$peers/.flannel" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
go=$("$here/go.sh")
export GOTOOLCHAIN=auto GOFLAGS=-mod=mod

build() { # DIRECTORY PACKAGE OUTPUT [LINKER-FLAGS]
	work=$(mktemp -d)
	cp -r "$here/$1/." "$work"
	(cd "$work" && CGO_ENABLED=1 "$go" build -trimpath -ldflags "-s -w -extldflags -static ${4:-}" -o "$peers/$3" "$2")
	rm -rf "$work"
}

build netlink . netlink-peer
build flannel github.com/flannel-io/flannel flanneld \
	"-X github.com/flannel-io/flannel/pkg/version.Version=$version"
echo "$stamp" >"$peers/.flannel"
