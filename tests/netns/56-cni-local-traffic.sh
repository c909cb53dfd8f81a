#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 360
# bridge without br_netfilter: pods reach services whose pod is on the same node, themselves among them, and
# each other; what the runtime is told is the same. With br_netfilter nothing is different from before.
# (S0-05, S2-05; E18)
. "$(dirname "$0")/cni.sh"
command -v nft >/dev/null || skip 'no nft'
[ -z "${CNI_REFERENCE:-}" ] || skip 'nothing that the reference has'
BRIDGED= # as it is
PROBE=$BUILD/tests/netns/tcp_probe
NF=/proc/sys/net/bridge

# filtered 0|1: off or on, of this network namespace. Where the module is not loaded it is off.
filtered() {
	for family_ in iptables ip6tables; do
		[ ! -e $NF/bridge-nf-call-$family_ ] || echo "$1" >$NF/bridge-nf-call-$family_
	done
}

# local_conf KEYS: as flannel's delegate has it
local_conf() {
	conf 1.0.0 "\"isDefaultGateway\":true,\"hairpinMode\":true$1,\"ipam\":{\"type\":\"host-local\",
		\"ranges\":[[{\"subnet\":\"10.1.2.0/24\"}],[{\"subnet\":\"fd00:2::/64\"}]],
		\"routes\":[{\"dst\":\"10.1.0.0/16\"}]}"
}

# A node as a service proxy makes it: a service each that leads to b, and to a; who reaches himself comes as his node.
services() {
	nft -f - <<-END
		table ip services {
			chain pre { type nat hook prerouting priority -100
				ip daddr 10.96.0.2 dnat to 10.1.2.2
				ip daddr 10.96.0.3 dnat to 10.1.2.3
			}
			chain post { type nat hook postrouting priority 100
				ip saddr 10.1.2.2 ip daddr 10.1.2.2 masquerade
			}
		}
		table ip6 services {
			chain pre { type nat hook prerouting priority -100
				ip6 daddr fd96::2 dnat to fd00:2::2
				ip6 daddr fd96::3 dnat to fd00:2::3
			}
			chain post { type nat hook postrouting priority 100
				ip6 saddr fd00:2::2 ip6 daddr fd00:2::2 masquerade
			}
		}
		table inet proxy {
			chain forward { type filter hook forward priority 0
				ct state invalid drop
			}
		}
	END
}

# listens POD: when this returns, somebody does
listens() {
	until nsenter --net="/run/netns/$1" -- ss -Hltn sport = :7 | grep -q .; do sleep 0.01; done
}

# two KEYS: pods a and b, and somebody who listens in each. $result: what the runtime was told, but for what
# is another for each pod.
two() {
	for p in a b; do
		pod $p
		call ADD bridge "$(local_conf "$1")"
		is "$what: ADD $p" 0 "$code"
		eval "prev_$p=\$(prev)"
		nsenter --net=/run/netns/$p "$PROBE" serve 7 &
		eval "server_$p=$!"
		listens $p
	done
	result=$(in_out 'del(.interfaces[].mac) | .interfaces[1].name = "veth"')
	services
}

gone() {
	for p in a b; do
		eval "kill \$server_$p; wait \$server_$p 2>/dev/null" || :
		pod $p
		call DEL bridge "$(local_conf "$1")"
		is "$what: DEL $p" 0 "$code$out"
	done
	is "$what: no port and no address is left" ' ' "$(ports) $(held '.*')"
	nft flush ruleset
	fresh
}

# asks POD ADDRESS: whom the one who answers takes us for
asks() {
	nsenter --net="/run/netns/$1" "$PROBE" ask "$2" 7 2>/dev/null || echo none
}

# reaches: everybody everybody, in every way
reaches() {
	is "$what: a to b" '10.1.2.2 fd00:2::2' "$(asks a 10.1.2.3) $(asks a fd00:2::3)"
	is "$what: b to a" '10.1.2.3 fd00:2::3' "$(asks b 10.1.2.2) $(asks b fd00:2::2)"
	is "$what: a to the service at b" '10.1.2.2 fd00:2::2' "$(asks a 10.96.0.3) $(asks a fd96::3)"
	is "$what: b to the service at a" '10.1.2.3 fd00:2::3' "$(asks b 10.96.0.2) $(asks b fd96::2)"
	is "$what: a to the service at itself" '10.1.2.1 fd00:2::1' "$(asks a 10.96.0.2) $(asks a fd96::2)"
	is "$what: the node to both" '10.1.2.1 10.1.2.1 fd00:2::1 fd00:2::1' \
		"$(for i in 10.1.2.2 10.1.2.3 fd00:2::2 fd00:2::3; do "$PROBE" ask $i 7; done | xargs)"
	is "$what: a to the node" 0 "$(nsenter --net=/run/netns/a ping -qnc1 -W10 10.1.2.1 >/dev/null &&
		nsenter --net=/run/netns/a ping -qnc1 -W10 fd00:2::1 >/dev/null && echo 0)"
}

