# SPDX-License-Identifier: Apache-2.0
# gcovr's summary as a row per layer; fails if one is below what we want.
def least: {line: 95, branch: 85};
def columns: [.[] | tostring | . + "            "[length:]] | add;

[.files | group_by(.filename | split("/")[1])[]
	| {layer: .[0].filename | split("/")[1], files: length}
	+ ([{of: "line", n: map(.line_covered) | add, all: map(.line_total) | add},
		{of: "branch", n: map(.branch_covered) | add, all: map(.branch_total) | add}]
		| map({(.of): (.n * 1000 / .all | floor / 10)}) | add)]
| (["layer", "files", "lines %", "branches %"] | columns),
	(.[] | [.layer, .files, .line, .branch] | columns),
	"which are missing: build/cover/lines.txt, build/cover/branches.txt",
	(.[] | select(.line < least.line or .branch < least.branch)
		| "\(.layer): wanted are \(least.line) % of lines and \(least.branch) % of branches\n" | halt_error(1))
