#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source, script and build file says its licence in its first two lines.
. "$(dirname "$0")/lib.sh"

{
	files '*.[ch]' '*.sh' '*.awk' '*.jq' '*.go' '*meson.build' '*meson_options.txt' '*.ini'
	files '*' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME } { nextfile }'
} | sort -u | while read -r file; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		echo "$file:1: no licence: begin with a line SPDX-License-Identifier: Apache-2.0"
done

verdict
