# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shell helpers of the tests that run real programs on the real kernel.
#
#	#!/bin/sh
#	# one sentence: what this test shows
#	. "$(dirname "$0")/lib.sh"
#	etcd_start; etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
#	node_add a; agent_start a
#	wait_for 10 'a is ready' on a loden status
#	want_eq 'MTU of flannel.1' 1450 "$(on a ip -j link show flannel.1 | jq '.[0].mtu')"
#
# The first line runs the script again as process 1 of a sandbox: its own network, mounts, process
# ids and hostname. Nothing can leave it, and the kernel clears it away however the script ends.
# Inside, a "node" is one more network and mount namespace with its own /run, /etc/cni and /var/lib,
# on a switch (bridge "sw", 192.168.77.0/24) where the sandbox itself is .254 and runs etcd.
#
#	$T		directory for logs and files; gone afterwards
#	$ROOT, $BUILD	the source tree; where `loden` and `loden-cni` are (default: $ROOT/build)
#	$PROGRAM	what there has to be (default: $BUILD/loden)
#	SANDBOX_FREE=1	an agent may log what its sandbox refuses
#	KEEP=1		on failure, a shell inside the sandbox before it goes away
#
# Exit: 0 passed, 1 failed (wanted and was are printed), 77 skipped (with the reason).
set -eu

ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$(cd "$BUILD" && pwd) ;; esac
ETCD_URL=http://192.168.77.254:2379
export ROOT BUILD

skip() {
	echo "skip: $*"
	exit 77
}

if [ -z "${LODEN_SANDBOX:-}" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root (network namespaces)"
	PROGRAM=${PROGRAM:-$BUILD/loden}
	[ -x "$PROGRAM" ] || skip "no $PROGRAM: run ./dev build"
	unshare --mount true 2>/dev/null || {
		echo "FAIL: no mount namespace to be had. In a plain chroot / is no mount point: leave it,"
		echo "mount --bind DIRECTORY DIRECTORY, and enter it again"
		exit 1
	}
	LODEN_SANDBOX=1 PATH=$BUILD:$PATH exec unshare --mount --net --pid --uts --fork \
		--kill-child --mount-proc -- sh "$0" "$@"
fi

# As process 1 we would ignore these.
trap 'exit 130' INT TERM HUP
trap 'ended_ $?' EXIT

T=/mnt/t
mount -t tmpfs tmpfs /mnt
mount -t tmpfs tmpfs /run
mkdir "$T" /run/netns
hostname sandbox
ip link set lo up
# A MAC of its own: that of its lowest port would go with its node, and others would talk to nobody for
# half a minute.
ip link add sw address 02:fe:00:00:00:fe type bridge forward_delay 0
ip link set sw up
ip addr add 192.168.77.254/24 dev sw

# --- saying what happened -------------------------------------------------------------------------

ended_() {
	# Not kubelet's, which has a source file of that name.
	if [ "$1" = 0 ] && grep -q '[ "]sandbox\.[a-z]' "$T"/*.log 2>/dev/null && [ -z "${SANDBOX_FREE:-}" ]; then
		echo "FAIL: an agent made a system call that no source names (src/agent/confine.h):"
		grep -h '[ "]sandbox\.[a-z]' "$T"/*.log
		set -- 1
	fi
	# 130: somebody wanted no more of it.
	[ "$1" = 0 ] || [ "$1" = 77 ] || [ "$1" = 130 ] || failed_
	exit "$1"
}

failed_() {
	for log_ in "$T"/*.log; do
		[ -s "$log_" ] || continue
		echo "--- last lines of ${log_##*/}"
		tail -n 15 "$log_"
	done
	if [ -n "${KEEP:-}" ] && [ -t 0 ]; then
		echo "--- shell inside the sandbox; nodes: $(cd "$T" && ls -- *.node 2>/dev/null)"
		sh -i || :
	fi
	echo "run again: BUILD=$BUILD sh $0"
}

fail() {
	echo "FAIL: $*"
	exit 1
}

