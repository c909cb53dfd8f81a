/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft_rule.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <string.h>

/* User data of rules: type, length, value; as libnftnl defines it (udata.h). */
#define UDATA_COMMENT 0

#define ADDR_MAX 16 /* bytes of the longest field that we compare */

/* Where the addresses are, from the start of the network header: RFC 791, RFC 8200. */
struct layout {
	uint32_t saddr, daddr, len;
};

static const struct layout layouts[FW__COUNT] = {
	[FW_IP] = {12, 16, 4},
	[FW_IP6] = {8, 24, 16},
	[FW_INET] = {0, 0, 0}, /* depends on the packet: opaque to us */
};

static void prefix_mask(uint8_t *mask, size_t n, unsigned bits)
{
	for (size_t i = 0; i < n; i++, bits -= MIN(bits, 8))
		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
}

/* ---- writing ---- */

struct nest {
	size_t elem, data;
};

static struct nest expr_begin(struct nl_buf *b, const char *name)
{
	struct nest e;

	e.elem = nl_nest(b, NFTA_LIST_ELEM);
	nl_put_str(b, NFTA_EXPR_NAME, name);
	e.data = nl_nest(b, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nl_buf *b, struct nest e)
{
	nl_nest_end(b, e.data);
	nl_nest_end(b, e.elem);
}

static void put_data(struct nl_buf *b, uint16_t type, const void *value, size_t n)
{
	size_t nest = nl_nest(b, type);

	nl_put(b, NFTA_DATA_VALUE, value, n);
	nl_nest_end(b, nest);
}

static void put_bitwise(struct nl_buf *b, const void *mask, size_t n)
{
	static const uint8_t zero[ADDR_MAX];
	struct nest e = expr_begin(b, "bitwise");

	nl_put_be32(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_BITWISE_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_BITWISE_LEN, (uint32_t)n);
	put_data(b, NFTA_BITWISE_MASK, mask, n);
	put_data(b, NFTA_BITWISE_XOR, zero, n);
	expr_end(b, e);
}

static void put_cmp(struct nl_buf *b, bool not, const void *value, size_t n)
{
	struct nest e = expr_begin(b, "cmp");

	nl_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_CMP_OP, not ? NFT_CMP_NEQ : NFT_CMP_EQ);
	put_data(b, NFTA_CMP_DATA, value, n);
	expr_end(b, e);
}

static void put_meta(struct nl_buf *b, uint32_t key)
{
	struct nest e = expr_begin(b, "meta");

	nl_put_be32(b, NFTA_META_KEY, key);
	nl_put_be32(b, NFTA_META_DREG, NFT_REG_1);
	expr_end(b, e);
}

static void put_addr(struct nl_buf *b, uint32_t offset, bool not, const struct cidr *c)
{
	struct cidr net = cidr_masked(c);
	uint8_t mask[ADDR_MAX];
	size_t n;
	const uint8_t *bytes = ip_bytes(&net.ip, &n);
	struct nest e = expr_begin(b, "payload");

	nl_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nl_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
	nl_put_be32(b, NFTA_PAYLOAD_LEN, (uint32_t)n);
	expr_end(b, e);
	if (c->len < cidr_max_len(c)) {
		prefix_mask(mask, n, c->len);
		put_bitwise(b, mask, n);
	}
	put_cmp(b, not, bytes, n);
}

static void put_name(struct nl_buf *b, uint32_t key, const char name[LINK_NAME_SIZE])
{
	uint8_t value[LINK_NAME_SIZE] = {0};

	memcpy(value, name, strlen(name));
	put_meta(b, key);
	put_cmp(b, false, value, sizeof(value));
}

static void put_mark(struct nl_buf *b, uint32_t mark, uint32_t mask)
{
	put_meta(b, NFT_META_MARK);
	if (mask != UINT32_MAX)
		put_bitwise(b, &mask, sizeof(mask)); /* marks are numbers: host order */
	put_cmp(b, false, &mark, sizeof(mark));
}

