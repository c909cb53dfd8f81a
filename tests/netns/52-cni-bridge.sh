#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bridge makes what its configuration says: bridge, ports, addresses, routes, attributes.
. "$(dirname "$0")/cni.sh"

HL='"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}'
# shellcheck disable=SC2034 # used by name
V4='[{"subnet":"10.1.2.0/24"}]' V6='[{"subnet":"fd00:2::/64"}]' V6B='[{"subnet":"fd00:3::/64"}]'

routes() {
	ip -"$1" -n a route show | grep -v ^fe80 | sed 's/ *$//'
}

# --- B01, B10: the bridge -------------------------------------------------------------------------

pod a
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
first=$(link cni0 '"\(.ifindex) \(.linkinfo.info_kind) \(.operstate) \(.promiscuity)"')
like 'B01 the bridge is made and up' '^[0-9]+ bridge UP 0$' "$first"
mac=$(link cni0 .address)
like 'B10 it has a MAC' '^[0-9a-f:]{17}$' "$mac"
is 'B01 interfaces: bridge, port, pod' "cni0 $mac|$(ports) $(link "$(ports)" .address)|eth0 $(link eth0 .address -n a) $netns" \
	"$(in_out '.interfaces | map([.name, .mac, .sandbox // empty] | join(" ")) | join("|")')"
is 'B01 port and pod are one pair, the port in the bridge' "cni0 $(link eth0 .ifindex -n a)" \
	"$(link "$(ports)" '"\(.master) \(.link_index)"')"
like 'B01 the port is called vethXXXXXXXX' '^veth[0-9a-f]{8}$' "$(ports)"
pod b
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
is 'B01 the bridge is used again' "$first" \
	"$(link cni0 '"\(.ifindex) \(.linkinfo.info_kind) \(.operstate) \(.promiscuity)"')"
is 'B10 its MAC: second pod' "$mac" "$(link cni0 .address)"
is 'B01 pods reach each other' 0 "$(in_pod ping -qc1 -W10 10.1.2.2 >/dev/null && echo $?)"
pod a
call DEL bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
is 'B10 its MAC: first pod gone' "$mac" "$(link cni0 .address)"
pod b
call DEL bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
is 'B10 its MAC: no pod left' "$mac" "$(link cni0 .address)"
is 'B01 pods are gone' '[] ' "$(ip -j link show type veth | jq -c 'map(select(.ifname | startswith("sw-") | not))') $(held '.*')"
is 'B01 the bridge and its address stay' '10.1.2.1/24' "$(addrs cni0)"
fresh

# --- B02: addresses and routes, in each version ---------------------------------------------------

