/* SPDX-License-Identifier: Apache-2.0 */
#include "model/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct devmap devs = {.dev = {[DEV_VXLAN] = {5, "flannel.1"}}};

static void assert_line(enum op_verb verb, enum object_kind kind, const void *object,
			const void *old, const char *want)
{
	struct op op = {.verb = verb, .object = {.kind = kind, .any = object}};
	char buf[OP_STRLEN] = "";
	struct text t = TEXT(buf);

	if (old)
		op.old = (struct object){.kind = kind, .any = old};
	op_format(&op, &devs, &t);
	assert_string_equal(buf, want);
}

static void test_lines(void **state)
{
	struct route route = {.proto = ROUTE_PROTO_LODEN, .onlink = true, .dev = DEV_VXLAN};
	struct neigh neigh = {.dev = DEV_VXLAN, .mac = {{2, 0, 0, 0, 0, 9}}, .permanent = true};
	struct neigh old_neigh = {.dev = DEV_VXLAN, .mac = {{2, 0, 0, 0, 0, 2}}};
	struct addr addr = {.dev = DEV_VXLAN};
	struct link link = {
		.dev = DEV_BRIDGE, .kind = LINK_BRIDGE, .name = "cni0", .mtu_bytes = 1450};
	struct link old_link = link;
	struct fw_table table = {.name = "loden", .n_chains = 1, .chains = {{.name = "forward"}}};
	struct fw_table old_table = {.name = "loden"};

	(void)state;
	route.dst = (struct cidr){.ip = ip_from_v4(0x0af40100), .len = 24};
	route.via = neigh.ip = old_neigh.ip = route.dst.ip;
	addr.cidr = cidr_host(&route.via);
	old_link.mtu_bytes = 1500;
	assert_line(OP_ADD, OBJECT_ROUTE, &route, NULL,
		    "route.add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink");
	assert_line(OP_DEL, OBJECT_ROUTE, &route, NULL,
		    "route.del 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink");
	assert_line(OP_ADD, OBJECT_ADDR, &addr, NULL, "addr.add 10.244.1.0/32 dev flannel.1");
	assert_line(OP_SET, OBJECT_NEIGH, &neigh, &old_neigh,
		    "neigh.set 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:09 "
		    "(was mac 02:00:00:00:00:02 not permanent)");
	assert_line(OP_SET, OBJECT_LINK, &link, &old_link,
		    "link.set cni0 bridge mtu 1450 down (mtu 1500 -> 1450)");
	assert_line(OP_RECREATE, OBJECT_LINK, &link, &link,
		    "link.recreate cni0 bridge mtu 1450 down");
	assert_line(OP_SET, OBJECT_FW_TABLE, &table, &old_table,
		    "fw_table.set ip loden chains forward:0 (chain forward missing)");
}

static void test_too_long_is_cut(void **state)
{
	struct envfile env;
	struct op op = {.object = {.kind = OBJECT_ENVFILE, .envfile = &env}};
	char buf[OP_STRLEN] = "";
	struct text t = TEXT(buf);

	(void)state;
	memset(env.text, 'x', sizeof(env.text));
	env.text[sizeof(env.text) - 1] = '\0';
	op_format(&op, &devs, &t);
	assert_true(t.cut);
	assert_int_equal(strlen(buf), OP_STRLEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
