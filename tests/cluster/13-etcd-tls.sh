#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An agent and an etcd that speaks TLS: every way to set it up, every way to get it wrong, names instead of
# addresses, three members of which two fail.
# timeout: 720
# shellcheck disable=SC2086 # $CA and $CLIENT are flags
. "$(dirname "$0")/../netns/lib.sh"

. "$(dirname "$0")/certs.sh"

IP=192.168.77.254

# --- certificates ---------------------------------------------------------------------------------

ca ca 'Our CA'
ca other 'Another CA'
ca twin 'Our CA'
cert server ca /CN=etcd "subjectAltName=DNS:etcd-1,DNS:*.etcd.test,IP:$IP,IP:127.0.0.1;extendedKeyUsage=serverAuth,clientAuth"
cert names ca /CN=etcd 'subjectAltName=DNS:etcd-1,DNS:etcd-2.etcd.test,DNS:localhost'
cert cnonly ca /CN=$IP 'basicConstraints=CA:FALSE'
openssl req -new -key "$C/server.key" -subj /CN=etcd -out "$C/csr"
printf 'subjectAltName=IP:%s\n' "$IP" >"$C/ext"
# x509 -req knows no dates but from now on.
mkdir "$C/db" && : >"$C/db/index" && echo 01 >"$C/db/serial"
cat >"$C/db/conf" <<END
[ca]
default_ca = d
[d]
dir = $C/db
database = $C/db/index
serial = $C/db/serial
new_certs_dir = $C/db
default_md = sha256
policy = p
[p]
commonName = supplied
END
# dated NAME START END
dated() {
	openssl ca -batch -config "$C/db/conf" -cert "$C/ca.pem" -keyfile "$C/ca.key" -in "$C/csr" \
		-extfile "$C/ext" -startdate "$2" -enddate "$3" -out "$C/$1.pem" 2>>"$T/openssl.log"
	cp "$C/server.key" "$C/$1.key"
	: >"$C/db/index"
}
dated expired 20200101000000Z 20210101000000Z
dated future 20990101000000Z 20991231000000Z
cert client ca /CN=node-client 'extendedKeyUsage=clientAuth'
cert nocn ca /O=nodes 'extendedKeyUsage=clientAuth'
cert stranger other /CN=stranger 'extendedKeyUsage=clientAuth'
openssl pkcs8 -topk8 -in "$C/client.key" -passout pass:s3cret-phrase -out "$C/locked.key"

# --- etcd -----------------------------------------------------------------------------------------

CA="--etcd-cafile=$C/ca.pem"
CLIENT="--etcd-certfile=$C/client.pem --etcd-keyfile=$C/client.key"

# tls_etcd CERT [OPTION…]: an etcd with this certificate, on the usual port; its data stays.
tls_etcd() {
	ETCD_URL=https://$IP:2379
	etcd_stop TERM
	cert_=$1
	shift
	etcd --name test --data-dir "$T/etcd" --listen-client-urls "https://0.0.0.0:2379,http://127.0.0.1:2378" \
		--advertise-client-urls "$ETCD_URL" --listen-peer-urls http://127.0.0.1:2380 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster test=http://127.0.0.1:2380 \
		--log-outputs stderr --cert-file "$C/$cert_.pem" --key-file "$C/$cert_.key" "$@" >>"$T/etcd.log" 2>&1 &
	echo $! >"$T/etcd.pid"
	wait_for 15 "etcd with certificate $cert_ $*" plain_etcdctl endpoint health
}

# Past TLS.
plain_etcdctl() {
	ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2378 --command-timeout=2s "$@"
}

# ready WHAT URLS [FLAG…]: an agent with these flags becomes ready.
ready() {
	what=$1 urls=$2
	shift 2
	: >"$T/agent-a.log"
	agent_start a --etcd-endpoints="$urls" "$@"
	wait_for 10 "$what" settled a
	said=$(on a loden status)
	agent_stop a
}