# checks: CHECK of both
checks() {
	for p in a b; do
		pod $p
		call CHECK bridge "$(eval "printf '%s' \"\$prev_$p\"")"
		is "$what: CHECK $p" 0 "$code$out"
	done
}

isolated() {
	for port_ in $(ports); do link "$port_" .linkinfo.info_slave_data.isolated; done | sort -u
}

# --- on: as before --------------------------------------------------------------------------------

if [ -e $NF/bridge-nf-call-iptables ]; then
	what='br_netfilter on'
	filtered 1
	two ''
	is "$what: the pod's subnet is on its link" '10.1.2.0/24 dev eth0 proto kernel scope link src 10.1.2.2 ' \
		"$(ip -n a route show 10.1.2.0/24)"
	is "$what: ports are not isolated" false "$(isolated)"
	reaches
	checks
	classical=$result
	gone ''
fi

# --- off ------------------------------------------------------------------------------------------

filtered 0
what='br_netfilter off, bridged all the same'
two ',"localTraffic":"bridged"'
is "$what: ports are not isolated" false "$(isolated)"
is "$what: a to b" '10.1.2.2 fd00:2::2' "$(asks a 10.1.2.3) $(asks a fd00:2::3)"
is "$what: the service does not work: it is what this is about" 'none none' "$(asks a 10.96.0.3) $(asks a fd96::3)"
is "$what: the result is the same" "${classical:-$result}" "$result"
classical=$result
gone ',"localTraffic":"bridged"'

what='br_netfilter off'
two ''
is "$what: the result is the same" "$classical" "$result"
is "$what: ports are isolated" true "$(isolated)"
is "$what: addresses are as they are told" '10.1.2.2/24 fd00:2::2/64' "$(addrs eth0 -n a)"
is "$what: all but the gateway is reached through it" \
	'default via 10.1.2.1|10.1.0.0/16 via 10.1.2.1|10.1.2.0/24 via 10.1.2.1|10.1.2.1 scope link' \
	"$(ip -n a route show dev eth0 | sed 's/ *$//' | paste -sd'|')"
is "$what: and for IPv6" 'default via fd00:2::1|fd00:2::/64 via fd00:2::1|fd00:2::1' \
	"$(ip -6 -n a route show dev eth0 | grep -v ^fe80 | sed 's/ metric.*//' | LC_ALL=C sort | paste -sd'|')"
reaches
# What came by a detour once must not come by a short cut, which is closed, the second time.
reaches
is "$what: no pod took advice" ' ' "$(ip -n a route show cache) $(ip -6 -n a route show cache | grep -v fe80 | grep via || :)"
checks
# Somebody else's pod from before; ours reach it, it reaches ours.
pod c
call ADD bridge "$(local_conf ',"localTraffic":"bridged"')"
nsenter --net=/run/netns/c "$PROBE" serve 7 &
server_c=$!
listens c
nft delete table inet proxy
is "$what: a pod of before: to it" '10.1.2.2 fd00:2::2' "$(asks a 10.1.2.4) $(asks a fd00:2::4)"
is "$what: a pod of before: from it" '10.1.2.4 fd00:2::4' "$(asks c 10.1.2.2) $(asks c fd00:2::2)"
kill $server_c
call DEL bridge "$(local_conf '')"
gone ''

what='flannel'
mkdir -p /run/flannel
printf '%s\n' FLANNEL_NETWORK=10.1.0.0/16 FLANNEL_SUBNET=10.1.2.1/24 FLANNEL_MTU=1450 FLANNEL_IPMASQ=true >/run/flannel/subnet.env
for key in '' ',"localTraffic":"bridged"'; do
	pod a
	call ADD flannel "$(conf 1.0.0 "\"delegate\":{\"isDefaultGateway\":true$key}")"
	is "$what: ADD" 0 "$code"
	is "$what: its delegate's key decides: '$key'" "$([ -n "$key" ] && echo false || echo true)" "$(isolated)"
	call DEL flannel "$(conf 1.0.0 "\"delegate\":{\"isDefaultGateway\":true$key}")"
	is "$what: DEL" 0 "$code$out"
done
filtered 1
verdict
