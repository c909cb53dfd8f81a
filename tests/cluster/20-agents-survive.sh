#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# Three agents, two pods a node: etcd killed, restarted and compacted, agents killed -9 and replaced: not one
# ping between pods is lost. (S1-02, S1-08)
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/../netns/lib.sh"

pod_add() { # NODE POD
	on "$1" ip netns add "$2"
	echo '{"cniVersion":"1.0.0","name":"lo","type":"loopback"}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=lo \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/loopback" >"$T/$2.lo"
	echo '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$2.json"
	jq -r '.ips[0].address | split("/")[0]' "$T/$2.json" >"$T/$2.ip"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a b c; do
	node_add "$n"
	agent_start "$n" --ip-masq
done
for n in a b c; do
	wait_for 10 "$n is ready" on "$n" loden status
	pod_add "$n" "${n}1"
	pod_add "$n" "${n}2"
done

pings_all() {
	for from in a1 a2 b1 b2 c1 c2; do
		for to in a1 a2 b1 b2 c1 c2; do
			on "${from%?}" ip netns exec "$from" ping -qnc 1 -W 10 "$(cat "$T/$to.ip")" >/dev/null ||
				fail "$from does not reach $to ($(cat "$T/$to.ip"))"
		done
	done
	pass "each of six pods reaches each other ($1)"
}

knows_both() {
	[ "$(fact "$1" .peers_verified)" = 2 ]
}
for n in a b c; do wait_for 10 "$n knows the others" knows_both "$n"; done
pings_all 'at the start'

# One ping each way a 10 ms through everything that follows.
for way in a1:c1 c2:b2 b1:a2; do
	on_bg "${way%?:*}" "ping-${way%:*}" ip netns exec "${way%:*}" ping -ni 0.01 "$(cat "$T/${way#*:}.ip")"
done

etcd_stop KILL
sleep 2
agent_kill b
agent_start b --ip-masq
sleep 1
etcd_start
for n in a b c; do wait_for 40 "$n follows etcd again" settled "$n"; done

rev=$(etcdctl_ get /coreos.com/network/config -w json | jq .header.revision)
etcdctl_ compact "$rev" >/dev/null
etcd_peer 10.244.250.0/24 192.168.77.250 02:00:00:00:00:fa
for n in a b c; do wait_for 40 "$n follows after the compaction" has_route "$n" 10.244.250.0/24; done
for n in a b c; do
	env_before=$(on "$n" cat /run/flannel/subnet.env) mac_before=$(on "$n" cat /sys/class/net/flannel.1/address)
	agent_kill "$n"
	agent_start "$n" --ip-masq
	wait_for 15 "$n is ready after kill -9" settled "$n"
	want_eq "$n keeps its subnet" "$env_before" "$(on "$n" cat /run/flannel/subnet.env)"
	want_eq "$n keeps its MAC" "$mac_before" "$(on "$n" cat /sys/class/net/flannel.1/address)"
done

for way in a1 c2 b1; do
	ping_stop "ping-$way"
	want_eq "pings of $way that were lost" 0 "$lost"
done
pings_all 'at the end'
