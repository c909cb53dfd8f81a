/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that are kept in struct fw_step alone: what the walk of hook input needs to know. */
#include "wire/nl_nft_match.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/nl_nft_rule.h"

/* payload, cmp */
static void put_condition(struct nl_buf *b, uint32_t base, uint32_t offset, const void *v, size_t n)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "payload");
	size_t data;

	nl_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nl_put_be32(b, NFTA_PAYLOAD_BASE, base);
	nl_put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
	nl_put_be32(b, NFTA_PAYLOAD_LEN, (uint32_t)n);
	nl_nft_expr_end(b, e);
	e = nl_nft_expr_begin(b, "cmp");
	nl_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	nl_put_be32(b, NFTA_CMP_OP, NFT_CMP_EQ);
	data = nl_nest(b, NFTA_CMP_DATA);
	nl_put(b, NFTA_DATA_VALUE, v, n);
	nl_nest_end(b, data);
	nl_nft_expr_end(b, e);
}

static void put_match(struct nl_buf *b, const char *name, const void *info, size_t n)
{
	struct nl_nft_expr e = nl_nft_expr_begin(b, "match");

	nl_put_str(b, NFTA_MATCH_NAME, name);
	nl_put(b, NFTA_MATCH_INFO, info, n);
	nl_nft_expr_end(b, e);
}

static void read_rule(const struct nl_buf *b, struct fw_rule *ret_rule, struct fw_step *ret_step)
{
	struct nl_bytes rest = {b->bytes, b->len}, attrs;
	struct nl_msg m;
	struct nl_attr a;

	assert_true(nl_msg_next(&rest, &m));
	attrs = m.body;
	assert_true(nl_attr_next(&attrs, &a));
	nl_nft_rule_get(FW_IP, a.value, (struct nl_bytes){0}, ret_rule, ret_step);
}

static void test_udp(void **state)
{
#define PORTS(...) (const uint16_t[8]){__VA_ARGS__}, 16
#define KINDS(...) (const uint16_t[4]){__VA_ARGS__}, 8

	const struct {
		uint8_t proto;
		uint16_t ports[2];
		bool limit;
		const char *match;
		const uint16_t *info;
		size_t info_bytes;
		bool exact, udp;
		uint16_t port;
	} rows[] = {
		{17, {8472}, false, NULL, NULL, 0, true, true, 8472},
		{0, {8472}, false, NULL, NULL, 0, true, false, 8472},
		{17, {0}, false, "udp", PORTS(0, 65535, 8472, 8472), true, true, 8472},
		{0, {0}, false, "udp", PORTS(0, 65535, 1, 65535), false, false, 1},
		{0, {0}, false, "udp", PORTS(53, 53, 8472, 8472), false, false, 8472},
		{0, {0}, false, "udp", PORTS(0, 65535, 8472, 8472, 1), false, false, 8472},
		{0, {0}, false, "udp", KINDS(0, 65535, 8472), false, false, 0},
		{6, {8472}, false, NULL, NULL, 0, false, false, 8472},
		{0, {8472, 53}, false, NULL, NULL, 0, false, false, 8472},
		{0, {8472}, true, NULL, NULL, 0, false, false, 8472},
		{0, {0}, false, "addrtype", KINDS(0, 4), true, false, 0},
		{0, {0}, false, "addrtype", KINDS(0, 8), false, false, 0},
		{0, {0}, false, "addrtype", KINDS(4, 4), false, false, 0},
		{0, {0}, false, "addrtype", KINDS(0, 4, 1), false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[1024];
		struct nl_buf b = NL_BUF(bytes);
		struct fw_rule rule;
		struct fw_step step;
		size_t list;

		nl_begin(&b, 0, 0, 0, NULL, 0);
		list = nl_nest(&b, NFTA_RULE_EXPRESSIONS);
		if (rows[i].proto)
			put_condition(&b, NFT_PAYLOAD_NETWORK_HEADER, 9, &rows[i].proto, 1);
		for (size_t j = 0; j < 2 && rows[i].ports[j]; j++) {
			uint16_t be = htons(rows[i].ports[j]);

			put_condition(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, &be, sizeof(be));
		}
		if (rows[i].match)
			put_match(&b, rows[i].match, rows[i].info, rows[i].info_bytes);
		if (rows[i].limit)
			nl_nft_expr_end(&b, nl_nft_expr_begin(&b, "limit"));
		nl_nest_end(&b, list);
		assert_true(nl_end(&b));
		read_rule(&b, &rule, &step);
		if (!rule.opaque || step.scope != FW_SCOPE_SOME || step.exact != rows[i].exact ||
		    step.udp != rows[i].udp || step.port != rows[i].port)
			fail_msg("%zu: exact %d udp %d port %u", i, step.exact, step.udp,
				 step.port);
	}
}

/* A kernel's struct of another size says nothing that can be relied on. */
static void test_match_of_another_size_is_vague(void **state)
{
	static const uint8_t info[64];

	(void)state;
	for (size_t n = 0; n < sizeof(info); n++) {
		struct nl_nft_match m;

		nl_nft_match_init(&m, FW_IP);
		nl_nft_match_xt_addrtype(&m, (struct nl_bytes){info, n});
		assert_true(m.vague);
		assert_int_equal(m.scope, FW_SCOPE_SOME);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_match_of_another_size_is_vague),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
