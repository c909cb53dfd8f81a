#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `loden status` and `loden plan`: exit codes, the facts, the bounds of the socket behind them.
. "$(dirname "$0")/lib.sh"

node_add a
etcd_start
want_exit 'no agent' 2 on a loden status
want_match 'and where it was looked for' '/run/loden/loden.sock: No such file' "$out"
want_exit 'no agent to plan, either' 2 on a loden plan

agent_start a --audit-interval=3600
wait_for 5 'not ready without a configuration' agent_says 1 a
want_match 'the cause comes first' '^NOT READY .*config' "$(on a loden status | head -n 1)"
want_exit 'a plan without a network is empty' 0 on a loden plan

etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
etcd_peer 10.244.8.0/24 192.168.77.8 02:00:00:00:00:08
wait_for 10 'ready' on a loden status
two_peers() {
	[ "$(on a loden status --json | jq .peers_verified)" = 2 ]
}
wait_for 5 'both peers' two_peers
json=$(on a loden status --json)
said() {
	printf '%s' "$json" | jq -rc "$1"
}
want_eq 'ready' true "$(said .ready)"
want_eq 'network' 10.244.0.0/16 "$(said .network)"
want_eq 'uplink' '["eth0","192.168.77.1","192.168.77.1",1500]' \
	"$(said '.uplink | [.name, .ip, .public_ip, .mtu]')"
want_eq 'backend' '["vxlan",1,1450]' "$(said '.backend | [.type, .vni, .mtu]')"
want_eq 'MAC' "$(on a cat /sys/class/net/flannel.1/address)" "$(said .backend.vtep_mac)"
want_eq 'subnet' "$(on a sed -n 's/FLANNEL_SUBNET=//p' /run/flannel/subnet.env)" \
	"$(said .lease.subnet | sed 's|0/24|1/24|')"
want_eq 'verified' true "$(said '.verified_generation == .generation')"
want_match 'the screen has it, too' '^subnet +10\.244\.' "$(on a loden status)"

want_eq 'mode of the socket' '660 root root' "$(on a stat -c '%a %U %G' /run/loden/loden.sock)"
want_exit 'nothing to change' 0 on a loden plan
want_eq 'and so it says' '0 changes.' "$out"
# A change that the kernel announces to nobody: what plan would do is seen, and not done.
on a sysctl -qw net.ipv6.conf.flannel/1.accept_ra=1
want_exit 'a change that is announced to nobody is in the plan' 1 on a loden plan
want_match 'in words' '^would sysctl.set net/ipv6/conf/flannel.1/accept_ra = 0 ' "$out"
want_eq 'the plan changed nothing' 1 "$(on a sysctl -n net.ipv6.conf.flannel/1.accept_ra)"
