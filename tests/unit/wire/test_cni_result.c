/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What a flannel node's bridge answers, in the shape of each version (printed by the reference). */
#define SHAPE_02                                                                           \
 "{\n    \"cniVersion\": \"0.2.0\",\n    \"ip4\": {\n        \"ip\": \"10.244.1.2/24\",\n" \
 "        \"gateway\": \"10.244.1.1\",\n        \"routes\": [\n            {\n"            \
 "                \"dst\": \"10.244.0.0/16\"\n            },\n            {\n"             \
 "                \"dst\": \"0.0.0.0/0\",\n                \"gw\": \"10.244.1.1\"\n"       \
 "            }\n        ]\n    },\n    \"dns\": {}\n}"
#define SHAPE_03                                                                                    \
 "{\n    \"cniVersion\": \"0.3.1\",\n    \"interfaces\": [\n        {\n"                            \
 "            \"name\": \"cni0\",\n            \"mac\": \"02:00:00:00:00:01\"\n        },\n"        \
 "        {\n            \"name\": \"eth0\",\n            \"mac\": \"02:00:00:00:00:02\",\n"        \
 "            \"sandbox\": \"/run/netns/a\"\n        }\n    ],\n    \"ips\": [\n        {\n"        \
 "            \"version\": \"4\",\n            \"interface\": 0,\n"                                 \
 "            \"address\": \"10.244.1.2/24\",\n            \"gateway\": \"10.244.1.1\"\n"           \
 "        }\n    ],\n    \"routes\": [\n        {\n            \"dst\": \"10.244.0.0/16\"\n"        \
 "        },\n        {\n            \"dst\": \"0.0.0.0/0\",\n            \"gw\": \"10.244.1.1\"\n" \
 "        }\n    ],\n    \"dns\": {}\n}"
#define SHAPE_10                                                                             \
 "{\n    \"cniVersion\": \"1.0.0\",\n    \"interfaces\": [\n        {\n"                     \
 "            \"mac\": \"02:00:00:00:00:01\",\n            \"name\": \"cni0\"\n        },\n" \
 "        {\n            \"mac\": \"02:00:00:00:00:02\",\n            \"name\": \"eth0\",\n" \
 "            \"sandbox\": \"/run/netns/a\"\n        }\n    ],\n    \"ips\": [\n        {\n" \
 "            \"address\": \"10.244.1.2/24\",\n            \"gateway\": \"10.244.1.1\",\n"   \
 "            \"interface\": 0\n        }\n    ],\n    \"routes\": [\n        {\n"           \
 "            \"dst\": \"10.244.0.0/16\"\n        },\n        {\n"                           \
 "            \"dst\": \"0.0.0.0/0\",\n            \"gw\": \"10.244.1.1\"\n        }\n    ]\n}"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

