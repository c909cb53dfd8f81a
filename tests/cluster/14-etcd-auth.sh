#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Users of etcd: by password, by file, by certificate; tokens that end, users that change, authentication
# switched on and off while agents run. No secret is ever shown.
# timeout: 720
# shellcheck disable=SC2086 # $ME, $FILE and the like are flags
. "$(dirname "$0")/../netns/lib.sh"

. "$(dirname "$0")/certs.sh"

IP=192.168.77.254
PASSWORD=Wv7-pass-1
WRONG=Wv7-pass-wrong
printf '%s\n' "$PASSWORD" >"$T/password"
ME="--etcd-username=flannel --etcd-password=$PASSWORD"
FILE="--etcd-username=flannel --etcd-password-file=$T/password"

root() {
	etcdctl_ --user=root:rootpw "$@" 2>>"$T/etcdctl.log"
}

users() {
	root user add root:rootpw
	root role add flannel
	root role grant-permission flannel readwrite --prefix=true /coreos.com/network
	root user add flannel:$PASSWORD
	root user grant-role flannel flannel
	root user grant-role root root
}

status_matches() {
	on "${2:-a}" loden status >"$T/status.now" || :
	cat "$T/status.now" >>"$T/statuses.log"
	on "${2:-a}" loden status --json >>"$T/statuses.log" || :
	tr '\n' ' ' <"$T/status.now"
	tr '\n' ' ' <"$T/status.now" | grep -Eq -- "$1"
}

# ready WHAT [FLAG…]
ready() {
	what=$1
	shift
	agent_start a "$@"
	wait_for 10 "$what" settled a
	agent_stop a
}

# refused WHAT REGEX [FLAG…]
refused() {
	what=$1 regex=$2
	shift 2
	agent_start a "$@"
	wait_for 10 "$what" status_matches "$regex"
	agent_stop a
}

# lose NODE: its key is deleted, so that it has to look and write; LeaseKeepAlive is not asked for a token.
lose() {
	key=/coreos.com/network/subnets/$(on "$1" loden status | sed -n 's/^subnet  *\([0-9.]*\)\/\([0-9]*\).*/\1-\2/p')
	want_eq "the key of $1 is deleted" 1 "$(root del "$key")"
}

is_there() {
	root get --keys-only "$key" | grep -q .
}

# written_again SECONDS
written_again() {
	wait_for "$1" 'and written again' is_there
}

ETCD_FLAGS='--auth-token-ttl 2 --bcrypt-cost 4'
etcd_start
etcd_conf '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
node_add a
node_add b

echo '--- authentication is off: a user does no harm'
ready 'with a password' $ME
ready 'with a password in a file' $FILE
ready 'a user without a password' --etcd-username=flannel
want_match 'told' 'warn etcd.half_user' "$(agent_log a)"
users >/dev/null

echo '--- authentication is switched on while agents run'
agent_start a $ME
agent_start b
wait_for 10 'a is ready' settled a
wait_for 10 'b is ready' settled b
root auth enable >/dev/null
: >"$T/agent-a.log"
lose a
written_again 5
wait_for 5 'who has a user goes on' settled a
want_no_match 'on the same connection' 'etcd.down|etcd.up' "$(agent_log a)"
lose b
wait_for 10 'who has none is told so' \
	status_matches 'authentication on, and no user is given: give --etcd-username and --etcd-password-file' b
agent_stop a
agent_stop b

echo '--- it is on'
ready 'a password' $ME
ready 'a password in a file' $FILE
ready 'the file goes before the flag' $FILE --etcd-password=$WRONG
FLANNELD_ETCD_USERNAME=flannel FLANNELD_ETCD_PASSWORD=$PASSWORD ready 'from the environment'
refused 'no user' 'authentication on, and no user is given'
refused 'a wrong password' 'etcd refuses user "flannel": wrong password, or no such user' \
	--etcd-username=flannel --etcd-password=$WRONG
refused 'no such user' 'etcd refuses user "nobody": wrong password, or no such user' \
	--etcd-username=nobody --etcd-password=$WRONG
refused 'another prefix' 'does not let user "flannel" read and write /other: permission denied; with etcdctl: role grant' \
	$ME --etcd-prefix=/other
refused 'no file' 'etcd-password-file: cannot open /nowhere: No such file' --etcd-username=flannel --etcd-password-file=/nowhere
: >"$T/empty"
refused 'an empty file' "$T/empty: its first line is empty" --etcd-username=flannel --etcd-password-file="$T/empty"

