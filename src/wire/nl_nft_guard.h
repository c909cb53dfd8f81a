/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_NFT_GUARD_H
#define WIRE_NL_NFT_GUARD_H
/* The guard's rule and its set's elements in nf_tables messages (core/guard.h). Part of wire/nl_nft.
 *
 * The rule, in a chain at hook input:
 *	udp dport <port> ip saddr != @peers counter drop comment "loden guard <port> 1"
 * Rules cannot be changed, only replaced, so one with this comment is ours as we wrote it. The number at
 * its end is raised whenever we write the rule in another way.
 */

#include "model/fw.h"
#include "wire/nl.h"

#define NL_NFT_GUARD_SET   "peers"
#define NL_NFT_GUARD_CHAIN "input"

void nl_nft_guard_comment(uint16_t port, char ret_comment[FW_COMMENT_SIZE]);
/* NFTA_RULE_EXPRESSIONS alone. */
void nl_nft_guard_put_rule(struct nl_buf *b, enum fw_family family, uint16_t port);
/* The port, if `comment` is that of such a rule; else 0. */
uint16_t nl_nft_guard_port(const char *comment);

/* One element of NFTA_SET_ELEM_LIST_ELEMENTS. */
void nl_nft_guard_put_peer(struct nl_buf *b, const struct ip *peer);
/* The next element that is an address; false at the end. `rest` begins as the value of that attribute. */
bool nl_nft_guard_next_peer(struct nl_bytes *rest, struct ip *ret);

#endif
