/* SPDX-License-Identifier: Apache-2.0 */
/* Our own lease, of IPv4 alone; both families are in test_etcd_own6.c. */
#include "own_scene.h"

/* ---- acquired ---- */

static void nothing_is_asked_before_all_is_known(void **state _unused_)
{
	etcd.up = true;
	etcd_own_synced(scene.own, true);
	etcd_own_publish(scene.own, &scene.lease);
	assert_int_equal(n_calls(), 0);
	etcd_own_synced(scene.own, false);
	etcd_own_net(scene.own, &scene.net);
	assert_int_equal(n_calls(), 0);
	etcd_own_synced(scene.own, true);
	asked(ETCD_METHOD_RANGE);
}

static void granted_and_written(void **state _unused_)
{
	acquire();
	pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
	want_id(ETCD_METHOD_LEASE_RENEW, 7);
}

/* Its time runs from the question: etcd's began somewhere behind it. */
static void time_runs_from_the_question(void **state _unused_)
{
	start();
	answer_list();
	pass_s(5);
	answer_grant(7, TTL_S);
	pass_s(4);
	answer_txn(true, 10);
	want_told("held 10.5.77.0/24 expires=86391; ");
}

static void a_lease_with_our_address_is_used_again(void **state _unused_)
{
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.8.0-24", THEIRS, 3, 55};
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24", OURS, 4, 66};
	start();
	answer_list();
	answer_grant(7, TTL_S);
	want_write("10.5.9.0-24", 4, OURS, 7);
	answer_txn(true, 10);
	want_told("held 10.5.9.0/24 expires=86400; ");
}

static void a_reservation_stays_one(void **state _unused_)
{
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24", OURS, 4, 0};
	start();
	answer_list();
	want_write("10.5.9.0-24", 4, OURS, 0);
	answer_txn(true, 10);
	want_told("held 10.5.9.0/24 expires=-1; ");
	assert_int_equal(fake_loop_idle_ms(&scene.loop), UINT64_MAX); /* nothing to renew */
}

static void what_we_publish_changes(void **state _unused_)
{
	acquire();
	etcd_own_publish(scene.own, &scene.lease);
	assert_int_equal(n_calls(), 0); /* nothing new */
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	want_write("10.5.77.0-24", 10, VALUE("192.168.0.1", "02"), 7);
	answer_txn(true, 11);
	want_told(HELD);
	/* In the same etcd lease, which goes on as before. */
	pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
}

static void out_of_subnets_until_some_lease_goes(void **state _unused_)
{
	static const char conf[] = "{\"Network\":\"10.9.0.0/24\",\"SubnetLen\":26,"
				   "\"Backend\":{\"Type\":\"vxlan\"}}";
	char complaints[200] = "";

	netconf_decode(conf, sizeof(conf) - 1, &scene.net, &TEXT(complaints));
	assert_string_equal(complaints, "");
	scene.source.previous = (struct cidr){0};
	etcd.keys[etcd.n_keys++] = (struct stored){"10.9.0.64-26", THEIRS, 3, 55};
	etcd.keys[etcd.n_keys++] = (struct stored){"10.9.0.128-26", THEIRS, 3, 55};
	etcd.keys[etcd.n_keys++] = (struct stored){"10.9.0.192-26", THEIRS, 3, 55};
	start();
	answer_list();
	want_told("lost : out of subnets: every /26 from 10.9.0.64 to 10.9.0.192 is taken; ");
	pass_backoff(0);
	answer_list();
	want_told(""); /* the same cause is told once */
	etcd.n_keys--;
	saw_gone("10.9.0.192-26", 4);
	answer_list();
	answer_grant(7, TTL_S);
	want_write("10.9.0.192-26", 0, OURS, 7);
}

/* ---- etcd says no, or nonsense ---- */

static void races_are_run_again(void **state _unused_)
{
	start();
	for (unsigned i = 0; i < 6; i++) {
		answer_list();
		answer_grant(70 + i, TTL_S);
		answer_txn(false, 10);
		/* What was granted for it is given back. */
		want_id(ETCD_METHOD_LEASE_REVOKE, 70 + i);
		answer(ETCD_METHOD_LEASE_REVOKE, GRPC_OK, "");
		if (i < 4)
			pass_idle(1, 100);
		else
			pass_backoff(i - 4);
	}
	want_told("");
	answer_list();
	answer_grant(7, TTL_S);
	answer_txn(true, 10);
	want_told(HELD);
	/* After one that was won, the next lost one is the first again. */
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	answer_txn(false, 12);
	pass_idle(1, 100);
	asked(ETCD_METHOD_RANGE);
}