pass() {
	echo "ok: $*"
}

# want_eq WHAT WANTED WAS
want_eq() {
	[ "$2" = "$3" ] || fail "$1
  wanted: $2
  was:    $3"
	pass "$1"
}

# want_match WHAT REGEX WAS: extended regular expression, any line.
want_match() {
	printf '%s\n' "$3" | grep -Eq -- "$2" || fail "$1
  wanted: a line matching $2
  was:    $3"
	pass "$1"
}

# want_no_match WHAT REGEX WAS
want_no_match() {
	! printf '%s\n' "$3" | grep -Eq -- "$2" || fail "$1
  wanted: no line matching $2
  was:    $3"
	pass "$1"
}

# want_exit WHAT CODE COMMAND…: its output is left in $out
want_exit() {
	what_=$1 code_=$2 was_=0
	shift 2
	out=$("$@" 2>&1) || was_=$?
	[ "$was_" = "$code_" ] || fail "$what_
  wanted: exit $code_
  was:    exit $was_ of: $*
  output: $out"
	pass "$what_"
}

# wait_for SECONDS WHAT COMMAND…: until it succeeds; looks every 50 ms. The seconds are ample on a quiet
# machine; a busy one gets four times as many: speed is what benches show, here only its end counts.
wait_for() {
	end_ms_=$(($(date +%s%3N) + $1 * 4000)) what_=$2
	shift 2
	until "$@" >"$T/wait.out" 2>&1; do
		[ "$(date +%s%3N)" -lt "$end_ms_" ] || fail "$what_
  wanted: success of: $*
  was:    $(cat "$T/wait.out")"
		sleep 0.05
	done
	pass "$what_"
}

# quiet COMMAND…: no output, only its exit code.
quiet() {
	"$@" >/dev/null 2>&1
}

# --- nodes ----------------------------------------------------------------------------------------

# node_add NAME [LAST_BYTE]: 192.168.77.LAST_BYTE on eth0 (default: 1, 2, … in order of creation).
node_add() {
	n_=$(find "$T" -name '*.node' | wc -l)
	byte_=${2:-$((n_ + 1))}
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --net --mount --uts sh -c '
		mount -t sysfs sysfs /sys
		mount -t tmpfs tmpfs /run && mkdir /run/netns
		mount -t tmpfs tmpfs /var/lib
		[ ! -d /etc/cni ] || mount -t tmpfs tmpfs /etc/cni
		hostname "$1"
		touch "$2"
		cd /
		exec sleep infinity' node "$1" "$T/$1.up" >/dev/null 2>&1 &
	echo $! >"$T/$1.node"
	until [ -e "$T/$1.up" ]; do sleep 0.01; done
	ip link add "sw-$1" type veth peer name eth0 netns "$(cat "$T/$1.node")"
	ip link set "sw-$1" master sw up
	on "$1" ip link set lo up
	on "$1" ip link set eth0 up
	on "$1" ip addr add "192.168.77.$byte_/24" dev eth0
	on "$1" ip route add default via 192.168.77.254
}

# The machine is gone: its namespaces and every process in them.
node_del() {
	agent_kill "$1"
	kill -KILL "$(cat "$T/$1.node")"
	quiet ip link del "sw-$1" || : # it goes with the namespace, perhaps already
	rm -f "$T/$1.node" "$T/$1.up"
}

# on NODE COMMAND…: in its namespaces, root directory as working directory.
on() {
	pid_=$(cat "$T/$1.node")
	shift
	nsenter --target "$pid_" --net --mount --uts --root --wd -- "$@"
}

# http PATH PORT [NODE]: status line and body of what the node (default: a) answers on loopback; there is no curl
http() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	on "${3:-a}" bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$2"
		printf "GET %s HTTP/1.1\r\nHost: x\r\n\r\n" "$1" >&3; tr -d "\r" <&3' http "$1" "$2" |
		sed -n '1p;$p' | paste -sd ' '
}

