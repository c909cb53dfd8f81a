#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What flanneld left of its firewall, in any condition: all of it goes, nothing of others', and what cannot go
# or has no counterpart of ours is named and hurts nobody.
. "$(dirname "$0")/lib.sh"

# As flanneld v0.28 makes them, by iptables-restore.
left() { # TOOL CLUSTER POD MULTICAST
	on a "$1-restore" --noflush <<END
*nat
:FLANNEL-POSTRTG - [0:0]
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s $3 -d $2 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s $2 ! -d $4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
COMMIT
*filter
:FLANNEL-FWD - [0:0]
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FLANNEL-FWD -s $2 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d $2 -m comment --comment "flanneld forward" -j ACCEPT
COMMIT
END
}

left4() {
	left iptables-nft 10.244.0.0/16 10.244.1.0/24 224.0.0.0/4
}

rules() { # without counters
	on a iptables-nft-save 2>/dev/null | grep '^-A' | grep -v loden
}

flannel_left() {
	on a sh -c 'iptables-nft-save; ip6tables-nft-save; nft list tables' 2>/dev/null |
		grep -Eo 'FLANNEL-[A-Z]+|flannel-ipv[46]' | sort -u
}

left_is() {
	[ "$(flannel_left)" = "$1" ]
}

node_add a
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
on a iptables-nft -P FORWARD DROP
on a iptables-nft -t nat -A POSTROUTING -s 172.30.0.0/16 -j MASQUERADE
on a iptables-nft -A FORWARD -s 172.30.0.0/16 -j ACCEPT
left4
left ip6tables-nft fd00:10:244::/56 fd00:10:244:1::/64 ff00::/8
left4 # twice: two jumps
on a iptables-nft -t nat -A POSTROUTING -s 172.31.0.0/16 -j MASQUERADE
on a iptables-nft -A FORWARD -s 172.31.0.0/16 -j ACCEPT
on a nft add table ip flannel-ipv4
on a nft add table ip6 flannel-ipv6
on a nft add table inet flannel-ipv4
others=$(rules | grep -v FLANNEL)

agent_start a --ip-masq
wait_for 10 'ready' settled a
wait_for 5 'all of it goes, both families, two jumps, both tables' on a sh -c '! nft list ruleset 2>/dev/null | grep -E "FLANNEL|table ip6? flannel"'
want_eq 'rules of others are as they were' "$others" "$(rules)"
want_match 'a table of that name in another family is not it' 'table inet flannel-ipv4' "$(on a nft list tables)"
on a nft delete table inet flannel-ipv4
want_exit 'the kernel equals the plan' 0 on a loden plan

# --- in the form that iptables-save and -restore leave ---------------------------------------------

agent_stop a
left4
on a sh -c 'iptables-nft-save >/tmp/saved; iptables-nft-restore </tmp/saved; rm /tmp/saved' 2>/dev/null
agent_start a --ip-masq
wait_for 10 'ready' settled a
wait_for 5 'saved and restored: all of it goes' left_is ''

# --- somebody else jumps there ---------------------------------------------------------------------

agent_stop a
left4
on a iptables-nft -N ADMIN
on a iptables-nft -A ADMIN -s 10.1.0.0/16 -j FLANNEL-FWD
agent_start a --ip-masq
wait_for 10 'ready, though a chain cannot go' settled a
want_eq 'that one stays, the other goes' FLANNEL-FWD "$(flannel_left)"
want_match 'the status says why' 'done without: fw_chain.del ip filter FLANNEL-FWD.*busy' "$(on a loden status)"
want_match 'its jump from FORWARD stays with it' 'A FORWARD .*FLANNEL-FWD' "$(rules)"
on a iptables-nft -F ADMIN
wait_for 20 'once nobody jumps there any more, it goes' left_is ''
wait_for 5 'nothing to say any more' on a sh -c '! loden status | grep -q "done without"'

# --- nothing of ours in its place ------------------------------------------------------------------

agent_stop a
left4
agent_start a
wait_for 10 'without --ip-masq: ready' settled a
want_eq 'accepts go, masquerade stays' FLANNEL-POSTRTG "$(flannel_left)"
notes=$(on a loden status | grep 'earlier flanneld')
want_match 'and is named' 'chain nat FLANNEL-POSTRTG of an earlier flanneld is still in force: without --ip-masq' "$notes"
printf '%s\n' "$notes" | sed 's/.* run: //' >"$T/commands"
want_exit 'with commands that remove it' 0 on a sh -e "$T/commands"
wait_for 5 'then nothing is left' left_is ''
wait_for 5 'nor said' on a sh -c '! loden status | grep -q "earlier flanneld"'
