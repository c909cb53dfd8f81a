/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "wire/nl_nft_guard.h"

const char *const nl_nft_type_names[] = {"table",      "chain",	   "rule",
					 "generation", "elements", "other"};
static_assert(ARRAY_SIZE(nl_nft_type_names) == NL_NFT__COUNT, "a type without a name");

static const uint8_t protos[FW__COUNT] = {
	[FW_IP] = NFPROTO_IPV4,
	[FW_IP6] = NFPROTO_IPV6,
	[FW_INET] = NFPROTO_INET,
};

static uint16_t to_be16(uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	memcpy(&v, b, sizeof(v));
	return v;
}

static void begin(struct nl_buf *b, uint32_t seq, unsigned type, unsigned flags, uint8_t proto)
{
	struct nfgenmsg h = {.nfgen_family = proto, .version = NFNETLINK_V0};

	nl_begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), (uint16_t)(NLM_F_REQUEST | flags),
		 seq, &h, sizeof(h));
}

/* ---- asking ---- */

bool nl_nft_get_gen(struct nl_buf *b, uint32_t seq)
{
	begin(b, seq, NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC);
	return nl_end(b);
}

bool nl_nft_get_tables(struct nl_buf *b, uint32_t seq)
{
	begin(b, seq, NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC);
	return nl_end(b);
}

bool nl_nft_get_chains(struct nl_buf *b, uint32_t seq)
{
	begin(b, seq, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC);
	return nl_end(b);
}

bool nl_nft_get_rules(struct nl_buf *b, uint32_t seq, enum fw_family family, const char *table,
		      const char *chain)
{
	begin(b, seq, NFT_MSG_GETRULE, NLM_F_DUMP, protos[family]);
	nl_put_str(b, NFTA_RULE_TABLE, table);
	if (chain)
		nl_put_str(b, NFTA_RULE_CHAIN, chain);
	return nl_end(b);
}

/* ---- changing ---- */

/* A batch being written: fits as a whole, or is taken back as a whole. */
struct batch {
	struct nl_buf *b;
	uint32_t seq;
	size_t start;
	unsigned ack; /* flags of the next request */
	bool fits;
};

static void batch_edge(struct batch *t, unsigned type, uint32_t generation)
{
	struct nfgenmsg h = {
		.nfgen_family = NFPROTO_UNSPEC,
		.version = NFNETLINK_V0,
		.res_id = to_be16(NFNL_SUBSYS_NFTABLES),
	};

	nl_begin(t->b, (uint16_t)type, NLM_F_REQUEST, t->seq, &h, sizeof(h));
	if (generation)
		nl_put_be32(t->b, NFNL_BATCH_GENID, generation);
	t->fits &= nl_end(t->b);
}

static struct batch batch_begin(struct nl_buf *b, uint32_t seq, uint32_t generation)
{
	struct batch t = {.b = b, .seq = seq, .start = b->len, .ack = NLM_F_ACK, .fits = true};

	batch_edge(&t, NFNL_MSG_BATCH_BEGIN, generation);
	return t;
}

static void request(struct batch *t, unsigned type, unsigned flags, enum fw_family family)
{
	begin(t->b, t->seq, type, flags | t->ack, protos[family]);
	t->ack = 0;
}

static bool batch_end(struct batch *t)
{
	batch_edge(t, NFNL_MSG_BATCH_END, 0);
	if (!t->fits)
		t->b->len = t->start;
	return t->fits;
}

static void put_table(struct batch *t, unsigned type, unsigned flags, enum fw_family family,
		      const char *table)
{
	request(t, type, flags, family);
	nl_put_str(t->b, NFTA_TABLE_NAME, table);
	t->fits &= nl_end(t->b);
}

/* Deleting what may be absent: created first, for that fails in neither case. */
static void clear_table(struct batch *t, enum fw_family family, const char *table)
{
	put_table(t, NFT_MSG_NEWTABLE, NLM_F_CREATE, family, table);
	put_table(t, NFT_MSG_DELTABLE, 0, family, table);
}

