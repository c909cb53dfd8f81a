#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang builds everything without a warning, and what it builds passes the unit tests.
# timeout: 1800
set -eu

./dev build clang
meson test -C build/clang --no-rebuild --quiet --print-errorlogs --suite unit
