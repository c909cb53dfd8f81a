#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Budgets: what does not fit in a head is cut in two. Leans on the kernel style that format.sh holds:
# a function's braces stand alone in column 1, and a statement is indented by its nesting.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # file names without blanks
awk '
function file_end() {
	limit = file ~ /\.h$/ ? 250 : file ~ /\.md$/ ? 40 : 800
	if (lines > limit)
		printf "%s:%d: %d lines, the budget is %d: split it by subject\n", file, lines, lines, limit
}
FNR == 1 { if (file) file_end(); file = FILENAME; head = ""; inside = 0 }
{ lines = FNR }
FILENAME ~ /\.md$/ { next }
inside && /^}/ {
	# In tests a table of cases is no logic.
	if (FNR - start - 1 > 100 && file !~ /^tests/)
		printf "%s:%d: %s has %d lines, the budget is 100: give a part of it a name\n", FILENAME, start - 1, name, FNR - start - 1
	inside = 0; head = ""; next
}
inside {
	if (match($0, /^\t+/) && RLENGTH > 4 && /^\t+(if|for|while|switch|do)[ (]/)
		printf "%s:%d: nested %d deep, the budget is 4: return early, or give the inner part a name\n", FILENAME, FNR, RLENGTH
	next
}
# Outside: gather the head of what may become a function.
/^[#}\/ ]/ || /^$/ || /;[ \t]*$/ { head = ""; next }
/^\{/ && head ~ /\)/ {
	inside = 1; start = FNR
	name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
	args = head; sub(/^[^(]*\(/, "", args)
	depth = 0; n = 1
	for (i = 1; i <= length(args); i++) {
		c = substr(args, i, 1)
		if (c == "(") depth++
		if (c == ")" && depth-- == 0) break
		if (c == "," && depth == 0) n++
	}
	# A parameter that is not used is there because a library calls the function.
	n -= gsub(/_unused_/, "", args)
	if (n > 6)
		printf "%s:%d: %s takes %d parameters, the budget is 6: pass a struct\n", FILENAME, FNR - 1, name, n
	next
}
{ head = head " " $0 }
END { if (file) file_end() }
' $(files 'src/*.[ch]' 'tests/*.[ch]' 'src/*/README.md')

verdict
