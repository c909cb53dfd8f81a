#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# deploy/kube-loden.yml: a real API server takes it, word for word; its account may do what the agent does, and nothing else;
# and with the root, the mounts, the flags and the capabilities that it gives, an agent makes a node work.
. "$(dirname "$0")/kube.sh"

# yaml FILE: each document, a line of JSON
yaml() {
	/usr/bin/python3 -c 'import json, sys, yaml
for document in yaml.safe_load_all(open(sys.argv[1])): print(json.dumps(document))' "$1"
}

# path_of OBJECT: where it lives
path_of() {
	printf '%s' "$1" | jq -r '{Namespace: "/api/v1/namespaces", ServiceAccount: "/api/v1/namespaces/\(.metadata.namespace)/serviceaccounts",
		ConfigMap: "/api/v1/namespaces/\(.metadata.namespace)/configmaps",
		DaemonSet: "/apis/apps/v1/namespaces/\(.metadata.namespace)/daemonsets",
		ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
		ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"}[.kind] + "/" + .metadata.name'
}

# apply OBJECT [QUERY]: as kubectl apply --server-side; the code
apply() {
	kube_code kube -type application/apply-patch+yaml request PATCH \
		"$(path_of "$1")?fieldManager=test&force=true&fieldValidation=Strict${2:-}" "$1"
}

# object KIND: as the manifest has it
object() {
	jq -c --arg kind "$1" 'select(.kind == $kind)' "$T/objects"
}

kube_up
yaml "$ROOT/deploy/kube-loden.yml" >"$T/objects"
want_eq 'objects' 'Namespace ServiceAccount ClusterRole ClusterRoleBinding ConfigMap DaemonSet' "$(jq -r .kind "$T/objects" | xargs)"

echo '--- the API server takes it'
while read -r object; do
	kind=$(printf '%s' "$object" | jq -r .kind)
	want_match "dry run: $kind" '^20[01]$' "$(apply "$object" '&dryRun=All')"
	want_match "for good: $kind" '^20[01]$' "$(apply "$object")"
	want_eq "again: $kind" 200 "$(apply "$object")"
done <"$T/objects"
want_match 'a field that does not exist would be refused' '^[45]..$' \
	"$(apply "$(object DaemonSet | jq -c '.spec.template.spec.hostnetwork = true')" '&dryRun=All')"
dual=$(yaml "$ROOT/deploy/kustomize/dual-stack/config.yml")
# A patch that kustomize merges: the other key stays.
dual=$(object ConfigMap | jq -c --argjson dual "$dual" '. * $dual')
want_eq 'dry run: two families' 200 "$(apply "$dual" '&dryRun=All')"

echo '--- rights'
kube request POST /api/v1/namespaces/kube-flannel/serviceaccounts/loden/token \
	'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":86400}}' \
	2>/dev/null | jq -j .status.token >"$KUBE_CONF/loden.token"
kube_node_add a 10.244.1.0/24
kube_node_add b 10.244.2.0/24
allowed() {
	want_eq "its account: $1 $2" "$3" "$(kube_code kube_as loden -type application/strategic-merge-patch+json request "$1" "$2" "${4:-}")"
}
allowed GET /api/v1/nodes 200
allowed GET /api/v1/nodes/a 200
allowed GET '/api/v1/nodes?watch=true&timeoutSeconds=1' 200
allowed PATCH /api/v1/nodes/b/status 200 '{"metadata":{"annotations":{"loden.test/who":"loden"}}}'
allowed PATCH /api/v1/nodes/b 403 '{"metadata":{"labels":{"loden.test/who":"loden"}}}'
allowed DELETE /api/v1/nodes/b 403
allowed GET /api/v1/namespaces/kube-flannel/pods 403
allowed GET /api/v1/namespaces/kube-flannel/secrets 403
allowed GET /api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg 403

echo '--- a container of it'
# What a kubelet and a runtime make of the DaemonSet, as far as the agent can notice.
pod=$(object DaemonSet | jq -c .spec.template.spec)
of() {
	printf '%s' "$pod" | jq -r "$1"
}
want_eq 'the host'"'"'s network, no privilege, a root that cannot be written to' 'true false false true' \
	"$(of '"\(.hostNetwork) " + (.containers[0].securityContext | "\(.privileged) \(.allowPrivilegeEscalation) \(.readOnlyRootFilesystem)")')"
root=$T/root
mkdir -p "$root/proc" "$root/sys" "$root/var/run/secrets/kubernetes.io/serviceaccount" "$T/config"
cp "$BUILD/loden" "$BUILD/loden-cni" "$root"
for key in cni-conf.json net-conf.json; do
	object ConfigMap | jq -r --arg key "$key" '.data[$key]' >"$T/config/$key"
