/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H
/* The order of ops within a plan, so that no packet falls into a gap and no op needs a later one.
 *
 * First what is in the way: duplicates in a wanted route slot, links to be recreated. Then, in the order
 * of enum object_kind, everything added or changed: a peer is reachable as soon as its neighbour, FDB
 * entry and route stand, in that order. Last, kinds in reverse, what is deleted: routes before the
 * nexthops they use, entries before links.
 */

#include "model/plan.h"

/* Stable sort in place. */
void order_sort(struct plan *p);
/* Rank of one op; equal ranks keep their order. */
unsigned order_rank(const struct op *op);

#endif
