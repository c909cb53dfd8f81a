#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the reference CNI plugins, as oracle and peers.
# Usage: build-cni-plugins.sh   -> $LODEN_PEERS/cni/bridge, host-local, loopback
# The Go module proxy is all it needs. Nothing is rebuilt that is there. The flannel meta plugin is
# no Go module that a proxy has; what it must do is written in the tests themselves.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
peers=${LODEN_PEERS:-$here/../../build/peers}
version=v1.9.1
module=github.com/containernetworking/plugins

exec 9<"$0"
flock 9 # two tests may want the same at once
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
stamp="plugins $version"
if [ "$(cat "$peers/cni/.plugins" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
go=$("$here/go.sh")
GOTOOLCHAIN=auto GOFLAGS=-mod=mod CGO_ENABLED=0 GOBIN="$peers/cni" "$go" install -trimpath \
	-ldflags "-s -w -X $module/pkg/utils/buildversion.BuildVersion=$version" \
	"$module/plugins/main/bridge@$version" \
	"$module/plugins/main/loopback@$version" \
	"$module/plugins/ipam/host-local@$version"
echo "$stamp" >"$peers/cni/.plugins"
