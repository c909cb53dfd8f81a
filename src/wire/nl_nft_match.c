/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft_match.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

const char *const nl_nft_field_names[] = {
	"none", "saddr", "daddr",   "iifname", "oifname",
	"link", "mark",	 "nfproto", "l4proto", "dport",
};
static_assert(ARRAY_SIZE(nl_nft_field_names) == NL_NFT_FIELD__COUNT, "a field without a name");

/* Where the addresses are, and what the payload is, from the start of the network header: RFC 791,
 * RFC 8200. */
struct layout {
	uint32_t saddr, daddr, len, proto;
};

static const struct layout layouts[FW__COUNT] = {
	[FW_IP] = {12, 16, 4, 9},
	[FW_IP6] = {8, 24, 16, 6},
	[FW_INET] = {0}, /* not known: nothing is as short as that */
};

#define DPORT_OFFSET 2 /* of the 16 bits in UDP's header: RFC 768 */

static void prefix_mask(uint8_t *mask, size_t n, unsigned bits)
{
	for (size_t i = 0; i < n; i++, bits -= MIN(bits, 8))
		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
}

/* ---- writing ---- */

struct nl_nft_expr nl_nft_expr_begin(struct nl_buf *b, const char *name)
{
	struct nl_nft_expr e;

	e.elem = nl_nest(b, NFTA_LIST_ELEM);
	nl_put_str(b, NFTA_EXPR_NAME, name);
	e.data = nl_nest(b, NFTA_EXPR_DATA);
	return e;
}

void nl_nft_expr_end(struct nl_buf *b, struct nl_nft_expr e)
{
	nl_nest_end(b, e.data);
	nl_nest_end(b, e.elem);
}

void nl_nft_expr_put_verdict(struct nl_buf *b, int32_t code, const char *chain)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "immediate");
	size_t data, verdict;

	nl_put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nl_nest(b, NFTA_IMMEDIATE_DATA);
	verdict = nl_nest(b, NFTA_DATA_VERDICT);
	nl_put_be32(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nl_put_str(b, NFTA_VERDICT_CHAIN, chain);
	nl_nest_end(b, verdict);
	nl_nest_end(b, data);
	nl_nft_expr_end(b, e);
}

static void put_data(struct nl_buf *b, uint16_t type, const void *value, size_t n)
{
	size_t nest = nl_nest(b, type);

	nl_put(b, NFTA_DATA_VALUE, value, n);
	nl_nest_end(b, nest);
}

static void put_bitwise(struct nl_buf *b, const void *mask, size_t n)
{
	static const uint8_t zero[NL_NFT_FIELD_MAX];
	struct nl_nft_expr e = nl_nft_expr_begin(b, "bitwise");

	nl_put_be32(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_BITWISE_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_BITWISE_LEN, (uint32_t)n);
	put_data(b, NFTA_BITWISE_MASK, mask, n);
	put_data(b, NFTA_BITWISE_XOR, zero, n);
	nl_nft_expr_end(b, e);
}

static void put_cmp(struct nl_buf *b, bool negated, const void *value, size_t n)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "cmp");

	nl_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_CMP_OP, negated ? NFT_CMP_NEQ : NFT_CMP_EQ);
	put_data(b, NFTA_CMP_DATA, value, n);
	nl_nft_expr_end(b, e);
}

static void put_meta(struct nl_buf *b, uint32_t key)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "meta");

	nl_put_be32(b, NFTA_META_KEY, key);
	nl_put_be32(b, NFTA_META_DREG, NFT_REG_1);
	nl_nft_expr_end(b, e);
}

