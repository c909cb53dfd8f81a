/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/netconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int decode(const char *json, size_t n, struct netconf *ret, const char *want)
{
	char buf[2000] = "";
	struct text t = TEXT(buf);
	int bad = netconf_decode(json, n, ret, &t), lines = 0;

	assert_string_equal(buf, want);
	for (const char *s = buf; *s; s++)
		lines += *s == '\n';
	assert_int_equal(bad, lines);
	return bad;
}

static void assert_decodes(const char *json, const struct netconf *want)
{
	char again[NETCONF_JSON_SIZE];
	struct text t = TEXT(again);
	struct netconf have;

	assert_int_equal(decode(json, strlen(json), &have, ""), 0);
	if (!netconf_eq(&have, want))
		fail_msg("another configuration: %s", json);
	/* … and what is written of it decodes to the same. */
	netconf_encode(want, &t);
	assert_false(t.cut);
	assert_int_equal(decode(again, t.len, &have, ""), 0);
	if (!netconf_eq(&have, want))
		fail_msg("another configuration: %s", again);
}

static void assert_refused(const char *json, const char *complaints)
{
	struct netconf c;

	memset(&c, 0x55, sizeof(c));
	assert_true(decode(json, strlen(json), &c, complaints) > 0);
	assert_int_equal(c.subnet_len, 0x55555555); /* untouched */
}

static struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(text, &c));
	return c;
}

/* flannel's TestConfigDefaults, in a net-conf of the stock manifest. */
static struct netconf stock(void)
{
	struct netconf c = netconf_defaults();

	c.network = cidr("10.244.0.0/16");
	c.subnet_len = 24;
	c.subnet_min = cidr("10.244.1.0/24").ip;
	c.subnet_max = cidr("10.244.255.0/24").ip;
	c.backend = BACKEND_VXLAN;
	memcpy(c.backend_text, "vxlan\0", 6);
	return c;
}

static void test_stock(void **state)
{
	struct netconf c = stock();

	(void)state;
	assert_decodes("{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}", &c);
	assert_decodes("{\n  \"Network\": \"10.244.3.4/16\",\n  \"EnableNFTables\": false,\n"
		       "  \"Backend\": {\n    \"Type\": \"vxlan\"\n  }\n}\n",
		       &c);
}

static void test_leniency_of_go(void **state)
{
	struct netconf c = stock();

	(void)state;
	/* Keys in any case, unknown keys, null, the last of several, bytes that are not UTF-8. */
	assert_decodes(
		"{\"network\":\"10.244.0.0/16\",\"BACKEND\":{\"tYPE\":\"vxlan\","
		"\"MacPrefix\":\"0E-2A\",\"vni\":null},\"SubnetLen\":null,\"EnableIPv4\":null,"
		"\"Comment\":[1.5,{}]}",
		&c);
	assert_decodes("{\"Network\":\"10.1.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"},"
		       "\"Network\":\"10.244.0.0/16\",\"note\":\"caf\xe9\"}",
		       &c);
	memcpy(c.backend_text, "VXLAN", 6);
	assert_decodes("{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"VXLAN\"}}", &c);
}

/* flannel's TestIPv6ConfigDefaults, and its way to write keys. */
static void test_ipv6_alone(void **state)
{
	struct netconf c = netconf_defaults();

	(void)state;
	c.ipv4 = false;
	c.ipv6 = true;
	c.network6 = cidr("fc00::/48");
	c.subnet_len6 = 64;
	c.subnet_min6 = cidr("fc00:0:0:1::/64").ip;
	c.subnet_max6 = cidr("fc00:0:0:ffff::/64").ip;
	c.backend = BACKEND_VXLAN;
	memcpy(c.backend_text, "vxlan\0", 6);
	assert_decodes(
		"{ \"enableIPv6\": true, \"ipv6Network\": \"fc00::/48\", \"enableIPv4\": false, "
		"\"backend\": {\"type\": \"vxlan\"} }",
		&c);
}

