/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adopt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_accepts_in_foreign_chains(void **state)
{
	static const struct {
		const char *what;
		struct fw_chain have;
		bool may_delete;
	} rows[] = {
		{"none of ours", {.owner = FW_OWNER_IPTABLES}, false},
		{"ours in iptables' chain", {.owner = FW_OWNER_IPTABLES, .n_ours = 2}, true},
		{"too many of ours", {.owner = FW_OWNER_IPTABLES, .ours_extra = true}, true},
		{"we may not write there",
		 {.owner = FW_OWNER_IPTABLES, .n_ours = 2, .table_owned = true},
		 false},
		{"put into a native chain by hand, as the status advised",
		 {.owner = FW_OWNER_NATIVE, .n_ours = 2},
		 false},
		{"in the tables of iptables-legacy",
		 {.owner = FW_OWNER_LEGACY, .table = "nat", .chain = "FLANNEL-POSTRTG"},
		 false},
		{"called flannel's by mistake",
		 {.owner = FW_OWNER_FLANNEL, .table = "nat", .chain = "POSTROUTING"},
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct object o = {.kind = OBJECT_FW_CHAIN, .fw_chain = &rows[i].have};

		for (int uninstall = 0; uninstall < 2; uninstall++) {
			struct adopt rule = {
				.uninstall = uninstall, .masquerades = true, .accepts = true};

			if (adopt_may_delete(&rule, &o) != rows[i].may_delete)
				fail_msg("%s, uninstall %d", rows[i].what, uninstall);
		}
	}
}

/* flannel's firewall goes where ours does the same. */
static void test_firewall_of_flannel(void **state)
{
	const struct fw_chain masq = {
		.owner = FW_OWNER_FLANNEL, .table = "nat", .chain = "FLANNEL-POSTRTG"};
	const struct fw_chain fwd = {
		.owner = FW_OWNER_FLANNEL, .table = "filter", .chain = "FLANNEL-FWD"};
	struct fw_table both = {.name = "flannel-ipv4", .n_chains = 2}, empty = both,
			accepting = both, ours = {.name = "loden"};
	struct object o[] = {
		{.kind = OBJECT_FW_CHAIN, .fw_chain = &masq},
		{.kind = OBJECT_FW_CHAIN, .fw_chain = &fwd},
		{.kind = OBJECT_FW_TABLE, .fw_table = &both},
		{.kind = OBJECT_FW_TABLE, .fw_table = &accepting},
		{.kind = OBJECT_FW_TABLE, .fw_table = &empty},
		{.kind = OBJECT_FW_TABLE, .fw_table = &ours},
	};

	static const struct {
		bool masquerades, accepts;
		const char *goes; /* per object */
	} rows[] = {
		{true, true, "yyyyyy"},
		{true, false, "ynnnyy"},
		{false, true, "nynyyy"},
		{false, false, "nnnnny"},
	};

	(void)state;
	both.chains[0].nat = true;
	accepting.n_chains = 1;
	empty.n_chains = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct adopt rule = {.masquerades = rows[i].masquerades,
				     .accepts = rows[i].accepts};

		for (size_t k = 0; k < ARRAY_SIZE(o); k++) {
			if (adopt_may_delete(&rule, &o[k]) != (rows[i].goes[k] == 'y'))
				fail_msg("row %zu, object %zu", i, k);
			assert_int_equal(adopt_is_flannel_firewall(&o[k]), k < 5);
		}
	}
}

static void test_addresses(void **state)
{
	static const struct {
		enum dev dev;
		const char *cidr;
		bool may_delete;
	} rows[] = {
		{DEV_VXLAN, "10.7.7.7/16", true},     {DEV_VXLAN, "169.254.7.7/16", true},
		{DEV_VXLAN, "fd00::1/64", true},      {DEV_VXLAN, "fe80::1/64", false},
		{DEV_BRIDGE, "10.244.9.1/24", true},  {DEV_BRIDGE, "192.168.77.1/24", false},
		{DEV_UPLINK, "10.244.9.1/24", false}, {DEV_NONE, "10.244.9.1/24", false},
	};
	struct adopt rule = {0};

	(void)state;
	cidr_parse("10.244.0.0/16", &rule.network);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct addr a = {.dev = rows[i].dev};
		struct object o = {.kind = OBJECT_ADDR, .addr = &a};

		cidr_parse(rows[i].cidr, &a.cidr);
		if (adopt_may_delete(&rule, &o) != rows[i].may_delete)
			fail_msg("%s dev %s", rows[i].cidr, dev_names[rows[i].dev]);
	}
}

static void test_routes(void **state)
{
	static const struct {
		struct route route;
		const char *dst;
		bool may_delete;
	} rows[] = {
		{{.dev = DEV_VXLAN, .proto = 4}, "172.16.0.0/12", true},
		{{.dev = DEV_VXLAN, .proto = 2}, "fe80::/64", false}, /* the kernel's own */
		{{.dev = DEV_VXLAN, .proto = 9}, "2001:db8::/64", false},
		{{.nhid = 7, .proto = 102}, "10.244.1.0/24", true},
		{{.type = ROUTE_BLACKHOLE, .proto = 102}, "10.244.1.0/24", true},
		/* Another instance bears the same mark. */
		{{.type = ROUTE_BLACKHOLE, .proto = 102}, "10.99.1.0/24", false},
		{{.nhid = 7, .proto = 102}, "10.99.1.0/24", false},
		{{.proto = 4}, "10.244.1.0/24", false},
	};
	struct adopt rule = {0};

	(void)state;
	cidr_parse("10.244.0.0/16", &rule.network);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct route r = rows[i].route;
		struct object o = {.kind = OBJECT_ROUTE, .route = &r};

		cidr_parse(rows[i].dst, &r.dst);
		if (adopt_may_delete(&rule, &o) != rows[i].may_delete)
			fail_msg("%s", rows[i].dst);
	}
}

static void test_links_stay_until_uninstall(void **state)
{
	struct link vxlan = {.dev = DEV_VXLAN}, bridge = {.dev = DEV_BRIDGE};
	struct object v = {.kind = OBJECT_LINK, .link = &vxlan};
	struct object b = {.kind = OBJECT_LINK, .link = &bridge};
	const struct adopt run = {0}, uninstall = {.uninstall = true},
			   all = {.uninstall = true, .uninstall_bridge = true};

	(void)state;
	assert_false(adopt_may_delete(&run, &v));
	assert_false(adopt_may_delete(&run, &b));
	assert_true(adopt_may_delete(&uninstall, &v));
	assert_false(adopt_may_delete(&uninstall, &b));
	assert_true(adopt_may_delete(&all, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_in_foreign_chains),
		cmocka_unit_test(test_firewall_of_flannel),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_links_stay_until_uninstall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
