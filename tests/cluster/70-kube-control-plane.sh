#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# The ground of the tests with Kubernetes: a real API server, which refuses what flannel's role lacks; a controller that
# gives Nodes their subnets; and the real flanneld, who asks and writes what we took down in docs, and whose pods ping.
# shellcheck disable=SC2034 # of kube.sh
KUBE_PROGRAMS=kube-controller-manager
. "$(dirname "$0")/kube.sh"

kube_up

echo '--- rights'
kube_node_add a 10.244.1.0/24
NODE=/api/v1/nodes/a
allowed() {
	want_eq "flannel's account: $1 $2" "$3" "$(kube_code kube_as flannel -type application/strategic-merge-patch+json request "$1" "$2" "${4:-}")"
}
allowed GET /api/v1/nodes 200
allowed GET $NODE 200
allowed GET '/api/v1/nodes?watch=true&timeoutSeconds=1' 200
allowed GET /api/v1/namespaces/kube-flannel/pods/none 404
allowed PATCH $NODE/status 200 '{"metadata":{"annotations":{"loden.test/who":"flannel"}}}'
allowed PATCH $NODE 403 '{"metadata":{"labels":{"loden.test/who":"flannel"}}}'
allowed DELETE $NODE 403
allowed GET /api/v1/namespaces/kube-flannel/pods 403
allowed GET /api/v1/namespaces/default/endpoints/kubernetes 403
allowed GET /apis/coordination.k8s.io/v1/leases 403
echo nonsense >"$KUBE_CONF/nobody.token"
want_eq 'an unknown token' 401 "$(kube_code kube_as nobody request GET $NODE)"
want_eq 'no token' 403 "$(kube_code "$LODEN_PEERS/kube-probe" -server "$KUBE_URL" -ca "$C/ca.pem" request GET $NODE)"
want_exit 'another authority' 1 "$LODEN_PEERS/kube-probe" -server "$KUBE_URL" -ca "$C/accounts.pem" request GET $NODE
want_match 'of which its certificate is not' 'unknown authority' "$out"

echo '--- two flannelds: what they ask, what they write'
kube_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
kube_node_add b 10.244.2.0/24
node_add a 1
node_add b 2
mac() {
	on "$1" cat /sys/class/net/flannel.1/address
}
flannels() {
	kube_node "$1" '.metadata.annotations | with_entries(select(.key | startswith("flannel."))) | tojson'
}
condition() {
	kube_node "$1" '.status.conditions[] | select(.type == "NetworkUnavailable") | "\(.status) \(.reason): \(.message)"'
}
wrote() {
	[ -n "$(kube_patches $KUBE_ACCOUNT "$1")" ]
}
is_up() {
	[ "$(condition "$1")" = 'False FlannelIsUp: Flannel is running on this node' ]
}
kube_forget
kube_flanneld_start a --iface=eth0 --ip-masq
wait_for 30 'a: the condition' is_up a
want_eq 'a: annotations' "{\"flannel.alpha.coreos.com/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(mac a)\\\"}\",\"flannel.alpha.coreos.com/backend-type\":\"vxlan\",\"flannel.alpha.coreos.com/kube-subnet-manager\":\"true\",\"flannel.alpha.coreos.com/public-ip\":\"192.168.77.1\"}" \
	"$(flannels a)"