/* Reads `text`, writes it as `to`; the error's text if either fails. */
static const char *convert(const char *text, enum cni_version assumed, enum cni_version to)
{
	struct cni_result result;
	enum cni_version version;
	struct err err;
	const char *out;
	json_t *root;

	if (gojson_parse(text, strlen(text), &root, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	if (cni_result_decode(root, assumed, &arena, &result, &version, &err) < 0 ||
	    cni_result_encode(&result, to, &arena, &out, &err) < 0)
		out = arena_strdup(&arena, err.text);
	json_decref(root);
	return out;
}

static void test_cni_result_shapes(void **state)
{
	(void)state;
	assert_string_equal(convert(SHAPE_02, CNI_1_0_0, CNI_0_2_0), SHAPE_02);
	assert_string_equal(convert(SHAPE_03, CNI_1_0_0, CNI_0_3_1), SHAPE_03);
	assert_string_equal(convert(SHAPE_10, CNI_0_1_0, CNI_1_0_0), SHAPE_10);
	assert_string_equal(convert(SHAPE_03, CNI_0_1_0, CNI_1_0_0), SHAPE_10);
	assert_string_equal(convert(SHAPE_10, CNI_0_1_0, CNI_0_3_1), SHAPE_03);
	assert_string_equal(convert(SHAPE_10, CNI_0_1_0, CNI_0_2_0), SHAPE_02);
	assert_string_equal(convert(SHAPE_03, CNI_0_1_0, CNI_0_2_0), SHAPE_02);
}

static void test_cni_result_fields(void **state)
{
	static const struct {
		const char *text;
		enum cni_version to;
		const char *want; /* with white space left out */
	} rows[] = {
		/* absent index stays absent, no version means the assumed one */
		{"{\"ips\":[{\"address\":\"fd00::2/64\"}]}", CNI_0_4_0,
		 "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"6\",\"address\":\"fd00::2/64\"}],"
		 "\"dns\":{}}"},
		{"{\"ips\":[{\"address\":\"fd00::2/64\"}]}", CNI_1_1_0,
		 "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"fd00::2/64\"}]}"},
		/* newer fields of interfaces are dropped, of routes kept below 1.0.0 */
		{"{\"interfaces\":[{\"name\":\"e\",\"mtu\":9,\"socketPath\":\"/s\",\"pciID\":\"p\"}],"
		 "\"routes\":[{\"dst\":\"10.0.0.0/8\",\"mtu\":5,\"advmss\":4,\"priority\":3,\"table\":0,"
		 "\"scope\":0}]}",
		 CNI_0_3_1,
		 "{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"e\"}],\"routes\":[{\"dst\":"
		 "\"10.0.0.0/8\",\"mtu\":5,\"advmss\":4,\"priority\":3,\"table\":0,\"scope\":0}],"
		 "\"dns\":{}}"},
		{"{\"interfaces\":[{\"name\":\"e\",\"mtu\":9,\"socketPath\":\"/s\",\"pciID\":\"p\"}],"
		 "\"dns\":{\"search\":[\"s\"],\"domain\":\"d\",\"nameservers\":[],\"options\":[\"o\"]}}",
		 CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\",\"dns\":{\"domain\":\"d\",\"options\":[\"o\"],\"search\":["
		 "\"s\"]},\"interfaces\":[{\"mtu\":9,\"name\":\"e\",\"pciID\":\"p\",\"socketPath\":"
		 "\"/s\"}]}"},
		/* 0.2.0: first of each family, each with its routes */
		{"{\"ips\":[{\"address\":\"fd00::2/64\",\"gateway\":\"fd00::1\"},{\"address\":"
		 "\"10.0.0.2/8\"},{\"address\":\"10.0.0.3/8\"}],\"routes\":[{\"dst\":\"::/0\","
		 "\"mtu\":5},{\"dst\":\"0.0.0.0/0\"}]}",
		 CNI_0_1_0,
		 "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.2/8\",\"routes\":[{\"dst\":"
		 "\"0.0.0.0/0\"}]},\"ip6\":{\"ip\":\"fd00::2/64\",\"gateway\":\"fd00::1\",\"routes\":[{"
		 "\"dst\":\"::/0\"}]},\"dns\":{}}"},
		{"{}", CNI_1_0_0, "{\"cniVersion\":\"1.0.0\"}"},
		{"{}", CNI_0_2_0, "cannotconvert:novalidIPaddresses"},
		{"{\"cniVersion\":\"0.2.0\",\"ip4\":{}}", CNI_0_2_0, "ip4:ip:missing"},
		{"{\"routes\":[{}]}", CNI_0_2_0, "routes[0]:dst:missing"},
		/* what must be an object; null stands for an empty one, as in Go */
		{"{\"interfaces\":[7]}", CNI_1_0_0, "interfaces[0]:mustbeanobject,isanumber"},
		{"{\"interfaces\":[{},\"eth0\"]}", CNI_0_3_1,
		 "interfaces[1]:mustbeanobject,isastring"},
		{"{\"interfaces\":[null]}", CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"\"}]}"},
		{"{\"ips\":[7]}", CNI_1_0_0, "ips[0]:mustbeanobject,isanumber"},
		{"{\"ips\":[\"10.0.0.2/8\"]}", CNI_1_0_0, "ips[0]:mustbeanobject,isastring"},
		{"{\"ips\":[null]}", CNI_1_0_0, "ips[0]:address:missing"},
		{"{\"routes\":[true]}", CNI_1_0_0, "routes[0]:mustbeanobject,isaboolean"},
		{"{\"routes\":[[]]}", CNI_1_0_0, "routes[0]:mustbeanobject,isanarray"},
		{"{\"routes\":[null]}", CNI_1_0_0, "routes[0]:dst:missing"},
		{"{\"interfaces\":7}", CNI_1_0_0, "interfaces:mustbeanarray,isanumber"},
		{"{\"interfaces\":null,\"ips\":null,\"routes\":null,\"dns\":null}", CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\"}"},
		{"[]", CNI_1_0_0, "mustbeanobject,isanarray"},
		{"{\"cniVersion\":\"0.9\"}", CNI_1_0_0, "unsupportedCNIresultversion\"0.9\""},
		{"{\"cniVersion\":[]}", CNI_1_0_0, "cniVersion:mustbeastring,isanarray"},
		{"{\"ips\":{}}", CNI_1_0_0, "ips:mustbeanarray,isanobject"},
		{"{\"ips\":[{\"interface\":\"a\"}]}", CNI_1_0_0,
		 "ips[0]:interface:mustbeaninteger,isastring"},
		{"{\"ips\":[{\"address\":\"10.0.0.2/8\",\"gateway\":\"x\"}]}", CNI_1_0_0,
		 "ips[0]:gateway:invalidIPaddress:x"},
		{"{\"ips\":[{\"address\":7}]}", CNI_1_0_0,
		 "ips[0]:address:mustbeastring,isanumber"},
		{"{\"ips\":[{\"address\":\"10.0.0.2/8\",\"gateway\":{}}]}", CNI_1_0_0,
		 "ips[0]:gateway:mustbeastring,isanobject"},
		{"{\"ips\":[{\"address\":\"10.0.0.2/8\",\"interface\":1.0}]}", CNI_1_0_0,
		 "ips[0]:interface:mustbeaninteger,isanumberwithafractionorexponent"},
		/* "version" is a field of some versions only */
		{"{\"ips\":[{\"version\":4,\"address\":\"10.0.0.2/8\"}]}", CNI_0_4_0,
		 "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":"
		 "\"10.0.0.2/8\"}],\"dns\":{}}"},
		{"{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":4,\"address\":\"10.0.0.2/8\"}]}",
		 CNI_0_3_1, "ips[0]:version:mustbeastring,isanumber"},
		{"{\"interfaces\":[{\"name\":1}]}", CNI_1_0_0,
		 "interfaces[0]:name:mustbeastring,isanumber"},
		{"{\"interfaces\":[{\"mac\":1}]}", CNI_1_0_0,
		 "interfaces[0]:mac:mustbeastring,isanumber"},
		{"{\"interfaces\":[{},{\"mtu\":\"1\"}]}", CNI_1_0_0,
		 "interfaces[1]:mtu:mustbeaninteger,isastring"},
		{"{\"interfaces\":[{\"sandbox\":{}}]}", CNI_1_0_0,
		 "interfaces[0]:sandbox:mustbeastring,isanobject"},
		{"{\"interfaces\":[{\"socketPath\":1}]}", CNI_1_0_0,
		 "interfaces[0]:socketPath:mustbeastring,isanumber"},
		{"{\"interfaces\":[{\"pciID\":1}]}", CNI_1_0_0,
		 "interfaces[0]:pciID:mustbeastring,isanumber"},
		{"{\"routes\":[{\"gw\":\"x\"}]}", CNI_1_0_0, "routes[0]:gw:invalidIPaddress:x"},
		{"{\"routes\":[{\"dst\":\"x\"}]}", CNI_1_0_0, "routes[0]:dst:invalidCIDRaddress:x"},
		{"{\"routes\":[{\"dst\":7}]}", CNI_1_0_0, "routes[0]:dst:mustbeastring,isanumber"},
		{"{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":[]}]}", CNI_1_0_0,
		 "routes[0]:gw:mustbeastring,isanarray"},
		{"{\"routes\":[{\"mtu\":\"1\"}]}", CNI_1_0_0,
		 "routes[0]:mtu:mustbeaninteger,isastring"},
		{"{\"routes\":[{\"advmss\":\"1\"}]}", CNI_1_0_0,
		 "routes[0]:advmss:mustbeaninteger,isastring"},
		{"{\"routes\":[{\"priority\":\"1\"}]}", CNI_1_0_0,
		 "routes[0]:priority:mustbeaninteger,isastring"},
		{"{\"routes\":[{\"table\":\"1\"}]}", CNI_1_0_0,
		 "routes[0]:table:mustbeaninteger,isastring"},
		{"{\"routes\":[{\"scope\":\"1\"}]}", CNI_1_0_0,
		 "routes[0]:scope:mustbeaninteger,isastring"},
		{"{\"dns\":[]}", CNI_1_0_0, "dns:mustbeanobject,isanarray"},
		{"{\"dns\":{\"nameservers\":\"x\"}}", CNI_1_0_0,
		 "dns:nameservers:mustbeanarray,isastring"},
		{"{\"dns\":{\"nameservers\":[\"a\",7]}}", CNI_1_0_0,
		 "dns:nameservers[1]:mustbeastring,isanumber"},
		{"{\"dns\":{\"nameservers\":[\"a\",null]}}", CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\",\"dns\":{\"nameservers\":[\"a\",\"\"]}}"},
		{"{\"dns\":{\"search\":[\"a\\u0000b\"]}}", CNI_1_0_0,
		 "dns:search[0]:holdsazerobyte"},
		{"{\"dns\":{\"domain\":7}}", CNI_1_0_0, "dns:domain:mustbeastring,isanumber"},
		{"{\"dns\":{\"options\":[{}]}}", CNI_1_0_0,
		 "dns:options[0]:mustbeastring,isanobject"},
		{"{\"cniVersion\":\"0.2.0\",\"ip4\":7}", CNI_0_2_0, "ip4:mustbeanobject,isanumber"},
		{"{\"cniVersion\":\"0.2.0\",\"ip6\":{\"ip\":\"fd00::2/64\",\"routes\":7}}",
		 CNI_0_2_0, "ip6:routes:mustbeanarray,isanumber"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = arena_strdup(&arena, convert(rows[i].text, CNI_1_0_0, rows[i].to)),
		     *to = got;

		for (const char *from = got; *from; from++) {
			if (*from != ' ' && *from != '\n')
				*to++ = *from;
		}
		*to = '\0';
		assert_string_equal(got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cni_result_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_result_fields, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
