/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(text, &c));
	return c;
}

/* ---- property: what we write, we read back equal ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

static struct cidr random_cidr(enum fw_family family)
{
	uint8_t b[16];
	size_t n = family == FW_IP ? 4 : 16;
	struct cidr c;

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)random_below(256);
	b[0] |= 1; /* never ::/n, which is "unset" */
	c = (struct cidr){ip_from_bytes(b, n), (uint8_t)(8 + random_below((uint32_t)(8 * n - 7)))};
	return cidr_masked(&c);
}

static struct fw_rule random_rule(enum fw_family family)
{
	struct fw_rule r = {.verdict = (enum fw_verdict)random_below(FW_VERDICT__COUNT)};

	if (family == FW_INET)
		family = random_below(2) ? FW_IP : FW_IP6; /* of this rule's packets */

	if (random_below(2)) {
		r.saddr = random_cidr(family);
		r.saddr_not = random_below(2);
	}
	if (random_below(2)) {
		r.daddr = random_cidr(family);
		r.daddr_not = random_below(2);
	}
	if (random_below(2))
		snprintf(r.iif, sizeof(r.iif), "%s", random_below(2) ? "cni0" : "fifteen-letters");
	if (random_below(2))
		snprintf(r.oif, sizeof(r.oif), "flannel.%u", random_below(5000));
	if (random_below(2)) {
		r.mark_mask = random_below(2) ? UINT32_MAX : 0x4000;
		r.mark = 0x4000;
	}
	r.counter = random_below(2);
	r.fully_random = r.verdict == FW_MASQUERADE && random_below(2);
	if (random_below(2))
		snprintf(r.comment, sizeof(r.comment), "loden %u", random_below(1000));
	if (random_below(16) == 0)
		memset(r.comment, 'x', sizeof(r.comment) - 1);
	return r;
}

static bool next(struct nl_bytes *rest, struct nl_msg *m, struct nl_nft *ret)
{
	if (!nl_msg_next(rest, m)) {
		assert_int_equal(rest->n, 0);
		return false;
	}
	assert_true(nl_nft_decode(m, ret));
	return true;
}

static enum fw_scope scope_of(const struct fw_rule *r)
{
	bool place = r->iif[0] || r->oif[0] || cidr_is_set(&r->saddr) || cidr_is_set(&r->daddr);

	if (r->mark_mask)
		return FW_SCOPE_SOME;
	return place ? FW_SCOPE_PLACE : FW_SCOPE_ALL;
}

static void test_rule_roundtrip(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		enum fw_family family = (enum fw_family)random_below(FW__COUNT);
		struct fw_rule want = random_rule(family);
		struct nl_nft_splice s = {
			.family = family, .table = "t", .chain = "c", .ours = &want, .n_ours = 1};
		uint8_t bytes[1024];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest;
		struct nl_msg m;
		static struct nl_nft got;

		assert_true(nl_nft_put_splice(&b, 7, &s));
		rest = (struct nl_bytes){bytes, b.len};
		assert_true(next(&rest, &m, &got)); /* begin */
		assert_int_equal(got.type, NL_NFT_OTHER);
		assert_true(next(&rest, &m, &got));
		assert_int_equal(got.type, NL_NFT_RULE);
		assert_int_equal(got.rule.family, family);
		assert_string_equal(got.rule.table, "t");
		assert_string_equal(got.rule.chain, "c");
		assert_memory_equal(&got.rule.rule, &want, sizeof(want));
		assert_int_equal(got.rule.step.scope, scope_of(&want));
		assert_true(next(&rest, &m, &got)); /* end */
		assert_false(next(&rest, &m, &got));
	}
}

