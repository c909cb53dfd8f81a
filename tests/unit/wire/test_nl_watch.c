/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wire/nl_watch.h"

#define BASE 0x66000000u

enum {
	UPLINK = 2,
	VXLAN = 5,
	BRIDGE = 7,
	OTHER = 9,
};

#define SYSCTL OBJECT_BIT(OBJECT_SYSCTL)
#define NEIGH  OBJECT_BIT(OBJECT_NEIGH)
#define FDB    OBJECT_BIT(OBJECT_FDB)
#define ROUTE  OBJECT_BIT(OBJECT_ROUTE)
#define NH     OBJECT_BIT(OBJECT_NEXTHOP)
#define LOCAL \
 (SYSCTL | NEIGH | FDB | ROUTE | NH | OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_ADDR))

static struct devmap map = {
	.dev = {[DEV_UPLINK] = {UPLINK, "eth0"},
		[DEV_VXLAN] = {VXLAN, "flannel.1"},
		[DEV_BRIDGE] = {BRIDGE, "cni0"}},
};
static struct nl_link seen[DEV__COUNT] = {
	[DEV_UPLINK] = {UPLINK, true, false, {.name = "eth0", .up = true, .mtu_bytes = 1500}},
	[DEV_VXLAN] = {VXLAN, true, false, {.name = "flannel.1", .up = true, .mtu_bytes = 1450}},
	[DEV_BRIDGE] = {BRIDGE, false, false, {.name = "cni0", .up = true, .mtu_bytes = 1450}},
};
static struct nl_watch watch = {
	.ours = {.map = &map,
		 .nexthop_base = BASE,
		 .networks = {{{{[10] = 0xff, 0xff, 10, 244, 0, 0}}, 16}}},
	.seen = seen,
};

/* news of the message in b; kinds 0 and no uplink = none. */
static struct nl_news news(struct nl_buf *b)
{
	struct nl_bytes rest;
	struct nl_news n = {0};
	struct nl_msg m;

	assert_true(nl_end(b));
	rest = (struct nl_bytes){b->bytes, b->len};
	assert_true(nl_msg_next(&rest, &m));
	m.port = 4711;
	if (nl_watch_decode(&m, &watch, &n))
		assert_int_equal(n.port, 4711);
	/* Cut anywhere, it must not be read past its end. */
	for (size_t cut = 0; cut < m.body.n; cut++) {
		struct nl_msg part = m;
		struct nl_news ignored;

		part.body.n = cut;
		nl_watch_decode(&part, &watch, &ignored);
	}
	return n;
}

