#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and guards itself under its own name: MODEL_IP_H for src/model/ip.h.
. "$(dirname "$0")/lib.sh"

files 'src/*.h' | while read -r file; do
	guard=$(echo "${file#src/}" | tr 'a-z/.' 'A-Z__')
	grep -q "^#ifndef $guard\$" "$file" || echo "$file:1: the include guard is not $guard: name it so"
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -Isrc -include "$file" -fsyntax-only -x c /dev/null 2>&1 |
		sed -n 's/^\.*\/*\([^ ]*:[0-9]*\):[0-9]*: error: \(.*\)/\1: does not compile alone: \2/p' | head -n 1
done

verdict
