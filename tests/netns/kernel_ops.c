/* SPDX-License-Identifier: Apache-2.0 */
/* os_ops_kernel on the real kernel: what is applied is dumped, what is foreign stays, what fails is
 * named. Each test has a network namespace of its own. */

#include <errno.h>
#include <sys/stat.h>

#include "core/diff.h"
#include "kernel_test.h"

/* Everything of other people, as text. */
#define FOREIGN                                                                                  \
 "(ip -d link show eth0; ip addr show eth0; ip route show table all | grep -v 'flannel\\|cni0';" \
 " ip neigh show dev eth0; ip nexthop show; ip rule; bridge fdb show dev eth0)"

static void test_empty_kernel_has_nothing_of_ours(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	dump(&n, RT);
	for (enum object_kind k = 0; k < OBJECT__COUNT; k++)
		assert_int_equal(n.have.of[k].n, 0);
	assert_true(os_ops_kernel.devmap(n.os)->dev[DEV_UPLINK].ifindex > 0);
	assert_int_equal(os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex, 0);
	node_close(&n);
}

static void test_what_is_applied_is_dumped_and_removed(void **state)
{
	char before[8192], after[8192];
	struct node n;
	struct plan p;

	(void)state;
	node_open(&n);
	sh("ip nexthop add id 7 via 192.168.77.9 dev eth0 && "
	   "ip neigh add 192.168.77.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent && "
	   "ip route add 172.20.0.0/16 via 192.168.77.9 && ip route add 172.21.0.0/16 nhid 7 && "
	   "ip route add 10.1.7.0/24 via 192.168.77.9 table 77");
	sh_out(FOREIGN, before, sizeof(before));
	make_want(&n);
	p = plan_of(&n, &n.want, OP_ADD);
	apply_ok(&n, &p);
	assert_have_is_want(&n, RT);
	p = plan_of(&n, &n.want, OP_DEL);
	apply_ok(&n, &p);
	apply_ok(&n, &p); /* what is gone is no failure */
	dump(&n, RT);
	for (enum object_kind k = 0; k < OBJECT__COUNT; k++)
		assert_int_equal(n.have.of[k].n, 0);
	sh_out(FOREIGN, after, sizeof(after));
	assert_string_equal(before, after);
	node_close(&n);
}

static void test_addresses_and_blackholes(void **state)
{
	struct route blackhole = {
		.dst = cidr("10.9.0.0/24"), .type = ROUTE_BLACKHOLE, .proto = ROUTE_PROTO_LODEN};
	char text[256];
	struct node n;

	(void)state;
	start(&n);
	sh_out("ip -4 -o addr show cni0", text, sizeof(text));
	assert_non_null(strstr(text, "10.9.0.1/24 brd 10.9.0.255 scope global"));
	sh_out("ip -4 -o addr show flannel.1", text, sizeof(text));
	assert_non_null(strstr(text, "10.1.0.0/32 scope global"));

	apply_one(&n, OP_DEL, OBJECT_ADDR, netstate_at(&n.want, OBJECT_ADDR, 1).any, NULL);
	apply_one(&n, OP_ADD, OBJECT_ROUTE, &blackhole, NULL);
	assert_int_equal(n.n_failures, 0);
	sh_out("ip route show type blackhole", text, sizeof(text));
	assert_string_equal(text, "blackhole 10.9.0.0/24 proto 102 \n");
	add(&n, OBJECT_ROUTE, &blackhole);
	sort(&n.want);
	assert_have_is_want(&n, ROUTE);
	node_close(&n);
}

static void test_links_change_in_place(void **state)
{
	static const struct {
		const char *what;
		struct link want;
	} cases[] = {
		{"mtu", {.mtu_bytes = 1400}},	 {"mac", {.mac = {{0x0e, 0, 0, 0, 0, 9}}}},
		{"alias", {.alias = "loden:x"}}, {"learning", {.vxlan = {.learning = true}}},
		{"down", {.up = true}}, /* inverted below */
	};

	uint32_t ifindex;
	struct node n;

	(void)state;
	start(&n);
	ifindex = os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link old = vxlan_link(), want = old;

		want.mtu_bytes = cases[i].want.mtu_bytes ? cases[i].want.mtu_bytes : old.mtu_bytes;
		if (mac_is_set(&cases[i].want.mac))
			want.mac = cases[i].want.mac;
		if (cases[i].want.alias[0])
			strcpy(want.alias, cases[i].want.alias);
		want.vxlan.learning = cases[i].want.vxlan.learning;
		want.up = !cases[i].want.up;
		apply_one(&n, OP_SET, OBJECT_LINK, &want, &old);
		assert_int_equal(n.n_failures, 0);
		memset(&n.want, 0, sizeof(n.want));
		add(&n, OBJECT_LINK, &want);
		add(&n, OBJECT_LINK, &(struct link){0});
		((struct link *)n.want.of[OBJECT_LINK].items)[1] = bridge_link();
		sort(&n.want);
		assert_have_is_want(&n, LINK);
		assert_int_equal(os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex, ifindex);
		apply_one(&n, OP_SET, OBJECT_LINK, &old, &want);
		assert_int_equal(n.n_failures, 0);
	}
	node_close(&n);
}

