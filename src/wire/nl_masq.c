/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_masq.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "wire/nl_nft_match.h"

#define PRIORITY_SRCNAT 100
#define UDATA_COMMENT	0 /* libnftnl: NFTNL_UDATA_{TABLE,CHAIN,RULE}_COMMENT */

#define TABLE_COMMENT "Masquerading for plugins from github.com/containernetworking/plugins"
#define CHAIN_COMMENT \
 "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"

/* ---- reading ---- */

bool nl_masq_get(struct nl_buf *b, uint32_t seq)
{
	return nl_nft_get_rules(b, seq, FW_INET, NL_MASQ_TABLE, NULL);
}

struct raw_rule {
	struct nl_masq_rule rule;
	char table[NL_NFT_NAME_SIZE];
	struct nl_bytes userdata;
};

static const struct nl_field rule_fields[] = {
	NL_FIELD(NFTA_RULE_TABLE, NL_STR, raw_rule, table),
	NL_FIELD(NFTA_RULE_CHAIN, NL_STR, raw_rule, rule.chain),
	NL_FIELD(NFTA_RULE_HANDLE, NL_BE64, raw_rule, rule.handle),
	NL_FIELD(NFTA_RULE_USERDATA, NL_NEST, raw_rule, userdata),
};

static void read_comment(struct nl_bytes tlv, char ret[NL_MASQ_COMMENT_SIZE])
{
	while (tlv.n >= 2 && tlv.n - 2 >= tlv.p[1]) {
		const struct nl_attr a = {.type = tlv.p[0], .value = {tlv.p + 2, tlv.p[1]}};

		if (a.type == UDATA_COMMENT)
			nl_get_str(&a, ret, NL_MASQ_COMMENT_SIZE);
		tlv.p += 2 + a.value.n;
		tlv.n -= 2 + a.value.n;
	}
}

int nl_masq_decode(const struct nl_msg *m, struct nl_masq_rule *ret)
{
	struct raw_rule raw = {0};
	struct nfgenmsg head;
	struct nl_bytes attrs;

	if (m->type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		return NL_MASQ_OTHER;
	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(rule_fields, ARRAY_SIZE(rule_fields), attrs, &raw))
		return -EBADMSG;
	if (head.nfgen_family != NFPROTO_INET || strcmp(raw.table, NL_MASQ_TABLE) != 0)
		return NL_MASQ_OTHER;
	read_comment(raw.userdata, raw.rule.comment);
	*ret = raw.rule;
	return 0;
}

/* ---- writing ---- */

struct batch {
	struct nl_buf *b;
	uint32_t seq;
	uint16_t ack; /* flag of the next request: only the first asks */
	bool fits;
};

static void edge(struct batch *t, uint16_t type)
{
	struct nfgenmsg h = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0};
	const uint8_t be[2] = {0, NFNL_SUBSYS_NFTABLES};

	memcpy(&h.res_id, be, sizeof(be));
	nl_begin(t->b, type, NLM_F_REQUEST, t->seq, &h, sizeof(h));
	t->fits &= nl_end(t->b);
}

static void begin(struct batch *t, unsigned type, uint16_t flags)
{
	const struct nfgenmsg h = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	nl_begin(t->b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
		 (uint16_t)(NLM_F_REQUEST | flags | t->ack), t->seq, &h, sizeof(h));
	t->ack = 0;
}

static void put_comment(struct nl_buf *b, uint16_t type, const char *comment)
{
	uint8_t tlv[2 + NL_MASQ_COMMENT_SIZE];
	size_t n = strlen(comment) + 1;

	assert(n <= NL_MASQ_COMMENT_SIZE);
	tlv[0] = UDATA_COMMENT;
	tlv[1] = (uint8_t)n;
	memcpy(tlv + 2, comment, n);
	nl_put(b, type, tlv, 2 + n);
}

static void begin_rule(struct batch *t, unsigned type, uint16_t flags, const char *chain)
{
	begin(t, type, flags);
	nl_put_str(t->b, NFTA_RULE_TABLE, NL_MASQ_TABLE);
	nl_put_str(t->b, NFTA_RULE_CHAIN, chain);
}