static void put_verdict(struct nl_buf *b, int32_t code)
{
	struct nest e = expr_begin(b, "immediate");
	size_t data, verdict;

	nl_put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nl_nest(b, NFTA_IMMEDIATE_DATA);
	verdict = nl_nest(b, NFTA_DATA_VERDICT);
	nl_put_be32(b, NFTA_VERDICT_CODE, (uint32_t)code);
	nl_nest_end(b, verdict);
	nl_nest_end(b, data);
	expr_end(b, e);
}

static void put_outcome(struct nl_buf *b, const struct fw_rule *rule)
{
	struct nest e;

	switch (rule->verdict) {
	case FW_CONTINUE:
		return;
	case FW_ACCEPT:
		put_verdict(b, NF_ACCEPT);
		return;
	case FW_DROP:
		put_verdict(b, NF_DROP);
		return;
	case FW_RETURN:
		put_verdict(b, NFT_RETURN);
		return;
	case FW_MASQUERADE:
		e = expr_begin(b, "masq");
		if (rule->fully_random)
			nl_put_be32(b, NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
		expr_end(b, e);
		return;
	case FW_VERDICT__COUNT:
		break;
	}
	assert(!"verdict");
}

static void put_comment(struct nl_buf *b, const char *comment)
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
	const struct layout *at = &layouts[family];
	size_t nest = nl_nest(b, NFTA_RULE_EXPRESSIONS);
	struct nest e;

	assert(!rule->opaque);
	assert(!cidr_is_set(&rule->saddr) || ip_is_v4(&rule->saddr.ip) == (family == FW_IP));
	assert(!cidr_is_set(&rule->daddr) || ip_is_v4(&rule->daddr.ip) == (family == FW_IP));

	if (rule->iif[0])
		put_name(b, NFT_META_IIFNAME, rule->iif);
	if (rule->oif[0])
		put_name(b, NFT_META_OIFNAME, rule->oif);
	if (rule->mark_mask)
		put_mark(b, rule->mark, rule->mark_mask);
	if (cidr_is_set(&rule->saddr))
		put_addr(b, at->saddr, rule->saddr_not, &rule->saddr);
	if (cidr_is_set(&rule->daddr))
		put_addr(b, at->daddr, rule->daddr_not, &rule->daddr);
	if (rule->counter) {
		e = expr_begin(b, "counter");
		expr_end(b, e);
	}
	put_outcome(b, rule);
	nl_nest_end(b, nest);
	if (rule->comment[0])
		put_comment(b, rule->comment);
}

/* ---- reading ---- */

/* What register 1 holds while a rule is read. */
enum field {
	FIELD_NONE, /* nothing that we know */
	FIELD_SADDR,
	FIELD_DADDR,
	FIELD_IIF,
	FIELD_OIF,
	FIELD_MARK,
};

struct reader {
	const struct layout *at;
	struct fw_rule *rule;
	struct fw_step *step;
	enum field field;
	uint32_t len; /* of the field, bytes */
	bool masked;
	uint8_t mask[ADDR_MAX];
	bool ended; /* a verdict was given */
};

/* All attributes of the expressions that we take apart; each uses some. */
struct expr {
	uint32_t dreg, sreg, base, offset, len, key, op, flags;
	struct nl_bytes data, mask, xor;
	bool more; /* an attribute that says more than we understand */
	char name[32];
};

#define REG_NONE UINT32_MAX /* absent */

static bool is_reg1(uint32_t reg)
{
	return reg == NFT_REG_1 || reg == NFT_REG32_00;
}

/* The bytes of an NFTA_DATA_VALUE; none if it is something else or longer than `max`. */
static struct nl_bytes value_of(struct nl_bytes data, size_t max)
{
	struct nl_attr a;

	if (!nl_attr_find(data, NFTA_DATA_VALUE, &a) || a.value.n > max)
		return (struct nl_bytes){0};
	return a.value;
}

