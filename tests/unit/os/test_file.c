/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_file.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_replace_makes_and_keeps_mode(void **state)
{
	const char *path = in_dir("a/b/x");
	char text[16];

	(void)state;
	assert_int_equal(file_replace(path, "one\n", NULL), 0);
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(file_replace(path, "two\n", NULL), 0);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(file_read(path, text, sizeof(text), NULL), 0);
	assert_string_equal(text, "two\n");
	assert_int_equal(file_remove(path, NULL), 0);
	assert_int_equal(file_remove(path, NULL), 0);
	/* Nothing is left beside it. */
	assert_int_equal(mode_of(in_dir("a/b")), 0755);
	assert_int_equal(rmdir(in_dir("a/b")), 0);
	assert_int_equal(rmdir(in_dir("a")), 0);
}

static void test_read_tells_when_it_does_not_fit(void **state)
{
	const char *path = in_dir("x");
	char text[5];

	(void)state;
	assert_int_equal(file_read(path, text, sizeof(text), NULL), -ENOENT);
	assert_int_equal(file_replace(path, "abcd", NULL), 0);
	assert_int_equal(file_read(path, text, sizeof(text), NULL), 0);
	assert_int_equal(file_replace(path, "abcde", NULL), 0);
	assert_int_equal(file_read(path, text, sizeof(text), NULL), FILE_LONGER);
	assert_string_equal(text, "abcd");
	assert_int_equal(file_remove(path, NULL), 0);
}

static void test_a_failed_replace_leaves_the_old(void **state)
{
	char old[128], text[8];
	struct err err = {0};

	(void)state;
	strcpy(old, in_dir("d"));
	assert_int_equal(mkdir(old, 0755), 0);
	/* A directory cannot be replaced by a file. */
	assert_int_equal(file_replace(old, "x", &err), -EISDIR);
	assert_non_null(strstr(err.text, old));
	assert_int_equal(access(in_dir(".d.tmp"), F_OK), -1);
	assert_int_equal(rmdir(old), 0);
	/* A file where a directory should be. */
	assert_int_equal(file_replace(in_dir("f"), "x", NULL), 0);
	assert_int_equal(file_replace(in_dir("f/g"), "y", NULL), -ENOTDIR);
	assert_int_equal(file_read(in_dir("f"), text, sizeof(text), NULL), 0);
	assert_string_equal(text, "x");
	assert_int_equal(file_remove(in_dir("f"), NULL), 0);
}

static void test_write_needs_the_file(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(file_write(in_dir("none"), "1", NULL), -ENOENT);
	assert_int_equal(file_replace(in_dir("x"), "0", NULL), 0);
	assert_int_equal(file_write(in_dir("x"), "1", NULL), 0);
	assert_int_equal(file_read(in_dir("x"), text, sizeof(text), NULL), 0);
	assert_string_equal(text, "1");
	assert_int_equal(file_remove(in_dir("x"), NULL), 0);
}

static void test_made_in_pieces(void **state)
{
	const char *path = in_dir("pieces");
	struct file_new f;
	struct err err;
	uint8_t *bytes;
	size_t n;

	(void)state;
	assert_int_equal(file_replace(path, "old", NULL), 0);
	assert_int_equal(file_new_open(path, &f, &err), 0);
	assert_int_equal(file_new_write(&f, "ne\0", 3), 0);
	assert_int_equal(file_new_write(&f, "w", 1), 0);
	assert_int_equal(file_load(path, 3, &bytes, &n, &err), 0);
	assert_int_equal(n, 3); /* still the old one */
	assert_memory_equal(bytes, "old", 3);
	free(bytes);
	assert_int_equal(file_new_commit(&f, &err), 0);
	assert_int_equal(file_load(path, 4, &bytes, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(bytes, "ne\0w", 4);
	free(bytes);
	assert_int_equal(file_new_open(path, &f, &err), 0);
	assert_int_equal(file_new_write(&f, "worse", 5), 0);
	file_new_drop(&f);
	assert_int_equal(access(f.temp, F_OK), -1);
	assert_int_equal(file_load(path, 4, &bytes, &n, &err), 0);
	free(bytes);
	assert_int_equal(file_load(path, 3, &bytes, &n, &err), -EFBIG);
	assert_int_equal(file_remove(path, NULL), 0);
	assert_int_equal(file_load(path, 3, &bytes, &n, &err), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_load(path, 3, &bytes, &n, &err), -EFBIG);
	assert_int_equal(file_remove(path, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_in_pieces, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_replace_makes_and_keeps_mode, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_read_tells_when_it_does_not_fit, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_a_failed_replace_leaves_the_old, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_write_needs_the_file, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