/* etcd wrote ours, but somebody else wrote behind us before we heard of it. */
static void overtaken_while_writing(void **state _unused_)
{
	start();
	answer_list();
	answer_grant(7, TTL_S);
	saw("10.5.77.0-24", OURS, 10, 7); /* ourselves */
	saw("10.5.77.0-24", THEIRS, 11, 8);
	answer_txn(true, 10);
	want_told("");
	want_id(ETCD_METHOD_LEASE_REVOKE, 7);
	answer(ETCD_METHOD_LEASE_REVOKE, GRPC_OK, "");
	pass_idle(1, 100);
	asked(ETCD_METHOD_RANGE);
}

/* The etcd lease went while we wrote to its key, and took the key along. */
static void expired_while_writing(void **state _unused_)
{
	acquire();
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	answer(ETCD_METHOD_TXN, GRPC_NOT_FOUND, "etcdserver: requested lease not found");
	want_told("");
	pass_idle(1, 100);
	asked(ETCD_METHOD_RANGE);
}

static void our_own_echo_is_no_race(void **state _unused_)
{
	start();
	answer_list();
	answer_grant(7, TTL_S);
	saw_gone("10.5.77.0-24", 9); /* what stood there before */
	saw("10.5.77.0-24", OURS, 10, 7);
	answer_txn(true, 10);
	want_told(HELD);
}

static void failures_are_told_and_tried_again(void **state _unused_)
{
	start();
	for (unsigned i = 0; i < 3; i++) {
		answer(ETCD_METHOD_RANGE, GRPC_INTERNAL, "the answer is empty");
		want_told(i == 0 ? "lost : listing the leases failed: the answer is empty; " : "");
		pass_backoff(i);
	}
	answer_list();
	answer(ETCD_METHOD_LEASE_GRANT, GRPC_RESOURCE_EXHAUSTED, "no space");
	want_told("lost : asking for an etcd lease failed: no space; ");
	pass_backoff(3);
	answer_list();
	answer_grant(7, TTL_S);
	answer(ETCD_METHOD_TXN, GRPC_UNKNOWN, "too many requests");
	want_told("lost : writing our lease failed: too many requests; ");
	want_id(ETCD_METHOD_LEASE_REVOKE, 7);
	answer(ETCD_METHOD_LEASE_REVOKE, GRPC_UNKNOWN, "too many requests");
	pass_backoff(4);
	answer_list();
	answer_grant(8, TTL_S);
	answer_txn(true, 10);
	want_told(HELD);
	/* Waits begin anew. */
	pass_s(TTL_S - MARGIN_S);
	answer(ETCD_METHOD_LEASE_RENEW, GRPC_UNKNOWN, "too many requests");
	pass_backoff(0);
}

static void what_grants_nothing_is_a_failure(void **state _unused_)
{
	static const struct etcd_lease_reply rows[] = {
		{.id = 0, .ttl_s = TTL_S}, {.id = 7, .ttl_s = 0}, {.id = 7, .ttl_s = -1}};

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		answer_list();
		answer_grant(rows[i].id, rows[i].ttl_s);
		want_told(
			i == 0 ? "lost : asking for an etcd lease failed: the answer grants none; "
			       : "");
		pass_backoff(i);
	}
}

static void lost_with_the_connection_is_the_sources_story(void **state _unused_)
{
	start();
	answer(ETCD_METHOD_RANGE, GRPC_INTERNAL, "the answer is empty");
	want_told("lost : listing the leases failed: the answer is empty; ");
	pass_backoff(0);
	answer_list();
	answer(ETCD_METHOD_LEASE_GRANT, GRPC_UNKNOWN, "too many requests");
	want_told("lost : asking for an etcd lease failed: too many requests; ");
	/* Within the next wait the connection goes, and comes back. */
	lose_connection();
	etcd.up = true;
	etcd_own_synced(scene.own, true);
	answer_list(); /* at once */
	etcd.up = false;
	answer(ETCD_METHOD_LEASE_GRANT, GRPC_UNAVAILABLE, "connection lost");
	lose_connection();
	pass_s(1000);
	want_told("");
	etcd.up = true;
	etcd_own_synced(scene.own, true);
	asked(ETCD_METHOD_RANGE);
}

/* ---- kept ---- */

static void kept_alive(void **state _unused_)
{
	acquire();
	for (int i = 0; i < 3; i++) {
		pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
		want_id(ETCD_METHOD_LEASE_RENEW, 7);
		answer_lease(ETCD_METHOD_LEASE_RENEW, 7, TTL_S);
		want_told(HELD);
	}
	/* Slowly answered: the next one is as early as if it had been quick. */
	pass_s(TTL_S - MARGIN_S);
	pass_s(9);
	answer_lease(ETCD_METHOD_LEASE_RENEW, 7, TTL_S);
	want_told("held 10.5.77.0/24 expires=86391; ");
	pass_idle((TTL_S - MARGIN_S - 9) * 1000, (TTL_S - MARGIN_S - 9) * 1000);
}

