#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# What flannel's own functional and end-to-end tests ask of vxlan with nf_tables rules, asked of flanneld (f) and two
# Lodens (l, m): flags as they give them, pings, a stream, a pod made anew, restarts under load, services across nodes,
# two networks on each host. (docs/flannel-tests.md)
# shellcheck disable=SC2119,SC2016
. "$(dirname "$0")/flannel.sh"
. "$(dirname "$0")/certs.sh"
command -v perl >/dev/null || skip 'no perl, which takes the stream'

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
n=0
for i in f l m; do
	n=$((n + 1))
	node_add $i $n
done

has_env() {
	on "$1" grep -q '^FLANNEL_SUBNET=' /run/flannel/subnet.env
}

# address NODE: of its own in the network, as subnet.env says
address() {
	on "$1" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}'
}

echo '--- -v 10, plain http with certificates given, on a link of its own the address of subnet.env'
ca ca
cert client ca /CN=flannel extendedKeyUsage=clientAuth
set -- -v 10 -ip-masq "-etcd-cafile=$C/ca.pem" "-etcd-certfile=$C/client.pem" "-etcd-keyfile=$C/client.key"
flanneld_start f "$@"
for i in l m; do agent_start $i "$@"; done
for i in f l m; do wait_for 30 "$i: subnet.env" has_env $i; done
for i in f l m; do
	on $i sh -c '. /run/flannel/subnet.env; ip link add dummy0 type bridge; ip addr add $FLANNEL_SUBNET dev dummy0; ip link set dummy0 up'
done
for way in f:l l:f l:m m:l f:m m:f; do
	wait_for 30 "hosts ping: $way" on ${way%:*} ping -qnc 3 -i 0.2 -W 2 -I "$(address ${way%:*})" "$(address ${way#*:})"
done
for i in f l m; do on $i ip link del dummy0; done
for i in l m; do wait_for 10 "$i is ready" on $i loden status; done

echo '--- pods'
for i in f l m; do pod_add $i ${i}1; done
for i in l1 m1; do wait_for 20 "$i reaches f1" pings $i f1; done
all_ping 'pod to pod' f1 l1 m1

# 32 MiB: each packet as large as can be, and a window of them.
head -c 33554432 /dev/urandom >"$T/bytes"
sum=$(sha256sum <"$T/bytes")
takes() {
	in_pod "$1" ss -Hltn sport = :5201 | grep -q .
}
# stream POD POD: all bytes of it arrive as they were.
stream() {
	rm -f "$T/sink.log"
	on_bg "${2%?}" sink ip netns exec "$2" sh -c 'perl -MIO::Socket::INET -e '\''
		my $c = IO::Socket::INET->new(LocalPort => 5201, Listen => 1, ReuseAddr => 1)->accept;
		print while read($c, $_, 65536)'\'' | sha256sum'
	wait_for 10 "$2 listens" takes "$2"
	in_pod "$1" timeout 120 bash -c 'cat "$1" >"/dev/tcp/$0/5201"' "$(cat "$T/$2.ip")" "$T/bytes" || fail "$1 to $2: the stream broke"
	wait_for 30 "a stream of 32 MiB from $1 to $2" grep -qxF -- "$sum" "$T/sink.log"
	stop sink
}
stream l1 m1
stream l1 f1
stream f1 l1

