/* SPDX-License-Identifier: Apache-2.0 */
/* Of those that earlier versions made (docs/decisions/0022): to be found, and to be deleted. */
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "wire/nl_rt_impl.h"

struct raw_nexthop {
	uint32_t id, oif;
	struct ip via;
	bool special; /* a group, a blackhole, an FDB nexthop, an encapsulation */
};

static const struct nl_field fields[] = {
	NL_FIELD(NHA_ID, NL_U32, raw_nexthop, id),
	NL_FIELD(NHA_OIF, NL_U32, raw_nexthop, oif),
	NL_FIELD(NHA_GATEWAY, NL_IP, raw_nexthop, via),
	NL_FIELD(NHA_GROUP, NL_PRESENT, raw_nexthop, special),
	NL_FIELD(NHA_BLACKHOLE, NL_PRESENT, raw_nexthop, special),
	NL_FIELD(NHA_FDB, NL_PRESENT, raw_nexthop, special),
	NL_FIELD(NHA_ENCAP, NL_PRESENT, raw_nexthop, special),
};

int nl_nexthop_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret)
{
	struct raw_nexthop raw = {0};
	struct nhmsg head;
	struct nl_bytes attrs;
	enum dev dev;

	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(fields, ARRAY_SIZE(fields), attrs, &raw))
		return -EBADMSG;
	if (raw.id < ours->nexthop_base || raw.id - ours->nexthop_base >= NL_NEXTHOP_RANGE)
		return NL_NOT_OURS;
	dev = devmap_find(ours->map, raw.oif);
	ret->nexthop = (struct nexthop){
		.id = raw.id,
		.via = raw.via,
		.dev = dev,
		.onlink = head.nh_flags & RTNH_F_ONLINK,
	};
	ret->object = (struct object){.kind = OBJECT_NEXTHOP, .nexthop = &ret->nexthop};
	if (head.nh_protocol != ROUTE_PROTO_LODEN || raw.special || !ip_is_set(&raw.via) ||
	    (dev != DEV_VXLAN && dev != DEV_VXLAN6))
		return NL_NOT_OURS;
	return 0;
}

void nl_nexthop_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq)
{
	const struct nhmsg head = {0};

	(void)ifindex;
	assert(op->verb == OP_DEL);
	nl_begin(b, RTM_DELNEXTHOP, NLM_F_REQUEST, seq, &head, sizeof(head));
	nl_put_u32(b, NHA_ID, op->object.nexthop->id);
}