static void put_addr(struct nl_buf *b, uint32_t offset, bool negated, const struct cidr *c)
{
	struct cidr net = cidr_masked(c);
	uint8_t mask[NL_NFT_FIELD_MAX];
	size_t n;
	const uint8_t *bytes = ip_bytes(&net.ip, &n);
	struct nl_nft_expr e = nl_nft_expr_begin(b, "payload");

	nl_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nl_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
	nl_put_be32(b, NFTA_PAYLOAD_LEN, (uint32_t)n);
	nl_nft_expr_end(b, e);
	if (c->len < cidr_max_len(c)) {
		prefix_mask(mask, n, c->len);
		put_bitwise(b, mask, n);
	}
	put_cmp(b, negated, bytes, n);
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

/* In an inet table packets of both families come by: first whose addresses follow. */
static void put_family(struct nl_buf *b, enum fw_family family)
{
	uint8_t proto = family == FW_IP ? NFPROTO_IPV4 : NFPROTO_IPV6;

	put_meta(b, NFT_META_NFPROTO);
	put_cmp(b, false, &proto, sizeof(proto));
}

static void put_addrs(struct nl_buf *b, enum fw_family table, const struct fw_rule *rule)
{
	bool saddr = cidr_is_set(&rule->saddr), daddr = cidr_is_set(&rule->daddr);
	enum fw_family family =
		ip_is_v4(saddr ? &rule->saddr.ip : &rule->daddr.ip) ? FW_IP : FW_IP6;

	if (!saddr && !daddr)
		return;
	assert(table == FW_INET || table == family);
	assert(!saddr || !daddr || ip_is_v4(&rule->saddr.ip) == ip_is_v4(&rule->daddr.ip));
	if (table == FW_INET)
		put_family(b, family);
	if (saddr)
		put_addr(b, layouts[family].saddr, rule->saddr_not, &rule->saddr);
	if (daddr)
		put_addr(b, layouts[family].daddr, rule->daddr_not, &rule->daddr);
}

void nl_nft_match_put(struct nl_buf *b, enum fw_family family, const struct fw_rule *rule)
{
	if (rule->iif[0])
		put_name(b, NFT_META_IIFNAME, rule->iif);
	if (rule->oif[0])
		put_name(b, NFT_META_OIFNAME, rule->oif);
	if (rule->mark_mask)
		put_mark(b, rule->mark, rule->mark_mask);
	put_addrs(b, family, rule);
}

/* ---- reading ---- */

/* All attributes of the expressions that we take apart; each uses some. */
struct expr {
	uint32_t dreg, sreg, base, offset, len, key, op;
	struct nl_bytes data, mask, xor;
	bool more; /* an attribute that says more than we understand */
};

#define REG_NONE UINT32_MAX /* absent */

void nl_nft_match_init(struct nl_nft_match *m, enum fw_family family)
{
	*m = (struct nl_nft_match){.table = family, .packet = family};
}

void nl_nft_match_forget(struct nl_nft_match *m)
{
	m->field = NL_NFT_FIELD_NONE;
}

void nl_nft_match_narrow(struct nl_nft_match *m)
{
	m->scope = FW_SCOPE_SOME;
	m->vague = true;
}

void nl_nft_match_xt_addrtype(struct nl_nft_match *m, struct nl_bytes info)
{
	struct xt_addrtype_info_v1 a;

	m->scope = FW_SCOPE_SOME;
	if (info.n != sizeof(a)) {
		m->vague = true;
		return;
	}
	memcpy(&a, info.p, sizeof(a));
	m->vague |= a.source || !(a.dest & XT_ADDRTYPE_LOCAL) || a.flags;
}

void nl_nft_match_xt_udp(struct nl_nft_match *m, struct nl_bytes info)
{
	struct xt_udp udp;

	m->scope = FW_SCOPE_SOME;
	if (info.n < sizeof(udp)) {
		m->vague = true;
		return;
	}
	memcpy(&udp, info.p, sizeof(udp));
	m->vague |= m->port || udp.invflags || udp.spts[0] != 0 || udp.spts[1] != UINT16_MAX ||
		    udp.dpts[0] != udp.dpts[1];
	m->port = udp.dpts[0];
}

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

bool nl_nft_match_payload(struct nl_nft_match *m, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_PAYLOAD_DREG, NL_BE32, expr, dreg),
		NL_FIELD(NFTA_PAYLOAD_BASE, NL_BE32, expr, base),
		NL_FIELD(NFTA_PAYLOAD_OFFSET, NL_BE32, expr, offset),
		NL_FIELD(NFTA_PAYLOAD_LEN, NL_BE32, expr, len),
		NL_FIELD(NFTA_PAYLOAD_SREG, NL_PRESENT, expr, more),
	};
	const struct layout *at = &layouts[m->packet];
	struct expr e = {.dreg = REG_NONE};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	m->field = NL_NFT_FIELD_NONE;
	m->masked = false;
	m->len = e.len;
	if (!e.more && is_reg1(e.dreg) && e.base == NFT_PAYLOAD_TRANSPORT_HEADER &&
	    e.offset == DPORT_OFFSET && e.len == sizeof(m->port)) {
		m->field = NL_NFT_FIELD_DPORT;
		return false;
	}
	if (e.more || !is_reg1(e.dreg) || e.base != NFT_PAYLOAD_NETWORK_HEADER || e.len == 0 ||
	    e.len > at->len) {
		nl_nft_match_narrow(m);
		return false;
	}
	if (e.offset == at->saddr)
		m->field = NL_NFT_FIELD_SADDR;
	else if (e.offset == at->daddr)
		m->field = NL_NFT_FIELD_DADDR;
	else if (e.offset == at->proto && e.len == 1)
		m->field = NL_NFT_FIELD_L4PROTO;
	else
		nl_nft_match_narrow(m);
	return m->field == NL_NFT_FIELD_SADDR || m->field == NL_NFT_FIELD_DADDR;
}

