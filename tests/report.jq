# SPDX-License-Identifier: Apache-2.0
# meson's testlog.json as tests/run would say it: a line per test, what a failed one printed, how to
# run it again. With $tally: result, name, reason, tab-separated. $build tells builds apart.
def lines: (.stdout // "") + (.stderr // "") | split("\n") | map(select(. != ""));
def verdict: {OK: "ok", EXPECTEDFAIL: "ok", SKIP: "skip"}[.result] // "not ok";
def reason:
	if verdict == "ok" then ""
	elif verdict == "skip" then lines | last // "" | ltrimstr("skip: ")
	elif .result == "FAIL" then "exit \(.returncode)"
	else .result | ascii_downcase end;
def seconds: .duration * 100 | round / 100 | tostring | "      "[length:] + .;

# With several suites meson says "loden:lint / lint/size".
(.name |= sub("^.* / "; ""))
| (.name + $build) as $name
| if $tally == "yes" then
	[verdict, $name, reason] | @tsv
else
	"\(verdict | . + "      "[length:]) \(seconds) s  \($name)" + (reason | if . == "" then "" else ": " + . end),
	if verdict == "not ok" then
		(lines[] | "    | " + .),
		"    run it again: ./dev check \(.name)"
	else empty end
end
