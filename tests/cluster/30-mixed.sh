#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# One network, two daemons: nodes with the real flanneld and nodes with Loden reach each other's pods, whoever came
# first; who leaves is forgotten, who comes back is found, on both sides.
# shellcheck disable=SC2119
. "$(dirname "$0")/flannel.sh"

has_peer() { # NODE PUBLIC_ADDRESS: is there a tunnel to it, and no second one?
	[ "$(on "$1" bridge fdb show dev flannel.1 | grep -c "dst $2 ")" = 1 ]
}

has_no_peer() {
	! has_peer "$1" "$2"
}

no_route() { # NODE SUBNET
	[ -z "$(on "$1" ip route show "$2" dev flannel.1)" ]
}

subnet_of() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 "\"PublicIP\":\"$1\"" | head -n 1 |
		sed 's|.*/||; s|-|/|'
}

# sees WHAT POD POD: whose address does the second see of the first?
sees() {
	rm -f "$T/sees.log"
	on_bg "${3%?}" sees ip netns exec "$3" "$BUILD/tests/cluster/nat_probe" serve 9
	wait_for 10 "$3 listens" listens in_pod "$3"
	nat_start "$2" "$(cat "$T/$3.ip")"
	stop "nat-$2"
	stop sees
	want_match "$1" "^$(cat "$T/$2.ip") [0-9]+\$" "$(cat "$T/sees.log")"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
node_add f 1
node_add l 2
node_add g 3
node_add m 4

flanneld_start f --ip-masq
wait_for 20 'a flanneld runs' flanneld_runs f
pod_add f f1
agent_start l --ip-masq
wait_for 10 'Loden, later, is ready' on l loden status
pod_add l l1
flanneld_start g --ip-masq
wait_for 20 'another flanneld, later still, runs' flanneld_runs g
pod_add g g1
pod_add g g2
agent_start m --ip-masq
wait_for 10 'another Loden, last, is ready' on m loden status
pod_add m m1
wait_for 10 'it has all three as peers' on m sh -c 'loden status --json | jq -e ".peers_verified == 3"'
all_ping 'whoever came first' f1 l1 g1 g2 m1
sees 'a pod on flanneld sees the address of a pod on Loden' l1 f1
sees 'and the other way round' f1 l1

# --- leaving and coming back ----------------------------------------------------------------------

# For good: its lease is given back.
subnet=$(subnet_of 192.168.77.4)
agent_stop m
want_exit 'Loden leaves for good' 0 on m loden uninstall --all --lease
wait_for 10 'flanneld forgets it' has_no_peer f 192.168.77.4
wait_for 10 'its route, too' no_route f "$subnet"
wait_for 10 'so does Loden' has_no_peer l 192.168.77.4
node_del m
node_add m 4
agent_start m --ip-masq
wait_for 10 'it comes back as another node of the same address' on m loden status
pod_add m m1
wait_for 10 'flanneld finds it' has_peer f 192.168.77.4
all_ping 'back' f1 l1 g1 m1

subnet=$(subnet_of 192.168.77.3)
node_del g
stop flanneld-g KILL
etcdctl_ del "/coreos.com/network/subnets/$(echo "$subnet" | tr / -)" >/dev/null
wait_for 10 'a flanneld that is gone for good is forgotten by Loden' has_no_peer l 192.168.77.3
wait_for 10 'its route, too' no_route l "$subnet"
node_add g 3
flanneld_start g --ip-masq
wait_for 20 'it comes back' flanneld_runs g
pod_add g g1
wait_for 10 'Loden finds it' has_peer l 192.168.77.3
all_ping 'back' f1 l1 g1 m1

# The same machine anew within its lease: the same subnet, another MAC. flanneld leaves the old MAC behind.
for n in l g; do
	mac=$(on "$n" cat /sys/class/net/flannel.1/address)
	case $n in l) agent_kill l ;; g) stop flanneld-g KILL ;; esac
	on "$n" ip link del flannel.1
	case $n in
	l) agent_start l --ip-masq ;;
	g) flanneld_start g --ip-masq ;;
	esac
	echo "$mac" >"$T/mac.$n"
done
wait_for 10 'Loden is back' settled l
wait_for 20 'flanneld is back' flanneld_runs g
want_eq 'Loden has kept its MAC, without a device to tell it' "$(cat "$T/mac.l")" "$(on l cat /sys/class/net/flannel.1/address)"
wait_for 10 'pods ping again' quiet pings l1 g1
for n in l m; do wait_for 10 "$n: one tunnel to the flanneld of another MAC" has_peer "$n" 192.168.77.3; done
all_ping 'devices made anew' f1 l1 g1 m1
for n in l m; do wait_for 10 "$n: the kernel equals the plan" on "$n" loden plan; done