static void test_recreated_link_gets_a_new_index_and_later_ops_use_it(void **state)
{
	struct link old = vxlan_link(), link = old;
	struct addr addr = {DEV_VXLAN, cidr("10.1.0.0/32")};
	struct op ops[] = {
		{OP_RECREATE,
		 {.kind = OBJECT_LINK, .link = &link},
		 {.kind = OBJECT_LINK, .link = &old}},
		{OP_ADD, {.kind = OBJECT_ADDR, .addr = &addr}, {0}},
	};
	uint32_t ifindex;
	struct node n;

	(void)state;
	start(&n);
	link.vxlan.vni = 2;
	link.vxlan.gbp = true;
	ifindex = os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex;
	apply_ok(&n, &(struct plan){ops, ARRAY_SIZE(ops)});
	assert_int_not_equal(os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex, ifindex);
	memset(&n.want, 0, sizeof(n.want));
	add(&n, OBJECT_LINK, &link);
	link = bridge_link();
	add(&n, OBJECT_LINK, &link);
	sort(&n.want);
	assert_have_is_want(&n, LINK | ROUTE | NEIGH | FDB);
	sh("ip -4 addr show flannel.1 | grep -q 10.1.0.0/32");
	node_close(&n);
}

/* Our mark finds what our name does not: renamed by somebody, or of a VNI that is no longer wanted. */
static void test_renamed_link_keeps_its_role(void **state)
{
	uint32_t vxlan, bridge;
	struct node n;

	(void)state;
	start(&n);
	strcpy(n.names.link_alias, "loden");
	os_ops_kernel.set_names(n.os, &n.names);
	vxlan = os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex;
	bridge = os_ops_kernel.devmap(n.os)->dev[DEV_BRIDGE].ifindex;
	sh("ip link set flannel.1 down && ip link set flannel.1 name other.1 && "
	   "ip link set cni0 down && ip link set cni0 name other0 && ip link set other0 up &&"
	   /* marked, but not what we look for */
	   "ip link add v type veth peer name vp && ip link set v alias loden");
	dump(&n, LINK);
	assert_int_equal(n.have.of[OBJECT_LINK].n, 2);
	assert_int_equal(os_ops_kernel.devmap(n.os)->dev[DEV_VXLAN].ifindex, vxlan);
	assert_int_equal(os_ops_kernel.devmap(n.os)->dev[DEV_BRIDGE].ifindex, bridge);
	sort(&n.have);
	for (size_t i = 0; i < 2; i++) {
		struct object want = netstate_at(&n.want, OBJECT_LINK, i);
		struct object have = netstate_at(&n.have, OBJECT_LINK, i);

		assert_int_equal(link_compare(want.link, have.link, NULL), LINK_SET);
		apply_one(&n, OP_SET, OBJECT_LINK, want.any, have.any);
		assert_int_equal(n.n_failures, 0);
	}
	assert_have_is_want(&n, LINK);
	assert_int_equal(os_ops_kernel.devmap(n.os)->dev[DEV_BRIDGE].ifindex, bridge);
	/* Without the mark it is somebody's. */
	sh("ip link set cni0 alias other && ip link set cni0 down && ip link set cni0 name other0");
	dump(&n, LINK);
	assert_int_equal(n.have.of[OBJECT_LINK].n, 1);
	node_close(&n);
}

