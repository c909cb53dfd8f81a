#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Records the answers of a real API server to tests/unit/wire/kube; as root, by hand:
#
#	sh tests/cluster/kube-record.sh
#
# Nobody's cluster is in them: certificates, tokens and Nodes are made for the recording and gone after it.
here=$(cd "$(dirname "$0")/../unit/wire/kube" && pwd)
KUBE_ETCD=3.6
. "$(dirname "$0")/kube.sh"

PB=application/vnd.kubernetes.protobuf
META='g=meta.k8s.io;v=v1'
NODES=/api/v1/nodes
ALL='watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'

# shellcheck disable=SC2016 # Markdown
# said FILE METHOD PATH ACCEPT: what the request was and how it ended
said() {
	printf '| %s | `%s %s` | `%s` | %s | `%s` |\n' "$1" "$2" "$3" "$4" "$(sed -n '1s/^[^ ]* //p' "$T/head")" \
		"$(sed -n 's/^Content-Type: //p' "$T/head")" >>"$T/table"
}

# record FILE METHOD PATH ACCEPT [WHO]
record() {
	"${5:-kube}" -accept "$4" request "$2" "$3" >"$here/$1" 2>"$T/head" || :
	said "$@"
}

# watches FILE PATH ACCEPT: all that happens to Nodes meanwhile
watches() {
	kube -accept "$3" request GET "$2&timeoutSeconds=8" >"$here/$1" 2>"$T/head" &
	watch_=$!
	wait_for 5 'the watch is there' test -s "$T/head"
	sleep 1
	kube_node_add new 10.244.9.0/24
	kube -type application/strategic-merge-patch+json request PATCH $NODES/new/status \
		'{"metadata":{"annotations":{"flannel.alpha.coreos.com/public-ip":"192.168.77.9"}}}' >"$T/out" 2>&1
	kube_node_del new
	wait "$watch_" || :
	said "$1" GET "$2&timeoutSeconds=8" "$3"
}

as_flannel() { kube_as flannel "$@"; }
as_nobody() { kube_as nobody "$@"; }

# as_of ACCEPT KIND
as_of() {
	echo "$1;as=$2;$META"
}

kube_up
echo nonsense >"$KUBE_CONF/nobody.token"

# The first two are as big as real ones; one has both families, one no subnet, one no flannel.
kube -cidr6 fd00:10:244::/48 nodes 1 1
kube nodes 1 2
kube_node_add x-plain 10.244.3.0/24
kube_node_add x-waiting

record list.pb GET "$NODES?limit=2" $PB
record list.json GET "$NODES?limit=2" application/json
record list-meta.pb GET "$NODES?limit=2" "$(as_of $PB PartialObjectMetadataList)"
record list-meta.json GET "$NODES?limit=2" "$(as_of application/json PartialObjectMetadataList)"
record list-all-meta.pb GET "$NODES" "$(as_of $PB PartialObjectMetadataList)"
next=$(jq -r .metadata.continue "$here/list.json")
record list-next.pb GET "$NODES?limit=2&continue=$next" $PB
record list-empty.pb GET "$NODES?labelSelector=none" $PB
record list-empty-meta.pb GET "$NODES?labelSelector=none" "$(as_of $PB PartialObjectMetadataList)"
record node.pb GET "$NODES/worker-00001" $PB
record node-meta.pb GET "$NODES/worker-00001" "$(as_of $PB PartialObjectMetadata)"
record node-waiting.pb GET "$NODES/x-waiting" $PB

record status-401.pb GET "$NODES" $PB as_nobody
record status-401.json GET "$NODES" application/json as_nobody
record status-403.pb GET /api/v1/pods $PB as_flannel
record status-403.json GET /api/v1/pods application/json as_flannel
record status-404.pb GET "$NODES/nobody" $PB
record status-404.json GET "$NODES/nobody" application/json
record status-406.json GET "$NODES" text/html
record status-400.pb GET "$NODES?continue=nonsense" $PB

watches watch.pb "$NODES?$ALL" $PB
watches watch.json "$NODES?$ALL" application/json
watches watch-meta.pb "$NODES?$ALL" "$(as_of $PB PartialObjectMetadata)"
watches watch-meta.json "$NODES?$ALL" "$(as_of application/json PartialObjectMetadata)"

# The past is forgotten: etcd's by its compaction, the server's own by its restart.
revision=$(kube_etcdctl get / --write-out=json | jq .header.revision)
kube_etcdctl compact "$revision" >/dev/null
stop kube-apiserver
# shellcheck disable=SC2119
kube_api_start
record watch-gone.pb GET "$NODES?watch=true&allowWatchBookmarks=true&resourceVersion=1" $PB
record watch-gone.json GET "$NODES?watch=true&allowWatchBookmarks=true&resourceVersion=1" application/json
record watch-gone-meta.pb GET "$NODES?watch=true&allowWatchBookmarks=true&resourceVersion=1" "$(as_of $PB PartialObjectMetadata)"
record status-410.pb GET "$NODES?limit=2&continue=$next" $PB
record status-410.json GET "$NODES?limit=2&continue=$next" application/json
record status-504.pb GET "$NODES?resourceVersion=999999999&resourceVersionMatch=NotOlderThan" $PB

# Debian's etcd cannot be asked how far it is.
kube_down
KUBE_ETCD=3.4
rm -rf "$C" "$KUBE_CONF"
mkdir "$C" "$KUBE_CONF"
kube_up
kube_node_add x-plain 10.244.3.0/24
record watch-refused.pb GET "$NODES?$ALL&timeoutSeconds=8" $PB
record watch-refused.json GET "$NODES?$ALL&timeoutSeconds=8" application/json

{
	sed '/^| file /,$d' "$here/README.md"
	echo '| file | request | Accept | answer | Content-Type |'
	echo '|---|---|---|---|---|'
	cat "$T/table"
} >"$T/README.md"
cp "$T/README.md" "$here"
