/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char seen[2048];

static void sink(enum log_level level, const char *event, const char *line)
{
	size_t n = strlen(seen);

	snprintf(seen + n, sizeof(seen) - n, "%d %s %s\n", (int)level, event, line);
}

static void test_lines_reach_the_sink_up_to_the_level(void **state)
{
	(void)state;
	log_init(sink, LOG_LEVEL_WARN);
	log_error("test.error", "n=%d", 1);
	log_warn("test.warn", "s=%s", "two");
	log_info("test.info", "dropped");
	log_debug("test.debug", "dropped");
	assert_string_equal(seen, "0 test.error n=1\n1 test.warn s=two\n");
}

static void test_no_sink_drops(void **state)
{
	(void)state;
	log_init(NULL, LOG_LEVEL_DEBUG);
	seen[0] = '\0';
	log_error("test.dropped", "n=%d", 1);
	assert_string_equal(seen, "");
}

static void test_long_line_is_cut_not_overrun(void **state)
{
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_init(sink, LOG_LEVEL_DEBUG);
	seen[0] = '\0';
	log_debug("test.long", "%s", big);
	assert_int_equal(strlen(seen), strlen("3 test.long \n") + 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_reach_the_sink_up_to_the_level),
		cmocka_unit_test(test_no_sink_drops),
		cmocka_unit_test(test_long_line_is_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
