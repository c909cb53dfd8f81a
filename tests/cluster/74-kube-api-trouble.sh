#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# A control plane in trouble: gone back in time, emptied, cut off from a node, with another certificate, with a token that
# is void, with rights or podCIDRs missing, or no API server at all. Each time agents say what it is, the data plane
# stands, and when it is over they find back without help. (S4-03)
# shellcheck disable=SC2034,SC2119,SC2016 # of kube.sh; of what other shells expand
KUBE_PROGRAMS=kube-controller-manager
. "$(dirname "$0")/kube.sh"

NODES=/api/v1/nodes
PREFIX=flannel.alpha.coreos.com
MOUNT=/var/run/secrets/kubernetes.io/serviceaccount
ROLE=/apis/rbac.authorization.k8s.io/v1/clusterroles/flannel
# peer NAME N: a Node that is not there, annotated
peer() {
	kube_node_add "$1" "10.244.$2.0/24"
	kube -type application/strategic-merge-patch+json request PATCH "$NODES/$1/status" \
		"{\"metadata\":{\"annotations\":{\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/public-ip\":\"192.168.77.$2\",\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"02:00:00:00:00:$2\\\"}\"}}}" >/dev/null 2>&1
}
up_is() { # NODE true|false
	[ "$(fact "$1" .source.up)" = "$2" ]
}
gone() {
	! has_route "$1" "$2"
}
# role RULES: what flannel's account may do, beyond pods
role() {
	kube -type application/merge-patch+json request PATCH $ROLE "{\"rules\":[$1]}" >/dev/null 2>&1
}
READ='{"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]}'
WRITE='{"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]}'
# restart: an API server of which nobody has a connection
restart() {
	stop kube-apiserver KILL
	kube_api_start
}
node() { # NAME N
	node_add "$1" "$2"
	kube_mount "$1"
	kube_service "$1"
}

kube_up
kube_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
KUBE_IN_POD=1
for n in a:1 b:2; do
	i=${n%:*}
	node "$i" "${n#*:}"
	kube_node_add "$i" "10.244.${n#*:}.0/24"
	kube_agent_start "$i" --iface=eth0 --ip-masq
done
for i in a b; do
	wait_for 30 "$i: has its lease" settled $i
	pod_add $i ${i}1
done
all_ping 'at first' a1 b1

echo '--- a backup is restored: versions are older than what agents know'
peer before 21
wait_for 20 'a: knows who is in the backup' has_route a 10.244.21.0/24
kube_save
kube_node_del before
peer since 22
wait_for 20 'a: knows who has come since' has_route a 10.244.22.0/24
wait_for 20 'a: and forgot who went' gone a 10.244.21.0/24
kube nodes 50 50
kube_restore
for i in a b; do
	wait_for 60 "$i: who came since is gone" gone $i 10.244.22.0/24
	wait_for 60 "$i: who went is there" has_route $i 10.244.21.0/24
	wait_for 60 "$i: settled" settled $i
done
peer next 23
wait_for 60 'b: what happens from then on is seen' has_route b 10.244.23.0/24
all_ping 'restored' a1 b1

echo '--- b is cut off, while a has trouble of its own'
kube_cut b

echo '--- a certificate of another authority'
ca other another
cat "$C/other.pem" >>"$C/ca.pem" # of the test itself and of clients
kube_replace_certificate other
restart
wait_for 60 'a: the cause' problem_is a '10\.96\.0\.1:443.*certificate'
on a cp "$C/other.pem" $MOUNT/ca.crt
wait_for 60 'a: back, by the new ca.crt' settled a

echo '--- the token is void'
kube_void_tokens
restart
wait_for 60 'a: the cause, and the file' problem_is a "401 Unauthorized.*$MOUNT/token"
on a cp "$KUBE_CONF/flannel.token" $MOUNT/token
wait_for 60 'a: back, by the new one' settled a

echo '--- it may not list'
role "$WRITE"
restart
wait_for 60 'a: who may not do what' problem_is a '403 Forbidden.*system:serviceaccount:kube-flannel:flannel.*cannot (list|watch) resource .*nodes'
has_route a 10.244.2.0/24 || fail 'a: the route to b is gone'
role "$READ,$WRITE"
wait_for 60 'a: back' settled a

