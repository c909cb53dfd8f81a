#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our plugins and the reference's, asked the same, answer the same and leave the same, in kernel and files.
# timeout: 2700
#
# Each case runs twice, on two fresh nodes (cni-side.sh); every line that only one of them says has to be among
# the known differences below, which docs/cni-differences.md explains by the same numbers.
#
#	58-cni-oracle.sh [REGEX]	only the cases whose names match
here=$(cd "$(dirname "$0")" && pwd)
LODEN_PEERS=${LODEN_PEERS:-$here/../../build/peers}
export LODEN_PEERS
# Outside of the sandbox, which has no network.
if [ -z "${LODEN_SANDBOX:-}" ] && ! "$here/../peers/build-cni-plugins.sh"; then
	echo "skip: the reference plugins could not be built: Go or its module proxy is out of reach"
	exit 77
fi
. "$here/cni.sh"

OURS=$CNI_BIN THEIRS=$(cd "$LODEN_PEERS/cni" && pwd)
only=${1:-}
n_cases=0

# --- known differences ----------------------------------------------------------------------------

# Number, cases, lines; both are extended regular expressions. "-" lines are the reference's, "+" lines are ours.
# A number with "?" need not be met: chance, or how the host is set up, decides.
sed 's/ *| /\t/g' >"$T/known" <<'END'
D01 | ^(bridge|ipam:|ipMasq|flannel) | ^-ADD a: msg = "container veth name ...eth0... peer provided .VETH. already exists"$
D01 | ^(bridge|ipam:|ipMasq|flannel) | ^[+]ADD a: msg = "failed to allocate for range 0: [0-9a-f.:]* has been allocated to a, duplicate allocation is not allowed"$
D01 | .                      | ^-after ADD [ab]: in the pod = 1$
D01 | .                      | ^[+]after ADD [ab]: in the pod = 0$
D02 | .                      | ^[+]after (ADD|DEL) [ab]: host: VETH[0-9].ifalias = "loden:net/[ab]/eth0"$
D02 | ^mixed                 | ^-after (ADD|DEL) [ab]: host: VETH[0-9].ifalias = "loden:net/[ab]/eth0"$
D03 | .                      | ^[+]after (ADD|DEL) [ab]: host: VETH[0-9].txqlen = 1000$
D03 | ^mixed                 | ^-after (ADD|DEL) [ab]: host: VETH[0-9].txqlen = 1000$
D04 | layer 2|IPv[46]$|both families|disableContainer | ^-(ADD [ab]: interfaces.0.mac|after (ADD|DEL) [ab]: host: cni0.address) = "mac of VETH[12]"$
D04 | layer 2|IPv[46]$|both families|disableContainer | ^-after DEL [ab]: host: cni0.address = "00:00:00:00:00:00"$
D04 | layer 2|IPv[46]$|both families|disableContainer | ^[+](ADD [ab]: interfaces.0.mac|after (ADD|DEL) [ab]: host: cni0.address) = "mac of cni0"$
D05 | .                      | ^-ADD [ab]: msg = "failed to set bridge addr: ..cni0.. already has an IP address different from [^ ]*"$
D05 | .                      | ^[+]ADD [ab]: msg = "failed to set bridge addr: ..cni0.. already has an IP address different from [^ ]*: it has [^ ]*[.] Either remove that address when no pod uses it, or set forceAddress"$
D06 | : a default route      | ^-ADD a: routes.0.gw = "10.1.2.1"$
D06 | : a default route      | ^[+]ADD a: routes.1.(dst = "0.0.0.0/0"|gw = "10.1.2.1")$
D06 | : a route twice        | ^[+]ADD a: routes.1.dst = "10.7.0.0/16"$
D07 | : host bits            | ^-ADD a: routes.0.dst = "10.7.0.0/16"$
D07 | : host bits            | ^[+]ADD a: routes.0.dst = "10.7.3.4/16"$
D08 | .                      | ^[+]after (ADD|DEL) [ab]: (host: cni0|pod [ab]: eth0).addr_info.fd00:(2:|3:|10:0:1:):[0-9a-f]*/[0-9]*.nodad = true$
D08 | ^mixed                 | ^-after (ADD|DEL|the end) ?[ab]?: pod [ab]: eth0.addr_info.fd00:(2|10:0:1)::[34]/64.nodad = true$
D08 | ^mixed                 | ^[+]after the end: host: cni0.addr_info.fd00:(2|10:0:1)::1/64.nodad = true$
D09 | ^(asked|error):        | ^-DEL a: (exit = 1|code = 999)$
D09 | ^(asked|error):        | ^-DEL a: msg = "(ARGS: (unknown args|invalid pair|error parsing value of pair) |failed to load netconf: |invalid range set 0: |no IP ranges specified|range set 0 overlaps with 1)
D09 | ^(asked|error):        | ^[+]DEL a: exit = 0$
D10 | ^error:                | ^-CHECK a: msg = "(invalid range set 0: .*|no IP ranges specified|range set 0 overlaps with 1)"$
D10 | ^error:                | ^[+]CHECK a: msg = "host-local: Failed to find address added by container a"$
D10 | ^(error: hairpin|ipMasq of a backend|asked: MAC that is none|error: a name that is too long|error: a bridge without name) | ^-CHECK a: msg = "host-local: Failed to find address added by container a"$
D10 | ^error: hairpin        | ^[+]CHECK a: msg = "cannot set hairpin mode and promiscuous mode at the same time"$
D10 | ^ipMasq of a backend   | ^[+]CHECK a: msg = "unknown ipmasq backend ..pf.."$
D10 | ^asked: IP that is none | ^-CHECK a: msg = "ARGS: error parsing value of pair ..IP=10.7.2..: invalid IP address 10.7.2"$
D10 | ^asked: IP that is none | ^[+]CHECK a: msg = "host-local: Failed to find address added by container a"$
D11 | ^ipam: routes with .*table | ^-CHECK a: (exit = 1|code = 999|msg = "Expected Route .*10.8.0.0.* Table:100 .* not found in routing table")$
D11 | ^ipam: routes with .*table | ^[+]CHECK a: exit = 0$
D12?| ipMasq                 | ^-after DEL [ab]: nft: ip6? nat: table ip6? nat [{]$
D12?| ^mixed .* ipMasq       | ^[+]after (ADD a|DEL [ab]): nft: ip6? nat: table ip6? nat [{]$
D13 | ipMasq                 | ^-after (ADD a|DEL b|the end): nft: inet cni_plugins_masquerade masq_checks: ip6? saddr (10.1.2.3|fd00:2::3) .*, net: net, if: eth0, id: b"$
D14?| ^asked: two IPs of one | ^[-+]ADD a: msg = "failed to allocate all requested IPs: 10.1.2.6[67]"$
D15 | ^loopback 0[.][12]     | ^-ADD [ab]: (interfaces.0.(mac|name|sandbox)|ips.[01].(address|interface)) = 
D15 | ^loopback 0[.][12]     | ^[+]ADD [ab]: ip[46].ip = "(127.0.0.1/8|::1/128)"$
D15 | ^loopback 0[.][34]     | ^[-+]ADD [ab]: (interfaces.0.mac = "00:00:00:00:00:00"|ips.0.address = "127.0.0.1/8"|ips.1.address = "::1/128")$
D15 | ^loopback 0[.][34]     | ^[+]ADD [ab]: ips.[01].version = "[46]"$
D16 | MTU that is negative   | ^-(ADD|CHECK) a: (exit = 0|cniVersion = "1.0.0"|interfaces.[012].(mac|name|sandbox) = .*|ips.0.(address|gateway|interface) = .*)$
D16 | MTU that is negative   | ^[+](ADD|CHECK) a: (exit = 1|code = 999|msg = "failed to load netconf: mtu: -5 is out of range")$
D16 | MTU that is negative   | ^-after ADD a: reservations of the pod = 1$
D16 | MTU that is negative   | ^[+]after ADD a: reservations of the pod = 0$
D17 | .                      | ^-ADD [ab]: msg = "failed to add route .*: network is unreachable"$
D17 | .                      | ^[+]ADD [ab]: msg = "route.add 10.[78].0.0/16 via [^ ]* (scope 253 )?pod: Network unreachable: Nexthop has invalid gateway"$
D17 | resolvConf             | ^-ADD [ab]: msg = "open /run/nowhere: no such file or directory"$
D17 | resolvConf             | ^[+]ADD [ab]: msg = "cannot open /run/nowhere: No such file or directory"$
D17 | ^asked: MAC of a group | ^-ADD a: msg = "failed to make veth pair: cannot assign requested address"$
D17 | ^asked: MAC of a group | ^[+]ADD a: msg = "failed to make veth pair: Address not available"$
D17 | an MTU that is too big | ^-ADD a: msg = "failed to create bridge ..cni0..: could not add ..cni0..: invalid argument"$
D17 | an MTU that is too big | ^[+]ADD a: msg = "could not add bridge: cni0: Invalid argument: mtu greater than device maximum"$
D18 | ^asked: MAC that is none | ^-ADD a: msg = "failed to make veth pair: address 02:11:22: invalid MAC address"$
D18 | ^asked: MAC that is none | ^[+](ADD|CHECK) a: msg = "mac: not a MAC address: 02:11:22"$
D18 | a type that is wrong   | ^-(ADD|CHECK) a: msg = "failed to load netconf: json: cannot unmarshal string into Go struct field NetConf.mtu of type int"$
D18 | a type that is wrong   | ^[+](ADD|CHECK) a: msg = "failed to load netconf: mtu: must be an integer, is a string"$
D18 | a name that is too long | ^-ADD a: msg = "failed to create bridge ..a-name-too-long16..: could not add ..a-name-too-long16..: numerical result out of range"$
D18 | a name that is too long | ^[+](ADD|CHECK) a: msg = "failed to load netconf: bridge: ..a-name-too-long16.. cannot name an interface"$
D18 | a bridge without name  | ^-ADD a: msg = "failed to create bridge ....: could not add ....: LinkAttrs.Name cannot be empty"$
D18 | a bridge without name  | ^[+](ADD|CHECK) a: msg = "failed to load netconf: bridge: .... cannot name an interface"$
D19?| ^mixed flannel         | ^-after the end: host: VETH3.(txqlen = 1000|ifalias = "loden:net/a/eth0")$
D20?| ^flannel .* no subnet  | ^-STATUS a: exit = 0$
D20?| ^flannel .* no subnet  | ^[+]STATUS a: (exit = 1|code = 50|msg = "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file or directory[.] Check the flannel pod log for this node[.]")$
D21?| .                      | ^-after (ADD|DEL) [ab]: (host: VETH[0-9]|pod [ab]: eth0).num_[rt]x_queues = [0-9]*$
D21?| .                      | ^[+]after (ADD|DEL) [ab]: (host: VETH[0-9]|pod [ab]: eth0).num_[rt]x_queues = 1$
D21?| ^mixed                 | ^[+]after (ADD|DEL) [ab]: (host: VETH[0-9]|pod [ab]: eth0).num_[rt]x_queues = [0-9]*$
END

# --- cases ----------------------------------------------------------------------------------------

# asked_for NAME: does the argument of this script, if there is one, match the name of the case?
asked_for() {
	printf '%s' "$1" | grep -qE -- "$only"
}

# side DIRECTORY OTHER_DIRECTORY STEPS OUTPUT
side() {
	unshare --net --mount -- sh "$here/cni-side.sh" "$1" "$2" "$3" >"$4" 2>&1
}

# oracle NAME STEPS [THEIR_STEPS]: the same steps with both; or others that mean the same
oracle() {
	name=$1
	asked_for "$name" || return 0
	n_cases=$((n_cases + 1))
	printf '%s\n' "$2" >"$T/our-steps"
	printf '%s\n' "${3:-$2}" >"$T/their-steps"
	side "$THEIRS" "$OURS" "$T/their-steps" "$T/theirs" &
	side "$OURS" "$THEIRS" "$T/our-steps" "$T/ours"
	wait $!
	is "$name" '' "$(unexpected "$T/theirs" "$T/ours" | head -n 40)"
}

# unexpected THEIRS OURS: the lines that no difference explains
unexpected() {
	for output; do
		grep -vE '^((ADD|CHECK|DEL|STATUS|GC) [ab]|after [^:]*): |^all steps$' "$output" || :
		[ "$(tail -n 1 "$output")" = 'all steps' ] || echo "the steps of ${output##*/} ended early"
	done
	# As bad as the reference is not good enough (D01). Of eth0 that was there before it is no sign.
	[ "$name" = 'bridge, eth0 is there' ] || grep -E '^after ADD [ab]: in the pod = 1$' "$2" || :
	diff -U0 "$1" "$2" | sed '1,2d; /^@@/d' | awk -F '\t' -v name="$name" -v met="$T/met" '
		NR == FNR { cases[NR] = $2; lines[NR] = $3; n = NR; next }
		{
			for (i = 1; i <= n; i++)
				if (name ~ cases[i] && $0 ~ lines[i]) {
					print i >>met
					next
				}
			print
		}' "$T/known" -
}

# usual CONFIG [PLUGIN [VARIABLE…]]: steps: two pods come, are checked, go, and go again
usual() {
	config=$1 plugin=${2:-bridge}
	shift "$(($# < 2 ? $# : 2))"
	vars=$*
	cat <<-END
		C='$config'
		add $plugin a "\$C" $vars
		check $plugin a "\$C" $vars
		add $plugin b "\$C"
		call ADD $plugin a "\$C" $vars
		del $plugin a "\$C" $vars
		call DEL $plugin a "\$C" $vars
		gone b
		del $plugin b "\$C"
		call STATUS $plugin a "\$C"
		call GC $plugin a "\$C"
	END
}

# brief CONFIG [PLUGIN [VARIABLE…]]: steps: one pod comes, is checked, goes
brief() {
	config=$1 plugin=${2:-bridge}
	shift "$(($# < 2 ? $# : 2))"
	vars=$*
	cat <<-END
		C='$config'
		add $plugin a "\$C" $vars
		check $plugin a "\$C" $vars
		del $plugin a "\$C" $vars
	END
}

V4='"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}'
V6='"ipam":{"type":"host-local","subnet":"fd00:2::/64"}'
DUAL='"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]],"routes":[{"dst":"10.9.0.0/16"},{"dst":"fd09::/48"}]}'
STOCK='"hairpinMode":true,"isDefaultGateway":true,"isGateway":true,"mtu":1450,"ipMasq":false'
MASQ='"isDefaultGateway":true,"ipMasq":true,"ipMasqBackend":"nftables"'

# --- bridge: each version, each key ---------------------------------------------------------------

for version in $CNI_ALL_VERSIONS; do
	while IFS='|' read -r what keys; do
		steps=brief
		[ "${version%%.*}" = 0 ] || steps=usual
		oracle "bridge $version $what" "$($steps "$(conf "$version" "$keys")")"
	done <<-END
		layer 2|
		the stock flannel|$STOCK,$DUAL
		dns|"isGateway":true,"dns":{"nameservers":["10.0.0.53"],"domain":"a.b","search":["c"],"options":["d"]},$V4
	END
done
while IFS='|' read -r what keys; do
	oracle "bridge $what" "$(usual "$(conf 1.0.0 "$keys")")"
done <<END
IPv4|$V4
IPv6|$V6
both families|$DUAL
isGateway|"isGateway":true,$V4
isDefaultGateway|"isGateway":false,"isDefaultGateway":true,$DUAL
hairpinMode|"isGateway":true,"hairpinMode":true,$V4
promiscMode|"isGateway":true,"promiscMode":true,$V4
mtu|"isGateway":true,"mtu":1400,$V4
portIsolation|"isGateway":true,"portIsolation":true,$V4
dns, empty|"isGateway":true,"dns":{},$V4
disableContainerInterface|"disableContainerInterface":true
another bridge|"isGateway":true,"bridge":"br7",$V4
END

# With what is on the node already.
for force in true false; do
	for ipam in "$V4" "$V6"; do
		oracle "bridge with other addresses, forceAddress $force, $ipam" "
			ip link add cni0 address 02:00:00:00:00:77 type bridge
			ip addr add 10.9.9.1/24 dev cni0
			ip -6 addr add fd00:9::1/64 dev cni0 nodad
			ip -6 addr add fd00:2::9/60 dev cni0 nodad
			ip link set cni0 up
			$(brief "$(conf 1.0.0 "\"isGateway\":true,\"forceAddress\":$force,$ipam")")"
	done
done
oracle 'bridge made before' "
	ip link add cni0 mtu 1300 address 02:00:00:00:00:77 type bridge
	ip addr add 10.1.2.1/24 dev cni0
	ip link set cni0 up
	$(usual "$(conf 1.0.0 "\"isGateway\":true,\"mtu\":1400,$V4")")"
oracle 'bridge is a veth' "ip link add cni0 type veth peer name x0; $(brief "$(conf 1.0.0 "$V4")")"
oracle 'bridge without IPv6 in the pod' "nsenter --net=/run/netns/a -- sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
	$(usual "$(conf 1.0.0 "\"isGateway\":true,$DUAL")")"
oracle 'bridge, eth0 is there' "ip -n a link add eth0 type veth peer name eth1; $(brief "$(conf 1.0.0 "$V4")")"

# --- bridge and host-local: what is asked for -----------------------------------------------------

while IFS='|' read -r what args; do
	oracle "asked: $what" "$(brief "$(conf 1.0.0 "\"isGateway\":true,$V4")" bridge "'CNI_ARGS=$args'")"
done <<'END'
IP by CNI_ARGS|IP=10.1.2.77
IP by CNI_ARGS and more|IgnoreUnknown=1;IP=10.1.2.77;MAC=02:11:22:33:44:55;K8S_POD_NAME=x
MAC by CNI_ARGS|IgnoreUnknown=true;MAC=02:11:22:33:44:55
MAC that is none|IgnoreUnknown=true;MAC=02:11:22
MAC of a group|IgnoreUnknown=true;MAC=03:11:22:33:44:55
IP that is the gateway|IgnoreUnknown=1;IP=10.1.2.1
IP of elsewhere|IgnoreUnknown=1;IP=10.7.2.1
IP that is none|IgnoreUnknown=1;IP=10.7.2
unknown arguments|FOO=1;BAR=2
a trailing semicolon|IP=10.1.2.77;
END
while IFS='|' read -r what keys; do
	oracle "asked: $what" "
		C='$(conf 1.0.0 "\"isGateway\":true,$V4")'
		add bridge b \"\$C\"
		$(brief "$(conf 1.0.0 "\"isGateway\":true,$keys")")"
done <<END
IP by args|"args":{"cni":{"ips":["10.1.2.66"]}},$V4
IP by args with prefix|"args":{"cni":{"ips":["10.1.2.66/16"]}},$V4
IP by runtimeConfig|"runtimeConfig":{"ips":["10.1.2.67"]},$V4
IP by runtimeConfig with prefix, both families|"runtimeConfig":{"ips":["10.1.2.67/24","fd00:2::67/64"]},$DUAL
IP that is taken|"runtimeConfig":{"ips":["10.1.2.2"]},$V4
two IPs of one set|"args":{"cni":{"ips":["10.1.2.66","10.1.2.67"]}},$V4
MAC by args|"args":{"cni":{"mac":"02:11:22:33:44:56"}},$V4
MAC by runtimeConfig|"runtimeConfig":{"mac":"02:11:22:33:44:57"},$V4
ipRanges by runtimeConfig|"runtimeConfig":{"ipRanges":[[{"subnet":"10.8.0.0/24"}]]},"ipam":{"type":"host-local","ranges":[]}
portMappings are none of its business|"runtimeConfig":{"portMappings":[{"hostPort":80,"containerPort":80}]},$V4
END

# --- IPAM -----------------------------------------------------------------------------------------

while IFS='|' read -r what keys; do
	for plugin in bridge host-local; do
		oracle "ipam: $what, by $plugin" "
			printf '# x\\nnameserver 10.0.0.1\\nsearch a b\\noptions c\\ndomain d\\n' >/run/resolv.conf
			$(usual "$(conf 1.0.0 "\"isGateway\":true,\"ipam\":{\"type\":\"host-local\",$keys}")" $plugin)"
	done
done <<'END'
rangeStart and rangeEnd|"subnet":"10.1.2.0/24","rangeStart":"10.1.2.20","rangeEnd":"10.1.2.20"
gateway|"subnet":"10.1.2.0/24","gateway":"10.1.2.254"
gateway of IPv6|"subnet":"fd00:2::/64","gateway":"fd00:2::ffff"
routes|"subnet":"10.1.2.0/24","routes":[{"dst":"0.0.0.0/0"},{"dst":"10.7.0.0/16","gw":"10.1.2.9"},{"dst":"10.6.6.6/32"}]
routes with priority, table, mtu, advmss|"subnet":"10.1.2.0/24","routes":[{"dst":"10.7.0.0/16","priority":7},{"dst":"10.8.0.0/16","table":100},{"dst":"10.5.0.0/16","mtu":1300,"advmss":1200}]
routes with scope|"subnet":"10.1.2.0/24","routes":[{"dst":"10.8.0.0/16","scope":253}]
routes of IPv6|"subnet":"fd00:2::/64","routes":[{"dst":"::/0"},{"dst":"fd07::/16","gw":"fd00:2::9"}]
dataDir|"subnet":"10.1.2.0/24","dataDir":"/run/data"
resolvConf|"subnet":"10.1.2.0/24","resolvConf":"/run/resolv.conf"
resolvConf that is not there|"subnet":"10.1.2.0/24","resolvConf":"/run/nowhere"
two ranges in a set|"ranges":[[{"subnet":"10.1.2.0/30"},{"subnet":"10.1.3.0/24"}]]
two sets of IPv6|"ranges":[[{"subnet":"fd00:2::/64"}],[{"subnet":"fd00:3::/64"}]]
single and sets|"subnet":"10.1.2.0/24","ranges":[[{"subnet":"fd00:3::/64"}]]
a full range|"subnet":"10.1.2.0/30"
a full second set|"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:3::/126","rangeStart":"fd00:3::2","rangeEnd":"fd00:3::2"}]]
a big range|"subnet":"10.0.0.0/8"
END

