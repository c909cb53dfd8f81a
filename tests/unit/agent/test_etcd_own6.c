/* SPDX-License-Identifier: Apache-2.0 */
/* Our own lease, with an IPv6 half that comes and goes by itself. */
#include "own_scene.h"

/* With an IPv6 half. */
#define VALUE6(ip_, ip6_, mac_, mac6_)                                              \
 "{\"PublicIP\":\"" ip_ "\",\"PublicIPv6\":\"" ip6_ "\",\"BackendType\":\"vxlan\"," \
 "\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:" mac_ "\"},"             \
 "\"BackendV6Data\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:06:" mac6_ "\"}}"
#define OURS6 VALUE6("192.168.0.1", "fd77::1", "01", "01")
#define KEY6  "10.5.77.0-24&fd00:5:0:77::-64"
#define HELD6 "held 10.5.77.0/24 fd00:5:0:77::/64 expires=86400; "

/* ---- both families ---- */

/* The network has both; this node may not. */
static void read_dual_conf(void)
{
	static const char conf[] =
		"{\"Network\":\"10.5.0.0/16\",\"EnableIPv6\":true,\"IPv6Network\":\"fd00:5::/48\","
		"\"Backend\":{\"Type\":\"vxlan\"}}";
	char complaints[200] = "";

	netconf_decode(conf, sizeof(conf) - 1, &scene.net, &TEXT(complaints));
	assert_string_equal(complaints, "");
	assert_true(cidr_parse("fd00:5:0:77::/64", &scene.source.previous6));
}

static void publish_ipv6(bool have)
{
	scene.lease.public_ip6 = (struct ip){0};
	scene.lease.vtep_mac6 = (struct mac){0};
	if (have) {
		assert_true(ip_parse("fd77::1", &scene.lease.public_ip6));
		scene.lease.vtep_mac6 = (struct mac){{2, 0, 0, 0, 6, 1}};
	}
}

/* A transaction that deletes one key and then creates another. */
static void want_exchange(const char *from, int64_t from_revision, const char *to,
			  const char *value, int64_t lease)
{
	char full_from[60], full_to[60];
	const struct etcd_txn txn = {
		.compares = {{ETCD_COMPARE_VERSION, full_to, 0},
			     {ETCD_COMPARE_MOD_REVISION, full_from, from_revision}},
		.n_compares = 2,
		.writes = {{full_from, NULL, 0}, {full_to, value, lease}},
		.n_writes = 2,
	};
	uint8_t buf[1000];
	struct pb_out want = PB_OUT(buf);

	snprintf(full_from, sizeof(full_from), FAKE_ETCD_FROM "%s", from);
	snprintf(full_to, sizeof(full_to), FAKE_ETCD_FROM "%s", to);
	etcd_encode_txn(&txn, &want);
	want_request(asked(ETCD_METHOD_TXN), &want);
}

/* Both halves are held, by etcd's lease 7, since revision 10. */
static void acquire6(void)
{
	read_dual_conf();
	publish_ipv6(true);
	start();
	answer_list();
	answer_grant(7, TTL_S);
	want_write(KEY6, 0, OURS6, 7);
	answer_txn(true, 10);
	want_told(HELD6);
	assert_int_equal(n_calls(), 0);
}

/* Up to the transaction for the exchange. */
static void ipv6_comes(void)
{
	read_dual_conf();
	acquire();
	publish_ipv6(true);
	etcd_own_publish(scene.own, &scene.lease);
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.77.0-24", OURS, 10, 7};
	answer_list();
	answer_grant(8, TTL_S);
	want_exchange("10.5.77.0-24", 10, KEY6, OURS6, 8);
}

static void both_are_acquired(void **state _unused_)
{
	acquire6();
	pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
	want_id(ETCD_METHOD_LEASE_RENEW, 7);
}

/* flannel stops at a key with an IPv6 subnet and no PublicIPv6. */
static void without_ipv6_a_key_of_ipv4_alone(void **state _unused_)
{
	read_dual_conf();
	acquire();
	pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
}

static void ipv6_comes_later(void **state _unused_)
{
	ipv6_comes();
	/* The watch may be quicker than the answer. */
	saw_gone("10.5.77.0-24", 11);
	saw(KEY6, OURS6, 11, 8);
	want_told("");
	answer_txn(true, 11);
	want_told(HELD6);
	pass_idle((TTL_S - MARGIN_S) * 1000, (TTL_S - MARGIN_S) * 1000);
	want_id(ETCD_METHOD_LEASE_RENEW, 8);
}

static void the_watch_may_be_slower(void **state _unused_)
{
	ipv6_comes();
	answer_txn(true, 11);
	want_told(HELD6);
	saw_gone("10.5.77.0-24", 11);
	saw(KEY6, OURS6, 11, 8);
	want_told("");
	assert_int_equal(n_calls(), 0);
}

