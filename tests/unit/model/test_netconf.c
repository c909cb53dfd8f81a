/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

static void assert_ip(const struct ip *have, const char *want)
{
	char buf[IP_STRLEN];

	assert_string_equal(ip_format(have, buf), want);
}

/* Both families share their rows: fields are those of the family of `network`. */
struct row {
	const char *network;
	uint32_t len;
	const char *min, *max;
	/* Either what is derived … */
	uint32_t want_len;
	const char *want_min, *want_max;
	const char *complaints; /* … or what is wrong; NULL = nothing */
};

static const struct row rows4[] = {
	{"10.3.0.0/16", 0, NULL, NULL, 24, "10.3.1.0", "10.3.255.0", NULL},
	{"10.3.7.9/16", 0, NULL, NULL, 24, "10.3.1.0", "10.3.255.0", NULL},
	{"10.3.0.0/22", 0, NULL, NULL, 24, "10.3.1.0", "10.3.3.0", NULL},
	{"10.3.0.0/23", 0, NULL, NULL, 25, "10.3.0.128", "10.3.1.128", NULL},
	{"10.3.0.0/28", 0, NULL, NULL, 30, "10.3.0.4", "10.3.0.12", NULL},
	{"10.3.0.0/16", 28, "10.3.5.0", "10.3.8.0", 28, "10.3.5.0", "10.3.8.0", NULL},
	{"10.0.0.0/8", 28, "10.3.1.16", "10.5.0.0", 28, "10.3.1.16", "10.5.0.0", NULL},
	{"10.0.0.0/8", 28, "0.0.0.0", "0.0.0.0", 28, "10.0.0.16", "10.255.255.240", NULL},
	{NULL, 0, NULL, NULL, 0, NULL, NULL,
	 "Network: must be an IPv4 network such as 10.244.0.0/16: -\n"},
	{"0.0.0.0/0", 0, NULL, NULL, 0, NULL, NULL,
	 "Network: must be an IPv4 network such as 10.244.0.0/16: 0.0.0.0/0\n"},
	{"fd00::/48", 0, NULL, NULL, 0, NULL, NULL,
	 "Network: must be an IPv4 network such as 10.244.0.0/16: fd00::/48\n"},
	{"10.3.0.0/29", 0, NULL, NULL, 0, NULL, NULL,
	 "Network: too small, at least a /28 is needed: 10.3.0.0/29\n"},
	{"10.3.0.0/16", 31, NULL, NULL, 0, NULL, NULL, "SubnetLen: must be at most 30: 31\n"},
	{"10.3.0.0/16", 4000000000, NULL, NULL, 0, NULL, NULL,
	 "SubnetLen: must be at most 30: 4000000000\n"},
	{"10.3.0.0/16", 17, NULL, NULL, 0, NULL, NULL,
	 "SubnetLen: must be at least 18, Network 10.3.0.0/16 has to hold four subnets: 17\n"},
	{"10.3.0.0/16", 0, "10.4.0.0", "10.2.0.0", 0, NULL, NULL,
	 "SubnetMin: not inside Network 10.3.0.0/16: 10.4.0.0\n"
	 "SubnetMax: not inside Network 10.3.0.0/16: 10.2.0.0\n"},
	{"10.3.0.0/16", 0, "10.3.1.1", "10.3.2.128", 0, NULL, NULL,
	 "SubnetMin: not on a SubnetLen boundary (/24): 10.3.1.1\n"
	 "SubnetMax: not on a SubnetLen boundary (/24): 10.3.2.128\n"},
	{"10.3.0.0/16", 0, "10.3.9.0", "10.3.8.0", 0, NULL, NULL,
	 "SubnetMax: below SubnetMin 10.3.9.0: 10.3.8.0\n"},
	{"10.3.0.0/16", 0, "fd00::", NULL, 0, NULL, NULL,
	 "SubnetMin: not inside Network 10.3.0.0/16: fd00::\n"},
};

static const struct row rows6[] = {
	{"fc00::/48", 0, NULL, NULL, 64, "fc00:0:0:1::", "fc00:0:0:ffff::", NULL},
	{"fd00:10:244::/56", 0, NULL, NULL, 64, "fd00:10:244:1::", "fd00:10:244:ff::", NULL},
	{"fc00::/62", 0, NULL, NULL, 64, "fc00:0:0:1::", "fc00:0:0:3::", NULL},
	{"fc00::/63", 0, NULL, NULL, 65, "fc00::8000:0:0:0", "fc00:0:0:1:8000::", NULL},
	{"fc00::/124", 0, NULL, NULL, 126, "fc00::4", "fc00::c", NULL},
	{"fc00::/48", 56, "fc00:0:0:100::", "fc00:0:0:f00::", 56,
	 "fc00:0:0:100::", "fc00:0:0:f00::", NULL},
	{"fc00::/48", 124, "fc00:0:0:1::", "fc00:0:0:f::", 124,
	 "fc00:0:0:1::", "fc00:0:0:f::", NULL},
	{NULL, 0, NULL, NULL, 0, NULL, NULL,
	 "IPv6Network: must be an IPv6 network such as fd00:10:244::/56: -\n"},
	{"fc00::/125", 0, NULL, NULL, 0, NULL, NULL,
	 "IPv6Network: too small, at least a /124 is needed: fc00::/125\n"},
	{"fc00::/48", 127, NULL, NULL, 0, NULL, NULL, "IPv6SubnetLen: must be at most 126: 127\n"},
	{"fc00::/48", 49, NULL, NULL, 0, NULL, NULL,
	 "IPv6SubnetLen: must be at least 50, IPv6Network fc00::/48 has to hold four subnets: 49\n"},
	{"fc00::/48", 0, "fc01::", "fc00::1", 0, NULL, NULL,
	 "IPv6SubnetMin: not inside IPv6Network fc00::/48: fc01::\n"
	 "IPv6SubnetMax: not on a IPv6SubnetLen boundary (/64): fc00::1\n"},
};

