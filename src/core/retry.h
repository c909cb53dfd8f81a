/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H
/* Objects that the kernel refused: each is tried again with its own jittered back-off of 0.5–30 s,
 * while everything else goes on. Bounded: when the table is full, further objects of that kind wait
 * as one.
 */

#include "core/backoff.h"
#include "model/plan.h"

#define RETRY_ENTRIES	  64
/* Refused so close together that they failed in one plan: they are tried again together, too. */
#define RETRY_TOGETHER_MS 200

struct retry_entry {
	uint64_t key;	       /* object_key_hash; 0 = whatever else of this kind is refused */
	enum object_kind kind; /* OBJECT__COUNT = free */
	bool still;	       /* see retry_still() */
	struct backoff backoff;
	uint64_t refused_ms, until_ms;
};

struct retry {
	struct retry_entry entries[RETRY_ENTRIES + OBJECT__COUNT];
	size_t n;
	char first[OP_STRLEN]; /* the refusal noted last: "<plan line>: <kernel's words>" */
};

void retry_init(struct retry *r);
/* The op failed with the kernel's words `why`. `random` as for backoff_next_ms(). */
void retry_refused(struct retry *r, const struct op *op, const struct devmap *devs, const char *why,
		   uint64_t now_ms, uint64_t random);
/* When may it be tried again? 0 = the kernel never refused it. */
uint64_t retry_until(const struct retry *r, const struct object *o);
/* The current dump shows that this object is still different. */
void retry_still(struct retry *r, const struct object *o);
/* A dump of `kinds` is over: objects refused earlier whose difference no longer shows are forgotten. */
void retry_settle(struct retry *r, unsigned kinds);

#endif
