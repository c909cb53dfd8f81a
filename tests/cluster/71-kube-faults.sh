#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# What the tests with Kubernetes can do to a control plane does happen: an agent that notices nothing would prove nothing.
# shellcheck disable=SC2119 # flags of the API server
. "$(dirname "$0")/kube.sh"

kube_up
node_add a 1
kube_node_add one 10.244.1.0/24

code() {
	kube_code kube_as flannel request GET "$1"
}
revision() {
	kube request GET '/api/v1/nodes?limit=1' 2>/dev/null | jq -r .metadata.resourceVersion
}
answers() {
	on a timeout "${patience_s:-60}" "$LODEN_PEERS/kube-probe" -server "$KUBE_URL" -ca "$C/ca.pem" -token "$KUBE_CONF/flannel.token" \
		request GET /api/v1/nodes/one
}

echo '--- a node is cut off'
want_exit 'it asks' 0 answers
kube_cut a
patience_s=2
want_exit 'into a black hole' 124 answers
patience_s=
want_eq 'of which others see nothing' 200 "$(code /api/v1/nodes/one)"
kube_mend a
want_exit 'mended' 0 answers

echo '--- killed'
stop kube-apiserver KILL
want_exit 'refused' 1 answers
want_match 'by nobody being there' 'connection refused' "$out"
kube_api_start
want_exit 'back' 0 answers

echo '--- tokens are void'
kube_void_tokens
want_eq 'the new one is not' 200 "$(code /api/v1/nodes/one)"

echo '--- a certificate of another authority'
ca other 'another'
kube_replace_certificate other
want_exit 'unknown' 1 answers
want_match 'so it says' 'unknown authority' "$out"
kube_replace_certificate ca
want_exit 'and ours again' 0 answers

echo '--- back to a backup'
kube_save
kube_node_add two 10.244.2.0/24
kube_node_del one
kube nodes 100 100
now=$(revision)
want_eq 'who was deleted' 404 "$(code /api/v1/nodes/one)"
kube_restore
want_exit 'revisions went back' 0 [ "$(revision)" -lt "$now" ]
want_eq 'who was deleted is there' 200 "$(code /api/v1/nodes/one)"
want_eq 'who came since is not' 404 "$(code /api/v1/nodes/two)"
