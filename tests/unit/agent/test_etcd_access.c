/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* Which warnings come. */
static char warned[200];

static void on_log(enum log_level level, const char *event, const char *line _unused_)
{
	struct text t = {.buf = warned, .size_bytes = sizeof(warned), .len = strlen(warned)};

	assert_int_equal(level, LOG_LEVEL_WARN);
	text_add(&t, "%s ", event);
}

static const struct {
	const char *endpoints, *ca, *cert, *key;
	bool tls;
	const char *used; /* of the certificate */
	bool system_too;
	const char *warned;
} rows[] = {
	/* flannel.md 5.1 */
	{"http://a", "", "", "", false, "", true, ""},
	{"http://a", "ca", "c", "k", false, "c", false, "etcd.plain "},
	{"https://a", "", "", "", true, "", true, ""},
	{"https://a", "", "c", "k", true, "c", false, ""},
	{"https://a", "ca", "c", "k", true, "c", false, ""},
	{"https://a", "ca", "", "", true, "", true, ""},
	{"https://a", "ca", "c", "", true, "", true, "etcd.half_pair "},
	{"https://a", "ca", "", "k", true, "", true, "etcd.half_pair "},
	{"a", "", "", "", false, "", true, ""},
	{"a", "", "c", "k", true, "c", false, ""},
	{"a", "ca", "", "", false, "", true, "etcd.plain "},
	{"a", "ca", "c", "", false, "", true, "etcd.plain "},
	{"https://a,http://b", "", "", "", true, "", true, "etcd.schemes "},
	{"http://a,https://b", "", "", "", false, "", true, "etcd.schemes "},
	{"a,https://b", "", "c", "k", true, "c", false, "etcd.schemes "},
};

static struct opts defaults(void)
{
	char name[] = "x", *argv[] = {name, NULL};
	struct opts o;

	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	return o;
}

static void tls_or_not(void **state _unused_)
{
	log_init(on_log, LOG_LEVEL_WARN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct opts o = defaults();
		struct etcd_access a;

		o.etcd_endpoints = rows[i].endpoints;
		o.etcd_cafile = rows[i].ca;
		o.etcd_certfile = rows[i].cert;
		o.etcd_keyfile = rows[i].key;
		assert_int_equal(etcd_access_from_opts(&o, &a, NULL), 0);
		warned[0] = '\0';
		etcd_access_warn(&o, &a);
		if (a.with_tls != rows[i].tls || strcmp(a.tls.cert_file, rows[i].used) != 0 ||
		    !a.tls.cert_file[0] != !a.tls.key_file[0] ||
		    a.tls.system_too != rows[i].system_too || strcmp(warned, rows[i].warned) != 0)
			fail_msg("row %zu: tls %d, certificate \"%s\", system too %d, \"%s\"", i,
				 a.with_tls, a.tls.cert_file, a.tls.system_too, warned);
	}
	log_init(NULL, LOG_LEVEL_ERROR);
}

static const struct {
	const char *name, *password, *file;
	bool user;
	const char *warned;
} users[] = {
	{"", "", "", false, ""},
	{"me", "x", "", true, ""},
	{"me", "", "f", true, ""},
	{"me", "", "", false, "etcd.half_user "},
	{"", "x", "", false, "etcd.half_user "},
	{"", "", "f", false, "etcd.half_user "},
};

static void user_and_password_count_together(void **state _unused_)
{
	log_init(on_log, LOG_LEVEL_WARN);
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct opts o = defaults();
		struct etcd_access a;

		o.etcd_username = users[i].name;
		o.etcd_password = users[i].password;
		o.etcd_password_file = users[i].file;
		assert_int_equal(etcd_access_from_opts(&o, &a, NULL), 0);
		warned[0] = '\0';
		etcd_access_warn(&o, &a);
		if (etcd_access_has_user(&a) != users[i].user ||
		    strcmp(warned, users[i].warned) != 0)
			fail_msg("row %zu: \"%s\"", i, warned);
	}
	log_init(NULL, LOG_LEVEL_ERROR);
}

