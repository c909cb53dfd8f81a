# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shell helpers of the tests with a real Kubernetes control plane. Read instead of flannel.sh, pods.sh and
# tests/netns/lib.sh, which it reads in turn, and of certs.sh.
#
#	. "$(dirname "$0")/kube.sh"
#	kube_up
#	node_add a 1; kube_node_add a 10.244.1.0/24; kube_flanneld_start a
#
# The API server is on the node "api", etcd beside it. TLS and RBAC as in a real cluster: it knows us by certificates and
# tokens, and us alone. What service accounts and nodes asked of it stands in $T/audit.json, a line each.
#
#	KUBE_PROGRAMS	to be set before: what is needed beyond kube-apiserver (tests/peers/build-kubernetes.sh)
#	KUBE_ETCD	to be set before: 3.4: Debian's (default); 3.6
#	KUBE_FAMILY	to be set before: 4 (default); 6: the API server and the service network have IPv6 alone
#	KUBE_API_FLAGS	more flags for the API server
KUBE_PEERS=$(dirname "$0")/../peers
LODEN_PEERS=${LODEN_PEERS:-$(cd "$KUBE_PEERS/../.." && pwd)/build/peers}
export LODEN_PEERS
# Outside of the sandbox, which has no network.
if [ -z "${LODEN_SANDBOX:-}" ] && [ "$(id -u)" = 0 ]; then
	[ "${KUBE_ETCD:-3.4}" = 3.4 ] || KUBE_PROGRAMS="${KUBE_PROGRAMS:-} etcd-$KUBE_ETCD"
	# shellcheck disable=SC2086 # a list
	"$KUBE_PEERS/build-kubernetes.sh" kube-apiserver kube-probe ${KUBE_PROGRAMS:-} || {
		echo "skip: Kubernetes could not be built: Go or its module proxy is out of reach"
		exit 77
	}
fi
. "$(dirname "$0")/flannel.sh"
. "$(dirname "$0")/certs.sh"

case ${KUBE_FAMILY:-4} in
4) KUBE_HOST=192.168.77.253 KUBE_AT=192.168.77.253 KUBE_SERVICE=10.96.0.1 KUBE_SERVICES=10.96.0.0/16 ;;
6) KUBE_HOST=fd77::fd KUBE_AT='[fd77::fd]' KUBE_SERVICE=fd00:10:96::1 KUBE_SERVICES=fd00:10:96::/112 ;;
esac
KUBE_URL=https://$KUBE_AT:6443
KUBE_SANS=IP:$KUBE_HOST,IP:127.0.0.1,IP:$KUBE_SERVICE,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
KUBE_CONF=$T/kube # kubeconfigs, tokens
mkdir "$KUBE_CONF"

# --- the control plane ----------------------------------------------------------------------------

# shellcheck disable=SC2119 # its flags, not ours
# kube_up: an empty cluster, with the account and the rights of flannel's manifest.
kube_up() {
	node_add api 253
	[ "$KUBE_HOST" = 192.168.77.253 ] || six_only api fd
	ca ca kubernetes
	cert apiserver ca /CN=kube-apiserver "subjectAltName=$KUBE_SANS;extendedKeyUsage=serverAuth"
	cert accounts ca /CN=service-accounts keyUsage=digitalSignature
	cert to-kubelets ca /O=system:masters/CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth
	kube_user admin /O=system:masters/CN=admin
	cat >"$KUBE_CONF/audit" <<-'END'
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		- {level: Metadata, verbs: [create], resources: [{group: "", resources: [nodes]}]}
		- {level: None, users: [admin, "system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]}
		- {level: Request, verbs: [patch, update, create]}
		- {level: Metadata, userGroups: ["system:serviceaccounts:kube-flannel", "system:nodes", "system:unauthenticated"]}
	END
	# It must be there: what the API server creates it does not only append to, so nobody else could empty it.
	kube_forget
	kube_etcd_start
	kube_api_start
	kube_flannel_account
}

# kube_down: all of it; what it knows is gone.
kube_down() {
	stop kube-controller-manager
	stop kube-apiserver
	stop kube-etcd
	node_del api
	rm -rf "$T/kube-etcd"
}

# kube_user NAME SUBJECT: somebody with a certificate; $KUBE_CONF/NAME.conf
kube_user() {
	cert "$1" ca "$2" extendedKeyUsage=clientAuth
	kube_config "$1" "{client-certificate: $C/$1.pem, client-key: $C/$1.key}"
}

# kube_config NAME USER [URL]: a kubeconfig; USER in YAML
kube_config() {
	cat >"$KUBE_CONF/$1.conf" <<-END
		apiVersion: v1
		kind: Config
		clusters:
		- name: test
		  cluster: {server: "${3:-$KUBE_URL}", certificate-authority: $C/ca.pem}
		users:
		- name: $1
		  user: $2
		contexts:
		- name: test
		  context: {cluster: test, user: $1}
		current-context: test
	END
}

# kube_etcd_start: keeps its data over stop kube-etcd.
kube_etcd_start() {
	case ${KUBE_ETCD:-3.4} in
	3.4) kube_etcd_=etcd ;;
	*) kube_etcd_=$LODEN_PEERS/etcd-$KUBE_ETCD ;;
	esac
	# Nothing of this outlives the test: why wait for a disk?
	on_bg api kube-etcd "$kube_etcd_" --name test --data-dir "$T/kube-etcd" --unsafe-no-fsync \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
		--initial-cluster test=http://127.0.0.1:2380 --quota-backend-bytes 8589934592 --log-outputs stderr
	wait_for 15 'the etcd of Kubernetes answers' kube_etcdctl endpoint health
}

