# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shell helpers of the tests with the real flanneld as neighbour, predecessor and successor, the files
# 3N-*.sh. Read instead of pods.sh and tests/netns/lib.sh, which it reads in turn.
#
#	IPTABLES=nft|legacy	which iptables flanneld finds
LODEN_PEERS=${LODEN_PEERS:-$(cd "$(dirname "$0")/../.." && pwd)/build/peers}
export LODEN_PEERS
# Outside of the sandbox, which has no network.
if [ -z "${LODEN_SANDBOX:-}" ] && [ "$(id -u)" = 0 ] && ! "$(dirname "$0")/../peers/build-flannel.sh" >/dev/null; then
	echo "skip: flanneld could not be built: Go or its module proxy is out of reach"
	exit 77
fi
. "$(dirname "$0")/pods.sh"

IPTABLES=${IPTABLES:-nft}

# flanneld_start NODE [FLAG…]: log in $T/flanneld-NODE.log
flanneld_start() {
	node_=$1
	shift
	mkdir -p "$T/iptables-$IPTABLES"
	for tool_ in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
		ln -sf "$(command -v "xtables-$IPTABLES-multi")" "$T/iptables-$IPTABLES/$tool_"
	done
	rm -f "$T/flanneld-$node_.log"
	on_bg "$node_" "flanneld-$node_" env PATH="$T/iptables-$IPTABLES:$PATH" "$LODEN_PEERS/flanneld" \
		--etcd-endpoints="$ETCD_URL" "$@"
}

# flanneld_stop NODE [SIGNAL]: told to end while it still sets up, it may wait for itself forever; then it is killed.
flanneld_stop() {
	[ -e "$T/flanneld-$1.pid" ] || return 0
	pid_=$(pid_of "flanneld-$1") looks_=0
	quiet kill "-${2:-TERM}" "$pid_" || :
	until grep -qs '^State:.Z' "/proc/$pid_/status" || [ ! -e "/proc/$pid_" ] || [ $((looks_ = looks_ + 1)) = 400 ]; do
		sleep 0.05
	done
	[ $looks_ -lt 400 ] || echo "      flanneld on $1 did not end"
	stop "flanneld-$1" KILL
}

# Peers are programmed from then on.
flanneld_runs() {
	grep -q 'Running backend' "$T/flanneld-$1.log"
}

# lease_of NODE_ADDRESS: subnet and MAC as etcd has them.
lease_of() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 "\"PublicIP\":\"$1\"" | tr '\n' ' '
}

# outside_start: somebody on port 9 of the sandbox, outside of all nodes, who notes whose packets arrive.
outside_start() {
	"$BUILD/tests/cluster/nat_probe" serve 9 >"$T/outside.log" 2>&1 &
	echo $! >"$T/outside.pid"
	wait_for 10 'somebody is outside' listens command
}

# listens COMMAND…: is somebody on port 9, where that command runs others?
listens() {
	"$@" ss -Hlun sport = :9 | grep -q .
}

# nat_start POD [ADDRESS]: a new connection to it, or to somebody outside, every millisecond from now on.
nat_start() {
	rm -f "$T/nat-$1.log"
	asked_=$(nat_asked_ "$1")
	on_bg "${1%?}" "nat-$1" ip netns exec "$1" "$BUILD/tests/cluster/nat_probe" ask "${2:-192.168.77.254}" 9
	wait_for 10 "$1 asks" nat_asks_ "$1" "$asked_"
}

# shellcheck disable=SC2016 # of awk
nat_asked_() {
	in_pod "$1" awk '/^Udp: [0-9]/ { n += $5 } /^Udp6OutDatagrams/ { n += $2 } END { print n }' /proc/net/snmp /proc/net/snmp6
}

nat_asks_() {
	[ "$(nat_asked_ "$1")" -gt $(($2 + 50)) ]
}

# nat_ended WHAT POD NODE_ADDRESS: all came from the node, none was lost.
nat_ended() {
	stop "nat-$2"
	stop outside
	want_match "$1: new connections, one a millisecond" '^asked [0-9]{3,} answered [0-9]+$' "$(cat "$T/nat-$2.log")"
	want_eq "$1: each came from the node's address, none was lost" "$3 $(awk '{ print $2, "of", $2 }' "$T/nat-$2.log")" \
		"$(cat "$T/outside.log") of $(awk '{ print $4 }' "$T/nat-$2.log")"
	echo "      $(cat "$T/nat-$2.log"); arrived: $(tr '\n' ' ' <"$T/outside.log")"
}

# ping_start POD POD [6]: one each 10 ms; with IPv6 it is the ping of POD6.
ping_start() {
	rm -f "$T/ping-$1${3:-}.log"
	on_bg "${1%?}" "ping-$1${3:-}" ip netns exec "$1" ping -ni 0.01 "$(cat "$T/$2.ip${3:-}")"
}

# ping_ended WHAT POD: none was lost.
ping_ended() {
	ping_stop "ping-$2"
	want_eq "$1: lost of $(sed -n 's/ packets transmitted.*//p' "$T/ping-$2.log") pings of $2" 0 "$lost"
}

# at_rest NODE: its state is what it was a second ago.
at_rest() {
	state_of "$1" >"$T/before.state"
	sleep 1
	state_of "$1" | diff "$T/before.state" -
}

# state_of NODE: all that is kept on a node, without counters and numbers, the MAC of flannel's device, and what
# changes by itself (link-local addresses come when their links are ready).
# shellcheck disable=SC2016
state_of() {
	on "$1" sh -c 'ip -o -d link | sed -E "s/^[0-9]+: //; s/ state [A-Z]+ / /; s/ (port_id|root_id|bridge_id|designated_[a-z]+|link-netnsid|@if[0-9]+|[a-z_]*timer|gc_timer|tcn_timer) +[^ ]+//g; /flannel/s/link.ether [^ ]+//; s/@if[0-9]+//" | sort
		ip -o addr show scope global | sed -E "s/^[0-9]+: //" | sort
		ip route show table all | grep -v "^local fe80\|fe80::\|^multicast\|^anycast" | sort; ip neigh show nud permanent | sort; ip nexthop
		nft -s list ruleset 2>/dev/null | awk "/^table/ { t = \$2 \" \" \$3 } /^\tchain/ { c = \$2; n = 0 } /^\t\t/ { print t, c, ++n, \$0 }" | sort; find /run/loden /run/flannel /var/lib/loden 2>/dev/null | sort; cat /run/flannel/subnet.env
		:'
}