# --- errors ---------------------------------------------------------------------------------------

while IFS='|' read -r what keys; do
	oracle "error: $what" "$(brief "$(conf 1.0.0 "$keys")")"
done <<END
hairpin and promiscuous|"hairpinMode":true,"promiscMode":true,$V4
ipam and disableContainerInterface|"disableContainerInterface":true,$V4
two sets of one family and a gateway|"isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/24"}]]}
a route that cannot be|"ipam":{"type":"host-local","subnet":"10.1.2.0/24","routes":[{"dst":"10.7.0.0/16","gw":"192.168.7.1"}]}
a small subnet|"ipam":{"type":"host-local","subnet":"10.1.2.0/31"}
host bits|"ipam":{"type":"host-local","subnet":"10.1.2.1/24"}
no ranges|"ipam":{"type":"host-local"}
sets that overlap|"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.2.0/25"}]]}
mixed families|"ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24"},{"subnet":"fd00::/64"}]]}
no such IPAM plugin|"ipam":{"type":"nothing"}
IPAM by path|"ipam":{"type":"../cni/host-local"}
an MTU that is too big|"mtu":70000,$V4
a type that is wrong|"mtu":"1500",$V4
a name that is too long|"bridge":"a-name-too-long16",$V4
a bridge without name|"bridge":"",$V4
prevResult that is empty|"isGateway":true,"prevResult":{"cniVersion":"0.3.1"},$V4
END
oracle 'error: an MTU that is negative' "only_of_the_pod; $(brief "$(conf 1.0.0 "\"isGateway\":true,\"mtu\":-5,$V4")")"

