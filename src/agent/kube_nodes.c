/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_nodes.h"

#include <stdlib.h>

#define SLOTS_MIN 64

static size_t home(const struct kube_nodes *t, uint64_t id)
{
	return (size_t)id & (t->size - 1);
}

/* Where it is, or the free slot where it would be. */
static struct kube_known *slot(const struct kube_nodes *t, uint64_t id)
{
	size_t i = home(t, id);

	while (t->slots[i].id != 0 && t->slots[i].id != id)
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static void grow(struct kube_nodes *t)
{
	struct kube_nodes old = *t;

	t->size = MAX(old.size * 2, (size_t)SLOTS_MIN);
	t->slots = calloc(t->size, sizeof(*t->slots));
	if (!t->slots)
		abort();
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].id != 0)
			*slot(t, old.slots[i].id) = old.slots[i];
	}
	free(old.slots);
}

void kube_nodes_fini(struct kube_nodes *t)
{
	free(t->slots);
	*t = (struct kube_nodes){0};
}

struct kube_known *kube_nodes_find(const struct kube_nodes *t, uint64_t id)
{
	struct kube_known *k = t->size ? slot(t, id) : NULL;

	return k && k->id ? k : NULL;
}

struct kube_known *kube_nodes_add(struct kube_nodes *t, uint64_t id)
{
	struct kube_known *k = kube_nodes_find(t, id);

	if (k)
		return k;
	if ((t->n + 1) * 4 > t->size * 3)
		grow(t);
	t->n++;
	k = slot(t, id);
	k->id = id;
	return k;
}

void kube_nodes_remove(struct kube_nodes *t, uint64_t id)
{
	struct kube_known *k = kube_nodes_find(t, id);
	size_t hole, i;

	if (!k)
		return;
	t->n--;
	hole = i = (size_t)(k - t->slots);
	/* What lies behind moves into the hole, unless that would put it before its home. */
	for (;;) {
		t->slots[hole] = (struct kube_known){0};
		do {
			i = (i + 1) & (t->size - 1);
			if (t->slots[i].id == 0)
				return;
		} while (((i - home(t, t->slots[i].id)) & (t->size - 1)) <
			 ((i - hole) & (t->size - 1)));
		t->slots[hole] = t->slots[i];
		hole = i;
	}
}

void kube_nodes_sweep(struct kube_nodes *t)
{
	struct kube_nodes kept = {0};

	for (size_t i = 0; i < t->size; i++) {
		struct kube_known *k = &t->slots[i];

		if (k->id == 0 || k->listed == 0)
			continue;
		k->listed = 0;
		*kube_nodes_add(&kept, k->id) = *k;
	}
	kube_nodes_fini(t);
	*t = kept;
}
