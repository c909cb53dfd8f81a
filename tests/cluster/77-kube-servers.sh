#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Where a real API server is: learnt from itself, without a right, and of use where the service network does not work; by
# IPv6, as a service, as a URL, with a control plane of both families; and what is said of servers of HTTP/1.1.
# (S4-01)
# shellcheck disable=SC2034,SC2016 # of kube.sh; of what other shells expand
KUBE_API_FLAGS='--bind-address=:: --service-cluster-ip-range=10.96.0.0/16,fd00:96::/112'
. "$(dirname "$0")/kube.sh"
KUBE_SANS=$KUBE_SANS,IP:fd77::253,IP:fd00:96::1

SERVERS=/var/lib/loden/api-servers

# start SERVICE_HOST: as a pod
start() {
	NODE_NAME=a KUBERNETES_SERVICE_HOST=$1 KUBERNETES_SERVICE_PORT=443 on_bg a agent-a loden agent \
		--kube-subnet-mgr --net-config-path="$T/net-conf.json" --iface=eth0
}
# goes WHAT SERVICE_HOST SERVER (regex): it starts, by way of this
goes() {
	: >"$T/agent-a.log"
	start "$2"
	wait_for 60 "$1" settled a
	wait_for 20 'by' came_by "$3"
	agent_stop a
}
came_by() {
	grep -Eq "kube\.up server=$1" "$T/agent-a.log"
}
# goes_not WHAT SERVICE_HOST CAUSE (regex)
goes_not() {
	start "$2"
	wait_for 60 "$1" problem_is a "$3"
	echo "      $(fact a .problem)"
	agent_stop a
}
is_kept() {
	[ "$(on a cat $SERVERS 2>/dev/null)" = "$1" ]
}
n_asked_is() {
	[ "$(kube_asked "$KUBE_ACCOUNT" | grep -c '^get /api 200$')" = "$1" ]
}
# hole NETWORK, no_hole: what goes there vanishes, before anybody can turn it elsewhere
hole() {
	on a nft add table inet hole
	on a nft add chain inet hole out '{ type filter hook output priority -150; }'
	on a nft add rule inet hole out "$1" drop
}
no_hole() {
	on a nft delete table inet hole
}

kube_up
dual_stack api 253
kube_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
node_add a 1
dual_stack a 1
kube_node_add a 10.244.1.0/24
kube_mount a
kube_service a
on a nft -f - <<-'END'
	table ip6 kube-service {
		chain out {
			type nat hook output priority -100
			ip6 daddr fd00:96::1 tcp dport 443 dnat to [fd77::253]:6443
		}
	}
END

echo '--- it says where it is to whoever is let in'
: >"$T/agent-a.log"
start 10.96.0.1
wait_for 60 'by the service' settled a
wait_for 30 'remembered' is_kept "$KUBE_HOST:6443"
agent_stop a
wait_for 20 'it was asked' n_asked_is 1
kube_forget
start 10.96.0.1
wait_for 60 'again' settled a
wait_for 20 'it is asked' n_asked_is 1
agent_stop a
want_eq 'it is asked once a connection' 1 "$(kube_asked "$KUBE_ACCOUNT" | grep -c '^get /api 200$')"

echo '--- the service network does not work'
hole 'ip daddr 10.96.0.0/16'
goes 'by the address that was learnt' 10.96.0.1 "$KUBE_HOST:6443 \(remembered\)"
goes_not 'whoever answers there has to be the one that pods know' 10.96.0.9 \
	"10\.96\.0\.9:443 .*: timed out: no TCP connection; $KUBE_HOST:6443 \(remembered\): .*is not for 10\.96\.0\.9: it is for"
stop kube-apiserver KILL
goes_not 'each leg is named' 10.96.0.1 \
	"10\.96\.0\.1:443 \(KUBERNETES_SERVICE_HOST\): timed out: no TCP connection; $KUBE_HOST:6443 \(remembered\): connection refused"
kube_api_start
no_hole

echo '--- by IPv6'
goes 'the service' fd00:96::1 '\[fd00:96::1\]:443 \(KUBERNETES_SERVICE_HOST\)'
hole 'ip6 daddr fd00:96::/112'
goes 'and by IPv4, where that does not work' fd00:96::1 "$KUBE_HOST:6443 \(remembered\)"
no_hole
on a sh -c "echo [fd77::253]:6443 >$SERVERS"
hole 'ip daddr 10.96.0.0/16'
goes 'or the other way round' 10.96.0.1 '\[fd77::253\]:6443 \(remembered\)'
no_hole
kube_config flannel "{tokenFile: $KUBE_CONF/flannel.token}" 'https://[fd77::253]:6443'
: >"$T/agent-a.log"
kube_agent_start a --iface=eth0
wait_for 60 'a URL' settled a
wait_for 20 'by' came_by '\[fd77::253\]:6443'
agent_stop a

echo '--- a server of HTTP/1.1'
# web PORT FLAG…: whatever is asked
web() {
	port_=$1
	shift
	on_bg api "web-$port_" sh -c 'port=$1; cert=$2; key=$3; shift 3
		while sleep 0.2; do printf "HTTP/1.1 400 Bad Request\r\n\r\n"; done |
		openssl s_server -accept "$port" -quiet -cert "$cert" -key "$key" "$@"' web "$port_" "$C/apiserver.pem" "$C/apiserver.key" "$@"
	wait_for 10 'listens' quiet on api sh -c "ss -Hltn sport = :$port_ | grep -q ."
	kube_config flannel "{tokenFile: $KUBE_CONF/flannel.token}" "https://$KUBE_HOST:$port_"
	kube_agent_start a --iface=eth0
}
web 7443
wait_for 60 'is named' problem_is a "$KUBE_HOST:7443 .*: not HTTP/2: the server answered \"HTTP/1.1 400 Bad Request\": .*HTTP/1.1 alone"
agent_stop a
web 7444 -alpn http/1.1
wait_for 60 'is named' problem_is a "$KUBE_HOST:7444 .*: the server does not speak HTTP/2 over TLS: is this an API server's port, with no proxy in front of it\?"
echo "      $(fact a .problem)"
agent_stop a
