/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backoff.h"
#include "core/diff.h"

/* fd00:10:244:i:: */
#define NETWORK6(i)                           \
 {                                            \
  {                                           \
   0xfd, 0, 0, 0x10, 2, 0x44, 0, (uint8_t)(i) \
  }                                           \
 }

static const struct cidr networks[2] = {{{{[10] = 0xff, 0xff, 10, 244}}, 16}, {NETWORK6(0), 48}};

uint64_t world_random(uint64_t *state)
{
	return backoff_random(state);
}

size_t world_below(uint64_t *state, size_t n)
{
	return (size_t)(world_random(state) >> 11) % n;
}

struct lease world_lease(unsigned i, unsigned version)
{
	struct lease l = {
		.subnet = {ip_from_v4(0x0af40000 + (i << 8)), 24},
		.public_ip = ip_from_v4(0xc0a80100 + i + (version << 16)),
		.type = BACKEND_VXLAN,
		.vtep_mac = {{2, 0, 0, (uint8_t)version, (uint8_t)(i >> 8), (uint8_t)i}},
	};

	if (i % 5 == 1)
		return l;
	l.subnet6 = (struct cidr){NETWORK6(i), 64};
	l.public_ip6 = (struct ip){{0xfd, 0x77, [13] = (uint8_t)version, [15] = (uint8_t)i}};
	l.vtep_mac6 = l.vtep_mac;
	l.vtep_mac6.b[1] = 6;
	return l;
}

static void build(struct world *w)
{
	struct leases table;
	struct leases_self self = {
		.net = &w->net,
		.own = &w->own,
		.public_ip = w->uplink.public_ip,
		.public_ip6 = w->uplink.public_ip6,
	};
	struct leases_verdict verdict;
	char notes[100];
	struct text t = TEXT(notes);
	struct want_input in = {
		.conf = &w->conf,
		.net = &w->net,
		.uplink = &w->uplink,
		.own = &w->own,
		.vtep_mac = {{2, 1, 1, 1, 1, 1}},
		.vtep_mac6 = {{2, 1, 1, 1, 1, 6}},
		.spread = w->spread,
	};

	leases_init(&table);
	leases_replace(&table, w->peers, w->n_peers);
	leases_judge(&table, &self, &w->arena, &t, &verdict);
	in.peers = table.peers;
	in.n_peers = table.n;
	want_build(&in, &w->arena, &w->want);
	leases_fini(&table);
	w->rule = (struct adopt){.network = w->net.network, .network6 = w->net.network6};
}

void world_init(struct world *w, uint64_t *random)
{
	char complaints[200];
	struct text t = TEXT(complaints);

	*w = (struct world){
		.conf = {.seed = 1,
			 .ip_masq = world_below(random, 2),
			 .forward_rules = world_below(random, 2),
			 .vxlan_guard = world_below(random, 2),
			 .blackhole_route = world_below(random, 2),
			 .bridge = world_below(random, 4) > 0,
			 .bridge_name = "cni0",
			 .spread_threshold = 16,
			 .audit_ms = 30000},
		.net = netconf_defaults(),
		.uplink = {.ifindex = 2,
			   .name = "eth0",
			   .mtu_bytes = world_below(random, 2) ? 1500 : 1400,
			   .up = true,
			   .ip = ip_from_v4(0xc0a80001),
			   .public_ip = ip_from_v4(0xc0a80001)},
		.own = world_lease(0, 0),
		.spread = world_below(random, 2),
	};
	arena_init(&w->arena, 0);
	w->net.backend = BACKEND_VXLAN;
	w->net.network = networks[0];
	if (world_below(random, 2)) {
		w->net.ipv6 = true;
		w->net.network6 = networks[1];
		w->uplink.ip6 = (struct ip){{0xfd, 0x77, [14] = 1}};
		w->uplink.public_ip6 = w->uplink.ip6;
	}
	w->net.vxlan.learning = world_below(random, 4) == 0;
	w->net.vxlan.direct_routing = world_below(random, 2);
	if (w->net.vxlan.direct_routing) { /* peers of version 0 but for some, see world_lease() */
		w->uplink.segment.n = 4;
		w->uplink.segment.routes[0].dst = (struct cidr){ip_from_v4(0xc0a80108), 29};
		w->uplink.segment.routes[1].dst = (struct cidr){ip_from_v4(0xc0a80000), 16};
		w->uplink.segment.routes[1].on_link = true;
		w->uplink.segment.routes[2].dst = (struct cidr){{{0xfd, 0x77, [15] = 8}}, 125};
		w->uplink.segment.routes[3].dst = (struct cidr){{{0xfd, 0x77}}, 112};
		w->uplink.segment.routes[3].on_link = true;
	}
	if (netconf_derive(&w->net, &t))
		abort();
	for (unsigned i = 1; i < WORLD_PEERS_MAX && world_below(random, 40); i++) {
		if (world_below(random, 4))
			w->peers[w->n_peers++] = world_lease(i, (unsigned)world_below(random, 2));
	}
	build(w);
}

