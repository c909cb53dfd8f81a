#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that no meson.build names is not built, a test so forgotten never fails: all are listed.
. "$(dirname "$0")/lib.sh"

# listed FILE NAME: NAME stands in the meson.build next to FILE
listed() {
	list=$(dirname "$1")/meson.build
	grep -qF "'$2'" "$list" 2>/dev/null || echo "$1:1: not listed: add '$2' to $list"
}

{
	files 'src/*/*.c' | grep -v '/main\.c$' | while read -r file; do
		listed "$file" "${file##*/}"
	done
	files 'tests/*/test_*.c' 'tests/fuzz/fuzz_*.c' 'tests/assume/*.c' | while read -r file; do
		name=$(basename "$file" .c)
		name=${name#test_}
		listed "$file" "${name#fuzz_}"
	done
	files 'tests/trace/*.txt' | while read -r file; do
		listed "$file" "$(basename "$file" .txt)"
	done
}

verdict
