/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft_rule.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

#include "wire/nl_nft_match.h"

/* User data of rules: type, length, value; as libnftnl defines it (udata.h). */
#define UDATA_COMMENT 0

/* ---- writing ---- */

static void put_outcome(struct nl_buf *b, const struct fw_rule *rule)
{
	struct nl_nft_expr e;

	switch (rule->verdict) {
	case FW_CONTINUE:
		return;
	case FW_ACCEPT:
		nl_nft_expr_put_verdict(b, NF_ACCEPT, NULL);
		return;
	case FW_DROP:
		nl_nft_expr_put_verdict(b, NF_DROP, NULL);
		return;
	case FW_RETURN:
		nl_nft_expr_put_verdict(b, NFT_RETURN, NULL);
		return;
	case FW_MASQUERADE:
		e = nl_nft_expr_begin(b, "masq");
		if (rule->fully_random)
			nl_put_be32(b, NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
		nl_nft_expr_end(b, e);
		return;
	case FW_VERDICT__COUNT:
		break;
	}
	assert(!"verdict");
}

void nl_nft_rule_put_comment(struct nl_buf *b, const char *comment)
{
	uint8_t tlv[2 + FW_COMMENT_SIZE];
	size_t n = strlen(comment) + 1;

	tlv[0] = UDATA_COMMENT;
	tlv[1] = (uint8_t)n;
	memcpy(tlv + 2, comment, n);
	nl_put(b, NFTA_RULE_USERDATA, tlv, 2 + n);
}

void nl_nft_rule_put(struct nl_buf *b, enum fw_family family, const struct fw_rule *rule)
{
	size_t nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);
	struct nl_nft_expr e;

	assert(!rule->opaque);
	nl_nft_match_put(b, family, rule);
	if (rule->counter) {
		e = nl_nft_expr_begin(b, "counter");
		nl_nft_expr_end(b, e);
	}
	put_outcome(b, rule);
	nl_nest_end(b, nest);
	if (rule->comment[0])
		nl_nft_rule_put_comment(b, rule->comment);
}

/* ---- reading ---- */

struct reader {
	struct nl_nft_match match;
	struct fw_rule *rule;
	struct fw_step *step;
	bool ended; /* a verdict was given */
};

/* All attributes of the expressions that we take apart; each uses some. */
struct expr {
	uint32_t dreg, flags;
	struct nl_bytes data;
	bool more; /* an attribute that says more than we understand */
	char name[32];
};

static void read_payload(struct reader *r, struct nl_bytes attrs)
{
	r->rule->opaque |= !nl_nft_match_payload(&r->match, attrs);
}

static void read_meta(struct reader *r, struct nl_bytes attrs)
{
	r->rule->opaque |= !nl_nft_match_meta(&r->match, attrs);
}

static void read_bitwise(struct reader *r, struct nl_bytes attrs)
{
	r->rule->opaque |= !nl_nft_match_bitwise(&r->match, attrs);
}

static void read_cmp(struct reader *r, struct nl_bytes attrs)
{
	r->rule->opaque |= !nl_nft_match_cmp(&r->match, attrs, r->rule);
}

static void read_counter(struct reader *r, struct nl_bytes attrs)
{
	struct nl_attr packets;

	if (nl_attr_find(attrs, NFTA_COUNTER_PACKETS, &packets))
		r->rule->n_packets = nl_get_be64(&packets);
	r->rule->opaque |= r->rule->counter;
	r->rule->counter = true;
}

static void set_effect(struct reader *r, enum fw_effect effect)
{
	if (r->ended)
		return;
	r->rule->opaque |= !nl_nft_match_complete(&r->match, r->rule);
	r->step->effect = effect;
	r->step->scope = r->match.scope;
	r->step->exact = !r->match.vague;
	r->step->udp = r->match.udp;
	r->step->port = r->match.port;
	r->ended = true;
}

