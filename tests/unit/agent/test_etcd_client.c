/* SPDX-License-Identifier: Apache-2.0 */
/* The client over a connection that the test plays: os/h2.h and os/dns.h are faked here, and time by
 * fake_loop.h.
 */
#include "agent/etcd_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "os/dns.h"
#include "os/h2.h"

#include "fake_loop.h"

#define STREAMS_MAX 6

struct h2_stream {
	struct h2_request req; /* strings of it are gone */
	char token[40];
	uint8_t body[300];
	char path[60];
	bool open;
};

struct h2 {
	struct h2_conf conf;
};

struct dns_lookup {
	struct dns_conf conf;
	bool open;
};

static struct {
	struct loop loop;
	struct h2 h2;
	bool open;
	struct dns_lookup lookup;
	struct h2_stream streams[STREAMS_MAX];
	size_t n_streams;
	struct etcd_access access;
	struct etcd_client *client;
	struct etcd_call *call, *other;
	struct etcd_lease_reply reply;
	unsigned n_items, cancel_at; /* cancel the call in its so many'th item */
	bool fail_when_done;
	bool user;
	const char *password_file;
	char line[1000]; /* what happened, in words */
	struct text told;
} scene;

/* ---- the connection ---- */

struct h2 *h2_open(const struct h2_conf *conf)
{
	assert_false(scene.open);
	scene.open = true;
	scene.h2.conf = *conf;
	scene.n_streams = 0;
	text_add(&scene.told, "open %s%s; ", conf->authority, conf->tls ? " by TLS" : "");
	return &scene.h2;
}

void h2_close(struct h2 *c)
{
	if (!c)
		return;
	assert_true(scene.open);
	scene.open = false;
}

struct h2_stream *h2_send(struct h2 *c, const struct h2_request *req)
{
	struct h2_stream *s = &scene.streams[scene.n_streams++];

	assert_ptr_equal(c, &scene.h2);
	assert_true(scene.open && scene.n_streams <= STREAMS_MAX && req->n_body < sizeof(s->body));
	*s = (struct h2_stream){.req = *req, .open = true};
	memcpy(s->body, req->body, req->n_body);
	snprintf(s->path, sizeof(s->path), "%s", req->path);
	for (size_t i = 0; i < req->n_headers; i++) {
		assert_true(req->headers[i].value[0]);
		if (strcmp(req->headers[i].name, "token") == 0)
			snprintf(s->token, sizeof(s->token), "%s", req->headers[i].value);
	}
	return s;
}

void h2_cancel(struct h2_stream *s)
{
	assert_true(scene.open && s->open);
	s->open = false;
	text_add(&scene.told, "stream cancelled; ");
}

struct dns_lookup *dns_lookup_new(const struct dns_conf *conf)
{
	assert_false(scene.lookup.open);
	scene.lookup = (struct dns_lookup){*conf, true};
	text_add(&scene.told, "look up %s; ", conf->host);
	return &scene.lookup;
}

void dns_lookup_free(struct dns_lookup *l)
{
	assert_true(!l || l->open);
	if (l)
		l->open = false;
}

/* 10.0.0.1 and so on. */
static void found(size_t n)
{
	struct ip ips[DNS_ADDRESSES_MAX];

	for (size_t i = 0; i < n; i++)
		ips[i] = ip_from_v4(0x0a000001 + (uint32_t)i);
	scene.lookup.conf.done(scene.lookup.conf.arg, ips, n, n ? NULL : "no such host");
}

static void come_up(void)
{
	scene.h2.conf.up(scene.h2.conf.arg);
}

/* All streams are gone then. */
static void go_down(const char *problem)
{
	for (size_t i = 0; i < scene.n_streams; i++)
		scene.streams[i].open = false;
	scene.h2.conf.down(scene.h2.conf.arg, problem);
}

