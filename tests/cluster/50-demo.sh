#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./dev demo shows what it promises and leaves nothing behind, also when it is interrupted half way.
. "$(dirname "$0")/../netns/lib.sh"

export TMPDIR="$T/tmp"
mkdir "$TMPDIR"

# demo: as people start it, on a terminal: in a group of its own, which Ctrl-C reaches. $demo is the group.
demo() {
	# Built it is already; if elsewhere, ./dev would build it once more.
	set -- "$ROOT/demo/demo.sh"
	[ "$BUILD" != "$ROOT/build" ] || set -- "$ROOT/dev" demo
	# Before it starts, or what the last one said would be taken for its own.
	: >"$T/demo.out"
	# What the shell starts in the background ignores Ctrl-C.
	setsid env -u LODEN_SANDBOX -u T --default-signal=INT LODEN_PACKAGES_ARE_THERE=1 "$@" >"$T/demo.out" 2>&1 &
	demo=$!
}

# all_that_is: processes, namespaces, links, files; into $T/NAME
all_that_is() {
	# Not piped, or we would see what we do ourselves.
	for process in /proc/[0-9]*; do
		read -r name 2>/dev/null <"$process/comm" && [ "$process" != /proc/$$ ] && echo "$name"
	done >"$T/$1"
	{
		readlink /proc/[0-9]*/ns/* | sort -u
		ip -o link | sed 's/ state .*//'
		find "$TMPDIR" /run ! -path '/run/mount*' # of mount(8)
	} >>"$T/$1"
}

nothing_is_left() {
	all_that_is after
	want_eq 'nothing is left' '' "$(diff "$T/before" "$T/after")"
}

shown() {
	grep -q -- "$1" "$T/demo.out"
}

all_that_is before
demo
code=0
wait "$demo" || code=$?
[ "$code" = 0 ] || cat "$T/demo.out"
want_eq 'it ends well' 0 "$code"
sed -n '/Now break it/,/Afterwards/p' "$T/demo.out" >"$T/broken"
want_eq 'five things are broken' 5 "$(grep -c '^    # ' "$T/broken")"
want_eq 'and for each it is told how long pods could not talk' 5 \
	"$(grep -Ec '^    pods (never noticed|could not talk for [0-9]+ ms)$' "$T/broken")"
want_match 'what the agent healed is named: the route, what lay on the link, the firewall' \
	'^route\.add (link|neigh|fdb|route)\.[a-z]+ (guard|guard_peer|fw_table)\.add$' \
	"$(sed -n 's/^    repaired: \([^ ]*\) .*/\1/p' "$T/broken" | xargs)"
want_eq 'six pods reach each other, before and after' '60 0' \
	"$(grep -E '^  [abc][12] ' "$T/demo.out" | grep -Eo ' [0-9]+\.[0-9]{3}( |$)' | wc -l) $(grep -c ' none' "$T/demo.out" || :)"
nothing_is_left

demo
wait_for 60 'it shows a second thing' shown 'take the VXLAN link down'
kill -s INT -- "-$demo"
code=0
wait "$demo" || code=$?
want_eq 'interrupted' 130 "$code"
want_no_match 'it was half way' Afterwards "$(cat "$T/demo.out")"
nothing_is_left
