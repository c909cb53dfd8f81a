#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# source_etcd against a real etcd: configuration, our own lease, the peers', and etcd's bad days.
# timeout: 360
. "$(dirname "$0")/../netns/lib.sh"

PREFIX=/coreos.com/network
PROBE=$BUILD/tests/cluster/etcd_probe
[ -x "$PROBE" ] || skip "no $PROBE: run ./dev build"

# probe NAME IP TTL_S [PREVIOUS]: events in $T/NAME.out, log in $T/NAME.log
probe() {
	name_=$1 ip_=$2 ttl_=$3
	shift 3
	"$PROBE" "http://192.168.77.254:1,$ETCD_URL" "$PREFIX" "$ip_" "$ttl_" "$@" >"$T/$name_.out" 2>>"$T/$name_.log" &
	echo $! >"$T/$name_.pid"
}

# says NAME REGEX [SECONDS]: sooner or later, in a line not looked at yet.
says() {
	wait_for "${3:-10}" "$1 says: $2" said "$1" "$2"
	line=$(sed -n "$(($(cat "$T/$1.seen" 2>/dev/null || echo 0) + 1)),\$p" "$T/$1.out" | grep -En -- "$2" | head -n 1)
	echo "$(($(cat "$T/$1.seen" 2>/dev/null || echo 0) + ${line%%:*}))" >"$T/$1.seen"
	line=${line#*:}
}

said() {
	cat "$T/$1.out"
	sed -n "$(($(cat "$T/$1.seen" 2>/dev/null || echo 0) + 1)),\$p" "$T/$1.out" | grep -Eq -- "$2"
}

probe_end() {
	stop "$1" "${2:-TERM}"
	[ "${2:-TERM}" = KILL ] || [ "$code" = 0 ] || fail "probe $1 ended with $code"
	rm -f "$T/$1.out" "$T/$1.seen"
}

subnet_of() {
	echo "$line" | sed -E 's/^own [a-z]+ ([0-9./]+) .*/\1/'
}

key_of() {
	echo "$PREFIX/subnets/$(echo "$1" | tr / -)"
}

# etcd's lease of a key, hexadecimal; 0 = none. (64 bits are too many for jq.)
lease_of() {
	printf '%x' "$(etcdctl_ get "$1" -w fields | sed -n 's/^"Lease" : //p')"
}

value_of() {
	etcdctl_ get "$1" --print-value-only
}

peer_value() {
	printf '{"PublicIP":"%s","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"%s"}}' "$1" "$2"
}

echo '--- etcd is not there yet; then it has no configuration; then a bad one; then a good one'
probe a 192.168.0.1 86400
says a 'source down etcd: 192.168.77.254:1: connection refused; 192.168.77.254:2379: connection refused'
etcd_start
says a "config problem: etcd 192.168.77.254:2379 has no key $PREFIX/config, .*create the key"
says a 'source up etcd 192.168.77.254:2379'
want_no_match 'its leases are none yet' '^leases' "$(cat "$T/a.out")"
etcd_conf '{"Network":"10.5.0.0/16","SubnetLen":99,"Backend":{"Type":"vxlan"}}'
says a "config problem: etcd key $PREFIX/config: SubnetLen: "
says a 'leases n=0 malformed=0'
etcd_conf '{"Network":"10.5.0.0/16","SubnetMin":"10.5.20.0","Backend":{"Type":"vxlan"}}'
says a 'config network 10.5.0.0/16 vni 1' 2
says a 'own held 10\.5\.[0-9]+\.0/24 via 192.168.0.1 mac 02:00:00:00:00:01 expires=86[34]'
subnet=$(subnet_of)
key=$(key_of "$subnet")
want_eq 'the value, byte for byte' "$(peer_value 192.168.0.1 02:00:00:00:00:01)" "$(value_of "$key")"
want_match 'its lease' '86400s' "$(etcdctl_ lease timetolive "$(lease_of "$key")")"

echo '--- killed, and started again: the same subnet'
probe_end a KILL
: >"$T/a.log"
probe a 192.168.0.1 86400
says a "own held $subnet "
want_match 'why' 'verdict=reuse' "$(cat "$T/a.log")"

echo '--- another MAC: written over our own key, in the same lease'
lease=$(lease_of "$key")
kill -USR2 "$(pid_of a)"
says a "own held $subnet .*mac 02:00:00:00:00:02"
want_eq 'the new value' "$(peer_value 192.168.0.1 02:00:00:00:00:02)" "$(value_of "$key")"
want_eq 'the lease stays' "$lease" "$(lease_of "$key")"

echo '--- another VNI in the configuration: the value follows'
etcd_conf '{"Network":"10.5.0.0/16","SubnetMin":"10.5.20.0","Backend":{"Type":"vxlan","VNI":7}}'
says a 'config network 10.5.0.0/16 vni 7'
says a "own held $subnet "
want_match 'the new value' '"VNI":7' "$(value_of "$key")"
etcd_conf '{"Network":"10.5.0.0/16","SubnetMin":"10.5.20.0","Backend":{"Type":"vxlan"}}'
says a "own held $subnet "

echo '--- our key deleted: taken again, the same one'
etcdctl_ del "$key" >/dev/null
says a "own lost $subnet .* was deleted from etcd"
says a "own held $subnet "

echo '--- replaced by somebody else: theirs is left alone, until it goes'
etcdctl_ put "$key" "$(peer_value 192.168.0.99 02:00:00:00:00:99)" >/dev/null
says a "own lost $subnet .* was taken over by 192.168.0.99"
says a "own taken $subnet .*pods use $subnet, but 192.168.0.99 holds $subnet"
sleep 2
want_eq 'theirs is left alone' "$(peer_value 192.168.0.99 02:00:00:00:00:99)" "$(value_of "$key")"
etcdctl_ del "$key" >/dev/null
says a "own held $subnet " 2

echo '--- overwritten in our name, by an agent left running perhaps: put right, without a duel'
etcdctl_ put --lease="$(lease_of "$key")" "$key" "$(peer_value 192.168.0.1 02:00:00:00:00:77)" >/dev/null
says a "own held $subnet .*mac 02:00:00:00:00:02"
want_match 'it was noticed' 'own.overwritten' "$(cat "$T/a.log")"
want_eq 'the value' "$(peer_value 192.168.0.1 02:00:00:00:00:02)" "$(value_of "$key")"

echo '--- a reservation, a key without lease, stays one'
etcdctl_ put "$key" "$(value_of "$key")" >/dev/null
says a "own held $subnet .*expires=-1"
probe_end a
probe a 192.168.0.1 86400
says a "own held $subnet .*expires=-1"
want_eq 'no lease' 0 "$(lease_of "$key")"
probe_end a HUP
want_eq 'given back? it is the operator'"'"'s' "$(peer_value 192.168.0.1 02:00:00:00:00:01)" "$(value_of "$key")"
etcdctl_ del "$key" >/dev/null

echo '--- the subnet of subnet.env, if it is free; given back'
probe a 192.168.0.1 86400 10.5.77.0/24
says a 'own held 10.5.77.0/24 '
lease=$(lease_of "$(key_of 10.5.77.0/24)")
etcdctl_ put --lease="$lease" /bystander x >/dev/null
kill -HUP "$(pid_of a)"
says a 'withdraw 0 '
wait "$(pid_of a)" || fail 'the probe failed'
want_eq 'the key is gone' '' "$(value_of "$(key_of 10.5.77.0/24)")"
want_eq 'what else hangs on its lease stays' x "$(value_of /bystander)"
rm "$T/a.pid" "$T/a.out" "$T/a.seen"

echo '--- malformed keys and values: skipped and reported, the others stay'
etcd_peer 10.5.1.0/24 192.168.0.21 02:00:00:00:00:21
etcdctl_ put "$PREFIX/subnets/10.5.2.0" x >/dev/null
etcdctl_ put "$PREFIX/subnets/10.5.3.0-24" '{"PublicIP":' >/dev/null
etcdctl_ put "$PREFIX/subnets-meta" x >/dev/null
etcdctl_ put "$PREFIX/subnets/10.5.9.0-24" "$(head -c 40000 /dev/zero | tr '\0' x)" >/dev/null
etcd_peer 10.5.4.0/24 192.168.0.24 02:00:00:00:00:24
probe a 192.168.0.1 86400
says a 'leases n=2 malformed=3'
says a '  10.5.4.0/24 via 192.168.0.24 mac 02:00:00:00:00:24'
says a 'own held 10.5'
etcdctl_ put "$PREFIX/subnets/10.5.4.0-24" '{"PublicIP":"10.5.4"}' >/dev/null
etcdctl_ put "$PREFIX/subnets/10.5.9.0-24" "$(head -c 40000 /dev/zero | tr '\0' y)" >/dev/null
etcdctl_ put "$PREFIX/subnets/$(printf 'a\033[2J')" x >/dev/null
etcd_peer 10.5.5.0/24 192.168.0.25 02:00:00:00:00:25
says a 'put 10.5.5.0/24 via 192.168.0.25'
want_no_match 'nothing went away' '^gone' "$(cat "$T/a.out")"
want_match 'key and value are named' 'bad value: PublicIP .*: key "10.5.4.0-24", value "..x22PublicIP' "$(cat "$T/a.log")"
want_match 'what is in them is escaped' 'key "a.x1b.2J"' "$(cat "$T/a.log")"
etcdctl_ del "$PREFIX/subnets/10.5.9.0-24" >/dev/null

echo '--- the list again, when asked for'
kill -USR1 "$(pid_of a)"
says a 'leases n=3 malformed=4'

echo '--- a peer whose lease expires; ours is renewed in time'
probe_end a
probe a 192.168.0.1 10
says a 'own held '
subnet=$(subnet_of)
probe b 192.168.0.2 10
says b 'own held '
gone=$(subnet_of)
says a "put $gone via 192.168.0.2"
probe_end b KILL
says a "gone $gone" 30
want_no_match 'ours is never lost' 'own lost' "$(cat "$T/a.out")"
want_match 'ours was renewed' 'own.renewed ttl_s=10' "$(cat "$T/a.log")"
lease=$(lease_of "$(key_of "$subnet")")
etcdctl_ lease revoke "$lease" >/dev/null
says a "own lost $subnet "
says a "own held $subnet "
probe_end a

echo '--- etcd killed and started again: the watch goes on where it was'
probe a 192.168.0.1 86400
says a 'source up'
says a 'own held '
subnet=$(subnet_of)
etcd_stop KILL
says a 'source down etcd: 192.168.77.254:1: connection refused; 192.168.77.254:2379: '
etcd_start
etcd_peer 10.5.6.0/24 192.168.0.26 02:00:00:00:00:26
says a 'source up' 40
says a 'put 10.5.6.0/24'
want_eq 'no second list' 1 "$(grep -c ^leases "$T/a.out")"

echo '--- compacted while we slept, our own key deleted before: a new list, our subnet once more'
kill -STOP "$(pid_of a)"
etcd_stop
etcd_start
etcdctl_ del "$PREFIX/subnets/10.5.6.0-24" >/dev/null
etcdctl_ del "$(key_of "$subnet")" >/dev/null
etcd_peer 10.5.8.0/24 192.168.0.28 02:00:00:00:00:28
etcdctl_ compact "$(etcdctl_ get x -w json | jq .header.revision)" >/dev/null
kill -CONT "$(pid_of a)"
says a 'leases n=[0-9]' 40
says a '  10.5.8.0/24'
want_match 'why' 'etcd.list_again why="our revision was compacted"' "$(cat "$T/a.log")"
want_no_match 'the deleted one is not in it' '^  10.5.6.0/24' "$(cat "$T/a.out")"
says a "own lost $subnet .* is gone from etcd"
says a "own held $subnet "

echo '--- the configuration is deleted: our lease is kept, renewed and kept right; once gone it stays gone'
CONF='{"Network":"10.5.0.0/16","SubnetMin":"10.5.20.0","Backend":{"Type":"vxlan"}}'
probe_end a
probe a 192.168.0.1 10
says a 'own held '
subnet=$(subnet_of)
: >"$T/a.log"
etcdctl_ del "$PREFIX/config" >/dev/null
says a "config problem: etcd 192.168.77.254:2379 has no key $PREFIX/config"
renewed() {
	grep -q 'own.renewed' "$T/a.log"
}
wait_for 20 'renewed' renewed
kill -USR1 "$(pid_of a)"
says a 'leases n=[0-9]'
kill -USR2 "$(pid_of a)"
says a "own held $subnet .*mac 02:00:00:00:00:02"
etcdctl_ del "$(key_of "$subnet")" >/dev/null
says a "gone $subnet"
sleep 2
want_eq 'not written again' '' "$(value_of "$(key_of "$subnet")")"
etcd_conf "$CONF"
says a 'config network 10.5.0.0/16'
says a "own held $subnet "

echo '--- another etcd in its place, empty: it is told, and nothing is written; then our subnet once more'
etcd_stop
rm -r "$T/etcd"
etcd_start
says a "config problem: etcd 192.168.77.254:2379 has no key $PREFIX/config" 40
says a 'source up'
leases=$(grep -c '^leases' "$T/a.out")
etcd_peer 10.5.9.0/24 192.168.0.29 02:00:00:00:00:29
kill -USR1 "$(pid_of a)"
kill -USR2 "$(pid_of a)"
sleep 2
want_eq 'nothing is written there' "$PREFIX/subnets/10.5.9.0-24" "$(etcdctl_ get --prefix "$PREFIX" --keys-only | xargs)"
want_eq 'no etcd lease either' 'found 0 leases' "$(etcdctl_ lease list)"
want_eq 'what it lists is not told' "$leases" "$(grep -c '^leases' "$T/a.out")"
etcd_conf "$CONF"
says a 'leases n=1'
says a "own held $subnet "

echo '--- another cluster in its place, and its configuration cannot be read: nothing is written'
kill -STOP "$(pid_of a)"
etcd_stop
rm -r "$T/etcd"
ETCD_FLAGS='--initial-cluster-token another' etcd_start
etcd_conf '{"Network":"10.5.0.0/16","SubnetLen":99,"Backend":{"Type":"vxlan"}}'
kill -CONT "$(pid_of a)"
says a "config problem: etcd key $PREFIX/config: SubnetLen: " 40
says a 'source up'
sleep 2
want_eq 'nothing is written there' "$PREFIX/config" "$(etcdctl_ get --prefix "$PREFIX" --keys-only | xargs)"
etcd_conf "$CONF"
says a "own held $subnet "
probe_end a

echo '--- eight at once for seven subnets: all different, one waits and gets the first that is free'
PREFIX=/race
etcdctl_ put /race/config '{"Network":"10.9.0.0/25","SubnetLen":28,"Backend":{"Type":"vxlan"}}' >/dev/null
for i in 1 2 3 4 5 6 7 8; do
	probe "r$i" "192.168.1.$i" 86400
done
all_told() {
	[ "$(grep -lE '^own (held|lost)' "$T"/r?.out | wc -l)" = 8 ]
}
wait_for 20 'all are told' all_told
cat "$T"/r?.out | grep '^own held' | sort -u >"$T/held"
want_eq 'seven hold one' 7 "$(cut -d' ' -f3 "$T/held" | sort -u | wc -l)"
want_eq 'each its own' 7 "$(etcdctl_ get --prefix /race/subnets/ --keys-only | grep -c /)"
full=$(grep -l '^own lost' "$T"/r?.out | sed 's/.*\(r.\)\.out/\1/')
says "$full" 'own lost .*expires=0 out of subnets'
freed=$(etcdctl_ get --prefix /race/subnets/ --print-value-only | head -n 1 | jq -r .PublicIP | sed 's/.*\.//')
kill -HUP "$(pid_of "r$freed")"
says "$full" 'own held' 2
