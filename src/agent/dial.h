/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_DIAL_H
#define AGENT_DIAL_H
/* An HTTP/2 connection to one of several places, kept up for ever.
 *
 * Places are tried in order, at once one after the other, each at all addresses that its name has just now;
 * after a round in which none was of use the owner is told (`failed`), and 0.5–30 s pass. "Of use" is the
 * owner's judgement: it calls dial_leave() when a place connects but does not serve. A connection that served
 * for DIAL_WELL_MS and then broke is replaced at once, without a wait and without a word.
 *
 *	        ┌──────────── dial_leave(), connection lost ────────────────┐
 *	        ▼                                                           │
 *	CONNECTING(i) ─▶ connected ─▶ … ─▶ dial_well() ─▶ … ────────────────┘ ─▶ broken
 *	   │ no address, refused, timed out
 *	   ▼
 *	CONNECTING(i + 1) … ─▶ failed ─▶ wait ─▶ CONNECTING
 */

#include "os/h2.h"

/* Served for so long: its end is news, not one more failure in a row. */
#define DIAL_WELL_MS 10000

/* All borrowed. */
struct dial_place {
	const char *name;      /* to show: "etcd-1:2379" */
	const char *authority; /* for HTTP */
	const char *host;      /* looked up, if there is no address */
	struct ip ip;	       /* unset = the host is a name */
	uint16_t port;
	const struct tls_conf *tls; /* NULL = plain text */
	const char *proves;	    /* who the server must prove to be; only for TLS */
};

/* All borrowed for the life of the dial. */
struct dial_conf {
	struct loop *loop;
	const struct dial_place *places;
	size_t n_places; /* > 0 */
	uint64_t seed;
	uint32_t ping_after_ms, ping_timeout_ms;
	void (*connected)(void *arg);
	/* The connection is gone, and all its streams without a word. */
	void (*broken)(void *arg, const char *problem);
	/* `problem` names each place and what is wrong with it. */
	void (*failed)(void *arg, const char *problem);
	void *arg;
};

struct dial;

/* Starts connecting, from the loop. Never NULL. */
struct dial *dial_new(const struct dial_conf *conf);
/* NULL is fine. `broken` is not called. */
void dial_free(struct dial *d);

/* NULL = not connected. */
struct h2 *dial_conn(const struct dial *d);
/* The place of the current or next try. */
const struct dial_place *dial_place(const struct dial *d);
/* This place serves. */
void dial_well(struct dial *d);
/* This place is of no use: on to the next. `broken` is called. Nothing, if not connected. */
void dial_leave(struct dial *d, const char *problem);

#endif
