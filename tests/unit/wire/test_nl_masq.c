/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_masq.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cidr cidr(const char *text)
{
	struct cidr ret;

	assert_true(cidr_parse(text, &ret));
	return ret;
}

static void test_nl_masq_batch(void **state)
{
	/* What the messages of the batch are, and which of them are rules with our comment. */
	static const struct {
		uint16_t type, flags;
		const char *comment;
	} rows[] = {
		{NFNL_MSG_BATCH_BEGIN, 0, NULL},
		{NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, NULL},
		{NFT_MSG_NEWCHAIN, NLM_F_CREATE, NULL},
		{NFT_MSG_NEWCHAIN, NLM_F_CREATE, NULL},
		{NFT_MSG_DELRULE, 0, NULL},
		{NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, ""},
		{NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, ""},
		{NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, ""},
		{NFT_MSG_DELRULE, 0, NULL},
		{NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "key, net: n"},
		{NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "key, net: n"},
		{NFNL_MSG_BATCH_END, 0, NULL},
	};

	const uint64_t gone = 7;
	const struct cidr addrs[] = {cidr("10.0.0.2/24"), cidr("fd00::2/64")};
	const struct nl_masq_change c = {
		.with_table = true,
		.gone = &gone,
		.n_gone = 1,
		.addrs = addrs,
		.n_addrs = 2,
		.comment = "key, net: n",
	};
	uint8_t bytes[8192];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;
	size_t i = 0;

	(void)state;
	assert_true(nl_masq_put(&b, 5, &c));
	for (rest = (struct nl_bytes){b.bytes, b.len}; nl_msg_next(&rest, &m); i++) {
		struct nl_masq_rule rule;

		assert_true(i < ARRAY_SIZE(rows));
		assert_int_equal(m.seq, 5);
		assert_int_equal(m.type & 0xff, rows[i].type);
		assert_int_equal(m.flags & ~NLM_F_REQUEST, rows[i].flags);
		if (!rows[i].comment) {
			assert_int_equal(nl_masq_decode(&m, &rule), NL_MASQ_OTHER);
			continue;
		}
		assert_int_equal(nl_masq_decode(&m, &rule), 0);
		assert_string_equal(rule.comment, rows[i].comment);
		assert_string_equal(rule.chain,
				    *rows[i].comment ? NL_MASQ_CHAIN : NL_MASQ_POSTROUTING);
	}
	assert_int_equal(i, ARRAY_SIZE(rows));
	assert_int_equal(rest.n, 0);
}

static void test_nl_masq_too_small(void **state)
{
	const struct nl_masq_change c = {.with_table = true};
	uint8_t bytes[300];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	assert_false(nl_masq_put(&b, 1, &c));
	assert_int_equal(b.len, 0);
}

/* User data that lies about its lengths. */
static void test_nl_masq_damaged(void **state)
{
	static const uint8_t tlvs[][6] = {
		{0, 200, 'a', 'b', 'c', 0},
		{9, 0, 0, 3, 'x', 0},
		{0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tlvs); i++) {
		const struct nfgenmsg head = {.nfgen_family = 1}; /* NFPROTO_INET */
		struct nl_masq_rule rule;
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest;
		struct nl_msg m;

		nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, 1, &head,
			 sizeof(head));
		nl_put_str(&b, NFTA_RULE_TABLE, NL_MASQ_TABLE);
		nl_put(&b, NFTA_RULE_USERDATA, tlvs[i], sizeof(tlvs[i]));
		assert_true(nl_end(&b));
		rest = (struct nl_bytes){b.bytes, b.len};
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(nl_masq_decode(&m, &rule), 0);
		assert_string_equal(rule.comment, "");
		m.body.n = 3;
		assert_int_equal(nl_masq_decode(&m, &rule), -EBADMSG);
	}
}

static void test_nl_masq_asks_for_its_table(void **state)
{
	struct nl_bytes rest, attrs;
	struct nfgenmsg h;
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_true(nl_masq_get(&b, 5));
	rest = (struct nl_bytes){b.bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE);
	assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_int_equal(h.nfgen_family, 1); /* NFPROTO_INET */
	assert_true(nl_attr_find(attrs, NFTA_RULE_TABLE, &a));
	assert_string_equal((const char *)a.value.p, NL_MASQ_TABLE);
	assert_false(nl_attr_find(attrs, NFTA_RULE_CHAIN, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nl_masq_batch),
		cmocka_unit_test(test_nl_masq_too_small),
		cmocka_unit_test(test_nl_masq_damaged),
		cmocka_unit_test(test_nl_masq_asks_for_its_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
