#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bridge: what goes wrong is told, leaves nothing behind, and DEL works whatever is still there.
. "$(dirname "$0")/cni.sh"

HL='"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}'
CONF=$(conf 1.0.0 "\"isGateway\":true,$HL")
DUAL='"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]],"routes":[{"dst":"10.9.0.0/16"}]}'

# nothing_left 'ID WHAT': of the pod of now, on the host and in it
nothing_left() {
	is "$1: no reservation" '' "$(held "$cid")"
	better_is "$1: no link" '|' "$(ports)|$(link "$ifname" .ifname -n "$cid")"
}

# --- B07: DEL -------------------------------------------------------------------------------------

pod a
call DEL bridge "$CONF"
is 'B07 never added' 0 "$code$out"
call ADD bridge "$CONF"
call DEL bridge "$CONF"
is 'B07 once' '0||' "$code$out|$(ports)|$(held a)"
call DEL bridge "$CONF"
is 'B07 twice' 0 "$code$out"
call ADD bridge "$CONF"
in_pod ip link del eth0
call DEL bridge "$CONF"
is 'B07 the link is gone' '0|' "$code$out|$(held a)"
call ADD bridge "$CONF"
ip netns del a
call DEL bridge "$CONF"
is 'B07 the namespace is gone' '0|' "$code$out|$(held a)"
while [ -n "$(ports)" ]; do sleep 0.01; done # the kernel clears it away when it has time
pod a
call ADD bridge "$CONF"
call DEL bridge "$CONF" CNI_NETNS=
is 'B07 CNI_NETNS is empty' '0|' "$code$out|$(held a)"
better_is 'B07 CNI_NETNS is empty, the pod is alive: its link is removed' '' "$(ports)"
call DEL bridge "$CONF"
is 'B07 and then with it' '0|' "$code$out|$(ports)"
call ADD bridge "$CONF"
call DEL bridge "$CONF" CNI_NETNS=/run/netns/nowhere
is 'B07 CNI_NETNS is no file' '0|' "$code$out|$(held a)"
call DEL bridge "$CONF"
echo text >"$T/no-netns"
call ADD bridge "$CONF" "CNI_NETNS=$T/no-netns"
like 'B07 ADD: CNI_NETNS is some file' "^1 999 failed to open netns \"$T/no-netns\": unknown FS magic on \"$T/no-netns\": [0-9a-f]+\$" "$(error)"
call ADD bridge "$CONF" CNI_NETNS=/nowhere
like 'B07 ADD: CNI_NETNS is no file' '^1 999 failed to open netns "/nowhere": failed to Statfs "/nowhere": no such file or directory$' "$(error)"
nothing_left 'B07 after all that'

# A pod deleted while it is being deleted, as runtimes that lost their patience do.
call ADD bridge "$CONF"
for _ in 1 2 3 4; do
	{ invoke DEL bridge "$CONF" || echo failed; } >>"$T/dels" &
done
wait
better_is 'B07 four at once' '' "$(cat "$T/dels")"
nothing_left 'B07 four at once'

# Two interfaces of one pod: DEL is about one of them.
call ADD bridge "$CONF"
ifname=net1
call ADD bridge "$(conf 1.0.0 "\"bridge\":\"cni1\",\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.1.5.0/24\"}")"
is 'B07 two interfaces' '10.1.2 10.1.5' "$(addrs eth0 -n a | cut -d. -f1-3) $(addrs net1 -n a | cut -d. -f1-3)"
call DEL bridge "$CONF" CNI_NETNS=
better_is 'B07 two interfaces: DEL of one leaves the other' 'eth0||1' \
	"$(link eth0 .ifname -n a)|$(link net1 .ifname -n a)|$(held a | wc -w)"
ifname=eth0
fresh

# --- B12: what fails after IPAM -------------------------------------------------------------------

while IFS='|' read -r what keys wanted; do
	pod a
	call ADD bridge "$(conf 1.0.0 "$keys")"
	like "B12 $what" "^1 999 $wanted" "$(error)"
	nothing_left "B12 $what"
	fresh