cat >"$T/resolv.conf" <<'END'
nameserver 192.0.2.1
search one two
options ndots:5
domain d.example
END
DNS='{"domain":"d.example","nameservers":["192.0.2.1"],"options":["ndots:5"],"search":["one","two"]}'
for version in $CNI_ALL_VERSIONS; do
	while read -r what sets gateways wanted_addrs; do
		pod a
		ranges=$(eval "echo $(echo "$sets" | sed 's/\([A-Z0-9]\{1,\}\)/$\1/g')")
		ipam="\"ipam\":{\"type\":\"host-local\",\"ranges\":[$ranges],\"resolvConf\":\"$T/resolv.conf\"}"
		c=$(conf "$version" "\"isDefaultGateway\":true,$ipam")
		call ADD bridge "$c"
		case $version:$what in
		0.[12].*:three)
			is "B02 $version three subnets" \
				"1 999 CNI version $version does not support more than 1 address per family" "$(error)"
			call DEL bridge "$c"
			better_is "B02 $version three subnets: DEL has nothing to complain about" 0 "$code$out"
			fresh
			continue
			;;
		esac
		is "B02 $version $what: exit, version" "0 $version" "$code $(in_out .cniVersion)"
		is "B02 $version $what: addresses of the bridge" "$(echo "$gateways" | tr , ' ')" "$(addrs cni0)"
		is "B02 $version $what: addresses of the pod" "$(echo "$wanted_addrs" | tr , ' ')" "$(addrs eth0 -n a)"
		is "B02 $version $what: dns" "$DNS" "$(in_out .dns)"
		case $version in
		0.[12].*) filter='[.ip4, .ip6 | select(.) | "\(.ip) \(.gateway) \(.routes | map("\(.dst),\(.gw)") | join(" "))"] | join("|")' ;;
		*) filter='[(.ips[] | "\(.version // "") \(.interface) \(.address) \(.gateway)"), (.routes | map("\(.dst),\(.gw)") | join(" "))] | join("|")' ;;
		esac
		case $version:$what in
		0.[12].*:v4) wanted='10.1.2.2/24 10.1.2.1 0.0.0.0/0,10.1.2.1' ;;
		0.[12].*:v6) wanted='fd00:2::2/64 fd00:2::1 ::/0,fd00:2::1' ;;
		0.[12].*:dual) wanted='10.1.2.2/24 10.1.2.1 0.0.0.0/0,10.1.2.1|fd00:2::2/64 fd00:2::1 ::/0,fd00:2::1' ;;
		*:v4) wanted='4 2 10.1.2.2/24 10.1.2.1|0.0.0.0/0,10.1.2.1' ;;
		*:v6) wanted='6 2 fd00:2::2/64 fd00:2::1|::/0,fd00:2::1' ;;
		*:dual) wanted='4 2 10.1.2.2/24 10.1.2.1|6 2 fd00:2::2/64 fd00:2::1|0.0.0.0/0,10.1.2.1 ::/0,fd00:2::1' ;;
		*:three) wanted='4 2 10.1.2.2/24 10.1.2.1|6 2 fd00:2::2/64 fd00:2::1|6 2 fd00:3::2/64 fd00:3::1|0.0.0.0/0,10.1.2.1 ::/0,fd00:2::1' ;;
		esac
		case $version in
		1.*) wanted=$(echo "$wanted" | sed 's/^[46] 2/ 2/; s/|[46] 2/| 2/g') ;;
		esac
		is "B02 $version $what: ips and routes of the result" "$wanted" "$(in_out "$filter")"
		wanted_routes=
		[ "$what" = v6 ] || wanted_routes='default via 10.1.2.1 dev eth0
10.1.2.0/24 dev eth0 proto kernel scope link src 10.1.2.2'
		is "B02 $version $what: IPv4 routes" "$wanted_routes" "$(routes 4)"
		six='fd00:2::/64 dev eth0 proto kernel metric 256 pref medium'
		default='default via fd00:2::1 dev eth0 metric 1024 pref medium'
		case $what in
		v4) wanted_routes= ;;
		three)
			wanted_routes="$six
fd00:3::/64 dev eth0 proto kernel metric 256 pref medium
$default"
			;;
		*)
			wanted_routes="$six
$default"
			;;
		esac
		is "B02 $version $what: IPv6 routes" "$wanted_routes" "$(routes 6)"
		[ "$what" = v6 ] || is "B02 $version $what: the gateway answers at once" 0 \
			"$(in_pod ping -qc1 -W10 10.1.2.1 >/dev/null && echo $?)"
		[ "$version$what" != 1.0.0dual ] ||
			wait_for 5 "B02 $version $what: the IPv6 gateway answers" in_pod ping -qc1 -W1 fd00:2::1
		call DEL bridge "$c"
		is "B02 $version $what: DEL" "0 |" "$code $out$(ports)|$(held '.*')"
		fresh
	done <<-END
		v4 V4 10.1.2.1/24 10.1.2.2/24
		v6 V6 fd00:2::1/64 fd00:2::2/64
		dual V4,V6 10.1.2.1/24,fd00:2::1/64 10.1.2.2/24,fd00:2::2/64
		three V4,V6,V6B 10.1.2.1/24,fd00:3::1/64,fd00:2::1/64 10.1.2.2/24,fd00:3::2/64,fd00:2::2/64
	END
