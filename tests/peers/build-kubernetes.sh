#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds programs of Kubernetes, an etcd that is newer than Debian's, and kube-probe, as peers.
# Usage: build-kubernetes.sh PROGRAM…   -> $LODEN_PEERS/PROGRAM
#
#	kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl
#	etcd-3.6
#	kube-probe       asks an API server, and makes thousands of Nodes
#
# The Go module proxy is all it needs. Nothing is rebuilt that is there: each program is kept until what stands
# in its folder here changes. The first of Kubernetes takes 2.5 minutes of two cores, each other one half a minute.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
peers=${LODEN_PEERS:-$here/../../build/peers}
kubernetes=$(sed -n 's/^require k8s.io\/kubernetes v//p' "$here/kubernetes/go.mod")
minor=${kubernetes#1.} minor=${minor%%.*}
work=''
trap 'rm -rf "$work"' EXIT

exec 9<"$0"
flock 9 # two tests may want the same at once
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
export GOTOOLCHAIN=auto GOFLAGS=-mod=mod CGO_ENABLED=0

for program; do
	flags='-s -w'
	case $program in
	kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy | kubectl)
		module=kubernetes package=k8s.io/kubernetes/cmd/$program
		for value in gitVersion=v$kubernetes gitMajor=1 gitMinor=$minor; do
			flags="$flags -X k8s.io/component-base/version.$value"
		done
		;;
	etcd-3.6) module=etcd package=go.etcd.io/etcd/server/v3 ;;
	kube-probe) module=kube-probe package=. ;;
	*)
		echo "build-kubernetes.sh: there is no program $program" >&2
		exit 2
		;;
	esac
	stamp=$(cat "$here/$module"/* | cksum)
	[ "$(cat "$peers/.$program" 2>/dev/null)" != "$stamp" ] || continue
	go=$("$here/go.sh")
	work=$(mktemp -d)
	cp -r "$here/$module/." "$work"
	began=$(date +%s)
	(cd "$work" && nice "$go" build -trimpath -ldflags "$flags" -o "$peers/$program" "$package")
	rm -rf "$work"
	echo "$stamp" >"$peers/.$program"
	echo "$program: $(($(date +%s) - began)) s, $(($(wc -c <"$peers/$program") / 1048576)) MiB"
done
