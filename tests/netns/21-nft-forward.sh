#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Foreign forward chains: which drop our packets, our accepts in iptables' FORWARD, behind the policies of
# others and in front of their blanket drops, and nothing else touched.
. "$(dirname "$0")/lib.sh"
probe=$BUILD/tests/netns/nft_probe
net=10.244.0.0/16

# chains: what the dump says of foreign chains, without our rules in them
chains() {
	"$probe" dump | grep '^chain'
}

forward() {
	iptables-nft -S FORWARD
}

# --- three pods, and this host between them -------------------------------------------------------

echo 1 >/proc/sys/net/ipv4/ip_forward
for pod in 1 2 3; do
	ip netns add pod$pod
	ip link add v$pod type veth peer name eth0 netns pod$pod
	ip addr add 10.244.$pod.1/24 dev v$pod
	ip link set v$pod up
	ip -n pod$pod addr add 10.244.$pod.2/24 dev eth0
	ip -n pod$pod link set eth0 up
	ip -n pod$pod route add default via 10.244.$pod.1
done

pings() { # [TO [FROM]]: pods
	ip netns exec "pod${2:-1}" ping -c 1 -W "${patience:-10}" "10.244.${1:-2}.2" >/dev/null
}

# dropped [TO [FROM]]: they do not
dropped() {
	! patience=0.3 pings "$@"
}

pings || fail 'the pods of this test do not reach each other'
want_eq 'no forward chains, nothing to say' '' "$("$probe" dump)"

iptables-nft -P FORWARD DROP
dropped || fail 'FORWARD policy DROP does not drop'
want_eq 'policy DROP is seen' \
	'chain ip filter FORWARD iptables priority 0 policy drop drops n_before 0 ours 0' "$(chains)"
"$probe" table $net 10.244.1.0/24
dropped || fail 'an own table rescues from a drop: then we need no accepts in FORWARD'
"$probe" table-del

"$probe" accepts $net >"$T/out"
want_eq 'accepts written' '' "$(cat "$T/out")"
pings || fail 'no ping through our accepts'
pass 'forwarded packets pass a FORWARD that drops'
want_eq 'as iptables reads it' "-P FORWARD DROP
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT" "$(forward)"
want_eq 'policy DROP behind ours' \
	'chain ip filter FORWARD iptables priority 0 policy drop drops n_before 0 ours 2' "$(chains)"

# --- iptables-save | iptables-restore -------------------------------------------------------------

"$probe" dump >"$T/before"
iptables-nft-save >"$T/saved"
iptables-nft-restore <"$T/saved"
want_eq 'after save and restore the rules are the same' "$(cat "$T/before")" "$("$probe" dump)"
want_eq 'and still plain' "-P FORWARD DROP
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT" "$(forward)"
pings || fail 'no ping after save and restore'
"$probe" accepts $net
want_eq 'written anew over what iptables wrote: no double' 2 "$(forward | grep -c loden)"
# iptables of another time may count and list in another form; neither may lose anything.
iptables-nft -A FORWARD -i cni0 -m conntrack --ctstate INVALID -j DROP
want_eq 'iptables still reads its table' 0 "$(iptables-nft-save >/dev/null 2>"$T/complaint"; echo $?)"
want_no_match 'and does not call it incompatible' incompatible "$(cat "$T/complaint")"

# --- others' rules around ours --------------------------------------------------------------------

iptables-nft -I FORWARD -s 10.0.0.0/8 -j DROP
dropped || fail 'a drop in front of our accepts does not drop'
want_eq 'a drop in front of ours is seen' \
	'chain ip filter FORWARD iptables priority 0 policy drop drops before_ours n_before 1 ours 2' \
	"$(chains)"
"$probe" accepts $net
want_eq 'ours are in front again, the others as they were' "-P FORWARD DROP
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT
-A FORWARD -s 10.0.0.0/8 -j DROP
-A FORWARD -i cni0 -m conntrack --ctstate INVALID -j DROP" "$(forward)"
pings || fail 'no ping past the drop'

for _ in 1 2 3 4 5 6 7 8; do
	iptables-nft -A FORWARD -s $net -m comment --comment loden -j ACCEPT
