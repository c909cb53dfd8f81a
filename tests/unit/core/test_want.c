/* SPDX-License-Identifier: Apache-2.0 */
#include "core/want.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct brain_conf conf = {
	.bridge = true,
	.bridge_name = "cni0",
	.blackhole_route = true,
};

struct node {
	struct netconf net;
	struct uplink uplink;
	struct lease own;
	struct peer peers[4];
	struct want_input in;
	struct arena arena;
	struct netstate want;
};

static void node_init(struct node *n)
{
	char complaints[200];
	struct text t = TEXT(complaints);

	*n = (struct node){
		.net = netconf_defaults(),
		.uplink = {.ifindex = 2, .name = "eth0", .mtu_bytes = 1500, .up = true},
		.own = {.type = BACKEND_VXLAN},
	};
	n->net.backend = BACKEND_VXLAN;
	cidr_parse("10.244.0.0/16", &n->net.network);
	assert_int_equal(netconf_derive(&n->net, &t), 0);
	ip_parse("192.168.0.1", &n->uplink.ip);
	ip_parse("203.0.113.5", &n->uplink.public_ip);
	cidr_parse("10.244.7.0/24", &n->own.subnet);
	for (uint32_t i = 0; i < ARRAY_SIZE(n->peers); i++) {
		n->peers[i].lease = (struct lease){
			.subnet = {ip_from_v4(0x0af40100 + (i << 8)), 24},
			.public_ip = ip_from_v4(0xc0a80002 + i),
			.type = BACKEND_VXLAN,
			.vtep_mac = {{2, 0, 0, 0, 0, (uint8_t)(9 - i)}},
		};
	}
	n->peers[2].state = PEER_REFUSED;
	n->in = (struct want_input){
		.conf = &conf,
		.net = &n->net,
		.uplink = &n->uplink,
		.own = &n->own,
		.peers = n->peers,
		.n_peers = ARRAY_SIZE(n->peers),
		.vtep_mac = {{2, 1, 1, 1, 1, 1}},
	};
	arena_init(&n->arena, 0);
}

/* All lines, for comparison. */
static void assert_want(struct node *n, unsigned kinds, const char *lines)
{
	const struct devmap devs = {.dev = {[DEV_UPLINK] = {2, "eth0"},
					    [DEV_VXLAN] = {3, "flannel.1"},
					    [DEV_VXLAN6] = {5, "flannel-v6.1"},
					    [DEV_BRIDGE] = {4, "cni0"}}};
	char buf[4000] = "";
	struct text t = TEXT(buf);

	arena_reset(&n->arena);
	want_build(&n->in, &n->arena, &n->want);
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		for (size_t i = 0; (kinds & OBJECT_BIT(kind)) && i < n->want.of[kind].n; i++) {
			struct object o = netstate_at(&n->want, (enum object_kind)kind, i);

			object_format(&o, &devs, &t);
			text_add(&t, "\n");
		}
	}
	assert_string_equal(buf, lines);
}

#define PEERS                                                                      \
 (OBJECT_BIT(OBJECT_NEXTHOP) | OBJECT_BIT(OBJECT_NEIGH) | OBJECT_BIT(OBJECT_FDB) | \
  OBJECT_BIT(OBJECT_ROUTE))

static void test_without_a_lease_only_the_device(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	n.in.own = NULL;
	assert_want(&n, OBJECT_ALL,
		    "link flannel.1 vxlan vni 1 port 8472 local 203.0.113.5 lower eth0 mtu 1450 "
		    "mac 02:01:01:01:01:01 up alias loden\n");
	arena_fini(&n.arena);
}

static void test_peers_plain(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_want(&n, PEERS,
		    "neigh 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:09\n"
		    "neigh 10.244.2.0 dev flannel.1 mac 02:00:00:00:00:08\n"
		    "neigh 10.244.4.0 dev flannel.1 mac 02:00:00:00:00:06\n"
		    "fdb 02:00:00:00:00:06 dev flannel.1 dst 192.168.0.5\n"
		    "fdb 02:00:00:00:00:08 dev flannel.1 dst 192.168.0.3\n"
		    "fdb 02:00:00:00:00:09 dev flannel.1 dst 192.168.0.2\n"
		    "route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink\n"
		    "route 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n"
		    "route 10.244.4.0/24 via 10.244.4.0 dev flannel.1 onlink\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n");
	arena_fini(&n.arena);
}

