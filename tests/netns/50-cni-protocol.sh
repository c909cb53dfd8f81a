#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CNI plugins read variables and configuration, and complain, as the protocol and the reference do.
# The suite is in the files 5N-cni-*.sh; cni.sh says how.
. "$(dirname "$0")/cni.sh"

IPAM='"ipam":{"type":"host-local","subnet":"10.1.2.0/24"}'
CONF=$(conf 1.0.0 "$IPAM")
NEWEST=$(conf 1.1.0 "$IPAM")
pod a

# --- P01: variables that are missing --------------------------------------------------------------

while read -r verb vars wanted; do
	# shellcheck disable=SC2046 # several words
	call "$verb" bridge "$NEWEST" $(echo "$vars" | tr , '\n' | sed 's/$/=/')
	is "P01 $verb without $vars" "1 4 required env variables [$wanted] missing" "$(error)"
done <<END
ADD CNI_CONTAINERID CNI_CONTAINERID
ADD CNI_NETNS CNI_NETNS
ADD CNI_IFNAME CNI_IFNAME
ADD CNI_PATH CNI_PATH
ADD CNI_PATH,CNI_IFNAME,CNI_NETNS,CNI_CONTAINERID CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH
CHECK CNI_NETNS CNI_NETNS
CHECK CNI_IFNAME,CNI_CONTAINERID CNI_CONTAINERID,CNI_IFNAME
DEL CNI_CONTAINERID,CNI_IFNAME CNI_CONTAINERID,CNI_IFNAME
DEL CNI_PATH,CNI_NETNS CNI_PATH
GC CNI_PATH,CNI_NETNS,CNI_IFNAME,CNI_CONTAINERID CNI_PATH
STATUS CNI_PATH,CNI_NETNS,CNI_IFNAME,CNI_CONTAINERID CNI_PATH
END
for verb in GC STATUS; do
	call "$verb" host-local "$NEWEST" CNI_NETNS= CNI_IFNAME= CNI_CONTAINERID=
	is "P01 $verb needs only CNI_PATH" '0 ' "$code $out"
done

# --- P02, P03: names ------------------------------------------------------------------------------

while IFS='|' read -r name wanted; do
	call ADD host-local "$CONF" "CNI_IFNAME=$name"
	is "P02 CNI_IFNAME '$name'" "1 4 $wanted" "$(error)"
done <<END
interface-name16|interface name is too long (interface name should be less than 16 characters)
.|interface name is . or ..
..|interface name is . or ..
a/b|interface name contains / or : or whitespace characters
a:b|interface name contains / or : or whitespace characters
a b|interface name contains / or : or whitespace characters
$(printf 'a\302\240b')|interface name contains / or : or whitespace characters
$(printf 'a\tb')|interface name contains / or : or whitespace characters
END
call ADD host-local "$CONF" CNI_IFNAME=interface-nam15
is 'P02 CNI_IFNAME of 15 bytes: exit' 0 "$code"
call DEL host-local "$CONF" CNI_IFNAME=interface-nam15

for name in a/b .x 'a b' -a; do
	call ADD host-local "$CONF" "CNI_CONTAINERID=$name"
	is "P03 CNI_CONTAINERID '$name'" "1 4 invalid characters in containerID ($name)" "$(error)"
done
call ADD host-local "$CONF" CNI_CONTAINERID=
is 'P03 CNI_CONTAINERID empty' '1 4 required env variables [CNI_CONTAINERID] missing' "$(error)"
call ADD host-local "$CONF" CNI_CONTAINERID=a/b CNI_NETNS= CNI_IFNAME=..
is 'P03 the first variable that is wrong is the one named' '1 4 invalid characters in containerID (a/b)' "$(error)"
long=$(printf '%064d' 7)
call ADD host-local "$CONF" "CNI_CONTAINERID=$long"
is 'P03 CNI_CONTAINERID of 64 digits: exit' 0 "$code"
call DEL host-local "$CONF" "CNI_CONTAINERID=$long"

# --- P04, P05, P09: versions ----------------------------------------------------------------------

