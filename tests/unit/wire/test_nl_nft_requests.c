/* SPDX-License-Identifier: Apache-2.0 */
/* Of wire/nl_nft what says nothing about rules: requests, removals, rubbish. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/nl_nft.h"

/* What the dumps ask for. */
static void test_requests(void **state)
{
	static const struct {
		unsigned type;
		uint8_t proto;
		bool dump;
		const char *table, *chain; /* NULL = not asked for */
	} want[] = {
		{NFT_MSG_GETGEN, NFPROTO_UNSPEC, false, NULL, NULL},
		{NFT_MSG_GETTABLE, NFPROTO_UNSPEC, true, NULL, NULL},
		{NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, true, NULL, NULL},
		{NFT_MSG_GETRULE, NFPROTO_INET, true, "loden", NULL},
		{NFT_MSG_GETRULE, NFPROTO_IPV6, true, "filter", "FORWARD"},
	};

	uint8_t bytes[1024];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest, attrs;
	struct nfgenmsg h;
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	static_assert((int)NFTA_RULE_TABLE == 1 && (int)NFTA_RULE_CHAIN == 2);
	assert_true(nl_nft_get_gen(&b, 1) && nl_nft_get_tables(&b, 2) && nl_nft_get_chains(&b, 3));
	assert_true(nl_nft_get_rules(&b, 4, FW_INET, "loden", NULL));
	assert_true(nl_nft_get_rules(&b, 5, FW_IP6, "filter", "FORWARD"));
	rest = (struct nl_bytes){bytes, b.len};
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(m.type, NFNL_SUBSYS_NFTABLES << 8 | want[i].type);
		assert_int_equal(m.seq, i + 1);
		assert_int_equal(m.flags, NLM_F_REQUEST | (want[i].dump ? NLM_F_DUMP : 0));
		assert_true(nl_header(&m, &h, sizeof(h), &attrs));
		assert_int_equal(h.nfgen_family, want[i].proto);
		assert_int_equal(nl_attr_find(attrs, NFTA_RULE_TABLE, &a), want[i].table != NULL);
		if (want[i].table)
			assert_string_equal((const char *)a.value.p, want[i].table);
		assert_int_equal(nl_attr_find(attrs, NFTA_RULE_CHAIN, &a), want[i].chain != NULL);
		if (want[i].chain)
			assert_string_equal((const char *)a.value.p, want[i].chain);
	}
	assert_int_equal(rest.n, 0);
}

/* The chains stay, hooked: all rules go, then ours come. */
static void test_rules_replaced_in_place(void **state)
{
	struct fw_table t = {
		.family = FW_IP6,
		.name = "loden",
		.n_chains = 2,
		.chains = {{.name = "forward", .n_rules = 2}, {.name = "postrouting"}},
	};

	static const struct {
		unsigned type;
		const char *chain;
	} want[] = {
		{NFT_MSG_DELRULE, "forward"},
		{NFT_MSG_NEWRULE, "forward"},
		{NFT_MSG_NEWRULE, "forward"},
		{NFT_MSG_DELRULE, "postrouting"},
	};

	uint8_t bytes[2048];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest, attrs;
	struct nfgenmsg h;
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		t.chains[0].rules[i] = (struct fw_rule){.verdict = FW_ACCEPT, .comment = "x"};
	assert_true(nl_nft_put_rules(&b, 7, &t));
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(NFNL_MSG_TYPE(m.type), want[i].type);
		assert_int_equal((m.flags & NLM_F_ACK) != 0, i == 0);
		assert_true(nl_header(&m, &h, sizeof(h), &attrs));
		assert_int_equal(h.nfgen_family, NFPROTO_IPV6);
		assert_true(nl_attr_find(attrs, NFTA_RULE_CHAIN, &a));
		assert_string_equal((const char *)a.value.p, want[i].chain);
		assert_false(nl_attr_find(attrs, NFTA_RULE_HANDLE, &a));
	}
	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_MSG_BATCH_END);
}

/* A table that may not be there is made first: then its removal cannot fail. */
static void test_table_removal_cannot_fail(void **state)
{
	static const uint16_t want[] = {
		NFNL_MSG_BATCH_BEGIN,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
		NFNL_MSG_BATCH_END,
	};
	const struct fw_table t = {.family = FW_IP, .name = "loden"};
	uint8_t bytes[1024];

	(void)state;
	for (int guard = 0; guard < 2; guard++) {
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest, attrs;
		struct nfgenmsg h;
		struct nl_attr a;
		struct nl_msg m;

		assert_true(guard ? nl_nft_del_guard(&b, 7, "loden", FW_IP)
				  : nl_nft_del_table(&b, 7, &t));
		rest = (struct nl_bytes){bytes, b.len};
		for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
			assert_true(nl_msg_next(&rest, &m));
			assert_int_equal(m.type, want[i]);
			assert_true(nl_header(&m, &h, sizeof(h), &attrs));
			if (i == 0 || i == 3)
				continue;
			assert_true(nl_attr_find(attrs, NFTA_TABLE_NAME, &a));
			assert_string_equal((const char *)a.value.p, "loden");
		}
		assert_int_equal(rest.n, 0);
	}
}

/* Messages whose attributes end in rubbish are of no use, whatever came before it. */
static void test_decode_rubbish(void **state)
{
	static const unsigned types[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE,
					 NFT_MSG_NEWGEN, NFT_MSG_NEWSETELEM};
	struct nfgenmsg ip = {.nfgen_family = NFPROTO_IPV4};
	static struct nl_nft got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest;
		struct nl_msg m;

		nl_begin(&b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | types[i]), 0, 1, &ip,
			 sizeof(ip));
		/* Number 1 names the table in all of them but NEWGEN, 2 and 3 what is in it. */
		nl_put_str(&b, 1, "abc");
		nl_put_str(&b, 2, "def");
		nl_put_str(&b, 3, "ghi");
		nl_put_u32(&b, 99, 0);
		bytes[b.len - 8] = 9; /* one byte longer than there is */
		assert_true(nl_end(&b));
		rest = (struct nl_bytes){bytes, b.len};
		assert_true(nl_msg_next(&rest, &m));
		assert_false(nl_nft_decode(&m, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_rules_replaced_in_place),
		cmocka_unit_test(test_table_removal_cannot_fail),
		cmocka_unit_test(test_decode_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
