/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pb.h"

#include <errno.h>
#include <string.h>

#define NUMBER_MAX ((1u << 29) - 1)
#define VARINT_MAX 10 /* bytes of 7 bits that hold 64 */

/* Bytes used, 0 = more are needed, -EBADMSG = more than 64 bits. */
static int varint_decode(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == VARINT_MAX - 1 && p[i] > 1)
			return -EBADMSG;
		value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80)) {
			*ret = value;
			return (int)i + 1;
		}
	}
	return 0;
}

static uint64_t fixed_decode(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

int pb_head_decode(struct pb_bytes in, struct pb_field *ret)
{
	const uint8_t *p = in.p;
	size_t n = in.n;
	struct pb_field f = {0};
	uint64_t tag;
	int used = varint_decode(p, n, &tag);
	int more;

	if (used <= 0)
		return used;
	if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
		return -EBADMSG;
	f.number = (uint32_t)(tag >> 3);
	p += used;
	n -= (size_t)used;
	switch (tag & 7) {
	case PB_VARINT:
	case PB_BYTES:
		more = varint_decode(p, n, &f.value);
		if (more <= 0)
			return more;
		break;
	case PB_FIXED64:
	case PB_FIXED32:
		more = (tag & 7) == PB_FIXED64 ? 8 : 4;
		if (n < (size_t)more)
			return 0;
		f.value = fixed_decode(p, (size_t)more);
		break;
	default: /* groups, and two that never existed */
		return -EBADMSG;
	}
	f.type = (enum pb_type)(tag & 7);
	*ret = f;
	return used + more;
}

static void skip(struct pb_bytes *in, size_t n)
{
	in->p += n;
	in->n -= n;
}

/* The whole field, if `in` has it. 1, 0 = more is needed, -EBADMSG. */
static int field_decode(struct pb_bytes *in, struct pb_field *ret)
{
	struct pb_field f;
	int used = pb_head_decode(*in, &f);

	if (used <= 0)
		return used;
	if (f.type == PB_BYTES) {
		if (f.value > in->n - (size_t)used)
			return 0;
		f.bytes = (struct pb_bytes){in->p + used, (size_t)f.value};
		f.value = 0;
	}
	skip(in, (size_t)used + f.bytes.n);
	*ret = f;
	return 1;
}

int pb_next(struct pb_bytes *in, struct pb_field *ret)
{
	int r;

	if (in->n == 0)
		return 0;
	r = field_decode(in, ret);
	return r == 0 ? -EBADMSG : r;
}

/* The stream's bytes: 1 = all there. */
static int bytes_collect(struct pb_stream *s, struct pb_bytes *piece, struct pb_field *ret)
{
	size_t n = (size_t)MIN(s->left, piece->n);
	size_t room = s->size_bytes - s->field.bytes.n;

	if (n > 0 && room > 0)
		memcpy(s->buf + s->field.bytes.n, piece->p, MIN(n, room));
	if (n > room)
		s->field.cut = true;
	s->field.bytes.n += MIN(n, room);
	skip(piece, n);
	s->left -= n;
	if (s->left > 0)
		return 0;
	s->in_bytes = false;
	*ret = s->field;
	return 1;
}

int pb_stream_next(struct pb_stream *s, struct pb_bytes *piece, struct pb_field *ret)
{
	struct pb_field f;
	int r;

	if (s->in_bytes)
		return bytes_collect(s, piece, ret);
	if (piece->n == 0)
		return 0;
	/* Most fields lie within one piece: no copy. */
	if (s->n_head == 0) {
		r = field_decode(piece, ret);
		if (r != 0)
			return r;
	}
	while (piece->n > 0) {
		/* Never full: pb_head_decode() has judged at the latest when two varints are there. */
		s->head[s->n_head++] = piece->p[0];
		skip(piece, 1);
		r = pb_head_decode((struct pb_bytes){s->head, s->n_head}, &f);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		s->n_head = 0;
		if (f.type != PB_BYTES) {
			*ret = f;
			return 1;
		}
		s->left = f.value;
		f.value = 0;
		f.bytes = (struct pb_bytes){s->buf, 0};
		s->field = f;
		s->in_bytes = true;
		return bytes_collect(s, piece, ret);
	}
	return 0;
}

int pb_stream_end(struct pb_stream *s)
{
	bool whole = !s->in_bytes && s->n_head == 0;

	*s = (struct pb_stream){.buf = s->buf, .size_bytes = s->size_bytes};
	return whole ? 0 : -EBADMSG;
}

const struct pb_want *pb_want_find(const struct pb_want *wants, uint32_t number)
{
	while (wants->number != 0 && wants->number != number)
		wants++;
	return wants->number ? wants : NULL;
}

int pb_apply(const struct pb_want *wants, const struct pb_field *field, void *ret)
{
	const struct pb_want *w = pb_want_find(wants, field->number);
	struct pb_bytes message = field->bytes;
	uint8_t *at;
	size_t n;

	if (!w)
		return 0;
	if (field->type != (w->kind == PB_KIND_INT64 ? PB_VARINT : PB_BYTES))
		return -EBADMSG;
	at = (uint8_t *)ret + w->offset;
	switch (w->kind) {
	case PB_KIND_INT64:
		memcpy(at, &field->value, sizeof(field->value));
		break;
	case PB_KIND_BYTES:
		memcpy(at, &field->bytes, sizeof(field->bytes));
		break;
	case PB_KIND_TEXT:
		n = MIN(field->bytes.n, w->size_bytes - 1);
		if (n > 0)
			memcpy(at, field->bytes.p, n);
		at[n] = 0;
		break;
	case PB_KIND_MESSAGE:
		if (message.n < w->size_bytes)
			return -EBADMSG;
		if (w->size_bytes > 0)
			memcpy(at, message.p, w->size_bytes);
		skip(&message, w->size_bytes);
		return pb_decode(w->message, message, ret);
	}
	return 0;
}

int pb_decode(const struct pb_want *wants, struct pb_bytes in, void *ret)
{
	struct pb_field f;
	int r;

	while ((r = pb_next(&in, &f)) > 0) {
		r = pb_apply(wants, &f, ret);
		if (r < 0)
			return r;
	}
	return r;
}

static void put_raw(struct pb_out *o, const void *p, size_t n)
{
	if (o->cut || n > o->size_bytes - o->n) {
		o->cut = true;
		return;
	}
	if (n > 0)
		memcpy(o->buf + o->n, p, n);
	o->n += n;
}

static size_t varint_encode(uint64_t value, uint8_t buf[VARINT_MAX])
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		buf[n++] = (uint8_t)(value | 0x80);
	buf[n++] = (uint8_t)value;
	return n;
}

