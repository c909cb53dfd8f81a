#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 2400
# Three machines with real kubelets: our manifest, applied, makes them Ready; pods reach each other and a Service, logs and
# exec work, a machine is drained and used again, and one whose power fails comes back with its pods.
. "$(dirname "$0")/kubelet.sh"

# ready NODE True|False|Unknown
ready() {
	[ "$(kube_node "$1" '.status.conditions[] | select(.type == "Ready").status')" = "$2" ]
}
# pods FILTER: of each pod of the Deployment that is Ready and not about to go, a line
pods() {
	kube request GET '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb' 2>/dev/null | jq -r '.items[]
		| select(.metadata.deletionTimestamp == null and any(.status.conditions[]?; .type == "Ready" and .status == "True")) | '"$1"
}
# are_on NODES: is one Ready on each of these, in the order of their names?
are_on() {
	[ "$(pods .spec.nodeName | sort | paste -sd ' ')" = "$1" ]
}
# all_reach: each each
# shellcheck disable=SC2016,SC2086 # expanded in the pod; a list
all_reach() {
	addresses=$(pods .status.podIP | paste -sd ' ')
	for pod in $(pods .metadata.name); do
		kubectl exec "$pod" -- sh -c 'for i; do ping -qc 1 -W 2 $i || exit 1; done' sh $addresses || return 1
	done
}
# serves POD: the Service, asked from that pod, is each of the pods.
# shellcheck disable=SC2016 # expanded in the pod
serves() {
	kubectl exec "$1" -- sh -c 'i=0; while [ $((i += 1)) -le 20 ]; do printf "GET /index.html HTTP/1.0\r\n\r\n" | nc -w 2 "$1" 80 | tail -n 1; done' \
		sh "$service" >"$T/answers"
	[ "$(sort -u "$T/answers" | paste -sd ' ')" = "$(pods .metadata.name | sort | paste -sd ' ')" ]
}

cluster_up
image_test
image_loden
for n in a:1 b:2 c:3; do machine_add "${n%:*}" "${n#*:}"; done

echo '--- our manifest'
no_network() {
	kube_node "$1" '.status.conditions[] | select(.type == "Ready") | "\(.status) \(.message)"' | grep -q '^False .*cni'
}
for i in a b c; do wait_for 60 "$i: not Ready, for want of a network" no_network $i; done
want_exit 'kubectl apply' 0 kubectl apply -f "$ROOT/deploy/kube-loden.yml"
for i in a b c; do wait_for 120 "$i: Ready" ready $i True; done
want_exit 'the DaemonSet is rolled out' 0 kubectl -n kube-flannel rollout status daemonset/kube-flannel-ds --timeout=5m

echo '--- a Deployment, a Service'
cat >"$T/web.yml" <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: Honor,
         labelSelector: {matchLabels: {app: web}}, matchLabelKeys: [pod-template-hash]}
      containers:
      - name: web
        image: localhost/test:1
        command: [sh, -c, "hostname >/tmp/index.html; echo it is $(hostname); exec httpd -f -p 8080 -h /tmp"]
        readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
END
want_exit 'kubectl apply' 0 kubectl apply -f "$T/web.yml"
wait_for 120 'a pod on each' are_on 'a b c'
wait_for 30 'each reaches each' all_reach
service=$(kubectl get service web -o 'jsonpath={.spec.clusterIP}')
pod=$(pods .metadata.name | head -n 1)
wait_for 60 'the Service is each of them' serves "$pod"
logs() {
	[ "$(kubectl logs "$pod")" = "it is $pod" ]
}
wait_for 10 'kubectl logs' logs
executes() {
	[ "$(kubectl exec "$pod" -- hostname)" = "$pod" ]
}
wait_for 10 'kubectl exec' executes

echo '--- drained, and used again'
want_exit 'kubectl drain c' 0 kubectl drain c --ignore-daemonsets --timeout=5m
three_on() {
	[ "$(pods .spec.nodeName | sort | uniq | paste -sd ' ') $(pods .spec.nodeName | wc -l)" = "$1 3" ]
}
wait_for 120 'the pods are on the others' three_on 'a b'
wait_for 30 'each reaches each' all_reach
want_exit 'kubectl uncordon c' 0 kubectl uncordon c
want_exit 'kubectl rollout restart' 0 kubectl rollout restart deployment/web
want_exit 'which ends' 0 kubectl rollout status deployment/web --timeout=5m
wait_for 120 'a pod on each' are_on 'a b c'
wait_for 30 'each reaches each' all_reach

echo '--- the power fails'
was=$(pods 'select(.spec.nodeName == "b").metadata.name')
machine_kill b
machine_add b 2
# restarted: the pod of that name has run before.
restarted() {
	pods "select(.metadata.name == \"$was\" and .status.containerStatuses[0].restartCount > 0).metadata.name" | grep .
}
wait_for 120 'b: its pod runs again' restarted
wait_for 60 'each reaches each' all_reach
wait_for 60 'the Service is each of them' serves "$was"

echo '--- the agents'
account=system:serviceaccount:kube-flannel:loden
want_no_match 'nothing was refused to them' ' 4[0-9][0-9]$' "$(kube_asked $account)"
[ -n "$(kube_asked $account)" ] || fail 'nothing was asked'
# agents_are ANSWERS: by node: is its agent ready, was it restarted?
agents_are() {
	[ "$(kube request GET /api/v1/namespaces/kube-flannel/pods 2>/dev/null |
		jq -r '.items[] | "\(.spec.nodeName):" + (.status.containerStatuses[0] | "\(.ready):\(.restartCount > 0)")' |
		sort | paste -sd ' ')" = "$1" ]
}
wait_for 60 'all are ready, none was restarted but with its machine' agents_are 'a:true:false b:true:true c:true:false'
for i in a b c; do
	of=/proc/$(pgrep -o -x loden --ns "$(cat "$T/$i.node")" --nslist net)/status
	want_eq "$i: capabilities, no new ones, system calls filtered" '0000000000001000 1 2' \
		"$(sed -n 's/^\(CapEff\|NoNewPrivs\|Seccomp\):\t//p' "$of" | paste -sd ' ')"
	want_exit "$i: the plugin flannel is ours" 0 cmp "$BUILD/loden-cni" "$T/disk-$i/opt/cni/bin/flannel"
	want_exit "$i: the bridge of the distribution stays" 0 cmp /usr/lib/cni/bridge "$T/disk-$i/opt/cni/bin/bridge"
	want_eq "$i: all is well" null "$(on $i loden status --json | jq -c 'if .notes == [] or .notes == "" then null else .notes end')"
done
