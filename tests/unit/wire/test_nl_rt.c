/* SPDX-License-Identifier: Apache-2.0 */
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

static int decode(struct nl_buf *b, struct nl_object *ret)
{
	struct nl_msg m;

	assert_true(nl_end(b));
	m = message(b);
	return nl_rt_decode(&m, &ours, ret);
}

/* ---- whose is it? ---- */

static void test_routes_are_ours_by_mark_or_link(void **state)
{
	static const struct {
		const char *what;
		struct rtmsg head;
		uint32_t oif, nhid;
		uint16_t extra; /* one more attribute */
		int want;
		enum route_type type;
	} cases[] = {
		{"ours",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 0,
		 0,
		 ROUTE_UNICAST},
		{"flannel's",
		 {.rtm_table = 254, .rtm_protocol = 3, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 0,
		 0,
		 ROUTE_UNICAST},
		{"marked, another link",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 OTHER,
		 0,
		 0,
		 0,
		 ROUTE_UNICAST},
		{"blackhole",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_BLACKHOLE},
		 0,
		 0,
		 0,
		 0,
		 ROUTE_BLACKHOLE},
		{"prohibit",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_PROHIBIT},
		 0,
		 0,
		 0,
		 0,
		 ROUTE_OTHER},
		{"mtu",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 RTA_METRICS,
		 0,
		 ROUTE_OTHER},
		{"source",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 RTA_PREFSRC,
		 0,
		 ROUTE_OTHER},
		{"multipath",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 0,
		 0,
		 RTA_MULTIPATH,
		 0,
		 ROUTE_OTHER},
		{"encap",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 RTA_ENCAP,
		 0,
		 ROUTE_OTHER},
		{"somebody's",
		 {.rtm_table = 254, .rtm_protocol = 4, .rtm_type = RTN_UNICAST},
		 UPLINK,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"bridge's",
		 {.rtm_table = 254, .rtm_protocol = 2, .rtm_type = RTN_UNICAST},
		 BRIDGE,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"blackhole of others",
		 {.rtm_table = 254, .rtm_protocol = 3, .rtm_type = RTN_BLACKHOLE},
		 0,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"another table",
		 {.rtm_table = 100, .rtm_protocol = 102, .rtm_type = RTN_UNICAST},
		 VXLAN,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"local table",
		 {.rtm_table = 255, .rtm_protocol = 2, .rtm_type = RTN_LOCAL},
		 VXLAN,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"another slot: tos",
		 {.rtm_table = 254, .rtm_protocol = 102, .rtm_type = RTN_UNICAST, .rtm_tos = 8},
		 VXLAN,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
		{"cached",
		 {.rtm_table = 254,
		  .rtm_protocol = 102,
		  .rtm_type = RTN_UNICAST,
		  .rtm_flags = RTM_F_CLONED},
		 VXLAN,
		 0,
		 0,
		 NL_NOT_OURS,
		 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtmsg head = cases[i].head;
		struct ip dst = ip("10.244.1.0");
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		int r;

		head.rtm_family = AF_INET;
		head.rtm_dst_len = 24;
		nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, RTA_DST, &dst);
		if (cases[i].oif)
			nl_put_u32(&b, RTA_OIF, cases[i].oif);
		if (cases[i].extra)
			nl_put_u32(&b, cases[i].extra, 1);
		r = decode(&b, &o);
		if (r != cases[i].want)
			fail_msg("%s: %d, wanted %d", cases[i].what, r, cases[i].want);
		if (r == 0)
			assert_int_equal(o.route.type, cases[i].type);
	}
}

