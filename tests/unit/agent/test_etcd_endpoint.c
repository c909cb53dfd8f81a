/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static const struct {
	const char *list;
	const char *want; /* authorities, or a part of the complaint */
} rows[] = {
	/* flannel's default */
	{"http://127.0.0.1:4001,http://127.0.0.1:2379", "127.0.0.1:4001 127.0.0.1:2379 "},
	{"http://10.0.0.1", "10.0.0.1:2379 "},
	{"10.0.0.1:1/", "none: 10.0.0.1:1 "},
	{" http://10.0.0.1:65535 ,\thttp://10.0.0.2 ,,", "10.0.0.1:65535 10.0.0.2:2379 "},
	{"http://[fd00::1]:2379,[FD00:0::2]", "mixed: [fd00::1]:2379 [fd00::2]:2379 "},
	{"http://localhost:2379", "localhost:2379 "},
	{"https://etcd-1,https://a_b.example.:1", "https: etcd-1:2379 a_b.example.:1 "},
	{"https://[fd00::1]", "https: [fd00::1]:2379 "},
	/* The first one's scheme is that of all. */
	{"https://a,http://b,c", "https, mixed: a:2379 b:2379 c:2379 "},
	{"a,https://b", "none, mixed: a:2379 b:2379 "},
	{"http://a,b", "mixed: a:2379 b:2379 "},
	{"", "no endpoint is given"},
	{" , ", "no endpoint is given"},
	{"unix:///run/etcd", "unix:///run/etcd: the scheme must be http or https"},
	{"HTTP://a", "HTTP://a: the scheme must be http or https"},
	{"http://etc d", "etc d is neither an address nor a host name"},
	{"http://etcd\n:1", "is neither an address nor a host name"},
	{"http://fd00::1:2379", "must look like"},
	{"http://[fd00::1", "must look like"},
	{"http://[fd00::1]x", "must look like"},
	{"http://10.0.0.1:", "must look like"},
	{"http://10.0.0.1:0", "must look like"},
	{"http://10.0.0.1:65536", "must look like"},
	{"http://10.0.0.1:99999999999999999999", "must look like"},
	{"http://10.0.0.1:2379/v2", "must look like"},
	{"http://10.0.0.1:23x", "must look like"},
	{"http://", "must look like"},
	/* And not shown: there may be a password in it. */
	{"http://user:x@10.0.0.1", "user and password do not belong into an endpoint: "},
	{"1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	 "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
	 "more than 16 endpoints"},
};

static const char *const schemes[] = {"none", "", "https"};

static void parses_lists(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct etcd_endpoints got = {0};
		struct err err = {""};
		char line[500] = "";
		struct text t = TEXT(line);
		int r = etcd_endpoint_parse_list(rows[i].list, &got, &err);

		if (r == 0 && (got.mixed || got.scheme != SERVER_URL_HTTP))
			text_add(&t, "%s%s%s: ", schemes[got.scheme],
				 schemes[got.scheme][0] && got.mixed ? ", " : "",
				 got.mixed ? "mixed" : "");
		for (size_t k = 0; k < got.n; k++)
			text_add(&t, "%s ", got.of[k].authority);
		if (r < 0) {
			assert_int_equal(got.n, 0);
			text_add(&t, "%s", err.text);
		}
		if (r < 0 ? !strstr(line, rows[i].want) : strcmp(line, rows[i].want) != 0)
			fail_msg("\"%s\": got %s, want %s", rows[i].list, line, rows[i].want);
	}
}

static void refuses_what_is_too_long(void **state _unused_)
{
	struct etcd_endpoints got;
	char list[400];

	memset(list, '1', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	assert_int_equal(etcd_endpoint_parse_list(list, &got, NULL), -EINVAL);
	list[280] = '\0';
	assert_int_equal(etcd_endpoint_parse_list(list, &got, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lists),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
