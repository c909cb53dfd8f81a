/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_NFT_MATCH_H
#define WIRE_NL_NFT_MATCH_H
/* The conditions of an nf_tables rule ↔ those of struct fw_rule. Part of wire/nl_nft_rule.
 *
 * A condition is two or three expressions: load a field into a register, mask it, compare. We write:
 *
 *	source, destination	payload (the whole address), bitwise unless a single host, cmp
 *	interfaces		meta iifname/oifname, cmp of all 16 bytes
 *	mark			meta mark, bitwise unless all bits, cmp
 *	inet tables		first meta nfproto, cmp: whose addresses follow
 *
 * The whole address, though nft and iptables load only the bytes that a /8, /16 or /24 needs:
 * iptables-nft before 1.8.7 reads such a short load as a single host. Read are both.
 */

#include "model/fw_walk.h"
#include "wire/nl.h"

/* One expression being written, in NFTA_RULE_EXPRESSIONS. */
struct nl_nft_expr {
	size_t elem, data;
};

struct nl_nft_expr nl_nft_expr_begin(struct nl_buf *b, const char *name);
void nl_nft_expr_end(struct nl_buf *b, struct nl_nft_expr e);

/* A whole one: what becomes of the packet, NF_… or NFT_…; `chain` is NULL, or where it jumps. */
void nl_nft_expr_put_verdict(struct nl_buf *b, int32_t code, const char *chain);

/* All conditions of `rule`. Addresses must be of the table's family, and of one family in inet. */
void nl_nft_match_put(struct nl_buf *b, enum fw_family family, const struct fw_rule *rule);

#define NL_NFT_FIELD_MAX 16 /* bytes of the longest field that we compare */

enum nl_nft_field {
	NL_NFT_FIELD_NONE, /* nothing that we know */
	NL_NFT_FIELD_SADDR,
	NL_NFT_FIELD_DADDR,
	NL_NFT_FIELD_IIF,
	NL_NFT_FIELD_OIF,
	NL_NFT_FIELD_LINK, /* interfaces by something else than their name */
	NL_NFT_FIELD_MARK,
	NL_NFT_FIELD_NFPROTO,
	NL_NFT_FIELD_L4PROTO,
	NL_NFT_FIELD_DPORT,
	NL_NFT_FIELD__COUNT,
};

extern const char *const nl_nft_field_names[NL_NFT_FIELD__COUNT];

/* A rule being read, expression by expression: what the register holds. */
struct nl_nft_match {
	enum fw_family table;	 /* of the table */
	enum fw_family packet;	 /* of the packets that come here; FW_INET = either */
	enum nl_nft_field field; /* in the register */
	uint32_t len;		 /* its bytes */
	enum fw_scope scope;	 /* what the conditions read so far leave */
	bool vague;		 /* one of them is kept nowhere; see struct fw_step */
	bool udp;
	uint16_t port;
	bool masked;
	uint8_t mask[NL_NFT_FIELD_MAX];
};

void nl_nft_match_init(struct nl_nft_match *m, enum fw_family family);
/* Each takes NFTA_EXPR_DATA of the expression it is named for. False: says something that struct
 * fw_rule has no member for. */
bool nl_nft_match_payload(struct nl_nft_match *m, struct nl_bytes attrs);
bool nl_nft_match_meta(struct nl_nft_match *m, struct nl_bytes attrs);
bool nl_nft_match_bitwise(struct nl_nft_match *m, struct nl_bytes attrs);
bool nl_nft_match_cmp(struct nl_nft_match *m, struct nl_bytes attrs, struct fw_rule *rule);
/* An xt match on kinds of addresses: `info` is a struct xt_addrtype_info_v1. */
void nl_nft_match_xt_addrtype(struct nl_nft_match *m, struct nl_bytes info);
/* An xt match on UDP ports: `info` is a struct xt_udp. */
void nl_nft_match_xt_udp(struct nl_nft_match *m, struct nl_bytes info);
/* Any other expression: the register is not to be relied on. */
void nl_nft_match_forget(struct nl_nft_match *m);
/* Any other condition. */
void nl_nft_match_narrow(struct nl_nft_match *m);
/* After the last condition: false if one on the family stands alone. */
bool nl_nft_match_complete(struct nl_nft_match *m, const struct fw_rule *rule);

#endif
