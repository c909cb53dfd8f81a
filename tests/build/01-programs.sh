#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs need nothing of the host, and are hardened: static-pie, stripped, RELRO with all
# symbols bound at start, no executable stack, FORTIFY and stack protector at work.
set -eu

fail() {
	echo "$1: $2"
	exit 1
}

for name in loden loden-cni; do
	program=$BUILD/$name
	# "static-pie linked" is file's word for DYN without an interpreter.
	what=$(file -b "$program")
	for want in 'static-pie linked' ', stripped'; do
		case $what in
		*"$want"*) ;;
		*) fail "$program" "wanted '$want', is: $what" ;;
		esac
	done
	readelf -Wl "$program" | grep -q GNU_RELRO || fail "$program" "no GNU_RELRO segment"
	readelf -Wl "$program" | grep -Eq 'GNU_STACK .* RW ' || fail "$program" "the stack is executable"
	readelf -Wd "$program" | grep -Eq 'BIND_NOW|\(FLAGS_1\).* NOW' || fail "$program" "not bound at start"
	for symbol in __stack_chk_fail '__.*_chk'; do
		nm "$program.debug" | grep -Eq " [TtWw] $symbol$" || fail "$program.debug" "no $symbol in it"
	done
done

# The plugins are links, and every link is there.
for plugin in bridge flannel host-local loopback; do
	[ "$(readlink "$BUILD/cni/$plugin")" = ../loden-cni ] ||
		fail "$BUILD/cni/$plugin" "wanted a link to ../loden-cni, is: $(ls -l "$BUILD/cni/$plugin" 2>&1)"
done
