/* SPDX-License-Identifier: Apache-2.0 */
#include "core/diff.h"

#include <string.h>

#include "core/adopt.h"
#include "core/fw.h"

void diff_begin(struct diff *d, const struct netstate *want, unsigned kinds,
		const struct adopt *sweep, struct arena *a)
{
	*d = (struct diff){.want = want, .kinds = kinds, .sweep = sweep, .arena = a};
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		d->extra_end[kind] = &d->extra[kind];
		if (kinds & OBJECT_BIT(kind))
			d->seen[kind] = arena_calloc(a, want->of[kind].n, 1);
	}
}

static bool sysctl_is_satisfied(const struct object *want, const struct object *have)
{
	/* Cannot be read: no such file on this kernel, so nothing can be written either. */
	if (!have->sysctl->value[0] || object_eq(want, have))
		return true;
	/* 0: somebody else than the kernel listens to routers, networkd or NetworkManager. What he
	 * learns stays when the host becomes a router. */
	return sysctl_guards(want->sysctl) && strcmp(have->sysctl->value, "0") == 0;
}

/* Is `have` as good as `want`, of the same key? */
static bool is_satisfied(const struct object *want, const struct object *have)
{
	switch (want->kind) {
	case OBJECT_LINK:
		return link_compare(want->link, have->link, NULL) == LINK_SAME;
	case OBJECT_SYSCTL:
		return sysctl_is_satisfied(want, have);
	case OBJECT_FW_CHAIN:
		return fw_chain_satisfied(want->fw_chain, have->fw_chain);
	case OBJECT_ADDR:
	case OBJECT_NEXTHOP:
	case OBJECT_NEIGH:
	case OBJECT_FDB:
	case OBJECT_ROUTE:
	case OBJECT_FW_TABLE:
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return object_eq(want, have);
}

static const void *keep(struct diff *d, const struct object *o)
{
	return memcpy(arena_calloc(d->arena, 1, object_size(o->kind)), o->any,
		      object_size(o->kind));
}

static void add_extra(struct diff *d, enum object_kind kind, const void *have, bool in_the_way)
{
	struct diff_extra *e = arena_new(d->arena, struct diff_extra);

	*e = (struct diff_extra){.have = have, .in_the_way = in_the_way};
	*d->extra_end[kind] = e;
	d->extra_end[kind] = &e->next;
}

/* In the way, and before the others. */
static void add_first_extra(struct diff *d, enum object_kind kind, const void *have)
{
	struct diff_extra *e = arena_new(d->arena, struct diff_extra);

	*e = (struct diff_extra){.next = d->extra[kind], .have = have, .in_the_way = true};
	if (!d->extra[kind])
		d->extra_end[kind] = &e->next;
	d->extra[kind] = e;
}

/* Neighbours and FDB entries are dumped in the order of a hash table, and there are thousands of them:
 * these are found by keys of eight bytes that sort as the whole keys do, packed side by side. */
#define PACKED_MIN 64

static uint64_t packed_key(const struct object *o)
{
	const uint8_t *b = o->kind == OBJECT_NEIGH ? o->neigh->ip.b + 10 : o->fdb->mac.b;
	uint64_t key = o->kind == OBJECT_NEIGH ? o->neigh->dev : o->fdb->dev;

	for (size_t i = 0; i < 6; i++)
		key = key << 8 | b[i];
	return key;
}

static bool can_pack(const struct object *o)
{
	return o->kind == OBJECT_FDB || (o->kind == OBJECT_NEIGH && ip_is_v4(&o->neigh->ip));
}

/* Once per dump. Leaves d->packed alone if it is not worth it, or some wanted object has no such key. */
static void pack(struct diff *d, enum object_kind kind)
{
	size_t n = d->want->of[kind].n;
	uint64_t *keys;

	d->pack_tried |= OBJECT_BIT(kind);
	if (n < PACKED_MIN)
		return;
	keys = arena_array(d->arena, uint64_t, n);
	for (size_t i = 0; i < n; i++) {
		struct object want = netstate_at(d->want, kind, i);

		if (!can_pack(&want))
			return;
		keys[i] = packed_key(&want);
	}
	d->packed[kind] = keys;
}

static ptrdiff_t find_packed(const struct diff *d, const struct object *have)
{
	const uint64_t *keys = d->packed[have->kind], key = packed_key(have);
	size_t at = 0;

	/* Without a branch to guess: half of the guesses were wrong, and cost more than all else. */
	for (size_t n = d->want->of[have->kind].n; n > 1; n -= n / 2)
		at += keys[at + n / 2 - 1] < key ? n / 2 : 0;
	return keys[at] == key ? (ptrdiff_t)at : -1;
}

static ptrdiff_t search(struct diff *d, const struct object *have)
{
	if (!can_pack(have))
		return netstate_find(d->want, have);
	if (!(d->pack_tried & OBJECT_BIT(have->kind)))
		pack(d, have->kind);
	return d->packed[have->kind] ? find_packed(d, have) : netstate_find(d->want, have);
}

static ptrdiff_t find(struct diff *d, const struct object *have)
{
	size_t next = d->cursor[have->kind];
	ptrdiff_t i;

	if (next < d->want->of[have->kind].n) {
		struct object w = netstate_at(d->want, have->kind, next);

		if (object_cmp(&w, have) == 0) {
			d->cursor[have->kind]++;
			return (ptrdiff_t)next;
		}
	}
	i = search(d, have);
	if (i >= 0)
		d->cursor[have->kind] = (size_t)i + 1;
	return i;
}

/* Routes and FDB destinations are the only objects of which the kernel holds several under one key. Of
 * the others the last one fed counts: a dump that the kernel interrupted is fed again. */
static bool can_be_several(enum object_kind kind)
{
	return kind == OBJECT_FDB || kind == OBJECT_ROUTE;
}

static void feed_different(struct diff *d, const struct object *have, size_t i)
{
	uint8_t *seen = &d->seen[have->kind][i];
	const void **differs;

	if (*seen == DIFF_EQUAL && can_be_several(have->kind)) {
		add_extra(d, have->kind, keep(d, have), true);
		return;
	}
	if (!d->differs[have->kind])
		d->differs[have->kind] =
			arena_array(d->arena, const void *, d->want->of[have->kind].n);
	differs = &d->differs[have->kind][i];
	if (*seen == DIFF_DIFFERENT && can_be_several(have->kind)) {
		struct object first = {.kind = have->kind, .any = *differs};

		if (!object_eq(&first, have))
			add_extra(d, have->kind, keep(d, have), true);
		return;
	}
	*seen = DIFF_DIFFERENT;
	*differs = keep(d, have);
}

static void feed_equal(struct diff *d, enum object_kind kind, size_t i)
{
	/* It came before all others of its slot, and so it is to go: a removal takes the first that
	 * it fits, and if that were another one, what else would the next removal take? */
	if (d->seen[kind][i] == DIFF_DIFFERENT && can_be_several(kind))
		add_first_extra(d, kind, d->differs[kind][i]);
	d->seen[kind][i] = DIFF_EQUAL;
}

void diff_feed(struct diff *d, const struct object *have)
{
	struct object want;
	ptrdiff_t i;

	if (!(d->kinds & OBJECT_BIT(have->kind)))
		return;
	i = find(d, have);
	if (i < 0) {
		if (d->sweep && adopt_may_delete(d->sweep, have))
			add_extra(d, have->kind, keep(d, have), false);
		return;
	}
	want = netstate_at(d->want, have->kind, (size_t)i);
	if (is_satisfied(&want, have)) {
		feed_equal(d, have->kind, (size_t)i);
		return;
	}
	feed_different(d, have, (size_t)i);
	if (have->kind == OBJECT_LINK && link_compare(want.link, have->link, NULL) == LINK_RECREATE)
		d->lost_devs |= 1u << want.link->dev;
}

static bool is_lost(const struct diff *d, const struct object *o)
{
	return d->lost_devs && (d->lost_devs & 1u << object_dev(o));
}

/* Nothing of its own to create: another program's chain, a file of the kernel's. */
static bool can_be_absent(enum object_kind kind)
{
	return kind == OBJECT_FW_CHAIN || kind == OBJECT_SYSCTL;
}

bool diff_stands(const struct diff *d, enum object_kind kind)
{
	if (!(d->kinds & OBJECT_BIT(kind)))
		return false;
	for (size_t i = 0; i < d->want->of[kind].n; i++) {
		enum diff_seen seen = d->seen[kind][i];

		if (seen != DIFF_EQUAL && !(seen == DIFF_ABSENT && can_be_absent(kind)))
			return false;
	}
	return true;
}

/* The op that stage ORDER_RECREATE or ORDER_MAKE has for wanted object `i`. */
static bool make_op(const struct diff *d, struct order_stage stage, size_t i, struct op *ret)
{
	enum diff_seen seen = d->seen[stage.kind][i];
	struct object want;
	struct op op;

	if (seen == DIFF_EQUAL && !d->lost_devs)
		return false;
	want = netstate_at(d->want, stage.kind, i);
	op = (struct op){.verb = OP_ADD, .object = want};
	if (seen == DIFF_DIFFERENT)
		op.old = (struct object){.kind = stage.kind, .any = d->differs[stage.kind][i]};
	if (is_lost(d, &want)) {
		bool is_link = stage.kind == OBJECT_LINK;

		if (is_link != (stage.what == ORDER_RECREATE))
			return false;
		if (is_link)
			op.verb = OP_RECREATE;
		else
			op.old.any = NULL;
	} else {
		if (stage.what != ORDER_MAKE || seen == DIFF_EQUAL)
			return false;
		if (seen == DIFF_ABSENT && can_be_absent(stage.kind))
			return false;
		if (seen == DIFF_DIFFERENT)
			op.verb = OP_SET;
	}
	*ret = op;
	return true;
}

/* Steps through the wanted objects of one stage; false when it is over. */
static bool next_wanted(struct diff *d, struct order_stage stage, struct op *ret)
{
	while (d->index < d->want->of[stage.kind].n) {
		if (make_op(d, stage, d->index++, ret))
			return true;
	}
	return false;
}

/* The same for what is to be deleted. */
static bool next_extra(struct diff *d, struct order_stage stage, struct op *ret)
{
	if (!d->index++)
		d->stage_extra = d->extra[stage.kind];
	while (d->stage_extra) {
		const struct diff_extra *e = d->stage_extra;
		struct object have = {.kind = stage.kind, .any = e->have};

		d->stage_extra = e->next;
		if (e->in_the_way != (stage.what == ORDER_IN_THE_WAY) || is_lost(d, &have))
			continue;
		*ret = (struct op){.verb = OP_DEL, .object = have};
		return true;
	}
	return false;
}

size_t diff_next(struct diff *d, struct op *ops, size_t room)
{
	size_t n = 0;

	while (n < room && d->stage < ORDER_STAGES) {
		struct order_stage stage = order_stage(d->stage);
		bool wanted = stage.what == ORDER_RECREATE || stage.what == ORDER_MAKE;
		bool found = false;

		if (d->kinds & OBJECT_BIT(stage.kind))
			found = wanted ? next_wanted(d, stage, &ops[n])
				       : next_extra(d, stage, &ops[n]);
		if (found) {
			n++;
		} else {
			d->stage++;
			d->index = 0;
		}
	}
	return n;
}

void diff_rewind(struct diff *d)
{
	d->stage = 0;
	d->index = 0;
}
