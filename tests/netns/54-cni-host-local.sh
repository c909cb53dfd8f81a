#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# host-local gives the addresses that the reference would give, and keeps them in the same files.
. "$(dirname "$0")/cni.sh"

STORE=/var/lib/cni/networks/net
pod a

# hl VERSION IPAM_KEYS [KEYS]: a configuration
hl() {
	conf "$1" "\"ipam\":{\"type\":\"host-local\",$2}${3:+,$3}"
}

# file NAME: its bytes, readable
file() {
	od -An -c "$STORE/$1" | tr -s ' \n' ' ' | sed 's/^ //; s/ $//; s/ //g'
}

# ips: of the last result, "10.1.2.2/24>10.1.2.1 …"
ips() {
	in_out '[(.ips // [.ip4, .ip6 | select(.)])[] | "\(.address // .ip)>\(.gateway)"] | join(" ")'
}

# --- H01, H06: files ------------------------------------------------------------------------------

BOTH='"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]]'
for version in $CNI_ALL_VERSIONS; do
	rm -rf /var/lib/cni
	c=$(hl "$version" "$BOTH,\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.9.0.0/16\",\"gw\":\"10.1.2.9\"}]")
	call ADD host-local "$c"
	is "H01 $version addresses" '0 10.1.2.2/24>10.1.2.1 fd00:2::2/64>fd00:2::1' "$code $(ips)"
	case $version in
	0.[12].*) wanted='{"cniVersion":"'$version'","dns":{},"ip4":{"gateway":"10.1.2.1","ip":"10.1.2.2/24","routes":'
		wanted=$wanted'[{"dst":"0.0.0.0/0"},{"dst":"10.9.0.0/16","gw":"10.1.2.9"}]},"ip6":{"gateway":"fd00:2::1","ip":"fd00:2::2/64"}}' ;;
	0.*) wanted='{"cniVersion":"'$version'","dns":{},"ips":[{"address":"10.1.2.2/24","gateway":"10.1.2.1","version":"4"},{"address"'
		wanted=$wanted':"fd00:2::2/64","gateway":"fd00:2::1","version":"6"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"10.9.0.0/16","gw":"10.1.2.9"}]}' ;;
	*) wanted='{"cniVersion":"'$version'","ips":[{"address":"10.1.2.2/24","gateway":"10.1.2.1"},{"address":"fd00:2::2/64","gateway"'
		wanted=$wanted':"fd00:2::1"}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"10.9.0.0/16","gw":"10.1.2.9"}]}' ;;
	esac
	is "H01 $version result" "$wanted" "$(in_out .)"
	is "H06 $version nothing on stderr" '' "$err"
	is "H01 $version files" '10.1.2.2 fd00:2::2 last_reserved_ip.0 last_reserved_ip.1 lock' "$(files $STORE)"
	is "H01 $version bytes" 'a\r\neth0 a\r\neth0 10.1.2.2 fd00:2::2' \
		"$(file 10.1.2.2) $(file fd00:2::2) $(file last_reserved_ip.0) $(file last_reserved_ip.1)"
	is "H01 $version modes" '755 600 750' "$(stat -c %a $STORE $STORE/10.1.2.2 $STORE/lock | xargs)"
	case $version in
	0.4.0 | 1.*)
		checked=$(prev)
		call CHECK host-local "$checked"
		is "H01 $version CHECK" 0 "$code$out"
		call CHECK host-local "$checked" CNI_IFNAME=eth1
		is "H01 $version CHECK of another interface" \
			'1 999 host-local: Failed to find address added by container a' "$(error)"
		;;
	esac
	call DEL host-local "$c"
	is "H01 $version DEL" '0 last_reserved_ip.0 last_reserved_ip.1 lock' "$code$out $(files $STORE)"
done
call ADD host-local "$(hl 1.0.0 "\"dataDir\":\"$T/data\",\"subnet\":\"10.1.2.0/24\"")"
is 'H01 dataDir' 'a\r\neth0' "$(STORE=$T/data/net file 10.1.2.2)"
call DEL host-local "$(hl 1.0.0 "\"dataDir\":\"$T/data\",\"subnet\":\"10.1.2.0/24\"")"
is 'H01 dataDir: DEL' 'last_reserved_ip.0 lock' "$(files "$T/data/net")"

