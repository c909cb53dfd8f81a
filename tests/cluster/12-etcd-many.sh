#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 5,000 leases come in pages and are turned into structs as they come: little memory, little time.
. "$(dirname "$0")/../netns/lib.sh"

PROBE=$BUILD/tests/cluster/etcd_probe
[ -x "$PROBE" ] || skip "no $PROBE: run ./dev build"

etcd_start
etcd_conf '{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}'
etcd_many_peers
want_eq 'etcd has 5,000 leases' 5000 "$(etcdctl_ get --prefix /coreos.com/network/subnets/ --keys-only | grep -c /)"

start=$(date +%s%3N)
"$PROBE" "$ETCD_URL" /coreos.com/network 192.168.0.1 86400 >"$T/a.out" 2>"$T/a.log" &
echo $! >"$T/a.pid"
wait_for 10 'all arrive' grep -q '^leases n=5000 malformed=0' "$T/a.out"
echo "listed after $(($(date +%s%3N) - start)) ms"
wait_for 10 'and one of ours' grep -q '^own held' "$T/a.out"
grep -E '^(VmHWM|VmRSS|RssAnon)' "/proc/$(pid_of a)/status"
# Before the lists are freed it was more; what stays is the loop, one connection and its buffers,
# and 400 kB of the TLS library's tables, which a static-pie relocates at start.
anon=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of a)/status")
[ "$anon" -le 1300 ] || fail "anonymous memory of the source at rest
  wanted: at most 1300 kB
  was:    $anon kB"
pass 'little memory stays'
