#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a Go command that can build the peers; installs one if there is none.
#
# Any Go >= 1.21 will do: it fetches the newer toolchain that a module asks for as a module. Debian 12
# itself has 1.19, its backports have enough; they are read through a source list of their own, so
# that nothing else of the machine is upgraded from there.
set -eu
exec 9<"$0"
flock 9 # two tests may want it at once

enough() {
	v=$("$1" env GOVERSION 2>/dev/null) || return 1
	v=${v#go1.}
	[ "${v%%[!0-9]*}" -ge 21 ]
}

for go in "$(command -v go || true)" /usr/lib/go-1.2[1-9]/bin/go /usr/local/go/bin/go; do
	if [ -n "$go" ] && [ -x "$go" ] && enough "$go"; then
		echo "$go"
		exit
	fi
done

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "go.sh: the peers are Go programs: install Go >= 1.21 and put it on PATH" >&2
	exit 2
fi
# The mirror that this machine already uses, with the backports suite.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
	awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }')
if [ -z "$mirror" ]; then
	echo "go.sh: no Debian mirror in /etc/apt: install Go >= 1.21 and put it on PATH" >&2
	exit 2
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" >"$dir/sources.list"
mkdir -p "$dir/lists/partial"
export DEBIAN_FRONTEND=noninteractive
set -- -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$dir/lists" -q
apt-get "$@" update >&2
(cd "$dir" && apt-get "$@" download golang-1.23-go golang-1.23-src >&2 && dpkg -i ./golang-1.23-*.deb >&2)
echo /usr/lib/go-1.23/bin/go