kube_etcdctl() {
	on api env ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 --command-timeout=10s "$@"
}

# kube_api_start [FLAG…]
# shellcheck disable=SC2120
kube_api_start() {
	# shellcheck disable=SC2086 # several words
	on_bg api kube-apiserver "$LODEN_PEERS/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
		--bind-address=:: --advertise-address="$KUBE_HOST" --service-cluster-ip-range="$KUBE_SERVICES" \
		--client-ca-file="$C/ca.pem" --tls-cert-file="$C/apiserver.pem" --tls-private-key-file="$C/apiserver.key" \
		--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$C/accounts.pem" \
		--service-account-signing-key-file="$C/accounts.key" --authorization-mode=Node,RBAC \
		--kubelet-certificate-authority="$C/ca.pem" --kubelet-client-certificate="$C/to-kubelets.pem" \
		--kubelet-client-key="$C/to-kubelets.key" --kubelet-preferred-address-types=InternalIP \
		--enable-admission-plugins=NodeRestriction --allow-privileged=true \
		--audit-policy-file="$KUBE_CONF/audit" --audit-log-path="$T/audit.json" ${KUBE_API_FLAGS:-} "$@"
	wait_for 60 'the API server is ready' kube request GET /readyz
}

# kube_controllers_start [FLAG…]: among them the one that gives each Node its subnet.
kube_controllers_start() {
	[ -e "$KUBE_CONF/controllers.conf" ] || kube_user controllers /CN=system:kube-controller-manager
	on_bg api kube-controller-manager "$LODEN_PEERS/kube-controller-manager" --kubeconfig="$KUBE_CONF/controllers.conf" \
		--secure-port=0 --leader-elect=false --use-service-account-credentials=true \
		--service-account-private-key-file="$C/accounts.key" --root-ca-file="$C/ca.pem" \
		--service-cluster-ip-range="$KUBE_SERVICES" --node-monitor-grace-period=24h "$@"
}

# --- asking it ------------------------------------------------------------------------------------

# kube COMMAND…: kube-probe as administrator: `kube request GET /api/v1/nodes`, `kube nodes 5000`
kube() {
	"$LODEN_PEERS/kube-probe" -server "$KUBE_URL" -ca "$C/ca.pem" -cert "$C/admin.pem" -key "$C/admin.key" "$@"
}

# kube_as NAME COMMAND…: by the token $KUBE_CONF/NAME.token
kube_as() {
	token_=$KUBE_CONF/$1.token
	shift
	"$LODEN_PEERS/kube-probe" -server "$KUBE_URL" -ca "$C/ca.pem" -token "$token_" "$@"
}

# kube_code COMMAND…: what an API request is answered with: `kube_code kube_as flannel request GET /api/v1/pods`
kube_code() {
	"$@" 2>&1 >/dev/null | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p'
}