/* A whole table as a batch, read back message by message into a struct fw_table. */
static void test_table_roundtrip(void **state)
{
	struct fw_table want = {
		.family = FW_IP,
		.name = "loden",
		.n_chains = 2,
		.chains =
			{
				{.name = "forward",
				 .hook = FW_HOOK_FORWARD,
				 .priority = -5,
				 .n_rules = 2},
				{.name = "masq",
				 .nat = true,
				 .hook = FW_HOOK_POSTROUTING,
				 .priority = 110,
				 .policy_drop = true,
				 .n_rules = FW_RULES_MAX},
			},
	};
	uint8_t bytes[8192];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;
	static struct nl_nft got;
	static const unsigned head[] = {NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_NEWTABLE};

	(void)state;
	for (size_t i = 0; i < want.n_chains; i++) {
		for (size_t j = 0; j < want.chains[i].n_rules; j++)
			want.chains[i].rules[j] = random_rule(FW_IP);
	}
	assert_true(nl_nft_put_table(&b, 7, &want));
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(next(&rest, &m, &got));
	assert_int_equal(m.type, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
		assert_true(next(&rest, &m, &got));
		assert_int_equal(NFNL_MSG_TYPE(m.type), head[i]);
		assert_int_equal((m.flags & NLM_F_ACK) != 0, i == 0);
	}
	assert_int_equal(got.type, NL_NFT_TABLE);
	assert_string_equal(got.table.name, "loden");
	for (size_t i = 0; i < want.n_chains; i++) {
		const struct fw_own_chain *c = &want.chains[i];

		assert_true(next(&rest, &m, &got));
		assert_int_equal(got.type, NL_NFT_CHAIN);
		assert_string_equal(got.chain.name, c->name);
		assert_true(got.chain.base);
		assert_int_equal(got.chain.nat, c->nat);
		assert_int_equal(got.chain.hook, c->hook);
		assert_int_equal(got.chain.priority, c->priority);
		assert_int_equal(got.chain.policy_drop, c->policy_drop);
		for (size_t j = 0; j < c->n_rules; j++) {
			assert_true(next(&rest, &m, &got));
			assert_int_equal(got.type, NL_NFT_RULE);
			assert_true(m.flags & NLM_F_APPEND);
			assert_string_equal(got.rule.chain, c->name);
			assert_memory_equal(&got.rule.rule, &c->rules[j], sizeof(c->rules[j]));
		}
	}
	assert_true(next(&rest, &m, &got));
	assert_int_equal(m.type, NFNL_MSG_BATCH_END);
	assert_false(next(&rest, &m, &got));
}

