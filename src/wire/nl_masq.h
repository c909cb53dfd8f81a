/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_MASQ_H
#define WIRE_NL_MASQ_H
/* The nf_tables table in which bridge plugins masquerade pods: inet cni_plugins_masquerade.
 *
 *	chain masq_checks { one rule per address: ip saddr A ip daddr != NET masquerade comment "…" }
 *	chain postrouting { type nat hook postrouting priority srcnat
 *			    ip daddr 224.0.0.0/4 return; ip6 daddr ff00::/8 return; goto masq_checks }
 *
 * Names, rules and comments are those of the reference plugins' nftables backend (cni.md 2.1.6), which
 * shares the table with ours. Comments lie in the rules' user data.
 */

#include "wire/nl_nft.h"

#define NL_MASQ_TABLE	     "cni_plugins_masquerade"
#define NL_MASQ_CHAIN	     "masq_checks"
#define NL_MASQ_POSTROUTING  "postrouting"
#define NL_MASQ_COMMENT_SIZE 129

/* A rule of the table. */
struct nl_masq_rule {
	uint64_t handle;
	char chain[NL_NFT_NAME_SIZE], comment[NL_MASQ_COMMENT_SIZE]; /* "" = none */
};

/* Asks for all rules of the table; -ENOENT, or nothing, if there is none. */
bool nl_masq_get(struct nl_buf *b, uint32_t seq);
/* NL_MASQ_OTHER: not a rule of the table. -EBADMSG. */
#define NL_MASQ_OTHER 1
int nl_masq_decode(const struct nl_msg *m, struct nl_masq_rule *ret);

/* One batch: table and chains if `with_table`, rules out by handle, and one in for each address. */
struct nl_masq_change {
	bool with_table;
	const uint64_t *gone;
	size_t n_gone;
	const struct cidr *addrs; /* host bits kept: address and its subnet */
	size_t n_addrs;
	const char *comment;
};

/* Every message has the same seq; the first asks for an acknowledgement. */
bool nl_masq_put(struct nl_buf *b, uint32_t seq, const struct nl_masq_change *c);

#endif