static uint32_t hook_number(enum fw_hook hook)
{
	switch (hook) {
	case FW_HOOK_FORWARD:
		return NF_INET_FORWARD;
	case FW_HOOK_POSTROUTING:
		return NF_INET_POST_ROUTING;
	case FW_HOOK_INPUT:
		return NF_INET_LOCAL_IN;
	case FW_HOOK_OTHER:
	case FW_HOOK__COUNT:
		break;
	}
	assert(!"hook");
	return 0;
}

static void put_chain(struct batch *t, enum fw_family family, const char *table,
		      const struct fw_own_chain *c)
{
	struct nl_buf *b = t->b;
	size_t nest;

	request(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
	nl_put_str(b, NFTA_CHAIN_TABLE, table);
	nl_put_str(b, NFTA_CHAIN_NAME, c->name);
	nest = nl_nest(b, NFTA_CHAIN_HOOK);
	nl_put_be32(b, NFTA_HOOK_HOOKNUM, hook_number(c->hook));
	nl_put_be32(b, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
	nl_nest_end(b, nest);
	nl_put_be32(b, NFTA_CHAIN_POLICY, c->policy_drop ? NF_DROP : NF_ACCEPT);
	nl_put_str(b, NFTA_CHAIN_TYPE, c->nat ? "nat" : "filter");
	t->fits &= nl_end(b);
}

/* In front of the rule with the handle `before`; 0 = to the end. */
static void put_rule(struct batch *t, enum fw_family family, const char *table, const char *chain,
		     uint64_t before, const struct fw_rule *rule)
{
	struct nl_buf *b = t->b;

	request(t, NFT_MSG_NEWRULE, NLM_F_CREATE | (before ? 0 : NLM_F_APPEND), family);
	nl_put_str(b, NFTA_RULE_TABLE, table);
	nl_put_str(b, NFTA_RULE_CHAIN, chain);
	if (before)
		nl_put_be64(b, NFTA_RULE_POSITION, before);
	nl_nft_rule_put(b, family, rule);
	t->fits &= nl_end(b);
}

/* Handle 0: all of the chain. */
static void del_rule(struct batch *t, enum fw_family family, const char *table, const char *chain,
		     uint64_t handle)
{
	struct nl_buf *b = t->b;

	request(t, NFT_MSG_DELRULE, 0, family);
	nl_put_str(b, NFTA_RULE_TABLE, table);
	nl_put_str(b, NFTA_RULE_CHAIN, chain);
	if (handle)
		nl_put_be64(b, NFTA_RULE_HANDLE, handle);
	t->fits &= nl_end(b);
}

static void put_rules(struct batch *t, const struct fw_table *table, const struct fw_own_chain *c)
{
	for (size_t i = 0; i < c->n_rules; i++)
		put_rule(t, table->family, table->name, c->name, 0, &c->rules[i]);
}

bool nl_nft_put_table(struct nl_buf *b, uint32_t seq, const struct fw_table *table)
{
	struct batch t = batch_begin(b, seq, 0);

	clear_table(&t, table->family, table->name);
	put_table(&t, NFT_MSG_NEWTABLE, NLM_F_CREATE, table->family, table->name);
	for (size_t i = 0; i < table->n_chains; i++) {
		put_chain(&t, table->family, table->name, &table->chains[i]);
		put_rules(&t, table, &table->chains[i]);
	}
	return batch_end(&t);
}

bool nl_nft_put_rules(struct nl_buf *b, uint32_t seq, const struct fw_table *table)
{
	struct batch t = batch_begin(b, seq, 0);

	for (size_t i = 0; i < table->n_chains; i++) {
		del_rule(&t, table->family, table->name, table->chains[i].name, 0);
		put_rules(&t, table, &table->chains[i]);
	}
	return batch_end(&t);
}

bool nl_nft_del_table(struct nl_buf *b, uint32_t seq, const struct fw_table *table)
{
	struct batch t = batch_begin(b, seq, 0);

	clear_table(&t, table->family, table->name);
	return batch_end(&t);
}

bool nl_nft_put_splice(struct nl_buf *b, uint32_t seq, const struct nl_nft_splice *s)
{
	struct batch t = batch_begin(b, seq, s->generation);

	for (size_t i = 0; i < s->n_handles; i++)
		del_rule(&t, s->family, s->table, s->chain, s->handles[i]);
	for (size_t i = 0; i < s->n_ours; i++)
		put_rule(&t, s->family, s->table, s->chain, s->before, &s->ours[i]);
	return batch_end(&t);
}

bool nl_nft_del_chain(struct nl_buf *b, uint32_t seq, const struct nl_nft_removal *r)
{
	struct batch t = batch_begin(b, seq, r->generation);

	for (size_t i = 0; i < r->n_handles; i++)
		del_rule(&t, r->family, r->table, r->base, r->handles[i]);
	del_rule(&t, r->family, r->table, r->chain, 0);
	request(&t, NFT_MSG_DELCHAIN, 0, r->family);
	nl_put_str(b, NFTA_CHAIN_TABLE, r->table);
	nl_put_str(b, NFTA_CHAIN_NAME, r->chain);
	t.fits &= nl_end(b);
	return batch_end(&t);
}

/* ---- the guard ---- */

/* libnftables' numbers of the types (datatype.h), so that nft shows addresses as such. */
#define TYPE_IPADDR  7
#define TYPE_IP6ADDR 8
#define SET_ID	     1 /* of a new set within its batch */

bool nl_nft_get_peers(struct nl_buf *b, uint32_t seq, enum fw_family family, const char *table)
{
	begin(b, seq, NFT_MSG_GETSETELEM, NLM_F_DUMP, protos[family]);
	nl_put_str(b, NFTA_SET_ELEM_LIST_TABLE, table);
	nl_put_str(b, NFTA_SET_ELEM_LIST_SET, NL_NFT_GUARD_SET);
	return nl_end(b);
}

/* Made if they are not there; a table that somebody switched off is switched on. */
static void put_guard_set(struct batch *t, enum fw_family family, const char *table)
{
	bool v6 = family == FW_IP6;

	request(t, NFT_MSG_NEWTABLE, NLM_F_CREATE, family);
	nl_put_str(t->b, NFTA_TABLE_NAME, table);
	nl_put_be32(t->b, NFTA_TABLE_FLAGS, 0);
	t->fits &= nl_end(t->b);
	request(t, NFT_MSG_NEWSET, NLM_F_CREATE, family);
	nl_put_str(t->b, NFTA_SET_TABLE, table);
	nl_put_str(t->b, NFTA_SET_NAME, NL_NFT_GUARD_SET);
	nl_put_be32(t->b, NFTA_SET_KEY_TYPE, v6 ? TYPE_IP6ADDR : TYPE_IPADDR);
	nl_put_be32(t->b, NFTA_SET_KEY_LEN, v6 ? 16 : 4);
	nl_put_be32(t->b, NFTA_SET_ID, SET_ID);
	t->fits &= nl_end(t->b);
}

bool nl_nft_put_peers(struct nl_buf *b, uint32_t seq, const char *table, const struct op *ops,
		      size_t n)
{
	const enum fw_family family = ip_is_v4(&ops[0].object.guard_peer->ip) ? FW_IP : FW_IP6;
	const bool del = ops[0].verb == OP_DEL;
	struct batch t = batch_begin(b, seq, 0);
	size_t nest;

	if (!del)
		put_guard_set(&t, family, table);
	request(&t, del ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, del ? 0 : NLM_F_CREATE, family);
	nl_put_str(b, NFTA_SET_ELEM_LIST_TABLE, table);
	nl_put_str(b, NFTA_SET_ELEM_LIST_SET, NL_NFT_GUARD_SET);
	nest = nl_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < n; i++)
		nl_nft_guard_put_peer(b, &ops[i].object.guard_peer->ip);
	nl_nest_end(b, nest);
	t.fits &= nl_end(b);
	return batch_end(&t);
}

static void put_guard_rule(struct batch *t, const char *table, const struct guard *g)
{
	char comment[FW_COMMENT_SIZE];

	request(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, g->family);
	nl_put_str(t->b, NFTA_RULE_TABLE, table);
	nl_put_str(t->b, NFTA_RULE_CHAIN, NL_NFT_GUARD_CHAIN);
	nl_nft_guard_put_rule(t->b, g->family, g->port);
	nl_nft_guard_comment(g->port, comment);
	nl_nft_rule_put_comment(t->b, comment);
	t->fits &= nl_end(t->b);
}

bool nl_nft_put_guard(struct nl_buf *b, uint32_t seq, const char *table, const struct guard *g,
		      bool again)
{
	const struct fw_own_chain chain = {
		.name = NL_NFT_GUARD_CHAIN,
		.hook = FW_HOOK_INPUT,
		.priority = NL_NFT_GUARD_PRIORITY,
	};
	struct batch t = batch_begin(b, seq, 0);

	put_guard_set(&t, g->family, table);
	if (again) {
		request(&t, NFT_MSG_DELCHAIN, 0, g->family);
		nl_put_str(b, NFTA_CHAIN_TABLE, table);
		nl_put_str(b, NFTA_CHAIN_NAME, NL_NFT_GUARD_CHAIN);
		t.fits &= nl_end(b);
	}
	put_chain(&t, g->family, table, &chain);
	put_guard_rule(&t, table, g);
	return batch_end(&t);
}

bool nl_nft_wake_guard(struct nl_buf *b, uint32_t seq, const char *table, enum fw_family family)
{
	struct batch t = batch_begin(b, seq, 0);

	put_guard_set(&t, family, table);
	return batch_end(&t);
}

bool nl_nft_del_guard(struct nl_buf *b, uint32_t seq, const char *table, enum fw_family family)
{
	struct batch t = batch_begin(b, seq, 0);

	clear_table(&t, family, table);
	return batch_end(&t);
}

/* ---- hearing ---- */

/* The attributes of all four messages, as they are on the wire. */
struct raw {
	uint32_t flags, use, owner, hook, priority, policy, id, pid;
	uint64_t handle;
	struct nl_bytes nest, userdata;
	bool owned, base;
	char type[16];
};

static bool decode_table(struct nl_bytes attrs, struct nl_nft_table *t)
{
	static const struct nl_field names[] = {
		NL_FIELD(NFTA_TABLE_NAME, NL_STR, nl_nft_table, name),
	};
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_TABLE_FLAGS, NL_BE32, raw, flags),
		NL_FIELD(NFTA_TABLE_USE, NL_BE32, raw, use),
		NL_FIELD(NFTA_TABLE_OWNER, NL_BE32, raw, owner),
	};
	struct raw r = {0};

	if (!nl_read(names, ARRAY_SIZE(names), attrs, t) ||
	    !nl_read(fields, ARRAY_SIZE(fields), attrs, &r))
		return false;
	t->dormant = (r.flags & NFT_TABLE_F_DORMANT) != 0;
	t->owned = (r.flags & NFT_TABLE_F_OWNER) != 0;
	t->owner_port = r.owner;
	t->use = r.use;
	return t->name[0] != '\0';
}

