#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck, whatever its name; and what has a first line to run it by can
# be run.
. "$(dirname "$0")/lib.sh"

# Each is read with all that it sources: several at once, or this alone takes longer than all other lints.
files '*' | xargs awk 'FNR == 1 && (/^#!.*sh$/ || FILENAME ~ /\.sh$/) { print FILENAME } { nextfile }' |
	xargs -n 8 -P "$(nproc)" shellcheck -x -P SCRIPTDIR -f gcc | sed 's/^\([^ ]*:[0-9]*\):[0-9]*: \(.*\)/\1: \2/'

files '*' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME } { nextfile }' | while read -r file; do
	[ -x "$file" ] || echo "$file:1: not executable: chmod +x $file"
done

verdict