static void test_every_field(void **state)
{
	struct netconf c = stock();

	(void)state;
	c.ipv6 = true;
	c.nftables = true;
	c.subnet_len = 26;
	c.subnet_min = cidr("10.244.16.64/26").ip;
	c.subnet_max = cidr("10.244.32.0/26").ip;
	c.network6 = cidr("fc00::/48");
	c.subnet_len6 = 56;
	c.subnet_min6 = cidr("fc00:0:0:100::/56").ip;
	c.subnet_max6 = cidr("fc00:0:0:f00::/56").ip;
	c.vxlan = (struct vxlan_conf){
		.vni = 4096,
		.port = 4789,
		.mtu_bytes = 8900,
		.gbp = true,
		.learning = true,
		.direct_routing = true,
	};
	assert_decodes("{\"EnableIPv4\":true,\"EnableIPv6\":true,\"EnableNFTables\":true,"
		       "\"Network\":\"10.244.0.0/16\",\"SubnetLen\":26,"
		       "\"SubnetMin\":\"10.244.16.64\",\"SubnetMax\":\"10.244.32.0\","
		       "\"IPv6Network\":\"fc00::/48\",\"IPv6SubnetLen\":56,"
		       "\"IPv6SubnetMin\":\"fc00:0:0:100::\",\"IPv6SubnetMax\":\"fc00:0:0:f00::\","
		       "\"Backend\":{\"Type\":\"vxlan\",\"VNI\":4096,\"Port\":4789,\"MTU\":8900,"
		       "\"GBP\":true,\"Learning\":true,\"DirectRouting\":true}}",
		       &c);
}

