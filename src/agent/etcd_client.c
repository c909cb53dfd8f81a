/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/call.h"
#include "agent/dial.h"

/* Two wake-ups in half a minute. etcd asks clients to leave 5 s between pings
 * (--grpc-keepalive-min-time). */
#define PING_AFTER_MS	30000
#define PING_TIMEOUT_MS 10000

struct etcd_call {
	struct call life;
	struct etcd_client *client;
	struct etcd_call_conf conf;
	struct loop_watch *deadline;
	uint8_t *body; /* to ask again with a new token; NULL = that is not possible */
	size_t n_body;
	bool parked; /* waits for that token */
	struct grpc_split split;
	struct grpc_status status;
	struct pb_stream message;
	unsigned n_messages;
	bool in_message;
	uint8_t room[LIMIT_ETCD_KV_BYTES];
};

struct etcd_client {
	struct etcd_client_conf conf;
	struct dial_place places[ETCD_ENDPOINTS_MAX];
	struct dial *dial;
	bool up; /* connected and logged in */
	struct etcd_call *login;
	struct etcd_auth_reply auth; /* token "" = none */
	struct call *calls;	     /* each a struct etcd_call */
};

/* ---- calls ---- */

static void login(struct etcd_client *c);

static void call_free(struct call *life)
{
	struct etcd_call *call = (struct etcd_call *)life;

	loop_watch_free(call->deadline);
	free(call->body);
	free(call);
}

void etcd_client_cancel(struct etcd_call *call)
{
	call_cancel((struct call *)call);
}

static void call_end(struct etcd_call *call, enum grpc_code code, const char *problem)
{
	char words[sizeof(((struct err *)0)->text)];
	struct text t = TEXT(words);

	if (!call->life.at)
		return;
	call_enter(&call->life);
	call_over(&call->life);
	if (code != GRPC_OK && etcd_access_explain(call->client->conf.access, problem, &t))
		problem = words;
	call->conf.done(call->conf.arg, code, problem);
	call_leave(&call->life);
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
		if (!call->life.at) /* cancelled by its owner */
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
		if (r < 0 || !call->life.at)
			return r;
		if (!last)
			continue;
		if (pb_stream_end(&call->message) < 0)
			return -EBADMSG;
		call->n_messages++;
		if (call->conf.message)
			call->conf.message(call->conf.arg);
		if (!call->life.at)
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

	call_enter(&call->life);
	if (body_feed(call, (struct pb_bytes){bytes, n}) < 0)
		call_end(call, GRPC_INTERNAL, "the answer makes no sense: broken protobuf");
	call_leave(&call->life);
}

static void on_end(void *arg, const char *problem)
{
	struct etcd_call *call = arg;
	enum grpc_code code = GRPC_UNAVAILABLE;
	struct err err = {""};

	call->life.stream = NULL;
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
	if (code != GRPC_OK && call->life.at && call->body && etcd_access_is_stale(problem)) {
		call->parked = true;
		login(call->client);
		return;
	}
	call_end(call, code, problem);
}

static void on_deadline(void *arg)
{
	call_end(arg, GRPC_DEADLINE_EXCEEDED, "timed out: no complete answer");
}

static void call_send(struct etcd_call *call, const uint8_t *body, size_t n_body)
{
	const struct h2_header headers[] = {
		{"content-type", "application/grpc"},
		{"te", "trailers"},
		{"user-agent", "loden"},
		/* A member without a leader ends the call instead of serving what it knew. */
		{"hasleader", "true"},
		{"token", call->client->auth.token},
		{"grpc-timeout", "10S"},
	};
	struct h2_header given[ARRAY_SIZE(headers)];
	struct h2_request request = {
		.method = "POST",
		.path = call->conf.method,
		.headers = given,
		.body = body,
		.n_body = n_body,
		.keep_open = call->conf.watch,
		.header = on_header,
		.data = on_data,
		.end = on_end,
		.arg = call,
	};

	static_assert(ETCD_CLIENT_DEADLINE_S == 10, "also in grpc-timeout");
	for (size_t i = 0; i < ARRAY_SIZE(headers) - call->conf.watch; i++)
		if (headers[i].value[0])
			given[request.n_headers++] = headers[i];
	call->life.stream = h2_send(dial_conn(call->client->dial), &request);
}

static struct etcd_call *call_new(struct etcd_client *c, const struct etcd_call_conf *conf,
				  bool again)
{
	struct etcd_call *call = calloc(1, sizeof(*call));
	uint8_t body[GRPC_HEAD_SIZE + 4096];
	const size_t n_body = GRPC_HEAD_SIZE + conf->request->n;

	if (!call)
		abort();
	assert(!conf->request->cut && n_body <= sizeof(body));
	grpc_head_encode(body, conf->request->n);
	memcpy(body + GRPC_HEAD_SIZE, conf->request->buf, conf->request->n);
	call->client = c;
	call->conf = *conf;
	call->message = (struct pb_stream){.buf = call->room, .size_bytes = sizeof(call->room)};
	call_begin(&call->life, &c->calls, call_free);
	if (again) {
		call->body = malloc(n_body);
		if (!call->body)
			abort();
		memcpy(call->body, body, n_body);
		call->n_body = n_body;
	}
	call_send(call, body, n_body);
	explicit_bzero(body, n_body); /* a password, perhaps */
	if (!conf->watch) {
		call->deadline = loop_timer(c->conf.loop, on_deadline, call);
		loop_timer_at(call->deadline,
			      loop_now_ms(c->conf.loop) + ETCD_CLIENT_DEADLINE_S * 1000);
	}
	return call;
}

