/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_add_fills_and_cuts(void **state)
{
	static const struct {
		const char *add[3];
		const char *want;
		bool cut;
	} rows[] = {
		{{""}, "", false},
		{{"ab", "cd"}, "abcd", false},
		{{"abcd", "efg"}, "abcdefg", false},
		{{"abcd", "efgh"}, "abcdefg", true},
		{{"abcdefghij"}, "abcdefg", true},
		{{"abcdefghij", "k"}, "abcdefg", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[8] = "old";
		struct text t = TEXT(buf);

		for (size_t j = 0; j < ARRAY_SIZE(rows[i].add) && rows[i].add[j]; j++)
			text_add(&t, "%s", rows[i].add[j]);
		assert_string_equal(buf, rows[i].want);
		assert_int_equal(t.cut, rows[i].cut);
		assert_int_equal(t.len, strlen(rows[i].want));
	}
}

static void test_escaped_cannot_fool_a_reader(void **state)
{
	char buf[64];
	struct text t = TEXT(buf);

	(void)state;
	text_add_escaped(&t, "a \"\\\n\x1b\x7f\xc3\0z", 10);
	assert_string_equal(buf, "a \\x22\\x5c\\x0a\\x1b\\x7f\\xc3\\x00z");
	assert_false(t.cut);
}

static void test_escaped_never_leaves_half_a_sequence_unmarked(void **state)
{
	char buf[6];
	struct text t = TEXT(buf);

	(void)state;
	text_add_escaped(&t, "abc\nd", 5);
	assert_true(t.cut);
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
}

static void test_copy_fits_or_is_empty(void **state)
{
	char dst[4] = "old";

	(void)state;
	assert_true(text_copy(dst, sizeof(dst), "abc"));
	assert_string_equal(dst, "abc");
	assert_false(text_copy(dst, sizeof(dst), "abcd"));
	assert_string_equal(dst, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_fills_and_cuts),
		cmocka_unit_test(test_escaped_cannot_fool_a_reader),
		cmocka_unit_test(test_escaped_never_leaves_half_a_sequence_unmarked),
		cmocka_unit_test(test_copy_fits_or_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
