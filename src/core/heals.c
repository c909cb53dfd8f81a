/* SPDX-License-Identifier: Apache-2.0 */
#include "core/heals.h"

#include <string.h>

void heals_init(struct heals *h)
{
	*h = (struct heals){.n = OBJECT__COUNT};
	for (size_t i = 0; i < OBJECT__COUNT; i++)
		h->of[i].kind = (enum object_kind)i;
}

static struct status_heals *entry_for(struct heals *h, enum object_kind kind, const char *actor)
{
	for (size_t i = actor[0] ? OBJECT__COUNT : kind; i < h->n; i++) {
		if (h->of[i].kind == kind && !strcmp(h->of[i].actor, actor))
			return &h->of[i];
	}
	if (h->n == STATUS_HEALS_MAX)
		return &h->of[kind];
	h->of[h->n] = (struct status_heals){.kind = kind};
	memcpy(h->of[h->n].actor, actor, sizeof(h->of[h->n].actor));
	return &h->of[h->n++];
}

void heals_add(struct heals *h, unsigned kinds, const struct culprit *who)
{
	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		if (kinds & OBJECT_BIT(i))
			entry_for(h, (enum object_kind)i, who->comm)->n++;
	}
}
