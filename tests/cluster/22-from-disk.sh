#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 720
# etcd dead when the agent starts: the data plane stands within a second, from disk, and is corrected when
# etcd answers. Files that are cut short, newer, of another node or another cluster are not used; a disk
# that cannot be written stops nothing. (S0-03, S0-11, S2-10)
. "$(dirname "$0")/../netns/lib.sh"

STATE=/var/lib/loden/peers

# reboot NODE [LAST_BYTE]: a new kernel and a new /run; the disk stays.
reboot() {
	rm -rf "$T/disk" "$T/bytes"
	mkdir "$T/disk"
	on "$1" tar -C /var/lib -cf - loden >"$T/bytes" 2>/dev/null || :
	node_del "$1"
	node_add "$1" "${2:-}"
	on "$1" tar -C /var/lib -xf - <"$T/bytes"
}

routes() {
	on "$1" ip -4 route show proto 102 dev flannel.1 | awk '{ print $1 }' | sort | tr '\n' ' '
}

has_file() {
	on "$1" test -s "$STATE"
}

status_of() {
	on "$1" loden status --json
}

# What `loden status` says, however ready.
says() {
	on "$1" loden status || :
}

# tells REGEX, shows JQ: a's status; the first also before it is ready.
tells() {
	says a | grep -E -- "$1"
}

shows() {
	status_of a | jq -e "$1"
}

tells_not() {
	! tells "$1"
}

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for i in 11 12 13; do etcd_peer "10.244.$i.0/24" "192.168.77.$i" "02:00:00:00:00:$i"; done
node_add a 1
agent_start a --ip-masq
wait_for 10 'a is ready' on a loden status
wait_for 20 'some seconds later it is on disk, without being told to stop' has_file a
mac=$(on a cat /sys/class/net/flannel.1/address)
env=$(on a cat /run/flannel/subnet.env)
before=$(routes a)
etcd_peer 10.244.14.0/24 192.168.77.14 02:00:00:00:00:14
wait_for 5 'one more' has_route a 10.244.14.0/24
agent_stop a
cp "/proc/$(cat "$T/a.node")/root$STATE" "$T/good"

echo '--- the node reboots, etcd is dead'
etcd_stop KILL
reboot a 1
: >"$T/agent-a.log"
agent_start a --ip-masq
wait_for 5 'ready' on a loden status
# By its own clock: ours would count how long we take to look.
# ms_of EVENT: the time of its first line, in milliseconds of the day
ms_of() {
	agent_log a | awk -F'[T:.Z]' -v event=" $1 " 'index($0, event) { print (($2 * 60 + $3) * 60 + $4) * 1000 + $5; exit }'
}
took=$(($(ms_of agent.ready) - $(ms_of agent.start)))
[ "$took" -ge 0 ] || took=$((took + 86400000))
[ "$took" -lt 1000 ] || fail "verified after $took ms, wanted 1000"
pass "verified after $took ms"
want_eq 'all peers, also the last one' "${before}10.244.14.0/24 " "$(routes a)"
want_eq 'our subnet' "$env" "$(on a cat /run/flannel/subnet.env)"
want_eq 'our MAC' "$mac" "$(on a cat /sys/class/net/flannel.1/address)"
want_eq 'ready' true "$(status_of a | jq .ready)"
wait_for 10 'and why not quite' tells 'peers are from disk, as of 20.*connection refused'
want_match 'in JSON' '^20.*Z$' "$(status_of a | jq -r .from_disk_of)"

echo '--- it repairs, and deletes nothing'
on a ip route del 10.244.11.0/24
wait_for 2 'a route that somebody deleted is back' has_route a 10.244.11.0/24
agent_kill a
agent_start a --ip-masq
wait_for 2 'killed and started again: ready' on a loden status
want_match 'nothing was to be done' '"repairs": 0' "$(status_of a)"

echo '--- etcd answers: one peer has left, one has another address, one is new'
etcd_start
etcdctl_ del /coreos.com/network/subnets/10.244.12.0-24 >/dev/null
etcd_peer 10.244.13.0/24 192.168.77.113 02:00:00:00:01:13
etcd_peer 10.244.15.0/24 192.168.77.15 02:00:00:00:00:15
corrected() {
	[ "$(routes a)" = '10.244.11.0/24 10.244.13.0/24 10.244.14.0/24 10.244.15.0/24 ' ] &&
		on a bridge fdb show dev flannel.1 | grep -q '02:00:00:00:01:13 dst 192.168.77.113'
}
wait_for 40 'corrected' corrected
wait_for 5 'ready, and nothing to add' shows '.ready and .problem == "" and .from_disk_of == null'
want_eq 'the same subnet' "$env" "$(on a cat /run/flannel/subnet.env)"
want_eq 'in etcd, too' 1 "$(etcdctl_ get --prefix /coreos.com/network/subnets/ --print-value-only | grep -c '"192.168.77.1"')"
agent_stop a

