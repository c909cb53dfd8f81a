/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H
/* A plan: the ops that turn `have` into `want`, in the order in which they must run.
 *
 * Ops borrow their objects from want and from the pass's arena; a plan lives as long as both. Every
 * op prints as one line of text, which is what `loden plan`, logs, traces and errors show.
 */

#include "model/netstate.h"

enum op_verb {
	OP_ADD,	     /* does not exist */
	OP_SET,	     /* exists and differs: replace or change in place */
	OP_RECREATE, /* links only: delete and create */
	OP_DEL,	     /* exists and should not */
	OP__COUNT,
};

extern const char *const op_verb_names[OP__COUNT]; /* "add" "set" "recreate" "del" */

struct op {
	enum op_verb verb;
	struct object object; /* what it shall be; for OP_DEL what it is */
	struct object old;    /* OP_SET and OP_RECREATE: what it was; else any = NULL */
};

struct plan {
	struct op *ops;
	size_t n;
};

/* Outcome of one op: 0, or -errno with the kernel's words (extended ack) in `text`. Only failures are
 * reported; `op` is an index into the plan. */
struct op_failure {
	size_t op;
	int code;
	char text[120];
};

#define OP_STRLEN 320
/* "route.add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"; with what was there before:
 * "neigh.set 10.244.1.0 dev flannel.1 mac 02:…:09 (was mac 02:…:02)",
 * "link.set flannel.1 vxlan vni 1 … (mtu 1500 -> 1450)". */
void op_format(const struct op *op, const struct devmap *m, struct text *t);

#endif
