/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wire/nl_facts.h"

static struct ip ip(const char *text)
{
	struct ip i;

	assert_true(ip_parse(text, &i));
	return i;
}

static struct nl_msg message(struct nl_buf *b)
{
	struct nl_bytes rest;
	struct nl_msg m;

	assert_true(nl_end(b));
	rest = (struct nl_bytes){b->bytes, b->len};
	assert_true(nl_msg_next(&rest, &m));
	return m;
}

static void test_interface(void **state)
{
	struct ifinfomsg head = {.ifi_index = 4, .ifi_flags = IFF_UP};
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct iface i;
	struct nl_msg m;

	(void)state;
	nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
	nl_put_str(&b, IFLA_IFNAME, "enp0s31f6");
	nl_put_u32(&b, IFLA_MTU, 9000);
	m = message(&b);
	assert_int_equal(nl_facts_iface(&m, &i), 0);
	assert_string_equal(i.name, "enp0s31f6");
	assert_int_equal(i.ifindex, 4);
	assert_int_equal(i.mtu_bytes, 9000);
	assert_true(i.up && !i.running && i.n_addrs == 0);
	m.type = RTM_NEWADDR;
	assert_int_equal(nl_facts_iface(&m, &i), 1);
}

static void test_port(void **state)
{
	for (int isolated = -1; isolated <= 1; isolated++) {
		struct ifinfomsg head = {.ifi_index = 4};
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct iface i;
		struct nl_msg m;
		size_t info, data;

		nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
		nl_put_str(&b, IFLA_IFNAME, "veth1");
		if (isolated >= 0) {
			nl_put_u32(&b, IFLA_MASTER, 9);
			info = nl_nest(&b, IFLA_LINKINFO);
			nl_put_str(&b, IFLA_INFO_SLAVE_KIND, "bridge");
			data = nl_nest(&b, IFLA_INFO_SLAVE_DATA);
			nl_put_u8(&b, IFLA_BRPORT_ISOLATED, (uint8_t)isolated);
			nl_nest_end(&b, data);
			nl_nest_end(&b, info);
		}
		m = message(&b);
		assert_int_equal(nl_facts_iface(&m, &i), 0);
		assert_int_equal(i.master, isolated >= 0 ? 9 : 0);
		assert_int_equal(i.isolated, isolated == 1);
	}
	(void)state;
}

