/* SPDX-License-Identifier: Apache-2.0 */
#include "core/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UPLINK 2
#define OTHER  3

static struct ip ip(const char *text)
{
	struct ip i;

	if (!ip_parse(text, &i))
		fail_msg("%s", text);
	return i;
}

struct row {
	const char *dst;
	uint32_t ifindex, metric;
	bool routed;
};

static struct segment find(const struct row *rows, size_t n)
{
	struct route_fact routes[2 * SEGMENT_ROUTES_MAX] = {0};
	struct iface_facts facts = {.routes = routes, .n_routes = n};
	struct segment s;

	assert_true(n <= ARRAY_SIZE(routes));
	for (size_t i = 0; i < n; i++) {
		assert_true(cidr_parse(rows[i].dst, &routes[i].dst));
		routes[i].ifindex = rows[i].ifindex;
		routes[i].metric = rows[i].metric;
		routes[i].unicast = true;
		routes[i].on_link = !rows[i].routed;
	}
	segment_find(&facts, UPLINK, &s);
	return s;
}

static bool holds(const struct segment *s, const char *who)
{
	struct ip i = ip(who);

	return segment_holds(s, &i);
}

static void test_who_is_near(void **state)
{
	static const struct {
		const char *what;
		struct row rows[5];
		const char *near[3], *far[3];
	} cases[] = {
		{"a host as most are",
		 {{"0.0.0.0/0", UPLINK, 0, true}, {"192.168.0.0/24", UPLINK, 0, false}},
		 {"192.168.0.7"},
		 {"192.168.1.7", "2001:db8::7"}},
		{"both families",
		 {{"192.168.0.0/24", UPLINK, 0, false},
		  {"2001:db8::/64", UPLINK, 256, false},
		  {"::/0", UPLINK, 1024, true}},
		 {"192.168.0.7", "2001:db8::7"},
		 {"2001:db8:1::7"}},
		{"an address alone, all else by the router",
		 {{"0.0.0.0/0", UPLINK, 0, true}, {"192.168.0.254/32", UPLINK, 0, false}},
		 {"192.168.0.254"},
		 {"192.168.0.7"}},
		{"part of the network is behind a router, part of that is not",
		 {{"10.0.0.0/8", UPLINK, 0, false},
		  {"10.1.0.0/16", UPLINK, 0, true},
		  {"10.1.2.0/24", UPLINK, 0, false}},
		 {"10.0.0.7", "10.1.2.7"},
		 {"10.1.1.7", "11.0.0.7"}},
		{"a neighbour on another link",
		 {{"192.168.0.0/24", UPLINK, 0, false},
		  {"192.168.0.128/25", OTHER, 0, false},
		  {"172.17.0.0/16", OTHER, 0, false}},
		 {"192.168.0.7"},
		 {"192.168.0.200", "172.17.0.2"}},
		{"the lower metric counts",
		 {{"192.168.0.0/24", UPLINK, 100, false},
		  {"192.168.0.0/24", OTHER, 50, false},
		  {"192.168.1.0/24", OTHER, 100, false},
		  {"192.168.1.0/24", UPLINK, 50, false}},
		 {"192.168.1.7"},
		 {"192.168.0.7"}},
		{"of equals the first",
		 {{"192.168.0.0/24", UPLINK, 0, false},
		  {"192.168.0.0/24", OTHER, 0, false},
		  {"192.168.1.0/24", OTHER, 0, false},
		  {"192.168.1.0/24", UPLINK, 0, false}},
		 {"192.168.0.7"},
		 {"192.168.1.7"}},
		{"point to point", {{"0.0.0.0/0", UPLINK, 0, false}}, {"203.0.113.9"}, {"2001::1"}},
		{"no routes at all", {{NULL}}, {NULL}, {"192.168.0.7"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct segment s;
		size_t n = 0;

		while (n < ARRAY_SIZE(cases[i].rows) && cases[i].rows[n].dst)
			n++;
		s = find(cases[i].rows, n);
		for (size_t j = 0; j < 3; j++) {
			const char *near = cases[i].near[j], *far = cases[i].far[j];

			if (near && !holds(&s, near))
				fail_msg("%s: %s is near", cases[i].what, near);
			if (far && holds(&s, far))
				fail_msg("%s: %s is far", cases[i].what, far);
		}
	}
}

/* Only what decides is kept: a host may have thousands of other routes. */
static void test_routes_elsewhere_take_no_room(void **state)
{
	struct row rows[2 * SEGMENT_ROUTES_MAX] = {{"192.168.0.0/24", UPLINK, 0, false}};
	struct segment s;

	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(rows); i++)
		rows[i] = (struct row){"10.0.0.0/8", OTHER, (uint32_t)i, i % 2};
	rows[9] = (struct row){"fe80::/64", UPLINK, 256, false};
	s = find(rows, ARRAY_SIZE(rows));
	assert_int_equal(s.n, 1);
	assert_false(s.cut);
}

/* Then the overlay serves everybody: that works whoever is near. */
static void test_too_many(void **state)
{
	static const char *const nets[] = {"192.168.0.0/24", "10.0.0.0/8"};
	struct route_fact routes[SEGMENT_ROUTES_MAX + 1] = {0};
	struct iface_facts facts = {.routes = routes, .n_routes = ARRAY_SIZE(routes)};
	struct ip near = ip("192.168.0.7");
	struct segment s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		routes[i] =
			(struct route_fact){.ifindex = UPLINK, .unicast = true, .on_link = i < 2};
		if (i < 2)
			assert_true(cidr_parse(nets[i], &routes[i].dst));
		else
			routes[i].dst = (struct cidr){ip_from_v4(0x0a000000 + (uint32_t)i), 32};
	}
	facts.n_routes--;
	segment_find(&facts, UPLINK, &s);
	assert_int_equal(s.n, SEGMENT_ROUTES_MAX);
	assert_false(s.cut);
	assert_true(segment_holds(&s, &near));
	facts.n_routes++;
	segment_find(&facts, UPLINK, &s);
	assert_true(s.cut);
	assert_false(segment_holds(&s, &near));
	facts = (struct iface_facts){.routes = routes, .n_routes = 2, .routes_cut = true};
	segment_find(&facts, UPLINK, &s);
	assert_true(s.cut);
	assert_false(segment_holds(&s, &near));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_near),
		cmocka_unit_test(test_routes_elsewhere_take_no_room),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