static enum fw_hook hook_from(uint32_t number)
{
	switch (number) {
	case NF_INET_FORWARD:
		return FW_HOOK_FORWARD;
	case NF_INET_LOCAL_IN:
		return FW_HOOK_INPUT;
	case NF_INET_POST_ROUTING:
		return FW_HOOK_POSTROUTING;
	default:
		return FW_HOOK_OTHER;
	}
}

static bool decode_chain(struct nl_bytes attrs, struct nl_nft_chain *c)
{
	static const struct nl_field names[] = {
		NL_FIELD(NFTA_CHAIN_TABLE, NL_STR, nl_nft_chain, table),
		NL_FIELD(NFTA_CHAIN_NAME, NL_STR, nl_nft_chain, name),
	};
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_CHAIN_POLICY, NL_BE32, raw, policy),
		NL_FIELD(NFTA_CHAIN_TYPE, NL_STR, raw, type),
		NL_FIELD(NFTA_CHAIN_HOOK, NL_NEST, raw, nest),
		NL_FIELD(NFTA_CHAIN_HOOK, NL_PRESENT, raw, base),
	};
	static const struct nl_field hook_fields[] = {
		NL_FIELD(NFTA_HOOK_HOOKNUM, NL_BE32, raw, hook),
		NL_FIELD(NFTA_HOOK_PRIORITY, NL_BE32, raw, priority),
	};
	struct raw r = {.policy = NF_ACCEPT, .hook = UINT32_MAX};

	if (!nl_read(names, ARRAY_SIZE(names), attrs, c) ||
	    !nl_read(fields, ARRAY_SIZE(fields), attrs, &r) ||
	    !nl_read(hook_fields, ARRAY_SIZE(hook_fields), r.nest, &r))
		return false;
	c->base = r.base;
	c->nat = strcmp(r.type, "nat") == 0;
	c->policy_drop = r.policy == NF_DROP;
	c->hook = hook_from(r.hook);
	c->priority = (int32_t)r.priority;
	return c->table[0] != '\0' && c->name[0] != '\0';
}

