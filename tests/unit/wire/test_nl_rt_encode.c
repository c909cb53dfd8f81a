/* SPDX-License-Identifier: Apache-2.0 */
/* Of wire/nl_rt what is written: ops and dumps. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "nl_rt_scene.h"

static void test_what_is_encoded_is_decoded(void **state)
{
	const struct addr addrs[] = {{DEV_VXLAN, cidr("10.244.1.0/32")},
				     {DEV_BRIDGE, cidr("10.244.1.1/24")},
				     {DEV_VXLAN6, cidr("fd00::1/128")}};
	const struct neigh neigh = {DEV_VXLAN, ip("10.244.2.0"), {{2, 0, 0, 0, 0, 1}}, true};
	const struct neigh neigh6 = {DEV_VXLAN6, ip("fd00:2::"), {{2, 0, 0, 0, 0, 1}}, true};
	const struct fdb fdb = {DEV_VXLAN, {{2, 0, 0, 0, 0, 1}}, ip("192.168.0.2"), true};
	const struct fdb fdb6 = {DEV_VXLAN6, {{2, 0, 0, 0, 0, 1}}, ip("fd01::2"), true};
	const struct route routes[] = {
		{.dst = cidr("10.244.2.0/24"),
		 .proto = 102,
		 .onlink = true,
		 .dev = DEV_VXLAN,
		 .scope = 199,
		 .via = ip("10.244.2.0")},
		{.dst = cidr("10.244.2.0/24"), .proto = 102, .nhid = BASE + 9},
		{.dst = cidr("10.244.0.0/24"), .proto = 102, .type = ROUTE_BLACKHOLE},
		{.dst = cidr("fd00:2::/64"),
		 .proto = 102,
		 .onlink = true,
		 .dev = DEV_VXLAN6,
		 .metric = 1024,
		 .via = ip("fd00:2::")},
	};
	const struct object objects[] = {
		{.kind = OBJECT_ADDR, .addr = &addrs[0]},
		{.kind = OBJECT_ADDR, .addr = &addrs[1]},
		{.kind = OBJECT_ADDR, .addr = &addrs[2]},
		{.kind = OBJECT_NEIGH, .neigh = &neigh},
		{.kind = OBJECT_NEIGH, .neigh = &neigh6},
		{.kind = OBJECT_FDB, .fdb = &fdb},
		{.kind = OBJECT_FDB, .fdb = &fdb6},
		{.kind = OBJECT_ROUTE, .route = &routes[0]},
		{.kind = OBJECT_ROUTE, .route = &routes[1]},
		{.kind = OBJECT_ROUTE, .route = &routes[2]},
		{.kind = OBJECT_ROUTE, .route = &routes[3]},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		struct op op = {.verb = i % 2 ? OP_ADD : OP_SET, .object = objects[i]};
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;

		assert_int_equal(nl_rt_encode(&b, &op, &map, 42), 0);
		m = message(&b);
		assert_int_equal(m.seq, 42);
		assert_true(m.flags & NLM_F_REQUEST && m.flags & NLM_F_CREATE);
		assert_int_equal(nl_rt_decode(&m, &ours, &o), 0);
		assert_int_equal(o.object.kind, objects[i].kind);
		assert_true(object_eq(&o.object, &objects[i]));
		/* None is longer than what a batch is sized for. */
		assert_true(b.len <= 84);
	}
}

/* A removal names all that tells two routes of one slot apart, and no scope. */
static void test_route_removal_is_exact(void **state)
{
	const struct route r = {.dst = cidr("10.244.2.0/24"),
				.proto = 3,
				.onlink = true,
				.dev = DEV_VXLAN,
				.metric = 7,
				.via = ip("10.244.2.0")};
	struct op op = {.verb = OP_DEL, .object = {.kind = OBJECT_ROUTE, .route = &r}};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes attrs;
	struct rtmsg head;
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_rt_encode(&b, &op, &map, 1), 0);
	m = message(&b);
	assert_int_equal(m.type, RTM_DELROUTE);
	assert_int_equal(m.flags, NLM_F_REQUEST);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.rtm_scope, RT_SCOPE_NOWHERE);
	assert_int_equal(head.rtm_protocol, 3);
	assert_true(nl_attr_find(attrs, RTA_OIF, &a) && nl_get_u32(&a) == VXLAN);
	assert_true(nl_attr_find(attrs, RTA_PRIORITY, &a) && nl_get_u32(&a) == 7);
	assert_true(nl_attr_find(attrs, RTA_GATEWAY, &a));
}

