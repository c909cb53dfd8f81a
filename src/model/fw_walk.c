/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw_walk.h"

#include <string.h>

#include "base/text.h"

const char *const fw_effect_names[] = {"none", "accept", "drop", "return", "jump", "goto"};
static_assert(ARRAY_SIZE(fw_effect_names) == FW_EFFECT__COUNT, "an effect without a name");

void fw_walk_begin(struct fw_walk *w, bool policy_drop)
{
	/* Not the names: they are 32 kB, and each is written before it is read. */
	memset(w, 0, offsetof(struct fw_walk, chains));
	w->policy_drop = policy_drop;
	w->in_base = true;
}

static void found_drop(struct fw_walk *w)
{
	w->may_drop = true;
	if (!w->in_base && w->early)
		w->may_drop_before_ours = true;
}

static void found_chain(struct fw_walk *w, const char *name)
{
	bool early = !w->in_base && w->early;

	for (size_t i = 0; i < w->n_chains; i++) {
		if (strcmp(w->chains[i].name, name) == 0) {
			w->chains[i].early |= early;
			return;
		}
	}
	if (w->n_chains == LIMIT_FW_WALK_CHAINS ||
	    !text_copy(w->chains[w->n_chains].name, sizeof(w->chains[0].name), name)) {
		found_drop(w);
		return;
	}
	w->chains[w->n_chains].early = early;
	w->chains[w->n_chains].done = false;
	w->n_chains++;
}

/* Whatever was seen in the base chain so far stands in front of this accept of ours. */
static void found_ours(struct fw_walk *w)
{
	w->seen_ours = true;
	w->may_drop_before_ours = w->may_drop;
	for (size_t i = 0; i < w->n_chains; i++)
		w->chains[i].early = true;
}

void fw_walk_rule(struct fw_walk *w, const struct fw_step *step, bool ours)
{
	if (w->in_base && ours)
		found_ours(w);
	else if (w->in_base && !w->seen_ours && w->n_before < UINT16_MAX)
		w->n_before++;
	if (w->ended)
		return; /* no packet comes here */

	switch (step->effect) {
	case FW_EFFECT_NONE:
		return;
	case FW_EFFECT_ACCEPT:
		w->ended = step->always;
		w->accepted |= step->always && w->in_base;
		return;
	case FW_EFFECT_DROP:
		found_drop(w);
		w->ended = step->always;
		return;
	case FW_EFFECT_RETURN:
		w->ended = step->always;
		return;
	case FW_EFFECT_JUMP:
		found_chain(w, step->chain);
		return;
	case FW_EFFECT_GOTO:
		found_chain(w, step->chain);
		w->ended = step->always;
		return;
	case FW_EFFECT__COUNT:
		break;
	}
	assert(!"effect");
}

/* First pending chain, early ones before late ones. */
static size_t pending(const struct fw_walk *w)
{
	size_t late = w->n_chains;

	for (size_t i = 0; i < w->n_chains; i++) {
		if (!w->chains[i].done && w->chains[i].early)
			return i;
		if (!w->chains[i].done && late == w->n_chains)
			late = i;
	}
	return late;
}

const char *fw_walk_next(struct fw_walk *w)
{
	size_t i;

	if (w->in_base && w->policy_drop && !w->accepted)
		w->may_drop = true;
	w->in_base = false;
	w->ended = false;

	i = pending(w);
	if (i == w->n_chains || (w->may_drop && (w->may_drop_before_ours || !w->chains[i].early)))
		return NULL;
	w->chains[i].done = true;
	w->early = w->chains[i].early;
	return w->chains[i].name;
}
