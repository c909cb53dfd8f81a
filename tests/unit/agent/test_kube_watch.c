/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake_kube.h"
#include "fake_loop.h"

/* What the owner heard, a word each. */
static struct scene {
	struct loop loop;
	struct kube_watch *watch;
	char heard[500];
} scene;

static void hear(const char *what, const char *name)
{
	size_t n = strlen(scene.heard);

	snprintf(scene.heard + n, sizeof(scene.heard) - n, "%s%s%s", n ? " " : "", what, name);
}

static void on_begin(void *arg)
{
	(void)arg;
	hear("begin", "");
}

static void on_node(void *arg, const struct kube_node *n)
{
	(void)arg;
	hear("+", n->name);
}

static void on_gone(void *arg, const struct kube_node *n)
{
	(void)arg;
	hear("-", n->name);
}

static void on_listed(void *arg)
{
	(void)arg;
	hear("listed", "");
}

static void on_watching(void *arg)
{
	(void)arg;
	hear("watching", "");
}

static void on_back(void *arg)
{
	(void)arg;
	hear("back", "");
}

static void on_bad(void *arg, const char *problem)
{
	(void)arg;
	(void)problem;
	hear("bad", "");
}

static void heard(const char *want)
{
	assert_string_equal(scene.heard, want);
	scene.heard[0] = '\0';
}

static void begin(const char *name, bool metadata, enum kube_watch_list first)
{
	memset(&kube, 0, sizeof(kube));
	memset(&scene, 0, sizeof(scene));
	scene.loop.now_ms = 1000;
	kube.up = true;
	scene.watch = kube_watch_new(
		&(struct kube_watch_conf){
			.loop = &scene.loop,
			.client = &kube,
			.name = name,
			.metadata = metadata,
			.seed = 7,
			.begin = on_begin,
			.node = on_node,
			.gone = on_gone,
			.listed = on_listed,
			.watching = on_watching,
			.back = on_back,
			.bad = on_bad,
		},
		first);
	kube_watch_up(scene.watch);
}

static void end(void)
{
	kube_watch_free(scene.watch);
	assert_null(scene.loop.timers);
	assert_int_equal(n_calls(), 0);
}

/* Whatever the list under way is asked for by: nothing in it. */
static void end_list(const char *version)
{
	struct kube_call *call = asked("resourceVersion=");

	assert_false(call->conf.watch);
	say_list_end(call, version, "");
	answer(call, 0, "");
}

static void test_lists_and_watches(void **state)
{
	struct kube_call *call;

	(void)state;
	begin("node-1", false, KUBE_WATCH_META);
	call = asked("?resourceVersion=0&fieldSelector=metadata.name%3Dnode-1");
	begin_answer(call);
	assert_string_equal(call->conf.accept, KUBE_ACCEPT);
	assert_false(call->conf.watch);
	say_node(call, KUBE_EVENT_LISTED, "node-1", "5");
	heard("begin +node-1");
	say_list_end(call, "9", "");
	answer(call, 0, "");
	heard("listed");
	call = asked("?resourceVersion=9&fieldSelector=metadata.name%3Dnode-1&watch=true"
		     "&allowWatchBookmarks=true&timeoutSeconds=");
	assert_string_equal(call->conf.accept, KUBE_ACCEPT);
	assert_true(call->conf.watch);
	assert_false(kube.well);
	begin_answer(call);
	heard("watching");
	assert_true(kube.well);
	say_node(call, KUBE_EVENT_MODIFIED, "node-1", "10");
	say_node(call, KUBE_EVENT_DELETED, "node-1", "11");
	say_bookmark(call, "15");
	heard("+node-1 -node-1");
	answer(call, 0, ""); /* timeoutSeconds */
	fake_loop_pass(&scene.loop, 10000);
	assert_non_null(asked("?resourceVersion=15&"));
	heard("");
	end();
}

