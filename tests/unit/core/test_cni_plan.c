/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cni_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static struct cidr cidr(const char *text)
{
	struct cidr ret;

	if (!cidr_parse(text, &ret))
		fail_msg("not a network: %s", text);
	return ret;
}

/* Words of a list. */
static size_t split(const char *text, char **ret, size_t max)
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(arena_strdup(&arena, text), " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		assert_true(n < max);
		ret[n++] = w;
	}
	return n;
}

/* "address/len[,gateway] …" */
static void add_ips(struct cni_result *r, const char *text)
{
	char *words[8];

	r->n_ips = split(text, words, ARRAY_SIZE(words));
	r->ips = arena_array(&arena, struct cni_ip, r->n_ips);
	for (size_t i = 0; i < r->n_ips; i++) {
		char *gw = strchr(words[i], ',');

		if (gw)
			*gw++ = '\0';
		r->ips[i] = (struct cni_ip){.address = cidr(words[i]), .iface = -1};
		if (gw)
			assert_true(ip_parse(gw, &r->ips[i].gateway));
	}
}

/* "dst[,gateway] …" */
static void add_routes(struct cni_result *r, const char *text)
{
	char *words[8];

	r->n_routes = split(text, words, ARRAY_SIZE(words));
	r->routes = arena_array(&arena, struct cni_route, r->n_routes);
	for (size_t i = 0; i < r->n_routes; i++) {
		char *gw = strchr(words[i], ',');

		if (gw)
			*gw++ = '\0';
		assert_true(cidr_parse(words[i], &r->routes[i].dst));
		if (gw)
			assert_true(ip_parse(gw, &r->routes[i].gw));
	}
}

static struct mac mac(uint8_t last)
{
	return (struct mac){{2, 0, 0, 0, 0, last}};
}

static struct cni_plan_input input(const struct bridge_conf *conf, const struct cni_result *ipam)
{
	return (struct cni_plan_input){
		.conf = conf,
		.owner = {.network = "cbr0", .container_id = "c1", .ifname = "eth0"},
		.host_name = "veth1",
		.sandbox = "/run/netns/p",
		.ipam = ipam,
		.bridged_filtered = true,
		.bridged_filtered6 = true,
		.random = {mac(1), mac(2), mac(3)},
	};
}

static struct bridge_conf flannel_conf(void)
{
	return (struct bridge_conf){
		.name = "cni0",
		.is_gateway = true,
		.is_default_gateway = true,
		.hairpin = true,
		.mtu_bytes = 1450,
	};
}

/* The plan, a line an op; or the error. */
static const char *plan_text(const struct cni_plan_input *in, struct cni_plan *ret)
{
	static char buf[8192];
	struct text t = TEXT(buf);
	struct err err;

	buf[0] = '\0';
	if (cni_plan_attach(in, &arena, ret, &err) < 0)
		return arena_strdup(&arena, err.text);
	for (size_t i = 0; i < ret->n; i++) {
		cni_op_format(&ret->ops[i], &t);
		text_add(&t, "\n");
	}
	return buf;
}