static void what_cannot_work_is_refused(void **state _unused_)
{
	struct opts o = defaults();
	struct etcd_access a;
	struct err err;
	char longest[ETCD_PASSWORD_SIZE + 1];

	o.etcd_endpoints = "http://a:x";
	assert_int_equal(etcd_access_from_opts(&o, &a, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--etcd-endpoints: http://a:x: must look like"));
	o = defaults();
	memset(longest, 'p', ETCD_PASSWORD_SIZE);
	longest[ETCD_PASSWORD_SIZE] = '\0';
	o.etcd_password = longest;
	assert_int_equal(etcd_access_from_opts(&o, &a, &err), -EINVAL);
	assert_null(strstr(err.text, "ppp"));
}

static const struct {
	const char *text;
	const char *want; /* the password, or a part of the complaint */
	bool ok;
} files[] = {
	{"secret", "secret", true},
	{"secret\n", "secret", true},
	{"secret\r\n", "secret", true},
	{" two words \nmore\n", " two words ", true},
	{"", "its first line is empty", false},
	{"\nsecret\n", "its first line is empty", false},
};

static void the_password_may_be_in_a_file(void **state _unused_)
{
	char path[] = "/tmp/test_etcd_access_XXXXXX", password[ETCD_PASSWORD_SIZE];
	struct opts o = defaults();
	struct etcd_access a;
	int fd = mkstemp(path);
	struct err err;

	assert_true(fd >= 0);
	o.etcd_username = "me";
	o.etcd_password = "of the flag";
	assert_int_equal(etcd_access_from_opts(&o, &a, NULL), 0);
	assert_int_equal(etcd_access_password(&a, password, NULL), 0);
	assert_string_equal(password, "of the flag");
	o.etcd_password_file = path;
	assert_int_equal(etcd_access_from_opts(&o, &a, NULL), 0);
	/* It is read anew each time. */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n = strlen(files[i].text);
		int r;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].text, n, 0), n);
		r = etcd_access_password(&a, password, &err);
		assert_int_equal(r == 0, files[i].ok);
		if (r == 0)
			assert_string_equal(password, files[i].want);
		else
			assert_non_null(strstr(err.text, files[i].want));
	}
	assert_int_equal(ftruncate(fd, ETCD_PASSWORD_SIZE), 0);
	assert_int_equal(etcd_access_password(&a, password, &err), -EINVAL);
	close(fd);
	unlink(path);
	assert_int_equal(etcd_access_password(&a, password, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

static const struct {
	const char *name, *cert, *words;
	const char *want; /* NULL = not explained */
} explained[] = {
	{"me", "", "etcdserver: permission denied (permission denied)",
	 "etcd does not let user \"me\" read and write /net: permission denied"},
	{"", "c", "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
	 "etcd does not let the user that is the CN of c read and write /net"},
	{"", "c", "etcdserver: user name not found",
	 "etcd does not know the user that is the CN of c"},
	{"", "c", "etcdserver: user name is empty", "the certificate c has no CN to be the user"},
	{"", "", "etcdserver: user name is empty",
	 "etcd has authentication on, and no user is given: give --etcd-username"},
	{"m\n\"e", "", "etcdserver: authentication failed, invalid user ID or password",
	 "etcd refuses user \"m\\x0a\\x22e\": wrong password, or no such user"},
	{"me", "", "etcdserver: no leader", NULL},
	{"me", "", "connection refused", NULL},
};

static void refusals_are_explained_once(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(explained); i++) {
		struct opts o = defaults();
		struct etcd_access a;
		char line[400] = "", again[400] = "";

		o.etcd_endpoints = "https://a";
		o.etcd_prefix = "/net";
		o.etcd_username = explained[i].name;
		o.etcd_password = explained[i].name[0] ? "secret" : "";
		o.etcd_certfile = o.etcd_keyfile = explained[i].cert;
		assert_int_equal(etcd_access_from_opts(&o, &a, NULL), 0);
		assert_int_equal(etcd_access_explain(&a, explained[i].words, &TEXT(line)),
				 explained[i].want != NULL);
		if (explained[i].want && !strstr(line, explained[i].want))
			fail_msg("row %zu: %s", i, line);
		assert_false(etcd_access_explain(&a, line, &TEXT(again)));
		assert_false(etcd_access_is_stale(line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_or_not),
		cmocka_unit_test(user_and_password_count_together),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(the_password_may_be_in_a_file),
		cmocka_unit_test(refusals_are_explained_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
