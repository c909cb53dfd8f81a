#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# flannel builds the delegate's configuration byte for byte as the original, and loses no address.
. "$(dirname "$0")/cni.sh"

[ -x "$CNI_BIN/flannel" ] || skip "no $CNI_BIN/flannel: the reference has none"
stub theirs
ENV=/run/flannel/subnet.env
SCRATCH=/var/lib/cni/flannel
NET='FLANNEL_NETWORK=10.244.0.0/16' SUBNET='FLANNEL_SUBNET=10.244.1.1/24' REST='FLANNEL_MTU=1450 FLANNEL_IPMASQ=true'

# env_file LINE…
env_file() {
	mkdir -p /run/flannel
	printf '%s\n' "$@" >$ENV
}

# fl VERSION KEYS: a configuration; "" for no version
fl() {
	printf '{%s"name":"net","type":"flannel"%s}' "${1:+\"cniVersion\":\"$1\",}" "${2:+,$2}"
}

# --- the stock configuration ----------------------------------------------------------------------

STOCK='{"cniVersion":"0.3.1","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}'
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
pod a
call ADD flannel "$STOCK"
is 'N01 the stock result' '{"cniVersion":"0.3.1","dns":{},"interfaces":["cni0","veth","eth0"],"ips":[{"address":"10.244.1.2/24",'\
'"gateway":"10.244.1.1","interface":2,"version":"4"}],"routes":[{"dst":"10.244.0.0/16"},{"dst":"0.0.0.0/0","gw":"10.244.1.1"}]}' \
	"$(in_out '.interfaces |= map(.name | sub("^veth.*"; "veth"))')"
is 'N01 the stock scratch file' '{"cniVersion":"0.3.1","hairpinMode":true,"ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],'\
'"routes":[{"dst":"10.244.0.0/16"}],"type":"host-local"},"isDefaultGateway":true,"isGateway":true,"mtu":1450,"name":"cbr0","type":"bridge"}' \
	"$(cat $SCRATCH/a)"
is 'N01 no line end' '}' "$(tail -c1 $SCRATCH/a)"
is 'N01 modes' '700 600' "$(stat -c %a $SCRATCH $SCRATCH/a | xargs)"
is 'N01 what it makes' '10.244.1.1/24 10.244.1.2/24 1450 true 10.244.1.2' \
	"$(addrs cni0) $(addrs eth0 -n a) $(link eth0 .mtu -n a) $(link "$(ports)" .linkinfo.info_slave_data.hairpin) \
$(cd /var/lib/cni/networks/cbr0 && echo 10.*)"
rm $ENV # the agent may be gone
call DEL flannel "$STOCK"
is 'N01 DEL without subnet.env' '0|||' "$code$out|$(ports)|$(find /var/lib/cni/networks/cbr0 -name '10.*')|$(files $SCRATCH)"
call DEL flannel "$STOCK"
is 'N01 DEL again' 0 "$code$out"
fresh

# --- N01: each version, dual stack ----------------------------------------------------------------

for version in $CNI_ALL_VERSIONS ''; do
	pod a
	# shellcheck disable=SC2086 # several lines
	env_file $NET $SUBNET FLANNEL_IPV6_NETWORK=fd00:10::/48 FLANNEL_IPV6_SUBNET=fd00:10:0:1::1/64 $REST
	call ADD flannel "$(fl "$version" '"delegate":{"isDefaultGateway":true}')"
	is "N01 '$version' both families" "0 ${version:-0.1.0} 10.244.1.2/24 fd00:10:0:1::2/64" "$code $(in_out .cniVersion) $(addrs eth0 -n a)"
	is "N01 '$version' scratch file" "{${version:+\"cniVersion\":\"$version\",}"'"ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}],'\
'[{"subnet":"fd00:10:0:1::/64"}]],"routes":[{"dst":"10.244.0.0/16"},{"dst":"fd00:10::/48"}],"type":"host-local"},"isDefaultGateway":true,'\
'"isGateway":true,"mtu":1450,"name":"net","type":"bridge"}' "$(cat $SCRATCH/a)"
	call DEL flannel "$(fl "$version" '"delegate":{"isDefaultGateway":true}')"
	is "N01 '$version' DEL" '0||' "$code$out|$(ports)|$(held a)"
	fresh
done

# --- N01: what the delegate is given --------------------------------------------------------------