/* The newest request's answer: head, body in pieces of `piece` bytes, and the end. */
static void answer_data(const void *bytes, size_t n, size_t piece)
{
	struct h2_stream *s = &scene.streams[scene.n_streams - 1];

	s->req.header(s->req.arg, ":status", "200");
	s->req.header(s->req.arg, "content-type", "application/grpc");
	for (size_t i = 0; i < n && s->open; i += piece)
		s->req.data(s->req.arg, (const uint8_t *)bytes + i, MIN(piece, n - i));
}

static void answer_end(const char *grpc_status, const char *problem)
{
	struct h2_stream *s = &scene.streams[scene.n_streams - 1];

	if (!s->open)
		return;
	if (grpc_status)
		s->req.header(s->req.arg, "grpc-status", grpc_status);
	s->open = false;
	s->req.end(s->req.arg, problem);
}

/* ---- the owner ---- */

static void on_up(void *arg _unused_)
{
	text_add(&scene.told, "up; ");
}

static void on_lost(void *arg _unused_)
{
	text_add(&scene.told, "lost; ");
}

static void on_failed(void *arg _unused_, const char *problem)
{
	text_add(&scene.told, "failed: %s; ", problem);
}

static void on_done(void *arg, enum grpc_code code, const char *problem)
{
	text_add(&scene.told, "%s %s", (const char *)arg, grpc_code_names[code]);
	text_add(&scene.told, problem[0] ? ": %s; " : "%s; ", problem);
	if (code == GRPC_OK)
		text_add(&scene.told, "id=%lld ttl=%lld; ", (long long)scene.reply.id,
			 (long long)scene.reply.ttl_s);
	if (scene.other)
		etcd_client_cancel(TAKE_PTR(scene.other));
	if (scene.fail_when_done)
		etcd_client_fail(scene.client, "of no use");
}

static void on_item(void *arg _unused_, const struct pb_field *f)
{
	text_add(&scene.told, "item %.*s; ", (int)f->bytes.n, (const char *)f->bytes.p);
	if (++scene.n_items == scene.cancel_at)
		etcd_client_cancel(TAKE_PTR(scene.call));
}

static void on_message(void *arg _unused_)
{
	text_add(&scene.told, "message %lld; ", (long long)scene.reply.id);
}

static struct etcd_call *ask(const char *name)
{
	uint8_t buf[16];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_LEASE_RENEW,
		.request = &request,
		.wants = etcd_lease_wants,
		.reply = &scene.reply,
		.reply_size = sizeof(scene.reply),
		.done = on_done,
		.arg = (void *)(uintptr_t)name,
	};

	etcd_encode_lease_id(7, &request);
	return etcd_client_call(scene.client, &call);
}

#define REPEATED 9

static struct etcd_call *watch(void)
{
	uint8_t buf[16];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_WATCH,
		.request = &request,
		.wants = etcd_lease_wants,
		.reply = &scene.reply,
		.reply_size = sizeof(scene.reply),
		.repeated = REPEATED,
		.watch = true,
		.item = on_item,
		.message = on_message,
		.done = on_done,
		.arg = (void *)(uintptr_t) "watch",
	};

	return etcd_client_call(scene.client, &call);
}

/* What was told since the last look. */
static void want_told(const char *want)
{
	assert_string_equal(scene.line, want);
	scene.line[0] = '\0';
	scene.told = (struct text)TEXT(scene.line);
}

static void start(const char *endpoints)
{
	char name[] = "x", *argv[] = {name, NULL};
	struct opts o;

	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	o.etcd_endpoints = endpoints;
	o.etcd_username = scene.user ? "me" : "";
	o.etcd_password = scene.user ? "secret" : "";
	o.etcd_password_file = scene.password_file ? scene.password_file : "";
	assert_int_equal(etcd_access_from_opts(&o, &scene.access, NULL), 0);
	scene.client = etcd_client_new(&(struct etcd_client_conf){
		.loop = &scene.loop,
		.access = &scene.access,
		.seed = 42,
		.up = on_up,
		.lost = on_lost,
		.failed = on_failed,
	});
	want_told(""); /* connects from the loop */
	fake_loop_pass(&scene.loop, 0);
}

