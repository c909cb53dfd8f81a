#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# DirectRouting with two segments and a router between: peers on the own segment are reached without the overlay,
# the others through it; whoever moves is served the other way at once, and no ping is lost where the network itself
# loses none. Reverse path filtering is strict on all nodes.
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/../netns/lib.sh"

pod_add() { # NODE POD
	on "$1" ip netns add "$2"
	on "$1" ip -n "$2" link set lo up
	echo '{"cniVersion":"1.0.0","name":"cbr0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}' |
		on "$1" env CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
			CNI_PATH="$BUILD/cni" "$BUILD/cni/flannel" >"$T/$2.json"
	jq -r '.ips[0].address | split("/")[0]' "$T/$2.json" >"$T/$2.ip"
}

# moved NODE SWITCH ADDRESS GATEWAY: the machine is plugged in elsewhere, and gets another address there.
moved() {
	ip link set "sw-$1" master "$2"
	on "$1" sh -c "ip addr flush dev eth0; ip addr add $3/24 dev eth0; ip route add default via $4"
}

in_pod() { # POD COMMAND…
	pod_=$1
	shift
	on "${pod_%?}" ip netns exec "$pod_" "$@"
}

pings() { # POD POD
	in_pod "$1" ping -qnc 1 -W 1 "$(cat "$T/$2.ip")"
}

all_ping() { # WHAT
	for from in a1 b1 c1; do
		for to in a1 b1 c1; do
			[ $from = $to ] || wait_for 10 "$1: $from reaches $to" pings $from $to
		done
	done
}

# way NODE NODE: how the first reaches the second's pods.
way() {
	on "$1" ip route show "$(on "$2" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%.*}.0/24')" |
		sed 's/^[^ ]* //; s/ *$//'
}
is_direct() { # NODE NODE
	case $(way "$1" "$2") in "via 192.168."*" dev eth0 proto 102") ;; *) return 1 ;; esac
}
is_overlaid() { # NODE NODE
	case $(way "$1" "$2") in *" dev flannel.1 proto 102 onlink") ;; *) return 1 ;; esac
}

# encapsulated POD POD: does the first one's ping go through the overlay?
encapsulated() {
	was=$(on "${1%?}" cat /sys/class/net/flannel.1/statistics/tx_packets)
	pings "$1" "$2" >/dev/null
	[ "$(on "${1%?}" cat /sys/class/net/flannel.1/statistics/tx_packets)" != "$was" ]
}

# A second segment; the sandbox is the router.
ip link add sw2 type bridge forward_delay 0
ip link set sw2 up
ip addr add 192.168.78.254/24 dev sw2
echo 1 >/proc/sys/net/ipv4/ip_forward

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","DirectRouting":true}}'
for n in a b c; do
	node_add "$n"
	on "$n" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
done
moved c sw2 192.168.78.3 192.168.78.254
for n in a b c; do agent_start "$n" --ip-masq; done
for n in a b c; do
	wait_for 10 "$n is ready" on "$n" loden status
	pod_add "$n" "${n}1"
done
wait_for 5 'a knows both' is_direct a b
wait_for 5 'c knows both' is_overlaid c b
all_ping 'at the start'
want_eq 'the segment: as flannel writes it, but for our mark' 'via 192.168.77.2 dev eth0 proto 102' "$(way a b)"
want_match 'beyond the router: the overlay' 'dev flannel.1 proto 102 onlink' "$(way a c)"
want_eq 'a direct peer has no neighbour and no FDB entry' '1 1' \
	"$(on a sh -c 'ip neigh show dev flannel.1 nud permanent | wc -l; bridge fdb show dev flannel.1 | grep -c dst' | xargs)"
want_exit 'a ping within the segment is not encapsulated' 1 encapsulated a1 b1
want_exit 'one beyond is' 0 encapsulated a1 c1

# Each way, a ping a 10 ms.
for i in a1:b1 b1:a1 a1:c1 c1:b1; do
	on_bg "${i%?:*}" "ping-$i" ip netns exec "${i%:*}" ping -ni 0.01 "$(cat "$T/${i#*:}.ip")"
done
sleep 0.3
for i in 1 2 3; do
	on a ip route add 192.168.77.2/32 via 192.168.77.254
	wait_for 3 "$i: b is behind the router for a: by the overlay; b judges for itself" is_overlaid a b
	want_eq "$i: b's view of a" 'via 192.168.77.1 dev eth0 proto 102' "$(way b a)"
	sleep 0.2
	on a ip route del 192.168.77.2/32
	wait_for 3 "$i: and on the segment again" is_direct a b
	sleep 0.2
	on b ip route add 192.168.77.0/25 via 192.168.77.254
	wait_for 3 "$i: half of b's network is behind the router" is_overlaid b a
	want_eq "$i: a's view of b" 'via 192.168.77.2 dev eth0 proto 102' "$(way a b)"
	sleep 0.2
	on b ip route del 192.168.77.0/25
	wait_for 3 "$i: and no longer" is_direct b a
	sleep 0.2
done
for i in a1:b1 b1:a1 a1:c1 c1:b1; do
	ping_stop "ping-$i"
	want_eq "$i: lost of $(awk '/packets transmitted/ { print $1 }' "$T/ping-$i.log") pings" 0 "$lost"
done

# The uplink goes and comes: direct routes go with it, and nobody tells.
on a ip link set eth0 down
wait_for 5 'a says so' agent_says 1 a
on a ip link set eth0 up
on a ip route replace default via 192.168.77.254
wait_for 10 'a is ready again' on a loden status
wait_for 3 'and b direct' is_direct a b
all_ping 'after the flap'

# A machine moves to the other segment, with another address, and back.
moved b sw2 192.168.78.2 192.168.78.254
wait_for 90 'b moved: a reaches it by the overlay' is_overlaid a b
wait_for 60 'c directly' is_direct c b
wait_for 10 'b judges alike' is_direct b c
wait_for 10 'b judges alike of a' is_overlaid b a
all_ping 'b beyond the router'
moved b sw 192.168.77.2 192.168.77.254
wait_for 90 'b is back: a reaches it directly' is_direct a b
wait_for 10 'c by the overlay' is_overlaid c b
all_ping 'b back on its segment'

# The setting goes, and comes back.
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 20 'without DirectRouting: the overlay' is_overlaid a b
all_ping 'without DirectRouting'
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","DirectRouting":true}}'
wait_for 20 'with it again' is_direct a b
for n in a b c; do wait_for 5 "$n: the kernel equals the plan" on "$n" loden plan; done
on a loden uninstall >/dev/null 2>&1 || :
