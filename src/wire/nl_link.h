/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_LINK_H
#define WIRE_NL_LINK_H
/* rtnetlink messages of links: RTM_*LINK ↔ struct link.
 *
 * Encoders write one message and return 0, -ENOBUFS if it does not fit, -ENODEV if a role that it
 * needs has no link.
 */

#include "model/plan.h"
#include "wire/nl.h"

/* A link message, decoded. */
struct nl_link {
	uint32_t ifindex;
	bool running; /* has carrier (IFF_RUNNING) */
	bool port; /* speaks of a bridge port (AF_BRIDGE), not of the link: nothing below is set */
	struct link link; /* up = IFF_UP; dev is DEV_NONE, the caller knows the role */
};

/* RTM_NEWLINK or RTM_DELLINK. The lower link of a VXLAN becomes its role in `map`. -EBADMSG. */
int nl_link_decode(const struct nl_msg *m, const struct devmap *map, struct nl_link *ret);

/* Asks for one link by name; the answer is RTM_NEWLINK, or an error -ENODEV. */
int nl_link_get(struct nl_buf *b, const char *name, uint32_t seq);
/* Asks for all. */
int nl_link_dump(struct nl_buf *b, uint32_t seq);

/* Creates it, down. The rest is for nl_link_set(): the kernel ignores an alias here; a link that cannot
 * go up (its port is taken) shall stand nevertheless; and a bridge keeps an MTU only if it was changed,
 * otherwise its ports decide (net/bridge/br_device.c, br_change_mtu). */
int nl_link_create(struct nl_buf *b, const struct link *l, const struct devmap *map, uint32_t seq);
/* Changes in place what differs between `old` and `l`: name, MTU, MAC, alias, up, learning. The kernel
 * drops neighbours when a MAC is written, be it the same: nothing is written that does not
 * differ. `old` NULL = a link just created by nl_link_create(). */
int nl_link_set(struct nl_buf *b, const struct link *l, const struct link *old, uint32_t ifindex,
		uint32_t seq);
int nl_link_del(struct nl_buf *b, uint32_t ifindex, uint32_t seq);

#endif