bool nl_nft_match_meta(struct nl_nft_match *m, struct nl_bytes attrs)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_META_DREG, NL_BE32, expr, dreg),
		NL_FIELD(NFTA_META_KEY, NL_BE32, expr, key),
	};

	static const struct {
		uint32_t key;
		enum nl_nft_field field;
		uint32_t len;
	} keys[] = {
		{NFT_META_IIFNAME, NL_NFT_FIELD_IIF, LINK_NAME_SIZE},
		{NFT_META_OIFNAME, NL_NFT_FIELD_OIF, LINK_NAME_SIZE},
		{NFT_META_IIF, NL_NFT_FIELD_LINK, sizeof(uint32_t)},
		{NFT_META_OIF, NL_NFT_FIELD_LINK, sizeof(uint32_t)},
		{NFT_META_IIFTYPE, NL_NFT_FIELD_LINK, sizeof(uint16_t)},
		{NFT_META_OIFTYPE, NL_NFT_FIELD_LINK, sizeof(uint16_t)},
		{NFT_META_IIFGROUP, NL_NFT_FIELD_LINK, sizeof(uint32_t)},
		{NFT_META_OIFGROUP, NL_NFT_FIELD_LINK, sizeof(uint32_t)},
		{NFT_META_IIFKIND, NL_NFT_FIELD_LINK, LINK_NAME_SIZE},
		{NFT_META_OIFKIND, NL_NFT_FIELD_LINK, LINK_NAME_SIZE},
		{NFT_META_MARK, NL_NFT_FIELD_MARK, sizeof(uint32_t)},
		{NFT_META_NFPROTO, NL_NFT_FIELD_NFPROTO, sizeof(uint8_t)},
		{NFT_META_L4PROTO, NL_NFT_FIELD_L4PROTO, sizeof(uint8_t)},
	};
	struct expr e = {.dreg = REG_NONE, .key = UINT32_MAX};

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	m->field = NL_NFT_FIELD_NONE;
	m->masked = false;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && is_reg1(e.dreg); i++) {
		if (e.key == keys[i].key) {
			m->field = keys[i].field;
			m->len = keys[i].len;
		}
	}
	if (m->field == NL_NFT_FIELD_NONE)
		nl_nft_match_narrow(m);
	return m->field != NL_NFT_FIELD_NONE && m->field != NL_NFT_FIELD_L4PROTO;
}

