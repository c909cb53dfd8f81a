#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Leases that make no sense, or that would take others' packets: each is left out by name, nothing of it comes into
# the kernel, and the peers that do make sense are reached as before.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/flannel.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in a b; do
	node_add "$n"
	agent_start "$n"
done
for n in a b; do
	wait_for 10 "$n is ready" on "$n" loden status
	pod_add "$n" "${n}1"
done
wait_for 5 'both are peers' quiet pings a1 b1
subnet_a=$(on a sh -c '. /run/flannel/subnet.env; echo "${FLANNEL_SUBNET%.*}"')
subnet_b=$(on b sh -c '. /run/flannel/subnet.env; echo "${FLANNEL_SUBNET%.*}"')
mac_a=$(on a cat /sys/class/net/flannel.1/address)
mac_b=$(on b cat /sys/class/net/flannel.1/address)
# Nobody's, and without an overlap with the two.
free() {
	for i in 11 12 13; do
		case "$subnet_a $subnet_b " in *"10.244.$i "*) ;; *) echo "10.244.$i" && return ;; esac
	done
}
free=$(free)
half=${subnet_b##*.}
half=$((half / 128 * 128))

kernel_of() {
	on "$1" sh -c 'ip route; ip neigh show dev flannel.1; bridge fdb show dev flannel.1; ip -4 addr show cni0' | sort
}

names() { # NODE REGEX
	on "$1" loden status | grep -Eq -- "$2"
}

names_no() {
	! names "$@"
}

before=$(kernel_of a)
on_bg a ping-a1 ip netns exec a1 ping -ni 0.02 "$(cat "$T/b1.ip")"

# what | subnet | PublicIP | VtepMAC | what the status of a says
while IFS='|' read -r what subnet ip mac says; do
	etcd_peer "$subnet" "$ip" "$mac"
	wait_for 5 "$what: named" names a "$says"
	want_eq "$what: nothing of it in the kernel" "$before" "$(kernel_of a)"
	etcdctl_ del "/coreos.com/network/subnets/$(echo "$subnet" | tr / -)" >/dev/null
	wait_for 5 "$what: forgotten" names_no a "$says"
done <<END
zero MAC|$free.0/24|192.168.77.50|00:00:00:00:00:00|peer $free.0/24 at 192.168.77.50 is left out: VtepMAC: not the MAC of one station
multicast MAC|$free.0/24|192.168.77.50|01:00:5e:00:00:01|peer $free.0/24 at 192.168.77.50 is left out: VtepMAC
broadcast MAC|$free.0/24|192.168.77.50|ff:ff:ff:ff:ff:ff|peer $free.0/24 at 192.168.77.50 is left out: VtepMAC
the MAC of this node|$free.0/24|192.168.77.50|$mac_a|left out: its VtepMAC is our own
the MAC of another|$free.0/24|192.168.77.50|$mac_b|left out: its VtepMAC is also that of $subnet_b.0/24 at 192.168.77.2
multicast address|$free.0/24|239.1.2.3|02:00:00:00:00:50|peer $free.0/24 at 239.1.2.3 is left out: PublicIP: not the IPv4 address of a node
broadcast address|$free.0/24|255.255.255.255|02:00:00:00:00:50|left out: PublicIP: not the IPv4 address of a node
loopback|$free.0/24|127.0.0.1|02:00:00:00:00:50|left out: PublicIP: not the IPv4 address of a node
link-local address|$free.0/24|169.254.3.4|02:00:00:00:00:50|left out: PublicIP: not the IPv4 address of a node
no address|$free.0/24|0.0.0.0|02:00:00:00:00:50|left out: PublicIP: not the IPv4 address of a node
the address of this node|$free.0/24|192.168.77.1|02:00:00:00:00:50|1 other lease.* our public address 192.168.77.1
the address of a pod of this node|$free.0/24|$subnet_a.9|02:00:00:00:00:50|left out: its PublicIP lies in our own subnet $subnet_a.0/24
the address of another's pod|$free.0/24|$subnet_b.9|02:00:00:00:00:50|left out: its PublicIP lies in $subnet_b.0/24 at 192.168.77.2
an address in its own subnet|$free.0/24|$free.9|02:00:00:00:00:50|left out: PublicIP: inside the lease's own subnet
a part of this node's subnet|$subnet_a.128/25|192.168.77.50|02:00:00:00:00:50|left out: its subnet overlaps our own $subnet_a.0/24
a part of another's subnet|$subnet_b.0/25|192.168.77.50|02:00:00:00:00:50|left out: its subnet overlaps $subnet_b.0/24 at 192.168.77.2
half of Network, a node in it|10.244.$half.0/17|192.168.77.50|02:00:00:00:00:50|peer 10.244.$half.0/17 at 192.168.77.50 is left out: its subnet overlaps
all of Network|10.244.0.0/16|192.168.77.50|02:00:00:00:00:50|left out: subnet: takes all of Network
outside of Network|10.99.1.0/24|192.168.77.50|02:00:00:00:00:50|left out: subnet: outside Network 10.244.0.0/16
everything|0.0.0.0/0|192.168.77.50|02:00:00:00:00:50|left out: subnet: outside Network
the network of the nodes|192.168.77.0/24|192.168.77.50|02:00:00:00:00:50|left out: subnet: outside Network
END

wait_for 5 'nothing is left to say' on a sh -c '! loden status | grep -q "left out"'
want_exit 'ready all the while' 0 on a loden status
ping_ended 'all the while' a1
for n in a b; do wait_for 10 "$n: the kernel equals the plan" on "$n" loden plan; done

# Our own key overwritten by somebody else: pods keep what they have, and the status says who.
etcd_peer "$subnet_a.0/24" 192.168.77.50 02:00:00:00:00:50
wait_for 5 'our own subnet taken: named' names a '192\.168\.77\.50'
want_eq 'our own subnet taken: the kernel is as it was' "$before" "$(kernel_of a)"
etcdctl_ del "/coreos.com/network/subnets/$subnet_a.0-24" >/dev/null
wait_for 20 'given back: ready again' on a loden status
want_match 'with the same subnet' "$subnet_a.0-24 .*192.168.77.1\"" "$(lease_of 192.168.77.1)"
wait_for 5 'and reached' quiet pings b1 a1
