/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw_walk.h"

#include <string.h>

const char *const fw_effect_names[] = {"none", "accept", "drop", "return", "jump", "goto"};
static_assert(ARRAY_SIZE(fw_effect_names) == FW_EFFECT__COUNT, "an effect without a name");

const char *const fw_scope_names[] = {"all", "place", "some"};
static_assert(ARRAY_SIZE(fw_scope_names) == FW_SCOPE__COUNT, "a scope without a name");

static void start_chain(struct fw_walk *w, size_t i)
{
	w->reading = i;
	w->chains[i].first_jump = w->n_jumps;
}

void fw_walk_begin(struct fw_walk *w, bool policy_drop, const struct cidr networks[2])
{
	/* The chains' names are 32 kB; each is written before it is read. */
	memset(w, 0, offsetof(struct fw_walk, chains));
	memset(&w->chains[0], 0, sizeof(w->chains[0]));
	memcpy(w->networks, networks, sizeof(w->networks));
	w->policy_drop = policy_drop;
	w->n_chains = 1;
	start_chain(w, 0);
}

void fw_walk_begin_input(struct fw_walk *w, bool policy_drop, const struct fw_arrival *arrival)
{
	static const struct cidr none[2];

	assert(arrival->port);
	fw_walk_begin(w, policy_drop, none);
	w->arrival = *arrival;
}

/* ---- reading ---- */

static bool leaves_in(const struct cidr *match, bool negated, const struct cidr *network)
{
	if (!cidr_is_set(match))
		return true;
	if (ip_is_v4(&match->ip) != ip_is_v4(&network->ip))
		return false;
	return negated ? !cidr_overlaps(match, network) : cidr_covers(match, network);
}

/* Do the rule's addresses leave all of a network of the cluster in? */
static bool is_wide(const struct fw_walk *w, const struct fw_rule *r)
{
	if (!cidr_is_set(&r->saddr) && !cidr_is_set(&r->daddr))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(w->networks); i++) {
		const struct cidr *network = &w->networks[i];

		if (cidr_is_set(network) && leaves_in(&r->saddr, r->saddr_not, network) &&
		    leaves_in(&r->daddr, r->daddr_not, network))
			return true;
	}
	return false;
}

static bool matches(const struct fw_arrival *a, const struct cidr *net, bool negated)
{
	if (!cidr_is_set(net))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(a->local); i++) {
		if (ip_is_set(&a->local[i]) && ip_is_v4(&a->local[i]) == ip_is_v4(&net->ip))
			return cidr_contains(net, &a->local[i]) != negated;
	}
	return false;
}

static bool catches_arrival(const struct fw_arrival *a, const struct fw_walk_rule *r)
{
	const struct fw_rule *rule = r->rule;
	bool from_some = cidr_is_set(&rule->saddr);

	if (!r->step->exact || (r->step->port && r->step->port != a->port) || rule->oif[0] ||
	    (rule->iif[0] && strcmp(rule->iif, a->iif) != 0) ||
	    !matches(a, &rule->daddr, rule->daddr_not))
		return false;
	if (r->step->effect == FW_EFFECT_DROP)
		return !from_some;
	return r->step->port || matches(a, &rule->saddr, rule->saddr_not);
}

static bool catches(const struct fw_walk *w, const struct fw_walk_rule *r)
{
	bool blanket = w->reading == 0 && r->step->effect == FW_EFFECT_DROP;

	if (w->arrival.port && catches_arrival(&w->arrival, r))
		return true;
	return r->step->scope == FW_SCOPE_ALL ||
	       (!w->arrival.port && blanket && r->step->scope == FW_SCOPE_PLACE &&
		is_wide(w, r->rule));
}