# kube_node_add NAME [SUBNET[,SUBNET6]]: a Node, with an annotation as kubelet's have: flanneld panics without any.
kube_node_add() {
	kube request POST /api/v1/nodes "$(jq -nc --arg name "$1" --arg cidrs "${2:-}" '
		{apiVersion: "v1", kind: "Node", metadata: {name: $name, annotations: {"node.alpha.kubernetes.io/ttl": "0"}},
		spec: ($cidrs | if . == "" then {} else split(",") | {podCIDR: .[0], podCIDRs: .} end)}')" >/dev/null 2>"$T/kube.out" ||
		fail "Node $1 cannot be created: $(cat "$T/kube.out")"
}

kube_node_del() {
	kube request DELETE "/api/v1/nodes/$1" >/dev/null 2>&1
}

# kube_node NAME FILTER: what a filter of jq makes of it
kube_node() {
	kube request GET "/api/v1/nodes/$1" 2>/dev/null | jq -r "$2"
}

# kube_forget: what was asked so far
kube_forget() {
	: >"$T/audit.json"
}

# kube_asked USER: what it wanted, from the audit log, a line each: verb, path with query, code. A watch is there from its
# start on.
kube_asked() {
	jq -r --arg user "$1" 'select(.user.username == $user)
		| select(.stage == if .verb == "watch" then "ResponseStarted" else "ResponseComplete" end)
		| "\(.verb) \(.requestURI) \(.responseStatus.code)"' "$T/audit.json"
}

# kube_patches USER [NODE]: what it wrote, a line each, as it was sent
kube_patches() {
	jq -c --arg user "$1" --arg node "${2:-}" 'select(.user.username == $user and .verb == "patch")
		| select($node == "" or .objectRef.name == $node) | .requestObject' "$T/audit.json"
}

# --- accounts -------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # for the tests
KUBE_ACCOUNT=system:serviceaccount:kube-flannel:flannel