done
# shellcheck disable=SC2016 # jq's
of '.volumes as $volumes | .containers[0].volumeMounts[] | . as $mount | $volumes[] | select(.name == $mount.name)
	| "\(.hostPath.path // "-") \($mount.mountPath)"' >"$T/mounts"
while read -r _ path; do mkdir -p "$root$path"; done <"$T/mounts"
cp "$KUBE_CONF/loden.token" "$root/var/run/secrets/kubernetes.io/serviceaccount/token"
cp "$C/ca.pem" "$root/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
host=$T/host
while read -r source _; do mkdir -p "$host$source"; done <"$T/mounts"
capabilities=-all,+sys_chroot # which runtimes use up before
for capability in $(of '.containers[0].securityContext.capabilities.add[]' | tr 'A-Z\n' 'a-z '); do
	capabilities=$capabilities,+$capability
done
of '.containers[0] | .command[], .args[]' >"$T/words"
node_add a 1
kube_service a
# Of distributions, on the host.
for plugin in bridge portmap; do
	echo 'a distribution' >"$host/opt/cni/bin/$plugin"
	chmod 755 "$host/opt/cni/bin/$plugin"
done
on a sysctl -qw net.ipv4.ip_forward=0
start() {
	# shellcheck disable=SC2016,SC2046 # expanded by the inner shell; a word a line
	on_bg a agent-a env -i PATH="$PATH" NODE_NAME=a POD_NAME=p POD_NAMESPACE=kube-flannel \
		KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 \
		unshare --mount sh -ec 'root=$1 host=$2 mounts=$3 config=$4 capabilities=$5
			shift 5
			mount --bind "$root" "$root"
			mount --rbind /proc "$root/proc"
			mount --bind "$root/proc/sys" "$root/proc/sys"
			mount -o remount,bind,ro "$root/proc/sys"
			mount --bind /sys "$root/sys"
			mount -o remount,bind,ro "$root"
			while read -r source path; do
				case $source in
				-) mount --bind "$config" "$root$path" ;;
				/proc/*) mount --bind "$source" "$root$path" ;;
				*) mount --bind "$host$source" "$root$path" ;;
				esac
			done <"$mounts"
			exec setpriv --no-new-privs --inh-caps=-all --bounding-set="$capabilities" chroot "$root" "$@"' \
		sh "$root" "$host" "$T/mounts" "$T/config" "$capabilities" $(cat "$T/words")
}
kube_forget
start
http_is() {
	[ "$(http "$1" 8081)" = "$2" ]
}
wait_for 30 'it is alive' http_is "$(of .containers[0].livenessProbe.httpGet.path)" 'HTTP/1.1 200 OK flanneld is running'
wait_for 30 'it is ready' http_is "$(of .containers[0].readinessProbe.httpGet.path)" 'HTTP/1.1 200 OK flanneld is ready'
is_up() {
	[ "$(kube_node a '.status.conditions[] | select(.type == "NetworkUnavailable").status')" = False ]
}
wait_for 30 'the Node says so' is_up
wait_for 10 'the conflist is flannel'"'"'s' cmp "$T/config/cni-conf.json" "$host/etc/cni/net.d/10-flannel.conflist"
for plugin in flannel host-local loopback; do
	want_exit "the plugin $plugin" 0 cmp "$BUILD/loden-cni" "$host/opt/cni/bin/$plugin"
done
want_eq 'the bridge of a distribution stays' 'a distribution' "$(cat "$host/opt/cni/bin/bridge")"
want_match 'subnet.env is there for plugins' '^FLANNEL_SUBNET=10.244.1.1/24' "$(cat "$host/run/flannel/subnet.env")"
want_eq 'a switch of the host'"'"'s is kept' 1 "$(on a cat /proc/sys/net/ipv4/ip_forward)"
want_eq 'and all is well' 'null' "$(on a loden status --json --run-dir="$host/run/loden" | jq -c 'if .notes == [] or .notes == "" then null else .notes end')"
account=system:serviceaccount:kube-flannel:loden
want_no_match 'nothing was refused' ' 4[0-9][0-9]$' "$(kube_asked $account)"
[ -n "$(kube_asked $account)" ] || fail 'nothing was asked'
want_eq 'capabilities' 0000000000001000 "$(sed -n 's/^CapEff:\t//p' "/proc/$(cat "$host/run/loden/lock")/status")"
rss=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(cat "$host/run/loden/lock")/status")
echo "peak $rss kB"
agent_stop a
