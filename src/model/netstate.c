/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netstate.h"

#include <stdlib.h>

struct object netstate_at(const struct netstate *s, enum object_kind kind, size_t i)
{
	const uint8_t *items = s->of[kind].items;

	assert(i < s->of[kind].n);
	return (struct object){.kind = kind, .any = items + i * object_size(kind)};
}

ptrdiff_t netstate_find(const struct netstate *s, const struct object *o)
{
	size_t low = 0, high = s->of[o->kind].n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct object at = netstate_at(s, o->kind, mid);
		int d = object_cmp(o, &at);

		if (d == 0)
			return (ptrdiff_t)mid;
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}

static int cmp_items(const void *a, const void *b, void *kind)
{
	struct object x = {.kind = *(enum object_kind *)kind, .any = a};
	struct object y = {.kind = x.kind, .any = b};

	return object_cmp(&x, &y);
}

/* How the i-th stands to the one before. */
static int cmp_to_previous(const struct netstate *s, enum object_kind kind, size_t i)
{
	struct object a = netstate_at(s, kind, i - 1), b = netstate_at(s, kind, i);

	return object_cmp(&a, &b);
}

static bool is_sorted(const struct netstate *s, enum object_kind kind)
{
	for (size_t i = 1; i < s->of[kind].n; i++) {
		if (cmp_to_previous(s, kind, i) >= 0)
			return false;
	}
	return true;
}

void netstate_sort(struct netstate *s, enum object_kind kind)
{
	/* Mostly it is, made from a sorted table; the sort would copy all of it. */
	if (is_sorted(s, kind))
		return;
	qsort_r(s->of[kind].items, s->of[kind].n, object_size(kind), cmp_items, &kind);
	for (size_t i = 1; i < s->of[kind].n; i++) {
		if (cmp_to_previous(s, kind, i) == 0)
			abort();
	}
}
