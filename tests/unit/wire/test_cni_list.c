/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define LIST(plugins) "{\"name\": \"n\", \"plugins\": [" plugins "]}"

static const struct {
	const char *conf, *types; /* or why not */
} cases[] = {
	{LIST("{\"type\": \"flannel\", \"delegate\": {\"hairpinMode\": true}},"
	      "{\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}}"),
	 " flannel bridge host-local portmap"},
	{LIST("{\"type\": \"flannel\"}"), " flannel bridge host-local"},
	{LIST("{\"type\": \"flannel\", \"delegate\": {\"type\": \"ipvlan\", \"ipam\": {\"type\": \"x\"}}}"),
	 " flannel ipvlan x"},
	{LIST("{\"type\": \"bridge\", \"ipam\": {\"type\": \"dhcp\"}}, {\"Type\": \"bridge\"}"),
	 " bridge dhcp"},
	{LIST("{\"type\": \"tuning\", \"ipam\": null}"), " tuning"},
	{LIST("{\"type\": \"a/b\"}"), "no plugin's name"},
	{LIST("{\"type\": \"\"}"), "no plugin's name"},
	{LIST("{\"type\": 1}"), "type"},
	{LIST("{}"), "a plugin without \"type\""},
	{LIST("null"), "a plugin without \"type\""},
	{LIST("7"), "must be an object"},
	{LIST("{\"type\": \"flannel\", \"delegate\": []}"), "delegate"},
	{LIST(""), "no \"plugins\""},
	{"{\"name\": \"n\"}", "no \"plugins\""},
	{"{\"plugins\": [{\"type\": \"bridge\"}]}", "no \"name\""},
	{"[]", "must be an object"},
};

static void test_decode(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cni_list list = {.n = 77};
		char was[200] = "";
		struct text t = TEXT(was);
		struct err err = {0};
		json_t *root;
		int r;

		assert_int_equal(gojson_parse(cases[i].conf, strlen(cases[i].conf), &root, &err),
				 0);
		r = cni_list_decode(root, &list, &err);
		for (size_t k = 0; r == 0 && k < list.n; k++)
			text_add(&t, " %s", list.types[k]);
		if (r < 0)
			text_add(&t, "%s", err.text);
		if (!strstr(was, cases[i].types) || (r < 0 && list.n != 77))
			fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].conf, was, cases[i].types);
		json_decref(root);
	}
}

static void test_many(void **state _unused_)
{
	char conf[4096];
	struct text t = TEXT(conf);
	struct cni_list list;
	struct err err;
	json_t *root;

	text_add(&t, "{\"name\": \"n\", \"plugins\": [{\"type\": \"p\"}");
	for (int i = 1; i <= CNI_LIST_TYPES; i++)
		text_add(&t, ", {\"type\": \"p%d\"}", i);
	text_add(&t, "]}");
	assert_int_equal(gojson_parse(conf, t.len, &root, &err), 0);
	assert_int_equal(cni_list_decode(root, &list, &err), -EINVAL);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