# --- H02–H05 --------------------------------------------------------------------------------------

c=$(hl 1.0.0 '"subnet":"10.1.2.0/24"')
rm -rf /var/lib/cni
call ADD host-local "$c"
call ADD host-local "$c" CNI_IFNAME=eth1
is 'H02 two interfaces' 'a\r\neth0 a\r\neth1' "$(file 10.1.2.2) $(file 10.1.2.3)"
call DEL host-local "$c"
is 'H02 DEL of one' 10.1.2.3 "$(held a)"
call ADD host-local "$c" CNI_IFNAME=eth1
is 'H03 ADD again' '1 999 failed to allocate for range 0: 10.1.2.3 has been allocated to a, duplicate allocation is not allowed' "$(error)"
is 'H03 the first is still there' 10.1.2.3 "$(held a)"
call DEL host-local "$c" CNI_IFNAME=eth1
is 'H02 DEL of the other' '' "$(held a)"
call ADD host-local "$(hl 1.0.0 '"ranges":[[{"subnet":"fd00:2::/64"}]]')"
call ADD host-local "$(hl 1.0.0 '"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]]')"
is 'H03 of two sets one is held already' \
	'1 999 failed to allocate for range 1: fd00:2::2 has been allocated to a, duplicate allocation is not allowed' "$(error)"
call DEL host-local "$c"

rm -rf $STORE/10* $STORE/fd*
# Container ids where one is the beginning of another; interface names as well.
while IFS='|' read -r what bytes wanted; do
	# shellcheck disable=SC2059 # escapes
	printf "$bytes" >$STORE/10.1.2.77
	call DEL host-local "$c"
	is "H04 DEL of $what" "0 $wanted" "$code$out $([ -e $STORE/10.1.2.77 ] && echo there || echo gone)"
	rm -f $STORE/10.1.2.77
done <<'END'
a file of now|a\r\neth0|gone
a file with white space around| a\r\neth0 \n|gone
a file of old|a|gone
a file of old with white space|a\n|gone
another interface|a\r\neth1|there
an interface with a longer name|a\r\neth00|there
a longer id|ab\r\neth0|there
a longer id of old|ab|there
a line feed alone|a\neth0|there
an empty file||there
END
printf 'a\r\neth0' >$STORE/10.1.2.80
printf 'a' >$STORE/10.1.2.81
call DEL host-local "$c"
is 'H04 a file of now is preferred to one of old' 'there gone' \
	"$([ -e $STORE/10.1.2.81 ] && echo there) $([ -e $STORE/10.1.2.80 ] || echo gone)"
rm -f $STORE/10.1.2.81
call DEL host-local "$c" CNI_CONTAINERID=nobody
is 'H05 DEL of an unknown id' 0 "$code$out"
rm -rf /var/lib/cni
call DEL host-local "$c"
is 'H05 DEL on a new node' 0 "$code$out"

# --- H07: requested addresses ---------------------------------------------------------------------

TWO='"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/24"}]]'
while IFS='|' read -r what keys args more wanted; do
	rm -rf /var/lib/cni
	call ADD host-local "$(hl 1.0.0 "$keys" "$more")" "CNI_ARGS=$args"
	if [ "$code" = 0 ]; then
		is "H07 $what" "$wanted" "$(ips | sed 's/>[^ ]*//g')"
		call DEL host-local "$(hl 1.0.0 "$keys")"
	else
		like "H07 $what" "^1 999 $wanted\$" "$(error)"
	fi
	is "H07 $what: nothing is left" '' "$(held a)"
