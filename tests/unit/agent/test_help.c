/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/opts.h"

static char *written(void (*help)(FILE *out))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	help(f);
	fclose(f);
	return text;
}

static void help_names_every_flag(void **state)
{
	char *text = written(help_agent);

	(void)state;
	for (size_t i = 0; i < opts_table_n; i++) {
		char flag[64];

		snprintf(flag, sizeof(flag), "  --%s", opts_table[i].name);
		assert_non_null(strstr(text, flag));
		assert_non_null(opts_table[i].help);
		assert_true(opts_table[i].type == OPTS_BOOL || opts_table[i].arg);
	}
	free(text);
}

static void lines_fit_a_terminal(void **state)
{
	char *text = written(help_agent), *rest;

	(void)state;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strlen(line) > 100)
			fail_msg("%zu columns: %s", strlen(line), line);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_names_every_flag),
		cmocka_unit_test(lines_fit_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
