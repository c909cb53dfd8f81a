/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_FACTS_H
#define WIRE_NL_FACTS_H
/* rtnetlink: the host's own interfaces, addresses and routes, as facts for the choice of the uplink.
 *
 * Links come by nl_link_dump(), addresses and routes by nl_rt_dump(): the dumps are the same, only
 * what is read out of them differs. Decoders return 0, 1 for a message that says nothing here,
 * or -EBADMSG.
 */

#include "model/uplink.h"
#include "wire/nl.h"

/* Addresses are added later: n_addrs is 0. */
int nl_facts_iface(const struct nl_msg *m, struct iface *ret);
int nl_facts_addr(const struct nl_msg *m, uint32_t *ret_ifindex, struct iface_addr *ret);

/* Routes of table main but for our own; a default route has length 0. */
int nl_facts_route(const struct nl_msg *m, struct route_fact *ret);

/* Asks which way `to` is reached; the answer is one RTM_NEWROUTE, or an error. */
int nl_facts_ask_reach(struct nl_buf *b, const struct ip *to, uint32_t seq);
int nl_facts_reach(const struct nl_msg *m, uint32_t *ret_ifindex, struct ip *ret_src);

#endif
