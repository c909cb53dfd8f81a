#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `loden uninstall`: all of ours goes, nothing of others', and a second time is as good as the first. (S3-07)
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"

# What a node's kernel and files hold, without counters and what changes by itself (link-local addresses
# come when their links are ready).
state_of() {
	on "$1" sh -c 'ip -o link | sed "s/ state [A-Z]* .*//"; ip -o addr show scope global
		ip route show table all | grep -v "fe80::\|^multicast\|^anycast"; ip neigh show nud permanent; ip nexthop
		nft -s list ruleset; find /run/loden /run/flannel /var/lib/loden 2>/dev/null | sort
		:'
}

node_add a
on a sh -c 'ip link add foreign type veth peer name foreign2; ip link set foreign2 up; ip link set foreign up; ip addr add 10.99.0.1/24 dev foreign
	ip route add 10.98.0.0/16 via 10.99.0.9; ip neigh add 10.99.0.9 lladdr 02:aa:00:00:00:01 dev foreign
	ip nexthop add id 77 via 10.99.0.9 dev foreign
	ip link add flannel.7 type vxlan id 7 dstport 8477
	nft add table ip theirs; nft add chain ip theirs c "{ type filter hook input priority 0; }"
	iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -s 10.97.0.0/16 -j ACCEPT; mkdir -p /run/flannel'
before=$(state_of a)

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
for n in 5 6 7 8 9; do etcd_peer "10.244.$n.0/24" "192.168.77.$n" "02:00:00:00:00:0$n"; done
agent_start a --ip-masq --ip-blackhole-route --spread-threshold=2
wait_for 10 'ready' on a loden status
want_match 'flannel.1 is there' flannel.1 "$(on a ip link)"
want_match 'routes have scopes' '10\.244\.5\.0/24 .*scope [0-9]+' "$(on a ip route show proto 102)"
want_match 'the accepts are there' 10.244.0.0/16 "$(on a nft list chain ip filter FORWARD)"
agent_stop a
# As earlier versions made them: 0x4c000000 + the low bits of the subnet.
on a ip nexthop add id 1291060480 via 10.244.5.0 dev flannel.1 onlink proto 102

want_exit 'uninstall' 0 on a loden uninstall
want_match 'says what went' '^removed +link flannel.1' "$out"
want_match 'says what is not ours' '^left +link flannel.7: not marked as ours' "$out"
want_eq 'all of ours went, nothing of others' "$before" "$(state_of a)"
want_exit 'once more' 0 on a loden uninstall
want_no_match 'there is nothing left to remove' '^removed' "$out"
want_eq 'and nothing changed' "$before" "$(state_of a)"

# A bridge with a pod on it stays, and so does its address.
agent_start a
wait_for 10 'ready' on a loden status
on a sh -c 'ip netns add pod; ip link add veth0 type veth peer name eth0 netns pod; ip link set veth0 master cni0 up'
agent_stop a
on a ip link set flannel.1 down
on a ip link set flannel.1 name renamed
want_exit 'uninstall with a pod' 0 on a loden uninstall
want_match 'keeps the bridge' '^left +bridge cni0 and its address: 1 pods' "$out"
want_match 'its address, too' '10\.244\.[0-9]+\.1/24' "$(on a ip addr show cni0)"
want_no_match 'but not our mark on it' alias "$(on a ip link show cni0)"
want_no_match 'flannel.1 went, under whatever name' 'flannel\.1:|renamed' "$(on a ip link)"
want_exit 'uninstall --all: too late' 0 on a loden uninstall --all
want_match 'says so' '^left +bridge cni0: not marked as ours' "$out"
agent_start a
wait_for 10 'ready' on a loden status
agent_stop a
want_exit 'uninstall --all' 0 on a loden uninstall --all
want_match 'takes it' '^removed +link cni0' "$out"
want_no_match 'it is gone' cni0 "$(on a ip link)"

