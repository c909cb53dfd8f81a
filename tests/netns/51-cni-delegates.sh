#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CNI plugins call others, and translate what those say, whatever version it is in.
. "$(dirname "$0")/cni.sh"

stub theirs
IPAM='"ipam":{"type":"theirs","key":"Value","list":[1,2]}'
GOOD='{"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24","gateway":"10.1.2.1"}]}'
pod a

# pod_links: what a failed call may not leave
pod_links() {
	ip -j -n a link show | jq -c 'map(.ifname) - ["lo"]'
}

# --- what a delegate gets -------------------------------------------------------------------------

whole='{"cniVersion":"1.0.0","name":"net","type":"bridge","bridge":"br7","extra":{"B":1,"a":"\u00e9"},'$IPAM'}'
call ADD bridge "$whole" "CNI_PATH=$BOTH" "ANSWER=$GOOD" CNI_ARGS=IgnoreUnknown=1 TRACEPARENT=00-1
is 'P12 the delegate reads the whole configuration' "$(echo "$whole" | jq -cS .)" "$(jq -cS . "$T/asked.ADD")"
is 'P12 and has all our variables' "CNI_ARGS=IgnoreUnknown=1
CNI_COMMAND=ADD
CNI_CONTAINERID=a
CNI_IFNAME=eth0
CNI_NETNS=$netns
CNI_PATH=$BOTH
TRACEPARENT=00-1" "$(grep -E '^(CNI_|TRACE)' "$T/asked.ADD.env")"
is 'P12 and its result is applied' '10.1.2.9/24' "$(ip -j -n a addr show eth0 | jq -r '.[0].addr_info[] |
	select(.family == "inet") | "\(.local)/\(.prefixlen)"')"
call CHECK bridge "$(echo "$whole" | jq -c ".prevResult = $out")" "CNI_PATH=$BOTH"
is 'P12 CHECK is forwarded' '0 br7' "$code$out $(jq -r .bridge "$T/asked.CHECK")"
call CHECK bridge "$(echo "$whole" | jq -c ".prevResult = {}")" "CNI_PATH=$BOTH" ON=CHECK END=1 \
	'ANSWER={"code":33,"msg":"gone"}'
is 'P12 CHECK: the error of the delegate' '1 33 gone' "$(error)"
call DEL bridge "$whole" "CNI_PATH=$BOTH"
is 'P12 DEL is forwarded' '0 br7' "$code$out $(jq -r .bridge "$T/asked.DEL")"

# --- P12: errors of a delegate --------------------------------------------------------------------

for verb in ADD DEL; do
	call $verb bridge "$whole" "CNI_PATH=$BOTH" ON=$verb END=1 'NOISE=some log' \
		'ANSWER={"cniVersion":"1.0.0","code":117,"msg":"no <luck> & more","details":"very \"deep\"\nbelow"}'
	is "P12 $verb: code, msg, details of the delegate" '1 117 no <luck> & more (very "deep"
below)' "$(error)"
	better_is "P12 $verb: stderr of the delegate" 'some log' "$err"
	call DEL bridge "$whole" "CNI_PATH=$BOTH" ON=CLEAN
	call $verb bridge "$whole" "CNI_PATH=$BOTH" ON=$verb END=7 'ANSWER={"code":11,"msg":"again"}'
	is "P12 $verb: its exit code is not ours" '1 11 again' "$(error)"
done
call ADD bridge "$whole" "CNI_PATH=$BOTH" END=1 'ANSWER={"code":5,"msg":"no"}'
better_is 'P12 after that no link is left' '[]' "$(pod_links)"
call DEL bridge "$whole" "CNI_PATH=$BOTH"
call STATUS bridge "$(conf 1.1.0 "$IPAM")" "CNI_PATH=$BOTH"
is 'B22 STATUS is forwarded' '0 Value' "$code$out $(jq -r .ipam.key "$T/asked.STATUS")"
call STATUS bridge "$(conf 1.1.0 "$IPAM")" "CNI_PATH=$BOTH" ON=STATUS END=1 'ANSWER={"code":50,"msg":"not yet","details":"x"}'
is 'B22 STATUS: the error of IPAM' '1 50 not yet (x)' "$(error)"
call STATUS bridge "$(conf 1.1.0)"
is 'B22 STATUS without ipam' 0 "$code$out"

# --- P13: delegates that are missing or talk nonsense ---------------------------------------------