static void test_link_of_another_kind_under_our_name(void **state)
{
	struct node n;
	struct link *l;

	(void)state;
	node_open(&n);
	sh("ip link add flannel.1 type bridge && ip link add cni0 type veth peer name x");
	dump(&n, LINK);
	sort(&n.have);
	assert_int_equal(n.have.of[OBJECT_LINK].n, 2);
	l = n.have.of[OBJECT_LINK].items;
	assert_int_equal(l[0].kind, LINK_BRIDGE);
	assert_int_equal(l[1].kind, LINK_OTHER);
	node_close(&n);
}

static void test_altered_vxlan_is_seen(void **state)
{
	static const struct {
		const char *args;
		struct link_vxlan v;
	} cases[] = {
		{"id 5 dstport 8472 dev eth0 local 192.168.77.1 nolearning",
		 {.vni = 5, .port = 8472, .lower = DEV_UPLINK}},
		{"id 1 dstport 4789 dev eth0 local 192.168.77.1 learning",
		 {.vni = 1, .port = 4789, .lower = DEV_UPLINK, .learning = true}},
		{"id 1 dstport 8472 local 192.168.77.1 dev eth0p nolearning gbp l2miss l3miss proxy rsc",
		 {.vni = 1,
		  .port = 8472,
		  .lower = DEV_NONE,
		  .gbp = true,
		  .l2miss = true,
		  .l3miss = true,
		  .proxy = true,
		  .rsc = true}},
		{"id 1 dstport 8472 local 192.168.77.1 dev eth0 nolearning group 239.1.1.1",
		 {.vni = 1, .port = 8472, .lower = DEV_UPLINK, .group = true}},
		{"external dstport 8472 local 192.168.77.1 nolearning",
		 {.port = 8472, .lower = DEV_NONE, .external = true}},
		{"id 1 dstport 8472 local fd00::1 dev eth0 nolearning",
		 {.vni = 1, .port = 8472, .lower = DEV_UPLINK}},
	};

	char command[256];
	struct node n;

	(void)state;
	node_open(&n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link_vxlan want = cases[i].v, have;

		want.local = i == 5 ? ip("fd00::1") : ip("192.168.77.1");
		snprintf(command, sizeof(command), "ip link add flannel.1 type vxlan %s",
			 cases[i].args);
		sh(command);
		dump(&n, LINK);
		assert_int_equal(n.have.of[OBJECT_LINK].n, 1);
		have = ((struct link *)n.have.of[OBJECT_LINK].items)->vxlan;
		assert_int_equal(have.vni, want.vni);
		assert_int_equal(have.port, want.port);
		assert_true(ip_eq(&have.local, &want.local));
		assert_int_equal(have.lower, want.lower);
		assert_int_equal(have.learning, want.learning);
		assert_int_equal(have.gbp, want.gbp);
		assert_int_equal(have.l2miss, want.l2miss);
		assert_int_equal(have.l3miss, want.l3miss);
		assert_int_equal(have.proxy, want.proxy);
		assert_int_equal(have.rsc, want.rsc);
		assert_int_equal(have.external, want.external);
		assert_int_equal(have.group, want.group);
		sh("ip link del flannel.1");
	}
	node_close(&n);
}

/* What others did to our objects, and how it is decoded. */
static void test_altered_objects_are_seen(void **state)
{
	static const struct {
		unsigned kind;
		const char *command, *line;
	} cases[] = {
		{OBJECT_ROUTE, "ip route replace 10.1.1.0/24 via 10.1.2.0 dev flannel.1 onlink",
		 "route 10.1.1.0/24 via 10.1.2.0 dev flannel.1 onlink proto 3"},
		{OBJECT_NEIGH, "ip neigh replace 10.1.1.0 lladdr 02:00:00:00:00:01 dev flannel.1",
		 "neigh 10.1.1.0 dev flannel.1 mac 02:00:00:00:00:01"},
		{OBJECT_NEIGH,
		 "ip neigh replace 10.1.1.0 lladdr 02:00:00:00:00:01 dev flannel.1 nud stale",
		 "neigh 10.1.1.0 dev flannel.1 mac 02:00:00:00:00:01 not permanent"},
		{OBJECT_FDB,
		 "bridge fdb replace 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.9 self permanent",
		 "fdb 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.9"},
		{OBJECT_FDB,
		 "bridge fdb replace 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.9 port 9 self permanent",
		 "fdb 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.9 not permanent"},
	};
	struct node n;

	(void)state;
	start(&n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = false;

		sh(cases[i].command);
		dump(&n, OBJECT_BIT(cases[i].kind));
		for (size_t j = 0; j < n.have.of[cases[i].kind].n; j++) {
			struct object o = netstate_at(&n.have, cases[i].kind, j);
			char line[OP_STRLEN];
			struct text t = TEXT(line);

			object_format(&o, os_ops_kernel.devmap(n.os), &t);
			found |= strcmp(line, cases[i].line) == 0;
		}
		if (!found)
			fail_msg("after %s: no %s", cases[i].command, cases[i].line);
	}
	/* And back again, each by the op that a diff would make. */
	for (enum object_kind k = OBJECT_NEIGH; k <= OBJECT_ROUTE; k++) {
		for (size_t i = 0; i < n.want.of[k].n; i++) {
			struct object o = netstate_at(&n.want, k, i);

			apply_one(&n, OP_SET, k, o.any, o.any);
			assert_int_equal(n.n_failures, 0);
		}
	}
	assert_have_is_want(&n, NEIGH | FDB | ROUTE);
	node_close(&n);
}

