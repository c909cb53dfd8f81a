#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# 10,000 nodes are there when the agent starts, and when it starts again: all are programmed, in little memory; a pod
# may come meanwhile, and a peer that comes then is not kept waiting. flannel's queue of 5,000 stands still there.
. "$(dirname "$0")/../netns/lib.sh"

etcd_start
etcd_conf '{"Network":"10.0.0.0/8","SubnetMin":"10.200.0.0","SubnetMax":"10.250.0.0","Backend":{"Type":"vxlan"}}'
etcd_thousands 0 1 2 3 4 5 6 7 8 9
want_eq 'etcd has 10,000 leases' 10000 "$(etcdctl_ get --prefix /coreos.com/network/subnets/ --keys-only | grep -c /)"
node_add a
all_there() {
	[ "$(fact a .peers_verified)" = "$1" ] && settled a
}

started=$(date +%s%3N)
agent_start a --ip-masq
wait_for 60 'all verified' all_there 10000
echo "      after $(($(date +%s%3N) - started)) ms"
want_eq 'a route each' 10000 "$(on a ip route show proto 102 type unicast | grep -c '^10\.')"
want_eq 'an FDB entry each' 10000 "$(on a bridge fdb show dev flannel.1 | grep -c ' dst 172\.16\.')"
etcd_peer 10.100.1.0/24 192.168.77.101 02:00:00:01:00:01
wait_for 10 'one more is followed' has_route a 10.100.1.0/24
peak_kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of agent-a)/status")
[ "$peak_kb" -le 20480 ] || fail "peak memory with 10,000 peers
  wanted: at most 20480 kB
  was:    $peak_kb kB"
pass "peak memory: $peak_kb kB"

agent_kill a
agent_start a --ip-masq
wait_for 60 'killed and started again: all verified' all_there 10001
want_eq 'nothing was to be done' 0 "$(fact a .repairs)"
want_calm 'then it is calm' agent-a 4 300
