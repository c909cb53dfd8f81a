#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# src/layers.txt is the law: a file includes only headers of its own layer and of those listed there.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # file names without blanks
awk '
FNR == NR { for (i = 1; i <= NF; i++) may[$1, $i] = 1; next }
/^#[ \t]*include[ \t]*"/ {
	split(FILENAME, path, "/"); from = path[2]
	if (from ~ /\./) next # a program in src/ itself may see all
	header = $0; sub(/^[^"]*"/, "", header); sub(/".*/, "", header)
	to = header; sub(/\/.*/, "", to)
	if (header !~ /\//)
		printf "%s:%d: includes \"%s\": write it from src/ on, \"%s/%s\"\n", FILENAME, FNR, header, from, header
	else if (!((from, to) in may))
		printf "%s:%d: %s includes \"%s\": src/layers.txt does not let it; move what is needed down, or pass it in\n", FILENAME, FNR, from, header
}' src/layers.txt $(files 'src/*.[ch]')

verdict