done

# --- B03, B16: layer 2 ----------------------------------------------------------------------------

for version in $CNI_ALL_VERSIONS; do
	for ipam in '' '"ipam":{}' '"ipam":null' '"ipam":{"type":""}'; do
		[ "$version" = 1.0.0 ] || [ -z "$ipam" ] || continue
		pod a
		call ADD bridge "$(conf "$version" "$ipam")"
		case $version in
		0.[12].*)
			is "B03 $version: no result without addresses" '1 999 cannot convert: no valid IP addresses' "$(error)"
			;;
		*)
			is "B03 $version $ipam: keys of the result" cniVersion,interfaces "$(in_out 'del(.dns) | keys | join(",")')"
			is "B03 $version $ipam: three interfaces" "cni0 $(ports) eth0" "$(in_out '.interfaces | map(.name) | join(" ")')"
			is "B03 $version $ipam: both ends are up" 'UP UP' \
				"$(link eth0 .operstate -n a) $(link "$(ports)" .operstate)"
			is "B03 $version $ipam: no address" '|' "$(addrs eth0 -n a)|$(addrs cni0)"
			;;
		esac
		call DEL bridge "$(conf "$version" "$ipam")"
		is "B03 $version $ipam: DEL" '0|' "$code$out|$(ports)"
	done
done
fresh

pod a
call ADD bridge "$(conf 1.0.0 "\"disableContainerInterface\":true,$HL")"
is 'B16 ipam and disableContainerInterface' \
	'1 999 cannot use IPAM when DisableContainerInterface flag is set' "$(error)"
is 'B16 and nothing was made' '|' "$(link eth0 .ifname -n a)|$(held '.*')"
call ADD bridge "$(conf 1.0.0 '"disableContainerInterface":true')"
is 'B16 the interface in the pod is down' '0 false' "$code $(link eth0 '.flags | contains(["UP"])' -n a)"
is 'B16 the port is up' true "$(link "$(ports)" '.flags | contains(["UP"])')"
call DEL bridge "$(conf 1.0.0 '"disableContainerInterface":true')"
is 'B16 DEL' '0|' "$code$out|$(ports)"

# --- B08: the bridge has another address ----------------------------------------------------------

# add_subnet SUBNET KEYS: as one more pod
n=0
add_subnet() {
	n=$((n + 1))
	pod "p$n"
	call ADD bridge "$(conf 1.0.0 "\"isGateway\":true${2:+,$2},\"ipam\":{\"type\":\"host-local\",\"subnet\":\"$1\"}")"
}
while read -r what first second wanted_off wanted_on; do
	for force in false true; do
		fresh
		add_subnet "$first"
		add_subnet "$second" "\"forceAddress\":$force"
		wanted=$wanted_off
		[ $force = false ] || wanted=$wanted_on
		if [ "$wanted" = error ]; then
			gateway=$(echo "$second" | sed 's,0/,1/,; s,::/,::1/,')
			like "B08 $what: an error" \
				"^1 999 failed to set bridge addr: \"cni0\" already has an IP address different from $gateway(:|$)" "$(error)"
			is "B08 $what: the address stays" "$(echo "$first" | sed 's,0/,1/,; s,::/,::1/,')" "$(addrs cni0)"
			is "B08 $what: the reservation does not" '' "$(held "$cid")"
		else
			is "B08 $what, forceAddress $force: exit" 0 "$code"
			is "B08 $what, forceAddress $force: addresses" "$wanted" "$(addrs cni0 | tr ' ' ,)"
		fi
	done
