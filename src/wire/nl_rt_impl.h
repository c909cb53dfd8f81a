/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_RT_IMPL_H
#define WIRE_NL_RT_IMPL_H
/* What nl_addr.c, nl_neigh.c and nl_route.c give to nl_rt.c. Not for others.
 *
 * *_decode: message → object; 0, NL_NOT_OURS, -EBADMSG.
 * *_encode: appends one complete message but its end; -ENODEV if the role has no link. */

#include <linux/netlink.h>

#include "wire/nl_rt.h"

int nl_addr_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);
int nl_neigh_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);
int nl_route_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);
int nl_nexthop_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);

/* `ifindex` is that of the object's role; 0 = it has none. */
void nl_addr_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);
void nl_neigh_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);
void nl_neigh_encode_fdb(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);
void nl_route_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);
void nl_nexthop_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq);

/* Flags of the message for an op: put it there whatever stands there, or remove it. */
static inline uint16_t nl_op_flags(const struct op *op)
{
	return op->verb == OP_DEL ? NLM_F_REQUEST : NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
}

#endif