# What the reference refuses is as if it had been said plainly.
while IFS='|' read -r what keys odd plain; do
	# shellcheck disable=SC2059 # no % in it
	odd=$(conf 1.0.0 "\"isGateway\":true${keys:+,$keys},$(echo "$V4" | sed "s,}\$,$odd},")")
	plain=$(conf 1.0.0 "\"isGateway\":true${keys:+,$keys},$(echo "$V4" | sed "s,}\$,$plain},")")
	oracle "plainly: $what" "$(brief "$odd")" "$(brief "$plain")"
	brief "$odd" >"$T/their-steps"
	side "$THEIRS" "$OURS" "$T/their-steps" "$T/refused"
	! asked_for "plainly: $what" || is "plainly: $what: the reference refuses it" 'ADD a: exit = 1' "$(grep '^ADD a: exit' "$T/refused")"
done <<'END'
a route twice||\,"routes":[{"dst":"10.7.0.0/16"}\,{"dst":"10.7.0.0/16"}]|\,"routes":[{"dst":"10.7.0.0/16"}]
a default route|"isDefaultGateway":true|\,"routes":[{"dst":"0.0.0.0/0"}]|
host bits||\,"routes":[{"dst":"10.7.3.4/16"}]|\,"routes":[{"dst":"10.7.0.0/16"}]
END

