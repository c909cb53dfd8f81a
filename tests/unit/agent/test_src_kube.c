/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server, or somebody in its place, may answer: docs/kube-input.md. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "kube_scene.h"

#define BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

/* ---- all is well ---- */

static void nodes_come_change_and_go(void **state)
{
	(void)state;
	begin();
	assert_non_null(strstr(WATCH->accept, ";as=PartialObjectMetadata;"));
	pieces(WATCH, event_of("ADDED", "c", 11), 7);
	want_told(""); /* its podCIDR is not in its metadata */
	reply(asked(true, "/api/v1/nodes/c"), "200", node_of("c", "10.244.3.0/24", 11));
	want_told("+10.244.3.0/24; ");
	pieces(WATCH, event_of("MODIFIED", "c", 12), 1);
	want_told(""); /* a heartbeat */
	pieces(WATCH, event_of("DELETED", "b", 13), 1000);
	want_told("-10.244.2.0/24; ");
	finish(WATCH, NULL);
	fake_loop_pass(&scene.loop, 10000);
	assert_non_null(strstr(WATCH->path, "resourceVersion=13&"));
	want_told("");
}

/* What the operator said of our address is news only where it is another than an earlier run was told. */
static void the_public_address_is_told(void **state)
{
	static const char *const now[] = {"192.168.0.9", "192.168.0.9", "192.168.0.8", NULL};
	struct ip was;

	(void)state;
	assert_true(ip_parse("192.168.0.9", &was));
	for (size_t i = 0; i < ARRAY_SIZE(now); i++) {
		size_t list, item, at;

		scene.told_ip = i ? was : (struct ip){0};
		scene.n_told_ip = 0;
		open_source(CONF);
		come_up();
		list = list_begin("NodeList", 10);
		item = pb_begin(&o, 2);
		put_node("a", "10.244.1.0/24", 10);
		at = meta_begin("a", "a");
		if (now[i])
			put_annotation(PREFIX "node-public-ip", now[i]);
		pb_end(&o, at);
		pb_end(&o, item);
		pb_end(&o, list);
		reply(LIST_MINE, "200", body_end());
		assert_int_equal(scene.n_told_ip, i != 1);
		assert_int_equal(ip_is_set(&scene.told_ip), now[i] != NULL);
		if (i + 1 < ARRAY_SIZE(now))
			source_kube.close(TAKE_PTR(scene.source));
	}
}

static struct h2_stream *asked_api(void)
{
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (h2.streams[i].open && strcmp(h2.streams[i].path, "/api") == 0)
			return &h2.streams[i];
	fail_msg("nobody asks for /api");
	return NULL;
}

static void answer_api(const char *const servers[], size_t n)
{
	size_t at;

	body_begin();
	at = wrap_begin("APIVersions");
	for (size_t i = 0; i < n; i++) {
		size_t server = pb_begin(&o, 2);

		pb_put_text(&o, 1, "0.0.0.0/0");
		pb_put_text(&o, 2, servers[i]);
		pb_end(&o, server);
	}
	pb_end(&o, at);
	reply(asked_api(), "200", body_end());
}

/* A child writes it. */
static void want_file(const char *path, const char *want)
{
	char text[600] = "";

	for (unsigned i = 0; i < 6000; i++) {
		if (file_read(path, text, sizeof(text), NULL) == 0 && strcmp(text, want) == 0)
			return;
		usleep(10000);
	}
	assert_string_equal(text, want);
}

