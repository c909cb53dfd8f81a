#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same sources make the same bytes, in whatever folder and under whatever name of the build
# folder.
# timeout: 1800
set -eu

copy=$TMPDIR/some/where/else
mkdir -p "$copy"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$copy"
cd "$copy"
CC=gcc meson setup out/twice >"$TMPDIR/log" 2>&1 || { cat "$TMPDIR/log"; exit 1; }
ninja -C out/twice loden loden-cni >"$TMPDIR/log" 2>&1 || { cat "$TMPDIR/log"; exit 1; }
for name in loden loden-cni; do
	cmp "$BUILD/$name" "out/twice/$name" || {
		echo "$name differs when built in $PWD/out/twice: does a path or a date reach it?"
		exit 1
	}
done
