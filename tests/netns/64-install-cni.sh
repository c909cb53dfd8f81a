#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# S0-01, S0-09, S3-03. --install-cni: plugins and conflist come, and come back; the conflist only once the network stands; what is of others
# stays. And --proc-sys, for where /proc/sys is read-only, as in a container.
. "$(dirname "$0")/lib.sh"

cni=$T/cni
bin=$cni/bin conf=$cni/net.d source=$cni/cfg/cni-conf.json
mkdir -p "$bin" "$conf" "$cni/cfg"
conflist='{"name":"cbr0","cniVersion":"0.3.1","plugins":[{"type":"flannel","delegate":{}},{"type":"portmap"}]}'
echo "$conflist" >"$source"
flags="--install-cni --cni-bin-dir=$bin --cni-conf-dir=$conf --cni-conf-file=$source"
list=$conf/10-flannel.conflist

# has PLUGIN…: each is ours, as a runtime wants it
has() {
	for has_; do
		[ -x "$bin/$has_" ] && cmp -s "$bin/$has_" "$BUILD/loden-cni" || return 1
	done
}

echo 'a distribution' >"$bin/bridge"
echo 'flannel' >"$bin/flannel"
printf 'of another version (loden)\n' >"$bin/loopback"
chmod 755 "$bin"/*
echo 'left by a crash' >"$bin/.flannel.tmp"

node_add a
etcd_start
# shellcheck disable=SC2086 # several words
agent_start a $flags
wait_for 10 'plugins come at once' has flannel host-local loopback
want_eq 'the bridge of others stays' 'a distribution' "$(cat "$bin/bridge")"
want_eq 'nothing is left over' 'bridge flannel host-local loopback' "$(find "$bin" -type f -printf '%f\n' | sort | xargs)"
waits() {
	on a loden status | grep -q 'config'
}
wait_for 10 'there is no network yet' waits
want_exit 'and no conflist' 1 test -e "$list"
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 10 'ready' on a loden status
wait_for 10 'then it comes' cmp "$source" "$list"
want_match 'a plugin that nobody has is named' "note .*\"portmap\", and $bin/portmap: No such file" "$(on a loden status)"
cp "$bin/bridge" "$bin/portmap"
names_it() {
	on a loden status | grep -q portmap
}
wait_gone() {
	! names_it
}
wait_for 10 'and no longer once it is there' wait_gone

echo '--- they come back'
rm "$list"
wait_for 10 'the conflist removed' cmp "$source" "$list"
echo '{' >"$list"
wait_for 10 'overwritten' cmp "$source" "$list"
rm "$bin/flannel" "$bin/host-local"
wait_for 10 'plugins removed' has flannel host-local
truncate -s 1000 "$bin/loopback"
echo flannel >"$bin/flannel.new"
mv "$bin/flannel.new" "$bin/flannel"
wait_for 10 'flannel replaced' has flannel
chmod 644 "$bin/host-local"
wait_for 10 'without its mode' has host-local
rm -rf "$bin" "$conf"
back() {
	has flannel host-local loopback bridge && cmp -s "$source" "$list"
}
wait_for 10 'the directories removed' back

echo '--- what it is a copy of'
echo "$conflist" | sed 's/cbr0/cbr1/' >"$source.new"
mv "$source.new" "$source"
wait_for 10 'it changes along' cmp "$source" "$list"
cp "$list" "$T/before"
echo '{"name":"cbr0","plugins":[{"typ":"flannel"}]}' >"$source"
wrong() {
	on a loden status | grep -q "$source: a plugin without \"type\"; what is in place stays"
}
wait_for 10 'nonsense is named' wrong
want_exit 'and not followed' 0 cmp "$T/before" "$list"
echo "$conflist" >"$source"
wait_for 10 'until it makes sense' cmp "$source" "$list"
echo '{}' >"$conf/05-other.conf"
first() {
	on a loden status | grep -q '05-other.conf comes before 10-flannel.conflist'
}
wait_for 10 'one that comes first is named' first
rm "$conf/05-other.conf"
agent_stop a

want_exit 'to uninstall' 0 on a loden uninstall --cni-conf-dir="$conf" --cni-bin-dir="$bin"
want_match 'says what it leaves' "left +$list and the plugins in $bin" "$out"

echo '--- once, by hand'
rm -rf "$bin" "$conf"
mkdir -p "$bin"
cp "$T/before" "$bin/portmap"
chmod 755 "$bin/portmap"
# shellcheck disable=SC2086 # several words
want_exit 'install-cni' 0 loden install-cni $flags
has bridge flannel host-local loopback || fail 'not all are there'
# shellcheck disable=SC2086 # several words
want_exit 'again' 0 loden install-cni $flags
want_eq 'does nothing' '' "$out"
echo other >"$bin/bridge"
# shellcheck disable=SC2086 # several words
want_exit 'others are replaced' 0 loden install-cni $flags --cni-replace
has bridge || fail 'if that is asked for'
mount -t tmpfs -o size=64k none "$bin"
# shellcheck disable=SC2086 # several words
want_exit 'a full disk' 1 loden install-cni $flags
want_match 'is named' "cannot write $bin/.flannel.tmp: No space left" "$out"
want_eq 'and no half is left' '' "$(ls -A "$bin")"
mount -o remount,ro "$bin"
# shellcheck disable=SC2086 # several words
want_exit 'a read-only one' 1 loden install-cni $flags
want_match 'is named' "cannot create $bin/.flannel.tmp: Read-only" "$out"
umount "$bin"
ln -s "$BUILD/loden" "$T/install-conf"
want_exit 'as flannel installs it' 0 "$T/install-conf" "$source" "$cni/new.conflist"
want_exit 'the same' 0 cmp "$source" "$cni/new.conflist"
want_exit 'too few' 1 "$T/install-conf" "$source"
want_match 'usage' '^usage: .*install-conf <src> <dest>' "$out"

echo '--- in a container'
on a sysctl -qw net.ipv4.ip_forward=0
# shellcheck disable=SC2016 # expanded by the inner shell
on_bg a agent-a unshare --mount sh -ec 'mkdir -p /run/switches/net
	mount --bind /proc/sys/net /run/switches/net
	mount --bind /proc/sys /proc/sys
	mount -o remount,bind,ro /proc/sys
	exec loden agent --proc-sys=/run/switches --etcd-endpoints="$1"' sh "$ETCD_URL"
wait_for 10 'ready again' on a loden status
want_eq 'a switch is kept' 1 "$(on a cat /proc/sys/net/ipv4/ip_forward)"
agent_stop a
