/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink: what the kernel sends, as datagrams. Whatever decodes as one of our objects must survive being
 * written and read again. */

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "wire/nl_facts.h"
#include "wire/nl_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The indexes that the corpus was recorded with. */
static const struct devmap map = {
	.dev = {[DEV_UPLINK] = {3, "eth0"},
		[DEV_VXLAN] = {4, "flannel.1"},
		[DEV_BRIDGE] = {5, "cni0"},
		[DEV_VXLAN6] = {6, "flannel-v6.1"}},
};
static const struct nl_ours ours = {
	.map = &map,
	.nexthop_base = 0x66000000,
	.networks = {{{{[10] = 0xff, 0xff, 10, 244, 0, 0}}, 16}},
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What an op can express; anything else is only ever removed. */
static bool writable(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_NEIGH:
		return o->neigh->permanent && ip_is_set(&o->neigh->ip);
	case OBJECT_FDB:
		return o->fdb->permanent && ip_is_set(&o->fdb->dst);
	case OBJECT_ROUTE:
		return o->route->type != ROUTE_OTHER && cidr_is_set(&o->route->dst) &&
		       (o->route->type == ROUTE_UNICAST || o->route->nhid == 0) &&
		       (o->route->dev == DEV_VXLAN || o->route->proto == ROUTE_PROTO_LODEN);
	case OBJECT_ADDR:
		return cidr_is_set(&o->addr->cidr);
	case OBJECT_NEXTHOP:
		return false;
	case OBJECT_LINK:
	case OBJECT_SYSCTL:
	case OBJECT_FW_TABLE:
	case OBJECT_FW_CHAIN:
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return true;
}

static void there_and_back(const struct object *o)
{
	struct op op = {.verb = o->kind == OBJECT_NEXTHOP ? OP_DEL : OP_ADD, .object = *o};
	struct nl_object again;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;

	must(nl_rt_encode(&b, &op, &map, 1) == 0);
	rest = (struct nl_bytes){bytes, b.len};
	must(nl_msg_next(&rest, &m) && rest.n == 0);
	if (!writable(o))
		return;
	must(nl_rt_decode(&m, &ours, &again) == 0);
	must(object_eq(o, &again.object));
}

static void link_there_and_back(const struct nl_link *l)
{
	struct link link = l->link;
	struct nl_link again;
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;

	if (link.kind == LINK_OTHER)
		return;
	must(nl_link_create(&b, &link, &map, 1) == 0);
	rest = (struct nl_bytes){bytes, b.len};
	must(nl_msg_next(&rest, &m));
	must(nl_link_decode(&m, &map, &again) == 0);
	must(again.link.kind == link.kind && strcmp(again.link.name, link.name) == 0);
	must(again.link.vxlan.vni == link.vxlan.vni && again.link.vxlan.port == link.vxlan.port);
	b.len = 0;
	must(nl_link_set(&b, &link, NULL, 4, 2) == 0);
}

static void one_message(const struct nl_msg *m)
{
	static const struct nl_link seen[DEV__COUNT];
	const struct nl_watch watch = {ours, seen, true};
	struct nl_object o;
	struct nl_link l;
	struct nl_news news;
	struct nl_ack ack;
	struct iface iface;
	struct iface_addr addr;
	struct route_fact route;
	struct ip src;
	uint32_t ifindex;

	if (nl_rt_decode(m, &ours, &o) == 0)
		there_and_back(&o.object);
	if (nl_link_decode(m, &map, &l) == 0 && !l.port)
		link_there_and_back(&l);
	(void)nl_facts_iface(m, &iface);
	(void)nl_facts_addr(m, &ifindex, &addr);
	(void)nl_facts_route(m, &route);
	(void)nl_facts_reach(m, &ifindex, &src);
	(void)nl_watch_decode(m, &watch, &news);
	if (nl_ack_decode(m, &ack))
		must(strnlen(ack.text, sizeof(ack.text)) < sizeof(ack.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl_bytes rest = {data, size};
	struct nl_msg m;

	while (nl_msg_next(&rest, &m))
		one_message(&m);
	return 0;
}
