/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pb_walk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

struct sample {
	int64_t number;
	char text[5];
	char magic[2];
};

static const struct pb_want leaf_wants[] = {
	PB_WANT_INT(1, struct sample, number),
	PB_WANT_TEXT(2, struct sample, text),
	PB_WANT_END,
};

static const struct pb_want other_wants[] = {
	PB_WANT_TEXT(9, struct sample, text),
	PB_WANT_END,
};

/* Contains itself: as deep as the input wants. */
static const struct pb_want sample_wants[] = {
	PB_WANT_INT(1, struct sample, number), PB_WANT_TEXT(2, struct sample, text),
	PB_WANT_MESSAGE(3, leaf_wants),	       PB_WANT_WRAPPED(4, struct sample, magic, leaf_wants),
	PB_WANT_MESSAGE(5, sample_wants),      PB_WANT_END,
};

static const char *table_name(const struct pb_want *wants)
{
	return wants == sample_wants ? "s" : wants == leaf_wants ? "l" : "o";
}

/* "s1=5 s3{ l2=hi } end": steps, then how it ended. What is entered by field 3 is read by `choice`,
 * unless it is leaf_wants. */
static void walk(struct pb_bytes in, uint64_t length, const struct pb_want *choice, size_t step,
		 struct text *t)
{
	struct sample s = {.text = "?"};
	struct pb_walk w;
	struct pb_step at;
	int r = 0;

	pb_walk_start(&w, sample_wants, &s, length);
	for (size_t i = 0; i < in.n && r >= 0; i += step) {
		struct pb_bytes piece = {in.p + i, MIN(step, in.n - i)};

		while ((r = pb_walk_next(&w, &piece, &at)) > 0) {
			if (at.type != PB_STEP_LEAVE)
				text_add(t, "%s%u", table_name(at.wants), at.number);
			if (at.type == PB_STEP_FIELD && at.number == 1)
				text_add(t, "=%lld ", (long long)s.number);
			else if (at.type == PB_STEP_FIELD)
				text_add(t, "=%s%s ", s.text, at.cut ? "…" : "");
			else if (at.type == PB_STEP_WRONG)
				text_add(t, "! ");
			else if (at.type == PB_STEP_LEAVE)
				text_add(t, "}%s%u ", table_name(at.wants), at.number);
			else
				text_add(t, "%.2s{ ", at.number == 4 ? s.magic : "");
			if (at.type == PB_STEP_ENTER && at.number == 3 && choice != leaf_wants)
				pb_walk_choose(&w, choice);
		}
		if (r == 0 && piece.n > 0)
			text_add(t, "%zu left ", piece.n);
	}
	text_add(t, "%s", r < 0 ? "bad" : pb_walk_at_end(&w) ? "end" : "more");
}

static const struct {
	const char *name;
	struct pb_bytes in;
	const char *want;
} walks[] = {
	{"leaves", BYTES("\x08\x96\x01\x12\x02hi"), "s1=150 s2=hi end"},
	{"empty leaf", BYTES("\x12\x00"), "s2= end"},
	{"just fits", BYTES("\x12\x04word\x08\x01"), "s2=word s1=1 end"},
	{"cut", BYTES("\x12\x09long text\x08\x01"), "s2=long… s1=1 end"},
	{"unwanted of all types",
	 BYTES("\x30\x01\x3a\x03xyz\x45\x01\x02\x03\x04\x49\x01\x02\x03\x04\x05\x06\x07\x08\x08\x02"),
	 "s1=2 end"},
	{"message", BYTES("\x1a\x06\x08\x01\x12\x02hi\x08\x02"), "s3{ l1=1 l2=hi }s3 s1=2 end"},
	{"empty messages", BYTES("\x1a\x00\x1a\x00"), "s3{ }s3 s3{ }s3 end"},
	{"wrapped", BYTES("\x22\x04mn\x08\x01\x22\x02xy"), "s4mn{ l1=1 }s4 s4xy{ }s4 end"},
	{"too short to be wrapped", BYTES("\x22\x01z\x22\x00\x08\x01"), "s4! s4! s1=1 end"},
	{"wrong types", BYTES("\x0a\x01x\x10\x05\x1d\x01\x02\x03\x04\x20\x07\x08\x03"),
	 "s1! s2! s3! s4! s1=3 end"},
	{"deep", BYTES("\x2a\x06\x2a\x04\x2a\x02\x08\x01\x08\x02"),
	 "s5{ s5{ s5{ s1=1 }s5 }s5 }s5 s1=2 end"},
	{"too deep",
	 BYTES("\x2a\x12\x2a\x10\x2a\x0e\x2a\x0c\x2a\x0a\x2a\x08\x2a\x06\x2a\x04\x2a\x02"
	       "\x2a\x00"),
	 "s5{ s5{ s5{ s5{ s5{ s5{ s5{ s5{ s5{ bad"},
	{"inner longer than outer", BYTES("\x1a\x03\x12\x02hi"), "s3{ bad"},
	{"beyond all memory", BYTES("\x1a\x0d\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01hi"),
	 "s3{ bad"},
	{"head longer than its message", BYTES("\x1a\x01\x08\x01"), "s3{ bad"},
	{"varint longer than its message", BYTES("\x1a\x02\x08\x80\x01"), "s3{ bad"},
	{"length longer than its message", BYTES("\x1a\x02\x12\x80\x01"), "s3{ bad"},
	{"group", BYTES("\x08\x01\x0b"), "s1=1 bad"},
	{"field 0", BYTES("\x00\x01"), "bad"},
	{"ends in a tag", BYTES("\x08"), "more"},
	{"ends in a text", BYTES("\x12\x03hi"), "more"},
	{"ends in what is skipped", BYTES("\x3a\x03hi"), "more"},
	{"ends in a message", BYTES("\x1a\x03\x08\x01"), "s3{ l1=1 more"},
	{"ends in what is wrapped", BYTES("\x22\x03q"), "more"},
};

