/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_flannel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define STOCK_ENV                                                                  \
 "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\n" \
 "FLANNEL_IPMASQ=true\n"
#define DUAL_ENV                                                                              \
 "FLANNEL_NETWORK=10.244.0.0/16,10.9.1.1/16,10.244.3.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"    \
 "FLANNEL_IPV6_NETWORK=fd00:1::/48\nFLANNEL_IPV6_SUBNET=fd00:1:0:1::1/64\nFLANNEL_MTU=1430\n" \
 "FLANNEL_IPMASQ=false"

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

/* The delegate's configuration as text, or the error. env NULL: none. */
static const char *build(const char *conf, const char *env_text)
{
	json_t *root = parse(conf), *d = NULL;
	const char *version = "";
	struct cni_flannel c;
	struct flannel_env env;
	struct err err;
	const char *out;

	gojson_get_text(root, "cniVersion", &version, NULL);
	if (cni_flannel_conf(root, &c, &err) < 0 ||
	    (env_text && cni_flannel_env(env_text, strlen(env_text), "F", &env, &err) < 0) ||
	    cni_flannel_delegate(&c, "cbr0", version, env_text ? &env : NULL, &d, &err) < 0)
		out = arena_strdup(&arena, err.text);
	else
		out = gojson_print(d, GOJSON_COMPACT | GOJSON_SORTED, &arena, NULL);
	json_decref(d);
	json_decref(root);
	return out;
}

