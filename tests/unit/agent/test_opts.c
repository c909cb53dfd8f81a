/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/opts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 24

/* Each takes an argv and says what comes out: all that was given, or the complaint. */
static const struct {
	const char *argv[WORDS_MAX];
	const char *given;
	const char *complaint;
} cases[] = {
	{{"x"}, "", NULL},
	{{"x", "-ip-masq"}, " --ip-masq=true", NULL},
	{{"x", "--ip-masq=false"}, " --ip-masq=false", NULL},
	{{"x", "--ip-masq=T"}, " --ip-masq=true", NULL},
	{{"x", "--ip-masq=0"}, " --ip-masq=false", NULL},
	/* Booleans take no second word: "false" ends the flags. */
	{{"x", "--ip-masq", "false", "--bad"}, " --ip-masq=true", NULL},
	{{"x", "-iface", "eth0", "--iface=eth1"}, " --iface=eth0 --iface=eth1", NULL},
	{{"x", "-iface=a=b"}, " --iface=a=b", NULL},
	{{"x", "-iface="}, " --iface=", NULL},
	{{"x", "-v=4"}, " --v=4", NULL},
	{{"x", "-v", "0x10"}, " --v=16", NULL},
	{{"x", "-healthz-port", "-1"}, " --healthz-port=-1", NULL},
	{{"x", "--", "--bad"}, "", NULL},
	{{"x", "word", "--bad"}, "", NULL},
	{{"x", "-", "--bad"}, "", NULL},
	{{"x", "-h"}, " --help=true", NULL},
	{{"x", "--public-ip=1.2.3.4", "--public-ip=1.2.3.5"}, " --public-ip=1.2.3.5", NULL},
	{{"x", "--etcd-password=secret"}, " --etcd-password=***", NULL},
	{{"x", "--etcd-prefix=/a\nb\"c"}, " --etcd-prefix=/a\\x0ab\\x22c", NULL},

	{{"x", "--bad"}, NULL, "--bad: there is no such flag"},
	{{"x", "--bad\n=1"}, NULL, "--bad\\x0a: there is no such flag"},
	{{"x", "---v=1"}, NULL, "---v: there is no such flag"},
	{{"x", "-=1"}, NULL, "--: there is no such flag"},
	{{"x", "--iface"}, NULL, "--iface: needs a value (NAME|IP)"},
	{{"x", "--ip-masq=yes"}, NULL, "--ip-masq: neither true nor false: \"yes\""},
	{{"x", "--ip-masq="}, NULL, "--ip-masq: neither true nor false: \"\""},
	{{"x", "-v="}, NULL, "--v: not a number: \"\""},
	{{"x", "-v", "1x"}, NULL, "--v: not a number: \"1x\""},
	{{"x", "-v", " 1"}, NULL, "--v: not a number: \" 1\""},
	{{"x", "-iptables-resync", "99999999999999999999"},
	 NULL,
	 "--iptables-resync: not a number: \"99999999999999999999\""},
	{{"x", "--subnet-lease-renew-margin=0"},
	 NULL,
	 "--subnet-lease-renew-margin: must be 1..1439: \"0\""},
	{{"x", "--subnet-lease-renew-margin=1440"},
	 NULL,
	 "--subnet-lease-renew-margin: must be 1..1439: \"1440\""},
	{{"x", "--healthz-port=65536"},
	 NULL,
	 "--healthz-port: must be -2147483648..65535: \"65536\""},
};

static void flags_are_go_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[WORDS_MAX] = {0}, given[400] = "";
		struct text t = TEXT(given);
		struct opts o;
		struct err err = {0};
		int argc = 0;

		for (; cases[i].argv[argc]; argc++)
			argv[argc] = strdup(cases[i].argv[argc]);
		if (cases[i].complaint) {
			assert_int_equal(opts_parse(argc, argv, &o, &err), -EINVAL);
			assert_string_equal(err.text, cases[i].complaint);
		} else {
			assert_int_equal(opts_parse(argc, argv, &o, &err), 0);
			opts_format(&o, &t);
			assert_string_equal(given, cases[i].given);
		}
		while (argc > 0)
			free(argv[--argc]);
	}
}

static void too_many_are_refused(void **state)
{
	char *argv[OPTS_LIST_MAX + 2];
	char word[] = "--iface=eth0";
	struct opts o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(argv); i++)
		argv[i] = word;
	assert_int_equal(opts_parse(OPTS_LIST_MAX + 1, argv, &o, &err), 0);
	assert_int_equal(o.iface.n, OPTS_LIST_MAX);
	assert_int_equal(opts_parse(OPTS_LIST_MAX + 2, argv, &o, &err), -EINVAL);
	assert_string_equal(err.text, "--iface: given more than 16 times: \"eth0\"");
}

static void defaults_are_flannels(void **state)
{
	char name[] = "x", *argv[] = {name};
	struct opts o;

	(void)state;
	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	assert_string_equal(o.etcd_endpoints, "http://127.0.0.1:4001,http://127.0.0.1:2379");
	assert_string_equal(o.etcd_prefix, "/coreos.com/network");
	assert_string_equal(o.subnet_file, "/run/flannel/subnet.env");
	assert_int_equal(o.subnet_lease_renew_margin_min, 60);
	assert_int_equal(o.etcd_lease_ttl_s, 86400);
	assert_int_equal(o.healthz_port, 0);
	assert_true(o.iptables_forward_rules);
	assert_true(o.set_node_network_unavailable);
	assert_false(o.ip_masq);
	assert_int_equal(o.iface.n, 0);
	assert_string_equal(o.public_ip, "");
	assert_true(o.given == 0);
}

static void variables_fill_what_flags_left(void **state)
{
	char x[] = "x", prefix[] = "--etcd-prefix=/flag", *argv[] = {x, prefix};
	static const char *const environment[] = {
		"FLANNELD_ETCD_PREFIX=/env",
		"FLANNELD_IP_MASQ=true",
		"FLANNELD_IFACE=eth0,eth1",
		"FLANNELD_PUBLIC_IP=",
		"FLANNELD_V=two",
		"FLANNELD_IPTABLES_FORWARD_RULES=no",
		"FLANNELD_ETCD_PASSWORD=secret",
		"FLANNELD_IFACEX=eth2",
		"OTHER=1",
		NULL,
	};
	char complaints[400] = "", given[400] = "";
	struct text bad = TEXT(complaints), t = TEXT(given);
	struct opts o;

	(void)state;
	assert_int_equal(opts_parse(2, argv, &o, NULL), 0);
	assert_int_equal(opts_env((char *const *)environment, &o, &bad), 2);
	opts_format(&o, &t);
	/* A list takes the whole value as one element, as flannel does. */
	assert_string_equal(given, " --etcd-prefix=/flag --etcd-password=*** --iface=eth0,eth1 "
				   "--ip-masq=true");
	assert_string_equal(complaints,
			    "FLANNELD_IPTABLES_FORWARD_RULES: neither true nor false: \"no\"\n"
			    "FLANNELD_V: not a number: \"two\"\n");
	assert_true(o.iptables_forward_rules);
}

static void secrets_stay_out_of_complaints(void **state)
{
	(void)state;
	for (size_t i = 0; i < opts_table_n; i++) {
		if (strcmp(opts_table[i].name, "etcd-password") == 0)
			assert_true(opts_table[i].secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_go_flags),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(defaults_are_flannels),
		cmocka_unit_test(variables_fill_what_flags_left),
		cmocka_unit_test(secrets_stay_out_of_complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