# The lease stays in etcd, unless --lease gives it back; etcd is found by what the agent wrote down.
leases() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ --keys-only | grep . | sort
}

ours() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 '"PublicIP":"192.168.77.1"' | head -n 1
}

agent_start a --public-ip=192.168.77.1
wait_for 10 'ready' on a loden status
key=$(ours)
want_match 'has a lease' '^/coreos.com/network/subnets/10\.244\.' "$key"
want_exit 'uninstall --lease while the agent runs' 1 on a loden uninstall --lease
want_match 'says so' 'stop the agent first' "$out"
want_eq 'and does nothing' "$key" "$(ours)"
agent_stop a
want_exit 'uninstall' 0 on a loden uninstall
want_match 'tells of the lease' "^left +lease ${key##*/}: it ends by itself; --lease gives it back" "$out"
want_match 'and how to remove it' "etcdctl --endpoints=$ETCD_URL del '$key'\$" "$out"
want_eq 'it stays' "$key" "$(ours)"
want_exit 'too late' 0 on a loden uninstall --lease
want_match 'says so' '^none +lease: no agent left word of one in /var/lib/loden' "$out"

agent_start a --public-ip=192.168.77.1
wait_for 10 'ready' on a loden status
want_eq 'the same lease again' "$key" "$(ours)"
agent_stop a
peers=$(leases | grep -v "^$key\$")
etcd_stop TERM
want_exit 'uninstall --lease without etcd' 1 on a loden uninstall --lease
want_match 'says why not' "^FAILED +lease ${key##*/}: etcd: 192.168.77.254:2379: connection refused" "$out"
want_match 'and how to do it by hand' "etcdctl --endpoints=$ETCD_URL del '$key'\$" "$out"
want_match 'the rest goes' '^removed +link flannel.1' "$out"
want_no_match 'it is gone' 'flannel\.1:' "$(on a ip link)"
want_eq 'word of the lease stays, for a shell, too' "${key##*/} 192.168.77.1 $ETCD_URL" \
	"$(on a sh -euc '. /var/lib/loden/lease.env; echo "$LEASE $PUBLIC_IP $FLANNELD_ETCD_ENDPOINTS"')"
etcd_start
on a cp /var/lib/loden/lease.env /tmp/lease.env
want_exit 'with a variable that leads elsewhere' 0 on a env FLANNELD_ETCD_PREFIX=/other loden uninstall --lease
want_match 'the variable counts' "^none +lease ${key##*/}: no longer in etcd" "$out"
on a sh -c 'mkdir -p /var/lib/loden; mv /tmp/lease.env /var/lib/loden'
want_exit 'once more, with etcd' 0 on a loden uninstall --lease
want_match 'gives it back' "^removed +lease ${key##*/}\$" "$out"
want_eq 'the key is gone, no other' "$peers" "$(leases)"
want_eq 'nothing is left on the node' '' "$(on a find /run/loden /var/lib/loden 2>/dev/null)"

# Whose it is now counts, not whose it was.
agent_start a --public-ip=192.168.77.1
wait_for 10 'ready' on a loden status
key=$(ours)
agent_stop a
value=$(etcdctl_ get "$key" --print-value-only)
etcdctl_ put "$key" "$(echo "$value" | sed 's/192.168.77.1"/192.168.77.99"/')" >/dev/null
on a cp /var/lib/loden/lease.env /tmp/lease.env
want_exit 'somebody else has it now' 0 on a loden uninstall --lease
want_match 'says who' "^left +lease ${key##*/}: not ours any more: 192.168.77.99 holds it" "$out"
want_match 'it stays' "$key" "$(leases)"
etcdctl_ put "$key" "$value" >/dev/null
on a sh -c 'mkdir -p /var/lib/loden; mv /tmp/lease.env /var/lib/loden'
want_exit 'it is a reservation now' 0 on a loden uninstall --lease
want_match 'says so' "^left +lease ${key##*/}: a reservation" "$out"
want_match 'it stays' "$key" "$(leases)"
