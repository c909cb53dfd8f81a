#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# C files look as clang-format makes them.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # file names without blanks
clang-format --dry-run $(files 'src/*.[ch]' 'tests/*.[ch]') 2>&1 |
	sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: warning: code should be clang-formatted.*/\1: not formatted: run .\/dev fmt/p' |
	uniq

verdict