want_eq 'a: what it wrote' "{\"metadata\":{\"annotations\":$(flannels a)}}
{\"status\":{\"conditions\":[{\"type\":\"NetworkUnavailable\",\"status\":\"False\",\"lastHeartbeatTime\":\"TIME\",\"lastTransitionTime\":\"TIME\",\"reason\":\"FlannelIsUp\",\"message\":\"Flannel is running on this node\"}]}}" \
	"$(kube_patches $KUBE_ACCOUNT a | sed -E 's/20..-..-..T..:..:..Z/TIME/g')"
cat >"$T/asks" <<END
get $NODE 200
get $NODE 200
list /api/v1/nodes?limit=500&resourceVersion=0 200
patch $NODE/status 200
patch $NODE/status 200
watch /api/v1/nodes?allowWatchBookmarks=true&resourceVersion=N&timeoutSeconds=N&watch=true 200
END
asked() {
	kube_asked $KUBE_ACCOUNT | sed -E 's/(resourceVersion|timeoutSeconds)=[1-9][0-9]*/\1=N/g' | sort | diff "$T/asks" -
}
wait_for 30 'a: what it asked' asked
kube_flanneld_start b --iface=eth0 --ip-masq
wait_for 30 'b: the condition' is_up b

echo '--- pods'
for i in a b; do pod_add $i ${i}1; done
want_match 'a1 has an address of its Node' '^10\.244\.1\.' "$(cat "$T/a1.ip")"
for way in a1:b1 b1:a1; do wait_for 30 "pings: $way" pings ${way%:*} ${way#*:}; done

echo '--- a restart writes nothing but the condition'
flanneld_stop a
kube_forget
kube_flanneld_start a --iface=eth0 --ip-masq
wait_for 30 'a: runs again' flanneld_runs a
wait_for 30 'a: wrote' wrote a
want_match 'a: what it wrote' '^{"status":{"conditions":' "$(kube_patches $KUBE_ACCOUNT a | head -n 1)"

echo '--- in a pod: the service network, the mounted account'
flanneld_stop b
kube_mount b
kube_service b
kube_forget
KUBE_IN_POD=1 kube_flanneld_start b --iface=eth0 --ip-masq
wait_for 30 'b: runs again' flanneld_runs b
wait_for 30 'b: wrote' wrote b
for way in a1:b1 b1:a1; do wait_for 30 "pings: $way" pings ${way%:*} ${way#*:}; done

echo '--- a controller gives Nodes their subnets; thousands come, beat and go'
kube_controllers_start --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --node-cidr-mask-size=24
kube_node_add c
has_subnet() {
	kube_node c .spec.podCIDR | grep -E '^10\.244\.'
}
wait_for 60 'c: has a subnet' has_subnet
want_no_match 'which is nobody'"'"'s' '10\.244\.[12]\.0/24' "$(kube_node c .spec.podCIDR)"
routes() {
	[ "$(on a ip -4 route show dev flannel.1 | grep -c via)" = "$1" ]
}
kube -cidr 10.244.0.0/16 nodes 100 100
wait_for 30 'a: routes to b and 100' routes 101
want_match 'so big is one, in bytes' '^1[234]...$' "$(kube request GET /api/v1/nodes/worker-00100 2>/dev/null | wc -c)"
kube churn 50 2
kube delete
wait_for 30 'a: a route to b' routes 1

echo '--- both families'
kube_conf "$DUAL_CONF"
for i in d e; do
	case $i in d) byte=4 ;; *) byte=5 ;; esac
	kube_node_add $i "10.244.20$byte.0/24,fd00:10:244:$byte::/64"
	node_add $i $byte
	dual_stack $i $byte
	kube_flanneld_start $i --iface=eth0 --ip-masq
done
for i in d e; do wait_for 30 "$i: the condition" is_up $i; done
want_eq 'd: annotations' "{\"flannel.alpha.coreos.com/backend-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(mac d)\\\"}\",\"flannel.alpha.coreos.com/backend-type\":\"vxlan\",\"flannel.alpha.coreos.com/backend-v6-data\":\"{\\\"VNI\\\":1,\\\"VtepMAC\\\":\\\"$(on d cat /sys/class/net/flannel-v6.1/address)\\\"}\",\"flannel.alpha.coreos.com/kube-subnet-manager\":\"true\",\"flannel.alpha.coreos.com/public-ip\":\"192.168.77.4\",\"flannel.alpha.coreos.com/public-ipv6\":\"fd77::4\"}" \
	"$(flannels d)"
for i in d e; do pod_add $i ${i}1; done
for way in d1:e1 e1:d1; do wait_for 30 "pings: $way" pings ${way%:*} ${way#*:}; done
