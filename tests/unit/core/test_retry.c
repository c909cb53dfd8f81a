/* SPDX-License-Identifier: Apache-2.0 */
#include "core/retry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct devmap devs;

static struct op route_op(struct route *r, uint32_t i)
{
	*r = (struct route){.dst = {ip_from_v4(0x0a000000 + (i << 8)), 24}, .dev = DEV_VXLAN};
	return (struct op){.verb = OP_ADD, .object = {.kind = OBJECT_ROUTE, .route = r}};
}

static void test_waits_grow_and_end_with_success(void **state)
{
	struct route a, b;
	struct op op = route_op(&a, 1), other = route_op(&b, 2);
	struct retry r;
	uint64_t now = 1000, last = 0;

	(void)state;
	retry_init(&r);
	for (int i = 0; i < 7; i++) {
		retry_refused(&r, &op, &devs, "No\tbuffer space", now, 0);
		assert_true(retry_until(&r, &op.object) > now + last);
		last = retry_until(&r, &op.object) - now;
		now = retry_until(&r, &op.object);
	}
	assert_in_range(last, 20000, 30000);
	assert_int_equal(retry_until(&r, &other.object), 0);
	assert_string_equal(r.first,
			    "route.add 10.0.1.0/24 dev vxlan proto 0: No\\x09buffer space");

	retry_still(&r, &op.object);
	retry_settle(&r, OBJECT_BIT(OBJECT_ROUTE));
	assert_int_equal(r.n, 1); /* it still differs */
	retry_settle(&r, OBJECT_BIT(OBJECT_NEIGH));
	assert_int_equal(r.n, 1); /* nobody looked */
	retry_settle(&r, OBJECT_BIT(OBJECT_ROUTE));
	assert_int_equal(r.n, 0);
	assert_string_equal(r.first, "");
	assert_int_equal(retry_until(&r, &op.object), 0);
}

static void test_refused_together_tried_together(void **state)
{
	struct route a, b;
	struct op one = route_op(&a, 1), two = route_op(&b, 2);
	struct retry r;

	(void)state;
	retry_init(&r);
	retry_refused(&r, &one, &devs, "no", 1000, 0);
	retry_refused(&r, &two, &devs, "no", 1003, 77);
	assert_int_equal(retry_until(&r, &one.object), retry_until(&r, &two.object));
}

static void test_a_crowd_waits_as_one(void **state)
{
	struct neigh n = {.dev = DEV_VXLAN};
	struct op neigh = {.verb = OP_ADD, .object = {.kind = OBJECT_NEIGH, .neigh = &n}};
	struct route route;
	struct op op;
	struct retry r;

	(void)state;
	retry_init(&r);
	for (uint32_t i = 0; i < 5000; i++) {
		op = route_op(&route, i);
		retry_refused(&r, &op, &devs, "no", 1000, 0);
	}
	assert_int_equal(r.n, RETRY_ENTRIES + 1);
	op = route_op(&route, 4999);
	assert_true(retry_until(&r, &op.object) > 1000);
	op = route_op(&route, 9999); /* never refused, but it would be */
	assert_true(retry_until(&r, &op.object) > 1000);
	assert_int_equal(retry_until(&r, &neigh.object), 0);
	retry_refused(&r, &neigh, &devs, "no", 1000, 0);
	assert_true(retry_until(&r, &neigh.object) > 1000);
	retry_settle(&r, OBJECT_ALL);
	assert_int_equal(r.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_grow_and_end_with_success),
		cmocka_unit_test(test_refused_together_tried_together),
		cmocka_unit_test(test_a_crowd_waits_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
