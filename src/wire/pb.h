/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_PB_H
#define WIRE_PB_H
/* Protocol buffers: a walker, a table-driven decoder and a writer.
 *
 * A message is a row of fields: a varint tag (number << 3 | wire type), then a varint, 4 or 8 bytes,
 * or a length and that many bytes (protobuf.dev/programming-guides/encoding). Nested messages are
 * such bytes. Unknown fields are stepped over, a repeated scalar's last one counts; both as the
 * format demands. Groups (wire types 3 and 4), gone from it for a decade, are refused.
 *
 * Ways to walk: pb_next() over a message that is all there, pb_stream_next() over one that
 * arrives in pieces of any size. The stream holds one field of the outermost message at a time: a
 * list of 5,000 leases passes through a few kB (pb_walk.h holds nothing at all). Where the wanted struct is the goal, a table says
 * which field goes where, and pb_apply() and pb_decode() fill it.
 */

#include "base/base.h"

enum pb_type {
	PB_VARINT = 0,
	PB_FIXED64 = 1,
	PB_BYTES = 2,
	PB_FIXED32 = 5,
};

struct pb_bytes {
	const uint8_t *p; /* borrowed */
	size_t n;
};

struct pb_field {
	uint32_t number;
	enum pb_type type;
	uint64_t value;	       /* of a number; 0 for bytes */
	struct pb_bytes bytes; /* of PB_BYTES; borrowed from the input or the stream's buffer */
	bool cut;	       /* longer than the stream's buffer: `bytes` is only the beginning */
};

/* The first field of `in`, which moves behind it. 1 = a field, 0 = `in` is empty, -EBADMSG. */
int pb_next(struct pb_bytes *in, struct pb_field *ret);

#define PB_HEAD_MAX 20 /* bytes of a tag and a number, or a length: two varints */

/* Tag and number, or tag and length (then in `value`), of the field that `in` begins with; `in` stays.
 * Bytes used; 0 = more are needed; -EBADMSG. */
int pb_head_decode(struct pb_bytes in, struct pb_field *ret);

/* A message in pieces. Zero, with `buf` set, is ready to use. */
struct pb_stream {
	uint8_t *buf; /* borrowed: room for one field's bytes that come in more than one piece */
	size_t size_bytes;
	uint8_t head[PB_HEAD_MAX]; /* tag and number, or length, as far as they came */
	size_t n_head;
	bool in_bytes;	       /* the head is complete: `left` bytes of `field` are to come */
	struct pb_field field; /* of that head */
	uint64_t left;
};

/* As pb_next(); 0 = the piece is used up, more must come. What `ret` borrows is valid until the
 * next call. After -EBADMSG only pb_stream_end() may follow. */
int pb_stream_next(struct pb_stream *s, struct pb_bytes *piece, struct pb_field *ret);
/* The message is over: ready for the next one. 0, or -EBADMSG: it ended within a field. */
int pb_stream_end(struct pb_stream *s);

enum pb_kind {
	PB_KIND_INT64,	 /* int64_t or uint64_t; also enums and bools, which are varints too */
	PB_KIND_BYTES,	 /* struct pb_bytes, borrowed */
	PB_KIND_TEXT,	 /* char[]; terminated, cut if longer; not escaped */
	PB_KIND_MESSAGE, /* after as many bytes as the member has, which go there; mostly none */
};

/* One wanted field; made by the macros below. A table of them ends with PB_WANT_END. */
struct pb_want {
	uint32_t number;
	enum pb_kind kind;
	size_t offset;
	size_t size_bytes;	       /* of the member */
	const struct pb_want *message; /* of a MESSAGE: its offsets count from the same struct */
};

#define PB_WANT_(number, kind, type, member)                              \
 {                                                                        \
  number, kind, offsetof(type, member), sizeof(((type *)0)->member), NULL \
 }
#define PB_WANT_INT(number, type, member)   PB_WANT_(number, PB_KIND_INT64, type, member)
#define PB_WANT_BYTES(number, type, member) PB_WANT_(number, PB_KIND_BYTES, type, member)
#define PB_WANT_TEXT(number, type, member)  PB_WANT_(number, PB_KIND_TEXT, type, member)
#define PB_WANT_MESSAGE(number, table) \
 {                                     \
  number, PB_KIND_MESSAGE, 0, 0, table \
 }
#define PB_WANT_WRAPPED(number, type, member, table)                                  \
 {                                                                                    \
  number, PB_KIND_MESSAGE, offsetof(type, member), sizeof(((type *)0)->member), table \
 }
#define PB_WANT_END            \
 {                             \
  0, PB_KIND_INT64, 0, 0, NULL \
 }

/* The row of a table that wants field `number`; NULL = it is not wanted. */
const struct pb_want *pb_want_find(const struct pb_want *wants, uint32_t number);
/* Puts one field into the struct `ret` if the table wants it; else nothing. 0, or -EBADMSG: wrong
 * wire type, or a broken nested message. A cut field is applied as far as it goes. */
int pb_apply(const struct pb_want *wants, const struct pb_field *field, void *ret);
/* pb_apply() of all fields. Caller has zeroed `ret`. On -EBADMSG the fields before the broken one
 * are set: enough to name the culprit. */
int pb_decode(const struct pb_want *wants, struct pb_bytes in, void *ret);

/* Writes into a buffer somebody else owns; what does not fit is cut, remembered, never overrun. */
struct pb_out {
	uint8_t *buf;
	size_t size_bytes;
	size_t n;
	bool cut;
};

#define PB_OUT(array) ((struct pb_out){.buf = (array), .size_bytes = sizeof(array)})

void pb_put_int(struct pb_out *o, uint32_t number, int64_t value);
/* Tag and length; the caller puts the bytes themselves. */
void pb_put_head(struct pb_out *o, uint32_t number, size_t n);
void pb_put_bytes(struct pb_out *o, uint32_t number, struct pb_bytes bytes);
void pb_put_text(struct pb_out *o, uint32_t number, const char *text);
/* Between the two, whatever is put belongs to the nested message `number`. */
size_t pb_begin(struct pb_out *o, uint32_t number);
void pb_end(struct pb_out *o, size_t begin);

#endif
