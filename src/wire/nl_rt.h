/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_RT_H
#define WIRE_NL_RT_H
/* rtnetlink: objects ↔ messages, for every kind but links (wire/nl_link.h).
 *
 * One table (nl_rt.c) says per kind how to ask, decode and encode; the codecs stand in nl_addr.c,
 * nl_neigh.c and nl_route.c. Whose an object is follows model/netstate.h: decoders tell
 * "not ours" apart and so nothing of others can get into a diff.
 */

#include "model/plan.h"
#include "wire/nl.h"

/* What makes objects ours. */
struct nl_ours {
	const struct devmap *map;
	uint32_t nexthop_base; /* our ids: base .. base + NL_NEXTHOP_RANGE - 1 */
	/* Others' routes to subnets in here are handed over too: a peer's slot is ours. Unset = none. */
	struct cidr networks[2];
};

#define NL_NEXTHOP_RANGE (1u << 24)

/* A decoded object and the room it stands in. */
struct nl_object {
	struct object object; /* borrows from below */

	union {
		struct addr addr;
		struct nexthop nexthop;
		struct neigh neigh;
		struct fdb fdb;
		struct route route;
	};
};

/* Outcomes of decoding besides 0 = ours. */
enum {
	NL_NOT_OURS = 1,
};

/* RTM_NEW* and RTM_DEL* of addresses, neighbours, FDB entries, nexthops and routes. 0, an outcome, or
 * -EBADMSG. `ret` is valid only for 0, and not to be copied (it points into itself). */
int nl_rt_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret);

/* The request for a dump of `kind`. The kernel filters what it can: neighbours and FDB entries by
 * `ifindex`, routes by table main of the family of `v6`; the other kinds ignore both. */
int nl_rt_dump(struct nl_buf *b, enum object_kind kind, uint32_t ifindex, bool v6, uint32_t seq);

/* One op as one message: 0; -ENODEV if its role has no link; -ENOBUFS if it does not fit. The
 * kind must be one that nl_rt_decode() knows; nexthops can be deleted alone. */
int nl_rt_encode(struct nl_buf *b, const struct op *op, const struct devmap *map, uint32_t seq);

/* Did an op with this outcome reach its goal? A removal of what is gone did. */
bool nl_rt_done(const struct op *op, int code);

#endif
