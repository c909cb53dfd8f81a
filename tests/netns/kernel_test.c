/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sh(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		abort();
	}
}

/* What a command prints; cut at size. */
void sh_out(const char *command, char *buf, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	buf[n] = '\0';
	assert_non_null(f);
	assert_int_equal(pclose(f), 0);
}

struct ip ip(const char *text)
{
	struct ip i;

	assert_true(ip_parse(text, &i));
	return i;
}

struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(text, &c));
	return c;
}

/* A fresh namespace with an uplink eth0 192.168.77.1/24. */
void node_open(struct node *n)
{
	struct err err = {0};

	memset(n, 0, sizeof(*n));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	/* Link-local addresses would come when it pleases them, and be told of. */
	sh("echo 1 >/proc/sys/net/ipv6/conf/default/addr_gen_mode");
	sh("ip link set lo up && ip link add eth0 type veth peer name eth0p && ip link set eth0 up && "
	   "ip link set eth0p up && ip addr add 192.168.77.1/24 dev eth0 && "
	   "ip route add default via 192.168.77.254 dev eth0 && "
	   "until ip link show eth0 | grep -q 'state UP'; do sleep 0.01; done");
	arena_init(&n->arena, 0);
	strcpy(n->names.dev[DEV_UPLINK], "eth0");
	strcpy(n->names.dev[DEV_VXLAN], "flannel.1");
	strcpy(n->names.dev[DEV_BRIDGE], "cni0");
	n->names.nexthop_base = NEXTHOP_BASE;
	n->names.networks[0] = cidr("10.1.0.0/16");
	if (kernel_open(&n->os, &err) < 0)
		fail_msg("%s", err.text);
	os_ops_kernel.set_names(n->os, &n->names);
}

void node_close(struct node *n)
{
	kernel_close(n->os);
	arena_fini(&n->arena);
}

static void keep(struct netstate *s, size_t *room, struct arena *a, const struct object *o)
{
	size_t size = object_size(o->kind);
	size_t n = s->of[o->kind].n;

	if (n == *room) {
		void *more = arena_calloc(a, n ? 4 * n : 16, size);

		if (n)
			memcpy(more, s->of[o->kind].items, n * size);
		s->of[o->kind].items = more;
		*room = n ? 4 * n : 16;
	}
	memcpy((char *)s->of[o->kind].items + n * size, o->any, size);
	s->of[o->kind].n++;
}

static void on_object(void *arg, const struct object *o)
{
	struct node *n = arg;

	keep(&n->have, &n->room[o->kind], &n->arena, o);
}

/* Dumps into n->have, unsorted. */
void dump(struct node *n, unsigned kinds)
{
	const struct os_dump what = {kinds, on_object, n};
	struct err err = {0};

	memset(&n->have, 0, sizeof(n->have));
	memset(n->room, 0, sizeof(n->room));
	if (os_ops_kernel.dump(n->os, &what, &n->taken, &err) < 0)
		fail_msg("dump: %s", err.text);
}

void apply(struct node *n, const struct plan *p)
{
	struct err err = {0};

	if (os_ops_kernel.apply(n->os, p, &n->arena, &n->failures, &n->n_failures, &err) < 0)
		fail_msg("apply: %s", err.text);
}

/* Applies and shows what failed. */
void apply_ok(struct node *n, const struct plan *p)
{
	apply(n, p);
	for (size_t i = 0; i < n->n_failures; i++) {
		char line[OP_STRLEN];
		struct text t = TEXT(line);

		op_format(&p->ops[n->failures[i].op], os_ops_kernel.devmap(n->os), &t);
		print_error("%s: %d %s\n", line, n->failures[i].code, n->failures[i].text);
	}
	assert_int_equal(n->n_failures, 0);
}

void apply_one(struct node *n, enum op_verb verb, enum object_kind kind, const void *value,
	       const void *old)
{
	struct op op = {verb, {.kind = kind, .any = value}, {.kind = kind, .any = old}};

	apply(n, &(struct plan){&op, 1});
}

/* One op per object of a state, forwards to make it, backwards to remove it. */
struct plan plan_of(struct node *n, const struct netstate *s, enum op_verb verb)
{
	struct plan p = {0};
	size_t total = 0;

	for (enum object_kind k = 0; k < OBJECT__COUNT; k++)
		total += s->of[k].n;
	p.ops = arena_array(&n->arena, struct op, total);
	for (enum object_kind k = 0; k < OBJECT__COUNT; k++) {
		for (size_t i = 0; i < s->of[k].n; i++, p.n++) {
			struct op op = {verb, netstate_at(s, k, i), {0}};

			p.ops[verb == OP_DEL ? total - 1 - p.n : p.n] = op;
		}
	}
	return p;
}