void world_fini(struct world *w)
{
	arena_fini(&w->arena);
}

struct plan world_plan(const struct netstate *want, const struct adopt *rule, const struct sim *k,
		       struct arena *a)
{
	struct diff d;
	struct plan p = {.ops = arena_array(a, struct op, 2000)};

	diff_begin(&d, want, OBJECT_ALL, rule, a);
	sim_dump(k, OBJECT_ALL, (sim_object_fn *)diff_feed, &d);
	p.n = diff_next(&d, p.ops, 2000);
	return p;
}

size_t world_settle(const struct netstate *want, const struct adopt *rule, struct sim *k)
{
	for (size_t n = 0; n < 20; n++) {
		struct op_failure *failures;
		struct arena a;
		struct plan p;
		size_t n_failures;

		arena_init(&a, 0);
		p = world_plan(want, rule, k, &a);
		failures = arena_array(&a, struct op_failure, p.n);
		if (p.n)
			sim_apply(k, &p, failures, &n_failures);
		arena_fini(&a);
		if (!p.n)
			return n;
	}
	return 20;
}

/* ---- kernels ---- */

static struct object nth(const struct sim *k, enum object_kind kind, size_t i)
{
	return (struct object){.kind = kind, .any = k->of[kind].items + i * object_size(kind)};
}

/* Changes some field that is not the key. */
static void alter(struct object *o, uint64_t *random)
{
	switch (o->kind) {
	case OBJECT_LINK: {
		struct link *l = (struct link *)o->link;

		switch (world_below(random, 5)) {
		case 0:
			l->mtu_bytes = 1300;
			break;
		case 1:
			l->mac.b[5] ^= 7;
			break;
		case 2:
			l->alias[0] = '\0';
			break;
		case 3:
			l->vxlan.port ^= 1;
			break;
		case 4:
			l->kind = LINK_OTHER;
			break;
		}
		break;
	}
	case OBJECT_SYSCTL:
		memcpy(((struct sysctl *)o->sysctl)->value, "7", 2);
		break;
	case OBJECT_NEXTHOP:
		((struct nexthop *)o->nexthop)->via.b[15] ^= 1;
		break;
	case OBJECT_NEIGH:
		((struct neigh *)o->neigh)->permanent = world_below(random, 2);
		((struct neigh *)o->neigh)->mac.b[1] ^= 1;
		break;
	case OBJECT_FDB:
		((struct fdb *)o->fdb)->dst.b[15] ^= 1;
		break;
	case OBJECT_ROUTE:
		((struct route *)o->route)->proto = 3;
		break;
	case OBJECT_FW_TABLE:
		((struct fw_table *)o->fw_table)->extra = true;
		break;
	case OBJECT_ENVFILE:
		memcpy(((struct envfile *)o->envfile)->text, "X=1\n", 5);
		break;
	case OBJECT_GUARD:
		((struct guard *)o->guard)->altered = true;
		break;
	case OBJECT_ADDR: /* all key */
	case OBJECT_GUARD_PEER:
	case OBJECT_FW_CHAIN:
	case OBJECT__COUNT:
		break;
	}
}

