#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plugin killed, or told to stop, before any of its system calls leaves nothing that its DEL does not find.
# timeout: 2700
. "$(dirname "$0")/cni.sh"
command -v strace >/dev/null || skip "no strace"

NETWORK=/var/lib/cni/networks/net
mkdir -p /run/flannel
pod a
CONF=$(conf 0.3.1 '"type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}')

# subnet_env MASQ: false makes the bridge masquerade, too
subnet_env() {
	printf 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=%s\n' \
		"$1" >/run/flannel/subnet.env
}

# left: veths, addresses, files of the container, masquerade rules
left() {
	printf '%s veths, %s reservations, %s files, %s rules' \
		"$(ip -o link show type veth | grep -vc ' sw-')" \
		"$(find $NETWORK -type f ! -name lock ! -name 'last_reserved_ip.*' 2>/dev/null | wc -l)" \
		"$(find /var/lib/cni/flannel -type f 2>/dev/null | wc -l)" \
		"$(nft list ruleset | grep -c 'ip saddr')"
}
NOTHING='0 veths, 0 reservations, 0 files, 0 rules'

# under VERB PROGRAM…: one run of the flannel plugin under another program; its end does not matter
under() {
	verb_=$1
	shift
	# In a shell of its own: ours would tell of every death.
	(printf '%s' "$CONF" | env -i PATH="$PATH" CNI_COMMAND="$verb_" CNI_CONTAINERID="$cid" \
		CNI_NETNS="$netns" CNI_IFNAME="$ifname" CNI_PATH="$CNI_BIN" "$@" "$CNI_BIN/flannel" \
		>"$T/out" 2>&1) 2>/dev/null || :
}

# points: "name n" of each system call that was traced: the nth of that name
points() {
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/trace" | grep -v execve | awk '{ n[$1]++; print $1, n[$1] }'
}

# sweep ID VERB SIGNAL NETNS: VERB is hit before each of its calls, then a DEL, with that CNI_NETNS; and
# then an ADD works.
sweep() {
	bad_=''
	while read -r name_ nth_; do
		[ "$2" = ADD ] || call ADD flannel "$CONF"
		under "$2" strace -o /dev/null -e "inject=$name_:signal=$3:when=$nth_"
		[ -z "$(find $NETWORK -name '1*' -empty)" ] || bad_="$bad_$name_ $nth_: a reservation without owner
"
		call DEL flannel "$CONF" "CNI_NETNS=$4"
		now_=$(left)
		[ "$code $now_" = "0 $NOTHING" ] || bad_="$bad_$name_ $nth_: exit $code, $now_ $out
"
		call ADD flannel "$CONF"
		[ "$code" = 0 ] || bad_="$bad_$name_ $nth_: and then ADD: $out
"
		call DEL flannel "$CONF"
	done <"$T/points"
	is "$1" '' "$bad_"
}

for masq in true false; do
	subnet_env $masq
	fresh
	mkdir -p /run/flannel
	subnet_env $masq
	pod a
	under ADD strace -o "$T/trace"
	points >"$T/points"
	like "H17 ip-masq $masq: an ADD makes so many calls" '^1[0-9][0-9]$' "$(wc -l <"$T/points")"
	call DEL flannel "$CONF"
	is "H17 ip-masq $masq: a whole ADD and DEL" "0 $NOTHING" "$code $(left)"
	sweep "H17 ip-masq $masq: ADD killed anywhere, then DEL" ADD KILL "$netns"
	sweep "H17 ip-masq $masq: ADD killed anywhere, then DEL without namespace" ADD KILL ''
	sweep "H17 ip-masq $masq: ADD told to stop anywhere, then DEL" ADD TERM "$netns"
	call ADD flannel "$CONF"
	under DEL strace -o "$T/trace"
	points >"$T/points"
	sweep "H17 ip-masq $masq: DEL killed anywhere, then DEL" DEL KILL "$netns"
done

# An ADD that is told to stop and therefore fails has taken everything back by itself.
bad=''
under ADD strace -o "$T/trace"
call DEL flannel "$CONF"
points >"$T/points"
while read -r name nth; do
	under ADD strace -o /dev/null -e "inject=$name:signal=TERM:when=$nth"
	now=$(left)
	grep -q '"interfaces"' "$T/out" || [ "$now" = "$NOTHING" ] || [ ! -s "$T/out" ] || bad="$bad$name $nth: $now
"
	call DEL flannel "$CONF"
done <"$T/points"
is 'H17 a stopped ADD takes everything back' '' "$bad"
verdict
