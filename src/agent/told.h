/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_TOLD_H
#define AGENT_TOLD_H
/* What a source of leases has told, so that nothing is told twice: whether it answers, its configuration, and
 * how much of it is malformed.
 *
 * The functions that return bool say whether it is news. The caller then logs it, in its own words, before
 * it is told.
 */

#include "agent/source.h"

#define TOLD_NAME_SIZE	     300
#define TOLD_PROBLEM_SIZE    600
#define TOLD_COMPLAINTS_SIZE 2000

/* Zero, with conf and kind set, is ready to use. */
struct told {
	const struct source_conf *conf; /* borrowed */
	const char *kind;		/* "etcd": its name while it does not answer */
	bool by_ipv4;			/* leases go by IPv4: a network needs it */
	bool up;
	char name[TOLD_NAME_SIZE];
	char problem[TOLD_PROBLEM_SIZE]; /* "" = up, or nothing told yet */

	bool have_net;
	struct netconf net;
	char complaints[TOLD_COMPLAINTS_SIZE]; /* about the configuration */

	size_t n_malformed; /* reset by the owner, with each list */
	uint64_t malformed_ms;
	unsigned n_malformed_said;
};

/* Any event, with the time. */
void told_event(struct told *t, struct event *ev);

bool told_up(struct told *t, const char *name);
bool told_down(struct told *t, const char *problem);
/* What the last of these two was. */
void told_source(struct told *t);

/* Reads a configuration, and tells it or what is wrong with it, behind `where`; `trouble` is what kept it from being
 * read at all, or NULL. NULL; or what is in force now, borrowed until the next one. */
const struct netconf *told_config(struct told *t, const char *json, size_t n, const char *trouble,
				  const char *where);
void told_config_problem(struct told *t, const char *problem);

/* Counts; true: one of the few that are told one by one in a minute. */
bool told_malformed(struct told *t);

#endif
