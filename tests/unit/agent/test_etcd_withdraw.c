/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_withdraw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_etcd.h"
#include "fake_loop.h"

#define KEY   "10.5.7.0-24"
#define OURS  "{\"PublicIP\":\"192.168.64.3\",\"BackendType\":\"vxlan\"}"
#define OTHER "{\"PublicIP\":\"192.168.64.9\",\"BackendType\":\"vxlan\"}"

/* What happens, in order. Then nothing does: time passes. */
enum step {
	NOTHING_MORE,
	UP,
	LISTED,	      /* etcd answers what is there */
	LIST_REFUSED, /* the client leaves the endpoint, and says so after the round */
	DELETED,
	CHANGED, /* somebody was quicker: the transaction does nothing */
	DELETE_REFUSED,
	TAKEN,	    /* now it is another's */
	GONE,	    /* now there is none */
	LISTED_CUT, /* its value is longer than what is read whole */
};

static const enum step *steps;
static struct etcd_client_conf client;
static struct loop loop;
static bool stopped;
static int n_clients;

/* ---- the client's life, and the loop's ---- */

struct etcd_client *etcd_client_new(const struct etcd_client_conf *conf)
{
	client = *conf;
	n_clients++;
	etcd.up = false;
	return &etcd;
}

void etcd_client_free(struct etcd_client *c)
{
	memset(c->calls, 0, sizeof(c->calls));
	n_clients--;
}

void etcd_client_fail(struct etcd_client *c, const char *problem)
{
	c->up = false;
	client.lost(client.arg);
	client.failed(client.arg, problem);
}

struct loop *loop_new(void)
{
	loop = (struct loop){.now_ms = 5000};
	stopped = false;
	return &loop;
}

void loop_free(struct loop *l)
{
	assert_null(l->timers);
}

void loop_stop(struct loop *l _unused_)
{
	stopped = true;
}

static void happen(enum step step)
{
	struct etcd_call *call;

	switch (step) {
	case UP:
		etcd.up = true;
		client.up(client.arg);
		break;
	case LISTED:
		answer_list();
		break;
	case LISTED_CUT:
		call = asked(ETCD_METHOD_RANGE);
		call->conf.item(call->conf.arg, &(struct pb_field){.number = ETCD_RANGE_KVS,
								   .type = PB_BYTES,
								   .cut = true});
		answer(ETCD_METHOD_RANGE, GRPC_OK, "");
		break;
	case LIST_REFUSED:
		answer(ETCD_METHOD_RANGE, GRPC_UNAVAILABLE, "a:2379: no leader");
		break;
	case DELETED:
		want_write(KEY, 17, NULL, 0);
		answer_txn(true, 18);
		break;
	case CHANGED:
		want_write(KEY, 17, NULL, 0);
		answer_txn(false, 18);
		break;
	case DELETE_REFUSED:
		answer(ETCD_METHOD_TXN, GRPC_PERMISSION_DENIED, "a:2379: permission denied");
		break;
	case TAKEN:
		etcd.keys[0].value = OTHER;
		break;
	case GONE:
		etcd.n_keys = 0;
		break;
	case NOTHING_MORE:
		fake_loop_pass(&loop, 9999);
		assert_false(stopped);
		fake_loop_pass(&loop, 1);
		assert_true(stopped);
		break;
	}
}

void loop_run(struct loop *l _unused_)
{
	while (!stopped) {
		const enum step step = *steps;

		if (step != NOTHING_MORE)
			steps++;
		happen(step);
	}
}

/* ---- stories ---- */

static struct opts options(void)
{
	char name[] = "x", *argv[] = {name, NULL};
	struct opts o;

	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	o.etcd_endpoints = "http://a:2379";
	o.etcd_prefix = "/n";
	return o;
}

static int withdraw(const struct opts *o, struct err *err)
{
	struct source_withdrawal w = {.opts = o, .key = KEY};

	assert_true(ip_parse("192.168.64.3", &w.public_ip));
	return etcd_withdraw(&w, err);
}

