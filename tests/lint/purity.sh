#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# purity.sh TREE ARCHIVE…: the pure layers call only themselves, the layers below, and the short list
# of tests/lint/allow-pure.txt plus allow-<layer>.txt (extended regular expressions, whole names).
# Needs all pure archives at once, named lib<layer>.a.
. "$(dirname "$0")/lib.sh"

for archive; do
	layer=$(basename "$archive" .a)
	layer=${layer#lib}
	nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' >"$work/$layer.defined"
done
for archive; do
	layer=$(basename "$archive" .a)
	layer=${layer#lib}
	# The first word of the layer's line is the layer itself.
	sed -n "s/^$layer\\b/&/p" src/layers.txt | tr -s ' ' '\n' |
		while read -r below; do cat "$work/$below.defined"; done >"$work/defined"
	cat "$here/allow-pure.txt" "$here/allow-$layer.txt" 2>/dev/null | grep -v '^#' >"$work/allowed" || :
	nm -A -u "$archive" | sed -n 's/.*src_[a-z]*_\([a-z0-9_]*\)\.c\.o:.* U \(.*\)/\1 \2/p' |
		while read -r module symbol; do
			! grep -qxF "$symbol" "$work/defined" || continue
			! printf '%s\n' "$symbol" | grep -qxEf "$work/allowed" || continue
			file=src/$layer/$module.c
			line=$(grep -n -m 1 "\b$symbol(" "$file" | cut -d : -f 1)
			echo "$file:${line:-1}: calls $symbol: $layer is pure; let the caller do it, or if it has no effect, add it to tests/lint/allow-$layer.txt"
		done
done

verdict