for version in '' '"cniVersion":"",'; do
	call ADD host-local "{${version}\"name\":\"net\",$IPAM}"
	is "P04 {$version}: the result is of 0.1.0" '{"cniVersion":"0.1.0","ip":"10.1.2."}' \
		"$(in_out '{cniVersion, ip: .ip4.ip[:7]}')"
	call DEL host-local "{${version}\"name\":\"net\",$IPAM}"
	is "P04 {$version}: DEL" '0 ' "$code $out"
done

for version in 9.9.9 0.3.2 1.0 v1.0.0; do
	for verb in ADD DEL; do
		call "$verb" host-local "$(conf "$version" "$IPAM")"
		is "P05 $verb with cniVersion $version" "1 1 incompatible CNI versions (config is \"$version\", \
plugin supports [\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"])" "$(error)"
	done
done
call ADD host-local '{"cniVersion":1,"name":"net"}'
like 'P05 cniVersion of a wrong type' '^1 6 decoding version from network config: ' "$(error)"
for version in 1.2.3.4 1.x; do
	call CHECK host-local "$(conf $version "$IPAM")"
	like "P05 CHECK with cniVersion $version" '^1 6 ' "$(error)"
done
call CHECK host-local "$(conf 9.9.9 "$IPAM")"
is 'P05 CHECK with cniVersion 9.9.9' '1 1 plugin version does not allow CHECK' "$(error)"

for version in 0.1.0 0.2.0 0.3.0 0.3.1; do
	call CHECK bridge "$(conf $version "$IPAM")"
	is "P09 CHECK with $version" '1 1 config version does not allow CHECK' "$(error)"
done
for version in 0.1.0 0.3.1 0.4.0 1.0.0; do
	for verb in GC STATUS; do
		call $verb bridge "$(conf $version "$IPAM")"
		is "P09 $verb with $version" "1 1 config version does not allow $verb" "$(error)"
	done
done

# --- P06: configurations --------------------------------------------------------------------------

while IFS='|' read -r text wanted; do
	call ADD bridge "$text"
	like "P06 stdin '$text'" "^1 $wanted" "$(error)"
