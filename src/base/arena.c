/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One page less the allocator's own header: most passes never need a second chunk. */
#define CHUNK_BYTES 4064
#define ROOM_MIN    16 /* items that an array first has room for */

struct arena_chunk {
	struct arena_chunk *older;
	size_t size_bytes; /* of data[] */
	size_t used_bytes;
	_Alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
	*a = (struct arena){.limit_bytes = limit_bytes};
}

static struct arena_chunk *chunk_new(size_t need_bytes, struct arena_chunk *older)
{
	size_t size = MAX(need_bytes, CHUNK_BYTES - sizeof(struct arena_chunk));
	struct arena_chunk *c = calloc(1, sizeof(*c) + size);

	if (!c)
		abort();
	*c = (struct arena_chunk){.older = older, .size_bytes = size};
	return c;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	bool fresh = false;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		abort();
	bytes = (bytes + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (a->limit_bytes && bytes > a->limit_bytes - MIN(a->used_bytes, a->limit_bytes))
		abort();
	if (!a->chunk || a->chunk->size_bytes - a->chunk->used_bytes < bytes) {
		a->chunk = chunk_new(bytes, a->chunk);
		fresh = true;
	}
	p = a->chunk->data + a->chunk->used_bytes;
	a->chunk->used_bytes += bytes;
	a->used_bytes += bytes;
	/* What is large comes from the kernel, which has zeroed it: what is not used stays unmade. */
	return fresh ? p : memset(p, 0, bytes);
}

void *arena_room(struct arena *a, void *items, size_t n, size_t *room, size_t item_bytes)
{
	size_t more = *room ? 2 * *room : ROOM_MIN;
	void *copy;

	if (n < *room)
		return items;
	copy = arena_calloc(a, more, item_bytes);
	if (n > 0)
		memcpy(copy, items, n * item_bytes);
	*room = more;
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(arena_calloc(a, 1, n), s, n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	s = arena_calloc(a, 1, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void arena_reset(struct arena *a)
{
	while (a->chunk && (a->chunk->older || a->chunk->size_bytes > CHUNK_BYTES)) {
		struct arena_chunk *older = a->chunk->older;

		free(a->chunk);
		a->chunk = older;
	}
	if (a->chunk)
		a->chunk->used_bytes = 0;
	a->used_bytes = 0;
}

void arena_fini(struct arena *a)
{
	while (a->chunk) {
		struct arena_chunk *older = a->chunk->older;

		free(a->chunk);
		a->chunk = older;
	}
	a->used_bytes = 0;
}
