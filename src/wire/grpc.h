/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_H
#define WIRE_GRPC_H
/* gRPC's small layer between HTTP/2 and protobuf.
 *
 * A call is one HTTP/2 stream: POST /service/method; each message in the body is preceded by a byte
 * "compressed" (0: we announce no compression) and a big-endian 32-bit length; how the call ended
 * stands in the trailers grpc-status (a number) and grpc-message (percent-encoded UTF-8). A call
 * that fails at once has them in its only header block. (grpc/doc/PROTOCOL-HTTP2.md)
 */

#include "base/err.h"
#include "base/text.h"
#include "wire/pb.h"

#define GRPC_HEAD_SIZE	  5
#define GRPC_MESSAGE_SIZE 160

/* grpc/doc/statuscodes.md */
enum grpc_code {
	GRPC_OK,
	GRPC_CANCELLED,
	GRPC_UNKNOWN,
	GRPC_INVALID_ARGUMENT,
	GRPC_DEADLINE_EXCEEDED,
	GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS,
	GRPC_PERMISSION_DENIED,
	GRPC_RESOURCE_EXHAUSTED,
	GRPC_FAILED_PRECONDITION,
	GRPC_ABORTED,
	GRPC_OUT_OF_RANGE,
	GRPC_UNIMPLEMENTED,
	GRPC_INTERNAL,
	GRPC_UNAVAILABLE,
	GRPC_DATA_LOSS,
	GRPC_UNAUTHENTICATED,
	GRPC__COUNT,
};

extern const char *const grpc_code_names[GRPC__COUNT];

void grpc_head_encode(uint8_t head[GRPC_HEAD_SIZE], size_t message_bytes);

/* Splits a body that arrives in pieces into messages. Zero is ready to use. */
struct grpc_split {
	uint8_t head[GRPC_HEAD_SIZE];
	size_t n_head;
	size_t left; /* bytes of the current message still to come */
};

/* 1 = `ret` (borrowed from the piece, may be empty) belongs to the current message, and ends it if
 * *ret_last; 0 = the piece is used up; -EBADMSG = compressed, which we did not offer. */
int grpc_split_next(struct grpc_split *s, struct pb_bytes *piece, struct pb_bytes *ret,
		    bool *ret_last);
/* The body ended between two messages. */
bool grpc_split_at_end(const struct grpc_split *s);

/* How a call ended, gathered from header blocks. Zero is ready to use. */
struct grpc_status {
	unsigned http_status;
	bool is_grpc;	 /* content-type says so */
	bool has_status; /* grpc-status seen, and a number */
	enum grpc_code code;
	char message[GRPC_MESSAGE_SIZE]; /* escaped: safe to print; may be cut */
};

/* Any header or trailer of the response, ":status" included. */
void grpc_status_header(struct grpc_status *s, const char *name, const char *value);
/* The stream has ended: the code, with a story unless it is GRPC_OK. A response that is not gRPC at
 * all is GRPC_UNKNOWN, as is one without status. */
enum grpc_code grpc_status_result(const struct grpc_status *s, struct err *err);

#endif
