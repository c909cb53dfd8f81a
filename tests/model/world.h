/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H
/* Random worlds for the laws: configurations, peers, wanted states, kernels in any condition. */

#include "core/adopt.h"
#include "core/want.h"
#include "rig.h"

#define WORLD_PEERS_MAX 48

/* Everything a wanted state is made of. */
struct world {
	struct brain_conf conf;
	struct netconf net;
	struct uplink uplink;
	struct lease own, peers[WORLD_PEERS_MAX];
	size_t n_peers;
	bool spread;
	struct adopt rule;
	struct arena arena; /* owns want */
	struct netstate want;
};

uint64_t world_random(uint64_t *state);
/* A number below n. */
size_t world_below(uint64_t *state, size_t n);

struct lease world_lease(unsigned i, unsigned version);
void world_init(struct world *w, uint64_t *random);
void world_fini(struct world *w);

/* A kernel that was right for some other world, and was then meddled with. */
void world_kernel(struct sim *k, uint64_t *random);
/* One random change by another hand; the kinds that a notice would tell of. */
unsigned world_meddle(struct sim *k, uint64_t *random);
/* Things that nobody may touch. */
void world_strangers(struct sim *k);
bool world_has_strangers(const struct sim *k);

/* The first plan of a pass, as the agent would make it; ops in `a`. */
struct plan world_plan(const struct netstate *want, const struct adopt *rule, const struct sim *k,
		       struct arena *a);
/* Plans and applies until nothing differs; how many passes that took. */
size_t world_settle(const struct netstate *want, const struct adopt *rule, struct sim *k);

#endif