/* What kube-flannel's configuration gives on a node without pods. */
static void test_cni_plan_first_pod(void **state)
{
	struct bridge_conf conf = flannel_conf();
	struct cni_result ipam = {0};
	struct cni_plan_input in = input(&conf, &ipam);
	struct cni_plan plan;
	char gw[IP_STRLEN];

	(void)state;
	add_ips(&ipam, "10.244.1.2/24,10.244.1.1");
	add_routes(&ipam, "10.244.0.0/16");
	assert_string_equal(plan_text(&in, &plan),
			    "bridge.add bridge mtu 1450 mac 02:00:00:00:00:01\n"
			    "sysctl net/ipv6/conf/cni0/accept_ra=0 bridge\n"
			    "addr.add 10.244.1.1/24 bridge\n"
			    "sysctl net/ipv4/ip_forward=1 bridge\n"
			    "bridge.set bridge\n"
			    "veth.add host mtu 1450 mac 02:00:00:00:00:02 peer 02:00:00:00:00:03\n"
			    "sysctl net/ipv6/conf/veth1/accept_ra=0 host\n"
			    "port.set host hairpin\n"
			    "sysctl net/ipv6/conf/eth0/accept_dad=0 pod\n"
			    "arp_notify pod\n"
			    "addr.add 10.244.1.2/24 pod\n"
			    "link.up pod\n"
			    "route.add 10.244.0.0/16 via 10.244.1.1 pod\n"
			    "route.add 0.0.0.0/0 via 10.244.1.1 pod\n");
	assert_int_equal(plan.result.n_ifaces, 3);
	assert_string_equal(plan.result.ifaces[2].sandbox, "/run/netns/p");
	assert_int_equal(plan.result.ips[0].iface, 2);
	assert_int_equal(plan.result.n_routes, 2);
	assert_false(ip_is_set(&plan.result.routes[0].gw));
	assert_string_equal(ip_format(&plan.result.routes[1].gw, gw), "10.244.1.1");
	/* The IPAM plugin's own answer is not touched. */
	assert_int_equal(ipam.ips[0].iface, -1);
}

/* The agent, or an earlier pod, has made the bridge: nothing of it is written again. */
static void test_cni_plan_next_pod(void **state)
{
	struct bridge_conf conf = flannel_conf();
	struct cidr addrs[] = {cidr("10.244.1.1/24"), cidr("fe80::1/64")};
	struct cni_result ipam = {0};
	struct cni_plan_input in = input(&conf, &ipam);
	struct cni_plan plan;

	(void)state;
	add_ips(&ipam, "10.244.1.3/24,10.244.1.1");
	in.bridge = (struct cni_plan_bridge){
		.exists = true,
		.is_bridge = true,
		.up = true,
		.mac = mac(9),
		.addrs = addrs,
		.n_addrs = 2,
	};
	conf.isolated = true;
	assert_string_equal(plan_text(&in, &plan),
			    "sysctl net/ipv6/conf/cni0/accept_ra=0 bridge\n"
			    "sysctl net/ipv4/ip_forward=1 bridge\n"
			    "veth.add host mtu 1450 mac 02:00:00:00:00:02 peer 02:00:00:00:00:03\n"
			    "sysctl net/ipv6/conf/veth1/accept_ra=0 host\n"
			    "port.set host hairpin isolated\n"
			    "sysctl net/ipv6/conf/eth0/accept_dad=0 pod\n"
			    "arp_notify pod\n"
			    "addr.add 10.244.1.3/24 pod\n"
			    "link.up pod\n"
			    "route.add 0.0.0.0/0 via 10.244.1.1 pod\n");
}

/* br_netfilter is not there, or off: what pods of one node say to each other passes the gateway. What the
 * runtime is told is the same. */
