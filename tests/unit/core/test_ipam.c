/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ipam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

/* Up to n words of `text`, split at blanks. */
static size_t words(const char *text, const char **ret, size_t max)
{
	char *copy = arena_strdup(&arena, text), *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(n < max);
		ret[n++] = w;
	}
	return n;
}

static void parse_ip(const char *text, struct ip *ret)
{
	if (strcmp(text, "-") != 0 && !ip_parse(text, ret))
		fail_msg("not an address: %s", text);
}

/* "subnet,start,end,gateway", with - for what is left open; several with blanks. */
static struct ipam_set set_of(const char *text)
{
	const char *ranges[8];
	struct ipam_set set = {.n = words(text, ranges, ARRAY_SIZE(ranges))};

	set.ranges = arena_array(&arena, struct ipam_range, set.n);
	for (size_t i = 0; i < set.n; i++) {
		struct ipam_range *r = &set.ranges[i];
		char *save = NULL, *copy = arena_strdup(&arena, ranges[i]), *field;

		field = strtok_r(copy, ",", &save);
		assert_true(cidr_parse(field, &r->subnet));
		if ((field = strtok_r(NULL, ",", &save)))
			parse_ip(field, &r->start);
		if ((field = strtok_r(NULL, ",", &save)))
			parse_ip(field, &r->end);
		if ((field = strtok_r(NULL, ",", &save)))
			parse_ip(field, &r->gateway);
	}
	return set;
}

/* Sets are split at ';'. */
static struct ipam_conf conf_of(const char *text)
{
	struct ipam_conf c = {.sets = arena_array(&arena, struct ipam_set, 8)};
	char *save = NULL, *copy = arena_strdup(&arena, text);

	for (char *s = strtok_r(copy, ";", &save); s; s = strtok_r(NULL, ";", &save))
		c.sets[c.n_sets++] = set_of(s);
	return c;
}

static int by_ip(const void *a, const void *b)
{
	return ip_cmp(a, b);
}

/* The next address and its mask, or the error's text. */
static const char *choose(const struct ipam_set *set, const char *last, const char *taken,
			  const char *wanted)
{
	const char *list[64];
	struct ip ips[64], wanted_ip = {0};
	struct ipam_facts f = {.taken = ips, .n_taken = words(taken, list, ARRAY_SIZE(list))};
	struct cni_ip got;
	struct err err;
	char buf[CIDR_STRLEN];

	for (size_t i = 0; i < f.n_taken; i++)
		parse_ip(list[i], &ips[i]);
	qsort(ips, f.n_taken, sizeof(ips[0]), by_ip);
	parse_ip(last, &f.last);
	parse_ip(wanted, &wanted_ip);
	if (ip_is_set(&wanted_ip))
		f.wanted = &wanted_ip;
	if (ipam_choose(set, &f, &arena, &got, &err) != 0)
		return arena_strdup(&arena, err.text);
	assert_int_equal(got.iface, -1);
	return arena_strdup(&arena, cidr_format(&got.address, buf));
}