done
want_match 'ours doubled is seen' 'ours 8 ours_extra' "$(chains)"
"$probe" accepts $net
want_eq 'and cleared' 2 "$(forward | grep -c loden)"

iptables-nft -F FORWARD
iptables-nft -P FORWARD ACCEPT
want_eq 'flushed, policy ACCEPT: cannot drop' \
	'chain ip filter FORWARD iptables priority 0 policy accept n_before 0 ours 0' "$(chains)"

# Drops behind jumps, as Docker and UFW have them.
iptables-nft -N USER
iptables-nft -N STAGE
iptables-nft -A FORWARD -j USER
iptables-nft -A FORWARD -j STAGE
iptables-nft -A USER -s 10.244.3.7 -j DROP
iptables-nft -A USER -j RETURN
iptables-nft -A STAGE -o docker0 -j REJECT
want_eq 'jumps to chains that pick somebody out' \
	'chain ip filter FORWARD iptables priority 0 policy accept n_before 2 ours 0' "$(chains)"
iptables-nft -A STAGE -j REJECT
want_eq 'a reject behind a jump' \
	'chain ip filter FORWARD iptables priority 0 policy accept drops n_before 2 ours 0' "$(chains)"
"$probe" accepts $net
want_eq 'ours in front of that jump, behind the other' "-P FORWARD ACCEPT
-A FORWARD -j USER
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT
-A FORWARD -j STAGE" "$(forward)"
want_eq 'and that will do' \
	'chain ip filter FORWARD iptables priority 0 policy accept drops n_before 1 ours 2' "$(chains)"
iptables-nft -I FORWARD -j STAGE
want_match 'a dropping jump in front of ours' 'drops before_ours n_before 2 ours 2' "$(chains)"

rest=$(forward | grep -v loden)
"$probe" accepts-del accepts-del >"$T/out"
want_eq 'taken out again, twice' '' "$(cat "$T/out")"
want_eq 'nothing else was' "$rest" "$(forward)"
nft flush ruleset

# --- others' policies -----------------------------------------------------------------------------

# As kube-router has them: a chain of its own in front, in it a chain for each pod that has a policy.
iptables-nft -P FORWARD DROP
iptables-nft -N KUBE-ROUTER-FORWARD
iptables-nft -N KUBE-POD-FW-3
iptables-nft -A FORWARD -j KUBE-ROUTER-FORWARD
iptables-nft -A FORWARD -m mark --mark 0x20000/0x20000 -j ACCEPT
iptables-nft -A FORWARD -m conntrack --ctstate INVALID -j DROP
iptables-nft -A KUBE-ROUTER-FORWARD -d 10.244.3.2 -j KUBE-POD-FW-3
iptables-nft -A KUBE-POD-FW-3 -m mark ! --mark 0x10000/0x10000 -j REJECT
policies=$(forward)
"$probe" accepts $net
want_eq 'at the end, where only the policy of the chain drops' "$policies
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT" "$(forward)"
pings || fail 'no ping between pods without a policy'
dropped 1 3 || fail 'the answer to a policied pod passes: the policy of this test is none'
dropped 3 || fail 'our accepts bypass the policy of a pod'
pass 'a policy keeps a pod to itself, others pass'
iptables-nft -I FORWARD -s 10.244.1.2 -d 10.244.2.2 -m comment --comment admin -j DROP
want_match 'a drop for one pod in front of ours is no trouble' 'policy drop drops n_before 4 ours 2' \
	"$(chains)"
dropped || fail 'the drop for one pod does not drop'
dropped 1 2 || fail 'nor its answers'
iptables-nft -D FORWARD 1

iptables-nft -A FORWARD -j REJECT
"$probe" dump >"$T/before"
"$probe" accepts $net
want_eq 'a drop behind ours moves nothing' "$(cat "$T/before")" "$("$probe" dump)"
iptables-nft -I FORWARD 4 -i v1 -j DROP
want_match 'a drop by interface between the policies and ours' 'drops before_ours n_before 4 ours 2' \
	"$(chains)"