# refused WHAT REGEX URLS [FLAG…]: an agent with these flags does not, and says why in status and log.
refused() {
	what=$1 regex=$2 urls=$3
	shift 3
	: >"$T/agent-a.log"
	agent_start a --etcd-endpoints="$urls" "$@"
	wait_for 10 "$what" status_matches "$regex"
	want_match 'and the log says so' "etcd.down .*$regex" "$(agent_log a)"
	agent_stop a
}

status_matches() {
	on a loden status || :
	on a loden status | tr '\n' ' ' | grep -Eq -- "$1"
}

node_add a

echo '--- the server proves who it is'
tls_etcd server
plain_etcdctl put /coreos.com/network/config '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}' >/dev/null
ready 'by its address, with our CA' https://$IP:2379 $CA
want_no_match 'without a warning' ' warn etcd' "$(agent_log a)"
cat "$C/other.pem" "$C/ca.pem" >"$C/both.pem"
ready 'the CA file holds several' https://$IP:2379 --etcd-cafile="$C/both.pem"
ready 'the CA file is the server'"'"'s own certificate' https://$IP:2379 --etcd-cafile="$C/server.pem"
SSL_CERT_FILE=$C/ca.pem ready 'a CA of the system' https://$IP:2379
SSL_CERT_FILE=$C/ca.pem ready 'the CA file is another, but without a client certificate the system counts, too' \
	https://$IP:2379 --etcd-cafile="$C/other.pem"
SSL_CERT_FILE=$C/ca.pem ready 'as it does if the CA file cannot be read' https://$IP:2379 --etcd-cafile=/nowhere
refused 'by a CA we do not know' \
	"certificate 'CN=etcd' is signed by 'CN=Our CA', which is not in $C/other.pem .*; in it: 'CN=Another CA'" \
	https://$IP:2379 --etcd-cafile="$C/other.pem"
refused 'by one we do not know, nor does the system' "'CN=Our CA', which is not in the system's authorities" https://$IP:2379
refused 'by a CA that was made anew' 'one of the same name is: was the CA made anew' https://$IP:2379 --etcd-cafile="$C/twin.pem"
refused 'the CA file is not there' 'signed by .*; /nowhere: No such file or directory' https://$IP:2379 --etcd-cafile=/nowhere
refused 'the CA file is none' "$C/ca.key: not a CA's certificate in PEM form" https://$IP:2379 --etcd-cafile="$C/ca.key"
refused 'TLS, and not expected' 'does it want TLS. Then write https://' http://$IP:2379
tls_etcd expired
refused 'expired' "certificate 'CN=etcd' expired on 2021-01-01 00:00 UTC" https://$IP:2379 $CA
tls_etcd future
refused 'not valid yet' 'is not valid before 2099-01-01 00:00 UTC: is this node.s clock right' https://$IP:2379 $CA
tls_etcd names
refused 'for other names' "not for $IP: it is for etcd-1, etcd-2.etcd.test, localhost" https://$IP:2379 $CA
tls_etcd cnonly
refused 'for no name but a CN' "not for $IP: it is for no name at all" https://$IP:2379 $CA
ETCD_URL=http://$IP:2379
etcd_stop TERM
etcd_start
refused 'no TLS, and expected' 'closed the connection in the TLS handshake: if it is plain HTTP, write http://' https://$IP:2379 $CA

echo '--- the scheme of the first endpoint decides'
ready 'http: no TLS, even with certificates, which need not be there' http://$IP:2379 --etcd-cafile=/nowhere \
	--etcd-certfile=/nowhere --etcd-keyfile=/nowhere
want_match 'told' 'warn etcd.plain .*the first endpoint is http://' "$(agent_log a)"
ready 'none, and no certificate: no TLS' $IP:2379 $CA
want_match 'told' 'warn etcd.plain .*has no https://' "$(agent_log a)"
ready 'http, then https: no TLS' http://$IP:1,https://$IP:2379 $CA
want_match 'told' 'warn etcd.schemes .*tls=no' "$(agent_log a)"
tls_etcd server --client-cert-auth --trusted-ca-file "$C/ca.pem"
ready 'none, with a certificate: TLS' $IP:2379 $CA $CLIENT
ready 'https, then http: TLS' https://$IP:1,http://$IP:2379 $CA $CLIENT