/* As a pod: where the API server is by its own word is kept for the next start; what is no address is not. */
static void the_servers_own_address_is_remembered(void **state)
{
	static const char *const first[] = {"10.0.0.1:6443", "api.example:6443", "", "10.0.0.1"};
	static const char *const second[] = {"[fd00::2]:6443", "10.0.0.1:6443"};
	char path[60];

	(void)state;
	snprintf(path, sizeof(path), "%s/api-servers", scene.dir);
	setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	scene.url = "";
	begin();
	answer_api(first, ARRAY_SIZE(first));
	want_file(path, "10.0.0.1:6443\n");
	/* The same again is not written; a refusal harms nobody. */
	h2.conf.down(h2.conf.arg, "reset");
	fake_loop_pass(&scene.loop, 60000);
	scene.told[0] = '\0';
	come_up();
	begin_mine();
	header(WATCH, ":status", "200");
	want_told("up; ");
	reply(asked_api(), "403", BYTES("{\"message\":\"no\"}"));
	assert_true(h2.open);
	source_kube.close(TAKE_PTR(scene.source));
	memset(&scene.told, 0, sizeof(scene.told));
	/* The next start knows it, and learns more. */
	begin();
	answer_api(second, ARRAY_SIZE(second));
	want_file(path, "[fd00::2]:6443\n10.0.0.1:6443\n");
	assert_int_equal(unlink(path), 0);
	unsetenv("KUBERNETES_SERVICE_HOST");
}

/* It says that it has IPv6, and was read whole: podCIDRs do not change. */
static void what_a_node_has_not_is_not_asked_for(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 3; i++) {
		size_t at;

		body_begin();
		frame_begin("MODIFIED", "PartialObjectMetadata");
		put_node("b", NULL, 11 + i);
		at = meta_begin("b", "b");
		put_version(11 + i);
		put_annotation(PREFIX "public-ipv6", "fd00::2");
		pb_end(&o, at);
		frame_end();
		pieces(WATCH, body_end(), 1000);
		assert_null(find(true, "/api/v1/nodes/b"));
	}
	want_told("+10.244.2.0/24; ");
}

/* ---- answers that are none ---- */

#define GZIP "\x1f\x8b\x08\x00\x00\x00\x00\x00"

static const struct {
	const char *status, *location;
	struct pb_bytes body;
	const char *end; /* how the request ends; NULL = as it should */
	const char *want;
} answers[] = {
	{"200", NULL, BYTES("<html><body>It works!</body></html>"), NULL,
	 "the answer is HTML, not protobuf: \"<html><body>It works!</body></html>\""},
	{"200", NULL, BYTES("{\"kind\":\"NodeList\"}"), NULL,
	 "the answer is JSON, not protobuf: \"{\\x22kind\\x22:\\x22NodeList\\x22}\""},
	{"200", NULL, BYTES(GZIP), NULL,
	 "the answer is gzip, which nobody asked for, not protobuf"},
	{"200", NULL, BYTES("\xff\xfe\xfd\xfc\xfb"), NULL,
	 "the answer is something unknown, not protobuf: \"\\xff\\xfe\\xfd\\xfc\\xfb\""},
	{"200", NULL, BYTES(""), "the server broke the request off (CANCEL)",
	 "the server broke the request off (CANCEL)"},
	{"204", NULL, BYTES("<p>"), NULL, NULL},
	{"302", "https://login.example/?next=/api", BYTES("<a href=x>Found</a>"), NULL,
	 "302: Found; it sends us to \"https://login.example/?next=/api\", and nothing but the API "
	 "server itself is asked: give its own address"},
	{"307", NULL, BYTES(""), NULL, "307"},
	{"308", "/a\x1b", BYTES(""), NULL, "308; it sends us to \"/a\\x1b\""},
	{"401", NULL,
	 BYTES("{\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}"), NULL,
	 "401 Unauthorized: Unauthorized; we came without credentials"},
	{"404", NULL, BYTES("404 page not found\n"), NULL, "404: 404 page not found"},
	{"406", NULL, BYTES("{\"message\":\"only the following media types are accepted: x\"}"),
	 NULL, "406: only the following media types are accepted: x"},
	{"503", NULL, BYTES("<html><title>503</title>no upstream</html>"), NULL,
	 "503: 503 no upstream"},
	{"502", NULL, BYTES(GZIP), NULL, "502: a gzip body that nobody asked for"},
	{"500", NULL, BYTES("k8s\0\xff"), NULL,
	 "500: an answer in protobuf that is no whole Status"},
	{"999", NULL, BYTES(""), NULL, "999"},
};

