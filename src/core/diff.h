/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DIFF_H
#define CORE_DIFF_H
/* want against have, object by object: the one place that knows what a difference is.
 *
 * `have` is never held: diff_begin(want), diff_feed(object) for each object of a dump, then
 * diff_next() until the plan is empty. Memory is one byte per wanted object (nine for neighbours and
 * FDB entries) and a copy of each object that differs. The same functions serve the agent (apply it),
 * `loden plan` (print it), uninstall (empty want) and the tests.
 *
 * Plans come in slices: 20,000 ops would cost 800 kB at once, and nothing is gained by it.
 *
 * Laws, held by tests/model: diff(x, x) is empty; apply(diff(w, h), h) = w; applying the first k ops
 * of a plan and diffing again ends in w for every k.
 */

#include "base/arena.h"
#include "core/order.h"
#include "model/plan.h"

/* Which of the objects that are not wanted may be deleted (core/adopt.h). */
struct adopt;

enum diff_seen {
	DIFF_ABSENT,
	DIFF_EQUAL,
	DIFF_DIFFERENT,
};

/* An object to delete. */
struct diff_extra {
	struct diff_extra *next;
	const void *have;
	bool in_the_way; /* a second object in a wanted slot, whoever's it is */
};

struct diff {
	const struct netstate *want;	     /* borrowed */
	unsigned kinds;			     /* OBJECT_BIT()s compared; others are ignored */
	const struct adopt *sweep;	     /* borrowed; NULL = delete nothing */
	struct arena *arena;		     /* borrowed */
	uint8_t *seen[OBJECT__COUNT];	     /* enum diff_seen, per wanted object */
	const void **differs[OBJECT__COUNT]; /* what stands in a wanted slot instead; lazily made */
	uint64_t *packed[OBJECT__COUNT];     /* keys to search by; lazily made */
	unsigned pack_tried;
	struct diff_extra *extra[OBJECT__COUNT], **extra_end[OBJECT__COUNT];
	size_t cursor[OBJECT__COUNT]; /* dumps that come sorted are found at once */
	unsigned lost_devs;	      /* bits of enum dev: links that will be recreated */
	size_t stage, index;	      /* where diff_next() goes on */
	const struct diff_extra *stage_extra;
};

/* Without `sweep` only adds and changes are planned: used while the peer list is not known to be
 * complete. */
void diff_begin(struct diff *d, const struct netstate *want, unsigned kinds,
		const struct adopt *sweep, struct arena *a);
/* O(log n). The object is copied if it is needed later. */
void diff_feed(struct diff *d, const struct object *have);
/* Writes the next ops, at most `room`, in the order of core/order.h. Returns how many; fewer than
 * `room` = these were the last. */
size_t diff_next(struct diff *d, struct op *ops, size_t room);
/* Was every wanted object of `kind` fed, and as wanted? Of those that only others can make: unless
 * there is none. False of a kind that is not compared. */
bool diff_stands(const struct diff *d, enum object_kind kind);
/* Start over with the first op. */
void diff_rewind(struct diff *d);

#endif