static void test_cni_flannel_delegate(void **state)
{
	static const struct {
		const char *conf, *env, *want;
	} rows[] = {
		/* kube-flannel.yml */
		{"{\"cniVersion\":\"0.3.1\",\"name\":\"cbr0\",\"type\":\"flannel\",\"delegate\":"
		 "{\"hairpinMode\":true,\"isDefaultGateway\":true}}",
		 STOCK_ENV,
		 "{\"cniVersion\":\"0.3.1\",\"hairpinMode\":true,\"ipMasq\":false,\"ipam\":{\"ranges\":"
		 "[[{\"subnet\":\"10.244.1.0/24\"}]],\"routes\":[{\"dst\":\"10.244.0.0/16\"}],\"type\":"
		 "\"host-local\"},\"isDefaultGateway\":true,\"isGateway\":true,\"mtu\":1450,\"name\":"
		 "\"cbr0\",\"type\":\"bridge\"}"},
		{"{\"ipam\":{\"routes\":[{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.244.1.9\"}],\"ranges\":3,"
		 "\"dataDir\":\"/d\"},\"runtimeConfig\":{\"mac\":\"x\"}}",
		 DUAL_ENV,
		 "{\"ipMasq\":true,\"ipam\":{\"dataDir\":\"/d\",\"ranges\":[[{\"subnet\":"
		 "\"10.244.1.0/24\"}],[{\"subnet\":\"fd00:1:0:1::/64\"}]],\"routes\":[{\"dst\":"
		 "\"1.0.0.0/8\",\"gw\":\"10.244.1.9\"},{\"dst\":\"10.244.0.0/16\"},{\"dst\":"
		 "\"10.9.0.0/16\"},{\"dst\":\"fd00:1::/48\"}],\"type\":\"host-local\"},\"isGateway\":"
		 "true,\"mtu\":1430,\"name\":\"cbr0\",\"runtimeConfig\":{\"mac\":\"x\"},\"type\":"
		 "\"bridge\"}"},
		{"{\"delegate\":{\"type\":\"macvlan\",\"mtu\":9,\"ipMasq\":\"odd\"},\"ipam\":{\"type\":"
		 "\"dhcp\"}}",
		 STOCK_ENV,
		 "{\"ipMasq\":\"odd\",\"ipam\":{\"ranges\":[[{\"subnet\":\"10.244.1.0/24\"}]],"
		 "\"routes\":[{\"dst\":\"10.244.0.0/16\"}],\"type\":\"dhcp\"},\"mtu\":9,\"name\":"
		 "\"cbr0\",\"type\":\"macvlan\"}"},
		{"{\"delegate\":{\"isGateway\":false}}", NULL,
		 "{\"ipMasq\":true,\"ipam\":{\"type\":\"host-local\"},\"isGateway\":false,\"name\":\"cbr0\",\"type\":"
		 "\"bridge\"}"},
		{"{\"delegate\":{\"type\":1}}", STOCK_ENV,
		 "'delegate' dictionary, if present, must have (string) 'type' field"},
		{"{\"delegate\":{\"name\":\"x\"}}", STOCK_ENV,
		 "'delegate' dictionary must not have 'name' field, it'll be set by flannel"},
		{"{\"delegate\":{\"ipam\":{}}}", STOCK_ENV,
		 "'delegate' dictionary must not have 'ipam' field, it'll be set by flannel"},
		{"{\"ipam\":{\"routes\":[{}]}}", STOCK_ENV, "routes[0]: dst: missing"},
		{"{\"delegate\":{\"type\":7}}", STOCK_ENV,
		 "'delegate' dictionary, if present, must have (string) 'type' field"},
		{"{\"subnetFile\":7}", STOCK_ENV,
		 "failed to load flannel netconf file: failed to load netconf: subnetFile: must be a "
		 "string, is a number"},
		{"{\"dataDir\":{}}", STOCK_ENV,
		 "failed to load flannel netconf file: failed to load netconf: dataDir: must be a "
		 "string, is an object"},
		{"{\"ipam\":[]}", STOCK_ENV,
		 "failed to load flannel netconf file: failed to load netconf: ipam: must be an "
		 "object, is an array"},
		{"{\"runtimeConfig\":1}", STOCK_ENV,
		 "failed to load flannel netconf file: failed to load netconf: runtimeConfig: must be "
		 "an object, is a number"},
		{"{\"delegate\":[]}", STOCK_ENV,
		 "failed to load flannel netconf file: failed to load netconf: delegate: must be an "
		 "object, is an array"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(build(rows[i].conf, rows[i].env), rows[i].want);
}

static void test_cni_flannel_env_refuses(void **state)
{
	static const struct {
		const char *env, *want;
	} rows[] = {
		{"", "F is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
		     "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
		{"FLANNEL_NETWORK=10.0.0.0/8\nFLANNEL_IPV6_SUBNET=fd00::/64\n",
		 "F is missing FLANNEL_MTU, FLANNEL_IPMASQ"},
		{"FLANNEL_NETWORK=x", "F: FLANNEL_NETWORK: invalid CIDR address: x"},
		{"FLANNEL_NETWORK=fd00::/64",
		 "F: FLANNEL_NETWORK: invalid CIDR address: fd00::/64"},
		{"FLANNEL_NETWORK=10.0.0.0/8,", "F: FLANNEL_NETWORK: invalid CIDR address: "},
		{"FLANNEL_MTU=1450 ", "F: FLANNEL_MTU: not a number: 1450 "},
		{"FLANNEL_MTU=4294967296", "F: FLANNEL_MTU: not a number: 4294967296"},
		{"FLANNEL_MTU=-1", "F: FLANNEL_MTU: not a number: -1"},
		{"FLANNEL_MTU", "F: FLANNEL_MTU: no = behind it"},
		{" FLANNEL_MTU=1\n#FLANNEL_IPMASQ\nOTHER=1\n\n",
		 "F is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
		 "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flannel_env env;
		struct err err = {0};

		assert_int_not_equal(
			cni_flannel_env(rows[i].env, strlen(rows[i].env), "F", &env, &err), 0);
		assert_string_equal(err.text, rows[i].want);
	}
}

static void test_cni_flannel_conf_defaults(void **state)
{
	json_t *root = parse("{\"subnetFile\":\"\"}");
	struct cni_flannel c;

	(void)state;
	assert_int_equal(cni_flannel_conf(root, &c, NULL), 0);
	assert_string_equal(c.subnet_file, "/run/flannel/subnet.env");
	assert_string_equal(c.data_dir, "/var/lib/cni/flannel");
	json_decref(root);
}

static void test_cni_flannel_paths(void **state)
{
	static const struct {
		const char *conf, *subnet_file, *data_dir;
	} rows[] = {
		{"{}", "/run/flannel/subnet.env", "/var/lib/cni/flannel"},
		{"{\"subnetFile\":\"\",\"dataDir\":\"\"}", "/run/flannel/subnet.env",
		 "/var/lib/cni/flannel"},
		{"{\"subnetFile\":\"/s\",\"dataDir\":\"/d\"}", "/s", "/d"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *root = parse(rows[i].conf);
		struct cni_flannel c;

		assert_int_equal(cni_flannel_conf(root, &c, NULL), 0);
		assert_string_equal(c.subnet_file, rows[i].subnet_file);
		assert_string_equal(c.data_dir, rows[i].data_dir);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cni_flannel_delegate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_flannel_env_refuses, setup, teardown),
		cmocka_unit_test(test_cni_flannel_conf_defaults),
		cmocka_unit_test_setup_teardown(test_cni_flannel_paths, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
