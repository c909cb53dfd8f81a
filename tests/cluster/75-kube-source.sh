#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Leases from a real API server: what we write and ask, who becomes a peer beside the real flanneld, and what we make of
# Nodes that come, go, change and make no sense, of an API server that is away, and of a start from disk.
# (S2-14, S4-03, S4-04, S4-06)
. "$(dirname "$0")/kube.sh"

NODES=/api/v1/nodes
PREFIX=flannel.alpha.coreos.com
flannels() {
	kube_node "$1" '.metadata.annotations | with_entries(select(.key | startswith("flannel."))) | tojson'
}
annotation() { # NODE NAME
	kube_node "$1" ".metadata.annotations[\"$PREFIX/$2\"]"
}
condition() {
	kube_node "$1" '.status.conditions[] | select(.type == "NetworkUnavailable") | "\(.status) \(.reason)"'
}
condition_is() {
	[ "$(condition "$1")" = "$2" ]
}
agent_log_has() {
	grep -Eq -- "$2" "$T/agent-$1.log"
}
# annotate NODE NAME VALUE (JSON)
annotate() {
	kube -type application/strategic-merge-patch+json request PATCH "$NODES/$1/status" \
		"{\"metadata\":{\"annotations\":{\"$PREFIX/$2\":$3}}}" >/dev/null 2>&1
}
peers_are() { # NODE N
	[ "$(fact "$1" .peers)" = "$2" ]
}

kube_up
kube_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
for n in a:1 b:2 c:3; do
	node_add "${n%:*}" "${n#*:}"
	kube_node_add "${n%:*}" "10.244.${n#*:}.0/24"
	kube_mount "${n%:*}"
	kube_service "${n%:*}"
done

echo '--- one agent: what it asks and writes'
: >"$T/audit.json"
KUBE_IN_POD=1
kube_agent_start a --iface=eth0 --ip-masq
wait_for 20 'a: has its lease' settled a
wait_for 20 'a: the condition' condition_is a 'False FlannelIsUp'
mac=$(on a cat /sys/class/net/flannel.1/address)
want_eq 'a: annotations, as flanneld writes them' "{\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$mac\\\"}\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/public-ip\":\"192.168.77.1\"}" \
	"$(flannels a)"
counted() {
	[ "$(fact a '.api_requests["200"] >= 6')" = true ]
}
wait_for 20 'the status counts requests: two lists, two watches, two patches' counted
want_eq 'two patches' 2 "$(kube_patches $KUBE_ACCOUNT | wc -l)"
want_eq 'subnet.env' 10.244.1.1/24 "$(on a sed -n 's/^FLANNEL_SUBNET=//p' /run/flannel/subnet.env)"

echo '--- beside flanneld: pods ping in all directions'
kube_flanneld_start b --iface=eth0 --ip-masq
kube_agent_start c --iface=eth0 --ip-masq
wait_for 30 'c: two peers' peers_are c 2
wait_for 30 'a: two peers' peers_are a 2
wait_for 30 'b: has its subnet' on b test -e /run/flannel/subnet.env
for p in a1 b1 c1; do
	pod_add "${p%?}" $p
done
all_ping 'Loden and flanneld' a1 b1 c1

echo '--- in a steady state nothing is written'
n=$(kube_patches $KUBE_ACCOUNT a | wc -l)
kube_node_add quiet 10.244.200.0/24
annotate quiet note '"nothing of flannel"'
want_eq 'a: patches' "$n" "$(kube_patches $KUBE_ACCOUNT a | wc -l)"
want_eq 'a: peers' 2 "$(fact a .peers)"

echo '--- what others change of ours is put right'
annotate a public-ip '"192.0.2.7"'
annotation_is() {
	[ "$(annotation "$1" "$2")" = "$3" ]
}
wait_for 20 'the public address' annotation_is a public-ip 192.168.77.1
annotate a backend-data null
wait_for 20 'the annotation that was taken away' annotation_is a backend-data "{\"VNI\":1,\"VtepMAC\":\"$mac\"}"
annotate a public-ip-overwrite '"192.168.77.1"'
annotate a public-ip-overwrite null