/* Metadata alone is watched, whole Nodes are listed if nothing is known. */
static void test_two_views(void **state)
{
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_FULL);
	call = asked("resourceVersion=0");
	assert_null(strstr(call->path, "fieldSelector"));
	assert_string_equal(call->conf.accept, KUBE_ACCEPT);
	end_list("9");
	assert_non_null(strstr(asked("watch=true")->conf.accept, ";as=PartialObjectMetadata;"));
	kube_watch_relist(scene.watch, KUBE_WATCH_META);
	fake_loop_pass(&scene.loop, 0);
	call = asked("?resourceVersion=9&resourceVersionMatch=NotOlderThan");
	assert_non_null(strstr(call->conf.accept, ";as=PartialObjectMetadataList;"));
	kube_watch_relist(scene.watch, KUBE_WATCH_FULL);
	fake_loop_pass(&scene.loop, 0);
	assert_string_equal(asked("NotOlderThan")->conf.accept, KUBE_ACCEPT);
	heard("begin listed begin begin");
	end();
}

/* The API server's history begins later than what we know. */
static void test_gone(void **state)
{
	(void)state;
	for (int by_event = 0; by_event < 2; by_event++) {
		begin(NULL, true, KUBE_WATCH_META);
		end_list("9");
		heard("begin listed");
		if (by_event)
			say_status(asked("watch=true"), 410, "too old resource version");
		else
			answer(asked("watch=true"), 410, "410 Expired");
		assert_int_equal(n_calls(), 0); /* not all agents at once */
		fake_loop_pass(&scene.loop, 5000);
		assert_non_null(asked("resourceVersion=0"));
		heard("begin");
		assert_string_equal(kube.failed, "");
		end();
	}
}

/* Restored from a backup: what was version 100 is now 40, and nothing else would tell. */
static void test_back_in_time(void **state)
{
	(void)state;
	for (int by_node = 0; by_node < 2; by_node++) {
		begin(NULL, true, KUBE_WATCH_META);
		end_list("100");
		heard("begin listed");
		if (by_node)
			say_node(asked("watch=true"), KUBE_EVENT_MODIFIED, "a", "41");
		else
			say_bookmark(asked("watch=true"), "41");
		heard("back");
		fake_loop_pass(&scene.loop, 5000);
		assert_non_null(asked("resourceVersion=0"));
		heard("begin");
		end();
	}
}

/* The same, noticed by a list: the server waits for a version that it will not have, then gives up. */
static void test_list_too_new(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	end_list("100");
	kube_watch_relist(scene.watch, KUBE_WATCH_META);
	fake_loop_pass(&scene.loop, 0);
	answer(asked("resourceVersion=100&"), 504, "504 Timeout: Too large resource version");
	fake_loop_pass(&scene.loop, 5000);
	assert_string_equal(kube.failed, "");
	answer(asked("resourceVersion=0"), 504, "504 Timeout");
	assert_string_equal(kube.failed, "504 Timeout"); /* then it is something else */
	end();
}

/* The same, behind a connection that was lost: no watch would tell. */
static void test_back_while_away(void **state)
{
	struct kube_watch *other;
	struct kube_call *call;

	(void)state;
	begin("node-1", false, KUBE_WATCH_META);
	end_list("9");
	other = kube_watch_new(
		&(struct kube_watch_conf){
			.loop = &scene.loop,
			.client = &kube,
			.seed = 7,
			.begin = on_begin,
			.node = on_node,
			.gone = on_gone,
			.listed = on_listed,
			.watching = on_watching,
			.back = on_back,
			.bad = on_bad,
		},
		KUBE_WATCH_META);
	kube_watch_up(other);
	call = asked("resourceVersion=0");
	say_list_end(call, "12", "");
	answer(call, 0, "");
	kube_watch_lost(scene.watch);
	kube_watch_lost(other);
	kube_watch_check(scene.watch, other);
	kube_watch_up(scene.watch);
	scene.heard[0] = '\0';
	answer(asked("?resourceVersion=12&resourceVersionMatch=NotOlderThan&fieldSelector"), 504,
	       "504 Timeout: Too large resource version");
	heard("back");
	kube_watch_void(scene.watch); /* that is known */
	kube_watch_void(other);
	fake_loop_pass(&scene.loop, 5000);
	assert_non_null(asked("?resourceVersion=0&fieldSelector"));
	end_list("4");
	begin_answer(asked("?resourceVersion=4&fieldSelector"));
	heard("begin listed watching");
	kube_watch_up(other);
	assert_non_null(asked("nodes?resourceVersion=0"));
	kube_watch_free(other);
	end();
}

