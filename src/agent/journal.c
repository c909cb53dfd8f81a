/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/journal.h"

#include <string.h>

#include "base/log.h"

#define FAILURES_LOGGED 3

void journal_repair(struct journal *j, const struct repair *r)
{
	char by[400] = "";
	struct text t = TEXT(by);

	/* Only where the kernel says it. */
	if (r->who.pid) {
		text_add(&t, " pid=%u comm=\"", r->who.pid);
		text_add_escaped(&t, r->who.comm, strlen(r->who.comm));
		text_add(&t, "\" unit=\"");
		text_add_escaped(&t, r->who.unit, strlen(r->who.unit));
		text_add(&t, "\"");
	}
	log_warn("plan.repair", "ops=%u first=\"%s\"%s", r->n_ops, r->what, by);
	j->n_repairs = r->n_ops;
}

void journal_slice(struct journal *j, const struct plan *slice, const struct devmap *devs)
{
	char line[OP_STRLEN];

	if (!j->n_ops && slice->n)
		op_format(&slice->ops[0], devs, &TEXT(j->first));
	j->n_ops += slice->n;
	for (size_t i = 0; j->verbose && i < slice->n; i++) {
		op_format(&slice->ops[i], devs, &TEXT(line));
		log_debug("plan.op", "op=\"%s\"", line);
	}
}

void journal_failures(const struct plan *slice, const struct devmap *devs,
		      const struct op_failure *failures, size_t n)
{
	char line[OP_STRLEN];

	for (size_t i = 0; i < MIN(n, (size_t)FAILURES_LOGGED); i++) {
		const struct op_failure *f = &failures[i];

		op_format(&slice->ops[f->op], devs, &TEXT(line));
		log_warn("op.failed", "op=\"%s\" of=%zu why=\"%s\"", line, n,
			 f->text[0] ? f->text : strerror(-f->code));
	}
}

void journal_end(struct journal *j)
{
	if (j->n_ops > j->n_repairs) /* else all is said */
		log_info("plan.done", "ops=%zu repairs=%zu first=\"%s\"", j->n_ops, j->n_repairs,
			 j->first);
	j->n_ops = j->n_repairs = 0;
}
