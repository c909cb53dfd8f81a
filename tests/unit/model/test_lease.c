/* SPDX-License-Identifier: Apache-2.0 */
#include "model/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What a row of a table below writes down as text; NULL = unset. */
struct row {
	const char *subnet, *ip, *mac;
	const char *want; /* story; NULL = fine */
};

static struct cidr cidr(const char *text)
{
	struct cidr c = {0};

	if (text && !cidr_parse(text, &c))
		fail_msg("%s", text);
	return c;
}

static struct ip ip(const char *text)
{
	struct ip i = {0};

	if (text && !ip_parse(text, &i))
		fail_msg("%s", text);
	return i;
}

static struct mac mac(const char *text)
{
	struct mac m = {0};

	if (text && !mac_parse(text, &m))
		fail_msg("%s", text);
	return m;
}

static struct netconf network(bool ipv6)
{
	struct netconf c = netconf_defaults();

	c.backend = BACKEND_VXLAN;
	c.network = cidr("10.244.0.0/16");
	c.ipv6 = ipv6;
	c.network6 = cidr("fd00:10:244::/56");
	return c;
}

static void assert_story(const struct lease *l, bool v6, const struct netconf *c, const char *want)
{
	struct err err = {0};
	int r = lease_check(l, v6, c, &err);

	if ((r == 0) != (want == NULL))
		fail_msg("wanted %s, got %s", want ? want : "no story", err.text);
	if (want)
		assert_string_equal(err.text, want);
}

static void test_check_ipv4(void **state)
{
	static const struct row rows[] = {
		{"10.244.1.0/24", "192.168.0.2", "02:00:00:00:00:02", NULL},
		{"10.244.0.0/24", "192.168.0.2", "02:00:00:00:00:02", NULL},
		{"10.244.9.0/24", "10.244.1.1", "02:00:00:00:00:02", NULL}, /* silly, works */
		{NULL, "192.168.0.2", "02:00:00:00:00:02", "subnet: none of an enabled family: -"},
		{"10.245.1.0/24", "192.168.0.2", "02:00:00:00:00:02",
		 "subnet: outside Network 10.244.0.0/16: 10.245.1.0/24"},
		{"10.0.0.0/8", "192.168.0.2", "02:00:00:00:00:02",
		 "subnet: outside Network 10.244.0.0/16: 10.0.0.0/8"},
		{"10.244.0.0/16", "192.168.0.2", "02:00:00:00:00:02",
		 "subnet: takes all of Network: 10.244.0.0/16"},
		{"10.244.1.1/24", "192.168.0.2", "02:00:00:00:00:02",
		 "subnet: has host bits: 10.244.1.1/24"},
		{"fd00::/64", "192.168.0.2", "02:00:00:00:00:02",
		 "subnet: not an IPv4 network: fd00::/64"},
		{"10.244.1.0/24", NULL, "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: -"},
		{"10.244.1.0/24", "0.0.0.0", "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: 0.0.0.0"},
		{"10.244.1.0/24", "255.255.255.255", "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: 255.255.255.255"},
		{"10.244.1.0/24", "239.1.2.3", "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: 239.1.2.3"},
		{"10.244.1.0/24", "127.0.0.1", "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: 127.0.0.1"},
		{"10.244.1.0/24", "fd00::1", "02:00:00:00:00:02",
		 "PublicIP: not the IPv4 address of a node: fd00::1"},
		{"10.244.1.0/24", "10.244.1.7", "02:00:00:00:00:02",
		 "PublicIP: inside the lease's own subnet 10.244.1.0/24: 10.244.1.7"},
		{"10.244.1.0/24", "192.168.0.2", NULL,
		 "VtepMAC: not the MAC of one station: 00:00:00:00:00:00"},
		{"10.244.1.0/24", "192.168.0.2", "ff:ff:ff:ff:ff:ff",
		 "VtepMAC: not the MAC of one station: ff:ff:ff:ff:ff:ff"},
		{"10.244.1.0/24", "192.168.0.2", "01:00:5e:00:00:01",
		 "VtepMAC: not the MAC of one station: 01:00:5e:00:00:01"},
	};
	struct netconf c = network(false);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = {
			.subnet = cidr(rows[i].subnet),
			.public_ip = ip(rows[i].ip),
			.vtep_mac = mac(rows[i].mac),
			.type = BACKEND_VXLAN,
		};

		assert_story(&l, false, &c, rows[i].want);
	}
}