echo '--- a Node comes, changes, makes no sense, goes'
kube_node_add d 10.244.4.0/24
kube -type application/strategic-merge-patch+json request PATCH $NODES/d/status \
	"{\"metadata\":{\"annotations\":{\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/public-ip\":\"192.168.77.4\",\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"02:00:00:00:00:04\\\"}\"}}}" >/dev/null 2>&1
wait_for 20 'a: the route to d' has_route a 10.244.4.0/24
annotate d public-ip '"192.168.77.5"'
fdb_is() {
	on a bridge fdb show dev flannel.1 | grep -q "^02:00:00:00:00:04 dst $1 "
}
wait_for 20 'a: it has moved' fdb_is 192.168.77.5
annotate d public-ip '"192.168.77"'
wait_for 20 'a: names the Node and the value' agent_log_has a '[Nn]ode .d.*public-ip.*192\.168\.77'
want_eq 'a: the peer stays as it was' 0 "$(on a ip route show 10.244.4.0/24 | grep -qc flannel.1; echo $?)"
kube_node_del d
gone() {
	! has_route "$1" "$2"
}
wait_for 20 'a: the route to d is gone' gone a 10.244.4.0/24

echo '--- two Nodes with one podCIDR: one is left out, by name; it stands in when the other goes'
for n in e:6 f:7; do
	[ $n = e:6 ] || sleep 1.1 # creation is told in seconds
	kube_node_add "${n%:*}" 10.244.6.0/24
	kube -type application/strategic-merge-patch+json request PATCH "$NODES/${n%:*}/status" \
		"{\"metadata\":{\"annotations\":{\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/public-ip\":\"192.168.77.${n#*:}\",\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"02:00:00:00:00:0${n#*:}\\\"}\"}}}" >/dev/null 2>&1
done
two_claims() {
	fact a .notes | grep -q 'peer 10\.244\.6\.0/24 at 192\.168\.77\.[67] is left out'
}
wait_for 20 'a: said' two_claims
want_eq 'a: three peers' 3 "$(fact a .peers)"
taken=$(on a bridge fdb show dev flannel.1 | sed -n 's/^02:00:00:00:00:0\([67]\) .*/\1/p')
want_eq 'the one that was there first' 6 "$taken"
kube_node_del e
fdb_has() {
	on a bridge fdb show dev flannel.1 | grep -q "^02:00:00:00:00:0$1 "
}
wait_for 20 'a: the other' fdb_has 7
kube_node_del f
wait_for 20 'a: gone' gone a 10.244.6.0/24

echo '--- the API server is away: the data plane stands and heals; what was missed is made up for'
stop kube-apiserver KILL
source_down() {
	[ "$(fact "$1" .source.up)" = false ]
}
wait_for 40 'a: says so' source_down a
wait_for 20 'by name' problem_is a 'peers may be out of date: 10\.96\.0\.1:443.*refused'
on a ip link set flannel.1 down
on a ip link set flannel.1 up
wait_for 20 'a: routes are back' has_route a 10.244.2.0/24
all_ping 'pods' a1 b1 c1
agent_stop a
KUBE_IN_POD=1 kube_agent_start a --iface=eth0 --ip-masq
wait_for 10 'a: started from disk' peers_are a 2
want_match 'and says so' 'from disk' "$(on a loden status)"
all_ping 'pods' a1 b1 c1
: >"$T/audit.json"
kube_api_start
wait_for 60 'a: settled' settled a
wait_for 60 'c, which was not restarted: settled' settled c
kube_node_add i 10.244.9.0/24
kube -type application/strategic-merge-patch+json request PATCH $NODES/i/status \
	"{\"metadata\":{\"annotations\":{\"$PREFIX/kube-subnet-manager\":\"true\",\"$PREFIX/backend-type\":\"vxlan\",\"$PREFIX/public-ip\":\"192.168.77.9\",\"$PREFIX/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"02:00:00:00:00:09\\\"}\"}}}" >/dev/null 2>&1
wait_for 20 'c: follows what comes' has_route c 10.244.9.0/24
annotate c public-ip '"192.0.2.7"'
wait_for 20 'c: keeps its Node right' annotation_is c public-ip 192.168.77.3
kube_node_del i
wait_for 20 'c: and what goes' gone c 10.244.9.0/24
want_eq 'a: Nodes that it knows are not read again' 0 "$(kube_asked $KUBE_ACCOUNT | grep -c "^get $NODES/[bc]")"
all_ping 'pods' a1 b1 c1

echo '--- our Node is deleted, and made anew'
kube_node_del a
wait_for 20 'a: says so' problem_is a 'there is no Node a'
wait_for 20 'c: it is gone for all others' gone c 10.244.1.0/24
want_eq 'a: goes on as it was' 2 "$(fact a .peers)"
kube_node_add a 10.244.1.0/24
wait_for 30 'a: annotated again' annotation_is a public-ip 192.168.77.1
wait_for 30 'a: settled' settled a
all_ping 'pods' a1 b1 c1

echo '--- no podCIDR: waits, and says who gives it'
node_add g 8
kube_node_add g
kube_mount g
kube_service g
kube_agent_start g --iface=eth0
wait_for 20 'g: the cause' problem_is g 'Node g has no podCIDR.*allocate-node-cidrs'
wait_for 60 'g: the condition' condition_is g 'True NetworkNotReady'
kube -type application/strategic-merge-patch+json request PATCH $NODES/g '{"spec":{"podCIDR":"10.244.8.0/24","podCIDRs":["10.244.8.0/24"]}}' >/dev/null 2>&1
wait_for 30 'g: settled' settled g
wait_for 30 'g: the condition' condition_is g 'False FlannelIsUp'
agent_stop g

echo '--- a podCIDR outside Network is not routed'
kube_node_add h 10.99.1.0/24
node_add h 9
kube_mount h
kube_service h
kube_agent_start h --iface=eth0
wait_for 20 'h: the cause' problem_is h 'podCIDR 10\.99\.1\.0/24 of Node h lies outside Network 10\.244\.0\.0/16'
agent_stop h

echo '--- which Node this is, our Pod says; the operator says by which address it is reached'
agent_stop a
kube request POST /api/v1/namespaces/kube-flannel/pods '{"metadata":{"name":"loden-a"},"spec":{"nodeName":"a","serviceAccountName":"flannel","containers":[{"name":"c","image":"none"}]}}' >/dev/null 2>"$T/kube.out" ||
	fail "no Pod: $(cat "$T/kube.out")"
agent_in_pod() {
	POD_NAME=$1 POD_NAMESPACE=kube-flannel KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 \
		on_bg a agent-a loden agent --kube-subnet-mgr --net-config-path="$T/net-conf.json" --ip-masq
}
agent_in_pod loden-x
wait_for 20 'a: no such Pod' problem_is a 'kube-flannel/pods/loden-x: 404.*NODE_NAME'
agent_stop a
on a ip address add 192.168.77.101/24 dev eth0
agent_in_pod loden-a
wait_for 30 'a: settled' settled a
annotate a node-public-ip '"192.168.77.101"'
wait_for 30 'a: the address is published' annotation_is a public-ip 192.168.77.101
uplink_is() {
	on "$1" ip -d -j link show flannel.1 | jq -e --arg ip "$2" '.[0].linkinfo.info_data.local == $ip' >/dev/null
}
wait_for 20 'a: and sent from' uplink_is a 192.168.77.101
echo '--- what the operator says holds for a start from disk'
stop kube-apiserver KILL
agent_stop a
agent_in_pod loden-a
wait_for 20 'a: started from disk' peers_are a 3
uplink_is a 192.168.77.101 || fail "a: sends from another address: $(on a ip -d link show flannel.1)"
has_route a 10.244.2.0/24 || fail 'a: no route to b'
kube_api_start
wait_for 60 'a: settled' settled a
annotate a node-public-ip '"here"'
wait_for 20 'a: nonsense is named' agent_log_has a 'Node a: annotation node-public-ip is no IPv4 address: here'
annotate a node-public-ip null
wait_for 30 'a: as before' annotation_is a public-ip 192.168.77.1
agent_stop a

echo '--- no Node of our name'

export NODE_NAME=none
agent_stop c
KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 \
	on_bg c agent-c loden agent --kube-subnet-mgr --net-config-path="$T/net-conf.json" --iface=eth0
wait_for 20 'c: the cause' problem_is c 'there is no Node none.*NODE_NAME'
agent_stop c