static void test_links(void **state)
{
	static const struct {
		const char *what;
		uint16_t type;
		struct ifinfomsg head;
		const char *name;
		uint32_t mtu;
		unsigned kinds;
		bool uplink;
	} cases[] = {
		{"as seen",
		 RTM_NEWLINK,
		 {.ifi_index = VXLAN, .ifi_flags = IFF_UP | IFF_RUNNING},
		 "flannel.1",
		 1450,
		 0,
		 false},
		{"went down", RTM_NEWLINK, {.ifi_index = VXLAN}, "flannel.1", 1450, LOCAL, false},
		{"mtu",
		 RTM_NEWLINK,
		 {.ifi_index = VXLAN, .ifi_flags = IFF_UP},
		 "flannel.1",
		 1400,
		 LOCAL,
		 false},
		{"renamed",
		 RTM_NEWLINK,
		 {.ifi_index = VXLAN, .ifi_flags = IFF_UP},
		 "x",
		 1450,
		 LOCAL,
		 false},
		{"gone", RTM_DELLINK, {.ifi_index = VXLAN}, "flannel.1", 1450, LOCAL, false},
		{"another under our name",
		 RTM_NEWLINK,
		 {.ifi_index = 77, .ifi_flags = IFF_UP},
		 "flannel.1",
		 1450,
		 LOCAL,
		 false},
		{"bridge gets carrier",
		 RTM_NEWLINK,
		 {.ifi_index = BRIDGE, .ifi_flags = IFF_UP | IFF_RUNNING},
		 "cni0",
		 1450,
		 0,
		 false},
		{"bridge port",
		 RTM_NEWLINK,
		 {.ifi_family = AF_BRIDGE, .ifi_index = VXLAN, .ifi_flags = IFF_UP},
		 "flannel.1",
		 9,
		 0,
		 false},
		{"uplink as seen",
		 RTM_NEWLINK,
		 {.ifi_index = UPLINK, .ifi_flags = IFF_UP | IFF_RUNNING},
		 "eth0",
		 1500,
		 0,
		 false},
		{"uplink lost carrier",
		 RTM_NEWLINK,
		 {.ifi_index = UPLINK, .ifi_flags = IFF_UP},
		 "eth0",
		 1500,
		 LOCAL,
		 true},
		{"a pod's",
		 RTM_NEWLINK,
		 {.ifi_index = OTHER, .ifi_flags = IFF_UP},
		 "veth1",
		 1450,
		 0,
		 false},
		{"a pod's, gone", RTM_DELLINK, {.ifi_index = OTHER}, "veth1", 1450, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_news n;

		nl_begin(&b, cases[i].type, 0, 0, &cases[i].head, sizeof(cases[i].head));
		nl_put_str(&b, IFLA_IFNAME, cases[i].name);
		nl_put_u32(&b, IFLA_MTU, cases[i].mtu);
		n = news(&b);
		if (n.kinds != cases[i].kinds || n.uplink != cases[i].uplink)
			fail_msg("%s: kinds %x uplink %d", cases[i].what, n.kinds, n.uplink);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *address;
		uint32_t ifindex;
		unsigned kinds;
		bool uplink;
	} cases[] = {
		{"10.244.0.0", VXLAN, LOCAL, false},  {"10.244.0.1", BRIDGE, LOCAL, false},
		{"192.168.0.1", UPLINK, LOCAL, true}, {"10.9.9.9", OTHER, 0, false},
		{"fd00::1", UPLINK, LOCAL, true},     {"169.254.0.9", VXLAN, LOCAL, false},
		{"fe80::1", VXLAN, 0, false},	      {"fe80::1", UPLINK, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ifaddrmsg head = {.ifa_index = cases[i].ifindex};
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_news n;
		struct ip ip;

		assert_true(ip_parse(cases[i].address, &ip));
		head.ifa_family = ip_is_v4(&ip) ? AF_INET : AF_INET6;
		nl_begin(&b, RTM_DELADDR, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, IFA_ADDRESS, &ip);
		n = news(&b);
		assert_int_equal(n.kinds, cases[i].kinds);
		assert_int_equal(n.uplink, cases[i].uplink);
	}
}

/* Until there is an uplink, whatever appears may be it. */
static void test_without_uplink_every_link_counts(void **state)
{
	struct ifinfomsg link = {.ifi_index = OTHER};
	struct ifaddrmsg addr = {.ifa_index = OTHER};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	map.dev[DEV_UPLINK].name[0] = '\0';
	nl_begin(&b, RTM_NEWLINK, 0, 0, &link, sizeof(link));
	assert_true(news(&b).uplink);
	b.len = 0;
	nl_begin(&b, RTM_NEWADDR, 0, 0, &addr, sizeof(addr));
	assert_true(news(&b).uplink);
	map.dev[DEV_UPLINK].name[0] = 'e';
}

static void test_routes(void **state)
{
	static const struct {
		const char *what;
		uint16_t flags;
		struct rtmsg head;
		uint32_t oif;
		unsigned kinds;
		bool uplink;
		bool in_network;
	} cases[] = {
		{"ours",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_dst_len = 24},
		 VXLAN,
		 ROUTE,
		 false},
		{"through our link",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 3, .rtm_dst_len = 24},
		 VXLAN,
		 ROUTE,
		 false},
		{"somebody's",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 4, .rtm_dst_len = 24},
		 OTHER,
		 0,
		 false},
		{"somebody's in our Network",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 4, .rtm_dst_len = 24},
		 OTHER,
		 ROUTE,
		 false,
		 true},
		{"somebody's to a pod of ours",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 4, .rtm_dst_len = 32},
		 OTHER,
		 0,
		 false,
		 true},
		{"replaced something in our Network",
		 NLM_F_REPLACE,
		 {.rtm_table = 254, .rtm_protocol = 4, .rtm_dst_len = 24},
		 OTHER,
		 ROUTE,
		 false,
		 true},
		{"replaced elsewhere",
		 NLM_F_REPLACE,
		 {.rtm_table = 100, .rtm_protocol = 4, .rtm_dst_len = 24},
		 OTHER,
		 0,
		 false,
		 true},
		{"default", 0, {.rtm_table = 254, .rtm_protocol = 16}, UPLINK, 0, true},
		{"default elsewhere", 0, {.rtm_table = 100, .rtm_protocol = 16}, UPLINK, 0, false},
		{"default through our link",
		 0,
		 {.rtm_table = 254, .rtm_protocol = 3},
		 VXLAN,
		 ROUTE,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtmsg head = cases[i].head;
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_news n;

		head.rtm_family = AF_INET;
		nl_begin(&b, RTM_NEWROUTE, cases[i].flags, 0, &head, sizeof(head));
		nl_put_u32(&b, RTA_OIF, cases[i].oif);
		if (cases[i].in_network)
			nl_put_ip(&b, RTA_DST, &watch.ours.networks[0].ip);
		n = news(&b);
		if (n.kinds != cases[i].kinds || n.uplink != cases[i].uplink)
			fail_msg("%s: kinds %x uplink %d", cases[i].what, n.kinds, n.uplink);
	}
}

