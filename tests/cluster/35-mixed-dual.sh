#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# One dual-stack network, two daemons, with DirectRouting and without: pods on the real flanneld and on Loden reach each
# other in both families; a node that gets IPv6 later is found by flanneld in both; who leaves is forgotten.
# shellcheck disable=SC2119
. "$(dirname "$0")/flannel.sh"

# way NODE NODE FAMILY: the first one's route to the pods of the second.
way() {
	on "$1" ip "-$3" route show "$(cat "$T/${2}1.net$3")" | sed 's/ proto [a-z0-9]*//; s/ metric [0-9]*//; s/ pref [a-z]*//; s/ *$//'
}

# nets NODE: what its subnets are
nets() {
	on "$1" sed -n 's/^FLANNEL_SUBNET=\(.*\)\.1\/24$/\1.0\/24/p' /run/flannel/subnet.env >"$T/${1}1.net4"
	on "$1" sed -n 's/^FLANNEL_IPV6_SUBNET=\(.*\)::1\/64$/\1::\/64/p' /run/flannel/subnet.env >"$T/${1}1.net6"
}

# has_ways NODE COUNT: to so many other nodes, in both families
has_ways() {
	[ "$(on "$1" sh -c 'ip -4 route | grep -c "^10\.244\..*via"; ip -6 route | grep -c "^fd00:10:244:.*via"' | paste -sd ' ')" = "$2 $2" ]
}

key_holds_both() {
	etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 '"192.168.77.4"' >"$T/keys"
	[ "$(sed -n '1s/&.*//p' "$T/keys") $(grep -c '^/' "$T/keys")" = "$key 1" ]
}

etcd_start
for direct in false true; do
	echo "--- DirectRouting: $direct"
	etcd_conf "{\"Network\":\"10.244.0.0/16\",\"EnableIPv6\":true,\"IPv6Network\":\"fd00:10:244::/56\",\"Backend\":{\"Type\":\"vxlan\",\"DirectRouting\":$direct}}"
	n=0
	for i in f l g m; do
		n=$((n + 1))
		node_add "$i" "$n"
		dual_stack "$i" "$n"
	done
	flanneld_start f --ip-masq
	wait_for 60 'a flanneld runs' flanneld_runs f
	agent_start l --ip-masq
	wait_for 60 'Loden, later, is ready' on l loden status
	flanneld_start g --ip-masq
	wait_for 60 'another flanneld, later still, runs' flanneld_runs g
	# This one has no IPv6 at first.
	on m ip addr del fd77::4/64 dev eth0
	agent_start m --ip-masq
	wait_for 60 'another Loden, without IPv6, is ready' on m loden status
	for i in f l g; do
		pod_add "$i" "${i}1"
		nets "$i"
	done
	wait_for 60 'it has flanneld as peer' quiet on m sh -c 'loden status --json | jq -e ".peers_verified == 3"'
	for i in f l g; do wait_for 60 "$i has it as peer" quiet on "$i" ping -qnc 1 -W 1 "$(on m sed -n 's/^FLANNEL_SUBNET=\(.*\)\/24/\1/p' /run/flannel/subnet.env)"; done
	key=$(etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 '"192.168.77.4"' | head -n 1)
	on m sh -c 'ip addr add fd77::4/64 dev eth0 nodad; ip route replace default via fd77::fe'
	wait_for 60 'it gets IPv6' works m ipv6
	wait_for 10 'its key holds both, and the same IPv4 subnet' key_holds_both
	pod_add m m1
	nets m
	for i in f l g m; do wait_for 60 "$i has a way to each other node in both families" has_ways "$i" 3; done
	all_ping 'both families, whoever came first' f1 l1 g1 m1
	want_match "in both: pods' addresses" : "$(cat "$T/f1.ip6" "$T/l1.ip6" "$T/m1.ip6" | paste -sd ' ')"
	if [ $direct = true ]; then
		want_eq 'Loden to flanneld: directly' "$(cat "$T/f1.net4") via 192.168.77.1 dev eth0" "$(way l f 4)"
		want_eq 'in IPv6, too' "$(cat "$T/f1.net6") via fd77::1 dev eth0" "$(way l f 6)"
		want_eq 'flanneld to Loden: directly' "$(cat "$T/l1.net4") via 192.168.77.2 dev eth0" "$(way f l 4)"
		want_eq 'in IPv6, too' "$(cat "$T/l1.net6") via fd77::2 dev eth0" "$(way f l 6)"
	else
		want_match 'Loden to flanneld: through the overlay' 'dev flannel\.1 ' "$(way l f 4)"
		want_match 'in IPv6, too' 'dev flannel-v6\.1' "$(way l f 6)"
		want_match 'flanneld to Loden: through the overlay' 'dev flannel\.1 ' "$(way f l 4)"
		want_match 'in IPv6, too' 'dev flannel-v6\.1' "$(way f l 6)"
	fi
	want_eq 'all have written the same MTU' 1 "$(for i in f l g m; do on "$i" grep FLANNEL_MTU /run/flannel/subnet.env; done | sort -u | wc -l)"
	for i in l m; do wait_for 10 "$i: the kernel equals the plan" on "$i" loden plan; done

	agent_stop m
	want_exit 'Loden leaves for good' 0 on m loden uninstall --all --lease
	for i in f l g; do wait_for 60 "$i forgets it in both families" has_ways "$i" 2; done
	stop flanneld-g KILL
	etcdctl_ del "$(etcdctl_ get --prefix /coreos.com/network/subnets/ | grep -B1 '"192.168.77.3"' | head -n 1)" >/dev/null
	wait_for 60 'a flanneld that is gone for good is forgotten in both families' has_ways l 1
	all_ping 'those that stay' f1 l1
	flanneld_stop f
	agent_stop l
	for i in f l g m; do node_del "$i"; done
	etcdctl_ del --prefix /coreos.com/network/subnets/ >/dev/null
done