static void start_up(void)
{
	start("10.0.0.1");
	come_up();
	want_told("open 10.0.0.1:2379; up; ");
}

static int setup(void **state _unused_)
{
	memset(&scene, 0, sizeof(scene));
	scene.loop.now_ms = 1000000;
	scene.told = (struct text)TEXT(scene.line);
	return 0;
}

static int teardown(void **state _unused_)
{
	etcd_client_free(scene.client);
	return scene.open || scene.lookup.open || scene.loop.timers ? -1 : 0;
}

/* LeaseKeepAliveResponse: id 7, ttl 60 */
#define GOOD	  "\0\0\0\0\4\x10\7\x18\x3c"
#define BYTES(s_) .bytes = (s_), .n = sizeof(s_) - 1

/* ---- endpoints ---- */

static void the_next_endpoint_is_tried_at_once(void **state _unused_)
{
	start("10.0.0.1,10.0.0.2:99,10.0.0.3");
	want_told("open 10.0.0.1:2379; ");
	go_down("connection refused");
	fake_loop_pass(&scene.loop, 0);
	want_told("open 10.0.0.2:99; ");
	assert_false(etcd_client_is_up(scene.client));
	go_down("timed out");
	fake_loop_pass(&scene.loop, 0);
	come_up();
	want_told("open 10.0.0.3:2379; up; ");
	assert_true(etcd_client_is_up(scene.client));
	assert_string_equal(etcd_client_name(scene.client), "10.0.0.3:2379");
}

static void a_round_that_failed_is_told_and_waited_for(void **state _unused_)
{
	/* Jittered by a quarter to either side. */
	static const uint64_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	start("10.0.0.1,10.0.0.2");
	for (size_t i = 0; i < ARRAY_SIZE(waits_ms); i++) {
		uint64_t idle_ms;

		go_down("connection refused");
		fake_loop_pass(&scene.loop, 0);
		go_down("timed out");
		want_told("open 10.0.0.1:2379; open 10.0.0.2:2379; failed: "
			  "10.0.0.1:2379: connection refused; 10.0.0.2:2379: timed out; ");
		idle_ms = fake_loop_idle_ms(&scene.loop);
		assert_in_range(idle_ms, waits_ms[i] * 3 / 4, waits_ms[i] * 5 / 4);
		fake_loop_pass(&scene.loop, idle_ms - 1);
		want_told("");
		fake_loop_pass(&scene.loop, 1);
	}
}

/* Connects, but does not serve: as bad as one that does not connect. */
static void an_endpoint_that_does_not_serve_is_a_failure(void **state _unused_)
{
	start("10.0.0.1,10.0.0.2");
	come_up();
	etcd_client_fail(scene.client, "etcdserver: no leader");
	want_told("open 10.0.0.1:2379; up; lost; ");
	etcd_client_fail(scene.client, "twice"); /* it is down already */
	fake_loop_pass(&scene.loop, 0);
	come_up();
	/* It served, but not for long. */
	etcd_client_well(scene.client);
	fake_loop_pass(&scene.loop, 9999);
	go_down("the server closed the connection");
	want_told("open 10.0.0.2:2379; up; lost; failed: 10.0.0.1:2379: etcdserver: no leader; "
		  "10.0.0.2:2379: the server closed the connection; ");
	assert_in_range(fake_loop_idle_ms(&scene.loop), 375, 625);
}