# given 'ID WHAT' KEYS WANTED: subnet.env is there; the delegate is the stub
given() {
	rm -f "$T/asked.ADD" "$T/asked.DEL"
	call ADD flannel "$(fl 1.0.0 "$2")" "CNI_PATH=$BOTH" 'ANSWER={"ips":[]}'
	is "N01 $1: the delegate reads" "$3" "$(cat "$T/asked.ADD" 2>&1 || :)"
	is "N01 $1: the scratch file is that" "$3" "$(cat "$SCRATCH/a" 2>&1 || :)"
	call DEL flannel "$(fl 1.0.0 '"runtimeConfig":{"late":1}')" "CNI_PATH=$BOTH"
	is "N01 $1: DEL gives it the same" "0 $3" "$code$out $(cat "$T/asked.DEL" 2>&1 || :)"
}
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
HEAD='{"cniVersion":"1.0.0","ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],"routes":'
ROUTE='{"dst":"10.244.0.0/16"}'
given 'another type' '"delegate":{"type":"theirs"}' "${HEAD}[$ROUTE],\"type\":\"host-local\"},\"mtu\":1450,\"name\":\"net\",\"type\":\"theirs\"}"
given 'its own keys' '"delegate":{"type":"theirs","Zeta":{"b":1,"a":[true,null,"x"]},"alpha":1.5,"mtu":9000,"ipMasq":true,"isGateway":false}' \
	'{"Zeta":{"a":[true,null,"x"],"b":1},"alpha":1.5,"cniVersion":"1.0.0","ipMasq":true,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],'"\
\"routes\":[$ROUTE],\"type\":\"host-local\"},\"isGateway\":false,\"mtu\":9000,\"name\":\"net\",\"type\":\"theirs\"}"
given 'runtimeConfig' '"delegate":{"type":"theirs"},"runtimeConfig":{"portMappings":[{"hostPort":80}],"mac":"02:00:00:00:00:01"}' \
	"${HEAD}[$ROUTE],\"type\":\"host-local\"},\"mtu\":1450,\"name\":\"net\",\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:01\",\
\"portMappings\":[{\"hostPort\":80}]},\"type\":\"theirs\"}"
given 'ipam with routes' '"delegate":{"type":"theirs"},"ipam":{"routes":[{"dst":"10.96.0.0/12"},{"dst":"192.168.244.0/24","gw":"10.1.17.20"}],"x":"y"}' \
	"${HEAD}[{\"dst\":\"10.96.0.0/12\"},{\"dst\":\"192.168.244.0/24\",\"gw\":\"10.1.17.20\"},$ROUTE],\"type\":\"host-local\",\"x\":\"y\"},\
\"mtu\":1450,\"name\":\"net\",\"type\":\"theirs\"}"
given 'ipam with a type and ranges' '"delegate":{"type":"theirs"},"ipam":{"type":"other","ranges":[[{"subnet":"10.9.0.0/24"}]],"dataDir":"/d"}' \
	'{"cniVersion":"1.0.0","ipMasq":false,"ipam":{"dataDir":"/d","ranges":[[{"subnet":"10.244.1.0/24"}]],'"\"routes\":[$ROUTE],\"type\":\"other\"},\
\"mtu\":1450,\"name\":\"net\",\"type\":\"theirs\"}"
given 'prevResult, capabilities, dns are not passed on' \
	'"delegate":{"type":"theirs"},"prevResult":{"cniVersion":"1.0.0"},"capabilities":{"mac":true},"dns":{"domain":"x"}' \
	"${HEAD}[$ROUTE],\"type\":\"host-local\"},\"mtu\":1450,\"name\":\"net\",\"type\":\"theirs\"}"
given 'Go escapes some characters' '"delegate":{"type":"theirs","text":"<a> & \u2028 \u00e9 \" \\ \/ \t\n\u0001"}' \
	"${HEAD}[$ROUTE],\"type\":\"host-local\"},\"mtu\":1450,\"name\":\"net\",\"text\":\"\\u003ca\\u003e \\u0026 \\u2028 é \\\" \\\\ / \\t\\n\\u0001\",\"type\":\"theirs\"}"
