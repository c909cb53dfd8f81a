/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H
/* What the log says about plans: each repair with its culprit, each plan once it is done, each op only
 * for who asked for it, and of failures the first few. A plan may have thousands of ops and comes in
 * slices; the log must not. */

#include "model/plan.h"
#include "model/status.h"

struct journal {
	bool verbose;
	size_t n_ops;	  /* of the plan under way; 0 = none */
	size_t n_repairs; /* of these */
	char first[OP_STRLEN];
};

/* The plan that begins is, or holds, this repair. */
void journal_repair(struct journal *j, const struct repair *r);
/* A slice is about to run. */
void journal_slice(struct journal *j, const struct plan *slice, const struct devmap *devs);
void journal_failures(const struct plan *slice, const struct devmap *devs,
		      const struct op_failure *failures, size_t n);
/* The plan under way, if any, has come to its end. */
void journal_end(struct journal *j);

#endif
