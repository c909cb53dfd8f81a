/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/nl.h"

struct head {
	uint8_t family, pad;
	uint16_t flags;
	uint32_t index;
};

enum {
	A_U8 = 1,
	A_U16,
	A_U32,
	A_BE16,
	A_BE32,
	A_BE64,
	A_STR,
	A_IP4,
	A_IP6,
	A_MAC,
	A_FLAG,
	A_NEST,
	A_UNKNOWN = 99,
};

static const struct ip ip4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 244, 1, 0}};
static const struct ip ip6 = {{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}};
static const struct mac mac = {{2, 0, 0, 0, 0, 9}};

/* One message with one attribute of each kind. */
static bool build(struct nl_buf *b, uint32_t seq)
{
	struct head h = {.family = 7, .index = 12};
	size_t nest;

	nl_begin(b, 24, NLM_F_REQUEST | NLM_F_ACK, seq, &h, sizeof(h));
	nl_put_u8(b, A_U8, 0x81);
	nl_put_u16(b, A_U16, 0x8182);
	nl_put_u32(b, A_U32, 0x81828384);
	nl_put_be16(b, A_BE16, 8472);
	nl_put_be32(b, A_BE32, 0x01020304);
	nl_put_be64(b, A_BE64, 0x0102030405060708);
	nl_put_str(b, A_STR, "flannel.1");
	nl_put_ip(b, A_IP4, &ip4);
	nl_put_ip(b, A_IP6, &ip6);
	nl_put(b, A_MAC, &mac, sizeof(mac));
	nl_put(b, A_FLAG, NULL, 0);
	nest = nl_nest(b, A_NEST);
	nl_put_u8(b, 1, 5);
	nl_nest_end(b, nest);
	nl_put_u32(b, A_UNKNOWN, 1);
	return nl_end(b);
}

struct all {
	uint8_t u8;
	uint16_t u16, be16;
	uint32_t u32, be32;
	uint64_t be64;
	char str[10], short_str[9];
	struct ip ip4, ip6;
	struct mac mac;
	bool flag, yes, no;
	struct nl_bytes nest;
};

static const struct nl_field all_fields[] = {
	NL_FIELD(A_U8, NL_U8, all, u8),	      NL_FIELD(A_U8, NL_BOOL, all, yes),
	NL_FIELD(A_U16, NL_U16, all, u16),    NL_FIELD(A_U32, NL_U32, all, u32),
	NL_FIELD(A_BE16, NL_BE16, all, be16), NL_FIELD(A_BE32, NL_BE32, all, be32),
	NL_FIELD(A_BE64, NL_BE64, all, be64), NL_FIELD(A_STR, NL_STR, all, str),
	NL_FIELD(A_IP4, NL_IP, all, ip4),     NL_FIELD(A_IP6, NL_IP, all, ip6),
	NL_FIELD(A_MAC, NL_MAC, all, mac),    NL_FIELD(A_FLAG, NL_PRESENT, all, flag),
	NL_FIELD(A_NEST, NL_NEST, all, nest), NL_FIELD(A_STR, NL_STR, all, short_str),
	NL_FIELD(A_U32, NL_BOOL, all, no), /* wrong size: left alone */
};

