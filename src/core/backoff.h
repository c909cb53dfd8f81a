/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKOFF_H
#define CORE_BACKOFF_H
/* Jittered exponential back-off: 0.5, 1, 2, … 30 s, each ± 25 %. Embedded; zero is ready to use. */

#include "base/base.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS	 30000

struct backoff {
	unsigned tries;
};

/* The next wait. `random` is 64 fresh random bits. */
uint64_t backoff_next_ms(struct backoff *b, uint64_t random);
void backoff_reset(struct backoff *b);
/* xorshift-like step: the next pseudo-random number of a seeded stream; *state must not be 0. */
uint64_t backoff_random(uint64_t *state);

#endif