static bool decode_rule(struct nl_bytes attrs, struct nl_nft_rule *rule)
{
	static const struct nl_field names[] = {
		NL_FIELD(NFTA_RULE_TABLE, NL_STR, nl_nft_rule, table),
		NL_FIELD(NFTA_RULE_CHAIN, NL_STR, nl_nft_rule, chain),
		NL_FIELD(NFTA_RULE_HANDLE, NL_BE64, nl_nft_rule, handle),
	};
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_RULE_EXPRESSIONS, NL_NEST, raw, nest),
		NL_FIELD(NFTA_RULE_USERDATA, NL_NEST, raw, userdata),
	};
	struct raw r = {0};

	if (!nl_read(names, ARRAY_SIZE(names), attrs, rule) ||
	    !nl_read(fields, ARRAY_SIZE(fields), attrs, &r))
		return false;
	nl_nft_rule_get(rule->family, r.nest, r.userdata, &rule->rule, &rule->step);
	return rule->table[0] != '\0' && rule->chain[0] != '\0';
}

static bool decode_gen(struct nl_bytes attrs, struct nl_nft_gen *g)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_GEN_ID, NL_BE32, nl_nft_gen, id),
		NL_FIELD(NFTA_GEN_PROC_PID, NL_BE32, nl_nft_gen, pid),
		NL_FIELD(NFTA_GEN_PROC_NAME, NL_STR, nl_nft_gen, comm),
	};

	return nl_read(fields, ARRAY_SIZE(fields), attrs, g);
}

