/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FW_WALK_H
#define MODEL_FW_WALK_H
/* May a packet be dropped on its way through a foreign base chain? Before our accepts, or at all?
 *
 * Not a simulation: conditions are not understood, only told apart from "always". A rule that drops,
 * reached by any path, counts. So "cannot drop" is certain, "may drop" is caution.
 *
 * The walk is fed, one chain at a time: first the rules of the base chain, then those of each chain
 * that fw_walk_next() names, until it names none. Chains reached from in front of our accepts come
 * first; it stops as soon as nothing can change the answer any more. Each chain is read once, so
 * loops and depth do not matter.
 */

#include "base/base.h"

#define FW_WALK_NAME_SIZE    256 /* NFT_NAME_MAXLEN */
#define LIMIT_FW_WALK_CHAINS 128 /* reachable ones; with more the answer is "may drop" */

/* What a rule does with a packet that it matches. */
enum fw_effect {
	FW_EFFECT_NONE, /* counts, logs, marks: the next rule follows */
	FW_EFFECT_ACCEPT,
	FW_EFFECT_DROP, /* reject, queue and whatever we do not know, too */
	FW_EFFECT_RETURN,
	FW_EFFECT_JUMP,
	FW_EFFECT_GOTO,
	FW_EFFECT__COUNT,
};

extern const char *const fw_effect_names[FW_EFFECT__COUNT];

struct fw_step {
	enum fw_effect effect;
	bool always;		       /* no condition: every packet that comes here */
	char chain[FW_WALK_NAME_SIZE]; /* of jump and goto */
};

struct fw_walk {
	/* The answer, once fw_walk_next() returned NULL; see struct fw_chain. */
	bool may_drop, may_drop_before_ours;
	uint16_t n_before;

	/* Inside. */
	bool policy_drop, in_base, early, accepted, ended, seen_ours;
	size_t n_chains;

	struct {
		bool early, done;
		char name[FW_WALK_NAME_SIZE];
	} chains[LIMIT_FW_WALK_CHAINS];
};

void fw_walk_begin(struct fw_walk *w, bool policy_drop);
/* The next rule of the chain being read. `ours`: it carries our mark (counts in the base chain only). */
void fw_walk_rule(struct fw_walk *w, const struct fw_step *step, bool ours);
/* The chain being read ends. Which to read next (borrowed until the next call), or NULL: done. */
const char *fw_walk_next(struct fw_walk *w);

#endif
