/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define V4(a, b, c, d)                                                      \
 {                                                                          \
  {                                                                         \
   [10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c), [15] = (d) \
  }                                                                         \
 }
#define MAC(last)        \
 {                       \
  {                      \
   2, 0, 0, 0, 0, (last) \
  }                      \
 }

static const struct link vxlan = {
	.dev = DEV_VXLAN,
	.kind = LINK_VXLAN,
	.name = "flannel.1",
	.mac = MAC(1),
	.mtu_bytes = 1450,
	.up = true,
	.alias = "loden",
	.vxlan = {.vni = 1, .port = 8472, .local = V4(192, 168, 0, 1), .lower = DEV_UPLINK},
};
static const struct link strange = {
	.dev = DEV_VXLAN,
	.kind = LINK_VXLAN,
	.mtu_bytes = 1500,
	.alias = "a\nb",
	.vxlan = {.vni = 2,
		  .port = 4789,
		  .learning = true,
		  .gbp = true,
		  .l2miss = true,
		  .l3miss = true,
		  .proxy = true,
		  .rsc = true,
		  .external = true,
		  .group = true},
};
static const struct link bridge = {.dev = DEV_BRIDGE, .kind = LINK_BRIDGE, .name = "cni0"};
static const struct sysctl forward = {"net/ipv4/ip_forward", "1"};
static const struct sysctl unread = {"net/ipv4/ip_forward", ""};
static const struct addr addr = {DEV_VXLAN, {V4(10, 244, 0, 0), 32}};
static const struct nexthop nexthop = {7, V4(10, 244, 1, 0), DEV_VXLAN, true};
static const struct neigh neigh = {DEV_VXLAN, V4(10, 244, 1, 0), MAC(2), true};
static const struct neigh learned = {DEV_VXLAN, V4(10, 244, 1, 0), MAC(2), false};
static const struct fdb fdb = {DEV_VXLAN, MAC(2), V4(192, 168, 0, 2), true};
static const struct fdb fdb6 = {DEV_VXLAN6, MAC(2), {{0xfd, [15] = 1}}, false};
static const struct route route = {
	.dst = {V4(10, 244, 1, 0), 24},
	.proto = ROUTE_PROTO_LODEN,
	.onlink = true,
	.dev = DEV_VXLAN,
	.via = V4(10, 244, 1, 0),
};
static const struct route by_id = {
	.dst = {V4(10, 244, 1, 0), 24}, .proto = ROUTE_PROTO_LODEN, .nhid = 7, .metric = 5};
static const struct route blackhole = {
	.dst = {V4(10, 244, 0, 0), 24}, .type = ROUTE_BLACKHOLE, .proto = 3};
static const struct route connected = {
	.dst = {V4(10, 244, 0, 0), 24}, .proto = 2, .dev = DEV_BRIDGE};
static const struct fw_table table = {
	.family = FW_IP,
	.name = "loden",
	.n_chains = 2,
	.chains = {{.name = "forward", .n_rules = 2}, {.name = "postrouting", .n_rules = 6}},
};
static const struct fw_table empty_table = {.family = FW_IP6, .name = "loden", .dormant = true};
static const struct fw_chain chain = {
	.family = FW_IP,
	.table = "filter",
	.chain = "FORWARD",
	.n_ours = 2,
	.ours = {{.saddr = {V4(10, 244, 0, 0), 16}, .verdict = FW_ACCEPT},
		 {.daddr = {V4(10, 244, 0, 0), 16}, .verdict = FW_ACCEPT}},
};
static const struct fw_chain dropping = {
	.family = FW_IP,
	.table = "filter",
	.chain = "FORWARD",
	.n_before = 3,
	.policy_drop = true,
	.drops_before_ours = true,
};
static const struct guard_peer guard_peer = {{{[10] = 0xff, 0xff, 192, 168, 0, 2}}};
static const struct guard guard = {.family = FW_IP, .port = 8472};
static const struct guard guard6 = {.family = FW_IP6, .port = 4789, .altered = true};
static const struct envfile envfile = {"FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"};
static const struct envfile absent = {""};

