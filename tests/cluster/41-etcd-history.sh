#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 540
# etcd's past changes under running agents: compacted while they are cut off, restored from a backup (the
# revision goes backwards), another cluster's etcd in its place. Pods keep talking, the cause is named,
# and all is well again without a restart.
# shellcheck disable=SC2016
. "$(dirname "$0")/../netns/lib.sh"

etcd_start
etcd_conf '{"Network":"10.244.0.0/16","SubnetMax":"10.244.200.0","Backend":{"Type":"vxlan"}}'
nodes='a b'
for n in $nodes; do
	node_add "$n"
	agent_start "$n" --healthz-port=10256
done
for n in $nodes; do wait_for 15 "$n is ready" on "$n" loden status; done
etcd_peer 10.244.250.0/24 192.168.77.250 02:00:00:00:00:fa

gateway() { on "$1" sh -c '. /run/flannel/subnet.env; echo ${FLANNEL_SUBNET%/*}'; }
has_no_route() { [ -z "$(on "$1" ip route show "$2" proto 102)" ]; }
fact_is() { [ "$(fact "$1" "$2")" = "$3" ]; }
logged() { agent_log "$1" | grep -Eq -- "$2"; }
key_of() { on "$1" sh -c '. /run/flannel/subnet.env; echo /coreos.com/network/subnets/${FLANNEL_SUBNET%.1/24}.0-24'; }

has_key() { etcdctl_ get "$1" | grep -q PublicIP; }

wait_for 10 'a has all peers' has_route a 10.244.250.0/24
env_a=$(on a cat /run/flannel/subnet.env)
on_bg a ping ping -ni 0.02 "$(gateway b)"
sleep 0.5

echo '--- a backup; then somebody comes, after it'
etcdctl_ snapshot save "$T/backup" >"$T/backup.log" 2>&1
etcd_peer 10.244.251.0/24 192.168.77.251 02:00:00:00:00:fb
wait_for 5 'the newcomer is there' has_route a 10.244.251.0/24

echo '--- cut off (reset, so that it is noticed at once), changed, compacted, back'
nft add table ip cut '{ chain in { type filter hook input priority 0; ip saddr 192.168.77.1 tcp dport 2379 reject with tcp reset; }; }'
wait_for 60 'the cut is named' logged a 'etcd.down problem="192.168.77.254:2379: (connection re|timed out)'
for i in 1 2 3; do etcd_peer "10.244.25$((1 + i)).0/24" "192.168.77.25$((1 + i))" "02:00:00:00:01:0$i"; done
etcdctl_ del /coreos.com/network/subnets/10.244.250.0-24 >/dev/null
etcdctl_ compact "$(etcdctl_ get x -w json | jq .header.revision)" >/dev/null
nft delete table ip cut
wait_for 40 'a lists anew' logged a 'etcd.list_again why="our revision was compacted"'
for i in 2 3 4; do wait_for 5 "and has the peer 25$i" has_route a "10.244.25$i.0/24"; done
wait_for 5 'what went meanwhile is swept' has_no_route a 10.244.250.0/24
want_eq 'ready' true "$(fact a .ready)"

echo '--- restored from the backup: the revision goes backwards, newer peers are unknown to it'
# restored NETWORK_TOKEN: as its data directory
etcd_stop KILL
rm -rf "$T/etcd"
etcdctl_ snapshot restore "$T/backup" --name test --data-dir "$T/etcd" \
	--initial-cluster test=http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 >>"$T/backup.log" 2>&1
etcd_start
for n in $nodes; do
	wait_for 60 "$n says why it lists anew" logged "$n" 'etcd.list_again why="(etcd went back in time|this is another etcd than before)"'
	wait_for 20 "$n is ready" fact_is "$n" .ready true
done
wait_for 5 'a peer of the backup is back' has_route a 10.244.250.0/24
want_eq 'a keeps its subnet' "$env_a" "$(on a cat /run/flannel/subnet.env)"
for n in $nodes; do
	# Its lease was in the backup, or is written again.
	wait_for 10 "$n's key is there" has_key "$(key_of "$n")"
done