/* The cause is told, with the server's name; no lease goes. */
static void want_cause(const char *part)
{
	const char *told = scene.told;

	told += strncmp(told, "up; ", 4) == 0 ? 4 : 0;
	if (strncmp(told, SERVER, strlen(SERVER)) != 0 || (part && !strstr(told, part)) ||
	    strstr(told, "-10.") || strstr(told, "list"))
		fail_msg("told: %s\nwanted: " SERVER "%s", told, part ? part : "");
	scene.told[0] = '\0';
	assert_false(h2.open);
}

static void send(struct h2_stream *s, size_t i)
{
	header(s, ":status", answers[i].status);
	if (answers[i].location)
		header(s, "location", answers[i].location);
	pieces(s, answers[i].body, 1000);
	finish(s, answers[i].end);
}

enum place {
	PLACE_LIST_MINE,
	PLACE_WATCH_MINE,
	PLACE_LIST,
	PLACE_WATCH,
	PLACE_FETCH,
	PLACE__COUNT,
};

/* To where the request of that place waits. */
static struct h2_stream *go_to(enum place place)
{
	switch (place) {
	case PLACE_LIST_MINE:
		return LIST_MINE;
	case PLACE_WATCH_MINE:
		reply(LIST_MINE, "200", list_of("a", "10.244.1.0/24", 10));
		return WATCH_MINE;
	case PLACE_LIST:
		source_kube.relist(scene.source);
		begin_mine();
		fake_loop_pass(&scene.loop, 0);
		return LIST;
	case PLACE_WATCH:
		begin_mine();
		return WATCH;
	case PLACE_FETCH:
		begin_mine();
		header(WATCH, ":status", "200");
		pieces(WATCH, event_of("ADDED", "c", 11), 1000);
		return asked(true, "/api/v1/nodes/c");
	case PLACE__COUNT:
		break;
	}
	fail();
	return NULL;
}

static void answers_that_are_none(void **state)
{
	size_t bytes = 0;

	(void)state;
	begin();
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
			for (enum place p = 0; p < PLACE__COUNT; p++) {
				struct h2_stream *s;

				if (p == PLACE_FETCH && strcmp(answers[i].status, "404") == 0)
					continue; /* it is gone again */
				h2.conf.down(h2.conf.arg, "reset");
				fake_loop_pass(&scene.loop, 60000);
				come_up();
				s = go_to(p);
				scene.told[0] = '\0';
				send(s, i);
				want_cause(answers[i].want);
				recover();
			}
		}
		if (round > 0)
			assert_int_equal(mallinfo2().uordblks, bytes);
		bytes = mallinfo2().uordblks;
	}
}

/* ---- answers that end too early, or are not what they say ---- */

/* All of an answer but its end, however much: the list is not believed, an event is not there. */
static void answers_are_cut(void **state)
{
	static uint8_t bytes[4000];
	struct pb_bytes whole;

	(void)state;
	begin();
	whole = both();
	assert_true(whole.n < sizeof(bytes));
	memcpy(bytes, whole.p, whole.n);
	for (size_t n = 0; n < whole.n; n += 5) {
		source_kube.relist(scene.source);
		fake_loop_pass(&scene.loop, 0);
		reply(LIST, "200", (struct pb_bytes){bytes, n});
		want_cause("the answer");
		recover();
	}
	pieces(WATCH, (struct pb_bytes){bytes, 0}, 1);
	whole = event_of("DELETED", "b", 11);
	whole.n--;
	pieces(WATCH, whole, 50);
	finish(WATCH, NULL);
	want_cause("the watch ended within an event");
}

