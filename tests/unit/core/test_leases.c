/* SPDX-License-Identifier: Apache-2.0 */
#include "core/leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct lease lease(const char *subnet, const char *public_ip, const char *mac)
{
	struct lease l = {.type = BACKEND_VXLAN};

	assert_true(cidr_parse(subnet, &l.subnet));
	assert_true(ip_parse(public_ip, &l.public_ip));
	assert_true(mac_parse(mac, &l.vtep_mac));
	return l;
}

static struct netconf conf(void)
{
	struct netconf net = netconf_defaults();
	char complaints[200];
	struct text t = TEXT(complaints);

	net.backend = BACKEND_VXLAN;
	cidr_parse("10.244.0.0/16", &net.network);
	assert_int_equal(netconf_derive(&net, &t), 0);
	return net;
}

#define MAC(n) "02:00:00:00:00:0" #n

static void test_who_is_a_peer(void **state)
{
	static const struct {
		const char *subnet, *public_ip, *mac;
		bool other;
		enum peer_state state;
		const char *note; /* part of the line that says why */
	} rows[] = {
		{"10.244.0.0/24", "192.168.0.77", MAC(1), false, PEER_OURS, NULL},
		{"10.244.1.0/24", "192.168.0.1", MAC(2), false, PEER_OURS,
		 "carry our public address"},
		{"10.244.2.0/24", "192.168.0.2", MAC(2), false, PEER_OK, NULL},
		{"10.244.3.0/24", "192.168.0.3", MAC(3), true, PEER_OTHER, NULL},
		{"10.244.4.0/24", "192.168.0.4", "00:00:00:00:00:00", false, PEER_REFUSED,
		 "VtepMAC"},
		{"10.244.5.0/24", "192.168.0.5", MAC(9), false, PEER_REFUSED, "is our own"},
		{"10.99.6.0/24", "192.168.0.6", MAC(6), false, PEER_REFUSED, "outside Network"},
		{"10.244.0.0/25", "192.168.0.8", MAC(8), false, PEER_REFUSED, "overlaps our own"},
		{"10.244.7.0/24", "10.244.0.8", MAC(8), false, PEER_REFUSED,
		 "its PublicIP lies in our own subnet 10.244.0.0/24"},
	};
	struct netconf net = conf();
	struct lease own = lease("10.244.0.0/24", "192.168.0.1", MAC(9));
	struct leases_self self = {
		.net = &net, .own = &own, .public_ip = own.public_ip, .vtep_mac = own.vtep_mac};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = lease(rows[i].subnet, rows[i].public_ip, rows[i].mac);
		struct leases_verdict v;
		char notes[400] = "";
		struct text text = TEXT(notes);
		struct leases t;
		struct arena a;

		if (rows[i].other)
			l.type = BACKEND_NONE;
		arena_init(&a, 0);
		leases_init(&t);
		leases_put(&t, &l);
		leases_judge(&t, &self, &a, &text, &v);
		if (t.n != 1 || t.peers[0].state != rows[i].state)
			fail_msg("%s: %s", rows[i].subnet, peer_state_names[t.peers[0].state]);
		assert_int_equal(v.n_ok, rows[i].state == PEER_OK);
		assert_int_equal(v.n_refused, rows[i].state == PEER_REFUSED);
		if (rows[i].note && !strstr(notes, rows[i].note))
			fail_msg("%s: \"%s\" says nothing of \"%s\"", rows[i].subnet, notes,
				 rows[i].note);
		if (!rows[i].note && notes[0])
			fail_msg("%s: \"%s\"", rows[i].subnet, notes);
		leases_fini(&t);
		arena_fini(&a);
	}
}

