#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck, whatever its name.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # file names without blanks
shellcheck -x -P SCRIPTDIR -f gcc $(
	files '*' | xargs awk 'FNR == 1 && (/^#!.*sh$/ || FILENAME ~ /\.sh$/) { print FILENAME } { nextfile }'
) | sed 's/^\([^ ]*:[0-9]*\):[0-9]*: \(.*\)/\1: \2/'

verdict
