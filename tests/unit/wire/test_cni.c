/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

static json_t *parse(const char *text)
{
	struct err err;
	json_t *v;

	if (gojson_parse(text, strlen(text), &v, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return v;
}

static void test_cni_name(void **state)
{
	static const struct {
		const char *text;
		uint32_t code; /* 0: accepted */
		const char *msg, *details;
	} rows[] = {
		{"{\"name\":\"cbr0\"}", 0, "cbr0", ""},
		{"{\"NAME\":\"a_B.c-9\"}", 0, "a_B.c-9", ""},
		{"{}", 7, "missing network name", ""},
		{"{\"name\":\"\"}", 7, "missing network name", ""},
		{"{\"name\":\"x/y\"}", 7, "invalid characters found in network name", "x/y"},
		{"{\"name\":\".x\"}", 7, "invalid characters found in network name", ".x"},
		{"{\"name\":3}", 6,
		 "error unmarshall network config: name: must be a string, is a number", ""},
		{"null", 7, "missing network name", ""},
		{"[]", 6, "error unmarshall network config: must be an object, is an array", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].text);
		struct cni_error e = {0};
		const char *name = "";

		if (cni_decode_name(root, &name, &e) == 0)
			assert_string_equal(name, rows[i].msg);
		else
			assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.code, rows[i].code);
		assert_string_equal(e.details, rows[i].details);
		json_decref(root);
	}
}

static void test_cni_version(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"{}", "0.1.0"},
		{"{\"cniVersion\":\"\"}", "0.1.0"},
		{"{\"cniVersion\":null}", "0.1.0"},
		{"{\"cniVersion\":\"9.9.9\"}", "9.9.9"},
		{"{\"cniVersion\":1}",
		 "decoding version from network config: cniVersion: must be a string, is a number"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].text);
		struct cni_error e = {0};
		const char *version = "";

		if (cni_decode_version(root, &version, &e) < 0) {
			assert_int_equal(e.code, CNI_CODE_DECODE);
			version = e.msg;
		}
		assert_string_equal(version, rows[i].want);
		json_decref(root);
	}
}

static void test_cni_version_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t major, minor, micro;
		const char *error; /* NULL: accepted */
	} rows[] = {
		{"0.1.0", 0, 1, 0, NULL},
		{"1.10.3", 1, 10, 3, NULL},
		{"2", 2, 0, 0, NULL},
		{"1.1", 1, 1, 0, NULL},
		{"", 0, 0, 0, "failed to convert major version part \"\""},
		{"1.", 0, 0, 0, "failed to convert minor version part \"\""},
		{"1.x", 0, 0, 0, "failed to convert minor version part \"x\""},
		{"1.2.3-rc", 0, 0, 0, "failed to convert micro version part \"3-rc\""},
		{"1.2.3.4", 0, 0, 0, "invalid version \"1.2.3.4\": too many parts"},
		{"99999999.0", 0, 0, 0, "failed to convert major version part \"99999999.0\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = {0};
		uint64_t v = 0;

		cni_version_number(rows[i].text, &v, &err);
		assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
		assert_int_equal(v, rows[i].major << 42 | rows[i].minor << 21 | rows[i].micro);
	}
}

static void test_cni_prev_result(void **state)
{
	static const struct {
		enum cni_version version;
		const char *prev, *want; /* want NULL: accepted */
	} rows[] = {
		{CNI_0_4_0, "{\"cniVersion\":\"0.3.1\"}", NULL},
		{CNI_1_0_0, "{\"cniVersion\":\"1.1.0\"}", NULL},
		{CNI_0_2_0, "{}", NULL},
		{CNI_1_0_0, "{\"cniVersion\":\"0.2.0\"}",
		 "could not parse prevResult: result type supports [1.0.0 1.1.0] but unmarshalled "
		 "CNIVersion is \"0.2.0\""},
		{CNI_1_0_0, "{\"cniVersion\":\"7\"}",
		 "could not parse prevResult: result type supports [1.0.0 1.1.0] but unmarshalled "
		 "CNIVersion is \"7\""},
		{CNI_0_1_0, "{\"cniVersion\":\"1.0.0\"}",
		 "could not parse prevResult: result type supports [ 0.1.0 0.2.0] but unmarshalled "
		 "CNIVersion is \"1.0.0\""},
		{CNI_1_0_0, "{\"cniVersion\":1}",
		 "could not parse prevResult: cniVersion: must be a string, is a number"},
		{CNI_1_0_0, "[]", "prevResult: must be an object, is an array"},
		{CNI_1_0_0, "{\"ips\":[{\"address\":\"10.0.0.1\"}]}",
		 "could not parse prevResult: ips[0]: address: invalid CIDR address: 10.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(arena_printf(&arena, "{\"prevResult\":%s}", rows[i].prev));
		struct cni_conf conf = {.version = rows[i].version};
		struct err err = {0};
		int r = cni_decode_prev(root, &arena, &conf, &err);

		assert_string_equal(err.text, rows[i].want ? rows[i].want : "");
		assert_int_equal(r < 0, rows[i].want != NULL);
		assert_int_equal(conf.has_prev, rows[i].want == NULL);
		json_decref(root);
	}
}