done <<END
CNI_ARGS|"subnet":"10.1.2.0/24"|IP=10.1.2.50||10.1.2.50/24
CNI_ARGS with prefix|"subnet":"10.1.2.0/24"|IP=10.1.2.50/16||10.1.2.50/24
args|"subnet":"10.1.2.0/24"||"args":{"cni":{"ips":["10.1.2.51"]}}|10.1.2.51/24
args with prefix|"subnet":"10.1.2.0/24"||"args":{"cni":{"ips":["10.1.2.51/24"]}}|10.1.2.51/24
runtimeConfig|"subnet":"10.1.2.0/24"||"runtimeConfig":{"ips":["10.1.2.52"]}|10.1.2.52/24
runtimeConfig with prefix|"subnet":"10.1.2.0/24"||"runtimeConfig":{"ips":["10.1.2.52/24"]}|10.1.2.52/24
two sets, one asked for|$TWO|IP=10.1.3.50||10.1.2.2/24 10.1.3.50/24
two sets, both asked for|$TWO|IP=10.1.3.50|"args":{"cni":{"ips":["10.1.2.51"]}}|10.1.2.51/24 10.1.3.50/24
both families|$BOTH||"runtimeConfig":{"ips":["fd00:2::77","10.1.2.52"]}|10.1.2.52/24 fd00:2::77/64
IPv6 in long form|$BOTH|IP=fd00:2:0:0:0:0:0:78||10.1.2.2/24 fd00:2::78/64
the same one twice|"subnet":"10.1.2.0/24"|IP=10.1.2.50|"runtimeConfig":{"ips":["10.1.2.50"]}|10.1.2.50/24
ipRanges of the runtime|"subnet":"10.1.2.0/24"||"runtimeConfig":{"ipRanges":[[{"subnet":"10.1.7.0/24","rangeStart":"10.1.7.9"}]]}|10.1.7.9/24 10.1.2.2/24
the first address|"subnet":"10.1.2.0/24","gateway":"10.1.2.9"|IP=10.1.2.1||10.1.2.1/24
outside of every range|"subnet":"10.1.2.0/24"|IP=10.1.9.9||failed to allocate all requested IPs: 10.1.9.9
two for one set|"subnet":"10.1.2.0/24"|IP=10.1.2.50|"args":{"cni":{"ips":["10.1.2.51"]}}|failed to allocate all requested IPs: 10.1.2.5[01]
the gateway|"subnet":"10.1.2.0/24"|IP=10.1.2.1||failed to allocate for range 0: requested ip 10.1.2.1 is subnet's gateway
the broadcast address|"subnet":"10.1.2.0/24"|IP=10.1.2.255||failed to allocate all requested IPs: 10.1.2.255
before rangeStart|"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9"|IP=10.1.2.8||failed to allocate all requested IPs: 10.1.2.8
the gateway of the second set|$TWO|IP=10.1.3.1||failed to allocate for range 1: requested ip 10.1.3.1 is subnet's gateway
no address|"subnet":"10.1.2.0/24"|IP=nonsense||.*nonsense.*
no address in args|"subnet":"10.1.2.0/24"||"args":{"cni":{"ips":["nonsense"]}}|.*nonsense.*
END
mkdir -p $STORE
printf 'other\r\neth0' >$STORE/10.1.2.50
call ADD host-local "$c" CNI_ARGS=IP=10.1.2.50
is 'H07 taken' '1 999 failed to allocate for range 0: requested IP address 10.1.2.50 is not available in range set 10.1.2.1-10.1.2.254' "$(error)"
rm $STORE/10.1.2.50

# --- H08, H09: the order of addresses -------------------------------------------------------------

# gives 'ID WHAT' KEYS LAST WANTED…: ADD after ADD, with last_reserved_ip.0 to begin with; "full" for none
gives() {
	what=$1 keys=$2 last=$3
	shift 3
	rm -rf /var/lib/cni
	[ -z "$last" ] || { mkdir -p $STORE && printf %s "$last" >$STORE/last_reserved_ip.0; }
	was='' i=0
	for _; do
		i=$((i + 1))
		call ADD host-local "$(hl 1.0.0 "$keys")" "CNI_CONTAINERID=c$i"
		if [ "$code" = 0 ]; then
			was="$was $(in_out '.ips[0].address')"
		else
			was="$was full"
		fi
	done
	is "$what" " $*" "$was"
}
gives 'H08 a /29, then full' '"subnet":"10.1.2.0/29"' '' \
	10.1.2.2/29 10.1.2.3/29 10.1.2.4/29 10.1.2.5/29 10.1.2.6/29 full
