/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/gojson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	struct err err;
	json_t *v;

	if (gojson_parse(text, strlen(text), &v, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return v;
}

static void test_gojson_parse(void **state)
{
	static const struct {
		const char *text, *want; /* want: compact print, or with "!" the error */
	} rows[] = {
		{"", "!unexpected end of JSON input"},
		{"{", "!unexpected end of JSON input"},
		{"{\"a\":1", "!unexpected end of JSON input"},
		{"{} {}", "!line 1, column 4: end of file expected near '{'"},
		{"{\"a\":1}\n \t", "{\"a\":1}"},
		{"[1,-2,true,null]", "[1,-2,true,null]"},
		{"{\"a\":\"\xff\xc3\"}", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}"},
		{"{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}"},
		{"{\"a\":\"\xc3\xa4\xf0\x9f\x98\x80\"}", "{\"a\":\"\xc3\xa4\xf0\x9f\x98\x80\"}"},
		{"{\"a\":1,\"a\":2}", "{\"a\":2}"},
		{" null", "null"},
		/* half surrogates; whole ones; a backslash in front is none */
		{"{\"a\":\"\\ud800x\"}", "{\"a\":\"\xef\xbf\xbdx\"}"},
		{"{\"a\":\"\\udc00\\ud83d\\ude00\"}", "{\"a\":\"\xef\xbf\xbd\xf0\x9f\x98\x80\"}"},
		{"{\"a\":\"\\\\ud800\xff\"}", "{\"a\":\"\\\\ud800\xef\xbf\xbd\"}"},
		{"[0.1,1.0,-1.5,1e3,1e-7,0.30000000000000004]",
		 "[0.1,1,-1.5,1000,1e-07,0.30000000000000004]"},
		/* integers that only a double can hold, and what is next to them */
		{"[12345678901234567890,0.1,-1e-7,1E+21,123456789012]",
		 "[1.2345678901234567e+19,0.1,-1e-07,1e+21,123456789012]"},
		{"[-99999999999999999999999]", "[-1e+23]"},
		/* numbers that nobody can hold */
		{"{\"a\":1e400,\"b\":true,\"c\":1e300}", "{\"a\":1e+99,\"b\":true,\"c\":1e+300}"},
		{"{\"a\":\"1e400\",\"b\":-10e308}", "{\"a\":\"1e400\",\"b\":1e+99}"},
		{"[1e400,1e------]", "!line 1, column 9: invalid token near '1e-'"},
		{"{\"a\":\"\xff", "!unexpected end of JSON input"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a;
		struct err err;
		json_t *v;

		arena_init(&a, 0);
		if (gojson_parse(rows[i].text, strlen(rows[i].text), &v, &err) < 0) {
			assert_string_equal(err.text, rows[i].want + 1);
			assert_int_equal(rows[i].want[0], '!');
		} else {
			assert_string_equal(gojson_print(v, GOJSON_COMPACT, &a, NULL),
					    rows[i].want);
			json_decref(v);
		}
		arena_fini(&a);
	}
}

static void test_gojson_get(void **state)
{
	json_t *o = parse("{\"MTU\":1,\"mtu\":2,\"Mtu\":null,\"up\":true,\"UP\":false,\"x\":null}");
	int32_t mtu = 7, none = 7;
	bool up = true;

	(void)state;
	assert_int_equal(gojson_get_int(o, "mtu", &mtu, NULL), 0);
	assert_int_equal(mtu, 2);
	assert_int_equal(gojson_get_bool(o, "up", &up, NULL), 0);
	assert_false(up);
	assert_int_equal(gojson_get_int(o, "x", &none, NULL), 0);
	assert_int_equal(gojson_get_int(NULL, "x", &none, NULL), 0);
	assert_int_equal(none, 7);
	json_decref(o);
}

static void test_gojson_strict(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"{\"k\":1.0}", "k: must be an integer, is a number with a fraction or exponent"},
		{"{\"k\":1e3}", "k: must be an integer, is a number with a fraction or exponent"},
		{"{\"k\":\"5\"}", "k: must be an integer, is a string"},
		{"{\"k\":true}", "k: must be an integer, is a boolean"},
		{"{\"k\":4294967296}", "k: 4294967296 is out of range"},
	};

	json_t *o;
	struct err err;
	const char *s = "";
	bool b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int32_t v = 9;

		o = parse(rows[i].text);
		assert_int_not_equal(gojson_get_int(o, "k", &v, &err), 0);
		assert_string_equal(err.text, rows[i].want);
		assert_int_equal(v, 9);
		json_decref(o);
	}
	o = parse("{\"b\":\"true\",\"s\":\"a\\u0000b\",\"a\":{},\"o\":[]}");
	assert_int_not_equal(gojson_get_bool(o, "b", &b, &err), 0);
	assert_string_equal(err.text, "b: must be true or false, is a string");
	assert_int_not_equal(gojson_get_text(o, "s", &s, &err), 0);
	assert_string_equal(err.text, "s: holds a zero byte");
	assert_int_not_equal(gojson_get_array(o, "a", &o, &err), 0);
	assert_string_equal(err.text, "a: must be an array, is an object");
	assert_int_not_equal(gojson_get_object(o, "o", &o, &err), 0);
	assert_string_equal(err.text, "o: must be an object, is an array");
	json_decref(o);
}

static void test_gojson_print(void **state)
{
	json_t *v = parse("{\"b\":[],\"a\":{\"z\":[1,{}],\"y\":\"<&>\\u2028\\u0001\\t\\\"\"}}");
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(gojson_print(v, GOJSON_COMPACT, &a, &n),
			    "{\"b\":[],\"a\":{\"z\":[1,{}],\"y\":\"\\u003c\\u0026\\u003e\\u2028"
			    "\\u0001\\t\\\"\"}}");
	assert_int_equal(n, 66);
	assert_string_equal(gojson_print(v, GOJSON_PRETTY | GOJSON_SORTED, &a, NULL),
			    "{\n    \"a\": {\n        \"y\": "
			    "\"\\u003c\\u0026\\u003e\\u2028\\u0001\\t\\\"\",\n        \"z\": [\n"
			    "            1,\n            {}\n        ]\n    },\n    \"b\": []\n}");
	assert_string_equal(gojson_quote("a\"b\\\n\x01", &a), "\"a\\\"b\\\\\\n\\x01\"");
	arena_fini(&a);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gojson_parse),
		cmocka_unit_test(test_gojson_get),
		cmocka_unit_test(test_gojson_strict),
		cmocka_unit_test(test_gojson_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
