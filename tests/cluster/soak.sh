# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Faults at random on four nodes, whatever their leases come from. Read behind pods.sh or kube.sh by the test that
# knows the source, which defines:
#
#	begin NODE	its agent starts
#	join NODE	the source is told of a new node, if it must be; leave NODE: that it is gone
#	peers_come, peers_go	a hundred nodes of no substance, in 10.100.0.0/16; fine if they are there, or gone
#	told NODE	who its peers are, by the source: lines of subnet, MAC, public address, sorted
#	mend		what its own faults have left broken
#	REPLAY		how somebody runs it again: ./dev soak
#
# may add to the faults, which are functions that take a node,
#
#	ON_ANY, ON_OTHERS	those of the second never happen to a, whose agent is the same from begin to end
#
# and then says: soak [MINUTES [SEED]]. The seed decides which faults come in which order.
# shellcheck disable=SC2016 # expanded by the inner shell

nodes='a b c d'
number_of() { case $1 in a) echo 1 ;; b) echo 2 ;; c) echo 3 ;; d) echo 4 ;; esac; }

# rnd N: $r = 0 … N - 1, as the seed has it (a linear congruential generator; its low bits are poor).
rnd() {
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	r=$(((seed >> 8) % $1))
}

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
pod_replaced() { pod_del "$1" "$1"1 && pod_add "$1" "$1"1; }

# Those of the agent; never of a's.
killed() { agent_kill "$1" && begin "$1"; }
restarted() { agent_stop "$1" && begin "$1"; }
memory_torn() {
	agent_stop "$1"
	on "$1" sh -c 'for f in /var/lib/loden/*; do [ ! -s "$f" ] || truncate -s -9 "$f"; done'
	begin "$1"
}
machine_gone() {
	node_del "$1"
	leave "$1"
	arrive "$1"
}

ON_ANY='routes_gone route_stolen neighbours_gone fdb_gone link_down link_flap link_gone mtu_wrong address_gone
	firewall_gone firewall_drops forward_off env_gone env_wrong storm uplink_flap
	uplink_without_address stopped pod_replaced peers_come peers_go'
ON_OTHERS='killed restarted memory_torn machine_gone'

arrive() { # NODE
	node_add "$1" "$(number_of "$1")"
	join "$1"
	begin "$1"
}

n_faults=0
# inflict FAULT NODE
inflict() {
	n_faults=$((n_faults + 1))
	echo "$(date +%T) $n_faults: $1 $2"
	# What is to be broken may be broken already.
	"$1" "$2" >"$T/fault.out" 2>&1 || echo "  not done: $(head -n 1 "$T/fault.out")"
}

# --- what must hold -------------------------------------------------------------------------------

# has NODE: who its peers are, by its kernel, as told() says it
has() {
	routes_=$(on "$1" ip -j route show dev flannel.1 proto 102)
	neighbours_=$(on "$1" ip -j neigh show dev flannel.1 nud permanent)
	fdb_=$(on "$1" bridge -j fdb show dev flannel.1)
	printf '%s\n' "${routes_:-[]}" "${neighbours_:-[]}" "${fdb_:-[]}" | jq -rs '
		(.[1] | map({(.dst): .lladdr}) | add // {}) as $mac
		| (.[2] | map(select(.dst) | {(.mac): .dst}) | add // {}) as $address
		| .[0][] | $mac[.gateway // "none"] as $m | "\(.dst) \($m) \($address[$m // "none"])"' | sort
}

equals() { # NODE
	told "$1" >"$T/told"
	has "$1" >"$T/has"
	diff "$T/told" "$T/has"
}

# has_pod NODE: one with an address of the node's subnet
has_pod() {
	on "$1" test -e "/run/netns/$1"1 && [ -s "$T/$1"1.ip ] &&
		[ "$(sed 's/\.[0-9]*$//' "$T/$1"1.ip)" = "$(fact "$1" '.lease.subnet | rtrimstr(".0/24")')" ]
}

pod_anew() {
	! on "$1" test -e "/run/netns/$1"1 || quiet pod_del "$1" "$1"1 || :
	pod_add "$1" "$1"1
	has_pod "$1" || fail "the pod on $1 has the address $(cat "$T/$1"1.ip)"
}

pods_ping() {
	for from_ in $nodes; do
		for to_ in $nodes; do
			pings4 "$from_"1 "$to_"1 || {
				echo "pod of $from_ does not reach pod of $to_"
				return 1
			}
		done
	done
}

all_is_well() {
	mend
	for n in $nodes; do
		quiet kill -0 "$(pid_of "agent-$n")" || fail "the agent of $n has ended by itself"
	done
	for n in $nodes; do
		wait_for 60 "$n is ready" settled "$n"
		has_pod "$n" || pod_anew "$n"
	done
	for n in $nodes; do wait_for 30 "$n: what the kernel has is what the source tells" equals "$n"; done
	wait_for 60 "each pod reaches each other after $n_faults faults" pods_ping
	for n in $nodes; do wait_for 30 "$n: the kernel equals the plan" on "$n" loden plan; done
}

# memory_kb FIELD: of the agent of a
memory_kb() {
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(pid_of agent-a)/status"
}

# shellcheck disable=SC2086 # lists
soak() {
	seed=${2:-$(date +%s)}
	echo "seed $seed: $REPLAY ${1:-2} $seed"
	peers_come
	for n in $nodes; do arrive "$n"; done
	all_is_well

	# Each once, so that whatever is needed at times has been had.
	for fault in $ON_ANY; do
		inflict "$fault" a
		sleep 0.2
	done
	for fault in $ON_OTHERS; do inflict "$fault" b; done
	peers_go
	all_is_well
	first_kb=$(memory_kb RssAnon)
	echo "anonymous memory of a's agent: $first_kb kB, RSS $(memory_kb VmRSS) kB"

	end_s=$(($(date +%s) + ${1:-2} * 60)) check_s=$(($(date +%s) + 30))
	while [ "$(date +%s)" -lt "$end_s" ]; do
		rnd 4
		node=$(echo $nodes | cut -d ' ' -f $((r + 1)))
		choice=$ON_ANY
		[ "$node" = a ] || choice="$ON_ANY $ON_OTHERS"
		rnd "$(echo $choice | wc -w)"
		inflict "$(echo $choice | cut -d ' ' -f $((r + 1)))" "$node"
		rnd 10
		sleep "0.$r"
		[ "$(date +%s)" -lt "$check_s" ] || {
			all_is_well
			check_s=$(($(date +%s) + 30))
		}
	done
	peers_go
	all_is_well
	last_kb=$(memory_kb RssAnon)
	echo "anonymous memory of a's agent: $last_kb kB, RSS $(memory_kb VmRSS) kB, after $n_faults faults"
	[ "$((last_kb - first_kb))" -le 200 ] || fail "a's agent has grown by $((last_kb - first_kb)) kB; 200 are allowed"
	pass 'and it has not grown'
}
