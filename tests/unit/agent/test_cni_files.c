/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cni_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	enum install_found found;
	bool always_ours, replace, put;
} cases[] = {
	{INSTALL_NONE, false, false, true},   {INSTALL_NONE, true, false, true},
	{INSTALL_SAME, false, true, false},   {INSTALL_SAME, true, true, false},
	{INSTALL_OURS, false, false, true},   {INSTALL_OURS, true, false, true},
	{INSTALL_OTHER, false, false, false}, {INSTALL_OTHER, true, false, true},
	{INSTALL_OTHER, false, true, true},
};

static void test_is_to_put(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			cni_files_is_to_put(cases[i].found, cases[i].always_ours, cases[i].replace),
			cases[i].put);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_to_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