/* One on the uplink's segment, one behind a router. */
static void test_direct_peers(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	n.net.vxlan.direct_routing = true;
	n.uplink.segment.n = 1;
	n.uplink.segment.routes[0].on_link = true;
	cidr_parse("192.168.0.0/24", &n.uplink.segment.routes[0].dst);
	ip_parse("192.168.7.7", &n.peers[1].lease.public_ip);
	assert_want(&n, PEERS,
		    "neigh 10.244.2.0 dev flannel.1 mac 02:00:00:00:00:08\n"
		    "fdb 02:00:00:00:00:08 dev flannel.1 dst 192.168.7.7\n"
		    "route 10.244.1.0/24 via 192.168.0.2 dev eth0\n"
		    "route 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n"
		    "route 10.244.4.0/24 via 192.168.0.5 dev eth0\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n");
	assert_want(&n, OBJECT_BIT(OBJECT_SYSCTL),
		    "sysctl net/ipv6/conf/flannel.1/accept_ra = 0\n"
		    "sysctl net/ipv4/conf/cni0/forwarding = 1\n"
		    "sysctl net/ipv4/conf/eth0/forwarding = 1\n"
		    "sysctl net/ipv4/conf/flannel.1/forwarding = 1\n"
		    "sysctl net/ipv4/ip_forward = 1\n"
		    "sysctl net/ipv4/conf/eth0/rp_filter = 2\n"
		    "sysctl net/ipv4/conf/flannel.1/rp_filter = 2\n");
	n.in.spread = true;
	assert_want(&n, OBJECT_BIT(OBJECT_ROUTE),
		    "route 10.244.1.0/24 via 192.168.0.2 dev eth0 scope 33\n"
		    "route 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink scope 34\n"
		    "route 10.244.4.0/24 via 192.168.0.5 dev eth0 scope 36\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n");
	n.net.vxlan.direct_routing = false;
	n.in.spread = false;
	assert_want(&n, OBJECT_BIT(OBJECT_FDB),
		    "fdb 02:00:00:00:00:06 dev flannel.1 dst 192.168.0.5\n"
		    "fdb 02:00:00:00:00:08 dev flannel.1 dst 192.168.7.7\n"
		    "fdb 02:00:00:00:00:09 dev flannel.1 dst 192.168.0.2\n");
	arena_fini(&n.arena);
}

/* Of 1 to 199, by the subnet's own number; a route without a gateway has none. */
static void test_many_peers_have_scopes(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	n.in.spread = true;
	cidr_parse("10.244.1.200/32", &n.peers[1].lease.subnet);
	assert_want(&n, OBJECT_BIT(OBJECT_ROUTE),
		    "route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink scope 33\n"
		    "route 10.244.1.200/32 via 10.244.1.200 dev flannel.1 onlink scope 35\n"
		    "route 10.244.4.0/24 via 10.244.4.0 dev flannel.1 onlink scope 36\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n");
	arena_fini(&n.arena);
}

static void test_two_subnets_of_one_node_share_an_entry(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	n.peers[1].lease.public_ip = n.peers[0].lease.public_ip;
	n.peers[1].lease.vtep_mac = n.peers[0].lease.vtep_mac;
	n.peers[3].state = PEER_OURS;
	assert_want(&n, OBJECT_BIT(OBJECT_FDB),
		    "fdb 02:00:00:00:00:09 dev flannel.1 dst 192.168.0.2\n");
	arena_fini(&n.arena);
}

