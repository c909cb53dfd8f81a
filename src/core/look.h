/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H
/* When to look at the kernel next, at which kinds of objects, and whose hand was seen there.
 *
 * A notice asks for a look 1 ms later; while more come in, a burst is looked at once, at most 5 ms after
 * its first notice. Besides, kinds can be due at a later time (a refused object's back-off), and every
 * audit interval ± 20 % everything is due: some faults are announced by no notice at all.
 */

#include "model/status.h"

#define LOOK_SOON_MS  1
#define LOOK_BURST_MS 5
#define LOOK_NEVER    UINT64_MAX

struct look {
	unsigned soon_kinds; /* noticed, not yet looked at */
	uint64_t soon_ms, burst_ms;
	uint64_t later_ms[OBJECT__COUNT];
	uint64_t audit_ms;
	struct culprit who[OBJECT__COUNT]; /* of the last notice per kind since the last look */
	uint64_t who_ms[OBJECT__COUNT];	   /* 0 = nobody */
};

void look_init(struct look *l);
/* `who` NULL = not known. kinds 0 = who did what was noticed before. */
void look_notice(struct look *l, unsigned kinds, const struct culprit *who, uint64_t now_ms);
/* At once, and no later than. */
void look_now(struct look *l, unsigned kinds, uint64_t now_ms);
void look_later(struct look *l, unsigned kinds, uint64_t at_ms);
/* The kinds due now, which then are no longer. Does not look at the audit. */
unsigned look_take(struct look *l, uint64_t now_ms);
/* The earliest time at which something is due, audit included. */
uint64_t look_next_ms(const struct look *l);
/* The last hand seen among `kinds`; all zero if nobody's. */
struct culprit look_who(const struct look *l, unsigned kinds);
/* `kinds` were dumped: hands seen before have nothing to do with what comes. */
void look_forget_who(struct look *l, unsigned kinds);

#endif
