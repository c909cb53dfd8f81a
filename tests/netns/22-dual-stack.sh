#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# Dual stack on one node: each kind of IPv6 object of ours deleted or altered is repaired, and nothing of
# others around it changes; a family that cannot be had leaves the other one working and is named
# (failures.md I-25); routes that a router advertised survive forwarding (I-24).
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/lib.sh"

conf='{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'

etcd_start
etcd_conf "$conf"
ip addr add fd77::fe/64 dev sw nodad
for i in 1 2 3; do
	etcd_peer6 "10.244.$i.0/24" "192.168.77.10$i" "02:00:00:00:00:0$i" \
		"fd00:10:244:$i::/64" "fd77::10$i" "02:00:00:00:06:0$i"
done
etcd_peer 10.244.4.0/24 192.168.77.104 02:00:00:00:00:04
node_add a
on a ip addr add fd77::1/64 dev eth0 nodad
on a ip route add default via fd77::fe

# --- what stands ---

on a sh -c '
	ip link add other type bridge && ip addr add fd96::1/64 dev other nodad && ip link set other up
	ip route add fd99::/64 via fd77::fe
	ip route add fd00:10:244:1::/64 via fd77::fe metric 2000
	ip route add fd00::/8 via fd77::fe
	ip route add fd00:10:244:80::/64 via fd77::fe
	ip neigh add fd77::200 lladdr 02:99:00:00:00:01 dev eth0 nud permanent
	nft "add table ip6 other; add chain ip6 other out { type nat hook postrouting priority 100; }; add rule ip6 other out ip6 saddr fd96::/64 counter masquerade"
	ip6tables-nft -P FORWARD DROP
	ip6tables-nft -A FORWARD -s fd96::/64 -j ACCEPT -m comment --comment "not ours"
'
agent_start a --ip-masq --ip-blackhole-route
wait_for 10 'the agent is ready' on a loden status
wait_for 5 'IPv6 works' works a ipv6
want_eq 'subnet.env says both' 'FLANNEL_NETWORK FLANNEL_SUBNET FLANNEL_IPV6_NETWORK FLANNEL_IPV6_SUBNET FLANNEL_MTU=1450 FLANNEL_IPMASQ=true ' \
	"$(on a sed '/NETWORK=\|SUBNET=/s/=.*//' /run/flannel/subnet.env | tr '\n' ' ')"
key=$(etcdctl_ get --prefix --keys-only /coreos.com/network/subnets/ | grep -v '10\.244\.[1234]\.0-24' | sed -n '/./{s,.*/,,p;}')
want_match 'the key holds both' '^10\.244\.[0-9]+\.0-24&fd00:10:244:[0-9a-f]+::-64$' "$key"
want_match 'the value is as flannel writes it' \
	'^\{"PublicIP":"192.168.77.1","PublicIPv6":"fd77::1","BackendType":"vxlan","BackendData":\{"VNI":1,"VtepMAC":"[0-9a-f:]*"\},"BackendV6Data":\{"VNI":1,"VtepMAC":"[0-9a-f:]*"\}\}$' \
	"$(etcdctl_ get --print-value-only "/coreos.com/network/subnets/$key")"
want_eq 'the device is as flannel has it' '["flannel-v6.1",1430,1,8472,"fd77::1",false]' \
	"$(on a ip -j -d link show flannel-v6.1 | jq -c '.[0] | [.ifname, .mtu, .linkinfo.info_data.id, .linkinfo.info_data.port, .linkinfo.info_data.local6, .linkinfo.info_data.learning]')"
want_eq 'three peers in IPv6, four in IPv4' '3 4' \
	"$(on a ip -6 route show proto 102 type unicast | wc -l) $(on a ip -4 route show proto 102 type unicast | wc -l)"
want_match 'a peer in IPv6' '^fe80::ff:fe00:601 lladdr 02:00:00:00:06:01 PERMANENT' "$(on a ip -6 neigh show dev flannel-v6.1)"

# --- damage ---