static void test_overlay(void **state)
{
	static const struct {
		const char *name, *alias, *kind;
		bool overlay;
	} cases[] = {
		{"flannel.1", "", "vxlan", true},     {"flannel-v6.1", "", "vxlan", true},
		{"cni0", "loden", "bridge", true},    {"cni7", "loden:b", "bridge", true},
		{"vxlan7", "", "vxlan", false},	      {"br0", "uplink of all", "bridge", false},
		{"flannelette", "", "bridge", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ifinfomsg head = {.ifi_index = 4};
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct iface iface;
		struct nl_msg m;
		size_t info;

		nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
		nl_put_str(&b, IFLA_IFNAME, cases[i].name);
		nl_put_str(&b, IFLA_IFALIAS, cases[i].alias);
		info = nl_nest(&b, IFLA_LINKINFO);
		nl_put_str(&b, IFLA_INFO_KIND, cases[i].kind);
		nl_nest_end(&b, info);
		m = message(&b);
		assert_int_equal(nl_facts_iface(&m, &iface), 0);
		if (iface.overlay != cases[i].overlay)
			fail_msg("%s: wanted overlay = %d", cases[i].name, cases[i].overlay);
	}
}

static void test_address_flags(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t flags;
		bool permanent, temporary, deprecated;
	} cases[] = {
		{AF_INET, IFA_F_PERMANENT, true, false, false},
		/* The kernel's number for "secondary" is that of "temporary". */
		{AF_INET, IFA_F_PERMANENT | IFA_F_SECONDARY, true, false, false},
		{AF_INET6, IFA_F_TEMPORARY, false, true, false},
		{AF_INET6, IFA_F_DEPRECATED | IFA_F_NOPREFIXROUTE, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ifaddrmsg head = {
			.ifa_family = cases[i].family, .ifa_prefixlen = 24, .ifa_index = 4};
		struct ip local = ip(cases[i].family == AF_INET ? "192.168.0.1" : "fd00::1");
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct iface_addr a;
		uint32_t ifindex;
		struct nl_msg m;

		nl_begin(&b, RTM_NEWADDR, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, IFA_ADDRESS, &local);
		nl_put_u32(&b, IFA_FLAGS, cases[i].flags);
		m = message(&b);
		assert_int_equal(nl_facts_addr(&m, &ifindex, &a), 0);
		assert_int_equal(ifindex, 4);
		assert_true(ip_eq(&a.cidr.ip, &local) && a.cidr.len == 24);
		assert_int_equal(a.permanent, cases[i].permanent);
		assert_int_equal(a.temporary, cases[i].temporary);
		assert_int_equal(a.deprecated, cases[i].deprecated);
	}
}

static void test_routes(void **state)
{
	static const struct {
		const char *what;
		uint8_t family, len, table, type, scope, proto;
		uint32_t oif;
		int extra; /* an attribute that leads elsewhere; -8: type of service */
		int want;
		bool unicast, on_link;
	} cases[] = {
		{"default", AF_INET, 0, 254, RTN_UNICAST, 0, 3, 3, RTA_GATEWAY, 0, true, false},
		{"default", AF_INET6, 0, 254, RTN_UNICAST, 0, 9, 3, RTA_GATEWAY, 0, true, false},
		{"ppp", AF_INET, 0, 254, RTN_UNICAST, RT_SCOPE_LINK, 3, 3, 0, 0, true, true},
		{"several", AF_INET, 0, 254, RTN_UNICAST, 0, 3, 0, RTA_MULTIPATH, 0, true, false},
		{"other table", AF_INET, 0, 100, RTN_UNICAST, 0, 3, 3, 0, 1, false, false},
		{"unreachable", AF_INET, 0, 254, RTN_UNREACHABLE, 0, 3, 3, 0, 0, false, false},
		{"on-link", AF_INET, 24, 254, RTN_UNICAST, RT_SCOPE_LINK, 2, 3, 0, 0, true, true},
		{"on-link", AF_INET6, 64, 254, RTN_UNICAST, 0, 2, 3, 0, 0, true, true},
		/* IPv4 would not take a gateway by it. */
		{"too far", AF_INET, 24, 254, RTN_UNICAST, 0, 3, 3, 0, 0, true, false},
		{"by another family", AF_INET, 24, 254, RTN_UNICAST, RT_SCOPE_LINK, 3, 3, RTA_VIA,
		 0, true, false},
		{"encapsulated", AF_INET, 24, 254, RTN_UNICAST, RT_SCOPE_LINK, 3, 3, RTA_ENCAP, 0,
		 true, false},
		{"by nexthop", AF_INET, 24, 254, RTN_UNICAST, 0, 3, 0, 0, 0, true, false},
		{"ours", AF_INET, 24, 254, RTN_UNICAST, 0, 102, 3, RTA_GATEWAY, 1, false, false},
		{"by type of service", AF_INET, 24, 254, RTN_UNICAST, 0, 4, 3, -8, 1, false, false},
		{"multicast", 128, 24, 254, RTN_MULTICAST, 0, 17, 3, 0, 1, false, false},
		{"bad length", AF_INET, 33, 254, RTN_UNICAST, 0, 3, 3, 0, -EBADMSG, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ip dst = ip(cases[i].family == AF_INET ? "192.168.0.0" : "fd00::");
		struct rtmsg head = {
			.rtm_family = cases[i].family,
			.rtm_dst_len = cases[i].len,
			.rtm_table = cases[i].table,
			.rtm_type = cases[i].type,
			.rtm_scope = cases[i].scope,
			.rtm_protocol = cases[i].proto,
			.rtm_tos = cases[i].extra < 0 ? 8 : 0,
		};
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct route_fact r = {0};
		struct nl_msg m;
		int was;

		nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
		if (cases[i].len)
			nl_put_ip(&b, RTA_DST, &dst);
		if (cases[i].oif)
			nl_put_u32(&b, RTA_OIF, cases[i].oif);
		if (cases[i].extra > 0)
			nl_put_u32(&b, (uint16_t)cases[i].extra, 0x01020304);
		nl_put_u32(&b, RTA_PRIORITY, 100);
		m = message(&b);
		was = nl_facts_route(&m, &r);
		if (was != cases[i].want || r.on_link != cases[i].on_link ||
		    r.unicast != cases[i].unicast)
			fail_msg("%s: wanted %d, on-link %d; was %d, %d", cases[i].what,
				 cases[i].want, cases[i].on_link, was, r.on_link);
		if (was)
			continue;
		assert_int_equal(r.metric, 100);
		assert_int_equal(r.ifindex, cases[i].oif);
		assert_int_equal(r.dst.len, cases[i].len);
		assert_int_equal(ip_is_v4(&r.dst.ip), cases[i].family == AF_INET);
		if (cases[i].len)
			assert_true(ip_eq(&r.dst.ip, &dst));
	}
}

static void test_reach(void **state)
{
	struct ip to = ip("10.0.0.9"), src = ip("10.0.0.1"), got;
	struct rtmsg head;
	struct nl_bytes attrs;
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	uint32_t ifindex;
	struct nl_attr a;
	struct nl_bytes rest;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_facts_ask_reach(&b, &to, 3), 0);
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.rtm_dst_len, 32);
	assert_true(nl_attr_find(attrs, RTA_DST, &a));
	got = nl_get_ip(&a);
	assert_true(ip_eq(&got, &to));

	b.len = 0;
	nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
	nl_put_u32(&b, RTA_OIF, 6);
	nl_put_ip(&b, RTA_PREFSRC, &src);
	m = message(&b);
	assert_int_equal(nl_facts_reach(&m, &ifindex, &got), 0);
	assert_int_equal(ifindex, 6);
	assert_true(ip_eq(&got, &src));
	m.body.n = 2;
	assert_int_equal(nl_facts_reach(&m, &ifindex, &got), -EBADMSG);
}

