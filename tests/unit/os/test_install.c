/* SPDX-License-Identifier: Apache-2.0 */
#include "os/install.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static char top[64];

static void sh(const char *command)
{
	char line[400];

	snprintf(line, sizeof(line), "cd %s && %s", top, command);
	assert_int_equal(system(line), 0);
}

static const char *at(const char *name, char path[100])
{
	snprintf(path, 100, "%s/%s", top, name);
	return path;
}

static int setup(void **state _unused_)
{
	strcpy(top, "/tmp/loden-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	sh("head -c 40000 /dev/zero >source && chmod 600 source");
	return 0;
}

static int teardown(void **state _unused_)
{
	sh("rm -rf -- * .[a-z]*");
	sh("rmdir $PWD");
	return 0;
}

/* A piece is 16384 bytes. */
static const struct {
	const char *command;
	int found;
} looks[] = {
	{":", INSTALL_NONE},
	{"ln -s nowhere there", INSTALL_NONE},
	{"install -m 755 source there", INSTALL_SAME},
	{"install -m 644 source there", INSTALL_OURS},
	{"echo other >there", INSTALL_OTHER},
	{"head -c 39999 source >there; chmod 755 there", INSTALL_OTHER},
	{"head -c 40001 /dev/zero >there; chmod 755 there", INSTALL_OTHER},
	{"{ cat source; echo 'v1 (loden)'; } >there", INSTALL_OURS},
	{"{ head -c 16380 source; echo 'v1 (loden)'; head -c 9 source; } >there", INSTALL_OURS},
	{"{ head -c 32760 source; echo '12345 (loden)'; } >there", INSTALL_OURS},
	{"{ head -c 16384 source; printf ' (lode'; } >there", INSTALL_OTHER},
	{": >there", INSTALL_OTHER},
	{"mkfifo there", -EINVAL},
	{"mkdir there", -EINVAL},
	{"rm source", -ENOENT},
};

static void test_look(void **state _unused_)
{
	char source[100], there[100];
	struct err err;

	at("source", source);
	at("there", there);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		int r;

		sh("rm -rf there");
		sh(looks[i].command);
		r = install_look(there, source, 0755, &err);
		if (r != looks[i].found)
			fail_msg("%s: %d, wanted %d", looks[i].command, r, looks[i].found);
		if (r < 0)
			assert_non_null(strstr(err.text, top));
	}
}

static void test_copy(void **state _unused_)
{
	char source[100], there[100];
	struct err err = {0};

	at("source", source);
	at("new/dir/there", there);
	assert_int_equal(install_copy(there, source, 0755, &err), 0);
	assert_int_equal(install_look(there, source, 0755, &err), INSTALL_SAME);
	/* Over something else, over what a crash left, through a link. */
	sh("cd new/dir && ln -sf ../../source there && echo half >.there.tmp");
	sh("printf 'n' >>source");
	assert_int_equal(install_copy(there, source, 0644, &err), 0);
	sh("cd new/dir && test -f there && test ! -L there && test \"$(stat -c %a there)\" = 644");
	sh("cmp source new/dir/there && test \"$(ls -A new/dir)\" = there");
}

static void test_copy_refused(void **state _unused_)
{
	char source[100], there[100];
	struct err err;

	at("source", source);
	sh("echo file >file");
	assert_int_equal(install_copy(at("file/there", there), source, 0755, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "file"));
	sh("mkdir there");
	assert_int_equal(install_copy(at("there", there), source, 0755, &err), -EISDIR);
	assert_non_null(strstr(err.text, "there"));
	sh("test -z \"$(find . -name '.*.tmp')\"");
	assert_int_equal(install_copy(at("new", there), "/nowhere", 0755, &err), -ENOENT);
	assert_string_equal(err.text, "cannot read /nowhere: No such file or directory");
	sh("test ! -e new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