static void test_what_is_written_is_read_back(void **state)
{
	(void)state;
	uint8_t bytes[1024];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest, attrs;
	struct head h;
	struct nl_msg m;
	struct nl_attr a;
	struct all all = {.short_str = "before"};

	assert_true(build(&b, 1));
	assert_true(build(&b, 2));
	rest = (struct nl_bytes){bytes, b.len};
	for (uint32_t seq = 1; seq <= 2; seq++) {
		assert_true(nl_msg_next(&rest, &m));
		assert_int_equal(m.type, 24);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_ACK);
		assert_int_equal(m.seq, seq);
		assert_int_equal(m.port, 0);
	}
	assert_false(nl_msg_next(&rest, &m));
	assert_int_equal(rest.n, 0);

	assert_true(nl_header(&m, &h, sizeof(h), &attrs));
	assert_int_equal(h.family, 7);
	assert_int_equal(h.index, 12);
	assert_true(nl_read(all_fields, ARRAY_SIZE(all_fields), attrs, &all));
	assert_int_equal(all.u8, 0x81);
	assert_int_equal(all.u16, 0x8182);
	assert_int_equal(all.u32, 0x81828384);
	assert_int_equal(all.be16, 8472);
	assert_int_equal(all.be32, 0x01020304);
	assert_true(all.be64 == 0x0102030405060708);
	assert_string_equal(all.str, "flannel.1");
	assert_string_equal(all.short_str, "");
	assert_memory_equal(&all.ip4, &ip4, sizeof(ip4));
	assert_memory_equal(&all.ip6, &ip6, sizeof(ip6));
	assert_memory_equal(&all.mac, &mac, sizeof(mac));
	assert_true(all.flag && all.yes && !all.no);
	assert_true(nl_attr_find(all.nest, 1, &a));
	assert_int_equal(nl_get_u8(&a), 5);
	assert_false(nl_attr_find(all.nest, 2, &a));
}

static void test_big_endian_is_big_endian(void **state)
{
	(void)state;
	static const uint8_t want[] = {0x21, 0x18, 1, 2, 3, 4};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);

	nl_begin(&b, 1, 0, 0, NULL, 0);
	nl_put_be16(&b, 1, 8472);
	nl_put_be32(&b, 2, 0x01020304);
	assert_true(nl_end(&b));
	assert_memory_equal(bytes + 16 + 4, want, 2);
	assert_memory_equal(bytes + 16 + 8 + 4, want + 2, 4);
}

static void test_what_does_not_fit_is_taken_back(void **state)
{
	(void)state;
	uint8_t bytes[1024];
	struct nl_buf whole = NL_BUF(bytes);

	assert_true(build(&whole, 1));
	for (size_t room = 0; room < whole.len; room++) {
		uint8_t small[2048];
		struct nl_buf b = {.bytes = small, .size_bytes = whole.len + room};

		memset(small, 0xee, sizeof(small));
		assert_true(build(&b, 1));
		assert_false(build(&b, 2));
		assert_int_equal(b.len, whole.len);
		assert_int_equal(b.last, 0);
		assert_memory_equal(small, bytes, whole.len);
		for (size_t i = b.size_bytes; i < sizeof(small); i++)
			assert_int_equal(small[i], 0xee);
	}
}

static void test_too_long_an_attribute_is_refused(void **state)
{
	(void)state;
	static uint8_t bytes[200000], value[70000];
	struct nl_buf b = NL_BUF(bytes);
	size_t nest;

	nl_begin(&b, 1, 0, 0, NULL, 0);
	nl_put(&b, 1, value, 65532);
	assert_false(nl_end(&b));
	nl_begin(&b, 1, 0, 0, NULL, 0);
	nl_put(&b, 1, value, 65531);
	assert_true(nl_end(&b));
	nl_begin(&b, 1, 0, 0, NULL, 0);
	nest = nl_nest(&b, 1);
	nl_put(&b, 1, value, 40000);
	nl_put(&b, 2, value, 40000);
	nl_nest_end(&b, nest);
	assert_false(nl_end(&b));
}