given 'numbers' '"delegate":{"type":"theirs","n":[1,1.0,1e3,0.1,-2.5,123456789012]}' \
	'{"cniVersion":"1.0.0","ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],'"\"routes\":[$ROUTE],\"type\":\"host-local\"},\"mtu\":1450,\
\"n\":[1,1,1000,0.1,-2.5,123456789012],\"name\":\"net\",\"type\":\"theirs\"}"
env_file 'FLANNEL_NETWORK=10.244.3.3/16,192.168.0.0/16,10.244.0.0/16' $SUBNET UNKNOWN=x '# comment' '' FLANNEL_MTU=0 FLANNEL_IPMASQ=True
given 'several networks, host bits, ipMasq unless it says true' '"delegate":{"type":"theirs"}' \
	'{"cniVersion":"1.0.0","ipMasq":true,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],'"\"routes\":[$ROUTE,{\"dst\":\"192.168.0.0/16\"}],\
\"type\":\"host-local\"},\"mtu\":0,\"name\":\"net\",\"type\":\"theirs\"}"
env_file FLANNEL_IPV6_NETWORK=fd00:10::/48 FLANNEL_IPV6_SUBNET=fd00:10:0:1::1/64 'FLANNEL_MTU=4294967295' FLANNEL_IPMASQ=false
given 'IPv6 alone' '"delegate":{"type":"theirs"}' \
	'{"cniVersion":"1.0.0","ipMasq":true,"ipam":{"ranges":[[{"subnet":"fd00:10:0:1::/64"}]],"routes":[{"dst":"fd00:10::/48"}],'\
'"type":"host-local"},"mtu":4294967295,"name":"net","type":"theirs"}'
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
mkdir "$T/other"
sed 's/1450/1400/' $ENV >"$T/other/env"
call ADD flannel "$(fl 1.0.0 "\"subnetFile\":\"$T/other/env\",\"dataDir\":\"$T/other/data\",\"delegate\":{\"type\":\"theirs\"}")" \
	"CNI_PATH=$BOTH" 'ANSWER={"ips":[]}'
is 'N01 subnetFile, dataDir' '0 1400 700' "$code $(jq .mtu "$T/other/data/a") $(stat -c %a "$T/other/data")"
call DEL flannel "$(fl 1.0.0 "\"subnetFile\":\"/nowhere\",\"dataDir\":\"$T/other/data\",\"delegate\":{\"type\":\"theirs\"}")" "CNI_PATH=$BOTH"
is 'N01 dataDir: DEL' '0 ' "$code$out $(files "$T/other/data")"

# --- N01: results and errors of the delegate ------------------------------------------------------

for version in 0.3.1 1.0.0; do
	call ADD flannel "$(fl $version '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH" \
		'ANSWER={"ips":[{"version":"4","address":"10.1.2.3/24"}],"routes":[],"dns":{}}'
	is "N01 $version a result without version has ours" "$version" "$(in_out .cniVersion)"
	call DEL flannel "$(fl $version '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH"
done
call ADD flannel "$(fl 1.0.0 '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH" END=1 'ANSWER={"code":11,"msg":"try again","details":"d"}'
is 'N01 the error of the delegate' '1 11 try again (d)' "$(error)"
call DEL flannel "$(fl 1.0.0 '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH"
call ADD flannel "$(fl 1.0.0 '"delegate":{"type":"nothing"}')" "CNI_PATH=$BOTH"
like 'N01 no such delegate' "^1 999 (failed to delegate add: )?failed to find plugin \"nothing\" in path \[$CNI_BIN $T/more\]\$" "$(error)"
call DEL flannel "$(fl 1.0.0 '"delegate":{"type":"nothing"}')" "CNI_PATH=$BOTH"
env_file $NET FLANNEL_SUBNET=10.244.1.1/30 'FLANNEL_MTU=1450' 'FLANNEL_IPMASQ=true'
call ADD flannel "$STOCK"
pod b
call ADD flannel "$STOCK"
is 'N01 no address left: the innermost error' \
	'1 999 failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.2' "$(error)"
fresh

# --- N01: errors of ours --------------------------------------------------------------------------

pod a
call ADD flannel "$STOCK"
is 'N01 no subnet.env' "1 999 failed to load flannel 'subnet.env' file: open $ENV: no such file or directory. \
Check the flannel pod log for this node." "$(error)"
is 'N01 no subnet.env: nothing was made' '||' "$(ports)|$(held a)|$(files /var/lib/cni 2>/dev/null)"

while IFS='|' read -r lines wanted; do
	# shellcheck disable=SC2086 # several lines
	env_file $lines
	call ADD flannel "$STOCK"
	like "N01 subnet.env '$lines'" "^1 999 failed to load flannel 'subnet.env' file: (.*: )?$wanted\\. Check the flannel pod log for this node\\.\$" "$(error)"