# --- loopback, host-local: each version -----------------------------------------------------------

for version in $CNI_ALL_VERSIONS; do
	oracle "loopback $version" "$(usual "$(conf "$version")" loopback)"
	oracle "loopback $version, an address" "ip -n a addr add 10.3.3.3/32 dev lo; $(brief "$(conf "$version")" loopback)"
	oracle "host-local $version" "$(usual "$(conf "$version" "$DUAL")" host-local)"
done
oracle 'loopback prevResult' "$(usual "$(conf 1.0.0 '"prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.3/24"}]}')" loopback)"

# --- masquerading: the reference's backend that has the same rules --------------------------------

for ipam in "$V4" "$DUAL"; do
	oracle "ipMasq $ipam" "$(usual "$(conf 1.0.0 "$MASQ,$ipam")")"
done
oracle 'ipMasq of a backend that there is not' "$(brief "$(conf 1.0.0 "\"ipMasq\":true,\"ipMasqBackend\":\"pf\",$V4")")"

# --- each takes away what the other has made ------------------------------------------------------

# mixed CONFIG [PLUGIN]: steps: pods of one, checked and taken away by the other; both give addresses in turn
mixed() {
	plugin=${2:-bridge}
	cat <<-END
		C='$1'
		add $plugin a "\$C"
		other
		add $plugin b "\$C"
		check $plugin a "\$C"
		del $plugin a "\$C"
		other
		check $plugin b "\$C"
		gone b
		del $plugin b "\$C"
		ip netns del a
		ip netns add a
		other
		add $plugin a "\$C"
		other
		call DEL $plugin a "\$C" CNI_NETNS=
		call DEL $plugin a "\$C"
		seen 'the end' a
	END
}
for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
	while IFS='|' read -r what keys; do
		oracle "mixed $version $what" "$(mixed "$(conf $version "$keys")")"
		! asked_for "mixed $version $what" || is "mixed $version $what: nothing is left" '0 0' "$(grep -c '^after the end: host: VETH' "$T/ours") \
$(grep -c '^after the end: file: .*/10[.0-9]* ' "$T/ours")"
	done <<-END
		layer 2|
		the stock flannel|$STOCK,$DUAL
		ipMasq|$MASQ,$DUAL
	END