ours() {
	on a sh -c '
		ip -j -d link show flannel-v6.1 | jq -c ".[0] | [.ifname, .address, .mtu, (.flags | index(\"UP\") != null), .ifalias, (.linkinfo.info_data | [.id, .port, .local6, .link, .learning])]"
		ip -j -6 addr show flannel-v6.1 scope global | jq -c "[.[].addr_info[]? | [.local, .prefixlen]] | sort"
		ip -j -6 addr show cni0 scope global | jq -c "[.[].addr_info[]? | [.local, .prefixlen]] | sort"
		ip -j -d -6 route show | jq -c "[.[] | select(.protocol == \"102\" or (.dev == \"flannel-v6.1\" and .protocol != \"kernel\")) | [.type, .dst, .gateway, .dev, .flags, .protocol, .metric, .nexthops]] | sort"
		ip -j -6 neigh show dev flannel-v6.1 nud permanent | jq -c "[.[] | [.dst, .lladdr, .state]] | sort"
		bridge -j fdb show dev flannel-v6.1 | jq -c "[.[] | [.mac, .dst, .state]] | sort"
		nft -s list table ip6 loden 2>&1
		ip6tables-nft -S FORWARD | grep "forward"
		cat /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv6/conf/flannel-v6.1/accept_ra
		cat /proc/sys/net/ipv6/conf/flannel-v6.1/disable_ipv6 /proc/sys/net/ipv6/conf/cni0/disable_ipv6
	'
}

# Whatever IPv4 has must not even be looked at twice.
foreign() {
	on a sh -c '
		ip -j -d -6 route show table all | jq -c ".[] | select(.protocol != \"102\" and .protocol != \"kernel\" and .dev != \"flannel-v6.1\")"
		ip -j -6 neigh show dev eth0 nud permanent
		ip -j -6 addr show other scope global | jq -c "[.[].addr_info[]? | [.local, .prefixlen]]"
		nft -s list table ip6 other
		ip6tables-nft -S | grep -v "forward"
		ip -4 route show
		ip -4 neigh show dev flannel.1 | sort # a hash table, which grows
	'
}

wait_for 10 'nothing is left to do' settled a
ours >"$T/ours.reference"
foreign >"$T/foreign.reference"
want_eq 'both accepts stand in the dropping chain' 2 "$(on a ip6tables-nft -S FORWARD | grep -c 'forward')"

. "$(dirname "$0")/damage.sh"

# damage6 WHAT COMMAND: the other family does not notice
damage6() {
	damage "$1" "$2"
	wait_for 10 "$1: IPv4 works" works a ipv4
}