mkdir "$T/dir" "$T/dir/theirs"
while IFS='|' read -r path type wanted; do
	call ADD bridge "$(conf 1.0.0 "\"ipam\":{\"type\":\"$type\"}")" "CNI_PATH=$path"
	is "P13 ADD, type '$type', CNI_PATH=$path" "1 999 $wanted" "$(error)"
	call DEL bridge "$(conf 1.0.0 "\"ipam\":{\"type\":\"$type\"}")" "CNI_PATH=$path"
	is "P13 DEL, type '$type', CNI_PATH=$path" "1 999 $wanted" "$(error)"
done <<END
/nowhere|theirs|failed to find plugin "theirs" in path [/nowhere]
/nowhere:/no where|theirs|failed to find plugin "theirs" in path [/nowhere /no where]
$T/dir|theirs|failed to find plugin "theirs" in path [$T/dir]
$T/more|a/b|invalid plugin name: a/b
$T/more|../more/theirs|invalid plugin name: ../more/theirs
END
call CHECK bridge "$(conf 1.0.0 '"prevResult":{}')"
is 'P13 CHECK without ipam' '1 999 no plugin name provided' "$(error)"

# A delegate that says no code has the code 0.
while IFS='|' read -r what end noise answer wanted; do
	call ADD bridge "$whole" "CNI_PATH=$BOTH" "END=$end" "NOISE=$noise" "ANSWER=$answer"
	like "P13 $what" "^1 $wanted" "$(error)"
	call DEL bridge "$whole" "CNI_PATH=$BOTH"
done <<'END'
silent, exit 1|1|||0 netplugin failed with no error message: exit status 1$
silent, exit 3|3|||0 netplugin failed with no error message: exit status 3$
only stderr|1|oh "no"||0 netplugin failed: "oh \\"no\\""$
junk, exit 1|1||what?|0 netplugin failed but error parsing its diagnostic message "what\?": 
an empty object, exit 1|1||{}|0 $
junk, exit 0|0||what?|999 
silent, exit 0|0|||999 
junk behind a result|0||{"ips":[]} x|999 
END

# bad_program NAME WANTED
bad_program() {
	call ADD bridge "$(conf 1.0.0 "\"ipam\":{\"type\":\"$1\"}")" "CNI_PATH=$BOTH"
	like "P13 $1" "^1 $2" "$(error)"
	call DEL bridge "$(conf 1.0.0 '"ipam":{"type":"theirs"}')" "CNI_PATH=$BOTH"
}
printf '#!/bin/sh\nkill -9 $$\n' >"$T/more/killed"
chmod +x "$T/more/killed"
bad_program killed '0 netplugin failed with no error message: signal: killed$'
echo 'no program' >"$T/more/text"
bad_program text '0 netplugin failed with no error message: .*permission denied$'
chmod +x "$T/more/text"
bad_program text '0 netplugin failed with no error message: .*exec format error$'
fresh
pod a

# --- P14, P16: results in other versions ----------------------------------------------------------

# The same result in each version: two addresses, routes with and without gateway, DNS.
IN_0_2='{"ip4":{"ip":"10.1.2.9/24","gateway":"10.1.2.1","routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.1"},{"dst":"10.8.0.0/16"}]},
"ip6":{"ip":"fd00::9/64","gateway":"fd00::1","routes":[{"dst":"fd09::/64"}]},"dns":{"nameservers":["10.0.0.53"],"search":["a","b"]}}'
IN_0_4='{"ips":[{"version":"4","address":"10.1.2.9/24","gateway":"10.1.2.1"},{"version":"6","address":"fd00::9/64","gateway":"fd00::1"}],
"routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.1"},{"dst":"10.8.0.0/16"},{"dst":"fd09::/64"}],"dns":{"nameservers":["10.0.0.53"],"search":["a","b"]}}'
IN_1='{"ips":[{"address":"10.1.2.9/24","gateway":"10.1.2.1"},{"address":"fd00::9/64","gateway":"fd00::1"}],
"routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.1"},{"dst":"10.8.0.0/16"},{"dst":"fd09::/64"}],"dns":{"nameservers":["10.0.0.53"],"search":["a","b"]}}'

# in_version VERSION: that result
in_version() {
	case $1 in
	0.1.0 | 0.2.0) echo "$IN_0_2" ;;
	0.[34].*) echo "$IN_0_4" ;;
	*) echo "$IN_1" ;;
	esac | jq -c --arg v "$1" '.cniVersion = $v'
}

