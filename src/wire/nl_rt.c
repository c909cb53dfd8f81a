/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_rt.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "wire/nl_rt_impl.h"

typedef int decode_fn(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);
typedef void encode_fn(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);

static const struct {
	uint16_t new, del; /* message types; FDB entries share theirs with neighbours */
	decode_fn *decode;
	encode_fn *encode;
} kinds[OBJECT__COUNT] = {
	[OBJECT_ADDR] = {RTM_NEWADDR, RTM_DELADDR, nl_addr_decode, nl_addr_encode},
	[OBJECT_NEXTHOP] = {RTM_NEWNEXTHOP, RTM_DELNEXTHOP, nl_nexthop_decode, nl_nexthop_encode},
	[OBJECT_NEIGH] = {RTM_NEWNEIGH, RTM_DELNEIGH, nl_neigh_decode, nl_neigh_encode},
	[OBJECT_FDB] = {RTM_NEWNEIGH, RTM_DELNEIGH, nl_neigh_decode, nl_neigh_encode_fdb},
	[OBJECT_ROUTE] = {RTM_NEWROUTE, RTM_DELROUTE, nl_route_decode, nl_route_encode},
};

int nl_rt_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (kinds[k].decode && (m->type == kinds[k].new || m->type == kinds[k].del))
			return kinds[k].decode(m, ours, ret);
	}
	return NL_NOT_OURS;
}

/* ---- dumps ---- */

static void begin(struct nl_buf *b, uint16_t type, uint32_t seq, const void *head, size_t n)
{
	nl_begin(b, type, NLM_F_REQUEST | NLM_F_DUMP, seq, head, n);
}

int nl_rt_dump(struct nl_buf *b, enum object_kind kind, uint32_t ifindex, bool v6, uint32_t seq)
{
	struct ifaddrmsg addr = {0};
	struct nhmsg nexthop = {0};
	struct ndmsg neigh = {.ndm_family = kind == OBJECT_FDB ? AF_BRIDGE : AF_UNSPEC};
	struct rtmsg route = {.rtm_family = v6 ? AF_INET6 : AF_INET, .rtm_table = RT_TABLE_MAIN};

	if (kind == OBJECT_ADDR)
		begin(b, RTM_GETADDR, seq, &addr, sizeof(addr));
	else if (kind == OBJECT_NEXTHOP)
		begin(b, RTM_GETNEXTHOP, seq, &nexthop, sizeof(nexthop));
	else if (kind == OBJECT_ROUTE)
		begin(b, RTM_GETROUTE, seq, &route, sizeof(route));
	else
		begin(b, RTM_GETNEIGH, seq, &neigh, sizeof(neigh));
	if (kind == OBJECT_NEIGH || kind == OBJECT_FDB)
		nl_put_u32(b, NDA_IFINDEX, ifindex);
	return nl_end(b) ? 0 : -ENOBUFS;
}

/* ---- ops ---- */

int nl_rt_encode(struct nl_buf *b, const struct op *op, const struct devmap *map, uint32_t seq)
{
	enum dev dev = object_dev(&op->object);
	uint32_t ifindex = map->dev[dev].ifindex;

	assert(kinds[op->object.kind].encode);
	if (dev != DEV_NONE && ifindex == 0)
		return -ENODEV;
	kinds[op->object.kind].encode(b, op, ifindex, seq);
	return nl_end(b) ? 0 : -ENOBUFS;
}

bool nl_rt_done(const struct op *op, int code)
{
	if (code == 0)
		return true;
	if (op->verb != OP_DEL)
		return false;
	/* EINVAL: the nexthop that the route used is gone, and the route with it. */
	if (op->object.kind == OBJECT_ROUTE && op->object.route->nhid && code == -EINVAL)
		return true;
	return code == -ENOENT || code == -ESRCH || code == -ENODEV || code == -EADDRNOTAVAIL;
}
