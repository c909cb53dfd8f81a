/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H
/* The agent's status as Prometheus reads it: the text format, version 0.0.4 (prometheus.io/docs,
 * "Exposition formats").
 *
 * Names are those of failures.md 7.3. Every number is one of struct status: nothing is counted here. What
 * labels can say is bounded, and what others chose (names of processes) is escaped.
 */

#include "base/text.h"
#include "model/status.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX  12288 /* more than all of it takes, whatever the status says */

struct metrics_row {
	const char *name;
	const char *type;   /* "gauge", "counter" */
	const char *labels; /* for the manual: "kind,actor"; NULL = none */
	const char *help;   /* without full stop */
	void (*add)(struct text *t, const char *name, const struct status *s);
};

extern const struct metrics_row metrics_table[];
extern const size_t metrics_table_n;

/* All of them. One that is not known has no sample. */
void metrics_format(const struct status *s, struct text *t);

#endif