/* They tell which peers are near. */
static void test_host_routes(void **state)
{
	static const struct {
		uint8_t proto, table;
		bool uplink;
	} cases[] = {{2, 254, true}, {3, 254, true}, {102, 254, false}, {2, 100, false}};

	(void)state;
	watch.host_routes = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtmsg head = {.rtm_family = AF_INET,
				     .rtm_protocol = cases[i].proto,
				     .rtm_table = cases[i].table,
				     .rtm_dst_len = 24};
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);

		nl_begin(&b, RTM_DELROUTE, 0, 0, &head, sizeof(head));
		nl_put_u32(&b, RTA_OIF, OTHER);
		assert_int_equal(news(&b).uplink, cases[i].uplink);
	}
	watch.host_routes = false;
}

static void test_neighbours(void **state)
{
	static const struct {
		uint8_t family;
		int ifindex;
		unsigned kinds;
	} neighs[] = {{AF_INET, VXLAN, NEIGH},
		      {AF_BRIDGE, VXLAN, FDB},
		      {AF_INET, OTHER, 0},
		      {AF_BRIDGE, BRIDGE, 0}};

	uint8_t bytes[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(neighs); i++) {
		struct ndmsg head = {.ndm_family = neighs[i].family,
				     .ndm_ifindex = neighs[i].ifindex,
				     .ndm_flags = NTF_SELF};
		struct nl_buf b = NL_BUF(bytes);

		nl_begin(&b, RTM_DELNEIGH, 0, 0, &head, sizeof(head));
		assert_int_equal(news(&b).kinds, neighs[i].kinds);
	}
}

static void test_switches(void **state)
{
	static const struct {
		int32_t ifindex;
		unsigned kinds;
	} cases[] = {{NETCONFA_IFINDEX_ALL, SYSCTL},
		     {NETCONFA_IFINDEX_DEFAULT, SYSCTL},
		     {BRIDGE, SYSCTL},
		     {OTHER, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct netconfmsg head = {.ncm_family = AF_INET};
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);

		nl_begin(&b, RTM_NEWNETCONF, 0, 0, &head, sizeof(head));
		nl_put_u32(&b, NETCONFA_IFINDEX, (uint32_t)cases[i].ifindex);
		assert_int_equal(news(&b).kinds, cases[i].kinds);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_without_uplink_every_link_counts),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_host_routes),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_switches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