/* Index of a chain, new or not; 0 (the base chain cannot be jumped to) if there is no room. */
static size_t chain_index(struct fw_walk *w, const char *name)
{
	size_t i;

	for (i = 1; i < w->n_chains; i++) {
		if (strcmp(w->chains[i].name, name) == 0)
			return i;
	}
	if (i == LIMIT_FW_WALK_CHAINS)
		return 0;
	memset(&w->chains[i], 0, sizeof(w->chains[i]));
	if (!text_copy(w->chains[i].name, sizeof(w->chains[i].name), name))
		return 0;
	w->n_chains++;
	return i;
}

static void add_jump(struct fw_walk *w, const char *name, struct fw_walk_point at)
{
	size_t to;

	if (w->n_jumps == LIMIT_FW_WALK_JUMPS)
		return;
	to = chain_index(w, name);
	if (to == 0)
		return;
	w->jumps[w->n_jumps].to = (uint8_t)to;
	w->jumps[w->n_jumps].at = at;
	w->n_jumps++;
	w->chains[w->reading].n_jumps++;
}

static void end_chain(struct fw_walk *w, enum fw_fate fate, struct fw_walk_point at)
{
	w->chains[w->reading].ended = true;
	w->chains[w->reading].fate = fate;
	w->chains[w->reading].end = at;
}

void fw_walk_rule(struct fw_walk *w, const struct fw_walk_rule *r)
{
	struct fw_walk_point here = {.handle = r->handle, .n_ours = w->n_ours};

	if (w->reading == 0 && r->ours) {
		w->n_ours += w->n_ours < UINT16_MAX;
		return;
	}
	if (w->reading == 0 && w->n_ours == 0 && w->n_before < UINT16_MAX)
		w->n_before++;
	if (w->chains[w->reading].ended || !catches(w, r))
		return;

	switch (r->step->effect) {
	case FW_EFFECT_NONE:
		return;
	case FW_EFFECT_ACCEPT:
		end_chain(w, FW_FATE_ACCEPTED, here);
		return;
	case FW_EFFECT_DROP:
		end_chain(w, FW_FATE_DROPPED, here);
		return;
	case FW_EFFECT_RETURN:
		end_chain(w, FW_FATE_PASSES, here);
		return;
	case FW_EFFECT_JUMP:
		add_jump(w, r->step->chain, here);
		return;
	case FW_EFFECT_GOTO:
		add_jump(w, r->step->chain, here);
		end_chain(w, FW_FATE_PASSES, here); /* it does not come back here */
		return;
	case FW_EFFECT__COUNT:
		break;
	}
	assert(!"effect");
}

/* ---- the answer ---- */

/* Each chain is judged once, so the depth is at most LIMIT_FW_WALK_CHAINS. Meanwhile its fate is that
 * behind its jumps: the kernel refuses loops, so nobody asks. */
static enum fw_fate judge(struct fw_walk *w, size_t chain)
{
	size_t first = w->chains[chain].first_jump, n = w->chains[chain].n_jumps;

	if (w->chains[chain].judged)
		return w->chains[chain].fate;
	w->chains[chain].judged = true;
	for (size_t i = first; i < first + n; i++) {
		enum fw_fate fate = judge(w, w->jumps[i].to);

		if (fate == FW_FATE_PASSES)
			continue;
		w->chains[chain].fate = fate;
		w->chains[chain].end = w->jumps[i].at;
		break;
	}
	return w->chains[chain].fate;
}

const char *fw_walk_next(struct fw_walk *w)
{
	struct fw_walk_point end = {.handle = 0, .n_ours = w->n_ours};
	enum fw_fate fate;

	if (!w->chains[w->reading].ended)
		end_chain(w, FW_FATE_PASSES, end);
	if (w->reading + 1 < w->n_chains) {
		start_chain(w, w->reading + 1);
		return w->chains[w->reading].name;
	}
	fate = judge(w, 0);
	end = w->chains[0].end;
	w->drops = fate == FW_FATE_DROPPED || (fate == FW_FATE_PASSES && w->policy_drop);
	w->drops_before_ours = w->drops && end.n_ours < w->n_ours;
	w->drop_handle = w->drops ? end.handle : 0;
	return NULL;
}