static void test_what_every_node_needs(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_want(&n,
		    OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ADDR) |
			    OBJECT_BIT(OBJECT_ENVFILE),
		    "link flannel.1 vxlan vni 1 port 8472 local 203.0.113.5 lower eth0 mtu 1450 "
		    "mac 02:01:01:01:01:01 up alias loden\n"
		    "link cni0 bridge mtu 1450 mac 0a:58:0a:f4:07:01 up alias loden\n"
		    "sysctl net/ipv6/conf/flannel.1/accept_ra = 0\n"
		    "sysctl net/ipv4/conf/cni0/forwarding = 1\n"
		    "sysctl net/ipv4/conf/flannel.1/forwarding = 1\n"
		    "sysctl net/ipv4/ip_forward = 1\n"
		    "sysctl net/ipv4/conf/flannel.1/rp_filter = 2\n"
		    "addr 10.244.7.0/32 dev flannel.1\n"
		    "addr 10.244.7.1/24 dev cni0\n"
		    "envfile subnet.env FLANNEL_NETWORK=10.244.0.0/16 FLANNEL_SUBNET=10.244.7.1/24 "
		    "FLANNEL_MTU=1450 FLANNEL_IPMASQ=false\n");
	n.in.bridge_mac = (struct mac){{2, 2, 2, 2, 2, 2}};
	want_build(&n.in, &n.arena, &n.want);
	assert_true(mac_eq(&netstate_at(&n.want, OBJECT_LINK, 1).link->mac, &n.in.bridge_mac));
	arena_fini(&n.arena);
}

/* The same node in dual stack; peer 2 has IPv4 alone. */
static void dual_init(struct node *n)
{
	char complaints[200];
	struct text t = TEXT(complaints);

	node_init(n);
	n->net.ipv6 = true;
	cidr_parse("fd00:10:244::/56", &n->net.network6);
	assert_int_equal(netconf_derive(&n->net, &t), 0);
	ip_parse("2001:db8::1", &n->uplink.ip6);
	n->uplink.public_ip6 = n->uplink.ip6;
	text_copy(n->uplink.advertised[0], LINK_NAME_SIZE, "eth0");
	text_copy(n->uplink.advertised[1], LINK_NAME_SIZE, "wlan0");
	cidr_parse("fd00:10:244:7::/64", &n->own.subnet6);
	for (size_t i = 0; i < ARRAY_SIZE(n->peers); i++) {
		struct lease *l = &n->peers[i].lease;

		cidr_parse("fd00:10:244:1::/64", &l->subnet6);
		l->subnet6.ip.b[7] = (uint8_t)(1 + i);
		ip_parse("2001:db8::2", &l->public_ip6);
		l->public_ip6.b[15] = (uint8_t)(2 + i);
		l->vtep_mac6 = (struct mac){{2, 0, 0, 0, 6, (uint8_t)(9 - i)}};
	}
	n->peers[1].state6 = PEER_ABSENT;
	n->in.vtep_mac6 = (struct mac){{2, 6, 6, 6, 6, 6}};
}

static void test_dual_node(void **state)
{
	struct node n;

	(void)state;
	dual_init(&n);
	assert_want(&n,
		    OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ADDR) |
			    OBJECT_BIT(OBJECT_ENVFILE),
		    "link flannel.1 vxlan vni 1 port 8472 local 203.0.113.5 lower eth0 mtu 1450 "
		    "mac 02:01:01:01:01:01 up alias loden\n"
		    "link flannel-v6.1 vxlan vni 1 port 8472 local 2001:db8::1 lower eth0 mtu 1430 "
		    "mac 02:06:06:06:06:06 up alias loden\n"
		    "link cni0 bridge mtu 1450 mac 0a:58:0a:f4:07:01 up alias loden\n"
		    "sysctl net/ipv6/conf/cni0/accept_ra = 0\n"
		    "sysctl net/ipv6/conf/eth0/accept_ra = 2\n"
		    "sysctl net/ipv6/conf/flannel-v6.1/accept_ra = 0\n"
		    "sysctl net/ipv6/conf/flannel.1/accept_ra = 0\n"
		    "sysctl net/ipv6/conf/wlan0/accept_ra = 2\n"
		    "sysctl net/ipv6/conf/cni0/disable_ipv6 = 0\n"
		    "sysctl net/ipv6/conf/flannel-v6.1/disable_ipv6 = 0\n"
		    "sysctl net/ipv4/conf/cni0/forwarding = 1\n"
		    "sysctl net/ipv4/conf/flannel.1/forwarding = 1\n"
		    "sysctl net/ipv6/conf/all/forwarding = 1\n"
		    "sysctl net/ipv4/ip_forward = 1\n"
		    "sysctl net/ipv4/conf/flannel.1/rp_filter = 2\n"
		    "addr 10.244.7.0/32 dev flannel.1\n"
		    "addr fd00:10:244:7::/128 dev flannel-v6.1\n"
		    "addr 10.244.7.1/24 dev cni0\n"
		    "addr fd00:10:244:7::1/64 dev cni0\n"
		    "envfile subnet.env FLANNEL_NETWORK=10.244.0.0/16 FLANNEL_SUBNET=10.244.7.1/24 "
		    "FLANNEL_IPV6_NETWORK=fd00:10:244::/56 "
		    "FLANNEL_IPV6_SUBNET=fd00:10:244:7::1/64 FLANNEL_MTU=1450 "
		    "FLANNEL_IPMASQ=false\n");
	arena_fini(&n.arena);
}