/* Whatever the order in which they became known. */
static void test_of_two_that_cannot_be_both(void **state)
{
	static const struct {
		const char *first, *first_ip, *first_mac;
		const char *second, *second_ip, *second_mac;
		bool first_ok, second_ok;
		const char *why;
	} rows[] = {
		{"10.244.4.0/23", "192.168.0.2", MAC(2), "10.244.5.0/24", "192.168.0.3", MAC(3),
		 false, true, "the one that is SubnetLen long"},
		{"10.244.5.0/24", "192.168.0.3", MAC(3), "10.244.5.128/25", "192.168.0.2", MAC(2),
		 true, false, "the one that is SubnetLen long"},
		{"10.244.4.0/22", "192.168.0.2", MAC(2), "10.244.6.0/23", "192.168.0.3", MAC(3),
		 true, false, "the first in key order"},
		{"10.244.4.0/24", "192.168.0.2", MAC(2), "10.244.5.0/24", "192.168.0.3", MAC(2),
		 true, false, "one MAC, one destination"},
		{"10.244.4.0/24", "192.168.0.2", MAC(2), "10.244.5.0/24", "192.168.0.2", MAC(2),
		 true, true, "two subnets of one node"},
		{"10.244.4.0/24", "192.168.0.2", MAC(2), "10.244.5.0/24", "192.168.0.3", MAC(3),
		 true, true, "neighbours do not overlap"},
		{"10.244.4.0/24", "192.168.0.2", MAC(2), "10.244.5.0/24", "10.244.4.3", MAC(3),
		 true, false, "the public address of a pod"},
		{"10.244.4.0/24", "10.244.5.255", MAC(2), "10.244.5.0/24", "192.168.0.3", MAC(3),
		 false, true, "the public address of a pod"},
		{"10.244.4.0/24", "10.244.6.0", MAC(2), "10.244.5.0/24", "10.244.3.255", MAC(3),
		 true, true, "addresses in Network that no pod has"},
	};
	const struct lease own = lease("10.244.0.0/24", "192.168.0.1", MAC(1));
	struct netconf net = conf();
	struct leases_self self = {.net = &net};

	(void)state;
	for (size_t i = 0; i < 4 * ARRAY_SIZE(rows); i++) {
		size_t row = i / 2 % ARRAY_SIZE(rows);
		struct lease both[2] = {
			lease(rows[row].first, rows[row].first_ip, rows[row].first_mac),
			lease(rows[row].second, rows[row].second_ip, rows[row].second_mac)};
		struct leases_verdict v;
		char notes[400] = "";
		struct text text = TEXT(notes);
		struct leases t;
		struct arena a;

		/* Where nobody says how long subnets are, ours stands for all. */
		net.given = i >= 2 * ARRAY_SIZE(rows);
		net.subnet_len = net.given ? 0 : 24;
		self.own = net.given ? &own : NULL;
		arena_init(&a, 0);
		leases_init(&t);
		leases_put(&t, &both[i % 2]);
		leases_put(&t, &both[1 - i % 2]);
		leases_judge(&t, &self, &a, &text, &v);
		if ((t.peers[0].state == PEER_OK) != rows[row].first_ok ||
		    (t.peers[1].state == PEER_OK) != rows[row].second_ok)
			fail_msg("%s and %s: %s", rows[row].first, rows[row].second, rows[row].why);
		leases_fini(&t);
		arena_fini(&a);
	}
}

/* One FDB entry has one destination: who was there first keeps it, whatever the order of keys. */
static void test_of_two_with_one_mac_the_older_stays(void **state)
{
	static const struct {
		uint64_t since[2];
		int stays;
	} rows[] = {{{7, 9}, 0}, {{9, 7}, 1}, {{0, 0}, 0}};
	struct netconf net = conf();
	struct leases_self self = {.net = &net};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease both[2] = {lease("10.244.4.0/24", "192.168.0.2", MAC(2)),
					lease("10.244.5.0/24", "192.168.0.3", MAC(2))};
		struct leases_verdict v;
		char notes[400] = "";
		struct text text = TEXT(notes);
		struct leases t;
		struct arena a;

		both[0].since = rows[i].since[0];
		both[1].since = rows[i].since[1];
		arena_init(&a, 0);
		leases_init(&t);
		leases_replace(&t, both, 2);
		leases_judge(&t, &self, &a, &text, &v);
		assert_int_equal(t.peers[rows[i].stays].state, PEER_OK);
		assert_int_equal(t.peers[1 - rows[i].stays].state, PEER_REFUSED);
		leases_fini(&t);
		arena_fini(&a);
	}
}

/* Where nodes have their addresses inside of Network: a subnet that holds ours would take our uplink's
 * route. Others that hold nobody's are peers. */