# out_version VERSION: what bridge has to print then, without interfaces
out_version() {
	case $1 in
	0.1.0 | 0.2.0) echo "$IN_0_2" ;;
	0.[34].*) echo "$IN_0_4" | jq '.ips[].interface = 2' ;;
	*) echo "$IN_1" | jq '.ips[].interface = 2' ;;
	esac | jq -cS --arg v "$1" '.cniVersion = $v'
}

for theirs in $CNI_ALL_VERSIONS; do
	for ours in $CNI_ALL_VERSIONS; do
		call ADD bridge "$(conf "$ours" "$IPAM")" "CNI_PATH=$BOTH" "ANSWER=$(in_version "$theirs")"
		wanted=$(out_version "$ours")
		is "P14 P16 IPAM answers in $theirs, $ours is asked for" "$wanted" "$(in_out 'del(.interfaces)')"
		call DEL bridge "$(conf "$ours" "$IPAM")" "CNI_PATH=$BOTH"
	done
done
for ours in $CNI_ALL_VERSIONS; do
	call ADD bridge "$(conf "$ours" "$IPAM")" "CNI_PATH=$BOTH" "ANSWER=$(in_version "$ours" | jq -c 'del(.cniVersion)')"
	is "P14 IPAM answers without version, $ours is asked for" "$(out_version "$ours")" "$(in_out 'del(.interfaces)')"
	call DEL bridge "$(conf "$ours" "$IPAM")" "CNI_PATH=$BOTH"
done
call ADD bridge "$(conf 1.0.0 "$IPAM")" "CNI_PATH=$BOTH" ANSWER=null
is 'P14 IPAM answers null' '1 999 IPAM plugin returned missing IP config' "$(error)"
call DEL bridge "$(conf 1.0.0 "$IPAM")" "CNI_PATH=$BOTH"
call ADD bridge "$(conf 1.0.0 "$IPAM")" "CNI_PATH=$BOTH" 'ANSWER={"cniVersion":"7.0.0"}'
is 'P14 IPAM answers in a version of the future' '1 999 unsupported CNI result version "7.0.0"' "$(error)"
call DEL bridge "$(conf 1.0.0 "$IPAM")" "CNI_PATH=$BOTH"
# A plugin on its way from 1.0 to 1.1 may have keys of 1.1 in a result of 1.0.
routes='"routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.1","mtu":1400,"advmss":1360,"priority":7,"table":100,"scope":0}]'
for ours in 0.2.0 0.4.0 1.0.0 1.1.0; do
	call ADD bridge "$(conf $ours "$IPAM")" "CNI_PATH=$BOTH" \
		"ANSWER={\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.1.2.9/24\"}],$routes}"
	case $ours in
	0.2.0) wanted='[{"dst":"10.9.0.0/16","gw":"10.1.2.1"}]' ;;
	*) wanted='[{"advmss":1360,"dst":"10.9.0.0/16","gw":"10.1.2.1","mtu":1400,"priority":7,"scope":0,"table":100}]' ;;
	esac
	is "P16 routes with every key, $ours is asked for" "$wanted" "$(in_out '.routes // .ip4.routes')"
	is "P16 the route with $ours" '7 100' "$(ip -j -n a route show table 100 | jq -r '.[] | "\(.metric) 100"')"
	call DEL bridge "$(conf $ours "$IPAM")" "CNI_PATH=$BOTH"
done
call ADD bridge "$(conf 0.3.1 "$IPAM")" "CNI_PATH=$BOTH" 'ANSWER={"cniVersion":"1.0.0","ips":[{"address":"10.1.2.9/24"}]}'
is 'P16 dns of 0.3.1 is there though empty' '{}' "$(in_out .dns)"
is 'P16 sandbox is CNI_NETNS, byte for byte' /run/netns/a "$(in_out '.interfaces[2].sandbox')"
call DEL bridge "$(conf 0.3.1 "$IPAM")" "CNI_PATH=$BOTH" CNI_NETNS=/run/netns/../netns//a
call ADD bridge "$(conf 0.3.1 "$IPAM")" "CNI_PATH=$BOTH" CNI_NETNS=/run/netns/../netns//a "ANSWER=$GOOD"
is 'P16 sandbox is CNI_NETNS, however it is spelled' /run/netns/../netns//a "$(in_out '.interfaces[2].sandbox')"
call DEL bridge "$(conf 0.3.1 "$IPAM")" "CNI_PATH=$BOTH"