static void test_ipv6_alone(void **state)
{
	struct node n;

	(void)state;
	dual_init(&n);
	n.net.ipv4 = false;
	n.own.subnet = (struct cidr){0};
	n.uplink.ip = n.uplink.public_ip = (struct ip){0};
	assert_want(&n,
		    OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ADDR) |
			    OBJECT_BIT(OBJECT_ENVFILE),
		    "link flannel-v6.1 vxlan vni 1 port 8472 local 2001:db8::1 lower eth0 mtu 1430 "
		    "mac 02:06:06:06:06:06 up alias loden\n"
		    "link cni0 bridge mtu 1450 mac 0a:58:ff:44:00:16 up alias loden\n"
		    "sysctl net/ipv6/conf/cni0/accept_ra = 0\n"
		    "sysctl net/ipv6/conf/eth0/accept_ra = 2\n"
		    "sysctl net/ipv6/conf/flannel-v6.1/accept_ra = 0\n"
		    "sysctl net/ipv6/conf/wlan0/accept_ra = 2\n"
		    "sysctl net/ipv6/conf/cni0/disable_ipv6 = 0\n"
		    "sysctl net/ipv6/conf/flannel-v6.1/disable_ipv6 = 0\n"
		    "sysctl net/ipv6/conf/all/forwarding = 1\n"
		    "addr fd00:10:244:7::/128 dev flannel-v6.1\n"
		    "addr fd00:10:244:7::1/64 dev cni0\n"
		    "envfile subnet.env FLANNEL_IPV6_NETWORK=fd00:10:244::/56 "
		    "FLANNEL_IPV6_SUBNET=fd00:10:244:7::1/64 FLANNEL_MTU=1450 "
		    "FLANNEL_IPMASQ=false\n");
	arena_fini(&n.arena);
}

static void test_dual_peers(void **state)
{
	struct node n;

	(void)state;
	dual_init(&n);
	n.peers[3].state = PEER_REFUSED; /* its IPv6 half is fine */
	assert_want(&n, PEERS,
		    "neigh 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:09\n"
		    "neigh 10.244.2.0 dev flannel.1 mac 02:00:00:00:00:08\n"
		    "neigh fe80::ff:fe00:606 dev flannel-v6.1 mac 02:00:00:00:06:06\n"
		    "neigh fe80::ff:fe00:607 dev flannel-v6.1 mac 02:00:00:00:06:07\n"
		    "neigh fe80::ff:fe00:609 dev flannel-v6.1 mac 02:00:00:00:06:09\n"
		    "fdb 02:00:00:00:00:08 dev flannel.1 dst 192.168.0.3\n"
		    "fdb 02:00:00:00:00:09 dev flannel.1 dst 192.168.0.2\n"
		    "fdb 02:00:00:00:06:06 dev flannel-v6.1 dst 2001:db8::5\n"
		    "fdb 02:00:00:00:06:07 dev flannel-v6.1 dst 2001:db8::4\n"
		    "fdb 02:00:00:00:06:09 dev flannel-v6.1 dst 2001:db8::2\n"
		    "route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink\n"
		    "route 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n"
		    "route fd00:10:244:1::/64 metric 1024 via fe80::ff:fe00:609 dev flannel-v6.1\n"
		    "route fd00:10:244:3::/64 metric 1024 via fe80::ff:fe00:607 dev flannel-v6.1\n"
		    "route fd00:10:244:4::/64 metric 1024 via fe80::ff:fe00:606 dev flannel-v6.1\n"
		    "route fd00:10:244:7::/64 metric 4096 blackhole\n");
	arena_fini(&n.arena);
}