# on_bg NODE NAME COMMAND…: in the background; output in $T/NAME.log, process id in $T/NAME.pid
on_bg() {
	pid_=$(cat "$T/$1.node") name_=$2
	shift 2
	nsenter --target "$pid_" --net --mount --uts --root --wd -- "$@" >>"$T/$name_.log" 2>&1 &
	echo $! >"$T/$name_.pid"
}

# pid_of NAME: of what on_bg, agent_start ("agent-NODE") or etcd_start ("etcd") started.
pid_of() {
	cat "$T/$1.pid"
}

# has_begun_ PID: it runs a program. Before that it is a copy of this shell, whose handler takes a signal, and nobody hears
# of it; a function in the background stays one, so not for longer than a second.
has_begun_() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(readlink "/proc/$1/exe")" = "$(readlink /proc/$$/exe)" ] || return 0
		sleep 0.1
	done
}

# stop NAME [SIGNAL]: ends it and waits; its exit code is left in $code. Fine if it does not run. Not in a
# subshell, which cannot wait for what it did not start.
# shellcheck disable=SC2034 # for the test
stop() {
	code=0
	[ -e "$T/$1.pid" ] || return 0
	has_begun_ "$(cat "$T/$1.pid")"
	quiet kill "-${2:-TERM}" "$(cat "$T/$1.pid")" || :
	wait "$(cat "$T/$1.pid")" 2>/dev/null || code=$?
	rm -f "$T/$1.pid"
}

# ping_stop NAME: ends a `ping` that on_bg began, once it still has answers. How many questions before the last answer
# had none is left in $lost: those behind it may be under way.
ping_stop() {
	answers_=$(grep -c 'bytes from' "$T/$1.log" || :)
	wait_for 20 "$1: there are answers" more_answers_ "$1" "$answers_"
	stop "$1" INT
	# shellcheck disable=SC2034 # for the test
	lost=$(awk 'match($0, /icmp_seq=[0-9]+/) && / bytes from / {
			seq = substr($0, RSTART + 9, RLENGTH - 9) + 65536 * round
			if (seq < last - 30000) { round++; seq += 65536 }
			if (seq > last) last = seq
			n += !seen[seq]++
		}
		END { print last - n }' "$T/$1.log")
}

more_answers_() {
	[ "$(grep -c 'bytes from' "$T/$1.log")" -gt "$2" ]
}

# cpu_ms NAME: processor time used so far by what on_bg, agent_start ("agent-NODE") or etcd_start began.
cpu_ms() {
	# proc(5): behind the name, which may hold anything, utime and stime are the 12th and 13th; in 1/100 s.
	sed 's/.*) //' "/proc/$(pid_of "$1")/stat" | awk '{ print ($12 + $13) * 10 }'
}

# want_calm WHAT NAME SECONDS MAX_MS: in so many seconds from now it uses no more than that.
want_calm() {
	cpu_before_=$(cpu_ms "$2")
	sleep "$3"
	cpu_used_=$(($(cpu_ms "$2") - cpu_before_))
	[ "$cpu_used_" -le "$4" ] || fail "$1
  wanted: at most $4 ms of processor time in $3 s
  was:    $cpu_used_ ms"
	pass "$1 ($cpu_used_ ms of processor time in $3 s)"
}
# --- agents ---------------------------------------------------------------------------------------

# agent_start NODE [FLAG…]: log in $T/agent-NODE.log
agent_start() {
	node_=$1
	shift
	on_bg "$node_" "agent-$node_" loden agent --etcd-endpoints="$ETCD_URL" "$@"
}

agent_stop() {
	stop "agent-$1" TERM
}

agent_kill() {
	stop "agent-$1" KILL
}

# agent_says CODE NODE [FLAG…]: does `loden status` end with it? 0 ready, 1 not ready, 2 no agent.
agent_says() {
	says_=$1 was_says_=0 node_=$2
	shift 2
	on "$node_" loden status "$@" || was_says_=$?
	[ "$was_says_" = "$says_" ]
}

