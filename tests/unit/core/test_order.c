/* SPDX-License-Identifier: Apache-2.0 */
#include "core/order.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t place(enum order_what what, enum object_kind kind)
{
	for (size_t i = 0; i < ORDER_STAGES; i++) {
		struct order_stage s = order_stage(i);

		if (s.what == what && s.kind == kind)
			return i;
	}
	fail_msg("no stage for %d %s", what, object_kind_names[kind]);
	return 0;
}

static void test_nothing_needs_what_comes_later(void **state)
{
	static const struct {
		enum order_what a;
		enum object_kind a_kind;
		enum order_what b;
		enum object_kind b_kind;
		const char *why;
	} rows[] = {
		{ORDER_MAKE, OBJECT_LINK, ORDER_MAKE, OBJECT_ADDR, "addresses need a link"},
		{ORDER_RECREATE, OBJECT_LINK, ORDER_MAKE, OBJECT_ADDR, "or a new one"},
		{ORDER_MAKE, OBJECT_ADDR, ORDER_MAKE, OBJECT_ROUTE, "gateways need an address"},
		{ORDER_MAKE, OBJECT_NEIGH, ORDER_MAKE, OBJECT_ROUTE, "no packet before its MAC"},
		{ORDER_MAKE, OBJECT_FDB, ORDER_MAKE, OBJECT_ROUTE, "nor before its VTEP"},
		{ORDER_MAKE, OBJECT_ROUTE, ORDER_REMOVE, OBJECT_ROUTE, "new before old"},
		{ORDER_REMOVE, OBJECT_ROUTE, ORDER_REMOVE, OBJECT_NEXTHOP, "a used nexthop stays"},
		{ORDER_REMOVE, OBJECT_ROUTE, ORDER_REMOVE, OBJECT_FDB, "no route into nothing"},
		{ORDER_REMOVE, OBJECT_ADDR, ORDER_REMOVE, OBJECT_LINK, "links last"},
		{ORDER_IN_THE_WAY, OBJECT_ROUTE, ORDER_MAKE, OBJECT_LINK,
		 "what is in the way first"},
		{ORDER_MAKE, OBJECT_ROUTE, ORDER_MAKE, OBJECT_ENVFILE, "pods come when all stands"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (place(rows[i].a, rows[i].a_kind) >= place(rows[i].b, rows[i].b_kind))
			fail_msg("%s", rows[i].why);
	}
}

static void test_every_kind_has_its_stages(void **state)
{
	(void)state;
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		place(ORDER_IN_THE_WAY, (enum object_kind)kind);
		place(ORDER_MAKE, (enum object_kind)kind);
		place(ORDER_REMOVE, (enum object_kind)kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_needs_what_comes_later),
		cmocka_unit_test(test_every_kind_has_its_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