done <<'END'
other-IPv4 10.1.2.0/24 10.1.3.0/24 error 10.1.3.1/24
longer-IPv4 10.1.2.0/24 10.1.2.0/25 error 10.1.2.1/25
overlapping-IPv6 fd00:2::/64 fd00:2::/80 error fd00:2::1/80
disjoint-IPv6 fd00:2::/64 fd00:3::/64 fd00:3::1/64,fd00:2::1/64 fd00:3::1/64,fd00:2::1/64
other-family 10.1.2.0/24 fd00:3::/64 10.1.2.1/24,fd00:3::1/64 10.1.2.1/24,fd00:3::1/64
END
fresh

# --- B09, B11, B17, B25: attributes ---------------------------------------------------------------

pod a
call ADD bridge "$(conf 1.0.0 "\"promiscMode\":true,$HL")"
is 'B09 promiscMode' 1 "$(link cni0 .promiscuity)"
call DEL bridge "$(conf 1.0.0 "\"promiscMode\":true,$HL")"
call ADD bridge "$(conf 1.0.0 "\"promiscMode\":true,\"hairpinMode\":true,\"bridge\":\"cni9\",$HL")"
is 'B09 with hairpinMode' '1 999 cannot set hairpin mode and promiscuous mode at the same time' "$(error)"
is 'B09 and nothing was made' '||' "$(link cni9 .ifname)|$(link eth0 .ifname -n a)|$(held '.*')"
fresh

while IFS='|' read -r what args keys wanted; do
	pod a
	call ADD bridge "$(conf 1.0.0 "$HL${keys:+,$keys}")" "CNI_ARGS=$args"
	is "B11 MAC from $what" "$wanted $wanted" "$(link eth0 .address -n a) $(in_out '.interfaces[2].mac')"
	call DEL bridge "$(conf 1.0.0 "$HL")"
done <<'END'
CNI_ARGS|IgnoreUnknown=1;MAC=c2:11:22:33:44:51||c2:11:22:33:44:51
args over CNI_ARGS|IgnoreUnknown=1;MAC=c2:11:22:33:44:51|"args":{"cni":{"mac":"c2:11:22:33:44:52"}}|c2:11:22:33:44:52
runtimeConfig over all|IgnoreUnknown=1;MAC=c2:11:22:33:44:51|"args":{"cni":{"mac":"c2:11:22:33:44:52"}},"runtimeConfig":{"mac":"c2:11:22:33:44:53"}|c2:11:22:33:44:53
runtimeConfig, in capitals||"runtimeConfig":{"mac":"C2:11:22:33:AA:BB"}|c2:11:22:33:aa:bb
END
pod a
call ADD bridge "$(conf 1.0.0 "$HL")" CNI_ARGS=MAC=c2:11:22:33:44:51
is 'B11 host-local has the same CNI_ARGS, and knows no MAC' '1 999 ARGS: unknown args ["MAC=c2:11:22:33:44:51"]' "$(error)"
fresh
pod a
call ADD bridge "$(conf 1.0.0)" CNI_ARGS=MAC=nonsense
is 'B11 a MAC that is none' 1 "$code"
call DEL bridge "$(conf 1.0.0)"
fresh

for on in true false; do
	pod a
	call ADD bridge "$(conf 1.0.0 "\"portIsolation\":$on,\"hairpinMode\":$on,$HL")"
	is "B17 B25 portIsolation, hairpinMode $on" "$on $on" \
		"$(link "$(ports)" '.linkinfo.info_slave_data | "\(.isolated) \(.hairpin)"')"
	call DEL bridge "$(conf 1.0.0 "$HL")"
done
fresh

pod a
echo 0 >/proc/sys/net/ipv4/ip_forward
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,\"mtu\":1400,\"ipam\":{\"type\":\"host-local\",\"ranges\":[$V4,$V6]}")"
is 'B25 MTU of bridge, port, pod' '1400 1400 1400' "$(link cni0 .mtu) $(link "$(ports)" .mtu) $(link eth0 .mtu -n a)"
is 'B25 transmit queues of bridge and pod' '1000 1000' "$(link cni0 .txqlen) $(link eth0 .txqlen -n a)"
is 'B25 arp_notify, accept_dad in the pod' '1 0' \
	"$(sysctl_in_pod ipv4/conf/eth0/arp_notify) $(sysctl_in_pod ipv6/conf/eth0/accept_dad)"
