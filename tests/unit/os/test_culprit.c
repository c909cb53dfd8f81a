/* SPDX-License-Identifier: Apache-2.0 */
#include "os/culprit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

static void test_names_a_process(void **state)
{
	struct culprit c;

	(void)state;
	prctl(PR_SET_NAME, "it was me");
	culprit_lookup((uint32_t)getpid(), NULL, &c);
	assert_int_equal(c.pid, getpid());
	assert_string_equal(c.comm, "it was me");
}

static void test_another_name_is_another_process(void **state)
{
	struct culprit c;

	(void)state;
	culprit_lookup((uint32_t)getpid(), "nft", &c);
	assert_string_equal(c.comm, "nft");
	assert_string_equal(c.unit, "");
}

static void test_kernel_and_the_dead_have_no_name(void **state)
{
	struct culprit c;

	(void)state;
	culprit_lookup(0, NULL, &c);
	assert_int_equal(c.pid, 0);
	assert_string_equal(c.comm, "");
	culprit_lookup(UINT32_MAX, NULL, &c); /* above PID_MAX_LIMIT */
	assert_string_equal(c.comm, "");
	assert_string_equal(c.unit, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_a_process),
		cmocka_unit_test(test_another_name_is_another_process),
		cmocka_unit_test(test_kernel_and_the_dead_have_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