/* Others' routes that may stand in a peer's slot: to subnets of our Network. */
static void test_routes_of_others_to_our_network(void **state)
{
	static const struct {
		const char *dst;
		uint8_t proto, type;
		uint32_t oif, nhid;
		int want;
		struct route route;
	} cases[] = {
		{"10.244.1.0/24", 3, RTN_UNICAST, UPLINK, 0, 0, {.dev = DEV_UPLINK}},
		{"10.244.1.0/24", 3, RTN_UNICAST, OTHER, 0, 0, {.oif = OTHER}},
		{"10.244.1.0/24", 2, RTN_UNICAST, BRIDGE, 0, 0, {.dev = DEV_BRIDGE}},
		{"10.244.1.0/24", 4, RTN_UNREACHABLE, 0, 0, 0, {.type = ROUTE_OTHER}},
		{"10.244.1.0/24", 4, RTN_BLACKHOLE, 0, 0, 0, {.type = ROUTE_BLACKHOLE}},
		{"10.244.1.0/24", 4, RTN_UNICAST, UPLINK, 77, 0, {.nhid = 77}},
		{"10.244.0.0/16", 3, RTN_UNICAST, OTHER, 0, 0, {.oif = OTHER}},
		{"10.244.1.4/30", 3, RTN_UNICAST, OTHER, 0, 0, {.oif = OTHER}},
		{"10.244.1.7/32", 3, RTN_UNICAST, OTHER, 0, NL_NOT_OURS, {.oif = 0}}, /* a pod's */
		{"10.245.1.0/24", 3, RTN_UNICAST, UPLINK, 0, NL_NOT_OURS, {.oif = 0}},
		{"10.0.0.0/8", 3, RTN_UNICAST, UPLINK, 0, NL_NOT_OURS, {.oif = 0}},
		{"0.0.0.0/0", 3, RTN_UNICAST, UPLINK, 0, NL_NOT_OURS, {.oif = 0}},
		{"2001:db8::/64", 3, RTN_UNICAST, UPLINK, 0, NL_NOT_OURS, {.oif = 0}},
	};
	struct nl_ours with_network = ours;

	(void)state;
	with_network.networks[0] = cidr("10.244.0.0/16");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr dst = cidr(cases[i].dst);
		struct rtmsg head = {.rtm_family = ip_is_v4(&dst.ip) ? AF_INET : AF_INET6,
				     .rtm_dst_len = dst.len,
				     .rtm_table = RT_TABLE_MAIN,
				     .rtm_protocol = cases[i].proto,
				     .rtm_type = cases[i].type};
		const struct route *want = &cases[i].route;
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;

		nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, RTA_DST, &dst.ip);
		if (cases[i].oif)
			nl_put_u32(&b, RTA_OIF, cases[i].oif);
		if (cases[i].nhid)
			nl_put_u32(&b, RTA_NH_ID, cases[i].nhid);
		assert_true(nl_end(&b));
		m = message(&b);
		if (nl_rt_decode(&m, &with_network, &o) != cases[i].want)
			fail_msg("%s, case %zu", cases[i].dst, i);
		assert_int_equal(nl_rt_decode(&m, &ours, &o), NL_NOT_OURS);
		if (cases[i].want != 0)
			continue;
		(void)nl_rt_decode(&m, &with_network, &o);
		assert_true(cidr_eq(&o.route.dst, &dst));
		assert_int_equal(o.route.proto, cases[i].proto);
		assert_int_equal(o.route.rtn, cases[i].type);
		assert_int_equal(o.route.type, want->type);
		assert_int_equal(o.route.dev, want->dev);
		assert_int_equal(o.route.oif, want->oif);
		assert_int_equal(o.route.nhid, want->nhid);
	}
}

/* Of a route of several hops the first is what the kernel finds it by; whatever the lengths say. */
static void test_first_of_several_hops(void **state)
{
	static const struct {
		uint16_t len;
		uint32_t oif;
		bool via;
	} cases[] = {{sizeof(struct rtnexthop) + 8, OTHER, true},
		     {sizeof(struct rtnexthop), OTHER, false},
		     {0, 0, false},
		     {sizeof(struct rtnexthop) + 9, 0, false},
		     {UINT16_MAX, 0, false}};
	struct nl_ours with_network = ours;

	(void)state;
	with_network.networks[0] = cidr("10.244.0.0/16");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rtmsg head = {.rtm_family = AF_INET,
				     .rtm_dst_len = 24,
				     .rtm_table = RT_TABLE_MAIN,
				     .rtm_protocol = 4,
				     .rtm_type = RTN_UNICAST};
		struct rtnexthop hop = {.rtnh_len = cases[i].len, .rtnh_ifindex = OTHER};
		struct ip dst = ip("10.244.1.0"), via = ip("192.168.77.254");
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;
		size_t nest;

		nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, RTA_DST, &dst);
		nest = nl_nest(&b, RTA_MULTIPATH);
		memcpy(b.bytes + b.len, &hop, sizeof(hop));
		b.len += sizeof(hop);
		nl_put_ip(&b, RTA_GATEWAY, &via);
		nl_nest_end(&b, nest);
		assert_true(nl_end(&b));
		m = message(&b);
		assert_int_equal(nl_rt_decode(&m, &with_network, &o), 0);
		assert_int_equal(o.route.type, ROUTE_OTHER);
		assert_int_equal(o.route.oif, cases[i].oif);
		assert_int_equal(ip_eq(&o.route.via, &via), cases[i].via);
	}
}