static const struct {
	enum object_kind kind;
	struct route route;
	struct neigh neigh;
	struct fdb fdb;
	struct addr addr;
} strange[] = {
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {{{[10] = 0xff, 0xff, 10, 244, 3, 0}}, 24},
		   .proto = 4,
		   .dev = DEV_VXLAN}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {{{[10] = 0xff, 0xff, 10, 9, 0, 0}}, 16}, .proto = 4, .dev = DEV_VXLAN}},
	/* Through their own links, perhaps in a peer's slot. */
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {{{[10] = 0xff, 0xff, 10, 244, 3, 0}}, 24},
		   .proto = 4,
		   .dev = DEV_UPLINK}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {{{[10] = 0xff, 0xff, 10, 244, 4, 0}}, 24}, .proto = 3, .oif = 9}},
	{.kind = OBJECT_NEIGH,
	 .neigh = {.dev = DEV_VXLAN,
		   .ip = {{[10] = 0xff, 0xff, 10, 244, 3, 9}},
		   .permanent = true}},
	{.kind = OBJECT_FDB,
	 .fdb = {.dev = DEV_VXLAN, .mac = {{2, 0, 0, 0, 0, 3}}, .permanent = true}},
	{.kind = OBJECT_ADDR,
	 .addr = {.dev = DEV_VXLAN, .cidr = {{{[10] = 0xff, 0xff, 10, 7, 7, 7}}, 8}}},
	{.kind = OBJECT_ADDR,
	 .addr = {.dev = DEV_BRIDGE, .cidr = {{{[10] = 0xff, 0xff, 10, 244, 9, 1}}, 24}}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {NETWORK6(3), 64}, .proto = 4, .dev = DEV_VXLAN6, .metric = 1024}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {NETWORK6(3), 64}, .proto = 4, .dev = DEV_UPLINK, .metric = 1024}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {NETWORK6(4), 64}, .proto = 3, .oif = 9, .metric = 1024}},
	{.kind = OBJECT_ROUTE,
	 .route = {.dst = {{{0xfd, 0x99}}, 64}, .proto = 4, .dev = DEV_VXLAN6, .metric = 1024}},
	{.kind = OBJECT_NEIGH, .neigh = {.dev = DEV_VXLAN6, .ip = NETWORK6(9), .permanent = true}},
	{.kind = OBJECT_FDB,
	 .fdb = {.dev = DEV_VXLAN6, .mac = {{2, 6, 0, 0, 0, 3}}, .permanent = true}},
	{.kind = OBJECT_ADDR, .addr = {.dev = DEV_VXLAN6, .cidr = {{{0xfd, 0x94}}, 64}}},
	{.kind = OBJECT_ADDR, .addr = {.dev = DEV_BRIDGE, .cidr = {NETWORK6(9), 64}}},
};

/* The link that it needs, or one of its family, so that it is put on a node with that alone. */
static enum dev strange_dev(size_t i)
{
	enum dev dev = strange[i].kind == OBJECT_ROUTE	 ? strange[i].route.dev
		       : strange[i].kind == OBJECT_NEIGH ? strange[i].neigh.dev
		       : strange[i].kind == OBJECT_FDB	 ? strange[i].fdb.dev
							 : strange[i].addr.dev;
	bool v6 = strange[i].kind == OBJECT_ROUTE && !ip_is_v4(&strange[i].route.dst.ip);

	if (dev == DEV_NONE || dev == DEV_UPLINK)
		return v6 ? DEV_VXLAN6 : DEV_VXLAN;
	return dev;
}

/* Something of a stranger's on our links, perhaps in a slot of ours. */
static unsigned put_strange(struct sim *k, uint64_t *random)
{
	size_t i = world_below(random, ARRAY_SIZE(strange));
	struct object o = {.kind = strange[i].kind};
	struct link key = {.dev = strange_dev(i)};

	if (!sim_find(k, &(struct object){.kind = OBJECT_LINK, .link = &key}))
		return 0;
	if (o.kind == OBJECT_ROUTE)
		o.route = &strange[i].route;
	else if (o.kind == OBJECT_NEIGH)
		o.neigh = &strange[i].neigh;
	else if (o.kind == OBJECT_FDB)
		o.fdb = &strange[i].fdb;
	else
		o.addr = &strange[i].addr;
	if (o.kind == OBJECT_FDB || o.kind == OBJECT_ROUTE) {
		if (world_below(random, 2))
			sim_append(k, &o);
		else
			sim_prepend(k, &o);
	} else {
		sim_put(k, &o);
	}
	return OBJECT_BIT(o.kind);
}