static int count_lines(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void assert_complaints(struct netconf *c, const char *want)
{
	char buf[1000] = "";
	struct text t = TEXT(buf);
	int n = netconf_derive(c, &t);

	assert_string_equal(buf, want);
	assert_int_equal(n, count_lines(want));
}

static void test_derive_ipv4(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows4); i++) {
		const struct row *row = &rows4[i];
		struct netconf c = netconf_defaults();

		c.backend = BACKEND_VXLAN;
		c.network = cidr(row->network);
		c.subnet_len = row->len;
		c.subnet_min = ip(row->min);
		c.subnet_max = ip(row->max);
		assert_complaints(&c, row->complaints ? row->complaints : "");
		if (row->complaints)
			continue;
		assert_int_equal(c.subnet_len, row->want_len);
		assert_ip(&c.subnet_min, row->want_min);
		assert_ip(&c.subnet_max, row->want_max);
		assert_true(cidr_contains(&c.network, &c.network.ip));
		assert_int_equal(c.network.ip.b[15], 0); /* masked */
	}
}

static void test_derive_ipv6(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows6); i++) {
		const struct row *row = &rows6[i];
		struct netconf c = netconf_defaults();

		c.backend = BACKEND_VXLAN;
		c.ipv4 = false;
		c.ipv6 = true;
		c.network6 = cidr(row->network);
		c.subnet_len6 = row->len;
		c.subnet_min6 = ip(row->min);
		c.subnet_max6 = ip(row->max);
		assert_complaints(&c, row->complaints ? row->complaints : "");
		if (row->complaints)
			continue;
		assert_int_equal(c.subnet_len6, row->want_len);
		assert_ip(&c.subnet_min6, row->want_min);
		assert_ip(&c.subnet_max6, row->want_max);
	}
}

static struct netconf good(void)
{
	struct netconf c = netconf_defaults();

	c.backend = BACKEND_VXLAN;
	c.network = cidr("10.244.0.0/16");
	c.network6 = cidr("fd00:10:244::/56");
	return c;
}

static void test_backend(void **state)
{
	struct netconf c = good();

	(void)state;
	c.vxlan.vni = 9999999;
	c.vxlan.mtu_bytes = 118;
	assert_complaints(&c, "");

	c.vxlan.vni = 10000000; /* "flannel.10000000" is 16 characters */
	c.vxlan.mtu_bytes = 117;
	assert_complaints(
		&c, "Backend.VNI: must be 1 to 9999999 (the link is named after it): 10000000\n"
		    "Backend.MTU: must be 118 to 65535, or 0 for the uplink's: 117\n");

	c = good();
	c.ipv6 = true;
	c.vxlan.vni = 10000;
	c.vxlan.mtu_bytes = 1300;
	assert_complaints(&c, "Backend.VNI: must be 1 to 9999 (the link is named after it): 10000\n"
			      "Backend.MTU: must be 1350 to 65535, or 0 for the uplink's: 1300\n");

	c = good();
	c.vxlan.vni = 0;
	c.vxlan.mtu_bytes = 65536;
	assert_complaints(&c, "Backend.VNI: must be 1 to 9999999 (the link is named after it): 0\n"
			      "Backend.MTU: must be 118 to 65535, or 0 for the uplink's: 65536\n");
}

static void test_all_complaints_at_once(void **state)
{
	struct netconf c = netconf_defaults();

	(void)state;
	c.ipv6 = true;
	c.subnet_len = 31;
	c.network6 = cidr("fc00::/125");
	text_copy(c.backend_text, sizeof(c.backend_text), "host\ngw");
	assert_complaints(
		&c,
		"Network: must be an IPv4 network such as 10.244.0.0/16: -\n"
		"IPv6Network: too small, at least a /124 is needed: fc00::/125\n"
		"Backend.Type: must be vxlan (flannel takes udp if it is missing): host\\x0agw\n");

	c = netconf_defaults();
	c.ipv4 = false;
	assert_complaints(
		&c, "EnableIPv4: neither IPv4 nor IPv6 is enabled: false\n"
		    "Backend.Type: must be vxlan (flannel takes udp if it is missing): udp\n");
}

static void test_eq_sees_every_field(void **state)
{
	const struct netconf base = good();
	struct netconf other[19];

	(void)state;
	assert_true(netconf_eq(&base, &base));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = base;
	other[0].ipv4 = false;
	other[1].ipv6 = true;
	other[2].nftables = true;
	other[3].network.len = 17;
	other[4].network6.len = 17;
	other[5].subnet_len = 1;
	other[6].subnet_len6 = 1;
	other[7].subnet_min = ip("1.1.1.1");
	other[8].subnet_max = ip("1.1.1.1");
	other[9].subnet_min6 = ip("1.1.1.1");
	other[10].subnet_max6 = ip("1.1.1.1");
	other[11].backend = BACKEND_NONE;
	other[12].backend_text[0] = 'x';
	other[13].vxlan.vni = 2;
	other[14].vxlan.port = 2;
	other[15].vxlan.mtu_bytes = 2;
	other[16].vxlan.gbp = true;
	other[17].vxlan.learning = true;
	other[18].vxlan.direct_routing = true;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (netconf_eq(&base, &other[i]))
			fail_msg("difference %zu is not seen", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive_ipv4),
		cmocka_unit_test(test_derive_ipv6),
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_all_complaints_at_once),
		cmocka_unit_test(test_eq_sees_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