bool nl_nft_match_bitwise(struct nl_nft_match *m, struct nl_bytes attrs)
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
	mask = value_of(e.mask, sizeof(m->mask));
	xor = value_of(e.xor, sizeof(m->mask));
	ok = m->field != NL_NFT_FIELD_NONE && !m->masked && is_reg1(e.sreg) && is_reg1(e.dreg) &&
	     e.op == NFT_BITWISE_BOOL && e.len == m->len && mask.n == m->len && xor.n == m->len;
	for (size_t i = 0; ok && i < xor.n; i++)
		ok = xor.p[i] == 0;
	if (!ok) {
		nl_nft_match_narrow(m);
		nl_nft_match_forget(m);
		return false;
	}
	memcpy(m->mask, mask.p, mask.n);
	m->masked = true;
	return true;
}

/* Value and mask of an address comparison as a network. False if the mask has holes, or the value
 * bits outside of it. */
static bool to_cidr(const struct nl_nft_match *m, struct nl_bytes value, struct cidr *ret)
{
	uint8_t bytes[NL_NFT_FIELD_MAX] = {0}, mask[NL_NFT_FIELD_MAX] = {0}, want[NL_NFT_FIELD_MAX];
	size_t len = layouts[m->packet].len;
	unsigned bits = 0;

	memcpy(bytes, value.p, value.n);
	if (m->masked)
		memcpy(mask, m->mask, value.n);
	else
		prefix_mask(mask, len, (unsigned)(8 * value.n));
	while (bits < 8 * len && (mask[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	prefix_mask(want, len, bits);
	for (size_t i = 0; i < len; i++) {
		if (mask[i] != want[i] || (bytes[i] & ~mask[i]))
			return false;
	}
	*ret = (struct cidr){ip_from_bytes(bytes, len), (uint8_t)bits};
	/* ::ffff:a.b.c.d in IPv6 is how we keep IPv4: no network of ours. */
	return ip_is_v4(&ret->ip) == (len == 4);
}

static bool match_addr(const struct nl_nft_match *m, struct nl_bytes value, bool negated,
		       struct cidr *net, bool *net_not)
{
	if (cidr_is_set(net) || value.n != m->len || !to_cidr(m, value, net))
		return false;
	*net_not = negated;
	/* A network of :: is how "unset" looks: nothing of ours. */
	return cidr_is_set(net);
}

/* A name with its terminator; without one it is a prefix ("eth*"), which we never write. */
static bool match_name(const struct nl_nft_match *m, struct nl_bytes value, bool negated,
		       char name[LINK_NAME_SIZE])
{
	size_t n = value.n ? strnlen((const char *)value.p, value.n) : 0;

	if (negated || m->masked || name[0] || n == 0 || n == value.n || n >= LINK_NAME_SIZE)
		return false;
	for (size_t i = n; i < value.n; i++) {
		if (value.p[i] != 0)
			return false;
	}
	memcpy(name, value.p, n);
	return true;
}

static bool match_mark(const struct nl_nft_match *m, struct nl_bytes value, bool negated,
		       struct fw_rule *rule)
{
	uint32_t mark, mask = UINT32_MAX;

	if (negated || rule->mark_mask || value.n != sizeof(mark))
		return false;
	memcpy(&mark, value.p, sizeof(mark));
	if (m->masked)
		memcpy(&mask, m->mask, sizeof(mask));
	if (mask == 0 || (mark & ~mask))
		return false;
	rule->mark = mark;
	rule->mark_mask = mask;
	return true;
}

/* Only where it says something: in an inet table, once, before any address. */
static bool match_family(struct nl_nft_match *m, struct nl_bytes value, bool negated)
{
	if (negated || m->masked || value.n != 1 || m->table != FW_INET || m->packet != FW_INET)
		return false;
	if (value.p[0] == NFPROTO_IPV4)
		m->packet = FW_IP;
	else if (value.p[0] == NFPROTO_IPV6)
		m->packet = FW_IP6;
	return m->packet != FW_INET;
}

/* For struct fw_step alone: in struct fw_rule there is no room for it. */
static void match_udp(struct nl_nft_match *m, enum nl_nft_field field, struct nl_bytes value,
		      bool negated)
{
	bool ok = !negated && !m->masked && value.n == m->len;

	m->scope = FW_SCOPE_SOME;
	if (field == NL_NFT_FIELD_L4PROTO && ok && value.p[0] == IPPROTO_UDP)
		m->udp = true;
	else if (field == NL_NFT_FIELD_DPORT && ok && !m->port)
		m->port = (uint16_t)(value.p[0] << 8 | value.p[1]);
	else
		m->vague = true;
}

static bool match_field(struct nl_nft_match *m, enum nl_nft_field field, struct nl_bytes value,
			bool negated, struct fw_rule *rule)
{
	bool ok = false;

	switch (field) {
	case NL_NFT_FIELD_SADDR:
		ok = match_addr(m, value, negated, &rule->saddr, &rule->saddr_not);
		m->scope = MAX(m->scope, ok ? FW_SCOPE_PLACE : FW_SCOPE_SOME);
		return ok;
	case NL_NFT_FIELD_DADDR:
		ok = match_addr(m, value, negated, &rule->daddr, &rule->daddr_not);
		m->scope = MAX(m->scope, ok ? FW_SCOPE_PLACE : FW_SCOPE_SOME);
		return ok;
	case NL_NFT_FIELD_IIF:
		m->scope = MAX(m->scope, FW_SCOPE_PLACE);
		return match_name(m, value, negated, rule->iif);
	case NL_NFT_FIELD_OIF:
		m->scope = MAX(m->scope, FW_SCOPE_PLACE);
		return match_name(m, value, negated, rule->oif);
	case NL_NFT_FIELD_LINK:
		m->scope = MAX(m->scope, FW_SCOPE_PLACE);
		return false;
	case NL_NFT_FIELD_NFPROTO:
		ok = match_family(m, value, negated);
		m->scope = MAX(m->scope, ok ? FW_SCOPE_PLACE : FW_SCOPE_SOME);
		return ok;
	case NL_NFT_FIELD_MARK:
		nl_nft_match_narrow(m);
		return match_mark(m, value, negated, rule);
	case NL_NFT_FIELD_L4PROTO:
	case NL_NFT_FIELD_DPORT:
		match_udp(m, field, value, negated);
		return false;
	case NL_NFT_FIELD_NONE:
		nl_nft_match_narrow(m);
		return false;
	case NL_NFT_FIELD__COUNT:
		break;
	}
	return false;
}

bool nl_nft_match_cmp(struct nl_nft_match *m, struct nl_bytes attrs, struct fw_rule *rule)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_CMP_SREG, NL_BE32, expr, sreg),
		NL_FIELD(NFTA_CMP_OP, NL_BE32, expr, op),
		NL_FIELD(NFTA_CMP_DATA, NL_NEST, expr, data),
	};
	struct expr e = {.sreg = REG_NONE, .op = UINT32_MAX};
	enum nl_nft_field field = m->field;
	struct nl_bytes value;

	nl_read(fields, ARRAY_SIZE(fields), attrs, &e);
	nl_nft_match_forget(m);
	value = value_of(e.data, NL_NFT_FIELD_MAX);
	if (!is_reg1(e.sreg) || (e.op != NFT_CMP_EQ && e.op != NFT_CMP_NEQ)) {
		nl_nft_match_narrow(m);
		return false;
	}
	if (match_field(m, field, value, e.op == NFT_CMP_NEQ, rule))
		return true;
	m->vague |= field != NL_NFT_FIELD_L4PROTO && field != NL_NFT_FIELD_DPORT;
	return false;
}

bool nl_nft_match_complete(struct nl_nft_match *m, const struct fw_rule *rule)
{
	if (m->packet == m->table || cidr_is_set(&rule->saddr) || cidr_is_set(&rule->daddr))
		return true;
	nl_nft_match_narrow(m);
	return false;
}
