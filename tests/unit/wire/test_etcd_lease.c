/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd_lease.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pb_bytes bytes(const char *text)
{
	return (struct pb_bytes){(const uint8_t *)text, strlen(text)};
}

/* flannel's TestSubnetNodev4, TestSubnetNodev6. */
static const char *const good_keys[] = {
	"10.12.13.0-24",
	"10.12.0.0-16",
	"0.0.0.0-0",
	"10.5.52.2-31",
	"10.12.13.0-24&fd00:12:13::-56",
	"10.12.13.0-24&2001:cafe:42::-64",
};

static void key_round_trips(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(good_keys); i++) {
		char buf[ETCD_LEASE_KEY_SIZE];
		struct text t = TEXT(buf);
		struct lease l = {0};
		struct err err = {""};

		if (etcd_lease_key_parse(bytes(good_keys[i]), &l, &err) < 0)
			fail_msg("%s: %s", good_keys[i], err.text);
		etcd_lease_key_format(&l, &t);
		assert_string_equal(buf, good_keys[i]);
	}
}

/* flannel's TestSubnetNodeInvalid, then ours. */
static const char *const bad_keys[] = {
	"10.12.13.0",
	"10.12.13-24",
	"10.12.13.300-24",
	"10.12.13.0-24hi",
	"&2001::-56",
	"10.12.13.0-24&:12:13:-56",
	"10.12.13.0-24&2001::",
	"",
	"-",
	"-24",
	"10.12.13.0-",
	"10.12.13.0-32",
	"10.12.13.0-024x",
	"10.12.13.0--1",
	"10.12.13.0-99999999999",
	"10.12.13.5-24", /* host bits */
	"010.12.13.0-24",
	"10.12.13.0-24&",
	"10.12.13.0-24&2001::-128",
	"10.12.13.0-24&::-0", /* unset, to us */
	"10.12.13.0-24&2001::1-64",
	"10.12.13.0-24&2001:CAFE::-64",
	"10.12.13.0-24&10.1.0.0-24",
	"10.12.13.0-24&::ffff:10.1.0.0-120",
	"2001::-56",
	"x/10.12.13.0-24",
	"10.12.13.0-24/x",
	("10.12.13.0-24&2001:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd::-56"
	 "0000000000000000000000"),
};

static void refuses_bad_keys(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++) {
		struct lease l = {0};
		const struct lease untouched = {0};
		struct err err = {""};

		if (etcd_lease_key_parse(bytes(bad_keys[i]), &l, &err) != -EINVAL)
			fail_msg("accepted: %s", bad_keys[i]);
		assert_true(err.text[0]);
		assert_memory_equal(&l, &untouched, sizeof(l));
	}
}

static void refuses_a_key_with_a_nul_in_it(void **state _unused_)
{
	struct pb_bytes key = {(const uint8_t *)"10.12.13.0-24\0x", 15};
	struct lease l;

	assert_int_equal(etcd_lease_key_parse(key, &l, NULL), -EINVAL);
}

#define V4  "\"PublicIP\":\"192.168.64.3\""
#define MAC "c6:d2:32:6f:8f:44"

static const char value_v4[] = "{\"PublicIP\":\"192.168.64.3\",\"PublicIPv6\":null,"
			       "\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":1,"
			       "\"VtepMAC\":\"c6:d2:32:6f:8f:44\"}}";
static const char value_v6[] = "{\"PublicIP\":\"192.168.64.3\",\"PublicIPv6\":\"fd00::3\","
			       "\"BackendType\":\"vxlan\",\"BackendData\":{\"VNI\":4096,"
			       "\"VtepMAC\":\"c6:d2:32:6f:8f:44\"},\"BackendV6Data\":{\"VNI\":4096,"
			       "\"VtepMAC\":\"c6:d2:32:6f:8f:45\"}}";