is 'H09 the message' '1 999 failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.6' "$(error)"
call DEL host-local "$(hl 1.0.0 '"subnet":"10.1.2.0/29"')" CNI_CONTAINERID=c3
call ADD host-local "$(hl 1.0.0 '"subnet":"10.1.2.0/29"')" CNI_CONTAINERID=c7
is 'H09 one released, and given again' 10.1.2.4/29 "$(in_out '.ips[0].address')"
gives 'H08 the next after the last' '"subnet":"10.1.2.0/29"' 10.1.2.5 10.1.2.6/29 10.1.2.2/29 10.1.2.3/29
gives 'H08 last is the end' '"subnet":"10.1.2.0/29"' 10.1.2.6 10.1.2.2/29
gives 'H08 last is elsewhere' '"subnet":"10.1.2.0/29"' 10.1.9.9 10.1.2.2/29
gives 'H08 last is nonsense' '"subnet":"10.1.2.0/29"' nonsense 10.1.2.2/29
gives 'H08 the gateway is skipped' '"subnet":"10.1.2.0/29","gateway":"10.1.2.3"' '' \
	10.1.2.1/29 10.1.2.2/29 10.1.2.4/29 10.1.2.5/29 10.1.2.6/29 full
gives 'H08 rangeStart and rangeEnd are given, too' '"subnet":"10.1.2.0/24","rangeStart":"10.1.2.10","rangeEnd":"10.1.2.12"' '' \
	10.1.2.10/24 10.1.2.11/24 10.1.2.12/24 full
is 'H09 the message' '1 999 failed to allocate for range 0: no IP addresses available in range set: 10.1.2.10-10.1.2.12' "$(error)"
gives 'H08 the gateway is the start' '"subnet":"10.1.2.0/24","rangeStart":"10.1.2.1","rangeEnd":"10.1.2.3"' '' \
	10.1.2.2/24 10.1.2.3/24 full
gives 'H08 the gateway is the end' '"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9","rangeEnd":"10.1.2.10","gateway":"10.1.2.10"' '' \
	10.1.2.9/24 full
gives 'H08 one address, which is the gateway' '"subnet":"10.1.2.0/24","rangeStart":"10.1.2.1","rangeEnd":"10.1.2.1"' '' full
gives 'H08 several ranges in a set' '"ranges":[[{"subnet":"10.1.2.0/30"},{"subnet":"10.1.3.0/30","gateway":"10.1.3.2"}]]' '' \
	10.1.2.2/30 10.1.3.1/30 full
is 'H09 the message' '1 999 failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.2,10.1.3.1-10.1.3.2' "$(error)"
gives 'H08 several ranges, from the second on' '"ranges":[[{"subnet":"10.1.2.0/30"},{"subnet":"10.1.3.0/29"}]]' 10.1.3.5 \
	10.1.3.6/29 10.1.2.2/30 10.1.3.2/29
gives 'H08 IPv6' '"subnet":"fd00:2::/125"' '' fd00:2::2/125 fd00:2::3/125 fd00:2::4/125 fd00:2::5/125 fd00:2::6/125 fd00:2::7/125 full
gives 'H08 a carry' '"subnet":"10.1.0.0/16","rangeStart":"10.1.1.255"' '' 10.1.1.255/16 10.1.2.0/16 10.1.2.1/16
gives 'H08 all of a /30' '"subnet":"10.1.2.0/30"' '' 10.1.2.2/30 full
rm -rf /var/lib/cni
call ADD host-local "$(hl 1.0.0 '"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/30","gateway":"10.1.3.2"}]]')"
call ADD host-local "$(hl 1.0.0 '"ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/30","gateway":"10.1.3.2"}]]')" CNI_CONTAINERID=b
is 'H09 the second set is full' \
	'1 999 failed to allocate for range 1: no IP addresses available in range set: 10.1.3.1-10.1.3.2' "$(error)"
is 'H09 the address of the first set is free again' '' "$(held b)"

# --- H10, H11: configurations ---------------------------------------------------------------------

while IFS='|' read -r keys more wanted; do
	call ADD host-local "$(hl 1.0.0 "$keys" "$more")"
	like "H10 $keys $more" "^1 999 $wanted\$" "$(error)"
