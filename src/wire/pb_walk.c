/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pb_walk.h"

#include <errno.h>
#include <string.h>

void pb_walk_start(struct pb_walk *w, const struct pb_want *wants, void *into, uint64_t n)
{
	*w = (struct pb_walk){.into = into, .is_open = n == PB_WALK_OPEN};
	w->level[0] = (struct pb_level){.wants = wants, .left = n};
}

bool pb_walk_at_end(const struct pb_walk *w)
{
	return w->depth == 0 && !w->in_bytes && w->n_head == 0 &&
	       (w->is_open || w->level[0].left == 0);
}

static void skip(struct pb_bytes *piece, size_t n)
{
	piece->p += n;
	piece->n -= n;
}

/* Tag and number, or length, of the next field, taken from the innermost message. 1, 0, -EBADMSG. */
static int head_take(struct pb_walk *w, struct pb_bytes *piece, struct pb_field *ret)
{
	struct pb_level *l = &w->level[w->depth];
	int r;

	/* Most heads lie within one piece. */
	if (w->n_head == 0) {
		r = pb_head_decode((struct pb_bytes){piece->p, (size_t)MIN(piece->n, l->left)},
				   ret);
		if (r != 0) {
			skip(piece, (size_t)MAX(r, 0));
			l->left -= (uint64_t)MAX(r, 0);
			return MIN(r, 1);
		}
	}
	while (piece->n > 0 && l->left > 0) {
		/* Never full: two varints are judged at the latest when they are there. */
		w->head[w->n_head++] = piece->p[0];
		skip(piece, 1);
		l->left--;
		r = pb_head_decode((struct pb_bytes){w->head, w->n_head}, ret);
		if (r != 0) {
			w->n_head = 0;
			return MIN(r, 1);
		}
	}
	/* The message ends within a head. */
	return l->left == 0 ? -EBADMSG : 0;
}

static int step(const struct pb_walk *w, enum pb_step_type type, uint32_t number,
		struct pb_step *ret)
{
	*ret = (struct pb_step){.type = type, .wants = w->level[w->depth].wants, .number = number};
	return 1;
}

/* A head has come. 1 = a step, 0 = go on, -EBADMSG. */
static int field_begin(struct pb_walk *w, const struct pb_field *f, struct pb_step *ret)
{
	struct pb_level *l = &w->level[w->depth];
	const struct pb_want *want = pb_want_find(l->wants, f->number);

	w->want = NULL;
	if (f->type == PB_BYTES) {
		if (f->value > l->left)
			return -EBADMSG;
		l->left -= f->value;
		w->in_bytes = true;
		w->number = f->number;
		w->left = f->value;
		w->n_stored = 0;
		w->cut = false;
	}
	if (!want)
		return 0;
	if (f->type != (want->kind == PB_KIND_INT64 ? PB_VARINT : PB_BYTES) ||
	    (want->kind == PB_KIND_MESSAGE && f->value < want->size_bytes))
		return step(w, PB_STEP_WRONG, f->number, ret);
	if (want->kind == PB_KIND_INT64) {
		memcpy((uint8_t *)w->into + want->offset, &f->value, sizeof(f->value));
		return step(w, PB_STEP_FIELD, f->number, ret);
	}
	w->want = want;
	return 0;
}

/* As many of the field's bytes as the piece and `room` have; they go to the field's member. */
static void bytes_store(struct pb_walk *w, struct pb_bytes *piece, size_t room)
{
	const size_t n = (size_t)MIN(MIN(w->left, room), piece->n);

	if (n > 0)
		memcpy((uint8_t *)w->into + w->want->offset + w->n_stored, piece->p, n);
	skip(piece, n);
	w->n_stored += n;
	w->left -= n;
}

static void bytes_skip(struct pb_walk *w, struct pb_bytes *piece)
{
	const size_t n = (size_t)MIN(w->left, piece->n);

	skip(piece, n);
	w->left -= n;
}

static int text_take(struct pb_walk *w, struct pb_bytes *piece, struct pb_step *ret)
{
	const size_t room = w->want->size_bytes - 1;

	bytes_store(w, piece, room - w->n_stored);
	((char *)w->into)[w->want->offset + w->n_stored] = '\0';
	if (w->left > 0 && w->n_stored == room) {
		w->cut = true;
		bytes_skip(w, piece);
	}
	if (w->left > 0)
		return 0;
	w->in_bytes = false;
	step(w, PB_STEP_FIELD, w->number, ret);
	ret->cut = w->cut;
	return 1;
}

static int message_enter(struct pb_walk *w, struct pb_bytes *piece, struct pb_step *ret)
{
	bytes_store(w, piece, w->want->size_bytes - w->n_stored);
	if (w->n_stored < w->want->size_bytes)
		return 0;
	if (w->depth + 1 == PB_WALK_DEPTH)
		return -EBADMSG;
	step(w, PB_STEP_ENTER, w->number, ret);
	w->level[++w->depth] = (struct pb_level){w->want->message, w->number, w->left};
	w->in_bytes = false;
	return 1;
}

/* 1 = a step, 0 = the piece is used up, or the field; -EBADMSG. */
static int bytes_take(struct pb_walk *w, struct pb_bytes *piece, struct pb_step *ret)
{
	if (w->want)
		return w->want->kind == PB_KIND_TEXT ? text_take(w, piece, ret)
						     : message_enter(w, piece, ret);
	bytes_skip(w, piece);
	w->in_bytes = w->left > 0;
	return 0;
}

void pb_walk_choose(struct pb_walk *w, const struct pb_want *wants)
{
	struct pb_level *l = &w->level[w->depth];

	l->wants = wants;
	if (!wants) {
		w->want = NULL;
		w->left = l->left;
		w->in_bytes = true;
		l->left = 0;
	}
}

int pb_walk_next(struct pb_walk *w, struct pb_bytes *piece, struct pb_step *ret)
{
	struct pb_field f;
	int r;

	for (;;) {
		if (w->in_bytes) {
			r = bytes_take(w, piece, ret);
			if (r != 0 || w->in_bytes)
				return r;
		} else if (w->level[w->depth].left == 0) {
			if (w->depth == 0)
				return 0;
			w->depth--;
			return step(w, PB_STEP_LEAVE, w->level[w->depth + 1].number, ret);
		} else if (piece->n == 0) {
			return 0;
		} else {
			r = head_take(w, piece, &f);
			if (r > 0)
				r = field_begin(w, &f, ret);
			else if (r == 0)
				return 0;
			if (r != 0)
				return r;
		}
	}
}
