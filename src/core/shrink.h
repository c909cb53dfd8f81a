/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SHRINK_H
#define CORE_SHRINK_H
/* The shrink guard: many leases that go at once may be a wrong restore, a wrong cluster, or a slip of
 * somebody's hand; a network that was swept because of it takes all its pods along.
 *
 * If more than half of the leases went, in one list or one by one within SHRINK_CONFIRM_MS, nothing is
 * swept until a list that was asked for SHRINK_CONFIRM_MS later says so, too (failures.md 7.1 rule 6).
 * So that the half is not swept before it is known to be one, single deletions wait for the end of their
 * burst; those of a few leases come in one message anyhow. To sweep late costs nothing: a subnet's next
 * owner takes its place at once.
 */

#include "base/base.h"

#define SHRINK_CONFIRM_MS   10000
#define SHRINK_BURST_LEASES 10 /* of so many one message holds all deletions */
/* etcd revokes expired leases by the thousand, twice a second (server/lease/lessor.go). */
#define SHRINK_BURST_MS	    1000 /* nothing went for so long: the burst is over */
#define SHRINK_BURST_MAX_MS 5000
#define SHRINK_NEVER	    UINT64_MAX

struct shrink {
	size_t from, to;     /* held because of this; from 0 = no */
	uint64_t confirm_ms; /* a list from then on is believed */
	uint64_t relist_ms;  /* when to ask for one; SHRINK_NEVER */

	/* Single deletions. */
	size_t window_from, n_gone; /* of so many, since window_ms */
	uint64_t window_ms;
	uint64_t burst_ms, pause_ms; /* begin and end; SHRINK_NEVER = no burst is on */
};

void shrink_init(struct shrink *s);
/* A complete list came: `n` leases, where `before` were known. */
void shrink_listed(struct shrink *s, size_t before, size_t n, uint64_t now_ms);
/* Is `before` of the next shrink_gone() looked at? */
bool shrink_counts(const struct shrink *s, uint64_t now_ms);
/* A lease went away by itself; `before`: how many were known. */
void shrink_gone(struct shrink *s, size_t before, uint64_t now_ms);
/* One came, or is another. */
void shrink_put(struct shrink *s);
/* Is nothing to be swept now? */
bool shrink_holds(const struct shrink *s);
/* A burst has ended: what was held because of it is to be looked at. Once. */
bool shrink_burst_over(struct shrink *s, uint64_t now_ms);
/* A list is to be asked for; again every SHRINK_CONFIRM_MS until it comes. */
bool shrink_wants_list(struct shrink *s, uint64_t now_ms);
uint64_t shrink_next_ms(const struct shrink *s);

#endif