static void test_cni_plan_routed(void **state)
{
	struct bridge_conf conf = flannel_conf();
	struct cidr addrs[] = {cidr("10.244.1.1/24"), cidr("fd00:1::1/64")};
	struct cni_result ipam = {0};
	struct cni_plan_input in = input(&conf, &ipam);
	struct cni_plan plan, bridged;

	(void)state;
	add_ips(&ipam, "10.244.1.3/24,10.244.1.1 fd00:1::3/64,fd00:1::1");
	add_routes(&ipam, "10.244.0.0/16 fd00::/32");
	in.bridge = (struct cni_plan_bridge){.exists = true,
					     .is_bridge = true,
					     .up = true,
					     .mac = mac(9),
					     .addrs = addrs,
					     .n_addrs = 2};
	plan_text(&in, &bridged);
	in.bridged_filtered6 = false; /* one family is enough: a port is isolated for both */
	assert_string_equal(plan_text(&in, &plan),
			    "sysctl net/ipv6/conf/cni0/accept_ra=0 bridge\n"
			    "sysctl net/ipv4/conf/all/send_redirects=0 bridge\n"
			    "sysctl net/ipv4/conf/cni0/send_redirects=0 bridge\n"
			    "sysctl net/ipv4/ip_forward=1 bridge\n"
			    "sysctl net/ipv6/conf/all/forwarding=1 bridge\n"
			    "veth.add host mtu 1450 mac 02:00:00:00:00:02 peer 02:00:00:00:00:03\n"
			    "sysctl net/ipv6/conf/veth1/accept_ra=0 host\n"
			    "port.set host hairpin isolated\n"
			    "sysctl net/ipv6/conf/eth0/accept_dad=0 pod\n"
			    "sysctl net/ipv4/conf/all/accept_redirects=0 pod\n"
			    "sysctl net/ipv4/conf/eth0/accept_redirects=0 pod\n"
			    "sysctl net/ipv6/conf/eth0/accept_redirects=0 pod\n"
			    "sysctl net/ipv6/conf/lo/disable_ipv6=0 pod\n"
			    "sysctl net/ipv6/conf/eth0/disable_ipv6=0 pod\n"
			    "sysctl net/ipv6/conf/eth0/keep_addr_on_down=1 pod\n"
			    "arp_notify pod\n"
			    "addr.add 10.244.1.3/24 pod noprefixroute\n"
			    "addr.add fd00:1::3/64 pod noprefixroute\n"
			    "link.up pod\n"
			    "route.add 10.244.1.1/32 scope 253 pod\n"
			    "route.add 10.244.1.0/24 via 10.244.1.1 pod\n"
			    "route.add fd00:1::1/128 pod\n"
			    "route.add fd00:1::/64 via fd00:1::1 pod\n"
			    "route.add 10.244.0.0/16 via 10.244.1.1 pod\n"
			    "route.add fd00::/32 via fd00:1::1 pod\n"
			    "route.add 0.0.0.0/0 via 10.244.1.1 pod\n"
			    "route.add ::/0 via fd00:1::1 pod\n");
	assert_int_equal(plan.result.n_routes, bridged.result.n_routes);
	assert_int_equal(plan.result.n_ips, bridged.result.n_ips);
	for (size_t i = 0; i < plan.result.n_ips; i++)
		assert_true(cidr_eq(&plan.result.ips[i].address, &bridged.result.ips[i].address));
	for (size_t i = 0; i < plan.result.n_routes; i++)
		assert_true(cidr_eq(&plan.result.routes[i].dst, &bridged.result.routes[i].dst) &&
			    ip_eq(&plan.result.routes[i].gw, &bridged.result.routes[i].gw));
}

