#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A lint that cannot fail is worth nothing: each must say exactly selftest/want/<lint> of the small bad
# tree in selftest/tree. After a change to a lint: selftest.sh --bless, and read the diff.
set -eu
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R selftest/tree "$work/tree"
# Too long to keep: a file and a function over budget.
awk 'BEGIN {
	print "/* SPDX-License-Identifier: Apache-2.0 */\nint long_is(void)\n{"
	for (i = 0; i < 800; i++) print "\t;"
	print "}"
}' >"$work/tree/src/core/long.c"
for source in core/bad model/good; do
	layer=${source%/*}
	${CC:-cc} -w -O0 -fno-pic -std=gnu17 -I"$work/tree/src" -I"$work/tree/src/model" \
		-c "$work/tree/src/$source.c" -o "$work/src_${layer}_${source#*/}.c.o"
	ar rc "$work/lib$layer.a" "$work/src_${layer}_${source#*/}.c.o"
done

ar rc "$work/libbase.a"

failed=0
for lint in *.sh; do
	case $lint in lib.sh | selftest.sh) continue ;; esac
	code=0
	"./$lint" "$work/tree" "$work"/lib*.a >"$work/was" || code=$?
	want=selftest/want/${lint%.sh}
	[ "${1:-}" != --bless ] || cp "$work/was" "$want"
	if [ "$code" != 1 ] || ! diff -u --label wanted --label was "$want" "$work/was"; then
		echo "tests/lint/$lint: exit $code on the bad tree; wanted 1, and the text above"
		failed=1
	fi
done
exit "$failed"