static bool decode_elements(struct nl_bytes attrs, struct nl_nft_elements *e)
{
	static const struct nl_field fields[] = {
		NL_FIELD(NFTA_SET_ELEM_LIST_ELEMENTS, NL_NEST, nl_nft_elements, list),
	};

	return nl_read(fields, ARRAY_SIZE(fields), attrs, e);
}

static bool family_from(uint8_t proto, enum fw_family *ret)
{
	for (unsigned i = 0; i < FW__COUNT; i++) {
		if (protos[i] == proto) {
			*ret = (enum fw_family)i;
			return true;
		}
	}
	return false;
}

bool nl_nft_decode(const struct nl_msg *m, struct nl_nft *ret)
{
	struct nfgenmsg h;
	struct nl_bytes attrs;
	enum fw_family family = FW_IP;
	bool known;

	memset(ret, 0, sizeof(*ret));
	ret->type = NL_NFT_OTHER;
	if (NFNL_SUBSYS_ID(m->type) != NFNL_SUBSYS_NFTABLES)
		return true;
	if (!nl_header(m, &h, sizeof(h), &attrs))
		return false;
	known = family_from(h.nfgen_family, &family);

	switch (NFNL_MSG_TYPE(m->type)) {
	case NFT_MSG_NEWTABLE:
		ret->table.family = family;
		ret->type = known ? NL_NFT_TABLE : NL_NFT_OTHER;
		return !known || decode_table(attrs, &ret->table);
	case NFT_MSG_NEWCHAIN:
		ret->chain.family = family;
		ret->type = known ? NL_NFT_CHAIN : NL_NFT_OTHER;
		return !known || decode_chain(attrs, &ret->chain);
	case NFT_MSG_NEWRULE:
		ret->rule.family = family;
		ret->type = known ? NL_NFT_RULE : NL_NFT_OTHER;
		return !known || decode_rule(attrs, &ret->rule);
	case NFT_MSG_NEWSETELEM:
		ret->elements.family = family;
		ret->type = known ? NL_NFT_ELEMENTS : NL_NFT_OTHER;
		return !known || decode_elements(attrs, &ret->elements);
	case NFT_MSG_NEWGEN:
		ret->type = NL_NFT_GEN;
		return decode_gen(attrs, &ret->gen);
	default:
		return true;
	}
}
