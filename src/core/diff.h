/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DIFF_H
#define CORE_DIFF_H
/* want against have, object by object: the one place that knows what a difference is.
 *
 * `have` is never held: diff_begin(want), diff_feed(object) for each object of a dump, diff_end().
 * Memory is one byte per wanted object and a copy of each object that differs. The same function
 * serves the agent (apply it), `loden plan` (print it), uninstall (empty want) and the tests.
 *
 * Laws, held by tests/model: diff(x, x) is empty; apply(diff(w, h), h) = w; applying the first k ops
 * of a plan and diffing again ends in w for every k.
 */

#include "base/arena.h"
#include "model/plan.h"

struct diff {
	const struct netstate *want;  /* borrowed */
	unsigned kinds;		      /* OBJECT_BIT()s compared; others are ignored */
	struct arena *arena;	      /* borrowed */
	uint8_t *seen[OBJECT__COUNT]; /* per wanted object: absent, equal or different */
	struct object
		*differs[OBJECT__COUNT]; /* what stands in a wanted slot instead; lazily made */
	struct diff_extra *extra;	 /* objects to delete, newest first */
	size_t n_extra;
	bool sweep;
};

/* sweep: delete what is not wanted. Without it only adds and changes are planned: used while the
 * peer list is not known to be complete. */
void diff_begin(struct diff *d, const struct netstate *want, unsigned kinds, bool sweep,
		struct arena *a);
/* O(log n). The object is copied if it is needed later. */
void diff_feed(struct diff *d, const struct object *have);
/* The ordered plan (core/order.h), in the arena. */
void diff_end(struct diff *d, struct plan *ret_plan);

#endif
