/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_TLS_H
#define OS_TLS_H
/* TLS for one connection as a client: OpenSSL over a connected socket, as a libevent bufferevent.
 *
 * The files are read for each connection anew, so that certificates can be replaced under a running
 * program; or their content is given, and the names only serve to tell where it came from. TLS 1.2 or newer; ALPN "h2"; the server's certificate must be good for the host that was asked
 * for, by its subject alternative names alone (a CN counts for nothing, as in Go). Any certificate in the CA
 * file is an anchor, an intermediate one or the server's own, too (also as in Go).
 *
 * Why a connection did not come about is one line for a tired reader: whose certificate, signed by whom,
 * good for which names, until when, from which file.
 *
 *	tls_new ─▶ tls_transport ─▶ BEV_EVENT_CONNECTED ─▶ tls_settled ─▶ … ─▶ bufferevent_free, tls_free
 *	                └─▶ BEV_EVENT_ERROR, BEV_EVENT_EOF ─▶ tls_problem
 */

#include "base/err.h"
#include "base/text.h"

struct bufferevent;
struct event_base;
struct tls;

/* PEM in memory; bytes NULL = in the file. */
struct tls_pem {
	const void *bytes;
	size_t n;
};

/* All borrowed; "" = none. */
struct tls_conf {
	const char *ca_file; /* PEM; none = the system's authorities */
	bool system_too;     /* they count beside the CA file, which may be unreadable then */
	const char *cert_file, *key_file; /* PEM; ours, if the server asks for one; both or none */
	const char *cert_flags; /* how one is given, in words: "--certfile and --keyfile" */
	const char *port_words; /* what we take the server for: "etcd's client port" */
	struct tls_pem ca_pem, cert_pem,
		key_pem; /* instead of what is in the files, which only have names then */
	bool insecure;	 /* whoever answers is taken for the server */
};

/* `host`: what the server's certificate must be for, a name or an address. 0, or -errno with a story that
 * names the file. */
int tls_new(const struct tls_conf *conf, const char *host, struct tls **ret, struct err *err);
/* NULL is fine. The transport goes before. */
void tls_free(struct tls *t);

/* The transport owns `fd`, which is connected, from here on. Once; never NULL. */
struct bufferevent *tls_transport(struct tls *t, struct event_base *base, int fd);
/* The handshake is over: lets go of what only that needed. */
void tls_settled(struct tls *t);
/* The server has agreed to HTTP/2. Of use from the end of the handshake to that of the transport. */
bool tls_is_for_h2(const struct tls *t);
/* The transport is at its end, by an error or an end of file before anything useful was said. Appends why;
 * false = as far as TLS is concerned all was well. */
bool tls_problem(struct tls *t, struct bufferevent *transport, struct text *ret);

#endif
