/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_story_is_wrapped_outside_in(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "no key %s", "/a"), -ENOENT);
	assert_string_equal(e.text, "no key /a");
	assert_int_equal(err_wrap(&e, 2, "read config"), 2);
	assert_string_equal(e.text, "read config: no key /a");
	err_wrap(&e, -EIO, "agent %d", 1);
	assert_string_equal(e.text, "agent 1: read config: no key /a");
	err_set(&e, 0, "anew");
	assert_string_equal(e.text, "anew");
}

static void test_wrap_of_nothing_adds_no_colon(void **state)
{
	struct err e = {0};

	(void)state;
	err_wrap(&e, -EIO, "alone");
	assert_string_equal(e.text, "alone");
}

static void test_null_keeps_the_number(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
	assert_int_equal(err_wrap(NULL, 7, "x"), 7);
}

static void test_long_text_is_cut(void **state)
{
	char big[1000];
	struct err e = {0};

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, -1, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_wrap(&e, -1, "outer");
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_memory_equal(e.text, "outer: xxx", 10);
	err_wrap(&e, -1, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story_is_wrapped_outside_in),
		cmocka_unit_test(test_wrap_of_nothing_adds_no_colon),
		cmocka_unit_test(test_null_keeps_the_number),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
