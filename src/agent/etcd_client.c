/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/backoff.h"
#include "os/h2.h"

#define CONNECT_TIMEOUT_MS 5000
/* Two wake-ups in half a minute. etcd asks clients to leave 5 s between pings
 * (--grpc-keepalive-min-time). */
#define PING_AFTER_MS	   30000
#define PING_TIMEOUT_MS	   10000
/* Served for so long: its end is news, not one more failure in a row. */
#define WELL_MS		   10000

struct etcd_call {
	struct etcd_client *client;
	struct etcd_call *next, **at; /* at: what points to us; NULL = no longer in the list */
	struct etcd_call_conf conf;
	struct h2_stream *stream; /* NULL = ended */
	struct loop_watch *deadline;
	struct grpc_split split;
	struct grpc_status status;
	struct pb_stream message;
	unsigned n_messages;
	bool in_message;
	unsigned depth; /* within so many of its own callbacks */
	uint8_t room[LIMIT_ETCD_KV_BYTES];
};

struct etcd_client {
	struct etcd_client_conf conf;
	struct h2 *conn; /* NULL while waiting */
	bool up;
	size_t i;	   /* endpoint of this or the next try */
	size_t n_failed;   /* in this round */
	char problem[300]; /* of this round */
	uint64_t well_ms;  /* since when it serves; 0 = it does not, yet */
	struct backoff backoff;
	uint64_t random;
	struct loop_watch *timer;
	struct etcd_call *calls;
};

/* ---- calls ---- */

static void call_unlink(struct etcd_call *call)
{
	if (!call->at)
		return;
	*call->at = call->next;
	if (call->next)
		call->next->at = call->at;
	call->at = NULL;
	if (call->stream)
		h2_cancel(TAKE_PTR(call->stream));
}

static void call_enter(struct etcd_call *call)
{
	call->depth++;
}

/* Unlinked meanwhile: it is over. */
static void call_leave(struct etcd_call *call)
{
	if (--call->depth > 0 || call->at)
		return;
	loop_watch_free(call->deadline);
	free(call);
}

void etcd_client_cancel(struct etcd_call *call)
{
	if (!call)
		return;
	call_enter(call);
	call_unlink(call);
	call_leave(call);
}

static void call_end(struct etcd_call *call, enum grpc_code code, const char *problem)
{
	if (!call->at)
		return;
	call_enter(call);
	call_unlink(call);
	call->conf.done(call->conf.arg, code, problem);
	call_leave(call);
}

static int message_fields(struct etcd_call *call, struct pb_bytes part)
{
	struct pb_field f;
	int r;

	while ((r = pb_stream_next(&call->message, &part, &f)) > 0) {
		if (f.number == call->conf.repeated)
			call->conf.item(call->conf.arg, &f);
		else if (pb_apply(call->conf.wants, &f, call->conf.reply) < 0)
			return -EBADMSG;
		if (!call->at) /* cancelled by its owner */
			return 0;
	}
	return r;
}

static int body_feed(struct etcd_call *call, struct pb_bytes piece)
{
	struct pb_bytes part;
	bool last;
	int r;

	while ((r = grpc_split_next(&call->split, &piece, &part, &last)) > 0) {
		if (!call->in_message && call->conf.reply_size > 0)
			memset(call->conf.reply, 0, call->conf.reply_size);
		call->in_message = !last;
		r = message_fields(call, part);
		if (r < 0 || !call->at)
			return r;
		if (!last)
			continue;
		if (pb_stream_end(&call->message) < 0)
			return -EBADMSG;
		call->n_messages++;
		if (call->conf.message)
			call->conf.message(call->conf.arg);
		if (!call->at)
			return 0;
	}
	return r;
}

static void on_header(void *arg, const char *name, const char *value)
{
	struct etcd_call *call = arg;

	grpc_status_header(&call->status, name, value);
}

static void on_data(void *arg, const void *bytes, size_t n)
{
	struct etcd_call *call = arg;

	call_enter(call);
	if (body_feed(call, (struct pb_bytes){bytes, n}) < 0)
		call_end(call, GRPC_INTERNAL, "the answer makes no sense: broken protobuf");
	call_leave(call);
}

static void on_end(void *arg, const char *problem)
{
	struct etcd_call *call = arg;
	enum grpc_code code = GRPC_UNAVAILABLE;
	struct err err = {""};

	call->stream = NULL;
	if (!problem) {
		problem = err.text;
		code = grpc_status_result(&call->status, &err);
	}
	/* Whatever the status says. */
	if (code == GRPC_OK && !grpc_split_at_end(&call->split)) {
		code = GRPC_INTERNAL;
		problem = "the answer is cut short";
	} else if (code == GRPC_OK && !call->conf.message && call->n_messages != 1) {
		code = GRPC_INTERNAL;
		problem = call->n_messages ? "more than one answer" : "the answer is empty";
	}
	call_end(call, code, problem);
}

static void on_deadline(void *arg)
{
	call_end(arg, GRPC_DEADLINE_EXCEEDED, "timed out: no complete answer");
}

