/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTEST_H
#define CORE_CONTEST_H
/* War detection: objects that somebody else keeps changing back.
 *
 * Healed more than CONTEST_HEALS times within CONTEST_WINDOW_MS, an object is contested: it is healed
 * on, but with waits of 1, 2, 4, 8, 15 s in between, and named together with the culprit. Never
 * escalated, never dropped; forgotten after a quiet window (failures.md 7.1 rule 10).
 *
 * The table is bounded: of singly healed objects the longest quiet one is forgotten first. A pass
 * that heals more than CONTEST_CROWD objects of a kind counts once for the whole kind: a flapping
 * link must not push everything else out.
 */

#include "model/status.h"

#define CONTEST_HEALS	  5
#define CONTEST_WINDOW_MS 60000
#define CONTEST_WAIT_MS	  1000
#define CONTEST_MAX_MS	  15000
#define CONTEST_CROWD	  16
#define CONTEST_ENTRIES	  64

struct contest_entry {
	uint64_t key;			   /* object_key_hash; 0 = the whole kind */
	enum object_kind kind;		   /* OBJECT__COUNT = free */
	uint64_t healed_ms[CONTEST_HEALS]; /* a ring of the last ones; 0 = none */
	unsigned next;
	uint64_t last_ms, until_ms; /* until_ms > 0: contested */
	unsigned level;
	uint64_t pass; /* of the last healing */
	char what[96];
	struct culprit who;
};

struct contest {
	struct contest_entry entries[CONTEST_ENTRIES];
	size_t n_contested;
	uint64_t pass;
};

void contest_init(struct contest *c);
/* A dump is being compared: what is healed from now on waits from the next one on. */
void contest_begin(struct contest *c);
/* Must this repair wait? If so, until when; else 0. */
uint64_t contest_held(const struct contest *c, const struct object *o, uint64_t now_ms);
/* The object was different and is being healed. `crowd`: it stands for its whole kind. */
void contest_healed(struct contest *c, const struct op *op, bool crowd, const struct devmap *devs,
		    const struct culprit *who, uint64_t now_ms);
/* How many objects of each kind are contested. */
void contest_count(const struct contest *c, uint64_t now_ms, size_t ret[OBJECT__COUNT]);
/* One line for each contested object. */
void contest_notes(const struct contest *c, uint64_t now_ms, struct text *notes);

#endif
