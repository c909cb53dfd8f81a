# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Certificates for the tests, made in $C. To be read behind tests/netns/lib.sh.
command -v openssl >/dev/null || skip 'no openssl: install it'
# Whose system this is must not matter.
unset SSL_CERT_FILE SSL_CERT_DIR
C=$T/certs
mkdir "$C"

# ca NAME [CN]: $C/NAME.pem, $C/NAME.key
ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj "/CN=${2:-$1}" -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$C/$1.key" -out "$C/$1.pem" 2>>"$T/openssl.log"
}

# cert NAME CA SUBJECT EXTENSIONS: extensions are separated by ";"
cert() {
	echo "$4" | tr ';' '\n' >"$C/ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$3" \
		-keyout "$C/$1.key" -out "$C/csr" 2>>"$T/openssl.log"
	openssl x509 -req -in "$C/csr" -CA "$C/$2.pem" -CAkey "$C/$2.key" -set_serial "0x$(openssl rand -hex 8)" \
		-days 30 -extfile "$C/ext" -out "$C/$1.pem" 2>>"$T/openssl.log"
}
