/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_pod.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct cidr cidr(const char *text)
{
	struct cidr ret;

	assert_true(cidr_parse(text, &ret));
	return ret;
}

static struct nl_msg message(const struct nl_buf *b)
{
	struct nl_bytes rest = {b->bytes, b->len};
	struct nl_msg m;

	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(rest.n, 0);
	return m;
}

static struct nl_attr attr(struct nl_bytes attrs, uint16_t type)
{
	struct nl_attr a;

	if (!nl_attr_find(attrs, type, &a))
		fail_msg("attribute %u is missing", type);
	return a;
}

/* A created veth, read as its own notification: the kernel's answer has the same attributes. */
static void test_nl_pod_veth(void **state)
{
	const struct nl_pod_veth veth = {
		.host_name = "veth1",
		.pod_name = "eth0",
		.host_mac = {{2, 0, 0, 0, 0, 1}},
		.pod_mac = {{2, 0, 0, 0, 0, 2}},
		.mtu_bytes = 1450,
		.master = 7,
		.netns_fd = 9,
	};
	struct nl_bytes attrs, peer_attrs;
	struct nl_pod_link link;
	struct ifinfomsg head;
	struct nl_attr a;
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	assert_true(nl_pod_add_veth(&b, &veth, 5));
	m = message(&b);
	assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO);
	assert_int_equal(nl_pod_decode_link(&m, &link), 0);
	assert_string_equal(link.name, "veth1");
	assert_int_equal(link.kind, NL_POD_VETH);
	assert_int_equal(link.master, 7);
	assert_int_equal(link.mtu_bytes, 1450);
	assert_true(link.up && mac_eq(&link.mac, &veth.host_mac));

	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	a = attr(attr(attr(attrs, IFLA_LINKINFO).value, IFLA_INFO_DATA).value, VETH_INFO_PEER);
	assert_true(a.value.n > sizeof(head));
	memcpy(&head, a.value.p, sizeof(head));
	assert_int_equal(head.ifi_flags, 0); /* cannot be created up */
	peer_attrs = (struct nl_bytes){a.value.p + sizeof(head), a.value.n - sizeof(head)};
	a = attr(attrs, IFLA_NUM_TX_QUEUES);
	assert_int_equal(nl_get_u32(&a), 1);
	a = attr(peer_attrs, IFLA_NUM_RX_QUEUES);
	assert_int_equal(nl_get_u32(&a), 1);
	a = attr(peer_attrs, IFLA_NET_NS_FD);
	assert_int_equal(nl_get_u32(&a), 9);
	a = attr(peer_attrs, IFLA_ADDRESS);
	assert_memory_equal(a.value.p, veth.pod_mac.b, 6);
	a = attr(peer_attrs, IFLA_MTU);
	assert_int_equal(nl_get_u32(&a), 1450);
}

static void test_nl_pod_too_small(void **state)
{
	const struct nl_pod_veth veth = {.host_name = "veth1", .pod_name = "eth0"};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	assert_false(nl_pod_add_veth(&b, &veth, 1));
	assert_int_equal(b.len, 0);
}

static void test_nl_pod_port(void **state)
{
	struct nl_bytes attrs;
	struct nl_pod_link link;
	struct ifinfomsg head;
	struct nl_attr a;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	assert_true(nl_pod_set_port(&b, 3, "loden:a/b/c", true, false, 1));
	m = message(&b);
	assert_int_equal(nl_pod_decode_link(&m, &link), 0);
	assert_int_equal(link.ifindex, 3);
	assert_string_equal(link.alias, "loden:a/b/c");
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.ifi_change, 0);
	a = attr(attr(attr(attrs, IFLA_LINKINFO).value, IFLA_INFO_SLAVE_DATA).value,
		 IFLA_BRPORT_MODE);
	assert_int_equal(nl_get_u8(&a), 1);
	/* Isolated, and no hairpin. */
	b = NL_BUF(bytes);
	assert_true(nl_pod_set_port(&b, 3, "x", false, true, 1));
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	attrs = attr(attr(attrs, IFLA_LINKINFO).value, IFLA_INFO_SLAVE_DATA).value;
	a = attr(attrs, IFLA_BRPORT_MODE);
	assert_int_equal(nl_get_u8(&a), 0);
	a = attr(attrs, IFLA_BRPORT_ISOLATED);
	assert_int_equal(nl_get_u8(&a), 1);
	/* A port that wants nothing special gets its alias only. */
	b = NL_BUF(bytes);
	assert_true(nl_pod_set_port(&b, 3, "x", false, false, 1));
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_false(nl_attr_find(attrs, IFLA_LINKINFO, &a));
}