echo '--- we prove who we are'
ready 'a certificate with a CN' https://$IP:2379 $CA $CLIENT
want_no_match 'without a warning' ' warn etcd' "$(agent_log a)"
ready 'a certificate without' https://$IP:2379 $CA --etcd-certfile="$C/nocn.pem" --etcd-keyfile="$C/nocn.key"
refused 'none' 'wants a certificate of ours: give --etcd-certfile and --etcd-keyfile' https://$IP:2379 $CA
refused 'half of one' 'wants a certificate of ours: give --etcd-certfile and --etcd-keyfile' https://$IP:2379 $CA \
	--etcd-certfile="$C/client.pem"
want_match 'told' 'warn etcd.half_pair ' "$(agent_log a)"
refused 'by a CA that etcd does not know' \
	"does not accept our certificate 'CN=stranger' \($C/stranger.pem; signed by 'CN=Another CA'; valid until" \
	https://$IP:2379 $CA --etcd-certfile="$C/stranger.pem" --etcd-keyfile="$C/stranger.key"
refused 'another key' "$C/stranger.key: is not the key of the certificate $C/client.pem" https://$IP:2379 $CA \
	--etcd-certfile="$C/client.pem" --etcd-keyfile="$C/stranger.key"
refused 'a key with a passphrase' "$C/locked.key: has a passphrase" https://$IP:2379 $CA \
	--etcd-certfile="$C/client.pem" --etcd-keyfile="$C/locked.key"
refused 'a key that is not there' '/nowhere: No such file or directory' https://$IP:2379 $CA \
	--etcd-certfile="$C/client.pem" --etcd-keyfile=/nowhere

echo '--- certificates are replaced while we run'
cp "$C/stranger.pem" "$C/now.pem"
cp "$C/stranger.key" "$C/now.key"
agent_start a --etcd-endpoints=https://$IP:2379 $CA --etcd-certfile="$C/now.pem" --etcd-keyfile="$C/now.key"
wait_for 10 'the old one is refused' status_matches 'does not accept our certificate'
cp "$C/client.key" "$C/now.key"
cp "$C/client.pem" "$C/now.pem"
wait_for 20 'the new one is read' settled a
agent_stop a

echo '--- the lease is given back the same way, with no flag'
want_exit 'uninstall --lease' 0 on a loden uninstall --lease
want_match 'it is removed' '^removed  lease 10.244' "$out"

echo '--- names, by /etc/hosts and by DNS'
tls_etcd names
cat >"$T/hosts" <<END
127.0.0.1 localhost
192.168.77.254 etcd-1
END
printf 'nameserver 192.168.77.254\nsearch etcd.test\noptions timeout:1 attempts:1\n' >"$T/resolv.conf"
on a mount --bind "$T/hosts" /etc/hosts
on a mount --bind "$T/resolv.conf" /etc/resolv.conf
ready 'in /etc/hosts' https://etcd-1:2379 $CA
want_match 'the status names it' 'source     etcd etcd-1:2379' "$said"
refused 'not anywhere' 'nobody:2379: the name cannot be looked up .*; etcd-3' https://nobody:2379,https://etcd-3:2379 $CA

# dns [OPTION…]: a server that knows etcd-2.etcd.test
dns() {
	stop dns
	dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --group=root \
		--pid-file= --listen-address=192.168.77.254 --bind-interfaces --address=/nobody.etcd.test/ \
		--local=/etcd.test/ --local=/nobody/ "$@" >>"$T/dns.log" 2>&1 &
	echo $! >"$T/dns.pid"
	wait_for 10 'a server of names' dns_is_up
}
dns_is_up() {
	ss -Hlun sport = :53 | grep -q 192.168.77.254
}
dns --host-record=etcd-2.etcd.test,192.168.77.254
ready 'in the DNS' https://etcd-2.etcd.test:2379 $CA
ready 'in the DNS, by the search list; the certificate is for the longer name, another endpoint is not' \
	https://etcd-2:2379,https://etcd-2.etcd.test:2379 $CA