struct etcd_call *etcd_client_call(struct etcd_client *c, const struct etcd_call_conf *conf)
{
	assert(c->up);
	return call_new(c, conf, etcd_access_has_user(c->conf.access));
}

/* ---- connection ---- */

static void on_broken(void *arg, const char *problem)
{
	struct etcd_client *c = arg;
	bool was_up = c->up;

	c->up = false;
	call_all_broken(c->calls);
	etcd_client_cancel(TAKE_PTR(c->login));
	while (c->calls)
		call_end((struct etcd_call *)c->calls, GRPC_UNAVAILABLE, problem);
	c->auth.token[0] = '\0';
	if (was_up)
		c->conf.lost(c->conf.arg);
}

/* The connection is of no use. */
static void leave_endpoint(struct etcd_client *c, const char *why)
{
	char problem[sizeof(((struct err *)0)->text)] = "";
	struct text t = TEXT(problem);

	if (!etcd_access_explain(c->conf.access, why, &t))
		text_add(&t, "%s", why);
	dial_leave(c->dial, problem);
}

/* ---- logging in ---- */

static void come_up(struct etcd_client *c)
{
	if (!c->up) {
		c->up = true;
		c->conf.up(c->conf.arg);
		return;
	}
	for (struct call *life = c->calls; life; life = life->next) {
		struct etcd_call *call = (struct etcd_call *)life;

		if (!call->parked)
			continue;
		call->parked = false;
		call->split = (struct grpc_split){0};
		call->status = (struct grpc_status){0};
		call_send(call, call->body, call->n_body);
		free(TAKE_PTR(call->body)); /* not a second time */
	}
}

/* It becomes a header's value. */
static bool is_token(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n > 0 && n < ETCD_TOKEN_SIZE - 1;
}

static void on_login(void *arg, enum grpc_code code, const char *problem)
{
	struct etcd_client *c = arg;

	c->login = NULL;
	if (code == GRPC_OK && !is_token(c->auth.token)) {
		code = GRPC_INTERNAL;
		problem = "the token that etcd gave us is of no use";
	}
	if (code != GRPC_OK)
		c->auth.token[0] = '\0';
	if (code != GRPC_OK && !etcd_access_is_off(problem))
		leave_endpoint(c, problem);
	else
		come_up(c);
}

static void login(struct etcd_client *c)
{
	uint8_t buf[2 * ETCD_PASSWORD_SIZE + 16];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_AUTHENTICATE,
		.request = &request,
		.wants = etcd_auth_wants,
		.reply = &c->auth,
		.reply_size = sizeof(c->auth),
		.done = on_login,
		.arg = c,
	};
	char password[ETCD_PASSWORD_SIZE];
	struct err err;

	if (c->login)
		return;
	if (etcd_access_password(c->conf.access, password, &err) < 0) {
		leave_endpoint(c, err.text);
		return;
	}
	c->auth.token[0] = '\0';
	etcd_encode_authenticate(c->conf.access->username, password, &request);
	c->login = call_new(c, &call, false);
	explicit_bzero(password, sizeof(password));
	explicit_bzero(buf, sizeof(buf));
}

/* ---- coming and going ---- */

static void on_connected(void *arg)
{
	struct etcd_client *c = arg;

	if (etcd_access_has_user(c->conf.access))
		login(c);
	else
		come_up(c);
}

static void on_failed(void *arg, const char *problem)
{
	struct etcd_client *c = arg;

	c->conf.failed(c->conf.arg, problem);
}

struct etcd_client *etcd_client_new(const struct etcd_client_conf *conf)
{
	const struct etcd_access *access = conf->access;
	struct etcd_client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->conf = *conf;
	for (size_t i = 0; i < access->endpoints.n; i++) {
		const struct etcd_endpoint *e = &access->endpoints.of[i];

		c->places[i] = (struct dial_place){
			.name = e->authority,
			.authority = e->authority,
			.host = e->host,
			.ip = e->ip,
			.port = e->port,
			.tls = access->with_tls ? &access->tls : NULL,
			.proves = e->host,
		};
	}
	c->dial = dial_new(&(struct dial_conf){
		.loop = conf->loop,
		.places = c->places,
		.n_places = access->endpoints.n,
		.seed = conf->seed,
		.ping_after_ms = PING_AFTER_MS,
		.ping_timeout_ms = PING_TIMEOUT_MS,
		.connected = on_connected,
		.broken = on_broken,
		.failed = on_failed,
		.arg = c,
	});
	return c;
}

void etcd_client_free(struct etcd_client *c)
{
	if (!c)
		return;
	while (c->calls)
		call_cancel(c->calls);
	dial_free(c->dial);
	explicit_bzero(&c->auth, sizeof(c->auth));
	free(c);
}

bool etcd_client_is_up(const struct etcd_client *c)
{
	return c->up;
}

const char *etcd_client_name(const struct etcd_client *c)
{
	return dial_place(c->dial)->name;
}

void etcd_client_well(struct etcd_client *c)
{
	dial_well(c->dial);
}

void etcd_client_fail(struct etcd_client *c, const char *problem)
{
	if (c->up)
		leave_endpoint(c, problem);
}