void add(struct node *n, enum object_kind kind, const void *value)
{
	static size_t room[OBJECT__COUNT];

	if (n->want.of[kind].n == 0)
		room[kind] = 0;
	keep(&n->want, &room[kind], &n->arena, &(struct object){.kind = kind, .any = value});
}

/* The links that the agent would want. */
struct link vxlan_link(void)
{
	return (struct link){
		.dev = DEV_VXLAN,
		.kind = LINK_VXLAN,
		.name = "flannel.1",
		.mac = {{0x0e, 0, 0, 0, 0, 1}},
		.mtu_bytes = 1450,
		.up = true,
		.alias = "loden",
		.vxlan = {.vni = 1, .port = 8472, .local = ip("192.168.77.1"), .lower = DEV_UPLINK},
	};
}

struct link bridge_link(void)
{
	return (struct link){
		.dev = DEV_BRIDGE,
		.kind = LINK_BRIDGE,
		.name = "cni0",
		.mac = {{0x0e, 0, 0, 0, 0, 2}},
		.mtu_bytes = 1450,
		.up = true,
		.alias = "loden",
	};
}

/* The objects of one peer: subnet 10.<1 + i / 256>.<i % 256>.0/24. */
void add_peer(struct node *n, uint32_t i)
{
	struct ip subnet = ip_from_v4(0x0a010000u + i * 256);
	struct mac mac = {{0x0e, 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0}};
	struct neigh neigh = {.dev = DEV_VXLAN, .ip = subnet, .mac = mac, .permanent = true};
	struct fdb fdb = {
		.dev = DEV_VXLAN,
		.mac = mac,
		.dst = ip_from_v4(0xac100000u + i + 1),
		.permanent = true,
	};
	struct route route = {
		.dst = {subnet, 24},
		.proto = ROUTE_PROTO_LODEN,
		.dev = DEV_VXLAN,
		.via = subnet,
		.onlink = true,
		.scope = (uint8_t)(i % 200),
	};

	add(n, OBJECT_NEIGH, &neigh);
	add(n, OBJECT_FDB, &fdb);
	add(n, OBJECT_ROUTE, &route);
}

void sort(struct netstate *s)
{
	for (enum object_kind k = 0; k < OBJECT__COUNT; k++)
		netstate_sort(s, k);
}

/* Every object of want stands in have, and of these kinds nothing else does. */
void assert_have_is_want(struct node *n, unsigned kinds)
{
	dump(n, kinds);
	sort(&n->have);
	for (enum object_kind k = 0; k < OBJECT__COUNT; k++) {
		for (size_t i = 0; i < n->want.of[k].n && (kinds & OBJECT_BIT(k)); i++) {
			struct object o = netstate_at(&n->want, k, i), is;
			ptrdiff_t at = netstate_find(&n->have, &o);
			char wanted[OP_STRLEN] = "", was[OP_STRLEN] = "nothing";
			struct text t = TEXT(wanted), u = TEXT(was);

			if (at >= 0)
				is = netstate_at(&n->have, k, (size_t)at);
			if (at >= 0 && object_eq(&o, &is))
				continue;
			object_format(&o, os_ops_kernel.devmap(n->os), &t);
			if (at >= 0)
				object_format(&is, os_ops_kernel.devmap(n->os), &u);
			fail_msg("wanted: %s\nwas: %s", wanted, was);
		}
		if ((kinds & OBJECT_BIT(k)) && n->have.of[k].n != n->want.of[k].n)
			fail_msg("%zu objects of kind %s, wanted %zu", n->have.of[k].n,
				 object_kind_names[k], n->want.of[k].n);
	}
}

void make_links(struct node *n)
{
	struct link vxlan = vxlan_link(), bridge = bridge_link();

	add(n, OBJECT_LINK, &vxlan);
	add(n, OBJECT_LINK, &bridge);
}

/* Links, addresses, four peers. */
void make_want(struct node *n)
{
	struct addr a = {DEV_VXLAN, cidr("10.1.0.0/32")}, b = {DEV_BRIDGE, cidr("10.9.0.1/24")};

	make_links(n);
	add(n, OBJECT_ADDR, &a);
	add(n, OBJECT_ADDR, &b);
	for (uint32_t i = 1; i <= 4; i++)
		add_peer(n, i);
	sort(&n->want);
}

void start(struct node *n)
{
	struct plan p;

	node_open(n);
	make_want(n);
	p = plan_of(n, &n->want, OP_ADD);
	apply_ok(n, &p);
}