echo '--- b again'
wait_for 60 'b: it has said so' up_is b false
problem_is b 'peers may be out of date: 10\.96\.0\.1:443' || fail "b: the cause is $(fact b .problem)"
all_ping 'b is cut off' a1 b1
peer meanwhile 24
on b cp "$C/other.pem" $MOUNT/ca.crt
on b cp "$KUBE_CONF/flannel.token" $MOUNT/token
kube_mend b
wait_for 60 'b: settled' settled b
wait_for 60 'b: knows who came meanwhile' has_route b 10.244.24.0/24

echo '--- it may not write'
role "$READ"
kube_node_add c 10.244.3.0/24
node c 3
kube_agent_start c --iface=eth0 --ip-masq
wait_for 60 'c: who may not do what' problem_is c 'Node c cannot be written to: 403 Forbidden.*system:serviceaccount:kube-flannel:flannel.*cannot patch resource .*nodes/status'
role "$READ,$WRITE"
wait_for 60 'c: settled' settled c

echo '--- nobody gives podCIDRs'
kube_controllers_start --allocate-node-cidrs=false
kube_node_add d
node d 4
kube_agent_start d --iface=eth0 --ip-masq
wait_for 60 'd: the cause' problem_is d 'Node d has no podCIDR.*kube-controller-manager.*--allocate-node-cidrs'
stop kube-controller-manager
kube_controllers_start --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16
wait_for 60 'd: settled' settled d
stop kube-controller-manager
agent_stop d

echo '--- no API server at all'
# bad NAME PORT REGEX: the cause, and no more memory than else
bad() {
	agent_stop d
	: >"$T/agent-d.log"
	kube_config "$1" "{tokenFile: $KUBE_CONF/flannel.token}" "https://$KUBE_HOST:$2"
	NODE_NAME=d on_bg d agent-d loden agent --kube-subnet-mgr --net-config-path="$T/net-conf.json" \
		--kubeconfig-file="$KUBE_CONF/$1.conf" --iface=eth0
	wait_for 60 "$1: the cause" problem_is d "$KUBE_HOST:$2.*($3)"
	echo "      $(fact d .problem)"
	rss_kib=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of agent-d)/status")
	[ "$rss_kib" -lt 16384 ] || fail "$1: the agent took $rss_kib KiB"
	pass "$1: $rss_kib KiB at most"
}
proxy() { # NAME PORT SERVER_PORT SIGNAL
	on_bg api "$1" "$BUILD/tests/cluster/proxy" "$2" "$3"
	wait_for 10 "$1 listens" quiet on api sh -c "ss -Hltn sport = :$2 | grep -q ."
	kill -"$4" "$(pid_of "$1")"
}
proxy nobody 7441 1 HUP
bad nobody 7441 'closed'
proxy page 7442 6443 USR1
bad page 7442 'TLS'
on_bg api web sh -c 'while sleep 0.2; do echo "<html>It works</html>"; done | openssl s_server -accept 7443 -quiet -cert "$1" -key "$2"' \
	web "$C/apiserver.pem" "$C/apiserver.key"
bad web 7443 'not HTTP/2: the server answered "<html>'
proxy cut 7444 6443 ALRM
bad cut 7444 'reset by peer|closed|ended'
kill -HUP "$(pid_of cut)"
wait_for 60 'd: settled when all is well' settled d

echo '--- all that the API server knew is lost'
stop kube-apiserver KILL
stop kube-etcd KILL
rm -rf "$T/kube-etcd"
kube_etcd_start
kube_api_start
kube_flannel_account
wait_for 60 'a: the token is of the cluster that was' problem_is a '401 Unauthorized'
for i in a b c; do on $i cp "$KUBE_CONF/flannel.token" $MOUNT/token; done
wait_for 60 'a: its Node is missing' problem_is a 'there is no Node a'
all_ping 'without Nodes' a1 b1
for n in a:1 b:2 c:3; do kube_node_add "${n%:*}" "10.244.${n#*:}.0/24"; done
for i in a b c; do
	wait_for 60 "$i: settled" settled $i
	wait_for 60 "$i: who is not any more is gone" gone $i 10.244.24.0/24
done
all_ping 'anew' a1 b1