static void walks_the_same_however_cut(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++)
		for (size_t step = 1; step <= walks[i].in.n; step++) {
			char line[300] = "";
			struct text t = TEXT(line);

			walk(walks[i].in, PB_WALK_OPEN, leaf_wants, step, &t);
			if (strcmp(line, walks[i].want) != 0)
				fail_msg("%s in pieces of %zu: got %s, want %s", walks[i].name,
					 step, line, walks[i].want);
		}
}

static const struct {
	struct pb_bytes in;
	uint64_t length;
	const char *want; /* in one piece */
} lengths[] = {
	{BYTES("\x08\x01"), 2, "s1=1 end"},
	{BYTES("\x08\x01\x08\x02"), 2, "s1=1 2 left end"},
	{BYTES("\x1a\x02\x08\x01rest"), 4, "s3{ l1=1 }s3 4 left end"},
	{BYTES("\x08\x01"), 3, "s1=1 more"},
	{BYTES("\x08\x01"), 1, "bad"},
	{BYTES("\x12\x02hi"), 3, "bad"},
	{BYTES("x"), 0, "1 left end"},
};

static void knows_where_a_message_ends(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char line[300] = "";
		struct text t = TEXT(line);

		walk(lengths[i].in, lengths[i].length, leaf_wants, lengths[i].in.n, &t);
		assert_string_equal(line, lengths[i].want);
	}
}

static void reads_by_the_table_that_is_chosen(void **state _unused_)
{
	/* What is stepped over need not even be protobuf. */
	static const struct {
		struct pb_bytes in;
		const struct pb_want *choice;
		const char *want;
	} rows[] = {
		{BYTES("\x1a\x05\x08\x01\x4a\x01x\x08\x02"), other_wants, "s3{ o9=x }s3 s1=2 end"},
		{BYTES("\x1a\x05\xff\xff\xff\xff\xff\x08\x02"), NULL, "s3{ }s3 s1=2 end"},
		{BYTES("\x1a\x00\x08\x02"), NULL, "s3{ }s3 s1=2 end"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t step = 1; step <= rows[i].in.n; step++) {
			char line[300] = "";
			struct text t = TEXT(line);

			walk(rows[i].in, PB_WALK_OPEN, rows[i].choice, step, &t);
			assert_string_equal(line, rows[i].want);
		}
}

/* The same row in a message that is all there. */
static void decodes_what_is_wrapped(void **state _unused_)
{
	struct sample s = {0};

	assert_int_equal(pb_decode(sample_wants, BYTES("\x22\x04mn\x08\x07"), &s), 0);
	assert_memory_equal(s.magic, "mn", 2);
	assert_int_equal(s.number, 7);
	assert_int_equal(pb_decode(sample_wants, BYTES("\x22\x01m"), &s), -EBADMSG);
}

/* Gigabytes cost no memory: only their length is counted. */
static void skips_a_field_of_any_size(void **state _unused_)
{
	static const uint8_t zeroes[65536];
	struct sample s = {0};
	struct pb_bytes piece = BYTES("\x3a\x80\x80\x80\x80\x08"); /* field 7, 2 GiB */
	struct pb_walk w;
	struct pb_step at;

	pb_walk_start(&w, sample_wants, &s, PB_WALK_OPEN);
	assert_int_equal(pb_walk_next(&w, &piece, &at), 0);
	for (unsigned i = 0; i < 1u << 15; i++) {
		assert_false(pb_walk_at_end(&w));
		piece = (struct pb_bytes){zeroes, sizeof(zeroes)};
		assert_int_equal(pb_walk_next(&w, &piece, &at), 0);
	}
	assert_true(pb_walk_at_end(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_the_same_however_cut),
		cmocka_unit_test(knows_where_a_message_ends),
		cmocka_unit_test(reads_by_the_table_that_is_chosen),
		cmocka_unit_test(decodes_what_is_wrapped),
		cmocka_unit_test(skips_a_field_of_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
