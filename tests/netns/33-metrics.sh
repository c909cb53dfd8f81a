#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /metrics: text that Prometheus can read, by which a repair, a peer and a lease source that is away are seen.
. "$(dirname "$0")/lib.sh"

# metrics: what the node answers to somebody on its network
metrics() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	bash -c 'exec 3<>/dev/tcp/192.168.77.1/8081
		printf "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" >&3; cat <&3' >"$T/metrics" && sed '1,/^\r$/d' "$T/metrics"
}

# metric NAME [LABEL]: the sum of its samples that have this label
metric() {
	metrics | awk -v name="$1" -v label="${2:-}" 'index($1, name) == 1 && substr($1, length(name) + 1) ~ /^({|$)/ &&
		index($1, label) { sum += $2; n++ } END { print n ? sum : "none" }'
}

metric_is() { # NAME LABEL VALUE
	[ "$(metric "$1" "$2")" = "$3" ]
}

node_add a
etcd_start
agent_start a --healthz-ip=192.168.77.1 --healthz-port=8081 --audit-interval=3600
wait_for 10 'there is an answer before there is a network' metric_is loden_ready '' 0
want_eq 'nothing was ever verified' none "$(metric loden_verified_age_seconds)"
want_eq 'at that address alone' 192.168.77.1:8081 "$(on a ss -Hltn sport = :8081 | awk '{ print $4 }')"
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
etcd_peer 10.244.9.0/24 192.168.77.9 02:00:00:00:00:09
wait_for 20 'ready' metric_is loden_ready '' 1
wait_for 20 'a peer' metric_is loden_peers verified 1
want_eq 'the source answers' 0 "$(metric loden_api_sync_age_seconds)"
want_eq 'and the uplink is up' 1 "$(metric loden_uplink_up)"
want_eq 'one family' 1 "$(metric loden_family_works)"

metrics >"$T/text"
want_match 'as Prometheus knows it' 'Content-Type: text/plain; version=0.0.4; charset=utf-8' "$(cat "$T/metrics")"
label='[a-z]+="([^"\\]|\\\\)*"'
want_eq 'each line is a comment or a sample' '' \
	"$(grep -Ev "^(# (HELP|TYPE) loden_[a-z_]+ .+|loden_[a-z_]+(\{$label(,$label)*\})? [0-9]+(\.[0-9]+)?)\$" "$T/text" || :)"

routes=$(metric loden_heals_total 'kind="route"') neighbours=$(metric loden_heals_total 'kind="neigh"')
on a ip route del 10.244.9.0/24
wait_for 20 'a route that was deleted counts' metric_is loden_heals_total 'kind="route"' $((routes + 1))
want_eq 'neighbours do not' "$neighbours" "$(metric loden_heals_total 'kind="neigh"')"
want_eq 'the status says the same' $((routes + 1)) "$(fact a '[.heals[] | select(.kind == "route") | .n] | add')"
etcdctl_ del --prefix /coreos.com/network/subnets/10.244.9.0 >/dev/null
wait_for 20 'who goes is no peer any more' metric_is loden_peers verified 0
want_no_match 'and what was his is swept' '^(none|0)$' "$(metric loden_swept_total)"

etcd_stop KILL
sync_age_grows() {
	[ "$(metric loden_api_sync_age_seconds)" != 0 ]
}
wait_for 60 'etcd is away' sync_age_grows
want_eq 'the network stands' 1 "$(metric loden_ready)"