unsigned world_meddle(struct sim *k, uint64_t *random)
{
	enum object_kind kind = (enum object_kind)world_below(random, OBJECT__COUNT);
	size_t n = k->of[kind].n;
	struct object o;

	if (world_below(random, 5) == 0)
		return put_strange(k, random);
	if (kind == OBJECT_LINK && world_below(random, 2)) {
		static const enum dev devs[] = {DEV_VXLAN, DEV_VXLAN6, DEV_BRIDGE};
		enum dev dev = devs[world_below(random, ARRAY_SIZE(devs))];

		sim_link_updown(k, dev, false);
		sim_link_updown(k, dev, world_below(random, 2));
		return OBJECT_BIT(OBJECT_LINK);
	}
	if (!n || kind == OBJECT_FW_CHAIN)
		return 0;
	o = nth(k, kind, world_below(random, n));
	if (kind == OBJECT_ROUTE && o.route->type == ROUTE_BLACKHOLE &&
	    !cidr_contains(&networks[!ip_is_v4(&o.route->dst.ip)], &o.route->dst.ip))
		return 0; /* a stranger's own business */
	if (kind == OBJECT_ADDR &&
	    !cidr_contains(&networks[!ip_is_v4(&o.addr->cidr.ip)], &o.addr->cidr.ip))
		return 0; /* ditto */
	if (kind != OBJECT_SYSCTL && world_below(random, 2))
		sim_del(k, &o);
	else
		alter(&o, random);
	return OBJECT_BIT(kind);
}

void world_kernel(struct sim *k, uint64_t *random)
{
	struct world before;
	size_t n = world_below(random, 12);

	sim_init(k);
	sim_uplink(k, "eth0", 1500);
	world_init(&before, random);
	if (world_below(random, 4))
		world_settle(&before.want, &before.rule, k);
	for (size_t i = 0; i < n; i++)
		world_meddle(k, random);
	world_fini(&before);
}

/* ---- strangers ---- */

static const struct route stranger_route = {.dst = {{{[10] = 0xff, 0xff, 10, 99, 0, 0}}, 16},
					    .type = ROUTE_BLACKHOLE,
					    .proto = ROUTE_PROTO_LODEN};
/* Beside a peer's slot: with another metric, another length. */
static const struct route stranger_metric = {.dst = {{{[10] = 0xff, 0xff, 10, 244, 3, 0}}, 24},
					     .proto = 3,
					     .dev = DEV_UPLINK,
					     .metric = 77};
static const struct route stranger_narrow = {
	.dst = {{{[10] = 0xff, 0xff, 10, 244, 3, 0}}, 25}, .proto = 3, .oif = 9};
static const struct route stranger_route6 = {.dst = {{{0xfd, 0x96}}, 64},
					     .type = ROUTE_BLACKHOLE,
					     .proto = ROUTE_PROTO_LODEN,
					     .metric = 1024};
static const struct route stranger_metric6 = {
	.dst = {NETWORK6(3), 64}, .proto = 3, .dev = DEV_UPLINK, .metric = 77};
static const struct addr stranger_addr6 = {.dev = DEV_BRIDGE, .cidr = {{{0xfd, 0x97}}, 64}};
static const struct addr stranger_addr = {.dev = DEV_BRIDGE,
					  .cidr = {{{[10] = 0xff, 0xff, 192, 168, 77, 1}}, 24}};
static const struct sysctl stranger_sysctl = {.path = "net/ipv4/conf/eth0/log_martians",
					      .value = "1"};
static const struct fw_chain stranger_chain = {.family = FW_INET,
					       .table = "firewalld",
					       .chain = "filter_FORWARD",
					       .owner = FW_OWNER_NATIVE,
					       .drops = true};

static const struct object strangers[] = {
	{.kind = OBJECT_ROUTE, .route = &stranger_route},
	{.kind = OBJECT_ROUTE, .route = &stranger_metric},
	{.kind = OBJECT_ROUTE, .route = &stranger_narrow},
	{.kind = OBJECT_ROUTE, .route = &stranger_route6},
	{.kind = OBJECT_ROUTE, .route = &stranger_metric6},
	{.kind = OBJECT_ADDR, .addr = &stranger_addr},
	{.kind = OBJECT_ADDR, .addr = &stranger_addr6},
	{.kind = OBJECT_SYSCTL, .sysctl = &stranger_sysctl},
	{.kind = OBJECT_FW_CHAIN, .fw_chain = &stranger_chain},
};

void world_strangers(struct sim *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
		sim_put(k, &strangers[i]);
}

bool world_has_strangers(const struct sim *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		const void *have = sim_find(k, &strangers[i]);

		if (!have || memcmp(have, strangers[i].any, object_size(strangers[i].kind)) != 0) {
			fprintf(stderr, "gone or changed: a stranger's %s\n",
				object_kind_names[strangers[i].kind]);
			return false;
		}
	}
	return true;
}
