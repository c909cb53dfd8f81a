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
	{"10.0.0.1:1/", "10.0.0.1:1 "},
	{" http://10.0.0.1:65535 ,\thttp://10.0.0.2 ,,", "10.0.0.1:65535 10.0.0.2:2379 "},
	{"http://[fd00::1]:2379,[FD00:0::2]", "[fd00::1]:2379 [fd00::2]:2379 "},
	{"http://localhost:2379", "127.0.0.1:2379 "},
	{"", "no endpoint is given"},
	{" , ", "no endpoint is given"},
	{"https://10.0.0.1:2379", "https://10.0.0.1:2379: this version speaks to etcd without TLS"},
	{"unix:///run/etcd", "unix:///run/etcd: the scheme must be http"},
	{"http://10.0.0.1:2379,http://etcd.example:2379", "etcd.example is no IP address"},
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
	{"http://user@10.0.0.1", "user@10.0.0.1 is no IP address"},
	{"1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	 "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
	 "more than 16 endpoints"},
};

static void parses_lists(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct etcd_endpoints got = {0};
		struct err err = {""};
		char line[500] = "";
		struct text t = TEXT(line);
		int r = etcd_endpoint_parse_list(rows[i].list, &got, &err);

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
