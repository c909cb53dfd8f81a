/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "wire/nl_rt_impl.h"

/* Neighbours and FDB entries are one message type, told apart by the family AF_BRIDGE. */

struct raw_neigh {
	struct ip dst;
	struct mac mac;
	bool special; /* carries what we never set: port, VNI, interface, nexthop */
};

static const struct nl_field fields[] = {
	NL_FIELD(NDA_DST, NL_IP, raw_neigh, dst),
	NL_FIELD(NDA_LLADDR, NL_MAC, raw_neigh, mac),
	NL_FIELD(NDA_PORT, NL_PRESENT, raw_neigh, special),
	NL_FIELD(NDA_VNI, NL_PRESENT, raw_neigh, special),
	NL_FIELD(NDA_SRC_VNI, NL_PRESENT, raw_neigh, special),
	NL_FIELD(NDA_IFINDEX, NL_PRESENT, raw_neigh, special),
	NL_FIELD(NDA_NH_ID, NL_PRESENT, raw_neigh, special),
};

int nl_neigh_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret)
{
	struct raw_neigh raw = {0};
	struct ndmsg head;
	struct nl_bytes attrs;
	bool permanent;
	enum dev dev;

	if (!nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	dev = devmap_find(ours->map, (uint32_t)head.ndm_ifindex);
	if (dev != DEV_VXLAN && dev != DEV_VXLAN6)
		return NL_NOT_OURS;
	if (!nl_read(fields, ARRAY_SIZE(fields), attrs, &raw))
		return -EBADMSG;
	permanent = (head.ndm_state & NUD_PERMANENT) && !raw.special;
	if (head.ndm_family == AF_BRIDGE) {
		/* Without NTF_SELF it is the entry of a bridge that the link is a port of. */
		if (!(head.ndm_flags & NTF_SELF))
			return NL_NOT_OURS;
		ret->fdb = (struct fdb){
			.dev = dev, .mac = raw.mac, .dst = raw.dst, .permanent = permanent};
		ret->object = (struct object){.kind = OBJECT_FDB, .fdb = &ret->fdb};
		return 0;
	}
	/* Multicast and the like, which the kernel maps without asking. */
	if ((head.ndm_state & NUD_NOARP) || (head.ndm_flags & NTF_PROXY))
		return NL_NOT_OURS;
	ret->neigh =
		(struct neigh){.dev = dev, .ip = raw.dst, .mac = raw.mac, .permanent = permanent};
	ret->object = (struct object){.kind = OBJECT_NEIGH, .neigh = &ret->neigh};
	return 0;
}

static void begin(struct nl_buf *b, const struct op *op, const struct ndmsg *head, uint32_t seq)
{
	nl_begin(b, op->verb == OP_DEL ? RTM_DELNEIGH : RTM_NEWNEIGH, nl_op_flags(op), seq, head,
		 sizeof(*head));
}

void nl_neigh_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq)
{
	const struct neigh *n = op->object.neigh;
	struct ndmsg head = {
		.ndm_family = ip_is_v4(&n->ip) ? AF_INET : AF_INET6,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_PERMANENT,
		.ndm_type = RTN_UNICAST,
	};

	begin(b, op, &head, seq);
	nl_put_ip(b, NDA_DST, &n->ip);
	if (op->verb != OP_DEL)
		nl_put(b, NDA_LLADDR, &n->mac, sizeof(n->mac));
}

/* A removal names the destination, because the kernel can hold several behind one MAC. Those with a port or
 * VNI of their own (not "permanent" to us) would need these too: there everything behind the MAC goes. */
void nl_neigh_encode_fdb(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq)
{
	const struct fdb *f = op->object.fdb;
	struct ndmsg head = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_PERMANENT,
		.ndm_flags = NTF_SELF,
	};

	begin(b, op, &head, seq);
	nl_put(b, NDA_LLADDR, &f->mac, sizeof(f->mac));
	if (op->verb != OP_DEL || (f->permanent && ip_is_set(&f->dst)))
		nl_put_ip(b, NDA_DST, &f->dst);
}