done <<'END'
|6 error unmarshall network config: unexpected end of JSON input$
{|6 error unmarshall network config: 
"text"|6 error unmarshall network config: 
[]|6 error unmarshall network config: 
{"name":"net"} x|6 error unmarshall network config: 
{"name":5}|6 error unmarshall network config: 
{"cniVersion":"1.0.0"}|7 missing network name$
{"name":""}|7 missing network name$
null|7 missing network name$
{"name":"x/y"}|7 invalid characters found in network name \(x/y\)$
{"name":".x"}|7 invalid characters found in network name \(.x\)$
END
call DEL bridge "$(conf 1.0.0)x"
like 'P06 DEL with trailing garbage' '^1 6 error unmarshall network config: ' "$(error)"

# --- P07, P08, P10: verbs -------------------------------------------------------------------------

mkfifo "$T/open"
exec 9<>"$T/open"
for plugin in bridge host-local loopback flannel; do
	[ -x "$CNI_BIN/$plugin" ] || [ -z "${CNI_REFERENCE:-}" ] || continue
	code=0
	out=$(env -i CNI_COMMAND=VERSION timeout 5 "$CNI_BIN/$plugin" <"$T/open") || code=$?
	is "P07 $plugin VERSION, nothing else set, stdin left open" "0 1 {\"cniVersion\":\"1.1.0\",\"supportedVersions\":\
[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}" "$code $(printf '%s\n' "$out" | wc -l) $out"

	code=0
	out=$(env -i "$CNI_BIN/$plugin" 2>"$T/err" <"$T/open") || code=$?
	is "P08 $plugin, no CNI_COMMAND: exit, stdout" '0 ' "$code $out"
	like "P08 $plugin, no CNI_COMMAND: first line of stderr" "^CNI [pP]lugin $plugin |^CNI $plugin plugin " "$(sed -n 1p "$T/err")"
	is "P08 $plugin, no CNI_COMMAND: the rest" \
		'CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0' "$(sed 1d "$T/err")"
done
exec 9<&-
call '' bridge "$CONF" CNI_CONTAINERID=a/b
is 'P08 no CNI_COMMAND, the rest wrong: no matter' '0 ' "$code $out"

for verb in FOO add; do
	call $verb bridge "$CONF"
	is "P10 verb $verb" "1 4 unknown CNI_COMMAND: $verb" "$(error)"
done
call FOO bridge ''
is 'P10 an unknown verb is found out after the configuration' \
	'1 6 error unmarshall network config: unexpected end of JSON input' "$(error)"

# --- P11: the plugin's own namespace --------------------------------------------------------------

own=$(conf 1.0.0 '"bridge":"own0","ipam":{"type":"host-local","subnet":"10.1.7.0/24"}')
same="plugin's netns and netns from CNI_NETNS should not be the same"
call ADD bridge "$own" CNI_NETNS=/proc/self/ns/net
better_is 'P11 ADD in our own namespace' "1 8 $same" "$code $(printf '%s' "$out" | jq -rs 'last | "\(.code) \(.msg)"')"
better_is 'P11 ADD in our own namespace: stdout has one object' 1 "$(printf '%s' "$out" | jq -s length)"
better_is 'P11 ADD in our own namespace: nothing was made' 0 "$(ip -j link show | jq '[.[] | select(.ifname == "eth0")] | length')"
call DEL bridge "$own" CNI_NETNS=/proc/self/ns/net
is 'P11 DEL in our own namespace' "1 8 $same" "$(error)"
call DEL bridge "$own" CNI_NETNS=
for value in 1 true TRUE tRuE; do
	call ADD bridge "$own" CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=$value
	is "P11 ADD with CNI_NETNS_OVERRIDE=$value: exit" 0 "$code"
	call DEL bridge "$own" CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=$value
	is "P11 DEL with CNI_NETNS_OVERRIDE=$value: exit" 0 "$code"
done
call DEL bridge "$own" CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=0
is 'P11 CNI_NETNS_OVERRIDE=0 overrides nothing' "1 8 $same" "$(error)"
fresh
pod a

# --- P17: JSON as lenient, and as strict, as the reference's ---------------------------------------

call ADD bridge '{"CNIVERSION":"1.0.0","NAME":"net","BRIDGE":"odd0","isgateway":true,"MTU":1300,
	"IpAm":{"TYPE":"host-local","SubNet":"10.1.3.0/24","rangestart":"10.1.3.77"}}'
is 'P17 keys in odd case' '1.0.0 odd0 10.1.3.77/24' \
	"$(in_out '[.cniVersion, .interfaces[0].name, .ips[0].address] | join(" ")')"
is 'P17 MTU' 1300 "$(ip -j link show odd0 | jq '.[0].mtu')"
call DEL bridge '{"name":"net","ipam":{"type":"host-local","subnet":"10.1.3.0/24"}}'

call ADD bridge '{"cniVersion":"1.0.0","name":"net","bridge":"odd1","Bridge":"odd2",
	"ipam":{"type":"host-local","subnet":"10.1.4.0/24"},"mtu":1300,"mtu":1400}'
is 'P17 of keys given twice the last holds' 'odd2 1400' \
	"$(in_out '.interfaces[0].name') $(ip -j link show odd2 | jq '.[0].mtu')"
call DEL bridge '{"name":"net","ipam":{"type":"host-local","subnet":"10.1.4.0/24"}}'

call ADD bridge '{"cniVersion":"1.0.0","name":"net","bridge":null,"isGateway":null,"mtu":null,"dns":null,
	"args":null,"runtimeConfig":null,"prevResult":null,"capabilities":null,
	"ipam":{"type":"host-local","subnet":"10.1.5.0/24","rangeStart":null,"routes":null,"ranges":null,"dataDir":null}}'
is 'P17 null is as good as absent' '0 cni0 10.1.5.2/24' "$code $(in_out '"\(.interfaces[0].name) \(.ips[0].address)"')"
call DEL bridge '{"name":"net","ipam":{"type":"host-local","subnet":"10.1.5.0/24"}}'

