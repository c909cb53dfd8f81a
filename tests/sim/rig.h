/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_RIG_H
#define SIM_RIG_H
/* The agent's shell in simulated time: feeds a brain, runs what it asks for on a simulated kernel. */

#include "core/step.h"
#include "sim.h"

struct rig;

/* What happened, for whoever tells the story. Each may be NULL. */
struct rig_hooks {
	void *arg;
	void (*dump)(void *arg, unsigned kinds);
	void (*plan)(void *arg, const struct plan *plan, const struct repair *repair);
	void (*failure)(void *arg, const struct op *op, const struct op_failure *f);
	void (*publish)(void *arg, const struct lease *l);
	void (*relist)(void *arg);
	void (*dropped)(void *arg, const char *why);
};

struct rig {
	struct brain *brain;
	struct brain_conf conf;
	struct sim *kernel;
	uint64_t now_ms, wake_ms;
	struct uplink uplink; /* what UPDATE_UPLINK is answered with; ifindex 0 = none */
	const char *no_uplink;
	const char *lacks;	     /* why it has one family only; NULL = it has both */
	uint32_t n_shortcuts;	     /* of the bridge, found with it */
	struct cidr subnet, subnet6; /* what UPDATE_PUBLISH is answered with; unset = nothing yet */
	struct lease published;
	bool is_published;
	struct culprit flanneld; /* one that lives on the node; pid 0 = none */
	struct rig_hooks hooks;
	size_t n_dumps, n_plans, n_wakes;
	/* So many dumps from the fail_at-th on, counted from 1, break off half way with fail_code. */
	size_t fail_at, fail_n;
	int fail_code;
	struct route undo[64]; /* for an adversary */
	size_t n_undo;
	bool dead; /* the kernel's ops_to_live ran out */
};

void rig_init(struct rig *r, const struct brain_conf *conf, struct sim *kernel);
void rig_fini(struct rig *r);
/* One event (now_ms is filled in) and all that follows from it without time passing. */
void rig_feed(struct rig *r, struct event ev);
/* Lets time pass. */
void rig_run(struct rig *r, uint64_t until_ms);
void rig_uplink(struct rig *r);
/* EVENT_OWN, held, with what was published. */
void rig_own(struct rig *r);

#endif
