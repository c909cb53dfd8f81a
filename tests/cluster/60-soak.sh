#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# Faults at random for two minutes (./dev soak MINUTES [SEED]): afterwards, and every half minute, each pod pings
# each other, each kernel equals its plan, no agent has ended, and the one that never was replaced has not grown.
# The seed decides which faults come in which order. (S1-02, S1-05)
# shellcheck disable=SC2016,SC2119
. "$(dirname "$0")/../netns/lib.sh"

minutes=${1:-2}
seed=${2:-$(date +%s)}
echo "seed $seed: ./dev soak $minutes $seed"

# rnd N: $r = 0 … N - 1, as the seed has it (a linear congruential generator; its low bits are poor).
rnd() {
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	r=$(((seed >> 8) % $1))
}

# --- the cluster ----------------------------------------------------------------------------------

nodes='a b c d'
number_of() { case $1 in a) echo 1 ;; b) echo 2 ;; c) echo 3 ;; d) echo 4 ;; esac; }

start() { # NODE
	agent_start "$1" --ip-masq --etcd-lease-ttl=30
}

pod_add() { # NODE
	on "$1" ip netns add pod
	on "$1" ip -n pod link set lo up
	echo '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="pod-$1" CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$1.json" &&
		jq -r '.ips[0].address | split("/")[0]' "$T/$1.json" >"$T/$1.ip"
}

pod_del() { # NODE
	echo '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}' |
		on "$1" env CNI_COMMAND=DEL CNI_CONTAINERID="pod-$1" CNI_NETNS=/run/netns/pod CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel"
	on "$1" ip netns del pod
}

# peers FIRST COUNT [del]: nodes that are not there come, or go, at once
peers() {
	awk -v first="$1" -v count="$2" -v verb="${3:-put}" 'BEGIN {
		print ""
		for (i = first; i < first + count; i++) {
			key = sprintf("/coreos.com/network/subnets/10.%d.%d.0-24", 100 + int(i / 250), i % 250)
			if (verb == "del")
				print "del " key
			else
				printf "put %s {\"PublicIP\":\"172.16.%d.%d\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:%02x:%02x\"}}\n", \
					key, int(i / 250), i % 250, int(i / 250), i % 250
		}
		print "\n"
	}' | etcdctl_ txn >/dev/null
}

etcd_start
# Agents choose in 10.244–10.247, peers of no substance live in 10.100.
etcd_conf '{"Network":"10.0.0.0/8","SubnetMin":"10.244.0.0","SubnetMax":"10.247.255.0","Backend":{"Type":"vxlan"}}'
peers 0 100
for n in $nodes; do
	node_add "$n" "$(number_of "$n")"
	start "$n"
done
for n in $nodes; do
	wait_for 15 "$n is ready" on "$n" loden status
	pod_add "$n"
done

# --- the faults: each takes a node ----------------------------------------------------------------

# Those of the data plane, by which the agent's own work is undone.
routes_gone() { on "$1" ip route flush proto 102; }
route_stolen() { on "$1" ip route replace 10.100.7.0/24 dev lo; }
neighbours_gone() { on "$1" ip neigh flush dev flannel.1 nud all; }
fdb_gone() { on "$1" sh -c 'bridge fdb show dev flannel.1 | head -n 20 | while read -r mac _ dst _; do bridge fdb del "$mac" dev flannel.1; done'; }
link_down() { on "$1" ip link set flannel.1 down; }
link_flap() { on "$1" sh -c 'ip link set flannel.1 down; ip link set flannel.1 up'; }
link_gone() { on "$1" ip link del flannel.1; }
mtu_wrong() { on "$1" ip link set flannel.1 mtu 1300; }
address_gone() { on "$1" ip addr flush dev flannel.1; }
firewall_gone() { on "$1" nft flush ruleset; }
firewall_drops() { on "$1" sh -c 'iptables-nft -P FORWARD DROP && iptables-nft -F FORWARD'; }
forward_off() { on "$1" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'; }
env_gone() { on "$1" rm -f /run/flannel/subnet.env; }
env_wrong() { on "$1" sh -c 'echo nonsense >/run/flannel/subnet.env'; }
storm() { on "$1" sh -c 'for i in $(seq 1 3000); do echo "route add 10.9.$((i / 250)).$((i % 250))/32 dev lo table 77"; done | ip -batch - ; ip route flush table 77'; }

# Those of the node.
uplink_flap() {
	on "$1" sh -c 'ip link set eth0 down; sleep 0.3; ip link set eth0 up; ip route replace default via 192.168.77.254'
}
uplink_without_address() {
	on "$1" ip addr flush dev eth0
	sleep 0.5
	on "$1" ip addr add "192.168.77.$(number_of "$1")/24" dev eth0
	on "$1" ip route replace default via 192.168.77.254
}
stopped() {
	kill -STOP "$(pid_of "agent-$1")"
	routes_gone "$1"
	sleep 1
	kill -CONT "$(pid_of "agent-$1")"
}
pod_replaced() { pod_del "$1" && pod_add "$1"; }

# Those of etcd.
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
	etcdctl_ del "/coreos.com/network/subnets/$(on "$1" loden status --json | jq -r '.lease.subnet // "none"' | tr / -)" >/dev/null
}
peers_come() { peers 100 100; }
peers_go() { peers 100 100 del; }