static void test_our_address_in_a_subnet(void **state)
{
	static const struct {
		const char *subnet;
		enum peer_state state;
	} rows[] = {{"10.244.9.0/24", PEER_REFUSED},
		    {"10.244.8.0/21", PEER_REFUSED},
		    {"10.244.10.0/24", PEER_OK}};
	struct netconf net = conf();
	struct leases_self self = {.net = &net};

	(void)state;
	ip_parse("10.244.9.1", &self.public_ip);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = lease(rows[i].subnet, "10.244.200.2", MAC(2));
		struct leases_verdict v;
		char notes[400] = "";
		struct text text = TEXT(notes);
		struct leases t;
		struct arena a;

		arena_init(&a, 0);
		leases_init(&t);
		leases_put(&t, &l);
		leases_judge(&t, &self, &a, &text, &v);
		if (t.n != 1 || t.peers[0].state != rows[i].state)
			fail_msg("%s: %s", rows[i].subnet, notes);
		leases_fini(&t);
		arena_fini(&a);
	}
}

static struct lease dual(const char *subnet, const char *public_ip, const char *mac,
			 const char *subnet6, const char *public_ip6, const char *mac6)
{
	struct lease l = lease(subnet, public_ip, mac);

	assert_true(cidr_parse(subnet6, &l.subnet6));
	assert_true(ip_parse(public_ip6, &l.public_ip6));
	assert_true(mac_parse(mac6, &l.vtep_mac6));
	return l;
}

/* Each half is judged by itself, and IPv6 by its own order. */
static void test_halves(void **state)
{
	static const struct {
		const char *subnet, *public_ip, *mac, *subnet6, *public_ip6, *mac6;
		enum peer_state want, want6;
		const char *note;
	} rows[] = {
		{"10.244.1.0/24", "192.168.0.2", MAC(2), "fd00:10:244:1::/64", "2001:db8::2",
		 MAC(2), PEER_OK, PEER_OK, NULL},
		{"10.244.2.0/24", "192.168.0.3", MAC(3), "fd00:10:244:1::/64", "fe80::3", MAC(3),
		 PEER_OK, PEER_REFUSED,
		 "peer fd00:10:244:1::/64 at fe80::3 is left out: PublicIPv6: not the IPv6"},
		{"10.99.3.0/24", "192.168.0.4", MAC(4), "fd00:10:244:3::/64", "2001:db8::4", MAC(4),
		 PEER_REFUSED, PEER_OK, "peer 10.99.3.0/24 at 192.168.0.4 is left out"},
		{"10.244.4.0/24", "192.168.0.5", MAC(5), "fd00:10:244:1::/65", "2001:db8::5",
		 MAC(5), PEER_OK, PEER_REFUSED,
		 "peer fd00:10:244:1::/65 at 2001:db8::5 is left out: its subnet overlaps "
		 "fd00:10:244:1::/64 at 2001:db8::2"},
		{"10.244.5.0/24", "192.168.0.6", MAC(6), "fd00:10:244::/64", "2001:db8::6", MAC(6),
		 PEER_OK, PEER_REFUSED, "its subnet overlaps our own fd00:10:244::/64"},
		{"10.244.6.0/24", "192.168.0.7", MAC(7), "fd00:10:244:6::/64", "2001:db8::7",
		 MAC(9), PEER_OK, PEER_REFUSED, "its VtepMAC is our own"},
		{"10.244.7.0/24", "192.168.0.8", MAC(8), "fd00:10:244:7::/64", "2001:db8::1",
		 MAC(8), PEER_OK, PEER_REFUSED, "its PublicIPv6 is our own"},
		{"10.244.8.0/24", "192.168.0.9", MAC(1), "fd00:10:244:8::/64", "2001:db8::9",
		 MAC(2), PEER_OK, PEER_REFUSED, "its VtepMAC is also that of"},
	};
	struct netconf net = conf();
	struct lease own = dual("10.244.0.0/24", "192.168.0.1", MAC(9), "fd00:10:244::/64",
				"2001:db8::1", MAC(9));
	struct leases_self self = {.net = &net,
				   .own = &own,
				   .public_ip = own.public_ip,
				   .public_ip6 = own.public_ip6,
				   .vtep_mac6 = own.vtep_mac6};
	struct leases_verdict v;
	struct leases t;
	struct arena a;

	(void)state;
	net.ipv6 = true;
	cidr_parse("fd00:10:244::/56", &net.network6);
	net.subnet_len6 = 64;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease first = dual(rows[0].subnet, rows[0].public_ip, rows[0].mac,
					  rows[0].subnet6, rows[0].public_ip6, rows[0].mac6);
		struct lease l = dual(rows[i].subnet, rows[i].public_ip, rows[i].mac,
				      rows[i].subnet6, rows[i].public_ip6, rows[i].mac6);
		char notes[1000] = "";
		struct text text = TEXT(notes);
		struct peer *p;

		arena_init(&a, 0);
		leases_init(&t);
		leases_put(&t, &first);
		leases_put(&t, &l);
		leases_judge(&t, &self, &a, &text, &v);
		p = &t.peers[t.n - 1];
		if (rows[i].subnet[3] == '9') /* 10.99 comes before 10.244 */
			p = &t.peers[0];
		if (p->state != rows[i].want || p->state6 != rows[i].want6)
			fail_msg("%s: %s, %s", rows[i].subnet, peer_state_names[p->state],
				 peer_state_names[p->state6]);
		if (rows[i].note ? !strstr(notes, rows[i].note) : notes[0])
			fail_msg("%s: \"%s\"", rows[i].subnet, notes);
		/* One that is refused in one family counts in both numbers. */
		assert_int_equal(v.n_ok, t.n);
		assert_int_equal(v.n_refused, rows[i].note ? 1 : 0);
		leases_fini(&t);
		arena_fini(&a);
	}
}