is 'B25 accept_ra of bridge and port' '0 0' \
	"$(cat /proc/sys/net/ipv6/conf/cni0/accept_ra "/proc/sys/net/ipv6/conf/$(ports)/accept_ra" | xargs)"
is 'B25 keep_addr_on_down' 1 "$(sysctl_in_pod ipv6/conf/eth0/keep_addr_on_down)"
is 'B25 forwarding of both families' '1 1' "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | xargs)"
is 'B25 a broadcast address' 10.1.2.255 "$(ip -j -n a -4 addr show eth0 | jq -r '.[0].addr_info[0].broadcast')"
pod b
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,\"mtu\":1300,\"ipam\":{\"type\":\"host-local\",\"ranges\":[$V4,$V6]}")"
is 'B25 another mtu is for the pod alone' '1300 1300' "$(link eth0 .mtu -n b) $(in_out '.interfaces[1].name' | xargs -I% ip -j link show % | jq '.[0].mtu')"
fresh

# announced ADDRESS MAC: what the neighbour table has of it, in which that may take a while
announced() {
	i=0
	until ip neigh show "$1" dev cni0 | grep -q "lladdr $2 " || [ $((i = i + 1)) = 50 ]; do sleep 0.1; done
	ip neigh show "$1" dev cni0
}

# Who had an address before may still be in neighbour tables.
pod a
call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
for n in 3 4 5; do
	ip neigh replace 10.1.2.$n lladdr 02:00:00:00:00:99 dev cni0 nud reachable
done
sleep 1.1 # net.ipv4.neigh.cni0.locktime: a neighbour is not changed more often
for n in 3 4 5; do
	pod b$n
	call ADD bridge "$(conf 1.0.0 "\"isGateway\":true,$HL")"
	better_like "B25 pod $n announces its address" "lladdr $(in_out '.interfaces[2].mac') " \
		"$(announced 10.1.2.$n "$(in_out '.interfaces[2].mac')")"
done
fresh

# --- B23: without IPv6 ----------------------------------------------------------------------------

pod a
# shellcheck disable=SC2016 # for that shell
in_pod sh -c 'for f in all default lo; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done'
call ADD bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")"
is 'B23 disabled by sysctl: IPv4' '0 10.1.2.2/24' "$code $(addrs eth0 -n a)"
is 'B23 and it stays disabled' '1 1' "$(sysctl_in_pod ipv6/conf/eth0/disable_ipv6) $(sysctl_in_pod ipv6/conf/lo/disable_ipv6)"
call DEL bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")"
dual=$(conf 1.0.0 "\"isDefaultGateway\":true,\"ipam\":{\"type\":\"host-local\",\"ranges\":[$V4,$V6]}")
call ADD bridge "$dual"
is 'B23 disabled by sysctl: both' '0 10.1.2.3/24 fd00:2::2/64' "$code $(addrs eth0 -n a)"
is 'B23 and it is enabled for lo and eth0' '0 0' \
	"$(sysctl_in_pod ipv6/conf/eth0/disable_ipv6) $(sysctl_in_pod ipv6/conf/lo/disable_ipv6)"
call DEL bridge "$dual"
fresh
pod a
mount -t tmpfs tmpfs /proc/sys/net/ipv6 # what a kernel without IPv6 looks like
call ADD bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")"
is 'B23 no IPv6 in the kernel: IPv4' '0 10.1.2.2/24' "$code $(addrs eth0 -n a)"
call DEL bridge "$(conf 1.0.0 "\"isDefaultGateway\":true,$HL")"
umount /proc/sys/net/ipv6
is 'B23 no IPv6 in the kernel: DEL' '0|' "$code$out|$(ports)"
verdict