/* In front of a rule each goes behind the one before it, as at the end. */
static void assert_splice(uint64_t before)
{
	static const uint64_t handles[] = {0x1122334455667788, 9};
	struct fw_rule ours[] = {
		{.saddr = cidr("10.244.0.0/16"), .verdict = FW_ACCEPT, .comment = "a"},
		{.daddr = cidr("10.244.0.0/16"), .verdict = FW_ACCEPT, .comment = "b"},
	};
	struct nl_nft_splice s = {FW_IP, "filter", "FORWARD", 77, handles, 2, before, ours, 2};
	uint8_t bytes[2048];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest, attrs;
	struct nl_msg m;
	struct nl_attr a;
	struct nfgenmsg h;
	static struct nl_nft got;

	assert_true(nl_nft_put_splice(&b, 7, &s));
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_true(nl_attr_find(attrs, NFNL_BATCH_GENID, &a));
	assert_int_equal(nl_get_be32(&a), 77);
	for (size_t i = 0; i < 2; i++) {
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(NFNL_MSG_TYPE(m.type), NFT_MSG_DELRULE);
		assert_true(nl_header(&m, &h, sizeof(h), &attrs));
		assert_true(nl_attr_find(attrs, NFTA_RULE_HANDLE, &a));
		assert_true(nl_get_be64(&a) == handles[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		struct nl_bytes peek = rest;

		assert_true(next(&rest, &m, &got));
		assert_string_equal(got.rule.rule.comment, ours[i].comment);
		assert_int_equal((m.flags & NLM_F_APPEND) != 0, before == 0);
		assert_true(nl_msg_next(&peek, &m));
		assert_true(nl_header(&m, &h, sizeof(h), &attrs));
		assert_int_equal(nl_attr_find(attrs, NFTA_RULE_POSITION, &a), before != 0);
		assert_true(before == 0 || nl_get_be64(&a) == before);
	}
}

static void test_chain_goes_after_its_jumps(void **state)
{
	static const uint64_t jumps[] = {5, 8};

	static const struct {
		unsigned type;
		const char *chain;
		uint64_t handle;
	} want[] = {
		{NFT_MSG_DELRULE, "POSTROUTING", 5},
		{NFT_MSG_DELRULE, "POSTROUTING", 8},
		{NFT_MSG_DELRULE, "FLANNEL-POSTRTG", 0},
		{NFT_MSG_DELCHAIN, "FLANNEL-POSTRTG", 0},
	};
	struct nl_nft_removal r = {FW_IP, "nat", "FLANNEL-POSTRTG", 77, "POSTROUTING", jumps, 2};
	uint8_t bytes[2048], small[200];
	struct nl_buf b = NL_BUF(bytes), tight = NL_BUF(small);
	struct nl_bytes rest, attrs;
	struct nl_msg m;
	struct nl_attr a;
	struct nfgenmsg h;

	(void)state;
	assert_true(nl_nft_del_chain(&b, 7, &r));
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_true(nl_attr_find(attrs, NFNL_BATCH_GENID, &a));
	assert_int_equal(nl_get_be32(&a), 77);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		bool rule = want[i].type == NFT_MSG_DELRULE;

		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(NFNL_MSG_TYPE(m.type), want[i].type);
		assert_true(nl_header(&m, &h, sizeof(h), &attrs));
		assert_int_equal(h.nfgen_family, NFPROTO_IPV4);
		assert_true(nl_attr_find(attrs, rule ? NFTA_RULE_CHAIN : NFTA_CHAIN_NAME, &a));
		assert_string_equal((const char *)a.value.p, want[i].chain);
		assert_int_equal(rule && nl_attr_find(attrs, NFTA_RULE_HANDLE, &a),
				 want[i].handle != 0);
		assert_true(!want[i].handle || nl_get_be64(&a) == want[i].handle);
	}
	assert_false(nl_nft_del_chain(&tight, 7, &r));
	assert_int_equal(tight.len, 0);
}

static void test_splice_is_ordered(void **state)
{
	(void)state;
	assert_splice(0);
	assert_splice(0x99);
}

static void test_too_small_leaves_nothing(void **state)
{
	struct fw_table t = {.family = FW_IP, .name = "loden"};
	uint8_t bytes[2048];
	struct nl_buf b = NL_BUF(bytes);
	size_t need;

	(void)state;
	assert_true(nl_nft_put_table(&b, 7, &t));
	need = b.len;
	for (size_t size = 0; size < need; size++) {
		b = (struct nl_buf){.bytes = bytes, .size_bytes = size};
		assert_false(nl_nft_put_table(&b, 7, &t));
		assert_int_equal(b.len, 0);
	}
}

/* ---- foreign rules, built expression by expression ---- */

struct built {
	uint8_t bytes[4096];
	struct nl_buf b;
	size_t list;
	struct fw_rule rule;
	struct fw_step step;
};

static void build_begin(struct built *t)
{
	t->b = (struct nl_buf){.bytes = t->bytes, .size_bytes = sizeof(t->bytes)};
	nl_begin(&t->b, 0, 0, 0, NULL, 0);
	t->list = nl_nest(&t->b, NFTA_RULE_EXPRESSIONS);
}

static void build_end(struct built *t, enum fw_family family, struct nl_bytes userdata)
{
	struct nl_bytes rest, attrs;
	struct nl_msg m;
	struct nl_attr a;

	nl_nest_end(&t->b, t->list);
	assert_true(nl_end(&t->b));
	rest = (struct nl_bytes){t->bytes, t->b.len};
	assert_true(nl_msg_next(&rest, &m));
	attrs = m.body;
	assert_true(nl_attr_next(&attrs, &a));
	nl_nft_rule_get(family, a.value, userdata, &t->rule, &t->step);
}

static size_t elem;

static size_t expr(struct built *t, const char *name)
{
	elem = nl_nest(&t->b, NFTA_LIST_ELEM);
	nl_put_str(&t->b, NFTA_EXPR_NAME, name);
	return nl_nest(&t->b, NFTA_EXPR_DATA);
}

static void expr_end(struct built *t, size_t data)
{
	nl_nest_end(&t->b, data);
	nl_nest_end(&t->b, elem);
}

static void value(struct built *t, uint16_t type, const void *v, size_t n)
{
	size_t nest = nl_nest(&t->b, type);

	nl_put(&t->b, NFTA_DATA_VALUE, v, n);
	nl_nest_end(&t->b, nest);
}

static void payload(struct built *t, uint32_t base, uint32_t offset, uint32_t len)
{
	size_t d = expr(t, "payload");

	nl_put_be32(&t->b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nl_put_be32(&t->b, NFTA_PAYLOAD_BASE, base);
	nl_put_be32(&t->b, NFTA_PAYLOAD_OFFSET, offset);
	nl_put_be32(&t->b, NFTA_PAYLOAD_LEN, len);
	expr_end(t, d);
}

static void meta(struct built *t, uint32_t key)
{
	size_t d = expr(t, "meta");

	nl_put_be32(&t->b, NFTA_META_KEY, key);
	nl_put_be32(&t->b, NFTA_META_DREG, NFT_REG_1);
	expr_end(t, d);
}

static void bitwise(struct built *t, const void *mask, const void * xor, size_t n)
{
	size_t d = expr(t, "bitwise");

	nl_put_be32(&t->b, NFTA_BITWISE_SREG, NFT_REG_1);
	nl_put_be32(&t->b, NFTA_BITWISE_DREG, NFT_REG_1);
	nl_put_be32(&t->b, NFTA_BITWISE_LEN, (uint32_t)n);
	nl_put_be32(&t->b, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	value(t, NFTA_BITWISE_MASK, mask, n);
	value(t, NFTA_BITWISE_XOR, xor, n);
	expr_end(t, d);
}

static void cmp(struct built *t, uint32_t op, const void *v, size_t n)
{
	size_t d = expr(t, "cmp");

	nl_put_be32(&t->b, NFTA_CMP_SREG, NFT_REG_1);
	nl_put_be32(&t->b, NFTA_CMP_OP, op);
	value(t, NFTA_CMP_DATA, v, n);
	expr_end(t, d);
}

static void verdict(struct built *t, int32_t code, const char *chain)
{
	size_t d = expr(t, "immediate"), data, v;

	nl_put_be32(&t->b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nl_nest(&t->b, NFTA_IMMEDIATE_DATA);
	v = nl_nest(&t->b, NFTA_DATA_VERDICT);
	nl_put_be32(&t->b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nl_put_str(&t->b, NFTA_VERDICT_CHAIN, chain);
	nl_nest_end(&t->b, v);
	nl_nest_end(&t->b, data);
	expr_end(t, d);
}

static void plain(struct built *t, const char *name)
{
	expr_end(t, expr(t, name));
}

/* "match:comment=hello", "target:LOG", "lookup:0" (into that register), anything else by name. */
static void build_words(struct built *t, const char *words)
{
	char buf[256], *save = NULL;

	snprintf(buf, sizeof(buf), "%s", words);
	for (char *p = strtok_r(buf, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char *arg = strchr(p, ':'), *info;
		size_t d;

		if (!arg && strcmp(p, "cmp") == 0) {
			cmp(t, NFT_CMP_EQ, "x", 1);
			continue;
		}
		if (!arg) {
			plain(t, p);
			continue;
		}
		*arg++ = '\0';
		if (strcmp(p, "verdict") == 0) {
			char *chain = strchr(arg, ',');

			if (chain)
				*chain++ = '\0';
			verdict(t, (int32_t)strtol(arg, NULL, 10), chain);
			continue;
		}
		d = expr(t, p);
		info = strchr(arg, '=');
		if (info)
			*info++ = '\0';
		if (strcmp(p, "match") == 0) {
			nl_put_str(&t->b, NFTA_MATCH_NAME, arg);
			if (info)
				nl_put_str(&t->b, NFTA_MATCH_INFO, info);
		} else if (strcmp(p, "target") == 0) {
			nl_put_str(&t->b, NFTA_TARGET_NAME, arg);
		} else if (strcmp(p, "lookup") == 0) {
			nl_put_be32(&t->b, NFTA_LOOKUP_DREG, (uint32_t)strtol(arg, NULL, 10));
		}
		expr_end(t, d);
	}
}

static void test_effect_of_foreign_rules(void **state)
{
	static const struct {
		const char *words;
		enum fw_effect effect;
		enum fw_scope scope;
		bool opaque;
		const char *chain;
	} rows[] = {
		{"", FW_EFFECT_NONE, FW_SCOPE_ALL, false, ""},
		{"counter", FW_EFFECT_NONE, FW_SCOPE_ALL, false, ""},
		{"verdict:1", FW_EFFECT_ACCEPT, FW_SCOPE_ALL, false, ""},
		{"cmp verdict:1", FW_EFFECT_ACCEPT, FW_SCOPE_SOME, true, ""},
		{"counter verdict:0", FW_EFFECT_DROP, FW_SCOPE_ALL, false, ""},
		{"verdict:-5", FW_EFFECT_RETURN, FW_SCOPE_ALL, false, ""},
		{"verdict:-1", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"verdict:-3,DOCKER", FW_EFFECT_JUMP, FW_SCOPE_ALL, true, "DOCKER"},
		{"ct cmp verdict:-4,x", FW_EFFECT_GOTO, FW_SCOPE_SOME, true, "x"},
		{"verdict:-3", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"verdict:3", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""}, /* NF_QUEUE */
		{"verdict:-2", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"reject", FW_EFFECT_DROP, FW_SCOPE_ALL, true, ""},
		{"log reject", FW_EFFECT_DROP, FW_SCOPE_ALL, true, ""},
		{"queue", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"limit log", FW_EFFECT_NONE, FW_SCOPE_SOME, true, ""},
		{"limit verdict:1", FW_EFFECT_ACCEPT, FW_SCOPE_SOME, true, ""},
		{"ct lookup:1 verdict:0", FW_EFFECT_DROP, FW_SCOPE_SOME, true, ""},
		{"ct lookup:0", FW_EFFECT_NONE, FW_SCOPE_SOME, true, ""}, /* verdict map */
		{"ct lookup:1", FW_EFFECT_NONE, FW_SCOPE_SOME, true, ""},
		{"target:REJECT", FW_EFFECT_DROP, FW_SCOPE_ALL, true, ""},
		{"target:DROP", FW_EFFECT_DROP, FW_SCOPE_ALL, true, ""},
		{"target:LOG", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"target:MARK", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"target:NFQUEUE", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"target:WHOKNOWS", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"match:conntrack counter target:REJECT", FW_EFFECT_DROP, FW_SCOPE_SOME, true, ""},
		{"match:comment=hi counter verdict:1", FW_EFFECT_ACCEPT, FW_SCOPE_ALL, false, ""},
		{"unheard-of", FW_EFFECT_NONE, FW_SCOPE_SOME, true, ""},
		{"unheard-of verdict:0", FW_EFFECT_DROP, FW_SCOPE_SOME, true, ""},
		{"queue verdict:0", FW_EFFECT_NONE, FW_SCOPE_ALL, true, ""},
		{"log verdict:0", FW_EFFECT_DROP, FW_SCOPE_ALL, true, ""},
		{"verdict:1 verdict:0", FW_EFFECT_ACCEPT, FW_SCOPE_ALL, true, ""},
		{"verdict:1 cmp", FW_EFFECT_ACCEPT, FW_SCOPE_ALL, true, ""},
		{"masq", FW_EFFECT_ACCEPT, FW_SCOPE_ALL, false, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct built t;

		build_begin(&t);
		build_words(&t, rows[i].words);
		build_end(&t, FW_IP, (struct nl_bytes){0});
		if (t.step.effect != rows[i].effect || t.step.scope != rows[i].scope ||
		    t.rule.opaque != rows[i].opaque || strcmp(t.step.chain, rows[i].chain) != 0)
			fail_msg("\"%s\": %s scope %s opaque %d chain \"%s\"", rows[i].words,
				 fw_effect_names[t.step.effect], fw_scope_names[t.step.scope],
				 t.rule.opaque, t.step.chain);
	}
}

/* iptables' way of writing what we write: short loads, names without padding, xt comment. */
static void test_reads_iptables_form(void **state)
{
	static struct built t;

	(void)state;
	build_begin(&t);
	meta(&t, NFT_META_OIFNAME);
	cmp(&t, NFT_CMP_EQ, "eth0", 5);
	payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 2);
	cmp(&t, NFT_CMP_NEQ, "\x0a\xf4", 2);
	payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	bitwise(&t, "\xff\xff\xe0\x00", "\0\0\0\0", 4);
	cmp(&t, NFT_CMP_EQ, "\x0a\x01\x20\x00", 4);
	build_words(&t, "match:comment=loden counter verdict:1");
	build_end(&t, FW_IP, (struct nl_bytes){0});
	assert_false(t.rule.opaque);
	assert_string_equal(t.rule.oif, "eth0");
	assert_true(cidr_eq(&t.rule.saddr, &(struct cidr){cidr("10.244.0.0/16").ip, 16}));
	assert_true(t.rule.saddr_not);
	assert_true(cidr_eq(&t.rule.daddr, &(struct cidr){cidr("10.1.32.0/19").ip, 19}));
	assert_false(t.rule.daddr_not);
	assert_string_equal(t.rule.comment, "loden");
	assert_true(t.rule.counter);
	assert_int_equal(t.rule.verdict, FW_ACCEPT);
	assert_int_equal(t.step.scope, FW_SCOPE_PLACE);
}

/* Each of these differs in meaning from anything struct fw_rule can say. */
static void test_near_misses_are_opaque(void **state)
{
	static struct built t;

	(void)state;
	for (int i = 0;; i++) {
		enum fw_family family = FW_IP;
		enum fw_scope scope = FW_SCOPE_SOME;

		build_begin(&t);
		switch (i) {
		case 0: /* a name prefix, eth* */
			scope = FW_SCOPE_PLACE;
			meta(&t, NFT_META_IIFNAME);
			cmp(&t, NFT_CMP_EQ, "eth", 3);
			break;
		case 1: /* not this interface */
			scope = FW_SCOPE_PLACE;
			meta(&t, NFT_META_IIFNAME);
			cmp(&t, NFT_CMP_NEQ, "eth0", 5);
			break;
		case 2: /* mask with a hole */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			bitwise(&t, "\xff\x00\xff\x00", "\0\0\0\0", 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x20\x00", 4);
			break;
		case 3: /* xor */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			bitwise(&t, "\xff\xff\x00\x00", "\1\0\0\0", 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x00", 4);
			break;
		case 4: /* value outside of the mask: never true */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			bitwise(&t, "\xff\xff\x00\x00", "\0\0\0\0", 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x01", 4);
			break;
		case 5: /* less than */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			cmp(&t, NFT_CMP_LT, "\x0a\x00\x00\x01", 4);
			break;
		case 6: /* an address of the frame, not of the packet */
			payload(&t, NFT_PAYLOAD_LL_HEADER, 12, 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x01", 4);
			break;
		case 7: /* two sources */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 1);
			cmp(&t, NFT_CMP_EQ, "\x0a", 1);
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 1);
			cmp(&t, NFT_CMP_NEQ, "\x0b", 1);
			break;
		case 8: /* inet: offsets depend on the packet */
			family = FW_INET;
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x01", 4);
			break;
		case 9: /* cmp on what nothing loaded */
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x01", 4);
			break;
		case 10: /* a range of names */
			scope = FW_SCOPE_PLACE;
			meta(&t, NFT_META_IIFNAME);
			bitwise(&t, "\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0",
				"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
			cmp(&t, NFT_CMP_EQ, "eth0\0\0\0\0\0\0\0\0\0\0\0", 16);
			break;
		case 11: /* rubbish behind the name's end */
			scope = FW_SCOPE_PLACE;
			meta(&t, NFT_META_IIFNAME);
			cmp(&t, NFT_CMP_EQ, "eth0\0x", 6);
			break;
		case 12: /* lengths that disagree */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00", 2);
			break;
		case 13: /* of a family, whatever the addresses */
			family = FW_INET;
			meta(&t, NFT_META_NFPROTO);
			cmp(&t, NFT_CMP_EQ, "\x02", 1);
			break;
		case 14: /* IPv4 out of the middle of an IPv6 header */
			family = FW_INET;
			meta(&t, NFT_META_NFPROTO);
			cmp(&t, NFT_CMP_EQ, "\x0a", 1);
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			cmp(&t, NFT_CMP_EQ, "\x0a\x00\x00\x01", 4);
			break;
		case 15: /* IPv4-mapped: to us that is IPv4 */
			family = FW_IP6;
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 8, 16);
			cmp(&t, NFT_CMP_EQ, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01", 16);
			break;
		case 16: /* no value at all */
			payload(&t, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
			plain(&t, "cmp");
			break;
		case 17: /* an interface by its index */
			scope = FW_SCOPE_PLACE;
			meta(&t, NFT_META_IIF);
			cmp(&t, NFT_CMP_EQ, "\1\0\0\0", 4);
			break;
		case 18: /* an interface and something else */
			meta(&t, NFT_META_IIFNAME);
			cmp(&t, NFT_CMP_NEQ, "eth0", 5);
			meta(&t, NFT_META_L4PROTO);
			cmp(&t, NFT_CMP_EQ, "\6", 1);
			break;
		default:
			return;
		}
		verdict(&t, NF_ACCEPT, NULL);
		build_end(&t, family, (struct nl_bytes){0});
		if (!t.rule.opaque || t.step.scope != scope)
			fail_msg("near miss %d: opaque %d scope %s", i, t.rule.opaque,
				 fw_scope_names[t.step.scope]);
	}
}

static void test_comments(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
		bool opaque;
	} rows[] = {
		{"\x00\x06loden", 8, "loden", false},
		{"\x00\x05loden", 7, "loden", false},
		{"\x01\x01x\x00\x03hi", 8, "hi", false}, /* behind another type */
		{"\x00\x20loden", 8, "", false},	 /* length that lies */
		{"\x00", 1, "", false},
		{"\x00\x02"
		 "a\0\0\x02"
		 "b",
		 8, "a", true},
		{"\x00\x31xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 51, "", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct built t;

		build_begin(&t);
		build_end(&t, FW_IP, (struct nl_bytes){(const uint8_t *)rows[i].bytes, rows[i].n});
		assert_string_equal(t.rule.comment, rows[i].want);
		assert_int_equal(t.rule.opaque, rows[i].opaque);
	}
}

static void test_decode_envelopes(void **state)
{
	struct nfgenmsg ip = {.nfgen_family = NFPROTO_IPV4}, arp = {.nfgen_family = NFPROTO_ARP};
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;
	static struct nl_nft got;

	(void)state;
	nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, 0, 1, &ip, sizeof(ip));
	nl_put_str(&b, NFTA_TABLE_NAME, "mine");
	nl_put_be32(&b, NFTA_TABLE_FLAGS, NFT_TABLE_F_DORMANT | NFT_TABLE_F_OWNER);
	nl_put_be32(&b, NFTA_TABLE_USE, 3);
	nl_put_be32(&b, NFTA_TABLE_OWNER, 812);
	assert_true(nl_end(&b));
	nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, 0, 1, &arp, sizeof(arp));
	assert_true(nl_end(&b));
	nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN, 0, 1, &ip, sizeof(ip));
	nl_put_be32(&b, NFTA_GEN_ID, 42);
	nl_put_be32(&b, NFTA_GEN_PROC_PID, 99);
	nl_put_str(&b, NFTA_GEN_PROC_NAME, "nft");
	assert_true(nl_end(&b));
	nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, 1, &ip, sizeof(ip));
	nl_put_str(&b, NFTA_RULE_TABLE, "nameless chain");
	assert_true(nl_end(&b));

	rest = (struct nl_bytes){bytes, b.len};
	assert_true(next(&rest, &m, &got));
	assert_int_equal(got.type, NL_NFT_TABLE);
	assert_true(got.table.dormant && got.table.owned);
	assert_int_equal(got.table.use, 3);
	assert_int_equal(got.table.owner_port, 812);
	assert_true(next(&rest, &m, &got));
	assert_int_equal(got.type, NL_NFT_OTHER);
	assert_true(next(&rest, &m, &got));
	assert_int_equal(got.type, NL_NFT_GEN);
	assert_int_equal(got.gen.id, 42);
	assert_int_equal(got.gen.pid, 99);
	assert_string_equal(got.gen.comm, "nft");
	assert_true(nl_msg_next(&rest, &m));
	assert_false(nl_nft_decode(&m, &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_roundtrip),
		cmocka_unit_test(test_table_roundtrip),
		cmocka_unit_test(test_splice_is_ordered),
		cmocka_unit_test(test_chain_goes_after_its_jumps),
		cmocka_unit_test(test_too_small_leaves_nothing),
		cmocka_unit_test(test_effect_of_foreign_rules),
		cmocka_unit_test(test_reads_iptables_form),
		cmocka_unit_test(test_near_misses_are_opaque),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_decode_envelopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
