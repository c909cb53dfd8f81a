/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/call.h"
#include "agent/dial.h"
#include "wire/kube_patch.h"

/* Watches are heard of once a minute anyway: pings find a half-open connection in between. */
#define PING_AFTER_MS	  30000
#define PING_TIMEOUT_MS	  10000
#define HTTP_OK_MIN	  200
#define HTTP_OK_MAX	  299
#define HTTP_UNAUTHORIZED 401

struct kube_call {
	struct call life;
	struct kube_client *client;
	struct kube_call_conf conf; /* path and body are not kept */
	struct loop_watch *silence;
	uint64_t heard_ms;
	unsigned http_status;
	uint32_t retry_after_s;
	char location[100]; /* escaped, cut; "" = none */
	bool reading;
	struct kube_read read;
};

struct kube_client {
	struct kube_client_conf conf;
	struct dial_place places[KUBE_LEGS_MAX];
	struct dial *dial;
	bool up;
	struct call *calls; /* each a struct kube_call */
};

/* ---- calls ---- */

static void count(struct status_requests *r, unsigned code)
{
	size_t i = 0;

	if (!r)
		return;
	while (i < r->n && r->of[i].code != code)
		i++;
	if (i == STATUS_CODES_MAX)
		i--;
	else if (i == r->n)
		r->of[r->n++].code = code;
	r->of[i].n++;
}

static void call_free(struct call *life)
{
	struct kube_call *call = (struct kube_call *)life;

	loop_watch_free(call->silence);
	free(call);
}

void kube_client_cancel(struct kube_call *call)
{
	call_cancel((struct call *)call);
}

static void call_end(struct kube_call *call, const struct kube_answer *answer)
{
	if (!call->life.at)
		return;
	if (!call->http_status)
		count(call->client->conf.requests, 0);
	call_enter(&call->life);
	call_over(&call->life);
	call->conf.done(call->conf.arg, answer);
	call_leave(&call->life);
}

static void call_fail(struct kube_call *call, const char *problem)
{
	call_end(call, &(struct kube_answer){.problem = problem});
}

static bool is_ok(const struct kube_call *call)
{
	return call->http_status >= HTTP_OK_MIN && call->http_status <= HTTP_OK_MAX;
}

static void read_begin(struct kube_call *call)
{
	enum kube_read_mode mode = call->conf.watch ? KUBE_READ_MODE_WATCH : KUBE_READ_MODE_OBJECT;

	if (call->reading)
		return;
	call->reading = true;
	kube_read_init(&call->read, is_ok(call) ? mode : KUBE_READ_MODE_FAILURE,
		       call->client->conf.prefix);
}

static void on_header(void *arg, const char *name, const char *value)
{
	struct kube_call *call = arg;

	if (strcmp(name, ":status") == 0) {
		call->http_status = (unsigned)strtoul(value, NULL, 10);
		call->heard_ms = loop_now_ms(call->client->conf.loop);
		count(call->client->conf.requests, call->http_status);
		call_enter(&call->life);
		if (is_ok(call) && call->conf.begun)
			call->conf.begun(call->conf.arg);
		call_leave(&call->life);
	} else if (strcmp(name, "retry-after") == 0)
		call->retry_after_s = (uint32_t)MIN(strtoul(value, NULL, 10), 3600ul);
	else if (strcmp(name, "location") == 0) {
		struct text t = TEXT(call->location);

		call->location[0] = '\0';
		text_add_escaped(&t, value, strlen(value));
	}
}

static void on_data(void *arg, const void *bytes, size_t n)
{
	struct kube_call *call = arg;
	struct pb_bytes piece = {bytes, n};
	struct err err = {""};
	int r;

	call->heard_ms = loop_now_ms(call->client->conf.loop);
	read_begin(call);
	call_enter(&call->life);
	while (call->life.at && (r = kube_read_next(&call->read, &piece, &err)) != 0) {
		if (r < 0)
			call_fail(call, err.text);
		else if (call->conf.item)
			call->conf.item(call->conf.arg, (enum kube_read_type)r, &call->read, &err);
	}
	call_leave(&call->life);
}

/* "403 Forbidden: nodes is forbidden: …" */
static void say_no(struct kube_call *call, struct text *ret)
{
	struct kube_status *s = &call->read.status;

	if (!s->code)
		s->code = call->http_status;
	if (!s->retry_after_s)
		s->retry_after_s = call->retry_after_s;
	text_add(ret, "%u", call->http_status);
	if (s->reason[0])
		text_add(ret, " %s", s->reason);
	if (s->message[0])
		text_add(ret, ": %s", s->message);
	/* Whoever sends clients elsewhere is a portal or a proxy, and what it names could be anybody. */
	if (call->location[0])
		text_add(ret,
			 "; it sends us to \"%s\", and nothing but the API server itself is asked: "
			 "give its own address",
			 call->location);
	kube_access_explain(call->client->conf.access, call->http_status, ret);
	if (call->http_status == HTTP_UNAUTHORIZED)
		kube_access_renew(call->client->conf.access);
}

