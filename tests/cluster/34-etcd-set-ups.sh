#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Every way to get into etcd that works for the real flanneld works for us, with the same flags; and one more.
# shellcheck disable=SC2086 # flags
. "$(dirname "$0")/flannel.sh"
. "$(dirname "$0")/certs.sh"

IP=192.168.77.254
H=$IP:2379
ca ca
cert server ca /CN=etcd "subjectAltName=IP:$IP,DNS:etcd-1"
cert client ca /CN=flannel extendedKeyUsage=clientAuth
cert nocn ca /O=nodes extendedKeyUsage=clientAuth
# Weak, and its own authority: Go takes it.
openssl req -x509 -newkey rsa:1024 -nodes -days 30 -subj /CN=self -addext "subjectAltName=IP:$IP" \
	-keyout "$C/weak.key" -out "$C/weak.pem" 2>>"$T/openssl.log"
CA=--etcd-cafile=$C/ca.pem
OTHER=--etcd-cafile=$C/weak.pem
CERT="--etcd-certfile=$C/client.pem --etcd-keyfile=$C/client.key"
NOCN="--etcd-certfile=$C/nocn.pem --etcd-keyfile=$C/nocn.key"
USER='--etcd-username=flannel --etcd-password=secret'
ROOT=

# etcd_with CERT [OPTION…]: CERT "" = plain text
etcd_with() {
	name_=$1 tls_='' scheme_=http
	shift
	[ -z "$name_" ] || tls_="--cert-file $C/$name_.pem --key-file $C/$name_.key" scheme_=https
	etcd_stop TERM
	etcd --name test --data-dir "$T/etcd" --listen-client-urls "$scheme_://$H,http://127.0.0.1:2378" \
		--advertise-client-urls "$scheme_://$H" --listen-peer-urls http://127.0.0.1:2380 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster test=http://127.0.0.1:2380 \
		--log-outputs stderr --bcrypt-cost 4 $tls_ "$@" >>"$T/etcd.log" 2>&1 &
	echo $! >"$T/etcd.pid"
	ETCD_URL=http://127.0.0.1:2378
	wait_for 15 "etcd, certificate: ${name_:-none}, $*" etcdctl_ $ROOT endpoint health
}

has_file() {
	on "$1" test -e /run/flannel/subnet.env
}

# works WHAT [FLAG…]: for both
works() {
	what=$1
	shift
	start "$@"
	wait_for 15 "$what: flanneld" has_file a
	wait_for 10 "$what: we" has_file b
	end
}

# refused WHAT [FLAG…]: by both; we say why
refused() {
	what=$1
	shift
	start "$@"
	wait_for 10 "$what: we say why" grep -q etcd.down "$T/agent-b.log"
	sleep 2
	! has_file a || fail "$what: it works with flanneld"
	! has_file b || fail "$what: it works with us alone"
	end
}

start() {
	rm -f "$T/agent-b.log"
	flanneld_start a --iface eth0 "$@"
	agent_start b --iface eth0 "$@"
}

end() {
	flanneld_stop a KILL
	agent_stop b
	on a rm -f /run/flannel/subnet.env
	on b rm -f /run/flannel/subnet.env
}

node_add a
node_add b

echo '--- plain text'
etcd_with ''
etcd_conf '{"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}'
works 'http' --etcd-endpoints=http://$H
works 'no scheme' --etcd-endpoints=$H
works 'http, and certificates' --etcd-endpoints=http://$H $CA $CERT
works 'http, and a user who is not needed' --etcd-endpoints=http://$H $USER
works 'the first is dead' --etcd-endpoints=http://$IP:1,http://$H
works 'http, then https' --etcd-endpoints=http://$IP:1,https://$H
refused 'no scheme, but certificates' --etcd-endpoints=$H $CA $CERT

echo '--- TLS'
etcd_with server
export SSL_CERT_FILE="$C/ca.pem"
works 'the system knows the CA' --etcd-endpoints=https://$H
works 'and a CA file that is another' --etcd-endpoints=https://$H $OTHER
works 'and a CA file that is not there' --etcd-endpoints=https://$H --etcd-cafile=/nowhere
works 'and a certificate without a key' --etcd-endpoints=https://$H --etcd-certfile=/nowhere
works 'and a certificate' --etcd-endpoints=https://$H $CERT
refused 'with a certificate the CA file alone counts' --etcd-endpoints=https://$H $OTHER $CERT
unset SSL_CERT_FILE
works 'a CA file, a certificate' --etcd-endpoints=https://$H $CA $CERT
works 'the same, no scheme' --etcd-endpoints=$H $CA $CERT
works 'https, then http' --etcd-endpoints=https://$IP:1,http://$H $CA $CERT
refused 'http, then https' --etcd-endpoints=http://$IP:1,https://$H $CA $CERT
rm -f "$T/agent-b.log"
agent_start b --iface eth0 --etcd-endpoints=https://$H $CA
wait_for 10 'a CA file without a certificate: we alone' has_file b
end
etcd_with weak
works 'a weak key that is its own CA' --etcd-endpoints=https://$H $OTHER $CERT

echo '--- client certificates'
etcd_with server --client-cert-auth --trusted-ca-file "$C/ca.pem"
works 'with a CN' --etcd-endpoints=https://$H $CA $CERT
works 'without' --etcd-endpoints=https://$H $CA $NOCN
refused 'none' --etcd-endpoints=https://$H $CA

echo '--- users'
ROOT=--user=root:root
{
	etcdctl_ $ROOT user add root:root
	etcdctl_ $ROOT role add flannel
	etcdctl_ $ROOT role grant-permission flannel readwrite --prefix=true /coreos.com/network
	etcdctl_ $ROOT user add flannel:secret
	etcdctl_ $ROOT user grant-role flannel flannel
	etcdctl_ $ROOT user grant-role root root
	etcdctl_ $ROOT auth enable
} >"$T/users.out" 2>&1
works 'the CN of the certificate' --etcd-endpoints=https://$H $CA $CERT
works 'the CN, and a user without password' --etcd-endpoints=https://$H $CA $CERT --etcd-username=nobody
works 'a password, a certificate without CN' --etcd-endpoints=https://$H $CA $NOCN $USER
refused 'a certificate without CN' --etcd-endpoints=https://$H $CA $NOCN
etcd_with ''
works 'a password, in plain text' --etcd-endpoints=http://$H $USER
refused 'a wrong one' --etcd-endpoints=http://$H --etcd-username=flannel --etcd-password=other
refused 'none' --etcd-endpoints=http://$H