static void test_cni_args(void **state)
{
	static const struct {
		const char *args, *want; /* the value of IP, or with "!" the error */
	} rows[] = {
		{"", ""},
		{"IP=1.2.3.4", "1.2.3.4"},
		{"IgnoreUnknown=1;K8S_POD_NAME=x;IP=1.2.3.4", "1.2.3.4"},
		{"IgnoreUnknown=True;FOO=x", ""},
		{"FOO=x;IgnoreUnknown=true", ""},
		{"IP=a;IP=b", "b"},
		{"FOO=x;BAR=y", "!ARGS: unknown args [\"FOO=x\" \"BAR=y\"]"},
		{"ip=x", "!ARGS: unknown args [\"ip=x\"]"},
		{"IgnoreUnknown=FALSE;FOO=x", "!ARGS: unknown args [\"FOO=x\"]"},
		{"IgnoreUnknown=0;FOO=x", "!ARGS: unknown args [\"FOO=x\"]"},
		{"IgnoreUnknown=maybe",
		 "!ARGS: error parsing value of pair \"IgnoreUnknown=maybe\": "
		 "boolean unmarshal error: invalid input maybe"},
		{"IP=1.2.3.4;", "!ARGS: invalid pair \"\""},
		{";", "!ARGS: invalid pair \"\""},
		{"IP=a=b", "!ARGS: invalid pair \"IP=a=b\""},
		{"IP", "!ARGS: invalid pair \"IP\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cni_arg arg = {.key = "IP", .value = ""};
		struct err err;

		if (cni_decode_args(rows[i].args, &arg, 1, &arena, &err) < 0)
			arg.value = arena_printf(&arena, "!%s", err.text);
		assert_string_equal(arg.value, rows[i].want);
	}
}

static void test_cni_error(void **state)
{
	json_t *root = parse("{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"later <b>\","
			     "\"details\":\"d\"}");
	struct cni_error e;

	(void)state;
	assert_int_equal(cni_decode_error(root, &e, NULL), 0);
	assert_string_equal(cni_encode_error(&e, &arena),
			    "{\n    \"code\": 11,\n    \"msg\": \"later \\u003cb\\u003e\",\n"
			    "    \"details\": \"d\"\n}");
	json_decref(root);
	/* A message may quote the error that it replaces. */
	cni_fail(&e, CNI_CODE_PLAIN, "outer: %s", e.msg);
	assert_string_equal(
		cni_encode_error(&e, &arena),
		"{\n    \"code\": 999,\n    \"msg\": \"outer: later \\u003cb\\u003e\"\n}");
}

static void test_cni_versions(void **state)
{
	(void)state;
	assert_string_equal(cni_encode_versions(&arena),
			    "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\","
			    "\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
}

/* What another plugin says about its failure, if it says it as it should. */
static void test_cni_error_refuses(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"7", "must be an object, is a number"},
		{"{\"code\":\"7\"}", "code: must be an integer, is a string"},
		{"{\"code\":-1}", "code: -1 is out of range"},
		{"{\"msg\":{}}", "msg: must be a string, is an object"},
		{"{\"details\":[]}", "details: must be a string, is an array"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].text);
		struct cni_error e = {.code = 77};
		struct err err;

		assert_true(cni_decode_error(root, &e, &err) < 0);
		assert_string_equal(err.text, rows[i].want);
		assert_int_equal(e.code, 77);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cni_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_version, setup, teardown),
		cmocka_unit_test(test_cni_version_number),
		cmocka_unit_test_setup_teardown(test_cni_prev_result, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_args, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_error_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
