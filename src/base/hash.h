/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H
/* FNV-1a of 64 bits (draft-eastlake-fnv): small, the same on every machine, and against nobody's malice. Names and
 * files carry its values, so it stays what it is.
 */

#include <string.h>

#include "base/base.h"

#define HASH_SEED 0xcbf29ce484222325u

static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}

/* The terminator is part, so that a and bc differ from ab and c. */
static inline uint64_t hash_text(uint64_t h, const char *s)
{
	return hash_bytes(h, s, strlen(s) + 1);
}

#endif
