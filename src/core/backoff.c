/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backoff.h"

uint64_t backoff_next_ms(struct backoff *b, uint64_t random)
{
	uint64_t wait_ms = BACKOFF_MAX_MS;

	if (b->tries < 16 && BACKOFF_FIRST_MS << b->tries < BACKOFF_MAX_MS)
		wait_ms = BACKOFF_FIRST_MS << b->tries++;
	return wait_ms - wait_ms / 4 + random % (wait_ms / 2 + 1);
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}

/* xorshift64*, Vigna 2016: "An experimental exploration of Marsaglia's xorshift generators". */
uint64_t backoff_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}
