/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_ROUTES 20000 /* four times the peers that we promise */

static struct route nth_route(uint32_t i)
{
	struct route r = {.proto = ROUTE_PROTO_LODEN, .onlink = true, .dev = DEV_VXLAN};

	r.dst = (struct cidr){.ip = ip_from_v4(0x0a000000u + (i << 8)), .len = 24};
	r.via = r.dst.ip;
	return r;
}

static void test_find_in_many(void **state)
{
	struct route *routes = calloc(N_ROUTES, sizeof(*routes));
	struct netstate s = {.of[OBJECT_ROUTE] = {routes, N_ROUTES}};
	struct route absent = nth_route(N_ROUTES);
	struct object o = {.kind = OBJECT_ROUTE, .route = &absent};

	(void)state;
	assert_non_null(routes);
	/* 7919 is a prime that does not divide N_ROUTES: every index once, out of order. */
	for (uint32_t i = 0; i < N_ROUTES; i++)
		routes[i] = nth_route(i * 7919u % N_ROUTES);
	netstate_sort(&s, OBJECT_ROUTE);
	for (uint32_t i = 0; i < N_ROUTES; i++) {
		struct route want = nth_route(i);
		struct object w = {.kind = OBJECT_ROUTE, .route = &want};
		struct object at = netstate_at(&s, OBJECT_ROUTE, i);

		assert_true(object_eq(&w, &at));
		assert_int_equal(netstate_find(&s, &w), i);
	}
	assert_int_equal(netstate_find(&s, &o), -1);
	absent = nth_route(5);
	absent.metric = 1;
	assert_int_equal(netstate_find(&s, &o), -1);
	free(routes);
}

static void test_empty(void **state)
{
	struct netstate s = {0};
	struct route r = nth_route(1);
	struct object o = {.kind = OBJECT_ROUTE, .route = &r};

	(void)state;
	assert_int_equal(netstate_find(&s, &o), -1);
	netstate_sort(&s, OBJECT_ROUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_in_many),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
