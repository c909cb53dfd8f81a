/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H
/* The glue: a lease source and the kernel on one side, core's step() on the other, one loop between.
 *
 * Nothing is decided here. Whatever happens becomes an event; what the update asks for is done:
 *
 *	source  ──CONFIG, LEASES, LEASE_PUT, LEASE_GONE, OWN, SOURCE──▶ ┐
 *	kernel  ──NOTICE──────────────────────────────────────────────▶ ├─ step() ─▶ update
 *	timer   ──TIMER───────────────────────────────────────────────▶ ┘             │
 *	     PLAN ─▶ os_ops.apply ─▶ APPLIED        DUMP ─▶ os_ops.dump ─▶ OBJECT…    │
 *	     UPLINK ─▶ os_ops.facts, uplink_choose ─▶ UPLINK    PUBLISH, RELIST ─▶ source
 *	     STATUS ─▶ front (log, systemd)         wake_ms ─▶ timer
 */

#include "agent/opts.h"

enum agent_result {
	AGENT_STOPPED = 0,    /* by a signal: the orderly end */
	AGENT_LOCKED = 1,     /* another agent holds the run directory: `err` names it */
	AGENT_BAD_OPTION = 2, /* an option's value can never work: `err` names it */
};

/* Runs until a signal. enum agent_result, or < 0 = cannot run here. Leaves the kernel as it is. */
int agent_run(const struct opts *o, struct err *err);

#endif
