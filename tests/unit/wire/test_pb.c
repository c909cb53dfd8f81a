/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pb.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

/* "number:type=value " of each field, then "|" and the result of the walk. */
static void note(char *line, size_t size, const struct pb_field *f)
{
	size_t n = strlen(line);

	if (f->type == PB_BYTES)
		snprintf(line + n, size - n, "%u=\"%.*s\"%s ", f->number, (int)f->bytes.n,
			 (const char *)f->bytes.p, f->cut ? "…" : "");
	else
		snprintf(line + n, size - n, "%u:%d=%llu ", f->number, f->type,
			 (unsigned long long)f->value);
}

static void note_end(char *line, size_t size, int r)
{
	size_t n = strlen(line);

	snprintf(line + n, size - n, "%s", r == 0 ? "end" : r == -EBADMSG ? "bad" : "?");
}

static const struct {
	const char *name;
	struct pb_bytes in;
	const char *want;
} walks[] = {
	{"empty", {0}, "end"},
	/* The two examples of the encoding guide. */
	{"varint 150", BYTES("\x08\x96\x01"), "1:0=150 end"},
	{"string", BYTES("\x12\x07testing"), "2=\"testing\" end"},
	{"several",
	 BYTES("\x08\x01\x12\x02hi\x1d\x01\x02\x03\x04\x21\x01\x00\x00\x00\x00\x00\x00\x80\x2a\x00"),
	 "1:0=1 2=\"hi\" 3:5=67305985 4:1=9223372036854775809 5=\"\" end"},
	{"minus one", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	 "1:0=18446744073709551615 end"},
	{"padded varints", BYTES("\x88\x80\x00\x96\x81\x80\x00"), "1:0=150 end"},
	{"highest number", BYTES("\xf8\xff\xff\xff\x0f\x07"), "536870911:0=7 end"},
	{"number too high", BYTES("\xf8\xff\xff\xff\x1f\x07"), "bad"},
	{"number 0", BYTES("\x00\x07"), "bad"},
	{"65 bits", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "bad"},
	{"varint of 11 bytes", BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "bad"},
	{"group", BYTES("\x08\x01\x0b\x0c"), "1:0=1 bad"},
	{"wire type 7", BYTES("\x0f\x00"), "bad"},
	{"tag alone", BYTES("\x08"), "bad"},
	{"half a varint", BYTES("\x08\x80"), "bad"},
	{"half a fixed32", BYTES("\x0d\x01\x02"), "bad"},
	{"half a fixed64", BYTES("\x09\x01\x02\x03\x04\x05\x06\x07"), "bad"},
	{"bytes too short", BYTES("\x08\x05\x12\x03hi"), "1:0=5 bad"},
	{"length beyond all memory", BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), "bad"},
};

static void walks_whole_messages(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		struct pb_bytes in = walks[i].in;
		char line[300] = "";
		struct pb_field f;
		int r;

		while ((r = pb_next(&in, &f)) > 0)
			note(line, sizeof(line), &f);
		note_end(line, sizeof(line), r);
		if (strcmp(line, walks[i].want) != 0)
			fail_msg("%s: got %s, want %s", walks[i].name, line, walks[i].want);
	}
}

/* Pieces of `step` bytes, the first one of `first`. */
static void stream(struct pb_bytes in, size_t first, size_t step, size_t size, char *line,
		   size_t n_line)
{
	uint8_t buf[64];
	struct pb_stream s = {.buf = buf, .size_bytes = size};
	int r = 0;

	line[0] = 0;
	for (size_t at = 0, n = first; at < in.n && r >= 0; at += n, n = step) {
		struct pb_bytes piece = {in.p + at, MIN(n, in.n - at)};
		struct pb_field f;

		n = piece.n;
		while ((r = pb_stream_next(&s, &piece, &f)) > 0)
			note(line, n_line, &f);
		if (r == 0)
			assert_int_equal(piece.n, 0);
		if (n == 0)
			n = 1;
	}
	note_end(line, n_line, r < 0 ? r : pb_stream_end(&s));
}

static void streams_the_same_however_cut(void **state _unused_)
{
	char line[300];

	for (size_t i = 0; i < ARRAY_SIZE(walks); i++)
		for (size_t first = 1; first <= walks[i].in.n; first++)
			for (size_t step = 1; step <= walks[i].in.n; step++) {
				stream(walks[i].in, first, step, 64, line, sizeof(line));
				if (strcmp(line, walks[i].want) != 0)
					fail_msg("%s in pieces of %zu, %zu: got %s, want %s",
						 walks[i].name, first, step, line, walks[i].want);
			}
}

static void stream_cuts_what_does_not_fit(void **state _unused_)
{
	char line[300];

	stream(BYTES("\x0a\x08too long\x10\x05"), 3, 3, 3, line, sizeof(line));
	assert_string_equal(line, "1=\"too\"… 2:0=5 end");
	stream(BYTES("\x0a\x08too long\x10\x05"), 3, 3, 0, line, sizeof(line));
	assert_string_equal(line, "1=\"\"… 2:0=5 end");
	stream(BYTES("\x0a\x03low"), 3, 3, 3, line, sizeof(line));
	assert_string_equal(line, "1=\"low\" end");
}