/* Shorter than the margin: two thirds of it are left. */
static void a_short_one_is_kept_alive(void **state _unused_)
{
	scene.source.lease_ttl_s = 3;
	start();
	answer_list();
	answer_grant(7, 3);
	answer_txn(true, 10);
	want_told("held 10.5.77.0/24 expires=3; ");
	pass_idle(1000, 1000);
	answer_lease(ETCD_METHOD_LEASE_RENEW, 7, 6);
	want_told("held 10.5.77.0/24 expires=6; ");
	pass_idle(2000, 2000);
}

static void a_renewal_that_fails_is_tried_again(void **state _unused_)
{
	acquire();
	pass_s(TTL_S - MARGIN_S);
	for (unsigned i = 0; i < 3; i++) {
		answer(ETCD_METHOD_LEASE_RENEW, GRPC_DEADLINE_EXCEEDED, "timed out");
		pass_backoff(i);
	}
	want_told(""); /* it is still ours */
	answer_lease(ETCD_METHOD_LEASE_RENEW, 7, TTL_S);
	want_told(HELD);
	/* Waits begin anew. */
	pass_s(TTL_S - MARGIN_S);
	answer(ETCD_METHOD_LEASE_RENEW, GRPC_DEADLINE_EXCEEDED, "timed out");
	pass_backoff(0);
}

static void renewed_after_the_connection_came_back(void **state _unused_)
{
	acquire();
	lose_connection();
	pass_s(TTL_S - 60);
	assert_int_equal(n_calls(), 0);
	etcd.up = true;
	etcd_own_synced(scene.own, true);
	want_id(ETCD_METHOD_LEASE_RENEW, 7);
	answer_lease(ETCD_METHOD_LEASE_RENEW, 7, TTL_S);
	want_told(HELD);
}

/* ---- lost ---- */

/* The same subnet, as a new key. */
static void acquired_anew(void)
{
	answer_list();
	answer_grant(8, TTL_S);
	want_write("10.5.77.0-24", 0, OURS, 8);
	answer_txn(true, 20);
	want_told(HELD);
}

static void expired_says_the_renewal(void **state _unused_)
{
	static const int64_t ttls_s[] = {0, -1};

	acquire();
	for (size_t i = 0; i < ARRAY_SIZE(ttls_s); i++) {
		pass_s(TTL_S - MARGIN_S);
		answer_lease(ETCD_METHOD_LEASE_RENEW, 7, ttls_s[i]);
		want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 has expired; ");
		acquired_anew();
	}
}

static void deleted(void **state _unused_)
{
	acquire();
	saw_gone("10.5.77.0-24", 10); /* late news: what we wrote over */
	saw_gone("10.5.78.0-24", 12);
	assert_int_equal(n_calls(), 0);
	saw_gone("10.5.77.0-24", 13);
	want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 was deleted from etcd, or expired; ");
	acquired_anew();
}

static void deleted_while_it_is_renewed(void **state _unused_)
{
	acquire();
	pass_s(TTL_S - MARGIN_S);
	asked(ETCD_METHOD_LEASE_RENEW);
	saw_gone("10.5.77.0-24", 13);
	want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 was deleted from etcd, or expired; ");
	assert_int_equal(n_calls(), 1); /* the renewal is no longer waited for */
	acquired_anew();
}

static void missing_in_a_list(void **state _unused_)
{
	acquire();
	etcd_own_list_begin(scene.own);
	saw("10.5.77.0-24", OURS, 10, 7);
	etcd_own_list_end(scene.own);
	assert_int_equal(n_calls(), 0);
	etcd_own_list_begin(scene.own);
	saw("10.5.78.0-24", THEIRS, 10, 7);
	etcd_own_list_end(scene.own);
	want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 is gone from etcd; ");
	acquired_anew();
}

/* A list that began before our last write says nothing about it. */
static void missing_in_an_old_list(void **state _unused_)
{
	start();
	answer_list();
	answer_grant(7, TTL_S);
	etcd_own_list_begin(scene.own);
	answer_txn(true, 10);
	etcd_own_list_end(scene.own);
	want_told(HELD);
	assert_int_equal(n_calls(), 0);
}

/* What became of it, the answer to the write tells. */
static void missing_in_a_list_while_writing(void **state _unused_)
{
	acquire();
	etcd_own_list_begin(scene.own);
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	etcd_own_list_end(scene.own);
	want_told("");
	want_write("10.5.77.0-24", 10, VALUE("192.168.0.1", "02"), 7);
	answer_txn(false, 12);
	pass_idle(1, 100);
	asked(ETCD_METHOD_RANGE);
}