static void test_busy(void **state)
{
	struct kube_answer busy = {.status = {.code = 429, .retry_after_s = 7}, .problem = "429"};
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	call = asked("resourceVersion=0");
	call->used = false;
	call->conf.done(call->conf.arg, &busy);
	fake_loop_pass(&scene.loop, 6900);
	assert_int_equal(n_calls(), 0);
	fake_loop_pass(&scene.loop, 200);
	assert_non_null(asked("resourceVersion=0"));
	assert_string_equal(kube.failed, "");
	end();
}

/* Whatever else: another server may serve. */
static void test_of_no_use(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	answer(asked("resourceVersion=0"), 403, "403 Forbidden: no");
	assert_string_equal(kube.failed, "403 Forbidden: no");
	end();
}

/* A part of a list, told as the whole, would delete routes. */
static void test_list_in_parts(void **state)
{
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	call = asked("resourceVersion=0");
	say_list_end(call, "9", "TOKEN");
	answer(call, 0, "");
	assert_non_null(strstr(kube.failed, "not whole"));
	heard("begin");
	end();
}

/* The connection goes: continued where it was, by whatever server. */
static void test_lost(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	end_list("9");
	kube.up = false;
	answer(asked("watch=true"), -1, "connection reset");
	kube_watch_lost(scene.watch);
	fake_loop_pass(&scene.loop, 60000);
	kube.up = true;
	kube_watch_up(scene.watch);
	begin_answer(asked("resourceVersion=9&watch=true"));
	heard("begin listed watching");
	kube_watch_up(scene.watch); /* that is known */
	assert_int_equal(n_calls(), 1);
	/* Asked for a list while away. */
	kube.up = false;
	kube_watch_lost(scene.watch);
	kube_watch_relist(scene.watch, KUBE_WATCH_META);
	fake_loop_pass(&scene.loop, 60000);
	assert_int_equal(n_calls(), 0);
	kube.up = true;
	kube_watch_up(scene.watch);
	assert_non_null(asked("NotOlderThan"));
	/* And during the list: it begins anew. */
	kube.up = false;
	answer(asked("NotOlderThan"), -1, "connection reset");
	kube_watch_lost(scene.watch);
	kube.up = true;
	kube_watch_up(scene.watch);
	assert_non_null(asked("NotOlderThan"));
	heard("begin begin");
	end();
}

/* A server that ends each watch at once is not asked in a circle. */
static void test_short_watches(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	end_list("9");
	answer(asked("watch=true"), 0, "");
	fake_loop_pass(&scene.loop, 1000);
	assert_int_equal(n_calls(), 0);
	fake_loop_pass(&scene.loop, 5000);
	assert_non_null(asked("resourceVersion=9"));
	end();
}

static void test_bad_objects(void **state)
{
	struct kube_read r = {0};

	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	say(asked("resourceVersion=0"), KUBE_READ_BAD, &r);
	end_list("9");
	heard("begin bad listed");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_and_watches),
		cmocka_unit_test(test_two_views),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_back_in_time),
		cmocka_unit_test(test_list_too_new),
		cmocka_unit_test(test_back_while_away),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_of_no_use),
		cmocka_unit_test(test_list_in_parts),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_short_watches),
		cmocka_unit_test(test_bad_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
