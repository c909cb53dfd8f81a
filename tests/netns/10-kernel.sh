#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# os_ops_kernel by itself: applied = dumped, foreign objects stay, failures are named, changes heard.
. "$(dirname "$0")/lib.sh"

"$BUILD/tests/netns/kernel_ops"
"$BUILD/tests/netns/kernel_heard"
"$BUILD/tests/netns/kernel_speed" 1 # the numbers are for whoever reads them