static void read_reject(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs;
	r->rule->opaque = true;
	set_effect(r, FW_EFFECT_DROP);
}

/* What becomes of the packet is decided elsewhere. */
static void read_elsewhere(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs;
	r->rule->opaque = true;
	set_effect(r, FW_EFFECT_NONE);
}

static void read_jump(struct reader *r, struct nl_bytes verdict, enum fw_effect effect)
{
	struct nl_attr a;

	r->rule->opaque = true;
	if (nl_attr_find(verdict, NFTA_VERDICT_CHAIN, &a) &&
	    nl_get_str(&a, r->step->chain, sizeof(r->step->chain)))
		set_effect(r, effect);
	else
		set_effect(r, FW_EFFECT_NONE);
}

static void read_verdict(struct reader *r, struct nl_bytes verdict)
{
	struct nl_attr a;
	int32_t code = NFT_CONTINUE;

	if (nl_attr_find(verdict, NFTA_VERDICT_CODE, &a))
		code = (int32_t)nl_get_be32(&a);
	r->rule->opaque |= r->ended;
	switch (code) {
	case NF_ACCEPT:
		r->rule->verdict = FW_ACCEPT;
		set_effect(r, FW_EFFECT_ACCEPT);
		return;
	case NF_DROP:
		r->rule->verdict = FW_DROP;
		set_effect(r, FW_EFFECT_DROP);
		return;
	case NFT_RETURN:
		r->rule->verdict = FW_RETURN;
		set_effect(r, FW_EFFECT_RETURN);
		return;
	case NFT_JUMP:
		read_jump(r, verdict, FW_EFFECT_JUMP);
		return;
	case NFT_GOTO:
		read_jump(r, verdict, FW_EFFECT_GOTO);
		return;
	case NFT_CONTINUE:
		r->rule->opaque = true;
		return;
	default:
		read_elsewhere(r, verdict);
		return;
	}
}

static void read_immediate(struct reader *r, struct nl_bytes attrs)
{
	struct nl_attr data, verdict;

	if (nl_attr_find(attrs, NFTA_IMMEDIATE_DATA, &data) &&
	    nl_attr_find(data.value, NFTA_DATA_VERDICT, &verdict))
		read_verdict(r, verdict.value);
	else
		r->rule->opaque = true; /* a value for another expression */
}

static void read_masq(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_MASQ_FLAGS, NL_BE32, expr, flags),
		NL_FIELD(NFTA_MASQ_REG_PROTO_MIN, NL_PRESENT, expr, more),
		NL_FIELD(NFTA_MASQ_REG_PROTO_MAX, NL_PRESENT, expr, more),
	};
	struct expr e = {0};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->rule->opaque |=
		r->ended || e.more || (e.flags & ~(uint32_t)NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	r->rule->fully_random = (e.flags & NF_NAT_RANGE_PROTO_RANDOM_FULLY) != 0;
	r->rule->verdict = FW_MASQUERADE;
	set_effect(r, FW_EFFECT_ACCEPT);
}

/* An xt match. Comments are one to iptables; they match everything. */
static void read_match(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_MATCH_NAME, NL_STR, expr, name),
		NL_FIELD(NFTA_MATCH_INFO, NL_NEST, expr, data),
	};
	struct expr e = {.name = ""};
	struct nl_attr info;

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	info.value = e.data;
	if (strcmp(e.name, "udp") == 0) {
		r->rule->opaque = true;
		nl_nft_match_xt_udp(&r->match, e.data);
	} else if (strcmp(e.name, "addrtype") == 0) {
		r->rule->opaque = true;
		nl_nft_match_xt_addrtype(&r->match, e.data);
	} else if (strcmp(e.name, "comment") != 0) {
		r->rule->opaque = true;
		nl_nft_match_narrow(&r->match);
	} else if (r->rule->comment[0] ||
		   !nl_get_str(&info, r->rule->comment, sizeof(r->rule->comment))) {
		r->rule->opaque = true;
	}
}

