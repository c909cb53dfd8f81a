/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The policy borrows `flag`. */
static int policy_of(const char *flag, struct opts *o, struct policy *p, struct err *err)
{
	char name[] = "x", *argv[] = {name, (char *)(uintptr_t)flag};
	int r;

	assert_int_equal(opts_parse(2, argv, o, err), 0);
	r = policy_init(p, o, err);
	if (r < 0)
		policy_fini(p);
	return r;
}

static const struct {
	const char *regex, *text;
	bool matches;
} cases[] = {
	{"eth0", "eth0", true},
	{"eth0", "xeth01", true}, /* not anchored, as in flannel */
	{"^eth0$", "eth01", false},
	{"(?i)ETH", "eth0", true},
	{"(?P<a>eth|ens)[0-9]+", "ens5", true},
	{"10\\.0\\.(1|2)\\.\\d+", "10.0.2.17", true},
	{"10\\.0\\.(1|2)\\.\\d+", "10.0.3.17", false},
	/* Runs away in any back-tracking matcher: given up, and so no match. */
	{"^(([a-z])+.)+[A-Z]([a-z])+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

static void regexes_are_re2s(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char flag[120];
		struct policy p;
		struct opts o;
		struct err err;

		text_add(&TEXT(flag), "--iface-regex=%s", cases[i].regex);
		assert_int_equal(policy_of(flag, &o, &p, &err), 0);
		assert_int_equal(p.uplink.n_regexes, 1);
		assert_int_equal(p.uplink.match(p.uplink.match_arg, 0, cases[i].text),
				 cases[i].matches);
		policy_fini(&p);
	}
}

static const struct {
	const char *flag, *complaint;
} bad[] = {
	{"--iface-regex=eth(",
	 "--iface-regex: missing closing parenthesis, at character 5 of \"eth(\""},
	{"--public-ip=1.2.3", "--public-ip: not an IP address: \"1.2.3\""},
	{"--public-ip=fd00::1", "--public-ip: must be an IPv4 address: \"fd00::1\""},
	{"--public-ipv6=1.2.3.4", "--public-ipv6: must be an IPv6 address: \"1.2.3.4\""},
	{"--iface-can-reach=host", "--iface-can-reach: not an IP address: \"host\""},
};

static void bad_values_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy p;
		struct opts o;
		struct err err;

		assert_int_equal(policy_of(bad[i].flag, &o, &p, &err), -EINVAL);
		assert_string_equal(err.text, bad[i].complaint);
	}
}

static void addresses_are_taken(void **state)
{
	struct policy p;
	struct opts o;
	struct err err;

	(void)state;
	assert_int_equal(policy_of("--public-ip=192.0.2.7", &o, &p, &err), 0);
	assert_int_equal(ip_to_v4(&p.uplink.public_ip), 0xc0000207);
	assert_false(ip_is_set(&p.uplink.can_reach));
	policy_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regexes_are_re2s),
		cmocka_unit_test(bad_values_are_named),
		cmocka_unit_test(addresses_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