static void on_end(void *arg, const char *problem)
{
	struct kube_call *call = arg;
	struct kube_answer answer = {.problem = problem};
	struct err err = {""};
	char words[sizeof(err.text)];
	struct text t = TEXT(words);

	call->life.stream = NULL;
	if (!problem) {
		read_begin(call);
		answer.ok = kube_read_end(&call->read, &err) >= 0 && is_ok(call);
		answer.problem = err.text;
	}
	if (!problem && !is_ok(call)) {
		say_no(call, &t);
		answer.status = call->read.status;
		answer.problem = words;
	}
	call_end(call, &answer);
}

static uint64_t silence_ms(const struct kube_call *call)
{
	return (call->conf.watch ? KUBE_WATCH_SILENCE_S : KUBE_CLIENT_SILENCE_S) * 1000ull;
}

static void on_silence(void *arg)
{
	struct kube_call *call = arg;
	uint64_t until_ms = call->heard_ms + silence_ms(call);

	if (loop_now_ms(call->client->conf.loop) < until_ms)
		loop_timer_at(call->silence, until_ms);
	else
		dial_leave(call->client->dial, "no word from it, though it is connected");
}

static void call_send(struct kube_call *call, const char *path, const char *body)
{
	struct kube_client *c = call->client;
	char authorization[KUBE_AUTHORIZATION_SIZE] = "";
	struct h2_header headers[] = {
		{"accept", call->conf.accept},
		{"user-agent", "loden"},
		{"authorization", authorization},
		{"content-type", KUBE_PATCH_TYPE},
	};
	struct h2_header given[ARRAY_SIZE(headers)];
	struct h2_request request = {
		.method = call->conf.method,
		.path = path,
		.headers = given,
		.body = body,
		.n_body = body ? strlen(body) : 0,
		.header = on_header,
		.data = on_data,
		.end = on_end,
		.arg = call,
	};

	kube_access_authorization(c->conf.access, authorization);
	for (size_t i = 0; i < ARRAY_SIZE(headers) - !body; i++)
		if (headers[i].value[0])
			given[request.n_headers++] = headers[i];
	call->life.stream = h2_send(dial_conn(c->dial), &request);
	explicit_bzero(authorization, sizeof(authorization));
}

struct kube_call *kube_client_call(struct kube_client *c, const struct kube_call_conf *conf)
{
	const char *base = c->conf.access->legs[dial_place(c->dial) - c->places].path;
	struct kube_call *call = calloc(1, sizeof(*call));
	char path[KUBE_PATH_SIZE];
	struct text t = TEXT(path);

	assert(c->up);
	if (!call)
		abort();
	call->client = c;
	call->conf = *conf;
	call_begin(&call->life, &c->calls, call_free);
	call->heard_ms = loop_now_ms(c->conf.loop);
	call->silence = loop_timer(c->conf.loop, on_silence, call);
	loop_timer_at(call->silence, call->heard_ms + silence_ms(call));
	text_add(&t, "%s%s", base, conf->path);
	call_send(call, path, conf->body);
	return call;
}

/* ---- coming and going ---- */

static void on_connected(void *arg)
{
	struct kube_client *c = arg;
	char why[sizeof(((struct err *)0)->text)];
	struct text t = TEXT(why);

	if (!kube_access_is_ready(c->conf.access, &t)) {
		dial_leave(c->dial, why);
		return;
	}
	c->up = true;
	c->conf.up(c->conf.arg);
}

static void on_broken(void *arg, const char *problem)
{
	struct kube_client *c = arg;

	if (!c->up)
		return;
	c->up = false;
	call_all_broken(c->calls);
	while (c->calls)
		call_fail((struct kube_call *)c->calls, problem);
	c->conf.lost(c->conf.arg);
}

static void on_failed(void *arg, const char *problem)
{
	struct kube_client *c = arg;
	char words[sizeof(((struct err *)0)->text)];
	struct text t = TEXT(words);

	text_add(&t, "%s", problem);
	kube_access_explain_proxy(c->conf.access, &t);
	c->conf.failed(c->conf.arg, words);
}

struct kube_client *kube_client_new(const struct kube_client_conf *conf)
{
	struct kube_client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->conf = *conf;
	for (size_t i = 0; i < conf->access->n_legs; i++) {
		const struct kube_leg *l = &conf->access->legs[i];

		c->places[i] = (struct dial_place){
			.name = l->name,
			.authority = l->authority,
			.host = l->host,
			.ip = l->ip,
			.port = l->port,
			.tls = l->with_tls ? &l->tls : NULL,
			.proves = l->proves,
		};
	}
	c->dial = dial_new(&(struct dial_conf){
		.loop = conf->loop,
		.places = c->places,
		.n_places = conf->access->n_legs,
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

void kube_client_free(struct kube_client *c)
{
	if (!c)
		return;
	while (c->calls)
		call_cancel(c->calls);
	dial_free(c->dial);
	free(c);
}

bool kube_client_is_up(const struct kube_client *c)
{
	return c->up;
}

const char *kube_client_name(const struct kube_client *c)
{
	return dial_place(c->dial)->name;
}

void kube_client_well(struct kube_client *c)
{
	dial_well(c->dial);
}

void kube_client_fail(struct kube_client *c, const char *problem)
{
	dial_leave(c->dial, problem);
}
