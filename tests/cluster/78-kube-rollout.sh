#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 2400
# On a running cluster flannel is replaced by our manifest as README says, one node after the other, and back with
# `kubectl rollout undo`: pods on all three machines keep running, and between them no ping is missing for 100 ms.
. "$(dirname "$0")/kubelet.sh"

MAX_LOST=10 # of pings at intervals of 10 ms, in a row

# flannel's image has flanneld, iptables, and in another one the plugin. That cannot be built here; ours does what it
# does (netns/55-cni-flannel).
image_flannel() {
	mkdir -p "$T/flannel/bin" "$T/flannel/opt/bin" "$T/flannel/tmp"
	cp "$(command -v busybox)" "$T/flannel/bin"
	for applet in sh cp; do ln -s busybox "$T/flannel/bin/$applet"; done
	cp "$LODEN_PEERS/flanneld" "$T/flannel/opt/bin"
	cp "$BUILD/loden-cni" "$T/flannel/flannel"
	tables=$(command -v xtables-nft-multi)
	cp "$tables" "$T/flannel/bin"
	for applet in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
		ln -s xtables-nft-multi "$T/flannel/bin/$applet"
	done
	# Its libraries, and the extensions that it loads by itself.
	# shellcheck disable=SC2046 # file names without blanks
	(cd / && cp -RL --parents $(ldd "$tables" | sed -n 's,[^/]*\(/[^ ]*\) (.*,\1,p') \
		"$(dirname "$(dpkg -L iptables libxtables12 | grep '/xtables/libxt_comment.so$')")" "$T/flannel")
	image_make flannel "$T/flannel" /opt/bin/flanneld
}

# is_rolled_out IMAGE: a pod of it is Ready on each node, and no other is there.
is_rolled_out() {
	[ "$(kubectl -n kube-flannel get pods -o json | jq -r '.items[] | "\(.spec.nodeName) \(.spec.containers[0].image) \(.status.containerStatuses[0].ready)"' | sort)" = "a $1 true
b $1 true
c $1 true" ]
}
# web: what stays of the pods
web() {
	kubectl get pods -o json | jq -r '.items[] | "\(.metadata.uid) \(.status.podIP) \(.status.containerStatuses[0].restartCount)"' | sort
}
# is_up: they are Ready.
is_up() {
	[ "$(kubectl get pods -o json | jq '[.items[] | select(any(.status.conditions[]; .type == "Ready" and .status == "True"))] | length')" = 3 ]
}
# find_pods: their addresses in $T/a1.ip and so on, their networks by these names
find_pods() {
	kubectl get pods -o json | jq -r '.items[] | "\(.spec.nodeName) \(.status.podIP)"' >"$T/web"
	while read -r node address; do
		echo "$address" >"$T/${node}1.ip"
		: >"$T/${node}1.ip6"
		# shellcheck disable=SC2016 # expanded by the inner shell
		on "$node" sh -ec 'for i in /run/netns/cni-*; do
				! nsenter --net="$i" ip -4 -o addr show eth0 | grep -qF " $1/" || ln -sfn "$i" "/run/netns/$2"
			done
			[ -e "/run/netns/$2" ]' find "$address" "${node}1" || fail "no network of a pod has $address on $node"
	done <"$T/web"
}
# what_stays: of all Nodes, and the MACs on the nodes
what_stays() {
	for i in a b c; do
		kube_node $i '[.metadata.uid, .spec.podCIDRs, (.metadata.annotations | with_entries(select(.key | startswith("flannel."))))] | tojson'
		on $i cat /sys/class/net/flannel.1/address /run/flannel/subnet.env
	done
}
# rules NODE: what of flannel's firewall there is
rules() {
	on "$1" nft list ruleset 2>/dev/null | grep -Eo 'FLANNEL-[A-Z]+|flannel-ipv[46]' | sort -u
}
has_no_rules() {
	[ -z "$(rules "$1")" ]
}
# unharmed: ends the pings, and says what they and the pods have noticed.
unharmed() {
	pairs_stop
	[ "$worst" -le $MAX_LOST ] || fail "$worst pings of $whose were lost in a row"
	pass "at most $worst pings lost in a row"
	want_eq 'no pod was replaced or restarted' "$(cat "$T/web.was")" "$(web)"
	what_stays >"$T/now"
	want_eq 'MACs, podCIDRs, annotations, subnet.env: nothing has changed' '' "$(diff "$T/stays" "$T/now" || :)"
	all_ping 'afterwards' a1 b1 c1
}

cluster_up
image_test
image_loden
image_flannel
loden_image=$(sed -n 's/^ *image: *//p' "$ROOT/deploy/kube-loden.yml")
for n in a:1 b:2 c:3; do machine_add "${n%:*}" "${n#*:}"; done

echo '--- flannel'
want_exit 'kubectl apply' 0 kubectl apply -f "$ROOT/tests/cluster/kube-flannel.yml"
want_exit 'it is rolled out' 0 kubectl -n kube-flannel rollout status daemonset/kube-flannel-ds --timeout=10m
cat >"$T/web.yml" <<'END'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "localhost/test:1"}]
END
want_exit 'pods on all' 0 kubectl apply -f "$T/web.yml"
wait_for 120 'they are Ready' is_up
find_pods
all_ping 'with flannel' a1 b1 c1
what_stays >"$T/stays"
web >"$T/web.was"

echo '--- to Loden'
pairs_start ""
want_exit 'kubectl apply' 0 kubectl apply -f "$ROOT/deploy/kube-loden.yml" -l 'loden-part!=config'
want_exit 'it is rolled out' 0 kubectl -n kube-flannel rollout status daemonset/kube-flannel-ds --timeout=10m
wait_for 60 'ours alone, on all nodes' is_rolled_out "$loden_image"
for i in a b c; do
	wait_for 60 "$i: all is done" settled $i
	wait_for 60 "$i: flannel's rules are gone" has_no_rules $i
done
unharmed
want_eq 'the configuration of flannel stays' 1 "$(kubectl -n kube-flannel get configmap kube-flannel-cfg -o yaml | grep -c '"Network": "10.244.0.0/16", "EnableNFTables"')"
want_no_match 'nothing was refused to the agents' ' 4[0-9][0-9]$' "$(kube_asked system:serviceaccount:kube-flannel:loden)"
want_exit 'an agent is asked by kubectl exec: ready' 0 kubectl -n kube-flannel exec daemonset/kube-flannel-ds -- /loden status

echo '--- and back'
pairs_start ""
want_exit 'kubectl rollout undo' 0 kubectl -n kube-flannel rollout undo daemonset/kube-flannel-ds
want_exit 'it is rolled out' 0 kubectl -n kube-flannel rollout status daemonset/kube-flannel-ds --timeout=10m
wait_for 60 'flannel alone, on all nodes' is_rolled_out localhost/flannel:1
unharmed

echo '--- with either, new pods'
quiet kubectl rollout restart daemonset/web
want_exit 'a new pod on each' 0 kubectl rollout status daemonset/web --timeout=10m
wait_for 60 'they are Ready' is_up
find_pods
all_ping 'with flannel' a1 b1 c1