/* Each prefix of a message, and lengths that lie, at every offset from alignment. */
static void test_a_walker_stays_inside(void **state)
{
	(void)state;
	uint8_t bytes[1024], copy[1024 + 3];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest, attrs;
	struct nl_msg m;
	struct head h;
	struct all all;

	assert_true(build(&b, 1));
	for (size_t off = 0; off < 4; off++) {
		memcpy(copy + off, bytes, b.len);
		for (size_t n = 0; n < b.len; n++) {
			rest = (struct nl_bytes){copy + off, n};
			assert_false(nl_msg_next(&rest, &m));
			assert_int_equal(rest.n, n);
		}
		for (uint16_t len = 0; len < 40; len++) {
			/* the first attribute's length */
			memcpy(copy + off + 16 + sizeof(h), &len, sizeof(len));
			rest = (struct nl_bytes){copy + off, b.len};
			assert_true(nl_msg_next(&rest, &m));
			assert_true(nl_header(&m, &h, sizeof(h), &attrs));
			memset(&all, 0, sizeof(all));
			nl_read(all_fields, ARRAY_SIZE(all_fields), attrs, &all);
			if (len < 4)
				assert_int_equal(all.u16, 0);
		}
	}
	m.body.n = sizeof(h) - 1;
	assert_false(nl_header(&m, &h, sizeof(h), &attrs));
}

static void test_an_attribute_past_the_end_is_rubbish(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {5, 0, 1, 0, 7, 0, 0, 0, 9, 0, 1, 0, 1, 2, 3, 4};
	struct nl_bytes attrs = {bytes, sizeof(bytes)};
	struct all all = {0};
	static const struct nl_field f[] = {NL_FIELD(1, NL_U8, all, u8)};

	assert_false(nl_read(f, 1, attrs, &all));
	assert_int_equal(all.u8, 7);
	attrs.n = 8;
	assert_true(nl_read(f, 1, attrs, &all));
	attrs.n = 5; /* the last attribute need not be padded */
	assert_true(nl_read(f, 1, attrs, &all));
}

/* An NLMSG_ERROR as the kernel builds it: code, the request (header or whole), words. */
static size_t error_message(uint8_t *bytes, size_t size, int32_t code, bool capped,
			    const char *words)
{
	struct nl_buf b = {.bytes = bytes, .size_bytes = size};

	struct {
		int32_t code;
		struct nlmsghdr request;
		uint8_t body[8];
	} head = {.code = code, .request = {.nlmsg_len = 24, .nlmsg_seq = 9}};

	nl_begin(&b, NLMSG_ERROR, (capped ? NLM_F_CAPPED : 0) | (words ? NLM_F_ACK_TLVS : 0), 9,
		 &head, capped ? 20 : 28);
	if (words) {
		nl_put_u32(&b, NLMSGERR_ATTR_OFFS, 20);
		nl_put_str(&b, NLMSGERR_ATTR_MSG, words);
	}
	assert_true(nl_end(&b));
	return b.len;
}

static void test_acks_tell_code_and_words(void **state)
{
	(void)state;

	static const struct {
		int code;
		bool capped;
		const char *words, *text;
	} cases[] = {
		{0, true, NULL, ""},
		{-EEXIST, true, NULL, ""},
		{-EINVAL, true, "Invalid \"prefix\"", "Invalid \\x22prefix\\x22"},
		{-EINVAL, false, "Nexthop id does not exist", "Nexthop id does not exist"},
		{-EINVAL, true, "", ""},
	};

	uint8_t bytes[256];
	struct nl_bytes rest;
	struct nl_msg m;
	struct nl_ack ack;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rest.p = bytes;
		rest.n = error_message(bytes, sizeof(bytes), cases[i].code, cases[i].capped,
				       cases[i].words);
		assert_true(nl_msg_next(&rest, &m));
		assert_true(nl_ack_decode(&m, &ack));
		assert_int_equal(ack.code, cases[i].code);
		assert_int_equal(ack.seq, 9);
		assert_string_equal(ack.text, cases[i].text);
		m.body.n = 19;
		assert_false(nl_ack_decode(&m, &ack));
		m.type = 24;
		assert_false(nl_ack_decode(&m, &ack));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_back),
		cmocka_unit_test(test_big_endian_is_big_endian),
		cmocka_unit_test(test_what_does_not_fit_is_taken_back),
		cmocka_unit_test(test_too_long_an_attribute_is_refused),
		cmocka_unit_test(test_a_walker_stays_inside),
		cmocka_unit_test(test_an_attribute_past_the_end_is_rubbish),
		cmocka_unit_test(test_acks_tell_code_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
