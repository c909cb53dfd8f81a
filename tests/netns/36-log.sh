#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever peers write into etcd, a log line stays one line, and a terminal unharmed.
. "$(dirname "$0")/lib.sh"

node_add a
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
nl='
'
esc=$(printf '\033')
etcdctl_ put "/coreos.com/network/subnets/10.244.7.0-24$nl$(date -u +%FT%TZ) error forged.event x=1" '{}' >/dev/null
etcdctl_ put "/coreos.com/network/subnets/${esc}[2Jx" "{\"PublicIP\":\"${esc}[31m\"}" >/dev/null
etcdctl_ put /coreos.com/network/subnets/10.244.6.0-24 \
	"{\"PublicIP\":\"192.168.77.6\",\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"evil${esc}\\\"\\n\"}}" >/dev/null
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
agent_start a -v=1
wait_for 10 'malformed leases do not hide the good one' \
	on a ip route get 10.244.9.1 oif flannel.1
wait_for 5 'ready' on a loden status
want_no_match 'no forged line' '^[^ ]* error forged.event' "$(agent_log a)"
want_eq 'every line is an event' 0 \
	"$(agent_log a | grep -Evc '^[0-9-]{10}T[0-9:.]{12}Z (error|warn|info|debug) [a-z_]+\.[a-z_]+( |$)' || :)"
want_eq 'no control bytes' 0 "$(agent_log a | grep -c '[[:cntrl:]]' || :)"
want_eq 'nor in the status' 0 "$(on a loden status | grep -c '[[:cntrl:]]' || :)"