static const struct {
	enum object_kind kind;
	const void *any;
	const char *text;
} samples[] = {
	{OBJECT_LINK, &vxlan,
	 "link flannel.1 vxlan vni 1 port 8472 local 192.168.0.1 lower eth0 mtu 1450 "
	 "mac 02:00:00:00:00:01 up alias loden"},
	{OBJECT_LINK, &strange,
	 "link flannel.1 vxlan vni 2 port 4789 learning gbp l2miss l3miss proxy rsc external group "
	 "mtu 1500 down alias a\\x0ab"},
	{OBJECT_LINK, &bridge, "link cni0 bridge down"},
	{OBJECT_SYSCTL, &forward, "sysctl net/ipv4/ip_forward = 1"},
	{OBJECT_SYSCTL, &unread, "sysctl net/ipv4/ip_forward unreadable"},
	{OBJECT_ADDR, &addr, "addr 10.244.0.0/32 dev flannel.1"},
	{OBJECT_NEXTHOP, &nexthop, "nexthop id 7 via 10.244.1.0 dev flannel.1 onlink"},
	{OBJECT_NEIGH, &neigh, "neigh 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:02"},
	{OBJECT_NEIGH, &learned,
	 "neigh 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:02 not permanent"},
	{OBJECT_FDB, &fdb, "fdb 02:00:00:00:00:02 dev flannel.1 dst 192.168.0.2"},
	{OBJECT_FDB, &fdb6, "fdb 02:00:00:00:00:02 dev vxlan6 dst fd00::1 not permanent"},
	{OBJECT_ROUTE, &route, "route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"},
	{OBJECT_ROUTE, &by_id, "route 10.244.1.0/24 metric 5 nhid 7"},
	{OBJECT_ROUTE, &blackhole, "route 10.244.0.0/24 blackhole proto 3"},
	{OBJECT_ROUTE, &connected, "route 10.244.0.0/24 dev bridge proto 2"},
	{OBJECT_FW_TABLE, &table, "fw_table ip loden chains forward:2 postrouting:6"},
	{OBJECT_FW_TABLE, &empty_table, "fw_table ip6 loden empty dormant"},
	{OBJECT_FW_CHAIN, &chain,
	 "fw_chain ip filter FORWARD saddr 10.244.0.0/16 accept, daddr 10.244.0.0/16 accept"},
	{OBJECT_FW_CHAIN, &dropping,
	 "fw_chain ip filter FORWARD without our accepts, behind 3 rules, behind a drop, policy drop"},
	{OBJECT_GUARD_PEER, &guard_peer, "guard_peer 192.168.0.2"},
	{OBJECT_GUARD, &guard, "guard ip udp port 8472 from peers alone"},
	{OBJECT_GUARD, &guard6, "guard ip6 udp port 4789 from peers alone altered"},
	{OBJECT_ENVFILE, &envfile, "envfile subnet.env FLANNEL_MTU=1450 FLANNEL_IPMASQ=true"},
	{OBJECT_ENVFILE, &absent, "envfile subnet.env absent"},
};

static struct object sample(size_t i)
{
	return (struct object){.kind = samples[i].kind, .any = samples[i].any};
}

static const struct devmap devs = {
	.dev = {[DEV_UPLINK] = {2, "eth0"}, [DEV_VXLAN] = {5, "flannel.1"}},
};

static void test_each_kind_is_one_line(void **state)
{
	unsigned kinds = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct object o = sample(i);
		char buf[300] = "";
		struct text t = TEXT(buf);

		object_format(&o, &devs, &t);
		assert_string_equal(buf, samples[i].text);
		assert_int_equal(t.len, strlen(buf));
		kinds |= OBJECT_BIT(o.kind);
	}
	assert_int_equal(kinds, OBJECT_ALL);
}

static void test_names_fall_back_to_roles(void **state)
{
	struct object o = {.kind = OBJECT_ADDR, .addr = &addr};
	char buf[100] = "";
	struct text t = TEXT(buf);

	(void)state;
	object_format(&o, NULL, &t);
	assert_string_equal(buf, "addr 10.244.0.0/32 dev vxlan");
}

/* Samples of one kind with different texts are different; equal to themselves alone. */
static void test_eq_and_hash_follow_the_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
			struct object a = sample(i), b = sample(j);

			if (a.kind != b.kind) {
				assert_true(object_key_hash(&a) != object_key_hash(&b));
				continue;
			}
			assert_int_equal(object_eq(&a, &b), i == j);
			assert_int_equal(object_key_hash(&a) == object_key_hash(&b),
					 object_cmp(&a, &b) == 0);
			assert_int_equal(object_cmp(&a, &b) < 0, object_cmp(&b, &a) > 0);
		}
}

#define ASSERT_FIELD(kind_, type, base, field, value, same_key)             \
 do {                                                                       \
  struct type changed_ = base;                                              \
  struct object a_ = {.kind = kind_, .any = &base};                         \
  struct object b_ = {.kind = kind_, .any = &changed_};                     \
  changed_.field = value;                                                   \
  assert_false(object_eq(&a_, &b_));                                        \
  assert_int_equal(object_cmp(&a_, &b_) == 0, same_key);                    \
  assert_int_equal(object_key_hash(&a_) == object_key_hash(&b_), same_key); \
 } while (0)