# kube_flannel_account: namespace, account and rights as in flannel's manifest; $KUBE_CONF/flannel.token and .conf
kube_flannel_account() {
	rbac_=/apis/rbac.authorization.k8s.io/v1
	kube_make_ /api/v1/namespaces '{"metadata":{"name":"kube-flannel"}}'
	kube_make_ /api/v1/namespaces/kube-flannel/serviceaccounts '{"metadata":{"name":"flannel"}}'
	kube_make_ $rbac_/clusterroles '{"metadata":{"name":"flannel"},"rules":[
		{"apiGroups":[""],"resources":["pods"],"verbs":["get"]},
		{"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]},
		{"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]}]}'
	kube_make_ $rbac_/clusterrolebindings '{"metadata":{"name":"flannel"},
		"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"flannel"},
		"subjects":[{"kind":"ServiceAccount","name":"flannel","namespace":"kube-flannel"}]}'
	kube_token flannel
	kube_config flannel "{tokenFile: $KUBE_CONF/flannel.token}"
}

kube_make_() {
	wait_for 20 "made: $(echo "$2" | jq -r .metadata.name) in ${1##*/}" kube request POST "$1" "$2"
}

# kube_token NAME [SECONDS]: a fresh token of flannel's account, in $KUBE_CONF/NAME.token
kube_token() {
	kube request POST /api/v1/namespaces/kube-flannel/serviceaccounts/flannel/token \
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"expirationSeconds\":${2:-86400}}}" \
		2>/dev/null | jq -j .status.token >"$KUBE_CONF/$1.token"
}

# kube_mount NODE: flannel's account as kubelet mounts it into pods
kube_mount() {
	on "$1" mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
	on "$1" cp "$KUBE_CONF/flannel.token" /var/run/secrets/kubernetes.io/serviceaccount/token
	on "$1" cp "$C/ca.pem" /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
	on "$1" sh -c 'printf kube-flannel >/var/run/secrets/kubernetes.io/serviceaccount/namespace'
}

# kube_service NODE: the service network, which kube-proxy would bring: port 443 of its first address is the API server.
kube_service() {
	family_=ip
	[ "${KUBE_FAMILY:-4}" = 4 ] || family_=ip6
	on "$1" nft -f - <<-END
		table $family_ kube-service {
			chain out {
				type nat hook output priority -100
				$family_ daddr $KUBE_SERVICE tcp dport 443 dnat to $KUBE_AT:6443
			}
		}
	END
}

# --- faults ---------------------------------------------------------------------------------------
# The API server killed: stop kube-apiserver KILL; kube_api_start. Its etcd: stop kube-etcd KILL; kube_etcd_start.

# kube_cut NODE, kube_mend NODE: what it sends to the API server vanishes, and does no longer.
kube_cut() {
	on api nft add table inet "cut-$1"
	on api nft add chain inet "cut-$1" in '{ type filter hook input priority 0; }'
	on api nft add rule inet "cut-$1" in ip saddr \
		"$(on "$1" ip -4 -o addr show dev eth0 | sed 's/.* inet \([0-9.]*\).*/\1/')" drop
}

kube_mend() {
	on api nft delete table inet "cut-$1"
}

# kube_replace_certificate CA: the API server has a certificate of this authority from now on; its address stays.
kube_replace_certificate() {
	cert apiserver.new "$1" /CN=kube-apiserver "subjectAltName=$KUBE_SANS;extendedKeyUsage=serverAuth"
	mv "$C/apiserver.new.key" "$C/apiserver.key"
	mv "$C/apiserver.new.pem" "$C/apiserver.pem"
	wait_for 90 'the API server has another certificate' kube_shows "$(openssl x509 -noout -serial -in "$C/apiserver.pem")"
}

# kube_shows SERIAL: is that the certificate it shows?
kube_shows() {
	openssl s_client -connect "$KUBE_AT:6443" </dev/null 2>/dev/null | openssl x509 -noout -serial | grep -qxF "$1"
}

# kube_void_tokens: flannel's account is another; all its tokens are refused, the old ones soon, and a new one is in
# $KUBE_CONF/flannel.token
kube_void_tokens() {
	cp "$KUBE_CONF/flannel.token" "$KUBE_CONF/void.token"
	quiet kube request DELETE /api/v1/namespaces/kube-flannel/serviceaccounts/flannel
	kube_make_ /api/v1/namespaces/kube-flannel/serviceaccounts '{"metadata":{"name":"flannel"}}'
	kube_token flannel
	wait_for 60 'the old token is refused' kube_refuses void
}

kube_refuses() {
	[ "$(kube_code kube_as "$1" request GET /api/v1/nodes?limit=1)" = 401 ]
}

# kube_save, kube_restore: all it knows is what it was then, revisions and all, as from a backup.
kube_save() {
	# A process that stands still leaves what one that was killed leaves: etcd can begin with it.
	kill -STOP "$(pid_of kube-etcd)"
	until grep -q '^State:.T' "/proc/$(pid_of kube-etcd)/status"; do sleep 0.01; done
	rm -rf "$T/kube-etcd.saved"
	cp -r "$T/kube-etcd" "$T/kube-etcd.saved"
	kill -CONT "$(pid_of kube-etcd)"
}

kube_restore() {
	stop kube-apiserver KILL
	stop kube-etcd KILL
	rm -rf "$T/kube-etcd"
	cp -r "$T/kube-etcd.saved" "$T/kube-etcd"
	kube_etcd_start
	kube_api_start
}

# --- agents ---------------------------------------------------------------------------------------

# kube_conf JSON: the network's configuration, a file
kube_conf() {
	echo "$1" >"$T/net-conf.json"
}

# kube_flanneld_start, kube_agent_start NODE [FLAG…]: by a kubeconfig with the account's token; or, with KUBE_IN_POD=1, by
# what kube_mount and kube_service laid down
kube_flanneld_start() {
	kube_with_ "$1"
	shift
	# shellcheck disable=SC2086 # several words
	flanneld_start "$NODE_NAME" $kube_flags_ "$@"
	unset NODE_NAME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
}

kube_agent_start() {
	kube_with_ "$1"
	shift
	# shellcheck disable=SC2086 # several words
	on_bg "$NODE_NAME" "agent-$NODE_NAME" loden agent $kube_flags_ "$@"
	unset NODE_NAME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
}

kube_with_() {
	export NODE_NAME="$1"
	kube_flags_="--kube-subnet-mgr --net-config-path=$T/net-conf.json"
	if [ -n "${KUBE_IN_POD:-}" ]; then
		export KUBERNETES_SERVICE_HOST="$KUBE_SERVICE" KUBERNETES_SERVICE_PORT=443
	else
		kube_flags_="$kube_flags_ --kubeconfig-file=$KUBE_CONF/flannel.conf"
	fi
}
