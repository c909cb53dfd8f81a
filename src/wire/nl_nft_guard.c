/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft_guard.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "wire/nl_nft_match.h"

#define COMMENT_HEAD "loden guard "
#define COMMENT_TAIL " 1"

#define UDP_DPORT_OFFSET 2  /* RFC 768 */
#define IP_SADDR_OFFSET	 12 /* RFC 791 3.1 */
#define IP6_SADDR_OFFSET 8  /* RFC 8200 3 */

void nl_nft_guard_comment(uint16_t port, char ret_comment[FW_COMMENT_SIZE])
{
	snprintf(ret_comment, FW_COMMENT_SIZE, COMMENT_HEAD "%u" COMMENT_TAIL, port);
}

uint16_t nl_nft_guard_port(const char *comment)
{
	char mine[FW_COMMENT_SIZE];
	unsigned port = 0;

	if (strncmp(comment, COMMENT_HEAD, strlen(COMMENT_HEAD)) != 0)
		return 0;
	for (const char *c = comment + strlen(COMMENT_HEAD); *c >= '0' && *c <= '9'; c++)
		port = MIN(port * 10 + (unsigned)(*c - '0'), 65536u);
	if (port > UINT16_MAX)
		return 0;
	nl_nft_guard_comment((uint16_t)port, mine);
	return strcmp(comment, mine) == 0 ? (uint16_t)port : 0;
}

static void put_payload(struct nl_buf *b, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "payload");

	nl_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_PAYLOAD_BASE, base);
	nl_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
	nl_put_be32(b, NFTA_PAYLOAD_LEN, len);
	nl_nft_expr_end(b, e);
}

static void put_equals(struct nl_buf *b, const void *value, size_t n)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "cmp");
	size_t data;

	nl_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_CMP_OP, NFT_CMP_EQ);
	data = nl_nest(b, NFTA_CMP_DATA);
	nl_put(b, NFTA_DATA_VALUE, value, n);
	nl_nest_end(b, data);
	nl_nft_expr_end(b, e);
}

static void put_is_udp(struct nl_buf *b)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "meta");
	const uint8_t udp = IPPROTO_UDP;

	nl_put_be32(b, NFTA_META_KEY, NFT_META_L4PROTO);
	nl_put_be32(b, NFTA_META_DREG, NFT_REG_1);
	nl_nft_expr_end(b, e);
	put_equals(b, &udp, sizeof(udp));
}

static void put_not_in_set(struct nl_buf *b)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "lookup");

	nl_put_str(b, NFTA_LOOKUP_SET, NL_NFT_GUARD_SET);
	nl_put_be32(b, NFTA_LOOKUP_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	nl_nft_expr_end(b, e);
}

void nl_nft_guard_put_rule(struct nl_buf *b, enum fw_family family, uint16_t port)
{
	const uint8_t port_be[2] = {(uint8_t)(port >> 8), (uint8_t)port};
	size_t nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);
	struct nl_nft_expr e;

	put_is_udp(b);
	put_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, UDP_DPORT_OFFSET, sizeof(port_be));
	put_equals(b, port_be, sizeof(port_be));
	if (family == FW_IP6)
		put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, IP6_SADDR_OFFSET, 16);
	else
		put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, IP_SADDR_OFFSET, 4);
	put_not_in_set(b);
	e = nl_nft_expr_begin(b, "counter");
	nl_nft_expr_end(b, e);
	nl_nft_expr_put_verdict(b, NF_DROP, NULL);
	nl_nest_end(b, nest);
}

void nl_nft_guard_put_peer(struct nl_buf *b, const struct ip *peer)
{
	size_t elem = nl_nest(b, NFTA_LIST_ELEM), key = nl_nest(b, NFTA_SET_ELEM_KEY);

	nl_put_ip(b, NFTA_DATA_VALUE, peer);
	nl_nest_end(b, key);
	nl_nest_end(b, elem);
}

bool nl_nft_guard_next_peer(struct nl_bytes *rest, struct ip *ret)
{
	struct nl_attr elem, key, value;

	while (nl_attr_next(rest, &elem)) {
		if (!nl_attr_find(elem.value, NFTA_SET_ELEM_KEY, &key) ||
		    !nl_attr_find(key.value, NFTA_DATA_VALUE, &value))
			continue;
		*ret = nl_get_ip(&value);
		if (ip_is_set(ret))
			return true;
	}
	return false;
}
