/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

static const struct {
	const char *name;
	struct pb_bytes in;
	const char *want; /* messages in brackets, then what is left */
} splits[] = {
	{"one", BYTES("\0\0\0\0\3abc"), "[abc]end"},
	{"two", BYTES("\0\0\0\0\3abc\0\0\0\0\2de"), "[abc][de]end"},
	{"empty ones", BYTES("\0\0\0\0\0\0\0\0\0\1x\0\0\0\0\0"), "[][x][]end"},
	{"half a head", BYTES("\0\0\0\0\1x\0\0"), "[x]open"},
	{"half a message", BYTES("\0\0\0\1\0ab"), "[abopen"},
	{"compressed", BYTES("\0\0\0\0\1x\1\0\0\0\1y"), "[x]bad"},
};

static void splits_however_cut(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(splits); i++)
		for (size_t step = 1; step <= splits[i].in.n; step++) {
			struct grpc_split s = {0};
			struct pb_bytes in = splits[i].in;
			char line[100] = "";
			struct text t = TEXT(line);
			bool open = false, last;
			int r = 0;

			while (in.n > 0 && r == 0) {
				struct pb_bytes piece = {in.p, MIN(step, in.n)}, part;

				in.p += piece.n;
				in.n -= piece.n;
				while ((r = grpc_split_next(&s, &piece, &part, &last)) > 0) {
					text_add(&t, "%s%.*s%s", open ? "" : "[", (int)part.n,
						 (const char *)part.p, last ? "]" : "");
					open = !last;
				}
			}
			text_add(&t, "%s",
				 r == -EBADMSG		 ? "bad"
				 : grpc_split_at_end(&s) ? "end"
							 : "open");
			if (strcmp(line, splits[i].want) != 0)
				fail_msg("%s by %zu: got %s, want %s", splits[i].name, step, line,
					 splits[i].want);
		}
}

static void head_is_split_again(void **state _unused_)
{
	uint8_t head[GRPC_HEAD_SIZE];
	struct grpc_split s = {0};
	struct pb_bytes piece = {head, sizeof(head)}, part;
	bool last;

	grpc_head_encode(head, 0x01020304);
	assert_memory_equal(head, "\0\1\2\3\4", 5);
	assert_int_equal(grpc_split_next(&s, &piece, &part, &last), 0);
	assert_int_equal(s.left, 0x01020304);
}

struct header {
	const char *name, *value;
};

static const struct {
	const char *name;
	struct header headers[6];
	enum grpc_code code;
	const char *story;
} ends[] = {
	{"ok",
	 {{":status", "200"},
	  {"content-type", "application/grpc"},
	  {"grpc-status", "0"},
	  {"grpc-message", ""}},
	 GRPC_OK,
	 ""},
	/* etcd 3.4, a Range at a compacted revision. */
	{"failed at once",
	 {{":status", "200"},
	  {"content-type", "application/grpc"},
	  {"grpc-status", "11"},
	  {"grpc-message", "etcdserver: mvcc: required revision has been compacted"}},
	 GRPC_OUT_OF_RANGE,
	 "etcdserver: mvcc: required revision has been compacted (out of range)"},
	{"percent-encoded and hostile",
	 {{":status", "200"},
	  {"content-type", "application/grpc+proto"},
	  {"grpc-status", "14"},
	  {"grpc-message", "a%20b%0Ac%C3%A9 100%25 %zz %4"}},
	 GRPC_UNAVAILABLE,
	 "a b\\x0ac\\xc3\\xa9 100% %zz %4 (unavailable)"},
	{"code from the future",
	 {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "99"}},
	 GRPC_UNKNOWN,
	 "no reason given (unknown)"},
	{"no status",
	 {{":status", "200"}, {"content-type", "application/grpc"}},
	 GRPC_UNKNOWN,
	 "the server ended the call without a status"},
	{"status that is no number",
	 {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "0x0"}},
	 GRPC_UNKNOWN,
	 "the server ended the call without a status"},
	{"a web server",
	 {{":status", "404"}, {"content-type", "text/html"}},
	 GRPC_UNKNOWN,
	 "not gRPC: the server answered HTTP status 404"},
	{"nothing", {{0}}, GRPC_UNKNOWN, "not gRPC: the server answered HTTP status 0"},
};

static void tells_how_a_call_ended(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct grpc_status s = {0};
		struct err err = {""};

		for (const struct header *h = ends[i].headers; h->name; h++)
			grpc_status_header(&s, h->name, h->value);
		assert_int_equal(grpc_status_result(&s, &err), ends[i].code);
		assert_string_equal(err.text, ends[i].story);
	}
}

static void long_message_is_cut(void **state _unused_)
{
	struct grpc_status s = {0};
	char value[500];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	grpc_status_header(&s, "grpc-message", value);
	assert_true(strlen(s.message) < GRPC_MESSAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_however_cut),
		cmocka_unit_test(head_is_split_again),
		cmocka_unit_test(tells_how_a_call_ended),
		cmocka_unit_test(long_message_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