echo '--- tokens live for 2 s of silence'
agent_start a -v 1 $FILE
wait_for 10 'ready' settled a
: >"$T/agent-a.log"
sleep 5
lose a
written_again 5
want_no_match 'on the same connection' 'dial.left|etcd.down|own.failed' "$(agent_log a)"
wait_for 5 'ready' settled a

echo '--- the password changes, in etcd and in the file; an agent that runs goes on'
echo Wv7-pass-2 | root user passwd flannel --interactive=false >/dev/null
echo Wv7-pass-2 >"$T/password"
lose a
written_again 5
want_no_match 'on the same connection' 'dial.left|etcd.down|own.failed' "$(agent_log a)"
wait_for 5 'ready' settled a

echo '--- what it may do is taken away, and given back'
root role revoke-permission flannel --prefix=true /coreos.com/network >/dev/null
lose a
wait_for 10 'named' status_matches 'does not let user "flannel" read and write /coreos.com/network'
root role grant-permission flannel readwrite --prefix=true /coreos.com/network >/dev/null
written_again 45
wait_for 45 'goes on' settled a

echo '--- the user is deleted, and made again'
root user delete flannel >/dev/null
lose a
wait_for 10 'named' status_matches 'etcd refuses user "flannel": wrong password, or no such user'
root user add flannel:Wv7-pass-2 >/dev/null
root user grant-role flannel flannel >/dev/null
written_again 45
wait_for 45 'goes on' settled a
agent_stop a

echo '--- the lease is given back; the password is read from where it is'
want_exit 'uninstall --lease' 0 on a loden uninstall --lease
want_match 'removed' '^removed  lease 10.244' "$out"
ready 'once more, by a flag' --etcd-username=flannel --etcd-password=Wv7-pass-2
want_exit 'the password was given by a flag, and is not written down' 1 on a loden uninstall --lease
want_match 'said' 'FAILED   lease .*no user is given' "$out"
want_exit 'given again' 0 on a loden uninstall --lease --etcd-password=Wv7-pass-2 --etcd-username=flannel

echo '--- authentication is switched off'
agent_start a $FILE
wait_for 10 'ready' settled a
root auth disable >/dev/null
sleep 3
lose a
written_again 5
wait_for 5 'goes on' settled a
agent_stop a

echo '--- the user is the CN of our certificate'
ca ca
# For servers alone: etcd's gateway refuses all with this, gRPC does not.
cert server ca /CN=etcd "subjectAltName=IP:$IP"
cert flannel ca /CN=flannel extendedKeyUsage=clientAuth
cert unknown ca /CN=unknown extendedKeyUsage=clientAuth
cert nocn ca /O=nodes extendedKeyUsage=clientAuth
root auth enable >/dev/null
etcd_stop TERM
etcd --name test --data-dir "$T/etcd" --listen-client-urls https://0.0.0.0:2379 \
	--advertise-client-urls https://$IP:2379 --listen-peer-urls http://127.0.0.1:2380 \
	--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster test=http://127.0.0.1:2380 \
	--log-outputs stderr --cert-file "$C/server.pem" --key-file "$C/server.key" --client-cert-auth \
	--trusted-ca-file "$C/ca.pem" $ETCD_FLAGS >>"$T/etcd.log" 2>&1 &
echo $! >"$T/etcd.pid"
# with NAME: its certificate
with() {
	CERT="--etcd-cafile=$C/ca.pem --etcd-certfile=$C/$1.pem --etcd-keyfile=$C/$1.key"
}
ETCD_URL=https://$IP:2379
with flannel
ready 'its CN is a user' $CERT
with unknown
refused 'its CN is none' "the user that is the CN of $C/unknown.pem" $CERT
ready 'a password goes before that' $CERT $FILE
with nocn
refused 'it has none' "the CN of $C/nocn.pem read and write .* does it have a CN, and is that a user" $CERT
ready 'a password, and no CN' $CERT $FILE

echo '--- no secret was shown'
cat "$T"/agent-?.log "$T/statuses.log" >"$T/all"
want_match 'we have looked at something' 'READY' "$(cat "$T/all")"
want_no_match 'in logs, status or what is written down' 'Wv7-pass' "$(cat "$T/all"; on a cat /var/lib/loden/lease.env)"