/* Whether it is routed: by what decides. */
static void test_cni_plan_local_traffic(void **state)
{
	static const struct {
		enum local_traffic conf;
		const char *ips;
		bool filtered, filtered6, default_gateway, isolated, routed;
	} rows[] = {
		{LOCAL_TRAFFIC_AUTO, "10.0.0.2/24", true, true, true, false, false},
		{LOCAL_TRAFFIC_AUTO, "10.0.0.2/24", false, true, true, false, true},
		/* No pod has an address of that family. */
		{LOCAL_TRAFFIC_AUTO, "10.0.0.2/24", true, false, true, false, false},
		{LOCAL_TRAFFIC_AUTO, "fd00::2/64", false, true, true, false, false},
		{LOCAL_TRAFFIC_AUTO, "fd00::2/64", true, false, true, false, true},
		/* Services are reached by somebody else. */
		{LOCAL_TRAFFIC_AUTO, "10.0.0.2/24", false, false, false, false, false},
		/* Whoever says portIsolation means isolation. */
		{LOCAL_TRAFFIC_AUTO, "10.0.0.2/24", false, false, true, true, false},
		{LOCAL_TRAFFIC_BRIDGED, "10.0.0.2/24", false, false, true, false, false},
		{LOCAL_TRAFFIC_ROUTED, "10.0.0.2/24", true, true, true, false, true},
		{LOCAL_TRAFFIC_ROUTED, "10.0.0.2/24", true, true, false, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bridge_conf conf = flannel_conf();
		struct cni_result ipam = {0};
		struct cni_plan_input in = input(&conf, &ipam);
		struct cni_plan plan;
		const char *text;

		conf.local_traffic = rows[i].conf;
		conf.is_default_gateway = rows[i].default_gateway;
		conf.isolated = rows[i].isolated;
		in.bridged_filtered = rows[i].filtered;
		in.bridged_filtered6 = rows[i].filtered6;
		add_ips(&ipam, rows[i].ips);
		text = plan_text(&in, &plan);
		if ((strstr(text, "noprefixroute") != NULL) != rows[i].routed ||
		    (strstr(text, "isolated") != NULL) != (rows[i].routed || rows[i].isolated))
			fail_msg("row %zu: wanted routed %d, was:\n%s", i, rows[i].routed, text);
	}
}

/* A gateway that all share, an address that is a whole subnet: no route is said twice, none to oneself. */
static void test_cni_plan_routed_odd(void **state)
{
	struct bridge_conf conf = flannel_conf();
	struct cni_result ipam = {0};
	struct cni_plan_input in = input(&conf, &ipam);
	struct cni_plan plan;
	const char *text;

	(void)state;
	conf.local_traffic = LOCAL_TRAFFIC_ROUTED;
	conf.force_address = true;
	add_ips(&ipam, "10.0.0.2/24,10.0.0.1 10.0.0.9/24,10.0.0.1 10.0.7.1/32,10.0.7.1");
	add_routes(&ipam, "10.0.0.0/24,10.0.0.1");
	text = strstr(plan_text(&in, &plan), "link.up");
	assert_string_equal(text, "link.up pod\n"
				  "route.add 10.0.0.1/32 scope 253 pod\n"
				  "route.add 10.0.0.0/24 via 10.0.0.1 pod\n"
				  "route.add 10.0.7.1/32 scope 253 pod\n"
				  "route.add 0.0.0.0/0 via 10.0.0.1 pod\n");
}

/* What of the bridge is repaired, by its state. */
static void test_cni_plan_bridge_set(void **state)
{
	static const struct {
		bool up, promisc, want_promisc;
		uint8_t mac;
		const char *addr, *want; /* want NULL: no bridge.set */
	} rows[] = {
		{true, false, false, 9, "10.0.0.1/24", NULL},
		{true, true, false, 9, "10.0.0.1/24", NULL},
		{true, true, true, 9, "10.0.0.1/24", NULL},
		{false, false, false, 9, "10.0.0.1/24", "bridge.set bridge"},
		{true, false, true, 9, "10.0.0.1/24", "bridge.set bridge promisc"},
		/* lost its last port */
		{true, false, false, 0, "10.0.0.1/24", "bridge.set bridge mac 02:00:00:00:00:01"},
		/* whoever gets an address keeps its MAC */
		{true, false, false, 9, NULL, "bridge.set bridge mac 02:00:00:00:00:09"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bridge_conf conf = {
			.name = "cni0",
			.is_gateway = true,
			.promisc = rows[i].want_promisc,
		};
		struct cidr addr = cidr(rows[i].addr ? rows[i].addr : "1.0.0.1/8");
		struct cni_result ipam = {0};
		struct cni_plan_input in = input(&conf, &ipam);
		const char *got = NULL;
		struct cni_plan plan;
		char buf[200];

		add_ips(&ipam, "10.0.0.2/24");
		in.bridge = (struct cni_plan_bridge){
			.exists = true,
			.is_bridge = true,
			.up = rows[i].up,
			.promisc = rows[i].promisc,
			.addrs = &addr,
			.n_addrs = rows[i].addr != NULL,
		};
		if (rows[i].mac)
			in.bridge.mac = mac(rows[i].mac);
		assert_int_equal(cni_plan_attach(&in, &arena, &plan, NULL), 0);
		for (size_t j = 0; j < plan.n; j++) {
			if (plan.ops[j].type != CNI_OP_BRIDGE_SET)
				continue;
			cni_op_format(&plan.ops[j], &TEXT(buf));
			got = buf;
		}
		if (rows[i].want)
			assert_string_equal(got ? got : "none", rows[i].want);
		else
			assert_null(got);
	}
}

/* Addresses of the bridge: which go, which come, which are refused. */
static void test_cni_plan_gateways(void **state)
{
	static const struct {
		const char *have, *ips;
		bool force;
		const char *want; /* the addr ops on the bridge, or the error */
	} rows[] = {
		{"", "10.0.0.2/24", false, "addr.add 10.0.0.1/24 bridge\n"},
		{"10.0.0.1/24", "10.0.0.2/24", false, ""},
		{"10.9.0.1/24 10.0.0.1/24", "10.0.0.2/24", false, ""},
		{"10.0.0.1/16", "10.0.0.2/24", false,
		 "failed to set bridge addr: \"br\" already has an IP address different from "
		 "10.0.0.1/24: it has 10.0.0.1/16; the wanted subnet comes from F. Either remove that "
		 "address when no pod uses it, or set forceAddress"},
		{"10.9.0.1/24 fd09::1/64", "10.0.0.2/24", true,
		 "addr.del 10.9.0.1/24 bridge\naddr.add 10.0.0.1/24 bridge\n"},
		/* IPv6: disjoint subnets live together */
		{"fd09::1/64", "fd00::2/64", false, "addr.add fd00::1/64 bridge\n"},
		{"fd00::9/48", "fd00::2/64", true,
		 "addr.del fd00::9/48 bridge\naddr.add fd00::1/64 bridge\n"},
		{"fd00::9/64", "fd00::2/64", false,
		 "failed to set bridge addr: \"br\" already has an IP address different from "
		 "fd00::1/64: it has fd00::9/64; the wanted subnet comes from F. Either remove that "
		 "address when no pod uses it, or set forceAddress"},
		/* two of a family in one call: the first is in the way of the second */
		{"", "10.0.0.2/24 10.1.0.2/24", false,
		 "failed to set bridge addr: \"br\" already has an IP address different from "
		 "10.1.0.1/24: it has 10.0.0.1/24; the wanted subnet comes from F. Either remove that "
		 "address when no pod uses it, or set forceAddress"},
		{"", "10.0.0.2/24 fd00::2/64", false,
		 "addr.add 10.0.0.1/24 bridge\naddr.add fd00::1/64 bridge\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bridge_conf conf = {
			.name = "br",
			.is_gateway = true,
			.force_address = rows[i].force,
		};
		struct cni_result ipam = {0};
		struct cni_plan_input in = input(&conf, &ipam);
		char buf[1000] = "", *words[8];
		struct cni_plan plan;
		struct cidr addrs[8];
		struct text t = TEXT(buf);
		struct err err;

		add_ips(&ipam, rows[i].ips);
		in.blame = "F";
		in.bridge = (struct cni_plan_bridge){.exists = true, .is_bridge = true};
		in.bridge.n_addrs = split(rows[i].have, words, ARRAY_SIZE(words));
		for (size_t j = 0; j < in.bridge.n_addrs; j++)
			addrs[j] = cidr(words[j]);
		in.bridge.addrs = addrs;
		if (cni_plan_attach(&in, &arena, &plan, &err) < 0) {
			assert_string_equal(err.text, rows[i].want);
			continue;
		}
		for (size_t j = 0; j < plan.n; j++) {
			const struct cni_op *op = &plan.ops[j];

			if (op->link != CNI_PLAN_BRIDGE ||
			    (op->type != CNI_OP_ADDR_ADD && op->type != CNI_OP_ADDR_DEL))
				continue;
			cni_op_format(op, &t);
			text_add(&t, "\n");
		}
		assert_string_equal(buf, rows[i].want);
	}
}

/* Routes: gateways filled in, defaults added once a family, doubles installed once. */
static void test_cni_plan_routes(void **state)
{
	static const struct {
		const char *ips, *routes;
		bool default_gw;
		const char *want;
		size_t n_result;
	} rows[] = {
		{"10.0.0.2/24,10.0.0.9", "10.1.0.0/16 10.2.0.0/16,10.0.0.7", false,
		 "route.add 10.1.0.0/16 via 10.0.0.9 pod\nroute.add 10.2.0.0/16 via 10.0.0.7 pod\n",
		 2},
		{"10.0.0.2/24", "10.1.0.0/16", false, "route.add 10.1.0.0/16 pod\n", 1},
		{"10.0.0.2/24,10.0.0.1 fd00::2/64,fd00::1", "", true,
		 "route.add 0.0.0.0/0 via 10.0.0.1 pod\nroute.add ::/0 via fd00::1 pod\n", 2},
		{"10.0.0.2/24,10.0.0.1 10.0.1.2/24,10.0.1.1", "", true,
		 "route.add 0.0.0.0/0 via 10.0.0.1 pod\n", 1},
		{"10.0.0.2/24,10.0.0.1", "0.0.0.0/0,10.0.0.5", true,
		 "route.add 0.0.0.0/0 via 10.0.0.5 pod\n", 1},
		{"10.0.0.2/24,10.0.0.1", "0.0.0.0/0", true,
		 "route.add 0.0.0.0/0 via 10.0.0.1 pod\n", 2},
		{"fd00::2/64,fd00::1", "10.0.0.0/8", false, "route.add 10.0.0.0/8 pod\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bridge_conf conf = {
			.name = "br",
			.is_default_gateway = rows[i].default_gw,
		};
		struct cni_result ipam = {0};
		struct cni_plan_input in = input(&conf, &ipam);
		struct cni_plan plan;
		char buf[1000] = "";
		struct text t = TEXT(buf);

		add_ips(&ipam, rows[i].ips);
		add_routes(&ipam, rows[i].routes);
		assert_int_equal(cni_plan_attach(&in, &arena, &plan, NULL), 0);
		for (size_t j = 0; j < plan.n; j++) {
			if (plan.ops[j].type != CNI_OP_ROUTE)
				continue;
			cni_op_format(&plan.ops[j], &t);
			text_add(&t, "\n");
		}
		assert_string_equal(buf, rows[i].want);
		assert_int_equal(plan.result.n_routes, rows[i].n_result);
	}
}

static void test_cni_plan_ipv6(void **state)
{
	struct bridge_conf conf = {.name = "br"};
	struct cni_result ipam = {0};
	struct cni_plan_input in = input(&conf, &ipam);
	struct cni_plan plan;

	(void)state;
	add_ips(&ipam, "fd00::2/64");
	conf.mac = mac(7);
	assert_string_equal(plan_text(&in, &plan),
			    "bridge.add bridge mac 02:00:00:00:00:01\n"
			    "sysctl net/ipv6/conf/br/accept_ra=0 bridge\n"
			    "bridge.set bridge\n"
			    "veth.add host mac 02:00:00:00:00:02 peer 02:00:00:00:00:07\n"
			    "sysctl net/ipv6/conf/veth1/accept_ra=0 host\n"
			    "port.set host\n"
			    "sysctl net/ipv6/conf/eth0/accept_dad=0 pod\n"
			    "sysctl net/ipv6/conf/lo/disable_ipv6=0 pod\n"
			    "sysctl net/ipv6/conf/eth0/disable_ipv6=0 pod\n"
			    "sysctl net/ipv6/conf/eth0/keep_addr_on_down=1 pod\n"
			    "arp_notify pod\n"
			    "addr.add fd00::2/64 pod\n"
			    "link.up pod\n");
}

static void test_cni_plan_layer2(void **state)
{
	struct bridge_conf conf = {.name = "br"};
	struct cni_plan_input in = input(&conf, NULL);
	struct cni_plan plan;

	(void)state;
	plan_text(&in, &plan);
	assert_int_equal(plan.ops[plan.n - 1].type, CNI_OP_UP);
	assert_int_equal(plan.ops[plan.n - 2].type, CNI_OP_PORT);
	assert_int_equal(plan.result.n_ips, 0);
	conf.disable_iface = true;
	plan_text(&in, &plan);
	assert_int_equal(plan.ops[plan.n - 1].type, CNI_OP_PORT);
}

static void test_cni_plan_refuses(void **state)
{
	struct bridge_conf conf = {.name = "br"};
	struct cni_result nothing = {0};
	struct cni_plan_input in = input(&conf, &nothing);
	struct cni_plan plan;

	(void)state;
	assert_string_equal(plan_text(&in, &plan), "IPAM plugin returned missing IP config");
	in.ipam = NULL;
	in.bridge.exists = true;
	assert_string_equal(
		plan_text(&in, &plan),
		"failed to create bridge \"br\": \"br\" already exists but is not a bridge");
}

static void test_cni_plan_names(void **state)
{
	struct cni_plan_owner o = {.network = "cbr0", .container_id = "c1", .ifname = "eth0"};
	struct cni_plan_owner moved = {.network = "cbr0c", .container_id = "1", .ifname = "eth0"};
	char a[LINK_NAME_SIZE], b[LINK_NAME_SIZE], alias[CNI_PLAN_ALIAS_SIZE], id[300] = "";

	(void)state;
	cni_plan_veth_name(&o, 0, a);
	assert_int_equal(strlen(a), 12);
	/* A name on disk and in other people's heads: it must stay. */
	assert_string_equal(a, "veth2006ac83");
	cni_plan_veth_name(&o, 1, b);
	assert_string_not_equal(a, b);
	cni_plan_veth_name(&moved, 0, b);
	assert_string_not_equal(a, b);
	cni_plan_alias(&o, alias);
	assert_string_equal(alias, "loden:cbr0/c1/eth0");
	memset(id, 'x', sizeof(id) - 1);
	o.container_id = id;
	cni_plan_alias(&o, alias);
	assert_int_equal(strlen(alias), CNI_PLAN_ALIAS_SIZE - 1);
}

/* A route's text, whatever it carries. */
static void test_cni_plan_route_text(void **state)
{
	static const struct {
		const char *dst, *gw;
		bool table, scope;
		const char *want;
	} rows[] = {
		{"10.0.0.0/8", NULL, false, false, "10.0.0.0/8"},
		{"fd00::/8", "fd00::1", false, false, "fd00::/8 via fd00::1"},
		{NULL, "fd00::1", true, false, "::/0 via fd00::1 metric 7 table 100"},
		{"10.0.0.0/8", NULL, true, true, "10.0.0.0/8 metric 7 table 100 scope 253"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cni_op op = {
			.type = CNI_OP_ROUTE,
			.link = CNI_PLAN_POD,
			.route = {.has_table = rows[i].table, .has_scope = rows[i].scope},
		};
		char buf[200] = "";
		struct text t = TEXT(buf);

		if (rows[i].dst)
			op.route.dst = cidr(rows[i].dst);
		if (rows[i].gw)
			assert_true(ip_parse(rows[i].gw, &op.route.gw));
		if (rows[i].table)
			op.route.table = 100, op.route.priority = 7;
		if (rows[i].scope)
			op.route.scope = 253;
		cni_op_format(&op, &t);
		assert_string_equal(buf, arena_printf(&arena, "route.add %s pod", rows[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cni_plan_first_pod, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_next_pod, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_routed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_local_traffic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_routed_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_bridge_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_gateways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_layer2, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cni_plan_refuses, setup, teardown),
		cmocka_unit_test(test_cni_plan_names),
		cmocka_unit_test_setup_teardown(test_cni_plan_route_text, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