dns --host-record=etcd-2.etcd.test,192.168.77.99 --host-record=etcd-2.etcd.test,192.168.77.254,fd00::99
ready 'of three addresses the second is right' https://etcd-2.etcd.test:2379 $CA
dns
refused 'not there' 'etcd-2.etcd.test:2379: no host of this name' https://etcd-2.etcd.test:2379 $CA

agent_start a --etcd-endpoints=https://etcd-2.etcd.test:2379 $CA
wait_for 10 'not yet known' status_matches 'no host of this name'
dns --host-record=etcd-2.etcd.test,192.168.77.254
wait_for 10 'known while we wait: found' settled a
agent_stop a

echo '--- three members, of which two go'
etcd_stop TERM
rm -rf "$T/etcd"
cluster=m1=https://$IP:3011,m2=https://$IP:3021,m3=https://$IP:3031
# member N
member() {
	etcd --name "m$1" --data-dir "$T/m$1" --listen-client-urls "https://$IP:30${1}9" \
		--advertise-client-urls "https://$IP:30${1}9" --listen-peer-urls "https://$IP:30${1}1" \
		--initial-advertise-peer-urls "https://$IP:30${1}1" --initial-cluster "$cluster" --log-outputs stderr \
		--cert-file "$C/server.pem" --key-file "$C/server.key" --client-cert-auth --trusted-ca-file "$C/ca.pem" \
		--peer-cert-file "$C/server.pem" --peer-key-file "$C/server.key" --peer-trusted-ca-file "$C/ca.pem" \
		>>"$T/etcd.log" 2>&1 &
	echo $! >"$T/m$1.pid"
}
tls_etcdctl() {
	ETCDCTL_API=3 etcdctl --endpoints="https://$IP:3019,https://$IP:3029,https://$IP:3039" --cacert "$C/ca.pem" \
		--cert "$C/client.pem" --key "$C/client.key" --command-timeout=3s "$@"
}
for i in 1 2 3; do member $i; done
wait_for 20 'a cluster of three' tls_etcdctl put /coreos.com/network/config '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}'
wait_for 20 'each serves' tls_etcdctl endpoint health
# Who leads is not to go: while another is elected, none serves.
third_leads() {
	tls_etcdctl endpoint status >"$T/members"
	! grep -q ':3039,.*, true, ' "$T/members" || return 0
	tls_etcdctl move-leader "$(sed -n 's/.*:3039, \([0-9a-f]*\),.*/\1/p' "$T/members")"
	return 1
}
wait_for 20 'the third leads' third_leads
peer() {
	tls_etcdctl put "/coreos.com/network/subnets/10.244.$1.0-24" \
		"{\"PublicIP\":\"192.168.77.$1\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:0$1\"}}"
}
: >"$T/agent-a.log"
agent_start a --etcd-endpoints=https://$IP:3019,https://$IP:3029,https://$IP:3039 $CA $CLIENT
wait_for 10 'ready' settled a
wait_for 10 'by the first' status_matches "source     etcd $IP:3019"
stop m1 KILL
wait_for 10 'the first is killed: the second' status_matches "source     etcd $IP:3029"
wait_for 10 'a peer comes' peer 2
wait_for 5 'and is heard of' status_matches 'peers      1, 1 of them verified'
member 1
wait_for 20 'the first is back' tls_etcdctl endpoint health
stop m2 KILL
wait_for 10 'the second is killed: the third' status_matches "source     etcd $IP:3039"
wait_for 20 'a peer comes' peer 3
wait_for 10 'and is heard of' status_matches 'peers      2, 2 of them verified'
want_no_match 'nobody was alarmed' 'etcd.down|agent.unready' "$(agent_log a | sed '1,/agent.ready/d')"
agent_stop a