/* A removal takes exactly the route of others that stands in the slot: ours stays, before or behind it,
 * and so does the same route with another metric. */
static void test_routes_of_others_go_from_a_slot_one_by_one(void **state)
{
	static const struct {
		const char *type, *route;
	} cases[] = {
		{"", "via 192.168.77.9 dev eth0"},
		{"", "via 192.168.88.9 dev o proto static"},
		{"", "dev o"},
		{"", "dev o proto 0"},
		{"", "via 192.168.77.9 dev eth0 proto 0"},
		{"", "via 192.168.77.9 dev eth0 mtu 1300 src 192.168.77.1"},
		{"", "nexthop via 192.168.77.9 dev eth0 nexthop via 192.168.88.9 dev o"},
		{"", "proto 0 nexthop via 192.168.88.9 dev o nexthop via 192.168.77.9 dev eth0"},
		{"", "nhid 9"},
		{"", "nhid 9 proto 0"},
		{"unreachable", ""},
		{"prohibit", "proto 0"},
		{"blackhole", "proto 0"},
		{"throw", "proto static"},
	};

	static const char *const subnets[] = {"10.1.1.0/24", "10.1.3.0/24"};
	char command[400], before[4000], after[4000];
	struct node n;

	(void)state;
	start(&n);
	sh("ip link add o type veth peer name op && ip link set o up && ip link set op up && "
	   "ip addr add 192.168.88.1/24 dev o && ip nexthop add id 9 via 192.168.77.9 dev eth0 && "
	   "ip route add 10.1.1.128/25 via 192.168.77.9 && ip route add 10.2.0.0/16 dev o");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *type = cases[i].type, *route = cases[i].route;

		for (size_t j = 0; j < 4; j++) {
			const char *where = j & 1 ? "append" : "prepend", *subnet = subnets[j >> 1];
			struct route *r;
			size_t n_gone = 0;

			snprintf(command, sizeof(command), "ip route add %s %s metric 77 %s", type,
				 subnet, route);
			sh(command);
			sh_out("ip -d route", before, sizeof(before));
			snprintf(command, sizeof(command), "ip route %s %s %s %s", where, type,
				 subnet, route);
			sh(command);
			dump(&n, ROUTE);
			r = n.have.of[OBJECT_ROUTE].items;
			for (size_t k = 0; k < n.have.of[OBJECT_ROUTE].n; k++) {
				if (r[k].proto == ROUTE_PROTO_LODEN || r[k].metric != 0 ||
				    r[k].dst.len != 24)
					continue;
				apply_one(&n, OP_DEL, OBJECT_ROUTE, &r[k], NULL);
				assert_int_equal(n.n_failures, 0);
				n_gone++;
			}
			sh_out("ip -d route", after, sizeof(after));
			if (n_gone != 1 || strcmp(before, after) != 0)
				fail_msg("%s: %zu removed, before\n%s, after\n%s", command, n_gone,
					 before, after);
			snprintf(command, sizeof(command), "ip route del %s metric 77", subnet);
			sh(command);
		}
	}
	node_close(&n);
}