echo '--- a pod deleted and made anew'
pod_del l l1
! quiet in_pod m1 ping -qnc 1 -W 1 "$(cat "$T/l1.ip")" || fail 'a pod that is gone answers'
pod_add l l1
for way in m1:l1 l1:m1 f1:l1 l1:f1; do wait_for 60 "$way" pings ${way%:*} ${way#*:}; done

echo '--- restarts under load, in turn: asked to end, and killed'
for signal in TERM KILL; do
	outside_start
	nat_start l1
	ping_start l1 f1
	ping_start m1 l1
	sleep 1
	for i in l m; do
		env=$(on $i cat /run/flannel/subnet.env)
		stop "agent-$i" $signal
		agent_start $i "$@"
		wait_for 10 "$i is ready again" settled $i
		want_eq "$i keeps its subnet" "$env" "$(on $i cat /run/flannel/subnet.env)"
	done
	sleep 1
	ping_ended "SIG$signal" l1
	ping_ended "SIG$signal" m1
	nat_ended "SIG$signal" l1 192.168.77.2
done
all_ping 'after restarts' f1 l1 m1

echo '--- a service, its one pod on another node: kube-proxy of both modes'
on_bg m serve ip netns exec m1 "$BUILD/tests/netns/tcp_probe" serve 80
# asks NODE POD|- WANTED: whose address does the pod behind the service see?
asks() {
	case $2 in
	-) told=$(on "$1" "$BUILD/tests/netns/tcp_probe" ask 10.96.0.1 443) ;;
	*) told=$(in_pod "$2" "$BUILD/tests/netns/tcp_probe" ask 10.96.0.1 443) ;;
	esac
	echo "$told"
	[ "$told" = "$3" ]
}
for set in kube-proxy.nft kube-proxy.iptables; do
	sed "s/192\.168\.77\.254/$(cat "$T/m1.ip")/g; s/\b2379\b/80/g" "$ROOT/tests/netns/firewalls/$set" >"$T/$set"
	for i in f l m; do
		case $set in
		*.nft) on $i nft -f "$T/$set" ;;
		*) on $i iptables-nft-restore --noflush <"$T/$set" ;;
		esac
	done
	wait_for 20 "$set: from Loden to Loden" asks l l1 "$(cat "$T/l1.ip")"
	wait_for 20 "$set: from flanneld to Loden" asks f f1 "$(cat "$T/f1.ip")"
	wait_for 20 "$set: the pod asks its own service" asks m m1 "$(address m)"
	wait_for 20 "$set: from a node itself" asks l - "$(address l | sed 's/1$/0/')"
	for i in l m; do want_no_match "$set: $i has nothing to say" 'may drop' "$(on $i loden status)"; done
	want_eq "$set: where nothing is dropped FORWARD is left alone" '' "$(on l iptables-nft -S FORWARD 2>/dev/null | grep -i 'loden\|flannel' || :)"
	case $set in *.nft) for i in f l m; do on $i nft delete table ip kube-proxy; done ;; esac
done
stop serve

echo '--- two networks on each host, -subnet-file and -etcd-prefix: the second one without encapsulation'
etcdctl_ put /second/config '{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan","VNI":2,"Port":8473,"DirectRouting":true}}' >/dev/null
for i in l m; do
	on_bg $i "second-$i" loden agent --etcd-endpoints="$ETCD_URL" -etcd-prefix /second -subnet-file /run/second/subnet.env \
		--run-dir=/run/second --state-dir=/var/lib/second --bridge=cni1
done
for i in l m; do wait_for 15 "$i: the second is ready" on $i loden status --run-dir=/run/second; done
second=$(on m sh -c '. /run/second/subnet.env; echo ${FLANNEL_SUBNET%/*}')
wait_for 20 'the one network' on l ping -qnc 1 -W 1 "$(address m)"
wait_for 20 'the other one' on l ping -qnc 1 -W 1 "$second"
on m nft -f - <<'END'
table ip watch {
	chain in {
		type filter hook prerouting priority raw
		icmp type echo-request ip daddr 10.244.0.0/16 iifname "flannel.1" counter comment "overlay"
		icmp type echo-request ip daddr 10.200.0.0/16 iifname "eth0" counter comment "wire"
		icmp type echo-request ip daddr { 10.244.0.0/16, 10.200.0.0/16 } counter comment "all"
	}
}
END
for to in "$(address m)" "$second"; do on l ping -qnc 3 -i 0.2 -W 5 "$to" >/dev/null || fail "$to does not answer"; done
want_eq 'each network its own way' 'overlay 3, wire 3, all 6, ' \
	"$(on m nft list table ip watch | sed -n 's/.*counter packets \([0-9]*\) .*comment "\([a-z]*\)".*/\2 \1, /p' | tr -d '\n')"
for i in l m; do
	want_exit "$i: the kernel equals the plan" 0 on $i loden plan
	want_exit "$i: that of the second, too" 0 on $i loden plan --run-dir=/run/second
done
