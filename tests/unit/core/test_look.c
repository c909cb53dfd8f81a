/* SPDX-License-Identifier: Apache-2.0 */
#include "core/look.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROUTES OBJECT_BIT(OBJECT_ROUTE)
#define NEIGHS OBJECT_BIT(OBJECT_NEIGH)

static void test_one_notice_is_looked_at_after_a_millisecond(void **state)
{
	struct look l;

	(void)state;
	look_init(&l);
	assert_int_equal(look_next_ms(&l), LOOK_NEVER);
	look_notice(&l, ROUTES, NULL, 100);
	assert_int_equal(look_next_ms(&l), 101);
	assert_int_equal(look_take(&l, 100), 0);
	assert_int_equal(look_take(&l, 101), ROUTES);
	assert_int_equal(look_take(&l, 200), 0);
	assert_int_equal(look_next_ms(&l), LOOK_NEVER);
}

static void test_a_burst_waits_for_its_end_but_not_for_long(void **state)
{
	struct look l;

	(void)state;
	look_init(&l);
	for (uint64_t now = 100; now < 104; now++) {
		assert_int_equal(look_take(&l, now - 1), 0);
		look_notice(&l, now & 1 ? ROUTES : NEIGHS, NULL, now);
		assert_int_equal(look_next_ms(&l), now + 1);
	}
	look_notice(&l, ROUTES, NULL, 104);
	look_notice(&l, ROUTES, NULL,
		    105); /* five milliseconds are over: it is due, and stays so */
	look_notice(&l, ROUTES, NULL, 106);
	assert_int_equal(look_next_ms(&l), 105);
	assert_int_equal(look_take(&l, 106), ROUTES | NEIGHS);
	look_notice(&l, ROUTES, NULL, 107); /* a new burst */
	assert_int_equal(look_next_ms(&l), 108);
}

static void test_later_is_per_kind_and_the_earliest_counts(void **state)
{
	struct look l;

	(void)state;
	look_init(&l);
	look_later(&l, ROUTES, 500);
	look_later(&l, ROUTES | NEIGHS, 900);
	assert_int_equal(look_next_ms(&l), 500);
	assert_int_equal(look_take(&l, 500), ROUTES);
	assert_int_equal(look_next_ms(&l), 900);
	look_now(&l, ROUTES, 600);
	assert_int_equal(look_take(&l, 600), ROUTES);
	assert_int_equal(look_take(&l, 900), NEIGHS);
}

static void test_the_last_hand_in_these_kinds(void **state)
{
	const struct culprit ip = {.pid = 7, .comm = "ip"}, nft = {.pid = 8, .comm = "nft"};
	const struct culprit kernel = {0};
	struct look l;

	(void)state;
	look_init(&l);
	look_notice(&l, ROUTES, &ip, 100);
	look_notice(&l, ROUTES, &kernel, 101); /* says nothing */
	look_notice(&l, NEIGHS, &nft, 102);
	assert_int_equal(look_who(&l, ROUTES).pid, 7);
	assert_int_equal(look_who(&l, ROUTES | NEIGHS).pid, 8);
	look_notice(&l, 0, &ip, 103); /* who did what was noticed before */
	assert_int_equal(look_who(&l, NEIGHS).pid, 7);
	look_forget_who(&l, ROUTES);
	assert_int_equal(look_who(&l, ROUTES).pid, 0);
	assert_int_equal(look_who(&l, NEIGHS).pid, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_notice_is_looked_at_after_a_millisecond),
		cmocka_unit_test(test_a_burst_waits_for_its_end_but_not_for_long),
		cmocka_unit_test(test_later_is_per_kind_and_the_earliest_counts),
		cmocka_unit_test(test_the_last_hand_in_these_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
