#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs cross-compile for arm64 without a warning.
# timeout: 1800
set -eu

./dev build arm64
for name in loden loden-cni; do
	what=$(file -b "build/arm64/$name")
	case $what in
	*'ARM aarch64'*'static-pie linked'*stripped*) ;;
	*)
		echo "build/arm64/$name: wanted a stripped static-pie for ARM aarch64, is: $what"
		exit 1
		;;
	esac
done