static void test_a_family_that_is_off(void **state)
{
	struct netconf net = conf();
	struct leases_self self = {.net = &net};
	struct lease l = dual("10.244.1.0/24", "192.168.0.2", MAC(2), "fd00:10:244:1::/64",
			      "fe80::2", "00:00:00:00:00:00");
	struct leases_verdict v;
	char notes[400] = "";
	struct text text = TEXT(notes);
	struct leases t;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	leases_init(&t);
	leases_put(&t, &l);
	leases_judge(&t, &self, &a, &text, &v);
	assert_int_equal(t.peers[0].state, PEER_OK);
	assert_int_equal(t.peers[0].state6, PEER_ABSENT);
	assert_string_equal(notes, "");
	leases_fini(&t);
	arena_fini(&a);
}

static void test_many_refused_are_counted(void **state)
{
	struct netconf net = conf();
	struct leases_self self = {.net = &net};
	struct leases_verdict v;
	char notes[600] = "";
	struct text text = TEXT(notes);
	struct leases t;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	leases_init(&t);
	for (uint32_t i = 0; i < 300; i++) {
		struct lease l = lease("10.99.0.0/24", "192.168.0.9", MAC(5));

		l.subnet.ip = ip_add(&l.subnet.ip, i << 8);
		leases_put(&t, &l);
	}
	leases_judge(&t, &self, &a, &text, &v);
	assert_int_equal(v.n_refused, 300);
	assert_non_null(strstr(notes, "peer 10.99.3.0/24"));
	assert_null(strstr(notes, "peer 10.99.4.0/24"));
	assert_non_null(strstr(notes, "296 more peers are left out"));
	assert_false(text.cut);
	leases_fini(&t);
	arena_fini(&a);
}

/* Against a plain map: tests/model, law "leases". */
static void test_changes_and_what_is_none(void **state)
{
	struct lease a = lease("10.244.1.0/24", "192.168.0.2", MAC(2));
	struct lease b = lease("10.244.1.0/24", "192.168.0.3", MAC(2));
	struct lease two[] = {lease("10.244.9.0/24", "192.168.0.9", MAC(9)), a};
	struct leases t;

	(void)state;
	leases_init(&t);
	assert_false(leases_gone(&t, &a));
	assert_true(leases_put(&t, &a));
	assert_false(leases_put(&t, &a));
	leases_settle(&t);
	assert_false(leases_put(&t, &a));
	assert_true(leases_put(&t, &b));
	assert_true(leases_gone(&t, &b));
	assert_false(leases_gone(&t, &b));
	leases_settle(&t);
	assert_int_equal(t.n, 0);
	leases_replace(&t, two, 2);
	assert_int_equal(t.n, 2);
	assert_true(lease_eq(&t.peers[0].lease, &a));
	assert_ptr_equal(leases_find_earlier(&t, 0, &a.public_ip), &t.peers[0].lease);
	assert_ptr_equal(leases_find_earlier(&t, 7, &a.public_ip), &t.peers[0].lease);
	assert_null(leases_find_earlier(&t, 0, &b.public_ip));
	leases_replace(&t, NULL, 0);
	assert_int_equal(t.n, 0);
	leases_fini(&t);
}

