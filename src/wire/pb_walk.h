/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_PB_WALK_H
#define WIRE_PB_WALK_H
/* Protocol buffers: a message of any size, in pieces of any size, entered as it comes.
 *
 * pb_stream holds one field of the outermost message at a time. A list of Nodes is one field of 58 MB,
 * so this one holds nothing: it descends into wanted messages while they arrive, stores wanted leaves
 * where the tables (struct pb_want) say, and steps over everything else. Its state is below: a stack of
 * the messages that are open, each with the bytes it has left.
 *
 * What repeats (items of a list, entries of a map) is the caller's: it is told when a message begins
 * and ends, and when a leaf has been stored.
 *
 * Trust: a length that is longer than the message around it ends the walk, as does whatever is no
 * protobuf. A wanted field of another wire type is told (PB_STEP_WRONG) and stepped over.
 */

#include "wire/pb.h"

enum pb_step_type {
	PB_STEP_FIELD = 1, /* a leaf was stored */
	PB_STEP_ENTER,	   /* a message begins: pb_walk_choose() may say how it is read */
	PB_STEP_LEAVE,	   /* and ends */
	PB_STEP_WRONG, /* not of the wire type that is wanted, or shorter than what precedes a WRAPPED */
};

struct pb_step {
	enum pb_step_type type;
	const struct pb_want
		*wants;	 /* the table of the message that the field lies in: says which */
	uint32_t number; /* of the field: with `wants`, where we are */
	bool cut;	 /* FIELD: longer than its member, which holds the beginning */
};

#define PB_WALK_DEPTH 10
#define PB_WALK_OPEN  UINT64_MAX /* length of a message that ends when its bytes do */

/* Made by pb_walk_start(). */
struct pb_walk {
	void *into; /* what the tables' offsets count from; borrowed */

	struct pb_level {
		const struct pb_want *wants;
		uint32_t number; /* in the level above */
		uint64_t left; /* bytes, those of the open field and of deeper levels not counted */
	} level[PB_WALK_DEPTH];

	unsigned depth;
	bool is_open;		   /* the outermost has no known length */
	uint8_t head[PB_HEAD_MAX]; /* of a field, as far as it came */
	size_t n_head;
	bool in_bytes; /* `left` bytes of field `number` are to come */
	uint32_t number;
	const struct pb_want *want; /* NULL: it is stepped over */
	uint64_t left;
	size_t n_stored;
	bool cut;
};

/* One message of `n` bytes. `into` is not cleared, neither here nor when a message is entered. Tables
 * hold INT, TEXT, MESSAGE and WRAPPED only. */
void pb_walk_start(struct pb_walk *w, const struct pb_want *wants, void *into, uint64_t n);
/* 1 = a step; 0 = the piece is used up, or the message is over (then the rest of the piece is left);
 * -EBADMSG: only pb_walk_start() may follow. */
int pb_walk_next(struct pb_walk *w, struct pb_bytes *piece, struct pb_step *ret);
/* After ENTER: read what is inside by this table instead of the one in the row; NULL = step over all
 * of it. LEAVE comes in any case. */
void pb_walk_choose(struct pb_walk *w, const struct pb_want *wants);
/* The message is over; one without a known length: may be over, nothing is open. */
bool pb_walk_at_end(const struct pb_walk *w);

#endif