/* Somebody else's: by the link's number, and the type that the kernel gave it. */
static void test_removal_of_a_route_of_others_is_exact(void **state)
{
	const struct route r = {.dst = cidr("10.244.2.0/24"),
				.type = ROUTE_OTHER,
				.proto = 4,
				.oif = OTHER,
				.rtn = RTN_PROHIBIT};
	struct op op = {.verb = OP_DEL, .object = {.kind = OBJECT_ROUTE, .route = &r}};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes attrs;
	struct rtmsg head;
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_rt_encode(&b, &op, &map, 1), 0);
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.rtm_protocol, 4);
	assert_int_equal(head.rtm_type, RTN_PROHIBIT);
	assert_true(nl_attr_find(attrs, RTA_OIF, &a) && nl_get_u32(&a) == OTHER);
}

static void test_a_role_without_link_cannot_be_encoded(void **state)
{
	const struct neigh n = {DEV_VXLAN, ip("10.244.2.0"), {{2, 0, 0, 0, 0, 1}}, true};
	struct op op = {.verb = OP_ADD, .object = {.kind = OBJECT_NEIGH, .neigh = &n}};
	struct devmap none = {0};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	assert_int_equal(nl_rt_encode(&b, &op, &none, 1), -ENODEV);
	assert_int_equal(b.len, 0);
	b.size_bytes = 32;
	assert_int_equal(nl_rt_encode(&b, &op, &map, 1), -ENOBUFS);
	assert_int_equal(b.len, 0);
}

static void test_what_is_gone_counts_as_removed(void **state)
{
	const struct route r = {.nhid = 5}, without = {.dev = DEV_VXLAN};
	const struct neigh n = {.dev = DEV_VXLAN};
	struct op plain = {.verb = OP_DEL, .object = {.kind = OBJECT_ROUTE, .route = &without}};
	struct op neigh = {.verb = OP_DEL, .object = {.kind = OBJECT_NEIGH, .neigh = &n}};
	struct op route = {.verb = OP_DEL, .object = {.kind = OBJECT_ROUTE, .route = &r}};
	struct op add = {.verb = OP_ADD, .object = {.kind = OBJECT_ROUTE, .route = &r}};

	(void)state;
	assert_true(nl_rt_done(&route, 0));
	assert_true(nl_rt_done(&route, -ESRCH));
	assert_true(nl_rt_done(&route, -EINVAL));
	assert_true(nl_rt_done(&route, -ENOENT));
	assert_true(nl_rt_done(&route, -ENODEV));
	assert_true(nl_rt_done(&route, -EADDRNOTAVAIL));
	assert_false(nl_rt_done(&route, -EPERM));
	assert_false(nl_rt_done(&plain, -EINVAL));
	assert_false(nl_rt_done(&neigh, -EINVAL));
	assert_true(nl_rt_done(&neigh, -ENOENT));
	assert_false(nl_rt_done(&add, -ESRCH));
	assert_true(nl_rt_done(&add, 0));
}

static void test_dumps_are_filtered_by_the_kernel(void **state)
{
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes attrs;
	struct ndmsg neigh;
	struct rtmsg route;
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_rt_dump(&b, OBJECT_FDB, VXLAN, false, 1), 0);
	m = message(&b);
	assert_int_equal(m.type, RTM_GETNEIGH);
	assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_true(nl_header(&m, &neigh, sizeof(neigh), &attrs));
	assert_int_equal(neigh.ndm_family, AF_BRIDGE);
	assert_true(nl_attr_find(attrs, NDA_IFINDEX, &a) && nl_get_u32(&a) == VXLAN);
	b.len = 0;
	assert_int_equal(nl_rt_dump(&b, OBJECT_ROUTE, 0, true, 1), 0);
	m = message(&b);
	assert_true(nl_header(&m, &route, sizeof(route), &attrs));
	assert_int_equal(route.rtm_family, AF_INET6);
	assert_int_equal(route.rtm_table, RT_TABLE_MAIN);
	b.len = 0;
	assert_int_equal(nl_rt_dump(&b, OBJECT_NEIGH, VXLAN, true, 1), 0);
	m = message(&b);
	assert_true(nl_header(&m, &neigh, sizeof(neigh), &attrs));
	assert_int_equal(neigh.ndm_family, AF_UNSPEC);
	assert_true(nl_attr_find(attrs, NDA_IFINDEX, &a) && nl_get_u32(&a) == VXLAN);
}

