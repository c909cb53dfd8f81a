/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_conf.h"

#include <setjmp.h>
#include <stdarg.h>
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

static json_t *parse(const char *text)
{
	struct err err;
	json_t *v;

	if (gojson_parse(text, strlen(text), &v, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return v;
}

static void test_cni_conf_bridge(void **state)
{
	json_t *root = parse("{\"type\":\"bridge\",\"BRIDGE\":\"br9\",\"isDefaultGateway\":true,"
			     "\"mtu\":1450,\"hairpinMode\":true,\"ipMasq\":false,\"vlan\":0,"
			     "\"vlanTrunk\":[],\"preserveDefaultVlan\":true,\"unknown\":{}}");
	struct bridge_conf c;
	struct err err = {0};

	(void)state;
	if (cni_conf_bridge(root, "", &arena, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(c.name, "br9");
	assert_true(c.is_default_gateway && c.is_gateway && c.hairpin);
	assert_false(c.promisc || c.isolated || c.force_address || c.has_dns);
	assert_int_equal(c.mtu_bytes, 1450);
	assert_int_equal(c.local_traffic, LOCAL_TRAFFIC_AUTO);
	assert_false(mac_is_set(&c.mac));
	json_decref(root);
	root = parse("{\"isGateway\":true,\"localTraffic\":\"routed\"}");
	assert_int_equal(cni_conf_bridge(root, "", &arena, &c, &err), 0);
	assert_int_equal(c.local_traffic, LOCAL_TRAFFIC_ROUTED);
	json_decref(root);
}

static void test_cni_conf_bridge_mac(void **state)
{
	static const struct {
		const char *conf, *args, *want;
	} rows[] = {
		{"{}", "MAC=02:00:00:00:00:01", "02:00:00:00:00:01"},
		{"{\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:02\"}}}", "MAC=02:00:00:00:00:01",
		 "02:00:00:00:00:02"},
		{"{\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:02\"}},\"runtimeConfig\":{\"MAC\":"
		 "\"02:00:00:00:00:03\"}}",
		 "", "02:00:00:00:00:03"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].conf);
		char buf[MAC_STRLEN];
		struct bridge_conf c;

		assert_int_equal(cni_conf_bridge(root, rows[i].args, &arena, &c, NULL), 0);
		assert_string_equal(mac_format(&c.mac, buf), rows[i].want);
		json_decref(root);
	}
}

static void test_cni_conf_bridge_refuses(void **state)
{
	static const struct {
		const char *conf, *args, *want;
	} rows[] = {
		{"{\"mtu\":\"1450\"}", "",
		 "failed to load netconf: mtu: must be an integer, is a string"},
		{"{\"mtu\":-1}", "", "failed to load netconf: mtu: -1 is out of range"},
		{"{\"mtu\":16777217}", "", "failed to load netconf: mtu: 16777217 is out of range"},
		{"{\"isGateway\":1}", "",
		 "failed to load netconf: isGateway: must be true or false, is a number"},
		{"{\"bridge\":\"\"}", "",
		 "failed to load netconf: bridge: \"\" cannot name an interface"},
		{"{\"bridge\":\"0123456789abcdef\"}", "",
		 "failed to load netconf: bridge: \"0123456789abcdef\" cannot name an interface"},
		{"{\"dns\":{\"search\":[1]}}", "",
		 "failed to load netconf: dns: search[0]: must be a string, is a number"},
		{"{\"hairpinMode\":true,\"promiscMode\":true}", "",
		 "cannot set hairpin mode and promiscuous mode at the same time"},
		{"{\"localTraffic\":\"never\"}", "",
		 "failed to load netconf: localTraffic: must be auto, bridged or routed: \"never\""},
		{"{\"localTraffic\":true}", "",
		 "failed to load netconf: localTraffic: must be a string, is a boolean"},
		{"{\"localTraffic\":\"routed\"}", "",
		 "failed to load netconf: localTraffic: \"routed\" needs isGateway or "
		 "isDefaultGateway"},
		{"{\"vlan\":100}", "",
		 "failed to load netconf: vlan: not supported yet by this bridge plugin"},
		{"{\"vlanTrunk\":[{\"id\":1}]}", "",
		 "failed to load netconf: vlanTrunk: not supported yet by this bridge plugin"},
		{"{\"macSpoofChk\":true}", "",
		 "failed to load netconf: macspoofchk: not supported yet by this bridge plugin"},
		{"{\"enabledad\":true}", "",
		 "failed to load netconf: enabledad: not supported yet by this bridge plugin"},
		{"{\"ipMasqBackend\":\"ipset\"}", "", "unknown ipmasq backend \"ipset\""},
		{"{\"ipMasqBackend\":4}", "", "ipMasqBackend: must be a string, is a number"},
		{"{\"args\":[]}", "", "args: must be an object, is an array"},
		{"{\"args\":{\"cni\":\"x\"}}", "", "cni: must be an object, is a string"},
		{"{\"args\":{\"cni\":{\"mac\":2}}}", "", "mac: must be a string, is a number"},
		{"{\"runtimeConfig\":true}", "", "runtimeConfig: must be an object, is a boolean"},
		{"{\"runtimeConfig\":{\"mac\":{}}}", "", "mac: must be a string, is an object"},
		{"{}", "MAC=zz", "mac: not a MAC address: zz"},
		{"{}", "IP=1.2.3.4", "ARGS: unknown args [\"IP=1.2.3.4\"]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].conf);
		struct bridge_conf c;
		struct err err = {0};

		assert_int_not_equal(cni_conf_bridge(root, rows[i].args, &arena, &c, &err), 0);
		assert_string_equal(err.text, rows[i].want);
		json_decref(root);
	}
}

static void test_cni_conf_ipam(void **state)
{
	json_t *root = parse(
		"{\"ipam\":{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.9\",\"ranges\":[[{\"subnet\":"
		"\"10.2.0.0/24\",\"rangeStart\":\"10.2.0.3\"},{\"subnet\":\"10.3.0.0/24\"}]],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"resolvConf\":\"/r\"},"
		"\"args\":{\"cni\":{\"ips\":[\"10.1.0.8\"]}},"
		"\"runtimeConfig\":{\"ipRanges\":[[{\"subnet\":\"fd00::/64\"}]],\"ips\":"
		"[\"fd00::7/64\",\"\"]}}");
	char a[IP_STRLEN], b[IP_STRLEN], c[IP_STRLEN];
	struct ipam_conf conf;
	struct err err = {0};

	(void)state;
	if (cni_conf_ipam(root, "IP=10.1.0.7/24", &arena, &conf, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(conf.n_sets, 3);
	assert_string_equal(ip_format(&conf.sets[0].ranges[0].subnet.ip, a), "fd00::");
	assert_string_equal(ip_format(&conf.sets[1].ranges[0].gateway, a), "10.1.0.9");
	assert_int_equal(conf.sets[2].n, 2);
	assert_string_equal(ip_format(&conf.sets[2].ranges[0].start, a), "10.2.0.3");
	assert_int_equal(conf.n_requested, 3);
	assert_string_equal(ip_format(&conf.requested[0], a), "10.1.0.7");
	assert_string_equal(ip_format(&conf.requested[1], b), "10.1.0.8");
	assert_string_equal(ip_format(&conf.requested[2], c), "fd00::7");
	assert_int_equal(conf.n_routes, 1);
	assert_string_equal(conf.resolv_conf, "/r");
	assert_string_equal(conf.data_dir, "/var/lib/cni/networks");
	json_decref(root);
}

static void test_cni_conf_ipam_refuses(void **state)
{
	static const struct {
		const char *conf, *args, *want;
	} rows[] = {
		{"{}", "", "IPAM config missing 'ipam' key"},
		{"{\"ipam\":{\"subnet\":\"10.0.0.0\"}}", "",
		 "subnet: invalid CIDR address: 10.0.0.0"},
		{"{\"ipam\":{\"subnet\":\"010.0.0.0/8\"}}", "",
		 "subnet: invalid CIDR address: 010.0.0.0/8"},
		{"{\"ipam\":{\"ranges\":[{}]}}", "",
		 "ranges[0]: must be an array of ranges, is an object"},
		{"{\"ipam\":{\"ranges\":[[{\"gateway\":\"x\"}]]}}", "",
		 "ranges[0]: [0]: gateway: invalid IP address: x"},
		{"{\"ipam\":{},\"args\":{\"cni\":{\"ips\":[\"x\"]}}}", "", "invalid IP address x"},
		{"{\"ipam\":{}}", "IP=x",
		 "ARGS: error parsing value of pair \"IP=x\": invalid IP address x"},
		{"{\"ipam\":{}}", "MAC=x", "ARGS: unknown args [\"MAC=x\"]"},
		{"{\"ipam\":\"host-local\"}", "", "ipam: must be an object, is a string"},
		{"{\"ipam\":{\"dataDir\":1}}", "", "dataDir: must be a string, is a number"},
		{"{\"ipam\":{\"resolvConf\":[]}}", "", "resolvConf: must be a string, is an array"},
		{"{\"ipam\":{\"routes\":{}}}", "", "routes: must be an array, is an object"},
		{"{\"ipam\":{\"ranges\":{}}}", "", "ranges: must be an array, is an object"},
		{"{\"ipam\":{\"ranges\":[[\"10.0.0.0/8\"]]}}", "",
		 "ranges[0]: [0]: must be an object, is a string"},
		{"{\"ipam\":{\"ranges\":[[{\"rangeStart\":\"10.0.0\"}]]}}", "",
		 "ranges[0]: [0]: rangeStart: invalid IP address: 10.0.0"},
		{"{\"ipam\":{\"rangeEnd\":7}}", "", "rangeEnd: must be a string, is a number"},
		{"{\"ipam\":{},\"runtimeConfig\":[]}", "",
		 "runtimeConfig: must be an object, is an array"},
		{"{\"ipam\":{},\"runtimeConfig\":{\"ipRanges\":7}}", "",
		 "ipRanges: must be an array, is a number"},
		{"{\"ipam\":{},\"runtimeConfig\":{\"ipRanges\":[[],{}]}}", "",
		 "ipRanges[1]: must be an array of ranges, is an object"},
		{"{\"ipam\":{},\"runtimeConfig\":{\"ips\":[1]}}", "",
		 "ips[0]: must be a string, is a number"},
		{"{\"ipam\":{},\"args\":7}", "", "args: must be an object, is a number"},
		{"{\"ipam\":{},\"args\":{\"cni\":7}}", "", "cni: must be an object, is a number"},
		{"{\"ipam\":{},\"args\":{\"cni\":{\"ips\":\"10.0.0.1\"}}}", "",
		 "ips: must be an array, is a string"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].conf);
		struct ipam_conf c;
		struct err err = {0};

		assert_int_not_equal(cni_conf_ipam(root, rows[i].args, &arena, &c, &err), 0);
		assert_string_equal(err.text, rows[i].want);
		json_decref(root);
	}
}

static void test_cni_conf_resolv(void **state)
{
	static const char text[] =
		"# comment\n;x y\n  nameserver 192.0.2.1 \r\nnameserver\t::1 extra\n"
		"domain a.example\ndomain b.example\nsearch one two\nsearch three\n"
		"options ndots:5 debug\nnameserver\nsortlist 1";
	struct cni_dns dns;

	(void)state;
	cni_conf_resolv(text, sizeof(text) - 1, &arena, &dns);
	assert_int_equal(dns.nameservers.n, 2);
	assert_string_equal(dns.nameservers.v[0], "192.0.2.1");
	assert_string_equal(dns.nameservers.v[1], "::1");
	assert_string_equal(dns.domain, "b.example");
	assert_int_equal(dns.search.n, 3);
	assert_string_equal(dns.search.v[2], "three");
	assert_int_equal(dns.options.n, 2);
	assert_string_equal(dns.options.v[1], "debug");
	cni_conf_resolv("", 0, &arena, &dns);
	assert_int_equal(dns.nameservers.n, 0);
}

/* Each key that is true or false, in turn: it is read, and refuses what is neither. */
static void test_cni_conf_bridge_switches(void **state)
{
	static const struct {
		const char *key;
		size_t offset;
	} rows[] = {
		{"isGateway", offsetof(struct bridge_conf, is_gateway)},
		{"isDefaultGateway", offsetof(struct bridge_conf, is_default_gateway)},
		{"forceAddress", offsetof(struct bridge_conf, force_address)},
		{"hairpinMode", offsetof(struct bridge_conf, hairpin)},
		{"promiscMode", offsetof(struct bridge_conf, promisc)},
		{"portIsolation", offsetof(struct bridge_conf, isolated)},
		{"disableContainerInterface", offsetof(struct bridge_conf, disable_iface)},
		{"ipMasq", offsetof(struct bridge_conf, ip_masq)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(arena_printf(&arena, "{\"%s\":true}", rows[i].key));
		struct bridge_conf c;
		struct err err;

		assert_int_equal(cni_conf_bridge(root, "", &arena, &c, NULL), 0);
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
			bool want = j == i || (i == 1 && j == 0); /* a default gateway is one */

			assert_int_equal(((const bool *)&c)[rows[j].offset], want);
		}
		assert_int_equal(cni_conf_bridge_masq(root), strcmp(rows[i].key, "ipMasq") == 0);
		json_decref(root);
		root = parse(arena_printf(&arena, "{\"%s\":\"yes\"}", rows[i].key));
		assert_int_not_equal(cni_conf_bridge(root, "", &arena, &c, &err), 0);
		assert_string_equal(
			err.text,
			arena_printf(
				&arena,
				"failed to load netconf: %s: must be true or false, is a string",
				rows[i].key));
		/* DEL goes on with whatever was configured. */
		assert_false(cni_conf_bridge_masq(root));
		json_decref(root);
	}
}

/* Named by what the reference plugin calls it; "" and absent mean the one that there is. */
static void test_cni_conf_masq_backends(void **state)
{
	static const char *const names[] = {"", "iptables", "nftables"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *root = parse(arena_printf(&arena, "{\"ipMasqBackend\":\"%s\"}", names[i]));
		struct bridge_conf c;

		assert_int_equal(cni_conf_bridge(root, "", &arena, &c, NULL), 0);
		json_decref(root);
	}
}

/* What is compared pair by pair has a bound. */
static void test_cni_conf_ipam_limits(void **state)
{
	static const struct {
		const char *head, *item, *tail;
		size_t n;
		const char *want; /* NULL: accepted */
	} rows[] = {
		{"{\"ipam\":{\"ranges\":[[", "{}", "]]}}", 1024, NULL},
		{"{\"ipam\":{\"ranges\":[[", "{}", "]]}}", 1025,
		 "ranges[0]: 1025 ranges, more than 1024"},
		{"{\"ipam\":{\"ranges\":[", "[]", "]}}", 1024, NULL},
		{"{\"ipam\":{\"ranges\":[", "[]", "]}}", 1025, "ranges: more than 1024 sets"},
		{"{\"ipam\":{\"ranges\":[[]]},\"runtimeConfig\":{\"ipRanges\":[", "[]", "]}}", 1024,
		 "ranges: more than 1024 sets"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static char text[8192];
		struct text t = TEXT(text);
		struct ipam_conf c;
		struct err err = {0};
		json_t *root;

		text_add(&t, "%s", rows[i].head);
		for (size_t n = 0; n < rows[i].n; n++)
			text_add(&t, "%s%s", n ? "," : "", rows[i].item);
		text_add(&t, "%s", rows[i].tail);
		assert_false(t.cut);
		root = parse(text);
		assert_int_equal(cni_conf_ipam(root, "", &arena, &c, &err) < 0,
				 rows[i].want != NULL);
		assert_string_equal(err.text, rows[i].want ? rows[i].want : "");
		json_decref(root);
	}
}

static void test_cni_conf_ipam_dir(void **state)
{
	static const struct {
		const char *conf, *want; /* the folder, or with "!" the error */
	} rows[] = {
		{"{}", "/var/lib/cni/networks"},
		{"{\"ipam\":{\"dataDir\":\"\"}}", "/var/lib/cni/networks"},
		{"{\"ipam\":{\"dataDir\":\"/d\"}}", "/d"},
		{"{\"ipam\":1}", "!ipam: must be an object, is a number"},
		{"{\"ipam\":{\"dataDir\":1}}", "!dataDir: must be a string, is a number"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].conf);
		const char *dir = "";
		struct err err;

		if (cni_conf_ipam_dir(root, &dir, &err) < 0)
			dir = arena_printf(&arena, "!%s", err.text);
		assert_string_equal(dir, rows[i].want);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cni_conf_bridge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_bridge_mac, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_bridge_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_ipam, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_ipam_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_resolv, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_bridge_switches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_masq_backends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_ipam_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_conf_ipam_dir, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