done <<END
$SUBNET $REST|$ENV is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK
$NET $REST|$ENV is missing FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET
$NET $SUBNET FLANNEL_IPMASQ=true|$ENV is missing FLANNEL_MTU
$NET $SUBNET FLANNEL_MTU=1450|$ENV is missing FLANNEL_IPMASQ
x|$ENV is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ
FLANNEL_NETWORK=10.244.0.0 $SUBNET $REST|invalid CIDR address: 10.244.0.0
FLANNEL_NETWORK=10.244.0.0/16,nonsense $SUBNET $REST|invalid CIDR address: nonsense
$NET FLANNEL_SUBNET=10.244.01.1/24 $REST|invalid CIDR address: 10.244.01.1/24
$NET FLANNEL_SUBNET="10.244.1.1/24" $REST|invalid CIDR address: "10.244.1.1/24"
$NET $SUBNET FLANNEL_MTU=x FLANNEL_IPMASQ=true|(strconv.ParseUint: parsing "x": invalid syntax|not a number: x)
$NET $SUBNET FLANNEL_MTU=-1 FLANNEL_IPMASQ=true|(strconv.ParseUint: parsing "-1": invalid syntax|not a number: -1)
$NET $SUBNET FLANNEL_MTU=4294967296 FLANNEL_IPMASQ=true|(strconv.ParseUint: parsing "4294967296": value out of range|not a number: 4294967296)
END
# The original crashes.
env_file FLANNEL_NETWORK $SUBNET FLANNEL_MTU=1450 FLANNEL_IPMASQ=true
call ADD flannel "$STOCK"
better_like 'N01 a line without =' "^1 999 failed to load flannel 'subnet.env' file: .*FLANNEL_NETWORK" "$(error)"
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
printf 'FLANNEL_MTU=1300' >>$ENV
call ADD flannel "$STOCK"
is 'N01 the last line counts, though it does not end' 1300 "$(jq .mtu $SCRATCH/a)"
call DEL flannel "$STOCK"

while IFS='|' read -r keys wanted; do
	call ADD flannel "$(fl 1.0.0 "$keys")"
	like "N01 $keys" "^1 999 $wanted" "$(error)"
done <<'END'
"delegate":{"type":5}|'delegate' dictionary, if present, must have \(string\) 'type' field$
"delegate":{"type":null}|'delegate' dictionary, if present, must have \(string\) 'type' field$
"delegate":{"name":"x"}|'delegate' dictionary must not have 'name' field, it'll be set by flannel$
"delegate":{"ipam":{}}|'delegate' dictionary must not have 'ipam' field, it'll be set by flannel$
"delegate":[]|failed to load flannel netconf file: failed to load netconf: 
"subnetFile":5|failed to load flannel netconf file: failed to load netconf: 
"ipam":{"routes":[{"dst":"nonsense"}]}|.*routes.*: invalid CIDR address: nonsense$
END
fresh

# --- DEL with scratch files that are not as they should be ----------------------------------------

for text in '' '{"cniVersion":"0.3.1","hairpi' 'nonsense' '[]' '{}'; do
	fresh
	pod a
	# shellcheck disable=SC2086 # several lines
	env_file $NET $SUBNET $REST
	call ADD flannel "$STOCK"
	printf '%s' "$text" >$SCRATCH/a
	call DEL flannel "$STOCK"
	better_is "N01 DEL, the scratch file is '$text': nothing is left" '0|||' \
		"$code$out|$(ports)|$(find /var/lib/cni/networks/cbr0 -name '10.*')|$(files $SCRATCH)"
done
fresh
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
call ADD flannel "$STOCK"
rm $SCRATCH/a $ENV
call DEL flannel "$STOCK"
better_is 'N01 DEL, no scratch file, no subnet.env: nothing is left' '0||' "$code$out|$(ports)|$(find /var/lib/cni/networks/cbr0 -name '10.*')"
call DEL flannel '{"cniVersion":"0.3.1","name":"cbr0","type":"flannel","delegate":{"type":"theirs"}}'
is 'N01 DEL, no scratch file, another delegate' 0 "$code$out"

# --- N02: the delegate's DEL fails once -----------------------------------------------------------