echo '--- in its place one that holds nothing: wiped, or another cluster'"'"'s. Nothing is written there'
for n in $nodes; do wait_for 30 "$n has all peers" has_route "$n" 10.244.250.0/24; done
routes_b=$(on b ip route show proto 102)
etcd_stop KILL
mv "$T/etcd" "$T/etcd.ours"
etcd_start
for n in $nodes; do
	wait_for 60 "$n says what is missing, where, and what to do" problem_is "$n" \
		'etcd 192.168.77.254:2379 has no key /coreos.com/network/config, .*--etcd-endpoints.*create the key'
	want_eq "$n is not ready" false "$(fact "$n" .ready)"
	want_eq "$n: but its IPv4 works" true "$(fact "$n" .families.ipv4.works)"
done
agent_kill a
agent_start a --healthz-port=10256
wait_for 20 'a, started from disk, says so too' problem_is a 'has no key /coreos.com/network/config'
sleep 12 # longer than the shrink guard holds
want_eq 'nothing was written there' '' "$(etcdctl_ get --prefix /coreos.com --keys-only)"
want_eq 'no etcd lease either' 'found 0 leases' "$(etcdctl_ lease list)"
wait_for 10 'a has its peers, from disk' has_route a 10.244.250.0/24
want_eq 'no peer of b went' "$routes_b" "$(on b ip route show proto 102)"
want_calm 'b is calm' agent-b 5 150
etcd_stop KILL
rm -rf "$T/etcd"
mv "$T/etcd.ours" "$T/etcd"
etcd_start
for n in $nodes; do wait_for 60 "$n is ready again" fact_is "$n" .ready true; done
want_eq 'a keeps its subnet' "$env_a" "$(on a cat /run/flannel/subnet.env)"

echo '--- in its place the etcd of another cluster, with another network and its own nodes'
for i in 1 2 3; do etcd_peer "10.244.25$i.0/24" "192.168.77.25$i" "02:00:00:00:02:0$i"; done
wait_for 10 'before' has_route a 10.244.253.0/24
peers=$(fact a .peers_verified)
# Seen only when all is in it: what it is without a configuration was shown above.
nft add table ip cut '{ chain in { type filter hook input priority 0; ip saddr { 192.168.77.1, 192.168.77.2 } tcp dport 2379 reject with tcp reset; }; }'
etcd_stop KILL
mv "$T/etcd" "$T/etcd.ours"
etcd --name other --data-dir "$T/other" --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls "$ETCD_URL" \
	--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
	--initial-cluster other=http://127.0.0.1:2380 --initial-cluster-token another >"$T/other.log" 2>&1 &
echo $! >"$T/etcd.pid"
wait_for 15 'the other etcd answers' etcdctl_ endpoint health
etcd_conf '{"Network":"10.99.0.0/16","Backend":{"Type":"vxlan"}}'
for i in 1 2 3 4; do etcd_peer "10.99.$i.0/24" "192.168.88.$i" "02:00:00:00:09:0$i"; done
nft delete table ip cut
for n in $nodes; do
	wait_for 60 "$n says that it is another" logged "$n" 'etcd.list_again why="this is another etcd than before"'
	wait_for 10 "$n is not ready" fact_is "$n" .ready false
	wait_for 10 "$n says why, in one line" problem_is "$n" '^pods use 10.244.*not in Network 10.99.0.0/16 .*another cluster.s etcd'
	want_eq "$n: one line" 1 "$(fact "$n" .problem | wc -l)"
	want_eq "$n: /readyz" 'HTTP/1.1 503 Service Unavailable flanneld is not ready yet' "$(http /readyz 10256 "$n")"
done
sleep 12 # longer than the shrink guard holds
want_eq 'no peer of ours went' "$peers" "$(fact a .peers_verified)"
want_eq 'no route to any of theirs' '' "$(on a ip route show | grep '^10\.99\.' || :)"
want_eq 'nothing was written there in our name' '' \
	"$(etcdctl_ get --prefix /coreos.com/network/subnets --print-value-only | grep -E '192\.168\.77\.[12]"' || :)"
want_calm 'a is calm' agent-a 5 150

echo '--- ours is back'
etcd_stop KILL
mv "$T/etcd.ours" "$T/etcd"
etcd_start
for n in $nodes; do wait_for 60 "$n is ready" fact_is "$n" .ready true; done
etcd_peer 10.244.249.0/24 192.168.77.249 02:00:00:00:00:f9
wait_for 10 'and follows' has_route a 10.244.249.0/24
ping_stop ping
want_eq 'pings lost through all of it' 0 "$lost"