static void test_refused(void **state)
{
	static const struct {
		const char *json, *complaints;
	} rows[] = {
		{"", "JSON: unexpected end of JSON input\n"},
		{"{", "JSON: unexpected end of JSON input\n"},
		{"[1,\"\\u00e9\"]", "JSON: must be an object: [1,\"\\u00E9\"]\n"},
		{"{} x", "JSON: line 1, column 4: end of file expected near 'x'\n"},
		{"{}", "Network: must be an IPv4 network such as 10.244.0.0/16: -\n"
		       "Backend.Type: must be vxlan (flannel takes udp if it is missing): udp\n"},
		{"{\"Network\":\"10.1.0.0/16\",\"Backend\":{}}",
		 "Backend.Type: must be vxlan (flannel takes udp if it is missing): \n"},
		{"{\"Network\":\"10.1.0.0/16\",\"Backend\":\"vxlan\"}",
		 "Backend: must be an object such as {\"Type\":\"vxlan\"}: \"vxlan\"\n"},
		{"{\"Network\":\"10.1.0.0/16\",\"Backend\":{\"Type\":7}}",
		 "Backend.Type: must be a string such as \"vxlan\": 7\n"},
		{"{\"Network\":\"10.1.0.0/16\",\"Backend\":{\"Type\":\"host-gw\",\"VNI\":\"x\"}}",
		 "Backend.Type: must be vxlan (flannel takes udp if it is missing): host-gw\n"},
		{"{\"Network\":\"10.1.0.0/16\",\"Backend\":{\"Type\":"
		 "\"a-very-long-name-of-a-backend-that-nobody-has\"}}",
		 "Backend.Type: must be vxlan (flannel takes udp if it is missing): "
		 "a-very-long-name-of-a-backend-t\n"},
		{"{\"Network\":\"10.1.0.0\",\"SubnetLen\":\"24\",\"SubnetMin\":\"fd00::\","
		 "\"SubnetMax\":10,\"EnableIPv6\":\"true\",\"EnableNFTables\":1,"
		 "\"Backend\":{\"Type\":\"vxlan\",\"VNI\":1.0,\"Port\":65536,\"MTU\":-1,"
		 "\"GBP\":\"\",\"Learning\":null,\"DirectRouting\":0}}",
		 "EnableIPv6: must be true or false: \"true\"\n"
		 "EnableNFTables: must be true or false: 1\n"
		 "Network: must be an IPv4 network such as \"10.244.0.0/16\": \"10.1.0.0\"\n"
		 "SubnetLen: must be a whole number from 0 to 4294967295: \"24\"\n"
		 "SubnetMin: must be an IPv4 address such as \"10.244.16.0\": \"fd00::\"\n"
		 "SubnetMax: must be an IPv4 address such as \"10.244.16.0\": 10\n"
		 "Backend.VNI: must be a whole number from 0 to 4294967295: 1.0\n"
		 "Backend.Port: must be a whole number from 0 to 65535: 65536\n"
		 "Backend.MTU: must be a whole number from 0 to 4294967295: -1\n"
		 "Backend.GBP: must be true or false: \"\"\n"
		 "Backend.DirectRouting: must be true or false: 0\n"},
		/* What cannot be decoded and what does not hold, in one go. */
		{"{\"Network\":7,\"EnableIPv6\":true,\"IPv6Network\":\"fc00::/125\","
		 "\"Backend\":{\"Type\":\"vxlan\",\"VNI\":99999}}",
		 "Network: must be an IPv4 network such as \"10.244.0.0/16\": 7\n"
		 "IPv6Network: too small, at least a /124 is needed: fc00::/125\n"
		 "Backend.VNI: must be 1 to 9999 (the link is named after it): 99999\n"},
		{"{\"Network\":\"10.1.0.0/16\\u0000\",\"Backend\":{\"Type\":\"vxlan\"}}",
		 "Network: must be an IPv4 network such as \"10.244.0.0/16\": "
		 "\"10.1.0.0/16\\u0000\"\n"},
		{"{\"Network\":\"10.\x7f\x7f\",\"Backend\":{\"Type\":\"vxlan\"}}",
		 "Network: must be an IPv4 network such as \"10.244.0.0/16\": \"10.??\"\n"},
		{"{\"Network\":\"::/0\",\"Backend\":{\"Type\":\"vxlan\"}}",
		 "Network: must be an IPv4 network such as 10.244.0.0/16: -\n"},
		{"{\"Network\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		 "\"Backend\":{\"Type\":\"vxlan\"}}",
		 "Network: must be an IPv4 network such as \"10.244.0.0/16\": "
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_refused(rows[i].json, rows[i].complaints);
}

static void test_too_long(void **state)
{
	char *json = malloc(LIMIT_NETCONF_BYTES + 1);
	struct netconf c;

	(void)state;
	assert_non_null(json);
	memset(json, ' ', LIMIT_NETCONF_BYTES + 1);
	decode(json, LIMIT_NETCONF_BYTES + 1, &c, "JSON: longer than 65536 bytes: 65537\n");
	free(json);
}

/* As flannel in Kubernetes, which checks of these keys only that they have their types. */
static void test_given(void **state)
{
	static const char odd[] =
		"{\"Network\":\"10.244.0.0/30\",\"SubnetLen\":31,\"SubnetMin\":\"192.168.0.1\","
		"\"SubnetMax\":\"10.0.0.1\",\"EnableIPv6\":true,\"IPv6Network\":\"fd00::/127\","
		"\"IPv6SubnetLen\":3,\"IPv6SubnetMin\":\"fd01::1\",\"IPv6SubnetMax\":\"fd01::\","
		"\"Backend\":{\"Type\":\"vxlan\"}}";
	static const char bad[] = "{\"SubnetLen\":\"x\",\"Backend\":{\"Type\":\"vxlan\"}}";
	char buf[500] = "", again[NETCONF_JSON_SIZE];
	struct text t = TEXT(buf), json = TEXT(again);
	struct netconf c, same;

	(void)state;
	assert_int_equal(netconf_decode_given(odd, sizeof(odd) - 1, &c, &t), 0);
	assert_true(c.given && c.subnet_len == 0 && c.subnet_len6 == 0);
	assert_false(ip_is_set(&c.subnet_min) || ip_is_set(&c.subnet_max6));
	netconf_encode(&c, &json);
	assert_int_equal(netconf_decode_given(again, json.len, &same, &t), 0);
	assert_true(netconf_eq(&c, &same));
	assert_int_equal(netconf_decode_given(bad, sizeof(bad) - 1, &c, &t), 2);
	assert_string_equal(buf, "SubnetLen: must be a whole number from 0 to 4294967295: \"x\"\n"
				 "Network: must be an IPv4 network such as 10.244.0.0/16: -\n");
}

/* What was in the text before is not taken for a complaint of ours. */
static void test_appends(void **state)
{
	char buf[400] = "";
	struct text t = TEXT(buf);
	struct netconf c;

	(void)state;
	text_add(&t, "Network: an older story\n");
	assert_int_equal(netconf_decode("{\"Backend\":{\"Type\":\"vxlan\"}}", 28, &c, &t), 1);
	assert_string_equal(buf, "Network: an older story\n"
				 "Network: must be an IPv4 network such as 10.244.0.0/16: -\n");
}

static void test_cut(void **state)
{
	static const char json[] = "{\"SubnetLen\":\"24\",\"EnableIPv6\":true}";
	struct netconf c;

	(void)state;
	/* However little room: the number is right, and nothing is read behind the end. */
	for (size_t room = 1; room < 200; room++) {
		char *buf = calloc(room, 1);
		struct text t = {.buf = buf, .size_bytes = room};

		assert_non_null(buf);
		assert_true(netconf_decode(json, sizeof(json) - 1, &c, &t) >= 4);
		assert_true(t.cut);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_stock),
		cmocka_unit_test(test_leniency_of_go),
		cmocka_unit_test(test_ipv6_alone),
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