fresh
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
call ADD flannel "$(fl 1.0.0 '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH" 'ANSWER={"ips":[]}'
call DEL flannel "$(fl 1.0.0 '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH" ON=DEL END=1 'ANSWER={"code":11,"msg":"later"}'
better_is 'N02 the error of the delegate, the scratch file is kept' '1 11 later a' "$(error) $(files $SCRATCH)"
rm -f "$T/asked.DEL"
call DEL flannel "$(fl 1.0.0 '"delegate":{"type":"theirs"}')" "CNI_PATH=$BOTH"
better_is 'N02 DEL again asks the delegate again' '0 theirs ' "$code$out $(jq -r .type "$T/asked.DEL" 2>&1) $(files $SCRATCH)"
# For real: DEL of the reservation fails, for an immutable folder.
pod a
call ADD flannel "$STOCK"
mount --bind /var/lib/cni/networks/cbr0 /var/lib/cni/networks/cbr0
mount -o remount,ro,bind /var/lib/cni/networks/cbr0
call DEL flannel "$STOCK"
better_is 'N02 the address cannot be released: an error, the scratch file is kept' '1 a' "$code $(files $SCRATCH)"
umount /var/lib/cni/networks/cbr0
call DEL flannel "$STOCK"
better_is 'N02 DEL again releases it' '0||' "$code$out|$(find /var/lib/cni/networks/cbr0 -name '10.*')|$(files $SCRATCH)"

# --- N03: two interfaces of one pod ---------------------------------------------------------------

fresh
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
call ADD flannel "$STOCK"
call ADD flannel "$STOCK" CNI_IFNAME=net1
is 'N03 two addresses' 2 "$(find /var/lib/cni/networks/cbr0 -name '10.*' | wc -l)"
call DEL flannel "$STOCK" CNI_IFNAME=net1
is 'N03 one is released' '0 1 eth0' "$code$out $(find /var/lib/cni/networks/cbr0 -name '10.*' | wc -l) $(link eth0 .ifname -n a)"
call DEL flannel "$STOCK"
better_is 'N03 so is the other' '0 0 ' "$code$out $(find /var/lib/cni/networks/cbr0 -name '10.*' | wc -l) $(ports)"
fresh
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
OTHER='{"cniVersion":"0.3.1","name":"other","type":"flannel","delegate":{"bridge":"cni1"}}'
call ADD flannel "$STOCK"
sed 's/244/245/g' $ENV >"$T/other/env"
OTHER=$(echo "$OTHER" | jq -c ".subnetFile = \"$T/other/env\"")
call ADD flannel "$OTHER" CNI_IFNAME=net1
is 'N03 two networks' '10.244.1.2/24 10.245.1.2/24' "$(addrs eth0 -n a | cut -d. -f1-3).2/24 $(addrs net1 -n a)"
call DEL flannel "$STOCK"
better_is 'N03 the first network is released' '0 0 1' "$code$out $(find /var/lib/cni/networks/cbr0 -name '10.*' | wc -l) \
$(find /var/lib/cni/networks/other -name '10.*' | wc -l)"
call DEL flannel "$OTHER" CNI_IFNAME=net1
better_is 'N03 and the second' '0 0  ' "$code$out $(find /var/lib/cni/networks/other -name '10.*' | wc -l) $(ports) $(files $SCRATCH)"

# --- CHECK, STATUS, GC ----------------------------------------------------------------------------

fresh
pod a
# shellcheck disable=SC2086 # several lines
env_file $NET $SUBNET $REST
for version in 0.4.0 1.0.0 1.1.0; do
	call ADD flannel "$(fl $version '"delegate":{"isDefaultGateway":true}')"
	checked=$(prev)
	call CHECK flannel "$checked"
	is "N01 $version CHECK right after ADD" 0 "$code$out"
	in_pod ip link set eth0 down
	call CHECK flannel "$checked"
	better_is "N01 $version CHECK asks the delegate" 1 "$code"
	call DEL flannel "$checked"
done
call CHECK flannel "$STOCK"
is 'N01 CHECK with 0.3.1' '1 1 config version does not allow CHECK' "$(error)"
call STATUS flannel "$(fl 1.1.0)"
is 'N01 STATUS' 0 "$code$out"
rm $ENV
call STATUS flannel "$(fl 1.1.0)"
better_like 'N01 STATUS without subnet.env: nothing can be attached' "^1 50 failed to load flannel 'subnet.env' file: " "$(error)"
call GC flannel "$(fl 1.1.0 '"cni.dev/valid-attachments":[]')"
is 'N01 GC' 0 "$code$out"
verdict
