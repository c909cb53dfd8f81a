#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As deploy/loden.service runs it: what systemd hears, and that the rights which the unit leaves suffice.
. "$(dirname "$0")/lib.sh"

unit=$ROOT/deploy/loden.service

if command -v systemd-analyze >/dev/null; then
	sed "s,^ExecStart=[^ ]*,ExecStart=$BUILD/loden," "$unit" >"$T/loden.service"
	want_exit 'systemd understands the unit' 0 systemd-analyze verify --man=no "$T/loden.service"
	want_eq 'all of it' '' "$out"
else
	echo 'no systemd-analyze: the unit file is not verified'
fi

# unit NAME: the values of its lines of that name
unit() {
	sed -n "s/^$1=//p" "$unit"
}

# heard REGEX: how many datagrams match
heard() {
	grep -Ec "$1" "$T/notify.log" || :
}

hears() {
	[ "$(heard "$1")" -gt 0 ]
}

# As the unit has it: capabilities, a read-only file system but for its directories, variables.
capabilities=$(unit CapabilityBoundingSet | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
want_match 'there are capabilities' '^\+net_admin(,\+[a-z_]+)*$' "$capabilities"
want_eq 'directories' 'loden flannel' "$(unit RuntimeDirectory)"
want_eq 'and they stay' yes "$(unit RuntimeDirectoryPreserve)"
sed "s,^#\(FLANNELD_ETCD_ENDPOINTS\)=.*,\1=$ETCD_URL," "$ROOT/deploy/loden.conf.example" >"$T/loden.conf"
echo 'FLANNELD_IP_MASQ=true' >>"$T/loden.conf"

# start NOTIFY_SOCKET
start() {
	# shellcheck disable=SC2016,SC2046 # expanded by the inner shell; one word per variable
	on_bg a agent-a env $(grep -v '^#' "$T/loden.conf") NOTIFY_SOCKET="$1" WATCHDOG_USEC=1000000 \
		unshare --mount sh -ec 'mkdir -p /run/flannel /run/loden /var/lib/loden
			mount -o remount,bind,ro /
			exec setpriv --no-new-privs --inh-caps=-all --bounding-set="-all,$1" loden agent' \
		sh "$capabilities"
}

node_add a
on_bg a notify "$BUILD/tests/netns/notify_listen" @loden-test
wait_for 5 'somebody listens' hears listening
etcd_start
start @loden-test
wait_for 10 'systemd is told what is waited for' hears '^STATUS=.*config'
wait_for 5 'the watchdog hears of a start that takes long' hears '^WATCHDOG=1 '
want_eq 'not ready yet' 0 "$(heard READY)"
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 10 'ready' hears '^READY=1 '
wait_for 5 'and the status line says so' hears '^STATUS=ready'
want_exit 'READY=1 means that the network stands' 0 on a loden status
want_match 'and that subnet.env is written' '^FLANNEL_SUBNET=10.244' "$(on a cat /run/flannel/subnet.env)"

# Everything can be kept with these rights.
on a ip route del 10.244.9.0/24
on a sysctl -qw net.ipv4.ip_forward=0
on a nft delete table ip loden
on a ip link del flannel.1
on a rm /run/flannel/subnet.env
repaired() {
	on a ip route show 10.244.9.0/24 | grep -q flannel.1 && on a nft list table ip loden &&
		[ "$(on a cat /proc/sys/net/ipv4/ip_forward)" = 1 ] && on a test -s /run/flannel/subnet.env &&
		on a loden status
}
wait_for 10 'all is repaired' repaired

# Half a second apart; not while we hang, and again when we do not.
pid=$(on a cat /run/loden/lock)
before=$(heard '^WATCHDOG=1 ') start=$(date +%s%3N)
sleep 3
n=$(($(heard '^WATCHDOG=1 ') - before)) halves=$((($(date +%s%3N) - start) / 500))
if [ "$n" -lt $((halves - 2)) ] || [ "$n" -gt $((halves + 2)) ]; then
	fail "WATCHDOG=1 came $n times in $halves half seconds"
fi
kill -STOP "$pid"
sleep 0.2
before=$(heard '^WATCHDOG=1 ')
sleep 1.5
want_eq 'an agent that hangs says nothing' "$before" "$(heard '^WATCHDOG=1 ')"
kill -CONT "$pid"
again() {
	[ "$(heard '^WATCHDOG=1 ')" -gt "$before" ]
}
wait_for 5 'it is heard again' again

agent_stop a
wait_for 5 'the end is told' hears '^STOPPING=1 '
want_eq 'exit' 0 "$code"
want_eq 'ready was told once' 1 "$(heard READY)"

# A socket in the file system, as systemd has it.
stop notify
: >"$T/notify.log"
on_bg a notify "$BUILD/tests/netns/notify_listen" /run/notify
wait_for 5 'somebody listens there' hears listening
start /run/notify
wait_for 10 'told there, too' hears '^READY=1 '
agent_stop a

# By itself, too, the agent keeps only what it needs; with the rights left, all can be repaired.
# rights: of the agent, from /proc; 0x1000 is CAP_NET_ADMIN alone
rights() {
	awk '/^(CapEff|CapPrm|CapInh|NoNewPrivs|Seccomp):/ { printf "%s%s ", $1, $2 }' \
		"/proc/$(on a cat /run/loden/lock)/status"
}
admin=0000000000001000 none=0000000000000000 all=$(sed -n 's/^CapPrm:\t//p' /proc/1/status)
agent_start a
wait_for 10 'ready without systemd' on a loden status
want_eq 'the agent keeps CAP_NET_ADMIN' \
	"CapInh:$none CapPrm:$admin CapEff:$admin NoNewPrivs:1 Seccomp:2 " "$(rights)"
on a ip route del 10.244.9.0/24
on a sysctl -qw net.ipv4.ip_forward=0
on a nft delete table ip loden
on a ip link del flannel.1
on a rm /run/flannel/subnet.env
wait_for 10 'all is repaired' repaired
agent_stop a
agent_start a --healthz-port=1000 --etcd-keyfile=/none
wait_for 10 'a low port, a key file' agent_says 0 a
want_eq 'CAP_DAC_READ_SEARCH and CAP_NET_BIND_SERVICE, too' \
	"CapInh:$none CapPrm:0000000000001404 CapEff:0000000000001404 NoNewPrivs:1 Seccomp:2 " "$(rights)"
want_no_match 'the port is had' 'health endpoint' "$(on a loden status)"
agent_stop a
: >"$T/agent-a.log"
SANDBOX_FREE=1
agent_start a --sandbox=false
wait_for 10 'without the sandbox' agent_says 0 a
want_eq 'all rights stay' "CapInh:$none CapPrm:$all CapEff:$all NoNewPrivs:0 Seccomp:0 " "$(rights)"
want_match 'and the log says so' 'warn sandbox.off' "$(agent_log a)"
agent_stop a
