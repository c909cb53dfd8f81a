/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SIM_H
#define SIM_SIM_H
/* A small simulated kernel: it holds objects, applies plans, and has the habits that matter.
 *
 * What was measured on the real one (failures.md 4): a link that goes takes everything on it along; a
 * link that goes down loses its routes and neighbours, without a word about the routes; a changed MAC
 * loses the neighbours; the last address that goes takes routes and neighbours along; a nexthop
 * takes its routes along; a slot can hold several routes.
 *
 * Of a foreign chain's rules it knows how many stand in front of ours, and whether the first of them is
 * a blanket drop; if not, what drops stands behind all of them.
 */

#include "model/plan.h"

#define SIM_FAULTS_MAX 8
#define SIM_NEVER      SIZE_MAX

/* Ops whose plan line holds `needle` fail. */
struct sim_fault {
	char needle[80];
	int code; /* -errno */
	char text[100];
};

struct sim {
	struct {
		char *items; /* sorted by key; of equal keys the first in force comes first */
		size_t n, room;
	} of[OBJECT__COUNT];
	struct devmap devs;
	uint32_t last_index;
	uint32_t uplink_mtu_bytes;
	bool uplink_down;
	struct sim_fault faults[SIM_FAULTS_MAX];
	size_t n_faults;
	/* Whatever they are: `fail_n` ops from the fail_at-th on, counted from 1, fail so. */
	size_t fail_at, fail_n;
	int fail_code;
	size_t ops_to_live; /* the agent dies after so many; SIM_NEVER */
	size_t n_ops;	    /* ever applied */
};

typedef void sim_object_fn(void *arg, const struct object *o);

void sim_init(struct sim *k);
void sim_fini(struct sim *k);
void sim_copy(struct sim *to, const struct sim *from);

/* An uplink to build on; NULL takes it away, and what is built on it. */
void sim_uplink(struct sim *k, const char *name, uint32_t mtu_bytes);
/* The names the agent looks for. */
void sim_names(struct sim *k, char names[DEV__COUNT][LINK_NAME_SIZE]);

void sim_dump(const struct sim *k, unsigned kinds, sim_object_fn *fn, void *arg);
/* 0 or -errno with the kernel's words. */
int sim_op(struct sim *k, const struct op *op, struct text *ret_why);
/* Runs a plan. False: the agent died on the way. Failures go to `failures` (room for plan->n). */
bool sim_apply(struct sim *k, const struct plan *plan, struct op_failure *failures,
	       size_t *ret_n_failures);

/* Hands from outside. */
void sim_put(struct sim *k, const struct object *o);	/* as it is, replacing its key */
void sim_append(struct sim *k, const struct object *o); /* behind what has the same key */
void sim_prepend(struct sim *k, const struct object *o);
bool sim_del(struct sim *k, const struct object *key); /* with all that goes along */
const void *sim_find(const struct sim *k, const struct object *key);
void sim_link_updown(struct sim *k, enum dev dev, bool up);
void sim_flush(struct sim *k, enum object_kind kind);

/* One object a line. */
void sim_print(const struct sim *k, struct text *t);

#endif