echo '--- files that are not to be used; etcd is dead'
etcd_stop
# try WHAT WHY [FLAG…]: the agent starts with that file, uses nothing of it and says why.
try() {
	: >"$T/agent-a.log"
	why=$2 what=$1
	shift 2
	agent_start a --ip-masq "$@"
	set -- "$what" "$why"
	wait_for 5 "$1: it runs" agent_says 1 a
	wait_for 5 "$1: it waits" tells 'waiting for the configuration'
	want_eq "$1: no link" '' "$(on a ip -o link show type vxlan)"
	want_match "$1: the log says so, in one line" "last_good.(not_used|dropped).*$2" "$(agent_log a)"
	agent_kill a
}
put() {
	on a sh -c "mkdir -p /var/lib/loden && cat >$STATE"
}
reboot a 1
size=$(wc -c <"$T/good")
head -c $((size / 2)) "$T/good" | put
try 'cut in half' 'damaged, or cut short'
put </dev/null
try 'empty' 'cut short after 0 bytes'
{ head -c 11 "$T/good"; printf '\002'; tail -c +13 "$T/good"; } | put
try 'of a newer version' 'of version 2, which a later loden wrote'
put <"$T/good"
reboot a 99
try 'of another node: a cloned disk' 'of the node at 192.168.77.1, and this one is at 192.168.77.99'
reboot a 1
echo 00000000000000000000000000000001 >"$T/machine-id"
[ ! -e /etc/machine-id ] || {
	on a mount --bind "$T/machine-id" /etc/machine-id
	try 'of another machine' 'of a machine with another /etc/machine-id'
	on a umount /etc/machine-id
}
try 'of other endpoints' 'of other --etcd-endpoints' --etcd-endpoints=http://192.168.77.253:2379

echo '--- another cluster behind the same endpoint: its etcd is new, and its peers are others'
agent_start a --ip-masq
wait_for 2 'from disk' on a loden status
rm -rf "$T/etcd"
ETCD_FLAGS='--initial-cluster-token another' etcd_start
etcd_peer 10.99.5.0/24 192.168.77.55 02:00:00:00:00:55 # first, or a might choose its subnet
etcd_conf '{"Network":"10.99.0.0/16","Backend":{"Type":"vxlan"}}'
only_the_other() {
	[ "$(routes a)" = '10.99.5.0/24 ' ]
}
wait_for 40 'only the other cluster'"'"'s peers' only_the_other
want_match 'the log says why' 'last_good.dropped why="it is of the cluster' "$(agent_log a)"
wait_for 5 'ready there' shows '.ready and .from_disk_of == null'
agent_stop a

echo '--- a disk that is full, one that is read-only: it goes on and says so'
on a mount -t tmpfs -o size=4k tmpfs /var/lib/loden
on a sh -c 'head -c 4096 /dev/zero >/var/lib/loden/full' || :
: >"$T/agent-a.log"
agent_start a --ip-masq
wait_for 10 'ready with a full disk' on a loden status
wait_for 20 'the status says so' tells 'not prepared for a reboot: .*No space left'
want_match 'and the log' 'last_good.not_kept why="a start without etcd is not prepared for a reboot: ' "$(agent_log a)"
wait_for 10 'but a restart is prepared, in the run directory' on a test -s /run/loden/peers
etcd_stop
agent_kill a
agent_start a --ip-masq
wait_for 2 'restarted from there, etcd is dead' on a loden status
want_eq 'the peers' '10.99.5.0/24 ' "$(routes a)"
agent_kill a
etcd_start
on a umount /var/lib/loden
on a mount -t tmpfs -o ro tmpfs /var/lib/loden
agent_start a --ip-masq
wait_for 10 'ready with a read-only disk' on a loden status
wait_for 20 'the status says so' tells 'not prepared for a reboot: .*Read-only file system'
on a umount /var/lib/loden
on a rm -f "$STATE"
wait_for 60 'once it can be written, it is' has_file a
wait_for 5 'and the status has nothing to say' tells_not 'not prepared'
agent_stop a

echo '--- uninstall takes it along'
on a loden uninstall >"$T/uninstall.out"
want_eq 'the state directory is gone' gone "$(on a sh -c 'ls -d /var/lib/loden 2>/dev/null || echo gone')"