# works NODE ipv4|ipv6: does the status say so of this family?
works() {
	[ "$(fact "$1" ".families.$2.works")" = true ]
}

# lacks NODE ipv4|ipv6 REGEX: is that why it does not?
lacks() {
	fact "$1" ".families.$2.problem" | grep -Eq -- "$3"
}

agent_log() {
	cat "$T/agent-$1.log"
}

# fact NODE FILTER: what a filter of jq makes of its status, ready or not
fact() {
	on "$1" loden status --json | jq -r "$2"
}

# problem_is NODE REGEX: is that in the cause why it is not ready, or not quite?
problem_is() {
	fact "$1" .problem | grep -Eq -- "$2"
}

# has_route NODE SUBNET: of ours, through the overlay
has_route() {
	[ -n "$(on "$1" ip route show "$2" proto 102 dev flannel.1)" ]
}

# settled NODE: ready, by what the source says now and not by what was on disk, and nothing is left to do. An
# agent that is ready from disk has yet to remove what is not wanted any more.
settled() {
	[ "$(fact "$1" '.ready and .source.up and .from_disk_of == null and .generation == .verified_generation')" = true ]
}

# --- etcd -----------------------------------------------------------------------------------------

# etcd_start: with $ETCD_FLAGS, if set; keeps its data over etcd_stop.
etcd_start() {
	command -v etcd >/dev/null || skip "no etcd: install etcd-server"
	# shellcheck disable=SC2086 # several words
	etcd --name test --data-dir "$T/etcd" --listen-client-urls http://0.0.0.0:2379 \
		--advertise-client-urls "$ETCD_URL" --listen-peer-urls http://127.0.0.1:2380 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 \
		--initial-cluster test=http://127.0.0.1:2380 --log-outputs stderr --max-txn-ops 1000 \
		${ETCD_FLAGS:-} >>"$T/etcd.log" 2>&1 &
	echo $! >"$T/etcd.pid"
	wait_for 15 'etcd answers' etcdctl_ endpoint health
}

etcd_stop() {
	stop etcd "${1:-TERM}"
}

etcdctl_() {
	ETCDCTL_API=3 etcdctl --endpoints="$ETCD_URL" --command-timeout=10s "$@"
}

# etcd_conf JSON: the network's configuration.
etcd_conf() {
	etcdctl_ put /coreos.com/network/config "$1" >/dev/null
}

# etcd_peer SUBNET PUBLIC_IP MAC: a node that is not there, without TTL.
etcd_peer() {
	etcdctl_ put "/coreos.com/network/subnets/$(echo "$1" | tr / -)" \
		"{\"PublicIP\":\"$2\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"$3\"}}" \
		>/dev/null
}

# etcd_many_peers: 5,000 nodes that are not there, 10.1.0.0/24 to 10.20.249.0/24
etcd_many_peers() {
	etcd_thousands 0 1 2 3 4
}

# etcd_thousands N…: a thousand each, in one transaction
etcd_thousands() {
	for thousand_; do
		awk -v from="${thousand_}000" 'BEGIN {
			print ""
			for (j = from; j < from + 1000; j++)
				printf "put /coreos.com/network/subnets/10.%d.%d.0-24 {\"PublicIP\":\"172.16.%d.%d\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:%02x:%02x\"}}\n", \
					1 + int(j / 250), j % 250, int(j / 250), j % 250, int(j / 250), j % 250
			print "\n"
		}' | etcdctl_ txn >/dev/null
	done
}

# etcd_peer6 SUBNET PUBLIC_IP MAC SUBNET6 PUBLIC_IP6 MAC6: one of both families.
etcd_peer6() {
	etcdctl_ put "/coreos.com/network/subnets/$(echo "$1&$4" | tr / -)" \
		"{\"PublicIP\":\"$2\",\"PublicIPv6\":\"$5\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"$3\"},\"BackendV6Data\":{\"VNI\":1,\"VtepMAC\":\"$6\"}}" \
		>/dev/null
}