done <<'END'
a gateway that is not reachable|"ipam":{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"10.9.0.0/16","gw":"192.168.9.1"}]}|.*10.9.0.0/?.* via 192.168.9.1 .*[Nn]etwork (is )?unreachable
an MTU that is too small for IPv6|"mtu":1000,"ipam":{"type":"host-local","subnet":"fd00:2::/64"}|
END
pod a
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,$HL,\"bridge\":\"a-name-too-long16\"")"
is 'B12 a bridge name that no link can have: exit' 1 "$code"
nothing_left 'B12 a bridge name that no link can have'
call ADD bridge "$(conf 1.0.0 "\"mtu\":20,$HL")"
is 'B12 an MTU that no link can have: exit' 1 "$code"
nothing_left 'B12 an MTU that no link can have'
fresh

# A route said twice is one route: the reference fails with "file exists".
pod a
call ADD bridge "$(conf 1.0.0 '"ipam":{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"10.9.0.0/16"},{"dst":"10.9.0.0/16"}]}')"
better_is 'B12 the same route twice' '0 1' "$code $(ip -n a route show 10.9.0.0/16 | wc -l)"
fresh
pod a
call ADD bridge "$(conf 1.0.0 '"isDefaultGateway":true,"ipam":{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"0.0.0.0/0"}]}')"
better_is 'B12 a default route without gateway, and isDefaultGateway' '0 default via 10.1.2.1 dev eth0' \
	"$code $(ip -n a route show default | sed 's/ *$//')"
fresh

# --- B14: CHECK -----------------------------------------------------------------------------------

for version in 0.4.0 1.0.0 1.1.0; do
	for ipam in "$HL" '"ipam":{"type":"host-local","subnet":"fd00:2::/64"}' "$DUAL"; do
		pod a
		call ADD bridge "$(conf $version "\"isDefaultGateway\":true,$ipam")"
		call CHECK bridge "$(prev)"
		is "B14 $version CHECK right after ADD: $ipam" 0 "$code$out"
		call DEL bridge "$(conf $version "\"isDefaultGateway\":true,$ipam")"
	done
done
call CHECK bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$DUAL")"
is 'B14 CHECK after DEL' '1 999 host-local: Failed to find address added by container a' "$(error)"
fresh
while IFS='|' read -r what break wanted; do
	pod a
	call ADD bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$DUAL")"
	port=$(ports) pod_mac=$(link eth0 .address -n a) bridge_mac=$(link cni0 .address) port_mac=$(link "$(ports)" .address)
	export port pod_mac bridge_mac port_mac
	ok=$(prev)
	eval "$break" || fail "B14 cannot break: $break"
	call CHECK bridge "$ok"
	like "B14 $what" "^1 999 $(eval "echo \"$wanted\"")\$" "$(error)"
	fresh
