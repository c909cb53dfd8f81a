/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shrink.h"

void shrink_init(struct shrink *s)
{
	*s = (struct shrink){
		.relist_ms = SHRINK_NEVER, .burst_ms = SHRINK_NEVER, .pause_ms = SHRINK_NEVER};
}

/* One alone is no shrinking. */
static bool is_shrunk(size_t from, size_t to)
{
	return to + 2 <= from && to * 2 < from;
}

static void hold(struct shrink *s, size_t from, size_t to, uint64_t now_ms)
{
	if (!s->from) {
		s->from = from;
		s->confirm_ms = s->relist_ms = now_ms + SHRINK_CONFIRM_MS;
	}
	s->to = to;
}

void shrink_listed(struct shrink *s, size_t before, size_t n, uint64_t now_ms)
{
	size_t from = s->from ? s->from : before;

	if (is_shrunk(from, n) && (!s->from || now_ms < s->confirm_ms)) {
		hold(s, from, n, now_ms);
		return;
	}
	shrink_init(s);
}

bool shrink_counts(const struct shrink *s, uint64_t now_ms)
{
	return !s->n_gone || now_ms - s->window_ms > SHRINK_CONFIRM_MS;
}

void shrink_put(struct shrink *s)
{
	s->n_gone -= MIN(s->n_gone, 1u);
	s->to += s->from > 0;
}

void shrink_gone(struct shrink *s, size_t before, uint64_t now_ms)
{
	if (shrink_counts(s, now_ms)) {
		s->window_ms = now_ms;
		s->window_from = before;
		s->n_gone = 0;
	}
	s->n_gone++;
	if (s->window_from > SHRINK_BURST_LEASES) {
		if (s->burst_ms == SHRINK_NEVER)
			s->burst_ms = now_ms;
		s->pause_ms = MIN(s->burst_ms + SHRINK_BURST_MAX_MS, now_ms + SHRINK_BURST_MS);
	}
	if (s->from)
		s->to -= MIN(s->to, 1u);
	else if (is_shrunk(s->window_from, s->window_from - MIN(s->n_gone, s->window_from)))
		hold(s, s->window_from, s->window_from - MIN(s->n_gone, s->window_from), now_ms);
}

bool shrink_holds(const struct shrink *s)
{
	return s->from > 0 || s->pause_ms != SHRINK_NEVER;
}

bool shrink_burst_over(struct shrink *s, uint64_t now_ms)
{
	if (s->pause_ms > now_ms)
		return false;
	s->burst_ms = s->pause_ms = SHRINK_NEVER;
	return true;
}

bool shrink_wants_list(struct shrink *s, uint64_t now_ms)
{
	if (s->relist_ms > now_ms)
		return false;
	s->relist_ms = now_ms + SHRINK_CONFIRM_MS;
	return true;
}

uint64_t shrink_next_ms(const struct shrink *s)
{
	return MIN(s->relist_ms, s->pause_ms);
}