static void value_round_trips_byte_for_byte(void **state _unused_)
{
	static const struct {
		const char *text;
		uint32_t vni;
	} rows[] = {
		{value_v4, 1},
		{value_v6, 4096},
		/* flannel's TestEtcdRegistry */
		{"{\"PublicIP\":\"1.2.3.4\",\"PublicIPv6\":null}", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[ETCD_LEASE_VALUE_SIZE];
		struct text t = TEXT(buf);
		struct lease l = {0};

		assert_int_equal(etcd_lease_value_decode(bytes(rows[i].text), &l, NULL), 0);
		etcd_lease_value_format(&l, rows[i].vni, &t);
		assert_string_equal(buf, rows[i].text);
	}
}

static const struct {
	const char *value;
	const char *want; /* public_ip type mac, or the story */
} values[] = {
	{value_v4, "192.168.64.3 vxlan " MAC},
	{" { " V4 " } ", "192.168.64.3 none -"},
	/* Go's rules: any case, unknown names, null = default, the last one counts. */
	{"{\"publicip\":\"1.2.3.4\",\"BACKENDTYPE\":\"vxlan\",\"backenddata\":{\"vtepmac\":\"" MAC
	 "\"}}",
	 "1.2.3.4 vxlan " MAC},
	{"{" V4 ",\"X\":[{}],\"BackendData\":null,\"BackendType\":null}", "192.168.64.3 none -"},
	{"{" V4 ",\"PublicIP\":\"1.2.3.4\"}", "1.2.3.4 none -"},
	/* Other backends: their data is none of our business. */
	{"{" V4 ",\"BackendType\":\"host-gw\"}", "192.168.64.3 none -"},
	{"{" V4 ",\"BackendType\":\"wireguard\",\"BackendData\":{\"PublicKey\":\"x\"}}",
	 "192.168.64.3 none -"},
	{"{" V4 ",\"BackendType\":\"VXLAN\"}", "192.168.64.3 none -"},
	/* No MAC: lease_check() refuses it, by name. */
	{"{" V4 ",\"BackendType\":\"vxlan\"}", "192.168.64.3 vxlan -"},
	{"", "no JSON object"},
	{"{", "no JSON object"},
	{"{}x", "no JSON object"},
	{"null", "no JSON object"},
	{"[]", "no JSON object"},
	{"{}", "PublicIP is missing"},
	{"{\"PublicIP\":null}", "PublicIP is missing"},
	{"{\"PublicIP\":1}", "PublicIP: must be a string, is a number"},
	{"{\"PublicIP\":\"1.2.3\"}", "PublicIP is no IPv4 address"},
	{"{\"PublicIP\":\"fd00::1\"}", "PublicIP is no IPv4 address"},
	{"{" V4 ",\"PublicIPv6\":\"1.2.3.4\"}", "PublicIPv6 is no IPv6 address"},
	{"{" V4 ",\"BackendType\":\"vxlan\",\"BackendData\":\"x\"}",
	 "BackendData: must be an object, is a string"},
	{"{" V4 ",\"BackendType\":\"vxlan\",\"BackendData\":{}}",
	 "BackendData.VtepMAC is no MAC address"},
	{"{" V4 ",\"BackendType\":\"vxlan\",\"BackendData\":{\"VtepMAC\":\"c6:d2:32:6f:8f\"}}",
	 "BackendData.VtepMAC is no MAC address"},
	{"{" V4 ",\"BackendType\":\"vxlan\",\"BackendV6Data\":{\"VtepMAC\":7}}",
	 "VtepMAC: must be a string, is a number"},
};

static void decodes_values(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct err err = {""};
		struct lease l = {0};
		char got[sizeof(err.text)], ip[IP_STRLEN], mac[MAC_STRLEN];
		int r = etcd_lease_value_decode(bytes(values[i].value), &l, &err);

		if (r == 0)
			snprintf(got, sizeof(got), "%s %s %s", ip_format(&l.public_ip, ip),
				 l.type == BACKEND_VXLAN ? "vxlan" : "none",
				 mac_is_set(&l.vtep_mac) ? mac_format(&l.vtep_mac, mac) : "-");
		else
			snprintf(got, sizeof(got), "%s", err.text);
		if (strcmp(got, values[i].want) != 0)
			fail_msg("%s: got %s, want %s", values[i].value, got, values[i].want);
	}
}

