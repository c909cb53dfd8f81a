#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Documents point at what exists: relative links, and `file` or `file:function` references to our own
# sources (from the top of the tree or from src/ on).
. "$(dirname "$0")/lib.sh"

# references FILE: "line kind target"
references() {
	awk '
	/^```/ { code = !code }
	code { next }
	{
		rest = $0
		while (match(rest, /\]\([^)]*\)/)) {
			print FNR, "link", substr(rest, RSTART + 2, RLENGTH - 3)
			rest = substr(rest, RSTART + RLENGTH)
		}
		rest = $0
		gsub(/\]\([^)]*\)/, "", rest)
		while (match(rest, /(src|tests|docs|deploy|base|model|core|wire|os|agent|cni)\/[A-Za-z0-9_.\/-]*\.(c|h|sh|md|txt)(:[a-z_0-9]+)?/)) {
			before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : " "
			if (before !~ /[A-Za-z0-9_.\/-]/)
				print FNR, "source", substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
		}
	}' "$1"
}

check() {
	case $2 in
	link)
		case $3 in *://* | mailto:* | '#'*) return ;; esac
		[ -e "$(dirname "$1")/${3%%#*}" ] || echo "$1:$line: link to ${3%%#*}, which does not exist: mend or drop it"
		;;
	source)
		case $3 in *NN-*) return ;; esac # a pattern, not a name
		path=${3%%:*} name=
		case $3 in *:*) name=${3##*:} ;; esac
		for root in . src "$(dirname "$1")"; do
			[ ! -f "$root/$path" ] || break
		done
		if [ ! -f "$root/$path" ]; then
			echo "$1:$line: names $path, which does not exist: mend or drop it"
		elif [ -n "$name" ] && ! grep -Eq "^[a-z].*[ *]$name\(|^(struct|enum|union|#define) $name\b" "$root/$path"; then
			echo "$1:$line: names $3, but $path defines no $name: mend or drop it"
		fi
		;;
	esac
}

files '*.md' | while read -r file; do
	references "$file" | while read -r line kind target; do
		check "$file" "$kind" "$target"
	done
done

verdict
