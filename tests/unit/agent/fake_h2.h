/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_FAKE_H2_H
#define TESTS_UNIT_AGENT_FAKE_H2_H
/* os/h2.h and os/dns.h without a connection: the test is the server. A test that includes this once, behind cmocka.h,
 * defines these functions, and the linker leaves os/h2.c and os/dns.c out. Names are looked up by nobody here.
 */

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/dns.h"
#include "os/h2.h"
#include "wire/pb.h"

#define STREAMS_MAX 8

struct h2_stream {
	struct h2_request req; /* strings of it are gone */
	char path[300], accept[120];
	bool open;
};

struct h2 {
	struct h2_conf conf;
	bool open;
	struct h2_stream streams[STREAMS_MAX];
};

static struct h2 h2;

struct h2 *h2_open(const struct h2_conf *conf)
{
	assert_false(h2.open);
	h2.open = true;
	h2.conf = *conf;
	return &h2;
}

void h2_close(struct h2 *c)
{
	if (!c)
		return;
	assert_true(h2.open);
	h2.open = false;
	for (size_t i = 0; i < STREAMS_MAX; i++)
		h2.streams[i].open = false;
}

struct h2_stream *h2_send(struct h2 *c, const struct h2_request *req)
{
	struct h2_stream *s = h2.streams;

	while (s < h2.streams + STREAMS_MAX && s->open)
		s++;
	assert_true(c == &h2 && h2.open && s < h2.streams + STREAMS_MAX);
	*s = (struct h2_stream){.req = *req, .open = true};
	text_copy(s->path, sizeof(s->path), req->path);
	for (size_t i = 0; i < req->n_headers; i++)
		if (strcmp(req->headers[i].name, "accept") == 0)
			text_copy(s->accept, sizeof(s->accept), req->headers[i].value);
	return s;
}

void h2_cancel(struct h2_stream *s)
{
	assert_true(h2.open && s->open);
	s->open = false;
}

struct dns_lookup *dns_lookup_new(const struct dns_conf *conf)
{
	fail_msg("%s is looked up", conf->host);
	abort();
}

void dns_lookup_free(struct dns_lookup *l)
{
	assert_null(l);
}

/* ---- what the server does ---- */

static inline void header(struct h2_stream *s, const char *name, const char *value)
{
	if (s->open)
		s->req.header(s->req.arg, name, value);
}

static inline void pieces(struct h2_stream *s, struct pb_bytes body, size_t piece)
{
	for (size_t i = 0; i < body.n && s->open; i += piece)
		s->req.data(s->req.arg, body.p + i, MIN(piece, body.n - i));
}

static inline void finish(struct h2_stream *s, const char *problem)
{
	if (!s->open)
		return;
	s->open = false;
	s->req.end(s->req.arg, problem);
}

static inline void reply(struct h2_stream *s, const char *status, struct pb_bytes body)
{
	header(s, ":status", status);
	pieces(s, body, 16384);
	finish(s, NULL);
}

#endif
