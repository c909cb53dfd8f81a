/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/* Memory for one pass: allocate freely, forget everything at once.
 *
 * Owner: whoever called arena_init. Pure layers only ever allocate from an arena they are given.
 * Running out of memory, or over `limit`, aborts: an arena is sized by inputs that were already
 * checked against a LIMIT_, so it is our own bug, and a fabric agent that limps on without memory
 * helps nobody (its supervisor restarts it; the data plane stays).
 */

#include "base/base.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest first */
	size_t used_bytes;	   /* handed out since the last reset */
	size_t limit_bytes;	   /* 0 = none */
};

void arena_init(struct arena *a, size_t limit_bytes);
/* Forgets everything and gives all memory but one small chunk back to the system. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

/* Zeroed, aligned for any type, never NULL; n * size is overflow-checked. */
void *arena_calloc(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);

/* For an array that grows one by one, `n` items of which are in use and *room are there: `items`, or
 * if that is full, a copy with twice the room (what it leaves lies in the arena until reset). Starts
 * with NULL and room 0. */
void *arena_room(struct arena *a, void *items, size_t n, size_t *room, size_t item_bytes);

#define arena_new(a, type)	((type *)arena_calloc((a), 1, sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_calloc((a), (n), sizeof(type)))

#endif