deep=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "["; for (i = 0; i < 1000; i++) printf "]" }')
call ADD bridge "$(conf 1.0.0 "\"deep\":$deep,$IPAM")"
is 'P17 unknown key, 1000 deep: exit' 0 "$code"
call DEL bridge "$CONF"
for value in 1e400 99999999999999999999999 -0 '"\u0000"' '"\ud800"' "$(printf '"\377"')" '"\/\b"'; do
	call ADD host-local "$(conf 1.0.0 "\"unknown\":[$value],$IPAM")"
	is "P17 unknown key with $value: exit" 0 "$code"
	call DEL host-local "$CONF"
done
awk 'BEGIN { for (i = 0; i < 1048576; i++) printf "x" }' >"$T/mebibyte"
code=0
printf '{"cniVersion":"1.0.0","name":"net","text":"%s",%s}' "$(cat "$T/mebibyte")" "$IPAM" >"$T/conf"
for verb in ADD DEL; do
	env -i PATH="$PATH" CNI_COMMAND=$verb CNI_CONTAINERID=a CNI_NETNS="$netns" CNI_IFNAME=eth0 CNI_PATH="$CNI_BIN" \
		"$CNI_BIN/bridge" <"$T/conf" >"$T/out" 2>&1 || code=$?
	is "P17 $verb with a configuration of 1 MiB: exit" 0 "$code"
done

while IFS='|' read -r text; do
	call ADD bridge "$(conf 1.0.0 "$text")"
	like "P17 $text" '^1 (999 failed to load netconf: |6 error unmarshall network config: )' "$(error)"
done <<'END'
"mtu":"1500"
"mtu":1.5
"mtu":1500.0
"mtu":1e3
"mtu":99999999999999999999
"isGateway":"true"
"isGateway":1
"bridge":5
"ipam":"host-local"
"ipam":{"type":5}
"dns":{"nameservers":"10.0.0.1"}
END
is 'P17 nothing of all that left a port' 0 "$(ip -o link show type veth | grep -vc 'sw-')"

# --- P18: CNI_ARGS --------------------------------------------------------------------------------

while IFS='|' read -r args wanted; do
	call ADD host-local "$CONF" "CNI_ARGS=$args"
	if [ "$wanted" = ok ]; then
		is "P18 CNI_ARGS='$args': exit" 0 "$code"
		call DEL host-local "$CONF" "CNI_ARGS=$args"
		is "P18 CNI_ARGS='$args': DEL" '0 ' "$code $out"
	else
		is "P18 CNI_ARGS='$args'" "1 999 $wanted" "$(error)"
	fi
done <<'END'
FOO=bar|ARGS: unknown args ["FOO=bar"]
FOO=bar;IgnoreUnknown=0|ARGS: unknown args ["FOO=bar"]
FOO=bar;IgnoreUnknown=false;BAR=x|ARGS: unknown args ["FOO=bar" "BAR=x"]
FOO=bar;ignoreunknown=1|ARGS: unknown args ["FOO=bar" "ignoreunknown=1"]
FOO=bar;IgnoreUnknown=x|ARGS: error parsing value of pair "IgnoreUnknown=x": boolean unmarshal error: invalid input x
FOO=bar;IgnoreUnknown=1;|ARGS: invalid pair ""
FOO=bar=x;IgnoreUnknown=1|ARGS: invalid pair "FOO=bar=x"
FOO|ARGS: invalid pair "FOO"
FOO=bar;IgnoreUnknown=1|ok
IgnoreUnknown=true;FOO=bar|ok
IgnoreUnknown=True;FOO=|ok
IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=a;K8S_POD_INFRA_CONTAINER_ID=1;K8S_POD_UID=2|ok
END
call ADD bridge "$CONF" 'CNI_ARGS=FOO=bar'
is 'P18 bridge reads it too' '1 999 ARGS: unknown args ["FOO=bar"]' "$(error)"
is 'P18 and made nothing' 'Link not found' "$(in_pod ip link show eth0 >/dev/null 2>&1 || echo 'Link not found')"
call ADD loopback "$(conf 1.0.0)" 'CNI_ARGS=FOO=bar=;' CNI_IFNAME=lo
is 'P18 loopback does not look at it: exit' 0 "$code"
verdict