/* Addresses and nexthops come whole: the kernel would filter by one link, not by several. */
static void test_dumps_of_all(void **state)
{
	static const struct {
		enum object_kind kind;
		uint16_t type;
		size_t head_bytes;
	} cases[] = {
		{OBJECT_ADDR, RTM_GETADDR, sizeof(struct ifaddrmsg)},
		{OBJECT_NEXTHOP, RTM_GETNEXTHOP, sizeof(struct nhmsg)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[64], zero[16] = {0};
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;

		assert_int_equal(nl_rt_dump(&b, cases[i].kind, VXLAN, true, 3), 0);
		m = message(&b);
		assert_int_equal(m.type, cases[i].type);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
		assert_int_equal(m.body.n, cases[i].head_bytes);
		assert_memory_equal(m.body.p, zero, m.body.n);
		b = (struct nl_buf){.bytes = bytes, .size_bytes = 16};
		assert_int_equal(nl_rt_dump(&b, cases[i].kind, VXLAN, true, 3), -ENOBUFS);
	}
}

/* What a removal names, of each kind: what tells it from others, and nothing that may have changed. */
static void test_removals(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	const struct addr addr = {DEV_BRIDGE, cidr("10.244.1.1/24")};
	const struct nexthop nexthop = {BASE + 9, ip("10.244.2.0"), DEV_VXLAN, true};
	const struct neigh neigh = {DEV_VXLAN, ip("10.244.2.0"), mac, true};
	const struct fdb fdbs[] = {
		{DEV_VXLAN, mac, ip("192.168.0.2"), true},
		/* With a port or VNI of its own, or none: all behind the MAC. */
		{DEV_VXLAN, mac, ip("192.168.0.2"), false},
		{DEV_VXLAN, mac, {{0}}, true},
	};

	const struct {
		struct object object;
		uint16_t type;
		size_t head_bytes;
		uint16_t attrs[4]; /* exactly these */
	} cases[] = {
		{{.kind = OBJECT_ADDR, .addr = &addr},
		 RTM_DELADDR,
		 sizeof(struct ifaddrmsg),
		 {IFA_LOCAL, IFA_ADDRESS}},
		{{.kind = OBJECT_NEXTHOP, .nexthop = &nexthop},
		 RTM_DELNEXTHOP,
		 sizeof(struct nhmsg),
		 {NHA_ID}},
		{{.kind = OBJECT_NEIGH, .neigh = &neigh},
		 RTM_DELNEIGH,
		 sizeof(struct ndmsg),
		 {NDA_DST}},
		{{.kind = OBJECT_FDB, .fdb = &fdbs[0]},
		 RTM_DELNEIGH,
		 sizeof(struct ndmsg),
		 {NDA_LLADDR, NDA_DST}},
		{{.kind = OBJECT_FDB, .fdb = &fdbs[1]},
		 RTM_DELNEIGH,
		 sizeof(struct ndmsg),
		 {NDA_LLADDR}},
		{{.kind = OBJECT_FDB, .fdb = &fdbs[2]},
		 RTM_DELNEIGH,
		 sizeof(struct ndmsg),
		 {NDA_LLADDR}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct op op = {.verb = OP_DEL, .object = cases[i].object};
		struct nl_bytes attrs;
		uint8_t bytes[128], head[32];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_attr a;
		struct nl_msg m;
		size_t n = 0;

		assert_int_equal(nl_rt_encode(&b, &op, &map, 1), 0);
		m = message(&b);
		assert_int_equal(m.type, cases[i].type);
		assert_int_equal(m.flags, NLM_F_REQUEST);
		assert_true(nl_header(&m, head, cases[i].head_bytes, &attrs));
		for (; nl_attr_next(&attrs, &a); n++)
			assert_int_equal(a.type, cases[i].attrs[n]);
		assert_int_equal(cases[i].attrs[n], 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_encoded_is_decoded),
		cmocka_unit_test(test_route_removal_is_exact),
		cmocka_unit_test(test_removal_of_a_route_of_others_is_exact),
		cmocka_unit_test(test_a_role_without_link_cannot_be_encoded),
		cmocka_unit_test(test_what_is_gone_counts_as_removed),
		cmocka_unit_test(test_dumps_are_filtered_by_the_kernel),
		cmocka_unit_test(test_dumps_of_all),
		cmocka_unit_test(test_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
