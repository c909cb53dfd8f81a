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
	static struct nl_nft got;
	uint8_t bytes[4096];
	struct nl_msg m;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct guard g = {.family = i & 1 ? FW_IP6 : FW_IP, .port = 4789};
		const bool is_again = i & 2;
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

/* What the rule compares with the set: the bytes of an outer header's source address. */
static void the_rule_looks_at_the_source(void **state)
{
	static const struct {
		enum fw_family family;
		uint32_t offset, len; /* RFC 791, RFC 8200 */
	} cases[] = {{FW_IP, 12, 4}, {FW_IP6, 8, 16}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t bytes[2048];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest;
		struct nl_attr list, e, name, data, a;
		bool found = false;

		nl_begin(&b, 1, 0, 0, NULL, 0);
		nl_nft_guard_put_rule(&b, cases[i].family, 8472);
		assert_true(nl_end(&b));
		rest = (struct nl_bytes){bytes + sizeof(struct nlmsghdr),
					 b.len - sizeof(struct nlmsghdr)};
		assert_true(nl_attr_find(rest, NFTA_RULE_EXPRESSIONS, &list));
		while (nl_attr_next(&list.value, &e)) {
			assert_true(nl_attr_find(e.value, NFTA_EXPR_NAME, &name));
			if (strcmp((const char *)name.value.p, "payload") != 0)
				continue;
			assert_true(nl_attr_find(e.value, NFTA_EXPR_DATA, &data));
			assert_true(nl_attr_find(data.value, NFTA_PAYLOAD_BASE, &a));
			if (nl_get_be32(&a) != NFT_PAYLOAD_NETWORK_HEADER)
				continue;
			assert_true(nl_attr_find(data.value, NFTA_PAYLOAD_OFFSET, &a));
			assert_int_equal(nl_get_be32(&a), cases[i].offset);
			assert_true(nl_attr_find(data.value, NFTA_PAYLOAD_LEN, &a));
			assert_int_equal(nl_get_be32(&a), cases[i].len);
			found = true;
		}
		assert_true(found);
	}
}

static void peers_are_asked_for_by_table(void **state)
{
	struct nl_bytes rest, attrs;
	struct nfgenmsg h;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_true(nl_nft_get_peers(&b, 7, FW_IP6, "t"));
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(m.type, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM);
	assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_int_equal(h.nfgen_family, 10); /* NFPROTO_IPV6 */
	assert_true(nl_attr_find(attrs, NFTA_SET_ELEM_LIST_TABLE, &a));
	assert_string_equal((const char *)a.value.p, "t");
	assert_true(nl_attr_find(attrs, NFTA_SET_ELEM_LIST_SET, &a));
	assert_string_equal((const char *)a.value.p, NL_NFT_GUARD_SET);
}

/* In one transaction with changes of chains the kernel would refuse it. */
static void waking_touches_table_and_set_alone(void **state)
{
	static const uint16_t types[] = {NFT_MSG_NEWTABLE, NFT_MSG_NEWSET};
	struct nl_bytes rest, attrs;
	struct nfgenmsg h;
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_attr a;
	struct nl_msg m;

	(void)state;
	assert_true(nl_nft_wake_guard(&b, 7, "t", FW_IP));
	assert_types(&b, types, ARRAY_SIZE(types), &m);
	rest = (struct nl_bytes){bytes, b.len};
	assert_true(nl_msg_next(&rest, &m) && nl_msg_next(&rest, &m));
	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_true(nl_attr_find(attrs, NFTA_TABLE_FLAGS, &a));
	assert_int_equal(nl_get_be32(&a), 0);
}

/* Somebody may have put into the set what is no address. */
static void what_is_no_address_is_passed_over(void **state)
{
	const struct ip peer = ip_from_v4(0xc0a80001);
	const uint8_t port[2] = {1, 2};
	struct nl_bytes rest;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	size_t elem, key;
	struct ip ip;

	(void)state;
	nl_begin(&b, 1, 0, 0, NULL, 0);
	elem = nl_nest(&b, NFTA_LIST_ELEM); /* no key */
	nl_nest_end(&b, elem);
	elem = nl_nest(&b, NFTA_LIST_ELEM); /* a key without a value */
	key = nl_nest(&b, NFTA_SET_ELEM_KEY);
	nl_nest_end(&b, key);
	nl_nest_end(&b, elem);
	elem = nl_nest(&b, NFTA_LIST_ELEM); /* two bytes */
	key = nl_nest(&b, NFTA_SET_ELEM_KEY);
	nl_put(&b, NFTA_DATA_VALUE, port, sizeof(port));
	nl_nest_end(&b, key);
	nl_nest_end(&b, elem);
	nl_nft_guard_put_peer(&b, &peer);
	assert_true(nl_end(&b));
	rest = (struct nl_bytes){bytes + sizeof(struct nlmsghdr), b.len - sizeof(struct nlmsghdr)};
	assert_true(nl_nft_guard_next_peer(&rest, &ip));
	assert_true(ip_eq(&ip, &peer));
	assert_false(nl_nft_guard_next_peer(&rest, &ip));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_name_the_port),
		cmocka_unit_test(peers_are_read_as_written),
		cmocka_unit_test(what_does_not_fit_is_not_there),
		cmocka_unit_test(the_rule_is_known_by_its_comment),
		cmocka_unit_test(the_rule_looks_at_the_source),
		cmocka_unit_test(peers_are_asked_for_by_table),
		cmocka_unit_test(waking_touches_table_and_set_alone),
		cmocka_unit_test(what_is_no_address_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
