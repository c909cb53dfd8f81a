#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /healthz and /readyz: flanneld's bytes, but ready only while the kernel equals the plan.
. "$(dirname "$0")/lib.sh"

# http_is PATH ANSWER
http_is() {
	[ "$(http "$1" 10253)" = "$2" ]
}

node_add a
etcd_start
agent_start a --healthz-port=10253
wait_for 5 'alive before there is a network' http_is /healthz 'HTTP/1.1 200 OK flanneld is running'
not_ready='HTTP/1.1 503 Service Unavailable flanneld is not ready yet'
ready='HTTP/1.1 200 OK flanneld is ready'
want_eq 'not ready' "$not_ready" "$(http /readyz 10253)"
want_eq 'nothing else' 'HTTP/1.1 404 Not Found 404 page not found' "$(http /statsz 10253)"
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 10 'ready' http_is /readyz "$ready"
want_exit 'status agrees' 0 on a loden status

# Somebody else takes our subnet: the pods stay, but we are not ready, and say so.
key=$(etcdctl_ get --prefix --keys-only /coreos.com/network/subnets/ | head -n 1)
subnet=$(basename "$key" | tr - /)
etcd_peer "$subnet" 192.168.77.99 02:00:00:00:00:99
wait_for 10 'not ready when the subnet is taken' http_is /readyz "$not_ready"
want_exit 'status agrees' 1 on a loden status
want_match 'and names the cause' "$subnet" "$out"
want_eq 'alive' 'HTTP/1.1 200 OK flanneld is running' "$(http /healthz 10253)"
want_eq 'by its other name' 'HTTP/1.1 200 OK flanneld is running' "$(http /livez 10253)"
etcdctl_ del "$key" >/dev/null
wait_for 10 'ready when it is ours again' http_is /readyz "$ready"

# A dozen clients that say nothing lock nobody out.
# shellcheck disable=SC2016 # expanded by the inner shell
on_bg a idle bash -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	eval "exec 2$i<>/dev/tcp/127.0.0.1/10253"; done; sleep 60'
crowd() {
	[ "$(on a ss -Htn state established sport = :10253 | wc -l)" -ge 8 ]
}
wait_for 5 'a crowd is connected' crowd
want_eq 'and there is an answer' "$ready" "$(http /readyz 10253)"
stop idle
agent_stop a

# The port is taken: a note, no end; had as soon as it is free.
on_bg a thief etcd --data-dir "$T/thief" --listen-client-urls http://127.0.0.1:10253 \
	--advertise-client-urls http://127.0.0.1:10253 --listen-peer-urls http://127.0.0.1:10254 \
	--initial-advertise-peer-urls http://127.0.0.1:10254 \
	--initial-cluster default=http://127.0.0.1:10254
port_taken() {
	on a ss -Hltn sport = :10253 | grep -q LISTEN
}
wait_for 10 'somebody has the port' port_taken
agent_start a --healthz-port=10253
wait_for 10 'the agent is ready all the same' on a loden status
want_match 'and says so' 'note .*cannot listen on 0.0.0.0 port 10253: Address already in use' \
	"$(on a loden status)"
stop thief KILL
wait_for 20 'it is had when free' http_is /readyz "$ready"
want_no_match 'and no longer said' 'cannot listen' "$(on a loden status)"