static void put_postrouting_rule(struct batch *t, const struct fw_rule *match, int32_t verdict,
				 const char *chain)
{
	size_t nest;

	begin_rule(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NL_MASQ_POSTROUTING);
	nest = nl_nest(t->b, NFTA_RULE_EXPRESSIONS);
	nl_nft_match_put(t->b, FW_INET, match);
	nl_nft_expr_put_verdict(t->b, verdict, chain);
	nl_nest_end(t->b, nest);
	t->fits &= nl_end(t->b);
}

/* Table and chains as they should be, whatever is there of them. */
static void put_table(struct batch *t)
{
	struct fw_rule multicast = {0}, multicast6 = {0}, any = {0};
	size_t hook;

	begin(t, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nl_put_str(t->b, NFTA_TABLE_NAME, NL_MASQ_TABLE);
	put_comment(t->b, NFTA_TABLE_USERDATA, TABLE_COMMENT);
	t->fits &= nl_end(t->b);

	begin(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nl_put_str(t->b, NFTA_CHAIN_TABLE, NL_MASQ_TABLE);
	nl_put_str(t->b, NFTA_CHAIN_NAME, NL_MASQ_CHAIN);
	put_comment(t->b, NFTA_CHAIN_USERDATA, CHAIN_COMMENT);
	t->fits &= nl_end(t->b);

	begin(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nl_put_str(t->b, NFTA_CHAIN_TABLE, NL_MASQ_TABLE);
	nl_put_str(t->b, NFTA_CHAIN_NAME, NL_MASQ_POSTROUTING);
	hook = nl_nest(t->b, NFTA_CHAIN_HOOK);
	nl_put_be32(t->b, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	nl_put_be32(t->b, NFTA_HOOK_PRIORITY, PRIORITY_SRCNAT);
	nl_nest_end(t->b, hook);
	nl_put_str(t->b, NFTA_CHAIN_TYPE, "nat");
	t->fits &= nl_end(t->b);

	/* Without a handle: all rules of the chain. */
	begin_rule(t, NFT_MSG_DELRULE, 0, NL_MASQ_POSTROUTING);
	t->fits &= nl_end(t->b);
	cidr_parse("224.0.0.0/4", &multicast.daddr);
	cidr_parse("ff00::/8", &multicast6.daddr);
	put_postrouting_rule(t, &multicast, NFT_RETURN, NULL);
	put_postrouting_rule(t, &multicast6, NFT_RETURN, NULL);
	put_postrouting_rule(t, &any, NFT_GOTO, NL_MASQ_CHAIN);
}

static void put_masquerade(struct batch *t, const struct cidr *addr, const char *comment)
{
	const struct fw_rule match = {
		.saddr = cidr_host(&addr->ip),
		.daddr = cidr_masked(addr),
		.daddr_not = true,
	};
	size_t nest;

	begin_rule(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NL_MASQ_CHAIN);
	nest = nl_nest(t->b, NFTA_RULE_EXPRESSIONS);
	nl_nft_match_put(t->b, FW_INET, &match);
	nl_nft_expr_end(t->b, nl_nft_expr_begin(t->b, "masq"));
	nl_nest_end(t->b, nest);
	put_comment(t->b, NFTA_RULE_USERDATA, comment);
	t->fits &= nl_end(t->b);
}

bool nl_masq_put(struct nl_buf *b, uint32_t seq, const struct nl_masq_change *c)
{
	struct batch t = {.b = b, .seq = seq, .ack = NLM_F_ACK, .fits = true};
	const size_t start = b->len;

	edge(&t, NFNL_MSG_BATCH_BEGIN);
	if (c->with_table)
		put_table(&t);
	for (size_t i = 0; i < c->n_gone; i++) {
		begin_rule(&t, NFT_MSG_DELRULE, 0, NL_MASQ_CHAIN);
		nl_put_be64(b, NFTA_RULE_HANDLE, c->gone[i]);
		t.fits &= nl_end(b);
	}
	for (size_t i = 0; i < c->n_addrs; i++)
		put_masquerade(&t, &c->addrs[i], c->comment);
	edge(&t, NFNL_MSG_BATCH_END);
	if (!t.fits)
		b->len = start;
	return t.fits;
}
