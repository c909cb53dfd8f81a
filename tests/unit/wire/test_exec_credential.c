/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/exec_credential.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define V1     "client.authentication.k8s.io/v1"
#define HEAD   "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\""
#define STATUS HEAD ",\"status\":"

static const struct {
	const char *json, *want; /* token|cert|key|expires, or the story */
} rows[] = {
	{STATUS "{\"token\":\"t\"}}", "t|||never"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:00:00Z\"}}", "t|||0"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2018-03-05T17:30:20-08:00\"}}",
	 "t|||1520299820"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2000-02-29T23:59:59.999+00:01\"}}",
	 "t|||951868739"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"9999-12-31T23:59:59Z\"}}",
	 "t|||253402300799"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":null}}", "t|||never"},
	{STATUS "{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\",\"x\":[]}}",
	 "|c|k|never"},
	{STATUS "{\"token\":\"t\",\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}}",
	 "t|c|k|never"},
	{"", "is not JSON"},
	{"S3CRET", "is not JSON"},
	{"[]", "is no object"},
	{"{}", "kind: must be ExecCredential"},
	{"{\"kind\":7}", "kind: must be ExecCredential"},
	{"{\"kind\":\"ExecCredential\",\"apiVersion\":\"v1\"}",
	 "apiVersion: \"v1\", but the kubeconfig says " V1},
	{"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\"}",
	 "apiVersion: \"" V1 "beta1\", but the kubeconfig says " V1},
	{HEAD "}", "status: is missing"},
	{STATUS "[]}", "status: is missing"},
	{STATUS "{}}", "status: has neither token nor certificate"},
	{STATUS "{\"token\":[]}}", "token: must be a text"},
	{STATUS "{\"clientKeyData\":\"k\"}}", "status: has a key without its certificate"},
	{STATUS "{\"clientCertificateData\":\"k\"}}", "status: has a certificate without its key"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}",
	 "status.expirationTimestamp: must be a time of RFC 3339"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2018-13-05T17:30:20Z\"}}",
	 "status.expirationTimestamp: must be a time of RFC 3339"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2018-03-05T17:30:20\"}}",
	 "status.expirationTimestamp: must be a time of RFC 3339"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2018-03-05T17:30:20+1:00\"}}",
	 "status.expirationTimestamp: must be a time of RFC 3339"},
	{STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"2018-03-05T17:30:20.Z\"}}",
	 "status.expirationTimestamp: must be a time of RFC 3339"},
};

static void answers(void **state _unused_)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exec_credential c = {.expires_s = 7};
		char got[300] = "";
		struct text t = TEXT(got);
		struct err err = {0};

		if (exec_credential_decode(rows[i].json, strlen(rows[i].json), KUBECONFIG_EXEC_V1,
					   &a, &c, &err) < 0) {
			assert_int_equal(c.expires_s, 7);
			text_add(&t, "%s", err.text);
		} else {
			text_add(&t, "%s|%s|%s|", c.token, c.cert, c.key);
			text_add(&t, c.expires_s == INT64_MAX ? "never" : "%lld",
				 (long long)c.expires_s);
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s\nwanted: %s", i, got, rows[i].want);
	}
	arena_fini(&a);
}

static void no_times(void **state _unused_)
{
	static const char *const bad[] = {
		"2018",
		"201x-03-05T17:30:20Z",
		"2018/03-05T17:30:20Z",
		"2018-3-05T17:30:20Z",
		"2018-03/05T17:30:20Z",
		"2018-03-5T17:30:20Z",
		"2018-03-05 17:30:20Z",
		"2018-03-05T1:30:20Z",
		"2018-03-05T17.30:20Z",
		"2018-03-05T17:3:20Z",
		"2018-03-05T17:30.20Z",
		"2018-03-05T17:30:2Z",
		"2018-00-05T17:30:20Z",
		"2018-03-00T17:30:20Z",
		"2018-03-32T17:30:20Z",
		"2018-03-05T24:30:20Z",
		"2018-03-05T17:60:20Z",
		"2018-03-05T17:30:61Z",
		"2018-03-05T17:30:20+24:00",
		"2018-03-05T17:30:20+00:60",
		"2018-03-05T17:30:20+00-00",
		"2018-03-05T17:30:20+00:0",
		"2018-03-05T17:30:20Zx",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct exec_credential c;
		char json[300] = "";
		struct arena a;
		struct err err = {0};

		arena_init(&a, 1 << 20);
		text_add(&TEXT(json), STATUS "{\"token\":\"t\",\"expirationTimestamp\":\"%s\"}}",
			 bad[i]);
		if (exec_credential_decode(json, strlen(json), KUBECONFIG_EXEC_V1, &a, &c, &err) ==
		    0)
			fail_msg("%s was taken", bad[i]);
		assert_string_equal(err.text,
				    "status.expirationTimestamp: must be a time of RFC 3339");
		arena_fini(&a);
	}
}

static void too_long(void **state _unused_)
{
	static char json[LIMIT_EXEC_CREDENTIAL_BYTES + 1];
	struct exec_credential c;
	struct err err;

	memset(json, ' ', sizeof(json));
	assert_int_equal(
		exec_credential_decode(json, sizeof(json), KUBECONFIG_EXEC_V1, NULL, &c, &err),
		-EINVAL);
	assert_string_equal(err.text, "longer than 1048576 bytes");
}

static void questions(void **state _unused_)
{
	struct kubeconfig c = {.server = "https://a",
			       .tls_server_name = "",
			       .proxy_url = "http://p",
			       .insecure = true,
			       .exec.version = KUBECONFIG_EXEC_V1BETA1};
	const struct kubeconfig_data ca = {(const uint8_t *)"CA", 2}, none = {0};
	struct arena a;

	arena_init(&a, 1 << 20);
	assert_string_equal(exec_credential_info(&c, &none, &a),
			    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
			    "beta1\",\"spec\":{\"interactive\":false}}");
	c.exec.with_cluster = true;
	assert_string_equal(
		exec_credential_info(&c, &ca, &a),
		"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
		"beta1\",\"spec\":{\"cluster\":{\"server\":\"https://a\","
		"\"insecure-skip-tls-verify\":true,\"certificate-authority-data\":\"Q0E=\","
		"\"proxy-url\":\"http://p\"},\"interactive\":false}}");
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(no_times),
		cmocka_unit_test(too_long),
		cmocka_unit_test(questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
