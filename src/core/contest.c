/* SPDX-License-Identifier: Apache-2.0 */
#include "core/contest.h"

#include <string.h>

void contest_init(struct contest *c)
{
	*c = (struct contest){0};
	for (size_t i = 0; i < CONTEST_ENTRIES; i++)
		c->entries[i].kind = OBJECT__COUNT;
}

void contest_begin(struct contest *c)
{
	c->pass++;
}

static bool is_quiet(const struct contest_entry *e, uint64_t now_ms)
{
	return now_ms - e->last_ms > CONTEST_WINDOW_MS;
}

uint64_t contest_held(const struct contest *c, const struct object *o, uint64_t now_ms)
{
	uint64_t key, until = 0;

	if (!c->n_contested)
		return 0;
	key = object_key_hash(o);
	for (size_t i = 0; i < CONTEST_ENTRIES; i++) {
		const struct contest_entry *e = &c->entries[i];

		if (e->kind == o->kind && (!e->key || e->key == key) && e->until_ms > now_ms &&
		    e->pass < c->pass)
			until = MAX(until, e->until_ms);
	}
	return until;
}

/* The entry of this key; else a free or quiet one, else the longest quiet one, made empty. */
static struct contest_entry *entry_for(struct contest *c, enum object_kind kind, uint64_t key,
				       uint64_t now_ms)
{
	struct contest_entry *oldest = &c->entries[0];

	for (size_t i = 0; i < CONTEST_ENTRIES; i++) {
		struct contest_entry *e = &c->entries[i];

		if (e->kind != OBJECT__COUNT && is_quiet(e, now_ms)) {
			c->n_contested -= e->until_ms > 0;
			*e = (struct contest_entry){.kind = OBJECT__COUNT};
		}
		if (e->kind == kind && e->key == key)
			return e;
		if (e->pass < oldest->pass) /* a crowd of passes may share a millisecond */
			oldest = e;
	}
	c->n_contested -= oldest->until_ms > 0;
	*oldest = (struct contest_entry){.kind = kind, .key = key};
	return oldest;
}

static void name(struct contest_entry *e, const struct op *op, const struct devmap *devs)
{
	struct text t = TEXT(e->what);

	text_add(&t, "%s ", object_kind_names[op->object.kind]);
	if (e->key)
		object_format_key(&op->object, devs, &t);
	else
		text_add(&t, "objects, all of them");
}

void contest_healed(struct contest *c, const struct op *op, bool crowd, const struct devmap *devs,
		    const struct culprit *who, uint64_t now_ms)
{
	uint64_t key = crowd ? 0 : object_key_hash(&op->object), fifth_last, wait = CONTEST_WAIT_MS;
	struct contest_entry *e = entry_for(c, op->object.kind, key, now_ms);

	fifth_last = e->healed_ms[e->next];
	e->healed_ms[e->next] = now_ms;
	e->next = (e->next + 1) % CONTEST_HEALS;
	e->last_ms = now_ms;
	e->pass = c->pass;
	if (!e->until_ms && (!fifth_last || now_ms - fifth_last > CONTEST_WINDOW_MS))
		return;
	if (!e->until_ms) {
		c->n_contested++;
		name(e, op, devs);
	}
	for (unsigned i = 0; i < e->level && wait < CONTEST_MAX_MS; i++)
		wait *= 2;
	wait = MIN(wait, CONTEST_MAX_MS);
	e->level++;
	e->until_ms = now_ms + wait;
	if (who->pid || !e->who.pid)
		e->who = *who;
}

static bool is_contested(const struct contest_entry *e, uint64_t now_ms)
{
	return e->kind != OBJECT__COUNT && e->until_ms && !is_quiet(e, now_ms);
}

void contest_count(const struct contest *c, uint64_t now_ms, size_t ret[OBJECT__COUNT])
{
	memset(ret, 0, OBJECT__COUNT * sizeof(*ret));
	for (size_t i = 0; c->n_contested && i < CONTEST_ENTRIES; i++) {
		if (is_contested(&c->entries[i], now_ms))
			ret[c->entries[i].kind]++;
	}
}

void contest_notes(const struct contest *c, uint64_t now_ms, struct text *notes)
{
	for (size_t i = 0; c->n_contested && i < CONTEST_ENTRIES; i++) {
		const struct contest_entry *e = &c->entries[i];

		if (!is_contested(e, now_ms))
			continue;
		text_add(notes, "contested: %s is changed again and again", e->what);
		if (e->who.pid) {
			text_add(notes, ", last by pid %u (", e->who.pid);
			text_add_escaped(notes, e->who.comm, strnlen(e->who.comm, 16));
			text_add(notes, ")");
			if (e->who.unit[0]) {
				text_add(notes, " of ");
				text_add_escaped(notes, e->who.unit, strnlen(e->who.unit, 64));
			}
		}
		text_add(notes, "; it is healed on, with waits\n");
	}
}