static void read_payload(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_PAYLOAD_DREG, NL_BE32, expr, dreg),
		NL_FIELD(NFTA_PAYLOAD_BASE, NL_BE32, expr, base),
		NL_FIELD(NFTA_PAYLOAD_OFFSET, NL_BE32, expr, offset),
		NL_FIELD(NFTA_PAYLOAD_LEN, NL_BE32, expr, len),
		NL_FIELD(NFTA_PAYLOAD_SREG, NL_PRESENT, expr, more),
	};
	struct expr e = {.dreg = REG_NONE};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->field = FIELD_NONE;
	if (!e.more && is_reg1(e.dreg) && e.base == NFT_PAYLOAD_NETWORK_HEADER && e.len > 0 &&
	    e.len <= r->at->len) {
		if (e.offset == r->at->saddr)
			r->field = FIELD_SADDR;
		else if (e.offset == r->at->daddr)
			r->field = FIELD_DADDR;
	}
	r->len = e.len;
	r->masked = false;
	r->rule->opaque |= r->field == FIELD_NONE;
}

static void read_meta(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_META_DREG, NL_BE32, expr, dreg),
		NL_FIELD(NFTA_META_KEY, NL_BE32, expr, key),
	};
	struct expr e = {.dreg = REG_NONE, .key = UINT32_MAX};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->field = FIELD_NONE;
	r->len = LINK_NAME_SIZE;
	r->masked = false;
	if (is_reg1(e.dreg) && e.key == NFT_META_IIFNAME) {
		r->field = FIELD_IIF;
	} else if (is_reg1(e.dreg) && e.key == NFT_META_OIFNAME) {
		r->field = FIELD_OIF;
	} else if (is_reg1(e.dreg) && e.key == NFT_META_MARK) {
		r->field = FIELD_MARK;
		r->len = sizeof(uint32_t);
	}
	r->rule->opaque |= r->field == FIELD_NONE;
}

static void read_bitwise(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_BITWISE_SREG, NL_BE32, expr, sreg),
		NL_FIELD(NFTA_BITWISE_DREG, NL_BE32, expr, dreg),
		NL_FIELD(NFTA_BITWISE_LEN, NL_BE32, expr, len),
		NL_FIELD(NFTA_BITWISE_OP, NL_BE32, expr, op),
		NL_FIELD(NFTA_BITWISE_MASK, NL_NEST, expr, mask),
		NL_FIELD(NFTA_BITWISE_XOR, NL_NEST, expr, xor),
	};
	struct expr e = {.sreg = REG_NONE, .dreg = REG_NONE, .op = NFT_BITWISE_BOOL};
	struct nl_bytes mask, xor;
	bool ok;

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	mask = value_of(e.mask, sizeof(r->mask));
	xor = value_of(e.xor, sizeof(r->mask));
	ok = r->field != FIELD_NONE && !r->masked && is_reg1(e.sreg) && is_reg1(e.dreg) &&
	     e.op == NFT_BITWISE_BOOL && e.len == r->len && mask.n == r->len && xor.n == r->len;
	for (size_t i = 0; ok && i < xor.n; i++)
		ok = xor.p[i] == 0;
	if (!ok) {
		r->field = FIELD_NONE;
		r->rule->opaque = true;
		return;
	}
	memcpy(r->mask, mask.p, mask.n);
	r->masked = true;
}

/* Value and mask of an address comparison as a network. False if the mask has holes, or the value
 * bits outside of it. */
