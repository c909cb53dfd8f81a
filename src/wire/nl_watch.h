/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_WATCH_H
#define WIRE_NL_WATCH_H
/* rtnetlink notifications: does this one concern us, and what should be looked at?
 *
 * A notification never says what is true, only where to look (failures.md 4: a link that flaps loses
 * all its routes and announces none). So:
 *
 *	our link, its addresses, the uplink's		everything that rtnetlink and sysctl hold
 *	neighbour, FDB entry of a VXLAN link		that kind
 *	route of main: ours, through a VXLAN link,	routes
 *	    or to a subnet of our Network (of one that
 *	    was replaced only the new one is announced)
 *	forwarding or rp_filter of all, default, ours	sysctls
 *	the uplink, a default route			the choice of the uplink
 *	with host_routes any route of main that is	ditto
 *	    not ours
 *
 * A link is announced on many occasions (a bridge whenever a pod comes). It concerns us if it is not
 * as we saw it last.
 */

#include "wire/nl_link.h"
#include "wire/nl_rt.h"

struct nl_watch {
	struct nl_ours ours;
	/* Each role's link as last seen; ifindex 0 = it did not exist. Without a name of the
	 * uplink in ours.map every link of the host may become it. */
	const struct nl_link *seen; /* [DEV__COUNT] */
	bool host_routes;	    /* they decide which peers are near */
};

struct nl_news {
	unsigned kinds; /* OBJECT_BIT()s to look at */
	bool uplink;	/* the choice of the uplink may be another now */
	uint32_t port;	/* netlink port of who did it; 0 = the kernel, or it does not say */
};

/* False if the message does not concern us or is malformed. */
bool nl_watch_decode(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *ret);

#endif
