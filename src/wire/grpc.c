/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc.h"

#include <errno.h>
#include <string.h>

const char *const grpc_code_names[] = {
	[GRPC_OK] = "ok",
	[GRPC_CANCELLED] = "cancelled",
	[GRPC_UNKNOWN] = "unknown",
	[GRPC_INVALID_ARGUMENT] = "invalid argument",
	[GRPC_DEADLINE_EXCEEDED] = "deadline exceeded",
	[GRPC_NOT_FOUND] = "not found",
	[GRPC_ALREADY_EXISTS] = "already exists",
	[GRPC_PERMISSION_DENIED] = "permission denied",
	[GRPC_RESOURCE_EXHAUSTED] = "resource exhausted",
	[GRPC_FAILED_PRECONDITION] = "failed precondition",
	[GRPC_ABORTED] = "aborted",
	[GRPC_OUT_OF_RANGE] = "out of range",
	[GRPC_UNIMPLEMENTED] = "unimplemented",
	[GRPC_INTERNAL] = "internal",
	[GRPC_UNAVAILABLE] = "unavailable",
	[GRPC_DATA_LOSS] = "data loss",
	[GRPC_UNAUTHENTICATED] = "unauthenticated",
};
static_assert(ARRAY_SIZE(grpc_code_names) == GRPC__COUNT, "a code without a name");

void grpc_head_encode(uint8_t head[GRPC_HEAD_SIZE], size_t message_bytes)
{
	head[0] = 0;
	for (size_t i = 0; i < 4; i++)
		head[1 + i] = (uint8_t)(message_bytes >> (24 - 8 * i));
}

int grpc_split_next(struct grpc_split *s, struct pb_bytes *piece, struct pb_bytes *ret,
		    bool *ret_last)
{
	while (s->n_head < GRPC_HEAD_SIZE) {
		if (piece->n == 0)
			return 0;
		s->head[s->n_head++] = *piece->p++;
		piece->n--;
		if (s->head[0] != 0)
			return -EBADMSG;
		if (s->n_head == GRPC_HEAD_SIZE)
			s->left = (size_t)s->head[1] << 24 | (size_t)s->head[2] << 16 |
				  (size_t)s->head[3] << 8 | s->head[4];
	}
	if (s->left > 0 && piece->n == 0)
		return 0;
	*ret = (struct pb_bytes){piece->p, MIN(s->left, piece->n)};
	piece->p += ret->n;
	piece->n -= ret->n;
	s->left -= ret->n;
	*ret_last = s->left == 0;
	if (*ret_last)
		s->n_head = 0;
	return 1;
}

bool grpc_split_at_end(const struct grpc_split *s)
{
	return s->n_head == 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX → byte, then made printable. A '%' that is none of these stays one. */
static void message_decode(const char *value, struct text *ret)
{
	for (const char *p = value; *p; p++) {
		char c = *p;

		if (c == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			c = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		}
		text_add_escaped(ret, &c, 1);
	}
}

/* Decimal, at most `max`. */
static bool number_decode(const char *value, unsigned max, unsigned *ret)
{
	unsigned n = 0;

	if (!*value)
		return false;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return false;
		n = n * 10 + (unsigned)(*value - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return true;
}

void grpc_status_header(struct grpc_status *s, const char *name, const char *value)
{
	struct text message = TEXT(s->message);
	unsigned n;

	if (strcmp(name, ":status") == 0) {
		if (number_decode(value, 999, &n))
			s->http_status = n;
	} else if (strcmp(name, "content-type") == 0) {
		s->is_grpc = strncmp(value, "application/grpc", 16) == 0;
	} else if (strcmp(name, "grpc-status") == 0) {
		s->has_status = number_decode(value, 1 << 20, &n);
		if (s->has_status)
			s->code = n < GRPC__COUNT ? (enum grpc_code)n : GRPC_UNKNOWN;
	} else if (strcmp(name, "grpc-message") == 0) {
		message_decode(value, &message);
	}
}

enum grpc_code grpc_status_result(const struct grpc_status *s, struct err *err)
{
	if (s->http_status != 200 || !s->is_grpc) {
		err_set(err, 0, "not gRPC: the server answered HTTP status %u", s->http_status);
		return GRPC_UNKNOWN;
	}
	if (!s->has_status) {
		err_set(err, 0, "the server ended the call without a status");
		return GRPC_UNKNOWN;
	}
	if (s->code != GRPC_OK)
		err_set(err, 0, "%s (%s)", s->message[0] ? s->message : "no reason given",
			grpc_code_names[s->code]);
	return s->code;
}