static void test_route_table_above_255_is_not_main(void **state)
{
	struct rtmsg head = {.rtm_family = AF_INET,
			     .rtm_table = RT_TABLE_COMPAT,
			     .rtm_protocol = 102,
			     .rtm_type = RTN_UNICAST};
	struct nl_object o;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
	nl_put_u32(&b, RTA_TABLE, 1000);
	nl_put_u32(&b, RTA_OIF, VXLAN);
	assert_int_equal(decode(&b, &o), NL_NOT_OURS);
}

/* The kernel repeats in each route what its nexthop object says. */
static void test_route_by_nexthop_names_only_the_id(void **state)
{
	struct rtmsg head = {.rtm_family = AF_INET,
			     .rtm_dst_len = 24,
			     .rtm_table = 254,
			     .rtm_protocol = 102,
			     .rtm_type = RTN_UNICAST,
			     .rtm_flags = RTNH_F_ONLINK};
	struct ip dst = ip("10.244.1.0");
	struct nl_object o;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
	nl_put_ip(&b, RTA_DST, &dst);
	nl_put_u32(&b, RTA_NH_ID, 77);
	nl_put_ip(&b, RTA_GATEWAY, &dst);
	nl_put_u32(&b, RTA_OIF, VXLAN);
	assert_int_equal(decode(&b, &o), 0);
	assert_int_equal(o.route.nhid, 77);
	assert_int_equal(o.route.dev, DEV_NONE);
	assert_false(ip_is_set(&o.route.via) || o.route.onlink);
}

static void test_default_route_has_a_destination(void **state)
{
	struct rtmsg head = {.rtm_family = AF_INET,
			     .rtm_table = 254,
			     .rtm_protocol = 3,
			     .rtm_type = RTN_UNICAST};
	struct cidr any = cidr("0.0.0.0/0");
	struct nl_object o;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	nl_begin(&b, RTM_NEWROUTE, 0, 0, &head, sizeof(head));
	nl_put_u32(&b, RTA_OIF, VXLAN);
	assert_int_equal(decode(&b, &o), 0);
	assert_true(cidr_eq(&o.route.dst, &any));
}

