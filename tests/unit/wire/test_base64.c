/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648, 10; and the last two digits. */
static const struct {
	const char *plain, *text;
} rows[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbf", "+/+/"},
};

static void there_and_back(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t n = strlen(rows[i].plain), m = strlen(rows[i].text);
		uint8_t plain[20];
		char text[20];
		size_t got;

		assert_true(BASE64_ENCODED_SIZE(n) == m + 1 && BASE64_DECODED_SIZE(m) >= n);
		assert_int_equal(base64_encode(rows[i].plain, n, text), m);
		assert_string_equal(text, rows[i].text);
		assert_true(base64_decode(text, m, plain, &got));
		assert_int_equal(got, n);
		assert_memory_equal(plain, rows[i].plain, n);
	}
}

static void what_is_not(void **state _unused_)
{
	static const char *const bad[] = {
		"Z",	 "Zg",	     "Zg=",   "Zg===", "=",	"====",
		"Zm9vZ", "Zg==Zg==", "Z g_=", "Zm-v",  "Zm9v!", "Z\xc3\xa4=="};
	uint8_t plain[20];
	size_t n = 77;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (base64_decode(bad[i], strlen(bad[i]), plain, &n))
			fail_msg("%s was decoded", bad[i]);
	assert_int_equal(n, 77);
	assert_false(base64_decode("Zm9\0", 4, plain, &n));
	assert_true(base64_decode(" Z\tm\r\n9v\n", 9, plain, &n));
	assert_int_equal(n, 3);
	assert_memory_equal(plain, "foo", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