static void test_nl_pod_addr(void **state)
{
	static const struct {
		const char *cidr, *broadcast; /* NULL: none */
		bool nodad;
	} rows[] = {
		{"10.244.1.2/24", "10.244.1.255", false},
		{"10.0.0.2/30", "10.0.0.3", false},
		{"10.0.0.2/31", NULL, false},
		{"10.0.0.2/32", NULL, false},
		{"fd00::2/64", NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c = cidr(rows[i].cidr);
		struct nl_pod_addr back;
		struct ifaddrmsg head;
		struct nl_bytes attrs;
		struct nl_attr a;
		char text[IP_STRLEN];
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;
		struct ip ip;

		assert_true(nl_pod_add_addr(&b, 4, &c, false, 1));
		m = message(&b);
		assert_int_equal(nl_pod_decode_addr(&m, &back), 0);
		assert_int_equal(back.ifindex, 4);
		assert_true(cidr_eq(&back.cidr, &c));
		assert_true(nl_header(&m, &head, sizeof(head), &attrs));
		assert_int_equal(nl_attr_find(attrs, IFA_BROADCAST, &a), rows[i].broadcast != NULL);
		if (rows[i].broadcast) {
			ip = nl_get_ip(&a);
			assert_string_equal(ip_format(&ip, text), rows[i].broadcast);
		}
		assert_int_equal(nl_attr_find(attrs, IFA_FLAGS, &a), rows[i].nodad);
		b = NL_BUF(bytes);
		assert_true(nl_pod_add_addr(&b, 4, &c, true, 1));
		m = message(&b);
		assert_true(nl_header(&m, &head, sizeof(head), &attrs));
		assert_true(nl_attr_find(attrs, IFA_FLAGS, &a));
		assert_int_equal(nl_get_u32(&a),
				 IFA_F_NOPREFIXROUTE | (rows[i].nodad ? IFA_F_NODAD : 0));
		b = NL_BUF(bytes);
		assert_true(nl_pod_del_addr(&b, 4, &c, 1));
		m = message(&b);
		assert_int_equal(m.type, RTM_DELADDR);
		assert_int_equal(nl_pod_decode_addr(&m, &back), -EBADMSG);
	}
}

static void test_nl_pod_route(void **state)
{
	static const struct {
		const char *dst, *gw;
		int32_t table;
		uint32_t want_table;
		uint8_t head_table, len;
	} rows[] = {
		{"10.244.0.0/16", "10.244.1.1", -1, 254, 254, 16},
		{"10.244.7.9/16", NULL, -1, 254, 254, 16},
		{"0.0.0.0/0", "10.244.1.1", -1, 254, 254, 0},
		{"::/0", "fd00::1", 100, 100, 100, 0},
		{"fd00::/64", NULL, 5000, 5000, 0, 64},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cni_route r = {.priority = 9, .has_scope = true, .scope = 253};
		struct nl_pod_route back;
		struct nl_bytes attrs;
		struct rtmsg head;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct cidr masked;
		struct nl_msg m;

		assert_true(cidr_parse(rows[i].dst, &r.dst));
		if (rows[i].gw)
			assert_true(ip_parse(rows[i].gw, &r.gw));
		r.has_table = rows[i].table >= 0;
		r.table = rows[i].table;
		assert_true(nl_pod_add_route(&b, 4, &r, 1));
		m = message(&b);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_CREATE);
		assert_int_equal(nl_pod_decode_route(&m, &back), 0);
		masked = cidr_masked(&r.dst);
		assert_true(ip_eq(&back.dst.ip, &masked.ip));
		assert_int_equal(back.dst.len, rows[i].len);
		assert_int_equal(back.table, rows[i].want_table);
		assert_int_equal(back.ifindex, 4);
		assert_true(ip_eq(&back.gw, &r.gw));
		assert_int_equal(back.v6, strchr(rows[i].dst, ':') != NULL);
		assert_true(nl_header(&m, &head, sizeof(head), &attrs));
		assert_int_equal(head.rtm_table, rows[i].head_table);
		assert_int_equal(head.rtm_scope, 253);
		assert_int_equal(head.rtm_protocol, RTPROT_BOOT);
	}
}