static void test_check_ipv6(void **state)
{
	static const struct row rows[] = {
		{"fd00:10:244:1::/64", "2001:db8::2", "02:00:00:00:00:06", NULL},
		{NULL, NULL, NULL, "subnet: none of an enabled family: -"},
		{"fd00:10:245:100::/64", "2001:db8::2", "02:00:00:00:00:06",
		 "subnet: outside Network fd00:10:244::/56: fd00:10:245:100::/64"},
		{"fd00:10:244:1::/64", "fe80::2", "02:00:00:00:00:06",
		 "PublicIPv6: not the IPv6 address of a node: fe80::2"},
		{"fd00:10:244:1::/64", "192.168.0.2", "02:00:00:00:00:06",
		 "PublicIPv6: not the IPv6 address of a node: 192.168.0.2"},
		{"fd00:10:244:1::/64", "2001:db8::2", NULL,
		 "VtepMAC: not the MAC of one station: 00:00:00:00:00:00"},
	};
	struct netconf dual = network(true), v4 = network(false);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lease l = {
			.subnet = cidr("10.244.1.0/24"),
			.public_ip = ip("192.168.0.2"),
			.vtep_mac = mac("02:00:00:00:00:02"),
			.subnet6 = cidr(rows[i].subnet),
			.public_ip6 = ip(rows[i].ip),
			.vtep_mac6 = mac(rows[i].mac),
			.type = BACKEND_VXLAN,
		};

		assert_story(&l, true, &dual, rows[i].want);
		assert_story(&l, false, &dual, NULL); /* whatever the other half is */
		assert_story(&l, true, &v4, "subnet: none of an enabled family: -");
	}
}

static void test_check_type(void **state)
{
	struct netconf c = network(false);
	struct lease l = {
		.subnet = cidr("10.244.1.0/24"),
		.public_ip = ip("192.168.0.2"),
		.vtep_mac = mac("02:00:00:00:00:02"),
	};

	(void)state;
	assert_story(&l, false, &c, "BackendType: not vxlan: none");
}

static void test_order_and_eq(void **state)
{
	struct lease a = {.subnet = cidr("10.244.1.0/24"), .type = BACKEND_VXLAN};
	struct lease b = a, c = a;

	(void)state;
	c.subnet = cidr("10.244.2.0/24");
	assert_true(lease_cmp(&a, &c) < 0);
	assert_true(lease_eq(&a, &b));
	b.subnet6 = cidr("fd00::/64");
	assert_true(lease_cmp(&a, &b) < 0);
	assert_true(lease_cmp(&b, &c) < 0);
	for (size_t i = 0; i < 5; i++) {
		b = a;
		switch (i) {
		case 0:
			b.public_ip = ip("1.2.3.4");
			break;
		case 1:
			b.public_ip6 = ip("fd00::1");
			break;
		case 2:
			b.type = BACKEND_NONE;
			break;
		case 3:
			b.vtep_mac.b[0] = 2;
			break;
		case 4:
			b.vtep_mac6.b[0] = 2;
			break;
		}
		assert_int_equal(lease_cmp(&a, &b), 0);
		assert_false(lease_eq(&a, &b));
	}
}

static void test_text(void **state)
{
	struct lease l = {
		.subnet = cidr("10.244.1.0/24"),
		.public_ip = ip("192.168.0.2"),
		.vtep_mac = mac("02:00:00:00:00:02"),
	};
	char buf[LEASE_STRLEN];

	(void)state;
	assert_string_equal(lease_format(&l, buf),
			    "10.244.1.0/24 via 192.168.0.2 mac 02:00:00:00:00:02");
	l.subnet6 = cidr("fd00:10:244:1::/64");
	l.public_ip6 = ip("2001:db8::2");
	assert_string_equal(lease_format(&l, buf),
			    "10.244.1.0/24 via 192.168.0.2 mac 02:00:00:00:00:02, "
			    "fd00:10:244:1::/64 via 2001:db8::2");
	l.subnet = cidr(NULL);
	assert_string_equal(lease_format(&l, buf), "fd00:10:244:1::/64 via 2001:db8::2");
	memset(&l, 0, sizeof(l));
	assert_string_equal(lease_format(&l, buf), "- via -");

	/* The longest there can be. */
	l.subnet = cidr("255.255.255.255/32");
	l.public_ip = ip("255.255.255.255");
	l.subnet6 = cidr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	l.public_ip6 = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	l.vtep_mac = l.vtep_mac6 = mac("ff:ff:ff:ff:ff:ff");
	assert_true(strlen(lease_format(&l, buf)) < LEASE_STRLEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_ipv4), cmocka_unit_test(test_check_ipv6),
		cmocka_unit_test(test_check_type), cmocka_unit_test(test_order_and_eq),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
