/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/nl_rt_impl.h"

struct raw_route {
	uint32_t oif, priority, nhid;
	struct ip dst, via;
	struct nl_bytes hops;
	bool special; /* carries what we never set: then it is not what we want, whatever else it says */
};

static const struct nl_field fields[] = {
	NL_FIELD(RTA_DST, NL_IP, raw_route, dst),
	NL_FIELD(RTA_OIF, NL_U32, raw_route, oif),
	NL_FIELD(RTA_PRIORITY, NL_U32, raw_route, priority),
	NL_FIELD(RTA_NH_ID, NL_U32, raw_route, nhid),
	NL_FIELD(RTA_GATEWAY, NL_IP, raw_route, via),
	NL_FIELD(RTA_MULTIPATH, NL_NEST, raw_route, hops),
	NL_FIELD(RTA_VIA, NL_PRESENT, raw_route, special),
	NL_FIELD(RTA_ENCAP, NL_PRESENT, raw_route, special),
	NL_FIELD(RTA_METRICS, NL_PRESENT, raw_route, special),
	NL_FIELD(RTA_PREFSRC, NL_PRESENT, raw_route, special),
	NL_FIELD(RTA_SRC, NL_PRESENT, raw_route, special),
	NL_FIELD(RTA_FLOW, NL_PRESENT, raw_route, special),
};

static enum route_type route_type(const struct rtmsg *head, const struct raw_route *raw)
{
	if (raw->special || raw->hops.n)
		return ROUTE_OTHER;
	switch (head->rtm_type) {
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_BLACKHOLE:
		return ROUTE_BLACKHOLE;
	default: /* the kernel's numbers, not ours */
		return ROUTE_OTHER;
	}
}

/* No lease is narrower (model/netconf.c). */
#define SUBNET_LEN_MAX	30
#define SUBNET_LEN6_MAX 126

/* Somebody's route, but perhaps in a peer's slot? A host has many more that are not: pods' own ones, or
 * all of a routing daemon's. */
static bool may_be_in_our_slot(const struct nl_ours *ours, const struct cidr *dst)
{
	if (dst->len > (ip_is_v4(&dst->ip) ? SUBNET_LEN_MAX : SUBNET_LEN6_MAX))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ours->networks); i++) {
		const struct cidr *net = &ours->networks[i];

		if (cidr_is_set(net) && cidr_covers(net, dst))
			return true;
	}
	return false;
}

/* Link and gateway of the first hop: by these the kernel finds a route of several. */
static void read_first_hop(struct raw_route *raw)
{
	struct nl_attr gateway;
	struct rtnexthop hop;

	if (raw->hops.n < sizeof(hop))
		return;
	memcpy(&hop, raw->hops.p, sizeof(hop));
	if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > raw->hops.n)
		return;
	raw->oif = (uint32_t)hop.rtnh_ifindex;
	if (nl_attr_find((struct nl_bytes){raw->hops.p + sizeof(hop), hop.rtnh_len - sizeof(hop)},
			 RTA_GATEWAY, &gateway))
		raw->via = nl_get_ip(&gateway);
}

int nl_route_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret)
{
	struct raw_route raw = {0};
	struct rtmsg head;
	struct nl_bytes attrs;
	struct cidr dst;
	enum dev dev;

	if (!nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	/* Tables above 255 have another number there. A TOS makes it another slot, which we never
	 * use. Cloned: a cached exception. */
	if ((head.rtm_family != AF_INET && head.rtm_family != AF_INET6) ||
	    head.rtm_table != RT_TABLE_MAIN || head.rtm_tos != 0 || (head.rtm_flags & RTM_F_CLONED))
		return NL_NOT_OURS;
	raw.dst = ip_from_bytes((uint8_t[16]){0}, head.rtm_family == AF_INET ? 4 : 16);
	if (!nl_read(fields, ARRAY_SIZE(fields), attrs, &raw))
		return -EBADMSG;
	dst = (struct cidr){raw.dst, head.rtm_dst_len};
	if (dst.len > cidr_max_len(&dst))
		return -EBADMSG;
	dev = devmap_find(ours->map, raw.oif);
	if (head.rtm_protocol != ROUTE_PROTO_LODEN && dev != DEV_VXLAN && dev != DEV_VXLAN6 &&
	    !may_be_in_our_slot(ours, &dst))
		return NL_NOT_OURS;
	read_first_hop(&raw);
	ret->route = (struct route){
		.dst = dst,
		.type = route_type(&head, &raw),
		.proto = head.rtm_protocol,
		.metric = raw.priority,
		.nhid = raw.nhid,
		.rtn = head.rtm_type,
	};
	/* What a nexthop object says is told a second time by every route that uses it. */
	if (raw.nhid == 0 && ret->route.type != ROUTE_BLACKHOLE) {
		ret->route.dev = dev;
		ret->route.oif = dev == DEV_NONE ? raw.oif : 0;
		ret->route.via = raw.via;
		ret->route.onlink = head.rtm_flags & RTNH_F_ONLINK;
		ret->route.scope = ip_is_set(&raw.via) ? head.rtm_scope : RT_SCOPE_UNIVERSE;
	}
	ret->object = (struct object){.kind = OBJECT_ROUTE, .route = &ret->route};
	return 0;
}

static uint8_t scope(const struct op *op)
{
	const struct route *r = op->object.route;

	if (op->verb == OP_DEL)
		return RT_SCOPE_NOWHERE; /* any */
	return r->type == ROUTE_UNICAST && r->nhid == 0 && !ip_is_set(&r->via) ? RT_SCOPE_LINK
									       : r->scope;
}

/* A removal takes the first route of the slot that has all that it names. Metric 0 and protocol 0 mean any
 * there. So nothing is left out that tells two routes apart, and those of a slot go in the order in
 * which they stand: each removal then finds its own (core/diff.c). */
void nl_route_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq)
{
	static const uint8_t types[ROUTE__COUNT] = {
		[ROUTE_UNICAST] = RTN_UNICAST,
		[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
		[ROUTE_OTHER] = RTN_UNSPEC, /* removals only */
	};
	const struct route *r = op->object.route;
	struct rtmsg head = {
		.rtm_family = ip_is_v4(&r->dst.ip) ? AF_INET : AF_INET6,
		.rtm_dst_len = r->dst.len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = r->proto,
		.rtm_scope = scope(op),
		.rtm_type = op->verb == OP_DEL && r->rtn ? r->rtn : types[r->type],
		.rtm_flags = r->onlink && op->verb != OP_DEL ? RTNH_F_ONLINK : 0,
	};

	nl_begin(b, op->verb == OP_DEL ? RTM_DELROUTE : RTM_NEWROUTE, nl_op_flags(op), seq, &head,
		 sizeof(head));
	nl_put_ip(b, RTA_DST, &r->dst.ip);
	if (r->metric)
		nl_put_u32(b, RTA_PRIORITY, r->metric);
	if (r->nhid)
		nl_put_u32(b, RTA_NH_ID, r->nhid);
	if (ip_is_set(&r->via))
		nl_put_ip(b, RTA_GATEWAY, &r->via);
	if (ifindex || r->oif)
		nl_put_u32(b, RTA_OIF, ifindex ? ifindex : r->oif);
}