static void put_varint(struct pb_out *o, uint64_t value)
{
	uint8_t buf[VARINT_MAX];

	put_raw(o, buf, varint_encode(value, buf));
}

void pb_put_int(struct pb_out *o, uint32_t number, int64_t value)
{
	put_varint(o, (uint64_t)number << 3 | PB_VARINT);
	put_varint(o, (uint64_t)value);
}

void pb_put_head(struct pb_out *o, uint32_t number, size_t n)
{
	put_varint(o, (uint64_t)number << 3 | PB_BYTES);
	put_varint(o, n);
}

void pb_put_bytes(struct pb_out *o, uint32_t number, struct pb_bytes bytes)
{
	pb_put_head(o, number, bytes.n);
	put_raw(o, bytes.p, bytes.n);
}

void pb_put_text(struct pb_out *o, uint32_t number, const char *text)
{
	pb_put_bytes(o, number, (struct pb_bytes){(const uint8_t *)text, strlen(text)});
}

size_t pb_begin(struct pb_out *o, uint32_t number)
{
	put_varint(o, (uint64_t)number << 3 | PB_BYTES);
	return o->n;
}

void pb_end(struct pb_out *o, size_t begin)
{
	uint8_t length[VARINT_MAX];
	size_t n_body = o->n - begin;
	size_t n_length = varint_encode(n_body, length);

	/* The length stands in front of a body whose length is known only now: make room. */
	put_raw(o, length, n_length);
	if (o->cut)
		return;
	memmove(o->buf + begin + n_length, o->buf + begin, n_body);
	memcpy(o->buf + begin, length, n_length);
}
