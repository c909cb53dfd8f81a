/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int conf_of(const char *flag1, const char *flag2, struct brain_conf *ret, struct err *err)
{
	char name[] = "x", *argv[] = {name, strdup(flag1), strdup(flag2)};
	struct opts o;
	int r;

	assert_int_equal(opts_parse(3, argv, &o, err), 0);
	r = conf_from_opts(&o, ret, err);
	free(argv[1]);
	free(argv[2]);
	return r;
}

static void instances_differ(void **state)
{
	struct brain_conf plain, a, b, named;
	struct err err;

	(void)state;
	assert_int_equal(conf_of("--v=0", "--v=0", &plain, &err), 0);
	assert_int_equal(conf_of("--run-dir=/run/a", "--v=0", &a, &err), 0);
	assert_int_equal(conf_of("--run-dir=/run/b", "--v=0", &b, &err), 0);
	assert_int_equal(conf_of("--run-dir=/run/a", "--instance=two", &named, &err), 0);
	assert_string_equal(plain.instance, "");
	assert_int_equal(conf_nexthop_base(&plain), 0x4c000000);
	assert_int_equal(strlen(a.instance), 8);
	assert_string_not_equal(a.instance, b.instance);
	assert_string_equal(named.instance, "two");
	for (size_t i = 0; i < 3; i++) {
		const struct brain_conf *c = (const struct brain_conf *[]){&a, &b, &named}[i];

		assert_int_not_equal(conf_nexthop_base(c), 0x4c000000);
		assert_int_equal(conf_nexthop_base(c) & 0xffffff, 0);
		assert_true(conf_nexthop_base(c) < 0x80000000); /* the kernel's ids are positive */
	}
	assert_true(plain.seed != 0);
}

static void flags_mean_something(void **state)
{
	struct brain_conf c;
	struct err err;

	(void)state;
	assert_int_equal(conf_of("--ip-masq", "--audit-interval=7", &c, &err), 0);
	assert_true(c.ip_masq);
	assert_true(c.masq_fully_random);
	assert_true(c.forward_rules);
	assert_true(c.bridge);
	assert_string_equal(c.bridge_name, "cni0");
	assert_int_equal(c.audit_ms, 7000);
	assert_int_equal(c.spread_threshold, 256);
	assert_int_equal(conf_of("--ip-masq-fully-random-disable", "--bridge=none", &c, &err), 0);
	assert_false(c.masq_fully_random);
	assert_false(c.bridge);
}

static const struct {
	const char *flag;
	const char *complaint;
} bad[] = {
	{"--instance=A", "--instance: must be at most 12 lower-case letters and digits: \"A\""},
	{"--instance=a/b", "--instance: must be at most 12 lower-case letters and digits: \"a/b\""},
	{"--instance=0123456789abc",
	 "--instance: must be at most 12 lower-case letters and digits: \"0123456789abc\""},
	{"--bridge=", "--bridge: not a name for an interface: \"\""},
	{"--bridge=0123456789abcdef",
	 "--bridge: not a name for an interface: \"0123456789abcdef\""},
	{"--bridge=../x", "--bridge: not a name for an interface: \"../x\""},
	{"--healthz-ip=localhost", "--healthz-ip: not an IP address: \"localhost\""},
};

static void bad_values_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct brain_conf c;
		struct err err;

		assert_int_equal(conf_of(bad[i].flag, "--v=0", &c, &err), -EINVAL);
		assert_string_equal(err.text, bad[i].complaint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_differ),
		cmocka_unit_test(flags_mean_something),
		cmocka_unit_test(bad_values_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