/* Several at once, of which one fits the other's removal. */
static void test_routes_of_others_go_in_the_order_of_the_slot(void **state)
{
	static const char *const orders[][2] = {
		{"dev eth0", "via 192.168.77.9 dev eth0"},
		{"via 192.168.77.9 dev eth0", "dev eth0"},
		{"via 192.168.77.9 dev eth0",
		 "nexthop via 192.168.77.9 dev eth0 nexthop via 192.168.77.8 dev eth0"},
		{"via 192.168.77.9 dev eth0 proto 0", "via 192.168.77.9 dev eth0"},
	};
	char command[400], before[4000], after[4000];
	struct node n;

	(void)state;
	start(&n);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(orders); i++) {
		const char *const *order = orders[i / 2];
		struct op ops[16], one;
		struct plan p = {ops, 0};
		struct diff d;

		snprintf(
			command, sizeof(command),
			"ip route add 10.1.1.0/24 metric 77 %s; ip route add 10.1.1.0/24 metric 78 %s",
			order[0], order[1]);
		sh(command);
		sh_out("ip -d route", before, sizeof(before));
		snprintf(command, sizeof(command),
			 "ip route %s 10.1.1.0/24 %s && ip route prepend 10.1.1.0/24 %s",
			 i & 1 ? "append" : "prepend", order[1], order[0]);
		sh(command);
		dump(&n, ROUTE);
		diff_begin(&d, &n.want, ROUTE, NULL, &n.arena);
		for (size_t k = 0; k < n.have.of[OBJECT_ROUTE].n; k++) {
			struct object o = netstate_at(&n.have, OBJECT_ROUTE, k);

			diff_feed(&d, &o);
		}
		while (diff_next(&d, &one, 1))
			ops[p.n++] = one;
		assert_int_equal(p.n, 2);
		apply_ok(&n, &p);
		sh_out("ip -d route", after, sizeof(after));
		if (strcmp(before, after) != 0)
			fail_msg("%s: before\n%s, after\n%s", command, before, after);
		sh("ip route del 10.1.1.0/24 metric 77; ip route del 10.1.1.0/24 metric 78");
	}
	node_close(&n);
}

/* Earlier versions made some: they go, those of others stay. */
static void test_nexthops_are_found_and_removed(void **state)
{
	struct node n;

	(void)state;
	start(&n);
	sh("ip nexthop add id 1711276037 via 10.1.5.0 dev flannel.1 onlink proto 102 && " /* base + 5 */
	   "ip nexthop add id 1711276039 via 192.168.77.9 dev eth0 && "
	   "ip nexthop add id 1711276041 blackhole proto 102 && "
	   "ip nexthop add id 9 via 192.168.77.9 dev eth0");
	dump(&n, NH);
	assert_int_equal(n.have.of[OBJECT_NEXTHOP].n, 1);
	apply_one(&n, OP_DEL, OBJECT_NEXTHOP, n.have.of[OBJECT_NEXTHOP].items, NULL);
	assert_int_equal(n.n_failures, 0);
	dump(&n, NH);
	assert_int_equal(n.have.of[OBJECT_NEXTHOP].n, 0);
	sh("test $(ip nexthop | wc -l) -eq 3");
	node_close(&n);
}

struct busy {
	size_t n_nexthops, n_routes;
};

/* Somebody changes nexthops while they are read, whenever that is. */
static void on_object_busy(void *arg, const struct object *o)
{
	struct busy *busy = arg;

	busy->n_routes += o->kind == OBJECT_ROUTE;
	if (o->kind == OBJECT_NEXTHOP && busy->n_nexthops++ % 500 == 0)
		sh("ip nexthop add id 9 via 192.168.77.9 dev eth0 && ip nexthop del id 9");
}

/* They are but leftovers: what of them was not seen is seen at the next look. */
static void test_nexthops_that_keep_changing_stop_nothing(void **state)
{
	struct busy busy = {0};
	const struct os_dump what = {NH | ROUTE, on_object_busy, &busy};
	struct err err = {0};
	struct node n;

	(void)state;
	start(&n);
	/* Several parts of a dump, of 32 kB each. */
	sh("awk 'BEGIN { for (i = 0; i < 4000; i++) print \"nexthop add id\", 1711276032 + i, "
	   "\"via 10.1.5.0 dev flannel.1 onlink proto 102\" }' | ip -batch -");
	if (os_ops_kernel.dump(n.os, &what, &n.taken, &err) < 0)
		fail_msg("dump: %s", err.text);
	assert_true(busy.n_nexthops > 0);
	assert_true(busy.n_routes >= 4);
	node_close(&n);
}