done

# --- flannel: only if somebody has put the original next to the other plugins ----------------------

# flannel KEYS [LINE…]: steps: the usual ones, with these lines in subnet.env
flannel() {
	keys=$1
	shift
	cat <<-END
		mkdir /run/flannel
		printf '%s\\n' $* >/run/flannel/subnet.env
		$(usual "{\"cniVersion\":\"$version\",\"name\":\"net\",\"type\":\"flannel\"${keys:+,$keys}}" flannel)
	END
}
if [ -x "$THEIRS/flannel" ]; then
	V4_ENV='FLANNEL_NETWORK=10.244.0.0/16 FLANNEL_SUBNET=10.244.1.1/24'
	V6_ENV='FLANNEL_IPV6_NETWORK=fd00:10::/48 FLANNEL_IPV6_SUBNET=fd00:10:0:1::1/64'
	REST_ENV='FLANNEL_MTU=1450 FLANNEL_IPMASQ=true'
	for version in 0.3.1 1.0.0 1.1.0; do
		oracle "flannel $version" "$(flannel '"delegate":{"hairpinMode":true,"isDefaultGateway":true}' "$V4_ENV" "$REST_ENV")"
		oracle "flannel $version, both families" "$(flannel '"delegate":{"isDefaultGateway":true}' "$V4_ENV" "$V6_ENV" "$REST_ENV")"
		oracle "mixed flannel $version" "mkdir /run/flannel
			printf '%s\n' $V4_ENV $V6_ENV $REST_ENV >/run/flannel/subnet.env
			$(mixed "{\"cniVersion\":\"$version\",\"name\":\"net\",\"type\":\"flannel\",\"delegate\":{\"isDefaultGateway\":true}}" flannel)"
		oracle "flannel $version, no subnet.env" "$(usual "{\"cniVersion\":\"$version\",\"name\":\"net\",\"type\":\"flannel\"}" flannel)"
	done
	version=1.0.0
	oracle 'flannel, IPv6 alone' "$(flannel '"delegate":{"isGateway":true}' "$V6_ENV" "$REST_ENV")"
	oracle 'flannel, its own keys' "$(flannel '"delegate":{"mtu":1300,"bridge":"br7","n":[1.0,1e3,"<&>"]},"ipam":{"routes":[{"dst":"10.96.0.0/12"}],"x":"y"},"runtimeConfig":{"mac":"02:11:22:33:44:55"}' "$V4_ENV" "$REST_ENV")"
	oracle 'flannel, no delegate' "$(flannel '' "$V4_ENV" "$REST_ENV")"
	oracle 'flannel, an incomplete subnet.env' "$(flannel '' "$V4_ENV")"