/* Of Nodes ours is the one that is ours, whichever address is published of it and of others. */
static void test_earlier_lease_of_our_node(void **state)
{
	struct lease all[] = {lease("10.244.1.0/24", "192.168.0.2", MAC(1)),
			      lease("10.244.2.0/24", "203.0.113.1", MAC(2))};
	struct ip ip = all[0].public_ip;
	struct leases t;

	(void)state;
	all[0].node = 11;
	all[1].node = 12;
	leases_init(&t);
	leases_replace(&t, all, 2);
	assert_true(lease_eq(leases_find_earlier(&t, 12, &ip), &all[1]));
	assert_null(leases_find_earlier(&t, 13, &ip));
	assert_null(leases_find_earlier(&t, 0, &ip));
	/* By an IPv6 address, where there is no other. */
	all[0] = (struct lease){.type = BACKEND_VXLAN};
	cidr_parse("fd00:10:244:1::/64", &all[0].subnet6);
	ip_parse("2001:db8::2", &all[0].public_ip6);
	leases_replace(&t, all, 1);
	assert_true(lease_eq(leases_find_earlier(&t, 0, &all[0].public_ip6), &all[0]));
	ip_parse("2001:db8::3", &ip);
	assert_null(leases_find_earlier(&t, 0, &ip));
	leases_fini(&t);
}

/* Where there is no IPv4, IPv6 says which node is ours, and nothing that all lack is taken for the same. */
static void test_ipv6_alone(void **state)
{
	static const struct {
		const char *subnet6, *public_ip6, *mac6;
		enum peer_state want;
		const char *note;
	} rows[] = {
		{"fd00:10:244:1::/64", "2001:db8::2", MAC(2), PEER_OK, NULL},
		{"fd00:10:244::/64", "2001:db8::9", MAC(3), PEER_OURS, NULL},
		{"fd00:10:244:2::/64", "2001:db8::1", MAC(3), PEER_OURS,
		 "1 other lease(s) carry our public address 2001:db8::1"},
		{"fd00:10:244:3::/64", "fd00:10:244::5", MAC(3), PEER_REFUSED,
		 "its PublicIPv6 lies in our own subnet"},
		{"fd00:10:244:4::/64", "2001:db8::4", MAC(9), PEER_REFUSED, "MAC is our own"},
		{"fd00:99::/64", "2001:db8::5", MAC(5), PEER_REFUSED, "outside Network"},
	};
	struct netconf net = netconf_defaults();
	struct lease own = {.type = BACKEND_VXLAN};
	struct leases_self self = {.net = &net, .own = &own, .leads6 = true};
	char complaints[200];

	(void)state;
	net.backend = BACKEND_VXLAN;
	net.ipv4 = false;
	net.ipv6 = true;
	cidr_parse("fd00:10:244::/56", &net.network6);
	assert_int_equal(netconf_derive(&net, &TEXT(complaints)), 0);
	assert_true(netconf_leads6(&net));
	cidr_parse("fd00:10:244::/64", &own.subnet6);
	ip_parse("2001:db8::1", &self.public_ip6);
	mac_parse(MAC(9), &self.vtep_mac6);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = {.type = BACKEND_VXLAN};
		struct leases_verdict v;
		char notes[400] = "";
		struct text text = TEXT(notes);
		struct leases t;
		struct arena a;

		cidr_parse(rows[i].subnet6, &l.subnet6);
		ip_parse(rows[i].public_ip6, &l.public_ip6);
		mac_parse(rows[i].mac6, &l.vtep_mac6);
		arena_init(&a, 0);
		leases_init(&t);
		leases_put(&t, &l);
		leases_judge(&t, &self, &a, &text, &v);
		if (t.peers[0].state6 != rows[i].want || t.peers[0].state != PEER_ABSENT)
			fail_msg("%s: %s", rows[i].subnet6, peer_state_names[t.peers[0].state6]);
		if (rows[i].note ? !strstr(notes, rows[i].note) : notes[0])
			fail_msg("%s: \"%s\"", rows[i].subnet6, notes);
		leases_fini(&t);
		arena_fini(&a);
	}
}

