/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define P "HTTPS_PROXY=http://p:3128"

static const struct {
	const char *host;
	const char *environment[4];
	const char *want;
} rows[] = {
	{"api", {"PATH=/bin", "HTTPS_PROXYX=x", "HTTPS_PROXY="}, NULL},
	{"api", {P}, "HTTPS_PROXY"},
	{"api", {"https_proxy=p"}, "https_proxy"},
	{"api", {"HTTP_PROXY=p"}, NULL}, /* TLS is spoken */
	{"localhost", {P}, NULL},
	{"127.0.0.1", {P}, NULL},
	{"::1", {P}, NULL},
	{"10.0.0.1", {P}, "HTTPS_PROXY"},
	{"api", {P, "NO_PROXY=*"}, NULL},
	{"api", {P, "NO_PROXY=a, api ,b"}, NULL},
	{"api", {P, "no_proxy=API"}, NULL},
	{"api", {P, "NO_PROXY=api:6443"}, NULL},
	{"api", {P, "NO_PROXY=api:443"}, "HTTPS_PROXY"},
	{"api.example.com", {P, "NO_PROXY=example.com"}, NULL},
	{"api.example.com", {P, "NO_PROXY=.example.com"}, NULL},
	{"api.example.com", {P, "NO_PROXY=*.example.com"}, NULL},
	{"example.com", {P, "NO_PROXY=example.com"}, NULL},
	{"example.com", {P, "NO_PROXY=.example.com"}, "HTTPS_PROXY"},
	{"example.com", {P, "NO_PROXY=*.example.com"}, "HTTPS_PROXY"},
	{"badexample.com", {P, "NO_PROXY=example.com"}, "HTTPS_PROXY"},
	{"10.96.0.1", {P, "NO_PROXY=192.168.0.0/16,10.96.0.0/12"}, NULL},
	{"10.96.0.1", {P, "NO_PROXY=10.96.0.1"}, NULL},
	{"10.96.0.1", {P, "NO_PROXY=10.96.0.1:6443"}, NULL},
	{"10.96.0.1", {P, "NO_PROXY=10.96.0.0/24/"}, "HTTPS_PROXY"},
	{"10.96.0.1", {P, "NO_PROXY=0.0.1"}, "HTTPS_PROXY"},
	{"fd00::1", {P, "NO_PROXY=fd00::/16"}, NULL},
	{"fd00::1", {P, "NO_PROXY=fd00::1"}, NULL},
	{"fd00::1", {P, "NO_PROXY=[fd00::1]:6443"}, NULL},
	{"api", {P, "NO_PROXY=10.0.0.0/8,,"}, "HTTPS_PROXY"},
};

static void who_goes_through_a_proxy(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_target to = {.host = rows[i].host, .port = 6443, .with_tls = true};
		const char *got;

		ip_parse(to.host, &to.ip);
		got = proxy_variable((char *const *)rows[i].environment, &to);
		if (!got != !rows[i].want || (got && strcmp(got, rows[i].want) != 0))
			fail_msg("row %zu: %s: %s", i, to.host, got ? got : "none");
	}
}

static void in_plain_text(void **state _unused_)
{
	const struct proxy_target to = {.host = "api", .port = 80};
	char http[] = "http_proxy=p", https[] = P;
	char *const environment[] = {https, http, NULL};

	assert_string_equal(proxy_variable(environment, &to), "http_proxy");
	assert_null(proxy_variable(environment + 2, &to));
	assert_string_equal(proxy_environment(environment, "http_proxy"), "p");
	assert_string_equal(proxy_environment(environment, "http"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_goes_through_a_proxy),
		cmocka_unit_test(in_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