/* Revisions that went back: late news as an event, but in a list another history. */
static void older_than_what_we_wrote(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", THEIRS, 5, 55);
	want_told("");
	etcd_own_list_begin(scene.own);
	saw("10.5.77.0-24", OURS, 5, 7);
	etcd_own_list_end(scene.own);
	want_told("");
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	want_write("10.5.77.0-24", 5, VALUE("192.168.0.1", "02"), 7);
}

/* ---- somebody else's hand ---- */

/* Pods use it: that subnet or none, whoever has it now. */
static void taken_over_and_given_back(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", THEIRS, 12, 55);
	want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 was taken over by 192.168.0.9; ");
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.77.0-24", THEIRS, 12, 55};
	for (unsigned i = 0; i < 3; i++) {
		answer_list();
		want_told(i == 0 ? "taken 10.5.77.0/24: pods use 10.5.77.0/24, but 192.168.0.9 "
				   "holds 10.5.77.0/24; "
				 : "");
		pass_backoff(i);
	}
	answer_list();
	assert_int_equal(n_calls(), 0);
	etcd.n_keys = 0;
	saw_gone("10.5.77.0-24", 13); /* no wait now */
	acquired_anew();
}

static void overwritten_with_rubbish(void **state _unused_)
{
	static const char *const rubbish[] = {"", "x", "{\"PublicIP\":7}",
					      "{\"PublicIP\":\"10.5\"}"};
	int64_t revision = 12;

	acquire();
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++) {
		saw("10.5.77.0-24", rubbish[i], revision, 7);
		want_told(
			"lost 10.5.77.0/24: our lease 10.5.77.0/24 was overwritten with something "
			"that is no lease; ");
		acquired_anew();
		revision = 30 + (int64_t)i;
	}
}

/* Perhaps by an agent left running: put right, but not in a duel. */
static void overwritten_in_our_name(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", VALUE("192.168.0.1", "77"), 12, 7);
	want_told("");
	pass_backoff(0);
	want_write("10.5.77.0-24", 12, OURS, 7);
	answer_txn(true, 13);
	want_told("held 10.5.77.0/24 expires=86399; ");
}

static void deleted_before_it_was_put_right(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", VALUE("192.168.0.1", "77"), 12, 7);
	saw_gone("10.5.77.0-24", 13);
	want_told("lost 10.5.77.0/24: our lease 10.5.77.0/24 was deleted from etcd, or expired; ");
	acquired_anew(); /* without that wait */
}

/* Somebody renews as flannel does, by a new lease: it is the one to keep alive. */
static void put_again_with_another_lease(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", OURS, 12, 99);
	want_id(ETCD_METHOD_LEASE_RENEW, 99);
	answer_lease(ETCD_METHOD_LEASE_RENEW, 99, 7200);
	want_told("held 10.5.77.0/24 expires=7200; ");
	pass_idle((7200 - MARGIN_S) * 1000, (7200 - MARGIN_S) * 1000);
	want_id(ETCD_METHOD_LEASE_RENEW, 99);
}

static void made_a_reservation(void **state _unused_)
{
	acquire();
	saw("10.5.77.0-24", OURS, 12, 0);
	want_told("held 10.5.77.0/24 expires=-1; ");
	assert_int_equal(fake_loop_idle_ms(&scene.loop), UINT64_MAX);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_is_asked_before_all_is_known),
		T(granted_and_written),
		T(time_runs_from_the_question),
		T(a_lease_with_our_address_is_used_again),
		T(a_reservation_stays_one),
		T(what_we_publish_changes),
		T(out_of_subnets_until_some_lease_goes),
		T(races_are_run_again),
		T(overtaken_while_writing),
		T(expired_while_writing),
		T(our_own_echo_is_no_race),
		T(failures_are_told_and_tried_again),
		T(what_grants_nothing_is_a_failure),
		T(lost_with_the_connection_is_the_sources_story),
		T(kept_alive),
		T(a_short_one_is_kept_alive),
		T(a_renewal_that_fails_is_tried_again),
		T(renewed_after_the_connection_came_back),
		T(expired_says_the_renewal),
		T(deleted),
		T(deleted_while_it_is_renewed),
		T(missing_in_a_list),
		T(missing_in_an_old_list),
		T(missing_in_a_list_while_writing),
		T(older_than_what_we_wrote),
		T(taken_over_and_given_back),
		T(overwritten_with_rubbish),
		T(overwritten_in_our_name),
		T(deleted_before_it_was_put_right),
		T(put_again_with_another_lease),
		T(made_a_reservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
