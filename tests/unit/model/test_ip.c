/* SPDX-License-Identifier: Apache-2.0 */
#include "model/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ip ip(const char *text)
{
	struct ip ret;

	if (!ip_parse(text, &ret))
		fail_msg("not an address: %s", text);
	return ret;
}

static struct cidr cidr(const char *text)
{
	struct cidr ret;

	if (!cidr_parse(text, &ret))
		fail_msg("not a network: %s", text);
	return ret;
}

static void assert_ip(struct ip have, const char *want)
{
	char buf[IP_STRLEN];

	assert_string_equal(ip_format(&have, buf), want);
}

static void test_ip_text(void **state)
{
	static const struct {
		const char *text, *want; /* want NULL: refused */
	} rows[] = {
		{"0.0.0.0", "0.0.0.0"},
		{"10.244.1.0", "10.244.1.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:DB8::1", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"fd00:12:13::", "fd00:12:13::"},
		{"0:0:1::", "0:0:1::"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
		{"::ffff:1.2.3.4", "1.2.3.4"},
		{"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
		{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"", NULL},
		{"1.2.3", NULL},
		{"1.2.3.", NULL},
		{"1.2.3.4.", NULL},
		{"1.2.3.4.5", NULL},
		{"1.2.3.256", NULL},
		{"1.2.3.4294967297", NULL},
		{"01.2.3.4", NULL},
		{"1.2.3.00", NULL},
		{"1..3.4", NULL},
		{" 1.2.3.4", NULL},
		{"1.2.3.4 ", NULL},
		{"+1.2.3.4", NULL},
		{":", NULL},
		{":::", NULL},
		{"1:::2", NULL},
		{"1::2::3", NULL},
		{"1:2:3:4:5:6:7", NULL},
		{"1:2:3:4:5:6:7:8:9", NULL},
		{"1:2:3:4:5:6:7:8::", NULL},
		{"::1:2:3:4:5:6:7:8", NULL},
		{"1:2:3:4:5:6:7:", NULL},
		{":1:2:3:4:5:6:7", NULL},
		{"12345::", NULL},
		{"g::", NULL},
		{"fe80::1%eth0", NULL},
		{"1:2:3:4:5:6:7:1.2.3.4", NULL},
		{"::1.2.3.4:5", NULL},
		{"::1.2.3", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip have = ip_from_v4(7);
		bool ok = ip_parse(rows[i].text, &have);

		if (ok != (rows[i].want != NULL))
			fail_msg("\"%s\": parsed %d", rows[i].text, ok);
		assert_ip(have, ok ? rows[i].want : "0.0.0.7"); /* untouched when refused */
	}
}

static void test_ip_unset(void **state)
{
	struct ip unset = {0}, zero = ip("0.0.0.0"), twelve = ip_from_bytes("123456789012", 12);

	(void)state;
	assert_ip(unset, "-");
	assert_false(ip_is_set(&unset));
	assert_false(ip_is_v4(&unset));
	assert_true(ip_is_set(&zero));
	assert_true(ip_is_any(&unset));
	assert_true(ip_is_any(&zero));
	assert_false(ip_is_set(&twelve));
}

static void test_ip_bytes(void **state)
{
	static const uint8_t v4[] = {10, 1, 2, 3}, v6[16] = {0x20, 0x01, [15] = 9};
	struct ip a = ip_from_bytes(v4, 4), b = ip_from_bytes(v6, 16);
	size_t n;

	(void)state;
	assert_ip(a, "10.1.2.3");
	assert_int_equal(ip_to_v4(&a), 0x0a010203);
	assert_memory_equal(ip_bytes(&a, &n), v4, 4);
	assert_int_equal(n, 4);
	assert_ip(b, "2001::9");
	assert_int_equal(ip_to_v4(&b), 0);
	assert_memory_equal(ip_bytes(&b, &n), v6, 16);
	assert_int_equal(n, 16);
	assert_ip(ip_from_v4(0xc0a80001), "192.168.0.1");
}

static void test_ip_kinds(void **state)
{
	static const struct {
		const char *text;
		bool multicast, loopback, link_local, global;
	} rows[] = {
		{"0.0.0.0", .global = false},	     {"255.255.255.255", .global = false},
		{"10.0.0.1", .global = true},	     {"223.255.255.255", .global = true},
		{"224.0.0.1", .multicast = true},    {"239.255.255.255", .multicast = true},
		{"240.0.0.1", .global = true},	     {"127.0.0.1", .loopback = true},
		{"169.254.1.1", .link_local = true}, {"169.253.1.1", .global = true},
		{"::1", .loopback = true},	     {"fe80::1", .link_local = true},
		{"febf::1", .link_local = true},     {"fec0::1", .global = true},
		{"ff02::1", .multicast = true},	     {"fd00::1", .global = true},
		{"2001:db8::1", .global = true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip a = ip(rows[i].text);

		if (ip_is_multicast(&a) != rows[i].multicast ||
		    ip_is_loopback(&a) != rows[i].loopback ||
		    ip_is_link_local(&a) != rows[i].link_local ||
		    ip_is_global_unicast(&a) != rows[i].global)
			fail_msg("%s", rows[i].text);
	}
}

static void test_ip_order_and_add(void **state)
{
	static const struct {
		const char *ip;
		uint64_t n;
		const char *want;
	} rows[] = {
		{"10.0.0.255", 1, "10.0.1.0"},
		{"10.244.0.0", 256, "10.244.1.0"},
		{"255.255.255.255", 1, "0.0.0.0"}, /* wraps inside its family */
		{"fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::"},
		{"fd00::", UINT64_MAX, "fd00::ffff:ffff:ffff:ffff"},
	};
	struct ip a = ip("9.255.0.0"), b = ip("10.0.0.0"), c = ip("fd00::");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip start = ip(rows[i].ip);

		assert_ip(ip_add(&start, rows[i].n), rows[i].want);
	}
	assert_true(ip_cmp(&a, &b) < 0);
	assert_true(ip_cmp(&b, &c) < 0);
	assert_true(ip_eq(&b, &b));
}

static void test_cidr_text(void **state)
{
	static const struct {
		const char *text, *want; /* want NULL: refused */
	} rows[] = {
		{"10.244.0.0/16", "10.244.0.0/16"},
		{"10.244.1.9/24", "10.244.1.9/24"}, /* host bits stay */
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"1.2.3.4/32", "1.2.3.4/32"},
		{"fd00:12:13::/56", "fd00:12:13::/56"},
		{"2001:cafe:42::1/128", "2001:cafe:42::1/128"},
		{"::/0", "-"},
		{"10.0.0.0", NULL},
		{"10.0.0.0/", NULL},
		{"10.0.0.0/33", NULL},
		{"10.0.0.0/08", NULL},
		{"10.0.0.0/-1", NULL},
		{"10.0.0.0/8 ", NULL},
		{"10.0.0.0/8/8", NULL},
		{"10.0.0/8", NULL},
		{"/8", NULL},
		{"", NULL},
		{"fd00::/129", NULL},
		{"::ffff:10.0.0.0/104", NULL},
		{"::ffff:10.0.0.0/8", NULL},
		{"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr have = {.len = 77};
		bool ok = cidr_parse(rows[i].text, &have);
		char buf[CIDR_STRLEN];

		if (ok != (rows[i].want != NULL))
			fail_msg("\"%s\": parsed %d", rows[i].text, ok);
		if (ok)
			assert_string_equal(cidr_format(&have, buf), rows[i].want);
		else
			assert_int_equal(have.len, 77);
	}
}

static void test_cidr_bounds(void **state)
{
	static const struct {
		const char *cidr, *first, *last;
	} rows[] = {
		{"10.244.1.9/24", "10.244.1.0", "10.244.1.255"},
		{"10.244.131.9/17", "10.244.128.0", "10.244.255.255"},
		{"10.1.2.3/32", "10.1.2.3", "10.1.2.3"},
		{"10.1.2.3/31", "10.1.2.2", "10.1.2.3"},
		{"10.1.2.3/0", "0.0.0.0", "255.255.255.255"},
		{"fd00::1234:5/56", "fd00::", "fd00::ff:ffff:ffff:ffff:ffff"},
		{"fd00::1/128", "fd00::1", "fd00::1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c = cidr(rows[i].cidr);

		assert_ip(cidr_masked(&c).ip, rows[i].first);
		assert_int_equal(cidr_masked(&c).len, c.len);
		assert_ip(cidr_last(&c), rows[i].last);
	}
}

static void test_cidr_host(void **state)
{
	struct ip a = ip("10.0.0.1"), b = ip("fd00::1");
	struct cidr host = cidr_host(&a), host6 = cidr_host(&b);
	char buf[CIDR_STRLEN];

	(void)state;
	assert_string_equal(cidr_format(&host, buf), "10.0.0.1/32");
	assert_string_equal(cidr_format(&host6, buf), "fd00::1/128");
}

static void test_cidr_relations(void **state)
{
	static const struct {
		const char *a, *b;
		bool covers, overlaps;
	} rows[] = {
		{"10.244.0.0/16", "10.244.0.0/16", true, true},
		{"10.244.0.0/16", "10.244.1.0/24", true, true},
		{"10.244.1.0/24", "10.244.0.0/16", false, true},
		{"10.244.1.0/24", "10.244.2.0/24", false, false},
		{"10.244.0.0/16", "10.245.0.0/24", false, false},
		{"10.244.0.0/16", "10.244.0.0/15", false, true},
		{"1.2.3.0/24", "7.2.4.0/22", false, false},
		{"0.0.0.0/0", "10.245.0.0/24", true, true},
		{"0.0.0.0/0", "fd00::/64", false, false},
		{"fd00::/8", "fd12::/64", true, true},
		{"fd00::/8", "fc12::/64", false, false},
		{"2001:db8:1234::/48", "2001:db8:1234:ffff::/64", true, true},
		{"2001:db8:1234::/48", "2001:db8:1234::/47", false, true},
		{"2001:db8:1234::/48", "fe02::/32", false, false},
		{"::1/8", "10.0.0.0/24", false, false}, /* shares the bytes of a mapped address */
	};
	struct cidr unset = {0}, ten = cidr("10.0.0.0/8");
	struct ip in = ip("10.255.255.255"), out = ip("11.0.0.0");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr a = cidr(rows[i].a), b = cidr(rows[i].b);

		if (cidr_covers(&a, &b) != rows[i].covers ||
		    cidr_overlaps(&a, &b) != rows[i].overlaps ||
		    cidr_overlaps(&b, &a) != rows[i].overlaps)
			fail_msg("%s %s", rows[i].a, rows[i].b);
	}
	assert_true(cidr_contains(&ten, &in));
	assert_false(cidr_contains(&ten, &out));
	assert_false(cidr_contains(&unset, &in));
	assert_false(cidr_overlaps(&unset, &ten));
	assert_false(cidr_is_set(&unset));
}

static void test_cidr_order(void **state)
{
	struct cidr a = cidr("10.0.0.0/8"), b = cidr("10.0.0.0/9"), c = cidr("10.0.0.1/8");

	(void)state;
	assert_true(cidr_cmp(&a, &b) < 0);
	assert_true(cidr_cmp(&b, &c) < 0);
	assert_true(cidr_eq(&a, &a));
	assert_false(cidr_eq(&a, &b));
}

static void test_mac_text(void **state)
{
	static const struct {
		const char *text, *want; /* want NULL: refused */
	} rows[] = {
		{"02:00:00:00:00:0a", "02:00:00:00:00:0a"},
		{"C6:D2:32:6F:8F:44", "c6:d2:32:6f:8f:44"},
		{"", NULL},
		{"02", NULL},
		{"02:00:00:00:00", NULL},
		{"02:00:00:00:00:0a:0b", NULL},
		{"2:0:0:0:0:a", NULL},
		{"02-00-00-00-00-0a", NULL},
		{"02:00:00:00:00:0g", NULL},
		{"02:00:00:00:00:0a ", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mac have = {{9, 9, 9, 9, 9, 9}};
		bool ok = mac_parse(rows[i].text, &have);
		char buf[MAC_STRLEN];

		if (ok != (rows[i].want != NULL))
			fail_msg("\"%s\": parsed %d", rows[i].text, ok);
		assert_string_equal(mac_format(&have, buf),
				    ok ? rows[i].want : "09:09:09:09:09:09");
	}
}

static void test_mac_kinds(void **state)
{
	struct mac zero = {0}, group = {{1, 0, 0x5e, 0, 0, 1}}, station = {{2, 0, 0, 0, 0, 1}};

	(void)state;
	assert_false(mac_is_set(&zero));
	assert_false(mac_is_unicast(&zero));
	assert_false(mac_is_unicast(&group));
	assert_true(mac_is_unicast(&station));
	assert_true(mac_cmp(&group, &station) < 0);
	assert_false(mac_eq(&group, &station));
	for (uint64_t r = 0; r < 1000; r++) {
		struct mac m = mac_from_random(r * 0x9e3779b97f4a7c15u);

		assert_true(mac_is_unicast(&m));
		assert_int_equal(m.b[0] & 2, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip_text),		 cmocka_unit_test(test_ip_unset),
		cmocka_unit_test(test_ip_bytes),	 cmocka_unit_test(test_ip_kinds),
		cmocka_unit_test(test_ip_order_and_add), cmocka_unit_test(test_cidr_text),
		cmocka_unit_test(test_cidr_bounds),	 cmocka_unit_test(test_cidr_host),
		cmocka_unit_test(test_cidr_relations),	 cmocka_unit_test(test_cidr_order),
		cmocka_unit_test(test_mac_text),	 cmocka_unit_test(test_mac_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