struct etcd_call *etcd_client_call(struct etcd_client *c, const struct etcd_call_conf *conf)
{
	struct etcd_call *call = calloc(1, sizeof(*call));
	uint8_t body[GRPC_HEAD_SIZE + 4096];
	const struct h2_header headers[] = {
		{"content-type", "application/grpc"},
		{"te", "trailers"},
		{"user-agent", "loden"},
		/* A member without a leader ends the call instead of serving what it knew. */
		{"hasleader", "true"},
		{"grpc-timeout", "10S"},
	};
	const struct h2_request request = {
		.method = "POST",
		.path = conf->method,
		.headers = headers,
		.n_headers = ARRAY_SIZE(headers) - conf->watch,
		.body = body,
		.n_body = GRPC_HEAD_SIZE + conf->request->n,
		.keep_open = conf->watch,
		.header = on_header,
		.data = on_data,
		.end = on_end,
		.arg = call,
	};

	static_assert(ETCD_CLIENT_DEADLINE_S == 10, "also in grpc-timeout");
	if (!call)
		abort();
	assert(c->up && !conf->request->cut && request.n_body <= sizeof(body));
	grpc_head_encode(body, conf->request->n);
	memcpy(body + GRPC_HEAD_SIZE, conf->request->buf, conf->request->n);
	call->client = c;
	call->conf = *conf;
	call->message = (struct pb_stream){.buf = call->room, .size_bytes = sizeof(call->room)};
	call->at = &c->calls;
	call->next = c->calls;
	if (call->next)
		call->next->at = &call->next;
	c->calls = call;
	call->stream = h2_send(c->conn, &request);
	if (!conf->watch) {
		call->deadline = loop_timer(c->conf.loop, on_deadline, call);
		loop_timer_at(call->deadline,
			      loop_now_ms(c->conf.loop) + ETCD_CLIENT_DEADLINE_S * 1000);
	}
	return call;
}

/* ---- connection ---- */

/* The connection is gone or of no use. */
static void leave_endpoint(struct etcd_client *c, const char *why)
{
	char problem[200];
	uint64_t now_ms = loop_now_ms(c->conf.loop);
	bool was_well = c->well_ms && now_ms - c->well_ms >= WELL_MS;
	struct text t = {
		.buf = c->problem, .size_bytes = sizeof(c->problem), .len = strlen(c->problem)};
	bool was_up = c->up;

	/* It may lie in what is freed here. */
	snprintf(problem, sizeof(problem), "%s", why);
	log_debug("etcd.left", "endpoint=%s problem=\"%s\"", etcd_client_name(c), problem);
	c->up = false;
	c->well_ms = 0;
	/* Streams go with the connection: all at once, for the end of one call may cancel others. */
	for (struct etcd_call *call = c->calls; call; call = call->next)
		call->stream = NULL;
	while (c->calls)
		call_end(c->calls, GRPC_UNAVAILABLE, problem);
	h2_close(TAKE_PTR(c->conn));
	if (was_up)
		c->conf.lost(c->conf.arg);
	if (was_well) {
		backoff_reset(&c->backoff);
		c->n_failed = 0;
		c->problem[0] = '\0';
	} else {
		text_add(&t, "%s%s: %s", t.len ? "; " : "", etcd_client_name(c), problem);
		c->n_failed++;
	}
	c->i = (c->i + 1) % c->conf.endpoints->n;
	if (c->n_failed < c->conf.endpoints->n) {
		loop_timer_at(c->timer, 0);
		return;
	}
	c->n_failed = 0;
	loop_timer_at(c->timer, now_ms + backoff_next_ms(&c->backoff, backoff_random(&c->random)));
	c->conf.failed(c->conf.arg, c->problem);
	c->problem[0] = '\0';
}

static void on_up(void *arg)
{
	struct etcd_client *c = arg;

	c->up = true;
	c->conf.up(c->conf.arg);
}

static void on_down(void *arg, const char *problem)
{
	leave_endpoint(arg, problem);
}

static void on_timer(void *arg)
{
	struct etcd_client *c = arg;
	const struct etcd_endpoint *e = &c->conf.endpoints->of[c->i];
	const struct h2_conf conf = {
		.loop = c->conf.loop,
		.ip = e->ip,
		.port = e->port,
		.authority = e->authority,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.ping_after_ms = PING_AFTER_MS,
		.ping_timeout_ms = PING_TIMEOUT_MS,
		.up = on_up,
		.down = on_down,
		.arg = c,
	};

	c->conn = h2_open(&conf);
}

struct etcd_client *etcd_client_new(const struct etcd_client_conf *conf)
{
	struct etcd_client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->conf = *conf;
	c->random = conf->seed | 1; /* never 0 */
	c->timer = loop_timer(conf->loop, on_timer, c);
	loop_timer_at(c->timer, 0);
	return c;
}

void etcd_client_free(struct etcd_client *c)
{
	if (!c)
		return;
	while (c->calls)
		etcd_client_cancel(c->calls);
	h2_close(c->conn);
	loop_watch_free(c->timer);
	free(c);
}

bool etcd_client_is_up(const struct etcd_client *c)
{
	return c->up;
}

const char *etcd_client_name(const struct etcd_client *c)
{
	return c->conf.endpoints->of[c->i].authority;
}

void etcd_client_well(struct etcd_client *c)
{
	if (!c->well_ms)
		c->well_ms = loop_now_ms(c->conf.loop);
}

void etcd_client_fail(struct etcd_client *c, const char *problem)
{
	if (c->up)
		leave_endpoint(c, problem);
}