/* A prefix longer than its address. */
static void test_nl_pod_prefix_too_long(void **state)
{
	static const struct {
		const char *dst;
		uint8_t len;
		int want;
	} rows[] = {
		{"10.0.0.0/8", 32, 0}, {"10.0.0.0/8", 33, -EBADMSG}, {"10.0.0.0/8", 255, -EBADMSG},
		{"fd00::/64", 128, 0}, {"fd00::/64", 129, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cni_route r = {.dst = cidr(rows[i].dst)};
		struct nl_pod_route route;
		struct nl_pod_addr addr;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;

		/* The second byte behind the netlink header is the length, in rtmsg and ifaddrmsg. */
		static_assert(offsetof(struct rtmsg, rtm_dst_len) == 1);
		static_assert(offsetof(struct ifaddrmsg, ifa_prefixlen) == 1);
		assert_true(nl_pod_add_route(&b, 4, &r, 1));
		bytes[sizeof(struct nlmsghdr) + 1] = rows[i].len;
		m = message(&b);
		assert_int_equal(nl_pod_decode_route(&m, &route), rows[i].want);
		b = NL_BUF(bytes);
		assert_true(nl_pod_add_addr(&b, 4, &r.dst, false, 1));
		bytes[sizeof(struct nlmsghdr) + 1] = rows[i].len;
		m = message(&b);
		assert_int_equal(nl_pod_decode_addr(&m, &addr), rows[i].want);
	}
}

static void test_nl_pod_set_bridge(void **state)
{
	const struct mac none = {{0}}, some = {{2, 0, 0, 0, 0, 1}};
	struct nl_bytes attrs;
	struct ifinfomsg head;
	struct nl_attr a;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	assert_true(nl_pod_set_bridge(&b, 3, false, &none, 1));
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	/* Promiscuity that somebody else wants is not ours to take away. */
	assert_int_equal(head.ifi_change, IFF_UP);
	assert_false(nl_attr_find(attrs, IFLA_ADDRESS, &a));
	b = NL_BUF(bytes);
	assert_true(nl_pod_set_bridge(&b, 3, true, &some, 1));
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(head.ifi_flags, IFF_UP | IFF_PROMISC);
	assert_int_equal(attr(attrs, IFLA_ADDRESS).value.n, 6);
}

static void test_nl_pod_set_mac(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct nl_bytes attrs;
	struct ifinfomsg head;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	assert_true(nl_pod_set_mac(&b, 3, &mac, 1));
	m = message(&b);
	assert_true(nl_header(&m, &head, sizeof(head), &attrs));
	assert_int_equal(m.type, RTM_NEWLINK);
	assert_int_equal(head.ifi_index, 3);
	/* Whether it is up stays as it is. */
	assert_int_equal(head.ifi_change, 0);
	assert_memory_equal(attr(attrs, IFLA_ADDRESS).value.p, mac.b, sizeof(mac.b));
}

static void test_nl_pod_port_news_is_no_link(void **state)
{
	const struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = 3};
	struct nl_pod_link link;
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	nl_begin(&b, RTM_DELLINK, 0, 0, &head, sizeof(head));
	assert_true(nl_end(&b));
	m = message(&b);
	assert_int_equal(nl_pod_decode_link(&m, &link), -EBADMSG);
}

static void test_nl_pod_operstate(void **state)
{
	(void)state;
	assert_string_equal(nl_pod_operstate_name(6), "up");
	assert_string_equal(nl_pod_operstate_name(3), "lower-layer-down");
	assert_string_equal(nl_pod_operstate_name(200), "?");
}

/* The family header of a message; its attributes. */
static struct nl_bytes open_message(const struct nl_msg *m, void *ret_head, size_t n)
{
	struct nl_bytes attrs;

	assert_true(nl_header(m, ret_head, n, &attrs));
	return attrs;
}

