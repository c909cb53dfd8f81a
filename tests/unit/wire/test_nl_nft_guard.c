/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_nft_guard.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/nl_nft.h"

static void comments_name_the_port(void **state)
{
	static const struct {
		const char *comment;
		uint16_t port;
	} cases[] = {
		{"loden guard 8472 1", 8472},
		{"loden guard 65535 1", 65535},
		{"loden guard 65536 1", 0},
		{"loden guard 0 1", 0},
		{"loden guard 8472", 0},
		{"loden guard 8472 2", 0},
		{"loden guard 08472 1", 0},
		{"loden guard  1", 0},
		{"loden guard", 0},
		{"", 0},
		{"loden guard 99999999999999999999 1", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(nl_nft_guard_port(cases[i].comment), cases[i].port);
	for (unsigned port = 1; port <= UINT16_MAX; port += 131) {
		char comment[FW_COMMENT_SIZE];

		nl_nft_guard_comment((uint16_t)port, comment);
		assert_int_equal(nl_nft_guard_port(comment), port);
	}
}

static struct guard_peer peers[600];
static struct op ops[ARRAY_SIZE(peers)];

static void make_ops(enum op_verb verb, bool v6, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t b[16] = {0xfd, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i};

		peers[i].ip = v6 ? ip_from_bytes(b, 16) : ip_from_v4(0xc0a80000u + (uint32_t)i);
		ops[i] =
			(struct op){.verb = verb,
				    .object = {.kind = OBJECT_GUARD_PEER, .guard_peer = &peers[i]}};
	}
}

/* The types of a batch's messages, and the last one but the end. */
static void assert_types(const struct nl_buf *b, const uint16_t *types, size_t n,
			 struct nl_msg *ret_last)
{
	struct nl_bytes rest = {b->bytes, b->len};
	struct nl_msg m;

	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < n; i++) {
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(m.type, NFNL_SUBSYS_NFTABLES << 8 | types[i]);
		/* Only the first asks for an answer. */
		assert_int_equal((m.flags & NLM_F_ACK) != 0, i == 0);
		*ret_last = m;
	}
	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_MSG_BATCH_END);
	assert_int_equal(rest.n, 0);
}

static void peers_are_read_as_written(void **state)
{
	static const uint16_t adding[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM};
	static const uint16_t deleting[] = {NFT_MSG_DELSETELEM};
	static uint8_t bytes[16384];

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct nl_buf b = NL_BUF(bytes);
		static struct nl_nft got;
		struct nl_msg m;
		struct ip ip;
		size_t n = 0;

		make_ops(OP_ADD, v6, 512);
		assert_true(nl_nft_put_peers(&b, 7, "t", ops, 512));
		assert_types(&b, adding, ARRAY_SIZE(adding), &m);
		assert_true(nl_nft_decode(&m, &got));
		assert_int_equal(got.type, NL_NFT_ELEMENTS);
		assert_int_equal(got.elements.family, v6 ? FW_IP6 : FW_IP);
		while (nl_nft_guard_next_peer(&got.elements.list, &ip))
			assert_true(ip_eq(&ip, &peers[n++].ip));
		assert_int_equal(n, 512);

		b = NL_BUF(bytes);
		make_ops(OP_DEL, v6, 1);
		assert_true(nl_nft_put_peers(&b, 7, "t", ops, 1));
		assert_types(&b, deleting, 1, &m);
	}
}

static void what_does_not_fit_is_not_there(void **state)
{
	uint8_t bytes[4096];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	make_ops(OP_ADD, false, 600);
	assert_false(nl_nft_put_peers(&b, 7, "t", ops, 600));
	assert_int_equal(b.len, 0);
}

static void the_rule_is_known_by_its_comment(void **state)
{
	static const uint16_t first[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWSET, NFT_MSG_NEWCHAIN,
					 NFT_MSG_NEWRULE};
	static const uint16_t again[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWSET, NFT_MSG_DELCHAIN,
					 NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE};
	const struct guard g = {.family = FW_IP6, .port = 4789};
	static struct nl_nft got;
	uint8_t bytes[4096];
	struct nl_msg m;

	(void)state;
	for (int is_again = 0; is_again < 2; is_again++) {
		struct nl_buf b = NL_BUF(bytes);

		assert_true(nl_nft_put_guard(&b, 7, "t", &g, is_again));
		assert_types(&b, is_again ? again : first,
			     is_again ? ARRAY_SIZE(again) : ARRAY_SIZE(first), &m);
		assert_true(nl_nft_decode(&m, &got));
		assert_int_equal(got.type, NL_NFT_RULE);
		assert_string_equal(got.rule.chain, NL_NFT_GUARD_CHAIN);
		assert_int_equal(nl_nft_guard_port(got.rule.rule.comment), 4789);
		assert_int_equal(got.rule.rule.verdict, FW_DROP);
		assert_true(got.rule.rule.opaque); /* it is no rule of the other table's kind */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_name_the_port),
		cmocka_unit_test(peers_are_read_as_written),
		cmocka_unit_test(what_does_not_fit_is_not_there),
		cmocka_unit_test(the_rule_is_known_by_its_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
