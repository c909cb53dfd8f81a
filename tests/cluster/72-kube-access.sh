#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# Each way into a real API server: as a pod, also where the service network does not work; by kubeconfigs with tokens,
# certificates and plugins; and what is said of those that lead nowhere. (S4-01)
. "$(dirname "$0")/kube.sh"

kube_up
kube_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
node_add a 1
kube_node_add a 10.244.1.0/24

# kubeconfig CLUSTER USER: in YAML
kubeconfig() {
	cat >"$KUBE_CONF/flannel.conf" <<-END
		current-context: test
		contexts: [{name: test, context: {cluster: test, user: me}}]
		clusters: [{name: test, cluster: {$1}}]
		users:
		- name: me
		  user: {$2}
	END
}
SERVER="server: '$KUBE_URL', certificate-authority: $C/ca.pem"
works() {
	kube_agent_start a --iface=eth0
	wait_for 30 "$1" settled a
	agent_stop a
}
# works_not WHAT CAUSE
works_not() {
	kube_agent_start a --iface=eth0
	wait_for 30 "$1" problem_is a "$2"
	agent_stop a
}
data() {
	base64 -w 0 "$1"
}

echo '--- kubeconfigs'
kubeconfig "$SERVER" "tokenFile: flannel.token"
works 'the file of a token'
kubeconfig "$SERVER, tls-server-name: kubernetes.default.svc" "token: $(cat "$KUBE_CONF/flannel.token")"
works 'a token, and another name'
kubeconfig "server: '$KUBE_URL', certificate-authority-data: $(data "$C/ca.pem")" \
	"client-certificate-data: $(data "$C/admin.pem"), client-key-data: $(data "$C/admin.key")"
works 'all of it as data'
kubeconfig "server: '$KUBE_URL', insecure-skip-tls-verify: true" "tokenFile: flannel.token"
works 'whoever answers'
want_match 'is said' 'kube\.insecure' "$(agent_log a)"

echo '--- a credential plugin'
cat >"$KUBE_CONF/plugin" <<'END'
#!/bin/sh
echo run >>"${0%/*}/plugin.runs"
. "${0%/*}/plugin.answer"
END
chmod +x "$KUBE_CONF/plugin"
# answer STATUS (JSON)
answer() {
	printf "%s\n" "cat <<'JSON'" "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":$1}" \
		JSON >"$KUBE_CONF/plugin.answer"
}
PLUGIN="exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}"
kubeconfig "$SERVER" "$PLUGIN"
answer "$(jq -Rsc '{token: .}' <"$KUBE_CONF/flannel.token")"
: >"$KUBE_CONF/plugin.runs"
works 'a token'
want_eq 'it was run once' 1 "$(wc -l <"$KUBE_CONF/plugin.runs")"
answer "$(jq -nc --rawfile c "$C/admin.pem" --rawfile k "$C/admin.key" \
	'{clientCertificateData: $c, clientKeyData: $k}')"
works 'a certificate'
echo 'echo no money >&2; exit 3' >"$KUBE_CONF/plugin.answer"
works_not 'it fails' 'the plugin .*/plugin ended with code 3: no money'
echo 'exec sleep 1000' >"$KUBE_CONF/plugin.answer"
works_not 'it hangs' 'the plugin .*/plugin has not told us yet who we are'
no_plugin() {
	! pgrep -f '^sleep 1000$' >/dev/null
}
wait_for 20 'nor does it outlive us' no_plugin

echo '--- what leads nowhere'
answer '{"token":"none.of.ours"}'
works_not 'the token of nobody' '401 Unauthorized.*we came with what the plugin .*/plugin said'
kubeconfig "$SERVER" "tokenFile: none"
works_not 'no token' "none: No such file or directory"
kubeconfig "$SERVER, tls-server-name: api.example" "tokenFile: flannel.token"
works_not 'another name' 'is not for api\.example: it is for 192\.168\.77\.253'
kubeconfig "server: '$KUBE_URL'" "tokenFile: flannel.token"
works_not 'another authority' "signed by .*, which is not in the system's authorities"
kubeconfig "server: 'http://$KUBE_HOST:6443'" "tokenFile: flannel.token"
works_not 'not TLS' 'write https://'
kubeconfig "server: 'https://$KUBE_HOST:1', certificate-authority: $C/ca.pem" "tokenFile: flannel.token"
export HTTPS_PROXY=http://proxy.example:3128
works_not 'refused, and a proxy that we do not use' 'refused.*HTTPS_PROXY is set'
unset HTTPS_PROXY

echo '--- a pod without the service network'
kube_mount a
on a mkdir -p /var/lib/loden
on a sh -c "echo $KUBE_HOST:6443 >/var/lib/loden/api-servers"
KUBE_IN_POD=1 works 'by the address that is remembered'
