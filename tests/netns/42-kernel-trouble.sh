#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# What the kernel refuses: no nexthop objects, no nf_tables, not even nfnetlink, one switch that cannot be
# set, port 8472 held by another VXLAN device or by a socket. Each is named, the rest works, and it is
# well again when the cause is gone. (S0-05, S0-08, S2-03; E6.) Any op that fails in any way:
# tests/model, laws "refused" and "unread".
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

DENY=$BUILD/tests/netns/deny
[ -x "$DENY" ] || skip "no $DENY: run ./dev build"
[ "$(uname -m)" = x86_64 ] || skip "deny.c knows the registers of x86-64 only"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for i in 240 241 242 243 244 245 246 247; do etcd_peer "10.244.$i.0/24" "192.168.77.$i" "02:00:00:00:00:$((i - 200))"; done
node_add a
notes() { on a loden status; }
routes_are() { [ "$(on a ip route show proto 102 | grep -c flannel.1)" = "$1" ]; }
# lacking WHAT FLAG…: the agent on a kernel that lacks it
lacking() {
	what=$1
	shift
	on_bg a agent-a "$DENY" "$what" -- loden agent --etcd-endpoints="$ETCD_URL" "$@"
}

echo '--- no nexthop objects, as before Linux 5.3: of those that earlier versions left there are none then'
lacking nexthop
wait_for 15 'ready' on a loden status
wait_for 5 'all routes' routes_are 8
want_no_match 'nothing is said' nexthop "$(notes)"
agent_stop a

echo '--- nfnetlink without nf_tables'
lacking nftables --iptables-forward-rules=false
wait_for 15 'without rules of ours, nothing is missing' on a loden status
agent_stop a
lacking nftables --ip-masq
wait_for 15 'with --ip-masq it is named' problem_is a 'fw_table.add ip loden .*: this kernel has no nf_tables'
wait_for 5 'the fabric works all the same' routes_are 8
sleep 2
[ "$(agent_log a | grep -c 'op.failed.*fw_table')" -le 12 ] || fail 'tried again and again without a pause'
agent_stop a

echo '--- not even nfnetlink'
lacking nfnetlink --ip-masq
wait_for 15 'named' problem_is a 'fw_table.add ip loden .*: this kernel has no nf_tables'
wait_for 5 'the fabric works all the same' routes_are 8
want_calm 'the agent is calm' agent-a 4 150
agent_stop a

echo '--- one switch cannot be set'
on a sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward; mount --bind /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_forward &&
	mount -o remount,bind,ro /proc/sys/net/ipv4/ip_forward'
agent_start a
wait_for 15 'named' problem_is a 'sysctl.set net/ipv4/ip_forward = 1 .*: .*Read-only file system'
wait_for 5 'the fabric works all the same' routes_are 8
on a umount /proc/sys/net/ipv4/ip_forward
wait_for 40 'it can be set again: ready' on a loden status
want_eq 'it is set' 1 "$(on a cat /proc/sys/net/ipv4/ip_forward)"
agent_stop a

echo '--- port 8472 held by a VXLAN device of somebody else that takes all VNIs'
on a ip link del flannel.1
on a ip link add cilium_vxlan type vxlan external dstport 8472
on a ip link set cilium_vxlan up
agent_start a
wait_for 15 'the device is named' problem_is a 'flannel.1 .*: UDP port 8472 is held by the VXLAN device cilium_vxlan, for all VNIs'
want_calm 'the agent is calm' agent-a 4 150
want_eq 'it is left alone' 1 "$(on a ip -j link show cilium_vxlan | jq length)"
on a ip link del cilium_vxlan
wait_for 40 'gone: ready' on a loden status
agent_stop a

echo '--- another VXLAN device with our VNI'
on a ip link del flannel.1
on a ip link add vx7 type vxlan id 1 dstport 8472 dev eth0
agent_start a
wait_for 15 'the device is named' problem_is a 'flannel.1 .*: UDP port 8472 is held by the VXLAN device vx7, VNI 1'
on a ip link del vx7
wait_for 40 'gone: ready' on a loden status
agent_stop a

echo '--- port 8472 held by a socket'
on a ip link del flannel.1
on_bg a holder "$DENY" hold 8472
held() { on a ss -Hlun sport = :8472 | grep -q 8472; }
wait_for 5 'it is held' held
agent_start a
wait_for 15 'the holder is named' problem_is a 'flannel.1 .*: UDP port 8472 is held by a socket of uid 0'
stop holder KILL
wait_for 40 'gone: ready' on a loden status
wait_for 5 'the fabric works' routes_are 8