damage6 'route deleted' 'ip route del fd00:10:244:1::/64 proto 102'
damage6 'route replaced by another way' 'ip route replace fd00:10:244:2::/64 via fd77::fe'
damage6 'route with another protocol' 'ip route replace fd00:10:244:3::/64 via fe80::ff:fe00:603 dev flannel-v6.1 proto static'
damage6 'route of several hops instead of ours' 'ip route append fd00:10:244:2::/64 via fd77::fe dev eth0'
damage6 'route of nobody through our link' 'ip route add fd95::/64 via fe80::ff:fe00:601 dev flannel-v6.1'
damage6 'blackhole route deleted' '. /run/flannel/subnet.env; ip route del blackhole ${FLANNEL_IPV6_SUBNET%1/64}/64 metric 4096'
damage6 'neighbour deleted' 'ip neigh del fe80::ff:fe00:601 dev flannel-v6.1'
damage6 'neighbour with another MAC' 'ip neigh replace fe80::ff:fe00:602 lladdr 02:de:ad:00:00:01 dev flannel-v6.1 nud permanent'
damage6 'neighbour of nobody' 'ip neigh add fd00:10:244:77:: lladdr 02:de:ad:00:00:02 dev flannel-v6.1 nud permanent'
damage6 'FDB entry deleted' 'bridge fdb del 02:00:00:00:06:01 dev flannel-v6.1 dst fd77::101 self'
damage6 'FDB entry to another node' 'bridge fdb replace 02:00:00:00:06:02 dev flannel-v6.1 dst fd77::199 self permanent'
damage6 'FDB entry of nobody' 'bridge fdb add 02:de:ad:00:00:03 dev flannel-v6.1 dst fd77::198 self permanent'
damage6 'link down' 'ip link set flannel-v6.1 down'
damage6 'link down and up: the address goes, too' 'ip link set flannel-v6.1 down; ip link set flannel-v6.1 up'
damage6 'link with another MAC' 'ip link set flannel-v6.1 address 02:be:ef:00:00:06'
damage6 'link with another MTU' 'ip link set flannel-v6.1 mtu 1400'
damage6 'link too small for IPv6' 'ip link set flannel-v6.1 mtu 1000'
damage6 'link deleted' 'ip link del flannel-v6.1'
damage6 'link with another local address' 'ip link del flannel-v6.1; ip link add flannel-v6.1 type vxlan id 1 local fd77::9 dev eth0 dstport 8472 nolearning'
damage6 'address deleted' '. /run/flannel/subnet.env; ip addr del ${FLANNEL_IPV6_SUBNET%1/64}/128 dev flannel-v6.1'
damage6 'address of nobody' 'ip addr add fd94::1/64 dev flannel-v6.1'
damage6 'gateway of the bridge deleted' '. /run/flannel/subnet.env; ip addr del $FLANNEL_IPV6_SUBNET dev cni0'
damage6 'forwarding off' 'echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'
damage6 'our link listens to routers' 'echo 1 >/proc/sys/net/ipv6/conf/flannel-v6.1/accept_ra'
damage6 'IPv6 switched off on our link' 'echo 1 >/proc/sys/net/ipv6/conf/flannel-v6.1/disable_ipv6'
damage6 'table deleted' 'nft delete table ip6 loden'
damage6 'masquerade rules flushed' 'nft flush chain ip6 loden postrouting'
damage6 'accepts deleted' 'ip6tables-nft -D FORWARD 1; ip6tables-nft -D FORWARD 1; ip6tables-nft -A FORWARD -s fd96::/64 -j ACCEPT -m comment --comment "not ours" 2>/dev/null; ip6tables-nft -F FORWARD; ip6tables-nft -A FORWARD -s fd96::/64 -j ACCEPT -m comment --comment "not ours"'
agent_stop a

# --- one family alone ---

# IPv4 routes have scopes, from one peer on; IPv6 knows none.
agent_start a --ip-masq --spread-threshold=1
wait_for 10 'ready with scopes' on a loden status
wait_for 5 'IPv6 too' works a ipv6
want_match 'IPv4 routes have them' '^10\.244\.1\.0/24 .* scope [0-9]+ onlink' "$(on a ip route show proto 102)"
want_no_match 'IPv6 routes have none' scope "$(on a ip -6 route show proto 102)"
on a sh -c 'ip link set flannel.1 down; ip link set flannel.1 up; ip link set flannel-v6.1 down; ip link set flannel-v6.1 up'
routes_are_back() {
	on a ip route show dev flannel.1 proto 102 | grep -q 'scope [0-9]' &&
		on a ip -6 route show dev flannel-v6.1 proto 102 | grep -q via
}
wait_for 40 'both links flap: the routes come back' routes_are_back
wait_for 10 'and IPv6 works' works a ipv6

# The address goes while we run: what IPv6 has stays, IPv4 is not touched.
on a ip -6 addr del fd77::1/64 dev eth0
wait_for 10 'the uplink loses its IPv6 address: named' lacks a ipv6 'eth0 has no usable IPv6 address'
want_exit 'IPv4 stays ready' 0 on a loden status
# shellcheck disable=SC2154 # want_exit's
want_match 'and says so' 'IPv6 does not work: .*eth0 has no usable IPv6 address' "$out"
wait_for 10 'IPv4 works' works a ipv4
want_match 'nothing of IPv6 is touched' 'fd00:10:244:1::/64' "$(on a ip -6 route show proto 102)"
on a ip -6 addr add fd77::1/64 dev eth0 nodad
wait_for 10 'it comes back' works a ipv6
# Another one: after it has stayed for 3 s.
on a sh -c 'ip -6 addr add fd77::11/64 dev eth0 nodad; ip -6 addr del fd77::1/64 dev eth0'
wait_for 10 'another address: followed' quiet on a sh -c 'ip -d link show flannel-v6.1 | grep -q "local fd77::11 "'
wait_for 10 'published' quiet sh -c "ETCDCTL_API=3 etcdctl --endpoints=$ETCD_URL get '/coreos.com/network/subnets/$key' | grep -q fd77::11"
wait_for 10 'works again' works a ipv6
agent_stop a