static void one_that_served_is_replaced_without_a_word(void **state _unused_)
{
	start("10.0.0.1,10.0.0.2");
	/* Two rounds of failures and a half: the next wait would be 2 s. */
	for (int i = 0; i < 5; i++) {
		go_down("no");
		fake_loop_pass(&scene.loop, fake_loop_idle_ms(&scene.loop));
	}
	scene.line[0] = '\0';
	scene.told = (struct text)TEXT(scene.line);
	come_up();
	etcd_client_well(scene.client);
	fake_loop_pass(&scene.loop, 5000);
	etcd_client_well(scene.client); /* since when, not when last */
	fake_loop_pass(&scene.loop, 5000);
	go_down("the server closed the connection");
	want_told("up; lost; ");
	assert_int_equal(fake_loop_idle_ms(&scene.loop), 0);
	fake_loop_pass(&scene.loop, 0);
	go_down("a");
	fake_loop_pass(&scene.loop, 0);
	go_down("b");
	want_told("open 10.0.0.1:2379; open 10.0.0.2:2379; failed: "
		  "10.0.0.1:2379: a; 10.0.0.2:2379: b; ");
	/* And waits begin anew. */
	assert_in_range(fake_loop_idle_ms(&scene.loop), 375, 625);
}

static void all_addresses_of_a_name_are_tried(void **state _unused_)
{
	start("https://etcd-1,https://10.9.9.9");
	want_told("look up etcd-1; ");
	found(2);
	want_told("open etcd-1:2379 by TLS; ");
	assert_string_equal(scene.h2.conf.host, "etcd-1");
	assert_int_equal(ip_to_v4(&scene.h2.conf.ip), 0x0a000001);
	go_down("refused");
	fake_loop_pass(&scene.loop, 0);
	assert_int_equal(ip_to_v4(&scene.h2.conf.ip), 0x0a000002);
	go_down("timed out");
	fake_loop_pass(&scene.loop, 0);
	assert_int_equal(ip_to_v4(&scene.h2.conf.ip), 0x0a090909);
	go_down("no");
	want_told("open etcd-1:2379 by TLS; open 10.9.9.9:2379 by TLS; "
		  "failed: etcd-1:2379 (10.0.0.1): refused; etcd-1:2379 (10.0.0.2): timed out; "
		  "10.9.9.9:2379: no; ");
	/* In the next round its addresses may be others. */
	fake_loop_pass(&scene.loop, fake_loop_idle_ms(&scene.loop));
	found(0);
	fake_loop_pass(&scene.loop, 0);
	come_up();
	want_told("look up etcd-1; open 10.9.9.9:2379 by TLS; up; ");
}

static void a_name_without_address_is_a_failure(void **state _unused_)
{
	start("etcd-1");
	found(0);
	want_told("look up etcd-1; failed: etcd-1:2379: no such host; ");
	fake_loop_pass(&scene.loop, fake_loop_idle_ms(&scene.loop));
	want_told("look up etcd-1; "); /* freed meanwhile */
}

/* ---- logging in ---- */

/* AuthenticateResponse: token "tk1" */
#define TOKEN(n_) "\0\0\0\0\5\x12\3tk" n_

static void log_in(const char *answer)
{
	assert_string_equal(scene.streams[scene.n_streams - 1].path,
			    "/etcdserverpb.Auth/Authenticate");
	answer_data(answer, 10, 3);
	answer_end("0", NULL);
}

static void refuse(const char *status, const char *message)
{
	struct h2_stream *s = &scene.streams[scene.n_streams - 1];

	answer_data("", 0, 1);
	s->req.header(s->req.arg, "grpc-message", message);
	answer_end(status, NULL);
}

static void start_as_user(void)
{
	static const char want[] = "\0\0\0\0\xc\x0a\2me\x12\6secret";

	scene.user = true;
	start("10.0.0.1");
	come_up();
	want_told("open 10.0.0.1:2379; ");
	assert_memory_equal(scene.streams[0].body, want, sizeof(want) - 1);
	assert_string_equal(scene.streams[0].token, "");
}

static void a_user_logs_in_first(void **state _unused_)
{
	start_as_user();
	log_in(TOKEN("1"));
	want_told("up; ");
	ask("a");
	watch();
	assert_string_equal(scene.streams[1].token, "tk1");
	assert_string_equal(scene.streams[2].token, "tk1");
}

