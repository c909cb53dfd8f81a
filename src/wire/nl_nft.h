/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_NFT_H
#define WIRE_NL_NFT_H
/* nf_tables messages (nfnetlink subsystem 10): what the agent asks, what it changes, what it hears.
 *
 * A change is a batch: begin, requests, end, in one send; the kernel runs all of it or nothing, and
 * packets see the old rules or the new ones, nothing between. Each committed batch starts a new
 * generation of the rule set of the network namespace: same generation, same rules. A batch may name
 * the generation that it was made for, and is refused (ERESTART) if that is past.
 *
 * Numbers are big-endian here, unlike in rtnetlink (linux/netfilter/nf_tables.h).
 */

#include "model/plan.h"
#include "wire/nl_nft_rule.h"

#define NL_NFT_NAME_SIZE 256 /* NFT_NAME_MAXLEN, terminator included */

/* ---- asking ---- */

/* All return false if the request does not fit into the buffer. */
bool nl_nft_get_gen(struct nl_buf *b, uint32_t seq);
bool nl_nft_get_tables(struct nl_buf *b, uint32_t seq);
bool nl_nft_get_chains(struct nl_buf *b, uint32_t seq);
/* Rules of a table, of one chain unless `chain` is NULL. Old kernels ignore both names. */
bool nl_nft_get_rules(struct nl_buf *b, uint32_t seq, enum fw_family family, const char *table,
		      const char *chain);

/* ---- changing: each writes one whole batch ---- */

/* Every message of a batch has the same seq. The first request asks for an acknowledgement (that of
 * the end comes only since Linux 6.10); each that fails is answered, too. Of an empty batch nothing
 * is heard. */

/* `t` instead of what is there, if anything is. */
bool nl_nft_put_table(struct nl_buf *b, uint32_t seq, const struct fw_table *t);
/* Other rules in the chains of `t`, which are there already. Making a chain anew unhooks it, and where
 * it was the only one of its hook that takes the kernel milliseconds (a static key is patched). */
bool nl_nft_put_rules(struct nl_buf *b, uint32_t seq, const struct fw_table *t);
bool nl_nft_del_table(struct nl_buf *b, uint32_t seq, const struct fw_table *t);

/* Rules by handle out of a foreign chain, `n_ours` others into it, in their order. */
struct nl_nft_splice {
	enum fw_family family;
	const char *table, *chain; /* borrowed */
	uint32_t generation;	   /* at which the handles were read */
	const uint64_t *handles;   /* to delete */
	size_t n_handles;
	uint64_t before; /* the rule that ours go in front of; 0 = to the end */
	const struct fw_rule *ours;
	size_t n_ours;
};

bool nl_nft_put_splice(struct nl_buf *b, uint32_t seq, const struct nl_nft_splice *s);

/* A chain out of a table that others have rules in, with the jumps to it. */
struct nl_nft_removal {
	enum fw_family family;
	const char *table, *chain; /* borrowed */
	uint32_t generation;	   /* at which the handles were read */
	const char *base;	   /* where the jumps stand */
	const uint64_t *handles;   /* of the jumps */
	size_t n_handles;
};

bool nl_nft_del_chain(struct nl_buf *b, uint32_t seq, const struct nl_nft_removal *r);

/* ---- the guard of the VXLAN port (core/guard.h) ---- */

/* Elements of the guard's set. Of a table or set that is not there: an error. */
bool nl_nft_get_peers(struct nl_buf *b, uint32_t seq, enum fw_family family, const char *table);
/* n ops on OBJECT_GUARD_PEER, of one verb (OP_ADD or OP_DEL) and family; adding makes table and set. */
bool nl_nft_put_peers(struct nl_buf *b, uint32_t seq, const char *table, const struct op *ops,
		      size_t n);
/* The rule; `again`: there is a chain already, which is made anew. */
bool nl_nft_put_guard(struct nl_buf *b, uint32_t seq, const char *table, const struct guard *g,
		      bool again);
/* The table and set alone, switched on if somebody switched them off: not in one transaction with
 * changes of its chains (EINVAL). */
bool nl_nft_wake_guard(struct nl_buf *b, uint32_t seq, const char *table, enum fw_family family);
/* With all that belongs to it. */
bool nl_nft_del_guard(struct nl_buf *b, uint32_t seq, const char *table, enum fw_family family);

#define NL_NFT_GUARD_PRIORITY (-10) /* in front of filters (0), behind connection tracking (-200) */

/* ---- hearing ---- */

enum nl_nft_type {
	NL_NFT_TABLE,
	NL_NFT_CHAIN,
	NL_NFT_RULE,
	NL_NFT_GEN,
	NL_NFT_ELEMENTS,
	NL_NFT_OTHER, /* not ours to read, or of another family than ip, ip6, inet */
	NL_NFT__COUNT,
};

extern const char *const nl_nft_type_names[NL_NFT__COUNT];

struct nl_nft_table {
	enum fw_family family;
	bool dormant;
	bool owned;	     /* only the owner's socket may change it */
	uint32_t owner_port; /* netlink port of that socket, in the simple case its pid */
	uint32_t use;	     /* chains, sets, objects and flowtables inside */
	char name[NL_NFT_NAME_SIZE];
};

struct nl_nft_chain {
	enum fw_family family;
	bool base, nat, policy_drop;
	enum fw_hook hook; /* of base chains */
	int32_t priority;
	char table[NL_NFT_NAME_SIZE], name[NL_NFT_NAME_SIZE];
};

struct nl_nft_rule {
	enum fw_family family;
	uint64_t handle;
	struct fw_rule rule;
	struct fw_step step;
	char table[NL_NFT_NAME_SIZE], chain[NL_NFT_NAME_SIZE];
};

struct nl_nft_gen {
	uint32_t id;
	uint32_t pid;  /* who made it; 0 in answers, and where the kernel does not say */
	char comm[16]; /* TASK_COMM_LEN; not to be trusted, as any process name */
};

/* Elements of a set: nl_nft_guard_next_peer() walks them. */
struct nl_nft_elements {
	enum fw_family family;
	struct nl_bytes list; /* borrowed from the message */
};

struct nl_nft {
	enum nl_nft_type type;

	union {
		struct nl_nft_table table;
		struct nl_nft_chain chain;
		struct nl_nft_rule rule;
		struct nl_nft_gen gen;
		struct nl_nft_elements elements;
	};
};

/* Reads NEWTABLE, NEWCHAIN, NEWRULE, NEWSETELEM and NEWGEN; all else is NL_NFT_OTHER. False: an nf_tables message
 * that is damaged. */
bool nl_nft_decode(const struct nl_msg *m, struct nl_nft *ret);

#endif