done <<'END'
"subnet":"10.0.0.0/31"||invalid range set 0: Network 10.0.0.0/31 too small to allocate from
"subnet":"10.0.0.0/32"||invalid range set 0: Network 10.0.0.0/32 too small to allocate from
"subnet":"fd00::/127"||invalid range set 0: Network fd00::/127 too small to allocate from
"subnet":"10.0.0.5/24"||invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.0.0.0
"subnet":"10.0.0.0/24","rangeStart":"10.0.1.1"||invalid range set 0: RangeStart 10.0.1.1 not in network 10.0.0.0/24
"subnet":"10.0.0.0/24","rangeEnd":"10.0.1.1"||invalid range set 0: RangeEnd 10.0.1.1 not in network 10.0.0.0/24
"subnet":"10.0.0.0/24","rangeStart":"10.0.0.9","rangeEnd":"10.0.0.8"||invalid range set 0: RangeStart 10.0.0.9 not in network 10.0.0.0/24
"subnet":"10.0.0.0/24","rangeStart":"fd00::1"||invalid range set 0: RangeStart fd00::1 not in network 10.0.0.0/24
"ranges":[[]]||invalid range set 0: empty range set
"ranges":[[{"subnet":"10.0.0.0/24"}],[]]||invalid range set 1: empty range set
"ranges":[[{"subnet":"10.0.0.0/24"},{"subnet":"fd00::/64"}]]||invalid range set 0: mixed address families
"ranges":[[{"subnet":"10.0.0.0/24"},{"subnet":"10.0.0.0/25"}]]||invalid range set 0: subnets 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.0.126 overlap
"ranges":[[{"subnet":"10.0.0.0/24"}],[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.0.0.0/16"}]]||range set 0 overlaps with 2
"subnet":"10.0.0.0/24"|"runtimeConfig":{"ipRanges":[[{"subnet":"10.0.0.0/25"}]]}|range set 0 overlaps with 1
"ranges":[]||no IP ranges specified
"routes":[]||no IP ranges specified
"subnet":"10.0.0.0"||.*invalid CIDR address: 10.0.0.0
"subnet":"10.00.0.0/24"||.*invalid CIDR address: 10.00.0.0/24
"subnet":"10.0.0.0/33"||.*invalid CIDR address: 10.0.0.0/33
"subnet":"10.0.0.0/24","gateway":"nonsense"||.*invalid IP address: nonsense
"subnet":"10.0.0.0/24","routes":[{"dst":"10.9.0.0"}]||.*invalid CIDR address: 10.9.0.0
END
call ADD host-local "$(conf 1.0.0)"
is 'H10 ADD without ipam' "1 999 IPAM config missing 'ipam' key" "$(error)"
call DEL host-local "$(conf 1.0.0)"
better_is 'H10 DEL without ipam has nothing to complain about' 0 "$code$out"
gives 'H10 rangeStart, rangeEnd, gateway by default' '"subnet":"10.1.2.0/30"' '' 10.1.2.2/30

for version in 0.1.0 0.2.0; do
	for sets in '[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/24"}]' '[{"subnet":"fd00:2::/64"}],[{"subnet":"fd00:3::/64"}]'; do
		call ADD host-local "$(hl $version "\"ranges\":[$sets]")"
		is "H11 $version $sets" "1 999 CNI version $version does not support more than 1 address per family" "$(error)"
		call DEL host-local "$(hl $version "\"ranges\":[$sets]")"
		better_is "H11 $version $sets: DEL has nothing to complain about" 0 "$code$out"
	done
done

# --- H12: resolv.conf -----------------------------------------------------------------------------

printf '%s\n' '# comment' '; comment' 'nameserver 192.0.2.1' '  nameserver	192.0.2.2 192.0.2.3' 'domain first.example' \
	'domain  last.example more' 'search one two' 'search three' 'options ndots:5 rotate' 'options debug' 'sortlist 10.0.0.0' \
	nameserver domain '' >"$T/resolv.conf"
printf 'nameserver fd00::53' >>"$T/resolv.conf"
rm -rf /var/lib/cni
for version in 0.2.0 0.3.1 1.0.0; do
	call ADD host-local "$(hl $version "\"subnet\":\"10.1.2.0/24\",\"resolvConf\":\"$T/resolv.conf\"")"
	is "H12 $version" '{"domain":"last.example","nameservers":["192.0.2.1","192.0.2.2","fd00::53"],"options":["ndots:5","rotate","debug"],"search":["one","two","three"]}' "$(in_out .dns)"
	call DEL host-local "$(hl $version "\"subnet\":\"10.1.2.0/24\",\"resolvConf\":\"$T/resolv.conf\"")"