static bool to_cidr(const struct reader *r, struct nl_bytes value, struct cidr *ret)
{
	uint8_t bytes[ADDR_MAX] = {0}, mask[ADDR_MAX] = {0}, want[ADDR_MAX];
	unsigned bits = 0;

	memcpy(bytes, value.p, value.n);
	if (r->masked)
		memcpy(mask, r->mask, value.n);
	else
		prefix_mask(mask, r->at->len, (unsigned)(8 * value.n));
	while (bits < 8 * r->at->len && (mask[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	prefix_mask(want, r->at->len, bits);
	for (size_t i = 0; i < r->at->len; i++) {
		if (mask[i] != want[i] || (bytes[i] & ~mask[i]))
			return false;
	}
	*ret = (struct cidr){ip_from_bytes(bytes, r->at->len), (uint8_t)bits};
	/* ::ffff:a.b.c.d in IPv6 is how we keep IPv4: no network of ours. */
	return ip_is_v4(&ret->ip) == (r->at->len == 4);
}

static bool match_addr(const struct reader *r, struct nl_bytes value, bool not, struct cidr *net,
		       bool *net_not)
{
	if (cidr_is_set(net) || value.n != r->len || !to_cidr(r, value, net))
		return false;
	*net_not = not ;
	/* A network of :: is how "unset" looks: nothing of ours. */
	return cidr_is_set(net);
}

/* A name with its terminator; without one it is a prefix ("eth*"), which we never write. */
static bool match_name(const struct reader *r, struct nl_bytes value, bool not,
		       char name[LINK_NAME_SIZE])
{
	size_t n = value.n ? strnlen((const char *)value.p, value.n) : 0;

	if (not || r->masked || name[0] || n == 0 || n == value.n || n >= LINK_NAME_SIZE)
		return false;
	for (size_t i = n; i < value.n; i++) {
		if (value.p[i] != 0)
			return false;
	}
	memcpy(name, value.p, n);
	return true;
}

static bool match_mark(const struct reader *r, struct nl_bytes value, bool not,
		       struct fw_rule *rule)
{
	uint32_t mark, mask = UINT32_MAX;

	if (not || rule->mark_mask || value.n != sizeof(mark))
		return false;
	memcpy(&mark, value.p, sizeof(mark));
	if (r->masked)
		memcpy(&mask, r->mask, sizeof(mask));
	if (mask == 0 || (mark & ~mask))
		return false;
	rule->mark = mark;
	rule->mark_mask = mask;
	return true;
}

static void read_cmp(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_CMP_SREG, NL_BE32, expr, sreg),
		NL_FIELD(NFTA_CMP_OP, NL_BE32, expr, op),
		NL_FIELD(NFTA_CMP_DATA, NL_NEST, expr, data),
	};
	struct expr e = {.sreg = REG_NONE, .op = UINT32_MAX};
	struct fw_rule *rule = r->rule;
	struct nl_bytes value;
	bool ok = false, not ;

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	value = value_of(e.data, ADDR_MAX);
	not = e.op == NFT_CMP_NEQ;
	if (!is_reg1(e.sreg) || (e.op != NFT_CMP_EQ && !not ))
		r->field = FIELD_NONE;
	switch (r->field) {
	case FIELD_NONE:
		break;
	case FIELD_SADDR:
		ok = match_addr(r, value, not, &rule->saddr, &rule->saddr_not);
		break;
	case FIELD_DADDR:
		ok = match_addr(r, value, not, &rule->daddr, &rule->daddr_not);
		break;
	case FIELD_IIF:
		ok = match_name(r, value, not, rule->iif);
		break;
	case FIELD_OIF:
		ok = match_name(r, value, not, rule->oif);
		break;
	case FIELD_MARK:
		ok = match_mark(r, value, not, rule);
		break;
	}
	rule->opaque |= !ok;
	r->field = FIELD_NONE;
}

static void read_counter(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs; /* packets and bytes so far */
	r->rule->opaque |= r->rule->counter;
	r->rule->counter = true;
}

static void set_effect(struct reader *r, enum fw_effect effect)
{
	if (r->ended)
		return;
	r->step->effect = effect;
	r->ended = true;
}

/* Drops, may drop, or is unknown. */
static void read_drop(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs;
	r->rule->opaque = true;
	set_effect(r, FW_EFFECT_DROP);
}

static void read_jump(struct reader *r, struct nl_bytes verdict, enum fw_effect effect)
{
	struct nl_attr a;

	r->rule->opaque = true;
	if (nl_attr_find(verdict, NFTA_VERDICT_CHAIN, &a) &&
	    nl_get_str(&a, r->step->chain, sizeof(r->step->chain)))
		set_effect(r, effect);
	else
		set_effect(r, FW_EFFECT_DROP);
}

static void read_verdict(struct reader *r, struct nl_bytes verdict)
{
	struct nl_attr a;
	int32_t code = NF_DROP;

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
		read_drop(r, verdict);
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
	if (strcmp(e.name, "comment") != 0) {
		r->rule->opaque = true;
		r->step->always = false;
	} else if (r->rule->comment[0] ||
		   !nl_get_str(&info, r->rule->comment, sizeof(r->rule->comment))) {
		r->rule->opaque = true;
	}
}

/* An xt target. These let the packet go on; of all others we say that they may drop it. */
static void read_target(struct reader *r, struct nl_bytes attrs)
{
	static const char *const harmless[] = {
		"AUDIT", "CHECKSUM", "CLASSIFY",    "CONNMARK", "CONNSECMARK", "CT",
		"DSCP",	 "ECN",	     "HL",	    "HMARK",	"IDLETIMER",   "LED",
		"LOG",	 "MARK",     "NFLOG",	    "NOTRACK",	"RATEEST",     "SECMARK",
		"SET",	 "TCPMSS",   "TCPOPTSTRIP", "TEE",	"TOS",	       "TRACE",
		"TTL",	 "ULOG",
	};
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_TARGET_NAME, NL_STR, expr, name),
	};
	struct expr e = {.name = ""};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->rule->opaque = true;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (strcmp(e.name, harmless[i]) == 0)
			return;
	}
	set_effect(r, FW_EFFECT_DROP);
}

