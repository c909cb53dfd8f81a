#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
# Nodes join and leave for two minutes (LODEN_CHURN_SECONDS); afterwards each pair pings and each kernel
# equals its plan.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/../netns/lib.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
nodes='a b c d'
n=0
for i in $nodes; do
	n=$((n + 1))
	node_add "$i" "$n"
	agent_start "$i" --ip-masq --etcd-lease-ttl=20 --spread-threshold=1
done
for i in $nodes; do wait_for 15 "$i is ready" on "$i" loden status; done

end=$(($(date +%s) + ${LODEN_CHURN_SECONDS:-120})) round=0
while [ "$(date +%s)" -lt "$end" ]; do
	round=$((round + 1))
	case $((round % 3)) in 0) i=b n=2 ;; 1) i=c n=3 ;; 2) i=d n=4 ;; esac
	node_del "$i"
	sleep 0.3
	# Half of the machines come back before anybody missed them, half after their lease went.
	if [ $((round % 2)) = 0 ]; then
		etcdctl_ get --prefix /coreos.com/network/subnets/ --print-value-only=false |
			grep -B1 "192.168.77.$n\"" | grep subnets | while read -r key; do etcdctl_ del "$key" >/dev/null; done
	fi
	node_add "$i" "$n"
	agent_start "$i" --ip-masq --etcd-lease-ttl=20 --spread-threshold=1
	sleep 0.7
done

for i in $nodes; do wait_for 60 "$i is ready after $round rounds" on "$i" loden status; done
three_routes() { [ "$(on "$1" ip route show proto 102 | grep -c flannel.1)" = 3 ]; }
gateway() { on "$1" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}'; }
for i in $nodes; do
	for j in $nodes; do
		wait_for 20 "$i reaches $j" on "$i" ping -qnc 1 -W 1 "$(gateway "$j")"
	done
	# Leases of machines that are gone for good expire after 20 s; the plan must end empty.
	wait_for 40 "$i: the kernel equals the plan" on "$i" loden plan
	wait_for 40 "$i has a route to each other node, and no more" three_routes "$i"
done