static void without_authentication_there_is_nothing_to_log_in_to(void **state _unused_)
{
	start_as_user();
	refuse("9", "etcdserver: authentication is not enabled");
	want_told("up; ");
	ask("a");
	assert_string_equal(scene.streams[1].token, "");
}

static void a_wrong_password_is_a_failure(void **state _unused_)
{
	start_as_user();
	refuse("3", "etcdserver: authentication failed, invalid user ID or password");
	want_told("failed: 10.0.0.1:2379: etcd refuses user \"me\": wrong password, or no such "
		  "user; ");
	fake_loop_pass(&scene.loop, fake_loop_idle_ms(&scene.loop));
	come_up();
	log_in("\0\0\0\0\5\x12\3a b"); /* not what a header can carry */
	want_told("open 10.0.0.1:2379; failed: 10.0.0.1:2379: the token that etcd gave us is of "
		  "no use; ");
}

static void a_password_file_that_is_not_there_is_a_failure(void **state _unused_)
{
	scene.user = true;
	scene.password_file = "/nowhere";
	start("10.0.0.1");
	come_up();
	want_told("open 10.0.0.1:2379; failed: 10.0.0.1:2379: --etcd-password-file: cannot "
		  "open /nowhere: No such file or directory; ");
}

/* Both wait for one log-in, and are asked again. */
static void a_stale_token_is_renewed_and_nobody_notices(void **state _unused_)
{
	start_as_user();
	log_in(TOKEN("1"));
	want_told("up; ");
	ask("a");
	refuse("16", "etcdserver: invalid auth token");
	ask("b"); /* with no token at all */
	assert_string_equal(scene.streams[3].token, "");
	refuse("3", "etcdserver: user name is empty");
	want_told("");
	assert_int_equal(scene.n_streams, 4); /* one log-in */
	scene.n_streams = 3;
	log_in(TOKEN("2"));
	assert_int_equal(scene.n_streams, 5);
	assert_string_equal(scene.streams[3].token, "tk2");
	assert_string_equal(scene.streams[4].token, "tk2");
	answer_data(GOOD, 9, 9);
	answer_end("0", NULL);
	want_told("a ok; id=7 ttl=60; ");
	/* Not for ever. */
	scene.n_streams = 4;
	refuse("16", "etcdserver: invalid auth token");
	want_told("b unauthenticated: etcdserver: invalid auth token (unauthenticated); ");
}

static void a_user_that_is_gone_ends_the_connection(void **state _unused_)
{
	start_as_user();
	log_in(TOKEN("1"));
	ask("a");
	refuse("16", "etcdserver: invalid auth token");
	refuse("3", "etcdserver: authentication failed, invalid user ID or password");
	want_told("up; a unavailable: etcd refuses user \"me\": wrong password, or no such user; "
		  "lost; failed: 10.0.0.1:2379: etcd refuses user \"me\": wrong password, or no "
		  "such user; ");
}

static void a_call_may_be_cancelled_while_it_waits_for_a_token(void **state _unused_)
{
	struct etcd_call *call;

	start_as_user();
	log_in(TOKEN("1"));
	call = ask("a");
	refuse("16", "etcdserver: invalid auth token");
	etcd_client_cancel(call);
	log_in(TOKEN("2"));
	want_told("up; ");
	assert_int_equal(scene.n_streams, 3);
}

static void what_may_not_be_done_is_named(void **state _unused_)
{
	start_as_user();
	log_in(TOKEN("1"));
	ask("a");
	refuse("7", "etcdserver: permission denied");
	want_told("up; a permission denied: etcd does not let user \"me\" read and write "
		  "/coreos.com/network: permission denied; with etcdctl: role grant-permission "
		  "ROLE readwrite --prefix=true /coreos.com/network; ");
}

/* ---- calls ---- */

