/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H
/* The order of ops within a plan, so that no packet falls into a gap and no op needs a later one.
 *
 * A plan runs in stages. First what is in the way: duplicates in a wanted slot, then links to be
 * recreated. Then, kind by kind in the order of enum object_kind, everything added or changed: a
 * peer is reachable as soon as its neighbour, FDB entry and route stand, in that order.
 * Last, kinds in reverse, what is deleted: routes before the nexthops that they used, entries before
 * links. Within a stage wanted objects go by key, the others as the dump had them.
 */

#include "model/plan.h"

enum order_what {
	ORDER_IN_THE_WAY, /* OP_DEL of a second object in a wanted slot */
	ORDER_RECREATE,	  /* OP_RECREATE */
	ORDER_MAKE,	  /* OP_ADD, OP_SET */
	ORDER_REMOVE,	  /* OP_DEL of what is not wanted */
};

struct order_stage {
	enum order_what what;
	enum object_kind kind;
};

#define ORDER_STAGES (OBJECT__COUNT + 1 + OBJECT__COUNT + OBJECT__COUNT)

/* The i-th stage, i < ORDER_STAGES. */
struct order_stage order_stage(size_t i);

#endif