static void story_names_key_and_value_escaped(void **state _unused_)
{
	char text[1000];
	struct lease l;
	struct err err;

	assert_int_equal(etcd_lease_decode(bytes("10.5.1.0"), bytes("{}"), &l, &err), -EINVAL);
	assert_string_equal(err.text,
			    "bad key: no subnet of the form 10.5.52.0-24: key \"10.5.1.0\", "
			    "value \"{}\"");
	assert_int_equal(etcd_lease_decode(bytes("10.5.1.0-24"), bytes("\"\n\x1b[2J"), &l, &err),
			 -EINVAL);
	assert_string_equal(err.text, "bad value: no JSON object: key \"10.5.1.0-24\", value "
				      "\"\\x22\\x0a\\x1b[2J\"");
	/* The reason survives a long key and a long value. */
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(etcd_lease_decode(bytes(text), bytes(text), &l, &err), -EINVAL);
	assert_memory_equal(err.text, "bad key: too long for a lease's key: key \"\\x0a", 46);
	assert_non_null(strstr(err.text, ", value \"\\x0a\\x0a"));
}

static void longest_fits(void **state _unused_)
{
	char key[ETCD_LEASE_KEY_SIZE], value[ETCD_LEASE_VALUE_SIZE];
	struct text t = TEXT(key);
	struct lease l = {
		.subnet = {ip_from_v4(0xfffefdfc), 31},
		.type = BACKEND_VXLAN,
		.vtep_mac = {{0xfe, 1, 2, 3, 4, 5}},
		.vtep_mac6 = {{0xfe, 1, 2, 3, 4, 5}},
		.public_ip = ip_from_v4(0xfffefdfc),
	};

	memset(l.subnet6.ip.b, 0xff, 16);
	l.subnet6.len = 127;
	l.public_ip6 = l.subnet6.ip;
	etcd_lease_key_format(&l, &t);
	assert_false(t.cut);
	t = (struct text)TEXT(value);
	etcd_lease_value_format(&l, UINT32_MAX, &t);
	assert_false(t.cut);
}

static void key_and_value_make_a_lease(void **state _unused_)
{
	char subnet[CIDR_STRLEN], ip[IP_STRLEN];
	struct lease l = {0};

	assert_int_equal(
		etcd_lease_decode(bytes("10.5.1.0-24&fd00:5:1::-64"), bytes(value_v6), &l, NULL),
		0);
	assert_string_equal(cidr_format(&l.subnet, subnet), "10.5.1.0/24");
	assert_string_equal(cidr_format(&l.subnet6, subnet), "fd00:5:1::/64");
	assert_string_equal(ip_format(&l.public_ip, ip), "192.168.64.3");
	assert_string_equal(ip_format(&l.public_ip6, ip), "fd00::3");
	assert_int_equal(l.type, BACKEND_VXLAN);
	assert_int_equal(l.vtep_mac.b[5], 0x44);
	assert_int_equal(l.vtep_mac6.b[5], 0x45);
	/* A broken value leaves what was there. */
	assert_int_equal(etcd_lease_decode(bytes("10.5.2.0-24"), bytes("{}"), &l, NULL), -EINVAL);
	assert_string_equal(cidr_format(&l.subnet, subnet), "10.5.1.0/24");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_round_trips),
		cmocka_unit_test(refuses_bad_keys),
		cmocka_unit_test(refuses_a_key_with_a_nul_in_it),
		cmocka_unit_test(value_round_trips_byte_for_byte),
		cmocka_unit_test(decodes_values),
		cmocka_unit_test(story_names_key_and_value_escaped),
		cmocka_unit_test(longest_fits),
		cmocka_unit_test(key_and_value_make_a_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