static void test_failures_are_matched_to_their_ops(void **state)
{
	enum {
		N = 700
	};
	struct route *r;
	struct node n;
	struct plan p = {.n = N};

	(void)state;
	start(&n);
	p.ops = arena_array(&n.arena, struct op, N);
	r = arena_array(&n.arena, struct route, N);
	for (uint32_t i = 0; i < N; i++) {
		r[i] = (struct route){
			.dst = {ip_from_v4(0x0b000000u + i * 256), 24},
			.proto = ROUTE_PROTO_LODEN,
			.dev = DEV_VXLAN,
			.via = ip_from_v4(0x0b000000u + i * 256),
			.onlink = true,
		};
		if (i % 7 == 3)
			r[i] = (struct route){.dst = r[i].dst, .proto = r[i].proto, .nhid = 4242};
		if (i == 100)
			r[i].dev = DEV_VXLAN6;
		p.ops[i] = (struct op){OP_ADD, {.kind = OBJECT_ROUTE, .route = &r[i]}, {0}};
	}
	apply(&n, &p);
	assert_int_equal(n.n_failures, N / 7 + 1);
	for (size_t i = 0, at = 0; i < N; i++) {
		bool failed = false;

		for (at = 0; at < n.n_failures && !failed; at++) {
			failed = n.failures[at].op == i;
			if (failed && i == 100)
				assert_string_equal(n.failures[at].text, "its link does not exist");
			else if (failed)
				assert_string_equal(n.failures[at].text,
						    "Nexthop id does not exist");
		}
		assert_int_equal(failed, i % 7 == 3 || i == 100);
	}
	dump(&n, ROUTE);
	assert_int_equal(n.have.of[OBJECT_ROUTE].n, 4 + N - n.n_failures);
	node_close(&n);
}

static void test_busy_port_leaves_the_link_down_and_says_so(void **state)
{
	struct link l = vxlan_link();
	struct link *have;
	struct node n;

	(void)state;
	node_open(&n);
	sh("ip link add ext type vxlan external dstport 8472 && ip link set ext up");
	apply_one(&n, OP_ADD, OBJECT_LINK, &l, NULL);
	assert_int_equal(n.n_failures, 1);
	assert_int_equal(n.failures[0].code, -EADDRINUSE);
	dump(&n, LINK);
	assert_int_equal(n.have.of[OBJECT_LINK].n, 1);
	have = n.have.of[OBJECT_LINK].items;
	assert_false(have->up);
	assert_true(mac_eq(&have->mac, &l.mac));
	sh("ip link del ext");
	apply_one(&n, OP_SET, OBJECT_LINK, &l, &(struct link){0});
	node_close(&n);
}

static void test_files(void **state)
{
	static const struct sysctl sysctls[] = {{.path = "net/ipv4/ip_forward"},
						{.path = "net/ipv4/conf/no_such/x"}};
	struct sysctl on = {.path = "net/ipv4/ip_forward", .value = "1"};
	struct sysctl none = {.path = "net/ipv4/conf/no_such/x", .value = "1"};
	struct envfile env = {.text = "FLANNEL_NETWORK=10.0.0.0/8\n"};
	char dir[] = "/tmp/kernel_ops.XXXXXX", path[64];
	struct sysctl *have;
	struct stat st;
	struct node n;

	(void)state;
	node_open(&n);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/subnet.env", dir);
	n.names.envfile_path = path;
	n.names.sysctls = sysctls;
	n.names.n_sysctls = 2;
	os_ops_kernel.set_names(n.os, &n.names);
	sh("echo 0 >/proc/sys/net/ipv4/ip_forward");
	dump(&n, OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ENVFILE));
	have = n.have.of[OBJECT_SYSCTL].items;
	assert_int_equal(n.have.of[OBJECT_SYSCTL].n, 2);
	assert_string_equal(have[0].value, "0");
	assert_string_equal(have[1].value, "");
	assert_int_equal(n.have.of[OBJECT_ENVFILE].n, 0);

	apply_one(&n, OP_SET, OBJECT_SYSCTL, &on, &have[0]);
	assert_int_equal(n.n_failures, 0);
	apply_one(&n, OP_SET, OBJECT_SYSCTL, &none, &have[1]);
	assert_int_equal(n.n_failures, 1);
	assert_int_equal(n.failures[0].code, -ENOENT);
	sh("grep -q 1 /proc/sys/net/ipv4/ip_forward");

	apply_one(&n, OP_ADD, OBJECT_ENVFILE, &env, NULL);
	assert_int_equal(n.n_failures, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(chmod(path, 0600), 0);
	strcpy(env.text, "FLANNEL_NETWORK=11.0.0.0/8\n");
	apply_one(&n, OP_SET, OBJECT_ENVFILE, &env, &env);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	add(&n, OBJECT_ENVFILE, &env);
	assert_have_is_want(&n, OBJECT_BIT(OBJECT_ENVFILE));
	apply_one(&n, OP_DEL, OBJECT_ENVFILE, &env, NULL);
	assert_int_equal(n.n_failures, 0);
	assert_int_equal(rmdir(strcat(strcpy(path, dir), "/a/b")), 0); /* nothing is left over */
	assert_int_equal(rmdir(strcat(strcpy(path, dir), "/a")), 0);
	assert_int_equal(rmdir(dir), 0);
	node_close(&n);
}