/* Our key had changed: nothing was exchanged, and a new list says what is. */
static void the_exchange_fails(void **state _unused_)
{
	ipv6_comes();
	saw_gone("10.5.77.0-24", 11); /* expired just now: not by us */
	answer_txn(false, 12);
	want_id(ETCD_METHOD_LEASE_REVOKE, 8);
	answer(ETCD_METHOD_LEASE_REVOKE, GRPC_OK, "");
	want_told("");
	pass_idle(1, 100);
	etcd.n_keys = 0;
	answer_list();
	answer_grant(9, TTL_S);
	want_write(KEY6, 0, OURS6, 9);
	answer_txn(true, 13);
	want_told(HELD6);
}

static void no_ipv6_subnet_is_free(void **state _unused_)
{
	read_dual_conf();
	scene.source.previous6 = (struct cidr){0};
	acquire();
	scene.net.subnet_max6 = scene.net.subnet_min6; /* there is one, and it is theirs */
	publish_ipv6(true);
	etcd_own_net(scene.own, &scene.net);
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.77.0-24", OURS, 10, 7};
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24&fd00:5:0:1::-64", THEIRS, 3, 55};
	etcd_own_publish(scene.own, &scene.lease);
	for (unsigned i = 0; i < 3; i++) {
		answer_list();
		pass_backoff(i);
	}
	want_told(""); /* IPv4 is held all the time */
	etcd.n_keys--;
	answer_list();
	answer_grant(8, TTL_S);
	want_exchange("10.5.77.0-24", 10, "10.5.77.0-24&fd00:5:0:1::-64", OURS6, 8);
}

/* A key is the operator's, if it has no TTL. */
static void a_reservation_of_ipv4_stays_that(void **state _unused_)
{
	read_dual_conf();
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24", OURS, 4, 0};
	publish_ipv6(true);
	start();
	answer_list();
	want_write("10.5.9.0-24", 4, OURS, 0);
	answer_txn(true, 10);
	want_told("held 10.5.9.0/24 expires=-1; ");
	assert_int_equal(fake_loop_idle_ms(&scene.loop), UINT64_MAX);
}

static void a_reservation_of_both_is_used(void **state _unused_)
{
	read_dual_conf();
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24&fd00:5:0:9::-64", OURS6, 4, 0};
	publish_ipv6(true);
	start();
	answer_list();
	want_write("10.5.9.0-24&fd00:5:0:9::-64", 4, OURS6, 0);
	answer_txn(true, 10);
	want_told("held 10.5.9.0/24 fd00:5:0:9::/64 expires=-1; ");
}

/* What is published of IPv6 stays: without PublicIPv6 flannel would stop at the key. */
static void ipv6_goes_for_a_while(void **state _unused_)
{
	acquire6();
	publish_ipv6(false);
	etcd_own_publish(scene.own, &scene.lease);
	assert_int_equal(n_calls(), 0);
	/* Another MAC of IPv4 is published beside it. */
	scene.lease.vtep_mac.b[5] = 2;
	etcd_own_publish(scene.own, &scene.lease);
	want_write(KEY6, 10, VALUE6("192.168.0.1", "fd77::1", "02", "01"), 7);
	answer_txn(true, 11);
	want_told(HELD6);
}

/* The lease goes at the same time: pods still use both subnets. */
static void ipv6_is_away_when_the_lease_goes(void **state _unused_)
{
	acquire6();
	publish_ipv6(false);
	etcd_own_publish(scene.own, &scene.lease);
	saw_gone(KEY6, 12);
	want_told("lost 10.5.77.0/24 fd00:5:0:77::/64: our lease 10.5.77.0/24 was deleted from "
		  "etcd, or expired; ");
	answer_list();
	answer_grant(8, TTL_S);
	want_write("10.5.77.0-24", 0, OURS, 8);
	answer_txn(true, 13);
	want_told(HELD);
	scene.source.previous6 = (struct cidr){0}; /* it is the pods' that counts */
	publish_ipv6(true);
	etcd_own_publish(scene.own, &scene.lease);
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.77.0-24", OURS, 13, 8};
	answer_list();
	answer_grant(9, TTL_S);
	want_exchange("10.5.77.0-24", 13, KEY6, OURS6, 9);
	answer_txn(true, 14);
	want_told(HELD6);
}

/* Pods use it: no other one will do. */
static void our_ipv6_subnet_is_anothers_by_now(void **state _unused_)
{
	acquire6();
	saw_gone(KEY6, 12);
	want_told("lost 10.5.77.0/24 fd00:5:0:77::/64: our lease 10.5.77.0/24 was deleted from "
		  "etcd, or expired; ");
	etcd.keys[etcd.n_keys++] = (struct stored){"10.5.9.0-24&fd00:5:0:77::-64", THEIRS, 3, 55};
	answer_list();
	answer_grant(8, TTL_S);
	want_write("10.5.77.0-24", 0, OURS, 8);
	answer_txn(true, 13);
	want_told(HELD);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(both_are_acquired),
		T(without_ipv6_a_key_of_ipv4_alone),
		T(ipv6_comes_later),
		T(the_watch_may_be_slower),
		T(the_exchange_fails),
		T(no_ipv6_subnet_is_free),
		T(a_reservation_of_ipv4_stays_that),
		T(a_reservation_of_both_is_used),
		T(ipv6_goes_for_a_while),
		T(ipv6_is_away_when_the_lease_goes),
		T(our_ipv6_subnet_is_anothers_by_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
