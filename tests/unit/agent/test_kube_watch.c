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
	bool pages_only;
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
			.pages_only = &scene.pages_only,
			.seed = 7,
			.begin = on_begin,
			.node = on_node,
			.gone = on_gone,
			.listed = on_listed,
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

static void test_one_stream_lists_and_watches(void **state)
{
	struct kube_call *call;

	(void)state;
	begin("node-1", false, KUBE_WATCH_META);
	call = asked("sendInitialEvents=true");
	assert_non_null(strstr(call->path, "fieldSelector=metadata.name%3Dnode-1"));
	assert_non_null(strstr(call->path, "allowWatchBookmarks=true"));
	assert_string_equal(call->conf.accept, KUBE_ACCEPT);
	assert_false(kube_watch_synced(scene.watch));
	say_node(call, KUBE_EVENT_ADDED, "node-1", "5");
	say_bookmark(call, "9", true);
	heard("begin +node-1 listed");
	assert_true(kube_watch_synced(scene.watch));
	assert_true(kube.well);
	say_node(call, KUBE_EVENT_MODIFIED, "node-1", "10");
	say_node(call, KUBE_EVENT_DELETED, "node-1", "11");
	say_bookmark(call, "15", false);
	heard("+node-1 -node-1");
	answer(call, 0, ""); /* timeoutSeconds */
	fake_loop_pass(&scene.loop, 10000);
	assert_non_null(asked("resourceVersion=15"));
	heard("");
	end();
}

/* Metadata alone is watched, whole Nodes are listed if nothing is known. */
static void test_two_views(void **state)
{
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_FULL);
	call = asked("sendInitialEvents=true");
	assert_null(strstr(call->path, "fieldSelector"));
	assert_string_equal(call->conf.accept, KUBE_ACCEPT);
	say_bookmark(call, "9", true);
	assert_false(call->used);
	fake_loop_pass(&scene.loop, 0);
	call = asked("resourceVersion=9");
	assert_non_null(strstr(call->conf.accept, "as=PartialObjectMetadata;"));
	kube_watch_relist(scene.watch, KUBE_WATCH_META);
	fake_loop_pass(&scene.loop, 0);
	call = asked("sendInitialEvents=true");
	assert_non_null(strstr(call->conf.accept, "as=PartialObjectMetadata;"));
	kube_watch_relist(scene.watch, KUBE_WATCH_FULL);
	fake_loop_pass(&scene.loop, 0);
	assert_string_equal(asked("sendInitialEvents=true")->conf.accept, KUBE_ACCEPT);
	heard("begin listed begin begin");
	end();
}

static void refuse_by_status(struct kube_call *call)
{
	answer(call, 422, "sendInitialEvents is forbidden");
}

static void refuse_by_event(struct kube_call *call)
{
	say_status(call, 500, "RequestWatchProgress is disabled");
}

static void say_nothing(struct kube_call *call)
{
	say_node(call, KUBE_EVENT_ADDED, "a", "5");
	fake_loop_pass(&scene.loop, 6000);
}

static void just_end(struct kube_call *call)
{
	answer(call, 0, "");
}

/* Each way in which servers do not list by watch. */
static void test_pages_instead(void **state)
{
	void (*const ways[])(struct kube_call * call) = {refuse_by_status, refuse_by_event,
							 say_nothing, just_end};
	struct kube_call *call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		begin(NULL, true, KUBE_WATCH_META);
		ways[i](asked("sendInitialEvents=true"));
		fake_loop_pass(&scene.loop, 0);
		assert_true(scene.pages_only);
		assert_string_equal(scene.heard + strlen(scene.heard) - strlen("begin"), "begin");
		scene.heard[0] = '\0';
		call = asked("?limit=500");
		assert_non_null(strstr(call->conf.accept, "as=PartialObjectMetadataList;"));
		assert_false(call->conf.watch);
		say_node(call, KUBE_EVENT_LISTED, "a", "3");
		say_list_end(call, "9", "TOKEN");
		answer(call, 0, "");
		fake_loop_pass(&scene.loop, 0);
		call = asked("?limit=500&continue=TOKEN");
		say_node(call, KUBE_EVENT_LISTED, "b", "4");
		say_list_end(call, "9", "");
		heard("+a +b");
		answer(call, 0, "");
		heard("listed");
		fake_loop_pass(&scene.loop, 0);
		assert_non_null(asked("resourceVersion=9&watch=true"));
		end();
	}
}

