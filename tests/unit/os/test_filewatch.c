/* SPDX-License-Identifier: Apache-2.0 */
#include "os/filewatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char top[64];

static void sh(const char *command)
{
	char line[400];

	snprintf(line, sizeof(line), "cd %s && %s", top, command);
	assert_int_equal(system(line), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/loden-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sh("rm -rf dir other sub");
	sh("rmdir $PWD");
	return 0;
}

static const struct {
	const char *command;
	bool heard;
} cases[] = {
	{"echo a >dir/file", true},
	{"echo b >dir/neighbour; rm dir/neighbour", false},
	{"echo c >dir/.file.new; mv dir/.file.new dir/file", true},
	{"cat dir/file >/dev/null", false},
	{"mv dir/file dir/gone", true},
	{"mv dir/gone dir/file", true},
	{"rm dir/file", true},
	{"touch dir/file", true},
	{"rm -r dir", true},
	{"mkdir dir", false}, /* not watched: armed again by the next look at the file */
};

static void test_what_concerns_the_file_is_heard(void **state)
{
	struct filewatch w = FILEWATCH_INIT;
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/dir/file", top);
	sh("mkdir dir");
	assert_int_equal(filewatch_open(&w, NULL), 0);
	filewatch_arm(&w, path);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sh(cases[i].command);
		if (filewatch_read(&w) != cases[i].heard)
			fail_msg("%s: wanted %d", cases[i].command, cases[i].heard);
	}
	assert_int_equal(w.wd, -1);
	filewatch_arm(&w, path);
	sh("echo d >dir/file");
	assert_true(filewatch_read(&w));
	sh("mv dir sub");
	assert_true(filewatch_read(&w));
	sh("mkdir dir; echo e >sub/file");
	assert_false(filewatch_read(&w));
	filewatch_close(&w);
}

static void test_no_directory_yet(void **state)
{
	struct filewatch w = FILEWATCH_INIT;
	char path[100];

	(void)state;
	snprintf(path, sizeof(path), "%s/dir/file", top);
	assert_int_equal(filewatch_open(&w, NULL), 0);
	filewatch_arm(&w, path);
	assert_int_equal(w.wd, -1);
	sh("mkdir dir");
	filewatch_arm(&w, path);
	sh("touch dir/file");
	assert_true(filewatch_read(&w));
	snprintf(path, sizeof(path), "%s/other", top);
	filewatch_arm(&w, path);
	sh("touch dir/file");
	assert_false(filewatch_read(&w));
	sh("touch other");
	assert_true(filewatch_read(&w));
	filewatch_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_concerns_the_file_is_heard, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_directory_yet, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