/* The earlier lease of a node still lives: one router, one entry. */
static void test_dual_two_subnets_of_one_node(void **state)
{
	struct node n;

	(void)state;
	dual_init(&n);
	n.peers[0].lease.vtep_mac6 = n.peers[3].lease.vtep_mac6;
	n.peers[0].lease.public_ip6 = n.peers[3].lease.public_ip6;
	n.peers[2].state6 = PEER_REFUSED;
	n.net.ipv4 = false;
	assert_want(&n, OBJECT_BIT(OBJECT_NEIGH) | OBJECT_BIT(OBJECT_FDB),
		    "neigh fe80::ff:fe00:606 dev flannel-v6.1 mac 02:00:00:00:06:06\n"
		    "fdb 02:00:00:00:06:06 dev flannel-v6.1 dst 2001:db8::5\n");
	arena_fini(&n.arena);
}

/* DirectRouting asks for each family by itself: here the IPv6 addresses are near, the IPv4 ones are not. */
static void test_dual_direct(void **state)
{
	struct node n;

	(void)state;
	dual_init(&n);
	n.in.spread = true;
	n.net.vxlan.direct_routing = true;
	n.uplink.segment.n = 1;
	n.uplink.segment.routes[0].on_link = true;
	cidr_parse("2001:db8::/64", &n.uplink.segment.routes[0].dst);
	n.in.n_peers = 1;
	assert_want(&n, PEERS,
		    "neigh 10.244.1.0 dev flannel.1 mac 02:00:00:00:00:09\n"
		    "fdb 02:00:00:00:00:09 dev flannel.1 dst 192.168.0.2\n"
		    "route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink scope 33\n"
		    "route 10.244.7.0/24 metric 4096 blackhole\n"
		    "route fd00:10:244:1::/64 metric 1024 via 2001:db8::2 dev eth0\n"
		    "route fd00:10:244:7::/64 metric 4096 blackhole\n");
	arena_fini(&n.arena);
}

static void test_mtu(void **state)
{
	static const struct {
		uint32_t uplink, conf, want;
		bool v6;
	} rows[] = {{1500, 0, 1450},	      {9000, 0, 8950}, {1500, 1400, 1350},
		    {1400, 1500, 1350},	      {40, 0, 0},      {1500, 0, 1430, true},
		    {1500, 1400, 1330, true}, {60, 0, 0, true}};
	struct node n;

	(void)state;
	node_init(&n);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		n.uplink.mtu_bytes = rows[i].uplink;
		n.net.vxlan.mtu_bytes = rows[i].conf;
		assert_int_equal(want_mtu(&n.net, &n.uplink, rows[i].v6), rows[i].want);
	}
	arena_fini(&n.arena);
}

static void test_names_carry_the_instance(void **state)
{
	struct brain_conf b = conf, a = conf;
	char alias[2][LINK_ALIAS_SIZE], table[2][FW_NAME_SIZE], comment[2][FW_COMMENT_SIZE];

	(void)state;
	text_copy(b.instance, sizeof(b.instance), "b");
	want_link_alias(&a, alias[0]);
	want_link_alias(&b, alias[1]);
	want_table_name(&a, table[0]);
	want_table_name(&b, table[1]);
	want_comment(&a, comment[0]);
	want_comment(&b, comment[1]);
	assert_string_equal(alias[0], "loden");
	assert_string_equal(alias[1], "loden:b");
	assert_string_equal(table[0], "loden");
	assert_string_equal(table[1], "loden-b");
	assert_string_not_equal(comment[0], comment[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_lease_only_the_device),
		cmocka_unit_test(test_peers_plain),
		cmocka_unit_test(test_direct_peers),
		cmocka_unit_test(test_many_peers_have_scopes),
		cmocka_unit_test(test_two_subnets_of_one_node_share_an_entry),
		cmocka_unit_test(test_what_every_node_needs),
		cmocka_unit_test(test_dual_node),
		cmocka_unit_test(test_ipv6_alone),
		cmocka_unit_test(test_dual_peers),
		cmocka_unit_test(test_dual_two_subnets_of_one_node),
		cmocka_unit_test(test_dual_direct),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_names_carry_the_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