/* The API server's history begins later than what we know. */
static void test_gone(void **state)
{
	(void)state;
	for (int by_event = 0; by_event < 2; by_event++) {
		begin(NULL, true, KUBE_WATCH_META);
		say_bookmark(asked("sendInitialEvents"), "9", true);
		heard("begin listed");
		if (by_event)
			say_status(asked("sendInitialEvents"), 410, "too old resource version");
		else
			answer(asked("sendInitialEvents"), 410, "410 Expired");
		assert_int_equal(n_calls(), 0); /* not all agents at once */
		fake_loop_pass(&scene.loop, 5000);
		assert_non_null(asked("sendInitialEvents"));
		heard("begin");
		assert_string_equal(kube.failed, "");
		end();
	}
}

/* A page's token has expired: all pages anew. */
static void test_pages_expire(void **state)
{
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	refuse_by_status(asked("sendInitialEvents"));
	fake_loop_pass(&scene.loop, 0);
	call = asked("?limit=500");
	say_list_end(call, "9", "TOKEN");
	answer(call, 0, "");
	fake_loop_pass(&scene.loop, 0);
	answer(asked("continue=TOKEN"), 410, "410 Expired");
	fake_loop_pass(&scene.loop, 5000);
	assert_null(strstr(asked("?limit=500")->path, "continue"));
	heard("begin begin begin");
	end();
}

/* Restored from a backup: what was version 100 is now 40, and nothing else would tell. */
static void test_back_in_time(void **state)
{
	(void)state;
	for (int by_node = 0; by_node < 2; by_node++) {
		begin(NULL, true, KUBE_WATCH_META);
		say_bookmark(asked("sendInitialEvents"), "100", true);
		heard("begin listed");
		if (by_node)
			say_node(asked("sendInitialEvents"), KUBE_EVENT_MODIFIED, "a", "41");
		else
			say_bookmark(asked("sendInitialEvents"), "41", false);
		heard("");
		fake_loop_pass(&scene.loop, 5000);
		assert_non_null(asked("sendInitialEvents"));
		heard("begin");
		end();
	}
}

static void test_busy(void **state)
{
	struct kube_answer busy = {.status = {.code = 429, .retry_after_s = 7}, .problem = "429"};
	struct kube_call *call;

	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	call = asked("sendInitialEvents");
	call->used = false;
	call->conf.done(call->conf.arg, &busy);
	fake_loop_pass(&scene.loop, 6900);
	assert_int_equal(n_calls(), 0);
	fake_loop_pass(&scene.loop, 200);
	assert_non_null(asked("sendInitialEvents"));
	assert_string_equal(kube.failed, "");
	end();
}

/* Whatever else: another server may serve. */
static void test_of_no_use(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	answer(asked("sendInitialEvents"), 403, "403 Forbidden: no");
	assert_string_equal(kube.failed, "403 Forbidden: no");
	end();
}

/* The connection goes: continued where it was, by whatever server. */
static void test_lost(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	say_bookmark(asked("sendInitialEvents"), "9", true);
	kube.up = false;
	answer(asked("sendInitialEvents"), -1, "connection reset");
	kube_watch_lost(scene.watch);
	assert_false(kube_watch_synced(scene.watch));
	fake_loop_pass(&scene.loop, 60000);
	kube.up = true;
	kube_watch_up(scene.watch);
	assert_non_null(asked("resourceVersion=9&watch=true"));
	heard("begin listed");
	/* Asked for a list while away. */
	kube.up = false;
	kube_watch_lost(scene.watch);
	kube_watch_relist(scene.watch, KUBE_WATCH_META);
	fake_loop_pass(&scene.loop, 60000);
	assert_int_equal(n_calls(), 0);
	kube.up = true;
	kube_watch_up(scene.watch);
	assert_non_null(asked("sendInitialEvents"));
	end();
}

/* A server that ends each watch at once is not asked in a circle. */
static void test_short_watches(void **state)
{
	(void)state;
	begin(NULL, true, KUBE_WATCH_META);
	say_bookmark(asked("sendInitialEvents"), "9", true);
	answer(asked("sendInitialEvents"), 0, "");
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
	say(asked("sendInitialEvents"), KUBE_READ_BAD, &r);
	say_bookmark(asked("sendInitialEvents"), "9", true);
	heard("begin bad listed");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_stream_lists_and_watches),
		cmocka_unit_test(test_two_views),
		cmocka_unit_test(test_pages_instead),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_pages_expire),
		cmocka_unit_test(test_back_in_time),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_of_no_use),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_short_watches),
		cmocka_unit_test(test_bad_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
