/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backoff.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_doubles_to_the_limit_and_starts_over(void **state)
{
	static const uint64_t middle_ms[] = {500,   1000,  2000,  4000, 8000,
					     16000, 30000, 30000, 30000};
	struct backoff b = {0};

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(middle_ms); i++) {
			struct backoff low = b, high = b;

			assert_int_equal(backoff_next_ms(&low, 0), middle_ms[i] * 3 / 4);
			assert_int_equal(backoff_next_ms(&high, middle_ms[i] / 2),
					 middle_ms[i] * 5 / 4);
			assert_in_range(backoff_next_ms(&b, UINT64_MAX - i), middle_ms[i] * 3 / 4,
					middle_ms[i] * 5 / 4);
		}
		backoff_reset(&b);
	}
}

static void test_random_is_spread_and_repeatable(void **state)
{
	uint64_t a = 1, b = 1;
	unsigned buckets[16] = {0};

	(void)state;
	for (unsigned i = 0; i < 16000; i++) {
		uint64_t r = backoff_random(&a);

		assert_true(r == backoff_random(&b));
		buckets[r % 16]++;
	}
	for (size_t i = 0; i < 16; i++)
		assert_in_range(buckets[i], 850, 1150); /* 1000 ± 5 sigma */
	assert_true(a != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_to_the_limit_and_starts_over),
		cmocka_unit_test(test_random_is_spread_and_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
