/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_FRONT_H
#define AGENT_FRONT_H
/* What the agent shows of itself: the socket behind `loden status` and `loden plan`, the health
 * endpoints, a word to systemd and the log whenever readiness or its cause changes, and systemd's
 * watchdog.
 *
 * Protocol of <run-dir>/loden.sock (mode 0660): the client sends one line, "status", "status json"
 * or "plan"; the answer is one line with the exit code the client shall end with, then the text. So
 * a client needs to know nothing, and may be of another version.
 *
 * None of it is needed to keep the fabric: what cannot be had (a port that is taken) becomes a note
 * in the status and is tried again.
 */

#include "agent/opts.h"
#include "model/status.h"
#include "os/loop.h"
#include "os/serve.h"

enum front_exit {
	FRONT_READY = 0,
	FRONT_NOT_READY = 1, /* also: `plan` would change something */
	FRONT_NO_AGENT = 2,
};

struct front_conf {
	struct loop *loop;
	const struct opts *opts; /* borrowed */
	void *arg;
	void (*status)(void *arg, struct status *ret);
	/* What would be changed now, in words; true = something. */
	bool (*plan)(void *arg, FILE *ret_text);
};

struct front;

/* Never fails: see above. Aborts without memory. */
struct front *front_new(const struct front_conf *conf);
void front_free(struct front *f);

/* Readiness or problem may have changed. */
void front_changed(struct front *f);

#endif