# --- P15, P16: prevResult -------------------------------------------------------------------------

ifname=lo
while read -r ours theirs supported; do
	call ADD loopback "$(conf "$ours" "\"prevResult\":$(in_version "$theirs")")"
	is "P15 prevResult of $theirs in a configuration of $ours" "1 999 failed to parse prevResult: could not parse prevResult: \
result type supports [$supported] but unmarshalled CNIVersion is \"$theirs\"" "$(error | tr , ' ')"
done <<END
1.0.0 0.2.0 1.0.0 1.1.0
1.1.0 0.4.0 1.0.0 1.1.0
0.4.0 1.0.0 0.3.0 0.3.1 0.4.0
0.3.1 0.2.0 0.3.0 0.3.1 0.4.0
END
call ADD loopback "$(conf 9.9.9 "\"prevResult\":$(in_version 1.0.0)")"
like 'P15 the version of the configuration comes first' '^1 1 incompatible CNI versions' "$(error)"
call ADD loopback "$(conf 1.0.0 '"prevResult":{"cniVersion":"9.9.9"}')"
like 'P15 prevResult of an unknown version' '^1 999 failed to parse prevResult: could not parse prevResult: ' "$(error)"
call ADD loopback "$(conf 1.0.0 '"prevResult":{"ips":[{"address":"10.0.0.300/24"}]}')"
like 'P15 prevResult with a wrong address' '^1 999 failed to parse prevResult: ' "$(error)"

# Within a family it is passed on in the version that is asked for, with indexes as they were.
one='{"interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"eth0","mac":"02:00:00:00:00:02","mtu":1400,"sandbox":"/x",
"socketPath":"/s","pciID":"0000:00:1f.6"}],"ips":[{"interface":0,"address":"10.1.2.9/24","gateway":"10.1.2.1"},{"address":"fd00::9/64"},
{"interface":1,"address":"10.1.3.9/32"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1","mtu":1400,"priority":5},{"dst":"::/0"}],
"dns":{"nameservers":["10.0.0.53"],"domain":"a.b","search":["c"],"options":["ndots:5"]}}'
for ours in 1.0.0 1.1.0; do
	for theirs in 1.0.0 1.1.0; do
		call ADD loopback "$(conf $ours "\"prevResult\":$(echo "$one" | jq -c ".cniVersion = \"$theirs\"")")"
		is "P16 prevResult of $theirs, $ours is asked for" "$(echo "$one" | jq -cS ".cniVersion = \"$ours\"")" "$(in_out .)"
	done
	call ADD loopback "$(conf $ours "\"prevResult\":$one")"
	is "P16 prevResult without version in $ours" "$(echo "$one" | jq -cS ".cniVersion = \"$ours\"")" "$(in_out .)"
done
zero=$(echo "$one" | jq -c '(.ips[] |= (.version = (if .address | contains(":") then "6" else "4" end))) |
	.interfaces[1] |= del(.mtu, .socketPath, .pciID)')
for ours in 0.3.0 0.3.1 0.4.0; do
	for theirs in 0.3.0 0.3.1 0.4.0; do
		call ADD loopback "$(conf $ours "\"prevResult\":$(echo "$zero" | jq -c ".cniVersion = \"$theirs\"")")"
		is "P16 prevResult of $theirs, $ours is asked for" "$(echo "$zero" | jq -cS ".cniVersion = \"$ours\"")" "$(in_out .)"
	done
done
call ADD loopback "$(conf 0.1.0 "\"prevResult\":$(in_version 0.2.0)")"
is 'P16 prevResult of 0.2.0, 0.1.0 is asked for' "$(out_version 0.1.0)" "$(in_out .)"
ifname=eth0
fresh
pod a

# --- P19: the file of the delegate is being written ------------------------------------------------

(
	exec 8>>"$T/more/theirs"
	touch "$T/writing"
	sleep 1.2
) &
writer=$!
until [ -e "$T/writing" ]; do sleep 0.01; done
call ADD bridge "$whole" "CNI_PATH=$BOTH" "ANSWER=$GOOD"
wait "$writer"
better_is 'P19 text file busy: tried again until it is not' '0 10.1.2.9/24' "$code $(in_out '.ips[0].address // .msg')"
verdict
