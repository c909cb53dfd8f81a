#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bridge with ipMasq: pods reach what knows no way back to them, and the rules go with the pods.
. "$(dirname "$0")/cni.sh"
command -v nft >/dev/null || skip 'no nft'

TABLE=cni_plugins_masquerade

# A machine outside that has no route to pods.
outside() {
	ip netns add out
	ip link add sw-out type veth peer name eth0 netns out
	ip addr add 192.0.2.1/24 dev sw-out
	ip link set sw-out up
	ip -n out addr add 192.0.2.2/24 dev eth0
	ip -n out link set eth0 up
}

# masq KEYS [SETS]: a configuration
ONE='[{"subnet":"10.1.2.0/24"}]'
masq() {
	conf 1.0.0 "\"isDefaultGateway\":true,\"ipMasq\":true${1:+,$1},\"ipam\":{\"type\":\"host-local\",\"ranges\":[${2:-$ONE}]}"
}

# about ADDRESS: how many rules name it, whoever's they are
about() {
	nft list ruleset 2>/dev/null | grep -cF -e "$1" || :
}

# flush: no rules at all
flush() {
	nft flush ruleset
	fresh
}

for backend in '' '"ipMasqBackend":"iptables"' '"ipMasqBackend":"nftables"'; do
	outside
	pod a
	call ADD bridge "$(masq "$backend")"
	is "B13 $backend ADD: exit" 0 "$code"
	is "B13 $backend the machine outside answers" 0 "$(in_pod ping -qc1 -W10 192.0.2.2 >/dev/null && echo $?)"
	is "B13 $backend there is a rule for the pod" true "$([ "$(about 10.1.2.2)" -gt 0 ] && echo true)"
	pod b
	call ADD bridge "$(masq "$backend")"
	is "B13 $backend pods reach each other" 0 "$(in_pod ping -qc1 -W10 10.1.2.2 >/dev/null && echo $?)"
	pod a
	call DEL bridge "$(masq "$backend")"
	is "B13 $backend DEL: no rule for the pod" '0 0' "$code$out $(about 10.1.2.2)"
	is "B13 $backend but for the other pod" true "$([ "$(about 10.1.2.3)" -gt 0 ] && echo true)"
	pod b
	ip netns del b
	call DEL bridge "$(masq "$backend")"
	better_is "B13 $backend DEL, the namespace is gone: no rule for the pod" '0 0' "$code$out $(about 10.1.2.3)"
	pod c
	call ADD bridge "$(masq "$backend")"
	call DEL bridge "$(masq "$backend")" CNI_NETNS=
	better_is "B13 $backend DEL without CNI_NETNS: no rule for the pod" '0 0' "$code$out $(about 10.1.2.4)"
	flush
done

# The rules of the nftables backend, byte for byte: the keys are hashes of network and of interface and container.
pod a
call ADD bridge "$(masq '"ipMasqBackend":"nftables"' '[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]')"
is 'B13 nftables: the table' 'table inet cni_plugins_masquerade {
comment "Masquerading for plugins from github.com/containernetworking/plugins"
chain masq_checks {
comment "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"
ip saddr 10.1.2.2 ip daddr != 10.1.2.0/24 masquerade comment "'"$(printf net | sha512sum | cut -c1-16)-$(printf eth0:a | sha512sum | cut -c1-16)"', net: net, if: eth0, id: a"
ip6 saddr fd00:2::2 ip6 daddr != fd00:2::/64 masquerade comment "'"$(printf net | sha512sum | cut -c1-16)-$(printf eth0:a | sha512sum | cut -c1-16)"', net: net, if: eth0, id: a"
}
chain postrouting {
type nat hook postrouting priority srcnat; policy accept;
ip daddr 224.0.0.0/4 return
ip6 daddr ff00::/8 return
goto masq_checks
}
}' "$(nft list table inet $TABLE | sed 's/^[ 	]*//; /^$/d')"
call ADD bridge "$(masq '"bridge":"cni1","ipMasqBackend":"nftables"' '[{"subnet":"10.1.5.0/24"}]' | sed 's/isDefaultGateway/isGateway/')" CNI_IFNAME=net1
call DEL bridge "$(masq '"ipMasqBackend":"nftables"' '[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]')"
is 'B13 nftables: DEL of one interface leaves the rules of the other' '0 0 1' "$(about 10.1.2.2) $(about fd00:2::2) $(about 'if: net1')"
flush

# An administrator's own rules stay where they are.
nft 'table inet mine { chain post { type nat hook postrouting priority srcnat; ip saddr 10.1.2.2 accept; }; }'
nft list table inet mine >"$T/before"
pod a
call ADD bridge "$(masq '"ipMasqBackend":"nftables"')"
call DEL bridge "$(masq '"ipMasqBackend":"nftables"')"
nft list table inet mine >"$T/after"
is 'B13 foreign rules stay' '' "$(diff "$T/before" "$T/after")"
flush

pod a
call ADD bridge "$(masq '"ipMasqBackend":"pf"')"
is 'B13 a backend that there is not' '1 999 unknown ipmasq backend "pf"' "$(error)"
is 'B13 and nothing is left' '' "$(held a)"
verdict
