/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_H2_H
#define OS_H2_H
/* One HTTP/2 connection as a client (RFC 9113), by nghttp2 over a libevent bufferevent.
 *
 * Over TLS, or in plain text with prior knowledge: no upgrade dance, as gRPC does it. Which of them only
 * transport_new() knows. Several requests run at once, each a stream.
 *
 *	h2_open ─▶ (TCP, TLS, preface, the server's SETTINGS) ─▶ up ─▶ … ─▶ down ─▶ h2_close
 *
 * Bounded: what arrives is handed on at once, in pieces of a frame or less; what is sent is one small
 * request body a stream. Half-open connections are found by PING, sent only while a stream is open and
 * nothing has arrived for `ping_after_ms`: gRPC servers punish clients that ping without need.
 *
 * Callbacks may call anything here, h2_close() included; after h2_close() and h2_cancel() none comes.
 */

#include "model/ip.h"
#include "os/loop.h"
#include "os/tls.h"

struct h2;
struct h2_stream;

struct h2_conf {
	struct loop *loop;
	struct ip ip;
	uint16_t port;
	const char *authority;	     /* ":authority", for example "etcd-1:2379"; copied */
	const struct tls_conf *tls;  /* NULL = plain text; its strings are borrowed for good */
	const char *host;	     /* who the server must prove to be; copied; only for TLS */
	uint32_t connect_timeout_ms; /* until up */
	uint32_t ping_after_ms;
	uint32_t ping_timeout_ms;
	void (*up)(void *arg);
	/* Once, for good; never from within h2_open(). Its streams are gone with it, without `end`.
	 * `problem` is one line, the same each time for the same cause. */
	void (*down)(void *arg, const char *problem);
	void *arg;
};

struct h2_header {
	const char *name, *value;
};

struct h2_request {
	const char *method;
	const char *path;
	const struct h2_header *headers;
	size_t n_headers; /* at most H2_HEADERS_MAX */
	const void *body; /* copied, as is all the rest */
	size_t n_body;
	bool keep_open; /* our side stays open after the body, until h2_cancel() */
	/* ":status", headers, then trailers; both strings borrowed. */
	void (*header)(void *arg, const char *name, const char *value);
	void (*data)(void *arg, const void *bytes, size_t n);
	/* Once, while the connection stands; the stream is gone then. NULL = the server has said all it
	 * wanted to say. */
	void (*end)(void *arg, const char *problem);
	void *arg;
};

#define H2_HEADERS_MAX 8

/* Never NULL, aborts without memory: what cannot be reached is told by `down`. */
struct h2 *h2_open(const struct h2_conf *conf);
void h2_close(struct h2 *c);

/* After up, before down. Never NULL. Its callbacks come from the loop, never from within. */
struct h2_stream *h2_send(struct h2 *c, const struct h2_request *req);
/* The stream is gone; the server is told. */
void h2_cancel(struct h2_stream *s);

#endif
