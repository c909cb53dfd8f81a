#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# loopback brings lo up and down, and says what is on it.
. "$(dirname "$0")/cni.sh"

# state: is lo of pod a up?
state() {
	link lo '.flags | contains(["UP"])' -n a
}

for version in $CNI_ALL_VERSIONS; do
	for name in lo eth0; do # CNI_IFNAME does not matter
		pod a
		ifname=$name
		call ADD loopback "$(conf "$version")"
		is "L01 $version CNI_IFNAME=$name ADD: exit, lo is up" '0 true' "$code $(state)"
		iface="\"interfaces\":[{\"mac\":\"00:00:00:00:00:00\",\"name\":\"lo\",\"sandbox\":\"$netns\"}]"
		# The reference has the addresses of 1.x in each version.
		case $version in
		0.[12].*)
			better_is "L01 $version result" \
				"{\"cniVersion\":\"$version\",\"dns\":{},\"ip4\":{\"ip\":\"127.0.0.1/8\"},\"ip6\":{\"ip\":\"::1/128\"}}" "$(in_out .)"
			;;
		0.*)
			better_is "L01 $version result" "{\"cniVersion\":\"$version\",\"dns\":{},$iface,\"ips\":[{\"address\":\"127.0.0.1/8\",\"interface\":0,\
\"version\":\"4\"},{\"address\":\"::1/128\",\"interface\":0,\"version\":\"6\"}]}" "$(in_out .)"
			;;
		*)
			is "L01 $version result" "{\"cniVersion\":\"$version\",$iface,\"ips\":[{\"address\":\"127.0.0.1/8\",\"interface\":0},\
{\"address\":\"::1/128\",\"interface\":0}]}" "$(in_out .)"
			;;
		esac
		call ADD loopback "$(conf "$version")"
		is "L01 $version ADD again" '0 true' "$code $(state)"
		case $version in
		0.4.0 | 1.*)
			call CHECK loopback "$(prev)"
			is "L01 $version CHECK" 0 "$code$out"
			in_pod ip link set lo down
			call CHECK loopback "$(conf "$version")"
			is "L01 $version CHECK, lo is down" '1 999 loopback interface is down' "$(error)"
			call ADD loopback "$(conf "$version")"
			;;
		esac
		call DEL loopback "$(conf "$version")"
		is "L01 $version DEL: lo is down" '0 false' "$code$out $(state)"
		call DEL loopback "$(conf "$version")"
		is "L01 $version DEL again" 0 "$code$out"
	done
done

call DEL loopback "$(conf 1.0.0)" CNI_NETNS=
is 'L01 DEL without CNI_NETNS' 0 "$code$out"
call DEL loopback "$(conf 1.0.0)" CNI_NETNS=/run/netns/nowhere
is 'L01 DEL, the namespace is gone' 0 "$code$out"
call ADD loopback "$(conf 1.0.0)" CNI_NETNS=/run/netns/nowhere
like 'L01 ADD, there is no namespace' '^1 999 (failed to open netns "/run/netns/nowhere": )?failed to Statfs "/run/netns/nowhere": no such file or directory$' "$(error)"
call CHECK loopback "$(conf 1.0.0)" CNI_NETNS=/run/netns/nowhere
like 'L01 CHECK, there is no namespace' '^1 999 (failed to open netns "/run/netns/nowhere": )?failed to Statfs "/run/netns/nowhere": no such file or directory$' "$(error)"

in_pod ip addr add 10.9.9.9/32 dev lo
call ADD loopback "$(conf 1.0.0)"
is 'L01 another address on lo' '1 999 loopback interface found with non-loopback address "10.9.9.9"' "$(error)"
in_pod ip addr del 10.9.9.9/32 dev lo
in_pod ip addr add fd00::9/128 dev lo
call ADD loopback "$(conf 1.0.0)"
is 'L01 another IPv6 address on lo' '1 999 loopback interface found with non-loopback address "fd00::9"' "$(error)"
in_pod ip addr del fd00::9/128 dev lo

in_pod sh -c 'echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6'
call ADD loopback "$(conf 1.0.0)"
is 'L01 without IPv6' '[{"address":"127.0.0.1/8","interface":0}]' "$(in_out .ips)"

given='{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/x"}],"ips":[{"address":"10.1.2.3/24","interface":0}]}'
call ADD loopback "$(conf 1.0.0 "\"prevResult\":$given")"
is 'L01 prevResult is passed on' "$given" "$(in_out .)"
verdict
