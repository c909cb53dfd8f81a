#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 360
# Somebody makes 10,000 changes a second to routes and neighbours of his own, so that notifications are lost
# (ENOBUFS) and lists change while they are read (NLM_F_DUMP_INTR): the agent repairs ours all the while, and
# has verified everything when it is over. How soon, and what it costs, shows the bench: at most a fifth of a core.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for i in $(seq 0 99); do etcd_peer "10.244.$i.0/24" "192.168.77.$((i + 100))" "02:00:00:00:00:$(printf %02x "$i")"; done
node_add a
on a ip link add lab0 type veth peer name lab1
on a ip link set lab1 up
on a ip link set lab0 up
on a ip addr add 10.77.0.1/16 dev lab0
agent_start a
wait_for 15 'ready' on a loden status
routes_are() { [ "$(on a ip route show proto 102 | grep -c flannel.1)" = "$1" ]; }
verified() { [ "$(fact a '[.ready, .verified_generation == .generation, .peers_verified == 100] | all')" = true ]; }
wait_for 5 'verified' verified

# How many messages the kernel could not queue for the agent: each time it was told ENOBUFS.
overruns() {
	inodes_=$(find "/proc/$(pid_of agent-a)/fd" -lname 'socket:*' -printf '%l ' | tr -dc '0-9 ')
	on a cat /proc/net/netlink | awk -v ours=" $inodes_" 'index(ours, " " $10 " ") { n += $9 } END { print n + 0 }'
}

# storm NAME LINES: a file of 1,000 changes, ten times a second through one process.
storm() {
	mkfifo "$T/$1.fifo"
	(while :; do
		cat "$T/$2"
		sleep 0.1
	done) >"$T/$1.fifo" 2>/dev/null &
	on_bg a "$1" ip -force -batch "$T/$1.fifo"
}
seq 0 249 | awk '{
	printf "route add 10.88.%d.0/24 via 10.77.0.2 dev lab0\nneigh replace 10.77.1.%d lladdr 02:77:00:00:00:01 dev lab0 nud permanent\n", $1, $1
	undo = undo sprintf("route del 10.88.%d.0/24\nneigh del 10.77.1.%d dev lab0\n", $1, $1)
} END { printf "%s", undo }' >"$T/changes"
want_eq 'a thousand changes' 1000 "$(wc -l <"$T/changes")"

storm storm changes
sleep 1
on a ip monitor route neigh >"$T/seen" 2>/dev/null &
seen=$!
before=$(cpu_ms agent-a) start=$(date +%s%3N)
sleep 5
changes() { grep -c lab0 "$T/seen" || :; }
is_a_storm() { [ "$(changes)" -ge 20000 ]; }
wait_for 10 'twenty thousand changes' is_a_storm
used=$(($(cpu_ms agent-a) - before)) took=$(($(date +%s%3N) - start))
kill "$seen"
echo "$(($(changes) * 1000 / took)) changes a second; the agent took $((used * 100 / took)) % of a core"
[ $((used * 5)) -le "$took" ] || fail "the agent took $used ms of processor time in $took ms"
pass 'at most a fifth of a core'
on a ip route del 10.244.7.0/24
wait_for 2 'ours is repaired meanwhile' routes_are 100

echo '--- the agent cannot listen until more is lost than its queue holds'
lost=$(overruns)
kill -STOP "$(pid_of agent-a)"
is_more() { [ "$(overruns)" -gt "$lost" ]; }
wait_for 30 'messages are lost' is_more
on a ip route del 10.244.8.0/24
kill -CONT "$(pid_of agent-a)"
wait_for 5 'it looks at everything' routes_are 100
stop storm KILL
on a ip route del 10.244.9.0/24
wait_for 5 'all routes are back after it ends' routes_are 100
wait_for 5 'and verified' verified
echo "$(($(overruns) - lost)) messages were lost"

echo '--- addresses and nexthop objects of others, whose lists tell that they change while they are read'
seq 2 251 | awk '{
	printf "addr add 10.79.0.%d/32 dev lab0\nnexthop replace id %d via 10.77.0.2 dev lab0\n", $1, 1000 + $1
	undo = undo sprintf("addr del 10.79.0.%d/32 dev lab0\nnexthop del id %d\n", $1, 1000 + $1)
} END { printf "%s", undo }' >"$T/changes6"
storm storm6 changes6
sleep 1
before=$(cpu_ms agent-a)
sleep 5
used=$(($(cpu_ms agent-a) - before))
echo "the agent took $((used / 50)) % of a core"
[ "$used" -le 2000 ] || fail "the agent took $used ms of processor time in 5 s"
on a ip route del 10.244.7.0/24
wait_for 4 'ours is repaired meanwhile' routes_are 100
stop storm6 KILL
wait_for 2 'verified after it ends' verified
want_calm 'the agent is calm' agent-a 4 150