dropped || fail 'the drop by interface does not drop'
"$probe" accepts $net
want_eq 'ours are in front of it, behind the policies' "$policies
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT
-A FORWARD -i v1 -j DROP
-A FORWARD -j REJECT --reject-with icmp-port-unreachable" "$(forward)"
pings || fail 'no ping past the drop by interface'
dropped 3 || fail 'our accepts bypass the policy of a pod, once moved'
iptables-nft -I FORWARD -j DROP
want_match 'everything dropped in front of all' 'drops before_ours' "$(chains)"
dropped || fail 'DROP at the head does not drop'
"$probe" accepts $net
want_eq 'ours first, then that drop' "-P FORWARD DROP
-A FORWARD -s $net -m comment --comment loden -j ACCEPT
-A FORWARD -d $net -m comment --comment loden -j ACCEPT
-A FORWARD -j DROP
-A FORWARD -j KUBE-ROUTER-FORWARD" "$(forward | head -n 5)"
pings || fail 'no ping past the drop at the head'
nft flush ruleset
want_eq 'into a chain that is not there' 'apply: -2 No such file or directory' "$("$probe" accepts $net)"

# --- native tables: never touched -----------------------------------------------------------------

nft -f - <<'END'
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		jump zones
		ct state invalid drop
		reject with icmpx admin-prohibited
	}
	chain zones { iifname vmap { "eth0" : goto public }; }
	chain public { accept; }
}
table ip6 filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }
table ip quiet {
	chain pass {
		type filter hook forward priority -5; policy accept;
		ip saddr 10.0.0.0/8 counter accept
		ct state invalid drop
		ip saddr { 10.244.3.7, 192.0.2.1 } drop
		ip daddr vmap { 10.244.3.7 : drop }
		ip saddr 192.168.0.0/16 ip daddr 10.244.0.0/16 drop
	}
	chain incoming { type filter hook input priority 0; policy drop; }
}
table ip asleep { flags dormant; chain pass { type filter hook forward priority 0; policy drop; }; }
table arp a { chain c { type filter hook input priority 0; policy drop; }; }
table bridge b { chain c { type filter hook forward priority 0; policy drop; }; }
END
rules=$(nft list ruleset)
want_eq 'each base chain at forward is named' \
	'chain inet firewalld filter_FORWARD native priority 10 policy accept drops n_before 5 ours 0
chain ip asleep pass native priority 0 policy drop n_before 0 ours 0
chain ip quiet pass native priority -5 policy accept n_before 5 ours 0
chain ip6 filter FORWARD iptables priority 0 policy drop drops n_before 0 ours 0' "$(chains | sort)"
"$probe" table $net 10.244.1.0/24 table-del accepts-del
want_eq 'and left as it is' "$rules" "$(nft list ruleset)"
nft insert rule inet firewalld filter_FORWARD ip daddr $net accept comment loden
nft insert rule inet firewalld filter_FORWARD ip saddr $net accept comment loden
want_eq 'accepts that somebody put there by hand are read' \
	"chain inet firewalld filter_FORWARD native priority 10 policy accept drops n_before 0 ours 2
saddr $net accept # loden
daddr $net accept # loden" "$("$probe" dump | grep -A 2 firewalld | tr -d '\t')"
nft flush ruleset

# A table with an owner goes with its owner, and the kernel makes no new generation of that.
mkfifo "$T/fifo"
nft -i <"$T/fifo" >/dev/null 2>&1 &
owner=$!
exec 3>"$T/fifo"
echo 'add table ip filter { flags owner; }; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }' >&3
wait_for 5 'a table with an owner' nft list chain ip filter FORWARD
want_eq 'its owner is named' \
	'chain ip filter FORWARD iptables priority 0 policy drop drops owned by nft n_before 0 ours 0' \
	"$(chains)"
want_match 'and again when we may not write there' \
	'^apply: -1 table ip filter belongs to nft, pid [0-9]+ alone \(owner flag\)$' "$("$probe" accepts $net)"
want_eq 'gone with its owner, without a word from the kernel: gone from the dump of the same agent, too' \
	'chain ip filter FORWARD iptables priority 0 policy drop drops owned by nft n_before 0 ours 0
notices: 0' "$("$probe" dump sh "kill -KILL $owner; while nft list table ip filter; do sleep 0.05; done >/dev/null 2>&1" notices dump)"