static void test_ipam_check_defaults(void **state)
{
	static const struct {
		const char *set, *want, *gateway;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.1-192.0.2.254", "192.0.2.1"},
		{"192.0.2.0/25", "192.0.2.1-192.0.2.126", "192.0.2.1"},
		{"192.0.2.0/30", "192.0.2.1-192.0.2.2", "192.0.2.1"},
		{"2001:db8:1::/64", "2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff",
		 "2001:db8:1::1"},
		{"192.0.2.0/24,192.0.2.40,192.0.2.50,192.0.2.254", "192.0.2.40-192.0.2.50",
		 "192.0.2.254"},
		{"10.0.0.0/24,-,10.0.0.127 10.0.0.0/24,10.0.0.128",
		 "10.0.0.1-10.0.0.127,10.0.0.128-10.0.0.254", "10.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ipam_conf c = conf_of(rows[i].set);
		char buf[IP_STRLEN];

		assert_int_equal(ipam_check(&c, CNI_1_0_0, NULL), 0);
		assert_string_equal(ipam_set_format(&c.sets[0], &arena), rows[i].want);
		assert_string_equal(ip_format(&c.sets[0].ranges[0].gateway, buf), rows[i].gateway);
	}
}

static void test_ipam_check_refuses(void **state)
{
	static const struct {
		const char *sets, *want;
		enum cni_version version;
	} rows[] = {
		{"", "no IP ranges specified", CNI_1_0_0},
		{" ", "invalid range set 0: empty range set", CNI_1_0_0},
		{"192.0.2.0/31",
		 "invalid range set 0: Network 192.0.2.0/31 too small to allocate from", CNI_1_0_0},
		{"fd00::/127", "invalid range set 0: Network fd00::/127 too small to allocate from",
		 CNI_1_0_0},
		{"192.0.2.12/24",
		 "invalid range set 0: Network has host bits set. For a subnet mask of length 24 the "
		 "network address is 192.0.2.0",
		 CNI_1_0_0},
		{"2001:db8:24:19ff::/63",
		 "invalid range set 0: Network has host bits set. For a subnet mask of length 63 the "
		 "network address is 2001:db8:24:19fe::",
		 CNI_1_0_0},
		{"192.0.2.0/24,192.0.3.0",
		 "invalid range set 0: RangeStart 192.0.3.0 not in network 192.0.2.0/24",
		 CNI_1_0_0},
		{"192.0.2.0/24,-,192.0.4.0",
		 "invalid range set 0: RangeEnd 192.0.4.0 not in network 192.0.2.0/24", CNI_1_0_0},
		{"192.0.2.0/24,192.0.2.50,192.0.2.40",
		 "invalid range set 0: RangeStart 192.0.2.50 not in network 192.0.2.0/24",
		 CNI_1_0_0},
		{"10.0.0.0/24 fd00::/64", "invalid range set 0: mixed address families", CNI_1_0_0},
		{"10.1.0.0/24;192.168.0.0/20 192.168.2.0/24",
		 "invalid range set 1: subnets 192.168.0.1-192.168.15.254 and "
		 "192.168.2.1-192.168.2.254 overlap",
		 CNI_1_0_0},
		{"192.168.0.0/20;10.0.0.0/24;192.168.2.0/24", "range set 0 overlaps with 2",
		 CNI_1_0_0},
		{"10.0.0.0/24;10.0.1.0/24",
		 "CNI version 0.2.0 does not support more than 1 address per family", CNI_0_2_0},
		{"fd00::/64;10.0.0.0/24;fd01::/64",
		 "CNI version 0.1.0 does not support more than 1 address per family", CNI_0_1_0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ipam_conf c = conf_of(rows[i].sets);
		struct err err = {0};

		assert_int_not_equal(ipam_check(&c, rows[i].version, &err), 0);
		assert_string_equal(err.text, rows[i].want);
	}
}

static void test_ipam_check_accepts(void **state)
{
	struct ipam_conf c = conf_of("10.0.0.0/24;fd00::/64");

	(void)state;
	assert_int_equal(ipam_check(&c, CNI_0_1_0, NULL), 0);
	c = conf_of("10.0.0.0/24;10.0.1.0/24;fd00::/64");
	assert_int_equal(ipam_check(&c, CNI_0_3_0, NULL), 0);
}

static void test_ipam_choose(void **state)
{
	static const struct {
		const char *set, *last, *taken, *wanted, *want;
	} rows[] = {
		/* the first host is the gateway */
		{"10.0.0.0/29", "-", "", "-", "10.0.0.2/29"},
		{"10.0.0.0/29", "10.0.0.2", "10.0.0.2", "-", "10.0.0.3/29"},
		/* an address rests although it is free */
		{"10.0.0.0/29", "10.0.0.4", "", "-", "10.0.0.5/29"},
		{"10.0.0.0/29", "10.0.0.5", "10.0.0.5", "-", "10.0.0.6/29"},
		/* the broadcast address is never given, nor the network's */
		{"10.0.0.0/29", "10.0.0.6", "10.0.0.6", "-", "10.0.0.2/29"},
		{"10.0.0.0/29", "-", "10.0.0.2 10.0.0.4", "-", "10.0.0.3/29"},
		/* the last one given is the last one tried */
		{"10.0.0.0/29", "10.0.0.5", "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.6", "-",
		 "10.0.0.5/29"},
		/* last outside of the set: from the start */
		{"10.0.0.0/29", "10.0.1.5", "", "-", "10.0.0.2/29"},
		{"10.0.0.0/29", "fd00::5", "", "-", "10.0.0.2/29"},
		/* a gateway in the middle, at the end, outside of the range */
		{"10.0.0.0/29,-,-,10.0.0.3", "10.0.0.2", "", "-", "10.0.0.4/29"},
		{"10.0.0.0/29,-,-,10.0.0.6", "10.0.0.5", "", "-", "10.0.0.1/29"},
		{"10.0.0.0/29,10.0.0.4,10.0.0.5", "-", "", "-", "10.0.0.4/29"},
		/* several ranges: through all of them and round */
		{"10.0.0.0/30 10.0.1.0/30", "10.0.0.2", "10.0.0.2", "-", "10.0.1.2/30"},
		{"10.0.0.0/30 10.0.1.0/24", "10.0.1.254", "", "-", "10.0.0.2/30"},
		{"fd00::/64", "-", "fd00::2", "-", "fd00::3/64"},
		{"fd00::/126", "fd00::3", "", "-", "fd00::2/126"},
		/* a wish */
		{"10.0.0.0/24", "-", "", "10.0.0.77", "10.0.0.77/24"},
		{"10.0.0.0/24 10.0.1.0/28", "10.0.0.9", "", "10.0.1.3", "10.0.1.3/28"},
		{"10.0.0.0/24", "-", "", "10.0.0.1", "requested ip 10.0.0.1 is subnet's gateway"},
		{"10.0.0.0/24", "-", "10.0.0.5", "10.0.0.5",
		 "requested IP address 10.0.0.5 is not available in range set 10.0.0.1-10.0.0.254"},
		{"10.0.0.0/24", "-", "", "10.0.0.255",
		 "10.0.0.255 not in range set 10.0.0.1-10.0.0.254"},
		/* nothing left */
		{"10.0.0.0/30", "-", "10.0.0.2", "-",
		 "no IP addresses available in range set: 10.0.0.1-10.0.0.2"},
		{"10.0.0.0/30 10.0.1.0/30", "10.0.0.2", "10.0.1.2 10.0.0.2", "-",
		 "no IP addresses available in range set: 10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.2"},
		{"10.0.0.0/29,10.0.0.3,10.0.0.3,10.0.0.3", "-", "", "-",
		 "no IP addresses available in range set: 10.0.0.3-10.0.0.3"},
		{"10.0.0.0/29,10.0.0.3,10.0.0.3", "10.0.0.3", "10.0.0.3", "-",
		 "no IP addresses available in range set: 10.0.0.3-10.0.0.3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ipam_conf c = conf_of(rows[i].set);

		assert_int_equal(ipam_check(&c, CNI_1_0_0, NULL), 0);
		assert_string_equal(choose(&c.sets[0], rows[i].last, rows[i].taken, rows[i].wanted),
				    rows[i].want);
	}
}

/* Every address of a set is given exactly once before one is refused. */
static void test_ipam_choose_all(void **state)
{
	struct ipam_conf c = conf_of("10.0.0.0/27,-,-,10.0.0.9 10.0.9.0/28,10.0.9.3,10.0.9.7");
	struct ip taken[64];
	struct ipam_facts f = {.taken = taken};
	struct cni_ip got;

	(void)state;
	assert_int_equal(ipam_check(&c, CNI_1_0_0, NULL), 0);
	while (ipam_choose(&c.sets[0], &f, &arena, &got, NULL) == 0) {
		assert_null(f.n_taken ? bsearch(&got.address.ip, taken, f.n_taken, sizeof(taken[0]),
						by_ip)
				      : NULL);
		f.last = got.address.ip;
		taken[f.n_taken++] = got.address.ip;
		qsort(taken, f.n_taken, sizeof(taken[0]), by_ip);
	}
	assert_int_equal(f.n_taken, 29 + 5);
}

static void test_ipam_requested(void **state)
{
	struct ipam_conf c = conf_of("10.0.0.0/24;fd00::/64");
	struct ip wishes[2];

	(void)state;
	assert_int_equal(ipam_check(&c, CNI_1_0_0, NULL), 0);
	parse_ip("fd00::9", &wishes[0]);
	parse_ip("10.0.0.9", &wishes[1]);
	c.requested = wishes;
	c.n_requested = 2;
	assert_ptr_equal(ipam_requested(&c, &c.sets[0]), &wishes[1]);
	assert_ptr_equal(ipam_requested(&c, &c.sets[1]), &wishes[0]);
	c.n_requested = 1;
	assert_null(ipam_requested(&c, &c.sets[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ipam_check_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipam_check_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipam_check_accepts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipam_choose, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipam_choose_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipam_requested, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