done <<'END'
an address is gone|ip -n a addr del 10.1.2.2/24 dev eth0|Failed to match addr 10.1.2.2/24 on interface eth0
a route is gone|ip -n a route del 10.9.0.0/16|Expected Route {.*10.9.0.0.*} not found in routing table
the default route is gone|ip -n a route del default|Expected Route {.*0.0.0.0.*} not found in routing table
the IPv6 default route is gone|ip -n a -6 route del default|Expected Route {.*::.*} not found in routing table
the connected route is gone|ip -n a route del 10.1.2.0/24|Failed to find Gateway 10.1.2.1 for interface eth0
the bridge is gone|ip link del cni0|Interface name cni0 not found
the bridge is something else|ip link del cni0; ip link add cni0 type veth peer name x0|Interface cni0 does not have link type of bridge
the bridge has another MAC|ip link set cni0 address 02:00:00:00:00:99|Bridge interface cni0 Mac doesn't match: $bridge_mac
the bridge is promiscuous|ip link set cni0 promisc on|Bridge interface cni0 configured Promisc Mode false doesn't match current state: true ?
the pod has another MAC|ip -n a link set eth0 address 02:00:00:00:00:98|Interface eth0 Mac $pod_mac doesn't match container Mac: 02:00:00:00:00:98
the pod's interface is gone|ip -n a link del eth0|Interface name eth0 not found
the pod's interface is something else|ip -n a link del eth0; ip -n a link add eth0 type bridge|Error: Container interface eth0 not of type veth
the port is in no bridge|ip link set $port nomaster|CNI veth created for bridge cni0 was not found
the port has another MAC|ip link set $port address 02:00:00:00:00:97|Interface $port Mac doesn't match: $port_mac not found
the reservations are gone|rm /var/lib/cni/networks/net/*:* /var/lib/cni/networks/net/10*|host-local: Failed to find address added by container a
another sandbox|ip netns add b; netns=/run/netns/b|Sandbox in prevResult  doesn't match configured netns: /run/netns/b
END
pod a
call ADD bridge "$(conf 1.0.0 "$HL")"
ok=$(prev)
call CHECK bridge "$(conf 1.0.0 "$HL")"
is 'B14 without prevResult' '1 999 Required prevResult missing' "$(error)"
call CHECK bridge "$(echo "$ok" | jq -c '.prevResult.interfaces |= del(.[1])')"
is 'B14 prevResult without the port' '1 999 CNI veth created for bridge cni0 was not found' "$(error)"
call CHECK bridge "$(echo "$ok" | jq -c '.prevResult.interfaces |= del(.[0])')"
like 'B14 prevResult without the bridge' '^1 999 Interface name missing ?$' "$(error)"
call CHECK bridge "$(echo "$ok" | jq -c 'del(.prevResult.interfaces[].mac)')"
is 'B14 prevResult without MACs' 0 "$code$out"
call CHECK bridge "$(echo "$ok" | jq -c '.prevResult.routes = [{dst: "10.7.0.0/16"}]')"
like 'B14 prevResult with one more route' '^1 999 Expected Route {.*10.7.0.0.*} not found in routing table$' "$(error)"
call CHECK bridge "$ok" CNI_NETNS=/run/netns/nowhere
like 'B14 without namespace' '^1 999 failed to open netns "/run/netns/nowhere": ' "$(error)"
fresh

# --- B18, B19, B20: what is there already ---------------------------------------------------------

pod a
in_pod ip link add eth0 type bridge
in_pod ip addr add 10.7.7.7/32 dev eth0
before=$(link eth0 '"\(.ifindex) \(.address) \(.linkinfo.info_kind)"' -n a)
call ADD bridge "$CONF"
like 'B18 eth0 exists' '^1 999 container veth name \("eth0"\) peer provided \("veth[0-9a-f]{8}"\) already exists$' "$(error)"
is 'B18 it is untouched' "$before 10.7.7.7/32" "$(link eth0 '"\(.ifindex) \(.address) \(.linkinfo.info_kind)"' -n a) $(addrs eth0 -n a)"
is 'B18 nothing is left' '|' "$(ports)|$(held a)"
fresh
pod a
call ADD bridge "$CONF"
before="$(held a) $(link eth0 .address -n a)"
call ADD bridge "$CONF"
is 'B18 ADD twice: exit' 1 "$code"
is 'B18 ADD twice: the first is untouched' "$before" "$(held a) $(link eth0 .address -n a)"
fresh

pod a
ip link add cni0 type veth peer name sw-x
call ADD bridge "$CONF"
like 'B19 cni0 is a veth' '^1 999 failed to create bridge "cni0": "cni0" already exists but is not a bridge$' "$(error)"
nothing_left 'B19 cni0 is a veth'
is 'B19 it is untouched' veth "$(link cni0 .linkinfo.info_kind)"
ip link del cni0

ip link add cni0 type bridge
ip link add x0 type veth peer name x1
ip link set x0 master cni0
ip link set x0 nomaster
ip link del x0
is 'B20 a bridge that lost its last port has no MAC' 00:00:00:00:00:00 "$(link cni0 .address)"
call ADD bridge "$CONF"
better_is 'B20 works' '0 10.1.2.1/24' "$code $(addrs cni0)"
mac=$(link cni0 .address)
call DEL bridge "$CONF"
better_is 'B20 and has a MAC for good' "$mac" "$(link cni0 .address)"
fresh
pod a
ip link add cni0 address 02:11:22:33:44:55 type bridge
ip addr add 10.1.2.1/24 dev cni0
ip link set cni0 up
call ADD bridge "$CONF"
is 'B20 a bridge that somebody made before is taken as it is' '0 02:11:22:33:44:55' "$code $(in_out '.interfaces[0].mac')"
fresh
verdict