static const struct {
	const char *what, *value; /* NULL: no such key */
	int64_t lease;
	enum step steps[8];
	int want;
	const char *story;
} stories[] = {
	{"it goes", OURS, 7, {UP, LISTED, DELETED}, SOURCE_WITHDRAW_DONE, ""},
	{"there is none", NULL, 0, {UP, LISTED}, SOURCE_WITHDRAW_NONE, ""},
	{"the operator's", OURS, 0, {UP, LISTED}, SOURCE_WITHDRAW_RESERVATION, ""},
	{"another's", OTHER, 7, {UP, LISTED}, SOURCE_WITHDRAW_FOREIGN, "192.168.64.9 holds it"},
	{"no lease", "{}", 7, {UP, LISTED}, SOURCE_WITHDRAW_FOREIGN, "what is there is no lease"},
	{"too long to be one",
	 OURS,
	 7,
	 {UP, LISTED_CUT},
	 SOURCE_WITHDRAW_FOREIGN,
	 "what is there is no lease"},
	{"renewed meanwhile",
	 OURS,
	 7,
	 {UP, LISTED, CHANGED, LISTED, DELETED},
	 SOURCE_WITHDRAW_DONE,
	 ""},
	{"taken meanwhile",
	 OURS,
	 7,
	 {UP, LISTED, CHANGED, TAKEN, LISTED},
	 SOURCE_WITHDRAW_FOREIGN,
	 "192.168.64.9 holds it"},
	{"lapsed meanwhile",
	 OURS,
	 7,
	 {UP, LISTED, CHANGED, GONE, LISTED},
	 SOURCE_WITHDRAW_NONE,
	 ""},
	{"a second endpoint serves",
	 OURS,
	 7,
	 {UP, LIST_REFUSED, UP, LISTED, DELETED},
	 SOURCE_WITHDRAW_DONE,
	 ""},
	{"nobody answers",
	 OURS,
	 7,
	 {NOTHING_MORE},
	 -EIO,
	 "etcd: no answer from http://a:2379 within 10 s"},
	{"nobody answers in time",
	 OURS,
	 7,
	 {UP},
	 -EIO,
	 "etcd: no answer from http://a:2379 within 10 s"},
	{"it cannot be read", OURS, 7, {UP, LIST_REFUSED}, -EIO, "etcd: a:2379: no leader"},
	{"it may not be deleted",
	 OURS,
	 7,
	 {UP, LISTED, DELETE_REFUSED},
	 -EIO,
	 "etcd: a:2379: permission denied"},
};

static void withdraws(void **state _unused_)
{
	const struct opts o = options();

	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		struct err err = {""};
		int r;

		etcd = (struct etcd_client){
			.keys = {{KEY, stories[i].value, 17, stories[i].lease}},
			.n_keys = stories[i].value != NULL,
		};
		steps = stories[i].steps;
		r = withdraw(&o, &err);
		if (r != stories[i].want || strcmp(err.text, stories[i].story) != 0)
			fail_msg("%s: %d, \"%s\"", stories[i].what, r, err.text);
		if (*steps != NOTHING_MORE)
			fail_msg("%s: ended before its end", stories[i].what);
		assert_int_equal(n_clients, 0);
	}
}

static void flags_that_cannot_work(void **state _unused_)
{
	struct opts o = options();
	struct err err = {""};

	o.etcd_endpoints = "ftp://a";
	assert_int_equal(withdraw(&o, &err), -EINVAL);
	assert_non_null(strstr(err.text, "etcd-endpoints"));
	o = options();
	o.etcd_prefix = "";
	assert_int_equal(withdraw(&o, &err), -EINVAL);
	assert_non_null(strstr(err.text, "etcd-prefix"));
	assert_int_equal(n_clients, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(withdraws),
		cmocka_unit_test(flags_that_cannot_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
