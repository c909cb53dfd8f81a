/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_NFT_RULE_H
#define WIRE_NL_NFT_RULE_H
/* What is inside an nf_tables rule: expressions ↔ struct fw_rule.
 *
 * An nf_tables rule is a small program (linux/netfilter/nf_tables.h). We write few forms, those that
 * nft and iptables-nft both read back as what they mean: conditions (wire/nl_nft_match.h), counter,
 * then a verdict or masquerade; the comment lies in the rule's user data. Comments as iptables writes
 * them, the xt match "comment", are read as well: our rules are still ours, and equal, after
 * iptables-save | iptables-restore.
 *
 * Of everybody else's rules one thing matters: what it may do to a packet (model/fw_walk.h).
 */

#include "model/fw.h"
#include "model/fw_walk.h"
#include "wire/nl.h"

/* Appends NFTA_RULE_EXPRESSIONS and NFTA_RULE_USERDATA to the message being built.
 * Addresses must be of the table's family, and of one family in inet. Not for opaque rules. */
void nl_nft_rule_put(struct nl_buf *b, enum fw_family family, const struct fw_rule *rule);

/* Appends NFTA_RULE_USERDATA with a comment. */
void nl_nft_rule_put_comment(struct nl_buf *b, const char *comment);

/* Reads what NFTA_RULE_EXPRESSIONS and NFTA_RULE_USERDATA hold (either may be empty). Whatever
 * struct fw_rule has no member for makes ret_rule opaque; what we do not know is a condition. */
void nl_nft_rule_get(enum fw_family family, struct nl_bytes expressions, struct nl_bytes userdata,
		     struct fw_rule *ret_rule, struct fw_step *ret_step);

#endif
