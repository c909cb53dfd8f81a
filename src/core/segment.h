/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SEGMENT_H
#define CORE_SEGMENT_H
/* DirectRouting: which peers the uplink reaches without a router (flannel.md 6.1.7).
 *
 * flannel asks the kernel for the way to a peer once, when it hears of it: no gateway means direct. Here
 * the same follows from the host's routes, which are facts: known for every peer without asking, and
 * when they change every peer is judged anew. Only the uplink counts: a peer that is a neighbour on
 * some other link (a container bridge that uses the same numbers) is reached through the overlay. Rules
 * of policy routing are not looked at.
 */

#include "model/uplink.h"

/* What the routes say about `ifindex`. Of several to one destination the one with the lowest metric
 * counts, of equals the first. O(n * SEGMENT_ROUTES_MAX). */
void segment_find(const struct iface_facts *f, uint32_t ifindex, struct segment *ret);

/* Is `ip` reached without a router? O(n of the segment). */
bool segment_holds(const struct segment *s, const struct ip *ip);

#endif
