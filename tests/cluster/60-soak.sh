#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# Faults at random for two minutes, leases from etcd (./dev soak MINUTES [SEED]): afterwards, and every half minute, each
# pod pings each other, each kernel has the peers that etcd tells, and equals its plan; no agent has ended, and the one
# that never was replaced has not grown. (S1-02, S1-05)
# shellcheck disable=SC2034,SC2119 # for soak.sh
. "$(dirname "$0")/pods.sh"
. "$(dirname "$0")/soak.sh"

SUBNETS=/coreos.com/network/subnets

begin() {
	agent_start "$1" --ip-masq --etcd-lease-ttl=30
}
join() { :; }
leave() { :; }

# peers FIRST COUNT put|del: nodes that are not there come, or go, at once
peers() {
	awk -v first="$1" -v count="$2" -v verb="$3" -v at=$SUBNETS 'BEGIN {
		print ""
		for (i = first; i < first + count; i++) {
			key = sprintf("%s/10.%d.%d.0-24", at, 100 + int(i / 250), i % 250)
			if (verb == "del")
				print "del " key
			else
				printf "put %s {\"PublicIP\":\"172.16.%d.%d\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:%02x:%02x\"}}\n", \
					key, int(i / 250), i % 250, int(i / 250), i % 250
		}
		print "\n"
	}' | etcdctl_ txn >/dev/null
}
peers_come() { peers 100 100 put; }
peers_go() { peers 100 100 del; }

told() {
	etcdctl_ get --prefix $SUBNETS/ -w json | jq -r --arg own "192.168.77.$(number_of "$1")" '.kvs[]
		| (.key | @base64d | split("/") | last | sub("-"; "/")) as $subnet | .value | @base64d | fromjson
		| select(.PublicIP != $own) | "\($subnet) \(.BackendData.VtepMAC) \(.PublicIP)"' | sort
}

etcd_killed() {
	etcd_stop KILL
	sleep 0.5
	etcd_start >/dev/null
}
etcd_compacted() { etcdctl_ compact "$(etcdctl_ get / -w json | jq .header.revision)" >/dev/null; }
etcd_unreachable() {
	on "$1" nft 'table ip cut { chain out { type filter hook output priority 0; tcp dport 2379 drop; }; }'
	sleep 2
	quiet on "$1" nft delete table ip cut || : # another fault may have been there
}
own_lease_gone() {
	etcdctl_ del "$SUBNETS/$(on "$1" loden status --json | jq -r '.lease.subnet // "none"' | tr / -)" >/dev/null
}
mend() { :; }

REPLAY='./dev soak'
ON_ANY="$ON_ANY etcd_killed etcd_compacted etcd_unreachable own_lease_gone"

etcd_start
# Agents choose in 10.244–10.247, peers of no substance live in 10.100.
etcd_conf '{"Network":"10.0.0.0/8","SubnetMin":"10.244.0.0","SubnetMax":"10.247.255.0","Backend":{"Type":"vxlan"}}'
peers 0 100 put
soak "$@"
