# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What every lint shares. A lint is called as `<lint>.sh [TREE [ARGUMENT…]]`, prints one line per
# finding, "file:line: what is wrong: what to do", ends with `verdict`, and so exits 1 if there was
# a finding or if it could not look.
set -eu

# shellcheck disable=SC2034 # for the lints
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"
[ $# -eq 0 ] || shift
for archive; do
	[ -r "$archive" ] || { echo "$archive:1: cannot be read: build it first"; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exec 3>&1 >"$work/findings"

# files PATTERN…: files below the tree whose path matches one of the find -path patterns
files() {
	expression=''
	for pattern; do
		expression="$expression${expression:+ -o }-path ./$pattern"
	done
	set -f
	# shellcheck disable=SC2086 # words
	find . \( -name .git -o -path ./build -o -path './build-*' -o -path ./tests/lint/selftest \) -prune \
		-o -type f \( $expression \) -print | sed 's|^\./||' | LC_ALL=C sort
	set +f
}

verdict() {
	cat "$work/findings" >&3
	[ ! -s "$work/findings" ]
}
