/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shrink.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_a_list_of_less_than_half_has_to_be_confirmed(void **state)
{
	static const struct {
		size_t before, n;
		bool held;
	} cases[] = {
		{5000, 0, true}, {5000, 2499, true}, {5000, 2500, false}, {12, 4, true},
		{3, 1, true},	 {2, 0, true},	     {2, 1, false},	  {1, 0, false},
		{0, 9, false},	 {4, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct shrink s;

		shrink_init(&s);
		shrink_listed(&s, cases[i].before, cases[i].n, 100);
		assert_int_equal(shrink_holds(&s), cases[i].held);
		assert_int_equal(shrink_next_ms(&s), cases[i].held ? 10100 : SHRINK_NEVER);
	}
}

static void test_only_a_list_ten_seconds_later_confirms(void **state)
{
	struct shrink s;

	(void)state;
	shrink_init(&s);
	shrink_listed(&s, 100, 3, 1000);
	shrink_listed(&s, 3, 4, 1100); /* a new connection, perhaps */
	assert_true(shrink_holds(&s));
	assert_int_equal(s.from, 100);
	assert_int_equal(s.to, 4);
	assert_false(shrink_wants_list(&s, 10999));
	assert_true(shrink_wants_list(&s, 11000));
	assert_false(shrink_wants_list(&s, 11001)); /* not twice … */
	assert_true(shrink_wants_list(&s, 21000));  /* … but again if none comes */
	shrink_listed(&s, 4, 4, 21050);
	assert_false(shrink_holds(&s));
	assert_int_equal(shrink_next_ms(&s), SHRINK_NEVER);
}

static void test_leases_that_come_back_need_no_confirmation(void **state)
{
	struct shrink s;

	(void)state;
	shrink_init(&s);
	shrink_listed(&s, 100, 3, 1000);
	shrink_listed(&s, 3, 50, 1100);
	assert_false(shrink_holds(&s));
}

static void test_single_deletions_count_within_ten_seconds(void **state)
{
	struct shrink s;

	(void)state;
	shrink_init(&s);
	for (size_t i = 0; i < 51; i++) {
		assert_int_equal(s.from, 0);
		shrink_gone(&s, 100 - i, 1000 + i * 100);
	}
	assert_int_equal(s.from, 100);
	assert_int_equal(s.to, 49);
	shrink_gone(&s, 49, 6100);
	assert_int_equal(s.to, 48);

	shrink_init(&s);
	for (size_t i = 0; i < 90; i++) { /* they only change owners */
		shrink_gone(&s, 100, 1000);
		shrink_put(&s);
	}
	assert_int_equal(s.from, 0);

	shrink_init(&s);
	for (size_t i = 0; i < 90; i++) /* slowly: nodes are taken down one after another */
		shrink_gone(&s, 100 - i, 1000 + i * 3000);
	assert_int_equal(s.from, 0);
}

static void test_a_burst_is_waited_for(void **state)
{
	struct shrink s;

	(void)state;
	shrink_init(&s);
	shrink_gone(&s, 100, 1000);
	assert_true(shrink_holds(&s));
	assert_int_equal(shrink_next_ms(&s), 2000);
	shrink_gone(&s, 99, 1900);
	assert_false(shrink_burst_over(&s, 2000));
	assert_true(shrink_burst_over(&s, 2900));
	assert_false(shrink_holds(&s));
	assert_false(shrink_burst_over(&s, 2901));

	for (uint64_t ms = 20000; ms < 25000; ms += 500)
		shrink_gone(&s, 98, ms);
	assert_int_equal(shrink_next_ms(&s), 25000); /* not for ever */

	shrink_init(&s);
	shrink_gone(&s, 10, 1000); /* few: at once */
	assert_false(shrink_holds(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_of_less_than_half_has_to_be_confirmed),
		cmocka_unit_test(test_only_a_list_ten_seconds_later_confirms),
		cmocka_unit_test(test_leases_that_come_back_need_no_confirmation),
		cmocka_unit_test(test_single_deletions_count_within_ten_seconds),
		cmocka_unit_test(test_a_burst_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