/* Set lookup: a condition; or, into the verdict register, a map of verdicts that we do not read. */
static void read_lookup(struct reader *r, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_LOOKUP_DREG, NL_BE32, expr, dreg),
	};
	struct expr e = {.dreg = REG_NONE};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	r->rule->opaque = true;
	if (e.dreg == NFT_REG_VERDICT)
		set_effect(r, FW_EFFECT_DROP);
}

static void read_other(struct reader *r, struct nl_bytes attrs)
{
	(void)attrs;
	r->rule->opaque = true;
	r->field = FIELD_NONE;
}

/* Every expression of Linux 6.18 (net/netfilter/nft_*.c). */
static const struct known {
	const char *name;
	void (*read)(struct reader *r, struct nl_bytes attrs);
	bool always; /* lets every packet through to the next expression */
} known[] = {
	{"payload", read_payload, false}, {"meta", read_meta, false},
	{"bitwise", read_bitwise, false}, {"cmp", read_cmp, false},
	{"counter", read_counter, true},  {"immediate", read_immediate, true},
	{"masq", read_masq, true},	  {"match", read_match, true}, /* decides by itself */
	{"target", read_target, true},	  {"lookup", read_lookup, false},
	{"reject", read_drop, true},	  {"queue", read_drop, true},
	{"synproxy", read_drop, true},	  {"log", read_other, true},
	{"last", read_other, true},	  {"notrack", read_other, true},
	{"byteorder", read_other, false}, {"connlimit", read_other, false},
	{"ct", read_other, false},	  {"dup", read_other, false},
	{"dynset", read_other, false},	  {"exthdr", read_other, false},
	{"fib", read_other, false},	  {"flow_offload", read_other, false},
	{"hash", read_other, false},	  {"inner", read_other, false},
	{"limit", read_other, false},	  {"nat", read_other, false},
	{"numgen", read_other, false},	  {"objref", read_other, false},
	{"osf", read_other, false},	  {"quota", read_other, false},
	{"range", read_other, false},	  {"redir", read_other, false},
	{"rt", read_other, false},	  {"socket", read_other, false},
	{"tproxy", read_other, false},	  {"tunnel", read_other, false},
	{"xfrm", read_other, false},
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
			if (!r->ended && !known[i].always)
				r->step->always = false;
			known[i].read(r, data.value);
			return;
		}
	}
	r->step->always &= r->ended;
	read_drop(r, data.value);
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
	struct reader r = {.at = &layouts[family], .rule = ret_rule, .step = ret_step};
	struct nl_attr elem;

	*ret_rule = (struct fw_rule){0};
	ret_step->effect = FW_EFFECT_NONE;
	ret_step->always = true;
	ret_step->chain[0] = '\0';
	while (nl_attr_next(&expressions, &elem)) {
		ret_rule->opaque |= r.ended; /* behind the verdict: never run, never ours */
		read_expr(&r, elem.value);
	}
	if (expressions.n)
		read_drop(&r, expressions);
	read_userdata(ret_rule, userdata);
}
