/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/opts.h"
#include "wire/cni_keys.h"
#include "wire/netconf.h"

static char *written(const char *name)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	for (size_t i = 0; i < manual_pages_n; i++) {
		if (!strcmp(manual_pages[i].name, name))
			manual_pages[i].write(f);
	}
	fclose(f);
	assert_true(n > 0);
	return text;
}

/* Run in the source tree (meson's test environment). */
static void pages_are_up_to_date(void **state)
{
	static char was[131072];

	(void)state;
	for (size_t i = 0; i < manual_pages_n; i++) {
		const struct manual_page *page = &manual_pages[i];
		char *wanted = written(page->name);
		FILE *f = fopen(page->path, "r");
		size_t n;

		if (!f)
			fail_msg("no %s", page->path);
		n = fread(was, 1, sizeof(was) - 1, f);
		was[n] = '\0';
		fclose(f);
		if (strcmp(was, wanted))
			fail_msg("%s is old; renew it: build/loden man %s >%s", page->path,
				 page->name, page->path);
		free(wanted);
	}
}

/* A line of text that begins with a dot or a quote would be a request. */
static void pages_are_roff(void **state)
{
	static const char *const requests[] = {".TH", ".SH", ".SS", ".TP", ".B ", ".BR",
					       ".BI", ".I ", ".IR", ".RI", ".RB", ".br",
					       ".PP", ".RS", ".RE", ".nf", ".fi", ".\\\""};

	(void)state;
	for (size_t i = 0; i < manual_pages_n; i++) {
		char *text, *rest;

		if (strncmp(manual_pages[i].path, "docs/man/", 9))
			continue;
		text = written(manual_pages[i].name);
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest)) {
			bool known = line[0] != '.' && line[0] != '\'';

			for (size_t k = 0; k < ARRAY_SIZE(requests); k++)
				known |= !strncmp(line, requests[k], strlen(requests[k]));
			if (!known)
				fail_msg("%s: %s", manual_pages[i].name, line);
		}
		free(text);
	}
}

static void every_key_is_there(void **state)
{
	char *cni = written("loden-cni"), *net = written("net-conf.json");
	struct netconf_key key;

	(void)state;
	for (size_t i = 0; i < cni_keys_n; i++)
		assert_non_null(strstr(cni, cni_keys[i].key));
	for (int backend = 0; backend < 2; backend++) {
		for (size_t i = 0; netconf_key(backend, i, &key); i++)
			assert_non_null(strstr(net, key.key));
	}
	free(cni);
	free(net);
}

/* What loden.conf.example says, with the # off, is what the agent starts with anyway. */
static void example_is_the_defaults(void **state)
{
	char *text = written("loden.conf"), *rest, *environment[OPTS_ROWS_MAX + 1];
	char complaints[2048] = "", flags[4096] = "", program[] = "agent";
	char *const argv[] = {program, NULL};
	struct opts defaults, set;
	size_t n = 0, n_works = 0;
	struct err err;

	(void)state;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strncmp(line, "#FLANNELD_", 10))
			environment[n++] = line + 1;
	}
	environment[n] = NULL;
	assert_int_equal(opts_parse(1, argv, &defaults, &err), 0);
	set = defaults;
	assert_int_equal(opts_env(environment, &set, &TEXT(complaints)), 0);
	for (size_t i = 0; i < opts_table_n; i++)
		n_works += opts_table[i].effect == OPTS_WORKS;
	assert_int_equal(n, n_works - 2); /* all but --help and --version */
	opts_format(&set, &TEXT(flags));
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];
		const char *a = (const char *)&defaults + row->offset;
		const char *b = (const char *)&set + row->offset;

		if (row->type == OPTS_INT)
			assert_int_equal(*(const int64_t *)(const void *)a,
					 *(const int64_t *)(const void *)b);
		if (row->type == OPTS_BOOL)
			assert_int_equal(*(const bool *)a, *(const bool *)b);
		if (row->type == OPTS_STRING)
			assert_string_equal(*(const char *const *)(const void *)a,
					    *(const char *const *)(const void *)b);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_up_to_date),
		cmocka_unit_test(pages_are_roff),
		cmocka_unit_test(every_key_is_there),
		cmocka_unit_test(example_is_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
