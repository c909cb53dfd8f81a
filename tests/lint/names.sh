#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# names.sh TREE [ARCHIVE…]: what a file exports starts with the file's stem, or that of the header
# that declares it, or a type defined there; event names of the log have a form and are unique;
# structs are not typedef'd; no default: over our own enums.
. "$(dirname "$0")/lib.sh"


# prefixes LAYER STEM SYMBOL
prefixes() {
	echo "$2"
	[ "$2" != main ] || echo "$1"
	grep -lwr --include="*.h" "$3" "src/$1" | while read -r header; do
		basename "$header" .h
		sed -nE 's/^(struct|enum|union) (_packed_ )?([a-z0-9_]+) \{$/\3/p' "$header"
	done
}

exported() {
	for archive; do
		layer=$(basename "$archive" .a)
		layer=${layer#lib}
		nm -A -g --defined-only "$archive" |
			sed -n 's/.*src_[a-z]*_\([a-z0-9_]*\)\.c\.o:[0-9a-f]* [A-Z] \(.*\)/\1 \2/p' |
			while read -r stem symbol; do
				prefixes "$layer" "$stem" "$symbol" | sed 's/.*/^&(_|$)/' >"$work/prefixes"
				! printf '%s\n' "$symbol" | grep -qEf "$work/prefixes" || continue
				file=src/$layer/$stem.c
				line=$(grep -n -m 1 "\b$symbol(" "$file" | cut -d : -f 1)
				echo "$file:${line:-1}: exports $symbol: call it ${stem}_…, or make it static"
			done
	done
}

# The event name is a literal and the first argument, perhaps on the next line.
events() {
	awk '
	function event(name, line) {
		if (name !~ /^[a-z0-9_]+(\.[a-z0-9_]+)+$/)
			printf "%s:%d: event \"%s\": write it as noun.verb, in small letters\n", FILENAME, line, name
		if (name in seen)
			printf "%s:%d: event \"%s\" is also logged in %s: give each place its own name\n", FILENAME, line, name, seen[name]
		else
			seen[name] = FILENAME ":" line
	}
	FNR == 1 { open = 0 }
	open && match($0, /^[ \t]*"[^"]*"/) { s = substr($0, RSTART, RLENGTH); gsub(/[ \t"]/, "", s); event(s, FNR) }
	{ open = 0 }
	/^#/ { next }
	/(^|[^a-z_])log_(error|warn|info|debug)\($/ { open = 1; next }
	match($0, /(^|[^a-z_])log_(error|warn|info|debug)\("[^"]*"/) {
		s = substr($0, RSTART, RLENGTH); sub(/^[^"]*"/, "", s); sub(/"$/, "", s); event(s, FNR)
	}
	match($0, /(^|[^a-z_])log_(error|warn|info|debug)\([^")]/) && !/\(\*/ {
		printf "%s:%d: the event name is not a literal: write it out, so that it can be found\n", FILENAME, FNR
	}' "$@"
}

typedefs() {
	grep -nE '^[[:space:]]*typedef[[:space:]]+(struct|union|enum)' "$@" /dev/null |
		sed 's/^\([^:]*:[0-9]*\):.*/\1: typedef of a struct, union or enum: say struct where you mean it/'
}

# A switch whose cases are our enumerators must not have a default: the compiler then tells what a
# new enumerator forgot. First pass: enumerators; second: switches, by their indentation.
defaults() {
	awk '
	FNR == 1 { file++; in_enum = 0; depth = 0 }
	pass == 1 && /^[ \t]*(static )?enum( [a-z0-9_]+)? \{/ { in_enum = 1; next }
	pass == 1 && in_enum && /\}/ { in_enum = 0 }
	pass == 1 && in_enum && match($0, /^[ \t]*[A-Z][A-Z0-9_]*/) {
		s = substr($0, RSTART, RLENGTH); gsub(/[ \t]/, "", s); ours[s] = 1
	}
	pass == 1 { next }
	match($0, /^\t+/) || match($0, /^/) { indent = RLENGTH > 0 ? RLENGTH : 0 }
	# An expression that calculates is a number from outside, not an enum.
	/^\t+switch \(/ { own[indent] = 0; default_at[indent] = 0; number[indent] = / [&|+%-] | >> / }
	match($0, /^\t+case [A-Z][A-Z0-9_]*[: ]/) {
		s = substr($0, RSTART, RLENGTH); sub(/^\t+case /, "", s); sub(/[: ]$/, "", s)
		if (s in ours && !number[indent]) own[indent] = 1
	}
	/^\t+default:/ { default_at[indent] = FNR }
	/^\t+}/ && (indent in default_at) {
		if (own[indent] && default_at[indent])
			printf "%s:%d: default: in a switch over our own enum: name the values, so that the compiler finds a forgotten one\n", FILENAME, default_at[indent]
		delete own[indent]; delete default_at[indent]
	}' pass=1 "$@" pass=2 "$@"
}

# shellcheck disable=SC2046 # file names without blanks
{
	exported "$@"
	set -- $(files 'src/*.[ch]')
	events "$@"
	typedefs "$@"
	defaults "$@"
}

verdict