/* Two Nodes with one podCIDR: both are known, one is a peer, and when that goes the other is. */
static void test_one_subnet_of_two_nodes(void **state)
{
	struct lease a = lease("10.244.1.0/24", "192.168.0.2", MAC(2));
	struct lease b = lease("10.244.1.0/24", "192.168.0.3", MAC(3));
	struct lease own = lease("10.244.0.0/24", "192.168.0.1", MAC(1));
	struct netconf net = conf();
	struct leases_self self = {.net = &net, .own = &own, .public_ip = own.public_ip};
	struct leases_verdict v;
	char notes[1000] = "";
	struct text text = TEXT(notes);
	struct arena arena;
	struct leases t;

	(void)state;
	arena_init(&arena, 0);
	leases_init(&t);
	a.node = 5;
	a.since = 200;
	b.node = 7;
	b.since = 100; /* who was first keeps it, whatever the order of the table */
	assert_true(leases_put(&t, &a));
	assert_true(leases_put(&t, &b));
	leases_judge(&t, &self, &arena, &text, &v);
	assert_int_equal(t.n, 2);
	assert_int_equal(v.n_ok, 1);
	assert_int_equal(v.n_refused, 1);
	assert_true(lease_eq(&t.peers[1].lease, &b));
	assert_int_equal(leases_state(&t.peers[0], false), PEER_REFUSED);
	assert_int_equal(leases_state(&t.peers[1], false), PEER_OK);
	assert_non_null(strstr(notes, "192.168.0.2"));
	assert_true(leases_gone(&t, &b));
	leases_judge(&t, &self, &arena, &text, &v);
	assert_int_equal(t.n, 1);
	assert_true(lease_eq(&t.peers[0].lease, &a));
	assert_int_equal(leases_state(&t.peers[0], false), PEER_OK);
	leases_fini(&t);
	arena_fini(&arena);
}

/* Two keys of one subnet, which a store can hold: one peer, whichever. */
static void test_a_list_holds_each_subnet_once(void **state)
{
	const struct lease all[] = {
		lease("10.244.2.0/24", "192.168.0.2", MAC(2)),
		lease("10.244.1.0/24", "192.168.0.1", MAC(1)),
		lease("10.244.2.0/24", "192.168.0.9", MAC(3)),
		lease("10.244.3.0/24", "192.168.0.3", MAC(4)),
		lease("10.244.2.0/24", "192.168.0.8", MAC(5)),
	};
	struct leases t;

	(void)state;
	leases_init(&t);
	leases_replace(&t, all, ARRAY_SIZE(all));
	assert_int_equal(t.n, 3);
	for (size_t i = 0; i < t.n; i++) {
		char buf[CIDR_STRLEN], want[CIDR_STRLEN];

		snprintf(want, sizeof(want), "10.244.%zu.0/24", i + 1);
		assert_string_equal(cidr_format(&t.peers[i].lease.subnet, buf), want);
	}
	leases_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_a_peer),
		cmocka_unit_test(test_of_two_that_cannot_be_both),
		cmocka_unit_test(test_of_two_with_one_mac_the_older_stays),
		cmocka_unit_test(test_our_address_in_a_subnet),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_a_family_that_is_off),
		cmocka_unit_test(test_many_refused_are_counted),
		cmocka_unit_test(test_changes_and_what_is_none),
		cmocka_unit_test(test_earlier_lease_of_our_node),
		cmocka_unit_test(test_one_subnet_of_two_nodes),
		cmocka_unit_test(test_ipv6_alone),
		cmocka_unit_test(test_a_list_holds_each_subnet_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
