#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 450
# What peers do while the agent runs, or does not, and flannel follows half or late: another subnet, one address of two,
# entries that are gone already, keys and values that are none, another gateway of a direct peer. Each time the kernel
# then holds what the leases say, and nothing else. (docs/flannel-tests.md)
# shellcheck disable=SC2119
. "$(dirname "$0")/lib.sh"

conf() { # DIRECT_ROUTING
	etcd_conf '{"Network":"10.244.0.0/16","SubnetMin":"10.244.100.0","EnableIPv6":true,"IPv6Network":"fd00:10:244::/56","IPv6SubnetMin":"fd00:10:244:80::","Backend":{"Type":"vxlan","DirectRouting":'"$1"'}}'
}

# peer N BYTE BYTE6 [MAC]: 10.244.N.0/24 and fd00:10:244:N::/64 at 192.168.77.BYTE and fd77::BYTE6
peer() {
	etcdctl_ put "/coreos.com/network/subnets/10.244.$1.0-24&fd00:10:244:$1::-64" \
		"{\"PublicIP\":\"192.168.77.$2\",\"PublicIPv6\":\"fd77::$3\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:${4:-0$1}\"},\"BackendV6Data\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:06:0$1\"}}" \
		>/dev/null
}

peer_gone() { # N
	etcdctl_ del "/coreos.com/network/subnets/10.244.$1.0-24&fd00:10:244:$1::-64" >/dev/null
}

# peers FAMILY: all that a has for peers, a line for each object
peers() {
	case $1 in 4) link=flannel.1 ;; 6) link=flannel-v6.1 ;; esac
	{
		on a ip "-$1" route show proto 102 type unicast | sed 's/ proto 102//; s/ metric 1024//; s/ pref medium//; s/^/route /'
		on a ip "-$1" neigh show dev "$link" nud permanent | sed 's/^/neigh /'
		on a bridge fdb show dev "$link" | sed 's/^/fdb /'
	} | sed 's/ *$//' | sort
}

# of N ADDRESS [MAC]: what a peer through the overlay takes
of4() {
	printf '%s\n' "fdb 02:00:00:00:00:${3:-0$1} dst 192.168.77.$2 self permanent" \
		"neigh 10.244.$1.0 lladdr 02:00:00:00:00:${3:-0$1} PERMANENT" \
		"route 10.244.$1.0/24 via 10.244.$1.0 dev flannel.1 onlink"
}

of6() {
	printf '%s\n' "fdb 02:00:00:00:06:0$1 dst fd77::$2 self permanent" \
		"neigh fe80::ff:fe00:60$1 lladdr 02:00:00:00:06:0$1 PERMANENT" \
		"route fd00:10:244:$1::/64 via fe80::ff:fe00:60$1 dev flannel-v6.1"
}

has() { # FAMILY FILE
	peers "$1" >"$T/peers.now"
	diff "$T/want$1" "$T/peers.now"
}

# follows WHAT <<objects of both families: that is what there is, and the status says so
follows() {
	sort >"$T/want"
	grep -v 'v6\|:06:\|fd00' "$T/want" >"$T/want4"
	grep 'v6\|:06:\|fd00' "$T/want" >"$T/want6"
	wait_for 10 "$1: IPv4" has 4
	wait_for 10 "$1: IPv6" has 6
	wait_for 10 "$1: ready" settled a
}

etcd_start
conf false
ip addr add fd77::fe/64 dev sw nodad
node_add a
on a ip addr add fd77::1/64 dev eth0 nodad
on a ip route add default via fd77::fe
for i in 1 2 3; do peer $i 10$i 10$i; done
agent_start a --ip-masq
wait_for 15 'ready' settled a
follows 'three peers' <<END
$(for i in 1 2 3; do of4 $i 10$i; of6 $i 10$i; done)
END

