/* SPDX-License-Identifier: Apache-2.0 */
#include "core/look.h"

void look_init(struct look *l)
{
	*l = (struct look){.soon_ms = LOOK_NEVER, .audit_ms = LOOK_NEVER};
	for (size_t i = 0; i < OBJECT__COUNT; i++)
		l->later_ms[i] = LOOK_NEVER;
}

void look_notice(struct look *l, unsigned kinds, const struct culprit *who, uint64_t now_ms)
{
	unsigned by = kinds ? kinds : l->soon_kinds;

	for (size_t i = 0; who && who->pid && i < OBJECT__COUNT; i++) {
		if (by & OBJECT_BIT(i)) {
			l->who[i] = *who;
			l->who_ms[i] = now_ms;
		}
	}
	if (!kinds)
		return;
	if (!l->soon_kinds) {
		l->burst_ms = now_ms;
		l->soon_ms = LOOK_NEVER;
	}
	l->soon_kinds |= kinds;
	if (l->soon_ms >= now_ms) /* else it is overdue, and waits for nothing but its turn */
		l->soon_ms = MIN(l->burst_ms + LOOK_BURST_MS, now_ms + LOOK_SOON_MS);
}

void look_now(struct look *l, unsigned kinds, uint64_t now_ms)
{
	look_later(l, kinds, now_ms);
}

void look_later(struct look *l, unsigned kinds, uint64_t at_ms)
{
	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if (kinds & OBJECT_BIT(i))
			l->later_ms[i] = MIN(l->later_ms[i], at_ms);
	}
}

unsigned look_take(struct look *l, uint64_t now_ms)
{
	unsigned kinds = 0;

	if (l->soon_ms <= now_ms) {
		kinds = l->soon_kinds;
		l->soon_kinds = 0;
		l->soon_ms = LOOK_NEVER;
	}
	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if (l->later_ms[i] <= now_ms) {
			kinds |= OBJECT_BIT(i);
			l->later_ms[i] = LOOK_NEVER;
		}
	}
	return kinds;
}

uint64_t look_next_ms(const struct look *l)
{
	uint64_t next = MIN(l->soon_ms, l->audit_ms);

	for (size_t i = 0; i < OBJECT__COUNT; i++)
		next = MIN(next, l->later_ms[i]);
	return next;
}

struct culprit look_who(const struct look *l, unsigned kinds)
{
	struct culprit who = {0};
	uint64_t last = 0;

	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if ((kinds & OBJECT_BIT(i)) && l->who_ms[i] > last) {
			who = l->who[i];
			last = l->who_ms[i];
		}
	}
	return who;
}

void look_forget_who(struct look *l, unsigned kinds)
{
	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if (kinds & OBJECT_BIT(i))
			l->who_ms[i] = 0;
	}
}