static void stream_starts_anew_after_end(void **state _unused_)
{
	uint8_t buf[8];
	struct pb_stream s = {.buf = buf, .size_bytes = sizeof(buf)};
	struct pb_bytes piece = BYTES("\x0a\x03lo");
	struct pb_field f;

	assert_int_equal(pb_stream_next(&s, &piece, &f), 0);
	assert_int_equal(pb_stream_end(&s), -EBADMSG);
	piece = BYTES("\x10\x05");
	assert_int_equal(pb_stream_next(&s, &piece, &f), 1);
	assert_int_equal(f.number, 2);
	assert_int_equal(pb_stream_end(&s), 0);
}

struct sample {
	int64_t revision;
	uint64_t cluster;
	struct pb_bytes key;
	char reason[6];
};

static const struct pb_want header_wants[] = {
	PB_WANT_INT(1, struct sample, cluster),
	PB_WANT_INT(3, struct sample, revision),
	PB_WANT_END,
};

static const struct pb_want sample_wants[] = {
	PB_WANT_MESSAGE(1, header_wants),
	PB_WANT_BYTES(2, struct sample, key),
	PB_WANT_TEXT(3, struct sample, reason),
	PB_WANT_END,
};

static void decodes_by_table(void **state _unused_)
{
	struct sample s = {0};

	assert_int_equal(pb_decode(sample_wants,
				   BYTES("\x0a\x06\x08\x07\x10\x63\x18\x2a\x12\x01k"
					 "\x1a\x09long text\x20\x01"),
				   &s),
			 0);
	assert_int_equal(s.cluster, 7);
	assert_int_equal(s.revision, 42);
	assert_int_equal(s.key.n, 1);
	assert_memory_equal(s.key.p, "k", 1);
	assert_string_equal(s.reason, "long ");
}

static void decode_refuses_and_keeps_what_came_before(void **state _unused_)
{
	struct sample s = {0};

	/* A number where bytes are wanted. */
	assert_int_equal(pb_decode(sample_wants, BYTES("\x12\x01k\x18\x01"), &s), -EBADMSG);
	assert_memory_equal(s.key.p, "k", 1);
	/* A nested message that ends early; bytes where a number is wanted. */
	assert_int_equal(pb_decode(sample_wants, BYTES("\x0a\x01\x08"), &s), -EBADMSG);
	assert_int_equal(pb_decode(sample_wants, BYTES("\x0a\x02\x0a\x00"), &s), -EBADMSG);
}

static void writes(void **state _unused_)
{
	static const char want[] = "\x08\x96\x01\x12\x07testing\x1a\x0f\x22\x02hi\x28"
				   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
	uint8_t buf[64];
	struct pb_out o = PB_OUT(buf);
	size_t begin;

	pb_put_int(&o, 1, 150);
	pb_put_text(&o, 2, "testing");
	begin = pb_begin(&o, 3);
	pb_put_bytes(&o, 4, BYTES("hi"));
	pb_put_int(&o, 5, -1);
	pb_end(&o, begin);
	assert_false(o.cut);
	assert_int_equal(o.n, sizeof(want) - 1);
	assert_memory_equal(buf, want, o.n);
}

static void writes_long_nested_messages(void **state _unused_)
{
	uint8_t buf[400];
	char text[201];
	struct pb_out o = PB_OUT(buf);
	struct pb_field outer, inner;
	struct pb_bytes in;
	size_t begin;

	memset(text, 'x', 200);
	text[200] = 0;
	begin = pb_begin(&o, 1);
	pb_put_text(&o, 2, text);
	pb_end(&o, begin);
	in = (struct pb_bytes){buf, o.n};
	assert_int_equal(pb_next(&in, &outer), 1);
	assert_int_equal(in.n, 0);
	assert_int_equal(pb_next(&outer.bytes, &inner), 1);
	assert_int_equal(inner.bytes.n, 200);
	assert_memory_equal(inner.bytes.p, text, 200);
}

static void write_is_cut_at_the_end_of_the_buffer(void **state _unused_)
{
	uint8_t buf[40];
	size_t begin;

	for (size_t size = 0; size < 11; size++) {
		struct pb_out o = {.buf = buf, .size_bytes = size};

		memset(buf, 0xaa, sizeof(buf));
		begin = pb_begin(&o, 1);
		pb_put_text(&o, 2, "seven..");
		pb_end(&o, begin);
		assert_true(o.cut);
		assert_int_equal(buf[size], 0xaa);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_whole_messages),
		cmocka_unit_test(streams_the_same_however_cut),
		cmocka_unit_test(stream_cuts_what_does_not_fit),
		cmocka_unit_test(stream_starts_anew_after_end),
		cmocka_unit_test(decodes_by_table),
		cmocka_unit_test(decode_refuses_and_keeps_what_came_before),
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_long_nested_messages),
		cmocka_unit_test(write_is_cut_at_the_end_of_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