static void test_facts(void **state)
{
	struct ip reach = ip("192.168.77.9"), nowhere = ip("203.0.113.1");
	const struct iface *eth0 = NULL;
	struct iface_facts f;
	struct node n;

	(void)state;
	node_open(&n);
	sh("ip addr add 192.168.77.2/24 dev eth0 && ip -6 addr add fd00::5/64 dev eth0 nodad && "
	   "ip link add y type veth peer name yp && ip link set y up && "
	   "ip route add default via 192.168.77.253 metric 50 dev eth0 && "
	   "ip -6 route add default via fd00::1 dev eth0");
	assert_int_equal(os_ops_kernel.facts(n.os, &reach, &n.arena, &f, NULL), 0);
	for (size_t i = 0; i < f.n_ifaces; i++) {
		if (i > 0)
			assert_true(f.ifaces[i - 1].ifindex < f.ifaces[i].ifindex);
		if (strcmp(f.ifaces[i].name, "eth0") == 0)
			eth0 = &f.ifaces[i];
		if (strcmp(f.ifaces[i].name, "y") == 0)
			assert_true(f.ifaces[i].up && !f.ifaces[i].running);
	}
	assert_int_equal(f.n_ifaces, 5);
	assert_non_null(eth0);
	assert_true(eth0->up && eth0->running && eth0->mtu_bytes == 1500);
	assert_true(eth0->n_addrs >= 3);
	assert_true(eth0->addrs[0].permanent && !eth0->addrs[0].temporary);
	assert_true(!eth0->addrs[1].temporary); /* the bit means "secondary" there */
	assert_int_equal(f.default_ifindex, eth0->ifindex);
	assert_int_equal(f.default_ifindex6, eth0->ifindex);
	assert_false(f.default_multipath);
	assert_int_equal(f.reach_ifindex, eth0->ifindex);
	assert_true(ip_eq(&f.reach_src, &eth0->addrs[0].cidr.ip));

	sh("ip route del default; ip route del default; ip route add default nexthop via 192.168.77.7 "
	   "nexthop via 192.168.77.8");
	assert_int_equal(os_ops_kernel.facts(n.os, &nowhere, &n.arena, &f, NULL), 0);
	assert_true(f.default_multipath && f.default_ifindex == 0);
	sh("ip route del default");
	assert_int_equal(os_ops_kernel.facts(n.os, &nowhere, &n.arena, &f, NULL), 0);
	assert_false(f.default_multipath);
	assert_int_equal(f.reach_ifindex, 0);
	node_close(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_kernel_has_nothing_of_ours),
		cmocka_unit_test(test_what_is_applied_is_dumped_and_removed),
		cmocka_unit_test(test_addresses_and_blackholes),
		cmocka_unit_test(test_links_change_in_place),
		cmocka_unit_test(test_recreated_link_gets_a_new_index_and_later_ops_use_it),
		cmocka_unit_test(test_renamed_link_keeps_its_role),
		cmocka_unit_test(test_link_of_another_kind_under_our_name),
		cmocka_unit_test(test_altered_vxlan_is_seen),
		cmocka_unit_test(test_altered_objects_are_seen),
		cmocka_unit_test(test_routes_of_others_go_from_a_slot_one_by_one),
		cmocka_unit_test(test_routes_of_others_go_in_the_order_of_the_slot),
		cmocka_unit_test(test_nexthops_are_found_and_removed),
		cmocka_unit_test(test_nexthops_that_keep_changing_stop_nothing),
		cmocka_unit_test(test_failures_are_matched_to_their_ops),
		cmocka_unit_test(test_busy_port_leaves_the_link_down_and_says_so),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
