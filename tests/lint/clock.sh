#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The wall clock jumps; only the monotonic one decides anything. Whoever tells people the time, or reads a
# date in a certificate, or counts over a restart, stands in the list here.
. "$(dirname "$0")/lib.sh"

may='src/os/logger.c src/agent/process.c src/agent/last_good.c src/os/tls.c src/agent/kube_own.c'
may="$may src/agent/kube_exec.c"

files 'src/*.[ch]' | while read -r file; do
	case " $may " in *" $file "*) continue ;; esac
	grep -nE 'CLOCK_REALTIME|CLOCK_TAI|\b(gettimeofday|time|timespec_get) ?\((NULL|0|&|\))|\bftime\(' "$file" |
		sed "s|^\([0-9]*\):.*|$file:\1: reads the wall clock, which jumps: use loop_now_ms() or CLOCK_MONOTONIC|"
done

verdict
