/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FW_H
#define MODEL_FW_H
/* Firewall: our own nf_tables table, and foreign forward chains that drop our packets.
 *
 * Rules are kept to what iptables can also express (saddr, daddr, iifname, oifname, mark, counter,
 * comment): in a foreign chain anything else would not survive iptables-save | iptables-restore
 * (failures.md 4-E14).
 */

#include "base/text.h"
#include "model/ip.h"
#include "model/link.h"

#define FW_NAME_SIZE	32
#define FW_COMMENT_SIZE 48
#define FW_CHAINS_MAX	4
#define FW_RULES_MAX	8

enum fw_family {
	FW_IP,
	FW_IP6,
	FW_INET,
	FW__COUNT,
};

extern const char *const fw_family_names[FW__COUNT]; /* "ip" "ip6" "inet" */

enum fw_verdict {
	FW_CONTINUE,
	FW_ACCEPT,
	FW_DROP, /* also reject */
	FW_RETURN,
	FW_MASQUERADE,
	FW_VERDICT__COUNT,
};

extern const char *const fw_verdict_names[FW_VERDICT__COUNT]; /* "continue" "accept" … */

/* Matches are joined by "and"; unset fields match everything. */
struct fw_rule {
	struct cidr saddr, daddr;
	bool saddr_not, daddr_not;
	char iif[LINK_NAME_SIZE], oif[LINK_NAME_SIZE];
	uint32_t mark, mark_mask; /* (packet mark & mask) == mark; mask 0 = no match on it */
	bool counter;
	uint64_t n_packets; /* have only: what it has counted; no part of the comparison */
	bool fully_random;  /* masquerade only */
	bool opaque;	    /* have only: holds expressions that we do not write */
	enum fw_verdict verdict;
	char comment[FW_COMMENT_SIZE];
};

/* Every field; a rule that is opaque equals nothing. */
bool fw_rule_eq(const struct fw_rule *a, const struct fw_rule *b);
/* nft's words, without counter and comment: "saddr 10.244.0.0/16 daddr != 224.0.0.0/4 masquerade". */
void fw_rule_format(const struct fw_rule *r, struct text *t);

enum fw_hook {
	FW_HOOK_FORWARD,
	FW_HOOK_POSTROUTING,
	FW_HOOK_INPUT, /* own: of the guard alone */
	FW_HOOK_OTHER, /* have only */
	FW_HOOK__COUNT,
};

extern const char
	*const fw_hook_names[FW_HOOK__COUNT]; /* "forward" "postrouting" "input" "other" */

/* A base chain of our own table. */
struct fw_own_chain {
	char name[FW_NAME_SIZE];
	bool nat; /* type nat, else filter */
	enum fw_hook hook;
	int32_t priority;
	bool policy_drop;
	uint8_t n_rules;
	struct fw_rule rules[FW_RULES_MAX];
};

/* Our own table; key: family and name. Replaced as a whole, in one transaction. */
struct fw_table {
	enum fw_family family;
	char name[FW_NAME_SIZE];
	bool dormant; /* have only: somebody switched it off */
	bool extra;   /* have only: holds sets, chains or rules beyond what fits here */
	uint8_t n_chains;
	struct fw_own_chain chains[FW_CHAINS_MAX]; /* sorted by name */
};

bool fw_table_eq(const struct fw_table *a, const struct fw_table *b);
/* Do they differ in nothing but rules? Then the chains, and with them their hooks, can stay. */
bool fw_table_same_chains(const struct fw_table *a, const struct fw_table *b);
/* Appends what differs: "chain forward missing, postrouting rule 3 differs". Nothing if equal. */
void fw_table_why(const struct fw_table *want, const struct fw_table *have, struct text *t);

/* Who rules over a foreign chain. */
enum fw_owner {
	FW_OWNER_IPTABLES, /* iptables-nft's `ip[6] filter FORWARD`: we may insert accepts */
	FW_OWNER_NATIVE,   /* anything else: never touched, named in the status */
	FW_OWNER_FLANNEL,  /* a chain that flanneld made by iptables-nft, with the jumps to it */
	FW_OWNER_LEGACY,   /* such a chain, or FORWARD, of iptables-legacy: named, never touched */
	FW_OWNER__COUNT,
};

/* "iptables" "native" "flannel" "legacy" */
extern const char *const fw_owner_names[FW_OWNER__COUNT];

/* How the outer packets of the overlay come to this node: UDP to `port`, in by the uplink. */
struct fw_arrival {
	uint16_t port;	    /* 0 = there is no overlay, or not yet */
	struct ip local[2]; /* this node's addresses, IPv4 and IPv6; unset = none */
	char iif[LINK_NAME_SIZE];
};

bool fw_arrival_eq(const struct fw_arrival *a, const struct fw_arrival *b);

/* A foreign base chain at hook forward (also of iptables-legacy), or at hook input (have only: there it is about our outer
 * packets, and nothing of ours stands in it); key: family, table, chain. In `want` there is one per
 * family with FW_OWNER_IPTABLES: the accepts that must stand in front of the first blanket drop
 * (model/fw_walk.h), and are put right in front of it. core/fw.h says when a have satisfies it.
 * flannel's (fw_flannel_chain) are no base chains, and of them nothing else is known. */
struct fw_chain {
	enum fw_family family;
	char table[FW_NAME_SIZE], chain[FW_NAME_SIZE];
	enum fw_hook hook;
	enum fw_owner owner;
	bool ufw;	     /* UFW's chains are in this table */
	bool table_owned;    /* the table has an owner flag: nobody else may write */
	char owner_name[16]; /* comm of that owner, "" = unknown */
	int32_t priority;
	bool policy_drop;
	bool drops;		/* by policy or blanket drop */
	bool drops_before_ours; /* a blanket drop stands before the last of our accepts */
	uint16_t n_before;	/* foreign rules in front of the first of our accepts */
	uint8_t n_ours;		/* our accepts, in order (those with our comment) */
	bool ours_extra;	/* more than fit here, duplicates included */
	struct fw_rule ours[FW_RULES_MAX];
};

/* Every field. Whether a chain will do is core/fw.h's question, not this one. */
bool fw_chain_eq(const struct fw_chain *a, const struct fw_chain *b);

/* What flannel's firewall is called: a closed list. In iptables mode (flannel.md 7.1, 7.2) chains in
 * tables of everybody, each with a jump from one base chain; in nftables mode (7.4) a table a family. */
struct fw_flannel_chain {
	const char *table, *chain;
	const char *base; /* of the same table, where the jump stands */
	const char *comment;
	bool masquerades; /* else it accepts */
};

#define FW_FLANNEL_CHAINS 2
extern const struct fw_flannel_chain fw_flannel_chains[FW_FLANNEL_CHAINS];

/* NULL = not one of flannel's. */
const struct fw_flannel_chain *fw_flannel_chain(const char *table, const char *chain);
bool fw_is_flannel_table(enum fw_family family, const char *name);

/* The guard of the VXLAN port (core/guard.h): a peer's address in its set; all key. */
struct guard_peer {
	struct ip ip;
};

/* Its rule, in a table of ours beside the other one: packets to `port` that come from no address of
 * the set are dropped. Key: family. */
struct guard {
	enum fw_family family; /* FW_IP or FW_IP6 */
	uint16_t port;
	bool altered;	    /* have only: not as we write it */
	uint64_t n_dropped; /* have only: packets so far; no part of the comparison */
};

#endif
