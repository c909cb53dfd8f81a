#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What needs no root runs enough of core and wire.
# timeout: 1800
set -eu

./dev cover
