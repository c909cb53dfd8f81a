#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 540
# The node: run and state directories full, read-only; 16 MiB of memory with 5,000 peers; stopped for
# 20 s. (S1-02, S1-05; issue rows "full disk" to "SIGSTOP".) Each time the agent stays, says what is wrong, and is
# well again without a restart.
. "$(dirname "$0")/lib.sh"

etcd_start
etcd_conf '{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}'
etcd_peer 10.200.1.0/24 192.168.77.201 02:00:00:00:00:c9
many_routes() { [ "$(on "$1" ip route show proto 102 dev flannel.1 | wc -l)" -gt 5000 ]; }
alive() { kill -0 "$(pid_of "agent-$1")" || fail "the agent of $1 has ended: $(agent_log "$1" | tail -n 3)"; }

# small NODE DIRECTORY…: file systems of 64 kB there
small() {
	n=$1
	shift
	for dir; do on "$n" sh -c "mkdir -p $dir && mount -t tmpfs -o size=64k small $dir"; done
}
full() { on "$1" sh -c "cat /dev/zero >$2/fill 2>/dev/null || :"; }

echo '--- full before the agent starts'
node_add a
small a /run/loden /run/flannel /var/lib/loden
for dir in /run/loden /run/flannel /var/lib/loden; do full a $dir; done
agent_start a --healthz-port=10256
wait_for 15 'subnet.env cannot be written: named' problem_is a 'envfile.add subnet.env .*: .*No space left on device'
wait_for 5 'the fabric works all the same' has_route a 10.200.1.0/24
want_eq 'not ready: pods would not get an address' 'HTTP/1.1 503 Service Unavailable flanneld is not ready yet' "$(http /readyz 10256 a)"
alive a
want_calm 'the agent is calm' agent-a 5 150
on a rm /run/flannel/fill /run/loden/fill /var/lib/loden/fill
wait_for 40 'room again: ready' on a loden status
want_match 'subnet.env' '^FLANNEL_MTU=1450$' "$(on a cat /run/flannel/subnet.env)"

echo '--- full while it runs, and somebody overwrites subnet.env'
full a /run/flannel
on a sh -c 'printf x >/run/flannel/subnet.env'
wait_for 10 'named' problem_is a 'subnet.env .*: .*No space left on device'
on a rm /run/flannel/fill
wait_for 40 'ready again' on a loden status
agent_stop a

echo '--- read-only'
node_add b
on b sh -c 'mkdir -p /run/flannel /run/loden /var/lib/loden && mount --bind /run/flannel /run/flannel && mount -o remount,bind,ro /run/flannel &&
	mount --bind /var/lib/loden /var/lib/loden && mount -o remount,bind,ro /var/lib/loden'
agent_start b
wait_for 15 'subnet.env cannot be written: named' problem_is b 'subnet.env .*: .*Read-only file system'
alive b
wait_for 5 'the fabric works all the same' has_route b 10.200.1.0/24
want_calm 'the agent is calm' agent-b 4 150
on b umount /run/flannel
wait_for 40 'writable again: ready' on b loden status
agent_stop b
on b sh -c 'mount --bind /run/loden /run/loden && mount -o remount,bind,ro /run/loden'
agent_start b
wait_for 5 'a read-only run directory is said' sh -c "grep -q '/run/loden.*Read-only file system' $T/agent-b.log"
sleep 1
alive b
wait_for 15 'and the fabric works' has_route b 10.200.1.0/24
agent_stop b

echo '--- stopped for 20 s, and changed meanwhile (a minute would show no more: no timer of ours lies between)'
node_add c
agent_start c
wait_for 15 'ready' on c loden status
kill -STOP "$(pid_of agent-c)"
on c ip route flush proto 102
on c ip link set flannel.1 down
etcd_peer 10.200.2.0/24 192.168.77.202 02:00:00:00:00:ca
etcdctl_ del /coreos.com/network/subnets/10.200.1.0-24 >/dev/null
sleep 20
kill -CONT "$(pid_of agent-c)"
back() { on c loden status && has_route c 10.200.2.0/24 && ! has_route c 10.200.1.0/24; }
wait_for 5 'all is well again, peers as they are now' back
want_calm 'the agent is calm' agent-c 3 100
agent_stop c

echo '--- 16 MiB of memory, 5,000 peers, a flap'
group=/sys/fs/cgroup/memory/loden-test-$$-$(date +%s)
limit=memory.limit_in_bytes
if [ ! -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
	group=/sys/fs/cgroup/loden-test-$$-$(date +%s) limit=memory.max
	grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || {
		echo 'no memory cgroup to be had here: the rest is left out'
		exit 0
	}
fi
etcd_many_peers
mkdir "$group"
ended_group() {
	stop agent-d KILL
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$group" 2>/dev/null && return
		sleep 0.2
	done
	echo "cannot remove $group"
}
trap 'code_=$?; ended_group; ended_ $code_' EXIT
echo $((16 << 20)) >"$group/$limit"
node_add d
# A node's own /sys hides the groups; the agent begins when it is in its own.
# shellcheck disable=SC2016 # expanded by the inner shell
on_bg d agent-d sh -c 'until [ -e "$1" ]; do sleep 0.05; done; exec loden agent --etcd-endpoints="$2"' sh "$T/in" "$ETCD_URL"
pid_of agent-d >"$group/cgroup.procs"
touch "$T/in"
wait_for 30 'more than 5,000 peers' many_routes d
wait_for 10 'ready' on d loden status
on d sh -c 'ip link set flannel.1 down; ip link set flannel.1 up'
wait_for 15 'all routes are back' many_routes d
wait_for 10 'ready' on d loden status
grep -E '^(VmHWM|RssAnon)' "/proc/$(pid_of agent-d)/status"
peak=$(cat "$group/memory.max_usage_in_bytes" 2>/dev/null || cat "$group/memory.peak" 2>/dev/null || echo 0)
echo "most of the group's memory in use: $((peak / 1024)) kB of 16384"
kills=$(cat "$group/memory.oom_control" "$group/memory.events" 2>/dev/null | sed -n 's/^oom_kill //p')
[ "$peak" -gt 1000 ] || fail 'the agent was not in the group'
want_eq 'nobody was killed for memory' 0 "$kills"
