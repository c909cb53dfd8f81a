/* SPDX-License-Identifier: Apache-2.0 */
/* What a path and a scheme add; hosts and ports are in test_etcd_endpoint.c. */
#include "agent/server_url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static const struct {
	const char *text, *want; /* scheme, authority, path; or the story */
} rows[] = {
	{"https://api", "https api "},
	{"https://api/", "https api "},
	{"https://api:6443//", "https api:6443 "},
	{"http://[FD00::1]:80/k8s/clusters/c-1/", "http [fd00::1]:80 /k8s/clusters/c-1"},
	{"10.0.0.1:6443", "- 10.0.0.1:6443 "},
	{"[fd00::1]", "- [fd00::1] "},
	{"https://api/a%20b", "https api /a%20b"},
	{"https://api?x", "https://api?x: api?x is neither an address nor a host name"},
	{"https://api/a?x", "https://api/a?x: must look like EXAMPLE"},
	{"https://api/a b", "https://api/a b: must look like EXAMPLE"},
	{"https://api/\n", "https://api/\\x0a: must look like EXAMPLE"},
	{"https://api:1x", "https://api:1x: must look like EXAMPLE"},
	{"", ": must look like EXAMPLE"},
	{"https://me:secret@api", "user and password do not belong into a URL"},
	{"ftp://api", "ftp://api: the scheme must be http or https"},
};

static const char *const schemes[] = {"-", "http", "https"};

static void parses(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char authority[SERVER_URL_AUTHORITY_SIZE], got[600] = "";
		struct server_url u = {.port = 7};
		struct err err;

		if (server_url_parse(rows[i].text, "EXAMPLE", &u, &err) < 0) {
			assert_int_equal(u.port, 7);
			text_add(&TEXT(got), "%s", err.text);
		} else {
			server_url_authority(u.host, u.port, authority);
			text_add(&TEXT(got), "%s %s %s", schemes[u.scheme], authority, u.path);
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s\nwanted: %s", rows[i].text, got, rows[i].want);
	}
}

static void too_long(void **state _unused_)
{
	char text[600] = "https://api/";
	struct server_url u;
	struct err err;

	memset(text + 12, 'a', 255);
	assert_int_equal(server_url_parse(text, "EXAMPLE", &u, &err), -EINVAL);
	text[12 + 254] = '\0';
	assert_int_equal(server_url_parse(text, "EXAMPLE", &u, &err), 0);
	memset(text + 8, 'a', 300);
	assert_int_equal(server_url_parse(text, "EXAMPLE", &u, &err), -EINVAL);
	assert_false(server_url_is_host(text + 8));
	assert_false(server_url_is_host(""));
	assert_false(server_url_is_host("a b"));
	assert_true(server_url_is_host("fd00::1"));
	assert_true(server_url_is_host("kubernetes.default.svc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