/* Too short for a header; attributes that end in rubbish; of another kind. */
static void test_broken_messages(void **state)
{
	const struct ifinfomsg link = {.ifi_index = 4};
	const struct ifaddrmsg addr = {.ifa_family = AF_INET, .ifa_index = 4};
	const struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};

	const struct {
		uint16_t type;
		const void *head;
		size_t n;
	} cases[] = {
		{RTM_NEWLINK, &link, sizeof(link)},
		{RTM_NEWADDR, &addr, sizeof(addr)},
		{RTM_NEWROUTE, &route, sizeof(route)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iface iface = {.ifindex = 77};
		struct iface_addr a;
		struct route_fact r;
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);
		uint32_t ifindex;
		struct nl_msg m;
		struct ip src;
		size_t n;

		nl_begin(&b, cases[i].type, 0, 0, cases[i].head, cases[i].n);
		nl_put_u32(&b, 1, 0);
		bytes[b.len - 8] = 9; /* one byte longer than there is */
		m = message(&b);
		n = m.body.n;
		for (int cut = 0; cut < 2; cut++) {
			m.body.n = cut ? 3 : n;
			assert_int_equal(nl_facts_iface(&m, &iface), i == 0 ? -EBADMSG : 1);
			assert_int_equal(nl_facts_addr(&m, &ifindex, &a), i == 1 ? -EBADMSG : 1);
			assert_int_equal(nl_facts_route(&m, &r), i == 2 ? -EBADMSG : 1);
			assert_int_equal(nl_facts_reach(&m, &ifindex, &src), i == 2 ? -EBADMSG : 1);
		}
		assert_int_equal(iface.ifindex, 77);
	}
}

static void test_port_news_is_no_interface(void **state)
{
	const struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = 4};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);
	struct iface i;
	struct nl_msg m;

	(void)state;
	nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
	m = message(&b);
	assert_int_equal(nl_facts_iface(&m, &i), 1);
}

/* A port of what says nothing about isolation: a bond, a bridge of old. */
static void test_port_without_details(void **state)
{
	for (int nests = 0; nests < 3; nests++) {
		const struct ifinfomsg head = {.ifi_index = 4};
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		size_t info, data;
		struct iface i;
		struct nl_msg m;

		nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
		nl_put_u32(&b, IFLA_MASTER, 9);
		info = nests > 0 ? nl_nest(&b, IFLA_LINKINFO) : 0;
		data = nests > 1 ? nl_nest(&b, IFLA_INFO_SLAVE_DATA) : 0;
		if (nests > 1)
			nl_nest_end(&b, data);
		if (nests > 0)
			nl_nest_end(&b, info);
		m = message(&b);
		assert_int_equal(nl_facts_iface(&m, &i), 0);
		assert_int_equal(i.master, 9);
		assert_false(i.isolated);
	}
	(void)state;
}

static void test_reach_of_ipv6(void **state)
{
	struct ip to = ip("fd00::9"), got;
	struct nl_bytes rest, attrs;
	struct rtmsg head;
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_facts_ask_reach(&b, &to, 3), 0);
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.rtm_family, AF_INET6);
	assert_int_equal(head.rtm_dst_len, 128);
	assert_true(nl_attr_find(attrs, RTA_DST, &a));
	got = nl_get_ip(&a);
	assert_true(ip_eq(&got, &to));
	b = (struct nl_buf){.bytes = bytes, .size_bytes = 32};
	assert_int_equal(nl_facts_ask_reach(&b, &to, 3), -ENOBUFS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_address_flags),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_broken_messages),
		cmocka_unit_test(test_port_news_is_no_interface),
		cmocka_unit_test(test_port_without_details),
		cmocka_unit_test(test_reach_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