done
: >"$T/empty"
call ADD host-local "$(hl 1.0.0 "\"subnet\":\"10.1.2.0/24\",\"resolvConf\":\"$T/empty\"")"
is 'H12 an empty file' '0 null' "$code $(in_out .dns)"
call DEL host-local "$(hl 1.0.0 "\"subnet\":\"10.1.2.0/24\",\"resolvConf\":\"$T/gone\"")"
is 'H12 DEL does not read it' '0|' "$code$out|$(held a)"
call ADD host-local "$(hl 1.0.0 "\"subnet\":\"10.1.2.0/24\",\"resolvConf\":\"$T/gone\"")"
like 'H12 no file' "^1 999 .*$T/gone.*[Nn]o such file or directory" "$(error)"
is 'H12 no file: nothing is left' '' "$(held a)"

# --- H14, H15: files of others --------------------------------------------------------------------

rm -rf /var/lib/cni
mkdir -p $STORE
: >$STORE/10.1.2.2 # of an ADD that was killed between making and writing it
call ADD host-local "$c"
better_is 'H14 an empty file blocks no address' 10.1.2.2/24 "$(in_out '.ips[0].address')"
call DEL host-local "$c"
rm -rf /var/lib/cni
mkdir -p $STORE/10.1.2.2 $STORE/10.1.2.4 $STORE/sub
printf 'a\r\neth0' >$STORE/sub/10.1.2.9
ln -s /nowhere $STORE/10.1.2.3
printf 'x' >$STORE/not-an-ip
call ADD host-local "$c"
better_is 'H14 a folder, a link to nowhere, other files are in the way' '0 10.1.2.5/24' "$code $(in_out '.ips[0].address')"
call DEL host-local "$c"
is 'H14 and DEL' '0 gone' "$code$out $([ -e $STORE/10.1.2.5 ] || echo gone)"
is 'H14 others stay' '10.1.2.2 10.1.2.3 10.1.2.4 lock not-an-ip sub' "$(files $STORE | sed 's/last_reserved_ip.0 //')"
rm -rf /var/lib/cni
mkdir -p $STORE
awk 'BEGIN { for (i = 0; i < 1048576; i++) printf "x" }' >$STORE/10.1.2.2
printf '\0\377\r\n' >$STORE/10.1.2.3
call ADD host-local "$c"
is 'H14 big and odd files' '0 10.1.2.4/24' "$code $(in_out '.ips[0].address')"
call DEL host-local "$c"
is 'H14 big and odd files: DEL' '0 10.1.2.2 10.1.2.3 last_reserved_ip.0' "$code$out $(files $STORE | cut -d" " -f1-3)"
printf 'nonsense' >$STORE/last_reserved_ip.0
: >$STORE/last_reserved_ip.1
call ADD host-local "$c"
is 'H14 last_reserved_ip is nonsense' '0 10.1.2.4/24' "$code $(in_out '.ips[0].address')"
call DEL host-local "$c"

rm -rf /var/lib/cni
mkdir -p $STORE
: >$STORE/lock
for mode in 000 444 750; do
	chmod $mode $STORE/lock
	call ADD host-local "$c"
	is "H15 lock of mode $mode" 0 "$code"
	call DEL host-local "$c"
done
# Whoever holds the reference's lock is waited for.
# hold MODE COMMAND: it is held from now on, shared (-s) or not (-x), and let go when the command has ended
hold() {
	rm -f "$T/over"
	flock "$1" $STORE/lock -c "$2; touch $T/over" &
	until ! flock -n $STORE/lock true; do sleep 0.01; done
}
is_over() {
	[ ! -e "$T/over" ] || echo over
}
hold -x "sleep 0.6; printf 'old\r\neth0' >$STORE/10.1.2.2; printf 10.1.2.2 >$STORE/last_reserved_ip.0"
call ADD host-local "$c"
is 'H15 ADD waits for the lock' '10.1.2.3/24 over' "$(in_out '.ips[0].address') $(is_over)"
wait
hold -x 'sleep 0.6'
call DEL host-local "$c"
is 'H15 DEL waits for the lock' '0 over' "$code$out $(is_over)"
wait
hold -s 'sleep 0.6'
call ADD host-local "$c"
is 'H15 ADD wants it for itself' '0 over' "$code $(is_over)"
wait
verdict