static void a_call_is_asked_as_etcd_wants_it(void **state _unused_)
{
	static const uint8_t want[] = {0, 0, 0, 0, 2, 0x08, 7};
	const struct h2_stream *s = scene.streams;

	start_up();
	ask("a");
	assert_string_equal(s->path, "/etcdserverpb.Lease/LeaseKeepAlive");
	assert_int_equal(s->req.n_body, sizeof(want));
	assert_memory_equal(s->body, want, sizeof(want));
	assert_false(s->req.keep_open);
	watch();
	s++;
	assert_string_equal(s->path, "/etcdserverpb.Watch/Watch");
	assert_true(s->req.keep_open);
	/* All but the timeout. */
	assert_int_equal(s->req.n_headers, scene.streams[0].req.n_headers - 1);
}

static const struct {
	const char *bytes;
	size_t n;
	const char *status;  /* grpc-status */
	const char *problem; /* of the stream */
	const char *want;
} answers[] = {
	{BYTES(GOOD), "0", NULL, "a ok; id=7 ttl=60; "},
	{BYTES("\0\0\0\0\0"), "0", NULL, "a ok; id=0 ttl=0; "},
	{BYTES(""), "5", NULL, "a not found: no reason given (not found); "},
	{BYTES(""), "0", NULL, "a internal: the answer is empty; "},
	{BYTES(GOOD), NULL, NULL, "a unknown: the server ended the call without a status; "},
	{BYTES(GOOD), "14", NULL, "a unavailable: no reason given (unavailable); "},
	{BYTES(GOOD), NULL, "broken off", "a unavailable: broken off; "},
	/* Cut short, and said to be complete. */
	{BYTES("\0\0\0\0\4\x10\7"), "0", NULL, "a internal: the answer is cut short; "},
	{BYTES(GOOD "\0\0\0"), "0", NULL, "a internal: the answer is cut short; "},
	{BYTES(GOOD "\0\0\0\0\4\x10"), "0", NULL, "a internal: the answer is cut short; "},
	{BYTES(GOOD GOOD), "0", NULL, "a internal: more than one answer; "},
	/* Compressed, which we did not offer; a varint without an end, a group, a field that ends behind
	 * its message; ID as a string. */
	{BYTES("\1\0\0\0\4\x10\7\x18\x3c"), "0", NULL,
	 "stream cancelled; a internal: the answer makes no sense: broken protobuf; "},
	{BYTES("\0\0\0\0\4\xff\xff\xff\xff"), "0", NULL,
	 "stream cancelled; a internal: the answer makes no sense: broken protobuf; "},
	{BYTES("\0\0\0\0\2\x13\x14"), "0", NULL,
	 "stream cancelled; a internal: the answer makes no sense: broken protobuf; "},
	{BYTES("\0\0\0\0\2\x0a\x30"), "0", NULL,
	 "stream cancelled; a internal: the answer makes no sense: broken protobuf; "},
	{BYTES("\0\0\0\0\3\x12\1x"), "0", NULL,
	 "stream cancelled; a internal: the answer makes no sense: broken protobuf; "},
};

static void answers_in_pieces_of_any_size(void **state _unused_)
{
	start_up();
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		for (size_t piece = 1; piece < 12; piece++) {
			scene.n_streams = 0;
			scene.reply.id = 99; /* of the answer before */
			ask("a");
			answer_data(answers[i].bytes, answers[i].n, piece);
			answer_end(answers[i].status, answers[i].problem);
			want_told(answers[i].want);
		}
	}
	assert_int_equal(fake_loop_idle_ms(&scene.loop), UINT64_MAX);
}

static void what_is_not_grpc_is_named(void **state _unused_)
{
	const struct h2_stream *s = scene.streams;

	start_up();
	ask("a");
	s->req.header(s->req.arg, ":status", "502");
	s->req.header(s->req.arg, "content-type", "text/html");
	answer_end(NULL, NULL);
	assert_non_null(strstr(scene.line, "a unknown: "));
	assert_non_null(strstr(scene.line, "502"));
}

