/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H
/* The guard of the VXLAN port: packets to it are accepted from peers alone.
 *
 * VXLAN knows no secrets: who can send a UDP packet to the port can put frames into pods' network. With
 * the guard that must come from, or pretend to come from, a peer's published address. Per family:
 * a set of those addresses (OBJECT_GUARD_PEER each), kept with the peers, and a rule that drops and
 * counts what comes from elsewhere (OBJECT_GUARD).
 *
 * Order: a peer's address is in the set before anything is sent to it, and the rule comes last of all; what is
 * removed goes the other way.
 */

#include "core/backend.h"

/* Should there be one? Not where nodes publish other addresses than they send from (--public-ip behind
 * NAT): what our packets come from others cannot know, and so it is for theirs. Nor while the operator's word is
 * published for some node (want_input.strangers). */
bool guard_is_wanted(const struct brain_conf *conf, const struct uplink *uplink, bool v6);

/* Appended to `ret`, unsorted. */
void guard_want(const struct want_input *in, struct arena *a, struct netstate *ret);

#endif