/* An xt target. The only ones that drop (DROP itself is a verdict to iptables, but who knows). */
static void read_target(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_TARGET_NAME, NL_STR, expr, name),
	};
	struct expr e = {.name = ""};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->rule->opaque = true;
	if (strcmp(e.name, "REJECT") == 0 || strcmp(e.name, "DROP") == 0)
		set_effect(r, FW_EFFECT_DROP);
}

/* Set lookup: a condition; or, into the verdict register, a map of verdicts that we do not read. */
static void read_lookup(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_LOOKUP_DREG, NL_BE32, expr, dreg),
	};
	struct expr e = {.dreg = UINT32_MAX};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->rule->opaque = true;
	nl_nft_match_narrow(&r->match);
	if (e.dreg == NFT_REG_VERDICT)
		set_effect(r, FW_EFFECT_NONE);
}

static void read_passing(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs;
	r->rule->opaque = true;
	nl_nft_match_forget(&r->match);
}

/* A condition, or one by now: of many, a failure to do what they are for ends the rule. */
static void read_other(struct reader *r, struct nl_bytes attrs)
{
	read_passing(r, attrs);
	nl_nft_match_narrow(&r->match);
}

/* Of the expressions of Linux 6.18 (net/netfilter/nft_*.c) those that are not read_other. */
static const struct known {
	const char *name;
	void (*read)(struct reader *r, struct nl_bytes attrs);
} known[] = {
	{"payload", read_payload},     {"meta", read_meta},
	{"bitwise", read_bitwise},     {"cmp", read_cmp},
	{"lookup", read_lookup},       {"match", read_match},
	{"target", read_target},       {"counter", read_counter},
	{"immediate", read_immediate}, {"masq", read_masq},
	{"reject", read_reject},       {"queue", read_elsewhere},
	{"synproxy", read_elsewhere},  {"log", read_passing},
	{"last", read_passing},	       {"notrack", read_passing},
};

static void read_expr(struct reader *r, struct nl_bytes attrs)
{
	struct nl_attr name_attr, data = {0};
	char name[32] = "";

	if (nl_attr_find(attrs, NFTA_EXPR_NAME, &name_attr))
		nl_get_str(&name_attr, name, sizeof(name));
	nl_attr_find(attrs, NFTA_EXPR_DATA, &data);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i].name) == 0) {
			known[i].read(r, data.value);
			return;
		}
	}
	read_other(r, data.value);
}

static void read_userdata(struct fw_rule *rule, struct nl_bytes tlv)
{
	while (tlv.n >= 2 && tlv.n - 2 >= tlv.p[1]) {
		struct nl_attr a = {.type = tlv.p[0], .value = {tlv.p + 2, tlv.p[1]}};

		if (a.type == UDATA_COMMENT &&
		    (rule->comment[0] || !nl_get_str(&a, rule->comment, sizeof(rule->comment))))
			rule->opaque = true;
		tlv.p += 2 + tlv.p[1];
		tlv.n -= 2 + a.value.n;
	}
}

void nl_nft_rule_get(enum fw_family family, struct nl_bytes expressions, struct nl_bytes userdata,
		     struct fw_rule *ret_rule, struct fw_step *ret_step)
{
	struct reader r = {.rule = ret_rule, .step = ret_step};
	struct nl_attr elem;

	nl_nft_match_init(&r.match, family);
	*ret_rule = (struct fw_rule){0};
	*ret_step = (struct fw_step){0};
	while (nl_attr_next(&expressions, &elem)) {
		ret_rule->opaque |= r.ended; /* behind the verdict: never run, never ours */
		read_expr(&r, elem.value);
	}
	if (expressions.n)
		read_other(&r, expressions);
	set_effect(&r, FW_EFFECT_NONE);
	read_userdata(ret_rule, userdata);
}
