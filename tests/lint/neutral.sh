#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The text speaks of the project alone: no path of somebody's machine, no host of a package registry.
. "$(dirname "$0")/lib.sh"

files '*' | xargs grep -InE \
	'(^|[^A-Za-z0-9_.~-])/(work|home|Users)/|(^|[^a-z.])(deb|snapshot|ftp)\.debian\.org|proxy\.golang\.org|registry\.npmjs|pypi\.org' \
	/dev/null | grep -v '^tests/lint/neutral\.sh:' |
	sed 's/^\([^:]*:[0-9]*\):.*/\1: a path of one machine or the name of a registry: say it in general/'

verdict