static void test_each_field_is_key_or_value(void **state)
{
	(void)state;
	ASSERT_FIELD(OBJECT_LINK, link, vxlan, dev, DEV_BRIDGE, false);
	ASSERT_FIELD(OBJECT_LINK, link, vxlan, mtu_bytes, 9, true);
	ASSERT_FIELD(OBJECT_SYSCTL, sysctl, forward, path[0], 'x', false);
	ASSERT_FIELD(OBJECT_SYSCTL, sysctl, forward, value[0], '0', true);
	ASSERT_FIELD(OBJECT_ADDR, addr, addr, dev, DEV_BRIDGE, false);
	ASSERT_FIELD(OBJECT_ADDR, addr, addr, cidr.len, 24, false);
	ASSERT_FIELD(OBJECT_ADDR, addr, addr, cidr.ip.b[15], 1, false);
	ASSERT_FIELD(OBJECT_NEXTHOP, nexthop, nexthop, id, 8, false);
	ASSERT_FIELD(OBJECT_NEXTHOP, nexthop, nexthop, via.b[15], 8, true);
	ASSERT_FIELD(OBJECT_NEXTHOP, nexthop, nexthop, dev, DEV_UPLINK, true);
	ASSERT_FIELD(OBJECT_NEXTHOP, nexthop, nexthop, onlink, false, true);
	ASSERT_FIELD(OBJECT_NEIGH, neigh, neigh, dev, DEV_VXLAN6, false);
	ASSERT_FIELD(OBJECT_NEIGH, neigh, neigh, ip.b[15], 1, false);
	ASSERT_FIELD(OBJECT_NEIGH, neigh, neigh, mac.b[5], 9, true);
	ASSERT_FIELD(OBJECT_FDB, fdb, fdb, dev, DEV_VXLAN6, false);
	ASSERT_FIELD(OBJECT_FDB, fdb, fdb, mac.b[5], 9, false);
	ASSERT_FIELD(OBJECT_FDB, fdb, fdb, dst.b[15], 9, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, dst.len, 25, false);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, dst.ip.b[15], 1, false);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, metric, 1, false);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, type, ROUTE_OTHER, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, proto, 3, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, onlink, false, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, dev, DEV_UPLINK, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, nhid, 1, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, scope, 9, true);
	ASSERT_FIELD(OBJECT_ROUTE, route, route, via.b[15], 1, true);
	ASSERT_FIELD(OBJECT_FW_TABLE, fw_table, table, family, FW_INET, false);
	ASSERT_FIELD(OBJECT_FW_TABLE, fw_table, table, name[0], 'x', false);
	ASSERT_FIELD(OBJECT_FW_TABLE, fw_table, table, n_chains, 1, true);
	ASSERT_FIELD(OBJECT_FW_CHAIN, fw_chain, chain, family, FW_IP6, false);
	ASSERT_FIELD(OBJECT_FW_CHAIN, fw_chain, chain, table[0], 'x', false);
	ASSERT_FIELD(OBJECT_FW_CHAIN, fw_chain, chain, chain[0], 'x', false);
	ASSERT_FIELD(OBJECT_FW_CHAIN, fw_chain, chain, n_before, 1, true);
	ASSERT_FIELD(OBJECT_GUARD_PEER, guard_peer, guard_peer, ip.b[15], 9, false);
	ASSERT_FIELD(OBJECT_GUARD, guard, guard, family, FW_IP6, false);
	ASSERT_FIELD(OBJECT_GUARD, guard, guard, port, 4789, true);
	ASSERT_FIELD(OBJECT_GUARD, guard, guard, altered, true, true);
	ASSERT_FIELD(OBJECT_ENVFILE, envfile, envfile, text[0], 'x', true);
}

/* What a removal needs besides says nothing about whether a route is the wanted one. */
static void test_the_number_of_a_link_is_not_compared(void **state)
{
	struct route a = route, b = route;
	const struct object x = {.kind = OBJECT_ROUTE, .route = &a};
	const struct object y = {.kind = OBJECT_ROUTE, .route = &b};
	char buf[200];
	struct text t = TEXT(buf);

	(void)state;
	b.oif = 9;
	b.rtn = 1;
	assert_true(object_eq(&x, &y));
	b.dev = DEV_NONE;
	b.proto = 3;
	object_format_value(&y, NULL, &t);
	assert_non_null(strstr(buf, " ifindex 9 proto 3"));
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < OBJECT__COUNT; i++)
		assert_non_null(object_kind_names[i]);
	for (size_t i = 0; i < ROUTE__COUNT; i++)
		assert_non_null(route_type_names[i]);
	assert_int_equal(object_size(OBJECT_ROUTE), sizeof(struct route));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_is_one_line),
		cmocka_unit_test(test_names_fall_back_to_roles),
		cmocka_unit_test(test_eq_and_hash_follow_the_text),
		cmocka_unit_test(test_each_field_is_key_or_value),
		cmocka_unit_test(test_the_number_of_a_link_is_not_compared),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