static void a_call_ends_by_its_deadline(void **state _unused_)
{
	start_up();
	ask("a");
	answer_data(GOOD, 5, 5);
	fake_loop_pass(&scene.loop, ETCD_CLIENT_DEADLINE_S * 1000 - 1);
	want_told("");
	fake_loop_pass(&scene.loop, 1);
	want_told("stream cancelled; a deadline exceeded: timed out: no complete answer; ");
	watch();
	fake_loop_pass(&scene.loop, 86400 * 1000);
	want_told("");
}

/* One message of the watch: items, then the reply's own fields. */
static void messages_of_a_watch(void **state _unused_)
{
	static const char bytes[] = "\0\0\0\0\x8\x4a\1x\x4a\1y\x10\7"
				    "\0\0\0\0\3\x4a\1z";

	start_up();
	watch();
	answer_data(bytes, sizeof(bytes) - 1, 1);
	want_told("item x; item y; message 7; item z; message 0; ");
	answer_end("0", NULL);
	want_told("watch ok; id=0 ttl=0; ");
}

static void cancelled_by_its_own_item(void **state _unused_)
{
	static const char bytes[] = "\0\0\0\0\6\x4a\1x\x4a\1y";

	start_up();
	scene.call = watch();
	scene.cancel_at = 1;
	answer_data(bytes, sizeof(bytes) - 1, 100);
	want_told("item x; stream cancelled; ");
}

static void with_the_connection_go_its_calls(void **state _unused_)
{
	start_up();
	ask("a");
	ask("b");
	go_down("the server no longer answers");
	want_told("b unavailable: the server no longer answers; "
		  "a unavailable: the server no longer answers; lost; "
		  "failed: 10.0.0.1:2379: the server no longer answers; ");
}

static void one_call_ends_another(void **state _unused_)
{
	start_up();
	scene.other = ask("a");
	ask("b");
	go_down("gone");
	want_told("b unavailable: gone; lost; failed: 10.0.0.1:2379: gone; ");
}

/* The owner judges the endpoint by an answer. */
static void left_from_within_an_answer(void **state _unused_)
{
	start_up();
	ask("a");
	ask("b");
	scene.fail_when_done = true;
	answer_data("", 0, 1);
	answer_end("14", NULL);
	want_told("b unavailable: no reason given (unavailable); a unavailable: of no use; lost; "
		  "failed: 10.0.0.1:2379: of no use; ");
}

static void freed_without_a_word(void **state _unused_)
{
	start_up();
	ask("a");
	watch();
	etcd_client_free(TAKE_PTR(scene.client));
	want_told("stream cancelled; stream cancelled; ");
	assert_false(scene.open);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_next_endpoint_is_tried_at_once),
		T(a_round_that_failed_is_told_and_waited_for),
		T(an_endpoint_that_does_not_serve_is_a_failure),
		T(one_that_served_is_replaced_without_a_word),
		T(all_addresses_of_a_name_are_tried),
		T(a_name_without_address_is_a_failure),
		T(a_user_logs_in_first),
		T(without_authentication_there_is_nothing_to_log_in_to),
		T(a_wrong_password_is_a_failure),
		T(a_password_file_that_is_not_there_is_a_failure),
		T(a_stale_token_is_renewed_and_nobody_notices),
		T(a_user_that_is_gone_ends_the_connection),
		T(a_call_may_be_cancelled_while_it_waits_for_a_token),
		T(what_may_not_be_done_is_named),
		T(a_call_is_asked_as_etcd_wants_it),
		T(answers_in_pieces_of_any_size),
		T(what_is_not_grpc_is_named),
		T(a_call_ends_by_its_deadline),
		T(messages_of_a_watch),
		T(cancelled_by_its_own_item),
		T(with_the_connection_go_its_calls),
		T(one_call_ends_another),
		T(left_from_within_an_answer),
		T(freed_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