echo '--- a peer gets another subnet: the new one comes, what belonged to the old one goes'
peer 5 101 101 01
peer_gone 1
follows 'another subnet' <<END
$(of4 5 101 01; of6 5 101; for i in 2 3; do of4 $i 10$i; of6 $i 10$i; done)
END

echo '--- a peer of both families changes one of them'
peer 2 112 102
follows 'its IPv4 address alone' <<END
$(of4 5 101 01; of6 5 101; of4 2 112; of6 2 102; of4 3 103; of6 3 103)
END
peer 2 112 122
follows 'its IPv6 address alone' <<END
$(of4 5 101 01; of6 5 101; of4 2 112; of6 2 122; of4 3 103; of6 3 103)
END
peer 2 112 122 22
follows 'its IPv4 MAC alone' <<END
$(of4 5 101 01; of6 5 101; of4 2 112 22; of6 2 122; of4 3 103; of6 3 103)
END

echo '--- keys and values that are none: said, and nothing else; whoever comes behind them is followed'
for key in not-a-subnet 10.244.9.0 10.244.9.300-24 '10.244.9.0-24&fd00::'; do
	etcdctl_ put "/coreos.com/network/subnets/$key" '{"PublicIP":"192.168.77.109"}' >/dev/null
done
etcdctl_ put '/coreos.com/network/subnets/10.244.3.0-24&fd00:10:244:3::-64' '{"PublicIP":' >/dev/null
peer 4 104 104
follows 'malformed' <<END
$(of4 5 101 01; of6 5 101; of4 2 112 22; of6 2 122; for i in 3 4; do of4 $i 10$i; of6 $i 10$i; done)
END
want_match 'each key that is none is named' 'key "10.244.9.300-24"' "$(agent_log a)"
etcdctl_ del --prefix /coreos.com/network/subnets/10.244.9 >/dev/null
etcdctl_ del /coreos.com/network/subnets/not-a-subnet >/dev/null
peer 3 103 103

echo '--- a peer goes whose entries are gone already: no retries, whoever comes next is not kept waiting'
kill -STOP "$(pid_of agent-a)"
on a sh -c 'ip route del 10.244.4.0/24 && ip neigh del 10.244.4.0 dev flannel.1 &&
	bridge fdb del 02:00:00:00:00:04 dev flannel.1 dst 192.168.77.104 self
	ip -6 route del fd00:10:244:4::/64 && ip neigh del fe80::ff:fe00:604 dev flannel-v6.1 &&
	bridge fdb del 02:00:00:00:06:04 dev flannel-v6.1 dst fd77::104 self'
peer_gone 4
peer 6 106 106
kill -CONT "$(pid_of agent-a)"
follows 'gone already' <<END
$(of4 5 101 01; of6 5 101; of4 2 112 22; of6 2 122; for i in 3 6; do of4 $i 10$i; of6 $i 10$i; done)
END
want_no_match 'nothing failed' 'op\.failed|done without' "$(agent_log a)"

echo '--- a peer goes while the agent is down'
agent_stop a
peer_gone 6
agent_start a --ip-masq
follows 'collected at the next start' <<END
$(of4 5 101 01; of6 5 101; of4 2 112 22; of6 2 122; of4 3 103; of6 3 103)
END

echo '--- DirectRouting: a direct peer gets another address; one route remains, with the new gateway'
direct() { # N BYTE BYTE6
	printf '%s\n' "route 10.244.$1.0/24 via 192.168.77.$2 dev eth0" "route fd00:10:244:$1::/64 via fd77::$3 dev eth0"
}
conf true
follows 'direct' <<END
$(direct 5 101 101; direct 2 112 122; direct 3 103 103)
END
peer 3 113 103
follows 'another IPv4 gateway' <<END
$(direct 5 101 101; direct 2 112 122; direct 3 113 103)
END
peer 3 113 123
follows 'another IPv6 gateway' <<END
$(direct 5 101 101; direct 2 112 122; direct 3 113 123)
END
want_exit 'the kernel equals the plan' 0 on a loden plan