# A host without IPv6: not even a global address. A key of IPv4 alone, because flannel stops at a key with
# IPv6 and no PublicIPv6.
node_add b
on b sysctl -qw net.ipv6.conf.all.disable_ipv6=1
agent_start b --ip-masq
wait_for 10 'a host without IPv6 is ready' on b loden status
wait_for 5 'and says what it lacks' lacks b ipv6 'eth0 has no usable IPv6 address'
want_no_match 'subnet.env has IPv4 alone' IPV6 "$(on b cat /run/flannel/subnet.env)"
subnet_b=$(on b sed -n 's/FLANNEL_SUBNET=\(.*\)\.1\/24/\1.0-24/p' /run/flannel/subnet.env)
want_match 'so has the key' '"PublicIPv6":null,"BackendType":"vxlan","BackendData":\{[^}]*\}\}$' "$(etcdctl_ get "/coreos.com/network/subnets/$subnet_b")"
# IPv6 comes later: the same subnet, under a key with both.
on b sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0
on b ip -6 addr add fd77::2/64 dev eth0 nodad
wait_for 15 'IPv6 comes later' works b ipv6
keys_of_b() {
	etcdctl_ get --prefix --keys-only "/coreos.com/network/subnets/$subnet_b" | sed -n 's,.*/\([^/]*\)$,\1,p' | sed 's/&fd00.*/\&fd00/'
}
key_is_exchanged() {
	[ "$(keys_of_b)" = "$subnet_b&fd00" ]
}
wait_for 10 'its key is exchanged for one with both' key_is_exchanged
want_match 'subnet.env has both' "FLANNEL_SUBNET=${subnet_b%.0-24}.1/24" "$(on b cat /run/flannel/subnet.env)"
want_match 'really' 'FLANNEL_IPV6_SUBNET=fd00' "$(on b cat /run/flannel/subnet.env)"
# The uplink becomes too small for it.
on b ip link set eth0 mtu 1300
wait_for 10 'an MTU that is too small for IPv6' lacks b ipv6 "MTU 1300 leaves less than the 1280"
wait_for 10 'IPv4 works' works b ipv4
agent_stop b

# --- what routers advertise ---

# As if by a router: the kernel takes such routes away when it becomes one itself, but for links with 2.
node_add c
on c ip -6 addr add fd77::3/64 dev eth0 nodad
on c sysctl -qw net.ipv6.conf.eth0.accept_ra=1
on c ip -6 route add default via fd77::fe dev eth0 proto ra expires 600 metric 1024
agent_start c
wait_for 10 'ready on an uplink with advertised routes' on c loden status
wait_for 5 'IPv6 works' works c ipv6
want_eq 'the guard stands, and the host is a router' '2 1' \
	"$(on c cat /proc/sys/net/ipv6/conf/eth0/accept_ra) $(on c cat /proc/sys/net/ipv6/conf/all/forwarding)"
want_match 'the default route is there' 'default via fd77::fe' "$(on c ip -6 route show default)"

# --- IPv6 alone: not with etcd ---

conf6='{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","Backend":{"Type":"vxlan"}}'
etcd_conf "$conf6"
wait_for 10 'c: IPv6 alone is refused, and how to have it is said' problem_is c \
	'EnableIPv4: must be true, for leases in etcd go by IPv4.*--kube-subnet-mgr.*the earlier one stays'
want_eq 'c: what stands goes on' 'true true' "$(fact c '[.families[].works] | join(" ")')"
etcd_conf "$conf"
wait_for 10 'c: ready again' settled c

# --- uninstall ---

on c loden uninstall >"$T/uninstall.out" 2>&1 && fail "uninstall while the agent runs: $(cat "$T/uninstall.out")"
agent_stop c
want_exit 'uninstall' 0 on c loden uninstall --all
want_eq 'leaves nothing of IPv6' '' "$(on c sh -c 'ip -6 route show proto 102; ip -o link show | grep flannel; nft list tables | grep loden; ip6tables-nft -S FORWARD | grep forward')"
want_match 'and the default route' 'default via fd77::fe' "$(on c ip -6 route show default)"
