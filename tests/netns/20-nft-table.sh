#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our own nf_tables table: written as nft shows it, every change to it seen, replaced without a gap.
. "$(dirname "$0")/lib.sh"
probe=$BUILD/tests/netns/nft_probe

# shown CHAIN: its rules as nft writes them, counters at zero
shown() {
	nft -s list chain ip loden "$1" | sed -n '/policy/,/}/p' | sed '1d;/}/d;s/^[[:space:]]*//'
}

"$probe" table 10.244.0.0/16 10.244.3.0/24 >"$T/first"
want_eq 'the table is written' '' "$(cat "$T/first")"
want_eq 'masquerade rules, as nft reads them' \
	'meta mark & 0x00004000 == 0x00004000 return
ip saddr 10.244.3.0/24 ip daddr 10.244.0.0/16 return
ip saddr 10.244.0.0/16 ip daddr 10.244.3.0/24 return
ip saddr != 10.244.0.0/16 ip daddr 10.244.3.0/24 return
ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 counter masquerade fully-random
ip saddr != 10.244.0.0/16 ip daddr 10.244.0.0/16 masquerade fully-random comment "loden"' \
	"$(shown postrouting)"
want_eq 'forward rules, as nft reads them' 'iifname "cni0" ip saddr 10.244.0.0/16 accept
oifname "cni0" ip daddr 10.244.0.0/16 counter accept' "$(shown forward)"
want_eq 'base chains' 'forward filter forward 0 accept
postrouting nat postrouting 110 accept' \
	"$(nft -j list table ip loden | jq -r '.nftables[].chain | select(.) |
		"\(.name) \(.type) \(.hook) \(.prio) \(.policy)"')"

"$probe" dump >"$T/clean"
want_match 'read back whole' '^table ip loden$' "$(cat "$T/clean")"

# seen WHAT COMMAND…: after it a dump differs; replacing the table brings back what was.
seen() {
	what=$1
	shift
	"$@"
	"$probe" dump >"$T/now"
	! cmp -s "$T/clean" "$T/now" || fail "$what: the dump does not show it: $*"
	"$probe" table 10.244.0.0/16 10.244.3.0/24 dump >"$T/now"
	want_eq "seen and repaired: $what" "$(cat "$T/clean")" "$(cat "$T/now")"
}

handle() { # CHAIN INDEX
	nft -j list chain ip loden "$1" | jq "[.nftables[].rule | select(.)][$2].handle"
}

seen 'a rule deleted' nft delete rule ip loden postrouting handle "$(handle postrouting 2)"
seen 'a rule altered' nft replace rule ip loden postrouting handle "$(handle postrouting 4)" \
	ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 counter masquerade
seen 'a rule added' nft add rule ip loden forward ip saddr 10.9.0.0/16 drop
seen 'a rule doubled' nft add rule ip loden forward oifname cni0 ip daddr 10.244.0.0/16 counter accept
seen 'a rule that we could not write' nft insert rule ip loden forward ct state invalid drop
seen 'rules swapped' nft -f - <<END
delete rule ip loden forward handle $(handle forward 0)
add rule ip loden forward iifname cni0 ip saddr 10.244.0.0/16 accept
END
seen 'nine rules' sh -c 'for i in 1 2 3 4 5 6 7 8; do nft add rule ip loden forward accept; done'
seen 'a chain deleted' nft delete chain ip loden forward
seen 'a chain added' nft add chain ip loden more
seen 'a base chain added' nft add chain ip loden in '{ type filter hook input priority 0; }'
seen 'a policy changed' nft add chain ip loden forward '{ policy drop; }'
seen 'a set added' nft add set ip loden s '{ type ipv4_addr; }'
seen 'switched off' nft add table ip loden '{ flags dormant; }'
seen 'flush ruleset' nft flush ruleset

nft add table ip other
before=$(nft list table ip other)
"$probe" table-del table-del >"$T/out"
want_eq 'deleted; deleting what is gone is fine' '' "$(cat "$T/out")"
want_eq 'nothing else deleted' "$before" "$(nft list ruleset)"

# --- who did it -----------------------------------------------------------------------------------

want_eq 'own transactions are not heard, foreign ones are, with their author' \
	'notices: 0
notice: kinds 708 by nft
notices: 0' "$("$probe" table 10.244.0.0/16 10.244.3.0/24 accepts-del notices \
	sh 'nft flush ruleset' notices table-del notices)"
# 20,000 messages would overrun the queue of a watch that reads them all.
{
	echo 'add table ip flood; add chain ip flood c;'
	yes 'add rule ip flood c ip saddr 10.0.0.0/8 ip daddr 10.1.0.0/16 counter accept' | head -n 20000
} >"$T/flood.nft"
want_eq 'a transaction of 20,000 rules is one notice, nothing lost' 'notice: kinds 708 by nft' \
	"$("$probe" sh "nft -f $T/flood.nft" notices)"
nft delete table ip flood

# --- no gap ---------------------------------------------------------------------------------------

# Pods behind us must never show their own address, least of all while the table is replaced.
ip netns add out
ip link add v0 type veth peer name eth0 netns out
ip addr add 192.168.5.1/24 dev v0
ip link set v0 up
ip -n out addr add 192.168.5.2/24 dev eth0
ip -n out link set eth0 up
ip -n out route add default via 192.168.5.1
ip addr add 10.244.3.1/24 dev lo
ip netns exec out nft -f - <<'END'
table ip t {
	chain c {
		type filter hook input priority 0;
		ip saddr 10.244.0.0/16 counter
		ip saddr 192.168.5.1 counter
	}
}
END
"$probe" table 10.244.0.0/16 10.244.3.0/24
"$probe" bench 1000000 >/dev/null &
bench=$!
i=0
while [ $i -lt 200 ]; do # each ping is a connection of its own
	quiet ping -c 1 -W 10 -I 10.244.3.1 192.168.5.2 || fail "ping $i lost"
	i=$((i + 1))
done
kill $bench
want_eq 'while the table is replaced all the time: packets with and without the pod address' '0 200' \
	"$(ip netns exec out nft -j list chain ip t c |
		jq -r '[.nftables[].rule | select(.) | .expr[].counter | select(.) | .packets] | join(" ")')"
"$probe" table-del

# --- when we may not ------------------------------------------------------------------------------

# A table with an owner lives as long as the socket that made it: nft -i.
mkfifo "$T/fifo"
nft -i <"$T/fifo" >/dev/null 2>&1 &
exec 3>"$T/fifo"
echo 'add table ip loden { flags owner; }' >&3
wait_for 5 'a table with an owner' nft list table ip loden
want_match 'we say whose table it is' \
	'^apply: -1 table ip loden belongs to nft, pid [0-9]+ alone \(owner flag\)$' \
	"$("$probe" table 10.244.0.0/16 10.244.3.0/24)"
exec 3>&-
wait_for 5 'the owner is gone, and its table' sh -c '! nft list table ip loden'

want_match 'without the right to' '^open: -1 nf_tables: .*: Operation not permitted$' \
	"$(setpriv --bounding-set -net_admin "$probe" dump || :)"
