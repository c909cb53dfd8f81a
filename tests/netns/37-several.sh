#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several agents on one host, each with its directories: none touches what is another's, and one that
# leaves takes only its own.
. "$(dirname "$0")/lib.sh"

# second_state: what the second one keeps
second_state() {
	on a sh -c 'ip -o link show flannel.2; ip -4 -o addr show flannel.2; ip -4 -o addr show cni1
		ip route show dev flannel.2; ip neigh show nud permanent dev flannel.2; ip nexthop
		nft -s list tables; cat /run/second/subnet.env' | grep -v -e 'table ip loden$' -e 'table ip loden_peers$' -e 'dev flannel.1'
}

node_add a
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
etcdctl_ put /second/config '{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan","VNI":2,"Port":8473}}' >/dev/null
etcdctl_ put /second/subnets/10.200.9.0-24 \
	'{"PublicIP":"192.168.77.9","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":2,"VtepMAC":"02:00:00:00:02:09"}}' >/dev/null
agent_start a --ip-masq --ip-blackhole-route --spread-threshold=0
on_bg a second loden agent --etcd-endpoints="$ETCD_URL" --ip-masq --ip-blackhole-route \
	--spread-threshold=0 --run-dir=/run/second --state-dir=/var/lib/second --bridge=cni1 \
	--subnet-file=/run/second/subnet.env --etcd-prefix=/second
wait_for 10 'the first is ready' on a loden status
wait_for 10 'the second is ready' on a loden status --run-dir=/run/second
one_peer() {
	[ "$(on a loden status --json "$@" | jq .peers_verified)" = 1 ]
}
wait_for 5 'a peer here' one_peer
wait_for 5 'a peer there' one_peer --run-dir=/run/second
sleep 1
want_no_match 'the first repairs nothing' plan.repair "$(agent_log a)"
want_no_match 'the second repairs nothing' plan.repair "$(cat "$T/second.log")"
want_exit 'nothing to change here' 0 on a loden plan
want_exit 'nor there' 0 on a loden plan --run-dir=/run/second

before=$(second_state)
agent_stop a
want_exit 'the first leaves' 0 on a loden uninstall
want_no_match 'its link is gone' 'flannel\.1:' "$(on a ip link)"
want_match 'the other link is not its own' 'left +link flannel.2: not marked as ours' "$out"
want_eq 'the second has all it had' "$before" "$(second_state)"
want_exit 'is ready' 0 on a loden status --run-dir=/run/second
want_no_match 'and had nothing to repair' plan.repair "$(cat "$T/second.log")"
stop second
want_exit 'the second leaves' 0 on a loden uninstall --run-dir=/run/second \
	--state-dir=/var/lib/second --bridge=cni1 --subnet-file=/run/second/subnet.env
want_no_match 'its link is gone' 'flannel\.2:' "$(on a ip link)"
want_eq 'no table is left' '' "$(on a nft list tables)"