static void test_nl_pod_asks_for_a_link(void **state)
{
	static const struct {
		uint32_t ifindex;
		const char *name;
		bool by_name;
	} rows[] = {
		{7, "cni0", false},
		{0, "cni0", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ifinfomsg head;
		struct nl_bytes attrs;
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_attr a;
		struct nl_msg m;

		assert_true(nl_pod_get(&b, rows[i].ifindex, rows[i].name, 5));
		m = message(&b);
		attrs = open_message(&m, &head, sizeof(head));
		assert_int_equal(m.type, RTM_GETLINK);
		assert_int_equal(m.flags, NLM_F_REQUEST);
		assert_int_equal(head.ifi_index, rows[i].ifindex);
		assert_int_equal(nl_attr_find(attrs, IFLA_IFNAME, &a), rows[i].by_name);
		if (rows[i].by_name)
			assert_string_equal((const char *)a.value.p, "cni0");
		a = attr(attrs, IFLA_EXT_MASK);
		assert_int_equal(nl_get_u32(&a), RTEXT_FILTER_SKIP_STATS);
	}
}

static void test_nl_pod_link_goes_up_down_and_away(void **state)
{
	struct ifinfomsg head;
	uint8_t bytes[128];
	struct nl_buf b;
	struct nl_msg m;

	(void)state;
	for (int up = 0; up < 2; up++) {
		b = NL_BUF(bytes);
		assert_true(nl_pod_set_up(&b, 3, up, 1));
		m = message(&b);
		assert_int_equal(open_message(&m, &head, sizeof(head)).n, 0);
		assert_int_equal(m.type, RTM_NEWLINK);
		assert_int_equal(m.flags, NLM_F_REQUEST); /* it is never created so */
		assert_int_equal(head.ifi_index, 3);
		assert_int_equal(head.ifi_change, IFF_UP);
		assert_int_equal(head.ifi_flags, up ? IFF_UP : 0);
	}
	b = NL_BUF(bytes);
	assert_true(nl_pod_del(&b, 3, 1));
	m = message(&b);
	assert_int_equal(open_message(&m, &head, sizeof(head)).n, 0);
	assert_int_equal(m.type, RTM_DELLINK);
	assert_int_equal(head.ifi_index, 3);
}

/* A created bridge, read as its own notification. */
static void test_nl_pod_add_bridge(void **state)
{
	static const uint32_t mtus[] = {0, 1450};
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
		struct nl_pod_link link;
		struct ifinfomsg head;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_attr a;
		struct nl_msg m;

		assert_true(nl_pod_add_bridge(&b, "cni0", mtus[i], &mac, 1));
		m = message(&b);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(nl_pod_decode_link(&m, &link), 0);
		assert_string_equal(link.name, "cni0");
		assert_int_equal(link.kind, NL_POD_BRIDGE);
		assert_true(mac_eq(&link.mac, &mac));
		assert_int_equal(link.mtu_bytes, mtus[i]);
		/* MTU 0 would be refused: the kernel's own is no attribute at all. */
		assert_int_equal(nl_attr_find(open_message(&m, &head, sizeof(head)), IFLA_MTU, &a),
				 mtus[i] != 0);
	}
}

static void test_nl_pod_arp_notify(void **state)
{
	struct ifinfomsg head;
	struct nl_bytes attrs;
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_true(nl_pod_set_arp_notify(&b, 3, 1));
	m = message(&b);
	attrs = open_message(&m, &head, sizeof(head));
	assert_int_equal(m.type, RTM_NEWLINK);
	assert_int_equal(head.ifi_index, 3);
	assert_int_equal(head.ifi_change, 0);
	a = attr(attr(attr(attrs, IFLA_AF_SPEC).value, AF_INET).value, IFLA_INET_CONF);
	a = attr(a.value, IPV4_DEVCONF_ARP_NOTIFY);
	assert_int_equal(nl_get_u32(&a), 1);
}

static void test_nl_pod_dumps(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct ifaddrmsg addr;
		struct rtmsg route;
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;

		assert_true(nl_pod_dump_addrs(&b, v6, 4, 1));
		m = message(&b);
		open_message(&m, &addr, sizeof(addr));
		assert_int_equal(m.type, RTM_GETADDR);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
		assert_int_equal(addr.ifa_family, v6 ? AF_INET6 : AF_INET);
		assert_int_equal(addr.ifa_index, 4);

		b = NL_BUF(bytes);
		assert_true(nl_pod_dump_routes(&b, v6, 1));
		m = message(&b);
		open_message(&m, &route, sizeof(route));
		assert_int_equal(m.type, RTM_GETROUTE);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
		assert_int_equal(route.rtm_family, v6 ? AF_INET6 : AF_INET);
		assert_int_equal(route.rtm_table, RT_TABLE_UNSPEC); /* of all tables */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nl_pod_veth),
		cmocka_unit_test(test_nl_pod_too_small),
		cmocka_unit_test(test_nl_pod_port),
		cmocka_unit_test(test_nl_pod_addr),
		cmocka_unit_test(test_nl_pod_route),
		cmocka_unit_test(test_nl_pod_prefix_too_long),
		cmocka_unit_test(test_nl_pod_set_bridge),
		cmocka_unit_test(test_nl_pod_set_mac),
		cmocka_unit_test(test_nl_pod_port_news_is_no_link),
		cmocka_unit_test(test_nl_pod_operstate),
		cmocka_unit_test(test_nl_pod_asks_for_a_link),
		cmocka_unit_test(test_nl_pod_link_goes_up_down_and_away),
		cmocka_unit_test(test_nl_pod_add_bridge),
		cmocka_unit_test(test_nl_pod_arp_notify),
		cmocka_unit_test(test_nl_pod_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