static void test_nexthops_are_ours_by_range_mark_and_link(void **state)
{
	static const struct {
		uint32_t id, oif;
		uint8_t proto;
		uint16_t extra;
		int want;
	} cases[] = {
		{BASE, VXLAN, 102, 0, 0},
		{BASE + NL_NEXTHOP_RANGE - 1, VXLAN6, 102, 0, 0},
		{BASE + NL_NEXTHOP_RANGE, VXLAN, 102, 0, NL_NOT_OURS},
		{BASE - 1, VXLAN, 102, 0, NL_NOT_OURS},
		{BASE, UPLINK, 102, 0, NL_NOT_OURS},
		{BASE, 0, 102, 0, NL_NOT_OURS},
		{BASE, VXLAN, 0, 0, NL_NOT_OURS},
		{BASE, VXLAN, 102, NHA_GROUP, NL_NOT_OURS},
		{BASE, VXLAN, 102, NHA_FDB, NL_NOT_OURS},
		{BASE, VXLAN, 102, NHA_BLACKHOLE, NL_NOT_OURS},
		{BASE, VXLAN, 102, NHA_ENCAP, NL_NOT_OURS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nhmsg head = {.nh_family = AF_INET, .nh_protocol = cases[i].proto};
		struct ip via = ip("10.244.1.0");
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		int r;

		nl_begin(&b, RTM_NEWNEXTHOP, 0, 0, &head, sizeof(head));
		nl_put_u32(&b, NHA_ID, cases[i].id);
		nl_put_ip(&b, NHA_GATEWAY, &via);
		if (cases[i].oif)
			nl_put_u32(&b, NHA_OIF, cases[i].oif);
		if (cases[i].extra)
			nl_put(&b, cases[i].extra, NULL, 0);
		r = decode(&b, &o);
		assert_int_equal(r, cases[i].want);
		if (r != NL_NOT_OURS)
			assert_int_equal(o.nexthop.id, cases[i].id);
	}
}

static void test_neighbours_are_ours_by_link(void **state)
{
	static const struct {
		struct ndmsg head;
		uint16_t extra;
		int want;
		enum object_kind kind;
		bool permanent;
	} cases[] = {
		{{.ndm_family = AF_INET, .ndm_ifindex = VXLAN, .ndm_state = NUD_PERMANENT},
		 0,
		 0,
		 OBJECT_NEIGH,
		 true},
		{{.ndm_family = AF_INET, .ndm_ifindex = VXLAN, .ndm_state = NUD_STALE},
		 0,
		 0,
		 OBJECT_NEIGH,
		 false},
		{{.ndm_family = AF_INET, .ndm_ifindex = UPLINK, .ndm_state = NUD_PERMANENT},
		 0,
		 NL_NOT_OURS,
		 0,
		 0},
		{{.ndm_family = AF_INET, .ndm_ifindex = BRIDGE, .ndm_state = NUD_PERMANENT},
		 0,
		 NL_NOT_OURS,
		 0,
		 0},
		{{.ndm_family = AF_INET6, .ndm_ifindex = VXLAN, .ndm_state = NUD_NOARP},
		 0,
		 NL_NOT_OURS,
		 0,
		 0},
		{{.ndm_family = AF_INET, .ndm_ifindex = VXLAN, .ndm_flags = NTF_PROXY},
		 0,
		 NL_NOT_OURS,
		 0,
		 0},
		{{.ndm_family = AF_BRIDGE,
		  .ndm_ifindex = VXLAN,
		  .ndm_flags = NTF_SELF,
		  .ndm_state = NUD_PERMANENT},
		 0,
		 0,
		 OBJECT_FDB,
		 true},
		{{.ndm_family = AF_BRIDGE,
		  .ndm_ifindex = VXLAN,
		  .ndm_flags = NTF_SELF,
		  .ndm_state = NUD_PERMANENT},
		 NDA_PORT,
		 0,
		 OBJECT_FDB,
		 false},
		{{.ndm_family = AF_BRIDGE, .ndm_ifindex = VXLAN, .ndm_state = NUD_PERMANENT},
		 0,
		 NL_NOT_OURS,
		 0,
		 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		int r;

		nl_begin(&b, RTM_NEWNEIGH, 0, 0, &cases[i].head, sizeof(cases[i].head));
		if (cases[i].extra)
			nl_put_u16(&b, cases[i].extra, 1);
		r = decode(&b, &o);
		assert_int_equal(r, cases[i].want);
		if (r != 0)
			continue;
		assert_int_equal(o.object.kind, cases[i].kind);
		assert_int_equal(o.object.kind == OBJECT_FDB ? o.fdb.permanent : o.neigh.permanent,
				 cases[i].permanent);
	}
}

static void test_addresses_are_ours_by_link(void **state)
{
	static const struct {
		uint32_t ifindex;
		enum dev dev;
	} cases[] = {{VXLAN, DEV_VXLAN},
		     {VXLAN6, DEV_VXLAN6},
		     {BRIDGE, DEV_BRIDGE},
		     {UPLINK, DEV_NONE},
		     {OTHER, DEV_NONE}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ifaddrmsg head = {
			.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = cases[i].ifindex};
		struct ip local = ip("10.244.0.1"), peer = ip("10.244.0.2");
		struct cidr want = cidr("10.244.0.1/24");
		struct nl_object o;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		int r;

		nl_begin(&b, RTM_NEWADDR, 0, 0, &head, sizeof(head));
		nl_put_ip(&b, IFA_ADDRESS, &peer);
		nl_put_ip(&b, IFA_LOCAL, &local);
		r = decode(&b, &o);
		assert_int_equal(r, cases[i].dev == DEV_NONE ? NL_NOT_OURS : 0);
		if (r == 0)
			assert_true(o.addr.dev == cases[i].dev && cidr_eq(&o.addr.cidr, &want));
	}
}

static void test_lengths_that_lie(void **state)
{
	struct rtmsg route = {.rtm_family = AF_INET, .rtm_dst_len = 33, .rtm_table = 254};
	struct ifaddrmsg addr = {.ifa_family = AF_INET, .ifa_prefixlen = 33, .ifa_index = VXLAN};
	struct ip v4 = ip("10.0.0.0");
	struct nl_object o;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	(void)state;
	nl_begin(&b, RTM_NEWROUTE, 0, 0, &route, sizeof(route));
	nl_put_u32(&b, RTA_OIF, VXLAN);
	assert_int_equal(decode(&b, &o), -EBADMSG);
	b.len = 0;
	nl_begin(&b, RTM_NEWADDR, 0, 0, &addr, sizeof(addr));
	nl_put_ip(&b, IFA_LOCAL, &v4);
	assert_int_equal(decode(&b, &o), -EBADMSG);
	for (uint16_t type = RTM_NEWLINK; type < RTM_NEWNEXTHOP + 4; type++) {
		m = (struct nl_msg){.type = type, .body = {bytes, 3}};
		assert_in_set(nl_rt_decode(&m, &ours, &o),
			      ((unsigned long[]){NL_NOT_OURS, (unsigned long)-EBADMSG}), 2);
	}
}

/* Attributes that end in rubbish, on a link of ours. */
static void test_rubbish_behind_the_header(void **state)
{
	const struct ifaddrmsg addr = {.ifa_family = AF_INET, .ifa_index = VXLAN};
	const struct ndmsg neigh = {.ndm_family = AF_INET, .ndm_ifindex = VXLAN};
	const struct nhmsg nexthop = {.nh_family = AF_INET, .nh_protocol = 102};
	const struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN};

	const struct {
		uint16_t type;
		const void *head;
		size_t n;
	} cases[] = {
		{RTM_NEWADDR, &addr, sizeof(addr)},
		{RTM_NEWNEIGH, &neigh, sizeof(neigh)},
		{RTM_NEWNEXTHOP, &nexthop, sizeof(nexthop)},
		{RTM_NEWROUTE, &route, sizeof(route)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nl_object o;
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);

		nl_begin(&b, cases[i].type, 0, 0, cases[i].head, cases[i].n);
		nl_put_u32(&b, 1, 0);
		bytes[b.len - 8] = 9; /* one byte longer than there is */
		assert_int_equal(decode(&b, &o), -EBADMSG);
	}
}

/* Neighbours that carry what we never set are not as we made them. */
static void test_special_neighbours_are_altered(void **state)
{
	static const uint16_t special[] = {NDA_PORT, NDA_VNI, NDA_SRC_VNI, NDA_IFINDEX, NDA_NH_ID};
	const struct ndmsg head = {
		.ndm_family = AF_INET, .ndm_ifindex = VXLAN6, .ndm_state = NUD_PERMANENT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		struct nl_object o;
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);

		nl_begin(&b, RTM_NEWNEIGH, 0, 0, &head, sizeof(head));
		nl_put_u32(&b, special[i], 1);
		assert_int_equal(decode(&b, &o), 0);
		assert_int_equal(o.neigh.dev, DEV_VXLAN6);
		assert_false(o.neigh.permanent);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_are_ours_by_mark_or_link),
		cmocka_unit_test(test_routes_of_others_to_our_network),
		cmocka_unit_test(test_first_of_several_hops),
		cmocka_unit_test(test_route_table_above_255_is_not_main),
		cmocka_unit_test(test_route_by_nexthop_names_only_the_id),
		cmocka_unit_test(test_default_route_has_a_destination),
		cmocka_unit_test(test_nexthops_are_ours_by_range_mark_and_link),
		cmocka_unit_test(test_neighbours_are_ours_by_link),
		cmocka_unit_test(test_addresses_are_ours_by_link),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_rubbish_behind_the_header),
		cmocka_unit_test(test_special_neighbours_are_altered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