# Those of the agent; never of a's.
killed() { agent_kill "$1" && start "$1"; }
restarted() { agent_stop "$1" && start "$1"; }
memory_torn() {
	agent_stop "$1"
	on "$1" sh -c 'for f in /var/lib/loden/*; do [ ! -s "$f" ] || truncate -s -9 "$f"; done'
	start "$1"
}
machine_gone() {
	node_del "$1"
	node_add "$1" "$(number_of "$1")"
	start "$1"
}

ON_ANY='routes_gone route_stolen neighbours_gone fdb_gone link_down link_flap link_gone mtu_wrong address_gone
	firewall_gone firewall_drops forward_off env_gone env_wrong storm uplink_flap
	uplink_without_address stopped pod_replaced etcd_killed etcd_compacted etcd_unreachable own_lease_gone
	peers_come peers_go'
ON_OTHERS='killed restarted memory_torn machine_gone'

n_faults=0
# inflict FAULT NODE
inflict() {
	n_faults=$((n_faults + 1))
	echo "$(date +%T) $n_faults: $1 $2"
	# What is to be broken may be broken already.
	"$1" "$2" >"$T/fault.out" 2>&1 || echo "  not done: $(head -n 1 "$T/fault.out")"
}

# --- what must hold -------------------------------------------------------------------------------

all_ping() {
	for from in $nodes; do
		for to in $nodes; do
			on "$from" ip netns exec pod ping -qnc 1 -W 1 "$(cat "$T/$to.ip")" || {
				echo "pod of $from does not reach pod of $to"
				return 1
			}
		done
	done
}

all_is_well() {
	for n in $nodes; do
		quiet kill -0 "$(pid_of "agent-$n")" || fail "the agent of $n has ended by itself"
		wait_for 60 "$n is ready" on "$n" loden status
		on "$n" ip netns pids pod >/dev/null 2>&1 || pod_add "$n"
		[ -s "$T/$n.ip" ] || fail "no pod on $n"
	done
	wait_for 30 "each pod reaches each other after $n_faults faults" all_ping
	for n in $nodes; do wait_for 30 "$n: the kernel equals the plan" on "$n" loden plan; done
}

# memory_kb FIELD: of the agent of a
memory_kb() {
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(pid_of agent-a)/status"
}

# Each once, so that whatever is needed at times has been had.
for fault in $ON_ANY; do
	inflict "$fault" a
	sleep 0.2
done
for fault in $ON_OTHERS; do inflict "$fault" b; done
peers_go a
all_is_well
first_kb=$(memory_kb RssAnon)
echo "anonymous memory of a's agent: $first_kb kB, RSS $(memory_kb VmRSS) kB"

end_s=$(($(date +%s) + minutes * 60)) check_s=$(($(date +%s) + 30))
# shellcheck disable=SC2086 # lists
while [ "$(date +%s)" -lt "$end_s" ]; do
	rnd 4
	node=$(echo $nodes | cut -d ' ' -f $((r + 1)))
	faults=$ON_ANY
	[ "$node" = a ] || faults="$ON_ANY $ON_OTHERS"
	rnd "$(echo $faults | wc -w)"
	inflict "$(echo $faults | cut -d ' ' -f $((r + 1)))" "$node"
	rnd 10
	sleep "0.$r"
	[ "$(date +%s)" -lt "$check_s" ] || {
		all_is_well
		check_s=$(($(date +%s) + 30))
	}
done
peers_go a
all_is_well
last_kb=$(memory_kb RssAnon)
echo "anonymous memory of a's agent: $last_kb kB, RSS $(memory_kb VmRSS) kB, after $n_faults faults"
[ "$((last_kb - first_kb))" -le 200 ] || fail "a's agent has grown by $((last_kb - first_kb)) kB; 200 are allowed"
pass 'and it has not grown'