else
	echo "not run: flannel: no $THEIRS/flannel"
fi

# --- both give addresses out of one store, at the same time ---------------------------------------

mkdir "$T/runs"
# shellcheck disable=SC2034 # of invoke
netns=/run/netns/none ifname=eth0

# at_once VERB PREFIX DIRECTORY_OF_ODD DIRECTORY_OF_EVEN: 40 containers, in the background
at_once() {
	for i in $(seq 40); do
		cid=$2-$i CNI_BIN=$3
		[ $((i % 2)) = 1 ] || CNI_BIN=$4
		{ invoke "$1" host-local "$(conf 1.0.0 "$V4")" || echo "failed: $1 $cid"; } >"$T/runs/$1.$cid" 2>&1 &
	done
}
for round in 1 2 3; do
	at_once ADD $round "$THEIRS" "$OURS"
	# Those of the round before go, each by the other's hand.
	[ $round = 1 ] || at_once DEL $((round - 1)) "$OURS" "$THEIRS"
	wait
	is "in turn, round $round: all succeed" '' "$(grep -h failed: "$T/runs"/* || :)"
	is "in turn, round $round: no address twice" 40 "$(jq -r '.ips[0].address' "$T/runs/ADD.$round"-* | sort -u | wc -l)"
	is "in turn, round $round: no other is held" \
		"$(jq -r '.ips[0].address | sub("/.*"; "")' "$T/runs/ADD.$round"-* | LC_ALL=C sort | xargs)" "$(held '.*')"
done

# --- the list itself ------------------------------------------------------------------------------

[ -n "$only" ] || is 'every known difference was met' '' "$(awk -F '\t' '
	NR == FNR { met[$1]; next }
	$1 !~ /[?]/ && !(FNR in met)' "$T/met" "$T/known")"
is 'every known difference is explained' '' "$(cut -c1-3 "$T/known" | sort -u | while read -r number; do
	grep -q "^| $number |" "$ROOT/docs/cni-differences.md" || echo "$number"
done)"
echo "$n_cases cases"
verdict
