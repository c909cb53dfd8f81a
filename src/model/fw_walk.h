/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FW_WALK_H
#define MODEL_FW_WALK_H
/* Does a foreign base chain drop what nobody speaks about, and by which rule first?
 *
 * Two kinds of drops are told apart. Those that pick somebody out (a pod, a mark, a state, a set) are
 * policy: they are meant, and nothing of ours may stand in front of them. Those that drop the rest
 * are blanket drops: they say nothing about our network, and our accepts belong in front of the first.
 *
 * So the walk follows the one packet that no condition catches: a packet inside the cluster network,
 * through unconditional rules and the chains they jump to. In the base chain, conditions on interfaces
 * alone and on addresses that leave all of the cluster network in count as none if the rule drops.
 * What is not understood goes on. If the packet is dropped, the rule of the base chain that did or
 * led to it is the first blanket drop; at the chain's end it is the policy.
 *
 * At hook input the packet is another: an outer packet of the overlay, from a peer that we do not know
 * here. So a rule's source counts as matching if our own address would (peers are our neighbours), or if
 * the rule names our port: whoever does that has thought of us.
 *
 * The walk is fed, one chain at a time: first the rules of the base chain, then those of each chain
 * that fw_walk_next() names, until it names none. Each is read once; loops do not matter.
 */

#include "model/fw.h"

#define FW_WALK_NAME_SIZE    256 /* NFT_NAME_MAXLEN */
/* Unconditional jumps, and chains that they lead to. Those beyond are taken as going on: rather a
 * drop not seen than an accept in front of a policy. */
#define LIMIT_FW_WALK_CHAINS 128
#define LIMIT_FW_WALK_JUMPS  512

/* What a rule does with a packet that it matches. */
enum fw_effect {
	FW_EFFECT_NONE, /* counts, logs, marks, queues, or we do not know: the next rule follows */
	FW_EFFECT_ACCEPT,
	FW_EFFECT_DROP, /* also reject */
	FW_EFFECT_RETURN,
	FW_EFFECT_JUMP,
	FW_EFFECT_GOTO,
	FW_EFFECT__COUNT,
};

extern const char *const fw_effect_names[FW_EFFECT__COUNT];

/* Which packets of those that come to it a rule matches. */
enum fw_scope {
	FW_SCOPE_ALL,
	FW_SCOPE_PLACE, /* by interface, and by the addresses in its struct fw_rule */
	FW_SCOPE_SOME,	/* by anything else, too */
	FW_SCOPE__COUNT,
};

extern const char *const fw_scope_names[FW_SCOPE__COUNT];

struct fw_step {
	enum fw_effect effect;
	enum fw_scope scope;
	/* Its conditions are the interfaces and addresses in its struct fw_rule, that the packet is for
	 * this node, and these; no others. */
	bool exact;
	bool udp;
	uint16_t port;		       /* destination; 0 = any */
	char chain[FW_WALK_NAME_SIZE]; /* of jump and goto */
};

/* A rule as it is fed. */
struct fw_walk_rule {
	const struct fw_rule *rule; /* its addresses count */
	const struct fw_step *step;
	uint64_t handle;
	bool ours; /* carries our mark; counts in the base chain only */
};

/* What becomes of the packet in a chain. */
enum fw_fate {
	FW_FATE_PASSES, /* comes back, or to the policy */
	FW_FATE_ACCEPTED,
	FW_FATE_DROPPED,
	FW_FATE__COUNT,
};

/* The rule where something happens to the packet. */
struct fw_walk_point {
	uint64_t handle; /* 0 = the chain's end */
	uint16_t n_ours; /* of our accepts in front of it */
};

struct fw_walk {
	/* The answer, once fw_walk_next() returned NULL; see struct fw_chain. */
	bool drops, drops_before_ours;
	uint16_t n_before;
	uint64_t drop_handle; /* of the first blanket drop; 0 = none, or only the policy */

	/* Inside. */
	struct cidr networks[2];
	struct fw_arrival arrival; /* at hook input, else port 0 */
	bool policy_drop;
	uint16_t n_ours;
	size_t n_chains, reading, n_jumps;

	struct {
		uint8_t to;
		struct fw_walk_point at;
	} jumps[LIMIT_FW_WALK_JUMPS];

	/* The first is the base chain. */
	struct {
		bool ended, judged;
		enum fw_fate fate; /* behind the jumps; once judged, of the whole chain */
		struct fw_walk_point end;
		size_t first_jump, n_jumps;
		char name[FW_WALK_NAME_SIZE];
	} chains[LIMIT_FW_WALK_CHAINS];
};

/* `networks`: of the cluster, unset ones = none of that family. */
void fw_walk_begin(struct fw_walk *w, bool policy_drop, const struct cidr networks[2]);
/* As fw_walk_begin(), for a base chain at hook input. */
void fw_walk_begin_input(struct fw_walk *w, bool policy_drop, const struct fw_arrival *arrival);
/* The next rule of the chain being read. */
void fw_walk_rule(struct fw_walk *w, const struct fw_walk_rule *rule);
/* The chain being read ends. Which to read next (borrowed until the walk ends), or NULL: done. */
const char *fw_walk_next(struct fw_walk *w);

#endif