static void lengths_lie(void **state)
{
	size_t list, item, meta;

	(void)state;
	begin();
	list = list_begin("NodeList", 10);
	put_item_node("a", "10.244.1.0/24", 9);
	item = pb_begin(&o, 2);
	meta = meta_begin("x", "u");
	put_raw("\x62\x7f", 2); /* an annotation longer than all the rest */
	pb_end(&o, meta);
	pb_end(&o, item);
	pb_end(&o, list);
	source_kube.relist(scene.source);
	fake_loop_pass(&scene.loop, 0);
	reply(LIST, "200", body_end());
	want_cause("Node \"x\": it is no protobuf: a length is longer than what it is in");
	recover();
	/* Within an event the frame still says where the next one is. */
	body_begin();
	frame_begin("MODIFIED", "PartialObjectMetadata");
	meta = meta_begin("b", "b");
	put_raw("\x62\x7f", 2);
	pb_end(&o, meta);
	frame_end();
	pieces(WATCH, body_end(), 3);
	want_logged("Node \"b\": the event is no protobuf");
	pieces(WATCH, event_of("DELETED", "b", 12), 3);
	want_told("-10.244.2.0/24; ");
	/* A frame of 4 GiB. */
	pieces(WATCH, BYTES("\xff\xff\xff\xff\x0a\x05"), 1000);
	want_cause("the answer is something unknown, not protobuf");
}

/* ---- ERROR events ---- */

static const struct {
	int64_t code;
	const char *reason, *message;
	const char *want; /* NULL = no word: the list is read again */
} errors[] = {
	{410, "Expired", "too old resource version: 1 (4711)", NULL},
	{500, "InternalError", "etcdserver: mvcc: no\n",
	 "it says that something is wrong: 500 InternalError: etcdserver: mvcc: no\\x0a"},
	{403, "Forbidden", "nodes is forbidden", "403 Forbidden: nodes is forbidden"},
	{504, "Timeout", "", "504 Timeout"},
	{0, "", "", "it says that something is wrong"},
	{0, "Odd", "", "it says that something is wrong: Odd"},
	{INT64_MIN, "", "x", ": -9223372036854775808: x"},
};

static void error_events(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		pieces(WATCH, error_of(errors[i].code, errors[i].reason, errors[i].message), 9);
		if (errors[i].want) {
			want_cause(errors[i].want);
			recover();
			continue;
		}
		want_told("");
		fake_loop_pass(&scene.loop, 5000);
		reply(LIST, "200", both());
		header(WATCH, ":status", "200");
		want_told(BOTH);
	}
	/* Busy: it says when. */
	body_begin();
	frame_begin("ERROR", "Status");
	pb_put_int(&o, 6, 429);
	{
		size_t details = pb_begin(&o, 5);

		pb_put_int(&o, 5, 7);
		pb_end(&o, details);
	}
	frame_end();
	pieces(WATCH, body_end(), 1000);
	fake_loop_pass(&scene.loop, 6900);
	assert_null(find(true, "&watch=true"));
	fake_loop_pass(&scene.loop, 200);
	assert_non_null(WATCH);
	/* One that holds no Status, and one of a type that is to come: the watch goes on. */
	body_begin();
	frame_begin("ERROR", "Node");
	put_meta("x", "u");
	frame_end();
	frame_begin("FUTURE", "Node");
	put_meta("x", "u");
	frame_end();
	header(WATCH, ":status", "200");
	pieces(WATCH, body_end(), 1000);
	want_logged("a watch event of type ERROR with an object of kind \"Node\"");
	pieces(WATCH, event_of("DELETED", "b", 12), 3);
	want_told("-10.244.2.0/24; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_come_change_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_public_address_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_servers_own_address_is_remembered, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_a_node_has_not_is_not_asked_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(answers_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lengths_lie, set_up, tear_down),
		cmocka_unit_test_setup_teardown(error_events, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
