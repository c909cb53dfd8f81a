/* SPDX-License-Identifier: Apache-2.0 */
#include "core/retry.h"

#include <string.h>

void retry_init(struct retry *r)
{
	*r = (struct retry){0};
	for (size_t i = 0; i < ARRAY_SIZE(r->entries); i++)
		r->entries[i].kind = OBJECT__COUNT;
}

static const struct retry_entry *find_key(const struct retry *r, enum object_kind kind,
					  uint64_t key)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->entries); i++) {
		if (r->entries[i].kind == kind && r->entries[i].key == key)
			return &r->entries[i];
	}
	return NULL;
}

/* The object's own entry, else that of the crowd it may belong to. */
static const struct retry_entry *find(const struct retry *r, const struct object *o)
{
	const struct retry_entry *e;

	if (!r->n)
		return NULL;
	e = find_key(r, o->kind, object_key_hash(o));
	return e ? e : find_key(r, o->kind, 0);
}

/* The last OBJECT__COUNT entries are kept for the crowds. */
static struct retry_entry *make(struct retry *r, enum object_kind kind, uint64_t key)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->entries); i++) {
		if (r->entries[i].kind != OBJECT__COUNT)
			continue;
		if (i >= RETRY_ENTRIES)
			key = 0;
		r->entries[i] = (struct retry_entry){.kind = kind, .key = key};
		r->n++;
		return &r->entries[i];
	}
	assert(!"there is room for one crowd of each kind");
	return NULL;
}

static void wait_for(const struct retry *r, struct retry_entry *e, uint64_t now_ms, uint64_t random)
{
	uint64_t until = now_ms + backoff_next_ms(&e->backoff, random);

	for (size_t i = 0; i < ARRAY_SIZE(r->entries); i++) {
		const struct retry_entry *other = &r->entries[i];

		if (other != e && other->kind == e->kind && other->until_ms > now_ms &&
		    other->backoff.tries == e->backoff.tries &&
		    now_ms - other->refused_ms <= RETRY_TOGETHER_MS) {
			until = other->until_ms;
			break;
		}
	}
	e->refused_ms = now_ms;
	e->until_ms = until;
}

void retry_refused(struct retry *r, const struct op *op, const struct devmap *devs, const char *why,
		   uint64_t now_ms, uint64_t random)
{
	struct retry_entry *e = (struct retry_entry *)find(r, &op->object);
	struct text t = TEXT(r->first);

	if (!e)
		e = make(r, op->object.kind, object_key_hash(&op->object));
	if (e->until_ms <= now_ms) /* a crowd backs off once a pass */
		wait_for(r, e, now_ms, random);
	op_format(op, devs, &t);
	text_add(&t, ": ");
	text_add_escaped(&t, why, strlen(why));
}

uint64_t retry_until(const struct retry *r, const struct object *o)
{
	const struct retry_entry *e = find(r, o);

	return e ? e->until_ms : 0;
}

void retry_still(struct retry *r, const struct object *o)
{
	struct retry_entry *e = (struct retry_entry *)find(r, o);

	if (e)
		e->still = true;
}

void retry_settle(struct retry *r, unsigned kinds)
{
	for (size_t i = 0; r->n && i < ARRAY_SIZE(r->entries); i++) {
		struct retry_entry *e = &r->entries[i];

		if (e->kind == OBJECT__COUNT || !(kinds & OBJECT_BIT(e->kind)))
			continue;
		if (e->still) {
			e->still = false;
		} else {
			*e = (struct retry_entry){.kind = OBJECT__COUNT};
			r->n--;
		}
	}
	if (!r->n)
		r->first[0] = '\0';
}
